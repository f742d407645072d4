//! A purchase in three round trips to the table: load the cart, the customer and the idempotency record; load the offers with
//! their connections and companies; commit the transaction.
//!
//! The transaction checks no row that it has loaded. Every purchase of a busy merchant reads offers, connections and companies, and
//! condition checks on the same row conflict with each other. A change in the milliseconds between load and commit applies to the
//! next purchase. A check of the customer's row would cost two write units and guard only against an erasure in these
//! milliseconds, after which the rows of the sale are those of a sale before it: they name the customer by an id that leads
//! nowhere, and the customer's data in the callback is sealed under a key that no longer exists.

mod once;

use std::sync::atomic::{AtomicUsize, Ordering};

use tandem_api::announce::seal_sale;
use tandem_api::answer::Content;
use tandem_api::client_events::EventEndpoints;
use tandem_api::idempotency::commit;
use tandem_api::lookup::{Offers, external_hash};
use tandem_api::views::order as view;
use tandem_api::{Answer, App, ClientCaller, Code, Decision, IdempotencyKey, Problem, Request};
use tandem_domain::Timestamp;
use tandem_domain::customer::Customer;
use tandem_domain::ids::{CartId, OrderId};
use tandem_domain::import::decide::ExternalHash;
use tandem_domain::import::imported::Imported;
use tandem_domain::input::{FieldError, FieldErrors};
use tandem_domain::purchase::{self, PurchaseRequest, Sale};
use tandem_runtime::metrics::{self, Metric};
use tandem_store::rows::ExternalOrder;
use tandem_store::{Transaction, keys};

pub async fn handle(app: App, request: Request) -> Result<Answer, Problem> {
    let caller = request.caller.client()?;
    match request.route.as_str() {
        "POST /v1/carts/{cartId}/purchase" => purchase(&app, &request, caller).await,
        _ => Err(Problem::missing(Code::RouteNotFound)),
    }
}

async fn purchase(app: &App, request: &Request, caller: ClientCaller) -> Result<Answer, Problem> {
    let cart: CartId = request.id_in_path("cartId", Code::CartNotFound)?;
    let body = request.json()?;
    let asked = PurchaseRequest::parse(&body)?;
    let key = IdempotencyKey::required(request, &body)?;
    let tries = AtomicUsize::new(0);
    let answer = commit(app, &key, || {
        let is_first = tries.fetch_add(1, Ordering::Relaxed) == 0;
        decide(app, (caller, cart), &asked, &key, is_first)
    })
    .await?;
    count(&answer, app.now());
    Ok(answer)
}

fn count(answer: &Answer, now: Timestamp) {
    if let Some((amount, currency)) = sold(answer) {
        metrics::count(&[(Metric::Purchases, 1)], now);
        metrics::add_amount(Metric::GrossAmount, amount, currency, now);
    }
}

/// The total of a new order; `None` for the stored answer of an earlier request.
fn sold(answer: &Answer) -> Option<(i64, &str)> {
    let Content::Json(order) = &answer.body else {
        return None;
    };
    let total = &order["total"];
    let sold = (total["amount"].as_i64()?, total["currency"].as_str()?);
    (!answer.repeated).then_some(sold)
}

