//! The virtual Zebra without its wires: bytes and time in, answers and labels out.
//!
//! Arrives: bytes per connection, and the time in milliseconds. Leaves: [`Reply`]s, and a [`Label`] for
//! each piece of paper. Promised: no clock, no thread, no lock, no file; the same calls give the same
//! labels; every buffer is bounded; no input panics.
//!
//! What is played, and where the manual is silent, what is assumed:
//! - All connections feed one receive buffer of formats, in the order of their `^XZ`; bytes of two
//!   connections are never mixed within a format. A format left open by a connection that ended waits in
//!   the buffer, and the next connection that sends goes on in the middle of it.
//! - A full buffer takes no more bytes: the shell stops reading and TCP does the rest.
//! - A format without a printable field feeds no label.
//! - The odometer counts a label when it is wholly out; a damaged piece is not counted.
//! - Media, ribbon and head errors pause the printer too, as captures of a ZT411 show (`00010001`); the
//!   attendant who mends it is taken to press PAUSE as well. A hot head goes on by itself.
//! - Pausing lets the label under the head finish. `~JA` cancels what waits, what is interrupted and
//!   formats left open. `~JR` and `do "device.reset"` take no time, and drop buffers and connections.
//! - Questions not answered during an error are not answered later either.

mod paper;
mod wire;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use super::fault::{Fault, FaultError, Trouble};
use super::lexer::Lexer;
use super::render::{self, Picture};
pub use super::settings::Dpi;
use super::settings::Settings;

/// One connection's number, chosen by the caller and not used twice.
pub type Conn = u64;

/// What kind of printer it is and how it behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Model, as `~HI` tells it.
    pub model: String,
    /// Serial number (`device.unique_id`).
    pub serial: String,
    /// Firmware, with its leading `V`.
    pub firmware: String,
    /// The print head.
    pub dpi: Dpi,
    /// Lifetime label count to begin with.
    pub odometer: u64,
    /// How long one label takes; zero: it is out at once.
    pub label_time: Duration,
    /// How long after a label is out the odometer tells of it.
    pub settle: Duration,
    /// Receive buffer in bytes of formats that wait or print.
    pub receive_buffer: usize,
    /// No answer at all while media or ribbon is out, the head is open or too hot (manual, `~HS`).
    pub silent_in_error: bool,
    /// What goes wrong, each once.
    pub faults: Vec<Fault>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            model: "ZD421-203dpi ZPL".into(),
            serial: "D2J250000001".into(),
            firmware: "V93.21.26Z".into(),
            dpi: Dpi::D203,
            odometer: 1_000,
            label_time: Duration::from_millis(250),
            settle: Duration::ZERO,
            receive_buffer: 1 << 20,
            silent_in_error: true,
            faults: Vec::new(),
        }
    }
}

/// What a call makes the printer do on its wires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Bytes to send.
    Bytes {
        /// To whom.
        conn: Conn,
        /// What.
        bytes: Vec<u8>,
    },
    /// The connection is torn down (TCP RST); the engine has forgotten it.
    Reset {
        /// Which.
        conn: Conn,
    },
}

/// What became of received bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// How many were taken; the rest must be offered again when there is [`Engine::room`].
    pub bytes: usize,
    /// What the printer does at once.
    pub replies: Vec<Reply>,
}

/// A piece of paper that came out.
#[derive(Clone, Debug)]
pub struct Label {
    /// Its number among the pieces of paper, from 1.
    pub number: u64,
    /// The bytes of its format.
    pub zpl: Arc<[u8]>,
    /// When it was out, in the caller's milliseconds.
    pub at_ms: u64,
    /// Interrupted half-way: waste, which the odometer does not count.
    pub damaged: bool,
    settings: Settings,
}

impl Label {
    /// Draws the label, with the settings earlier formats had left in the printer.
    #[must_use]
    pub fn picture(&self) -> Picture {
        render::render(&self.zpl, self.settings)
    }

    /// What on the label could not be drawn as asked, such as unknown commands.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.picture().warnings
    }
}

/// What a hand at the printer does. As text: a trouble's name, `end NAME`, or `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Makes a trouble, such as opening the head.
    Begin(Trouble),
    /// Mends it, such as loading paper.
    End(Trouble),
    /// Mends everything.
    EndAll,
}

impl FromStr for Control {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let mut words = text.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some("end"), None, _) => Ok(Self::EndAll),
            (Some("end"), Some(name), None) => name.parse().map(Self::End),
            _ => text.trim().parse().map(Self::Begin),
        }
    }
}

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begin(trouble) => trouble.fmt(f),
            Self::End(trouble) => write!(f, "end {trouble}"),
            Self::EndAll => f.write_str("end"),
        }
    }
}

/// A format that waits or prints.
#[derive(Debug)]
struct Job {
    zpl: Arc<[u8]>,
    settings: Settings,
    remaining: u64,
    pause_after: bool,
}

/// The label under the head, which belongs to the first job.
#[derive(Debug)]
struct Printing {
    ends_at: u64,
    /// A fault that strikes in its middle, and when.
    breaks: Option<(u64, Fault)>,
    extra: bool,
}

