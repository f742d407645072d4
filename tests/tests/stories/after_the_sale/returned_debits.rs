//! Money of paid periods goes back, in whole or in part, and comes again.

use serde_json::{Value, json};
use tandem_tests::Answer;

use super::{AGAIN, CREATED, REFUNDED, RENEWED, REVERSED, Scene, euros, row, time};

impl Scene {
    /// The target reverses a paid period of the shared subscription.
    async fn reverse(&self, period: u32, body: Value) -> Answer {
        self.report(&format!("payments/{period}/reverse"), body)
            .await
    }
}

/// The bank returns two of three debits; one is collected again.
#[tokio::test]
async fn a_returned_debit_is_collected_again() {
    for scene in Scene::both().await {
        for _ in 0..2 {
            let _ = scene.report("payments", json!({})).await.ok();
        }
        for period in [1, 2] {
            let charge_back = json!({"kind": "chargeBack"});
            let _ = scene.reverse(period, charge_back).await.ok();
        }
        // The first period is the current one; the second begins later.
        assert_eq!(scene.status().await, "pastDue");
        let [sellers, _] = scene.rows().await;
        assert_eq!(sellers["hasAccess"], false);
        let refused = scene.report("payments", json!({})).await;
        let refused = refused.problem(409, "subscription_past_due");
        let detail = refused["detail"].as_str().expect("a detail");
        assert!(detail.contains("periodNumber 1") && detail.contains("or 4"));

        let again = json!({"periodNumber": 1});
        let paid = scene.report("payments", again.clone()).await.ok();
        assert_eq!(
            (&paid["status"], &paid["hasAccess"], &paid["pastDueSince"]),
            (&json!("active"), &json!(true), &Value::Null)
        );
        assert_eq!(scene.status().await, "active");
        let refused = scene.report("payments", again).await;
        refused.problem(409, "subscription_other_period");
        let expected = [
            row("PAYMENT", 1, 999, 799),
            row("PAYMENT", 2, 999, 799),
            row("PAYMENT", 3, 999, 799),
            row("LOSS", 1, -999, -799),
            row("LOSS", 2, -999, -799),
            row("PAYMENT", 1, 999, 799),
        ];
        assert_eq!(scene.payouts().await, expected);
        if let Some(data) = scene.callback_data(AGAIN).await {
            assert_eq!(
                (&data["periodNumber"], &data["amount"], &data["status"]),
                (&json!(1), &euros(999), &json!("active"))
            );
        }
        let events = [CREATED, RENEWED, RENEWED, REVERSED, REVERSED, AGAIN];
        scene.has_only_the_callbacks(&events).await;
    }
}

#[tokio::test]
async fn parts_go_back_until_nothing_is_left() {
    let scene = Scene::between_two_companies().await;
    for cents in [333, 333] {
        let part = json!({"kind": "refund", "amount": euros(cents)});
        let _ = scene.reverse(1, part).await.ok();
        assert_eq!(scene.status().await, "active");
    }
    let too_much = json!({"kind": "chargeBack", "amount": euros(334)});
    let refused = scene.reverse(1, too_much).await;
    let field = ("amount.amount".to_owned(), "out_of_range".to_owned());
    assert_eq!(refused.fields(), [field], "{refused}");
    refused.problem(422, "invalid_fields");
    let rest = scene.reverse(1, json!({"kind": "chargeBack"})).await.ok();
    assert_eq!(rest["status"], "pastDue");
    let refused = scene.reverse(1, json!({"kind": "refund"})).await;
    refused.problem(409, "nothing_left");
    // The source's 7.99 go back in three parts without a rest.
    let expected = [
        row("PAYMENT", 1, 999, 799),
        row("REFUND", 1, -333, -266),
        row("REFUND", 1, -333, -267),
        row("LOSS", 1, -333, -266),
    ];
    assert_eq!(scene.payouts().await, expected);
    let events = [CREATED, REVERSED, REVERSED, REVERSED];
    scene.has_only_the_callbacks(&events).await;
}

