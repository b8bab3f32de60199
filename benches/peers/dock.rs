//! backdock as it stands at a dock: the real daemon on a real disk, a scanner on a pseudo-terminal, a box
//! open in which every unit is expected.

use crate::Done;
use backdock::cli::bench::{daemon::Daemon, daemon::Page, sample, site::Site, site::Station, site::Way};
use backdock::domain::job::{Job, JobState};
use backdock::sim::scanner::Player;
use backdock::store::{self, read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const BACKDOCK: &str = env!("CARGO_BIN_EXE_backdock");
/// On record before the first scan.
const SHIPMENTS: u64 = 10_000;

pub struct Dock {
    station: Station,
    daemon: Daemon,
    page: Page,
    gun: Player,
    serials: Vec<String>,
}

impl Dock {
    pub fn open(site: &mut Site, printer: SocketAddr, units: usize) -> Done<Dock> {
        let gun = Player::open(None)?;
        let station = site.station(SHIPMENTS, &Way { scanner: gun.slave_path().to_owned(), printer })?;
        let rma = station.rma(0..units as u64)?;
        let daemon = Daemon::start_as(Path::new(BACKDOCK), &station)?;
        let page = daemon.page()?;
        page.wait_ready()?;
        gun.send(format!("{rma}\r").as_bytes())?;
        page.wait("the open box", |view| view["box"]["rma"] == rma.as_str())?;
        let serials = (0..units as u64).map(|row| sample::unit(row).0).collect();
        Ok(Dock { station, daemon, page, gun, serials })
    }

    pub fn serials(&self) -> &[String] {
        &self.serials
    }

    /// Scans these units, one behind the other as fast as the line takes them.
    pub fn scan(&self, serials: &[String]) -> std::io::Result<()> {
        let lines: String = serials.iter().flat_map(|serial| [serial, "\r"]).collect();
        self.gun.send(lines.as_bytes())
    }

    /// `backdock reprint`, not yet waited for: the command that prints a label again.
    pub fn reprint(&self, serial: &str) -> std::io::Result<Child> {
        let mut command = Command::new(BACKDOCK);
        command.arg("--config").arg(self.station.dir.join("backdock.toml")).args(["reprint", serial, "--by", "bench"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()
    }

    /// Waits until so many units were received.
    pub fn wait_received(&self, units: usize) -> Done<()> {
        Ok(self.page.wait("every unit received", |view| view["box"]["received"] == units)?)
    }

    /// Waits until no label waits or is on its way, and the printer is well.
    pub fn wait_settled(&self) -> Done<()> {
        Ok(self.page.wait("every label settled", |view| {
            let printer = &view["printers"][0];
            printer["state"] == "ready" && printer["waiting"] == 0 && printer["sent"] == 0
        })?)
    }

    pub fn kill(&mut self) {
        self.daemon.kill();
    }

    pub fn start_again(&mut self) -> Done<()> {
        self.daemon = Daemon::start_as(Path::new(BACKDOCK), &self.station)?;
        self.page = self.daemon.page()?;
        Ok(())
    }

    /// Every label and what backdock says of it, oldest first.
    pub fn jobs(&self) -> Done<Vec<(Job, JobState)>> {
        let reader = store::open_reader(&self.station.dir)?;
        let station = &self.station.config.station.id;
        let mut jobs = Vec::new();
        for row in read::jobs(&reader, station, u32::MAX)?.into_iter().rev() {
            jobs.push((read::job(&reader, station, row.id)?.ok_or("a job without its label")?, row.state));
        }
        Ok(jobs)
    }
}

/// Waits for a command that must have been well.
pub fn well(mut command: Child) -> Done<()> {
    let status = command.wait()?;
    if status.success() { Ok(()) } else { Err(format!("the command ended with {status}").into()) }
}
