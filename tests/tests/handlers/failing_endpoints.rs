//! Failing endpoints: pauses, probes, warnings, disabling, recovery. The tests count attempts and calls and measure no time.

use std::sync::Arc;

use serde_json::{Value, json};
use tandem_domain::mail::MailKind;
use tandem_queue::Message;
use tandem_tests::{Checkout, InProcess, Pair, Receiver, Reply};

const DAY: i64 = 86_400;

/// A partner's system that answers with a status.
async fn answering(stage: &Arc<InProcess>, status: u16) -> Receiver {
    let receiver = stage.setup().receiver().await;
    receiver.answer_always(Reply::status(status));
    receiver
}

/// Forgets the calls so far, and answers with another status.
fn answer_from_now_on(receiver: &Receiver, status: u16) {
    receiver.forget_received();
    receiver.answer_always(Reply::status(status));
}

fn calls(receiver: &Receiver) -> usize {
    receiver.received().len()
}

/// Two connected clients, and sales whose callbacks have not been attempted.
async fn sold(stage: &Arc<InProcess>, receiver: &Receiver, sales: usize) -> (Pair, Checkout) {
    let setup = stage.setup();
    let pair = setup.pair_between_two_companies(&receiver.url()).await;
    let checkout = pair.checkout().await;
    stage.work().await;
    let _ = stage.mails();
    sell(&checkout, sales).await;
    (pair, checkout)
}

pub(crate) async fn sell(checkout: &Checkout, sales: usize) {
    for _ in 0..sales {
        let sold = checkout.seller.sell(&checkout.cart, &checkout.customer);
        let _ = sold.await.created();
    }
}

/// Hands each message to a worker of its own.
pub(crate) async fn deliver_at_once(stage: &InProcess, messages: &[Message]) {
    let deliveries = messages.chunks(1).map(|one| stage.deliver(one));
    let _ = futures::future::join_all(deliveries).await;
}

/// Advances time in steps of some seconds. Each step sweeps 64 shards, so there are few.
async fn pass(stage: &InProcess, steps: usize, seconds: i64) {
    for _ in 0..steps {
        stage.advance(seconds);
        stage.work().await;
    }
}

/// The number of callbacks that were attempted so often.
fn with_attempts(callbacks: &[Value], attempts: u64) -> usize {
    let callbacks = callbacks.iter();
    callbacks
        .filter(|callback| callback["attempts"] == attempts)
        .count()
}

#[tokio::test]
async fn a_dead_endpoint_gets_probes_and_does_not_delay_others() {
    let stage = InProcess::start().await;
    let dead = answering(&stage, 503).await;
    let healthy = answering(&stage, 200).await;
    let (failing, failing_checkout) = sold(&stage, &dead, 1).await;
    stage.work().await;
    let status = failing.endpoint().await["status"].clone();
    assert_eq!((calls(&dead), status), (1, json!("paused")));

    sell(&failing_checkout, 20).await;
    let (well, _) = sold(&stage, &healthy, 20).await;
    stage.work().await;
    assert_eq!(calls(&healthy), 20);
    assert_eq!(well.source.callbacks_with("delivered").await.len(), 20);
    assert_eq!(calls(&dead), 1, "paused: postponed without a call");
    let waiting = failing.source.callbacks_with("pending").await;
    assert_eq!(with_attempts(&waiting, 0), 20, "no step is used up");

    // Twelve minutes: pauses of 5, 10, 20, 40, 80, 160 and 320 seconds; not each end coincides with a step.
    pass(&stage, 6, 120).await;
    let probes = calls(&dead);
    assert!((3..=8).contains(&probes), "{probes} calls");
    let waiting = failing.source.callbacks_with("pending").await;
    let attempts: u64 = waiting
        .iter()
        .filter_map(|callback| callback["attempts"].as_u64())
        .sum();
    assert_eq!(
        attempts,
        u64::try_from(probes).expect("few"),
        "every attempt is a call, every call an attempt"
    );
}

