//! Invites a target client. The transaction of an invitation also counts it, so concurrent requests cannot exceed the limit.

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tandem_api::client_events::EventEndpoints;
use tandem_api::idempotency::idempotent;
use tandem_api::views::connection as view;
use tandem_api::{Answer, App, ClientCaller, Code, Decision, IdempotencyKey, Problem, Request};
use tandem_domain::connection::{CallbackDraft, Change, ConnectionDraft, SealedSettings, Side};
use tandem_domain::ids::{ClientId, ConnectionId};
use tandem_domain::input::FieldErrors;
use tandem_domain::invitation_limit::{Invitations, PER_HOUR};
use tandem_domain::sealed::Sealed;
use tandem_domain::tenancy::{Client, ContractingCompany};
use tandem_sealing::{Purpose, new_webhook_secret};
use tandem_store::rows::{HistoryRow, Pair};
use tandem_store::{StoreError, Transaction, keys};

use crate::change::rows_of;

pub(crate) async fn invite(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let body = request.json()?;
    let draft = ConnectionDraft::parse(&body, &app.local_targets)?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || {
        decide(app, caller, draft.clone())
    })
    .await
}

async fn decide(
    app: &App,
    caller: ClientCaller,
    draft: ConnectionDraft,
) -> Result<Decision, Problem> {
    let Parties {
        source,
        target,
        invitations,
        endpoints,
    } = parties(app, caller, draft.target_client_id).await?;
    check_limit(app, invitations.as_ref())?;
    let id = ConnectionId::generate(&mut app.ids());
    let secret = new_webhook_secret();
    let sealed = |callback: &CallbackDraft| SealedSettings {
        secret: seal_secret(app, id, &secret),
        headers: callback
            .headers
            .as_ref()
            .and_then(|headers| headers.sealed(|text| seal_headers(app, id, text))),
    };
    let change = draft.invite(
        id,
        (&source.0, &source.1),
        (&target.0, &target.1),
        sealed,
        app.now(),
    )?;
    let pair = Pair {
        source: caller.id,
        target: target.0.id,
        connection_id: id,
    };
    check_unconnected(app, &pair).await?;
    let mut transaction = Transaction::default();
    transaction.create(&change.connection)?;
    transaction.create(&pair)?;
    count_invitation(app, &mut transaction, caller, invitations)?;
    rows_of(app, &mut transaction, &change, Some(&target.0), &endpoints)?;
    Ok(Decision::Commit(transaction, answer(&change, &secret)))
}

pub(crate) fn count_invitation(
    app: &App,
    transaction: &mut Transaction,
    caller: ClientCaller,
    before: Option<Invitations>,
) -> Result<(), StoreError> {
    match before {
        None => transaction.create(&Invitations::first(caller.id, app.now())),
        Some(invitations) => transaction.replace(&invitations.count(app.now())),
    }
}

pub(crate) fn check_limit(app: &App, invitations: Option<&Invitations>) -> Result<(), Problem> {
    match invitations.and_then(|invitations| invitations.wait(app.now())) {
        None => Ok(()),
        Some(wait) => Err(Problem::wait(
            Code::TooManyInvitations,
            format!("at most {PER_HOUR} invitations an hour"),
            wait,
        )),
    }
}

async fn check_unconnected(app: &App, pair: &Pair) -> Result<(), Problem> {
    let Some(live) = app.store.get(&keys::pair(pair.source, pair.target)).await? else {
        return Ok(());
    };
    let detail = format!(
        "{} connects the two clients; a new invitation is possible after it is declined or withdrawn",
        live.connection_id
    );
    Err(Problem::new(Code::ConnectionExists, detail))
}

/// The new connection with its signing secret, which only this answer shows.
fn answer(change: &Change, secret: &SecretString) -> Answer {
    let changes = vec![HistoryRow {
        connection_id: change.connection.id,
        entry: change.entry.clone(),
    }];
    let history = view::History {
        changes,
        terms: Vec::new(),
    };
    let mut shown = view::full(&change.connection, Side::Source, &history, None, None);
    let location = format!("/v1/connections/{}", change.connection.id);
    if shown.get("callback").is_none() {
        return Answer::created(location, shown);
    }
    shown["callback"]["secret"] = json!(secret.expose_secret());
    Answer::created(location, shown).showing(secret)
}

type Party = (Client, ContractingCompany);

/// Both clients with their contracting companies.
struct Parties {
    source: Party,
    target: Party,
    /// The source's recent invitations.
    invitations: Option<Invitations>,
    endpoints: EventEndpoints,
}

async fn parties(app: &App, caller: ClientCaller, target: ClientId) -> Result<Parties, Problem> {
    let own_keys = (keys::client(caller.id), keys::company(caller.company_id));
    let event_endpoints = (
        keys::event_endpoint(caller.id),
        keys::event_endpoint(target),
    );
    let keys = (
        own_keys,
        keys::client(target),
        keys::invitations(caller.id),
        event_endpoints,
    );
    let ((own, own_company), other, invitations, of_events) = app.store.load(keys).await?;
    let gone = |what: &str| StoreError::Corrupt {
        key: caller.id.to_string(),
        reason: format!("the caller's {what} is missing"),
    };
    let source = (
        own.ok_or_else(|| gone("client"))?,
        own_company.ok_or_else(|| gone("company"))?,
    );
    let unknown = || {
        Problem::from(FieldErrors::at(
            "targetClientId",
            "not_found",
            "the client does not exist",
        ))
    };
    let target = other.ok_or_else(unknown)?;
    let company = app
        .store
        .get(&keys::company(target.company_id))
        .await?
        .ok_or_else(unknown)?;
    let mut endpoints = EventEndpoints::default();
    endpoints.insert(of_events.0);
    endpoints.insert(of_events.1);
    Ok(Parties {
        source,
        target: (target, company),
        invitations,
        endpoints,
    })
}

/// Seals static headers for storage, bound to their connection.
pub(crate) fn seal_headers(app: &App, id: ConnectionId, text: &[u8]) -> Sealed {
    let sealed = app
        .sealer
        .seal(Purpose::CallbackHeaders, &id.to_string(), text);
    sealed.into()
}

/// Seals a signing secret for storage, bound to its connection.
pub(crate) fn seal_secret(app: &App, id: ConnectionId, secret: &SecretString) -> Sealed {
    let sealed = app.sealer.seal(
        Purpose::SigningSecret,
        &id.to_string(),
        secret.expose_secret().as_bytes(),
    );
    sealed.into()
}
