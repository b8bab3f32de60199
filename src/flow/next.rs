//! What moves a case on, in words that can be typed. PURE.
//!
//! A work list is of use only if each line says what to do. Nothing here knows a program's holds: each way
//! (a release, an answer, a step, a fact) is laid over what is known and judged again, and the first that
//! makes the hold or question go away is named. What is named would therefore be taken; where nothing
//! would, that is said too.

use super::life::{self, Unit, Wish, case_on, put};
use crate::domain::facts::{Damage, Outcome, Packaging};
use crate::domain::rma::Rma;
use crate::domain::shipment::CHANNELS;
use crate::domain::unit::{Step, UnitState};
use crate::domain::verdict::{Action, Hold, Move, Question, Verdict};
use crate::program::Program;
use crate::rma::steps::{self, FieldKind, Row};
use chrono::NaiveDate;
use serde_json::{Map, Value, json};

/// A unit on its RMA, with what the program says of it today.
pub struct At<'a> {
    pub rma: &'a Rma,
    pub program: &'a Program,
    pub unit: &'a Unit,
    pub verdict: &'a Verdict,
    /// Its facts with the RMA's own laid over them.
    pub facts: &'a Map<String, Value>,
    pub today: NaiveDate,
}

/// What is to go away.
#[derive(Clone, Copy)]
enum Goal<'a> {
    Hold(&'a str),
    Question(&'a str),
}

/// Facts of a unit that a note can add, each with words that may be written.
const OF_UNIT: &[(&str, &str)] = &[
    ("distributor", "NAME"),
    ("channel", "CHANNEL"),
    ("account", "NUMBER"),
    ("packaging", "PACKAGING"),
    ("damage", "DAMAGE"),
    ("reported", "DATE"),
    ("purchase_date", "DATE"),
    ("ship_date", "DATE"),
    ("warranty_until", "DATE"),
    ("brand", "NAME"),
    ("model", "NAME"),
    ("macs", "MAC"),
    ("rma_marked_outside", "true"),
    ("rush.paid_by_customer", "true"),
    ("advance.original_received", "DATE"),
    ("outcome", "OUTCOME"),
];

/// Facts of the whole RMA that a note can add.
const OF_RMA: &[(&str, &str)] = &[
    ("ticket", "NUMBER"),
    ("support_request", "DATE"),
    ("diagnosed", "DATE"),
    ("qualified", "DATE"),
    ("consent", "DATE"),
    ("wants_back", "true"),
    ("contacted", "DATE"),
    ("proof_of_purchase", "DATE"),
];

/// The command line of a step of a unit.
pub fn command(rma: &str, step: Step, unit: &str, said: &[(&str, &str)]) -> String {
    let said: Vec<String> = said.iter().map(|(name, value)| format!(" --say {name}={value}")).collect();
    format!("backdock rma act {rma} {step} {unit} --by WHO{}", said.concat())
}

/// The command line of a step of a whole RMA.
pub fn of_rma(rma: &str, step: &str) -> String {
    format!("backdock rma act {rma} {step} --by WHO")
}

/// What lifts a hold.
pub fn lifts(at: &At, hold: &Hold) -> String {
    if let Some(way) = at.way(Goal::Hold(&hold.code)) {
        return way;
    }
    if hold.released_by == "program file" {
        let version = &at.rma.program_version;
        return format!(
            "no step lifts it: version {version} of the program, under which this RMA was issued, has no amount"
        );
    }
    format!("{} decides; what is found out is written down with {}", hold.released_by, at.note(None, "NAME", "VALUE"))
}

/// What closes a question.
pub fn answers(at: &At, question: &Question) -> String {
    at.way(Goal::Question(&question.code)).unwrap_or_else(|| at.answer(&question.code, &[]))
}

/// The step that comes next on the unit's way, or what stands in front of it.
pub fn forward(at: &At) -> String {
    let wanted = at.candidates();
    for step in &wanted {
        if let Some(command) = at.allowed(*step) {
            return command;
        }
    }
    let guard = wanted.first().and_then(|step| steps::of(*step).guard);
    let Some(guard) = guard else {
        return match at.unit.state {
            UnitState::Awaited | UnitState::AdvanceShipped => "scan it at the dock when it comes".to_owned(),
            _ => format!("backdock rma show {}", at.rma.number),
        };
    };
    if stands_still(at) {
        return again(&at.rma.number, &at.unit.name);
    }
    if let Some(hold) = at.verdict.holds_on(guard).next() {
        return lifts(at, hold);
    }
    let question = at.verdict.questions.iter().find(|q| q.blocks.contains(&guard));
    question.map_or_else(|| format!("backdock rma show {}", at.rma.number), |q| answers(at, q))
}

/// Set aside, and nothing holds it any more: what lifted the hold was said of the whole RMA.
pub fn stands_still(at: &At) -> bool {
    at.unit.state == UnitState::Held && at.verdict.holds_on(Move::Bench).next().is_none()
}

/// What lets a unit pass that the dock itself set aside.
pub fn lets_pass(at: &At, code: &str) -> String {
    let said = json!({"hold": code, "why": "WHY"});
    let said = said.as_object().cloned().unwrap_or_default();
    match at.takes(Step::Release, &said) {
        true => command(&at.rma.number, Step::Release, &at.unit.name, &[("hold", code), ("why", "WHY")]),
        false => again(&at.rma.number, &at.unit.name),
    }
}

/// A note that says nothing: the unit is judged again, and goes on where nothing holds it.
pub fn again(rma: &str, unit: &str) -> String {
    format!("echo '{{\"facts\": {{}}}}' | backdock rma act {rma} note {unit} --by WHO --data -")
}

impl At<'_> {
    /// The steps that the state and the program's action suggest, the best one first.
    fn candidates(&self) -> Vec<Step> {
        use UnitState as S;
        let found = self.facts.contains_key("outcome");
        match (self.unit.state, self.verdict.action) {
            (S::Received | S::Held, Action::Reject) => vec![Step::Refuse],
            (S::Received | S::Held, Action::Quote) => vec![Step::Quote],
            (S::Received | S::Held, Action::Replace) => vec![Step::Diagnose, Step::Replace],
            (S::Received | S::Held, _) => vec![Step::Diagnose],
            (S::Diagnosing, _) if !found => vec![Step::Find],
            (S::Diagnosing, Action::Repair) => vec![Step::Repair],
            (S::Diagnosing, Action::Replace | Action::Exchange) => vec![Step::Replace, Step::VendorRequest],
            (S::Diagnosing, Action::Credit) => vec![Step::Credit],
            (S::Diagnosing, Action::Quote) => vec![Step::Quote],
            (S::Diagnosing | S::Qc | S::VendorCredited, _) => vec![Step::Ready],
            (S::Quoted, _) if !self.verdict.allows(Move::Repair) => vec![Step::Approve],
            (S::Quoted, _) => vec![Step::Approve, Step::Repair],
            (S::Approved, Action::Replace) => vec![Step::Replace],
            (S::Approved, _) => vec![Step::Repair],
            (S::Suspended, _) => vec![Step::Diagnose],
            (S::Repairing, _) if self.missing("burn_in") => vec![Step::BurnIn, Step::Ready],
            (S::Repairing | S::BurnIn, _) if self.missing("qc") => vec![Step::Qc, Step::Ready],
            (S::Repairing | S::BurnIn, _) => vec![Step::Ready],
            (S::VendorRequested, _) => vec![Step::VendorNumber],
            (S::VendorNumbered, _) => vec![Step::VendorShip],
            (S::VendorShipped, _) => vec![Step::VendorReplace],
            (S::VendorReplaced, _) => vec![Step::Test],
            (S::VendorTested | S::Ready | S::Refused, _) => vec![Step::Ship],
            (S::Shipped, _) => vec![Step::Close],
            _ => Vec::new(),
        }
    }

    /// Whether a hold waits for the fact that a step stamps.
    fn missing(&self, fact: &str) -> bool {
        let done = |hold: &Hold| self.gone(Goal::Hold(&hold.code), |facts| put(facts, fact, json!(self.today)));
        !self.facts.contains_key(fact) && self.verdict.holds.iter().any(done)
    }

    /// The command of a step, if it would be taken now.
    pub fn allowed(&self, step: Step) -> Option<String> {
        let row = steps::of(step);
        let required = row.fields.iter().filter(|f| f.required);
        let mut said = Map::new();
        let mut shown = Vec::new();
        for field in required {
            said.insert(field.name.to_owned(), sample(field.kind, self.today));
            shown.push((field.name, blank(field.kind, field.name)));
        }
        if !self.takes(step, &said) {
            return None;
        }
        let shown: Vec<(&str, &str)> = shown.iter().map(|(n, v)| (*n, v.as_str())).collect();
        Some(format!("{}{}", command(&self.rma.number, step, &self.unit.name, &shown), choices(row)))
    }

    fn takes(&self, step: Step, said: &Map<String, Value>) -> bool {
        let wish = Wish { step, by: "WHO", said };
        life::act(self.rma, self.program, self.unit, &wish, self.today, &|_, _| true, 0).is_ok()
    }

    /// Whether `change` makes the hold or question go away.
    fn gone(&self, goal: Goal, change: impl FnOnce(&mut Map<String, Value>)) -> bool {
        let mut facts = self.facts.clone();
        change(&mut facts);
        // The RMA's own facts lie in `facts` already; laid over again they would hide the change.
        let bare = Rma { facts: Map::new(), ..self.rma.clone() };
        let Ok((_, case)) = case_on(&bare, self.program, &facts, self.today) else { return false };
        match goal {
            Goal::Hold(code) => !case.verdict.holds.iter().any(|h| *h.code == *code),
            Goal::Question(code) => !case.verdict.questions.iter().any(|q| *q.code == *code),
        }
    }

    fn way(&self, goal: Goal) -> Option<String> {
        if let Goal::Hold(code) = goal {
            let lifted = json!({"answer": "why", "by": "WHO"});
            if self.gone(goal, |facts| put(facts, &format!("released.{code}"), lifted)) {
                let said = [("hold", code), ("why", "WHY")];
                return Some(command(&self.rma.number, Step::Release, &self.unit.name, &said));
            }
        }
        self.by_answer(goal).or_else(|| self.by_step(goal)).or_else(|| self.by_fact(goal))
    }

    /// An open question whose answer does it.
    fn by_answer(&self, goal: Goal) -> Option<String> {
        let open = self.verdict.questions.iter().filter(|q| match goal {
            Goal::Hold(_) => true,
            Goal::Question(code) => *q.code == *code,
        });
        for question in open {
            let code = &question.code;
            let does = |answer: &str| self.gone(goal, |facts| self.program.answer(facts, code, answer, "WHO"));
            let good: Vec<&str> = question.answers.iter().map(|a| &**a).filter(|a| does(a)).collect();
            if !good.is_empty() || (question.answers.is_empty() && does("text")) {
                return Some(self.answer(code, &good));
            }
        }
        None
    }

    fn answer(&self, code: &str, answers: &[&str]) -> String {
        let said = [("question", code), ("answer", "ANSWER")];
        let command = command(&self.rma.number, Step::Answer, &self.unit.name, &said);
        if answers.is_empty() { command } else { format!("{command}   (ANSWER: {})", answers.join(", ")) }
    }

    /// A step that sets the fact: one that can be made from here before one that cannot.
    fn by_step(&self, goal: Goal) -> Option<String> {
        let here = |row: &&Row| row.from.contains(&self.unit.state);
        let (now, later): (Vec<&Row>, Vec<&Row>) = steps::STEPS.iter().partition(here);
        // Nothing comes after these states but the way out: a step of the bench will not be made any more.
        let over = matches!(self.unit.state, UnitState::Refused | UnitState::Shipped);
        let later = later.iter().filter(|_| !over);
        let row = now.iter().chain(later).find(|row| self.step_does(row, goal))?;
        let mut said: Vec<(&str, String)> =
            row.fields.iter().filter(|f| f.required).map(|f| (f.name, blank(f.kind, f.name))).collect();
        if row.step == Step::Approve && !self.gone(goal, |facts| put(facts, "rma.approved_on", json!(self.today))) {
            said.push(("purchase_order", "NUMBER".to_owned()));
        }
        let said: Vec<(&str, &str)> = said.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let command = command(&self.rma.number, row.step, &self.unit.name, &said);
        let choices = choices(row);
        Some(match (row.from.first(), self.before(row)) {
            (Some(first), _) if !row.from.contains(&self.unit.state) => {
                format!("{command}{choices}   (once it is {first})")
            }
            (_, Some(before)) => format!("{command}{choices}   (once {before} is lifted)"),
            _ => format!("{command}{choices}"),
        })
    }

    /// The hold or question that forbids a step from here.
    fn before(&self, row: &Row) -> Option<&str> {
        let mut said = Map::new();
        for field in row.fields.iter().filter(|f| f.required) {
            said.insert(field.name.to_owned(), sample(field.kind, self.today));
        }
        let guard = row.guard.filter(|_| !self.takes(row.step, &said))?;
        let hold = self.verdict.holds_on(guard).next().map(|h| &*h.code);
        hold.or_else(|| self.verdict.questions.iter().find(|q| q.blocks.contains(&guard)).map(|q| &*q.code))
    }

    fn step_does(&self, row: &Row, goal: Goal) -> bool {
        match row.step {
            // It makes a case of another kind.
            Step::AdvanceShip => false,
            Step::Find => {
                !self.facts.contains_key("outcome")
                    && Outcome::ALL.iter().all(|(word, _)| self.gone(goal, |facts| put(facts, "outcome", json!(word))))
            }
            Step::Approve => self.gone(goal, |facts| {
                put(facts, "rma.approved_on", json!(self.today));
                put(facts, "rma.purchase_order", json!(self.today));
            }),
            _ if row.stamps.is_empty() && row.fields.iter().all(|f| f.fact.is_empty()) => false,
            _ => self.gone(goal, |facts| {
                row.stamps.iter().for_each(|path| put(facts, path, json!(self.today)));
                for field in row.fields.iter().filter(|f| !f.fact.is_empty()) {
                    put(facts, field.fact, sample(field.kind, self.today));
                }
            }),
        }
    }

    /// A fact that nobody has said yet.
    fn by_fact(&self, goal: Goal) -> Option<String> {
        let unsaid = |path: &str| match path.split_once('.') {
            None => !said(self.facts.get(path)),
            Some((outer, inner)) => !said(self.facts.get(outer).and_then(|o| o.get(inner))),
        };
        for (name, blank) in OF_RMA {
            let path = format!("rma.{name}");
            if unsaid(&path) && self.gone(goal, |facts| put(facts, &path, self.value(blank))) {
                return Some(self.note(Some("rma"), name, blank));
            }
        }
        for (path, blank) in OF_UNIT {
            if !unsaid(path) || !self.values(blank).into_iter().any(|v| self.gone(goal, |f| put(f, path, v))) {
                continue;
            }
            return Some(match path.split_once('.') {
                Some((outer, inner)) => self.note(Some(outer), inner, blank),
                None => self.note(None, path, blank),
            });
        }
        None
    }

    fn value(&self, blank: &str) -> Value {
        match blank {
            "DATE" => json!(self.today),
            "true" => json!(true),
            "MAC" => json!(["02-00-00-00-00-01"]),
            other => json!(other),
        }
    }

    fn values(&self, blank: &str) -> Vec<Value> {
        match blank {
            "CHANNEL" => CHANNELS.iter().map(|c| json!(c)).collect(),
            "PACKAGING" => Packaging::ALL.iter().map(|(word, _)| json!(word)).collect(),
            "OUTCOME" => Outcome::ALL.iter().map(|(word, _)| json!(word)).collect(),
            "DAMAGE" => Damage::ALL.iter().map(|(word, _)| json!(word)).collect(),
            other => vec![self.value(other)],
        }
    }

    /// The command that writes down a fact.
    fn note(&self, outer: Option<&str>, name: &str, blank: &str) -> String {
        let value = match blank {
            "true" => blank.to_owned(),
            "MAC" => "[\"MAC\"]".to_owned(),
            _ => format!("\"{blank}\""),
        };
        let fact = format!("\"{name}\": {value}");
        let fact = outer.map_or(fact.clone(), |outer| format!("\"{outer}\": {{{fact}}}"));
        // What is known of the whole RMA is noted without naming a unit.
        let unit = if outer == Some("rma") { String::new() } else { format!(" {}", self.unit.name) };
        let words: Vec<String> = self.values(blank).iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let words = if words.len() > 1 { format!("   ({blank}: {})", words.join(", ")) } else { String::new() };
        let rma = &self.rma.number;
        format!("echo '{{\"facts\": {{{fact}}}}}' | backdock rma act {rma} note{unit} --by WHO --data -{words}")
    }
}

