//! The parts of a composite payload (GS1, MH10.8.2, ISO 15434, key:value, URL) as candidates. Whatever
//! the envelope calls a part, its value is held against that claim here, in one place.

use super::{carriers, digits, makers};
use crate::domain::identity::{Candidate, Kind};
use crate::domain::mac::Mac;
use crate::domain::text::{escaped, serial_key};

/// What an envelope says that a part is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Claim {
    Serial,
    Mac,
    Gtin,
    Sscc,
    Imei,
    Part,
    Tracking,
    Rma,
    Url,
    /// The licence plate of a transport unit (ISO/IEC 15459), which may be a carrier's number.
    Licence,
    /// Something that this house has no use for (lot, date, quantity); kept, never dropped.
    Nothing,
}

/// How far an envelope that was recognised by its own form is trusted.
pub const SURE: u8 = 95;

/// The candidates for one part. `trust` is the confidence of a serial that keeps what it claims; `why`
/// names the envelope and the field.
pub fn read(claim: Claim, value: &str, trust: u8, why: &str) -> Vec<Candidate> {
    let value = value.trim();
    let found = match claim {
        Claim::Serial => serial(value, trust, why),
        Claim::Mac => mac(value, trust, why),
        Claim::Gtin => number(Kind::Gtin, value, &[8, 12, 13, 14], digits::gs1, trust, why),
        Claim::Sscc => number(Kind::Sscc, value, &[18], digits::gs1, trust, why),
        Claim::Imei => number(Kind::Imei, value, &[15], digits::luhn, trust, why),
        Claim::Part => part(value, trust, why),
        Claim::Rma => word(Kind::Rma, value, trust, why),
        Claim::Tracking => carriers::named(value, None, why),
        Claim::Url => vec![Candidate::new(Kind::Url, escaped(value.as_bytes()), trust.saturating_sub(20), why)],
        // The identifier J is part of the number that a carrier gives out.
        Claim::Licence => carriers::read(&format!("J{value}")),
        Claim::Nothing => Vec::new(),
    };
    if found.is_empty() { vec![Candidate::new(Kind::Unknown, escaped(value.as_bytes()), 10, why)] } else { found }
}

/// A serial number; where makers print a MAC address as the serial number it is both.
fn serial(value: &str, trust: u8, why: &str) -> Vec<Candidate> {
    let Some(key) = serial_key(value) else { return Vec::new() };
    let brand = makers::brand_of_serial(&key).map(str::to_owned);
    let mut found = vec![Candidate { brand, ..Candidate::new(Kind::Serial, key, trust, why) }];
    if let Some(mac) = Mac::parse(value).filter(|m| m.names_a_device())
        && let Some(brand) = makers::brand_of(mac)
    {
        found.push(branded(mac, brand, trust.saturating_sub(10), &format!("{why}; its first half belongs to {brand}")));
    }
    found
}

/// A MAC address. One that is not an address after all may still be what the maker calls the serial.
fn mac(value: &str, trust: u8, why: &str) -> Vec<Candidate> {
    match Mac::parse(value).filter(|m| m.names_a_device()) {
        Some(mac) => match makers::brand_of(mac) {
            Some(brand) => vec![branded(mac, brand, trust.saturating_sub(1), why)],
            None => vec![Candidate::new(Kind::Mac, mac.to_string(), trust.saturating_sub(3), why)],
        },
        None => serial_key(value)
            .map(|key| Candidate::new(Kind::Serial, key, 30, format!("{why}, but it is no MAC address")))
            .into_iter()
            .collect(),
    }
}

/// A MAC address with the brand that it gives away.
pub fn branded(mac: Mac, brand: &str, confidence: u8, why: &str) -> Candidate {
    Candidate { brand: Some(brand.to_owned()), ..Candidate::new(Kind::Mac, mac.to_string(), confidence, why) }
}

fn number(kind: Kind, value: &str, lengths: &[usize], check: fn(&str) -> bool, trust: u8, why: &str) -> Vec<Candidate> {
    let digits: String = value.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    if !lengths.contains(&digits.len()) || !digits::all(&digits) {
        return Vec::new();
    }
    if check(&digits) {
        vec![Candidate::new(kind, digits, trust.saturating_sub(5), why)]
    } else {
        vec![Candidate::new(kind, digits, 30, format!("{why}, but its check digit is wrong: scan it again"))]
    }
}

/// A part number, with the maker that has such.
fn part(value: &str, trust: u8, why: &str) -> Vec<Candidate> {
    let mut found = word(Kind::Part, value, trust, why);
    for candidate in &mut found {
        candidate.brand = makers::brand_of_part(&candidate.value).map(str::to_owned);
    }
    found
}

/// A short word of printable characters without blanks at its ends.
fn word(kind: Kind, value: &str, trust: u8, why: &str) -> Vec<Candidate> {
    let fits = (1..=50).contains(&value.len()) && value.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'\\');
    let words = fits.then(|| Candidate::new(kind, value.to_ascii_uppercase(), trust.saturating_sub(15), why));
    words.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(claim: Claim, value: &str) -> Vec<(Kind, String)> {
        read(claim, value, SURE, "x").into_iter().map(|c| (c.kind, c.value)).collect()
    }

    #[test]
    fn a_value_is_held_against_its_claim() {
        for (claim, value, want) in [
            (Claim::Serial, " ab12 ", vec![(Kind::Serial, "AB12")]),
            (Claim::Serial, "00:04:f2:ab:cd:ef", vec![(Kind::Unknown, "00:04:f2:ab:cd:ef")]),
            (Claim::Serial, "0004f2abcdef", vec![(Kind::Serial, "0004F2ABCDEF"), (Kind::Mac, "0004F2ABCDEF")]),
            (Claim::Serial, "123456789012", vec![(Kind::Serial, "123456789012")]),
            (Claim::Serial, "^XZ", vec![(Kind::Unknown, "^XZ")]),
            (Claim::Mac, "00-15-65-ab-cd-ef", vec![(Kind::Mac, "001565ABCDEF")]),
            (Claim::Mac, "0015 65AB", vec![(Kind::Unknown, "0015 65AB")]),
            (Claim::Mac, "001565AB", vec![(Kind::Serial, "001565AB")]),
            (Claim::Mac, "FFFFFFFFFFFF", vec![(Kind::Serial, "FFFFFFFFFFFF")]),
            (Claim::Gtin, "04006381333931", vec![(Kind::Gtin, "04006381333931")]),
            (Claim::Gtin, "123", vec![(Kind::Unknown, "123")]),
            (Claim::Imei, "49-015420-323751-8", vec![(Kind::Imei, "490154203237518")]),
            (Claim::Part, "t46u", vec![(Kind::Part, "T46U")]),
            (Claim::Part, "a\u{1d}b", vec![(Kind::Unknown, "a\\x1Db")]),
            (Claim::Nothing, "7", vec![(Kind::Unknown, "7")]),
        ] {
            let want: Vec<_> = want.into_iter().map(|(k, v)| (k, v.to_owned())).collect();
            assert_eq!(kinds(claim, value), want, "{claim:?} {value}");
        }
    }

    #[test]
    fn a_wrong_check_digit_lowers_trust_and_says_so() {
        let (good, bad) =
            (read(Claim::Gtin, "4006381333931", SURE, "x"), read(Claim::Gtin, "4006381333932", SURE, "x"));
        assert!(good[0].confidence > bad[0].confidence && bad[0].why.contains("check digit"));
    }
}
