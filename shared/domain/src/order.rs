//! Orders: what one customer bought in one purchase, and what was taken back of it.

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

/// Whether a position's money is still with the seller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "status"
)]
pub enum PositionState {
    /// It is.
    Paid,
    /// The seller gave it back.
    Refunded {
        /// When.
        reversed_at: Timestamp,
    },
    /// The customer's bank took it back.
    ChargedBack {
        /// When.
        reversed_at: Timestamp,
    },
}

/// One bought position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderPosition {
    /// The number it has in the cart.
    pub position: u8,
    /// What was bought.
    pub offer_id: OfferId,
    /// Its name then.
    pub offer_name: Name,
    /// How many.
    pub quantity: u32,
    /// Price of one unit then.
    pub unit_price: Money,
    /// Unit price times quantity.
    pub amount: Money,
    /// The owner of the offer, if it is not the seller.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source_client_id: Option<ClientId>,
    /// The subscription it began, if it is time-based.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subscription_id: Option<SubscriptionId>,
    /// Whether its money is still there.
    #[serde(flatten)]
    pub state: PositionState,
}

/// An order of the selling client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// Id.
    pub id: OrderId,
    /// Who sold.
    pub client_id: ClientId,
    /// Who bought.
    pub customer_id: CustomerId,
    /// Which cart; absent for an order that was imported.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cart_id: Option<CartId>,
    /// How it was paid.
    pub payment_method: PaymentMethod,
    /// What was bought, in order of the positions' numbers.
    pub positions: Vec<OrderPosition>,
    /// Sum of all positions.
    pub total: Money,
    /// Set for an order that was imported.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub external: Option<External>,
    /// When it was bought.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes, for optimistic locking.
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

/// Why money cannot go back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReversalError {
    /// The order has no such positions.
    #[error("the order has no position {}", numbers(.0))]
    UnknownPositions(Vec<u8>),
    /// The money moved in another system.
    #[error("{USE_THE_IMPORT}")]
    ExternallyManaged,
    /// The positions' money went back before.
    #[error("position {} of the order was refunded or charged back before", numbers(.0))]
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
///
/// # Errors
/// Names each wrong member.
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
    /// Who changes it.
    pub fn managed_by(&self) -> ManagedBy {
        ManagedBy::of(self.external.as_ref())
    }

    /// The order after money of some positions, or of all that are still paid, went back; and those positions' numbers.
    ///
    /// # Errors
    /// The order was imported, a named position does not exist or was taken back before, or nothing is left to take back.
    pub fn reverse(
        mut self,
        asked: Option<&BTreeSet<u8>>,
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
        let reversed = match asked {
            Some(asked) if !asked.is_subset(&all) => {
                return Err(ReversalError::UnknownPositions(
                    asked.difference(&all).copied().collect(),
                ));
            }
            Some(asked) if !asked.is_subset(&paid) => {
                return Err(ReversalError::NotPaid(
                    asked.difference(&paid).copied().collect(),
                ));
            }
            Some(asked) => asked.clone(),
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
