//! Prints results as aligned lines.

#[expect(clippy::print_stdout, reason = "a benchmark prints")]
pub fn line(label: &str, value: impl std::fmt::Display) {
    println!("{label:<58} {value:>14}");
}

#[expect(clippy::print_stdout, reason = "a benchmark prints")]
pub fn say(text: impl std::fmt::Display) {
    println!("{text}");
}
