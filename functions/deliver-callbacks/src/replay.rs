//! Runs one step of a replay job: some callbacks, their endpoints and the job's progress, in one transaction.

use std::collections::BTreeSet;

use tandem_domain::Timestamp;
use tandem_domain::callback::{Callback, Endpoint};
use tandem_domain::ids::{CallbackId, ClientId, ReplayId};
use tandem_domain::replay::{ReplayJob, STEP};
use tandem_domain::request_id::RequestId;
use tandem_runtime::Clock;
use tandem_store::{Entity, Store, StoreError, Transaction, keys};

const STEP_ATTEMPTS: usize = 12;

/// A step that is ready to commit.
pub(crate) struct ReplayStep {
    transaction: Transaction,
    /// The job after the step.
    job: ReplayJob,
}

/// Runs the job's next step, if it is due.
pub(crate) async fn step(
    store: &Store,
    clock: &Clock,
    client_id: ClientId,
    replay_id: ReplayId,
) -> anyhow::Result<()> {
    // A conflict means that another worker ran the step, or that a client replayed one of its callbacks.
    let step = store.until_committed(STEP_ATTEMPTS, async |_| {
        let job = store.get(&keys::replay(client_id, replay_id)).await?;
        let now = clock.now();
        let Some(job) = job.filter(|job| job.due_at().is_some_and(|due_at| due_at <= now)) else {
            return Ok((Transaction::default(), None));
        };
        let step = ReplayStep::prepare(store, job, now).await?;
        Ok::<_, anyhow::Error>((step.transaction, Some(step.job)))
    });
    if let Some(job) = step.await? {
        tracing::info!(
            replay = %job.id,
            request = job.request.as_ref().map(RequestId::as_str),
            found = job.found,
            replayed = job.replayed,
            state = %job.status(),
            "replayed a step"
        );
    }
    Ok(())
}

impl ReplayStep {
    async fn prepare(store: &Store, job: ReplayJob, now: Timestamp) -> Result<Self, StoreError> {
        let since = job
            .selection
            .since
            .map(|since| CallbackId::first_of(since).to_string());
        let list = keys::callbacks_of(job.client_id).between(since, None);
        let page = store
            .page(&list, job.cursor.as_deref(), STEP, |row| job.wants(row))
            .await?;
        let callbacks = reread(store, &job, &page.items).await?;

        let mut transaction = Transaction::default();
        enable_endpoints(store, &job, &callbacks, &mut transaction).await?;
        let (found, replayed) = (page.items.len(), callbacks.len());
        for callback in callbacks {
            transaction.replace(&callback.replay(now))?;
        }
        let job = job.step(found, replayed, page.next, now);
        transaction.replace(&job)?;
        Ok(Self { transaction, job })
    }
}

/// Reads the callbacks of a page consistently, because the list may lag behind, and keeps those the job still wants.
async fn reread(
    store: &Store,
    job: &ReplayJob,
    page: &[Callback],
) -> Result<Vec<Callback>, StoreError> {
    let mut rows = store.load_all(page.iter().map(Entity::key)).await?;
    let current = page.iter().filter_map(|row| rows.remove(&row.key()));
    Ok(current.filter(|callback| job.wants(callback)).collect())
}

/// Enables the disabled endpoints: a client that asks for a replay says that they work again.
async fn enable_endpoints(
    store: &Store,
    job: &ReplayJob,
    callbacks: &[Callback],
    transaction: &mut Transaction,
) -> Result<(), StoreError> {
    let endpoints: BTreeSet<Endpoint> = callbacks.iter().map(Callback::endpoint).collect();
    let keys: Vec<_> = endpoints.into_iter().map(keys::endpoint_health).collect();
    let healths = store.load_all(keys.clone()).await?;
    for health in keys.iter().filter_map(|key| healths.get(key)) {
        if job.enables(health) {
            transaction.remove(health);
        }
    }
    Ok(())
}
