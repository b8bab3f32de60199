//! Lists about goods that are not where they should be: advance units whose original is out, refused and
//! unauthorised goods at the dock, units at vendors, units that have not come, call tags without a parcel.

use super::bench::plain;
use super::{Line, List, Today, Turned};
use crate::domain::rma::{Rma, RmaState};
use crate::domain::tag::TagNow;
use crate::domain::unit::{Step, UnitState};
use crate::domain::verdict::{Action, Due, LegName, Name, Party};
use crate::flow::life::{Refused, case_on};
use crate::flow::next::{command, forward, of_rma};
use crate::flow::tag::{self, STALE_DAYS};
use crate::program::{Program, Situation};
use chrono::NaiveDate;
use serde_json::{Map, Value, json};

/// Days after which a vendor that has the unit is asked.
const VENDOR_DAYS: i64 = 30;
/// Due dates of the way of an original: its own after an advance replacement, else that of any unit.
const BACK: [&str; 2] = ["original_back", "must_arrive"];

/// E-37: how long it stands there.
fn mark(age: i64) -> &'static str {
    match age {
        ..=0 => "today",
        1..=2 => "day 1",
        3..=6 => "day 3",
        _ => "day 7",
    }
}

/// The line of a box or unit that was turned away.
pub fn refused_box(turned: &Turned, rma: Option<&Rma>, today: NaiveDate) -> Line {
    let age_days = (today - turned.day).num_days();
    let times = if turned.times > 1 { format!(" (scanned {} times)", turned.times) } else { String::new() };
    let next = match rma {
        Some(rma) if rma.state == RmaState::Open => {
            format!("send it back; or scan RMA {} and its units at the dock again", rma.number)
        }
        Some(rma) if matches!(rma.state, RmaState::Closed | RmaState::Cancelled | RmaState::Expired) => {
            format!("send it back; or {}, then scan it again", of_rma(&rma.number, "reopen"))
        }
        Some(rma) if rma.state == RmaState::Requested => {
            format!("send it back; or {}, and mark it with the number that it gives", of_rma(&rma.number, "authorise"))
        }
        _ => "send it back and scan its carrier number on the way out; or announce its RMA with backdock rma import FILE, then scan it again".to_owned(),
    };
    Line {
        rma: turned.rma.clone().unwrap_or_default(),
        unit: if turned.rma.as_ref() == Some(&turned.scanned) { String::new() } else { turned.scanned.clone() },
        customer: rma.and_then(|r| r.customer.clone()),
        program: rma.map(|r| r.program.clone()).unwrap_or_default(),
        what: format!("turned away at the door: {}{times}", turned.title),
        since: turned.day,
        age_days,
        rule: Name::from(turned.rule.as_str()),
        next,
        more: vec![json!(turned.at), json!(mark(age_days)), json!(turned.tracking)],
        wants_person: true,
    }
}

/// The line of a call tag that failed, or of which nothing was heard for too long.
pub fn tag(now: &TagNow, rma: &Rma, today: NaiveDate) -> Option<Line> {
    let (what, next) = tag::overdue(now, today)?;
    Some(Line {
        rma: rma.number.clone(),
        unit: now.tag.unit.clone().unwrap_or_default(),
        customer: rma.customer.clone(),
        program: rma.program.clone(),
        what,
        since: now.since,
        age_days: (today - now.since).num_days(),
        rule: now.tag.rule.clone(),
        next,
        more: vec![json!(now.tag.payer)],
        wants_person: true,
    })
}

/// The units of an RMA that have not come.
#[derive(Clone, Debug, Default)]
pub struct Missing {
    /// Their serials; none where the RMA announced none.
    pub serials: Vec<String>,
    /// How many of its list came.
    pub came: usize,
    /// The day on which something came last; `None`: nothing has.
    pub last_came: Option<NaiveDate>,
}

