//! The work lists and the freight ledger, through the real binary on a real data directory: each list shows
//! the case, and no longer shows it after the step that resolves it.

mod support;

use backdock::flow::lists::{COMMON, List};
use chrono::{Days, NaiveDate};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::process::Output;
use std::time::Duration;
use support::dock::{Daemon, Dock};
use support::page::Page;

/// A station with shipments and nothing else, its daemon running.
struct Site {
    dock: Dock,
    page: Page,
    // Kept to its end, and killed with it.
    _daemon: Daemon,
}

fn today() -> NaiveDate {
    chrono::Utc::now().with_timezone(&chrono_tz::America::Chicago).date_naive()
}

fn ago(days: u64) -> NaiveDate {
    today() - Days::new(days)
}

/// A serial with the brand, the days since it was shipped, and where it was bought.
type Shipped<'a> = (&'a str, &'a str, u64, &'a str);

fn text(done: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr))
}

impl Site {
    fn new(shipped: &[Shipped]) -> Site {
        let dock = Dock::bare(0, Duration::ZERO);
        let mut csv = String::from("serial,mac,brand,model,ship_date,order,customer,channel,distributor\n");
        for (n, (serial, brand, days, from)) in shipped.iter().enumerate() {
            // The maker's own addresses, or of no maker that the dock knows.
            let maker = if *brand == "Yealink" { "001565" } else { "00AA01" };
            let _ = writeln!(csv, "{serial},{maker}{n:06X},{brand},T46U,{},SO-1,Acme,,{from}", ago(*days));
        }
        std::fs::write(dock.file("s.csv"), csv).unwrap();
        let done = dock.cli(&["shipments", "import", dock.file("s.csv").to_str().unwrap()]);
        assert!(done.status.success(), "{}", text(&done));
        let (daemon, page) = dock.start();
        Site { dock, page, _daemon: daemon }
    }

    fn run(&self, args: &[&str]) -> (i32, String) {
        let done = self.dock.cli(args);
        (done.status.code().unwrap(), text(&done))
    }

    /// RMAs as JSON lines.
    fn import(&self, rows: &[Value]) {
        let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
        std::fs::write(self.dock.file("r.json"), lines.join("\n")).unwrap();
        let done = self.run(&["rma", "import", self.dock.file("r.json").to_str().unwrap()]);
        assert_eq!(done.0, 0, "{}", done.1);
    }

    /// A box with these units, scanned in; with the outcome of each unit.
    fn receive(&mut self, rma: &str, units: &[&str]) -> Vec<String> {
        let mut outcomes = Vec::new();
        for payload in [&[rma], units, &["DONE"]].concat() {
            outcomes.push(self.dock.scan(&mut self.page, payload).unwrap());
        }
        outcomes[1..outcomes.len() - 1].to_vec()
    }

    fn act(&self, rma: &str, step: &str, unit: &str, say: &[&str]) {
        let mut args = vec!["rma", "act", rma, step, unit, "--by", "anna"];
        say.iter().for_each(|s| args.extend(["--say", s]));
        let done = self.run(&args);
        assert_eq!(done.0, 0, "{rma} {step} {unit} {say:?}: {}", done.1);
    }

    /// Facts of a unit, or of the whole RMA where no unit is named.
    fn note(&self, rma: &str, unit: Option<&str>, facts: Value) {
        std::fs::write(self.dock.file("n.json"), json!({"facts": facts}).to_string()).unwrap();
        let file = self.dock.file("n.json");
        let mut args = vec!["rma", "act", rma, "note"];
        args.extend(unit);
        args.extend(["--by", "anna", "--data", file.to_str().unwrap()]);
        let done = self.run(&args);
        assert_eq!(done.0, 0, "{rma} {unit:?}: {}", done.1);
    }

    /// A list with its exit code.
    fn list(&self, kind: &str) -> (i32, Vec<Value>) {
        let (code, out) = self.run(&["list", kind, "--json"]);
        let rows: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{kind}: {e}: {out}"));
        (code, rows.as_array().cloned().unwrap())
    }

    /// The lines of a unit.
    fn of(&self, kind: &str, unit: &str) -> Vec<Value> {
        self.list(kind).1.into_iter().filter(|row| row["unit"] == unit).collect()
    }

