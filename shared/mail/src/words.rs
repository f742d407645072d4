//! What a mail says, before it is laid out.

/// A part of a mail's body.
#[derive(Debug)]
pub(crate) enum Block {
    /// A paragraph.
    Text(String),
    /// A request to the API, to be copied.
    Call(String),
}

/// The words of a mail in one language.
#[derive(Debug)]
pub(crate) struct Words {
    /// The subject, also the heading.
    pub(crate) subject: String,
    /// What happened, then what to do next.
    pub(crate) blocks: Vec<Block>,
}

impl Words {
    pub(crate) fn about(subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), blocks: Vec::new() }
    }

    pub(crate) fn say(mut self, text: impl Into<String>) -> Self {
        self.blocks.push(Block::Text(text.into()));
        self
    }

    pub(crate) fn call(mut self, call: impl Into<String>) -> Self {
        self.blocks.push(Block::Call(call.into()));
        self
    }
}
