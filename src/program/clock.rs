//! Dates: which day counts, how old a unit is, until when it is covered, which windows are open.
//!
//! In: the facts, today, and the program's [`Calendar`]. Out: [`Dates`]. Promised: a date that is not
//! known makes everything that depends on it unknown; the newer unit of a lineage never gets more
//! time than the first one had, except after a dead-on-arrival; dates that cannot all be true are
//! listed and never used in the generous direction.

use chrono::NaiveDate;

use crate::domain::date::{add_business_days, add_days, add_months, days_between};
use crate::domain::facts::{Earlier, Facts, Flag, words};
use crate::domain::verdict::{Move, Name};

use super::rows::Template;
use super::subject::{Subject, advance_returned};

words! {
    /// The dates a program can count from or to. Names with a dot are those of the facts.
    DateSource {
        /// The day the first unit of the lineage left us.
        FirstShipDate = "first_ship_date",
        ShipDate = "ship_date",
        PurchaseDate = "purchase_date",
        Delivered = "delivered",
        Reported = "reported",
        Received = "received",
        Today = "today",
        Issued = "rma.issued",
        QuoteIssued = "rma.quote_issued",
        ApprovedOn = "rma.approved_on",
        Contacted = "rma.contacted",
        AdvanceShipped = "advance.shipped",
        AdvanceDelivered = "advance.delivered",
        AdvanceReturned = "advance.original_received",
        WarrantyUntil = "warranty_until",
        PlanUntil = "plan_until",
    }
}

/// How long after a date.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Span {
    Days(u32),
    BusinessDays(u32),
    Months(u32),
}

impl Span {
    /// The last day that is still within the span; the start is day 0.
    pub fn after(self, from: NaiveDate, holidays: &[NaiveDate]) -> NaiveDate {
        match self {
            Span::Days(n) => add_days(from, n),
            Span::BusinessDays(n) => add_business_days(from, n, holidays),
            Span::Months(n) => add_months(from, n),
        }
    }

    pub fn count(self) -> u32 {
        match self {
            Span::Days(n) | Span::BusinessDays(n) | Span::Months(n) => n,
        }
    }
}

/// Until when goods may arrive on an RMA.
#[derive(Clone, Debug)]
pub(super) struct Validity {
    pub days: u32,
}

/// Everything of a program that is about dates.
#[derive(Clone, Debug)]
pub(super) struct Calendar {
    /// Where the age starts; the first known one counts. Empty: the program has no age.
    pub age_from: Vec<DateSource>,
    /// The day that decides (age, coverage); the first known one counts, at last today.
    pub age_at: Vec<DateSource>,
    pub age_rule: Name,
    pub age_text: Option<Template>,
    pub warranty: Warranty,
    pub lineage: Lineage,
    pub windows: Vec<Window>,
    pub quote: Option<Quote>,
    pub holidays: Vec<NaiveDate>,
    pub contradiction: Contradiction,
}

#[derive(Clone, Debug)]
pub(super) struct Warranty {
    /// Where the warranty starts; the first known one counts.
    pub from: Vec<DateSource>,
    /// A verified end or length that comes with the unit goes before the table.
    pub unit_terms_first: bool,
    /// An extended service plan counts as coverage.
    pub plan: bool,
    /// Months for brands and models without a row of their own.
    pub months: Option<u32>,
    pub brands: Vec<Brand>,
    pub rule: Name,
    pub text: Option<Template>,
}

#[derive(Clone, Debug)]
pub(super) struct Brand {
    pub name: Name,
    pub months: Option<u32>,
    pub models: Vec<(String, u32)>,
    pub rule: Option<Name>,
    pub max_replacements: Option<u32>,
}

#[derive(Clone, Debug)]
pub(super) struct Lineage {
    /// Days within which a dead-on-arrival restarts the warranty of its replacement; `None`: never.
    pub doa_days: Option<u32>,
    /// Free replacements per lineage for brands without a number of their own; `None`: no limit.
    pub max_replacements: Option<u32>,
}

