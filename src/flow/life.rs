//! A step in the life of a unit: whether it may be made, what is known after it, and what follows from
//! it (money, messages, ways of goods). PURE; the dock, the command line and the calendar all come through
//! here, so an interlock holds on every path.
//!
//! In: the unit as it stands, the step and what is said with it, the day. Out: [`Done`], or a refusal that
//! says why and what would make the step legal.
//!
//! Long: the step, its interlock, what it says, and the money, ways and messages that follow stand together,
//! because they are one decision that is made or refused as a whole.

use super::judge::{facts_of, facts_on};
use crate::domain::facts::{Class, Facts, Outcome};
use crate::domain::money::Amount;
use crate::domain::rma::{Rma, RmaState};
use crate::domain::session::Pending;
use crate::domain::shipment::Shipment;
use crate::domain::text::serial_key;
use crate::domain::unit::{LedgerLine, Moved, Step, Successor, UnitState};
use crate::domain::verdict::{Charge, Hold, Leg, LegName, Message, Move, Name, Role, Verdict};
use crate::program::{Case, Owing, Per, Post, Program};
use crate::rma::steps::{self, Field, FieldKind, To};
use crate::rma::{Knowledge, Unanswered};
use chrono::NaiveDate;
use serde_json::{Map, Value, json};

/// A unit as it stands.
#[derive(Clone, Debug)]
pub struct Unit {
    /// The serial number; the MAC where no serial is known.
    pub name: String,
    pub state: UnitState,
    /// Everything known of it, in the JSON that `backdock verdict` reads.
    pub facts: Map<String, Value>,
    /// Holds of the dock itself (another RMA's unit, serial and MAC of two devices ...): no fact gives them,
    /// and only a person lifts them.
    pub dock: Vec<Hold>,
}

impl Unit {
    /// A unit with the verdict that was written down with it last.
    pub fn recorded(
        name: String,
        state: UnitState,
        facts: Map<String, Value>,
        verdict: &Verdict,
        program: &Program,
    ) -> Unit {
        let dock = verdict.holds.iter().filter(|hold| program.is_of_the_dock(hold)).cloned().collect();
        Unit { name, state, facts, dock }
    }

    /// A unit that the dock holds for nothing.
    pub fn bare(name: &str, state: UnitState, facts: Map<String, Value>) -> Unit {
        Unit { name: name.to_owned(), state, facts, dock: Vec::new() }
    }

    /// What the program says of it, and what the dock holds it for.
    fn judged(&self, program: &Program, facts: &Map<String, Value>, today: NaiveDate) -> Result<Case, Refused> {
        let mut case = judged(program, facts, today)?;
        let released = facts.get("released").and_then(Value::as_object);
        for hold in &self.dock {
            let lifted = released.is_some_and(|r| r.contains_key(&*hold.code));
            if !lifted && !case.verdict.holds.iter().any(|h| h.code == hold.code) {
                case.verdict.holds.insert(0, hold.clone());
            }
        }
        Ok(case)
    }
}

/// What somebody wants to do with a unit.
#[derive(Clone, Debug)]
pub struct Wish<'a> {
    pub step: Step,
    pub by: &'a str,
    pub said: &'a Map<String, Value>,
}

/// What follows from a step or from a day.
#[derive(Clone, Debug, Default)]
pub struct Done {
    pub moved: Option<Moved>,
    /// What the program says of the unit now.
    pub verdict: Option<Verdict>,
    /// What is known of it now.
    pub facts: Map<String, Value>,
    pub posted: Vec<LedgerLine>,
    pub owed: Vec<Owed>,
}

/// A message that is owed, and what makes it the same as another one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owed {
    pub message: Message,
    pub unit: String,
    /// Two messages with one cause are one.
    pub cause: String,
}

/// Why a step may not be made, and what would make it legal.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

/// Money that was posted already, as its kind and rule.
pub type Posted<'a> = &'a dyn Fn(&str, &str) -> bool;

