//! The hall: threads, channels, the clock, shutdown, systemd. It connects the wired rooms with the
//! core and knows neither a rule, nor a byte, nor a table.
//!
//! ```text
//! scanner threads --bounded queue each--\
//! printer threads ----------------------> core thread --orders--> printer threads
//! sender of messages -------------------/      \--messages--> sender
//! socket and its callers ---------------/      \--view--> web thread (tokio, one)
//! ```
//!
//! The core waits for a bell, takes what has arrived from every queue in turn, and writes it in one
//! transaction; back-pressure stops at each scanner's own queue.

mod clock;
pub mod control;
pub mod core;
mod inbox;
mod incoming;
mod lock;
pub mod request;
pub mod tapes;
pub mod view;

pub use clock::Clock;
pub use lock::{Lock, LockError};

use crate::config::Config;
use crate::device::Tap;
use crate::domain::event::Event;
use crate::domain::screen::Kind;
use crate::message::sender::{self, Sender};
use crate::printer::{Pace, PrinterEvent, worker};
use crate::program::Programs;
use crate::store::import::Counts;
use crate::store::{Store, StoreError};
use crate::{device, web};
use core::{Core, Effect, Input};
use inbox::Inbox;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Inputs in one transaction at most; more wait for the next one. What so many scans write stays in
/// SQLite's page cache until the commit, and a commit for so many costs each of them little.
const BATCH: usize = 128;
/// Frames that one scanner may be ahead of the core.
const SCANNER_QUEUE: usize = 256;
/// How long a label may be handed over before that is written down.
const SOFT: Duration = Duration::from_millis(50);
/// The page sees what is new after this long at the latest.
const SHOW: Duration = Duration::from_millis(100);
/// The core turns at least this often, to feed the watchdog and to notice a signal.
const TURN: Duration = Duration::from_secs(1);
/// Without a scan for this long the dock is idle and the write-ahead log is moved.
const IDLE: Duration = Duration::from_secs(2);
/// Write-ahead log sizes, in bytes: worth emptying when idle; to be moved in any case.
const WAL_IDLE: u64 = 1 << 20;
const WAL_MAX: u64 = 64 << 20;
/// Events after which the log is moved in passing, in the first pause as long as [`PAUSE`]: about a
/// megabyte, two milliseconds. A scan that comes just then waits no longer.
const MOVE_AFTER: i64 = 64;
const PAUSE: Duration = Duration::from_millis(2);

/// Why the station could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum StationError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("{0}")]
    Import(String),
    #[error("{what}: {source}")]
    Io { what: String, source: std::io::Error },
}

fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> StationError {
    let what = what.into();
    move |source| StationError::Io { what, source }
}

/// Sees every view.
pub type Watch = Box<dyn FnMut(&view::View) + Send>;

/// How the caller steers and watches a running station.
pub struct Hooks {
    /// Set to end the station in order.
    pub stop: Arc<AtomicBool>,
    /// Called once everything listens, with the page's address.
    pub ready: Box<dyn FnOnce(SocketAddr) + Send>,
    /// Called with the view after every change, on the core's thread.
    pub watch: Option<Watch>,
    pub pace: Pace,
}

