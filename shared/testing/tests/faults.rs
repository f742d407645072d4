//! Each kind of fault: before the effect, after it, once, until cleared, and as the death of the process.

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use tandem_testing::{Fault, Lost, TestTable};

/// Creates the row `pk`; returns whether the SDK reports success.
async fn create(table: &TestTable, pk: &str) -> bool {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let put = Put::builder()
        .table_name(&table.table_name)
        .item("pk", text(pk))
        .item("sk", text("a"));
    let put = put
        .condition_expression("attribute_not_exists(pk)")
        .build()
        .expect("complete");
    let action = TransactWriteItem::builder().put(put).build();
    table
        .client
        .transact_write_items()
        .transact_items(action)
        .send()
        .await
        .is_ok()
}

#[tokio::test]
async fn the_sdk_retries_one_lost_attempt_and_writes_once() {
    for lost in [Lost::Request, Lost::Answer] {
        let table = TestTable::new().await;
        table.faults.plan(1, Fault::Try(lost));
        assert!(
            create(&table, "1").await && create(&table, "2").await,
            "{lost:?}"
        );
        assert_eq!(
            (
                table.dump().len(),
                table.calls().len(),
                table.faults.calls().len()
            ),
            (2, 3, 3),
            "{lost:?}"
        );
    }
}

#[tokio::test]
async fn an_outage_fails_each_attempt_until_it_is_cleared() {
    for (fault, rows) in [
        (Fault::Outage(Lost::Request), 0),
        (Fault::Outage(Lost::Answer), 1),
        (Fault::Deaf, 2),
    ] {
        let table = TestTable::new().await;
        table.faults.plan(0, fault);
        assert!(
            !create(&table, "1").await && !create(&table, "2").await,
            "{fault:?}"
        );
        let tries = 2 * tandem_testing::retries().max_attempts();
        assert_eq!(
            (table.dump().len(), table.faults.calls().len().try_into()),
            (rows, Ok(tries)),
            "{fault:?}"
        );
        table.faults.clear();
        assert!(create(&table, "3").await, "{fault:?}");
    }
}

#[tokio::test]
async fn a_dead_process_gets_no_answer_and_sends_no_more() {
    for (lost, rows) in [(Lost::Request, 0), (Lost::Answer, 1)] {
        let table = TestTable::new().await;
        table.faults.plan(0, Fault::Death(lost));
        tokio::select! {
            _ = futures::future::join(create(&table, "1"), create(&table, "2")) => panic!("a dead process does not answer"),
            () = table.faults.died() => {}
        }
        table.faults.clear();
        assert_eq!(table.dump().len(), rows, "{lost:?}");
    }
}

#[tokio::test]
async fn a_table_starts_with_the_rows_of_another_one() {
    let table = TestTable::new().await;
    assert!(create(&table, "1").await);
    let other = TestTable::with(&table.snapshot()).await;
    assert_eq!(other.dump(), table.dump());
    assert!(!create(&other, "1").await && create(&other, "2").await);
    assert_eq!(table.dump().len(), 1);
}
