//! A limit on invitations: per hour of a client.
//!
//! Each invitation is an unsolicited mail. Declined and withdrawn ones count too, because inviting the same client again
//! sends another mail.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::ClientId;
use crate::window::Window;

pub const PER_HOUR: u32 = 20;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The invitations of a source client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invitations {
    pub client_id: ClientId,
    hour: Window,
    pub version: u64,
}

impl Invitations {
    pub fn first(client_id: ClientId, now: Timestamp) -> Self {
        Self {
            client_id,
            hour: Window::opened(now),
            version: 1,
        }
    }

    /// Counts another invitation.
    pub fn count(self, now: Timestamp) -> Self {
        Self {
            hour: self.hour.count(HOUR, now),
            ..self
        }
    }

    /// How long the client has to wait; `None` if it may invite now.
    pub fn wait(&self, now: Timestamp) -> Option<SignedDuration> {
        self.hour.wait(HOUR, PER_HOUR, now)
    }

    /// When the row may be deleted.
    pub fn expires_at(&self) -> Timestamp {
        self.hour.end(HOUR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    fn invitations(times: impl IntoIterator<Item = i64>) -> Invitations {
        let mut times = times.into_iter();
        let first = Invitations::first(
            ClientId::from(uuid::Uuid::nil()),
            at(times.next().expect("at least one")),
        );
        times.fold(first, |invitations, time| invitations.count(at(time)))
    }

    #[test]
    fn the_21st_invitation_of_an_hour_waits_for_its_end() {
        assert_eq!(invitations(0..19).wait(at(19)), None);
        assert_eq!(
            invitations(0..20).wait(at(20)),
            Some(SignedDuration::from_secs(3_580))
        );
        assert_eq!(invitations(0..20).wait(at(3_600)), None);
    }

    #[test]
    fn a_new_hour_counts_from_zero() {
        let next = invitations((0..20).chain([3_600]));
        assert_eq!((next.wait(at(3_601)), next.expires_at()), (None, at(7_200)));
    }
}
