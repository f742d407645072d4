//! Moves and edits of a connection. One transaction writes the connection, a line of its history and the mail to the other side.

use tandem_api::idempotency::idempotent;
use tandem_api::views::connection as view;
use tandem_api::{Answer, App, ClientCaller, Code, Decision, IdempotencyKey, Problem, Request};
use tandem_domain::connection::{
    Change, Connection, ConnectionEdit, ConnectionError, Side, Transition, modules_are_on,
};
use tandem_domain::ids::{ConnectionId, MailId};
use tandem_domain::mail::Mail;
use tandem_domain::tenancy::Client;
use tandem_domain::{IdSource, Timestamp};
use tandem_store::rows::HistoryRow;
use tandem_store::{StoreError, Transaction, keys};

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
        let to = match &change.mail {
            Some((to, _)) => {
                app.store
                    .get(&keys::client(connection.party(*to).client_id))
                    .await?
            }
            None => None,
        };
        rows_of(
            &mut transaction,
            &change,
            |_| to.as_ref(),
            app.now(),
            &mut app.ids(),
        )?;
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
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        let (connection, side) = load(app, request, caller).await?;
        let change = connection.clone().edit(edit.clone(), side, app.now())?;
        if change.entry.changes.is_empty() {
            // The history records changes only, so an edit without effect writes nothing.
            return Ok(Decision::answered(Answer::ok(view::summary(
                &connection,
                side,
            ))));
        }
        let mut transaction = Transaction::default();
        transaction.replace(&change.connection)?;
        // A new address is a new endpoint; the failures of the old one do not count for it.
        if edit.callback_url.is_some()
            && let Some(health) = app
                .store
                .get(&keys::endpoint_health(change.connection.id))
                .await?
        {
            transaction.remove(&health);
        }
        rows_of(
            &mut transaction,
            &change,
            |_| None,
            app.now(),
            &mut app.ids(),
        )?;
        Ok(Decision::Commit(
            transaction,
            Answer::ok(view::summary(&change.connection, side)),
        ))
    })
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

/// Adds the history line of a change and its mail, if any.
pub(crate) fn rows_of<'a>(
    transaction: &mut Transaction,
    change: &Change,
    client: impl FnOnce(Side) -> Option<&'a Client>,
    now: Timestamp,
    ids: &mut dyn IdSource,
) -> Result<(), StoreError> {
    transaction.create(&HistoryRow {
        connection_id: change.connection.id,
        entry: change.entry.clone(),
    })?;
    if let Some((side, kind)) = &change.mail
        && let Some(to) = client(*side)
    {
        transaction.create(&Mail::new(MailId::generate(ids), to, kind.clone(), now))?;
    }
    Ok(())
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
