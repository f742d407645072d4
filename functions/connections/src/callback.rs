//! Routes of the callback settings: rotate the signing secret, send a test event.

use secrecy::ExposeSecret;
use serde_json::json;
use tandem_api::announce::seal;
use tandem_api::idempotency::idempotent;
use tandem_api::requested_callbacks;
use tandem_api::views;
use tandem_api::{Answer, App, ClientCaller, Decision, IdempotencyKey, Problem, Request};
use tandem_domain::callback::{Announcement, EventType};
use tandem_domain::connection::{ConnectionError, SECRET_OVERLAP};
use tandem_domain::requested_callbacks::CallbackRequest;
use tandem_sealing::new_webhook_secret;
use tandem_store::Transaction;

use crate::change::{consequences, load};
use crate::invite::seal_secret;

/// Generates a new secret, shown once. The previous one keeps signing for a day.
pub(crate) async fn rotate(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let body = request.empty_body()?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        let (connection, side) = load(app, request, caller).await?;
        let secret = new_webhook_secret();
        let sealed = seal_secret(app, connection.id, &secret);
        let change = connection.rotate_secret(sealed, side, app.now())?;
        let mut transaction = Transaction::default();
        transaction.replace(&change.connection)?;
        consequences(app, &mut transaction, &change).await?;
        let answer = json!({
            "secret": secret.expose_secret(),
            "previousValidUntil": app.now().saturating_add(SECRET_OVERLAP).unwrap_or(tandem_domain::Timestamp::MAX),
        });
        let answer = Answer::ok(answer).showing(&secret);
        Ok(Decision::Commit(transaction, answer))
    })
    .await
}

/// Sends a `connection.test` event. It is delivered and logged like any other.
pub(crate) async fn test(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let body = request.empty_body()?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        let (connection, side) = load(app, request, caller).await?;
        connection.may_edit(side)?;
        if connection.callback.is_none() {
            return Err(ConnectionError::CallbackWithinCompany.into());
        }
        let announcement = Announcement {
            client_id: caller.id,
            connection_id: Some(connection.id),
            order_id: None,
            subscription_id: None,
            event: EventType::ConnectionTest,
            data: json!({"connectionId": connection.id}),
        };
        let callback = seal(app, &mut app.ids(), announcement);
        let mut transaction = Transaction::default();
        transaction.create(&callback)?;
        requested_callbacks::count(app, caller, CallbackRequest::Test, &mut transaction).await?;
        let shown = views::callback::summary(&callback);
        Ok(Decision::Commit(
            transaction,
            Answer {
                location: Some(format!("/v1/callbacks/{}", callback.id)),
                ..Answer::json(202, shown)
            },
        ))
    })
    .await
}
