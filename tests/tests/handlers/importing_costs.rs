//! The cost of an import per item, for three sizes: it must not grow with the import or with existing data.

use process_imports::MOST_WRITES;
use reqwest::Method;
use serde_json::{Value, json};
use tandem_testing::{Capacity, template};
use tandem_tests::id;

use crate::import_scene::ImportScene;

/// Round trips and capacity units per thousand items.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cost {
    calls: usize,
    read: f64,
    /// To accept the import.
    accepted: f64,
    /// To run it: its items, and the begin and end of its chunks.
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

    fn numbered(&self, size: usize, prefix: &str, more: &Value) -> Vec<Value> {
        (0..size)
            .map(|number| self.item(&format!("{prefix}-{number}"), more.clone()))
            .collect()
    }

    /// Imports orders in calls of a thousand, and counts.
    #[expect(
        clippy::float_arithmetic,
        clippy::cast_precision_loss,
        reason = "a share of a count"
    )]
    async fn cost_of(&self, items: &[Value]) -> Cost {
        let (mut accepted, mut ran) = (Vec::new(), Vec::new());
        for items in items.chunks(1_000) {
            self.stage.table.reset_calls();
            let promise = self.accept_without_key(items).await;
            accepted.push(self.counted());
            for message in self.stage.import_messages().await {
                self.stage.table.reset_calls();
                assert!(self.stage.import(&[message], 1).await.is_empty());
                ran.push(self.counted());
            }
            assert_eq!(self.promise(&promise).await["state"], "completed");
        }
        let by_thousand = |sum: f64| (sum * 1_000.0 / items.len() as f64).round();
        let writes = |counted: &[(usize, Capacity)]| {
            by_thousand(counted.iter().map(|(_, capacity)| capacity.write).sum())
        };
        let all = || accepted.iter().chain(&ran);
        Cost {
            calls: all().map(|(calls, _)| calls).sum::<usize>() * 1_000 / items.len(),
            read: by_thousand(all().map(|(_, capacity)| capacity.read).sum()),
            accepted: writes(&accepted),
            write: writes(&ran),
        }
    }
}

/// At most 5 % apart: an import has a small fixed cost.
#[expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "shares of counts"
)]
fn assert_alike(costs: &[Cost]) {
    for of in [
        |cost: &Cost| cost.calls as f64,
        |cost: &Cost| cost.read,
        |cost: &Cost| cost.accepted + cost.write,
    ] {
        let (low, high) = costs
            .iter()
            .map(of)
            .fold((f64::MAX, 0.0_f64), |(low, high), cost| {
                (low.min(cost), high.max(cost))
            });
        assert!(low > 0.0 && high <= low * 1.05, "{costs:#?}");
    }
}

#[tokio::test]
async fn an_item_costs_the_same_in_an_import_of_any_size() {
    let scene = ImportScene::new().await;
    let cost = async |size, prefix, more| {
        let items = scene.numbered(size, prefix, &more);
        scene.cost_of(&items).await
    };
    let small = cost(100, "A", json!({})).await;
    let medium = cost(500, "B", json!({})).await;
    let large = cost(2_000, "C", json!({})).await;
    assert_alike(&[small, medium, large]);
    assert!(
        large.calls <= 1_210,
        "a put for each item, and five round trips for each chunk of 25: {large:?}"
    );
    let updated = [
        cost(100, "A", json!({"quantity": 2})).await,
        cost(500, "B", json!({"quantity": 2})).await,
    ];
    assert_alike(&updated);
}

/// As real systems have them: 40 characters, all of them random.
fn long(number: usize) -> String {
    let mut rng = fastrand::Rng::with_seed(number.try_into().expect("a number"));
    (0..40).map(|_| rng.alphanumeric()).collect()
}

