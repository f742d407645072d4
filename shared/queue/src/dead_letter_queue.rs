//! The dead-letter queue of a worker: messages that the worker can never process.

use std::fmt;
use std::sync::{Arc, LazyLock};

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
    /// The SQS queue at `url`. `client` runs at the first dead letter: most workers never have one, and a client is a part of a
    /// worker's start.
    pub fn new(client: impl FnOnce() -> Client + Send + 'static, url: impl Into<String>) -> Self {
        let url = url.into();
        let connect = Box::new(move || SqsTransport::new(client(), url));
        Self::with_transport(OnDemand(LazyLock::new(connect)))
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

struct OnDemand(LazyLock<SqsTransport, Box<dyn FnOnce() -> SqsTransport + Send>>);

impl DeadLetterTransport for OnDemand {
    fn put(&self, letter: DeadLetter) -> BoxFuture<'_, Result<(), SendError>> {
        self.0.put(letter)
    }
}

impl fmt::Debug for OnDemand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnDemand")
    }
}