/// Runs the station until `hooks.stop`.
pub fn run(config: Config, programs: Programs, mut hooks: Hooks) -> Result<(), StationError> {
    let data = config.station.data.clone();
    std::fs::create_dir_all(&data).map_err(io(format!("{}: the data directory cannot be made", data.display())))?;
    let _lock = Lock::take(&data)?;
    let clock = Clock::new(config.station.timezone);
    let store = Store::open(&data, &config.station.id)?;
    let judged = clock.judge(&store)?;
    let config = Arc::new(config);
    let (mut core, unsettled) = Core::new(config.clone(), programs, store, clock.now())?;
    core.note(&view::started(judged), clock.now())?;

    let (mut inbox, bell) = Inbox::new();
    let quiet = Arc::new(AtomicBool::new(false));
    let mut threads = Vec::with_capacity(config.scanners.len());
    for settings in &config.scanners {
        let name = settings.name.clone();
        let tap = Tap::default();
        core.taps.push((name.clone(), tap.clone()));
        let thread = if matches!(settings.kind, device::ScannerKind::Auto { .. }) {
            device::auto::spawn(settings.clone(), inbox.scanners(SCANNER_QUEUE, &bell), quiet.clone(), tap)
        } else {
            device::spawn(settings.clone(), inbox.scanner(SCANNER_QUEUE, &bell), quiet.clone(), tap)
        };
        threads.push(thread.map_err(io(format!("scanner {name}: no thread")))?);
    }
    let mut printers = Vec::new();
    for (i, (p, unsettled)) in config.printers.iter().zip(unsettled).enumerate() {
        let settings = worker::Settings {
            name: p.name.clone(),
            dpi: p.dpi.per_inch(),
            stock: p.stock.to_string(),
            pace: hooks.pace.clone(),
        };
        let tell = inbox.printer(i, &bell);
        let started = worker::Printer::start(settings, p.link.link(), unsettled, tell);
        printers.push(started.map_err(io(format!("printer {}: no thread", p.name)))?);
    }
    // Where nobody can be sent to, no thread waits for it.
    let mut sender = None;
    if config.mail.is_some() || !config.webhooks.is_empty() {
        let settings = sender::Settings {
            station: config.station.id.clone(),
            mail: config.mail.clone(),
            webhooks: config.webhooks.clone(),
        };
        sender = Some(Sender::start(settings, inbox.answers(&bell)).map_err(io("messages: no thread"))?);
        core.messages_can_leave();
    }
    let socket = control::Socket::listen(&config.station.socket, inbox.requests(&bell))
        .map_err(io(format!("{}: the socket for the command line", config.station.socket.display())))?;
    let incoming = incoming::watch(&data, quiet.clone(), inbox.requests(&bell))
        .map_err(io(format!("{}: the folder for carriers' labels", data.join("incoming").display())))?;
    let first = serde_json::to_string(&core.view(clock.now())).unwrap_or_default();
    let page = web::Page::start(&config, &data, first, move || clock.now().to_rfc3339())
        .map_err(io(format!("{}: the page", config.web.listen)))?;
    tracing::info!(station = config.station.id, page = %page.address(), seq = core.store.seq(), "ready");
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    (hooks.ready)(page.address());
    // The page's counts of the day are worth no wait: on a busy day they take longer than all else.
    log_failure(core.count_today(clock.now()));
    page.publish(serde_json::to_string(&core.view(clock.now())).unwrap_or_default());

    // The watchdog is fed from this loop only: it says that the core turns, not that a thread is alive.
    let feed = sd_notify::watchdog_enabled().map(|d| d / 3);
    let mut fed = Instant::now();
    let mut last_input = Instant::now();
    let mut shown = Instant::now();
    let mut erased = None;
    let mut moved = core.store.seq();
    let mut wal_max = WAL_MAX;
    loop {
        let stopping = hooks.stop.load(Ordering::Relaxed);
        if stopping {
            quiet.store(true, Ordering::Relaxed);
        }
        // Asked before the queues are emptied: a scanner that has ended by now has said all it will say.
        let scanners_ended = stopping && threads.iter().all(|t| t.is_finished());
        let wait = match () {
            () if core.importing() || scanners_ended => Duration::ZERO,
            () if core.day_under_way() => Duration::ZERO,
            () if stopping => SOFT,
            () if core.store.seq() - moved >= MOVE_AFTER => PAUSE,
            () if core.has_soft_news() => SOFT,
            () => TURN,
        };
        let mut inputs = inbox.wait(BATCH, wait);
        if feed.is_some_and(|every| fed.elapsed() >= every) {
            fed = Instant::now();
            let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
        }
        let now = clock.now();
        if inputs.is_empty() {
            if scanners_ended {
                break;
            }
            if core.soft_news_is_due(now)
                || core.has_unwritten()
                || core.message_is_due(now)
                || core.reroute_is_due(now)
            {
                inputs.push(Input::Tick);
            } else if core.importing() {
                // Slices of a file and moving what they wrote take turns, so that a scan waits for one only.
                if moved == core.store.seq() {
                    core.import_step(now);
                } else {
                    moved = core.store.seq();
                    log_failure(core.store.checkpoint_in_passing());
                }
                continue;
            } else if core.store.seq() - moved >= MOVE_AFTER {
                moved = core.store.seq();
                log_failure(core.store.checkpoint_in_passing());
                continue;
            } else if core.day_is_due(now) {
                if let Err(e) = core.day_step(now) {
                    tracing::error!(error = %e, "the calendar");
                }
                continue;
            } else {
                let wal = core.store.wal_bytes();
                if last_input.elapsed() >= IDLE && wal >= WAL_IDLE {
                    log_failure(core.store.checkpoint());
                }
                if erased != Some(now.date_naive()) && last_input.elapsed() >= IDLE {
                    erased = Some(now.date_naive());
                    log_failure(core.erase_old_scans(now));
                    match tapes::erase_old(&data, config.station.raw_days) {
                        Ok(0) => {}
                        Ok(erased) => tracing::info!(erased, "old tapes"),
                        Err(e) => tracing::warn!(error = %e, "old tapes"),
                    }
                }
                continue;
            }
        } else {
            last_input = Instant::now();
        }
        // Labels handed over change nothing that a page shows: they were out before.
        let shows = inputs.iter().any(|i| !matches!(i, Input::Printer(_, PrinterEvent::Sent(_))));
        for effect in core.take(inputs, now) {
            match effect {
                Effect::Send(i, order) => printers[i].send(order),
                Effect::Dispatch(message) => {
                    if let Some(sender) = &sender {
                        sender.send(*message);
                    }
                }
            }
        }
        for (scanner, kind) in core.answered.drain(..) {
            if let Some(beep) = config.scanners.iter().find(|s| s.name == scanner).and_then(|s| s.beep.as_ref()) {
                beep.ask(beeps(kind));
            }
        }
        if shows && (inbox.is_empty() || shown.elapsed() >= SHOW) {
            shown = Instant::now();
            let view = core.view(now);
            page.publish(serde_json::to_string(&view).unwrap_or_default());
            if let Some(watch) = &mut hooks.watch {
                watch(&view);
            }
        }
        if core.store.wal_bytes() >= wal_max {
            log_failure(core.store.checkpoint());
            // Where a reader holds it, not again after every scan.
            wal_max = WAL_MAX.max(core.store.wal_bytes() + WAL_MAX / 4);
        }
    }
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    drop(socket);
    // All at once: one that is off may take two seconds to hear it.
    printers.iter().for_each(worker::Printer::ask_to_stop);
    printers.iter_mut().for_each(worker::Printer::stop);
    core.close();
    let given_back = sender.as_mut().and_then(Sender::stop);
    // What the printers said last, and what waits for a transaction.
    let mut news = inbox.drain(usize::MAX);
    news.extend(given_back.map(Input::Message));
    news.push(Input::Tick);
    core.take(news, clock.now());
    core.note(&Event::Stopped {}, clock.now())?;
    log_failure(core.store.checkpoint());
    page.stop();
    // Whoever still waits for an answer gets none.
    drop(inbox);
    let _ = incoming.join();
    tracing::info!("stopped in order");
    Ok(())
}

