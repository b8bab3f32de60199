//! Where one scan ends and the next begins. A lexer that never reads: bytes and the time are put in,
//! whole frames come out, "not yet" is the normal answer.
//!
//! | suffix | a frame ends at | what else belongs to the framing |
//! |---|---|---|
//! | `cr` | CR | one LF directly behind the CR is swallowed (a scanner set to CR LF) |
//! | `lf` | LF | one CR directly in front of the LF is taken off |
//! | `crlf` | CR LF | nothing: a lone CR or LF is data |
//! | `tab` | TAB | nothing |
//! | `idle` | a silence of the gap | nothing |
//! | `any` | CR, LF, TAB, or a silence of the gap | one LF directly behind a CR is swallowed |
//!
//! Promised: the same bytes give the same frames however they are cut into pieces; memory is bounded by
//! [`MAX_FRAME`]; a bare suffix is an empty frame and reported as such; a frame longer than
//! [`MAX_FRAME`] is refused as [`Frame::TooLong`] and the next suffix starts afresh; bytes without their
//! suffix are handed out as [`Frame::Unfinished`] after [`SILENCE_MS`], so that they are never glued to
//! the next scan.

/// The longest frame accepted, in bytes. The largest symbols carry less: QR 7,089 digits, Data Matrix 3,116.
pub const MAX_FRAME: usize = 8192;

/// A frame that has grown to this many bytes is reported without waiting for its end: the line runs away.
pub const RUNAWAY: usize = 1 << 16;

/// After this silence a frame without its suffix is given up, in milliseconds.
pub const SILENCE_MS: u64 = 2000;

/// The silence that ends a frame with suffix `idle`, where none is configured, in milliseconds.
pub const IDLE_GAP_MS: u64 = 50;

/// How a scanner marks the end of a scan.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Suffix {
    #[default]
    Cr,
    Lf,
    CrLf,
    Tab,
    Idle,
    /// For scanners that nobody has told us about.
    Any,
}

impl Suffix {
    /// Whether a silence ends a frame as well as its suffix does.
    fn silent(self) -> bool {
        matches!(self, Suffix::Idle | Suffix::Any)
    }

    /// The payload without the suffix that a scanner put behind it although its protocol needs none.
    pub fn taken_off(self, payload: &[u8]) -> &[u8] {
        let ends: &[&[u8]] = match self {
            Suffix::Cr => &[b"\r\n", b"\r"],
            Suffix::Lf => &[b"\r\n", b"\n"],
            Suffix::CrLf => &[b"\r\n"],
            Suffix::Tab => &[b"\t"],
            Suffix::Idle => &[],
            Suffix::Any => &[b"\r\n", b"\r", b"\n", b"\t"],
        };
        ends.iter().find_map(|end| payload.strip_suffix(*end)).unwrap_or(payload)
    }
}

/// What the line gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Frame {
    /// A whole payload without its suffix; empty for a bare suffix.
    Payload(Vec<u8>),
    /// Bytes that were never ended by the suffix: a damaged scan, or a scanner set to another suffix.
    Unfinished(Vec<u8>),
    /// A frame of `len` bytes, more than [`MAX_FRAME`]; its bytes are gone. At [`RUNAWAY`] it is reported
    /// at once, and what follows up to the next suffix or silence belongs to it without a second report.
    TooLong { len: usize },
}

/// The lexer of one scanner. Nothing is shared with another one.
#[derive(Clone, Debug)]
pub struct Framer {
    suffix: Suffix,
    gap_ms: u64,
    held: Vec<u8>,
    /// Length of the frame so far; more than `held.len()` once it is too long.
    len: usize,
    last_byte: u8,
    /// A frame has just ended at a CR: an LF now is its second half.
    after_cr: bool,
    /// Part of this frame was lost on the way: it ends as unfinished whatever ends it.
    spoilt: bool,
    last_ms: u64,
}

impl Framer {
    /// `gap_ms` counts for [`Suffix::Idle`] and [`Suffix::Any`] only.
    pub fn new(suffix: Suffix, gap_ms: u64) -> Framer {
        Framer { suffix, gap_ms, held: Vec::new(), len: 0, last_byte: 0, after_cr: false, spoilt: false, last_ms: 0 }
    }

