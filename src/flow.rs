//! The dock's whole way on one page: [`step`] takes what the dock is in the middle of and one scan,
//! asks the past, and says what the screen shows, what is written down and which label is owed.
//! PURE: it touches nothing; the station writes and prints what it says.
//!
//! ```text
//! badge -> RMA (box open) -> unit by serial and/or MAC -> cross-checks -> verdict -> receipt + label
//!            DONE closes the box; CANCEL drops a half-scanned unit; UNDO takes the last unit back;
//!            REPRINT owes a marked copy of the last label
//! ```
//!
//! Every scan has a named outcome (the constants in [`outcome`]); none is dropped, none falls into a
//! default. What a company does in each situation (hold, reject ...) is its program's business.

use crate::domain::event::Event;
use crate::domain::facts::Facts;
use crate::domain::identity::{Candidate, Command, Kind as Is};
use crate::domain::mac::Mac;
use crate::domain::rma::{Receipt, Rma, RmaState};
use crate::domain::screen::{Kind, Screen};
use crate::domain::session::{Pending, Session};
use crate::domain::shipment::Shipment;
use crate::domain::verdict::{Hold, Move, Verdict};
use crate::identify::{Context, Step as Asking, identify};
use crate::label::UnitLabel;
use crate::program::{CompleteWhen, Decision, IntakeRow, Program, Programs, Situation};
use crate::rma::{Expects, Knowledge, Past, Unanswered};
use crate::scan::{Frame, Scan};
use chrono::{DateTime, FixedOffset, NaiveDate};
use serde_json::{Map, Value, json};

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
    pub now: DateTime<FixedOffset>,
    /// The calendar date at the dock.
    pub today: NaiveDate,
    /// The number of the station's last receipt.
    pub last_receipt: i64,
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
        Frame::Payload(bytes) if bytes.is_empty() => {
            Some((0, screen(outcome::EMPTY_SCAN, Kind::Error, "EMPTY", "The scanner sent an end mark and no data.", again)))
        }
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
    let chosen = choose(dock, &found, asking)?;
    let mut way = Way { dock, session: session.clone(), events: Vec::new(), label: None };
    let screen = way.take(&found, chosen)?;
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

/// The candidate to act on: the first that the store knows; else the first at all.
fn choose<'c>(dock: &Dock, found: &'c [Candidate], asking: Asking) -> Result<&'c Candidate, Unanswered> {
    for c in found {
        let known = match c.kind {
            Is::Command | Is::Answer | Is::Badge => true,
            Is::Rma => dock.know.rma(&c.value)?.is_some(),
            Is::Serial => asking == Asking::Unit && dock.know.by_serial(&c.value)?.is_some(),
            Is::Mac => match Mac::parse(&c.value) {
                Some(mac) => asking == Asking::Unit && !dock.know.by_mac(mac)?.is_empty(),
                None => false,
            },
            _ => false,
        };
        if known {
            return Ok(c);
        }
    }
    // `identify` always answers with at least one candidate.
    Ok(&found[0])
}

/// One scan on its way through the dock.
struct Way<'a> {
    dock: &'a Dock<'a>,
    session: Session,
    events: Vec<Event>,
    label: Option<Owed>,
}

