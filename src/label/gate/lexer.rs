//! Foreign ZPL as a list of commands, cut the way a printer cuts it.
//!
//! Arrives: bytes from anywhere. Leaves: [`Item`]s that cover every byte. A `^` or a `~` begins a command
//! wherever it stands, in the middle of field data too; two characters name it; what follows, up to the
//! next of the two, is its data. `^CC`, `^CT`, `^CD` and their `~` forms take the very next byte, even
//! where that is a `^` (ZPL programming guide). Where a printer might see a command and another might
//! not (a name that is cut short, a control code), the caller refuses instead of guessing.

/// One command as it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::label) struct Command<'a> {
    /// Where it begins, counted from 0.
    pub at: usize,
    /// `^` or `~`.
    pub prefix: u8,
    /// In upper case. The second one of `^A` is the font.
    pub name: [u8; 2],
    pub data: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::label) enum Item<'a> {
    Command(Command<'a>),
    /// Text before the first command, or a prefix without a name.
    Stray(usize, &'a [u8]),
}

impl<'a> Command<'a> {
    /// `^FO`; of `^A0` only `^A0`, of `^HQES` only `^HQ`.
    pub fn written(&self) -> String {
        [self.prefix, self.name[0], self.name[1]].map(char::from).iter().collect()
    }

    pub fn is(&self, name: &[u8; 2]) -> bool {
        self.prefix == b'^' && self.name == *name
    }

    /// A font selection: there is no other command that begins with `^A`.
    pub fn font(&self) -> Option<u8> {
        let font = self.name[1];
        let chosen = self.prefix == b'^' && self.name[0] == b'A' && (font.is_ascii_alphanumeric() || font == b'@');
        chosen.then_some(font)
    }

    /// The parameters between the commas, without blanks and line ends around them.
    pub fn parameters(&self) -> Parameters<'a> {
        Parameters { words: self.data.split(|&b| b == b',').map(<[u8]>::trim_ascii).take(PARAMETERS_MAX).collect() }
    }

    /// What it takes in the source.
    pub fn end(&self) -> usize {
        self.at + 3 + self.data.len()
    }
}

/// No command that is looked at has more.
const PARAMETERS_MAX: usize = 12;

#[derive(Debug)]
pub(in crate::label) struct Parameters<'a> {
    words: Vec<&'a [u8]>,
}

impl<'a> Parameters<'a> {
    /// The `n`th, counted from 0; empty where it is left out.
    pub fn word(&self, n: usize) -> &'a [u8] {
        self.words.get(n).copied().unwrap_or_default()
    }

    /// First letter of the `n`th, in upper case.
    pub fn letter(&self, n: usize) -> Option<u8> {
        self.word(n).first().map(u8::to_ascii_uppercase)
    }

    /// The `n`th as a number; designs by hand have decimals too, which printers cut off. Kept within a
    /// million, far beyond what ZPL takes, so that sums of some stay numbers.
    pub fn number(&self, n: usize) -> Option<i32> {
        let word = std::str::from_utf8(self.word(n)).ok()?;
        word.parse().ok().map(|number: f32| number.clamp(-1e6, 1e6) as i32)
    }

    /// The `n`th where it must be understood: `default` where it is left out, `None` for anything but
    /// digits.
    pub fn count(&self, n: usize, default: u32) -> Option<u32> {
        match self.word(n) {
            [] => Some(default),
            word if word.iter().all(u8::is_ascii_digit) => std::str::from_utf8(word).ok()?.parse().ok(),
            _ => None,
        }
    }
}

/// The items of `bytes`, in order.
pub(in crate::label) fn items(bytes: &[u8]) -> impl Iterator<Item = Item<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
        let item = first(rest, at);
        at = match item {
            Item::Command(command) => command.end(),
            Item::Stray(from, stray) => from + stray.len(),
        };
        Some(item)
    })
}

/// The commands alone.
pub(in crate::label) fn commands(bytes: &[u8]) -> impl Iterator<Item = Command<'_>> {
    items(bytes).filter_map(|item| match item {
        Item::Command(command) => Some(command),
        Item::Stray(..) => None,
    })
}

