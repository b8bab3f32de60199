//! Steps in the life of a unit, and the days of the calendar: read, decided by [`crate::flow::life`],
//! written down with everything that follows, in the open transaction.

use super::{Core, Failed};
use crate::domain::event::Event;
use crate::domain::rma::{Receipt, Rma, RmaState};
use crate::domain::unit::{Moved, Step, UnitState};
use crate::flow::life::{self, Done, Unit, Wish};
use crate::message::{Fields, Owed};
use crate::program::Program;
use crate::rma::Knowledge;
use crate::store::life as read;
use crate::store::{Head, StoreError, know};
use chrono::{DateTime, FixedOffset, NaiveDate};
use serde_json::{Map, Value, json};

/// Days that the calendar catches up on after a long rest; older ones are looked at in one go.
const CATCH_UP: u64 = 400;
/// Units of an RMA that are told of when its number is given out; more come in one box as a whole delivery.
const TOLD_AT_ISSUE: usize = 64;
/// Cases looked at in one transaction, so that no scan waits long.
const CASES: usize = 200;

/// The calendar on its way through the open cases of one day.
#[derive(Default)]
pub(super) struct Passing {
    day: NaiveDate,
    /// RMA and unit of each case still to be looked at.
    cases: Vec<(String, String)>,
}

impl Core {
    /// Makes a step with a unit of an RMA. The inner error is a refusal in words.
    pub(in crate::station) fn act(
        &mut self,
        number: &str,
        unit: &str,
        wish: &Wish,
        now: DateTime<FixedOffset>,
    ) -> Result<Result<Moved, String>, StoreError> {
        self.papers.clear();
        let Some(rma) = know::rma(&self.store.conn, number)? else {
            return Ok(Err(format!("RMA {number} is not on record; `backdock rma list` shows what is")));
        };
        let programs = self.programs.clone();
        let Some(program) = programs.issued_under(&rma.program, &rma.program_version) else {
            return Ok(Err(format!(
                "the program {:?} {} of RMA {number} is not served",
                rma.program, rma.program_version
            )));
        };
        let unit = match self.unit_of(&rma, program, unit, now)? {
            Ok(unit) => unit,
            Err(why) => return Ok(Err(why)),
        };
        let done = {
            let conn = &self.store.conn;
            let posted = |kind: &str, rule: &str| read::is_posted(conn, number, &unit.name, kind, rule).unwrap_or(true);
            life::act(&rma, program, &unit, wish, now.date_naive(), &posted, self.store.pending_seq() + 1)
        };
        match done {
            Err(refused) => Ok(Err(refused.0)),
            Ok(done) => {
                let moved = done.moved.clone();
                let head = Head { at: now, badge: self.session.badge.clone(), ..Head::default() };
                self.write_done(&rma, done, &head)?;
                Ok(moved.ok_or_else(|| "nothing was done".to_owned()))
            }
        }
    }

    /// An RMA was written down: the messages that it owes.
    pub(in crate::station) fn issued(&mut self, rma: &Rma, now: DateTime<FixedOffset>) -> Result<(), StoreError> {
        let programs = self.programs.clone();
        let Some(program) = programs.issued_under(&rma.program, &rma.program_version) else { return Ok(()) };
        let head = Head { at: now, ..Head::default() };
        let today = now.date_naive();
        // The facts were checked before; what cannot be judged owes nothing.
        if let Ok(done) = life::issued(rma, program, None, today) {
            // Of the units nothing is known yet but their names.
            let units: Vec<String> = rma.expected.iter().take(TOLD_AT_ISSUE).cloned().collect();
            for owed in &done.owed {
                let fields = Fields { units: units.clone(), ..Fields::default() };
                self.owe(as_owed(rma, owed, fields), &head)?;
            }
        }
        if !program.tells_on(Step::Issue) {
            return Ok(());
        }
        for serial in rma.expected.iter().take(TOLD_AT_ISSUE) {
            let facts = life::awaited(&self.store, rma, serial, today).map_err(|e| StoreError::Unreadable(e.0))?;
            let unit = Unit::bare(serial, UnitState::Awaited, facts);
            if let Ok(done) = life::issued(rma, program, Some(&unit), today) {
                self.write_done(rma, done, &head)?;
            }
        }
        Ok(())
    }

