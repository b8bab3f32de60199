//! Where in a design a field stands, and what may stand there: a value is printed as it is meant, or
//! refused with the reason. Nothing is dropped, exchanged or guessed.

use crate::label::gate::lexer::Command;
use crate::label::gate::{Content, Pen};
use crate::label::metrics::{self, Glyph};

/// What a field's data becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Text; in a block (`^FB`, `^TB`) some characters have a meaning.
    Text {
        block: Option<Block>,
    },
    /// `^BC` with its mode: who chooses the subsets.
    Code128 {
        mode: u8,
    },
    Code39,
    Qr,
    /// `^BX` with its escape character.
    DataMatrix {
        escape: u8,
    },
    Pdf417,
    /// Interleaved 2 of 5, EAN, UPC.
    Digits,
    /// Any other barcode.
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    Fb,
    Tb,
}

impl Place {
    /// Of the field that `pen` is writing.
    pub fn of(pen: &Pen) -> Place {
        let Content::Barcode(command) = pen.content() else {
            let block = pen.block().map(|b| if b.text_block { Block::Tb } else { Block::Fb });
            return Place::Text { block };
        };
        Place::barcode(&command)
    }

    fn barcode(command: &Command) -> Place {
        let p = command.parameters();
        match &command.name {
            b"BC" => Place::Code128 { mode: p.letter(5).unwrap_or(b'N') },
            b"B3" => Place::Code39,
            b"BQ" => Place::Qr,
            // Turn, height, quality, columns, rows, format, escape.
            b"BX" => Place::DataMatrix { escape: p.word(6).first().copied().unwrap_or(b'~') },
            b"B7" => Place::Pdf417,
            b"B2" | b"BE" | b"BU" | b"B8" | b"B9" => Place::Digits,
            _ => Place::Other,
        }
    }

    pub fn is_barcode(self) -> bool {
        !matches!(self, Place::Text { .. })
    }

    /// What `value` becomes here, before `^FH`; `subset` is that of a Code 128 at this point. The error
    /// is a sentence about the value.
    pub fn admit(self, value: &str, subset: Subset) -> Result<String, String> {
        if let Some(c) = value.chars().find(|c| c.is_control()) {
            return Err(format!("has the control character {}; remove it or scan again", code(c)));
        }
        let only = |allowed: &dyn Fn(char) -> bool, what: &str| match value.chars().find(|&c| !allowed(c)) {
            Some(c) => Err(format!("has {}, {what}", code(c))),
            None => Ok(value.to_owned()),
        };
        match self {
            Place::Text { block } => {
                let taken: &[char] = match block {
                    Some(Block::Fb) => &['\\'],
                    Some(Block::Tb) => &['<', '>', '\\'],
                    None => &[],
                };
                let native = |c| matches!(metrics::glyph(c), Glyph::Native(_));
                only(&|c| !taken.contains(&c), "which has a meaning of its own in a ^FB or ^TB block")?;
                only(&native, "which the printer's own font lacks")
            }
            Place::Code128 { mode: b'N' } => subset.admit(value),
            Place::Code128 { mode } => {
                // In automatic mode printers differ about `>`; in mode D they take these three away.
                let lost = |c: char| c == '>' || (mode != b'A' && matches!(c, '(' | ')' | ' '));
                only(&|c| ascii(c) && !lost(c), "which a Code 128 of this mode does not give back; use ^BC mode N")
            }
            Place::Code39 => {
                let held = |c: char| c.is_ascii_digit() || c.is_ascii_uppercase() || "-. $/+%".contains(c);
                only(&held, "which Code 39 does not carry")
            }
            // Zebras drop `|` from QR codes.
            Place::Qr => only(&|c| ascii(c) && c != '|', "which QR codes of Zebra printers do not carry"),
            // `_` and `~` are the usual escape characters, one or the other by firmware.
            Place::DataMatrix { escape } => {
                let lost = |c: char| matches!(c, '_' | '~') || c == char::from(escape);
                only(&|c| ascii(c) && !lost(c), "which a Data Matrix field takes for an escape")
            }
            Place::Pdf417 => only(&|c| ascii(c) && c != '\\', "which a PDF417 field does not give back"),
            Place::Digits => only(&|c| c.is_ascii_digit(), "and this barcode carries digits only"),
            Place::Other => {
                let plain = |c: char| c.is_ascii_alphanumeric() || " -./".contains(c);
                only(&plain, "which is not known to survive in this barcode")
            }
        }
    }
}

fn ascii(c: char) -> bool {
    matches!(c, ' '..='~')
}

fn code(c: char) -> String {
    let shown = c.is_alphanumeric() || c.is_ascii_graphic();
    if shown { format!("U+{:04X} ({c})", u32::from(c)) } else { format!("U+{:04X}", u32::from(c)) }
}

/// The subset that a Code 128 of mode N is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Subset {
    A,
    #[default]
    B,
    C,
}

impl Subset {
    /// After these bytes of the design's own (ZPL programming guide, ^BC, invocation codes).
    pub fn after(self, literal: &[u8]) -> Subset {
        let (mut subset, mut rest) = (self, literal);
        while let Some(at) = rest.iter().position(|&b| b == b'>') {
            let Some(what) = rest.get(at + 1) else { break };
            subset = match what {
                b'9' | b'7' => Subset::A,
                b':' | b'6' => Subset::B,
                b';' | b'5' => Subset::C,
                _ => subset,
            };
            rest = &rest[at + 2..];
        }
        subset
    }

    fn admit(self, value: &str) -> Result<String, String> {
        let bad = |held: fn(char) -> bool| value.chars().find(|&c| !held(c));
        match self {
            Subset::B => match bad(ascii) {
                Some(c) => Err(format!("has {}, which Code 128 does not carry", code(c))),
                None => Ok(value.replace('>', ">0")),
            },
            Subset::A => match bad(|c| matches!(c, ' '..='_')) {
                Some(c) => Err(format!("has {}, which subset A of Code 128 does not carry", code(c))),
                None => Ok(value.replace('>', ">0")),
            },
            Subset::C => match bad(|c| c.is_ascii_digit()) {
                None if value.len().is_multiple_of(2) => Ok(value.to_owned()),
                _ => {
                    Err("is not an even number of digits, and the design puts it into subset C of Code 128".to_owned())
                }
            },
        }
    }
}
