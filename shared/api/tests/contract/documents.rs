//! SECURITY.md and docs/guarantees.md name a test for each promise. Those tests exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::document::Document;
use crate::source::root;
use crate::template::of_type;

/// Names of tests on a page: text between backticks that consists of at least four words.
fn named(page: &str) -> BTreeSet<&str> {
    let name = |text: &&str| {
        let words = text.split('_');
        text.bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            && words.count() >= 4
    };
    page.split('`').skip(1).step_by(2).filter(name).collect()
}

fn tests_below(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
    {
        if entry.is_dir() && !entry.ends_with("node_modules") {
            tests_below(&entry, names);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            rust_tests(&fs::read_to_string(&entry).expect("text"), names);
        } else if entry.extension().is_some_and(|extension| extension == "py") {
            let text = fs::read_to_string(&entry).expect("text");
            let functions = text
                .lines()
                .filter_map(|line| line.trim().strip_prefix("def "));
            let tests = functions.filter(|function| function.starts_with("test_"));
            names.extend(
                tests
                    .filter_map(|test| test.split('(').next())
                    .map(str::to_owned),
            );
        }
    }
}

fn rust_tests(text: &str, names: &mut BTreeSet<String>) {
    let mut attributed = false;
    for line in text.lines().map(str::trim) {
        attributed |= line.starts_with("#[test") || line.starts_with("#[tokio::test");
        let function = line.trim_start_matches("async ").strip_prefix("fn ");
        if let Some(name) = function
            .and_then(|rest| rest.split('(').next())
            .filter(|_| attributed)
        {
            names.insert(name.to_owned());
            attributed = false;
        }
    }
}

#[test]
fn every_test_that_a_page_names_exists() {
    let root = root();
    let mut tests = BTreeSet::new();
    for folder in ["shared", "functions", "tests", "infra"] {
        tests_below(&root.join(folder), &mut tests);
    }
    assert!(tests.len() > 300, "{}", tests.len());
    for page in ["SECURITY.md", "docs/contributing.md", "docs/guarantees.md"] {
        let text = fs::read_to_string(root.join(page)).expect(page);
        let named = named(&text);
        assert!(named.len() > 15, "{page}: {named:?}");
        let missing: Vec<&&str> = named
            .iter()
            .filter(|name| !tests.contains(**name))
            .collect();
        assert!(
            missing.is_empty(),
            "{page} names tests that do not exist: {missing:#?}"
        );
    }
}

#[test]
fn the_runbook_lists_every_alarm() {
    let listed: BTreeSet<String> = Document::read("docs/operations.md")
        .table("## The alarms")
        .iter()
        .flat_map(|row| row[0].split(", "))
        .map(|name| name.trim_matches('`').to_owned())
        .collect();
    let deployed = of_type("AWS::CloudWatch::Alarm").into_iter();
    let deployed = deployed.chain(of_type("AWS::Budgets::Budget"));
    assert_eq!(listed, deployed.map(|(name, _)| name).collect());
}
