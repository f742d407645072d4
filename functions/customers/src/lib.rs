//! Customers of the caller's contracting company, with the caller's orders and subscriptions for them.
//!
//! E-mail address and `externalSystemId` are unique: a guard row holds each, written and deleted in the customer's own
//! transaction. Other rows hold personal data only sealed under the key in the customer's row, so an erasure is one small
//! transaction, however much the customer bought.

mod erase;
mod guards;

use tandem_api::idempotency::idempotent;
use tandem_api::paging::Paging;
use tandem_api::views;
use tandem_api::{Answer, App, ClientCaller, Code, Decision, IdempotencyKey, Problem, Request};
use tandem_domain::customer::{Customer, CustomerEdit, Profile};
use tandem_domain::ids::CustomerId;
use tandem_domain::input::FieldErrors;
use tandem_domain::text::{EmailAddress, ExternalId};
use tandem_store::rows::Guard;
use tandem_store::{Key, Page, Transaction, keys};

pub async fn handle(app: App, request: Request) -> Result<Answer, Problem> {
    let caller = request.caller.client()?;
    match request.route.as_str() {
        "POST /v1/customers" => create(&app, &request, caller).await,
        "GET /v1/customers" => list(&app, &request, caller).await,
        "GET /v1/customers/{customerId}" => read(&app, &request, caller).await,
        "PATCH /v1/customers/{customerId}" => edit(&app, &request, caller).await,
        "DELETE /v1/customers/{customerId}" => erase::erase(&app, &request, caller).await,
        "GET /v1/customers/{customerId}/subscriptions" => {
            subscriptions(&app, &request, caller).await
        }
        "GET /v1/customers/{customerId}/orders" => orders(&app, &request, caller).await,
        _ => Err(Problem::missing(Code::RouteNotFound)),
    }
}

async fn create(app: &App, request: &Request, caller: ClientCaller) -> Result<Answer, Problem> {
    let body = request.json()?;
    let profile = Profile::parse(&body)?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        if let Some(existing) = find_by_email(app, caller, &profile.email).await? {
            return Ok(Decision::answered(sealed_for(
                app,
                &existing,
                Answer::ok(views::customer::customer(&existing)),
            )?));
        }
        let id = CustomerId::generate(&mut app.ids());
        let key = app.sealer.new_personal_key(&id.to_string());
        let customer = profile
            .clone()
            .create(id, caller.company_id, key.into(), app.now());
        let guards = guards::of(&customer);
        // Not the e-mail address, the first guard: if another request took it meanwhile, the transaction fails, and the next
        // try answers with that request's customer.
        guards::are_free(app, &customer, &guards[1..]).await?;
        let mut transaction = Transaction::default();
        transaction.create(&customer)?;
        for guard in &guards {
            transaction.create(guard)?;
        }
        let location = format!("/v1/customers/{}", customer.id);
        let answer = Answer::created(location, views::customer::customer(&customer));
        Ok(Decision::Commit(
            transaction,
            sealed_for(app, &customer, answer)?,
        ))
    })
    .await
}

async fn list(app: &App, request: &Request, caller: ClientCaller) -> Result<Answer, Problem> {
    let mut query = request.query();
    let email = query.optional("email", EmailAddress::parse);
    let external = query.optional("externalSystemId", ExternalId::parse);
    if email.is_some() && external.is_some() {
        query.note(FieldErrors::at(
            "externalSystemId",
            "only_one",
            "use email or externalSystemId, not both",
        ));
    }
    let paging = Paging::read(app, request, query)?;
    let one = |found: Option<Customer>| Page {
        items: found.into_iter().collect(),
        next: None,
    };
    let page = match (&email, &external) {
        (Some(email), _) => one(find_by_email(app, caller, email).await?),
        (None, Some(id)) => one(find(app, caller, &guards::external(caller.company_id, id)).await?),
        (None, None) => {
            app.store
                .page(
                    &keys::customers_of(caller.company_id),
                    paging.after.as_deref(),
                    paging.limit,
                    |_| true,
                )
                .await?
        }
    };
    Ok(paging.answer(app, page, |customer| views::customer::customer(&customer)))
}

