//! A limit on wrong voucher codes: per minute and per day of a client.
//!
//! A code has 100 random bits, so nobody guesses one at this rate. The limit stops broken or hostile programs.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::ClientId;
use crate::window::Window;

pub const PER_MINUTE: u32 = 10;
pub const PER_DAY: u32 = 100;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The wrong codes of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VoucherGuesses {
    pub client_id: ClientId,
    minute: Window,
    day: Window,
    pub version: u64,
}

impl VoucherGuesses {
    pub fn first(client_id: ClientId, now: Timestamp) -> Self {
        let window = Window::opened(now);
        Self {
            client_id,
            minute: window,
            day: window,
            version: 1,
        }
    }

    /// Counts another wrong code.
    pub fn count(self, now: Timestamp) -> Self {
        Self {
            minute: self.minute.count(MINUTE, now),
            day: self.day.count(DAY, now),
            ..self
        }
    }

    /// How long the client has to wait; `None` if it may try now.
    pub fn wait(&self, now: Timestamp) -> Option<SignedDuration> {
        self.minute
            .wait(MINUTE, PER_MINUTE, now)
            .max(self.day.wait(DAY, PER_DAY, now))
    }

    /// When the row may be deleted.
    pub fn expires_at(&self) -> Timestamp {
        self.day.end(DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    fn guesses(times: impl IntoIterator<Item = i64>) -> VoucherGuesses {
        let mut times = times.into_iter();
        let first = VoucherGuesses::first(
            ClientId::from(uuid::Uuid::nil()),
            at(times.next().expect("at least one")),
        );
        times.fold(first, |guesses, time| guesses.count(at(time)))
    }

    #[test]
    fn the_eleventh_code_of_a_minute_waits_for_its_end() {
        assert_eq!(guesses(0..9).wait(at(9)), None);
        assert_eq!(
            guesses(0..10).wait(at(10)),
            Some(SignedDuration::from_secs(50))
        );
        assert_eq!(guesses(0..10).wait(at(60)), None);
    }

    #[test]
    fn a_new_minute_counts_from_zero() {
        assert_eq!(guesses((0..10).chain([60])).wait(at(61)), None);
    }

    #[test]
    fn after_a_hundred_wrong_codes_a_client_waits_for_the_day() {
        let spread = guesses((0..100).map(|number| number * 60));
        assert_eq!(
            spread.wait(at(99 * 60)),
            Some(DAY - SignedDuration::from_mins(99))
        );
        assert_eq!(spread.wait(at(24 * 3_600)), None);
    }
}
