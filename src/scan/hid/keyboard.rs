//! A scanner that types, read as a USB device: keyboard reports in, key events out, as the kernel would tell them.
//!
//! Usages are those of the HID Usage Tables 1.5, page 7; key codes the kernel's (`linux/input-event-codes.h`).

use super::descriptor::{KEYS, KeyReport, MODIFIER};
use crate::scan::keys::stream::KeyEvent;
use std::collections::BTreeSet;

/// Key code of each usage from 0x04 on: letters, digits, signs, function keys, navigation, keypad. 0 has none.
#[rustfmt::skip]
const CODES: [u16; 98] = [
    30, 48, 46, 32, 18, 33, 34, 35, 23, 36, 37, 38, 50, 49, 24, 25, 16, 19, 31, 20, 22, 47, 17, 45, 21, 44,
    2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 28, 1, 14, 15, 57, 12, 13, 26, 27, 43, 43, 39, 40, 41, 51, 52, 53, 58,
    59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 87, 88, 99, 70, 119, 110, 102, 104, 111, 107, 109, 106, 105, 108, 103,
    69, 98, 55, 74, 78, 96, 79, 80, 81, 75, 76, 77, 71, 72, 73, 82, 83, 86, 127,
];
/// Left Ctrl, Shift, Alt, GUI; the right ones.
const MODIFIERS: [u16; 8] = [29, 42, 56, 125, 97, 54, 100, 126];
/// What has no code here: a key without a meaning, which spoils a scan.
const UNKNOWN: u16 = 240;
/// Usage 1: more keys are down than the report has room for.
const ROLL_OVER: u8 = 1;

fn code(usage: u32) -> u16 {
    let low = usage & 0xffff;
    let found = match low {
        0x67 => Some(&117),
        0x85 => Some(&121),
        0xe0..=0xe7 => MODIFIERS.get(low as usize - 0xe0),
        _ => (low as usize).checked_sub(4).and_then(|at| CODES.get(at)),
    };
    found.copied().unwrap_or(UNKNOWN)
}

/// The keys of one device, from report to report.
#[derive(Clone, Debug)]
pub struct Keys {
    layout: KeyReport,
    down: BTreeSet<u32>,
}

impl Keys {
    pub fn new(layout: KeyReport) -> Keys {
        Keys { layout, down: BTreeSet::new() }
    }

    /// Length of a report, in bytes.
    pub fn bytes(&self) -> usize {
        self.layout.bytes
    }

    /// Takes a report, its id in front where the device uses ids: what went up or down since the last one.
    /// Modifiers come first, so that a capital letter in one report is one.
    pub fn take(&mut self, report: &[u8], out: &mut Vec<KeyEvent>) {
        if report.is_empty() || self.layout.id.is_some_and(|id| report[0] != id) {
            return;
        }
        let keys = report.get(self.layout.keys.clone()).filter(|keys| !keys.contains(&ROLL_OVER));
        let Some(keys) = keys else {
            // Which keys are down is not known: the scan under way is not what was on the label.
            self.down.clear();
            out.extend([KeyEvent::Dropped, KeyEvent::Report]);
            return;
        };
        let bit = |at: usize| report.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 == 1);
        let modifiers = (0..).zip(self.layout.modifiers).filter(|(_, at)| at.is_some_and(bit));
        let keys = keys.iter().filter(|key| **key != 0).map(|key| KEYS | u32::from(*key));
        let now: BTreeSet<u32> = modifiers.map(|(n, _)| MODIFIER + n).chain(keys).collect();
        let is_modifier = |usage: &&u32| (MODIFIER..MODIFIER + 8).contains(*usage);
        for modifier in [true, false] {
            let of = |usage: &&u32| is_modifier(usage) == modifier;
            out.extend(self.down.difference(&now).filter(of).map(|usage| KeyEvent::Key(code(*usage), 0)));
            out.extend(now.difference(&self.down).filter(of).map(|usage| KeyEvent::Key(code(*usage), 1)));
        }
        out.push(KeyEvent::Report);
        self.down = now;
    }
}

