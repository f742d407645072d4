//! An unprocessable chunk becomes a dead letter and its promise shows it; other chunks continue. A redriven message finishes it.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tandem_domain::import::chunk::MAX_LEASES;
use tandem_queue::{DeadLetterReason, Message};
use tandem_testing::{Fault, Lost};

use crate::import_scene::{ImportScene, results};

/// An import of two chunks: its promise and both messages.
async fn two_chunks(scene: &ImportScene) -> (String, Message, Message) {
    let items: Vec<Value> = (0..30)
        .map(|number| scene.item(&format!("A-{number}"), json!({})))
        .collect();
    let promise = scene.accept(&items).await;
    let mut messages = scene.stage.import_messages().await;
    messages.sort_by(|a, b| a.sk.cmp(&b.sk));
    let [first, second] = messages.try_into().expect("two chunks");
    (promise, first, second)
}

/// Checks that the dead-letter queue holds only this message, this many times, with its reason.
fn are_dead_letters(
    scene: &ImportScene,
    message: &Message,
    times: usize,
    reason: &DeadLetterReason,
) {
    let dead_letters = scene.stage.dead_letters();
    assert_eq!(dead_letters.len(), times);
    assert!(
        dead_letters.iter().all(
            |dead_letter| dead_letter.body == message.encode() && dead_letter.reason == *reason
        ),
        "{dead_letters:?}"
    );
}

/// Checks that the promise runs, its first chunk is a dead letter, its second is done, and nothing is due.
async fn has_a_stuck_chunk(scene: &ImportScene, promise: &str) {
    let promise_view = scene.promise(promise).await;
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
    scene.stage.advance(86_400);
    assert!(
        scene.stage.import_messages().await.is_empty(),
        "nothing is due"
    );
}

async fn is_finished(scene: &ImportScene, promise: &str) {
    let promise_view = scene.promise(promise).await;
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
    assert_eq!(scene.orders().len(), 30);
}

#[tokio::test]
async fn a_redrive_finishes_a_corrupt_chunk_after_its_repair() {
    for (sk, name) in [("items#000", "packed"), ("chunk#000", "tries")] {
        let scene = ImportScene::new().await;
        let (promise, first, second) = two_chunks(&scene).await;
        let scribbled = AttributeValue::S("scribbled".to_owned());
        let good = scene.stage.overwrite(&first.pk, sk, name, scribbled).await;
        let both = [first.clone(), second];
        assert!(
            scene.stage.import(&both, 1).await.is_empty(),
            "{sk}: nothing comes again"
        );
        are_dead_letters(&scene, &first, 1, &DeadLetterReason::CorruptRow);
        has_a_stuck_chunk(&scene, &promise).await;
        scene.stage.overwrite(&first.pk, sk, name, good).await;
        assert!(
            scene.stage.import(&both[..1], 1).await.is_empty(),
            "{sk}: redriven"
        );
        is_finished(&scene, &promise).await;
    }
}

/// Kills workers on a message until the chunk has no leases left.
async fn kill_workers(scene: &ImportScene, message: &Message) {
    let faults = &scene.stage.table.faults;
    for _ in 0..MAX_LEASES {
        // The call after the lease.
        faults.plan(2, Fault::Death(Lost::Request));
        tokio::select! {
            failed = scene.stage.import(std::slice::from_ref(message), 2) => panic!("lived: {failed:?}"),
            () = faults.died() => {}
        }
        faults.clear();
        scene.stage.advance(90);
    }
}

#[tokio::test]
async fn a_redrive_finishes_a_chunk_that_killed_its_workers() {
    let scene = ImportScene::new().await;
    let (promise, first, second) = two_chunks(&scene).await;
    kill_workers(&scene, &first).await;
    let both = [first, second];
    assert!(scene.stage.import(&both, 3).await.is_empty());
    are_dead_letters(&scene, &both[0], 1, &DeadLetterReason::TooManyTries);
    has_a_stuck_chunk(&scene, &promise).await;
    assert!(
        scene.stage.import(&both[..1], 1).await.is_empty(),
        "redriven"
    );
    is_finished(&scene, &promise).await;
}

#[tokio::test]
async fn queued_messages_do_not_restart_a_dead_lettered_chunk() {
    let scene = ImportScene::new().await;
    let (promise, first, second) = two_chunks(&scene).await;
    let sent_before = scene.stage.clock.now();
    kill_workers(&scene, &first).await;
    let both = [first, second];
    assert!(scene.stage.import(&both, 3).await.is_empty());
    scene.stage.advance(1);
    // The sweep may have sent a message each minute while the chunk was due; each is received for the first time.
    for _ in 0..3 {
        assert!(
            scene
                .stage
                .import_sent(&both[..1], 1, sent_before)
                .await
                .is_empty()
        );
    }
    are_dead_letters(&scene, &both[0], 4, &DeadLetterReason::TooManyTries);
    has_a_stuck_chunk(&scene, &promise).await;
}
