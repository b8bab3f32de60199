//! Bytes of a CSV file -> records, one at a time, in bounded memory.
//!
//! The usual CSV readers grow their buffer until a record ends; a file without line ends, or with one
//! stray quote, then fills the memory. Here a record is at most [`RECORD_MAX`] bytes. Whatever is not a
//! record is reported with its line number, and reading goes on at the next line, so that one bad
//! quote costs one line and not the rest of the file.
//!
//! Rules: RFC 4180 with any one-byte delimiter; LF or CR LF ends; a quote counts only as the first
//! byte of a field; line ends inside quotes belong to the field; empty lines are skipped.

use std::io::{self, Read};
use std::ops::Range;

/// Longest record in bytes, line end not counted. Real ones are under 1 KiB.
pub const RECORD_MAX: usize = 64 * 1024;
const BUFFER: usize = 4 * RECORD_MAX;

/// Why a stretch of bytes is not a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// More than [`RECORD_MAX`] bytes.
    TooLong,
    /// A field begins with a quote that is never closed.
    OpenQuote,
    /// Something other than a delimiter or a line end follows a closing quote.
    AfterQuote,
}

/// One field: where it stands in the record's bytes, quotes taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    from: usize,
    to: usize,
    /// Has `""` inside, each standing for one quote.
    doubled: bool,
}

/// A record, or the line that failed to be one.
#[derive(Debug)]
pub struct Record<'a> {
    /// The line it begins on, counted from 1.
    pub line: u64,
    /// Byte of the file where it begins.
    pub offset: u64,
    /// The bytes as they stand in the file, line end taken off; with a fault, at most [`RECORD_MAX`] of them.
    pub bytes: &'a [u8],
    pub fault: Option<Fault>,
    /// A line end follows. Only the last record of a file can lack one.
    pub ended: bool,
    spans: &'a [Span],
}

impl Record<'_> {
    /// Number of fields.
    pub fn width(&self) -> usize {
        self.spans.len()
    }

    /// Where in `bytes` field `n` stands; `None` where doubled quotes have to be halved first.
    pub fn place(&self, n: usize) -> Option<Range<usize>> {
        self.spans.get(n).filter(|span| !span.doubled).map(|span| span.from..span.to)
    }

    /// The bytes of field `n`. `scratch` is used where doubled quotes have to be halved.
    pub fn field<'s>(&'s self, n: usize, scratch: &'s mut Vec<u8>) -> Option<&'s [u8]> {
        let span = self.spans.get(n)?;
        let bytes = &self.bytes[span.from..span.to];
        if !span.doubled {
            return Some(bytes);
        }
        scratch.clear();
        let mut rest = bytes;
        while let Some(quote) = rest.iter().position(|b| *b == b'"') {
            scratch.extend_from_slice(&rest[..=quote]);
            rest = rest.get(quote + 2..).unwrap_or_default();
        }
        scratch.extend_from_slice(rest);
        Some(scratch)
    }
}

/// Cuts what `source` gives into records.
pub struct Records<R> {
    source: R,
    delimiter: u8,
    buffer: Vec<u8>,
    /// The unread part of `buffer`.
    start: usize,
    end: usize,
    /// File offset and line number of `buffer[start]`.
    offset: u64,
    line: u64,
    source_ended: bool,
    /// The rest of a line that was too long is still to be thrown away.
    dropping: bool,
    spans: Vec<Span>,
}

impl<R: Read> Records<R> {
    /// `source` stands at byte `offset` of the file, the first of line `line`.
    pub fn new(source: R, delimiter: u8, line: u64, offset: u64) -> Self {
        Records {
            source,
            delimiter,
            buffer: vec![0; BUFFER],
            start: 0,
            end: 0,
            offset,
            line,
            source_ended: false,
            dropping: false,
            spans: Vec::new(),
        }
    }

    /// Cuts at another delimiter from the next record on.
    pub fn set_delimiter(&mut self, delimiter: u8) {
        self.delimiter = delimiter;
    }

