//! Members of a new offer that contradict each other.

use super::{MAX_MANAGED_PRICE, OfferError, OfferType};
use crate::input::FieldErrors;
use crate::money::Money;

/// The errors of members that do not fit each other.
pub(super) fn contradictions(
    offer_type: Option<OfferType>,
    price: Option<Money>,
    is_shared: bool,
    externally_managed: bool,
    once_per_customer: bool,
) -> FieldErrors {
    let is_single = offer_type == Some(OfferType::Single);
    let mut errors = FieldErrors::default();
    let mut note = |error: FieldErrors| errors.0.extend(error.0);
    if once_per_customer && is_single {
        let detail = OfferError::OnceNotForSingle.to_string();
        note(FieldErrors::at("oncePerCustomer", "not_for_single", detail));
    }
    if is_shared && is_single {
        let detail = "only an offer of type subscription can be shared";
        note(FieldErrors::at("crossClient", "not_time_based", detail));
    }
    if externally_managed && price.is_some_and(|price| price.amount > MAX_MANAGED_PRICE) {
        let detail = OfferError::PriceTooLarge.to_string();
        note(FieldErrors::at("price.amount", "out_of_range", detail));
    }
    if is_shared && externally_managed {
        let detail = "an externally managed offer is never sold in a cart, so it cannot be shared";
        note(FieldErrors::at(
            "externallyManaged",
            "contradicts_cross_client",
            detail,
        ));
    }
    errors
}
