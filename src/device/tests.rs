//! The real threads and the real serial and TCP code, with a pty or a socket in the scanner's place.
//! Nothing here sleeps: every wait is for an event.

mod usb;

use super::*;
use crate::scan::{IDLE_GAP_MS, MAX_FRAME};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::collections::HashMap;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, sync_channel};

/// Longer than anything here may take, so that only a fault reaches it.
const PATIENCE: Duration = Duration::from_secs(10);

/// A scanner's end of a serial line.
struct Pty {
    master: std::fs::File,
    slave: PathBuf,
}

impl Pty {
    fn new() -> Pty {
        let fd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&fd).unwrap();
        unlockpt(&fd).unwrap();
        let slave = ptsname(&fd, Vec::new()).unwrap().into_string().unwrap().into();
        Pty { master: fd.into(), slave }
    }

    fn scans(&self, suffix: Suffix) -> ScannerSettings {
        settings(ScannerKind::Serial { port: self.slave.clone(), baud: 9600 }, suffix)
    }
}

fn settings(kind: ScannerKind, suffix: Suffix) -> ScannerSettings {
    ScannerSettings { name: "dock".into(), kind, suffix, idle_gap_ms: IDLE_GAP_MS, beep: None }
}

/// Running scanners and the end of their queue.
struct Rig {
    sender: SyncSender<DeviceEvent>,
    events: Receiver<DeviceEvent>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Rig {
    fn with_queue(room: usize) -> Rig {
        let (sender, events) = sync_channel(room);
        Rig { sender, events, stop: Arc::default(), threads: Vec::new() }
    }

    fn start(settings: ScannerSettings) -> Rig {
        let mut rig = Rig::with_queue(64);
        rig.add(settings);
        rig
    }

    fn add(&mut self, settings: ScannerSettings) {
        self.threads.push(
            spawn(settings, queue(self.sender.clone(), self.stop.clone()), self.stop.clone(), Tap::default()).unwrap(),
        );
    }

    fn next(&self) -> DeviceEvent {
        self.events.recv_timeout(PATIENCE).expect("an event should have come")
    }

    /// The next change of presence; frames before it are a fault.
    fn presence(&self) -> Presence {
        match self.next() {
            DeviceEvent::State { presence, .. } => presence,
            frame => panic!("{frame:?}"),
        }
    }

    fn until(&self, wanted: Presence) -> String {
        loop {
            if let DeviceEvent::State { presence, reason, .. } = self.next()
                && presence == wanted
            {
                return reason;
            }
        }
    }

    fn frame(&self) -> Frame {
        match self.next() {
            DeviceEvent::Frame { frame, .. } => frame,
            state => panic!("{state:?}"),
        }
    }

    fn payload(&self) -> Vec<u8> {
        match self.frame() {
            Frame::Payload(bytes) => bytes,
            other => panic!("{other:?}"),
        }
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let asked = Instant::now();
        for thread in self.threads.drain(..) {
            let fine = thread.join().is_ok();
            assert!(fine || thread::panicking(), "a scanner's thread panicked");
        }
        assert!(asked.elapsed() < Duration::from_secs(1) || thread::panicking(), "{:?}", asked.elapsed());
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn scans_arrive_whole_in_order_and_empty_ones_too() {
    let mut pty = Pty::new();
    let rig = Rig::start(pty.scans(Suffix::Cr));
    assert_eq!(rig.presence(), Presence::Present);
    pty.master.write_all(b"R26D100008G\r\r").unwrap();
    assert_eq!(rig.payload(), b"R26D100008G");
    assert_eq!(rig.payload(), b"");
    for piece in [&b"0015"[..], b"65ABC", b"DEF\r"] {
        pty.master.write_all(piece).unwrap();
    }
    assert_eq!(rig.payload(), b"001565ABCDEF");
}

#[test]
fn a_scanner_beeps_when_it_is_told_to() {
    let mut pty = Pty::new();
    let beep = Beep::default();
    let rig = Rig::start(ScannerSettings { beep: Some(beep.clone()), ..pty.scans(Suffix::Cr) });
    assert_eq!(rig.presence(), Presence::Present);
    let mut heard = [0; 3];
    beep.ask(1);
    pty.master.read_exact(&mut heard[..1]).unwrap();
    beep.ask(2);
    pty.master.read_exact(&mut heard[1..]).unwrap();
    assert_eq!(heard, [7; 3]);
    pty.master.write_all(b"still heard\r").unwrap();
    assert_eq!(rig.payload(), b"still heard");
}

#[test]
fn every_byte_passes_a_serial_line_unchanged() {
    let mut pty = Pty::new();
    let rig = Rig::start(pty.scans(Suffix::Tab));
    assert_eq!(rig.presence(), Presence::Present);
    let all: Vec<u8> = (0..=255).filter(|b| *b != b'\t').collect();
    pty.master.write_all(&all).unwrap();
    pty.master.write_all(b"\t").unwrap();
    assert_eq!(rig.payload(), all);
}

#[test]
fn the_longest_scan_passes_and_a_longer_one_is_refused() {
    let mut pty = Pty::new();
    let rig = Rig::start(pty.scans(Suffix::Cr));
    assert_eq!(rig.presence(), Presence::Present);
    let mut bytes = vec![b'x'; MAX_FRAME];
    bytes.push(b'\r');
    bytes.extend(vec![b'y'; MAX_FRAME + 1]);
    bytes.extend(b"\rnext\r");
    pty.master.write_all(&bytes).unwrap();
    assert_eq!(rig.payload(), vec![b'x'; MAX_FRAME]);
    assert_eq!(rig.frame(), Frame::TooLong { len: MAX_FRAME + 1 });
    assert_eq!(rig.payload(), b"next");
}

#[test]
fn silence_ends_a_scan_where_it_is_the_suffix_and_gives_it_up_where_it_is_not() {
    let (mut idle, mut cr) = (Pty::new(), Pty::new());
    let rig = Rig::start(idle.scans(Suffix::Idle));
    assert_eq!(rig.presence(), Presence::Present);
    idle.master.write_all(b"A\r\n").unwrap();
    assert_eq!(rig.payload(), b"A\r\n");
    let rig = Rig::start(cr.scans(Suffix::Cr));
    assert_eq!(rig.presence(), Presence::Present);
    cr.master.write_all(b"AB").unwrap();
    assert_eq!(rig.frame(), Frame::Unfinished(b"AB".to_vec()));
}

#[test]
fn a_scanner_that_goes_is_lost_and_found_again_behind_the_same_name() {
    let dir = tempfile::tempdir().unwrap();
    let (by_id, next) = (dir.path().join("usb-scanner"), dir.path().join("next"));
    let mut pty = Pty::new();
    std::os::unix::fs::symlink(&pty.slave, &by_id).unwrap();
    let rig = Rig::start(settings(ScannerKind::Serial { port: by_id.clone(), baud: 9600 }, Suffix::Cr));
    assert_eq!(rig.presence(), Presence::Present);
    pty.master.write_all(b"one\r").unwrap();
    assert_eq!(rig.payload(), b"one");

    std::fs::remove_file(&by_id).unwrap();
    drop(pty);
    assert!(rig.until(Presence::Lost).contains("cable"));
    // What the lookout makes of the name meanwhile.
    assert!(rig.until(Presence::Lost).contains("is not there"));

    let mut pty = Pty::new();
    std::os::unix::fs::symlink(&pty.slave, &next).unwrap();
    std::fs::rename(&next, &by_id).unwrap();
    let plugged = Instant::now();
    rig.until(Presence::Present);
    assert!(plugged.elapsed() < Duration::from_secs(2), "{:?}", plugged.elapsed());
    pty.master.write_all(b"two\r").unwrap();
    assert_eq!(rig.payload(), b"two");
}

#[test]
fn half_a_scan_of_a_line_that_went_is_reported_as_half_a_scan() {
    let mut pty = Pty::new();
    let rig = Rig::start(pty.scans(Suffix::Cr));
    assert_eq!(rig.presence(), Presence::Present);
    pty.master.write_all(b"whole\rhal").unwrap();
    assert_eq!(rig.payload(), b"whole");
    drop(pty);
    assert_eq!(rig.frame(), Frame::Unfinished(b"hal".to_vec()));
    assert_eq!(rig.presence(), Presence::Lost);
}

#[test]
fn a_port_held_by_another_program_is_denied_and_taken_when_free() {
    let pty = Pty::new();
    let other = serialport::new(pty.slave.to_str().unwrap(), 9600).open_native().unwrap();
    let rig = Rig::start(pty.scans(Suffix::Cr));
    match rig.next() {
        DeviceEvent::State { presence: Presence::Denied, reason, .. } => {
            assert!(reason.contains("another program"), "{reason}")
        }
        event => panic!("{event:?}"),
    }
    drop(other);
    assert_eq!(rig.presence(), Presence::Present);
}

#[test]
fn what_is_no_serial_port_is_said_to_be_none() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let port = file.path().to_owned();
    let rig = Rig::start(settings(ScannerKind::Serial { port, baud: 9600 }, Suffix::Cr));
    assert!(rig.until(Presence::Lost).contains("serial port"));
}

/// A small reproducible dice: xorshift.
fn roll(state: &mut u64, sides: u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state % sides).unwrap()
}

#[test]
fn scanners_used_at_the_same_time_never_mix() {
    let mut rig = Rig::with_queue(4);
    let mut writers = Vec::new();
    let mut want: HashMap<String, Vec<Vec<u8>>> = HashMap::new();
    for (n, suffix) in [Suffix::Cr, Suffix::Lf, Suffix::CrLf, Suffix::Tab].into_iter().enumerate() {
        let mut pty = Pty::new();
        let name = format!("scanner {n}");
        rig.add(ScannerSettings { name: name.clone(), ..pty.scans(suffix) });
        assert_eq!(rig.presence(), Presence::Present);
        let mut dice = 0x9E37_79B9_7F4A_7C15 ^ n as u64;
        let tape: Vec<Vec<u8>> =
            (0..200).map(|i| format!("{n}-{i}-{}", "z".repeat(roll(&mut dice, 60))).into_bytes()).collect();
        let end: &[u8] = [&b"\r"[..], b"\n", b"\r\n", b"\t"][n];
        let bytes: Vec<u8> = tape.iter().flat_map(|p| [p, end].concat()).collect();
        want.insert(name, tape);
        writers.push(move || {
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let (piece, tail) = rest.split_at((1 + roll(&mut dice, 9)).min(rest.len()));
                pty.master.write_all(piece).unwrap();
                rest = tail;
            }
            pty // keeps the line open until all has been read
        });
    }
    let writers: Vec<_> = writers.into_iter().map(thread::spawn).collect();
    let mut got: HashMap<String, Vec<Vec<u8>>> = HashMap::new();
    for _ in 0..800 {
        match rig.next() {
            DeviceEvent::Frame { scanner, frame: Frame::Payload(bytes), .. } => {
                got.entry(scanner.to_string()).or_default().push(bytes)
            }
            event => panic!("{event:?}"),
        }
    }
    assert_eq!(got, want);
    for writer in writers {
        writer.join().unwrap();
    }
}

