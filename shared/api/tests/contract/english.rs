//! The language rule of docs/contributing.md, as far as a machine can check it: names of tests are short, doc lines do not begin
//! with "What", and comments avoid some words.

use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, ItemFn};

use crate::source::root;

/// Longest name of a test, in characters.
const LONGEST_NAME: usize = 60;
/// Words and phrases with a plainer replacement: say or report, again, fix, prevent, and so on.
const AVOIDED: &[&str] = &[
    "anew",
    "be let",
    "come about",
    "comes about",
    "hinder",
    "hinders",
    "let be",
    "lies in",
    "mend",
    "mends",
    "nobody's business",
    "of late",
    "stand for",
    "stands for",
    "stands in",
    "tell",
    "telling",
    "tells",
    "told",
];

/// All Rust files of the workspace with their texts; paths are relative to its folder.
fn sources() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for folder in ["functions", "fuzz", "shared", "tests"] {
        collect(&root().join(folder), &mut files);
    }
    assert!(files.len() > 200, "{} files", files.len());
    files
}

fn collect(folder: &Path, files: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("target") && !path.ends_with("node_modules") {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source file");
            let name = path.strip_prefix(root()).unwrap_or(&path).to_owned();
            files.push((name, text));
        }
    }
}

/// The comment of a line, doc comments included. A `//` in a string counts as the start of a comment.
fn comment(line: &str) -> Option<&str> {
    let line = line.trim_start();
    if line.starts_with("//") {
        return Some(line);
    }
    line.find(" // ").map(|start| &line[start + 1..])
}

/// The text of a doc line.
fn doc(line: &str) -> Option<&str> {
    let line = line.trim_start();
    line.strip_prefix("///")
        .or_else(|| line.strip_prefix("//!"))
        .map(str::trim)
}

#[derive(Default)]
struct TestNames(Vec<String>);

impl<'ast> Visit<'ast> for TestNames {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        let is_test = |attribute: &Attribute| {
            let last = attribute.path().segments.last();
            last.is_some_and(|segment| segment.ident == "test")
        };
        if item.attrs.iter().any(is_test) {
            self.0.push(item.sig.ident.to_string());
        }
        visit::visit_item_fn(self, item);
    }
}

#[test]
fn names_of_tests_have_at_most_60_characters() {
    let mut names = TestNames::default();
    for (path, text) in sources() {
        let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        names.visit_file(&file);
    }
    assert!(names.0.len() > 200, "{} tests", names.0.len());
    let long: Vec<&String> = names
        .0
        .iter()
        .filter(|name| name.len() > LONGEST_NAME)
        .collect();
    assert!(long.is_empty(), "shorten these names: {long:#?}");
}

#[test]
fn doc_lines_rarely_begin_with_what() {
    let (mut all, mut found) = (0, Vec::new());
    for (path, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            let Some(doc) = doc(line) else { continue };
            all += 1;
            if doc.split(' ').next() == Some("What") {
                found.push(format!("{}:{}: {doc}", path.display(), number + 1));
            }
        }
    }
    // Five of 1,000.
    assert!(
        found.len() * 200 < all,
        "name the thing instead of \"what\" in some of {} of {all} lines: {found:#?}",
        found.len()
    );
}

#[test]
fn comments_avoid_some_words() {
    let mut found = Vec::new();
    for (path, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            let words: Vec<String> = comment(line)
                .unwrap_or_default()
                .split(|c: char| !(c.is_alphanumeric() || c == '\''))
                .map(str::to_lowercase)
                .filter(|word| !word.is_empty())
                .collect();
            let text = format!(" {} ", words.join(" "));
            let avoided = AVOIDED
                .iter()
                .filter(|word| text.contains(&format!(" {word} ")));
            found.extend(avoided.map(|word| {
                let place = format!("{}:{}", path.display(), number + 1);
                format!("{place}: {word}")
            }));
        }
    }
    assert!(
        found.is_empty(),
        "say it in other words, see docs/contributing.md: {found:#?}"
    );
}
