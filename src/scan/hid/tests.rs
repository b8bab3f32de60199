//! Descriptors and reports as devices send them, as they lie, and as chance makes them.

use super::descriptor::{applications, is_keyboard, is_scanner};
use super::*;
use proptest::prelude::*;

/// The usual one: report 2 of 64 bytes; count, AIM identifier, 56 bytes of data, two of the vendor's, the flag.
const USUAL: &[u8] = &[
    0x05, 0x8c, 0x09, 0x02, 0xa1, 0x01, 0x85, 0x02, 0x09, 0x12, 0xa1, 0x02, 0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08,
    0x95, 0x01, 0x05, 0x01, 0x09, 0x3b, 0x81, 0x02, 0x05, 0x8c, 0x95, 0x03, 0x09, 0xfb, 0x09, 0xfc, 0x09, 0xfd, 0x81,
    0x02, 0x95, 0x38, 0x09, 0xfe, 0x82, 0x02, 0x01, 0x06, 0x66, 0xff, 0x95, 0x02, 0x09, 0x04, 0x09, 0x00, 0x81, 0x02,
    0x05, 0x8c, 0x25, 0x01, 0x75, 0x01, 0x95, 0x01, 0x09, 0xff, 0x81, 0x02, 0x95, 0x07, 0x81, 0x03, 0xc0, 0xc0,
];
/// The lab's: the vendor's bytes and the flag under one usage of three bytes.
const WIDE_FLAG: &[u8] = &[
    0x05, 0x8c, 0x09, 0x02, 0xa1, 0x01, 0x85, 0x02, 0x09, 0x12, 0xa1, 0x02, 0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08,
    0x95, 0x01, 0x05, 0x01, 0x09, 0x3b, 0x81, 0x02, 0x05, 0x8c, 0x95, 0x03, 0x09, 0xfb, 0x09, 0xfc, 0x09, 0xfd, 0x81,
    0x02, 0x95, 0x38, 0x09, 0xfe, 0x82, 0x02, 0x01, 0x95, 0x03, 0x09, 0xff, 0x81, 0x02, 0xc0, 0xc0,
];
/// A keyboard (HID 1.11, appendix E.6).
pub const KEYBOARD: &[u8] = &[
    0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95,
    0x08, 0x81, 0x02, 0x95, 0x01, 0x75, 0x08, 0x81, 0x03, 0x95, 0x06, 0x75, 0x08, 0x15, 0x00, 0x25, 0x65, 0x05, 0x07,
    0x19, 0x00, 0x29, 0x65, 0x81, 0x00, 0xc0,
];

fn usual() -> Layout {
    layout(USUAL).unwrap()
}

/// A whole report of the usual layout.
fn report(aim: &[u8; 3], data: &[u8], more: bool) -> Vec<u8> {
    let mut bytes = vec![0; 64];
    bytes[0] = 2;
    bytes[1] = u8::try_from(data.len()).unwrap();
    bytes[2..5].copy_from_slice(aim);
    bytes[5..5 + data.len()].copy_from_slice(data);
    bytes[61] = 0x41;
    bytes[63] = u8::from(more);
    bytes
}

/// Plays `(ms, report)` and then lets a minute pass.
fn frames(layout: &Layout, tape: &[(u64, Vec<u8>)]) -> Vec<Frame> {
    let (mut decoder, mut got) = (Decoder::new(layout.clone()), Vec::new());
    for (now, report) in tape {
        decoder.push(report, *now, &mut |f| got.push(f));
    }
    decoder.tick(tape.last().map_or(0, |t| t.0) + 60_000, &mut |f| got.push(f));
    assert_eq!(decoder.deadline(), None);
    got
}

fn payload(text: &str) -> Frame {
    Frame::Payload(text.as_bytes().to_vec())
}

#[test]
fn the_fields_lie_where_the_descriptor_says() {
    let want = Layout {
        id: Some(2),
        bytes: 64,
        length: Some((1, false)),
        aim: [Some(2), Some(3), Some(4)],
        data: 5..61,
        more: Some(63 * 8),
    };
    assert_eq!(usual(), want);
    assert_eq!(layout(WIDE_FLAG), Ok(want));
    // Without report ids everything lies one byte earlier; another maker's order; two bytes of length.
    let without = [&USUAL[..6], &USUAL[8..]].concat();
    assert_eq!(layout(&without).map(|l| (l.id, l.data, l.more)), Ok((None, 4..60, Some(62 * 8))));
    let other: &[u8] = &[
        0x05, 0x8c, 0x09, 0x02, 0xa1, 0x01, 0x85, 0x07, 0x75, 0x08, 0x95, 0x20, 0x09, 0xfe, 0x81, 0x02, 0x75, 0x10,
        0x95, 0x01, 0x0b, 0x3b, 0x00, 0x01, 0x00, 0x81, 0x02, 0xc0,
    ];
    let other = layout(other).unwrap();
    assert_eq!((other.id, other.bytes, other.length, other.data), (Some(7), 35, Some((33, true)), 1..33));
    assert_eq!((other.aim, other.more), ([None; 3], None));
}

