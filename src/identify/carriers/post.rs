//! Numbers that many posts use: UPU S10 (`RR473124829GB`), and Amazon's own (`TBA...`).

use super::{Checked, digits, tracking};
use crate::domain::identity::Candidate;

pub fn read(number: &str) -> Option<Candidate> {
    if let Some(tail) = number.strip_prefix("TBA") {
        return (tail.len() == 12 && digits::all(tail)).then(|| tracking(number, "amazon", 90, "Amazon number"));
    }
    let (kind, rest) = number.split_at_checked(2).filter(|_| number.len() == 13)?;
    let (checked, country) = rest.split_at_checked(9)?;
    let letters = |text: &str| text.bytes().all(|b| b.is_ascii_uppercase());
    if !letters(kind) || !letters(country) || !digits::all(checked) {
        return None;
    }
    let carrier = match country {
        "US" => "usps",
        "DE" => "dhl",
        _ => "post",
    };
    let check = Checked { checked, digit: digits::s10_digit, right: 93, wrong: 50 };
    let mut found = check.reading(number, carrier, &format!("postal S10 number of {country}")).1;
    // E: express, R: registered, C: parcel, ... the posts' own lists differ beyond that.
    found.service = kind.starts_with('E').then(|| "express mail".to_owned());
    Some(found)
}
