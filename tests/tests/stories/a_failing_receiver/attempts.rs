//! Attempts, their times, and their log.

use std::net::TcpListener;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};
use tandem_tests::{Reply, Setup, id, verified};

use super::{CREATED, attempts, status_codes, time, waited};

#[tokio::test]
async fn a_callback_is_retried_on_schedule_until_it_is_accepted() {
    let setup = Setup::new().await;
    let receiver = setup.receiver().await;
    receiver.answer_next([
        Reply::status(500)
            .body("no")
            .after(Duration::from_millis(300)),
        Reply::status(302).header("location", &receiver.url()),
        Reply::status(503).header("retry-after", "4"),
    ]);
    let pair = setup.pair_between_two_companies(&receiver.url()).await;
    let sale = pair.sell().await;
    let callback = pair
        .source
        .callback_about(sale.shared_subscription_id(), CREATED, "delivered")
        .await;

    assert_eq!(callback["attempts"], 4);
    assert_eq!(status_codes(&callback), [500, 302, 503, 204]);
    let received = receiver.received();
    assert_eq!(received.len(), 4, "a redirect is not followed");
    let waits = waited(&received);
    for (wait, least) in waits.iter().zip([1_000, 2_000, 4_000]) {
        assert!(
            *wait >= SignedDuration::from_millis(least),
            "the schedule is 0, 1, 2, 2; Retry-After was 4: {waits:?}"
        );
    }
    for request in &received {
        assert_eq!(request.webhook_id(), id(&callback), "the id stays the same");
        assert_eq!(verified(request, pair.secret()), callback["body"]);
        assert_eq!(request.body, received[0].body, "the very bytes");
        let signed: i64 = request.headers["webhook-timestamp"]
            .to_str()
            .expect("text")
            .parse()
            .expect("a number");
        assert!(
            (request.at.as_second() - signed).abs() <= 5,
            "each attempt is signed when it is made"
        );
    }
}

#[tokio::test]
async fn the_attempt_log_has_status_error_and_4_kb_of_the_answer() {
    let setup = Setup::new().await;
    let receiver = setup.receiver().await;
    receiver.answer_next([
        Reply::status(500)
            .body(&format!("<p>Wartung</p>{}", "ä".repeat(5_000)))
            .after(Duration::from_millis(300)),
        Reply::status(302).header("location", &receiver.url()),
    ]);
    let pair = setup.pair_between_two_companies(&receiver.url()).await;
    let sale = pair.sell().await;
    let callback = pair
        .source
        .callback_about(sale.shared_subscription_id(), CREATED, "delivered")
        .await;

    let logged = attempts(&callback);
    assert_eq!(
        logged
            .iter()
            .map(|attempt| &attempt["number"])
            .collect::<Vec<_>>(),
        [1, 2, 3]
    );
    for (attempt, request) in logged.iter().zip(receiver.received()) {
        let earlier = request.at.duration_since(time(&attempt["at"]));
        assert!(
            earlier.abs() < SignedDuration::from_secs(5),
            "{attempt} but came at {}",
            request.at
        );
    }
    let duration = logged[0]["durationMs"].as_u64().expect("a duration");
    assert!((300..10_000).contains(&duration), "{duration} ms");

    let answer = logged[0]["answer"].as_str().expect("the answer");
    assert!(
        answer.starts_with("<p>Wartung</p>ä") && (4_090..=4_096).contains(&answer.len()),
        "{} octets",
        answer.len()
    );
    assert_eq!(logged[0].get("error"), None, "the status says it");
    assert!(
        logged[1]["error"]
            .as_str()
            .is_some_and(|error| error.contains("redirects")),
        "{}",
        logged[1]
    );
    assert_eq!(
        (logged[2].get("error"), logged[2].get("answer")),
        (None, None)
    );
}

#[tokio::test]
async fn an_unreachable_receiver_gets_the_callback_at_a_new_address() {
    let port = TcpListener::bind(("127.0.0.1", 0))
        .expect("a free port")
        .local_addr()
        .expect("bound")
        .port();
    let setup = Setup::new().await;
    let receiver = setup.receiver().await;
    let pair = setup.pair_between_two_companies(&receiver.url()).await;
    let connection = format!("/v1/connections/{}", pair.connection_id);
    let closed_port = json!({"callback": {"url": format!("http://127.0.0.1:{port}/")}});
    let _ = pair.source.api.patch(&connection, closed_port).await.ok();

    let sale = pair.sell().await;
    let tried = setup
        .settle("a first attempt", async || {
            let listed = pair
                .source
                .api
                .all(&format!("/v1/callbacks?orderId={}", sale.order_id()))
                .await;
            listed
                .into_iter()
                .find(|callback| callback["attempts"] != 0 && callback["nextAttemptAt"].is_string())
                .ok_or("none yet")
        })
        .await;
    assert_eq!(tried["status"], "pending");
    let _ = pair
        .source
        .api
        .patch(&connection, json!({"callback": {"url": receiver.url()}}))
        .await
        .ok();

    let callback = pair
        .source
        .callback_about(sale.shared_subscription_id(), CREATED, "delivered")
        .await;
    let logged = attempts(&callback);
    assert_eq!(logged[0]["error"], "the receiver refused the connection");
    assert_eq!(
        (logged[0].get("statusCode"), logged[0].get("answer")),
        (None, None)
    );
    assert_eq!(
        logged.last().map(|attempt| &attempt["statusCode"]),
        Some(&Value::from(204))
    );
    assert_eq!(receiver.received().len(), 1);
}
