//! The engine's paper side: time, the label under the head, and what goes wrong with it.
//!
//! Arrives: the time. Leaves: labels, and the counts that prove them. Everything happens in the order of
//! its own time, however late the caller ticks.

use std::sync::Arc;
use std::time::Duration;

use super::super::fault::{Fault, Kind, Trouble};
use super::super::lexer::Lexer;
use super::super::settings::Settings;
use super::{Engine, Label, Printing, Reply};

/// Pieces of paper remembered; older ones are forgotten.
const LABELS_KEPT: usize = 10_000;
/// Most events (labels out, troubles over) of one call, so that a huge `^PQ` cannot hang the caller.
const EVENTS_PER_CALL: usize = 1_000;

impl Engine {
    /// Plays everything up to `now`, in the order in which it happens.
    pub(super) fn advance(&mut self, now: u64) {
        for _ in 0..EVENTS_PER_CALL {
            match self.next_wake() {
                Some(at) if at <= now => self.happen(at),
                _ => {
                    // Time never runs backwards, even when the caller's does.
                    self.now = self.now.max(now);
                    break;
                }
            }
        }
        while self.untold.front().is_some_and(|(at, _)| *at <= self.now) {
            self.untold.pop_front();
        }
    }

    /// The one event that is due at `at`.
    fn happen(&mut self, at: u64) {
        self.now = self.now.max(at);
        self.troubles.retain(|_, until| !until.is_some_and(|u| u <= at));
        if let Some(printing) = &self.printing {
            match printing.breaks {
                Some((due, fault)) if due <= at => match fault.kind {
                    Kind::PaperOutMid => self.begin(Trouble::PaperOut, fault.lasts),
                    _ => self.begin(Trouble::PowerOff, fault.lasts),
                },
                _ if printing.ends_at <= at => self.label_out(),
                _ => {}
            }
        }
        self.start();
    }

    /// Puts the next label under the head, if there is one and nothing is in the way.
    pub(super) fn start(&mut self) {
        const STRIKE_BEFORE: [Trouble; 5] =
            [Trouble::PaperOut, Trouble::RibbonOut, Trouble::HeadOpen, Trouble::Paused, Trouble::OverTemperature];
        while self.printing.is_none() && !self.queue.is_empty() {
            let label = self.dealt + 1;
            for trouble in STRIKE_BEFORE {
                if let Some(fault) = self.strike(label, Kind::Begin(trouble)) {
                    self.begin(trouble, fault.lasts);
                }
            }
            if self.in_error() || self.has(Trouble::Paused) || !self.powered() {
                return;
            }
            if self.strike(label, Kind::LostLabel).is_some() {
                self.deal();
                continue;
            }
            let time = millis(self.options.label_time);
            let breaks = self
                .strike(label, Kind::PaperOutMid)
                .or_else(|| self.strike(label, Kind::Begin(Trouble::PowerOff)))
                .map(|fault| (self.now.saturating_add(time / 2), fault));
            self.printing = Some(Printing {
                ends_at: self.now.saturating_add(time),
                breaks,
                extra: self.strike(label, Kind::Extra).is_some(),
            });
        }
    }

    fn label_out(&mut self) {
        let Some(printing) = self.printing.take() else {
            return;
        };
        let count = if printing.extra { 2 } else { 1 };
        self.odometer += count;
        self.user_labels += count;
        let told_at = self.now.saturating_add(millis(self.options.settle));
        self.untold.push_back((told_at, count));
        self.paper(false);
        if let Some(fault) = self.strike(self.dealt + 1, Kind::Reprint) {
            self.begin(Trouble::PaperOut, fault.lasts);
            if self.reprint {
                return;
            }
        }
        self.deal();
    }

    /// A piece of paper comes out.
    fn paper(&mut self, damaged: bool) {
        let Some(job) = self.queue.front() else {
            return;
        };
        if self.labels.len() >= LABELS_KEPT {
            self.labels.drain(..LABELS_KEPT / 2);
        }
        self.pieces += 1;
        self.labels.push(Label {
            number: self.pieces,
            zpl: Arc::clone(&job.zpl),
            at_ms: self.now,
            damaged,
            settings: job.settings,
        });
    }

    /// The printer is done with one label of the first job, whatever became of it.
    fn deal(&mut self) {
        self.dealt += 1;
        let Some(job) = self.queue.front_mut() else {
            return;
        };
        job.remaining = job.remaining.saturating_sub(1);
        if job.remaining == 0
            && let Some(job) = self.queue.pop_front()
        {
            self.used -= job.zpl.len();
            if job.pause_after {
                self.begin(Trouble::Paused, None);
            }
        }
    }

    /// The number of the first label of the format that comes next.
    pub(super) fn next_label(&self) -> u64 {
        self.dealt + 1 + self.queue.iter().map(|job| job.remaining).sum::<u64>()
    }

    /// Takes the first fault of this kind that waits for `label` or an earlier one.
    pub(super) fn strike(&mut self, label: u64, kind: Kind) -> Option<Fault> {
        let waits = |fault: &Fault| fault.kind == kind && fault.label <= label;
        let at = self.faults.iter().position(waits)?;
        Some(self.faults.remove(at))
    }

    pub(super) fn begin(&mut self, trouble: Trouble, lasts: Option<Duration>) {
        let until = lasts.map(|lasts| self.now.saturating_add(millis(lasts)));
        self.troubles.insert(trouble, until);
        match trouble {
            Trouble::PaperOut | Trouble::RibbonOut | Trouble::HeadOpen => self.interrupt(),
            Trouble::PowerOff => self.restart(),
            Trouble::Refuse => self.hang_up(),
            _ => {}
        }
    }

    /// The label under the head is spoilt.
    fn interrupt(&mut self) {
        if self.printing.take().is_some() {
            self.paper(true);
            if !self.reprint {
                self.deal();
            }
        }
    }

    fn hang_up(&mut self) {
        let gone = std::mem::take(&mut self.lexers).into_keys();
        self.replies.extend(gone.map(|conn| Reply::Reset { conn }));
        self.doomed = None;
    }

    pub(super) fn lose_everything(&mut self) {
        self.hang_up();
        self.orphan = None;
        self.queue.clear();
        self.used = 0;
        self.printing = None;
    }

    pub(super) fn restart(&mut self) {
        self.lose_everything();
        self.troubles.remove(&Trouble::Paused);
        self.settings = Settings::new(self.options.dpi);
        self.reprint = true;
        self.thermal_transfer = false;
        self.print_mode = 2;
    }

    pub(super) fn cancel_all(&mut self) {
        self.orphan = None;
        self.lexers.values_mut().for_each(Lexer::cancel);
        self.queue.truncate(usize::from(self.printing.is_some()));
        if let Some(job) = self.queue.front_mut() {
            job.remaining = 1;
        }
        self.used = self.queue.iter().map(|job| job.zpl.len()).sum();
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX / 4)
}