    /// Runs a next step as it is written on a list, with what a person would fill in.
    fn follow(&self, next: &Value, filled: &[(&str, &str)]) {
        let next = next.as_str().unwrap().split("   (").next().unwrap().to_owned();
        let mut next = next.replace("WHO", "anna");
        for (blank, value) in filled {
            next = next.replace(blank, value);
        }
        let binary = format!("{} --config {}", support::dock::BINARY, self.dock.config.display());
        let done = std::process::Command::new("sh")
            .args(["-c", &next.replace("backdock ", &format!("{binary} "))])
            .output()
            .unwrap();
        assert!(done.status.success(), "{next}: {}", text(&done));
    }
}

fn rma(number: &str, program: &str, serial: &str, more: Value) -> Value {
    let mut row = json!({"number": number, "program": program, "ticket": "T-1", "customer": "Acme", "serial": serial});
    row.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    row
}

fn voip(number: &str, serial: &str) -> Value {
    let more =
        json!({"channel": "direct", "issued": ago(1), "reported": ago(1), "diagnosed": "yes", "qualified": "yes"});
    rma(number, "voip-reseller", serial, more)
}

#[test]
fn a_station_where_nothing_happened_has_empty_lists() {
    let site = Site::new(&[]);
    for (kind, list) in List::ALL {
        assert_eq!(site.list(kind), (0, vec![]), "{kind}");
        let (code, csv) = site.run(&["list", kind, "--csv"]);
        assert_eq!((code, csv.trim_end()), (0, [&COMMON, list.columns()].concat().join(",").as_str()));
        assert_eq!(site.run(&["list", kind]).0, 0);
    }
    assert_eq!(site.run(&["list", "stale_tags"]).0, 0, "either spelling");
    let (code, out) = site.run(&["list", "hold"]);
    assert!(code == 2 && out.contains("unauthorised"), "{out}");
    let (code, out) = site.run(&["list", "holds", "--program", "nobody"]);
    assert!(code == 2 && out.contains("voip-reseller"), "{out}");
    assert_eq!(site.run(&["list", "holds", "--json", "--csv"]).0, 2);
    assert_eq!(site.run(&["freight", "list", "--json"]), (0, "[]\n".to_owned()));
}

#[test]
fn what_holds_a_unit_is_listed_until_the_step_that_the_line_names() {
    let mut site = Site::new(&[("PH1", "Yealink", 10, "Jenne"), ("PH2", "Yealink", 100, "")]);
    let undiagnosed = json!({"channel": "direct", "issued": ago(1), "reported": ago(1)});
    site.import(&[voip("RMA1001", "PH1"), rma("RMA1002", "voip-reseller", "PH2", undiagnosed)]);
    site.receive("RMA1001", &["PH1"]);
    site.receive("RMA1002", &["PH2"]);
    let hold = |site: &Site, unit: &str, code: &str| site.of("holds", unit).into_iter().find(|row| row["code"] == code);
    assert_eq!(site.list("holds").0, 3);

    let held = hold(&site, "PH2", "not_diagnosed").unwrap();
    assert_eq!(
        (&held["rule"], &held["released_by"], &held["customer"]),
        (&json!("A-01"), &json!("support"), &json!("Acme"))
    );
    assert!(held["blocks"].as_str().unwrap().contains("bench"));
    assert_eq!((&held["since"], &held["age_days"]), (&json!(today()), &json!(0)));
    let day = today().to_string();
    site.follow(&held["next"], &[("DATE", &day)]);
    assert_eq!(hold(&site, "PH2", "not_diagnosed"), None);
    // What is said of the whole RMA is known of its units at once.
    assert_eq!(hold(&site, "PH2", "none"), None);
    site.follow(&hold(&site, "PH2", "distributor_unknown").unwrap()["next"], &[("NAME", "Jenne")]);
    assert_eq!(hold(&site, "PH2", "distributor_unknown"), None);
    site.act("RMA1002", "diagnose", "PH2", &[]);
    site.follow(&hold(&site, "PH2", "confirm_onsite").unwrap()["next"], &[("OUTCOME", "repair")]);
    assert_eq!(hold(&site, "PH2", "confirm_onsite"), None);
    site.act("RMA1002", "vendor_request", "PH2", &[]);
    site.follow(&hold(&site, "PH2", "vendor_rma_missing").unwrap()["next"], &[("NUMBER", "V-1")]);
    assert_eq!(hold(&site, "PH2", "vendor_rma_missing"), None);

    // Open questions that stop a move, and a hold that only a person lifts.
    site.follow(&hold(&site, "PH1", "packaging").unwrap()["next"], &[("ANSWER", "equivalent")]);
    assert_eq!(hold(&site, "PH1", "packaging"), None);
    let decision = hold(&site, "PH1", "packaging_decision").unwrap();
    assert_eq!((&decision["rule"], &decision["released_by"]), (&json!("A-17"), &json!("management")));
    site.follow(&decision["next"], &[("WHY", "ok")]);
    assert_eq!(hold(&site, "PH1", "packaging_decision"), None);
    site.follow(&hold(&site, "PH1", "why_not_on_site").unwrap()["next"], &[("ANSWER", "noise")]);
    assert_eq!(hold(&site, "PH1", "why_not_on_site"), None);

    let only = |id: &str| site.run(&["list", "holds", "--json", "--program", id]);
    assert_eq!((only("unex"), only("voip-reseller").0), ((0, "[]\n".to_owned()), 3));
}

