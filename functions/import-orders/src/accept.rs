//! Accepting an import: the promise and all of its work in one transaction, so that either the whole import runs or none of
//! it was taken.

use tandem_api::idempotency::idempotent;
use tandem_api::views::import as view;
use tandem_api::{Answer, App, ClientCaller, Code, Decision, IdempotencyKey, Problem, Request};
use tandem_domain::ids::PromiseId;
use tandem_domain::import::item::{ImportItem, parse_items};
use tandem_domain::import::promise::Promise;
use tandem_store::{StoreError, Transaction, keys};

use crate::{dry_run, read};

/// The largest body of an import, in bytes: 2 MiB. Escaped inside a Lambda event of at most 6 MB it still fits.
const LARGEST_IMPORT: usize = 2 * 1024 * 1024;

pub(crate) async fn accept(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let mut query = request.query();
    let dry = query.flag("dryRun").unwrap_or(false);
    query.finish()?;
    let body = request.json_up_to(LARGEST_IMPORT)?;
    let items = parse_items(&body)?;
    let key = IdempotencyKey::of_edit(request, &body, ImportItem::CLEARABLE)?;
    // The parsed body is many times as large as its text, and `items` has all that is needed.
    drop(body);
    if dry {
        return dry_run::check(app, caller, &items).await;
    }
    idempotent(app, &key, || async { decide(app, caller, &items, None) }).await
}

/// Accepts the failed items of an import as a new import.
pub(crate) async fn retry(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let body = request.empty_body()?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        let promise = read::load(app, request, caller).await?;
        if promise.finished_at.is_none() {
            return Err(Problem::new(
                Code::ImportNotDone,
                "wait until the import is completed; only then are all failed items known",
            ));
        }
        let items = failed_items(app, &promise).await?;
        if items.is_empty() {
            return Err(Problem::new(
                Code::ImportNothingFailed,
                "the import has no failed items to retry",
            ));
        }
        decide(app, caller, &items, Some(&promise))
    })
    .await
}

fn decide(
    app: &App,
    caller: ClientCaller,
    items: &[ImportItem],
    retry_of: Option<&Promise>,
) -> Result<Decision, Problem> {
    let id = PromiseId::generate(&mut app.ids());
    let accepted = Promise::accept(
        id,
        (caller.id, caller.company_id),
        items,
        retry_of,
        app.now(),
    );
    let mut transaction = Transaction::default();
    transaction.create(&accepted.promise)?;
    for (chunk, items) in &accepted.chunks {
        transaction.create(chunk)?;
        transaction.create(items)?;
    }
    let answer = Answer::json(202, view::promise(&accepted.promise));
    Ok(Decision::Commit(
        transaction,
        Answer {
            location: Some(format!("/v1/imports/{id}")),
            ..answer
        },
    ))
}

/// Loads the failed items in one round trip.
async fn failed_items(app: &App, promise: &Promise) -> Result<Vec<ImportItem>, StoreError> {
    let keys = |number| {
        (
            keys::chunk(promise.client_id, promise.id, number),
            keys::chunk_items(promise.client_id, promise.id, number),
        )
    };
    let mut batch = app.store.batch();
    for number in 0..promise.chunks {
        let (chunk, items) = keys(number);
        batch.add(&chunk);
        batch.add(&items);
    }
    let rows = batch.load().await?;
    let mut failed_items = Vec::new();
    for number in 0..promise.chunks {
        let (chunk, items) = keys(number);
        let (Some(chunk), Some(items)) = (rows.get(&chunk)?, rows.get(&items)?) else {
            continue;
        };
        failed_items.extend(
            items
                .numbered()
                .filter(|(number, _)| chunk.has_failed(*number))
                .map(|(_, item)| item.clone()),
        );
    }
    Ok(failed_items)
}
