//! One list of behaviours for every kind of link: TCP, serial, the kernel's printer port, USB. The thread
//! and the dialogue are the daemon's own; the printer is the virtual Zebra.
//!
//! What stands in for hardware: TCP is TCP; a serial port is a pty; the kernel's printer port is a pty
//! behind a made-up sysfs, since usblp needs a USB device; USB is the trait of bulk transfers that the
//! calls to libusb implement. Those calls, and usblp itself, are not proved here.
//!
//! What must hold, whatever happens to a cable: a label is handed over once at most, what is recorded as
//! printed came out, and what nobody can prove is in doubt.

#[path = "links/cable.rs"]
mod cable;

use backdock::domain::job::{Expectation, JobId};
use backdock::printer::link::{Address, Halves, Link, NotTaken, Port, Trouble, Writer};
use backdock::printer::usb::Pipe;
use backdock::printer::worker::{Printer, Settings};
use backdock::printer::{Condition, Order, OrderJob, Pace, PrinterEvent, State};
use backdock::sim::engine::{Control, Options};
use backdock::sim::fault::Trouble as Mishap;
use backdock::sim::printer::{self, Handle};
use cable::{Cable, Kind};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long anything may take on a loaded machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

const FIRST: &str = "D2J250000001";
const OTHER: &str = "D2J250000002";

/// Short pauses where nothing depends on them; a group is only in doubt after a long rest.
fn pace() -> Pace {
    Pace {
        idle_poll: Duration::from_millis(100),
        answer: Duration::from_millis(800),
        give_up: Duration::from_millis(2500),
        settle: Duration::from_secs(2),
        reconnect: (Duration::from_millis(20), Duration::from_millis(100)),
        ..Pace::default()
    }
}

fn zebra(serial: &str, odometer: u64) -> Handle {
    let engine = Options {
        serial: serial.to_owned(),
        odometer,
        label_time: Duration::from_millis(10),
        receive_buffer: 16 << 20,
        ..Options::default()
    };
    printer::start(printer::Options { engine, ..Default::default() }).expect("the virtual printer")
}

/// What became of a label.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Fate {
    Printed,
    InDoubt(String),
    NotSent(String),
}

/// A station's printer at one end of a cable, and a Zebra at the other.
struct Rig {
    zebra: Handle,
    cable: Cable,
    events: Receiver<PrinterEvent>,
    condition: Option<Condition>,
    sent: Vec<JobId>,
    fates: BTreeMap<JobId, Fate>,
    next: JobId,
    /// Dropped last but for what it uses.
    printer: Printer,
}

impl Rig {
    fn new(kind: Kind) -> Rig {
        Rig::with(kind, |link| link)
    }

    fn with(kind: Kind, wrap: impl FnOnce(Box<dyn Link>) -> Box<dyn Link>) -> Rig {
        let zebra = zebra(FIRST, 1_000);
        let mut cable = Cable::new(kind);
        cable.plug(zebra.local_addr(), FIRST);
        let (tell, events) = channel();
        let settings = Settings { name: "zebra".into(), dpi: 203, stock: "4x3".into(), pace: pace() };
        let told = move |event| drop(tell.send(event));
        let printer = Printer::start(settings, wrap(cable.link(FIRST)), Vec::new(), told).expect("a thread");
        let (sent, fates) = Default::default();
        Rig { zebra, cable, events, condition: None, sent, fates, next: 1, printer }
    }

    /// Takes one thing the printer tells. What it may say of a job, and when, is checked here.
    fn hear(&mut self, until: Instant, what: &str) {
        let left = until.saturating_duration_since(Instant::now());
        let event = self.events.recv_timeout(left).unwrap_or_else(|_| {
            panic!(
                "still waiting for: {what}; {:?}; {:?}; {} labels begun",
                self.condition,
                self.fates,
                self.cable.begun()
            )
        });
        let mut settle = |jobs: Vec<JobId>, fate: Fate| {
            for job in jobs {
                let before = self.fates.insert(job, fate.clone());
                assert_eq!(before, None, "job {job} was settled before, and now it is {fate:?}");
            }
        };
        match event {
            PrinterEvent::Changed(condition) => self.condition = Some(condition),
            PrinterEvent::Sent(job) => self.sent.push(job),
            PrinterEvent::Printed { jobs, .. } => settle(jobs, Fate::Printed),
            PrinterEvent::InDoubt { jobs, known } => settle(jobs, Fate::InDoubt(known)),
            PrinterEvent::NotSent { jobs, why } => settle(jobs, Fate::NotSent(why)),
        }
    }

