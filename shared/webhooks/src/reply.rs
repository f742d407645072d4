//! What came of an attempt.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use tandem_domain::callback::{KEPT_ANSWER, Outcome};

use crate::failure::Failure;
use crate::retry_after;

/// What came of an attempt: the outcome, and what its log is to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// How long the whole exchange took.
    pub duration: Duration,
    /// What it means for the callback.
    pub outcome: Outcome,
    /// The HTTP status, if there was an answer.
    pub status_code: Option<u16>,
    /// What went wrong, for people, if there was no proper answer. Holds no secret and nothing of the body.
    pub error: Option<String>,
    /// The first 4 KB of the answer as text; what is no UTF-8 is replaced.
    pub answer: Option<String>,
}

impl Reply {
    /// The callback could not even be sent; it counts as a failed attempt. `why` is for people and goes to the log.
    pub fn not_sent(why: impl Into<String>) -> Self {
        let outcome = Outcome::Failed { retry_after: None };
        Self {
            duration: Duration::ZERO,
            outcome,
            status_code: None,
            error: Some(why.into()),
            answer: None,
        }
    }

    /// There was no answer.
    pub(crate) fn without_answer(failure: &Failure, duration: Duration) -> Self {
        Self {
            duration,
            ..Self::not_sent(failure.to_string())
        }
    }

    /// There was an answer. Its status decides, even if its body was cut off: the receiver has spoken.
    pub(crate) fn of_answer(
        status: StatusCode,
        headers: &HeaderMap,
        (body, cut_off): (Vec<u8>, Option<Failure>),
        sent_at: i64,
        duration: Duration,
    ) -> Self {
        let outcome = match status {
            _ if status.is_success() => Outcome::Accepted,
            StatusCode::GONE => Outcome::Gone,
            _ => {
                let asked = headers
                    .get(RETRY_AFTER)
                    .and_then(|value| value.to_str().ok());
                Outcome::Failed {
                    retry_after: asked.and_then(|value| retry_after::parse(value, sent_at)),
                }
            }
        };
        let error = if status.is_redirection() {
            Some(Failure::Redirect)
        } else {
            cut_off
        };
        Self {
            duration,
            outcome,
            status_code: Some(status.as_u16()),
            error: error.map(|failure| failure.to_string()),
            answer: (!body.is_empty()).then(|| kept(&body)),
        }
    }
}

/// The first 4 KB as text. A replaced octet takes three, so that the text is cut once more, between characters.
fn kept(body: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(&body[..body.len().min(KEPT_ANSWER)]).into_owned();
    text.truncate(text.floor_char_boundary(KEPT_ANSWER));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_4_kb_are_kept_whatever_the_octets() {
        assert_eq!(kept(b"fine"), "fine");
        assert_eq!(kept(&[b'a'; 5_000]).len(), 4_096);
        assert!(kept(&[0xff; 5_000]).len() <= 4_096);
        assert!(kept("ä".repeat(5_000).as_bytes()).starts_with('ä'));
    }
}
