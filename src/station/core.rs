//! The core: the one thread that decides and writes. It takes what has arrived, as a batch, through
//! [`flow`](crate::flow), appends the outcome to the journal in one transaction, and only when that
//! is durable lets anything leave: labels to printers, answers to callers, the view to the page.
//!
//! If the batch cannot be written it is rolled back, the memory is read anew from the database, and
//! each input is tried alone; a scan that still fails is shown as not written, and the printer's news
//! is kept until it can be.

use super::request::{self, Request, Response};
use super::view::{FeedLine, Shown, View};
use crate::config::Config;
use crate::device::DeviceEvent;
use crate::domain::event::Event;
use crate::domain::job::{Expectation, Job, JobId, JobState};
use crate::domain::presence::Presence;
use crate::domain::screen::{Kind, Screen};
use crate::domain::session::Session;
use crate::domain::text::escaped;
use crate::flow::{self, Dock, Owed};
use crate::label::{Dpi, LabelError, Stock, UnitLabel};
use crate::printer::{Condition, Order, OrderJob, PrinterEvent, State};
use crate::program::Programs;
use crate::scan::{Frame, Scan};
use crate::store::import::{Counts, Import};
use crate::store::{Head, Store, StoreError, read};
use chrono::{DateTime, FixedOffset};
use serde_json::json;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Labels sent in one group at most. A group grows while the printer proves groups quickly.
const GROUP_MAX: usize = 256;
/// Lines of the page's list of last scans.
const FEED: usize = 12;

/// What arrives at the core.
pub enum Input {
    Device(DeviceEvent),
    Printer(usize, PrinterEvent),
    Request(Box<Request>, Box<dyn FnOnce(Response) + Send>),
    Tick,
}

/// What leaves when the batch is durable.
pub enum Effect {
    Send(usize, Order),
}

/// One configured printer as the core sees it.
pub struct Line {
    pub name: String,
    pub stock: Stock,
    pub dpi: Dpi,
    pub condition: Condition,
    pub queue: VecDeque<JobId>,
    /// Sent or being sent, not yet proved; one group at a time.
    pub out: Vec<(JobId, JobState)>,
    pub in_doubt: usize,
    /// Labels per group; doubles while groups are proved, back to one at the first doubt.
    window: usize,
    /// Made in this batch in state `sending`.
    fresh: Vec<OrderJob>,
    journalled: (State, Vec<String>),
}

/// A scanner as the page shows it.
pub struct Ear {
    pub name: String,
    pub presence: Presence,
    pub reason: String,
    pub since: DateTime<FixedOffset>,
}

pub struct Core {
    pub(super) config: Arc<Config>,
    pub(super) programs: Arc<Programs>,
    pub(super) store: Store,
    pub(super) session: Session,
    pub(super) shown: Option<Shown>,
    pub(super) ears: Vec<Ear>,
    pub(super) lines: Vec<Line>,
    pub(super) feed: VecDeque<FeedLine>,
    pub(super) last_receipt: i64,
    last_job: JobId,
    pub(super) today: super::view::Today,
    /// Sent, not yet written down as such: joins the next transaction, or its own after a moment.
    sent: Vec<(usize, JobId)>,
    effects: Vec<Effect>,
    /// Printer news that could not be written.
    unwritten: Vec<(usize, PrinterEvent)>,
    pub(super) next_rma: Option<(i32, u64)>,
    /// Frames handled since the start.
    pub(super) frames: u64,
    importing: Option<Importing>,
    /// What the import came to, or has come to so far.
    imported: Option<Response>,
}

/// A shipment file on its way in, a slice between scans at a time.
struct Importing {
    import: Import,
    name: String,
    counts: Counts,
}

/// What one input failed with.
pub(super) enum Failed {
    Store(StoreError),
    /// The past could not be asked, or makes no sense; nothing was written.
    Unanswered(String),
}

impl From<StoreError> for Failed {
    fn from(e: StoreError) -> Failed {
        Failed::Store(e)
    }
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failed::Store(e) => e.fmt(f),
            Failed::Unanswered(why) => f.write_str(why),
        }
    }
}

