//! A snapshot of every stored value, which must also be read back unchanged. Stored rows outlive this code: a changed
//! snapshot means that the rows in the table have another form than the code expects.

// One file past 400 lines: a list with one entry for each stored value.

use std::fmt::Debug;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tandem_domain::callback::{Attempt, Callback, CallbackState, Concerned, Endpoint, Outcome};
use tandem_domain::callback_url::LocalTargets;
use tandem_domain::cart::{CartStatus, Choice};
use tandem_domain::connection::{
    Action, Blocks, Connection, HistoryEntry, Side, State, TermsEntry, Transition,
};
use tandem_domain::customer::Profile;
use tandem_domain::endpoint_health::{
    Admission, AttemptResult, Change, DISABLED_AFTER, EndpointHealth, WARNED_AFTER,
};
use tandem_domain::event_endpoint::EventEndpointDraft;
use tandem_domain::ids::ConnectionId;
use tandem_domain::import::chunk::{Chunk, ChunkFailure, ChunkState};
use tandem_domain::import::promise::Promise;
use tandem_domain::invitation_mail::{InvitationMail, MailStatus};
use tandem_domain::mail::{Mail, MailKind, MailState};
use tandem_domain::metadata::Metadata;
use tandem_domain::money::BasisPoints;
use tandem_domain::offer::{Offer, OfferKind, OfferStatus, RenewalRules};
use tandem_domain::order::{OrderPosition, PositionState};
use tandem_domain::paid_period::PaidPeriod;
use tandem_domain::payment_method::PaymentMethod;
use tandem_domain::payout::{PaidState, Payout, PayoutType};
use tandem_domain::replay::{ReplayJob, Selection};
use tandem_domain::scope::Scopes;
use tandem_domain::subscription::{CrossClientLink, Life, Role, Subscription, UnpaidPeriod};
use tandem_domain::tenancy::{ApiKey, Client, KeyDraft};
use tandem_domain::text::Description;
use tandem_domain::voucher::VoucherHash;
use tandem_domain::zone::Zone;

use crate::fixtures::{
    Pair, at, client, company, customer, euro, id, monthly, name, now, offer, request, sealed,
    yesterday,
};
use crate::{
    callback, import, import_chunks, import_order, mail, order, payout, releases, replay, terms,
};

/// Compares a value with its snapshot, and reads it back, as well as the rows that earlier releases wrote and a row with members
/// of a later one.
fn golden<T: Serialize + DeserializeOwned + PartialEq + Debug>(name: &str, value: &T) {
    let written = sealed_as_text(serde_json::to_value(value).expect("JSON"));
    insta::assert_json_snapshot!(name, written);
    let read: T = serde_json::from_value(text_as_sealed(written.clone())).expect("a stored value");
    assert_eq!(&read, value, "{name}");
    let later: T = serde_json::from_value(text_as_sealed(releases::with_unknown(written)))
        .unwrap_or_else(|error| panic!("{name} of a later release cannot be read: {error}"));
    assert_eq!(&later, value, "{name}");
    releases::read::<T>(name);
}

/// The members that hold octets, sealed values and the request's id, changed; `change` gets their octets or their text.
fn sealed_members(value: Value, change: fn(Value) -> Value) -> Value {
    match value {
        Value::Object(members) => {
            let changed = members.into_iter().map(|(name, member)| {
                let is_sealed = name.starts_with("sealed") || name == "request";
                let change_all = |member| sealed_members(member, change);
                let member = if is_sealed {
                    change(member)
                } else {
                    change_all(member)
                };
                (name, member)
            });
            Value::Object(changed.collect())
        }
        Value::Array(items) => items
            .into_iter()
            .map(|item| sealed_members(item, change))
            .collect(),
        other => other,
    }
}

/// JSON has no octets; DynamoDB's consoles show them in base64, too.
fn sealed_as_text(value: Value) -> Value {
    sealed_members(value, |octets| {
        let octets: Vec<u8> = serde_json::from_value(octets).expect("octets");
        STANDARD.encode(octets).into()
    })
}

