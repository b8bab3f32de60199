//! GS1 element strings: application identifiers (AI) with their data, one behind the other.
//!
//! Source: GS1 General Specifications, section 3 (the identifiers), figure 7.8.5-2 (those of predefined
//! length, which need no separator), section 7.8.6 (FNC1 arrives as GS, 0x1D). Real labels leave the
//! separator out, so the reading of a string without one is the longest its last identifier allows.

use super::digits;
use super::parts::{self, Claim, SURE};
use crate::domain::identity::Candidate;

const GS: char = '\u{1d}';

/// One element: its identifier and its data.
type Element<'a> = (&'a str, &'a str);

/// Reads a payload as GS1 elements. `told`: the scanner's symbology identifier says that it is GS1;
/// otherwise the payload itself must prove it (a leading FNC1, or a right check digit behind 00 or 01).
pub fn read(text: &str, told: bool) -> Vec<Candidate> {
    if text.starts_with('(') {
        return bracketed(text).map_or_else(Vec::new, |e| candidates(&e));
    }
    let body = text.strip_prefix(GS).unwrap_or(text);
    match elements(body) {
        Some(found) if told || body.len() < text.len() || proves_itself(&found) => candidates(&found),
        _ => Vec::new(),
    }
}

/// The elements of a GS1 part inside another envelope (ISO/IEC 15434 format 05).
pub fn inside(text: &str) -> Vec<Candidate> {
    elements(text).map_or_else(Vec::new, |e| candidates(&e))
}

/// One element whose identifier is known apart, as in a GS1 Digital Link.
pub fn element(ai: &str, data: &str) -> Option<Vec<Candidate>> {
    let (len, shape) = shape(ai)?;
    (len == ai.len() && shape.fits(data)).then(|| candidates(&[(ai, data)]))
}

fn proves_itself(elements: &[Element]) -> bool {
    matches!(elements.first(), Some(("00" | "01", data)) if digits::gs1(data))
}

/// How long the data of an identifier is, in characters.
#[derive(Clone, Copy)]
enum Shape {
    /// Exactly so many digits; no separator follows.
    Fixed(usize),
    /// Up to so many characters, ended by a separator or the end.
    UpTo(usize),
}

impl Shape {
    fn fits(self, data: &str) -> bool {
        match self {
            Shape::Fixed(n) => data.len() == n && digits::all(data),
            // GS1 AI encodable character set 82 is within this.
            Shape::UpTo(n) => (1..=n).contains(&data.len()) && data.bytes().all(|b| (b'!'..=b'z').contains(&b)),
        }
    }
}

/// The identifier's own length, and what it announces, by its first two digits.
fn shape(text: &str) -> Option<(usize, Shape)> {
    use Shape::{Fixed, UpTo};
    let two = text.get(..2).filter(|t| digits::all(t))?;
    let ai = match two {
        "00" => (2, Fixed(18)),
        "01" | "02" | "03" => (2, Fixed(14)),
        "11" | "12" | "13" | "15" | "16" | "17" => (2, Fixed(6)),
        "20" => (2, Fixed(2)),
        "10" | "21" | "22" => (2, UpTo(20)),
        "23" => (3, UpTo(28)),
        "24" | "25" => (3, UpTo(30)),
        "30" | "37" => (2, UpTo(8)),
        "31" | "32" | "33" | "34" | "35" | "36" => (4, Fixed(6)),
        "39" => (4, UpTo(18)),
        "40" => (3, UpTo(30)),
        "41" => (3, Fixed(13)),
        "42" => (3, UpTo(15)),
        "43" => (4, UpTo(70)),
        "70" | "72" => (4, UpTo(30)),
        "71" => (3, UpTo(20)),
        "80" | "81" | "82" => (4, UpTo(90)),
        "90" => (2, UpTo(30)),
        "91" | "92" | "93" | "94" | "95" | "96" | "97" | "98" | "99" => (2, UpTo(90)),
        _ => return None,
    };
    text.get(..ai.0).filter(|t| digits::all(t)).map(|_| ai)
}

/// Cuts a string into elements; `None` unless it is made of them from end to end.
fn elements(text: &str) -> Option<Vec<Element<'_>>> {
    let (mut rest, mut found) = (text, Vec::new());
    while !rest.is_empty() {
        let (len, shape) = shape(rest)?;
        let (ai, tail) = rest.split_at(len);
        let end = match shape {
            Shape::Fixed(n) => n,
            Shape::UpTo(_) => tail.find(GS).unwrap_or(tail.len()),
        };
        let (data, tail) = tail.split_at_checked(end)?;
        if !shape.fits(data) {
            return None;
        }
        found.push((ai, data));
        // A separator behind a fixed length is superfluous but allowed.
        rest = tail.strip_prefix(GS).unwrap_or(tail);
    }
    (!found.is_empty()).then_some(found)
}

