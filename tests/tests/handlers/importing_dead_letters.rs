//! An unprocessable chunk becomes a dead letter and its promise shows it; other chunks continue. A redriven message finishes it.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tandem_domain::import::chunk::MAX_LEASES;
use tandem_queue::{DeadLetterReason, Message};
use tandem_testing::{Fault, Lost};

use crate::importing::{Importing, results};

/// An import of two chunks: its promise and both messages.
async fn two_chunks(importing: &Importing) -> (String, Message, Message) {
    let items: Vec<Value> = (0..30)
        .map(|number| importing.item(&format!("A-{number}"), json!({})))
        .collect();
    let promise = importing.accept(&items).await;
    let mut messages = importing.house.import_messages().await;
    messages.sort_by(|a, b| a.sk.cmp(&b.sk));
    let [first, second] = messages.try_into().expect("two chunks");
    (promise, first, second)
}

/// Checks that the dead-letter queue holds only this message, this many times, with its reason.
fn are_dead_letters(
    importing: &Importing,
    message: &Message,
    times: usize,
    reason: &DeadLetterReason,
) {
    let dead_letters = importing.house.dead_letters();
    assert_eq!(dead_letters.len(), times);
    assert!(
        dead_letters.iter().all(
            |dead_letter| dead_letter.body == message.encode() && dead_letter.reason == *reason
        ),
        "{dead_letters:?}"
    );
}

/// Checks that the promise runs, its first chunk is a dead letter, its second is done, and nothing is due.
async fn is_put_aside(importing: &Importing, promise: &str) {
    let promise_view = importing.promise(promise).await;
    assert_eq!(
        (&promise_view["state"], &promise_view["stuckItems"]),
        (&json!("running"), &json!([{"from": 0, "to": 24}]))
    );
    assert_eq!(
        (
            &promise_view["counts"]["created"],
            &promise_view["counts"]["pending"]
        ),
        (&json!(5), &json!(25))
    );
    importing.house.advance(86_400);
    assert!(
        importing.house.import_messages().await.is_empty(),
        "nothing is due"
    );
}

async fn is_finished(importing: &Importing, promise: &str) {
    let promise_view = importing.promise(promise).await;
    assert_eq!(
        (&promise_view["state"], &promise_view["stuckItems"]),
        (&json!("completed"), &json!([]))
    );
    assert_eq!(
        (
            &promise_view["counts"]["created"],
            results(&promise_view).len()
        ),
        (&json!(30), 30)
    );
    assert_eq!(importing.rows("order").len(), 30);
}

#[tokio::test]
async fn a_redrive_finishes_a_corrupt_chunk_after_its_repair() {
    for (sk, name) in [("items#000", "items"), ("chunk#000", "tries")] {
        let importing = Importing::new().await;
        let (promise, first, second) = two_chunks(&importing).await;
        let scribbled = AttributeValue::S("scribbled".to_owned());
        let good = importing
            .house
            .overwrite(&first.pk, sk, name, scribbled)
            .await;
        let both = [first.clone(), second];
        assert!(
            importing.house.import(&both, 1).await.is_empty(),
            "{sk}: nothing comes again"
        );
        are_dead_letters(&importing, &first, 1, &DeadLetterReason::CorruptRow);
        is_put_aside(&importing, &promise).await;
        importing.house.overwrite(&first.pk, sk, name, good).await;
        assert!(
            importing.house.import(&both[..1], 1).await.is_empty(),
            "{sk}: redriven"
        );
        is_finished(&importing, &promise).await;
    }
}

/// Kills workers on a message until the chunk has no leases left.
async fn kill_workers(importing: &Importing, message: &Message) {
    let faults = &importing.house.table.faults;
    for _ in 0..MAX_LEASES {
        // The call after the lease.
        faults.plan(2, Fault::Death(Lost::Request));
        tokio::select! {
            failed = importing.house.import(std::slice::from_ref(message), 2) => panic!("lived: {failed:?}"),
            () = faults.died() => {}
        }
        faults.clear();
        importing.house.advance(90);
    }
}

#[tokio::test]
async fn a_redrive_finishes_a_chunk_that_killed_its_workers() {
    let importing = Importing::new().await;
    let (promise, first, second) = two_chunks(&importing).await;
    kill_workers(&importing, &first).await;
    let both = [first, second];
    assert!(importing.house.import(&both, 3).await.is_empty());
    are_dead_letters(&importing, &both[0], 1, &DeadLetterReason::TooManyTries);
    is_put_aside(&importing, &promise).await;
    assert!(
        importing.house.import(&both[..1], 1).await.is_empty(),
        "redriven"
    );
    is_finished(&importing, &promise).await;
}

#[tokio::test]
async fn queued_messages_do_not_restart_a_dead_lettered_chunk() {
    let importing = Importing::new().await;
    let (promise, first, second) = two_chunks(&importing).await;
    let sent_before = importing.house.clock.now();
    kill_workers(&importing, &first).await;
    let both = [first, second];
    assert!(importing.house.import(&both, 3).await.is_empty());
    importing.house.advance(1);
    // The sweep may have sent a message each minute while the chunk was due; each is received for the first time.
    for _ in 0..3 {
        assert!(
            importing
                .house
                .import_sent(&both[..1], 1, sent_before)
                .await
                .is_empty()
        );
    }
    are_dead_letters(&importing, &both[0], 4, &DeadLetterReason::TooManyTries);
    is_put_aside(&importing, &promise).await;
}
