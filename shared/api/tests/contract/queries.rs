//! Saved queries of the logs, and the rule that counts requests by client, name only fields that the code or the API writes, and
//! only log groups of the template.

use std::collections::BTreeSet;

use serde_json::Value;
use syn::visit::{self, Visit};

use crate::document::Document;
use crate::source::{folders, root};
use crate::template::{of_type, referred, resources, text};

const ACCESS: &str = "ApiAccessLogGroup";
/// Fields that Logs Insights adds to each line, and those that the subscriber writes: the level, the message and the span.
const ALWAYS: &[&str] = &["@log", "@message", "@timestamp", "level", "message"];
/// Commands and operators of the query language.
const WORDS: &[&str] = &[
    "and", "as", "asc", "by", "desc", "fields", "filter", "in", "like", "limit", "or", "sort",
    "stats",
];
const FUNCTIONS: &[&str] = &["count", "latest", "max", "pct"];

/// The members of the access log.
fn access_fields() -> BTreeSet<String> {
    let api = &resources()["Api"]["Properties"]["AccessLogSettings"];
    assert_eq!(referred(&api["DestinationArn"]), ACCESS);
    let line: Value = serde_json::from_str(&text(&api["Format"])).expect("JSON");
    line.as_object()
        .expect("an object")
        .keys()
        .cloned()
        .collect()
}

/// The fields of events in the sources of functions and shared crates.
#[derive(Default)]
struct Logged(BTreeSet<String>);

impl<'ast> Visit<'ast> for Logged {
    fn visit_macro(&mut self, one: &'ast syn::Macro) {
        let path: Vec<String> = one
            .path
            .segments
            .iter()
            .map(|s| s.ident.to_string())
            .collect();
        let levels = ["debug", "error", "info", "warn"];
        if let [krate, level] = path.as_slice()
            && krate == "tracing"
            && levels.contains(&level.as_str())
        {
            self.0.extend(fields_of(&one.tokens.to_string()));
        }
        visit::visit_macro(self, one);
    }
}

/// The names of fields in the arguments of an event: `a = b`, `%a`, `?a` and `a`. A text is the message.
fn fields_of(arguments: &str) -> Vec<String> {
    let mut depth = 0_usize;
    let mut quoted = false;
    let mut parts = vec![String::new()];
    for letter in arguments.chars() {
        match letter {
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth -= 1,
            ',' if depth == 0 && !quoted => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("a part").push(letter);
    }
    let name = |part: &String| {
        let name = part.split('=').next().unwrap_or_default();
        name.replace([' ', '%', '?'], "")
    };
    let is_name = |name: &String| {
        name.starts_with(|first: char| first.is_ascii_lowercase())
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_.".contains(c))
    };
    parts.iter().map(name).filter(is_name).collect()
}

fn logged_fields() -> BTreeSet<String> {
    let mut logged = Logged::default();
    for area in ["functions", "shared"] {
        for name in folders(area) {
            files(&root().join(area).join(name).join("src"), &mut logged);
        }
    }
    assert!(logged.0.len() > 15, "{:?}", logged.0);
    logged.0
}

fn files(folder: &std::path::Path, logged: &mut Logged) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, logged);
        } else {
            let source = std::fs::read_to_string(&path).expect("a source file");
            logged.visit_file(&syn::parse_file(&source).expect("Rust"));
        }
    }
}

/// The fields that a query reads, without the names that it gives itself.
fn fields_read(query: &str) -> BTreeSet<String> {
    let code = query.lines().filter(|line| !line.starts_with('#'));
    let code = code.collect::<Vec<_>>().join("\n");
    let plain: String = code.split('\'').step_by(2).collect::<Vec<_>>().join(" ");
    let words: Vec<&str> = plain
        .split(|c: char| !(c.is_ascii_alphanumeric() || "@_.".contains(c)))
        .filter(|word| !word.is_empty())
        .collect();
    let named: BTreeSet<&str> = words
        .windows(2)
        .filter(|pair| pair[0] == "as")
        .map(|pair| pair[1])
        .collect();
    let is_field = |word: &&&str| {
        let is_number = word.starts_with(|first: char| first.is_ascii_digit());
        !(is_number || WORDS.contains(word) || FUNCTIONS.contains(word) || named.contains(**word))
    };
    words
        .iter()
        .filter(is_field)
        .map(|word| (*word).to_owned())
        .collect()
}

