//! The time that one payment of a subscription covers.

use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::input::{Object, Parsed, integer};
use crate::words::words;
use crate::zone::Zone;

words! {
    pub enum PeriodUnit {
        /// A day of the calendar: it ends at the same hour, also if the clocks changed meanwhile.
        Day = "day",
        /// Seven days of the calendar.
        Week = "week",
        Month = "month",
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

    /// The end of the `number`-th period counted from `start`, by the calendar and the clock of a zone. An hour that the clocks
    /// skip on the last day is the hour after the gap; of a repeated hour it is the first.
    pub fn end_of(self, start: Timestamp, number: u32, zone: &Zone) -> Timestamp {
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
        span.and_then(|span| zone.at(start).checked_add(span))
            .map_or(Timestamp::MAX, |end| end.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn at(time: &str) -> Timestamp {
        time.parse().expect("a time")
    }

    fn zone(name: &str) -> Zone {
        Zone::parse(&json!(name)).expect("a zone")
    }

    fn every(unit: PeriodUnit) -> Period {
        Period { unit, count: 1 }
    }

    /// The ends of the first periods.
    fn ends(unit: PeriodUnit, start: &str, name: &str) -> Vec<String> {
        let end = |number| every(unit).end_of(at(start), number, &zone(name));
        (1..=3).map(|number| end(number).to_string()).collect()
    }

    #[test]
    fn months_keep_the_day_they_started_on() {
        assert_eq!(
            ends(PeriodUnit::Month, "2026-01-31T10:00:00Z", "UTC"),
            [
                "2026-02-28T10:00:00Z",
                "2026-03-31T10:00:00Z",
                "2026-04-30T10:00:00Z"
            ]
        );
    }

    #[test]
    fn a_month_ends_on_the_day_and_hour_of_its_zone() {
        // 1 March, half past midnight in Berlin. The clocks change on 28 March.
        assert_eq!(
            ends(PeriodUnit::Month, "2027-02-28T23:30:00Z", "Europe/Berlin"),
            [
                "2027-03-31T22:30:00Z",
                "2027-04-30T22:30:00Z",
                "2027-05-31T22:30:00Z"
            ]
        );
        assert_eq!(
            ends(PeriodUnit::Month, "2027-02-28T23:30:00Z", "UTC")[0],
            "2027-03-28T23:30:00Z"
        );
    }

    #[test]
    fn days_and_weeks_keep_the_hour_when_clocks_change() {
        assert_eq!(
            ends(PeriodUnit::Day, "2027-03-27T09:00:00Z", "Europe/Berlin"),
            [
                "2027-03-28T08:00:00Z",
                "2027-03-29T08:00:00Z",
                "2027-03-30T08:00:00Z"
            ]
        );
        assert_eq!(
            ends(PeriodUnit::Week, "2027-10-28T08:00:00Z", "Europe/Berlin")[0],
            "2027-11-04T09:00:00Z"
        );
        // Half past two in the morning of 28 March does not exist.
        assert_eq!(
            ends(PeriodUnit::Day, "2027-03-27T01:30:00Z", "Europe/Berlin")[..2],
            ["2027-03-28T01:30:00Z", "2027-03-29T00:30:00Z"]
        );
    }

    #[test]
    fn a_period_never_ends_after_the_last_timestamp() {
        let years = Period {
            unit: PeriodUnit::Year,
            count: 366,
        };
        let end = |zone| years.end_of(at("2026-01-31T10:00:00Z"), u32::MAX, &zone);
        assert_eq!(end(Zone::default()), Timestamp::MAX);
        assert_eq!(end(zone("Asia/Tokyo")), Timestamp::MAX);
    }

    /// The machine's zones: `Europe/Berlin` is nine hours ahead of UTC.
    fn other_zones() -> std::path::PathBuf {
        let directory = std::env::temp_dir().join(format!("zones-{}", std::process::id()));
        std::fs::create_dir_all(directory.join("Europe")).expect("a directory");
        // The header of RFC 8536 with one type of time and its name of four octets; 9 hours in seconds; standard time.
        let counts = [0_u32, 0, 0, 0, 1, 4].map(u32::to_be_bytes).concat();
        let file = [
            b"TZif".as_slice(),
            &[0; 16],
            &counts,
            &32_400_i32.to_be_bytes(),
            &[0, 0],
            b"JST\0",
        ]
        .concat();
        std::fs::write(directory.join("Europe/Berlin"), file).expect("a file");
        directory
    }

    #[test]
    fn the_machines_time_zones_have_no_effect() {
        let zones = other_zones();
        let tests = std::env::current_exe().expect("the tests");
        let mut other = std::process::Command::new(tests);
        other.args([
            "--exact",
            "period::tests::a_month_ends_on_the_day_and_hour_of_its_zone",
        ]);
        other.env("TZDIR", &zones).env("TZ", "Asia/Tokyo");
        let output = other.output().expect("a run");
        std::fs::remove_dir_all(zones).expect("removed");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains("1 passed"),
            "{text}"
        );
    }

    proptest! {
        #[test]
        fn periods_follow_each_other_in_every_zone(
            name in prop::sample::select(Zone::names()),
            second in 1_704_067_200_i64..4_102_444_800,
            unit in prop::sample::select(PeriodUnit::ALL.to_vec()),
            number in 1_u32..100,
        ) {
            let (zone, start) = (zone(&name), Timestamp::from_second(second).expect("a time"));
            let end = |number| every(unit).end_of(start, number, &zone);
            prop_assert!(start < end(1) && end(number) < end(number + 1));
            // By at most the change of the clocks, an end differs from the one in UTC.
            let in_utc = every(unit).end_of(start, number, &Zone::default());
            let days = if unit == PeriodUnit::Month || unit == PeriodUnit::Year { 3 } else { 1 };
            let difference = end(number).duration_since(in_utc).abs();
            prop_assert!(difference <= SignedDuration::from_hours(24 * days + 2));
        }
    }
}
