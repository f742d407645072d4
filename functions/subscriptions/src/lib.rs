//! Subscriptions: the seller reports renewals and cancellations; the source reads.

use tandem_api::announce::{source_row, write_moved};
use tandem_api::idempotency::idempotent;
use tandem_api::paging::Paging;
use tandem_api::views::subscription as view;
use tandem_api::{Answer, App, ClientCaller, Code, Decision, IdempotencyKey, Problem, Request};
use tandem_domain::after_sale::{CancelRequest, PaymentRequest, Rows, SubscriptionChange};
use tandem_domain::ids::{CustomerId, OfferId, SubscriptionId};
use tandem_domain::input::parsed;
use tandem_domain::subscription::{Status, Subscription};
use tandem_store::{Transaction, keys};

pub async fn handle(app: App, request: Request) -> Result<Answer, Problem> {
    let caller = request.caller.client()?;
    match request.route.as_str() {
        "GET /v1/subscriptions" => list(&app, &request, caller).await,
        "GET /v1/subscriptions/{subscriptionId}" => read(&app, &request, caller).await,
        "POST /v1/subscriptions/{subscriptionId}/payments" => pay(&app, &request, caller).await,
        "POST /v1/subscriptions/{subscriptionId}/cancel" => cancel(&app, &request, caller).await,
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
    let paging = Paging::read(app, request, query)?;
    let rows = customer.map_or_else(
        || keys::subscriptions_of(caller.id),
        |customer| keys::subscriptions_for(caller.id, customer),
    );
    let keep = |row: &Subscription| {
        offer.is_none_or(|offer| row.offer_id == offer)
            && status.is_none_or(|status| row.status() == status)
            && linked.is_none_or(|linked| row.is_linked() == linked)
            && has_access.is_none_or(|has_access| row.has_access(app.now()) == has_access)
    };
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

async fn pay(app: &App, request: &Request, caller: ClientCaller) -> Result<Answer, Problem> {
    let body = request.json_or_empty()?;
    let payment = PaymentRequest::parse(&body)?;
    // Without a key and a period number, a repeated request would pay twice.
    let key = if payment.names_its_period() {
        IdempotencyKey::of(request, &body)?
    } else {
        IdempotencyKey::or_alternative(request, &body, "or name the periodNumber in the body")?
    };
    idempotent(app, &key, || async {
        let rows = load_rows(app, request, caller).await?;
        write(
            app,
            caller,
            rows.renew(&payment, app.now(), &mut app.ids())?,
        )
    })
    .await
}

async fn cancel(app: &App, request: &Request, caller: ClientCaller) -> Result<Answer, Problem> {
    let body = request.json_or_empty()?;
    let asked = CancelRequest::parse(&body)?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        let rows = load_rows(app, request, caller).await?;
        write(app, caller, rows.cancel(&asked, app.now())?)
    })
    .await
}

async fn load_rows(app: &App, request: &Request, caller: ClientCaller) -> Result<Rows, Problem> {
    let seller = load(app, request, caller).await?;
    // A request of the source is rejected, so the other row is loaded for the seller only.
    let source = if seller.role == tandem_domain::subscription::Role::Seller {
        source_row(app, &seller).await?
    } else {
        None
    };
    Ok(Rows { seller, source })
}

fn write(app: &App, caller: ClientCaller, moved: SubscriptionChange) -> Result<Decision, Problem> {
    let answer = Answer::ok(view::subscription(&moved.rows.seller, app.now()));
    let mut transaction = Transaction::default();
    write_moved(
        app,
        &mut app.ids(),
        &mut transaction,
        caller.company_id,
        moved,
    )?;
    Ok(Decision::Commit(transaction, answer))
}
