//! The house rules, read from the sources: which room may use which, what a pure room never does,
//! and that every hardware or database crate has one address.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Room, whether it is pure, and the rooms it may use beside `domain`, itself and `strict_toml`.
const ROOMS: &[(&str, bool, &[&str])] = &[
    ("domain", true, &[]),
    ("strict_toml", true, &[]),
    ("scan", true, &[]),
    ("identify", true, &["scan"]),
    ("program", true, &[]),
    ("rma", true, &[]),
    ("label", true, &[]),
    ("zebra", true, &[]),
    ("flow", true, &["scan", "identify", "program", "rma", "label"]),
    ("device", false, &["scan"]),
    ("printer", false, &["zebra"]),
    ("message", false, &["program"]),
    ("store", false, &["rma"]),
    // The window draws labels, those that are not ours as the virtual printer would, and reads the store.
    ("web", false, &["label", "store", "config", "sim"]),
    // The settings types of the rooms it configures.
    ("config", true, &["device", "label", "message", "printer", "program", "scan", "store"]),
    (
        "station",
        false,
        &["config", "device", "flow", "label", "message", "printer", "program", "rma", "scan", "store", "web"],
    ),
    // The other side of the wire: nothing of ours.
    ("sim", false, &[]),
    (
        "cli",
        false,
        &[
            "config", "device", "flow", "identify", "label", "message", "printer", "program", "rma", "scan", "sim",
            "station", "store", "web", "zebra",
        ],
    ),
    ("main", false, &["cli"]),
    ("lib", false, &[]),
];

/// What a pure room never names.
const IMPURE: &[&str] = &[
    "tokio",
    "serialport",
    "rusb",
    "rusqlite",
    "rustix",
    "std::fs",
    "std::net",
    "std::thread",
    "std::env",
    "std::process",
    "Utc::now",
    "Local::now",
    "Instant::now",
    "SystemTime",
    "thread::",
    "static ",
    "Mutex",
    "RwLock",
    "OnceLock",
    "RefCell<",
    "println!",
    "eprintln!",
];

/// Crates with one address.
const ADDRESSES: &[(&str, &[&str])] = &[
    ("rusqlite", &["store"]),
    ("zpl_builder", &["label"]),
    ("serialport", &["device"]),
    ("rusb", &["device", "printer"]),
    ("labelize", &[]),
    ("axum", &["web"]),
    ("lettre", &["message"]),
    ("ureq", &["message"]),
    ("rustls", &["message"]),
    ("Utc::now", &["station", "cli"]),
];

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// The room of a file, and its lines that count: no comments, no tests.
fn rooms() -> BTreeMap<String, Vec<(PathBuf, usize, String)>> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut rooms: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for file in files {
        let inside = file.strip_prefix(&src).unwrap().to_path_buf();
        if inside.file_name().is_some_and(|n| n == "tests.rs") || inside.components().any(|c| c.as_os_str() == "tests")
        {
            continue;
        }
        let room = inside.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
        let text = fs::read_to_string(&file).unwrap();
        let lines = rooms.entry(room).or_default();
        for (n, line) in text.lines().enumerate() {
            if line.trim() == "#[cfg(test)]" {
                break;
            }
            let code = line.split("//").next().unwrap_or_default();
            if !code.trim().is_empty() {
                lines.push((inside.clone(), n + 1, code.to_owned()));
            }
        }
    }
    rooms
}

#[test]
fn every_room_uses_only_the_rooms_it_may() {
    let mut broken = Vec::new();
    for (room, lines) in rooms() {
        let Some((_, _, allowed)) = ROOMS.iter().find(|(name, ..)| *name == room) else {
            panic!("src/{room} is a room that tests/house.rs does not know; give it its place in the order");
        };
        for (file, n, code) in &lines {
            for (other, ..) in ROOMS {
                let named = code.contains(&format!("crate::{other}::")) || code.contains(&format!("crate::{other};"));
                let fine = *other == room || *other == "domain" || *other == "strict_toml" || allowed.contains(other);
                // `sim` must not even use the nouns.
                if named && (!fine || (room == "sim" && *other != "sim")) {
                    broken.push(format!("{}:{n}: {room} uses {other}: {}", file.display(), code.trim()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn pure_rooms_touch_nothing() {
    let mut broken = Vec::new();
    for (room, lines) in rooms() {
        if !ROOMS.iter().any(|(name, pure, _)| *name == room && *pure) {
            continue;
        }
        for (file, n, code) in &lines {
            // `&'static str` and an address are types, not state or a socket.
            let code = code.replace("'static ", "").replace("std::net::SocketAddr;", "");
            for word in IMPURE {
                if code.contains(word) && !(room == "strict_toml" && *word == "RefCell<") {
                    broken.push(format!("{}:{n}: pure room {room} has {word:?}: {}", file.display(), code.trim()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_hardware_and_database_crate_has_one_address() {
    let mut broken = Vec::new();
    for (room, lines) in rooms() {
        for (file, n, code) in &lines {
            for (name, at) in ADDRESSES {
                let named = code.contains(&format!("{name}::")) || code.contains(&format!("{name}("));
                if named && !at.contains(&room.as_str()) {
                    broken.push(format!("{}:{n}: {name} outside {at:?}: {}", file.display(), code.trim()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_map_in_lib_rs_names_every_room() {
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    for (room, ..) in ROOMS.iter().filter(|(r, ..)| !matches!(*r, "main" | "lib")) {
        assert!(lib.contains(&format!("[`{room}`]")), "the map in src/lib.rs lacks {room}");
    }
}

#[test]
fn nothing_is_unwrapped_without_a_word_on_why_it_cannot_fail() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut broken = Vec::new();
    for (_, lines) in rooms() {
        for (file, n, code) in &lines {
            let bare = code.contains(".unwrap()") || code.contains("todo!(") || code.contains("unimplemented!(");
            let explained = || {
                let text = fs::read_to_string(src.join(file)).unwrap();
                let above: Vec<&str> = text.lines().take(*n).collect();
                above[n.saturating_sub(5)..].iter().any(|l| l.contains("//"))
            };
            if bare || (code.contains(".expect(") && !explained()) {
                broken.push(format!("{}:{n}: {}", file.display(), code.trim()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
