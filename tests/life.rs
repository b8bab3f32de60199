//! The life of a unit through the real binary: steps by the command line beside a running daemon and
//! without one, interlocks on every path, money posted once, a replacement that comes back one day.

mod support;

use serde_json::{Value, json};
use std::fs;
use std::process::Output;
use std::time::Duration;
use support::dock::Dock;

/// A dock with phones of one client: the serial, and how many days ago it left.
struct Phones {
    dock: Dock,
    today: chrono::NaiveDate,
}

impl Phones {
    fn new(phones: &[(&str, &str, u64)]) -> Phones {
        let dock = Dock::bare(0, Duration::from_millis(2));
        let zone: chrono_tz::Tz = "America/Chicago".parse().unwrap();
        let today = chrono::Utc::now().with_timezone(&zone).date_naive();
        let mut csv = String::from("serial,brand,model,ship_date,customer,channel,distributor\n");
        for (serial, brand, days) in phones {
            csv.push_str(&format!("{serial},{brand},T46U,{},Acme,direct,Delta\n", today - chrono::Days::new(*days)));
        }
        let file = dock.file("shipments.csv");
        fs::write(&file, csv).unwrap();
        let done = dock.cli(&["shipments", "import", file.to_str().unwrap()]);
        assert!(done.status.success(), "{done:?}");
        Phones { dock, today }
    }

    /// Issues an RMA over one phone, all of its papers in order.
    fn rma(&self, serial: &str) -> String {
        let reported = format!("reported={}", self.today);
        let words = ["rma", "new", "--customer", "Acme", "--ticket", "T-7", "--channel", "direct", "--serial", serial];
        let facts = ["--fact", "rma.diagnosed=true", "--fact", "rma.qualified=true", "--fact", &reported];
        let done = self.dock.cli(&[&words[..], &facts].concat());
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    fn act(&self, words: &[&str]) -> Output {
        self.dock.cli(&[&["rma", "act"], words, &["--by", "Anna", "--json"]].concat())
    }

    /// A step that must be made; the state it led to, and all that was answered.
    #[track_caller]
    fn step(&self, words: &[&str]) -> (String, Value) {
        let done = self.act(words);
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
        let answer: Value = serde_json::from_slice(&done.stdout).unwrap();
        (answer["state"].as_str().unwrap_or_default().to_owned(), answer)
    }

    /// A step that must be refused, for these reasons.
    #[track_caller]
    fn refused(&self, words: &[&str], why: &[&str]) {
        let done = self.act(words);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(1), "{words:?}: {said}");
        for why in why {
            assert!(said.contains(why), "{words:?} must say {why:?}: {said}");
        }
    }

