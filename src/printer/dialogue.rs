//! The conversation with one Zebra, as a machine: [`Dialogue::on`] is told what happened and when, and
//! answers with what to do. No wire, no thread, no clock; see [`super::worker`] for those.
//!
//! ```text
//! connect -> who are you (serial number, dpi, count) -> status every second -> ready
//! ready + order -> labels out -> empty, and then the count has grown by the group's size -> printed
//! anything else  -> asked on until the printer is ready, empty and its count rests -> in doubt
//! ```
//!
//! Assumed of the printer (ZPL programming guide): `~HS` and SGD answers come in the order asked on one
//! connection; `odometer.total_label_count` counts a label when it is out and excludes feeds and
//! calibration; some printers answer nothing at all while they stand in an error, so silence is a
//! state of its own, not "offline".
//!
//! Long, because it is one machine: what each input does depends on all that was heard before.

use super::{Condition, FaultText, Order, Pace, PrinterEvent, State};
use crate::domain::job::{Expectation, JobId};
use crate::zebra::{
    ErrorStatus, Fault, GetVar, HostIdentification, HostStatus, PrinterStatus, Query, Reply, Value, faults,
};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// What happened on the wire, or in the station.
#[derive(Debug)]
pub enum Input<'a> {
    /// Time has passed.
    Tick,
    Connected,
    NotConnected {
        fault: Fault,
        why: &'a str,
    },
    Bytes(&'a [u8]),
    /// All bytes of a label were taken by the link.
    Wrote(JobId),
    /// The link takes no more bytes for the moment; the write goes on.
    Stalled,
    /// This label cannot travel the link; none of its bytes was handed over.
    Unfit {
        job: JobId,
        why: &'a str,
    },
    /// The link broke. `during`: the label being written, and how many of its bytes may have been taken.
    Broken {
        fault: Fault,
        why: &'a str,
        during: Option<(JobId, usize)>,
    },
    Order(Order),
}

/// What to do, in order. After a write fails, the writes behind it must not be done.
#[derive(Clone, PartialEq, Debug)]
pub enum Output {
    Connect,
    Close,
    Ask(Vec<u8>),
    Label { job: JobId, zpl: Arc<str> },
    Tell(PrinterEvent),
}

const UNIQUE_ID: GetVar = GetVar("device.unique_id");
const ODOMETER: GetVar = GetVar("odometer.total_label_count");
/// Cancels what is in the printer's buffer (ZPL programming guide, `~JA`). It has no answer.
const CANCEL_ALL: &[u8] = b"~JA";
/// Answers longer than this are not answers.
const BUFFER_MAX: usize = 16 * 1024;
/// Nor does a printer say as much between two rounds of questions; whoever does is none.
const ROUND_MAX: usize = 256 * 1024;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Question {
    UniqueId,
    Identity,
    Odometer,
    Status,
    Errors,
}

enum Link {
    Down { retry: Duration, wait: Duration },
    Connecting,
    Up,
}

/// Labels handed to the printer together; they are proved together.
struct Group {
    jobs: Vec<GroupJob>,
    base: Expectation,
    /// The printer stood in an error meanwhile. It may print an interrupted label again by itself (`^JZ`)
    /// and count that a little later, so its count proves something only when it rests.
    troubled: bool,
}

struct GroupJob {
    id: JobId,
    /// At least one of its bytes may have reached the printer.
    touched: bool,
    written: bool,
}

/// One printer's dialogue.
pub struct Dialogue {
    stock: String,
    dpi: u32,
    pace: Pace,
    link: Link,
    why: String,
    unreachable: Option<Fault>,
    received: Vec<u8>,
    /// Bytes that came since the last round of questions began.
    heard_in_round: usize,
    /// Questions to be asked, the one in the air, and when it was asked.
    plan: VecDeque<Question>,
    asked: Option<(Question, Duration)>,
    next_round: Duration,
    round: Duration,
    heard: Duration,
    silent: bool,
    stalled: bool,
    unique_id: Option<String>,
    dots_per_mm: Option<u8>,
    /// `Some(None)`: it answered that it keeps no count.
    odometer: Option<Option<u64>>,
    status: Option<PrinterStatus>,
    errors: Vec<Fault>,
    /// Answers since the group was written or the connection made; older ones prove nothing.
    fresh_odometer: bool,
    fresh_status: bool,
    /// The count was asked after the printer had said that it is well and holds nothing: it is final.
    /// One from before may still grow, as when an interrupted label is printed again.
    final_count: bool,
    /// Since when the printer is ready and empty with this count.
    rest: Option<(Duration, Option<u64>)>,
    /// Labels went into doubt: what they still do to the count must be over before the next one.
    unrested: bool,
    group: Option<Group>,
    /// The rest of a label that was cut off has been cleared away on this connection.
    swept: bool,
    told: Option<Condition>,
}