/// The human-readable form, `(01)04006381333931(21)AB12`, which some labels carry inside a QR code.
fn bracketed(text: &str) -> Option<Vec<Element<'_>>> {
    let mut found = Vec::new();
    for piece in text.strip_prefix('(')?.split('(') {
        let (ai, data) = piece.split_once(')')?;
        let (data, (len, shape)) = (data.trim(), shape(ai)?);
        if len != ai.len() || !shape.fits(data) {
            return None;
        }
        found.push((ai, data));
    }
    Some(found)
}

fn candidates(elements: &[Element]) -> Vec<Candidate> {
    elements.iter().flat_map(|&(ai, data)| candidate(ai, data)).collect()
}

fn candidate(ai: &str, data: &str) -> Vec<Candidate> {
    let (claim, data, what) = match ai {
        "00" => (Claim::Sscc, data, "shipping container"),
        "01" | "02" | "03" => (Claim::Gtin, data, "trade item"),
        "21" => (Claim::Serial, data, "serial number"),
        "250" => (Claim::Serial, data, "secondary serial number"),
        "240" | "241" => (Claim::Part, data, "part number"),
        "8002" => (Claim::Imei, data, "mobile device"),
        // A returnable asset is a 0, 13 digits, and the serial number.
        "8003" => (Claim::Serial, data.get(14..).filter(|s| !s.is_empty()).unwrap_or(data), "returnable asset"),
        "8004" => (Claim::Serial, data, "individual asset"),
        "8010" => (Claim::Part, data, "component"),
        "8200" => (Claim::Url, data, "web address"),
        _ => (Claim::Nothing, data, "other data"),
    };
    parts::read(claim, data, if ai == "250" { SURE - 5 } else { SURE }, &format!("GS1 ({ai}), {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::identity::Kind;
    use proptest::prelude::*;

    fn kinds(text: &str, told: bool) -> Vec<(Kind, String)> {
        read(text, told).into_iter().map(|c| (c.kind, c.value)).collect()
    }

    #[test]
    fn every_element_gives_its_candidate() {
        use Kind::{Gtin, Part, Serial, Sscc, Unknown};
        for (text, want) in [
            ("010400638133393121AB12", vec![(Gtin, "04006381333931"), (Serial, "AB12")]),
            ("\u{1d}010400638133393121AB12", vec![(Gtin, "04006381333931"), (Serial, "AB12")]),
            (
                "21AB12\u{1d}10LOT7\u{1d}0104006381333931",
                vec![(Serial, "AB12"), (Unknown, "LOT7"), (Gtin, "04006381333931")],
            ),
            (
                "010400638133393117271231\u{1d}21X-1",
                vec![(Gtin, "04006381333931"), (Unknown, "271231"), (Serial, "X-1")],
            ),
            ("00000123450000000027", vec![(Sscc, "000123450000000027")]),
            ("(01)04006381333931(240)T46U(21) AB12", vec![(Gtin, "04006381333931"), (Part, "T46U"), (Serial, "AB12")]),
            ("800304006381333931SN9", vec![(Serial, "SN9")]),
            ("8004ASSET7", vec![(Serial, "ASSET7")]),
            ("250SEC1", vec![(Serial, "SEC1")]),
        ] {
            let want: Vec<_> = want.into_iter().map(|(k, v)| (k, v.to_owned())).collect();
            assert_eq!(kinds(text, true), want, "{text}");
        }
    }

    #[test]
    fn without_the_scanners_word_the_payload_must_prove_itself() {
        assert_eq!(kinds("010400638133393121AB12", false).len(), 2);
        assert_eq!(kinds("00000123450000000027", false).len(), 1);
        assert_eq!(kinds("\u{1d}21AB12", false).len(), 1);
        for no in ["21AB12", "010400638133393221AB12", "0004F2ABCDEF", "2101234567", "8004ASSET7", ""] {
            assert_eq!(kinds(no, false), [], "{no}");
        }
    }

    #[test]
    fn what_is_not_made_of_elements_is_none() {
        for no in [
            "01040063813339",
            "0104006381333931ABC",
            "05X",
            "21",
            "21\u{1d}",
            &format!("21{}", "9".repeat(21)),
            "(01)04006381333931x(21",
            "()",
            "(",
            "21\u{e9}",
            "310",
        ] {
            assert_eq!(kinds(no, true), [], "{no}");
        }
    }

    proptest! {
        #[test]
        fn no_input_panics(text in "[0-9()\u{1d}A-Z\u{e9}]{0,40}", told in any::<bool>()) {
            let _ = read(&text, told);
        }

        #[test]
        fn a_serial_comes_back_as_it_was_printed(serial in "[A-Z0-9]{1,20}") {
            let found = kinds(&format!("010400638133393121{serial}\u{1d}10L"), true);
            prop_assert!(found.contains(&(Kind::Serial, serial)));
        }
    }
}