#[test]
fn what_is_no_scanner_or_lies_is_refused_and_says_why() {
    assert!(is_scanner(USUAL) && !is_keyboard(USUAL) && is_keyboard(KEYBOARD) && !is_scanner(KEYBOARD));
    assert_eq!(layout(KEYBOARD), Err(NotRead::NoScanner));
    assert_eq!(layout(&[]), Err(NotRead::NoScanner));
    assert_eq!(applications(KEYBOARD), Ok(vec![0x01_0006]));
    // The vendor's second node has usage page 0xFF8C.
    let vendors: Vec<u8> = [&[0x06, 0x8c, 0xff][..], &USUAL[2..]].concat();
    assert_eq!(layout(&vendors), Err(NotRead::NoScanner));
    for cut in 1..USUAL.len() {
        assert!(layout(&USUAL[..cut]).is_err() || cut >= 46, "{cut}");
    }
    assert_eq!(layout(&USUAL[..USUAL.len() - 2][..20]), Err(NotRead::Cut));
    let with = |from: &[u8], to: &[u8]| {
        let at = USUAL.windows(from.len()).position(|w| w == from).unwrap();
        [&USUAL[..at], to, &USUAL[at + from.len()..]].concat()
    };
    // A data field of four thousand million elements, of bits, of none; collections and states without end.
    assert_eq!(layout(&with(&[0x95, 0x38], &[0x97, 0xff, 0xff, 0xff, 0xff])), Err(NotRead::Absurd));
    assert_eq!(layout(&with(&[0x95, 0x38], &[0x75, 0x01])), Err(NotRead::Unaligned));
    assert_eq!(layout(&with(&[0x95, 0x38], &[0x95, 0x00])), Err(NotRead::NoData));
    assert_eq!(layout(&[0xa1, 0x01].repeat(40)), Err(NotRead::Absurd));
    assert_eq!(layout(&[0xa4].repeat(40)), Err(NotRead::Absurd));
    assert_eq!(layout(&[0xc0]), Err(NotRead::Absurd));
    assert_eq!(layout(&[0xb4]), Err(NotRead::Absurd));
    assert_eq!(layout(&[0; 5000]), Err(NotRead::Absurd));
    assert_eq!(layout(&[0xfe, 9, 0, 1]), Err(NotRead::Cut));
}

#[test]
fn one_report_is_one_scan_with_its_identifier_in_front() {
    let layout = usual();
    let one = |report: Vec<u8>| frames(&layout, &[(0, report)]);
    assert_eq!(one(report(b"]C1", b"01095\x1d21X", false)), [payload("]C101095\x1d21X")]);
    assert_eq!(one(report(&[0; 3], b"ABC", false)), [payload("ABC")]);
    assert_eq!(one(report(b"   ", b"ABC", false)), [payload("ABC")]);
    assert_eq!(one(report(b"]C0", b"]C0ABC", false)), [payload("]C0ABC")], "sent in both places");
    assert_eq!(one(report(b"]d2", &[b'x'; 56], false)), [payload(&format!("]d2{}", "x".repeat(56)))]);
    // One byte late: the identifier's last byte stands where the data should begin.
    let mut late = report(&[0; 3], b"2SERIAL-1", false);
    late[1] = 8;
    late[3..5].copy_from_slice(b"]Q");
    assert_eq!(one(late), [payload("]Q2SERIAL-1")]);
    // Cut behind the data: no flag, and so not continued.
    assert_eq!(one(report(b"]A0", b"ABC", false)[..8].to_vec()), [payload("]A0ABC")]);
    // A device without a length pads with zeros.
    let silent = Layout { length: None, ..layout.clone() };
    assert_eq!(frames(&silent, &[(0, report(b"]A0", b"AB\0C", false))]), [payload("]A0AB\0C")]);
}

#[test]
fn long_data_goes_on_in_the_next_report() {
    let layout = usual();
    let long = "0123456789".repeat(30);
    let pieces: Vec<&[u8]> = long.as_bytes().chunks(56).collect();
    let tape = |aim_again: &[u8; 3]| -> Vec<(u64, Vec<u8>)> {
        let aim = |n| if n == 0 { b"]Q1" } else { aim_again };
        pieces.iter().enumerate().map(|(n, p)| (n as u64, report(aim(n), p, n + 1 < pieces.len()))).collect()
    };
    let want = [payload(&format!("]Q1{long}"))];
    assert_eq!(frames(&layout, &tape(b"]Q1")), want);
    assert_eq!(frames(&layout, &tape(&[0; 3])), want);
    // The last piece may be empty.
    assert_eq!(
        frames(&layout, &[(0, report(b"]Q1", b"AB", true)), (1, report(b"]Q1", b"", false))]),
        [payload("]Q1AB")]
    );
}

