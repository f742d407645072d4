//! Imports: their bodies and the results of their items.

// One file past 400 lines: the tables of refused bodies and failed items share the item that they vary.

use jiff::Timestamp;
use serde_json::{Value, json};
use tandem_domain::import::MAX_ITEMS;
use tandem_domain::import::change::Change;
use tandem_domain::import::decide::{
    ExternalHash, Importer, ItemContext, ItemDecision, ItemProblem, ItemResult,
};
use tandem_domain::import::item::{ImportItem, parse_items};
use tandem_domain::import::kept::Member;
use tandem_domain::offer::{Offer, OfferKind, OfferStatus};
use tandem_domain::order::Order;
use tandem_domain::subscription::{Life, Status, Subscription};
use uuid::Uuid;

use crate::fixtures::{at, codes, id, now, offer, with};

pub(crate) fn sent() -> Value {
    json!({
        "externalSystemId": "SAP-1",
        "offerId": "off_0190b8f5c6f77c3ab0a100000000003c",
        "invoiceCustomerId": "cus_0190b8f5c6f77c3ab0a1000000000028",
        "quantity": 2,
        "startDate": "2026-07-01T00:00:00Z",
        "paymentMethod": "BILLING",
    })
}

pub(crate) fn item(more: Value) -> ImportItem {
    let mut sent = sent();
    if let (Some(sent), Value::Object(more)) = (sent.as_object_mut(), more) {
        sent.extend(more);
    }
    ImportItem::parse(&sent).expect("an item")
}

/// The client's own externally managed offer.
fn external_offer() -> Offer {
    Offer {
        externally_managed: true,
        ..offer(60, id(12))
    }
}

/// Decides an item of the promise `rank` after an earlier decision.
pub(crate) fn decide(
    item: &ImportItem,
    rank: u128,
    before: Option<&ItemDecision>,
    offer: Option<&Offer>,
) -> ItemDecision {
    let context = ItemContext {
        external_hash: hash(),
        row: before.map(|before| before.row.clone()),
        offer,
        customer_exists: true,
        delivery_customer_exists: true,
        erased: Vec::new(),
    };
    importer(rank).decide(3, item, context, now())
}

fn importer(rank: u128) -> Importer {
    Importer {
        client_id: id(12),
        company_id: id(1),
        promise_id: id(rank),
        rank: id(rank),
    }
}

pub(crate) fn hash() -> ExternalHash {
    ExternalHash::of(&"5f2a".repeat(16))
}

fn ends_of(subscription: &Subscription) -> Option<Timestamp> {
    match subscription.life {
        Life::Cancelled { ends_at, .. } => Some(ends_at),
        _ => None,
    }
}

/// The order and its subscription.
fn rows(decision: &ItemDecision) -> (Order, Subscription) {
    let rows = decision.row.order().zip(decision.row.subscription());
    rows.expect("an order")
}

fn problem_of(decision: &ItemDecision) -> Option<ItemProblem> {
    decision.entry.outcome.problem
}

fn created() -> ItemDecision {
    decide(&item(json!({})), 90, None, Some(&external_offer()))
}

#[test]
fn each_wrong_member_of_each_item_is_named() {
    let wrong = |member: &str, value: Value| with(sent(), member, value);
    let items = json!([
        sent(),
        {},
        wrong("quantity", json!(0)),
        wrong("quantity", json!(1.5)),
        wrong("quantity", json!(9_223_372_036_854_775_808_u64)),
        wrong("paymentMethod", json!("CASH")),
        wrong("startDate", json!("2026-07-01T00:00:00")),
        wrong("startDate", json!(null)),
        wrong("endDate", json!("2026-06-30T00:00:00Z")),
        wrong("discountPercentage", json!(12.345)),
        wrong("discountPercentage", json!(101)),
        wrong("currentPaymentPeriodPaid", json!("yes")),
        wrong("customerId", json!("cus_1")),
        7,
    ]);
    let errors = parse_items(&json!({"items": items})).expect_err("wrong");
    let expected = [
        ("items[1].externalSystemId", "required"),
        ("items[1].offerId", "required"),
        ("items[1].invoiceCustomerId", "required"),
        ("items[1].quantity", "required"),
        ("items[1].startDate", "required"),
        ("items[1].paymentMethod", "required"),
        ("items[2].quantity", "out_of_range"),
    ];
    assert_eq!(codes(&errors)[..expected.len()], expected);
    let named: Vec<&str> = codes(&errors).iter().map(|(field, _)| *field).collect();
    for number in 2..14 {
        assert!(
            named
                .iter()
                .any(|field| field.starts_with(&format!("items[{number}]"))),
            "{number}: {named:?}"
        );
    }
    assert!(!named.iter().any(|field| field.starts_with("items[0]")));
}

