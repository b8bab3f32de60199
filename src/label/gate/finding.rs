//! What the gate says of a file: where, what, and what to do about it.

use std::fmt;

/// Whether a label may pass in spite of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Warn,
    Refuse,
}

/// What kind of thing it is, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// A command that a label must not have, or should not.
    Command,
    /// The file as a whole: its size, its one format.
    Form,
    /// A placeholder, or the data for it.
    Field,
    /// Something stands partly or wholly beside the stock.
    OffStock,
    /// A barcode's clear space.
    QuietZone,
    /// Bars that the head prints too thin.
    ThinBars,
}

/// One finding. Reads as `line 3, byte 57: ^JU saves ...: delete it`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    pub severity: Severity,
    pub code: Code,
    /// From 1.
    pub line: usize,
    /// From 0, in the whole file.
    pub byte: usize,
    /// What is found, in one sentence without its end.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, byte {}: {}: {}", self.line, self.byte, self.what, self.remedy)
    }
}

/// More are counted, not listed: a file of ten thousand mistakes has one.
const LISTED_MAX: usize = 100;
/// More warnings are not collected at all.
const COLLECTED_MAX: usize = 1_000;

/// Findings in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Findings {
    pub list: Vec<Finding>,
}

impl Findings {
    /// Whether the label must not be printed.
    pub fn refused(&self) -> bool {
        self.list.iter().any(|f| f.severity == Severity::Refuse)
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Sorted by place, refusals first where there are too many to list.
    pub(in crate::label) fn sorted(mut list: Vec<Finding>) -> Findings {
        list.dedup();
        if list.len() > LISTED_MAX {
            let more = list.len() - LISTED_MAX;
            list.sort_by_key(|f| (std::cmp::Reverse(f.severity), f.byte));
            list.truncate(LISTED_MAX);
            if let Some(last) = list.last_mut() {
                last.remedy = format!("{} (and {more} findings more)", last.remedy);
            }
        }
        list.sort_by_key(|f| f.byte);
        Findings { list }
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.list.iter().map(Finding::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Findings {}

/// Collects findings about one source.
pub(in crate::label) struct Notes<'a> {
    source: &'a [u8],
    /// Up to where lines are counted, and how many: sources are walked from front to back.
    counted: (usize, usize),
    pub list: Vec<Finding>,
}

impl<'a> Notes<'a> {
    pub fn new(source: &'a [u8]) -> Notes<'a> {
        Notes { source, counted: (0, 1), list: Vec::new() }
    }

    pub fn refuse(&mut self, code: Code, byte: usize, what: impl Into<String>, remedy: impl Into<String>) {
        self.note(Severity::Refuse, code, byte, what.into(), remedy.into());
    }

    pub fn warn(&mut self, code: Code, byte: usize, what: impl Into<String>, remedy: impl Into<String>) {
        self.note(Severity::Warn, code, byte, what.into(), remedy.into());
    }

    fn note(&mut self, severity: Severity, code: Code, byte: usize, what: String, remedy: String) {
        // Room for refusals is kept free, so that a thousand warnings cannot hide one.
        let full = if severity == Severity::Warn { COLLECTED_MAX } else { 2 * COLLECTED_MAX };
        if self.list.len() >= full {
            return;
        }
        let line = self.line(byte);
        self.list.push(Finding { severity, code, line, byte, what, remedy });
    }

    fn line(&mut self, byte: usize) -> usize {
        let byte = byte.min(self.source.len());
        let (from, line) = if byte >= self.counted.0 { self.counted } else { (0, 1) };
        let line = line + self.source[from..byte].iter().filter(|&&b| b == b'\n').count();
        self.counted = (byte, line);
        line
    }
}
