//! The dock's behaviour as sentences: scans on the left, outcomes on the right. The past is a table.
//! Long, as such sentences are many.

use super::{Dock, Owed, outcome, refuse, step};
use crate::domain::event::Event;
use crate::domain::mac::Mac;
use crate::domain::rma::{Receipt, Rma, RmaState};
use crate::domain::session::Session;
use crate::domain::shipment::Shipment;
use crate::program::Programs;
use crate::rma::{Expects, Knowledge, Past, Unanswered};
use crate::scan::{Frame, Scan};
use chrono::{DateTime, Days, FixedOffset, NaiveDate};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// A company of one page, invented for these tests.
const PROGRAM: &str = include_str!("tests/program.toml");

fn programs(complete: &str) -> Programs {
    let text = PROGRAM.replace("complete_when = \"either\"", &format!("complete_when = \"{complete}\""));
    match Programs::read([("program.toml", text.as_str())], "corner-shop") {
        Ok((programs, _)) => programs,
        Err(problems) => panic!("{}", problems.iter().map(|p| p.to_string()).collect::<Vec<_>>().join("\n")),
    }
}

fn shared() -> &'static Programs {
    static PROGRAMS: OnceLock<Programs> = OnceLock::new();
    PROGRAMS.get_or_init(|| programs("either"))
}

#[derive(Default)]
struct Past1 {
    rmas: BTreeMap<String, Rma>,
    ships: Vec<Shipment>,
    receipts: Vec<(Receipt, bool)>,
    broken: bool,
}

impl Past1 {
    fn standing(&self) -> impl DoubleEndedIterator<Item = &Receipt> {
        self.receipts.iter().filter(|(_, gone)| !gone).map(|(r, _)| r)
    }
}

fn past(r: &Receipt) -> Past {
    Past { id: r.id, rma: r.rma.clone(), serial: r.serial.clone(), mac: r.mac, at: r.at, word: r.word.clone() }
}

impl Knowledge for Past1 {
    fn rma(&self, number: &str) -> Result<Option<Rma>, Unanswered> {
        if self.broken {
            return Err(Unanswered("the disk is on fire".to_owned()));
        }
        Ok(self.rmas.get(number).cloned())
    }
    fn counts(&self, rma: &str) -> Result<(u32, u32), Unanswered> {
        let expected = self.rmas.get(rma).map_or(0, |r| r.expected.len() as u32);
        Ok((expected, self.standing().filter(|r| r.rma == rma).count() as u32))
    }
    fn expects(&self, rma: &str, serial: &str) -> Result<Expects, Unanswered> {
        Ok(match self.rmas.get(rma) {
            Some(r) if r.expected.is_empty() => Expects::Anything,
            Some(r) if r.expected.iter().any(|s| s == serial) => Expects::This,
            _ => Expects::Others,
        })
    }
    fn missing(&self, rma: &str, limit: u32) -> Result<Vec<String>, Unanswered> {
        let here = |s: &String| self.standing().any(|r| r.rma == rma && r.serial.as_ref() == Some(s));
        let all = self.rmas.get(rma).map(|r| r.expected.clone()).unwrap_or_default();
        Ok(all.into_iter().filter(|s| !here(s)).take(limit as usize).collect())
    }
    fn rmas_expecting(&self, serial: &str) -> Result<Vec<String>, Unanswered> {
        Ok(self.rmas.values().filter(|r| r.expected.iter().any(|s| s == serial)).map(|r| r.number.clone()).collect())
    }
    fn by_serial(&self, serial: &str) -> Result<Option<Shipment>, Unanswered> {
        Ok(self.ships.iter().find(|s| s.serial == serial).cloned())
    }
    fn by_mac(&self, mac: Mac) -> Result<Vec<Shipment>, Unanswered> {
        Ok(self.ships.iter().filter(|s| s.macs.contains(&mac)).cloned().collect())
    }
    fn last_receipt(&self, serial: Option<&str>, mac: Option<Mac>) -> Result<Option<Past>, Unanswered> {
        let same =
            |r: &&Receipt| (serial.is_some() && r.serial.as_deref() == serial) || (mac.is_some() && r.mac == mac);
        Ok(self.standing().rev().find(same).map(past))
    }
    fn receipt(&self, id: i64) -> Result<Option<Past>, Unanswered> {
        Ok(self.standing().find(|r| r.id == id).map(past))
    }
    fn newest_on(&self, rma: &str, since: i64) -> Result<Option<Past>, Unanswered> {
        Ok(self.standing().rev().find(|r| r.rma == rma && r.id > since).map(past))
    }
}

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, 2).unwrap()
}