    /// The source itself, which may have given more bytes than were cut so far.
    pub fn source(&self) -> &R {
        &self.source
    }

    /// At most `n` of the bytes that come next, without taking them. Fewer only at the end of the file.
    pub fn peek(&mut self, n: usize) -> io::Result<&[u8]> {
        while self.end - self.start < n.min(BUFFER) && self.fill()? {}
        Ok(&self.buffer[self.start..self.end.min(self.start + n)])
    }

    /// Takes `n` bytes that [`peek`](Self::peek) has shown; there is no line end among them.
    pub fn skip(&mut self, n: usize) {
        let n = n.min(self.end - self.start);
        self.start += n;
        self.offset += n as u64;
    }

    /// Reads on; `false` when the source has ended. Never grows the buffer.
    fn fill(&mut self) -> io::Result<bool> {
        if self.source_ended {
            return Ok(false);
        }
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        loop {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(n) => {
                    self.end += n;
                    self.source_ended = n == 0;
                    return Ok(n > 0);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    fn drop_line(&mut self) -> io::Result<()> {
        while self.dropping {
            let data = &self.buffer[self.start..self.end];
            match data.iter().position(|b| *b == b'\n') {
                Some(n) => {
                    self.skip(n + 1);
                    self.line += 1;
                    self.dropping = false;
                }
                None => {
                    self.skip(data.len());
                    self.dropping = self.fill()?;
                }
            }
        }
        Ok(())
    }

    /// The next record; `None` at the end of the file.
    pub fn next(&mut self) -> io::Result<Option<Record<'_>>> {
        self.drop_line()?;
        let cut = loop {
            let data = &self.buffer[self.start..self.end];
            match scan(data, self.delimiter, self.source_ended, &mut self.spans) {
                Scan::Record(cut) if cut.length == 0 => {
                    self.skip(cut.taken);
                    self.line += cut.lines;
                }
                Scan::Record(cut) => break cut,
                Scan::More => {
                    if !self.fill()? && self.start == self.end {
                        return Ok(None);
                    }
                }
            }
        };
        let (start, line, offset) = (self.start, self.line, self.offset);
        self.skip(cut.taken);
        self.line += cut.lines;
        self.dropping = cut.fault == Some(Fault::TooLong);
        let bytes = &self.buffer[start..start + cut.length];
        Ok(Some(Record { line, offset, bytes, fault: cut.fault, ended: cut.lines > 0, spans: &self.spans }))
    }
}

struct Cut {
    /// Bytes of the record itself.
    length: usize,
    /// Bytes to take, line end included.
    taken: usize,
    /// Line ends among the bytes taken.
    lines: u64,
    fault: Option<Fault>,
}

enum Scan {
    Record(Cut),
    /// Not decided by these bytes, and they are not all there is.
    More,
}

/// Finds the first record of `data` and where its fields stand. `at_end`: nothing follows `data`.
fn scan(data: &[u8], delimiter: u8, at_end: bool, spans: &mut Vec<Span>) -> Scan {
    spans.clear();
    // A record may be followed by two bytes of line end; what lies beyond decides nothing.
    let full = data.len() >= RECORD_MAX + 2;
    let data = &data[..data.len().min(RECORD_MAX + 2)];
    let at_end = at_end && !full;
    if data.is_empty() {
        return Scan::More;
    }
    let (mut at, mut lines) = (0, 0);
    loop {
        let mut span = Span { from: at, to: at, doubled: false };
        let quoted = data.get(at) == Some(&b'"');
        if quoted {
            span.from = at + 1;
            at += 1;
            loop {
                let Some(n) = data[at..].iter().position(|b| *b == b'"') else {
                    return if full || at_end { fault(Fault::OpenQuote, data, at_end, spans) } else { Scan::More };
                };
                at += n + 1;
                match data.get(at) {
                    Some(b'"') => (span.doubled, at) = (true, at + 1),
                    None if !at_end && !full => return Scan::More,
                    _ => break,
                }
            }
            span.to = at - 1;
            lines += data[span.from..span.to].iter().filter(|b| **b == b'\n').count() as u64;
        } else if let Some(n) = data[at..].iter().position(|b| *b == delimiter || *b == b'\n') {
            at += n;
        } else if at_end {
            at = data.len();
        } else {
            return if full { fault(Fault::TooLong, data, at_end, spans) } else { Scan::More };
        }
        if !quoted {
            // A CR before the line end belongs to that.
            at -= usize::from(data.get(at) != Some(&delimiter) && at > span.from && data[at - 1] == b'\r');
            span.to = at;
        }
        spans.push(span);
        let taken = match &data[at..] {
            [b, ..] if *b == delimiter => {
                at += 1;
                continue;
            }
            [b'\n', ..] => at + 1,
            [b'\r', b'\n', ..] => at + 2,
            [] if at_end => at,
            [b'\r'] if at_end => at + 1,
            [] | [b'\r'] if !full => return Scan::More,
            [] | [b'\r'] => return fault(Fault::TooLong, data, at_end, spans),
            _ => return fault(Fault::AfterQuote, data, at_end, spans),
        };
        if at > RECORD_MAX {
            return fault(Fault::TooLong, data, at_end, spans);
        }
        lines += u64::from(data[at..taken].ends_with(b"\n"));
        return Scan::Record(Cut { length: at, taken, lines, fault: None });
    }
}

/// Gives up one line only: what follows it may well be good.
fn fault(fault: Fault, data: &[u8], at_end: bool, spans: &mut Vec<Span>) -> Scan {
    spans.clear();
    Scan::Record(match data.iter().position(|b| *b == b'\n') {
        Some(n) if n <= RECORD_MAX => Cut { length: n, taken: n + 1, lines: 1, fault: Some(fault) },
        None if at_end => Cut { length: data.len(), taken: data.len(), lines: 0, fault: Some(fault) },
        None if data.len() < RECORD_MAX + 2 => return Scan::More,
        _ => Cut { length: RECORD_MAX, taken: RECORD_MAX, lines: 0, fault: Some(Fault::TooLong) },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives `chunk` bytes at a time, as pipes and network disks do.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let n = self.1.min(self.0.len()).min(out.len());
            out[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    type Seen = (u64, u64, Vec<String>, Option<Fault>, bool);

    fn read(data: &[u8], chunk: usize) -> Vec<Seen> {
        let mut records = Records::new(Trickle(data, chunk), b',', 1, 0);
        let (mut seen, mut scratch) = (Vec::new(), Vec::new());
        while let Some(r) = records.next().unwrap() {
            let fields =
                (0..r.width()).map(|n| String::from_utf8_lossy(r.field(n, &mut scratch).unwrap()).into_owned());
            seen.push((r.line, r.offset, fields.collect(), r.fault, r.ended));
        }
        seen
    }

    fn fields(data: &str) -> Vec<Vec<String>> {
        read(data.as_bytes(), 3).into_iter().map(|s| s.2).collect()
    }

    #[test]
    fn records_are_cut_as_rfc_4180_says() {
        for (data, want) in [
            ("a,b\nc,d\n", vec![vec!["a", "b"], vec!["c", "d"]]),
            ("a,b\r\nc,d", vec![vec!["a", "b"], vec!["c", "d"]]),
            ("a,\n,b\n,\n", vec![vec!["a", ""], vec!["", "b"], vec!["", ""]]),
            ("\n\r\na\n\n\n", vec![vec!["a"]]),
            ("\"a,b\",\"c\"\r\n", vec![vec!["a,b", "c"]]),
            ("\"say \"\"hi\"\"\",\"\"\"\"", vec![vec!["say \"hi\"", "\""]]),
            ("\"\",x\n", vec![vec!["", "x"]]),
            ("\"one\ntwo\",x\ny,z\n", vec![vec!["one\ntwo", "x"], vec!["y", "z"]]),
            ("5\" screen,x\n", vec![vec!["5\" screen", "x"]]),
            ("a\rb,c\n", vec![vec!["a\rb", "c"]]),
            ("", vec![]),
            ("\r", vec![]),
            ("a\r", vec![vec!["a"]]),
        ] {
            assert_eq!(fields(data), want, "{data:?}");
        }
    }

    #[test]
    fn a_bad_quote_costs_one_line() {
        let seen = read(b"a,\"b\nc,d\ne,\"f\"g\nh,\"i\"\n", 5);
        let shape: Vec<_> = seen.iter().map(|s| (s.0, s.2.concat(), s.3)).collect();
        assert_eq!(
            shape,
            [
                (1, String::new(), Some(Fault::AfterQuote)),
                (2, "cd".into(), None),
                (3, String::new(), Some(Fault::AfterQuote)),
                (4, "hi".into(), None),
            ]
        );
        let open = read(b"a\nb,\"c\nd\n", 100);
        assert_eq!(
            open.iter().map(|s| (s.0, s.3)).collect::<Vec<_>>(),
            [(1, None), (2, Some(Fault::OpenQuote)), (3, None)]
        );
    }

    #[test]
    fn a_long_line_is_refused_in_bounded_memory() {
        let mut data = b"a,b\n".to_vec();
        data.extend(std::iter::repeat_n(b'x', 20 * RECORD_MAX));
        data.extend(b"\nc,d\n");
        let mut records = Records::new(data.as_slice(), b',', 1, 0);
        let mut lines = Vec::new();
        while let Some(r) = records.next().unwrap() {
            assert!(r.bytes.len() <= RECORD_MAX);
            lines.push((r.line, r.fault));
        }
        assert_eq!(lines, [(1, None), (2, Some(Fault::TooLong)), (3, None)]);
        assert_eq!(records.buffer.len(), BUFFER);
    }

    #[test]
    fn the_longest_record_still_fits() {
        for (extra, fault) in [(0, None), (1, Some(Fault::TooLong))] {
            for end in ["\n", "\r\n", ""] {
                for quote in ["", "\""] {
                    let text = "x".repeat(RECORD_MAX + extra - 2 * quote.len());
                    let data = format!("{quote}{text}{quote}{end}");
                    let seen = read(data.as_bytes(), 10_000);
                    assert_eq!(seen.len(), 1, "{extra} {end:?} {quote:?}");
                    assert_eq!(seen[0].3, fault, "{extra} {end:?} {quote:?}");
                }
            }
        }
    }

    #[test]
    fn an_unclosed_quote_in_a_large_file_costs_one_line() {
        let mut data = b"1,\"x\n".to_vec();
        for _ in 0..40_000 {
            data.extend(b"2,y\n");
        }
        let seen = read(&data, 50_000);
        assert_eq!(seen.len(), 40_001);
        assert_eq!(seen.iter().filter(|s| s.3.is_some()).count(), 1);
        assert_eq!(seen[40_000].0, 40_001);
    }

    proptest! {
        #[test]
        fn chunks_do_not_matter_and_nothing_panics(data in proptest::collection::vec(proptest::sample::select(b"ab,\"\n\r\xFF".to_vec()), 0..80), chunk in 1usize..9) {
            let whole = read(&data, usize::MAX);
            prop_assert_eq!(&read(&data, chunk), &whole);
            for (_, offset, ..) in &whole {
                // Reading again from where a record begins gives the same records.
                let again = read(&data[*offset as usize..], 7);
                let rest: Vec<_> = whole.iter().filter(|s| s.1 >= *offset).map(|s| (&s.2, s.3, s.4)).collect();
                prop_assert_eq!(again.iter().map(|s| (&s.2, s.3, s.4)).collect::<Vec<_>>(), rest);
            }
        }
        #[test]
        fn what_is_quoted_comes_back(rows in proptest::collection::vec(proptest::collection::vec("[a,\"\n\r ]{0,6}", 2..4), 1..5)) {
            let mut data = String::new();
            for row in &rows {
                let quoted: Vec<_> = row.iter().map(|f| format!("\"{}\"", f.replace('"', "\"\""))).collect();
                data += &(quoted.join(",") + "\r\n");
            }
            prop_assert_eq!(fields(&data), rows);
        }
    }
}
