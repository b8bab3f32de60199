//! `~HQES`, host query for errors and warnings: what `~HS` has no place for, such as the cutter.
//!
//! Arrives: text with `ERRORS:` and `WARNINGS:`, each followed by a flag 0/1 and two words of eight
//! hex digits, high word first (ZPL programming guide, `~HQ`). Some firmware frames it in STX and
//! ETX, some does not, so the words themselves are looked for. Leaves: [`ErrorFlags`].

use super::fault::Fault;
use super::reply::{Query, Reply};

/// The question `~HQES`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorStatus;

/// The two 64-bit flag words. 0 and 0 is a printer without complaints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ErrorFlags {
    pub errors: u64,
    pub warnings: u64,
}

/// Error bits of the low word that stop a printer of ours (ZPL programming guide, `~HQ`, error
/// flags), the one to mend first in front. The bits left out belong to kiosk printers' presenters.
const BITS: [(u64, Fault); 7] = [
    (0x4, Fault::HeadOpen),
    (0x1, Fault::PaperOut),
    (0x2, Fault::RibbonOut),
    (0x8, Fault::Cutter),
    // Bad element, head not detected, thermistor open.
    (0x40 | 0x80 | 0x200, Fault::Printhead),
    // Of the head, of the motor.
    (0x10 | 0x20, Fault::OverTemperature),
    (0x1_0000, Fault::Paused),
];

impl ErrorFlags {
    /// The faults that stop the printer, the one to mend first in front.
    pub fn faults(self) -> Vec<Fault> {
        let set = |(bits, _): &&(u64, Fault)| self.errors & bits != 0;
        BITS.iter().filter(set).map(|&(_, fault)| fault).collect()
    }
}

impl Query for ErrorStatus {
    type Answer = ErrorFlags;

    fn to_bytes(&self) -> Vec<u8> {
        b"~HQES\r\n".to_vec()
    }

    fn parse(&self, received: &[u8]) -> Reply<ErrorFlags> {
        let Some(errors_at) = find(received, b"ERRORS:") else {
            return Reply::Incomplete;
        };
        let bad = |what: &str, used: usize| Reply::Bad {
            reason: format!("~HQES: {what} are not a flag and two words of eight hex digits"),
            used,
        };
        let errors = match flags(&received[errors_at..]) {
            Reply::Incomplete => return Reply::Incomplete,
            Reply::Bad { used, .. } => return bad("errors", errors_at + used),
            Reply::Done { value, .. } => value,
        };
        let Some(warnings_at) = find(&received[errors_at..], b"WARNINGS:") else {
            return Reply::Incomplete;
        };
        let warnings_at = errors_at + warnings_at;
        match flags(&received[warnings_at..]) {
            Reply::Incomplete => Reply::Incomplete,
            Reply::Bad { used, .. } => bad("warnings", warnings_at + used),
            Reply::Done { value: warnings, used } => {
                Reply::Done { value: ErrorFlags { errors, warnings }, used: warnings_at + used }
            }
        }
    }
}

/// Where the bytes behind `what` begin.
fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|w| w == what).map(|n| n + what.len())
}

/// ` f 8hex 8hex`: blanks, a flag, blanks, the high word, blanks, the low word.
fn flags(bytes: &[u8]) -> Reply<u64> {
    let mut value = 0u64;
    let mut at = 0;
    for digits in [1, 8, 8] {
        let blanks = bytes[at..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        for n in 0..digits {
            let place = at + blanks + n;
            let Some(&byte) = bytes.get(place) else {
                return Reply::Incomplete;
            };
            let Some(digit) = (byte as char).to_digit(16) else {
                return Reply::Bad { reason: String::new(), used: place };
            };
            // The flag only repeats whether a bit is set.
            value = if digits == 1 { 0 } else { value << 4 | u64::from(digit) };
        }
        at += blanks + digits;
    }
    Reply::Done { value, used: at }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ANSWER: &[u8] =
        b"\x02\r\n\r\n  PRINTER STATUS\r\n   ERRORS:         1 00000000 0001000D\r\n   WARNINGS:       1 00000001 00000002\r\n\x03";

    #[test]
    fn both_words() {
        let flags = ErrorStatus.parse(ANSWER).done().expect("an answer");
        assert_eq!((flags.errors, flags.warnings), (0x1_000D, 0x1_0000_0002));
        let faults = [Fault::HeadOpen, Fault::PaperOut, Fault::Cutter, Fault::Paused];
        assert_eq!(flags.faults(), faults);
        assert_eq!(ErrorFlags::default().faults(), []);
    }

    #[test]
    fn what_is_not_hex_is_bad_and_can_be_stepped_over() {
        let bytes = [b"ERRORS: 1 0000000G ", ANSWER].concat();
        let Reply::Bad { used, reason } = ErrorStatus.parse(&bytes) else {
            panic!("believed");
        };
        assert!(reason.starts_with("~HQES: errors"), "{reason}");
        assert!(ErrorStatus.parse(&bytes[used..]).done().is_some());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in "(ERRORS:|WARNINGS:|[ 0-9A-F]){0,12}") {
            let _ = ErrorStatus.parse(&bytes);
            let _ = ErrorStatus.parse(text.as_bytes());
        }

        #[test]
        fn where_it_is_cut_changes_nothing(cut in 0..ANSWER.len(), garbage in "[a-z0-9,\r\n\"]{0,20}") {
            let mut buffer = [garbage.as_bytes(), &ANSWER[..cut]].concat();
            let early = ErrorStatus.parse(&buffer);
            buffer.extend_from_slice(&ANSWER[cut..]);
            let late = ErrorStatus.parse(&buffer);
            let whole = matches!(late, Reply::Done { .. });
            prop_assert!(whole);
            prop_assert!(early == Reply::Incomplete || early == late, "{:?}", early);
        }
    }
}
