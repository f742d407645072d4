//! A dry run: what each item would come to now. Writes nothing.

use serde_json::{Value, json};
use tandem_api::views::import as view;
use tandem_api::{Answer, App, ClientCaller, Problem};
use tandem_domain::ids::PromiseId;
use tandem_domain::import::CHUNK;
use tandem_domain::import::item::ImportItem;
use tandem_domain::import::promise::Counts;
use tandem_runtime::random_ids::hash_of_external;
use tandem_store::imports::{Importer, Numbered};

pub(crate) async fn check(
    app: &App,
    caller: ClientCaller,
    items: &[ImportItem],
) -> Result<Answer, Problem> {
    let (now, mut ids) = (app.now(), app.ids());
    let promise_id = PromiseId::generate(&mut ids);
    let importer = Importer {
        client_id: caller.id,
        company_id: caller.company_id,
        promise_id,
        rank: promise_id,
    };
    let numbered: Vec<Numbered<'_>> = (0..)
        .zip(items)
        .map(|(number, item)| Numbered {
            number,
            item,
            external_hash: hash_of_external(&item.external_system_id),
        })
        .collect();
    let (mut counts, mut shown) = (Counts::default(), Vec::<Value>::with_capacity(items.len()));
    // Chunk by chunk, as the worker does: what is read for one chunk is forgotten before the next.
    for chunk in numbered.chunks(CHUNK) {
        let grounds = app.store.import_grounds(importer, chunk).await?;
        for item in chunk {
            let log = importer
                .asks(item)
                .decide(grounds.of(item)?, now, &mut ids)
                .log;
            counts.add(log.result);
            let mut line = view::log_entry(&log);
            // Nothing was made: the ids of what would be created mean nothing.
            if log.result == tandem_domain::import::decide::ItemResult::Created {
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
