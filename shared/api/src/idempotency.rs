//! Commits decisions, and gives a repeated request the stored answer of the first one (`Idempotency-Key`).
//!
//! One transaction writes the effect and the answer, so neither exists without the other. If two requests with the same key
//! run at once, the second transaction fails on the record's row, and its request gets the stored answer. A failed request
//! writes nothing and is decided again when it is repeated.
//!
//! An answer with a customer's data is sealed under that customer's key. After the customer is erased, the stored answer
//! cannot be opened, and the repeated request gets 404.

mod canonical;

use std::future::Future;

use jiff::SignedDuration;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tandem_domain::request_id::RequestId;
use tandem_sealing::{Purpose, Text, sha256_hex, sha256_start};
use tandem_store::rows::IdempotencyRecord;
use tandem_store::{Conflict, Key, TooManyConflicts, Transaction, keys};

use crate::answer::{Answer, Content};
use crate::app::App;
use crate::problem::{Code, Problem};
use crate::request::Request;
use canonical::canonical;

/// Time for which an answer is stored: the promised 72 hours and one to spare.
const KEPT: SignedDuration = SignedDuration::from_hours(73);
/// Each attempt is one round of reads; there is no pause between them.
const CONFLICT_ATTEMPTS: usize = 6;

/// The outcome of a request before the commit.
#[derive(Debug)]
pub enum Decision {
    /// Commit the transaction, then give the answer.
    Commit(Transaction, Answer),
    /// Reject the request, but commit the transaction: it records the rejection, for example a wrong guess.
    Refuse(Transaction, Problem),
    /// Give the stored answer of an earlier request with the same key.
    Stored(IdempotencyRecord),
}

impl Decision {
    /// Answers without a change to the table, apart from the stored answer.
    pub fn answered(answer: Answer) -> Self {
        Self::Commit(Transaction::default(), answer)
    }
}

/// The `Idempotency-Key` of a request, bound to its caller, route, path and body, with the request's id. The key is empty if the
/// caller sent none.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    identity: Option<Identity>,
    /// The rows of the transaction that follow from the request keep its id.
    request: Option<RequestId>,
}

#[derive(Debug, Clone)]
struct Identity {
    caller: String,
    scope: String,
    fingerprint: Fingerprint,
}

/// Of a request's canonical body: equal bodies have equal fingerprints. It is stored with the answer, sealed, since a body may
/// name a person, and names can be guessed from a plain hash.
type Fingerprint = [u8; FINGERPRINT];
const FINGERPRINT: usize = 16;

const SEND_A_KEY: &str = "send the header Idempotency-Key with a value of your own, e.g. a UUID; send the same value when you repeat the request";

impl IdempotencyKey {
    /// Reads the key of a route that does not require one.
    pub fn of(request: &Request, body: &Value) -> Result<Self, Problem> {
        Self::of_edit(request, body, &[])
    }

    /// [`Self::of`] a body in which `null` clears these members. In all other members it means the same as their absence.
    pub fn of_edit(request: &Request, body: &Value, clearable: &[&str]) -> Result<Self, Problem> {
        let identity = request.idempotency_key()?.map(|key| Identity {
            caller: request.caller.name(),
            scope: sha256_hex(format!("{}\n{}\n{key}", request.route, request.path()).as_bytes()),
            fingerprint: sha256_start(canonical(body, clearable).as_bytes()),
        });
        Ok(Self {
            identity,
            request: request.id.parse().ok(),
        })
    }

    /// Reads the key of a route that requires one.
    pub fn required(request: &Request, body: &Value) -> Result<Self, Problem> {
        Self::or_refuse(request, body, SEND_A_KEY.to_owned())
    }

    /// Reads the key of a request that requires one for lack of an `alternative`, such as "or name the periodNumber".
    pub fn or_alternative(
        request: &Request,
        body: &Value,
        alternative: &str,
    ) -> Result<Self, Problem> {
        Self::or_refuse(request, body, format!("{SEND_A_KEY}; {alternative}"))
    }

    /// Refuses a request without a key, where the rows show that the request needs one.
    pub fn refuse_absence(&self) -> Result<(), Problem> {
        match self.identity {
            Some(_) => Ok(()),
            None => Err(Problem::new(Code::IdempotencyKeyRequired, SEND_A_KEY)),
        }
    }

    fn or_refuse(request: &Request, body: &Value, detail: String) -> Result<Self, Problem> {
        let key = Self::of(request, body)?;
        if key.identity.is_none() {
            return Err(Problem::new(Code::IdempotencyKeyRequired, detail));
        }
        Ok(key)
    }

    /// The key of the record's row, for operations that load it together with other rows.
    pub fn row(&self) -> Option<Key<IdempotencyRecord>> {
        self.identity
            .as_ref()
            .map(|identity| keys::idempotency(&identity.caller, &identity.scope))
    }

