//! The id of a request is in each row that follows from it, and in the workers' log lines about these rows.

use std::sync::Arc;

use serde_json::{Value, json};
use tandem_testing::REQUEST;
use tandem_tests::{Checkout, InProcess, Pair, Receiver, Reply, id, managed_offer};

use crate::log::Log;

/// The sort keys of the rows that keep the id.
const KEEPING: [&str; 5] = ["callback", "mail", "order", "promise", "replay"];
/// The message of each worker's line about such a row.
const WORKED: [&str; 5] = [
    "delivered",
    "attempted",
    "sent",
    "finished a chunk",
    "replayed a step",
];

struct Scene {
    stage: Arc<InProcess>,
    receiver: Receiver,
    pair: Pair,
    checkout: Checkout,
}

impl Scene {
    async fn new() -> Self {
        let stage = InProcess::for_story();
        let setup = stage.setup();
        let receiver = setup.receiver().await;
        let pair = setup.pair_between_two_companies(&receiver.url()).await;
        let checkout = pair.checkout().await;
        let scene = Self {
            stage,
            receiver,
            pair,
            checkout,
        };
        scene.finish().await;
        scene
    }

    /// Does all work, also that which is due later.
    async fn finish(&self) {
        self.stage.work().await;
        while !self.stage.advance_to_next_due().is_empty() {
            self.stage.work().await;
        }
    }

    async fn sell(&self, key: &str) -> Value {
        self.checkout.purchase(key).await.created()
    }

    /// A renewal, a cancellation and a refund.
    async fn change_after_sale(&self) {
        let (seller, order) = (&self.pair.target, self.sell("changed").await);
        let subscription = order["positions"][1]["subscriptionId"].as_str();
        let path = format!("/v1/subscriptions/{}", subscription.expect("sold"));
        let _ = seller.api.act(&format!("{path}/payments")).await.ok();
        let cancelled = seller.api.post(&format!("{path}/cancel"), json!({})).await;
        let _ = cancelled.ok();
        let _ = seller.refund(&order).await.ok();
        self.finish().await;
    }

    async fn import(&self) {
        let (client, url) = (&self.pair.target, json!({"url": self.receiver.url()}));
        let _ = client.api.put("/v1/event-endpoint", url).await.created();
        let item = json!({
            "externalSystemId": "A-1",
            "offerId": id(&managed_offer(client).await),
            "invoiceCustomerId": id(&self.checkout.customer),
            "quantity": 1,
            "startDate": "2026-11-01T00:00:00Z",
            "paymentMethod": "BILLING",
        });
        let body = json!({"items": [item]});
        let _ = client.api.post("/v1/imports/orders", body).await.accepted();
        self.finish().await;
    }

    /// A callback whose attempts all fail, its mail, and its replay.
    async fn exhaust_and_replay(&self) {
        self.receiver.answer_always(Reply::status(500));
        let _ = self.sell("exhausted").await;
        self.finish().await;
        self.receiver.answer_always(Reply::status(204));
        let api = &self.pair.source.api;
        let _ = api
            .post("/v1/callbacks/replays", json!({}))
            .await
            .accepted();
        self.finish().await;
    }
}

#[tokio::test]
async fn each_row_that_follows_has_the_id_of_its_request() {
    let scene = Scene::new().await;
    scene.change_after_sale().await;
    scene.import().await;
    scene.exhaust_and_replay().await;
    // The octets of its base64, which the table shows in the usual alphabet.
    let expected = json!(REQUEST.replace('_', "/").replace('-', "+"));
    let rows = scene.stage.table.dump();
    for kind in KEEPING {
        let of_kind: Vec<&Value> = rows.iter().filter(|row| row["sk"] == kind).collect();
        assert!(!of_kind.is_empty(), "no {kind}");
        for row in of_kind {
            assert_eq!(row["request"], expected, "{row}");
        }
    }
    for row in rows.iter().filter(|row| row.get("request").is_some()) {
        let kind = row["sk"].as_str().expect("a key");
        assert!(KEEPING.contains(&kind), "{row}");
    }
}

#[tokio::test]
async fn each_line_of_a_worker_has_the_id_of_the_request() {
    let log = Log::start();
    let scene = Scene::new().await;
    scene.change_after_sale().await;
    scene.import().await;
    scene.exhaust_and_replay().await;
    for message in WORKED {
        let lines = log.lines_of(message);
        assert!(!lines.is_empty(), "nothing was {message}");
        for line in lines {
            assert_eq!(line["request"], REQUEST, "{line}");
        }
    }
}

#[tokio::test]
async fn an_answered_line_has_the_ids_that_the_request_wrote() {
    let log = Log::start();
    let scene = Scene::new().await;
    let order = scene.sell("logged").await;
    let again = scene.sell("logged").await;
    assert_eq!(id(&order), id(&again));
    scene.stage.work().await;
    let callbacks = scene.pair.source.callbacks().await;
    let code = scene.pair.source.newest_voucher_code().await;
    let path = format!("/v1/orders/{}", id(&order));
    let _ = scene.pair.target.api.get(&path).await.ok();
    let customer = scene.pair.source.customer().await;
    let redeemed = scene.pair.source.redeem(&code, &customer).await.ok();

    let ids = |route: &str| -> Vec<String> {
        let lines = log.lines_of("answered").into_iter();
        let of_route = lines.filter(|line| line["route"] == route);
        let text = |line: Value| line["ids"].as_str().unwrap_or_default().to_owned();
        of_route.map(text).collect()
    };
    let sold = ids("POST /v1/carts/{cartId}/purchase");
    let [first, second] = sold.as_slice() else {
        panic!("two purchases: {sold:?}")
    };
    let position = |at: usize| {
        order["positions"][at]["subscriptionId"]
            .as_str()
            .expect("sold")
    };
    for written in [
        id(&scene.checkout.cart),
        id(&order),
        position(0),
        position(1),
        id(&callbacks[0]),
    ] {
        assert!(first.contains(written), "{written} is not in {first}");
    }
    assert_eq!(
        *second,
        format!("{} {}", id(&scene.checkout.cart), id(&order))
    );
    assert_eq!(ids("GET /v1/orders/{orderId}"), [id(&order)]);
    let route = "POST /v1/subscriptions/useCrossClientVoucher";
    assert_eq!(ids(route), [id(&redeemed)]);
    let text = log.text();
    for private in ["@", code.as_str()] {
        assert!(!text.contains(private), "{private} is in the log");
    }
}
