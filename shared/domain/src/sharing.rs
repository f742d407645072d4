//! Whether a target client may see and sell a source's offer now.

use crate::connection::{Connection, Side, State, modules_are_on};
use crate::ids::ClientId;
use crate::offer::{Offer, OfferKind, OfferStatus};
use crate::period::Period;
use crate::tenancy::ContractingCompany;

/// A shared offer with everything that decides on its availability; read together, never from a copy.
#[derive(Debug, Clone, Copy)]
pub struct SharedOffer<'a> {
    pub offer: &'a Offer,
    /// The connection from the offer's owner to the target.
    pub connection: &'a Connection,
    pub source_company: &'a ContractingCompany,
    pub target_company: &'a ContractingCompany,
}

/// A shared offer that its target may sell now, with everything that a sale needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AvailableOffer<'a> {
    pub offer: &'a Offer,
    pub connection: &'a Connection,
    /// The time that one payment covers.
    pub period: Period,
    /// Whether further periods may be paid.
    pub renews: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotShared {
    /// The connection is not the target's, the offer is not the source's, or the offer does not name the target.
    #[error("the offer is not shared with this client")]
    NotNamed,
    #[error("the connection with the offer's owner is {status}")]
    ConnectionNotActive { status: &'static str },
    /// The source switched `offersAccess` off.
    #[error("the offer's owner has switched off the access to its offers")]
    NoAccess,
    #[error("the module crossClientConnections is off in one of the contracting companies")]
    ModuleOff,
    /// The operator disabled one of the two clients.
    #[error("the {side} client is disabled")]
    ClientDisabled { side: Side },
    #[error("the offer is archived")]
    Archived,
    #[error("the offer is not a subscription")]
    NotTimeBased,
}

impl<'a> SharedOffer<'a> {
    /// # Errors
    /// The first reason why the target may not see or sell the offer, whatever its terms.
    pub fn available_to(&self, target: ClientId) -> Result<AvailableOffer<'a>, NotShared> {
        let of_this_pair = self.connection.target.client_id == target
            && self.connection.source.client_id == self.offer.client_id;
        // Comes first: no other reason may disclose anything about an offer that is not for this target.
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
        for (company, side) in [
            (self.source_company, Side::Source),
            (self.target_company, Side::Target),
        ] {
            if company.has_disabled(self.connection.party(side).client_id) {
                return Err(NotShared::ClientDisabled { side });
            }
        }
        if self.offer.status == OfferStatus::Archived {
            return Err(NotShared::Archived);
        }
        // `OfferDraft` shares subscriptions only; a row that says otherwise is refused here, not half sold later.
        let OfferKind::Subscription { period, renews } = self.offer.kind else {
            return Err(NotShared::NotTimeBased);
        };
        Ok(AvailableOffer {
            offer: self.offer,
            connection: self.connection,
            period,
            renews,
        })
    }
}
