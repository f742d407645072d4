//! The one grammar of times: RFC 3339 with an offset, to the millisecond, from 1970 to 9998.
//!
//! Other systems write "no end" as the last day that their databases know, 31 December 9999, and "no value" as 1 January 0001.
//! [`end`] reads the former as no end; the latter is refused.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use serde_json::Value;

use crate::input::{FieldErrors, Parsed, string};

const EXAMPLE: &str = "2026-11-21T12:00:00Z or 2026-11-21T13:00:00+01:00";
pub(crate) const FIRST_YEAR: i16 = 1970;
pub(crate) const LAST_YEAR: i16 = 9998;
/// 9999-01-01T00:00:00Z in milliseconds since 1970.
const AFTER_LAST_YEAR: i64 = 253_370_764_800_000;
/// The earliest beginning of 31 December 9999, at the offset +14:00, in milliseconds since 1970.
const LAST_DAY: i64 = 253_402_164_000_000;

/// Reads an instant such as `2026-11-21T12:00:00Z`, cut off after milliseconds. The error explains the correction.
pub fn instant(value: &Value) -> Parsed<Timestamp> {
    Moment::parse(string(value)?)?.in_range()
}

/// Reads an optional end. 31 December 9999, with or without a time, means no end: `None`.
pub fn end(value: &Value) -> Parsed<Option<Timestamp>> {
    let text = string(value)?;
    if text == "9999-12-31" {
        return Ok(None);
    }
    let moment = Moment::parse(text)?;
    if moment.is_on_the_last_day() {
        Ok(None)
    } else {
        moment.in_range().map(Some)
    }
}

/// An instant of the years 0 to 9999, and of the hours around them that offsets reach.
struct Moment {
    /// As written, before the offset is applied.
    date: Date,
    /// Milliseconds since 1970.
    millis: i64,
}

impl Moment {
    fn parse(text: &str) -> Parsed<Self> {
        let (date, rest) = split_at(text, 10);
        let separated = rest.starts_with(['T', 't']);
        let (time, rest) = split_at(rest.get(1..).unwrap_or_default(), 8);
        if !(has_form(date, "0000-00-00") && separated && has_form(time, "00:00:00")) {
            return Err(if has_form(text, "0000-00-00") {
                let detail =
                    format!("a date alone is not an instant; write it like {text}T00:00:00Z");
                FieldErrors::one("no_time", detail)
            } else {
                invalid()
            });
        }
        let (decimals, offset) = decimals(rest).ok_or_else(invalid)?;
        if offset.is_empty() {
            let detail = format!(
                "a local time is not an instant; add its offset from UTC, like {text}Z or {text}+01:00"
            );
            return Err(FieldErrors::one("no_offset", detail));
        }
        let offset = offset_in_minutes(offset)?;
        let (date, time) = date_of(date).zip(time_of(time)).ok_or_else(invalid)?;
        let epoch = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
        let seconds = DateTime::from_parts(date, time).duration_since(epoch);
        Ok(Self {
            date,
            millis: (seconds.as_secs() - offset * 60) * 1_000 + millis_of(decimals),
        })
    }

    fn is_on_the_last_day(&self) -> bool {
        self.date == Date::constant(9999, 12, 31) || self.millis >= LAST_DAY
    }

    fn in_range(&self) -> Parsed<Timestamp> {
        let years = FIRST_YEAR..=LAST_YEAR;
        let fits = years.contains(&self.date.year()) && (0..AFTER_LAST_YEAR).contains(&self.millis);
        let instant = Timestamp::from_millisecond(self.millis);
        instant.ok().filter(|_| fits).ok_or_else(|| {
            FieldErrors::one(
                "out_of_range",
                format!(
                    "must be in the years {FIRST_YEAR} to {LAST_YEAR}; leave the field out if there is no value. Only an end may be 9999-12-31: no end"
                ),
            )
        })
    }
}

fn invalid() -> FieldErrors {
    FieldErrors::one(
        "invalid_date",
        format!("expected a time of RFC 3339 with its offset from UTC, such as {EXAMPLE}"),
    )
}

/// Splits after this many octets; the second part is empty if there are fewer or the place is within a character.
fn split_at(text: &str, octets: usize) -> (&str, &str) {
    text.split_at_checked(octets).unwrap_or((text, ""))
}

