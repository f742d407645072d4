//! Sends a queue message for each row that has just become due, within a second of its commit.
//!
//! The relay is for speed only. The event source's filter passes new and replayed rows; the sweep finds all others, and
//! those whose stream event or message is lost.

use aws_lambda_events::event::dynamodb::Event;
use lambda_runtime::Error;
use tandem_queue::Queues;
use tandem_runtime::aws;
use tandem_store::outbox::Due;

pub struct Relay {
    queues: Queues,
}

impl Relay {
    pub fn new(queues: Queues) -> Self {
        Self { queues }
    }

    /// Builds it from the environment.
    ///
    /// # Errors
    /// A setting is missing.
    pub async fn start() -> Result<Self, Error> {
        Ok(Self::new(aws::queues(&aws::config().await).await?))
    }

    /// Sends a message for each due row.
    ///
    /// # Errors
    /// Messages were not sent. The stream then delivers all records again; a message sent twice is harmless.
    pub async fn relay(&self, event: Event) -> Result<(), Error> {
        let due: Vec<Due> = event
            .records
            .iter()
            .filter_map(|record| Due::of_stream_keys(&record.change.keys))
            .collect();
        tracing::info!(
            records = event.records.len(),
            due = due.len(),
            "relaying due rows"
        );
        self.queues.send(due).await?;
        Ok(())
    }
}
