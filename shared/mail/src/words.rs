//! What a mail says, before it is laid out.

use tandem_domain::Timestamp;
use tandem_domain::ids::ConnectionId;

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
        Self {
            subject: subject.into(),
            blocks: Vec::new(),
        }
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

/// A time as it reads in both languages: `2026-07-01 12:00 UTC`.
pub(crate) fn time(time: Timestamp) -> String {
    let text = time.to_string();
    let (date, clock) = text.split_once('T').unwrap_or((&text, ""));
    format!("{date} {} UTC", clock.get(..5).unwrap_or_default())
}

/// The call that sets an endpoint's address.
pub(crate) fn change(connection: Option<ConnectionId>) -> String {
    connection.map_or("PUT /v1/event-endpoint".to_owned(), |id| {
        format!("PATCH /v1/connections/{id}")
    })
}
