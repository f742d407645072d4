//! What functions are let do with the table, tried in their names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

/// What a function is let do, e.g. `GetItem`, `Query gsi1` or `TransactWriteItems Put`.
#[derive(Debug, Deserialize)]
pub struct LetDo {
    /// With rows of API keys and the lists of them.
    pub keys: BTreeSet<String>,
    /// With other rows and lists.
    pub others: BTreeSet<String>,
}

/// What `infra/local/role_probe.py` finds on the stack of the stories, by function: `Offers`, `PurchaseCart`.
///
/// # Panics
/// It fails.
pub fn trespass() -> BTreeMap<String, LetDo> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace");
    let words = [
        "-m",
        "infra.local",
        "exec",
        "--",
        "python",
        "-m",
        "infra.local.role_probe",
    ];
    let output = Command::new("python3")
        .args(words)
        .current_dir(root)
        .output()
        .expect("Python 3.10 or newer is there");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}
