//! Code 128 as a Zebra makes it from `^BC` field data.
//!
//! Arrives: field data and the mode letter of `^BC`. Leaves: the bars as module widths, the text of the
//! interpretation line, and what could not be encoded. Promised: the check symbol is right, and nothing
//! is left out without a warning.
//!
//! Modes, from the programming guide: `N` begins in subset B and obeys the `>` invocation codes; data of
//! subsets A and C are pairs of digits. `U` is a UCC case code of 19 digits with its check digit. `D` is
//! GS1-128: FNC1 is put in front, parentheses and blanks are only for the eye. `A` packs by itself.
//! Assumed: in the packing modes `>8` is FNC1 and `>0 >< >= >1` are their characters as in `N`; any other
//! `>` stands for itself. Where several packings are equally short, which one is chosen is our own choice.

/// Element widths of the symbol values 0 to 105 (ISO/IEC 15417): bar, space, bar, space, bar, space.
const WIDTHS: [&[u8; 6]; 106] = [
    b"212222", b"222122", b"222221", b"121223", b"121322", b"131222", b"122213", b"122312", b"132212", b"221213",
    b"221312", b"231212", b"112232", b"122132", b"122231", b"113222", b"123122", b"123221", b"223211", b"221132",
    b"221231", b"213212", b"223112", b"312131", b"311222", b"321122", b"321221", b"312212", b"322112", b"322211",
    b"212123", b"212321", b"232121", b"111323", b"131123", b"131321", b"112313", b"132113", b"132311", b"211313",
    b"231113", b"231311", b"112133", b"112331", b"132131", b"113123", b"113321", b"133121", b"313121", b"211331",
    b"231131", b"213113", b"213311", b"213131", b"311123", b"311321", b"331121", b"312113", b"312311", b"332111",
    b"314111", b"221411", b"431111", b"111224", b"111422", b"121124", b"121421", b"141122", b"141221", b"112214",
    b"112412", b"122114", b"122411", b"142112", b"142211", b"241211", b"221114", b"413111", b"241112", b"134111",
    b"111242", b"121142", b"121241", b"114212", b"124112", b"124211", b"411212", b"421112", b"421211", b"212141",
    b"214121", b"412121", b"111143", b"111341", b"131141", b"114113", b"114311", b"411113", b"411311", b"113141",
    b"114131", b"311141", b"411131", b"211412", b"211214", b"211232",
];
const STOP: &[u8; 7] = b"2331112";

const SHIFT: u8 = 98;
const CODE_C: u8 = 99;
const CODE_B: u8 = 100;
const CODE_A: u8 = 101;
const FNC1: u8 = 102;
const START_A: u8 = 103;

/// A symbol ready to draw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Symbol {
    /// Symbol values from the start code to the check symbol, without the stop.
    pub values: Vec<u8>,
    /// What the interpretation line says.
    pub text: String,
    /// What could not be encoded.
    pub warnings: Vec<String>,
}

