//! HIBC, the health industry's barcode: `+`, the labeller (a letter and three characters), the product, its
//! unit of measure and a check character; behind a slash, or in a barcode of its own, lot or serial number,
//! dates and quantity.
//!
//! Source: ANSI/HIBC 2.6, supplier labelling standard. The check character is the sum of the values of all
//! others, mod 43, in the alphabet of Code 39.

use super::parts::{self, Claim, SURE};
use crate::domain::identity::Candidate;

const ALPHABET: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%";

/// Longest payload, in characters: two-dimensional symbols carry several fields.
const LENGTH_MAX: usize = 110;

/// Every field; nothing where the payload has not the form.
pub fn read(text: &str) -> Vec<Candidate> {
    let text = text.trim_matches('*').to_ascii_uppercase();
    let Some(fields) = text.strip_prefix('+').filter(|_| text.is_ascii() && (7..=LENGTH_MAX).contains(&text.len()))
    else {
        return Vec::new();
    };
    let Some(right) = check(&text[..text.len() - 1]) else { return Vec::new() };
    let holds = text.ends_with(right);
    let fields = &fields[..fields.len() - 1];
    if fields.starts_with(['$', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) {
        // A second barcode ends with the first one's check character; only a right sum proves the form.
        let data = &fields[..fields.len() - 1];
        return if holds { second(data, SURE) } else { Vec::new() };
    }
    let mut fields = fields.split('/');
    let first = fields.next().unwrap_or("");
    let (labeller, product) = first.split_at_checked(4).unwrap_or((first, ""));
    let formed = labeller.len() == 4
        && labeller.starts_with(|c: char| c.is_ascii_uppercase())
        && first.bytes().all(|b| b.is_ascii_alphanumeric())
        && (2..=19).contains(&product.len())
        && product.ends_with(|c: char| c.is_ascii_digit());
    if !formed {
        return Vec::new();
    }
    let trust = if holds { SURE } else { 45 };
    let product = &product[..product.len() - 1];
    let mut found = parts::read(Claim::Part, product, trust, &format!("HIBC, product of labeller {labeller}"));
    found.extend(fields.flat_map(|field| second(field, trust)));
    if !holds {
        for candidate in &mut found {
            candidate.why.push_str(&format!(", but its check character should be {right:?}: scan it again"));
        }
    }
    found
}

/// Lot, serial number, date or quantity.
fn second(field: &str, trust: u8) -> Vec<Candidate> {
    let read = |claim, data: &str, what: &str| match data {
        "" => Vec::new(),
        data => parts::read(claim, data, trust, &format!("HIBC, {what}")),
    };
    if let Some(rest) = field.strip_prefix("$$") {
        let (serial, rest) = rest.strip_prefix('+').map_or((false, rest), |r| (true, r));
        // 8 and two digits or 9 and five digits: a quantity.
        let quantity = match rest.as_bytes().first() {
            Some(b'8') => 3,
            Some(b'9') => 6,
            _ => 0,
        };
        let rest = rest.get(quantity..).unwrap_or("");
        // How the date is written: MMYY, or a digit that says so, then that many.
        let date = match rest.as_bytes().first() {
            Some(b'0' | b'1') => 4,
            Some(b'2' | b'3') => 7,
            Some(b'4') => 9,
            Some(b'5') => 6,
            Some(b'6') => 8,
            Some(b'7') => 1,
            _ => 0,
        };
        let (date, data) = rest.split_at_checked(date).unwrap_or(("", rest));
        let mut found =
            if serial { read(Claim::Serial, data, "serial number") } else { read(Claim::Nothing, data, "lot") };
        found.extend(read(Claim::Nothing, date.trim_start_matches('7'), "date"));
        return found;
    }
    let named = [
        ("$+", Claim::Serial, "serial number"),
        ("$", Claim::Nothing, "lot"),
        ("S", Claim::Serial, "serial number"),
        ("Q", Claim::Nothing, "quantity"),
        ("14D", Claim::Nothing, "expiry date"),
        ("16D", Claim::Nothing, "production date"),
    ];
    match named.iter().find_map(|(mark, claim, what)| Some((field.strip_prefix(mark)?, claim, what))) {
        Some((data, claim, what)) => read(*claim, data, what),
        // Five digits of a Julian day, then the lot.
        None => read(Claim::Nothing, field, "date and lot"),
    }
}

/// The check character of what stands in front of it; `None` where a character is not in the alphabet.
fn check(body: &str) -> Option<char> {
    let sum: Option<usize> = body.chars().map(|c| ALPHABET.find(c)).sum();
    ALPHABET.chars().nth(sum? % ALPHABET.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::identity::Kind;
    use proptest::prelude::*;

    fn kinds(text: &str) -> Vec<(Kind, String)> {
        read(text).into_iter().map(|c| (c.kind, c.value)).collect()
    }

    fn checked(body: &str) -> String {
        format!("{body}{}", check(body).unwrap())
    }

    /// Examples of the standard and of symbol generators' manuals.
    #[test]
    fn published_examples_hold() {
        assert_eq!(kinds("+A123BJC5D6E71G"), [(Kind::Part, "BJC5D6E7".into())]);
        assert_eq!(
            kinds("+A99912345/$$52001510X3B"),
            [(Kind::Part, "1234".into()), (Kind::Unknown, "10X3".into()), (Kind::Unknown, "520015".into())]
        );
        assert_eq!(kinds("*+A123BJC5D6E71G*"), [(Kind::Part, "BJC5D6E7".into())]);
    }

    #[test]
    fn serial_numbers_are_found_in_every_place_they_have() {
        for body in [
            "+A123BJC5D6E71/$+SN12",
            "+A123BJC5D6E71/$$+7SN12",
            "+A123BJC5D6E71/$$+3261231SN12",
            "+A123BJC5D6E71/SSN12",
        ] {
            assert!(kinds(&checked(body)).contains(&(Kind::Serial, "SN12".into())), "{body}");
        }
        // A second barcode, with the link character G in front of its check character.
        assert_eq!(kinds(&checked("+$+SN12G")), [(Kind::Serial, "SN12".into())]);
        assert_eq!(kinds("+$+SN12GZ"), [], "nothing but the check character says that this is one");
    }

    #[test]
    fn a_wrong_check_character_warns() {
        let found = read("+A123BJC5D6E71H");
        assert!(found[0].confidence < 50 && found[0].why.contains("should be 'G'"), "{found:?}");
        for no in ["", "+", "+1 555 0100", "+A1", "+A123BJC5D\u{e9}71G", "A123BJC5D6E71G", "++++++++"] {
            assert_eq!(kinds(no), [], "{no}");
        }
    }

    proptest! {
        #[test]
        fn no_payload_panics(text in "\\+?[A-Z0-9$/+%\u{e9}]{0,40}") {
            let _ = read(&text);
            let body = format!("+{}", text.replace('\u{e9}', ""));
            let _ = read(&checked(&body));
        }
    }
}
