//! Imports that are repeated, concurrent, out of order, or overtaken by other changes.

use std::collections::BTreeSet;

use futures::future::{join, join_all};
use serde_json::{Value, json};
use tandem_queue::Message;
use tandem_store::{Transaction, keys};
use tandem_tests::{Answer, id};

use crate::import_scene::{ImportScene, results};

const MANY: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_concurrent_imports_with_one_key_make_one_promise() {
    let scene = ImportScene::new().await;
    let body = json!({"items": [scene.item("A-1", json!({})), scene.item("A-2", json!({}))]});
    let api = &scene.client().api;
    let send = || api.post_with_key("/v1/imports/orders", "once", body.clone());
    let answers = join_all((0..MANY).map(|_| send())).await;
    let first = |answer: &&Answer| !answer.is_repeated();
    assert_eq!(answers.iter().filter(first).count(), 1);
    let promises: BTreeSet<String> = answers
        .into_iter()
        .map(|answer| {
            answer.accepted()["promiseId"]
                .as_str()
                .expect("an id")
                .to_owned()
        })
        .collect();
    assert_eq!(promises.len(), 1);
    assert_eq!(
        (
            scene.rows("promise").len(),
            scene.rows("chunk#").len(),
            scene.rows("items#").len()
        ),
        (1, 1, 1)
    );
    scene.stage.work().await;
    assert_eq!(scene.orders().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_concurrent_imports_the_one_accepted_later_wins() {
    let scene = ImportScene::new().await;
    for round in 0..MANY {
        let id = format!("A-{round}");
        let earlier = scene
            .accept(&[scene.item(&id, json!({"quantity": 1}))])
            .await;
        let later = scene
            .accept(&[scene.item(&id, json!({"quantity": 2}))])
            .await;
        let messages = scene.stage.import_messages().await;
        assert_eq!(messages.len(), 2);
        let run = |message: &Message| {
            let message = message.clone();
            let stage = &scene.stage;
            async move { stage.import(&[message], 1).await }
        };
        let failed = join(run(&messages[0]), run(&messages[1])).await;
        assert_eq!(failed, (vec![], vec![]), "round {round}");
        let (earlier, later) = (scene.promise(&earlier).await, scene.promise(&later).await);
        let outcome = (results(&earlier)[0], results(&later)[0]);
        assert!(
            [("created", "updated"), ("superseded", "created")].contains(&outcome),
            "round {round}: {outcome:?}"
        );
        assert_eq!(earlier["items"][0]["externalSystemId"], id.as_str());
        let sold = scene
            .get(&format!(
                "/v1/subscriptions/{}",
                text(&later["items"][0]["subscriptionId"])
            ))
            .await;
        assert_eq!(sold["quantity"], 2, "round {round}");
    }
    assert_eq!(scene.orders().len(), MANY);
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

#[tokio::test]
async fn a_customer_missing_at_run_time_fails_those_items_only() {
    let scene = ImportScene::new().await;
    let other = scene.client().customer().await;
    let other = id(&other);
    let items = [
        scene.item("1", json!({"invoiceCustomerId": other})),
        scene.item("2", json!({"deliveryCustomerId": other})),
        scene.item("3", json!({})),
    ];
    let promise = scene.accept(&items).await;
    // The API cannot delete a customer without a trace; the test deletes the row.
    let mut gone = Transaction::default();
    let (company, customer) = (
        scene.client().company.id.parse().expect("an id"),
        other.parse().expect("an id"),
    );
    gone.delete(&keys::customer(company, customer));
    scene.stage.app.store.commit(gone).await.expect("deleted");
    scene.stage.work().await;
    let promise = scene.promise(&promise).await;
    assert_eq!(
        (results(&promise), &promise["state"]),
        (
            vec!["failed", "failed", "created"],
            &json!("completedWithErrors")
        )
    );
    assert_eq!(promise["items"][0]["error"]["code"], "customer_not_found");
    assert_eq!(
        promise["items"][1]["error"]["code"],
        "delivery_customer_not_found"
    );
    assert_eq!(scene.orders().len(), 1);
}

#[tokio::test]
async fn messages_delivered_twice_and_in_reverse_apply_once() {
    let scene = ImportScene::new().await;
    let items: Vec<Value> = (0..60)
        .map(|number| scene.item(&format!("A-{number}"), json!({})))
        .collect();
    let first = scene.accept(&items).await;
    let changed: Vec<Value> = (0..60)
        .map(|number| scene.item(&format!("A-{number}"), json!({"quantity": 1 + number % 2})))
        .collect();
    let second = scene.accept(&changed).await;
    let mut messages = scene.stage.import_messages().await;
    assert_eq!(messages.len(), 6);
    messages.sort_by(|a, b| (&b.pk, &b.sk).cmp(&(&a.pk, &a.sk)));
    for message in &messages {
        // Both copies at once, then the first one again.
        let copies = [message.clone(), message.clone()];
        assert!(scene.stage.import(&copies, 1).await.is_empty());
        assert!(scene.stage.import(&copies[..1], 2).await.is_empty());
    }
    scene.stage.work().await;
    let (first, second) = (scene.promise(&first).await, scene.promise(&second).await);
    assert_eq!(
        (&first["counts"]["superseded"], &first["state"]),
        (&json!(60), &json!("completed"))
    );
    assert_eq!(
        (&second["counts"]["created"], &second["state"]),
        (&json!(60), &json!("completed"))
    );
    let log = scene.client().api.all("/v1/imports/orders/logs").await;
    assert_eq!(log.len(), 120);
    let quantities: Vec<u64> = scene
        .client()
        .api
        .all("/v1/subscriptions")
        .await
        .iter()
        .filter_map(|row| row["quantity"].as_u64())
        .collect();
    assert_eq!((quantities.len(), quantities.iter().sum::<u64>()), (60, 90));
    assert!(
        scene.orders().iter().all(|row| row["version"] == 2),
        "each import wrote once"
    );
}
