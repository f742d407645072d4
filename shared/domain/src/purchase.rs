//! A purchase: one customer buys one cart, and [`decide`] returns every row that the purchase writes, a [`Sale`].
//!
//! The decision is pure: it may run any number of times, only the commit happens once.

mod client_events;
mod events;
mod once;
mod sale;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::IdSource;
use crate::cart::{self, Cart, CartError, CartStatus, Choice, Occasion, OfferLookup, Position};
use crate::customer::Customer;
use crate::ids::{CustomerId, SubscriptionId};
use crate::input::{FieldErrors, Object, Parsed, integer, list, parsed};
use crate::instant::instant;
use crate::metadata::Metadata;
use crate::money::{MAX_EXACT_AMOUNT, Money};
use crate::order::Order;
use crate::payment_method::PaymentMethod;
use crate::text::ExternalId;
use crate::zone::Zone;

pub(crate) use events::{announce, offer_data, subscription_data};
pub use once::{MAX_ONCE, Once};
pub use sale::Sale;
use sale::Times;
pub(crate) use sale::{Entry, payout_row};

/// The largest quantity of one position.
pub const MAX_QUANTITY: i64 = 10_000;

/// The largest distance of a given start from the time of the purchase: a year.
pub const MAX_START_DISTANCE: SignedDuration = SignedDuration::from_hours(366 * 24);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurchaseRequest {
    pub customer_id: CustomerId,
    payment_method: PaymentMethod,
    /// By position number: the chosen optional positions, and mandatory ones with a quantity.
    quantities: BTreeMap<u8, u32>,
    /// The total that the customer saw.
    expected_total: Option<Money>,
    /// The start of the first periods, if it is not the time of the purchase.
    start_date: Option<Timestamp>,
    /// The order's id in the seller's system; unique for a client.
    pub external_system_id: Option<ExternalId>,
    metadata: Metadata,
}

impl PurchaseRequest {
    /// Reads `{customerId, paymentMethod, positions?: [{position, quantity?}], startDate?,
    /// externalSystemId?, metadata?, expectedTotal?}`. Mandatory positions are bought whether they are listed or not; a quantity is 1 if absent.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let customer_id = object.required("customerId", parsed::<CustomerId>);
        let payment_method = object.required("paymentMethod", PaymentMethod::parse);
        let positions = object
            .optional("positions", list(0..=cart::MAX_POSITIONS, parse_position))
            .unwrap_or_default();
        let expected_total = object.optional("expectedTotal", Money::parse_total);
        let start_date = object.optional("startDate", instant);
        let external_system_id = object.optional("externalSystemId", ExternalId::parse);
        let metadata = object
            .optional("metadata", Metadata::parse)
            .unwrap_or_default();
        let mut quantities = BTreeMap::new();
        for (index, (number, quantity)) in positions.into_iter().enumerate() {
            if quantities.insert(number, quantity).is_some() {
                let field = format!("positions[{index}].position");
                object.note(FieldErrors::at(
                    field,
                    "repeated",
                    format!("position {number} is listed twice"),
                ));
            }
        }
        object.finish(|| {
            Some(Self {
                customer_id: customer_id?,
                payment_method: payment_method?,
                quantities,
                expected_total,
                start_date,
                external_system_id,
                metadata,
            })
        })
    }

    /// The bought positions: the mandatory and the chosen ones.
    ///
    /// # Errors
    /// A listed position is not in the cart.
    pub fn choose(&self, cart: &Cart) -> Result<Vec<Position>, PurchaseError> {
        let in_cart = |number: u8| {
            cart.positions
                .iter()
                .any(|position| position.number == number)
        };
        let unknown: Vec<u8> = self
            .quantities
            .keys()
            .copied()
            .filter(|number| !in_cart(*number))
            .collect();
        if !unknown.is_empty() {
            return Err(PurchaseError::UnknownPositions(unknown));
        }
        let bought = |position: &&Position| {
            position.choice == Choice::Mandatory || self.quantities.contains_key(&position.number)
        };
        Ok(cart.positions.iter().filter(bought).copied().collect())
    }

    /// The start of the first periods.
    fn start(&self, now: Timestamp) -> Result<Timestamp, PurchaseError> {
        let start = self.start_date.unwrap_or(now);
        if start.duration_since(now).abs() <= MAX_START_DISTANCE {
            Ok(start)
        } else {
            Err(PurchaseError::StartTooFar)
        }
    }

    fn quantity(&self, position: u8) -> u32 {
        self.quantities.get(&position).copied().unwrap_or(1)
    }
}

fn parse_position(value: &Value) -> Parsed<(u8, u32)> {
    let mut object = Object::read(value)?;
    let number = object.required("position", integer(1..=20));
    let quantity = object
        .optional("quantity", integer(1..=MAX_QUANTITY))
        .unwrap_or(1);
    object.finish(|| Some((u8::try_from(number?).ok()?, u32::try_from(quantity).ok()?)))
}

/// Why a purchase is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PurchaseError {
    /// The numbers of the listed positions that the cart does not have.
    #[error("the cart does not have all of the listed positions")]
    UnknownPositions(Vec<u8>),
    #[error(transparent)]
    Cart(#[from] CartError),
    #[error("the total is {} minor units, more than {MAX_EXACT_AMOUNT}; buy smaller quantities", .0.amount)]
    TotalTooLarge(Money),
    #[error("the total is {}, not {expected}", .order.total)]
    TotalDiffers {
        expected: Money,
        /// As it would be bought.
        order: Box<Order>,
    },
    #[error("startDate must lie within 366 days of the purchase")]
    StartTooFar,
    #[error(
        "a purchase has at most {MAX_ONCE} offers that are sold once to a customer; buy the others apart"
    )]
    TooManyOnce,
    /// Positions whose offer the customer has, with the running subscriptions.
    #[error("the customer already has {} of the offers", .0.len())]
    AlreadySubscribed(Vec<(u8, SubscriptionId)>),
}

/// Decides a purchase of the chosen positions, each with its looked-up offer. `zone` is that of the seller's contracting company.
///
/// # Errors
/// The cart is archived, the positions fail [`cart::check`], the start is further than [`MAX_START_DISTANCE`], the total exceeds
/// [`MAX_EXACT_AMOUNT`] or is not the expected one, or more than [`MAX_ONCE`] offers are sold once to a customer.
pub fn decide(
    cart: &Cart,
    request: &PurchaseRequest,
    chosen: &[(Position, OfferLookup<'_>)],
    (customer, zone): (&Customer, &Zone),
    now: Timestamp,
    ids: &mut dyn IdSource,
) -> Result<Sale, PurchaseError> {
    if cart.status == CartStatus::Archived {
        return Err(CartError::Archived.into());
    }
    let sellable = cart::check(cart.client_id, chosen, (Occasion::Sale, now))?;
    let times = Times {
        now,
        start: request.start(now)?,
        zone,
    };
    let sale = Sale::of(cart, request, &sellable, customer, times, ids);
    if sale.once.len() > MAX_ONCE {
        return Err(PurchaseError::TooManyOnce);
    }
    if !sale.order.total.is_exact() {
        return Err(PurchaseError::TotalTooLarge(sale.order.total));
    }
    match request.expected_total {
        Some(expected) if expected != sale.order.total => Err(PurchaseError::TotalDiffers {
            expected,
            order: Box::new(sale.order),
        }),
        _ => Ok(sale),
    }
}
