//! Records a finished attempt: its log entry, the callback, the endpoint's health and the mails, in one transaction.

use tandem_domain::Timestamp;
use tandem_domain::callback::{Callback, CallbackState, RetrySchedule};
use tandem_domain::endpoint_health::Change;
use tandem_domain::request_id::RequestId;
use tandem_runtime::logs;
use tandem_runtime::metrics::{self, Metric};
use tandem_store::{CommitError, Store, StoreError, TooManyConflicts, Transaction, keys};

use crate::attempt::FinishedAttempt;
use crate::endpoint::EndpointSnapshot;
use crate::{Worker, circuit, cut_off, mails};

/// Attempts to write the record while others change the endpoint's health. About five failures open the circuit; after that
/// only the probe writes the row.
const RECORD_ATTEMPTS: usize = 12;

/// Writes the attempt and the callback after it. If another attempt changed the endpoint's health meanwhile, the change is
/// computed again from the new health.
pub(crate) async fn record(
    worker: &Worker,
    attempt: FinishedAttempt,
    endpoint: EndpointSnapshot,
) -> anyhow::Result<()> {
    let (store, schedule) = (&worker.store, &worker.schedule);
    let key = keys::callback(attempt.callback.client_id, attempt.callback.id);
    let written = store.until_committed(RECORD_ATTEMPTS, async |conflict| {
        let endpoint = match conflict {
            None => endpoint.clone(),
            // The lease expired and another worker took over. Its record counts.
            Some(conflict) if conflict.concerns(&key) => return Ok((Transaction::default(), None)),
            Some(_) => endpoint.clone().reload(store).await?,
        };
        let change = attempt.change(&endpoint);
        let mut callback = attempt.callback_after(&change, schedule);
        let transaction = rows(store, &attempt, &mut callback, &endpoint, &change).await?;
        let moved = circuit::moved(endpoint.health.as_ref(), &change);
        Ok((transaction, Some((callback, change, moved))))
    });
    let written = match written.await {
        // We keep losing the race for this row; the winners have recorded the state.
        Err(error) if anyhow::Error::is::<TooManyConflicts>(&error) => {
            record_without_health(store, schedule, &attempt, &endpoint).await?
        }
        written => written?,
    };
    if let Some((callback, change, moved)) = written {
        if change != Change::None {
            worker.endpoints.forget(callback.endpoint());
        }
        trace(&attempt, &callback, &change);
        count(&callback, attempt.finished_at);
        circuit::count(moved, attempt.finished_at);
    }
    Ok(())
}

async fn record_without_health(
    store: &Store,
    schedule: &RetrySchedule,
    attempt: &FinishedAttempt,
    endpoint: &EndpointSnapshot,
) -> anyhow::Result<Option<(Callback, Change, Option<Metric>)>> {
    let change = Change::None;
    let mut callback = attempt.callback_after(&change, schedule);
    let transaction = rows(store, attempt, &mut callback, endpoint, &change).await?;
    match store.commit(transaction).await {
        Ok(()) => Ok(Some((callback, change, None))),
        Err(CommitError::Conflict(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn rows(
    store: &Store,
    attempt: &FinishedAttempt,
    callback: &mut Callback,
    endpoint: &EndpointSnapshot,
    change: &Change,
) -> Result<Transaction, StoreError> {
    let mut transaction = Transaction::default();
    cut_off::write(&mut transaction, callback, Some(attempt.log.clone()))?;
    match change {
        Change::None => {}
        Change::Recovered => endpoint.delete_health(&mut transaction),
        Change::Updated(health) | Change::Warned(health) | Change::Disabled(health) => {
            endpoint.write_health(health, &mut transaction)?;
        }
    }
    let kinds = mails::after_attempt(callback, endpoint.health.as_ref(), change);
    let (client_id, now) = (callback.client_id, attempt.finished_at);
    mails::add(&mut transaction, store, client_id, kinds, now).await?;
    transaction.caused_by(callback.request.as_ref())?;
    Ok(transaction)
}

/// Counts an attempt by its outcome.
pub(crate) fn count(callback: &Callback, now: Timestamp) {
    let is_first = callback.attempts == 1;
    metrics::count(&outcome(&callback.state, is_first), now);
}

/// Of a delivery at the first attempt, the template counts the line of the log.
fn outcome(state: &CallbackState, is_first: bool) -> [(Metric, u32); 3] {
    let is_delivered = matches!(state, CallbackState::Delivered { .. });
    let is_exhausted = matches!(state, CallbackState::Exhausted { .. });
    [
        (
            Metric::CallbacksDeliveredLater,
            u32::from(is_delivered && !is_first),
        ),
        (
            Metric::CallbackFirstAttemptsFailed,
            u32::from(!is_delivered && is_first),
        ),
        (Metric::CallbacksExhausted, u32::from(is_exhausted)),
    ]
}

fn trace(attempt: &FinishedAttempt, callback: &Callback, change: &Change) {
    let request = callback.request.as_ref().map(RequestId::as_str);
    let delay_ms = attempt.start_delay_ms();
    if attempt.log.number == 1 && matches!(callback.state, CallbackState::Delivered { .. }) {
        // The usual line, without the span of the call: its bytes are most of the log's cost.
        tracing::info!(
            target: logs::SHORT,
            callback = %callback.id,
            request,
            status_code = attempt.log.status_code,
            duration_ms = attempt.log.duration_ms,
            delay_ms,
            "delivered"
        );
        return trace_change(callback, change);
    }
    tracing::info!(
        callback = %callback.id,
        endpoint = %callback.endpoint(),
        request,
        attempt = attempt.log.number,
        status_code = attempt.log.status_code,
        error = attempt.log.error,
        duration_ms = attempt.log.duration_ms,
        delay_ms,
        state = callback.state.as_str(),
        "attempted"
    );
    trace_change(callback, change);
}

fn trace_change(callback: &Callback, change: &Change) {
    let endpoint = callback.endpoint();
    match change {
        Change::None | Change::Updated(_) => {}
        Change::Recovered => tracing::info!(%endpoint, "an endpoint accepts callbacks again"),
        Change::Warned(_) => tracing::warn!(%endpoint, "an endpoint has failed for days"),
        Change::Disabled(_) => tracing::warn!(%endpoint, "an endpoint is disabled"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(state: CallbackState, is_first: bool) -> Vec<&'static str> {
        outcome(&state, is_first)
            .into_iter()
            .filter(|(_, count)| *count == 1)
            .map(|(metric, _)| metric.name())
            .collect()
    }

    #[test]
    fn each_outcome_of_an_attempt_is_counted_once() {
        let at = Timestamp::UNIX_EPOCH;
        let delivered = CallbackState::Delivered { delivered_at: at };
        let exhausted = CallbackState::Exhausted { exhausted_at: at };
        let waiting = CallbackState::Waiting {
            step: 1,
            due_at: at,
        };
        for (state, first, later) in [
            (delivered, vec![], vec!["CallbacksDeliveredLater"]),
            (
                exhausted,
                vec!["CallbackFirstAttemptsFailed", "CallbacksExhausted"],
                vec!["CallbacksExhausted"],
            ),
            (waiting, vec!["CallbackFirstAttemptsFailed"], vec![]),
        ] {
            assert_eq!(counted(state, true), first);
            assert_eq!(counted(state, false), later);
        }
    }
}
