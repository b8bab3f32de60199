//! Labels: made, queued, handed to a printer that is free, and what became of them.

use super::{Core, Failed, GROUP_MAX, Input, Line, QUICK};
use crate::domain::event::Event;
use crate::domain::job::{Expectation, Job, JobId, JobState};
use crate::domain::label_code::LabelCode;
use crate::domain::screen::Screen;
use crate::label::{self, Label, LabelError, UnitLabel};
use crate::printer::{Condition, OrderJob, PrinterEvent, State};
use crate::store::{Head, read};
use chrono::{DateTime, FixedOffset, TimeDelta};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Trouble that a hand at the printer mends (paper, head) does not send labels elsewhere before this.
const FAIL_OVER: TimeDelta = TimeDelta::seconds(20);

/// A label drawn for a printer.
pub(super) struct Drawn {
    pub zpl: String,
    /// Whether it carries its own code, so that it can be scanned back.
    pub scans: bool,
    /// Why it is ours where the user has a design.
    pub note: Option<String>,
}

impl Drawn {
    fn ours(label: Label, note: Option<String>) -> Drawn {
        let scans = label.elements.iter().any(|e| matches!(e, label::Element::Qr { .. }));
        Drawn { zpl: label.zpl, scans, note }
    }
}

/// A job that was made and is not queued yet.
pub(in crate::station) struct Made {
    pub job: Job,
    pub note: Option<String>,
    pub scans: bool,
}

impl Core {
    /// Renders a unit label for the printer that takes it. A label that cannot be printed as meant does not
    /// lose the receipt: optional fields that the printer cannot show are left off and named on the screen.
    pub(super) fn job(
        &mut self,
        receipt: Option<i64>,
        rma: Option<String>,
        serial: Option<String>,
        mut fields: UnitLabel,
        screen: &mut Screen,
    ) -> Option<Made> {
        let Some(line) = self.line_for("unit").map(|i| &self.lines[i]) else {
            screen.why.push("no printer takes unit labels: no label".to_owned());
            return None;
        };
        let id = self.last_job + 1;
        fields.job = rma.as_deref().map(|rma| self.code_of(rma, id));
        let as_json = |fields: &UnitLabel| serde_json::to_value(fields).unwrap_or_default();
        let designed = self.designed("unit", || as_json(&fields), line);
        let drawn = match designed {
            Some(Ok(drawn)) => drawn,
            ours => {
                screen.why.extend(ours.and_then(Result::err).map(|why| format!("our own label was printed: {why}")));
                loop {
                    match fields.render(line.stock, line.dpi) {
                        Ok(label) => break Drawn::ours(label, None),
                        Err(e) => {
                            let dropped = field_of(&e).is_some_and(|f| drop_field(&mut fields, f));
                            screen.why.insert(0, format!("label: {e}"));
                            if !dropped {
                                screen.next = format!("No label was made. {}", screen.next);
                                return None;
                            }
                        }
                    }
                }
            }
        };
        let printer = line.name.clone();
        self.last_job = id;
        self.today.labels += 1;
        let job = Job {
            id,
            printer,
            label: "unit".to_owned(),
            copy: 1,
            receipt,
            rma,
            serial,
            zpl: drawn.zpl,
            fields: as_json(&fields),
        };
        Some(Made { job, note: None, scans: drawn.scans })
    }

    /// The code that a label made here carries.
    pub(super) fn code_of(&self, rma: &str, job: JobId) -> String {
        LabelCode { rma, station: &self.config.station.code, job }.to_string()
    }

    /// The user's design of a label, filled in; `None` where there is none. The error says why it cannot be
    /// filled.
    fn designed(&self, name: &str, fields: impl FnOnce() -> Value, line: &Line) -> Option<Result<Drawn, String>> {
        let design = self.config.labels.designs.get(name)?;
        let fields = fields().as_object().cloned().unwrap_or_default();
        let scans = design.fields().iter().any(|field| field == "job");
        let drawn = design.render(&fields, line.stock, line.dpi);
        Some(drawn.map(|label| Drawn { zpl: label.zpl, scans, note: None }).map_err(|e| e.to_string()))
    }

    /// Draws a label for a printer: the user's design where there is one that can be filled, else ours.
    pub(super) fn drawn(&self, name: &str, fields: &Value, line: &Line) -> Result<Drawn, LabelError> {
        let note = match self.designed(name, || fields.clone(), line) {
            Some(Ok(drawn)) => return Ok(drawn),
            ours => ours.and_then(Result::err),
        };
        let note = note.map(|why| format!("our own label was printed: {why}"));
        Ok(Drawn::ours(label::render(name, fields, line.stock, line.dpi)?, note))
    }

