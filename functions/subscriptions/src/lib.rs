//! Subscriptions: the seller reports payments, reversals and cancellations; the source reads.

mod change;

use tandem_api::created::Created;
use tandem_api::lookup::external_hash;
use tandem_api::paging::Paging;
use tandem_api::views::subscription as view;
use tandem_api::{Answer, App, ClientCaller, Code, Problem, Request};
use tandem_domain::ids::{CustomerId, OfferId, SubscriptionId};
use tandem_domain::input::parsed;
use tandem_domain::subscription::{Status, Subscription};
use tandem_domain::text::ExternalId;
use tandem_store::{Page, keys};

pub async fn handle(app: App, request: Request) -> Result<Answer, Problem> {
    let caller = request.caller.client()?;
    match request.route.as_str() {
        "GET /v1/subscriptions" => list(&app, &request, caller).await,
        "GET /v1/subscriptions/{subscriptionId}" => read(&app, &request, caller).await,
        "POST /v1/subscriptions/{subscriptionId}/payments" => {
            change::pay(&app, &request, caller).await
        }
        "POST /v1/subscriptions/{subscriptionId}/payments/{periodNumber}/reverse" => {
            change::reverse(&app, &request, caller).await
        }
        "POST /v1/subscriptions/{subscriptionId}/cancel" => {
            change::cancel(&app, &request, caller).await
        }
        "POST /v1/subscriptions/{subscriptionId}/undo-cancellation" => {
            change::undo_cancellation(&app, &request, caller).await
        }
        _ => Err(Problem::missing(Code::RouteNotFound)),
    }
}

async fn list(app: &App, request: &Request, caller: ClientCaller) -> Result<Answer, Problem> {
    let mut query = request.query();
    let customer = query.optional("customerId", parsed::<CustomerId>);
    let offer = query.optional("offerId", parsed::<OfferId>);
    let status = query.optional("status", Status::parse);
    let linked = query.flag("linked");
    let has_access = query.flag("hasAccess");
    let created = Created::read(&mut query);
    let external = query.optional("externalSystemId", ExternalId::parse);
    let paging = Paging::read(app, request, query)?;
    let rows = customer.map_or_else(
        || keys::subscriptions_of(caller.id),
        |customer| keys::subscriptions_for(caller.id, customer),
    );
    let keep = |row: &Subscription| {
        offer.is_none_or(|offer| row.offer_id == offer)
            && status.is_none_or(|status| row.status(app.now()) == status)
            && linked.is_none_or(|linked| row.is_linked() == linked)
            && has_access.is_none_or(|has_access| row.has_access(app.now()) == has_access)
    };
    if let Some(external) = external {
        let mut found = app
            .store
            .subscriptions_of_external(caller.id, &external_hash(caller, &external))
            .await?;
        found.retain(|row| {
            keep(row)
                && customer.is_none_or(|customer| row.customer_id == Some(customer))
                && created.contains(row.created_at)
        });
        let view = |row: Subscription| view::subscription(&row, app.now());
        return Ok(paging.answer(app, Page::whole(found), view));
    }
    let rows = rows.map(|list| created.within(list));
    let page = app
        .store
        .merged_page(&rows, paging.after.as_deref(), paging.limit, keep)
        .await?;
    Ok(paging.answer(app, page, |row| view::subscription(&row, app.now())))
}

async fn read(app: &App, request: &Request, caller: ClientCaller) -> Result<Answer, Problem> {
    Ok(Answer::ok(view::subscription(
        &load(app, request, caller).await?,
        app.now(),
    )))
}

async fn load(app: &App, request: &Request, caller: ClientCaller) -> Result<Subscription, Problem> {
    let id: SubscriptionId = request.id_in_path("subscriptionId", Code::SubscriptionNotFound)?;
    app.store
        .subscription(caller.id, id)
        .await?
        .ok_or_else(|| Problem::missing(Code::SubscriptionNotFound))
}
