//! Settings from environment variables, which the template sets.

use anyhow::{Context, Result};

/// # Errors
/// The setting is missing or empty; the error names it.
pub fn required(name: &'static str) -> Result<String> {
    let value = std::env::var(name)
        .with_context(|| format!("the environment variable {name} is not set"))?;
    anyhow::ensure!(
        !value.is_empty(),
        "the environment variable {name} is empty"
    );
    Ok(value)
}

/// `None` if the setting is missing or empty.
pub fn optional(name: &'static str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