#[test]
fn a_full_queue_makes_the_scanner_wait_and_drops_nothing() {
    let pty = Pty::new();
    let mut rig = Rig::with_queue(1);
    rig.add(pty.scans(Suffix::Cr));
    assert_eq!(rig.presence(), Presence::Present);
    let mut master = pty.master.try_clone().unwrap();
    let writer = thread::spawn(move || (0..3000).for_each(|i| write!(master, "{i}\r").unwrap()));
    for i in 0..3000 {
        assert_eq!(rig.payload(), i.to_string().as_bytes());
    }
    writer.join().unwrap();
}

#[test]
fn a_thread_ends_with_its_queue_full_and_when_nobody_listens() {
    let mut pty = Pty::new();
    let mut rig = Rig::with_queue(1);
    rig.add(pty.scans(Suffix::Cr));
    assert_eq!(rig.presence(), Presence::Present);
    pty.master.write_all(b"1\r2\r3\r").unwrap();
    drop(rig); // asserts that it ends

    let mut rig = Rig::start(pty.scans(Suffix::Cr));
    assert_eq!(rig.presence(), Presence::Present);
    rig.events = sync_channel(0).1;
    pty.master.write_all(b"1\r").unwrap();
    rig.threads.remove(0).join().unwrap();
}

#[test]
fn a_reader_that_connects_to_us_may_come_again() {
    let addr = free_address();
    let rig = Rig::start(settings(ScannerKind::TcpListen { addr }, Suffix::CrLf));
    assert!(rig.until(Presence::Lost).contains("no reader has connected"));
    for round in ["one", "two"] {
        let mut reader = TcpStream::connect(addr).unwrap();
        rig.until(Presence::Present);
        write!(reader, "{round}\r\n").unwrap();
        assert_eq!(rig.payload(), round.as_bytes());
    }
}

