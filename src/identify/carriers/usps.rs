//! USPS: IMpb (GS1-128), with and without routing; the older numbers of 20 and 22 digits.

use super::{BARELY, Checked, MISREAD, digits, tracking};
use crate::domain::identity::Candidate;

/// Routing `420` + ZIP 5 or 9, then 22 or 26 digits from 92 to 95; the older 20 and 22 digits. All end with
/// a GS1 check digit.
pub fn read(number: &str) -> Vec<Candidate> {
    if let Some(routed) = number.strip_prefix("420") {
        // 34 digits are a ZIP of nine and 22 digits, or a ZIP of five and 26: the check digit tells.
        let mut behind: Vec<&str> = [9, 5].into_iter().filter_map(|zip| routed.get(zip..)).collect();
        behind.retain(|n| impb(n) || older(n));
        let package = behind.iter().find(|n| digits::gs1(n)).or_else(|| behind.first());
        return package.map_or_else(Vec::new, |package| {
            let (_, mut found) =
                check(package, 97, MISREAD).reading(package, "usps", "USPS number behind its ZIP code");
            found.service = service(package);
            vec![found, tracking(number, "usps", 40, "the same with its ZIP code")]
        });
    }
    let found = match number.len() {
        22 | 26 if impb(number) => check(number, 95, MISREAD).reading(number, "usps", "USPS IMpb number"),
        22 if older(number) => check(number, 90, MISREAD).reading(number, "usps", "USPS number of the older form"),
        20 if number.starts_with("61") => return smart_post(number),
        20 if !number.starts_with("00") => {
            check(number, 55, BARELY).reading(number, "usps", "USPS number of the older form")
        }
        _ => return Vec::new(),
    };
    vec![Candidate { service: service(number), ..found.1 }]
}

fn check(checked: &str, right: u8, wrong: u8) -> Checked<'_> {
    Checked { checked, digit: digits::gs1_digit, right, wrong }
}

fn impb(number: &str) -> bool {
    matches!(number.len(), 22 | 26) && matches!(number.get(..2), Some("92" | "93" | "94" | "95"))
}

fn older(number: &str) -> bool {
    number.len() == 22 && number.starts_with("91")
}

/// FedEx Ground Economy (SmartPost), which USPS delivers: printed without the 92 that its check digit counts.
fn smart_post(number: &str) -> Vec<Candidate> {
    let full = format!("92{number}");
    let (right, found) = check(&full, 70, BARELY).reading(&full, "fedex", "FedEx Ground Economy number without its 92");
    let mut all = vec![Candidate { service: Some("delivered by USPS".to_owned()), ..found }];
    let plain = check(number, 55, BARELY).reading(number, "usps", "USPS number of the older form");
    if plain.0 || !right {
        all.push(plain.1);
    }
    all
}

/// What the older numbers say of a return.
fn service(number: &str) -> Option<String> {
    let code = match number.len() {
        22 if number.starts_with("91") => number.get(2..4),
        20 => number.get(..2),
        _ => None,
    };
    matches!(code, Some("82" | "83" | "85")).then(|| "merchandise return".to_owned())
}
