//! Lists for people, spreadsheets and programs.
//!
//! What stands in a list came from customers, scanners and other systems. On a terminal a control character
//! could rewrite what stands there, in a spreadsheet a cell that begins with a sign is a formula: both are
//! made harmless here, and nowhere else.

use super::Stop;
use serde_json::{Map, Value};

/// How an answer is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    Text,
    Json,
    Csv,
}

impl Form {
    pub fn of(json: bool, csv: bool) -> Form {
        match (json, csv) {
            (true, _) => Form::Json,
            (_, true) => Form::Csv,
            _ => Form::Text,
        }
    }
}

/// A text on one line of a terminal.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) { '?' } else { c }).collect()
}

/// A text as a cell that no spreadsheet runs: a sign in front makes it a formula, a quote in front of that
/// makes it a text again. Numbers stay numbers.
pub fn cell(text: &str) -> String {
    let number = |t: &str| {
        let body = t.strip_prefix('-').unwrap_or(t);
        !body.is_empty() && body.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    };
    match text.chars().find(|c| !c.is_whitespace()) {
        Some('=' | '+' | '-' | '@' | '|' | '%') if !number(text) => format!("'{text}"),
        _ if text.starts_with(['\t', '\r', '\n']) => format!("'{text}"),
        _ => text.to_owned(),
    }
}

/// One value as a cell.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => cell(text),
        other => cell(&other.to_string()),
    }
}

/// Rows as CSV with a header.
pub fn csv(columns: &[&str], rows: &[Map<String, Value>]) -> Result<String, Stop> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns).map_err(Stop::failed)?;
    for row in rows {
        let cells = columns.iter().map(|name| row.get(*name).map_or(String::new(), shown));
        writer.write_record(cells).map_err(Stop::failed)?;
    }
    let bytes = writer.into_inner().map_err(|e| Stop::failed(e.error()))?;
    String::from_utf8(bytes).map_err(Stop::failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_spreadsheet_runs_nothing() {
        for bad in ["=1+1", "+1", "-1+1", "@SUM(A1)", " =1", "\t=1", "\u{a0}=1", "%x", "|x"] {
            assert!(cell(bad).starts_with('\''), "{bad}");
        }
        for fine in ["", "-12.50", "12", "Acme", "a=b", "2026-03-02"] {
            assert_eq!(cell(fine), fine);
        }
        let row = json!({"a": "x,\"y\"\n", "b": null, "c": -3}).as_object().cloned().unwrap();
        assert_eq!(csv(&["a", "b", "c"], &[row]).unwrap(), "a,b,c\n\"x,\"\"y\"\"\n\",,-3\n");
    }

    #[test]
    fn a_terminal_sees_one_line() {
        assert_eq!(plain("a\u{1b}[2Jb\nc\u{202e}d"), "a?[2Jb?c?d");
    }

    proptest! {
        #[test]
        fn no_cell_begins_with_a_sign(text in "[ \t=+@a-]{0,6}") {
            prop_assert!(!cell(&text).trim_start().starts_with(['=', '+', '@']));
        }
    }
}
