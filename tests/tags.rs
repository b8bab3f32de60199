//! Call tags through the real binary: ordered, followed, met at the dock by the carrier's number; and the
//! carriers' own labels, through the folder and by hand.

mod support;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::inotify;
use serde_json::Value;
use std::fs;
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};
use support::PATIENCE;
use support::dock::{Dock, RMA};

const UPS: &str = "1Z999AA10123456784";
/// Nobody ordered this one.
const OTHER: &str = "1Z879E930346834440";
const LABEL: &str = "^XA^FO40,40^A0N,50,50^FDSHIP TO: ACME^FS^FO40,200^BY3^BCN,150,Y,N,N^FD1Z999AA10123456784^FS^XZ";

fn said(done: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr))
}

#[track_caller]
fn does(dock: &Dock, words: &[&str]) -> Value {
    let done = dock.cli(&[words, &["--by", "anna", "--json"]].concat());
    assert!(done.status.success(), "{words:?}: {}", said(&done));
    serde_json::from_slice(&done.stdout).unwrap()
}

#[track_caller]
fn refuses(dock: &Dock, words: &[&str], why: &str) {
    let done = dock.cli(&[words, &["--by", "anna"]].concat());
    assert_eq!(done.status.code(), Some(1), "{words:?}: {}", said(&done));
    assert!(said(&done).contains(why), "{words:?} must say {why:?}: {}", said(&done));
}

fn order(packages: &str) -> Vec<&str> {
    let fields =
        ["company=Acme", "street=1 Main St", "city=Springfield", "state=IL", "zip=62701", "description=IP phones"];
    let words = ["tag", "request", RMA, "--kind", "call_tag_3", "--packages", packages];
    let more = ["phone=555-0100", "return_to=Returns Dock|1 Dock Road"];
    words.into_iter().chain(fields.into_iter().chain(more).flat_map(|pair| ["--say", pair])).collect()
}

