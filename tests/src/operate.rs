//! The operating tool.

use std::path::Path;
use std::process::Command;

/// The output of `python3 -m infra.operate` on the local stack.
pub fn operate(arguments: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace");
    let output = Command::new("python3")
        .args(["-m", "infra.operate"])
        .args(arguments)
        .arg("--local")
        .current_dir(root)
        .output()
        .expect("Python 3.10 or newer is installed");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