impl ImportScene {
    /// Items with all members, and names and ids of 40 characters.
    async fn long_items(&self, size: usize) -> Vec<Value> {
        let offer = json!({
            "name": "Bergwelt Premium, gedruckt und digital A",
            "type": "subscription",
            "period": {"unit": "month", "count": 12},
            "renews": true,
            "price": {"amount": 123_456, "currency": "EUR"},
            "externallyManaged": true,
        });
        let offer = self.client().api.post("/v1/offers", offer).await.created();
        let mut items = Vec::new();
        for number in 0..size {
            let email = format!("anna.muster.{number}@customers.bergverlag.test");
            let customer = self.client().customer_with_email(&email).await;
            let day = number % 28 + 1;
            let more = json!({
                "offerId": id(&offer),
                "invoiceCustomerId": id(&customer),
                "deliveryCustomerId": id(&customer),
                "quantity": number % 7 + 1,
                "startDate": format!("2026-02-{day:02}T10:2{}:00Z", number % 10),
                "endDate": format!("2027-02-{day:02}T10:2{}:00Z", number % 10),
                "orderDate": format!("2026-01-{day:02}T08:1{}:34Z", number % 10),
                "discountPercentage": number % 90,
                "currentPaymentPeriodPaid": number % 2 == 0,
                "paymentMethod": (["CREDIT_CARD", "BANK_ACCOUNT"][number % 2]),
            });
            items.push(self.item(&long(number), more));
        }
        items
    }

    /// The octets of the rows of imported orders.
    fn sizes(&self) -> Vec<usize> {
        let mut rows = self.stage.table.sizes();
        rows.retain(|row| row.key.1.starts_with("imported#"));
        rows.iter().map(|row| row.octets).collect()
    }
}

/// Capacity units per thousand items; the limits of created and changed orders leave one unit per item of slack.
#[tokio::test]
async fn an_imported_order_costs_few_write_units() {
    let scene = ImportScene::new().await;
    let mut items = scene.long_items(50).await;
    let created = scene.cost_of(&items).await;
    // The row with two index entries; 0.3 for the chunk, 0.42 to accept the item.
    assert!(
        created.write <= 4_300.0 && created.accepted <= 500.0,
        "{created:?}"
    );
    assert!(created.read <= 2_300.0, "{created:?}");
    let unchanged = scene.cost_of(&items).await;
    // The row alone.
    assert!(
        unchanged.write <= 1_400.0 && unchanged.accepted <= 500.0,
        "{unchanged:?}"
    );
    assert!(unchanged.read <= 2_300.0, "{unchanged:?}");
    for item in &mut items {
        item["quantity"] = json!(9);
    }
    let updated = scene.cost_of(&items).await;
    assert!(
        updated.write <= 2_300.0 && updated.read <= 2_300.0,
        "{updated:?}"
    );
    let sizes = scene.sizes();
    assert!(
        sizes.len() == 50 && sizes.iter().all(|size| *size <= 700),
        "{sizes:?}"
    );
}

/// A leading system that sends all of its orders each night: the row of an order stays below a kilobyte.
#[tokio::test]
async fn an_order_that_is_imported_each_night_stays_small() {
    const NIGHTS: u32 = 28;
    let scene = ImportScene::new().await;
    let items = scene.long_items(25).await;
    let _ = scene.cost_of(&items).await;
    let mut write = 0.0;
    for night in 0..NIGHTS {
        scene.stage.advance(86_400);
        write += scene.cost_of(&items).await.write;
        let sizes = scene.sizes();
        assert!(
            sizes.iter().all(|size| *size <= 1_024),
            "night {night}: {sizes:?}"
        );
    }
    // From the third week on, each sixth import moves older records into a row of their own.
    assert!(write <= 1_800.0 * f64::from(NIGHTS), "{write}");
    let path = format!("/v1/imports/orders/logs?externalSystemId={}", long(0));
    let log = scene.client().api.all(&path).await;
    assert_eq!(log.len(), 29);
    scene.stage.advance(62 * 86_400);
    let log = scene.client().api.all(&path).await;
    assert_eq!(log.len(), 28, "the first is 90 days old");
}

/// Write units a second of a new table on demand.
const NEW_TABLE: f64 = 4_000.0;
/// Seconds that DynamoDB takes for the conditional put of a row.
const PUT: f64 = 0.005;

#[expect(clippy::cast_precision_loss, reason = "units are floats")]
#[tokio::test]
async fn a_new_table_bears_the_default_import_concurrency() {
    let scene = ImportScene::new().await;
    let cost = scene.cost_of(&scene.numbered(100, "A", &json!({}))).await;
    let units = cost.write / 1_000.0;
    let workers = template()["Parameters"]["ImportConcurrency"]["Default"]
        .as_f64()
        .expect("a number");
    let items = workers * MOST_WRITES as f64 / PUT;
    assert!(
        items * units <= NEW_TABLE,
        "{items} items a second of {units} units exceed {NEW_TABLE}"
    );
    // The service's least number of workers is 2.
    assert!(workers >= 2.0 && items * units > NEW_TABLE / 2.0, "{units}");
}
