//! The time that one payment of a subscription covers.

use jiff::{Span, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::input::{Object, Parsed, integer, one_of};

/// Unit of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PeriodUnit {
    /// 24 hours.
    Day,
    /// Seven days.
    Week,
    /// A calendar month in UTC.
    Month,
    /// A calendar year in UTC.
    Year,
}

/// A number of days, weeks, months or years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// The unit.
    pub unit: PeriodUnit,
    /// How many of it, 1 to 366.
    pub count: u16,
}

impl Period {
    /// Reads `{"unit": "month", "count": 1}`.
    ///
    /// # Errors
    /// Names each wrong member.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let unit = object.required(
            "unit",
            one_of(&[
                ("day", PeriodUnit::Day),
                ("week", PeriodUnit::Week),
                ("month", PeriodUnit::Month),
                ("year", PeriodUnit::Year),
            ]),
        );
        let count = object.required("count", integer(1..=366));
        object.finish(|| {
            Some(Self {
                unit: unit?,
                count: u16::try_from(count?).ok()?,
            })
        })
    }

    /// The end of the `number`-th period counted from `start`. Counting from the start keeps the day of the month: a
    /// monthly subscription of 31 January ends on 28 February and then on 31 March.
    pub fn end_of(self, start: Timestamp, number: u32) -> Timestamp {
        let count = i64::from(self.count) * i64::from(number);
        let span = Span::new();
        let span = match self.unit {
            PeriodUnit::Day => span.try_days(count),
            PeriodUnit::Week => span.try_weeks(count),
            PeriodUnit::Month => span.try_months(count),
            PeriodUnit::Year => span.try_years(count),
        };
        span.and_then(|span| start.to_zoned(TimeZone::UTC).checked_add(span))
            .map_or(Timestamp::MAX, |end| end.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_keep_the_day_they_started_on() {
        let start: Timestamp = "2026-01-31T10:00:00Z".parse().expect("valid");
        let month = Period {
            unit: PeriodUnit::Month,
            count: 1,
        };
        let ends: Vec<_> = (1..=3)
            .map(|number| month.end_of(start, number).to_string())
            .collect();
        assert_eq!(
            ends,
            [
                "2026-02-28T10:00:00Z",
                "2026-03-31T10:00:00Z",
                "2026-04-30T10:00:00Z"
            ]
        );
    }

    #[test]
    fn a_period_past_the_end_of_time_stays_at_its_end() {
        let start: Timestamp = "2026-01-31T10:00:00Z".parse().expect("valid");
        let years = Period {
            unit: PeriodUnit::Year,
            count: 366,
        };
        assert_eq!(years.end_of(start, u32::MAX), Timestamp::MAX);
    }
}