/// Makes a step. `nth` tells one making of a step from the next.
pub fn act(
    rma: &Rma,
    program: &Program,
    unit: &Unit,
    wish: &Wish,
    today: NaiveDate,
    posted: Posted,
    nth: i64,
) -> Result<Done, Refused> {
    let row = steps::of(wish.step);
    let before = facts_on(&unit.facts, rma, today);
    let was = unit.judged(program, &before, today)?;
    if !row.from.contains(&unit.state) {
        return Err(Refused(not_from(unit, wish.step, &was.verdict)));
    }
    if matches!(wish.step, Step::Receive | Step::Withdraw) {
        return Err(Refused("units are received by scanning them at the dock, and taken back by UNDO".to_owned()));
    }
    if matches!(rma.state, RmaState::Requested | RmaState::Refused | RmaState::Cancelled) {
        return Err(Refused(format!("RMA {} is {}: nothing can be done with its units", rma.number, rma.state.word())));
    }
    if wish.by.trim().is_empty() {
        return Err(Refused("every step has the name of who made it: say --by WHO".to_owned()));
    }
    let mut facts = before.clone();
    // What the step itself says counts for its own interlock: a tracking number is there when it is named.
    say(program, unit, &was.verdict, row.fields, wish, today, &mut facts)?;
    if wish.step == Step::AdvanceCharge || wish.step == Step::AdvanceShip {
        advance_allowed(&was.verdict)?;
    }
    // An advance unit is out: giving its original up is as final as closing.
    let guard =
        row.guard.or((unit.state == UnitState::AdvanceShipped && row.step == Step::Cancel).then_some(Move::Close));
    // Goods that were not accepted go back whatever the bench still wants.
    if let Some(guard) = guard.filter(|_| unit.state != UnitState::Refused) {
        let shown = unit.judged(program, &facts, today)?;
        interlock(&shown.verdict, guard, wish.step)?;
        vendor_number(&shown.verdict, &facts, wish.step)?;
    }
    for path in row.stamps {
        put(&mut facts, path, json!(today));
    }
    if wish.step == Step::AdvanceReturn
        && let Some(Value::Object(advance)) = facts.get_mut("advance")
    {
        // Nothing is out any more; what was charged stays charged.
        advance.remove("shipped");
        advance.remove("serial");
    }
    let is = unit.judged(program, &facts, today)?;
    let to = match row.to {
        To::State(UnitState::Shipped) if unit.state == UnitState::Refused => UnitState::Returned,
        To::State(state) => state,
        To::Stay => stays(unit.state, wish.step, &is.verdict),
    };
    let lines = lines(rma, unit, &was, wish, today, posted);
    let moved = Moved {
        rma: rma.number.clone(),
        unit: unit.name.clone(),
        step: wish.step,
        from: unit.state,
        to,
        on: today,
        by: wish.by.to_owned(),
        said: wish.said.clone(),
        legs: legs(wish.step, &was.verdict),
        successor: successor(program, &before, wish, today, unit),
        verdict: is.verdict.clone(),
        facts,
    };
    let facts = moved.facts.clone();
    let verdict = Some(is.verdict.clone());
    let mut done = Done { moved: Some(moved), verdict, facts, posted: lines, owed: Vec::new() };
    owe(rma, unit, &is, Some(wish.step), nth, &mut done.owed);
    Ok(done)
}

/// What is known of a unit that has not come yet.
pub fn awaited(
    know: &dyn Knowledge,
    rma: &Rma,
    serial: &str,
    today: NaiveDate,
) -> Result<Map<String, Value>, Unanswered> {
    Ok(announced(rma, Some(serial), know.by_serial(serial)?.as_ref(), know.lineage(serial)?, today))
}

/// [`awaited`] from what was asked before; without a serial, of any unit that the RMA may bring.
pub fn announced(
    rma: &Rma,
    serial: Option<&str>,
    ship: Option<&Shipment>,
    lineage: Option<Value>,
    today: NaiveDate,
) -> Map<String, Value> {
    let unit = Pending { serial: serial.map(str::to_owned), mac: None };
    let mut facts = facts_of(rma, &unit, ship, serial, today);
    facts.remove("received");
    if let Some(lineage) = lineage {
        facts.insert("lineage".to_owned(), lineage);
    }
    facts
}

