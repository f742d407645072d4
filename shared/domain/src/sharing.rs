//! Whether a target client may see and sell a source's offer at this moment.

use crate::connection::{Connection, State, modules_are_on};
use crate::ids::ClientId;
use crate::offer::{Offer, OfferStatus};
use crate::tenancy::ContractingCompany;

/// What must be known of a shared offer to decide; read together, never from a copy.
#[derive(Debug, Clone, Copy)]
pub struct SharedOffer<'a> {
    /// The offer.
    pub offer: &'a Offer,
    /// The connection from the offer's owner to the target.
    pub connection: &'a Connection,
    /// The source's contracting company.
    pub source_company: &'a ContractingCompany,
    /// The target's contracting company.
    pub target_company: &'a ContractingCompany,
}

/// Why a target cannot sell a shared offer now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotShared {
    /// Not the target's connection, not this offer's owner's, or the offer no longer names the target.
    #[error("the offer is not shared with this client")]
    NotNamed,
    /// The connection is not active.
    #[error("the connection with the offer's owner is {status}")]
    ConnectionNotActive {
        /// Its status.
        status: &'static str,
    },
    /// The source switched the access off.
    #[error("the offer's owner has switched off the access to its offers")]
    NoAccess,
    /// A contract module is off.
    #[error("the module crossClientConnections is off in one of the contracting companies")]
    ModuleOff,
    /// The offer is archived.
    #[error("the offer is archived")]
    Archived,
}

impl SharedOffer<'_> {
    /// Decides for one target.
    ///
    /// # Errors
    /// The first reason that stands against it.
    pub fn visible_to(&self, target: ClientId) -> Result<(), NotShared> {
        let of_this_pair = self.connection.target.client_id == target
            && self.connection.source.client_id == self.offer.client_id;
        // First of all: of an offer that is not for this target, nothing is told.
        if !of_this_pair || !self.offer.names(target) {
            return Err(NotShared::NotNamed);
        }
        if self.connection.state != State::Active {
            return Err(NotShared::ConnectionNotActive {
                status: self.connection.state.as_str(),
            });
        }
        if !self.connection.offers_access {
            return Err(NotShared::NoAccess);
        }
        modules_are_on(self.source_company, self.target_company)
            .map_err(|_| NotShared::ModuleOff)?;
        if self.offer.status == OfferStatus::Archived {
            return Err(NotShared::Archived);
        }
        Ok(())
    }
}
