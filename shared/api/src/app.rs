//! What a function holds between requests.

use tandem_domain::Timestamp;
use tandem_domain::callback::Concerned;
use tandem_domain::callback_url::LocalTargets;
use tandem_domain::customer::Customer;
use tandem_runtime::{Clock, RandomIds, announce, aws};
use tandem_sealing::Sealer;
use tandem_store::{Store, keys};

use crate::problem::{Code, Problem};

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

    /// What seals and opens under the key of a customer; `None` if the customer was erased.
    ///
    /// # Errors
    /// The table is not available, or the key is broken.
    pub async fn person(&self, concerned: Concerned) -> Result<Option<Sealer>, Problem> {
        let customer = self
            .store
            .get(&keys::customer(concerned.company_id, concerned.customer_id))
            .await?;
        customer
            .map(|customer| self.personal(&customer))
            .transpose()
    }

    /// What seals and opens under the key of a customer that was read.
    ///
    /// # Errors
    /// The key is broken.
    pub fn personal(&self, customer: &Customer) -> Result<Sealer, Problem> {
        announce::personal(&self.sealer, customer).map_err(|error| {
            tracing::error!(customer = %customer.id, %error, "the key of a customer cannot be opened");
            Problem::new(Code::Internal, "the failure was logged")
        })
    }

    /// The time of this request.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Ids and codes of this request.
    pub fn ids(&self) -> RandomIds {
        RandomIds::at(self.now())
    }
}
