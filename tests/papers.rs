//! Papers beside the unit label, through the real binary: asked for by name, printed with a step or a hold,
//! copied, and behind the interlock of what they are for on each of these ways.

mod support;

use backdock::sim::engine::Control;
use backdock::sim::fault::Trouble;
use serde_json::{Value, json};
use std::fs;
use std::process::Output;
use std::time::Duration;
use support::PATIENCE;
use support::dock::{Daemon, Dock};
use support::page::Page;

/// A dock with one phone of one client, 40 days old, on an RMA of its own.
struct Desk {
    dock: Dock,
    rma: String,
}

impl Desk {
    fn new(program: &[&str], more: &[&str]) -> Desk {
        Desk::with(Duration::from_millis(2), program, more)
    }

    fn with(label_time: Duration, program: &[&str], more: &[&str]) -> Desk {
        let dock = Dock::bare(0, label_time);
        let zone: chrono_tz::Tz = "America/Chicago".parse().unwrap();
        let today = chrono::Utc::now().with_timezone(&zone).date_naive();
        let file = dock.file("shipments.csv");
        let shipped = today - chrono::Days::new(40);
        let rows =
            format!("serial,brand,model,ship_date,channel,distributor\nPH1,Yealink,T46U,{shipped},direct,Delta\n");
        fs::write(&file, rows).unwrap();
        assert!(dock.cli(&["shipments", "import", file.to_str().unwrap()]).status.success());
        let reported = format!("reported={today}");
        let words = ["rma", "new", "--customer", "Acme", "--ticket", "T-7", "--channel", "direct", "--serial", "PH1"];
        let facts = ["--fact", "rma.diagnosed=true", "--fact", "rma.qualified=true", "--fact", &reported];
        let done = dock.cli(&[&words[..], &facts, program, more].concat());
        assert!(done.status.success(), "{done:?}");
        Desk { rma: String::from_utf8(done.stdout).unwrap().trim().to_owned(), dock }
    }

    /// Receives the phone; the daemon goes on.
    fn received(&self, units: &[&str]) -> (Daemon, Page) {
        let (daemon, mut page) = self.dock.start();
        self.dock.scan(&mut page, &self.rma).unwrap();
        for unit in units {
            self.dock.scan(&mut page, unit).unwrap();
        }
        self.dock.settled(&mut page).unwrap();
        (daemon, page)
    }

    fn run(&self, words: &[&str]) -> Output {
        self.dock.cli(&[words, &["--by", "Anna"]].concat())
    }

    #[track_caller]
    fn does(&self, words: &[&str]) -> String {
        let done = self.run(words);
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    #[track_caller]
    fn refuses(&self, words: &[&str], why: &[&str]) {
        let done = self.run(words);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(1), "{words:?}: {said}");
        why.iter().for_each(|why| assert!(said.contains(why), "{words:?} must say {why:?}: {said}"));
    }

    /// Waits until so many labels came out; answers with the last of them.
    #[track_caller]
    fn out(&self, labels: usize) -> String {
        let came = self.dock.zebra.wait(PATIENCE, |zebra| zebra.labels().len() >= labels);
        assert!(came, "{} labels came out, not {labels}", self.dock.zebra.labels().len());
        let all = self.dock.zebra.labels();
        assert_eq!(all.len(), labels);
        String::from_utf8_lossy(&all.last().unwrap().zpl).into_owned()
    }

    fn jobs(&self) -> Vec<(String, u64)> {
        let done = self.dock.cli(&["jobs", "--json"]);
        let rows: Vec<Value> = serde_json::from_slice(&done.stdout).unwrap();
        let row = |j: &Value| (j["label"].as_str().unwrap().to_owned(), j["copy"].as_u64().unwrap());
        rows.iter().rev().map(row).collect()
    }
}

