//! docs/errors.md tells of every code.

use std::collections::BTreeSet;

use tandem_api::Code;
use tandem_domain::import::decide::ItemProblem;

use crate::document::Document;
use crate::source::Sources;
use crate::story::example;

#[test]
fn the_problem_shown_is_one_that_is_answered() {
    assert_eq!(
        Document::read("docs/errors.md").json(0),
        *example("InvalidFields")
    );
}

#[test]
fn the_table_of_problems_is_that_of_the_code() {
    let told: Vec<_> = Document::read("docs/errors.md")
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
    assert_eq!(told, known.collect::<Vec<_>>());
}

#[test]
fn the_table_of_field_codes_names_all_that_the_code_knows() {
    let told: Vec<String> = Document::read("docs/errors.md")
        .table("## Codes of fields")
        .into_iter()
        .map(|row| row[0].trim_matches('`').to_owned())
        .collect();
    let once: BTreeSet<String> = told.iter().cloned().collect();
    assert_eq!(once.len(), told.len(), "a code stands there twice");
    assert_eq!(once, field_codes());
}

#[test]
fn the_table_of_what_fails_in_an_import_is_that_of_the_code() {
    let told: Vec<String> = Document::read("docs/imports.md")
        .table("## Why an item fails")
        .into_iter()
        .map(|row| row[0].clone())
        .collect();
    let known: Vec<String> = ItemProblem::ALL
        .iter()
        .map(|problem| format!("`{}`", problem.code()))
        .collect();
    assert_eq!(told, known);
}

/// The codes with which field errors are made.
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
        // Why items of an import fail stands in docs/imports.md.
        let of_fields =
            path.starts_with("tandem_domain::") && !path.starts_with("tandem_domain::import::");
        if of_fields && path.ends_with("::code") {
            codes.extend(body.texts.iter().cloned());
        }
    }
    codes
}
