//! What is fuzzed, each a plain function of bytes that panics where a promise is broken. Two drivers share
//! it: `fuzz/target.rs` (cargo-fuzz, for hours by hand) and `tests/stages/fuzz.rs` (a bounded run of
//! seeded mutations on stable Rust). `fuzz/seeds/NAME/` holds what each begins with.
//!
//! ```text
//! cargo +nightly fuzz run identify fuzz/seeds/identify
//! ```

use backdock::domain::facts::Facts;
use backdock::domain::identity::{Candidate, Kind};
use backdock::domain::probe::PROBES;
use backdock::domain::text::{escaped, unescaped};
use backdock::identify::{Context, Step, identify as look};
use backdock::label::{Dpi, Stock, check, gate};
use backdock::message::template::Template;
use backdock::program::Program;
use backdock::scan::exam::{Exam, Expected, Heard};
use backdock::scan::hid::keyboard::Keys;
use backdock::scan::hid::{Decoder, descriptor};
use backdock::scan::keys::Layout;
use backdock::scan::keys::stream::Typist;
use backdock::scan::raw::Played;
use backdock::scan::{Frame, Framer, MAX_FRAME, Scan, Suffix};
use backdock::sim::engine::{Engine, Options};
use backdock::sim::scanner::Tape;
use backdock::store::import::{Import, ImportMap};
use backdock::store::{Head, Store};
use backdock::zebra::{ErrorStatus, GetVar, HostIdentification, HostStatus, Query, Reply};
use backdock::{config, rma};
use std::cell::RefCell;

pub const TARGETS: &[(&str, fn(&[u8]))] = &[
    ("identify", identify),
    ("gs1", gs1),
    ("iso15434", iso15434),
    ("scan", scan),
    ("zebra", zebra),
    ("gate", label_gate),
    ("design", design),
    ("printer", printer),
    ("config", config),
    ("program", program),
    ("facts", facts),
    ("shipments", shipments),
    ("rmas", rmas),
    ("mail", mail),
    ("tape", tape),
    ("hid", hid),
    ("exam", exam),
];

/// Runs one target by its name.
pub fn run(name: &str, data: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("a target of that name");
    target(data);
}

/// Any scan, in every step: at least one candidate, ranked, bounded, harmless, and each given once.
fn identify(data: &[u8]) {
    for step in [Step::Any, Step::Box, Step::Unit] {
        let pattern = |text: &str| text.len() == 8;
        let found = look(&Scan::decode(data.to_vec()), &Context { step, prefix: "", rma_pattern: &pattern });
        assert!((1..=64).contains(&found.len()));
        assert!(found.is_sorted_by(|a, b| a.confidence >= b.confidence), "{found:?}");
        for (i, c) in found.iter().enumerate() {
            harmless(c);
            assert!(found[..i].iter().all(|d| (c.kind, &c.value) != (d.kind, &d.value)), "twice: {c:?}");
        }
    }
}

fn harmless(c: &Candidate) {
    let printable = |text: &str| text.bytes().all(|b| (b' '..=b'~').contains(&b));
    assert!(c.confidence <= 100 && !c.why.is_empty() && printable(&c.value), "{c:?}");
    match c.kind {
        Kind::Mac => assert!(c.value.len() == 12 && c.value.bytes().all(|b| b.is_ascii_hexdigit()), "{c:?}"),
        Kind::Sscc => assert!(c.value.len() == 18 && c.value.bytes().all(|b| b.is_ascii_digit()), "{c:?}"),
        Kind::Tracking => assert!(!c.value.contains(' ') && c.value == c.value.to_uppercase(), "{c:?}"),
        _ => {}
    }
}

/// What a GS1 symbol carries.
fn gs1(data: &[u8]) {
    identify(&[b"]d2", data].concat());
}

/// What a two-dimensional symbol of a maker or carrier carries.
fn iso15434(data: &[u8]) {
    identify(&[b"[)>\x1e", data].concat());
}

