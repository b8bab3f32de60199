//! One schedule: the station's queue, the cable and the printers, moved one small step at a time.
//!
//! Real: the core with its database, and the dialogue. Played: the hall between them (its queues, which
//! a kill empties), the printer's thread ([`link`](crate::link)), the cable, the printers
//! ([`Engine`]), and time. Of those that could move now, chance says which one does; only when nobody
//! can, time goes on to the next moment at which somebody could.

use crate::cable::Cable;
use crate::link::{Mail, Queue, Worker};
use crate::plan::{Act, Moment, Plan, When};
use crate::station::{Bench, scan, time, unit};
use backdock::domain::job::{JobId, JobState};
use backdock::printer::{Pace, PrinterEvent};
use backdock::sim::dice::Dice;
use backdock::sim::engine::{Control, Engine, Options};
use backdock::sim::fault::Trouble;
use backdock::station::core::{Core, Effect, Input};
use backdock::station::request::{Request, Response};
use backdock::store::{self, read};
use std::collections::VecDeque;
use std::fmt::Write as _;

/// A label of another host.
pub const FOREIGN: &str = "^XA^FO10,10^A0N,30,30^FDFOREIGN^FS^XZ";
/// The station's turns, as the hall keeps them, in milliseconds.
const TURN: u64 = 1_000;
const SOFT: u64 = 50;
/// When everything is mended, every label is settled within this time.
const PATIENCE: u64 = 240_000;
/// Nothing more may come after this long in which nothing was to come.
const QUIET: u64 = 30_000;

/// The process: all of it is gone after a kill.
pub struct Daemon {
    pub core: Core,
    pub worker: Worker,
    /// What waits for the core.
    inbox: VecDeque<Input>,
    /// What is durable and may leave.
    effects: VecDeque<Effect>,
    turned: u64,
}

pub struct World<'b> {
    pub bench: &'b Bench,
    pub plan: Plan,
    pub dice: Dice,
    pub now: u64,
    queue: Queue,
    pub daemon: Option<Daemon>,
    start_at: u64,
    /// Every printer there was, and which one is at the address.
    pub engines: Vec<Engine>,
    pub at: usize,
    pub cable: Option<Cable>,
    /// Connections that the station has closed, with what the kernel still has of them.
    pub ghosts: Vec<Cable>,
    pub conns: u64,
    /// Until when nothing passes.
    pub cut: u64,
    full_until: u64,
    mends: Vec<(u64, Trouble)>,
    /// How often each moment has come.
    moments: [u64; 6],
    /// What is to happen now.
    due: VecDeque<Act>,
    scanned: usize,
    reader: store::Reader,
    /// The account of what happened, when somebody wants to read it.
    pub told: Option<String>,
}

/// Tells the account, which costs nothing where nobody reads it.
#[macro_export]
macro_rules! say {
    ($world:expr, $($what:tt)*) => {
        if $world.told.is_some() {
            $world.say(format!($($what)*));
        }
    };
}