fn now() -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339("2026-03-02T09:00:00-06:00").unwrap()
}

fn ship(serial: &str, mac: &str, brand: &str, days: u64) -> Shipment {
    Shipment {
        serial: serial.to_owned(),
        macs: Mac::parse(mac).into_iter().collect(),
        brand: Some(brand.to_owned()),
        model: Some("M1".to_owned()),
        ship_date: today() - Days::new(days),
        order: None,
        customer: None,
        channel: None,
        distributor: None,
        purchase_date: None,
        warranty_until: None,
        plan_until: None,
    }
}

fn rma(number: &str, expected: &[&str]) -> Rma {
    let facts: Map<String, Value> = match json!({"channel": "direct", "rma": {"ticket": "T1"}}) {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    Rma {
        email: None,
        number: number.to_owned(),
        program: "corner-shop".to_owned(),
        program_version: "1".to_owned(),
        customer: Some("Acme".to_owned()),
        issued: today(),
        state: RmaState::Open,
        facts,
        expected: expected.iter().map(|s| (*s).to_owned()).collect(),
    }
}

/// The dock of the tests: RMA-1 expects S1 and S2, RMA-2 anything; three phones are on record.
fn world() -> Past1 {
    let mut w = Past1 {
        ships: vec![
            ship("S1", "001565000001", "Yealink", 10),
            ship("S2", "001565000002", "Yealink", 40),
            ship("S3", "0004F2000003", "Polycom", 10),
            ship("001FC1000004", "001FC1000004", "Htek", 10),
            ship("S5", "0004F2000005", "Yealink", 10),
        ],
        ..Past1::default()
    };
    for r in [rma("RMA-1", &["S1", "S2", "001FC1000004", "S5"]), rma("RMA-2", &[])] {
        w.rmas.insert(r.number.clone(), r);
    }
    for (number, state, issued) in
        [("RMA-7", RmaState::Closed, 0i64), ("RMA-8", RmaState::Open, 40), ("RMA-9", RmaState::Open, -1)]
    {
        let mut r = rma(number, &[]);
        r.state = state;
        r.issued = today() - chrono::Duration::days(issued);
        w.rmas.insert(number.to_owned(), r);
    }
    w
}

struct Tape {
    world: Past1,
    session: Session,
    programs: Programs,
    badge: bool,
    labels: Vec<Owed>,
}

impl Tape {
    fn new(complete: &str) -> Tape {
        Tape {
            world: world(),
            session: Session::default(),
            programs: programs(complete),
            badge: false,
            labels: Vec::new(),
        }
    }

    fn scan(&mut self, payload: &str) -> crate::domain::screen::Screen {
        let dock = Dock {
            know: &self.world,
            programs: &self.programs,
            badge_required: self.badge,
            prefix: "",
            code: "D1",
            now: now(),
            today: today(),
            last_receipt: self.world.receipts.len() as i64,
            doubt: None,
        };
        let step = step(&dock, &self.session, &Scan::decode(payload.as_bytes().to_vec())).unwrap();
        self.session = step.session;
        for event in step.events {
            match event {
                Event::Received { receipt } => self.world.receipts.push((*receipt, false)),
                Event::Withdrawn { receipt, .. } => {
                    for (r, gone) in &mut self.world.receipts {
                        *gone |= r.id == receipt;
                    }
                }
                other => panic!("{other:?}"),
            }
        }
        self.labels.extend(step.label);
        step.screen
    }

    /// Plays `RMA-1 S1 DONE` and gives the outcomes.
    fn play(&mut self, scans: &str) -> String {
        scans.split(' ').map(|s| self.scan(s).outcome).collect::<Vec<_>>().join(" ")
    }
}

/// One sentence a line: scans, then outcomes.
fn holds(complete: &str, sentences: &[(&str, &str)]) {
    for (scans, outcomes) in sentences {
        assert_eq!(Tape::new(complete).play(scans), *outcomes, "{complete}: {scans}");
    }
}

#[test]
fn a_box_from_badge_to_done() {
    holds(
        "either",
        &[
            ("BADGEB7 RMA-1 S1 S2 DONE", "badge box_open received received box_done"),
            ("rma-1 s1 001565000002 done", "box_open received received box_done"),
            ("RMA-2 S3 DONE", "box_open received box_done"),
            ("RMA-1 RMA-1 S1", "box_open box_already_open received"),
            ("RMA-1 S1 RMA-2 S3", "box_open received box_open received"),
        ],
    );
}

#[test]
fn wrong_order_and_strange_scans_are_named() {
    holds(
        "either",
        &[
            ("S1", "no_box"),
            ("001565000001", "no_box"),
            ("DONE", "no_box"),
            ("CANCEL", "not_now"),
            ("UNDO", "nothing_to_undo"),
            ("REPRINT", "nothing_to_reprint"),
            ("YES", "not_now"),
            ("PHOTO", "not_now"),
            ("RMA-1 YES S1", "box_open not_now received"),
            ("RMA-404", "rma_unknown"),
            ("RMA-7", "rma_closed"),
            ("RMA-9", "rma_future"),
            ("^XZ~JR", "unknown_scan"),
            ("RMA-1 <script> S1", "box_open unknown_scan received"),
        ],
    );
}

#[test]
fn a_unit_may_need_both_its_barcodes() {
    holds(
        "both",
        &[
            ("RMA-1 S1 001565000001", "box_open half_unit received"),
            ("RMA-1 00:15:65:00:00:01 S1", "box_open half_unit received"),
            ("RMA-1 S1 S1 001565000001", "box_open half_unit half_unit received"),
            ("RMA-1 S1 S2 001565000001", "box_open half_unit unit_unfinished received"),
            ("RMA-1 S1 DONE 001565000001 DONE", "box_open half_unit unit_unfinished received box_done"),
            ("RMA-1 S1 RMA-2 CANCEL RMA-2", "box_open half_unit unit_unfinished cancelled box_open"),
            ("RMA-1 S1 UNDO S1 001565000001", "box_open half_unit cancelled half_unit received"),
            // A maker that prints the MAC as the serial has one barcode for both.
            ("RMA-1 001FC1000004", "box_open received"),
            ("RMA-1 SN:S1;MAC:001565000001", "box_open received"),
        ],
    );
    holds("serial", &[("RMA-1 001565000001 S1", "box_open half_unit received"), ("RMA-1 S1", "box_open received")]);
    holds(
        "mac",
        &[("RMA-1 S1 001565000001", "box_open half_unit received"), ("RMA-1 001565000001", "box_open received")],
    );
}

#[test]
fn a_unit_is_cross_checked() {
    holds(
        "both",
        &[
            ("RMA-1 S1 001565000002", "box_open half_unit serial_mac_mismatch"),
            ("RMA-1 S1 001565777777", "box_open half_unit serial_mac_mismatch"),
            // S5 is recorded as a Yealink with a Polycom address.
            ("RMA-1 S5 0004F2000005", "box_open half_unit brand_mismatch"),
        ],
    );
    holds(
        "either",
        &[
            ("RMA-1 S3", "box_open unit_not_on_rma"),
            ("RMA-2 NEVERSHIPPED9", "box_open unit_unknown"),
            ("RMA-1 S1 001565000001", "box_open received same_unit"),
            ("RMA-1 S1 S2 S1", "box_open received received unit_already_received"),
            ("RMA-1 S1 DONE RMA-2 S1", "box_open received box_done box_open unit_already_received"),
        ],
    );
}

#[test]
fn undo_takes_back_units_of_this_box_only() {
    let mut t = Tape::new("either");
    assert_eq!(t.play("RMA-1 S1 S2 UNDO UNDO UNDO"), "box_open received received undone undone nothing_to_undo");
    assert_eq!(t.world.standing().count(), 0);
    assert_eq!(t.play("S1 DONE RMA-1 UNDO S2"), "received box_done box_open nothing_to_undo received");
    assert_eq!(t.world.standing().count(), 2);
}

#[test]
fn reprint_owes_a_copy_of_the_last_unit_even_after_done() {
    let mut t = Tape::new("either");
    assert_eq!(t.play("RMA-1 S1 REPRINT DONE REPRINT"), "box_open received reprint box_done reprint");
    assert!(matches!(
        t.labels.as_slice(),
        [Owed::Unit { receipt: 1, .. }, Owed::Copy { receipt: 1 }, Owed::Copy { receipt: 1 }]
    ));
    let mut t = Tape::new("either");
    assert_eq!(t.play("RMA-1 S1 UNDO REPRINT"), "box_open received undone nothing_to_reprint");
}

/// A unit whose serial number is also the number of an RMA; a phone with two ports, of which the first is on
/// record; two units one of whose numbers is the other's behind an S.
fn ambiguous(complete: &str) -> Tape {
    let mut t = Tape::new(complete);
    t.world.ships.extend([
        ship("RMA-2", "0004F2000021", "Polycom", 10),
        ship("K4001", "0004F2000030", "Polycom", 10),
        ship("S77000001", "0004F2000040", "Polycom", 10),
        ship("77000001", "0004F2000050", "Polycom", 10),
    ]);
    t
}

#[test]
fn a_tie_is_asked_and_an_answer_barcode_decides() {
    for (scans, outcomes) in [
        // Both readings are on record.
        ("RMA-1 RMA-2 OPT1", "box_open which unit_not_on_rma"),
        ("RMA-1 RMA-2 OPT2", "box_open which box_open"),
        ("RMA-1 RMA-2 OPT3 OPT2", "box_open which which box_open"),
        ("RMA-1 RMA-2 YES opt2", "box_open which which box_open"),
        ("RMA-1 RMA-2 CANCEL OPT1 S1", "box_open which cancelled not_now received"),
        ("RMA-1 RMA-2 S1 OPT2", "box_open which received not_now"),
        ("RMA-1 RMA-2 BADGE7 OPT2", "box_open which badge box_open"),
        // Outside a box the step knows: an RMA number.
        ("RMA-2", "box_open"),
        // The address is not on record, the one before it is.
        ("RMA-2 0004F2000031 OPT1", "box_open which received"),
        ("RMA-2 0004F2000031 OPT2", "box_open which unit_unknown"),
        ("RMA-2 0004F2000030", "box_open received"),
        // An S in front, or part of the number: both are on record.
        ("RMA-2 S77000001 OPT2", "box_open which received"),
        ("RMA-2 77000001", "box_open received"),
        // None is on record, and both readings are as likely: a product number or a serial number.
        ("RMA-2 4006381333931 OPT2", "box_open which not_a_unit"),
        ("RMA-2 4006381333931 OPT1", "box_open which unit_unknown"),
        ("RMA-2 ]E04006381333931", "box_open not_a_unit"),
        // Two parts of one label are no tie.
        ("RMA-1 SN:S1;RMA:RMA-2", "box_open received"),
        ("RMA-1 SN:S1;MAC:001565000001", "box_open received"),
    ] {
        assert_eq!(ambiguous("either").play(scans), outcomes, "{scans}");
    }
}

#[test]
fn the_question_says_what_each_answer_means() {
    let mut t = ambiguous("either");
    t.play("RMA-1");
    let s = t.scan("RMA-2");
    assert_eq!(
        s.why,
        ["OPT1: serial number RMA-2, on record: Polycom M1 RMA-2", "OPT2: RMA number RMA-2, on record: Acme"]
    );
    assert!(s.next.contains("OPT1 to OPT2"), "{}", s.next);
    let s = t.scan("0004F2000031");
    assert!(s.why[0].starts_with("OPT1: MAC 0004F2000030, on record: Polycom M1 K4001"), "{:?}", s.why);
    assert!(s.why[1].starts_with("OPT2: MAC 0004F2000031 ("), "{:?}", s.why);
    // A question that was not answered is dropped by the next scan and leaves nothing behind.
    assert_eq!((t.play("S1").as_str(), t.session.asked.len()), ("received", 0));
}

#[test]
fn what_is_no_datum_says_what_it_is() {
    let mut t = Tape::new("either");
    t.play("RMA-1");
    for (scan, outcome, word) in [
        ("@FACDEF", "unknown_scan", "setup barcode"),
        ("\u{12}cmd", "unknown_scan", "Ctrl+R"),
        // A carrier's number with a wrong check digit: not a unit without asking.
        ("1Z12345E8791315509", "which", "should be 4"),
        ("9611020987654312345673", "which", "should be 2"),
        ("1Z999AA10123456784", "parcel_arrived", "check digit right"),
    ] {
        let s = t.scan(scan);
        assert_eq!(s.outcome, outcome, "{scan}");
        assert!(s.why.iter().any(|why| why.contains(word)), "{scan}: {s:?}");
    }
}

#[test]
fn a_badge_may_be_required() {
    let mut t = Tape::new("either");
    t.badge = true;
    assert_eq!(t.play("RMA-1 S1 BADGE12 RMA-1 S1"), "badge_wanted badge_wanted badge box_open received");
}

#[test]
fn an_expired_rma_is_held_unit_by_unit() {
    let mut t = Tape::new("either");
    let opened = t.scan("RMA-8");
    assert_eq!((opened.outcome.as_str(), opened.word.as_str()), ("box_open", "HOLD"));
    let unit = t.scan("S3");
    assert_eq!((unit.outcome.as_str(), unit.word.as_str()), ("rma_expired", "HOLD"));
    assert!(t.world.receipts[0].0.held);
    assert!(unit.why[0].contains("40") && unit.why[0].contains("30 days"), "{:?}", unit.why);
}

#[test]
fn done_names_what_is_missing() {
    let mut t = Tape::new("either");
    t.play("RMA-1 S1");
    let s = t.scan("DONE");
    assert_eq!(s.word, "PARTIAL");
    assert_eq!(s.why, ["1 of 4 received", "still missing: S2, 001FC1000004, S5"]);
}

#[test]
fn the_receipt_holds_facts_that_give_the_same_verdict_again() {
    let mut t = Tape::new("either");
    t.play("RMA-1 S1");
    let receipt = &t.world.receipts[0].0;
    let facts = crate::domain::facts::Facts::from_json(&Value::Object(receipt.facts.clone())).unwrap();
    assert_eq!(t.programs.default().verdict(&facts, today()), receipt.verdict);
    assert_eq!(receipt.mac, Mac::parse("001565000001"));
}

#[test]
fn a_broken_past_is_an_error_not_a_guess() {
    let mut w = world();
    w.broken = true;
    let dock = Dock {
        know: &w,
        programs: shared(),
        badge_required: false,
        prefix: "",
        code: "D1",
        now: now(),
        today: today(),
        last_receipt: 0,
        doubt: None,
    };
    assert!(step(&dock, &Session::default(), &Scan::decode(b"RMA-1".to_vec())).is_err());
}

#[test]
fn frames_that_are_no_scans_are_named() {
    assert_eq!(refuse(&Frame::Payload(Vec::new())).unwrap().1.outcome, outcome::EMPTY_SCAN);
    assert_eq!(refuse(&Frame::Unfinished(b"ab".to_vec())).unwrap().1.outcome, outcome::DAMAGED_SCAN);
    assert_eq!(refuse(&Frame::TooLong { len: 5000 }).unwrap().1.outcome, outcome::TOO_LONG);
    assert_eq!(refuse(&Frame::Payload(b"x".to_vec())), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Any scans in any order: no panic, every outcome named, no unit twice on record, and text that is
    /// not understood never reaches the journalled screen.
    #[test]
    fn any_scans_in_any_order(scans in proptest::collection::vec(prop_oneof![
        Just("RMA-1".to_owned()), Just("RMA-2".to_owned()), Just("S1".to_owned()), Just("S2".to_owned()), Just("S3".to_owned()),
        Just("001565000001".to_owned()), Just("DONE".to_owned()), Just("UNDO".to_owned()), Just("CANCEL".to_owned()),
        Just("REPRINT".to_owned()), Just("BADGE1".to_owned()), "[ -~]{0,20}", "\\PC{0,12}",
    ], 0..40), both in any::<bool>()) {
        let mut t = Tape::new(if both { "both" } else { "either" });
        for scan in &scans {
            let screen = t.scan(scan);
            prop_assert!(!screen.outcome.is_empty() && !screen.word.is_empty() && !screen.next.is_empty());
            if screen.outcome == outcome::UNKNOWN_SCAN && scan.len() > 6 {
                let said = [&[screen.title, screen.next][..], &screen.why].concat().join(" ");
                prop_assert!(!said.contains(scan.as_str()), "{}", said);
            }
        }
        let mut serials: Vec<_> = t.world.standing().filter_map(|r| r.serial.clone()).collect();
        serials.sort();
        let n = serials.len();
        serials.dedup();
        prop_assert_eq!(serials.len(), n);
    }
}
