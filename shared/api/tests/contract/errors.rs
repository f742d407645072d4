//! Compares docs/errors.md and docs/imports.md with the codes in the source.

use std::collections::BTreeSet;

use tandem_api::Code;
use tandem_domain::import::decide::ItemProblem;

use crate::document::Document;
use crate::source::Sources;
use crate::story::example;

#[test]
fn the_problem_shown_is_the_example() {
    assert_eq!(
        Document::read("docs/errors.md").json(0),
        *example("InvalidFields")
    );
}

#[test]
fn the_page_lists_every_problem() {
    let listed: Vec<_> = Document::read("docs/errors.md")
        .table("## All problems")
        .into_iter()
        .map(|row| row[..3].to_vec())
        .collect();
    let known = Code::ALL.iter().map(|code| {
        vec![
            format!("`{}`", code.as_str()),
            code.status().to_string(),
            code.title().into(),
        ]
    });
    assert_eq!(listed, known.collect::<Vec<_>>());
}

#[test]
fn the_page_lists_every_field_code() {
    let listed: Vec<String> = Document::read("docs/errors.md")
        .table("## Codes of fields")
        .into_iter()
        .map(|row| row[0].trim_matches('`').to_owned())
        .collect();
    let unique: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(unique.len(), listed.len(), "the page lists a code twice");
    assert_eq!(unique, field_codes());
}

#[test]
fn the_page_lists_every_reason_of_a_failed_item() {
    let listed: Vec<String> = Document::read("docs/imports.md")
        .table("## Why an item fails")
        .into_iter()
        .map(|row| row[0].clone())
        .collect();
    let known: Vec<String> = ItemProblem::ALL
        .iter()
        .map(|problem| format!("`{}`", problem.code()))
        .collect();
    assert_eq!(listed, known);
}

/// The codes of field errors in the source.
fn field_codes() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for (path, body) in Sources::get().beneath("") {
        for (called, arguments) in &body.calls {
            let code = match called.rsplit("::").next() {
                Some("one") if called.ends_with("FieldErrors::one") => arguments.first(),
                Some("at") if called.ends_with("FieldErrors::at") => arguments.get(1),
                Some("field") if called.ends_with("refusals::field") => arguments.get(1),
                Some("FieldError") => arguments.get(1),
                _ => None,
            };
            codes.extend(code.cloned().flatten());
        }
        // docs/imports.md lists the codes of failed items.
        let of_fields =
            path.starts_with("tandem_domain::") && !path.starts_with("tandem_domain::import::");
        if of_fields && path.ends_with("::code") {
            codes.extend(body.texts.iter().cloned());
        }
    }
    codes
}
