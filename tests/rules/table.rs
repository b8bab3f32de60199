//! The rules as tables: what each rule makes a verdict say, and of which units it says it.
//!
//! `tables/a.txt` to `e.txt` are read beside the written processes. Each begins with one unit in order
//! (`unit`, as JSON) and with the facts that are varied (`axis`, every value that matters). Then, rule by
//! rule, what the verdict says, word for word (`*` stands for figures), the unit of which it says so (the
//! first one but for what `of` changes), and within which values it stands (`only`): on every other axis
//! it stands whatever the value is. [`table`] asks for all of it, one fact varied at a time.
//!
//! What follows the word `filled` is asked of the program as a company would complete it (see
//! [`super::support::filled`]), since without amounts and lists nothing is charged. Lines that begin with
//! `dock` are `dock.rs`'s.
//!
//! The sentences and their limits were first written out by machine, as the engine says them, and then read
//! line by line beside the processes; what the tests around them ask for was written by hand before.
//!
//! `-` is an absent fact; an answer is given by name. What a person may lift or must sign is said in
//! brackets and tried out.

use super::dock;
use super::ledger::PROVEN;
use super::support::*;
use backdock::domain::verdict::{Charge, Hold, Move, Verdict};
use std::collections::BTreeMap;

pub const TABLES: [(&str, &str, &str); 5] = [
    ("A", "voip", include_str!("tables/a.txt")),
    ("B", "security", include_str!("tables/b.txt")),
    ("C", "unex", include_str!("tables/c.txt")),
    ("D", "server", include_str!("tables/d.txt")),
    ("E", "smart", include_str!("tables/e.txt")),
];

/// The values of the facts that differ from the first unit, by axis.
type Choice<'t> = BTreeMap<&'t str, &'t str>;

pub struct Table<'t> {
    pub unit: Value,
    /// Path of the fact, its values; the first one is the unit's own.
    pub axes: Vec<(&'t str, Vec<&'t str>)>,
    pub entries: Vec<Entry<'t>>,
}

#[derive(Default)]
pub struct Entry<'t> {
    pub rule: &'t str,
    pub says: &'t str,
    pub of: Choice<'t>,
    pub only: Vec<(&'t str, Vec<&'t str>)>,
    /// Asked of the program with its open amounts and lists filled in.
    pub filled: bool,
}

/// Asks for everything that the table says of `rule`.
#[track_caller]
pub fn table(rule: &str) {
    ask(&rule[..1], |id| id == rule);
}

/// Asks for everything in the table of one process that no test of its own rule asks for.
#[track_caller]
pub fn rest_of_table(letter: &str) {
    ask(letter, |id| PROVEN.iter().all(|(proven, _)| *proven != id));
}

#[track_caller]
fn ask(letter: &str, asked: impl Fn(&str) -> bool) {
    let (_, file, text) = TABLES.iter().find(|(of, ..)| letter == *of).unwrap();
    let table = Table::read(text);
    let entries: Vec<&Entry<'_>> = table.entries.iter().filter(|entry| asked(entry.rule)).collect();
    // Situations at the dock that cite the rule.
    let cited = |line: &&str| {
        let rule = line.split(": ").nth(1).and_then(|rest| rest.split(' ').next());
        rule.is_some_and(|rule| PROVEN.iter().any(|(id, _)| *id == rule) && asked(rule))
    };
    let dock: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("dock ")).filter(cited).collect();
    assert!(entries.len() + dock.len() > 0, "the table says nothing of it");
    let said = dock::says(program(file), &[]);
    for line in dock {
        assert!(said.iter().any(|s| s == line), "not said at the dock: {line}");
    }
    for entry in entries {
        let wrong = table.wrong(file, entry);
        assert!(wrong.is_empty(), "{} {}\n{}", entry.rule, entry.says, wrong.join("\n"));
    }
}

