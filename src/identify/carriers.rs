//! Carriers' tracking numbers, with their check digits.
//!
//! Sources: the layouts and test numbers published by the carriers and collected in
//! `tracking_number_data` (MIT); UPS MaxiCode as Zebra's ZPL manual describes it under `^BD`. Length never
//! decides alone: a number of digits counts only when its check digit is right. A UPS `1Z` number counts
//! even when it is wrong, because UPS's own sandbox prints such; it is then marked as to be scanned again.

use super::digits;
use crate::domain::identity::{Candidate, Kind};

/// Every reading of a whole payload as a tracking number; blanks between groups and separators between
/// GS1 parts do not count.
pub fn read(text: &str) -> Vec<Candidate> {
    let number: String =
        text.chars().filter(|c| !matches!(c, ' ' | '\u{1d}')).map(|c| c.to_ascii_uppercase()).collect();
    if number.len() > 40 || !number.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Vec::new();
    }
    if let Some(ups) = ups(&number) {
        return vec![ups];
    }
    // USPS first: a valid 34-digit USPS number passes FedEx's check as well.
    let mut found = usps(&number);
    if found.is_empty() {
        found = fedex(&number);
    }
    found
}

/// A reading of part of a composite payload that its envelope says is a tracking number.
pub fn named(text: &str, carrier: Option<&str>, why: &str) -> Vec<Candidate> {
    let mut found = read(text);
    for candidate in &mut found {
        candidate.confidence = candidate.confidence.max(90);
    }
    let value: String = text.chars().filter(|c| *c != ' ').map(|c| c.to_ascii_uppercase()).collect();
    if found.is_empty()
        && (6..=40).contains(&value.len())
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    {
        let mut plain = Candidate::new(Kind::Tracking, value, 70, why);
        plain.carrier = carrier.map(str::to_owned);
        found.push(plain);
    }
    found
}

fn tracking(value: &str, carrier: &str, confidence: u8, why: &str) -> Candidate {
    let mut candidate = Candidate::new(Kind::Tracking, value, confidence, why);
    candidate.carrier = Some(carrier.to_owned());
    candidate
}

/// `1Z`, shipper 6, service 2, package 7, check digit 1.
fn ups(number: &str) -> Option<Candidate> {
    let body = number.strip_prefix("1Z").filter(|_| number.len() == 18)?;
    let (body, check) = body.split_at_checked(15)?;
    let right = digits::ups(body)?;
    let mut found = if check.parse() == Ok(right) {
        tracking(number, "ups", 97, "UPS 1Z number, check digit right")
    } else {
        tracking(number, "ups", 60, &format!("UPS 1Z number, but its check digit should be {right}: scan it again"))
    };
    found.service = body.get(6..8).and_then(ups_service).map(str::to_owned);
    Some(found)
}

/// What the service in a 1Z number says of a return (US Ground).
fn ups_service(code: &str) -> Option<&'static str> {
    match code {
        "22" => Some("call tag, three pickup attempts"),
        "78" => Some("call tag, one pickup attempt"),
        "90" => Some("return label printed and mailed by UPS"),
        _ => None,
    }
}

/// The 1Z number out of a MaxiCode, when the linear barcode cannot be read: class of service (3 digits),
/// shipper (6), and `1Z` with the 8 characters of package and check digit. `None` unless the check digit
/// holds; services written with letters are not in the class and cannot be rebuilt.
pub fn ups_from_maxicode(class: &str, shipper: &str, short: &str) -> Option<Candidate> {
    let service = class.get(1..).filter(|_| class.len() == 3 && digits::all(class))?;
    let package = short.strip_prefix("1Z").filter(|p| p.len() == 8)?;
    let found = ups(&format!("1Z{shipper}{service}{package}")).filter(|c| c.confidence > 90)?;
    Some(Candidate {
        why: "UPS 1Z number rebuilt from the MaxiCode, check digit right".to_owned(),
        confidence: 92,
        ..found
    })
}

/// IMpb (GS1-128): routing `420` + ZIP 5 or 9, then 22 or 26 digits from 92 to 95; the older 20 and 22
/// digits. All end with a GS1 check digit.
fn usps(number: &str) -> Vec<Candidate> {
    if !digits::all(number) {
        return Vec::new();
    }
    let impb =
        |n: &str| matches!(n.len(), 22 | 26) && matches!(n.get(..2), Some("92" | "93" | "94" | "95")) && digits::gs1(n);
    if let Some(routed) = number.strip_prefix("420") {
        let package = [9, 5].into_iter().filter_map(|zip| routed.get(zip..)).find(|n| impb(n));
        return package.map_or_else(Vec::new, |package| {
            vec![
                tracking(package, "usps", 97, "USPS IMpb number behind its ZIP code, check digit right"),
                tracking(number, "usps", 40, "the same with its ZIP code"),
            ]
        });
    }
    if impb(number) {
        return vec![tracking(number, "usps", 95, "USPS IMpb number, check digit right")];
    }
    let older = match number.len() {
        22 if number.starts_with("91") => Some((90, number.get(2..4))),
        20 if !number.starts_with("00") => Some((55, number.get(..2))),
        _ => None,
    };
    match older {
        Some((confidence, service)) if digits::gs1(number) => {
            let mut found = tracking(number, "usps", confidence, "USPS number of the older form, check digit right");
            found.service = matches!(service, Some("82" | "83" | "85")).then(|| "merchandise return".to_owned());
            vec![found]
        }
        _ => Vec::new(),
    }
}

