//! HID POS scanners and wedges through the real threads, with a made-up bus and desk in the kernel's place.
//! They speak the real bytes; the lab proves the calls to libusb and to the input layer on a real kernel.

use super::*;
use crate::device::hid_pos::{self, Bus, Port, PortError};
use crate::device::usb::fake::{KEYBOARD, POS, Sys};
use crate::device::usb::{Seen, Which};
use crate::device::wedge::{self, Desk, Keys, KeysError};
use crate::scan::keys::Layout;
use crate::scan::keys::stream::KeyEvent;
use crate::scan::raw::Played;
use std::collections::VecDeque;
use std::sync::Mutex;

/// What a device does next.
#[derive(Clone, Debug)]
enum Act {
    Report(Vec<u8>),
    Fail(PortError),
    Keys(Vec<KeyEvent>),
}

/// The other side of the cable, as test and fakes share it.
#[derive(Clone)]
struct Plugged(Arc<Mutex<World>>);

struct World {
    sys: Sys,
    descriptor: Vec<u8>,
    acts: VecDeque<Act>,
    /// What a claim or a grab answers; none: it works.
    refuse: Option<PortError>,
    claimed: Vec<String>,
    given_back: usize,
    features: Vec<(u8, Vec<u8>)>,
}

impl Plugged {
    fn new() -> Plugged {
        Plugged(Arc::new(Mutex::new(World {
            sys: Sys::new(),
            descriptor: POS.to_vec(),
            acts: VecDeque::new(),
            refuse: None,
            claimed: Vec::new(),
            given_back: 0,
            features: Vec::new(),
        })))
    }

    fn with<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    fn act(&self, act: Act) {
        self.with(|w| w.acts.push_back(act));
    }

    fn next(&self, wait: Duration) -> Option<Act> {
        let until = Instant::now() + wait;
        loop {
            if let Some(act) = self.with(|w| w.acts.pop_front()) {
                return Some(act);
            }
            if Instant::now() >= until {
                return None;
            }
            thread::park_timeout(Duration::from_millis(1));
        }
    }

    fn claim(&self, device: &Seen) -> Result<Given, PortError> {
        self.with(|w| match w.refuse.clone() {
            Some(e) => Err(e),
            None => {
                w.claimed.push(device.port_path.clone());
                Ok(Given(self.clone()))
            }
        })
    }
}

/// Held as long as the device is.
struct Given(Plugged);

impl Drop for Given {
    fn drop(&mut self) {
        self.0.with(|w| w.given_back += 1);
    }
}

impl Bus for Plugged {
    type Port = Given;
    fn seen(&self) -> Vec<Seen> {
        self.with(|w| w.sys.seen())
    }
    fn claim(&mut self, device: &Seen, _: u8) -> Result<Given, PortError> {
        Plugged::claim(self, device)
    }
}

impl Port for Given {
    fn descriptor(&mut self) -> Result<Vec<u8>, PortError> {
        Ok(self.0.with(|w| w.descriptor.clone()))
    }
    fn feature(&mut self, id: u8, data: &[u8]) -> Result<(), PortError> {
        self.0.with(|w| w.features.push((id, data.to_vec())));
        Err(PortError::Stall)
    }
    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<usize, PortError> {
        match self.0.next(wait) {
            None => Err(PortError::TimedOut),
            Some(Act::Fail(e)) => Err(e),
            Some(Act::Report(bytes)) => {
                buffer[..bytes.len()].copy_from_slice(&bytes);
                Ok(bytes.len())
            }
            Some(other) => panic!("{other:?}"),
        }
    }
    fn packet(&self) -> usize {
        64
    }
    fn clear_halt(&mut self) -> Result<(), PortError> {
        Ok(())
    }
}

