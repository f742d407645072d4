//! Messages that can never be handled.

/// The longest body of a message, in bytes; what this build writes has some 200.
pub const MOST_BYTES: usize = 1_024;

/// Why a message can never be handled, however often it comes. Quotes nothing of the message: nobody knows what it holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeadLetterReason {
    /// Longer than any message of ours.
    #[error("the message has {0} bytes; those of Tandem have {MOST_BYTES} at most")]
    Oversized(usize),
    /// No message of ours.
    #[error("the message cannot be read")]
    Undecodable,
    /// Written by another release.
    #[error("the message has version {0}, which this release does not know")]
    UnknownVersion(u64),
    /// It names a row that this queue's worker has nothing to do with.
    #[error("no worker of this queue handles rows of the message's kind")]
    UnknownKind,
    /// It names a tenant and a row of another one.
    #[error("the message names a tenant and a row of another one")]
    ForeignTenant,
    /// Its row, or one that is needed with it, is not as this release writes it. It names another tenant than its key, is of
    /// a newer release, or was spoilt.
    #[error("the row, or a row that is needed with it, cannot be read")]
    CorruptRow,
    /// Its workers died over it.
    #[error("workers died over the row again and again")]
    TooManyTries,
}

impl DeadLetterReason {
    /// The reason in a word, for machines.
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
