//! A strict reader of TOML documents, for the station's configuration and for program files.
//!
//! Problem: a mistyped key that is silently ignored is a rule that silently does not hold. A clerk who
//! edits a file wants every mistake at once, each with its line.
//!
//! In: the file's name (for messages only) and its text. Out: the value built from it, or the list of
//! *all* problems, each with file, line, key and what to do. Promised: every key is either asked for or
//! reported with the nearest known one; nothing is converted silently; no input panics.
//!
//! ```text
//! let read = strict_toml::read("dock.toml", text, |root| Dock {
//!     station: root.table("station", |s| Station {
//!         id: s.string("id").required(),
//!         badge: s.choice("badge", &[("optional", Badge::Optional), ("required", Badge::Required)]).or(Badge::Optional),
//!     }),
//!     printers: root.tables("printer", |p| Printer {
//!         port: p.integer("port", 1..=65535).or(9100),
//!         address: p.parsed("address", IpAddr::from([0; 4]), |text| text.parse::<IpAddr>()).required(),
//!     }),
//! })?;
//! ```
//!
//! A closure runs even where its table is missing (on an empty one), so that its required keys are
//! reported by name; what it builds is thrown away as soon as one problem exists.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use chrono::NaiveDate;
use toml::de::DeTable;

use crate::domain::facts::nearest;
use crate::domain::money::Amount;

mod convert;
mod report;
mod tree;
use convert::{chosen, day, one_line, one_or_many, whole};
pub use report::Problem;
use report::Report;
use tree::{Entry, Lines, Node, Value, entries_of};

/// Longest document read, in bytes. The largest program file is under 100 KiB.
pub const TEXT_MAX: usize = 1 << 20;
/// Longest one-line string accepted, in bytes.
pub const STRING_MAX: usize = 1_000;

/// What [`read`] gives back: the value, and what is worth saying about it although it is not wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read<T> {
    pub value: T,
    pub warnings: Vec<Problem>,
}

/// Reads `text` with `build`. `file` only names the file in messages.
///
/// # Errors
/// All problems found, sorted by line: syntax errors alone (the keys behind them mean nothing), or
/// every unknown, missing, mistyped or out-of-range key, and whatever `build` reported itself.
pub fn read<T>(file: &str, text: &str, build: impl FnOnce(&mut Table<'_>) -> T) -> Result<Read<T>, Vec<Problem>> {
    let report = Report { file, found: RefCell::default(), warnings: RefCell::default() };
    if text.len() > TEXT_MAX {
        report.problem(0, "", format!("is {} bytes long; at most {TEXT_MAX} are read", text.len()));
        return Err(report.found.into_inner());
    }
    let lines = Lines::of(text);
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let at = error.span().map_or(0, |span| span.start);
        let (line, column) = lines.position(at);
        report.problem(line, "", format!("column {column}: {}", error.message().trim().replace('\n', "; ")));
    }
    if !errors.is_empty() {
        return Err(report.sorted());
    }
    let entries = entries_of(document.get_ref(), &lines);
    let mut root = Table { report: &report, path: String::new(), line: 1, entries, known: Vec::new(), muted: false };
    let value = build(&mut root);
    root.close();
    if report.found.borrow().is_empty() {
        let mut warnings = report.warnings.into_inner();
        warnings.sort_by_key(|p| p.line);
        Ok(Read { value, warnings })
    } else {
        Err(report.sorted())
    }
}

/// One table of the document. Keys are taken out as they are asked for; what is left over when its
/// closure ends is reported.
pub struct Table<'r> {
    report: &'r Report<'r>,
    path: String,
    line: usize,
    entries: Vec<Entry>,
    /// Every key asked for, with the line it stood on (the table's own line where it is absent).
    known: Vec<(String, usize)>,
    /// A table that stands in for one of the wrong type, which was reported already.
    muted: bool,
}

