//! What a step that cannot be written leaves behind: nothing, except that everybody is told.

mod labels;

use super::*;
use crate::printer::Condition;
use crate::rma::draft;
use crate::scan::Frame;
use std::time::Instant;

const CONFIG: &str = "[station]\nid = \"T1\"\ncode = \"T1\"\ntimezone = \"UTC\"\n\
     [[scanner]]\nname = \"gun\"\nkind = \"serial\"\nport = \"/dev/null\"\n\
     [[printer]]\nname = \"zebra\"\nlink = \"tcp://192.0.2.7:9100\"\ndpi = 203\nstock = \"4x3\"\n";

struct Bench {
    core: Core,
    now: DateTime<FixedOffset>,
    _dir: tempfile::TempDir,
}

/// A station with three announced units, an open box and a printer that is ready.
fn bench() -> Bench {
    bench_with("")
}

/// [`bench`] with more in its configuration.
fn bench_with(more: &str) -> Bench {
    bench_of(more, Programs::shipped("voip-reseller").unwrap().0)
}

/// [`bench_with`] these programs.
fn bench_of(more: &str, programs: Programs) -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let config = crate::config::parse("t.toml", &format!("{CONFIG}{more}")).unwrap().value;
    let store = Store::open(dir.path(), "T1").unwrap();
    let now = DateTime::parse_from_rfc3339("2026-03-02T12:00:00+00:00").unwrap();
    let (core, _) = Core::new(Arc::new(config), programs, store, now).unwrap();
    let mut bench = Bench { core, now, _dir: dir };
    let head = "number,ticket,channel,customer,issued,reported,diagnosed,qualified,serial";
    let unit = |serial: &str| format!("RMA4711,T-1,direct,Acme,2026-03-01,2026-03-01,yes,yes,{serial}");
    let text = [head.to_owned(), unit("KDX0000001"), unit("KDX0000002"), unit("KDX0000003")].join("\n");
    let drafts = draft::read(&text).drafts;
    bench.take([Input::Request(Box::new(Request::Rmas { drafts, by: "test".into() }), Box::new(|r| assert!(r.ok)))]);
    bench.take([ready(1000), scan("RMA4711")]);
    assert_eq!(bench.core.session.rma.as_deref(), Some("RMA4711"));
    bench
}

impl Bench {
    fn take(&mut self, inputs: impl IntoIterator<Item = Input>) -> Vec<JobId> {
        let effects = self.core.take(inputs.into_iter().collect(), self.now);
        let labels = effects.into_iter().filter_map(|effect| match effect {
            Effect::Send(_, order) => Some(order.jobs),
            Effect::Dispatch(_) => None,
        });
        labels.flatten().map(|job| job.id).collect()
    }

    /// From now on nothing that needs room can be written; `false`: there is room again.
    fn full(&self, full: bool) {
        self.core.pretend_full(full).unwrap();
    }

    fn outcomes(&self) -> Vec<String> {
        let view = serde_json::to_value(self.core.view(self.now)).unwrap();
        view["feed"].as_array().unwrap().iter().map(|line| line["word"].as_str().unwrap().to_owned()).collect()
    }

    fn kinds(&self) -> Vec<String> {
        let mut rows = self.core.store.conn.prepare("SELECT payload FROM journal ORDER BY seq").unwrap();
        let rows = rows.query_map([], |r| r.get::<_, String>(0)).unwrap();
        rows.map(|text| serde_json::from_str::<serde_json::Value>(&text.unwrap()).unwrap())
            .map(|event| format!("{} {}", event["kind"].as_str().unwrap(), event["state"].as_str().unwrap_or_default()))
            .collect()
    }
}

fn scan(payload: &str) -> Input {
    let frame = Frame::Payload(payload.as_bytes().to_vec());
    Input::Device(DeviceEvent::Frame { scanner: "gun".into(), frame, received: Instant::now() })
}

fn printer(state: State, odometer: u64) -> Input {
    printer_at(0, state, odometer)
}

fn printer_at(line: usize, state: State, odometer: u64) -> Input {
    let condition = Condition {
        state,
        faults: Vec::new(),
        reason: String::new(),
        unique_id: Some("D2J1".to_owned()),
        odometer: Some(odometer),
    };
    Input::Printer(line, PrinterEvent::Changed(condition))
}