impl Symbol {
    /// Widths in modules, bars and spaces in turn, from the first bar to the last.
    pub fn widths(&self) -> impl Iterator<Item = u32> {
        let symbols = self.values.iter().filter_map(|v| WIDTHS.get(usize::from(*v))).flat_map(|w| w.iter());
        symbols.chain(STOP).map(|w| u32::from(w - b'0'))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subset {
    A,
    B,
    C,
}

impl Subset {
    const ALL: [Self; 3] = [Self::A, Self::B, Self::C];

    /// The value that begins a symbol in this subset.
    fn start(self) -> u8 {
        START_A + self as u8
    }

    /// The value that changes to this subset from another one.
    fn code(self) -> u8 {
        CODE_A - self as u8
    }
}

/// Encodes field data in the given `^BC` mode (`N`, `U`, `A` or `D`).
pub fn encode(data: &[u8], mode: u8) -> Symbol {
    let mut symbol = match mode {
        b'U' => ucc_case(data),
        b'A' => packed(data, false),
        b'D' => packed(data, true),
        _ => invoked(data),
    };
    let sum = symbol
        .values
        .iter()
        .enumerate()
        // The start code and the first symbol both weigh 1.
        .map(|(i, v)| i.max(1) * usize::from(*v))
        .fold(0, |sum, part| (sum + part) % 103);
    symbol.values.push(u8::try_from(sum).unwrap_or(0));
    symbol
}

/// Mode `N`.
fn invoked(data: &[u8]) -> Symbol {
    let mut out = Symbol::default();
    let mut subset = Subset::B;
    // The subset of the next character alone, after SHIFT.
    let mut shifted = None;
    // The first digit of a pair.
    let mut pair: Option<u8> = None;
    let mut rest = data.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        let special = if byte == b'>' { rest.peek().and_then(|code| invocation(*code)) } else { None };
        if let Some(value) = special {
            rest.next();
            if pair.take().is_some() {
                out.warnings.push("a single digit before a code is left out".into());
            }
            let start = Subset::ALL.into_iter().find(|s| s.start() == value);
            if let Some(start) = start {
                // In front it begins the symbol; further on it can only change the subset.
                let value = if out.values.is_empty() { value } else { start.code() };
                out.values.push(value);
                subset = start;
                continue;
            }
            begin(&mut out, subset);
            out.values.push(value);
            match (subset, value) {
                (_, CODE_C) if subset != Subset::C => subset = Subset::C,
                (Subset::A | Subset::C, CODE_B) => subset = Subset::B,
                (Subset::B | Subset::C, CODE_A) => subset = Subset::A,
                (Subset::A, SHIFT) => shifted = Some(Subset::B),
                (Subset::B, SHIFT) => shifted = Some(Subset::A),
                (Subset::A | Subset::B, value) => out.text.extend(character(value, subset)),
                _ => {}
            }
            continue;
        }
        match shifted.unwrap_or(subset) {
            Subset::B => {
                if (b' '..=b'~').contains(&byte) {
                    begin(&mut out, subset);
                    shifted = None;
                    out.values.push(byte - b' ');
                    out.text.push(char::from(byte));
                } else {
                    out.warnings.push(format!("byte 0x{byte:02X} is not in subset B and is left out"));
                }
            }
            pairs => match (pair.take(), byte.is_ascii_digit()) {
                (None, true) => pair = Some(byte),
                (Some(tens), true) => {
                    begin(&mut out, subset);
                    shifted = None;
                    let value = (tens - b'0') * 10 + (byte - b'0');
                    out.values.push(value);
                    if pairs == Subset::C {
                        out.text.push(char::from(tens));
                        out.text.push(char::from(byte));
                    } else {
                        out.text.extend(character(value, Subset::A));
                    }
                }
                (_, false) => {
                    out.warnings.push(format!("`{}` is no digit of a pair and is left out", byte.escape_ascii()))
                }
            },
        }
    }
    if pair.is_some() {
        out.warnings.push("a single digit at the end is left out".into());
    }
    begin(&mut out, subset);
    out
}

/// Puts the start code in front if there is none yet.
fn begin(out: &mut Symbol, subset: Subset) {
    if out.values.is_empty() {
        out.values.push(subset.start());
    }
}

/// The value of `>` and this character (programming guide, invocation codes of `^BC`).
fn invocation(code: u8) -> Option<u8> {
    match code {
        b'<' => Some(62),
        b'0' => Some(30),
        b'=' => Some(94),
        b'1'..=b'9' => Some(95 + (code - b'1')),
        b':' => Some(104),
        b';' => Some(105),
        _ => None,
    }
}

/// The printable character of a value in subset A or B.
fn character(value: u8, subset: Subset) -> Option<char> {
    match (subset, value) {
        (Subset::A, 0..=63) | (Subset::B, 0..=94) => Some(char::from(value + b' ')),
        _ => None,
    }
}

/// Mode `U`: 19 digits (filled up with zeros, or cut), a check digit, FNC1 in front.
fn ucc_case(data: &[u8]) -> Symbol {
    let mut out = Symbol::default();
    let mut digits: Vec<u8> = data.iter().copied().filter(u8::is_ascii_digit).collect();
    if digits.len() != 19 || digits.len() != data.len() {
        out.warnings.push("mode U takes 19 digits; they are cut or filled up with zeros".into());
        digits.resize(19, b'0');
    }
    let sum: u32 = digits.iter().enumerate().map(|(i, d)| u32::from(d - b'0') * if i % 2 == 0 { 3 } else { 1 }).sum();
    digits.push(b'0' + u8::try_from((10 - sum % 10) % 10).unwrap_or(0));
    out.values = vec![Subset::C.start(), FNC1];
    out.values.extend(digits.chunks(2).map(|p| (p[0] - b'0') * 10 + (p[1] - b'0')));
    out.text = digits.into_iter().map(char::from).collect();
    out
}

/// Something to encode in a packing mode: an ASCII character, or FNC1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Ascii(u8),
    Fnc1,
}

