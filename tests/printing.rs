//! The printer's dialogue alone against the virtual Zebra, fault by fault, without sockets or sleeping:
//! time is an argument. The whole queue under thousands of drawn schedules is in `schedules.rs`.
//!
//! What must hold at the end of each, when everything is mended again:
//! - no label came out twice, whatever happened;
//! - a label recorded as printed came out;
//! - what is neither printed nor certainly unsent is in doubt, and nothing is left hanging.

use backdock::domain::job::{Expectation, JobId};
use backdock::printer::dialogue::{Dialogue, Input, Output};
use backdock::printer::{Condition, Order, OrderJob, Pace, PrinterEvent, State};
use backdock::sim::engine::{Engine, Options, Reply};
use backdock::sim::fault::Fault;
use backdock::zebra::Fault::{Refused, Unreachable};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Is {
    Queued,
    Sending,
    Sent,
    Printed,
    InDoubt,
}

/// What the database would hold of a job.
#[derive(Clone, Debug)]
struct Row {
    is: Is,
    expects: Option<Expectation>,
    known: String,
}

/// Bytes under way from the station to the printer: the kernel's buffers.
const PIPE: usize = 4096;

struct World {
    now: u64,
    engine: Engine,
    dialogue: Dialogue,
    conn: Option<u64>,
    conns: u64,
    pipe: VecDeque<u8>,
    /// Writes not yet taken by the pipe: a label's number or a question, the bytes, how many are gone.
    writes: VecDeque<(Option<JobId>, Vec<u8>, usize)>,
    rows: BTreeMap<JobId, Row>,
    condition: Option<Condition>,
    group: usize,
    stalled: bool,
}

fn pace() -> Pace {
    Pace { settle: Duration::from_secs(3), give_up: Duration::from_secs(8), ..Pace::default() }
}

fn zpl(job: JobId) -> String {
    format!("^XA^FO10,10^A0N,30,30^FDJOB{job:05}^FS^XZ")
}

impl World {
    fn new(jobs: i64, group: usize, options: Options) -> World {
        let (dialogue, first) = Dialogue::new("4x3".into(), 203, pace(), Vec::new());
        let mut world = World {
            now: 0,
            engine: Engine::new(options),
            dialogue,
            conn: None,
            conns: 0,
            pipe: VecDeque::new(),
            writes: VecDeque::new(),
            rows: (1..=jobs).map(|id| (id, Row { is: Is::Queued, expects: None, known: String::new() })).collect(),
            condition: None,
            group,
            stalled: false,
        };
        world.act(first);
        world
    }

    fn tell(&mut self, input: Input) {
        let outputs = self.dialogue.on(Duration::from_millis(self.now), input);
        self.act(outputs);
    }