#[cfg(test)]
mod tests {
    use super::super::descriptor::key_report;
    use super::super::tests::KEYBOARD;
    use super::*;
    use crate::scan::keys::Layout;
    use crate::scan::keys::stream::{Step, Typist};
    use proptest::prelude::*;

    fn typed(layout: Layout, reports: &[[u8; 8]]) -> Vec<Step> {
        let (mut keys, mut typist) = (Keys::new(key_report(KEYBOARD).unwrap()), Typist::new(layout));
        let mut events = Vec::new();
        reports.iter().for_each(|report| keys.take(report, &mut events));
        events.into_iter().for_each(|event| typist.take(event));
        std::iter::from_fn(|| typist.next(usize::MAX)).collect()
    }

    #[test]
    fn reports_become_what_they_typed() {
        let up = [0; 8];
        let a = |shift| [shift, 0, 4, 0, 0, 0, 0, 0];
        assert_eq!(typed(Layout::Us, &[a(2), up, a(0), up, a(0x20), up]), [Step::Bytes(b"AaA".to_vec())]);
        // Without a report in between: the next key comes while the last one is down, or in its place.
        assert_eq!(
            typed(
                Layout::De,
                &[
                    [0, 0, 0x1c, 0, 0, 0, 0, 0],
                    [0, 0, 0x1c, 0x1d, 0, 0, 0, 0],
                    [0, 0, 0x1e, 0, 0, 0, 0, 0],
                    [0, 0, 0x28, 0, 0, 0, 0, 0]
                ]
            ),
            [Step::Bytes("zy1\r".into())]
        );
        // GS by Ctrl+], and by Alt with the keypad.
        assert_eq!(typed(Layout::Us, &[[1, 0, 0x30, 0, 0, 0, 0, 0], up]), [Step::Bytes(vec![0x1d])]);
        let alt = |key| [4, 0, key, 0, 0, 0, 0, 0];
        assert_eq!(
            typed(Layout::Us, &[alt(0), alt(0x62), alt(0), alt(0x5a), alt(0), alt(0x61), alt(0), up]),
            [Step::Bytes(vec![0x1d])]
        );
    }

    #[test]
    fn what_cannot_be_known_spoils_the_scan() {
        let one = [0, 0, 0x1e, 0, 0, 0, 0, 0];
        assert_eq!(
            typed(Layout::Us, &[one, [0, 0, 1, 1, 1, 1, 1, 1], one]),
            [Step::Bytes(b"1".to_vec()), Step::Spoilt, Step::Bytes(b"1".to_vec())]
        );
        assert!(typed(Layout::Us, &[[0, 0, 0xa0, 0, 0, 0, 0, 0]]).contains(&Step::Spoilt));
        // A report that breaks off before its keys.
        let mut keys = Keys::new(key_report(KEYBOARD).unwrap());
        let mut events = Vec::new();
        keys.take(&[2, 0], &mut events);
        assert_eq!(events, [KeyEvent::Dropped, KeyEvent::Report]);
    }

    #[test]
    fn every_usage_has_its_own_key() {
        let codes: Vec<u16> = (4..=0x65).map(code).collect();
        // The one sign that is on two keys, by the maker's country.
        let own: BTreeSet<u16> = codes.iter().copied().collect();
        assert_eq!((codes.len(), own.len(), codes.contains(&UNKNOWN)), (98, 97, false));
    }

    proptest! {
        #[test]
        fn whatever_goes_down_comes_up(reports in prop::collection::vec(prop::array::uniform8(any::<u8>()), 0..40)) {
            let (mut keys, mut events) = (Keys::new(key_report(KEYBOARD).unwrap()), Vec::new());
            for report in &reports {
                keys.take(report, &mut events);
            }
            keys.take(&[0; 8], &mut events);
            let mut down = BTreeSet::new();
            for event in events {
                match event {
                    KeyEvent::Key(UNKNOWN, _) | KeyEvent::Key(43, _) | KeyEvent::Report => {}
                    KeyEvent::Key(code, 1) => prop_assert!(down.insert(code)),
                    KeyEvent::Key(code, _) => prop_assert!(down.remove(&code)),
                    KeyEvent::Dropped => down.clear(),
                }
            }
            prop_assert!(down.is_empty());
        }
    }
}
