//! An offer as its owner sees it, and as a target sees it.

use serde_json::{Value, json};
use tandem_domain::offer::{Offer, OfferKind};
use tandem_domain::sharing::SharedOffer;

pub fn own(offer: &Offer) -> Value {
    let mut view = common(offer);
    view["status"] = json!(offer.status);
    view["crossClient"] = json!(offer.cross_client);
    view["externallyManaged"] = json!(offer.externally_managed);
    view["createdAt"] = json!(offer.created_at);
    view["updatedAt"] = json!(offer.updated_at);
    view
}

/// An offer shared with the caller: read-only, without the other targets.
pub fn shared(shared: &SharedOffer<'_>) -> Value {
    let mut view = common(shared.offer);
    view["readOnly"] = json!(true);
    view["connectionId"] = json!(shared.connection.id);
    view["source"] = json!({"clientId": shared.connection.source.client_id, "name": shared.connection.source.name});
    view["sellerShareBasisPoints"] = json!(
        shared
            .offer
            .cross_client
            .as_ref()
            .map(|sharing| sharing.seller_share_basis_points)
    );
    view
}

fn common(offer: &Offer) -> Value {
    let mut view = json!({
        "id": offer.id,
        "name": offer.name,
        "description": offer.description,
        "price": offer.price,
    });
    match offer.kind {
        OfferKind::Single => view["type"] = json!("single"),
        OfferKind::Subscription { period, renews } => {
            view["type"] = json!("subscription");
            view["period"] = json!(period);
            view["renews"] = json!(renews);
            let rules = offer.rules;
            view["graceDays"] = json!(rules.grace_days);
            view["renewalAmountTolerancePercent"] = json!(rules.renewal_amount_tolerance_percent);
        }
    }
    view
}