impl Desk for Plugged {
    type Keys = Given;
    fn seen(&self) -> Vec<Seen> {
        self.with(|w| w.sys.seen())
    }
    fn grab(&mut self, nodes: &[PathBuf]) -> Result<Given, KeysError> {
        self.with(|w| match w.refuse {
            Some(PortError::Busy) => Err(KeysError::Busy),
            Some(_) => Err(KeysError::Io(io::ErrorKind::PermissionDenied.into())),
            None => {
                w.claimed.extend(nodes.iter().map(|n| n.display().to_string()));
                Ok(Given(self.clone()))
            }
        })
    }
}

impl Keys for Given {
    fn read(&mut self, at_most: Duration) -> io::Result<Vec<KeyEvent>> {
        match self.0.next(at_most) {
            None => Ok(Vec::new()),
            Some(Act::Keys(events)) => Ok(events),
            Some(_) => Err(io::Error::from_raw_os_error(19)),
        }
    }
}

impl Rig {
    fn at(door: impl Door + Send + 'static, suffix: Suffix) -> Rig {
        Rig::taped(door, suffix, Tap::default())
    }

    fn taped(door: impl Door + Send + 'static, suffix: Suffix, tap: Tap) -> Rig {
        let mut rig = Rig::with_queue(4096);
        let (events, stop) = (queue(rig.sender.clone(), rig.stop.clone()), rig.stop.clone());
        let out = Out { scanner: "dock".into(), events, stop, tap, told: None };
        rig.threads.push(thread::spawn(move || drop(attend(door, Framer::new(suffix, 200), out))));
        rig
    }

    fn pos(plugged: &Plugged, which: Which) -> Rig {
        Rig::at(hid_pos::Door::new(plugged.clone(), which, Suffix::Any), Suffix::Any)
    }

    fn wedge(plugged: &Plugged, which: Which) -> Rig {
        Rig::at(wedge::Door::new(plugged.clone(), plugged.clone(), which, Layout::Us), Suffix::Any)
    }
}

fn report(data: &[u8], more: bool) -> Act {
    let mut bytes = vec![0; 64];
    (bytes[0], bytes[1]) = (2, u8::try_from(data.len()).unwrap());
    bytes[2..5].copy_from_slice(b"]C0");
    bytes[5..5 + data.len()].copy_from_slice(data);
    bytes[61] = u8::from(more);
    Act::Report(bytes)
}

/// Keys pressed and released, one report each.
fn typed(codes: &[u16]) -> Act {
    let events = codes.iter().flat_map(|c| {
        [KeyEvent::Key(*c, 1), KeyEvent::Report, KeyEvent::Key(*c, 2), KeyEvent::Key(*c, 0), KeyEvent::Report]
    });
    Act::Keys(events.collect())
}

const SCANNER: (u16, u16) = (0x05e0, 0x1300);
const WEDGE: (u16, u16) = (0x05e0, 0x1200);

#[test]
fn a_hid_pos_scanner_is_found_scans_goes_and_comes_back() {
    let plugged = Plugged::new();
    let rig = Rig::pos(&plugged, Which::default());
    assert!(rig.until(Presence::Lost).contains("USB HID POS"));
    plugged.with(|w| w.sys.hid("1-2", SCANNER, "S1", POS, "event1"));
    assert!(rig.until(Presence::Present).contains("05e0:1300"));
    plugged.act(report(b"0123\r", false));
    assert_eq!(rig.payload(), b"]C00123", "its suffix is no data");
    for act in [report(&[b'a'; 56], true), report(b"b", false)] {
        plugged.act(act);
    }
    assert_eq!(rig.payload().len(), 3 + 57);
    // Unplugged in mid-scan.
    plugged.act(report(b"half", true));
    plugged.with(|w| w.sys.unplug("1-2"));
    plugged.act(Act::Fail(PortError::Gone));
    assert_eq!(rig.frame(), Frame::Unfinished(b"]C0half".to_vec()));
    assert!(rig.until(Presence::Lost).contains("unplugged"));
    plugged.with(|w| w.sys.hid("1-4", SCANNER, "S1", POS, "event9"));
    rig.until(Presence::Present);
    plugged.act(report(b"two", false));
    assert_eq!(rig.payload(), b"]C0two");
    drop(rig);
    plugged.with(|w| assert_eq!((w.claimed.len(), w.given_back), (2, 2), "the kernel got it back"));
}