    /// A marked copy of the newest label of a receipt.
    pub(super) fn copy(
        &mut self,
        receipt: i64,
        screen: &mut Screen,
        now: DateTime<FixedOffset>,
    ) -> Result<Option<Made>, Failed> {
        let station = self.config.station.id.clone();
        let jobs = read::jobs_of_receipt(&self.store.conn, &station, receipt)?;
        let Some(newest) = jobs.iter().find(|job| job.label == "unit") else {
            screen.why.push("this unit has no label to copy".to_owned());
            return Ok(None);
        };
        self.again(newest.id, screen, now)
    }

    /// A marked copy of what a job printed, or should have.
    pub(super) fn again(
        &mut self,
        job: JobId,
        screen: &mut Screen,
        now: DateTime<FixedOffset>,
    ) -> Result<Option<Made>, Failed> {
        let by = self.session.badge.clone().unwrap_or_default();
        match self.copy_of(job, &by, "", now)? {
            Ok(made) => {
                screen.why.push(format!("copy {} of the label of job {job}", made.job.copy));
                screen.why.extend(made.note.clone());
                Ok(Some(made))
            }
            Err(why) => {
                screen.why.insert(0, format!("label: {why}"));
                screen.next = format!("No label was made. {}", screen.next);
                Ok(None)
            }
        }
    }

    /// Writes a new job down: as `sending` where its printer is ready and nothing is before it, so
    /// that a label costs one commit; else as `queued`.
    pub(in crate::station) fn make(&mut self, job: Job, head: &Head) -> Result<(), Failed> {
        let Some(i) = self.line_of(&job.printer) else {
            return Err(Failed::Unanswered(format!("printer {:?} is not configured", job.printer)));
        };
        let line = &mut self.lines[i];
        let expects = if line.queue.is_empty() && !self.closed { line.expects() } else { None };
        let zpl: Arc<str> = job.zpl.as_str().into();
        let id = job.id;
        let state = if expects.is_some() { JobState::Sending } else { JobState::Queued };
        self.store.append(head, &Event::JobMade { job, state, expects: expects.clone() })?;
        let line = &mut self.lines[i];
        match expects {
            Some(expects) => {
                line.out.push((id, JobState::Sending));
                line.fresh.push(OrderJob { id, zpl, expects });
            }
            None => line.queue.push_back(id),
        }
        Ok(())
    }

    /// Whether something waits at a printer in trouble and another one could print it.
    pub fn reroute_is_due(&self, now: DateTime<FixedOffset>) -> bool {
        (0..self.lines.len()).any(|i| self.way_round(i, now).is_some())
    }

    /// The printer that takes over from one that has long been in trouble: it is well, has the same stock and
    /// head, and takes the same papers.
    fn way_round(&self, i: usize, now: DateTime<FixedOffset>) -> Option<usize> {
        let line = &self.lines[i];
        let long = line.troubled.is_some_and(|since| now.signed_duration_since(since) >= FAIL_OVER);
        if self.closed || line.queue.is_empty() || !long {
            return None;
        }
        let papers = |i: usize| self.config.printers[i].labels.iter().collect::<BTreeSet<_>>();
        let takes_over = |k: &usize| {
            let other = &self.lines[*k];
            other.is_calm() && other.stock == line.stock && other.dpi == line.dpi && papers(*k) == papers(i)
        };
        (0..self.lines.len()).find(takes_over)
    }

    /// Hands what waits at a printer in trouble to another one. Only what waits: not one byte of it has left
    /// the station.
    fn reroute(&mut self, now: DateTime<FixedOffset>) -> Result<(), Failed> {
        for i in 0..self.lines.len() {
            let Some(k) = self.way_round(i, now) else { continue };
            let (from, to) = (self.lines[i].name.clone(), self.lines[k].name.clone());
            let reason = self.lines[i].trouble();
            let jobs: Vec<JobId> = self.lines[i].queue.drain(..).collect();
            tracing::warn!(from, to, jobs = jobs.len(), reason, "labels go to another printer");
            let why = format!("printer {from}: {reason}; nothing of it was sent");
            self.store
                .append(&self.head(now, None, None), &Event::JobsRerouted { jobs: jobs.clone(), from, to, why })?;
            self.lines[k].queue.extend(jobs);
        }
        Ok(())
    }

