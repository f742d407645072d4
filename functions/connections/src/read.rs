//! Lists and reads connections. Each side sees its own role.

use futures::future;
use tandem_api::paging::Paging;
use tandem_api::views::connection::{self as view, History, SHOWN_HISTORY};
use tandem_api::{Answer, App, ClientCaller, Code, Problem, Request};
use tandem_domain::connection::{Connection, ConnectionStatus, Side};
use tandem_domain::endpoint_health::EndpointHealth;
use tandem_domain::ids::ConnectionId;
use tandem_domain::invitation_mail::InvitationMail;
use tandem_store::{Store, StoreError, keys};

use crate::change::load;

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
    let id = connection.id;
    let details = || Details::load(&app.store, id, side);
    let found = app.store.as_of_one_moment(connection, details).await?;
    let (connection, details) = found.ok_or_else(|| Problem::missing(Code::ConnectionNotFound))?;
    Ok(Answer::ok(view::full(
        &connection,
        side,
        &details.history,
        details.health.as_ref(),
        details.mail.as_ref(),
    )))
}

/// Rows of a connection that its reader sees with it.
struct Details {
    history: History,
    /// For the source only.
    health: Option<EndpointHealth>,
    mail: Option<InvitationMail>,
}

impl Details {
    async fn load(store: &Store, id: ConnectionId, side: Side) -> Result<Self, StoreError> {
        let (changes, terms) = (keys::history_of(id), keys::terms_of(id));
        let (changes, terms) = future::try_join(
            store.page(&changes, None, SHOWN_HISTORY, |_| true),
            store.page(&terms, None, SHOWN_HISTORY, |_| true),
        )
        .await?;
        let (mut health, mut mail) = (None, None);
        if side == Side::Source {
            let keys = (keys::endpoint_health(id), keys::invitation_mail(id));
            (health, mail) = store.load(keys).await?;
        }
        Ok(Self {
            history: History {
                changes: changes.items,
                terms: terms.items,
            },
            health,
            mail,
        })
    }
}
