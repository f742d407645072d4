//! Periods whose payment went back. While such a period is the current one, the subscription is past due.
//!
//! The current period is the one that covers the time, or the last paid one once that is over: a reversal of a later period,
//! paid ahead, takes effect when that period begins.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Subscription;

/// A period of which nothing is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnpaidPeriod {
    /// Counted from 1.
    pub number: u32,
    pub reversed_at: Timestamp,
}

impl Subscription {
    /// Since when the current period of a running subscription is unpaid, because its payment went back.
    pub fn past_due_since(&self, now: Timestamp) -> Option<Timestamp> {
        if !self.is_running(now) {
            return None;
        }
        self.lapses(now).min().filter(|since| *since <= now)
    }

    /// The end of the access as things are: by the end of the subscription, or by a period that is or will be past due.
    pub fn lapses_at(&self, now: Timestamp) -> Option<Timestamp> {
        let past_due = self.lapses(now).min().map(|since| self.end_of_grace(since));
        [self.access_ends_at(), past_due]
            .into_iter()
            .flatten()
            .min()
    }

    /// When each unpaid period is the current one, unless it is over.
    fn lapses(&self, now: Timestamp) -> impl Iterator<Item = Timestamp> {
        let unpaid = self.unpaid.iter();
        unpaid
            .filter(move |unpaid| self.matters(unpaid.number, now))
            .map(|unpaid| unpaid.reversed_at.max(self.start_of(unpaid.number)))
    }

    /// Whether a period is or will be the current one.
    fn matters(&self, number: u32, now: Timestamp) -> bool {
        number == self.periods_paid || self.end_of(number) > now
    }

    pub(super) fn end_of_grace(&self, since: Timestamp) -> Timestamp {
        let grace = SignedDuration::from_hours(24 * i64::from(self.rules.grace_days));
        since.checked_add(grace).unwrap_or(Timestamp::MAX)
    }

    /// The unpaid periods that are, or will be, the current one.
    pub fn unpaid_at(&self, now: Timestamp) -> impl Iterator<Item = u32> {
        let numbers = self.unpaid.iter().map(|unpaid| unpaid.number);
        numbers.filter(move |number| self.matters(*number, now))
    }

    /// Adds or removes a period, and drops those that no longer matter.
    pub(crate) fn note_unpaid(&mut self, number: u32, is_unpaid: bool, now: Timestamp) {
        let mut unpaid = std::mem::take(&mut self.unpaid);
        unpaid.retain(|unpaid| unpaid.number != number);
        if is_unpaid {
            unpaid.push(UnpaidPeriod {
                number,
                reversed_at: now,
            });
        }
        unpaid.retain(|unpaid| !self.life.is_reversed() && self.matters(unpaid.number, now));
        unpaid.sort_unstable_by_key(|unpaid| unpaid.number);
        self.unpaid = unpaid;
    }
}