#[test]
fn what_the_dock_set_aside_is_listed_with_its_reason() {
    let mut site = Site::new(&[("PH1", "Yealink", 10, "Jenne")]);
    site.import(&[voip("RMA1001", "PH1"), voip("RMA1002", "GHOST1")]);
    assert_eq!(site.receive("RMA1002", &["GHOST1"]), ["unit_unknown"]);
    let rows = site.of("holds", "GHOST1");
    let dock = rows.iter().find(|row| row["code"] == "unit_unknown").unwrap();
    assert_eq!((&dock["blocks"], &dock["released_by"]), (&json!("bench"), &json!("rma_clerk")));
    // Another step does not make it forgotten; a person's word lifts it.
    site.note("RMA1002", Some("GHOST1"), json!({"packaging": "original"}));
    assert!(site.of("holds", "GHOST1").iter().any(|row| row["code"] == "unit_unknown"));
    site.follow(&dock["next"], &[("WHY", "alien")]);
    assert!(site.of("holds", "GHOST1").iter().all(|row| row["code"] != "unit_unknown"));
}

#[test]
fn deadlines_that_passed_and_rmas_that_came_in_part_are_late() {
    let mut site =
        Site::new(&[("SV1", "ST", 100, ""), ("SV2", "ST", 100, ""), ("SV3", "ST", 100, ""), ("DV1", "DV", 100, "")]);
    let server = |serial: &str| {
        let more = json!({"channel": "direct", "issued": ago(25), "reported": ago(25), "support_request": "yes", "diagnosed": "yes", "proof_of_purchase": "yes"});
        rma("RMA2001", "server-technology", serial, more)
    };
    let silent = json!({"channel": "reseller", "issued": ago(20), "account": "A1"});
    site.import(&[server("SV1"), server("SV2"), server("SV3"), rma("RMA2002", "smartwitness", "SW1", silent)]);
    site.receive("RMA2001", &["SV1", "SV2"]);

    let rows = site.list("late").1;
    let partial = rows.iter().find(|row| row["rma"] == "RMA2001").unwrap();
    assert_eq!((&partial["rule"], &partial["missing"]), (&json!("D-29"), &json!("SV3")));
    assert!(partial["what"].as_str().unwrap().contains("2 of 3"), "{partial}");
    let overdue = rows.iter().find(|row| row["rma"] == "RMA2002").unwrap();
    assert_eq!(
        (&overdue["rule"], &overdue["due"], &overdue["since"]),
        (&json!("E-01"), &json!(ago(6)), &json!(ago(6)))
    );
    // Oldest first.
    assert_eq!(rows[0]["rma"], "RMA2002");
    let cancel = partial["next"].as_str().unwrap().split_once("if it will not: ").unwrap().1;
    site.follow(&json!(cancel), &[("WHY", "lost")]);
    let cancel = overdue["next"].as_str().unwrap().split_once("if it will not come: ").unwrap().1;
    site.follow(&json!(cancel), &[]);
    assert_eq!(site.list("late"), (0, vec![]));

    // Ten business days from the receipt.
    site.note("RMA2001", Some("SV1"), json!({"received": ago(18), "warranty_until": today()}));
    let late = site.of("late", "SV1");
    assert_eq!((late.len(), &late[0]["rule"]), (1, &json!("D-20")), "{late:?}");
    assert!(late[0]["age_days"].as_i64().unwrap() >= 1 && late[0]["next"].as_str().unwrap().contains("SV1"));
    for (step, say) in
        [("diagnose", ""), ("find", "outcome=repair"), ("repair", ""), ("burn_in", ""), ("qc", ""), ("ready", "")]
    {
        let say = [say];
        site.act("RMA2001", step, "SV1", if say[0].is_empty() { &[] } else { &say });
    }
    assert_eq!(site.list("late"), (0, vec![]));
}

