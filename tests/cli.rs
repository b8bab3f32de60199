//! The command line as people and scripts use it: the real binary, its exit codes, what it prints.

use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

struct Done {
    code: i32,
    out: String,
    err: String,
}

fn backdock(dir: &Path, args: &[&str], stdin: &str) -> Done {
    let mut child = Command::new(env!("CARGO_BIN_EXE_backdock"))
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    Done {
        code: done.status.code().unwrap(),
        out: String::from_utf8(done.stdout).unwrap(),
        err: String::from_utf8(done.stderr).unwrap(),
    }
}

fn station(dir: &Path) {
    let text = format!(
        "[station]\nid = \"C1\"\ncode = \"C1\"\ntimezone = \"America/Chicago\"\ndata = {:?}\nsocket = {:?}\n\
         [[scanner]]\nname = \"gun\"\nkind = \"serial\"\nport = \"/dev/ttyACM0\"\n\
         [[printer]]\nname = \"zebra\"\nlink = \"tcp://192.0.2.7:9100\"\ndpi = 203\nstock = \"4x3\"\n",
        dir.join("data"),
        dir.join("s.sock"),
    );
    std::fs::write(dir.join("dock.toml"), text).unwrap();
}

fn verdict(facts: Value) -> (i32, Value) {
    let dir = tempfile::tempdir().unwrap();
    let done = backdock(dir.path(), &["verdict", "--program", "voip-reseller", "--json"], &facts.to_string());
    (done.code, serde_json::from_str(&done.out).unwrap_or(Value::Null))
}

#[test]
fn check_lists_every_problem_and_says_so_by_its_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    station(dir.path());
    let good = backdock(dir.path(), &["check", "--config", "dock.toml"], "");
    assert_eq!((good.code, good.err.as_str()), (0, ""), "{}", good.out);
    assert!(good.out.contains("0 errors"), "{}", good.out);
    let text = std::fs::read_to_string(dir.path().join("dock.toml")).unwrap();
    let bad = text
        .replace("dpi = 203", "dpi = 204")
        .replace("kind =", "knid =")
        .replace("\"C1\"\ntimezone", "\"C12\"\ntimezone");
    std::fs::write(dir.path().join("bad.toml"), bad).unwrap();
    let bad = backdock(dir.path(), &["--config", "bad.toml", "check"], "");
    assert_eq!(bad.code, 2);
    for want in ["bad.toml:3", "knid", "kind", "dpi"] {
        assert!(bad.out.contains(want), "{want}: {}", bad.out);
    }
    assert_eq!(backdock(dir.path(), &["check", "--config", "none.toml"], "").code, 2);
    assert_eq!(backdock(dir.path(), &["chekc"], "").code, 2);
}

#[test]
fn devices_say_of_every_configured_printer_whether_it_can_be_used() {
    let dir = tempfile::tempdir().unwrap();
    station(dir.path());
    let more =
        |name: &str, link: &str| format!("[[printer]]\nname = {name:?}\nlink = {link:?}\ndpi = 203\nstock = \"4x3\"\n");
    // A file stands in for a port that is there.
    let port = dir.path().join("ttyS0");
    std::fs::write(&port, "").unwrap();
    let text = std::fs::read_to_string(dir.path().join("dock.toml")).unwrap()
        + &more("usb", "usb://NOSUCHPRINTER")
        + &more("lp", "lp://NOSUCHPRINTER")
        + &more("gone", "serial:///dev/none/ttyS0")
        + &more("there", &format!("serial://{}", port.display()));
    std::fs::write(dir.path().join("dock.toml"), text).unwrap();
    let check = backdock(dir.path(), &["check", "--config", "dock.toml"], "");
    assert_eq!(check.code, 0, "{}", check.out);
    let done = backdock(dir.path(), &["--config", "dock.toml", "devices", "--json"], "");
    let answer: Value = serde_json::from_str(&done.out).unwrap();
    let states: Vec<(&str, &Value)> =
        answer["printers"].as_array().unwrap().iter().map(|p| (p["name"].as_str().unwrap(), &p["state"])).collect();
    let (null, lost, present) = (Value::Null, json!("lost"), json!("present"));
    assert_eq!(states, [("zebra", &null), ("usb", &lost), ("lp", &lost), ("gone", &lost), ("there", &present)]);
    assert_eq!(done.code, 3, "a lost printer needs a person");
    assert!(answer["serial"].is_array() && answer["usb"].is_array() && answer["usb_printers"].is_array());
    let text = backdock(dir.path(), &["--config", "dock.toml", "devices"], "").out;
    assert!(
        text.contains("configured printer gone serial:///dev/none/ttyS0 lost: /dev/none/ttyS0 is not there"),
        "{text}"
    );
    // A wrong configuration does not hide the devices, and is said.
    std::fs::write(dir.path().join("bad.toml"), "[station]\nid = 1\n").unwrap();
    let bad = backdock(dir.path(), &["--config", "bad.toml", "devices"], "");
    assert!(bad.code == 3 && bad.out.contains("problem: bad.toml:2"), "{}", bad.out);
}

