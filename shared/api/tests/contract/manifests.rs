//! `cargo test` runs every test of a package and no empty test binary.

use std::path::{Path, PathBuf};

use crate::source::{folders, root};

#[test]
fn packages_switch_off_exactly_the_tests_they_lack() {
    let libraries = packages().into_iter();
    for package in libraries.filter(|package| package.join("src/lib.rs").exists()) {
        let manifest = read(&package.join("Cargo.toml"));
        let source = source(&package.join("src"));
        let name = package.display();
        assert_eq!(
            section(&manifest, "[lib]").contains("\ntest = false"),
            !source.contains("#[cfg(test)]"),
            "{name}: unit tests of the library"
        );
        assert_eq!(
            section(&manifest, "[lib]").contains("\ndoctest = false"),
            !has_doc_tests(&source),
            "{name}: doc tests"
        );
    }
}

/// The programs are a few lines each; their tests are the library's.
#[test]
fn no_program_has_a_test_binary() {
    for package in packages() {
        let manifest = read(&package.join("Cargo.toml"));
        let name = package.display();
        let programs = usize::from(package.join("src/main.rs").exists())
            + std::fs::read_dir(package.join("src/bin")).map_or(0, Iterator::count);
        let sections: Vec<&str> = manifest.split("\n[[bin]]").skip(1).collect();
        assert_eq!(sections.len(), programs, "{name}");
        for section in sections {
            let own = section.split("\n[").next().unwrap_or_default();
            assert!(own.contains("\ntest = false"), "{name}: {own}");
        }
    }
}

/// An opening fence without a language is Rust, and so a test.
fn has_doc_tests(source: &str) -> bool {
    let fences = source.lines().filter_map(|line| {
        let comment = line.trim_start();
        comment
            .strip_prefix("//!")
            .or(comment.strip_prefix("///"))?
            .trim_start()
            .strip_prefix("```")
    });
    fences
        .step_by(2)
        .any(|language| ["", "rust"].contains(&language))
}

fn packages() -> Vec<PathBuf> {
    let beneath = |folder| {
        folders(folder)
            .into_iter()
            .map(move |name| root().join(folder).join(name))
    };
    ["functions", "shared", "tests"]
        .into_iter()
        .flat_map(beneath)
        .chain([root().join("tests")])
        .collect()
}

fn source(folder: &Path) -> String {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("a folder of sources")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| {
            if path.is_dir() {
                source(path)
            } else {
                read(path)
            }
        })
        .collect()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn section<'a>(manifest: &'a str, name: &str) -> &'a str {
    let from = manifest.find(&format!("\n{name}\n"));
    let section = from.map_or("", |at| &manifest[at + name.len() + 1..]);
    section.split("\n[").next().unwrap_or_default()
}