/// Modes `A` and `D`: the shortest symbol there is.
fn packed(data: &[u8], gs1: bool) -> Symbol {
    let mut out = Symbol::default();
    let mut signs = Vec::new();
    if gs1 {
        signs.push(Sign::Fnc1);
    }
    let mut rest = data.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        let special = match (byte, rest.peek()) {
            (b'>', Some(b'8')) => Some(Sign::Fnc1),
            (b'>', Some(b'0')) => Some(Sign::Ascii(b'>')),
            (b'>', Some(b'<')) => Some(Sign::Ascii(b'^')),
            (b'>', Some(b'=')) => Some(Sign::Ascii(b'~')),
            (b'>', Some(b'1')) => Some(Sign::Ascii(0x7F)),
            _ => None,
        };
        if let Some(sign) = special {
            rest.next();
            signs.push(sign);
            if let Sign::Ascii(c @ b' '..=b'~') = sign {
                out.text.push(char::from(c));
            }
        } else if byte.is_ascii() {
            let for_the_eye = gs1 && matches!(byte, b'(' | b')' | b' ');
            if !for_the_eye {
                signs.push(Sign::Ascii(byte));
            }
            if (b' '..=b'~').contains(&byte) {
                out.text.push(char::from(byte));
            }
        } else {
            out.warnings.push(format!("byte 0x{byte:02X} is not ASCII and is left out"));
        }
    }
    out.values = shortest(&signs);
    out
}

/// The value of the sign at the front of `signs` in `subset`, and how many signs it takes.
fn value_of(signs: &[Sign], subset: Subset) -> Option<(u8, usize)> {
    match (subset, signs) {
        (_, [Sign::Fnc1, ..]) => Some((FNC1, 1)),
        (Subset::A, [Sign::Ascii(c @ 0..=31), ..]) => Some((c + 64, 1)),
        (Subset::A, [Sign::Ascii(c @ 32..=95), ..]) => Some((c - 32, 1)),
        (Subset::B, [Sign::Ascii(c @ 32..=127), ..]) => Some((c - 32, 1)),
        (Subset::C, [Sign::Ascii(t @ b'0'..=b'9'), Sign::Ascii(u @ b'0'..=b'9'), ..]) => {
            Some(((t - b'0') * 10 + (u - b'0'), 2))
        }
        _ => None,
    }
}

/// A way on from one sign in one subset.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// Encode in this subset.
    Here,
    /// One character of the other letter subset, after SHIFT.
    Shift,
    /// Change to that subset first.
    Change(Subset),
}

/// From the end to the front, what is the least number of symbols from each sign in each subset?
fn shortest(signs: &[Sign]) -> Vec<u8> {
    const FAR: usize = usize::MAX / 2;
    let mut cost = vec![[FAR; 3]; signs.len() + 1];
    let mut ways = vec![[Way::Here; 3]; signs.len()];
    cost[signs.len()] = [0; 3];
    for i in (0..signs.len()).rev() {
        for subset in Subset::ALL {
            let at = subset as usize;
            if let Some((_, taken)) = value_of(&signs[i..], subset) {
                cost[i][at] = 1 + cost[i + taken][at];
            }
            if let Some(other) = shifted(subset)
                && let Some((_, taken)) = value_of(&signs[i..], other)
                && 2 + cost[i + taken][at] < cost[i][at]
            {
                cost[i][at] = 2 + cost[i + taken][at];
                ways[i][at] = Way::Shift;
            }
        }
        // A change costs one symbol and never leads to another change: the bare costs decide.
        let bare = cost[i];
        for subset in Subset::ALL {
            let at = subset as usize;
            for to in Subset::ALL {
                if to != subset && 1 + bare[to as usize] < cost[i][at] {
                    cost[i][at] = 1 + bare[to as usize];
                    ways[i][at] = Way::Change(to);
                }
            }
        }
    }
    // B first: of equally short ways it is the one a reader's eye expects.
    let mut subset = Subset::B;
    for other in [Subset::C, Subset::A] {
        if cost[0][other as usize] < cost[0][subset as usize] {
            subset = other;
        }
    }
    let mut values = vec![subset.start()];
    let mut i = 0;
    while i < signs.len() {
        let way = ways[i][subset as usize];
        let encoded_in = match way {
            Way::Here => Some(subset),
            Way::Shift => {
                values.push(SHIFT);
                shifted(subset)
            }
            Way::Change(to) => {
                values.push(to.code());
                subset = to;
                continue;
            }
        };
        match encoded_in.and_then(|set| value_of(&signs[i..], set)) {
            Some((value, taken)) => {
                values.push(value);
                i += taken;
            }
            // Every ASCII sign is in subset A or B, so this is never reached; it must not loop.
            None => i += 1,
        }
    }
    values
}

fn shifted(subset: Subset) -> Option<Subset> {
    match subset {
        Subset::A => Some(Subset::B),
        Subset::B => Some(Subset::A),
        Subset::C => None,
    }
}

#[cfg(test)]
mod tests;
