//! Purchases and what follows them.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Request, text};
use crate::run::Run;
use crate::step::{Call, End, Part};

/// A code without a voucher.
const NO_VOUCHER: &str = "00000-00000-00000-00000";

impl Run<'_> {
    pub(super) fn order(&self, which: usize) -> Option<(usize, Value)> {
        let orders = self.orders();
        let which = which.checked_rem(orders.len())?;
        orders.into_iter().nth(which)
    }

    /// The first position's quantity is unique per call and identifies the order.
    pub(super) fn purchase(&mut self, call: &Call) -> Option<Request> {
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
        let mut body = json!({
            "customerId": customers[customer % customers.len()],
            "paymentMethod": "PAYPAL",
            "positions": positions,
        });
        // Every fourth purchase has one of two ids, so later ones are refused.
        if self.purchases.is_multiple_of(4) {
            body["externalSystemId"] = json!(format!("shop-{}", self.purchases % 8));
        }
        Some(Request::post(
            cart.seller,
            format!("/v1/carts/{}/purchase", cart.id),
            body,
        ))
    }

    pub(super) fn after_sale(&self, call: &Call) -> Option<Request> {
        let (Call::Reverse { order, .. }
        | Call::ReversePeriod { order, .. }
        | Call::Pay { order, .. }
        | Call::Cancel { order, .. }
        | Call::Undo { order, .. }) = call
        else {
            return None;
        };
        let (seller, order) = self.order(*order)?;
        let (path, body) = self.report(call, &order)?;
        Some(Request::post(seller, path, body))
    }

    /// The path and body of a call about an order.
    fn report(&self, call: &Call, order: &Value) -> Option<(String, Value)> {
        let currency = &order["total"]["currency"];
        let money = |amount: i64| json!({"amount": amount, "currency": currency});
        let options = |part: Part, mut body: Value| {
            if let Some(amount) = part.amount {
                body["amount"] = money(amount);
            }
            if let Some(ends) = part.ends {
                body["endSubscription"] = json!(ends);
            }
            body
        };
        let subscription = |position: &usize, action: &str| {
            let positions = order["positions"].as_array()?;
            let id = text(&positions[position % positions.len()]["subscriptionId"]);
            Some(format!("/v1/subscriptions/{id}/{action}"))
        };
        Some(match call {
            Call::Reverse {
                position,
                charge_back,
                part,
                ..
            } => {
                let verb = if *charge_back {
                    "charge-back"
                } else {
                    "refund"
                };
                let body = position.map_or(json!({}), |position| json!({"positions": [position]}));
                let path = format!("/v1/orders/{}/{verb}", text(&order["id"]));
                (path, options(*part, body))
            }
            Call::ReversePeriod {
                position,
                period,
                charge_back,
                part,
                ..
            } => {
                let kind = if *charge_back { "chargeBack" } else { "refund" };
                let path = subscription(position, &format!("payments/{period}/reverse"))?;
                (path, options(*part, json!({"kind": kind})))
            }
            Call::Pay {
                position,
                period,
                amount,
                ..
            } => {
                let mut body = json!({});
                if let Some(period) = period {
                    body["periodNumber"] = json!(period);
                }
                if let Some(amount) = amount {
                    body["amount"] = money(*amount);
                }
                (subscription(position, "payments")?, body)
            }
            Call::Cancel { position, end, .. } => {
                let at = match end {
                    End::Now => json!("now"),
                    End::OfPeriod => json!("endOfPeriod"),
                    End::In(seconds) => {
                        json!(self.stage.clock.now() + SignedDuration::from_secs(*seconds))
                    }
                };
                (subscription(position, "cancel")?, json!({"at": at}))
            }
            Call::Undo { position, .. } => {
                (subscription(position, "undo-cancellation")?, json!({}))
            }
            _ => return None,
        })
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
            seller.is_none_or(|seller| seller.company.id != self.world.clients[*source].company.id)
        };
        sources
            .filter_map(|id| self.world.client(id))
            .find(of_another)
    }

    /// The callback about an order's sale, with its owner.
    pub(super) async fn callback(&mut self, order: usize) -> Option<(usize, String)> {
        let (_, order) = self.order(order)?;
        let source = self.other_source(&order)?;
        let path = format!(
            "/v1/callbacks?orderId={}&type=crossClientOrder.created",
            text(&order["id"])
        );
        let listed = self.look_up(source, &path).await;
        Some((source, listed["items"][0]["id"].as_str()?.to_owned()))
    }

    pub(super) async fn payout(&mut self, order: usize) -> Option<String> {
        let (seller, order) = self.order(order)?;
        let listed = self
            .look_up(
                seller,
                &format!("/v1/payouts?orderId={}", text(&order["id"])),
            )
            .await;
        Some(listed["items"][0]["id"].as_str()?.to_owned())
    }

    pub(super) async fn redeem(
        &mut self,
        order: usize,
        customer: usize,
        wrong: bool,
    ) -> Option<Request> {
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
        Some(Request::post(
            source,
            "/v1/subscriptions/useCrossClientVoucher",
            body,
        ))
    }
}
