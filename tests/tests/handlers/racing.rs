//! Races: one winner, and a defined answer for the others.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::{join, join_all};
use serde_json::{Value, json};
use tandem_tests::handlers::{Answer, House, Pair};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::import_scene::{ImportScene, results};

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
    let orders: BTreeSet<String> = answers
        .iter()
        .map(|answer| answer.body["id"].to_string())
        .collect();
    assert_eq!(orders.len(), 1);
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
    let count = |sk: &str| {
        house
            .table
            .dump()
            .iter()
            .filter(|row| row["sk"] == sk)
            .count()
    };
    assert_eq!(
        (
            count("order"),
            count("payout"),
            count("voucher"),
            count("callback")
        ),
        (1, 1, 1, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_customers_redeem_one_voucher_and_one_gets_it() {
    let house = House::new().await;
    let pair = house.pair(Some("http://127.0.0.1:9/")).await;
    let _ = house.purchase(&pair, "k1").await.expect(201);
    let code = voucher_code(&house, &pair).await;
    let mut customers = Vec::new();
    for number in 0..MANY {
        customers.push(
            house
                .customer(&pair.source, &format!("c{number}@example.com"))
                .await,
        );
    }
    let redeem = |customer: &String| {
        let body = json!({"customerId": customer, "voucherCode": code});
        house.call(
            &pair.source.who,
            "POST /v1/subscriptions/useCrossClientVoucher",
            Some(body),
        )
    };
    let answers = join_all(customers.iter().map(redeem)).await;
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 200).count(),
        1
    );
    assert!(
        answers
            .iter()
            .all(|answer| answer.status == 200 || answer.body["code"] == "voucher_redeemed")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_concurrent_wrong_codes_ten_are_looked_up() {
    let house = House::new().await;
    let client = house.merchant(&house.company(true).await, "Quelle").await;
    let body = json!({"customerId": house.customer(&client, "own@example.com").await, "voucherCode": "00000-00000-00000-00000"});
    let guess = || {
        house.call(
            &client.who,
            "POST /v1/subscriptions/useCrossClientVoucher",
            Some(body.clone()),
        )
    };
    let (mut open, mut answered) = (MANY, Vec::new());
    // A caller that keeps losing the race gets 409 without learning about its code, and asks again.
    while open > 0 {
        let answers = join_all((0..open).map(|_| guess())).await;
        let (busy, definite): (Vec<Answer>, Vec<Answer>) =
            answers.into_iter().partition(|answer| answer.status == 503);
        assert!(
            busy.iter()
                .all(|answer| answer.body["code"] == "unavailable"),
            "{busy:?}"
        );
        open = busy.len();
        answered.extend(definite);
    }
    let (looked_up, waiting): (Vec<Answer>, Vec<Answer>) = answered
        .into_iter()
        .partition(|answer| answer.status == 404);
    assert_eq!((looked_up.len(), waiting.len()), (10, MANY - 10));
    assert!(
        looked_up
            .iter()
            .all(|answer| answer.body["code"] == "voucher_not_found"),
        "{looked_up:?}"
    );
    for answer in waiting {
        assert_eq!(answer.retry_after.as_deref(), Some("60"));
        assert_eq!(answer.problem(429), "too_many_guesses");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accepting_against_withdrawing_has_one_winner() {
    let house = House::new().await;
    let company = house.company(true).await;
    let (source, target) = (
        house.merchant(&company, "Quelle").await,
        house.merchant(&company, "Ziel").await,
    );
    let body = json!({"targetClientId": target.id, "offersAccess": true});
    let invited = house
        .call(&source.who, "POST /v1/connections", Some(body))
        .await
        .expect(201);
    let id = invited["id"].as_str().expect("an id");
    let (accept, withdraw) = (
        format!("POST /v1/connections/{id}/accept"),
        format!("POST /v1/connections/{id}/withdraw"),
    );
    let moves = (0..MANY).map(|number| {
        let (who, target) = if number.is_multiple_of(2) {
            (&target.who, &accept)
        } else {
            (&source.who, &withdraw)
        };
        house.call(who, target, None)
    });
    let answers = join_all(moves).await;
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 200).count(),
        1
    );
    assert!(
        answers
            .iter()
            .all(|answer| answer.status == 200 || answer.body["code"] == "connection_status")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_invitations_make_one_connection() {
    let house = House::new().await;
    let company = house.company(true).await;
    let (source, target) = (
        house.merchant(&company, "Quelle").await,
        house.merchant(&company, "Ziel").await,
    );
    let body = json!({"targetClientId": target.id, "offersAccess": true});
    let answers = join_all(
        (0..MANY).map(|_| house.call(&source.who, "POST /v1/connections", Some(body.clone()))),
    )
    .await;
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 201).count(),
        1
    );
    assert!(
        answers
            .iter()
            .all(|answer| answer.status == 201 || answer.body["code"] == "connection_exists")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_requests_create_one_customer() {
    let house = House::new().await;
    let company = house.company(true).await;
    let client = house.merchant(&company, "Quelle").await;
    let body = |number: usize| json!({"email": if number.is_multiple_of(2) { "Anna@Example.com" } else { "anna@example.com" }, "language": "de"});
    let answers = join_all(
        (0..MANY).map(|number| house.call(&client.who, "POST /v1/customers", Some(body(number)))),
    )
    .await;
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 201).count(),
        1
    );
    let ids: BTreeSet<String> = answers
        .iter()
        .map(|answer| answer.body["id"].to_string())
        .collect();
    assert_eq!((ids.len(), statuses(&answers)), (1, [200, 201].into()));
}

/// A purchase, and whether the block had been answered before it began.
async fn purchase_after(
    house: &House,
    pair: &Pair,
    number: usize,
    blocked: &AtomicBool,
) -> (bool, Answer) {
    // Some purchases start before the block, some during it, some after it.
    for _ in 0..number * 4 {
        tokio::task::yield_now().await;
    }
    let before = blocked.load(Ordering::SeqCst);
    (before, house.purchase(pair, &format!("k{number}")).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn purchases_racing_a_block_are_complete_or_refused() {
    let house = House::new().await;
    let pair = house.pair(Some("http://127.0.0.1:9/")).await;
    let blocked = AtomicBool::new(false);
    let block = async {
        tokio::task::yield_now().await;
        let answer = house
            .call(
                &pair.source.who,
                &format!("POST /v1/connections/{}/block", pair.connection),
                None,
            )
            .await;
        blocked.store(answer.status == 200, Ordering::SeqCst);
        answer
    };
    let purchases =
        join_all((0..MANY).map(|number| purchase_after(&house, &pair, number, &blocked)));
    let (answers, block) = join(purchases, block).await;
    assert_eq!(block.expect(200)["status"], "blocked");
    let sold: BTreeSet<String> = answers
        .iter()
        .filter(|(_, answer)| answer.status == 201)
        .map(|(_, answer)| answer.body["id"].to_string())
        .collect();
    for (after, answer) in &answers {
        assert!(
            answer.status == 201 || answer.body["code"] == "cart_not_sellable",
            "{}",
            answer.text
        );
        assert!(
            answer.status == 409 || !after,
            "sold after the block was answered: {}",
            answer.text
        );
    }
    let rows = house.table.dump();
    let of = |sk: &str, id: &str| -> BTreeSet<String> {
        rows.iter()
            .filter(|row| row["sk"] == sk)
            .map(|row| row[id].to_string())
            .collect()
    };
    // Each sale has all its rows, and a refused purchase has none.
    for (sk, id) in [
        ("order", "id"),
        ("payout", "orderId"),
        ("voucher", "orderId"),
        ("callback", "orderId"),
    ] {
        assert_eq!(of(sk, id), sold, "{sk}");
    }
    assert_eq!(
        house.purchase(&pair, "later").await.problem(409),
        "cart_not_sellable"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_concurrent_imports_of_one_id_the_latest_wins() {
    let scene = ImportScene::new().await;
    let mut promises = Vec::new();
    for number in 1..=MANY {
        promises.push(
            scene
                .accept(&[scene.item("A-1", json!({"quantity": number}))])
                .await,
        );
    }
    let mut messages = scene.stage.import_messages().await;
    assert_eq!(messages.len(), MANY);
    // A worker that keeps losing the race returns its chunk to the queue.
    while !messages.is_empty() {
        let again = join_all(
            messages
                .iter()
                .map(|message| scene.stage.process(message, 1)),
        )
        .await;
        messages = messages
            .into_iter()
            .zip(again)
            .filter(|(_, again)| *again)
            .map(|(message, _)| message)
            .collect();
    }
    let mut made = 0;
    for promise in &promises {
        let promise_view = scene.promise(promise).await;
        assert_eq!(promise_view["state"], "completed");
        let result = results(&promise_view)[0];
        assert!(
            ["created", "updated", "superseded"].contains(&result),
            "{result}"
        );
        made += usize::from(result == "created");
    }
    assert_eq!(
        (
            made,
            scene.rows("order").len(),
            scene.rows("subscription").len()
        ),
        (1, 1, 1)
    );
    assert_eq!(scene.subscription().await["quantity"], MANY);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_concurrent_sweeps_cause_each_effect_once() {
    let (house, server) = (House::new().await, MockServer::start().await);
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    let pair = house.pair(Some(&server.uri())).await;
    for number in 0..MANY {
        let _ = house
            .purchase(&pair, &format!("k{number}"))
            .await
            .expect(201);
    }
    let offer = house
        .offer(&pair.target, json!({"externallyManaged": true}))
        .await;
    let item = |number: usize| {
        json!({"externalSystemId": format!("A-{number}"), "offerId": offer, "invoiceCustomerId": pair.customer, "quantity": 1,
            "startDate": "2026-11-01T00:00:00Z", "paymentMethod": "BILLING"})
    };
    let body = json!({"items": (0..MANY).map(item).collect::<Vec<_>>()});
    let _ = house
        .call(&pair.target.who, "POST /v1/imports/orders", Some(body))
        .await
        .expect(202);
    let (one, other) = join(house.sweep.sweep(), house.sweep.sweep()).await;
    assert!(one.is_ok() && other.is_ok());
    let messages: Vec<_> = house
        .messages()
        .into_iter()
        .map(|sent| sent.message)
        .collect();
    // Two mails, of the invitation and its acceptance, and two chunks.
    assert_eq!(messages.len(), 2 * (MANY + 4), "each sweep hands over all");
    let again = join_all(messages.iter().map(|message| house.process(message, 1))).await;
    assert!(again.iter().all(|again| !again), "no message is retried");
    let received = server.received_requests().await.expect("recorded");
    let ids: BTreeSet<_> = received
        .iter()
        .map(|request| request.headers["webhook-id"].to_str().expect("text"))
        .collect();
    assert_eq!(
        (received.len(), ids.len(), house.mails().len()),
        (MANY, MANY, 2)
    );
    let rows = house.table.dump();
    let count = |sk: &str| {
        rows.iter()
            .filter(|row| row["sk"].as_str().is_some_and(|own| own.starts_with(sk)))
            .count()
    };
    assert_eq!(
        (count("log#"), count("order"), count("attempt#")),
        (MANY, 2 * MANY, MANY)
    );
    assert!(
        !rows.iter().any(|row| row.get("dueShard").is_some()),
        "nothing is due"
    );
}

async fn voucher_code(house: &House, pair: &Pair) -> Value {
    let listed = house
        .call(&pair.source.who, "GET /v1/callbacks", None)
        .await
        .expect(200);
    let id = listed["items"][0]["id"].as_str().expect("an id");
    let callback = house
        .call(&pair.source.who, &format!("GET /v1/callbacks/{id}"), None)
        .await
        .expect(200);
    callback["body"]["data"]["voucherCode"].clone()
}
