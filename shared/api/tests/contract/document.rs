//! Reads Markdown documents.

use serde_json::Value;

use crate::source::root;

pub(crate) struct Document(pub(crate) String);

impl Document {
    pub(crate) fn read(path: &str) -> Self {
        Self(
            std::fs::read_to_string(root().join(path))
                .unwrap_or_else(|error| panic!("{path}: {error}")),
        )
    }

    /// The cells of the table below a heading, row by row, without its header.
    pub(crate) fn table(&self, heading: &str) -> Vec<Vec<String>> {
        let rows = self.0.lines().skip_while(|line| *line != heading).skip(1);
        let rows = rows
            .skip_while(|line| !line.starts_with('|'))
            .take_while(|line| line.starts_with('|'))
            .skip(2);
        let cells = |row: &str| {
            row.trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().to_owned())
                .collect()
        };
        rows.map(cells).collect()
    }

    /// The code blocks of a language.
    pub(crate) fn blocks(&self, language: &str) -> Vec<&str> {
        let fence = format!("```{language}\n");
        self.0
            .split(fence.as_str())
            .skip(1)
            .filter_map(|rest| Some(rest.split_once("```")?.0))
            .collect()
    }

    /// The JSON block with this number, from 0.
    pub(crate) fn json(&self, number: usize) -> Value {
        serde_json::from_str(self.blocks("json")[number]).expect("JSON")
    }
}
