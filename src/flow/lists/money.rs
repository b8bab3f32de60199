//! The list of charges: what the ledger has, and what the program announces and no step has posted yet.

use super::{Line, Today};
use crate::domain::money::Amount;
use crate::domain::rma::Rma;
use crate::domain::unit::{LedgerLine, Step, UnitState};
use crate::domain::verdict::{Charge, Move};
use crate::flow::next::lifts;
use crate::program::Post;
use chrono::NaiveDate;
use serde_json::json;
use std::collections::BTreeMap;

/// A line of the ledger. It is done and asks for nobody.
pub fn posted(line: &LedgerLine, rma: Option<&Rma>, today: NaiveDate) -> Line {
    let back = line.amount < Amount::ZERO;
    Line {
        rma: line.rma.clone(),
        unit: line.unit.clone(),
        customer: rma.and_then(|r| r.customer.clone()),
        program: rma.map(|r| r.program.clone()).unwrap_or_default(),
        what: format!("{} {} {} {}", line.kind, line.amount, line.currency, if back { "given back" } else { "owed" }),
        since: line.on,
        age_days: (today - line.on).num_days(),
        rule: line.rule.clone(),
        next: "posted; nothing to do here".to_owned(),
        more: vec![
            json!("posted"),
            json!(line.kind),
            json!(line.amount),
            json!(line.currency),
            json!(line.party),
            json!(line.evidence),
            json!(line.by),
        ],
        wants_person: false,
    }
}

/// Per currency: what is posted and what is announced, in the order of the currencies' names.
pub fn sums(lines: &[Line]) -> Vec<(String, Amount, Amount)> {
    let mut sums: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for line in lines {
        let text = |at: usize| line.more.get(at).and_then(|v| v.as_str()).unwrap_or_default();
        let (Ok(amount), status) = (Amount::parse(text(2)), text(0)) else { continue };
        let sum = sums.entry(text(3).to_owned()).or_default();
        let part = if status == "posted" { &mut sum.0 } else { &mut sum.1 };
        *part = part.saturating_add(amount.cents());
    }
    let amounts = |(currency, (a, b))| (currency, Amount::from_cents(a), Amount::from_cents(b));
    sums.into_iter().map(amounts).collect()
}

impl Today<'_> {
    /// Charges that the verdict has and the ledger has not.
    pub(super) fn announced_charges(&self) -> Vec<Line> {
        let ledger = self.beside.ledger;
        let open = self.judged.verdict.charges.iter().zip(&self.judged.posts).filter(|(charge, post)| {
            let posted = ledger.iter().any(|(kind, rule, _)| *kind == *charge.kind && *rule == *charge.rule);
            // Nothing is posted when refused goods go back.
            !posted && (self.state() != UnitState::Refused || **post == Post::With(Step::Ship))
        });
        open.map(|(charge, post)| self.announced(charge, *post)).collect()
    }

    fn announced(&self, charge: &Charge, post: Post) -> Line {
        let why = self.judged.verdict.reasons.iter().filter(|r| r.rule == charge.rule).map(|r| r.text.as_str());
        let evidence = why.collect::<Vec<_>>().join("; ");
        let next = match (post, self.judged.verdict.holds_on(Move::Charge).next()) {
            (Post::Due, Some(hold)) => lifts(&self.at(), hold),
            (Post::Due, None) => "the calendar posts it".to_owned(),
            (Post::With(step), _) => {
                let command = self.at().allowed(step);
                let how = command.map_or_else(String::new, |command| format!(": {command}"));
                format!("posted with the step {step}, at the latest with close{how}")
            }
        };
        let what = format!("{} {} {} announced", charge.kind, charge.amount, charge.currency);
        let more = vec![
            json!("announced"),
            json!(charge.kind),
            json!(charge.amount),
            json!(charge.currency),
            json!(charge.to),
            json!(evidence),
            json!(""),
        ];
        self.line(what, self.case.since, &charge.rule, next, more)
    }
}
