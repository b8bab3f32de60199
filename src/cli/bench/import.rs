//! Imports: a shipment file into an empty table against the `sqlite3` shell doing as much, the same file
//! once more, and a file that comes in while scans go on.

use super::super::Stop;
use super::dock::Dock;
use super::report::{Found, Target};
use super::samples::{Samples, median, ms};
use super::site::{Site, Station, Way};
use super::{Effort, SHIPMENTS};
use crate::sim::dice::Dice;
use crate::station::control::Call;
use crate::station::request::Request;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The same columns, untyped; the two indexes that lookups need.
const TABLE: &str = "CREATE TABLE shipment(serial TEXT, mac TEXT, brand TEXT, model TEXT, ship_date TEXT,
    order_number TEXT, customer TEXT, channel TEXT, distributor TEXT, purchase_date TEXT, warranty_until TEXT, plan_until TEXT);";
const INDEXES: &str = "CREATE INDEX shipment_serial ON shipment(serial); CREATE INDEX shipment_mac ON shipment(mac);";

pub fn run(site: &mut Site, effort: Effort) -> Result<Found, Stop> {
    let (runs, rows) = effort.pick((3, SHIPMENTS), (1, 200_000));
    let file = site.shipments(0..rows)?;
    let mut found = Found::new(
        "import",
        format!(
            "{rows} rows into an empty table, in turns with the sqlite3 shell (.import and two indexes); again; beside scans."
        ),
    );
    found.table.columns = vec!["run", "backdock s", "sqlite3 s", "ratio", "again s"];
    let mut shell = true;
    for run in 1..=runs {
        eprintln!("  run {run} of {runs}");
        let dir = site.room("import")?;
        let station = Station::new(dir.clone(), &Way::default())?;
        let first = timed(|| station.import(&file).map(drop))?;
        let theirs = shell_import(&site.room("shell")?, &file, rows)?;
        shell &= theirs.is_some();
        let mut again = None;
        let took = timed(|| station.import(&file).map(|counts| again = Some(counts)))?;
        if again.is_none_or(|c| c.unchanged != rows) {
            return Err(Stop::failed(format!("importing a file twice changed something: {again:?}; that is a bug")));
        }
        let theirs = theirs.unwrap_or(f64::NAN);
        found.table.rows.push(vec![run as f64, first, theirs, first / theirs, took]);
        std::fs::remove_dir_all(&dir).map_err(Stop::failed)?;
    }
    let column = |n: usize| median(found.table.rows.iter().map(|row| row[n]));
    let (first, ratio, again) = (column(1), column(3), column(4));
    found.figure("first import (median of runs)", first, "s", Target::None);
    if shell {
        found.figure("against the sqlite3 shell (median of runs)", ratio, "x", Target::AtMost(1.1));
    } else {
        eprintln!("  the sqlite3 shell is not here to compare with; Debian and Ubuntu: apt-get install sqlite3");
    }
    found.figure("the same file again (median of runs)", again, "s", Target::None);
    beside_scans(site, rows, &mut found)?;
    Ok(found)
}

fn timed(work: impl FnOnce() -> Result<(), Stop>) -> Result<f64, Stop> {
    // What others left unwritten is not our cost.
    rustix::fs::sync();
    let began = Instant::now();
    work()?;
    Ok(began.elapsed().as_secs_f64())
}

/// Seconds of the shell; `None` where there is none.
fn shell_import(dir: &Path, file: &Path, rows: u64) -> Result<Option<f64>, Stop> {
    let command = || {
        let mut command = Command::new("sqlite3");
        command.arg("-batch").arg(dir.join("shell.db")).stdin(Stdio::piped()).stdout(Stdio::piped());
        command
    };
    let script = format!("{TABLE}\n.mode csv\n.import --skip 1 '{}' shipment\n{INDEXES}\n", file.display());
    rustix::fs::sync();
    let began = Instant::now();
    let child = match command().spawn() {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        child => child.map_err(Stop::failed)?,
    };
    told(child, &script)?;
    let took = began.elapsed().as_secs_f64();
    let counted = told(command().spawn().map_err(Stop::failed)?, "SELECT count(*) FROM shipment;\n")?;
    std::fs::remove_dir_all(dir).map_err(Stop::failed)?;
    if counted.trim() != rows.to_string() {
        return Err(Stop::failed(format!("the sqlite3 shell has {} of {rows} rows", counted.trim())));
    }
    Ok(Some(took))
}

fn told(mut child: std::process::Child, script: &str) -> Result<String, Stop> {
    // Dropping its end tells the shell that there is no more.
    child.stdin.take().map_or(Ok(()), |mut to| to.write_all(script.as_bytes())).map_err(Stop::failed)?;
    let done = child.wait_with_output().map_err(Stop::failed)?;
    if !done.status.success() {
        return Err(Stop::failed(format!("the sqlite3 shell failed ({})", done.status)));
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// Scans go on while as many new rows come in through the daemon.
fn beside_scans(site: &mut Site, rows: u64, found: &mut Found) -> Result<(), Stop> {
    const SCANS: usize = 100;
    eprintln!("  an import beside scans");
    let file = site.shipments(SHIPMENTS..SHIPMENTS + rows)?;
    let mut dock = Dock::open(site, SHIPMENTS, 50_000)?;
    let mut dice = Dice(3);
    dock.scan(SCANS, &mut dice, |_| Ok(()))?;
    let mut call = Call::open(&dock.station.config.station.socket)
        .map_err(Stop::failed)?
        .ok_or_else(|| Stop::failed("the daemon does not listen for the command line"))?;
    let mut ask = |request: Request| {
        let answer = call.ask(&request).map_err(Stop::failed)?;
        if answer.ok { Ok(answer.data) } else { Err(Stop::failed(answer.text)) }
    };
    let rejects = dock.station.dir.join("beside.rejects.csv");
    let began = Instant::now();
    ask(Request::Import { path: file, name: "beside.csv".to_owned(), rejects })?;
    let mut samples = Samples::default();
    let took: Duration = loop {
        samples.extend(dock.scan(SCANS, &mut dice, |_| Ok(()))?);
        let told = ask(Request::Imported {})?;
        if told["over"] == true {
            if told["counts"]["inserted"] != rows {
                return Err(Stop::failed(format!("the import beside scans took {} of {rows} rows", told["counts"])));
            }
            break began.elapsed();
        }
    };
    dock.daemon.stop()?;
    found.figure("import beside scans", took.as_secs_f64(), "s", Target::None);
    found.figure(format!("scan to label meanwhile, p50 of {}", samples.len()), ms(samples.p50()), "ms", Target::None);
    found.figure("scan to label meanwhile, p99", ms(samples.p99()), "ms", Target::Below(50.0));
    found.figure("scan to label meanwhile, longest", ms(samples.max()), "ms", Target::None);
    Ok(())
}
