//! The real station, in this process, with readers over real TCP: what bytes do to it, many at once,
//! and what it is in the middle of after a restart. No printer is configured: labels wait.

use backdock::config;
use backdock::printer::Pace;
use backdock::program::Programs;
use backdock::rma::draft;
use backdock::station::control::Call;
use backdock::station::request::Request;
use backdock::station::view::Progress;
use backdock::station::{self, Hooks};
use backdock::store::{self, verify};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

struct Station {
    stop: Arc<AtomicBool>,
    told: Receiver<Progress>,
    thread: JoinHandle<Result<(), station::StationError>>,
}

/// Free ports, so that readers can be told where to connect before the station listens.
fn ports(n: usize) -> Vec<u16> {
    let held: Vec<TcpListener> = (0..n).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    held.iter().map(|l| l.local_addr().unwrap().port()).collect()
}

fn config(dir: &Path, ports: &[u16]) -> config::Config {
    let mut text = format!(
        "[station]\nid = \"T1\"\ncode = \"T1\"\ntimezone = \"America/Chicago\"\ndata = {dir:?}\nsocket = {:?}\n[web]\nlisten = \"127.0.0.1:0\"\n",
        dir.join("s.sock")
    );
    for (n, port) in ports.iter().enumerate() {
        text.push_str(&format!(
            "[[scanner]]\nname = \"gun{n}\"\nkind = \"tcp\"\nlisten = \"127.0.0.1:{port}\"\nsuffix = \"cr\"\n"
        ));
    }
    config::parse("t.toml", &text).unwrap().value
}

impl Station {
    fn start(dir: &Path, ports: &[u16]) -> Station {
        let stop = Arc::new(AtomicBool::new(false));
        let (tell, told) = channel();
        let (ready_in, ready) = channel();
        let hooks = Hooks {
            stop: stop.clone(),
            ready: Box::new(move |_| ready_in.send(()).unwrap()),
            watch: Some(Box::new(move |view| drop(tell.send(view.progress())))),
            pace: Pace::default(),
        };
        let config = config(dir, ports);
        let thread = std::thread::spawn(move || {
            let (programs, _) = Programs::shipped("voip-reseller").unwrap();
            station::run(config, programs, hooks)
        });
        ready.recv_timeout(PATIENCE).expect("the station starts");
        Station { stop, told, thread }
    }

    fn wait_frames(&self, frames: u64) {
        let until = Instant::now() + PATIENCE;
        let mut last = 0;
        while last < frames {
            match self.told.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(p) => last = p.frames,
                Err(e) => panic!("{last} of {frames} frames after {PATIENCE:?}: {e}"),
            }
        }
        assert_eq!(last, frames, "more frames than were sent");
    }

    fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap().unwrap();
    }
}

fn reader(port: u16) -> TcpStream {
    let until = Instant::now() + PATIENCE;
    loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => return stream,
            Err(e) if Instant::now() > until => panic!("{e}"),
            Err(_) => std::thread::yield_now(),
        }
    }
}

/// (scanner, kind, outcome, raw bytes kept) of every scan in the journal, in order.
fn scans(dir: &Path) -> Vec<(String, String, String, Option<Vec<u8>>)> {
    let reader = store::open_reader(dir).unwrap();
    let mut found = Vec::new();
    verify::export(&reader, |line| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let kind = row["event"]["kind"].as_str().unwrap().to_owned();
        if kind == "scanned" || kind == "refused" {
            let raw = store::read::shown_at(&reader, row["seq"].as_i64().unwrap()).unwrap().unwrap().2;
            let outcome = row["event"]["screen"]["outcome"].as_str().unwrap().to_owned();
            found.push((row["scanner"].as_str().unwrap().to_owned(), kind, outcome, raw));
        }
        Ok(())
    })
    .unwrap()
    .unwrap();
    found
}

fn whole(dir: &Path) -> verify::Report {
    let report = verify::verify(&store::open_reader(dir).unwrap(), |_, _| ()).unwrap();
    assert_eq!(report.problems, Vec::<String>::new());
    report
}

