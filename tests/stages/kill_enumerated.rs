//! Killed at every single commit and every single write to the printer, one after the other, until the
//! run gets through unharmed. Driven by `tests/stages/kill-enumerated`; needs `strace`, which kills the
//! daemon just before the n-th call of a kind.
//!
//! The run: one box, three units, REPRINT, an orderly stop. What a killed run leaves is taken up by a
//! second life of the daemon, in which the worker does again what was not answered; then the accounting
//! of `support/account.rs` must hold. One kill is one test; the last line is `N passed, N failed`.
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
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use support::PATIENCE;
use support::account::audit;
use support::dock::{Daemon, Dock, RMA};
use support::page::{Page, Trouble};

const KINDS: [&str; 4] = ["pwrite64", "fsync", "ftruncate", "sendto"];
/// Labels of an unharmed run: three units and one copy.
const LABELS: usize = 4;
/// Runs at a time: most of them wait for a printer that may still say something.
const AT_ONCE: usize = 12;
/// Runs that must get through in a row before a kind counts as exhausted: runs differ by a few calls.
const UNHARMED: usize = 4;
/// A kind that needs more kills than this has been miscounted.
const MOST: usize = 2_000;
/// Tries to kill the daemon at one certain label.
const TRIES: usize = 60;

/// What one run came to.
struct Run {
    /// The number of the label whose write was killed, from 1.
    label: Option<usize>,
    killed: bool,
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
    // Panics are counted and told once, below.
    std::panic::set_hook(Box::new(|_| ()));
    let template = Dock::new(3, Duration::ZERO);
    let (passed, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let in_doubt = AtomicUsize::new(0);
    let told = |kind: &str, nth: usize, run: Result<Run, String>| match run {
        Ok(run) => {
            passed.fetch_add(1, Ordering::Relaxed);
            in_doubt.fetch_add(run.in_doubt, Ordering::Relaxed);
            Some(run)
        }
        Err(why) => {
            failed.fetch_add(1, Ordering::Relaxed);
            println!("FAILED  killed at {kind} number {nth}:\n{why}");
            None
        }
    };
    for kind in KINDS {
        let began = Instant::now();
        let (next, unharmed) = (AtomicUsize::new(1), AtomicUsize::new(0));
        let (kills, labels) = (AtomicUsize::new(0), Mutex::new(BTreeSet::new()));
        let seen = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    while unharmed.load(Ordering::Relaxed) < UNHARMED {
                        let nth = next.fetch_add(1, Ordering::Relaxed);
                        if nth > MOST {
                            return;
                        }
                        let Some(run) = told(kind, nth, attempt(&template, kind, nth)) else { continue };
                        if run.killed {
                            kills.fetch_add(1, Ordering::Relaxed);
                        } else {
                            unharmed.fetch_add(1, Ordering::Relaxed);
                        }
                        labels.lock().expect("no holder panics").extend(run.label);
                        seen.lock().expect("no holder panics").push(run.written_at);
                    }
                });
            }
        });
        if next.load(Ordering::Relaxed) > MOST {
            failed.fetch_add(1, Ordering::Relaxed);
            println!("FAILED  {kind}: still killed after {MOST} calls");
        }
        let mut labels = labels.into_inner().expect("no holder panics");
        if kind == "sendto" {
            let mut seen = seen.into_inner().expect("no holder panics");
            for label in 1..=LABELS {
                for _ in 0..TRIES {
                    if labels.contains(&label) {
                        break;
                    }
                    // Where it was written last time, or the time before: mostly it is the same call again.
                    let known: Vec<usize> = seen.iter().filter_map(|at| at.get(label - 1).copied()).collect();
                    let Some(last) = known.len().checked_sub(1) else { break };
                    let nth = known[last - kills.load(Ordering::Relaxed) % known.len().min(3)];
                    let Some(run) = told(kind, nth, attempt(&template, kind, nth)) else { continue };
                    kills.fetch_add(1, Ordering::Relaxed);
                    labels.extend(run.label);
                    seen.push(run.written_at);
                }
                if !labels.contains(&label) {
                    failed.fetch_add(1, Ordering::Relaxed);
                    println!("FAILED  the write of label {label} was never the one that was killed");
                }
            }
        }
        let (kills, doubts) = (kills.into_inner(), in_doubt.swap(0, Ordering::Relaxed));
        println!("{kind}: {kills} kills, {doubts} labels in doubt, {} s", began.elapsed().as_secs());
    }
    let failed = failed.into_inner();
    println!("{} passed, {failed} failed", passed.into_inner());
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One run; what went wrong in it as text.
fn attempt(template: &Dock, kind: &str, nth: usize) -> Result<Run, String> {
    catch_unwind(AssertUnwindSafe(|| run(template, kind, nth))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(text.or(panic.downcast_ref::<&str>().map(|t| (*t).to_owned())).unwrap_or_default())
    })
}

fn run(template: &Dock, kind: &str, nth: usize) -> Result<Run, String> {
    let dock = Dock::bare(3, Duration::from_millis(10));
    fs::copy(template.data.join("backdock.db"), dock.data.join("backdock.db")).map_err(|e| e.to_string())?;
    let trace = dock.file("trace");
    let traced = format!("trace={kind}");
    let inject = format!("inject={kind}:signal=SIGKILL:when={nth}");
    let path = trace.to_str().ok_or("a path")?;
    // -D: the daemon stays our child, the tracer does not come in between.
    let before = ["strace", "-D", "-f", "-qq", "-s", "16", "-o", path, "-e", &traced, "-e", &inject];

    let mut worker = Worker { dock: &dock, answered: 0 };
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
    let account = audit(&dock, &dock.units);
    if !account.wrong.is_empty() || account.received != dock.units {
        return Err(format!("{account:#?}"));
    }
    if !killed && account.jobs != [("printed", LABELS)].into() {
        return Err(format!("nothing was killed, and still: {:?}", account.jobs));
    }
    let (label, written_at) = writes(&trace)?;
    Ok(Run { label, killed, in_doubt: account.count(JobState::InDoubt), written_at })
}

/// The worker at the dock, over both lives.
struct Worker<'a> {
    dock: &'a Dock,
    /// Scans answered for so far.
    answered: usize,
}

impl Worker<'_> {
    fn life(&mut self, daemon: &Daemon) -> Result<(), Trouble> {
        let mut page: Page = daemon.page()?;
        if (1..=5).contains(&self.answered) {
            page.wait("the box is open as it was", |view| view["box"]["rma"] == RMA)?;
        }
        let script = [RMA, &self.dock.units[0], &self.dock.units[1], &self.dock.units[2], "REPRINT"];
        for payload in &script[self.answered..] {
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
