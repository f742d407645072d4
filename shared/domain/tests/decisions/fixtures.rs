//! Companies, clients and offers, the same in each test; a test changes its subject only.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};
use tandem_domain::IdSource;
use tandem_domain::callback_url::{CallbackUrl, LocalTargets};
use tandem_domain::cart::{Cart, CartStatus, Choice, OfferLookup, Origin, Position};
use tandem_domain::connection::{CallbackSettings, Connection, Party, SigningSecret, State};
use tandem_domain::customer::{Customer, Profile};
use tandem_domain::ids::{ClientId, ConnectionId};
use tandem_domain::metadata::Metadata;
use tandem_domain::money::{BasisPoints, Currency, Money};
use tandem_domain::offer::{CostCenters, CrossClient, Offer, OfferKind, OfferStatus, RenewalRules};
use tandem_domain::period::{Period, PeriodUnit};
use tandem_domain::request_id::RequestId;
use tandem_domain::sealed::Sealed;
use tandem_domain::sharing::SharedOffer;
use tandem_domain::tenancy::{Client, ContractingCompany, MailLanguage, Modules};
use tandem_domain::text::{EmailAddress, Name};
use tandem_domain::voucher::{NewVoucher, VoucherCode, VoucherHash};
use tandem_domain::zone::Zone;
use uuid::Uuid;

/// Counts up: the first id ends in `…1001`, the first voucher code in `1`.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    ids: u128,
    vouchers: u128,
}

impl IdSource for Counter {
    fn uuid(&mut self) -> Uuid {
        self.ids += 1;
        uuid(0x1000 + self.ids)
    }

    fn voucher(&mut self, _source: ClientId) -> NewVoucher {
        self.vouchers += 1;
        let code = VoucherCode::from_bits(self.vouchers);
        let hash = VoucherHash(format!("hash {}", self.vouchers));
        NewVoucher { code, hash }
    }
}

fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(0x0190_b8f5_c6f7_7c3a_b0a1_0000_0000_0000 + number)
}

/// The id of a number.
pub(crate) fn id<T: From<Uuid>>(number: u128) -> T {
    T::from(uuid(number))
}

pub(crate) fn at(time: &str) -> Timestamp {
    time.parse().expect("a time")
}

/// More steps than any test needs: an endless loop fails instead.
pub(crate) const MANY: usize = 100;

/// 1 July 2026, noon.
pub(crate) fn now() -> Timestamp {
    at("2026-07-01T12:00:00Z")
}

/// A day before [`now`]: the creation time of all fixtures.
pub(crate) fn yesterday() -> Timestamp {
    at("2026-06-30T12:00:00Z")
}

pub(crate) fn name(text: &str) -> Name {
    Name::parse(&json!(text)).expect("a name")
}

pub(crate) fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(&json!(text)).expect("an address")
}

pub(crate) fn money(amount: i64, currency: &str) -> Money {
    Money {
        amount,
        currency: Currency::parse(&json!(currency)).expect("a currency"),
    }
}

pub(crate) fn euro(cents: i64) -> Money {
    money(cents, "EUR")
}

pub(crate) fn monthly() -> Period {
    Period {
        unit: PeriodUnit::Month,
        count: 1,
    }
}

pub(crate) fn zone(name: &str) -> Zone {
    Zone::parse(&json!(name)).expect("a time zone")
}

/// A sealed value, in the clear.
pub(crate) fn sealed(text: &str) -> Sealed {
    text.as_bytes().to_vec().into()
}

/// The id of a request, as the HTTP API makes them.
pub(crate) fn request() -> RequestId {
    "Yx3kWhO_FiAEJ1g=".parse().expect("a request id")
}

pub(crate) fn callback_url(text: &str) -> CallbackUrl {
    CallbackUrl::parse(text, &LocalTargets::default()).expect("an address")
}

pub(crate) fn company(number: u128, module_on: bool) -> ContractingCompany {
    ContractingCompany {
        id: id(number),
        name: name(&format!("Verlag {number}")),
        modules: Modules {
            cross_client_connections: module_on,
        },
        time_zone: Zone::default(),
        disabled_clients: BTreeSet::new(),
        created_at: yesterday(),
        version: 1,
    }
}

pub(crate) fn client(number: u128, company: &ContractingCompany) -> Client {
    Client {
        id: id(number),
        company_id: company.id,
        name: name(&format!("Tagblatt {number}")),
        email: email(&format!("tagblatt{number}@example.com")),
        language: MailLanguage::De,
        disabled_at: None,
        created_at: yesterday(),
        version: 1,
    }
}

