//! The verdict: dates, then subjects, then band and case, then rows.
//!
//! In: a program, facts, a date. Out: a verdict. Pure and total: every path ends in a verdict, and what
//! cannot be told ends in a hold.

use chrono::NaiveDate;

use crate::domain::facts::Facts;
use crate::domain::money::Amount;
use crate::domain::verdict::{
    Action, Advance, AdvanceMode, Charge, Coverage, Due, Hold, Leg, LegName, Message, Move, Name, Party, Question,
    Reason, Role, Vendor, Verdict,
};

use super::clock::{Dates, Run};
use super::rows::{self, Post, Row, SendTo, Who};
use super::subject::{Fixed, Number, State, value};
use super::text::{Figures, Template};
use super::{Case, Owing, Program};

/// What `program` says of the unit described by `facts`.
pub(super) fn verdict(program: &Program, facts: &Facts, today: NaiveDate) -> Verdict {
    whole(program, facts, today, |_| ()).0
}

/// The verdict with what the life of the unit needs beside it.
pub(super) fn case(program: &Program, facts: &Facts, today: NaiveDate) -> Case {
    let (verdict, (posts, owing, reminders)) =
        whole(program, facts, today, |judge| (judge.posts(), judge.owing(), judge.reminders()));
    Case { verdict, posts, owing, reminders }
}

fn whole<T>(program: &Program, facts: &Facts, today: NaiveDate, beside: impl FnOnce(&Judge) -> T) -> (Verdict, T) {
    let calendar = &program.calendar;
    let mut state = State::of(facts, &program.subjects);
    let brand = usize::from(state.get(Fixed::Brand)).checked_sub(2).and_then(|at| calendar.warranty.brands.get(at));
    let dates = Dates::of(facts, today, calendar, brand);
    let runs: Vec<Run> = calendar.windows.iter().map(|w| dates.run(w, &calendar.holidays)).collect();
    let coverage = fill_state(program, &dates, &runs, brand.and_then(|b| b.max_replacements), &mut state);
    let band = program.bands.iter().position(|band| band.when.holds(&state));
    state.set(Fixed::Band, band.map_or(0, |at| at as u8 + 1));
    let case = program.cases.iter().find(|case| case.when.holds(&state));
    state.set(Fixed::Case, case.map_or(0, |case| case.value));
    let cell = program.cells.iter().find(|cell| cell.when.holds(&state)).map(|cell| &cell.rows);

    let mut judge = Judge { program, dates: &dates, runs: &runs, state: &state, cell, reasons: Vec::with_capacity(16) };
    let row_of_band = band.map(|at| &program.bands[at]);
    if calendar.age_text.is_some() && dates.age_days.is_some() {
        judge.say(&calendar.age_rule, calendar.age_text.as_ref());
    }
    if let Some(band) = row_of_band {
        judge.say(&band.rule, band.text.as_ref());
    }
    if dates.warranty_until.is_some() {
        judge.say(&calendar.warranty.rule, calendar.warranty.text.as_ref());
        if let Some(rule) = brand.and_then(|b| b.rule.as_ref()) {
            judge.say(rule, calendar.warranty.text.as_ref());
        }
    }
    if let Some(case) = case {
        judge.say(&case.rule, case.text.as_ref());
    }

    let action = judge.first(|rows| &rows.actions);
    let advance = judge.first(|rows| &rows.advances);
    let route = judge.first(|rows| &rows.routes);
    let vendor = judge.first(|rows| &rows.vendors);
    let (charges, mut holds) = judge.charges();
    judge.holds(&mut holds);
    let beside = beside(&judge);
    let verdict = Verdict {
        program: program.id.clone(),
        version: program.version.clone(),
        today,
        age_days: dates.age_days,
        band: row_of_band.map_or_else(|| "none".into(), |band| band.name.clone()),
        warranty_until: dates.warranty_until,
        coverage,
        action: action.map_or(Action::Hold, |row| row.effect),
        advance_replacement: Advance {
            allowed: advance.is_some_and(|row| row.effect != AdvanceMode::None),
            mode: advance.map_or(AdvanceMode::None, |row| row.effect),
            rule: advance.map_or_else(Name::default, |row| row.rule.clone()),
        },
        legs: judge.legs(),
        charges,
        holds,
        questions: judge.questions(),
        messages: judge.messages(),
        due: judge.dues(),
        route: route.map(|row| row.effect.clone()),
        vendor: vendor.map(|row| judge.vendor(row, brand.map(|b| &b.name))),
        reasons: judge.reasons_and_notes(),
    };
    (verdict, beside)
}

