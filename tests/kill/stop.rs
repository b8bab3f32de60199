//! Ending in order, and one daemon at a time.

use super::support::PATIENCE;
use super::support::account::{audit, events};
use super::support::dock::{Daemon, Dock, RMA};
use backdock::domain::event::Event;
use backdock::sim::engine::Control;
use backdock::sim::fault::Trouble;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The time that systemd is told a stop may take.
const STOP: Duration = Duration::from_secs(5);

/// Stops a daemon, holds it to its time, and looks that the journal says so.
fn stop(dock: &Dock, mut daemon: Daemon) -> Duration {
    let asked = Instant::now();
    daemon.ask_to_stop();
    let status = daemon.end();
    let took = asked.elapsed();
    assert_eq!(status.code(), Some(0), "{status}\n{}", daemon.log());
    assert_eq!(events(dock).last(), Some(&Event::Stopped {}), "the journal ends in order");
    assert!(!dock.file("backdock.sock").exists(), "the socket is gone");
    println!("stopped in {took:?}");
    took
}

#[test]
fn a_stop_is_in_order_and_loses_nothing() {
    let dock = Dock::new(3, Duration::from_millis(300));
    let (daemon, mut page) = dock.start();
    dock.scan(&mut page, RMA).expect("the box");
    page.wait("the printer is ready", |view| view["printers"][0]["state"] == "ready").expect("ready");
    dock.scan(&mut page, &dock.units[0]).expect("a unit");
    dock.scan(&mut page, &dock.units[1]).expect("another");
    // One label is under the head, one waits.
    assert!(stop(&dock, daemon) < STOP);
    assert!(dock.zebra.wait(PATIENCE, |zebra| zebra.formats() == 0));

    let (daemon, mut page) = dock.start();
    assert_eq!(dock.scan(&mut page, &dock.units[2]).expect("the next unit"), "received");
    dock.settled(&mut page).expect("settled");
    assert!(stop(&dock, daemon) < STOP);
    let account = audit(&dock, &dock.units);
    assert!(account.wrong.is_empty(), "{:#?}", account.wrong);
    assert_eq!(account.labels, 3);
    assert_eq!(account.jobs, [("printed", 3)].into());
}

/// Whatever the printer is in the middle of: what was not begun waits, what was begun is counted at the
/// next start. Only a kill may leave a doubt.
#[test]
fn a_stop_leaves_no_doubt() {
    let dock = Dock::new(40, Duration::from_millis(25));
    let (daemon, mut page) = dock.start();
    dock.scan(&mut page, RMA).expect("the box");
    for serial in &dock.units {
        dock.scan(&mut page, serial).expect("a unit");
    }
    stop(&dock, daemon);
    for _ in 0..12 {
        let before = dock.zebra.odometer();
        let (daemon, _page) = dock.start();
        // Stopped while labels come out, a few at each start.
        assert!(dock.zebra.wait(PATIENCE, |zebra| zebra.odometer() > before || zebra.odometer() == 1040));
        stop(&dock, daemon);
    }
    let (daemon, mut page) = dock.start();
    dock.settled(&mut page).expect("settled");
    stop(&dock, daemon);
    let account = audit(&dock, &dock.units);
    assert!(account.wrong.is_empty(), "{:#?}", account.wrong);
    assert_eq!(account.jobs, [("printed", 40)].into());
}

#[test]
fn a_stop_waits_for_no_printer() {
    let dock = Dock::new(1, Duration::from_millis(20));
    for trouble in [Trouble::PowerOff, Trouble::Refuse, Trouble::NeverRead, Trouble::Silent, Trouble::PaperOut] {
        dock.zebra.control(Control::Begin(trouble));
        let (daemon, mut page) = dock.start();
        page.wait("it is tried", |view| view["printers"][0]["reason"] != "starting").expect("tried");
        let took = stop(&dock, daemon);
        assert!(took < STOP, "{trouble}: {took:?}");
        dock.zebra.control(Control::EndAll);
    }
}

#[test]
fn a_stop_in_a_flood_of_scans_is_a_stop() {
    let dock = Dock::new(1, Duration::from_millis(20));
    let (daemon, mut page) = dock.start();
    let running = AtomicBool::new(true);
    thread::scope(|scope| {
        scope.spawn(|| {
            // More than any queue holds, for as long as the daemon runs; the line then holds us up.
            let flood = b"FLOOD\r".repeat(600);
            while running.load(Ordering::Relaxed) {
                dock.gun.send(&flood).expect("sent");
            }
            dock.gun.send(b"END").expect("sent");
        });
        page.wait("the flood runs", |view| view["today"]["scans"].as_i64() > Some(2000)).expect("it runs");
        let took = stop(&dock, daemon);
        running.store(false, Ordering::Relaxed);
        dock.drain_line(b"END");
        assert!(took < STOP, "{took:?}");
    });
}

#[test]
fn a_second_daemon_is_refused_and_the_first_goes_on() {
    let dock = Dock::new(2, Duration::from_millis(20));
    let (daemon, mut page) = dock.start();
    dock.scan(&mut page, RMA).expect("the box");
    let mut second = dock.spawn();
    assert_eq!(second.end().code(), Some(1), "{}", second.log());
    assert!(second.log().contains("another backdock writes to this data directory"), "{}", second.log());

    // The page, the socket, the scanner and the printer are still the first one's.
    assert_eq!(dock.scan(&mut page, &dock.units[0]).expect("a unit"), "received");
    let new = dock.cli(&["rma", "new", "--channel", "direct"]);
    assert!(new.status.success(), "{new:?}");
    dock.settled(&mut page).expect("its label is out");
    stop(&dock, daemon);
    let account = audit(&dock, &dock.units[..1]);
    assert!(account.wrong.is_empty(), "{:#?}", account.wrong);
    assert_eq!(account.jobs, [("printed", 1)].into());
}
