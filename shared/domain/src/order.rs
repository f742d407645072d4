//! Orders: one customer's purchase, and its reversals.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::external::{External, ManagedBy, USE_THE_IMPORT};
use crate::ids::{CartId, ClientId, CustomerId, OfferId, OrderId, SubscriptionId};
use crate::input::{Object, Parsed, integer, list};
use crate::money::Money;
use crate::payment_method::PaymentMethod;
use crate::text::Name;
use crate::words::words;

/// Whether the seller still has the money of a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "status"
)]
pub enum PositionState {
    Paid,
    /// The seller refunded it.
    Refunded {
        reversed_at: Timestamp,
    },
    /// The customer's bank returned it.
    ChargedBack {
        reversed_at: Timestamp,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderPosition {
    /// Its number in the cart.
    pub position: u8,
    pub offer_id: OfferId,
    pub offer_name: Name,
    pub quantity: u32,
    /// Of one unit at the time of the purchase.
    pub unit_price: Money,
    /// Unit price times quantity.
    pub amount: Money,
    /// The owner of the offer, if another client.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source_client_id: Option<ClientId>,
    /// Set for a time-based offer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subscription_id: Option<SubscriptionId>,
    #[serde(flatten)]
    pub state: PositionState,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    pub id: OrderId,
    /// The seller.
    pub client_id: ClientId,
    pub customer_id: CustomerId,
    /// Absent for an imported order.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cart_id: Option<CartId>,
    pub payment_method: PaymentMethod,
    /// In order of their numbers.
    pub positions: Vec<OrderPosition>,
    /// The sum of all positions.
    pub total: Money,
    /// Set for an imported order.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub external: Option<External>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: u64,
}

words! {
    /// How money goes back.
    pub enum Reversal {
        /// The seller gives it back.
        Refund = "refund",
        /// The customer's bank takes it back.
        ChargeBack = "chargeBack",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReversalError {
    #[error("the order has no position {}", numbers(.0))]
    UnknownPositions(Vec<u8>),
    /// The payment is in another system.
    #[error("{USE_THE_IMPORT}")]
    ExternallyManaged,
    /// Positions that were reversed before.
    #[error("position {} of the order is already refunded or charged back", numbers(.0))]
    NotPaid(Vec<u8>),
}

fn numbers(positions: &[u8]) -> String {
    positions
        .iter()
        .map(u8::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Reads the input of a refund or charge-back: `{positions?: [1, 2]}`; absent means the whole order.
pub fn parse_reversal(value: &Value) -> Parsed<Option<BTreeSet<u8>>> {
    let mut object = Object::read(value)?;
    let positions = object.optional("positions", list(1..=20, integer(1..=20)));
    object.finish(|| {
        Some(positions.map(|numbers| {
            numbers
                .into_iter()
                .filter_map(|n| u8::try_from(n).ok())
                .collect()
        }))
    })
}

impl Order {
    pub fn managed_by(&self) -> ManagedBy {
        ManagedBy::of(self.external.as_ref())
    }

    /// Reverses the requested positions, or all that are still paid, and returns their numbers.
    pub fn reverse(
        mut self,
        requested: Option<&BTreeSet<u8>>,
        reversal: Reversal,
        now: Timestamp,
    ) -> Result<(Self, BTreeSet<u8>), ReversalError> {
        if self.managed_by() == ManagedBy::External {
            return Err(ReversalError::ExternallyManaged);
        }
        let all: BTreeSet<u8> = self
            .positions
            .iter()
            .map(|position| position.position)
            .collect();
        let paid: BTreeSet<u8> = self
            .positions
            .iter()
            .filter(|position| position.state == PositionState::Paid)
            .map(|position| position.position)
            .collect();
        let reversed = match requested {
            Some(requested) if !requested.is_subset(&all) => {
                return Err(ReversalError::UnknownPositions(
                    requested.difference(&all).copied().collect(),
                ));
            }
            Some(requested) if !requested.is_subset(&paid) => {
                return Err(ReversalError::NotPaid(
                    requested.difference(&paid).copied().collect(),
                ));
            }
            Some(requested) => requested.clone(),
            None if paid.is_empty() => {
                return Err(ReversalError::NotPaid(all.into_iter().collect()));
            }
            None => paid,
        };
        for position in &mut self.positions {
            if reversed.contains(&position.position) {
                position.state = match reversal {
                    Reversal::Refund => PositionState::Refunded { reversed_at: now },
                    Reversal::ChargeBack => PositionState::ChargedBack { reversed_at: now },
                };
            }
        }
        self.updated_at = now;
        Ok((self, reversed))
    }
}