/// Puts what follows from dates and tables into `state`; band and case come after it.
fn fill_state(
    program: &Program,
    dates: &Dates<'_>,
    runs: &[Run],
    brand_max: Option<u32>,
    state: &mut State,
) -> Coverage {
    let (calendar, facts) = (&program.calendar, dates.facts);
    for (window, run) in calendar.windows.iter().zip(runs) {
        state.set(window.subject, run.value);
    }
    let mut void = false;
    for (at, list) in program.lists.iter().enumerate() {
        if list.hit(&facts.conditions).is_some() {
            state.set(list.subject, value::HIT);
            void |= program.void_list == Some(at);
        }
    }
    for question in &program.questions {
        let Some(answer) = facts.answers.get(&*question.code) else { continue };
        if question.named && answer.by.is_none() {
            continue;
        }
        let code = if question.answers.is_empty() {
            u8::from(!answer.answer.is_empty())
        } else {
            let known = question.answers.iter().position(|a| crate::domain::facts::same_word(&answer.answer, a));
            known.map_or(0, |at| at as u8 + 1)
        };
        state.set(question.subject, code);
    }
    let line = dates.line as u8;
    state.set(Fixed::Line, line);
    state.set(Fixed::FirstShipDate, u8::from(dates.first_ship.is_some()));
    let max = brand_max.or(calendar.lineage.max_replacements);
    let used_up = max.is_some_and(|max| dates.replacements_used >= max);
    state.set(Fixed::Replacements, if used_up { value::USED_UP } else { 0 });
    state.set_number(Number::AgeDays, dates.age_days);
    state.set_number(Number::ReplacementsUsed, Some(i64::from(dates.replacements_used)));
    if let Some(quote) = &calendar.quote {
        state.set(Fixed::Quote, dates.quote(quote, &calendar.holidays));
    }

    let plan = calendar.warranty.plan && facts.plan_until.is_some_and(|until| dates.at <= until);
    // A day before the warranty began is no day of the warranty: something is wrong with the dates.
    let begun = dates.warranty_from.is_none_or(|from| from <= dates.at);
    let coverage = match dates.warranty_until {
        Some(until) if begun && dates.at <= until => Coverage::InWarranty,
        _ if plan => Coverage::Plan,
        Some(_) if begun => Coverage::OutOfWarranty,
        _ => Coverage::Unknown,
    };
    let coverage = match coverage {
        Coverage::InWarranty | Coverage::Plan if void => Coverage::Void,
        other => other,
    };
    let position = Coverage::ALL.iter().position(|(_, c)| *c == coverage);
    state.set(Fixed::Coverage, position.map_or(0, |at| at as u8));
    // The earlier of our end and the vendor's own governs the vendor's part.
    let vendor_end = match (dates.warranty_until, facts.vendor_warranty_until) {
        (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
        (ours, theirs) => ours.or(theirs),
    };
    state.set(Fixed::VendorWarranty, vendor_end.map_or(0, |end| if dates.at <= end { 1 } else { 2 }));
    coverage
}

struct Judge<'a> {
    program: &'a Program,
    dates: &'a Dates<'a>,
    runs: &'a [Run],
    state: &'a State,
    cell: Option<&'a rows::Rows>,
    reasons: Vec<Reason>,
}

