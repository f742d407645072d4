//! In-memory transports: they record sent messages, dead letters and mails for assertions, and fail on request.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::{BoxFuture, ready};
use tandem_domain::mail::Mail;
use tandem_mail::{MailTransport, Mailer, RenderedMail, SendMailError};
use tandem_queue::{
    DeadLetter, DeadLetterQueue, DeadLetterTransport, Delayed, Queue, QueueTransport, SendError,
};
use tandem_runtime::cached_secret::{CachedSecret, SecretSource};

/// State that a test shares with the code under test. A test that panics while it holds the lock must not hide the state.
#[derive(Debug, Default)]
struct Shared<T>(Arc<Mutex<T>>);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Records the messages of one queue.
#[derive(Debug, Clone, Default)]
pub struct QueueRecorder(Shared<QueueState>);

#[derive(Debug, Default)]
struct QueueState {
    sent: Vec<Delayed>,
    failing: bool,
}

impl QueueRecorder {
    /// A queue and its recorder.
    pub fn queue() -> (Queue, Self) {
        let recorder = Self::default();
        (Queue::with_transport(recorder.clone()), recorder)
    }

    /// Removes and returns the messages sent since the last call.
    pub fn take(&self) -> Vec<Delayed> {
        std::mem::take(&mut self.0.lock().sent)
    }

    /// While `failing`, every send fails.
    pub fn set_failing(&self, failing: bool) {
        self.0.lock().failing = failing;
    }
}

impl QueueTransport for QueueRecorder {
    fn send<'a>(&'a self, messages: &'a [Delayed]) -> BoxFuture<'a, Result<(), SendError>> {
        let mut state = self.0.lock();
        let result = if state.failing {
            Err(SendError {
                failed: messages.len(),
                messages: messages.len(),
                cause: "the test lets this queue fail".to_owned(),
            })
        } else {
            state.sent.extend(messages.iter().cloned());
            Ok(())
        };
        Box::pin(ready(result))
    }
}

/// Records the messages of a dead-letter queue.
#[derive(Debug, Clone, Default)]
pub struct DeadLetterRecorder(Shared<Vec<DeadLetter>>);

impl DeadLetterRecorder {
    /// A dead-letter queue and its recorder.
    pub fn queue() -> (DeadLetterQueue, Self) {
        let recorder = Self::default();
        (DeadLetterQueue::with_transport(recorder.clone()), recorder)
    }

    /// Removes and returns the dead letters stored since the last call.
    pub fn take(&self) -> Vec<DeadLetter> {
        std::mem::take(&mut *self.0.lock())
    }
}

impl DeadLetterTransport for DeadLetterRecorder {
    fn put(&self, letter: DeadLetter) -> BoxFuture<'_, Result<(), SendError>> {
        self.0.lock().push(letter);
        Box::pin(ready(Ok(())))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedMail {
    pub mail: Mail,
    pub rendered: RenderedMail,
}

/// Records sent mails.
#[derive(Debug, Clone, Default)]
pub struct MailRecorder(Shared<MailState>);

#[derive(Debug, Default)]
struct MailState {
    sent: Vec<RecordedMail>,
    failures: u32,
}

impl MailRecorder {
    /// A mailer and its recorder.
    pub fn mailer() -> (Mailer, Self) {
        let recorder = Self::default();
        (Mailer::with_transport(recorder.clone()), recorder)
    }

    /// All mails sent so far, in order.
    pub fn mails(&self) -> Vec<RecordedMail> {
        self.0.lock().sent.clone()
    }

    /// The next `attempts` sends fail and are not recorded.
    pub fn fail_next(&self, attempts: u32) {
        self.0.lock().failures = attempts;
    }
}

impl MailTransport for MailRecorder {
    fn send<'a>(
        &'a self,
        mail: &'a Mail,
        rendered: RenderedMail,
    ) -> BoxFuture<'a, Result<(), SendMailError>> {
        let mut state = self.0.lock();
        let result = if state.failures > 0 {
            state.failures -= 1;
            Err(SendMailError::Rejected {
                code: "TooManyRequestsException".to_owned(),
            })
        } else {
            let mail = mail.clone();
            state.sent.push(RecordedMail { mail, rendered });
            Ok(())
        };
        Box::pin(ready(result))
    }
}

/// A secret that a test can change.
#[derive(Debug, Clone)]
pub struct FakeSecret(Shared<String>);

impl FakeSecret {
    /// A cached secret and the value behind it.
    pub fn cached(text: &str) -> (CachedSecret, Self) {
        let secret = Self(Shared(Arc::new(Mutex::new(text.to_owned()))));
        (CachedSecret::new(secret.clone()), secret)
    }

    pub fn set(&self, text: &str) {
        text.clone_into(&mut self.0.lock());
    }
}

impl SecretSource for FakeSecret {
    fn load(&self) -> BoxFuture<'_, anyhow::Result<String>> {
        Box::pin(ready(Ok(self.0.lock().clone())))
    }
}
