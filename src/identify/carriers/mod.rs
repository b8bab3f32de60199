//! Carriers' tracking numbers, with their check digits; a file for each carrier.
//!
//! Sources: the layouts and test numbers published by the carriers and collected in
//! `tracking_number_data` (MIT); UPS MaxiCode as Zebra's ZPL manual describes it under `^BD`. Length never
//! decides alone, and neither does a check digit: one number in ten of another kind has the right one,
//! and the sandboxes of carriers print wrong ones. So a right one lifts a reading, and a wrong one leaves
//! it far down with the word to scan again. Nothing is refused.

mod dhl;
mod fedex;
mod post;
mod ups;
mod usps;

pub use ups::from_maxicode;

use super::digits;
use crate::domain::identity::{Candidate, Kind};

/// A number with a wrong check digit and nothing else that tells it: less than a serial number in the step
/// `any`, more than one where a box is being received.
const BARELY: u8 = 21;

/// A number with a wrong check digit whose first characters are a carrier's own all the same: more than a serial
/// number, and in the step `unit` as much as one, so that it is asked.
const MISREAD: u8 = 78;

/// Longest number of a carrier, in characters.
const NUMBER_MAX: usize = 40;

/// Every reading of a whole payload as a tracking number; blanks between groups and separators between
/// GS1 parts do not count.
pub fn read(text: &str) -> Vec<Candidate> {
    // Only behind a routing code does a separator stand inside a number. A long payload is not even copied.
    if text.len() > 2 * NUMBER_MAX || text.contains('\u{1d}') && !text.starts_with("420") {
        return Vec::new();
    }
    let number: String =
        text.chars().filter(|c| !matches!(c, ' ' | '\u{1d}')).map(|c| c.to_ascii_uppercase()).collect();
    if number.len() > NUMBER_MAX || !number.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Vec::new();
    }
    if !digits::all(&number) {
        return [ups::read(&number), dhl::lettered(&number), post::read(&number)].into_iter().flatten().collect();
    }
    // A valid 34-digit USPS number passes FedEx's check as well: its routing digits tell.
    let mut found = usps::read(&number);
    found.extend(fedex::read(&number));
    found.extend(dhl::numbered(&number));
    found
}

/// A reading of part of a composite payload that its envelope says is a tracking number.
pub fn named(text: &str, carrier: Option<&str>, why: &str) -> Vec<Candidate> {
    let mut found = read(text);
    found.retain(|c| c.confidence > BARELY && (carrier.is_none() || c.carrier.as_deref() == carrier));
    for candidate in found.iter_mut().filter(|c| !c.why.contains(AGAIN)) {
        candidate.confidence = candidate.confidence.max(90);
    }
    let value: String = text.chars().filter(|c| *c != ' ').map(|c| c.to_ascii_uppercase()).collect();
    if found.is_empty()
        && (6..=NUMBER_MAX).contains(&value.len())
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    {
        let mut plain = Candidate::new(Kind::Tracking, value, 70, why);
        plain.carrier = carrier.map(str::to_owned);
        found.push(plain);
    }
    found
}

const AGAIN: &str = "scan it again";

fn tracking(value: &str, carrier: &str, confidence: u8, why: &str) -> Candidate {
    let mut candidate = Candidate::new(Kind::Tracking, value, confidence, why);
    candidate.carrier = Some(carrier.to_owned());
    candidate
}

/// A reading with `right` confidence where the last digit of `checked` is the right one, else with `wrong`.
struct Checked<'a> {
    checked: &'a str,
    digit: fn(&str) -> Option<u32>,
    right: u8,
    wrong: u8,
}

