//! What a function holds between requests.

use tandem_domain::Timestamp;
use tandem_domain::callback_url::LocalTargets;
use tandem_runtime::{Clock, Entropy, aws};
use tandem_sealing::Sealer;
use tandem_store::Store;

/// Everything an HTTP function works with. Cheap to clone; no state of a request.
#[derive(Clone)]
pub struct App {
    /// The table.
    pub store: Store,
    /// Seals what must not be read in the table.
    pub sealer: Sealer,
    /// The time.
    pub clock: Clock,
    /// Loopback targets that a local stack may call; none in production.
    pub local_targets: LocalTargets,
}

impl App {
    /// Builds it from the environment and connects.
    ///
    /// # Errors
    /// A setting is absent, or a service does not answer.
    pub async fn start() -> anyhow::Result<Self> {
        let config = aws::config().await;
        Ok(Self {
            store: aws::store(&config).await?,
            sealer: aws::sealer(&config).await?,
            clock: Clock::default(),
            local_targets: aws::local_targets(),
        })
    }

    /// The time of this request.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Ids and codes of this request.
    #[must_use]
    pub fn mint(&self) -> Entropy {
        Entropy::at(self.now())
    }
}
