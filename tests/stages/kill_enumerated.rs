//! Killed at every single commit and every single write to the printer, one after the other, until the
//! run gets through unharmed. Driven by `tests/stages/kill-enumerated`; needs `strace`, which kills the
//! daemon just before the n-th call of a kind.
//!
//! Two runs: the first start, which makes the database; and a day at the dock, with one box, three units
//! and REPRINT. Both end with an orderly stop. What a killed run leaves is taken up by a second life of
//! the daemon, in which the worker does again what was not answered; then the accounting of
//! `support/account.rs` must hold. One run is one test; the last line is `N passed, N failed`.
//!
//! Kinds of calls: `pwrite64` and `fsync` are the steps of each commit (a kill at `fsync` finds all of it
//! in the file, and nobody told), `ftruncate` those of moving the write-ahead log; `sendto` is each
//! question and each label to the printer. How often the printer is asked depends on the time it takes,
//! so for labels it is not left to counting: each must have been the call that was killed.

#[path = "../support/mod.rs"]
mod support;

use backdock::domain::job::JobState;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use support::PATIENCE;
use support::account::audit;
use support::dock::{Daemon, Dock, RMA};
use support::page::{Page, Trouble};

/// What is killed, and at which calls.
struct Plan {
    name: &'static str,
    kinds: &'static [&'static str],
    /// Whether there is a database with shipments and an RMA to begin with, and a day to work.
    day: bool,
}

const PLANS: [Plan; 2] = [
    Plan { name: "first start", kinds: &["pwrite64", "fsync", "ftruncate"], day: false },
    Plan { name: "day", kinds: &["pwrite64", "fsync", "ftruncate", "sendto"], day: true },
];
/// Labels of an unharmed day: three units and one copy.
const LABELS: usize = 4;
/// Runs at a time: most of them wait for a printer that may still say something.
const AT_ONCE: usize = 12;
/// Runs that must get through in a row before a kind counts as exhausted: runs differ by a few calls.
const UNHARMED: usize = 4;
/// A kind that needs more kills than this has been miscounted.
const MOST: usize = 2_000;
/// Tries to kill the daemon at one certain label.
const TRIES: usize = 400;

/// What one run came to.
struct Run {
    killed: bool,
    /// The number of the label whose write was killed, from 1.
    label: Option<usize>,
    /// Labels that ended in doubt.
    in_doubt: usize,
    /// At which call of its thread each label was written, as far as the run came.
    written_at: Vec<usize>,
}

fn main() -> ExitCode {
    if let Err(why) = Command::new("strace").arg("-V").stdout(Stdio::null()).status() {
        println!("strace cannot be run ({why}); install it (apt-get install strace)\n0 passed, 1 failed");
        return ExitCode::FAILURE;
    }
    // Panics are told once, by the series they end.
    std::panic::set_hook(Box::new(|_| ()));
    let template = Dock::new(3, Duration::ZERO);
    let (mut passed, mut failed) = (0, 0);
    for (plan, kind) in PLANS.iter().flat_map(|plan| plan.kinds.iter().map(move |kind| (plan, *kind))) {
        let began = Instant::now();
        let series = Series { plan, kind, template: &template, tally: Mutex::default() };
        at_once(|turn| series.count(turn));
        if kind == "sendto" {
            at_once(|turn| series.aim(turn));
        }
        let tally = series.tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (kills, doubts, took) = (tally.kills, tally.in_doubt, began.elapsed().as_secs());
        println!("{}, {kind}: {kills} kills, {doubts} labels in doubt, {took} s", plan.name);
        for why in &tally.wrong {
            println!("FAILED  {}, {kind}: {why}", plan.name);
        }
        passed += tally.passed;
        failed += tally.wrong.len();
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Does `step` with 0, 1, 2 ... in several threads until it says that enough is done.
fn at_once(step: impl Fn(usize) -> bool + Sync) {
    let (next, enough) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while !enough.load(Ordering::Relaxed) {
                    if step(next.fetch_add(1, Ordering::Relaxed)) {
                        enough.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
}

/// All runs of one plan that are killed at one kind of call.
struct Series<'a> {
    plan: &'a Plan,
    kind: &'static str,
    template: &'a Dock,
    tally: Mutex<Tally>,
}

#[derive(Default)]
struct Tally {
    passed: usize,
    wrong: Vec<String>,
    kills: usize,
    in_doubt: usize,
    /// Runs that got through.
    unharmed: usize,
    /// Labels whose write was the call that was killed.
    labels: BTreeSet<usize>,
    /// Of each run, at which calls its labels were written.
    written_at: Vec<Vec<usize>>,
}

impl Series<'_> {
    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One run, killed at call `nth` if it comes so far.
    fn attempt(&self, nth: usize) {
        let done = catch_unwind(AssertUnwindSafe(|| run(self.plan, self.template, self.kind, nth)));
        let done = done.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            Err(text.or(panic.downcast_ref::<&str>().map(|t| (*t).to_owned())).unwrap_or_default())
        });
        let mut tally = self.tally();
        match done {
            Ok(run) => {
                tally.passed += 1;
                tally.kills += usize::from(run.killed);
                tally.unharmed += usize::from(!run.killed);
                tally.in_doubt += run.in_doubt;
                tally.labels.extend(run.label);
                tally.written_at.push(run.written_at);
            }
            Err(why) => tally.wrong.push(format!("killed at call {nth}: {why}")),
        }
    }

    /// Call after call, until runs get through.
    fn count(&self, turn: usize) -> bool {
        self.attempt(turn + 1);
        let mut tally = self.tally();
        if turn + 1 == MOST {
            tally.wrong.push(format!("still killed after {MOST} calls"));
        }
        tally.unharmed >= UNHARMED || turn + 1 >= MOST
    }

    /// Labels that the counting missed: aims at where they were written in other runs.
    fn aim(&self, turn: usize) -> bool {
        let nth = {
            let mut tally = self.tally();
            let Some(missed) = (1..=LABELS).find(|label| !tally.labels.contains(label)) else { return true };
            let known: Vec<usize> = tally.written_at.iter().filter_map(|at| at.get(missed - 1).copied()).collect();
            if turn >= TRIES || known.is_empty() {
                if turn == TRIES || turn == 0 {
                    tally.wrong.push(format!("the write of label {missed} was never the call that was killed"));
                }
                return true;
            }
            known[known.len() - 1 - turn % known.len()]
        };
        self.attempt(nth);
        false
    }
}

