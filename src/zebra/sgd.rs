//! SGD, the printer's settings by name: `! U1 getvar "odometer.total_label_count"`.
//!
//! Arrives: the value between two double quotes, often without any line end. Leaves: [`Value`].
//! A printer that does not know the name answers `"?"`, which is an answer, not a fault.

use super::reply::{Query, Reply};

/// The question for one variable. The name is part of the program, never data: it is sent unescaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetVar(pub &'static str);

/// What the printer holds under the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Text(String),
    /// The printer answered `"?"`: it has no such variable.
    Unknown,
}

impl Value {
    /// The value as a count; `None` when it is unknown or not digits only.
    pub fn number(&self) -> Option<u64> {
        match self {
            Value::Text(text) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
            _ => None,
        }
    }
}

/// Longest value believed. The variables asked for are counts, names and addresses.
const VALUE_MAX: usize = 256;

impl Query for GetVar {
    type Answer = Value;

    fn to_bytes(&self) -> Vec<u8> {
        format!("! U1 getvar \"{}\"\r\n", self.0).into_bytes()
    }

    fn parse(&self, received: &[u8]) -> Reply<Value> {
        let quote = |from: usize| received[from..].iter().position(|&b| b == b'"').map(|n| from + n);
        let Some(open) = quote(0) else {
            return Reply::Incomplete;
        };
        let bad = |reason: &str, used| Reply::Bad { reason: format!("getvar {:?}: {reason}", self.0), used };
        // A value has no control bytes; a quote followed by one is the end of an answer whose head
        // was lost, so the search goes on behind it.
        let rest = &received[open + 1..];
        let length = rest.iter().position(|&b| b == b'"' || b < b' ');
        match length {
            _ if length.unwrap_or(rest.len()) > VALUE_MAX => bad("the value has no end", open + 1),
            None => Reply::Incomplete,
            Some(n) if rest[n] != b'"' => bad("a line ended inside the value", open + 1),
            Some(n) => {
                let used = open + n + 2;
                match std::str::from_utf8(&rest[..n]) {
                    Ok("?") => Reply::Done { value: Value::Unknown, used },
                    Ok(text) => Reply::Done { value: Value::Text(text.trim().to_owned()), used },
                    Err(_) => bad("the value is not text", used),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ODOMETER: GetVar = GetVar("odometer.total_label_count");

    #[test]
    fn the_question_as_the_printer_wants_it() {
        assert_eq!(ODOMETER.to_bytes(), b"! U1 getvar \"odometer.total_label_count\"\r\n");
    }

    #[test]
    fn values() {
        let text = |s: &str| Value::Text(s.to_owned());
        for (bytes, value, used) in [
            (&b"\"12345\""[..], text("12345"), 7),
            (b"\r\n\"12345\"\r\n", text("12345"), 9),
            (b"\"?\"", Value::Unknown, 3),
            (b"\"\"", text(""), 2),
            (b"\x021234,0\x03\r\n\"7\"\"8\"", text("7"), 13),
        ] {
            let want = Reply::Done { value, used };
            assert_eq!(ODOMETER.parse(bytes), want, "{:?}", String::from_utf8_lossy(bytes));
        }
        assert_eq!(text("12345").number(), Some(12345));
        for no_count in ["", "12 LABELS", "-1", "99999999999999999999999"] {
            assert_eq!(text(no_count).number(), None, "{no_count}");
        }
    }

    #[test]
    fn the_end_of_a_lost_answer_is_stepped_over() {
        let bytes = b"345\"\r\n\"12345\"";
        let Reply::Bad { used, .. } = ODOMETER.parse(bytes) else {
            panic!("believed a stray quote");
        };
        assert_eq!(ODOMETER.parse(&bytes[used..]).done().and_then(|v| v.number()), Some(12345));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            if let Reply::Done { used, .. } | Reply::Bad { used, .. } = ODOMETER.parse(&bytes) {
                prop_assert!(0 < used && used <= bytes.len(), "the buffer shrinks");
            }
        }

        #[test]
        fn where_it_is_cut_changes_nothing(value in "[ !#-~]{0,40}", cut in 0usize..42) {
            let whole = format!("\r\n\"{value}\"");
            let cut = cut.min(whole.len() - 1);
            prop_assert_eq!(ODOMETER.parse(&whole.as_bytes()[..cut]), Reply::Incomplete);
            prop_assert!(ODOMETER.parse(whole.as_bytes()).done().is_some());
        }
    }
}
