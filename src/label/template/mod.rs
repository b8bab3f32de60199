//! # template: a user's own design, and the one way data gets into it
//!
//! Arrives: the text of a `.zpl` file in which fields are named, `^FDRMA {rma}^FS` or `^FN1"rma"^FS`, and
//! the fields' values. Leaves: a [`Label`]. The design goes through the [`super::gate`] first.
//!
//! Promised:
//! - no value changes which commands the label has: every byte but letters, digits and a few signs goes
//!   out as hex under `^FH`, which is added where the design has none, with the design's own indicator
//!   where it has one; `^CI28` is put at the label's start. There is no switch for any of it;
//! - a value is printed as it is meant where it stands (Code 128 subsets, QR, text blocks), or there is no
//!   label and the error says which field and why;
//! - a text or barcode that the data makes leave the stock is an error, never cut by the printer.
//!
//! A barcode whose fields are all empty has no `^FD`, and is not printed. The field `copy` reads `COPY 2`
//! on a reprint and is empty on the first print.

mod designs;
mod place;
#[cfg(test)]
mod tests;

pub use designs::{Checked, Designs, check};

use super::gate::lexer::{self, Command};
use super::gate::{self, Code, Findings, Notes, Pen, Severity};
use super::layout::Page;
use super::{Dpi, FIELD_MAX, Label, LabelDef, LabelError, Stock, metrics};
use place::{Place, Subset};
use serde_json::{Map, Value};