impl Way<'_> {
    fn take(&mut self, found: &[Candidate], chosen: &Candidate) -> Result<Screen, Unanswered> {
        if self.dock.badge_required && self.session.badge.is_none() && chosen.kind != Is::Badge {
            return Ok(screen(outcome::BADGE_WANTED, Kind::Ask, "BADGE", "Nobody is badged in.", "Scan your badge first, then scan again."));
        }
        match chosen.kind {
            Is::Command => self.command(&chosen.value),
            Is::Badge => {
                self.session.badge = Some(chosen.value.clone());
                let next = if self.session.rma.is_some() { "Go on with the open box." } else { "Scan an RMA number." };
                Ok(screen(outcome::BADGE, Kind::Info, "HELLO", format!("Badge {}", chosen.value), next))
            }
            Is::Rma => self.open_box(&chosen.value),
            Is::Serial | Is::Mac => self.unit(found, chosen),
            Is::Answer => Ok(screen(
                outcome::NOT_NOW,
                Kind::Info,
                "NO QUESTION",
                format!("{} answers a question, and none is open.", chosen.value),
                self.carry_on(),
            )),
            Is::Unknown => Ok(screen(outcome::UNKNOWN_SCAN, Kind::Ask, "UNKNOWN", "This barcode is none that the dock knows.", self.carry_on())),
            other => Ok(screen(
                outcome::NOT_A_UNIT,
                Kind::Ask,
                "NOT THIS ONE",
                format!("This is a {} barcode ({}).", kind_name(other), chosen.value),
                self.carry_on(),
            )),
        }
    }

    fn carry_on(&self) -> &'static str {
        match (&self.session.rma, &self.session.pending) {
            (None, _) => "Scan an RMA number.",
            (_, Some(p)) if p.mac.is_none() => "Scan the MAC of the same unit, or CANCEL.",
            (_, Some(_)) => "Scan the serial number of the same unit, or CANCEL.",
            _ => "Scan the serial number or MAC of a unit, or DONE.",
        }
    }

    fn command(&mut self, word: &str) -> Result<Screen, Unanswered> {
        match Command::parse(word) {
            Some(Command::Done) => self.done(),
            Some(Command::Cancel) => Ok(self.cancel()),
            Some(Command::Undo) => self.undo(),
            Some(Command::Reprint) => self.reprint(),
            _ => Ok(screen(outcome::NOT_NOW, Kind::Info, "NOT NOW", format!("{word} has nothing to act on."), self.carry_on())),
        }
    }

    fn done(&mut self) -> Result<Screen, Unanswered> {
        let Some(rma) = self.session.rma.clone() else {
            return Ok(screen(outcome::NO_BOX, Kind::Info, "NO BOX", "No box is open.", "Scan an RMA number."));
        };
        if let Some(unfinished) = self.unfinished() {
            return Ok(unfinished);
        }
        let (expected, received) = self.dock.know.counts(&rma)?;
        let missing = self.dock.know.missing(&rma, 6)?;
        self.session.rma = None;
        let mut s = screen(outcome::BOX_DONE, Kind::Accept, "DONE", format!("RMA {rma}"), "Scan the next RMA number.");
        s.why.push(if expected == 0 { format!("{received} received") } else { format!("{received} of {expected} received") });
        if !missing.is_empty() {
            (s.kind, s.word) = (Kind::Info, "PARTIAL".to_owned());
            s.why.push(format!("still missing: {}", missing.join(", ")));
            s.next = "The RMA stays open for the rest. Scan the next RMA number.".to_owned();
        }
        Ok(s)
    }

    fn cancel(&mut self) -> Screen {
        if let Some(p) = self.session.pending.take() {
            let what = p.serial.or(p.mac.map(|m| m.to_string())).unwrap_or_default();
            return screen(outcome::CANCELLED, Kind::Info, "DROPPED", format!("{what} was not received."), self.carry_on());
        }
        match self.session.rma.take() {
            Some(rma) => {
                let title = format!("The box of {rma} is closed; what was received stays received.");
                screen(outcome::CANCELLED, Kind::Info, "BOX CLOSED", title, "Scan an RMA number.")
            }
            None => screen(outcome::NOT_NOW, Kind::Info, "NOTHING", "There is nothing to cancel.", "Scan an RMA number."),
        }
    }

    fn undo(&mut self) -> Result<Screen, Unanswered> {
        if self.session.pending.is_some() {
            return Ok(self.cancel());
        }
        let last = match &self.session.rma {
            Some(rma) => self.dock.know.newest_on(rma, self.session.since)?,
            None => None,
        };
        let Some(Past { id, serial, mac, word, .. }) = last else {
            let why = "Only units of the open box can be taken back.";
            return Ok(screen(outcome::NOTHING_TO_UNDO, Kind::Info, "NOTHING", why, self.carry_on()));
        };
        self.events.push(Event::Withdrawn { receipt: id, why: "UNDO scanned at the dock".to_owned() });
        self.session.last = None;
        let unit = serial.or(mac.map(|m| m.to_string())).unwrap_or_default();
        let mut s = screen(outcome::UNDONE, Kind::Info, "TAKEN BACK", unit, "Tear up its label. Scan the unit again, or the next one.");
        s.why.push(format!("receipt {id} ({word}) is withdrawn"));
        Ok(s)
    }

    fn reprint(&mut self) -> Result<Screen, Unanswered> {
        let last = match self.session.last {
            Some(id) => self.dock.know.receipt(id)?,
            None => None,
        };
        let Some(past) = last else {
            return Ok(screen(outcome::NOTHING_TO_REPRINT, Kind::Info, "NOTHING", "No label was made in this session.", self.carry_on()));
        };
        self.label = Some(Owed::Copy { receipt: past.id });
        let unit = past.serial.or(past.mac.map(|m| m.to_string())).unwrap_or_default();
        Ok(screen(outcome::REPRINT, Kind::Accept, "COPY", unit, "The label says COPY. Tear up the first one if you have it."))
    }

    /// A half-scanned unit stands in the way of everything but its other half.
    fn unfinished(&self) -> Option<Screen> {
        let p = self.session.pending.as_ref()?;
        let (have, wants) = match (&p.serial, p.mac) {
            (Some(s), _) => (format!("serial {s}"), "MAC"),
            (None, Some(m)) => (format!("MAC {m}"), "serial number"),
            (None, None) => (String::new(), "serial number"),
        };
        Some(screen(
            outcome::UNIT_UNFINISHED,
            Kind::Ask,
            "FINISH UNIT",
            format!("The unit with {have} still needs its {wants}."),
            format!("Scan its {wants}, or CANCEL to drop it."),
        ))
    }

    fn open_box(&mut self, number: &str) -> Result<Screen, Unanswered> {
        if let Some(unfinished) = self.unfinished() {
            return Ok(unfinished);
        }
        if self.session.rma.as_deref() == Some(number) {
            let (expected, received) = self.dock.know.counts(number)?;
            let mut s = screen(outcome::BOX_ALREADY_OPEN, Kind::Info, "BOX OPEN", format!("RMA {number}"), self.carry_on());
            s.why.push(of(received, expected));
            return Ok(s);
        }
        let Some(rma) = self.dock.know.rma(number)? else {
            return Ok(self.stopped(self.dock.programs.default(), Situation::RmaUnknown, outcome::RMA_UNKNOWN, format!("RMA {number} is not on record.")));
        };
        let Some(program) = self.dock.programs.get(&rma.program) else {
            let title = format!("RMA {number} is of the program {:?}, which this station does not serve.", rma.program);
            return Ok(self.stopped(self.dock.programs.default(), Situation::RmaOtherProgram, outcome::RMA_OTHER_PROGRAM, title));
        };
        // A box is refused here only where the program does not even hold it; a hold goes on the units.
        if let Some((situation, name, title)) = self.rma_situation(&rma, program)
            && matches!(program.intake(situation).decision, Decision::Reject | Decision::Refuse)
        {
            return Ok(self.stopped(program, situation, name, title));
        }
        self.session.rma = Some(number.to_owned());
        self.session.since = self.dock.last_receipt;
        let (expected, received) = self.dock.know.counts(number)?;
        let customer = rma.customer.clone().unwrap_or_default();
        let mut s = screen(outcome::BOX_OPEN, Kind::Accept, "BOX OPEN", format!("RMA {number}  {customer}").trim_end(), "Scan the serial number or MAC of a unit.");
        s.why.push(of(received, expected));
        if let Some((situation, _, title)) = self.rma_situation(&rma, program) {
            let row = program.intake(situation);
            if row.decision == Decision::Hold {
                (s.kind, s.word) = (Kind::Hold, "HOLD".to_owned());
                s.why.push(format!("{title} ({})", row.rule));
                s.rules.push(row.rule.to_string());
                s.next = format!("Every unit of this box is set aside. {}", row.next);
            }
        }
        Ok(s)
    }

    /// What is wrong with the RMA itself, if anything.
    fn rma_situation(&self, rma: &Rma, program: &Program) -> Option<(Situation, &'static str, String)> {
        let number = &rma.number;
        match rma.state {
            RmaState::Closed => return Some((Situation::RmaClosed, outcome::RMA_CLOSED, format!("RMA {number} is closed."))),
            RmaState::Cancelled => return Some((Situation::RmaClosed, outcome::RMA_CLOSED, format!("RMA {number} was cancelled."))),
            RmaState::Open => {}
        }
        if rma.issued > self.dock.today {
            let title = format!("RMA {number} is dated {}, today is {}.", rma.issued, self.dock.today);
            return Some((Situation::RmaFuture, outcome::RMA_FUTURE, title));
        }
        let last = program.valid_until(rma.issued)?;
        (self.dock.today > last).then(|| {
            let days = (last - rma.issued).num_days();
            let age = (self.dock.today - rma.issued).num_days();
            let title = format!("RMA {number} was issued {} and is valid for {days} days; today is day {age}.", rma.issued);
            (Situation::RmaExpired, outcome::RMA_EXPIRED, title)
        })
    }

    /// A situation that ends the scan: the screen says what the program wants done.
    fn stopped(&self, program: &Program, situation: Situation, name: &str, title: String) -> Screen {
        let row = program.intake(situation);
        let (kind, word) = match row.decision {
            Decision::Reject => (Kind::Reject, "REJECT"),
            Decision::Refuse => (Kind::Reject, "STOP"),
            Decision::Hold | Decision::Accept => (Kind::Hold, "HOLD"),
        };
        let mut s = screen(name, kind, word, title, row.next.to_string());
        s.why.push(format!("{} ({})", row.code, row.rule));
        s.rules.push(row.rule.to_string());
        s
    }

    fn unit(&mut self, found: &[Candidate], chosen: &Candidate) -> Result<Screen, Unanswered> {
        let (serial, mac) = parts(found, chosen);
        let Some(number) = self.session.rma.clone() else {
            return self.unit_without_box(serial.as_deref(), mac);
        };
        let Some(rma) = self.dock.know.rma(&number)? else {
            return Err(Unanswered(format!("the open RMA {number} has vanished from the database")));
        };
        let Some(program) = self.dock.programs.get(&rma.program) else {
            return Err(Unanswered(format!("the program {:?} of the open RMA {number} is no longer served", rma.program)));
        };
        let before = self.session.pending.take().unwrap_or_default();
        // The other half of another unit: keep the first half and say so.
        let clash = matches!((&before.serial, &serial), (Some(a), Some(b)) if a != b) || matches!((before.mac, mac), (Some(a), Some(b)) if a != b);
        if clash {
            self.session.pending = Some(before);
            let mut s = self.unfinished().unwrap_or_else(|| screen(outcome::UNIT_UNFINISHED, Kind::Ask, "FINISH UNIT", "", self.carry_on()));
            s.why.push(format!("{} belongs to another unit", chosen.value));
            return Ok(s);
        }
        let now = Pending { serial: serial.or(before.serial), mac: mac.or(before.mac) };
        let complete = match program.complete_when() {
            CompleteWhen::Either => true,
            // Some makers print the MAC as the serial: then one barcode is both.
            _ if self.is_its_own_serial(&now)? => true,
            CompleteWhen::Serial => now.serial.is_some(),
            CompleteWhen::Mac => now.mac.is_some(),
            CompleteWhen::Both => now.serial.is_some() && now.mac.is_some(),
        };
        if complete {
            return self.receive(&rma, program, now);
        }
        let (have, word, wants) = match (&now.serial, now.mac) {
            (Some(s), _) => (format!("Serial {s}"), "SCAN MAC", "MAC"),
            (None, m) => (format!("MAC {}", m.map(|m| m.to_string()).unwrap_or_default()), "SCAN SERIAL", "serial number"),
        };
        self.session.pending = Some(now);
        Ok(screen(outcome::HALF_UNIT, Kind::Ask, word, have, format!("Scan the {wants} of the same unit, or CANCEL.")))
    }

    fn is_its_own_serial(&self, unit: &Pending) -> Result<bool, Unanswered> {
        let (ship, _) = self.shipment(unit.serial.as_deref(), unit.mac)?;
        Ok(ship.is_some_and(|s| {
            let printed = Mac::parse(&s.serial);
            printed.is_some_and(|m| s.macs.contains(&m)) && (unit.serial.as_ref() == Some(&s.serial) || unit.mac == printed)
        }))
    }

    fn unit_without_box(&self, serial: Option<&str>, mac: Option<Mac>) -> Result<Screen, Unanswered> {
        let (ship, _) = self.shipment(serial, mac)?;
        let serial = ship.as_ref().map(|s| s.serial.clone()).or(serial.map(str::to_owned));
        let what = serial.clone().or(mac.map(|m| m.to_string())).unwrap_or_default();
        let mut s = screen(outcome::NO_BOX, Kind::Ask, "RMA FIRST", format!("Unit {what}"), "Scan the RMA number of the box, then the unit again.");
        if let Some(serial) = serial {
            let open = self.dock.know.rmas_expecting(&serial)?;
            if !open.is_empty() {
                s.why.push(format!("announced on RMA {}", open.join(", ")));
            }
        }
        Ok(s)
    }

    /// The shipment of a unit; the flag says that a MAC belongs to several.
    fn shipment(&self, serial: Option<&str>, mac: Option<Mac>) -> Result<(Option<Shipment>, bool), Unanswered> {
        if let Some(s) = serial
            && let Some(ship) = self.dock.know.by_serial(s)?
        {
            return Ok((Some(ship), false));
        }
        let Some(mac) = mac else { return Ok((None, false)) };
        let mut by_mac = self.dock.know.by_mac(mac)?;
        Ok(if by_mac.len() > 1 { (None, true) } else { (by_mac.pop(), false) })
    }

    fn receive(&mut self, rma: &Rma, program: &Program, unit: Pending) -> Result<Screen, Unanswered> {
        let (ship, ambiguous) = self.shipment(unit.serial.as_deref(), unit.mac)?;
        if ambiguous && unit.serial.is_none() {
            let title = format!("MAC {} is on record for more than one unit.", unit.mac.map(|m| m.to_string()).unwrap_or_default());
            self.session.pending = Some(unit);
            return Ok(screen(outcome::MAC_AMBIGUOUS, Kind::Ask, "SCAN SERIAL", title, "Scan the serial number of the same unit."));
        }
        let serial = unit.serial.clone().or(ship.as_ref().map(|s| s.serial.clone()));
        let what = serial.clone().or(unit.mac.map(|m| m.to_string())).unwrap_or_default();

        // Received before: on this RMA, or on another one that is still open.
        if let Some(past) = self.dock.know.last_receipt(serial.as_deref(), unit.mac)? {
            // The other barcode of the unit just received, or the same one twice: nothing is wrong.
            if past.rma == rma.number && self.session.last == Some(past.id) && past.id > self.session.since {
                let mut s = screen(outcome::SAME_UNIT, Kind::Info, "SAME UNIT", &what, self.carry_on());
                s.why.push(format!("received {} as {}; serial and MAC are one device", past.at.format("%H:%M:%S"), past.word));
                return Ok(s);
            }
            let open = past.rma == rma.number || self.dock.know.rma(&past.rma)?.is_some_and(|r| r.state == RmaState::Open);
            if open {
                let title = format!("{what} was received {} on RMA {} ({}).", past.at.format("%Y-%m-%d %H:%M"), past.rma, past.word);
                return Ok(self.stopped(program, Situation::UnitAlreadyReceived, outcome::UNIT_ALREADY_RECEIVED, title));
            }
        }

        // Everything that is odd about it; the program says which of these stop the unit and which hold it.
        let mut odd: Vec<(Situation, &'static str, String)> = Vec::new();
        odd.extend(self.rma_situation(rma, program));
        if let Some(title) = self.mismatch(&unit, ship.as_ref())? {
            odd.push((Situation::SerialMacMismatch, outcome::SERIAL_MAC_MISMATCH, title));
        } else if let Some(title) = brand_mismatch(&unit, ship.as_ref()) {
            odd.push((Situation::BrandMismatch, outcome::BRAND_MISMATCH, title));
        }
        if ship.is_none() {
            odd.push((Situation::UnitUnknown, outcome::UNIT_UNKNOWN, format!("{what} is in no shipment record.")));
        }
        if let Some(s) = &serial
            && self.dock.know.expects(&rma.number, s)? == Expects::Others
        {
            let mut title = format!("{s} was not announced on RMA {}.", rma.number);
            let elsewhere = self.dock.know.rmas_expecting(s)?;
            if !elsewhere.is_empty() {
                title.push_str(&format!(" It was announced on {}.", elsewhere.join(", ")));
            }
            odd.push((Situation::UnitNotOnRma, outcome::UNIT_NOT_ON_RMA, title));
        }
        if let Some((situation, name, title)) = odd.iter().find(|(s, ..)| matches!(program.intake(*s).decision, Decision::Reject | Decision::Refuse)) {
            return Ok(self.stopped(program, *situation, name, title.clone()));
        }
        let holds: Vec<(&IntakeRow, &'static str, &str)> = odd
            .iter()
            .map(|(s, name, title)| (program.intake(*s), *name, title.as_str()))
            .filter(|(row, ..)| row.decision == Decision::Hold)
            .collect();
        self.judge(rma, program, unit, ship, serial, &holds)
    }

    /// Serial and MAC are of two devices, as far as the shipments know.
    fn mismatch(&self, unit: &Pending, ship: Option<&Shipment>) -> Result<Option<String>, Unanswered> {
        let (Some(serial), Some(mac)) = (&unit.serial, unit.mac) else { return Ok(None) };
        let owner = self.dock.know.by_mac(mac)?.into_iter().find(|s| s.serial != *serial);
        Ok(match (ship.filter(|s| s.serial == *serial), owner) {
            (Some(ship), _) if ship.macs.contains(&mac) => None,
            (_, Some(other)) => Some(format!("Serial {serial} and MAC {mac} are two devices: the MAC is that of {}.", other.serial)),
            (Some(ship), None) if !ship.macs.is_empty() => {
                let known: Vec<String> = ship.macs.iter().map(Mac::to_string).collect();
                Some(format!("MAC {mac} is not that of serial {serial} ({} on record).", known.join(", ")))
            }
            _ => None,
        })
    }

    fn judge(
        &mut self,
        rma: &Rma,
        program: &Program,
        unit: Pending,
        ship: Option<Shipment>,
        serial: Option<String>,
        intake: &[(&IntakeRow, &'static str, &str)],
    ) -> Result<Screen, Unanswered> {
        let facts_json = facts_of(rma, &unit, ship.as_ref(), serial.as_deref(), self.dock.today);
        let facts = Facts::from_json(&Value::Object(facts_json.clone()))
            .map_err(|e| Unanswered(format!("the record of RMA {} or of the unit: {e}", rma.number)))?;
        let mut verdict = program.verdict(&facts, self.dock.today);
        for (row, _, title) in intake {
            verdict.holds.insert(0, Hold {
                code: row.code.clone(),
                released_by: row.released_by.clone(),
                rule: row.rule.clone(),
                blocks: vec![Move::Bench],
                text: (*title).to_owned(),
            });
        }
        let held = verdict.holds_on(Move::Bench).next().is_some();
        let word = program.screen_word(&verdict);
        let id = self.dock.last_receipt + 1;
        let brand = facts.brand.clone();
        let model = facts.model.clone();
        let title = [brand.as_deref(), model.as_deref(), serial.as_deref()].into_iter().flatten().collect::<Vec<_>>().join("  ");
        let name = intake.first().map(|(_, name, _)| *name).unwrap_or(if held { outcome::HELD } else { outcome::RECEIVED });
        let mut s = screen(name, word.kind, word.word, title, program.next_step(&verdict));
        s.why = reasons(&verdict);
        s.rules = rules(&verdict);
        let mac = unit.mac.or(ship.as_ref().and_then(|s| s.macs.first().copied()));
        let fields = label_of(rma, program, &verdict, &facts, mac, serial.as_deref(), word.word, self.dock.today);
        self.events.push(Event::Received {
            receipt: Box::new(Receipt {
                id,
                rma: rma.number.clone(),
                serial: serial.clone(),
                mac,
                brand,
                model,
                at: self.dock.now,
                word: word.word.to_owned(),
                held,
                facts: facts_json,
                verdict,
            }),
        });
        self.session.last = Some(id);
        self.label = Some(Owed::Unit { receipt: id, rma: rma.number.clone(), serial, fields: Box::new(fields) });
        Ok(s)
    }
}

fn of(received: u32, expected: u32) -> String {
    if expected == 0 { format!("{received} received, no list of units was announced") } else { format!("{received} of {expected} received") }
}

fn kind_name(kind: Is) -> &'static str {
    match kind {
        Is::Gtin => "product number",
        Is::Sscc => "pallet",
        Is::Imei => "IMEI",
        Is::Part => "part number",
        Is::Tracking => "carrier",
        Is::Url => "web address",
        other => other.as_str(),
    }
}

/// Serial and MAC in one scan. A composite code carries both as different values; the same value
/// under both names is one thing that may be either, and then the chosen reading counts.
fn parts(found: &[Candidate], chosen: &Candidate) -> (Option<String>, Option<Mac>) {
    let first = |kind: Is| found.iter().find(|c| c.kind == kind).map(|c| c.value.clone());
    let (serial, mac) = (first(Is::Serial), first(Is::Mac));
    match (serial, mac) {
        (Some(s), Some(m)) if Mac::parse(&s) == Mac::parse(&m) => match chosen.kind {
            Is::Mac => (None, Mac::parse(&m)),
            _ => (Some(s), None),
        },
        (s, m) => (s, m.and_then(|m| Mac::parse(&m))),
    }
}

fn brand_mismatch(unit: &Pending, ship: Option<&Shipment>) -> Option<String> {
    let (mac, brand) = (unit.mac?, ship?.brand.as_deref()?);
    let maker = crate::identify::brand_of(mac)?;
    (!maker.eq_ignore_ascii_case(brand)).then(|| format!("MAC {mac} is a {maker} address, the shipment says {brand}."))
}

/// The facts of one unit, in the JSON that `backdock verdict` reads. What the RMA says of itself comes
/// first; what the shipment says of this very unit goes over it.
fn facts_of(rma: &Rma, unit: &Pending, ship: Option<&Shipment>, serial: Option<&str>, today: NaiveDate) -> Map<String, Value> {
    let mut facts = rma.facts.clone();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            facts.insert(key.to_owned(), value);
        }
    };
    let text = |s: &Option<String>| s.as_ref().map(|s| json!(s));
    put("serial", serial.map(|s| json!(s)));
    let mut macs: Vec<Mac> = ship.map(|s| s.macs.clone()).unwrap_or_default();
    if let Some(mac) = unit.mac
        && !macs.contains(&mac)
    {
        macs.push(mac);
    }
    if !macs.is_empty() {
        put("macs", Some(json!(macs)));
    }
    match ship {
        Some(s) => {
            put("brand", text(&s.brand));
            put("model", text(&s.model));
            put("ship_date", Some(json!(s.ship_date)));
            put("distributor", text(&s.distributor));
            put("purchase_date", s.purchase_date.map(|d| json!(d)));
            put("warranty_until", s.warranty_until.map(|d| json!(d)));
            put("plan_until", s.plan_until.map(|d| json!(d)));
        }
        None => put("brand", unit.mac.and_then(crate::identify::brand_of).map(|b| json!(b))),
    }
    put("received", Some(json!(today)));
    put("today", Some(json!(today)));
    if !facts.contains_key("channel")
        && let Some(channel) = ship.and_then(|s| s.channel.clone())
    {
        facts.insert("channel".to_owned(), json!(channel));
    }
    let mut about = match facts.remove("rma") {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    };
    about.insert("number".to_owned(), json!(rma.number));
    about.insert("issued".to_owned(), json!(rma.issued));
    facts.insert("rma".to_owned(), Value::Object(about));
    facts
}

