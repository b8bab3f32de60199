//! Code 128 (ISO/IEC 15417): the one linear barcode of our labels.
//!
//! Arrives: printable ASCII. Leaves: the symbol characters with their check character, the bars for
//! the picture, the width for the layout, and the text that makes a Zebra print those very symbols.
//! The printer is told which subset to use instead of choosing itself (`^BC` mode N), so that the
//! width planned is the width printed.

/// Clear space a scanner needs before and after the bars, in modules.
pub(super) const QUIET: u32 = 10;

const CODE_C: u8 = 99;
const CODE_B: u8 = 100;
const START_B: u8 = 104;
const START_C: u8 = 105;

/// Bar and space widths of each symbol character: bar, space, bar, space, bar, space, 11 modules.
#[rustfmt::skip]
const PATTERNS: [[u8; 6]; 106] = [
    [2,1,2,2,2,2],[2,2,2,1,2,2],[2,2,2,2,2,1],[1,2,1,2,2,3],[1,2,1,3,2,2],[1,3,1,2,2,2],[1,2,2,2,1,3],[1,2,2,3,1,2],
    [1,3,2,2,1,2],[2,2,1,2,1,3],[2,2,1,3,1,2],[2,3,1,2,1,2],[1,1,2,2,3,2],[1,2,2,1,3,2],[1,2,2,2,3,1],[1,1,3,2,2,2],
    [1,2,3,1,2,2],[1,2,3,2,2,1],[2,2,3,2,1,1],[2,2,1,1,3,2],[2,2,1,2,3,1],[2,1,3,2,1,2],[2,2,3,1,1,2],[3,1,2,1,3,1],
    [3,1,1,2,2,2],[3,2,1,1,2,2],[3,2,1,2,2,1],[3,1,2,2,1,2],[3,2,2,1,1,2],[3,2,2,2,1,1],[2,1,2,1,2,3],[2,1,2,3,2,1],
    [2,3,2,1,2,1],[1,1,1,3,2,3],[1,3,1,1,2,3],[1,3,1,3,2,1],[1,1,2,3,1,3],[1,3,2,1,1,3],[1,3,2,3,1,1],[2,1,1,3,1,3],
    [2,3,1,1,1,3],[2,3,1,3,1,1],[1,1,2,1,3,3],[1,1,2,3,3,1],[1,3,2,1,3,1],[1,1,3,1,2,3],[1,1,3,3,2,1],[1,3,3,1,2,1],
    [3,1,3,1,2,1],[2,1,1,3,3,1],[2,3,1,1,3,1],[2,1,3,1,1,3],[2,1,3,3,1,1],[2,1,3,1,3,1],[3,1,1,1,2,3],[3,1,1,3,2,1],
    [3,3,1,1,2,1],[3,1,2,1,1,3],[3,1,2,3,1,1],[3,3,2,1,1,1],[3,1,4,1,1,1],[2,2,1,4,1,1],[4,3,1,1,1,1],[1,1,1,2,2,4],
    [1,1,1,4,2,2],[1,2,1,1,2,4],[1,2,1,4,2,1],[1,4,1,1,2,2],[1,4,1,2,2,1],[1,1,2,2,1,4],[1,1,2,4,1,2],[1,2,2,1,1,4],
    [1,2,2,4,1,1],[1,4,2,1,1,2],[1,4,2,2,1,1],[2,4,1,2,1,1],[2,2,1,1,1,4],[4,1,3,1,1,1],[2,4,1,1,1,2],[1,3,4,1,1,1],
    [1,1,1,2,4,2],[1,2,1,1,4,2],[1,2,1,2,4,1],[1,1,4,2,1,2],[1,2,4,1,1,2],[1,2,4,2,1,1],[4,1,1,2,1,2],[4,2,1,1,1,2],
    [4,2,1,2,1,1],[2,1,2,1,4,1],[2,1,4,1,2,1],[4,1,2,1,2,1],[1,1,1,1,4,3],[1,1,1,3,4,1],[1,3,1,1,4,1],[1,1,4,1,1,3],
    [1,1,4,3,1,1],[4,1,1,1,1,3],[4,1,1,3,1,1],[1,1,3,1,4,1],[1,1,4,1,3,1],[3,1,1,1,4,1],[4,1,1,1,3,1],[2,1,1,4,1,2],
    [2,1,1,2,1,4],[2,1,1,2,3,2],
];
const STOP: [u8; 7] = [2, 3, 3, 1, 1, 1, 2];

/// One barcode: its symbol characters, start and check character included, stop pattern not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code128 {
    symbols: Vec<u8>,
}

impl Code128 {
    /// Encodes `data`: subset C for digits at the start where they are many enough to pay for the change
    /// back, subset B for the rest. The error is the first character that is not
    /// printable ASCII.
    pub(super) fn encode(data: &str) -> Result<Code128, char> {
        if let Some(c) = data.chars().find(|c| !matches!(c, ' '..='~')) {
            return Err(c);
        }
        let data = data.as_bytes();
        let mut symbols = Vec::with_capacity(data.len() + 4);
        let (mut at, mut in_c) = (0, false);
        while at < data.len() {
            let run = data[at..].iter().take_while(|b| b.is_ascii_digit()).count();
            let pairs = run / 2;
            // Subset C at the start only: a change in the middle would save a few modules, but there are
            // ZPL renderers in use that do not follow it and draw another number.
            let wanted = at == 0 && ((run == 2 && data.len() == 2) || run >= 4);
            if wanted {
                symbols.push(START_C);
                let digits = &data[at..at + 2 * pairs];
                symbols.extend(digits.chunks_exact(2).map(|p| (p[0] - b'0') * 10 + p[1] - b'0'));
                at += digits.len();
                in_c = true;
            } else {
                // One character in B; of an odd run the first digit, so that the rest pairs up.
                if at == 0 {
                    symbols.push(START_B);
                } else if in_c {
                    symbols.push(CODE_B);
                }
                in_c = false;
                symbols.push(data[at] - b' ');
                at += 1;
            }
        }
        if symbols.is_empty() {
            symbols.push(START_B);
        }
        let sum = symbols.iter().zip(0u32..).map(|(&s, n)| u32::from(s) * n.max(1)).sum::<u32>();
        symbols.push((sum % 103) as u8);
        Ok(Code128 { symbols })
    }

