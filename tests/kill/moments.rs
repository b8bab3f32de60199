//! Killed at random moments while scans go on, over and over, without a pause to settle in between.

use super::support::account::{audit, verified};
use super::support::dock::{Dock, RMA};
use super::support::page::{Page, Trouble};
use super::support::{Chance, PATIENCE};
use backdock::domain::job::JobState;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// Lives of the daemon before the last one, which may settle.
const LIVES: usize = 24;

/// When a life ends.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// So long after the process was started: it may not even have opened its database.
    Since(Duration),
    /// So long after the scan was sent that follows so many answered ones.
    Scan(usize, Duration),
}

fn moment(chance: &mut Chance) -> Moment {
    match chance.below(4) {
        0 => Moment::Since(Duration::from_millis(chance.below(600))),
        // A scan is written within a millisecond or two, its label is out some ten milliseconds later.
        n => Moment::Scan(
            chance.below(12) as usize,
            Duration::from_micros(chance.below([0, 1_500, 6_000, 40_000][n as usize])),
        ),
    }
}

/// The worker at the dock: scans units one after the other, and scans again what was not answered.
struct Worker<'a> {
    dock: &'a Dock,
    /// Units answered for so far.
    shown: Vec<String>,
    copies: usize,
    box_open: bool,
}

impl Worker<'_> {
    fn next(&self) -> &str {
        &self.dock.units[self.shown.len()]
    }

    /// Scans on until the daemon is gone, or `scans` are answered.
    fn work(&mut self, page: &mut Page, scans: usize) -> Result<(), Trouble> {
        if self.box_open {
            // Back in the middle of the same box, without scanning its number again.
            page.wait("the box is open", |view| view["box"]["rma"] == RMA)?;
        }
        for _ in 0..scans {
            if !self.box_open {
                let outcome = self.dock.scan(page, RMA)?;
                assert!(["box_open", "box_already_open"].contains(&outcome.as_str()), "{outcome}");
                self.box_open = true;
            }
            let serial = self.next().to_owned();
            let outcome = self.dock.scan(page, &serial)?;
            // Written before the kill but not seen: the second scan of it says so.
            assert!(["received", "same_unit"].contains(&outcome.as_str()), "{serial}: {outcome}: {:#}", page.view);
            self.shown.push(serial);
            if self.shown.len().is_multiple_of(7) {
                // A copy that was asked for and not answered for may be there or not; it is not asked for again.
                let outcome = self.dock.scan(page, "REPRINT")?;
                assert_eq!(outcome, "reprint");
                self.copies += 1;
            }
        }
        Ok(())
    }
}

#[test]
fn at_random_moments() {
    let seed = Chance::seed();
    println!("to repeat: BACKDOCK_SEED={seed}");
    let mut chance = Chance::new(seed);
    let dock = Dock::new(600, Duration::from_millis(12));
    let mut worker = Worker { dock: &dock, shown: Vec::new(), copies: 0, box_open: false };
    for life in 1..=LIVES {
        let moment = moment(&mut chance);
        println!("life {life}: {moment:?}, {} units so far", worker.shown.len());
        let mut daemon = dock.spawn();
        let killer = daemon.killer();
        match moment {
            Moment::Since(time) => {
                let (_hold, over): (Sender<()>, Receiver<()>) = channel();
                let bomb = thread::spawn(move || {
                    let _ = over.recv_timeout(time);
                    killer.kill();
                });
                match daemon.page().and_then(|mut page| worker.work(&mut page, usize::MAX)) {
                    Err(Trouble::Gone) => {}
                    other => panic!("{other:?}\n{}", daemon.log()),
                }
                bomb.join().expect("killed");
            }
            Moment::Scan(scans, then) => {
                let lived = daemon.page().and_then(|mut page| worker.work(&mut page, scans));
                lived.unwrap_or_else(|e| panic!("{e:?}\n{}", daemon.log()));
                dock.gun.send(format!("{}\r", worker.next()).as_bytes()).expect("scanned");
                let (_hold, over): (Sender<()>, Receiver<()>) = channel();
                let _ = over.recv_timeout(then);
                killer.kill();
            }
        }
        let status = daemon.end();
        assert_eq!(status.code(), None, "it was to be killed, not to fail: {status}\n{}", daemon.log());
        verified(&dock).unwrap_or_else(|why| panic!("life {life}: {why}"));
    }

    // The last life settles everything, and ends in order.
    let (mut daemon, mut page) = dock.start();
    worker.work(&mut page, 5).expect("work goes on");
    verified(&dock).expect("whole beside a running daemon too");
    dock.settled(&mut page).expect("settled");
    let in_doubt = page.view["printers"][0]["in_doubt"].as_u64().expect("a count") as usize;
    let listed = page.view["in_doubt"].as_array().expect("a list").len();
    assert!(dock.zebra.wait(PATIENCE, |zebra| zebra.formats() == 0));
    daemon.ask_to_stop();
    assert!(daemon.end().success(), "{}", daemon.log());

    let account = audit(&dock, &worker.shown);
    assert!(account.wrong.is_empty(), "{:#?}", account.wrong);
    println!("{:?}, {} labels, {} received", account.jobs, account.labels, account.received.len());
    assert_eq!(account.received, worker.shown, "exactly what was shown was received, in order");
    assert_eq!(account.count(JobState::InDoubt), in_doubt, "what is in doubt is shown");
    assert_eq!(listed, in_doubt.min(20));
    let jobs = account.count(JobState::Printed) + in_doubt;
    assert!(jobs >= account.received.len() + worker.copies, "{:?}, {} copies", account.jobs, worker.copies);
    assert_eq!(jobs, account.jobs.values().sum::<usize>(), "everything is settled: {:?}", account.jobs);
    assert!(account.count(JobState::Printed) > jobs / 2, "{:?}", account.jobs);
}