impl Dialogue {
    /// A printer with this stock and dpi. `unsettled`: labels that an earlier run of the daemon left
    /// `sending` or `sent`, in order; they are reconciled with the printer's count, never sent again.
    pub fn new(
        stock: String,
        dpi: u32,
        pace: Pace,
        unsettled: Vec<(JobId, Option<Expectation>)>,
    ) -> (Dialogue, Vec<Output>) {
        let mut d = Dialogue {
            stock,
            dpi,
            link: Link::Connecting,
            why: "connecting".to_owned(),
            unreachable: None,
            received: Vec::new(),
            heard_in_round: 0,
            plan: VecDeque::new(),
            asked: None,
            next_round: Duration::ZERO,
            round: pace.idle_poll,
            heard: Duration::ZERO,
            silent: false,
            stalled: false,
            unique_id: None,
            dots_per_mm: None,
            odometer: None,
            status: None,
            errors: Vec::new(),
            fresh_odometer: false,
            fresh_status: false,
            final_count: false,
            unrested: false,
            rest: None,
            group: None,
            swept: false,
            told: None,
            pace,
        };
        let mut out = vec![Output::Connect];
        let ids: Vec<JobId> = unsettled.iter().map(|(id, _)| *id).collect();
        let base = unsettled.iter().filter_map(|(_, e)| e.clone()).min_by_key(|e| e.odometer);
        match base {
            Some(base) if unsettled.iter().all(|(_, e)| e.as_ref().is_some_and(|e| e.unique_id == base.unique_id)) => {
                let jobs = ids.into_iter().map(|id| GroupJob { id, touched: true, written: true }).collect();
                d.group = Some(Group { jobs, base, troubled: false });
            }
            _ if !ids.is_empty() => {
                let known =
                    "the station stopped while it was being sent, and the printer's count from before is not known"
                        .to_owned();
                out.push(Output::Tell(PrinterEvent::InDoubt { jobs: ids, known }));
            }
            _ => {}
        }
        d.tell_condition(&mut out);
        (d, out)
    }

    /// When [`Input::Tick`] is due at the latest.
    pub fn deadline(&self) -> Duration {
        match (&self.link, &self.asked) {
            (Link::Down { retry, .. }, _) => *retry,
            (Link::Connecting, _) => Duration::MAX,
            (Link::Up, Some((_, at))) => *at + self.pace.answer,
            (Link::Up, None) => self.next_round,
        }
    }

    /// Takes what happened at `now` (monotonic, any start).
    pub fn on(&mut self, now: Duration, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        match input {
            Input::Tick => self.tick(now, &mut out),
            Input::Connected => self.connected(now, &mut out),
            Input::NotConnected { fault, why } => {
                self.unreachable = Some(fault);
                self.down(now, why);
            }
            // What an ended connection had said before counts no more.
            Input::Bytes(_) if !matches!(self.link, Link::Up) => {}
            Input::Bytes(bytes) => {
                self.bytes(now, bytes, &mut out);
                self.heard_in_round += bytes.len();
                if self.heard_in_round > ROUND_MAX {
                    let why = "it sends on and on without being asked: is a Zebra at this address?";
                    self.broken(now, why, None, &mut out);
                    self.unreachable = Some(Fault::OtherPrinter);
                    // It will do so again: not several times a second.
                    self.link = Link::Down { retry: now + self.pace.give_up, wait: self.pace.reconnect.1 };
                } else if now >= self.deadline() {
                    // Where bytes come without a pause, nobody else says that time has passed.
                    self.tick(now, &mut out);
                }
            }
            Input::Wrote(job) => self.wrote(now, job, &mut out),
            Input::Stalled => self.stalled = true,
            Input::Unfit { job, why } => self.unfit(now, job, why, &mut out),
            Input::Broken { fault, why, during } => {
                self.broken(now, why, during, &mut out);
                self.unreachable = Some(fault);
            }
            Input::Order(order) => self.order(now, order, &mut out),
        }
        self.tell_condition(&mut out);
        out
    }

