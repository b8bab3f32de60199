//! ANSI MH10.8.2 data identifiers: up to three digits and a letter in front of the data.
//!
//! Inside an ISO/IEC 15434 envelope an identifier is a fact. In front of a bare barcode it is a hint: the
//! data may just as well begin with that letter, so the whole stays a candidate beside it.

use super::parts::{self, Claim, SURE};
use crate::domain::identity::Candidate;

/// One element of an ISO/IEC 15434 envelope of format 06; `None` when no identifier stands in front.
pub fn inside(element: &str) -> Option<Vec<Candidate>> {
    let (di, data) = split(element)?;
    let (claim, what) = meaning(di);
    Some(parts::read(claim, data, SURE, &format!("MH10.8.2 {di}, {what}")))
}

/// What a bare payload may be behind its identifier; only those that makers print bare.
pub fn bare(text: &str) -> Vec<Candidate> {
    let Some((di, data)) = split(text) else { return Vec::new() };
    let (claim, what) = meaning(di);
    // The longer and rarer the identifier, the better the hint.
    let trust = match di {
        "S" => 48,
        "P" => 45,
        "1P" | "30P" => 85,
        "18S" | "25S" | "22S" => 65,
        "23S" => 96,
        _ => return Vec::new(),
    };
    let found = parts::read(claim, data, trust, &format!("may be MH10.8.2 {di}, {what}"));
    // "23S" in front of anything but an address is no identifier.
    let sure = |c: &Candidate| c.confidence > 10 && !(di == "23S" && c.confidence < 50);
    if data.len() < 3 { Vec::new() } else { found.into_iter().filter(sure).collect() }
}

fn split(text: &str) -> Option<(&str, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let letter = text.as_bytes().get(digits).filter(|b| digits <= 3 && b.is_ascii_uppercase());
    letter.and_then(|_| text.split_at_checked(digits + 1)).filter(|(_, data)| !data.is_empty())
}

fn meaning(di: &str) -> (Claim, &'static str) {
    match di {
        "S" => (Claim::Serial, "serial number"),
        "18S" => (Claim::Serial, "serial number behind the maker's CAGE code"),
        "25S" => (Claim::Serial, "serial number behind the maker's identification"),
        "22S" => (Claim::Imei, "electronic serial number of a mobile device"),
        "23S" => (Claim::Mac, "MAC address"),
        "P" => (Claim::Part, "customer's part number"),
        "1P" => (Claim::Part, "supplier's part number"),
        "30P" => (Claim::Part, "supplier's part number, first level"),
        "Q" => (Claim::Nothing, "quantity"),
        "T" | "1T" => (Claim::Nothing, "lot"),
        _ => (Claim::Nothing, "other data"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::identity::Kind;

    #[test]
    fn an_element_is_what_its_identifier_says() {
        for (text, kind, value) in [
            ("S12345", Kind::Serial, "12345"),
            ("1PT46U", Kind::Part, "T46U"),
            ("PT46U", Kind::Part, "T46U"),
            ("23S001565abcdef", Kind::Mac, "001565ABCDEF"),
            ("22S490154203237518", Kind::Imei, "490154203237518"),
            ("18S1ABC2XYZ", Kind::Serial, "1ABC2XYZ"),
            ("Q5", Kind::Unknown, "5"),
        ] {
            let first = inside(text).unwrap().remove(0);
            assert_eq!((first.kind, first.value.as_str()), (kind, value), "{text}");
        }
        for no in ["", "S", "1234S5", "s123", "-S1", "123", "\u{e9}S"] {
            assert_eq!(inside(no), None, "{no}");
        }
    }

    #[test]
    fn in_front_of_a_bare_barcode_it_is_a_hint() {
        let trust = |text| bare(text).first().map(|c| (c.kind, c.confidence));
        assert!(trust("S12345").is_some_and(|(k, c)| k == Kind::Serial && c < 50));
        assert!(trust("23S001565ABCDEF").is_some_and(|(k, c)| k == Kind::Mac && c > 90));
        for no in ["23SABCDEF12", "Q12", "S1", "1T999", "A1234"] {
            assert_eq!(bare(no), [], "{no}");
        }
    }
}
