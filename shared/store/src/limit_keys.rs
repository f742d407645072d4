//! The keys of what is counted to limit it: one row a client, written only by what is limited.

use tandem_domain::guessing::Guesses;
use tandem_domain::ids::ClientId;
use tandem_domain::inviting::Invitations;

use crate::entity::{Entity, Indexes, Key};

/// The wrong guesses at voucher codes of a client.
pub fn guesses(client: ClientId) -> Key<Guesses> {
    Key::new(client.to_string(), "guesses")
}

impl Entity for Guesses {
    fn key(&self) -> Key<Self> {
        guesses(self.client_id)
    }
    fn indexes(&self) -> Indexes {
        Indexes {
            expires: Some(self.forgotten_at()),
            ..Indexes::default()
        }
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
        Indexes {
            expires: Some(self.forgotten_at()),
            ..Indexes::default()
        }
    }
    fn version(&self) -> u64 {
        self.version
    }
}
