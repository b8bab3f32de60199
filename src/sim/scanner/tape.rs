//! A tape: what a scanner sent, and when.
//!
//! Arrives: text. Leaves: a [`Tape`], or the first mistake with its line and column. Promised: what is
//! written by `Display` reads back as the same tape. The form is described in the room's header,
//! [`super`].

use std::fmt;
use std::time::Duration;

/// Longest pause before a line, in milliseconds: one day.
const DELAY_MAX: u64 = 86_400_000;

/// A recorded run of device bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tape {
    /// `# key: value` lines, in order.
    pub header: Vec<(String, String)>,
    /// The scans.
    pub lines: Vec<Line>,
}

/// One piece of a tape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Pause before the bytes.
    pub delay: Duration,
    /// What the device sends, terminator included.
    pub bytes: Vec<u8>,
    /// The value of the last line `# form: ...` above it; empty where there is none, for bytes as they are.
    pub form: String,
}

/// Why a tape was refused, with the line to look at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TapeError {
    /// No pause in front.
    #[error(
        "tape line {line}: starts with `{found}`; write the pause in milliseconds (0 to 86400000), a blank, the bytes"
    )]
    Delay {
        /// Line number from 1.
        line: usize,
        /// The first word.
        found: String,
    },
    /// A pause and nothing to send.
    #[error("tape line {line}: no bytes after the pause")]
    NoBytes {
        /// Line number from 1.
        line: usize,
    },
    /// A backslash without `xHH`.
    #[error("tape line {line}, column {column}: after a backslash comes xHH; a backslash itself is \\x5C")]
    Escape {
        /// Line number from 1.
        line: usize,
        /// Column from 1, in characters.
        column: usize,
    },
    /// A byte that ought to be escaped.
    #[error("tape line {line}, column {column}: `{found}` is not printable ASCII; write its bytes as \\xHH")]
    Raw {
        /// Line number from 1.
        line: usize,
        /// Column from 1, in characters.
        column: usize,
        /// The character, escaped for the terminal.
        found: String,
    },
}

impl Tape {
    /// Reads a tape. Blank lines are ignored, and so are `#` lines without a colon.
    ///
    /// # Errors
    /// The first line that is no tape line, with its number.
    pub fn parse(text: &str) -> Result<Self, TapeError> {
        let mut tape = Self::default();
        let mut form = String::new();
        for (line, text) in (1..).zip(text.lines()) {
            if text.trim().is_empty() {
                continue;
            }
            if let Some(comment) = text.strip_prefix('#') {
                if let Some((key, value)) = comment.split_once(':') {
                    if key.trim() == "form" {
                        value.trim().clone_into(&mut form);
                        continue;
                    }
                    tape.header.push((key.trim().to_owned(), value.trim().to_owned()));
                }
                continue;
            }
            let (delay, bytes) = parse_line(line, text)?;
            tape.lines.push(Line { delay, bytes, form: form.clone() });
        }
        Ok(tape)
    }

    /// The same tape with everything in the form of bytes: `decode` is given the form, what stands on a line and
    /// the time since the beginning in milliseconds, and `None` for the form at the end.
    ///
    /// # Errors
    /// Those of `decode`.
    pub fn decoded<E>(self, mut decode: impl FnMut(Option<&str>, &[u8], u64) -> Result<Vec<u8>, E>) -> Result<Self, E> {
        let mut tape = Self { header: self.header, lines: Vec::new() };
        let (mut ms, mut waited) = (0, Duration::ZERO);
        let ends = Line { delay: Duration::ZERO, bytes: Vec::new(), form: String::new() };
        for (n, line) in self.lines.iter().chain([&ends]).enumerate() {
            ms += line.delay.as_millis() as u64;
            waited += line.delay;
            let form = (n < self.lines.len()).then_some(line.form.as_str());
            let bytes = decode(form, &line.bytes, ms)?;
            if !bytes.is_empty() {
                tape.lines.push(Line { delay: std::mem::take(&mut waited), bytes, form: String::new() });
            }
        }
        Ok(tape)
    }
}

