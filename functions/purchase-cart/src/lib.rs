//! A purchase in three round trips to the table: load the cart, the customer and the idempotency record; load the offers with
//! their connections and companies; commit the transaction.
//!
//! The transaction checks no row that it has loaded. Every purchase of a busy merchant reads offers, connections and companies, and
//! condition checks on the same row conflict with each other. A change in the milliseconds between load and commit applies to the
//! next purchase. A check of the customer's row would cost two write units and guard only against an erasure in these
//! milliseconds, after which the rows of the sale are those of a sale before it: they name the customer by an id that leads
//! nowhere, and the customer's data in the callback is sealed under a key that no longer exists.

use tandem_api::announce::seal_sale;
use tandem_api::answer::Content;
use tandem_api::client_events::EventEndpoints;
use tandem_api::idempotency::commit;
use tandem_api::lookup::Offers;
use tandem_api::views::order as view;
use tandem_api::{Answer, App, ClientCaller, Code, Decision, IdempotencyKey, Problem, Request};
use tandem_domain::Timestamp;
use tandem_domain::customer::Customer;
use tandem_domain::ids::CartId;
use tandem_domain::input::FieldErrors;
use tandem_domain::purchase::{self, PurchaseRequest, Sale};
use tandem_runtime::metrics::{self, Metric};
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
    let answer = commit(app, &key, || decide(app, caller, cart, &asked, &key)).await?;
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

async fn decide(
    app: &App,
    caller: ClientCaller,
    cart: CartId,
    asked: &PurchaseRequest,
    key: &IdempotencyKey,
) -> Result<Decision, Problem> {
    let (cart_key, customer_key) = (
        keys::cart(caller.id, cart),
        keys::customer(caller.company_id, asked.customer_id),
    );
    let (cart, customer, record) = app.store.load((cart_key, customer_key, key.row())).await?;
    if let Some(record) = key.unexpired(app, record) {
        return Ok(Decision::Stored(record));
    }
    let cart = cart.ok_or_else(|| Problem::missing(Code::CartNotFound))?;
    let no_customer = || {
        Problem::from(FieldErrors::at(
            "customerId",
            "not_found",
            "the customer does not exist; create it first",
        ))
    };
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
    let answer = Answer::created(
        format!("/v1/orders/{}", sale.order.id),
        view::order(&sale.order),
    );
    let transaction = rows_of(app, &customer, sale, &endpoints)?;
    Ok(Decision::Commit(transaction, answer))
}

fn rows_of(
    app: &App,
    customer: &Customer,
    sale: Sale,
    endpoints: &EventEndpoints,
) -> Result<Transaction, Problem> {
    let mut transaction = Transaction::default();
    transaction.create(&sale.order)?;
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
