//! Sealed personal data opens until the person is erased; afterwards no remaining data opens it.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tandem_sealing::{DataKey, OpenError, Purpose, Sealer};
use tandem_tests::{Client, InProcess, Reply, id};

/// Text that occurs in all data of the person, and only there.
const CANARY: &str = "wagtail";

/// A sealed text of the table.
#[derive(Debug, Clone)]
pub(crate) struct Sealed {
    /// The kind of row and the member, e.g. `callback sealedPerson`.
    kept_in: String,
    pub(crate) octets: Vec<u8>,
    /// Its possible bindings: all texts of its row, alone and in pairs.
    places: BTreeSet<String>,
}

/// A sealed text and its plain text.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) sealed: Sealed,
    pub(crate) plain: Vec<u8>,
}

impl Opened {
    fn mentions_the_person(&self) -> bool {
        String::from_utf8_lossy(&self.plain)
            .to_lowercase()
            .contains(CANARY)
    }
}

/// All texts and numbers of a row with their member names; nested values carry the outer name.
fn words(row: &Value) -> Vec<(&str, String)> {
    fn within<'a>(name: &'a str, value: &'a Value, found: &mut Vec<(&'a str, String)>) {
        match value {
            Value::String(text) => found.push((name, text.clone())),
            Value::Number(number) => found.push((name, number.to_string())),
            Value::Array(items) => items.iter().for_each(|item| within(name, item, found)),
            Value::Object(members) => members
                .values()
                .for_each(|member| within(name, member, found)),
            Value::Null | Value::Bool(_) => {}
        }
    }
    let mut found = Vec::new();
    row.as_object()
        .into_iter()
        .flatten()
        .for_each(|(name, member)| within(name, member, &mut found));
    found
}

/// Everything in the table with the form of a sealed text, with its possible bindings.
pub(crate) fn sealed_in(rows: &[Value], sealer: &Sealer) -> Vec<Sealed> {
    let octets = |text: &str| {
        let octets = STANDARD.decode(text).ok()?;
        let opened = sealer.open(Purpose::Cursor, "", &octets);
        matches!(opened, Err(OpenError::Refused | OpenError::UnknownKey)).then_some(octets)
    };
    let of_row = |row: &Value| {
        let words = words(row);
        let kind = row["sk"]
            .as_str()
            .unwrap_or_default()
            .split('#')
            .next()
            .unwrap_or_default()
            .to_owned();
        let mut parts: BTreeSet<String> = words
            .iter()
            .map(|(_, word)| word.clone())
            .filter(|word| octets(word).is_none())
            .collect();
        let keys = ["pk", "sk"].map(|name| row[name].as_str().unwrap_or_default());
        parts.extend(
            keys.iter()
                .flat_map(|key| key.split('#'))
                .map(str::to_owned),
        );
        let pairs = parts
            .iter()
            .flat_map(|one| parts.iter().map(move |other| format!("{one}#{other}")));
        let places: BTreeSet<String> = parts.iter().cloned().chain(pairs).collect();
        let sealed = words
            .into_iter()
            .filter_map(|(name, word)| Some((name, octets(&word)?)));
        let sealed = sealed.map(|(name, octets)| Sealed {
            kept_in: format!("{kind} {name}"),
            octets,
            places: places.clone(),
        });
        sealed.collect::<Vec<_>>()
    };
    rows.iter().flat_map(of_row).collect()
}

/// The texts that a sealer opens for any purpose and binding.
fn opened_by(sealer: &Sealer, sealed: &Sealed) -> Option<Opened> {
    let tries = Purpose::ALL
        .iter()
        .flat_map(|purpose| sealed.places.iter().map(move |place| (*purpose, place)));
    let plain = tries
        .into_iter()
        .find_map(|(purpose, place)| sealer.open(purpose, place, &sealed.octets).ok())?;
    Some(Opened {
        sealed: sealed.clone(),
        plain,
    })
}

/// A sealer for everything that could be a person's key: 32 octets.
fn keys_among<'a>(octets: impl Iterator<Item = &'a [u8]>) -> Vec<Sealer> {
    let keys: BTreeSet<&[u8]> = octets.filter(|octets| octets.len() == 32).collect();
    keys.into_iter()
        .map(|key| Sealer::new(DataKey::of_octets(key)))
        .collect()
}

