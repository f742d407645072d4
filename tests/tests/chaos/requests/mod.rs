//! Turns a call into a request: the history's numbers become ids.

mod sales;
mod snooping;

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::run::Run;
use crate::step::Call;
use crate::world::SHARED;

/// A request to send.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) client: usize,
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) body: Option<Value>,
    /// For a read of possibly foreign data: whether the caller owns it and must get a 200.
    pub(crate) is_theirs: Option<bool>,
}

impl Request {
    pub(crate) fn get(client: usize, path: &str) -> Self {
        Self::new(client, Method::GET, path, None)
    }

    fn post(client: usize, path: impl Into<String>, body: Value) -> Self {
        Self::new(client, Method::POST, path, Some(body))
    }

    /// Posts without a body.
    fn act(client: usize, path: impl Into<String>) -> Self {
        Self::new(client, Method::POST, path, None)
    }

    fn put(client: usize, path: impl Into<String>, body: Value) -> Self {
        Self::new(client, Method::PUT, path, Some(body))
    }

    fn patch(client: usize, path: impl Into<String>, body: Value) -> Self {
        Self::new(client, Method::PATCH, path, Some(body))
    }

    fn delete(client: usize, path: impl Into<String>) -> Self {
        Self::new(client, Method::DELETE, path, None)
    }

    fn new(client: usize, method: Method, path: impl Into<String>, body: Option<Value>) -> Self {
        Self {
            client,
            method,
            target: path.into(),
            body,
            is_theirs: None,
        }
    }

