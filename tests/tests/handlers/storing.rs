//! The store alone: conflicts, expired rows, and pages that examine many rows to find few.

use jiff::Timestamp;
use serde_json::json;
use tandem_domain::connection::Side;
use tandem_domain::ids::{ClientId, OfferId};
use tandem_domain::offer::{Offer, OfferDraft};
use tandem_domain::payout::Payout;
use tandem_domain::text::Name;
use tandem_store::page::MAX_EXAMINED;
use tandem_store::rows::IdempotencyRecord;
use tandem_store::{CommitError, Store, Transaction, keys};
use tandem_testing::{Fault, Lost, TestTable};
use uuid::Uuid;

pub(crate) fn owner() -> ClientId {
    ClientId::from(Uuid::from_u128(7))
}

pub(crate) fn offer(number: u128) -> Offer {
    let body = json!({"name": format!("Nr. {number}"), "type": "single", "price": {"amount": 1, "currency": "EUR"}});
    OfferDraft::parse(&body).expect("valid").create(
        OfferId::from(Uuid::from_u128(number)),
        owner(),
        Timestamp::UNIX_EPOCH,
    )
}

async fn table() -> (TestTable, Store) {
    let table = TestTable::new().await;
    let store = Store::new(table.client.clone(), table.table_name.clone());
    (table, store)
}

fn one<E: tandem_store::Entity>(
    value: &E,
    write: fn(&mut Transaction, &E) -> Result<(), tandem_store::StoreError>,
) -> Transaction {
    let mut transaction = Transaction::default();
    write(&mut transaction, value).expect("a row");
    transaction
}

#[tokio::test]
async fn a_conflict_names_its_rows_and_nothing_is_written() {
    let (table, store) = table().await;
    store
        .commit(one(&offer(1), Transaction::create))
        .await
        .expect("written");
    let before = table.dump();
    let mut both = one(&offer(2), Transaction::create);
    both.create(&offer(1)).expect("a row");
    let error = store.commit(both).await.expect_err("a row exists");
    assert!(error.concerns(&keys::offer(owner(), offer(1).id)));
    assert!(!error.concerns(&keys::offer(owner(), offer(2).id)));
    assert_eq!(table.dump(), before);
}

#[tokio::test]
async fn a_row_changed_meanwhile_is_not_removed() {
    let (table, store) = table().await;
    let remove = |transaction: &mut Transaction, offer: &Offer| {
        transaction.remove(offer);
        Ok(())
    };
    store
        .commit(one(&offer(1), Transaction::create))
        .await
        .expect("written");
    store
        .commit(one(&offer(1), Transaction::replace))
        .await
        .expect("written");
    let stale = store.commit(one(&offer(1), remove)).await;
    assert!(matches!(stale, Err(CommitError::Conflict(_))));
    let read = store
        .get(&keys::offer(owner(), offer(1).id))
        .await
        .expect("read")
        .expect("there");
    store.commit(one(&read, remove)).await.expect("removed");
    assert!(table.dump().is_empty());
}

#[tokio::test]
async fn of_two_changes_to_one_version_the_second_fails() {
    let (_table, store) = table().await;
    store
        .commit(one(&offer(1), Transaction::create))
        .await
        .expect("written");
    store
        .commit(one(&offer(1), Transaction::replace))
        .await
        .expect("written");
    let stale = store.commit(one(&offer(1), Transaction::replace)).await;
    assert!(matches!(stale, Err(CommitError::Conflict(_))));
    let read = store
        .get(&keys::offer(owner(), offer(1).id))
        .await
        .expect("read")
        .expect("there");
    assert_eq!(read.version, 2);
}

#[tokio::test]
async fn only_an_expired_record_is_overwritten() {
    let (_table, store) = table().await;
    let now: Timestamp = "2026-11-21T12:00:00Z".parse().expect("valid");
    let record = |status| IdempotencyRecord {
        concerned: None,
        caller: "operator".to_owned(),
        scope: "s".to_owned(),
        status,
        location: None,
        sealed_answer: Vec::new().into(),
        valid_until: now,
    };
    let write = |status, now: Timestamp| {
        let mut transaction = Transaction::default();
        transaction
            .create_over_expired(&record(status), now)
            .expect("a row");
        store.commit(transaction)
    };
    write(201, now).await.expect("written");
    assert!(matches!(
        write(202, now).await,
        Err(CommitError::Conflict(_))
    ));
    write(203, now + jiff::SignedDuration::from_secs(1))
        .await
        .expect("written over");
    let read = store
        .get(&keys::idempotency("operator", "s"))
        .await
        .expect("read")
        .expect("there");
    assert_eq!(read.status, 203);
}