fn queries() -> Vec<(String, Value)> {
    let queries = of_type("AWS::Logs::QueryDefinition");
    assert!(queries.len() > 5, "{queries:?}");
    queries
}

fn groups(query: &Value) -> BTreeSet<String> {
    let groups = query["LogGroupNames"].as_array().expect("log groups");
    groups.iter().map(referred).collect()
}

#[test]
fn a_saved_query_names_only_fields_that_are_written() {
    let (access, logged) = (access_fields(), logged_fields());
    for (name, query) in queries() {
        let groups = groups(&query);
        let read = fields_read(&text(&query["QueryString"]));
        assert!(read.len() > 2, "{name}: {read:?}");
        let written = |field: &String| {
            ALWAYS.contains(&field.as_str())
                || (groups.contains(ACCESS) && access.contains(field))
                || (groups.iter().any(|group| group != ACCESS) && logged.contains(field))
        };
        let missing: Vec<&String> = read.iter().filter(|field| !written(field)).collect();
        assert!(missing.is_empty(), "{name}: nobody writes {missing:?}");
    }
}

#[test]
fn a_field_that_nobody_writes_is_noticed() {
    let query = "# a comment of Rust\nfields @timestamp, order | filter state != 'new' and a.b like 'c d' | stats pct(order, 99) as p99 by e | sort p99";
    let read = fields_read(query);
    assert_eq!(
        read,
        ["@timestamp", "a.b", "e", "order", "state"]
            .map(str::to_owned)
            .into()
    );
    let event = "target : logs :: SHORT , callback = % callback . id , error = format ! (\"{:#}, \" , a , b) , % state , ? count , name , \"a text, too\"";
    assert_eq!(
        fields_of(event),
        ["callback", "error", "state", "count", "name"]
    );
}

#[test]
fn queries_of_functions_search_the_logs_of_all() {
    let all: BTreeSet<String> = of_type("AWS::Logs::LogGroup")
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let functions = of_type("AWS::Serverless::Function").len();
    assert_eq!(
        all.len(),
        functions + 1,
        "one for each function, and the API's"
    );
    for (name, query) in queries() {
        let groups = groups(&query);
        assert!(groups.is_subset(&all), "{name}: {groups:?}");
        let (mut searched, mut own) = (groups.clone(), all.clone());
        let _ = (searched.remove(ACCESS), own.remove(ACCESS));
        // Of one function, or of all.
        assert!(
            searched.len() < 2 || searched == own,
            "{name}: {searched:?}"
        );
    }
}

#[test]
fn the_runbook_lists_every_saved_query() {
    let listed: BTreeSet<String> = Document::read("docs/operations.md")
        .table("## Saved queries")
        .iter()
        .map(|row| row[0].trim_matches('`').to_owned())
        .collect();
    let name = |(_, query): (String, Value)| {
        text(&query["Name"]["Fn::Sub"]).replace("${AWS::StackName}/", "")
    };
    assert_eq!(listed, queries().into_iter().map(name).collect());
}

#[test]
fn requests_are_counted_by_the_clients_of_the_access_log() {
    let rules = of_type("AWS::CloudWatch::InsightRule");
    let [(_, rule)] = rules.as_slice() else {
        panic!("one rule: {rules:?}");
    };
    let body: Value = serde_json::from_str(&text(&rule["RuleBody"]["Fn::Sub"])).expect("JSON");
    assert_eq!(body["LogGroupNames"][0], format!("${{{ACCESS}}}"));
    let contribution = &body["Contribution"];
    for field in [
        &contribution["Keys"][0],
        &contribution["Filters"][0]["Match"],
    ] {
        let field = text(field).replace("$.", "");
        assert!(access_fields().contains(&field), "{field}");
    }
    // The operator and callers without a key have no client.
    assert_eq!(contribution["Filters"][0]["StartsWith"][0], "cli_");
    // The alarm reports a client long before it has the whole rate of the API.
    let template = tandem_testing::template();
    let limit = template["Parameters"]["BusyClientRequests"]["Default"].as_u64();
    let settings = &resources()["Api"]["Properties"]["DefaultRouteSettings"];
    let rate = settings["ThrottlingRateLimit"].as_u64().expect("a rate");
    assert!(
        limit.is_some_and(|limit| limit * 4 < rate * 60),
        "{limit:?} of {rate}"
    );
}