/// At most eight short lines: first what holds it, then the arithmetic.
fn reasons(verdict: &Verdict) -> Vec<String> {
    let holds = verdict.holds_on(Move::Bench).map(|h| format!("{} ({})", h.text, h.rule));
    let why = verdict.reasons.iter().map(|r| format!("{} ({})", r.text, r.rule));
    holds.chain(why).take(8).collect()
}

fn rules(verdict: &Verdict) -> Vec<String> {
    let mut rules: Vec<String> = Vec::new();
    let all = verdict.holds_on(Move::Bench).map(|h| &h.rule).chain(verdict.reasons.iter().map(|r| &r.rule));
    for rule in all {
        if !rules.iter().any(|r| **r == **rule) {
            rules.push(rule.to_string());
        }
    }
    rules
}

#[allow(clippy::too_many_arguments)] // everything that a label can say
fn label_of(rma: &Rma, program: &Program, verdict: &Verdict, facts: &Facts, mac: Option<Mac>, serial: Option<&str>, word: &str, today: NaiveDate) -> UnitLabel {
    let hold = verdict.holds_on(Move::Bench).next();
    UnitLabel {
        rma: rma.number.clone(),
        // A unit known by its MAC alone is named by it.
        serial: serial.map(str::to_owned).or(mac.map(|m| m.to_string())).unwrap_or_default(),
        brand: facts.brand.clone().unwrap_or_else(|| "brand unknown".to_owned()),
        model: facts.model.clone().unwrap_or_else(|| "model unknown".to_owned()),
        received: today.to_string(),
        mac: mac.map(|m| m.to_string()),
        ticket: facts.rma.ticket.clone(),
        customer: rma.customer.clone(),
        ship_date: facts.ship_date.map(|d| d.to_string()),
        age: age_text(verdict, facts, today),
        band: Some(verdict.band.to_string()).filter(|b| b != "none"),
        verdict: Some(word.to_owned()),
        hold: hold.map(|h| h.text.clone()),
        rules: rules(verdict),
        due: verdict.due.first().map(|d| format!("{} {}", d.what, d.by)),
        copy: None,
        program: Some(format!("{} {}", program.id(), program.version())),
    }
}

/// "reported day 29 / received day 35": both ends of the wait, since money depends on which one counts
/// (A-AMB-04); one figure where they are the same.
fn age_text(verdict: &Verdict, facts: &Facts, today: NaiveDate) -> Option<String> {
    let counted = verdict.age_days?;
    let shipped = facts.lineage.first().and_then(|e| e.shipped).or(facts.ship_date)?;
    let received = (facts.received.unwrap_or(today) - shipped).num_days();
    Some(if received == counted { format!("day {counted}") } else { format!("reported day {counted} / received day {received}") })
}
