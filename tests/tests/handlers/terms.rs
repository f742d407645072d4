//! Terms of a shared offer: their end, their warnings, races, and costs.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::future::{join, join_all};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tandem_tests::{Answer, Checkout, InProcess, Module, Pair, id, mandatory};

const DAY: i64 = 24 * 3_600;

fn price(cents: i64) -> Value {
    json!({"amount": cents, "currency": "EUR"})
}

async fn within_one_company(stage: &Arc<InProcess>) -> (Pair, Checkout) {
    let pair = stage.setup().pair_within_one_company().await;
    let checkout = pair.checkout().await;
    stage.work().await;
    let _ = stage.mails();
    (pair, checkout)
}

async fn propose(pair: &Pair, checkout: &Checkout, change: Value) -> Answer {
    let path = format!("/v1/offers/{}", id(&checkout.shared_offer));
    pair.source.api.patch(&path, change).await
}

async fn accept(pair: &Pair, checkout: &Checkout, version: u64) -> Answer {
    let path = format!(
        "/v1/offers/shared/{}/accept-terms",
        id(&checkout.shared_offer)
    );
    pair.target
        .api
        .post(&path, json!({"version": version}))
        .await
}

fn in_days(stage: &InProcess, days: i64) -> Timestamp {
    stage.clock.now() + SignedDuration::from_secs(days * DAY)
}

/// The subjects of the mails since the last call.
async fn mailed(stage: &InProcess) -> Vec<String> {
    stage.work().await;
    let subject = |mail: tandem_testing::RecordedMail| mail.rendered.subject;
    stage.mails().into_iter().map(subject).collect()
}