    /// Waits for a condition of the printer.
    fn until(&mut self, what: &str, is: impl Fn(&Condition) -> bool) -> Condition {
        let until = Instant::now() + PATIENCE;
        loop {
            match &self.condition {
                Some(now) if is(now) => return now.clone(),
                _ => self.hear(until, what),
            }
        }
    }

    fn ready(&mut self) -> Condition {
        self.until("ready", |c| c.state == State::Ready)
    }

    fn shows(&mut self, code: &str) -> Condition {
        self.until(code, |c| c.faults.iter().any(|f| f.code == code))
    }

    /// Hands labels over, as the station would to the printer it last heard of.
    fn order(&mut self, labels: &[String]) -> Vec<JobId> {
        let now = self.condition.clone().expect("a printer that was heard of");
        let (unique_id, count) = (now.unique_id.unwrap_or_default(), now.odometer.unwrap_or_default());
        let jobs: Vec<OrderJob> = (0..)
            .zip(labels)
            .map(|(n, zpl)| OrderJob {
                id: self.next + n as JobId,
                zpl: zpl.as_str().into(),
                expects: Expectation { unique_id: unique_id.clone(), odometer: count + n },
            })
            .collect();
        self.next += labels.len() as JobId;
        let ids = jobs.iter().map(|j| j.id).collect();
        self.printer.send(Order { jobs });
        ids
    }

    /// The labels of the next `n` jobs, each of about so many bytes.
    fn labels(&self, n: usize, bytes: usize) -> Vec<String> {
        let label = |job| format!("^XA^FX{}^FS^FO10,10^A0N,30,30^FDJOB{job:05}^FS^XZ", "x".repeat(bytes));
        (self.next..).take(n).map(label).collect()
    }

    /// Waits until all of these are settled.
    fn fates(&mut self, jobs: &[JobId]) -> Vec<Fate> {
        let until = Instant::now() + PATIENCE;
        while !jobs.iter().all(|job| self.fates.contains_key(job)) {
            self.hear(until, "the labels are settled");
        }
        jobs.iter().map(|job| self.fates[job].clone()).collect()
    }

    /// Prints one label as on any other day.
    fn prints(&mut self) {
        self.ready();
        let jobs = self.order(&self.labels(1, 200));
        assert_eq!(self.fates(&jobs), [Fate::Printed]);
    }

    /// Pulls the cable out and plugs it in again, at the same printer.
    fn replug(&mut self) {
        self.cable.plug(self.zebra.local_addr(), FIRST);
    }

    /// The sum: nothing twice, and printed is what came out.
    fn adds_up(&self, printers: &[&Handle]) {
        let mut came: BTreeMap<JobId, usize> = BTreeMap::new();
        for label in printers.iter().flat_map(|z| z.labels()).filter(|l| !l.damaged) {
            let text = String::from_utf8_lossy(&label.zpl).into_owned();
            let job = text.split("JOB").nth(1).and_then(|t| t.get(..5)).and_then(|t| t.parse().ok());
            *came.entry(job.expect("a job's label")).or_default() += 1;
        }
        for (job, fate) in &self.fates {
            let times = came.get(job).copied().unwrap_or(0);
            let fine = match fate {
                Fate::Printed => times == 1,
                Fate::InDoubt(known) => times <= 1 && !known.is_empty(),
                Fate::NotSent(why) => times == 0 && !why.is_empty(),
            };
            assert!(fine, "job {job} is {fate:?} and came out {times} times");
        }
        assert!(came.keys().all(|job| self.fates.contains_key(job)), "{came:?} {:?}", self.fates);
    }
}

