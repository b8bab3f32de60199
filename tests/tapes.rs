//! Tapes of scanners, played through a pty into the real daemon: one for each model and each fault that was
//! met. A tape says in its header what must be made of it; and what is recorded plays back as it was.

mod support;

use backdock::cli::sim::as_serial;
use backdock::scan::SILENCE_MS;
use backdock::sim::scanner::{Line, Tape};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use support::dock::Dock;

/// Tapes that are played beside each other.
const AT_A_TIME: usize = 4;

/// What was taken of each scan, in the order of the journal: `kind value`, `kind` where there is no value, or
/// `refused OUTCOME`.
fn taken(dock: &Dock) -> Vec<String> {
    let done = dock.cli(&["journal", "export"]);
    let text = String::from_utf8(done.stdout).unwrap();
    let events = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let said = events.filter_map(|row| {
        let event = if row["event"].is_object() { &row["event"] } else { &row };
        let text = |key: &str| event[key].as_str().map(str::to_owned);
        match row["kind"].as_str().or(event["kind"].as_str())? {
            "scanned" => {
                let value = text("value").map(|v| format!(" {v}")).unwrap_or_default();
                Some(format!("{}{value}", text("identity")?))
            }
            "refused" => Some(format!("refused {}", event["screen"]["outcome"].as_str()?)),
            _ => None,
        }
    });
    said.collect()
}

fn play(path: &Path) -> Result<(), String> {
    let mut tape = as_serial(&fs::read_to_string(path).unwrap())?;
    let of = |key: &str| tape.header.iter().filter(|(k, _)| k == key).map(|(_, v)| v.clone()).collect::<Vec<_>>();
    for key in ["model", "what", "suffix"] {
        if of(key).len() != 1 {
            return Err(format!("the header needs one line `# {key}: ...`"));
        }
    }
    let mut expected = of("expect");
    if expected.is_empty() {
        return Err("the header says nothing of what is expected".to_owned());
    }
    let end = match of("suffix")[0].as_str() {
        "crlf" => "\r\n",
        "tab" => "\t",
        "idle" => "",
        _ => "\r",
    };
    // A scan behind the last one that is expected would come before this one.
    expected.push("badge LAST".to_owned());
    tape.lines.push(Line {
        delay: Duration::from_millis(SILENCE_MS + 100),
        bytes: format!("BADGELAST{end}").into_bytes(),
        form: String::new(),
    });
    let dock = Dock::new(1, Duration::ZERO);
    let config = fs::read_to_string(&dock.config).unwrap();
    let suffixed = config.replace("suffix = \"cr\"", &format!("suffix = {:?}", of("suffix")[0]));
    fs::write(&dock.config, suffixed).unwrap();
    let (mut daemon, mut page) = dock.start();
    dock.gun.play(&tape, 1.0, |_| ()).map_err(|e| e.to_string())?;
    let enough = page.wait("all scans", |view| view["today"]["scans"].as_u64() >= Some(expected.len() as u64));
    enough.map_err(|e| format!("{e:?}; so far {:?}", taken(&dock)))?;
    daemon.ask_to_stop();
    assert!(daemon.end().success());
    let taken = taken(&dock);
    if taken == expected { Ok(()) } else { Err(format!("expected {expected:?}, was {taken:?}")) }
}

#[test]
fn every_tape_comes_to_what_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tapes");
    let mut tapes: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    tapes.retain(|path| path.extension().is_some_and(|x| x == "tape"));
    tapes.sort();
    assert!(tapes.len() >= 10, "{tapes:?}");
    // Mostly pauses: several at a time.
    let played =
        |path: &PathBuf| play(path).err().map(|why| format!("{}: {why}", path.file_name().unwrap().to_string_lossy()));
    let chunks = tapes.chunks(tapes.len().div_ceil(AT_A_TIME));
    let wrong: Vec<String> = std::thread::scope(|threads| {
        let running: Vec<_> = chunks.map(|some| threads.spawn(|| some.iter().filter_map(played).collect())).collect();
        running.into_iter().flat_map(|thread| -> Vec<String> { thread.join().unwrap() }).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_recorded_plays_back_as_it_was() {
    let dock = Dock::new(2, Duration::ZERO);
    let (mut daemon, mut page) = dock.start();
    let record = |more: &[&str]| dock.cli(&[&["tape", "record", "--by", "anna"], more].concat());
    let refused = record(&["--scanner", "none"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("there are: gun"), "{refused:?}");
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(record(&["--minutes", "0"]).status.code(), Some(1));
    let done = record(&[]);
    assert!(done.status.success(), "{done:?}");
    let said = String::from_utf8(done.stdout).unwrap();
    let path = PathBuf::from(said.trim().strip_prefix("records: ").unwrap());
    let scans = [support::dock::RMA.to_owned(), dock.units[0].clone(), "DONE".to_owned()];
    for payload in &scans {
        dock.scan(&mut page, payload).unwrap();
    }
    assert!(dock.cli(&["tape", "stop", "--by", "anna"]).status.success());
    dock.scan(&mut page, "AFTERWARDS").unwrap();
    daemon.ask_to_stop();
    assert!(daemon.end().success());
    let tape = Tape::parse(&fs::read_to_string(&path).unwrap()).unwrap();
    let bytes: Vec<u8> = tape.lines.iter().flat_map(|line| line.bytes.clone()).collect();
    let sent: String = scans.iter().map(|payload| format!("{payload}\r")).collect();
    assert_eq!(String::from_utf8(bytes).unwrap(), sent);

    // Played into another station it is the same day.
    let other = Dock::new(2, Duration::ZERO);
    let link = other.file("gun");
    let config = fs::read_to_string(&other.config).unwrap();
    let port = format!("port = {:?}", other.gun.slave_path());
    assert!(config.contains(&port));
    fs::write(&other.config, config.replace(&port, &format!("port = {link:?}"))).unwrap();
    let mut daemon = other.spawn();
    let mut page = daemon.page().unwrap();
    let played = other.cli(&[
        "tape",
        "replay",
        path.to_str().unwrap(),
        "--link",
        link.to_str().unwrap(),
        "--speed",
        "4",
        "--linger",
        "3000",
    ]);
    assert!(played.status.success(), "{played:?}");
    page.wait("the day", |view| view["today"]["scans"] == 3).unwrap();
    daemon.ask_to_stop();
    assert!(daemon.end().success());
    assert_eq!(taken(&other), taken(&dock)[..3]);
}
