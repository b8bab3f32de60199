//! # gate: ZPL from elsewhere, before it comes near a printer
//!
//! Arrives: a file's bytes (a carrier's label, a user's design), the stock it shall be printed on and the
//! head's dpi. Leaves: [`Foreign`], whose bytes are those that came, or [`Findings`] that say line, byte,
//! what and what to do.
//!
//! Promised of what passes: exactly one label comes out, which the printer's own count can prove; nothing
//! is stored, deleted, reset, asked or sent; no command is in it that a printer might see and this gate
//! did not. [`commands`] is the list of what may pass, [`fields`] follows the pen over the label,
//! [`geometry`] judges what it draws.

mod commands;
mod fields;
mod finding;
mod geometry;
pub(super) mod lexer;
mod width;

#[cfg(test)]
mod tests;

pub(super) use fields::{Content, Pen};
pub(super) use finding::Notes;
pub use finding::{Code, Finding, Findings, Severity};

use super::{Dpi, Stock};
use commands::Rule;
use lexer::{Command, Item};

/// Longest file taken, in bytes: a full page of graphics at 300 dpi in hex, and what printers hold in
/// one format without trouble.
pub const SIZE_MAX: usize = 1 << 20;
/// Most fields a label may have; the fullest carrier's label seen has a tenth.
pub const FIELDS_MAX: usize = 2_000;

/// A label from elsewhere that may be printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// As it came, byte for byte.
    pub zpl: Vec<u8>,
    /// What is allowed but worth saying.
    pub warnings: Findings,
}

/// Judges one foreign label for `stock` on a head of `dpi`.
///
/// # Errors
/// All findings, warnings among them, when one of them is a refusal.
pub fn inspect(bytes: &[u8], stock: Stock, dpi: Dpi) -> Result<Foreign, Findings> {
    let mut notes = Notes::new(bytes);
    form(&mut notes, bytes, false);
    if bytes.len() <= SIZE_MAX {
        geometry::look(&mut notes, bytes, stock, dpi);
    }
    let findings = Findings::sorted(notes.list);
    if findings.refused() { Err(findings) } else { Ok(Foreign { zpl: bytes.to_vec(), warnings: findings }) }
}

/// What stands where on the paper, of ZPL that has passed [`form`].
pub(super) fn geometry_of(bytes: &[u8], stock: Stock, dpi: Dpi) -> Vec<Finding> {
    let mut notes = Notes::new(bytes);
    geometry::look(&mut notes, bytes, stock, dpi);
    notes.list
}

/// One format and nothing else, of commands that may pass. A `design` may have named fields (`^FN`).
pub(super) fn form(notes: &mut Notes, bytes: &[u8], design: bool) {
    if bytes.len() > SIZE_MAX {
        return too_large(notes, bytes);
    }
    for (at, b) in bytes.iter().enumerate().filter(|(_, b)| b.is_ascii_control()) {
        if !matches!(b, b'\t' | b'\r' | b'\n') {
            let what = format!("the control code 0x{b:02X}{}", short_form(*b));
            notes.refuse(Code::Command, at, what, "delete it, or write it as hex behind ^FH");
        }
    }
    set_get_do(notes, bytes);
    let (mut open, mut formats, mut drawn, mut charset, mut fields) = (None, 0, false, false, 0);
    for item in lexer::items(bytes) {
        let command = match item {
            Item::Stray(at, text) => {
                stray(notes, at, text);
                continue;
            }
            Item::Command(command) => command,
        };
        if command.is(b"XA") {
            formats += 1;
            if open.replace(command.at).is_some() {
                notes.refuse(
                    Code::Form,
                    command.at,
                    "^XA inside a label that has not ended",
                    "end it with ^XZ, or delete this ^XA",
                );
            } else if formats == 2 {
                let what = "a second label begins here; a file is one label";
                notes.refuse(Code::Form, command.at, what, "delete what is not the label, or split the file");
            }
        } else if open.is_none() {
            let what = format!("{} stands outside of ^XA and ^XZ", command.written());
            notes.refuse(Code::Form, command.at, what, "delete it, or move it into the label");
        }
        judge(notes, &command, design);
        if command.is(b"XZ") {
            open = None;
            if let Some(text) = rest(command.data) {
                stray(notes, command.at + 3, text);
            }
        }
        drawn |= ["FD", "FV", "GB", "GC", "GD", "GE", "GF", "FN"].iter().any(|n| command.name == n.as_bytes());
        charset |= command.is(b"CI");
        fields += usize::from(command.is(b"FS"));
        if fields == FIELDS_MAX + 1 {
            let what = format!("more than {FIELDS_MAX} fields");
            notes.refuse(Code::Form, command.at, what, "send what is drawn dot by dot as one ^GFA graphic");
        }
    }
    // Ours leave ^CI28 behind, others what they like.
    let beyond = bytes.iter().position(|b| !b.is_ascii());
    if let (Some(at), false, false) = (beyond, design, charset) {
        let what = "a character beyond ASCII, and the label does not say its character set";
        notes.warn(Code::Command, at, what, "look whether it is printed as it is meant; ^CI28 is UTF-8");
    }
    if let Some(at) = open {
        notes.refuse(Code::Form, at, "this label has no end", "end it with ^XZ; the file may have been cut short");
    }
    if formats == 0 {
        notes.refuse(Code::Form, 0, "there is no label in it", "a label begins with ^XA and ends with ^XZ");
    } else if !drawn {
        notes.refuse(Code::Form, 0, "nothing in it is printed", "a label has at least one field");
    }
}

