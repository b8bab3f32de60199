//! Where a bench works: a directory of its own on a real disk, sample files, and stations made ready in
//! it by the ways that every station is made ready (import, RMAs), each with a scanner and a printer.

use super::super::{Stop, load};
use super::sample;
use crate::config::{self, Config};
use crate::program::{Programs, SHIPPED};
use crate::rma::draft::Draft;
use crate::station::{self, request::Request};
use crate::store;
use serde_json::json;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::net::{SocketAddr, TcpListener};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Removed when dropped, with everything in it.
pub struct Site {
    dir: PathBuf,
    stations: u32,
}

impl Site {
    /// In `$TMPDIR`, or in /var/tmp, which unlike /tmp is never a memory disk: there a commit would
    /// cost nothing.
    pub fn make() -> Result<Site, Stop> {
        let parent = std::env::var_os("TMPDIR").map_or_else(|| PathBuf::from("/var/tmp"), PathBuf::from);
        let dir = parent.join(format!("backdock-bench-{}", std::process::id()));
        fs::create_dir_all(&dir).map_err(|e| at(&dir, e))?;
        Ok(Site { dir, stations: 0 })
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The kind of file system this is, and whether it is memory.
    pub fn disk(&self) -> (String, bool) {
        let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
        let kind = mounts
            .lines()
            .filter_map(|line| {
                let mut words = line.split(' ').skip(1);
                let (point, kind) = (words.next()?, words.next()?);
                self.dir.starts_with(point).then_some((point.len(), kind))
            })
            .max_by_key(|(length, _)| *length)
            .map_or("unknown", |(_, kind)| kind);
        (kind.to_owned(), matches!(kind, "tmpfs" | "ramfs"))
    }

    /// A directory inside, empty.
    pub fn room(&mut self, name: &str) -> Result<PathBuf, Stop> {
        self.stations += 1;
        let dir = self.dir.join(format!("{name}-{}", self.stations));
        fs::create_dir_all(&dir).map_err(|e| at(&dir, e))?;
        Ok(dir)
    }

    /// A shipment file with these rows of the sample; made once.
    pub fn shipments(&self, rows: Range<u64>) -> Result<PathBuf, Stop> {
        let path = self.dir.join(format!("shipments-{}-{}.csv", rows.start, rows.end));
        if !path.exists() {
            let file = File::create(&path).map_err(|e| at(&path, e))?;
            let mut out = BufWriter::with_capacity(1 << 20, file);
            sample::write(rows, &mut out).and_then(|()| out.flush()).map_err(|e| at(&path, e))?;
        }
        Ok(path)
    }

    /// A data directory with the first `rows` shipments of the sample and nothing else; made once.
    /// For reading and for copies.
    pub fn loaded(&mut self, rows: u64) -> Result<Station, Stop> {
        let dir = self.dir.join(format!("loaded-{rows}"));
        let made = dir.join(store::FILE).exists();
        fs::create_dir_all(&dir).map_err(|e| at(&dir, e))?;
        let station = Station::new(dir, &Way::default())?;
        if !made {
            eprintln!("  preparing {rows} shipments");
            let file = self.shipments(0..rows)?;
            station.import(&file)?;
        }
        Ok(station)
    }

    /// A station of its own with the first `rows` shipments.
    pub fn station(&mut self, rows: u64, way: &Way) -> Result<Station, Stop> {
        let master = self.loaded(rows)?;
        let dir = self.room("station")?;
        let (from, to) = (master.dir.join(store::FILE), dir.join(store::FILE));
        fs::copy(&from, &to).map_err(|e| at(&to, e))?;
        // On its disk before anybody measures what a commit costs.
        File::open(&to).and_then(|f| f.sync_all()).map_err(|e| at(&to, e))?;
        Station::new(dir, way)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// What a station is connected to.
pub struct Way {
    pub scanner: PathBuf,
    pub printer: SocketAddr,
}

impl Default for Way {
    /// Nothing that answers; for stations that are only read or written.
    fn default() -> Way {
        Way { scanner: PathBuf::from("/nonexistent/scanner"), printer: SocketAddr::from(([127, 0, 0, 1], 9)) }
    }
}

/// A configured station whose daemon does not run.
pub struct Station {
    pub dir: PathBuf,
    pub config: Config,
    programs: Programs,
}

impl Station {
    pub fn new(dir: PathBuf, way: &Way) -> Result<Station, Stop> {
        let page = free_port().map_err(Stop::failed)?;
        let quoted = |p: &Path| toml::Value::String(p.to_string_lossy().into_owned()).to_string();
        // One label for each scan, whatever becomes of the unit: the tags of the default policy are left out.
        let policies = dir.join("programs");
        fs::create_dir_all(&policies).map_err(|e| at(&policies, e))?;
        let (name, policy) = SHIPPED[0];
        let policy: String =
            policy.lines().filter(|l| !l.starts_with("with_hold")).flat_map(|line| [line, "\n"]).collect();
        let file = policies.join(name);
        fs::write(&file, &policy).map_err(|e| at(&file, e))?;
        let text = format!(
            "[station]\nid = \"BENCH\"\ncode = \"B1\"\ntimezone = \"America/Chicago\"\ndata = {}\nsocket = {}\n\
             [web]\nlisten = \"{page}\"\n[programs]\ndir = {}\n\
             [[scanner]]\nname = \"gun\"\nkind = \"serial\"\nport = {}\nbaud = 9600\nsuffix = \"cr\"\n\
             [[printer]]\nname = \"zebra\"\nlink = \"tcp://{}\"\ndpi = 203\nstock = \"4x3\"\n",
            quoted(&dir),
            quoted(&dir.join("backdock.sock")),
            quoted(&policies),
            quoted(&way.scanner),
            way.printer,
        );
        let file = dir.join("backdock.toml");
        fs::write(&file, &text).map_err(|e| at(&file, e))?;
        let config = config::parse("backdock.toml", &text).map_err(|p| Stop::failed(load::listed(&p)))?.value;
        let programs = Programs::read([(name, policy.as_str())], &config.programs.default)
            .map_err(|p| Stop::failed(load::listed(&p)))?
            .0;
        Ok(Station { dir, config, programs })
    }

    /// Imports a shipment file, all of whose rows must be good.
    pub fn import(&self, file: &Path) -> Result<store::import::Counts, Stop> {
        let rejects = self.dir.join("rejects.csv");
        let counts = station::import_alone(self.config.clone(), self.programs.clone(), file, &rejects, |_| ())
            .map_err(Stop::failed)?;
        if counts.rejected > 0 {
            return Err(Stop::failed(format!("{} sample rows were rejected; that is a bug", counts.rejected)));
        }
        Ok(counts)
    }

    /// Issues one RMA on which the units of these sample rows are expected; returns its number.
    pub fn rma(&self, rows: Range<u64>) -> Result<String, Stop> {
        let today = chrono::Utc::now().with_timezone(&self.config.station.timezone).date_naive();
        let about = json!({"ticket": "T-4711", "diagnosed": true, "qualified": true});
        let facts = [("channel", json!("direct")), ("reported", json!(today)), ("rma", about)];
        let draft = Draft {
            customer: Some("Acme Telecom".to_owned()),
            facts: facts.into_iter().map(|(k, v)| (k.to_owned(), v)).collect(),
            serials: rows.map(|row| sample::unit(row).0).collect(),
            ..Draft::default()
        };
        let request = Request::Rmas { drafts: vec![draft], by: "bench".to_owned() };
        let mut answer = None;
        station::alone(self.config.clone(), self.programs.clone(), std::iter::once(request), |r| answer = Some(r))
            .map_err(Stop::failed)?;
        let issued = answer.as_ref().and_then(|r| r.data["issued"][0].as_str());
        issued.map(str::to_owned).ok_or_else(|| {
            Stop::failed(format!("the bench's RMA was not issued: {}", answer.map(|r| r.text).unwrap_or_default()))
        })
    }

    /// Bytes in the write-ahead log.
    pub fn wal(&self) -> u64 {
        fs::metadata(self.dir.join(format!("{}-wal", store::FILE))).map_or(0, |m| m.len())
    }
}

/// An address that was free a moment ago.
fn free_port() -> std::io::Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr()
}

pub fn at(path: &Path, e: std::io::Error) -> Stop {
    Stop::failed(format!("{}: {e}", path.display()))
}
