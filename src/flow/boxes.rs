//! An RMA number opens a box, if its program lets it.

use super::{Owed, Way, outcome, screen};
use crate::domain::rma::{Rma, RmaState};
use crate::domain::screen::{Kind, Screen};
use crate::program::{Decision, Program, Situation};
use crate::rma::Unanswered;
use serde_json::Value;

impl Way<'_> {
    pub(super) fn open_box(&mut self, number: &str) -> Result<Screen, Unanswered> {
        if let Some(unfinished) = self.unfinished() {
            return Ok(unfinished);
        }
        if self.session.rma.as_deref() == Some(number) {
            let (expected, received) = self.dock.know.counts(number)?;
            let mut s =
                screen(outcome::BOX_ALREADY_OPEN, Kind::Info, "BOX OPEN", format!("RMA {number}"), self.carry_on());
            s.why.push(of(received, expected));
            return Ok(s);
        }
        let Some(rma) = self.dock.know.rma(number)? else {
            return Ok(self.stopped(
                self.dock.programs.default(),
                Situation::RmaUnknown,
                outcome::RMA_UNKNOWN,
                number,
                format!("RMA {number} is not on record."),
            ));
        };
        let Some(program) = self.dock.programs.issued_under(&rma.program, &rma.program_version) else {
            let title = format!(
                "RMA {number} is of the program {:?} {}, which this station does not serve.",
                rma.program, rma.program_version
            );
            return Ok(self.stopped(
                self.dock.programs.default(),
                Situation::RmaOtherProgram,
                outcome::RMA_OTHER_PROGRAM,
                number,
                title,
            ));
        };
        // A box is refused here only where the program does not even hold it; a hold goes on the units.
        if let Some((situation, name, title)) = self.rma_situation(&rma, program)
            && matches!(program.intake(situation).decision, Decision::Reject | Decision::Refuse)
        {
            return Ok(self.stopped(program, situation, name, number, title));
        }
        // Another box than the one that stood here.
        if self.session.rma.take().is_some() {
            self.session.arrival = None;
        }
        self.session.rma = Some(number.to_owned());
        self.session.since = self.dock.last_receipt;
        let (expected, received) = self.dock.know.counts(number)?;
        let customer = rma.customer.clone().unwrap_or_default();
        let mut s = screen(
            outcome::BOX_OPEN,
            Kind::Accept,
            "BOX OPEN",
            format!("RMA {number}  {customer}").trim_end(),
            "Scan the serial number or MAC of a unit.",
        );
        s.why.push(of(received, expected));
        s.why.extend(self.session.arrival.as_ref().map(|number| format!("came as {number}")));
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
    pub(super) fn rma_situation(&self, rma: &Rma, program: &Program) -> Option<(Situation, &'static str, String)> {
        let number = &rma.number;
        match rma.state {
            RmaState::Closed => {
                return Some((Situation::RmaClosed, outcome::RMA_CLOSED, format!("RMA {number} is closed.")));
            }
            RmaState::Cancelled => {
                return Some((Situation::RmaClosed, outcome::RMA_CLOSED, format!("RMA {number} was cancelled.")));
            }
            RmaState::Requested | RmaState::Refused => {
                let title = format!("RMA {number} is {}: no return was authorised.", rma.state.word());
                return Some((Situation::RmaUnknown, outcome::RMA_UNKNOWN, title));
            }
            // What the dates say below says more.
            RmaState::Open | RmaState::Expired => {}
        }
        if rma.issued > self.dock.today {
            let title = format!("RMA {number} is dated {}, today is {}.", rma.issued, self.dock.today);
            return Some((Situation::RmaFuture, outcome::RMA_FUTURE, title));
        }
        let last = program.valid_until(rma.issued)?;
        (self.dock.today > last).then(|| {
            let days = (last - rma.issued).num_days();
            let age = (self.dock.today - rma.issued).num_days();
            let title =
                format!("RMA {number} was issued {} and is valid for {days} days; today is day {age}.", rma.issued);
            (Situation::RmaExpired, outcome::RMA_EXPIRED, title)
        })
    }

    /// A situation that ends the scan: the screen says what the program wants done. What is rejected gets
    /// its label, once however often it is scanned.
    pub(super) fn stopped(
        &mut self,
        program: &Program,
        situation: Situation,
        name: &str,
        about: &str,
        title: String,
    ) -> Screen {
        let row = program.intake(situation);
        let (kind, word) = match row.decision {
            Decision::Reject => (Kind::Reject, "REJECT"),
            Decision::Refuse => (Kind::Reject, "STOP"),
            Decision::Hold | Decision::Accept => (Kind::Hold, "HOLD"),
        };
        let mut s = screen(name, kind, word, title, row.next.to_string());
        s.why.push(format!("{} ({})", row.code, row.rule));
        s.rules.push(row.rule.to_string());
        if row.decision == Decision::Reject {
            if self.session.rejected.as_deref() == Some(about) {
                s.why.push("its REJECT label was made a moment ago".to_owned());
            } else {
                let fields = [("reason", s.title.clone()), ("rule", row.rule.to_string())]
                    .into_iter()
                    .chain([("date", self.dock.today.to_string())])
                    .chain(self.session.arrival.iter().map(|number| ("tracking", number.clone())))
                    .map(|(key, text)| (key.to_owned(), Value::from(text)));
                let rma = self.session.rma.clone();
                self.label = Some(Owed::Paper { label: "reject", rma, fields: fields.collect() });
                self.session.rejected = Some(about.to_owned());
            }
        }
        s
    }
}

fn of(received: u32, expected: u32) -> String {
    if expected == 0 {
        format!("{received} received, no list of units was announced")
    } else {
        format!("{received} of {expected} received")
    }
}
