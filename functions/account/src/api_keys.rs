//! A client's keys, managed by its own keys.
//!
//! Each change depends on a key that stays: the transaction requires that its row has not changed since it was read. So a key that
//! was just revoked creates no other one, and of two keys that revoke each other one remains.

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tandem_api::idempotency::idempotent;
use tandem_api::paging::Paging;
use tandem_api::views::tenancy as view;
use tandem_api::{Answer, App, ClientCaller, Code, Decision, IdempotencyKey, Problem, Request};
use tandem_domain::tenancy::{ApiKey, KeyDraft, KeyError};
use tandem_sealing::api_key::{NewApiKey, is_key_id};
use tandem_store::{Transaction, keys};

/// Keys of a page of [`all_keys`].
const PAGE: usize = 100;

pub(crate) async fn create(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let body = request.json_or_empty()?;
    let draft = KeyDraft::parse(&body, app.now())?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        let calling = calling_key(app, request, caller).await?;
        let new = NewApiKey::generate();
        let (key_id, hash) = (new.key_id.clone(), new.secret_hash.clone());
        let key = draft.clone().create_by(&calling, key_id, hash, app.now())?;
        let mut transaction = Transaction::default();
        transaction.create(&key)?;
        transaction.unchanged(&keys::api_key(&calling.key_id), calling.version);
        let mut shown = view::api_key(&key, app.now());
        shown["apiKey"] = Value::from(new.text.expose_secret());
        let answer = Answer::created("/v1/api-keys".to_owned(), shown).showing(&new.text);
        Ok(Decision::Commit(transaction, answer))
    })
    .await
}

pub(crate) async fn list(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let paging = Paging::read(app, request, request.query())?;
    let own = keys::api_keys_of(caller.id);
    let page = app
        .store
        .page(&own, paging.after.as_deref(), paging.limit, |_| true)
        .await?;
    Ok(paging.answer(app, page, |key| view::api_key(&key, app.now())))
}

pub(crate) async fn revoke(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let missing = || Problem::missing(Code::ApiKeyNotFound);
    let key_id = Some(request.text_in_path("keyId"))
        .filter(|text| is_key_id(text))
        .ok_or_else(missing)?;
    idempotent(app, &IdempotencyKey::of(request, &json!({}))?, || async {
        let found = app.store.get(&keys::api_key(key_id)).await?;
        let key = found
            .filter(|key| key.client_id == caller.id)
            .ok_or_else(missing)?;
        let shown = |key: &ApiKey| Answer::ok(view::api_key(key, app.now()));
        if key.revoked_at.is_some() {
            return Ok(Decision::answered(shown(&key)));
        }
        let calling = calling_key(app, request, caller).await?;
        let others = if key.key_id == calling.key_id {
            all_keys(app, caller).await?
        } else {
            Vec::new()
        };
        let revocation = key.revoke_by(&calling, &others, app.now())?;
        let (revoked, remaining) = (revocation.revoked, revocation.remaining);
        let mut transaction = Transaction::default();
        transaction.replace(&revoked)?;
        transaction.unchanged(&keys::api_key(&remaining.key_id), remaining.version);
        Ok(Decision::Commit(transaction, shown(&revoked)))
    })
    .await
}

/// The calling key as it is now: the gateway may have cached its authorization for a minute.
async fn calling_key(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<ApiKey, Problem> {
    let key = app.store.get(&keys::api_key(request.key_id()?)).await?;
    key.filter(|key| key.client_id == caller.id)
        .ok_or_else(|| KeyError::CallerInvalid.into())
}

async fn all_keys(app: &App, caller: ClientCaller) -> Result<Vec<ApiKey>, Problem> {
    let own = keys::api_keys_of(caller.id);
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = app
            .store
            .page(&own, after.as_deref(), PAGE, |_| true)
            .await?;
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}
