//! Limits on the callbacks that a client requests: test events and replays. All clients share one queue, and no client may
//! fill it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::ClientId;
use crate::window::Window;

pub const TESTS_PER_MINUTE: u32 = 10;
/// Callbacks that are replayed one by one or by a list of ids; the rate of a job.
pub const REPLAYS_PER_MINUTE: u32 = 300;
pub const JOBS_PER_HOUR: u32 = 10;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A request for callbacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallbackRequest {
    Test,
    /// Of this number of callbacks.
    Replays(u32),
    /// A job that replays all waiting callbacks.
    Job,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "at most {TESTS_PER_MINUTE} test events and {REPLAYS_PER_MINUTE} replayed callbacks a minute, and {JOBS_PER_HOUR} replays of all an hour"
)]
pub struct TooManyCallbacks {
    /// Until the request fits.
    pub wait: SignedDuration,
}

/// The requests of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestedCallbacks {
    pub client_id: ClientId,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    tests: Option<Window>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    replays: Option<Window>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    jobs: Option<Window>,
    pub version: u64,
}

impl RequestedCallbacks {
    pub fn none(client_id: ClientId) -> Self {
        Self {
            client_id,
            tests: None,
            replays: None,
            jobs: None,
            version: 1,
        }
    }

    /// Counts another request.
    ///
    /// # Errors
    /// The client has to wait.
    pub fn count(
        mut self,
        request: CallbackRequest,
        now: Timestamp,
    ) -> Result<Self, TooManyCallbacks> {
        let (window, number, most, length) = match request {
            CallbackRequest::Test => (&mut self.tests, 1, TESTS_PER_MINUTE, MINUTE),
            CallbackRequest::Replays(number) => {
                (&mut self.replays, number, REPLAYS_PER_MINUTE, MINUTE)
            }
            CallbackRequest::Job => (&mut self.jobs, 1, JOBS_PER_HOUR, HOUR),
        };
        match Window::take(*window, number, (most, length), now) {
            Ok(taken) => *window = Some(taken),
            Err(wait) => return Err(TooManyCallbacks { wait }),
        }
        Ok(self)
    }

    /// When the row may be deleted.
    pub fn expires_at(&self) -> Timestamp {
        let ends = [
            (self.tests, MINUTE),
            (self.replays, MINUTE),
            (self.jobs, HOUR),
        ];
        let ends = ends
            .into_iter()
            .filter_map(|(window, length)| Some(window?.end(length)));
        ends.max().unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    fn none() -> RequestedCallbacks {
        RequestedCallbacks::none(ClientId::from(uuid::Uuid::nil()))
    }

    /// Requests as often as possible; returns the number and the wait after it.
    fn until_full(request: CallbackRequest, now: Timestamp) -> (u32, i64, RequestedCallbacks) {
        let (mut requested, mut count) = (none(), 0);
        loop {
            match requested.clone().count(request, now) {
                Ok(next) => requested = next,
                Err(refusal) => return (count, refusal.wait.as_secs(), requested),
            }
            count += 1;
        }
    }

    #[test]
    fn each_kind_of_request_has_its_limit() {
        for (request, most, wait) in [
            (CallbackRequest::Test, 10, 60),
            (CallbackRequest::Replays(1), 300, 60),
            (CallbackRequest::Replays(49), 6, 60),
            (CallbackRequest::Job, 10, 3_600),
        ] {
            let (count, waited, full) = until_full(request, at(0));
            assert_eq!((count, waited), (most, wait), "{request:?}");
            assert!(full.clone().count(request, at(wait - 1)).is_err());
            assert!(full.clone().count(request, at(wait)).is_ok());
            assert_eq!(full.expires_at(), at(wait));
        }
    }

    #[test]
    fn the_kinds_are_counted_apart() {
        let (.., full) = until_full(CallbackRequest::Test, at(0));
        let full = full.count(CallbackRequest::Job, at(1)).expect("a job");
        assert_eq!(full.expires_at(), at(3_601));
        assert!(full.count(CallbackRequest::Replays(49), at(1)).is_ok());
    }
}