#[test]
fn whatever_bytes_come_each_scan_gets_a_named_outcome_and_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let ports = ports(1);
    let station = Station::start(dir.path(), &ports);
    let payloads: Vec<(Vec<u8>, &str)> = vec![
        (b"".to_vec(), "empty_scan"),
        (b"x".to_vec(), "no_box"),
        (vec![b'A'; 8192], "unknown_scan"),
        (vec![b'A'; 8193], "too_long"),
        (vec![0, 1, 2, 255, 254], "unknown_scan"),
        (b"[)>\x1e06\x1dSABC\x1e\x04".to_vec(), "no_box"),
        (vec![0xC3, 0x28, 0xFF], "unknown_scan"),
        (b"^XZ~JR".to_vec(), "unknown_scan"),
        (b"<script>alert(1)</script>".to_vec(), "unknown_scan"),
        (b"'; DROP TABLE journal; --".to_vec(), "unknown_scan"),
        (b"$(reboot)`reboot`".to_vec(), "unknown_scan"),
        ("\u{202e}\u{1F600} \u{4e2d}".as_bytes().to_vec(), "unknown_scan"),
        (b"DONE".to_vec(), "no_box"),
    ];
    let mut gun = reader(ports[0]);
    for (bytes, _) in &payloads {
        gun.write_all(bytes).unwrap();
        gun.write_all(b"\r").unwrap();
    }
    station.wait_frames(payloads.len() as u64);
    station.end();
    let seen = scans(dir.path());
    for ((bytes, want), (_, _, outcome, raw)) in payloads.iter().zip(&seen) {
        assert_eq!(outcome, want, "{:?}", String::from_utf8_lossy(bytes));
        if *want != "too_long" && !bytes.is_empty() {
            assert_eq!(raw.as_ref(), Some(bytes));
        }
    }
    assert_eq!(seen.len(), payloads.len());
    whole(dir.path());
}

#[test]
fn ten_thousand_scans_in_a_burst_are_all_there_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let ports = ports(1);
    let station = Station::start(dir.path(), &ports);
    let mut gun = reader(ports[0]);
    let all: Vec<String> = (0..10_000).map(|n| format!("BURST{n:06}")).collect();
    gun.write_all(all.iter().map(|s| format!("{s}\r")).collect::<String>().as_bytes()).unwrap();
    station.wait_frames(10_000);
    station.end();
    let raws: Vec<String> =
        scans(dir.path()).into_iter().map(|(.., raw)| String::from_utf8(raw.unwrap()).unwrap()).collect();
    assert_eq!(raws, all);
    whole(dir.path());
}

#[test]
fn two_scanners_at_once_never_mix() {
    let dir = tempfile::tempdir().unwrap();
    let ports = ports(2);
    let station = Station::start(dir.path(), &ports);
    let guns: Vec<_> = (0..2usize)
        .map(|g| {
            let mut gun = reader(ports[g]);
            std::thread::spawn(move || {
                for n in 0..1500 {
                    // Cut in the middle, so that halves of both lines are under way together.
                    let scan = format!("GUN{g}SCAN{n:05}\r");
                    let (a, b) = scan.split_at(7);
                    gun.write_all(a.as_bytes()).unwrap();
                    gun.write_all(b.as_bytes()).unwrap();
                }
                gun
            })
        })
        .collect();
    let open: Vec<_> = guns.into_iter().map(|g| g.join().unwrap()).collect();
    station.wait_frames(3000);
    drop(open);
    station.end();
    let mut next = [0, 0];
    for (scanner, _, _, raw) in scans(dir.path()) {
        let g: usize = scanner.trim_start_matches("gun").parse().unwrap();
        assert_eq!(String::from_utf8(raw.unwrap()).unwrap(), format!("GUN{g}SCAN{:05}", next[g]));
        next[g] += 1;
    }
    assert_eq!(next, [1500, 1500]);
}

fn announce(dir: &Path, ports: &[u16], csv: &str) {
    let (programs, _) = Programs::shipped("voip-reseller").unwrap();
    let request = Request::Rmas { drafts: draft::read(csv).drafts, by: "test".to_owned() };
    station::alone(config(dir, ports), programs, std::iter::once(request), |r| assert!(r.ok, "{}", r.text)).unwrap();
}