/// One beep: go on. Two: look at the screen.
fn beeps(kind: Kind) -> u8 {
    match kind {
        Kind::Accept | Kind::Ask | Kind::Info => 1,
        Kind::Hold | Kind::Reject | Kind::Error => 2,
    }
}

fn log_failure(done: Result<(), StoreError>) {
    if let Err(e) = done {
        tracing::error!(error = %e, "housekeeping of the database");
    }
}

/// Does one request without a daemon: takes the station lock, writes, lets go. Labels that are owed
/// wait as `queued` for the next start.
pub fn alone(
    config: Config,
    programs: Programs,
    requests: impl Iterator<Item = request::Request>,
    mut answer: impl FnMut(request::Response),
) -> Result<(), StationError> {
    let data = config.station.data.clone();
    std::fs::create_dir_all(&data).map_err(io(format!("{}: the data directory cannot be made", data.display())))?;
    let _lock = Lock::take(&data)?;
    let clock = Clock::new(config.station.timezone);
    let store = Store::open(&data, &config.station.id)?;
    let (mut core, _) = Core::new(Arc::new(config), programs, store, clock.now())?;
    for request in requests {
        let (tell, told) = std::sync::mpsc::channel();
        core.take(vec![Input::Request(Box::new(request), Box::new(move |r| drop(tell.send(r))))], clock.now());
        answer(told.recv().unwrap_or_else(|_| request::Response::refused("the station gave no answer")));
    }
    Ok(core.store.checkpoint()?)
}

/// Imports a shipment file without a daemon, under the station lock.
pub fn import_alone(
    config: Config,
    programs: Programs,
    file: &Path,
    rejects: &Path,
    progress: impl FnMut(u64),
) -> Result<Counts, StationError> {
    let data = config.station.data.clone();
    std::fs::create_dir_all(&data).map_err(io(format!("{}: the data directory cannot be made", data.display())))?;
    let _lock = Lock::take(&data)?;
    let clock = Clock::new(config.station.timezone);
    let store = Store::open(&data, &config.station.id)?;
    let (mut core, _) = Core::new(Arc::new(config), programs, store, clock.now())?;
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let counts = core.import_alone(file, &name, rejects, clock.now(), progress).map_err(StationError::Import)?;
    core.store.checkpoint()?;
    Ok(counts)
}
