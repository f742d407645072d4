//! Compares the schemas of request bodies with the parsers by generated values of each member: a value that the schema allows is
//! taken, and a value that the parser takes is allowed.
//!
//! A member's rule that concerns other members, or the rows of the table, has no part in this.

use proptest::prelude::*;
use proptest::string::string_regex;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::{Value, json};
use tandem_domain::zone::Zone;
use tandem_testing::Openapi;

use crate::fields::{PARSERS, Place, each_leaf};

/// Values for each member and direction.
const VALUES: u32 = 200;

/// Characters that parsers treat with care.
const SPECIAL: &[char] = &[
    '\u{0}',
    '\t',
    '\n',
    ' ',
    '"',
    '-',
    '.',
    '@',
    '/',
    '0',
    'O',
    'Z',
    '\u{7f}',
    '\u{85}',
    '\u{a0}',
    '\u{ad}',
    '\u{308}',
    '\u{61c}',
    '\u{200b}',
    '\u{200d}',
    '\u{2013}',
    '\u{2028}',
    '\u{202e}',
    '\u{2060}',
    '\u{212b}',
    '\u{3164}',
    '\u{e000}',
    '\u{fdd0}',
    '\u{fe0f}',
    '\u{feff}',
    '\u{fffd}',
    '\u{ffff}',
    '\u{1f469}',
    '\u{e0041}',
    '\u{10ffff}',
];

/// Values near the bounds of some parser.
fn edges() -> Vec<Value> {
    let texts = [
        "",
        " ",
        "x",
        " x ",
        "EUR",
        "XXX",
        "XTS",
        "HRK",
        "VES",
        "eur",
        "de",
        "de-CH",
        "DE",
        "ZZ",
        "month",
        "true",
        "2026-11-21",
        "2026-11-21T12:00:00",
        "2026-11-21T12:00:00Z",
        "2026-11-21t12:00:00.123456789z",
        "2026-11-21T12:00:00+02:00",
        "2026-11-21T12:00:60Z",
        "20270101T000000Z",
        "9998-12-31T23:59:59.999Z",
        "9999-12-31",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59.999+14:00",
        "9999-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "k@b\u{fc}cher.example",
        "j\u{f6}rg@verlag.de",
        "a@x.de/path",
        "mailto:a@x.de",
        "a@[127.0.0.1]",
        "7Q2M9-X4T0K-3HGWB-PZ5RA",
        "7q2m9\u{2013}x4tok\u{a0}3hgwb pz5ra",
        "7Q2M9-X4T0K-3HGWB-PZ5RU",
        "off_0190b8f5c6f77c3ab0a1c2d3e4f50617",
        "off_0190B8F5C6F77C3AB0A1C2D3E4F50617",
    ];
    let numbers = [
        "-1",
        "0",
        "-0.0",
        "1",
        "1.0",
        "20.0",
        "20.5",
        "1e2",
        "1e3",
        "12.5",
        "12.345",
        "100.0",
        "100.01",
        "0.01",
        "366.0",
        "367",
        "10000",
        "10001",
        "1000000000000.0",
        "1e12",
        "1000000000001",
        "1e300",
        "9007199254740993.0",
    ];
    let numbers = numbers.map(|text| serde_json::from_str(text).expect(text));
    let others = [Value::Null, json!(true), json!([]), json!({})];
    texts
        .map(Value::from)
        .into_iter()
        .chain(numbers)
        .chain(others)
        .collect()
}

fn number(text: String) -> Value {
    serde_json::from_str(&text).expect("a number")
}

fn pattern_of(schema: &Value) -> Option<&str> {
    let pattern = schema["pattern"].as_str()?;
    Some(pattern.trim_start_matches('^').trim_end_matches('$'))
}

/// Values that a schema allows.
fn allowed(schema: &Value) -> BoxedStrategy<Value> {
    let schema = Openapi::get().resolve(schema);
    let bound = |name: &str| schema[name].as_i64();
    if let Some(words) = schema["enum"].as_array() {
        return prop::sample::select(words.clone()).boxed();
    }
    if let Some(constant) = schema.get("const") {
        return Just(constant.clone()).boxed();
    }
    if let Some(kinds) = schema["anyOf"].as_array() {
        return prop::strategy::Union::new(kinds.iter().map(allowed)).boxed();
    }
    let kind = schema["type"]
        .as_array()
        .map_or(&schema["type"], |kinds| &kinds[0]);
    match kind.as_str() {
        Some("boolean") => any::<bool>().prop_map(Value::from).boxed(),
        Some("integer") => {
            let bounds = bound("minimum").expect("minimum")..=bound("maximum").expect("maximum");
            let written = |(whole, as_float): (i64, bool)| {
                number(if as_float {
                    format!("{whole}.0")
                } else {
                    whole.to_string()
                })
            };
            (bounds, any::<bool>()).prop_map(written).boxed()
        }
        Some("number") => (0..=10_000)
            .prop_map(|points| number(format!("{}.{:02}", points / 100, points % 100)))
            .boxed(),
        Some("string") => text(schema),
        other => panic!("no values of {other:?}: {schema}"),
    }
}

