//! Orders: one customer's purchase, and its reversals.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::after_sale::{SubscriptionError, read_options};
use crate::external::{External, ManagedBy, USE_THE_IMPORT};
use crate::ids::{CartId, ClientId, CustomerId, OfferId, OrderId, SubscriptionId};
use crate::input::{Object, Parsed, integer, list};
use crate::metadata::Metadata;
use crate::money::Money;
use crate::payment_method::PaymentMethod;
use crate::request_id::RequestId;
use crate::text::{ExternalId, Name};
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
    /// The money that went back, unless that is nothing or exactly the amount.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reversed: Option<Money>,
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
    /// The id in the seller's system, which the purchase named. An imported order has it in `external`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub external_system_id: Option<ExternalId>,
    /// The seller's, from the purchase.
    #[serde(skip_serializing_if = "Metadata::is_empty", default)]
    pub metadata: Metadata,
    /// Set for an imported order.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub external: Option<External>,
    /// The purchase's request.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request: Option<RequestId>,
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
    #[error("an amount goes back of one position; name it in positions")]
    AmountOfSeveral,
    /// The position's subscription refuses the reversal.
    #[error(transparent)]
    Subscription(#[from] SubscriptionError),
}

fn numbers(positions: &[u8]) -> String {
    positions
        .iter()
        .map(u8::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// The input of a refund or charge-back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReversalRequest {
    /// Absent means the whole order.
    pub positions: Option<BTreeSet<u8>>,
    /// All that is left, if absent; else of the only position.
    pub amount: Option<Money>,
    /// Whether the subscriptions end.
    pub ends: bool,
}

impl ReversalRequest {
    /// Reads `{positions?: [1, 2], amount?, endSubscription?: true}`.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let positions = object.optional("positions", list(1..=20, integer(1..=20)));
        let (amount, ends) = read_options(&mut object);
        object.finish(|| {
            let numbers = |numbers: Vec<i64>| {
                let numbers = numbers.into_iter();
                numbers.filter_map(|n| u8::try_from(n).ok()).collect()
            };
            Some(Self {
                positions: positions.map(numbers),
                amount,
                ends: ends.unwrap_or(true),
            })
        })
    }
}

impl Order {
    pub fn managed_by(&self) -> ManagedBy {
        ManagedBy::of(self.external.as_ref())
    }

    /// The numbers of the requested positions, or of all that are still paid. Of the positions in `gone`, nothing is left.
    pub fn choose(
        &self,
        request: &ReversalRequest,
        gone: &BTreeSet<u8>,
    ) -> Result<BTreeSet<u8>, ReversalError> {
        if self.managed_by() == ManagedBy::External {
            return Err(ReversalError::ExternallyManaged);
        }
        let numbers = |is: &dyn Fn(&&OrderPosition) -> bool| -> BTreeSet<u8> {
            let positions = self.positions.iter().filter(|position| is(position));
            positions.map(|position| position.position).collect()
        };
        let all = numbers(&|_| true);
        let paid = numbers(&|position| {
            position.state == PositionState::Paid && !gone.contains(&position.position)
        });
        let chosen = match &request.positions {
            Some(requested) if !requested.is_subset(&all) => {
                let unknown = requested.difference(&all).copied().collect();
                return Err(ReversalError::UnknownPositions(unknown));
            }
            Some(requested) if !requested.is_subset(&paid) => {
                let not_paid = requested.difference(&paid).copied().collect();
                return Err(ReversalError::NotPaid(not_paid));
            }
            Some(requested) => requested.clone(),
            None if paid.is_empty() => {
                return Err(ReversalError::NotPaid(all.into_iter().collect()));
            }
            None => paid,
        };
        if request.amount.is_some() && chosen.len() > 1 {
            return Err(ReversalError::AmountOfSeveral);
        }
        Ok(chosen)
    }
}

impl OrderPosition {
    /// The part of the amount that the seller has, by the reversals of the order.
    pub fn left(&self) -> Money {
        match (self.state, self.reversed) {
            (PositionState::Paid, Some(reversed)) => self.amount.plus(reversed.negated()),
            (PositionState::Paid, None) => self.amount,
            _ => Money {
                amount: 0,
                ..self.amount
            },
        }
    }

    /// The money that went back.
    pub fn reversed(&self) -> Money {
        let amount = match self.state {
            PositionState::Paid => 0,
            _ => self.amount.amount,
        };
        self.reversed.unwrap_or(Money {
            amount,
            ..self.amount
        })
    }

    /// Takes money back; `is_all` if nothing is left.
    pub(crate) fn take_back(
        &mut self,
        back: Money,
        is_all: bool,
        reversal: Reversal,
        now: Timestamp,
    ) {
        let reversed = self.reversed().plus(back);
        if is_all {
            self.state = match reversal {
                Reversal::Refund => PositionState::Refunded { reversed_at: now },
                Reversal::ChargeBack => PositionState::ChargedBack { reversed_at: now },
            };
        }
        let is_whole = is_all && reversed == self.amount;
        self.reversed = (!is_whole).then_some(reversed);
    }
}
