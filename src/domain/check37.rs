//! ISO/IEC 7064 MOD 37,36: one check character over `0-9 A-Z`. Our RMA numbers end with it.
//!
//! Promised, and proved below by trying them all: every single wrong character is found, and of the
//! swaps of two neighbours all but one in 630 (the standard's hybrid systems promise no more; which pair
//! of letters slips through depends on what stands in front of it).

/// The alphabet in the order of its values, 0..=35.
const ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

fn value(b: u8) -> Option<u32> {
    ALPHABET.iter().position(|&a| a == b).and_then(|v| u32::try_from(v).ok())
}

/// The running product of the hybrid system after all of `text`, starting from 36; `None` when a
/// character is outside `0-9 A-Z`.
fn product(text: &str) -> Option<u32> {
    text.bytes().try_fold(36, |p, b| {
        let sum = (p + value(b)?) % 36;
        Some((if sum == 0 { 36 } else { sum }) * 2 % 37)
    })
}

/// The check character that belongs behind `text`. `None` when `text` is empty or has a character
/// other than `0-9` and upper-case `A-Z`.
pub fn check_char(text: &str) -> Option<char> {
    if text.is_empty() {
        return None;
    }
    let check = (37 - product(text)?) % 36;
    ALPHABET.get(check as usize).map(|&b| char::from(b))
}

/// Whether the last character of `text` is the check character of the rest.
pub fn valid(text: &str) -> bool {
    text.char_indices().last().is_some_and(|(at, last)| check_char(&text[..at]) == Some(last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Numbers published with the two standards that use MOD 37,36: GRid (Global Release Identifier)
    /// and ISAN (ISO 15706, with one check character behind 16 digits and one behind all 24).
    #[test]
    fn published_numbers() {
        assert!(valid("A12425GABC1234002M"));
        assert!(!valid("A12425GABC1234002N"));
        assert_eq!(check_char("188166C734206541"), Some('Y'));
        assert_eq!(check_char("188166C7342065419F3A0245"), Some('O'));
        assert_eq!(check_char("000000003A8D0000"), Some('Z'));
        assert_eq!(check_char("000000003A8D000000000000"), Some('6'));
    }

    #[test]
    fn outside_the_alphabet_there_is_no_check_character() {
        for bad in ["", "a", "R26-1", "R26 1", "\u{c4}", "1\u{e9}"] {
            assert_eq!(check_char(bad), None, "{bad}");
            assert!(!valid(bad), "{bad}");
        }
    }

    /// All that lies in front of two neighbours comes down to one of 36 products, so trying each with
    /// every pair tries every text there is.
    #[test]
    fn of_the_swaps_of_neighbours_one_pair_in_630_slips_through() {
        let after = |p: u32, v: u32| {
            let sum = (p + v) % 36;
            (if sum == 0 { 36 } else { sum }) * 2 % 37
        };
        for p in 1..=36 {
            let slips = (0..36).flat_map(|a| (0..a).map(move |b| (a, b)));
            let slips = slips.filter(|&(a, b)| after(after(p, a), b) == after(after(p, b), a)).count();
            assert_eq!(slips, 1, "behind product {p}");
        }
    }

    proptest! {
        #[test]
        fn one_wrong_character_is_always_found(body in "[0-9A-Z]{1,20}", at in any::<prop::sample::Index>(), other in 0usize..36) {
            let mut text = body.clone();
            text.push(check_char(&body).ok_or_else(|| TestCaseError::fail("no check character"))?);
            prop_assert!(valid(&text));
            let mut bytes = text.clone().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = ALPHABET[other];
            let wrong = String::from_utf8_lossy(&bytes).into_owned();
            prop_assert_eq!(valid(&wrong), wrong == text);
        }

        #[test]
        fn never_panics(text in ".{0,30}") {
            let _ = valid(&text);
        }
    }
}