impl<'t> Table<'t> {
    pub fn read(text: &'t str) -> Table<'t> {
        let mut table = Table { unit: Value::Null, axes: Vec::new(), entries: Vec::new() };
        let mut filled = false;
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if line == "filled" {
                filled = true;
                continue;
            }
            let (word, rest) = line.trim_start().split_once(' ').unwrap_or_else(|| panic!("{line}"));
            let rest = rest.trim();
            let pairs = || rest.split_whitespace().map(|pair| pair.split_once('=').unwrap_or_else(|| panic!("{line}")));
            match word {
                "unit" => table.unit = serde_json::from_str(rest).unwrap_or_else(|e| panic!("{line}: {e}")),
                "axis" => {
                    let (path, values) = rest.split_once(':').unwrap_or_else(|| panic!("{line}"));
                    table.axes.push((path, values.split_whitespace().collect()));
                }
                "of" => table.entries.last_mut().unwrap().of = pairs().collect(),
                "only" => {
                    let only = pairs().map(|(axis, values)| (axis, values.split('|').collect()));
                    table.entries.last_mut().unwrap().only = only.collect();
                }
                "dock" => {}
                rule => table.entries.push(Entry { rule, says: rest, filled, ..Entry::default() }),
            }
        }
        table
    }

    /// The facts of a choice.
    pub fn facts(&self, choice: &Choice<'_>) -> Value {
        let change = |(path, values): &(&str, Vec<&str>)| {
            let chosen = choice.get(path).copied().unwrap_or(name(values[0]));
            let text = values.iter().find(|v| name(v) == chosen);
            let text = text.unwrap_or_else(|| panic!("{path} has no value {chosen}"));
            let value = value(path, text.split_once('=').map_or(text, |(_, json)| json));
            path.rsplit('.').fold(value, |inner, key| json!({ key: inner }))
        };
        self.axes.iter().map(change).fold(self.unit.clone(), with)
    }

    /// What is not as the entry says.
    fn wrong(&self, file: &str, entry: &Entry<'_>) -> Vec<String> {
        let p = if entry.filled { filled(file) } else { program(file) };
        let (says, remark) = plain(entry.says);
        let says = if says.starts_with("route ") { says } else { format!("{} {says}", entry.rule) };
        let mut wrong = Vec::new();
        let facts = self.facts(&entry.of);
        let times = |facts: &Value| told(&judge(p, facts)).iter().filter(|line| fits(&says, line)).count();
        let found = told(&judge(p, &facts));
        if times(&facts) != 1 {
            wrong.push(format!("of {:?} it says instead:\n  {}", entry.of, found.join("\n  ")));
        }
        wrong.extend(signed(remark, &says, &|change| times(&with(facts.clone(), change))));
        for (axis, values) in &self.axes {
            let own = entry.of.get(axis).copied().unwrap_or(name(values[0]));
            let only = entry.only.iter().find(|(a, _)| a == axis);
            for value in values.iter().map(|v| name(v)).filter(|v| *v != own) {
                let mut choice = entry.of.clone();
                choice.insert(axis, value);
                let want = usize::from(only.is_none_or(|(_, within)| within.contains(&value)));
                let got = times(&self.facts(&choice));
                if got != want {
                    wrong.push(format!("{axis}={value}: said {got} times instead of {want}"));
                }
            }
        }
        wrong
    }
}

fn name(value: &str) -> &str {
    value.split('=').next().unwrap_or(value)
}

/// A fact as written in a table.
fn value(path: &str, text: &str) -> Value {
    match text {
        "-" | "null" => Value::Null,
        "true" | "false" => json!(text == "true"),
        _ if path == "warranty_months" => json!(text.parse::<u32>().unwrap()),
        _ if text.starts_with(['[', '{']) => serde_json::from_str(text).unwrap_or_else(|e| panic!("{text}: {e}")),
        _ if path.starts_with("answers.") => json!({"answer": text, "by": "M. Gray"}),
        _ => json!(text),
    }
}

/// The sentence without its remark, and the remark.
fn plain(says: &str) -> (String, &str) {
    for remark in [", in person)", ", by name, by fact)", ", by name)", ", by fact)"] {
        if let Some((before, after)) = says.split_once(remark) {
            return (format!("{before}){after}"), remark);
        }
    }
    (says.to_owned(), "")
}

