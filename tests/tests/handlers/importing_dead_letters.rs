//! A chunk that no worker can handle is put aside, and its promise says so; the others go on. A redriven message finishes it.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tandem_domain::import::chunk::MAX_LEASES;
use tandem_queue::{DeadLetterReason, Message};
use tandem_testing::{Fault, Lost};

use crate::importing::{Importing, results};

/// An import of two chunks: its promise, and the messages of the first chunk and the second.
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

/// The message is so many times in the dead-letter queue, with its reason, and no other one is.
fn are_dead_letters(
    importing: &Importing,
    message: &Message,
    times: usize,
    reason: &DeadLetterReason,
) {
    let letters = importing.house.dead_letters();
    assert_eq!(letters.len(), times);
    assert!(
        letters
            .iter()
            .all(|letter| letter.body == message.encode() && letter.reason == *reason),
        "{letters:?}"
    );
}

/// The promise runs, its first chunk is put aside, its second one done, and nothing is due.
async fn is_put_aside(importing: &Importing, promise: &str) {
    let told = importing.promise(promise).await;
    assert_eq!(
        (&told["state"], &told["stuckItems"]),
        (&json!("running"), &json!([{"from": 0, "to": 24}]))
    );
    assert_eq!(
        (&told["counts"]["created"], &told["counts"]["pending"]),
        (&json!(5), &json!(25))
    );
    importing.house.advance(86_400);
    assert!(
        importing.house.import_messages().await.is_empty(),
        "nothing is due"
    );
}

async fn is_finished(importing: &Importing, promise: &str) {
    let told = importing.promise(promise).await;
    assert_eq!(
        (&told["state"], &told["stuckItems"]),
        (&json!("completed"), &json!([]))
    );
    assert_eq!(
        (&told["counts"]["created"], results(&told).len()),
        (&json!(30), 30)
    );
    assert_eq!(importing.rows("order").len(), 30);
}

#[tokio::test]
async fn a_chunk_whose_row_cannot_be_read_ends_aside_and_a_redrive_finishes_it_after_the_row_was_mended()
 {
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

/// Lets workers die over a message until the chunk was begun as often as it may be.
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
async fn a_chunk_over_which_workers_die_ends_aside_and_a_redrive_finishes_it() {
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
async fn messages_that_stood_in_the_queue_when_a_chunk_was_put_aside_do_not_begin_it_anew() {
    let importing = Importing::new().await;
    let (promise, first, second) = two_chunks(&importing).await;
    let sent_before = importing.house.clock.now();
    kill_workers(&importing, &first).await;
    let both = [first, second];
    assert!(importing.house.import(&both, 3).await.is_empty());
    importing.house.advance(1);
    // The sweep may have sent one each minute while the chunk was due; each is received for the first time.
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
