use tandem_domain::callback::Callback;
use tandem_domain::ids::{CallbackId, ClientId};

use crate::entity::{Entity, Indexes, Key};
use crate::list::List;
use crate::rows::AttemptRow;

pub fn callback(source: ClientId, id: CallbackId) -> Key<Callback> {
    Key::new(partition(source, id), "callback")
}

pub fn callbacks_of(source: ClientId) -> List<Callback> {
    List::gsi1(format!("{source}#callbacks")).spread()
}

impl Entity for Callback {
    const KEY_SAYS: &'static [&'static str] = &["clientId", "id", "createdAt", "dueAt"];

    fn key(&self) -> Key<Self> {
        callback(self.client_id, self.id)
    }
    fn indexes(&self) -> Indexes {
        Indexes::default()
            .in_list(callbacks_of(self.client_id), self.id)
            .due(self.sweep_at())
            .expires(self.expires_at())
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// The prefix of the sort keys of a callback's attempts, which are in the callback's own partition.
const ATTEMPT: &str = "attempt#";

pub fn attempts_of(source: ClientId, callback: CallbackId) -> List<AttemptRow> {
    List::table(partition(source, callback), ATTEMPT)
}

impl Entity for AttemptRow {
    fn key(&self) -> Key<Self> {
        let sort = format!("{ATTEMPT}{:06}", self.attempt.number);
        Key::new(partition(self.client_id, self.callback_id), sort)
    }
    fn indexes(&self) -> Indexes {
        Indexes::default().expires(Some(self.attempt.expires_at()))
    }
}

fn partition(source: ClientId, callback: CallbackId) -> String {
    format!("{source}#{callback}")
}
