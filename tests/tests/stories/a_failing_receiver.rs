//! A failing receiver: callbacks are retried on a schedule, the log holds each attempt, and undelivered callbacks wait for a
//! replay.
//!
//! The deployed stack waits seconds where production waits hours: `make test` sets `CallbackRetrySchedule` to
//! 0, 1, 2 and 2 seconds.

mod attempts;
mod disabled;
mod exhausted;
mod secrets;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use serde_yaml_ng::Value as Yaml;
use tandem_tests::{Answer, Client, Received, id};

const CREATED: &str = "crossClientOrder.created";

/// The attempts of a callback, the oldest first.
fn attempts(callback: &Value) -> Vec<&Value> {
    callback["attemptLog"]
        .as_array()
        .unwrap_or_else(|| panic!("no log: {callback}"))
        .iter()
        .rev()
        .collect()
}

/// The status codes of a callback's attempts, the oldest first; 0 where there was no answer.
fn status_codes(callback: &Value) -> Vec<u64> {
    attempts(callback)
        .iter()
        .map(|attempt| attempt["statusCode"].as_u64().unwrap_or(0))
        .collect()
}

fn time(value: &Value) -> Timestamp {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| panic!("no time: {value}"))
}

/// The time between consecutive requests.
fn waited(received: &[Received]) -> Vec<SignedDuration> {
    received
        .windows(2)
        .map(|two| two[1].at.duration_since(two[0].at))
        .collect()
}

async fn replay(client: &Client, callback: &Value) -> Answer {
    client
        .api
        .act(&format!("/v1/callbacks/{}/replay", id(callback)))
        .await
}

async fn replay_many(client: &Client, callback_ids: &[&str]) -> Answer {
    client
        .api
        .post("/v1/callbacks/replay", json!({"callbackIds": callback_ids}))
        .await
}

#[test]
fn production_tries_ten_times_over_three_days() {
    const MINUTE: u32 = 60;
    const HOUR: u32 = 60 * MINUTE;
    let waits = [
        0,
        5,
        5 * MINUTE,
        30 * MINUTE,
        2 * HOUR,
        5 * HOUR,
        10 * HOUR,
        14 * HOUR,
        20 * HOUR,
        24 * HOUR,
    ]
    .map(|s| s.to_string());
    let template: Yaml =
        serde_yaml_ng::from_str(include_str!("../../../template.yaml")).expect("YAML");
    assert_eq!(
        template["Parameters"]["CallbackRetrySchedule"]["Default"],
        waits.join(",").as_str()
    );

    let variables = &template["Resources"]["DeliverCallbacksFunction"]["Properties"]["Environment"]
        ["Variables"];
    let Yaml::Tagged(reference) = &variables["CALLBACK_RETRY_SCHEDULE"] else {
        panic!("no reference: {variables:?}")
    };
    assert!(
        reference.tag == "Ref" && reference.value == "CallbackRetrySchedule",
        "{reference:?}"
    );
}
