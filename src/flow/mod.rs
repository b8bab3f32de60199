//! The dock's whole way on one page: [`step`] takes what the dock is in the middle of and one scan,
//! asks the past, and says what the screen shows, what is written down and which label is owed.
//! PURE: it touches nothing; the station writes and prints what it says.
//!
//! ```text
//! carrier's label (the box has arrived; its call tag opens it) ->
//! badge -> RMA (box open) -> unit by serial and/or MAC -> cross-checks -> verdict -> receipt + label
//!            DONE closes the box; CANCEL drops a half-scanned unit; UNDO takes the last unit back;
//!            REPRINT owes a marked copy of the last label; a scanned label says that it came out;
//!            OPT1..OPT9 say which reading of a barcode is meant, where two are as good
//! ```
//!
//! Every scan has a named outcome (the constants in [`outcome`]); none is dropped, none falls into a
//! default. What a company does in each situation (hold, reject ...) is its program's business.

mod boxes;
mod commands;
pub mod freight;
pub mod invoice;
mod judge;
mod labels;
pub mod life;
pub mod lists;
pub mod next;
pub mod papers;
mod parcels;
pub mod tag;
#[cfg(test)]
mod tests;
mod ties;
mod unit;

use crate::domain::event::Event;
use crate::domain::identity::{Candidate, Command, Kind as Is};
use crate::domain::job::JobId;
use crate::domain::screen::{Kind, Screen};
use crate::domain::session::Session;
use crate::identify::{Context, Step as Asking, identify};
use crate::label::UnitLabel;
use crate::program::Programs;
use crate::rma::{Knowledge, Unanswered};
use crate::scan::{Frame, Scan};
use chrono::{DateTime, FixedOffset, NaiveDate};
use serde_json::{Map, Value};

/// The stable words for what a scan led to.
pub mod outcome {
    pub const RECEIVED: &str = "received";
    pub const HELD: &str = "held";
    pub const REJECTED: &str = "rejected";
    pub const BOX_OPEN: &str = "box_open";
    pub const BOX_DONE: &str = "box_done";
    pub const BOX_ALREADY_OPEN: &str = "box_already_open";
    pub const NO_BOX: &str = "no_box";
    pub const BADGE: &str = "badge";
    pub const BADGE_WANTED: &str = "badge_wanted";
    pub const HALF_UNIT: &str = "half_unit";
    pub const UNIT_UNFINISHED: &str = "unit_unfinished";
    pub const UNKNOWN_SCAN: &str = "unknown_scan";
    pub const RMA_UNKNOWN: &str = "rma_unknown";
    pub const RMA_CLOSED: &str = "rma_closed";
    pub const RMA_EXPIRED: &str = "rma_expired";
    pub const RMA_FUTURE: &str = "rma_future";
    pub const RMA_OTHER_PROGRAM: &str = "rma_other_program";
    pub const UNIT_UNKNOWN: &str = "unit_unknown";
    pub const UNIT_NOT_ON_RMA: &str = "unit_not_on_rma";
    pub const UNIT_ALREADY_RECEIVED: &str = "unit_already_received";
    pub const SAME_UNIT: &str = "same_unit";
    pub const SERIAL_MAC_MISMATCH: &str = "serial_mac_mismatch";
    pub const BRAND_MISMATCH: &str = "brand_mismatch";
    pub const MAC_AMBIGUOUS: &str = "mac_ambiguous";
    pub const UNDONE: &str = "undone";
    pub const NOTHING_TO_UNDO: &str = "nothing_to_undo";
    pub const CANCELLED: &str = "cancelled";
    pub const REPRINT: &str = "reprint";
    pub const NOTHING_TO_REPRINT: &str = "nothing_to_reprint";
    pub const NOT_NOW: &str = "not_now";
    pub const NOT_A_UNIT: &str = "not_a_unit";
    pub const NOT_THERE: &str = "not_there";
    pub const NOTHING_IN_DOUBT: &str = "nothing_in_doubt";
    pub const PARCEL_ARRIVED: &str = "parcel_arrived";
    pub const WHICH: &str = "which";
    pub const LABEL_SEEN: &str = "label_seen";
    pub const LABEL_WANTED: &str = "label_wanted";
    pub const LABEL_VOID: &str = "label_void";
    pub const DAMAGED_SCAN: &str = "damaged_scan";
    pub const EMPTY_SCAN: &str = "empty_scan";
    pub const TOO_LONG: &str = "too_long";
}

