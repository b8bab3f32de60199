//! Scanned text is hostile. These are the two harmless forms of it: `escaped` for logs, journals and
//! screens (nothing lost, reversible), `serial_key` for comparing serial numbers.

/// Printable ASCII stays as it is, except the backslash; every other byte becomes `\xHH`. The result is one line
/// and can be turned back into exactly the same bytes with [`unescaped`].
pub fn escaped(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &b in bytes {
        if (b' '..=b'~').contains(&b) && b != b'\\' {
            out.push(b as char);
        } else {
            out.push_str(&format!("\\x{b:02X}"));
        }
    }
    out
}

/// The bytes that [`escaped`] was given. `None` when `text` has a backslash that does not start `\xHH`, or a character outside printable ASCII.
pub fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&b, tail)) = rest.split_first() {
        rest = tail;
        if b == b'\\' {
            let hex = std::str::from_utf8(rest.get(1..3).filter(|_| rest[0] == b'x')?).ok()?;
            if !hex.bytes().all(|h| h.is_ascii_hexdigit()) {
                return None;
            }
            out.push(u8::from_str_radix(hex, 16).ok()?);
            rest = &rest[3..];
        } else if (b' '..=b'~').contains(&b) {
            out.push(b);
        } else {
            return None;
        }
    }
    Some(out)
}

/// Longest serial number accepted, in characters. GS1 allows 20 (AI 21); makers print up to 30.
pub const SERIAL_MAX: usize = 40;

/// A serial number in the one form it is stored and compared in: trimmed, upper case. `None` when it
/// is empty, longer than [`SERIAL_MAX`], or has a character other than letters, digits and `- . / _ #`
/// (blanks inside are refused: two serials scanned in one go are not one serial).
pub fn serial_key(text: &str) -> Option<String> {
    let text = text.trim();
    let ok = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '/' | '_' | '#');
    (!text.is_empty() && text.len() <= SERIAL_MAX && text.chars().all(ok)).then(|| text.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn escaping_loses_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let text = escaped(&bytes);
            prop_assert!(text.bytes().all(|b| (b' '..=b'~').contains(&b)));
            prop_assert_eq!(unescaped(&text), Some(bytes));
        }
        #[test]
        fn unescaping_never_panics(text in ".{0,60}") {
            let _ = unescaped(&text);
        }
    }

    #[test]
    fn serials_compare_in_one_form() {
        assert_eq!(serial_key(" ab-12 ").as_deref(), Some("AB-12"));
        assert_eq!(serial_key("A B"), None);
        assert_eq!(serial_key("^XZ~JR"), None);
        assert_eq!(serial_key(&"9".repeat(41)), None);
    }
}