/// The printer.
#[derive(Debug)]
pub struct Engine {
    options: Options,
    now: u64,
    faults: Vec<Fault>,
    /// Troubles at work, and when each ends by itself.
    troubles: BTreeMap<Trouble, Option<u64>>,
    lexers: BTreeMap<Conn, Lexer>,
    /// The open format of a connection that is gone.
    orphan: Option<Lexer>,
    /// Connections that a `reset` fault is about to hit.
    doomed: Option<Conn>,
    queue: VecDeque<Job>,
    /// Bytes of the queue.
    used: usize,
    printing: Option<Printing>,
    settings: Settings,
    reprint: bool,
    thermal_transfer: bool,
    print_mode: u8,
    serial: String,
    odometer: u64,
    user_labels: u64,
    /// Counts not told yet: from when on, and how many.
    untold: VecDeque<(u64, u64)>,
    /// Labels asked for and dealt with, whole or swallowed.
    dealt: u64,
    /// Pieces of paper.
    pieces: u64,
    labels: Vec<Label>,
    replies: Vec<Reply>,
}

impl Engine {
    /// A printer that was just switched on, at time 0.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            now: 0,
            faults: options.faults.clone(),
            troubles: BTreeMap::new(),
            lexers: BTreeMap::new(),
            orphan: None,
            doomed: None,
            queue: VecDeque::new(),
            used: 0,
            printing: None,
            settings: Settings::new(options.dpi),
            reprint: true,
            thermal_transfer: false,
            print_mode: 2,
            serial: options.serial.clone(),
            odometer: options.odometer,
            user_labels: 0,
            untold: VecDeque::new(),
            dealt: 0,
            pieces: 0,
            labels: Vec::new(),
            replies: Vec::new(),
            options,
        }
    }

    /// Whether a new connection is accepted.
    #[must_use]
    pub fn listening(&self) -> bool {
        !self.has(Trouble::PowerOff) && !self.has(Trouble::Refuse)
    }

    /// A connection was accepted; `false` where nobody listens.
    pub fn connect(&mut self, conn: Conn) -> bool {
        if self.listening() {
            self.lexers.entry(conn).or_default();
        }
        self.connected(conn)
    }

    /// Whether the engine knows the connection: it was accepted and neither ended nor reset.
    #[must_use]
    pub fn connected(&self, conn: Conn) -> bool {
        self.lexers.contains_key(&conn)
    }

    /// A connection ended. What it left open stays in the buffer.
    pub fn disconnect(&mut self, conn: Conn) {
        if let Some(lexer) = self.lexers.remove(&conn)
            && lexer.partial()
        {
            self.orphan = Some(lexer);
        }
    }

    /// How many bytes the receive buffer takes now; zero means: do not read.
    #[must_use]
    pub fn room(&self) -> usize {
        if self.has(Trouble::NeverRead) || !self.powered() {
            return 0;
        }
        self.options.receive_buffer.saturating_sub(self.used)
    }

    /// Takes bytes of a connection, which is accepted first if it is new.
    pub fn receive(&mut self, conn: Conn, bytes: &[u8], now_ms: u64) -> Taken {
        self.advance(now_ms);
        let mut taken = 0;
        if self.connect(conn) {
            for &byte in bytes {
                if self.room() == 0 || !self.connected(conn) {
                    break;
                }
                taken += 1;
                self.byte(conn, byte);
            }
        }
        self.advance(now_ms);
        Taken { bytes: taken, replies: std::mem::take(&mut self.replies) }
    }

    /// Lets time pass.
    pub fn tick(&mut self, now_ms: u64) -> Vec<Reply> {
        self.advance(now_ms);
        std::mem::take(&mut self.replies)
    }

    /// When something happens next if no bytes come, for the next [`Engine::tick`].
    #[must_use]
    pub fn next_wake(&self) -> Option<u64> {
        let mended = self.troubles.values().flatten().copied().min();
        let printed = self.printing.as_ref().map(|p| match p.breaks {
            Some((at, _)) => at.min(p.ends_at),
            None => p.ends_at,
        });
        mended.into_iter().chain(printed).min()
    }

    /// A hand at the printer.
    pub fn control(&mut self, control: Control, now_ms: u64) -> Vec<Reply> {
        self.advance(now_ms);
        match control {
            Control::Begin(trouble) => self.begin(trouble, None),
            Control::End(trouble) => {
                self.troubles.remove(&trouble);
            }
            Control::EndAll => self.troubles.clear(),
        }
        self.start();
        self.tick(now_ms)
    }

    /// The pieces of paper, oldest first; the last ten thousand are kept.
    #[must_use]
    pub fn labels(&self) -> &[Label] {
        &self.labels
    }

    /// The true lifetime count, whatever the printer would answer now.
    #[must_use]
    pub fn odometer(&self) -> u64 {
        self.odometer
    }

    /// Sets the lifetime count, as a technician does, or a firmware that forgets it.
    pub fn set_odometer(&mut self, count: u64) {
        self.odometer = count;
        self.untold.clear();
    }

    /// Formats that wait or print.
    #[must_use]
    pub fn formats(&self) -> usize {
        self.queue.len()
    }

    /// Whether a trouble is at work.
    #[must_use]
    pub fn has(&self, trouble: Trouble) -> bool {
        self.troubles.contains_key(&trouble)
    }

    fn powered(&self) -> bool {
        !self.has(Trouble::PowerOff)
    }

    /// Media, ribbon or head: the errors that a hand must mend.
    fn broken(&self) -> bool {
        [Trouble::PaperOut, Trouble::RibbonOut, Trouble::HeadOpen].iter().any(|t| self.has(*t))
    }

    fn in_error(&self) -> bool {
        self.broken() || self.has(Trouble::OverTemperature)
    }
}

#[cfg(test)]
mod tests;