#[test]
fn a_tape_holds_what_came_from_the_device_and_plays_back_what_it_meant() {
    let dir = tempfile::tempdir().unwrap();
    let played = |tape: &Path| {
        let text = std::fs::read_to_string(tape).unwrap();
        let (mut played, mut out) = (Played::default(), Vec::new());
        let mut form = String::new();
        for line in text.lines() {
            match line.strip_prefix("# form: ") {
                Some(of) => of.clone_into(&mut form),
                None => {
                    let raw = crate::domain::text::unescaped(line.split_once(' ').unwrap().1).unwrap();
                    out.extend(played.decode(&form, &raw, 0).unwrap());
                }
            }
        }
        out.extend(played.finish());
        (text, String::from_utf8(out).unwrap(), played.refused)
    };
    let path = dir.path().join("pos.tape");
    let (plugged, tap) = (Plugged::new(), Tap::default());
    plugged.with(|w| w.sys.hid("1-2", SCANNER, "S1", POS, "event1"));
    let rig = Rig::taped(hid_pos::Door::new(plugged.clone(), Which::default(), Suffix::Any), Suffix::Any, tap.clone());
    rig.until(Presence::Present);
    tap.start(&path, "", Duration::from_secs(60), 1 << 20).unwrap();
    for act in [report(&[b'a'; 56], true), report(b"b\r", false), Act::Report(vec![2, 60, 1])] {
        plugged.act(act);
    }
    rig.payload();
    rig.frame();
    tap.stop();
    let (text, said, refused) = played(&path);
    assert_eq!((said, refused), (format!("]C0{}b\r", "a".repeat(56)), 1), "{text}");
    assert!(text.starts_with("# form: reports 05") && text.lines().count() == 4, "{text}");

    let path = dir.path().join("wedge.tape");
    let (plugged, tap) = (Plugged::new(), Tap::default());
    plugged.with(|w| w.sys.hid("1-3", WEDGE, "W1", KEYBOARD, "event2"));
    let rig = Rig::taped(
        wedge::Door::new(plugged.clone(), plugged.clone(), Which::default(), Layout::De),
        Suffix::Any,
        tap.clone(),
    );
    rig.until(Presence::Present);
    tap.start(&path, "", Duration::from_secs(60), 1 << 20).unwrap();
    plugged.act(typed(&[44, 2, 28]));
    assert_eq!(rig.payload(), b"y1");
    plugged.act(Act::Keys(vec![KeyEvent::Key(3, 1), KeyEvent::Dropped, KeyEvent::Key(4, 1), KeyEvent::Report]));
    plugged.act(typed(&[28, 5, 28]));
    rig.frame();
    rig.payload();
    tap.stop();
    let (text, said, refused) = played(&path);
    assert_eq!((said.as_str(), refused), ("y1\r4\r", 1), "{text}");
}

#[test]
fn what_is_no_report_is_nothing_and_what_stalls_goes_on() {
    let plugged = Plugged::new();
    plugged.with(|w| w.sys.hid("1-2", (0x0c2e, 0x0b61), "H1", POS, "event1"));
    let rig = Rig::pos(&plugged, Which::default());
    rig.until(Presence::Present);
    plugged.with(|w| assert_eq!(w.features, [(254, vec![1])], "Honeywell wants to be asked"));
    for act in [
        Act::Report(vec![]),
        Act::Report(vec![9; 20]),
        Act::Fail(PortError::Overflow),
        Act::Fail(PortError::Stall),
        report(b"one", false),
    ] {
        plugged.act(act);
    }
    assert_eq!(rig.payload(), b"]C0one");
    plugged.act(Act::Report(vec![2, 60, 1]));
    assert_eq!(rig.frame(), Frame::Unfinished(vec![]));
    plugged.act(report(b"half", true));
    assert_eq!(rig.frame(), Frame::Unfinished(b"]C0half".to_vec()), "given up after a silence");
}