#[test]
fn an_advance_unit_is_listed_until_its_original_or_itself_is_back() {
    let mut site =
        Site::new(&[("PH1", "Yealink", 10, "Jenne"), ("PH2", "Yealink", 10, "Jenne"), ("PH3", "Yealink", 60, "Jenne")]);
    let mut rows = [voip("RMA1001", "PH1"), voip("RMA1002", "PH2"), voip("RMA1003", "PH3")];
    rows.iter_mut().for_each(|row| row["class"] = json!("advance"));
    rows[2]["issued"] = json!(ago(45));
    rows[2]["reported"] = json!(ago(45));
    site.import(&rows);
    for (rma, unit, new) in
        [("RMA1001", "PH1", "serial=NEW1"), ("RMA1002", "PH2", "serial=NEW2"), ("RMA1003", "PH3", "serial=NEW3")]
    {
        site.act(rma, "advance_ship", unit, &[new]);
    }
    let (code, rows) = site.list("advances");
    assert_eq!((code, rows.len()), (3, 3));
    assert_eq!((&rows[0]["advance"], &rows[0]["day"], &rows[0]["of"]), (&json!("NEW1"), &json!(0), &json!(30)));
    assert_eq!((&rows[0]["rule"], &rows[0]["billed"]), (&json!("A-24"), &json!("not billed")));
    site.receive("RMA1001", &["PH1"]);
    assert_eq!(site.of("advances", "PH1"), Vec::<Value>::new());
    let back = site.of("advances", "PH2")[0]["next"].as_str().unwrap().split_once("instead: ").unwrap().1.to_owned();
    site.follow(&json!(back), &[]);
    assert_eq!(site.of("advances", "PH2"), Vec::<Value>::new());
    // Past day 30. The shipped program names no price: nothing is charged, and a person may let it go.
    site.note("RMA1003", Some("PH3"), json!({"advance": {"shipped": ago(40)}}));
    let over = &site.of("advances", "PH3")[0];
    assert_eq!((&over["day"], &over["since"]), (&json!(40), &json!(ago(40))));
    assert!(over["next"].as_str().unwrap().contains("hold=advance_price_not_set"), "{over}");
}

#[test]
fn a_quotation_is_listed_until_it_is_approved() {
    let mut site = Site::new(&[("UX1", "Unex", 2000, ""), ("UX2", "Unex", 2000, "")]);
    let claim = |number: &str, serial: &str| {
        let more = json!({"channel": "direct", "issued": ago(2), "reported": ago(2), "diagnosed": "yes", "support_request": "yes", "consent": "yes"});
        rma(number, "unex", serial, more)
    };
    site.import(&[claim("RMA3001", "UX1"), claim("RMA3002", "UX2")]);
    assert_eq!(site.receive("RMA3001", &["00AA01000000"]), ["held"]);
    site.receive("RMA3002", &["00AA01000001"]);
    assert_eq!(site.list("quotes"), (0, vec![]));
    site.act("RMA3001", "quote", "UX1", &["amount=120.50"]);
    site.note("RMA3002", None, json!({"rma": {"quote_issued": ago(31)}}));
    let (code, rows) = site.list("quotes");
    assert_eq!((code, rows.len()), (3, 2), "{rows:?}");
    assert_eq!(
        (&rows[0]["unit"], &rows[0]["expired"], &rows[0]["valid_until"]),
        (&json!("UX2"), &json!(true), &json!(ago(1)))
    );
    assert_eq!(
        (&rows[1]["unit"], &rows[1]["amount"], &rows[1]["rule"]),
        (&json!("UX1"), &json!("120.50"), &json!("C-25"))
    );
    assert_eq!((&rows[1]["expired"], &rows[1]["valid_until"]), (&json!(false), &json!(today() + Days::new(30))));
    site.follow(&rows[1]["next"], &[]);
    site.follow(&rows[0]["next"], &[("AMOUNT", "99.00")]);
    let rows = site.list("quotes").1;
    assert_eq!((rows.len(), &rows[0]["unit"], &rows[0]["expired"]), (1, &json!("UX2"), &json!(false)));
    site.follow(&rows[0]["next"], &[]);
    assert_eq!(site.list("quotes"), (0, vec![]));
}

