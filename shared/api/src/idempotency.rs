//! Committing, and that it happens once.
//!
//! The answer of a request with an `Idempotency-Key` is written in the transaction that has the effect: there is no moment
//! at which one exists without the other. Of two requests with one key at once, one transaction fails on the record's row; the
//! loser reads the winner's answer. What failed wrote nothing and is decided anew when it comes again.
//!
//! An answer that holds a customer's data is sealed under that person's key: once the customer is erased, it cannot be given
//! again, and its repeat is told that there is no such customer.

use std::future::Future;

use jiff::SignedDuration;
use serde_json::Value;
use tandem_sealing::{Purpose, sha256_hex};
use tandem_store::rows::IdempotencyRecord;
use tandem_store::{CommitError, Key, Transaction};

use crate::answer::{Answer, Content};
use crate::app::App;
use crate::problem::{Code, Problem};
use crate::request::Request;

/// How long a key is known: 72 hours and one to spare.
const KEPT: SignedDuration = SignedDuration::from_hours(73);
/// How often a request decides anew when others were faster. Each try is a round of reads; nobody sleeps.
const MOST_TRIES: usize = 6;

/// What a request decided.
#[derive(Debug)]
pub enum Decision {
    /// To be written, and what is answered then.
    Commit(Transaction, Answer),
    /// To be written although the request is refused: what must be remembered of a refusal.
    Refuse(Transaction, Problem),
    /// An earlier request with the same key has the answer already.
    Stored(IdempotencyRecord),
}

impl Decision {
    /// Nothing is to be written.
    pub fn answered(answer: Answer) -> Self {
        Self::Commit(Transaction::default(), answer)
    }
}

/// The identity of a request for `Idempotency-Key`.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    key: Option<KeyOf>,
}

#[derive(Debug, Clone)]
struct KeyOf {
    caller: String,
    scope: String,
    fingerprint: String,
}

impl IdempotencyKey {
    /// For a route where the key may be absent.
    ///
    /// # Errors
    /// The key has the wrong form.
    pub fn of(request: &Request, body: &Value) -> Result<Self, Problem> {
        let key = request.idempotency_key()?.map(|key| KeyOf {
            caller: request.caller.name(),
            scope: sha256_hex(format!("{}\n{}\n{key}", request.route, request.path()).as_bytes()),
            fingerprint: sha256_hex(canonical(body).as_bytes()),
        });
        Ok(Self { key })
    }

    /// For a route where the key must be there.
    ///
    /// # Errors
    /// The key is absent or has the wrong form.
    pub fn required(request: &Request, body: &Value) -> Result<Self, Problem> {
        let key = Self::of(request, body)?;
        if key.key.is_none() {
            let detail = "send the header Idempotency-Key with a value of your own, e.g. a UUID, and the same one when you repeat";
            return Err(Problem::new(Code::IdempotencyKeyRequired, detail));
        }
        Ok(key)
    }

    /// The row of the key, for operations that read it together with other rows.
    pub fn row(&self) -> Option<Key<IdempotencyRecord>> {
        self.key
            .as_ref()
            .map(|key| IdempotencyRecord::key_of(&key.caller, &key.scope))
    }

    /// Whether a row that was found still counts.
    pub fn known(&self, app: &App, record: Option<IdempotencyRecord>) -> Option<IdempotencyRecord> {
        record.filter(|record| record.valid_until > app.now())
    }

    async fn find(&self, app: &App) -> Result<Option<IdempotencyRecord>, Problem> {
        match self.row() {
            None => Ok(None),
            Some(row) => Ok(self.known(app, app.store.get(&row).await?)),
        }
    }

    async fn replay(&self, app: &App, record: &IdempotencyRecord) -> Result<Answer, Problem> {
        if self
            .key
            .as_ref()
            .is_none_or(|key| kept_fingerprint(app, key) != record.fingerprint)
        {
            let detail = "use a new Idempotency-Key for another request, or repeat the first body";
            return Err(Problem::new(Code::IdempotencyKeyReused, detail));
        }
        let unreadable = || {
            Problem::new(
                Code::Internal,
                "the first answer cannot be read; the effect was not repeated",
            )
        };
        let bound_to = record_name(&record.caller, &record.scope);
        let sealer = match record.concerned {
            None => app.sealer.clone(),
            Some(concerned) => app.person(concerned).await?.ok_or_else(Problem::erased)?,
        };
        let body = sealer
            .open(Purpose::IdempotentAnswer, &bound_to, &record.sealed_answer)
            .map_err(|_| unreadable())?;
        let body = serde_json::from_slice(&body).map_err(|_| unreadable())?;
        Ok(Answer {
            replayed: true,
            location: record.location.clone(),
            ..Answer::json(record.status, Value::clone(&body))
        })
    }