#[test]
fn a_descriptor_that_lies_or_a_device_that_is_held_is_said_so() {
    let plugged = Plugged::new();
    plugged.with(|w| {
        w.sys.hid("1-2", SCANNER, "S1", POS, "event1");
        w.descriptor = vec![0x05, 0x8c, 0x09, 0x02, 0xa1, 0x01, 0x97, 1];
    });
    let rig = Rig::pos(&plugged, Which::default());
    assert!(rig.until(Presence::Lost).contains("breaks off"));
    plugged.with(|w| w.refuse = Some(PortError::Busy));
    assert!(rig.until(Presence::Denied).contains("fuser"));
    plugged.with(|w| w.refuse = Some(PortError::Denied));
    assert!(
        rig.until(Presence::Denied).contains("no permission") || rig.until(Presence::Denied).contains("permission")
    );
    plugged.with(|w| (w.refuse, w.descriptor) = (None, POS.to_vec()));
    rig.until(Presence::Present);
}

#[test]
fn a_device_that_runs_wild_is_shut_out_and_let_go() {
    let plugged = Plugged::new();
    plugged.with(|w| w.sys.hid("1-2", SCANNER, "S1", POS, "event1"));
    let rig = Rig::pos(&plugged, Which::default());
    rig.until(Presence::Present);
    plugged.with(|w| (0..3000).for_each(|_| w.acts.push_back(report(b"x", false))));
    let mut scans = 0;
    let reason = loop {
        match rig.next() {
            DeviceEvent::Frame { .. } => scans += 1,
            DeviceEvent::State { presence, reason, .. } => {
                assert_eq!(presence, Presence::Denied);
                break reason;
            }
        }
    };
    assert!(reason.contains("unplug it") && (1000..2000).contains(&scans), "{scans} {reason}");
    plugged.with(|w| assert_eq!(w.given_back, 1));
}

#[test]
fn a_wedge_is_grabbed_and_types_whole_scans() {
    let plugged = Plugged::new();
    plugged.with(|w| w.sys.hid("1-3", WEDGE, "W1", KEYBOARD, "event2"));
    let rig = Rig::wedge(&plugged, Which::default());
    assert!(!rig.until(Presence::Present).contains("NO TABLE"));
    plugged.with(|w| assert_eq!(w.claimed, ["/dev/input/event2"]));
    for act in [typed(&[30, 48]), typed(&[2, 28, 46, 15]), typed(&[32])] {
        plugged.act(act);
    }
    assert_eq!((rig.payload(), rig.payload(), rig.payload()), (b"ab1".to_vec(), b"c".to_vec(), b"d".to_vec()));
    plugged.act(typed(&[30]));
    plugged.act(Act::Fail(PortError::Gone));
    assert_eq!(rig.frame(), Frame::Unfinished(b"a".to_vec()));
    assert!(rig.until(Presence::Lost).contains("unplugged"));
}

