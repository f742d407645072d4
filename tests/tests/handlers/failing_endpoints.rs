//! Failing endpoints: pauses, probes, warnings, disabling, recovery. The tests count attempts and calls and measure no time.

use serde_json::{Value, json};
use tandem_domain::mail::MailKind;
use tandem_tests::handlers::{House, Merchant, Pair};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

const DAY: i64 = 86_400;

async fn answering(server: &MockServer, status: u16) {
    server.reset().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(status))
        .mount(server)
        .await;
}

async fn calls(server: &MockServer) -> usize {
    server.received_requests().await.expect("recorded").len()
}

/// Two connected clients, and sales whose callbacks have not been attempted.
async fn sold(house: &House, server: &MockServer, sales: usize) -> Pair {
    let pair = house.pair(Some(&server.uri())).await;
    house.work().await;
    let _ = house.mails();
    sell(house, &pair, sales).await;
    pair
}

pub(crate) async fn sell(house: &House, pair: &Pair, sales: usize) {
    for _ in 0..sales {
        let _ = house
            .purchase(pair, &uuid::Uuid::new_v4().to_string())
            .await
            .expect(201);
    }
}

pub(crate) async fn callbacks(house: &House, source: &Merchant, status: &str) -> Vec<Value> {
    let path = format!("GET /v1/callbacks?limit=100&status={status}");
    house.call(&source.who, &path, None).await.expect(200)["items"]
        .as_array()
        .expect("items")
        .clone()
}

pub(crate) async fn endpoint(house: &House, pair: &Pair) -> Value {
    house
        .call(
            &pair.source.who,
            &format!("GET /v1/connections/{}", pair.connection),
            None,
        )
        .await
        .expect(200)["callback"]
        .clone()
}

/// Advances time in steps of some seconds. Each step sweeps 64 shards, so there are few.
async fn pass(house: &House, steps: usize, seconds: i64) {
    for _ in 0..steps {
        house.advance(seconds);
        house.work().await;
    }
}

#[tokio::test]
async fn a_dead_endpoint_gets_probes_and_does_not_delay_others() {
    let house = House::new().await;
    let (dead, healthy) = (MockServer::start().await, MockServer::start().await);
    answering(&dead, 503).await;
    answering(&healthy, 200).await;
    let failing = sold(&house, &dead, 1).await;
    house.work().await;
    assert_eq!(
        (
            calls(&dead).await,
            endpoint(&house, &failing).await["status"].as_str()
        ),
        (1, Some("paused"))
    );

    sell(&house, &failing, 20).await;
    let well = sold(&house, &healthy, 20).await;
    house.table.reset_calls();
    house.work().await;
    assert_eq!(calls(&healthy).await, 20);
    assert_eq!(callbacks(&house, &well.source, "delivered").await.len(), 20);
    assert_eq!(calls(&dead).await, 1, "paused: postponed without a call");
    let waiting = callbacks(&house, &failing.source, "pending").await;
    assert_eq!(
        waiting
            .iter()
            .filter(|callback| callback["attempts"] == 0)
            .count(),
        20,
        "no step is used up"
    );

    // Twelve minutes: pauses of 5, 10, 20, 40, 80, 160 and 320 seconds; not each end coincides with a step.
    pass(&house, 6, 120).await;
    let probes = calls(&dead).await;
    assert!((3..=8).contains(&probes), "{probes} calls");
    let attempts: u64 = callbacks(&house, &failing.source, "pending")
        .await
        .iter()
        .filter_map(|one| one["attempts"].as_u64())
        .sum();
    assert_eq!(
        attempts,
        u64::try_from(probes).expect("few"),
        "every attempt is a call, every call an attempt"
    );
}

