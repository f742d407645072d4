//! Imports: their bodies, the results of their items, and their progress.

use jiff::Timestamp;
use serde_json::{Value, json};
use tandem_domain::import::change::Change;
use tandem_domain::import::chunk::{
    Begun, Chunk, ChunkFailure, ChunkItems, ChunkState, LEASE, MAX_LEASES, Received,
};
use tandem_domain::import::decide::{
    ExternalHash, Importer, ItemContext, ItemDecision, ItemProblem, ItemResult,
};
use tandem_domain::import::item::{ImportItem, parse_items};
use tandem_domain::import::kept::Member;
use tandem_domain::import::promise::{Accepted, Counts, Promise, PromiseState};
use tandem_domain::import::{CHUNK, KEPT, MAX_ITEMS};
use tandem_domain::offer::{Offer, OfferKind, OfferStatus};
use tandem_domain::subscription::{Life, Status, Subscription};

use crate::fixtures::{Counter, at, codes, id, now, offer, with, yesterday};

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
        mirror: before.and_then(|before| before.mirror.clone()),
        mirrored: before.and_then(|before| before.rows.clone()),
        offer,
        customer_exists: true,
        delivery_customer_exists: true,
        erased: Vec::new(),
    };
    importer(rank).decide(3, item, context, now(), &mut Counter::default())
}

fn importer(rank: u128) -> Importer {
    Importer {
        client_id: id(12),
        company_id: id(1),
        promise_id: id(rank),
        rank: id(rank),
    }
}

fn hash() -> ExternalHash {
    ExternalHash("5f2a".to_owned())
}

fn ends_of(subscription: &Subscription) -> Option<Timestamp> {
    match subscription.life {
        Life::Cancelled { ends_at, .. } => Some(ends_at),
        _ => None,
    }
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
    let (order, subscription) = decided.rows.expect("rows");
    assert_eq!(decided.log.result, ItemResult::Created);
    assert_eq!((order.id, subscription.id), (id(0x1001), id(0x1002)));
    assert_eq!(
        (decided.log.order_id, decided.log.subscription_id),
        (Some(order.id), Some(subscription.id))
    );
    let price = external_offer().price.amount;
    assert_eq!(
        (subscription.amount().amount, order.total),
        (price, subscription.amount()),
        "two, at half the price"
    );
    assert_eq!(subscription.status(), Status::Cancelled);
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
        assert_eq!(second.log.result, result, "{more}");
        assert_eq!(
            second.rows.is_some(),
            result == ItemResult::Updated,
            "{more}"
        );
        assert_eq!(
            second.mirror.as_ref().map(|mirror| mirror.rank),
            Some(id(91)),
            "{more}"
        );
        let (_, subscription) = second.rows.or_else(|| first.rows.clone()).expect("rows");
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
        (overtaken.log.result, overtaken.log.superseded_by),
        (ItemResult::Superseded, Some(id(91)))
    );
    assert_eq!(overtaken.log.superseded, [Member::Quantity]);
    assert_eq!(overtaken.rows, None);
    // Even if the offer no longer exists.
    let overtaken = decide(&item(json!({"quantity": 1})), 90, Some(&later), None);
    assert_eq!(overtaken.log.result, ItemResult::Superseded);
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
            assert_eq!((decided.log.problem, decided.mirror), (problem, None));
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
        assert_eq!(decided.log.problem, problem);
        let failed = problem.is_some();
        assert_eq!(
            (
                decided.log.result == ItemResult::Failed,
                decided.rows.is_none()
            ),
            (failed, failed),
            "{problem:?}"
        );
        // A failure that an import accepted earlier can undo is kept in the history.
        let undone = [
            Some(ItemProblem::OfferDiffers),
            Some(ItemProblem::CustomerDiffers),
        ];
        assert_eq!(
            decided.mirror.is_none(),
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
                mirror: before.as_ref().and_then(|before| before.mirror.clone()),
                mirrored: before.and_then(|before| before.rows),
                offer: Some(&external),
                customer_exists,
                delivery_customer_exists,
                erased: Vec::new(),
            };
            assert_eq!(
                importer(91)
                    .decide(0, &with_delivery, context, now(), &mut Counter::default())
                    .log
                    .problem,
                problem
            );
        }
    }
}

pub(crate) fn accepted(items: usize) -> Accepted {
    let items: Vec<ImportItem> = (0..items)
        .map(|number| item(json!({"externalSystemId": number.to_string()})))
        .collect();
    Promise::accept(id(90), (id(12), id(1)), &items, None, yesterday())
}

#[test]
fn a_promise_is_done_with_its_last_chunk() {
    let Accepted { promise, chunks } = accepted(2 * CHUNK + 1);
    assert_eq!(
        (promise.state(), promise.pending(), chunks.len()),
        (PromiseState::Accepted, 51, 3)
    );
    let numbers: Vec<u32> = chunks
        .iter()
        .flat_map(|(_, items)| items.numbered().map(|(number, _)| number))
        .collect();
    assert_eq!(numbers, (0..51).collect::<Vec<_>>());
    let promise = promise.begin(now()).expect("the first chunk begins it");
    assert_eq!(
        (promise.state(), promise.clone().begin(now())),
        (PromiseState::Running, None)
    );
    let promise = promise
        .chunk_dead(2)
        .expect("a new dead letter")
        .chunk_done(1, counts(25, 0), now());
    assert_eq!(
        (promise.clone().chunk_dead(2), promise.dead_items()),
        (None, vec![json!({"from": 50, "to": 50})])
    );
    let promise = promise.chunk_done(0, counts(25, 0), now());
    assert_eq!(
        (promise.state(), promise.announcement().is_none()),
        (PromiseState::Running, true)
    );
    let done = promise.clone().chunk_done(2, counts(1, 0), now());
    assert_eq!(
        (done.state(), done.pending(), done.dead_items()),
        (PromiseState::Completed, 0, vec![])
    );
    let data = done.announcement().expect("an announcement").data;
    assert_eq!(
        (&data["state"], &data["counts"]["created"]),
        (&json!("completed"), &json!(51))
    );
    assert_eq!(
        promise.chunk_done(2, counts(0, 1), now()).state(),
        PromiseState::CompletedWithErrors
    );
    let (kept, end) = (done.accepted_at.checked_add(KEPT).expect("a time"), done);
    assert!(end.is_kept(kept) && !end.is_kept(kept + jiff::SignedDuration::from_secs(1)));
}

