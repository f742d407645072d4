//! The calling client with its company and the calling key.

use tandem_api::idempotency::idempotent;
use tandem_api::views::tenancy as view;
use tandem_api::{Answer, App, ClientCaller, Decision, IdempotencyKey, Problem, Request};
use tandem_domain::tenancy::{ApiKey, Client, ContractingCompany, OwnEdit};
use tandem_store::{StoreError, Transaction, keys};

pub(crate) async fn read(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let (client, company, key) = load(app, request, caller).await?;
    Ok(Answer::ok(view::me(&client, &company, &key)))
}

pub(crate) async fn edit(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let body = request.json()?;
    let edit = OwnEdit::parse(&body)?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        let (client, company, key) = load(app, request, caller).await?;
        let client = edit.clone().apply(client);
        let mut transaction = Transaction::default();
        transaction.replace(&client)?;
        let answer = Answer::ok(view::me(&client, &company, &key));
        Ok(Decision::Commit(transaction, answer))
    })
    .await
}

async fn load(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<(Client, ContractingCompany, ApiKey), Problem> {
    let rows = (
        keys::client(caller.id),
        keys::company(caller.company_id),
        keys::api_key(request.key_id()?),
    );
    let missing = || StoreError::Corrupt {
        key: caller.id.to_string(),
        reason: "the caller's client, company or key is missing".to_owned(),
    };
    let (client, company, key) = app.store.load(rows).await?;
    let found = client.zip(company).zip(key);
    let ((client, company), key) = found.ok_or_else(missing)?;
    Ok((client, company, key))
}
