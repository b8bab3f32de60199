//! Labels that are scanned back: a label in somebody's hand came out, and the dock may insist on seeing it.

use super::*;
use crate::domain::label_code::LabelCode;
use crate::label;

/// What the dock is shown, and how the jobs stand.
impl Bench {
    /// [`bench`] where the unit label must be scanned back.
    fn strict(more: &str) -> Bench {
        let files = crate::program::SHIPPED.iter().map(|(name, text)| {
            let strict = text.replacen("scan_back = []", "scan_back = [\"unit\"]", 1);
            assert_ne!(*text, strict);
            (*name, strict)
        });
        let files: Vec<(&str, String)> = files.collect();
        let texts = files.iter().map(|(name, text)| (*name, text.as_str()));
        bench_of(more, Programs::read(texts, crate::program::DEFAULT).unwrap().0)
    }

    fn scans(&mut self, payload: &str) -> String {
        self.take([scan(payload)]);
        self.core.shown.as_ref().unwrap().screen.outcome.clone()
    }

    /// The code of a label made here.
    fn code(job: JobId) -> String {
        LabelCode { rma: "RMA4711", station: "T1", job }.to_string()
    }

    fn printed(&mut self, job: JobId) {
        let odometer = self.core.lines[0].condition.odometer.unwrap() + 1;
        self.take([Input::Printer(0, PrinterEvent::Printed { jobs: vec![job], odometer }), ready(odometer)]);
    }

    fn in_doubt(&mut self, job: JobId) {
        let known = "1 asked, 0 came out".to_owned();
        self.take([Input::Printer(0, PrinterEvent::InDoubt { jobs: vec![job], known })]);
        let odometer = self.core.lines[0].condition.odometer.unwrap();
        self.take([ready(odometer)]);
    }

    /// The tables are what the journal adds up to.
    fn holds(&self) {
        let report = crate::store::verify::verify(&self.core.store.conn, |_, _| ()).unwrap();
        assert_eq!(report.problems, [""; 0]);
    }

    fn state(&self, job: JobId) -> JobState {
        read::job_row_of(&self.core.store.conn, "T1", job).unwrap().unwrap().state
    }
}

#[test]
fn a_label_in_doubt_is_settled_by_scanning_it() {
    let mut bench = bench();
    assert_eq!(bench.take([scan("KDX0000001")]), [1]);
    bench.in_doubt(1);
    assert_eq!(bench.core.lines[0].in_doubt, 1);
    assert_eq!(bench.scans(&Bench::code(1)), "label_seen");
    assert_eq!((bench.state(1), bench.core.lines[0].in_doubt), (JobState::Printed, 0));
    assert_eq!(bench.scans("NOTTHERE"), "nothing_in_doubt");
    // Scanned once more it is what its number says: the open box.
    assert_eq!(bench.scans(&Bench::code(1).to_lowercase()), "box_already_open");
    assert_eq!(bench.scans("DONE"), "box_done");
    assert_eq!(bench.scans(&Bench::code(1)), "box_open");
    bench.holds();
}

#[test]
fn a_label_that_was_given_up_or_taken_back_is_to_be_torn_up() {
    let mut bench = bench();
    bench.take([scan("KDX0000001")]);
    bench.in_doubt(1);
    assert_eq!(bench.scans("NOTTHERE"), "not_there");
    assert_eq!(bench.state(1), JobState::Failed);
    bench.printed(2);
    assert_eq!(bench.scans(&Bench::code(1)), "label_void", "it turned up after all, beside its copy");
    assert_eq!(bench.scans(&Bench::code(2)), "box_already_open");
    bench.scans("UNDO");
    assert_eq!(bench.scans(&Bench::code(2)), "label_void");
    let screen = &bench.core.shown.as_ref().unwrap().screen;
    assert_eq!((screen.word.as_str(), screen.kind), ("TEAR IT UP", crate::domain::screen::Kind::Reject));
}