/// What the program says today of a unit of which `known` was known: its facts with the RMA's own laid
/// over them, and the case.
pub fn case_on(
    rma: &Rma,
    program: &Program,
    known: &Map<String, Value>,
    today: NaiveDate,
) -> Result<(Map<String, Value>, Case), Refused> {
    let facts = facts_on(known, rma, today);
    let case = judged(program, &facts, today)?;
    Ok((facts, case))
}

/// [`case_on`] of a unit, with the holds of the dock.
pub fn unit_on(
    rma: &Rma,
    program: &Program,
    unit: &Unit,
    today: NaiveDate,
) -> Result<(Map<String, Value>, Case), Refused> {
    let facts = facts_on(&unit.facts, rma, today);
    let case = unit.judged(program, &facts, today)?;
    Ok((facts, case))
}

/// Whether an RMA may be given its number, and what is owed when it is. `serials` are those announced.
pub fn issue(
    program: &Program,
    facts: &Map<String, Value>,
    serials: &[String],
    today: NaiveDate,
) -> Result<(), Refused> {
    let mut facts = facts.clone();
    // Enough to tell whether there are any.
    let some: Vec<&String> = serials.iter().take(crate::domain::facts::LIST_MAX).collect();
    if !some.is_empty() {
        put(&mut facts, "rma.expected", json!(some));
    }
    interlock(&judged(program, &facts, today)?.verdict, Move::Issue, Step::Issue)
}

/// The messages that an RMA owes when it is issued: of itself, or (`unit`) of a unit that it announces.
pub fn issued(rma: &Rma, program: &Program, unit: Option<&Unit>, today: NaiveDate) -> Result<Done, Refused> {
    let facts = facts_on(unit.map_or(&rma.facts, |unit| &unit.facts), rma, today);
    let case = judged(program, &facts, today)?;
    let name = unit.map(|unit| unit.name.clone()).unwrap_or_default();
    let mut owed = Vec::new();
    let of_it = |owing: &&Owing| (owing.per == Per::Rma) == unit.is_none();
    for owing in case.owing.iter().filter(of_it).filter(|owing| owing.on.contains(&Step::Issue)) {
        let what = format!("{}/{}", owing.message.about, owing.message.to);
        let cause =
            if name.is_empty() { format!("{}/{what}", rma.number) } else { format!("{}/{name}/{what}", rma.number) };
        owed.push(Owed { message: owing.message.clone(), unit: name.clone(), cause });
    }
    Ok(Done { verdict: Some(case.verdict), facts, owed, ..Done::default() })
}

/// The messages that an RMA owes at its end: those of its units that are owed once for the whole of it.
pub fn closed(rma: &Rma, program: &Program, units: &[Unit], today: NaiveDate) -> Result<Vec<Owed>, Refused> {
    let mut owed: Vec<Owed> = Vec::new();
    for unit in units {
        let case = unit.judged(program, &facts_on(&unit.facts, rma, today), today)?;
        for owing in case.owing.iter().filter(|owing| at_the_end(owing)) {
            let cause = format!("{}/{}/{}", rma.number, owing.message.about, owing.message.to);
            if !owed.iter().any(|o| o.cause == cause) {
                owed.push(Owed { message: owing.message.clone(), unit: String::new(), cause });
            }
        }
    }
    Ok(owed)
}

/// Owed when the whole RMA is closed, not when one of its units is.
fn at_the_end(owing: &Owing) -> bool {
    owing.per == Per::Rma && owing.on.contains(&Step::Close)
}

