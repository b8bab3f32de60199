//! What the page shows, as one JSON object; built from the core's memory after every batch.

use super::core::{Core, Line};
use crate::domain::event::Event;
use crate::domain::job::JobState;
use crate::domain::presence::Presence;
use crate::domain::screen::Screen;
use crate::domain::text::escaped;
use crate::printer::State;
use crate::store::{Reader, StoreError, know, read};
use chrono::{DateTime, FixedOffset, SecondsFormat};
use serde::Serialize;

/// Units of the open box that the page lists; the rest is counted.
const UNITS: u32 = 40;
/// Characters of a scanned payload that the page shows.
const SCANNED: usize = 80;

#[derive(Serialize)]
pub struct View {
    station: StationView,
    now: String,
    seq: i64,
    screen: Option<ScreenView>,
    #[serde(rename = "box")]
    open_box: Option<BoxView>,
    scanners: Vec<ScannerView>,
    printers: Vec<PrinterView>,
    in_doubt: Vec<DoubtView>,
    /// Messages that need a person: in doubt, failed, without an address.
    messages: usize,
    today: Today,
    feed: Vec<FeedLine>,
    #[serde(skip)]
    frames: u64,
}

#[derive(Serialize)]
struct StationView {
    id: String,
    code: String,
    program: String,
    version: &'static str,
}

#[derive(Serialize)]
struct ScreenView {
    #[serde(flatten)]
    screen: Screen,
    symbol: &'static str,
    tone: &'static str,
    at: String,
    scanner: String,
    scanned: String,
}

#[derive(Serialize)]
struct BoxView {
    rma: String,
    ticket: String,
    customer: String,
    channel: String,
    program: String,
    expected: u32,
    received: u32,
    badge: Option<String>,
    units: Vec<read::UnitLine>,
    pending: Option<PendingView>,
}

#[derive(Serialize)]
struct PendingView {
    serial: Option<String>,
    mac: Option<String>,
    wants: &'static str,
}

#[derive(Serialize)]
struct ScannerView {
    name: String,
    state: &'static str,
    reason: String,
    since: String,
}

#[derive(Serialize)]
struct PrinterView {
    name: String,
    state: &'static str,
    fault: Option<FaultView>,
    reason: String,
    waiting: usize,
    sent: usize,
    in_doubt: usize,
    odometer: Option<u64>,
}

#[derive(Serialize)]
struct FaultView {
    code: String,
    title: String,
    instruction: String,
}

#[derive(Serialize)]
struct DoubtView {
    job: i64,
    printer: String,
    label: String,
    rma: Option<String>,
    serial: Option<String>,
    known: String,
    next: String,
}

/// Counts of the dock's day.
#[derive(Clone, Default, Serialize)]
pub struct Today {
    #[serde(skip)]
    pub day: String,
    pub scans: i64,
    pub receipts: i64,
    pub holds: i64,
    pub labels: i64,
}

/// One line of the list of last scans.
#[derive(Clone, Serialize)]
pub struct FeedLine {
    at: String,
    kind: crate::domain::screen::Kind,
    word: String,
    text: String,
}

impl FeedLine {
    pub fn of(screen: &Screen, at: DateTime<FixedOffset>) -> FeedLine {
        FeedLine { at: time(at), kind: screen.kind, word: screen.word.clone(), text: screen.title.clone() }
    }
}

/// What is on the screen now.
pub struct Shown {
    pub screen: Screen,
    pub at: DateTime<FixedOffset>,
    pub scanner: String,
    /// The payload, every odd byte escaped.
    pub scanned: String,
}

impl Shown {
    /// What the screen showed before the daemon stopped.
    pub fn from_journal(conn: &Reader, seq: i64, screen: Screen) -> Result<Option<Shown>, StoreError> {
        Ok(read::shown_at(conn, seq)?.and_then(|(at, scanner, raw)| {
            let at = DateTime::parse_from_rfc3339(&at).ok()?;
            Some(Shown { screen, at, scanner: scanner.unwrap_or_default(), scanned: escaped(&raw.unwrap_or_default()) })
        }))
    }
}

fn time(at: DateTime<FixedOffset>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, false)
}

