//! Sends a queue message for each row that has just become due, within a second of its commit, and a delayed message for each
//! row that is due soon: the next attempt of a callback or a mail, the next step of a replay, a chunk that was released.
//!
//! The relay is for speed only. The event source's filter passes new rows and rows that wait; the sweep finds those that are due
//! later, and those whose stream event or message is lost. Workers never send to their own queues: Lambda ends a chain of about 16
//! invocations through one queue, and a table's stream begins a new chain.

use std::time::Duration;

use aws_lambda_events::event::dynamodb::{Event, EventRecord};
use lambda_runtime::Error;
use tandem_queue::{MAX_DELAY, Queues, Relayed};
use tandem_runtime::{Clock, aws};
use tandem_store::outbox::{Beside, Due, due_at, is_swept};

pub struct Relay {
    queues: Queues,
    clock: Clock,
}

impl Relay {
    pub fn new(queues: Queues, clock: Clock) -> Self {
        Self { queues, clock }
    }

    /// Builds it from the environment.
    ///
    /// # Errors
    /// A setting is missing.
    pub async fn start() -> Result<Self, Error> {
        let queues = aws::queues(&aws::config().await?).await?;
        Ok(Self::new(queues, Clock::default()))
    }

    /// Sends a message for each row that is due, or will be within SQS's longest delay.
    ///
    /// # Errors
    /// Messages were not sent. The stream then delivers all records again; a message sent twice is harmless.
    pub async fn relay(&self, event: Event) -> Result<(), Error> {
        let due: Vec<Relayed> = event
            .records
            .iter()
            .filter_map(|record| self.due_soon(record))
            .collect();
        tracing::info!(
            records = event.records.len(),
            due = due.len(),
            "relaying due rows"
        );
        self.queues.send_after(due).await?;
        Ok(())
    }

    /// The row with the time until it is due; `None` if the sweep enqueues it.
    fn due_soon(&self, record: &EventRecord) -> Option<Relayed> {
        if is_swept(&record.change.new_image) {
            return None;
        }
        let due = Due::of_stream_keys(&record.change.keys)?;
        let delay = due_at(&record.change.new_image).map_or(Duration::ZERO, |due_at| {
            let wait = due_at.duration_since(self.clock.now());
            Duration::try_from(wait).unwrap_or(Duration::ZERO)
        });
        let beside = Beside::of_stream_image(&due, &record.change.new_image);
        (delay <= MAX_DELAY).then_some(Relayed { due, beside, delay })
    }
}