#[test]
fn a_reader_that_started_again_replaces_its_half_open_connection() {
    let addr = free_address();
    let rig = Rig::start(settings(ScannerKind::TcpListen { addr }, Suffix::Cr));
    rig.until(Presence::Lost);
    let mut old = TcpStream::connect(addr).unwrap();
    rig.until(Presence::Present);
    old.write_all(b"one\rhal").unwrap();
    assert_eq!(rig.payload(), b"one");
    let mut new = TcpStream::connect(addr).unwrap();
    new.write_all(b"two\r").unwrap();
    assert_eq!(rig.frame(), Frame::Unfinished(b"hal".to_vec()));
    assert_eq!(rig.payload(), b"two");
}

#[test]
fn a_reader_that_listens_is_connected_to_whenever_it_is_there() {
    let addr = free_address();
    let rig = Rig::start(settings(ScannerKind::TcpConnect { addr }, Suffix::Idle));
    assert!(rig.until(Presence::Lost).contains("connection refused"));
    for round in [b"one", b"two"] {
        let reader = TcpListener::bind(addr).unwrap();
        let (mut stream, _) = reader.accept().unwrap();
        rig.until(Presence::Present);
        stream.write_all(round).unwrap();
        // Closing right behind the data ends the scan as silence would.
        drop((stream, reader));
        assert_eq!(rig.payload(), round);
        rig.until(Presence::Lost);
    }
}

#[test]
fn a_file_is_fed_in_once() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), b"one\r\rtwo").unwrap();
    let rig = Rig::start(settings(ScannerKind::Replay { path: file.path().to_owned() }, Suffix::Cr));
    assert_eq!(rig.presence(), Presence::Present);
    assert_eq!((rig.payload(), rig.payload()), (b"one".to_vec(), Vec::new()));
    assert_eq!(rig.frame(), Frame::Unfinished(b"two".to_vec()));
    assert!(rig.until(Presence::Lost).contains("is over"));
    let none = Rig::start(settings(ScannerKind::Replay { path: "/nowhere/tape".into() }, Suffix::Cr));
    assert!(none.until(Presence::Lost).contains("/nowhere/tape"));
}
