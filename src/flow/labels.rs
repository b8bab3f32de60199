//! Labels that are scanned: a label in somebody's hand came out, whatever the printer's count could prove.
//! And NOTTHERE, which says that one did not.

use super::{Dock, Owed, Way, outcome, screen};
use crate::domain::event::Event;
use crate::domain::job::{JobId, JobState};
use crate::domain::label_code::LabelCode;
use crate::domain::screen::{Kind, Screen};
use crate::rma::{Made, Unanswered};

/// The label that a code names, if this station made it.
pub(super) fn made(dock: &Dock, code: &str) -> Result<Option<Made>, Unanswered> {
    let Some(code) = LabelCode::parse(code).filter(|code| code.station == dock.code) else { return Ok(None) };
    let made = dock.know.label(code.job)?;
    Ok(made.filter(|made| made.rma.as_deref().is_some_and(|rma| rma.eq_ignore_ascii_case(code.rma))))
}

/// What a label is, in a few words.
fn named(made: &Made) -> String {
    let copy = (made.copy > 1).then(|| format!("copy {}", made.copy));
    let words = [Some(made.label.clone()), copy, made.rma.clone(), made.serial.clone()];
    words.into_iter().flatten().collect::<Vec<_>>().join("  ")
}

impl Way<'_> {
    /// A label was scanned.
    pub(super) fn label_scanned(&mut self, code: &str) -> Result<Screen, Unanswered> {
        let Some(made) = made(self.dock, code)? else {
            // It was chosen because nothing else was known of the scan.
            let title = "This label was printed by another station, or its RMA is not known here.";
            return Ok(screen(outcome::UNKNOWN_SCAN, Kind::Ask, "UNKNOWN", title, self.carry_on()));
        };
        let awaited = self.session.awaits.contains(&made.job);
        self.session.awaits.retain(|job| *job != made.job);
        let what = named(&made);
        if self.void(&made)? {
            let why = match made.state {
                JobState::Failed => "It was given up, and another one was printed.",
                _ => "What it says was taken back.",
            };
            let mut s = screen(outcome::LABEL_VOID, Kind::Reject, "TEAR IT UP", what, "Tear up this label.");
            s.why.push(why.to_owned());
            return Ok(s);
        }
        let seen = |why: &str, next: &str| {
            let mut s = screen(outcome::LABEL_SEEN, Kind::Accept, "LABEL OK", what.clone(), next);
            s.why.push(why.to_owned());
            s
        };
        match made.state {
            JobState::InDoubt => {
                self.events.push(Event::JobsMoved {
                    jobs: vec![made.job],
                    from: JobState::InDoubt,
                    to: JobState::Printed,
                    why: "it was scanned at the dock".to_owned(),
                    expects: None,
                });
                Ok(seen("It was in doubt, and counts as printed now.", self.carry_on()))
            }
            _ if awaited => Ok(seen("It is the one that was asked for.", self.carry_on())),
            // Nothing is asked of it: it says which RMA it is.
            _ => match self.label_wanted()? {
                Some(wanted) => Ok(wanted),
                None => self.open_box(made.rma.as_deref().unwrap_or_default()),
            },
        }
    }

    /// Whether a label is not to be used.
    fn void(&self, made: &Made) -> Result<bool, Unanswered> {
        let withdrawn = match made.receipt {
            Some(receipt) => self.dock.know.receipt(receipt)?.is_none(),
            None => false,
        };
        Ok(withdrawn || matches!(made.state, JobState::Failed | JobState::Cancelled))
    }

    /// What is asked for before the dock goes on: the oldest label that must be scanned and has left the
    /// station. What still waits for its printer is asked for later.
    pub(super) fn label_wanted(&mut self) -> Result<Option<Screen>, Unanswered> {
        for job in self.session.awaits.clone() {
            let made = self.dock.know.label(job)?;
            match made {
                Some(made) if !self.void(&made)? => {
                    if made.state == JobState::Queued {
                        continue;
                    }
                    let next = "Scan the square code of that label. It did not come out: scan NOTTHERE.";
                    let what = named(&made);
                    return Ok(Some(screen(outcome::LABEL_WANTED, Kind::Ask, "SCAN LABEL", what, next)));
                }
                _ => self.session.awaits.retain(|awaited| *awaited != job),
            }
        }
        Ok(None)
    }

    /// The worker looked for a label and it did not come out: the oldest one in doubt, else the one that
    /// is asked for. A copy is owed.
    pub(super) fn not_there(&mut self) -> Result<Screen, Unanswered> {
        let next = "Take the copy. If the first one turns up after all, tear it up.";
        let copied = |what: String| screen(outcome::NOT_THERE, Kind::Accept, "COPY", what, next);
        if let Some(doubt) = self.dock.doubt.clone() {
            self.events.push(Event::JobsMoved {
                jobs: vec![doubt.job],
                from: JobState::InDoubt,
                to: JobState::Failed,
                why: "NOTTHERE scanned at the dock".to_owned(),
                expects: None,
            });
            self.copy_for(doubt.job);
            return Ok(copied(doubt.what));
        }
        // The printer counted it, and yet nobody has it.
        let awaits = self.session.awaits.clone();
        for job in awaits {
            if let Some(made) = self.dock.know.label(job)?
                && made.state == JobState::Printed
                && !self.void(&made)?
            {
                self.copy_for(job);
                return Ok(copied(named(&made)));
            }
        }
        let why = "No label is in doubt.";
        Ok(screen(outcome::NOTHING_IN_DOUBT, Kind::Info, "NOTHING", why, self.carry_on()))
    }

    fn copy_for(&mut self, job: JobId) {
        self.session.awaits.retain(|awaited| *awaited != job);
        self.label = Some(Owed::Again { job });
    }
}
