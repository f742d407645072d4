//! Healthy endpoints as this process has just read them.
//!
//! Each callback of a merchant needs the same two rows, which each purchase reads too, and a partition takes 3,000 reads a second. So
//! a first attempt uses an endpoint that this process has read within the last second. A new URL or secret thus applies a second
//! after its answer at the latest, and a pause or a 410 may be followed by first attempts for another second. All later attempts,
//! tests and unhealthy endpoints are read each time, and every write of an endpoint's state checks the versions.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tandem_domain::callback::Endpoint;

use crate::endpoint::EndpointSnapshot;

/// How long an endpoint is used after it was read.
pub const FRESH_FOR: Duration = Duration::from_secs(1);
/// Above this number, old entries are removed.
const MANY: usize = 256;

/// Cheap to clone; clones share the entries.
#[derive(Clone)]
pub struct EndpointCache {
    fresh_for: Duration,
    read: Arc<Mutex<HashMap<Endpoint, (Instant, EndpointSnapshot)>>>,
}

impl EndpointCache {
    /// With a duration of zero, endpoints are read each time.
    pub fn new(fresh_for: Duration) -> Self {
        Self {
            fresh_for,
            read: Arc::default(),
        }
    }

    pub(crate) fn get(&self, endpoint: Endpoint) -> Option<EndpointSnapshot> {
        let entries = self.entries();
        let (read_at, snapshot) = entries.get(&endpoint)?;
        self.is_fresh(*read_at).then(|| snapshot.clone())
    }

    /// Keeps a healthy endpoint that was read after `read_at`.
    pub(crate) fn keep(&self, snapshot: &EndpointSnapshot, read_at: Instant) {
        if snapshot.health.is_some() || !self.is_fresh(read_at) {
            return;
        }
        let mut entries = self.entries();
        if entries.len() >= MANY {
            entries.retain(|_, (read_at, _)| self.is_fresh(*read_at));
        }
        entries.insert(snapshot.endpoint(), (read_at, snapshot.clone()));
    }

    /// Reads the endpoint again: this process has written its state.
    pub(crate) fn forget(&self, endpoint: Endpoint) {
        self.entries().remove(&endpoint);
    }

    fn is_fresh(&self, read_at: Instant) -> bool {
        read_at.elapsed() < self.fresh_for
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<Endpoint, (Instant, EndpointSnapshot)>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
