//! Printers: one thread each, one dialogue each, and never a label sent twice.
//!
//! [`dialogue`] is the whole conversation with a Zebra as a machine without wires, threads or a clock:
//! it is told what happened and says what to do next. [`worker`] gives it a link and the time. That
//! split lets the fault schedules run thousands of printer lives a second. [`link`] says what a link is;
//! there are four: [`tcp`], [`serial`], [`lp`] (the kernel's usblp) and [`usb`] (libusb). [`found`] lists
//! the printers that are plugged in.
//!
//! What is promised about a group of labels handed over in one [`Order`]:
//! - it is sent at most once; nothing here ever sends a byte of it again;
//! - it is `Printed` only when the printer's lifetime label count grew by exactly the group's size and
//!   the same printer (by its serial number) says so;
//! - if not one byte of a label was handed to the link it is given back (`NotSent`);
//! - everything else ends `InDoubt`, with what is known, and is a person's business.

pub mod dialogue;
pub mod exam;
pub mod found;
mod libusb;
pub mod link;
pub mod lp;
mod node;
pub mod serial;
pub mod tcp;
pub mod usb;
pub mod worker;

use crate::domain::job::{Expectation, JobId};
use std::sync::Arc;
use std::time::Duration;

/// Labels to be sent now, already written down as `sending`. Only given to a printer that reported
/// itself ready and has nothing outstanding.
#[derive(Clone, Debug)]
pub struct Order {
    pub jobs: Vec<OrderJob>,
}

#[derive(Clone, Debug)]
pub struct OrderJob {
    pub id: JobId,
    pub zpl: Arc<str>,
    pub expects: Expectation,
}

/// What the station is told by a printer.
#[derive(Clone, PartialEq, Debug)]
pub enum PrinterEvent {
    /// State, faults or identity changed.
    Changed(Condition),
    /// All bytes of this label were handed to the link.
    Sent(JobId),
    /// The printer's count says that these labels came out.
    Printed { jobs: Vec<JobId>, odometer: u64 },
    /// Nobody can prove what became of these.
    InDoubt { jobs: Vec<JobId>, known: String },
    /// Not one byte of these left the station.
    NotSent { jobs: Vec<JobId>, why: String },
}

/// A printer as the screen shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Condition {
    pub state: State,
    pub faults: Vec<FaultText>,
    /// Why it is lost, or what is being waited for; may be empty.
    pub reason: String,
    /// Known once it answered.
    pub unique_id: Option<String>,
    pub odometer: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Answers, has no fault, nothing outstanding.
    Ready,
    /// Labels are on their way.
    Busy,
    /// Needs a hand: paper, head, pause, wrong device.
    Attention,
    /// Not reachable.
    Lost,
    /// There, but this process may not have it: no permission, or another program holds it.
    Denied,
}

impl State {
    pub fn word(self) -> &'static str {
        match self {
            State::Ready => "ready",
            State::Busy => "busy",
            State::Attention => "attention",
            State::Lost => "lost",
            State::Denied => "denied",
        }
    }
}

/// A fault in words for the person in front of the printer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FaultText {
    pub code: String,
    pub title: String,
    pub instruction: String,
}

/// How patient the dialogue is. The defaults suit real printers; tests of faults shorten them.
#[derive(Clone, Debug)]
pub struct Pace {
    /// Between status questions while nothing is printed. A fault stands on the screen after this time and
    /// the way of one answer at the latest, which together must stay below a second.
    pub idle_poll: Duration,
    /// First question after a label was sent; doubles up to `idle_poll` while nothing changes.
    pub busy_poll: Duration,
    /// An answer that takes longer counts as silence.
    pub answer: Duration,
    /// Silence after which the connection is given up and made anew.
    pub give_up: Duration,
    /// How long a ready, empty printer may leave its count unmoved before the labels are in doubt.
    /// Longer than the longest label takes to come out (6 inches at 1 inch a second).
    pub settle: Duration,
    /// Between two tries to connect: from the first to the last, doubling.
    pub reconnect: (Duration, Duration),
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            idle_poll: Duration::from_millis(900),
            busy_poll: Duration::from_millis(4),
            answer: Duration::from_millis(2500),
            give_up: Duration::from_secs(15),
            settle: Duration::from_secs(7),
            reconnect: (Duration::from_millis(200), Duration::from_secs(2)),
        }
    }
}