    fn record(&self, app: &App, answer: &Answer) -> Option<IdempotencyRecord> {
        let key = self.key.as_ref()?;
        let body = match &answer.body {
            Content::Json(body) => body.to_string(),
            Content::Csv(_) => return None,
        };
        let sealer = answer
            .about
            .as_ref()
            .map_or(&app.sealer, |(_, personal)| personal);
        Some(IdempotencyRecord {
            caller: key.caller.clone(),
            scope: key.scope.clone(),
            fingerprint: kept_fingerprint(app, key),
            status: answer.status,
            location: answer.location.clone(),
            concerned: answer.about.as_ref().map(|(concerned, _)| *concerned),
            sealed_answer: sealer.seal(
                Purpose::IdempotentAnswer,
                &record_name(&key.caller, &key.scope),
                body.as_bytes(),
            ),
            valid_until: app
                .now()
                .saturating_add(KEPT)
                .unwrap_or(tandem_domain::Timestamp::MAX),
        })
    }
}

/// The fingerprint as the table holds it: a body may name a person, and what a person is called can be guessed. Without the
/// data key a guess cannot be checked.
fn kept_fingerprint(app: &App, key: &KeyOf) -> String {
    sha256_hex(
        &app.sealer
            .mac(Purpose::IdempotentAnswer, key.fingerprint.as_bytes()),
    )
}

fn record_name(caller: &str, scope: &str) -> String {
    format!("{caller}#{scope}")
}

/// Looks for an earlier answer, then decides and commits; see [`commit`].
///
/// # Errors
/// What `decide` refuses, a key used with another body, or the table is not available.
pub async fn idempotent<F>(
    app: &App,
    key: &IdempotencyKey,
    decide: impl Fn() -> F + Send,
) -> Result<Answer, Problem>
where
    F: Future<Output = Result<Decision, Problem>> + Send,
{
    if let Some(record) = key.find(app).await? {
        return key.replay(app, &record).await;
    }
    commit(app, key, decide).await
}

/// Decides and commits, for operations that look for the earlier answer themselves. When rows changed meanwhile, it is
/// decided anew.
///
/// # Errors
/// As [`once`].
pub async fn commit<F>(
    app: &App,
    key: &IdempotencyKey,
    decide: impl Fn() -> F + Send,
) -> Result<Answer, Problem>
where
    F: Future<Output = Result<Decision, Problem>> + Send,
{
    for _ in 0..MOST_TRIES {
        let (transaction, outcome) = match unless_done(app, key, decide().await).await? {
            Decision::Stored(record) => return key.replay(app, &record).await,
            Decision::Refuse(transaction, problem) => (transaction, Err(problem)),
            Decision::Commit(mut transaction, answer) => {
                if let Some(record) = key.record(app, &answer) {
                    transaction.create_over_expired(&record, app.now())?;
                }
                (transaction, Ok(answer))
            }
        };
        match app.store.commit(transaction).await {
            Ok(()) => return outcome,
            Err(error @ CommitError::Conflict(_)) => {
                if key.row().is_some_and(|row| error.concerns(&row))
                    && let Some(record) = key.find(app).await?
                {
                    return key.replay(app, &record).await;
                }
            }
            Err(CommitError::Store(error)) => return Err(error.into()),
        }
    }
    Err(Problem::busy())
}

/// What was decided; but a refusal only while no equal request has been answered. One may have been faster since this one looked
/// for it, and then it is its effect that stands in the way.
async fn unless_done(
    app: &App,
    key: &IdempotencyKey,
    decided: Result<Decision, Problem>,
) -> Result<Decision, Problem> {
    match decided {
        Err(_) | Ok(Decision::Refuse(..)) => match key.find(app).await? {
            Some(record) => Ok(Decision::Stored(record)),
            None => decided,
        },
        step => step,
    }
}

/// JSON with sorted members and no spaces: the same content has the same text.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort_unstable();
            let members: Vec<String> = names
                .into_iter()
                .map(|name| {
                    format!(
                        "{}:{}",
                        Value::from(name.as_str()),
                        canonical(&members[name])
                    )
                })
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => format!(
            "[{}]",
            items.iter().map(canonical).collect::<Vec<_>>().join(",")
        ),
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_same_content_has_the_same_canonical_text() {
        let a: Value =
            serde_json::from_str(r#"{"b": [1, {"d": 2, "c": "ü"}], "a": null}"#).expect("JSON");
        assert_eq!(canonical(&a), r#"{"a":null,"b":[1,{"c":"ü","d":2}]}"#);
        assert_ne!(canonical(&json!({"a": 1})), canonical(&json!({"a": "1"})));
    }
}
