//! After the sale: a period is paid, a subscription is cancelled or its cancellation undone, or money goes back. The seller
//! reports it; the source's row and the payout row follow in the same transaction.
//!
//! | part | holds |
//! |---|---|
//! | `paying` | the next period is paid, or a reversed one is paid again |
//! | `reversing` | money of a paid period goes back, in whole or in part |
//! | `cancelling` | the subscription ends at a date, or goes on after all |
//! | `order` | the short way: positions of an order are reversed |
//! | `client_events` | the events of the seller, and of a source within one company |

mod cancelling;
mod client_events;
mod order;
mod paying;
mod reversing;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::IdSource;
use crate::callback::{Announcement, EventType};
use crate::external::{ManagedBy, USE_THE_IMPORT};
use crate::input::{FieldErrors, Parsed};
use crate::money::{MAX_EXACT_AMOUNT, Money};
use crate::paid_period::{Moved, PaidPeriod};
use crate::payout::{Payout, PayoutType};
use crate::purchase::{Entry, announce, offer_data, payout_row, subscription_data};
use crate::subscription::{Role, Subscription};

pub use cancelling::CancelRequest;
pub use order::{ReversedOrder, SoldRows, reverse_order};
pub use paying::PaymentRequest;
pub use reversing::ReverseRequest;
pub(crate) use reversing::read_options;

/// The most unpaid periods that a subscription notes: a bound for its row.
pub const MAX_UNPAID: usize = 50;

/// Why a subscription cannot be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubscriptionError {
    #[error("only the client that sold the subscription may change it")]
    ReadOnly,
    #[error("{USE_THE_IMPORT}")]
    ExternallyManaged,
    #[error("the subscription does not renew")]
    DoesNotRenew,
    /// The subscription has ended, or ends before the next period begins.
    #[error("the subscription is {status}")]
    Ended { status: &'static str },
    #[error("the subscription does not renew and ended with its period")]
    Expired,
    /// The payment names another period than the next one, and one of which no money went back.
    #[error("the next period to be paid is number {next}")]
    OtherPeriod { next: u32 },
    /// The payment could be of the unpaid period or of the next one.
    #[error(
        "period {unpaid} is unpaid, because its payment went back: name periodNumber {unpaid} to pay it again, or {next} to pay the next period"
    )]
    PastDue { unpaid: u32, next: u32 },
    #[error("the subscription has no paid period {number}")]
    NoSuchPeriod { number: u32 },
    #[error("nothing is left of the payment of period {number}")]
    NothingLeft { number: u32 },
    #[error("expected an amount from {} to {} minor units: {}", .least.amount, .most.amount, .reason)]
    AmountOutOfRange {
        least: Money,
        most: Money,
        reason: &'static str,
    },
    #[error("the subscription was sold in {}", .sold.currency)]
    OtherCurrency { sold: Money },
    #[error("{MAX_UNPAID} periods are unpaid already; end the subscription with endSubscription")]
    TooManyUnpaid,
    #[error("the subscription cannot end in the past")]
    EndsInThePast {
        /// The member of the request.
        member: &'static str,
    },
    #[error("the subscription is not cancelled")]
    NotCancelled,
}

/// The seller's row of a subscription and, for a cross-client one, the source's.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    pub seller: Subscription,
    /// Set if another client owns the offer.
    pub source: Option<Subscription>,
}

/// Everything that one change writes.
#[derive(Debug, Clone, PartialEq)]
pub struct SubscriptionChange {
    pub rows: Rows,
    /// The period, if it differs from a plain one; of version 0 if its row is new.
    pub period: Option<PaidPeriod>,
    /// Set if the money concerns two clients.
    pub payout: Option<Payout>,
    /// The callback to a source of another contracting company.
    pub announcement: Option<Announcement>,
    /// For the event endpoints of the seller and of a source within its contracting company.
    pub events: Vec<Announcement>,
}

/// Money of one period that moved, with the period's state afterwards.
struct Movement {
    period: PaidPeriod,
    payout_type: PayoutType,
    moved: Moved,
}

