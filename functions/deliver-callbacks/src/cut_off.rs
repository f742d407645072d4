//! Records the attempt of a worker that died, when no new attempt follows at once.

use tandem_domain::callback::{Attempt, Callback};
use tandem_store::rows::AttemptRow;
use tandem_store::{CommitError, Store, StoreError, Transaction};

use crate::mails;
use crate::record::count;

/// Writes the callback with the attempt, and a mail if that attempt was the last.
pub(crate) async fn record(
    store: &Store,
    mut callback: Callback,
    attempt: Attempt,
) -> anyhow::Result<()> {
    let mut transaction = Transaction::default();
    write(&mut transaction, &mut callback, Some(attempt))?;
    let kinds = mails::exhausted(&callback).into_iter().collect();
    let (client_id, now) = (callback.client_id, callback.updated_at);
    mails::add(&mut transaction, store, client_id, kinds, now).await?;
    transaction.caused_by(callback.request.as_ref())?;
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

/// Adds the callback with an attempt in its log, or with the attempt's own row.
pub(crate) fn write(
    transaction: &mut Transaction,
    callback: &mut Callback,
    attempt: Option<Attempt>,
) -> Result<(), StoreError> {
    if let Some(attempt) = attempt.and_then(|attempt| callback.log(attempt)) {
        transaction.create(&AttemptRow {
            client_id: callback.client_id,
            callback_id: callback.id,
            attempt,
        })?;
    }
    transaction.replace(callback)
}