#[test]
fn a_scan_whose_rest_does_not_come_is_given_up_and_not_glued() {
    let layout = usual();
    let half = Frame::Unfinished(b"]Q1AB".to_vec());
    let tape = [(0, report(b"]Q1", b"AB", true)), (SILENCE_MS, report(b"]C0", b"CD", false))];
    assert_eq!(frames(&layout, &tape), [half.clone(), payload("]C0CD")]);
    assert_eq!(frames(&layout, &tape[..1]), std::slice::from_ref(&half));
    let (mut decoder, mut got) = (Decoder::new(layout), Vec::new());
    decoder.push(&tape[0].1, 0, &mut |f| got.push(f));
    decoder.close(&mut |f| got.push(f));
    decoder.close(&mut |f| got.push(f));
    assert_eq!(got, [half]);
}

#[test]
fn garbage_is_refused_as_damaged_or_is_nothing() {
    let layout = usual();
    let nothing: [Frame; 0] = [];
    for other in [vec![], vec![3, 1, 2], vec![0xfe], report(&[0; 3], b"", false)] {
        assert_eq!(frames(&layout, &[(0, other)]), nothing);
    }
    let mut lies = report(b"]C0", b"ABC", false);
    lies[1] = 57;
    let short = report(b"]C0", b"ABC", false)[..6].to_vec();
    let long = [report(b"]C0", b"ABC", false), vec![0]].concat();
    for damaged in [lies, short, long, vec![2], vec![2, 1]] {
        assert_eq!(frames(&layout, &[(0, damaged.clone())]), [Frame::Unfinished(vec![])], "{damaged:?}");
        // It takes the scan that it belongs to with it, and leaves the next one alone.
        let tape = [(0, report(b"]C0", b"A", true)), (1, damaged), (2, report(b"]C0", b"Z", false))];
        assert_eq!(frames(&layout, &tape), [Frame::Unfinished(b"]C0A".to_vec()), payload("]C0Z")]);
    }
}

#[test]
fn a_scan_without_end_is_bounded_and_told_once() {
    let layout = usual();
    let (mut decoder, mut got) = (Decoder::new(layout.clone()), Vec::new());
    for now in 0..3000 {
        decoder.push(&report(b"]Q1", &[b'x'; 56], true), now, &mut |f| got.push(f));
        assert!(decoder.held.capacity() <= 2 * MAX_FRAME);
    }
    decoder.push(&report(b"]Q1", b"", false), 3000, &mut |f| got.push(f));
    decoder.push(&report(b"]Q1", b"next", false), 3000, &mut |f| got.push(f));
    assert!(matches!(got[..], [Frame::TooLong { len: RUNAWAY.. }, Frame::Payload(_)]), "{got:?}");
    let tape: Vec<_> = (0..150).map(|n| (n, report(b"]Q1", &[b'x'; 56], n < 149))).collect();
    assert_eq!(frames(&layout, &tape), [Frame::TooLong { len: 150 * 56 + 3 }]);
}

proptest! {
    #[test]
    fn no_descriptor_and_no_report_does_harm(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        reports in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..70), 0..30),
    ) {
        let mut changed = USUAL.to_vec();
        for (at, to) in changes {
            *at.get_mut(&mut changed) = to;
        }
        for descriptor in [bytes, changed] {
            if let Ok(layout) = layout(&descriptor) {
                prop_assert!(layout.data.end <= layout.bytes && layout.bytes <= 4096);
                let tape: Vec<_> = reports.iter().enumerate().map(|(n, r)| (n as u64, r.clone())).collect();
                prop_assert!(frames(&layout, &tape).len() <= 2 * reports.len() + 1);
            }
        }
    }

    #[test]
    fn what_went_in_comes_out(data in prop::collection::vec(any::<u8>(), 1..400), aim in any::<bool>()) {
        let aim: &[u8; 3] = if aim { b"]d1" } else { &[0; 3] };
        prop_assume!(data[0] != b']');
        let count = data.chunks(56).count();
        let tape: Vec<_> = data.chunks(56).enumerate().map(|(n, p)| (0, report(aim, p, n + 1 < count))).collect();
        let want = if aim[0] == 0 { data.clone() } else { [&aim[..], &data].concat() };
        prop_assert_eq!(frames(&usual(), &tape), [Frame::Payload(want)]);
    }
}
