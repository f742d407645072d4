//! The state of an imported order is a function of its imports' order of acceptance alone.

mod properties;
mod stored;

use serde_json::{Value, json};
use tandem_domain::ids::PromiseId;
use tandem_domain::import::STORED;
use tandem_domain::import::decide::{ItemProblem, ItemResult};
use tandem_domain::import::history::{History, REMEMBERED};
use tandem_domain::import::imported::{Imported, MAX_SETTLED};
use tandem_domain::import::kept::{Import, Kept, Member};
use tandem_domain::import::records::RecordPage;
use tandem_domain::money::BasisPoints;
use tandem_domain::subscription::Status;
use uuid::Uuid;

use crate::fixtures::now;
use crate::import::item;
use stored::Stored;

/// The promise that was accepted as the n-th, some minutes ago.
fn promise(number: u64) -> PromiseId {
    let millis = u64::try_from(now().as_millisecond()).expect("after 1970") - 600_000;
    PromiseId::from(Uuid::from_u64_pair(
        ((millis + number) << 16) | 0x7000,
        0x8000_0000_0000_0000,
    ))
}

fn import(number: u64, members: Value) -> Import {
    Import {
        promise: promise(number),
        rank: promise(number),
        members: item(members).members,
    }
}

/// Another offer and another customer than those of [`item`].
const OFFER: &str = "off_0190b8f5c6f77c3ab0a100000000003d";
const CUSTOMER: &str = "cus_0190b8f5c6f77c3ab0a1000000000029";

/// Receives the imports in this order.
fn received(imports: &[&Import]) -> (History, Vec<Result<(), ItemProblem>>) {
    let mut verdicts: Vec<(PromiseId, Result<(), ItemProblem>)> = Vec::new();
    let mut history = History::default();
    for import in imports {
        let effect = history.receive(import, now());
        history = effect.history;
        for (revised, verdict) in effect.revised {
            for known in &mut verdicts {
                if known.0 == revised.promise {
                    known.1 = verdict;
                }
            }
        }
        verdicts.push((import.promise, effect.verdict));
    }
    verdicts.sort_by_key(|(promise, _)| *promise);
    let verdicts = verdicts.into_iter().map(|(_, verdict)| verdict).collect();
    (history, verdicts)
}

/// All orders of three things.
const ORDERS: [[usize; 3]; 6] = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
];

/// Three imports in the order of acceptance, their verdicts, and members that the order then has.
type Case = ([Value; 3], [Result<(), ItemProblem>; 3], Value);

fn cases() -> Vec<Case> {
    let end = |month: u8| json!(format!("2026-{month:02}-01T00:00:00Z"));
    let start = end;
    let (ok, early) = (Ok(()), Err(ItemProblem::EndBeforeStart));
    vec![
        // A member that later imports leave open stays.
        (
            [
                json!({"endDate": end(9)}),
                json!({"quantity": 5}),
                json!({"paymentMethod": "ZERO"}),
            ],
            [ok, ok, ok],
            json!({"quantity": 2, "paymentMethod": "ZERO", "endDate": end(9)}),
        ),
        // `null` clears each optional member, and a later import sets it again.
        (
            [
                json!({"endDate": end(9), "orderDate": end(1), "deliveryCustomerId": CUSTOMER, "discountPercentage": 10, "currentPaymentPeriodPaid": true}),
                json!({"endDate": null, "orderDate": null, "deliveryCustomerId": null, "discountPercentage": null, "currentPaymentPeriodPaid": null}),
                json!({"discountPercentage": 20}),
            ],
            [ok, ok, ok],
            json!({"endDate": null, "orderDate": null, "deliveryCustomerId": null, "discountPercentage": 2_000, "currentPaymentPeriodPaid": null}),
        ),
        // The kept end is judged against the new start.
        (
            [
                json!({"endDate": end(9)}),
                json!({"startDate": start(10), "quantity": 9}),
                json!({}),
            ],
            [ok, early, ok],
            json!({"quantity": 2, "startDate": start(7), "endDate": end(9)}),
        ),
        // The same start is accepted once the end is removed.
        (
            [
                json!({"endDate": end(9)}),
                json!({"endDate": null}),
                json!({"startDate": start(10)}),
            ],
            [ok, ok, ok],
            json!({"startDate": start(10), "endDate": null}),
        ),
        // A rejected import keeps the next one from being rejected.
        (
            [
                json!({"endDate": end(9)}),
                json!({"startDate": start(10), "discountPercentage": 5}),
                json!({"startDate": start(8)}),
            ],
            [ok, early, ok],
            json!({"startDate": start(8), "endDate": end(9), "discountPercentage": null}),
        ),
        // The first import names offer and customer.
        (
            [
                json!({"offerId": OFFER}),
                json!({"quantity": 5}),
                json!({"offerId": OFFER, "quantity": 6}),
            ],
            [ok, Err(ItemProblem::OfferDiffers), ok],
            json!({"offerId": OFFER, "quantity": 6}),
        ),
        (
            [
                json!({}),
                json!({"invoiceCustomerId": CUSTOMER, "endDate": end(9)}),
                json!({"quantity": 6}),
            ],
            [ok, Err(ItemProblem::CustomerDiffers), ok],
            json!({"quantity": 6, "endDate": null}),
        ),
    ]
}

