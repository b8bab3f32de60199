//! Known symbols, and a reader of our own that goes the other way.

use super::*;
use proptest::prelude::*;

fn values(data: &[u8], mode: u8) -> Vec<u8> {
    let symbol = encode(data, mode);
    assert_eq!(symbol.warnings, Vec::<String>::new());
    symbol.values
}

#[test]
fn the_module_pattern_of_a_known_string() {
    // "PJJ123C" in subset A has the check symbol 54 (the textbook example).
    let symbol = encode(b">948424217181935", b'N');
    assert_eq!(symbol.values, [103, 48, 42, 42, 17, 18, 19, 35, 54]);
    assert_eq!(symbol.text, "PJJ123C");
    let pattern: String = symbol.widths().map(|w| w.to_string()).collect();
    assert_eq!(
        pattern,
        "211412\
         313121\
         112133\
         112133\
         123221\
         223211\
         221132\
         131321\
         311123\
         2331112"
    );
    let modules: u32 = symbol.widths().sum();
    assert_eq!(modules, 11 * 9 + 13);
}

#[test]
fn invocation_codes_in_mode_n() {
    let cases: &[(&[u8], &[u8], &str)] = &[
        // Subset B unless told otherwise.
        (b"AB1234", &[104, 33, 34, 17, 18, 19, 20], "AB1234"),
        (b">:AB>51234", &[104, 33, 34, 99, 12, 34], "AB1234"),
        (b">;1234", &[105, 12, 34], "1234"),
        (b">;>80112>6AB", &[105, 102, 1, 12, 100, 33, 34], "0112AB"),
        (b">;12>733", &[105, 12, 101, 33], "12A"),
        // Characters that ZPL cannot carry bare.
        (b"A>0B><C>=D", &[104, 33, 30, 34, 62, 35, 94, 36], "A>B^C~D"),
        // SHIFT: one character of subset A, which is written as a pair.
        (b"a>464b", &[104, 65, 98, 64, 66], "ab"),
        (b"", &[104], ""),
    ];
    for (data, wanted, text) in cases {
        let symbol = encode(data, b'N');
        let shown = String::from_utf8_lossy(data);
        assert_eq!(&symbol.values[..symbol.values.len() - 1], *wanted, "{shown}");
        assert_eq!(symbol.text, *text, "{shown}");
        assert_eq!(symbol.warnings, Vec::<String>::new(), "{shown}");
    }
}

#[test]
fn what_mode_n_cannot_carry_is_said() {
    for data in [&b"caf\xC3\xA9"[..], b">;123", b">;1a2", b">;1>6A", b"a\tb"] {
        let symbol = encode(data, b'N');
        assert!(!symbol.warnings.is_empty(), "{}", data.escape_ascii());
    }
}

#[test]
fn the_packing_modes_are_short() {
    assert_eq!(values(b"1234", b'A'), [105, 12, 34, 82]);
    assert_eq!(values(b"AB1234", b'A'), [104, 33, 34, 99, 12, 34, 102]);
    // Two digits are not worth a change.
    assert_eq!(values(b"A12B", b'A').len(), 6);
    // Lower case and a control character: one SHIFT.
    assert_eq!(values(b"ab\x1dcd", b'A')[3], SHIFT);
    // GS1-128: FNC1 in front, brackets only in the text.
    let gs1 = encode(b"(01)00012345678905", b'D');
    assert_eq!(gs1.values[..3], [105, 102, 1]);
    assert_eq!(gs1.text, "(01)00012345678905");
    // SSCC with its check digit: 0 0 0 ... the weights are 3 and 1 in turn.
    let ucc = encode(b"1234567890123456789", b'U');
    assert_eq!(ucc.text.len(), 20);
    assert_eq!(ucc.values[..2], [105, 102]);
}

/// Reads symbol values back to the data, by the tables of the standard and not by the encoder's code.
fn read(values: &[u8]) -> Vec<u8> {
    let mut set = b"ABC"[usize::from(values[0] - 103)];
    let mut once = None;
    let mut data = Vec::new();
    for &value in &values[1..values.len() - 1] {
        let now = once.take().unwrap_or(set);
        match (now, value) {
            (b'C', 0..=99) => data.extend(format!("{value:02}").bytes()),
            (_, 99) => set = b'C',
            (b'A' | b'C', 100) => set = b'B',
            (b'B' | b'C', 101) => set = b'A',
            (b'A', 98) => once = Some(b'B'),
            (b'B', 98) => once = Some(b'A'),
            (_, 102) => {}
            (b'A', 64..=95) => data.push(value - 64),
            (_, 0..=95) => data.push(value + 32),
            other => panic!("not in a symbol of ours: {other:?}"),
        }
    }
    data
}

proptest! {
    #[test]
    fn packed_data_reads_back(data in proptest::collection::vec(0u8..128, 0..60)) {
        // A `>` may begin a code; as `>0` it is itself.
        let sent: Vec<u8> = data
            .iter()
            .flat_map(|&b| if b == b'>' { vec![b'>', b'0'] } else { vec![b] })
            .collect();
        let symbol = encode(&sent, b'A');
        prop_assert_eq!(read(&symbol.values), data.clone());
        prop_assert!(symbol.values.len() <= 2 * data.len() + 2);
    }

    #[test]
    fn no_data_panics_in_any_mode(
        data in proptest::collection::vec(any::<u8>(), 0..80),
        mode in prop::sample::select(b"NUADx".to_vec())
    ) {
        let symbol = encode(&data, mode);
        prop_assert!(symbol.values.iter().all(|v| *v < 106));
        prop_assert_eq!(symbol.widths().count(), symbol.values.len() * 6 + 7);
    }
}
