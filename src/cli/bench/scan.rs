//! Scan to label, held against what the machine itself needs for the same: one durable commit of as
//! many bytes as a scan writes, and one send of as many bytes as a label has. Both are sampled in turns,
//! a few milliseconds apart, so that a slow moment of the disk meets both.

use super::super::Stop;
use super::dock::Dock;
use super::report::{Found, Target};
use super::samples::{Samples, at, median, ms};
use super::sink::Bare;
use super::site::Site;
use super::{Effort, SHIPMENTS};
use crate::sim::dice::Dice;
use crate::store::{self, floor, floor::Floor};

pub fn run(site: &mut Site, effort: Effort) -> Result<Found, Stop> {
    let (runs, scans) = effort.pick((5, 1000), (3, 200));
    const WARM_UP: usize = 100;
    let mut dock = Dock::open(site, SHIPMENTS, (WARM_UP + 1 + runs * scans) as u64)?;
    let mut dice = Dice(1);
    let label = dock.label_size()?;
    let reader = store::open_reader(&dock.station.dir).map_err(Stop::failed)?;
    let before = store::read::head(&reader).map_err(Stop::failed)?.seq;
    let wal_before = dock.station.wal();
    dock.scan(WARM_UP, &mut dice, |_| Ok(()))?;
    let wal = dock.station.wal().saturating_sub(wal_before) / WARM_UP as u64;
    let (counted, bytes) = floor::written(&reader, before).map_err(Stop::failed)?;
    // The station may move its log only when nobody reads; and a reader is no part of a dock.
    drop(reader);
    let payload = vec![b'.'; (bytes / counted.max(1)) as usize];

    let floor = Floor::make(&site.room("floor")?).map_err(Stop::failed)?;
    let mut bare = Bare::open(label).map_err(Stop::failed)?;
    let mut found = Found::new(
        "scan",
        format!(
            "From before a scan's bytes are written to the scanner's line to the last byte of its label, {SHIPMENTS} \
             shipments on record, a scan every 6 to 10 ms. The floor in between: a commit of {} bytes (what a scan \
             writes) and a send of {label} bytes (a label).",
            payload.len()
        ),
    );
    found.table.columns =
        vec!["run", "scan p50 ms", "p99 ms", "max ms", "floor p50 ms", "p99 ms ", "max ms ", "p50 ratio", "p99 ratio"];
    for run in 1..=runs {
        eprintln!("  run {run} of {runs}");
        let mut floors = Samples::default();
        let came = dock.scan(scans, &mut dice, |due| {
            let began = at(due);
            floor.commit(&payload).map_err(Stop::failed)?;
            floors.push(bare.send().map_err(Stop::failed)? - began);
            Ok(())
        })?;
        floor.checkpoint().map_err(Stop::failed)?;
        let ratio = |part| came.percentile(part).as_secs_f64() / floors.percentile(part).as_secs_f64().max(1e-9);
        found.table.rows.push(vec![
            run as f64,
            ms(came.p50()),
            ms(came.p99()),
            ms(came.max()),
            ms(floors.p50()),
            ms(floors.p99()),
            ms(floors.max()),
            ratio(0.50),
            ratio(0.99),
        ]);
    }
    dock.daemon.stop()?;
    let column = |n: usize| median(found.table.rows.iter().map(|row| row[n]));
    let (p50, p99, ratio50, ratio99) = (column(1), column(2), column(7), column(8));
    found.figure("scan to label, p50 (median of runs)", p50, "ms", Target::None);
    found.figure("scan to label, p99 (median of runs)", p99, "ms", Target::None);
    found.figure("p50 against the floor (median of runs)", ratio50, "x", Target::AtMost(2.0));
    found.figure("p99 against the floor (median of runs)", ratio99, "x", Target::AtMost(2.5));
    found.figure("written per scan, as rows", payload.len() as f64, "bytes", Target::None);
    found.figure("written per scan, as pages of the log", wal as f64, "bytes", Target::None);
    Ok(found)
}