async fn read(app: &App, request: &Request, caller: ClientCaller) -> Result<Answer, Problem> {
    Ok(Answer::ok(views::customer::customer(
        &load(app, request, caller).await?,
    )))
}

async fn edit(app: &App, request: &Request, caller: ClientCaller) -> Result<Answer, Problem> {
    let body = request.json()?;
    let edit = CustomerEdit::parse(&body)?;
    idempotent(
        app,
        &IdempotencyKey::of_edit(request, &body, CustomerEdit::CLEARABLE)?,
        || async {
            let before = load(app, request, caller).await?;
            let old = guards::held(app, &before).await?;
            let customer = edit.clone().apply(before.clone(), app.now());
            let new = guards::after_edit(&before, &old, &customer);
            guards::are_free(app, &customer, &new).await?;
            let mut transaction = Transaction::default();
            transaction.replace(&customer)?;
            for guard in new.iter().filter(|guard| !old.contains(guard)) {
                transaction.create(guard)?;
            }
            for guard in old.iter().filter(|guard| !new.contains(guard)) {
                transaction.delete(&tandem_store::Entity::key(guard));
            }
            Ok(Decision::Commit(
                transaction,
                sealed_for(
                    app,
                    &customer,
                    Answer::ok(views::customer::customer(&customer)),
                )?,
            ))
        },
    )
    .await
}

async fn subscriptions(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let customer = load(app, request, caller).await?;
    let paging = Paging::read(app, request, request.query())?;
    let rows = keys::subscriptions_for(caller.id, customer.id);
    let page = app
        .store
        .merged_page(&rows, paging.after.as_deref(), paging.limit, |_| true)
        .await?;
    Ok(paging.answer(app, page, |row| {
        views::subscription::subscription(&row, app.now())
    }))
}

async fn orders(app: &App, request: &Request, caller: ClientCaller) -> Result<Answer, Problem> {
    let customer = load(app, request, caller).await?;
    let paging = Paging::read(app, request, request.query())?;
    let page = app
        .store
        .merged_page(
            &keys::orders_by(caller.id, customer.id),
            paging.after.as_deref(),
            paging.limit,
            |_| true,
        )
        .await?;
    Ok(paging.answer(app, page, |order| views::order::order(&order)))
}

/// Seals the stored copy of an answer under the customer's own key, so that it cannot be repeated after an erasure.
fn sealed_for(app: &App, customer: &Customer, answer: Answer) -> Result<Answer, Problem> {
    Ok(Answer {
        sealed_for: Some((customer.into(), app.customer_sealer(customer)?)),
        ..answer
    })
}

pub(crate) async fn load(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Customer, Problem> {
    let id: CustomerId = request.id_in_path("customerId", Code::CustomerNotFound)?;
    app.store
        .get(&keys::customer(caller.company_id, id))
        .await?
        .ok_or_else(|| Problem::missing(Code::CustomerNotFound))
}

async fn find_by_email(
    app: &App,
    caller: ClientCaller,
    email: &EmailAddress,
) -> Result<Option<Customer>, Problem> {
    let found = find(app, caller, &guards::email(caller.company_id, email)).await?;
    match guards::former_email(caller.company_id, email) {
        Some(former) if found.is_none() => find(app, caller, &former).await,
        _ => Ok(found),
    }
}

async fn find(
    app: &App,
    caller: ClientCaller,
    guard: &Key<Guard>,
) -> Result<Option<Customer>, Problem> {
    match app.store.get(guard).await? {
        None => Ok(None),
        Some(guard) => Ok(app
            .store
            .get(&keys::customer(caller.company_id, guard.customer_id))
            .await?),
    }
}