/// Whether a person by name lifts a hold or answers a question, and nobody else does.
fn signed(remark: &str, says: &str, times: &dyn Fn(Value) -> usize) -> Vec<String> {
    let mut words = says.split(' ').skip(1); // after the rule
    let (kind, code) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let lift = |by: Value| json!({"released": {code: {"answer": "go on", "by": by}}});
    let answer = says.split(['(', '/', ')']).nth(1).filter(|a| !a.is_empty()).unwrap_or("some text");
    let say = |by: Value| json!({"answers": {code: {"answer": answer, "by": by}}});
    let tried = match kind {
        "hold" => vec![
            ("lifted by a person", lift(json!("M. Gray")), remark != ", in person)"),
            ("lifted by nobody", lift(json!(null)), true),
        ],
        "ask" => vec![
            ("answered by name", say(json!("M. Gray")), remark.contains("by fact")),
            ("answered without a name", say(json!(null)), remark.contains("by name") || remark.contains("by fact")),
        ],
        _ => vec![],
    };
    let wrong = |(what, change, stays): (&str, Value, bool)| {
        (times(change) != usize::from(stays)).then(|| format!("{what}: {}", if stays { "gone" } else { "stays" }))
    };
    tried.into_iter().filter_map(wrong).collect()
}

/// Everything a verdict says, one line each, with its rule in front. The action names no rule: it
/// stands together with the reasons given for it. The route stands alone.
pub fn told(v: &Verdict) -> Vec<String> {
    let moves = |moves: &[Move]| match moves.len() == Move::ALL.len() - 1 {
        true => "all".to_owned(),
        false => moves.iter().map(|m| m.as_str()).collect::<Vec<_>>().join(" "),
    };
    let a = &v.advance_replacement;
    let mut lines = vec![format!("{} advance {}", a.rule, a.mode)];
    lines.extend(v.reasons.iter().map(|r| format!("{} action {}: {}", r.rule, v.action, r.text)));
    lines.extend(v.route.iter().map(|team| format!("route {team}")));
    lines.extend(v.vendor.iter().map(|v| {
        let number = if v.rma_number_required { "with" } else { "without" };
        format!("{} vendor {} {number} an RMA number", v.rule, v.send_to)
    }));
    lines.extend(v.legs.iter().map(|l| format!("{} leg {} {} {}", l.rule, l.leg, l.payer, l.service)));
    let charge = |c: &Charge| format!("{} charge {} {} {} {}", c.rule, c.kind, c.amount, c.currency, c.to);
    lines.extend(v.charges.iter().map(charge));
    let hold =
        |h: &Hold| format!("{} hold {} ({}) blocks {}: {}", h.rule, h.code, h.released_by, moves(&h.blocks), h.text);
    lines.extend(v.holds.iter().map(hold));
    lines.extend(v.questions.iter().map(|q| {
        let answers = q.answers.iter().map(|a| &**a).collect::<Vec<_>>().join("/");
        let blocks = if q.blocks.is_empty() { "nothing".to_owned() } else { moves(&q.blocks) };
        format!("{} ask {} ({answers}) blocks {blocks}: {}", q.rule, q.code, q.text)
    }));
    lines.extend(v.messages.iter().map(|m| format!("{} tell {} {}: {}", m.rule, m.to, m.about, m.text)));
    lines.extend(v.due.iter().map(|d| format!("{} due {} {}", d.rule, d.what, d.by)));
    lines.extend(v.reasons.iter().map(|r| format!("{} say {}", r.rule, r.text)));
    lines
}

/// Whether a line is what the table says; `*` stands for anything.
fn fits(says: &str, line: &str) -> bool {
    let parts: Vec<&str> = says.split('*').collect();
    let (Some(mut rest), [_, between @ .., last]) = (line.strip_prefix(parts[0]), &parts[..]) else {
        return says == line;
    };
    for part in between {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}
