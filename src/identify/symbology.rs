//! What an AIM symbology identifier (ISO/IEC 15424) tells of a payload beside its name: whether it is made
//! of GS1 elements (FNC1 in the first place), or the number of an article.

use super::digits;
use crate::scan::Aim;

/// FNC1 in the first place: the data are GS1 elements.
pub fn is_gs1(aim: Aim) -> bool {
    match aim.code {
        b'C' | b'J' => aim.modifier == b'1',
        b'd' => matches!(aim.modifier, b'2' | b'5'),
        b'Q' => matches!(aim.modifier, b'3' | b'4'),
        b'e' => matches!(aim.modifier, b'0'..=b'3'),
        b'z' => matches!(aim.modifier, b'1' | b'4' | b'7' | b'A'),
        _ => false,
    }
}

/// An EAN or UPC symbol, which can carry nothing but the number of an article.
pub fn is_article(aim: Aim) -> bool {
    aim.code == b'E'
}

/// Interleaved 2 of 5, in which outer cartons carry a GTIN-14.
pub fn is_case(aim: Aim) -> bool {
    aim.code == b'I'
}

/// The article's number in an EAN or UPC symbol: without the two or five digits of an add-on symbol, and
/// UPC-E in its full length. Whether its check digit is right is the second answer.
pub fn article(text: &str) -> Option<(String, bool)> {
    let number = match text.len() {
        // 12 or 13 digits and 2 or 5 of an add-on.
        14 | 17 => text.get(..12),
        15 | 18 => text.get(..13),
        8 | 12 | 13 => Some(text),
        _ => None,
    }?;
    if !digits::all(text) {
        return None;
    }
    if digits::gs1(number) {
        return Some((number.to_owned(), true));
    }
    match from_upc_e(number) {
        Some(full) => Some((full, true)),
        None => Some((number.to_owned(), false)),
    }
}

/// UPC-E is UPC-A with its zeros left out; the last digit but one says where they were.
fn from_upc_e(text: &str) -> Option<String> {
    let digits: [u8; 8] = text.as_bytes().try_into().ok()?;
    let [system, a, b, c, d, e, last, check] = digits.map(char::from);
    let body = match last {
        '0' | '1' | '2' => format!("{a}{b}{last}0000{c}{d}{e}"),
        '3' => format!("{a}{b}{c}00000{d}{e}"),
        '4' => format!("{a}{b}{c}{d}00000{e}"),
        _ => format!("{a}{b}{c}{d}{e}0000{last}"),
    };
    let full = format!("{system}{body}{check}");
    (matches!(system, '0' | '1') && digits::gs1(&full)).then_some(full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_tells_gs1_elements_from_other_data() {
        let aim = |cm: &[u8; 2]| Aim { code: cm[0], modifier: cm[1] };
        for yes in [b"C1", b"d2", b"d5", b"Q3", b"Q4", b"e0", b"e1", b"e2", b"J1", b"z1", b"zA"] {
            assert!(is_gs1(aim(yes)), "{yes:?}");
        }
        for no in [b"C0", b"C2", b"d1", b"Q1", b"Q5", b"A0", b"L0", b"U1", b"E0", b"I1", b"z0"] {
            assert!(!is_gs1(aim(no)), "{no:?}");
        }
        assert!(is_article(aim(b"E4")) && is_case(aim(b"I1")) && !is_article(aim(b"e0")));
    }

    #[test]
    fn an_article_has_one_number_however_it_is_printed() {
        for (text, want) in [
            ("4006381333931", Some(("4006381333931", true))),
            ("036000291452", Some(("036000291452", true))),
            ("96385074", Some(("96385074", true))),
            ("400638133393112", Some(("4006381333931", true))),
            ("978020137962490000", Some(("9780201379624", true))),
            ("04252614", Some(("042100005264", true))),
            ("4006381333932", Some(("4006381333932", false))),
            ("400638133393", Some(("400638133393", false))),
            ("123", None),
            ("40063813339X1", None),
            ("", None),
        ] {
            assert_eq!(article(text), want.map(|(n, ok)| (n.to_owned(), ok)), "{text}");
        }
    }
}
