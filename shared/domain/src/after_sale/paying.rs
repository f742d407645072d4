//! The next period is paid, or a period of which money went back is paid again.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Movement, Rows, SubscriptionChange, SubscriptionError, amount_from, event_data, share_of,
    within,
};
use crate::IdSource;
use crate::callback::EventType;
use crate::input::{Object, Parsed, integer};
use crate::money::Money;
use crate::paid_period::{Moved, PaidPeriod};
use crate::payment_method::PaymentMethod;
use crate::payout::PayoutType;
use crate::subscription::{Life, Subscription};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRequest {
    payment_method: Option<PaymentMethod>,
    period_number: Option<u32>,
    amount: Option<Money>,
}

impl PaymentRequest {
    /// Reads `{periodNumber?, paymentMethod?, amount?}`. With `periodNumber`, a repeated payment is refused, however late it
    /// comes. `amount` is the amount really paid, if it differs from the terms.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let payment_method = object.optional("paymentMethod", PaymentMethod::parse);
        let period_number = object.optional("periodNumber", integer(1..=i64::from(u32::MAX)));
        let amount = object.optional("amount", amount_from(0));
        object.finish(|| {
            Some(Self {
                payment_method,
                period_number: period_number.and_then(|n| u32::try_from(n).ok()),
                amount,
            })
        })
    }

    pub fn period_number(&self) -> Option<u32> {
        self.period_number
    }
}

impl Rows {
    /// Whether the request pays a period again: it names one of which money went back.
    pub fn pays_again(&self, request: &PaymentRequest, stored: Option<&PaidPeriod>) -> bool {
        let paid = 1..=self.seller.periods_paid;
        let number = request.period_number.filter(|number| paid.contains(number));
        number.is_some_and(|number| self.period(number, stored.cloned()).reversed.amount > 0)
    }

    /// Records the payment of the next period, or the new payment of a period of which money went back. `stored` is the row of
    /// the named period, if it has one.
    pub fn renew(
        self,
        request: &PaymentRequest,
        stored: Option<PaidPeriod>,
        now: Timestamp,
        ids: &mut dyn IdSource,
    ) -> Result<SubscriptionChange, SubscriptionError> {
        self.may_change()?;
        if let Some(number) = request.period_number
            && self.pays_again(request, stored.as_ref())
        {
            let period = self.period(number, stored);
            return self.pay_again(period, request, now, ids);
        }
        let next = self.next_period(request, now)?;
        let row = &self.seller;
        let mut seller = Subscription {
            periods_paid: next,
            paid_until: row.end_of(next),
            payment_method: request.payment_method.unwrap_or(row.payment_method),
            updated_at: now,
            ..self.seller.clone()
        };
        seller.note_unpaid(next, false, now);
        let mut period = seller.plain_period(next);
        let amount = self.agreed(request.amount.unwrap_or(period.amount))?;
        let movement = Movement {
            payout_type: PayoutType::Payment,
            moved: period.replace(amount, share_of(&seller)),
            period,
        };
        let details = json!({"amount": amount, "paymentMethod": seller.payment_method});
        let data = event_data(&seller, details);
        let change = self.change(seller, EventType::SubscriptionRenewed, data);
        Ok(change.with(movement, ids, now))
    }

    /// The number of the next period, if it can be paid.
    fn next_period(
        &self,
        request: &PaymentRequest,
        now: Timestamp,
    ) -> Result<u32, SubscriptionError> {
        let row = &self.seller;
        if !row.renews {
            return Err(SubscriptionError::DoesNotRenew);
        }
        match row.life {
            Life::Active => {}
            Life::Cancelled { ends_at, .. } if ends_at > row.paid_until => {}
            _ => return Err(self.ended(now)),
        }
        let next = row.periods_paid.saturating_add(1);
        match (request.period_number, row.unpaid_at(now).next()) {
            (Some(number), _) if number != next => Err(SubscriptionError::OtherPeriod { next }),
            (None, Some(unpaid)) => Err(SubscriptionError::PastDue { unpaid, next }),
            _ => Ok(next),
        }
    }

    fn pay_again(
        self,
        mut period: PaidPeriod,
        request: &PaymentRequest,
        now: Timestamp,
        ids: &mut dyn IdSource,
    ) -> Result<SubscriptionChange, SubscriptionError> {
        let moved = self.paid_again(&mut period, request.amount)?;
        let mut seller = Subscription {
            payment_method: request.payment_method.unwrap_or(self.seller.payment_method),
            updated_at: now,
            ..self.seller.clone()
        };
        seller.note_unpaid(period.number, false, now);
        let details = json!({
            "periodNumber": period.number,
            "amount": moved.gross,
            "paymentMethod": seller.payment_method,
            "status": seller.status(now),
            "accessEndsAt": seller.lapses_at(now),
        });
        let movement = Movement {
            period,
            payout_type: PayoutType::Payment,
            moved,
        };
        let data = event_data(&seller, details);
        let change = self.change(seller, EventType::SubscriptionPaidAgain, data);
        Ok(change.with(movement, ids, now))
    }

    /// The money that comes again: a new payment if nothing was left, else at most the part that went back.
    fn paid_again(
        &self,
        period: &mut PaidPeriod,
        amount: Option<Money>,
    ) -> Result<Moved, SubscriptionError> {
        let share = share_of(&self.seller);
        if period.is_unpaid() {
            let amount = match amount {
                Some(amount) => self.agreed(amount)?,
                None => period.amount,
            };
            return Ok(period.replace(amount, share));
        }
        let again = self.in_its_currency(amount.unwrap_or(period.reversed))?;
        let least = Money { amount: 1, ..again };
        let reason = "no more went back of this period";
        within(again, (least, period.reversed), reason)?;
        Ok(period.restore(again, share))
    }

    /// An amount that the offer's rules allow.
    fn agreed(&self, amount: Money) -> Result<Money, SubscriptionError> {
        let amount = self.in_its_currency(amount)?;
        let terms = self.seller.amount();
        if let Some(range) = self.seller.rules.range(terms) {
            within(amount, range, "the offer's renewalAmountTolerancePercent")?;
        }
        Ok(amount)
    }
}