#[test]
fn a_wedge_without_key_events_is_read_through_libusb() {
    let plugged = Plugged::new();
    plugged.with(|w| {
        // No driver has it: a program that was killed had detached it.
        w.sys.plug("1-3", WEDGE, "W1", 3);
        w.descriptor = KEYBOARD.to_vec();
    });
    let rig = Rig::wedge(&plugged, Which::default());
    assert!(rig.until(Presence::Present).contains("by libusb"));
    let key = |shift, usage| Act::Report(vec![shift, 0, usage, 0, 0, 0, 0, 0]);
    for act in
        [key(2, 0x0e), key(0, 0), key(0, 0x1e), Act::Fail(PortError::TimedOut), key(0, 0), key(0, 0x28), key(0, 0)]
    {
        plugged.act(act);
    }
    assert_eq!(rig.payload(), b"K1");
    for act in [key(0, 0x1e), Act::Fail(PortError::Stall), key(0, 0x28), key(0, 0), key(0, 0x1f), key(0, 0x28)] {
        plugged.act(act);
    }
    assert_eq!((rig.frame(), rig.payload()), (Frame::Unfinished(b"1".to_vec()), b"2".to_vec()));
    plugged.act(Act::Fail(PortError::Gone));
    assert!(rig.until(Presence::Lost).contains("unplugged"));
}

#[test]
fn of_two_wedges_without_a_driver_one_is_read() {
    let plugged = Plugged::new();
    plugged.with(|w| {
        w.sys.plug("1-3", WEDGE, "W1", 3);
        w.sys.plug("1-4", WEDGE, "W2", 3);
        w.descriptor = KEYBOARD.to_vec();
    });
    let rig = Rig::wedge(&plugged, Which { usb: Some(WEDGE), ..Which::default() });
    assert!(rig.until(Presence::Lost).contains("no driver"), "it is given time");
    assert!(rig.until(Presence::Present).contains("by libusb"));
}

#[test]
fn a_scan_that_lost_events_or_has_a_strange_key_is_refused_and_the_next_one_is_not() {
    let plugged = Plugged::new();
    plugged.with(|w| w.sys.hid("1-3", WEDGE, "W1", KEYBOARD, "event2"));
    let rig = Rig::wedge(&plugged, Which::default());
    rig.until(Presence::Present);
    plugged.act(typed(&[30]));
    // Shift went down, and its release is among what was lost.
    plugged.act(Act::Keys(vec![
        KeyEvent::Key(42, 1),
        KeyEvent::Dropped,
        KeyEvent::Key(31, 1),
        KeyEvent::Report,
        KeyEvent::Key(32, 1),
        KeyEvent::Key(28, 1),
        KeyEvent::Key(33, 1),
        KeyEvent::Key(28, 1),
    ]));
    assert_eq!(rig.frame(), Frame::Unfinished(b"ad".to_vec()));
    assert_eq!(rig.payload(), b"f");
    plugged.act(typed(&[30, 59, 28, 48, 28]));
    assert_eq!((rig.frame(), rig.payload()), (Frame::Unfinished(b"a".to_vec()), b"b".to_vec()));
}

#[test]
fn a_persons_keyboard_is_never_grabbed_unless_the_configuration_says_so_and_then_aloud() {
    let plugged = Plugged::new();
    plugged.with(|w| w.sys.hid("1-1", (0x1234, 0x0001), "", KEYBOARD, "event0"));
    let rig = Rig::wedge(&plugged, Which::default());
    assert!(rig.until(Presence::Lost).contains("no scanner that types"));
    plugged.with(|w| w.sys.hid("1-3", WEDGE, "W1", KEYBOARD, "event2"));
    rig.until(Presence::Present);
    drop(rig);
    plugged.with(|w| assert_eq!(std::mem::take(&mut w.claimed), ["/dev/input/event2"]));
    let named = Which { port_path: Some("1-1".to_owned()), ..Which::default() };
    let rig = Rig::wedge(&plugged, named);
    assert!(rig.until(Presence::Present).contains("IN NO TABLE"));
    plugged.with(|w| assert_eq!(w.claimed, ["/dev/input/event0"]));
    drop(rig);
    for (error, word) in [(PortError::Busy, "grabbed"), (PortError::Denied, "permission")] {
        plugged.with(|w| w.refuse = Some(error));
        assert!(Rig::wedge(&plugged, Which::default()).until(Presence::Denied).contains(word));
    }
}