fn run(plan: &Plan, template: &Dock, kind: &str, nth: usize) -> Result<Run, String> {
    let dock = Dock::bare(3, Duration::from_millis(10));
    if plan.day {
        fs::copy(template.data.join("backdock.db"), dock.data.join("backdock.db")).map_err(|e| e.to_string())?;
    }
    let trace = dock.file("trace");
    let traced = format!("trace={kind}");
    let inject = format!("inject={kind}:signal=SIGKILL:when={nth}");
    let path = trace.to_str().ok_or("a path")?;
    // -D: the daemon stays our child, the tracer does not come in between.
    let before = ["strace", "-D", "-f", "-qq", "-s", "16", "-o", path, "-e", &traced, "-e", &inject];

    let units = if plan.day { dock.units.as_slice() } else { &[] };
    let mut script: Vec<&str> = units.iter().map(String::as_str).collect();
    if plan.day {
        script.insert(0, RMA);
        script.push("REPRINT");
    }
    let mut worker = Worker { dock: &dock, script, answered: 0 };
    let mut daemon = dock.spawn_by(&before);
    let first = worker.life(&daemon);
    let killed = match first {
        Ok(()) => {
            daemon.ask_to_stop();
            let status = daemon.end();
            match status.code() {
                Some(0) => false,
                Some(code) => return Err(format!("the first life ended with {code}:\n{}", daemon.log())),
                None => true,
            }
        }
        Err(Trouble::Gone) if daemon.end().code().is_none() => true,
        Err(e) => return Err(format!("the first life: {e:?}\n{}", daemon.log())),
    };
    if killed {
        let mut daemon = dock.spawn();
        worker.life(&daemon).map_err(|e| format!("the second life: {e:?}\n{}", daemon.log()))?;
        daemon.ask_to_stop();
        if !daemon.end().success() {
            return Err(format!("the second life does not end in order:\n{}", daemon.log()));
        }
    }
    let account = audit(&dock, units);
    if !account.wrong.is_empty() || account.received != units {
        return Err(format!("{account:#?}"));
    }
    if !killed && account.count(JobState::Printed) != if plan.day { LABELS } else { 0 } {
        return Err(format!("nothing was killed, and still: {:?}", account.jobs));
    }
    let (label, written_at) = writes(&trace)?;
    Ok(Run { killed, label, in_doubt: account.count(JobState::InDoubt), written_at })
}

/// The worker at the dock, over both lives.
struct Worker<'a> {
    dock: &'a Dock,
    /// What is scanned: the RMA, then units on it.
    script: Vec<&'a str>,
    /// Scans answered for so far.
    answered: usize,
}

impl Worker<'_> {
    fn life(&mut self, daemon: &Daemon) -> Result<(), Trouble> {
        let mut page: Page = daemon.page()?;
        if self.answered > 0 {
            page.wait("the box is open as it was", |view| view["box"]["rma"] == RMA)?;
        }
        while let Some(payload) = self.script.get(self.answered) {
            let outcome = self.dock.scan(&mut page, payload)?;
            // What was written but not answered is the same unit, or a box that is open already.
            let fine = ["box_open", "box_already_open", "received", "same_unit", "reprint"];
            if !fine.contains(&outcome.as_str()) {
                return Err(Trouble::Late(format!("{payload} led to {outcome}")));
            }
            self.answered += 1;
            // One label at a time, so that every run makes the same calls.
            self.dock.settled(&mut page)?;
        }
        self.dock.settled(&mut page)?;
        // Whatever the printer holds is out before the paper is counted.
        if !self.dock.zebra.wait(PATIENCE, |zebra| zebra.formats() == 0) {
            return Err(Trouble::Late("the printer prints on".to_owned()));
        }
        Ok(())
    }
}

/// Reads from the trace at which call of its thread each label was written, and which of them was killed.
fn writes(trace: &Path) -> Result<(Option<usize>, Vec<usize>), String> {
    let text = fs::read_to_string(trace).map_err(|e| format!("no trace: {e}"))?;
    let (mut calls, mut written, mut killed) = (BTreeMap::new(), Vec::new(), None);
    for line in text.lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        if !call.starts_with("sendto(") {
            continue;
        }
        let nth = calls.entry(thread.to_owned()).and_modify(|n| *n += 1).or_insert(1usize);
        if call.contains("\"^XA") {
            written.push(*nth);
            if call.contains(" = ?") {
                killed = Some(written.len());
            }
        }
    }
    Ok((killed, written))
}