    /// An RMA was closed: the messages that it owes at its end, once, with what became of each unit.
    pub(in crate::station) fn closed(&mut self, rma: &Rma, now: DateTime<FixedOffset>) -> Result<(), StoreError> {
        let programs = self.programs.clone();
        let Some(program) = programs.issued_under(&rma.program, &rma.program_version) else { return Ok(()) };
        let head = Head { at: now, ..Head::default() };
        let rows = read::units_of(&self.store.conn, &rma.number)?;
        let units: Vec<Unit> =
            rows.into_iter().map(|r| Unit::recorded(r.unit, r.state, r.facts, &r.verdict, program)).collect();
        // The facts were checked before; what cannot be judged owes nothing.
        let Ok(owed) = life::closed(rma, program, &units, now.date_naive()) else { return Ok(()) };
        let said: Vec<String> = units.iter().map(life::ended).collect();
        for owed in owed {
            let fields = Fields { units: said.clone(), ..Fields::default() };
            self.owe(as_owed(rma, &owed, fields), &head)?;
        }
        Ok(())
    }

    /// The unit as it stands; the inner error says why there is none of that name.
    pub(super) fn unit_of(
        &self,
        rma: &Rma,
        program: &Program,
        name: &str,
        now: DateTime<FixedOffset>,
    ) -> Result<Result<Unit, String>, StoreError> {
        let serial = crate::domain::text::serial_key(name);
        let mac = crate::domain::mac::Mac::parse(name).map(|m| m.to_string());
        for name in serial.iter().chain(&mac) {
            if let Some(row) = read::unit(&self.store.conn, &rma.number, name)? {
                return Ok(Ok(Unit::recorded(row.unit, row.state, row.facts, &row.verdict, program)));
            }
        }
        let Some(serial) = serial else { return Ok(Err(format!("{name:?} is no serial number or MAC"))) };
        let expected = know::expected(&self.store.conn, &rma.number)?;
        if !expected.contains(&serial) {
            let known = if expected.is_empty() {
                "it announced none".to_owned()
            } else {
                format!("announced are {}", expected.join(", "))
            };
            return Ok(Err(format!("unit {serial} is not on RMA {} and did not come with it; {known}", rma.number)));
        }
        let facts = crate::flow::life::awaited(&self.store, rma, &serial, now.date_naive())
            .map_err(|e| StoreError::Unreadable(e.0))?;
        Ok(Ok(Unit { name: serial, state: UnitState::Awaited, facts, dock: Vec::new() }))
    }

    /// A receipt was written: what it owes, and a unit that something was done with before it came is moved on.
    pub(super) fn life_of_receipt(&mut self, receipt: &Receipt, head: &Head) -> Result<(), Failed> {
        let name = receipt.serial.clone().or(receipt.mac.map(|m| m.to_string())).unwrap_or_default();
        self.messages_of_receipt(receipt, &name, head)?;
        let known = self.store.before_receipt(&receipt.rma, &name).map_err(|e| Failed::Unanswered(e.0))?;
        if known.is_none() {
            return Ok(());
        }
        let Some(row) = read::unit(&self.store.conn, &receipt.rma, &name)? else { return Ok(()) };
        if !matches!(row.state, UnitState::Awaited | UnitState::AdvanceShipped) {
            return Ok(());
        }
        let moved = Moved {
            rma: receipt.rma.clone(),
            unit: name,
            step: Step::Receive,
            from: row.state,
            to: life::at_the_dock(&receipt.verdict),
            on: receipt.at.date_naive(),
            by: self.session.badge.clone().unwrap_or_else(|| "dock".to_owned()),
            said: Map::new(),
            facts: receipt.facts.clone(),
            legs: Vec::new(),
            verdict: receipt.verdict.clone(),
            successor: None,
        };
        self.store.append(head, &Event::UnitMoved { moved: Box::new(moved) })?;
        Ok(())
    }