fn labels_come_out_and_are_recorded(mut rig: Rig) {
    for group in [1, 2, 5] {
        rig.ready();
        let jobs = rig.order(&rig.labels(group, 300));
        assert!(rig.fates(&jobs).iter().all(|f| *f == Fate::Printed), "{:?}", rig.fates);
    }
    assert_eq!((rig.cable.begun(), rig.zebra.labels().len(), rig.zebra.odometer()), (8, 8, 1_008));
    assert_eq!(rig.sent.len(), 8);
    rig.adds_up(&[&rig.zebra]);
}

fn a_break_in_a_label_is_doubt_and_never_sent_again(kind: Kind) {
    let whole = Rig::new(kind).labels(1, 2_000)[0].len();
    for after in [0, 1, 700, whole - 1, whole] {
        let mut rig = Rig::new(kind);
        rig.ready();
        rig.cable.cut(2, after);
        let jobs = rig.order(&rig.labels(3, 2_000));
        rig.cable.wait_cut();
        rig.until("the break is noticed", |c| c.state == State::Lost);
        rig.replug();
        let fates = rig.fates(&jobs);
        // How much of the third the station had handed over before it heard of the break is chance, but
        // none of it reached the printer.
        match &fates[..2] {
            [Fate::Printed, Fate::Printed] => assert_eq!(after, whole),
            [Fate::InDoubt(a), Fate::InDoubt(b)] => {
                assert!(a == b && a.contains("came out"), "{fates:?}");
            }
            other => panic!("cut after {after}: {other:?}"),
        }
        assert!(rig.cable.begun() <= 2, "a label was begun again");
        rig.prints();
        rig.adds_up(&[&rig.zebra]);
    }
}

fn silence_is_shown_and_ends(kind: Kind) {
    for mishap in [Mishap::Silent, Mishap::Half, Mishap::Garbage] {
        let mut rig = Rig::new(kind);
        rig.prints();
        rig.zebra.control(Control::Begin(mishap));
        assert_eq!(rig.shows("silent").state, State::Attention, "{mishap:?}");
        // Long enough that the link is given up and opened anew.
        rig.until("given up", |c| c.state == State::Lost);
        rig.zebra.control(Control::EndAll);
        rig.prints();
        rig.adds_up(&[&rig.zebra]);
    }
}

fn a_held_line_stalls_and_goes_on(kind: Kind) {
    let mut rig = Rig::new(kind);
    rig.ready();
    rig.cable.hold(true);
    let labels = rig.labels(6, kind.flood() / 6);
    let jobs = rig.order(&labels);
    rig.shows("buffer_stuck");
    assert!(rig.fates.is_empty(), "{:?}", rig.fates);
    rig.cable.hold(false);
    assert_eq!(rig.fates(&jobs), vec![Fate::Printed; 6]);
    let came: Vec<Vec<u8>> = rig.zebra.labels().iter().map(|l| l.zpl.to_vec()).collect();
    assert!(came.iter().zip(&labels).all(|(came, sent)| came == sent.as_bytes()), "bytes were lost or doubled");
    rig.adds_up(&[&rig.zebra]);
}

fn a_cable_may_be_pulled_out_and_plugged_in(kind: Kind) {
    let mut rig = Rig::new(kind);
    rig.prints();
    for _ in 0..3 {
        rig.cable.unplug();
        let lost = rig.until("lost", |c| c.state == State::Lost);
        assert!(!lost.faults.is_empty() && !lost.reason.is_empty(), "{lost:?}");
        // Handed over before the station heard of it: not a byte leaves, and it comes back.
        let label = rig.labels(1, 100);
        let jobs = rig.order(&label);
        assert!(matches!(&rig.fates(&jobs)[..], [Fate::NotSent(why)] if why.contains("lost")), "{:?}", rig.fates);
        rig.replug();
        rig.prints();
    }
    assert_eq!(rig.zebra.labels().len(), 4);
    rig.adds_up(&[&rig.zebra]);
}

