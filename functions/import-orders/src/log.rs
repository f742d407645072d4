//! The import log: the result of each item of each import, kept for 90 days. The latest accepted import comes first; the items of
//! one import keep their order.
//!
//! A client's items have no common list, since every item would have to write it. The log is read promise by promise; that of an
//! `externalSystemId` by the records in its row.

use tandem_api::paging::Paging;
use tandem_api::views::import as view;
use tandem_api::{Answer, App, ClientCaller, Problem, Request};
use tandem_domain::Timestamp;
use tandem_domain::ids::{OfferId, PromiseId};
use tandem_domain::import::decide::{ItemResult, LogEntry};
use tandem_domain::import::promise::Promise;
use tandem_domain::input::parsed;
use tandem_domain::instant::{end, instant};
use tandem_domain::text::ExternalId;
use tandem_runtime::random_ids::hash_of_external;
use tandem_store::{Page, StoreError, keys};

use crate::entries;

/// Promises whose items one page reads, at most.
const MAX_PROMISES: usize = 40;

struct Filter {
    external: Option<ExternalId>,
    offer: Option<OfferId>,
    result: Option<ItemResult>,
    promise: Option<PromiseId>,
    from: Option<Timestamp>,
    before: Option<Timestamp>,
    now: Timestamp,
}

pub(crate) async fn list(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let mut query = request.query();
    let filter = Filter {
        external: query.optional("externalSystemId", ExternalId::parse),
        offer: query.optional("offerId", parsed),
        result: query.optional("result", ItemResult::parse),
        promise: query.optional("promiseId", parsed),
        from: query.optional("from", instant),
        before: query.optional("before", end).flatten(),
        now: app.now(),
    };
    let paging = Paging::read(app, request, query)?;
    let page = find(app, caller, &filter, paging.after.as_deref(), paging.limit).await?;
    Ok(paging.answer(app, page, |entry| view::log_entry(&entry)))
}

async fn find(
    app: &App,
    caller: ClientCaller,
    filter: &Filter,
    after: Option<&str>,
    limit: usize,
) -> Result<Page<LogEntry>, StoreError> {
    if let Some(external) = &filter.external {
        return read_external(app, caller, filter, external, after, limit).await;
    }
    if let Some(id) = filter.promise {
        let Some(promise) = app.store.get(&keys::promise(caller.id, id)).await? else {
            return Ok(Page {
                items: Vec::new(),
                next: None,
            });
        };
        let keep = |entry: &LogEntry| filter.keeps(entry);
        return entries::of_promise(app, &promise, after, limit, keep).await;
    }
    read_promises(app, caller, filter, after, limit).await
}

async fn read_external(
    app: &App,
    caller: ClientCaller,
    filter: &Filter,
    external: &ExternalId,
    after: Option<&str>,
    limit: usize,
) -> Result<Page<LogEntry>, StoreError> {
    let hash = hash_of_external(caller.id, external);
    let Some(row) = app.store.get(&keys::imported(caller.id, &hash)).await? else {
        return Ok(Page {
            items: Vec::new(),
            next: None,
        });
    };
    let after: Option<PromiseId> = after.and_then(|after| after.parse().ok());
    let mut records = app.store.records(&row).await?;
    records
        .retain(|(promise, _)| filter.has(*promise) && after.is_none_or(|after| *promise < after));
    let keep = |entry: &LogEntry| filter.keeps(entry);
    entries::of_records(app, caller.id, records, limit, keep).await
}

/// Reads promise by promise. A position is `prm_…#…` inside a promise, and `prm_…` after it.
async fn read_promises(
    app: &App,
    caller: ClientCaller,
    filter: &Filter,
    after: Option<&str>,
    limit: usize,
) -> Result<Page<LogEntry>, StoreError> {
    let mut items = Vec::new();
    let mut passed = after.map(str::to_owned);
    if let Some((id, inside)) = after.and_then(|after| after.split_once('#')) {
        let begun = match id.parse() {
            Ok(promise) => app.store.get(&keys::promise(caller.id, promise)).await?,
            Err(_) => None,
        };
        if let Some(promise) = begun {
            let next = read_promise(app, filter, &promise, Some(inside), limit, &mut items).await?;
            if next.is_some() {
                return Ok(Page { items, next });
            }
        }
        passed = Some(id.to_owned());
    }
    let bound = |time: Option<Timestamp>| time.map(|time| PromiseId::first_of(time).to_string());
    let promises = keys::promises_of(caller.id).between(bound(filter.from), bound(filter.before));
    let page = app
        .store
        .page(&promises, passed.as_deref(), MAX_PROMISES, |_| true)
        .await?;
    for promise in page
        .items
        .iter()
        .filter(|promise| filter.may_match(promise))
    {
        if items.len() >= limit {
            return Ok(Page {
                items,
                next: passed,
            });
        }
        let next = read_promise(app, filter, promise, None, limit, &mut items).await?;
        if next.is_some() {
            return Ok(Page { items, next });
        }
        passed = Some(promise.id.to_string());
    }
    Ok(Page {
        items,
        next: page.next,
    })
}

/// Adds entries of a promise; returns the position inside the promise if the page is full.
async fn read_promise(
    app: &App,
    filter: &Filter,
    promise: &Promise,
    after: Option<&str>,
    limit: usize,
    items: &mut Vec<LogEntry>,
) -> Result<Option<String>, StoreError> {
    let keep = |entry: &LogEntry| filter.keeps(entry);
    let page = entries::of_promise(app, promise, after, limit - items.len(), keep).await?;
    items.extend(page.items);
    Ok(page.next.map(|next| format!("{}#{next}", promise.id)))
}

impl Filter {
    fn keeps(&self, entry: &LogEntry) -> bool {
        entry.kept_until() > self.now
            && self.offer.is_none_or(|offer| entry.offer_id == offer)
            && self
                .result
                .is_none_or(|result| entry.outcome.result == result)
            && self.has(entry.promise_id)
    }

    fn has(&self, promise: PromiseId) -> bool {
        let (from, before) = (self.from, self.before);
        self.promise.is_none_or(|only| promise == only)
            && from.is_none_or(|from| promise >= PromiseId::first_of(from))
            && before.is_none_or(|before| promise < PromiseId::first_of(before))
    }

    /// Whether the promise may have matching entries. The counts of a finished promise are final.
    fn may_match(&self, promise: &Promise) -> bool {
        let counts = promise.counts;
        let count = match self.result {
            None => return true,
            Some(ItemResult::Created) => counts.created,
            Some(ItemResult::Updated) => counts.updated,
            Some(ItemResult::Unchanged) => counts.unchanged,
            Some(ItemResult::Superseded) => counts.superseded,
            Some(ItemResult::Failed) => counts.failed,
        };
        count > 0 || promise.finished_at.is_none()
    }
}