fn ready(odometer: u64) -> Input {
    printer(State::Ready, odometer)
}

/// A receipt whose time cannot be read makes every scan of that unit fail, and no other.
fn spoil(bench: &Bench, serial: &str) {
    bench.core.store.conn.execute("UPDATE receipt SET at='?' WHERE serial=?1", [serial]).unwrap();
}

#[test]
fn a_scan_that_fails_takes_no_label_of_its_batch_along() {
    let mut bench = bench();
    assert_eq!(bench.take([scan("KDX0000001")]), [1]);
    bench.take([Input::Printer(0, PrinterEvent::Printed { jobs: vec![1], odometer: 1001 }), ready(1001)]);
    spoil(&bench, "KDX0000001");
    // The second one is written and its label is `sending`: it must leave, whatever becomes of the third.
    let sent = bench.take([scan("KDX0000002"), scan("KDX0000001")]);
    assert_eq!(bench.core.shown.as_ref().unwrap().screen.outcome, "not_written");
    assert_eq!(bench.core.lines[0].out, [(2, JobState::Sending)]);
    assert_eq!(bench.outcomes().len(), 4, "each scan is shown once: {:?}", bench.outcomes());
    assert_eq!(sent, [2], "a label that is `sending` and was not handed over hangs until the next start");
}

#[test]
fn what_was_not_written_is_not_shown() {
    let mut bench = bench();
    bench.take([scan("KDX0000001")]);
    bench.full(true);
    bench.take([scan("KDX0000002"), scan("KDX0000003")]);
    assert_eq!(bench.outcomes()[..2], ["NOT WRITTEN", "NOT WRITTEN"]);
    assert_eq!(bench.outcomes().len(), 4, "{:?}", bench.outcomes());
    let before = bench.core.frames;
    bench.full(false);
    bench.take([scan("KDX0000002")]);
    assert_ne!(bench.outcomes()[0], "NOT WRITTEN");
    assert_eq!(bench.core.frames, before + 1);
}

#[test]
fn the_printers_news_waits_and_keeps_its_order() {
    let mut bench = bench();
    let so_far = bench.kinds().len();
    bench.take([scan("KDX0000001")]);
    bench.full(true);
    let printed = || Input::Printer(0, PrinterEvent::Printed { jobs: vec![1], odometer: 1001 });
    // Written in one piece or not at all: with so little room every one of these may fail.
    for _ in 0..200 {
        bench.take([printer(State::Attention, 1000)]);
        if bench.core.has_unwritten() {
            break;
        }
        bench.take([ready(1000)]);
    }
    assert!(bench.core.has_unwritten(), "the room never ended");
    // Would need no room by itself, but must not overtake what waits.
    bench.take([ready(1000), printed(), ready(1001)]);
    bench.full(false);
    bench.take([Input::Tick]);
    assert!(!bench.core.has_unwritten());
    assert_eq!(bench.core.lines[0].condition.state, State::Ready, "the newest news is the last");
    assert_eq!(bench.core.lines[0].out, []);
    let states: Vec<_> =
        bench.kinds().split_off(so_far).into_iter().filter(|kind| kind.starts_with("printer")).collect();
    assert!(states.ends_with(&["printer attention".into(), "printer ready".into()]), "{states:?}");
}

#[test]
fn a_station_that_is_closing_hands_out_nothing_more() {
    let mut bench = bench();
    assert_eq!(bench.take([scan("KDX0000001"), scan("KDX0000002")]), [1], "one at a time at first");
    bench.core.close();
    let last = [Input::Printer(0, PrinterEvent::Printed { jobs: vec![1], odometer: 1001 }), ready(1001)];
    assert_eq!(bench.take(last), [0; 0]);
    assert_eq!(bench.take([scan("KDX0000003")]), [0; 0]);
    assert_eq!(bench.core.lines[0].out, [], "nothing that a start would have to doubt");
    assert_eq!(bench.core.lines[0].queue, [2, 3]);
}