/// Where a unit is, in a sentence for whoever sent it.
pub fn stage(state: UnitState, outcome: Option<&str>) -> &'static str {
    match (state, outcome) {
        (UnitState::Awaited, _) => "We wait for your unit.",
        (UnitState::AdvanceShipped, _) => "The advance unit is on its way to you; we wait for yours.",
        (UnitState::Received, _) => "Your unit has arrived.",
        (UnitState::Held, _) => "Your unit has arrived and waits until a question about it is settled.",
        (UnitState::Diagnosing, None) => "Your unit is on the bench.",
        (UnitState::Diagnosing, Some("ntf" | "working")) => "The bench has tested your unit and found no fault.",
        (UnitState::Diagnosing, Some("repair")) => "The bench has found the fault and can repair it.",
        (UnitState::Diagnosing, Some("replace")) => "The bench has found the fault; the unit is to be replaced.",
        (UnitState::Diagnosing, Some(_)) => "The bench has found damage that did not come from the unit itself.",
        (UnitState::Quoted, _) => "The work waits for your approval of the cost.",
        (UnitState::Approved, _) => "You have approved the cost; the work is about to begin.",
        (UnitState::Repairing, _) => "Your unit is being repaired.",
        (UnitState::Suspended, _) => "The work on your unit has stopped; we will write to you.",
        (UnitState::BurnIn | UnitState::Qc, _) => "Your unit is repaired and in its last tests.",
        (
            UnitState::VendorRequested
            | UnitState::VendorNumbered
            | UnitState::VendorShipped
            | UnitState::VendorCredited
            | UnitState::VendorReplaced
            | UnitState::VendorTested,
            _,
        ) => "Your unit is with its maker.",
        (UnitState::Ready, _) => "The work is done.",
        (UnitState::Shipped, _) => "It has left us and is on its way to you.",
        (UnitState::Refused, _) => "We did not accept it; it goes back as it came.",
        (UnitState::Returned, _) => "We did not accept it; it is on its way back to you.",
        (UnitState::Closed, _) => "It is finished.",
        (UnitState::Cancelled, _) => "We do not wait for it any more.",
    }
}

/// What became of a unit, as one line for whoever sent it.
pub fn ended(unit: &Unit) -> String {
    let text = |key: &str| unit.facts.get(key).and_then(Value::as_str);
    let name = [text("brand"), text("model"), Some(unit.name.as_str())].into_iter().flatten().collect::<Vec<_>>();
    let advance = unit.facts.get("advance").and_then(|a| a.get("serial")).and_then(Value::as_str);
    let end = match (unit.state, text("outcome")) {
        (UnitState::Cancelled, _) => "did not come".to_owned(),
        (UnitState::Returned, _) => "not accepted, sent back".to_owned(),
        (_, Some("ntf" | "working")) => "no fault found".to_owned(),
        (_, Some("repair")) => "repaired".to_owned(),
        (_, Some("replace")) => "replaced".to_owned(),
        (_, Some("user_damage")) => "damage by the user".to_owned(),
        _ => "finished".to_owned(),
    };
    let replaced = advance.filter(|_| text("outcome") == Some("replace")).map(|s| format!("you have {s} in its place"));
    let sent = text("tracking").map(|t| format!("tracking number {t}"));
    let said = unit.facts.get("answers").and_then(|a| a.get("resolution"));
    let said = said.and_then(|a| a.get("answer").unwrap_or(a).as_str()).map(str::to_owned);
    let more: Vec<String> = [Some(end), said, replaced, sent].into_iter().flatten().collect();
    format!("{}: {}", name.join(" "), more.join("; "))
}

/// What a receipt owes: messages, each as often as its row says.
pub fn received(rma: &Rma, unit: &Unit, program: &Program, today: NaiveDate, nth: i64) -> Result<Done, Refused> {
    let case = unit.judged(program, &unit.facts, today)?;
    let mut owed = Vec::new();
    owe(rma, unit, &case, Some(Step::Receive), nth, &mut owed);
    Ok(Done { verdict: Some(case.verdict), facts: unit.facts.clone(), owed, ..Done::default() })
}

