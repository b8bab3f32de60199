//! What was turned away at the door, read off the journal.
//!
//! What a dock supervisor wants of refused goods: what stands on my floor, for how long, why, and what gets
//! it out. A rejection is a scan whose screen said REJECT; it has no receipt, so it has no state and no
//! step. One box scanned five times is one line, from the first time on. It stands until something is
//! received on its RMA (or the unit itself, where a unit was turned away), until its carrier number is scanned
//! again on its way out, or until the lists look no further back. A scan that the dock only refused to count
//! (STOP: received already) leaves nothing standing.

use crate::domain::event::Event;
use crate::domain::screen::Kind;
use chrono::NaiveDate;

/// Days that the lists look back for what was turned away.
pub const LOOK_BACK: u64 = 90;

/// Something turned away at the door.
#[derive(Clone, PartialEq, Debug)]
pub struct Turned {
    /// The RMA number on the box, or the unit that was scanned.
    pub scanned: String,
    /// The RMA: the number on the box, or the box that was open.
    pub rma: Option<String>,
    /// The first time, as the journal has it, and its day.
    pub at: String,
    pub day: NaiveDate,
    pub title: String,
    pub rule: String,
    /// The carrier's number scanned just before it (E-35).
    pub tracking: Option<String>,
    pub times: u32,
}

/// The journal's events on their way past the door, oldest first.
#[derive(Debug, Default)]
pub struct Door {
    standing: Vec<Turned>,
    tracking: Option<String>,
}

impl Door {
    /// Takes the next event, with its time as the journal has it.
    pub fn event(&mut self, at: &str, event: &Event) {
        match event {
            Event::Scanned { identity, value: Some(value), .. } if identity == "tracking" => {
                // Scanned out: it is on its way back (E-37). Where it only came before the same box again, that
                // box is turned away anew below.
                self.standing.retain(|t| t.tracking.as_ref() != Some(value));
                self.tracking = Some(value.clone());
            }
            Event::Scanned { identity, value: Some(value), screen, session } => {
                // A carrier's number belongs to the box that is scanned next, and to no later one.
                let tracking = self.tracking.take();
                let Some(day) = at.get(..10).and_then(|d| d.parse().ok()) else { return };
                if screen.kind != Kind::Reject || screen.word != "REJECT" {
                    return;
                }
                let rma = if identity == "rma" { Some(value.clone()) } else { session.rma.clone() };
                if let Some(known) = self.standing.iter_mut().find(|t| t.scanned == *value && t.rma == rma) {
                    known.times += 1;
                    known.tracking = tracking.or(known.tracking.take());
                    return;
                }
                self.standing.push(Turned {
                    scanned: value.clone(),
                    rma,
                    at: at.to_owned(),
                    day,
                    title: screen.title.clone(),
                    rule: screen.rules.first().cloned().unwrap_or_else(|| "intake".to_owned()),
                    tracking,
                    times: 1,
                });
            }
            Event::Received { receipt } => {
                let mac = receipt.mac.map(|m| m.to_string());
                self.standing.retain(|t| {
                    let box_of = t.rma.as_ref() == Some(&t.scanned);
                    let came = receipt.serial.as_ref() == Some(&t.scanned) || mac.as_ref() == Some(&t.scanned);
                    !(came || (box_of && t.scanned == receipt.rma))
                });
            }
            _ => {}
        }
    }

    /// What stands there now.
    pub fn standing(self) -> Vec<Turned> {
        self.standing
    }
}
