//! A disk that is full in the middle of the day: nothing is shown that was not written, the daemon lives
//! on, and goes on by itself when there is room again.

use super::support::PATIENCE;
use super::support::account::{audit, verified};
use super::support::dock::{Daemon, Dock, RMA, out};
use super::support::page::Page;
use rustix::fs::statvfs;
use rustix::process::{Resource, Rlimit, geteuid, getrlimit, prlimit};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

#[test]
fn files_that_may_not_grow() {
    let dock = Dock::new(12, Duration::from_millis(300));
    let wal = dock.data.join("backdock.db-wal");
    // A process that ignores the signal gets an error instead.
    let daemon = dock.spawn_by(&["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"]);
    let page = daemon.page().expect("it starts");
    let limits = getrlimit(Resource::Fsize);
    let full = |daemon: &Daemon| {
        let current = fs::metadata(&wal).expect("the write-ahead log").len();
        let limit = Rlimit { current: Some(current), maximum: limits.maximum };
        prlimit(Some(daemon.pid()), Resource::Fsize, limit).expect("a limit");
    };
    let room = |daemon: &Daemon| {
        prlimit(Some(daemon.pid()), Resource::Fsize, limits).expect("no limit");
    };
    runs_full(&dock, daemon, page, full, room);
}

/// A file system of its own, as large as the test wants it; only root can have one.
#[test]
fn a_disk_without_room() {
    if !geteuid().is_root() {
        println!("not root: no file system can be mounted; `files_that_may_not_grow` did what can be done");
        return;
    }
    let dock = Dock::bare(12, Duration::from_millis(300));
    let Some(disk) = Disk::mount(&dock.data, "size=2m") else {
        println!("no right to mount: `files_that_may_not_grow` did what can be done");
        return;
    };
    dock.bring_in();
    let (daemon, page) = dock.start();
    runs_full(&dock, daemon, page, |_| disk.fill(), |_| disk.empty());
}

fn runs_full(dock: &Dock, mut daemon: Daemon, mut page: Page, full: impl Fn(&Daemon), room: impl Fn(&Daemon)) {
    let unit = |n: usize| dock.units[n].as_str();
    assert_eq!(dock.scan(&mut page, RMA).expect("the box"), "box_open");
    page.wait("the printer is ready", |view| view["printers"][0]["state"] == "ready").expect("ready");
    assert_eq!(dock.scan(&mut page, unit(0)).expect("a unit"), "received");
    // Full while its label is under the head: what becomes of it cannot be written down.
    full(&daemon);
    assert!(dock.zebra.wait(PATIENCE, |zebra| zebra.labels().len() == 1));
    for n in [1, 2, 1, 3] {
        assert_eq!(dock.scan(&mut page, unit(n)).expect("an answer"), "not_written", "{:#}", page.view);
        assert_eq!(page.view["screen"]["word"], "NOT WRITTEN");
        assert_eq!(page.view["screen"]["kind"], "error");
        assert_eq!(page.view["box"]["received"], 1, "{:#}", page.view);
        assert_eq!(page.view["today"]["receipts"], 1, "{:#}", page.view);
        let feed = page.view["feed"].as_array().expect("the last scans");
        let shown: Vec<&str> = feed.iter().filter_map(|line| line["word"].as_str()).collect();
        let lies = feed.iter().any(|line| line["kind"] == "accept" && line["text"].to_string().contains(unit(n)));
        assert!(!lies, "{} was not written and the list of scans says {shown:?}", unit(n));
    }
    // The same while several scans arrive at once: each has its answer.
    let burst: String = (4..8).map(|n| format!("{}\r", unit(n))).collect();
    dock.gun.send(burst.as_bytes()).expect("scanned");
    page.wait("the last one is answered", |view| view["screen"]["scanned"] == unit(7)).expect("answered");
    assert_eq!(page.view["screen"]["outcome"], "not_written");
    let why = page.view["screen"]["why"][0].as_str().expect("a reason").to_owned();
    println!("the screen says: {why}");
    assert!(["Free space", "free space"].iter().any(|next| why.contains(next)), "no next step in {why:?}");
    verified(dock).expect("what is there is whole");

    room(&daemon);
    for n in 1..dock.units.len() {
        assert_eq!(dock.scan(&mut page, unit(n)).expect("an answer"), "received", "{:#}", page.view);
    }
    page.wait("every label is settled", |view| out(view) == 0).expect("settled");
    daemon.ask_to_stop();
    assert!(daemon.end().success(), "{}", daemon.log());
    let account = audit(dock, &dock.units);
    assert!(account.wrong.is_empty(), "{:#?}", account.wrong);
    assert_eq!(account.received, dock.units);
    assert_eq!(account.jobs, [("printed", dock.units.len())].into());
    // A full disk is not helped by a log that grows as fast as it can.
    let lines = daemon.log().lines().filter(|line| line.contains("ERROR")).count();
    assert!(lines < 60, "{lines} errors in the log:\n{}", daemon.log());
}

/// A small file system in memory.
pub struct Disk {
    at: PathBuf,
}

impl Disk {
    pub fn mount(at: &Path, options: &str) -> Option<Disk> {
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at).status();
        done.is_ok_and(|s| s.success()).then(|| Disk { at: at.to_owned() })
    }

    pub fn read_only(&self) {
        let done = Command::new("mount").args(["-o", "remount,ro"]).arg(&self.at).status();
        assert!(done.expect("mount runs").success(), "mounted read-only");
    }

    /// Takes all room there is.
    fn fill(&self) {
        let mut ballast = OpenOptions::new().create(true).append(true).open(self.at.join("ballast")).expect("a file");
        while ballast.write(&[0; 4096]).is_ok_and(|n| n > 0) {}
        assert_eq!(statvfs(&self.at).expect("the file system").f_bavail, 0);
    }

    fn empty(&self) {
        fs::remove_file(self.at.join("ballast")).expect("removed");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a daemon that a failing test has not ended yet may still use it.
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}
