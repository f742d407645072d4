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
    const KEEPS_REQUEST: bool = true;

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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Write units a second that a partition takes.
    ///
    /// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>
    const PARTITION: usize = 1_000;

    #[test]
    fn the_list_of_one_source_takes_two_thousand_callbacks_a_second() {
        let source = "cli_0190b8f5c6f77c3ab0a1c2d3e4f50617"
            .parse()
            .expect("an id");
        let list = callbacks_of(source);
        let mut rows: BTreeMap<String, usize> = BTreeMap::new();
        for number in 0..8_000_u64 {
            // One millisecond; only the random half of the UUIDv7 differs.
            let random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) & 0x3fff_ffff_ffff_ffff;
            let id = format!(
                "cbk_0190b8f5c6f77000{:016x}",
                random | 0x8000_0000_0000_0000
            );
            *rows.entry(list.partition_of(&id)).or_default() += 1;
        }
        let most = rows.values().max().copied().unwrap_or_default();
        // A callback is written into its list once, when it is created: no later change moves it there
        // (`a_leased_row_stays_where_it_is_in_every_index`). Half of the capacity is to spare.
        assert!(most * 2_000 / 8_000 <= PARTITION / 2, "{rows:?}");
    }
}