fn another_printer_is_noticed(kind: Kind) {
    let mut rig = Rig::new(kind);
    let other = zebra(OTHER, 1_000);
    rig.ready();
    let whole = rig.labels(1, 500);
    rig.cable.cut(1, whole[0].len());
    let jobs = rig.order(&whole);
    rig.cable.wait_cut();
    rig.until("the break is noticed", |c| c.state == State::Lost);
    rig.cable.plug(other.local_addr(), OTHER);
    if kind.by_serial_number() {
        // It is not taken at all, and the label waits for its own printer.
        rig.shows("unplugged");
        assert!(rig.fates.is_empty());
        rig.replug();
        assert_eq!(rig.fates(&jobs), [Fate::Printed]);
    } else {
        assert!(matches!(&rig.fates(&jobs)[..], [Fate::InDoubt(known)] if known.contains(OTHER)), "{:?}", rig.fates);
        assert_eq!(rig.ready().unique_id.as_deref(), Some(OTHER));
        // A label that was meant for the first one.
        let meant = Expectation { unique_id: FIRST.to_owned(), odometer: 1_000 };
        let job = OrderJob { id: 99, zpl: rig.labels(1, 10)[0].as_str().into(), expects: meant };
        rig.printer.send(Order { jobs: vec![job] });
        assert!(matches!(&rig.fates(&[99])[..], [Fate::NotSent(_)]), "{:?}", rig.fates);
    }
    assert!(other.labels().is_empty());
    rig.adds_up(&[&rig.zebra, &other]);
}

fn a_label_that_is_held_does_not_hold_up_a_stop(kind: Kind) {
    let mut rig = Rig::new(kind);
    rig.ready();
    rig.cable.hold(true);
    let jobs = rig.order(&rig.labels(6, kind.flood() / 6));
    rig.shows("buffer_stuck");
    rig.printer.stop();
    // Nothing is settled as printed, and what never began comes back.
    while let Ok(event) = rig.events.try_recv() {
        assert!(!matches!(event, PrinterEvent::Printed { .. }), "{event:?}");
        if let PrinterEvent::NotSent { jobs: back, .. } = event {
            // USB takes nothing while the line is held; elsewhere the kernel has the first label already.
            assert!(kind == Kind::Usb || !back.contains(&jobs[0]), "the first label was begun");
        }
    }
}

/// The list, for one kind.
macro_rules! conforms {
    ($($name:ident: $kind:expr;)*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn prints() {
                labels_come_out_and_are_recorded(Rig::new($kind));
            }
            #[test]
            fn breaks() {
                a_break_in_a_label_is_doubt_and_never_sent_again($kind);
            }
            #[test]
            fn is_silent() {
                silence_is_shown_and_ends($kind);
            }
            #[test]
            fn stalls() {
                a_held_line_stalls_and_goes_on($kind);
            }
            #[test]
            fn replugs() {
                a_cable_may_be_pulled_out_and_plugged_in($kind);
            }
            #[test]
            fn swaps() {
                another_printer_is_noticed($kind);
            }
            #[test]
            fn stops() {
                a_label_that_is_held_does_not_hold_up_a_stop($kind);
            }
        }
    )*};
}

conforms! {
    tcp: Kind::Tcp;
    serial: Kind::Serial;
    lp: Kind::Lp;
    usb: Kind::Usb;
}

#[test]
fn a_usb_printer_that_refuses_data_leaves_doubt() {
    let mut rig = Rig::new(Kind::Usb);
    rig.ready();
    rig.cable.halt(Pipe::Out);
    let jobs = rig.order(&rig.labels(1, 1_000));
    // Some of it may have moved: nobody says how much, so it is not offered again.
    assert!(
        matches!(&rig.fates(&jobs)[..], [Fate::InDoubt(known)] if known.contains("1 asked, 0 came out")),
        "{:?}",
        rig.fates
    );
    assert!(rig.cable.flows(), "the halt was not cleared");
    assert_eq!(rig.cable.begun(), 1);
    rig.prints();
    rig.adds_up(&[&rig.zebra]);
}

#[test]
fn a_usb_printer_that_halts_its_answers_goes_on() {
    let mut rig = Rig::new(Kind::Usb);
    rig.prints();
    rig.cable.halt(Pipe::In);
    rig.prints();
    assert!(rig.cable.flows());
    assert_eq!(rig.zebra.labels().len(), 2);
}

