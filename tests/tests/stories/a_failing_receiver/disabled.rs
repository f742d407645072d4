//! After a 410, nothing is sent until the source enables the endpoint again.

use serde_json::{Value, json};
use tandem_tests::{Pair, Receiver, Reply, Sale, Setup, id, verified};

use super::{CREATED, attempts, replay, replay_many, status_codes};

async fn disabled(setup: &Setup, receiver: &Receiver) -> (Pair, Sale, Value) {
    receiver.answer_always(Reply::status(410).body("moved away"));
    let pair = setup.pair_between_two_companies(&receiver.url()).await;
    let sale = pair.sell().await;
    let held = pair
        .source
        .callback_about(sale.shared_subscription_id(), CREATED, "held")
        .await;
    assert_eq!(
        (&held["attempts"], status_codes(&held)),
        (&json!(1), vec![410])
    );
    (pair, sale, held)
}

#[tokio::test]
async fn after_410_sales_continue_and_callbacks_wait_for_a_replay() {
    let setup = Setup::new().await;
    let receiver = setup.receiver().await;
    let (pair, _, first) = disabled(&setup, &receiver).await;
    let connection = pair.source.connection(&pair.connection_id).await;
    assert!(
        connection["callback"]["disabledAt"].is_string(),
        "{connection}"
    );
    let reason = connection["callback"]["disabledReason"]
        .as_str()
        .unwrap_or_default();
    assert!(
        reason.contains("410") && reason.contains(id(&first)),
        "{connection}"
    );
    let mail = pair
        .source
        .mail_about("Your callback address has been disabled")
        .await;
    assert!(
        mail.text.contains(id(&first)) && mail.text.contains(&pair.connection_id),
        "{}",
        mail.text
    );

    let second = pair.sell().await;
    let second = pair
        .source
        .callback_about(second.shared_subscription_id(), CREATED, "held")
        .await;
    assert_eq!(
        (&second["attempts"], attempts(&second)),
        (&json!(0), Vec::new())
    );
    assert_eq!(
        receiver.received().len(),
        1,
        "the second sale is held without a call"
    );

    receiver.answer_always(Reply::status(200));
    let both = [id(&first), id(&second)];
    let replayed = replay_many(&pair.source, &both).await.accepted();
    let mut ids: Vec<&str> = replayed["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(id)
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, both);
    for (callback, codes) in [(&first, vec![410, 200]), (&second, vec![200])] {
        let subscription = callback["subscriptionId"].as_str().expect("an id");
        let delivered = pair
            .source
            .callback_about(subscription, CREATED, "delivered")
            .await;
        assert_eq!(
            (id(&delivered), status_codes(&delivered)),
            (id(callback), codes)
        );
    }
    let received = receiver.received();
    let mut sent: Vec<&str> = received[1..]
        .iter()
        .map(|request| request.webhook_id())
        .collect();
    sent.sort_unstable();
    assert_eq!(
        sent, both,
        "each once, with the id it has had from the start"
    );
    for request in &received {
        let _ = verified(request, pair.secret());
    }
    let connection = pair.source.connection(&pair.connection_id).await;
    assert_eq!(
        connection["callback"]["disabledAt"],
        Value::Null,
        "who asks for a replay takes callbacks again"
    );
    let _only_one = pair.source.mail_about("disabled").await;
}

#[tokio::test]
async fn a_new_address_gets_new_callbacks_and_replays_of_held_ones() {
    let setup = Setup::new().await;
    let (gone, receiver) = (setup.receiver().await, setup.receiver().await);
    let (pair, _, first) = disabled(&setup, &gone).await;
    let path = format!("/v1/connections/{}", pair.connection_id);
    let _ = pair
        .source
        .api
        .patch(&path, json!({"callback": {"url": receiver.url()}}))
        .await
        .ok();
    assert_eq!(
        pair.source.connection(&pair.connection_id).await["callback"]["disabledAt"],
        Value::Null
    );

    let second = pair.sell().await;
    let _ = pair
        .source
        .callback_about(second.shared_subscription_id(), CREATED, "delivered")
        .await;
    let subscription = first["subscriptionId"].as_str().expect("an id");
    let _still = pair
        .source
        .callback_about(subscription, CREATED, "held")
        .await;
    let _ = replay(&pair.source, &first).await.accepted();
    let _ = pair
        .source
        .callback_about(subscription, CREATED, "delivered")
        .await;
    let received = receiver.received();
    assert_eq!((received.len(), received[1].webhook_id()), (2, id(&first)));
    assert_eq!(gone.received().len(), 1);
}

#[tokio::test]
async fn a_client_replays_only_its_own_callbacks_all_or_none() {
    let setup = Setup::new().await;
    let receiver = setup.receiver().await;
    let (pair, _, held) = disabled(&setup, &receiver).await;
    replay(&pair.target, &held)
        .await
        .problem(404, "callback_not_found");
    let unknown = "cbk_0190b8f5c6f77c3ab0a1c2d3e4f50617";
    for (client, ids) in [
        (&pair.target, vec![id(&held)]),
        (&pair.source, vec![id(&held), unknown]),
    ] {
        let refused = replay_many(client, &ids).await;
        assert_eq!(
            refused.fields(),
            [("callbackIds".to_owned(), "not_found".to_owned())],
            "{refused}"
        );
        refused.problem(422, "invalid_fields");
    }
    let after = pair
        .source
        .api
        .get(&format!("/v1/callbacks/{}", id(&held)))
        .await
        .ok();
    assert_eq!(after, held);
    assert!(
        pair.source.connection(&pair.connection_id).await["callback"]["disabledAt"].is_string()
    );
}
