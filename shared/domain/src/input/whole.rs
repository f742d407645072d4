//! Whole numbers.

use serde_json::Value;

use super::{FieldErrors, Parsed, kind};

/// Reads a whole number within bounds.
pub fn integer(bounds: std::ops::RangeInclusive<i64>) -> impl Fn(&Value) -> Parsed<i64> {
    move |value| {
        let number = whole_number(value).ok_or_else(|| {
            let found = if value.is_number() {
                "another number".to_owned()
            } else {
                kind(value).to_owned()
            };
            FieldErrors::one(
                "not_an_integer",
                format!(
                    "expected a whole number from {} to {}, found {found}",
                    bounds.start(),
                    bounds.end()
                ),
            )
        })?;
        number
            .filter(|number| bounds.contains(number))
            .ok_or_else(|| {
                FieldErrors::one(
                    "out_of_range",
                    format!("must be from {} to {}", bounds.start(), bounds.end()),
                )
            })
    }
}

/// The largest whole number that JSON readers with floating point, such as JavaScript, hold exactly: 2^53 - 1.
const MAX_EXACT: u64 = (1 << 53) - 1;

/// A whole number however it is written, such as `1200`, `1200.0` or `1.2e3`, as JSON Schema defines integers. `Some(None)` is a
/// whole number that is too large for an exact value.
pub fn whole_number(value: &Value) -> Option<Option<i64>> {
    if let Some(number) = value.as_i64() {
        return Some(Some(number));
    }
    let float = value.as_f64().filter(|float| float.fract() == 0.0)?;
    let number = float.to_string().parse::<i64>().ok();
    Some(number.filter(|number| number.unsigned_abs() <= MAX_EXACT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_is_read_however_it_is_written() {
        let read = |text: &str| {
            let value = serde_json::from_str::<Value>(text).expect(text);
            integer(-10_000..=i64::MAX)(&value).map_err(|errors| errors.0[0].code)
        };
        for text in ["1200", "1200.0", "1.2e3", "12000E-1", "1200.00000"] {
            assert_eq!(read(text), Ok(1_200), "{text}");
        }
        assert_eq!(read("-0.0"), Ok(0));
        assert_eq!(read("-20.0"), Ok(-20));
        assert_eq!(read("9007199254740991.0"), Ok(9_007_199_254_740_991));
        for text in ["1.5", "1e-3", "-0.1", "1200.0000001"] {
            assert_eq!(read(text), Err("not_an_integer"), "{text}");
        }
        // A reader with floating point has rounded these.
        for text in [
            "9007199254740993.0",
            "1e18",
            "9223372036854775808",
            "1e300",
            "-1e300",
        ] {
            assert_eq!(read(text), Err("out_of_range"), "{text}");
        }
    }
}
