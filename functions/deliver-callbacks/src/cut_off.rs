//! Records the attempt of a worker that died, when no new attempt follows at once.

use tandem_domain::callback::{Attempt, Callback};
use tandem_store::rows::AttemptRow;
use tandem_store::{CommitError, Store, Transaction};

use crate::mails;
use crate::record::count;

/// Writes the callback and the attempt, and a mail if that attempt was the last.
pub(crate) async fn record(
    store: &Store,
    callback: Callback,
    attempt: Attempt,
) -> anyhow::Result<()> {
    let mut transaction = Transaction::default();
    transaction.replace(&callback)?;
    transaction.create(&row(&callback, attempt))?;
    let kinds = mails::exhausted(&callback).into_iter().collect();
    let (client_id, now) = (callback.client_id, callback.updated_at);
    mails::add(&mut transaction, store, client_id, kinds, now).await?;
    match store.commit(transaction).await {
        Ok(()) => {
            count(&callback, now);
            Ok(())
        }
        // Another worker has recorded the attempt.
        Err(CommitError::Conflict(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn row(callback: &Callback, attempt: Attempt) -> AttemptRow {
    AttemptRow {
        client_id: callback.client_id,
        callback_id: callback.id,
        attempt,
    }
}