/// What falls due on `day`: money that the calendar alone makes due, messages that it makes owed, reminders.
pub fn day(rma: &Rma, program: &Program, unit: &Unit, day: NaiveDate, posted: Posted) -> Result<Done, Refused> {
    let facts = facts_on(&unit.facts, rma, day);
    let is = unit.judged(program, &facts, day)?;
    let mut done = Done { verdict: Some(is.verdict.clone()), facts, ..Done::default() };
    for (charge, post) in is.verdict.charges.iter().zip(&is.posts) {
        if *post == Post::Due && !posted(&charge.kind, &charge.rule) && is.verdict.allows(Move::Charge) {
            done.posted.push(line(rma, &unit.name, charge, &is.verdict, day, "calendar"));
        }
    }
    owe(rma, unit, &is, None, 0, &mut done.owed);
    for (due, role) in &is.reminders {
        if due.by == day {
            let message = Message { to: *role, about: due.what.clone(), rule: due.rule.clone(), text: Name::default() };
            let cause = format!("{}/{}/{}/{}/{}", rma.number, unit.name, due.what, role, due.by);
            done.owed.push(Owed { message, unit: unit.name.clone(), cause });
        }
    }
    Ok(done)
}

fn judged(program: &Program, facts: &Map<String, Value>, today: NaiveDate) -> Result<Case, Refused> {
    let facts = Facts::from_json(&Value::Object(facts.clone())).map_err(|e| Refused(e.to_string()))?;
    Ok(program.case(&facts, today))
}

fn not_from(unit: &Unit, step: Step, verdict: &Verdict) -> String {
    let may: Vec<&str> = steps::from(unit.state).map(Step::as_str).collect();
    let needs: Vec<&str> = steps::of(step).from.iter().map(|s| s.as_str()).collect();
    let may = if may.is_empty() {
        "nothing more can be done with it".to_owned()
    } else {
        format!("it may: {}", may.join(", "))
    };
    let why = format!("{step} is for a unit that is {}; {} is {}. {may}", needs.join(", "), unit.name, unit.state);
    // Whoever asks too early hears at once what else stands in the way.
    let also = steps::of(step).guard.and_then(|guard| interlock(verdict, guard, step).err());
    also.map_or(why.clone(), |also| format!("{why}. Also, {also}"))
}

/// The holds and questions that forbid a step, with who can lift each.
fn interlock(verdict: &Verdict, guard: Move, step: Step) -> Result<(), Refused> {
    if verdict.allows(guard) {
        return Ok(());
    }
    let holds =
        verdict.holds_on(guard).map(|h| format!("{} ({}): {}; released by {}", h.code, h.rule, h.text, h.released_by));
    let questions = verdict.questions.iter().filter(|q| q.blocks.contains(&guard));
    let questions = questions.map(|q| format!("open question {} ({}): {}", q.code, q.rule, &*q.text));
    Err(Refused(format!("{step} is blocked: {}", holds.chain(questions).collect::<Vec<_>>().join("; "))))
}

/// Nothing goes to a vendor without its number, where the program asks for one.
fn vendor_number(verdict: &Verdict, facts: &Map<String, Value>, step: Step) -> Result<(), Refused> {
    if step != Step::VendorShip {
        return Ok(());
    }
    match &verdict.vendor {
        None => Err(Refused("the program sends this unit to no vendor".to_owned())),
        Some(v) if v.rma_number_required && !facts.contains_key("vendor_rma") => Err(Refused(format!(
            "vendor_ship is blocked: {} gave no RMA number yet ({}); enter it with vendor_number",
            v.send_to, v.rule
        ))),
        Some(_) => Ok(()),
    }
}

fn advance_allowed(verdict: &Verdict) -> Result<(), Refused> {
    let advance = &verdict.advance_replacement;
    if advance.allowed {
        return Ok(());
    }
    let why = verdict.reasons.iter().find(|r| r.rule == advance.rule).map_or("", |r| r.text.as_str());
    Err(Refused(format!("no advance replacement ({}): {why}", advance.rule)))
}

/// Where a unit is after a step that does not move it.
fn stays(state: UnitState, step: Step, verdict: &Verdict) -> UnitState {
    match (state, step) {
        (UnitState::Awaited, Step::AdvanceShip) => UnitState::AdvanceShipped,
        (UnitState::Received | UnitState::Held, _) => at_the_dock(verdict),
        _ => state,
    }
}

/// Received, or set aside.
pub fn at_the_dock(verdict: &Verdict) -> UnitState {
    let held = verdict.holds_on(Move::Bench).next().is_some();
    if held { UnitState::Held } else { UnitState::Received }
}

