//! The station of the schedules: real programs, a real database with some labels already queued, made
//! once per test and copied for every schedule into memory.

use backdock::config::{self, Config};
use backdock::device::DeviceEvent;
use backdock::program::Programs;
use backdock::rma::draft;
use backdock::scan::Frame;
use backdock::station::core::{Core, Input, Unsettled};
use backdock::station::request::Request;
use backdock::store::{self, Store};
use chrono::{DateTime, FixedOffset};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tempfile::TempDir;

pub const STATION: &str = "T1";
const CONFIG: &str = "[station]\nid = \"T1\"\ncode = \"T1\"\ntimezone = \"UTC\"\n\
     [[scanner]]\nname = \"gun\"\nkind = \"serial\"\nport = \"/dev/null\"\n\
     [[printer]]\nname = \"zebra\"\nlink = \"tcp://192.0.2.7:9100\"\ndpi = 203\nstock = \"4x3\"\n";
/// Labels queued at the start of a schedule at most.
pub const QUEUED_MAX: usize = 6;
/// Units announced: those, and what is scanned later.
const UNITS: usize = QUEUED_MAX + 6;

pub struct Bench {
    config: Arc<Config>,
    programs: Programs,
    /// The database's file with so many labels queued.
    files: Vec<Vec<u8>>,
    pub dir: TempDir,
}

/// A directory whose files cost no disk: thousands of commits are made durable there.
pub fn memory() -> TempDir {
    let shm = Path::new("/dev/shm");
    if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() }.expect("a directory")
}

pub fn unit(n: usize) -> String {
    format!("KDX{n:07}")
}

pub fn scan(payload: &str) -> Input {
    let frame = Frame::Payload(payload.as_bytes().to_vec());
    Input::Device(DeviceEvent::Frame { scanner: "gun".into(), frame, received: Instant::now() })
}

/// A copy of a unit's label is asked for.
pub fn copy(unit: &str) -> Input {
    let request =
        Request::Reprint { unit: Some(unit.to_owned()), job: None, by: "anna".to_owned(), why: String::new() };
    Input::Request(Box::new(request), Box::new(|r| assert!(r.ok, "{}", r.text)))
}

/// The dock's time so many milliseconds after the start.
pub fn time(ms: u64) -> DateTime<FixedOffset> {
    let start = DateTime::parse_from_rfc3339("2026-03-02T08:00:00+00:00").expect("a time");
    start + chrono::TimeDelta::milliseconds(ms as i64)
}

impl Bench {
    pub fn new() -> Bench {
        Bench::with(UNITS, QUEUED_MAX)
    }

    /// A station with so many units announced and files for up to so many labels queued.
    pub fn with(units: usize, queued: usize) -> Bench {
        let config = Arc::new(config::parse("t.toml", CONFIG).expect("a configuration").value);
        let programs = Programs::shipped("voip-reseller").expect("the programs").0;
        let mut bench = Bench { config, programs, files: Vec::new(), dir: memory() };
        let mut rows = vec!["number,ticket,channel,customer,issued,reported,diagnosed,qualified,serial".to_owned()];
        rows.extend((1..=units).map(|n| format!("RMA4711,T-1,direct,Acme,2026-03-01,2026-03-01,yes,yes,{}", unit(n))));
        let drafts = draft::read(&rows.join("\n")).drafts;
        let (mut core, _) = bench.start(0).expect("it starts");
        let reply = Box::new(|r: backdock::station::request::Response| assert!(r.ok, "{}", r.text));
        core.take(vec![Input::Request(Box::new(Request::Rmas { drafts, by: "test".into() }), reply)], time(0));
        core.take(vec![scan("RMA4711")], time(0));
        drop(core);
        for n in 0..=queued {
            if n > 0 {
                let (mut core, _) = bench.start(0).expect("it starts");
                assert!(core.take(vec![scan(&unit(n))], time(0)).is_empty(), "the printer is not there yet");
            }
            // Closed in order: the write-ahead log is in the file.
            bench.files.push(std::fs::read(bench.dir.path().join(store::FILE)).expect("the database"));
        }
        bench
    }

    /// Puts the database with so many labels queued in its place.
    pub fn reset(&self, queued: usize) {
        for end in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(self.dir.path().join(format!("{}{end}", store::FILE)));
        }
        std::fs::write(self.dir.path().join(store::FILE), &self.files[queued]).expect("a file");
    }

    /// The daemon's start, as far as the queue is concerned.
    pub fn start(&self, ms: u64) -> Result<(Core, Unsettled), String> {
        let store = Store::open(self.dir.path(), STATION).map_err(|e| e.to_string())?;
        let started = Core::new(self.config.clone(), self.programs.clone(), store, time(ms));
        let (core, mut unsettled) = started.map_err(|e| e.to_string())?;
        Ok((core, unsettled.remove(0)))
    }

    pub fn reader(&self) -> store::Reader {
        store::open_reader(self.dir.path()).expect("the database opens")
    }
}
