//! One queue, whatever carries its messages.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::Client;
use futures::future::{BoxFuture, ready};

use crate::{Message, SendError, SqsTransport};

/// A message that becomes visible after a delay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delayed {
    pub message: Message,
    pub delay: Duration,
}

/// Carries messages to a queue.
pub trait QueueTransport: fmt::Debug + Send + Sync {
    fn send<'a>(&'a self, messages: &'a [Delayed]) -> BoxFuture<'a, Result<(), SendError>>;

    /// Opens the connection ahead of the first message.
    fn connect(&self) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }
}

/// A queue to send messages to. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Queue(Arc<dyn QueueTransport>);

impl Queue {
    /// The SQS queue at `url`. Deadlines and retries of calls are those of `client`.
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self::with_transport(SqsTransport::new(client, url))
    }

    pub fn with_transport(transport: impl QueueTransport + 'static) -> Self {
        Self(Arc::new(transport))
    }

    /// Opens the connection, so that the first message does not wait for the TLS handshake.
    pub async fn connect(&self) {
        self.0.connect().await;
    }

    /// Sends messages. One failed message does not affect the others.
    ///
    /// # Errors
    /// Some messages were not sent; the error counts them.
    pub async fn send(&self, messages: &[Delayed]) -> Result<(), SendError> {
        self.0.send(messages).await
    }
}