/// Takes what was said into the facts.
fn say(
    program: &Program,
    unit: &Unit,
    verdict: &Verdict,
    fields: &[Field],
    wish: &Wish,
    today: NaiveDate,
    facts: &mut Map<String, Value>,
) -> Result<(), Refused> {
    if let Some(odd) = wish.said.keys().find(|key| !fields.iter().any(|f| f.name == *key)) {
        let known: Vec<&str> = fields.iter().map(|f| f.name).collect();
        let known = if known.is_empty() {
            "nothing is said with it".to_owned()
        } else {
            format!("it takes {}", known.join(", "))
        };
        return Err(Refused(format!("{} does not take {odd:?}; {known}", wish.step)));
    }
    for field in fields {
        let Some(value) = wish.said.get(field.name).filter(|v| !v.is_null()) else {
            if field.required {
                return Err(Refused(format!("{} needs {:?}", wish.step, field.name)));
            }
            continue;
        };
        let value = checked(field, value, today).map_err(|e| Refused(format!("{} {}: {e}", wish.step, field.name)))?;
        if !field.fact.is_empty() {
            put(facts, field.fact, value.clone());
        }
    }
    let text = |name: &str| wish.said.get(name).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
    match wish.step {
        Step::Release => {
            let code = text("hold");
            if !verdict.holds.iter().any(|h| *h.code == *code) {
                let open: Vec<&str> = verdict.holds.iter().map(|h| &*h.code).collect();
                let open =
                    if open.is_empty() { "it has none".to_owned() } else { format!("open are {}", open.join(", ")) };
                return Err(Refused(format!("no hold {code:?} on this unit; {open}")));
            }
            put(facts, &format!("released.{code}"), json!({"answer": text("why"), "by": wish.by}));
            let after = unit.judged(program, facts, today)?;
            if let Some(hold) = after.verdict.holds.iter().find(|h| *h.code == *code) {
                return Err(Refused(format!(
                    "{code} ({}) is not lifted by a word: {}; it is released by {}",
                    hold.rule, hold.text, hold.released_by
                )));
            }
        }
        Step::Answer => {
            let (code, answer) = (text("question"), text("answer"));
            let Some(answers) = program.question(&code) else {
                let open: Vec<&str> = verdict.questions.iter().map(|q| &*q.code).collect();
                return Err(Refused(format!("the program has no question {code:?}; open are {}", open.join(", "))));
            };
            if !answers.is_empty() && !answers.iter().any(|a| crate::domain::facts::same_word(&answer, a)) {
                let known: Vec<&str> = answers.iter().map(|a| &**a).collect();
                return Err(Refused(format!("{answer:?} is no answer to {code}; write one of {}", known.join(", "))));
            }
            program.answer(facts, &code, &answer, wish.by);
        }
        Step::Note => {
            if let Some(Value::Object(more)) = wish.said.get("facts") {
                if more.contains_key("released") {
                    return Err(Refused("a hold is not noted away: lift it with release".to_owned()));
                }
                if more.contains_key("rma") {
                    return Err(Refused("what is known of the whole RMA is noted without naming a unit".to_owned()));
                }
                for (key, value) in more {
                    merge(facts, key, value.clone());
                }
            }
        }
        Step::Quote => {
            // The old approval does not cover the new amount (C-27), on the same day either.
            if let Some(Value::Object(about)) = facts.get_mut("rma") {
                about.remove("approved_on");
                about.remove("purchase_order");
            }
        }
        Step::Approve => {
            if !wish.said.contains_key("on") {
                put(facts, "rma.approved_on", json!(today));
            }
            if wish.said.contains_key("purchase_order") {
                put(facts, "rma.purchase_order", json!(today));
            }
        }
        Step::VendorCredit | Step::VendorReplace if program.question("vendor_result").is_some() => {
            let what = if wish.step == Step::VendorCredit { "credit" } else { "replacement" };
            program.answer(facts, "vendor_result", what, wish.by);
        }
        _ => {}
    }
    Ok(())
}

