//! `backdock sim printer|scanner`: the other side of the wire, for trying things without hardware.

use super::run::stop_flag;
use super::{End, Stop, Verdict, answer};
use crate::scan::raw::Played;
use crate::sim::fault::Fault;
use crate::sim::{engine, printer, scanner};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// A virtual Zebra that keeps every label that "came out".
    Printer {
        /// Where it listens; real ones use port 9100.
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9100")]
        listen: SocketAddr,
        /// Labels go here as ZPL and PNG.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// What goes wrong at which label, e.g. paper-out@3 or power-off@5:2; may be given more than once.
        #[arg(long, value_name = "NAME@N[:SECONDS]")]
        fault: Vec<Fault>,
        /// Milliseconds that one label takes.
        #[arg(long, default_value_t = 250, value_name = "MS")]
        label_ms: u64,
        /// Its own serial number.
        #[arg(long, default_value = "D2J250000001")]
        serial: String,
        /// Lifetime label count to begin with.
        #[arg(long, default_value_t = 1000)]
        odometer: u64,
    },
    /// A virtual scanner: plays a tape into a pseudo-terminal.
    Scanner {
        /// The tape: `DELAY_MS ESCAPED_BYTES` lines.
        tape: PathBuf,
        /// A symbolic link to the pseudo-terminal, for the configuration's `port`.
        #[arg(long, value_name = "PATH")]
        link: Option<PathBuf>,
        /// 2 plays twice as fast; 0 without pauses.
        #[arg(long, default_value_t = 1.0)]
        speed: f64,
        /// Milliseconds to keep the line open after the last scan: a scan not yet read when the line
        /// closes would be lost. 0 keeps it open until Ctrl-C.
        #[arg(long, default_value_t = 2000, value_name = "MS")]
        linger: u64,
    },
}

pub fn main(args: Args) -> Verdict {
    match args.what {
        What::Printer { listen, out, fault, label_ms, serial, odometer } => {
            let engine = engine::Options {
                serial,
                odometer,
                label_time: Duration::from_millis(label_ms),
                faults: fault,
                ..engine::Options::default()
            };
            let stop = stop_flag()?;
            let png = out.is_some();
            let handle = printer::start(printer::Options { listen, out, png, engine })
                .map_err(|e| Stop::failed(format!("{listen}: {e}")))?;
            answer(format!("virtual Zebra at tcp://{}", handle.local_addr()));
            while !stop.load(Ordering::Relaxed) {
                std::thread::park_timeout(Duration::from_millis(200));
            }
            answer(format!("{} labels came out", handle.labels().len()));
            Ok(End::Done)
        }
        What::Scanner { tape, link, speed, linger } => play(&tape, link.as_deref(), speed, linger),
    }
}

/// A tape as a scanner on a serial port would play it, whatever scanner it was recorded of.
pub fn as_serial(text: &str) -> Result<scanner::Tape, String> {
    let tape = scanner::Tape::parse(text).map_err(|e| e.to_string())?;
    let mut played = Played::default();
    let tape = tape.decoded(|form, bytes, ms| match form {
        Some(form) => played.decode(form, bytes, ms),
        None => Ok(played.finish()),
    })?;
    if played.refused > 0 {
        eprintln!("backdock: {} scans on the tape were not whole when they were recorded: left out", played.refused);
    }
    Ok(tape)
}

/// Plays a tape into a pseudo-terminal.
pub(super) fn play(tape: &Path, link: Option<&Path>, speed: f64, linger: u64) -> Verdict {
    let stop = stop_flag()?;
    let text = std::fs::read_to_string(tape).map_err(|e| Stop::usage(format!("{}: {e}", tape.display())))?;
    let tape = as_serial(&text).map_err(|e| Stop::usage(format!("{}: {e}", tape.display())))?;
    let player = scanner::Player::open(link).map_err(|e| Stop::failed(format!("no pseudo-terminal: {e}")))?;
    answer(format!("virtual scanner at {}", player.slave_path().display()));
    player.play(&tape, speed, |line| answer(scanner::escape(&line.bytes))).map_err(Stop::failed)?;
    let until = Instant::now() + Duration::from_millis(linger);
    while !stop.load(Ordering::Relaxed) && (linger == 0 || Instant::now() < until) {
        std::thread::park_timeout(Duration::from_millis(100));
    }
    Ok(End::Done)
}
