//! The access of each function's role to the table, tried out on the stack.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

/// The calls that succeed in a function's name, e.g. `GetItem`, `Query gsi1` or `TransactWriteItems Put`.
#[derive(Debug, Deserialize)]
pub struct Access {
    /// On rows and lists of API keys.
    pub keys: BTreeSet<String>,
    /// On all other rows and lists.
    pub others: BTreeSet<String>,
}

/// The result of `infra/local/role_probe.py`, by function: `Offers`, `PurchaseCart`.
pub fn table_access() -> BTreeMap<String, Access> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace");
    let arguments = [
        "-m",
        "infra.local",
        "exec",
        "--",
        "python",
        "-m",
        "infra.local.role_probe",
    ];
    let output = Command::new("python3")
        .args(arguments)
        .current_dir(root)
        .output()
        .expect("Python 3.10 or newer is installed");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"))
}
