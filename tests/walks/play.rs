//! Plays a walk: the papers by `rma new`, the scans through a virtual scanner, the steps by `rma act`
//! beside a running daemon, and after each of them what the station says against what was expected.

use super::expect::{Expected, Step, Unit, Walk, counted, one_of};
use super::golden::{self, Stable};
use super::support::PATIENCE;
use super::support::dock::Dock;
use super::support::page::Page;
use chrono::{Days, NaiveDate};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// A walk under way.
struct Play {
    walk: Walk,
    tape: BTreeMap<String, Vec<(String, String)>>,
    dock: Dock,
    programs: PathBuf,
    today: NaiveDate,
    rma: String,
    wrong: Vec<String>,
}

/// Walks `tests/walks/{name}.toml`; fails with everything that is not as it should be.
pub fn walk(name: &str) {
    let mut play = Play::new(name);
    play.interlocks();
    play.rma = play.request(None).map(|done| said(&done.stdout).trim().to_owned()).unwrap();
    let (mut daemon, mut page) = play.dock.start();
    for at in 0..play.walk.step.len() {
        let step = play.walk.step.remove(at);
        play.step(&step, &mut page);
        play.walk.step.insert(at, step);
    }
    play.dock.settled(&mut page).unwrap();
    daemon.ask_to_stop();
    assert!(daemon.end().success());
    play.messages(name);
    play.labels(name);
    let done = play.dock.cli(&["journal", "verify"]);
    if !done.status.success() {
        play.wrong.push(format!("journal verify: {}", said(&done.stdout)));
    }
    assert!(play.wrong.is_empty(), "walk {name}: {} differences\n{}", play.wrong.len(), play.wrong.join("\n"));
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The parts of a tape: what is scanned, and what comes of it.
fn tape(text: &str) -> BTreeMap<String, Vec<(String, String)>> {
    let mut parts: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let mut part = String::new();
    for line in text.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
        match (line.strip_prefix("== "), line.rsplit_once(" = ")) {
            (Some(name), _) => part = name.to_owned(),
            (None, Some((scan, outcome))) => {
                parts.entry(part.clone()).or_default().push((scan.to_owned(), outcome.to_owned()));
            }
            _ => panic!("tape: {line:?}"),
        }
    }
    parts
}

/// A copy of the shipped programs in which everything that the process leaves open has a value.
fn programs(dir: &Path, walk: &Walk) -> PathBuf {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            let to = to.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                copy(&entry.path(), &to);
            } else {
                fs::copy(entry.path(), to).unwrap();
            }
        }
    }
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("programs"), dir);
    let file = dir.join(format!("{}.toml", walk.program));
    let (mut text, mut section) = (String::new(), String::new());
    for line in fs::read_to_string(&file).unwrap().lines() {
        if line.starts_with('[') {
            section = line.to_owned();
        }
        let line = match (section.as_str(), line.strip_suffix(" = []")) {
            ("[contacts]", Some(role)) => format!("{role} = [\"{}@example.com\"]", role.replace('_', "-")),
            ("[papers]", Some("return_address")) => {
                "return_address = [\"Returns Dock\", \"100 Dock Street\", \"Springfield, IL 62701\"]".to_owned()
            }
            ("[papers]", Some("footer")) => {
                "footer = [\"Help desk: +1 555 0100, https://help.example.com\"]".to_owned()
            }
            _ => line.to_owned(),
        };
        writeln!(text, "{line}").unwrap();
        let fee = section.strip_prefix("[fee.").and_then(|s| s.strip_suffix(']'));
        if let Some(amount) = fee.filter(|_| line == section).and_then(|fee| walk.set.get(fee)) {
            writeln!(text, "amount = \"{amount}\"").unwrap();
        }
    }
    fs::write(file, text).unwrap();
    dir.to_owned()
}