impl<'b> World<'b> {
    pub fn new(bench: &'b Bench, plan: Plan, dice: Dice, queue: Queue, told: bool) -> World<'b> {
        bench.reset(plan.jobs);
        let mut world = World {
            bench,
            dice,
            now: 0,
            queue,
            daemon: None,
            start_at: 0,
            engines: vec![Engine::new(plan.options.clone())],
            at: 0,
            cable: None,
            ghosts: Vec::new(),
            conns: 0,
            cut: 0,
            full_until: 0,
            mends: Vec::new(),
            moments: [0; 6],
            due: VecDeque::new(),
            scanned: plan.jobs,
            reader: bench.reader(),
            told: told.then(String::new),
            plan,
        };
        say!(world, "{:#?}", world.plan);
        world
    }

    pub fn say(&mut self, what: String) {
        let now = self.now;
        if let Some(told) = &mut self.told {
            let _ = writeln!(told, "{now:>7} ms  {what}");
        }
    }

    /// Plays the schedule to its end, and what must be so then is so or the reason why not.
    pub fn play(&mut self) -> Result<(), String> {
        self.run_until(self.plan.calm)?;
        self.calm();
        let end = self.now + PATIENCE;
        while self.open(|state| state != JobState::InDoubt)? > 0 {
            if self.now >= end {
                return Err("a label is neither printed nor in doubt, and nothing goes on".to_owned());
            }
            self.run_until(self.now + TURN)?;
        }
        self.run_until(self.now + QUIET)?;
        self.settle_doubts()?;
        self.run_until(self.now + QUIET)?;
        crate::judge::judge(self)
    }

    /// From here on nothing goes wrong by itself.
    fn calm(&mut self) {
        say!(self, "-- everything is mended");
        self.plan.acts.clear();
        self.due.clear();
        self.mends.clear();
        (self.cut, self.full_until, self.start_at) = (0, 0, 0);
        self.fill(false);
        for i in 0..self.engines.len() {
            let replies = self.engines[i].control(Control::EndAll, self.now);
            self.replies(i, replies);
        }
    }

    pub fn run_until(&mut self, until: u64) -> Result<(), String> {
        let mut steps = 0;
        while self.now < until {
            self.begin_due();
            let first = self.dice.below(3);
            let moved = (0..3).any(|k| match (first + k) % 3 {
                0 => self.wire(),
                1 => self.thread(),
                _ => self.hall(),
            });
            steps += 1;
            if steps > 200_000 {
                return Err("the schedule never ends".to_owned());
            }
            if !moved && self.due.is_empty() {
                self.pass(until);
            }
        }
        Ok(())
    }

    /// Nobody can move: on to the next moment at which somebody can.
    fn pass(&mut self, until: u64) {
        let mut next = until;
        let mut may = |at: u64| next = next.min(at);
        for engine in &self.engines {
            may(engine.next_wake().unwrap_or(u64::MAX));
        }
        for cable in self.cable.iter().chain(&self.ghosts) {
            may(cable.next(self.now));
        }
        for (when, _) in &self.plan.acts {
            if let When::At(at) = when {
                may(*at);
            }
        }
        for (at, _) in &self.mends {
            may(*at);
        }
        for at in [self.cut, self.full_until] {
            may(if at > self.now { at } else { u64::MAX });
        }
        match &self.daemon {
            None => may(self.start_at),
            Some(d) => {
                may(d.worker.next());
                // The hall's own clock.
                may(if d.core.has_soft_news() { d.turned.max(self.now) + SOFT } else { u64::MAX });
                may(if d.core.has_unwritten() { d.turned + TURN } else { u64::MAX });
            }
        }
        self.now = next.max(self.now + 1).min(until);
        for i in 0..self.engines.len() {
            let replies = self.engines[i].tick(self.now);
            self.replies(i, replies);
        }
    }

    /// Counts a moment; what waits for it happens before anybody moves again.
    pub fn moment(&mut self, moment: Moment) {
        self.moments[moment as usize] += 1;
        let when = When::Nth(moment, self.moments[moment as usize]);
        let due = &mut self.due;
        self.plan.acts.retain(|(at, act)| {
            let now = *at == when;
            if now {
                due.push_back(*act);
            }
            !now
        });
    }

    /// What is to happen by now, happens.
    fn begin_due(&mut self) {
        let now = self.now;
        let due = &mut self.due;
        self.plan.acts.retain(|(at, act)| {
            let late = matches!(at, When::At(t) if *t <= now);
            if late {
                due.push_back(*act);
            }
            !late
        });
        if self.mends.iter().any(|(at, _)| *at <= now) {
            let (over, still) = self.mends.drain(..).partition(|(at, _)| *at <= now);
            self.mends = still;
            let over: Vec<(u64, Trouble)> = over;
            for (_, trouble) in over {
                say!(self, "the printer: {trouble} is over");
                let replies = self.engines[self.at].control(Control::End(trouble), now);
                self.replies(self.at, replies);
            }
        }
        if self.full_until != 0 && now >= self.full_until {
            self.full_until = 0;
            self.fill(false);
        }
        while let Some(act) = self.due.pop_front() {
            self.act(act);
        }
        if self.daemon.is_none() && self.now >= self.start_at {
            self.start();
        }
    }

    fn act(&mut self, act: Act) {
        say!(self, "-- {act:?}");
        match act {
            // What would lose a label that another's count then hides.
            Act::Kill(_) if self.plan.overcounts && !self.nothing_under_way() => {
                say!(self, "   (not now: bytes are under way)");
            }
            Act::Kill(down) => {
                self.daemon = None;
                self.hang_up();
                self.start_at = self.now + down;
            }
            Act::Restart => self.stop(),
            Act::Reset => self.reset(),
            Act::Cut(ms) => self.cut = self.now + ms,
            Act::Power(ms) => self.trouble(Trouble::PowerOff, ms),
            Act::Trouble(trouble, ms) => self.trouble(trouble, ms),
            Act::Swap(count) => {
                let serial = format!("X{}", self.engines.len());
                let options = Options { serial, odometer: count, faults: Vec::new(), ..self.plan.options.clone() };
                self.unplug();
                self.engines.push(Engine::new(options));
                let replies = self.engines.last_mut().map(|e| e.tick(self.now)).unwrap_or_default();
                self.at = self.engines.len() - 1;
                self.replies(self.at, replies);
            }
            Act::SwapBack => {
                self.unplug();
                self.at = 0;
            }
            Act::Rewind(count) => self.engines[self.at].set_odometer(count),
            Act::Full(ms) => {
                self.full_until = self.now + ms;
                self.fill(true);
            }
            Act::Scan => {
                self.scanned += 1;
                let payload = unit(self.scanned);
                if let Some(daemon) = &mut self.daemon {
                    daemon.inbox.push_back(scan(&payload));
                }
            }
            Act::Foreign => {
                self.conns += 1;
                if self.engines[self.at].connect(self.conns) {
                    let mut cable = Cable::new(self.conns, self.at);
                    cable.out.extend(FOREIGN.as_bytes());
                    self.ghosts.push(cable);
                }
            }
            Act::Look => {
                if self.printers_rest() {
                    let _ = self.settle_doubts();
                }
            }
        }
    }

    fn trouble(&mut self, trouble: Trouble, ms: u64) {
        self.mends.push((self.now + ms, trouble));
        let replies = self.engines[self.at].control(Control::Begin(trouble), self.now);
        self.replies(self.at, replies);
    }

    fn fill(&mut self, full: bool) {
        if let Some(daemon) = &self.daemon {
            daemon.core.pretend_full(full).expect("the database takes a setting");
        }
    }

    fn start(&mut self) {
        let (core, unsettled) = match self.bench.start(self.now) {
            Ok(started) => started,
            Err(why) => panic!("the daemon does not start: {why}"),
        };
        say!(self, "the daemon starts; unsettled: {unsettled:?}");
        let worker = Worker::new(self.now, Pace::default(), unsettled, self.queue);
        let daemon = Daemon { core, worker, inbox: VecDeque::new(), effects: VecDeque::new(), turned: self.now };
        self.daemon = Some(daemon);
        if self.full_until != 0 {
            self.fill(true);
        }
    }

    /// An end in order: the printer's thread first, then what it said last is written down.
    fn stop(&mut self) {
        self.stop_worker();
        let Some(mut daemon) = self.daemon.take() else { return };
        daemon.core.close();
        let mut news: Vec<Input> = daemon.inbox.drain(..).collect();
        news.push(Input::Tick);
        daemon.core.take(news, time(self.now));
        self.hang_up();
        self.start_at = self.now;
    }

    /// The printer's thread tells the station something.
    pub fn tell(&mut self, event: PrinterEvent) {
        say!(self, "told: {}", brief(&event));
        if let Some(daemon) = &mut self.daemon {
            daemon.inbox.push_back(Input::Printer(0, event));
        }
        self.moment(Moment::Told);
    }

    /// One step of the hall: hand something on, or let the core take what has arrived.
    fn hall(&mut self) -> bool {
        let Some(daemon) = &mut self.daemon else { return false };
        if let Some(effect) = daemon.effects.pop_front() {
            if let Effect::Send(_, order) = effect {
                daemon.worker.mail.push_back(Mail::Order(order));
                self.moment(Moment::Handed);
            }
            return true;
        }
        let now = time(self.now);
        let mut inputs: Vec<Input> = Vec::new();
        if !daemon.inbox.is_empty() {
            let n = 1 + self.dice.below(daemon.inbox.len() as u64) as usize;
            inputs.extend(daemon.inbox.drain(..n));
        } else if (daemon.core.soft_news_is_due(now) && self.now >= daemon.turned + SOFT)
            || (daemon.core.has_unwritten() && self.now >= daemon.turned + TURN)
        {
            inputs.push(Input::Tick);
        } else {
            return false;
        }
        daemon.turned = self.now;
        let effects = daemon.core.take(inputs, now);
        if !effects.is_empty() {
            let what = || {
                effects.iter().map(|e| if let Effect::Send(_, o) = e { format!("{:?}", ids(o)) } else { String::new() })
            };
            if self.told.is_some() {
                let text = format!("committed: sending {}", what().collect::<String>());
                self.say(text);
            }
            if let Some(daemon) = &mut self.daemon {
                daemon.effects.extend(effects);
            }
            self.moment(Moment::Committed);
        }
        true
    }

    /// All of this arrives, as much at a time as the hall takes.
    pub fn owe(&mut self, inputs: impl Iterator<Item = Input>) {
        let Some(daemon) = &mut self.daemon else { return };
        let mut inputs = inputs.peekable();
        while inputs.peek().is_some() {
            let batch = inputs.by_ref().take(128).collect();
            let effects = daemon.core.take(batch, time(self.now));
            daemon.effects.extend(effects);
        }
    }

    fn nothing_under_way(&self) -> bool {
        let idle = self.daemon.as_ref().is_none_or(|d| d.effects.is_empty() && !d.worker.has_labels());
        idle && self.cable.iter().chain(&self.ghosts).all(|c| c.out.is_empty())
    }

    /// Every printer has done what it had, and nothing is on the way to one.
    fn printers_rest(&self) -> bool {
        self.nothing_under_way() && self.engines.iter().all(|e| e.formats() == 0) && self.cut == 0
    }

    pub fn jobs(&self) -> Result<Vec<read::JobRow>, String> {
        let mut jobs = read::jobs(&self.reader, crate::station::STATION, u32::MAX).map_err(|e| e.to_string())?;
        jobs.sort_by_key(|j| j.id);
        Ok(jobs)
    }

    pub fn reader(&self) -> &store::Reader {
        &self.reader
    }

    /// Jobs that are not final and in such a state.
    fn open(&self, of: impl Fn(JobState) -> bool) -> Result<usize, String> {
        let jobs = read::open_jobs(&self.reader, crate::station::STATION).map_err(|e| e.to_string())?;
        Ok(jobs.iter().filter(|j| of(j.state)).count())
    }

    /// The operator looks at what lies at the printers, and says so of every label in doubt.
    fn settle_doubts(&mut self) -> Result<(), String> {
        let came = crate::judge::came(self);
        let doubts: Vec<JobId> = self.jobs()?.iter().filter(|j| j.state == JobState::InDoubt).map(|j| j.id).collect();
        for job in doubts {
            let came_out = came.get(&job).is_some_and(|pieces| !pieces.is_empty());
            say!(self, "the operator looks for label {job}: {}", if came_out { "it came out" } else { "not there" });
            let Some(daemon) = &mut self.daemon else { return Ok(()) };
            // Every other one that came out is scanned, as its own square code says it.
            let code = crate::judge::code_of(&self.reader, job).filter(|_| came_out && job % 2 == 1);
            if let Some(code) = code {
                let effects = daemon.core.take(vec![crate::station::scan(&code)], time(self.now));
                daemon.effects.extend(effects);
                continue;
            }
            let (tell, told) = std::sync::mpsc::channel::<Response>();
            let request = Box::new(Request::Settle { job, came_out, by: "anna".to_owned() });
            let input = Input::Request(request, Box::new(move |r| drop(tell.send(r))));
            let effects = daemon.core.take(vec![input], time(self.now));
            daemon.effects.extend(effects);
            let _ = told.recv();
        }
        Ok(())
    }
}

fn ids(order: &backdock::printer::Order) -> Vec<JobId> {
    order.jobs.iter().map(|j| j.id).collect()
}

fn brief(event: &PrinterEvent) -> String {
    match event {
        PrinterEvent::Changed(c) => {
            let faults: Vec<&str> = c.faults.iter().map(|f| f.code.as_str()).collect();
            format!("{} {faults:?} {:?} {:?} {}", c.state.word(), c.unique_id, c.odometer, c.reason)
        }
        other => format!("{other:?}"),
    }
}
