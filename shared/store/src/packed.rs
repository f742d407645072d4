//! Packs members that nothing but their own type reads into one binary attribute: their JSON, deflated with a dictionary of the
//! words that they have in common (RFC 1951). Each unit of a write is a kilobyte. infra/operate/packed.py unpacks them.
//!
//! ```text
//! number of the dictionary | deflated JSON
//!          1 octet         |
//! ```

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Value};
use tandem_deflate::{MAX_INFLATED, inflate};

use crate::entity::Item;

/// The binary attribute.
pub(crate) const PACKED: &str = "packed";
/// The largest JSON: a row has at most 400 kB, and a corrupt one must not fill the memory.
const MAX_JSON: usize = MAX_INFLATED;
/// The dictionaries by number, from 1. Never change one: rows that were packed with it could no longer be read. A new one is
/// appended; the last one packs.
const DICTIONARIES: [&[u8]; 1] = [include_bytes!("../dictionaries/1.txt")];

/// Moves the members into the attribute, if there are any.
pub(crate) fn pack(item: &mut Item, members: &[&str]) -> Result<(), String> {
    let found: Item = members
        .iter()
        .filter_map(|member| item.remove_entry(*member))
        .collect();
    if found.is_empty() {
        return Ok(());
    }
    let json: Map<String, Value> =
        serde_dynamo::from_item(found).map_err(|error| error.to_string())?;
    let json = serde_json::to_vec(&json).map_err(|error| error.to_string())?;
    let (number, dictionary) = (1..).zip(DICTIONARIES).last().ok_or("no dictionary")?;
    let mut octets = vec![number];
    octets.extend(deflate(dictionary, &json).ok_or("too large")?);
    item.insert(PACKED.to_owned(), AttributeValue::B(Blob::new(octets)));
    Ok(())
}

/// Moves the members back out of the attribute.
pub(crate) fn unpack(item: &mut Item) -> Result<(), String> {
    let octets = match item.get(PACKED) {
        None => return Ok(()),
        Some(AttributeValue::B(octets)) => octets.as_ref(),
        Some(_) => return Err("its packed members are not binary".to_owned()),
    };
    let members = members(octets).ok_or("its packed members are corrupt")?;
    let members: Item = serde_dynamo::to_item(members).map_err(|error| error.to_string())?;
    item.remove(PACKED);
    item.extend(members);
    Ok(())
}

/// The members in the octets of the attribute.
pub fn members(octets: &[u8]) -> Option<Map<String, Value>> {
    let (number, deflated) = octets.split_first()?;
    let dictionary = DICTIONARIES.get(usize::from(*number).checked_sub(1)?)?;
    serde_json::from_slice(&inflate(dictionary, deflated)?).ok()
}

fn deflate(dictionary: &[u8], json: &[u8]) -> Option<Vec<u8>> {
    if json.len() > MAX_JSON {
        return None;
    }
    tandem_deflate::deflate(dictionary, json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn item(json: Value) -> Item {
        serde_dynamo::to_item(json).expect("an item")
    }

    proptest! {
        #[test]
        fn packed_members_are_read_unchanged(text in ".{0,80}", number in any::<i64>(), list in prop::collection::vec(any::<bool>(), 0..9)) {
            let row = item(serde_json::json!({"pk": text, "text": text, "list": list, "null": null, "deep": {"number": number}}));
            let mut packed = row.clone();
            prop_assert_eq!(pack(&mut packed, &["text", "list", "null", "deep", "absent"]), Ok(()));
            prop_assert_eq!(packed.len(), 2);
            prop_assert_eq!(unpack(&mut packed), Ok(()));
            prop_assert_eq!(packed, row);
        }

        #[test]
        fn corrupt_octets_are_refused(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut row = Item::from([(PACKED.to_owned(), AttributeValue::B(Blob::new(octets)))]);
            let _ = unpack(&mut row);
        }
    }

    #[test]
    fn an_unpacked_row_has_a_bound() {
        let bomb = deflate(DICTIONARIES[0], &vec![b'1'; MAX_JSON]).expect("deflated");
        assert!(inflate(DICTIONARIES[0], &bomb).is_some_and(|json| json.len() == MAX_JSON));
        let larger = tandem_deflate::deflate(DICTIONARIES[0], &vec![b'1'; MAX_JSON + 1]);
        let larger = larger.expect("deflated");
        assert_eq!(inflate(DICTIONARIES[0], &larger), None);
        assert_eq!(deflate(DICTIONARIES[0], &vec![b'1'; MAX_JSON + 1]), None);
    }

    #[test]
    fn a_row_without_the_members_stays_as_it_is() {
        let row = item(serde_json::json!({"pk": "a"}));
        let mut packed = row.clone();
        assert_eq!(pack(&mut packed, &["text"]), Ok(()));
        assert_eq!(unpack(&mut packed), Ok(()));
        assert_eq!(packed, row);
    }

    #[test]
    fn the_dictionaries_never_change() {
        let sum = |dictionary: &[u8]| {
            let add = |sum: u64, octet: &u8| sum.wrapping_mul(31).wrapping_add((*octet).into());
            (dictionary.len(), dictionary.iter().fold(0, add))
        };
        assert_eq!(DICTIONARIES.map(sum), [(2678, 516_285_175_783_640_543)]);
    }
}
