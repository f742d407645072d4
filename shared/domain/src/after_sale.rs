//! After the sale: a renewal is paid, a subscription is cancelled, or money goes back. The seller reports it; the source's
//! row and the payout row follow in the same transaction.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::IdSource;
use crate::callback::{Announcement, EventType};
use crate::external::{ManagedBy, USE_THE_IMPORT};
use crate::input::{FieldErrors, Object, Parsed, integer};
use crate::instant::end;
use crate::order::Reversal;
use crate::payment_method::PaymentMethod;
use crate::payout::{Payout, PayoutType};
use crate::purchase::{announce, offer_data, payout_row, subscription_data};
use crate::subscription::{Life, Role, Subscription};

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
    /// The payment names another period than the next one.
    #[error("the next period to be paid is number {next}")]
    OtherPeriod { next: u32 },
    #[error("the subscription cannot end in the past")]
    EndsInThePast,
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
    /// Set if the money concerns two clients.
    pub payout: Option<Payout>,
    /// The callback to a source of another contracting company.
    pub announcement: Option<Announcement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRequest {
    payment_method: Option<PaymentMethod>,
    period_number: Option<u32>,
}

impl PaymentRequest {
    pub fn names_its_period(&self) -> bool {
        self.period_number.is_some()
    }

    /// Reads `{periodNumber?, paymentMethod?}`. With `periodNumber`, a repeated payment is refused, however late it comes.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let payment_method = object.optional("paymentMethod", PaymentMethod::parse);
        let period_number = object.optional("periodNumber", integer(2..=i64::from(u32::MAX)));
        object.finish(|| {
            Some(Self {
                payment_method,
                period_number: period_number.and_then(|n| u32::try_from(n).ok()),
            })
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelRequest {
    ends_at: Option<Timestamp>,
}

impl CancelRequest {
    /// Reads `{endsAt?}`; absent means the end of the last paid period.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let ends_at = object.optional("endsAt", end_of_cancelled);
        object.finish(|| Some(Self { ends_at }))
    }
}

fn end_of_cancelled(value: &Value) -> Parsed<Timestamp> {
    end(value)?.ok_or_else(|| {
        let detail = "a cancellation has an end; a subscription without one is not cancelled";
        FieldErrors::one("out_of_range", detail)
    })
}

impl Rows {
    /// Records the payment of the next period.
    pub fn renew(
        self,
        request: &PaymentRequest,
        now: Timestamp,
        ids: &mut dyn IdSource,
    ) -> Result<SubscriptionChange, SubscriptionError> {
        self.may_change()?;
        let row = &self.seller;
        if !row.renews {
            return Err(SubscriptionError::DoesNotRenew);
        }
        match row.life {
            Life::Active => {}
            Life::Cancelled { ends_at, .. } if ends_at > row.paid_until => {}
            _ => return Err(self.ended()),
        }
        let next = row.periods_paid + 1;
        if request.period_number.is_some_and(|number| number != next) {
            return Err(SubscriptionError::OtherPeriod { next });
        }
        let seller = Subscription {
            periods_paid: next,
            paid_until: row.period.end_of(row.started_at, next, &row.time_zone),
            payment_method: request.payment_method.unwrap_or(row.payment_method),
            updated_at: now,
            ..self.seller.clone()
        };
        let data = event_data(
            &seller,
            json!({"amount": seller.amount(), "paymentMethod": seller.payment_method}),
        );
        let payout = payout_of(&seller, PayoutType::Payment, ids, now);
        Ok(self.change(seller, payout, EventType::SubscriptionRenewed, data))
    }

    /// Cancels the subscription at a date.
    pub fn cancel(
        self,
        request: &CancelRequest,
        now: Timestamp,
    ) -> Result<SubscriptionChange, SubscriptionError> {
        self.may_change()?;
        if self.seller.life != Life::Active {
            return Err(self.ended());
        }
        if !self.seller.is_running(now) {
            return Err(SubscriptionError::Expired);
        }
        let ends_at = request.ends_at.unwrap_or(self.seller.paid_until.max(now));
        if ends_at < now {
            return Err(SubscriptionError::EndsInThePast);
        }
        let seller = Subscription {
            life: Life::Cancelled {
                cancelled_at: now,
                ends_at,
            },
            updated_at: now,
            ..self.seller.clone()
        };
        let data = event_data(&seller, json!({"cancelledAt": now, "endsAt": ends_at}));
        Ok(self.change(seller, None, EventType::SubscriptionCancelled, data))
    }

    /// Reverses the last paid period and ends the subscription now; access that has ended keeps its end. The order decides
    /// whether its money can go back.
    pub fn reverse(
        self,
        reversal: Reversal,
        now: Timestamp,
        ids: &mut dyn IdSource,
    ) -> SubscriptionChange {
        let ended_at = self.seller.access_ends_at().map_or(now, |end| end.min(now));
        let cancelled_at = self.seller.life.cancelled_at();
        let (life, payout_type) = match reversal {
            Reversal::Refund => (
                Life::Refunded {
                    ended_at,
                    cancelled_at,
                },
                PayoutType::Refund,
            ),
            Reversal::ChargeBack => (
                Life::ChargedBack {
                    ended_at,
                    cancelled_at,
                },
                PayoutType::Loss,
            ),
        };
        let seller = Subscription {
            life,
            updated_at: now,
            ..self.seller.clone()
        };
        let data = event_data(
            &seller,
            json!({"reason": reversal, "endedAt": ended_at, "amount": seller.amount().negated()}),
        );
        let payout = payout_of(&seller, payout_type, ids, now);
        self.change(seller, payout, EventType::SubscriptionRefunded, data)
    }

    fn may_change(&self) -> Result<(), SubscriptionError> {
        match (self.seller.role, self.seller.managed_by()) {
            (Role::Source, _) => Err(SubscriptionError::ReadOnly),
            (_, ManagedBy::External) => Err(SubscriptionError::ExternallyManaged),
            (_, ManagedBy::Tandem) => Ok(()),
        }
    }

    fn ended(&self) -> SubscriptionError {
        SubscriptionError::Ended {
            status: self.seller.status().as_str(),
        }
    }

    fn change(
        self,
        seller: Subscription,
        payout: Option<Payout>,
        event: EventType,
        data: Value,
    ) -> SubscriptionChange {
        let announcement = seller
            .cross_client
            .as_ref()
            .filter(|link| link.between_companies)
            .map(|link| announce(&seller, link, event, data));
        let source = self.source.map(|source| source.following(&seller));
        SubscriptionChange {
            rows: Rows { seller, source },
            payout,
            announcement,
        }
    }
}

/// The payout row of the last paid period; `None` if the seller sold its own offer.
fn payout_of(
    seller: &Subscription,
    payout_type: PayoutType,
    ids: &mut dyn IdSource,
    now: Timestamp,
) -> Option<Payout> {
    let link = seller.cross_client.as_ref()?;
    // Only a source's row can lack a customer, and this is the seller's.
    let customer_id = seller.customer_id?;
    Some(payout_row(seller, link, customer_id, payout_type, ids, now))
}

fn event_data(seller: &Subscription, details: Value) -> Value {
    let mut data = json!({
        "connectionId": seller.cross_client.as_ref().map(|link| link.connection_id),
        "order": {"id": seller.order_id},
        "subscription": subscription_data(seller),
        "offer": offer_data(seller),
    });
    if let (Some(data), Value::Object(details)) = (data.as_object_mut(), details) {
        data.extend(details);
    }
    data
}
