//! Mails an invitation again, within the limit of invitations.

use tandem_api::idempotency::idempotent;
use tandem_api::views::connection as view;
use tandem_api::{Answer, App, ClientCaller, Decision, IdempotencyKey, Problem, Request};
use tandem_store::{Transaction, keys};

use crate::change::{consequences, load};
use crate::invite::{check_limit, count_invitation};

/// The status of the mail before is forgotten: it may have bounced at another address.
pub(crate) async fn resend(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let body = request.empty_body()?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        let (connection, side) = load(app, request, caller).await?;
        let change = connection.resend_invitation(side, app.now())?;
        let before = (
            keys::invitations(caller.id),
            keys::invitation_mail(change.connection.id),
        );
        let (invitations, mail) = app.store.load(before).await?;
        check_limit(app, invitations.as_ref())?;
        let mut transaction = Transaction::default();
        transaction.replace(&change.connection)?;
        count_invitation(app, &mut transaction, caller, invitations)?;
        if let Some(mail) = &mail {
            transaction.remove(mail);
        }
        consequences(app, &mut transaction, &change).await?;
        let answer = Answer::ok(view::summary(&change.connection, side));
        Ok(Decision::Commit(transaction, answer))
    })
    .await
}