    fn act(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Tell(event) => self.told(event),
                Output::Close => self.hang_up(),
                Output::Connect => {
                    self.conns += 1;
                    if self.engine.connect(self.conns) {
                        self.conn = Some(self.conns);
                        self.tell(Input::Connected);
                    } else {
                        self.tell(Input::NotConnected { fault: Refused, why: "refused" });
                    }
                }
                Output::Ask(bytes) => self.writes.push_back((None, bytes, 0)),
                Output::Label { job, zpl } => self.writes.push_back((Some(job), zpl.as_bytes().to_vec(), 0)),
            }
        }
    }

    fn hang_up(&mut self) {
        // Closing in order: what the kernel has taken still arrives.
        self.flush();
        if let Some(conn) = self.conn.take() {
            self.engine.disconnect(conn);
        }
        self.pipe.clear();
        self.writes.clear();
    }

    fn told(&mut self, event: PrinterEvent) {
        let mut set = |jobs: &[JobId], is: Is, known: &str| {
            for job in jobs {
                let row = self.rows.get_mut(job).unwrap();
                let legal = match is {
                    Is::Sent => row.is == Is::Sending,
                    Is::Printed | Is::InDoubt => matches!(row.is, Is::Sending | Is::Sent),
                    Is::Queued => row.is == Is::Sending,
                    Is::Sending => row.is == Is::Queued,
                };
                assert!(legal, "job {job} went from {:?} to {is:?}", row.is);
                (row.is, row.known) = (is, known.to_owned());
            }
        };
        match event {
            PrinterEvent::Changed(condition) => self.condition = Some(condition),
            PrinterEvent::Sent(job) => set(&[job], Is::Sent, ""),
            PrinterEvent::Printed { jobs, .. } => set(&jobs, Is::Printed, ""),
            PrinterEvent::InDoubt { jobs, known } => set(&jobs, Is::InDoubt, &known),
            PrinterEvent::NotSent { jobs, why } => set(&jobs, Is::Queued, &why),
        }
    }

    /// The station's part: a group goes out when the printer is ready and nothing is out.
    fn assign(&mut self) {
        let out = self.rows.values().any(|r| matches!(r.is, Is::Sending | Is::Sent));
        let Some(Condition { state: State::Ready, unique_id: Some(id), odometer: Some(count), .. }) =
            self.condition.clone()
        else {
            return;
        };
        if out {
            return;
        }
        let group: Vec<JobId> =
            self.rows.iter().filter(|(_, r)| r.is == Is::Queued).map(|(id, _)| *id).take(self.group).collect();
        if group.is_empty() {
            return;
        }
        let jobs = group
            .iter()
            .enumerate()
            .map(|(n, job)| {
                let expects = Expectation { unique_id: id.clone(), odometer: count + n as u64 };
                let row = self.rows.get_mut(job).unwrap();
                (row.is, row.expects) = (Is::Sending, Some(expects.clone()));
                OrderJob { id: *job, zpl: Arc::from(zpl(*job)), expects }
            })
            .collect();
        self.tell(Input::Order(Order { jobs }));
    }

    /// Bytes from the pipe into the printer, as far as it takes them.
    fn flush(&mut self) {
        let Some(conn) = self.conn else { return };
        while !self.pipe.is_empty() && self.engine.room() > 0 {
            let bytes: Vec<u8> = self.pipe.iter().copied().collect();
            let taken = self.engine.receive(conn, &bytes, self.now);
            self.pipe.drain(..taken.bytes);
            let stuck = taken.bytes == 0;
            self.replies(taken.replies);
            if stuck || self.conn != Some(conn) {
                return;
            }
        }
    }

    fn replies(&mut self, replies: Vec<Reply>) {
        for reply in replies {
            match reply {
                Reply::Bytes { conn, bytes } if self.conn == Some(conn) => self.tell(Input::Bytes(&bytes)),
                Reply::Reset { conn } if self.conn == Some(conn) => {
                    self.conn = None;
                    self.pipe.clear();
                    let during = self.writes.front().and_then(|(job, _, gone)| job.map(|job| (job, *gone)));
                    self.writes.clear();
                    self.tell(Input::Broken { fault: Unreachable, why: "connection reset", during });
                }
                _ => {}
            }
        }
    }

    /// Everything that can happen now.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            let before = (self.writes.len(), self.pipe.len(), self.conns);
            self.flush();
            let replies = self.engine.tick(self.now);
            self.replies(replies);
            self.assign();
            while self.pipe.len() < PIPE && self.conn.is_some() {
                let Some((job, bytes, gone)) = self.writes.front_mut() else { break };
                let n = (PIPE - self.pipe.len()).min(bytes.len() - *gone);
                self.pipe.extend(&bytes[*gone..*gone + n]);
                *gone += n;
                self.stalled = false;
                if *gone == bytes.len() {
                    let job = *job;
                    self.writes.pop_front();
                    if let Some(job) = job {
                        self.tell(Input::Wrote(job));
                    }
                }
            }
            if !self.writes.is_empty() && !self.stalled {
                self.stalled = true;
                self.tell(Input::Stalled);
            }
            if before == (self.writes.len(), self.pipe.len(), self.conns) {
                return;
            }
        }
        panic!("the dialogue never rests at {} ms", self.now);
    }

    fn run_until(&mut self, until: u64) {
        while self.now < until {
            self.settle();
            let deadline = self.dialogue.deadline().as_millis().min(u128::from(u64::MAX)) as u64;
            let wake = self.engine.next_wake().unwrap_or(u64::MAX);
            self.now = deadline.min(wake).min(until).max(self.now + 1);
            let replies = self.engine.tick(self.now);
            self.replies(replies);
            self.tell(Input::Tick);
        }
        self.settle();
    }

    /// kill -9 of the daemon and a new start from what the database holds.
    fn kill(&mut self) {
        self.flush();
        if let Some(conn) = self.conn.take() {
            self.engine.disconnect(conn);
        }
        self.pipe.clear();
        self.writes.clear();
        self.condition = None;
        let unsettled: Vec<_> = self
            .rows
            .iter()
            .filter(|(_, r)| matches!(r.is, Is::Sending | Is::Sent))
            .map(|(id, r)| (*id, r.expects.clone()))
            .collect();
        let (dialogue, first) = Dialogue::new("4x3".into(), 203, pace(), unsettled);
        self.dialogue = dialogue;
        // The new process starts its own clock; ours goes on, which only makes deadlines due.
        self.act(first);
    }

    /// How often each job's label came out whole.
    fn came(&self) -> BTreeMap<JobId, usize> {
        let mut came = BTreeMap::new();
        for label in self.engine.labels().iter().filter(|l| !l.damaged) {
            let text = String::from_utf8_lossy(&label.zpl).into_owned();
            let job: JobId = text.split("JOB").nth(1).and_then(|t| t.get(..5)).and_then(|t| t.parse().ok()).unwrap();
            *came.entry(job).or_default() += 1;
        }
        came
    }

    fn judge(&self) -> Result<(), String> {
        let came = self.came();
        for (job, row) in &self.rows {
            let n = came.get(job).copied().unwrap_or(0);
            let fine = match row.is {
                Is::Printed => n == 1,
                // More than one only where the printer did it, and says so.
                Is::InDoubt => !row.known.is_empty() && (n <= 1 || row.known.contains(&format!("{n} came out"))),
                Is::Queued | Is::Sending | Is::Sent => false,
            };
            if !fine {
                return Err(format!(
                    "job {job} is {:?} ({}) and came out {n} times; came {came:?}; condition {:?}; {:#?}",
                    row.is, row.known, self.condition, self.rows
                ));
            }
        }
        Ok(())
    }

    fn states(&self) -> Vec<Is> {
        self.rows.values().map(|r| r.is).collect()
    }
}

