//! Lists and reads connections. Each side sees its own role.

use tandem_api::paging::Paging;
use tandem_api::views::connection as view;
use tandem_api::{Answer, App, ClientCaller, Problem, Request};
use tandem_domain::connection::{Connection, ConnectionStatus, Side};
use tandem_store::keys;

use crate::change::load;

/// Newest history lines shown with a connection.
const SHOWN_HISTORY: usize = 100;

pub(crate) async fn list(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let mut query = request.query();
    let role = query.optional("role", Side::parse);
    let status = query.optional("status", ConnectionStatus::parse);
    let paging = Paging::read(app, request, query)?;
    let sides = role.map_or_else(|| vec![Side::Source, Side::Target], |side| vec![side]);
    let collections: Vec<_> = sides
        .into_iter()
        .map(|side| keys::connections_of(caller.id, side))
        .collect();
    let keep =
        |connection: &Connection| status.is_none_or(|status| connection.state.status() == status);
    let page = app
        .store
        .merged_page(&collections, paging.after.as_deref(), paging.limit, keep)
        .await?;
    Ok(paging.answer(app, page, |connection| {
        let side = connection.side_of(caller.id).unwrap_or(Side::Target);
        view::summary(&connection, side)
    }))
}

pub(crate) async fn read(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let (connection, side) = load(app, request, caller).await?;
    let history = app
        .store
        .page(
            &keys::history_of(connection.id),
            None,
            SHOWN_HISTORY,
            |_| true,
        )
        .await?;
    let (mut health, mut mail) = (None, None);
    if side == Side::Source {
        let keys = (
            keys::endpoint_health(connection.id),
            keys::invitation_mail(connection.id),
        );
        (health, mail) = app.store.load(keys).await?;
    }
    Ok(Answer::ok(view::full(
        &connection,
        side,
        &history.items,
        health.as_ref(),
        mail.as_ref(),
    )))
}