/// What stands behind `^XZ` and is not blank.
fn rest(data: &[u8]) -> Option<&[u8]> {
    let text = data.trim_ascii();
    (!text.is_empty()).then_some(text)
}

fn stray(notes: &mut Notes, at: usize, text: &[u8]) {
    if text.trim_ascii().is_empty() {
        return;
    }
    let shown: String = String::from_utf8_lossy(text).trim().chars().take(20).collect();
    if matches!(text[0], b'^' | b'~') {
        let what = format!("{:?} is no command: two characters must follow", char::from(text[0]).to_string());
        notes.refuse(Code::Command, at, what, "delete it; a ^ that shall be read is written _5E behind ^FH, a ~ _7E");
    } else {
        let what = format!("{shown:?} stands outside of ^XA and ^XZ");
        notes.refuse(Code::Form, at, what, "delete it");
    }
}

fn judge(notes: &mut Notes, command: &Command, design: bool) {
    if command.is(b"FN") {
        if !design {
            let what = "^FN is a field that nobody fills";
            notes.refuse(Code::Command, command.at, what, "print the design with `backdock label`, which fills it");
        }
        return;
    }
    match commands::rule(command) {
        Rule::Pass => {}
        Rule::Warn(what, remedy) => notes.warn(Code::Command, command.at, what, remedy),
        Rule::Refuse(what, remedy) => notes.refuse(Code::Command, command.at, what, remedy),
    }
}

/// `! U1 setvar` and its kin: another language that printers listen to between and within formats, and
/// the line that begins CPCL utilities.
fn set_get_do(notes: &mut Notes, bytes: &[u8]) {
    for (at, _) in bytes.iter().enumerate().filter(|(_, b)| **b == b'!') {
        let rest = bytes[at + 1..].trim_ascii_start();
        let begins = |word: &[u8]| rest.len() >= word.len() && rest[..word.len()].eq_ignore_ascii_case(word);
        if begins(b"U1 ") || begins(b"UTILITIES") {
            let what = "a Set-Get-Do line changes the printer or makes it answer";
            notes.refuse(Code::Command, at, what, "delete it; a ! that shall be read is written _21 behind ^FH");
        }
    }
}

/// Control codes that printers take for a command (ZPL programming guide, ^XA, ^XZ, ^FS).
fn short_form(b: u8) -> &'static str {
    match b {
        0x02 => " is ^XA to a printer",
        0x03 => " is ^XZ to a printer",
        0x0F => " is ^FS to a printer",
        _ => " has no place in a label",
    }
}

fn too_large(notes: &mut Notes, bytes: &[u8]) {
    let size = |n: usize| format!("{n} bytes");
    let largest = lexer::commands(bytes).filter(|c| c.is(b"GF") || c.is(b"FD")).max_by_key(|c| c.data.len());
    match largest.filter(|c| c.data.len() > SIZE_MAX / 2) {
        Some(c) if c.is(b"GF") => {
            let what = format!("the graphic ^GF has {}, its file {}", size(c.data.len()), size(bytes.len()));
            let remedy = format!(
                "at most {} are taken: export it for this printer's dpi, black and white, compressed",
                size(SIZE_MAX)
            );
            notes.refuse(Code::Form, c.at, what, remedy);
        }
        _ => {
            let what = format!("the file has {}", size(bytes.len()));
            notes.refuse(
                Code::Form,
                0,
                what,
                format!("at most {} are taken; a label has some thousand", size(SIZE_MAX)),
            );
        }
    }
}