/// A-55, A-60, A-61: nothing for the vendor without its RMA number, whoever asks; then both papers come
/// with the step, and a copy says that it is one.
#[test]
fn a_vendors_papers_wait_for_its_number() {
    let desk = Desk::new(&[], &[]);
    let rma = desk.rma.clone();
    let (mut daemon, _page) = desk.received(&["PH1"]);
    desk.out(1);
    desk.refuses(&["print", "vendor", &rma, "PH1"], &["vendor"]);
    for step in [&["diagnose"][..], &["find", "--say", "outcome=replace"], &["vendor_request"]] {
        desk.does(&[&["rma", "act", &rma, step[0], "PH1"], &step[1..]].concat());
    }
    desk.refuses(&["print", "vendor", &rma, "PH1", "--say", "vendor_rma=FAKE"], &["A-61"]);
    desk.refuses(&["print", "packing-list", &rma, "PH1"], &["A-61"]);
    desk.does(&["rma", "act", &rma, "vendor_number", "PH1", "--say", "number=DELTA-9"]);
    let told = desk.does(&["rma", "act", &rma, "vendor_ship", "PH1"]);
    assert!(told.contains("paper vendor: job 2") && told.contains("paper packing-list: job 3"), "{told}");
    assert!(desk.out(3).contains("PACKING LIST"));
    assert!(String::from_utf8_lossy(&desk.dock.zebra.labels()[1].zpl).contains("DELTA-9"));

    let told = desk.does(&["reprint", "--job", "2", "--why", "torn"]);
    assert!(told.contains("copy 2 of vendor"), "{told}");
    assert!(desk.out(4).contains("COPY 2"));
    desk.does(&["reprint", "PH1", "--why", "smeared"]);
    let copy = desk.out(5);
    assert!(copy.contains("COPY 2") && copy.contains("Anna"), "{copy}");
    desk.refuses(&["reprint", "--job", "99"], &["no job 99"]);
    let jobs = [("unit", 1), ("vendor", 1), ("packing-list", 1), ("vendor", 2), ("unit", 2)];
    assert_eq!(desk.jobs(), jobs.map(|(l, c)| (l.to_owned(), c)));
    daemon.ask_to_stop();
    assert!(daemon.end().success());
    assert!(desk.dock.cli(&["journal", "verify"]).status.success());
}