pub(crate) fn customer(number: u128, company: &ContractingCompany) -> Customer {
    let profile = json!({"email": "anna@example.com", "language": "de-CH", "firstName": "Anna", "lastName": "Muster", "phone": "+41 1"});
    let profile = Profile::parse(&profile).expect("a profile");
    profile.create(id(number), company.id, sealed("sealed key"), yesterday())
}

/// A renewing monthly subscription at 10.00 EUR, sold by its owner.
pub(crate) fn offer(number: u128, owner: ClientId) -> Offer {
    Offer {
        id: id(number),
        client_id: owner,
        name: name(&format!("Angebot {number}")),
        description: None,
        kind: OfferKind::Subscription {
            period: monthly(),
            renews: true,
        },
        price: euro(1_000),
        rules: RenewalRules::default(),
        cross_client: None,
        terms: None,
        externally_managed: false,
        once_per_customer: false,
        metadata: Metadata::default(),
        cost_centers: CostCenters::default(),
        status: OfferStatus::Active,
        created_at: yesterday(),
        updated_at: yesterday(),
        version: 1,
    }
}

/// Two clients with an active connection from the first to the second.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    pub(crate) source_company: ContractingCompany,
    pub(crate) target_company: ContractingCompany,
    pub(crate) source: Client,
    pub(crate) target: Client,
    pub(crate) connection: Connection,
}

impl Pair {
    pub(crate) fn within_one_company() -> Self {
        Self::of(company(1, true), company(1, true), None)
    }

    pub(crate) fn between_two_companies() -> Self {
        let secret = SigningSecret {
            sealed: sealed("sealed 1"),
            created_at: yesterday(),
            expires_at: None,
        };
        let callback = CallbackSettings {
            url: callback_url("https://source.example.com/tandem"),
            secrets: vec![secret],
            headers: None,
        };
        Self::of(company(1, true), company(2, true), Some(callback))
    }

    fn of(
        source_company: ContractingCompany,
        target_company: ContractingCompany,
        callback: Option<CallbackSettings>,
    ) -> Self {
        let (source, target) = (client(11, &source_company), client(12, &target_company));
        let connection = Connection {
            id: id::<ConnectionId>(20),
            source: Party::from(&source),
            target: Party::from(&target),
            offers_access: true,
            callback,
            block_mails: None,
            metadata: Metadata::default(),
            state: State::Active,
            created_at: yesterday(),
            updated_at: yesterday(),
            version: 7,
        };
        Self {
            source_company,
            target_company,
            source,
            target,
            connection,
        }
    }

    /// An offer of the source that the target may sell for a share of a fifth.
    pub(crate) fn shared_offer(&self, number: u128) -> Offer {
        let sharing = CrossClient {
            target_client_ids: vec![self.target.id],
            seller_share_basis_points: BasisPoints(2_000),
        };
        Offer {
            cross_client: Some(sharing),
            ..offer(number, self.source.id)
        }
    }

    pub(crate) fn shared<'a>(&'a self, offer: &'a Offer) -> SharedOffer<'a> {
        SharedOffer {
            offer,
            connection: &self.connection,
            source_company: &self.source_company,
            target_company: &self.target_company,
        }
    }

    pub(crate) fn found<'a>(&'a self, offer: &'a Offer) -> OfferLookup<'a> {
        if offer.client_id == self.target.id {
            OfferLookup::Own(offer)
        } else {
            OfferLookup::Shared(self.shared(offer))
        }
    }

    /// A position of the target's cart.
    pub(crate) fn position(&self, number: u8, offer: &Offer, choice: Choice) -> Position {
        let origin = Origin {
            client_id: self.source.id,
            company_id: self.source_company.id,
            connection_id: self.connection.id,
        };
        let origin = (offer.client_id != self.target.id).then_some(origin);
        Position {
            number,
            offer_id: offer.id,
            choice,
            origin,
        }
    }

    pub(crate) fn cart(&self, positions: Vec<Position>) -> Cart {
        Cart {
            id: id(30),
            client_id: self.target.id,
            name: name("Doppelpack"),
            description: None,
            positions,
            metadata: Metadata::default(),
            status: CartStatus::Active,
            created_at: yesterday(),
            updated_at: yesterday(),
            version: 1,
        }
    }

    /// A customer of the target's company.
    pub(crate) fn customer(&self) -> Customer {
        customer(40, &self.target_company)
    }
}

/// The field and code of each error.
pub(crate) fn codes(errors: &tandem_domain::input::FieldErrors) -> Vec<(&str, &str)> {
    errors
        .0
        .iter()
        .map(|error| (error.field.as_str(), error.code))
        .collect()
}

/// Replaces one member of a JSON object.
pub(crate) fn with(mut value: Value, member: &str, to: Value) -> Value {
    value[member] = to;
    value
}
