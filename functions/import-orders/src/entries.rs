//! Pages of the results of items, which are in the chunks of their promises.

use std::collections::VecDeque;

use tandem_api::App;
use tandem_domain::ids::{ClientId, PromiseId};
use tandem_domain::import::chunk::Chunk;
use tandem_domain::import::decide::LogEntry;
use tandem_domain::import::promise::Promise;
use tandem_domain::import::records::Record;
use tandem_runtime::random_ids::hash_of_external;
use tandem_store::{Page, StoreError};

/// Chunks that one read takes: with their items, the rows of one round trip.
const CHUNKS: usize = 50;

/// The entries of a promise that `keep` accepts, in the order of its items, after an item's number.
pub(crate) async fn of_promise(
    app: &App,
    promise: &Promise,
    after: Option<&str>,
    limit: usize,
    keep: impl Fn(&LogEntry) -> bool,
) -> Result<Page<LogEntry>, StoreError> {
    let after: Option<u32> = after.and_then(|number| number.parse().ok());
    let first = after.map_or(0, |after| Chunk::number_of(after + 1));
    let mut page = Filling::new(limit);
    let mut numbers = first..promise.chunks;
    // A page without a filter is in few chunks.
    let mut wanted = limit / tandem_domain::import::CHUNK + 2;
    loop {
        let chunks: Vec<_> = numbers
            .by_ref()
            .take(wanted)
            .map(|number| (promise.id, number))
            .collect();
        if chunks.is_empty() {
            return Ok(page.end());
        }
        let mut entries = app
            .store
            .import_entries(promise.client_id, &chunks, hash_of_external)
            .await?;
        for entry in chunks
            .iter()
            .flat_map(|chunk| entries.remove(chunk).unwrap_or_default())
        {
            let position = entry.number;
            if after.is_none_or(|after| position > after)
                && keep(&entry)
                && page.is_full_with(entry, position.to_string())
            {
                return Ok(page.more());
            }
        }
        wanted = CHUNKS;
    }
}

/// The entries of some records of a client that `keep` accepts, in the order of the records. A position is a promise.
pub(crate) async fn of_records(
    app: &App,
    client: ClientId,
    records: Vec<(PromiseId, Record)>,
    limit: usize,
    keep: impl Fn(&LogEntry) -> bool,
) -> Result<Page<LogEntry>, StoreError> {
    let mut page = Filling::new(limit);
    let mut left = VecDeque::from(records);
    while !left.is_empty() {
        let some: Vec<_> = left
            .drain(..left.len().min(CHUNKS.min(limit + 1)))
            .collect();
        let chunk_of =
            |promise: PromiseId, record: &Record| (promise, Chunk::number_of(record.number));
        let chunks: Vec<_> = some
            .iter()
            .map(|(promise, record)| chunk_of(*promise, record))
            .collect();
        let entries = app
            .store
            .import_entries(client, &chunks, hash_of_external)
            .await?;
        for (promise, record) in &some {
            let chunk = entries.get(&chunk_of(*promise, record));
            let entry = chunk
                .into_iter()
                .flatten()
                .find(|entry| entry.number == record.number);
            if let Some(entry) = entry.filter(|entry| keep(entry))
                && page.is_full_with(entry.clone(), promise.to_string())
            {
                return Ok(page.more());
            }
        }
    }
    Ok(page.end())
}

/// A page while it is filled.
struct Filling {
    limit: usize,
    items: Vec<LogEntry>,
    last: Option<String>,
}

impl Filling {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            items: Vec::new(),
            last: None,
        }
    }

    /// Adds an entry at a position, unless the page is full.
    fn is_full_with(&mut self, entry: LogEntry, position: String) -> bool {
        if self.items.len() == self.limit {
            return true;
        }
        self.items.push(entry);
        self.last = Some(position);
        false
    }

    /// The page, if more entries follow.
    fn more(self) -> Page<LogEntry> {
        Page {
            items: self.items,
            next: self.last,
        }
    }

    /// The last page.
    fn end(self) -> Page<LogEntry> {
        Page {
            items: self.items,
            next: None,
        }
    }
}
