//! GS1 element strings: application identifiers (AI) with their data, one behind the other.
//!
//! Sources: GS1 General Specifications, section 3 and 7.8 (FNC1 arrives as GS, 0x1D), the identifiers as
//! GS1's syntax dictionary has them (`gs1.tsv`). Real labels leave the separator out or a wedge scanner
//! loses it: then the reading is the longest that the identifier allows, and those readings that cut
//! where the next identifier may begin stand beside it, for the store to choose from. Data of a length
//! or with a character or check digit that its identifier does not allow is kept, and `why` says so.

use super::parts::{self, Claim, SURE};
use super::{digits, table};
use crate::domain::identity::Candidate;

const GS: char = '\u{1d}';

const TEXT: &str = include_str!("gs1.tsv");
const ROWS: &[[&str; 6]] = &table::rows::<{ table::count(TEXT) }, 6>(TEXT);

/// Readings beside the longest one, where a separator may have been lost.
const CUTS_MAX: usize = 3;

/// How far a reading is trusted that rests on a separator which is not there.
const CUT: u8 = 40;

/// How far one is trusted whose identifier does not allow it, or that is only likely to be GS1.
const DOUBTED: u8 = 55;

const WRONG_CHECK: &str = "its check digit is wrong: scan it again";

/// One row of the table: identifier or range, format, ends by itself, keys behind it, claim, words.
#[derive(Clone, Copy)]
struct Ai(&'static [&'static str; 6]);

/// One element: its identifier as it stands there, its data, and what is wrong with it.
struct Element<'a> {
    row: Ai,
    ai: &'a str,
    data: &'a str,
    fault: Option<String>,
}

/// Reads a payload as GS1 elements. `told`: the scanner's symbology identifier says that it is GS1;
/// otherwise the payload itself must prove it (a leading FNC1, or a right check digit behind 00 or 01).
pub fn read(text: &str, told: bool) -> Vec<Candidate> {
    if text.starts_with('(') {
        return bracketed(text).map_or_else(Vec::new, |e| candidates(&e, SURE));
    }
    let body = text.trim_start_matches(GS);
    let (found, rest) = elements(body);
    if found.is_empty() {
        return Vec::new();
    }
    let whole = rest.is_empty() && found.iter().all(|e| e.fault.is_none());
    let begun = found.first().is_some_and(|e| e.fault.is_none());
    // Separators between elements that are all right are hardly chance either.
    let separated = whole && found.len() > 1 && body.trim_end_matches(GS).contains(GS);
    let proven = separated || matches!(found.first(), Some(Element { ai: "00" | "01", data, .. }) if digits::gs1(data));
    let trust = match (told || body.len() < text.len(), whole) {
        (true, true) => SURE,
        (true, false) if begun || told => SURE,
        (false, true) if proven => SURE,
        (false, false) if proven => DOUBTED,
        _ => return Vec::new(),
    };
    let mut all = candidates(&found, trust);
    if !rest.is_empty() {
        all.extend(parts::read(Claim::Nothing, rest, trust, "not a GS1 element"));
    }
    if !body.contains(GS) {
        all.extend(found.last().map_or_else(Vec::new, cuts));
    }
    all
}

/// The elements of a GS1 part inside another envelope (ISO/IEC 15434 format 05).
pub fn inside(text: &str) -> Vec<Candidate> {
    candidates(&elements(text).0, SURE)
}

/// One element whose identifier is known apart, as in a GS1 Digital Link; `None` for no identifier.
pub fn element(ai: &str, data: &str) -> Option<Vec<Candidate>> {
    let row = lookup(ai).filter(|row| row.len() == ai.len())?;
    Some(candidate(&Element { row, ai, data, fault: row.fault(data) }, SURE))
}

/// The keys that may stand behind this one in a Digital Link; `None` where it begins none.
pub fn link_keys(ai: &str) -> Option<impl Iterator<Item = &'static str>> {
    let row = lookup(ai).filter(|row| row.len() == ai.len() && !row.0[3].is_empty())?;
    Some(row.0[3].split(','))
}

/// Whether data has the length and characters of an identifier, its check digit aside.
pub fn fits(ai: &str, data: &str) -> bool {
    let row = lookup(ai).filter(|row| row.len() == ai.len());
    row.is_some_and(|row| row.fault(data).is_none_or(|fault| fault == WRONG_CHECK))
}

