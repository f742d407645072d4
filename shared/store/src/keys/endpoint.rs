use tandem_domain::callback::Endpoint;
use tandem_domain::endpoint_health::EndpointHealth;
use tandem_domain::event_endpoint::EventEndpoint;
use tandem_domain::ids::ClientId;

use crate::entity::{Entity, Key};

/// A client's own event endpoint.
pub fn event_endpoint(client: ClientId) -> Key<EventEndpoint> {
    Key::new(client.to_string(), "eventEndpoint")
}

impl Entity for EventEndpoint {
    fn key(&self) -> Key<Self> {
        event_endpoint(self.client_id)
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// The failures of an endpoint; a healthy endpoint has no such row. The row is separate from the connection's and the client's, so
/// that a failing endpoint writes neither.
pub fn endpoint_health(endpoint: impl Into<Endpoint>) -> Key<EndpointHealth> {
    Key::new(endpoint.into().to_string(), "endpoint")
}

impl Entity for EndpointHealth {
    fn key(&self) -> Key<Self> {
        // A valid row has one of the two ids. A row without both matches no key, so it is read as corrupt.
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
