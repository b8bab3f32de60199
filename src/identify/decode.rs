//! A payload's bytes as text. What a symbol is written in stands nowhere unless the scanner sends it (ECI);
//! so this takes the first of these that holds: UTF-16 or UTF-8 by its mark, UTF-16 by its zero bytes, ECI
//! escapes where the symbology identifier announces them, UTF-8, Shift-JIS, and at last every byte as the
//! Latin-1 character of its number, the default of the symbologies. Nothing is lost: control characters stay.

use crate::scan::{Aim, Scan};
use encoding_rs::{Encoding, SHIFT_JIS};
use std::borrow::Cow;

/// More designators in one payload are not followed.
const ECI_MAX: usize = 16;

pub fn text(scan: &Scan) -> Cow<'_, str> {
    let data = scan.data();
    if let Some(utf8) = data.strip_prefix(b"\xEF\xBB\xBF") {
        return String::from_utf8_lossy(utf8);
    }
    if let Some((encoding, mark)) = Encoding::for_bom(data) {
        return Cow::Owned(encoding.decode_without_bom_handling(&data[mark..]).0.into_owned());
    }
    if let Some(wide) = zero_bytes(data) {
        return Cow::Owned(wide);
    }
    if scan.aim.is_some_and(announces_eci)
        && let Some(text) = designated(data)
    {
        return Cow::Owned(text);
    }
    match std::str::from_utf8(data) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(shift_jis(data).unwrap_or_else(|| latin1(data))),
    }
}

fn latin1(data: &[u8]) -> String {
    data.iter().map(|&b| char::from(b)).collect()
}

/// UTF-16 without a mark: every second byte is zero.
fn zero_bytes(data: &[u8]) -> Option<String> {
    let (pairs, []) = data.as_chunks::<2>() else { return None };
    let at = |place: usize| pairs.len() >= 4 && pairs.iter().all(|p| p[place] == 0 && p[1 - place] != 0);
    let low = if at(1) { 0 } else { at(0).then_some(1)? };
    Some(pairs.iter().map(|p| char::from(p[low])).collect())
}

/// Japanese text is told by two double-byte characters that begin with what is a control character in
/// Latin-1, and by having no fault.
fn shift_jis(data: &[u8]) -> Option<String> {
    let leads = data.windows(2).filter(|w| (0x81..=0x9F).contains(&w[0]) && w[1] >= 0x40).count();
    if leads < 2 {
        return None;
    }
    let (text, faults) = SHIFT_JIS.decode_without_bom_handling(data);
    (!faults).then(|| text.into_owned())
}

/// The modifiers that say that the reader sends ECI designators and doubles each backslash of the data.
fn announces_eci(aim: Aim) -> bool {
    match aim.code {
        b'd' => matches!(aim.modifier, b'4'..=b'6'),
        b'Q' => matches!(aim.modifier, b'2' | b'4' | b'6'),
        b'L' => aim.modifier == b'1',
        b'U' => matches!(aim.modifier, b'2' | b'3'),
        b'z' => matches!(aim.modifier, b'3'..=b'5' | b'9' | b'A' | b'B'),
        _ => false,
    }
}

/// The text behind `\nnnnnn` designators; `None` where a backslash is neither doubled nor begins one.
fn designated(data: &[u8]) -> Option<String> {
    let (mut text, mut part, mut rest) = (String::new(), Vec::new(), data);
    let mut encoding: Option<&'static Encoding> = None;
    let mut designators = 0;
    let put = |part: &mut Vec<u8>, encoding: Option<&'static Encoding>, text: &mut String| {
        match encoding {
            Some(encoding) => text.push_str(&encoding.decode_without_bom_handling(part).0),
            None => text.push_str(&latin1(part)),
        }
        part.clear();
    };
    while let Some((&b, tail)) = rest.split_first() {
        rest = tail;
        if b != b'\\' {
            part.push(b);
        } else if let Some(tail) = rest.strip_prefix(b"\\") {
            part.push(b'\\');
            rest = tail;
        } else {
            let number = std::str::from_utf8(rest.get(..6)?).ok()?.parse().ok()?;
            put(&mut part, encoding, &mut text);
            designators += 1;
            encoding = of_eci(number);
            rest = &rest[6..];
        }
    }
    put(&mut part, encoding, &mut text);
    (1..=ECI_MAX).contains(&designators).then_some(text)
}

/// The encodings of the AIM ECI register; `None` is read as Latin-1.
fn of_eci(number: u32) -> Option<&'static Encoding> {
    let label: &str = match number {
        4 => "iso-8859-2",
        5 => "iso-8859-3",
        6 => "iso-8859-4",
        7 => "iso-8859-5",
        8 => "iso-8859-6",
        9 => "iso-8859-7",
        10 => "iso-8859-8",
        11 => "windows-1254",
        12 => "iso-8859-10",
        15 => "iso-8859-13",
        16 => "iso-8859-14",
        17 => "iso-8859-15",
        18 => "iso-8859-16",
        20 => "shift_jis",
        21 => "windows-1250",
        22 => "windows-1251",
        23 => "windows-1252",
        24 => "windows-1256",
        25 => "utf-16be",
        26 => "utf-8",
        28 => "big5",
        29 => "gbk",
        30 => "euc-kr",
        32 => "gb18030",
        33 => "utf-16le",
        _ => return None,
    };
    Encoding::for_label(label.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_encoding_that_labels_are_written_in_gives_its_text() {
        for (raw, want) in [
            (&b"SN:AB12"[..], "SN:AB12"),
            ("caf\u{e9}".as_bytes(), "caf\u{e9}"),
            (b"caf\xE9\x1D", "caf\u{e9}\u{1d}"),
            (b"\xEF\xBB\xBFSN:AB12", "SN:AB12"),
            (b"\xFF\xFES\0N\0:\0", "SN:"),
            (b"\xFE\xFF\0S\0N\0:", "SN:"),
            (b"S\0N\0:\0x\0", "SN:x"),
            (b"\0S\0N\0:\0x", "SN:x"),
            (b"\0\0\0\0\0\0\0\0", "\0\0\0\0\0\0\0\0"),
            (b"\x90\xBB\x91\xA2\x94\xD4\x8D\x86 SN:AB12", "\u{88fd}\u{9020}\u{756a}\u{53f7} SN:AB12"),
            (b"]Q1\\000026A", "\\000026A"),
            (b"]Q2\\000026\xC3\xA9\\\\B", "\u{e9}\\B"),
            (b"]d4A\\000020\x83\x56", "A\u{30b7}"),
            (b"]Q2\\00002", "\\00002"),
            (b"", ""),
        ] {
            assert_eq!(text(&Scan::decode(raw.to_vec())), want, "{raw:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_ascii_stays_as_it_is(raw in prop::collection::vec(any::<u8>(), 0..40), ascii in "[ -\\[\\^-~]{0,20}") {
            let _ = text(&Scan::decode(raw));
            let scan = Scan::decode(ascii.into());
            prop_assert!(text(&scan).as_bytes() == scan.data());
        }
    }
}
