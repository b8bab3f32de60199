//! Cuts one connection's bytes into what the printer acts on.
//!
//! Arrives: one byte at a time, [`Lexer::push`]. Leaves: at most one [`Event`] per byte. Promised: no
//! input makes it grow beyond [`FORMAT_MAX`] plus a line, and a format comes out with the very bytes that
//! were sent, less the `~` commands that were carried out on the way.
//!
//! Assumed, where the programming guide is silent:
//! - An `^XA` inside an open format does not begin a new one: the fields of both end up on one label.
//!   (That is what users see when a job was cut off before its `^XZ`.)
//! - `~` commands act wherever they stand, even in the middle of field data.
//! - Set-Get-Do lines are understood between formats only; inside one they are stray text.
//! - Text between formats that is neither is ignored.

/// Longest format taken, in bytes; a longer one is thrown away up to its `^XZ`.
pub const FORMAT_MAX: usize = 1 << 20;
/// Longest Set-Get-Do line taken, in bytes.
const SGD_MAX: usize = 512;

/// What one byte completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// `^XA`: a format begins.
    Opened,
    /// `^XZ`: a format is whole; its bytes from `^XA` to `^XZ`.
    Closed(Vec<u8>),
    /// `^XZ` of a format longer than [`FORMAT_MAX`], which is lost.
    TooLong,
    /// A `~` command, its name without the `~`: two letters, or four for `~HQ..`.
    Immediate(String),
    /// A Set-Get-Do line without its end.
    SetGetDo(String),
    /// A command that means nothing here.
    Ignored(String),
}

/// One connection's lexer.
#[derive(Clone, Debug, Default)]
pub struct Lexer {
    /// The open format.
    format: Option<Vec<u8>>,
    too_long: bool,
    /// A command's first bytes, or a Set-Get-Do line.
    token: Vec<u8>,
}

impl Lexer {
    /// Whether a format is open: `^XA` came, its `^XZ` did not.
    pub fn partial(&self) -> bool {
        self.format.is_some()
    }

    /// Whether it stands between formats and commands.
    pub fn idle(&self) -> bool {
        self.format.is_none() && self.token.is_empty()
    }

    /// Bytes of the open format so far.
    pub fn partial_len(&self) -> usize {
        self.format.as_ref().map_or(0, Vec::len) + self.token.len()
    }

    /// Forgets the open format (`~JX`, `~JA`).
    pub fn cancel(&mut self) {
        *self = Self::default();
    }

    /// Takes one byte.
    pub fn push(&mut self, byte: u8) -> Option<Event> {
        match self.token.first() {
            None => self.start(byte),
            Some(b'!') => self.sgd(byte),
            Some(_) => self.command(byte),
        }
    }

    /// A byte outside any token.
    fn start(&mut self, byte: u8) -> Option<Event> {
        match byte {
            b'^' | b'~' => self.token.push(byte),
            b'!' if self.format.is_none() => self.token.push(byte),
            0x02 => return self.begin(&[byte]),
            0x03 => return self.end(&[byte]),
            _ => self.keep(&[byte]),
        }
        None
    }

    /// A byte of a `^` or `~` command's name.
    fn command(&mut self, byte: u8) -> Option<Event> {
        if matches!(byte, b'^' | b'~' | 0x02 | 0x03 | 0x0F) {
            // The command before never got its name: it is stray text.
            let stray = std::mem::take(&mut self.token);
            self.keep(&stray);
            return self.start(byte);
        }
        self.token.push(byte);
        let name: String = self.token[1..].iter().map(|b| char::from(b.to_ascii_uppercase())).collect();
        let wanted = if self.token[0] == b'~' && name.starts_with("HQ") { 4 } else { 2 };
        if name.chars().count() < wanted {
            return None;
        }
        let token = std::mem::take(&mut self.token);
        if token[0] == b'~' {
            return Some(Event::Immediate(name));
        }
        match name.as_str() {
            "XA" => self.begin(&token),
            "XZ" => self.end(&token),
            _ if self.format.is_some() => {
                self.keep(&token);
                None
            }
            _ => Some(Event::Ignored(format!("^{}", name.escape_debug()))),
        }
    }

    /// A byte of a Set-Get-Do line, which ends with CR, LF, or a blank after its last quote.
    fn sgd(&mut self, byte: u8) -> Option<Event> {
        let quotes = self.token.iter().filter(|&&b| b == b'"').count();
        let wanted = if self.token.starts_with(b"! U1 getvar") { 2 } else { 4 };
        match byte {
            b'\r' | b'\n' => {}
            b' ' if quotes == wanted => {}
            b'^' | b'~' | 0x02 if quotes % 2 == 0 => {
                let line = self.take_line();
                // The byte begins a command at most, so there is no second event to lose, save for STX.
                return self.start(byte).or(Some(Event::Ignored(line)));
            }
            _ if self.token.len() >= SGD_MAX => return Some(Event::Ignored(self.take_line())),
            _ => {
                self.token.push(byte);
                return None;
            }
        }
        Some(Event::SetGetDo(self.take_line()))
    }