#[tokio::test]
async fn after_its_deadline_a_position_is_not_sold() {
    let stage = InProcess::start().await;
    let (pair, checkout) = within_one_company(&stage).await;
    let until = in_days(&stage, 3);
    let change = json!({"price": price(1_250), "sellOldTermsUntil": until});
    let _ = propose(&pair, &checkout, change).await.ok();
    stage.advance(3 * DAY - 1);
    let sold = checkout.purchase("before").await.created();
    assert_eq!(sold["positions"][1]["unitPrice"], price(999));
    stage.advance(1);
    let before = stage.table.dump();
    let refused = checkout.purchase("after").await;
    let problem = ("position 2".to_owned(), "terms_not_accepted".to_owned());
    assert_eq!(refused.fields(), [problem]);
    let refused = refused.problem(409, "cart_not_sellable");
    assert!(
        refused["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("version 2")),
        "{refused}"
    );
    assert_eq!(stage.table.dump(), before);
    let cart = pair
        .target
        .api
        .get(&format!("/v1/carts/{}", id(&checkout.cart)))
        .await
        .ok();
    let position = &cart["positions"][1];
    assert_eq!(
        (&cart["sellable"], &position["sellable"], &position["price"]),
        (&json!(false), &json!(false), &Value::Null)
    );
    let positions = [
        mandatory(&checkout.own_offer),
        mandatory(&checkout.shared_offer),
    ];
    let cart = pair.target.try_cart(&positions).await;
    let field = (
        "positions[1].offerId".to_owned(),
        "terms_not_accepted".to_owned(),
    );
    assert_eq!(cart.fields(), [field]);
    let _ = accept(&pair, &checkout, 2).await.ok();
    let sold = checkout.purchase("accepted").await.created();
    assert_eq!(sold["positions"][1]["unitPrice"], price(1_250));
}

#[tokio::test]
async fn a_target_is_warned_a_week_and_a_day_before() {
    let stage = InProcess::start().await;
    let (pair, checkout) = within_one_company(&stage).await;
    let change = json!({"price": price(1_250), "sellOldTermsUntil": in_days(&stage, 30)});
    let _ = propose(&pair, &checkout, change).await.ok();
    assert_eq!(mailed(&stage).await.len(), 1);
    for (days, mails) in [(22, 0), (1, 1), (5, 0), (1, 1), (1, 0)] {
        stage.advance(days * DAY);
        let mailed = mailed(&stage).await;
        assert_eq!(mailed.len(), mails, "{mailed:?}");
        assert!(
            mailed
                .iter()
                .all(|subject| subject.contains("alte Konditionen")),
            "{mailed:?}"
        );
    }
    assert_eq!(stage.advance_to_next_due(), []);
}

#[tokio::test]
async fn no_warning_is_sent_after_the_answer() {
    let stage = InProcess::start().await;
    let (pair, checkout) = within_one_company(&stage).await;
    let change = json!({"price": price(1_250), "sellOldTermsUntil": in_days(&stage, 30)});
    let _ = propose(&pair, &checkout, change).await.ok();
    assert_eq!(mailed(&stage).await.len(), 1);
    let _ = accept(&pair, &checkout, 2).await.ok();
    assert_eq!(mailed(&stage).await.len(), 1, "the mail to the source");
    stage.advance(29 * DAY);
    assert_eq!(mailed(&stage).await, Vec::<String>::new());
    assert_eq!(stage.advance_to_next_due(), []);
}

/// The price and share of each order's shared position.
async fn sold(pair: &Pair) -> BTreeSet<(i64, i64)> {
    let rows = pair.source.api.all("/v1/payouts").await;
    let of_row = |row: &Value| {
        let number = |value: &Value| value.as_i64().expect("a number");
        (
            number(&row["gross"]["amount"]),
            number(&row["sellerShareBasisPoints"]),
        )
    };
    rows.iter().map(of_row).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_beside_a_proposal_has_the_accepted_terms() {
    let stage = InProcess::start().await;
    let (pair, checkout) = within_one_company(&stage).await;
    let worse = json!({"targetClientIds": [pair.target.id], "sellerShareBasisPoints": 0});
    let change = json!({"price": price(4_990), "crossClient": worse});
    let keys: Vec<_> = (0..20).map(|number| format!("sale {number}")).collect();
    let sales = join_all(keys.iter().map(|key| checkout.purchase(key)));
    let (proposed, sales) = join(propose(&pair, &checkout, change), sales).await;
    let _ = proposed.ok();
    assert!(sales.iter().all(|sale| sale.status == 201));
    assert_eq!(sold(&pair).await, [(999, 2_000)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_beside_an_acceptance_has_old_or_new_terms() {
    let stage = InProcess::start().await;
    let (pair, checkout) = within_one_company(&stage).await;
    let worse = json!({"targetClientIds": [pair.target.id], "sellerShareBasisPoints": 0});
    let change = json!({"price": price(4_990), "crossClient": worse});
    let _ = propose(&pair, &checkout, change).await.ok();
    let keys: Vec<_> = (0..20).map(|number| format!("sale {number}")).collect();
    let sales = join_all(keys.iter().map(|key| checkout.purchase(key)));
    let (accepted, sales) = join(accept(&pair, &checkout, 2), sales).await;
    let _ = accepted.ok();
    assert!(sales.iter().all(|sale| sale.status == 201));
    let either = BTreeSet::from([(999, 2_000), (4_990, 0)]);
    assert!(sold(&pair).await.is_subset(&either));
    let _ = checkout.purchase("later").await.created();
    assert!(sold(&pair).await.contains(&(4_990, 0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn acceptances_and_changes_take_place_one_by_one() {
    let stage = InProcess::start().await;
    let (pair, checkout) = within_one_company(&stage).await;
    let _ = propose(&pair, &checkout, json!({"price": price(1_250)}))
        .await
        .ok();
    let accepts = join_all((0..10).map(|_| accept(&pair, &checkout, 2)));
    let change = propose(&pair, &checkout, json!({"price": price(1_300)}));
    let (accepts, changed) = join(accepts, change).await;
    let changed = changed.ok();
    let took = accepts.iter().any(|answer| answer.status == 200);
    assert!(
        accepts
            .iter()
            .all(|answer| matches!(answer.code(), "" | "terms_other_version" | "unavailable"))
    );
    let terms = &changed["crossClient"]["terms"][0];
    assert_eq!(terms["proposedTerms"]["version"], 3);
    let seen = format!("/v1/offers/shared/{}", id(&checkout.shared_offer));
    let seen = pair.target.api.get(&seen).await.ok();
    assert_eq!(seen["acceptedTerms"]["version"], if took { 2 } else { 1 });
    let lines = stage.rows_of("terms");
    let accepted = lines
        .iter()
        .filter(|line| line["action"] == "termsAccepted");
    assert_eq!(accepted.count(), usize::from(took));
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_carts_accept_the_first_terms_once() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_within_one_company().await;
    let own = pair.target.subscription_offer("Morgenblatt", 1_990).await;
    let shared = pair
        .source
        .shared_offer("Garden Weekly", 999, &[&pair.target])
        .await;
    let positions = [mandatory(&own), mandatory(&shared)];
    let carts = join_all((0..50).map(|_| pair.target.try_cart(&positions))).await;
    assert!(carts.iter().all(|cart| cart.status == 201));
    let [offer] = stage
        .rows_of("offer")
        .into_iter()
        .filter(|row| row["terms"].is_object())
        .collect::<Vec<_>>()
        .try_into()
        .expect("one shared offer");
    assert_eq!(
        (
            &offer["terms"]["targets"][0]["accepted"]["version"],
            &offer["version"]
        ),
        (&json!(1), &json!(2))
    );
}

/// docs/table-design.md has these figures.
#[tokio::test]
async fn changes_of_terms_use_the_documented_units() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_within_one_company().await;
    let own = pair.target.subscription_offer("Morgenblatt", 1_990).await;
    let shared = pair
        .source
        .shared_offer("Garden Weekly", 999, &[&pair.target])
        .await;
    let positions = [mandatory(&own), mandatory(&shared)];
    let mut used = Vec::new();
    stage.table.reset_calls();
    let cart = pair.target.cart(&positions).await;
    used.push(stage.table.capacity().write);
    stage.table.reset_calls();
    let _ = pair.target.cart(&positions).await;
    used.push(stage.table.capacity().write);
    let checkout = Checkout {
        seller: pair.target.clone(),
        customer: pair.target.customer().await,
        own_offer: own,
        shared_offer: shared,
        cart,
    };
    stage.table.reset_calls();
    let _ = propose(&pair, &checkout, json!({"price": price(1_250)}))
        .await
        .ok();
    used.push(stage.table.capacity().write);
    stage.table.reset_calls();
    let _ = accept(&pair, &checkout, 2).await.ok();
    used.push(stage.table.capacity().write);
    let documented = format!(
        "The first cart with a shared offer uses {} write units, a later one {}; a proposal to one target {}; an acceptance {}.",
        used[0], used[1], used[2], used[3]
    );
    let design = include_str!("../../../docs/table-design.md");
    let words: Vec<&str> = design.split_whitespace().collect();
    assert!(words.join(" ").contains(&documented), "{documented}");
}

#[tokio::test]
async fn a_proposal_to_forty_targets_is_one_transaction() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    let company = setup.company("Medienhaus", Module::On).await;
    let source = setup.client(&company, "Garden Weekly", "en").await;
    let mut targets = Vec::new();
    for number in 0..40 {
        // A client invites twenty others in an hour.
        stage.advance(180);
        let target = setup
            .client(&company, &format!("Blatt {number}"), "de")
            .await;
        let pair = Pair::connect(source.clone(), target, None).await;
        targets.push(pair.target);
    }
    let named: Vec<_> = targets.iter().collect();
    let shared = source.shared_offer("Garden Weekly", 999, &named).await;
    for target in &targets {
        let own = target.subscription_offer("Eigenes", 100).await;
        let _ = target.cart(&[mandatory(&own), mandatory(&shared)]).await;
    }
    let path = format!("/v1/offers/{}", id(&shared));
    let own_terms: Vec<_> = targets
        .iter()
        .map(|target| json!({"targetClientId": target.id, "price": price(777)}))
        .collect();
    let ids: Vec<_> = targets.iter().map(|target| &target.id).collect();
    let sharing =
        json!({"targetClientIds": ids, "sellerShareBasisPoints": 100, "targetTerms": own_terms});
    let until = in_days(&stage, 30);
    stage.table.reset_calls();
    let _ = source
        .api
        .patch(
            &path,
            json!({"crossClient": sharing, "sellOldTermsUntil": until}),
        )
        .await
        .ok();
    let transactions = stage
        .table
        .calls()
        .into_iter()
        .filter(|call| *call == "TransactWriteItems");
    assert_eq!(transactions.count(), 1);
    let offer = stage
        .rows_of("offer")
        .into_iter()
        .find(|row| row["terms"].is_object());
    let size = offer.expect("the offer").to_string().len();
    assert!(size < 40 * 1_024, "{size} octets");
    assert_eq!(stage.rows_of("terms").len(), 40);
    let proposals = stage
        .rows_of("mail")
        .into_iter()
        .filter(|mail| mail["kind"]["about"] == "termsProposed");
    assert_eq!(proposals.count(), 40);
    stage.table.reset_calls();
    let _ = source.api.act(&format!("{path}/archive")).await.ok();
    let transactions = stage
        .table
        .calls()
        .into_iter()
        .filter(|call| *call == "TransactWriteItems");
    assert_eq!(transactions.count(), 1);
}
