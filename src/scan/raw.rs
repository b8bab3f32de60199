//! What stands on a tape of a scanner: exactly what came from the device, in the form in which it comes.
//!
//! | form | what one line holds |
//! |---|---|
//! | `bytes` | what a serial line or a connection gave at once |
//! | `reports DESCRIPTOR` | one report of a HID POS scanner, its id in front; the report descriptor in hexadecimal |
//! | `keys LAYOUT` | key events of one that types, three bytes each: key code (low byte first), 1 down, 0 up, 2 repeat; FF FF 00 where the kernel dropped events, 00 00 00 where that ends; FE FF 00 where the device was opened |
//!
//! Behind the form stands `@` and the scanner's name: one tape may have several scanners.
//!
//! [`Played`] makes of all of them the bytes that a scanner on a serial port with suffix CR would have sent.

use super::hid::{self, Decoder};
use super::keys::stream::{KeyEvent, Step, Typist};
use super::keys::{Layout, layout};
use super::{Frame, Framer, Suffix};
use std::collections::BTreeMap;

/// The form without decoding.
pub const BYTES: &str = "bytes";
/// The silence that ends a scan of a scanner that types, when nothing else does, in milliseconds.
const GAP_MS: u64 = 500;

const DROPPED: [u8; 3] = [0xff, 0xff, 0];
const COMPLETE: [u8; 3] = [0, 0, 0];
/// No key is down from here on.
pub const OPENED: [u8; 3] = [0xfe, 0xff, 0];

/// The form of reports with this descriptor.
pub fn reports(descriptor: &[u8]) -> String {
    let hex: String = descriptor.iter().map(|b| format!("{b:02x}")).collect();
    format!("reports {hex}")
}

/// The form of keys typed on this layout.
pub fn keys(typed: Layout) -> String {
    let name = layout::NAMES.iter().find(|(_, l)| *l == typed).map_or("us", |(name, _)| name);
    format!("keys {name}")
}

/// Appends an event in the form of a tape. What merely ends a group of events is left out, except behind a loss.
pub fn write_key(event: KeyEvent, lost: &mut bool, out: &mut Vec<u8>) {
    match event {
        KeyEvent::Key(code, value) => {
            let [low, high] = code.to_le_bytes();
            out.extend([low, high, value.clamp(0, 2) as u8]);
        }
        KeyEvent::Dropped => {
            *lost = true;
            out.extend(DROPPED);
        }
        KeyEvent::Report if std::mem::take(lost) => out.extend(COMPLETE),
        KeyEvent::Report => {}
    }
}

/// A tape being played.
#[derive(Default)]
pub struct Played {
    /// By form and scanner; none where nothing is to be decoded.
    decoders: BTreeMap<String, Option<Decoding>>,
    /// Scans that were not whole on the tape either, and are left out.
    pub refused: usize,
}

enum Decoding {
    Reports(Decoder),
    Keys(Typist, Framer),
}

impl Played {
    /// Takes what stands on a line of this form, `ms` after the beginning.
    ///
    /// # Errors
    /// The form is none, or the line is not of this form.
    pub fn decode(&mut self, form: &str, raw: &[u8], ms: u64) -> Result<Vec<u8>, String> {
        if !self.decoders.contains_key(form) {
            self.decoders.insert(form.to_owned(), decoding(form)?);
        }
        let Some(Some(decoder)) = self.decoders.get_mut(form) else { return Ok(raw.to_vec()) };
        let (mut frames, mut out) = (Vec::new(), Vec::new());
        match decoder {
            Decoding::Reports(decoder) => decoder.push(raw, ms, &mut |f| frames.push(f)),
            Decoding::Keys(typist, framer) => {
                if !raw.len().is_multiple_of(3) {
                    return Err(format!("{} bytes are no key events: each has three", raw.len()));
                }
                let out = &mut |frame| frames.push(frame);
                for event in raw.chunks_exact(3) {
                    let event = match [event[0], event[1], event[2]] {
                        OPENED => {
                            typed(typist, framer, ms, out);
                            framer.close(false, out);
                            typist.begin();
                            continue;
                        }
                        DROPPED => KeyEvent::Dropped,
                        COMPLETE => KeyEvent::Report,
                        [low, high, value] => KeyEvent::Key(u16::from_le_bytes([low, high]), value.into()),
                    };
                    typist.take(event);
                }
                typed(typist, framer, ms, out);
            }
        }
        self.sent(frames, &mut out);
        Ok(out)
    }

    /// What the end of the tape completes.
    pub fn finish(&mut self) -> Vec<u8> {
        let (mut frames, mut out) = (Vec::new(), Vec::new());
        for decoder in self.decoders.values_mut().flatten() {
            match decoder {
                Decoding::Reports(decoder) => decoder.close(&mut |f| frames.push(f)),
                Decoding::Keys(_, framer) => framer.close(true, &mut |f| frames.push(f)),
            }
        }
        self.sent(frames, &mut out);
        out
    }