/// A-63: what nobody wants back gets no label for the way back, and no copy of one that was made before.
#[test]
fn a_return_label_is_behind_its_interlock_every_time() {
    let desk = Desk::new(&[], &["--fact", "rma.wants_back=true", "--fact", "rma.contacted=true"]);
    let rma = desk.rma.clone();
    let (mut daemon, _page) = desk.received(&["PH1"]);
    for step in [&["diagnose"][..], &["find", "--say", "outcome=ntf"], &["ready"]] {
        desk.does(&[&["rma", "act", &rma, step[0], "PH1"], &step[1..]].concat());
    }
    desk.refuses(&["print", "return", &rma, "PH1"], &["to is not known", "--say to=..."]);
    desk.refuses(&["print", "return", &rma, "PH1", "--say", "adress=x"], &["no field \"adress\""]);
    desk.does(&["print", "return", &rma, "PH1", "--say", "to=Acme^XZ Ltd|1 Road|Town"]);
    let label = desk.out(2);
    assert!(label.contains("Acme_5EXZ Ltd") && label.contains("1 Road"), "{label}");
    desk.does(&["print", "qc", &rma, "PH1"]);
    let tag = desk.out(3);
    assert!(tag.contains("RELEASED") && !tag.contains("Anna"), "who asks for a tag tested nothing: {tag}");

    let noted = desk.dock.file("note.json");
    fs::write(&noted, r#"{"facts": {"rma": {"wants_back": false}}}"#).unwrap();
    desk.does(&["rma", "act", &rma, "note", "--data", noted.to_str().unwrap()]);
    desk.refuses(&["reprint", "--job", "2"], &["A-63"]);
    desk.refuses(&["print", "return", &rma, "PH1", "--say", "to=Acme"], &["A-63"]);
    desk.refuses(&["print", "qc", &rma, "PH1"], &["A-63"]);
    assert_eq!(desk.jobs().len(), 3);
    daemon.ask_to_stop();
    assert!(daemon.end().success());
}

/// E-06, E-16: what is on no ticket is tagged, what has no known number is rejected; once each.
#[test]
fn the_dock_tags_what_it_sets_aside() {
    let desk = Desk::new(&["--program", "smartwitness"], &["--fact", "account=A1", "--fact", "answers.problem=dark"]);
    let (mut daemon, mut page) = desk.received(&["PH1", "STRANGE1"]);
    let label = desk.out(3);
    assert!(label.contains("UNAUTHORISED") && label.contains("STRANGE1") && label.contains("E-06"), "{label}");
    // A step tells of its own papers, not of what the dock printed before it.
    let told =
        desk.does(&["rma", "act", &desk.rma, "release", "PH1", "--say", "hold=end_client", "--say", "why=known"]);
    assert!(!told.contains("paper"), "{told}");
    desk.dock.scan(&mut page, "DONE").unwrap();
    let nobodys = "RMA-00099999";
    assert_eq!(desk.dock.scan(&mut page, nobodys).unwrap(), "rma_unknown");
    assert_eq!(desk.dock.scan(&mut page, nobodys).unwrap(), "rma_unknown");
    desk.dock.settled(&mut page).unwrap();
    let jobs = desk.jobs();
    assert!(jobs[1..].iter().any(|(l, _)| l == "unauthorised"), "{jobs:?}");
    daemon.ask_to_stop();
    assert!(daemon.end().success());
}

#[test]
fn a_paper_that_cannot_be_made_is_refused_by_name() {
    let desk = Desk::new(&[], &[]);
    let rma = desk.rma.clone();
    desk.refuses(&["print", "retrun", &rma, "PH1"], &["retrun", "return"]);
    desk.refuses(&["print", "unit", &rma, "PH1"], &["backdock reprint"]);
    desk.refuses(&["print", "return"], &["name the RMA"]);
    desk.refuses(&["print", "return", &rma], &["name the unit"]);
    desk.refuses(&["print", "traveller", "RMA9999", "PH1"], &["not on record"]);
    desk.refuses(&["print", "address", &rma], &["to is not known"]);
    desk.refuses(&["print", "address", &rma, "--say", "to=A\u{7}B"], &["control"]);
    desk.refuses(&["print", "address", &rma, "--say", "to=Dock", "--printer", "none"], &["no printer is called"]);
    let done = desk.dock.cli(&["print", "address", &rma, "--say", "to", "--by", "x"]);
    assert_eq!(done.status.code(), Some(2));
    assert_eq!(desk.jobs(), [], "nothing was made of what was refused");
    // Without a daemon it waits for the next one, in order.
    desk.does(&["print", "address", &rma, "--say", "to=Returns Dock|1 Road"]);
    desk.refuses(&["print", "wall-sheet"], &["codes"]);
    let (mut daemon, mut page) = desk.dock.start();
    desk.dock.settled(&mut page).unwrap();
    assert!(desk.out(1).contains("1 Road"));
    daemon.ask_to_stop();
    assert!(daemon.end().success());
}

/// A label that the printer swallowed: the worker looks, says so with a barcode, and takes a marked copy.
#[test]
fn a_label_that_is_not_there_is_copied_by_a_barcode() {
    let desk = Desk::with(Duration::from_millis(400), &[], &[]);
    let (mut daemon, mut page) = desk.dock.start();
    desk.dock.scan(&mut page, &desk.rma).unwrap();
    assert_eq!(desk.dock.scan(&mut page, "NOTTHERE").unwrap(), "nothing_in_doubt");
    desk.dock.scan(&mut page, "PH1").unwrap();
    assert!(desk.dock.zebra.wait(PATIENCE, |zebra| zebra.formats() == 1));
    desk.dock.zebra.control(Control::Begin(Trouble::PowerOff));
    desk.dock.zebra.control(Control::EndAll);
    page.wait("the label is in doubt", |view| view["in_doubt"][0]["job"] == 1).unwrap();
    assert!(page.view["in_doubt"][0]["next"].as_str().unwrap().contains("NOTTHERE"));
    assert_eq!(desk.dock.scan(&mut page, "NOTTHERE").unwrap(), "not_there");
    assert!(desk.out(1).contains("COPY 2"));
    desk.dock.settled(&mut page).unwrap();
    page.wait("nothing is in doubt", |view| view["in_doubt"] == json!([])).unwrap();
    assert_eq!(desk.dock.scan(&mut page, "NOTTHERE").unwrap(), "nothing_in_doubt");
    let done = desk.dock.cli(&["jobs", "--json"]);
    let rows: Vec<Value> = serde_json::from_slice(&done.stdout).unwrap();
    let states: Vec<(&str, u64)> =
        rows.iter().rev().map(|j| (j["state"].as_str().unwrap(), j["copy"].as_u64().unwrap())).collect();
    assert_eq!(states, [("failed", 1), ("printed", 2)]);
    daemon.ask_to_stop();
    assert!(daemon.end().success());
    assert!(desk.dock.cli(&["journal", "verify"]).status.success());
}

/// C-24, C-31: nothing is tagged as tested that was not tested, or as released that may not leave.
#[test]
fn a_release_tag_is_behind_the_interlock_of_the_way_out() {
    let desk = Desk::new(&["--program", "unex"], &["--fact", "rma.support_request=true"]);
    let rma = desk.rma.clone();
    let (mut daemon, _page) = desk.received(&["PH1"]);
    let tag = ["print", "qc", &rma, "PH1", "--say", "result=RELEASED"];
    desk.refuses(&tag, &["not tested"]);
    daemon.ask_to_stop();
    assert!(daemon.end().success());
}

/// Nobody is sent papers of an RMA that is none yet, or none any more; a copy is no way round.
#[test]
fn papers_of_an_rma_are_those_of_an_open_one() {
    let desk = Desk::new(&[], &[]);
    let rma = desk.rma.clone();
    let sheet = |rma: &str| ["print", "rma-sheet", rma, "--say", "return_to=Dock|1 Road"].map(str::to_owned);
    let words = |rma: &str| sheet(rma).iter().map(String::as_str).map(str::to_owned).collect::<Vec<_>>();
    let run = |words: Vec<String>| desk.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(run(words(&rma)).status.success());
    let done = desk.dock.cli(&["rma", "new", "--channel", "direct", "--serial", "PH7", "--request"]);
    let request = String::from_utf8(done.stdout).unwrap().trim().to_owned();
    let refused = run(words(&request));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("is requested"), "{refused:?}");
    desk.does(&["rma", "act", &rma, "cancel", "--say", "why=given up"]);
    let refused = run(words(&rma));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("is cancelled"), "{refused:?}");
    desk.refuses(&["reprint", "--job", "1"], &["is cancelled"]);
}

