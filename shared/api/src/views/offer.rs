//! An offer as its owner sees it, and as a target sees it.

use serde_json::{Value, json};
use tandem_domain::Timestamp;
use tandem_domain::ids::ClientId;
use tandem_domain::offer::{Offer, OfferKind};
use tandem_domain::sharing::AvailableOffer;
use tandem_domain::terms::{Proposal, Standing, Terms};

pub fn own(offer: &Offer, now: Timestamp) -> Value {
    let mut view = common(offer);
    view["status"] = json!(offer.status);
    view["crossClient"] = cross_client(offer, now);
    view["externallyManaged"] = json!(offer.externally_managed);
    view["costCenters"] = json!(offer.cost_centers);
    view["createdAt"] = json!(offer.created_at);
    view["updatedAt"] = json!(offer.updated_at);
    view
}

/// The sharing as the source gave it, and the terms of each target.
fn cross_client(offer: &Offer, now: Timestamp) -> Value {
    let (Some(sharing), Some(terms)) = (&offer.cross_client, offer.terms_of_targets()) else {
        return Value::Null;
    };
    let mut view = json!(sharing);
    view["targetTerms"] = terms
        .targets
        .iter()
        .filter(|own| own.price.is_some() || own.seller_share_basis_points.is_some())
        .map(|own| {
            json!({
                "targetClientId": own.client_id,
                "price": own.price,
                "sellerShareBasisPoints": own.seller_share_basis_points,
            })
        })
        .collect();
    view["terms"] = sharing
        .target_client_ids
        .iter()
        .filter_map(|target| {
            let mut view = terms_of(&offer.standing(*target, now)?);
            view["targetClientId"] = json!(target);
            Some(view)
        })
        .collect();
    view
}

fn terms_of(standing: &Standing) -> Value {
    json!({
        "acceptedTerms": standing.accepted(),
        "proposedTerms": standing.proposal().map(|proposal| proposed(&proposal)),
    })
}

fn proposed(proposal: &Proposal) -> Value {
    let mut view = json!(proposal.terms);
    view["sellOldTermsUntil"] = json!(proposal.sell_old_terms_until);
    view
}

/// An offer shared with the caller: read-only, without the other targets and their terms. Price and share are those at which the
/// caller sells, or will after it has put the offer into a cart.
pub fn shared(shared: &AvailableOffer<'_>, caller: ClientId, now: Timestamp) -> Option<Value> {
    let standing = shared.offer.standing(caller, now)?;
    let Terms {
        price,
        seller_share_basis_points,
        ..
    } = standing
        .accepted()
        .or(standing.proposal().map(|proposal| proposal.terms))?;
    let mut view = common(shared.offer);
    view["price"] = json!(price);
    view["readOnly"] = json!(true);
    view["connectionId"] = json!(shared.connection.id);
    view["costCenter"] = json!(
        shared
            .offer
            .cost_centers
            .of(shared.connection.target.client_id)
    );
    view["source"] = json!({"clientId": shared.connection.source.client_id, "name": shared.connection.source.name});
    view["sellerShareBasisPoints"] = json!(seller_share_basis_points);
    for (name, terms) in terms_of(&standing).as_object()? {
        view[name] = terms.clone();
    }
    Some(view)
}

fn common(offer: &Offer) -> Value {
    let mut view = json!({
        "id": offer.id,
        "name": offer.name,
        "description": offer.description,
        "price": offer.price,
        "metadata": offer.metadata,
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
            view["oncePerCustomer"] = json!(offer.once_per_customer);
        }
    }
    view
}
