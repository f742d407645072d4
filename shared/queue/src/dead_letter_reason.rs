//! Why a message became a dead letter.

/// The longest body of a message, in bytes; this release writes about 200.
pub const MAX_MESSAGE_BYTES: usize = 1_024;

/// Why a message can never be processed, however often it is retried. Quotes nothing from the message, since its content is
/// unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeadLetterReason {
    #[error("the message has {0} bytes; the limit is {MAX_MESSAGE_BYTES}")]
    Oversized(usize),
    #[error("the message cannot be decoded")]
    Undecodable,
    /// Another release wrote the message.
    #[error("the message has the unknown version {0}")]
    UnknownVersion(u64),
    /// The worker of this queue does not process rows of this kind.
    #[error("no worker of this queue processes rows of the message's kind")]
    UnknownKind,
    #[error("the message names one tenant and a row of another")]
    ForeignTenant,
    /// The row, or a row needed with it, differs from the rows that this release writes: it names another tenant than its
    /// key, is from a newer release, or was damaged.
    #[error("the row, or a row needed with it, is corrupt")]
    CorruptRow,
    #[error("too many workers died while processing the row")]
    TooManyTries,
}

impl DeadLetterReason {
    /// The machine-readable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Oversized(_) => "oversized",
            Self::Undecodable => "undecodable",
            Self::UnknownVersion(_) => "unknown_version",
            Self::UnknownKind => "unknown_kind",
            Self::ForeignTenant => "foreign_tenant",
            Self::CorruptRow => "unreadable_row",
            Self::TooManyTries => "too_many_tries",
        }
    }
}
