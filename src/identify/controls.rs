//! Control characters: given back where a label or a keyboard scanner spelt them out, and named where a
//! keyboard scanner would press keys with them.
//!
//! Separators (GS, RS, EOT, FNC1) are lost or spelt in many ways on the way through keyboards, web pages and
//! scanner rules that write something printable for them. Only spellings that mean nothing else are turned
//! back here; what single characters stand for only the envelope itself tells (see `iso15434`).

/// Names as they stand between brackets.
const NAMES: [(&str, char); 6] =
    [("GS", '\u{1d}'), ("RS", '\u{1e}'), ("EOT", '\u{4}'), ("FNC1", '\u{1d}'), ("FS", '\u{1c}'), ("US", '\u{1f}')];

/// Other spellings: the pictures of Unicode and of code page 437, and escapes of several languages.
const SPELT: [(&str, char); 17] = [
    ("\u{241d}", '\u{1d}'),
    ("\u{241e}", '\u{1e}'),
    ("\u{2404}", '\u{4}'),
    // Alt codes typed on a PC's number pad; what keyboards of another make send.
    ("\u{2194}", '\u{1d}'),
    ("\u{25b2}", '\u{1e}'),
    ("\u{2666}", '\u{4}'),
    ("\u{f70b}", '\u{1d}'),
    ("\u{f70c}", '\u{1e}'),
    ("\\x1d", '\u{1d}'),
    ("\\x1e", '\u{1e}'),
    ("\\x04", '\u{4}'),
    ("\\u001d", '\u{1d}'),
    ("\\u001e", '\u{1e}'),
    ("\\u0004", '\u{4}'),
    ("\\F", '\u{1d}'),
    ("_x001d_", '\u{1d}'),
    ("_x001e_", '\u{1e}'),
];

/// The text with its control characters, where they stand in it spelt out; `None` where none does.
pub fn restored(text: &str) -> Option<String> {
    // Most payloads have none of the characters that a spelling begins with.
    if text.is_ascii() && !text.contains(['<', '{', '[', '\\', '_']) {
        return None;
    }
    let (mut out, mut rest, mut any) = (String::with_capacity(text.len()), text, false);
    while let Some(first) = rest.chars().next() {
        let found = bracketed(rest).or_else(|| {
            let spelt = SPELT.iter().find(|(word, _)| starts_with(rest, word));
            spelt.map(|(word, control)| (word.len(), *control))
        });
        let (len, c) = found.unwrap_or((first.len_utf8(), first));
        any |= found.is_some();
        out.push(c);
        rest = &rest[len..];
    }
    any.then_some(out)
}

/// `<GS>`, `{GS}`, `[GS]`: how long it is and what it stands for.
fn bracketed(text: &str) -> Option<(usize, char)> {
    let close = match text.as_bytes().first()? {
        b'<' => '>',
        b'{' => '}',
        b'[' => ']',
        _ => return None,
    };
    NAMES.iter().find_map(|(name, control)| {
        let tail = text.get(1..)?;
        (starts_with(tail, name) && tail[name.len()..].starts_with(close)).then_some((name.len() + 2, *control))
    })
}

fn starts_with(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
}

/// The keys that a keyboard scanner would press for the control characters of a payload; at most three of
/// them are named. `None` where it has none but separators and line ends.
pub fn hotkeys(text: &str) -> Option<String> {
    let keys = |c: char| match c {
        // What envelopes and line ends are made of.
        '\u{4}' | '\u{1c}'..='\u{1f}' | '\r' | '\n' | '\t' => None,
        '\u{1b}' => Some("Esc".to_owned()),
        '\u{8}' => Some("Backspace".to_owned()),
        '\u{7f}' => Some("Delete".to_owned()),
        '\0' => Some("Ctrl+2".to_owned()),
        c if c.is_ascii_control() => Some(format!("Ctrl+{}", char::from(c as u8 + b'@'))),
        _ => None,
    };
    let found: Vec<String> = text.chars().filter_map(keys).take(4).collect();
    let named = found.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    (!found.is_empty()).then(|| if found.len() > 3 { format!("{named} and more") } else { named })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn separators_that_were_spelt_out_are_separators_again() {
        let want = "[)>\u{1e}06\u{1d}SAB12\u{1e}\u{4}";
        for text in [
            "[)><RS>06<GS>SAB12<RS><EOT>",
            "[)>{RS}06{gs}SAB12{RS}{EOT}",
            "[)>[RS]06[GS]SAB12[RS][EOT]",
            "[)>\u{241e}06\u{241d}SAB12\u{241e}\u{2404}",
            "[)>\u{25b2}06\u{2194}SAB12\u{25b2}\u{2666}",
            r"[)>\x1e06\x1DSAB12\x1E\x04",
            r"[)>\u001e06\u001dSAB12\u001e\u0004",
        ] {
            assert_eq!(restored(text).as_deref(), Some(want), "{text}");
        }
        for text in ["", "AB12", "[)>\u{1e}06\u{1d}S", "{\"GS\":1}", "<G S>", "\u{e9}<", "[GS"] {
            assert_eq!(restored(text), None, "{text}");
        }
    }

    #[test]
    fn keys_that_a_keyboard_scanner_would_press_are_named() {
        for (text, want) in [
            ("\u{12}cmd\r", Some("Ctrl+R")),
            ("\u{1b}[A", Some("Esc")),
            ("\u{1}\u{3}\u{16}\u{17}x", Some("Ctrl+A, Ctrl+C, Ctrl+V and more")),
            ("SAB12\u{1d}1PX\u{1e}\u{4}\r\n", None),
            ("", None),
        ] {
            assert_eq!(hotkeys(text).as_deref(), want, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "([<{\\[]|GS|RS|[>}\\]]|\\\\x1d|[a-z\u{e9}\u{241d}]){0,20}") {
            let _ = (restored(&text), hotkeys(&text));
        }
    }
}
