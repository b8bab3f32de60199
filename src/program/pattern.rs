//! Patterns for RMA numbers that other systems gave out.
//!
//! A pattern is read from left to right: `A` a letter, `9` a digit, `X` a letter or digit, each
//! followed by `(5)` or `(3-8)` where it repeats; text in 'single quotes' and the signs `- . / _ #`
//! stand for themselves. Letters match in either case. There is no "or": a program lists several
//! patterns. Matching costs at most pattern length times text length.

use crate::domain::text::SERIAL_MAX;

/// Longest number matched, in characters.
const NUMBER_MAX: usize = SERIAL_MAX;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    sign: Sign,
    least: usize,
    most: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Letter,
    Digit,
    Either,
    Is(u8),
}

impl Sign {
    fn fits(self, b: u8) -> bool {
        match self {
            Sign::Letter => b.is_ascii_alphabetic(),
            Sign::Digit => b.is_ascii_digit(),
            Sign::Either => b.is_ascii_alphanumeric(),
            Sign::Is(sign) => sign.eq_ignore_ascii_case(&b),
        }
    }
}

impl Pattern {
    /// Reads a pattern, or says what is wrong with it.
    pub fn parse(text: &str) -> Result<Pattern, String> {
        let mut parts: Vec<Part> = Vec::new();
        let mut rest = text;
        while let Some(sign) = rest.chars().next() {
            rest = &rest[sign.len_utf8()..];
            let class = match sign {
                'A' => Sign::Letter,
                '9' => Sign::Digit,
                'X' => Sign::Either,
                '-' | '.' | '/' | '_' | '#' => Sign::Is(sign as u8),
                '\'' => {
                    let (literal, after) = rest.split_once('\'').ok_or("a quote is not closed")?;
                    if literal.is_empty() || !literal.bytes().all(|b| b.is_ascii_graphic()) {
                        return Err("quoted text must be printable ASCII without blanks".to_owned());
                    }
                    parts.extend(literal.bytes().map(|b| Part { sign: Sign::Is(b), least: 1, most: 1 }));
                    rest = after;
                    continue;
                }
                other => return Err(format!("{other:?} has no meaning here; use A, 9, X, - . / _ # or 'quoted text'")),
            };
            let (mut least, mut most) = (1, 1);
            if let Some(inner) = rest.strip_prefix('(') {
                let (count, after) = inner.split_once(')').ok_or("a bracket is not closed")?;
                let (from, to) = count.split_once('-').unwrap_or((count, count));
                let number = |s: &str| s.parse::<usize>().ok().filter(|n| (1..=NUMBER_MAX).contains(n));
                (least, most) = number(from)
                    .zip(number(to))
                    .filter(|(a, b)| a <= b)
                    .ok_or_else(|| format!("({count}) is not a count such as (5) or (3-8), at most {NUMBER_MAX}"))?;
                rest = after;
            }
            parts.push(Part { sign: class, least, most });
        }
        match parts.iter().map(|p| p.most).sum::<usize>() {
            0 => Err("is empty".to_owned()),
            n if n > NUMBER_MAX => Err(format!("matches numbers of up to {n} characters; at most {NUMBER_MAX}")),
            _ => Ok(Pattern { parts }),
        }
    }

    /// Whether all of `text` fits.
    pub fn matches(&self, text: &str) -> bool {
        let text = text.as_bytes();
        if text.is_empty() || text.len() > NUMBER_MAX {
            return false;
        }
        // Bit n: the parts so far can have used up the first n characters.
        let mut reached = 1u64;
        for part in &self.parts {
            let mut next = 0u64;
            for start in (0..=text.len()).filter(|n| reached >> n & 1 == 1) {
                let run = text[start..].iter().take(part.most).take_while(|b| part.sign.fits(**b)).count();
                for end in start + part.least..=start + run {
                    next |= 1 << end;
                }
            }
            reached = next;
        }
        reached >> text.len() & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns_say_what_they_match() {
        for (pattern, yes, no) in [
            (
                "'RMA-'9(5-8)",
                &["RMA-12345", "rma-12345678"][..],
                &["RMA-1234", "RMA-123456789", "RMA12345", "RMA-1234A"][..],
            ),
            ("X(3-10)", &["a1b", "1234567890"], &["ab", "a-b", "12345678901", ""]),
            ("A9X", &["A1Z", "b22"], &["11Z", "AAZ", "A1", "A1ZZ"]),
            (
                "X(1-5)9(2)'K'",
                &["112K", "AB12k", "12345" /* too short without K */, "1234567K"][..2],
                &["12K", "12345", "ABCDEF12K"],
            ),
        ] {
            let p = Pattern::parse(pattern).unwrap();
            for text in yes {
                assert!(p.matches(text), "{pattern} {text}");
            }
            for text in no {
                assert!(!p.matches(text), "{pattern} {text}");
            }
        }
    }

    #[test]
    fn wrong_patterns_are_named() {
        for (text, part) in [
            ("", "empty"),
            ("B", "no meaning"),
            ("9(", "bracket"),
            ("9(0)", "count"),
            ("9(5-3)", "count"),
            ("'ab", "quote"),
            ("X(40)9", "up to 41"),
        ] {
            let error = Pattern::parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(pattern in "[A9X'()0-9-]{0,12}", text in "\\PC{0,50}") {
            if let Ok(p) = Pattern::parse(&pattern) {
                let _ = p.matches(&text);
            }
        }
        #[test]
        fn a_fixed_form_matches_itself(text in "[A-Z0-9]{1,40}") {
            let (literal, any) = (format!("'{text}'"), format!("X({})", text.len()));
            prop_assert!(Pattern::parse(&literal).unwrap().matches(&text));
            prop_assert!(Pattern::parse(&any).unwrap().matches(&text));
        }
    }
}
