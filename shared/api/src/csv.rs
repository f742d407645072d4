//! CSV that no spreadsheet runs as a formula.
//!
//! A spreadsheet may split a line at another delimiter than the writer: a German Excel splits at `;`. So every cell is in
//! quotation marks, and an apostrophe precedes each part of a text that begins as a formula. Parts are the text itself and the
//! text after each delimiter and line break. A part begins as a formula if its first character, after spaces, invisible
//! characters, apostrophes and quotation marks, is `=`, `+`, `-`, `@`, a variant of these, a tab or a line break (OWASP, "CSV
//! Injection"). infra/import_orders/cells.py has the same rule, and removes these apostrophes without loss.

use std::fmt::Display;

use tandem_domain::money::Money;

/// A written cell.
pub struct Cell(String);

impl Cell {
    pub fn text(value: impl Display) -> Self {
        Self(guarded(&value.to_string()))
    }

    /// An amount with the decimals of its currency; a sign does not make it a formula.
    pub fn decimal(value: Money) -> Self {
        Self(value.decimal())
    }

    /// A whole number; a sign does not make it a formula.
    pub fn number(value: impl Into<i64>) -> Self {
        Self(value.into().to_string())
    }
}

/// One line.
pub fn record(cells: impl IntoIterator<Item = Cell>) -> String {
    let quoted: Vec<String> = cells
        .into_iter()
        .map(|Cell(text)| format!("\"{}\"", text.replace('"', "\"\"")))
        .collect();
    quoted.join(",") + "\r\n"
}

fn guarded(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut begins = true;
    for (at, c) in text.char_indices() {
        if begins && begins_a_formula(&text[at..]) {
            written.push('\'');
        }
        written.push(c);
        begins = matches!(c, ',' | ';') || is_break(c);
    }
    written
}

fn begins_a_formula(part: &str) -> bool {
    part.chars()
        .find(|c| !is_skipped(*c))
        .is_some_and(|c| is_formula(c) || is_break(c))
}

fn is_break(c: char) -> bool {
    matches!(c, '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_formula(c: char) -> bool {
    matches!(c, '=' | '+' | '-' | '@' | '\u{2212}') // and the minus sign
        || matches!(c, '\u{FF1D}' | '\u{FF0B}' | '\u{FF0D}' | '\u{FF20}') // full-width
        || matches!(c, '\u{FE66}' | '\u{FE62}' | '\u{FE63}' | '\u{FE6B}') // small
        || matches!(c, '\u{207C}' | '\u{207A}' | '\u{207B}' | '\u{208C}' | '\u{208A}' | '\u{208B}') // superscript, subscript
}

fn is_skipped(c: char) -> bool {
    matches!(c, '"' | '\'' | '\u{2800}')
        || !is_break(c) && (c.is_whitespace() || c.is_control())
        || is_without_image(c)
}

/// Format characters, and others that have no image.
fn is_without_image(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{600}'..='\u{605}' | '\u{61C}' | '\u{6DD}' | '\u{70F}' | '\u{890}' | '\u{891}' | '\u{8E2}'
        | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFFB}' | '\u{110BD}' | '\u{110CD}' | '\u{13430}'..='\u{1343F}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The pairs that the Python side is tested with.
    const PAIRS: &str = include_str!("../../../infra/import_orders/tests/cells.json");

    #[test]
    fn texts_are_guarded_as_the_table_says() {
        let pairs: Vec<(String, String)> = serde_json::from_str(PAIRS).expect("pairs");
        for (text, expected) in pairs {
            assert_eq!(guarded(&text), expected, "{text:?}");
        }
    }

    #[test]
    fn numbers_keep_their_sign() {
        assert_eq!(
            record([Cell::number(-1250), Cell::text("-1250")]),
            "\"-1250\",\"'-1250\"\r\n"
        );
    }

    /// Every cell, read as leniently as a spreadsheet does.
    fn cells(text: &str, delimiter: u8) -> Vec<String> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(text.as_bytes());
        let rows = reader.records().map(|row| row.expect("a row"));
        rows.flat_map(|row| row.iter().map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }

    fn runs(cell: &str) -> bool {
        let unseen = |c: char| {
            c.is_whitespace() || c.is_control() || "\u{200B}\u{3164}\u{2800}\u{FEFF}".contains(c)
        };
        let seen = cell.trim_start_matches(unseen);
        cell.starts_with(['\t', '\r', '\n'])
            || seen.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '−'])
    }

    proptest! {
        #[test]
        fn no_spreadsheet_finds_a_formula(
            names in proptest::collection::vec("[=+@;,\"'a1 \t\r\n\u{A0}\u{200B}\u{3164}\u{2800}\u{FEFF}＝＋－＠−-]{0,8}|\\PC{0,6}", 1..4),
            amount in any::<i64>(),
        ) {
            // As in the payout list: an id first, names and amounts in between.
            let line = || {
                let names = names.iter().map(Cell::text);
                let around = [Cell::text("pay_1"), Cell::number(amount)];
                record(around.into_iter().chain(names).chain([Cell::number(amount), Cell::text("")]))
            };
            let text = line() + &line();
            for delimiter in [b',', b';', b'\t'] {
                for cell in cells(&text, delimiter) {
                    prop_assert!(!runs(&cell) || cell == amount.to_string(), "{cell:?} of {text:?}");
                }
            }
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
            for row in reader.records() {
                let read: Vec<String> = row.expect("a row").iter().skip(2).take(names.len()).map(str::to_owned).collect();
                prop_assert_eq!(read, names.iter().map(|name| guarded(name)).collect::<Vec<_>>());
            }
        }
    }
}
