//! Stored rows of earlier releases, a folder for each. This release reads all of them: they are in the table after an upgrade,
//! and during a rollout both releases work on the same rows.

use std::fs;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::stored::text_as_sealed;

/// Every stored row of every earlier release: its name, its file and its text.
fn rows() -> Vec<(String, PathBuf, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/decisions/releases");
    let entries = |folder: PathBuf| {
        fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
    };
    let row = |file: PathBuf| {
        let name = file
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let text = fs::read_to_string(&file).expect("text");
        (name, file, text)
    };
    entries(folder.into()).flat_map(entries).map(row).collect()
}

/// Reads the rows of this name that earlier releases wrote.
pub(crate) fn read<T: DeserializeOwned>(name: &str) {
    for (_, file, text) in rows().iter().filter(|(of, _, _)| of == name) {
        let mut row: Value = serde_json::from_str(text).expect("JSON");
        // The store writes it into every row, also of a value without the member.
        if let Some(members) = row.as_object_mut() {
            members.entry("version").or_insert(1.into());
        }
        if let Err(error) = serde_json::from_value::<T>(text_as_sealed(row)) {
            panic!("{} cannot be read: {error}", file.display());
        }
    }
}

/// Adds an unknown member to each object: a later release may write more members, and this one reads its rows during a rollout and
/// after a rollback.
pub(crate) fn with_unknown(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Map<String, Value> = members
                .into_iter()
                .map(|(name, member)| {
                    // A map: its keys are not members.
                    let is_map = name == "notes";
                    let member = if is_map { member } else { with_unknown(member) };
                    (name, member)
                })
                .collect();
            members.insert("ofALaterRelease".to_owned(), json!([{"a": null}, "b", 3]));
            Value::Object(members)
        }
        Value::Array(items) => items.into_iter().map(with_unknown).collect(),
        other => other,
    }
}

#[test]
fn every_row_of_an_earlier_release_has_a_reader() {
    let (rows, readers) = (rows(), include_str!("stored.rs"));
    assert!(rows.len() > 50);
    for (name, file, _) in rows {
        let reads = readers.contains(&format!("\"{name}\""));
        assert!(reads, "nothing reads {}", file.display());
    }
}