/// Labels of one printer that an earlier run left `sending` or `sent`, with what its count must show.
pub type Unsettled = Vec<(JobId, Option<Expectation>)>;

impl Core {
    /// Reads back what the station was in the middle of. The second value is, per printer, what must
    /// be reconciled with the printer's count.
    pub fn new(config: Arc<Config>, programs: Arc<Programs>, store: Store, now: DateTime<FixedOffset>) -> Result<(Core, Vec<Unsettled>), StoreError> {
        let lines = config
            .printers
            .iter()
            .map(|p| Line {
                name: p.name.clone(),
                stock: p.stock,
                dpi: p.dpi,
                condition: Condition {
                    state: State::Lost,
                    faults: Vec::new(),
                    reason: "starting".to_owned(),
                    unique_id: None,
                    odometer: None,
                },
                queue: VecDeque::new(),
                out: Vec::new(),
                in_doubt: 0,
                window: 1,
                fresh: Vec::new(),
                journalled: (State::Lost, Vec::new()),
            })
            .collect();
        let ears = config
            .scanners
            .iter()
            .map(|s| Ear { name: s.name.clone(), presence: Presence::Lost, reason: "starting".to_owned(), since: now })
            .collect();
        let mut core = Core {
            config,
            programs,
            store,
            session: Session::default(),
            shown: None,
            ears,
            lines,
            feed: VecDeque::new(),
            last_receipt: 0,
            last_job: 0,
            today: Default::default(),
            sent: Vec::new(),
            effects: Vec::new(),
            unwritten: Vec::new(),
            next_rma: None,
            frames: 0,
            importing: None,
            imported: None,
        };
        core.reload()?;
        core.count_today(now)?;
        if let Some((seq, _, screen)) = read::session(&core.store.conn, &core.config.station.id)? {
            core.shown = Shown::from_journal(&core.store.conn, seq, screen)?;
        }
        let mut unsettled: Vec<Unsettled> = core.lines.iter().map(|_| Vec::new()).collect();
        for job in read::open_jobs(&core.store.conn, &core.config.station.id)? {
            if let Some(i) = core.line_of(&job.printer)
                && matches!(job.state, JobState::Sending | JobState::Sent)
            {
                unsettled[i].push((job.id, job.expects));
            }
        }
        Ok((core, unsettled))
    }

    fn line_of(&self, printer: &str) -> Option<usize> {
        self.lines.iter().position(|l| l.name == printer)
    }

    /// Takes everything that a transaction can change from the database.
    fn reload(&mut self) -> Result<(), StoreError> {
        let station = &self.config.station.id;
        self.session = read::session(&self.store.conn, station)?.map(|(_, s, _)| s).unwrap_or_default();
        (self.last_receipt, self.last_job) = read::last_ids(&self.store.conn, station)?;
        self.effects.clear();
        self.next_rma = None;
        for line in &mut self.lines {
            line.queue.clear();
            line.out.clear();
            line.fresh.clear();
            line.in_doubt = 0;
        }
        for job in read::open_jobs(&self.store.conn, station)? {
            // A job for a printer that is no longer configured waits in the table, and is listed.
            let Some(i) = self.line_of(&job.printer) else { continue };
            match job.state {
                JobState::Queued => self.lines[i].queue.push_back(job.id),
                JobState::Sending | JobState::Sent => self.lines[i].out.push((job.id, job.state)),
                _ => self.lines[i].in_doubt += 1,
            }
        }
        Ok(())
    }

    pub(super) fn count_today(&mut self, now: DateTime<FixedOffset>) -> Result<(), StoreError> {
        let day = now.format("%Y-%m-%d").to_string();
        let [scans, receipts, holds, labels] = read::counts_since(&self.store.conn, &self.config.station.id, &day)?;
        self.today = super::view::Today { day, scans, receipts, holds, labels };
        Ok(())
    }

