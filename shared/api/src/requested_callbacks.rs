//! Counts the callbacks that a client requests, in the request's own transaction.

use tandem_domain::requested_callbacks::{CallbackRequest, RequestedCallbacks};
use tandem_store::{Transaction, keys};

use crate::app::App;
use crate::caller::ClientCaller;
use crate::problem::{Code, Problem};

/// Adds the count to the transaction.
///
/// # Errors
/// The client has to wait, or the table is not available.
pub async fn count(
    app: &App,
    caller: ClientCaller,
    request: CallbackRequest,
    transaction: &mut Transaction,
) -> Result<(), Problem> {
    let before = app.store.get(&keys::requested_callbacks(caller.id)).await?;
    let is_first = before.is_none();
    let counted = before
        .unwrap_or_else(|| RequestedCallbacks::none(caller.id))
        .count(request, app.now())
        .map_err(|refusal| {
            Problem::wait(Code::TooManyCallbacks, refusal.to_string(), refusal.wait)
        })?;
    if is_first {
        transaction.create(&counted)?;
    } else {
        transaction.replace(&counted)?;
    }
    Ok(())
}
