//! The outcome of several imports of one order: a function of their order of acceptance alone.

use std::collections::BTreeMap;

use fastrand::Rng;
use futures::future::join_all;
use serde_json::{Value, json};
use tandem_queue::Message;
use tandem_tests::{id, managed_offer};

use crate::import_scene::{ImportScene, results};

const SEEDS: u64 = 6;
/// More than one chunk.
const IDS: usize = 30;

#[tokio::test(flavor = "multi_thread")]
async fn any_interleaving_ends_as_applied_one_by_one() {
    for seed in 0..SEEDS {
        let mut rng = Rng::with_seed(seed);
        let scene = Interleaving::new().await;
        let calls: Vec<Vec<Value>> = (0..5).map(|_| scene.call(&mut rng)).collect();
        for call in &calls {
            let _ = scene.scene.import(&numbered(call, "one by one")).await;
        }
        let mut accepted = Vec::new();
        for call in &calls {
            accepted.push(scene.scene.accept(&numbered(call, "mixed")).await);
        }
        scene.run(&mut rng).await;
        let expected = scene.state("one by one").await;
        assert!(expected.len() > IDS / 2, "seed {seed}");
        assert_eq!(scene.state("mixed").await, expected, "seed {seed}");
        for promise in &accepted {
            scene.assert_counts(promise, seed).await;
        }
    }
}

struct Interleaving {
    scene: ImportScene,
    offers: [String; 2],
    customers: [String; 2],
}

/// The items with ids of their own.
fn numbered(call: &[Value], prefix: &str) -> Vec<Value> {
    let mut call = call.to_vec();
    for item in &mut call {
        let number = item["externalSystemId"].as_str().expect("an id");
        item["externalSystemId"] = json!(format!("{prefix} {number}"));
    }
    call
}

impl Interleaving {
    async fn new() -> Self {
        let scene = ImportScene::new().await;
        let offer = id(&managed_offer(scene.client()).await).to_owned();
        let customer = id(&scene.client().customer().await).to_owned();
        Self {
            offers: [scene.importing.offer_id.clone(), offer],
            customers: [scene.importing.customer_id.clone(), customer],
            scene,
        }
    }

    /// Items of some of the ids; few values, so that they conflict often.
    fn call(&self, rng: &mut Rng) -> Vec<Value> {
        let mut ids: Vec<usize> = (0..IDS).filter(|_| rng.u8(0..4) > 0).collect();
        rng.shuffle(&mut ids);
        ids.iter()
            .map(|number| {
                let mut members = json!({
                    "offerId": self.offers[usize::from(rng.u8(0..8) == 0)],
                    "invoiceCustomerId": self.customers[usize::from(rng.u8(0..8) == 0)],
                    "quantity": rng.u32(1..4),
                    "startDate": month(rng.u32(1..6)),
                });
                let optional = [
                    ("endDate", month(rng.u32(4..9))),
                    ("orderDate", month(rng.u32(1..3))),
                    ("deliveryCustomerId", json!(self.customers[1])),
                    ("discountPercentage", json!(rng.u32(0..3))),
                    ("currentPaymentPeriodPaid", json!(rng.bool())),
                ];
                for (name, value) in optional {
                    match rng.u8(0..6) {
                        0..3 => {}
                        3 => members[name] = Value::Null,
                        _ => members[name] = value,
                    }
                }
                self.scene.item(&number.to_string(), members)
            })
            .collect()
    }

    /// Runs all messages in any order, some twice, up to three at once.
    async fn run(&self, rng: &mut Rng) {
        let stage = &self.scene.stage;
        let mut messages = stage.import_messages().await;
        for number in 0..messages.len() / 2 {
            messages.push(messages[number].clone());
        }
        rng.shuffle(&mut messages);
        let mut left = messages.as_slice();
        while !left.is_empty() {
            let (now, later) = left.split_at(rng.usize(1..4).min(left.len()));
            let run = |message: &Message| {
                let message = message.clone();
                async move { stage.import(&[message], 1).await }
            };
            for failed in join_all(now.iter().map(run)).await {
                assert!(failed.is_empty(), "{failed:?}");
            }
            left = later;
        }
    }