/// The members of an order, as a leading system names them.
fn shown(kept: &Kept) -> Value {
    json!({
        "offerId": kept.offer_id,
        "invoiceCustomerId": kept.invoice_customer_id,
        "quantity": kept.quantity.value,
        "startDate": kept.start_date.value,
        "paymentMethod": kept.payment_method.value,
        "endDate": kept.end_date.value.map(|end| end.at),
        "orderDate": kept.order_date.value,
        "deliveryCustomerId": kept.delivery_customer_id.value,
        "discountPercentage": kept.discount_basis_points.value,
        "currentPaymentPeriodPaid": kept.current_payment_period_paid.value,
    })
}

#[test]
fn three_imports_have_one_outcome_in_all_six_orders() {
    for (items, verdicts, expected) in cases() {
        let imports: Vec<Import> = (0..).zip(items).map(|(n, item)| import(n, item)).collect();
        for order in ORDERS {
            let sent: Vec<&Import> = order.iter().map(|place| &imports[*place]).collect();
            let (history, found) = received(&sent);
            assert_eq!(found, verdicts, "{order:?}: {expected}");
            let kept = shown(&history.kept().expect("an order"));
            for (member, value) in expected.as_object().expect("members") {
                assert_eq!(&kept[member], value, "{order:?}: {member} of {expected}");
            }
        }
    }
}

/// The row after two equal imports and a retry.
pub(crate) fn three_imports() -> Imported {
    let mut stored = Stored::default();
    for number in [1, 2] {
        stored.process(&import(number, json!({"orderDate": null})), now());
    }
    let retry = Import {
        rank: promise(0),
        ..import(3, json!({"discountPercentage": 5}))
    };
    stored.process(&retry, now());
    stored.row.expect("a row")
}

/// The row after a failed import, an import with all members, and one that it overtook.
pub(crate) fn settled() -> Imported {
    let mut stored = Stored::default();
    let all = json!({
        "endDate": "2026-12-01T00:00:00Z",
        "orderDate": "2026-06-01T00:00:00Z",
        "deliveryCustomerId": CUSTOMER,
        "discountPercentage": 12.5,
        "currentPaymentPeriodPaid": true,
    });
    let unknown = "off_0190b8f5c6f77c3ab0a100000000ffff";
    stored.process(&import(1, json!({"offerId": unknown})), now());
    stored.process(&import(3, all.clone()), now());
    let later = now() + REMEMBERED;
    stored.process(&import(4, all), later);
    stored.process(&import(2, json!({"quantity": 9})), later);
    stored.row.expect("a row")
}

/// The records of six imports that failed.
pub(crate) fn page() -> RecordPage {
    let mut stored = Stored::default();
    let unknown = json!({"offerId": "off_0190b8f5c6f77c3ab0a100000000ffff"});
    for number in 0..=u64::try_from(MAX_SETTLED).expect("few") {
        stored.process(&import(number, unknown.clone()), now());
    }
    stored.pages.remove(0)
}

