//! Rate limits: one row a client for each limit, written only by the limited operation.

use tandem_domain::ids::ClientId;
use tandem_domain::invitation_limit::Invitations;
use tandem_domain::requested_callbacks::RequestedCallbacks;
use tandem_domain::voucher_guesses::VoucherGuesses;

use crate::entity::{Entity, Indexes, Key};

/// The wrong voucher codes that a client tried.
pub fn guesses(client: ClientId) -> Key<VoucherGuesses> {
    Key::new(client.to_string(), "guesses")
}

impl Entity for VoucherGuesses {
    fn key(&self) -> Key<Self> {
        guesses(self.client_id)
    }
    fn indexes(&self) -> Indexes {
        Indexes::default().expires(Some(self.expires_at()))
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// The invitations of a source client in the last hour.
pub fn invitations(source: ClientId) -> Key<Invitations> {
    Key::new(source.to_string(), "invitations")
}

impl Entity for Invitations {
    fn key(&self) -> Key<Self> {
        invitations(self.client_id)
    }
    fn indexes(&self) -> Indexes {
        Indexes::default().expires(Some(self.expires_at()))
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// The test events and replays that a client requested lately.
pub fn requested_callbacks(client: ClientId) -> Key<RequestedCallbacks> {
    Key::new(client.to_string(), "requested")
}

impl Entity for RequestedCallbacks {
    fn key(&self) -> Key<Self> {
        requested_callbacks(self.client_id)
    }
    fn indexes(&self) -> Indexes {
        Indexes::default().expires(Some(self.expires_at()))
    }
    fn version(&self) -> u64 {
        self.version
    }
}