    /// The orders whose ids have a prefix.
    async fn state(&self, prefix: &str) -> BTreeMap<String, Value> {
        let listed = self.scene.client().api.all("/v1/subscriptions").await;
        let shown = [
            "status",
            "offerId",
            "customerId",
            "quantity",
            "amount",
            "startedAt",
            "endsAt",
            "paymentMethod",
            "orderDate",
            "deliveryCustomerId",
            "discountPercentage",
            "currentPaymentPeriodPaid",
        ];
        listed
            .iter()
            .filter_map(|subscription| {
                let id = subscription["externalSystemId"].as_str()?;
                let number = id.strip_prefix(prefix)?;
                let members = shown.map(|name| (name, subscription[name].clone()));
                Some((number.to_owned(), members.into_iter().collect()))
            })
            .collect()
    }

    /// The counts are those of the results, also of results that were revised.
    async fn assert_counts(&self, promise: &str, seed: u64) {
        let promise = self.scene.promise(promise).await;
        let results = results(&promise);
        for result in ["created", "updated", "unchanged", "superseded", "failed"] {
            let found = results.iter().filter(|found| **found == result).count();
            assert_eq!(
                promise["counts"][result], found,
                "seed {seed}: {result} of {promise}"
            );
        }
        let failed = results.contains(&"failed");
        let state = ["completed", "completedWithErrors"][usize::from(failed)];
        assert_eq!(promise["state"], state, "seed {seed}");
    }
}

fn month(number: u32) -> Value {
    json!(format!("2026-{number:02}-01T00:00:00Z"))
}

#[tokio::test]
async fn an_overtaken_import_still_sets_its_other_members() {
    let scene = ImportScene::new().await;
    let earlier = json!({"endDate": month(9), "quantity": 1});
    let first = scene.accept(&[scene.item("A", earlier)]).await;
    let later = json!({"quantity": 2, "discountPercentage": 5});
    let second = scene.accept(&[scene.item("A", later)]).await;
    run_last_first(&scene).await;
    let (first, second) = (scene.promise(&first).await, scene.promise(&second).await);
    assert_eq!(results(&second), ["created"]);
    assert_eq!(results(&first), ["updated"]);
    assert_eq!(second["items"][0]["superseded"], json!([]));
    assert_eq!(first["items"][0]["superseded"], json!(["quantity"]));
    assert_eq!(first["items"][0]["supersededBy"], second["promiseId"]);
    let kept = scene.subscription().await;
    assert_eq!(
        (
            &kept["quantity"],
            &kept["endsAt"],
            &kept["discountPercentage"]
        ),
        (&json!(2), &month(9), &json!(5.0))
    );
}

async fn run_last_first(scene: &ImportScene) {
    let mut messages = scene.stage.import_messages().await;
    messages.sort_by(|a, b| b.pk.cmp(&a.pk));
    for message in messages {
        assert!(scene.stage.import(&[message], 1).await.is_empty());
    }
}

#[tokio::test]
async fn a_kept_end_is_judged_against_a_new_start() {
    let scene = ImportScene::new().await;
    let ends = json!({"startDate": month(1), "endDate": month(6)});
    let _ = scene.import(&[scene.item("A", ends)]).await;
    let before = scene.subscription().await;
    for members in [
        json!({"startDate": "2027-01-01T00:00:00Z"}),
        json!({"startDate": month(1), "endDate": "2025-12-31T00:00:00Z"}),
    ] {
        let items = [scene.item("A", members), scene.item("B", json!({}))];
        let promise = scene.import(&items[..1]).await;
        assert_eq!(results(&promise), ["failed"]);
        let error = &promise["items"][0]["error"];
        assert_eq!(error["code"], "end_before_start");
        assert_eq!(scene.subscription().await, before);
    }
    for members in [
        json!({"startDate": "2027-01-01T00:00:00Z", "endDate": null}),
        json!({"startDate": "2027-01-01T00:00:00Z", "endDate": "2027-01-01T00:00:00Z"}),
    ] {
        let promise = scene.import(&[scene.item("A", members)]).await;
        assert_eq!(results(&promise), ["updated"]);
    }
}

