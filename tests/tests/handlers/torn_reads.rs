//! Answers that are composed of several rows, while these rows change.

use std::sync::Arc;

use serde_json::{Value, json};
use tandem_domain::callback::{Endpoint, Outcome};
use tandem_domain::endpoint_health::{AttemptResult, Change, EndpointHealth};
use tandem_domain::ids::{CallbackId, ClientId};
use tandem_store::Transaction;
use tandem_testing::Fault;
use tandem_tests::{InProcess, Pair, Receiver, Reply, id};

/// More calls than any read makes.
const MAX_CALLS: usize = 20;

/// Reads a path once for each call that the read makes: the call waits until `change` is done. Returns the answers.
async fn read_during<F: Future<Output = ()>>(
    stage: &Arc<InProcess>,
    pair: &Pair,
    path: &str,
    mut change: impl FnMut(usize) -> F,
) -> Vec<Value> {
    let mut answers = Vec::new();
    for call in 0..MAX_CALLS {
        let faults = stage.table.faults.clone();
        faults.plan(call, Fault::HeldUp);
        let (api, path) = (pair.source.api.clone(), path.to_owned());
        let mut reading = tokio::spawn(async move { api.get(&path).await.ok() });
        tokio::select! {
            () = faults.died() => {}
            read = &mut reading => {
                faults.clear();
                answers.push(read.expect("no panic"));
                return answers;
            }
        }
        change(call).await;
        faults.resume();
        answers.push(reading.await.expect("no panic"));
        faults.clear();
    }
    panic!("{path} makes more than {MAX_CALLS} calls")
}

async fn sold(stage: &Arc<InProcess>) -> (Pair, Receiver) {
    let setup = stage.setup();
    let receiver = setup.receiver().await;
    let pair = setup.pair_between_two_companies(&receiver.url()).await;
    let _ = pair.sell().await;
    (pair, receiver)
}

/// A delivered callback has a successful attempt as its last, and another state has none.
fn assert_one_moment(callback: &Value) {
    let log = callback["attemptLog"].as_array().expect("a log");
    let accepted = |attempt: &Value| attempt["statusCode"] == 204;
    let delivered = callback["status"] == "delivered";
    assert_eq!(log.first().is_some_and(accepted), delivered, "{callback}");
    let attempts = callback["attempts"].as_u64();
    let logged = u64::try_from(log.len()).ok();
    assert_eq!(attempts, logged, "{callback}");
}

#[tokio::test]
async fn a_callback_is_shown_as_of_one_moment() {
    let stage = InProcess::start().await;
    let (pair, receiver) = sold(&stage).await;
    let callbacks = pair.source.callbacks().await;
    let path = format!("/v1/callbacks/{}", id(&callbacks[0]));
    // Fails while the first read runs, and is delivered during the second one.
    let change = |call: usize| {
        let status = if call.is_multiple_of(2) { 500 } else { 204 };
        receiver.answer_always(Reply::status(status));
        let (stage, pair, replay) = (&stage, &pair, format!("{path}/replay"));
        async move {
            if call > 0 {
                let _ = pair.source.api.act(&replay).await.accepted();
            }
            stage.work().await;
        }
    };
    let answers = read_during(&stage, &pair, &path, change).await;
    assert!(answers.len() > 2, "{answers:?}");
    for callback in &answers {
        assert_one_moment(callback);
    }
}

#[tokio::test]
async fn a_connection_is_shown_as_of_one_moment() {
    let stage = InProcess::start().await;
    let (pair, receiver) = sold(&stage).await;
    receiver.answer_always(Reply::status(410));
    let path = format!("/v1/connections/{}", pair.connection_id);
    let gone = receiver.url();
    // The endpoint at `gone` is disabled, the one at `moved` is not.
    let moved = format!("{gone}/moved");
    let change = |call: usize| {
        let url = if call.is_multiple_of(2) {
            &moved
        } else {
            &gone
        };
        let body = json!({"callback": {"url": url}});
        let (stage, pair, path) = (&stage, &pair, &path);
        async move {
            let _ = pair.source.api.patch(path, body).await.ok();
            if call % 2 == 1 {
                let test = pair
                    .source
                    .act_on_connection("callback/test", &pair.connection_id);
                let _ = test.await.accepted();
                stage.work().await;
            }
        }
    };
    stage.work().await;
    let answers = read_during(&stage, &pair, &path, change).await;
    assert!(answers.len() > 3, "{answers:?}");
    for connection in &answers {
        let callback = &connection["callback"];
        let is_moved = callback["url"] == moved.as_str();
        let disabled = callback["status"] == "disabled";
        // After the move back, the endpoint has no state until the test event is answered.
        assert!(!(is_moved && disabled), "{connection}");
        let history = connection["history"].as_array().expect("a history");
        let edits = history
            .iter()
            .filter(|entry| entry["action"] == "edited")
            .count();
        assert_eq!(edits % 2 == 1, is_moved, "{connection}");
    }
}

/// Disables a client's event endpoint, as after a 410.
async fn disable_event_endpoint(stage: &InProcess, client: ClientId) {
    let result = AttemptResult {
        callback_id: CallbackId::generate(&mut stage.app.ids()),
        outcome: Outcome::Gone,
        status_code: Some(410),
    };
    let endpoint = Endpoint::Client(client);
    let Change::Disabled(health) = EndpointHealth::after(None, endpoint, result, stage.app.now())
    else {
        panic!("a 410 disables")
    };
    let mut transaction = Transaction::default();
    transaction.create(&health).expect("a row");
    let committed = stage.app.store.commit(transaction).await;
    committed.expect("the endpoint was healthy");
}

#[tokio::test]
async fn an_event_endpoint_is_shown_as_of_one_moment() {
    const PATH: &str = "/v1/event-endpoint";
    let stage = InProcess::start().await;
    let (pair, receiver) = sold(&stage).await;
    let client: ClientId = pair.source.id.parse().expect("an id");
    let gone = receiver.url();
    let moved = format!("{gone}/moved");
    let set = async |url: &str| pair.source.api.put(PATH, json!({"url": url})).await;
    let _ = set(&gone).await.created();
    disable_event_endpoint(&stage, client).await;
    let change = |call: usize| {
        let (stage, set) = (&stage, &set);
        let url = if call.is_multiple_of(2) {
            &moved
        } else {
            &gone
        };
        async move {
            let _ = set(url).await.ok();
            if call % 2 == 1 {
                disable_event_endpoint(stage, client).await;
            }
        }
    };
    let answers = read_during(&stage, &pair, PATH, change).await;
    assert!(answers.len() > 3, "{answers:?}");
    for endpoint in &answers {
        let disabled = endpoint["status"] == "disabled";
        assert_eq!(disabled, endpoint["url"] == gone.as_str(), "{endpoint}");
    }
}
