//! The operator's routes: contracting companies with their modules, clients, and the clients' API keys.

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tandem_api::idempotency::idempotent;
use tandem_api::paging::Paging;
use tandem_api::views::tenancy as view;
use tandem_api::{Answer, App, Code, Decision, IdempotencyKey, Problem, Request};
use tandem_domain::ids::{ClientId, CompanyId};
use tandem_domain::input::parsed;
use tandem_domain::tenancy::{
    Client, ClientDraft, ClientEdit, CompanyDraft, CompanyEdit, ContractingCompany, KeyDraft,
};
use tandem_runtime::canary;
use tandem_sealing::api_key::{NewApiKey, is_key_id};
use tandem_store::{Transaction, keys};

pub async fn handle(app: App, request: Request) -> Result<Answer, Problem> {
    request.caller.operator()?;
    match request.route.as_str() {
        "POST /v1/contracting-companies" => create_company(&app, &request).await,
        "GET /v1/contracting-companies" => list_companies(&app, &request).await,
        "GET /v1/contracting-companies/{companyId}" => read_company(&app, &request).await,
        "PATCH /v1/contracting-companies/{companyId}" => edit_company(&app, &request).await,
        "POST /v1/clients" => create_client(&app, &request).await,
        "GET /v1/clients" => list_clients(&app, &request).await,
        "GET /v1/clients/{clientId}" => read_client(&app, &request).await,
        "PATCH /v1/clients/{clientId}" => edit_client(&app, &request).await,
        "POST /v1/clients/{clientId}/api-keys" => create_key(&app, &request).await,
        "GET /v1/clients/{clientId}/api-keys" => list_keys(&app, &request).await,
        "DELETE /v1/clients/{clientId}/api-keys/{keyId}" => revoke_key(&app, &request).await,
        _ => Err(Problem::missing(Code::RouteNotFound)),
    }
}

async fn create_company(app: &App, request: &Request) -> Result<Answer, Problem> {
    let body = request.json()?;
    let draft = CompanyDraft::parse(&body)?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        let company = draft
            .clone()
            .create(CompanyId::generate(&mut app.ids()), app.now());
        let mut transaction = Transaction::default();
        transaction.create(&company)?;
        if app.store.get(&keys::canary()).await?.is_none() {
            transaction.create(&canary::new(&app.sealer))?;
        }
        let location = format!("/v1/contracting-companies/{}", company.id);
        Ok(Decision::Commit(
            transaction,
            Answer::created(location, view::company(&company)),
        ))
    })
    .await
}

async fn list_companies(app: &App, request: &Request) -> Result<Answer, Problem> {
    let paging = Paging::read(app, request, request.query())?;
    let page = app
        .store
        .page(
            &keys::companies(),
            paging.after.as_deref(),
            paging.limit,
            |_| true,
        )
        .await?;
    Ok(paging.answer(app, page, |company| view::company(&company)))
}

async fn read_company(app: &App, request: &Request) -> Result<Answer, Problem> {
    Ok(Answer::ok(view::company(
        &load_company(app, request).await?,
    )))
}

async fn edit_company(app: &App, request: &Request) -> Result<Answer, Problem> {
    let body = request.json()?;
    let edit = CompanyEdit::parse(&body)?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        let company = edit.clone().apply(load_company(app, request).await?);
        let mut transaction = Transaction::default();
        transaction.replace(&company)?;
        Ok(Decision::Commit(
            transaction,
            Answer::ok(view::company(&company)),
        ))
    })
    .await
}

async fn load_company(app: &App, request: &Request) -> Result<ContractingCompany, Problem> {
    let id: CompanyId = request.id_in_path("companyId", Code::CompanyNotFound)?;
    app.store
        .get(&keys::company(id))
        .await?
        .ok_or_else(|| Problem::missing(Code::CompanyNotFound))
}

async fn create_client(app: &App, request: &Request) -> Result<Answer, Problem> {
    let body = request.json()?;
    let draft = ClientDraft::parse(&body)?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        if app
            .store
            .get(&keys::company(draft.company_id))
            .await?
            .is_none()
        {
            let detail = "the contracting company does not exist";
            return Err(tandem_domain::input::FieldErrors::at(
                "contractingCompanyId",
                "not_found",
                detail,
            )
            .into());
        }
        let client = draft
            .clone()
            .create(ClientId::generate(&mut app.ids()), app.now());
        let mut transaction = Transaction::default();
        transaction.create(&client)?;
        let location = format!("/v1/clients/{}", client.id);
        Ok(Decision::Commit(
            transaction,
            Answer::created(location, view::client(&client)),
        ))
    })
    .await
}

