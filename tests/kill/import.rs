//! Killed in the middle of a shipment file: what is in is whole, and the same file brings in the rest.

use super::support::account::verified;
use super::support::dock::Dock;
use super::support::{Chance, PATIENCE};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

const ROWS: u64 = 25_000;
const KILLS: usize = 4;

fn file(dock: &Dock) -> PathBuf {
    let mut text = String::from("serial,mac,brand,model,ship_date,order,customer,channel\n");
    for n in 0..ROWS {
        let _ = writeln!(text, "IMP{n:07},805EC0{n:06X},Yealink,T31P,2025-11-05,SO-{n},Northside,reseller");
    }
    let path = dock.file("many.csv");
    fs::write(&path, text).expect("written");
    path
}

/// New and unchanged rows of an import that runs to its end; no other kind of row may occur.
fn import(dock: &Dock, file: &str) -> (u64, u64) {
    let done = dock.cli(&["shipments", "import", file, "--json"]);
    assert!(done.status.success(), "{done:?}");
    let counts: serde_json::Value = serde_json::from_slice(&done.stdout).expect("JSON");
    assert_eq!((counts["updated"].as_u64(), counts["rejected"].as_u64()), (Some(0), Some(0)), "{counts}");
    (counts["inserted"].as_u64().expect("a count"), counts["unchanged"].as_u64().expect("a count"))
}

/// Rows of the shipment table, by the auditor's count; `None` before there is one.
fn rows(dock: &Dock) -> Option<u64> {
    let report = dock.cli(&["journal", "verify", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&report.stdout).ok()?;
    assert_eq!(report["problems"], serde_json::json!([]));
    report["shipments"].as_u64()
}

/// How long an import takes here, so that the moments fall into it.
fn takes(through_daemon: bool) -> Duration {
    let dock = Dock::new(1, Duration::ZERO);
    let daemon = through_daemon.then(|| dock.start());
    let path = file(&dock);
    let began = Instant::now();
    assert_eq!(import(&dock, path.to_str().expect("a path")), (ROWS, 0));
    drop(daemon);
    began.elapsed()
}

#[test]
fn while_the_command_line_imports() {
    let seed = Chance::seed();
    println!("to repeat: BACKDOCK_SEED={seed}");
    let mut chance = Chance::new(seed);
    let takes = takes(false).as_micros() as u64;
    // Into an empty database (all in one piece), and into one with rows (a slice at a time).
    for dock in [Dock::bare(1, Duration::ZERO), Dock::new(1, Duration::ZERO)] {
        let path = file(&dock);
        let path = path.to_str().expect("a path");
        for _ in 0..KILLS {
            let importer = dock.run(&["shipments", "import", path]);
            let (_hold, over) = channel::<()>();
            let _ = over.recv_timeout(Duration::from_micros(chance.below(takes)));
            importer.killer().kill();
            println!("{:?} rows are in", rows(&dock));
        }
        let (new, unchanged) = import(&dock, path);
        println!("{unchanged} rows were in");
        assert_eq!(new + unchanged, ROWS);
        verified(&dock).expect("the journal is whole");
        assert_eq!(import(&dock, path), (0, ROWS), "and everything is there");
    }
}

#[test]
fn while_the_daemon_imports() {
    let seed = Chance::seed();
    println!("to repeat: BACKDOCK_SEED={seed}");
    let mut chance = Chance::new(seed);
    let takes = takes(true).as_micros() as u64;
    let dock = Dock::new(1, Duration::ZERO);
    let path = file(&dock);
    let path = path.to_str().expect("a path");
    for _ in 0..KILLS {
        let (daemon, _page) = dock.start();
        let mut caller = dock.run(&["shipments", "import", path]);
        let (_hold, over) = channel::<()>();
        let _ = over.recv_timeout(Duration::from_micros(chance.below(takes)));
        daemon.killer().kill();
        // It was told of the end, or was done before, or went on by itself if it had not begun.
        let began = Instant::now();
        let status = caller.end();
        assert!(status.code().is_some() && began.elapsed() < PATIENCE, "{status}");
        verified(&dock).expect("the journal is whole");
        println!("{:?} rows are in", rows(&dock));
    }
    let (daemon, _page) = dock.start();
    let (new, unchanged) = import(&dock, path);
    println!("{unchanged} rows were in");
    assert_eq!(new + unchanged, ROWS);
    verified(&dock).expect("beside the running daemon too");
    drop(daemon);
    let left = fs::read_dir(&dock.data).expect("the directory").map(|e| e.expect("an entry").file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with("import-")).collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}