/// A named time limit between two events; a condition asks `window.NAME`.
#[derive(Clone, Debug)]
pub(super) struct Window {
    pub name: Name,
    pub subject: Subject,
    pub from: Vec<DateSource>,
    pub to: Vec<DateSource>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(super) struct Quote {
    pub span: Span,
    /// Approval and purchase order are both needed; otherwise either will do.
    pub both: bool,
}

/// How the program answers dates that cannot all be true.
#[derive(Clone, Debug)]
pub(super) struct Contradiction {
    pub rule: Name,
    pub released_by: Name,
    pub blocks: Vec<Move>,
}

/// What the lineage says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Line {
    First = 0,
    /// Replaced before; the first unit's dates govern.
    Replaced = 1,
    /// A dead-on-arrival restarted the warranty.
    Restarted = 2,
}

/// Whether a window is open on the day that counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Run {
    pub from: Option<NaiveDate>,
    pub end: Option<NaiveDate>,
    /// Day number of the event that closes it; day 0 is the start.
    pub day: Option<i64>,
    /// 0 unknown, 1 inside, 2 over: the value numbers of the subject.
    pub value: u8,
}

/// All dates of one unit, worked out.
pub(super) struct Dates<'f> {
    pub facts: &'f Facts,
    pub today: NaiveDate,
    /// The brand as the file spells it, or as the facts do where the file does not know it.
    pub brand: Option<&'f str>,
    pub first_ship: Option<NaiveDate>,
    pub line: Line,
    /// Free replacements of this lineage so far; a first dead-on-arrival does not count.
    pub replacements_used: u32,
    /// The day that decides, and what it is.
    pub at: NaiveDate,
    pub at_source: DateSource,
    pub age_from: Option<NaiveDate>,
    pub age_days: Option<i64>,
    pub warranty_from: Option<NaiveDate>,
    pub warranty_months: Option<u32>,
    pub warranty_until: Option<NaiveDate>,
}

