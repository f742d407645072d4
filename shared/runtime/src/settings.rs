//! Settings from the environment, where the template puts them.

use anyhow::{Context, Result};

/// A setting that must be there.
///
/// # Errors
/// It is absent or empty; the error names it.
pub fn required(name: &'static str) -> Result<String> {
    let value = std::env::var(name)
        .with_context(|| format!("the environment variable {name} is not set"))?;
    anyhow::ensure!(
        !value.is_empty(),
        "the environment variable {name} is empty"
    );
    Ok(value)
}

/// A setting that may be absent or empty.
pub fn optional(name: &'static str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
