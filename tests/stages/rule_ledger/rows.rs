//! A program file as rows with their places in the text: what can be altered, and where.
//!
//! In: the text. Out: every row of it, whether it stands in a cell, as a `[[table]]` or as a `[table]`,
//! with its keys as byte ranges. All edits are made in the text, so comments and layout stay.

use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// Keys of the file that hold rows; the same in the cells of the matrix.
const ROW_KEYS: [&str; 11] =
    ["action", "advance", "leg", "charge", "hold", "ask", "message", "note", "due", "route", "vendor"];
/// Tables whose keys are tables of their own.
const NAMED: [&str; 6] = ["window", "fee", "list", "question", "setting", "intake"];

pub enum Value {
    Text(String),
    /// The elements with their ranges; numbers and dates as they are written.
    List(Vec<(Range<usize>, String)>),
    Number(i64),
    Bool(bool),
    Other,
}

pub struct Field {
    /// Dotted: `do`, `when.rma.ticket`.
    pub key: String,
    pub at: Range<usize>,
    pub value: Value,
}

pub struct Row {
    /// `hold`, `leg`, `window`, `clock` ...
    pub kind: String,
    /// The name of a named table, the index of the cell a row stands in; otherwise empty.
    pub name: String,
    pub cell: Option<usize>,
    pub line: usize,
    /// What is taken out when the row is removed.
    pub whole: Range<usize>,
    /// Where another key can be put in, and what must stand behind it.
    pub insert: (usize, &'static str),
    pub fields: Vec<Field>,
}

impl Row {
    pub fn text(&self, key: &str) -> Option<&str> {
        self.fields.iter().find(|f| f.key == key).and_then(|f| match &f.value {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Elements of a list, or the one text.
    pub fn texts(&self, key: &str) -> Vec<String> {
        let found = self.fields.iter().find(|f| f.key == key);
        match found.map(|f| &f.value) {
            Some(Value::Text(text)) => vec![text.clone()],
            Some(Value::List(list)) => list.iter().map(|(_, text)| text.clone()).collect(),
            _ => Vec::new(),
        }
    }

    pub fn has(&self, key: &str) -> bool {
        self.fields.iter().any(|f| f.key == key)
    }

    /// What a person would call the row: its cell, its kind and the word that tells it from others.
    pub fn label(&self) -> String {
        let words = ["do", "mode", "leg", "kind", "code", "question", "about", "what", "team", "send_to", "name"];
        let own = words.iter().find_map(|key| self.text(key)).unwrap_or("");
        let word = if self.kind == "intake" || own.is_empty() { &self.name } else { own };
        let rule = self.text("rule").unwrap_or("");
        let cell = self.cell.map_or(String::new(), |n| format!("cell {}", n + 1));
        [&cell, &self.kind, word, rule].iter().filter(|w| !w.is_empty()).copied().collect::<Vec<_>>().join(" ")
    }
}

/// All rows of the file, in the order of the file.
pub fn rows(text: &str) -> Vec<Row> {
    let document = DeTable::parse(text).unwrap_or_else(|e| panic!("not a program file: {e}")).into_inner();
    let reader = Reader { text, cells: headers(text, "[[cell]]") };
    let mut rows = Vec::new();
    let mut root = reader.block("root", "", 0, DeTable::new());
    for (key, value) in &document {
        let key = key.get_ref().as_ref();
        match value.get_ref() {
            DeValue::Array(list) if list.iter().all(|e| matches!(e.get_ref(), DeValue::Table(_))) => {
                let header = format!("[[{key}]]");
                for (element, start) in list.iter().zip(headers(text, &header)) {
                    let DeValue::Table(table) = element.get_ref() else { continue };
                    if key == "cell" {
                        reader.cell(start, table, &mut rows);
                    } else {
                        rows.push(reader.block(key, "", start, table.clone()));
                    }
                }
            }
            DeValue::Table(inner) if NAMED.contains(&key) => {
                for (name, value) in inner {
                    let DeValue::Table(table) = value.get_ref() else { continue };
                    let start = headers(text, &format!("[{key}.{}]", name.get_ref()))[0];
                    rows.push(reader.block(key, name.get_ref(), start, table.clone()));
                }
            }
            DeValue::Table(table) => {
                let start = headers(text, &format!("[{key}]"))[0];
                rows.push(reader.block(key, "", start, table.clone()));
            }
            _ => collect(text, key, value.get_ref(), value.span(), &mut root.fields),
        }
    }
    root.whole = 0..0;
    rows.push(root);
    rows.sort_by_key(|row| row.line);
    rows
}

/// Byte offsets of the lines that are this header.
fn headers(text: &str, header: &str) -> Vec<usize> {
    let mut at = 0;
    let mut found = Vec::new();
    for line in text.split_inclusive('\n') {
        if line.trim_end() == header {
            found.push(at);
        }
        at += line.len();
    }
    found
}

struct Reader<'t> {
    text: &'t str,
    cells: Vec<usize>,
}

impl Reader<'_> {
    fn line(&self, offset: usize) -> usize {
        self.text[..offset].matches('\n').count() + 1
    }

    /// A table that begins with its header line and ends before the next one.
    fn block(&self, kind: &str, name: &str, start: usize, table: DeTable<'_>) -> Row {
        let first = self.text[start..].find('\n').map_or(self.text.len(), |n| start + n + 1);
        let end = self.text[first..].find("\n[").map_or(self.text.len(), |n| first + n + 1);
        let mut fields = Vec::new();
        for (key, value) in &table {
            collect(self.text, key.get_ref(), value.get_ref(), value.span(), &mut fields);
        }
        fields.sort_by_key(|f| f.at.start);
        let (kind, name) = (kind.to_owned(), name.to_owned());
        Row { kind, name, cell: None, line: self.line(start), whole: start..end, insert: (first, "\n"), fields }
    }

    /// The cell itself (its place on the axes), and its rows.
    fn cell(&self, start: usize, table: &DeTable<'_>, rows: &mut Vec<Row>) {
        let number = self.cells.iter().position(|cell| *cell == start);
        let mut place = self.block("cell", "", start, DeTable::new());
        place.cell = number;
        for (key, value) in table {
            let key = key.get_ref().as_ref();
            match value.get_ref() {
                DeValue::Array(list) if ROW_KEYS.contains(&key) => {
                    for element in list {
                        let DeValue::Table(inner) = element.get_ref() else { continue };
                        let span = element.span();
                        let mut row = self.block(key, "", span.start, inner.clone());
                        let comma = usize::from(self.text[span.end..].starts_with(','));
                        row.whole = span.start..span.end + comma;
                        (row.insert, row.cell) = ((span.start + 1, ", "), number);
                        rows.push(row);
                    }
                }
                _ => collect(self.text, key, value.get_ref(), value.span(), &mut place.fields),
            }
        }
        rows.push(place);
    }
}

fn collect(text: &str, key: &str, value: &DeValue<'_>, at: Range<usize>, fields: &mut Vec<Field>) {
    let value = match value {
        DeValue::Table(inner) => {
            for (name, value) in inner {
                collect(text, &format!("{key}.{}", name.get_ref()), value.get_ref(), value.span(), fields);
            }
            return;
        }
        DeValue::String(word) => Value::Text(word.to_string()),
        DeValue::Integer(number) => Value::Number(number.as_str().parse().unwrap_or(0)),
        DeValue::Boolean(yes) => Value::Bool(*yes),
        DeValue::Array(list) => {
            let word = |v: &DeValue<'_>, at: &Range<usize>| match v {
                DeValue::String(word) => word.to_string(),
                _ => text[at.clone()].to_owned(),
            };
            Value::List(list.iter().map(|v| (v.span(), word(v.get_ref(), &v.span()))).collect())
        }
        _ => Value::Other,
    };
    fields.push(Field { key: key.to_owned(), at, value });
}

/// The range to take out so that the key of `field` is gone, from a table in braces or from its own line.
pub fn without(text: &str, field: &Field) -> Range<usize> {
    let before = text[..field.at.start].rfind(['{', ',', '\n']).unwrap_or(0);
    let (mut start, mut end) = (before + 1, field.at.end);
    match text.as_bytes()[before] {
        b',' => start = before,
        b'{' if text[end..].starts_with(',') => end += 1,
        b'\n' => end += text[end..].find('\n').map_or(0, |n| n + 1),
        _ => {}
    }
    start..end
}

/// The range to take out so that element `nth` of a list is gone.
pub fn without_element(list: &[(Range<usize>, String)], nth: usize) -> Range<usize> {
    let (at, _) = &list[nth];
    match (nth.checked_sub(1).map(|n| &list[n]), list.get(nth + 1)) {
        (_, Some((next, _))) => at.start..next.start,
        (Some((before, _)), None) => before.end..at.end,
        (None, None) => at.clone(),
    }
}
