//! Work lists: what a person has to do something about, one line a case, oldest first. PURE.
//!
//! In: one case at a time as the tables have it, judged again for today; out: its lines on one list. Each
//! line says what, since when, by which rule, and the next step as it is typed. Promised: a case stands on
//! a list exactly as long as the program and the steps made so far say so; the step that is named is one
//! that would be taken (see [`super::next`]). Nothing is remembered between two lists.

mod bench;
mod door;
mod goods;
mod money;
#[cfg(test)]
mod tests;

use super::life::{Refused, Unit, unit_on};
use super::next::At;
use crate::domain::facts::words;
use crate::domain::money::Amount;
use crate::domain::rma::Rma;
use crate::domain::unit::UnitState;
use crate::domain::verdict::{Name, Verdict};
use crate::program::{Case as Judged, Program};
use chrono::NaiveDate;
use serde_json::{Map, Value};

pub use door::{Door, LOOK_BACK, Turned};
pub use goods::{Missing, announced, refused_box, tag};
pub use money::{posted, sums};

words! {
    /// The lists.
    List {
        Holds = "holds",
        Late = "late",
        Advances = "advances",
        Quotes = "quotes",
        Refused = "refused",
        Unauthorised = "unauthorised",
        Vendor = "vendor",
        StaleTags = "stale-tags",
        Charges = "charges",
    }
}

impl List {
    /// The columns that this list has beside the common ones, in their order.
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            List::Holds => &["code", "released_by", "blocks"],
            List::Late => &["due", "missing"],
            List::Advances => &["advance", "day", "of", "billed"],
            List::Quotes => &["amount", "valid_until", "expired"],
            List::Refused => &["at", "mark", "tracking"],
            List::Unauthorised => &["announced_on"],
            List::Vendor => &["vendor", "number"],
            List::StaleTags => &["payer"],
            List::Charges => &["status", "kind", "amount", "currency", "party", "evidence", "by"],
        }
    }
}

/// The columns that every list has.
pub const COMMON: [&str; 9] = ["rma", "unit", "customer", "program", "what", "since", "age_days", "rule", "next"];

/// One case on a list.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    /// Empty: a box whose number is none.
    pub rma: String,
    /// Empty: the whole RMA.
    pub unit: String,
    pub customer: Option<String>,
    pub program: String,
    pub what: String,
    pub since: NaiveDate,
    pub age_days: i64,
    pub rule: Name,
    pub next: String,
    /// The values of [`List::columns`], in their order.
    pub more: Vec<Value>,
    /// A person has to act; otherwise it is only on its way.
    pub wants_person: bool,
}

/// A unit as the tables have it.
#[derive(Clone, Debug)]
pub struct Case {
    pub unit: Unit,
    pub since: NaiveDate,
    /// What was said of it when it came, or at the last step.
    pub recorded: Verdict,
    /// Nothing was done with it since it came.
    pub only_received: bool,
}

/// What was said with earlier steps of a unit.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// The amount of the last quotation.
    pub quote: Option<String>,
    /// Why it was refused, and the moment as the journal has it.
    pub refused: Option<(String, String)>,
    /// The advance unit itself came back.
    pub advance_back: bool,
    /// A person did something with it since it came.
    pub touched: bool,
}

/// What the lists must know beside the unit itself.
pub struct Beside<'a> {
    /// The serials that the RMA announced.
    pub expected: &'a [String],
    /// Other open RMAs that announced this serial.
    pub elsewhere: &'a [String],
    pub told: &'a Told,
    /// Kind, rule and amount of what the ledger has of the unit.
    pub ledger: &'a [(String, String, Amount)],
}

/// A unit judged for today.
struct Today<'a> {
    rma: &'a Rma,
    program: &'a Program,
    case: &'a Case,
    beside: &'a Beside<'a>,
    today: NaiveDate,
    facts: Map<String, Value>,
    judged: Judged,
}

/// The lines of one unit on one list.
///
/// # Errors
/// What is recorded of the unit cannot be judged.
pub fn of_unit(
    list: List,
    rma: &Rma,
    program: &Program,
    case: &Case,
    beside: &Beside,
    today: NaiveDate,
) -> Result<Vec<Line>, Refused> {
    let (facts, judged) = unit_on(rma, program, &case.unit, today)?;
    let now = Today { rma, program, case, beside, today, facts, judged };
    Ok(match list {
        List::Holds => now.holds(),
        List::Late => now.late(),
        List::Quotes => now.quote().into_iter().collect(),
        List::Advances => now.advance().into_iter().collect(),
        List::Refused => now.refused().into_iter().collect(),
        List::Unauthorised => now.unauthorised().into_iter().collect(),
        List::Vendor => now.vendor().into_iter().collect(),
        List::Charges => now.announced_charges(),
        // A tag of which something came is not stale.
        List::StaleTags => Vec::new(),
    })
}

/// Oldest first; the vendor's list vendor by vendor, since one letter to a vendor asks for all.
pub fn sort(list: List, lines: &mut [Line]) {
    let vendor = |line: &Line| match list {
        List::Vendor => line.more.first().and_then(Value::as_str).unwrap_or_default().to_owned(),
        _ => String::new(),
    };
    lines.sort_by(|a, b| (vendor(a), a.since, &a.rma, &a.unit).cmp(&(vendor(b), b.since, &b.rma, &b.unit)));
}

impl Today<'_> {
    fn at(&self) -> At<'_> {
        At {
            rma: self.rma,
            program: self.program,
            unit: &self.case.unit,
            verdict: &self.judged.verdict,
            facts: &self.facts,
            today: self.today,
        }
    }

    fn state(&self) -> UnitState {
        self.case.unit.state
    }

    fn line(&self, what: String, since: NaiveDate, rule: &Name, next: String, more: Vec<Value>) -> Line {
        Line {
            rma: self.rma.number.clone(),
            unit: self.case.unit.name.clone(),
            customer: self.rma.customer.clone(),
            program: self.program.id().to_string(),
            what,
            since,
            age_days: (self.today - since).num_days(),
            rule: rule.clone(),
            next,
            more,
            wants_person: true,
        }
    }

    /// A date out of the facts, by its path.
    fn date(&self, outer: Option<&str>, name: &str) -> Option<NaiveDate> {
        let place = match outer {
            None => self.facts.get(name),
            Some(outer) => self.facts.get(outer)?.get(name),
        };
        place?.as_str()?.parse().ok()
    }

    /// The rule behind what the program wants done, where nothing nearer names one.
    fn rule(&self) -> Name {
        self.judged.verdict.reasons.first().map_or_else(|| "intake".into(), |reason| reason.rule.clone())
    }
}
