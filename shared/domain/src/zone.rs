//! Time zones, and months of the calendar in them.
//!
//! The rules of the zones are those of the IANA database that is part of the program, whatever the machine has: all functions
//! of a release count alike.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan, Zoned};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::input::{FieldErrors, Parsed, string};
use crate::instant::{FIRST_YEAR, LAST_YEAR};

/// A time zone of the IANA database, stored by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl Zone {
    /// Reads a name such as `Europe/Berlin`, in capital or small letters.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let name = string(value)?;
        Self::named(name).ok_or_else(|| {
            FieldErrors::one(
                "unknown_time_zone",
                "expected the name of a time zone in the IANA database, such as Europe/Berlin or UTC",
            )
        })
    }

    fn named(name: &str) -> Option<Self> {
        // Placeholders of the database for a clock that nobody has set.
        let is_placeholder = ["Etc/Unknown", "Factory"]
            .iter()
            .any(|placeholder| name.eq_ignore_ascii_case(placeholder));
        if is_placeholder {
            return None;
        }
        TimeZoneDatabase::bundled().get(name).ok().map(Self)
    }

    /// The names of all zones.
    pub fn names() -> Vec<String> {
        let database = TimeZoneDatabase::bundled();
        let names = database.available().map(|name| name.as_str().to_owned());
        names.filter(|name| Self::named(name).is_some()).collect()
    }

    pub fn name(&self) -> &str {
        // Each zone comes from the database and so has a name.
        self.0.iana_name().unwrap_or("UTC")
    }

    pub fn is_utc(&self) -> bool {
        self.0 == TimeZone::UTC
    }

    /// The clock and the calendar of the zone at a time.
    pub(crate) fn at(&self, time: Timestamp) -> Zoned {
        time.to_zoned(self.0.clone())
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| serde::de::Error::custom("unknown time zone"))
    }
}

/// A month of the calendar, named by its first day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month(Date);