/// What stands around a decision.
pub struct Dock<'a> {
    pub know: &'a dyn Knowledge,
    pub programs: &'a Programs,
    pub badge_required: bool,
    /// In front of every command, answer and badge barcode.
    pub prefix: &'a str,
    /// `[station] code`, which the labels made here carry.
    pub code: &'a str,
    pub now: DateTime<FixedOffset>,
    /// The calendar date at the dock.
    pub today: NaiveDate,
    /// The number of the station's last receipt.
    pub last_receipt: i64,
    /// The oldest label of which nobody knows whether it came out.
    pub doubt: Option<Doubt>,
}

/// A label in doubt.
#[derive(Clone, Debug)]
pub struct Doubt {
    pub job: JobId,
    /// What it is, and of which unit.
    pub what: String,
}

/// What one scan leads to.
#[derive(Debug)]
pub struct Step {
    pub screen: Screen,
    pub session: Session,
    /// What it was taken for, and the value where it has a name.
    pub identity: Is,
    pub value: Option<String>,
    /// What is written down beside the scan itself, in order.
    pub events: Vec<Event>,
    pub label: Option<Owed>,
}

/// A label that is owed.
#[derive(Debug)]
pub enum Owed {
    /// The label of a unit just received.
    Unit { receipt: i64, rma: String, serial: Option<String>, fields: Box<UnitLabel> },
    /// A marked copy of the label of an earlier receipt.
    Copy { receipt: i64 },
    /// A marked copy of what a job should have printed.
    Again { job: JobId },
    /// Another paper, about an RMA or about none.
    Paper { label: &'static str, rma: Option<String>, fields: Map<String, Value> },
}

fn screen(outcome: &str, kind: Kind, word: &str, title: impl Into<String>, next: impl Into<String>) -> Screen {
    Screen {
        outcome: outcome.to_owned(),
        kind,
        word: word.to_owned(),
        title: title.into(),
        why: Vec::new(),
        next: next.into(),
        rules: Vec::new(),
        job: None,
    }
}

/// A frame that is no scan: what the screen says of it.
pub fn refuse(frame: &Frame) -> Option<(u64, Screen)> {
    let again = "Scan it again. If it happens again, check the scanner's suffix setting.";
    match frame {
        Frame::Payload(bytes) if bytes.is_empty() => Some((
            0,
            screen(outcome::EMPTY_SCAN, Kind::Error, "EMPTY", "The scanner sent an end mark and no data.", again),
        )),
        Frame::Payload(_) => None,
        Frame::Unfinished(bytes) => Some((
            bytes.len() as u64,
            screen(outcome::DAMAGED_SCAN, Kind::Error, "SCAN AGAIN", "Part of a scan arrived, its end did not.", again),
        )),
        Frame::TooLong { len } => Some((
            *len as u64,
            screen(
                outcome::TOO_LONG,
                Kind::Error,
                "TOO LONG",
                format!("{len} characters without an end mark; a scan has at most {}.", crate::scan::MAX_FRAME),
                again,
            ),
        )),
    }
}

/// Decides one scan. An error means that the past could not be asked; nothing is written then.
pub fn step(dock: &Dock, session: &Session, scan: &Scan) -> Result<Step, Unanswered> {
    let asking = if session.rma.is_some() { Asking::Unit } else { Asking::Box };
    let pattern = |text: &str| dock.programs.accepts_number(text);
    let found = identify(scan, &Context { step: asking, prefix: dock.prefix, rma_pattern: &pattern });
    let (chosen, tied) = ties::choose(dock, &found, asking)?;
    let mut way = Way { dock, session: session.clone(), events: Vec::new(), label: None };
    let rejected = way.session.rejected.clone();
    let screen = way.take(&found, chosen, &tied)?;
    if way.session.rejected == rejected && screen.kind != Kind::Reject {
        way.session.rejected = None;
    }
    let named = chosen.kind != Is::Unknown;
    Ok(Step {
        screen,
        session: way.session,
        identity: chosen.kind,
        value: named.then(|| chosen.value.clone()),
        events: way.events,
        label: way.label,
    })
}

/// One scan on its way through the dock.
struct Way<'a> {
    dock: &'a Dock<'a>,
    session: Session,
    events: Vec<Event>,
    label: Option<Owed>,
}