/// A scanner's line: the same frames however the bytes are cut; escaping loses nothing.
fn scan(data: &[u8]) {
    let (&how, bytes) = data.split_first().unwrap_or((&0, &[]));
    let suffix = [Suffix::Cr, Suffix::Lf, Suffix::CrLf, Suffix::Tab, Suffix::Idle][usize::from(how) % 5];
    let frames = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let (mut framer, mut out) = (Framer::new(suffix, 50), Vec::new());
        pieces.for_each(|piece| framer.push(piece, 0, &mut |frame| out.push(frame)));
        framer.close(true, &mut |frame| out.push(frame));
        out
    };
    let whole = frames(&mut std::iter::once(bytes));
    assert_eq!(whole, frames(&mut bytes.chunks(usize::from(how) / 5 + 1)));
    for frame in &whole {
        if let Frame::Payload(bytes) | Frame::Unfinished(bytes) = frame {
            assert_eq!(unescaped(&escaped(bytes)).as_deref(), Some(bytes.as_slice()));
        }
    }
    if let Some(bytes) = std::str::from_utf8(data).ok().and_then(unescaped) {
        assert_eq!(unescaped(&escaped(&bytes)), Some(bytes));
    }
}

/// A printer's answers, whole and cut short at many places: no answer is longer than what has come.
fn zebra(data: &[u8]) {
    fn every<Q: Query>(query: &Q, data: &[u8]) {
        for end in (0..=data.len()).step_by((data.len() / 64).max(1)).chain([data.len()]) {
            if let Reply::Done { used, .. } = query.parse(&data[..end]) {
                assert!((1..=end).contains(&used));
            }
        }
    }
    every(&HostStatus, data);
    every(&ErrorStatus, data);
    every(&HostIdentification, data);
    every(&GetVar("odometer.total_label_count"), data);
}

/// A carrier's label: what passes is passed on byte for byte, and passes again.
fn label_gate(data: &[u8]) {
    for (stock, dpi) in [(Stock::inches(4, 6), Dpi::D203), (Stock::inches(4, 3), Dpi::D300)] {
        if let Ok(foreign) = gate::inspect(data, stock, dpi) {
            assert_eq!(foreign.zpl, data);
            // No command to the printer itself, and one format only.
            assert!(!data.windows(2).any(|w| w == b"~J"), "a ~J command has passed");
            assert_eq!(data.windows(3).filter(|w| w.eq_ignore_ascii_case(b"^XZ")).count(), 1);
        }
    }
}

/// A user's label design.
fn design(data: &[u8]) {
    for path in ["mine.zpl", "unit.zpl"] {
        let _ = check(path, data, None, None, Dpi::D203);
    }
}

/// The virtual printer, as hostile ZPL and questions reach it.
fn printer(data: &[u8]) {
    let mut engine = Engine::new(Options { receive_buffer: 1 << 16, ..Options::default() });
    engine.connect(1);
    for (n, piece) in data.chunks(97).enumerate() {
        engine.receive(1, piece, n as u64 * 10);
    }
    for tick in 1..20 {
        engine.tick(data.len() as u64 + tick * 500);
    }
    engine.labels().iter().for_each(|label| drop(label.warnings()));
}

fn config(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Err(problems) = config::parse("fuzz.toml", &text) {
        assert!(!problems.is_empty());
        assert!(problems.iter().all(|p| p.line <= text.lines().count() + 1), "{problems:?}");
    }
}

fn program(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Err(problems) = Program::parse("fuzz.toml", &text) {
        assert!(!problems.is_empty());
    }
}

fn facts(data: &[u8]) {
    if let Ok(json) = serde_json::from_slice(data) {
        let _ = Facts::from_json(&json);
    }
}

thread_local! {
    /// One database for all runs; each run is rolled back.
    static STORE: RefCell<Option<(tempfile::TempDir, Store)>> = const { RefCell::new(None) };
}

