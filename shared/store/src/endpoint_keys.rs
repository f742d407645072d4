//! The key of an endpoint's health. The row lies beside the connection's or the client's own, so that what fails writes neither.

use tandem_domain::callback::Endpoint;
use tandem_domain::endpoint_health::EndpointHealth;

use crate::entity::{Entity, Key};

/// What is wrong with an endpoint; absent while nothing is.
pub fn endpoint_health(endpoint: impl Into<Endpoint>) -> Key<EndpointHealth> {
    Key::new(endpoint.into().to_string(), "endpoint")
}

impl Entity for EndpointHealth {
    fn key(&self) -> Key<Self> {
        // One of the two is there; without both the key would be no row's.
        let owner = self
            .connection_id
            .map(|id| id.to_string())
            .or_else(|| self.client_id.map(|id| id.to_string()));
        Key::new(owner.unwrap_or_default(), "endpoint")
    }
    fn version(&self) -> u64 {
        self.version
    }
}