    /// Moves what waits to `sending` where the printer is free.
    pub(super) fn assign(&mut self, now: DateTime<FixedOffset>) -> Result<(), Failed> {
        self.reroute(now)?;
        for i in 0..self.lines.len() {
            let line = &self.lines[i];
            if self.closed || line.queue.is_empty() || !line.out.is_empty() || !line.fresh.is_empty() {
                continue;
            }
            let Some(first) = line.expects() else { continue };
            let n = line.window.min(line.queue.len());
            let jobs: Vec<JobId> = self.lines[i].queue.drain(..n).collect();
            let event = Event::JobsMoved {
                jobs: jobs.clone(),
                from: JobState::Queued,
                to: JobState::Sending,
                why: String::new(),
                expects: Some(first.clone()),
            };
            self.store.append(&self.head(now, None, None), &event)?;
            for (n, id) in jobs.into_iter().enumerate() {
                let zpl = read::zpl(&self.store.conn, &self.config.station.id, id)?
                    .ok_or_else(|| Failed::Unanswered(format!("the label of job {id} is not in the journal")))?;
                let expects = Expectation { odometer: first.odometer + n as u64, ..first.clone() };
                self.lines[i].out.push((id, JobState::Sending));
                self.lines[i].fresh.push(OrderJob { id, zpl: zpl.into(), expects });
            }
        }
        Ok(())
    }

    pub(super) fn write_sent(&mut self, now: DateTime<FixedOffset>) -> Result<(), Failed> {
        if !self.soft_news_is_due(now) {
            return Ok(());
        }
        let jobs: Vec<JobId> = std::mem::take(&mut self.sent).into_iter().map(|(_, id)| id).collect();
        let event = Event::JobsMoved {
            jobs: jobs.clone(),
            from: JobState::Sending,
            to: JobState::Sent,
            why: String::new(),
            expects: None,
        };
        self.store.append(&self.head(now, None, None), &event)?;
        for line in &mut self.lines {
            for (id, state) in &mut line.out {
                if jobs.contains(id) {
                    *state = JobState::Sent;
                }
            }
        }
        Ok(())
    }

    /// News that changes no table and lets nothing leave, and so needs no transaction: labels handed
    /// over (most are proved before that is worth writing), and a printer that is busy or free again.
    pub(super) fn is_soft(&self, input: &Input) -> bool {
        match input {
            Input::Printer(_, PrinterEvent::Sent(_)) => true,
            Input::Printer(i, PrinterEvent::Changed(condition)) => {
                let line = &self.lines[*i];
                !line.is_news(condition) && (line.queue.is_empty() || !line.out.is_empty())
            }
            _ => false,
        }
    }

    /// Takes soft news to memory.
    pub(super) fn hear(&mut self, i: usize, event: &PrinterEvent, now: DateTime<FixedOffset>) {
        match event {
            PrinterEvent::Changed(condition) => {
                let line = &mut self.lines[i];
                line.condition = condition.clone();
                line.troubled = if line.is_calm() { None } else { line.troubled.or(Some(now)) };
            }
            PrinterEvent::Sent(job) if self.lines[i].out.iter().any(|(id, s)| id == job && *s == JobState::Sending) => {
                if self.sent.is_empty() {
                    self.sent_since = now;
                }
                self.sent.push((i, *job));
            }
            _ => {}
        }
    }

    pub(super) fn printer(&mut self, i: usize, event: &PrinterEvent, now: DateTime<FixedOffset>) -> Result<(), Failed> {
        match event {
            PrinterEvent::Changed(condition) => {
                let news = self.lines[i].is_news(condition);
                self.hear(i, event, now);
                if news {
                    let line = &mut self.lines[i];
                    let faults: Vec<String> = condition.faults.iter().map(|f| f.code.clone()).collect();
                    line.journalled = (condition.state, faults.clone());
                    let name = line.name.clone();
                    tracing::info!(
                        printer = name,
                        state = condition.state.word(),
                        faults = faults.join(","),
                        reason = condition.reason,
                        "printer"
                    );
                    let event = Event::Printer {
                        printer: name,
                        state: condition.state.word().to_owned(),
                        faults,
                        reason: condition.reason.clone(),
                    };
                    self.store.append(&self.head(now, None, None), &event)?;
                }
                Ok(())
            }
            PrinterEvent::Sent(_) => {
                self.hear(i, event, now);
                Ok(())
            }
            PrinterEvent::Printed { jobs, odometer } => {
                self.settle(i, jobs, JobState::Printed, String::new(), now)?;
                let line = &mut self.lines[i];
                line.condition.odometer = Some(*odometer);
                let quick = now.signed_duration_since(line.handed) <= QUICK;
                line.window = if quick { (line.window * 2).min(GROUP_MAX) } else { (line.window / 2).max(1) };
                Ok(())
            }
            PrinterEvent::InDoubt { jobs, known } => {
                tracing::warn!(printer = self.lines[i].name, ?jobs, known, "labels in doubt");
                self.settle(i, jobs, JobState::InDoubt, known.clone(), now)?;
                self.lines[i].in_doubt += jobs.len();
                self.lines[i].window = 1;
                Ok(())
            }
            PrinterEvent::NotSent { jobs, why } => {
                self.settle(i, jobs, JobState::Queued, why.clone(), now)?;
                let line = &mut self.lines[i];
                for job in jobs.iter().rev() {
                    line.queue.push_front(*job);
                }
                Ok(())
            }
        }
    }

