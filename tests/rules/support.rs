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

/// A program file: its text, and the programs made of it once they were asked for.
struct Shipped {
    file: &'static str,
    text: String,
    plain: OnceLock<Program>,
    filled: OnceLock<Program>,
}

/// The program file whose name begins with `name`.
fn shipped(name: &str) -> &'static Shipped {
    static ALL: OnceLock<Vec<Shipped>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let dir = std::env::var_os("BACKDOCK_RULES_PROGRAMS");
        let text = |file: &str, embedded: &str| match &dir {
            None => embedded.to_owned(),
            Some(dir) => std::fs::read_to_string(Path::new(dir).join(file)).unwrap_or_else(|e| panic!("{file}: {e}")),
        };
        let (plain, filled) = (OnceLock::new(), OnceLock::new());
        let one = |(file, embedded): &(&'static str, &str)| Shipped {
            file,
            text: text(file, embedded),
            plain: plain.clone(),
            filled: filled.clone(),
        };
        SHIPPED.iter().map(one).collect()
    });
    all.iter().find(|shipped| shipped.file.starts_with(name)).unwrap()
}

fn parsed(file: &str, text: &str) -> Program {
    let read = Program::parse(file, text);
    read.unwrap_or_else(|problems| panic!("{}", problems.iter().map(|p| format!("{p}\n")).collect::<String>())).value
}

/// The shipped program whose file name begins with `name`.
pub fn program(name: &str) -> &'static Program {
    let shipped = shipped(name);
    shipped.plain.get_or_init(|| parsed(shipped.file, &shipped.text))
}

/// That program as a company would complete it: the first open amount is 10.00, the second 20.00 and so on;
/// the first list has "scratches" and a missing "manual", the second "burn marks" and a missing "seal".
pub fn filled(name: &str) -> &'static Program {
    let shipped = shipped(name);
    shipped.filled.get_or_init(|| {
        let mut text = shipped.text.clone();
        let mut amounts = (10..).step_by(10);
        while text.contains("# amount = \"0.00\"") {
            let amount = format!("amount = \"{}\"", amounts.next().unwrap());
            text = text.replacen("# amount = \"0.00\"", &amount, 1);
        }
        for (seen, missed) in [("scratches", "manual"), ("burn marks", "seal")] {
            let list = format!("present = [\"{seen}\"]\nmissing = [\"{missed}\"]");
            text = text.replacen("present = []\nmissing = []", &list, 1);
        }
        parsed("filled.toml", &text)
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
    // A number that was given out is not taken back: what came is judged by the other moves.
    Move::ALL.iter().map(|(_, m)| *m).filter(|m| *m != Move::Issue && verdict.allows(*m)).collect()
}

/// `days` after `from`.
pub fn plus(from: &str, days: u64) -> String {
    (date(from) + chrono::Days::new(days)).to_string()
}

/// The text of the shipped program whose file name begins with `name`.
pub fn shipped_text(name: &str) -> &'static str {
    &shipped(name).text
}

/// That program with one piece of its file replaced, which must be there exactly once.
#[track_caller]
pub fn changed(name: &str, old: &str, new: &str) -> Program {
    let text = shipped_text(name);
    assert_eq!(text.matches(old).count(), 1, "this file has no such place to change: {old}");
    let read = Program::parse("changed.toml", &text.replace(old, new));
    read.unwrap_or_else(|problems| panic!("{problems:#?}")).value
}
