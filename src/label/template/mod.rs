//! # template: a user's own design, and the one way data gets into it
//!
//! Arrives: the text of a `.zpl` file in which fields are named, `^FDRMA {rma}^FS` or `^FN1"rma"^FS`, and
//! the fields' values. Leaves: a [`Label`]. The design goes through the [`super::gate`] first.
//!
//! Promised:
//! - no value changes which commands the label has: every byte but letters, digits and a few signs goes
//!   out as hex under `^FH`, which is added where the design has none, with the design's own indicator
//!   where it has one; `^CI28` is put at the label's start. There is no switch for any of it;
//! - nothing that an earlier label left in the printer (upside down, a narrow width, thin bars) shows;
//! - a value is printed as it is meant where it stands (Code 128 subsets, QR, text blocks), or there is no
//!   label and the error says which field and why;
//! - a text or barcode that the data makes leave the stock is an error, never cut by the printer.
//!
//! A barcode whose fields are all empty has no `^FD`, and is not printed. The field `copy` reads `COPY 2`
//! on a reprint and is empty on the first print.

mod designs;
mod place;
mod read;
#[cfg(test)]
mod tests;

pub use designs::{Checked, Designs, check};

use super::gate::lexer;
use super::gate::{self, Code, Findings, Notes, Severity};
use super::{Dpi, FIELD_MAX, Label, LabelDef, LabelError, Stock};
use place::{Place, Subset};
use read::Reader;
use serde_json::{Map, Value};

/// UTF-8, and the rest as in a printer that was just switched on; the stock's size follows.
const OPENING: &str = "^CI28^PON^LRN^LH0,0^FWN^BY2,3,10^CFA,9,5";

/// A design that has passed the gate.
#[derive(Debug, Clone)]
pub struct Template {
    name: String,
    /// The paper of ours that it replaces.
    paper: Option<&'static LabelDef>,
    pieces: Vec<Piece>,
    fields: Vec<String>,
    /// What is allowed but worth saying.
    pub warnings: Findings,
}

#[derive(Debug, Clone)]
enum Piece {
    /// Behind `^XA`: what an earlier label may have left behind, set back before the design speaks.
    Opening,
    /// ZPL as it stands.
    Fixed(String),
    Data(Data),
}

/// A `^FD` with fields in it.
#[derive(Debug, Clone)]
struct Data {
    place: Place,
    /// The hex indicator, and whether the design has it.
    hex: u8,
    given: bool,
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    /// As it stands in the design.
    Literal(String),
    /// Index of the field.
    Slot(usize),
}

/// A label filled in: its ZPL, and where in it the data of which fields stands.
struct Filled {
    zpl: String,
    at: Vec<(usize, String)>,
}

impl Template {
    /// Reads a design.
    ///
    /// # Errors
    /// All findings when one of them is a refusal: what the gate does not let through, fields without a
    /// name or where data could not be escaped.
    pub fn parse(text: &str) -> Result<Template, Findings> {
        let template = Template::read(text);
        if template.warnings.refused() { Err(template.warnings) } else { Ok(template) }
    }

    /// Reads a design, with refusals among its warnings.
    fn read(text: &str) -> Template {
        let mut notes = Notes::new(text.as_bytes());
        gate::form(&mut notes, text.as_bytes(), true);
        let mut reader = Reader::new(text, notes);
        lexer::commands(text.as_bytes()).for_each(|command| reader.take(&command));
        let warnings = Findings::sorted(reader.notes.list);
        Template { name: String::new(), paper: None, pieces: reader.pieces, fields: reader.fields, warnings }
    }

