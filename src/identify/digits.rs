//! Check digits. Each function answers whether the last digit of a number is the right one; a text with
//! anything but ASCII digits in it never is. That a check digit is right proves little (one random
//! number in ten passes), that it is wrong proves a misreading or another kind of number.

/// Whether `text` is not empty and all ASCII digits.
pub fn all(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn values(text: &str) -> Option<Vec<u32>> {
    text.chars().map(|c| c.to_digit(10)).collect()
}

/// The digits before the last one, and the last one.
fn split(text: &str) -> Option<(Vec<u32>, u32)> {
    let mut digits = values(text)?;
    let check = digits.pop()?;
    Some((digits, check))
}

fn weighted(body: impl Iterator<Item = u32>, weights: &[u32]) -> u32 {
    body.zip(weights.iter().cycle()).map(|(d, w)| d * w).sum()
}

fn to_ten(sum: u32) -> u32 {
    (10 - sum % 10) % 10
}

/// GS1 mod 10 (GTIN, SSCC, IMpb): from the right x3, x1, x3...
pub fn gs1(text: &str) -> bool {
    split(text).is_some_and(|(body, check)| to_ten(weighted(body.into_iter().rev(), &[3, 1])) == check)
}

/// Luhn (IMEI): from the right every second digit doubled and cast out.
pub fn luhn(text: &str) -> bool {
    split(text).is_some_and(|(body, check)| {
        let doubled =
            body.into_iter().rev().enumerate().map(|(i, d)| if i % 2 == 0 { d * 2 / 10 + d * 2 % 10 } else { d });
        to_ten(doubled.sum()) == check
    })
}

/// FedEx, 12 digits: x3, x1, x7 from the left, mod 11 mod 10.
pub fn fedex12(text: &str) -> bool {
    text.len() == 12
        && split(text).is_some_and(|(body, check)| weighted(body.into_iter(), &[3, 1, 7]) % 11 % 10 == check)
}

/// FedEx Ground, 15 digits: x1, x3 from the left, mod 10.
pub fn fedex15(text: &str) -> bool {
    text.len() == 15 && split(text).is_some_and(|(body, check)| to_ten(weighted(body.into_iter(), &[1, 3])) == check)
}

/// FedEx Express, the last 14 of 34 digits: x1, x7, x3 from the left, mod 11 mod 10.
pub fn fedex14(text: &str) -> bool {
    text.len() == 14
        && split(text).is_some_and(|(body, check)| weighted(body.into_iter(), &[1, 7, 3]) % 11 % 10 == check)
}

/// The check digit of a UPS 1Z number, from the 15 characters between `1Z` and it (`0-9 A-Z`). A letter
/// counts as its ASCII code less 3, mod 10.
pub fn ups(body: &str) -> Option<u32> {
    let value = |b: u8| match b {
        b'0'..=b'9' => Some(u32::from(b - b'0')),
        b'A'..=b'Z' => Some(u32::from(b - 3) % 10),
        _ => None,
    };
    let values: Vec<u32> = body.bytes().map(value).collect::<Option<_>>()?;
    (values.len() == 15).then(|| to_ten(weighted(values.into_iter(), &[1, 2])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Published numbers: label manuals and the carriers' own examples.
    #[test]
    fn published_numbers_hold() {
        assert!(fedex12("986578788855") && fedex12("012345678983") && !fedex12("986578788856"));
        assert!(fedex15("568283610012734") && !fedex15("568283610012735"));
        assert!(fedex14("00776632517510") && !fedex14("00776632517511"));
        for ok in ["000123450000000027", "9400111206206406260787", "92748931507708513018050063", "4006381333931"] {
            assert!(gs1(ok), "{ok}");
        }
        assert!(luhn("490154203237518") && !luhn("490154203237519"));
        for ok in ["5R8939035756712|7", "879E93034683444|0", "999AA1012345678|4", "12345E879131550|4"] {
            let (body, check) = ok.split_once('|').unwrap();
            assert_eq!(ups(body), check.parse().ok(), "{ok}");
        }
    }

    proptest! {
        #[test]
        fn no_input_panics_and_only_digits_pass(text in ".{0,40}") {
            let any = gs1(&text) | luhn(&text) | fedex12(&text) | fedex14(&text) | fedex15(&text);
            prop_assert!(!any || all(&text));
            let _ = ups(&text);
        }

        #[test]
        fn one_wrong_digit_is_found(body in "[0-9]{17}", at in 0usize..18, by in 1u8..10) {
            let good = (0..10).map(|c| format!("{body}{c}")).find(|t| gs1(t)).unwrap();
            let mut bytes = good.into_bytes();
            bytes[at] = b'0' + (bytes[at] - b'0' + by) % 10;
            prop_assert!(!gs1(&String::from_utf8(bytes).unwrap()));
        }
    }
}
