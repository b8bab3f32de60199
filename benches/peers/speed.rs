//! One label at a time, and as many as go.

use crate::dock::{self, Dock};
use crate::spooler::Spooler;
use crate::{Done, PATIENCE};
use backdock::cli::bench::samples::{Samples, median, ms};
use backdock::cli::bench::sink::{Bare, Came, Sink};
use backdock::cli::bench::site::Site;
use backdock::store::floor::Floor;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Between two samples: what the last one left to be done is done.
const REST: Duration = Duration::from_millis(10);
/// Labels of one run back to back, and runs.
const BURST: usize = 200;
const RUNS: usize = 3;

/// Bytes that a scan writes down, as `backdock bench scan` counts them.
const WRITTEN: usize = 5 * 1024;

/// Not measured: files are read for the first time.
const WARM_UP: usize = 10;

/// What was found. Rates in labels per second, one for each run.
pub struct Speed {
    rounds: usize,
    bytes: usize,
    lp: Samples,
    reprint: Samples,
    scan: Samples,
    floor: Samples,
    lp_waiting: Vec<f64>,
    scans_waiting: Vec<f64>,
    lp_in_turn: Vec<f64>,
    reprints_in_turn: Vec<f64>,
}

pub fn run(site: &mut Site, rounds: usize) -> Done<Speed> {
    // One each of the same kind, so that neither counts the other's labels.
    let (ours, theirs) = (Sink::start()?, Sink::start()?);
    let dock = Dock::open(site, ours.address(), WARM_UP + rounds + RUNS * BURST)?;
    let spooler = Spooler::start(site.room("cups")?, theirs.address())?;
    let (singles, rest) = dock.serials().split_at(WARM_UP + rounds);
    let file = site.room("label")?.join("label.zpl");
    let mut floor = None;
    let mut speed = Speed::new(rounds);
    for (n, serial) in singles.iter().enumerate() {
        if n % 100 == 0 {
            eprintln!("one label at a time: {n} of {}", singles.len());
        }
        let (scan, label, ()) = until_out(&ours, 1, || Ok(dock.scan(std::slice::from_ref(serial))?))?;
        speed.bytes = label.zpl.len();
        fs::write(&file, label.zpl)?;
        sleep(REST);
        let (lp, _, command) = until_out(&theirs, 1, || Ok(spooler.lp(&file)?))?;
        dock::well(command)?;
        sleep(REST);
        let (reprint, _, command) = until_out(&ours, 1, || Ok(dock.reprint(serial)?))?;
        dock::well(command)?;
        sleep(REST);
        let (floor, bare) = match &mut floor {
            Some(made) => made,
            None => floor.insert((Floor::make(&site.room("floor")?)?, Bare::open(speed.bytes)?)),
        };
        let began = Instant::now();
        floor.commit(&[b'.'; WRITTEN])?;
        let least = bare.send()? - began;
        sleep(REST);
        if n >= WARM_UP {
            speed.floor.push(least);
            speed.scan.push(scan);
            speed.lp.push(lp);
            speed.reprint.push(reprint);
        }
    }
    for (run, serials) in rest.chunks(BURST).enumerate() {
        eprintln!("back to back: run {} of {RUNS}", run + 1);
        let rate = |took: Duration| BURST as f64 / took.as_secs_f64();
        speed.scans_waiting.push(rate(until_out(&ours, BURST, || Ok(dock.scan(serials)?))?.0));
        spooler.hold()?;
        submit_all(&spooler, &file)?;
        speed.lp_waiting.push(rate(until_out(&theirs, BURST, || spooler.release())?.0));
        spooler.wait_empty(PATIENCE)?;
        speed
            .reprints_in_turn
            .push(rate(until_out(&ours, BURST, || serials.iter().try_for_each(|s| dock::well(dock.reprint(s)?)))?.0));
        speed.lp_in_turn.push(rate(until_out(&theirs, BURST, || submit_all(&spooler, &file))?.0));
        spooler.wait_empty(PATIENCE)?;
    }
    Ok(speed)
}

fn submit_all(spooler: &Spooler, file: &Path) -> Done<()> {
    (0..BURST).try_for_each(|_| spooler.submit(file))
}

/// The time from before `act` until the last byte of so many more labels had come, the last of them, and
/// what `act` gave.
fn until_out<T>(sink: &Sink, labels: usize, act: impl FnOnce() -> Done<T>) -> Done<(Duration, Came, T)> {
    let began = Instant::now();
    let given = act()?;
    let mut came = sink.take(labels, PATIENCE);
    match came.pop() {
        Some(last) if came.len() + 1 == labels => Ok((last.at.saturating_duration_since(began), last, given)),
        _ => Err(format!("{labels} labels did not come out in {PATIENCE:?}").into()),
    }
}

impl Speed {
    fn new(rounds: usize) -> Speed {
        Speed {
            rounds,
            bytes: 0,
            lp: Samples::default(),
            reprint: Samples::default(),
            scan: Samples::default(),
            floor: Samples::default(),
            lp_waiting: Vec::new(),
            scans_waiting: Vec::new(),
            lp_in_turn: Vec::new(),
            reprints_in_turn: Vec::new(),
        }
    }

    pub fn table(&self) -> String {
        let mut text = String::new();
        let _ =
            writeln!(text, "| {} labels of {} bytes, in turn | `lp` | backdock | faster |", self.rounds, self.bytes);
        let _ = writeln!(text, "|---|---:|---:|---:|");
        let times = [
            ("scan to last byte, against the command `lp`", &self.scan),
            ("a bare durable commit and a bare send, against the command `lp`", &self.floor),
            ("command `backdock reprint` to last byte, against the command `lp`", &self.reprint),
        ];
        for (what, ours) in times {
            for (part, name) in [(0.50, "p50"), (0.99, "p99")] {
                let (lp, ours) = (ms(self.lp.percentile(part)), ms(ours.percentile(part)));
                let _ = writeln!(text, "| {what}, {name} | {lp:.1} ms | {ours:.2} ms | {:.1} x |", lp / ours);
            }
        }
        let rates = [
            (format!("labels per second, {BURST} jobs or scans waiting"), &self.lp_waiting, &self.scans_waiting),
            (
                format!("labels per second, {BURST} commands one after another"),
                &self.lp_in_turn,
                &self.reprints_in_turn,
            ),
        ];
        for (what, lp, ours) in rates {
            let (lp, ours) = (median(lp.iter().copied()), median(ours.iter().copied()));
            let _ = writeln!(text, "| {what} | {lp:.0} | {ours:.0} | {:.1} x |", ours / lp);
        }
        text
    }
}
