//! Scanners in. One configured scanner is one thread with one lexer of its own; the only thing two
//! scanners have in common is the queue that their events leave through.
//!
//! Arrives: bytes on a serial line or a TCP connection, reports or key events on USB, or a replayed file. Leaves: a
//! [`DeviceEvent`] for every frame and for every change of presence. Promised:
//!
//! - bytes wake the thread at once; while nothing comes it sleeps nine tenths of a second at a time;
//! - a device that goes is reported, looked for again at least every [`BACKOFF_MAX`], and used again
//!   without a restart, whatever its path resolves to by then;
//! - half a scan of a line that went is never glued to the first scan of the line that came back;
//! - while the queue is full the thread waits and the kernel buffers; nothing is dropped while it runs;
//! - within a second of `stop`, or when the receiver is gone, the thread has ended.

mod access;
pub mod auto;
mod evdev;
mod hid_pos;
pub mod holder;
pub mod hotplug;
mod libusb;
pub mod list;
pub mod presence;
mod serial;
mod tape;
mod tcp;
mod uevent;
pub mod usb;
mod wedge;

pub use tape::Tap;

use crate::domain::presence::Presence;
use crate::domain::text::escaped;
use crate::scan::keys::Layout;
use crate::scan::{Frame, Framer, Suffix, models, raw};
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub use usb::Which;

/// One configured scanner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScannerSettings {
    /// The name in the configuration, on screens and in the journal.
    pub name: String,
    pub kind: ScannerKind,
    pub suffix: Suffix,
    /// For suffix `idle`: the silence that ends a scan, in milliseconds.
    pub idle_gap_ms: u64,
    /// For a scanner on a serial port that can beep when it is told to.
    pub beep: Option<Beep>,
}

/// Tells a scanner's thread to let it beep; the thread looks every [`BEEP_LOOK`].
#[derive(Clone, Default, Debug)]
pub struct Beep(Arc<AtomicU8>);

impl Beep {
    /// Asks for so many beeps. What is asked meanwhile again is asked once.
    pub fn ask(&self, beeps: u8) {
        self.0.fetch_max(beeps, Ordering::Relaxed);
    }

    fn asked(&self) -> u8 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

/// Two are equal when they are the same one.
impl PartialEq for Beep {
    fn eq(&self, other: &Beep) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Beep {}

/// The way in. A [`Which`] is looked for on USB at every opening: the scanner is the same one wherever it
/// is plugged in and whatever name the kernel gives it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ScannerKind {
    /// A serial port, USB CDC-ACM included; 8 data bits, no parity, 1 stop bit. `baud` in bits per
    /// second; 9600 is what scanners come with (USB ones take any).
    Serial { port: PathBuf, baud: u32 },
    /// The serial port of a USB device.
    UsbSerial { which: Which, baud: u32 },
    /// HID point-of-sale reports. Needs no suffix; one that is sent all the same is taken off.
    HidPos { which: Which },
    /// A keyboard wedge, grabbed for us alone.
    Wedge { which: Which, layout: Layout },
    /// Every scanner that is known by its numbers or its descriptor, except those that the configuration
    /// names; each gets a thread and a name of its own ([`auto::spawn`]).
    Auto { layout: Layout, except: Vec<Which>, ports: Vec<PathBuf> },
    /// A reader that listens; we connect.
    TcpConnect { addr: SocketAddr },
    /// A reader that connects to us. A newer connection replaces an older one.
    TcpListen { addr: SocketAddr },
    /// A file of raw bytes, fed in once. It has no pauses: with suffix `idle` it is one frame.
    Replay { path: PathBuf },
}

/// What a scanner's thread reports.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DeviceEvent {
    /// The first answer after the start, and every change. `reason` is for the operator and says what
    /// to do when it is not `present`.
    State { scanner: Arc<str>, presence: Presence, reason: String },
    /// `received` is when the bytes that completed the frame had been read.
    Frame { scanner: Arc<str>, frame: Frame, received: Instant },
}

/// First pause before a device is looked for again; it doubles up to [`BACKOFF_MAX`].
const BACKOFF_MIN: Duration = Duration::from_millis(100);

/// Longest pause before a device is looked for again. Below one second, the time a stop may take, and
/// well below two, the time in which a device that is plugged in again must be found.
pub const BACKOFF_MAX: Duration = Duration::from_millis(800);

