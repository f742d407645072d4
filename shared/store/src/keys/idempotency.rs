use crate::entity::{Entity, Indexes, Key};
use crate::rows::IdempotencyRecord;

/// The stored answer for a caller and the scope of its `Idempotency-Key`.
pub fn idempotency(caller: &str, scope: &str) -> Key<IdempotencyRecord> {
    Key::new(format!("{caller}#idempotency#{scope}"), "idempotency")
}

impl Entity for IdempotencyRecord {
    fn key(&self) -> Key<Self> {
        idempotency(&self.caller, &self.scope)
    }
    fn indexes(&self) -> Indexes {
        Indexes::default().expires(Some(self.valid_until))
    }
}