    fn sent(&mut self, frames: Vec<Frame>, out: &mut Vec<u8>) {
        for frame in frames {
            match frame {
                Frame::Payload(bytes) => {
                    out.extend(Suffix::Any.taken_off(&bytes));
                    out.push(b'\r');
                }
                Frame::Unfinished(_) | Frame::TooLong { .. } => self.refused += 1,
            }
        }
    }
}

/// Hands over what was typed so far.
fn typed(typist: &mut Typist, framer: &mut Framer, ms: u64, out: &mut impl FnMut(Frame)) {
    while let Some(step) = typist.next(usize::MAX) {
        match step {
            Step::Bytes(bytes) => framer.push(&bytes, ms, out),
            Step::Spoilt => framer.spoil(ms),
        }
    }
}

fn decoding(form: &str) -> Result<Option<Decoding>, String> {
    let (form, _scanner) = form.split_once(" @").unwrap_or((form, ""));
    let wrong = || format!("the form {form:?} is none: bytes, reports DESCRIPTOR, or keys LAYOUT");
    match form.split_once(' ') {
        None if form == BYTES || form.is_empty() => Ok(None),
        Some(("reports", hex)) => {
            let digits: Option<Vec<u8>> = hex.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect();
            let digits = digits.filter(|d| d.len() % 2 == 0).ok_or_else(wrong)?;
            let descriptor: Vec<u8> = digits.chunks_exact(2).map(|d| d[0] << 4 | d[1]).collect();
            let layout = hid::layout(&descriptor).map_err(|why| format!("{}: {why}", wrong()))?;
            Ok(Some(Decoding::Reports(Decoder::new(layout))))
        }
        Some(("keys", name)) => {
            let (_, layout) = layout::NAMES.iter().find(|(n, _)| *n == name).ok_or_else(wrong)?;
            Ok(Some(Decoding::Keys(Typist::new(*layout), Framer::new(Suffix::Any, GAP_MS))))
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Down and up.
    fn keys(codes: &[u16]) -> Vec<u8> {
        let (mut out, mut lost) = (Vec::new(), false);
        for code in codes {
            for value in [1, 0] {
                write_key(KeyEvent::Key(*code, value), &mut lost, &mut out);
                write_key(KeyEvent::Report, &mut lost, &mut out);
            }
        }
        out
    }

    #[test]
    fn keys_become_what_they_typed() {
        let mut tape = Played::default();
        // Y on a German keyboard, then 1 and Enter, in two lines.
        assert_eq!(tape.decode("keys de", &keys(&[44]), 0), Ok(vec![]));
        assert_eq!(tape.decode("keys de", &keys(&[2, 28]), 3), Ok(b"y1\r".to_vec()));
        // Without Enter the silence ends it, at the latest the end of the tape.
        assert_eq!(tape.decode("keys de", &keys(&[2]), 1000), Ok(vec![]));
        assert_eq!(tape.decode("keys de", &keys(&[3]), 2000), Ok(b"1\r".to_vec()));
        assert_eq!(tape.finish(), b"2\r");
        assert_eq!(tape.refused, 0);
    }

    #[test]
    fn scanners_on_one_tape_do_not_mix() {
        let mut tape = Played::default();
        let [left, right] = ["keys us @left", "keys us @right"];
        assert_eq!(tape.decode(left, &keys(&[30]), 0), Ok(vec![]));
        assert_eq!(tape.decode(right, &[42, 0, 1], 1), Ok(vec![]));
        assert_eq!(tape.decode("bytes @third", b"x", 2), Ok(b"x".to_vec()));
        assert_eq!(tape.decode(left, &keys(&[48, 28]), 3), Ok(b"ab\r".to_vec()));
        assert_eq!(tape.decode(right, &keys(&[30, 28]), 4), Ok(b"A\r".to_vec()));
        // Pulled out with Shift down, in the middle of a scan, and opened again.
        let again = [keys(&[30]), OPENED.to_vec(), keys(&[48, 28])].concat();
        assert_eq!((tape.decode(right, &again, 5), tape.refused), (Ok(b"b\r".to_vec()), 1));
    }

    #[test]
    fn a_scan_that_was_refused_is_left_out() {
        let mut tape = Played::default();
        let mut lost = false;
        let mut raw = keys(&[2]);
        write_key(KeyEvent::Dropped, &mut lost, &mut raw);
        write_key(KeyEvent::Key(9, 1), &mut lost, &mut raw);
        write_key(KeyEvent::Report, &mut lost, &mut raw);
        raw.extend(keys(&[3, 28, 4, 28]));
        assert_eq!(tape.decode("keys us", &raw, 0), Ok(b"3\r".to_vec()));
        assert_eq!(tape.refused, 1);
    }

    #[test]
    fn a_form_that_is_none_is_said_to_be_none() {
        for form in ["reports", "reports 0", "reports zz", "reports 0509", "keys", "keys dvorak", "morse x", "é"] {
            assert!(Played::default().decode(form, b"x", 0).is_err_and(|e| e.contains("is none")), "{form}");
        }
        assert!(Played::default().decode("keys us", b"ab", 0).is_err_and(|e| e.contains("three")));
        assert_eq!(Played::default().decode("bytes", b"\x1dx", 0), Ok(b"\x1dx".to_vec()));
    }
}