impl<'f> Dates<'f> {
    /// Works out everything but the windows. `brand` is the row of the brand table.
    pub fn of(facts: &'f Facts, today: NaiveDate, calendar: &Calendar, brand: Option<&'f Brand>) -> Dates<'f> {
        let restart = restart_of(facts, calendar.lineage.doa_days);
        let mut dates = Dates {
            facts,
            today,
            brand: brand.map(|b| &*b.name).or(facts.brand.as_deref()),
            first_ship: facts.lineage.first().map_or(facts.ship_date, |first| first.shipped),
            line: match (facts.lineage.is_empty(), restart) {
                (true, _) => Line::First,
                (false, None) => Line::Replaced,
                (false, Some(_)) => Line::Restarted,
            },
            replacements_used: facts.lineage.len() as u32 - u32::from(restart.is_some()),
            at: today,
            at_source: DateSource::Today,
            age_from: None,
            age_days: None,
            warranty_from: None,
            warranty_months: None,
            warranty_until: None,
        };
        if let Some((source, at)) = calendar.age_at.iter().find_map(|s| dates.date(*s).map(|d| (*s, d))) {
            (dates.at_source, dates.at) = (source, at);
        }
        dates.age_from = dates.first_of(&calendar.age_from);
        dates.age_days = dates.age_from.map(|from| days_between(from, dates.at)).filter(|days| *days >= 0);
        dates.warrant(calendar, brand, restart);
        dates
    }

    fn warrant(&mut self, calendar: &Calendar, brand: Option<&Brand>, restart: Option<Restart>) {
        let warranty = &calendar.warranty;
        let model = || {
            let model = self.facts.model.as_deref()?;
            let row = brand?.models.iter().find(|(name, _)| name.eq_ignore_ascii_case(model.trim()));
            row.map(|(_, months)| *months)
        };
        let table = || model().or(brand.and_then(|b| b.months)).or(warranty.months);
        self.warranty_from = match restart {
            Some(restart) => restart.from,
            None => self.first_of(&warranty.from),
        };
        let own_months = self.facts.warranty_months.filter(|_| warranty.unit_terms_first);
        self.warranty_months = own_months.or_else(table);
        let own_end = self.facts.warranty_until.filter(|_| warranty.unit_terms_first);
        let counted = || Some(add_months(self.warranty_from?, self.warranty_months?));
        self.warranty_until = own_end.or_else(counted);
    }

    /// The date of `source`, where it is known.
    pub fn date(&self, source: DateSource) -> Option<NaiveDate> {
        let (facts, rma, advance) = (self.facts, &self.facts.rma, &self.facts.advance);
        match source {
            DateSource::FirstShipDate => self.first_ship,
            DateSource::ShipDate => facts.ship_date,
            DateSource::PurchaseDate => facts.purchase_date,
            DateSource::Delivered => facts.delivered,
            DateSource::Reported => facts.reported,
            DateSource::Received => facts.received,
            DateSource::Today => Some(self.today),
            DateSource::Issued => rma.issued,
            DateSource::QuoteIssued => rma.quote_issued,
            DateSource::ApprovedOn => rma.approved_on,
            DateSource::Contacted => rma.contacted.date(),
            DateSource::AdvanceShipped => advance.shipped,
            DateSource::AdvanceDelivered => advance.delivered,
            DateSource::AdvanceReturned => advance_returned(facts).date(),
            DateSource::WarrantyUntil => self.warranty_until,
            DateSource::PlanUntil => facts.plan_until,
        }
    }

    /// It has happened, but nobody wrote down when: no later date may stand in for it.
    fn undated(&self, source: DateSource) -> bool {
        match source {
            DateSource::AdvanceReturned => advance_returned(self.facts) == Flag::Yes,
            DateSource::Contacted => self.facts.rma.contacted == Flag::Yes,
            _ => false,
        }
    }

    pub fn first_of(&self, sources: &[DateSource]) -> Option<NaiveDate> {
        sources.iter().find_map(|source| self.date(*source))
    }

    /// The earlier unit that was replaced last.
    pub fn last_replaced(&self) -> Option<&'f Earlier> {
        self.facts.lineage.last()
    }

    /// Where a window stands. An end before its start is no answer.
    pub fn run(&self, window: &Window, holidays: &[NaiveDate]) -> Run {
        let Some(from) = self.first_of(&window.from) else { return Run::default() };
        let end = window.span.after(from, holidays);
        let to = window.to.iter().find(|source| self.date(**source).is_some() || self.undated(**source));
        let to = to.and_then(|source| self.date(*source));
        let day = to.map(|to| days_between(from, to));
        let value = match to {
            Some(to) if to < from => 0,
            Some(to) if to <= end => 1,
            Some(_) => 2,
            None => 0,
        };
        Run { from: Some(from), end: Some(end), day, value }
    }

    /// Value number of the subject `quote`: none, open, approved, expired, superseded.
    pub fn quote(&self, quote: &Quote, holidays: &[NaiveDate]) -> u8 {
        let rma = &self.facts.rma;
        let Some(issued) = rma.quote_issued else { return 0 };
        let end = quote.span.after(issued, holidays);
        // A purchase order without its date counts from today: an old paper must show that it is old.
        let order = match rma.purchase_order {
            Flag::Since(date) => Some(date),
            Flag::Yes => Some(self.today),
            Flag::No | Flag::Absent => None,
        };
        let answered = if quote.both {
            rma.approved_on.zip(order).map(|(a, b)| a.max(b))
        } else {
            [rma.approved_on, order].into_iter().flatten().min()
        };
        match answered {
            Some(day) if day < issued => 4,
            Some(day) if day <= end => 2,
            None if self.today <= end => 1,
            _ => 3,
        }
    }

    /// Dates that cannot all be true, each as one sentence; normally none.
    pub fn contradictions(&self) -> Vec<String> {
        let facts = self.facts;
        let mut found = Vec::new();
        let mut order = |early: (&str, Option<NaiveDate>), late: (&str, Option<NaiveDate>)| {
            found.extend(
                early
                    .1
                    .zip(late.1)
                    .filter(|(a, b)| a > b)
                    .map(|(a, b)| format!("{} {a} is after {} {b}", early.0, late.0)),
            );
        };
        let (rma, advance) = (&facts.rma, &facts.advance);
        let today = ("today", Some(self.today));
        for past in [
            ("ship_date", facts.ship_date),
            ("purchase_date", facts.purchase_date),
            ("delivered", facts.delivered),
            ("reported", facts.reported),
            ("received", facts.received),
            ("rma.issued", rma.issued),
            ("rma.closed", rma.closed.date()),
            ("rma.diagnosed", rma.diagnosed.date()),
            ("rma.qualified", rma.qualified.date()),
            ("rma.consent", rma.consent.date()),
            ("rma.contacted", rma.contacted.date()),
            ("rma.quote_issued", rma.quote_issued),
            ("rma.approved_on", rma.approved_on),
            ("rma.purchase_order", rma.purchase_order.date()),
            ("advance.shipped", advance.shipped),
            ("advance.delivered", advance.delivered),
            ("advance.original_received", advance.original_received.date()),
            ("burn_in", facts.burn_in.date()),
            ("qc", facts.qc.date()),
        ] {
            order(past, today);
        }
        let shipped = ("ship_date", facts.ship_date);
        order(shipped, ("delivered", facts.delivered));
        order(shipped, ("reported", facts.reported));
        order(shipped, ("received", facts.received));
        order(("purchase_date", facts.purchase_date), ("received", facts.received));
        order(("purchase_date", facts.purchase_date), ("reported", facts.reported));
        order(("rma.quote_issued", rma.quote_issued), ("rma.approved_on", rma.approved_on));
        order(("advance.shipped", advance.shipped), ("advance.delivered", advance.delivered));
        for (at, unit) in facts.lineage.iter().enumerate() {
            let n = at + 1;
            let next = facts.lineage.get(n).map_or(facts.ship_date, |later| later.shipped);
            let name = |what: &str| format!("lineage[{n}].{what}");
            order((&name("shipped"), unit.shipped), (&name("replaced_on"), unit.replaced_on));
            order((&name("shipped"), unit.shipped), (&name("doa"), unit.doa.date()));
            order((&name("shipped"), unit.shipped), ("the next unit's ship date", next));
            order((&name("doa"), unit.doa.date()), ("the next unit's ship date", next));
        }
        for (n, unit) in (1..).zip(&facts.lineage) {
            if unit.serial.is_some() && unit.serial == facts.serial {
                found.push(format!("lineage[{n}].serial is this unit's own serial"));
            }
        }
        found
    }
}

/// The warranty starts anew.
#[derive(Clone, Copy)]
struct Restart {
    /// The ship date of the unit that replaced the dead one; unknown where nobody wrote it down.
    from: Option<NaiveDate>,
}

/// Whether the first unit of the lineage was dead on arrival within `days`: only the first one can be,
/// since the days count from the original shipping and it happens once per lineage.
fn restart_of(facts: &Facts, days: Option<u32>) -> Option<Restart> {
    let (first, days) = (facts.lineage.first()?, days?);
    let shipped = first.shipped.filter(|_| first.doa.is_yes())?;
    let next = facts.lineage.get(1).map_or(facts.ship_date, |second| second.shipped);
    // The day it was found dead: said outright, or the day of the exchange where that is not merely
    // the day its replacement left. Otherwise "dead on arrival" is taken at its word.
    let found = first.doa.date().or(first.replaced_on.filter(|day| next.is_some_and(|next| *day < next)));
    let in_time = found.is_none_or(|day| (0..=i64::from(days)).contains(&days_between(shipped, day)));
    in_time.then_some(Restart { from: next.or(first.replaced_on) })
}
