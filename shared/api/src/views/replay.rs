//! A replay job.

use serde_json::{Value, json};
use tandem_domain::replay::{ReplayJob, ReplayState};

pub fn job(job: &ReplayJob) -> Value {
    let done_at = match job.state {
        ReplayState::Done { done_at } => Some(done_at),
        ReplayState::Waiting { .. } => None,
    };
    json!({
        "id": job.id,
        "state": job.status(),
        "since": job.selection.since,
        "connectionId": job.selection.connection_id,
        "counts": {"found": job.found, "replayed": job.replayed, "skipped": job.skipped},
        "acceptedAt": job.accepted_at,
        "startedAt": job.started_at,
        "finishedAt": done_at,
    })
}
