//! Endpoints that accept a callback and do not answer. They answer on the test's command, so no test depends on time.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{join, join3};
use serde_json::Value;
use tandem_domain::mail::MailKind;
use tandem_queue::Message;
use tandem_testing::RecordedMail;
use tandem_tests::{Checkout, InProcess, Pair, Receiver, Release, Reply, event_of};

use crate::failing_endpoints::{deliver_at_once, sell};

/// While a receiver hangs, each attempt is slow.
const SLOW_AT_ONCE: Duration = Duration::from_millis(1);
/// While it answers, no attempt is slow, even on a slow machine.
const NEVER_SLOW: Duration = Duration::from_secs(600);

/// A stage whose deliverer calls an attempt slow at once.
async fn stage_that_calls_attempts_slow() -> Arc<InProcess> {
    let mut stage = InProcess::new().await;
    stage.deliverer.slow_after = SLOW_AT_ONCE;
    Arc::new(stage)
}

/// A pair whose source answers only on command.
struct Hanging {
    stage: Arc<InProcess>,
    receiver: Receiver,
    release: Release,
    pair: Pair,
    checkout: Checkout,
}

impl Hanging {
    async fn new() -> Self {
        let stage = stage_that_calls_attempts_slow().await;
        let setup = stage.setup();
        let (receiver, (reply, release)) = (setup.receiver().await, Reply::held());
        receiver.answer_always(reply);
        let pair = setup.pair_between_two_companies(&receiver.url()).await;
        let checkout = pair.checkout().await;
        stage.work().await;
        Self {
            stage,
            receiver,
            release,
            pair,
            checkout,
        }
    }

    /// Makes sales; returns their messages.
    async fn sell(&self, sales: usize) -> Vec<Message> {
        sell(&self.checkout, sales).await;
        self.stage.due_callbacks().await
    }

    async fn deliver(&self, messages: &[Message]) {
        deliver_at_once(&self.stage, messages).await;
    }

    fn calls(&self) -> usize {
        self.receiver.received().len()
    }

    async fn delivered(&self) -> usize {
        self.pair.source.callbacks_with("delivered").await.len()
    }

    /// The recorded number of slow attempts.
    fn waits(&self) -> u64 {
        let rows = self.stage.rows_of("endpoint");
        let waits = rows.first().and_then(|row| row["waits"].as_u64());
        waits.unwrap_or(0)
    }

    async fn until_called(&self, times: usize) {
        until("the receiver is called", async || self.calls() >= times).await;
    }

    async fn until_waiting(&self, attempts: u64) {
        until("the attempts wait", async || self.waits() == attempts).await;
    }

    async fn until_paused(&self) {
        let is_paused = async || self.pair.endpoint().await["status"] == "paused";
        until("the endpoint is paused", is_paused).await;
    }

    /// Delivers the postponed callbacks after some seconds, by a worker that does not call an attempt slow.
    async fn deliver_postponed(&self, seconds: i64) {
        self.stage.advance(seconds);
        let worker = deliver_callbacks::Worker {
            slow_after: NEVER_SLOW,
            ..self.stage.deliverer.clone()
        };
        loop {
            let messages = self.stage.due_callbacks().await;
            if messages.is_empty() {
                return;
            }
            let worked = worker.work(event_of(&messages, 1)).await.expect("worked");
            assert!(worked.batch_item_failures.is_empty(), "{worked:?}");
        }
    }
}

/// Polls a condition, and fails after a time limit.
async fn until(description: &str, mut condition: impl AsyncFnMut() -> bool) {
    let polls = async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), polls)
        .await
        .unwrap_or_else(|_| panic!("never: {description}"));
}