#[test]
fn a_verdict_is_a_filter_from_facts_to_answer() {
    let facts = json!({"channel": "direct", "brand": "Yealink", "ship_date": "2026-01-01", "reported": "2026-01-31", "today": "2026-01-31"});
    let (code, answer) = verdict(facts.clone());
    assert_eq!(code, 3, "an undiagnosed unit is held");
    assert_eq!(answer["action"], "replace");
    assert_eq!(answer["band"], "within_30_days");
    assert_eq!(answer["age_days"], 30);
    assert_eq!(answer["advance_replacement"]["allowed"], true);
    assert_eq!(answer["charges"], json!([]));
    let mut later = facts;
    later["reported"] = json!("2026-02-01");
    let (_, answer) = verdict(later);
    assert_eq!(answer["charges"][0]["amount"], "45.00");
    assert_eq!(answer["charges"][0]["rule"], "A-37");
    assert_eq!(answer["advance_replacement"]["allowed"], false);

    let dir = tempfile::tempdir().unwrap();
    for (program, facts, want) in [
        ("voip-reseller", "{\"chanel\": \"direct\"}", "channel"),
        ("voip-reseller", "{", "JSON"),
        ("voip-reseller", "{\"ship_date\": \"2026-02-30\"}", "ship_date"),
        ("voip-reseler", "{}", "voip-reseller"),
    ] {
        let done = backdock(dir.path(), &["verdict", "--program", program, "--json"], facts);
        assert_eq!((done.code, done.out.as_str()), (2, ""));
        assert!(done.err.contains(want), "{want}: {}", done.err);
    }
    let schema: Value = serde_json::from_str(&backdock(dir.path(), &["verdict", "--schema"], "").out).unwrap();
    assert!(
        schema["facts"]["properties"]["ship_date"].is_object() && schema["verdict"]["properties"]["legs"].is_object()
    );
}

#[test]
fn a_label_is_drawn_here_and_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let list = backdock(dir.path(), &["label", "--list"], "");
    assert!(list.code == 0 && list.out.contains("unit") && list.out.contains("required"), "{}", list.out);
    let fields =
        json!({"rma": "R26D100007K", "serial": "SN1", "brand": "Yealink", "model": "T46U", "received": "2026-03-02"});
    std::fs::write(dir.path().join("u.json"), fields.to_string()).unwrap();
    let done = backdock(dir.path(), &["label", "unit", "--data", "u.json", "--zpl", "-", "--png", "u.png"], "");
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(
        done.out.starts_with("^XA") && done.out.trim_end().ends_with("^XZ") && done.out.matches("^XA").count() == 1
    );
    assert!(std::fs::read(dir.path().join("u.png")).unwrap().starts_with(b"\x89PNG"));
    let mut bad = fields.clone();
    bad["serial"] = json!("SN\u{7}1");
    std::fs::write(dir.path().join("b.json"), bad.to_string()).unwrap();
    let done = backdock(dir.path(), &["label", "unit", "--data", "b.json", "--zpl", "-"], "");
    assert!(
        done.code == 1 && done.out.is_empty() && done.err.contains("serial") && done.err.contains("U+0007"),
        "{}",
        done.err
    );
    std::fs::write(dir.path().join("m.json"), "{\"rma\": \"R1\"}").unwrap();
    let done = backdock(dir.path(), &["label", "unit", "--data", "m.json"], "");
    assert!(done.code == 1 && done.err.contains("model"), "{}", done.err);
}

