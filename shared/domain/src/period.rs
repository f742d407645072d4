//! The time that one payment of a subscription covers.

use jiff::{Span, Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::input::{Object, Parsed, integer};
use crate::words::words;

words! {
    pub enum PeriodUnit {
        /// 24 hours.
        Day = "day",
        /// Seven days.
        Week = "week",
        /// A calendar month in UTC.
        Month = "month",
        /// A calendar year in UTC.
        Year = "year",
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    pub unit: PeriodUnit,
    /// 1 to 366.
    pub count: u16,
}

impl Period {
    /// Reads `{"unit": "month", "count": 1}`.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let unit = object.required("unit", PeriodUnit::parse);
        let count = object.required("count", integer(1..=366));
        object.finish(|| {
            Some(Self {
                unit: unit?,
                count: u16::try_from(count?).ok()?,
            })
        })
    }

    /// The end of the `number`-th period counted from `start`.
    pub fn end_of(self, start: Timestamp, number: u32) -> Timestamp {
        // Counted from the start, not from the end before: a monthly subscription of 31 January ends on 28 February and
        // then on 31 March.
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
        let start: Timestamp = "2026-01-31T10:00:00Z".parse().expect("a time");
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
    fn a_period_never_ends_after_the_last_timestamp() {
        let start: Timestamp = "2026-01-31T10:00:00Z".parse().expect("a time");
        let years = Period {
            unit: PeriodUnit::Year,
            count: 366,
        };
        assert_eq!(years.end_of(start, u32::MAX), Timestamp::MAX);
    }
}