    /// Drops a record that has expired.
    pub fn unexpired(
        &self,
        app: &App,
        record: Option<IdempotencyRecord>,
    ) -> Option<IdempotencyRecord> {
        record.filter(|record| record.valid_until > app.now())
    }

    async fn load(&self, app: &App) -> Result<Option<IdempotencyRecord>, Problem> {
        match self.row() {
            None => Ok(None),
            Some(row) => Ok(self.unexpired(app, app.store.get(&row).await?)),
        }
    }

    /// Loads the record of the same request if its commit caused the conflict.
    async fn stored_meanwhile(
        &self,
        app: &App,
        conflict: Option<Conflict>,
    ) -> Result<Option<IdempotencyRecord>, Problem> {
        match (self.row(), conflict) {
            (Some(row), Some(conflict)) if conflict.concerns(&row) => self.load(app).await,
            _ => Ok(None),
        }
    }

    async fn stored_answer(
        &self,
        app: &App,
        record: &IdempotencyRecord,
    ) -> Result<Answer, Problem> {
        let corrupt = || {
            Problem::new(
                Code::Internal,
                "the stored answer is corrupt; the request had its effect once",
            )
        };
        let bound_to = record_name(&record.caller, &record.scope);
        let sealer = match record.concerned {
            None => app.sealer.clone(),
            Some(concerned) => app
                .load_customer_sealer(concerned)
                .await?
                .ok_or_else(Problem::erased)?,
        };
        let stored = sealer
            .open(Purpose::IdempotentAnswer, &bound_to, &record.sealed_answer)
            .map_err(|_| corrupt())?;
        let (fingerprint, body) = stored
            .split_first_chunk::<FINGERPRINT>()
            .ok_or_else(corrupt)?;
        if self
            .identity
            .as_ref()
            .is_none_or(|identity| identity.fingerprint != *fingerprint)
        {
            let detail = "use a new Idempotency-Key for a new request, or repeat the request with its first body";
            return Err(Problem::new(Code::IdempotencyKeyReused, detail));
        }
        let body = serde_json::from_slice(body).map_err(|_| corrupt())?;
        Ok(Answer {
            repeated: true,
            location: record.location.clone(),
            ..Answer::json(record.status, Value::clone(&body))
        })
    }

    fn record(&self, app: &App, answer: &Answer) -> Option<IdempotencyRecord> {
        let identity = self.identity.as_ref()?;
        let body = match &answer.body {
            Content::Json(body) => body.to_string(),
            Content::Csv(_) => return None,
        };
        let sealer = answer
            .sealed_for
            .as_ref()
            .map_or(&app.sealer, |(_, personal)| personal);
        let shown = answer
            .secret
            .iter()
            .map(|secret| secret.expose_secret().as_bytes());
        let secrets: Vec<&[u8]> = std::iter::once(identity.fingerprint.as_slice())
            .chain(shown)
            .collect();
        let text = Text {
            octets: &[identity.fingerprint.as_slice(), body.as_bytes()].concat(),
            secrets: &secrets,
        };
        let bound_to = record_name(&identity.caller, &identity.scope);
        let sealed = sealer.seal_text(Purpose::IdempotentAnswer, &bound_to, &text);
        Some(IdempotencyRecord {
            caller: identity.caller.clone(),
            scope: identity.scope.clone(),
            status: answer.status,
            location: answer.location.clone(),
            concerned: answer.sealed_for.as_ref().map(|(concerned, _)| *concerned),
            sealed_answer: sealed.into(),
            valid_until: app
                .now()
                .saturating_add(KEPT)
                .unwrap_or(tandem_domain::Timestamp::MAX),
        })
    }
}

fn record_name(caller: &str, scope: &str) -> String {
    format!("{caller}#{scope}")
}

/// Gives the stored answer if there is one; otherwise decides and commits, see [`commit`].
pub async fn idempotent<F>(
    app: &App,
    key: &IdempotencyKey,
    decide: impl Fn() -> F + Send,
) -> Result<Answer, Problem>
where
    F: Future<Output = Result<Decision, Problem>> + Send,
{
    if let Some(record) = key.load(app).await? {
        return key.stored_answer(app, &record).await;
    }
    commit(app, key, decide).await
}