impl Play {
    fn new(name: &str) -> Play {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/walks");
        let text = fs::read_to_string(here.join(format!("{name}.toml"))).unwrap();
        let walk: Walk = toml::from_str(&text).unwrap_or_else(|e| panic!("{name}.toml: {}", e.message()));
        let dock = Dock::bare(0, Duration::from_millis(2));
        let zone: chrono_tz::Tz = "America/Chicago".parse().unwrap();
        let today = chrono::Utc::now().with_timezone(&zone).date_naive();
        let programs = programs(&dock.file("programs"), &walk);
        let config = fs::read_to_string(&dock.config).unwrap();
        let config = format!("{config}[programs]\ndir = {programs:?}\ndefault = {:?}\n", walk.program);
        fs::write(&dock.config, config).unwrap();
        let tape = tape(&fs::read_to_string(here.join(format!("{name}.tape"))).unwrap());
        let play = Play { walk, tape, dock, programs, today, rma: String::new(), wrong: Vec::new() };
        play.ship();
        play
    }

    fn units(&self) -> impl Iterator<Item = &Unit> {
        self.walk.unit.iter().chain(&self.walk.extra)
    }

    fn unit(&self, id: &str) -> &Unit {
        self.units().find(|u| u.id == id).unwrap_or_else(|| panic!("no unit {id}"))
    }

    /// The units as the shipment file says them.
    fn shipped(&self, u: &Unit) -> Map<String, Value> {
        let ago = |n: u64| (self.today - Days::new(n)).to_string();
        let left = |n: i64| self.today.checked_add_signed(chrono::TimeDelta::days(n)).unwrap().to_string();
        let mut facts = Map::new();
        let mut put = |key: &str, value: Option<String>| {
            facts.extend(value.filter(|v| !v.is_empty()).map(|v| (key.to_owned(), json!(v))));
        };
        put("serial", Some(u.serial.clone()));
        put("brand", Some(u.brand.clone()));
        put("model", Some(u.model.clone()));
        put("ship_date", u.shipped.or(u.bought).map(ago));
        put("distributor", Some(u.distributor.clone()));
        put("purchase_date", u.bought.map(ago));
        put("warranty_until", u.warranty_left.map(left));
        put("plan_until", u.plan_left.map(left));
        facts
    }

    fn ship(&self) {
        const COLUMNS: [&str; 8] =
            ["serial", "brand", "model", "ship_date", "distributor", "purchase_date", "warranty_until", "plan_until"];
        let mut csv = format!("{},mac,customer,channel\n", COLUMNS.join(","));
        for u in self.units() {
            let facts = self.shipped(u);
            let cells = COLUMNS.map(|c| facts.get(c).and_then(Value::as_str).unwrap_or_default());
            let rma = &self.walk.rma;
            writeln!(csv, "{},{},{},{}", cells.join(","), u.mac, rma.customer, rma.channel).unwrap();
        }
        let file = self.dock.file("shipments.csv");
        fs::write(&file, csv).unwrap();
        let done = self.dock.cli(&["shipments", "import", file.to_str().unwrap()]);
        assert!(done.status.success(), "{}", said(&done.stderr));
    }

    /// Names in braces, filled in.
    fn filled(&self, text: &str) -> String {
        let mut text = text.replace("{rma}", &self.rma).replace("{today}", &self.today.to_string());
        for u in self.units() {
            text = text.replace(&format!("{{{}}}", u.id), &u.serial).replace(&format!("{{{}.mac}}", u.id), &u.mac);
        }
        text
    }

    /// `rma new`, one of the papers left out.
    fn request(&self, without: Option<&str>) -> Result<Output, Output> {
        let mut words = ["rma", "new", "--program", &self.walk.program].map(str::to_owned).to_vec();
        let rma = &self.walk.rma;
        for (name, value) in [("--channel", &rma.channel), ("--customer", &rma.customer)] {
            words.extend([name.to_owned(), value.clone()]);
        }
        words.extend(["--email", "returns@customer.example"].map(str::to_owned));
        if !self.walk.papers.contains_key("serials") {
            words.extend(self.walk.unit.iter().flat_map(|u| ["--serial".to_owned(), u.serial.clone()]));
        }
        let papers = self.walk.papers.iter().filter(|(name, _)| Some(name.as_str()) != without);
        words.extend(papers.flat_map(|(_, words)| words).map(|word| self.filled(word)));
        let done = self.dock.cli(&words.iter().map(String::as_str).collect::<Vec<_>>());
        if done.status.success() { Ok(done) } else { Err(done) }
    }