fn witness(number: &str, serial: &str) -> Value {
    let more = json!({"channel": "reseller", "issued": ago(1), "reported": ago(1), "account": "A1", "support_request": "yes", "diagnosed": "yes", "customer": "Fleet"});
    rma(number, "smartwitness", serial, more)
}

#[test]
fn refused_goods_are_listed_until_they_are_sent_back() {
    let mut site = Site::new(&[("SW1", "SmartWitness", 10, ""), ("SW2", "SmartWitness", 10, "")]);
    site.import(&[witness("RMA4001", "SW1"), witness("RMA4002", "SW2")]);
    // Turned away at the door: the RMA is closed. Three scans are one box.
    assert_eq!(site.run(&["rma", "act", "RMA4001", "close", "--by", "anna"]).0, 0);
    site.dock.scan(&mut site.page, "1Z999AA10123456784").unwrap();
    for _ in 0..3 {
        assert_eq!(site.dock.scan(&mut site.page, "RMA4001").unwrap(), "rma_closed");
    }
    let (code, rows) = site.list("refused");
    assert_eq!((code, rows.len()), (3, 1), "{rows:?}");
    assert_eq!((&rows[0]["rma"], &rows[0]["unit"], &rows[0]["rule"]), (&json!("RMA4001"), &json!(""), &json!("E-16")));
    assert_eq!((&rows[0]["tracking"], &rows[0]["mark"]), (&json!("1Z999AA10123456784"), &json!("today")));
    assert!(rows[0]["at"].as_str().unwrap().starts_with(&today().to_string()));
    assert!(rows[0]["what"].as_str().unwrap().contains("3 times"), "{}", rows[0]);
    let reopen = rows[0]["next"].as_str().unwrap().split_once("or ").unwrap().1.split(',').next().unwrap().to_owned();
    site.follow(&json!(reopen), &[]);
    site.receive("RMA4001", &["SW1"]);
    assert_eq!(site.list("refused"), (0, vec![]));

    site.receive("RMA4002", &["SW2"]);
    site.act("RMA4002", "refuse", "SW2", &["why=soaked in water"]);
    let row = site.of("refused", "SW2").remove(0);
    assert!(row["what"].as_str().unwrap().contains("soaked"), "{row}");
    // Whatever stands in the way of sending it back is named, one after the other.
    for _ in 0..3 {
        for row in site.of("refused", "SW2") {
            site.follow(&row["next"], &[("TRACKING", "1Z1"), ("OUTCOME", "working")]);
        }
    }
    assert_eq!(site.list("refused"), (0, vec![]));
}

#[test]
fn a_unit_that_was_not_announced_is_listed_until_somebody_decides() {
    let mut site =
        Site::new(&[("SW1", "SmartWitness", 10, ""), ("SW2", "SmartWitness", 10, ""), ("SW3", "SmartWitness", 10, "")]);
    site.import(&[witness("RMA4001", "SW1"), witness("RMA4002", "SW2")]);
    assert_eq!(site.receive("RMA4001", &["SW2", "SW3"]), ["unit_not_on_rma", "unit_not_on_rma"]);
    let (code, rows) = site.list("unauthorised");
    assert_eq!((code, rows.len()), (3, 2), "{rows:?}");
    assert_eq!((&rows[0]["rule"], &rows[0]["announced_on"]), (&json!("E-06"), &json!("RMA4002")));
    let refuse = rows[0]["next"].as_str().unwrap().split(", then").next().unwrap().to_owned();
    site.follow(&json!(refuse), &[("WHY", "extra")]);
    // It belongs to the RMA after all.
    site.import(&[witness("RMA4001", "SW1"), witness("RMA4001", "SW3")]);
    assert_eq!(site.list("unauthorised"), (0, vec![]));
    assert_eq!(site.of("refused", "SW2").len(), 1);
}