/// Whether a fact says anything: `unknown`, no and nothing leave it open.
fn said(value: Option<&Value>) -> bool {
    !matches!(value, None | Some(Value::Null | Value::Bool(false))) && value != Some(&json!("unknown"))
}

/// A value of the kind that a step takes.
fn sample(kind: FieldKind, today: NaiveDate) -> Value {
    match kind {
        FieldKind::Text | FieldKind::Serial => json!("X1"),
        FieldKind::Date => json!(today),
        FieldKind::Amount => json!("1.00"),
        FieldKind::YesNo => json!(true),
        FieldKind::Words(words) => json!(words.first()),
        FieldKind::Facts => json!({}),
    }
}

/// The words that may be written where a step takes one of several.
fn choices(row: &Row) -> String {
    let choice = row.fields.iter().filter(|f| f.required).find_map(|field| match field.kind {
        FieldKind::Words(words) if words.len() > 1 => Some((field.name, words)),
        _ => None,
    });
    choice.map_or_else(String::new, |(name, words)| format!("   ({}: {})", name.to_ascii_uppercase(), words.join(", ")))
}

/// What stands in a command for the value that a person fills in.
fn blank(kind: FieldKind, name: &str) -> String {
    match kind {
        FieldKind::Words([only]) => (*only).to_owned(),
        _ => name.to_ascii_uppercase(),
    }
}