/// Most different fields of a design.
const FIELDS_MAX: usize = 100;
/// Longest name of a field.
const NAME_MAX: usize = 40;

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
        let mut reader = Reader { text, notes, pen: Pen::new(), pieces: Vec::new(), fields: Vec::new(), waiting: None };
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
        let filled = self.fill(&values).map_err(refused)?;
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
        let page = self.notice(&values, stock, dpi);
        Ok(Label {
            zpl: filled.zpl,
            width_dots: page.width,
            height_dots: page.height,
            elements: page.elements,
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

    fn fill(&self, values: &[String]) -> Result<Filled, String> {
        let mut zpl = String::new();
        let mut at = Vec::new();
        for piece in &self.pieces {
            match piece {
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

    /// The picture for people: what is printed is only known to the printer, so it says the fields.
    fn notice(&self, values: &[String], stock: Stock, dpi: Dpi) -> Page {
        let mut page = Page::new(stock, dpi);
        let (width, height) = (f32::from(page.width), f32::from(page.height));
        let margin = page.mm(2.0);
        let line = page.mm(2.4).min(height * 0.08);
        page.frame(margin / 2.0, margin / 2.0, width - margin, height - margin, page.mm(0.25).max(1.0));
        let title = format!("design {}.zpl, drawn by the printer", self.name);
        let fields = self.fields.iter().zip(values).filter(|(_, value)| !value.is_empty());
        let lines = std::iter::once(title).chain(fields.map(|(name, value)| format!("{name}: {value}")));
        let mut y = margin;
        for text in lines {
            let shown: String = text.chars().filter(|c| metrics::glyph(*c) != metrics::Glyph::Missing).collect();
            if y + line > height - margin {
                break;
            }
            if let Some(wrapped) = super::layout::wrap(&shown, width - 2.0 * margin, line, 1, super::layout::Break::Cut)
            {
                page.lines([margin, y], line, line, &wrapped, false);
            }
            y += line * 1.2;
        }
        page
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

/// Goes through a design's commands and takes it apart.
struct Reader<'a> {
    text: &'a str,
    notes: Notes<'a>,
    pen: Pen<'a>,
    pieces: Vec<Piece>,
    fields: Vec<String>,
    /// The field that `^FN` named, until its `^FD` or `^FS`.
    waiting: Option<usize>,
}

impl<'a> Reader<'a> {
    fn take(&mut self, command: &Command<'a>) {
        let source = &self.text[command.at..command.end()];
        match &command.name {
            b"XA" => self.fixed(&source.replacen(&source[..3], "^XA^CI28", 1)),
            b"CI" => {
                if command.parameters().number(0) != Some(28) {
                    let what = format!("{} becomes ^CI28", source.trim());
                    self.notes.warn(Code::Command, command.at, what, "characters written as hex must be UTF-8");
                }
                self.fixed(&source[source.trim_end().len()..]);
            }
            b"FN" => self.waiting = self.field_number(command),
            b"FD" | b"FV" => match self.waiting.take() {
                Some(slot) => self.slot_alone(command, slot),
                None => self.data(command, &source[3..]),
            },
            b"FS" => {
                if let Some(slot) = self.waiting.take() {
                    self.slot_alone(command, slot);
                }
                self.fixed(source);
            }
            _ => self.fixed(source),
        }
        self.pen.pass(command);
    }

    fn fixed(&mut self, text: &str) {
        match self.pieces.last_mut() {
            Some(Piece::Fixed(last)) => last.push_str(text),
            _ => self.pieces.push(Piece::Fixed(text.to_owned())),
        }
    }

    /// `^FN1"serial"`: the field's name.
    fn field_number(&mut self, command: &Command) -> Option<usize> {
        let data = String::from_utf8_lossy(command.data);
        let name = data.split('"').nth(1).unwrap_or_default().to_owned();
        if !is_name(&name) {
            let what = format!("^FN{} does not say which field it is", data.trim().escape_debug());
            self.notes.refuse(Code::Field, command.at, what, "write ^FN1\"serial\", in small letters, digits and _");
            return None;
        }
        Some(self.index(command.at, &name))
    }

    /// The place of a name among the fields.
    fn index(&mut self, at: usize, name: &str) -> usize {
        if let Some(n) = self.fields.iter().position(|f| f == name) {
            return n;
        }
        self.fields.push(name.to_owned());
        if self.fields.len() == FIELDS_MAX + 1 {
            let what = format!("more than {FIELDS_MAX} different fields");
            self.notes.refuse(Code::Field, at, what, "use fewer");
        }
        self.fields.len() - 1
    }

    /// Data that is one field.
    fn slot_alone(&mut self, command: &Command, slot: usize) {
        let level = matches!(Place::of(&self.pen), Place::Qr).then(|| Part::Literal("QA,".to_owned()));
        self.piece(command, level.into_iter().chain([Part::Slot(slot)]).collect());
    }

    /// A `^FD` as the design has it.
    fn data(&mut self, command: &Command, body: &str) {
        let mut parts = Vec::new();
        let mut literal = 0;
        let mut from = 0;
        while let Some(open) = body[from..].find('{').map(|n| n + from) {
            let Some(close) = body[open..].find('}').map(|n| n + open) else { break };
            let name = &body[open + 1..close];
            if is_name(name) {
                if literal < open {
                    parts.push(Part::Literal(body[literal..open].to_owned()));
                }
                parts.push(Part::Slot(self.index(command.at, name)));
                (literal, from) = (close + 1, close + 1);
                continue;
            }
            if name.len() <= NAME_MAX && is_name(&name.trim().to_lowercase()) {
                let what = format!("{{{name}}} is no field, and is printed as it stands");
                self.notes.warn(Code::Field, command.at, what, "names of fields are small letters, digits and _");
            }
            from = open + 1;
        }
        if literal < body.len() {
            parts.push(Part::Literal(body[literal..].to_owned()));
        }
        if parts.iter().any(|p| matches!(p, Part::Slot(_))) {
            self.piece(command, parts);
        } else {
            self.fixed(&self.text[command.at..command.end()]);
        }
    }

    fn piece(&mut self, command: &Command, parts: Vec<Part>) {
        let place = Place::of(&self.pen);
        let given = self.pen.hex();
        if self.pen.clock() {
            let what = "a field of the data in a field with the printer's clock";
            self.notes.refuse(Code::Field, command.at, what, "give each a field of its own");
        }
        if let Some(hex) = given.filter(|b| !b.is_ascii_punctuation() || *b == b',') {
            let what = format!("the hex indicator 0x{hex:02X} is no sign that could be told from data");
            self.notes.refuse(Code::Field, command.at, what, "write ^FH, or ^FH\\");
        }
        let leads = |parts: &[Part]| match parts.first() {
            // Level, automatic mode, comma.
            Some(Part::Literal(text)) => {
                matches!(text.trim_start().as_bytes(), [b'H' | b'Q' | b'M' | b'L', b'A', b',', ..])
            }
            _ => false,
        };
        if place == Place::Qr && !leads(&parts) {
            let what = "the data of a QR code does not begin with its level and mode";
            self.notes.refuse(Code::Field, command.at, what, "write ^FDQA,{field}^FS");
        }
        self.pieces.push(Piece::Data(Data { place, hex: given.unwrap_or(b'_'), given: given.is_some(), parts }));
    }
}

/// Small letters, digits and `_`, beginning with a letter.
fn is_name(name: &str) -> bool {
    let body = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    name.len() <= NAME_MAX && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(body)
}
