//! The commands of those who run Tandem.

use std::path::Path;
use std::process::Command;

/// What `python3 -m infra.operate` says on the stack of the stories.
///
/// # Panics
/// It fails.
pub fn operate(words: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace");
    let command = Command::new("python3")
        .args(["-m", "infra.operate"])
        .args(words)
        .arg("--local")
        .current_dir(root)
        .output();
    let output = command.expect("Python 3.10 or newer is there");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