impl Checked<'_> {
    /// Whether the check digit holds, and the reading.
    fn reading(&self, value: &str, carrier: &str, what: &str) -> (bool, Candidate) {
        let body = &self.checked[..self.checked.len().saturating_sub(1)];
        if digits::ends_right(self.checked, self.digit) {
            return (true, tracking(value, carrier, self.right, &format!("{what}, check digit right")));
        }
        let should = (self.digit)(body).map_or_else(|| "one digit".to_owned(), |right| right.to_string());
        let why = format!("{what}, but its check digit should be {should}: {AGAIN}");
        (false, tracking(value, carrier, self.wrong, &why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(text: &str) -> Option<(String, String, u8)> {
        let found = read(text).into_iter().next()?;
        Some((found.carrier?, found.value, found.confidence))
    }

    #[test]
    fn published_numbers_are_known_by_carrier() {
        for (text, carrier, value) in [
            ("1Z5R89390357567127", "ups", "1Z5R89390357567127"),
            ("1Z879E930346834440", "ups", "1Z879E930346834440"),
            ("1Z410E7W0392751591", "ups", "1Z410E7W0392751591"),
            ("1Z8V92A70367203024", "ups", "1Z8V92A70367203024"),
            ("1ZXX3150YW44070023", "ups", "1ZXX3150YW44070023"),
            ("1z 999 aa1 01 2345 6784", "ups", "1Z999AA10123456784"),
            ("986578788855", "fedex", "986578788855"),
            ("0123 4567 8983", "fedex", "012345678983"),
            ("568283610012734", "fedex", "568283610012734"),
            ("9611020987654312345672", "fedex", "9611020987654312345672"),
            ("9622001900000000000000776632517510", "fedex", "776632517510"),
            ("9400111206206406260787", "usps", "9400111206206406260787"),
            ("92748931507708513018050063", "usps", "92748931507708513018050063"),
            ("4201028200009261290113185417468510", "usps", "9261290113185417468510"),
            ("42010282\u{1d}9261290113185417468510", "usps", "9261290113185417468510"),
            ("420 22153 9101026837331000039521", "usps", "9101026837331000039521"),
            ("4201002334249200190132607600833457", "usps", "9200190132607600833457"),
            ("1001921334250001000300779017972697", "fedex", "779017972697"),
            ("32971514560102447849175802862014", "fedex", "784917580286"),
            ("JJD014600003949845772", "dhl", "JJD014600003949845772"),
            ("RR473124829GB", "post", "RR473124829GB"),
            ("RB123456785US", "usps", "RB123456785US"),
            ("TBA123456789012", "amazon", "TBA123456789012"),
        ] {
            let (got, number, confidence) = best(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((got.as_str(), number.as_str()), (carrier, value), "{text}");
            assert!(confidence >= 60, "{text}");
        }
        // Numbers that only their length and one digit tell.
        for (text, carrier) in [
            ("3318810025", "dhl"),
            ("73891051146", "dhl"),
            ("GM295117494011169042", "dhl"),
            ("71123456789123456787", "usps"),
            ("60120172242323", "dhl"),
        ] {
            assert_eq!(best(text).map(|b| (b.0, b.1)), Some((carrier.to_owned(), text.to_owned())));
        }
    }

    #[test]
    fn an_older_number_tells_a_merchandise_return() {
        for (code, returned) in [("82", true), ("83", true), ("85", true), ("01", false)] {
            let body = format!("91{code}123456789000000");
            let body = format!("{body:0<21}");
            let number = format!("{body}{}", digits::gs1_digit(&body).unwrap());
            assert_eq!(read(&number)[0].service.is_some(), returned, "{number}");
        }
    }

    /// The length or the first digits, where nothing but the check digit speaks against it.
    #[test]
    fn a_wrong_check_digit_warns_and_never_refuses() {
        let sandbox = read("1Z12345E8791315509").remove(0);
        assert!(sandbox.confidence < 90 && sandbox.why.contains("should be 4"), "{sandbox:?}");
        for good in [
            "986578788855",
            "568283610012734",
            "9611020987654312345672",
            "9400111206206406260787",
            "92748931507708513018050063",
            "420102829400111206206406260787",
            "71123456789123456787",
            "9622001900000000000000776632517510",
            "3318810025",
        ] {
            let (right, digit) = (read(good).remove(0), good.as_bytes()[good.len() - 1] - b'0');
            let bad = format!("{}{}", &good[..good.len() - 1], (digit + 1) % 10);
            let wrong = read(&bad).remove(0);
            assert_eq!(wrong.carrier, right.carrier, "{bad}");
            assert!(wrong.confidence + 15 <= right.confidence, "{wrong:?}");
            assert!(wrong.why.ends_with(&format!("should be {digit}: scan it again")), "{wrong:?}");
        }
        let s10 = read("RR473124820GB").remove(0);
        assert!(s10.confidence == 50 && s10.why.contains("should be 9"), "{s10:?}");
    }

    #[test]
    fn a_usps_number_that_passes_the_check_of_fedex_is_both_in_that_order() {
        let found = read("4201028200009261290113185417468510");
        let carriers: Vec<&str> = found.iter().filter_map(|c| c.carrier.as_deref()).collect();
        assert_eq!(carriers, ["usps", "usps", "fedex", "fedex"]);
        assert!(found[2].why.contains("check digit right") && found[2].confidence < found[0].confidence);
    }

    #[test]
    fn the_service_in_a_1z_number_tells_a_call_tag() {
        for (service, word) in [("22", Some("three")), ("78", Some("one pickup")), ("90", Some("mailed")), ("03", None)]
        {
            let body = format!("12345E{service}1234567");
            let number = format!("1Z{body}{}", digits::ups_digit(&body).unwrap());
            let found = read(&number).remove(0).service;
            assert_eq!(found.is_some(), word.is_some(), "{number}");
            assert!(found.unwrap_or_default().contains(word.unwrap_or_default()));
        }
    }

    /// Examples of three printer makers' manuals.
    #[test]
    fn a_1z_number_is_rebuilt_from_a_maxicode_only_when_its_check_digit_holds() {
        let rebuilt = |class, shipper, short| from_maxicode(class, shipper, short).map(|c| c.value);
        assert_eq!(rebuilt("001", "12345E", "1Z12345675").as_deref(), Some("1Z12345E0112345675"));
        assert_eq!(rebuilt("066", "12345E", "1Z12345679").as_deref(), Some("1Z12345E6612345679"));
        assert_eq!(rebuilt("001", "06X610", "1Z00004951").as_deref(), Some("1Z06X6100100004951"));
        assert_eq!(rebuilt("001", "12345E", "1Z123456\u{8}5"), None, "found by fuzzing");
        assert_eq!(rebuilt("001", "123$5E", "1Z1234567u"), None, "found by fuzzing");
        for class in ["002", "003", "", "1", "abc", "0\u{e9}"] {
            assert_eq!(rebuilt(class, "06X610", "1Z00004951"), None, "{class}");
        }
        assert_eq!(rebuilt("001", "06X61", "1Z00004951"), None);
        assert_eq!(rebuilt("001", "06X610", "00004951"), None);
    }

    #[test]
    fn what_has_other_characters_is_no_tracking_number() {
        for text in
            ["", "1Z", "1Z5R8939035756712\u{e9}", "1Z5R89390357567127^", "98657878", "9865-7878-8855", &"9".repeat(60)]
        {
            assert_eq!(read(text), [], "{text}");
        }
    }
}
