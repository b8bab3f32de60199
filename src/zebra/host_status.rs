//! `~HS`, host status: is the printer able to print, and how much has it still to do?
//!
//! Arrives: three frames `STX ... ETX CR LF` with 12, 11 and 2 fields between commas (ZPL programming
//! guide, `~HS`). Leaves: [`PrinterStatus`]. The three lines count only in their order; a line whose
//! forerunner was lost is stepped over, and a new first line starts anew.

use super::reply::{Query, Reply, frames};

/// The question `~HS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostStatus;

/// How the printer hands over a printed label (`~HS` line 2, field 6; the letters of `^MM`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrintMode {
    Rewind,
    PeelOff,
    TearOff,
    Cutter,
    Applicator,
    DelayedCut,
    /// A mode this program has no name for, as the printer wrote it.
    Other(char),
}

/// The printer's own account of itself. Counts are the printer's; flags are true when it says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrinterStatus {
    pub paper_out: bool,
    pub paused: bool,
    /// Dots; what the printer measured or was told with `^LL`.
    pub label_length: u16,
    /// Formats received and not yet printed, 0 to 999.
    pub formats_in_buffer: u16,
    pub buffer_full: bool,
    /// The printer dumps what it gets instead of printing it.
    pub diagnostic_mode: bool,
    /// An `^XA` has come and its `^XZ` has not.
    pub partial_format: bool,
    pub ram_corrupt: bool,
    pub under_temperature: bool,
    pub over_temperature: bool,
    pub head_open: bool,
    pub ribbon_out: bool,
    /// Prints with ribbon; otherwise direct thermal.
    pub thermal_transfer: bool,
    pub print_mode: PrintMode,
    /// A printed label waits to be taken (peel-off).
    pub label_waiting: bool,
    /// Labels of the current batch not yet printed.
    pub labels_remaining: u32,
}

impl PrinterStatus {
    /// Nothing is printing and nothing waits to: what the odometer says now is final.
    pub fn idle(&self) -> bool {
        self.formats_in_buffer == 0 && self.labels_remaining == 0 && !self.partial_format
    }
}

impl Query for HostStatus {
    type Answer = PrinterStatus;

    fn to_bytes(&self) -> Vec<u8> {
        b"~HS\r\n".to_vec()
    }

    fn parse(&self, received: &[u8]) -> Reply<PrinterStatus> {
        let (mut first, mut second): (Option<Fields>, Option<Fields>) = (None, None);
        for (text, used) in frames(received) {
            let fields = Fields::of(text);
            match (fields.0.len(), &first, &second) {
                (12, _, _) => (first, second) = (Some(fields), None),
                (11, Some(_), None) => second = Some(fields),
                (2, Some(one), Some(two)) => {
                    return match status(one, two) {
                        Ok(value) => Reply::Done { value, used },
                        Err(reason) => Reply::Bad { reason, used },
                    };
                }
                _ => {}
            }
        }
        Reply::Incomplete
    }
}

/// One line's fields.
struct Fields<'a>(Vec<&'a str>);

impl<'a> Fields<'a> {
    fn of(text: &'a str) -> Fields<'a> {
        Fields(text.split(',').map(str::trim).collect())
    }

    fn text(&self, index: usize) -> &'a str {
        self.0.get(index).copied().unwrap_or("")
    }

    fn number<N: std::str::FromStr>(&self, index: usize, name: &str) -> Result<N, String> {
        let text = self.text(index);
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let number = digits.then(|| text.parse().ok()).flatten();
        number.ok_or_else(|| format!("~HS: {name} is {text:?}, not a number"))
    }

    fn flag(&self, index: usize, name: &str) -> Result<bool, String> {
        match self.text(index) {
            "0" => Ok(false),
            "1" => Ok(true),
            other => Err(format!("~HS: {name} is {other:?}, not 0 or 1")),
        }
    }
}