const _: () = assert!(BACKOFF_MAX.as_millis() < 1000 && LISTEN_MAX.as_millis() < 1000, "a stop takes a second at most");

/// Longest wait for bytes before `stop` is looked at.
const LISTEN_MAX: Duration = Duration::from_millis(900);

/// How long a beep may wait.
const BEEP_LOOK: Duration = Duration::from_millis(50);

/// A line that lived shorter than this and said nothing was no success: the pauses go on growing.
const SETTLED: Duration = Duration::from_secs(2);

/// So many frames and empty reports may come from a USB scanner at once...
const BURST: f64 = 1000.0;
/// ...and so many a second for ever. Nobody scans faster; a device that does is broken or hostile.
const PER_SECOND: f64 = 50.0;
/// So long such a device is shut out before it is tried again.
const SHUT_OUT: Duration = Duration::from_secs(10);

/// How often a full queue is tried again.
const QUEUE_RETRY: Duration = Duration::from_millis(2);

/// Starts the thread of one scanner. `events` takes what it reports: it may block while there is no room
/// (the kernel buffers meanwhile), and says `false` when nobody listens any more, which ends the thread as
/// `stop` does; `tap` is where a tape of it can be put in. [`queue`] makes one that a stop can interrupt.
///
/// # Errors
/// When the system gives no thread.
pub fn spawn(
    settings: ScannerSettings,
    events: impl FnMut(DeviceEvent) -> bool + Send + 'static,
    stop: Arc<AtomicBool>,
    tap: Tap,
) -> io::Result<JoinHandle<()>> {
    let framer = Framer::new(settings.suffix, settings.idle_gap_ms);
    let out = Out { scanner: settings.name.as_str().into(), events, stop, tap, told: None };
    let beep = settings.beep;
    let builder = thread::Builder::new().name(format!("scan-{}", settings.name.replace('\0', "")));
    builder.spawn(move || {
        // The one error is "nobody listens any more", and that is how a thread is told to end.
        let _ = match settings.kind {
            ScannerKind::Serial { port, baud } => {
                attend(serial::Door { port, baud, beep, bytes: models::beep(0) }, framer, out)
            }
            ScannerKind::UsbSerial { which, baud } => attend(serial::UsbDoor { which, baud, beep }, framer, out),
            ScannerKind::HidPos { which } => {
                attend(hid_pos::Door::new(libusb::Libusb, which, settings.suffix), framer, out)
            }
            ScannerKind::Wedge { which, layout } => {
                attend(wedge::Door::new(evdev::Kernel, libusb::Libusb, which, layout), framer, out)
            }
            // One of many needs a way out for each: `auto::spawn`.
            ScannerKind::Auto { .. } => Ok(()),
            ScannerKind::TcpConnect { addr } => attend(tcp::Connect { addr }, framer, out),
            ScannerKind::TcpListen { addr } => attend(tcp::Listen::new(addr), framer, out),
            ScannerKind::Replay { path } => replay(&path, framer, out),
        };
    })
}

/// A way in that can be opened, and opened again.
trait Door {
    type Line: Line;
    /// Whether udev tells when to look again.
    const USB: bool = false;
    /// Whether a person can be behind it only at a person's speed.
    const LIMITED: bool = false;
    /// Opens the line; may take up to `at_most`. On success also a word on what was opened.
    fn open(&mut self, at_most: Duration) -> Result<(Self::Line, String), Refusal>;
}

/// An open way in.
trait Line {
    /// Whether the bytes that are heard are what came from the device; else `raw` has that.
    const BYTES: bool = true;
    /// The form in which what came stands on a tape.
    fn form(&self) -> &str {
        raw::BYTES
    }
    /// Waits for bytes, `at_most` so long, and returns as soon as there are any.
    fn hear(&mut self, buffer: &mut [u8], at_most: Duration, raw: &mut Vec<u8>) -> Heard;
}

/// What one wait on a line brought.
enum Heard {
    Bytes(usize),
    /// The device marks the ends of its scans itself.
    Frame(Frame),
    /// Part of the scan under way was lost.
    Spoilt,
    /// Something that is no part of a scan.
    Noise,
    Silence,
    /// The line went and came back in one: what is held so far will not be continued.
    Anew,
    /// The line is over. `orderly`: the other side closed it, it did not break.
    End {
        orderly: bool,
        reason: String,
    },
}

