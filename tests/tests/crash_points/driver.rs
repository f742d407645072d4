//! Injects each fault, and runs the retries.

use std::pin::Pin;

use authorize::Authorizer;
use serde_json::{Value, json};
use tandem_domain::callback::OUTCOME_UNKNOWN;
use tandem_testing::{FakeSecret, Fault, Lost, Openapi};
use tandem_tests::{Api, InProcess, attempts_of};

use crate::environment::{Environment, Saved};
use crate::judge::{Seen, judge};
use crate::plain::{self, Times, of_kind};
use crate::scenario::{Act, Scenario};

/// Receives before a message becomes a dead letter; a repeating caller makes as many attempts.
const MAX_RECEIVES: u32 = 5;
/// From this many consecutive calls of one kind on, only the first is tried.
const MANY: usize = 8;

/// Runs all scenarios of some functions.
pub(crate) async fn try_functions(functions: &[&str], all: &[Scenario]) {
    let mut cases = 0;
    for scenario in all
        .iter()
        .filter(|scenario| functions.contains(&scenario.function))
    {
        cases += try_scenario(scenario).await;
    }
    // Each function makes at least one call with an effect, which meets each fault.
    assert!(
        cases >= functions.len() * Fault::ALL.len(),
        "{cases} cases of {functions:?}"
    );
}

async fn try_scenario(scenario: &Scenario) -> usize {
    let env = Environment::new().await;
    let act = (scenario.prepare)(&env).await;
    has_the_route(scenario, &act);
    let saved = env.save();
    let before = Value::from(env.stage.table.dump()).to_string();
    let clean = run(&saved, &act, &before, None).await;
    let name = format!(
        "{} {:?} ({})",
        scenario.function, scenario.route, scenario.name
    );
    assert!(clean.at_first.is_some(), "{name} fails without a fault");
    let calls = to_try(&clean.calls);
    assert!(!calls.is_empty(), "{name} makes no call");
    let mut cases = 0;
    for call in calls {
        for fault in faults_of(&clean.calls[call]) {
            let tried = run(&saved, &act, &before, Some((call, fault))).await;
            let case = format!(
                "{name}, call {} of {}, {}, {fault:?}",
                call + 1,
                clean.calls.len(),
                clean.calls[call]
            );
            judge(&case, &clean, &tried, fault);
            cases += 1;
        }
    }
    cases
}

/// The faults of a call. For a read, a lost answer equals a lost request. Only writes are throttled.
fn faults_of(call: &str) -> impl Iterator<Item = Fault> {
    let reads = [".GetItem", ".BatchGetItem", ".Query"]
        .iter()
        .any(|read| call.ends_with(read));
    let same = |fault: &Fault| {
        matches!(
            fault,
            Fault::Try(Lost::Answer) | Fault::Outage(Lost::Answer) | Fault::Death(Lost::Answer)
        )
    };
    let writes = [".TransactWriteItems", ".PutItem"]
        .iter()
        .any(|write| call.ends_with(write));
    let throttling = Fault::THROTTLING.into_iter().filter(move |_| writes);
    Fault::ALL
        .into_iter()
        .filter(move |fault| !(reads && same(fault)))
        .chain(throttling)
}

/// Whether a worker deletes its message although the work is not done: the row stays due, and the sweep sends another one.
fn is_left_to_the_sweep(act: &Act, fault: Option<(usize, Fault)>) -> bool {
    matches!(act, Act::Message(_) | Act::Slow(_))
        && matches!(fault, Some((_, Fault::ThrottledWrites)))
}

/// The calls to try: all, but only the first of many consecutive calls of one kind (the sweep's queries).
fn to_try(calls: &[String]) -> Vec<usize> {
    let numbered: Vec<_> = calls.iter().enumerate().collect();
    let runs = numbered.chunk_by(|(_, a), (_, b)| a == b);
    runs.flat_map(|run| if run.len() > MANY { &run[..1] } else { run })
        .map(|(number, _)| *number)
        .collect()
}

