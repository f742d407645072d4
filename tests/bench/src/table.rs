//! Results as aligned lines.

/// Prints a line of a table: what, how much.
#[expect(clippy::print_stdout, reason = "a benchmark prints")]
pub fn line(what: &str, value: impl std::fmt::Display) {
    println!("{what:<58} {value:>14}");
}

/// Prints a line of text.
#[expect(clippy::print_stdout, reason = "a benchmark prints")]
pub fn say(text: impl std::fmt::Display) {
    println!("{text}");
}
