//! A burst: scans back to back, as fast as the scanner's line takes them, until the last label is out.

use super::super::Stop;
use super::dock::Dock;
use super::report::{Found, Target};
use super::samples::{median, us};
use super::site::Site;
use super::{Effort, SHIPMENTS};

pub fn run(site: &mut Site, effort: Effort) -> Result<Found, Stop> {
    let (runs, scans) = effort.pick((3, 20_000), (1, 5_000));
    let mut found = Found::new(
        "burst",
        format!("{scans} scans back to back; from the first byte on the scanner's line to the last label's last byte."),
    );
    found.table.columns = vec!["run", "seconds", "labels/s", "processor us/label"];
    for run in 1..=runs {
        eprintln!("  run {run} of {runs}");
        // A box of its own each time: how long its list is counts.
        let mut dock = Dock::open(site, SHIPMENTS, scans as u64)?;
        let before = dock.daemon.worked()?;
        let took = dock.burst(scans)?.as_secs_f64();
        let worked = us(dock.daemon.worked()? - before) / scans as f64;
        dock.daemon.stop()?;
        found.table.rows.push(vec![run as f64, took, scans as f64 / took, worked]);
    }
    let column = |n: usize| median(found.table.rows.iter().map(|row| row[n]));
    let (rate, worked) = (column(2), column(3));
    found.figure("labels (median of runs)", rate, "/s", Target::AtLeast(10_000.0));
    found.figure("the daemon's processor time per label (median)", worked, "us", Target::None);
    Ok(found)
}