impl Month {
    /// Reads `2026-07`, of the years 1970 to 9998.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let invalid = || FieldErrors::one("invalid_month", "expected a month such as 2026-07");
        let text = string(value)?;
        let is_formed = text.len() == 7
            && text.bytes().enumerate().all(|(at, octet)| match at {
                4 => octet == b'-',
                _ => octet.is_ascii_digit(),
            });
        let first: Date = Some(format!("{text}-01"))
            .filter(|_| is_formed)
            .and_then(|text| text.parse().ok())
            .ok_or_else(invalid)?;
        if (FIRST_YEAR..=LAST_YEAR).contains(&first.year()) {
            Ok(Self(first))
        } else {
            let detail = format!("must be in the years {FIRST_YEAR} to {LAST_YEAR}");
            Err(FieldErrors::one("out_of_range", detail))
        }
    }

    /// The first instant of the month. Where clocks skip midnight, the month starts after the gap; where they repeat it, at the
    /// first midnight.
    pub fn start(self, zone: &Zone) -> Timestamp {
        let start = self.0.to_zoned(zone.0.clone());
        start.map_or(Timestamp::MAX, |start| start.timestamp())
    }

    /// The first instant after the month.
    pub fn end(self, zone: &Zone) -> Timestamp {
        self.next().map_or(Timestamp::MAX, |next| next.start(zone))
    }

    fn next(self) -> Option<Self> {
        self.0.checked_add(1.month()).ok().map(Self)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

/// Finds the months of many times: the boundaries of a month are computed once, not for each time.
#[derive(Debug, Default)]
pub struct Calendar {
    zone: Zone,
    /// By their first instants, with the first instants after them.
    months: BTreeMap<Timestamp, (Timestamp, Month)>,
}

impl Calendar {
    pub fn new(zone: Zone) -> Self {
        Self {
            zone,
            months: BTreeMap::new(),
        }
    }

    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    pub fn month_of(&mut self, time: Timestamp) -> Month {
        let known = self.months.range(..=time).next_back();
        if let Some((_, (_, month))) = known.filter(|(_, (end, _))| time < *end) {
            return *month;
        }
        let mut month = Month(self.zone.at(time).date().first_of_month());
        // A clock that was set back over midnight shows the last hour of a month twice, the second time in the next month.
        if time >= month.end(&self.zone) {
            month = month.next().unwrap_or(month);
        }
        let (start, end) = (month.start(&self.zone), month.end(&self.zone));
        self.months.insert(start, (end, month));
        month
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::parse(&json!(name)).expect("a zone")
    }

    #[test]
    fn a_zone_is_stored_by_its_name() {
        for (given, stored) in [
            ("Europe/Berlin", "Europe/Berlin"),
            ("utc", "UTC"),
            ("america/new_york", "America/New_York"),
        ] {
            let zone = zone(given);
            assert_eq!(json!(zone), json!(stored));
            let read: Zone = serde_json::from_value(json!(stored)).expect("a zone");
            assert_eq!(read, zone);
        }
        assert!(zone("UTC").is_utc() && !zone("Europe/London").is_utc());
        assert_eq!(Zone::default(), zone("UTC"));
    }

    #[test]
    fn an_unknown_zone_is_refused_with_an_example() {
        for name in [
            "",
            "Berlin",
            "CET-1CEST",
            "+01:00",
            "Etc/Unknown",
            "Factory",
            "Europe/Berlin ",
        ] {
            let errors = Zone::parse(&json!(name)).expect_err(name);
            assert_eq!(errors.0[0].code, "unknown_time_zone", "{name}");
            assert!(errors.0[0].detail.contains("Europe/Berlin"));
        }
    }

    #[test]
    fn each_zone_of_the_database_is_known_by_its_name() {
        let names = Zone::names();
        assert!(names.len() > 400, "{}", names.len());
        for name in names {
            assert_eq!(zone(&name).name(), name);
        }
    }

    #[test]
    fn a_month_has_one_form() {
        for (text, code) in [
            ("2026-7", "invalid_month"),
            ("2026-13", "invalid_month"),
            ("2026-00", "invalid_month"),
            ("2026/07", "invalid_month"),
            ("2026-07-01", "invalid_month"),
            ("1969-12", "out_of_range"),
            ("9999-01", "out_of_range"),
        ] {
            assert_eq!(
                Month::parse(&json!(text)).expect_err(text).0[0].code,
                code,
                "{text}"
            );
        }
        let month = Month::parse(&json!("2026-12")).expect("a month");
        assert_eq!(month.to_string(), "2026-12");
        let berlin = zone("Europe/Berlin");
        assert_eq!(month.start(&berlin).to_string(), "2026-11-30T23:00:00Z");
        assert_eq!(month.end(&berlin).to_string(), "2026-12-31T23:00:00Z");
    }

    #[test]
    fn a_repeated_midnight_belongs_to_the_new_month() {
        // At one minute past midnight of 1 November 2009, the clocks of Newfoundland returned to 23:01 of 31 October.
        let mut calendar = Calendar::new(zone("America/St_Johns"));
        for (time, month) in [
            ("2009-11-01T02:29:59Z", "2009-10"),
            ("2009-11-01T02:30:00Z", "2009-11"),
            ("2009-11-01T02:45:00Z", "2009-11"),
            ("2009-11-01T03:30:00Z", "2009-11"),
        ] {
            let at = time.parse().expect("a time");
            assert_eq!(calendar.month_of(at).to_string(), month, "{time}");
        }
    }

    proptest! {
        #[test]
        fn months_are_those_of_the_zones_clock(
            name in prop::sample::select(Zone::names()),
            // From 2024 to 2100.
            seconds in prop::collection::vec(1_704_067_200_i64..4_102_444_800, 1..40),
        ) {
            let zone = zone(&name);
            let mut calendar = Calendar::new(zone.clone());
            for second in seconds {
                let time = Timestamp::from_second(second).expect("a time");
                let month = calendar.month_of(time);
                prop_assert_eq!(month.to_string(), zone.at(time).strftime("%Y-%m").to_string());
                prop_assert!(month.start(&zone) <= time && time < month.end(&zone));
            }
        }

        #[test]
        fn a_first_instant_is_of_its_month(
            name in prop::sample::select(Zone::names()),
            months in 0_i32..1_200,
        ) {
            let zone = zone(&name);
            let month = Month(Date::constant(2024, 1, 1) + months.months());
            let start = month.start(&zone);
            let before = start - jiff::SignedDuration::from_millis(1);
            let mut calendar = Calendar::new(zone);
            prop_assert_eq!(calendar.month_of(start), month);
            prop_assert!(calendar.month_of(before) < month);
        }
    }
}
