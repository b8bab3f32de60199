//! The daemon when nobody scans, and when it starts: memory, processor time, time to `READY=1` after it
//! was stopped and after it was killed with a large write-ahead log.

use super::super::Stop;
use super::dock::Dock;
use super::report::{Found, Target};
use super::samples::{median, ms};
use super::site::Site;
use super::{Effort, SHIPMENTS};
use crate::store;
use std::time::{Duration, Instant};

/// A log this large is what a kill leaves when somebody has read for long (`journal verify`): what is read
/// cannot be moved.
const LARGE: u64 = 48 << 20;

pub fn run(site: &mut Site, effort: Effort) -> Result<Found, Stop> {
    let (starts, watch) = effort.pick((7, Duration::from_secs(60)), (3, Duration::from_secs(10)));
    const CHUNK: usize = 500;
    const CHUNKS: usize = 40;
    let mut dock = Dock::open(site, SHIPMENTS, (CHUNK * CHUNKS * starts) as u64)?;
    let mut found = Found::new(
        "rest",
        format!(
            "{SHIPMENTS} shipments, one scanner, one printer, one page open. Processor time over {} s. A start counts \
             from before the process is made to READY=1.",
            watch.as_secs()
        ),
    );
    found.table.columns = vec!["start", "READY ms", "log MB", "READY after kill ms"];

    let fresh = dock.daemon.resident()?;
    dock.burst(CHUNK)?;
    dock.page.wait_ready()?;
    // Longer than the daemon waits before it moves its log: that is no rest yet.
    std::thread::sleep(Duration::from_secs(4));
    eprintln!("  watching it for {} s", watch.as_secs());
    let (began, before) = (Instant::now(), dock.daemon.worked()?);
    std::thread::sleep(watch);
    let used = (dock.daemon.worked()? - before).as_secs_f64() / began.elapsed().as_secs_f64() * 100.0;
    let resident = dock.daemon.resident()?;

    for start in 1..=starts {
        eprintln!("  start {start} of {starts}");
        let ready = dock.restart(false)?;
        dock.page.wait_ready()?;
        let reader = store::open_reader(&dock.station.dir).map_err(Stop::failed)?;
        let reading = store::floor::hold(&reader).map_err(Stop::failed)?;
        for _ in 0..CHUNKS {
            if dock.station.wal() >= LARGE {
                break;
            }
            dock.burst(CHUNK)?;
        }
        let log = dock.station.wal();
        let after_kill = dock.restart(true)?;
        drop(reading);
        dock.page.wait_ready()?;
        found.table.rows.push(vec![start as f64, ms(ready), log as f64 / f64::from(1 << 20), ms(after_kill)]);
    }
    dock.daemon.stop()?;
    let column = |n: usize| median(found.table.rows.iter().map(|row| row[n]));
    let (ready, after_kill) = (column(1), column(3));
    let mb = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    found.figure("resident memory, just started", mb(fresh), "MB", Target::Below(12.0));
    found.figure(format!("resident memory, after {CHUNK} labels"), mb(resident), "MB", Target::Below(12.0));
    found.figure("processor", used, "%", Target::Below(0.03));
    found.figure("start to READY (median)", ready, "ms", Target::Below(25.0));
    found.figure("start to READY after kill -9 (median)", after_kill, "ms", Target::Below(100.0));
    Ok(found)
}