/// The value of one key, not yet decided whether it must be there.
#[must_use = "say .required(), .or(default) or .optional()"]
pub struct Field<'t, T> {
    report: &'t Report<'t>,
    path: String,
    line: usize,
    muted: bool,
    value: Option<T>,
    /// Stands in for a missing value while the rest is read; never leaves [`read`].
    blank: T,
}

impl<T> Field<'_, T> {
    /// The value; its absence is a problem.
    pub fn required(self) -> T {
        if self.value.is_none() && !self.muted {
            self.report.problem(self.line, &self.path, "is required but missing".to_owned());
        }
        self.value.unwrap_or(self.blank)
    }

    /// The value, or `default` where the key is absent.
    pub fn or(self, default: T) -> T {
        self.value.unwrap_or(default)
    }

    /// The value, or `None` where the key is absent.
    pub fn optional(self) -> Option<T> {
        self.value
    }
}

impl<'r> Table<'r> {
    /// The line the table starts on.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Whether `key` is there and not yet taken.
    pub fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key)
    }

    /// The keys not yet taken, in file order.
    pub fn keys(&self) -> Vec<String> {
        self.entries.iter().map(|entry| entry.key.clone()).collect()
    }

    /// Whether `key` is there, not yet taken, and a table.
    pub fn is_table(&self, key: &str) -> bool {
        self.entries.iter().any(|e| e.key == key && matches!(e.node.value, Value::Table(_)))
    }

    /// The texts that stand under `inner` in each table of the list `key`, without taking anything:
    /// for names that must be known before the tables themselves are read.
    pub fn peek_each(&self, key: &str, inner: &str) -> Vec<String> {
        let Some(Entry { node: Node { value: Value::List(items), .. }, .. }) =
            self.entries.iter().find(|entry| entry.key == key)
        else {
            return Vec::new();
        };
        let name = |item: &Node| {
            match &item.value {
                Value::Table(entries) => entries.iter().find(|e| e.key == inner).map(|e| &e.node.value),
                _ => None,
            }
            .and_then(|value| match value {
                Value::Text(text) => Some(text.clone()),
                _ => None,
            })
        };
        items.iter().filter_map(name).collect()
    }

    /// Reports a problem of the caller's own at `key` (asked for before or not).
    pub fn problem(&self, key: &str, message: impl Into<String>) {
        self.report.problem(self.line_of(key), &self.path_of(key), message.into());
    }

    /// Reports a problem at a line noted earlier (see [`Table::line`]), for checks between tables.
    pub fn problem_at(&self, line: usize, key: &str, message: impl Into<String>) {
        self.report.problem(line, key, message.into());
    }

    /// Reports something that is allowed but worth saying.
    pub fn warning(&self, key: &str, message: impl Into<String>) {
        let problem = Problem {
            file: self.report.file.to_owned(),
            line: self.line_of(key),
            key: self.path_of(key),
            message: message.into(),
        };
        self.report.warnings.borrow_mut().push(problem);
    }

    /// One line of text: not blank, no control characters, at most [`STRING_MAX`] bytes.
    pub fn string(&mut self, key: &str) -> Field<'r, String> {
        self.field(key, String::new(), |node| one_line(node, "a text"))
    }

    /// Text that may have several lines; otherwise as [`Table::string`].
    pub fn text(&mut self, key: &str) -> Field<'r, String> {
        self.field(key, String::new(), |node| match &node.value {
            Value::Text(text) if text.trim().is_empty() => {
                Err("is blank; write something or leave the key out".to_owned())
            }
            Value::Text(text) if text.len() > 10 * STRING_MAX => {
                Err(format!("is longer than {} bytes", 10 * STRING_MAX))
            }
            Value::Text(text) if text.chars().any(|c| c.is_control() && c != '\n') => {
                Err("contains a control character".to_owned())
            }
            Value::Text(text) => Ok(text.trim().to_owned()),
            other => Err(format!("must be a text, not {}", other.kind())),
        })
    }

    /// A list of one-line strings; a single string stands for a list of one.
    pub fn strings(&mut self, key: &str) -> Field<'r, Vec<String>> {
        self.field(key, Vec::new(), |node| one_or_many(node, |item| one_line(item, "a text or a list of texts")))
    }

    pub fn bool(&mut self, key: &str) -> Field<'r, bool> {
        self.field(key, false, |node| match node.value {
            Value::Bool(yes) => Ok(yes),
            ref other => Err(format!("must be true or false, not {}", other.kind())),
        })
    }

    /// A whole number within `range`.
    pub fn integer(&mut self, key: &str, range: RangeInclusive<i64>) -> Field<'r, i64> {
        self.field(key, *range.start(), |node| whole(node, &range))
    }

    /// A list of whole numbers within `range`; a single number stands for a list of one.
    pub fn integers(&mut self, key: &str, range: RangeInclusive<i64>) -> Field<'r, Vec<i64>> {
        self.field(key, Vec::new(), |node| one_or_many(node, |item| whole(item, &range)))
    }

    /// A decimal number within `range` (a whole number will do); never for money.
    pub fn decimal(&mut self, key: &str, range: RangeInclusive<f64>) -> Field<'r, f64> {
        self.field(key, *range.start(), |node| {
            let number = match &node.value {
                Value::Float(literal) => literal.parse::<f64>().ok(),
                Value::Integer(number) => number.map(|n| n as f64),
                other => return Err(format!("must be a number, not {}", other.kind())),
            };
            number
                .filter(|n| range.contains(n))
                .ok_or_else(|| format!("must be between {} and {}", range.start(), range.end()))
        })
    }

    /// An amount of money, written `"45.00"`, `45` or `45.00`; read digit by digit, never as a float.
    pub fn amount(&mut self, key: &str) -> Field<'r, Amount> {
        self.field(key, Amount::ZERO, |node| match &node.value {
            Value::Text(text) | Value::Float(text) => Amount::parse(text),
            Value::Integer(Some(number)) => Amount::parse(&number.to_string()),
            other => Err(format!("must be an amount such as \"45.00\", not {}", other.kind())),
        })
    }

    /// A date, written `2026-03-31` with or without quotes.
    pub fn date(&mut self, key: &str) -> Field<'r, NaiveDate> {
        self.field(key, NaiveDate::default(), day)
    }

    /// A list of dates.
    pub fn dates(&mut self, key: &str) -> Field<'r, Vec<NaiveDate>> {
        self.field(key, Vec::new(), |node| one_or_many(node, day))
    }

    /// One of the named choices (at least one must be offered).
    pub fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> Field<'r, T> {
        self.field(key, choices[0].1, |node| chosen(node, choices))
    }

    /// A list of the named choices; a single one stands for a list of one.
    pub fn choices<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> Field<'r, Vec<T>> {
        self.field(key, Vec::new(), |node| one_or_many(node, |item| chosen(item, choices)))
    }

    /// A text with a form of its own (an address, a duration). `blank` is any value of the type; it
    /// stands in while the other problems are collected and is never returned from [`read`].
    pub fn parsed<T, E: fmt::Display>(
        &mut self,
        key: &str,
        blank: T,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Field<'r, T> {
        self.field(key, blank, |node| {
            one_line(node, "a text").and_then(|text| parse(&text).map_err(|e| format!("{text:?}: {e}")))
        })
    }

    /// A table of free keys with one-line texts, such as a column map. Absent: empty.
    pub fn string_map(&mut self, key: &str) -> BTreeMap<String, String> {
        self.table(key, |t| t.keys().into_iter().map(|k| (k.clone(), t.string(&k).required())).collect())
    }

    /// The table `key`. Absent: `build` sees an empty table and reports what it requires.
    pub fn table<T>(&mut self, key: &str, build: impl FnOnce(&mut Table<'r>) -> T) -> T {
        let node = self.take(key);
        let path = self.path_of(key);
        let line = node.as_ref().map_or(self.line, |n| n.line);
        self.child(path, line, node, build)
    }

    /// The table `key` where it is there.
    pub fn optional_table<T>(&mut self, key: &str, build: impl FnOnce(&mut Table<'r>) -> T) -> Option<T> {
        if self.has(key) {
            Some(self.table(key, build))
        } else {
            self.known.push((key.to_owned(), self.line));
            None
        }
    }

    /// The list of tables `[[key]]`, in file order; absent: empty. A single `[key]` is a list of one.
    pub fn tables<T>(&mut self, key: &str, mut build: impl FnMut(&mut Table<'r>) -> T) -> Vec<T> {
        let path = self.path_of(key);
        match self.take(key) {
            None => Vec::new(),
            Some(Node { value: Value::List(items), .. }) => items
                .into_iter()
                .enumerate()
                .map(|(at, node)| self.child(format!("{path}[{}]", at + 1), node.line, Some(node), &mut build))
                .collect(),
            Some(node) => vec![self.child(path, node.line, Some(node), build)],
        }
    }

    /// The tables `[key.NAME]` with names of the file's own choosing, in file order; absent: empty.
    pub fn named_tables<T>(&mut self, key: &str, mut build: impl FnMut(&str, &mut Table<'r>) -> T) -> Vec<T> {
        self.optional_table(key, |group| {
            group.keys().iter().map(|name| group.table(name, |t| build(name, t))).collect()
        })
        .unwrap_or_default()
    }

    fn child<T>(&self, path: String, line: usize, node: Option<Node>, build: impl FnOnce(&mut Table<'r>) -> T) -> T {
        let (entries, muted) = match node.map(|n| n.value) {
            None => (Vec::new(), self.muted),
            Some(Value::Table(entries)) => (entries, self.muted),
            Some(other) => {
                self.report.problem(line, &path, format!("must be a table, not {}", other.kind()));
                (Vec::new(), true)
            }
        };
        let mut table = Table { report: self.report, path, line, entries, known: Vec::new(), muted };
        let value = build(&mut table);
        table.close();
        value
    }

    fn field<T>(&mut self, key: &str, blank: T, convert: impl FnOnce(&Node) -> Result<T, String>) -> Field<'r, T> {
        let path = self.path_of(key);
        let mut muted = self.muted;
        let value = self.take(key).and_then(|node| match convert(&node) {
            Ok(value) => Some(value),
            Err(message) => {
                self.report.problem(node.line, &path, message);
                muted = true;
                None
            }
        });
        Field { report: self.report, path, line: self.line, muted, value, blank }
    }

    fn take(&mut self, key: &str) -> Option<Node> {
        let at = self.entries.iter().position(|entry| entry.key == key);
        let entry = at.map(|at| self.entries.remove(at));
        self.known.push((key.to_owned(), entry.as_ref().map_or(self.line, |e| e.line)));
        entry.map(|e| e.node)
    }

    fn path_of(&self, key: &str) -> String {
        match (self.path.is_empty(), key.is_empty()) {
            (true, _) => key.to_owned(),
            (_, true) => self.path.clone(),
            _ => format!("{}.{key}", self.path),
        }
    }

    fn line_of(&self, key: &str) -> usize {
        let waiting = self.entries.iter().find(|entry| entry.key == key).map(|entry| entry.line);
        waiting.or_else(|| self.known.iter().rev().find(|(k, _)| k == key).map(|(_, line)| *line)).unwrap_or(self.line)
    }

    fn close(self) {
        for entry in &self.entries {
            let known: Vec<&str> = self.known.iter().map(|(key, _)| key.as_str()).collect();
            let hint = match nearest(&entry.key, known.iter().copied()) {
                Some(key) => format!("did you mean `{key}`?"),
                None if known.is_empty() => "no key belongs here".to_owned(),
                None => format!("known here: {}", known.join(", ")),
            };
            if !self.muted {
                self.report.problem(entry.line, &self.path_of(&entry.key), format!("unknown key; {hint}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, PartialEq)]
    struct Dock {
        id: String,
        wait: i64,
        fee: Option<Amount>,
        kind: char,
        names: Vec<String>,
        printers: Vec<(String, i64)>,
    }

    fn dock(text: &str) -> Result<Read<Dock>, Vec<String>> {
        read("dock.toml", text, |root| Dock {
            id: root.table("station", |s| s.string("id").required()),
            wait: root.integer("wait", 1..=60).or(5),
            fee: root.amount("fee").optional(),
            kind: root.choice("kind", &[("usb", 'u'), ("serial", 's')]).or('u'),
            names: root.strings("names").or(Vec::new()),
            printers: root
                .tables("printer", |p| (p.string("address").required(), p.integer("port", 1..=65535).or(9100))),
        })
        .map_err(|problems| problems.iter().map(Problem::to_string).collect())
    }

    #[test]
    fn a_good_file_is_read() {
        let text = "wait = 7\nfee = 45.10\nkind = \"serial\"\nnames = \"one\"\n[station]\nid = \"D1\"\n[[printer]]\naddress = \"a\"\n[[printer]]\naddress = \"b\"\nport = 6101\n";
        let want = Dock {
            id: "D1".into(),
            wait: 7,
            fee: Some(Amount::from_cents(4510)),
            kind: 's',
            names: vec!["one".into()],
            printers: vec![("a".into(), 9100), ("b".into(), 6101)],
        };
        assert_eq!(dock(text).map(|r| r.value), Ok(want));
    }

    #[test]
    fn every_mistake_is_listed_with_its_line_and_the_nearest_key() {
        let text = "wait = 61\nfee = \"4,5\"\nkind = \"serail\"\nnames = [1]\ncolour = 3\n[station]\nidd = \"D1\"\n[[printer]]\nadress = \"a\"\nport = \"x\"\n";
        let want = [
            "dock.toml:1: wait: must be between 1 and 60",
            "dock.toml:2: fee: \"4,5\" is not an amount of money; write it as \"45.00\"",
            "dock.toml:3: kind: \"serail\" is not one of usb, serial; did you mean \"serial\"?",
            "dock.toml:4: names: item 1: must be a text or a list of texts, not a whole number",
            "dock.toml:5: colour: unknown key; known here: station, wait, fee, kind, names, printer",
            "dock.toml:6: station.id: is required but missing",
            "dock.toml:7: station.idd: unknown key; did you mean `id`?",
            "dock.toml:8: printer[1].address: is required but missing",
            "dock.toml:9: printer[1].adress: unknown key; did you mean `address`?",
            "dock.toml:10: printer[1].port: must be a whole number, not a text",
        ];
        assert_eq!(dock(text).map_err(|p| p.join("\n")), Err(want.join("\n")));
    }

    #[test]
    fn a_missing_or_mistyped_table_is_named() {
        assert_eq!(dock(""), Err(vec!["dock.toml:1: station.id: is required but missing".into()]));
        assert_eq!(dock("station = 3"), Err(vec!["dock.toml:1: station: must be a table, not a whole number".into()]));
    }

    #[test]
    fn syntax_errors_give_line_and_column() {
        let twice = dock("[station]\nid = \"a\"\nid = \"b\"\n").unwrap_err();
        assert!(twice[0].starts_with("dock.toml:3: column 1: duplicate key"), "{twice:?}");
        let open = dock("[station]\nid = \"a\nwait = \n").unwrap_err();
        assert!(open.len() > 1 && open[0].starts_with("dock.toml:2: column "), "{open:?}");
    }

    #[test]
    fn hidden_characters_and_blank_texts_are_refused() {
        let found = dock("[station]\nid = \"a\\u001b\"").unwrap_err();
        assert_eq!(found, ["dock.toml:2: station.id: contains a control character"]);
        let found = dock("[station]\nid = \"  \"").unwrap_err();
        assert_eq!(found, ["dock.toml:2: station.id: is blank; write something or leave the key out"]);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[\\[\\]=\"{}.,#\n 'a-z0-9-]{0,80}") {
            let _ = dock(&text);
        }
    }
}