fn parse_line(line: usize, text: &str) -> Result<(Duration, Vec<u8>), TapeError> {
    let (first, bytes) = text.split_once(' ').unwrap_or((text, ""));
    let delay = match first.parse() {
        Ok(ms) if ms <= DELAY_MAX => Duration::from_millis(ms),
        _ => {
            return Err(TapeError::Delay { line, found: first.escape_debug().to_string() });
        }
    };
    let bytes = unescape(bytes).map_err(|wrong| {
        let column = first.chars().count() + 1 + wrong.column;
        match wrong.found {
            None => TapeError::Escape { line, column },
            Some(found) => TapeError::Raw { line, column, found: found.escape_debug().to_string() },
        }
    })?;
    if bytes.is_empty() {
        return Err(TapeError::NoBytes { line });
    }
    Ok((delay, bytes))
}

/// Where a line's bytes cannot be read, and at what if it is not a bad escape.
struct Wrong {
    column: usize,
    found: Option<char>,
}

fn unescape(text: &str) -> Result<Vec<u8>, Wrong> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let wrong = |found| Wrong { column: text[..text.len() - rest.len()].chars().count() + 1, found };
        let taken = match c {
            '\\' => {
                let hex = rest
                    .get(..4)
                    .and_then(|escape| escape.strip_prefix("\\x"))
                    // `from_str_radix` alone would take a sign.
                    .filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
                    .and_then(|hex| u8::from_str_radix(hex, 16).ok());
                bytes.push(hex.ok_or_else(|| wrong(None))?);
                4
            }
            ' '..='~' => {
                bytes.push(c as u8);
                1
            }
            _ => return Err(wrong(Some(c))),
        };
        rest = &rest[taken..];
    }
    Ok(bytes)
}

impl fmt::Display for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (key, value) in &self.header {
            writeln!(f, "# {key}: {value}")?;
        }
        let mut form = "";
        for line in &self.lines {
            if line.form != form {
                form = &line.form;
                writeln!(f, "# form: {}", if form.is_empty() { "bytes" } else { form })?;
            }
            writeln!(f, "{} {}", line.delay.as_millis(), escape(&line.bytes))?;
        }
        Ok(())
    }
}

/// Bytes in the tape's form: printable ASCII, and `\xHH` for the rest and the backslash.
#[must_use]
pub fn escape(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, &byte| {
        match byte {
            b'\\' => text.push_str("\\x5C"),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\x{byte:02X}")),
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn header_and_lines_are_read_to_the_byte() {
        let tape = Tape::parse(
            "# model: Zebra DS2208\n# a remark\n\n350 R26D100007K\\x0D\r\n# form: keys us\n0  a \\x5c\\x1d\n",
        )
        .expect("a tape");
        assert_eq!(tape.header, [("model".to_owned(), "Zebra DS2208".to_owned())]);
        assert_eq!(
            tape.lines,
            [
                Line { delay: Duration::from_millis(350), bytes: b"R26D100007K\r".to_vec(), form: String::new() },
                Line { delay: Duration::ZERO, bytes: b" a \\\x1d".to_vec(), form: "keys us".to_owned() },
            ]
        );
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let cases = [
            ("\nsoon ABC", "tape line 2: starts with `soon`"),
            ("-1 ABC", "tape line 1: starts with `-1`"),
            ("86400001 ABC", "tape line 1: starts with `86400001`"),
            ("10", "tape line 1: no bytes"),
            ("10 ", "tape line 1: no bytes"),
            ("10 AB\\n", "tape line 1, column 6"),
            ("10 \\x+1", "tape line 1, column 4"),
            ("10 \\x0", "tape line 1, column 4"),
            ("10 \\x\u{e9}", "tape line 1, column 4"),
            ("10 A\tB", "column 5: `\\t` is not printable"),
            ("10 \u{e9}\\x0", "column 4: `\u{e9}` is not printable"),
        ];
        for (text, wanted) in cases {
            let error = Tape::parse(text).expect_err(text).to_string();
            assert!(error.contains(wanted), "{text:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            scans in proptest::collection::vec(
                (0u64..DELAY_MAX, proptest::collection::vec(any::<u8>(), 1..40), prop_oneof!["keys us", "bytes"]), 0..8)
        ) {
            let tape = Tape {
                header: vec![("model".into(), "any: thing".into())],
                lines: scans
                    .into_iter()
                    .map(|(ms, bytes, form)| Line { delay: Duration::from_millis(ms), bytes, form })
                    .collect(),
            };
            prop_assert_eq!(Tape::parse(&tape.to_string()), Ok(tape));
        }

        #[test]
        fn no_text_panics(text in "(?s).{0,200}") {
            let _ = Tape::parse(&text);
        }
    }
}