/// The line of an RMA of which units have not come, on [`List::Late`] or [`List::StaleTags`]: partly come, or
/// nothing in its time. `facts`: what is known of the first one.
///
/// # Errors
/// What is recorded of the RMA cannot be judged.
pub fn announced(
    list: List,
    rma: &Rma,
    program: &Program,
    missing: &Missing,
    facts: &Map<String, Value>,
    today: NaiveDate,
) -> Result<Option<Line>, Refused> {
    let (_, judged) = case_on(rma, program, facts, today)?;
    let (serials, nothing_came) = (&missing.serials, missing.last_came.is_none());
    let line = |what: String, since: NaiveDate, rule: Name, next: String, more: Vec<Value>| Line {
        rma: rma.number.clone(),
        unit: String::new(),
        customer: rma.customer.clone(),
        program: program.id().to_string(),
        what,
        since,
        age_days: (today - since).num_days(),
        rule,
        next,
        more,
        wants_person: true,
    };
    let give_up = of_rma(&rma.number, "cancel");
    if list == List::StaleTags {
        let paid = judged.verdict.legs.iter().find(|l| l.leg == LegName::Inbound && l.payer == Party::Us);
        let asked = judged.verdict.messages.iter().find(|m| m.about == "call_tag");
        let Some(rule) = paid.map(|l| &l.rule).or(asked.map(|m| &m.rule)) else { return Ok(None) };
        let age = (today - rma.issued).num_days();
        if !nothing_came || age < STALE_DAYS {
            return Ok(None);
        }
        let payer = paid.map_or(Value::Null, |l| json!(l.payer));
        let what = format!("call tag or prepaid label of {}: nothing came, day {age} of {STALE_DAYS}", rma.issued);
        let next = format!("ask the carrier and the customer; if it will not come, cancel the tag and {give_up}");
        return Ok(Some(line(what, rma.issued, rule.clone(), next, vec![payer])));
    }
    let passed = |due: &&Due| BACK.contains(&&*due.what) || *due.what == *"rma_valid_until";
    let passed = judged.verdict.due.iter().filter(passed).find(|due| due.by < today);
    let more = |due: Option<&Due>| vec![json!(due.map(|d| d.by)), json!(serials.join(" "))];
    if let (Some(since), Some(first)) = (missing.last_came, serials.first()) {
        let came = missing.came;
        let what = format!("partial: {came} of {} came; missing {}", came + serials.len(), serials.join(", "));
        let cancel = command(&rma.number, Step::Cancel, first, &[("why", "WHY")]);
        let next = format!("scan it at the dock when it comes; if it will not: {cancel}");
        return Ok(Some(line(what, since, program.complete_rule(), next, more(passed))));
    }
    Ok(passed.filter(|_| nothing_came).map(|due| {
        let what = format!("{}: nothing came by {}", plain(&due.what), due.by);
        let next = format!("ask the customer; if it will not come: {give_up}");
        line(what, due.by, due.rule.clone(), next, more(Some(due)))
    }))
}

