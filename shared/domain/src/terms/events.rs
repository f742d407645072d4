//! Events about terms, for the event endpoint of the other side.

use serde_json::{Value, json};

use super::{AcceptedTerms, Effect, TermsChange};
use crate::callback::{Announcement, EventType};
use crate::ids::{ClientId, ConnectionId};
use crate::offer::Offer;

impl TermsChange {
    /// To the target, if it has to answer.
    pub fn event(&self, offer: &Offer, connection: ConnectionId) -> Option<Announcement> {
        let Effect::Proposed {
            sell_old_terms_until,
        } = self.effect
        else {
            return None;
        };
        let mut data = about(offer, connection);
        data["acceptedTerms"] = json!(self.accepted);
        data["proposedTerms"] = json!(self.present);
        data["proposedTerms"]["sellOldTermsUntil"] = json!(sell_old_terms_until);
        let event = EventType::TermsProposed;
        Some(Announcement::of_client(self.target, event, data))
    }
}

impl AcceptedTerms {
    /// To the source.
    pub fn event(&self, target: ClientId, connection: ConnectionId) -> Announcement {
        let mut data = about(&self.offer, connection);
        data["targetClientId"] = json!(target);
        data["acceptedTerms"] = json!(self.accepted);
        Announcement::of_client(self.offer.client_id, EventType::TermsAccepted, data)
    }
}

impl Offer {
    /// To a target that sold the archived offer.
    pub fn archived_event(&self, target: ClientId, connection: ConnectionId) -> Announcement {
        let data = about(self, connection);
        Announcement::of_client(target, EventType::OfferArchived, data)
    }
}

fn about(offer: &Offer, connection: ConnectionId) -> Value {
    json!({
        "connectionId": connection,
        "sourceClientId": offer.client_id,
        "offer": {"id": offer.id, "name": offer.name},
    })
}
