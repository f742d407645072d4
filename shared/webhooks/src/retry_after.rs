//! The header `Retry-After` (RFC 9110, 10.2.3): a number of seconds, or a date.

use std::time::{Duration, UNIX_EPOCH};

use jiff::SignedDuration;

/// Returns the requested wait; `now` is in seconds since 1970. `None` if the value is invalid. A date in the past is a wait
/// of zero. The caller limits the wait.
pub fn parse(value: &str, now: i64) -> Option<SignedDuration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Digits fail to parse only if the number is too large.
        return Some(SignedDuration::from_secs(
            value.parse::<u32>().unwrap_or(u32::MAX).into(),
        ));
    }
    let date = httpdate::parse_http_date(value)
        .ok()?
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    let seconds = i64::try_from(date.as_secs()).ok()?.saturating_sub(now);
    Some(SignedDuration::from_secs(seconds.max(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(value: &str) -> Option<i64> {
        let noon: jiff::Timestamp = "2026-11-21T12:00:00Z".parse().expect("valid");
        parse(value, noon.as_second()).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_are_read() {
        assert_eq!(seconds("0"), Some(0));
        assert_eq!(seconds(" 120 "), Some(120));
        assert_eq!(
            seconds("99999999999999999999999"),
            Some(i64::from(u32::MAX))
        );
    }

    #[test]
    fn dates_are_read_in_all_three_forms_of_http() {
        assert_eq!(seconds("Sat, 21 Nov 2026 12:01:00 GMT"), Some(60));
        assert_eq!(seconds("Saturday, 21-Nov-26 12:01:00 GMT"), Some(60));
        assert_eq!(seconds("Sat Nov 21 12:01:00 2026"), Some(60));
    }

    #[test]
    fn a_date_in_the_past_is_a_wait_of_zero() {
        assert_eq!(seconds("Sat, 21 Nov 2026 11:00:00 GMT"), Some(0));
        assert_eq!(seconds("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
    }

    #[test]
    fn anything_else_is_invalid() {
        for value in [
            "",
            "soon",
            "-1",
            "1.5",
            "+5",
            "Sat, 32 Nov 2026 12:01:00 GMT",
            "2026-11-21T12:01:00Z",
            "１２",
        ] {
            assert_eq!(seconds(value), None, "{value}");
        }
    }
}
