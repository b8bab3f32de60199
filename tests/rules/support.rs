//! What all rule tests share: programs by id, facts by merging JSON, short ways to ask a verdict.
//!
//! The programs are those that come with the daemon, or, where `BACKDOCK_RULES_PROGRAMS` names a
//! directory, the files of the same names in it: so `tests/stages/rule-ledger` can alter a row and ask
//! the same tests again without building them anew.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::OnceLock;

use backdock::domain::facts::Facts;
use backdock::domain::verdict::{Charge, Hold, Leg, Move, Verdict};
use backdock::program::{Program, SHIPPED};
use chrono::NaiveDate;
pub use serde_json::{Value, json};

pub fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The program file whose name begins with `name`: its name, its text, and the program once it was asked for.
fn shipped(name: &str) -> &'static (&'static str, String, OnceLock<Program>) {
    static ALL: OnceLock<Vec<(&str, String, OnceLock<Program>)>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let dir = std::env::var_os("BACKDOCK_RULES_PROGRAMS");
        let text = |file: &str, embedded: &str| match &dir {
            None => embedded.to_owned(),
            Some(dir) => std::fs::read_to_string(Path::new(dir).join(file)).unwrap_or_else(|e| panic!("{file}: {e}")),
        };
        SHIPPED.iter().map(|(file, embedded)| (*file, text(file, embedded), OnceLock::new())).collect()
    });
    all.iter().find(|(file, ..)| file.starts_with(name)).unwrap()
}

/// The shipped program whose file name begins with `name`.
pub fn program(name: &str) -> &'static Program {
    let (file, text, parsed) = shipped(name);
    parsed.get_or_init(|| {
        let read = Program::parse(file, text);
        read.unwrap_or_else(|problems| panic!("{}", problems.iter().map(|p| format!("{p}\n")).collect::<String>())).value
    })
}

/// `change` laid over `base`: objects are merged, everything else is replaced (`null` removes).
pub fn with(mut base: Value, change: Value) -> Value {
    match (&mut base, change) {
        (Value::Object(base), Value::Object(change)) => {
            for (key, value) in change {
                let old = base.get(&key).cloned().unwrap_or(Value::Null);
                base.insert(key, with(old, value));
            }
        }
        (base, change) => *base = change,
    }
    base
}

/// The verdict of `program` on `facts`; without `today` in the facts it is 2030-01-01.
pub fn judge(program: &Program, facts: &Value) -> Verdict {
    let facts = Facts::from_json(facts).unwrap_or_else(|e| panic!("{e}"));
    program.verdict(&facts, date("2030-01-01"))
}

/// Every rule id that the verdict cites, wherever it stands.
pub fn rules(verdict: &Verdict) -> BTreeSet<String> {
    fn walk(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    match value {
                        Value::String(rule) if key == "rule" => {
                            found.insert(rule.clone());
                        }
                        _ => walk(value, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    walk(&serde_json::to_value(verdict).unwrap(), &mut found);
    found
}

#[track_caller]
pub fn cites(verdict: &Verdict, ids: &[&str]) {
    let found = rules(verdict);
    for id in ids {
        assert!(found.contains(*id), "{id} is not cited, only {found:?}");
    }
}

#[track_caller]
pub fn silent_on(verdict: &Verdict, ids: &[&str]) {
    let found = rules(verdict);
    for id in ids {
        assert!(!found.contains(*id), "{id} is cited");
    }
}

/// `leg payer service rule` of each leg, in order.
pub fn legs(verdict: &Verdict) -> Vec<String> {
    let line = |l: &Leg| format!("{} {} {} {}", l.leg, l.payer, l.service, l.rule);
    verdict.legs.iter().map(line).collect()
}

/// `kind amount currency to rule` of each charge, in order.
pub fn charges(verdict: &Verdict) -> Vec<String> {
    let line = |c: &Charge| format!("{} {} {} {} {}", c.kind, c.amount, c.currency, c.to, c.rule);
    verdict.charges.iter().map(line).collect()
}

/// `code rule` of each hold, in order.
pub fn holds(verdict: &Verdict) -> Vec<String> {
    verdict.holds.iter().map(|h| format!("{} {}", h.code, h.rule)).collect()
}

#[track_caller]
pub fn hold<'v>(verdict: &'v Verdict, code: &str) -> &'v Hold {
    let found = verdict.holds.iter().find(|h| h.code == *code);
    found.unwrap_or_else(|| panic!("no hold {code}, only {:?}", holds(verdict)))
}

pub fn is_held(verdict: &Verdict, code: &str) -> bool {
    verdict.holds.iter().any(|h| h.code == *code)
}

/// `code rule` of each question.
pub fn questions(verdict: &Verdict) -> Vec<String> {
    verdict.questions.iter().map(|q| format!("{} {}", q.code, q.rule)).collect()
}

/// `role about rule` of each message.
pub fn messages(verdict: &Verdict) -> Vec<String> {
    verdict.messages.iter().map(|m| format!("{} {} {}", m.to, m.about, m.rule)).collect()
}

/// `what by rule` of each due date.
pub fn dues(verdict: &Verdict) -> Vec<String> {
    verdict.due.iter().map(|d| format!("{} {} {}", d.what, d.by, d.rule)).collect()
}

/// The text of the first reason that cites `rule`.
#[track_caller]
pub fn reason<'v>(verdict: &'v Verdict, rule: &str) -> &'v str {
    let found = verdict.reasons.iter().find(|r| r.rule == *rule);
    &found.unwrap_or_else(|| panic!("no reason cites {rule}")).text
}

/// The moves that are open.
pub fn open(verdict: &Verdict) -> Vec<Move> {
    Move::ALL.iter().map(|(_, m)| *m).filter(|m| verdict.allows(*m)).collect()
}

/// `days` after `from`.
pub fn plus(from: &str, days: u64) -> String {
    (date(from) + chrono::Days::new(days)).to_string()
}

/// The text of the shipped program whose file name begins with `name`.
pub fn shipped_text(name: &str) -> &'static str {
    &shipped(name).1
}

/// That program with one piece of its file replaced, which must be there exactly once.
#[track_caller]
pub fn changed(name: &str, old: &str, new: &str) -> Program {
    let text = shipped_text(name);
    assert_eq!(text.matches(old).count(), 1, "this file has no such place to change: {old}");
    let read = Program::parse("changed.toml", &text.replace(old, new));
    read.unwrap_or_else(|problems| panic!("{problems:#?}")).value
}