/// A unit that was taken back has no label, and no copy of one.
#[test]
fn the_label_of_a_unit_that_was_taken_back_is_not_copied() {
    let desk = Desk::new(&[], &[]);
    let (mut daemon, mut page) = desk.received(&["PH1"]);
    desk.out(1);
    desk.dock.scan(&mut page, "UNDO").unwrap();
    desk.refuses(&["reprint", "--job", "1"], &["taken back"]);
    daemon.ask_to_stop();
    assert!(daemon.end().success());
}

/// The user's designs are what the station prints; where one cannot be filled ours comes out, and says why.
#[test]
fn the_station_prints_the_users_designs() {
    let desk = Desk::new(&[], &[]);
    let rma = desk.rma.clone();
    let designs = desk.dock.file("designs");
    fs::create_dir(&designs).unwrap();
    let unit = "^XA^FO50,40^A0N,60,60^FDMine {rma}^FS^FO50,120^A0N,40,40^FD{serial} {brand} {model} {received} {copy}^FS\
                ^FO50,280^BQN,2,4^FDQA,{job}^FS^XZ";
    fs::write(designs.join("unit.zpl"), unit).unwrap();
    // Its barcode is for digits, which a team's name is not.
    let routing = "^XA^FO50,40^A0N,60,60^FD{team} {rma} {copy}^FS^FO50,200^B2N,80^FD{serial}^FS^XZ";
    fs::write(designs.join("routing.zpl"), routing).unwrap();
    fs::write(designs.join("hold.zpl"), "^XA^FD{rma}^FS~JR^XZ").unwrap();
    let config = fs::read_to_string(&desk.dock.config).unwrap();
    fs::write(&desk.dock.config, format!("{config}[labels]\ntemplates = {designs:?}\n")).unwrap();

    let (mut daemon, mut page) = desk.received(&["PH1"]);
    let label = desk.out(1);
    assert!(label.contains(&format!("^FDMine {rma}")) && label.contains(&format!("{rma}J1JD7")), "{label}");
    // The page draws what was sent.
    let picture = page.get("/label/1.png").unwrap();
    assert!(picture.starts_with(b"\x89PNG"), "{} bytes", picture.len());
    desk.does(&["reprint", "PH1", "--why", "torn"]);
    let copy = desk.out(2);
    assert!(copy.contains("Mine") && copy.contains("COPY 2") && copy.contains(&format!("{rma}J2JD7")), "{copy}");
    let told = desk.does(&["print", "routing", &rma, "PH1", "--say", "team=Bench"]);
    assert!(told.contains("our own label was printed") && told.contains("serial"), "{told}");
    assert!(desk.out(3).contains("BENCH"));
    // What the gate refuses is ours, and the start has said so.
    desk.does(&["print", "hold", &rma, "PH1", "--say", "reason=odd", "--say", "released_by=Mia"]);
    assert!(desk.out(4).contains("RELEASED BY"));
    desk.dock.settled(&mut page).unwrap();
    daemon.ask_to_stop();
    assert!(daemon.end().success());
}
