//! The dead-letter queue of a worker: messages that the worker can never process.

use std::fmt;
use std::sync::Arc;

use aws_sdk_sqs::Client;
use futures::future::BoxFuture;

use crate::{DeadLetterReason, SendError, SqsTransport};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// As received.
    pub body: String,
    /// The message group as received: the tenant.
    pub group: Option<String>,
    pub reason: DeadLetterReason,
}

/// Carries dead letters to their queue.
pub trait DeadLetterTransport: fmt::Debug + Send + Sync {
    fn put(&self, letter: DeadLetter) -> BoxFuture<'_, Result<(), SendError>>;
}

/// A dead-letter queue. Cheap to clone.
#[derive(Debug, Clone)]
pub struct DeadLetterQueue(Arc<dyn DeadLetterTransport>);

impl DeadLetterQueue {
    /// The SQS queue at `url`.
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self::with_transport(SqsTransport::new(client, url))
    }

    pub fn with_transport(transport: impl DeadLetterTransport + 'static) -> Self {
        Self(Arc::new(transport))
    }

    /// Stores a message unchanged, with its reason.
    ///
    /// # Errors
    /// The message was not sent.
    pub async fn put(&self, letter: DeadLetter) -> Result<(), SendError> {
        self.0.put(letter).await
    }
}