#[test]
fn units_at_vendors_are_listed_by_vendor() {
    let mut site = Site::new(&[
        ("PH1", "Yealink", 100, "Jenne"),
        ("PH2", "Yealink", 100, "Alloy"),
        ("PH3", "Yealink", 100, "Jenne"),
    ]);
    let mut rows = [voip("RMA1001", "PH1"), voip("RMA1002", "PH2"), voip("RMA1003", "PH3")];
    rows.iter_mut().for_each(|row| row["channel"] = json!("reseller"));
    site.import(&rows);
    for (rma, unit) in [("RMA1001", "PH1"), ("RMA1002", "PH2"), ("RMA1003", "PH3")] {
        site.receive(rma, &[unit]);
        site.act(rma, "vendor_request", unit, &[]);
    }
    let rows = site.list("vendor").1;
    let named: Vec<(&str, &str)> =
        rows.iter().map(|r| (r["vendor"].as_str().unwrap(), r["unit"].as_str().unwrap())).collect();
    assert_eq!(named, [("Alloy", "PH2"), ("Jenne", "PH1"), ("Jenne", "PH3")]);
    assert_eq!(rows[0]["rule"], "A-60");
    for row in &rows {
        site.follow(&row["next"], &[("NUMBER", "V-77")]);
    }
    let rows = site.list("vendor").1;
    assert!(
        rows.iter().all(|r| r["number"] == "V-77" && r["what"].as_str().unwrap().contains("not shipped")),
        "{rows:?}"
    );
    for row in &rows {
        site.follow(&row["next"], &[]);
    }
    // On its way there for less than 30 days: on the list, but nobody has to do anything.
    let (code, rows) = site.list("vendor");
    assert_eq!((code, rows.len()), (0, 3));
    let ways = rows[0]["next"].as_str().unwrap().split_once(": ").unwrap().1.split_once(" or ").unwrap();
    site.follow(&json!(ways.0), &[("AMOUNT", "80.00")]);
    assert_eq!(site.of("vendor", "PH2"), Vec::<Value>::new());
    let ways = rows[1]["next"].as_str().unwrap().split_once(" or ").unwrap().1;
    site.follow(&json!(ways), &[("SERIAL", "NEW1")]);
    let untested = site.of("vendor", "PH1").remove(0);
    site.follow(&untested["next"], &[]);
    assert_eq!(site.of("vendor", "PH1"), Vec::<Value>::new());
}

#[test]
fn a_call_tag_without_a_parcel_is_stale_after_15_days() {
    let mut site =
        Site::new(&[("PH1", "Yealink", 30, "Jenne"), ("PH2", "Yealink", 30, "Jenne"), ("DV1", "DV", 30, "")]);
    let mut rows = [voip("RMA1001", "PH1"), voip("RMA1002", "PH2")];
    for (row, days) in rows.iter_mut().zip([15, 14]) {
        row["issued"] = json!(ago(days));
        row["reported"] = json!(ago(days));
    }
    let tag = json!({"channel": "direct", "issued": ago(20), "reason": "arrived_damaged"});
    site.import(&[rows[0].clone(), rows[1].clone(), rma("RMA5001", "security-dvr", "DV1", tag)]);
    let (code, rows) = site.list("stale-tags");
    assert_eq!(code, 3);
    let of: Vec<(&str, &str)> =
        rows.iter().map(|r| (r["rma"].as_str().unwrap(), r["rule"].as_str().unwrap())).collect();
    assert_eq!(of, [("RMA5001", "B-35"), ("RMA1001", "A-21")]);
    site.receive("RMA1001", &["PH1"]);
    let cancel = rows[0]["next"].as_str().unwrap().split_once("tag and ").unwrap().1;
    site.follow(&json!(cancel), &[]);
    assert_eq!(site.list("stale-tags"), (0, vec![]));
}

#[test]
fn charges_are_announced_until_they_are_posted() {
    let mut site = Site::new(&[("PH1", "Yealink", 100, "Jenne")]);
    site.import(&[voip("RMA1001", "PH1")]);
    site.receive("RMA1001", &["PH1"]);
    let (code, rows) = site.list("charges");
    assert_eq!((code, rows.len()), (3, 1));
    assert_eq!(
        (&rows[0]["status"], &rows[0]["amount"], &rows[0]["currency"]),
        (&json!("announced"), &json!("45.00"), &json!("USD"))
    );
    assert_eq!(
        (&rows[0]["kind"], &rows[0]["party"], &rows[0]["rule"]),
        (&json!("deductible"), &json!("customer"), &json!("A-37"))
    );
    assert!(site.run(&["list", "charges"]).1.contains("sum USD: 0.00 posted, 45.00 announced, 45.00 together"));
    for (step, say) in [("diagnose", vec![]), ("find", vec!["outcome=repair"]), ("repair", vec![]), ("ready", vec![])] {
        site.act("RMA1001", step, "PH1", &say);
    }
    let (code, rows) = site.list("charges");
    assert_eq!((code, rows.len()), (0, 1), "{rows:?}");
    assert_eq!(
        (&rows[0]["status"], &rows[0]["by"], &rows[0]["since"]),
        (&json!("posted"), &json!("anna"), &json!(today()))
    );
    assert!(rows[0]["evidence"].as_str().unwrap().contains("day 99"), "{}", rows[0]);
    assert!(site.run(&["list", "charges"]).1.contains("sum USD: 45.00 posted, 0.00 announced, 45.00 together"));
}

