//! A foreign id cannot be distinguished from an unknown id: answer, headers, table calls and capacity (which would show as
//! response time) are equal. The owner gets another answer.

mod cast;
mod requests;

use std::collections::BTreeSet;

use cast::Cast;
use requests::{IMPORT, REQUESTS, REST};

/// An unused id or code of the same kind and time.
fn absent(id: &str) -> String {
    format!(
        "{}{}",
        &id[..id.len() - 4],
        if id.ends_with("0000") { "1111" } else { "0000" }
    )
}

#[tokio::test]
async fn foreign_data_answers_and_costs_like_missing_data() {
    let cast = Cast::new().await;
    let kinds: BTreeSet<&str> = REQUESTS.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(kinds, cast.things.iter().map(|thing| thing.kind).collect());
    let mut foreign = Vec::new();
    for thing in &cast.things {
        let id = &thing.id;
        for (_, target, body) in REQUESTS.iter().filter(|(kind, ..)| *kind == thing.kind) {
            for outsider in cast.outsiders(thing) {
                let missing = outsider.ask(target, body, &absent(id)).await;
                let observed = outsider.ask(target, body, id).await;
                assert_eq!(observed, missing, "{target} {body} {id}");
                foreign.push((target, body, thing, observed));
            }
        }
    }
    // The owner gets another answer; otherwise the request would test nothing.
    for (target, body, thing, observed) in foreign {
        let owner = cast.owner(thing.owner);
        assert_ne!(
            owner.ask(target, body, &thing.id).await.answer(),
            observed.answer(),
            "{target} {body} {}",
            thing.id
        );
    }
}

#[tokio::test]
async fn an_import_treats_foreign_and_missing_data_alike() {
    let cast = Cast::new().await;
    let imports = REQUESTS.iter().filter(|(_, target, _)| *target == IMPORT);
    for (number, (kind, _, body)) in imports.enumerate() {
        // The results of an `externalSystemId` fill its row, so each request has its own.
        let body = &body.replace("REST", &REST.replace("A-1", &format!("A-{number}")));
        let mut things = cast.things.iter();
        let thing = things.find(|thing| thing.kind == *kind).expect("a thing");
        let id = &thing.id;
        let missing = cast.stranger.import(body, &absent(id)).await;
        let observed = cast.stranger.import(body, id).await;
        assert_eq!(observed, missing, "{body} {id}");
        assert!(observed.body.contains(r#""failed":1"#), "{}", observed.body);
        let owned = cast.owner(thing.owner).import(body, id).await;
        assert!(owned.body.contains(r#""failed":0"#), "{}", owned.body);
    }
}