    fn tick(&mut self, now: Duration, out: &mut Vec<Output>) {
        match self.link {
            Link::Down { retry, .. } if now >= retry => {
                out.push(Output::Connect);
                if let Link::Down { wait, .. } = self.link {
                    // Kept for the next failure: the pause doubles until a connection is made.
                    self.round = wait;
                }
                self.link = Link::Connecting;
            }
            Link::Up => {
                if let Some((question, at)) = self.asked
                    && now >= at + self.pace.answer
                {
                    // No answer. Ask something else next: some printers answer one and not the other.
                    self.silent = true;
                    self.asked = None;
                    self.plan.clear();
                    self.plan.push_back(if question == Question::Status { Question::Errors } else { Question::Status });
                    if self.unique_id.is_none() {
                        self.plan.extend([Question::UniqueId, Question::Identity, Question::Odometer]);
                    }
                    // A label half-way over the line keeps the line: only the printer may cut it off.
                    if now >= self.heard + self.pace.give_up && !self.writing() {
                        out.push(Output::Close);
                        self.unreachable = Some(Fault::Silent);
                        self.down(now, "it answers no question; connecting anew");
                        return;
                    }
                }
                if self.asked.is_none() && self.plan.is_empty() && now >= self.next_round {
                    self.plan.extend([Question::Status, Question::Odometer]);
                    if self.unique_id.is_none() || self.dots_per_mm.is_none() {
                        self.plan.extend([Question::UniqueId, Question::Identity]);
                    }
                    if self.group.is_some() {
                        self.round = (self.round * 2).min(self.pace.idle_poll / 4);
                    }
                    self.next_round = now + self.round;
                    self.heard_in_round = 0;
                }
                self.ask_next(now, out);
                self.judge(now, out);
            }
            _ => {}
        }
    }

    fn connected(&mut self, now: Duration, out: &mut Vec<Output>) {
        self.link = Link::Up;
        self.why.clear();
        self.unreachable = None;
        self.received.clear();
        self.heard_in_round = 0;
        (self.unique_id, self.dots_per_mm, self.odometer, self.status) = (None, None, None, None);
        self.errors.clear();
        self.asked = None;
        // The status first: it is answered even where a label was cut off and swallows other questions.
        self.plan = VecDeque::from([Question::Status, Question::UniqueId, Question::Odometer, Question::Identity]);
        self.swept = false;
        self.round = self.pace.idle_poll;
        self.next_round = now + self.round;
        self.heard = now;
        (self.silent, self.stalled) = (false, false);
        self.stale();
        self.ask_next(now, out);
    }

    /// What was heard before proves nothing about what was written since.
    fn stale(&mut self) {
        (self.fresh_odometer, self.fresh_status, self.final_count) = (false, false, false);
        self.rest = None;
    }

    fn down(&mut self, now: Duration, why: &str) {
        let (first, last) = self.pace.reconnect;
        let wait = match self.link {
            Link::Connecting => (self.round * 2).clamp(first, last),
            _ => first,
        };
        self.link = Link::Down { retry: now + wait, wait };
        self.why = why.to_owned();
        self.asked = None;
        self.plan.clear();
        self.stalled = false;
        self.stale();
    }

    /// Whether labels are still on their way into the link.
    fn writing(&self) -> bool {
        self.group.as_ref().is_some_and(|g| g.jobs.iter().any(|j| !j.written))
    }

    fn ask_next(&mut self, now: Duration, out: &mut Vec<Output>) {
        // While labels are being written, questions wait: the printer takes one thing at a time.
        if self.asked.is_some() || self.writing() {
            return;
        }
        let Some(question) = self.plan.pop_front() else { return };
        self.asked = Some((question, now));
        out.push(Output::Ask(match question {
            Question::UniqueId => UNIQUE_ID.to_bytes(),
            Question::Identity => HostIdentification.to_bytes(),
            Question::Odometer => ODOMETER.to_bytes(),
            Question::Status => HostStatus.to_bytes(),
            Question::Errors => ErrorStatus.to_bytes(),
        }));
    }