    /// Width of the bars in modules, quiet zones not included.
    pub(super) fn modules(&self) -> u32 {
        self.symbols.len() as u32 * 11 + 13
    }

    /// Bars and spaces in turn, beginning with a bar, in modules.
    pub(super) fn runs(&self) -> impl Iterator<Item = u8> {
        let pattern = |&symbol: &u8| PATTERNS[usize::from(symbol)];
        self.symbols.iter().flat_map(pattern).chain(STOP)
    }

    /// The data as `^BC` in mode N takes it, not yet escaped for `^FD`. There `>` begins an
    /// invocation: `>;` starts in C (B needs none), `>5` and `>6` change to C and B, and a `>` that
    /// is meant is `>0`.
    pub(super) fn field(&self) -> String {
        let mut field = String::with_capacity(self.symbols.len() + 8);
        let mut in_c = false;
        let data = self.symbols.split_last().map_or(&[][..], |(_check, data)| data);
        for &symbol in data {
            match symbol {
                START_B => {}
                START_C => {
                    in_c = true;
                    field.push_str(">;");
                }
                CODE_C if !in_c => {
                    in_c = true;
                    field.push_str(">5");
                }
                CODE_B if in_c => {
                    in_c = false;
                    field.push_str(">6");
                }
                pair if in_c => field.extend([(b'0' + pair / 10) as char, (b'0' + pair % 10) as char]),
                30 => field.push_str(">0"),
                other => field.push((other + b' ') as char),
            }
        }
        field
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads the bars back, the way a scanner does: patterns to symbols, check, subsets to text.
    fn read(bars: &[u8]) -> Option<String> {
        let body = bars.strip_suffix(&STOP)?;
        let symbols: Vec<u8> =
            body.chunks(6).map(|run| PATTERNS.iter().position(|p| p == run).map(|n| n as u8)).collect::<Option<_>>()?;
        let (&check, symbols) = symbols.split_last()?;
        let weighted = symbols.iter().enumerate().map(|(n, &s)| n.max(1) as u32 * u32::from(s));
        if weighted.sum::<u32>() % 103 != u32::from(check) {
            return None;
        }
        let mut in_c = match symbols[0] {
            START_B => false,
            START_C => true,
            _ => return None,
        };
        let mut text = String::new();
        for &symbol in &symbols[1..] {
            match symbol {
                CODE_C if !in_c => in_c = true,
                CODE_B if in_c => in_c = false,
                pair if in_c => text += &format!("{pair:02}"),
                other => text.push((other + 32) as char),
            }
        }
        Some(text)
    }

    /// What a Zebra makes of `^FD` data under `^BC` mode N (ZPL programming guide, subset tables).
    fn zebra_reads(field: &str) -> String {
        let (mut text, mut in_c, mut chars) = (String::new(), false, field.chars());
        while let Some(c) = chars.next() {
            match (c, in_c) {
                ('>', _) => match chars.next() {
                    Some(';' | '5') => in_c = true,
                    Some('6') => in_c = false,
                    Some('0') => text.push('>'),
                    other => panic!("invocation {other:?}"),
                },
                (c, _) => text.push(c),
            }
        }
        text
    }

    #[test]
    fn the_symbols_of_a_known_barcode() {
        let aim = Code128::encode("AIM").expect("ASCII");
        // Check character: (104 + 1*33 + 2*41 + 3*45) mod 103.
        assert_eq!(aim.symbols, [START_B, 33, 41, 45, 45]);
        assert_eq!(aim.modules(), 5 * 11 + 13);
        assert_eq!(aim.runs().map(u32::from).sum::<u32>(), aim.modules());
    }

    #[test]
    fn digits_are_paired_where_it_pays() {
        for (data, symbols, field) in [
            ("R26AB12345C", 13, "R26AB12345C"),
            ("R2612345678", 13, "R2612345678"),
            ("A12345", 8, "A12345"),
            ("12345", 6, ">;1234>65"),
            ("12", 3, ">;12"),
            ("123", 5, "123"),
            ("AB123456CD", 12, "AB123456CD"),
            ("a>b^~", 7, "a>0b^~"),
            ("", 2, ""),
        ] {
            let code = Code128::encode(data).expect("ASCII");
            assert_eq!((code.symbols.len(), code.field().as_str()), (symbols, field), "{data}");
        }
        assert_eq!(Code128::encode("RMA\u{1D}1"), Err('\u{1D}'));
        assert_eq!(Code128::encode("RMÄ"), Err('Ä'));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_what_is_read(data in "[ -~]{1,40}|[A-Z]{0,3}[0-9]{1,12}[A-Z]{0,2}[0-9]{0,9}") {
            let code = Code128::encode(&data).expect("ASCII");
            let bars: Vec<u8> = code.runs().collect();
            prop_assert_eq!(read(&bars), Some(data.clone()));
            prop_assert_eq!(zebra_reads(&code.field()), data.clone());
            prop_assert!(code.symbols.len() <= data.len() + 2, "never wider than subset B alone");
        }
    }
}
