//! Lists about work that stands still: holds, what is late, quotations without an answer.

use super::{Line, Today};
use crate::domain::unit::{Step, UnitState};
use crate::domain::verdict::{Due, Hold, Move, Verdict};
use crate::flow::life::case_on;
use crate::flow::next::{again, answers, command, forward, lets_pass, lifts, stands_still};
use chrono::NaiveDate;
use serde_json::{Value, json};

/// Due dates of which somebody is reminded are no deadlines of ours.
const REMINDS: &str = "remind";
/// A day from which a case is on a list: the day itself counts, where a deadline's last day is still in time.
const LISTS: &str = "list_";
/// The due date of a quotation.
pub(super) const QUOTE: &str = "quote_expires";

impl Today<'_> {
    /// Every hold that still stands in the unit's way, and the open questions that do.
    pub(super) fn holds(&self) -> Vec<Line> {
        let verdict = &self.judged.verdict;
        let mut lines: Vec<Line> = Vec::new();
        for hold in self.dock_holds().iter().filter(|h| self.ahead(&h.blocks)) {
            let next = self.dock_next(hold);
            lines.push(self.held(hold, next));
        }
        for hold in verdict.holds.iter().filter(|h| self.ahead(&h.blocks)) {
            lines.push(self.held(hold, lifts(&self.at(), hold)));
        }
        if stands_still(&self.at()) && lines.iter().all(|line| line.more.get(2) != Some(&json!("bench"))) {
            let next = again(&self.rma.number, &self.case.unit.name);
            let more = vec![json!("none"), json!("anybody"), json!("bench")];
            let what = "set aside, and nothing holds it any more".to_owned();
            lines.push(self.line(what, self.case.since, &"intake".into(), next, more));
        }
        for question in verdict.questions.iter().filter(|q| !q.blocks.is_empty() && self.ahead(&q.blocks)) {
            let answerers: Vec<&str> = question.answers.iter().map(|a| &**a).collect();
            let released_by =
                if answerers.is_empty() { "an answer".to_owned() } else { format!("answer: {}", answerers.join(", ")) };
            let more = vec![json!(question.code), json!(released_by), json!(moves(&question.blocks))];
            let what = format!("open question: {}", &*question.text);
            lines.push(self.line(what, self.case.since, &question.rule, answers(&self.at(), question), more));
        }
        lines
    }

    fn held(&self, hold: &Hold, next: String) -> Line {
        let more = vec![json!(hold.code), json!(hold.released_by), json!(moves(&hold.blocks))];
        self.line(hold.text.clone(), self.case.since, &hold.rule, next, more)
    }

    /// Holds that the dock itself put on the unit (serial and MAC of two devices, not announced ...): those
    /// recorded at the receipt that the facts of the receipt alone do not give.
    fn dock_holds(&self) -> Vec<Hold> {
        if !self.case.only_received || self.case.recorded.holds.is_empty() {
            return Vec::new();
        }
        let then = self.case.recorded.today;
        let bare = crate::domain::rma::Rma { facts: serde_json::Map::new(), ..self.rma.clone() };
        let Ok((_, judged)) = case_on(&bare, self.program, &self.case.unit.facts, then) else { return Vec::new() };
        let given = |hold: &Hold| judged.verdict.holds.iter().any(|h| h.code == hold.code && h.rule == hold.rule);
        let of_today = |hold: &Hold| self.judged.verdict.holds.iter().any(|h| h.code == hold.code);
        self.case.recorded.holds.iter().filter(|h| !given(h) && !of_today(h)).cloned().collect()
    }

    /// What the dock set aside goes on once somebody writes down what he found, or goes back.
    fn dock_next(&self, hold: &Hold) -> String {
        let (rma, unit) = (&self.rma.number, &self.case.unit.name);
        let refuse = command(rma, Step::Refuse, unit, &[("why", "WHY")]);
        let on = lets_pass(&self.at(), &hold.code);
        format!("{} looks at it. It goes on: {on}   It goes back: {refuse}", hold.released_by)
    }

    /// Whether one of `blocks` is still ahead of the unit: what is behind it holds nothing any more.
    fn ahead(&self, blocks: &[Move]) -> bool {
        blocks.iter().any(|block| match self.state() {
            // Its number was given out.
            _ if *block == Move::Issue => false,
            UnitState::Shipped => matches!(block, Move::Close | Move::Charge | Move::Credit),
            UnitState::Refused => matches!(block, Move::Ship | Move::Charge),
            _ => true,
        })
    }

    /// Due dates that have passed and of which the thing is not done.
    pub(super) fn late(&self) -> Vec<Line> {
        let done = matches!(self.state(), UnitState::Ready | UnitState::Shipped | UnitState::Refused);
        let passed = self.judged.verdict.due.iter().filter(|due| {
            !due.what.starts_with(REMINDS)
                && (due.by < self.today || (due.by == self.today && due.what.starts_with(LISTS)))
                && *due.what != *QUOTE
        });
        let owed = passed.filter(|due| !(done && self.counts_from_receipt(due)));
        owed.map(|due| {
            let by = if due.what.starts_with(LISTS) { "open since" } else { "was due by" };
            let what = format!("{}: {by} {}; it is {}", plain(&due.what), due.by, self.state());
            let more = vec![json!(due.by), json!("")];
            self.line(what, due.by, &due.rule, self.late_next(due), more)
        })
        .collect()
    }

    fn late_next(&self, due: &Due) -> String {
        let hold = self.judged.verdict.holds.iter().find(|h| h.rule == due.rule);
        match hold {
            Some(hold) => lifts(&self.at(), hold),
            None => forward(&self.at()),
        }
    }

    /// Whether a due date moves with the day of the receipt: then it is about our own work on the unit, and
    /// met once that is done.
    fn counts_from_receipt(&self, due: &Due) -> bool {
        let Some(next) = self.date(None, "received").and_then(|day| day.checked_sub_days(chrono::Days::new(7))) else {
            return false;
        };
        let mut facts = self.facts.clone();
        facts.insert("received".to_owned(), json!(next));
        let moved = |verdict: &Verdict| !verdict.due.iter().any(|d| d.what == due.what && d.by == due.by);
        case_on(self.rma, self.program, &facts, self.today).is_ok_and(|(_, case)| moved(&case.verdict))
    }

    /// A quotation that the customer has not approved.
    pub(super) fn quote(&self) -> Option<Line> {
        use UnitState::{Awaited, Diagnosing, Held, Quoted, Received, Suspended};
        let issued = self.date(Some("rma"), "quote_issued");
        let about = self.facts.get("rma");
        let answered = |name: &str| about.and_then(|r| r.get(name)).is_some_and(|v| *v != Value::Bool(false));
        let waits = match self.state() {
            Quoted => true,
            Awaited | Received | Held | Diagnosing | Suspended => {
                issued.is_some() && !answered("approved_on") && !answered("purchase_order")
            }
            _ => false,
        };
        if !waits {
            return None;
        }
        let since = issued.unwrap_or(self.case.since);
        let due = self.quote_due(since);
        let expired = due.as_ref().is_some_and(|due| due.by < self.today);
        let rule = due.as_ref().map_or_else(
            || self.judged.verdict.holds_on(Move::Repair).next().map_or_else(|| self.rule(), |h| h.rule.clone()),
            |due| due.rule.clone(),
        );
        let what = match (&due, expired) {
            (Some(due), true) => format!("the quotation of {since} expired on {}", due.by),
            (Some(due), false) => format!("the quotation of {since} is valid until {}", due.by),
            (None, _) => format!("the quotation of {since} has no answer"),
        };
        let (rma, unit) = (&self.rma.number, &self.case.unit.name);
        let again = || command(rma, Step::Quote, unit, &[("amount", "AMOUNT")]);
        let next = match self.at().allowed(Step::Approve) {
            Some(approve) if !expired => approve,
            _ => again(),
        };
        let amount = self.beside.told.quote.clone();
        let more = vec![json!(amount), json!(due.map(|d| d.by)), json!(expired)];
        Some(self.line(what, since, &rule, next, more))
    }

    /// Until when a quotation of `issued` was valid: the program says it of the day it was issued.
    fn quote_due(&self, issued: NaiveDate) -> Option<Due> {
        let mut facts = self.facts.clone();
        if let Some(about) = facts.get_mut("rma").and_then(Value::as_object_mut) {
            about.remove("approved_on");
            about.remove("purchase_order");
            about.insert("quote_issued".to_owned(), json!(issued));
        }
        let bare = crate::domain::rma::Rma { facts: serde_json::Map::new(), ..self.rma.clone() };
        let (_, case) = case_on(&bare, self.program, &facts, issued).ok()?;
        case.verdict.due.into_iter().find(|due| *due.what == *QUOTE)
    }
}

/// The moves of a hold, as one text.
fn moves(blocks: &[Move]) -> String {
    if blocks.len() == Move::ALL.len() {
        return "everything".to_owned();
    }
    blocks.iter().map(|m| m.as_str()).collect::<Vec<_>>().join(" ")
}

/// A code in words.
pub(super) fn plain(code: &str) -> String {
    code.replace('_', " ")
}
