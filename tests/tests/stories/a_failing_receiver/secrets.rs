//! The source tests its receiver and rotates the signing secret without losing a callback.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tandem_tests::{Pair, Received, Receiver, Setup, id, is_signed_with, verified};

use super::time;

/// Requests a test event and waits for its delivery.
async fn tested(pair: &Pair, receiver: &Receiver) -> (Value, Received) {
    let asked = pair
        .source
        .api
        .act(&format!(
            "/v1/connections/{}/callback/test",
            pair.connection_id
        ))
        .await;
    let location = asked.header("location").map(str::to_owned);
    let callback = asked.accepted();
    assert_eq!(location, Some(format!("/v1/callbacks/{}", id(&callback))));
    let callback = pair
        .source
        .api
        .settle("the test event to be delivered", async || {
            let callback = pair
                .source
                .api
                .get(&format!("/v1/callbacks/{}", id(&callback)))
                .await
                .ok();
            if callback["status"] == "delivered" {
                Ok(callback)
            } else {
                Err(callback.to_string())
            }
        })
        .await;
    let of_it = |request: &Received| request.webhook_id() == id(&callback);
    let received = receiver
        .received()
        .into_iter()
        .find(of_it)
        .expect("what was delivered has come");
    (callback, received)
}

fn signatures(received: &Received) -> Vec<&str> {
    received.headers["webhook-signature"]
        .to_str()
        .expect("text")
        .split(' ')
        .collect()
}

#[tokio::test]
async fn a_test_event_is_delivered_like_every_callback() {
    let setup = Setup::new().await;
    let receiver = setup.receiver().await;
    let pair = setup.pair_between_two_companies(&receiver.url()).await;
    let (callback, received) = tested(&pair, &receiver).await;
    let body = verified(&received, pair.secret());
    assert_eq!(
        (&body["type"], &body["data"]),
        (
            &json!("connection.test"),
            &json!({"connectionId": pair.connection_id})
        )
    );
    assert_eq!(
        (&callback["type"], &callback["body"]),
        (&body["type"], &body)
    );
    assert_eq!(
        (&callback["orderId"], &callback["subscriptionId"]),
        (&Value::Null, &Value::Null)
    );

    let path = format!("/v1/connections/{}/callback/test", pair.connection_id);
    pair.target
        .api
        .act(&path)
        .await
        .problem(403, "connection_read_only");
    let within = setup.pair_within_one_company().await;
    let refused = within
        .source
        .api
        .act(&format!(
            "/v1/connections/{}/callback/test",
            within.connection_id
        ))
        .await;
    assert_eq!(
        refused.fields(),
        [("callback".to_owned(), "within_one_company".to_owned())],
        "{refused}"
    );
}

#[tokio::test]
async fn callbacks_have_both_signatures_for_a_day_after_a_rotation() {
    let setup = Setup::new().await;
    let receiver = setup.receiver().await;
    let pair = setup.pair_between_two_companies(&receiver.url()).await;
    let (_, before) = tested(&pair, &receiver).await;
    assert_eq!(signatures(&before).len(), 1);

    let path = format!(
        "/v1/connections/{}/callback/rotate-secret",
        pair.connection_id
    );
    pair.target
        .api
        .act(&path)
        .await
        .problem(403, "connection_read_only");
    let rotated = pair.source.api.act(&path).await.ok();
    let new = rotated["secret"].as_str().expect("shown this once");
    assert!(new.starts_with("whsec_") && new != pair.secret());
    let overlap = time(&rotated["previousValidUntil"]).duration_since(setup.now());
    assert!(
        (overlap - SignedDuration::from_hours(24)).abs() < SignedDuration::from_mins(1),
        "{overlap}"
    );

    let (callback, after) = tested(&pair, &receiver).await;
    assert!(
        matches!(signatures(&after).as_slice(), [one, other] if one.starts_with("v1,") && other.starts_with("v1,"))
    );
    for secret in [pair.secret(), new] {
        assert_eq!(verified(&after, secret), callback["body"]);
    }
    assert!(
        !is_signed_with(&before, new),
        "earlier callbacks are not signed with the new secret"
    );
    let connection = pair.source.connection(&pair.connection_id).await;
    assert!(
        !connection.to_string().contains("whsec_"),
        "no secret is shown again"
    );
    assert_eq!(
        connection["history"][0]["action"], "secretRotated",
        "{connection}"
    );
}
