//! Command barcodes: DONE, CANCEL, UNDO, REPRINT, NOTTHERE.

use super::{Owed, Way, outcome, screen};
use crate::domain::event::Event;
use crate::domain::identity::Command;
use crate::domain::screen::{Kind, Screen};
use crate::rma::{Past, Unanswered};

impl Way<'_> {
    pub(super) fn command(&mut self, word: &str) -> Result<Screen, Unanswered> {
        match Command::parse(word) {
            Some(Command::Done) => self.done(),
            Some(Command::Cancel) => Ok(self.cancel()),
            Some(Command::Undo) => self.undo(),
            Some(Command::Reprint) => self.reprint(),
            Some(Command::NotThere) => self.not_there(),
            _ => Ok(screen(
                outcome::NOT_NOW,
                Kind::Info,
                "NOT NOW",
                format!("{word} has nothing to act on."),
                self.carry_on(),
            )),
        }
    }

    pub(super) fn done(&mut self) -> Result<Screen, Unanswered> {
        let Some(rma) = self.session.rma.clone() else {
            return Ok(screen(outcome::NO_BOX, Kind::Info, "NO BOX", "No box is open.", "Scan an RMA number."));
        };
        if let Some(unfinished) = self.unfinished() {
            return Ok(unfinished);
        }
        let (expected, received) = self.dock.know.counts(&rma)?;
        let missing = self.dock.know.missing(&rma, 6)?;
        (self.session.rma, self.session.arrival) = (None, None);
        let mut s = screen(outcome::BOX_DONE, Kind::Accept, "DONE", format!("RMA {rma}"), "Scan the next RMA number.");
        s.why.push(if expected == 0 {
            format!("{received} received")
        } else {
            format!("{received} of {expected} received")
        });
        if !missing.is_empty() {
            (s.kind, s.word) = (Kind::Info, "PARTIAL".to_owned());
            s.why.push(format!("still missing: {}", missing.join(", ")));
            s.next = "The RMA stays open for the rest. Scan the next RMA number.".to_owned();
        }
        Ok(s)
    }

    pub(super) fn cancel(&mut self) -> Screen {
        if let Some(p) = self.session.pending.take() {
            let what = p.serial.or(p.mac.map(|m| m.to_string())).unwrap_or_default();
            return screen(
                outcome::CANCELLED,
                Kind::Info,
                "DROPPED",
                format!("{what} was not received."),
                self.carry_on(),
            );
        }
        let blind = self.session.arrival.take();
        match self.session.rma.take() {
            None if blind.is_some() => {
                let title = format!("{} has arrived and stays unopened.", blind.unwrap_or_default());
                screen(outcome::CANCELLED, Kind::Info, "SET ASIDE", title, "Scan an RMA number.")
            }
            Some(rma) => {
                let title = format!("The box of {rma} is closed; what was received stays received.");
                screen(outcome::CANCELLED, Kind::Info, "BOX CLOSED", title, "Scan an RMA number.")
            }
            None => {
                screen(outcome::NOT_NOW, Kind::Info, "NOTHING", "There is nothing to cancel.", "Scan an RMA number.")
            }
        }
    }

    pub(super) fn undo(&mut self) -> Result<Screen, Unanswered> {
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
        let mut s = screen(
            outcome::UNDONE,
            Kind::Info,
            "TAKEN BACK",
            unit,
            "Tear up its label. Scan the unit again, or the next one.",
        );
        s.why.push(format!("receipt {id} ({word}) is withdrawn"));
        Ok(s)
    }

    pub(super) fn reprint(&mut self) -> Result<Screen, Unanswered> {
        let last = match self.session.last {
            Some(id) => self.dock.know.receipt(id)?,
            None => None,
        };
        let Some(past) = last else {
            return Ok(screen(
                outcome::NOTHING_TO_REPRINT,
                Kind::Info,
                "NOTHING",
                "No label was made in this session.",
                self.carry_on(),
            ));
        };
        self.label = Some(Owed::Copy { receipt: past.id });
        let unit = past.serial.or(past.mac.map(|m| m.to_string())).unwrap_or_default();
        Ok(screen(
            outcome::REPRINT,
            Kind::Accept,
            "COPY",
            unit,
            "The label says COPY. Tear up the first one if you have it.",
        ))
    }

    /// A half-scanned unit stands in the way of everything but its other half.
    pub(super) fn unfinished(&self) -> Option<Screen> {
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
}