fn status(one: &Fields, two: &Fields) -> Result<PrinterStatus, String> {
    let mode = two.text(5);
    let print_mode = match mode {
        "0" => PrintMode::Rewind,
        "1" => PrintMode::PeelOff,
        "2" => PrintMode::TearOff,
        "3" => PrintMode::Cutter,
        "4" => PrintMode::Applicator,
        "5" => PrintMode::DelayedCut,
        _ => match (mode.chars().next(), mode.len()) {
            (Some(letter), 1) => PrintMode::Other(letter),
            _ => return Err(format!("~HS: print mode is {mode:?}, not one character")),
        },
    };
    Ok(PrinterStatus {
        paper_out: one.flag(1, "paper out")?,
        paused: one.flag(2, "pause")?,
        label_length: one.number(3, "label length")?,
        formats_in_buffer: one.number(4, "formats in buffer")?,
        buffer_full: one.flag(5, "buffer full")?,
        diagnostic_mode: one.flag(6, "diagnostic mode")?,
        partial_format: one.flag(7, "partial format")?,
        ram_corrupt: one.flag(9, "RAM corrupt")?,
        under_temperature: one.flag(10, "under temperature")?,
        over_temperature: one.flag(11, "over temperature")?,
        head_open: two.flag(2, "head up")?,
        ribbon_out: two.flag(3, "ribbon out")?,
        thermal_transfer: two.flag(4, "thermal transfer")?,
        print_mode,
        label_waiting: two.flag(7, "label waiting")?,
        labels_remaining: two.number(8, "labels remaining")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const READY: &[u8] =
        b"\x02030,0,0,1245,000,0,0,0,000,0,0,0\x03\r\n\x02000,0,0,0,0,2,4,0,00000000,1,000\x03\r\n\x021234,0\x03\r\n";

    fn parse(bytes: &[u8]) -> Reply<PrinterStatus> {
        HostStatus.parse(bytes)
    }

    #[test]
    fn a_ready_printer() {
        let ready = parse(READY).done().expect("a whole answer");
        assert!(ready.idle() && !ready.paper_out && !ready.head_open && !ready.paused);
        assert_eq!((ready.label_length, ready.print_mode), (1245, PrintMode::TearOff));
    }

    #[test]
    fn every_flag_has_its_own_place() {
        type Get = fn(&PrinterStatus) -> bool;
        let places: [(usize, usize, Get); 13] = [
            (0, 1, |s| s.paper_out),
            (0, 2, |s| s.paused),
            (0, 5, |s| s.buffer_full),
            (0, 6, |s| s.diagnostic_mode),
            (0, 7, |s| s.partial_format),
            (0, 9, |s| s.ram_corrupt),
            (0, 10, |s| s.under_temperature),
            (0, 11, |s| s.over_temperature),
            (1, 2, |s| s.head_open),
            (1, 3, |s| s.ribbon_out),
            (1, 4, |s| s.thermal_transfer),
            (1, 7, |s| s.label_waiting),
            (0, 4, |s| s.formats_in_buffer == 1),
        ];
        for (n, (line, field, _)) in places.iter().enumerate() {
            let mut lines = [
                vec!["030", "0", "0", "1245", "000", "0", "0", "0", "000", "0", "0", "0"],
                vec!["000", "0", "0", "0", "0", "2", "4", "0", "00000000", "1", "000"],
            ];
            lines[*line][*field] = "1";
            let text =
                format!("\x02{}\x03\r\n\x02{}\x03\r\n\x021234,0\x03\r\n", lines[0].join(","), lines[1].join(","));
            let status = parse(text.as_bytes()).done().expect("a whole answer");
            for (m, (.., get)) in places.iter().enumerate() {
                assert_eq!(get(&status), n == m, "line {line} field {field} read as {m}");
            }
        }
    }

    #[test]
    fn older_doubled_and_foreign_answers_are_stepped_over() {
        let tail = &READY[40..];
        let info = b"\x02ZD420-203dpi ZPL,V84.20.18Z,8,8176KB\x03\r\n";
        let noise = b"\x02\x02\xff\x00,,\r\n";
        let first = &READY[..36];
        let whole: Vec<u8> = [tail, info, noise, first, READY, READY].concat();
        let Reply::Done { value, used } = parse(&whole) else {
            panic!("no answer found");
        };
        assert_eq!(Some(value), parse(READY).done());
        assert_eq!(parse(&whole[used..]).done(), parse(READY).done(), "the second of two");
    }

    #[test]
    fn a_framed_lie_is_named() {
        let text = String::from_utf8_lossy(READY).replace(",1245,", ",12x5,");
        let Reply::Bad { reason, used } = parse(text.as_bytes()) else {
            panic!("believed");
        };
        assert_eq!(reason, "~HS: label length is \"12x5\", not a number");
        assert_eq!(used, text.len() - 2, "up to the last ETX");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn framed_nonsense_never_panics(text in "[\x02\x03,0-9a-z\r\n]{0,200}") {
            let _ = parse(text.as_bytes());
        }

        #[test]
        fn where_it_is_cut_changes_nothing(cut in 0..READY.len(), garbage in "[a-z\r\n,\x03]{0,20}") {
            let mut buffer = [garbage.as_bytes(), &READY[..cut]].concat();
            let early = parse(&buffer);
            buffer.extend_from_slice(&READY[cut..]);
            let late = parse(&buffer).done();
            prop_assert_eq!(&late, &parse(READY).done());
            match early {
                Reply::Incomplete => {}
                Reply::Done { value, .. } => prop_assert_eq!(Some(value), late),
                Reply::Bad { reason, .. } => prop_assert!(false, "{}", reason),
            }
        }
    }
}
