//! The core: the one thread that decides and writes. It takes what has arrived, as a batch, through
//! [`flow`](crate::flow), appends the outcome to the journal in one transaction, and only when that
//! is durable lets anything leave: labels to printers, answers to callers, the view to the page.
//!
//! If the batch cannot be written it is rolled back, the memory is read anew from the database, and
//! each input is tried alone; a scan that still fails is shown as not written, and the printer's news
//! is kept until it can be.
//!
//! Long: what the core remembers stands in one place, with all that reads it anew from the database.

mod imports;
mod jobs;
pub(super) use jobs::Made;
pub use tags::{CarrierLabel, TagWanted};
mod life;
mod outbox;
pub(super) mod papers;
mod programs;
mod scans;
mod tags;

use super::request::{self, Request, Response};
use super::view::{FeedLine, Shown, View};
use crate::config::Config;
use crate::device::{DeviceEvent, Tap};
use crate::domain::event::Event;
use crate::domain::job::{Expectation, JobId, JobState};
use crate::domain::presence::Presence;
use crate::domain::screen::Kind;
use crate::domain::session::Session;
use crate::label::{Dpi, Stock};
use crate::message::{Answer, Dispatch};
use crate::printer::{Condition, Order, OrderJob, PrinterEvent, State};
use crate::program::Programs;
use crate::store::{Head, Store, StoreError, read};
use chrono::{DateTime, FixedOffset, NaiveDate};
use std::collections::VecDeque;
use std::sync::Arc;

/// Labels sent in one group at most: what comes in while the group before is proved in a burst, twice
/// a batch of scans.
const GROUP_MAX: usize = 2 * super::BATCH;
/// A group proved within this time may be followed by a larger one. Only then: what a slow printer
/// holds unproved is in doubt all together when its power fails.
const QUICK: chrono::TimeDelta = chrono::TimeDelta::milliseconds(250);
/// Lines of the page's list of last scans.
const FEED: usize = 12;

/// What arrives at the core.
pub enum Input {
    Device(DeviceEvent),
    Printer(usize, PrinterEvent),
    /// What became of a message.
    Message(Answer),
    Request(Box<Request>, Box<dyn FnOnce(Response) + Send>),
    Tick,
}

/// What leaves when the batch is durable.
pub enum Effect {
    Send(usize, Order),
    Dispatch(Box<Dispatch>),
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
    /// Labels per group: doubles after a group that was proved quickly, halves after a slow one, back
    /// to one at the first doubt.
    window: usize,
    /// When the group that is out was handed over.
    handed: DateTime<FixedOffset>,
    /// Made in this batch in state `sending`.
    fresh: Vec<OrderJob>,
    journalled: (State, Vec<String>),
    /// Since when it is in trouble.
    troubled: Option<DateTime<FixedOffset>>,
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
    /// What the scans of this batch will show when it is durable.
    showing: Vec<Shown>,
    pub(super) ears: Vec<Ear>,
    /// Scanners whose scan was answered, and how; whoever lets them beep takes it.
    pub(super) answered: Vec<(String, Kind)>,
    pub(super) lines: Vec<Line>,
    pub(super) feed: VecDeque<FeedLine>,
    pub(super) last_receipt: i64,
    last_job: JobId,
    pub(super) today: super::view::Today,
    /// Sent, not yet written down as such. Most labels are proved within [`SOFT`](super::SOFT); only of
    /// those that are not it is worth a row.
    sent: Vec<(usize, JobId)>,
    /// Since when the first of them waits.
    sent_since: DateTime<FixedOffset>,
    effects: Vec<Effect>,
    /// Printer news that could not be written, in order.
    unwritten: Vec<(usize, PrinterEvent)>,
    /// The printers' threads have ended: what is made from here on waits for the next start.
    closed: bool,
    /// The memory could not be read back after a rollback: nothing is decided before it is.
    stale: bool,
    /// The log has been told that nothing can be written; it need not hear it of every try.
    stuck: bool,
    pub(super) outbox: outbox::Outbox,
    pub(super) next_rma: Option<(i32, u64)>,
    /// Frames handled since the start.
    pub(super) frames: u64,
    importing: Option<imports::Importing>,
    /// What the import came to, or has come to so far.
    imported: Option<Response>,
    /// The last day for which every open case was looked at, and the one that is under way.
    passed: Option<NaiveDate>,
    passing: Option<life::Passing>,
    /// Where tapes of the scanners can be put in; empty while no daemon runs.
    pub(super) taps: Vec<(String, Tap)>,
    /// What became of the papers that a step owed.
    papers: Vec<serde_json::Value>,
}

/// The dock's day, as dates are written.
fn day_of(now: DateTime<FixedOffset>) -> String {
    now.date_naive().to_string()
}