/// The decimals of a second, one to nine of them or none, and the text behind them.
fn decimals(text: &str) -> Option<(&str, &str)> {
    let Some(rest) = text.strip_prefix('.') else {
        return Some(("", text));
    };
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    (1..=9).contains(&length).then(|| rest.split_at(length))
}

fn millis_of(decimals: &str) -> i64 {
    let digits = decimals.bytes().chain([b'0'; 3]).take(3);
    digits.fold(0, |millis, digit| millis * 10 + i64::from(digit - b'0'))
}

/// `Z`, or `+hh:mm` of at most 23:59.
fn offset_in_minutes(text: &str) -> Parsed<i64> {
    if matches!(text, "Z" | "z") {
        return Ok(0);
    }
    let (sign, clock) = split_at(text, 1);
    let minutes = has_form(clock, "00:00")
        .then(|| Some((number(&clock[..2])?, number(&clock[3..])?)))
        .flatten()
        .filter(|(hours, minutes)| *hours < 24 && *minutes < 60)
        .map(|(hours, minutes)| i64::from(hours) * 60 + i64::from(minutes));
    match (sign, minutes) {
        ("+", Some(minutes)) => Ok(minutes),
        ("-", Some(minutes)) => Ok(-minutes),
        (" ", Some(_)) => Err(FieldErrors::one(
            "invalid_date",
            format!("write + as %2B in a URL; expected a time such as {EXAMPLE}"),
        )),
        _ => Err(invalid()),
    }
}

/// A date of the form `0000-00-00`; `None` if the calendar has no such day.
fn date_of(text: &str) -> Option<Date> {
    let year = text[..4].parse().ok()?;
    Date::new(year, number(&text[5..7])?, number(&text[8..])?).ok()
}

/// A time of the form `00:00:00`; `None` for hour 24 and second 60, which no clock of Tandem shows.
fn time_of(text: &str) -> Option<Time> {
    let (hour, minute, second) = (
        number(&text[..2])?,
        number(&text[3..5])?,
        number(&text[6..])?,
    );
    Time::new(hour, minute, second, 0).ok()
}