async fn list_clients(app: &App, request: &Request) -> Result<Answer, Problem> {
    let mut query = request.query();
    let company = query.optional("contractingCompanyId", parsed::<CompanyId>);
    let paging = Paging::read(app, request, query)?;
    let clients = company.map_or_else(keys::clients, keys::clients_of);
    let page = app
        .store
        .page(&clients, paging.after.as_deref(), paging.limit, |_| true)
        .await?;
    Ok(paging.answer(app, page, |client| view::client(&client)))
}

async fn read_client(app: &App, request: &Request) -> Result<Answer, Problem> {
    Ok(Answer::ok(view::client(&load_client(app, request).await?)))
}

/// A client that is disabled or enabled is also noted in its company's row, which sales read.
async fn edit_client(app: &App, request: &Request) -> Result<Answer, Problem> {
    let body = request.json()?;
    let edit = ClientEdit::parse(&body)?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        let client = load_client(app, request).await?;
        let client = edit.clone().apply(client, app.now());
        let mut transaction = Transaction::default();
        transaction.replace(&client)?;
        let company = app.store.get(&keys::company(client.company_id)).await?;
        if let Some(company) = company.and_then(|company| company.with_client(&client)) {
            transaction.replace(&company)?;
        }
        Ok(Decision::Commit(
            transaction,
            Answer::ok(view::client(&client)),
        ))
    })
    .await
}

async fn load_client(app: &App, request: &Request) -> Result<Client, Problem> {
    let id: ClientId = request.id_in_path("clientId", Code::ClientNotFound)?;
    app.store
        .get(&keys::client(id))
        .await?
        .ok_or_else(|| Problem::missing(Code::ClientNotFound))
}

async fn create_key(app: &App, request: &Request) -> Result<Answer, Problem> {
    let body = request.json_or_empty()?;
    let draft = KeyDraft::parse(&body, app.now())?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        let client = load_client(app, request).await?;
        let new = NewApiKey::generate();
        let key = draft.clone().create(
            &client,
            new.key_id.clone(),
            new.secret_hash.clone(),
            app.now(),
        );
        let mut transaction = Transaction::default();
        transaction.create(&key)?;
        let mut shown = view::api_key(&key, app.now());
        shown["apiKey"] = Value::from(new.text.expose_secret());
        let location = format!("/v1/clients/{}/api-keys", client.id);
        Ok(Decision::Commit(
            transaction,
            Answer::created(location, shown).showing(&new.text),
        ))
    })
    .await
}

async fn list_keys(app: &App, request: &Request) -> Result<Answer, Problem> {
    let client = load_client(app, request).await?;
    let paging = Paging::read(app, request, request.query())?;
    let page = app
        .store
        .page(
            &keys::api_keys_of(client.id),
            paging.after.as_deref(),
            paging.limit,
            |_| true,
        )
        .await?;
    Ok(paging.answer(app, page, |key| view::api_key(&key, app.now())))
}

async fn revoke_key(app: &App, request: &Request) -> Result<Answer, Problem> {
    let missing = || Problem::missing(Code::ApiKeyNotFound);
    let client: ClientId = request.id_in_path("clientId", Code::ApiKeyNotFound)?;
    let key_id = Some(request.text_in_path("keyId"))
        .filter(|text| is_key_id(text))
        .ok_or_else(missing)?;
    idempotent(app, &IdempotencyKey::of(request, &json!({}))?, || async {
        let key = app.store.get(&keys::api_key(key_id)).await?;
        let key = key
            .filter(|key| key.client_id == client)
            .ok_or_else(missing)?;
        if key.revoked_at.is_some() {
            return Ok(Decision::answered(Answer::ok(view::api_key(
                &key,
                app.now(),
            ))));
        }
        let key = key.revoke(app.now());
        let mut transaction = Transaction::default();
        transaction.replace(&key)?;
        Ok(Decision::Commit(
            transaction,
            Answer::ok(view::api_key(&key, app.now())),
        ))
    })
    .await
}