impl View {
    pub fn of(core: &Core, now: DateTime<FixedOffset>) -> View {
        let station = &core.config.station;
        View {
            station: StationView {
                id: station.id.clone(),
                code: station.code.clone(),
                program: core.config.programs.default.clone(),
                version: env!("CARGO_PKG_VERSION"),
            },
            now: time(now),
            seq: core.store.seq(),
            screen: core.shown.as_ref().map(|s| ScreenView {
                screen: s.screen.clone(),
                symbol: s.screen.kind.symbol(),
                tone: s.screen.kind.tone(),
                at: time(s.at),
                scanner: s.scanner.clone(),
                scanned: s.scanned.chars().take(SCANNED).collect(),
            }),
            open_box: open_box(core),
            scanners: core
                .ears
                .iter()
                .map(|e| ScannerView {
                    name: e.name.clone(),
                    state: e.presence.as_str(),
                    reason: e.reason.clone(),
                    since: time(e.since),
                })
                .collect(),
            printers: core.lines.iter().map(printer).collect(),
            in_doubt: doubts(core),
            messages: core.outbox.people(),
            today: core.today.clone(),
            feed: core.feed.iter().cloned().collect(),
            frames: core.frames,
        }
    }
}

fn printer(line: &Line) -> PrinterView {
    PrinterView {
        name: line.name.clone(),
        state: match line.condition.state {
            // Labels that are out but not proved keep a printer busy in everybody's eyes.
            State::Ready if !line.out.is_empty() => State::Busy.word(),
            state => state.word(),
        },
        fault: line.condition.faults.first().map(|f| FaultView {
            code: f.code.clone(),
            title: f.title.clone(),
            instruction: f.instruction.clone(),
        }),
        reason: line.condition.reason.clone(),
        waiting: line.queue.len(),
        sent: line.out.len(),
        in_doubt: line.in_doubt,
        odometer: line.condition.odometer,
    }
}

/// The open box. A failing read leaves it off the page; the next scan will say what is wrong.
fn open_box(core: &Core) -> Option<BoxView> {
    let number = core.session.rma.as_ref()?;
    let conn = &core.store.conn;
    let rma = know::rma(conn, number).ok()??;
    let units = read::units(conn, number, UNITS).ok()?;
    let (expected, received) = crate::rma::Knowledge::counts(&core.store, number).ok()?;
    let text = |v: Option<&serde_json::Value>| v.and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    Some(BoxView {
        ticket: text(rma.facts.get("rma").and_then(|r| r.get("ticket"))),
        customer: rma.customer.unwrap_or_default(),
        channel: text(rma.facts.get("channel")),
        program: rma.program,
        rma: rma.number,
        expected,
        received,
        badge: core.session.badge.clone(),
        units,
        pending: core.session.pending.as_ref().map(|p| PendingView {
            serial: p.serial.clone(),
            mac: p.mac.map(|m| m.to_string()),
            wants: if p.mac.is_none() { "MAC" } else { "serial" },
        }),
    })
}

fn doubts(core: &Core) -> Vec<DoubtView> {
    if core.lines.iter().all(|l| l.in_doubt == 0) {
        return Vec::new();
    }
    let jobs = read::open_jobs(&core.store.conn, &core.config.station.id).unwrap_or_default();
    jobs.into_iter()
        .filter(|j| j.state == JobState::InDoubt)
        .take(20)
        .enumerate()
        .map(|(n, j)| DoubtView {
            job: j.id,
            // The barcode speaks of the first one.
            next: match n {
                0 => "It lies at the printer: scan its square code. It does not: scan NOTTHERE.".to_owned(),
                _ => format!("It lies at the printer: scan its square code. Else: backdock settle {} not-there", j.id),
            },
            printer: j.printer,
            label: j.label,
            rma: j.rma,
            serial: j.serial,
            known: j.note,
        })
        .collect()
}

/// How far the station has come, for those who wait for it.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Frames handled since the start.
    pub frames: u64,
    pub waiting: usize,
    pub out: usize,
    pub in_doubt: usize,
    pub printers_ready: bool,
    pub scanners_present: bool,
}

impl View {
    pub fn progress(&self) -> Progress {
        Progress {
            frames: self.frames,
            waiting: self.printers.iter().map(|p| p.waiting).sum(),
            out: self.printers.iter().map(|p| p.sent).sum(),
            in_doubt: self.in_doubt.len(),
            printers_ready: self.printers.iter().all(|p| p.state == State::Ready.word()),
            scanners_present: self.scanners.iter().all(|s| s.state == Presence::Present.as_str()),
        }
    }

    /// The newest scan in one readable paragraph, for a terminal.
    pub fn account(&self) -> String {
        let Some(s) = &self.screen else { return String::new() };
        let clock = s.at.get(11..19).unwrap_or(&s.at);
        let mut text = format!("{clock}  {:<12} {}   [{}]", s.screen.word, s.screen.title, s.scanned);
        for why in s.screen.why.iter().take(3) {
            text.push_str(&format!("\n{:>24}{why}", ""));
        }
        text
    }
}

/// For the journal's `started` row.
pub fn started(clock: String) -> Event {
    Event::Started { version: env!("CARGO_PKG_VERSION").to_owned(), clock }
}