/// The sealed texts that the table and the deployment's data key can open.
pub(crate) fn openable(stage: &InProcess, texts: &[Sealed], rows: &[Value]) -> Vec<Opened> {
    let sealer = &stage.app.sealer;
    let of_deployment: Vec<Opened> = sealed_in(rows, sealer)
        .iter()
        .filter_map(|sealed| opened_by(sealer, sealed))
        .collect();
    let in_the_clear: Vec<Vec<u8>> = rows
        .iter()
        .flat_map(words)
        .flat_map(|(_, word)| {
            [
                STANDARD.decode(&word).unwrap_or_default(),
                word.into_bytes(),
            ]
        })
        .collect();
    let of_persons = of_deployment
        .iter()
        .map(|opened| opened.plain.as_slice())
        .chain(in_the_clear.iter().map(Vec::as_slice));
    let sealers: Vec<Sealer> = std::iter::once(sealer.clone())
        .chain(keys_among(of_persons))
        .collect();
    texts
        .iter()
        .filter_map(|sealed| sealers.iter().find_map(|sealer| opened_by(sealer, sealed)))
        .collect()
}

fn kept_in(opened: &[Opened]) -> BTreeSet<&str> {
    opened
        .iter()
        .map(|opened| opened.sealed.kept_in.as_str())
        .collect()
}

/// Sells to a person and stores every kind of personal data: the answer of the creation, the callback of the sale, and the
/// receiver's answers to it and to the refund's callback.
async fn customer_with_all_data(stage: &Arc<InProcess>) -> (Client, String) {
    let setup = stage.setup();
    let receiver = setup.receiver().await;
    receiver.answer_always(Reply::status(200).body(&format!("we know {CANARY}")));
    let pair = setup.pair_between_two_companies(&receiver.url()).await;
    let cart = pair.cart_of_both().await;
    let person = json!({
        "email": format!("{CANARY}@example.com"), "language": "de", "firstName": "Wagtail", "lastName": "Wagtail",
        "externalSystemId": "wagtail-1", "phone": "wagtail 2",
    });
    let customer = pair.target.api.post("/v1/customers", person).await;
    let customer = customer.created();
    let order = pair.target.sell(&cart, &customer).await.created();
    stage.work().await;
    let _ = pair.target.refund(&order).await.ok();
    stage.work().await;
    (pair.target, id(&customer).to_owned())
}

#[tokio::test]
async fn nothing_left_by_an_erasure_opens_sealed_personal_data() {
    let stage = InProcess::start().await;
    let (client, customer) = customer_with_all_data(&stage).await;

    let before = stage.table.dump();
    let sealed = sealed_in(&before, &stage.app.sealer);
    let (known, others): (Vec<Opened>, Vec<Opened>) = openable(&stage, &sealed, &before)
        .into_iter()
        .partition(Opened::mentions_the_person);
    assert_eq!(
        known.len() + others.len(),
        sealed.len(),
        "this test opens each sealed text"
    );
    let all = BTreeSet::from([
        "callback log",
        "callback sealedPerson",
        "idempotency sealedAnswer",
    ]);
    assert_eq!(
        (kept_in(&known), known.len()),
        (all, 4),
        "the creation's answer, the callback, and two receiver answers"
    );

    let path = format!("/v1/customers/{customer}");
    let _ = client.api.delete(&path).await.ok();
    let after = stage.table.dump();
    assert!(
        !json!(after).to_string().to_lowercase().contains(CANARY),
        "nothing is stored in plain text"
    );
    // Sealed texts may have been copied earlier: the remaining rows must not open them either.
    let copied: Vec<Sealed> = known.into_iter().map(|opened| opened.sealed).collect();
    assert_eq!(kept_in(&openable(&stage, &copied, &after)), BTreeSet::new());
    let opened: Vec<Opened> = openable(&stage, &sealed_in(&after, &stage.app.sealer), &after);
    assert!(
        opened
            .iter()
            .any(|opened| opened.sealed.kept_in == "callback sealedBody"),
        "texts without personal data still open"
    );
    let opened: Vec<Opened> = opened
        .into_iter()
        .filter(Opened::mentions_the_person)
        .collect();
    assert_eq!(kept_in(&opened), BTreeSet::new());
}