/// The reverse of [`sealed_as_text`].
pub(crate) fn text_as_sealed(value: Value) -> Value {
    sealed_members(value, |text| {
        let text = text.as_str().expect("base64");
        STANDARD.decode(text).expect("base64").into()
    })
}

#[test]
fn tenants() {
    golden("company", &company(1, true));
    golden("client", &client(11, &company(1, true)));
    let disabled = Client {
        disabled_at: Some(now()),
        ..client(11, &company(1, true))
    };
    golden("client_disabled", &disabled);
    let noted = company(1, true).with_client(&disabled);
    golden("company_of_a_disabled_client", &noted.expect("a change"));
    let draft = json!({"name": "Checkout", "scopes": ["purchases:write", "catalog:read"], "expiresAt": "2027-01-01T00:00:00Z"});
    let draft = KeyDraft::parse(&draft, yesterday()).expect("valid");
    let key = draft.create(
        &client(11, &company(1, true)),
        "k1".to_owned(),
        "5f2a".to_owned(),
        yesterday(),
    );
    golden("api_key", &key);
    let draft = KeyDraft::parse(&json!({"scopes": ["catalog:read"]}), yesterday());
    let caller = ApiKey {
        key_id: "k0".to_owned(),
        scopes: Scopes::default(),
        ..key.clone()
    };
    let by_client =
        draft
            .expect("valid")
            .create_by(&caller, "k1".to_owned(), "5f2a".to_owned(), yesterday());
    golden("api_key_by_a_client", &by_client.expect("allowed"));
    golden(
        "api_key_revoked",
        &ApiKey {
            name: None,
            expires_at: None,
            ..key.used(now()).expect("a first use").revoke(now())
        },
    );
}

#[test]
fn customers() {
    let all = json!({
        "email": "Anna@example.com",
        "language": "de-CH",
        "externalSystemId": "CRM-7",
        "firstName": "Anna",
        "lastName": "Muster",
        "phone": "+41 44 000 00 00",
        "address": {"street": "Weg 1", "additional": "Hof", "postalCode": "8001", "city": "Zürich", "country": "CH"},
    });
    let profile = Profile::parse(&all).expect("a profile");
    golden(
        "customer",
        &profile.create(id(40), id(1), sealed("sealed key"), now()),
    );
    let profile =
        Profile::parse(&json!({"email": "a@example.com", "language": "en"})).expect("a profile");
    golden(
        "customer_least",
        &profile.create(id(40), id(1), sealed("sealed key"), now()),
    );
    golden("customer_of_the_fixtures", &customer(40, &company(1, true)));
}

#[test]
fn connections() {
    golden(
        "connection_within_one_company",
        &Pair::within_one_company().connection,
    );
    let mut connection = Pair::between_two_companies().connection;
    connection
        .callback
        .as_mut()
        .expect("settings")
        .rotate(sealed("sealed 2"), now());
    let blocked = Connection {
        state: State::Blocked(Blocks::by(Side::Target, now())),
        offers_access: false,
        ..connection
    };
    golden("connection_between_two_companies", &blocked);
    let by_both = blocked.apply(Transition::Block, Side::Source, now());
    golden(
        "connection_blocked_by_both",
        &by_both.expect("allowed").connection,
    );
    for state in [
        State::Invited,
        State::Active,
        State::Declined,
        State::Withdrawn,
    ] {
        let connection = Connection {
            state,
            ..Pair::within_one_company().connection
        };
        assert_eq!(json!(connection)["status"], state.as_str());
    }
}

#[test]
fn histories() {
    let entry = HistoryEntry {
        number: 1,
        at: now(),
        by: Side::Source,
        action: Action::Invited,
        changes: Vec::new(),
    };
    golden("history_invited", &entry);
    let changes = vec!["offersAccess: false".to_owned(), "callback.url".to_owned()];
    let terms = TermsEntry {
        id: id(95),
        offer_id: id(60),
        at: now(),
        by: Side::Source,
        action: Action::TermsProposed,
        changes: vec!["version: 1 -> 2".to_owned()],
    };
    golden("history_terms", &terms);
    golden(
        "history_edited",
        &HistoryEntry {
            number: 2,
            action: Action::Edited,
            changes,
            ..entry
        },
    );
}