#[tokio::test]
async fn an_impossible_item_fails_alone() {
    let scene = ImportScene::new().await;
    let early = json!({"startDate": month(6), "endDate": month(1)});
    let mut items = vec![scene.item("A", early), scene.item("B", json!({}))];
    for name in ["startDate", "endDate", "orderDate"] {
        for year in ["0001", "1969", "9999"] {
            let members = json!({name: format!("{year}-01-01T00:00:00Z")});
            items.push(scene.item(&format!("{name} {year}"), members));
        }
    }
    let never = json!({"endDate": "9999-12-31T23:59:59Z"});
    items.push(scene.item("C", never));
    let promise = scene.import(&items).await;
    let codes: Vec<&Value> = promise["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| &item["error"]["code"])
        .collect();
    let (nothing, out) = (Value::Null, json!("date_out_of_range"));
    let mut expected = vec![&out; 12];
    let before = json!("end_before_start");
    (expected[0], expected[1], expected[11]) = (&before, &nothing, &nothing);
    assert_eq!(codes, expected);
    assert_eq!(scene.orders().len(), 2);
}

#[tokio::test]
async fn a_late_import_revises_a_finished_one() {
    let scene = ImportScene::new().await;
    let first = json!({"startDate": month(1), "endDate": month(6)});
    let first = scene.accept(&[scene.item("A", first)]).await;
    let second = json!({"startDate": month(8)});
    let second = scene.accept(&[scene.item("A", second)]).await;
    let mut messages = scene.stage.import_messages().await;
    messages.sort_by(|a, b| b.pk.cmp(&a.pk));
    assert!(scene.stage.import(&messages[..1], 1).await.is_empty());
    let done = scene.promise(&second).await;
    assert_eq!(
        (results(&done), &done["state"]),
        (vec!["created"], &json!("completed"))
    );
    assert!(scene.stage.import(&messages[1..], 1).await.is_empty());
    let revised = scene.promise(&second).await;
    assert_eq!(
        (results(&revised), &revised["state"]),
        (vec!["failed"], &json!("completedWithErrors"))
    );
    let item = &revised["items"][0];
    assert_eq!(item["error"]["code"], "end_before_start");
    assert!(item["revisedAt"].is_string());
    assert_eq!(results(&scene.promise(&first).await), ["updated"]);
    assert_eq!(scene.subscription().await["startedAt"], month(1));
    // The revised item counts as a failed one for a retry.
    let retry = scene.retry(&second).await.accepted();
    assert_eq!(retry["itemCount"], 1);
}

#[tokio::test]
async fn null_removes_each_optional_member() {
    let scene = ImportScene::new().await;
    let set = json!({
        "endDate": month(6),
        "orderDate": month(2),
        "deliveryCustomerId": scene.importing.customer_id,
        "discountPercentage": 10,
        "currentPaymentPeriodPaid": false,
    });
    let _ = scene.import(&[scene.item("A", set.clone())]).await;
    let shown = |name: &str| if name == "endDate" { "endsAt" } else { name }.to_owned();
    for name in set.as_object().expect("members").keys() {
        let before = scene.subscription().await;
        assert!(!before[shown(name)].is_null(), "{name}");
        let kept = scene.import(&[scene.item("A", json!({}))]).await;
        assert_eq!(results(&kept), ["unchanged"], "absent keeps {name}");
        let removed = scene.import(&[scene.item("A", json!({name: null}))]).await;
        assert_eq!(results(&removed), ["updated"], "{name}");
        assert!(scene.subscription().await[shown(name)].is_null(), "{name}");
    }
}

#[tokio::test]
async fn an_erased_customer_stays_no_delivery_customer() {
    let scene = ImportScene::new().await;
    let api = &scene.client().api;
    let other = scene.client().customer_with_email("x@example.com").await;
    let item = scene.item("A", json!({"deliveryCustomerId": id(&other)}));
    let _ = scene.import(std::slice::from_ref(&item)).await;
    let erased = api.delete(&format!("/v1/customers/{}", id(&other))).await;
    let _ = erased.ok();
    let promise = scene.import(&[item]).await;
    let error = &promise["items"][0]["error"];
    assert_eq!(error["code"], "delivery_customer_not_found");
    let promise = scene.import(&[scene.item("A", json!({}))]).await;
    assert_eq!(results(&promise), ["updated"]);
    let kept = scene.subscription().await;
    assert_eq!(kept["deliveryCustomerId"], Value::Null);
    let rows = json!(scene.orders()).to_string();
    assert!(rows.contains(&scene.importing.customer_id) && !rows.contains(id(&other)));
}
