//! Question and answer, whatever the question: [`Query`] and [`Reply`], and the frame
//! `STX ... ETX` that `~HS`, `~HI` and `~HQES` answers come in.

/// What a buffer of received bytes says so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply<T> {
    /// No whole answer yet: read more, and keep the buffer.
    Incomplete,
    /// The first whole answer; drop `used` bytes from the front of the buffer.
    Done { value: T, used: usize },
    /// Something framed like the answer that cannot be one; drop `used` bytes and read on. A
    /// beginning of a right answer never gives this.
    Bad { reason: String, used: usize },
}

impl<T> Reply<T> {
    /// The answer, when there is one.
    pub fn done(self) -> Option<T> {
        match self {
            Reply::Done { value, .. } => Some(value),
            Reply::Incomplete | Reply::Bad { .. } => None,
        }
    }
}

/// One question to a printer.
pub trait Query {
    type Answer;

    /// The bytes to send, to be written alone: printers do not take ZPL and SGD in one write.
    fn to_bytes(&self) -> Vec<u8>;

    /// Looks for this question's answer in everything received so far.
    fn parse(&self, received: &[u8]) -> Reply<Self::Answer>;
}

/// Longest body between `STX` and `ETX` that is believed. The longest of ours, `~HQES`, has some 120
/// bytes; more than this without an `ETX` is noise.
const FRAME_MAX: usize = 512;

const STX: u8 = 0x02;
const ETX: u8 = 0x03;

/// The complete `STX ... ETX` frames in `received`, oldest first: the text between them, and where in
/// `received` the frame ends. An `STX` inside a frame starts it anew: the first one lost its end.
pub(super) fn frames(received: &[u8]) -> impl Iterator<Item = (&str, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let mut start = None;
        while let Some(&byte) = received.get(at) {
            at += 1;
            match (byte, start) {
                (STX, _) => start = Some(at),
                (ETX, Some(from)) => {
                    start = None;
                    let body = &received[from..at - 1];
                    if body.len() <= FRAME_MAX
                        && body.is_ascii()
                        && let Ok(text) = std::str::from_utf8(body)
                    {
                        return Some((text.trim(), at));
                    }
                }
                _ => {}
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_found_between_noise() {
        let found = |bytes: &'static [u8]| frames(bytes).collect::<Vec<_>>();
        assert_eq!(found(b"\x02one\x03\r\nnoise\x02 two \x03"), [("one", 5), ("two", 19)]);
        assert_eq!(found(b"\x03tail\x03\x02lost\x02kept\x03"), [("kept", 17)]);
        assert_eq!(found(b"\x02not\xfftext\x03\x02ok\x03"), [("ok", 14)]);
        assert_eq!(found(b"\x02begun"), []);
        let endless = [b"\x02".as_slice(), &[b'x'; FRAME_MAX + 1], b"\x03\x02ok\x03"].concat();
        assert_eq!(frames(&endless).map(|(text, _)| text).collect::<Vec<_>>(), ["ok"]);
    }
}