/// What one input failed with.
pub(super) enum Failed {
    Store(StoreError),
    /// No transaction could be begun: no input is to blame.
    Closed(StoreError),
    /// The past could not be asked, or makes no sense; nothing was written.
    Unanswered(String),
}

impl From<StoreError> for Failed {
    fn from(e: StoreError) -> Failed {
        Failed::Store(e)
    }
}

impl From<Failed> for StoreError {
    fn from(e: Failed) -> StoreError {
        match e {
            Failed::Store(e) | Failed::Closed(e) => e,
            Failed::Unanswered(why) => StoreError::Unreadable(why),
        }
    }
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failed::Store(e) | Failed::Closed(e) => e.fmt(f),
            Failed::Unanswered(why) => f.write_str(why),
        }
    }
}

/// Labels of one printer that an earlier run left `sending` or `sent`, with what its count must show.
pub type Unsettled = Vec<(JobId, Option<Expectation>)>;

impl Core {
    /// Reads back what the station was in the middle of. The second value is, per printer, what must
    /// be reconciled with the printer's count.
    pub fn new(
        config: Arc<Config>,
        programs: Programs,
        mut store: Store,
        now: DateTime<FixedOffset>,
    ) -> Result<(Core, Vec<Unsettled>), StoreError> {
        let programs = Arc::new(programs::adopt(&mut store, programs, now)?);
        let outbox = outbox::Outbox::new(&config, &programs)?;
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
                handed: now,
                fresh: Vec::new(),
                journalled: (State::Lost, Vec::new()),
                troubled: Some(now),
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
            showing: Vec::new(),
            ears,
            answered: Vec::new(),
            lines,
            feed: VecDeque::new(),
            last_receipt: 0,
            last_job: 0,
            today: super::view::Today { day: day_of(now), ..Default::default() },
            sent: Vec::new(),
            sent_since: now,
            effects: Vec::new(),
            unwritten: Vec::new(),
            closed: false,
            stale: false,
            stuck: false,
            outbox,
            next_rma: None,
            frames: 0,
            importing: None,
            imported: None,
            passed: None,
            passing: None,
            taps: Vec::new(),
            papers: Vec::new(),
        };
        core.reload()?;
        core.settle_left_over(now)?;
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
        // First what must not leave when the rest cannot be read. `effects` stays: what is in it is durable, and
        // its labels are `sending` from here on.
        self.stale = true;
        self.showing.clear();
        self.next_rma = None;
        for line in &mut self.lines {
            line.queue.clear();
            line.out.clear();
            line.fresh.clear();
            line.in_doubt = 0;
        }
        let station = &self.config.station.id;
        self.session = read::session(&self.store.conn, station)?.map(|(_, s, _)| s).unwrap_or_default();
        (self.last_receipt, self.last_job) = read::last_ids(&self.store.conn, station)?;
        self.outbox.reload(&self.store.conn, station)?;
        for job in read::open_jobs(&self.store.conn, station)? {
            // A job for a printer that is no longer configured waits in the table, and is listed.
            let Some(i) = self.line_of(&job.printer) else { continue };
            match job.state {
                JobState::Queued => self.lines[i].queue.push_back(job.id),
                JobState::Sending | JobState::Sent => self.lines[i].out.push((job.id, job.state)),
                _ => self.lines[i].in_doubt += 1,
            }
        }
        self.stale = false;
        Ok(())
    }

    /// Counts the dock's day anew from the tables. Until then all counts are zero.
    pub fn count_today(&mut self, now: DateTime<FixedOffset>) -> Result<(), StoreError> {
        let day = day_of(now);
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

    /// Whether something waits that needs a transaction of its own soon.
    pub fn has_soft_news(&self) -> bool {
        !self.sent.is_empty()
    }

    /// Whether it has waited long enough.
    pub fn soft_news_is_due(&self, now: DateTime<FixedOffset>) -> bool {
        let waited = now.signed_duration_since(self.sent_since).to_std().unwrap_or(super::SOFT);
        !self.sent.is_empty() && waited >= super::SOFT
    }

    /// Whether printer news could not be written and should be tried again now and then.
    pub fn has_unwritten(&self) -> bool {
        !self.unwritten.is_empty() || self.outbox.has_unwritten()
    }

    /// From now on no label is handed to a printer, and no message to the sender.
    pub fn close(&mut self) {
        self.closed = true;
        self.outbox.close();
    }

    /// Decides and writes a batch; returns what may leave now. Callers of requests are answered here,
    /// after the commit.
    pub fn take(&mut self, inputs: Vec<Input>, now: DateTime<FixedOffset>) -> Vec<Effect> {
        if self.today.day != day_of(now) {
            // Midnight at the dock; the counters begin anew. A failure only leaves old counts on the page.
            let _ = self.count_today(now);
        }
        if !self.has_unwritten() && inputs.iter().all(|input| self.is_soft(input)) {
            for input in &inputs {
                if let Input::Printer(i, event) = input {
                    self.hear(*i, event, now);
                }
            }
            return Vec::new();
        }
        let mut inputs: Vec<Option<Input>> = inputs.into_iter().map(Some).collect();
        let retried: Vec<Option<Input>> = self.unwritten.drain(..).map(|(i, e)| Some(Input::Printer(i, e))).collect();
        inputs.splice(0..0, retried);
        inputs.splice(0..0, self.outbox.take_unwritten().map(|answer| Some(Input::Message(answer))));
        let mut answers = Vec::new();
        match self.transaction(inputs.iter().flatten(), now, &mut answers) {
            Ok(()) => self.answer(inputs, answers),
            Err(e) if inputs.len() > 1 && !matches!(e, Failed::Closed(_)) => {
                // Somebody in the batch made it fail: one by one, so that only he does.
                for input in &mut inputs {
                    let one = vec![input.take()];
                    if let ([Some(Input::Printer(i, event))], true) = (one.as_slice(), self.has_unwritten()) {
                        // Older news waits; this would be overtaken by what it replaces.
                        self.unwritten.push((*i, event.clone()));
                        continue;
                    }
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
        let retried =
            inputs.iter().flatten().all(|i| matches!(i, Input::Printer(..) | Input::Message(_) | Input::Tick));
        if !(self.stuck && retried) {
            tracing::error!(error = %why, "nothing of this step was written");
        }
        self.stuck = true;
        for input in inputs.into_iter().flatten() {
            match input {
                Input::Printer(i, event) => self.unwritten.push((i, event)),
                Input::Message(answer) => self.outbox.keep(answer),
                Input::Request(_, reply) => reply(Response::again(why.to_string())),
                Input::Device(DeviceEvent::Frame { scanner, frame, .. }) => {
                    self.not_written(&scanner, &frame, why, now);
                }
                Input::Device(DeviceEvent::State { .. }) | Input::Tick => {}
            }
        }
        self.reveal();
    }

    /// One transaction over some inputs. On error everything is as before it.
    fn transaction<'i>(
        &mut self,
        inputs: impl Iterator<Item = &'i Input>,
        now: DateTime<FixedOffset>,
        answers: &mut Vec<Response>,
    ) -> Result<(), Failed> {
        if self.stale {
            self.reload().map_err(Failed::Closed)?;
        }
        self.store.begin().map_err(Failed::Closed)?;
        let (before, seq) = ((self.today.clone(), self.sent.clone()), self.store.seq());
        let journalled: Vec<_> = self.lines.iter().map(|line| line.journalled.clone()).collect();
        let mut done = Ok(());
        for input in inputs {
            done = match input {
                Input::Device(event) => self.device(event, now),
                Input::Printer(i, event) => self.printer(*i, event, now),
                Input::Message(answer) => self.message_answered(answer, now),
                Input::Request(request, _) => {
                    request::apply(self, request, now).map(|a| answers.push(a)).map_err(Failed::Store)
                }
                Input::Tick => Ok(()),
            };
            if done.is_err() {
                break;
            }
        }
        let done = done
            .and_then(|()| self.write_sent(now))
            .and_then(|()| self.assign(now))
            .and_then(|()| self.dispatch(now))
            .and_then(|()| Ok(self.store.commit()?));
        if let Err(e) = done {
            self.store.rollback();
            (self.today, self.sent) = before;
            for (line, journalled) in self.lines.iter_mut().zip(journalled) {
                line.journalled = journalled;
            }
            if let Err(again) = self.reload() {
                // What was rolled back must not leave: see `stale`.
                tracing::error!(error = %again, "the database cannot be read back either");
            }
            return Err(e);
        }
        if self.stuck && self.store.seq() > seq {
            self.stuck = false;
            tracing::info!("the database is written again");
        }
        self.reveal();
        for (i, line) in self.lines.iter_mut().enumerate() {
            if !line.fresh.is_empty() {
                line.handed = now;
                self.effects.push(Effect::Send(i, Order { jobs: std::mem::take(&mut line.fresh) }));
            }
        }
        self.effects.extend(self.outbox.take_fresh().map(|d| Effect::Dispatch(Box::new(d))));
        Ok(())
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

    /// For the fault schedules: from now on nothing that needs room can be written, or there is room again.
    #[doc(hidden)]
    pub fn pretend_full(&self, full: bool) -> Result<(), StoreError> {
        self.store.pretend_full(full)
    }

    /// The page's view of everything, now.
    pub fn view(&self, now: DateTime<FixedOffset>) -> View {
        View::of(self, now)
    }
}

#[cfg(test)]
mod tests;