    /// Takes the bytes that arrived at `now_ms` and hands every frame that they complete to `out`.
    pub fn push(&mut self, bytes: &[u8], now_ms: u64, out: &mut impl FnMut(Frame)) {
        self.tick(now_ms, out);
        for &b in bytes {
            self.byte(b, out);
        }
        self.last_ms = now_ms;
    }

    /// Tells the lexer the time: a silence may end a frame.
    pub fn tick(&mut self, now_ms: u64, out: &mut impl FnMut(Frame)) {
        if self.deadline().is_some_and(|at| now_ms >= at) {
            self.end_of_line(self.suffix.silent(), out);
        }
    }

    /// When [`Framer::tick`] is due, in the same milliseconds; `None` while nothing is held.
    pub fn deadline(&self) -> Option<u64> {
        let wait = if self.suffix.silent() { self.gap_ms } else { SILENCE_MS };
        (self.len > 0 || self.spoilt).then(|| self.last_ms.saturating_add(wait))
    }

    /// Part of the frame under way was lost at `now_ms`, or of the next one if none is.
    pub fn spoil(&mut self, now_ms: u64) {
        self.spoilt = true;
        self.last_ms = now_ms;
    }

    /// The line itself has ended. `orderly` says that the other side closed it on purpose, which ends a
    /// frame of [`Suffix::Idle`] as well as silence does; whatever else is held is unfinished.
    pub fn close(&mut self, orderly: bool, out: &mut impl FnMut(Frame)) {
        if self.len > 0 || self.spoilt {
            self.end_of_line(orderly && self.suffix.silent(), out);
        }
        self.after_cr = false;
    }

    fn end_of_line(&mut self, whole: bool, out: &mut impl FnMut(Frame)) {
        let (held, len) = (std::mem::take(&mut self.held), std::mem::take(&mut self.len));
        let spoilt = std::mem::take(&mut self.spoilt);
        match len {
            RUNAWAY.. => (), // already reported
            _ if len > MAX_FRAME => out(Frame::TooLong { len }),
            _ if whole && !spoilt => out(Frame::Payload(held)),
            _ => out(Frame::Unfinished(held)),
        }
    }

