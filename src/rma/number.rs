//! Our RMA numbers: `R`, two digits of the year, the station's two-character code, five characters
//! that count up, and an ISO/IEC 7064 mod 37,36 check character: eleven characters of `A-Z0-9`.
//!
//! The length keeps within the 14 characters that carriers print as a barcode; the leading letter `R`
//! keeps it from looking like a tracking number or a MAC (`R` is no hex digit); the station's code
//! keeps two offline stations from issuing the same number. Numbers whose check character would be
//! `I` or `O` are skipped, and so are those letters in the counted part: people read them as 1 and 0.

use crate::domain::check37;

/// Counted characters: digits and letters without `I` and `O`.
const DIGITS: &[u8; 34] = b"0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/// Numbers a station can count through in a year before skips: 34 to the fifth.
pub const PER_YEAR: u64 = 34u64.pow(5);

/// The number for `(year, station code, count)`, or `None` when its check character would be `I` or
/// `O`, or `count` is beyond [`PER_YEAR`]: take the next count.
pub fn compose(year: i32, code: &str, count: u64) -> Option<String> {
    if count >= PER_YEAR {
        return None;
    }
    let mut body = [b'0'; 5];
    let mut rest = count;
    for place in body.iter_mut().rev() {
        *place = DIGITS[(rest % 34) as usize];
        rest /= 34;
    }
    let stem = format!("R{:02}{code}{}", year.rem_euclid(100), std::str::from_utf8(&body).ok()?);
    let check = check37::check_char(&stem)?;
    (!matches!(check, 'I' | 'O')).then(|| format!("{stem}{check}"))
}

/// The count inside one of our own numbers of that year and station; `None` for every other text.
pub fn count_of(number: &str, year: i32, code: &str) -> Option<u64> {
    let body = number.strip_prefix(&format!("R{:02}{code}", year.rem_euclid(100)))?;
    if !is_ours(number) || !number.is_ascii() {
        return None;
    }
    body.as_bytes().get(..5)?.iter().try_fold(0u64, |n, b| {
        let place = DIGITS.iter().position(|d| d == b)?;
        Some(n * 34 + place as u64)
    })
}

/// Whether `number` has the shape and the check character of our own numbers (any station).
pub fn is_ours(number: &str) -> bool {
    let b = number.as_bytes();
    b.len() == 11
        && b[0] == b'R'
        && b[1..3].iter().all(u8::is_ascii_digit)
        && b.iter().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase())
        && check37::valid(number)
        && !number.ends_with(['I', 'O'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mac::Mac;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_count_up_and_never_repeat() {
        let numbers: Vec<String> = (0..20_000).filter_map(|n| compose(2026, "D1", n)).collect();
        assert!(numbers.len() > 18_000, "about 2 of 36 check characters are skipped");
        assert_eq!(numbers.iter().collect::<HashSet<_>>().len(), numbers.len());
        for n in &numbers {
            assert!(is_ours(n) && n.starts_with("R26D1") && n.len() == 11, "{n}");
            assert!(!n[5..].contains(['I', 'O']), "{n}");
            assert!(Mac::parse(n).is_none());
        }
    }

    #[test]
    fn the_last_number_of_a_year_is_the_last() {
        assert_eq!(compose(2026, "D1", PER_YEAR), None);
    }

    proptest! {
        #[test]
        fn the_count_is_read_back(n in 0..PER_YEAR) {
            if let Some(number) = compose(2031, "Z9", n) {
                prop_assert_eq!(count_of(&number, 2031, "Z9"), Some(n));
                prop_assert_eq!(count_of(&number, 2031, "Z8"), None);
                prop_assert_eq!(count_of(&number, 2030, "Z9"), None);
            }
        }
        #[test]
        fn any_text_is_answered(text in ".{0,14}") {
            let _ = is_ours(&text);
            let _ = count_of(&text, 2026, "D1");
        }
        #[test]
        fn one_wrong_character_is_noticed(n in 0..PER_YEAR, at in 0usize..11, c in "[0-9A-Z]") {
            if let Some(number) = compose(2026, "D1", n) {
                let mut wrong = number.clone();
                wrong.replace_range(at..=at, &c);
                prop_assert!(wrong == number || !is_ours(&wrong));
            }
        }
    }
}