#[test]
fn offers() {
    let shared = Pair::within_one_company().shared_offer(60);
    let description = Description::parse(&json!("Alles lesen.")).expect("a text");
    golden(
        "offer_shared",
        &Offer {
            description: Some(description),
            ..shared
        },
    );
    let change = json!({"price": {"amount": 1_200, "currency": "EUR"}, "sellOldTermsUntil": "2026-08-01T00:00:00Z"});
    let proposed = terms::edited(&terms::accepted(terms::new_offer(), 12, 1), &change);
    golden("offer_with_terms", &proposed);
    let single = Offer {
        kind: OfferKind::Single,
        externally_managed: true,
        ..offer(61, id(12))
    };
    golden(
        "offer_single",
        &Offer {
            status: OfferStatus::Archived,
            ..single
        },
    );
}

#[test]
fn carts() {
    let pair = Pair::between_two_companies();
    let (own, shared) = (offer(60, pair.target.id), pair.shared_offer(61));
    let positions = vec![
        pair.position(1, &own, Choice::Mandatory),
        pair.position(2, &shared, Choice::Preselected),
        pair.position(3, &offer(62, pair.target.id), Choice::Optional),
    ];
    let cart = pair.cart(positions);
    golden("cart", &cart);
    assert_eq!(
        json!(cart.archive(now()).expect("allowed"))["status"],
        json!(CartStatus::Archived)
    );
}

#[test]
fn orders() {
    let states = [
        PositionState::Paid,
        PositionState::Refunded { reversed_at: now() },
        PositionState::ChargedBack { reversed_at: now() },
    ];
    let mut order = order::order(&states);
    order.positions[1] = OrderPosition {
        source_client_id: Some(id(11)),
        ..order.positions[1].clone()
    };
    order.positions[2] = OrderPosition {
        subscription_id: None,
        quantity: 2,
        ..order.positions[2].clone()
    };
    order.request = Some(request());
    golden("order", &order);
    order.positions[0].reversed = Some(euro(250));
    golden("order_reversed_in_part", &order);
}

#[test]
fn subscriptions() {
    let own = Subscription {
        id: id(70),
        client_id: id(12),
        role: Role::Own,
        customer_id: Some(id(40)),
        order_id: id(50),
        position: 1,
        offer_id: id(60),
        offer_name: name("Digitalabo"),
        quantity: 1,
        unit_price: euro(1_000),
        payment_method: PaymentMethod::AmazonPay,
        period: monthly(),
        renews: true,
        time_zone: Zone::default(),
        started_at: now(),
        periods_paid: 1,
        paid_until: at("2026-08-01T12:00:00Z"),
        unpaid: Vec::new(),
        rules: RenewalRules::default(),
        life: Life::Active,
        cross_client: None,
        voucher_hash: None,
        external_system_id: None,
        metadata: Metadata::default(),
        external: None,
        created_at: now(),
        updated_at: now(),
        version: 1,
    };
    golden("subscription_own", &own);
    let link = CrossClientLink {
        source_client_id: id(11),
        source_name: name("Tagblatt 11"),
        target_client_id: id(12),
        target_name: name("Tagblatt 12"),
        connection_id: id(20),
        seller_share_basis_points: BasisPoints(2_000),
        between_companies: true,
        cost_center: None,
        offer_metadata: Metadata::default(),
    };
    let life = Life::Cancelled {
        cancelled_at: now(),
        ends_at: at("2026-08-01T12:00:00Z"),
    };
    let seller = Subscription {
        role: Role::Seller,
        cross_client: Some(link),
        life,
        ..own
    };
    golden("subscription_seller", &seller);
    let source = Subscription {
        client_id: id(11),
        role: Role::Source,
        customer_id: None,
        voucher_hash: Some(VoucherHash("5f2a".to_owned())),
        ..seller
    };
    golden("subscription_source", &source);
    let past_due = Subscription {
        unpaid: vec![UnpaidPeriod {
            number: 1,
            reversed_at: now(),
        }],
        rules: RenewalRules {
            grace_days: 14,
            renewal_amount_tolerance_percent: Some(0),
        },
        ..source.clone()
    };
    golden("subscription_source_past_due", &past_due);
    let period = PaidPeriod {
        client_id: id(12),
        subscription_id: id(70),
        number: 3,
        amount: euro(1_000),
        reversed: euro(250),
        version: 2,
    };
    golden("paid_period", &period);
    golden(
        "subscription_source_void",
        &Subscription {
            voucher_hash: None,
            life: Life::Refunded {
                ended_at: now(),
                cancelled_at: None,
                reversed_period: None,
            },
            ..source.clone()
        },
    );
    let life = json!(Subscription {
        life: Life::ChargedBack {
            ended_at: now(),
            cancelled_at: None,
            reversed_period: Some(1),
        },
        ..source
    });
    assert_eq!(
        (&life["life"], &life["endedAt"]),
        (&json!("chargedBack"), &json!(now()))
    );
}