    fn bytes(&mut self, now: Duration, bytes: &[u8], out: &mut Vec<Output>) {
        self.received.extend_from_slice(bytes);
        let mut answered = false;
        while let Some((question, _)) = self.asked {
            let used = match question {
                Question::UniqueId => take(UNIQUE_ID.parse(&self.received), |v| {
                    self.unique_id = match v {
                        Value::Text(id) if !id.is_empty() => Some(id),
                        _ => None,
                    };
                }),
                Question::Identity => {
                    take(HostIdentification.parse(&self.received), |v| self.dots_per_mm = Some(v.dots_per_mm))
                }
                Question::Odometer => take(ODOMETER.parse(&self.received), |v| {
                    self.odometer = Some(v.number());
                    self.fresh_odometer = true;
                    let rests = self.fresh_status && self.status.as_ref().is_some_and(at_rest);
                    match self.rest {
                        Some((since, count)) if rests && count == v.number() => {
                            self.unrested &= now < since + self.pace.idle_poll * 2;
                        }
                        _ => self.rest = rests.then(|| (now, v.number())),
                    }
                    self.final_count = rests && !self.unrested;
                }),
                Question::Status => take(HostStatus.parse(&self.received), |v| {
                    if !at_rest(&v) {
                        (self.final_count, self.rest) = (false, None);
                    }
                    self.status = Some(v);
                    self.errors.clear();
                    self.fresh_status = true;
                }),
                Question::Errors => take(ErrorStatus.parse(&self.received), |v| self.errors = v.faults()),
            };
            match used {
                Taken::Nothing => break,
                Taken::Noise(used) => drop(self.received.drain(..used.min(self.received.len()).max(1))),
                Taken::Answer(used) => {
                    self.received.drain(..used.min(self.received.len()));
                    self.asked = None;
                    answered = true;
                    self.heard = now;
                    if question == Question::Status {
                        self.sweep(out);
                    }
                    // What was written before it has been taken.
                    self.stalled = false;
                    // Only a whole status ends a silence: it is what says that the printer is well.
                    self.silent &= question != Question::Status;
                    self.ask_next(now, out);
                }
            }
        }
        if self.asked.is_none() || self.received.len() > BUFFER_MAX {
            self.received.clear();
        }
        if answered {
            self.judge(now, out);
            if self.group.is_some() && self.asked.is_none() && self.plan.is_empty() {
                self.hurry(now);
            }
        }
    }

    /// A connection that broke in the middle of a label leaves its beginning in the printer, which then
    /// takes everything for more of that label. Nothing can ever print it; `~JA` clears it away, but
    /// only once every whole label before it is out, since it would clear those too.
    fn sweep(&mut self, out: &mut Vec<Output>) {
        let cut = self
            .status
            .as_ref()
            .is_some_and(|s| s.partial_format && s.formats_in_buffer == 0 && s.labels_remaining == 0);
        if cut && !self.swept && !self.writing() {
            self.swept = true;
            out.push(Output::Ask(CANCEL_ALL.to_vec()));
            self.plan.push_front(Question::Status);
        }
    }

    /// The next round of questions comes soon, because labels are on their way.
    fn hurry(&mut self, now: Duration) {
        self.next_round = self.next_round.min(now + self.round);
    }

    fn order(&mut self, now: Duration, order: Order, out: &mut Vec<Output>) {
        let Some(base) = order.jobs.first().map(|j| j.expects.clone()) else { return };
        let ready = self.state() == State::Ready
            && self.unique_id.as_deref() == Some(&base.unique_id)
            && self.odometer == Some(Some(base.odometer));
        if !ready {
            let why = match self.state() {
                State::Ready => "the printer's count moved by itself just before".to_owned(),
                state => format!("the printer was {} just before", state.word()),
            };
            out.push(Output::Tell(PrinterEvent::NotSent { jobs: order.jobs.iter().map(|j| j.id).collect(), why }));
            return;
        }
        self.group = Some(Group {
            jobs: order.jobs.iter().map(|j| GroupJob { id: j.id, touched: false, written: false }).collect(),
            base,
            troubled: false,
        });
        self.round = self.pace.busy_poll;
        self.next_round = now + self.round;
        self.stale();
        out.extend(order.jobs.into_iter().map(|j| Output::Label { job: j.id, zpl: j.zpl }));
    }