#[test]
fn an_import_has_one_to_a_thousand_items_of_different_ids() {
    let items = |count: usize| {
        (0..count).map(|number| with(sent(), "externalSystemId", json!(number.to_string())))
    };
    let body = |count| json!({"items": items(count).collect::<Vec<_>>()});
    assert_eq!(
        parse_items(&body(MAX_ITEMS)).expect("an import").len(),
        MAX_ITEMS
    );
    for count in [0, MAX_ITEMS + 1] {
        assert_eq!(
            codes(&parse_items(&body(count)).expect_err("wrong"))[0].0,
            "items",
            "{count}"
        );
    }
    let errors = parse_items(&json!({"items": [sent(), sent()]})).expect_err("wrong");
    assert_eq!(codes(&errors)[0].0, "items[1].externalSystemId");
}

#[test]
fn a_new_item_creates_an_order_and_a_managed_subscription() {
    let more = json!({"discountPercentage": 50, "endDate": "2026-12-01T00:00:00Z", "currentPaymentPeriodPaid": true});
    let decided = decide(&item(more), 90, None, Some(&external_offer()));
    let (order, subscription) = rows(&decided);
    assert_eq!(decided.entry.outcome.result, ItemResult::Created);
    assert_eq!(Uuid::from(order.id), Uuid::from(subscription.id));
    assert_eq!(
        (order.id.time(), order.created_at, subscription.created_at),
        (now(), now(), now())
    );
    assert_eq!(
        (decided.entry.order_id, decided.entry.subscription_id),
        (Some(order.id), Some(subscription.id))
    );
    let price = external_offer().price.amount;
    assert_eq!(
        (subscription.amount().amount, order.total),
        (price, subscription.amount()),
        "two, at half the price"
    );
    assert_eq!(subscription.status(now()), Status::Cancelled);
    assert_eq!(
        (
            subscription.external.is_some(),
            order.external == subscription.external
        ),
        (true, true)
    );
}

#[test]
fn present_members_replace_and_absent_members_stay() {
    let first = decide(
        &item(json!({"discountPercentage": 10, "endDate": "2026-12-01T00:00:00Z"})),
        90,
        None,
        Some(&external_offer()),
    );
    // The second item, its result, and the quantity and the end after it.
    let end = Some(at("2026-12-01T00:00:00Z"));
    let table = [
        (
            json!({"discountPercentage": 10, "endDate": "2026-12-01T00:00:00Z"}),
            ItemResult::Unchanged,
            2,
            end,
        ),
        (json!({}), ItemResult::Unchanged, 2, end),
        (json!({"endDate": null}), ItemResult::Updated, 2, None),
        (
            json!({"endDate": "2026-08-01T00:00:00Z"}),
            ItemResult::Updated,
            2,
            Some(at("2026-08-01T00:00:00Z")),
        ),
        (json!({"quantity": 3}), ItemResult::Updated, 3, end),
        (
            json!({"paymentMethod": "ZERO"}),
            ItemResult::Updated,
            2,
            end,
        ),
        (
            json!({"startDate": "2026-07-02T00:00:00Z"}),
            ItemResult::Updated,
            2,
            end,
        ),
        (
            json!({"discountPercentage": 0}),
            ItemResult::Updated,
            2,
            end,
        ),
    ];
    for (more, result, quantity, ends_at) in table {
        let second = decide(
            &item(more.clone()),
            91,
            Some(&first),
            Some(&external_offer()),
        );
        assert_eq!(second.entry.outcome.result, result, "{more}");
        let (_, subscription) = rows(&second);
        assert_eq!(
            subscription != rows(&first).1,
            result == ItemResult::Updated,
            "{more}"
        );
        assert_eq!(
            (subscription.quantity, ends_of(&subscription)),
            (quantity, ends_at),
            "{more}"
        );
    }
}

#[test]
fn of_two_imports_the_later_accepted_one_wins() {
    let later = decide(
        &item(json!({"quantity": 5})),
        91,
        None,
        Some(&external_offer()),
    );
    let overtaken = decide(
        &item(json!({"quantity": 1})),
        90,
        Some(&later),
        Some(&external_offer()),
    );
    assert_eq!(
        (
            overtaken.entry.outcome.result,
            overtaken.entry.outcome.superseded_by
        ),
        (ItemResult::Superseded, Some(id(91)))
    );
    assert_eq!(overtaken.entry.outcome.superseded, [Member::Quantity]);
    assert_eq!(rows(&overtaken), rows(&later));
    // Even if the offer no longer exists.
    let overtaken = decide(&item(json!({"quantity": 1})), 90, Some(&later), None);
    assert_eq!(overtaken.entry.outcome.result, ItemResult::Superseded);
}