#[test]
fn payment_methods() {
    let words = [
        "AMAZON_PAY",
        "APPLE_PAY",
        "BANK_ACCOUNT",
        "BILLING",
        "CREDIT_CARD",
        "GOOGLE_PAY",
        "IDEAL",
        "PAYPAL",
        "POSTFINANCE",
        "SOFORT",
        "TWINT",
        "ZERO",
    ];
    for word in words {
        let method = PaymentMethod::parse(&json!(word)).expect(word);
        assert_eq!((method.as_str(), json!(method)), (word, json!(word)));
    }
    assert!(PaymentMethod::parse(&json!("CASH")).is_err());
}

#[test]
fn callbacks() {
    golden(
        "callback_waiting",
        &callback::callback(CallbackState::Waiting {
            step: 2,
            due_at: now(),
        }),
    );
    golden(
        "callback_postponed",
        &callback::callback(CallbackState::Postponed {
            step: 2,
            due_at: now(),
        }),
    );
    golden(
        "callback_in_flight",
        &callback::callback(CallbackState::InFlight {
            step: 2,
            due_at: yesterday(),
            lease_until: now(),
        }),
    );
    golden(
        "callback_delivered",
        &callback::callback(CallbackState::Delivered {
            delivered_at: now(),
        }),
    );
    golden(
        "callback_exhausted",
        &callback::callback(CallbackState::Exhausted {
            exhausted_at: now(),
        }),
    );
    let new = Callback {
        attempts: 0,
        request: Some(request()),
        updated_at: yesterday(),
        ..callback::callback(CallbackState::Waiting {
            step: 0,
            due_at: yesterday(),
        })
    };
    golden("callback_new", &new);
    let mut logged = callback::callback(CallbackState::Delivered {
        delivered_at: now(),
    });
    assert_eq!(logged.log(answered()), None);
    logged.request = Some(request());
    golden("callback_logged", &logged);
    let mut held = callback::callback(CallbackState::Held { held_at: now() });
    (held.order_id, held.subscription_id) = (None, None);
    golden("callback_held", &held);
    let concerned = Some(Concerned {
        company_id: id(2),
        customer_id: id(40),
    });
    let about = Callback {
        concerned,
        sealed_person: Some(sealed("sealed person")),
        ..held
    };
    golden("callback_about_a_person", &about);
}

#[test]
fn erasures() {
    let asked = customer(40, &company(1, true))
        .erase(id(11), [], now())
        .expect("no running subscription");
    golden("erasure", &asked);
}

