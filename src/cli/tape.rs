//! `backdock tape`: record what a scanner really sends, play it back, take names out of it.

use super::load::Where;
use super::{End, Stop, Verdict, answer, jobs, sim, table};
use crate::scan::Scan;
use crate::sim::scanner::{Tape, escape};
use crate::station::request::{Request, TapeWish};
use std::path::PathBuf;
use std::time::Duration;

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Record the raw bytes of the running station's scanners, in `tapes` below its data directory.
    Record {
        /// Only this one.
        #[arg(long, value_name = "NAME")]
        scanner: Option<String>,
        #[arg(long, default_value_t = 60, value_name = "N")]
        minutes: u64,
        /// The tape ends before it would become larger.
        #[arg(long, default_value_t = 1024, value_name = "N")]
        kilobytes: u64,
        /// Who wants it; stands in the log.
        #[arg(long, value_name = "WHO")]
        by: String,
        #[arg(long)]
        json: bool,
    },
    /// End the tapes that run.
    Stop {
        /// Only this one's.
        #[arg(long, value_name = "NAME")]
        scanner: Option<String>,
        #[arg(long, value_name = "WHO")]
        by: String,
        #[arg(long)]
        json: bool,
    },
    /// Play a tape into a pseudo-terminal, which a station reads as a serial scanner.
    Replay {
        file: PathBuf,
        /// A symbolic link to the pseudo-terminal: the `port` of a scanner in the station's configuration.
        #[arg(long, value_name = "PATH")]
        link: Option<PathBuf>,
        /// 2 plays twice as fast; 0 without pauses.
        #[arg(long, default_value_t = 1.0, value_name = "X")]
        speed: f64,
        /// Milliseconds to keep the line open after the last bytes; 0 until Ctrl-C.
        #[arg(long, default_value_t = 2000, value_name = "MS")]
        linger: u64,
    },
    /// Blank what may name a person: in every scan that is not a number alone, letters become X and digits 9; a
    /// word with a digit in it counts as a number.
    Blank {
        file: PathBuf,
        /// Numbers of at most so many characters stay as they are.
        #[arg(long, default_value_t = 40, value_name = "N")]
        keep: usize,
    },
}

pub fn main(at: &Where, args: Args) -> Verdict {
    match args.what {
        What::Record { scanner, minutes, kilobytes, by, json } => {
            jobs::one(at, Request::Tape(TapeWish::Record { scanner, minutes, kilobytes, by }), json)
        }
        What::Stop { scanner, by, json } => jobs::one(at, Request::Tape(TapeWish::Stop { scanner, by }), json),
        What::Replay { file, link, speed, linger } => sim::play(&file, link.as_deref(), speed, linger),
        What::Blank { file, keep } => {
            let text = std::fs::read_to_string(&file).map_err(|e| Stop::usage(format!("{}: {e}", file.display())))?;
            let tape = sim::as_serial(&text).map_err(|e| Stop::usage(format!("{}: {e}", file.display())))?;
            for (key, value) in &tape.header {
                answer(format!("# {}: {}", table::plain(key), table::plain(value)));
            }
            for line in blanked(tape, keep) {
                answer(line);
            }
            Ok(End::Done)
        }
    }
}

/// Behind the end of a scan nothing comes for so long. A line end in front of less is one inside a barcode.
const PAUSE: Duration = Duration::from_millis(30);

/// Whether a scan is a number and nothing else: at most `keep` characters that numbers are made of, behind an AIM
/// identifier if it has one. Words, fields, blanks and what stands for them may be somebody's name.
fn is_number(scan: &[u8], keep: usize) -> bool {
    let scan = scan.trim_ascii_end();
    let data = scan.strip_prefix(b"]").unwrap_or(scan);
    let digits = data.iter().any(u8::is_ascii_digit);
    digits && scan.len() <= keep && data.iter().all(|b| b.is_ascii_alphanumeric() || b"-_./:#".contains(b))
}

/// The lines with everything blanked that is no number. A scan may have come in several pieces.
fn blanked(tape: Tape, keep: usize) -> Vec<String> {
    let ends = |b: &u8| matches!(b, b'\r' | b'\n' | b'\t');
    let whole: Vec<u8> = tape.lines.iter().flat_map(|line| line.bytes.iter().copied()).collect();
    let mut blank = vec![false; whole.len()];
    let (mut from, mut to) = (0, 0);
    for (n, line) in tape.lines.iter().enumerate() {
        to += line.bytes.len();
        let last = tape.lines.get(n + 1).is_none_or(|next| next.delay >= PAUSE);
        if last && line.bytes.last().is_some_and(ends) || to == whole.len() {
            if !is_number(&whole[from..to], keep) {
                // The AIM identifier says what the barcode was, not whose.
                let aim = Scan::decode(whole[from..to].to_vec()).aim.map_or(0, |_| 3);
                blank[from + aim..to].fill(true);
            }
            from = to;
        }
    }
    let mut at = 0;
    let lines = tape.lines.into_iter().map(|mut line| {
        for byte in &mut line.bytes {
            if blank[at] {
                *byte = match *byte {
                    b if b.is_ascii_digit() => b'9',
                    b if b.is_ascii_alphabetic() || !b.is_ascii() => b'X',
                    // Separators are what tells the form of a label.
                    b => b,
                };
            }
            at += 1;
        }
        format!("{} {}", line.delay.as_millis(), escape(&line.bytes))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_persons_name_is_blanked_and_the_form_stays() {
        let tape = "10 R26D1000012\\x0D\n40 [)>\\x1E01\\x1D96JOHN\n5 DOE STREET 7\\x1E\\x04\\x0D\n50 M\\xC3\\xBCller\\x0D\n40 ]C01Z9\\x0D\n60 BEGIN:VCARD\\x0AN:Doe\\x0AEND\\x0D\n70 4300ACME+DOE\\x0D\n30 ]Q1a@b.com\\x0D\n40 00:15:65:AB:CD:EF\\x0D\n90 JOHN\\x09\n5 DOE\\x0D\n60 JOHNDOE\\x0D";
        let out = blanked(Tape::parse(tape).unwrap(), 20);
        assert_eq!(
            out,
            [
                "10 R26D1000012\\x0D",
                "40 [)>\\x1E99\\x1D99XXXX",
                "5 XXX XXXXXX 9\\x1E\\x04\\x0D",
                "50 XXXXXXX\\x0D",
                "40 ]C01Z9\\x0D",
                "60 XXXXX:XXXXX\\x0AX:XXX\\x0AXXX\\x0D",
                "70 9999XXXX+XXX\\x0D",
                "30 ]Q1X@X.XXX\\x0D",
                "40 00:15:65:AB:CD:EF\\x0D",
                "90 XXXX\\x09",
                "5 XXX\\x0D",
                "60 XXXXXXX\\x0D",
            ]
        );
    }
}
