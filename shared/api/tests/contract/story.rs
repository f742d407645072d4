//! The story that the examples of docs/openapi.yaml tell: two publishers connect and sell one cart. The requests are the
//! document's own, read by the parsers; the answers are what the views make of what follows.

use std::collections::BTreeMap;

use lambda_http::Body;
use serde_json::{Value, json};
use tandem_api::{Problem, views};
use tandem_domain::after_sale::{CancelRequest, Moved, PaymentRequest, Rows};
use tandem_domain::callback::{Announcement, Attempt, Callback, EventType, Outcome, RetrySchedule};
use tandem_domain::callback_url::LocalTargets;
use tandem_domain::cart::{Cart, CartDraft, CartError, OfferLookup, PositionProblem};
use tandem_domain::connection::{
    Connection, ConnectionDraft, HistoryEntry, Move, SECRET_OVERLAP, Side,
};
use tandem_domain::customer::{Customer, Profile};
use tandem_domain::event_endpoint::EventEndpoint;
use tandem_domain::ids::{
    CallbackId, CartId, ClientId, CompanyId, ConnectionId, CustomerId, OfferId, first_uuid_of,
};
use tandem_domain::import::decide::{ItemProblem, ItemResult, LogEntry};
use tandem_domain::import::item::parse_items;
use tandem_domain::import::promise::{Counts, Promise};
use tandem_domain::invitation_mail::{InvitationMail, MailStatus};
use tandem_domain::offer::{Offer, OfferDraft};
use tandem_domain::order::Reversal;
use tandem_domain::payout::Statement;
use tandem_domain::purchase::{self, PurchaseError, PurchaseRequest, Sale};
use tandem_domain::replay::{ReplayJob, Selection};
use tandem_domain::sharing::{NotShared, SharedOffer};
use tandem_domain::tenancy::{Client, ClientDraft, CompanyDraft, ContractingCompany, KeyDraft};
use tandem_domain::voucher::{NewVoucher, RedeemRequest};
use tandem_domain::{IdSource, Timestamp};
use tandem_runtime::random_ids::{hash_of, hash_of_external};
use tandem_store::rows::{AttemptRow, HistoryRow};
use tandem_testing::Openapi;
use uuid::Uuid;

/// The signing secret of the story's connection.
pub(crate) const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDC2FVsBQIhrs=";

/// An example of the document.
pub(crate) fn example(name: &str) -> &'static Value {
    let example = &Openapi::get().document()["components"]["examples"][name];
    example
        .get("value")
        .unwrap_or_else(|| panic!("docs/openapi.yaml has no example {name}"))
}

pub(crate) fn at(time: &str) -> Timestamp {
    time.parse().expect("a time")
}

/// Counts ids up; all vouchers are the document's.
struct Counting(u128);

impl IdSource for Counting {
    fn uuid(&mut self) -> Uuid {
        self.0 += 1;
        Uuid::from_u128(first_uuid_of(at("2026-07-01T09:30:00Z")).as_u128() + self.0)
    }

    fn voucher(&mut self) -> NewVoucher {
        let request = RedeemRequest::parse(example("Redemption")).expect("a redemption");
        NewVoucher {
            hash: hash_of(&request.code),
            code: request.code,
        }
    }
}

type Party = (Client, ContractingCompany);

/// Tells the story and keeps what is shown of it, by the name of the example.
pub(crate) struct Story {
    ids: Counting,
    now: Timestamp,
    pub(crate) shown: BTreeMap<&'static str, Value>,
}

