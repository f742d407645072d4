/// Some messages were not sent. Their rows stay due, so the sweep sends them again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{failed} of {messages} messages were not sent: {cause}")]
pub struct SendError {
    pub failed: usize,
    pub messages: usize,
    /// Of the last failure.
    pub cause: String,
}
