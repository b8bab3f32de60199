//! Databases that the daemon must not touch: it says why, ends with 1, and leaves every byte as it was.

use super::full::Disk;
use super::support::dock::{Dock, RMA};
use rusqlite::Connection;
use rustix::process::geteuid;
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

const DB: &str = "backdock.db";

/// Every file in the directory but the station lock, which belongs to no database.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(dir).expect("the directory").map(|entry| entry.expect("an entry"));
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    // The index of the write-ahead log is made anew by whoever looks into it.
    let kept = names.filter(|name| name != "station.lock" && !name.ends_with("-shm") && dir.join(name).is_file());
    kept.map(|name| (name.clone(), fs::read(dir.join(&name)).expect("a file"))).collect()
}

/// Starts the daemon, which must refuse in these words and leave the directory alone.
fn refused(what: &str, dock: &Dock, words: &[&str]) {
    let before = files(&dock.data);
    let mut daemon = dock.spawn();
    let status = daemon.end();
    let said = daemon.log();
    assert_eq!(status.code(), Some(1), "{what}: {status}\n{said}");
    assert!(!said.contains("panicked"), "{what}: {said}");
    for word in words {
        assert!(said.contains(word), "{what}: wanted {word:?} in\n{said}");
    }
    println!("{what}: {}", said.lines().last().unwrap_or_default());
    let after = files(&dock.data);
    for (name, bytes) in &before {
        assert!(after.get(name) == Some(bytes), "{what}: {name} was changed");
    }
    // A look into a database in WAL mode may leave an empty log beside it.
    for (name, bytes) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        assert!(name.ends_with("-wal") && bytes.is_empty(), "{what}: {name} was added");
    }
}

fn dock() -> Dock {
    Dock::new(2, Duration::from_millis(5))
}

fn edit(dock: &Dock, change: impl FnOnce(&mut Vec<u8>)) {
    let path = dock.data.join(DB);
    let mut bytes = fs::read(&path).expect("the database");
    change(&mut bytes);
    fs::write(path, bytes).expect("written");
}

/// What is done to the bytes of a good database.
type Damage<'a> = &'a dyn Fn(&mut Vec<u8>);

#[test]
fn one_from_a_newer_version() {
    let dock = dock();
    let path = dock.data.join(DB);
    Connection::open(&path).expect("opens").pragma_update(None, "user_version", 99).expect("set");
    refused("newer", &dock, &["newer backdock", "schema 99", "nothing was changed", path.to_str().expect("a path")]);
}

/// A newer daemon was killed: its last transactions stand in the write-ahead log only.
#[test]
fn one_from_a_newer_version_that_was_killed() {
    let dock = dock();
    let (mut daemon, mut page) = dock.start();
    dock.scan(&mut page, RMA).expect("the box");
    let beside = Connection::open(dock.data.join(DB)).expect("opens");
    beside.pragma_update(None, "user_version", 99).expect("set");
    // Its own copy of both files, taken while both are open: as the power cut would leave them.
    let kept = files(&dock.data);
    assert!(kept["backdock.db-wal"].len() > 4096);
    daemon.kill();
    drop(beside);
    for (name, bytes) in &kept {
        fs::write(dock.data.join(name), bytes).expect("put back");
    }
    refused("newer with a log", &dock, &["newer backdock", "schema 99", "nothing was changed"]);
}

#[test]
fn files_that_are_not_ours() {
    let dock = Dock::bare(1, Duration::ZERO);
    let path = dock.data.join(DB);
    fs::write(&path, "Dear diary, this is not a database.\n".repeat(300)).expect("written");
    refused("a text", &dock, &["not a backdock database", "nothing was changed", "Move it away"]);

    for mode in ["DELETE", "WAL"] {
        fs::remove_file(&path).expect("removed");
        let other = Connection::open(&path).expect("opens");
        other.pragma_update(None, "journal_mode", mode).expect("set");
        other.execute_batch("CREATE TABLE recipes(name TEXT); INSERT INTO recipes VALUES('soup')").expect("made");
        drop(other);
        refused("another program's", &dock, &["not a backdock database", "nothing was changed"]);
    }
}

#[test]
fn ones_that_are_damaged() {
    let dock = dock();
    let whole = fs::read(dock.data.join(DB)).expect("the database");
    let page_size = 4096;
    let cases: [(&str, Damage, &str); 5] = [
        ("header overwritten", &|b| b[..100].fill(b'x'), "not a backdock database"),
        ("first bytes wrong", &|b| b[0] ^= 0xFF, "not a backdock database"),
        ("schema page overwritten", &|b| b[100..page_size].fill(0xA5), "damaged"),
        ("cut in half", &|b| b.truncate(b.len() / 2 / page_size * page_size), "damaged"),
        ("every table overwritten", &|b| b[page_size..].fill(0xA5), "damaged"),
    ];
    for (what, change, word) in cases {
        fs::write(dock.data.join(DB), &whole).expect("whole again");
        edit(&dock, change);
        refused(what, &dock, &[word, "nothing was changed"]);
    }
}

#[test]
fn one_that_belongs_to_another_station() {
    let dock = dock();
    let text = fs::read_to_string(&dock.config).expect("the configuration");
    fs::write(&dock.config, text.replace("id = \"DOCK7\"", "id = \"DOCK8\"")).expect("written");
    refused("another station", &dock, &["DOCK7", "DOCK8", "nothing was changed"]);
}

#[test]
fn a_directory_that_cannot_be_written() {
    let dock = dock();
    let kept = files(&dock.data);
    let disk = if geteuid().is_root() { Disk::mount(&dock.data, "size=4m") } else { None };
    for (name, bytes) in &kept {
        fs::write(dock.data.join(name), bytes).expect("copied");
    }
    match &disk {
        Some(disk) => disk.read_only(),
        // Nobody but root can write there then.
        None => fs::set_permissions(&dock.data, Permissions::from_mode(0o555)).expect("set"),
    }
    if disk.is_some() || !geteuid().is_root() {
        refused("read-only", &dock, &["check the owner"]);
    } else {
        println!("root without the right to mount may write anywhere: nothing to refuse");
    }
    let _ = fs::set_permissions(&dock.data, Permissions::from_mode(0o755));
}
