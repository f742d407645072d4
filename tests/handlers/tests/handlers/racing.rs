//! Many at once: one winner, and a defined answer for the others.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::{Value, json};
use tandem_handlers::{Answer, House};

const MANY: usize = 50;

fn statuses(answers: &[Answer]) -> BTreeSet<u16> {
    answers.iter().map(|answer| answer.status).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_purchases_with_one_key_make_one_order() {
    let house = House::new().await;
    let pair = house.pair(Some("http://127.0.0.1:9/")).await;
    let answers = join_all((0..MANY).map(|_| house.purchase(&pair, "k1"))).await;
    assert_eq!(statuses(&answers), [201].into());
    let orders: BTreeSet<String> = answers.iter().map(|answer| answer.body["id"].to_string()).collect();
    assert_eq!(orders.len(), 1);
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
    let count = |sk: &str| house.table.dump().iter().filter(|row| row["sk"] == sk).count();
    assert_eq!((count("order"), count("payout"), count("voucher"), count("callback")), (1, 1, 1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_customers_redeem_one_voucher_and_one_gets_it() {
    let house = House::new().await;
    let pair = house.pair(Some("http://127.0.0.1:9/")).await;
    let _ = house.purchase(&pair, "k1").await.expect(201);
    let code = voucher_code(&house, &pair).await;
    let mut customers = Vec::new();
    for number in 0..MANY {
        customers.push(house.customer(&pair.source, &format!("c{number}@example.com")).await);
    }
    let redeem = |customer: &String| {
        let body = json!({"customerId": customer, "voucherCode": code});
        house.call(&pair.source.who, "POST /v1/subscriptions/useCrossClientVoucher", Some(body))
    };
    let answers = join_all(customers.iter().map(redeem)).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert!(answers.iter().all(|answer| answer.status == 200 || answer.body["code"] == "voucher_redeemed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn accepting_against_withdrawing_has_one_winner() {
    let house = House::new().await;
    let company = house.company(true).await;
    let (source, target) = (house.merchant(&company, "Quelle").await, house.merchant(&company, "Ziel").await);
    let body = json!({"targetClientId": target.id, "offersAccess": true});
    let invited = house.call(&source.who, "POST /v1/connections", Some(body)).await.expect(201);
    let id = invited["id"].as_str().expect("an id");
    let (accept, withdraw) = (format!("POST /v1/connections/{id}/accept"), format!("POST /v1/connections/{id}/withdraw"));
    let moves = (0..MANY).map(|number| {
        let (who, target) = if number.is_multiple_of(2) { (&target.who, &accept) } else { (&source.who, &withdraw) };
        house.call(who, target, None)
    });
    let answers = join_all(moves).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert!(answers.iter().all(|answer| answer.status == 200 || answer.body["code"] == "connection_status"));
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_invitations_make_one_connection() {
    let house = House::new().await;
    let company = house.company(true).await;
    let (source, target) = (house.merchant(&company, "Quelle").await, house.merchant(&company, "Ziel").await);
    let body = json!({"targetClientId": target.id, "offersAccess": true});
    let answers = join_all((0..MANY).map(|_| house.call(&source.who, "POST /v1/connections", Some(body.clone())))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert!(answers.iter().all(|answer| answer.status == 201 || answer.body["code"] == "connection_exists"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_customer_is_made_however_many_ask() {
    let house = House::new().await;
    let company = house.company(true).await;
    let client = house.merchant(&company, "Quelle").await;
    let body = |number: usize| json!({"email": if number.is_multiple_of(2) { "Anna@Example.com" } else { "anna@example.com" }, "language": "de"});
    let answers = join_all((0..MANY).map(|number| house.call(&client.who, "POST /v1/customers", Some(body(number))))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    let ids: BTreeSet<String> = answers.iter().map(|answer| answer.body["id"].to_string()).collect();
    assert_eq!((ids.len(), statuses(&answers)), (1, [200, 201].into()));
}

async fn voucher_code(house: &House, pair: &tandem_handlers::Pair) -> Value {
    let listed = house.call(&pair.source.who, "GET /v1/callbacks", None).await.expect(200);
    let id = listed["items"][0]["id"].as_str().expect("an id");
    let callback = house.call(&pair.source.who, &format!("GET /v1/callbacks/{id}"), None).await.expect(200);
    callback["body"]["data"]["voucherCode"].clone()
}