impl<'a> Judge<'a> {
    /// The rows that apply: those at the top of the file, then the cell's.
    fn all<E: 'a>(&self, pick: fn(&rows::Rows) -> &Vec<Row<E>>) -> impl Iterator<Item = &'a Row<E>> + use<'a, E> {
        let state = self.state;
        let cell = self.cell.map_or(&[][..], |rows| pick(rows));
        pick(&self.program.general).iter().chain(cell).filter(move |row| row.when.holds(state))
    }

    /// The first row that applies; its text becomes a reason.
    fn first<E: 'a>(&mut self, pick: fn(&rows::Rows) -> &Vec<Row<E>>) -> Option<&'a Row<E>> {
        let row = self.all(pick).next()?;
        self.say(&row.rule, row.text.as_ref());
        Some(row)
    }

    fn say(&mut self, rule: &Name, text: Option<&Template>) {
        if let Some(text) = text {
            let text = self.fill(text);
            self.reasons.push(Reason { rule: rule.clone(), text });
        }
    }

    fn fill(&self, text: &Template) -> String {
        let windows = &self.program.calendar.windows;
        let spans = |at: usize| windows.get(at).map_or(0, |w| w.span.count());
        text.fill(&Figures { dates: self.dates, runs: self.runs, spans: &spans })
    }

    /// `None` where the row means "the other side" and the channel does not tell which that is.
    fn party(&self, who: Who) -> Option<Party> {
        match (who, self.state.get(Fixed::Side)) {
            (Who::Party(party), _) => Some(party),
            (Who::Side, value::CUSTOMER) => Some(Party::Customer),
            (Who::Side, value::PARTNER) => Some(Party::Partner),
            (Who::Side, _) => None,
        }
    }

    fn legs(&mut self) -> Vec<Leg> {
        let mut legs: Vec<Leg> = Vec::with_capacity(4);
        for row in self.all(|rows| &rows.legs) {
            let leg = &row.effect;
            if legs.iter().any(|seen| seen.leg == leg.leg) {
                continue;
            }
            let Some(payer) = self.party(leg.payer) else { continue };
            legs.push(Leg { leg: leg.leg, payer, service: leg.service, rule: row.rule.clone() });
            self.say(&row.rule, row.text.as_ref());
            if let Some(rule) = &leg.service_rule {
                let text = format!("{} goes {}", leg.leg, leg.service);
                self.reasons.push(Reason { rule: rule.clone(), text });
            }
        }
        legs.sort_by_key(|leg| LegName::ALL.iter().position(|(_, l)| *l == leg.leg));
        legs
    }

    /// The charges, and a hold for each whose amount nobody has filled in.
    fn charges(&mut self) -> (Vec<Charge>, Vec<Hold>) {
        let (mut charges, mut holds) = (Vec::new(), Vec::new());
        for row in self.all(|rows| &rows.charges) {
            let (charge, fee) = (&row.effect, &self.program.fees[row.effect.fee]);
            let (amount, to) = (self.amount(fee), self.party(charge.to));
            if let (Some(amount), Some(to)) = (amount, to) {
                let amount = if charge.credit { Amount::from_cents(-amount.cents()) } else { amount };
                if amount != Amount::ZERO {
                    let (kind, currency) = (charge.kind.clone(), self.program.currency.clone());
                    charges.push(Charge { kind, amount, currency, to, rule: row.rule.clone() });
                }
            } else if let Some(release) = self.dates.facts.released.get(&*fee.unset_code)
                && let Some(by) = release.by.as_ref().filter(|_| amount.is_none())
            {
                // A person lets it go uncharged, by name.
                let text = format!("{} not charged, {by}: {}", charge.kind, release.answer);
                self.reasons.push(Reason { rule: row.rule.clone(), text });
            } else if amount.is_none() && !fee.of_quote {
                holds.push(Hold {
                    code: fee.unset_code.clone(),
                    released_by: "program file".into(),
                    rule: row.rule.clone(),
                    blocks: vec![Move::Charge, Move::Credit, Move::Close],
                    text: format!("{}: no amount is set for {:?} in the program file", charge.kind, &*fee.name),
                });
            }
            self.say(&row.rule, row.text.as_ref());
        }
        (charges, holds)
    }

    /// What the program says, or for this unit its quotation.
    fn amount(&self, fee: &rows::Fee) -> Option<Amount> {
        if fee.of_quote { self.dates.facts.rma.quote_amount } else { fee.amount }
    }

    fn holds(&mut self, holds: &mut Vec<Hold>) {
        let contradictions = self.dates.contradictions();
        if !contradictions.is_empty() {
            let answer = &self.program.calendar.contradiction;
            holds.push(Hold {
                code: "contradiction".into(),
                released_by: answer.released_by.clone(),
                rule: answer.rule.clone(),
                blocks: answer.blocks.clone(),
                text: contradictions.join("; "),
            });
        }
        for row in self.all(|rows| &rows.holds) {
            let hold = &row.effect;
            if hold.by_person
                && let Some(release) = self.dates.facts.released.get(&*hold.code)
                && let Some(by) = &release.by
            {
                let text = format!("{} released by {by}: {}", hold.code, release.answer);
                self.reasons.push(Reason { rule: row.rule.clone(), text });
                continue;
            }
            let text = row.text.as_ref().map(|text| self.fill(text)).unwrap_or_default();
            let (code, released_by) = (hold.code.clone(), hold.released_by.clone());
            holds.push(Hold { code, released_by, rule: row.rule.clone(), blocks: hold.blocks.clone(), text });
        }
    }

    fn questions(&self) -> Vec<Question> {
        let open = self.all(|rows| &rows.asks).filter_map(|row| {
            let question = self.program.questions.get(row.effect)?;
            let missing = self.state.get(question.subject) == value::MISSING;
            (missing || question.by_fact).then_some((row, question))
        });
        open.map(|(row, question)| Question {
            code: question.code.clone(),
            answers: question.answers.clone(),
            rule: row.rule.clone(),
            blocks: question.blocks.clone(),
            text: question.text.clone(),
        })
        .collect()
    }

    /// What is owed because of what is known, whatever was done.
    fn messages(&self) -> Vec<Message> {
        let listed = |row: &&Row<rows::Message>| row.effect.on.is_empty() || row.effect.listed;
        self.all(|rows| &rows.messages).filter(listed).map(message).collect()
    }

    fn owing(&self) -> Vec<Owing> {
        let owing =
            |row: &Row<rows::Message>| Owing { message: message(row), on: row.effect.on.clone(), per: row.effect.per };
        self.all(|rows| &rows.messages).map(owing).collect()
    }

    /// When each charge of [`Judge::charges`] is posted, in their order.
    fn posts(&self) -> Vec<Post> {
        let rows = self.all(|rows| &rows.charges).filter(|row| {
            let amount = self.amount(&self.program.fees[row.effect.fee]);
            amount.is_some_and(|amount| amount != Amount::ZERO) && self.party(row.effect.to).is_some()
        });
        rows.map(|row| row.effect.post).collect()
    }

    fn reminders(&self) -> Vec<(Due, Role)> {
        let due = |row: &Row<rows::Due>| Some((self.due(row)?, row.effect.remind?));
        self.all(|rows| &rows.dues).filter_map(due).collect()
    }

    fn due(&self, row: &Row<rows::Due>) -> Option<Due> {
        let from = self.dates.first_of(&row.effect.from)?;
        let by = row.effect.span.after(from, &self.program.calendar.holidays);
        Some(Due { what: row.effect.what.clone(), by, rule: row.rule.clone() })
    }

    fn dues(&self) -> Vec<Due> {
        self.all(|rows| &rows.dues).filter_map(|row| self.due(row)).collect()
    }

    fn vendor(&self, row: &Row<rows::Vendor>, brand: Option<&Name>) -> Vendor {
        let known = match &row.effect.send_to {
            SendTo::Distributor => self.dates.facts.distributor.as_deref().map(Name::from),
            SendTo::Brand => brand.cloned(),
            SendTo::Name(name) => Some(name.clone()),
        };
        Vendor {
            send_to: known.unwrap_or_else(|| "unknown".into()),
            rma_number_required: row.effect.rma_number_required,
            rule: row.rule.clone(),
        }
    }

    fn reasons_and_notes(mut self) -> Vec<Reason> {
        for row in self.all(|rows| &rows.notes) {
            self.say(&row.rule, row.text.as_ref());
        }
        self.reasons
    }
}

fn message(row: &Row<rows::Message>) -> Message {
    let (to, about, text) = (row.effect.to, row.effect.about.clone(), row.effect.says.clone());
    Message { to, about, rule: row.rule.clone(), text }
}
