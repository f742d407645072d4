//! The state that a function keeps between requests.

use tandem_domain::Timestamp;
use tandem_domain::callback::Concerned;
use tandem_domain::callback_url::LocalTargets;
use tandem_domain::customer::Customer;
use tandem_runtime::{Clock, RandomIds, aws, callback_body};
use tandem_sealing::Sealer;
use tandem_store::{Store, keys};

use crate::problem::{Code, Problem};

/// The dependencies of an HTTP function. Cheap to clone; holds no state of a request.
#[derive(Clone)]
pub struct App {
    pub store: Store,
    pub sealer: Sealer,
    pub clock: Clock,
    /// Loopback addresses that a local stack may call; empty in production.
    pub local_targets: LocalTargets,
}

impl App {
    /// Reads the settings from the environment and connects to the services.
    pub async fn start() -> anyhow::Result<Self> {
        let config = aws::config().await?;
        let (store, sealer) = aws::store_and_sealer(&config).await?;
        Ok(Self {
            store,
            sealer,
            clock: Clock::default(),
            local_targets: aws::local_targets(),
        })
    }

    /// Loads the sealer of a customer's own key; `None` if the customer was erased.
    pub async fn load_customer_sealer(
        &self,
        concerned: Concerned,
    ) -> Result<Option<Sealer>, Problem> {
        let customer = self
            .store
            .get(&keys::customer(concerned.company_id, concerned.customer_id))
            .await?;
        customer
            .map(|customer| self.customer_sealer(&customer))
            .transpose()
    }

    /// The sealer of a loaded customer's own key.
    pub fn customer_sealer(&self, customer: &Customer) -> Result<Sealer, Problem> {
        callback_body::personal(&self.sealer, customer).map_err(|error| {
            tracing::error!(customer = %customer.id, %error, "a customer's key cannot be opened");
            Problem::new(Code::Internal, "the failure was logged")
        })
    }

    /// The time of this request: it does not advance while the request runs.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn ids(&self) -> RandomIds {
        RandomIds::at(self.now())
    }
}