#[tokio::test]
async fn a_hanging_endpoint_is_paused_while_its_first_attempts_wait() {
    let hanging = Hanging::new().await;
    let (stage, messages) = (&hanging.stage, hanging.sell(3).await);
    let third = async {
        hanging.until_waiting(2).await;
        stage.advance(1);
        hanging.deliver(&messages[2..]).await;
    };
    let meanwhile = async {
        hanging.until_paused().await;
        hanging.until_called(3).await;
        let seen = hanging.pair.endpoint().await;
        assert_eq!(
            (&seen["failingSince"], seen["pausedUntil"].is_string()),
            (&Value::Null, true),
            "it has not failed"
        );
        let sold = hanging.sell(20).await;
        stage.relay().await;
        drop(stage.messages());
        stage.deliver(&sold).await;
        assert_eq!(hanging.calls(), 3, "postponed without a call");
        stage.relay().await;
        let postponed = stage.callback_messages().into_iter();
        let delays: Vec<_> = postponed.map(|sent| sent.delay.as_secs()).collect();
        assert!(
            delays.len() == 20 && delays.iter().all(|delay| (5..=10).contains(delay)),
            "{delays:?}: the stream enqueues them"
        );
        hanging.release.answer(200);
    };
    let _ = join3(hanging.deliver(&messages[..2]), third, meanwhile).await;
    assert_eq!(hanging.pair.endpoint().await["status"], "ok");
    assert_eq!(hanging.delivered().await, 3);
    assert!(
        stage.rows_of("endpoint").is_empty(),
        "the health row is gone"
    );
    hanging.deliver_postponed(10).await;
    assert_eq!((hanging.calls(), hanging.delivered().await), (23, 23));
}

#[tokio::test]
async fn a_single_slow_attempt_is_forgotten_after_its_success() {
    let hanging = Hanging::new().await;
    let messages = hanging.sell(1).await;
    let meanwhile = async {
        hanging.until_waiting(1).await;
        assert_eq!(hanging.pair.endpoint().await["status"], "ok");
        hanging.release.answer(200);
    };
    let _ = join(hanging.deliver(&messages), meanwhile).await;
    assert_eq!(
        (hanging.waits(), hanging.calls(), hanging.delivered().await),
        (0, 1, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_slow_attempts_cause_one_pause_and_are_recorded() {
    let hanging = Hanging::new().await;
    let messages = hanging.sell(31).await;
    let last = async {
        hanging.until_waiting(2).await;
        hanging.until_called(30).await;
        hanging.stage.advance(1);
        hanging.deliver(&messages[30..]).await;
    };
    let meanwhile = async {
        hanging.until_paused().await;
        hanging.release.answer(200);
    };
    let _ = join3(hanging.deliver(&messages[..30]), last, meanwhile).await;
    // The last attempt may find the endpoint already paused.
    let taken = hanging.calls();
    assert!(taken >= 30, "{taken}");
    assert_eq!(
        hanging.delivered().await,
        taken,
        "each attempt under way is recorded"
    );
    assert_eq!(hanging.pair.endpoint().await["status"], "ok");
    hanging.deliver_postponed(60).await;
    assert_eq!(
        (hanging.calls(), hanging.delivered().await),
        (31, 31),
        "each once"
    );
}

/// An attempt whose answer arrives after the source changed the URL.
async fn moved_meanwhile(status: u16) -> Hanging {
    let hanging = Hanging::new().await;
    let new = hanging.stage.setup().receiver().await;
    let messages = hanging.sell(1).await;
    let meanwhile = async {
        hanging.until_waiting(1).await;
        let _ = hanging.pair.move_endpoint(&new.url()).await;
        hanging.release.answer(status);
    };
    let _ = join(hanging.deliver(&messages), meanwhile).await;
    hanging
}

#[tokio::test]
async fn an_answer_of_an_old_url_does_not_affect_the_new_url() {
    for status in [410, 503] {
        let hanging = moved_meanwhile(status).await;
        let (stage, seen) = (&hanging.stage, hanging.pair.endpoint().await);
        assert_eq!(
            (seen["status"].as_str(), &seen["disabledAt"]),
            (Some("ok"), &Value::Null),
            "{status}"
        );
        assert!(stage.rows_of("endpoint").is_empty(), "{status}");
        let about_disabling =
            |mail: &RecordedMail| matches!(mail.mail.kind, MailKind::EndpointDisabled { .. });
        assert!(!stage.mails().iter().any(about_disabling), "{status}");
        assert_eq!(
            stage.logged_attempts(),
            1,
            "{status}: it is recorded all the same"
        );
    }
}
