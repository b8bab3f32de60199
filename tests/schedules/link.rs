//! The printer's thread, as [`backdock::printer::tcp`] is, without socket or clock. Writes block while the kernel has no room, and nothing else is done meanwhile.

use crate::cable::Cable;
use crate::plan::Moment;
use crate::say;
use crate::world::World;
use backdock::domain::job::{Expectation, JobId};
use backdock::printer::dialogue::{Dialogue, Input, Output};
use backdock::printer::{Order, Pace, PrinterEvent};
use backdock::sim::engine::Conn;
use backdock::zebra::Fault;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Which queue is under test: ours, or one with a mistake that real spoolers make.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Queue {
    Honest,
    /// After a write error the label is sent again on the next connection.
    Resends,
    /// A label is printed when its bytes are written.
    Believes,
}

pub enum Mail {
    Order(Order),
    Bytes(Conn, Vec<u8>),
    Ended(Conn),
}

struct Writing {
    job: Option<JobId>,
    bytes: Vec<u8>,
    taken: usize,
    stalls: u64,
}

pub struct Worker {
    dialogue: Dialogue,
    queue: Queue,
    born: u64,
    pub mail: VecDeque<Mail>,
    todo: VecDeque<Output>,
    writing: Option<Writing>,
    /// A connection is being made until then, and whether it will stand.
    connecting: Option<(u64, Result<(), bool>)>,
    /// The mistaken queue's memory.
    again: Vec<(JobId, Arc<str>)>,
    last: Option<(JobId, Arc<str>)>,
    believed: Vec<JobId>,
}

impl Worker {
    pub fn new(now: u64, pace: Pace, unsettled: Vec<(JobId, Option<Expectation>)>, queue: Queue) -> Worker {
        let (dialogue, first) = Dialogue::new("4x3".into(), 203, pace, unsettled);
        Worker {
            dialogue,
            queue,
            born: now,
            mail: VecDeque::new(),
            todo: first.into(),
            writing: None,
            connecting: None,
            again: Vec::new(),
            last: None,
            believed: Vec::new(),
        }
    }

    /// Labels that have not wholly left.
    pub fn has_labels(&self) -> bool {
        self.writing.as_ref().is_some_and(|w| w.job.is_some())
            || self.todo.iter().any(|o| matches!(o, Output::Label { .. }))
            || self.mail.iter().any(|m| matches!(m, Mail::Order(_)))
    }

    /// When it can move at the latest, if nobody wakes it.
    pub fn next(&self) -> u64 {
        match (&self.connecting, &self.writing) {
            (Some((at, _)), _) => *at,
            (_, Some(writing)) => writing.stalls,
            _ => self.born.saturating_add(ms(self.dialogue.deadline())),
        }
    }