/// The row of the identifier that `text` begins with. No identifier is the beginning of another one, so
/// the last row that is not behind `text` is the only one that can be it.
fn lookup(text: &str) -> Option<Ai> {
    let at = ROWS.partition_point(|row| row[0].split('-').next() <= Some(text)).checked_sub(1)?;
    let row = Ai(&ROWS[at]);
    let ai = text.get(..row.len())?;
    let (from, to) = row.0[0].split_once('-').unwrap_or((row.0[0], row.0[0]));
    (digits::all(ai) && from <= ai && ai <= to).then_some(row)
}

impl Ai {
    /// The identifier's own length.
    fn len(self) -> usize {
        self.0[0].split('-').next().map_or(0, str::len)
    }

    fn pieces(self) -> impl Iterator<Item = Piece> {
        self.0[1].split(' ').map(Piece::of)
    }

    /// Where the data ends by itself: how long it is.
    fn predefined(self) -> Option<usize> {
        (!self.0[2].is_empty()).then(|| self.pieces().map(|p| p.most).sum())
    }

    /// What is wrong with data under this identifier.
    fn fault(self, data: &str) -> Option<String> {
        let (least, most) = self.pieces().fold((0, 0), |(a, b), p| (a + p.least, b + p.most));
        if !(least..=most).contains(&data.len()) {
            let must = if least == most { format!("{most}") } else { format!("{least} to {most}") };
            return Some(format!("{} characters where {must} are allowed", data.chars().count()));
        }
        let mut rest = data;
        for piece in self.pieces() {
            let (part, tail) = rest.split_at_checked(piece.most.min(rest.len()))?;
            if let Some(fault) = piece.fault(part).filter(|_| !part.is_empty()) {
                return Some(fault);
            }
            rest = tail;
        }
        None
    }
}

/// One piece of a format: `N14c`, `X-20`, `N6d?`.
#[derive(Clone, Copy)]
struct Piece {
    set: u8,
    least: usize,
    most: usize,
    /// `c` check digit, `d` date; 0 for none.
    test: u8,
}

impl Piece {
    fn of(text: &str) -> Piece {
        let (text, optional) = text.strip_suffix('?').map_or((text, false), |t| (t, true));
        let set = text.as_bytes().first().copied().unwrap_or(b'X');
        let upto = text.get(1..2) == Some("-");
        let number = text.get(1..).unwrap_or("").trim_start_matches('-');
        let most = number.trim_end_matches(['c', 'd']).parse().unwrap_or(0);
        let test = number.as_bytes().last().copied().filter(u8::is_ascii_alphabetic).unwrap_or(0);
        let least = if optional {
            0
        } else if upto {
            1
        } else {
            most
        };
        Piece { set, least, most, test }
    }

    fn fault(self, part: &str) -> Option<String> {
        let allowed = |b: u8| match self.set {
            b'N' => b.is_ascii_digit(),
            b'Y' => b.is_ascii_digit() || b.is_ascii_uppercase() || matches!(b, b'#' | b'-' | b'/'),
            b'Z' => b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'='),
            _ => b.is_ascii_alphanumeric() || b"!\"%&'()*+,-./:;<=>?_".contains(&b),
        };
        if !part.bytes().all(allowed) {
            let what = if self.set == b'N' { "other characters than digits" } else { "a character outside its set" };
            return Some(what.to_owned());
        }
        match self.test {
            b'c' if !digits::gs1(part) => Some(WRONG_CHECK.to_owned()),
            b'd' if !is_date(part) => Some("no date".to_owned()),
            _ => None,
        }
    }
}

/// YYMMDD; day 00 stands for the end of the month.
fn is_date(text: &str) -> bool {
    let two = |at: usize| text.get(at..at + 2).and_then(|t| t.parse::<u32>().ok());
    two(2).is_some_and(|month| (1..=12).contains(&month)) && two(4).is_some_and(|day| day <= 31)
}

/// Cuts a string into elements, up to what begins with no identifier; that is the second answer.
fn elements(text: &str) -> (Vec<Element<'_>>, &str) {
    let (mut rest, mut found) = (text, Vec::new());
    // A separator behind a fixed length is superfluous but allowed.
    while let Some(row) = lookup(rest.trim_start_matches(GS)) {
        let (ai, tail) = rest.trim_start_matches(GS).split_at(row.len());
        let end = tail.find(GS).unwrap_or(tail.len());
        let end = row.predefined().map_or(end, |n| n.min(end));
        let Some((data, tail)) = tail.split_at_checked(end) else { break };
        found.push(Element { row, ai, data, fault: row.fault(data) });
        rest = tail;
    }
    (found, rest.trim_start_matches(GS))
}