impl Way<'_> {
    /// `tied`: what the screen asks for instead, because several readings are as good as the chosen one.
    fn take(&mut self, found: &[Candidate], chosen: &Candidate, tied: &[&Candidate]) -> Result<Screen, Unanswered> {
        if self.dock.badge_required && self.session.badge.is_none() && chosen.kind != Is::Badge {
            return Ok(screen(
                outcome::BADGE_WANTED,
                Kind::Ask,
                "BADGE",
                "Nobody is badged in.",
                "Scan your badge first, then scan again.",
            ));
        }
        // A question stays open for its answer; any other scan drops it.
        let asked = std::mem::take(&mut self.session.asked);
        if goes_on(chosen)
            && let Some(wanted) = self.label_wanted()?
        {
            return Ok(wanted);
        }
        if !tied.is_empty() {
            return self.which(tied);
        }
        match chosen.kind {
            Is::Command if !asked.is_empty() && Command::parse(&chosen.value) == Some(Command::Cancel) => {
                let title = "That barcode counts for nothing.";
                Ok(screen(outcome::CANCELLED, Kind::Info, "DROPPED", title, self.carry_on()))
            }
            Is::Command => self.command(&chosen.value),
            Is::Label => self.label_scanned(&chosen.value),
            Is::Badge => {
                self.session.badge = Some(chosen.value.clone());
                self.session.asked = asked;
                let next = if self.session.rma.is_some() { "Go on with the open box." } else { "Scan an RMA number." };
                Ok(screen(outcome::BADGE, Kind::Info, "HELLO", format!("Badge {}", chosen.value), next))
            }
            Is::Rma => self.box_by_number(&chosen.value),
            Is::Serial | Is::Mac => self.unit(found, chosen),
            Is::Tracking | Is::Sscc => self.parcel(chosen),
            Is::Answer => self.answer(&chosen.value, asked),
            Is::Unknown => {
                let title = "This barcode is none that the dock knows.";
                let mut s = screen(outcome::UNKNOWN_SCAN, Kind::Ask, "UNKNOWN", title, self.carry_on());
                // A scanner's setup barcode, text that presses keys, lost separators ...
                s.why.push(chosen.why.clone());
                Ok(s)
            }
            other => {
                let title = format!("This is a {} barcode ({}).", kind_name(other), chosen.value);
                let mut s = screen(outcome::NOT_A_UNIT, Kind::Ask, "NOT THIS ONE", title, self.carry_on());
                s.why.push(chosen.why.clone());
                Ok(s)
            }
        }
    }

    fn carry_on(&self) -> &'static str {
        match (&self.session.rma, &self.session.pending) {
            (None, _) if self.session.arrival.is_some() => "Scan the RMA number of the box; if it has none, a unit.",
            (None, _) => "Scan an RMA number.",
            (_, Some(p)) if p.mac.is_none() => "Scan the MAC of the same unit, or CANCEL.",
            (_, Some(_)) => "Scan the serial number of the same unit, or CANCEL.",
            _ => "Scan the serial number or MAC of a unit, or DONE.",
        }
    }
}

/// Whether a scan leaves the last unit behind.
fn goes_on(chosen: &Candidate) -> bool {
    let done = chosen.kind == Is::Command && Command::parse(&chosen.value) == Some(Command::Done);
    done || matches!(chosen.kind, Is::Rma | Is::Serial | Is::Mac)
}

fn kind_name(kind: Is) -> &'static str {
    match kind {
        Is::Rma => "RMA number",
        Is::Serial => "serial number",
        Is::Mac => "MAC",
        Is::Gtin => "product number",
        Is::Sscc => "pallet",
        Is::Imei => "IMEI",
        Is::Part => "part number",
        Is::Tracking => "carrier",
        Is::Url => "web address",
        other => other.as_str(),
    }
}