impl Story {
    /// From the contracting companies to the callbacks.
    pub(crate) fn tell() -> Self {
        let mut story = Self {
            ids: Counting(0),
            now: at("2026-07-01T09:30:00Z"),
            shown: BTreeMap::new(),
        };
        let source = story.publisher(example("CompanyDraft"), |company| {
            let mut draft = example("ClientDraft").clone();
            draft["contractingCompanyId"] = json!(company);
            draft
        });
        assert_eq!(
            example("ClientDraft")["contractingCompanyId"],
            json!(source.1.id)
        );
        story.show("Company", views::tenancy::company(&source.1));
        story.show("Client", views::tenancy::client(&source.0));
        let company =
            json!({"name": "Stadtblick Medien GmbH", "modules": {"crossClientConnections": true}});
        let target = story.publisher(&company, |company| {
            json!({"contractingCompanyId": company, "name": "Stadtblick", "email": "abo@stadtblick.example", "language": "de"})
        });
        story.key(&source.0);
        let connection = story.connect(&source, &target);
        let (offer, own) = story.offers(&source.0, &target.0);
        let shared = SharedOffer {
            offer: &offer,
            connection: &connection,
            source_company: &source.1,
            target_company: &target.1,
        };
        story.show("SharedOffer", views::offer::shared(&shared));
        story.sell(
            &target,
            &[OfferLookup::Own(&own), OfferLookup::Shared(shared)],
        );
        story.import(&source);
        story.refuse();
        story
    }

    fn show(&mut self, name: &'static str, value: Value) {
        assert!(
            self.shown.insert(name, value).is_none(),
            "{name} is shown twice"
        );
    }

    fn publisher(&mut self, company: &Value, client: impl FnOnce(CompanyId) -> Value) -> Party {
        let company = CompanyDraft::parse(company)
            .expect("a company")
            .create(CompanyId::generate(&mut self.ids), self.now);
        let client = ClientDraft::parse(&client(company.id))
            .expect("a client")
            .create(ClientId::generate(&mut self.ids), self.now);
        (client, company)
    }

    fn key(&mut self, client: &Client) {
        let draft = KeyDraft::parse(example("ApiKeyDraft"), self.now).expect("a key");
        let key = draft.create(
            client,
            "0123456789abcdef".to_owned(),
            String::new(),
            self.now,
        );
        let mut shown = views::tenancy::api_key(&key, self.now);
        shown["apiKey"] = json!("tdm_0123456789abcdef_0123456789abcdefghjkmnpqrstvwxyz3tmq654");
        self.show("NewApiKey", shown);
        let used = key
            .used(at("2026-08-14T06:12:09Z"))
            .expect("not used before");
        let revoked = used.revoke(at("2026-09-01T08:00:00Z"));
        self.show(
            "ApiKey",
            views::tenancy::api_key(&revoked, at("2026-09-01T08:00:00Z")),
        );
    }

    fn connect(&mut self, source: &Party, target: &Party) -> Connection {
        let draft = ConnectionDraft::parse(example("ConnectionDraft"), &LocalTargets::default())
            .expect("an invitation");
        assert_eq!(draft.target_client_id, target.0.id);
        let id = ConnectionId::generate(&mut self.ids);
        let parties = ((&source.0, &source.1), (&target.0, &target.1));
        let invited = draft
            .invite(id, parties.0, parties.1, || SECRET.to_owned(), self.now)
            .expect("possible");
        let line = |entry: HistoryEntry| HistoryRow {
            connection_id: id,
            entry,
        };
        let first = line(invited.entry);
        let mut shown = views::connection::full(
            &invited.connection,
            Side::Source,
            std::slice::from_ref(&first),
            None,
            None,
        );
        shown["callback"]["secret"] = json!(SECRET);
        self.show("NewConnection", shown);
        let stored = |connection: Connection| Connection {
            version: connection.version + 1,
            ..connection
        };
        let accepted = invited
            .connection
            .make(Move::Accept, Side::Target, at("2026-07-01T10:05:00Z"))
            .expect("possible");
        let history = [line(accepted.entry), first];
        let connection = stored(accepted.connection);
        self.show(
            "Connection",
            views::connection::summary(&connection, Side::Target),
        );
        let mail =
            InvitationMail::after(None, id, MailStatus::Sent, at("2026-07-01T09:30:02.118Z"));
        self.show(
            "ConnectionInFull",
            views::connection::full(&connection, Side::Source, &history, None, mail.as_ref()),
        );
        let blocked = connection
            .clone()
            .make(Move::Block, Side::Target, at("2026-10-05T16:20:00Z"))
            .expect("possible");
        self.show(
            "BlockedConnection",
            views::connection::summary(&blocked.connection, Side::Source),
        );
        let rotated = at("2026-09-01T08:00:00Z");
        let until = rotated.checked_add(SECRET_OVERLAP).expect("a time");
        self.show(
            "CallbackSecret",
            json!({"secret": SECRET, "previousValidUntil": until}),
        );
        connection
    }

