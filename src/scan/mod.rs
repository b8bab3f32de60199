//! Bytes become scans. [`frame`] cuts a scanner's byte stream into payloads, this file takes the AIM
//! symbology identifier off a payload, [`models`] knows scanners by their USB numbers.
//!
//! Arrives: bytes as the line delivered them, in any pieces. Leaves: one [`Scan`] per payload with its
//! raw bytes untouched. Promised: nothing is dropped, nothing is trimmed, no panic on any input.

pub mod exam;
mod frame;
pub mod hid;
pub mod keys;
pub mod models;
pub mod raw;

pub use frame::{Frame, Framer, IDLE_GAP_MS, MAX_FRAME, RUNAWAY, SILENCE_MS, Suffix};

use std::borrow::Cow;

/// One decoded payload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scan {
    /// Everything between two suffixes, AIM identifier included.
    pub raw: Vec<u8>,
    /// The AIM symbology identifier `]cm`, when the scanner sends it.
    pub aim: Option<Aim>,
}

/// An AIM symbology identifier (ISO/IEC 15424): `]`, a code character, a modifier character.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Aim {
    /// The symbology: an ASCII letter.
    pub code: u8,
    /// What was done with the data: an ASCII letter or digit.
    pub modifier: u8,
}

impl Aim {
    /// The symbology and modifier as the two characters behind the `]`.
    pub fn is(self, cm: &[u8; 2]) -> bool {
        [self.code, self.modifier] == *cm
    }
}

impl std::fmt::Display for Aim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "]{}{}", char::from(self.code), char::from(self.modifier))
    }
}

impl Scan {
    /// Takes a payload apart. `]` with a letter and a letter or digit in front is an AIM identifier.
    pub fn decode(raw: Vec<u8>) -> Scan {
        let aim = match raw.as_slice() {
            [b']', code, modifier, ..] if code.is_ascii_alphabetic() && modifier.is_ascii_alphanumeric() => {
                Some(Aim { code: *code, modifier: *modifier })
            }
            _ => None,
        };
        Scan { raw, aim }
    }

    /// The data without the AIM identifier.
    pub fn data(&self) -> &[u8] {
        if self.aim.is_some() { &self.raw[3..] } else { &self.raw }
    }

    /// The data as text: UTF-8 where it is UTF-8, otherwise every byte as the Latin-1 character of its
    /// number, the default of the symbologies. Nothing is lost: control characters stay.
    pub fn text(&self) -> Cow<'_, str> {
        match std::str::from_utf8(self.data()) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => Cow::Owned(self.data().iter().map(|&b| char::from(b)).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_aim_identifier_is_a_letter_and_a_modifier_behind_a_bracket() {
        for (raw, aim, data) in [
            (&b"]C0ABC"[..], Some("]C0"), &b"ABC"[..]),
            (b"]d2", Some("]d2"), b""),
            (b"]zAx", Some("]zA"), b"x"),
            (b"]C", None, b"]C"),
            (b"]]C1", None, b"]]C1"),
            (b"]C-1", None, b"]C-1"),
            (b"]1C1", None, b"]1C1"),
            (b"x]C0", None, b"x]C0"),
            (b"", None, b""),
        ] {
            let scan = Scan::decode(raw.to_vec());
            assert_eq!((scan.aim.map(|a| a.to_string()).as_deref(), scan.data()), (aim, data));
            assert_eq!(scan.raw, raw);
        }
    }

    #[test]
    fn text_is_utf8_or_else_latin1() {
        assert_eq!(Scan::decode("]Q1caf\u{e9}".into()).text(), "caf\u{e9}");
        assert_eq!(Scan::decode(b"caf\xE9\x1D".to_vec()).text(), "caf\u{e9}\u{1d}");
    }

    proptest! {
        #[test]
        fn nothing_is_lost(raw in prop::collection::vec(any::<u8>(), 0..40)) {
            let scan = Scan::decode(raw.clone());
            let aim = scan.aim.map(|a| a.to_string()).unwrap_or_default();
            prop_assert_eq!([aim.as_bytes(), scan.data()].concat(), raw);
        }
    }
}