    /// No number is given out without any of the papers.
    fn interlocks(&mut self) {
        for lock in std::mem::take(&mut self.walk.interlock) {
            match self.request(Some(&lock.without)) {
                Ok(done) => {
                    let number = said(&done.stdout);
                    self.wrong.push(format!("without {}: {} was given out", lock.without, number.trim()));
                }
                Err(done) if lock.refused.split('|').any(|rule| said(&done.stderr).contains(rule)) => {}
                Err(done) => self.wrong.push(format!("without {}: {}", lock.without, said(&done.stderr).trim())),
            }
        }
    }

    fn json(&self, words: &[&str]) -> Value {
        let done = self.dock.cli(words);
        serde_json::from_slice(&done.stdout).unwrap_or_else(|e| panic!("{words:?}: {e}: {}", said(&done.stderr)))
    }

    /// The journal's events of one kind, oldest first.
    fn journal(&self, kind: &str) -> Vec<Value> {
        let done = self.dock.cli(&["journal", "export"]);
        let lines = said(&done.stdout).lines().map(|l| serde_json::from_str::<Value>(l).unwrap()).collect::<Vec<_>>();
        lines.into_iter().map(|l| l["event"].clone()).filter(|e| e["kind"] == kind).collect()
    }

    fn step(&mut self, step: &Step, page: &mut Page) {
        let owed = self.journal("message_owed").len();
        let printed = self.dock.zebra.labels().len();
        let jobs = self.journal("job_made").len();
        let mut wrong = Vec::new();
        for (nth, act) in step.act.iter().enumerate() {
            let last = nth + 1 == step.act.len();
            let refused = step.refused.as_ref().filter(|_| last);
            if let Some(part) = act.strip_prefix("scan ") {
                for (scan, outcome) in self.tape.get(part).unwrap_or_else(|| panic!("no {part:?} on the tape")) {
                    let came = self.dock.scan(page, &self.filled(scan)).unwrap();
                    if came != *outcome {
                        wrong.push(format!("{part}: {scan} is {came}, not {outcome}: {}", page.view["screen"]));
                    }
                    let word = page.view["screen"]["word"].as_str().unwrap_or_default().to_lowercase();
                    if !step.words.is_empty() && !step.words.contains(&word) {
                        wrong.push(format!("{part}: {scan} shows {word:?}"));
                    }
                }
                self.dock.settled(page).unwrap();
                continue;
            }
            let done = self.act(act);
            let why = said(&done.stderr);
            match refused {
                None if done.status.success() => {}
                None => wrong.push(format!("{act}: {}", why.trim())),
                Some(_) if done.status.success() => wrong.push(format!("{act}: was not refused")),
                Some(rules) if rules.split('|').any(|rule| why.contains(rule)) => {}
                Some(rules) => wrong.push(format!("{act}: refused, but not by {rules}: {}", why.trim())),
            }
        }
        let mut made: BTreeMap<String, usize> = BTreeMap::new();
        for event in &self.journal("job_made")[jobs..] {
            *made.entry(event["job"]["label"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        let all = printed + made.values().sum::<usize>();
        // What did not come is said below.
        let _ = self.dock.zebra.wait(PATIENCE, |zebra| zebra.labels().len() >= all);
        let came = self.dock.zebra.labels().len() - printed;
        if made != step.labels || came != step.labels.values().sum::<usize>() {
            wrong.push(format!("{came} labels came out ({made:?} were made), not {:?}", step.labels));
        }
        let owed: Vec<String> = self.journal("message_owed")[owed..].iter().map(|e| about(&e["message"])).collect();
        for message in step.messages.iter().filter(|_| !step.act.is_empty()) {
            let (to, rules) = message.split_once(' ').unwrap();
            let is = |m: &&String| m.split_once(' ').is_some_and(|(who, rule)| who == to && one_of(rules, rule));
            if !owed.iter().any(|m| is(&m)) {
                wrong.push(format!("no message {message}; there came {owed:?}"));
            }
        }
        wrong.extend(self.of_the_rma(step));
        for (id, expected) in &step.units {
            wrong.extend(self.of_the_unit(id, expected).into_iter().map(|w| format!("{id}: {w}")));
        }
        self.wrong.extend(wrong.iter().map(|w| format!("- {}\n      {w}", step.what)));
    }

    /// A step as the walk writes it: `ship u1 tracking=1Z9`, `note u1 {...}`, `close`.
    fn act(&self, act: &str) -> Output {
        let (head, facts) = act.split_once(" {").map_or((act, None), |(head, json)| (head, Some(json)));
        let mut words = vec!["rma".to_owned(), "act".to_owned(), self.rma.clone()];
        let mut tokens = head.split(' ');
        words.extend(tokens.next().map(str::to_owned));
        for token in tokens {
            match (words.len(), token.contains('='), words.last_mut()) {
                (4, false, _) => words.push(self.unit(token).serial.clone()),
                (_, true, _) => words.extend(["--say".to_owned(), token.to_owned()]),
                (.., Some(last)) => *last = format!("{last} {token}"),
                _ => {}
            }
        }
        if let Some(facts) = facts {
            let file = self.dock.file("facts.json");
            fs::write(&file, format!("{{\"facts\": {{{facts}}}")).unwrap();
            words.extend(["--data".to_owned(), file.to_str().unwrap().to_owned()]);
        }
        words.extend(["--by", "Anna", "--json"].map(str::to_owned));
        self.dock.cli(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn of_the_rma(&self, step: &Step) -> Vec<String> {
        let mut wrong = Vec::new();
        let shown = self.json(&["rma", "show", &self.rma, "--json"]);
        if let Some(state) = step.rma.state.as_ref().filter(|state| shown["state"] != **state) {
            wrong.push(format!("the RMA is {}, not {state}", shown["state"]));
        }
        if let Some(missing) = &step.rma.missing {
            let open: Vec<&str> = shown["units"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|u| u["state"] == "awaited")
                .map(|u| u["serial"].as_str().unwrap_or_default())
                .collect();
            let expected: Vec<&str> = missing.iter().map(|id| self.unit(id).serial.as_str()).collect();
            if open != expected {
                wrong.push(format!("missing are {open:?}, not {expected:?}"));
            }
        }
        wrong
    }

    fn of_the_unit(&self, id: &str, expected: &Expected) -> Vec<String> {
        let unit = self.unit(id);
        let facts = self.facts(unit);
        let mut wrong = expected.against(&self.verdict(&facts), self.today);
        let posted = self.journal("posted").into_iter().map(|e| e["line"].clone());
        let posted: Vec<Value> = posted.filter(|l| l["unit"] == *unit.serial).collect();
        wrong.extend(expected.money(&posted));
        let moved = self.journal("unit_moved").into_iter().map(|e| e["moved"].clone());
        let moved: Vec<Value> = moved.filter(|m| m["unit"] == *unit.serial).collect();
        let state = moved.last().map_or(Value::Null, |m| m["to"].clone());
        if expected.closed && !["closed", "cancelled", "returned"].iter().any(|s| state == *s) {
            wrong.push(format!("is {state}, not closed"));
        }
        if let Some(rules) = expected.warranty.as_ref().and_then(|w| w.strip_prefix("restarts ")) {
            let successor = moved.iter().rev().find(|m| m["successor"].is_object()).map(|m| &m["successor"]["facts"]);
            let verdict = self.verdict(successor.and_then(Value::as_object).unwrap_or(&Map::new()));
            let reasons = verdict["reasons"].as_array().unwrap();
            if !reasons.iter().any(|r| one_of(rules, r["rule"].as_str().unwrap())) {
                wrong.push(format!("the warranty of the new unit does not restart by {rules}: {reasons:?}"));
            }
        }
        wrong
    }

    /// What is known of a unit now: what its receipt and its steps said, with what the RMA says of itself.
    fn facts(&self, unit: &Unit) -> Map<String, Value> {
        let rma = self.json(&["rma", "show", &self.rma, "--json"]);
        let of = |kind: &str, name: &str| {
            let mut all = self.journal(kind).into_iter().map(|e| e[name].clone());
            all.rfind(|e| e["unit"] == *unit.serial || e["serial"] == *unit.serial)
        };
        let known = of("unit_moved", "moved").or_else(|| of("received", "receipt"));
        let mut facts = match known {
            Some(known) => known["facts"].as_object().unwrap().clone(),
            None => {
                let mut facts = rma["facts"].as_object().unwrap().clone();
                facts.extend(self.shipped(unit));
                facts
            }
        };
        let about = facts.entry("rma").or_insert_with(|| json!({})).as_object_mut().unwrap();
        for (key, value) in rma["facts"]["rma"].as_object().into_iter().flatten() {
            // A quotation is one unit's.
            if !(key.starts_with("quote") || key.starts_with("approved")) || !about.contains_key(key) {
                about.insert(key.clone(), value.clone());
            }
        }
        about.insert("number".to_owned(), json!(self.rma));
        about.insert("issued".to_owned(), rma["issued"].clone());
        facts
    }

    /// `backdock verdict` on these facts.
    fn verdict(&self, facts: &Map<String, Value>) -> Value {
        let mut command = Command::new(super::support::dock::BINARY);
        command.args(["verdict", "--program", &self.walk.program, "--json", "--programs"]).arg(&self.programs);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        serde_json::to_writer(child.stdin.take().unwrap(), facts).unwrap();
        let done = child.wait_with_output().unwrap();
        serde_json::from_slice(&done.stdout).unwrap_or_else(|e| panic!("verdict: {e}: {}", said(&done.stderr)))
    }

    /// The text of every message, in their order.
    fn messages(&mut self, name: &str) {
        let rows = self.json(&["outbox", "--json", "--last", "500"]);
        let mut rows = rows.as_array().unwrap().clone();
        rows.sort_by_key(|row| row["id"].as_i64());
        let stable = self.stable();
        let (mut text, mut counts) = (String::new(), BTreeMap::<String, usize>::new());
        for row in &rows {
            let shown = self.json(&["outbox", "show", &row["id"].to_string(), "--json"]);
            let about = about(&shown);
            let body = shown["body"].as_str().unwrap();
            let whole = format!("{}\n\n{body}", shown["subject"].as_str().unwrap());
            if !whole.lines().next().unwrap().contains(&self.rma) {
                self.wrong.push(format!("message {about}: no RMA number in its subject"));
            }
            for wanted in self.walk.readable.get(&about).into_iter().flatten().filter(|w| !whole.contains(*w)) {
                self.wrong.push(format!("message {about}: {wanted:?} cannot be read in it"));
            }
            for not in self.walk.unreadable.get(&about).into_iter().flatten().filter(|w| whole.contains(*w)) {
                self.wrong.push(format!("message {about}: {not:?} can be read in it"));
            }
            writeln!(text, "=== {about}\nTo: {}\nSubject: {}", shown["recipients"], stable.text(&whole)).unwrap();
            *counts.entry(about).or_default() += 1;
        }
        for (about, expected) in &self.walk.messages {
            let n = counts.remove(about).unwrap_or(0);
            if !counted(expected, n) {
                self.wrong.push(format!("message {about}: {n} times, not {expected}"));
            }
        }
        self.wrong.extend(counts.iter().map(|(about, n)| format!("message {about}: {n} times, not expected")));
        self.wrong.extend(golden::compare(&format!("{name}.messages.txt"), &text));
    }

    /// The labels as the printer got them.
    fn labels(&mut self, name: &str) {
        let stable = self.stable();
        let mut text = String::new();
        for label in self.dock.zebra.labels() {
            writeln!(text, "{}\n", stable.text(String::from_utf8_lossy(&label.zpl).trim())).unwrap();
        }
        self.wrong.extend(golden::compare(&format!("{name}.labels.zpl"), &text));
    }

    fn stable(&self) -> Stable {
        let business: &[u64] = match self.walk.program.as_str() {
            "security-dvr" => &[0, 2, 5],
            "server-technology" => &[10],
            _ => &[],
        };
        Stable::new(&self.rma, self.today, &self.units().collect::<Vec<_>>(), business)
    }
}

/// `customer A-63`.
fn about(message: &Value) -> String {
    let word = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    format!("{} {}", word(&message["to"]), word(&message["rule"]))
}