#[test]
fn a_design_of_ones_own_is_inspected_and_filled() {
    const DESIGN: &str = "^XA\n^FO50,40^A0N,60,60^FDRMA {rma}^FS\n^FO50,120^BY3^BCN,120,N,N,N^FD{rma}^FS\n\
        ^FO50,280^A0N,40,40^FD{brand} {model}^FS\n^FO50,340^A0N,40,40^FN1\"serial\"^FS\n\
        ^FO50,400^A0N,40,40^FD{received} {copy}^FS\n^XZ\n";
    let dir = tempfile::tempdir().unwrap();
    let designs = dir.path().join("designs");
    std::fs::create_dir(&designs).unwrap();
    let write = |name: &str, text: &str| std::fs::write(designs.join(name), text).unwrap();
    write("unit.zpl", DESIGN);
    let run = |args: &[&str]| backdock(dir.path(), args, "");
    let good = run(&["label", "check", "designs/unit.zpl"]);
    assert_eq!((good.code, good.err.as_str()), (0, ""), "{}", good.out);
    assert!(good.out.contains("design, good; fields: rma, brand, model, serial, received, copy"), "{}", good.out);

    // Filled, with data that would end the label and reset the printer.
    let fields = json!({"rma": "R26D100007K", "serial": "^XZ~JR", "brand": "Yealink", "model": "T46U", "received": "2026-03-02"});
    std::fs::write(dir.path().join("u.json"), fields.to_string()).unwrap();
    let done = run(&["label", "unit", "--templates", "designs", "--data", "u.json", "--zpl", "-", "--png", "u.png"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    assert!(done.out.contains("^FD_5EXZ_7EJR^FS") && !done.out.contains('~'), "{}", done.out);
    assert!(std::fs::read(dir.path().join("u.png")).unwrap().starts_with(b"\x89PNG"));
    assert!(!run(&["label", "unit", "--data", "u.json"]).out.contains("^FDRMA "), "ours without the folder");

    // One refusal and one warning, each by its exit code; both in the JSON.
    write("warn.zpl", "^XA^PR4^FO50,50^A0N,30,30^FD{a}^FS^XZ");
    write("bad.zpl", "^XA~JR^FO50,50^A0N,30,30^FD{a}^FS^XZ");
    let warned = run(&["label", "check", "designs/warn.zpl"]);
    assert!(warned.code == 3 && warned.out.contains("warning: line 1, byte 3: ^PR sets"), "{}", warned.out);
    let both = run(&["label", "check", "designs/warn.zpl", "designs/bad.zpl", "--json"]);
    assert_eq!(both.code, 1);
    let said: Value = serde_json::from_str(&both.out).unwrap();
    let keys: Vec<&String> = said["files"][0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["file", "design", "fields", "refused", "findings"]);
    assert_eq!((&said["files"][0]["refused"], &said["files"][1]["refused"]), (&json!(false), &json!(true)));
    assert_eq!(
        said["files"][1]["findings"][0],
        json!({"severity": "refuse", "code": "command", "line": 1, "byte": 3, "what": "~JR resets the printer",
            "remedy": "delete it; a tilde that shall be read is written _7E behind ^FH"})
    );
    assert_eq!(run(&["label", "check"]).code, 2);
    assert_eq!(run(&["label", "check", "designs/none.zpl"]).code, 2);
    assert_eq!(run(&["label", "check", "designs/unit.zpl", "--stock", "2x1"]).code, 1, "too long for the stock");

    // `check` holds the folder of the configuration; a refused design stops the label it is for.
    station(dir.path());
    let config = std::fs::read_to_string(dir.path().join("dock.toml")).unwrap();
    std::fs::write(dir.path().join("dock.toml"), format!("{config}[labels]\ntemplates = {designs:?}\n")).unwrap();
    let checked = run(&["check", "--config", "dock.toml"]);
    assert!(checked.code == 2 && checked.out.contains("bad.zpl: line 1, byte 3: ~JR resets"), "{}", checked.out);
    let refused = run(&["--config", "dock.toml", "label", "bad", "--data", "u.json"]);
    assert!(refused.code == 1 && refused.out.is_empty() && refused.err.contains("~JR"), "{}", refused.err);
    std::fs::remove_file(designs.join("bad.zpl")).unwrap();
    assert_eq!(run(&["check", "--config", "dock.toml"]).code, 0);
    assert!(run(&["--config", "dock.toml", "label", "unit", "--data", "u.json"]).out.contains("^FDRMA "));
    std::fs::write(dir.path().join("dock.toml"), format!("{config}[labels]\ntemplates = \"/nowhere\"\n")).unwrap();
    let nowhere = run(&["check", "--config", "dock.toml"]);
    assert!(nowhere.code == 2 && nowhere.out.contains("/nowhere: no such folder"), "{}", nowhere.out);
}

#[test]
fn a_station_without_a_daemon_takes_rmas_and_shipments() {
    let dir = tempfile::tempdir().unwrap();
    station(dir.path());
    let run = |args: &[&str]| backdock(dir.path(), &[&["--config", "dock.toml"], args].concat(), "");
    // Nothing there yet: said, not created by a reader.
    let none = run(&["rma", "list"]);
    assert!(none.code == 1 && none.err.contains("no database"), "{}", none.err);

    let new = run(&["rma", "new", "--customer", "Acme", "--channel", "direct", "--ticket", "T-1", "--serial", "sn9"]);
    assert_eq!(new.code, 0, "{}", new.err);
    let number = new.out.trim().to_owned();
    assert!(number.len() == 11 && number.starts_with('R') && number[3..].starts_with("C1"), "{number}");
    assert_ne!(run(&["rma", "new"]).out.trim(), number);

    std::fs::write(
        dir.path().join("r.csv"),
        "number,program,ticket,channel,customer,issued,class,reason,serial\nRMA1001,voip-reseller,T-2,direct,Bob,2026-03-01,standard,broken,AA1\n\
         RMA1001,voip-reseller,T-2,direct,Bob,2026-03-01,standard,broken,AA2\nRMA1002,nobody,T-3,direct,Eve,2026-03-01,,,AA3\nRMA1003,,,direct,,2026-13-01,,,AA4\n",
    )
    .unwrap();
    let first = run(&["rma", "import", "r.csv"]);
    assert_eq!(first.code, 3, "{}{}", first.out, first.err);
    assert!(
        first.out.contains("1 issued") && first.err.contains("line 5") && first.err.contains("nobody"),
        "{}{}",
        first.out,
        first.err
    );
    assert!(run(&["rma", "import", "r.csv"]).out.contains("0 issued, 0 changed, 1 unchanged"));
    // What could not be written is no success without rows.
    let other = rusqlite::Connection::open(dir.path().join("data/backdock.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let locked = run(&["rma", "import", "r.csv"]);
    assert!(locked.code == 1 && locked.err.contains("import the file again"), "{} {}", locked.code, locked.err);
    drop(other);
    let shown: Value = serde_json::from_str(&run(&["rma", "show", "rma1001", "--json"]).out).unwrap();
    assert_eq!(shown["units"].as_array().unwrap().len(), 2);
    assert_eq!(shown["program_version"].as_str().map(str::is_empty), Some(false));
    let act = run(&["rma", "act", "RMA1001", "close", "--by", "clerk"]);
    assert_eq!(act.code, 0, "{}", act.err);
    assert_eq!(run(&["rma", "act", "RMA1001", "close", "--by", "clerk"]).code, 1);
    assert_eq!(run(&["rma", "show", "RMA404"]).code, 1);

    let header =
        "serial,mac,brand,model,ship_date,order,customer,channel,distributor,purchase_date,warranty_until,plan_until\n";
    std::fs::write(
        dir.path().join("s.csv"),
        format!("{header}SN9,00:15:65:00:00:09,Yealink,T46U,2026-01-01,O1,Acme,direct,Jenne,,,\nSN10,0015.6500.0010,Yealink,T46U,2026-02-29,O1,Acme,direct,Jenne,,,\n"),
    )
    .unwrap();
    let first = run(&["shipments", "import", "s.csv", "--json"]);
    assert_eq!(first.code, 3, "{}", first.err);
    let counts: Value = serde_json::from_str(&first.out).unwrap();
    assert_eq!((&counts["inserted"], &counts["rejected"]), (&json!(1), &json!(1)));
    assert!(std::fs::read_to_string(dir.path().join("s.csv.rejects.csv")).unwrap().contains("2026-02-29"));
    let again: Value = serde_json::from_str(&run(&["shipments", "import", "s.csv", "--json"]).out).unwrap();
    assert_eq!((&again["inserted"], &again["updated"], &again["unchanged"]), (&json!(0), &json!(0), &json!(1)));
    std::fs::write(
        dir.path().join("s2.csv"),
        format!("{header}SN9,001565000009,Yealink,T48U,2026-01-01,O1,Acme,direct,Jenne,,,\n"),
    )
    .unwrap();
    assert_eq!(run(&["shipments", "import", "s2.csv"]).code, 0);
    for unit in ["SN9", "sn9", "00-15-65-00-00-09"] {
        let found: Value = serde_json::from_str(&run(&["lookup", unit, "--json"]).out).unwrap();
        assert_eq!(found["shipments"][0]["model"], "T48U", "{unit}");
    }
    assert_eq!(run(&["lookup", "NOBODY"]).code, 1);
    assert_eq!(run(&["lookup", "^XZ"]).code, 2);

    let verify = run(&["journal", "verify"]);
    assert_eq!(verify.code, 0, "{}", verify.out);
    let journal = run(&["journal", "export"]);
    let events: Vec<Value> = journal.out.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let changed =
        events.iter().find(|e| e["event"]["kind"] == "shipment_changed").expect("the update is in the journal");
    assert_eq!(
        (&changed["event"]["old"]["model"], &changed["event"]["new"]["model"]),
        (&json!("T46U"), &json!("T48U"))
    );
}

#[test]
fn a_unit_is_in_one_open_rma_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    station(dir.path());
    let run = |args: &[&str]| backdock(dir.path(), &[&["--config", "dock.toml"], args].concat(), "");
    let new = |serial: &str| run(&["rma", "new", "--channel", "direct", "--serial", serial]);
    let first = new("sn9");
    assert_eq!(first.code, 0, "{}", first.err);
    let number = first.out.trim();

    // The same unit, spelled otherwise: no second number, and the way out is named.
    let second = new(" Sn9 ");
    assert_eq!(second.code, 1);
    assert!(second.err.contains(&format!("unit SN9 is in RMA {number} already")), "{}", second.err);
    assert!(second.err.contains(&format!("rma act {number} cancel SN9")), "{}", second.err);
    assert_eq!(new("SN90").code, 0, "another unit is not concerned");

    // A number given out elsewhere stands; that the unit is announced twice is said.
    std::fs::write(dir.path().join("r.csv"), "number,channel,serial\nRMA1001,direct,SN9\nRMA1001,direct,SN11\n")
        .unwrap();
    let imported = run(&["rma", "import", "r.csv"]);
    assert_eq!(imported.code, 0, "{}", imported.err);
    assert!(imported.err.contains(&format!("RMA RMA1001: unit SN9 is in open RMA {number} too")), "{}", imported.err);
    assert!(!imported.err.contains("SN11"), "{}", imported.err);
    assert_eq!(run(&["rma", "act", "RMA1001", "cancel", "--by", "clerk", "--say", "why=imported twice"]).code, 0);

    // A request waits, and is authorised when the unit is given up there.
    let request = run(&["rma", "new", "--channel", "direct", "--serial", "SN9", "--request"]);
    assert_eq!(request.code, 0, "{}", request.err);
    let authorise = || run(&["rma", "act", request.out.trim(), "authorise", "--by", "clerk"]);
    let refused = authorise();
    assert!(refused.code == 1 && refused.err.contains(number), "{}", refused.err);
    let gone = run(&["rma", "act", number, "cancel", "SN9", "--by", "clerk", "--say", "why=given up"]);
    assert_eq!(gone.code, 0, "{}", gone.err);
    let done = authorise();
    assert_eq!(done.code, 0, "{}", done.err);
}

#[test]
fn a_journal_that_was_touched_is_found_out() {
    let dir = tempfile::tempdir().unwrap();
    station(dir.path());
    let run = |args: &[&str]| backdock(dir.path(), &[&["--config", "dock.toml"], args].concat(), "");
    for serial in ["AA1", "AA2", "AA3"] {
        assert_eq!(run(&["rma", "new", "--serial", serial, "--channel", "direct"]).code, 0);
    }
    std::fs::write(dir.path().join("s.csv"), "serial,ship_date\nSN1,2026-01-01\nSN2,2026-01-02\n").unwrap();
    assert_eq!(run(&["shipments", "import", "s.csv"]).code, 0);
    assert_eq!(run(&["journal", "verify"]).code, 0);
    let db = dir.path().join("data/backdock.db");
    let clean = std::fs::read(&db).unwrap();
    for (sql, want) in [
        (
            "UPDATE journal SET payload = replace(payload, 'AA2', 'AA9') WHERE payload LIKE '%AA2%'",
            "its hash does not fit",
        ),
        ("UPDATE journal SET at = '2020-01-01T00:00:00.000-06:00' WHERE seq = 1", "event 1"),
        ("DELETE FROM journal WHERE seq = 2", "event 2 is missing"),
        ("UPDATE rma SET state = 'closed'", "table rma"),
        ("DELETE FROM rma_unit WHERE serial = 'AA3'", "table rma_unit"),
        ("UPDATE shipment SET ship_date = ship_date + 1 WHERE serial = 'SN2'", "shipment"),
        ("DELETE FROM shipment WHERE serial = 'SN1'", "shipment"),
    ] {
        let conn = rusqlite::Connection::open(&db).unwrap();
        assert!(conn.execute(sql, []).unwrap() > 0, "{sql}");
        drop(conn);
        let done = run(&["journal", "verify"]);
        assert!(done.code == 1 && done.out.contains(want), "{sql}: {}", done.out);
        std::fs::write(&db, &clean).unwrap();
        for rest in ["backdock.db-wal", "backdock.db-shm"] {
            let _ = std::fs::remove_file(dir.path().join("data").join(rest));
        }
    }
    assert_eq!(run(&["journal", "verify"]).code, 0);
}

#[test]
fn the_demo_accounts_for_every_label() {
    let dir = tempfile::tempdir().unwrap();
    let done = backdock(dir.path(), &["demo", "--once"], "");
    assert_eq!(done.code, 0, "{}", done.err);
    let summary: Value = serde_json::from_str(done.out.lines().last().unwrap()).unwrap();
    assert_eq!(summary["in_doubt"], 0);
    assert_eq!(summary["labels_expected"], summary["labels_printed"]);
    assert!(
        summary["receipts"].as_i64().unwrap() >= 8
            && summary["labels_printed"].as_i64().unwrap() > summary["receipts"].as_i64().unwrap()
    );
    assert!(summary["verdicts"].as_object().unwrap().len() >= 3, "{summary}");
    assert_eq!(summary.as_object().unwrap().len(), 6);
}

#[test]
fn an_rma_keeps_the_version_it_was_issued_under() {
    let dir = tempfile::tempdir().unwrap();
    station(dir.path());
    let run = |args: &[&str]| backdock(dir.path(), &[&["--config", "dock.toml"], args].concat(), "");
    let programs = dir.path().join("programs");
    std::fs::create_dir(&programs).unwrap();
    let first = run(&["program", "show", "voip-reseller"]).out;
    let file = programs.join("voip-reseller.toml");
    std::fs::write(&file, &first).unwrap();
    let config = std::fs::read_to_string(dir.path().join("dock.toml")).unwrap();
    std::fs::write(dir.path().join("dock.toml"), format!("{config}[programs]\ndir = {programs:?}\n")).unwrap();
    let version = |n: &str| {
        let listed: Value = serde_json::from_str(&run(&["program", "list", "--json"]).out).unwrap();
        listed.as_array().unwrap().iter().any(|p| p["version"] == n)
    };
    assert_eq!(run(&["rma", "new", "--serial", "AA1"]).code, 0);
    assert!(version("2026.2"));
    // A new price under the old version's name is refused, before anything is written.
    let dearer = first.replace("amount = \"45.00\"", "amount = \"50.00\"");
    std::fs::write(&file, &dearer).unwrap();
    let refused = run(&["rma", "new", "--serial", "AA2"]);
    assert!(refused.code == 1 && refused.err.contains("without a new version"), "{}", refused.err);
    // A comment is no change of policy.
    std::fs::write(&file, format!("# a note\n{first}")).unwrap();
    assert_eq!(run(&["rma", "new", "--serial", "AA2"]).code, 0);
    std::fs::write(&file, dearer.replace("version = \"2026.2\"", "version = \"2026.3\"")).unwrap();
    let number = run(&["rma", "new", "--serial", "AA3"]).out.trim().to_owned();
    let shown: Value = serde_json::from_str(&run(&["rma", "show", &number, "--json"]).out).unwrap();
    assert_eq!(shown["program_version"], "2026.3");
    assert!(version("2026.2") && version("2026.3"));
    assert_eq!(run(&["program", "show", "voip-reseller@2026.2"]).out, first);
    assert_eq!(run(&["program", "show", "voip-reseller@1999"]).code, 2);
    assert_eq!(run(&["journal", "verify"]).code, 0);
    let diff = run(&["program", "diff", "voip-reseller@2026.2", "voip-reseller", "--since", "2026-01-01", "--json"]);
    let diff: Value = serde_json::from_str(&diff.out).unwrap();
    assert_eq!((&diff["cases"], &diff["changes"]), (&json!(0), &json!([])));
}

#[test]
fn identify_answers_line_by_line() {
    let dir = tempfile::tempdir().unwrap();
    let done = backdock(
        dir.path(),
        &["identify", "--json", "--step", "unit"],
        "DONE\n\n00:15:65:ab:cd:ef\n\\x1D21ABC\nbad\\escape\n",
    );
    assert_eq!(done.code, 0);
    let lines: Vec<Value> = done.out.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let kinds: Vec<&str> = lines.iter().map(|l| l["candidates"][0]["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["command", "unknown", "mac", "serial", "unknown"]);
    assert!(done.err.contains("line 5"));
}

#[test]
fn a_label_in_doubt_is_settled_by_a_person_and_only_once() {
    let dir = tempfile::tempdir().unwrap();
    station(dir.path());
    let run = |args: &[&str]| backdock(dir.path(), &[&["--config", "dock.toml"], args].concat(), "");
    assert_eq!(run(&["rma", "new", "--serial", "AA1"]).code, 0);
    assert_eq!((run(&["jobs"]).code, run(&["settle", "1", "printed", "--by", "anna"]).code), (0, 1));
    // A job that a killed daemon left on its way to a printer that has been replaced since.
    let conn = rusqlite::Connection::open(dir.path().join("data/backdock.db")).unwrap();
    let insert = "INSERT INTO job(station, id, printer, label, copy, state, note, made, moved) VALUES('C1', 1, 'zebra', 'unit', 1, 'in-doubt', '1 asked, 0 came out', 1, 1)";
    conn.execute(insert, []).unwrap();
    drop(conn);
    let open = run(&["jobs", "--open"]);
    assert!(open.code == 3 && open.out.contains("1 asked, 0 came out"), "{}", open.out);
    assert_eq!(run(&["settle", "1", "maybe", "--by", "anna"]).code, 2);
    assert_eq!(run(&["settle", "1", "not-there", "--by", "anna"]).code, 0);
    let again = run(&["settle", "1", "printed", "--by", "anna"]);
    assert!(again.code == 1 && again.err.contains("failed"), "{}", again.err);
    let jobs: Value = serde_json::from_str(&run(&["jobs", "--json"]).out).unwrap();
    assert_eq!(jobs[0]["state"], "failed");
    assert!(jobs[0]["note"].as_str().unwrap().contains("anna"));
}
