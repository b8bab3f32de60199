//! Check digits. A function that ends in `_digit` gives the right last digit for what stands in front of
//! it; the others answer whether the last digit of a number is that one. A text with anything but ASCII
//! digits in it never has the right one. That a check digit is right proves little (one random number in
//! ten passes), that it is wrong proves a misreading or another kind of number.

/// Whether `text` is not empty and all ASCII digits.
pub fn all(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// The digits of a body that has nothing else.
fn values(body: &str) -> Option<impl DoubleEndedIterator<Item = u32> + ExactSizeIterator> {
    all(body).then(|| body.bytes().map(|b| u32::from(b - b'0')))
}

fn weighted(body: impl Iterator<Item = u32>, weights: &[u32]) -> u32 {
    body.zip(weights.iter().cycle()).map(|(d, w)| d * w).sum()
}

fn to_ten(sum: u32) -> u32 {
    (10 - sum % 10) % 10
}

/// Whether a number ends with the digit that `digit` gives for the rest of it.
pub fn ends_right(text: &str, digit: impl Fn(&str) -> Option<u32>) -> bool {
    let Some((body, last)) = text.len().checked_sub(1).and_then(|at| text.split_at_checked(at)) else { return false };
    digit(body).is_some_and(|right| last.parse() == Ok(right))
}

/// GS1 mod 10 (GTIN, SSCC, IMpb): from the right x3, x1, x3...
pub fn gs1_digit(body: &str) -> Option<u32> {
    values(body).map(|v| to_ten(weighted(v.rev(), &[3, 1])))
}

pub fn gs1(text: &str) -> bool {
    ends_right(text, gs1_digit)
}

/// Luhn (IMEI): from the right every second digit doubled and cast out.
pub fn luhn(text: &str) -> bool {
    ends_right(text, |body| {
        let doubled = |(i, d): (usize, u32)| if i % 2 == 0 { d * 2 / 10 + d * 2 % 10 } else { d };
        values(body).map(|v| to_ten(v.rev().enumerate().map(doubled).sum()))
    })
}

/// FedEx, 12 digits: x3, x1, x7 from the left, mod 11 mod 10.
pub fn fedex12_digit(body: &str) -> Option<u32> {
    values(body).filter(|v| v.len() == 11).map(|v| weighted(v, &[3, 1, 7]) % 11 % 10)
}

/// FedEx Ground, 15 digits: x1, x3 from the left, mod 10.
pub fn fedex15_digit(body: &str) -> Option<u32> {
    values(body).filter(|v| v.len() == 14).map(|v| to_ten(weighted(v, &[1, 3])))
}

/// FedEx Express, the last 14 of 34 digits: x1, x7, x3 from the left, mod 11 mod 10.
pub fn fedex14_digit(body: &str) -> Option<u32> {
    values(body).filter(|v| v.len() == 13).map(|v| weighted(v, &[1, 7, 3]) % 11 % 10)
}

/// DHL Express, 10 or 11 digits: the number in front, mod 7.
pub fn dhl_digit(body: &str) -> Option<u32> {
    values(body).filter(|v| matches!(v.len(), 9 | 10)).map(|v| v.fold(0, |rest, d| (rest * 10 + d) % 7))
}

/// UPU S10, 9 digits: x8, x6, x4, x2, x3, x5, x9, x7 from the left, 11 less that mod 11; 10 is 0, 11 is 5.
pub fn s10_digit(body: &str) -> Option<u32> {
    let sum = values(body).filter(|v| v.len() == 8).map(|v| weighted(v, &[8, 6, 4, 2, 3, 5, 9, 7]))?;
    Some(match 11 - sum % 11 {
        10 => 0,
        11 => 5,
        digit => digit,
    })
}

/// The check digit of a UPS 1Z number, from the 15 characters between `1Z` and it (`0-9 A-Z`). A letter
/// counts as its ASCII code less 3, mod 10.
pub fn ups_digit(body: &str) -> Option<u32> {
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
        for (digit, good) in [
            (fedex12_digit as fn(&str) -> Option<u32>, "986578788855"),
            (fedex12_digit, "012345678983"),
            (fedex15_digit, "568283610012734"),
            (fedex14_digit, "00776632517510"),
            (gs1_digit, "000123450000000027"),
            (gs1_digit, "9400111206206406260787"),
            (gs1_digit, "92748931507708513018050063"),
            (gs1_digit, "4006381333931"),
            (dhl_digit, "3318810025"),
            (dhl_digit, "73891051146"),
            (s10_digit, "473124829"),
            (ups_digit, "5R89390357567127"),
            (ups_digit, "879E930346834440"),
            (ups_digit, "999AA10123456784"),
            (ups_digit, "12345E8791315504"),
        ] {
            assert!(ends_right(good, digit), "{good}");
            let (body, last) = good.split_at(good.len() - 1);
            let wrong = (last.parse::<u32>().unwrap() + 1) % 10;
            assert!(!ends_right(&format!("{body}{wrong}"), digit), "{good}");
        }
        assert!(luhn("490154203237518") && !luhn("490154203237519"));
    }

    proptest! {
        #[test]
        fn no_input_panics_and_only_digits_pass(text in ".{0,40}") {
            let digits = [gs1_digit, fedex12_digit, fedex14_digit, fedex15_digit, dhl_digit, s10_digit];
            let any = luhn(&text) | digits.iter().any(|digit| ends_right(&text, digit));
            prop_assert!(!any || all(&text));
            let _ = ups_digit(&text);
        }

        #[test]
        fn one_wrong_digit_is_found(body in "[0-9]{17}", at in 0usize..18, by in 1u8..10) {
            let good = format!("{body}{}", gs1_digit(&body).unwrap());
            let mut bytes = good.into_bytes();
            bytes[at] = b'0' + (bytes[at] - b'0' + by) % 10;
            prop_assert!(!gs1(&String::from_utf8(bytes).unwrap()));
        }
    }
}
