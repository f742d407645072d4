//! Races: one winner, and a defined answer for the others.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::{join, join_all};
use serde_json::json;
use tandem_domain::sweep::GRACE;
use tandem_tests::{
    Answer, Checkout, Client, Importing, InProcess, Module, Received, Receiver, Setup, id,
    managed_offer,
};

use crate::import_scene::{ImportScene, results};
use crate::redeeming::{UNKNOWN, UNUSED_URL, sold};

const MANY: usize = 50;

fn statuses(answers: &[Answer]) -> BTreeSet<u16> {
    answers.iter().map(|answer| answer.status).collect()
}

fn with_status(answers: &[Answer], status: u16) -> usize {
    answers
        .iter()
        .filter(|answer| answer.status == status)
        .count()
}

/// Two clients of one contracting company, without a connection.
async fn two_clients(setup: &Setup) -> (Client, Client) {
    let company = setup.company("Medienhaus", Module::On).await;
    let source = setup.client(&company, "Garden Weekly", "en").await;
    (source, setup.client(&company, "Morgenblatt", "de").await)
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_purchases_with_one_key_make_one_order() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_between_two_companies(UNUSED_URL).await;
    let checkout = pair.checkout().await;
    let answers = join_all((0..MANY).map(|_| checkout.purchase("k1"))).await;
    assert_eq!(statuses(&answers), [201].into());
    let orders: BTreeSet<&str> = answers.iter().map(|answer| id(&answer.body)).collect();
    assert_eq!(orders.len(), 1);
    let first = |answer: &&Answer| !answer.is_repeated();
    assert_eq!(answers.iter().filter(first).count(), 1);
    for sk in ["order", "payout", "callback"] {
        assert_eq!(stage.rows_of(sk).len(), 1, "{sk}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_customers_redeem_one_voucher_and_one_gets_it() {
    let stage = InProcess::start().await;
    let (pair, _, code) = sold(&stage).await;
    let source = &pair.source;
    let mut customers = Vec::new();
    for _ in 0..MANY {
        customers.push(source.customer().await);
    }
    let redeem = |customer| source.redeem(&code, customer);
    let answers = join_all(customers.iter().map(redeem)).await;
    assert_eq!(with_status(&answers, 200), 1);
    assert!(
        answers
            .iter()
            .all(|answer| answer.status == 200 || answer.code() == "voucher_redeemed")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_concurrent_wrong_codes_ten_are_looked_up() {
    let stage = InProcess::start().await;
    let (client, _) = two_clients(&stage.setup()).await;
    let customer = client.customer().await;
    let guess = || client.redeem(UNKNOWN, &customer);
    let (mut open, mut answered) = (MANY, Vec::new());
    // A caller that keeps losing the race gets 503 without learning about its code, and asks again.
    while open > 0 {
        let answers = join_all((0..open).map(|_| guess())).await;
        let (busy, definite): (Vec<Answer>, Vec<Answer>) =
            answers.into_iter().partition(|answer| answer.status == 503);
        assert!(
            busy.iter().all(|answer| answer.code() == "unavailable"),
            "{busy:?}"
        );
        open = busy.len();
        answered.extend(definite);
    }
    let (looked_up, waiting): (Vec<Answer>, Vec<Answer>) = answered
        .into_iter()
        .partition(|answer| answer.status == 404);
    assert_eq!((looked_up.len(), waiting.len()), (10, MANY - 10));
    for answer in looked_up {
        let _ = answer.problem(404, "voucher_not_found");
    }
    for answer in waiting {
        assert_eq!(answer.header("retry-after"), Some("60"));
        let _ = answer.problem(429, "too_many_guesses");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accepting_against_withdrawing_has_one_winner() {
    let stage = InProcess::start().await;
    let (source, target) = two_clients(&stage.setup()).await;
    let invited = source.invite(&target, None).await.created();
    let moves = (0..MANY).map(|number| {
        if number.is_multiple_of(2) {
            target.act_on_connection("accept", id(&invited))
        } else {
            source.act_on_connection("withdraw", id(&invited))
        }
    });
    let answers = join_all(moves).await;
    assert_eq!(with_status(&answers, 200), 1);
    assert!(
        answers
            .iter()
            .all(|answer| answer.status == 200 || answer.code() == "connection_status")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_invitations_make_one_connection() {
    let stage = InProcess::start().await;
    let (source, target) = two_clients(&stage.setup()).await;
    let answers = join_all((0..MANY).map(|_| source.invite(&target, None))).await;
    assert_eq!(with_status(&answers, 201), 1);
    assert!(
        answers
            .iter()
            .all(|answer| answer.status == 201 || answer.code() == "connection_exists")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_requests_create_one_customer() {
    let stage = InProcess::start().await;
    let (client, _) = two_clients(&stage.setup()).await;
    let create = |number: usize| {
        let email = ["Anna@Example.com", "anna@example.com"][number % 2];
        let body = json!({"email": email, "language": "de"});
        client.api.post("/v1/customers", body)
    };
    let answers = join_all((0..MANY).map(create)).await;
    assert_eq!(with_status(&answers, 201), 1);
    let ids: BTreeSet<&str> = answers.iter().map(|answer| id(&answer.body)).collect();
    assert_eq!((ids.len(), statuses(&answers)), (1, [200, 201].into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_blocking_at_once_leave_two_blocks() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_within_one_company().await;
    let sides = [&pair.source, &pair.target];
    let block = |number: usize| sides[number % 2].act_on_connection("block", &pair.connection_id);
    let answers = join_all((0..MANY).map(block)).await;
    assert_eq!(with_status(&answers, 200), 2, "one block of each side");
    let connection = pair.source.connection(&pair.connection_id).await;
    let blocks = connection["blocks"].as_array().expect("blocks");
    let by: BTreeSet<&str> = blocks
        .iter()
        .filter_map(|block| block["by"].as_str())
        .collect();
    assert_eq!(by, ["source", "target"].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unblock_racing_the_other_sides_block_leaves_it() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_within_one_company().await;
    let (source, target, id) = (&pair.source, &pair.target, &pair.connection_id);
    for round in 0..MANY {
        let _ = source.act_on_connection("block", id).await.ok();
        let unblock = source.act_on_connection("unblock", id);
        let (unblocked, blocked) = join(unblock, target.act_on_connection("block", id)).await;
        let _ = (unblocked.ok(), blocked.ok());
        let connection = source.connection(id).await;
        assert_eq!(
            (&connection["status"], &connection["blockedBy"]),
            (&json!("blocked"), &json!("target")),
            "round {round}"
        );
        let active = target.act_on_connection("unblock", id).await.ok();
        assert_eq!(active["status"], "active");
    }
}

/// A purchase, and whether the block had been answered before it began.
async fn purchase_after(
    checkout: &Checkout,
    number: usize,
    blocked: &AtomicBool,
) -> (bool, Answer) {
    // Some purchases start before the block, some during it, some after it.
    for _ in 0..number * 4 {
        tokio::task::yield_now().await;
    }
    let before = blocked.load(Ordering::SeqCst);
    (before, checkout.purchase(&format!("k{number}")).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn purchases_racing_a_block_are_complete_or_refused() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_between_two_companies(UNUSED_URL).await;
    let checkout = pair.checkout().await;
    let blocked = AtomicBool::new(false);
    let block = async {
        tokio::task::yield_now().await;
        let answer = pair
            .source
            .act_on_connection("block", &pair.connection_id)
            .await;
        blocked.store(answer.status == 200, Ordering::SeqCst);
        answer
    };
    let purchases = join_all((0..MANY).map(|number| purchase_after(&checkout, number, &blocked)));
    let (answers, block) = join(purchases, block).await;
    assert_eq!(block.ok()["status"], "blocked");
    let sold: BTreeSet<String> = answers
        .iter()
        .filter(|(_, answer)| answer.status == 201)
        .map(|(_, answer)| answer.body["id"].to_string())
        .collect();
    for (after, answer) in &answers {
        assert!(
            answer.status == 201 || answer.code() == "cart_not_sellable",
            "{answer}"
        );
        assert!(
            answer.status == 409 || !after,
            "sold after the block was answered: {answer}"
        );
    }
    // Each sale has all its rows, and a refused purchase has none.
    for (sk, id) in [
        ("order", "id"),
        ("payout", "orderId"),
        ("callback", "orderId"),
    ] {
        let rows = stage.rows_of(sk);
        let of: BTreeSet<String> = rows.iter().map(|row| row[id].to_string()).collect();
        assert_eq!(of, sold, "{sk}");
    }
    let refused = checkout.purchase("later").await;
    let _ = refused.problem(409, "cart_not_sellable");
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
    assert_eq!((made, scene.orders().len()), (1, 1));
    assert_eq!(scene.subscription().await["quantity"], MANY);
}

/// Many sales and an import of many items, none of them handed over.
async fn much_work(stage: &Arc<InProcess>, receiver: &Receiver) {
    let setup = stage.setup();
    let pair = setup.pair_between_two_companies(&receiver.url()).await;
    let checkout = pair.checkout().await;
    for number in 0..MANY {
        let _ = checkout.purchase(&format!("k{number}")).await.created();
    }
    let importing = Importing {
        offer_id: id(&managed_offer(&pair.target).await).to_owned(),
        customer_id: id(&checkout.customer).to_owned(),
        client: pair.target,
    };
    let item = |number: usize| importing.item(&format!("A-{number}"), json!({}));
    let items: Vec<_> = (0..MANY).map(item).collect();
    let _ = importing.start(&items).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_concurrent_sweeps_cause_each_effect_once() {
    let stage = InProcess::start().await;
    let receiver = stage.setup().receiver().await;
    much_work(&stage, &receiver).await;
    stage.clock.advance(GRACE);
    let (one, other) = join(stage.sweep.sweep(), stage.sweep.sweep()).await;
    assert!(one.is_ok() && other.is_ok());
    let sent = stage.messages().into_iter().map(|sent| sent.message);
    let sent: Vec<_> = sent.collect();
    // Two mails, of the invitation and its acceptance, and two chunks.
    assert!(sent.len() >= MANY + 4, "the sweeps hand over all");
    let messages = [sent.clone(), sent].concat();
    let again = join_all(messages.iter().map(|message| stage.process(message, 1))).await;
    assert!(again.iter().all(|again| !again), "no message is retried");
    let received = receiver.received();
    let ids: BTreeSet<_> = received.iter().map(Received::webhook_id).collect();
    assert_eq!(
        (received.len(), ids.len(), stage.mails().len()),
        (MANY, MANY, 2)
    );
    let count = |sk: &str| stage.rows_of(sk).len();
    assert_eq!(
        (count("imported#"), count("order"), stage.logged_attempts()),
        (MANY, MANY, MANY)
    );
    assert!(stage.due().is_empty(), "nothing is due");
}
