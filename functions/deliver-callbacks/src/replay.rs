//! A step of a replay job: some callbacks, what is known of their endpoints, and how far the job is, in one transaction.

use std::collections::BTreeSet;
use std::time::Duration;

use tandem_domain::callback::{Callback, Endpoint};
use tandem_domain::ids::{CallbackId, ClientId, ReplayId};
use tandem_domain::replay::{PAUSE, ReplayJob, STEP};
use tandem_queue::Message;
use tandem_store::{CommitError, Entity, StoreError, Transaction, keys};

use crate::{MOST_TRIES, Worker};

impl Worker {
    /// Makes the step that is due. Its callbacks come back by the stream, its next step by the queue, and all by the sweep.
    pub(crate) async fn replay(&self, message: &Message) -> anyhow::Result<()> {
        let (client, id): (ClientId, ReplayId) = message.ids()?;
        for _ in 0..MOST_TRIES {
            let Some(job) = self.store.get(&keys::replay(client, id)).await? else {
                return Ok(());
            };
            if job.due_at().is_none_or(|due| due > self.clock.now()) {
                return Ok(());
            }
            let (transaction, job) = self.step(job).await?;
            match self.store.commit(transaction).await {
                Ok(()) => {
                    tracing::info!(replay = %job.id, found = job.found, replayed = job.replayed, state = job.word(), "a step");
                    self.next_step(message, &job).await;
                    return Ok(());
                }
                // Another worker made the step, or somebody replays one of its callbacks: look again.
                Err(CommitError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        anyhow::bail!("others were always faster")
    }

    async fn step(&self, job: ReplayJob) -> Result<(Transaction, ReplayJob), StoreError> {
        let since = job
            .selection
            .since
            .map(|since| CallbackId::first_of(since).to_string());
        let list = keys::callbacks_of(job.client_id).between(since, None);
        let page = self
            .store
            .page(&list, job.cursor.as_deref(), STEP, |callback| {
                job.wants(callback)
            })
            .await?;
        // The list may be behind: what is decided rests on the rows.
        let mut rows = self
            .store
            .load_all(page.items.iter().map(Entity::key))
            .await?;
        let found = page.items.iter().filter_map(|row| rows.remove(&row.key()));
        let callbacks: Vec<Callback> = found.filter(|callback| job.wants(callback)).collect();
        let mut transaction = Transaction::default();
        self.enable(&job, &callbacks, &mut transaction).await?;
        let now = self.clock.now();
        let (found, replayed) = (page.items.len(), callbacks.len());
        for callback in callbacks {
            transaction.replace(&callback.replay(now))?;
        }
        let job = job.step(found, replayed, page.next, now);
        transaction.replace(&job)?;
        Ok((transaction, job))
    }

    /// Asking for a replay says that the endpoints are there again.
    async fn enable(
        &self,
        job: &ReplayJob,
        callbacks: &[Callback],
        transaction: &mut Transaction,
    ) -> Result<(), StoreError> {
        let endpoints: BTreeSet<Endpoint> = callbacks.iter().map(Callback::endpoint).collect();
        let endpoints: Vec<_> = endpoints.into_iter().map(keys::endpoint_health).collect();
        let healths = self.store.load_all(endpoints.clone()).await?;
        for key in &endpoints {
            if let Some(health) = healths.get(key).filter(|health| job.enables(health)) {
                transaction.remove(health);
            }
        }
        Ok(())
    }

    async fn next_step(&self, message: &Message, job: &ReplayJob) {
        if job.due_at().is_some() {
            let pause = Duration::try_from(PAUSE).unwrap_or_default();
            if let Err(error) = self.queue.send(std::slice::from_ref(message), pause).await {
                tracing::warn!(replay = %job.id, %error, "the next step is left to the sweep");
            }
        }
    }
}
