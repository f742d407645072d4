//! Moves and edits of a connection. One transaction writes the connection, a line of its history, the mail to the other side, and
//! the events of both.

use tandem_api::client_events::EventEndpoints;
use tandem_api::idempotency::idempotent;
use tandem_api::views::connection as view;
use tandem_api::{Answer, App, ClientCaller, Code, Decision, IdempotencyKey, Problem, Request};
use tandem_domain::connection::{
    Change, Connection, ConnectionEdit, ConnectionError, Side, Transition, modules_are_on,
};
use tandem_domain::ids::{ConnectionId, MailId};
use tandem_domain::mail::Mail;
use tandem_domain::tenancy::Client;
use tandem_store::rows::HistoryRow;
use tandem_store::{StoreError, Transaction, keys};

use crate::invite::seal_headers;

pub(crate) async fn apply(
    app: &App,
    request: &Request,
    caller: ClientCaller,
    transition: Transition,
) -> Result<Answer, Problem> {
    let body = request.empty_body()?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        let (connection, side) = load(app, request, caller).await?;
        let change = connection.clone().apply(transition, side, app.now())?;
        if transition == Transition::Accept {
            companies_allow(app, &connection).await?;
        }
        let mut transaction = Transaction::default();
        transaction.replace(&change.connection)?;
        if !change.connection.state.is_live() {
            transaction.delete(&keys::pair(
                connection.source.client_id,
                connection.target.client_id,
            ));
        }
        consequences(app, &mut transaction, &change).await?;
        Ok(Decision::Commit(
            transaction,
            Answer::ok(view::summary(&change.connection, side)),
        ))
    })
    .await
}

pub(crate) async fn edit(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let body = request.json()?;
    let edit = ConnectionEdit::parse(&body, &app.local_targets)?;
    idempotent(
        app,
        &IdempotencyKey::of_edit(request, &body, ConnectionEdit::CLEARABLE)?,
        || async {
            let (connection, side) = load(app, request, caller).await?;
            let seal = |text: &[u8]| seal_headers(app, connection.id, text);
            let change = connection
                .clone()
                .edit(edit.clone(), seal, side, app.now())?;
            if change.entry.changes.is_empty() {
                // The history records changes only, so an edit without effect writes nothing.
                return Ok(Decision::answered(Answer::ok(view::summary(
                    &connection,
                    side,
                ))));
            }
            let mut transaction = Transaction::default();
            transaction.replace(&change.connection)?;
            // A new address is a new endpoint, and so are new headers; the failures of the old one do not count for it.
            if edit.changes_endpoint()
                && let Some(health) = app
                    .store
                    .get(&keys::endpoint_health(change.connection.id))
                    .await?
            {
                transaction.remove(&health);
            }
            consequences(app, &mut transaction, &change).await?;
            Ok(Decision::Commit(
                transaction,
                Answer::ok(view::summary(&change.connection, side)),
            ))
        },
    )
    .await
}

pub(crate) async fn load(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<(Connection, Side), Problem> {
    let id: ConnectionId = request.id_in_path("connectionId", Code::ConnectionNotFound)?;
    app.store
        .connection_of(caller.id, id)
        .await?
        .ok_or_else(|| Problem::missing(Code::ConnectionNotFound))
}

/// Loads the recipients of a change, and adds the rows that follow from it.
pub(crate) async fn consequences(
    app: &App,
    transaction: &mut Transaction,
    change: &Change,
) -> Result<(), Problem> {
    let mailed = change.mail.as_ref().map(|(side, _)| {
        let party = change.connection.party(*side);
        keys::client(party.client_id)
    });
    let events = change.events();
    let clients = events.iter().map(|event| event.client_id).collect();
    let mut batch = app.store.batch();
    if let Some(key) = &mailed {
        batch.add(key);
    }
    EventEndpoints::add_keys(&mut batch, &clients);
    let rows = batch.load().await?;
    let to = match &mailed {
        Some(key) => rows.get(key)?,
        None => None,
    };
    let endpoints = EventEndpoints::from_rows(&rows, &clients)?;
    Ok(rows_of(app, transaction, change, to.as_ref(), &endpoints)?)
}

/// Adds the history line of a change, its mail to the other side, if any, and its events.
pub(crate) fn rows_of(
    app: &App,
    transaction: &mut Transaction,
    change: &Change,
    mailed: Option<&Client>,
    endpoints: &EventEndpoints,
) -> Result<(), StoreError> {
    let mut ids = app.ids();
    transaction.create(&HistoryRow {
        connection_id: change.connection.id,
        entry: change.entry.clone(),
    })?;
    if let (Some((_, kind)), Some(to)) = (&change.mail, mailed) {
        let id = MailId::generate(&mut ids);
        transaction.create(&Mail::new(id, to, kind.clone(), app.now()))?;
    }
    endpoints.announce(app, &mut ids, transaction, None, change.events())
}

async fn companies_allow(app: &App, connection: &Connection) -> Result<(), Problem> {
    let (source, target) = (
        keys::company(connection.source.company_id),
        keys::company(connection.target.company_id),
    );
    match app.store.load((source, target)).await? {
        (Some(source), Some(target)) => Ok(modules_are_on(&source, &target)?),
        (None, _) => Err(ConnectionError::ModuleOff { side: Side::Source }.into()),
        (_, None) => Err(ConnectionError::ModuleOff { side: Side::Target }.into()),
    }
}