    fn wrote(&mut self, now: Duration, job: JobId, out: &mut Vec<Output>) {
        self.stalled = false;
        let Some(group) = &mut self.group else { return };
        if let Some(j) = group.jobs.iter_mut().find(|j| j.id == job) {
            (j.touched, j.written) = (true, true);
            out.push(Output::Tell(PrinterEvent::Sent(job)));
        }
        self.all_written(now, out);
    }

    /// A label that this link can never carry is a person's business: given back it would come again.
    fn unfit(&mut self, now: Duration, job: JobId, why: &str, out: &mut Vec<Output>) {
        let Some(group) = &mut self.group else { return };
        group.jobs.retain(|j| j.id != job);
        if group.jobs.is_empty() {
            self.group = None;
        }
        let known = format!("none of it was sent: {why}");
        out.push(Output::Tell(PrinterEvent::InDoubt { jobs: vec![job], known }));
        self.all_written(now, out);
    }

    /// Asks what became of the group once it is out.
    fn all_written(&mut self, now: Duration, out: &mut Vec<Output>) {
        if self.group.as_ref().is_some_and(|g| g.jobs.iter().all(|j| j.written)) {
            // The status first: the count behind it is final if nothing more is to come.
            self.stale();
            self.plan = VecDeque::from([Question::Status, Question::Odometer]);
            self.heard = now;
            if self.asked.is_none() {
                self.ask_next(now, out);
            }
        }
    }

    fn broken(&mut self, now: Duration, why: &str, during: Option<(JobId, usize)>, out: &mut Vec<Output>) {
        if let Some(group) = &mut self.group {
            if let Some((job, taken)) = during
                && let Some(j) = group.jobs.iter_mut().find(|j| j.id == job)
            {
                j.touched = taken > 0;
            }
            // Labels of which not one byte left go back; the others wait for the printer's count.
            let (touched, untouched): (Vec<_>, Vec<_>) = group.jobs.drain(..).partition(|j| j.touched);
            group.jobs = touched.into_iter().map(|j| GroupJob { written: true, ..j }).collect();
            if group.jobs.is_empty() {
                self.group = None;
            }
            if !untouched.is_empty() {
                let jobs = untouched.into_iter().map(|j| j.id).collect();
                out.push(Output::Tell(PrinterEvent::NotSent { jobs, why: why.to_owned() }));
            }
        }
        out.push(Output::Close);
        self.down(now, why);
    }

    /// Decides what became of the group, if what was heard allows it.
    fn judge(&mut self, now: Duration, out: &mut Vec<Output>) {
        let Some(group) = &mut self.group else { return };
        if group.jobs.iter().any(|j| !j.written) || !matches!(self.link, Link::Up) {
            return;
        }
        group.troubled |= self.silent || self.status.as_ref().is_some_and(|s| !faults(s).is_empty());
        let asked = group.jobs.len() as u64;
        let ids = || group.jobs.iter().map(|j| j.id).collect::<Vec<_>>();
        let doubt = |known: String| PrinterEvent::InDoubt { jobs: ids(), known };
        let verdict = match (&self.unique_id, self.odometer) {
            (Some(id), _) if *id != group.base.unique_id => Some(doubt(format!(
                "{asked} asked of printer {}, but printer {id} answers at its address now",
                group.base.unique_id
            ))),
            (Some(_), Some(None)) if self.fresh_odometer => {
                Some(doubt(format!("{asked} asked; the printer no longer tells its count")))
            }
            (Some(_), Some(Some(count))) if self.fresh_odometer => {
                let came = count.checked_sub(group.base.odometer);
                match came {
                    None => Some(doubt(format!(
                        "{asked} asked; the printer's count went back from {} to {count}",
                        group.base.odometer
                    ))),
                    Some(n) if n > asked => Some(doubt(format!("{asked} asked, {n} came out"))),
                    Some(n) if n == asked && self.final_count && !group.troubled => {
                        Some(PrinterEvent::Printed { jobs: ids(), odometer: count })
                    }
                    Some(n) if self.final_count => {
                        let patience = if n == asked { self.pace.idle_poll * 2 } else { self.pace.settle };
                        let rested = self.rest.is_some_and(|(since, _)| now >= since + patience);
                        rested.then(|| match n == asked {
                            true => PrinterEvent::Printed { jobs: ids(), odometer: count },
                            false => doubt(format!(
                                "{asked} asked, {n} came out; the printer is ready and holds nothing more"
                            )),
                        })
                    }
                    Some(_) => None,
                }
            }
            _ => None,
        };
        if let Some(event) = verdict {
            if matches!(event, PrinterEvent::InDoubt { .. }) {
                (self.unrested, self.final_count, self.rest) = (true, false, None);
            }
            self.group = None;
            self.round = self.pace.idle_poll;
            self.next_round = now + self.round;
            // First that it is free, then the proof: whoever hears that can hand over the next group.
            self.tell_condition(out);
            out.push(Output::Tell(event));
        }
    }