/// The other readings of the last element of a string without separators: its data may end where the
/// next identifier begins, if all that follows is right.
fn cuts(last: &Element) -> Vec<Candidate> {
    const NEXT: [&str; 13] = ["01", "10", "11", "13", "15", "17", "21", "22", "240", "241", "250", "30", "37"];
    if last.row.predefined().is_some() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for at in (1..last.data.len().min(91)).rev().filter(|at| last.data.is_char_boundary(*at)) {
        let (head, tail) = last.data.split_at(at);
        if !NEXT.iter().any(|ai| tail.starts_with(ai)) || last.row.fault(head).is_some() {
            continue;
        }
        let (more, rest) = elements(tail);
        let right = rest.is_empty() && more.iter().all(|e| e.fault.is_none() && e.ai != last.ai);
        if !right || more.first().is_none_or(|e| !NEXT.contains(&e.ai)) {
            continue;
        }
        let mut all = vec![Element { row: last.row, ai: last.ai, data: head, fault: None }];
        all.extend(more);
        let useful = all.iter().filter(|e| !e.row.0[4].is_empty());
        found.extend(
            useful
                .flat_map(|e| candidate(e, CUT))
                .map(|c| Candidate { why: format!("{}, if the separator behind ({}) was lost", c.why, last.ai), ..c }),
        );
        if found.len() >= CUTS_MAX {
            break;
        }
    }
    found
}

/// The human-readable form, `(01)04006381333931(21)AB12`, which some labels carry inside a QR code.
fn bracketed(text: &str) -> Option<Vec<Element<'_>>> {
    let mut found: Vec<Element> = Vec::new();
    let mut rest = text;
    while let Some(body) = rest.strip_prefix('(') {
        let (ai, tail) = body.split_once(')')?;
        let row = lookup(ai).filter(|row| row.len() == ai.len())?;
        // A bracket may be part of the data: only one with an identifier in it ends them.
        let next = tail.match_indices('(').find(|(at, _)| {
            let inner = tail[at + 1..].split(')').next().unwrap_or("");
            lookup(inner).is_some_and(|row| row.len() == inner.len())
        });
        let (data, after) = tail.split_at(next.map_or(tail.len(), |(at, _)| at));
        let data = data.trim();
        found.push(Element { row, ai, data, fault: row.fault(data) });
        rest = after;
    }
    (!found.is_empty() && rest.is_empty()).then_some(found)
}

fn candidates(elements: &[Element], trust: u8) -> Vec<Candidate> {
    elements.iter().flat_map(|e| candidate(e, trust)).collect()
}

