//! A dry run: the result that each item would have now. Writes nothing.

use serde_json::{Value, json};
use tandem_api::views::import as view;
use tandem_api::{Answer, App, ClientCaller, Problem};
use tandem_domain::ids::PromiseId;
use tandem_domain::import::CHUNK;
use tandem_domain::import::decide::{Importer, ItemResult};
use tandem_domain::import::item::ImportItem;
use tandem_domain::import::promise::Counts;
use tandem_runtime::random_ids::hash_of_external;

pub(crate) async fn check(
    app: &App,
    caller: ClientCaller,
    items: &[ImportItem],
) -> Result<Answer, Problem> {
    let now = app.now();
    let promise_id = PromiseId::generate(&mut app.ids());
    let importer = Importer {
        client_id: caller.id,
        company_id: caller.company_id,
        promise_id,
        rank: promise_id,
    };
    let (mut counts, mut shown) = (Counts::default(), Vec::<Value>::with_capacity(items.len()));
    // Chunk by chunk, as the worker does, so that the rows of one chunk are dropped before the next is read.
    for (chunk, first) in items.chunks(CHUNK).zip((0..).step_by(CHUNK)) {
        let contexts = app
            .store
            .import_contexts(importer, chunk, hash_of_external)
            .await?;
        for (item, number) in chunk.iter().zip(first..) {
            let context = contexts.of(item)?;
            let entry = importer.decide(number, item, context, now).entry;
            counts.add(entry.outcome.result);
            let mut line = view::log_entry(&entry);
            // Nothing was created, so these ids do not exist.
            if entry.outcome.result == ItemResult::Created {
                line["orderId"] = Value::Null;
                line["subscriptionId"] = Value::Null;
            }
            line["promiseId"] = Value::Null;
            shown.push(line);
        }
    }
    Ok(Answer::ok(
        json!({"dryRun": true, "itemCount": items.len(), "counts": view::counts(counts, 0), "items": shown}),
    ))
}