#[tokio::test]
async fn a_healthy_endpoint_costs_no_write_a_postponement_one() {
    let (house, server) = (House::new().await, MockServer::start().await);
    answering(&server, 200).await;
    let pair = sold(&house, &server, 1).await;
    house.sweep.sweep().await.expect("swept");
    let message = house.callback_messages().remove(0).message;
    house.table.reset_calls();
    house.deliver(std::slice::from_ref(&message)).await;
    let calls_of = |house: &House| house.table.calls().join(" ");
    assert_eq!(
        calls_of(&house),
        "GetItem BatchGetItem TransactWriteItems TransactWriteItems"
    );
    assert!(
        !house.table.dump().iter().any(|row| row["sk"] == "endpoint"),
        "a healthy endpoint has no row"
    );

    answering(&server, 503).await;
    sell(&house, &pair, 1).await;
    house.work().await;
    sell(&house, &pair, 1).await;
    house.sweep.sweep().await.expect("swept");
    let message = house.callback_messages().pop().expect("due").message;
    house.table.reset_calls();
    house.deliver(std::slice::from_ref(&message)).await;
    assert_eq!(calls_of(&house), "GetItem BatchGetItem TransactWriteItems");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_fifty_workers_probes_a_paused_endpoint() {
    let (house, server) = (House::new().await, MockServer::start().await);
    answering(&server, 503).await;
    let pair = sold(&house, &server, 1).await;
    house.work().await;
    sell(&house, &pair, 50).await;
    house.sweep.sweep().await.expect("swept");
    let messages: Vec<_> = house
        .callback_messages()
        .into_iter()
        .map(|sent| sent.message)
        .collect();
    house.advance(6);
    futures::future::join_all(
        messages
            .iter()
            .map(|message| house.deliver(std::slice::from_ref(message))),
    )
    .await;
    assert_eq!(calls(&server).await, 2, "the one before, and the probe");
    let pending = callbacks(&house, &pair.source, "pending").await;
    assert_eq!(
        pending
            .iter()
            .filter(|callback| callback["attempts"] == 1)
            .count(),
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_failures_are_all_recorded_and_open_the_circuit() {
    let (house, server) = (House::new().await, MockServer::start().await);
    answering(&server, 500).await;
    let pair = sold(&house, &server, 20).await;
    house.sweep.sweep().await.expect("swept");
    let messages: Vec<_> = house
        .callback_messages()
        .into_iter()
        .map(|sent| sent.message)
        .collect();
    futures::future::join_all(
        messages
            .iter()
            .map(|message| house.deliver(std::slice::from_ref(message))),
    )
    .await;
    assert_eq!(endpoint(&house, &pair).await["status"], "paused");
    let attempts = house
        .table
        .dump()
        .iter()
        .filter(|row| {
            row["sk"]
                .as_str()
                .is_some_and(|sk| sk.starts_with("attempt#"))
        })
        .count();
    assert_eq!(attempts, calls(&server).await);
}

#[tokio::test]
async fn after_a_successful_probe_callbacks_return_spread_over_time() {
    let (house, server) = (House::new().await, MockServer::start().await);
    answering(&server, 503).await;
    let pair = sold(&house, &server, 1).await;
    house.work().await;
    pass(&house, 1, 3_600).await;
    sell(&house, &pair, 30).await;
    house.work().await;
    answering(&server, 200).await;
    let mut most = 0;
    // The window is a quarter of the hour after a pause of 10 seconds. Callbacks that meet the running probe in the first
    // step are postponed again, by its lease and the window.
    for _ in 0..12 {
        let before = calls(&server).await;
        pass(&house, 1, 100).await;
        most = most.max(calls(&server).await - before);
    }
    assert_eq!(calls(&server).await, 31, "everything comes, once");
    assert!(most <= 15, "{most} of 30 in one step of twelve");
    assert_eq!(
        endpoint(&house, &pair).await,
        json!({
            "url": format!("{}/", server.uri()), "status": "ok", "failingSince": null, "pausedUntil": null,
            "disabledAt": null, "disabledCause": null, "disabledReason": null,
        })
    );
}

#[tokio::test]
async fn day_four_warns_by_mail_and_day_five_disables_the_endpoint() {
    let (house, server) = (House::new().await, MockServer::start().await);
    answering(&server, 500).await;
    let pair = sold(&house, &server, 10).await;
    house.work().await;
    let since = endpoint(&house, &pair).await["failingSince"].clone();
    let (mut warned, mut disabled) = (Vec::new(), Vec::new());
    for hour in (6..=5 * 24 + 12).step_by(6) {
        if hour % 12 == 0 {
            sell(&house, &pair, 1).await;
        }
        pass(&house, 1, 6 * 3_600).await;
        for mail in house.mails() {
            match mail.mail.kind {
                MailKind::EndpointFailing { .. } => warned.push(hour),
                MailKind::EndpointGivenUp { .. } => disabled.push(hour),
                MailKind::CallbackExhausted { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(
        matches!(warned.as_slice(), [96..=102]),
        "warned at the hours {warned:?}"
    );
    assert!(
        matches!(disabled.as_slice(), [120..=126]),
        "disabled at the hours {disabled:?}"
    );
    let view = endpoint(&house, &pair).await;
    assert_eq!(
        (view["status"].as_str(), view["disabledCause"].as_str()),
        (Some("disabled"), Some("failing"))
    );
    assert!(
        view["disabledReason"]
            .as_str()
            .is_some_and(|reason| reason.contains(&since.as_str().expect("a time")[..19]))
    );
    let tried = calls(&server).await;
    pass(&house, 1, 3_600).await;
    assert_eq!(calls(&server).await, tried, "disabled: nothing is sent");

    house.advance(30 * DAY);
    house.work().await;
    answering(&server, 200).await;
    let mut kept = callbacks(&house, &pair.source, "held").await;
    kept.extend(callbacks(&house, &pair.source, "exhausted").await);
    assert_eq!(kept.len(), 21, "nothing is dropped");
    let ids: Vec<&Value> = kept.iter().map(|callback| &callback["id"]).collect();
    let _ = house
        .call(
            &pair.source.who,
            "POST /v1/callbacks/replay",
            Some(json!({"callbackIds": ids})),
        )
        .await
        .expect(202);
    house.work().await;
    assert_eq!(
        (
            calls(&server).await,
            endpoint(&house, &pair).await["status"].as_str()
        ),
        (21, Some("ok"))
    );
}

#[tokio::test]
async fn an_idle_endpoint_is_not_disabled_and_its_next_failure_warns() {
    let (house, server) = (House::new().await, MockServer::start().await);
    answering(&server, 500).await;
    let pair = sold(&house, &server, 1).await;
    house.work().await;
    house.advance(30 * DAY);
    house.work().await;
    let kinds: Vec<_> = house
        .mails()
        .into_iter()
        .map(|mail| mail.mail.kind)
        .collect();
    assert!(
        matches!(kinds.as_slice(), [MailKind::EndpointFailing { .. }]),
        "{kinds:?}"
    );
    assert_eq!(endpoint(&house, &pair).await["status"], "failing");
}

#[tokio::test]
async fn a_successful_test_event_ends_a_pause() {
    let (house, server) = (House::new().await, MockServer::start().await);
    answering(&server, 503).await;
    let pair = sold(&house, &server, 1).await;
    house.work().await;
    answering(&server, 200).await;
    let test = format!("POST /v1/connections/{}/callback/test", pair.connection);
    let _ = house.call(&pair.source.who, &test, None).await.expect(202);
    house.work().await;
    assert_eq!(
        (
            calls(&server).await,
            endpoint(&house, &pair).await["status"].as_str()
        ),
        (1, Some("ok"))
    );
}

#[tokio::test]
async fn a_replay_allows_one_probe_and_a_new_url_ends_the_pause() {
    let (house, server) = (House::new().await, MockServer::start().await);
    answering(&server, 503).await;
    let pair = sold(&house, &server, 1).await;
    house.work().await;
    pass(&house, 1, 600).await;
    sell(&house, &pair, 3).await;
    house.work().await;
    let before = calls(&server).await;
    let pending = callbacks(&house, &pair.source, "pending").await;
    let ids: Vec<&Value> = pending.iter().map(|callback| &callback["id"]).collect();
    let _ = house
        .call(
            &pair.source.who,
            "POST /v1/callbacks/replay",
            Some(json!({"callbackIds": ids})),
        )
        .await
        .expect(202);
    house.work().await;
    assert_eq!(calls(&server).await, before + 1, "one of four probes");

    let other = MockServer::start().await;
    answering(&other, 200).await;
    let body = json!({"callback": {"url": other.uri()}});
    let _ = house
        .call(
            &pair.source.who,
            &format!("PATCH /v1/connections/{}", pair.connection),
            Some(body),
        )
        .await
        .expect(200);
    assert_eq!(endpoint(&house, &pair).await["status"], "ok");
    pass(&house, 2, 3_600).await;
    assert_eq!(
        calls(&other).await,
        4,
        "postponed callbacks go to the new URL"
    );
}