    pub(crate) fn is_read(&self) -> bool {
        self.method == Method::GET
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

impl Run<'_> {
    /// The request of a call; `None` while its subject does not exist.
    pub(crate) async fn request(&mut self, call: &Call) -> Option<Request> {
        let world = self.world;
        match call {
            Call::Purchase { .. } => self.purchase(call),
            Call::Reverse { .. }
            | Call::ReversePeriod { .. }
            | Call::Pay { .. }
            | Call::Cancel { .. }
            | Call::Undo { .. } => self.after_sale(call),
            Call::Redeem {
                order,
                customer,
                wrong,
            } => self.redeem(*order, *customer, *wrong).await,
            Call::Move { .. }
            | Call::Access { .. }
            | Call::Address { .. }
            | Call::Invite { .. } => self.connection(call),
            Call::Price { offer, amount } => {
                let (owner, id) = world.offers.get(*offer)?;
                // The fourth cart sells in francs.
                let currency = if matches!(offer, 2 | 4) { "CHF" } else { "EUR" };
                let body = json!({"price": {"amount": amount, "currency": currency}});
                Some(Request::patch(*owner, format!("/v1/offers/{id}"), body))
            }
            Call::Propose { .. } => self.propose(call),
            Call::AcceptTerms {
                offer,
                target,
                outdated,
            } => {
                let targets = SHARED[*offer].targets;
                let client = targets[target % targets.len()];
                let path = format!("/v1/offers/shared/{}", world.offers[*offer].1);
                let seen = self.look_up(client, &path).await;
                let version = seen["proposedTerms"]["version"].as_u64()?;
                let version = version - u64::from(*outdated && version > 1);
                let body = json!({"version": version});
                Some(Request::post(client, format!("{path}/accept-terms"), body))
            }
            Call::Offer { client } => {
                let period = json!({"unit": "month", "count": 1});
                let price = json!({"amount": 100, "currency": "EUR"});
                let body = json!({"name": "Neu", "type": "subscription", "period": period, "renews": true, "price": price});
                Some(Request::post(*client, "/v1/offers", body))
            }
            Call::Cart { shared } => {
                let offer = |number: usize, which: usize| json!({"position": number, "offerId": world.offers[which].1, "mandatory": true});
                let body = json!({"name": "Neu", "positions": [offer(1, 3), offer(2, *shared)]});
                Some(Request::post(2, "/v1/carts", body))
            }
            Call::Archive { cart } => {
                let cart = &world.carts[*cart];
                Some(Request::act(
                    cart.seller,
                    format!("/v1/carts/{}/archive", cart.id),
                ))
            }
            Call::Import(items) => Some(self.import(items)),
            Call::Replay { order } => {
                let (source, callback) = self.callback(*order).await?;
                Some(Request::act(
                    source,
                    format!("/v1/callbacks/{callback}/replay"),
                ))
            }
            Call::ReplayAll { client } => {
                Some(Request::post(*client, "/v1/callbacks/replays", json!({})))
            }
            Call::EventEndpoint { version } => {
                let body = json!({"url": world.endpoints.url(crate::world::EVENTS, *version)});
                Some(Request::put(2, "/v1/event-endpoint", body))
            }
            Call::Customer { client, number } => {
                let body = json!({"email": format!("new{number}@example.com"), "language": "de"});
                Some(Request::post(*client, "/v1/customers", body))
            }
            Call::Erase { client, customer } => {
                let customers = &world.customers[*client];
                let customer = &customers[customer % customers.len()];
                Some(Request::delete(
                    *client,
                    format!("/v1/customers/{customer}"),
                ))
            }
            Call::MarkPaid { client, order } => {
                let payout = self.payout(*order).await?;
                Some(Request::act(
                    *client,
                    format!("/v1/payouts/{payout}/mark-paid"),
                ))
            }
            Call::Look { client, list } => Some(Request::get(*client, &format!("/v1/{list}"))),
            Call::Snoop {
                client,
                order,
                list,
            } => self.snoop(*client, *order, list).await,
        }
    }

    fn propose(&self, call: &Call) -> Option<Request> {
        let Call::Propose {
            offer,
            amount,
            share,
            alone,
            until_hours,
        } = call
        else {
            return None;
        };
        let (owner, id) = self.world.offers.get(*offer)?;
        let shared = SHARED[*offer];
        let ids: Vec<_> = shared
            .targets
            .iter()
            .map(|target| &self.world.clients[*target].id)
            .collect();
        let price = json!({"amount": amount, "currency": shared.currency});
        let mut sharing = json!({"targetClientIds": ids, "sellerShareBasisPoints": shared.share});
        let mut body = json!({});
        if *alone {
            let own = json!({"targetClientId": ids.last(), "price": price, "sellerShareBasisPoints": share});
            sharing["targetTerms"] = json!([own]);
        } else {
            sharing["sellerShareBasisPoints"] = json!(share);
            sharing["targetTerms"] = json!([]);
            body["price"] = price;
        }
        body["crossClient"] = sharing;
        if let Some(hours) = until_hours {
            let until = self.stage.clock.now() + SignedDuration::from_hours(*hours);
            body["sellOldTermsUntil"] = json!(until);
        }
        Some(Request::patch(*owner, format!("/v1/offers/{id}"), body))
    }

    fn connection(&self, call: &Call) -> Option<Request> {
        let links = self.links();
        match call {
            Call::Move {
                link,
                verb,
                by_source,
            } => {
                let link = &links[link % links.len()];
                let client = if *by_source { link.source } else { link.target };
                Some(Request::act(
                    client,
                    format!("/v1/connections/{}/{verb}", link.id),
                ))
            }
            Call::Access { link, on } => {
                let link = &links[link % links.len()];
                Some(Request::patch(
                    link.source,
                    format!("/v1/connections/{}", link.id),
                    json!({"offersAccess": on}),
                ))
            }
            Call::Address { link, version } => {
                let link = &links[link % links.len()];
                let body = json!({"callback": {"url": self.world.endpoints.url(link.endpoint?, *version)}});
                Some(Request::patch(
                    link.source,
                    format!("/v1/connections/{}", link.id),
                    body,
                ))
            }
            Call::Invite { target } => {
                let callback = json!({"url": self.world.endpoints.url(3, 0)});
                let body = json!({"targetClientId": self.world.clients[*target].id, "offersAccess": true, "callback": callback});
                Some(Request::post(3, "/v1/connections", body))
            }
            _ => None,
        }
    }

    fn import(&self, items: &[(usize, u32, bool)]) -> Request {
        let mut named = Vec::new();
        let mut sent = Vec::new();
        // An import may contain an id once.
        for (id, quantity, ends) in items {
            if !named.contains(id) {
                named.push(*id);
                sent.push(self.imported(*id, *quantity, *ends));
            }
        }
        Request::post(2, "/v1/imports/orders", json!({"items": sent}))
    }

    /// An item whose optional members are set, cleared or left out, and whose dates contradict those of other items.
    fn imported(&self, id: usize, quantity: u32, ends: bool) -> Value {
        let choice = usize::try_from(quantity).unwrap_or_default();
        let starts = [
            "2026-11-01T00:00:00Z",
            "2027-06-01T00:00:00Z",
            "2028-01-01T00:00:00Z",
        ];
        let ends_at = ["2027-01-01T00:00:00Z", "2027-11-01T00:00:00Z"];
        let mut item = json!({
            "externalSystemId": format!("X-{id}"),
            "offerId": self.world.imported_offer,
            "invoiceCustomerId": self.world.customers[2][2],
            "quantity": quantity,
            "startDate": starts[choice % 3],
            "paymentMethod": if choice % 2 == 0 { "BILLING" } else { "PAYPAL" },
        });
        if ends {
            item["endDate"] = json!(ends_at[choice / 3 % 2]);
        } else if choice % 4 == 0 {
            item["endDate"] = Value::Null;
        }
        match choice {
            5 => item["discountPercentage"] = Value::Null,
            1 | 8 => item["discountPercentage"] = json!(quantity),
            _ => {}
        }
        item
    }
}
