//! Orders of the selling client, with refunds and charge-backs of the whole order or of positions.

use std::collections::BTreeSet;

use tandem_api::announce::write_moved;
use tandem_api::client_events::EventEndpoints;
use tandem_api::created::Created;
use tandem_api::idempotency::idempotent;
use tandem_api::lookup::external_hash;
use tandem_api::paging::Paging;
use tandem_api::views::order as view;
use tandem_api::{Answer, App, ClientCaller, Code, Decision, IdempotencyKey, Problem, Request};
use tandem_domain::after_sale::{Rows, SoldRows, reverse_order};
use tandem_domain::callback::Concerned;
use tandem_domain::ids::{CustomerId, OrderId};
use tandem_domain::input::parsed;
use tandem_domain::order::{Order, Reversal, ReversalRequest};
use tandem_domain::text::ExternalId;
use tandem_store::{Page, StoreError, Transaction, keys};

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
    let created = Created::read(&mut query);
    let external = query.optional("externalSystemId", ExternalId::parse);
    let paging = Paging::read(app, request, query)?;
    if let Some(external) = external {
        let mut found = app
            .store
            .orders_of_external(caller.id, &external_hash(caller, &external))
            .await?;
        found.retain(|order| {
            customer.is_none_or(|customer| order.customer_id == customer)
                && created.contains(order.created_at)
        });
        return Ok(paging.answer(app, Page::whole(found), |order| view::order(&order)));
    }
    let orders = customer.map_or_else(
        || keys::orders_of(caller.id),
        |customer| keys::orders_by(caller.id, customer),
    );
    let orders = orders.map(|list| created.within(list));
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
    let asked = ReversalRequest::parse(&body)?;
    // A refund gives money away, and charge-backs often come from jobs that people repeat by hand. Both require a key.
    let key = IdempotencyKey::required(request, &body)?;
    idempotent(app, &key, || decide(app, request, caller, &asked, reversal)).await
}

async fn decide(
    app: &App,
    request: &Request,
    caller: ClientCaller,
    asked: &ReversalRequest,
    reversal: Reversal,
) -> Result<Decision, Problem> {
    let order = load(app, request, caller).await?;
    let chosen = order.choose(asked, &BTreeSet::new())?;
    let (sold, endpoints) = subscriptions(app, &order, &chosen).await?;
    let mut ids = app.ids();
    let reversed = reverse_order(order, asked, reversal, sold, app.now(), &mut ids)?;
    let mut transaction = Transaction::default();
    transaction.replace(&reversed.order)?;
    let concerned = Some(Concerned {
        company_id: caller.company_id,
        customer_id: reversed.order.customer_id,
    });
    endpoints.announce(
        app,
        &mut ids,
        &mut transaction,
        concerned,
        reversed.events(),
    )?;
    for moved in reversed.subscriptions {
        write_moved(app, &mut ids, &mut transaction, caller.company_id, moved)?;
    }
    Ok(Decision::Commit(
        transaction,
        Answer::ok(view::order(&reversed.order)),
    ))
}

/// The subscriptions of the chosen positions, each with its last paid period, and the event endpoints of the seller and of the
/// sources within its contracting company.
async fn subscriptions(
    app: &App,
    order: &Order,
    chosen: &BTreeSet<u8>,
) -> Result<(Vec<SoldRows>, EventEndpoints), StoreError> {
    let positions = order
        .positions
        .iter()
        .filter(|position| chosen.contains(&position.position));
    let sold = positions.filter_map(|position| position.subscription_id);
    let keys: Vec<_> = sold
        .map(|id| keys::subscription(order.client_id, id))
        .collect();
    let mut subscriptions = app.store.load_all(keys.clone()).await?;
    let sellers: Vec<_> = keys
        .iter()
        .filter_map(|key| subscriptions.remove(key))
        .collect();
    let (mut batch, mut found) = (app.store.batch(), Vec::new());
    let mut clients = BTreeSet::from([order.client_id]);
    for seller in &sellers {
        let period = keys::paid_period(seller.client_id, seller.id, seller.periods_paid);
        let link = seller.cross_client.as_ref();
        let source = link.map(|link| keys::subscription(link.source_client_id, seller.id));
        let own = link.filter(|link| !link.between_companies);
        clients.extend(own.map(|link| link.source_client_id));
        batch.add(&period);
        if let Some(source) = &source {
            batch.add(source);
        }
        found.push((source, period));
    }
    EventEndpoints::add_keys(&mut batch, &clients);
    let rows = batch.load().await?;
    let endpoints = EventEndpoints::from_rows(&rows, &clients)?;
    let sold = sellers.into_iter().zip(found);
    let sold: Result<_, StoreError> = sold
        .map(|(seller, (source, period))| {
            let source = match source {
                Some(source) => rows.get(&source)?,
                None => None,
            };
            let period = rows.get(&period)?;
            let rows = Rows { seller, source };
            Ok(SoldRows { rows, period })
        })
        .collect();
    Ok((sold?, endpoints))
}