#[tokio::test]
async fn a_reversal_ends_the_subscription_if_it_says_so() {
    for scene in Scene::both().await {
        let part = json!({"kind": "chargeBack", "amount": euros(500), "endSubscription": true});
        let ended = scene.reverse(1, part).await.ok();
        assert_eq!(ended["status"], "chargedBack");
        assert_eq!(scene.status().await, "chargedBack");
        if let Some(data) = scene.callback_data(REFUNDED).await {
            assert_eq!(
                (&data["reason"], &data["periodNumber"], &data["amount"]),
                (&json!("chargeBack"), &json!(1), &euros(-500))
            );
            assert_eq!(time(&data["endedAt"]), time(&ended["endsAt"]));
        }
        // The rest goes back by the order, and a won dispute brings it again.
        let refund = json!({"positions": [2]});
        let order = scene.take_back("refund", refund).await.ok();
        assert_eq!(order["positions"][1]["reversedAmount"], euros(499));
        let won = json!({"periodNumber": 1, "amount": euros(999)});
        let won = scene.report("payments", won).await.ok();
        assert_eq!(won["status"], "chargedBack", "it has ended");
        let expected = [
            row("PAYMENT", 1, 999, 799),
            row("LOSS", 1, -500, -400),
            row("REFUND", 1, -499, -399),
            row("PAYMENT", 1, 999, 799),
        ];
        assert_eq!(scene.payouts().await, expected);
        let events = [CREATED, REFUNDED, REVERSED, AGAIN];
        scene.has_only_the_callbacks(&events).await;
    }
}

#[tokio::test]
async fn an_order_is_reversed_in_part_without_an_end() {
    for scene in Scene::both().await {
        let part = |position: u8, cents| json!({"positions": [position], "amount": euros(cents), "endSubscription": false});
        let order = scene.take_back("refund", part(2, 250)).await.ok();
        let position = &order["positions"][1];
        assert_eq!(
            (&position["status"], &position["reversedAmount"]),
            (&json!("paid"), &euros(250))
        );
        let _ = scene.status().await;
        assert_eq!(scene.rows().await[0]["status"], "active");
        let order = scene.take_back("refund", part(2, 749)).await.ok();
        assert_eq!(order["positions"][1]["status"], "refunded");
        assert_eq!(scene.rows().await[0]["status"], "pastDue");
        scene
            .take_back("refund", json!({"positions": [2]}))
            .await
            .problem(409, "position_not_paid");
        let expected = [
            row("PAYMENT", 1, 999, 799),
            row("REFUND", 1, -250, -200),
            row("REFUND", 1, -749, -599),
        ];
        assert_eq!(scene.payouts().await, expected);
    }
}

#[tokio::test]
async fn only_the_seller_reverses_paid_periods() {
    for scene in Scene::both().await {
        let path = format!("/v1/subscriptions/{}", scene.sale.shared_subscription_id());
        let source = &scene.pair.source.api;
        let body = json!({"kind": "refund"});
        let reverse = format!("{path}/payments/1/reverse");
        let refused = source.post(&reverse, body.clone()).await;
        refused.problem(403, "subscription_read_only");
        let refused = source.act(&format!("{path}/undo-cancellation")).await;
        refused.problem(403, "subscription_read_only");
        for period in ["2", "0", "01", "x", "4294967296"] {
            let reverse = format!("{path}/payments/{period}/reverse");
            let refused = scene.pair.target.api.post(&reverse, body.clone()).await;
            refused.problem(404, "period_not_found");
        }
        assert_eq!(scene.payouts().await, [row("PAYMENT", 1, 999, 799)]);
        scene.has_only_the_callbacks(&[CREATED]).await;
    }
}

#[tokio::test]
async fn a_voucher_outlives_a_returned_debit() {
    let scene = Scene::between_two_companies().await;
    let data = scene.callback_data(CREATED).await.expect("a sale");
    let charge_back = json!({"kind": "chargeBack"});
    let _ = scene.reverse(1, charge_back).await.ok();
    let data_of = scene.callback_data(REVERSED).await.expect("a reversal");
    assert_eq!(
        (&data_of["left"], &data_of["status"]),
        (&euros(0), &json!("pastDue"))
    );
    assert!(data_of["accessEndsAt"].is_string(), "{data_of}");
    let source = &scene.pair.source;
    let customer = source.customer().await;
    let code = data["voucherCode"].as_str().expect("a code");
    let linked = source.redeem(code, &customer).await.ok();
    assert_eq!(linked["status"], "pastDue");
    assert_eq!(scene.status().await, "pastDue");
    let again = json!({"periodNumber": 1});
    let _ = scene.report("payments", again).await.ok();
    assert_eq!(scene.status().await, "active");
}