    fn byte(&mut self, b: u8, out: &mut impl FnMut(Frame)) {
        let (after_cr, before) = (std::mem::take(&mut self.after_cr), std::mem::replace(&mut self.last_byte, b));
        let ends = match self.suffix {
            Suffix::Cr | Suffix::Any if after_cr && b == b'\n' => return,
            Suffix::Cr => b == b'\r',
            Suffix::Lf => b == b'\n',
            Suffix::CrLf => b == b'\n' && before == b'\r' && self.len > 0,
            Suffix::Tab => b == b'\t',
            Suffix::Idle => false,
            Suffix::Any => matches!(b, b'\r' | b'\n' | b'\t'),
        };
        if !ends {
            self.len += 1;
            // One byte of room more than a frame may have: the CR of a CR LF.
            if self.held.len() <= MAX_FRAME {
                self.held.push(b);
            }
            if self.len == RUNAWAY {
                out(Frame::TooLong { len: RUNAWAY });
            }
            return;
        }
        self.after_cr = b == b'\r' && matches!(self.suffix, Suffix::Cr | Suffix::Any);
        if matches!(self.suffix, Suffix::Lf | Suffix::CrLf) && before == b'\r' && self.len > 0 && self.len < RUNAWAY {
            if self.len == self.held.len() {
                self.held.pop();
            }
            self.len -= 1;
        }
        self.end_of_line(true, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Suffix; 6] = [Suffix::Cr, Suffix::Lf, Suffix::CrLf, Suffix::Tab, Suffix::Idle, Suffix::Any];

    /// Plays `(ms, bytes)` and then lets ten seconds pass.
    fn frames(suffix: Suffix, tape: &[(u64, &[u8])]) -> Vec<Frame> {
        let (mut framer, mut got) = (Framer::new(suffix, IDLE_GAP_MS), Vec::new());
        for (now, bytes) in tape {
            framer.push(bytes, *now, &mut |f| got.push(f));
        }
        let end = tape.last().map_or(0, |t| t.0);
        framer.tick(end + 10_000, &mut |f| got.push(f));
        assert_eq!(framer.deadline(), None, "nothing may be held after a long silence");
        got
    }

    fn whole(parts: &[&str]) -> Vec<Frame> {
        parts.iter().map(|p| Frame::Payload(p.as_bytes().to_vec())).collect()
    }

    fn unfinished(part: &str) -> Frame {
        Frame::Unfinished(part.as_bytes().to_vec())
    }

    #[test]
    fn the_suffix_ends_a_frame_and_only_framing_is_taken_off() {
        for (suffix, bytes, want) in [
            (Suffix::Cr, "A\rB\r", vec!["A", "B"]),
            (Suffix::Cr, "A\r\nB\r\n", vec!["A", "B"]),
            (Suffix::Cr, "A\nB\r\n\n\r", vec!["A\nB", "\n"]),
            (Suffix::Cr, "\r\r", vec!["", ""]),
            (Suffix::Cr, " A \t\r", vec![" A \t"]),
            (Suffix::Lf, "A\nB\r\n", vec!["A", "B"]),
            (Suffix::Lf, "A\r\r\n\n\r\n", vec!["A\r", "", ""]),
            (Suffix::CrLf, "A\rB\nC\r\n\r\n\n\r\n", vec!["A\rB\nC", "", "\n"]),
            (Suffix::Tab, "A\tB\r\n\t\t", vec!["A", "B\r\n", ""]),
            (Suffix::Idle, "A\r\nB\t", vec!["A\r\nB\t"]),
            (Suffix::Any, "A\rB\r\nC\nD\tE\r\r", vec!["A", "B", "C", "D", "E", ""]),
            (Suffix::Any, "A", vec!["A"]),
        ] {
            assert_eq!(frames(suffix, &[(0, bytes.as_bytes())]), whole(&want), "{suffix:?} {bytes:?}");
        }
    }

    #[test]
    fn a_scan_without_its_suffix_is_not_glued_to_the_next() {
        let tape: [(u64, &[u8]); 2] = [(0, b"AB"), (SILENCE_MS, b"CD\r")];
        let mut want = vec![unfinished("AB")];
        want.extend(whole(&["CD"]));
        assert_eq!(frames(Suffix::Cr, &tape), want);
        let tape: [(u64, &[u8]); 2] = [(0, b"AB"), (SILENCE_MS - 1, b"CD\r")];
        assert_eq!(frames(Suffix::Cr, &tape), whole(&["ABCD"]), "a slow scan is still one scan");
        assert_eq!(
            frames(Suffix::Lf, &[(0, b"AB\r")]),
            [unfinished("AB\r")],
            "set to another suffix: shown, not guessed"
        );
        let late: [(u64, &[u8]); 2] = [(0, b"A\r"), (9000, b"\nB\r\n")];
        assert_eq!(frames(Suffix::Cr, &late), whole(&["A", "B"]), "the LF behind a CR may be late");
    }

    #[test]
    fn a_frame_that_lost_a_part_is_refused_to_its_end_and_the_next_one_is_not() {
        for suffix in [Suffix::Cr, Suffix::Any] {
            let (mut framer, mut got) = (Framer::new(suffix, 50), Vec::new());
            framer.push(b"AB", 0, &mut |f| got.push(f));
            framer.spoil(1);
            framer.push(b"EF\rnext\r", 2, &mut |f| got.push(f));
            framer.spoil(3);
            framer.tick(3 + SILENCE_MS, &mut |f| got.push(f));
            framer.push(b"Z\r", 9000, &mut |f| got.push(f));
            let want = [unfinished("ABEF"), whole(&["next"])[0].clone(), unfinished(""), whole(&["Z"])[0].clone()];
            assert_eq!(got, want, "{suffix:?}");
        }
        assert_eq!(Suffix::Any.taken_off(b"A\r\n"), b"A");
        assert_eq!(Suffix::Cr.taken_off(b"A\r\r"), b"A\r");
        assert_eq!(Suffix::Tab.taken_off(b"A\r"), b"A\r");
    }

    #[test]
    fn with_idle_the_gap_decides() {
        let tape: [(u64, &[u8]); 4] = [(0, b"A"), (49, b"B"), (99, b"C"), (120, b"D")];
        assert_eq!(frames(Suffix::Idle, &tape), whole(&["AB", "CD"]));
    }

    #[test]
    fn a_line_that_ends_takes_no_half_scan_into_the_next() {
        for (suffix, orderly, want) in [
            (Suffix::Cr, true, unfinished("AB")),
            (Suffix::Idle, false, unfinished("AB")),
            (Suffix::Idle, true, Frame::Payload(b"AB".to_vec())),
        ] {
            let (mut framer, mut got) = (Framer::new(suffix, 50), Vec::new());
            framer.push(b"AB", 0, &mut |f| got.push(f));
            framer.close(orderly, &mut |f| got.push(f));
            framer.close(orderly, &mut |f| got.push(f));
            assert_eq!(got, [want]);
        }
        let (mut framer, mut got) = (Framer::new(Suffix::Cr, 50), Vec::new());
        framer.push(b"A\r", 0, &mut |f| got.push(f));
        framer.close(true, &mut |f| got.push(f));
        framer.push(b"\nB\r", 1, &mut |f| got.push(f));
        assert_eq!(got, whole(&["A", "\nB"]), "another line knows nothing of the last one's CR");
    }

    #[test]
    fn the_longest_frame_passes_and_one_byte_more_is_refused() {
        for (suffix, end) in
            [(Suffix::Cr, "\r"), (Suffix::Cr, "\r\n"), (Suffix::Lf, "\r\n"), (Suffix::CrLf, "\r\n"), (Suffix::Idle, "")]
        {
            let longest = "x".repeat(MAX_FRAME);
            assert_eq!(frames(suffix, &[(0, format!("{longest}{end}").as_bytes())]), whole(&[&longest]), "{suffix:?}");
            let mut want = vec![Frame::TooLong { len: MAX_FRAME + 1 }];
            want.extend(whole(&["next"]));
            let bytes = format!("{longest}x{end}");
            assert_eq!(
                frames(suffix, &[(0, bytes.as_bytes()), (100, format!("next{end}").as_bytes())]),
                want,
                "{suffix:?}"
            );
        }
    }

    #[test]
    fn a_line_that_never_ends_is_reported_once_and_held_in_bounded_memory() {
        let (mut framer, mut got) = (Framer::new(Suffix::Lf, 50), Vec::new());
        for now in 0..100 {
            framer.push(&[b'\r'; 4096], now, &mut |f| got.push(f));
            assert!(framer.held.capacity() <= 2 * (MAX_FRAME + 1));
        }
        framer.push(b"\nA\n", 100, &mut |f| got.push(f));
        let mut want = vec![Frame::TooLong { len: RUNAWAY }];
        want.extend(whole(&["A"]));
        assert_eq!(got, want);
    }

    #[test]
    fn the_deadline_is_when_a_tick_does_something() {
        for suffix in ALL {
            let mut framer = Framer::new(suffix, 50);
            assert_eq!(framer.deadline(), None);
            framer.push(b"A", 1000, &mut |f| panic!("{f:?}"));
            let at = framer.deadline().unwrap();
            framer.tick(at - 1, &mut |f| panic!("{f:?}"));
            let mut got = 0;
            framer.tick(at, &mut |_| got += 1);
            assert_eq!((got, framer.deadline()), (1, None), "{suffix:?}");
        }
    }

    proptest! {
        #[test]
        fn however_the_bytes_are_cut_the_frames_are_the_same(
            bytes in prop::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'\t'), any::<u8>()], 0..300),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        ) {
            for suffix in ALL {
                let mut at: Vec<usize> = cuts.iter().map(|c| c.index(bytes.len() + 1)).collect();
                at.extend([0, bytes.len()]);
                at.sort_unstable();
                let pieces: Vec<(u64, &[u8])> = at.windows(2).map(|w| (5, &bytes[w[0]..w[1]])).collect();
                prop_assert_eq!(frames(suffix, &pieces), frames(suffix, &[(5, &bytes)]));
            }
        }

        #[test]
        fn what_went_in_comes_out(payloads in prop::collection::vec("[ -~\\x1c-\\x1f]{0,40}", 0..12)) {
            for (suffix, end) in [(Suffix::Cr, "\r"), (Suffix::Cr, "\r\n"), (Suffix::Lf, "\n"), (Suffix::Lf, "\r\n"), (Suffix::CrLf, "\r\n"), (Suffix::Tab, "\t")] {
                let bytes: String = payloads.iter().flat_map(|p| [p.as_str(), end]).collect();
                let want: Vec<&str> = payloads.iter().map(String::as_str).collect();
                prop_assert_eq!(frames(suffix, &[(0, bytes.as_bytes())]), whole(&want));
            }
        }
    }
}