#[test]
fn a_port_that_another_program_has_is_denied_and_then_ours() {
    let mut cable = Cable::new(Kind::Serial);
    let zebra = zebra(FIRST, 1_000);
    cable.plug(zebra.local_addr(), FIRST);
    let mut program = cable.link(FIRST);
    let held = program.open().map_err(|t| t.why).expect("the port is free");
    let (tell, events) = channel();
    let settings = Settings { name: "zebra".into(), dpi: 203, stock: "4x3".into(), pace: pace() };
    let told = move |event| drop(tell.send(event));
    let _printer = Printer::start(settings, cable.link(FIRST), Vec::new(), told).expect("a thread");
    let until = |state: State| loop {
        match events.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("never {state:?}")) {
            PrinterEvent::Changed(c) if c.state == state => return c,
            _ => {}
        }
    };
    let denied = until(State::Denied);
    assert_eq!(denied.faults[0].code, "in_use");
    assert!(denied.reason.contains("held by another program"), "{}", denied.reason);
    drop((held, program));
    until(State::Ready);
}

#[test]
fn a_label_that_a_line_cannot_carry_is_a_persons_business() {
    let mut rig = Rig::new(Kind::Serial);
    rig.ready();
    // DC3, which would stop the printer's answers on a line with XON/XOFF.
    let mut labels = rig.labels(3, 100);
    labels[1] = labels[1].replace("^FX", "^FX\x13");
    let jobs = rig.order(&labels);
    let fates = rig.fates(&jobs);
    assert!(
        matches!(&fates[1], Fate::InDoubt(known) if known.contains("none of it was sent") && known.contains("0x13"))
    );
    assert_eq!((&fates[0], &fates[2]), (&Fate::Printed, &Fate::Printed));
    rig.prints();
    rig.adds_up(&[&rig.zebra]);
}

/// A link with the mistake that real spoolers make: after a hitch it offers the same bytes again.
struct Doubling(Box<dyn Link>);

struct DoublingHand(Box<dyn Writer>);

impl Link for Doubling {
    fn open(&mut self) -> Result<Halves, Trouble> {
        let Halves { reader, writer } = self.0.open()?;
        Ok(Halves { reader, writer: Box::new(DoublingHand(writer)) })
    }
}

impl Writer for DoublingHand {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, NotTaken> {
        if bytes.starts_with(b"^XA") {
            let mut rest = bytes;
            while !rest.is_empty() {
                let n = self.0.write(rest)?;
                rest = &rest[n..];
            }
        }
        self.0.write(bytes)
    }

    fn hang_up(&mut self) {
        self.0.hang_up();
    }
}

#[test]
fn a_link_that_sends_twice_is_caught() {
    for kind in [Kind::Tcp, Kind::Serial, Kind::Lp, Kind::Usb] {
        let rig = Rig::with(kind, |link| Box::new(Doubling(link)));
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| labels_come_out_and_are_recorded(rig)));
        assert!(caught.is_err(), "{kind:?}: the list would let a doubling link pass");
    }
}

/// The links as the daemon makes them, on this very machine, which has no such printer and maybe no USB.
#[test]
fn a_printer_that_this_machine_does_not_have_is_lost_or_denied_and_stops_in_order() {
    let none = "NOSUCHPRINTER".to_owned();
    for address in [
        Address::Usb(none.clone()),
        Address::Lp(Port::SerialNumber(none)),
        Address::Lp(Port::Path("/dev/none/lp0".into())),
        Address::Serial("/dev/none/ttyS9".into(), Default::default()),
        Address::Tcp(([127, 0, 0, 1], 1).into()),
    ] {
        let (tell, events) = channel();
        let settings = Settings { name: "none".into(), dpi: 203, stock: "4x3".into(), pace: pace() };
        let told = move |event| drop(tell.send(event));
        let mut printer = Printer::start(settings, address.link(), Vec::new(), told).expect("a thread");
        let until = Instant::now() + PATIENCE;
        let condition = loop {
            let left = until.saturating_duration_since(Instant::now());
            match events.recv_timeout(left).unwrap_or_else(|_| panic!("{address} is never said to be missing")) {
                PrinterEvent::Changed(c) if !c.faults.is_empty() => break c,
                _ => {}
            }
        };
        assert!(
            matches!(condition.state, State::Lost | State::Denied) && !condition.reason.is_empty(),
            "{condition:?}"
        );
        printer.stop();
    }
}