    /// A person has said what became of a label that was in doubt.
    pub(in crate::station) fn doubt_settled(&mut self, printer: &str) {
        if let Some(line) = self.lines.iter_mut().find(|l| l.name == printer) {
            line.in_doubt = line.in_doubt.saturating_sub(1);
        }
    }

    /// Writes what became of labels that were out, from whatever state each is in.
    pub(super) fn settle(
        &mut self,
        i: usize,
        jobs: &[JobId],
        to: JobState,
        why: String,
        now: DateTime<FixedOffset>,
    ) -> Result<(), Failed> {
        // A label whose `sent` was not yet written goes straight on from `sending`.
        self.sent.retain(|(_, id)| !jobs.contains(id));
        let head = self.head(now, None, None);
        for from in [JobState::Sending, JobState::Sent] {
            let moved: Vec<JobId> =
                self.lines[i].out.iter().filter(|(id, s)| *s == from && jobs.contains(id)).map(|(id, _)| *id).collect();
            if moved.is_empty() {
                continue;
            }
            let event = Event::JobsMoved { jobs: moved, from, to, why: why.clone(), expects: None };
            self.store.append(&head, &event)?;
        }
        self.lines[i].out.retain(|(id, _)| !jobs.contains(id));
        Ok(())
    }
}

impl Line {
    /// Whether a condition is to be written down: ready and busy alternate with every label; only what
    /// a person would care about is written.
    fn is_news(&self, condition: &Condition) -> bool {
        let calm = |s: State| matches!(s, State::Ready | State::Busy);
        let (state, faults) = &self.journalled;
        calm(condition.state) != calm(*state)
            || !condition.faults.iter().map(|f| &f.code).eq(faults)
            || (!calm(condition.state) && condition.state != *state)
    }

    /// What is wrong with it, in a few words.
    fn trouble(&self) -> String {
        let fault = self.condition.faults.first().map(|f| f.title.clone());
        fault.unwrap_or_else(|| self.condition.state.word().to_owned())
    }

    /// It prints, or would.
    pub(super) fn is_calm(&self) -> bool {
        matches!(self.condition.state, State::Ready | State::Busy)
    }

    /// What the count must show before the next label, if one may be sent right now.
    pub(super) fn expects(&self) -> Option<Expectation> {
        let ahead = self.fresh.len();
        // One group at a time: labels of this batch may join it, labels of an earlier one are awaited.
        let free = self.condition.state == State::Ready && self.out.len() == ahead && ahead < self.window;
        if !free {
            return None;
        }
        Some(Expectation {
            unique_id: self.condition.unique_id.clone()?,
            odometer: self.condition.odometer? + ahead as u64,
        })
    }
}

/// The field that an error is about, where leaving that field off would help.
fn field_of(e: &LabelError) -> Option<&'static str> {
    match e {
        LabelError::TooLong { field, .. }
        | LabelError::Control { field, .. }
        | LabelError::NotInFont { field, .. }
        | LabelError::NotInBarcode { field, .. }
        | LabelError::NoRoom { field, .. } => Some(field),
        _ => None,
    }
}

/// Takes an optional field off a label; `false` where there was none to take.
fn drop_field(label: &mut UnitLabel, field: &str) -> bool {
    let slot = match field {
        "mac" => &mut label.mac,
        "ticket" => &mut label.ticket,
        "customer" => &mut label.customer,
        "ship_date" => &mut label.ship_date,
        "age" => &mut label.age,
        "band" => &mut label.band,
        "hold" => &mut label.hold,
        "due" => &mut label.due,
        "program" => &mut label.program,
        _ => return false,
    };
    slot.take().is_some()
}