#[test]
fn a_code_of_another_station_or_rma_settles_nothing() {
    let mut bench = bench();
    bench.take([scan("KDX0000001")]);
    bench.in_doubt(1);
    for (rma, station) in [("RMA4711", "T2"), ("RMA4712", "T1")] {
        bench.scans(&LabelCode { rma, station, job: 1 }.to_string());
        assert_eq!(bench.state(1), JobState::InDoubt, "{rma} {station}");
    }
}

/// Where the program insists, the next unit waits for the label of the last one; what the printer still
/// owes holds nobody up.
#[test]
fn the_dock_goes_on_when_the_label_was_scanned() {
    let mut bench = Bench::strict("");
    bench.take([scan("KDX0000001")]);
    let screen = bench.core.shown.as_ref().unwrap().screen.clone();
    assert!(screen.next.contains("scan its square code"), "{}", screen.next);
    for early in ["KDX0000002", "DONE", "RMA4711"] {
        assert_eq!(bench.scans(early), "label_wanted", "{early}");
    }
    bench.printed(1);
    assert_eq!(bench.scans("KDX0000002"), "label_wanted");
    assert_eq!(bench.scans(&Bench::code(1)), "label_seen");

    // Printed by its count, and nobody has it: a copy is asked for in its place.
    bench.scans("KDX0000002");
    bench.printed(2);
    assert_eq!(bench.scans("NOTTHERE"), "not_there");
    assert_eq!((bench.state(2), bench.core.session.awaits.as_slice()), (JobState::Printed, &[3][..]));
    bench.printed(3);
    assert_eq!(bench.scans("REPRINT"), "reprint");
    assert_eq!(bench.core.session.awaits, [4], "the newest copy is the one");
    bench.printed(4);
    assert_eq!(bench.scans(&Bench::code(4)), "label_seen");

    // Out of paper: the label waits, the dock does not.
    bench.take([printer(State::Attention, 1004)]);
    assert_eq!(bench.scans("KDX0000003"), "unit_unknown");
    assert_eq!(bench.state(5), JobState::Queued);
    assert_eq!(bench.scans("DONE"), "box_done");
    bench.take([ready(1004)]);
    bench.printed(5);
    assert_eq!(bench.scans("RMA4711"), "label_wanted");
    assert_eq!(bench.scans(&Bench::code(5)), "label_seen");
    assert_eq!(bench.scans("RMA4711"), "box_open");
    bench.holds();
}

#[test]
fn a_unit_that_is_taken_back_asks_for_no_label() {
    let mut bench = Bench::strict("");
    bench.take([scan("KDX0000001")]);
    bench.printed(1);
    assert_eq!(bench.scans("UNDO"), "undone");
    assert_eq!(bench.scans("KDX0000002"), "unit_unknown");
}

/// A design without the code: nobody can be asked to scan it.
#[test]
fn a_label_without_a_code_is_not_asked_for() {
    let mut bench = Bench::strict("");
    let (designs, refused) = label::Designs::read([("unit.zpl", DESIGN.as_bytes())]);
    assert!(refused.is_empty(), "{refused:?}");
    let mut config = (*bench.core.config).clone();
    config.labels.designs = Arc::new(designs);
    bench.core.config = Arc::new(config);
    assert_eq!(bench.take([scan("KDX0000001")]), [1]);
    let screen = bench.core.shown.as_ref().unwrap().screen.clone();
    assert!(screen.why.iter().any(|why| why.contains("no code of its own")), "{screen:?}");
    assert_eq!(bench.core.session.awaits, [0; 0]);
    let zpl = read::zpl(&bench.core.store.conn, "T1", 1).unwrap().unwrap();
    assert!(zpl.contains("^FDMine: RMA4711"), "{zpl}");
}

const DESIGN: &str = "^XA^FO50,40^A0N,60,60^FDMine: {rma}^FS^FO50,120^A0N,40,40^FD{serial} {brand} {model}^FS\
     ^FO50,280^A0N,40,40^FD{received} {copy}^FS^XZ";