#[test]
fn endpoints() {
    let (of_connection, own) = (Endpoint::Connection(id(20)), Endpoint::Client(id(11)));
    let failed = |health: Option<&EndpointHealth>, status_code, time| {
        let outcome = Outcome::Failed { retry_after: None };
        let attempted = AttemptResult {
            callback_id: id(80),
            outcome,
            status_code: Some(status_code),
        };
        match EndpointHealth::after(health, of_connection, attempted, time) {
            Change::Updated(health) | Change::Warned(health) | Change::Disabled(health) => health,
            other => panic!("{other:?}"),
        }
    };
    let closed = failed(None, 500, now());
    golden("endpoint_closed", &closed);
    let open = failed(Some(&closed), 503, now());
    golden("endpoint_open", &open);
    let Admission::Probe(probing) = EndpointHealth::admit(
        Some(&open),
        id(81),
        false,
        now() + SignedDuration::from_secs(5),
    ) else {
        panic!("no probe of {open:?}")
    };
    golden("endpoint_probing", &probing);
    let warned = failed(Some(&open), 503, now() + WARNED_AFTER);
    golden("endpoint_warned", &warned);
    golden(
        "endpoint_given_up",
        &failed(Some(&warned), 503, now() + DISABLED_AFTER),
    );
    let gone = AttemptResult {
        callback_id: id(80),
        outcome: Outcome::Gone,
        status_code: Some(410),
    };
    let Change::Disabled(gone) = EndpointHealth::after(None, own, gone, now()) else {
        panic!("not disabled")
    };
    golden("endpoint_gone", &gone);
    // The form of rows before endpoints had a health.
    let old = json!({"connectionId": id::<ConnectionId>(20), "disabledAt": now(), "reason": "said 410", "version": 1});
    let old: EndpointHealth = serde_json::from_value(old).expect("a stored value");
    assert_eq!(
        (EndpointHealth::status(Some(&old)), old.failing_since()),
        ("disabled", None)
    );
}

#[test]
fn replays() {
    let since = replay::job(Selection {
        since: Some(yesterday()),
        connection_id: Some(id(20)),
    });
    golden(
        "replay_waiting",
        &ReplayJob {
            request: Some(request()),
            ..since.step(25, 24, Some("cbk_7".to_owned()), now())
        },
    );
    golden(
        "replay_done",
        &replay::job(Selection {
            since: None,
            connection_id: None,
        })
        .step(0, 0, None, now()),
    );
}

fn answered() -> Attempt {
    Attempt {
        number: 1,
        at: now(),
        duration_ms: 212,
        status_code: Some(503),
        error: None,
        answer: Some("busy".to_owned()),
        sealed_answer: None,
    }
}

#[test]
fn attempts() {
    let answered = answered();
    golden("attempt_answered", &answered);
    let about_a_person = Attempt {
        answer: None,
        sealed_answer: Some(sealed("sealed")),
        ..answered.clone()
    };
    golden("attempt_answered_about_a_person", &about_a_person);
    let error = Some("timed out".to_owned());
    golden(
        "attempt_unanswered",
        &Attempt {
            number: 2,
            status_code: None,
            error,
            answer: None,
            ..answered
        },
    );
}

#[test]
fn invitation_mails() {
    let known = InvitationMail::after(None, id(20), MailStatus::Bounced, now()).expect("a change");
    golden("invitation_mail", &known);
}

#[test]
fn payouts() {
    golden(
        "payout_payment",
        &payout::payout(PayoutType::Payment, euro(1_000)),
    );
    let refund = payout::payout(PayoutType::Refund, euro(-1_000));
    golden(
        "payout_refund",
        &Payout {
            paid: PaidState::Paid { paid_at: now() },
            ..refund
        },
    );
}