#[test]
fn hostile_names_stay_text() {
    let mut site = Site::new(&[("PH1", "Yealink", 10, "=1+1")]);
    let names = [
        "=HYPERLINK(\"http://x\",\"y\")",
        "<script>alert(\"1\")</script>",
        "@SUM(A1), \"quoted\"",
        "'; DROP TABLE rma;--",
    ];
    for (n, name) in names.iter().enumerate() {
        let mut row = voip(&format!("RMA100{n}"), &format!("GH{n}"));
        row["customer"] = json!(name);
        site.import(&[row]);
        site.receive(&format!("RMA100{n}"), &[&format!("GH{n}")]);
    }
    let rows = site.list("holds").1;
    let csv = site.run(&["list", "holds", "--csv"]).1;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let column = reader.headers().unwrap().iter().position(|h| h == "customer").unwrap();
    let records: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
    assert_eq!(records.len(), rows.len());
    for name in names {
        assert!(rows.iter().any(|row| row["customer"] == name), "{name}");
        let cell = if name.starts_with(['=', '@']) { format!("'{name}") } else { name.to_owned() };
        assert!(records.iter().any(|r| r[column] == *cell), "{name}: {csv}");
    }
    assert!(records.iter().flatten().all(|cell| !cell.starts_with(['=', '+', '@'])), "{csv}");
    // Two lines would forge a second one on every list.
    let mut forged = voip("RMA1009", "GH9");
    forged["customer"] = json!("Acme\nRMA1001 paid");
    std::fs::write(site.dock.file("f.json"), forged.to_string()).unwrap();
    let (code, out) = site.run(&["rma", "import", site.dock.file("f.json").to_str().unwrap()]);
    assert!(code == 1 && out.contains("line 1") && out.contains("one line"), "{out}");
    let (code, out) = site.run(&["rma", "new", "--customer", "Acme\nRMA1001 paid"]);
    assert!(code == 1 && out.contains("one line"), "{out}");
    assert_eq!(site.run(&["rma", "show", "RMA1009"]).0, 1);
}

