//! The story behind the examples of docs/openapi.yaml: two publishers connect and sell one cart. The parsers read the requests
//! of the document; the views show the results.

mod calling_back;
mod connecting;
mod importing;
mod selling;

use std::collections::BTreeMap;

use lambda_http::Body;
use serde_json::{Value, json};
use tandem_api::{Problem, views};
use tandem_domain::callback::Announcement;
use tandem_domain::cart::{CartError, OfferLookup, PositionProblem};
use tandem_domain::ids::{ClientId, CompanyId, ConnectionId, OfferId, first_uuid_of};
use tandem_domain::offer::{EditedOffer, Offer, OfferDraft, OfferEdit};
use tandem_domain::purchase::PurchaseError;
use tandem_domain::sharing::{NotShared, SharedOffer};
use tandem_domain::tenancy::{
    Client, ClientDraft, CompanyDraft, ContractingCompany, KeyDraft, OwnEdit,
};
use tandem_domain::terms::TermsVersion;
use tandem_domain::voucher::{NewVoucher, RedeemRequest};
use tandem_domain::{IdSource, Timestamp};
use tandem_runtime::random_ids::hash_of;
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

/// Counts ids up; each voucher has the code of the document.
struct Counting(u128);

impl IdSource for Counting {
    fn uuid(&mut self) -> Uuid {
        self.0 += 1;
        Uuid::from_u128(first_uuid_of(at("2026-07-01T09:30:00Z")).as_u128() + self.0)
    }

    fn voucher(&mut self, source: ClientId) -> NewVoucher {
        let request = RedeemRequest::parse(example("Redemption")).expect("a redemption");
        NewVoucher {
            hash: hash_of(source, &request.code),
            code: request.code,
        }
    }
}

type Party = (Client, ContractingCompany);

/// Plays the story and collects its examples by name.
pub(crate) struct Story {
    ids: Counting,
    now: Timestamp,
    pub(crate) examples: BTreeMap<&'static str, Value>,
}

impl Story {
    pub(crate) fn play() -> Self {
        let mut story = Self {
            ids: Counting(0),
            now: at("2026-07-01T09:30:00Z"),
            examples: BTreeMap::new(),
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
        let company = json!({"name": "Stadtblick Medien GmbH", "modules": {"crossClientConnections": true}, "timeZone": "Europe/Berlin"});
        let target = story.publisher(&company, |company| {
            json!({"contractingCompanyId": company, "name": "Stadtblick", "email": "abo@stadtblick.example", "language": "de"})
        });
        story.key(&source);
        let connection = story.connect(&source, &target);
        let (offer, own) = story.offers(&source.0, &target.0);
        let shared = SharedOffer {
            offer: &offer,
            connection: &connection,
            source_company: &source.1,
            target_company: &target.1,
        };
        let available = shared
            .available_to(target.0.id)
            .expect("an available offer");
        let shown = views::offer::shared(&available, target.0.id, story.now);
        story.show("SharedOffer", shown.expect("a target"));
        story.refuse_terms(&offer, target.0.id);
        story.change_terms(&offer, (target.0.id, connection.id));
        let accepted = offer.put_into_cart(target.0.id, story.now);
        let accepted = accepted.expect("the first terms");
        let shared = SharedOffer {
            offer: &accepted,
            ..shared
        };
        story.sell(
            &source,
            &target,
            &[OfferLookup::Own(&own), OfferLookup::Shared(shared)],
        );
        story.import(&source);
        story.reject();
        story
    }

    fn show(&mut self, name: &'static str, value: Value) {
        assert!(
            self.examples.insert(name, value).is_none(),
            "two examples are named {name}"
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

    fn key(&mut self, (client, company): &Party) {
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
        let edit = OwnEdit::parse(example("OwnEdit")).expect("an edit");
        let edited = edit.apply(client.clone());
        self.show("Me", views::tenancy::me(&edited, company, &key));
        let used = key
            .used(at("2026-08-14T06:12:09Z"))
            .expect("the first use of the day");
        let revoked = used.revoke(at("2026-09-01T08:00:00Z"));
        self.show(
            "ApiKey",
            views::tenancy::api_key(&revoked, at("2026-09-01T08:00:00Z")),
        );
    }

    fn offers(&mut self, source: &Client, target: &Client) -> (Offer, Offer) {
        let mut create = |name: &str, owner: &Client| {
            let draft = OfferDraft::parse(example(name)).expect("an offer");
            draft.create(
                OfferId::generate(&mut self.ids),
                owner.id,
                at("2026-07-01T10:30:00Z"),
            )
        };
        let (shared, own) = (
            create("SharedOfferDraft", source),
            create("OfferDraft", target),
        );
        assert!(shared.names(target.id), "the offer names the target");
        self.show("Offer", views::offer::own(&shared, self.now));
        self.show("OwnOffer", views::offer::own(&own, self.now));
        (shared, own)
    }

    fn show_event(&mut self, name: &'static str, announcement: &Announcement, time: Timestamp) {
        self.show(
            name,
            serde_json::from_slice(&announcement.body(time)).expect("JSON"),
        );
    }

    fn reject(&mut self) {
        let fields = json!({"name": "", "type": "subscription", "price": {"amount": "12.00", "currency": "EUR"}, "renews": true});
        let problem = OfferDraft::parse(&fields)
            .expect_err("invalid fields")
            .into();
        self.show_problem("InvalidFields", problem);
        let problems = vec![(2, PositionProblem::NotShared(NotShared::NoAccess))];
        self.show_problem(
            "CartNotSellable",
            PurchaseError::Cart(CartError::Positions(problems)).into(),
        );
    }

    /// The source proposes another price, the target accepts it, the source archives the offer.
    fn change_terms(&mut self, offer: &Offer, (target, connection): (ClientId, ConnectionId)) {
        let offer = offer.put_into_cart(target, self.now);
        let offer = offer.expect("the first terms");
        let edit = OfferEdit::parse(example("OfferEdit")).expect("an edit");
        let EditedOffer { offer, changes } = offer.edit(edit, self.now).expect("an active offer");
        let proposed = changes[0].event(&offer, connection);
        self.show_event(
            "TermsProposedEvent",
            &proposed.expect("a proposal"),
            self.now,
        );
        let version = changes[0].present.version;
        let accepted = offer.accept_terms(target, version).expect("a proposal");
        let accepted = accepted.expect("a change");
        let event = accepted.event(target, connection);
        self.show_event("TermsAcceptedEvent", &event, self.now);
        let event = accepted.offer.archived_event(target, connection);
        self.show_event("OfferArchivedEvent", &event, self.now);
    }

    /// The target names a version that the source does not propose.
    fn refuse_terms(&mut self, offer: &Offer, target: ClientId) {
        let TermsVersion(version) =
            TermsVersion::parse(example("TermsAcceptance")).expect("a version");
        let other = offer.clone().accept_terms(target, version + 1);
        self.show_problem(
            "TermsOtherVersion",
            other.expect_err("another version").into(),
        );
    }

    fn show_problem(&mut self, name: &'static str, problem: Problem) {
        let response = problem.into_response("Yx3kWhO_FiAEJ1g=");
        let Body::Text(text) = response.body() else {
            panic!("a problem has a text body")
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
