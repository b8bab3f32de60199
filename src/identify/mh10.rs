//! ANSI MH10.8.2 data identifiers: up to three digits and a letter in front of the data.
//!
//! Inside an ISO/IEC 15434 envelope an identifier is a fact. In front of a bare barcode it is a hint: the
//! data may just as well begin with that letter, so the whole stays a candidate beside it.

use super::parts::{self, Claim, SURE};
use super::table;
use crate::domain::identity::Candidate;

const TEXT: &str = include_str!("mh10.tsv");
/// Identifier, claim, trust in front of a bare barcode, words. A category's row is `-` and its letter.
const ROWS: &[[&str; 4]] = &table::rows::<{ table::count(TEXT) }, 4>(TEXT);

/// One element of an ISO/IEC 15434 envelope of format 06; `None` when no identifier stands in front.
pub fn inside(element: &str) -> Option<Vec<Candidate>> {
    let (di, data) = split(element)?;
    let [_, _, _, what] = row(di)?;
    Some(parts::read(claim(di), data, SURE, &format!("MH10.8.2 {di}, {what}")))
}

/// What a bare payload may be behind its identifier; only those that makers print bare.
pub fn bare(text: &str) -> Vec<Candidate> {
    let Some((di, data)) = split(text) else { return Vec::new() };
    let Some([name, _, trust, what]) = row(di) else { return Vec::new() };
    // The longer and rarer the identifier, the better the hint.
    let Some(trust) = trust.parse().ok().filter(|_| *name == di && data.len() >= 3) else { return Vec::new() };
    let found = parts::read(claim(di), data, trust, &format!("may be MH10.8.2 {di}, {what}"));
    // "23S" in front of anything but an address is no identifier.
    let sure = |c: &Candidate| c.confidence > 10 && !(di == "23S" && c.confidence < 50);
    found.into_iter().filter(sure).collect()
}

fn split(text: &str) -> Option<(&str, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let letter = text.as_bytes().get(digits).filter(|b| digits <= 3 && b.is_ascii_uppercase());
    letter.and_then(|_| text.split_at_checked(digits + 1)).filter(|(_, data)| !data.is_empty())
}

/// The identifier's own row, or that of its category.
fn row(di: &str) -> Option<&'static [&'static str; 4]> {
    let category = di.get(di.len() - 1..);
    ROWS.iter().find(|r| r[0] == di).or_else(|| ROWS.iter().find(|r| r[0].strip_prefix('-') == category))
}

fn claim(di: &str) -> Claim {
    row(di).map_or(Claim::Nothing, |row| named(row[1]))
}

fn named(claim: &str) -> Claim {
    match claim {
        "serial" => Claim::Serial,
        "mac" => Claim::Mac,
        "imei" => Claim::Imei,
        "part" => Claim::Part,
        "rma" => Claim::Rma,
        "url" => Claim::Url,
        "licence" => Claim::Licence,
        _ => Claim::Nothing,
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
            ("1RR26D10001", Kind::Rma, "R26D10001"),
            ("33Lhttps://maker.example/", Kind::Url, "https://maker.example/"),
            ("Q5", Kind::Unknown, "5"),
            ("99Kanything", Kind::Unknown, "anything"),
            // A licence plate that is a carrier's.
            ("JJD014600003949845772", Kind::Tracking, "JJD014600003949845772"),
            ("1JUN123456789X", Kind::Unknown, "UN123456789X"),
        ] {
            let first = inside(text).unwrap().remove(0);
            assert_eq!((first.kind, first.value.as_str()), (kind, value), "{text}");
        }
        for no in ["", "S", "1234S5", "s123", "-S1", "123", "\u{e9}S", "A1", "1X2"] {
            assert_eq!(inside(no), None, "{no}");
        }
        assert!(inside("99Kanything").unwrap()[0].why.contains("transaction reference"));
    }

    #[test]
    fn in_front_of_a_bare_barcode_it_is_a_hint() {
        let trust = |text| bare(text).first().map(|c| (c.kind, c.confidence));
        assert!(trust("S12345").is_some_and(|(k, c)| k == Kind::Serial && c < 50));
        assert!(trust("23S001565ABCDEF").is_some_and(|(k, c)| k == Kind::Mac && c > 90));
        for no in ["23SABCDEF12", "Q12", "S1", "1T999", "A1234", "2S12345"] {
            assert_eq!(bare(no), [], "{no}");
        }
    }

    #[test]
    fn every_claim_in_the_table_is_one_that_is_read() {
        for [di, name, trust, what] in ROWS {
            assert_eq!(named(name) == Claim::Nothing, name.is_empty(), "{di}");
            assert!(!what.is_empty() && (trust.is_empty() || trust.parse::<u8>().is_ok()), "{di}");
        }
    }
}
