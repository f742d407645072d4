//! A subscription ends at a date. Until then the end can be moved, or the cancellation undone.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Rows, SubscriptionChange, SubscriptionError, event_data, only_one};
use crate::callback::EventType;
use crate::input::{FieldErrors, Object, Parsed};
use crate::instant::end;
use crate::subscription::{Life, Subscription};

/// A date this long ago is "now" by the caller's clock.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Now,
    /// The end of the last paid period.
    OfPeriod,
    At {
        time: Timestamp,
        member: &'static str,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CancelRequest {
    end: End,
}

impl CancelRequest {
    /// Reads `{at?: "now" | "endOfPeriod" | time}`, or `{endsAt?: time}`. Absent means the end of the last paid period.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let at = object.optional("at", end_by_word);
        let ends_at = object.optional("endsAt", |value| time_of_end(value, "endsAt"));
        if at.is_some() && ends_at.is_some() {
            object.note(only_one("endsAt", "at"));
        }
        let end = at.or(ends_at).unwrap_or(End::OfPeriod);
        object.finish(|| Some(Self { end }))
    }
}

fn end_by_word(value: &Value) -> Parsed<End> {
    match value.as_str() {
        Some("now") => Ok(End::Now),
        Some("endOfPeriod") => Ok(End::OfPeriod),
        _ => time_of_end(value, "at"),
    }
}

fn time_of_end(value: &Value, member: &'static str) -> Parsed<End> {
    let time = end(value)?.ok_or_else(|| {
        let detail = "a cancellation has an end; a subscription without one is not cancelled";
        FieldErrors::one("out_of_range", detail)
    })?;
    Ok(End::At { time, member })
}

impl Rows {
    /// Cancels the subscription at a date, or moves the date of a cancellation that has not taken effect. `None` if it has this
    /// end already.
    pub fn cancel(
        self,
        request: &CancelRequest,
        now: Timestamp,
    ) -> Result<Option<SubscriptionChange>, SubscriptionError> {
        self.may_change()?;
        match self.seller.life {
            Life::Active if self.seller.is_running(now) => {}
            Life::Active => return Err(SubscriptionError::Expired),
            Life::Cancelled { ends_at, .. } if ends_at > now => {}
            _ => return Err(self.ended(now)),
        }
        let ends_at = match request.end {
            End::Now => now,
            End::OfPeriod => self.seller.paid_until.max(now),
            End::At { time, .. } if time >= now => time,
            End::At { time, .. } if now.duration_since(time) <= CLOCKS_DIFFER => now,
            End::At { member, .. } => return Err(SubscriptionError::EndsInThePast { member }),
        };
        if self.seller.life.ends_at() == Some(ends_at) {
            return Ok(None);
        }
        let life = Life::Cancelled {
            cancelled_at: now,
            ends_at,
        };
        let details = json!({"cancelledAt": now, "endsAt": ends_at});
        let event = EventType::SubscriptionCancelled;
        Ok(Some(self.with_life(life, event, details, now)))
    }

    /// Takes a cancellation back that has not taken effect.
    pub fn undo_cancellation(
        self,
        now: Timestamp,
    ) -> Result<SubscriptionChange, SubscriptionError> {
        self.may_change()?;
        let (cancelled_at, ends_at) = match self.seller.life {
            Life::Active => return Err(SubscriptionError::NotCancelled),
            Life::Cancelled {
                cancelled_at,
                ends_at,
            } if ends_at > now => (cancelled_at, ends_at),
            _ => return Err(self.ended(now)),
        };
        let details = json!({
            "cancelledAt": null,
            "endsAt": null,
            "undone": {"cancelledAt": cancelled_at, "endsAt": ends_at},
        });
        let event = EventType::SubscriptionCancellationUndone;
        Ok(self.with_life(Life::Active, event, details, now))
    }

    fn with_life(
        self,
        life: Life,
        event: EventType,
        details: Value,
        now: Timestamp,
    ) -> SubscriptionChange {
        let seller = Subscription {
            life,
            updated_at: now,
            ..self.seller.clone()
        };
        let data = event_data(&seller, details);
        self.change(seller, event, data)
    }
}
