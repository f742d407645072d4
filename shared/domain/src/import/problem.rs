//! The reasons for which an item fails.

use serde::{Deserialize, Serialize};

/// The reason for which an item fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum ItemProblem {
    /// The offer does not exist, or another client owns it.
    #[error("the offer does not exist")]
    OfferNotFound,
    #[error("the offer is not externally managed; its orders are created by purchases")]
    OfferNotExternallyManaged,
    #[error("the offer is not time-based")]
    OfferNotSubscription,
    /// Rejects new orders only; imported orders can still be changed.
    #[error("the offer is archived")]
    OfferArchived,
    #[error("the order was imported with another offerId; an order keeps its offer")]
    OfferDiffers,
    #[error("there is no customer with this invoiceCustomerId")]
    CustomerNotFound,
    #[error("the order was imported with another invoiceCustomerId; an order keeps its customer")]
    CustomerDiffers,
    #[error("there is no customer with this deliveryCustomerId")]
    DeliveryCustomerNotFound,
    #[error(
        "startDate, endDate and orderDate must be in the years 1970 to 9998; an endDate of 9999-12-31 means no end"
    )]
    DateOutOfRange,
    /// Judged on the dates that the order would have, not on those that the item names.
    #[error(
        "the subscription would end before it starts; send a later endDate, or null for no end"
    )]
    EndBeforeStart,
}

impl ItemProblem {
    /// In the order of docs/imports.md.
    pub const ALL: &'static [Self] = &[
        Self::OfferNotFound,
        Self::OfferNotExternallyManaged,
        Self::OfferNotSubscription,
        Self::OfferArchived,
        Self::OfferDiffers,
        Self::CustomerNotFound,
        Self::CustomerDiffers,
        Self::DeliveryCustomerNotFound,
        Self::DateOutOfRange,
        Self::EndBeforeStart,
    ];

    /// The stable code on the wire.
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
            Self::DateOutOfRange => "date_out_of_range",
            Self::EndBeforeStart => "end_before_start",
        }
    }
}