fn fault(text: &str) -> Fault {
    text.parse().unwrap()
}

fn played(jobs: i64, group: usize, faults: &[&str], then: impl FnOnce(&mut World)) -> World {
    let options = Options { faults: faults.iter().map(|f| fault(f)).collect(), ..Options::default() };
    let mut world = World::new(jobs, group, options);
    then(&mut world);
    world.judge().unwrap_or_else(|e| panic!("{faults:?}: {e}"));
    world
}

#[test]
fn a_healthy_printer_proves_every_label() {
    for group in [1, 3, 20] {
        let world = played(20, group, &[], |w| w.run_until(30_000));
        assert!(world.states().iter().all(|s| *s == Is::Printed));
    }
}

#[test]
fn every_fault_is_named_and_ends_right() {
    // (fault, code shown while it lasts, what becomes of three labels, one at a time)
    use Is::*;
    let table: &[(&str, &str, [Is; 3])] = &[
        ("paper-out@2:5", "silent", [Printed, Printed, Printed]),
        ("paper-out-mid@2:5", "silent", [Printed, Printed, Printed]),
        ("ribbon-out@2:5", "silent", [Printed, Printed, Printed]),
        ("head-open@2:5", "silent", [Printed, Printed, Printed]),
        ("over-temp@2:5", "silent", [Printed, Printed, Printed]),
        ("pause@2:5", "paused", [Printed, Printed, Printed]),
        ("reset@2", "unreachable", [Printed, InDoubt, Printed]),
        ("power-off@2:5", "refused", [Printed, InDoubt, Printed]),
        ("refuse@2:5", "refused", [Printed, InDoubt, Printed]),
        ("silent@2:5", "silent", [Printed, Printed, Printed]),
        ("garbage@2:5", "silent", [Printed, Printed, Printed]),
        ("half@2:5", "silent", [Printed, Printed, Printed]),
        ("never-read@2:5", "silent", [Printed, Printed, Printed]),
        ("lost-label@2", "", [Printed, InDoubt, Printed]),
        ("extra@2", "", [Printed, InDoubt, Printed]),
        ("swap@2", "unreachable", [Printed, InDoubt, Printed]),
        ("reprint@2:5", "silent", [Printed, InDoubt, Printed]),
    ];
    for (name, code, want) in table {
        let mut seen = false;
        let world = played(3, 1, &[name], |w| {
            for t in 1..=1200 {
                w.run_until(t * 50);
                seen |= w
                    .condition
                    .as_ref()
                    .is_some_and(|c| c.faults.iter().any(|f| f.code == *code && !f.instruction.is_empty()));
            }
        });
        assert_eq!(world.states(), want, "{name}: {:?}", world.rows);
        assert!(seen || code.is_empty(), "{name}: the fault {code:?} was never shown");
    }
}

