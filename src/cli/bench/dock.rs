//! A whole dock on one machine: a station with its daemon, a scanner on a pseudo-terminal, a printer
//! that takes no time, an open page. A box is open; each scan is a unit of it, and each unit a label.

use super::super::Stop;
use super::daemon::{Daemon, PATIENCE, Page};
use super::sample;
use super::samples::{Samples, at, schedule};
use super::sink::{Came, Sink};
use super::site::{Site, Station, Way};
use crate::sim::dice::Dice;
use crate::sim::scanner::Player;
use std::ops::Range;
use std::time::{Duration, Instant};

pub struct Dock {
    pub daemon: Daemon,
    pub page: Page,
    pub station: Station,
    gun: Player,
    sink: Sink,
    /// Rows of the sample whose units were not scanned yet.
    rows: Range<u64>,
}

impl Dock {
    /// A station with the first `shipments` rows of the sample, and a box open in which the first
    /// `units` of them are expected.
    pub fn open(site: &mut Site, shipments: u64, units: u64) -> Result<Dock, Stop> {
        let gun = Player::open(None).map_err(|e| Stop::failed(format!("no pseudo-terminal: {e}")))?;
        let sink = Sink::start().map_err(Stop::failed)?;
        let way = Way { scanner: gun.slave_path().to_owned(), printer: sink.address() };
        let station = site.station(shipments, &way)?;
        let rma = station.rma(0..units)?;
        let daemon = Daemon::start(&station)?;
        let page = daemon.page()?;
        page.wait_ready()?;
        gun.send(format!("{rma}\r").as_bytes()).map_err(Stop::failed)?;
        page.wait("the open box", |view| view["box"]["rma"] == rma.as_str())?;
        Ok(Dock { daemon, page, station, gun, sink, rows: 0..units })
    }

    /// Ends the daemon, in order or not, and starts it anew; the box is still open.
    pub fn restart(&mut self, kill: bool) -> Result<Duration, Stop> {
        if kill {
            self.daemon.kill()
        } else {
            self.daemon.stop()?
        }
        self.daemon = Daemon::start(&self.station)?;
        self.page = self.daemon.page()?;
        Ok(self.daemon.ready_after)
    }

    /// Serials of the next units.
    fn serials(&mut self, count: usize) -> Result<Vec<String>, Stop> {
        let rows: Vec<u64> = self.rows.by_ref().take(count).collect();
        if rows.len() < count {
            return Err(Stop::failed("the box has no more units; that is a bug of the bench"));
        }
        Ok(rows.into_iter().map(|row| sample::unit(row).0).collect())
    }

    /// Scans as many units on a schedule and meanwhile does `between` half-way between any two scans.
    /// From the moment before a scan's bytes are written to the moment when its label's last byte came.
    pub fn scan(
        &mut self,
        count: usize,
        dice: &mut Dice,
        mut between: impl FnMut(Instant) -> Result<(), Stop>,
    ) -> Result<Samples, Stop> {
        let serials = self.serials(count)?;
        let due = schedule(count, dice);
        let began = Instant::now();
        let gun = &self.gun;
        let sent = std::thread::scope(|threads| {
            let scans = threads.spawn(|| {
                serials
                    .iter()
                    .zip(&due)
                    .map(|(serial, due)| {
                        let line = format!("{serial}\r");
                        let sent = at(began + *due);
                        gun.send(line.as_bytes()).map(|()| sent)
                    })
                    .collect::<Result<Vec<Instant>, _>>()
            });
            for pair in due.windows(2) {
                between(began + (pair[0] + pair[1]) / 2)?;
            }
            scans.join().map_err(|_| Stop::failed("the scanning thread broke down"))?.map_err(Stop::failed)
        })?;
        let came = self.labels(&serials)?;
        let mut samples = Samples::default();
        for (sent, came) in sent.into_iter().zip(&came) {
            samples.push(came.at.saturating_duration_since(sent));
        }
        Ok(samples)
    }

    /// Scans as many units as fast as the line takes them; the time until the last label came.
    pub fn burst(&mut self, count: usize) -> Result<Duration, Stop> {
        let serials = self.serials(count)?;
        let lines: Vec<u8> = serials.iter().flat_map(|s| format!("{s}\r").into_bytes()).collect();
        let began = Instant::now();
        self.gun.send(&lines).map_err(Stop::failed)?;
        let came = self.labels(&serials)?;
        Ok(came.last().map_or(Duration::ZERO, |last| last.at - began))
    }

    /// One label for each serial, in their order.
    fn labels(&self, serials: &[String]) -> Result<Vec<Came>, Stop> {
        let came = self.sink.take(serials.len(), PATIENCE);
        let right = came.iter().zip(serials).take_while(|(label, serial)| label.shows(serial)).count();
        if came.len() != serials.len() || right != serials.len() {
            return Err(self.daemon.failed(&format!(
                "printed {} labels for {} scans, and the first {right} are right",
                came.len(),
                serials.len()
            )));
        }
        Ok(came)
    }

    /// Bytes of one label.
    pub fn label_size(&mut self) -> Result<usize, Stop> {
        let serials = self.serials(1)?;
        self.gun.send(format!("{}\r", serials[0]).as_bytes()).map_err(Stop::failed)?;
        Ok(self.labels(&serials)?[0].zpl.len())
    }
}