/// Why a door did not open, with the operator's next step.
struct Refusal {
    presence: Presence,
    reason: String,
}

impl Refusal {
    fn lost(reason: String) -> Refusal {
        Refusal { presence: Presence::Lost, reason }
    }
    fn denied(reason: String) -> Refusal {
        Refusal { presence: Presence::Denied, reason }
    }
}

/// The thread is to end: it was stopped, or nobody takes its events.
struct Ended;

/// A way out into a bounded queue. While it is full the thread waits, in small pieces, because the
/// receiver may have stopped taking for good when the station shuts down: what does not fit then is
/// logged and lost, so drain the queue while the threads end.
pub fn queue(
    events: SyncSender<DeviceEvent>,
    stop: Arc<AtomicBool>,
) -> impl FnMut(DeviceEvent) -> bool + Send + 'static {
    move |mut event| {
        loop {
            match events.try_send(event) {
                Ok(()) => return true,
                Err(TrySendError::Disconnected(_)) => return false,
                Err(TrySendError::Full(back)) if stop.load(Ordering::Relaxed) => {
                    tracing::warn!(event = ?back, "a scanner was stopped with a full queue: not handed over");
                    return false;
                }
                Err(TrySendError::Full(back)) => event = back,
            }
            thread::park_timeout(QUEUE_RETRY);
        }
    }
}

/// The way out of one scanner's thread.
struct Out<E> {
    scanner: Arc<str>,
    events: E,
    stop: Arc<AtomicBool>,
    tap: Tap,
    told: Option<(Presence, String)>,
}

impl<E: FnMut(DeviceEvent) -> bool> Out<E> {
    fn going(&self) -> Result<(), Ended> {
        if self.stop.load(Ordering::Relaxed) { Err(Ended) } else { Ok(()) }
    }

    /// Reports a presence, unless it is what was reported last.
    fn state(&mut self, presence: Presence, reason: String) -> Result<(), Ended> {
        if self.told.as_ref().is_some_and(|(p, r)| *p == presence && *r == reason) {
            return Ok(());
        }
        tracing::info!(scanner = %self.scanner, %presence, reason, "scanner");
        self.told = Some((presence, reason.clone()));
        self.send(DeviceEvent::State { scanner: self.scanner.clone(), presence, reason })
    }

    fn frames(&mut self, frames: &mut Vec<Frame>, received: Instant) -> Result<(), Ended> {
        let scanner = self.scanner.clone();
        frames
            .drain(..)
            .try_for_each(|frame| self.send(DeviceEvent::Frame { scanner: scanner.clone(), frame, received }))
    }

    fn send(&mut self, event: DeviceEvent) -> Result<(), Ended> {
        if (self.events)(event) { Ok(()) } else { Err(Ended) }
    }
}

/// How much a device may still send.
struct Allowance {
    left: f64,
    at: Instant,
}

impl Allowance {
    fn new(now: Instant) -> Allowance {
        Allowance { left: BURST, at: now }
    }

    /// Whether it may send `count` more at `now`.
    fn spend(&mut self, count: usize, now: Instant) -> bool {
        self.left = (self.left + (now - self.at).as_secs_f64() * PER_SECOND).min(BURST) - count as f64;
        self.at = now;
        self.left >= 0.0
    }
}

/// How a line ended.
struct Over {
    /// It said something.
    spoke: bool,
    /// It said far too much.
    wild: bool,
    reason: String,
}

/// Opens, listens, and opens again, until it is told to end.
fn attend<D: Door>(
    mut door: D,
    mut framer: Framer,
    mut out: Out<impl FnMut(DeviceEvent) -> bool>,
) -> Result<(), Ended> {
    let mut news = if D::USB { hotplug::News::open().ok() } else { None };
    let mut backoff = BACKOFF_MIN;
    loop {
        out.going()?;
        let tried = Instant::now();
        match door.open(backoff) {
            Ok((line, what)) => {
                out.state(Presence::Present, what)?;
                let over = listen::<D>(line, &mut framer, &mut out)?;
                if over.wild {
                    out.state(Presence::Denied, over.reason)?;
                    let until = Instant::now() + SHUT_OUT;
                    while Instant::now() < until {
                        out.going()?;
                        thread::sleep(BACKOFF_MIN);
                    }
                    continue;
                }
                out.state(Presence::Lost, over.reason)?;
                if over.spoke || tried.elapsed() >= SETTLED {
                    backoff = BACKOFF_MIN;
                }
            }
            Err(refusal) => out.state(refusal.presence, refusal.reason)?,
        }
        // A door that waited while opening has waited enough.
        let pause = backoff.saturating_sub(tried.elapsed());
        let told = match &mut news {
            Some(news) => news.wait(pause),
            None => {
                thread::sleep(pause);
                false
            }
        };
        // Something was plugged in, and udev is done with it: it is looked for at once.
        backoff = if told { BACKOFF_MIN } else { (backoff * 2).min(BACKOFF_MAX) };
    }
}