#[tokio::test]
async fn a_page_examines_a_bounded_number_of_rows() {
    let (table, store) = table().await;
    let rows = u128::try_from(MAX_EXAMINED).expect("small") + 500;
    for start in (1..=rows).step_by(100) {
        let mut transaction = Transaction::default();
        for number in start..start + 100 {
            transaction.create(&offer(number)).expect("a row");
        }
        store.commit(transaction).await.expect("written");
    }
    let wanted = Name::parse(&json!("Nr. 1")).expect("a name");
    let keep = |offer: &Offer| offer.name == wanted;
    table.reset_calls();
    let first = store
        .page(&keys::offers_of(owner()), None, 20, keep)
        .await
        .expect("a page");
    assert!(first.items.is_empty() && first.next.is_some());
    // 21 rows and ten times 200: a query each, and a batch for each hundred.
    assert_eq!(table.calls().len(), 2 + 10 * 3, "{:?}", table.calls());
    let second = store
        .page(&keys::offers_of(owner()), first.next.as_deref(), 20, keep)
        .await
        .expect("a page");
    assert_eq!((second.items.len(), second.next), (1, None));
}

#[tokio::test]
async fn a_page_of_a_spread_list_reads_only_the_rows_it_shows() {
    let (table, store) = table().await;
    let rows: Vec<_> = (0..60).map(payout).collect();
    for row in &rows {
        let written = store.commit(one(row, Transaction::create)).await;
        written.expect("a new row");
    }
    let list = keys::payouts_of(owner(), Side::Source);
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        table.reset_calls();
        let page = store.page(&list, after.as_deref(), 20, |_| true).await;
        let page = page.expect("a page");
        let read = table.reads().into_iter().filter(|key| key.sk.is_some());
        assert!(read.count() <= 21);
        seen.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let newest_first: Vec<_> = rows.into_iter().rev().collect();
    assert_eq!(seen, newest_first);
}

fn payout(number: u32) -> Payout {
    let euro = json!({"amount": 1_000, "currency": "EUR"});
    let id = |prefix: &str| format!("{prefix}_0190b8f5c6f77c3ab0a1c2d3e4f50617");
    let row = json!({
        "id": format!("pay_0190b8f5c6f77c3ab0a1c2d3{number:08x}"), "type": "PAYMENT", "paidStatus": "OPEN", "version": 1,
        "createdAt": "2026-07-01T12:00:00Z", "sourceClientId": owner(), "sourceName": "Bergwelt",
        "targetClientId": id("cli"), "targetName": "Stadtblick", "orderId": id("ord"), "subscriptionId": id("sub"),
        "periodNumber": 1, "offerId": id("off"), "offerName": "Digital", "customerId": id("cus"), "paymentMethod": "TWINT",
        "gross": euro, "sellerShareBasisPoints": 0, "due": euro,
    });
    serde_json::from_value(row).expect("a row")
}

#[tokio::test]
async fn a_lost_answer_to_a_put_is_no_conflict() {
    let (table, store) = table().await;
    table.faults.plan(0, Fault::Try(Lost::Answer));
    let created = store.commit(one(&offer(1), Transaction::create)).await;
    created.expect("the row is its own");
    assert_eq!(table.faults.calls().len(), 2);
    table.faults.plan(0, Fault::Try(Lost::Answer));
    let replaced = store.commit(one(&offer(1), Transaction::replace)).await;
    replaced.expect("the version is its own");
    table.faults.clear();
    assert_eq!(table.dump()[0]["version"], 2);
    // Another writer with the same values is a conflict, as is a version that was replaced.
    for write in [Transaction::create, Transaction::replace] {
        let error = store.commit(one(&offer(1), write)).await;
        let error = error.expect_err("another commit wrote the row");
        assert!(error.concerns(&keys::offer(owner(), offer(1).id)));
    }
}

#[tokio::test]
async fn a_put_that_meets_a_transaction_is_sent_again() {
    let (table, store) = table().await;
    for (number, fault) in [(1, Fault::BUSY), (2, Fault::THROTTLING[0])] {
        table.faults.plan(0, fault);
        let created = store.commit(one(&offer(number), Transaction::create)).await;
        created.expect("written by the second request");
        assert_eq!(table.faults.calls().len(), 2, "{fault:?}");
    }
}

#[test]
fn tests_retry_a_call_as_often_as_production() {
    let (tests, production) = (tandem_testing::retries(), tandem_runtime::aws::retries());
    assert_eq!(
        (tests.max_attempts(), tests.mode()),
        (production.max_attempts(), production.mode())
    );
}