#[test]
fn mails() {
    golden(
        "mail_waiting",
        &mail::mail(MailState::Waiting { due_at: now() }, 0),
    );
    golden(
        "mail_in_flight",
        &mail::mail(MailState::InFlight { lease_until: now() }, 1),
    );
    golden(
        "mail_sent",
        &Mail {
            request: Some(request()),
            ..mail::mail(MailState::Sent { at: now() }, 1)
        },
    );
    golden(
        "mail_failed",
        &mail::mail(MailState::Failed { at: now() }, 30),
    );
    golden(
        "mail_cancelled",
        &mail::mail(MailState::Cancelled { at: now() }, 1),
    );
    golden("mail_kinds_of_offers", &mail::about_offers());
    let (partner, connection_id, callback_id) = (|| name("Tagblatt 11"), id(20), id(80));
    let kinds = vec![
        MailKind::Invitation {
            source_name: partner(),
            connection_id,
        },
        MailKind::InvitationAccepted {
            target_name: partner(),
            connection_id,
        },
        MailKind::InvitationDeclined {
            target_name: partner(),
            connection_id,
        },
        MailKind::InvitationWithdrawn {
            source_name: partner(),
            connection_id,
        },
        MailKind::ConnectionBlocked {
            by_name: partner(),
            connection_id,
        },
        MailKind::ConnectionUnblocked {
            by_name: partner(),
            connection_id,
            still_blocked: false,
        },
        MailKind::ConnectionUnblocked {
            by_name: partner(),
            connection_id,
            still_blocked: true,
        },
        MailKind::CallbackExhausted {
            callback_id,
            connection_id: Some(connection_id),
            attempts: 10,
        },
        MailKind::EndpointDisabled {
            callback_id,
            connection_id: Some(connection_id),
        },
        MailKind::EndpointFailing {
            callback_id,
            connection_id: Some(connection_id),
            failing_since: yesterday(),
        },
        MailKind::EndpointGivenUp {
            callback_id,
            connection_id: Some(connection_id),
            failing_since: yesterday(),
        },
    ];
    golden("mail_kinds", &kinds);
}

#[test]
fn imports() {
    let accepted = import_chunks::accepted(30);
    golden("import_promise", &accepted.promise);
    let retry = Promise::accept(
        id(91),
        (id(12), id(1)),
        &[import::item(json!({}))],
        Some(&accepted.promise),
        now(),
    )
    .promise;
    let retry = retry
        .begin(now())
        .expect("begun")
        .chunk_dead(0)
        .expect("a change");
    golden(
        "import_promise_of_a_retry",
        &Promise {
            finished_at: Some(now()),
            request: Some(request()),
            ..retry
        },
    );
    let (chunk, items) = import_chunks::chunk();
    golden("import_items", &items);
    golden("import_chunk_waiting", &chunk);
    let in_flight = ChunkState::InFlight { lease_until: now() };
    golden(
        "import_chunk_in_flight",
        &Chunk {
            state: in_flight,
            ..chunk.clone()
        },
    );
    let entry = import::decide(&items.items[0], 90, None, None).entry;
    golden("import_chunk_done", &chunk.clone().done(vec![entry], now()));
    golden(
        "import_chunk_stuck",
        &chunk.clone().dead_letter(ChunkFailure::CorruptRow, now()),
    );
    assert_eq!(
        json!(chunk.dead_letter(ChunkFailure::TooManyLeases, now()))["reason"],
        "tooManyTries"
    );
}

#[test]
fn imported_orders() {
    golden(
        "imported_after_three_imports",
        &import_order::three_imports(),
    );
    golden("imported_settled", &import_order::settled());
    golden("import_records", &import_order::page());
    golden(
        "import_item_without_end",
        &import::item(json!({"endDate": null})),
    );
    let cleared = json!({
        "orderDate": null,
        "deliveryCustomerId": null,
        "discountPercentage": null,
        "currentPaymentPeriodPaid": null,
    });
    golden("import_item_that_clears", &import::item(cleared));
}

#[test]
fn event_endpoints() {
    let seal = |text: &[u8]| text.to_vec().into();
    let endpoint = |types: Value| {
        let body = json!({"url": "https://bergwelt.example/events", "eventTypes": types});
        let draft = EventEndpointDraft::parse(&body, &LocalTargets::default());
        draft
            .expect("an endpoint")
            .create(id(12), sealed("sealed"), seal, now())
    };
    golden("event_endpoint", &endpoint(Value::Null));
    let types = json!(["import.completed", "connection.blocked"]);
    golden("event_endpoint_of_two_types", &endpoint(types));
    let basic = json!({"name": "Authorization", "value": "Basic YTpi"});
    let body = json!({"url": "https://bergwelt.example/more", "headers": [basic]});
    let draft = EventEndpointDraft::parse(&body, &LocalTargets::default());
    let with_headers = endpoint(Value::Null).set(draft.expect("an endpoint"), seal, now());
    golden("event_endpoint_with_headers", &with_headers);
}