fn checked(field: &Field, value: &Value, today: NaiveDate) -> Result<Value, String> {
    let text = || value.as_str().map(str::trim).filter(|t| !t.is_empty()).ok_or_else(|| "write a text".to_owned());
    match field.kind {
        FieldKind::Text => {
            let text = text()?;
            if text.len() > crate::domain::facts::TEXT_MAX || text.chars().any(char::is_control) {
                return Err(format!("one line of at most {} bytes", crate::domain::facts::TEXT_MAX));
            }
            Ok(json!(text))
        }
        FieldKind::Date => match text()?.parse::<NaiveDate>() {
            Ok(date) if date <= today => Ok(json!(date)),
            Ok(date) => Err(format!("{date} is after today, {today}")),
            Err(_) => Err(format!("{:?} is not a date; write it as 2026-03-31", text()?)),
        },
        FieldKind::Amount => match Amount::parse(text()?)? {
            amount if amount > Amount::ZERO => Ok(json!(amount)),
            amount => Err(format!("{amount} is not above zero")),
        },
        FieldKind::Serial => serial_key(text()?)
            .map(|s| json!(s))
            .ok_or_else(|| format!("{:?} is not a serial number", text().unwrap_or_default())),
        FieldKind::YesNo => value.as_bool().map(|b| json!(b)).ok_or_else(|| "write true or false".to_owned()),
        FieldKind::Words(words) => {
            let text = text()?;
            let found = words.iter().find(|w| crate::domain::facts::same_word(text, w));
            found.map(|w| json!(w)).ok_or_else(|| format!("{text:?} is not one of {}", words.join(", ")))
        }
        FieldKind::Facts => {
            if !value.is_object() {
                return Err("write an object of facts".to_owned());
            }
            Facts::from_json(value).map_err(|e| e.to_string())?;
            Ok(value.clone())
        }
    }
}

/// Sets a fact by its path, such as `rma.quote_issued`.
pub(super) fn put(facts: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => drop(facts.insert(path.to_owned(), value)),
        Some((outer, inner)) => {
            let slot = facts.entry(outer.to_owned()).or_insert_with(|| json!({}));
            if let Value::Object(map) = slot {
                put(map, inner, value);
            }
        }
    }
}

/// Lays a fact over what is known: objects are merged, `null` takes away.
pub fn merge(facts: &mut Map<String, Value>, key: &str, value: Value) {
    match value {
        Value::Null => drop(facts.remove(key)),
        Value::Object(more) => {
            let slot = facts.entry(key.to_owned()).or_insert_with(|| json!({}));
            if let Value::Object(map) = slot {
                more.into_iter().for_each(|(k, v)| merge(map, &k, v));
            }
        }
        other => drop(facts.insert(key.to_owned(), other)),
    }
}

/// The ledger lines of a step: those of the program that name it, and at the end whatever is still open.
fn lines(rma: &Rma, unit: &Unit, was: &Case, wish: &Wish, today: NaiveDate, posted: Posted) -> Vec<LedgerLine> {
    let with = |post: &Post| match (post, wish.step) {
        (Post::With(step), done) if *step == done => true,
        (Post::With(Step::Ready), Step::Ship) => unit.state != UnitState::Refused,
        (Post::With(_), Step::Close) => true,
        _ => false,
    };
    // Nobody pays for what he has not agreed to, on whichever way the unit leaves.
    if !was.verdict.allows(Move::Charge) {
        return Vec::new();
    }
    let charges = was.verdict.charges.iter().zip(&was.posts);
    charges
        .filter(|(charge, post)| with(post) && !posted(&charge.kind, &charge.rule))
        .map(|(charge, _)| line(rma, &unit.name, charge, &was.verdict, today, wish.by))
        .collect()
}