    fn state(&self) -> State {
        self.condition().state
    }

    fn condition(&self) -> Condition {
        let mut found: Vec<Fault> = Vec::new();
        let up = matches!(self.link, Link::Up);
        if up {
            if let Some(status) = &self.status {
                found.extend(faults(status));
            }
            found.extend(self.errors.iter().filter(|f| !found.contains(f)).copied().collect::<Vec<_>>());
            if self.dots_per_mm.is_some_and(|d| dpi_of(d) != self.dpi) {
                found.push(Fault::WrongDpi);
            }
            if self.stalled && found.is_empty() {
                found.push(Fault::BufferStuck);
            }
            if self.silent && found.is_empty() {
                found.push(Fault::Silent);
            }
        } else {
            found.extend(self.unreachable);
        }
        let uncounted = self.odometer == Some(None)
            || (up && !self.silent && self.unique_id.is_none() && self.status.is_some() && self.asked.is_none());
        let known =
            self.status.is_some() && self.unique_id.is_some() && self.odometer.is_some() && self.dots_per_mm.is_some();
        let state = match () {
            () if !up && found.iter().any(|f| matches!(f, Fault::Denied | Fault::InUse)) => State::Denied,
            () if !up => State::Lost,
            () if !found.is_empty() || uncounted => State::Attention,
            () if !known => State::Lost,
            // Also with what is in doubt already, or another host's: the next label needs a count that
            // nothing before it can move.
            () if self.group.is_some() || !self.final_count => State::Busy,
            () => State::Ready,
        };
        let reason = match () {
            () if uncounted => {
                "it does not tell its serial number or its label count, so no print could be proved".to_owned()
            }
            () if up && !known && found.is_empty() => "connected, waiting for its first answers".to_owned(),
            () => self.why.clone(),
        };
        Condition {
            state,
            faults: found
                .into_iter()
                .map(|f| FaultText {
                    code: f.code().to_owned(),
                    title: f.title().to_owned(),
                    instruction: f.instruction(&self.stock),
                })
                .collect(),
            reason,
            unique_id: self.unique_id.clone(),
            odometer: self.odometer.flatten(),
        }
    }

    fn tell_condition(&mut self, out: &mut Vec<Output>) {
        let now = self.condition();
        if self.told.as_ref() != Some(&now) {
            self.told = Some(now.clone());
            out.push(Output::Tell(PrinterEvent::Changed(now)));
        }
    }
}

/// Nothing is wrong and nothing more is to come.
fn at_rest(status: &PrinterStatus) -> bool {
    status.idle() && faults(status).is_empty()
}

/// Dots per inch as printers are sold: 8 dots per mm is called 203 dpi.
fn dpi_of(dots_per_mm: u8) -> u32 {
    match dots_per_mm {
        6 => 152,
        8 => 203,
        12 => 300,
        24 => 600,
        other => u32::from(other) * 254 / 10,
    }
}

enum Taken {
    Nothing,
    Noise(usize),
    Answer(usize),
}

fn take<T>(reply: Reply<T>, keep: impl FnOnce(T)) -> Taken {
    match reply {
        Reply::Incomplete => Taken::Nothing,
        Reply::Bad { used, .. } => Taken::Noise(used),
        Reply::Done { value, used } => {
            keep(value);
            Taken::Answer(used)
        }
    }
}
