//! UPS: the `1Z` number, alone or put together again from a MaxiCode.

use super::{Checked, MISREAD, digits};
use crate::domain::identity::Candidate;

/// `1Z`, shipper 6, service 2, package 7, check digit 1. It counts even when its check digit is wrong, for
/// UPS's own sandbox prints such.
pub fn read(number: &str) -> Option<Candidate> {
    let formed = number.len() == 18 && number.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
    let checked = number.strip_prefix("1Z").filter(|_| formed)?;
    let check = Checked { checked, digit: digits::ups_digit, right: 97, wrong: MISREAD };
    let (_, mut found) = check.reading(number, "ups", "UPS 1Z number");
    found.service = checked.get(6..8).and_then(service).map(str::to_owned);
    Some(found)
}

/// What the service in a 1Z number says of a return (US Ground).
fn service(code: &str) -> Option<&'static str> {
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
pub fn from_maxicode(class: &str, shipper: &str, short: &str) -> Option<Candidate> {
    let service = class.get(1..).filter(|_| class.len() == 3 && digits::all(class))?;
    let package = short.strip_prefix("1Z").filter(|p| p.len() == 8)?;
    let found = read(&format!("1Z{shipper}{service}{package}")).filter(|c| c.confidence > 90)?;
    Some(Candidate {
        why: "UPS 1Z number rebuilt from the MaxiCode, check digit right".to_owned(),
        confidence: 92,
        ..found
    })
}
