//! DHL: air waybills of 10 or 11 digits, pieces (`JJD...`, `JD01...`, `JVGL...`), eCommerce (`GM...`, 14 digits).

use super::{BARELY, Checked, digits, tracking};
use crate::domain::identity::Candidate;

/// More signs of a piece number than that are no number.
const PIECE_MAX: usize = 30;

pub fn numbered(number: &str) -> Option<Candidate> {
    let check = |right| Checked { checked: number, digit: digits::dhl_digit, right, wrong: BARELY };
    match number.len() {
        10 => Some(check(46).reading(number, "dhl", "DHL Express waybill of 10 digits").1),
        11 => Some(check(40).reading(number, "dhl", "DHL Express waybill of 11 digits").1),
        14 => Some(tracking(number, "dhl", BARELY, "14 digits, as DHL eCommerce numbers are; there is no check digit")),
        _ => None,
    }
}

pub fn lettered(number: &str) -> Option<Candidate> {
    let behind = |prefix: &str| number.strip_prefix(prefix).map(str::len).filter(|_| number.len() <= PIECE_MAX);
    let all_digits = |prefix: &str| number.strip_prefix(prefix).is_some_and(digits::all);
    if ["JJD", "JVGL", "JD"].iter().any(|p| behind(p).is_some_and(|n| n >= 9) && all_digits(p)) {
        return Some(tracking(number, "dhl", 85, "DHL piece number"));
    }
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let short = behind("GM").filter(|n| (10..=24).contains(n) && digits >= 8)?;
    Some(tracking(number, "dhl", if short >= 14 { 55 } else { 45 }, "DHL eCommerce number, by its GM"))
}