    fn offers(&mut self, source: &Client, target: &Client) -> (Offer, Offer) {
        let mut make = |name: &str, owner: &Client| {
            let draft = OfferDraft::parse(example(name)).expect("an offer");
            draft.create(
                OfferId::generate(&mut self.ids),
                owner.id,
                at("2026-07-01T10:30:00Z"),
            )
        };
        let (shared, own) = (make("SharedOfferDraft", source), make("OfferDraft", target));
        assert!(shared.names(target.id), "the offer names the target");
        self.show("Offer", views::offer::own(&shared));
        self.show("OwnOffer", views::offer::own(&own));
        (shared, own)
    }

    fn sell(&mut self, target: &Party, found: &[OfferLookup<'_>]) {
        let made = at("2026-07-01T11:00:00Z");
        let draft = CartDraft::parse(example("CartDraft")).expect("a cart");
        let cart = draft
            .create(
                CartId::generate(&mut self.ids),
                target.0.id,
                |id| found_by_id(found, id),
                made,
            )
            .expect("sellable");
        self.show("Cart", views::cart::cart(&cart));
        let profile = Profile::parse(example("CustomerDraft")).expect("a customer");
        let customer = profile.create(
            CustomerId::generate(&mut self.ids),
            target.1.id,
            String::new(),
            made,
        );
        self.show("Customer", views::customer::customer(&customer));
        let erasure = customer
            .erase(target.0.id, [], at("2027-01-04T08:15:00Z"))
            .expect("nothing runs any more");
        self.show("Erasure", views::erasure::erasure(&erasure));
        self.now = at("2026-07-02T18:21:07.412Z");
        let sale = self.buy(&cart, found, &customer);
        self.show("Order", views::order::order(&sale.order));
        let payout = &sale.payouts[0];
        self.show(
            "Payout",
            views::payout::payout(payout, payout.source_client_id),
        );
        let mut statement = Statement::default();
        statement.add(payout.source_client_id, payout);
        self.show("Statement", json!({"lines": statement.into_lines()}));
        let csv = format!(
            "{}{}",
            views::payout::CSV_HEADER,
            views::payout::csv_line(payout, payout.source_client_id)
        );
        self.show("PayoutsAsCsv", json!(csv));
        let [announcement] =
            <[Announcement; 1]>::try_from(sale.announcements).expect("one callback");
        let [_, seller, source] = &sale.subscriptions[..] else {
            panic!("three rows")
        };
        self.show(
            "SellerSubscription",
            views::subscription::subscription(seller),
        );
        let redeemed = RedeemRequest::parse(example("Redemption")).expect("a redemption");
        let linked = source
            .clone()
            .linked_to(redeemed.customer_id, at("2026-07-02T18:21:09.030Z"));
        self.show(
            "SourceSubscription",
            views::subscription::subscription(&linked),
        );
        self.call_back(announcement);
        self.after(Rows {
            seller: seller.clone(),
            source: Some(linked),
        });
    }

    fn buy(&mut self, cart: &Cart, found: &[OfferLookup<'_>], customer: &Customer) -> Sale {
        let asked = PurchaseRequest::parse(example("Purchase")).expect("a purchase");
        assert_eq!(asked.customer_id, customer.id);
        let chosen: Vec<_> = asked
            .choose(cart)
            .expect("in the cart")
            .into_iter()
            .zip(found.iter().copied())
            .collect();
        purchase::decide(cart, &asked, &chosen, customer, self.now, &mut self.ids)
            .expect("sellable")
    }

    fn call_back(&mut self, announcement: Announcement) {
        let id = CallbackId::generate(&mut self.ids);
        let body: Value = serde_json::from_slice(&announcement.body(self.now)).expect("JSON");
        self.show("OrderCreatedEvent", body.clone());
        let (connection_id, client_id) = (announcement.connection_id, announcement.client_id);
        let waiting = announcement.into_callback(id, String::new(), self.now);
        self.show("Callback", views::callback::summary(&waiting));
        let took = |callback: Callback, begin: &str, end: &str, outcome: Outcome| {
            let begun = callback.begin(at(begin)).expect("due");
            begun.end(outcome, &RetrySchedule::default(), 0, at(end))
        };
        let failed = Outcome::Failed { retry_after: None };
        let waits = took(
            waiting,
            "2026-07-02T18:21:07.630Z",
            "2026-07-02T18:21:17.634Z",
            failed,
        );
        let delivered = took(
            waits,
            "2026-07-02T18:21:22.811Z",
            "2026-07-02T18:21:23.002Z",
            Outcome::Accepted,
        );
        let text = |text: &str| Some(text.to_owned());
        let silence = Attempt {
            number: 1,
            at: at("2026-07-02T18:21:07.630Z"),
            duration_ms: 10_004,
            status_code: None,
            error: text("no answer within 10 s"),
            answer: None,
            sealed_answer: None,
        };
        let answer = Attempt {
            number: 2,
            at: at("2026-07-02T18:21:22.811Z"),
            duration_ms: 191,
            status_code: Some(200),
            error: None,
            answer: text("ok"),
            sealed_answer: None,
        };
        let attempts = [answer, silence].map(|attempt| AttemptRow {
            client_id,
            callback_id: id,
            attempt,
        });
        self.show(
            "CallbackInFull",
            views::callback::full(&delivered, &body, &attempts),
        );
        let selection = Selection::parse(example("ReplayDraft")).expect("a selection");
        let replay = "rpl_019f1d038dc070008000000000000040"
            .parse()
            .expect("an id");
        let job = ReplayJob::accept(replay, client_id, selection, at("2026-07-05T08:00:00Z"));
        self.show("ReplayAccepted", views::replay::job(&job));
        let running = job.step(25, 25, Some(String::new()), at("2026-07-05T08:00:00.9Z"));
        self.show(
            "ReplayDone",
            views::replay::job(&running.step(4, 3, None, at("2026-07-05T08:00:06.1Z"))),
        );
        let test = Announcement {
            client_id,
            connection_id,
            order_id: None,
            subscription_id: None,
            event: EventType::ConnectionTest,
            data: json!({"connectionId": connection_id}),
        };
        self.tell_event("ConnectionTestEvent", &test, at("2026-07-01T10:10:00Z"));
    }

    fn after(&mut self, rows: Rows) {
        let payment = PaymentRequest::parse(example("Payment")).expect("a payment");
        let renewed = rows
            .clone()
            .renew(&payment, at("2026-08-02T06:00:00Z"), &mut self.ids)
            .expect("possible");
        self.tell_move("SubscriptionRenewedEvent", renewed, "2026-08-02T06:00:00Z");
        let cancellation = CancelRequest::parse(example("Cancellation")).expect("a cancellation");
        let cancelled = rows
            .clone()
            .cancel(&cancellation, at("2026-09-20T14:02:51.800Z"))
            .expect("possible");
        self.tell_move(
            "SubscriptionCancelledEvent",
            cancelled,
            "2026-09-20T14:02:51.800Z",
        );
        let back = at("2026-07-06T09:00:00Z");
        let refunded = rows.clone().reverse(Reversal::Refund, back, &mut self.ids);
        self.tell_move(
            "SubscriptionRefundedEvent",
            refunded,
            "2026-07-06T09:00:00Z",
        );
        let charged_back = rows.reverse(Reversal::ChargeBack, back, &mut self.ids);
        self.tell_move(
            "SubscriptionChargedBackEvent",
            charged_back,
            "2026-07-06T09:00:00Z",
        );
    }

    fn tell_move(&mut self, name: &'static str, moved: Moved, time: &str) {
        self.tell_event(
            name,
            &moved.announcement.expect("another company is told"),
            at(time),
        );
    }

    fn tell_event(&mut self, name: &'static str, announcement: &Announcement, time: Timestamp) {
        self.show(
            name,
            serde_json::from_slice(&announcement.body(time)).expect("JSON"),
        );
    }

    /// The source mirrors two orders of the system that leads its print subscriptions.
    fn import(&mut self, client: &Party) {
        let items = parse_items(example("Import")).expect("an import");
        let id = "prm_019f1d038dc070008000000000000030"
            .parse()
            .expect("an id");
        let accepted = Promise::accept(
            id,
            (client.0.id, client.1.id),
            &items,
            None,
            at("2026-07-03T02:00:00Z"),
        )
        .promise;
        self.show("Promise", views::import::promise(&accepted));
        let done_at = at("2026-07-03T02:00:01.2Z");
        let log = |number: u32, result, problem: Option<ItemProblem>| {
            let item = &items[if number == 0 { 0 } else { 1 }];
            let made = |id: &str| problem.is_none().then(|| id.to_owned());
            LogEntry {
                client_id: client.0.id,
                promise_id: id,
                number,
                external_system_id: item.external_system_id.clone(),
                external_hash: hash_of_external(&item.external_system_id),
                offer_id: item.offer_id,
                result,
                problem,
                superseded_by: None,
                order_id: made("ord_019f1d038dc070008000000000000031")
                    .map(|id| id.parse().expect("an id")),
                subscription_id: made("sub_019f1d038dc070008000000000000032")
                    .map(|id| id.parse().expect("an id")),
                processed_at: done_at,
            }
        };
        let entries = [
            log(0, ItemResult::Created, None),
            log(1, ItemResult::Failed, Some(ItemProblem::CustomerNotFound)),
        ];
        let counts = Counts {
            created: 1,
            failed: 1,
            ..Counts::default()
        };
        let begun = accepted
            .begin(at("2026-07-03T02:00:00.7Z"))
            .expect("the first chunk");
        let done = begun.chunk_done(0, counts, done_at);
        let mut shown = views::import::promise(&done);
        shown["items"] = entries.iter().map(views::import::log_entry).collect();
        shown["nextCursor"] = Value::Null;
        self.show("PromiseInFull", shown);
        self.tell_event(
            "ImportCompletedEvent",
            &done.announcement().expect("it is done"),
            done_at,
        );
        let url = EventEndpoint::parse(example("EventEndpointDraft"), &LocalTargets::default())
            .expect("an address");
        let endpoint =
            EventEndpoint::new(client.0.id, url, String::new(), at("2026-07-01T09:40:00Z"));
        let mut made = views::event_endpoint::event_endpoint(&endpoint, None);
        self.show("EventEndpoint", made.clone());
        made["secret"] = json!(SECRET);
        self.show("NewEventEndpoint", made);
    }

    fn refuse(&mut self) {
        let fields = json!({"name": "", "type": "subscription", "price": {"amount": "12.00", "currency": "EUR"}, "renews": true});
        let problem = OfferDraft::parse(&fields).expect_err("wrong").into();
        self.tell_problem("InvalidFields", problem);
        let wrong = vec![(2, PositionProblem::NotShared(NotShared::NoAccess))];
        self.tell_problem(
            "CartNotSellable",
            PurchaseError::Cart(CartError::Positions(wrong)).into(),
        );
    }

    fn tell_problem(&mut self, name: &'static str, problem: Problem) {
        let response = problem.into_response("Yx3kWhO_FiAEJ1g=");
        let Body::Text(text) = response.body() else {
            panic!("a problem is text")
        };
        self.show(name, serde_json::from_str(text).expect("JSON"));
    }
}

fn found_by_id<'a>(found: &[OfferLookup<'a>], id: OfferId) -> OfferLookup<'a> {
    found
        .iter()
        .copied()
        .find(|lookup| lookup.offer().is_some_and(|offer| offer.id == id))
        .unwrap_or(OfferLookup::NotFound)
}
