//! Orders of the selling client, with refunds and charge-backs of the whole order or of positions.

use std::collections::BTreeSet;

use tandem_api::announce::{source_row, write_moved};
use tandem_api::idempotency::idempotent;
use tandem_api::paging::Paging;
use tandem_api::views::order as view;
use tandem_api::{Answer, App, ClientCaller, Code, Decision, IdempotencyKey, Problem, Request};
use tandem_domain::after_sale::Rows;
use tandem_domain::ids::{CustomerId, OrderId};
use tandem_domain::input::parsed;
use tandem_domain::order::{Order, Reversal, parse_reversal};
use tandem_store::{StoreError, Transaction, keys};

pub async fn handle(app: App, request: Request) -> Result<Answer, Problem> {
    let caller = request.caller.client()?;
    match request.route.as_str() {
        "GET /v1/orders" => list(&app, &request, caller).await,
        "GET /v1/orders/{orderId}" => read(&app, &request, caller).await,
        "POST /v1/orders/{orderId}/refund" => {
            reverse(&app, &request, caller, Reversal::Refund).await
        }
        "POST /v1/orders/{orderId}/charge-back" => {
            reverse(&app, &request, caller, Reversal::ChargeBack).await
        }
        _ => Err(Problem::missing(Code::RouteNotFound)),
    }
}

async fn list(app: &App, request: &Request, caller: ClientCaller) -> Result<Answer, Problem> {
    let mut query = request.query();
    let customer = query.optional("customerId", parsed::<CustomerId>);
    let paging = Paging::read(app, request, query)?;
    let orders = customer.map_or_else(
        || keys::orders_of(caller.id),
        |customer| keys::orders_by(caller.id, customer),
    );
    let page = app
        .store
        .merged_page(&orders, paging.after.as_deref(), paging.limit, |_| true)
        .await?;
    Ok(paging.answer(app, page, |order| view::order(&order)))
}

async fn read(app: &App, request: &Request, caller: ClientCaller) -> Result<Answer, Problem> {
    Ok(Answer::ok(view::order(&load(app, request, caller).await?)))
}

async fn load(app: &App, request: &Request, caller: ClientCaller) -> Result<Order, Problem> {
    let id: OrderId = request.id_in_path("orderId", Code::OrderNotFound)?;
    app.store
        .order(caller.id, id)
        .await?
        .ok_or_else(|| Problem::missing(Code::OrderNotFound))
}

async fn reverse(
    app: &App,
    request: &Request,
    caller: ClientCaller,
    reversal: Reversal,
) -> Result<Answer, Problem> {
    let body = request.json_or_empty()?;
    let asked = parse_reversal(&body)?;
    // A refund gives money away, and charge-backs often come from jobs that people repeat by hand. Both require a key.
    let key = IdempotencyKey::required(request, &body)?;
    idempotent(app, &key, || {
        decide(app, request, caller, asked.as_ref(), reversal)
    })
    .await
}

async fn decide(
    app: &App,
    request: &Request,
    caller: ClientCaller,
    asked: Option<&BTreeSet<u8>>,
    reversal: Reversal,
) -> Result<Decision, Problem> {
    let (order, reversed) =
        load(app, request, caller)
            .await?
            .reverse(asked, reversal, app.now())?;
    let mut transaction = Transaction::default();
    transaction.replace(&order)?;
    let mut ids = app.ids();
    for rows in subscriptions(app, &order, &reversed).await? {
        let moved = rows.reverse(reversal, app.now(), &mut ids);
        write_moved(app, &mut ids, &mut transaction, caller.company_id, moved)?;
    }
    Ok(Decision::Commit(
        transaction,
        Answer::ok(view::order(&order)),
    ))
}

/// The subscriptions of the reversed positions.
async fn subscriptions(
    app: &App,
    order: &Order,
    reversed: &BTreeSet<u8>,
) -> Result<Vec<Rows>, StoreError> {
    let positions = order
        .positions
        .iter()
        .filter(|position| reversed.contains(&position.position));
    let sold = positions.filter_map(|position| position.subscription_id);
    let keys: Vec<_> = sold
        .map(|id| keys::subscription(order.client_id, id))
        .collect();
    let mut subscriptions = app.store.load_all(keys.clone()).await?;
    let mut rows = Vec::new();
    for key in &keys {
        if let Some(seller) = subscriptions.remove(key) {
            let source = source_row(app, &seller).await?;
            rows.push(Rows { seller, source });
        }
    }
    Ok(rows)
}