impl Rows {
    fn may_change(&self) -> Result<(), SubscriptionError> {
        match (self.seller.role, self.seller.managed_by()) {
            (Role::Source, _) => Err(SubscriptionError::ReadOnly),
            (_, ManagedBy::External) => Err(SubscriptionError::ExternallyManaged),
            (_, ManagedBy::Tandem) => Ok(()),
        }
    }

    fn ended(&self, now: Timestamp) -> SubscriptionError {
        SubscriptionError::Ended {
            status: self.seller.status(now).as_str(),
        }
    }

    /// A paid period: its row, or a plain one.
    fn period(&self, number: u32, stored: Option<PaidPeriod>) -> PaidPeriod {
        let of_it = |period: &PaidPeriod| period.number == number;
        stored
            .filter(of_it)
            .unwrap_or_else(|| self.seller.plain_period(number))
    }

    fn in_its_currency(&self, amount: Money) -> Result<Money, SubscriptionError> {
        let sold = self.seller.unit_price;
        if amount.currency == sold.currency {
            Ok(amount)
        } else {
            Err(SubscriptionError::OtherCurrency { sold })
        }
    }

    fn change(self, seller: Subscription, event: EventType, data: Value) -> SubscriptionChange {
        let events = client_events::of_change(&seller, event, &data);
        let announcement = seller
            .cross_client
            .as_ref()
            .filter(|link| link.between_companies)
            .map(|link| announce(&seller, link, event, data));
        let source = self.source.map(|source| source.following(&seller));
        SubscriptionChange {
            rows: Rows { seller, source },
            period: None,
            payout: None,
            announcement,
            events,
        }
    }
}

impl SubscriptionChange {
    /// Adds the payout row and the period's row.
    fn with(self, movement: Movement, ids: &mut dyn IdSource, now: Timestamp) -> Self {
        let seller = &self.rows.seller;
        let period = movement.period;
        let entry = Entry {
            payout_type: movement.payout_type,
            period_number: period.number,
            gross: movement.moved.gross,
            due: movement.moved.due,
            differs_from_terms: period.amount != seller.amount(),
        };
        // Only a source's row can lack a customer, and this is the seller's.
        let of_two_clients = seller.cross_client.as_ref().zip(seller.customer_id);
        let payout = of_two_clients
            .map(|(link, customer_id)| payout_row(seller, link, customer_id, entry, ids, now));
        let is_plain = period == seller.plain_period(period.number);
        Self {
            payout,
            period: (!is_plain).then_some(period),
            ..self
        }
    }
}

/// The seller's part of a payment; irrelevant if nobody else has one.
fn share_of(seller: &Subscription) -> crate::money::BasisPoints {
    let link = seller.cross_client.as_ref();
    link.map_or(crate::money::BasisPoints(0), |link| {
        link.seller_share_basis_points
    })
}

/// Reads `{"amount": 1250, "currency": "EUR"}`, from `least` to [`MAX_EXACT_AMOUNT`].
fn amount_from(least: i64) -> impl Fn(&Value) -> Parsed<Money> {
    move |value| Money::parse_amount(value, least..=MAX_EXACT_AMOUNT)
}

/// Whether the amount is within the bounds.
fn within(
    amount: Money,
    (least, most): (Money, Money),
    reason: &'static str,
) -> Result<(), SubscriptionError> {
    if (least.amount..=most.amount).contains(&amount.amount) {
        return Ok(());
    }
    Err(SubscriptionError::AmountOutOfRange {
        least,
        most,
        reason,
    })
}

/// Notes an error if both of two members are given that say the same.
fn only_one(member: &'static str, other: &str) -> FieldErrors {
    FieldErrors::at(
        member,
        "only_one",
        format!("give only one of {other} and {member}"),
    )
}

fn event_data(seller: &Subscription, details: Value) -> Value {
    let mut data = json!({
        "connectionId": seller.cross_client.as_ref().map(|link| link.connection_id),
        "order": {"id": seller.order_id},
        "subscription": subscription_data(seller),
        "offer": offer_data(seller),
    });
    if !seller.metadata.is_empty() {
        data["order"]["metadata"] = json!(seller.metadata);
    }
    if let (Some(data), Value::Object(details)) = (data.as_object_mut(), details) {
        data.extend(details);
    }
    data
}