#[test]
fn a_fault_that_the_printer_tells_is_shown_by_its_own_name() {
    for (name, code) in
        [("paper-out@1:9", "paper_out"), ("head-open@1:9", "head_open"), ("over-temp@1:9", "over_temperature")]
    {
        let options = Options { faults: vec![fault(name)], silent_in_error: false, ..Options::default() };
        let mut world = World::new(2, 1, options);
        // Shown within a second of the printer knowing it.
        world.run_until(2_000);
        let shown = world.condition.clone().unwrap();
        assert_eq!(shown.state, State::Attention, "{name}");
        assert_eq!(shown.faults[0].code, code);
        world.run_until(40_000);
        world.judge().unwrap();
        assert!(world.states().iter().all(|s| *s == Is::Printed), "{name}: {:?}", world.rows);
    }
}

#[test]
fn doubt_says_what_is_known() {
    let world = played(5, 5, &["lost-label@3"], |w| w.run_until(60_000));
    assert!(
        world.rows.values().all(|r| r.is == Is::InDoubt && r.known.contains("5 asked, 4 came out")),
        "{:?}",
        world.rows
    );
    let world = played(1, 1, &["swap@1"], |w| w.run_until(60_000));
    assert!(world.rows[&1].known.contains("answers at its address now"), "{:?}", world.rows);
}

#[test]
fn a_kill_at_every_moment_of_three_labels() {
    for at in (0..1500).step_by(7) {
        let mut world = World::new(3, 1, Options::default());
        world.run_until(at);
        world.kill();
        world.run_until(at + 60_000);
        world.judge().unwrap_or_else(|e| panic!("killed at {at} ms: {e}"));
    }
}

/// The newest condition that was told.
fn told(outputs: &[Output]) -> Option<&Condition> {
    outputs.iter().rev().find_map(|output| match output {
        Output::Tell(PrinterEvent::Changed(condition)) => Some(condition),
        _ => None,
    })
}

#[test]
fn time_passes_while_something_else_talks_without_a_pause() {
    let (mut dialogue, _) = Dialogue::new("4x3".into(), 203, pace(), Vec::new());
    dialogue.on(Duration::ZERO, Input::Connected);
    let mut asked = 0;
    for ms in 1..=7900 {
        let outputs = dialogue.on(Duration::from_millis(ms), Input::Bytes(b"chatter"));
        assert!(!outputs.contains(&Output::Close), "{ms} ms");
        asked += outputs.iter().filter(|output| matches!(output, Output::Ask(_))).count();
    }
    // Nobody has called Tick; every answer that stays away is one more question.
    assert!(asked >= 3, "{asked}");
    let outputs = dialogue.on(pace().give_up + pace().answer, Input::Bytes(b"chatter"));
    assert!(outputs.contains(&Output::Close), "it answered nothing for so long: {outputs:?}");
}

#[test]
fn who_sends_on_and_on_is_named_and_left_alone_for_a_while() {
    let (mut dialogue, _) = Dialogue::new("4x3".into(), 203, pace(), Vec::new());
    dialogue.on(Duration::ZERO, Input::Connected);
    let now = Duration::from_millis(5);
    let outputs = (0..100).find_map(|_| {
        let outputs = dialogue.on(now, Input::Bytes(&[b'x'; 4096]));
        outputs.contains(&Output::Close).then_some(outputs)
    });
    let outputs = outputs.expect("the connection is given up");
    let condition = told(&outputs).expect("it is told");
    assert_eq!(condition.faults[0].code, "other_printer");
    assert!(condition.reason.contains("is a Zebra at this address"), "{}", condition.reason);
    // What it had said before the end is no news, and the next try comes late.
    assert_eq!(dialogue.on(now, Input::Bytes(&[b'x'; 4096])), []);
    assert_eq!(dialogue.deadline(), now + pace().give_up);
    let again = dialogue.on(now + pace().give_up, Input::Tick);
    assert!(again.contains(&Output::Connect), "{again:?}");
}