    fn messages_of_receipt(&mut self, receipt: &Receipt, name: &str, head: &Head) -> Result<(), Failed> {
        let programs = self.programs.clone();
        let program = programs.issued_under(&receipt.verdict.program, &receipt.verdict.version);
        let Some(program) = program.filter(|p| !receipt.verdict.messages.is_empty() || p.tells_on(Step::Receive))
        else {
            return Ok(());
        };
        let Some(rma) = know::rma(&self.store.conn, &receipt.rma)? else { return Ok(()) };
        let unit =
            Unit::recorded(name.to_owned(), UnitState::Received, receipt.facts.clone(), &receipt.verdict, program);
        let nth = self.store.pending_seq() + 1;
        match life::received(&rma, &unit, program, receipt.at.date_naive(), nth) {
            Ok(done) => self.write_done(&rma, done, head),
            // It was judged a moment ago.
            Err(e) => Err(Failed::Unanswered(e.0)),
        }
    }

    /// A receipt was taken back: a unit that something was done with before it came waits again.
    pub(super) fn life_of_withdrawn(&mut self, receipt: i64, head: &Head) -> Result<(), Failed> {
        let Some((rma, name)) = read::receipt_unit(&self.store.conn, &self.config.station.id, receipt)? else {
            return Ok(());
        };
        if self.store.before_receipt(&rma, &name).map_err(|e| Failed::Unanswered(e.0))?.is_none() {
            return Ok(());
        }
        let Some(row) = read::unit(&self.store.conn, &rma, &name)? else { return Ok(()) };
        if !matches!(row.state, UnitState::Received | UnitState::Held) {
            return Ok(());
        }
        let mut facts = row.facts;
        facts.remove("received");
        let out = facts.get("advance").is_some_and(|a| a.get("shipped").is_some());
        let moved = Moved {
            rma,
            unit: name,
            step: Step::Withdraw,
            from: row.state,
            to: if out { UnitState::AdvanceShipped } else { UnitState::Awaited },
            on: head.at.date_naive(),
            by: self.session.badge.clone().unwrap_or_else(|| "dock".to_owned()),
            said: Map::new(),
            facts,
            legs: Vec::new(),
            verdict: row.verdict,
            successor: None,
        };
        self.store.append(head, &Event::UnitMoved { moved: Box::new(moved) })?;
        Ok(())
    }

    /// Whether the calendar has open cases to look at.
    pub fn day_is_due(&self, now: DateTime<FixedOffset>) -> bool {
        self.passing.is_some() || self.passed.is_none_or(|day| day < now.date_naive())
    }

    /// Whether it is in the middle of them.
    pub fn day_under_way(&self) -> bool {
        self.passing.is_some()
    }