    fn take_line(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.token)).into_owned()
    }

    fn begin(&mut self, token: &[u8]) -> Option<Event> {
        if self.format.is_some() {
            self.keep(token);
            return None;
        }
        self.format = Some(token.to_vec());
        self.too_long = false;
        Some(Event::Opened)
    }

    fn end(&mut self, token: &[u8]) -> Option<Event> {
        self.keep(token);
        let format = self.format.take()?;
        Some(if std::mem::take(&mut self.too_long) { Event::TooLong } else { Event::Closed(format) })
    }

    /// Adds to the open format; outside one the bytes are ignored.
    fn keep(&mut self, bytes: &[u8]) {
        let Some(format) = &mut self.format else {
            return;
        };
        if format.len() + bytes.len() > FORMAT_MAX {
            format.clear();
            self.too_long = true;
        }
        if !self.too_long {
            format.extend_from_slice(bytes);
        }
    }

    /// Puts an unknown `~` command back into the open format, so that the label can warn of it.
    pub fn keep_unknown(&mut self, name: &str) {
        self.keep(b"~");
        self.keep(name.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn events(bytes: &[u8]) -> Vec<Event> {
        let mut lexer = Lexer::default();
        bytes.iter().filter_map(|&b| lexer.push(b)).collect()
    }

    fn closed(zpl: &[u8]) -> Event {
        Event::Closed(zpl.to_vec())
    }

    #[test]
    fn formats_commands_and_lines_come_out_in_order() {
        let cases: &[(&[u8], Vec<Event>)] = &[
            (b"^XA^FDa^FS^XZ\r\n", vec![Event::Opened, closed(b"^XA^FDa^FS^XZ")]),
            (b"\x02^FDa\x03", vec![Event::Opened, closed(b"\x02^FDa\x03")]),
            // In the middle of field data, as when hostile data was not escaped.
            (b"^XA^FDa~HSb^FS^XZ", vec![Event::Opened, Event::Immediate("HS".into()), closed(b"^XA^FDab^FS^XZ")]),
            (b"~HQES", vec![Event::Immediate("HQES".into())]),
            (b"~hs", vec![Event::Immediate("HS".into())]),
            (b"! U1 getvar \"a.b\"\r\n", vec![Event::SetGetDo("! U1 getvar \"a.b\"".into())]),
            (
                b"! U1 getvar \"a.b\" ~HS",
                vec![Event::SetGetDo("! U1 getvar \"a.b\"".into()), Event::Immediate("HS".into())],
            ),
            (b"! U1 setvar \"a.b\" \"c d\" ", vec![Event::SetGetDo("! U1 setvar \"a.b\" \"c d\"".into())]),
            (b"! U1 nonsense^XA", vec![Event::Ignored("! U1 nonsense".into()), Event::Opened]),
            (b"^XA^FD1^FS^XA^FD2^FS^XZ", vec![Event::Opened, closed(b"^XA^FD1^FS^XA^FD2^FS^XZ")]),
            (b"^FO1,1stray", vec![Event::Ignored("^FO".into())]),
            (b"^XZ", vec![]),
        ];
        for (bytes, wanted) in cases {
            assert_eq!(&events(bytes), wanted, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_format_that_never_ends_does_not_grow_for_ever() {
        let mut lexer = Lexer::default();
        let mut last = None;
        let body = std::iter::repeat_n(b'a', FORMAT_MAX + 10);
        for byte in b"^XA".iter().copied().chain(body) {
            lexer.push(byte);
            assert!(lexer.partial_len() <= FORMAT_MAX);
        }
        for byte in *b"^XZ" {
            last = lexer.push(byte);
        }
        assert_eq!(last, Some(Event::TooLong));
        assert!(!lexer.partial());
    }

    proptest! {
        #[test]
        fn the_cut_does_not_depend_on_what_came_before_a_cancel(
            noise in proptest::collection::vec(any::<u8>(), 0..200)
        ) {
            let mut lexer = Lexer::default();
            for byte in noise {
                lexer.push(byte);
            }
            lexer.cancel();
            let got: Vec<_> = b"^XA^XZ".iter().filter_map(|&b| lexer.push(b)).collect();
            prop_assert_eq!(got, vec![Event::Opened, closed(b"^XA^XZ")]);
        }
    }
}
