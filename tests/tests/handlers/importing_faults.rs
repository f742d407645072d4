//! Imports that are repeated, concurrent, out of order, or overtaken by other changes.

use std::collections::BTreeSet;

use futures::future::{join, join_all};
use serde_json::{Value, json};
use tandem_queue::Message;
use tandem_store::{Transaction, keys};

use crate::importing::{Importing, results};

const MANY: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_concurrent_imports_with_one_key_make_one_promise() {
    let importing = Importing::new().await;
    let body =
        json!({"items": [importing.item("A-1", json!({})), importing.item("A-2", json!({}))]});
    let send = || {
        importing.house.post(
            &importing.client.who,
            "/v1/imports/orders",
            "once",
            body.clone(),
        )
    };
    let answers = join_all((0..MANY).map(|_| send())).await;
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
    let promises: BTreeSet<String> = answers
        .into_iter()
        .map(|answer| {
            answer.expect(202)["promiseId"]
                .as_str()
                .expect("an id")
                .to_owned()
        })
        .collect();
    assert_eq!(promises.len(), 1);
    assert_eq!(
        (
            importing.rows("promise").len(),
            importing.rows("chunk#").len(),
            importing.rows("items#").len()
        ),
        (1, 1, 1)
    );
    importing.house.work().await;
    assert_eq!(
        (
            importing.rows("order").len(),
            importing.rows("subscription").len()
        ),
        (2, 2)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_concurrent_imports_the_one_accepted_later_wins() {
    let importing = Importing::new().await;
    for round in 0..MANY {
        let id = format!("A-{round}");
        let earlier = importing
            .accept(&[importing.item(&id, json!({"quantity": 1}))])
            .await;
        let later = importing
            .accept(&[importing.item(&id, json!({"quantity": 2}))])
            .await;
        let messages = importing.house.import_messages().await;
        assert_eq!(messages.len(), 2);
        let run = |message: &Message| {
            let message = message.clone();
            let house = &importing.house;
            async move { house.import(&[message], 1).await }
        };
        let failed = join(run(&messages[0]), run(&messages[1])).await;
        assert_eq!(failed, (vec![], vec![]), "round {round}");
        let (earlier, later) = (
            importing.promise(&earlier).await,
            importing.promise(&later).await,
        );
        let outcome = (results(&earlier)[0], results(&later)[0]);
        assert!(
            [("created", "updated"), ("superseded", "created")].contains(&outcome),
            "round {round}: {outcome:?}"
        );
        assert_eq!(earlier["items"][0]["externalSystemId"], id.as_str());
        let sold = importing
            .get(&format!(
                "/v1/subscriptions/{}",
                text(&later["items"][0]["subscriptionId"])
            ))
            .await;
        assert_eq!(sold["quantity"], 2, "round {round}");
    }
    assert_eq!(
        (
            importing.rows("order").len(),
            importing.rows("subscription").len()
        ),
        (MANY, MANY)
    );
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

#[tokio::test]
async fn a_customer_missing_at_run_time_fails_those_items_only() {
    let importing = Importing::new().await;
    let other = importing
        .house
        .customer(&importing.client, "bob@example.com")
        .await;
    let items = [
        importing.item("1", json!({"invoiceCustomerId": other})),
        importing.item("2", json!({"deliveryCustomerId": other})),
        importing.item("3", json!({})),
    ];
    let promise = importing.accept(&items).await;
    // The API cannot delete a customer without a trace; the test deletes the row.
    let mut gone = Transaction::default();
    let (company, customer) = (
        importing.client.company.parse().expect("an id"),
        other.parse().expect("an id"),
    );
    gone.delete(&keys::customer(company, customer));
    importing
        .house
        .app
        .store
        .commit(gone)
        .await
        .expect("deleted");
    importing.house.work().await;
    let promise = importing.promise(&promise).await;
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
    assert_eq!(importing.rows("order").len(), 1);
}

#[tokio::test]
async fn messages_delivered_twice_and_in_reverse_apply_once() {
    let importing = Importing::new().await;
    let items: Vec<Value> = (0..60)
        .map(|number| importing.item(&format!("A-{number}"), json!({})))
        .collect();
    let first = importing.accept(&items).await;
    let changed: Vec<Value> = (0..60)
        .map(|number| importing.item(&format!("A-{number}"), json!({"quantity": 1 + number % 2})))
        .collect();
    let second = importing.accept(&changed).await;
    let mut messages = importing.house.import_messages().await;
    assert_eq!(messages.len(), 6);
    messages.sort_by(|a, b| (&b.pk, &b.sk).cmp(&(&a.pk, &a.sk)));
    for message in &messages {
        // Both copies at once, then the first one again.
        let copies = [message.clone(), message.clone()];
        assert!(importing.house.import(&copies, 1).await.is_empty());
        assert!(importing.house.import(&copies[..1], 2).await.is_empty());
    }
    importing.house.work().await;
    let (first, second) = (
        importing.promise(&first).await,
        importing.promise(&second).await,
    );
    assert_eq!(
        (&first["counts"]["superseded"], &first["state"]),
        (&json!(60), &json!("completed"))
    );
    assert_eq!(
        (&second["counts"]["created"], &second["state"]),
        (&json!(60), &json!("completed"))
    );
    assert_eq!(importing.rows("log#").len(), 120);
    let quantities: Vec<u64> = importing
        .rows("subscription")
        .iter()
        .filter_map(|row| row["quantity"].as_u64())
        .collect();
    assert_eq!((quantities.len(), quantities.iter().sum::<u64>()), (60, 90));
    assert!(
        importing
            .rows("order")
            .iter()
            .all(|row| row["version"] == 1),
        "nothing was written twice"
    );
}