fn has_the_route(scenario: &Scenario, act: &Act) {
    let route = match act {
        Act::Call { target, .. } => {
            let (method, path) = target.split_once(' ').expect("METHOD /path");
            Openapi::get().route_of(method, path.split('?').next().unwrap_or(path))
        }
        _ => None,
    };
    assert_eq!(
        route.as_deref(),
        scenario.route,
        "{} ({})",
        scenario.function,
        scenario.name
    );
}

/// Runs a scenario with or without a fault, then all work that follows.
async fn run(saved: &Saved, act: &Act, before: &str, fault: Option<(usize, Fault)>) -> Seen {
    let env = saved.open().await;
    let (recorded_before, cut_off_before) = attempts(&env.stage.table.dump());
    let faults = &env.stage.table.faults;
    match fault {
        Some((call, fault)) => faults.plan(call, fault),
        None => faults.clear(),
    }
    let at_first = tokio::select! {
        biased;
        () = faults.died() => None,
        answer = perform(&env, act, before, 1) => answer,
    };
    let at_first = at_first.filter(|_| !is_left_to_the_sweep(act, fault));
    let calls = faults.calls();
    faults.clear();
    let mut mails = env.ses.take();
    let sent = env.received().len();
    let dump = env.stage.table.dump();
    let any = |kind: &str, states: &[&str]| {
        of_kind(&dump, kind)
            .iter()
            .any(|row| states.iter().any(|state| row["status"] == *state))
    };
    // A mail whose acceptance is unknown is sent again; an attempt with an unknown outcome is logged as interrupted. A mail that
    // waits without a try was recorded as sent, and waits for its next occasion.
    let open_mail = of_kind(&dump, "mail").iter().any(|row| {
        row["status"] == "inFlight" || (row["status"] == "waiting" && row["tries"] != 0)
    });
    let unrecorded = (
        if open_mail { mails.len() } else { 0 },
        if any("callback", &["inFlight"]) {
            sent
        } else {
            0
        },
    );
    let on_the_way = usize::from(matches!(act, Act::Slow(_)) && at_first.is_none());

    let answer = repeat(&env, act, before, at_first.clone()).await;
    let rows_at_once = match act {
        Act::Call { .. } => plain::rows(&env.stage.table.dump(), before, Times::Same),
        _ => Vec::new(),
    };
    env.work_off().await;
    let dump = env.stage.table.dump();
    attempts_are_logged(&dump);
    mails.extend(env.ses.take());
    let callbacks = env.received();
    let (recorded, cut_off) = attempts(&dump);
    let (recorded, cut_off) = (recorded - recorded_before, cut_off - cut_off_before);
    let messages = env.sqs.take().iter().flat_map(messages_of).collect();
    let rows = plain::rows(&dump, before, Times::Differ);
    Seen {
        calls,
        at_first,
        answer,
        rows_at_once,
        rows,
        messages,
        mails,
        callbacks,
        recorded,
        cut_off,
        unrecorded,
        on_the_way,
    }
}

/// Retries until an answer, and once more: the caller may not have received it.
async fn repeat(env: &Environment, act: &Act, before: &str, at_first: Option<String>) -> String {
    let mut answer = at_first;
    for received in 2..=MAX_RECEIVES {
        if answer.is_some() {
            break;
        }
        if let Act::Sweep = act {
            env.stage.advance(60);
        }
        answer = perform(env, act, before, received).await;
    }
    let answer = answer.expect("a retry goes well");
    let before_more = env.stage.table.dump();
    if let Act::Call { .. }
    | Act::Authorize { .. }
    | Act::Message(_)
    | Act::Slow(_)
    | Act::MailEvent(_) = act
    {
        assert_eq!(
            perform(env, act, before, MAX_RECEIVES).await.as_ref(),
            Some(&answer),
            "another repeat changes the rows"
        );
    }
    // Only the authorizer may write again: it records a key's use on the next use if the first write failed.
    let records_a_use = matches!(act, Act::Authorize { .. });
    assert!(
        records_a_use || env.stage.table.dump() == before_more,
        "another repeat writes"
    );
    answer
}

