//! Hands rows that have just become due to the queues, within a second of their commit.
//!
//! This is speed only. The event source's filter lets through what is new or replayed; whatever does not arrive here, or is
//! lost on the way, the sweep finds.

use aws_lambda_events::event::dynamodb::Event;
use lambda_runtime::Error;
use tandem_queue::Queues;
use tandem_runtime::aws;
use tandem_store::outbox::Due;

/// Hands over.
pub struct Relay {
    queues: Queues,
}

impl Relay {
    /// With the queues.
    pub fn new(queues: Queues) -> Self {
        Self { queues }
    }

    /// Builds it from the environment.
    ///
    /// # Errors
    /// A setting is absent.
    pub async fn start() -> Result<Self, Error> {
        Ok(Self::new(aws::queues(&aws::config().await).await?))
    }

    /// Sends a message for each row. On an error the stream delivers the records again; sending twice does no harm.
    ///
    /// # Errors
    /// A queue does not take messages.
    pub async fn relay(&self, event: Event) -> Result<(), Error> {
        let due: Vec<Due> = event
            .records
            .iter()
            .filter_map(|record| Due::of_stream_keys(&record.change.keys))
            .collect();
        tracing::info!(records = event.records.len(), due = due.len(), "relaying");
        self.queues.send(due).await?;
        Ok(())
    }
}