    /// Writes one event of the station's own, alone.
    pub fn note(&mut self, event: &Event, now: DateTime<FixedOffset>) -> Result<(), StoreError> {
        self.store.begin()?;
        let done = self.store.append(&self.head(now, None, None), event);
        match done {
            Ok(_) => self.store.commit(),
            Err(e) => {
                self.store.rollback();
                Err(e)
            }
        }
    }

    fn head(&self, now: DateTime<FixedOffset>, scanner: Option<&str>, raw: Option<Vec<u8>>) -> Head {
        Head { at: now, badge: self.session.badge.clone(), scanner: scanner.map(str::to_owned), raw }
    }

    /// Whether something waits only for the next transaction and should get its own soon.
    pub fn has_soft_news(&self) -> bool {
        !self.sent.is_empty() || !self.unwritten.is_empty()
    }

    /// Decides and writes a batch; returns what may leave now. Callers of requests are answered here,
    /// after the commit.
    pub fn take(&mut self, inputs: Vec<Input>, now: DateTime<FixedOffset>) -> Vec<Effect> {
        if self.today.day != now.format("%Y-%m-%d").to_string() {
            // Midnight at the dock; the counters begin anew. A failure only leaves old counts on the page.
            let _ = self.count_today(now);
        }
        let mut inputs: Vec<Option<Input>> = inputs.into_iter().map(Some).collect();
        let retried: Vec<Option<Input>> = self.unwritten.drain(..).map(|(i, e)| Some(Input::Printer(i, e))).collect();
        inputs.splice(0..0, retried);
        let mut answers = Vec::new();
        match self.transaction(inputs.iter().flatten(), now, &mut answers) {
            Ok(()) => self.answer(inputs, answers),
            Err(_) if inputs.len() > 1 => {
                // Somebody in the batch made it fail: one by one, so that only he does.
                for input in &mut inputs {
                    let one = vec![input.take()];
                    let mut answers = Vec::new();
                    match self.transaction(one.iter().flatten(), now, &mut answers) {
                        Ok(()) => self.answer(one, answers),
                        Err(e) => self.failed(one, &e, now),
                    }
                }
            }
            Err(e) => self.failed(inputs, &e, now),
        }
        std::mem::take(&mut self.effects)
    }

    fn answer(&mut self, inputs: Vec<Option<Input>>, answers: Vec<Response>) {
        let mut answers = answers.into_iter();
        for input in inputs.into_iter().flatten() {
            if let Input::Request(_, reply) = input
                && let Some(answer) = answers.next()
            {
                reply(answer);
            }
        }
    }

    fn failed(&mut self, inputs: Vec<Option<Input>>, why: &Failed, now: DateTime<FixedOffset>) {
        tracing::error!(error = %why, "nothing of this step was written");
        for input in inputs.into_iter().flatten() {
            match input {
                Input::Printer(i, event) => self.unwritten.push((i, event)),
                Input::Request(_, reply) => reply(Response::refused(why.to_string())),
                Input::Device(DeviceEvent::Frame { scanner, frame, .. }) => {
                    let mut screen = Screen {
                        outcome: "not_written".to_owned(),
                        kind: Kind::Error,
                        word: "NOT WRITTEN".to_owned(),
                        title: "This scan was not written down.".to_owned(),
                        why: vec![why.to_string()],
                        next: "Scan it again when this is mended.".to_owned(),
                        rules: Vec::new(),
                        job: None,
                    };
                    screen.why.truncate(1);
                    let bytes = match &frame {
                        Frame::Payload(b) | Frame::Unfinished(b) => b.as_slice(),
                        Frame::TooLong { .. } => &[],
                    };
                    self.show(screen, &scanner, escaped(bytes), now);
                }
                Input::Device(DeviceEvent::State { .. }) | Input::Tick => {}
            }
        }
    }