#[test]
fn a_date_out_of_range_fails_its_item_alone() {
    for name in ["startDate", "endDate", "orderDate"] {
        for text in [
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:30:00+01:00",
            "1969-12-31T23:30:00-01:00",
            "9999-01-01T00:00:00Z",
            "9999-12-30T00:00:00Z",
        ] {
            let decided = decide(
                &item(json!({name: text})),
                90,
                None,
                Some(&external_offer()),
            );
            let problem = Some(ItemProblem::DateOutOfRange);
            assert_eq!((problem_of(&decided), decided.row.sale), (problem, None));
            // An import that is malformed elsewhere names the date, too.
            let wrong = with(with(sent(), name, json!(text)), "quantity", json!(0));
            let errors = parse_items(&json!({"items": [wrong]})).expect_err("wrong");
            let field = format!("items[0].{name}");
            assert!(codes(&errors).contains(&(field.as_str(), "out_of_range")));
        }
    }
}

#[test]
fn an_item_fails_for_one_reason_and_changes_nothing() {
    let ended = item(json!({"endDate": "2026-06-30T00:00:00Z"}));
    let single = Offer {
        kind: OfferKind::Single,
        ..external_offer()
    };
    let archived = Offer {
        status: OfferStatus::Archived,
        ..external_offer()
    };
    let other = Offer {
        id: id(61),
        ..external_offer()
    };
    let other_offer = item(json!({"offerId": "off_0190b8f5c6f77c3ab0a100000000003d"}));
    let other_customer = item(json!({"invoiceCustomerId": "cus_0190b8f5c6f77c3ab0a1000000000029"}));
    let before = created();
    let table = [
        (
            item(json!({})),
            None,
            None,
            Some(ItemProblem::OfferNotFound),
        ),
        (
            item(json!({})),
            None,
            Some(offer(60, id(12))),
            Some(ItemProblem::OfferNotExternallyManaged),
        ),
        (
            item(json!({})),
            None,
            Some(single),
            Some(ItemProblem::OfferNotSubscription),
        ),
        (
            item(json!({})),
            None,
            Some(archived.clone()),
            Some(ItemProblem::OfferArchived),
        ),
        (
            item(json!({"quantity": 3})),
            Some(&before),
            Some(archived),
            None,
        ),
        (
            other_offer,
            Some(&before),
            Some(other),
            Some(ItemProblem::OfferDiffers),
        ),
        (
            other_customer,
            Some(&before),
            Some(external_offer()),
            Some(ItemProblem::CustomerDiffers),
        ),
        (
            ended.clone(),
            None,
            Some(external_offer()),
            Some(ItemProblem::EndBeforeStart),
        ),
        (
            ended,
            Some(&before),
            Some(external_offer()),
            Some(ItemProblem::EndBeforeStart),
        ),
    ];
    for (item, before, offer, problem) in table {
        let decided = decide(&item, 91, before, offer.as_ref());
        assert_eq!(problem_of(&decided), problem);
        let failed = problem.is_some();
        let subscription = before.and_then(|before| before.row.subscription());
        let unchanged = decided.row.subscription() == subscription;
        assert_eq!(
            (
                decided.entry.outcome.result == ItemResult::Failed,
                unchanged
            ),
            (failed, failed),
            "{problem:?}"
        );
        // A failure that an import accepted earlier can undo is kept in the history. Of the others only the result is recorded.
        let undone = [
            Some(ItemProblem::OfferDiffers),
            Some(ItemProblem::CustomerDiffers),
        ];
        let history = before.map(|before| before.row.history.clone());
        assert_eq!(
            decided.row.history == history.unwrap_or_default(),
            failed && !undone.contains(&problem),
            "{problem:?}"
        );
    }
}

#[test]
fn customers_must_exist_at_each_import() {
    let with_delivery = item(json!({"deliveryCustomerId": "cus_0190b8f5c6f77c3ab0a1000000000029"}));
    let external = external_offer();
    for (customer_exists, delivery_customer_exists, problem) in [
        (true, true, None),
        (false, true, Some(ItemProblem::CustomerNotFound)),
        (true, false, Some(ItemProblem::DeliveryCustomerNotFound)),
    ] {
        for before in [None, Some(created())] {
            let context = ItemContext {
                external_hash: hash(),
                row: before.map(|before| before.row),
                offer: Some(&external),
                customer_exists,
                delivery_customer_exists,
                erased: Vec::new(),
            };
            assert_eq!(
                problem_of(&importer(91).decide(0, &with_delivery, context, now())),
                problem
            );
        }
    }
}

#[test]
fn an_end_date_on_the_last_day_of_9999_is_no_end() {
    for text in ["9999-12-31", "9999-12-31T23:59:59Z"] {
        assert_eq!(
            item(json!({"endDate": text})).members.end_date,
            Change::Clear,
            "{text}"
        );
    }
}