/// 12 and 15 digits, 22 digits from 96, 34 digits with the tracking number at the end, 32 digits (ASTRA)
/// with it in places 17 to 28.
fn fedex(number: &str) -> Vec<Candidate> {
    if !digits::all(number) {
        return Vec::new();
    }
    let one = |value: &str, confidence, why: &str| vec![tracking(value, "fedex", confidence, why)];
    match number.len() {
        12 if digits::fedex12(number) => one(number, 60, "FedEx number of 12 digits, check digit right"),
        15 if digits::fedex15(number) => one(number, 60, "FedEx Ground number of 15 digits, check digit right"),
        22 if number.starts_with("96") && digits::fedex15(&number[7..]) => vec![
            tracking(number, "fedex", 95, "FedEx Ground 96 number, check digit right"),
            tracking(&number[7..], "fedex", 85, "its last 15 digits, the number without the shipper's codes"),
        ],
        32 if number.starts_with('3') && digits::fedex12(&number[16..28]) => vec![
            tracking(&number[16..28], "fedex", 85, "FedEx ASTRA barcode, places 17 to 28, check digit right"),
            tracking(number, "fedex", 40, "the whole ASTRA barcode"),
        ],
        34 if digits::fedex14(&number[20..]) => {
            let tail = &number[20..];
            vec![
                tracking(
                    tail.strip_prefix("00").unwrap_or(tail),
                    "fedex",
                    93,
                    "FedEx barcode of 34 digits, number at its end, check digit right",
                ),
                tracking(number, "fedex", 40, "the whole barcode of 34 digits"),
            ]
        }
        _ => Vec::new(),
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
        ] {
            let (got, number, confidence) = best(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((got.as_str(), number.as_str()), (carrier, value), "{text}");
            assert!(confidence >= 60, "{text}");
        }
    }

    #[test]
    fn a_wrong_check_digit_warns_for_ups_and_refuses_for_digits() {
        let sandbox = read("1Z12345E8791315509").remove(0);
        assert!(sandbox.confidence < 90 && sandbox.why.contains("should be 4"), "{sandbox:?}");
        for (good, len) in [
            ("986578788855", 12),
            ("568283610012734", 15),
            ("9611020987654312345672", 22),
            ("9400111206206406260787", 22),
        ] {
            assert_eq!(good.len(), len);
            let last = good.as_bytes()[len - 1] - b'0';
            let bad = format!("{}{}", &good[..len - 1], (last + 1) % 10);
            assert_eq!(read(&bad), [], "{bad}");
        }
    }

    #[test]
    fn the_service_in_a_1z_number_tells_a_call_tag() {
        for (service, word) in [("22", Some("three")), ("78", Some("one pickup")), ("90", Some("mailed")), ("03", None)]
        {
            let body = format!("12345E{service}1234567");
            let number = format!("1Z{body}{}", digits::ups(&body).unwrap());
            let found = read(&number).remove(0).service;
            assert_eq!(found.is_some(), word.is_some(), "{number}");
            assert!(found.unwrap_or_default().contains(word.unwrap_or_default()));
        }
    }

    /// Examples of three printer makers' manuals.
    #[test]
    fn a_1z_number_is_rebuilt_from_a_maxicode_only_when_its_check_digit_holds() {
        let rebuilt = |class, shipper, short| ups_from_maxicode(class, shipper, short).map(|c| c.value);
        assert_eq!(rebuilt("001", "12345E", "1Z12345675").as_deref(), Some("1Z12345E0112345675"));
        assert_eq!(rebuilt("066", "12345E", "1Z12345679").as_deref(), Some("1Z12345E6612345679"));
        assert_eq!(rebuilt("001", "06X610", "1Z00004951").as_deref(), Some("1Z06X6100100004951"));
        for class in ["002", "003", "", "1", "abc", "0\u{e9}"] {
            assert_eq!(rebuilt(class, "06X610", "1Z00004951"), None, "{class}");
        }
        assert_eq!(rebuilt("001", "06X61", "1Z00004951"), None);
        assert_eq!(rebuilt("001", "06X610", "00004951"), None);
    }

    #[test]
    fn what_has_other_characters_is_no_tracking_number() {
        for text in [
            "",
            "1Z",
            "1Z5R8939035756712\u{e9}",
            "1Z5R89390357567127^",
            "98657878885",
            "9865-7878-8855",
            &"9".repeat(60),
        ] {
            assert_eq!(read(text), [], "{text}");
        }
    }
}
