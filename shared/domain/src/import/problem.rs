//! Why an item fails.

use serde::{Deserialize, Serialize};

/// Why an item fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum ItemProblem {
    /// It does not exist, or another client owns it.
    #[error("there is no such offer")]
    OfferNotFound,
    /// It is sold here.
    #[error("the offer is not externally managed; its orders come by purchases")]
    OfferNotExternallyManaged,
    /// It is no subscription.
    #[error("the offer is not time-based")]
    OfferNotSubscription,
    /// It is no longer sold; what was imported before can still be changed.
    #[error("the offer is archived")]
    OfferArchived,
    /// The order was imported for another offer.
    #[error("the order was imported with another offerId; an order keeps its offer")]
    OfferDiffers,
    /// The contracting company has no such customer.
    #[error("there is no customer with this invoiceCustomerId")]
    CustomerNotFound,
    /// The order was imported for another customer.
    #[error("the order was imported with another invoiceCustomerId; an order keeps its customer")]
    CustomerDiffers,
    /// The contracting company has no such customer.
    #[error("there is no customer with this deliveryCustomerId")]
    DeliveryCustomerNotFound,
}

impl ItemProblem {
    /// All of them, in the order of docs/imports.md.
    pub const ALL: &'static [Self] = &[
        Self::OfferNotFound,
        Self::OfferNotExternallyManaged,
        Self::OfferNotSubscription,
        Self::OfferArchived,
        Self::OfferDiffers,
        Self::CustomerNotFound,
        Self::CustomerDiffers,
        Self::DeliveryCustomerNotFound,
    ];

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::OfferNotFound => "offer_not_found",
            Self::OfferNotExternallyManaged => "offer_not_externally_managed",
            Self::OfferNotSubscription => "offer_not_subscription",
            Self::OfferArchived => "offer_archived",
            Self::OfferDiffers => "offer_differs",
            Self::CustomerNotFound => "customer_not_found",
            Self::CustomerDiffers => "customer_differs",
            Self::DeliveryCustomerNotFound => "delivery_customer_not_found",
        }
    }
}