    /// Looks at the next open cases for the next day that has passed; one transaction.
    pub(in crate::station) fn day_step(&mut self, now: DateTime<FixedOffset>) -> Result<(), Failed> {
        let today = now.date_naive();
        if self.passing.is_none() {
            let last = match self.passed {
                Some(day) => Some(day),
                None => read::last_day(&self.store.conn, &self.config.station.id)?,
            };
            self.passed = last;
            self.passing = match last {
                // A new station has no past: what comes today is judged when it comes.
                None => Some(Passing { day: today, cases: Vec::new() }),
                Some(last) if last >= today => return Ok(()),
                Some(last) => {
                    let oldest = today - chrono::Days::new(CATCH_UP);
                    let day = last.succ_opt().unwrap_or(today).max(oldest);
                    let mut cases = read::open_units(&self.store.conn)?;
                    cases.reverse();
                    Some(Passing { day, cases })
                }
            };
        }
        let Some(mut passing) = self.passing.take() else { return Ok(()) };
        let some = passing.cases.split_off(passing.cases.len().saturating_sub(CASES));
        let day = passing.day;
        let over = passing.cases.is_empty();
        self.store.begin()?;
        let done = some.iter().rev().try_for_each(|(rma, unit)| self.case_on(rma, unit, day, now)).and_then(|()| {
            if over {
                self.expire(day, now)?;
                self.store.append(&Head { at: now, ..Head::default() }, &Event::DayPassed { day })?;
            }
            Ok(())
        });
        match done.and_then(|()| Ok(self.store.commit()?)) {
            Ok(()) if over => self.passed = Some(day),
            Ok(()) => self.passing = Some(passing),
            Err(e) => {
                self.store.rollback();
                // Messages that are not owed after all must not wait in memory.
                self.reload()?;
                return Err(e);
            }
        }
        Ok(())
    }

    fn case_on(&mut self, rma: &str, unit: &str, day: NaiveDate, now: DateTime<FixedOffset>) -> Result<(), Failed> {
        let Some(row) = read::unit(&self.store.conn, rma, unit)? else { return Ok(()) };
        let Some(rma) = know::rma(&self.store.conn, &row.rma)? else { return Ok(()) };
        let programs = self.programs.clone();
        let Some(program) = programs.issued_under(&rma.program, &rma.program_version) else { return Ok(()) };
        let unit = Unit::recorded(row.unit.clone(), row.state, row.facts.clone(), &row.verdict, program);
        let done = {
            let conn = &self.store.conn;
            let posted =
                |kind: &str, rule: &str| read::is_posted(conn, &rma.number, &unit.name, kind, rule).unwrap_or(true);
            life::day(&rma, program, &unit, day, &posted)
        };
        match done {
            Ok(done) => self.write_done(&rma, done, &Head { at: now, ..Head::default() }),
            Err(e) => {
                tracing::warn!(rma = rma.number, unit = row.unit, why = %e, "a case could not be looked at");
                Ok(())
            }
        }
    }

    /// RMAs of which nothing came in their time.
    fn expire(&mut self, day: NaiveDate, now: DateTime<FixedOffset>) -> Result<(), StoreError> {
        let programs = self.programs.clone();
        for rma in read::silent_rmas(&self.store.conn)? {
            let program = programs.issued_under(&rma.program, &rma.program_version);
            let Some(until) = program.and_then(|p| p.valid_until(rma.issued)).filter(|until| *until < day) else {
                continue;
            };
            if self.session.rma.as_deref() == Some(&rma.number) {
                continue;
            }
            let why = format!("nothing came until {until}");
            let event = Event::RmaMoved { rma: rma.number, to: RmaState::Expired, why };
            self.store.append(&Head { at: now, ..Head::default() }, &event)?;
        }
        Ok(())
    }

    /// What is known of the whole RMA is added to.
    pub(in crate::station) fn note_rma(
        &mut self,
        number: &str,
        facts: &Map<String, Value>,
        by: &str,
        now: DateTime<FixedOffset>,
    ) -> Result<Result<(), String>, StoreError> {
        let Some(mut old) = know::rma(&self.store.conn, number)? else {
            return Ok(Err(format!("RMA {number} is not on record")));
        };
        if !matches!(old.state, RmaState::Open | RmaState::Expired | RmaState::Requested) {
            return Ok(Err(format!("RMA {number} is {}; nothing of it can change", old.state.word())));
        }
        old.expected = know::expected(&self.store.conn, number)?;
        let mut new = old.clone();
        facts.iter().for_each(|(key, value)| life::merge(&mut new.facts, key, value.clone()));
        if let Err(e) = crate::domain::facts::Facts::from_json(&json!(new.facts)) {
            return Ok(Err(e.to_string()));
        }
        self.store
            .append(&Head { at: now, ..Head::default() }, &Event::RmaChanged { old: old.clone(), new: new.clone() })?;
        self.look_again(&old, &new, by, now)?;
        Ok(Ok(()))
    }

