//! Instants from other systems: RFC 3339 in UTC, so that nobody has to guess a time zone.

use jiff::Timestamp;
use serde_json::Value;

use crate::input::{FieldErrors, Parsed, string};

/// Reads an instant such as `2026-11-21T12:00:00Z`, truncated to milliseconds. The error explains the correction.
pub fn instant(value: &Value) -> Parsed<Timestamp> {
    let text = string(value)?;
    let example = "expected an instant in UTC such as 2026-11-21T12:00:00Z";
    let Some((date, rest)) = text.split_once('T').filter(|(date, _)| is_date(date)) else {
        if is_date(text) {
            return Err(FieldErrors::one(
                "no_time",
                format!("a date alone is not an instant; write {text}T00:00:00Z"),
            ));
        }
        return Err(FieldErrors::one("invalid_date", example));
    };
    let time = rest.trim_end_matches('Z');
    if is_time(time) && rest.len() == time.len() {
        let detail = format!(
            "a local time is not an instant; convert it to UTC and write it like {date}T{rest}Z"
        );
        return Err(FieldErrors::one("no_offset", detail));
    }
    let Ok(instant) = text.parse::<Timestamp>() else {
        return Err(FieldErrors::one("invalid_date", example));
    };
    if is_time(time) && rest.len() == time.len() + 1 {
        let millis = jiff::TimestampRound::new()
            .smallest(jiff::Unit::Millisecond)
            .mode(jiff::RoundMode::Floor);
        return Ok(instant.round(millis).unwrap_or(instant));
    }
    Err(FieldErrors::one(
        "not_utc",
        format!("write it in UTC: {instant}"),
    ))
}

/// `dddd-dd-dd`.
fn is_date(text: &str) -> bool {
    has_form(text, "0000-00-00")
}

/// `dd:dd:dd`, with one to nine decimals of a second.
fn is_time(text: &str) -> bool {
    let (time, decimals) = text.split_once('.').unwrap_or((text, "0"));
    has_form(time, "00:00:00")
        && (1..=9).contains(&decimals.len())
        && decimals.bytes().all(|b| b.is_ascii_digit())
}

fn has_form(text: &str, form: &str) -> bool {
    let fits = |(a, b): (u8, u8)| {
        if b == b'0' {
            a.is_ascii_digit()
        } else {
            a == b
        }
    };
    text.len() == form.len() && text.bytes().zip(form.bytes()).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn instants_in_utc_are_read_to_the_millisecond() {
        for (text, read) in [
            ("2026-11-21T12:00:00Z", "2026-11-21T12:00:00Z"),
            ("2026-11-21T12:00:00.5Z", "2026-11-21T12:00:00.5Z"),
            ("2026-11-21T12:00:00.123456789Z", "2026-11-21T12:00:00.123Z"),
        ] {
            assert_eq!(instant(&json!(text)).expect(text).to_string(), read);
        }
    }

    #[test]
    fn other_forms_are_refused_with_a_correction() {
        for (text, code) in [
            ("2026-11-21", "no_time"),
            ("2026-11-21T12:00:00", "no_offset"),
            ("2026-11-21T12:00:00.25", "no_offset"),
            ("2026-11-21T12:00:00+02:00", "not_utc"),
            ("2026-11-21T12:00:00+00:00", "not_utc"),
            ("2026-11-21 12:00:00Z", "invalid_date"),
            ("2026-02-30T12:00:00Z", "invalid_date"),
            ("2026-11-21T25:00:00Z", "invalid_date"),
            ("2026-11-21T12:00:00ZZ", "invalid_date"),
            ("2026-11-21T12:00:00Z[Europe/Berlin]", "not_utc"),
            ("21.11.2026", "invalid_date"),
            ("", "invalid_date"),
            ("T", "invalid_date"),
        ] {
            assert_eq!(
                instant(&json!(text)).expect_err(text).0[0].code,
                code,
                "{text}"
            );
        }
        let errors = instant(&json!("2026-11-21T12:00:00+02:00")).expect_err("not UTC");
        assert_eq!(errors.0[0].detail, "write it in UTC: 2026-11-21T10:00:00Z");
    }
}
