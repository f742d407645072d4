//! The cost of an import per item, for three sizes: it must not grow with the import or with existing data.

use process_imports::MOST_WRITES;
use reqwest::Method;
use serde_json::{Value, json};
use tandem_testing::{Capacity, template};

use crate::import_scene::ImportScene;

/// Round trips and capacity units per thousand items.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cost {
    calls: usize,
    read: f64,
    write: f64,
}

impl ImportScene {
    fn counted(&self) -> (usize, Capacity) {
        (self.stage.table.calls().len(), self.stage.table.capacity())
    }

    /// Accepts an import without an idempotency key, which would add to the fixed cost.
    async fn accept_without_key(&self, items: &[Value]) -> String {
        self.stage.advance(1);
        let call = self.client().api.call(Method::POST, "/v1/imports/orders");
        let call = call.json(&json!({"items": items}));
        let accepted = call.without_idempotency_key().send().await.accepted();
        accepted["promiseId"].as_str().expect("an id").to_owned()
    }

    /// Imports orders in calls of a thousand, and counts.
    #[expect(
        clippy::float_arithmetic,
        clippy::cast_precision_loss,
        reason = "a share of a count"
    )]
    async fn cost_of(&self, size: usize, prefix: &str, more: &Value) -> Cost {
        let items: Vec<Value> = (0..size)
            .map(|number| self.item(&format!("{prefix}-{number}"), more.clone()))
            .collect();
        let mut counted = Vec::new();
        for items in items.chunks(1_000) {
            self.stage.table.reset_calls();
            let promise = self.accept_without_key(items).await;
            counted.push(self.counted());
            for message in self.stage.import_messages().await {
                self.stage.table.reset_calls();
                assert!(self.stage.import(&[message], 1).await.is_empty());
                counted.push(self.counted());
            }
            assert_eq!(self.promise(&promise).await["state"], "completed");
        }
        let by_thousand = |sum: f64| (sum * 1_000.0 / size as f64).round();
        Cost {
            calls: counted.iter().map(|(calls, _)| calls).sum::<usize>() * 1_000 / size,
            read: by_thousand(counted.iter().map(|(_, capacity)| capacity.read).sum()),
            write: by_thousand(counted.iter().map(|(_, capacity)| capacity.write).sum()),
        }
    }
}

/// At most 1 % apart: an import has a small fixed cost.
#[expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "shares of counts"
)]
fn assert_alike(costs: &[Cost]) {
    for of in [
        |cost: &Cost| cost.calls as f64,
        |cost: &Cost| cost.read,
        |cost: &Cost| cost.write,
    ] {
        let (low, high) = costs
            .iter()
            .map(of)
            .fold((f64::MAX, 0.0_f64), |(low, high), cost| {
                (low.min(cost), high.max(cost))
            });
        assert!(low > 0.0 && high <= low * 1.01, "{costs:#?}");
    }
}

#[tokio::test]
async fn an_item_costs_the_same_in_an_import_of_any_size() {
    let scene = ImportScene::new().await;
    let small = scene.cost_of(100, "A", &json!({})).await;
    let medium = scene.cost_of(500, "B", &json!({})).await;
    let large = scene.cost_of(2_000, "C", &json!({})).await;
    assert_alike(&[small, medium, large]);
    assert!(
        large.calls <= 1_210,
        "a transaction for each item, and five round trips for each chunk of 25: {large:?}"
    );
    let updated = [
        scene.cost_of(100, "A", &json!({"quantity": 2})).await,
        scene.cost_of(500, "B", &json!({"quantity": 2})).await,
    ];
    assert_alike(&updated);
    let unchanged = scene.cost_of(500, "B", &json!({"quantity": 2})).await;
    assert!(
        unchanged.write * 1.5 < updated[1].write && unchanged.read * 1.5 < updated[1].read,
        "no read and no new version of order and subscription: {unchanged:?}, {updated:?}"
    );
}

/// Write units a second of a new table on demand.
const NEW_TABLE: f64 = 4_000.0;
/// Seconds that DynamoDB takes for a transaction of four rows: half of those of five rows take 25 ms.
const TRANSACTION: f64 = 0.025;

#[expect(clippy::cast_precision_loss, reason = "units are floats")]
#[tokio::test]
async fn a_new_table_bears_the_default_import_concurrency() {
    let scene = ImportScene::new().await;
    let cost = scene.cost_of(100, "A", &json!({})).await;
    let units = cost.write / 1_000.0;
    let workers = template()["Parameters"]["ImportConcurrency"]["Default"]
        .as_f64()
        .expect("a number");
    let items = workers * MOST_WRITES as f64 / TRANSACTION;
    assert!(
        items * units <= NEW_TABLE,
        "{items} items a second of {units} units exceed {NEW_TABLE}"
    );
    // The service's least number of workers is 2.
    assert!(workers >= 2.0 && items * units > NEW_TABLE / 2.0, "{units}");
}