#[test]
fn a_restart_comes_back_in_the_middle_of_the_box() {
    let dir = tempfile::tempdir().unwrap();
    let ports = ports(1);
    announce(
        dir.path(),
        &ports,
        "number,channel,issued,diagnosed,serial\nRMA-10001,direct,2026-01-01,yes,AA1\nRMA-10001,direct,2026-01-01,yes,AA2\n",
    );
    let station = Station::start(dir.path(), &ports);
    reader(ports[0]).write_all(b"BADGEB7\rRMA-10001\rAA1\r").unwrap();
    station.wait_frames(3);
    station.end();
    let station = Station::start(dir.path(), &ports);
    reader(ports[0]).write_all(b"AA2\rUNDO\rREPRINT\rAA2\rDONE\r").unwrap();
    station.wait_frames(5);
    station.end();
    let outcomes: Vec<String> = scans(dir.path()).into_iter().map(|(_, _, outcome, _)| outcome).collect();
    assert_eq!(
        outcomes,
        [
            "badge",
            "box_open",
            "unit_unknown",
            "unit_unknown",
            "undone",
            "nothing_to_reprint",
            "unit_unknown",
            "box_done"
        ]
    );
    let report = whole(dir.path());
    assert!(report.events > 10);
}

#[test]
fn requests_come_through_the_socket_while_scans_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let ports = ports(1);
    let station = Station::start(dir.path(), &ports);
    let mut call = Call::open(&dir.path().join("s.sock")).unwrap().expect("a daemon listens");
    assert!(call.ask(&Request::Ping {}).unwrap().ok);
    let drafts =
        draft::read("program,channel,ticket,serial\nvoip-reseller,direct,T-1,AA1\nvoip-reseller,direct,T-2,AA2\nvoip-reseller,direct,T-3,AA3\n")
            .drafts;
    let answer = call.ask(&Request::Rmas { drafts, by: "test".to_owned() }).unwrap();
    let issued: Vec<String> =
        answer.data["issued"].as_array().unwrap().iter().map(|n| n.as_str().unwrap().to_owned()).collect();
    assert_eq!(issued.len(), 3, "{answer:?}");
    let mut gun = reader(ports[0]);
    gun.write_all(format!("{}\rAA1\rDONE\r", issued[0]).as_bytes()).unwrap();
    station.wait_frames(3);

    // A file is imported between scans; a second one at the same time is refused.
    let file = dir.path().join("s.csv");
    let rows: String =
        (0..30_000).map(|n| format!("SN{n:06},{:012X},Yealink,T46U,2026-01-01\n", 0x0015_6500_0000u64 + n)).collect();
    std::fs::write(&file, format!("serial,mac,brand,model,ship_date\n{rows}BAD,xx,Yealink,T46U,2026-01-01\n")).unwrap();
    let import = Request::Import { path: file.clone(), name: "s.csv".to_owned(), rejects: dir.path().join("r.csv") };
    assert!(call.ask(&import).unwrap().ok);
    assert!(!call.ask(&import).unwrap().ok);
    gun.write_all(b"DONE\rDONE\r").unwrap();
    let until = Instant::now() + PATIENCE;
    let counts = loop {
        let told = call.ask(&Request::Imported {}).unwrap();
        assert!(told.ok, "{}", told.text);
        if told.data["over"] == true {
            break told.data["counts"].clone();
        }
        assert!(Instant::now() < until, "the import never ends");
        std::thread::yield_now();
    };
    assert_eq!(counts["inserted"], 30_000);
    assert_eq!(counts["rejected"], 1);
    assert!(std::fs::read_to_string(dir.path().join("r.csv")).unwrap().contains("xx"));
    station.wait_frames(5);

    // Moves of an RMA: not while its box is open, and each says why not.
    gun.write_all(format!("{}\r", issued[1]).as_bytes()).unwrap();
    station.wait_frames(6);
    let close = |rma: &str| Request::Act {
        rma: rma.to_owned(),
        unit: None,
        step: "close".to_owned(),
        by: "test".to_owned(),
        said: Default::default(),
    };
    assert!(!call.ask(&close(&issued[1])).unwrap().ok);
    let standing = call.ask(&close(&issued[0])).unwrap();
    assert!(!standing.ok && standing.text.contains("AA1"), "its unit stands at the dock: {standing:?}");
    // Nothing came of this one: it is given up as a whole (C-09).
    assert!(call.ask(&close(&issued[2])).unwrap().ok);
    assert!(!call.ask(&close(&issued[2])).unwrap().ok);
    assert!(!call.ask(&close("RMA-77777")).unwrap().ok);
    let reprint = call
        .ask(&Request::Reprint { unit: Some("AA1".to_owned()), job: None, by: "test".to_owned(), why: String::new() })
        .unwrap();
    assert!(!reprint.ok && reprint.text.contains("no label to copy"), "{reprint:?}");
    station.end();
    let report = whole(dir.path());
    assert_eq!(report.shipments, 30_000);
}
