//! Killed at a chosen byte of a label: what had left the daemon by then and did not arrive is lost, as
//! when the station loses its power.

use super::support::PATIENCE;
use super::support::account::{audit, verified};
use super::support::dock::{Dock, RMA};
use backdock::domain::job::JobState;
use std::thread;
use std::time::Duration;

/// Where the wire ends, given what has passed of the label.
struct Cut {
    name: &'static str,
    here: fn(&[u8]) -> bool,
    /// Whether the printer has all of it.
    whole: bool,
}

const CUTS: [Cut; 7] = [
    Cut { name: "before its first byte", here: |l| l.is_empty(), whole: false },
    Cut { name: "after its first byte", here: |l| l.len() == 1, whole: false },
    Cut { name: "after ^XA", here: |l| l.len() == 3, whole: false },
    Cut { name: "in its middle", here: |l| l.len() == 300, whole: false },
    Cut { name: "in a field", here: |l| l.ends_with(b"^FD"), whole: false },
    Cut { name: "before its last byte", here: |l| l.len() > 10 && l.ends_with(b"^X"), whole: false },
    Cut { name: "after its last byte", here: |l| l.ends_with(b"^XZ"), whole: true },
];

#[test]
fn at_the_bytes_of_a_label() {
    // At once: each waits most of its time for a printer that may still say something.
    thread::scope(|scope| {
        let running: Vec<_> = CUTS.iter().map(|cut| (cut.name, scope.spawn(|| killed_at(cut)))).collect();
        for (name, run) in running {
            assert!(run.join().is_ok(), "killed {name}: see above");
        }
    });
}

fn killed_at(cut: &Cut) {
    let dock = Dock::new(4, Duration::from_millis(20));
    let (mut daemon, mut page) = dock.start();
    dock.scan(&mut page, RMA).expect("the box");
    dock.scan(&mut page, &dock.units[0]).expect("a unit");
    dock.settled(&mut page).expect("its label is out");

    dock.wire.cut(2, cut.here, {
        let killer = daemon.killer();
        move || killer.kill()
    });
    dock.gun.send(format!("{}\r", dock.units[1]).as_bytes()).expect("scanned");
    assert_eq!(daemon.end().code(), None, "killed");
    verified(&dock).unwrap_or_else(|why| panic!("{}: {why}", cut.name));

    let (mut daemon, mut page) = dock.start();
    assert_eq!(page.view["box"]["rma"], RMA, "{}: the same box", cut.name);
    assert_eq!(page.view["box"]["received"], 2, "{}: with what was received", cut.name);
    assert_eq!(dock.scan(&mut page, &dock.units[2]).expect("the next unit"), "received", "{}", cut.name);
    // What the printer has of a cut label joins no other: the next one comes out as it was made.
    dock.settled(&mut page).expect(cut.name);
    let doubts = page.view["in_doubt"].clone();
    assert!(dock.zebra.wait(PATIENCE, |zebra| zebra.formats() == 0));
    daemon.ask_to_stop();
    assert!(daemon.end().success(), "{}", daemon.log());

    let account = audit(&dock, &dock.units[..3]);
    assert!(account.wrong.is_empty(), "{}: {:#?}", cut.name, account.wrong);
    let (printed, in_doubt) = if cut.whole { (3, 0) } else { (2, 1) };
    assert_eq!(account.count(JobState::Printed), printed, "{}: {:?}", cut.name, account.jobs);
    assert_eq!(account.count(JobState::InDoubt), in_doubt, "{}: {:?}", cut.name, account.jobs);
    assert_eq!(doubts.as_array().map(Vec::len), Some(in_doubt), "{}: {doubts:#}", cut.name);
    assert_eq!(account.labels, printed, "{}", cut.name);
    // Every label began on the wire once: the first, the cut one, the next.
    assert_eq!(dock.wire.labels().len(), 3, "{}", cut.name);
}