    fn journal(&self) -> Vec<Value> {
        let done = self.dock.cli(&["journal", "export"]);
        assert!(done.status.success(), "{done:?}");
        let text = String::from_utf8(done.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn posted(&self) -> Vec<(String, String, String)> {
        let text = |v: &Value| v.as_str().unwrap().to_owned();
        let lines = self.journal().into_iter().filter(|e| e["event"]["kind"] == "posted").map(|e| {
            let line = &e["event"]["line"];
            (text(&line["kind"]), text(&line["amount"]), text(&line["rule"]))
        });
        lines.collect()
    }

    fn verify(&self) {
        let done = self.dock.cli(&["journal", "verify"]);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    }
}

/// A-03 to A-06, A-37, A-60, A-61: a phone on day 40 goes to its distributor and another one comes back.
#[test]
fn a_phone_through_the_vendor_and_back() {
    let phones = Phones::new(&[("PH1", "Yealink", 40)]);
    let rma = phones.rma("PH1");
    let (mut daemon, mut page) = phones.dock.start();
    phones.refused(&[&rma, "diagnose", "PH1"], &["is for a unit that is received", "PH1 is awaited", "it may:"]);
    phones.dock.scan(&mut page, &rma).unwrap();
    assert_eq!(phones.dock.scan(&mut page, "PH1").unwrap(), "received");
    phones.dock.scan(&mut page, "DONE").unwrap();

    assert_eq!(phones.step(&[&rma, "diagnose", "PH1"]).0, "diagnosing");
    assert_eq!(phones.step(&[&rma, "find", "PH1", "--say", "outcome=replace"]).0, "diagnosing");
    // No bytes for a vendor before its number is there: not from any state, not by any word.
    assert_eq!(phones.step(&[&rma, "vendor_request", "PH1"]).0, "vendor_requested");
    phones.refused(&[&rma, "vendor_ship", "PH1"], &["A-61", "RMA number"]);
    assert_eq!(phones.step(&[&rma, "vendor_number", "PH1", "--say", "number=DELTA-77"]).0, "vendor_numbered");
    let (state, sent) = phones.step(&[&rma, "vendor_ship", "PH1"]);
    assert_eq!((state.as_str(), &sent["verdict"]["vendor"]["send_to"]), ("vendor_shipped", &json!("Delta")));
    assert_eq!(phones.step(&[&rma, "vendor_replace", "PH1", "--say", "serial=ph9"]).0, "vendor_replaced");
    // A-06: nothing goes out untested.
    phones.refused(&[&rma, "ship", "PH1", "--say", "tracking=1Z9"], &["ship is for a unit that is"]);
    assert_eq!(phones.step(&[&rma, "test", "PH1", "--say", "result=pass"]).0, "vendor_tested");
    assert_eq!(phones.step(&[&rma, "ready", "PH1"]).0, "ready");
    phones.refused(&[&rma, "ship", "PH1"], &["needs \"tracking\""]);
    let (state, sent) = phones.step(&[&rma, "ship", "PH1", "--say", "tracking=1Z999AA10123456784"]);
    assert_eq!(state, "shipped");
    assert_eq!(
        sent["legs"],
        json!([{"leg": "outbound", "payer": "us", "service": "ground", "rule": "A-36"}]),
        "past day 30 the way back is ours, by ground"
    );
    phones.refused(&[&rma, "close"], &["PH1", "shipped", "close its units first"]);
    assert_eq!(phones.step(&[&rma, "close", "PH1"]).0, "closed");
    phones.refused(&[&rma, "ship", "PH1", "--say", "tracking=1Z9"], &["nothing more can be done"]);
    // The deductible once, at the end of the bench's work, and not again at the steps after it.
    assert_eq!(phones.posted(), [("deductible".into(), "45.00".into(), "A-37".into())]);
    assert_eq!(phones.step(&[&rma, "close"]).0, "closed");
    daemon.ask_to_stop();
    assert!(daemon.end().success());
    phones.verify();

    // A-49 to A-51: the unit that came for it is known, with the first one's dates.
    let again = phones.rma("PH9");
    let (mut daemon, mut page) = phones.dock.start();
    phones.dock.scan(&mut page, &again).unwrap();
    assert_eq!(phones.dock.scan(&mut page, "PH9").unwrap(), "received");
    daemon.ask_to_stop();
    assert!(daemon.end().success());
    let receipt = phones.journal().into_iter().rev().find(|e| e["event"]["kind"] == "received").unwrap();
    let receipt = &receipt["event"]["receipt"];
    let first = phones.today - chrono::Days::new(40);
    assert_eq!(receipt["facts"]["lineage"][0]["serial"], "PH1");
    assert_eq!(receipt["facts"]["lineage"][0]["shipped"], json!(first));
    assert_eq!(receipt["verdict"]["warranty_until"], json!(backdock::domain::date::add_months(first, 24)));
    let holds = receipt["verdict"]["holds"].as_array().unwrap();
    assert!(holds.iter().any(|h| h["code"] == "replacement_used" && h["rule"] == "A-49"), "{holds:?}");
    phones.verify();
}

/// A-62 to A-64: no trouble found is asked first, then goes back.
#[test]
fn no_trouble_found_waits_for_the_answer() {
    let phones = Phones::new(&[("PH1", "Polycom", 100)]);
    let rma = phones.rma("PH1");
    let (mut daemon, mut page) = phones.dock.start();
    phones.dock.scan(&mut page, &rma).unwrap();
    phones.dock.scan(&mut page, "PH1").unwrap();
    daemon.ask_to_stop();
    assert!(daemon.end().success());
    // The same steps without a daemon, under the station lock.
    phones.step(&[&rma, "diagnose", "PH1"]);
    phones.step(&[&rma, "find", "PH1", "--say", "outcome=ntf", "--say", "finding=all functions pass"]);
    phones.step(&[&rma, "ready", "PH1"]);
    let ship = ["ship", "PH1", "--say", "tracking=1Z9"];
    phones.refused(&[&[rma.as_str()], &ship[..]].concat(), &["contact_first", "A-63"]);
    phones.refused(
        &[&rma, "release", "PH1", "--say", "hold=contact_first", "--say", "why=hurry"],
        &["not lifted by a word"],
    );
    let noted = phones.dock.file("note.json");
    fs::write(&noted, r#"{"facts": {"rma": {"wants_back": true}}}"#).unwrap();
    phones.refused(&[&rma, "note", "PH1", "--data", noted.to_str().unwrap()], &["without naming a unit"]);
    phones.step(&[&rma, "note", "--data", noted.to_str().unwrap()]);
    assert_eq!(phones.step(&[&[rma.as_str()], &ship[..]].concat()).0, "shipped");
    assert_eq!(phones.posted(), [], "no deductible where no trouble was found");
    phones.verify();
}

#[test]
fn what_is_said_with_a_step_is_checked() {
    let phones = Phones::new(&[("PH1", "Yealink", 5)]);
    let rma = phones.rma("PH1");
    phones.refused(&[&rma, "dance", "PH1"], &["no step of a unit"]);
    phones.refused(&[&rma, "diagnos", "PH1"], &["did you mean \"diagnose\""]);
    phones.refused(&[&rma, "diagnose"], &["name the unit"]);
    phones.refused(&["RMA9999", "diagnose", "PH1"], &["not on record"]);
    phones.refused(&[&rma, "diagnose", "PH2"], &["PH2 is not on RMA", "PH1"]);
    phones.refused(&[&rma, "receive", "PH1"], &["by scanning"]);
    phones.refused(&[&rma, "advance_ship", "PH1", "--say", "serial=A B"], &["not a serial number"]);
    phones.refused(&[&rma, "advance_ship", "PH1", "--say", "to=me"], &["does not take \"to\"", "serial, tracking"]);
    phones.refused(&[&rma, "release", "PH1", "--say", "hold=nothing", "--say", "why=x"], &["no hold \"nothing\""]);
    phones.refused(
        &[&rma, "answer", "PH1", "--say", "question=packaging", "--say", "answer=nice"],
        &["original, equivalent, bad"],
    );
    phones.refused(
        &[&rma, "answer", "PH1", "--say", "question=reported", "--say", "answer=on Monday"],
        &["reported", "\"on Monday\"", "date"],
    );
    phones.verify();
}

/// B-15, B-16: a unit out of warranty whose owner never agreed goes back as it is, and nobody is charged.
#[test]
fn nobody_pays_for_what_he_did_not_agree_to() {
    let phones = Phones::new(&[("DVR1", "Sentinel", 900)]);
    let facts = ["rma.diagnosed=true", "rma.qualified=true"].map(|fact| ["--fact", fact]).concat();
    let words =
        ["rma", "new", "--program", "security-dvr", "--ticket", "T-7", "--channel", "direct", "--serial", "DVR1"];
    let done = phones.dock.cli(&[&words[..], &facts].concat());
    let rma = String::from_utf8(done.stdout).unwrap().trim().to_owned();
    let (mut daemon, mut page) = phones.dock.start();
    phones.dock.scan(&mut page, &rma).unwrap();
    assert_eq!(phones.dock.scan(&mut page, "DVR1").unwrap(), "received");
    daemon.ask_to_stop();
    assert!(daemon.end().success());
    let over = phones.dock.file("over.json");
    let facts = json!({"facts": {"warranty_until": phones.today - chrono::Days::new(170)}});
    fs::write(&over, facts.to_string()).unwrap();
    phones.step(&[&rma, "note", "DVR1", "--data", over.to_str().unwrap()]);
    phones.step(&[&rma, "diagnose", "DVR1"]);
    phones.step(&[&rma, "find", "DVR1", "--say", "outcome=repair"]);
    let (state, quoted) = phones.step(&[&rma, "quote", "DVR1", "--say", "amount=120.00"]);
    assert_eq!((state.as_str(), &quoted["verdict"]["charges"][0]["amount"]), ("quoted", &json!("120.00")));
    phones.refused(&[&rma, "repair", "DVR1"], &["no_consent", "B-16"]);
    phones.step(&[&rma, "ready", "DVR1"]);
    phones.step(&[&rma, "ship", "DVR1", "--say", "tracking=1Z9"]);
    phones.step(&[&rma, "close", "DVR1"]);
    assert_eq!(phones.posted(), []);
    phones.verify();
}

/// A-22, A-23: day 5, the replacement leaves before the original came; its receipt ends the wait.
#[test]
fn an_advance_unit_leaves_first_and_the_original_ends_the_wait() {
    let phones = Phones::new(&[("PH1", "Snom", 5)]);
    let rma = phones.rma("PH1");
    let (state, sent) = phones.step(&[&rma, "advance_ship", "PH1", "--say", "serial=PH5", "--say", "tracking=1Z1"]);
    assert_eq!(state, "advance_shipped");
    let due = sent["verdict"]["due"].as_array().unwrap();
    let back = json!(phones.today + chrono::Days::new(30));
    assert!(due.iter().any(|d| d["what"] == "original_back" && d["by"] == back && d["rule"] == "A-24"), "{due:?}");
    phones.refused(&[&rma, "advance_ship", "PH1", "--say", "serial=PH6"], &["advance_shipped"]);
    let (mut daemon, mut page) = phones.dock.start();
    phones.dock.scan(&mut page, &rma).unwrap();
    assert_eq!(phones.dock.scan(&mut page, "PH1").unwrap(), "received");
    daemon.ask_to_stop();
    assert!(daemon.end().success());
    let moved = phones.journal().into_iter().rev().find(|e| e["event"]["kind"] == "unit_moved").unwrap();
    assert_eq!(moved["event"]["moved"]["step"], "receive");
    assert_eq!(moved["event"]["moved"]["from"], "advance_shipped");
    assert_eq!(moved["event"]["moved"]["facts"]["advance"]["serial"], "PH5");
    // A-52: within the first 30 days it is dead on arrival; the new unit's warranty starts anew.
    let again = phones.rma("PH5");
    let (mut daemon, mut page) = phones.dock.start();
    phones.dock.scan(&mut page, "DONE").unwrap();
    phones.dock.scan(&mut page, &again).unwrap();
    phones.dock.scan(&mut page, "PH5").unwrap();
    daemon.ask_to_stop();
    assert!(daemon.end().success());
    let receipt = phones.journal().into_iter().rev().find(|e| e["event"]["kind"] == "received").unwrap();
    let verdict = &receipt["event"]["receipt"]["verdict"];
    assert_eq!(verdict["warranty_until"], json!(backdock::domain::date::add_months(phones.today, 36)));
    phones.verify();
}

/// D-02, D-03, C-12, E-19, E-23, B-03: a number is given out behind its interlock; a request waits for it.
#[test]
fn numbers_are_given_out_behind_an_interlock() {
    let phones = Phones::new(&[]);
    let new = |more: &[&str]| phones.dock.cli(&[&["rma", "new", "--json"], more].concat());
    let said = |done: &Output| String::from_utf8_lossy(&done.stderr).into_owned();
    for (program, facts, why) in [
        ("server-technology", vec!["--ticket", "T-1"], "D-02"),
        ("unex", vec!["--fact", "rma.support_request=true"], "C-12"),
        ("security-dvr", vec!["--ticket", "T-1"], "B-03"),
        ("smartwitness", vec!["--serial", "CAM1", "--fact", "answers.problem=no picture"], "E-19"),
        ("smartwitness", vec!["--fact", "account=A1", "--fact", "answers.problem=no picture"], "E-23"),
        ("smartwitness", vec!["--serial", "CAM1", "--fact", "account=A1"], "E-22"),
    ] {
        let done = new(&[&["--program", program], &facts[..]].concat());
        assert_eq!(done.status.code(), Some(1), "{program} {why}: {done:?}");
        assert!(said(&done).contains(why) && said(&done).contains("--request"), "{program} {why}: {}", said(&done));
    }
    let full = ["--program", "smartwitness", "--channel", "reseller", "--serial", "CAM1", "--fact", "account=A1"];
    assert!(new(&[&full[..], &["--fact", "answers.problem=no picture"]].concat()).status.success());

    // D-02: asked for, turned into an RMA once support has looked.
    let done = new(&["--program", "server-technology", "--ticket", "T-1", "--request"]);
    let asked: Value = serde_json::from_slice(&done.stdout).unwrap();
    let request = asked["issued"][0].as_str().unwrap().to_owned();
    assert!(request.starts_with('Q'), "{request}");
    phones.refused(&[&request, "authorise"], &["D-02"]);
    phones.refused(&[&request, "close"], &["is requested"]);
    let noted = phones.dock.file("note.json");
    fs::write(&noted, r#"{"facts": {"rma": {"diagnosed": true}}}"#).unwrap();
    phones.step(&[&request, "note", "--data", noted.to_str().unwrap()]);
    let (state, answer) = phones.step(&[&request, "authorise"]);
    let number = answer["rma"].as_str().unwrap();
    assert!(state == "open" && number.starts_with('R'), "{number} {request}");
    // Another request is another one, also from a process that knows nothing of the first.
    let done = new(&["--program", "server-technology", "--ticket", "T-2", "--request"]);
    let other: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_ne!(other["issued"][0], request);
    phones.refused(&[&request, "authorise"], &["no open request"]);
    phones.verify();
}

/// Issues an RMA of a program over these units and receives some of them; answers with the last outcome
/// and what the screen said.
fn partly(phones: &Phones, program: &[&str], announced: &[&str], received: &[&str]) -> (String, Value) {
    let mut words = vec!["rma", "new", "--json"];
    words.extend(program);
    announced.iter().for_each(|serial| words.extend(["--serial", serial]));
    let done = phones.dock.cli(&words);
    assert!(done.status.success(), "{done:?}");
    let issued: Value = serde_json::from_slice(&done.stdout).unwrap();
    let (mut daemon, mut page) = phones.dock.start();
    phones.dock.scan(&mut page, issued["issued"][0].as_str().unwrap()).unwrap();
    for serial in received {
        phones.dock.scan(&mut page, serial).unwrap();
    }
    let outcome = phones.dock.scan(&mut page, "DONE").unwrap();
    daemon.ask_to_stop();
    assert!(daemon.end().success());
    let last = phones.journal().into_iter().rev().find(|e| e["event"]["kind"] == "scanned").unwrap();
    (outcome, last["event"]["screen"].clone())
}

const SERVER: [&str; 6] = ["--program", "server-technology", "--ticket", "T-1", "--fact", "rma.diagnosed=true"];
const CAMERAS: [&str; 8] =
    ["--program", "smartwitness", "--channel", "reseller", "--fact", "account=A1", "--fact", "answers.problem=dark"];

#[test]
fn d_29_complete_only_when_all_expected_units_are_scanned() {
    let phones = Phones::new(&[("PDU1", "Sentry", 40), ("PDU2", "Sentry", 40), ("PDU3", "Sentry", 40)]);
    let (outcome, screen) = partly(&phones, &SERVER, &["PDU1", "PDU2", "PDU3"], &["PDU1", "PDU3"]);
    assert_eq!((outcome.as_str(), &screen["word"]), ("box_done", &json!("PARTIAL")));
    assert!(screen["why"].to_string().contains("2 of 3 received") && screen["why"].to_string().contains("PDU2"));
    // The rest in another box, another day: the same RMA is complete then.
    let (outcome, screen) = {
        let rmas = phones.dock.cli(&["rma", "list", "--json"]);
        let rmas: Value = serde_json::from_slice(&rmas.stdout).unwrap();
        let number = rmas[0]["number"].as_str().unwrap().to_owned();
        let (mut daemon, mut page) = phones.dock.start();
        phones.dock.scan(&mut page, &number).unwrap();
        phones.dock.scan(&mut page, "PDU2").unwrap();
        let outcome = phones.dock.scan(&mut page, "DONE").unwrap();
        daemon.ask_to_stop();
        assert!(daemon.end().success());
        let last = phones.journal().into_iter().rev().find(|e| e["event"]["kind"] == "scanned").unwrap();
        (outcome, last["event"]["screen"].clone())
    };
    assert_eq!((outcome.as_str(), screen["word"] == "PARTIAL"), ("box_done", false), "{screen}");
    phones.verify();
}

#[test]
fn e_05_a_short_shipment_names_what_is_missing() {
    let phones = Phones::new(&[("CAM1", "SmartWitness", 100), ("CAM2", "SmartWitness", 100)]);
    let (_, screen) = partly(&phones, &CAMERAS, &["CAM1", "CAM2"], &["CAM2"]);
    assert_eq!(screen["word"], "PARTIAL");
    assert!(screen["why"].to_string().contains("CAM1"), "{screen}");
    phones.verify();
}
