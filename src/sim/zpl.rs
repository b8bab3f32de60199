//! ZPL as a list of commands: what both the print engine and the renderer read of a format.
//!
//! Arrives: the bytes of a format. Leaves: one [`Command`] after the other, with its parameters still as
//! bytes, for only the command knows what they mean. Promised: no byte is skipped; what belongs to no
//! command comes out as [`Item::Stray`].
//!
//! Assumed, from the ZPL programming guide: two characters name a command, letter case does not matter,
//! `^A` takes its font name as the second character, and a lone SI (0x0F) stands for `^FS`, STX (0x02)
//! for `^XA`, ETX (0x03) for `^XZ`. `^CC`, `^CT` and `^CD` (other command characters) are not supported.

/// One command of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command<'a> {
    /// `^` or `~`.
    pub prefix: u8,
    /// The two characters of its name, in upper case.
    pub name: [u8; 2],
    /// Everything up to the next command, as sent.
    pub data: &'a [u8],
}

/// What stands at one place of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A command.
    Command(Command<'a>),
    /// Bytes before the first command, or a prefix with no name after it.
    Stray(&'a [u8]),
}

impl<'a> Command<'a> {
    /// The comma-separated parameters; those left out are empty.
    pub fn parameters(&self) -> Parameters<'a> {
        Parameters::new(self.data)
    }

    /// The command as the manual writes it, such as `^FO`.
    pub fn written(&self) -> String {
        [self.prefix, self.name[0], self.name[1]]
            .iter()
            .flat_map(|b| std::ascii::escape_default(*b))
            .map(char::from)
            .collect()
    }
}

/// The items of `bytes`, in order.
pub fn items(bytes: &[u8]) -> impl Iterator<Item = Item<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (item, after) = next(rest)?;
        rest = after;
        Some(item)
    })
}

/// The commands of `bytes` alone.
pub fn commands(bytes: &[u8]) -> impl Iterator<Item = Command<'_>> {
    items(bytes).filter_map(|item| match item {
        Item::Command(command) => Some(command),
        Item::Stray(_) => None,
    })
}

fn is_prefix(byte: u8) -> bool {
    matches!(byte, b'^' | b'~')
}

/// Control codes that stand for a whole command.
fn short_form(byte: u8) -> Option<[u8; 2]> {
    match byte {
        0x02 => Some(*b"XA"),
        0x03 => Some(*b"XZ"),
        0x0F => Some(*b"FS"),
        _ => None,
    }
}

fn starts_item(byte: u8) -> bool {
    is_prefix(byte) || short_form(byte).is_some()
}

fn next(bytes: &[u8]) -> Option<(Item<'_>, &[u8])> {
    let (&first, after) = bytes.split_first()?;
    if let Some(name) = short_form(first) {
        let (data, rest) = until_next(after, 0);
        let command = Command { prefix: b'^', name, data };
        return Some((Item::Command(command), rest));
    }
    if is_prefix(first)
        && let [a, b, tail @ ..] = after
        && !starts_item(*a)
        && !starts_item(*b)
    {
        let (data, rest) = until_next(tail, 0);
        let command = Command { prefix: first, name: [a.to_ascii_uppercase(), b.to_ascii_uppercase()], data };
        return Some((Item::Command(command), rest));
    }
    // A prefix without a name, or text before the first command: up to the next start of anything.
    let (stray, rest) = until_next(bytes, 1);
    Some((Item::Stray(stray), rest))
}

/// Splits before the first start of an item at or after `from`.
fn until_next(bytes: &[u8], from: usize) -> (&[u8], &[u8]) {
    let end = bytes.iter().skip(from).position(|&b| starts_item(b)).map_or(bytes.len(), |at| at + from);
    bytes.split_at(end)
}

/// Parameters of one command, taken from left to right.
#[derive(Clone, Debug)]
pub struct Parameters<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Parameters<'a> {
    /// The parameters in `data`, which are separated by commas.
    pub fn new(data: &'a [u8]) -> Self {
        Self { rest: Some(data) }
    }

    /// The next parameter without surrounding blanks, empty where none was sent.
    pub fn word(&mut self) -> &'a [u8] {
        let Some(rest) = self.rest else { return b"" };
        let (word, after) = match rest.iter().position(|&b| b == b',') {
            Some(comma) => (&rest[..comma], Some(&rest[comma + 1..])),
            None => (rest, None),
        };
        self.rest = after;
        word.trim_ascii()
    }

    /// The next parameter's first letter in upper case.
    pub fn letter(&mut self) -> Option<u8> {
        self.word().first().map(u8::to_ascii_uppercase)
    }

    /// The next parameter as a whole number; `None` where it is left out or no number.
    pub fn number(&mut self) -> Option<i64> {
        std::str::from_utf8(self.word()).ok()?.parse().ok()
    }

    /// The next parameter as a whole number within `low..=high`; what is outside is moved to the bound,
    /// as the printer does.
    pub fn within(&mut self, low: i64, high: i64) -> Option<i64> {
        self.number().map(|n| n.clamp(low, high))
    }

    /// Everything that follows, commas included.
    pub fn rest(&mut self) -> &'a [u8] {
        self.rest.take().unwrap_or(b"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(bytes: &[u8]) -> Vec<String> {
        items(bytes)
            .map(|item| match item {
                Item::Command(c) => {
                    format!("{}={}", c.written(), String::from_utf8_lossy(c.data))
                }
                Item::Stray(s) => format!("stray={}", String::from_utf8_lossy(s)),
            })
            .collect()
    }

    #[test]
    fn a_format_falls_into_its_commands() {
        assert_eq!(
            names(b"^XA^fo10,20^A0N,30^FDa b,c^FS\r\n^XZ"),
            ["^XA=", "^FO=10,20", "^A0=N,30", "^FD=a b,c", "^FS=\r\n", "^XZ="]
        );
        assert_eq!(names(b"\x02^FDx\x0F\x03"), ["^XA=", "^FD=x", "^FS=", "^XZ="]);
        assert_eq!(names(b"oh^^XA~HS^F"), ["stray=oh", "stray=^", "^XA=", "~HS=", "stray=^F"]);
    }

    #[test]
    fn parameters_may_be_left_out() {
        let mut p = Parameters::new(b"N, 12,,-4,x");
        assert_eq!(p.letter(), Some(b'N'));
        assert_eq!(p.number(), Some(12));
        assert_eq!(p.number(), None);
        assert_eq!(p.within(0, 9), Some(0));
        assert_eq!(p.number(), None);
        assert_eq!(p.word(), b"");
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_or_made_up(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let total: usize = items(&bytes)
                .map(|item| match item {
                    Item::Command(c) => {
                        // A short form is one byte, a written command three.
                        let short = short_form_of(&bytes, c.data);
                        c.data.len() + if short { 1 } else { 3 }
                    }
                    Item::Stray(s) => s.len(),
                })
                .sum();
            prop_assert_eq!(total, bytes.len());
        }
    }

    /// Whether the command before `data` (a part of `whole`) was sent as one control code.
    fn short_form_of(whole: &[u8], data: &[u8]) -> bool {
        let start = data.as_ptr() as usize - whole.as_ptr() as usize;
        start > 0 && short_form(whole[start - 1]).is_some()
    }
}