#[test]
fn a_row_without_an_order_expires_and_one_with_an_order_stays() {
    let mut stored = Stored::default();
    let unknown = json!({"offerId": "off_0190b8f5c6f77c3ab0a100000000ffff"});
    stored.process(&import(1, unknown), now());
    let row = stored.row.as_ref().expect("a row");
    assert_eq!((row.order(), row.uuid()), (None, None));
    assert_eq!(row.expires_at(), Some(promise(1).time() + STORED));
    stored.process(&import(2, json!({})), now());
    let row = stored.row.as_ref().expect("a row");
    assert_eq!((row.expires_at(), row.records.len()), (None, 2));
    // Once the first result is no longer shown, its record leaves the row.
    let later = now() + STORED;
    let next = Import {
        promise: PromiseId::first_of(later),
        rank: PromiseId::first_of(later),
        ..import(3, json!({}))
    };
    stored.process(&next, later);
    assert_eq!(stored.row.map(|row| row.records.len()), Some(1));
}

#[test]
fn an_overtaken_import_still_sets_what_the_later_one_left_open() {
    let mut stored = Stored::default();
    stored.process(&import(2, json!({"quantity": 5, "endDate": null})), now());
    let first = import(
        1,
        json!({"quantity": 1, "endDate": "2026-09-01T00:00:00Z", "discountPercentage": 10}),
    );
    stored.process(&first, now());
    let entry = stored.log.last().expect("an entry");
    assert_eq!(entry.outcome.result, ItemResult::Updated);
    assert_eq!(
        entry.outcome.superseded,
        [Member::Quantity, Member::EndDate]
    );
    assert_eq!(entry.outcome.superseded_by, Some(promise(2)));
    let (order, subscription) = stored.rows().expect("rows");
    assert_eq!(
        (subscription.quantity, subscription.status(now())),
        (5, Status::Active)
    );
    assert_eq!(
        order
            .external
            .as_ref()
            .and_then(|it| it.discount_basis_points),
        Some(BasisPoints(1_000))
    );
    // An equal value is not lost.
    stored.process(&import(0, json!({"quantity": 5})), now());
    let entry = stored.log.last().expect("an entry");
    assert_eq!(
        (entry.outcome.result, entry.outcome.superseded.len()),
        (ItemResult::Superseded, 0)
    );
}

#[test]
fn a_late_import_revises_the_results_of_later_accepted_ones() {
    let mut stored = Stored::default();
    let at = |month: u8| json!(format!("2026-{month:02}-01T00:00:00Z"));
    stored.process(&import(1, json!({"startDate": at(10)})), now());
    stored.process(
        &import(0, json!({"startDate": at(7), "endDate": at(9)})),
        now(),
    );
    let revised = &stored.log[0];
    assert_eq!(
        (revised.outcome.result, revised.outcome.problem),
        (ItemResult::Failed, Some(ItemProblem::EndBeforeStart))
    );
    assert_eq!(revised.revised_at, Some(now()));
    let (_, subscription) = stored.rows().expect("rows");
    assert_eq!(json!(subscription.started_at), at(7));
    // The earliest import names the offer and the customer.
    stored.process(&import(3, json!({"startDate": at(8)})), now());
    let mut other = Stored::default();
    other.process(&import(1, json!({})), now());
    other.process(
        &import(0, json!({"offerId": OFFER, "invoiceCustomerId": CUSTOMER})),
        now(),
    );
    assert_eq!(
        other.log[0].outcome.problem,
        Some(ItemProblem::OfferDiffers)
    );
    let (order, subscription) = other.rows().expect("rows");
    assert_eq!(
        json!([order.customer_id, subscription.customer_id]),
        json!([CUSTOMER, CUSTOMER])
    );
    assert_eq!(
        json!([order.positions[0].offer_id, subscription.offer_id]),
        json!([OFFER, OFFER])
    );
}

#[test]
fn an_erased_delivery_customer_is_dropped_by_the_next_import() {
    let mut stored = Stored::default();
    stored.process(&import(0, json!({"deliveryCustomerId": CUSTOMER})), now());
    stored.erased = vec![CUSTOMER.parse().expect("an id")];
    // A failed item changes nothing.
    stored.process(
        &import(1, json!({"endDate": "2026-01-01T00:00:00Z"})),
        now(),
    );
    let delivery = |stored: &Stored| {
        let (order, subscription) = stored.rows().expect("rows");
        assert_eq!(order.external, subscription.external);
        order
            .external
            .and_then(|external| external.delivery_customer_id)
    };
    assert!(delivery(&stored).is_some());
    stored.process(&import(2, json!({})), now());
    assert_eq!(
        stored.log.last().map(|entry| entry.outcome.result),
        Some(ItemResult::Updated)
    );
    assert_eq!(delivery(&stored), None);
    assert!(!json!(stored.row).to_string().contains(CUSTOMER));
}