fn candidate(element: &Element, trust: u8) -> Vec<Candidate> {
    let Element { row, ai, data, fault } = element;
    let claim = match row.0[4] {
        "sscc" => Claim::Sscc,
        "gtin" => Claim::Gtin,
        "serial" => Claim::Serial,
        "part" => Claim::Part,
        "imei" => Claim::Imei,
        "url" => Claim::Url,
        _ => Claim::Nothing,
    };
    let data = match *ai {
        // A returnable asset is a 0, 13 digits, and the serial number.
        "8003" => data.get(14..).filter(|s| !s.is_empty()).unwrap_or(data),
        // The trade item, then the piece and of how many.
        "8006" | "8026" => data.get(..14).unwrap_or(data),
        _ => data,
    };
    let trust = if *ai == "250" { trust - 5 } else { trust };
    let what = format!("GS1 ({ai}), {}", row.0[5]);
    match fault {
        None => parts::read(claim, data, trust, &what),
        Some(fault) => {
            let mut found = parts::read(claim, data, trust.min(DOUBTED), &what);
            for candidate in found.iter_mut().filter(|c| !c.why.contains(fault.as_str())) {
                candidate.why = format!("{what}: {fault}");
            }
            found
        }
    }
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
        use Kind::{Gtin, Imei, Part, Serial, Sscc, Unknown, Url};
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
            // A bracket in the data is no identifier's.
            ("(01)04006381333931(10)A(1)2", vec![(Gtin, "04006381333931"), (Unknown, "A(1)2")]),
            ("800304006381333931SN9", vec![(Serial, "SN9")]),
            ("8004ASSET7", vec![(Serial, "ASSET7")]),
            ("250SEC1", vec![(Serial, "SEC1")]),
            ("310300150031030015003103001500", vec![(Unknown, "001500"), (Unknown, "001500"), (Unknown, "001500")]),
            ("8040490154203237518", vec![(Imei, "490154203237518")]),
            ("8200https://maker.example/", vec![(Url, "https://maker.example/")]),
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
        assert_eq!(kinds("21AB12\u{1d}10L7", false).len(), 2);
        for no in ["21AB12", "010400638133393221AB12", "0004F2ABCDEF", "2101234567", "8004ASSET7", ""] {
            assert_eq!(kinds(no, false), [], "{no}");
        }
    }

    /// Figure 7.8.5-2 and the table of identifiers: what is too long, too short, of the wrong characters, or
    /// has a wrong check digit, is named; the rest of the string is read all the same.
    #[test]
    fn what_an_identifier_does_not_allow_is_kept_and_named() {
        for (text, value, fault) in [
            ("010400638133", "0400638133", "10 characters where 14 are allowed"),
            ("0104006381333932", "04006381333932", "check digit is wrong"),
            ("010400638133393X", "0400638133393X", "other characters than digits"),
            (&format!("21{}\u{1d}10L", "9".repeat(21)), &"9".repeat(21), "21 characters where 1 to 20 are allowed"),
            ("21\u{1d}10L", "", "0 characters where 1 to 20 are allowed"),
            ("17271331", "271331", "no date"),
            ("42212", "12", "2 characters where 3 are allowed"),
            ("25312345678901", "12345678901", "11 characters where 13 to 30 are allowed"),
            ("3103001", "001", "3 characters where 6 are allowed"),
            ("21A~B", "A~B", "a character outside its set"),
        ] {
            let found = read(text, true);
            let named = found.iter().find(|c| c.why.contains(fault)).unwrap_or_else(|| panic!("{text}: {found:?}"));
            assert_eq!(named.value, value, "{text}");
            assert!(named.confidence <= DOUBTED, "{named:?}");
        }
        assert!(kinds("3106001500", true).is_empty(), "3106 is no identifier");
        // A string that proves itself at its beginning and breaks later is doubted, not dropped.
        let found = read("0104006381333931ABC", false);
        assert!(found[0].kind == Kind::Gtin && found[0].confidence < 60, "{found:?}");
        assert!(found[1].why.contains("not a GS1 element"));
        for no in ["05X", "(01)04006381333931x(21", "()", "(", "\u{e9}"] {
            assert_eq!(kinds(no, true), [], "{no}");
        }
    }

    #[test]
    fn a_lost_separator_gives_the_readings_that_it_would_have_made() {
        let serials = |text: &str| -> Vec<String> {
            let found = read(text, false).into_iter().filter(|c| c.kind == Kind::Serial);
            found.map(|c| c.value).collect()
        };
        assert_eq!(serials("010400638133393121AB1217271231"), ["AB1217271231", "AB12"]);
        assert_eq!(serials("010400638133393110LOT721SN123"), ["SN123"]);
        assert_eq!(serials("010400638133393121AB12"), ["AB12"], "nothing behind it could be an identifier");
        assert_eq!(serials("010400638133393121AB1217271231\u{1d}"), ["AB1217271231"], "the separators work");
        let cut = read("010400638133393121AB1217271231", false).into_iter().find(|c| c.value == "AB12").unwrap();
        assert!(cut.why.contains("separator behind (21) was lost") && cut.confidence == CUT);
        // Too long for one serial number: only the cut can be right.
        let long = "0104006381333931219876543210AB17271231240T46U";
        assert!(read(long, false).iter().any(|c| c.kind == Kind::Serial && c.value == "9876543210AB"));
    }

    #[test]
    fn the_table_is_whole() {
        assert!(ROWS.is_sorted_by(|a, b| a[0] < b[0]), "the search needs order");
        for row in ROWS {
            let ai = Ai(&ROWS[ROWS.iter().position(|r| r[0] == row[0]).unwrap()]);
            assert!((2..=4).contains(&ai.len()) && ai.pieces().all(|p| p.most > 0), "{row:?}");
            assert!(row[3].split(',').all(|k| matches!(k, "" | "-") || lookup(k).is_some()), "{row:?}");
        }
        for (ai, len) in [("00", 18), ("01", 14), ("17", 6), ("3103", 6), ("414", 13)] {
            assert_eq!(lookup(ai).and_then(Ai::predefined), Some(len), "{ai}");
        }
        for open in ["21", "8006", "7003", "402", "3925"] {
            assert_eq!(lookup(open).and_then(Ai::predefined), None, "{open}");
        }
    }

    proptest! {
        #[test]
        fn no_input_panics(text in "[0-9()\u{1d}A-Z\u{e9}]{0,60}", told in any::<bool>()) {
            let _ = read(&text, told);
        }

        #[test]
        fn a_serial_comes_back_as_it_was_printed(serial in "[A-Z0-9]{1,20}") {
            let found = kinds(&format!("010400638133393121{serial}\u{1d}10L"), true);
            prop_assert!(found.contains(&(Kind::Serial, serial)));
        }
    }
}