/// The first decision assumes that the customer has none of the offers that are sold once. If one of their rows exists, the commit
/// finds it, and the next decision reads these rows.
async fn decide(
    app: &App,
    (caller, cart): (ClientCaller, CartId),
    asked: &PurchaseRequest,
    key: &IdempotencyKey,
    is_first: bool,
) -> Result<Decision, Problem> {
    let external = asked.external_system_id.as_ref();
    let external = external.map(|external| external_hash(caller, external));
    let (cart, customer, record, of_external) = app
        .store
        .load((
            keys::cart(caller.id, cart),
            keys::customer(caller.company_id, asked.customer_id),
            key.row(),
            external.as_ref().map(|hash| {
                (
                    keys::external_order(caller.id, hash),
                    keys::imported(caller.id, hash),
                )
            }),
        ))
        .await?;
    if let Some(record) = key.unexpired(app, record) {
        return Ok(Decision::Stored(record));
    }
    if let Some(order) = of_external.and_then(order_of) {
        return Err(external_id_taken(order));
    }
    let cart = cart.ok_or_else(|| Problem::missing(Code::CartNotFound))?;
    let customer = customer.ok_or_else(no_customer)?;
    let chosen = asked.choose(&cart)?;
    let wanted: Vec<_> = chosen
        .iter()
        .map(|position| (position.offer_id, position.origin))
        .collect();
    let (offers, endpoints) = Offers::load_for_sale(app, caller, &wanted).await?;
    let found: Vec<_> = chosen
        .into_iter()
        .map(|position| (position, offers.of(position.offer_id)))
        .collect();
    let seller = (&customer, &offers.time_zone());
    let sale = purchase::decide(&cart, asked, &found, seller, app.now(), &mut app.ids())?;
    let held = if is_first {
        Vec::new()
    } else {
        once::held(app, &sale).await?
    };
    let once = sale.take_over(&held, app.now())?;
    let answer = Answer::created(
        format!("/v1/orders/{}", sale.order.id),
        view::order(&sale.order),
    );
    let mut transaction = rows_of(app, &customer, external, sale, &endpoints)?;
    once::add(&mut transaction, &once, &held)?;
    Ok(Decision::Commit(transaction, answer))
}

fn no_customer() -> Problem {
    let detail = "the customer does not exist; create it first";
    FieldErrors::at("customerId", "not_found", detail).into()
}

/// The order of an `externalSystemId`, sold or imported.
fn order_of((sold, imported): (Option<ExternalOrder>, Option<Imported>)) -> Option<OrderId> {
    let imported = || imported?.order().map(|order| order.id);
    sold.map(|sold| sold.order_id).or_else(imported)
}

fn external_id_taken(order: OrderId) -> Problem {
    let detail = format!("the order {order} has this externalSystemId; nothing was bought");
    let error = FieldError {
        field: order.to_string(),
        code: "external_id_taken",
        detail: "the order has this externalSystemId".to_owned(),
    };
    Problem {
        errors: vec![error],
        ..Problem::new(Code::OrderExternalIdTaken, detail)
    }
}

fn rows_of(
    app: &App,
    customer: &Customer,
    external: Option<ExternalHash>,
    sale: Sale,
    endpoints: &EventEndpoints,
) -> Result<Transaction, Problem> {
    let mut transaction = Transaction::default();
    transaction.create(&sale.order)?;
    if let Some(hash) = external {
        transaction.create(&ExternalOrder {
            client_id: sale.order.client_id,
            hash,
            order_id: sale.order.id,
        })?;
    }
    for subscription in &sale.subscriptions {
        transaction.create(subscription)?;
    }
    for payout in &sale.payouts {
        transaction.create(payout)?;
    }
    if !endpoints.is_empty() {
        let (concerned, events) = (Some(customer.into()), sale.events());
        endpoints.announce(app, &mut app.ids(), &mut transaction, concerned, events)?;
    }
    if !sale.announcements.is_empty() {
        let (mut ids, personal) = (app.ids(), app.customer_sealer(customer)?);
        for announcement in sale.announcements {
            transaction.create(&seal_sale(
                app,
                &mut ids,
                announcement,
                (customer.into(), &personal),
            ))?;
        }
    }
    Ok(transaction)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_purchase_counts_once_however_often_it_is_sent() {
        let order = json!({"total": {"amount": 1_990, "currency": "CHF"}});
        let answer = Answer::created("/v1/orders/1".to_owned(), order);
        assert_eq!(sold(&answer), Some((1_990, "CHF")));
        let repeated = Answer {
            repeated: true,
            ..answer
        };
        assert_eq!(sold(&repeated), None);
    }
}