/// A shipment file of any bytes, to its end or its refusal.
fn shipments(data: &[u8]) {
    STORE.with_borrow_mut(|store| {
        let (dir, store) = store.get_or_insert_with(|| {
            let dir = tempfile::tempdir().expect("a place for the database");
            let store = Store::open(dir.path(), "D1").expect("a new database");
            (dir, store)
        });
        let (file, rejects) = (dir.path().join("in.csv"), dir.path().join("out.csv"));
        std::fs::write(&file, data).expect("room for the file");
        let Ok(mut import) = Import::open(&file, &ImportMap::default(), &rejects) else { return };
        let at = chrono::DateTime::parse_from_rfc3339("2026-03-02T09:00:00-06:00").expect("a time");
        let head = Head { at, badge: None, scanner: None, raw: None };
        store.begin().expect("a transaction");
        while let Ok(step) = store.import_step(&head, "in.csv", &mut import) {
            if let Some(facts) = step.end {
                assert_eq!(facts.sha256.len(), 64);
                break;
            }
        }
        store.rollback();
    });
}

fn rmas(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let drafts = rma::draft::read(&text);
    assert!(drafts.problems.iter().all(|(line, _)| *line <= text.lines().count() + 1));
}

/// A template for messages.
fn mail(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for internal in [false, true] {
        if let Err(problems) = Template::parse("fuzz.txt", &text, internal) {
            assert!(!problems.is_empty());
        }
    }
}

/// A tape, and what it plays, whatever form its lines say they have.
fn tape(data: &[u8]) {
    let Ok(tape) = Tape::parse(&String::from_utf8_lossy(data)) else { return };
    let mut played = Played::default();
    let _ = tape.decoded(|form, bytes, ms| match form {
        Some(form) => played.decode(form, bytes, ms),
        None => Ok(played.finish()),
    });
}

/// A HID device: two bytes with the length of its report descriptor, the descriptor, then reports of 64 bytes.
fn hid(data: &[u8]) {
    let Some(([low, high], rest)) = data.split_first_chunk() else { return };
    let (descriptor, reports) = rest.split_at(rest.len().min(usize::from(u16::from_le_bytes([*low, *high]))));
    if let Ok(layout) = descriptor::layout(descriptor) {
        assert!(layout.data.end <= layout.bytes, "{layout:?}");
        let mut decoder = Decoder::new(layout);
        for (now, report) in (0..).zip(reports.chunks(64)) {
            decoder.push(report, now, &mut |frame| match frame {
                Frame::Payload(bytes) | Frame::Unfinished(bytes) => assert!(bytes.len() <= MAX_FRAME),
                Frame::TooLong { len } => assert!(len > MAX_FRAME),
            });
        }
    }
    if let Ok(layout) = descriptor::key_report(descriptor) {
        assert!(layout.keys.end <= layout.bytes, "{layout:?}");
        let (mut keys, mut typist, mut events) = (Keys::new(layout), Typist::new(Layout::De), Vec::new());
        reports.chunks(64).for_each(|report| keys.take(report, &mut events));
        events.into_iter().for_each(|event| typist.take(event));
    }
}

thread_local! {
    /// To begin with: it is worked out once what every barcode of the page may come as.
    static EXAMS: [Exam; 2] = [None, Some(Layout::De)]
        .map(|layout| Exam::new(Expected { layout, suffix: Some(Suffix::Cr), serial: true }));
}

/// What a scanner sends while it is examined: scans end with NUL here.
fn exam(data: &[u8]) {
    for mut exam in EXAMS.with(Clone::clone) {
        let scans = data.split(|b| *b == 0);
        let known = scans.filter(|scan| exam.hear(scan, false) != Heard::Strange).count();
        for finding in exam.findings() {
            assert!(!finding.what.chars().any(char::is_control), "{finding:?}");
        }
        assert!(exam.missing().count() + known >= PROBES.len() - 1);
    }
}
