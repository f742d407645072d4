//! Members that a row's key already says. They are not stored again: each unit of a write is a kilobyte.
//!
//! A member is left out only if it has the value that the key says, so no value is lost: a row whose `createdAt` is not the time
//! of its id keeps it.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use crate::entity::{Item, RawKey, string};

/// Removes those of the members that have the value which the key says. Keys have the form `<owner>#<id>` or `<id>`.
pub(crate) fn leave_out(item: &mut Item, key: &RawKey, members: &[&str]) {
    let said: Vec<_> = members
        .iter()
        .filter(|member| {
            string(item, member).is_some_and(|own| said(item, key, member) == Some(own))
        })
        .collect();
    for member in said {
        item.remove(*member);
    }
}

/// Adds those of the members that are missing, `createdAt` before members that follow from it.
pub(crate) fn add(item: &mut Item, key: &RawKey, members: &[&str]) {
    for member in members {
        if !item.contains_key(*member)
            && let Some(value) = said(item, key, member)
        {
            item.insert((*member).to_owned(), AttributeValue::S(value));
        }
    }
}

fn said(item: &Item, key: &RawKey, member: &str) -> Option<String> {
    let (owner, id) = match key.pk.split_once('#') {
        Some((owner, id)) => (Some(owner), id),
        None => (None, key.pk.as_str()),
    };
    match member {
        "clientId" => owner.map(str::to_owned),
        "id" => Some(id.to_owned()),
        "createdAt" => time_of(id).map(|time| time.to_string()),
        "externalHash" => {
            let tail = id.split_once('#')?.1;
            Some(format!("{tail}{}", key.sk.split('#').nth(1)?))
        }
        _ => string(item, "createdAt").or_else(|| time_of(id).map(|time| time.to_string())),
    }
}

/// The millisecond of an id, which is in the first twelve digits of its UUIDv7.
fn time_of(id: &str) -> Option<Timestamp> {
    let digits = id.split_once('_')?.1.get(..12)?;
    Timestamp::from_millisecond(i64::from_str_radix(digits, 16).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use proptest::prelude::*;

    fn item(members: &[(&str, &str)]) -> Item {
        let member = |(name, value): &(&str, &str)| {
            ((*name).to_owned(), AttributeValue::S((*value).to_owned()))
        };
        members.iter().map(member).collect()
    }

    fn key(pk: &str) -> RawKey {
        RawKey {
            pk: pk.to_owned(),
            sk: "order".to_owned(),
        }
    }

    const MEMBERS: &[&str] = &["clientId", "id", "createdAt", "updatedAt"];

    #[test]
    fn a_new_row_does_not_repeat_its_key() {
        let key = key("cli_1#ord_0190b8f5c6f77c3ab0a1000000000032");
        let mut row = item(&[
            ("clientId", "cli_1"),
            ("id", "ord_0190b8f5c6f77c3ab0a1000000000032"),
            ("createdAt", "2024-07-16T00:33:53.399Z"),
            ("updatedAt", "2024-07-16T00:33:53.399Z"),
            ("cartId", "crt_1"),
        ]);
        leave_out(&mut row, &key, MEMBERS);
        assert_eq!(row, item(&[("cartId", "crt_1")]));
    }

    proptest! {
        #[test]
        fn a_row_returns_with_all_its_members(
            owner in prop::sample::select(vec!["cli_1", "cli_2"]),
            created in prop::sample::select(vec!["2024-07-16T00:33:53.399Z", "2024-07-16T00:33:53.400Z", "2024-07-16T00:33:54Z"]),
            updated in prop::sample::select(vec!["2024-07-16T00:33:53.399Z", "2024-07-16T00:33:53.400Z", "2024-07-16T00:33:54Z"]),
        ) {
            let key = key("cli_1#ord_0190b8f5c6f77c3ab0a1000000000032");
            let row = item(&[
                ("clientId", owner), ("id", "ord_0190b8f5c6f77c3ab0a1000000000032"), ("createdAt", created), ("updatedAt", updated),
            ]);
            let mut stored: HashMap<_, _> = row.clone();
            leave_out(&mut stored, &key, MEMBERS);
            add(&mut stored, &key, MEMBERS);
            prop_assert_eq!(stored, row);
        }
    }
}