fn tags(dock: &Dock, more: &[&str]) -> (Vec<Value>, Option<i32>) {
    let done = dock.cli(&[&["tag", "list", "--json"], more].concat());
    (serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{}", said(&done))), done.status.code())
}

#[test]
fn a_tag_is_ordered_followed_and_met_at_the_dock() {
    let dock = Dock::new(2, Duration::from_millis(2));
    let (mut daemon, mut page) = dock.start();
    refuses(&dock, &["tag", "request", RMA, "--kind", "call_tag_3"], "street is missing");
    let ordered = does(&dock, &[&order("2")[..], &["--print"]].concat());
    assert_eq!(ordered["tags"].as_array().unwrap().len(), 2);
    assert_eq!(ordered["tags"][1]["package"], 2);
    assert_eq!(ordered["papers"].as_array().unwrap().len(), 3, "two sheets and one notice: {ordered}");
    assert!(dock.zebra.wait(PATIENCE, |zebra| zebra.labels().len() >= 3));
    let printed: Vec<String> =
        dock.zebra.labels().iter().map(|l| String::from_utf8_lossy(&l.zpl).into_owned()).collect();
    assert!(printed[1].contains("2 of 2") && printed[0].contains("555-0100"), "{}", printed[0]);

    does(&dock, &["tag", "act", "1", "dispatch", "--say", &format!("tracking={UPS}"), "--say", "confirmation=C1"]);
    refuses(&dock, &["tag", "act", "2", "dispatch", "--say", &format!("tracking={UPS}")], "tag 1 already");
    for _ in 0..2 {
        does(&dock, &["tag", "act", "2", "attempt"]);
    }
    assert_eq!(does(&dock, &["tag", "act", "2", "attempt"])["state"], "failed");
    refuses(&dock, &["tag", "act", "2", "attempt"], "no attempt can follow");
    let (list, code) = tags(&dock, &["--open"]);
    assert_eq!((list.len(), code), (2, Some(3)), "a failed tag wants somebody");
    let csv = dock.cli(&["tag", "list", "--csv"]);
    let csv = String::from_utf8(csv.stdout).unwrap();
    assert!(csv.lines().nth(1).unwrap().contains("IP phones") && csv.contains("attempts"), "{csv}");
    let stale = dock.cli(&["list", "stale-tags"]);
    assert!(said(&stale).contains("failed after 3 attempts") && stale.status.code() == Some(3), "{}", said(&stale));

    // The first scan of the box is the carrier's label.
    assert_eq!(dock.scan(&mut page, UPS).unwrap(), "box_open");
    let screen = page.view["screen"].clone();
    assert!(screen["title"].as_str().unwrap().contains(RMA), "{screen}");
    assert!(screen["why"].to_string().contains("call_tag_3 1, package 1 of 2"), "{screen}");
    assert_eq!(tags(&dock, &[]).0[0]["state"], "received");
    assert_eq!(dock.scan(&mut page, &dock.units[0]).unwrap(), "received");
    assert_eq!(dock.scan(&mut page, "DONE").unwrap(), "box_done");
    // What the freight ledger knows of the way in.
    let legs = dock.cli(&["freight", "list"]);
    assert!(said(&legs).contains(UPS), "{}", said(&legs));
    assert_eq!(dock.scan(&mut page, UPS).unwrap(), "box_open");
    assert!(page.view["screen"]["why"].to_string().contains("arrived before"), "{}", page.view["screen"]);
    daemon.ask_to_stop();
    assert!(daemon.end().success());
    assert!(dock.cli(&["journal", "verify"]).status.success());
}

#[test]
fn a_box_that_nobody_called_for_has_arrived_all_the_same() {
    let dock = Dock::new(2, Duration::from_millis(2));
    let (mut daemon, mut page) = dock.start();
    assert_eq!(dock.scan(&mut page, OTHER).unwrap(), "parcel_arrived");
    assert!(page.view["screen"]["next"].as_str().unwrap().contains("RMA number"), "{}", page.view["screen"]);
    // A unit that one open RMA announced says whose box it is.
    assert_eq!(dock.scan(&mut page, &dock.units[0]).unwrap(), "received");
    assert_eq!(dock.scan(&mut page, "DONE").unwrap(), "box_done");
    // A unit that nobody announced does not.
    assert_eq!(dock.scan(&mut page, OTHER).unwrap(), "parcel_arrived");
    assert_eq!(dock.scan(&mut page, "STRANGER1").unwrap(), "no_box");
    assert_eq!(dock.scan(&mut page, RMA).unwrap(), "box_open");
    assert!(page.view["screen"]["why"].to_string().contains(OTHER), "{}", page.view["screen"]);
    assert_eq!(dock.scan(&mut page, "CANCEL").unwrap(), "cancelled");
    assert_eq!(dock.scan(&mut page, OTHER).unwrap(), "parcel_arrived");
    assert_eq!(dock.scan(&mut page, "CANCEL").unwrap(), "cancelled");
    assert_eq!(dock.scan(&mut page, &dock.units[1]).unwrap(), "no_box", "the box was set aside");
    daemon.ask_to_stop();
    assert!(daemon.end().success());
    assert!(dock.cli(&["journal", "verify"]).status.success());
}

/// Where exactly one package was called for, the box that is opened by its RMA number is that one.
#[test]
fn the_only_tag_is_received_with_the_box() {
    let dock = Dock::new(1, Duration::from_millis(2));
    does(&dock, &order("1"));
    let (mut daemon, mut page) = dock.start();
    assert_eq!(dock.scan(&mut page, RMA).unwrap(), "box_open");
    dock.settled(&mut page).unwrap();
    assert_eq!(tags(&dock, &[]).0[0]["state"], "received");
    daemon.ask_to_stop();
    assert!(daemon.end().success());
}

/// The most usual case: one package was called for, and its label is the first scan.
#[test]
fn the_label_of_the_only_tag_opens_its_box() {
    let dock = Dock::new(1, Duration::from_millis(2));
    does(&dock, &order("1"));
    does(&dock, &["tag", "act", "1", "dispatch", "--say", &format!("tracking={UPS}")]);
    let (mut daemon, mut page) = dock.start();
    assert_eq!(dock.scan(&mut page, UPS).unwrap(), "box_open");
    let now = &tags(&dock, &[]).0[0];
    assert_eq!(
        (now["state"].as_str(), now["reply"]["why"].as_str()),
        (Some("received"), Some("1Z999AA10123456784 was scanned"))
    );
    daemon.ask_to_stop();
    assert!(daemon.end().success());
    assert!(dock.cli(&["journal", "verify"]).status.success());
}

/// Waits until files of these names lie in a folder that exists, woken by the kernel with each that comes.
#[track_caller]
fn until(folder: &Path, names: &[&str]) {
    let watch = inotify::init(inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC).unwrap();
    inotify::add_watch(&watch, folder, inotify::WatchFlags::MOVED_TO | inotify::WatchFlags::CREATE).unwrap();
    let end = Instant::now() + PATIENCE;
    while !names.iter().all(|name| folder.join(name).exists()) {
        let left = end.saturating_duration_since(Instant::now());
        assert!(!left.is_zero(), "{names:?} in {}: not within {PATIENCE:?}", folder.display());
        poll(&mut [PollFd::new(&watch, PollFlags::IN)], Some(&left.try_into().unwrap())).unwrap();
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(&watch, &mut buffer);
        while events.next().is_ok() {}
    }
}

/// As a shipping system does it: written beside, then renamed.
fn put(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let (part, whole) = (folder.join(format!(".{name}.part")), folder.join(name));
    fs::write(&part, bytes).unwrap();
    fs::rename(part, &whole).unwrap();
    whole
}

#[test]
fn a_carriers_label_is_printed_as_it_is_and_once() {
    let dock = Dock::new(1, Duration::from_millis(2));
    does(&dock, &order("1"));
    let (daemon, mut page) = dock.start();
    let incoming = dock.data.join("incoming");
    let name = format!("{RMA}_tag1.zpl");
    put(&incoming, &name, LABEL.as_bytes());
    until(&incoming.join("printed"), &[&name]);
    assert!(dock.zebra.wait(PATIENCE, |zebra| !zebra.labels().is_empty()));
    let labels = dock.zebra.labels();
    assert_eq!(labels.len(), 1);
    assert_eq!(&*labels[0].zpl, LABEL.as_bytes(), "not one byte is changed");

    // The same again, as after a kill in between: known by its content.
    put(&incoming, "again.zpl", LABEL.as_bytes());
    until(&incoming.join("printed"), &["again.zpl"]);
    for (name, bytes, why) in [
        ("reset.zpl", &b"^XA^FDx^FS~JR^XZ"[..], "~JR"),
        ("two.zpl", b"^XA^FDx^FS^XZ^XA^FDy^FS^XZ", "a second label"),
        ("bytes.zpl", b"^XA^FD\xff\xfe^FS^XZ", "UTF-8"),
        ("tag99.zpl", b"^XA^FO9,9^A0N,30,30^FDz^FS^XZ", "no tag 99"),
        ("wide.zpl", b"^XA^FO700,40^BY4^BCN,90,N,N,N^FD1Z999AA10123456784^FS^XZ", "stock"),
    ] {
        put(&incoming, name, bytes);
        let reasons = name.replace(".zpl", ".txt");
        until(&incoming.join("refused"), &[name, &reasons]);
        let reasons = incoming.join("refused").join(reasons);
        let told = fs::read_to_string(&reasons).unwrap();
        assert!(told.contains(why), "{name}: {told}");
    }
    // A link is no file of a shipping system's.
    std::os::unix::fs::symlink("/etc/passwd", incoming.join("link.zpl")).unwrap();

    // By hand; and another print, which nothing may be written onto.
    let by_hand = dock.file("dhl.zpl");
    fs::write(&by_hand, LABEL.replace("ACME", "DHL")).unwrap();
    let made = does(&dock, &["print", "carrier", RMA, "--zpl", by_hand.to_str().unwrap(), "--tag", "1"]);
    assert_eq!((made["job"].as_i64(), made["label"].as_str()), (Some(2), Some("carrier")));
    refuses(&dock, &["print", "carrier", "RMA-9", "--zpl", "/dev/null"], "not on record");
    refuses(&dock, &["print", "carrier", "--zpl", by_hand.to_str().unwrap()], "job 2 already");
    assert_eq!(does(&dock, &["reprint", "--job", "2", "--why", "torn"])["copy"], 2);
    assert!(dock.zebra.wait(PATIENCE, |zebra| zebra.labels().len() >= 3));
    dock.settled(&mut page).unwrap();
    assert_eq!(dock.zebra.labels().len(), 3);
    assert_eq!(dock.zebra.labels()[2].zpl, dock.zebra.labels()[1].zpl);
    assert!(page.get("/label/1.png").unwrap().starts_with(b"\x89PNG"));
    assert!(incoming.join("link.zpl").symlink_metadata().is_ok(), "left where it is");
    drop(daemon);
}
