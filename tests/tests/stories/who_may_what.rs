//! The rights of each kind of caller on each route of the template.
//!
//! [`table::TABLE`] has the status for each caller that requests data of one client, the owner. A route that is missing in the
//! table fails.

mod cast;
mod one_key;
mod table;

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;
use tandem_tests::{Answer, Api, side_by_side};

use crate::bad_input::routes_of_the_template;
use cast::{Caller, Cast};
use table::{Row, TABLE};

/// The owner's invalid keys.
#[derive(Debug, Clone, Copy)]
enum Refused {
    NoKey,
    Malformed,
    Revoked,
    OtherScopes,
}

#[test]
fn every_route_is_in_the_table() {
    let listed: BTreeSet<String> = TABLE.iter().map(|row| row.0.to_owned()).collect();
    assert_eq!(listed.len(), TABLE.len(), "a route is there twice");
    assert_eq!(listed, routes_of_the_template());
}

#[tokio::test]
async fn each_caller_gets_what_is_its_own_and_nothing_else() {
    let cast = Cast::assembled().await;
    let refused = [
        Refused::NoKey,
        Refused::Malformed,
        Refused::Revoked,
        Refused::OtherScopes,
    ];
    let refusals = TABLE
        .iter()
        .flat_map(|row| refused.map(|by| refusal(&cast, row, by)));
    let mut wrong: Vec<String> = side_by_side(refusals).await.into_iter().flatten().collect();
    // In sequence: a caller's calls change its own data.
    let callers = Caller::ALL.map(async |caller| {
        let mut wrong = Vec::new();
        for row in TABLE {
            wrong.extend(cell(&cast, row, caller).await);
        }
        wrong
    });
    wrong.extend(side_by_side(callers).await.into_iter().flatten());
    assert!(
        wrong.is_empty(),
        "{} cells are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Describes a wrong answer to an invalid key of the owner.
async fn refusal(cast: &Cast, row: &Row, by: Refused) -> Option<String> {
    let setup = &cast.setup;
    let operators = row.1[Caller::Operator as usize] != 403;
    let (api, status, code) = match by {
        Refused::NoKey => (setup.caller_without_key(), 401, None),
        Refused::Malformed => (setup.caller("tdm_not-a-key"), 403, None),
        Refused::Revoked => (cast.revoked.clone(), 403, None),
        Refused::OtherScopes if operators => (cast.owner.api.clone(), 403, Some("forbidden")),
        // A route for any key has no scope to lack.
        Refused::OtherScopes => (cast.without_scope_of(row.0)?, 403, Some("scope_missing")),
    };
    let answer = ask(&api, row, cast, Caller::Stranger).await;
    let code_found = answer.body["code"].as_str();
    let right = answer.status == status && code.is_none_or(|code| code_found == Some(code));
    (!right).then(|| format!("{by:?}: {answer}, not {status} {code:?}"))
}

/// Describes a wrong answer to a caller with a valid key.
async fn cell(cast: &Cast, row: &Row, caller: Caller) -> Vec<String> {
    let mut wrong = Vec::new();
    let (api, expected) = (cast.api(caller), row.1[caller as usize]);
    let answer = ask(&api, row, cast, caller).await;
    if answer.status != expected {
        wrong.push(format!("{caller:?}: {answer}, not {expected}"));
    }
    let asked = format!(
        "{}{}",
        cast.path(row.0, caller),
        table::body(row.0, cast, caller).unwrap_or_default()
    );
    for hidden in cast
        .hidden_from(caller)
        .into_iter()
        .filter(|hidden| !asked.contains(hidden.as_str()))
    {
        if answer.text.contains(&hidden) {
            wrong.push(format!("{caller:?}: {answer} reveals {hidden}"));
        }
    }
    if expected == 404 {
        wrong.extend(told_from_absence(cast, row, caller, &api, &answer).await);
    }
    wrong
}

/// Foreign data must look like missing data.
async fn told_from_absence(
    cast: &Cast,
    row: &Row,
    caller: Caller,
    api: &Api,
    foreign: &Answer,
) -> Option<String> {
    let path = cast.path(row.0, caller);
    let absent = table::absent(&path)?;
    let missing = send(api, row.0, &absent, table::body(row.0, cast, caller)).await;
    let compared = |answer: &Answer| {
        let mut body = answer.body.clone();
        body["requestId"] = Value::Null;
        let names: BTreeSet<String> = answer.headers.keys().map(ToString::to_string).collect();
        (answer.status, body, names)
    };
    (compared(foreign) != compared(&missing))
        .then(|| format!("{caller:?}: {foreign} differs from {missing}"))
}

async fn ask(api: &Api, row: &Row, cast: &Cast, caller: Caller) -> Answer {
    send(
        api,
        row.0,
        &cast.path(row.0, caller),
        table::body(row.0, cast, caller),
    )
    .await
}

async fn send(api: &Api, route: &str, path: &str, body: Option<Value>) -> Answer {
    let method: Method = route
        .split_once(' ')
        .and_then(|(method, _)| method.parse().ok())
        .expect("METHOD /path");
    let call = api.call(method, path);
    match &body {
        Some(body) => call.json(body).send().await,
        None => call.send().await,
    }
}
