//! What was not meant for a dock: setup barcodes of scanner makers (`setup.tsv`), payloads for a phone's
//! camera (`schemes.tsv`), and text that presses keys. None of them is a unit's datum; each is named, so
//! that the worker learns what was scanned.

use super::controls;
use super::table::{count, fits, rows};
use crate::domain::identity::{Candidate, Kind};
use crate::domain::text::escaped;

const SETUP_TEXT: &str = include_str!("setup.tsv");
const SETUP: &[[&str; 2]] = &rows::<{ count(SETUP_TEXT) }, 2>(SETUP_TEXT);

const SCHEME_TEXT: &str = include_str!("schemes.tsv");
const SCHEMES: &[[&str; 2]] = &rows::<{ count(SCHEME_TEXT) }, 2>(SCHEME_TEXT);

/// Longest setup barcode, in bytes.
const SETUP_MAX: usize = 60;

/// Readings of a setup barcode as anything else are not trusted further than this.
pub const BESIDE_SETUP: u8 = 10;

/// The payload as a scanner's setup barcode.
pub fn setup(text: &str) -> Option<Candidate> {
    if text.len() > SETUP_MAX {
        return None;
    }
    let upper = text.to_ascii_uppercase();
    let [maker, _] = SETUP.iter().find(|row| fits(row[1], &upper))?;
    let why = format!(
        "a setup barcode of {maker} scanners, no datum of a unit: if the scanner beeped oddly, its settings have \
         changed; set it up again from its manual"
    );
    Some(Candidate::new(Kind::Unknown, escaped(text.as_bytes()), 90, why))
}

/// The payload as something for a phone.
pub fn scheme(text: &str) -> Option<Candidate> {
    let begins = |word: &str| {
        let head = text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
        // A word without a mark of its own is a whole line.
        head && (word.ends_with(|c: char| !c.is_ascii_alphanumeric())
            || text[word.len()..].starts_with(['\r', '\n', ':']))
    };
    let licence = text.strip_prefix("@\n\u{1e}\rANSI ").map(|_| "a driving licence (AAMVA)");
    let what = SCHEMES.iter().find(|row| begins(row[0])).map(|row| row[1]).or(licence)?;
    Some(Candidate::new(Kind::Unknown, escaped(text.as_bytes()), 30, format!("{what}, no datum of a unit")))
}

/// Why a payload that has no other name should be looked at twice.
pub fn warning(text: &str) -> Option<String> {
    let keys = controls::hotkeys(text)?;
    Some(format!("has control characters that a keyboard scanner would press as keys ({keys}): do not scan it again"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setup_barcodes_are_named_by_their_maker() {
        for (text, maker) in [
            ("@FACDEF", "Newland"),
            ("#SETUPE1", "Newland"),
            ("@KBWCTY1", "Newland"),
            ("TERMID124.", "Honeywell"),
            ("PAPHHF.", "Honeywell"),
            ("232BAD9!", "Honeywell"),
            ("TERMID124;SUFBK2990D.", "Honeywell"),
            ("$P", "Datalogic"),
            ("$+CP0$-", "Datalogic"),
            ("$CSNRM01", "Datalogic"),
            ("\u{b3}999998", "Metrologic"),
            ("%%SpecCode92", "no-name"),
            ("^#SC^303FFF0", "no-name"),
        ] {
            let found = setup(text).unwrap_or_else(|| panic!("{text}"));
            assert!(found.why.contains(maker) && found.kind == Kind::Unknown, "{text}: {found:?}");
        }
        for no in ["", "AB12", "$100", "#1", "3146019091637071", "AB-12.", "@you", "\u{b3}", "SN: AB12.", "1.0.0."] {
            assert_eq!(setup(no), None, "{no}");
        }
    }

    #[test]
    fn payloads_for_phones_are_named() {
        for (text, what) in [
            ("MECARD:N:Doe;;", "contact"),
            ("begin:vcard\r\nFN:x", "contact"),
            ("WIFI:S:x;;", "wireless"),
            ("BCD\n002\n1", "payment"),
            ("@\n\u{1e}\rANSI 636000", "licence"),
        ] {
            assert!(scheme(text).is_some_and(|c| c.why.contains(what)), "{text}");
        }
        for no in ["", "BCD12345", "TELLUS", "MT", "\u{e9}", "begin:vcar\u{e9}"] {
            assert_eq!(scheme(no), None, "{no}");
        }
    }

    #[test]
    fn keys_in_a_payload_are_a_warning() {
        assert!(warning("\u{12}notepad\r").is_some_and(|w| w.contains("Ctrl+R")));
        assert_eq!(warning("AB12"), None);
    }
}