#[tokio::test]
async fn a_healthy_endpoint_costs_no_write_a_postponement_one() {
    let stage = InProcess::start().await;
    let receiver = answering(&stage, 200).await;
    let (_, checkout) = sold(&stage, &receiver, 1).await;
    let messages = stage.due_callbacks().await;
    assert_eq!(messages.len(), 1);
    stage.table.reset_calls();
    stage.deliver(&messages).await;
    assert_eq!(
        stage.table.calls().join(" "),
        "BatchGetItem BatchGetItem PutItem PutItem"
    );
    assert!(
        stage.rows_of("endpoint").is_empty(),
        "a healthy endpoint has no row"
    );

    answer_from_now_on(&receiver, 503);
    sell(&checkout, 1).await;
    stage.work().await;
    sell(&checkout, 1).await;
    let message = stage.due_callbacks().await.pop().expect("due");
    stage.table.reset_calls();
    stage.deliver(std::slice::from_ref(&message)).await;
    assert_eq!(
        stage.table.calls().join(" "),
        "BatchGetItem BatchGetItem PutItem"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_fifty_workers_probes_a_paused_endpoint() {
    let stage = InProcess::start().await;
    let receiver = answering(&stage, 503).await;
    let (pair, checkout) = sold(&stage, &receiver, 1).await;
    stage.work().await;
    sell(&checkout, 50).await;
    let messages = stage.due_callbacks().await;
    stage.advance(6);
    deliver_at_once(&stage, &messages).await;
    assert_eq!(calls(&receiver), 2, "the one before, and the probe");
    let pending = pair.source.callbacks_with("pending").await;
    assert_eq!(with_attempts(&pending, 1), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_failures_are_all_recorded_and_open_the_circuit() {
    let stage = InProcess::start().await;
    let receiver = answering(&stage, 500).await;
    let (pair, _) = sold(&stage, &receiver, 20).await;
    let messages = stage.due_callbacks().await;
    deliver_at_once(&stage, &messages).await;
    assert_eq!(pair.endpoint().await["status"], "paused");
    assert_eq!(stage.logged_attempts(), calls(&receiver));
}

#[tokio::test]
async fn after_a_successful_probe_callbacks_return_spread_over_time() {
    let stage = InProcess::start().await;
    let receiver = answering(&stage, 503).await;
    let (pair, checkout) = sold(&stage, &receiver, 1).await;
    stage.work().await;
    pass(&stage, 1, 3_600).await;
    sell(&checkout, 30).await;
    stage.work().await;
    answer_from_now_on(&receiver, 200);
    let mut most = 0;
    // The window is a quarter of the hour after a pause of 10 seconds. Callbacks that meet the running probe in the first
    // step are postponed again, by its lease and the window.
    for _ in 0..12 {
        let before = calls(&receiver);
        pass(&stage, 1, 100).await;
        most = most.max(calls(&receiver) - before);
    }
    assert_eq!(calls(&receiver), 31, "everything comes, once");
    assert!(most <= 15, "{most} of 30 in one step of twelve");
    assert_eq!(
        pair.endpoint().await,
        json!({
            "url": receiver.url(), "headerNames": [], "status": "ok", "failingSince": null, "pausedUntil": null,
            "disabledAt": null, "disabledCause": null, "disabledReason": null,
        })
    );
}

/// The hours at which an endpoint that fails for five and a half days was warned about, and disabled.
async fn fail_for_days(stage: &InProcess, checkout: &Checkout) -> (Vec<usize>, Vec<usize>) {
    let (mut warned, mut disabled) = (Vec::new(), Vec::new());
    for hour in (6..=5 * 24 + 12).step_by(6) {
        if hour % 12 == 0 {
            sell(checkout, 1).await;
        }
        pass(stage, 1, 6 * 3_600).await;
        for mail in stage.mails() {
            match mail.mail.kind {
                MailKind::EndpointFailing { .. } => warned.push(hour),
                MailKind::EndpointGivenUp { .. } => disabled.push(hour),
                MailKind::CallbackExhausted { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }
    (warned, disabled)
}

#[tokio::test]
async fn day_four_warns_by_mail_and_day_five_disables_the_endpoint() {
    let stage = InProcess::start().await;
    let receiver = answering(&stage, 500).await;
    let (pair, checkout) = sold(&stage, &receiver, 10).await;
    stage.work().await;
    let since = pair.endpoint().await["failingSince"].clone();
    let (warned, disabled) = fail_for_days(&stage, &checkout).await;
    assert!(
        matches!(warned.as_slice(), [96..=102]),
        "warned at the hours {warned:?}"
    );
    assert!(
        matches!(disabled.as_slice(), [120..=126]),
        "disabled at the hours {disabled:?}"
    );
    let view = pair.endpoint().await;
    assert_eq!(
        (view["status"].as_str(), view["disabledCause"].as_str()),
        (Some("disabled"), Some("failing"))
    );
    let (reason, since) = (view["disabledReason"].as_str(), since.as_str());
    let since = since.expect("a time");
    assert!(reason.is_some_and(|reason| reason.contains(&since[..19])));
    let tried = calls(&receiver);
    pass(&stage, 1, 3_600).await;
    assert_eq!(calls(&receiver), tried, "disabled: nothing is sent");

    stage.advance(30 * DAY);
    stage.work().await;
    answer_from_now_on(&receiver, 200);
    let mut kept = pair.source.callbacks_with("held").await;
    kept.extend(pair.source.callbacks_with("exhausted").await);
    assert_eq!(kept.len(), 21, "nothing is dropped");
    let _ = pair.source.replay(&kept).await.accepted();
    stage.work().await;
    let status = pair.endpoint().await["status"].clone();
    assert_eq!((calls(&receiver), status), (21, json!("ok")));
}

#[tokio::test]
async fn an_idle_endpoint_is_not_disabled_and_its_next_failure_warns() {
    let stage = InProcess::start().await;
    let receiver = answering(&stage, 500).await;
    let (pair, _) = sold(&stage, &receiver, 1).await;
    stage.work().await;
    stage.advance(30 * DAY);
    stage.work().await;
    let mails = stage.mails().into_iter();
    let kinds: Vec<_> = mails.map(|mail| mail.mail.kind).collect();
    assert!(
        matches!(kinds.as_slice(), [MailKind::EndpointFailing { .. }]),
        "{kinds:?}"
    );
    assert_eq!(pair.endpoint().await["status"], "failing");
}

#[tokio::test]
async fn a_successful_test_event_ends_a_pause() {
    let stage = InProcess::start().await;
    let receiver = answering(&stage, 503).await;
    let (pair, _) = sold(&stage, &receiver, 1).await;
    stage.work().await;
    answer_from_now_on(&receiver, 200);
    let test = pair
        .source
        .act_on_connection("callback/test", &pair.connection_id);
    let _ = test.await.accepted();
    stage.work().await;
    let status = pair.endpoint().await["status"].clone();
    assert_eq!((calls(&receiver), status), (1, json!("ok")));
}

#[tokio::test]
async fn a_replay_allows_one_probe_and_a_new_url_ends_the_pause() {
    let stage = InProcess::start().await;
    let receiver = answering(&stage, 503).await;
    let (pair, checkout) = sold(&stage, &receiver, 1).await;
    stage.work().await;
    pass(&stage, 1, 600).await;
    sell(&checkout, 3).await;
    stage.work().await;
    let before = calls(&receiver);
    let pending = pair.source.callbacks_with("pending").await;
    let _ = pair.source.replay(&pending).await.accepted();
    stage.work().await;
    assert_eq!(calls(&receiver), before + 1, "one of four probes");

    let other = answering(&stage, 200).await;
    let _ = pair.move_endpoint(&other.url()).await;
    assert_eq!(pair.endpoint().await["status"], "ok");
    pass(&stage, 2, 3_600).await;
    assert_eq!(calls(&other), 4, "postponed callbacks go to the new URL");
}
