//! A design's commands, one by one, into pieces: ZPL that stays as it is, and data with named fields.

use super::place::Place;
use super::{Data, Part, Piece};
use crate::label::gate::lexer::Command;
use crate::label::gate::{Code, Notes, Pen};

/// Most different fields of a design.
const FIELDS_MAX: usize = 100;
/// Longest name of a field.
const NAME_MAX: usize = 40;

/// Goes through a design's commands and takes it apart.
pub(super) struct Reader<'a> {
    text: &'a str,
    pub notes: Notes<'a>,
    pen: Pen<'a>,
    pub pieces: Vec<Piece>,
    pub fields: Vec<String>,
    /// The field that `^FN` named, until its `^FD` or `^FS`.
    waiting: Option<usize>,
}

impl<'a> Reader<'a> {
    pub fn new(text: &'a str, notes: Notes<'a>) -> Reader<'a> {
        Reader { text, notes, pen: Pen::new(), pieces: Vec::new(), fields: Vec::new(), waiting: None }
    }

    pub fn take(&mut self, command: &Command<'a>) {
        let source = &self.text[command.at..command.end()];
        match &command.name {
            b"XA" => {
                self.fixed("^XA");
                self.pieces.push(Piece::Opening);
                self.fixed(&source[3..]);
            }
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
