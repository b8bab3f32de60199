//! FedEx: 12 and 15 digits, 22 digits from 96, 34 digits with the tracking number at the end, 32 digits
//! (ASTRA) with it in places 17 to 28.

use super::{BARELY, Checked, MISREAD, digits, tracking};
use crate::domain::identity::Candidate;

pub fn read(number: &str) -> Vec<Candidate> {
    let one = |checked, digit, right, wrong, what: &str| {
        vec![Checked { checked, digit, right, wrong }.reading(number, "fedex", what).1]
    };
    match number.len() {
        12 => one(number, digits::fedex12_digit, 60, BARELY, "FedEx number of 12 digits"),
        15 => one(number, digits::fedex15_digit, 60, BARELY, "FedEx Ground number of 15 digits"),
        22 if number.starts_with("96") => {
            let tail = &number[7..];
            let mut found = one(tail, digits::fedex15_digit, 95, MISREAD, "FedEx Ground 96 number");
            found.push(tracking(tail, "fedex", 40, "its last 15 digits, the number without the shipper's codes"));
            found
        }
        32 if number.starts_with('3') => {
            let inner = &number[16..28];
            let check = Checked { checked: inner, digit: digits::fedex12_digit, right: 85, wrong: 30 };
            let what = "FedEx ASTRA barcode, number in places 17 to 28";
            vec![check.reading(inner, "fedex", what).1, tracking(number, "fedex", 29, "the whole ASTRA barcode")]
        }
        34 => {
            let tail = &number[20..];
            // Routed by USPS if it says so; the check digit of FedEx may be right all the same.
            let (right, wrong) = if number.starts_with("420") { (35, 20) } else { (93, 35) };
            let check = Checked { checked: tail, digit: digits::fedex14_digit, right, wrong };
            let short = tail.strip_prefix("00").unwrap_or(tail);
            let found = check.reading(short, "fedex", "FedEx barcode of 34 digits, number at its end").1;
            vec![found, tracking(number, "fedex", 19, "the whole barcode of 34 digits")]
        }
        _ => Vec::new(),
    }
}