    fn on(&mut self, now: u64, input: Input) -> Vec<Output> {
        let wrote = match (self.queue, &input) {
            (Queue::Believes, Input::Wrote(job)) => Some(*job),
            (Queue::Resends, Input::Broken { during: Some(_), .. }) => {
                self.again.extend(self.last.take());
                None
            }
            _ => None,
        };
        let connected = matches!(input, Input::Connected);
        let mut outputs = self.dialogue.on(Duration::from_millis(now - self.born), input);
        if connected {
            outputs.extend(self.again.drain(..).map(|(job, zpl)| Output::Label { job, zpl }));
        }
        if let Some(job) = wrote {
            outputs.push(Output::Tell(PrinterEvent::Printed { jobs: vec![job], odometer: 0 }));
            self.believed.push(job);
        } else if self.queue == Queue::Believes {
            outputs.retain(|o| !matches!(o, Output::Tell(PrinterEvent::InDoubt { jobs, .. }) if jobs.iter().all(|j| self.believed.contains(j))));
        }
        outputs
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl World<'_> {
    fn dialogue(&mut self, input: Input) {
        let now = self.now;
        if let Some(daemon) = &mut self.daemon {
            let more = daemon.worker.on(now, input);
            // What was decided first is done first.
            daemon.worker.todo.extend(more);
        }
    }

    /// One step of the printer's thread.
    pub fn thread(&mut self) -> bool {
        let now = self.now;
        let Some(worker) = self.daemon.as_mut().map(|d| &mut d.worker) else { return false };
        if let Some((at, result)) = worker.connecting {
            if now < at {
                return false;
            }
            worker.connecting = None;
            self.connected(result);
            return true;
        }
        if worker.writing.is_some() {
            return self.write();
        }
        if let Some(output) = worker.todo.pop_front() {
            self.output(output);
            return true;
        }
        if let Some(mail) = worker.mail.pop_front() {
            match mail {
                Mail::Order(order) => self.dialogue(Input::Order(order)),
                Mail::Bytes(conn, bytes) if conn == self.conns => self.dialogue(Input::Bytes(&bytes)),
                Mail::Ended(conn) if self.cable.as_ref().is_some_and(|c| c.conn == conn) => {
                    say!(self, "connection {conn} is gone");
                    self.dialogue(Input::Broken { fault: Fault::Unreachable, why: "connection reset", during: None });
                }
                Mail::Bytes(..) | Mail::Ended(..) => {}
            }
            return true;
        }
        if now >= worker.next() {
            self.dialogue(Input::Tick);
            return true;
        }
        false
    }

    fn output(&mut self, output: Output) {
        let (job, bytes) = match output {
            Output::Tell(event) => return self.tell(event),
            Output::Close => return self.hang_up(),
            Output::Connect => return self.connect(),
            Output::Ask(bytes) => (None, bytes),
            Output::Label { job, zpl } => {
                say!(self, "writes label {job}");
                if let Some(daemon) = &mut self.daemon {
                    daemon.worker.last = Some((job, zpl.clone()));
                }
                (Some(job), zpl.as_bytes().to_vec())
            }
        };
        let stalls = self.now + 500;
        if let Some(daemon) = &mut self.daemon {
            daemon.worker.writing = Some(Writing { job, bytes, taken: 0, stalls });
        }
    }

    /// Goes on with a write: bytes into the kernel, or the end of it.
    fn write(&mut self) -> bool {
        let kernel = self.plan.kernel;
        let Some(worker) = self.daemon.as_mut().map(|d| &mut d.worker) else { return false };
        let Some(writing) = &mut worker.writing else { return false };
        let Some(cable) = self.cable.as_mut().filter(|c| !c.broken) else {
            let (job, taken) = (writing.job, writing.taken);
            worker.writing = None;
            // The writes behind it are not done; what was to be told is.
            worker.todo.retain(|o| matches!(o, Output::Tell(_)));
            say!(self, "a write fails after {taken} bytes of {job:?}");
            self.dialogue(Input::Broken {
                fault: Fault::Unreachable,
                why: "broken pipe",
                during: job.map(|job| (job, taken)),
            });
            return true;
        };
        let room = kernel.saturating_sub(cable.out.len()).min(writing.bytes.len() - writing.taken);
        if room > 0 {
            let job = writing.job;
            cable.out.extend(&writing.bytes[writing.taken..writing.taken + room]);
            writing.taken += room;
            let done = writing.taken == writing.bytes.len();
            if done {
                worker.writing = None;
            }
            if let Some(job) = job {
                if done {
                    self.dialogue(Input::Wrote(job));
                }
                self.moment(if done { Moment::Wrote } else { Moment::Writing });
            }
            return true;
        }
        if self.now >= writing.stalls {
            writing.stalls = self.now + 500;
            let now = self.now;
            let told = worker.on(now, Input::Stalled);
            for output in told {
                if let Output::Tell(event) = output {
                    self.tell(event);
                }
            }
            return true;
        }
        false
    }

    /// The thread's end in order, with what it says last.
    pub fn stop_worker(&mut self) {
        let now = self.now;
        let mut said = Vec::new();
        if let Some(daemon) = &mut self.daemon {
            let worker = &mut daemon.worker;
            let mut todo = std::mem::take(&mut worker.todo);
            // A write that waits for room is given up; whatever else there is to write is written first.
            if let Some(writing) = worker.writing.take() {
                todo.retain(|o| matches!(o, Output::Tell(_)));
                let during = writing.job.map(|job| (job, writing.taken));
                todo.extend(
                    worker.on(now, Input::Broken { fault: Fault::Unreachable, why: "the station is stopping", during }),
                );
            }
            while let Some(output) = todo.pop_front() {
                match output {
                    Output::Tell(event) => said.push(event),
                    Output::Label { job, .. } => {
                        todo.retain(|o| matches!(o, Output::Tell(_)));
                        let during = Some((job, 0));
                        todo.extend(worker.on(
                            now,
                            Input::Broken { fault: Fault::Unreachable, why: "the station is stopping", during },
                        ));
                    }
                    _ => {}
                }
            }
            for mail in worker.mail.drain(..) {
                if let Mail::Order(order) = mail {
                    let jobs = order.jobs.iter().map(|j| j.id).collect();
                    said.push(PrinterEvent::NotSent { jobs, why: "the station was stopping".to_owned() });
                }
            }
        }
        for event in said {
            self.tell(event);
        }
    }

    fn connect(&mut self) {
        let listens = self.engines[self.at].listening();
        let (wait, result) = match () {
            () if self.now < self.cut => (2_000, Err(false)),
            () if listens => (self.plan.latency, Ok(())),
            // Switched off, there may be nobody at all; or something refuses in its place.
            () if self.dice.one_in(2) => (2_000, Err(false)),
            () => (self.plan.latency, Err(true)),
        };
        let at = self.now + wait;
        if let Some(daemon) = &mut self.daemon {
            daemon.worker.connecting = Some((at, result));
        }
    }

    fn connected(&mut self, result: Result<(), bool>) {
        let refused = match result {
            Err(refused) => refused,
            Ok(()) => {
                self.conns += 1;
                let conn = self.conns;
                if self.now >= self.cut && self.engines[self.at].connect(conn) {
                    say!(self, "connection {conn} to printer {}", self.at);
                    self.cable = Some(Cable::new(conn, self.at));
                    return self.dialogue(Input::Connected);
                }
                true
            }
        };
        self.dialogue(Input::NotConnected {
            fault: if refused { Fault::Refused } else { Fault::Unreachable },
            why: "no connection",
        });
    }
}