/// Only what was never sent goes to another printer, only after a while, and only where it fits.
#[test]
fn what_waits_at_a_broken_printer_goes_to_one_of_its_kind() {
    let twin = "[[printer]]\nname = \"twin\"\nlink = \"tcp://192.0.2.8:9100\"\ndpi = 203\nstock = \"4x3\"\n";
    for (other, goes) in [
        (twin.to_owned(), true),
        (twin.replace("4x3", "4x6"), false),
        (twin.replace("203", "300"), false),
        (format!("{twin}labels = \"hold\"\n"), false),
    ] {
        let mut bench = bench_with(&other);
        // The first label is out and unproved when the paper runs out; the second one waits behind it.
        assert_eq!(bench.take([scan("KDX0000001")]), [1]);
        bench.take([printer_at(1, State::Ready, 50), scan("KDX0000002")]);
        bench.take([printer(State::Attention, 1000)]);
        let wait = |bench: &mut Bench, seconds| {
            bench.now += chrono::TimeDelta::seconds(seconds);
            bench.core.reroute_is_due(bench.now)
        };
        assert!(!wait(&mut bench, 19), "a hand at the printer mends it sooner");
        assert!(bench.take([Input::Tick]).is_empty());
        assert_eq!(wait(&mut bench, 1), goes, "{other}");
        assert_eq!(bench.take([Input::Tick]), if goes { vec![2] } else { vec![] }, "{other}");
        assert!(!bench.core.reroute_is_due(bench.now), "once is enough");
        assert_eq!(bench.core.lines[0].out.len(), 1, "what was sent stays where it is");
        let station = bench.core.config.station.id.clone();
        let printers =
            [1, 2].map(|id| read::job_row_of(&bench.core.store.conn, &station, id).unwrap().unwrap().printer);
        assert_eq!(printers, ["zebra", if goes { "twin" } else { "zebra" }]);
        let rerouted = bench.kinds().iter().filter(|k| k.starts_with("jobs_rerouted")).count();
        assert_eq!(rerouted, usize::from(goes));
    }
}

#[test]
fn a_file_that_comes_again_without_a_day_moves_none() {
    let mut bench = bench();
    let import = |bench: &mut Bench, text: &str| {
        let drafts = draft::read(text).drafts;
        let (tell, told) = std::sync::mpsc::channel();
        let request = Request::Rmas { drafts, by: "test".into() };
        bench.take([Input::Request(Box::new(request), Box::new(move |r| tell.send(r).unwrap()))]);
        told.recv().unwrap().text
    };
    let text = "number,ticket,channel,customer,serial\nRMA4712,T-2,direct,Acme,KDX0000009";
    assert!(import(&mut bench, text).starts_with("1 issued"));
    let issued = crate::store::know::rma(&bench.core.store.conn, "RMA4712").unwrap().unwrap();
    bench.now = bench.now + chrono::Days::new(1);
    assert_eq!(import(&mut bench, text), "0 issued, 0 changed, 1 unchanged, 0 refused");
    let after = crate::store::know::rma(&bench.core.store.conn, "RMA4712").unwrap().unwrap();
    assert_eq!(
        (after.issued, after.program, after.program_version),
        (issued.issued, issued.program, issued.program_version)
    );
}

#[test]
fn what_was_rolled_back_and_could_not_be_read_back_never_leaves() {
    let mut bench = bench();
    bench.core.store.conn.execute_batch("ALTER TABLE message RENAME TO away").unwrap();
    bench.full(true);
    assert!(bench.take([scan("KDX0000001")]).is_empty());
    assert!(bench.core.stale);
    bench.full(false);
    let sent = bench.take([scan("KDX0000001"), scan("KDX0000002")]);
    assert!(sent.is_empty(), "nothing is decided from memory: {sent:?}");
    assert_eq!(&bench.outcomes()[..3], ["NOT WRITTEN"; 3]);
    bench.core.store.conn.execute_batch("ALTER TABLE away RENAME TO message").unwrap();
    assert_eq!(bench.take([scan("KDX0000001")]).len(), 1);
    assert!(!bench.core.stale && bench.core.session.rma.as_deref() == Some("RMA4711"));
}
