//! What a bench found: tables of runs, and figures with their targets. Leaves as text for people or as
//! one JSON object. A target is held against its figure and printed; nothing fails because of it.

use serde_json::{Map, Value, json};
use std::fmt::Write;

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    AtMost(f64),
    Below(f64),
    AtLeast(f64),
    /// Told for its own sake.
    None,
}

impl Target {
    fn met(self, value: f64) -> Option<bool> {
        match self {
            Target::AtMost(most) => Some(value <= most),
            Target::Below(most) => Some(value < most),
            Target::AtLeast(least) => Some(value >= least),
            Target::None => None,
        }
    }

    fn words(self) -> Option<String> {
        match self {
            Target::AtMost(n) => Some(format!("<= {}", short(n))),
            Target::Below(n) => Some(format!("< {}", short(n))),
            Target::AtLeast(n) => Some(format!(">= {}", short(n))),
            Target::None => None,
        }
    }
}

/// One number that counts.
#[derive(Debug)]
pub struct Figure {
    pub what: String,
    pub value: f64,
    pub unit: &'static str,
    pub target: Target,
}

/// The runs behind the figures: a row each. Units stand in the column names.
#[derive(Debug)]
pub struct Table {
    pub columns: Vec<&'static str>,
    pub rows: Vec<Vec<f64>>,
}

/// What one stage found.
#[derive(Debug)]
pub struct Found {
    pub stage: &'static str,
    /// How it was measured, in one or two sentences.
    pub how: String,
    pub table: Table,
    pub figures: Vec<Figure>,
}

impl Found {
    pub fn new(stage: &'static str, how: impl Into<String>) -> Found {
        Found { stage, how: how.into(), table: Table { columns: Vec::new(), rows: Vec::new() }, figures: Vec::new() }
    }

    pub fn figure(&mut self, what: impl Into<String>, value: f64, unit: &'static str, target: Target) {
        self.figures.push(Figure { what: what.into(), value, unit, target });
    }

    /// For a terminal.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n  {}\n", self.stage.to_uppercase(), self.how);
        let wide: Vec<usize> = (0..self.table.columns.len())
            .map(|c| {
                let cells = self.table.rows.iter().filter_map(|r| r.get(c)).map(|v| short(*v).len());
                cells.max().unwrap_or(0).max(self.table.columns[c].len())
            })
            .collect();
        let mut line = |cells: &mut dyn Iterator<Item = String>| {
            let cells: Vec<String> = cells.zip(&wide).map(|(cell, &wide)| format!("{cell:>wide$}")).collect();
            let _ = writeln!(text, "    {}", cells.join("  "));
        };
        if !self.table.columns.is_empty() {
            line(&mut self.table.columns.iter().map(|c| (*c).to_owned()));
            for row in &self.table.rows {
                line(&mut row.iter().map(|v| short(*v)));
            }
        }
        for f in &self.figures {
            let said = match (f.target.words(), f.target.met(f.value)) {
                (Some(want), Some(met)) => format!("   target {want}: {}", if met { "met" } else { "MISSED" }),
                _ => String::new(),
            };
            let _ = writeln!(text, "  {:<44} {:>10} {:<7}{said}", f.what, short(f.value), f.unit);
        }
        text
    }

    pub fn json(&self) -> Value {
        let figures: Vec<Value> = self
            .figures
            .iter()
            .map(|f| {
                json!({
                    "what": f.what, "value": f.value, "unit": f.unit,
                    "target": f.target.words(), "met": f.target.met(f.value),
                })
            })
            .collect();
        let runs: Vec<Value> = self
            .table
            .rows
            .iter()
            .map(|row| {
                let cells = self.table.columns.iter().zip(row).map(|(c, v)| ((*c).to_owned(), json!(v)));
                Value::Object(cells.collect::<Map<String, Value>>())
            })
            .collect();
        json!({"stage": self.stage, "how": self.how, "figures": figures, "runs": runs})
    }
}

/// Three or four digits that matter.
fn short(n: f64) -> String {
    match n.abs() {
        0.0 => "0".to_owned(),
        a if a >= 1000.0 || n.fract() == 0.0 => grouped(n.round() as i64),
        a if a >= 100.0 => format!("{n:.0}"),
        a if a >= 10.0 => format!("{n:.1}"),
        a if a >= 0.1 => format!("{n:.2}"),
        _ => format!("{n:.4}"),
    }
}

fn grouped(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut text = String::from(if n < 0 { "-" } else { "" });
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (n, text) in [
            (0.0, "0"),
            (3.0, "3"),
            (-1234567.0, "-1,234,567"),
            (999.6, "1000"),
            (12345.6, "12,346"),
            (123.4, "123"),
            (12.34, "12.3"),
            (1.234, "1.23"),
            (0.01234, "0.0123"),
        ] {
            assert_eq!(short(n), text);
        }
    }

    #[test]
    fn a_target_is_held_against_its_figure_in_text_and_json() {
        let mut found = Found::new("scan", "as it is");
        found.table = Table { columns: vec!["run", "p50 ms"], rows: vec![vec![1.0, 0.5], vec![2.0, 12.25]] };
        found.figure("ratio", 2.1, "x", Target::AtMost(2.0));
        found.figure("rate", 10_000.0, "/s", Target::AtLeast(10_000.0));
        found.figure("bytes", 7.0, "B", Target::None);
        let text = found.text();
        assert!(text.contains("target <= 2: MISSED") && text.contains("target >= 10,000: met"), "{text}");
        assert_eq!(text.matches("target").count(), 2, "{text}");
        let json = found.json();
        assert_eq!(json["figures"][0]["met"], false);
        assert_eq!(json["figures"][2]["met"], Value::Null);
        assert_eq!(json["runs"][1]["p50 ms"], 12.25);
    }

    #[test]
    fn below_is_not_at_most() {
        assert_eq!(Target::Below(12.0).met(12.0), Some(false));
        assert_eq!(Target::AtMost(12.0).met(12.0), Some(true));
    }
}
