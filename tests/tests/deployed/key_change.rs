//! The data key is replaced as docs/operations.md says, while functions with different lists of keys work on one table. The
//! functions run in this process; `reseal` is the command of the operating tool.

use std::path::Path;
use std::sync::Arc;

use tandem_runtime::canary;
use tandem_testing::TestTable;
use tandem_tests::{Checkout, InProcess, Pair, Stage, id, verified};
use tokio::process::Command;

const OLD: &str = "the old data key, which has leaked to someone";
const NEW: &str = "the new data key, which nobody else has seen";

/// Functions that started with these data keys, on the same table as others.
fn started(table: &TestTable, keys: &[&str]) -> Arc<InProcess> {
    let stage = InProcess::on(table.shared(), InProcess::sender());
    Arc::new(stage.with_data_keys(&keys.join("\n")))
}

/// Runs `reseal` on the table. Returns its output.
async fn reseal(table: &TestTable, keys: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let module = "infra.operate.tests.reseal_table";
    let output = Command::new("python3")
        .args(["-m", "infra.local", "exec", "--", "python", "-m", module])
        .args([&table.endpoint, &table.table_name])
        .env("TANDEM_DATA_KEYS", keys.join("\n"))
        .current_dir(root.expect("the workspace"))
        .output()
        .await
        .expect("Python 3.10 or newer is installed");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The same merchant, served by other functions.
fn at(checkout: &Checkout, stage: &Arc<InProcess>) -> Checkout {
    let mut checkout = checkout.clone();
    let stage: Arc<dyn Stage> = Arc::<InProcess>::clone(stage);
    checkout.seller.api = checkout.seller.api.on(stage);
    checkout
}

/// The stored answers to these keys, by the functions of a stage.
async fn assert_repeated(checkout: &Checkout, stage: &Arc<InProcess>, keys: &[&str]) {
    for key in keys {
        let answer = at(checkout, stage).purchase(key).await;
        assert!(answer.is_repeated(), "{key}: {}", answer.text);
    }
}

/// Every value opens: the callbacks' bodies with the receivers' answers, and the signing secret of a new callback.
async fn assert_all_opens(pair: &Pair, stage: &Arc<InProcess>, callbacks: usize) {
    let source: Arc<dyn Stage> = Arc::<InProcess>::clone(stage);
    let api = pair.source.api.on(source);
    let listed = api.all("/v1/callbacks").await;
    assert_eq!(listed.len(), callbacks);
    for callback in listed {
        let path = format!("/v1/callbacks/{}", id(&callback));
        let callback = api.get(&path).await.ok();
        assert_eq!(callback["status"], "delivered", "{callback}");
        assert_eq!(callback["attemptLog"][0]["answer"], "thanks", "{callback}");
        let email = callback["body"]["data"]["customer"]["email"].as_str();
        assert!(email.is_some_and(|email| email.contains('@')), "{callback}");
    }
}

async fn starts(stage: &InProcess) -> bool {
    let canary = stage.app.store.connect().await.expect("the table answers");
    canary::check(canary.as_ref(), &stage.app.sealer).is_ok()
}

/// Seals everything again, while sales go on.
async fn replace(
    table: &TestTable,
    checkout: &Checkout,
    opening: &Arc<InProcess>,
    sealing: &Arc<InProcess>,
) {
    let without_old = started(table, &[NEW]);
    assert!(!starts(&without_old).await, "the old key is still in use");
    let _ = at(checkout, opening).purchase("4 late").await.created();
    let sales = async {
        for number in 0..20 {
            let key = format!("{number} meanwhile");
            let _ = at(checkout, sealing).purchase(&key).await.created();
            sealing.relay().await;
            sealing.work().await;
        }
    };
    let (resealed, ()) = tokio::join!(reseal(table, &[NEW, OLD]), sales);
    assert!(
        resealed.contains("every value is sealed under the newest key"),
        "{resealed}"
    );
    assert!(reseal(table, &[NEW, OLD]).await.starts_with("0 values"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaked_data_key_is_replaced_while_traffic_goes_on() {
    let table = TestTable::new().await;
    let old = started(&table, &[OLD]);
    let receiver = old.setup().receiver().await;
    receiver.answer_always(tandem_tests::Reply::status(200).body("thanks"));
    let pair = old
        .setup()
        .pair_between_two_companies(&receiver.url())
        .await;
    let checkout = pair.checkout().await;
    let _ = checkout.purchase("1 old").await.created();

    // The new key opens: functions of both lists work.
    let opening = started(&table, &[OLD, NEW]);
    let _ = at(&checkout, &opening)
        .purchase("2 opening")
        .await
        .created();
    assert_repeated(&checkout, &old, &["1 old", "2 opening"]).await;
    assert!(starts(&old).await && starts(&opening).await);

    // The new key seals.
    let sealing = started(&table, &[NEW, OLD]);
    let _ = at(&checkout, &sealing)
        .purchase("3 sealing")
        .await
        .created();
    let keys = ["1 old", "2 opening", "3 sealing"];
    assert_repeated(&checkout, &opening, &keys).await;
    assert_repeated(&checkout, &sealing, &keys).await;
    opening.relay().await;
    opening.work().await;
    assert_all_opens(&pair, &sealing, 3).await;

    replace(&table, &checkout, &opening, &sealing).await;
    // The old key is gone.
    let without_old = started(&table, &[NEW]);
    assert!(starts(&without_old).await && !starts(&old).await);
    assert_repeated(&checkout, &without_old, &keys).await;
    assert_repeated(&checkout, &without_old, &["4 late"]).await;
    let _ = at(&checkout, &without_old)
        .purchase("5 new")
        .await
        .created();
    without_old.relay().await;
    without_old.work().await;
    assert_all_opens(&pair, &without_old, 25).await;
    for received in receiver.received() {
        let _ = verified(&received, pair.secret());
    }
    assert_eq!(receiver.received().len(), 25);
}
