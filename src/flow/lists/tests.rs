//! The lists on made-up days: what the real binary, which lives today, cannot show. Above all that every
//! next step is one that is taken, and that it does what the line says.

use super::*;
use crate::domain::event::Event;
use crate::domain::rma::{Receipt, RmaState};
use crate::domain::screen::{Kind, Screen};
use crate::domain::session::Session;
use crate::domain::unit::Step;
use crate::flow::life::{self, Wish};
use crate::program::{Programs, SHIPPED};
use chrono::Days;
use serde_json::json;

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, 31).unwrap()
}

fn ago(days: u64) -> NaiveDate {
    day() - Days::new(days)
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn programs() -> Programs {
    // A price, so that an advance unit can be billed.
    let text = |text: &str| text.replacen("# amount = \"0.00\"", "amount = \"99.00\"", 1);
    let files: Vec<(&str, String)> = SHIPPED.iter().map(|(name, content)| (*name, text(content))).collect();
    let read = Programs::read(files.iter().map(|(n, t)| (*n, t.as_str())), "voip-reseller");
    read.unwrap_or_else(|p| panic!("{p:?}")).0
}

fn rma(program: &Program) -> Rma {
    Rma {
        number: "R1".to_owned(),
        program: program.id().to_string(),
        program_version: program.version().to_string(),
        customer: Some("Acme".to_owned()),
        email: None,
        issued: ago(5),
        state: RmaState::Open,
        facts: Map::new(),
        expected: Vec::new(),
    }
}

fn case(rma: &Rma, program: &Program, state: UnitState, facts: Value) -> Case {
    let facts = object(facts);
    let recorded = life::case_on(rma, program, &facts, day()).unwrap().1.verdict;
    let unit = Unit::recorded("U1".to_owned(), state, facts, &recorded, program);
    Case { unit, since: ago(1), recorded, only_received: false }
}

fn lines(list: List, rma: &Rma, program: &Program, case: &Case, beside: &Beside) -> Vec<Line> {
    of_unit(list, rma, program, case, beside, day()).unwrap()
}

const NOTHING: Told = Told { quote: None, refused: None, advance_back: false, touched: false };
const BARE: Beside = Beside { expected: &[], elsewhere: &[], told: &NOTHING, ledger: &[] };

/// Makes the step that a line names, filled in with anything; `None`: it names none that can be made now.
fn follow(next: &str, rma: &mut Rma, program: &Program, case: &mut Case) -> Option<()> {
    let (line, hint) = next.split_once("   (").map_or((next, ""), |(line, hint)| (line, hint));
    if hint.contains("once ") || !(line.starts_with("backdock rma act") || line.starts_with("echo")) {
        return None;
    }
    let choice = hint.split_once(": ").map_or("N", |(_, words)| words.split([',', ')']).next().unwrap());
    let line = line.replace("DATE", &day().to_string()).replace("AMOUNT", "5.00").replace("MAC\"", "0200000000AA\"");
    let fill =
        |text: &str| if text.chars().all(|c| c.is_ascii_uppercase()) { choice.to_owned() } else { text.to_owned() };
    if let Some((facts, _)) = line.strip_prefix("echo '").and_then(|rest| rest.split_once("' |")) {
        let said: Value = serde_json::from_str(facts).unwrap_or_else(|e| panic!("{facts}: {e}"));
        let mut facts = object(said["facts"].clone());
        if let Some(about) = facts.remove("rma") {
            life::merge(&mut rma.facts, "rma", about);
            return Some(());
        }
        facts.values_mut().for_each(|v| {
            if let Some(text) = v.as_str() {
                *v = json!(fill(text));
            }
        });
        return step(Step::Note, object(json!({"facts": facts})), rma, program, case);
    }
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!((words[..4].join(" "), words[5]), ("backdock rma act R1".to_owned(), "U1"), "{line}");
    let said = words.iter().filter_map(|w| w.split_once('=')).map(|(k, v)| (k.to_owned(), json!(fill(v)))).collect();
    step(Step::find(words[4]).unwrap(), said, rma, program, case)
}

fn step(step: Step, said: Map<String, Value>, rma: &Rma, program: &Program, case: &mut Case) -> Option<()> {
    let wish = Wish { step, by: "anna", said: &said };
    let done = life::act(rma, program, &case.unit, &wish, day(), &|_, _| false, 1);
    let moved = done.unwrap_or_else(|e| panic!("{step} {said:?} from {}: {e}", case.unit.state)).moved.unwrap();
    case.unit = Unit::recorded(moved.unit, moved.to, moved.facts, &moved.verdict, program);
    Some(())
}

#[test]
fn the_next_step_of_every_hold_is_taken_and_lifts_it() {
    let programs = programs();
    let states = [
        UnitState::Received,
        UnitState::Held,
        UnitState::Diagnosing,
        UnitState::Quoted,
        UnitState::Ready,
        UnitState::Refused,
    ];
    let shapes = [
        json!({}),
        json!({"channel": "direct", "brand": "Yealink", "ship_date": ago(10), "reported": ago(5)}),
        json!({"channel": "reseller", "brand": "Polycom", "ship_date": ago(90), "account": "A1", "purchase_date": ago(95)}),
        json!({"channel": "direct", "brand": "Htek", "ship_date": ago(3000), "warranty_until": ago(1000), "damage": "liquid"}),
        json!({"channel": "reseller", "brand": "Snom", "ship_date": ago(20), "packaging": "bad", "damage": "physical"}),
        json!({"channel": "direct", "brand": "Yealink", "ship_date": ago(9), "outcome": "ntf", "class": "advance", "advance": {"shipped": ago(8)}}),
        json!({"channel": "direct", "brand": "Yealink", "ship_date": ago(9), "outcome": "user_damage", "reason": "change_of_mind"}),
    ];
    let (mut made, mut words) = (0, 0);
    for program in programs.iter() {
        for shape in &shapes {
            for state in states {
                let mut facts = object(shape.clone());
                facts.insert("received".to_owned(), json!(ago(1)));
                facts.insert("serial".to_owned(), json!("U1"));
                let first = rma(program);
                let first_case = case(&first, program, state, Value::Object(facts));
                for line in lines(List::Holds, &first, program, &first_case, &BARE) {
                    let (mut rma, mut case) = (first.clone(), first_case.clone());
                    let code = line.more[0].clone();
                    if follow(&line.next, &mut rma, program, &mut case).is_none() {
                        words += 1;
                        continue;
                    }
                    made += 1;
                    let after = lines(List::Holds, &rma, program, &case, &BARE);
                    let id = program.id();
                    assert!(
                        after.iter().all(|l| l.more[0] != code),
                        "{id} {state} {shape}: {code} stays after {}",
                        line.next
                    );
                }
            }
        }
    }
    assert!(made > 300 && made > 2 * words, "{made} next steps were made, {words} were words only");
}

#[test]
fn an_advance_unit_counts_its_days_and_shows_its_bill() {
    let programs = programs();
    let program = programs.get("voip-reseller").unwrap();
    let rma = rma(program);
    let out = |days: u64| {
        json!({"channel": "direct", "brand": "Yealink", "ship_date": ago(days + 5), "rma": {"diagnosed": true},
            "advance": {"shipped": ago(days), "serial": "NEW1"}})
    };
    let shown = |days: u64, beside: &Beside| {
        let case = case(&rma, program, UnitState::AdvanceShipped, out(days));
        lines(List::Advances, &rma, program, &case, beside).pop().unwrap()
    };
    assert_eq!(shown(30, &BARE).more, [json!("NEW1"), json!(30), json!(30), json!("not billed")]);
    assert!(shown(30, &BARE).next.contains("scan U1"));
    assert!(shown(31, &BARE).next.contains("calendar bills it"), "{}", shown(31, &BARE).next);
    let ledger = [("advance_not_returned".to_owned(), "A-24".to_owned(), Amount::from_cents(9900))];
    let billed = shown(31, &Beside { ledger: &ledger, ..BARE });
    assert_eq!(billed.more[3], "billed 99.00");
    // It is announced until it is posted.
    let case = case(&rma, program, UnitState::AdvanceShipped, out(31));
    let charges = |beside: &Beside| {
        let mut all = lines(List::Charges, &rma, program, &case, beside);
        all.retain(|line| line.more[1] == "advance_not_returned");
        all
    };
    let announced = charges(&BARE);
    assert_eq!((announced.len(), &announced[0].more[0]), (1, &json!("announced")));
    assert_eq!(charges(&Beside { ledger: &ledger, ..BARE }), []);
    // The 30 days are over, and that is late too, by the same rule.
    let late = lines(List::Late, &rma, program, &case, &BARE);
    assert_eq!((late.len(), &*late[0].rule, late[0].since), (1, "A-24", ago(1)));
}

#[test]
fn an_open_answer_is_listed_from_its_day_on_and_a_reminder_never() {
    let programs = programs();
    let program = programs.get("voip-reseller").unwrap();
    let rma = rma(program);
    let asked = |days: u64| {
        let facts = json!({"channel": "direct", "brand": "Yealink", "ship_date": ago(90), "received": ago(days + 1), "outcome": "ntf",
            "rma": {"diagnosed": true, "contacted": ago(days)}});
        lines(List::Late, &rma, program, &case(&rma, program, UnitState::Ready, facts), &BARE)
    };
    assert_eq!(asked(29), []);
    let listed = asked(30);
    assert_eq!((listed.len(), &*listed[0].rule), (1, "A-63"));
    assert!(listed[0].next.contains("wants_back"), "{}", listed[0].next);
}

#[test]
fn work_that_was_done_is_not_late_whatever_the_date() {
    let programs = programs();
    for (id, rule) in [("security-dvr", "B-07"), ("server-technology", "D-20")] {
        let program = programs.get(id).unwrap();
        let rma = rma(program);
        let facts = json!({"channel": "direct", "ship_date": ago(90), "received": ago(25), "rma": {"diagnosed": true}});
        let late = |state| lines(List::Late, &rma, program, &case(&rma, program, state, facts.clone()), &BARE);
        assert!(late(UnitState::Received).iter().any(|l| *l.rule == *rule), "{id}");
        assert_eq!(late(UnitState::Ready), [], "{id}");
    }
}

#[test]
fn a_vendor_is_asked_from_day_30_on() {
    let programs = programs();
    let program = programs.get("voip-reseller").unwrap();
    let rma = rma(program);
    let facts = json!({"channel": "reseller", "brand": "Yealink", "ship_date": ago(90), "received": ago(50), "distributor": "Jenne", "vendor_rma": "V1",
        "rma": {"diagnosed": true}});
    for (days, wants) in [(29, false), (30, true)] {
        let mut case = case(&rma, program, UnitState::VendorShipped, facts.clone());
        case.since = ago(days);
        let line = lines(List::Vendor, &rma, program, &case, &BARE).pop().unwrap();
        assert_eq!((line.wants_person, line.age_days), (wants, days as i64));
        assert!(line.next.contains("vendor_credit") && line.next.contains("vendor_replace"), "{}", line.next);
    }
}

fn scan(identity: &str, value: &str, word: &str, open: Option<&str>) -> Event {
    let screen = Screen {
        outcome: "x".to_owned(),
        kind: if ["REJECT", "STOP"].contains(&word) { Kind::Reject } else { Kind::Ask },
        word: word.to_owned(),
        title: format!("about {value}"),
        why: Vec::new(),
        next: String::new(),
        rules: vec!["S-9".to_owned()],
        job: None,
    };
    let session = Session { rma: open.map(str::to_owned), ..Session::default() };
    Event::Scanned { identity: identity.to_owned(), value: Some(value.to_owned()), screen, session }
}

#[test]
fn what_was_turned_away_stands_until_something_is_received_on_it() {
    let programs = programs();
    let program = programs.default();
    let came = |rma: &str, serial: &str| {
        let facts = Map::new();
        let verdict = program.verdict(&Default::default(), day());
        let at = chrono::DateTime::parse_from_rfc3339("2026-03-31T10:00:00-05:00").unwrap();
        let serial = Some(serial.to_owned());
        let (rma, word) = (rma.to_owned(), "HOLD".to_owned());
        Event::Received {
            receipt: Box::new(Receipt {
                arrival: None,
                id: 1,
                rma,
                serial,
                mac: None,
                brand: None,
                model: None,
                at,
                word,
                held: true,
                facts,
                verdict,
            }),
        }
    };
    let standing = |events: &[Event]| {
        let mut door = Door::default();
        events.iter().for_each(|e| door.event("2026-03-28T09:00:00.000-05:00", e));
        door.standing()
    };
    let rejected = || scan("rma", "R1", "REJECT", None);
    let found = standing(&[
        scan("tracking", "1Z9", "NOT THIS ONE", None),
        rejected(),
        rejected(),
        scan("rma", "R2", "REJECT", None),
    ]);
    let short: Vec<(&str, u32, Option<&str>)> =
        found.iter().map(|t| (t.scanned.as_str(), t.times, t.tracking.as_deref())).collect();
    assert_eq!(short, [("R1", 2, Some("1Z9")), ("R2", 1, None)]);
    let line = refused_box(&found[0], None, day());
    assert_eq!((line.age_days, line.more[1].as_str(), &*line.rule), (3, Some("day 3"), "S-9"));
    assert_eq!(standing(&[rejected(), came("R1", "U1")]), []);
    assert_eq!(standing(&[rejected(), came("R2", "U1")]).len(), 1);
    // A receipt from before does not count, nor does a scan that only was not counted.
    assert_eq!(standing(&[came("R1", "U1"), rejected()]).len(), 1);
    assert_eq!(standing(&[scan("serial", "U1", "STOP", Some("R1"))]), []);
    // A unit turned away out of an open box stands until it is received itself.
    let unit = || scan("serial", "U2", "REJECT", Some("R1"));
    assert_eq!(standing(&[unit(), came("R1", "U1")]).len(), 1);
    assert_eq!(standing(&[unit(), came("R3", "U2")]), []);
}