fn line(rma: &Rma, unit: &str, charge: &Charge, verdict: &Verdict, on: NaiveDate, by: &str) -> LedgerLine {
    let why = verdict.reasons.iter().filter(|r| r.rule == charge.rule).map(|r| r.text.as_str());
    LedgerLine {
        rma: rma.number.clone(),
        unit: unit.to_owned(),
        kind: charge.kind.clone(),
        amount: charge.amount,
        currency: charge.currency.clone(),
        party: charge.to,
        rule: charge.rule.clone(),
        on,
        evidence: why.collect::<Vec<_>>().join("; "),
        by: by.to_owned(),
    }
}

/// The way of goods that a step is.
fn legs(step: Step, verdict: &Verdict) -> Vec<Leg> {
    let leg = match step {
        Step::Receive => LegName::Inbound,
        Step::AdvanceShip => LegName::Advance,
        Step::VendorShip => LegName::ToVendor,
        Step::VendorReplace => LegName::FromVendor,
        // An advance unit stands for the way back where one was sent; the original stays here.
        Step::Ship => LegName::Outbound,
        _ => return Vec::new(),
    };
    verdict.legs.iter().filter(|l| l.leg == leg).cloned().collect()
}

/// The unit that takes this one's place, when it leaves the house.
fn successor(
    program: &Program,
    facts: &Map<String, Value>,
    wish: &Wish,
    today: NaiveDate,
    unit: &Unit,
) -> Option<Successor> {
    if !matches!(wish.step, Step::Replace | Step::AdvanceShip | Step::VendorReplace) {
        return None;
    }
    let serial = serial_key(wish.said.get("serial")?.as_str()?)?;
    let known = Facts::from_json(&Value::Object(facts.clone())).ok()?;
    // Dead on arrival: it failed within the first days of the first unit of its line, and says so or was
    // found so at the bench.
    let since = known.lineage.first().and_then(|e| e.shipped).or(known.ship_date);
    let reported = known.reported.or(known.rma.issued).or(known.received).unwrap_or(today);
    let in_time = since
        .zip(program.doa_days())
        .is_some_and(|(s, days)| (0..=i64::from(days)).contains(&(reported - s).num_days()));
    let failed =
        known.class == Some(Class::Doa) || known.outcome == Some(Outcome::Replace) || wish.step == Step::AdvanceShip;
    let mut lineage: Vec<Value> = match facts.get("lineage") {
        Some(Value::Array(earlier)) => earlier.clone(),
        _ => Vec::new(),
    };
    let mut this = Map::new();
    this.insert("serial".to_owned(), json!(unit.name));
    if let Some(shipped) = known.ship_date {
        this.insert("shipped".to_owned(), json!(shipped));
    }
    this.insert("replaced_on".to_owned(), json!(today));
    if in_time && failed && lineage.is_empty() {
        this.insert("doa".to_owned(), json!(reported));
    }
    lineage.push(Value::Object(this));
    let mut next = Map::new();
    for key in ["channel", "account", "brand", "model", "distributor", "purchase_date", "plan_until"] {
        if let Some(value) = facts.get(key) {
            next.insert(key.to_owned(), value.clone());
        }
    }
    next.insert("lineage".to_owned(), Value::Array(lineage));
    next.insert("ship_date".to_owned(), json!(today));
    Some(Successor { serial, shipped: today, facts: next })
}

/// The messages that the verdict owes: at once, or with the step that was made.
fn owe(rma: &Rma, unit: &Unit, case: &Case, step: Option<Step>, nth: i64, owed: &mut Vec<Owed>) {
    for owing in &case.owing {
        if at_the_end(owing) {
            continue;
        }
        let now = owing.on.is_empty() || step.is_some_and(|step| owing.on.contains(&step));
        if !now {
            continue;
        }
        let message = owing.message.clone();
        let what = format!("{}/{}", message.about, message.to);
        let cause = match owing.per {
            Per::Rma => format!("{}/{what}", rma.number),
            Per::Unit => format!("{}/{}/{what}", rma.number, unit.name),
            Per::Step => format!("{}/{}/{what}/{nth}", rma.number, unit.name),
        };
        owed.push(Owed { message, unit: unit.name.clone(), cause });
    }
}

/// Roles whose messages leave the house.
pub fn is_outside(role: Role) -> bool {
    matches!(role, Role::Customer | Role::Vendor)
}
