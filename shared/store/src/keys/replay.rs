use tandem_domain::ids::{ClientId, ReplayId};
use tandem_domain::replay::{KEPT, ReplayJob};

use crate::entity::{Entity, Indexes, Key};

pub fn replay(client: ClientId, id: ReplayId) -> Key<ReplayJob> {
    Key::new(format!("{client}#{id}"), "replay")
}

impl Entity for ReplayJob {
    const KEEPS_REQUEST: bool = true;

    fn key(&self) -> Key<Self> {
        replay(self.client_id, self.id)
    }
    fn indexes(&self) -> Indexes {
        Indexes::default()
            .due(self.sweep_at())
            .expires(self.accepted_at.checked_add(KEPT).ok())
    }
    fn version(&self) -> u64 {
        self.version
    }
}