fn counts(created: u32, failed: u32) -> Counts {
    Counts {
        created,
        failed,
        ..Counts::default()
    }
}

#[test]
fn a_retry_is_a_new_promise_that_overtakes_none() {
    let first = accepted(1).promise;
    let again = Promise::accept(
        id(99),
        (id(12), id(1)),
        &[item(json!({}))],
        Some(&first),
        now(),
    )
    .promise;
    assert_eq!(
        (again.id, again.rank, again.retry_of),
        (id(99), id(90), Some(id(90)))
    );
    let third = Promise::accept(
        id(100),
        (id(12), id(1)),
        &[item(json!({}))],
        Some(&again),
        now(),
    )
    .promise;
    assert_eq!((third.rank, third.retry_of), (id(90), Some(id(99))));
}

#[test]
fn a_chunk_is_leased_when_it_is_due_and_free() {
    let lease_until = now() + LEASE;
    let (chunk, _) = chunk();
    let leased = |tries| {
        Begun::Leased(Chunk {
            state: ChunkState::InFlight { lease_until },
            tries,
            ..chunk.clone()
        })
    };
    let dead_letter = ChunkState::DeadLetter {
        since: yesterday(),
        reason: ChunkFailure::TooManyLeases,
    };
    let later = now() + jiff::SignedDuration::from_secs(1);
    // The state, the leases so far, the time at which the message was sent, and the outcome.
    let table = [
        (
            ChunkState::Waiting { due_at: now() },
            0,
            Some(now()),
            leased(1),
        ),
        (ChunkState::Waiting { due_at: now() }, 3, None, leased(4)),
        (
            ChunkState::Waiting { due_at: later },
            0,
            Some(now()),
            Begun::NotDue,
        ),
        (
            ChunkState::InFlight { lease_until: later },
            1,
            Some(now()),
            Begun::NotDue,
        ),
        (
            ChunkState::InFlight { lease_until: now() },
            1,
            Some(now()),
            leased(2),
        ),
        (
            ChunkState::InFlight { lease_until: now() },
            MAX_LEASES,
            Some(now()),
            Begun::TooManyLeases,
        ),
        (
            ChunkState::Done {
                done_at: yesterday(),
                failed: vec![],
            },
            1,
            Some(now()),
            Begun::NotDue,
        ),
        (
            dead_letter.clone(),
            MAX_LEASES,
            None,
            Begun::DeadLetter(ChunkFailure::TooManyLeases),
        ),
        (
            dead_letter.clone(),
            MAX_LEASES,
            Some(yesterday()),
            Begun::DeadLetter(ChunkFailure::TooManyLeases),
        ),
        (dead_letter, MAX_LEASES, Some(now()), leased(1)),
    ];
    for (state, tries, sent_at, expected) in table {
        let before = Chunk {
            state,
            tries,
            ..chunk.clone()
        };
        assert_eq!(
            before.clone().begin(Received { times: 2, sent_at }, now()),
            expected,
            "{before:?}, {sent_at:?}"
        );
    }
    let released = Chunk { tries: 3, ..chunk }.release(now());
    assert_eq!((released.tries, released.due_at()), (2, Some(now())));
}

#[test]
fn a_first_receive_never_makes_a_dead_letter() {
    let chunk = Chunk {
        state: ChunkState::InFlight { lease_until: now() },
        tries: MAX_LEASES,
        ..chunk().0
    };
    let received = |times| Received {
        times,
        sent_at: Some(now()),
    };
    assert!(matches!(
        chunk.clone().begin(received(1), now()),
        Begun::Leased(Chunk { tries: 9, .. })
    ));
    assert_eq!(chunk.begin(received(2), now()), Begun::TooManyLeases);
}

#[test]
fn each_pause_of_a_throttled_chunk_is_twice_as_long() {
    let mut chunk = chunk().0;
    let seconds = |chunk: &Chunk| {
        let wait = chunk.due_at().expect("due").duration_since(now());
        wait.as_millis()
    };
    for limit in [5, 10, 20, 40, 80, 160, 320, 600, 600, 600] {
        chunk.tries = 3;
        let bounds = [0, 1_000].map(|random| seconds(&chunk.clone().postpone(random, now())));
        assert_eq!(bounds, [limit * 500, limit * 1_000]);
        chunk = chunk.postpone(500, now());
        assert_eq!((chunk.tries, seconds(&chunk)), (2, limit * 750));
    }
    chunk.postponed = u32::MAX;
    let chunk = chunk.postpone(u16::MAX, now());
    assert_eq!((chunk.postponed, seconds(&chunk)), (u32::MAX, 600_000));
}

pub(crate) fn chunk() -> (Chunk, ChunkItems) {
    accepted(1).chunks.remove(0)
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