/// One invocation; `None` if it must be repeated. Boxed, because the combined future of all functions is too deep a type.
fn perform<'a>(
    env: &'a Environment,
    act: &'a Act,
    before: &'a str,
    received: u32,
) -> Pin<Box<dyn Future<Output = Option<String>> + 'a>> {
    Box::pin(invoke(env, act, before, received))
}

async fn invoke(env: &Environment, act: &Act, before: &str, received: u32) -> Option<String> {
    let stage = &env.stage;
    match act {
        Act::Call { key, target, body } => {
            let (method, path) = target.split_once(' ').expect("METHOD /path");
            let api = Api::new(stage.clone(), Some(key));
            let mut call = api.call(method.parse().expect("a method"), path);
            if let Some(body) = body {
                call = call.json(body);
            }
            let answer = call.idempotency_key("tried").send().await;
            (answer.status < 500)
                .then(|| format!("{} {}", answer.status, plain::answer(&answer.body, before)))
        }
        Act::Authorize { key } => {
            let (operator_key, _) = FakeSecret::cached(InProcess::OPERATOR_KEY);
            let authorizer =
                Authorizer::new(stage.app.store.clone(), operator_key, stage.clock.clone());
            let event = json!({"headers": {"authorization": format!("Bearer {key}")}, "routeKey": "GET /v1/offers"});
            let request = serde_json::from_value(event).expect("an authorizer's event");
            authorizer
                .authorize(request)
                .await
                .ok()
                .map(|answer| answer.to_string())
        }
        Act::Message(message) => (!env.hand_over(message, received).await).then(String::new),
        Act::Slow(message) => (!env.hand_over_as_slow(message, received).await).then(String::new),
        Act::Stream(rows) => {
            let key = |text: &str| json!({"S": text});
            let record = |row: &tandem_store::outbox::Due| {
                let change =
                    json!({"Keys": {"pk": key(&row.pk), "sk": key(&row.sk)}, "SizeBytes": 1});
                json!({"eventName": "INSERT", "awsRegion": "eu-central-1", "eventID": "1", "dynamodb": change})
            };
            let event = json!({"Records": rows.iter().map(record).collect::<Vec<_>>()});
            let event = serde_json::from_value(event).expect("a stream's event");
            env.relay.relay(event).await.ok().map(|()| String::new())
        }
        Act::MailEvent(event) => stage
            .notes
            .note(event.clone())
            .await
            .ok()
            .map(|()| String::new()),
        Act::Sweep => stage.sweep.sweep().await.ok().map(|()| String::new()),
    }
}

fn messages_of(request: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    // A dead letter is sent alone.
    let one = std::slice::from_ref(request);
    let entries = request["Entries"].as_array().map_or(one, Vec::as_slice);
    entries
        .iter()
        .map(|entry| {
            format!(
                "{} {}",
                text(&request["QueueUrl"]),
                text(&entry["MessageBody"])
            )
        })
        .collect()
}

/// The log holds the attempt that ended a callback, regardless of earlier attempts.
fn attempts_are_logged(rows: &[Value]) {
    for callback in of_kind(rows, "callback") {
        let last = attempts_of(callback, rows)
            .iter()
            .filter_map(|attempt| attempt["number"].as_u64())
            .max();
        assert_eq!(
            last.unwrap_or(0),
            callback
                .get("attempts")
                .and_then(Value::as_u64)
                .unwrap_or(0),
            "{callback:?}"
        );
    }
}

/// Counts the logged attempts: recorded, and interrupted.
fn attempts(rows: &[Value]) -> (usize, usize) {
    let callbacks = of_kind(rows, "callback").into_iter();
    let logged: Vec<&Value> = callbacks
        .flat_map(|callback| attempts_of(callback, rows))
        .collect();
    let cut_off = logged
        .iter()
        .filter(|attempt| {
            attempt
                .get("error")
                .is_some_and(|error| error == OUTCOME_UNKNOWN)
        })
        .count();
    (logged.len() - cut_off, cut_off)
}