    /// What is known of the RMA has changed: its units have it too, and at the dock they are held or not by
    /// what is known now.
    pub(in crate::station) fn look_again(
        &mut self,
        old: &Rma,
        rma: &Rma,
        by: &str,
        now: DateTime<FixedOffset>,
    ) -> Result<(), StoreError> {
        let programs = self.programs.clone();
        let Some(program) = programs.issued_under(&rma.program, &rma.program_version) else { return Ok(()) };
        // The part `rma` is laid over at every look; the rest was taken into each unit's facts at its receipt.
        let changed: Map<String, Value> = rma
            .facts
            .iter()
            .filter(|(key, value)| *key != "rma" && old.facts.get(*key) != Some(value))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let says_something = !changed.is_empty();
        let said = Map::from_iter([("facts".to_owned(), Value::Object(changed))]);
        let wish = Wish { step: Step::Note, by, said: &said };
        for row in read::units_of(&self.store.conn, &rma.number)? {
            let at_the_dock = matches!(row.state, UnitState::Received | UnitState::Held);
            if row.state.is_final() || !(says_something || at_the_dock) {
                continue;
            }
            let unit = Unit::recorded(row.unit, row.state, row.facts, &row.verdict, program);
            let done = {
                let conn = &self.store.conn;
                let posted =
                    |kind: &str, rule: &str| read::is_posted(conn, &rma.number, &unit.name, kind, rule).unwrap_or(true);
                life::act(rma, program, &unit, &wish, now.date_naive(), &posted, self.store.pending_seq() + 1)
            };
            if let Ok(done) = done
                && done.moved.as_ref().is_some_and(|m| says_something || m.from != m.to)
            {
                self.write_done(rma, done, &Head { at: now, ..Head::default() })?;
            }
        }
        Ok(())
    }

    /// A message that follows from a step or a day, into the outbox.
    fn owe_message(
        &mut self,
        rma: &Rma,
        done: &Done,
        state: Option<UnitState>,
        owed: &life::Owed,
        head: &Head,
    ) -> Result<(), Failed> {
        let mut fields = done.verdict.as_ref().map(|v| Fields::of_unit(&done.facts, v)).unwrap_or_default();
        if let Some(state) = state {
            let outcome = done.facts.get("outcome").and_then(Value::as_str);
            fields.stage = Some(life::stage(state, outcome).to_owned());
            fields.units = vec![life::ended(&Unit::bare(&owed.unit, state, done.facts.clone()))];
        }
        self.owe(as_owed(rma, owed, fields), head)
    }

    /// Writes what follows from a step, a receipt or a day: money, then messages.
    fn write_done(&mut self, rma: &Rma, mut done: Done, head: &Head) -> Result<(), Failed> {
        let state = done.moved.as_ref().map(|moved| moved.to);
        let moved = done.moved.take().map(Box::new);
        if let Some(moved) = moved.clone() {
            self.store.append(head, &Event::UnitMoved { moved })?;
        }
        for line in std::mem::take(&mut done.posted) {
            self.store.append(head, &Event::Posted { line })?;
        }
        let owed = std::mem::take(&mut done.owed);
        owed.iter().try_for_each(|owed| self.owe_message(rma, &done, state, owed, head))?;
        moved.map_or(Ok(()), |moved| self.papers_of_step(rma, &moved, head))
    }
}

fn as_owed<'a>(rma: &'a Rma, owed: &'a life::Owed, fields: Fields) -> Owed<'a> {
    Owed {
        rma,
        unit: Some(owed.unit.as_str()).filter(|u| !u.is_empty()),
        to: owed.message.to,
        about: &owed.message.about,
        rule: &owed.message.rule,
        says: &owed.message.text,
        cause: owed.cause.clone(),
        fields,
    }
}

#[cfg(test)]
mod tests;