fn number(digits: &str) -> Option<i8> {
    digits.parse().ok()
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
    use jiff::tz::Offset;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn instants_are_read_to_the_millisecond() {
        for (text, read) in [
            ("2026-11-21T12:00:00Z", "2026-11-21T12:00:00Z"),
            ("2026-11-21t12:00:00z", "2026-11-21T12:00:00Z"),
            ("2026-11-21T12:00:00.5Z", "2026-11-21T12:00:00.5Z"),
            ("2026-11-21T12:00:00.1239999Z", "2026-11-21T12:00:00.123Z"),
            ("2026-11-21T12:00:00.123456789Z", "2026-11-21T12:00:00.123Z"),
            ("2026-11-21T12:00:00+02:00", "2026-11-21T10:00:00Z"),
            ("2026-11-21T12:00:00.25-05:30", "2026-11-21T17:30:00.25Z"),
            ("2026-11-21T12:00:00+00:00", "2026-11-21T12:00:00Z"),
            ("2026-11-21T12:00:00-00:00", "2026-11-21T12:00:00Z"),
            ("2026-12-31T23:30:00-23:59", "2027-01-01T23:29:00Z"),
            ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
            ("9998-12-31T23:59:59.999Z", "9998-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(instant(&json!(text)).expect(text).to_string(), read);
            assert_eq!(
                end(&json!(text)).expect(text).expect(text).to_string(),
                read
            );
        }
    }

    #[test]
    fn other_forms_are_refused_with_a_correction() {
        for (text, code) in [
            ("2026-11-21", "no_time"),
            ("2026-11-21T12:00:00", "no_offset"),
            ("2026-11-21T12:00:00.25", "no_offset"),
            ("2026-11-21 12:00:00Z", "invalid_date"),
            (" 2026-11-21T12:00:00Z", "invalid_date"),
            ("2026-02-30T12:00:00Z", "invalid_date"),
            ("2026-11-21T25:00:00Z", "invalid_date"),
            ("2026-11-21T24:00:00Z", "invalid_date"),
            ("2026-11-21T12:00:60Z", "invalid_date"),
            ("2026-11-21T12:00Z", "invalid_date"),
            ("2026-11-21T12:00:00ZZ", "invalid_date"),
            ("2026-11-21T12:00:00.Z", "invalid_date"),
            ("2026-11-21T12:00:00,5Z", "invalid_date"),
            ("2026-11-21T12:00:00.1234567890Z", "invalid_date"),
            ("2026-11-21T12:00:00+0200", "invalid_date"),
            ("2026-11-21T12:00:00+02", "invalid_date"),
            ("2026-11-21T12:00:00+24:00", "invalid_date"),
            ("2026-11-21T12:00:00+02:60", "invalid_date"),
            ("2026-11-21T12:00:00+02:00:00", "invalid_date"),
            ("2026-11-21T12:00:00\u{2212}02:00", "invalid_date"),
            ("2026-11-21T12:00:00Z[Europe/Berlin]", "invalid_date"),
            ("2026-11-21T12:00:00+01:00[Europe/Berlin]", "invalid_date"),
            ("20270101T000000Z", "invalid_date"),
            ("+002026-11-21T12:00:00Z", "invalid_date"),
            ("-2026-11-21T12:00:00Z", "invalid_date"),
            ("2026-W47-6T12:00:00Z", "invalid_date"),
            ("\u{0662}026-11-21T12:00:00Z", "invalid_date"),
            ("2026-11-2\u{e9}T12:00:00Z", "invalid_date"),
            ("21.11.2026", "invalid_date"),
            ("1795262400", "invalid_date"),
            ("", "invalid_date"),
            ("T", "invalid_date"),
        ] {
            for errors in [
                instant(&json!(text)).expect_err(text),
                end(&json!(text)).expect_err(text),
            ] {
                assert_eq!(errors.0[0].code, code, "{text}");
                assert!(errors.0[0].detail.contains('Z'), "an example for {text}");
            }
        }
        let unescaped = instant(&json!("2026-11-21T12:00:00 02:00")).expect_err("a space");
        assert!(unescaped.0[0].detail.contains("%2B"), "{unescaped:?}");
    }

    #[test]
    fn years_outside_of_1970_to_9998_are_refused() {
        for text in [
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "1900-01-01T00:00:00Z",
            "1969-12-31T23:59:59.999Z",
            "1970-01-01T00:00:00+01:00",
            "1969-12-31T23:30:00-01:00",
            "9998-12-31T23:30:00-01:00",
            "9999-01-01T00:30:00+01:00",
            "9999-01-01T00:00:00Z",
            "9999-12-30T00:00:00Z",
        ] {
            for errors in [
                instant(&json!(text)).expect_err(text),
                end(&json!(text)).expect_err(text),
            ] {
                assert_eq!(errors.0[0].code, "out_of_range", "{text}");
            }
        }
    }

    #[test]
    fn the_last_day_of_9999_is_no_end_and_no_instant() {
        for text in [
            "9999-12-31T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "9999-12-31T23:59:59.999Z",
            "9999-12-31T23:59:59.9999999Z",
            "9999-12-31T23:59:59+01:00",
            "9999-12-31T23:59:59-12:00",
            "9999-12-31T00:00:00+14:00",
            // Midnight of the last day in Berlin, written in UTC.
            "9999-12-30T23:00:00Z",
        ] {
            assert_eq!(end(&json!(text)), Ok(None), "{text}");
            let errors = instant(&json!(text)).expect_err(text);
            assert_eq!(errors.0[0].code, "out_of_range", "{text}");
        }
        assert_eq!(end(&json!("9999-12-31")), Ok(None));
        assert_eq!(
            instant(&json!("9999-12-31")).expect_err("a date").0[0].code,
            "no_time"
        );
    }

    proptest! {
        #[test]
        fn an_instant_is_read_from_every_offset(
            millis in 86_400_000..AFTER_LAST_YEAR - 86_400_000,
            offset in -1_439_i32..=1_439,
        ) {
            let time = Timestamp::from_millisecond(millis).expect("in range");
            let offset = Offset::from_seconds(offset * 60).expect("an offset");
            let text = time.display_with_offset(offset).to_string();
            prop_assert_eq!(instant(&json!(text.as_str())), Ok(time), "{}", text);
            prop_assert_eq!(end(&json!(text)), Ok(Some(time)));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "[0-9TtZz:.+\\- \u{e9}]{0,32}") {
            let _ = (instant(&json!(text.as_str())), end(&json!(text)));
        }
    }
}