#[test]
fn an_invoice_is_held_against_the_legs_that_took_place() {
    let old = |serial| (serial, "Yealink", 100, "Jenne");
    let young = ("PH5", "Yealink", 10, "Jenne");
    let mut site = Site::new(&[old("PH1"), old("PH2"), old("PH3"), old("PH4"), young, ("SW1", "SmartWitness", 10, "")]);
    let mut rows: Vec<Value> = (1..=5).map(|n| voip(&format!("RMA100{n}"), &format!("PH{n}"))).collect();
    rows.push(witness("RMA4001", "SW1"));
    site.import(&rows);
    for n in 1..=4 {
        let (rma, unit, tracking) = (format!("RMA100{n}"), format!("PH{n}"), format!("tracking=1Z 00{n}"));
        site.receive(&rma, &[&unit]);
        for (step, say) in
            [("diagnose", ""), ("find", "outcome=repair"), ("repair", ""), ("ready", ""), ("ship", &*tracking)]
        {
            site.act(&rma, step, &unit, if say.is_empty() { &[] } else { std::slice::from_ref(&say) });
        }
    }
    site.act("RMA1005", "advance_ship", "PH5", &["serial=NEW5", "tracking=1Z006"]);
    site.receive("RMA4001", &["SW1"]);
    for (step, say) in [
        ("diagnose", &[][..]),
        ("find", &["outcome=working"]),
        ("ready", &[]),
        ("ship", &["tracking=1Z005", "cost=9.90"]),
    ] {
        site.act("RMA4001", step, "SW1", say);
    }
    let (code, ledger) = site.run(&["freight", "list", "--json"]);
    let ledger: Vec<Value> = serde_json::from_str(&ledger).unwrap();
    // Five units came in, five went out, one advance unit did.
    assert_eq!((code, ledger.len()), (0, 11));
    let leg =
        |tracking: &str| ledger.iter().find(|l| l["tracking"] == tracking).unwrap_or_else(|| panic!("{tracking}"));
    assert_eq!((&leg("1Z005")["leg"], &leg("1Z005")["payer"]), (&json!("outbound"), &json!("partner")));
    assert_eq!((&leg("1Z005")["rule"], &leg("1Z005")["cost"]), (&json!("E-31"), &json!("9.90")));
    assert_eq!(
        (&leg("1Z001")["payer"], &leg("1Z001")["service"], &leg("1Z001")["rule"]),
        (&json!("us"), &json!("ground"), &json!("A-36"))
    );
    assert_eq!((&leg("1Z006")["leg"], &leg("1Z006")["payer"]), (&json!("advance"), &Value::Null));
    let inbound = ledger.iter().find(|l| l["leg"] == "inbound" && l["unit"] == "SW1").unwrap();
    assert_eq!(
        (&inbound["payer"], &inbound["rule"], &inbound["tracking"]),
        (&json!("partner"), &json!("E-03"), &Value::Null)
    );
    let (code, csv) = site.run(&["freight", "list", "--csv"]);
    assert!(code == 0 && csv.starts_with("date,rma,unit,leg,tracking,payer,service,rule,cost\n"), "{csv}");

    let reconcile = |invoice: &str, form: &[&str]| {
        let file = site.dock.file("i.csv");
        std::fs::write(&file, invoice).unwrap();
        site.run(&[&["freight", "reconcile", file.to_str().unwrap()], form].concat())
    };
    let header = "Tracking No;Net Amount;Service Type;Bill To\n";
    let right =
        format!("{header}1Z001;12.50;UPS Ground;\n1Z002;0.10;ground;shipper\n1Z003;0.20;ground;\n1Z004;7.00;ground;\n");
    let (code, out) = reconcile(&right, &[]);
    assert!(code == 0 && out.contains("right") && out.contains("19.80"), "{out}");

    let invoice = format!(
        "{header}1Z001;12.50;UPS Ground;\n1Z002;1,000.10;Next Day Air;\n1Z004;7.00;ground;customer\n1z-005;8.00;;\n1Z006;5.00;;\n1Z999;3.00;=cmd;\n1Z001;12.50;;\nnot a number!;1.00;;\n1Z003;\"1,50\";;\n"
    );
    let (code, out) = reconcile(&invoice, &["--json"]);
    assert_eq!(code, 3);
    let (out, told): (Vec<&str>, Vec<&str>) = out.lines().partition(|line| line.starts_with('{'));
    assert!(told.len() == 2 && told[0].contains("line 9") && told[1].contains("line 10"), "{told:?}");
    let out: Value = serde_json::from_str(out[0]).unwrap();
    let found: Vec<(&str, &str)> = out["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| (f["tracking"].as_str().unwrap(), f["finding"].as_str().unwrap()))
        .collect();
    let want = [
        ("1Z001", "right"),
        ("1Z002", "service_differs"),
        ("1Z004", "billed_to_other"),
        ("1Z005", "not_ours"),
        ("1Z006", "no_rule"),
        ("1Z999", "unknown_tracking"),
        ("1Z001", "billed_twice"),
        ("1Z003", "never_billed"),
    ];
    assert_eq!(found, want);
    assert_eq!(out["totals"]["service_differs"], json!({"count": 1, "amount": "1000.10"}));
    assert_eq!(out["totals"]["not_ours"]["amount"], "8.00");
    assert_eq!(out["rejected"].as_array().unwrap().len(), 2);
    assert_eq!(out["findings"][3]["rule"], "E-31");
    let (code, csv) = reconcile(&invoice, &["--csv"]);
    assert!(code == 3 && csv.contains("'=cmd") && csv.contains("1000.10"), "{csv}");

    // What is no invoice is refused.
    for (bad, why) in [("a,b\n1,2\n", "tracking"), ("tracking,amount\n,\n", "no row"), ("", "no row")] {
        let (code, out) = reconcile(bad, &[]);
        assert!(code == 1 && out.contains(why), "{bad}: {out}");
    }
    assert_eq!(site.run(&["freight", "reconcile", "/nowhere.csv"]).0, 1);
    // An invoice without rows lacks what we pay.
    let (code, out) = reconcile("tracking,amount\n", &["--since", &today().to_string()]);
    assert!(code == 3 && out.contains("never billed"), "{out}");
}