/// Listens until the line is over.
fn listen<D: Door>(
    mut line: D::Line,
    framer: &mut Framer,
    out: &mut Out<impl FnMut(DeviceEvent) -> bool>,
) -> Result<Over, Ended> {
    let (start, mut buffer, mut frames, mut spoke) = (Instant::now(), [0; 4096], Vec::new(), false);
    let (mut came, form) = (Vec::new(), format!("{} @{}", line.form(), escaped(out.scanner.as_bytes())));
    let mut allowance = Allowance::new(start);
    let ms = |at: Instant| u64::try_from((at - start).as_millis()).unwrap_or(u64::MAX);
    loop {
        if let Err(ended) = out.going() {
            framer.close(false, &mut |f| frames.push(f));
            out.frames(&mut frames, Instant::now())?;
            return Err(ended);
        }
        let due = framer.deadline().map(|at| Duration::from_millis(at.saturating_sub(ms(Instant::now()))));
        came.clear();
        let heard = line.hear(&mut buffer, due.unwrap_or(LISTEN_MAX).min(LISTEN_MAX), &mut came);
        let now = Instant::now();
        let (mut end, mut spent) = (None, 0);
        match heard {
            Heard::Bytes(n) if D::Line::BYTES => out.tap.take(&form, &buffer[..n], now),
            _ if !came.is_empty() => out.tap.take(&form, &came, now),
            _ => {}
        }
        match heard {
            Heard::Bytes(n) => {
                spoke = true;
                framer.push(&buffer[..n], ms(now), &mut |f| frames.push(f));
            }
            Heard::Frame(frame) => {
                spoke = true;
                frames.push(frame);
            }
            Heard::Spoilt => framer.spoil(ms(now)),
            Heard::Noise => spent = 1,
            Heard::Silence => framer.tick(ms(now), &mut |f| frames.push(f)),
            Heard::Anew => framer.close(false, &mut |f| frames.push(f)),
            Heard::End { orderly, reason } => {
                framer.close(orderly, &mut |f| frames.push(f));
                end = Some(reason);
            }
        }
        spent += frames.len();
        out.frames(&mut frames, now)?;
        if let Some(reason) = end {
            return Ok(Over { spoke, wild: false, reason });
        }
        if D::LIMITED && !allowance.spend(spent, now) {
            let reason = format!(
                "it sends more than anybody can scan ({PER_SECOND} a second): it is shut out for {} seconds; unplug it",
                SHUT_OUT.as_secs()
            );
            return Ok(Over { spoke, wild: true, reason });
        }
    }
}

/// Feeds a file in, once, and ends.
fn replay(path: &Path, mut framer: Framer, mut out: Out<impl FnMut(DeviceEvent) -> bool>) -> Result<(), Ended> {
    let name = path.display();
    let mut file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(e) => return out.state(Presence::Lost, format!("cannot replay {name}: {e}; correct `path`")),
    };
    out.state(Presence::Present, format!("replaying {name}"))?;
    let (mut buffer, mut frames) = ([0; 4096], Vec::new());
    let reason = loop {
        out.going()?;
        match file.read(&mut buffer) {
            Ok(0) => break format!("the replay of {name} is over"),
            Ok(n) => framer.push(&buffer[..n], 0, &mut |f| frames.push(f)),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => break format!("the replay of {name} broke off: {e}"),
        }
        out.frames(&mut frames, Instant::now())?;
    };
    framer.close(true, &mut |f| frames.push(f));
    out.frames(&mut frames, Instant::now())?;
    out.state(Presence::Lost, reason)
}

#[cfg(test)]
mod tests;