    /// One transaction over some inputs. On error everything is as before it.
    fn transaction<'i>(&mut self, inputs: impl Iterator<Item = &'i Input>, now: DateTime<FixedOffset>, answers: &mut Vec<Response>) -> Result<(), Failed> {
        self.store.begin()?;
        let before = self.today.clone();
        let mut done = Ok(());
        for input in inputs {
            done = match input {
                Input::Device(event) => self.device(event, now),
                Input::Printer(i, event) => self.printer(*i, event, now),
                Input::Request(request, _) => request::apply(self, request, now).map(|a| answers.push(a)).map_err(Failed::Store),
                Input::Tick => Ok(()),
            };
            if done.is_err() {
                break;
            }
        }
        let done = done.and_then(|()| self.write_sent(now)).and_then(|()| self.assign(now)).and_then(|()| Ok(self.store.commit()?));
        if let Err(e) = done {
            self.store.rollback();
            self.today = before;
            if let Err(again) = self.reload() {
                tracing::error!(error = %again, "the database cannot be read back either");
            }
            return Err(e);
        }
        for (i, line) in self.lines.iter_mut().enumerate() {
            if !line.fresh.is_empty() {
                self.effects.push(Effect::Send(i, Order { jobs: std::mem::take(&mut line.fresh) }));
            }
        }
        Ok(())
    }

    fn device(&mut self, event: &DeviceEvent, now: DateTime<FixedOffset>) -> Result<(), Failed> {
        match event {
            DeviceEvent::State { scanner, presence, reason } => {
                if let Some(ear) = self.ears.iter_mut().find(|e| *e.name == **scanner) {
                    (ear.presence, ear.reason, ear.since) = (*presence, reason.clone(), now);
                }
                tracing::info!(scanner = %scanner, presence = presence.as_str(), reason, "scanner");
                let event = Event::Scanner { scanner: scanner.to_string(), presence: *presence, reason: reason.clone() };
                self.store.append(&self.head(now, Some(scanner), None), &event)?;
                Ok(())
            }
            DeviceEvent::Frame { scanner, frame, .. } => match frame {
                Frame::Payload(bytes) if !bytes.is_empty() => self.scan(scanner, bytes, now),
                _ => self.refused(scanner, frame, now),
            },
        }
    }

    fn refused(&mut self, scanner: &str, frame: &Frame, now: DateTime<FixedOffset>) -> Result<(), Failed> {
        let Some((length, screen)) = flow::refuse(frame) else { return Ok(()) };
        let raw = match frame {
            Frame::Unfinished(bytes) => bytes.clone(),
            Frame::Payload(_) | Frame::TooLong { .. } => Vec::new(),
        };
        let text = escaped(&raw);
        let event = Event::Refused { length, screen: screen.clone() };
        self.store.append(&self.head(now, Some(scanner), (!raw.is_empty()).then_some(raw)), &event)?;
        self.show(screen, scanner, text, now);
        Ok(())
    }

    fn scan(&mut self, scanner: &str, bytes: &[u8], now: DateTime<FixedOffset>) -> Result<(), Failed> {
        let scan = Scan::decode(bytes.to_vec());
        let dock = Dock {
            know: &self.store,
            programs: &self.programs,
            badge_required: self.config.station.badge_required,
            prefix: &self.config.station.prefix,
            now,
            today: now.date_naive(),
            last_receipt: self.last_receipt,
        };
        let mut step = flow::step(&dock, &self.session, &scan).map_err(|e| Failed::Unanswered(e.0))?;
        let job = match &step.label {
            None => None,
            Some(Owed::Unit { receipt, rma, serial, fields }) => {
                self.job(Some(*receipt), Some(rma.clone()), serial.clone(), (**fields).clone(), 1, &mut step.screen)
            }
            Some(Owed::Copy { receipt }) => self.copy(*receipt, &mut step.screen)?,
        };
        step.screen.job = job.as_ref().map(|j| j.id);
        // The badge of this very scan counts for it.
        self.session = step.session;
        let head = self.head(now, Some(scanner), Some(scan.raw));
        let bare = self.head(now, Some(scanner), None);
        let event = Event::Scanned {
            identity: step.identity.as_str().to_owned(),
            value: step.value,
            screen: step.screen.clone(),
            session: self.session.clone(),
        };
        self.store.append(&head, &event)?;
        for event in &step.events {
            self.store.append(&bare, event)?;
            match event {
                Event::Received { receipt } => {
                    self.last_receipt = receipt.id;
                    self.today.receipts += 1;
                    self.today.holds += i64::from(receipt.held);
                }
                Event::Withdrawn { receipt, .. } => {
                    self.today.receipts -= 1;
                    self.take_back(*receipt, &bare)?;
                }
                _ => {}
            }
        }
        if let Some(job) = job {
            self.make(job, &bare)?;
        }
        self.today.scans += 1;
        self.show(step.screen, scanner, escaped(bytes), now);
        Ok(())
    }

    /// A withdrawn receipt's label is not printed if it still waits.
    fn take_back(&mut self, receipt: i64, head: &Head) -> Result<(), Failed> {
        for job in read::jobs_of_receipt(&self.store.conn, &self.config.station.id, receipt)? {
            if job.state != JobState::Queued {
                continue;
            }
            for line in &mut self.lines {
                line.queue.retain(|id| *id != job.id);
            }
            let event = Event::JobsMoved {
                jobs: vec![job.id],
                from: JobState::Queued,
                to: JobState::Cancelled,
                why: format!("receipt {receipt} was taken back"),
                expects: None,
            };
            self.store.append(head, &event)?;
        }
        Ok(())
    }

    fn show(&mut self, screen: Screen, scanner: &str, scanned: String, now: DateTime<FixedOffset>) {
        self.frames += 1;
        tracing::info!(scanner, outcome = screen.outcome, word = screen.word, title = screen.title, "scan");
        self.feed.push_front(FeedLine::of(&screen, now));
        self.feed.truncate(FEED);
        self.shown = Some(Shown { screen, at: now, scanner: scanner.to_owned(), scanned });
    }

    /// Renders a unit label for the first printer. A label that cannot be printed as meant does not
    /// lose the receipt: optional fields that the printer cannot show are left off and named on the screen.
    pub(super) fn job(
        &mut self,
        receipt: Option<i64>,
        rma: Option<String>,
        serial: Option<String>,
        mut fields: UnitLabel,
        copy: u32,
        screen: &mut Screen,
    ) -> Option<Job> {
        let Some(line) = self.lines.first() else {
            screen.why.push("no printer is configured: no label".to_owned());
            return None;
        };
        fields.copy = (copy > 1).then_some(copy);
        let label = loop {
            match fields.render(line.stock, line.dpi) {
                Ok(label) => break label,
                Err(e) => {
                    let dropped = field_of(&e).is_some_and(|f| drop_field(&mut fields, f));
                    screen.why.insert(0, format!("label: {e}"));
                    if !dropped {
                        screen.next = format!("No label was made. {}", screen.next);
                        return None;
                    }
                }
            }
        };
        let printer = line.name.clone();
        self.last_job += 1;
        self.today.labels += 1;
        Some(Job {
            id: self.last_job,
            printer,
            label: "unit".to_owned(),
            copy,
            receipt,
            rma,
            serial,
            zpl: label.zpl,
            fields: serde_json::to_value(&fields).unwrap_or_default(),
        })
    }

    pub(super) fn copy(&mut self, receipt: i64, screen: &mut Screen) -> Result<Option<Job>, Failed> {
        let station = self.config.station.id.clone();
        let jobs = read::jobs_of_receipt(&self.store.conn, &station, receipt)?;
        let Some(newest) = jobs.first() else {
            screen.why.push("this unit has no label to copy".to_owned());
            return Ok(None);
        };
        let Some(first) = read::job(&self.store.conn, &station, newest.id)? else { return Ok(None) };
        let fields: UnitLabel =
            serde_json::from_value(first.fields).map_err(|e| Failed::Unanswered(format!("the label of job {}: {e}", first.id)))?;
        let copy = jobs.iter().map(|j| j.copy).max().unwrap_or(1) + 1;
        screen.why.push(format!("copy {copy} of the label of receipt {receipt}"));
        Ok(self.job(Some(receipt), first.rma, first.serial, fields, copy, screen))
    }

    /// Writes a new job down: as `sending` where its printer is ready and nothing is before it, so
    /// that a label costs one commit; else as `queued`.
    pub(super) fn make(&mut self, job: Job, head: &Head) -> Result<(), Failed> {
        let Some(i) = self.line_of(&job.printer) else {
            return Err(Failed::Unanswered(format!("printer {:?} is not configured", job.printer)));
        };
        let line = &mut self.lines[i];
        let expects = if line.queue.is_empty() { line.expects() } else { None };
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

    /// Moves what waits to `sending` where the printer is free.
    fn assign(&mut self, now: DateTime<FixedOffset>) -> Result<(), Failed> {
        for i in 0..self.lines.len() {
            let line = &self.lines[i];
            if line.queue.is_empty() || !line.out.is_empty() || !line.fresh.is_empty() {
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
                let job = read::job(&self.store.conn, &self.config.station.id, id)?
                    .ok_or_else(|| Failed::Unanswered(format!("the label of job {id} is not in the journal")))?;
                let expects = Expectation { odometer: first.odometer + n as u64, ..first.clone() };
                self.lines[i].out.push((id, JobState::Sending));
                self.lines[i].fresh.push(OrderJob { id, zpl: job.zpl.into(), expects });
            }
        }
        Ok(())
    }

    fn write_sent(&mut self, now: DateTime<FixedOffset>) -> Result<(), Failed> {
        if self.sent.is_empty() {
            return Ok(());
        }
        let jobs: Vec<JobId> = std::mem::take(&mut self.sent).into_iter().map(|(_, id)| id).collect();
        let event = Event::JobsMoved { jobs: jobs.clone(), from: JobState::Sending, to: JobState::Sent, why: String::new(), expects: None };
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

    fn printer(&mut self, i: usize, event: &PrinterEvent, now: DateTime<FixedOffset>) -> Result<(), Failed> {
        match event {
            PrinterEvent::Changed(condition) => {
                let line = &mut self.lines[i];
                line.condition = condition.clone();
                let faults: Vec<String> = condition.faults.iter().map(|f| f.code.clone()).collect();
                // Ready and busy alternate with every label; only what a person would care about is written.
                let calm = |s: State| matches!(s, State::Ready | State::Busy);
                let news = (calm(condition.state) != calm(line.journalled.0)) || faults != line.journalled.1 || (!calm(condition.state) && condition.state != line.journalled.0);
                if news {
                    line.journalled = (condition.state, faults.clone());
                    let name = line.name.clone();
                    tracing::info!(printer = name, state = condition.state.word(), faults = faults.join(","), reason = condition.reason, "printer");
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
            PrinterEvent::Sent(job) => {
                if self.lines[i].out.iter().any(|(id, s)| id == job && *s == JobState::Sending) {
                    self.sent.push((i, *job));
                }
                Ok(())
            }
            PrinterEvent::Printed { jobs, odometer } => {
                self.settle(i, jobs, JobState::Printed, String::new(), now)?;
                let line = &mut self.lines[i];
                line.condition.odometer = Some(*odometer);
                line.window = (line.window * 2).min(GROUP_MAX);
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

    /// Writes what became of labels that were out, from whatever state each is in.
    fn settle(&mut self, i: usize, jobs: &[JobId], to: JobState, why: String, now: DateTime<FixedOffset>) -> Result<(), Failed> {
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

    /// Opens a shipment file for [`Core::import_step`].
    pub(super) fn import_begin(&mut self, path: &Path, name: &str, rejects: &Path) -> Response {
        if self.importing.is_some() {
            return Response::refused("another import is running; wait until it is over");
        }
        match Import::open(path, &self.config.shipments, rejects) {
            Err(e) => Response::refused(e.to_string()),
            Ok(import) => {
                let absent = import.absent().to_vec();
                self.importing = Some(Importing { import, name: name.to_owned(), counts: Counts::default() });
                self.imported = None;
                Response::done("started", json!({"absent": absent}))
            }
        }
    }

    /// How far the import is; `over` when it is done.
    pub(super) fn import_told(&self) -> Response {
        match (&self.imported, &self.importing) {
            (Some(told), _) => told.clone(),
            (None, Some(i)) => Response::done("running", json!({"over": false, "counts": i.counts})),
            (None, None) => Response::refused("no import was started since the station runs"),
        }
    }

    /// Whether a file is being imported.
    pub fn importing(&self) -> bool {
        self.importing.is_some()
    }

    /// One slice of the file, in a transaction of its own. Called when nothing else waits.
    pub fn import_step(&mut self, now: DateTime<FixedOffset>) {
        let Some(mut i) = self.importing.take() else { return };
        let began = Instant::now();
        let head = self.head(now, None, None);
        let done = self.store.begin().map_err(Into::into).and_then(|()| self.store.import_step(&head, &i.name, &mut i.import));
        let done = done.and_then(|step| Ok(self.store.commit().map(|()| step)?));
        match done {
            Ok(step) => {
                i.import.took(began.elapsed());
                i.counts += step.counts;
                if step.end.is_some() {
                    self.imported = Some(Response::done("imported", json!({"over": true, "counts": i.counts})));
                } else {
                    self.importing = Some(i);
                }
            }
            Err(e) => {
                self.store.rollback();
                tracing::error!(error = %e, file = i.name, "the import stopped");
                let text = format!("{e}; {} rows are in, import the file again for the rest", i.counts.inserted + i.counts.updated);
                self.imported = Some(Response::refused(text));
            }
        }
    }

    /// Loads a file while no daemon runs: in one go into an empty table, else slice by slice.
    pub fn import_alone(&mut self, path: &Path, name: &str, rejects: &Path, now: DateTime<FixedOffset>, mut progress: impl FnMut(u64)) -> Result<Counts, String> {
        let mut import = Import::open(path, &self.config.shipments, rejects).map_err(|e| e.to_string())?;
        let head = self.head(now, None, None);
        if self.store.no_shipments().map_err(|e| e.to_string())? {
            return self.store.bulk_import(&head, name, import).map(|s| s.counts).map_err(|e| e.to_string());
        }
        let mut counts = Counts::default();
        loop {
            let began = Instant::now();
            self.store.begin().map_err(|e| e.to_string())?;
            let step = self.store.import_step(&head, name, &mut import);
            let step = step.and_then(|step| Ok(self.store.commit().map(|()| step)?));
            match step {
                Ok(step) => {
                    import.took(began.elapsed());
                    counts += step.counts;
                    progress(counts.inserted + counts.updated + counts.unchanged + counts.rejected);
                    if step.end.is_some() {
                        return Ok(counts);
                    }
                    if self.store.wal_bytes() > 64 << 20 {
                        self.store.checkpoint().map_err(|e| e.to_string())?;
                    }
                }
                Err(e) => {
                    self.store.rollback();
                    return Err(e.to_string());
                }
            }
        }
    }

    /// Erases raw scans beyond their time, written down with their number.
    pub fn erase_old_scans(&mut self, now: DateTime<FixedOffset>) -> Result<(), StoreError> {
        let before = now - chrono::Days::new(u64::from(self.config.station.raw_days));
        self.store.begin()?;
        let done = self.store.erase_raw(&before).and_then(|count| {
            if count > 0 {
                let event = Event::RawErased { before: before.to_rfc3339(), count };
                self.store.append(&self.head(now, None, None), &event)?;
            }
            Ok(())
        });
        match done {
            Ok(()) => self.store.commit(),
            Err(e) => {
                self.store.rollback();
                Err(e)
            }
        }
    }

    /// The page's view of everything, now.
    pub fn view(&self, now: DateTime<FixedOffset>) -> View {
        View::of(self, now)
    }
}

impl Line {
    /// What the count must show before the next label, if one may be sent right now.
    fn expects(&self) -> Option<Expectation> {
        let ahead = self.fresh.len();
        // One group at a time: labels of this batch may join it, labels of an earlier one are awaited.
        let free = self.condition.state == State::Ready && self.out.len() == ahead && ahead < self.window;
        if !free {
            return None;
        }
        Some(Expectation { unique_id: self.condition.unique_id.clone()?, odometer: self.condition.odometer? + ahead as u64 })
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
