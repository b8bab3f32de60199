//! A folder of designs, and the inspection of one file: what `backdock label check` and `backdock check`
//! ask, and what a station serves.

use super::super::gate::{Code, Finding, Findings, Notes, Severity};
use super::super::{Dpi, Label, LabelError, Stock, gate, names};
use super::place::Place;
use super::{Part, Piece, Template};
use serde_json::{Map, Value};

/// Labels that are not ours to draw any more: the user's designs, by name.
#[derive(Debug, Clone, Default)]
pub struct Designs {
    list: Vec<Template>,
}

impl Designs {
    /// Reads files, each with its path for messages; `NAME.zpl` becomes the design NAME. What is refused
    /// is left out and returned with its file.
    pub fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> (Designs, Vec<(String, Findings)>) {
        let (mut list, mut refused) = (Vec::new(), Vec::new());
        for (path, bytes) in files {
            match one(path, bytes) {
                Ok(template) => list.push(template),
                Err(findings) => refused.push((path.to_owned(), findings)),
            }
        }
        (Designs { list }, refused)
    }

    /// The design that is called so.
    pub fn get(&self, name: &str) -> Option<&Template> {
        self.list.iter().find(|t| t.name() == name)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Template> {
        self.list.iter()
    }

    /// Label `name`: the user's design where there is one, else ours.
    ///
    /// # Errors
    /// Those of [`Template::render`] and of [`crate::label::render`].
    pub fn render(&self, name: &str, fields: &Value, stock: Stock, dpi: Dpi) -> Result<Label, LabelError> {
        let Some(template) = self.get(name) else { return super::super::render(name, fields, stock, dpi) };
        let not =
            || LabelError::Design { design: name.to_owned(), why: "the data is not a JSON object of fields".into() };
        template.render(fields.as_object().ok_or_else(not)?, stock, dpi)
    }
}

/// The name that a file gives its design: the last part of its path without `.zpl`.
fn stem(path: &str) -> &str {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    file.strip_suffix(".zpl").unwrap_or(file)
}

fn one(path: &str, bytes: &[u8]) -> Result<Template, Findings> {
    let text = std::str::from_utf8(bytes).map_err(|e| not_utf8(bytes, e.valid_up_to()))?;
    let name = stem(path);
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    if name.is_empty() || name.len() > 40 || !name.bytes().all(good) || name == "check" {
        let mut notes = Notes::new(bytes);
        let what = format!("{name:?} is no name for a design");
        notes.refuse(Code::Form, 0, what, "use up to 40 small letters, digits, - and _, and not \"check\"");
        return Err(Findings::sorted(notes.list));
    }
    Template::parse(text)?.named(name)
}

fn not_utf8(bytes: &[u8], at: usize) -> Findings {
    let mut notes = Notes::new(bytes);
    notes.refuse(Code::Form, at, "a byte that is not UTF-8", "save the design as UTF-8");
    Findings::sorted(notes.list)
}

/// What an inspection says of one file.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Checked {
    /// Whether it has fields to fill; else it is a label as it is.
    pub design: bool,
    /// Names of the fields.
    pub fields: Vec<String>,
    pub findings: Findings,
}

/// Inspects a file: its commands, its fields, and what it draws on `stock` with `data` filled in. Without
/// data stand-ins are: an RMA number of 11 characters, a serial of 16, and 12 for what has no usual length.
pub fn check(path: &str, bytes: &[u8], data: Option<&Map<String, Value>>, stock: Option<Stock>, dpi: Dpi) -> Checked {
    let paper = names().find(|def| def.name == stem(path));
    let stock = stock.or(paper.map(|def| def.stock)).unwrap_or(Stock::inches(4, 6));
    // A design names its fields; a carrier's label has none, and need not be UTF-8.
    let design = std::str::from_utf8(bytes).ok().map(Template::read);
    let Some(template) = design.filter(|t| !t.fields.is_empty() || paper.is_some()) else {
        let findings = gate::inspect(bytes, stock, dpi).map_or_else(|refused| refused, |foreign| foreign.warnings);
        return Checked { design: false, fields: Vec::new(), findings };
    };
    let fields = template.fields.clone();
    let checked = |findings| Checked { design: true, fields: fields.clone(), findings };
    if template.warnings.refused() {
        return checked(template.warnings);
    }
    let template = match template.named(stem(path)) {
        Ok(template) => template,
        Err(findings) => return checked(findings),
    };
    let mut list = template.warnings.list.clone();
    if let Some(data) = data {
        let known = |key: &String| {
            template.fields.contains(key) || paper.is_some_and(|p| p.fields.iter().any(|f| f.name == key))
        };
        let unknown = data.keys().filter(|key| !known(key));
        list.extend(unknown.map(|key| {
            field(
                Severity::Warn,
                format!("the data has {key:?}, which the design does not print"),
                "check its spelling",
            )
        }));
    }
    let stand_ins = template.stand_ins();
    let filled = template.values(data.unwrap_or(&stand_ins)).and_then(|values| template.fill(&values, stock, dpi));
    match filled {
        Err(why) => list.push(field(Severity::Refuse, why, "correct the data, or the design")),
        Ok(filled) => list.extend(drawn(&filled.zpl, stock, dpi)),
    }
    checked(Findings::sorted(list))
}

/// What the filled label draws. Its lines are those of the design: no value has one.
fn drawn(zpl: &str, stock: Stock, dpi: Dpi) -> Vec<Finding> {
    gate::geometry_of(zpl.as_bytes(), stock, dpi)
}

fn field(severity: Severity, what: String, remedy: &str) -> Finding {
    Finding { severity, code: Code::Field, line: 1, byte: 0, what, remedy: remedy.to_owned() }
}

impl Template {
    /// Values as they are met in practice, each fit for every place it stands in.
    fn stand_ins(&self) -> Map<String, Value> {
        let value = |n: usize, name: &str| -> Value {
            let digits = self.pieces.iter().any(|piece| match piece {
                Piece::Data(data) => {
                    let here = data.parts.iter().any(|p| matches!(p, Part::Slot(s) if *s == n));
                    // Behind `>;` and `>5` only pairs of digits may stand.
                    let pairs = data
                        .parts
                        .iter()
                        .any(|p| matches!(p, Part::Literal(t) if t.contains(">;") || t.contains(">5")));
                    here && (data.place == Place::Digits || pairs)
                }
                Piece::Fixed(_) | Piece::Opening => false,
            });
            match name {
                "copy" => 2.into(),
                "serial" => "3100121090012345".into(),
                _ if digits => "123456789012".into(),
                "rma" => "R26AB12345C".into(),
                "mac" => "001565A1B201".into(),
                "received" | "ship_date" | "due" | "date" => "2026-03-31".into(),
                _ => "ABCDEFGHIJKL".into(),
            }
        };
        self.fields.iter().enumerate().map(|(n, name)| (name.clone(), value(n, name))).collect()
    }
}
