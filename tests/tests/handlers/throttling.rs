//! A table that DynamoDB throttles, in AWS's own shapes: how often a call is sent again, and its caller's answer.

use std::collections::BTreeSet;

use serde_json::json;
use tandem_store::{CommitError, Store, StoreError, Transaction, keys};
use tandem_testing::{Fault, TestTable, retries};
use tandem_tests::{InProcess, Module};

use crate::storing::{offer, owner};

/// A transaction of two new rows.
fn creation() -> Transaction {
    let mut transaction = Transaction::default();
    for number in [1, 2] {
        transaction.create(&offer(number)).expect("a row");
    }
    transaction
}

fn store() -> (TestTable, Store) {
    let table = TestTable::in_process();
    let store = Store::new(table.client.clone(), table.table_name.clone());
    (table, store)
}

fn attempts() -> usize {
    retries().max_attempts().try_into().expect("few")
}

#[tokio::test]
async fn a_throttled_or_busy_transaction_is_sent_again() {
    for codes in [
        &["TransactionConflict"][..],
        &["ThrottlingError", "ThrottlingError"],
        &["None", "ProvisionedThroughputExceeded"],
        &["TransactionConflict", "ThrottlingError"],
    ] {
        let (table, store) = store();
        table.faults.plan(0, Fault::Cancelled(codes));
        store.commit(creation()).await.expect("written");
        assert_eq!(
            (table.dump().len(), table.faults.calls().len()),
            (2, 2),
            "{codes:?}"
        );
    }
}

#[tokio::test]
async fn a_long_throttled_call_gets_all_attempts_and_says_why() {
    let (table, store) = store();
    table.faults.plan(0, Fault::Throttled);
    let committed = store.commit(creation()).await;
    assert!(
        matches!(committed, Err(CommitError::Store(StoreError::Throttled(_)))),
        "{committed:?}"
    );
    let mut sent = table.faults.calls().len();
    assert_eq!(sent, attempts(), "a transaction");
    let key = keys::offer(owner(), offer(1).id);
    let read = [
        store.get(&key).await.map(drop),
        store.load((&key, &key)).await.map(drop),
        store
            .page(&keys::offers_of(owner()), None, 1, |_| true)
            .await
            .map(drop),
    ];
    for read in read {
        assert!(matches!(read, Err(StoreError::Throttled(_))), "{read:?}");
        sent += attempts();
    }
    assert_eq!(table.faults.calls().len(), sent, "each read");
    assert_eq!(usize::try_from(store.throttled()), Ok(sent));
}

#[tokio::test]
async fn a_failed_condition_beside_a_throttled_row_is_a_conflict() {
    let (table, store) = store();
    let codes = &["ThrottlingError", "ConditionalCheckFailed"];
    table.faults.plan(0, Fault::Cancelled(codes));
    let error = store.commit(creation()).await.expect_err("a conflict");
    let concerns = |number| error.concerns(&keys::offer(owner(), offer(number).id));
    assert_eq!((concerns(1), concerns(2)), (false, true), "{error:?}");
    assert_eq!(table.faults.calls().len(), 1);
}

#[tokio::test]
async fn a_row_that_dynamodb_rejects_is_not_sent_again() {
    let (table, store) = store();
    table
        .faults
        .plan(0, Fault::Cancelled(&["None", "ValidationError"]));
    let committed = store.commit(creation()).await;
    assert!(
        matches!(committed, Err(CommitError::Store(StoreError::Rejected(_)))),
        "{committed:?}"
    );
    assert_eq!(table.faults.calls().len(), 1);
}

#[tokio::test]
async fn unprocessed_keys_of_a_batch_are_read_again() {
    let (table, store) = store();
    store.commit(creation()).await.expect("written");
    table.faults.plan(0, Fault::Unprocessed);
    let key = |number| keys::offer(owner(), offer(number).id);
    let rows = store.load((key(1), key(2))).await.expect("read");
    assert!(rows.0.is_some() && rows.1.is_some());
    assert_eq!(table.faults.calls().len(), 2);
}

#[tokio::test]
async fn a_throttled_request_is_answered_503_and_repeated() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    let company = setup.company("Verlag", Module::On).await;
    let client = setup.client(&company, "Zeitung", "de").await;
    let body =
        json!({"name": "Abo", "type": "single", "price": {"amount": 100, "currency": "EUR"}});
    let create = || client.api.post_with_key("/v1/offers", "once", body.clone());
    stage.table.faults.plan(0, Fault::ThrottledWrites);
    let refused = create().await;
    assert_eq!(
        (refused.status, &refused.headers["retry-after"]),
        (503, &"1".parse().expect("a value"))
    );
    assert!(stage.rows_of("offer").is_empty());
    stage.table.faults.clear();
    let _ = create().await.created();
    stage
        .table
        .faults
        .plan(1, Fault::Cancelled(&["ValidationError"]));
    let failed = client.api.post_with_key("/v1/offers", "other", body).await;
    assert_eq!(failed.body["code"], "internal", "{failed:?}");
}

#[tokio::test]
async fn each_sweep_begins_with_another_shard() {
    let stage = InProcess::start().await;
    let mut firsts = BTreeSet::new();
    for _ in 0..3 {
        stage.table.reset_calls();
        stage.sweep.sweep().await.expect("swept");
        let reads = stage.table.reads();
        let swept: BTreeSet<&String> = reads.iter().map(|read| &read.pk).collect();
        assert_eq!((reads.len(), swept.len()), (64, 64), "each shard once");
        firsts.insert(reads[0].pk.clone());
        stage.advance(60);
    }
    assert_eq!(firsts.len(), 3, "{firsts:?}");
}
