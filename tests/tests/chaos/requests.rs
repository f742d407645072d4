//! Turns a call into a request: the history's numbers become ids.

use serde_json::{Value, json};

use crate::run::Run;
use crate::step::Call;

/// A code without a voucher.
const NO_VOUCHER: &str = "00000-00000-00000-00000";

/// A request to send.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) client: usize,
    pub(crate) target: String,
    pub(crate) body: Option<Value>,
    /// For a read of possibly foreign data: whether the caller owns it and must get a 200.
    pub(crate) is_theirs: Option<bool>,
}

impl Request {
    pub(crate) fn get(client: usize, path: &str) -> Self {
        Self {
            client,
            target: format!("GET {path}"),
            body: None,
            is_theirs: None,
        }
    }

    fn bare(client: usize, target: String) -> Self {
        Self {
            client,
            target,
            body: None,
            is_theirs: None,
        }
    }

    fn with(client: usize, target: String, body: Value) -> Self {
        Self {
            client,
            target,
            body: Some(body),
            is_theirs: None,
        }
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
            Call::Reverse { .. } | Call::Pay { .. } | Call::Cancel { .. } => self.after_sale(call),
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
                Some(Request::with(
                    *owner,
                    format!("PATCH /v1/offers/{id}"),
                    body,
                ))
            }
            Call::Offer { client } => {
                let period = json!({"unit": "month", "count": 1});
                let price = json!({"amount": 100, "currency": "EUR"});
                let body = json!({"name": "Neu", "type": "subscription", "period": period, "renews": true, "price": price});
                Some(Request::with(*client, "POST /v1/offers".to_owned(), body))
            }
            Call::Cart { shared } => {
                let offer = |number: usize, which: usize| json!({"position": number, "offerId": world.offers[which].1, "mandatory": true});
                let body = json!({"name": "Neu", "positions": [offer(1, 3), offer(2, *shared)]});
                Some(Request::with(2, "POST /v1/carts".to_owned(), body))
            }
            Call::Archive { cart } => {
                let cart = &world.carts[*cart];
                Some(Request::bare(
                    cart.seller,
                    format!("POST /v1/carts/{}/archive", cart.id),
                ))
            }
            Call::Import(items) => Some(self.import(items)),
            Call::Replay { order } => {
                let (source, callback) = self.callback(*order).await?;
                Some(Request::bare(
                    source,
                    format!("POST /v1/callbacks/{callback}/replay"),
                ))
            }
            Call::ReplayAll { client } => Some(Request::with(
                *client,
                "POST /v1/callbacks/replays".to_owned(),
                json!({}),
            )),
            Call::EventEndpoint { version } => {
                let body = json!({"url": world.receiver.url(crate::world::EVENTS, *version)});
                Some(Request::with(2, "PUT /v1/event-endpoint".to_owned(), body))
            }
            Call::Customer { client, number } => {
                let body = json!({"email": format!("new{number}@example.com"), "language": "de"});
                Some(Request::with(
                    *client,
                    "POST /v1/customers".to_owned(),
                    body,
                ))
            }
            Call::Erase { client, customer } => {
                let customers = &world.customers[*client];
                let customer = &customers[customer % customers.len()];
                Some(Request::bare(
                    *client,
                    format!("DELETE /v1/customers/{customer}"),
                ))
            }
            Call::MarkPaid { client, order } => {
                let payout = self.payout(*order).await?;
                Some(Request::bare(
                    *client,
                    format!("POST /v1/payouts/{payout}/mark-paid"),
                ))
            }
            Call::Look { client, list } => Some(Request::get(*client, &format!("/v1/{list}"))),
            Call::Snoop {
                client,
                order,
                what,
            } => self.snoop(*client, *order, what).await,
        }
    }

    fn order(&self, which: usize) -> Option<(usize, Value)> {
        let orders = self.orders();
        let which = which.checked_rem(orders.len())?;
        orders.into_iter().nth(which)
    }

    /// The first position's quantity is unique per call and identifies the order.
    fn purchase(&mut self, call: &Call) -> Option<Request> {
        let Call::Purchase {
            cart,
            customer,
            optional,
        } = call
        else {
            return None;
        };
        let cart = &self.world.carts[*cart];
        let customers = &self.world.customers[cart.seller];
        self.purchases += 1;
        let mut positions = vec![json!({"position": 1, "quantity": self.purchases})];
        if *optional {
            positions.extend(
                cart.optional
                    .iter()
                    .map(|number| json!({"position": number})),
            );
        }
        let body = json!({
            "customerId": customers[customer % customers.len()],
            "paymentMethod": "PAYPAL",
            "positions": positions,
        });
        Some(Request::with(
            cart.seller,
            format!("POST /v1/carts/{}/purchase", cart.id),
            body,
        ))
    }

    fn after_sale(&self, call: &Call) -> Option<Request> {
        let (Call::Reverse { order, .. } | Call::Pay { order, .. } | Call::Cancel { order, .. }) =
            call
        else {
            return None;
        };
        let (seller, order) = self.order(*order)?;
        let subscription = |position: &usize| {
            let positions = order["positions"].as_array()?;
            Some(text(&positions[position % positions.len()]["subscriptionId"]).to_owned())
        };
        match call {
            Call::Reverse {
                position,
                charge_back,
                ..
            } => {
                let verb = if *charge_back {
                    "charge-back"
                } else {
                    "refund"
                };
                let body = position.map_or(json!({}), |position| json!({"positions": [position]}));
                Some(Request::with(
                    seller,
                    format!("POST /v1/orders/{}/{verb}", text(&order["id"])),
                    body,
                ))
            }
            Call::Pay {
                position, period, ..
            } => {
                let body = period.map_or(json!({}), |period| json!({"periodNumber": period}));
                Some(Request::with(
                    seller,
                    format!(
                        "POST /v1/subscriptions/{}/payments",
                        subscription(position)?
                    ),
                    body,
                ))
            }
            Call::Cancel { position, .. } => Some(Request::with(
                seller,
                format!("POST /v1/subscriptions/{}/cancel", subscription(position)?),
                json!({}),
            )),
            _ => None,
        }
    }

    /// The source client of an order's position from another contracting company.
    fn other_source(&self, order: &Value) -> Option<usize> {
        let sources = order["positions"]
            .as_array()?
            .iter()
            .filter_map(|position| position["sourceClientId"].as_str());
        let seller = self
            .world
            .clients
            .iter()
            .find(|client| order["clientId"] == client.id.as_str());
        let of_another = |source: &usize| {
            seller.is_none_or(|seller| seller.company != self.world.clients[*source].company)
        };
        sources
            .filter_map(|id| self.world.client(id))
            .find(of_another)
    }

    /// The callback about an order's sale, with its owner.
    async fn callback(&mut self, order: usize) -> Option<(usize, String)> {
        let (_, order) = self.order(order)?;
        let source = self.other_source(&order)?;
        let path = format!(
            "/v1/callbacks?orderId={}&type=crossClientOrder.created",
            text(&order["id"])
        );
        let listed = self.look_up(source, &path).await;
        Some((source, listed["items"][0]["id"].as_str()?.to_owned()))
    }

    async fn payout(&mut self, order: usize) -> Option<String> {
        let (seller, order) = self.order(order)?;
        let listed = self
            .look_up(
                seller,
                &format!("/v1/payouts?orderId={}", text(&order["id"])),
            )
            .await;
        Some(listed["items"][0]["id"].as_str()?.to_owned())
    }

    async fn redeem(&mut self, order: usize, customer: usize, wrong: bool) -> Option<Request> {
        let (_, body) = self.order(order)?;
        let source = self.other_source(&body)?;
        let id = text(&body["id"]).to_owned();
        if !wrong && !self.codes.contains_key(&id) {
            let (_, callback) = self.callback(order).await?;
            let callback = self
                .look_up(source, &format!("/v1/callbacks/{callback}"))
                .await;
            self.codes.insert(
                id.clone(),
                callback["body"]["data"]["voucherCode"].as_str()?.to_owned(),
            );
        }
        let code = if wrong {
            NO_VOUCHER
        } else {
            self.codes.get(&id)?
        };
        let customers = &self.world.customers[source];
        let body =
            json!({"customerId": customers[customer % customers.len()], "voucherCode": code});
        Some(Request::with(
            source,
            "POST /v1/subscriptions/useCrossClientVoucher".to_owned(),
            body,
        ))
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
                let who = if *by_source { link.source } else { link.target };
                Some(Request::bare(
                    who,
                    format!("POST /v1/connections/{}/{verb}", link.id),
                ))
            }
            Call::Access { link, on } => {
                let link = &links[link % links.len()];
                Some(Request::with(
                    link.source,
                    format!("PATCH /v1/connections/{}", link.id),
                    json!({"offersAccess": on}),
                ))
            }
            Call::Address { link, version } => {
                let link = &links[link % links.len()];
                let body =
                    json!({"callback": {"url": self.world.receiver.url(link.endpoint?, *version)}});
                Some(Request::with(
                    link.source,
                    format!("PATCH /v1/connections/{}", link.id),
                    body,
                ))
            }
            Call::Invite { target } => {
                let callback = json!({"url": self.world.receiver.url(3, 0)});
                let body = json!({"targetClientId": self.world.clients[*target].id, "offersAccess": true, "callback": callback});
                Some(Request::with(3, "POST /v1/connections".to_owned(), body))
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
                let method = if *quantity % 2 == 0 {
                    "BILLING"
                } else {
                    "PAYPAL"
                };
                sent.push(json!({
                    "externalSystemId": format!("X-{id}"),
                    "offerId": self.world.imported_offer,
                    "invoiceCustomerId": self.world.customers[2][2],
                    "quantity": quantity,
                    "startDate": "2026-11-01T00:00:00Z",
                    "endDate": ends.then_some("2027-11-01T00:00:00Z"),
                    "paymentMethod": method,
                }));
            }
        }
        Request::with(
            2,
            "POST /v1/imports/orders".to_owned(),
            json!({"items": sent}),
        )
    }

    /// A read of possibly foreign data.
    async fn snoop(&mut self, client: usize, order: usize, what: &str) -> Option<Request> {
        let (seller, body) = self.order(order)?;
        let second = &body["positions"][1];
        let source = second["sourceClientId"]
            .as_str()
            .and_then(|id| self.world.client(id));
        let (path, is_theirs) = match what {
            "orders" => (
                format!("/v1/orders/{}", text(&body["id"])),
                client == seller,
            ),
            "subscriptions" => {
                let id = second["subscriptionId"].as_str()?;
                (
                    format!("/v1/subscriptions/{id}"),
                    client == seller || source == Some(client),
                )
            }
            "payouts" => {
                let mut sources = body["positions"]
                    .as_array()?
                    .iter()
                    .filter_map(|position| position["sourceClientId"].as_str());
                // With several sources, the payout found may belong to either.
                let source = self.world.client(sources.next()?);
                if sources.next().is_some() {
                    return None;
                }
                (
                    format!("/v1/payouts/{}", self.payout(order).await?),
                    client == seller || source == Some(client),
                )
            }
            "callbacks" => {
                let (source, id) = self.callback(order).await?;
                (format!("/v1/callbacks/{id}"), client == source)
            }
            // No history buys or imports for this customer, so it cannot be erased.
            "customers" => (
                format!("/v1/customers/{}", self.world.customers[3][0]),
                client == 3,
            ),
            _ => (
                format!("/v1/connections/{}", self.world.links[1].id),
                matches!(client, 1 | 2),
            ),
        };
        let is_theirs = if what == "customers" && client == 3 {
            None
        } else {
            Some(is_theirs)
        };
        Some(Request {
            is_theirs,
            ..Request::get(client, &path)
        })
    }
}
