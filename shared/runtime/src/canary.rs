//! A function with a wrong data key does not start.
//!
//! Otherwise it would seal values that no other function opens, and open none. The table holds a value that is sealed under the
//! key of this table, the canary. A function reads it with its first call to the table.
//!
//! Not guaranteed: a function that started before the secret was changed keeps its keys until it starts again.

use anyhow::{Context as _, Result, ensure};
use tandem_sealing::{Purpose, Sealer};
use tandem_store::rows::Canary;

/// The name of the row.
const NAME: &str = "canary";
const TEXT: &[u8] = b"tandem";
const WRONG_KEY: &str = "the secret DATA_KEY_SECRET_ARN has not the key under which the values of this table are sealed; docs/operations.md, \"Changing the data key\", says how to find it";

/// The canary of a new table.
pub fn new(sealer: &Sealer) -> Canary {
    let sealed = sealer.seal(Purpose::Canary, NAME, TEXT);
    Canary {
        sealed: sealed.into(),
    }
}

/// Fails if the table has a canary that the sealer does not open.
///
/// # Errors
/// The data key is another one.
pub fn check(canary: Option<&Canary>, sealer: &Sealer) -> Result<()> {
    let Some(canary) = canary else {
        return Ok(());
    };
    let opened = sealer.open(Purpose::Canary, NAME, &canary.sealed);
    ensure!(opened.context(WRONG_KEY)? == TEXT, WRONG_KEY);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_tables_own_key_passes() {
        let sealer = |keys: &str| Sealer::from_secret(keys).expect("keys");
        let (old, new_key) = ("x".repeat(32), "y".repeat(32));
        let canary = new(&sealer(&old));
        for (keys, passes) in [
            (old.clone(), true),
            (format!("{old}\n{new_key}"), true),
            (format!("{new_key}\n{old}"), true),
            (new_key, false),
        ] {
            let checked = check(Some(&canary), &sealer(&keys));
            assert_eq!(checked.is_ok(), passes);
            let text = checked.err().map(|error| format!("{error:#}"));
            assert!(text.is_none_or(|text| text.contains("DATA_KEY_SECRET_ARN")));
        }
        assert!(check(None, &sealer(&old)).is_ok(), "an empty table");
    }
}
