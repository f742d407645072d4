//! Money of a paid period goes back, in whole or in part, as often as something is left.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    MAX_UNPAID, Movement, Rows, SubscriptionChange, SubscriptionError, amount_from, event_data,
    share_of, within,
};
use crate::IdSource;
use crate::callback::EventType;
use crate::input::{Object, Parsed, boolean};
use crate::money::Money;
use crate::order::Reversal;
use crate::paid_period::PaidPeriod;
use crate::payout::PayoutType;
use crate::subscription::{Life, Subscription};

/// How money of a period goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReverseRequest {
    pub kind: Reversal,
    /// All that is left, if absent.
    pub amount: Option<Money>,
    /// Whether the subscription ends with it.
    pub ends: bool,
}

impl ReverseRequest {
    /// Reads `{kind, amount?, endSubscription?}`.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let kind = object.required("kind", Reversal::parse);
        let (amount, ends) = read_options(&mut object);
        object.finish(|| {
            Some(Self {
                kind: kind?,
                amount,
                ends: ends.unwrap_or(false),
            })
        })
    }
}

/// Reads `amount` and `endSubscription`.
pub(crate) fn read_options(object: &mut Object<'_>) -> (Option<Money>, Option<bool>) {
    let amount = object.optional("amount", amount_from(1));
    (amount, object.optional("endSubscription", boolean))
}

impl Rows {
    /// Reverses a paid period, or a part of it. `stored` is the period's row, if it has one.
    pub fn reverse(
        self,
        request: &ReverseRequest,
        number: u32,
        stored: Option<PaidPeriod>,
        now: Timestamp,
        ids: &mut dyn IdSource,
    ) -> Result<SubscriptionChange, SubscriptionError> {
        self.may_change()?;
        if !(1..=self.seller.periods_paid).contains(&number) {
            return Err(SubscriptionError::NoSuchPeriod { number });
        }
        let period = self.period(number, stored);
        let left = period.left();
        if left.amount == 0 {
            return Err(SubscriptionError::NothingLeft { number });
        }
        let back = self.in_its_currency(request.amount.unwrap_or(left))?;
        let least = Money { amount: 1, ..back };
        within(back, (least, left), "no more is left of this payment")?;
        self.take_back(request, period, back, now, ids)
    }

    /// Takes money of a period back; access that has ended keeps its end. A subscription that a reversal ended before stays as
    /// it is.
    pub(super) fn take_back(
        self,
        request: &ReverseRequest,
        mut period: PaidPeriod,
        back: Money,
        now: Timestamp,
        ids: &mut dyn IdSource,
    ) -> Result<SubscriptionChange, SubscriptionError> {
        let moved = period.reverse(back, share_of(&self.seller));
        let ends = request.ends && !self.seller.life.is_reversed();
        let mut seller = Subscription {
            updated_at: now,
            ..self.seller.clone()
        };
        if ends {
            seller.life = self.life_ended_by(request.kind, period.number, now);
        }
        seller.note_unpaid(period.number, period.is_unpaid(), now);
        if seller.unpaid.len() > MAX_UNPAID {
            return Err(SubscriptionError::TooManyUnpaid);
        }
        let mut details = json!({
            "reason": request.kind,
            "periodNumber": period.number,
            "amount": moved.gross,
        });
        let event = if ends {
            details["endedAt"] = json!(seller.life.ends_at());
            EventType::SubscriptionRefunded
        } else {
            details["left"] = json!(period.left());
            details["status"] = json!(seller.status(now));
            details["accessEndsAt"] = json!(seller.lapses_at(now));
            EventType::SubscriptionPaymentReversed
        };
        let movement = Movement {
            period,
            payout_type: match request.kind {
                Reversal::Refund => PayoutType::Refund,
                Reversal::ChargeBack => PayoutType::Loss,
            },
            moved,
        };
        let data = event_data(&seller, details);
        Ok(self.change(seller, event, data).with(movement, ids, now))
    }

    fn life_ended_by(&self, kind: Reversal, number: u32, now: Timestamp) -> Life {
        let ended_at = self.seller.access_ends_at().map_or(now, |end| end.min(now));
        let cancelled_at = self.seller.life.cancelled_at();
        let reversed_period = (number != self.seller.periods_paid).then_some(number);
        match kind {
            Reversal::Refund => Life::Refunded {
                ended_at,
                cancelled_at,
                reversed_period,
            },
            Reversal::ChargeBack => Life::ChargedBack {
                ended_at,
                cancelled_at,
                reversed_period,
            },
        }
    }
}