fn is_prefix(b: u8) -> bool {
    matches!(b, b'^' | b'~')
}

fn first(rest: &[u8], at: usize) -> Item<'_> {
    let nameable = |b: u8| b.is_ascii_graphic() && !is_prefix(b);
    match *rest {
        [prefix, a, b, ref tail @ ..] if is_prefix(prefix) && nameable(a) && nameable(b) => {
            let name = [a.to_ascii_uppercase(), b.to_ascii_uppercase()];
            // The new command character is this command's own.
            let own = usize::from(matches!(&name, b"CC" | b"CT" | b"CD")).min(tail.len());
            Item::Command(Command { at, prefix, name, data: &tail[..until_prefix(tail, own)] })
        }
        _ => Item::Stray(at, &rest[..until_prefix(rest, 1)]),
    }
}

/// Bytes before the next prefix at or behind `from`.
fn until_prefix(bytes: &[u8], from: usize) -> usize {
    bytes.iter().skip(from).position(|&b| is_prefix(b)).map_or(bytes.len(), |n| n + from)
}

/// Field data under `^FH`: the indicator and two hex digits are one byte.
pub(in crate::label) fn unescaped(data: &[u8], indicator: Option<u8>) -> Vec<u8> {
    let Some(indicator) = indicator else { return data.to_vec() };
    let (mut bytes, mut rest) = (Vec::with_capacity(data.len()), data);
    while let [first, tail @ ..] = rest {
        let hex = (*first == indicator).then(|| tail.get(..2)).flatten();
        let value = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(value.unwrap_or(*first));
        rest = if value.is_some() { &tail[2..] } else { tail };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(bytes: &[u8]) -> Vec<String> {
        items(bytes)
            .map(|item| match item {
                Item::Command(c) => format!("{}={}", c.written(), String::from_utf8_lossy(c.data)),
                Item::Stray(_, s) => format!("?{}", String::from_utf8_lossy(s)),
            })
            .collect()
    }

    #[test]
    fn commands_are_cut_where_a_printer_cuts_them() {
        assert_eq!(shown(b"^xa^A0N,30^FDa~JRb^FS\n^XZ"), ["^XA=", "^A0=N,30", "^FD=a", "~JR=b", "^FS=\n", "^XZ="]);
        assert_eq!(shown(b"\x10CT~~CD,~CC^~CT~"), ["?\x10CT", "?~", "~CD=,", "~CC=^", "~CT=~"]);
        assert_eq!(shown(b"^F^FDx^"), ["?^F", "^FD=x", "?^"]);
        assert_eq!(shown(b"^\nXZ"), ["?^\nXZ"]);
        assert_eq!(shown(b"^CC"), ["^CC="]);
    }

    #[test]
    fn parameters_are_read_as_designers_write_them() {
        let command = commands(b"^FO 203.9, 17\r\n,,x").next().expect("one");
        let p = command.parameters();
        assert_eq!((p.number(0), p.number(1), p.number(2), p.number(3)), (Some(203), Some(17), None, None));
        assert_eq!((p.letter(3), p.letter(4)), (Some(b'X'), None));
    }

    #[test]
    fn hex_is_read_where_it_is_hex() {
        assert_eq!(unescaped(b"a_5E_5_zz_C3_A4_", Some(b'_')), "a^_5_zz\u{e4}_".as_bytes());
        assert_eq!(unescaped(b"_5E", None), b"_5E");
        assert_eq!(unescaped(b"\\5E_5E", Some(b'\\')), b"^_5E");
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_or_made_up(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut at = 0;
            for item in items(&bytes) {
                match item {
                    Item::Command(c) => { prop_assert_eq!(c.at, at); at = c.end(); }
                    Item::Stray(from, s) => { prop_assert_eq!(from, at); at += s.len(); }
                }
            }
            prop_assert_eq!(at, bytes.len());
        }
    }
}
