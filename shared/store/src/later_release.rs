//! Rows of a later release have attributes and packed members that this one does not know. It reads them during a rollout, and after
//! a rollback.

use std::fmt::Debug;

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tandem_domain::callback::Callback;
use tandem_domain::import::chunk::{Chunk, ChunkItems};
use tandem_domain::import::imported::Imported;
use tandem_domain::import::promise::Promise;
use tandem_domain::import::records::RecordPage;
use tandem_domain::mail::Mail;
use tandem_domain::order::Order;
use tandem_domain::payout::Payout;
use tandem_domain::subscription::Subscription;

use crate::entity::{Entity, Item, from_item, to_item};
use crate::packed::{pack, unpack};

const LATER: &str = "ofALaterRelease";

/// A stored value of a release.
fn stored<E: Entity>(name: &str) -> E {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../domain/tests/decisions/releases/2026-11-27"
    );
    let text = std::fs::read_to_string(format!("{folder}/{name}.json")).expect("a file");
    let mut row = octets(serde_json::from_str(&text).expect("JSON"));
    let members = row.as_object_mut().expect("an object");
    members.entry("version").or_insert(1.into());
    serde_json::from_value(row).expect("a stored value")
}

/// The files have octets in base64.
fn octets(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let changed = members.into_iter().map(|(name, member)| {
                let member = match member.as_str().filter(|_| name.starts_with("sealed")) {
                    Some(text) => STANDARD.decode(text).expect("base64").into(),
                    None => octets(member),
                };
                (name, member)
            });
            Value::Object(changed.collect())
        }
        Value::Array(items) => items.into_iter().map(octets).collect(),
        other => other,
    }
}

fn with_unknown<E: Entity>(value: &E) -> Item {
    let unknown = || AttributeValue::L(vec![AttributeValue::Null(true)]);
    let mut row = to_item(value, value.version()).expect("a row");
    if !E::PACKED.is_empty() {
        unpack(&mut row).expect("packed");
        row.insert(LATER.to_owned(), unknown());
        pack(&mut row, &[E::PACKED, &[LATER]].concat()).expect("packed");
    }
    row.insert(format!("{LATER}Too"), unknown());
    row
}

fn read<E: Entity + PartialEq + Debug>(name: &str) {
    let value: E = stored(name);
    let row = with_unknown(&value);
    let packed = row.contains_key("packed");
    assert_eq!(packed, !E::PACKED.is_empty(), "{name}");
    assert_eq!(from_item::<E>(row).expect(name), value);
}

#[test]
fn a_row_of_a_later_release_is_read() {
    // Whose keys say members.
    read::<Callback>("callback_waiting");
    read::<Order>("order");
    read::<Subscription>("subscription_seller");
    read::<Payout>("payout_payment");
    // With packed members.
    read::<Imported>("imported_settled");
    read::<Chunk>("import_chunk_done");
    read::<ChunkItems>("import_items");
    read::<RecordPage>("import_records");
    // Neither.
    read::<Promise>("import_promise");
    read::<Mail>("mail_waiting");
}
