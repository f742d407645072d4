//! The result of an attempt.

use std::time::Duration;

use hyper::StatusCode;
use hyper::header::RETRY_AFTER;
use tandem_domain::callback::{KEPT_ANSWER, Outcome};

use crate::exchange::Answered;
use crate::failure::Failure;
use crate::retry_after;

/// The outcome of an attempt, and the fields of its log entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Of the whole exchange.
    pub duration: Duration,
    pub outcome: Outcome,
    /// `None` if there was no answer.
    pub status_code: Option<u16>,
    /// For people, if there was no valid answer. Contains no secret and no part of the body.
    pub error: Option<String>,
    /// The first 4 KB as text; invalid UTF-8 is replaced.
    pub answer: Option<String>,
}

impl Reply {
    /// A failed attempt without a request. `error` is for people and goes to the log.
    pub fn not_sent(error: impl Into<String>) -> Self {
        let outcome = Outcome::Failed { retry_after: None };
        Self {
            duration: Duration::ZERO,
            outcome,
            status_code: None,
            error: Some(error.into()),
            answer: None,
        }
    }

    pub(crate) fn without_answer(failure: &Failure, duration: Duration) -> Self {
        Self {
            duration,
            ..Self::not_sent(failure.to_string())
        }
    }

    /// The status decides, even if the body was cut off.
    pub(crate) fn from_answer(answered: Answered, sent_at: i64, duration: Duration) -> Self {
        let Answered {
            status,
            headers,
            body: (body, cut_off),
        } = answered;
        let outcome = match status {
            _ if status.is_success() => Outcome::Accepted,
            StatusCode::GONE => Outcome::Gone,
            _ => {
                let mut values = headers.get_all(RETRY_AFTER).iter();
                Outcome::Failed {
                    retry_after: values
                        .find_map(|value| retry_after::parse(value.to_str().ok()?, sent_at)),
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

/// The first 4 KB as text. A replaced octet takes three, so the text is cut again, between characters.
fn kept(body: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(&body[..body.len().min(KEPT_ANSWER)]).into_owned();
    text.truncate(text.floor_char_boundary(KEPT_ANSWER));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_4_kb_are_kept_of_any_octets() {
        assert_eq!(kept(b"fine"), "fine");
        assert_eq!(kept(&[b'a'; 5_000]).len(), 4_096);
        assert!(kept(&[0xff; 5_000]).len() <= 4_096);
        assert!(kept("ä".repeat(5_000).as_bytes()).starts_with('ä'));
    }
}