fn text(schema: &Value) -> BoxedStrategy<Value> {
    let regex =
        |pattern: &str| string_regex(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    match (schema["format"].as_str(), pattern_of(schema)) {
        (Some("uri"), _) => regex("https://[a-z]{1,10}\\.example(/[a-z0-9]{0,10}){0,3}")
            .prop_map(Value::from)
            .boxed(),
        (Some("idn-email"), pattern) => {
            let local = if pattern.is_some() {
                "[a-zA-Z0-9+_-]{1,20}"
            } else {
                "[a-zA-Z0-9\u{e4}\u{f6}+_-]{1,20}"
            };
            regex(&format!(
                "{local}@[a-zA-Z\u{fc}]([a-z0-9\u{e4}]{{0,5}}[a-z])?\\.(example|de|museum)"
            ))
            .prop_map(Value::from)
            .boxed()
        }
        (Some("iana-time-zone"), _) => prop::sample::select(Zone::names())
            .prop_map(Value::from)
            .boxed(),
        // The years at the bounds depend on the offset, which the description says.
        (Some("date-time"), Some(pattern)) => regex(pattern)
            .prop_filter("a day of the calendar", |text| {
                let day: Result<jiff::civil::Date, _> = text[..10].parse();
                day.is_ok() && !text.starts_with("1970-01-01") && !text.starts_with("9998-12-31")
            })
            .prop_map(Value::from)
            .boxed(),
        (_, Some(pattern)) => regex(pattern).prop_map(Value::from).boxed(),
        (_, None) => {
            // A visible character first, and room for those that are longer after normalization.
            let most = schema["maxLength"].as_u64().expect("maxLength");
            let most = usize::try_from(most).expect("small");
            let base = &Openapi::get().document()["components"]["schemas"]["Text"];
            regex(pattern_of(base).expect("a pattern"))
                .prop_map(move |text| {
                    let rest = text.trim().chars().take((most - 1) / 3);
                    Value::from(std::iter::once('x').chain(rest).collect::<String>())
                })
                .boxed()
        }
    }
}

/// Values of all kinds: allowed ones, edges, and allowed texts with a special character.
fn any_value(schema: &Value) -> BoxedStrategy<Value> {
    let damaged = (
        allowed(schema),
        prop::sample::select(SPECIAL),
        any::<prop::sample::Index>(),
    )
        .prop_map(|(value, special, at)| match value.as_str() {
            Some(text) => {
                let mut characters: Vec<char> = text.chars().collect();
                characters.insert(at.index(characters.len() + 1), special);
                Value::from(characters.into_iter().collect::<String>())
            }
            None => value,
        });
    prop_oneof![prop::sample::select(edges()), damaged].boxed()
}

fn runner() -> TestRunner {
    TestRunner::new(Config {
        cases: VALUES,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(4_711),
        ..Config::default()
    })
}

fn each_member(check: impl Fn(&str, &Place<'_>)) {
    for (name, parser) in PARSERS {
        let schema = &Openapi::get().document()["components"]["schemas"][*name];
        each_leaf(*parser, schema, &|place| check(name, place));
    }
}

#[test]
fn every_value_that_a_schema_allows_is_taken() {
    each_member(|name, place| {
        let taken = |value: Value| {
            // Of an import, a year out of range fails its item later. It is named if the body is rejected for other reasons.
            let is_year = |code: &str| {
                name == "Import" && place.path.ends_with("Date") && code == "out_of_range"
            };
            let mut errors = place.errors(value.clone());
            errors.retain(|error| error.field.is_empty() && !is_year(error.code));
            prop_assert!(errors.is_empty(), "{} {}: {:?}", name, value, errors);
            Ok(())
        };
        runner()
            .run(&allowed(place.schema), taken)
            .unwrap_or_else(|error| panic!("{name} {}: {error}", place.path));
    });
}

#[test]
fn every_value_that_is_taken_is_allowed_by_its_schema() {
    each_member(|name, place| {
        let described = |value: Value| {
            if place.rejects(value.clone()) || value.is_null() {
                return Ok(());
            }
            // Code points of a URL are encoded when it is stored.
            if place.schema["format"] == "uri" {
                return Ok(());
            }
            // The description of the API says that texts are trimmed.
            let trimmed = value
                .as_str()
                .map_or(value.clone(), |text| text.trim().into());
            let errors = Openapi::get().errors(place.schema, &trimmed);
            prop_assert!(errors.is_empty(), "{} {}: {:?}", name, value, errors);
            Ok(())
        };
        runner()
            .run(&any_value(place.schema), described)
            .unwrap_or_else(|error| panic!("{name} {}: {error}", place.path));
    });
}