impl Today<'_> {
    /// An advance unit that is out while its original is not back.
    pub(super) fn advance(&self) -> Option<Line> {
        let shipped = self.date(Some("advance"), "shipped")?;
        let advance = self.facts.get("advance")?;
        let back = advance.get("original_received").is_some_and(|v| *v != Value::Bool(false));
        let unit = &self.case.unit.name;
        // The unit that is judged is that original: its own receipt is the return.
        if back || self.facts.contains_key("received") || self.beside.told.advance_back {
            return None;
        }
        let day = (self.today - shipped).num_days();
        let verdict = &self.judged.verdict;
        let due = BACK.iter().find_map(|what| verdict.due.iter().find(|d| *d.what == **what));
        let of = due.map(|due| (due.by - shipped).num_days());
        let billed =
            self.beside.ledger.iter().filter(|(kind, _, amount)| kind.starts_with("advance") && amount.cents() > 0);
        let billed: Vec<String> = billed.map(|(_, _, amount)| amount.to_string()).collect();
        let charged = advance.get("charged").is_some_and(|v| *v != Value::Bool(false));
        let over = due.is_some_and(|due| self.today > due.by);
        let serial = advance.get("serial").and_then(Value::as_str).unwrap_or("unknown");
        let came_back = command(&self.rma.number, Step::AdvanceReturn, unit, &[("serial", serial)]);
        let billing = verdict.holds.iter().find(|h| Some(&h.rule) == due.map(|d| &d.rule));
        let next = match (over, billed.is_empty() && !charged, billing) {
            (true, true, Some(hold)) => super::super::next::lifts(&self.at(), hold),
            (true, true, None) => "the calendar bills it; then ask the customer for the original".to_owned(),
            _ => format!("scan {unit} at the dock when it comes; if the advance unit comes back instead: {came_back}"),
        };
        let count = of.map_or(format!("day {day}"), |of| format!("day {day} of {of}"));
        let money = match (billed.is_empty(), charged) {
            (false, _) => format!("billed {}", billed.join(" + ")),
            (true, true) => "charged".to_owned(),
            (true, false) => "not billed".to_owned(),
        };
        let rule = due.map_or_else(|| verdict.advance_replacement.rule.clone(), |due| due.rule.clone());
        let what = format!("advance unit {serial} is out, the original is not back: {count}, {money}");
        let more = vec![json!(serial), json!(day), json!(of), json!(money)];
        Some(self.line(what, shipped, &rule, next, more))
    }

    /// Refused after its receipt, or to be refused.
    pub(super) fn refused(&self) -> Option<Line> {
        let verdict = &self.judged.verdict;
        let rejecting = verdict.holds.iter().map(|h| &h.rule).chain(verdict.reasons.iter().map(|r| &r.rule)).next();
        let told = self.beside.told.refused.clone();
        let (what, since, at) = match self.state() {
            UnitState::Refused => {
                let (why, at) = told.unwrap_or_else(|| ("refused".to_owned(), self.case.since.to_string()));
                (format!("refused: {why}"), self.case.since, at)
            }
            UnitState::Received | UnitState::Held if verdict.action == Action::Reject => {
                let why = verdict.holds.first().map(|h| h.text.clone());
                let why = why.or(verdict.reasons.first().map(|r| r.text.clone())).unwrap_or_default();
                (format!("to be refused: {why}"), self.case.since, self.case.since.to_string())
            }
            _ => return None,
        };
        let rule = rejecting.filter(|_| verdict.action == Action::Reject).cloned();
        let rule = rule.unwrap_or_else(|| "intake".into());
        let tracking = self.facts.get("tracking").cloned().unwrap_or(Value::Null);
        let age = (self.today - since).num_days();
        let more = vec![json!(at), json!(mark(age)), tracking];
        Some(self.line(what, since, &rule, forward(&self.at()), more))
    }

    /// Received, and not one of the units that its RMA announced.
    pub(super) fn unauthorised(&self) -> Option<Line> {
        let unit = &self.case.unit.name;
        let here = !self.state().is_final()
            && !matches!(self.state(), UnitState::Refused | UnitState::Shipped | UnitState::Awaited);
        let has_serial = self.facts.get("serial").and_then(Value::as_str) == Some(unit);
        if !here || !has_serial || self.beside.expected.is_empty() || self.beside.expected.contains(unit) {
            return None;
        }
        let row = self.program.intake(Situation::UnitNotOnRma);
        // A person let it pass by name.
        if self.facts.get("released").is_some_and(|r| r.get(&*row.code).is_some()) {
            return None;
        }
        let mut what = format!("{unit} was not announced on RMA {}", self.rma.number);
        let refuse = command(&self.rma.number, Step::Refuse, unit, &[("why", "WHY")]);
        let mut next =
            format!("it belongs to the RMA: add the serial to its list and backdock rma import FILE; else {refuse}");
        if let Some(other) = self.beside.elsewhere.first() {
            what.push_str(&format!("; it was on {}", self.beside.elsewhere.join(", ")));
            next = format!("{refuse}, then scan it at the dock on RMA {other}");
        }
        if !matches!(self.state(), UnitState::Received | UnitState::Held) {
            next = format!("{} lets it pass or not; it goes on: {}", row.released_by, forward(&self.at()));
        }
        let more = vec![json!(self.beside.elsewhere.join(" "))];
        Some(self.line(what, self.case.since, &row.rule, next, more))
    }

    /// In the vendor's part of its way.
    pub(super) fn vendor(&self) -> Option<Line> {
        let vendor = self.judged.verdict.vendor.as_ref().or(self.case.recorded.vendor.as_ref());
        let to = vendor.map_or("unknown", |v| &*v.send_to);
        let number = self.facts.get("vendor_rma").and_then(Value::as_str);
        let days = (self.today - self.case.since).num_days();
        let at = self.at();
        let (what, next, wants_person) = match self.state() {
            UnitState::VendorRequested => (format!("waits for the RMA number of {to}"), forward(&at), true),
            UnitState::VendorNumbered => (format!("has the number of {to}, not shipped yet"), forward(&at), true),
            UnitState::VendorShipped => {
                let what = format!("at {to}, no credit and no replacement: day {days} of {VENDOR_DAYS}");
                let ways = [Step::VendorCredit, Step::VendorReplace].map(|step| at.allowed(step).unwrap_or_default());
                (what, format!("ask {to}; when it comes: {} or {}", ways[0], ways[1]), days >= VENDOR_DAYS)
            }
            UnitState::VendorReplaced => (format!("the unit from {to} is not tested"), forward(&at), true),
            _ => return None,
        };
        let rule = vendor.map_or_else(|| self.rule(), |v| v.rule.clone());
        let more = vec![json!(to), json!(number)];
        let mut line = self.line(what, self.case.since, &rule, next, more);
        line.wants_person = wants_person;
        Some(line)
    }
}