/// Decides and commits. Decides again if a row changed meanwhile. `decide` looks for the stored answer itself. After the last
/// conflict, only an answer that the same request stored meanwhile is left to give.
pub async fn commit<F>(
    app: &App,
    key: &IdempotencyKey,
    decide: impl Fn() -> F + Send,
) -> Result<Answer, Problem>
where
    F: Future<Output = Result<Decision, Problem>> + Send,
{
    let mut conflicts = 0;
    app.store
        .until_committed(CONFLICT_ATTEMPTS + 1, move |conflict| {
            conflicts += usize::from(conflict.is_some());
            let is_given_up = conflicts == CONFLICT_ATTEMPTS;
            let decided = decide();
            async move {
                if let Some(record) = key.stored_meanwhile(app, conflict).await? {
                    let repeated = key.stored_answer(app, &record).await;
                    return Ok((Transaction::default(), repeated));
                }
                if is_given_up {
                    let attempts = CONFLICT_ATTEMPTS;
                    return Err(TooManyConflicts { attempts }.into());
                }
                Ok::<_, Problem>(match prefer_stored(app, key, decided.await).await? {
                    Decision::Stored(record) => (
                        Transaction::default(),
                        key.stored_answer(app, &record).await,
                    ),
                    Decision::Refuse(transaction, problem) => (transaction, Err(problem)),
                    Decision::Commit(mut transaction, mut answer) => {
                        transaction.caused_by(key.request.as_ref())?;
                        answer.written = transaction.ids().into_iter().map(str::to_owned).collect();
                        if let Some(record) = key.record(app, &answer) {
                            transaction.create_over_expired(&record, app.now())?;
                        }
                        (transaction, Ok(answer))
                    }
                })
            }
        })
        .await?
}

/// Replaces a rejection by the stored answer, if the same request was answered meanwhile: its effect may be the reason for the
/// rejection.
async fn prefer_stored(
    app: &App,
    key: &IdempotencyKey,
    decided: Result<Decision, Problem>,
) -> Result<Decision, Problem> {
    match decided {
        Err(_) | Ok(Decision::Refuse(..)) => match key.load(app).await? {
            Some(record) => Ok(Decision::Stored(record)),
            None => decided,
        },
        commit => commit,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tandem_domain::callback_url::LocalTargets;
    use tandem_runtime::Clock;
    use tandem_sealing::{DataKey, Sealer};
    use tandem_store::Store;
    use tandem_testing::TestTable;

    use super::*;

    fn app(table: &TestTable) -> App {
        let data_key = DataKey::from_secret("a data key for tests, long enough for anyone");
        App {
            store: Store::new(table.client.clone(), table.table_name.clone()),
            sealer: Sealer::new(data_key.expect("long enough")),
            clock: Clock::fixed_at("2026-11-21T12:00:00Z".parse().expect("a time")),
            local_targets: LocalTargets::default(),
        }
    }

    fn key(scope: &str) -> IdempotencyKey {
        IdempotencyKey {
            identity: Some(Identity {
                caller: "operator".to_owned(),
                scope: scope.to_owned(),
                fingerprint: Fingerprint::default(),
            }),
            request: None,
        }
    }

    async fn store_answer(app: &App, key: &IdempotencyKey, body: &str) {
        let decide = async || Ok(Decision::answered(Answer::ok(body)));
        let answer = commit(app, key, decide).await.expect("committed");
        assert!(!answer.repeated);
    }

    /// Commits a request whose transactions always conflict. During attempt number `stored_at`, the same request is
    /// answered elsewhere. Returns the outcome and the number of attempts.
    async fn commit_in_conflict(stored_at: Option<usize>) -> (Result<Answer, Problem>, usize) {
        let table = TestTable::in_process();
        let (app, contested, own) = (app(&table), key("contested"), key("own"));
        store_answer(&app, &contested, "other").await;
        let attempts = AtomicUsize::new(0);
        let decide = async || {
            let attempt = attempts.fetch_add(1, Ordering::Relaxed) + 1;
            if Some(attempt) == stored_at {
                store_answer(&app, &own, "first").await;
            }
            let mut transaction = Transaction::default();
            let answer = Answer::ok("second");
            transaction.create(&contested.record(&app, &answer).expect("a record"))?;
            Ok(Decision::Commit(transaction, answer))
        };
        let outcome = commit(&app, &own, decide).await;
        (outcome, attempts.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn the_stored_answer_is_given_even_after_the_last_conflict() {
        for stored_at in 1..=CONFLICT_ATTEMPTS {
            let (outcome, attempts) = commit_in_conflict(Some(stored_at)).await;
            let answer = outcome.unwrap_or_else(|problem| panic!("{stored_at}: {problem:?}"));
            assert!(answer.repeated);
            assert_eq!(answer.body, Content::Json("first".into()));
            assert_eq!(attempts, stored_at);
        }
    }

    #[tokio::test]
    async fn after_the_last_conflict_the_caller_repeats_the_request() {
        let (outcome, attempts) = commit_in_conflict(None).await;
        assert_eq!(outcome.expect_err("conflicts").code, Code::Unavailable);
        assert_eq!(attempts, CONFLICT_ATTEMPTS);
    }
}