    /// Gives it its name; the name of a paper of ours makes it that paper's design, held to its fields.
    ///
    /// # Errors
    /// All findings when it has a field that the paper does not have, or no place for the mark of a copy.
    pub fn named(mut self, name: &str) -> Result<Template, Findings> {
        self.name = name.to_owned();
        self.paper = super::names().find(|def| def.name == name);
        let Some(paper) = self.paper else { return Ok(self) };
        let mut notes = Notes::new(b"");
        for field in self.fields.iter().filter(|f| !paper.fields.iter().any(|of| of.name == **f)) {
            let near = super::error::nearest(field, paper.fields.iter().map(|f| f.name));
            let near = near.map_or("see `backdock label --list`".to_owned(), |n| format!("did you mean {n:?}?"));
            notes.refuse(Code::Field, 0, format!("the label {name} has no field {field:?}"), near);
        }
        let lacks = |field: &str| !self.fields.iter().any(|f| f == field);
        for field in paper.required().filter(|f| lacks(f)) {
            let what = format!("the design has no {{{field}}}, which the label {name} requires");
            notes.warn(Code::Field, 0, what, "add it, if people need it");
        }
        if paper.fields.iter().any(|f| f.name == "copy") && lacks("copy") {
            let what = "the design has no {copy}: a second label for one unit would look like the first";
            notes.refuse(Code::Field, 0, what, "add a text field ^FD{copy}^FS");
        }
        notes.list.append(&mut self.warnings.list);
        self.warnings = Findings::sorted(notes.list);
        if self.warnings.refused() { Err(self.warnings) } else { Ok(self) }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The fields' names, in the order of the design.
    pub fn fields(&self) -> &[String] {
        &self.fields
    }

    /// The label with these `fields` (JSON; `null` is absent). Fields that the design does not have are
    /// not looked at.
    ///
    /// # Errors
    /// A field is missing (those of our papers that are optional may be), cannot be printed as meant where
    /// it stands, or leaves the stock.
    pub fn render(&self, fields: &Map<String, Value>, stock: Stock, dpi: Dpi) -> Result<Label, LabelError> {
        let refused = |why: String| LabelError::Design { design: self.name.clone(), why };
        let values = self.values(fields).map_err(refused)?;
        let filled = self.fill(&values, stock, dpi).map_err(refused)?;
        let mut findings = match gate::inspect(filled.zpl.as_bytes(), stock, dpi) {
            Ok(foreign) => foreign.warnings,
            Err(findings) => findings,
        };
        // What cannot be scanned is said before what only looks wrong.
        findings.list.sort_by_key(|f| std::cmp::Reverse(f.severity));
        for finding in &findings.list {
            let of = filled.at.iter().find(|(at, _)| *at == finding.byte).map(|(_, names)| names);
            match of {
                Some(names) if finding.code == Code::OffStock => {
                    return Err(refused(format!(
                        "field {names}: {} ({stock}, {dpi} dpi): {}",
                        finding.what, finding.remedy
                    )));
                }
                _ if finding.severity == Severity::Refuse => return Err(refused(finding.to_string())),
                _ => {}
            }
        }
        let (width_dots, height_dots) = stock.dots(dpi);
        Ok(Label {
            zpl: filled.zpl,
            width_dots,
            height_dots,
            // What it looks like only its printer knows.
            elements: Vec::new(),
            dpi,
            left_out: Vec::new(),
            shortened: Vec::new(),
        })
    }

    /// The values as texts, in the order of the fields. The error names what is missing or no text.
    fn values(&self, given: &Map<String, Value>) -> Result<Vec<String>, String> {
        let mut missing = Vec::new();
        let mut values = Vec::new();
        for name in &self.fields {
            let optional = self.paper.is_some_and(|p| p.optional().any(|f| f == name));
            let value = match given.get(name).unwrap_or(&Value::Null) {
                Value::Null if optional => String::new(),
                Value::Null => {
                    missing.push(name.as_str());
                    continue;
                }
                Value::Number(n) if name == "copy" => format!("COPY {n}"),
                Value::Number(n) => n.to_string(),
                Value::String(text) => text.clone(),
                Value::Array(list) => {
                    let texts: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
                    texts.ok_or_else(|| format!("field {name:?} must be a list of texts"))?.join(", ")
                }
                _ => return Err(format!("field {name:?} must be a text, a number or a list of texts")),
            };
            let length = value.chars().count();
            if length > FIELD_MAX {
                return Err(format!("field {name:?} has {length} characters; at most {FIELD_MAX} are taken"));
            }
            let needed = self.paper.is_some_and(|p| p.required().any(|f| f == name));
            if needed && value.trim().is_empty() {
                missing.push(name);
            }
            values.push(value);
        }
        if missing.is_empty() { Ok(values) } else { Err(format!("required and missing: {}", missing.join(", "))) }
    }

    fn fill(&self, values: &[String], stock: Stock, dpi: Dpi) -> Result<Filled, String> {
        let mut zpl = String::new();
        let mut at = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Opening => {
                    let (width, height) = stock.dots(dpi);
                    zpl.push_str(&format!("{OPENING}^PW{width}^LL{height}"));
                }
                Piece::Fixed(text) => zpl.push_str(text),
                Piece::Data(data) => {
                    if let Some((offset, names)) = self.data(&mut zpl, data, values)? {
                        at.push((offset, names));
                    }
                }
            }
        }
        Ok(Filled { zpl, at })
    }

    /// Writes one `^FD`; says where it begins and which fields are in it.
    fn data(&self, zpl: &mut String, data: &Data, values: &[String]) -> Result<Option<(usize, String)>, String> {
        let slots = || data.parts.iter().filter_map(|p| if let Part::Slot(n) = p { Some(*n) } else { None });
        if data.place.is_barcode() && slots().all(|n| values[n].is_empty()) {
            return Ok(None);
        }
        if !data.given {
            zpl.push_str("^FH");
        }
        let begins = zpl.len();
        zpl.push_str("^FD");
        let mut subset = Subset::default();
        for part in &data.parts {
            match part {
                Part::Literal(text) => {
                    let indicator = data.given.then_some(data.hex);
                    subset = subset.after(&lexer::unescaped(text.as_bytes(), indicator));
                    // Without ^FH an underscore was an underscore.
                    if data.given { zpl.push_str(text) } else { zpl.push_str(&text.replace('_', "_5F")) }
                }
                Part::Slot(n) => {
                    let name = &self.fields[*n];
                    let value = data.place.admit(&values[*n], subset).map_err(|why| format!("field {name:?} {why}"))?;
                    escape(zpl, &value, data.hex);
                }
            }
        }
        let names: Vec<String> = slots().map(|n| format!("{:?}", self.fields[n])).collect();
        Ok(Some((begins, names.join(", "))))
    }
}

/// Writes a value for `^FD` under `^FH`: what is surely harmless as it is, every other byte as hex.
fn escape(zpl: &mut String, value: &str, indicator: u8) {
    for b in value.bytes() {
        let plain = b.is_ascii_alphanumeric() || matches!(b, b' ' | b'-' | b'.' | b'/' | b':' | b'>');
        if plain && b != indicator {
            zpl.push(char::from(b));
        } else {
            zpl.push_str(&format!("{}{b:02X}", char::from(indicator)));
        }
    }
}
