//! The freight ledger, and a carrier's invoice held against it. PURE.
//!
//! Who pays which way of the goods is the program's business and was decided when the goods moved; the
//! journal has it with its rule. A carrier bills whatever its scanner saw. In: the legs that took place, and
//! the invoice; out: one finding for every row of it, and one for every leg of ours that it lacks. Promised:
//! each row is counted once, so that the sums of the findings are the invoice's.
//!
//! One box has one tracking number and may hold several units: their legs are one parcel, and it is ours if
//! one of them is.

use super::invoice::{Invoice, Row, tracking_key};
use crate::domain::facts::words;
use crate::domain::money::Amount;
use crate::domain::rma::Receipt;
use crate::domain::unit::{Moved, Step};
use crate::domain::verdict::{LegName, Name, Party, Service};
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};

/// One way that goods went.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Carried {
    pub date: NaiveDate,
    pub rma: String,
    pub unit: String,
    pub leg: LegName,
    /// As [`tracking_key`] writes it.
    pub tracking: Option<String>,
    /// `None`: no rule of the program says who pays.
    pub payer: Option<Party>,
    pub service: Option<Service>,
    /// Empty where there is none.
    pub rule: Name,
    /// What it cost, where somebody wrote it down.
    pub cost: Option<Amount>,
}

words! {
    /// What became of a row of the invoice, or of a leg.
    Kind {
        Right = "right",
        /// We were billed, and by the rule another party pays.
        NotOurs = "not_ours",
        /// By the rule we pay, and the carrier billed another party.
        BilledToOther = "billed_to_other",
        ServiceDiffers = "service_differs",
        /// It is on record, and no rule says who pays.
        NoRule = "no_rule",
        UnknownTracking = "unknown_tracking",
        BilledTwice = "billed_twice",
        NeverBilled = "never_billed",
    }
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Finding {
    pub finding: Kind,
    /// The row of the invoice.
    pub line: Option<u64>,
    pub tracking: String,
    pub amount: Amount,
    pub rma: String,
    pub unit: String,
    pub leg: Option<LegName>,
    pub date: Option<NaiveDate>,
    pub payer: Option<Party>,
    pub service: Option<Service>,
    pub billed_service: String,
    pub rule: Name,
    pub why: String,
    pub next: String,
}

fn key(text: Option<&str>) -> Option<String> {
    let text = text?.trim();
    tracking_key(text).or((!text.is_empty()).then(|| text.to_ascii_uppercase()))
}

/// The way in of a unit that was received.
pub fn of_receipt(receipt: &Receipt) -> Carried {
    let leg = receipt.verdict.legs.iter().find(|l| l.leg == LegName::Inbound);
    Carried {
        date: receipt.at.date_naive(),
        rma: receipt.rma.clone(),
        unit: receipt.serial.clone().or(receipt.mac.map(|m| m.to_string())).unwrap_or_default(),
        leg: LegName::Inbound,
        tracking: key(receipt.arrival.as_deref().or(receipt.facts.get("tracking").and_then(Value::as_str))),
        payer: leg.map(|l| l.payer),
        service: leg.map(|l| l.service),
        rule: leg.map(|l| l.rule.clone()).unwrap_or_default(),
        cost: None,
    }
}

/// The way that a step was, if it was one. A unit's own receipt is [`of_receipt`]'s.
pub fn of_step(moved: &Moved) -> Option<Carried> {
    let name = match moved.step {
        Step::AdvanceShip => LegName::Advance,
        Step::VendorShip => LegName::ToVendor,
        Step::VendorReplace => LegName::FromVendor,
        Step::Ship => LegName::Outbound,
        _ => return None,
    };
    let leg = moved.legs.iter().find(|l| l.leg == name);
    let text = |key: &str| moved.said.get(key).and_then(Value::as_str);
    Some(Carried {
        date: moved.on,
        rma: moved.rma.clone(),
        unit: moved.unit.clone(),
        leg: name,
        tracking: key(text("tracking")),
        payer: leg.map(|l| l.payer),
        service: leg.map(|l| l.service),
        rule: leg.map(|l| l.rule.clone()).unwrap_or_default(),
        cost: text("cost").and_then(|c| Amount::parse(c.trim()).ok()),
    })
}

/// Holds an invoice against the legs. Legs of ours that it lacks count from `since` on, or from its first
/// date, up to its last date; without dates all of them do.
pub fn reconcile(legs: &[Carried], invoice: &Invoice, since: Option<NaiveDate>) -> Vec<Finding> {
    let mut parcels: BTreeMap<&str, Vec<&Carried>> = BTreeMap::new();
    for leg in legs {
        if let Some(tracking) = &leg.tracking {
            parcels.entry(tracking).or_default().push(leg);
        }
    }
    let mut billed: HashSet<&str> = HashSet::new();
    let mut findings: Vec<Finding> = Vec::new();
    for row in &invoice.rows {
        let again = !billed.insert(&row.tracking);
        findings.push(judged(row, parcels.get(&*row.tracking).map_or(&[], Vec::as_slice), again));
    }
    let days = || invoice.rows.iter().filter_map(|row| row.date);
    let (first, last) = (since.or(days().min()), days().max());
    let ours = legs.iter().filter(|leg| leg.payer == Some(Party::Us));
    let here = ours.filter(|leg| first.is_none_or(|d| leg.date >= d) && last.is_none_or(|d| leg.date <= d));
    let mut told: HashSet<&str> = HashSet::new();
    for leg in here {
        let tracking = leg.tracking.as_deref();
        // One parcel, however many units it held, is one row that is not there.
        if tracking.is_some_and(|t| billed.contains(t) || !told.insert(t)) {
            continue;
        }
        findings.push(never(leg));
    }
    findings
}

fn judged(row: &Row, parcel: &[&Carried], again: bool) -> Finding {
    // The leg that speaks for the parcel: one of ours before another's.
    let leg = parcel.iter().find(|l| l.payer == Some(Party::Us)).or(parcel.first()).copied();
    let paid_by = |leg: &Carried| leg.payer.map_or("nobody", Party::as_str);
    let differs = |leg: &Carried| {
        let asked = leg.service.filter(|s| matches!(s, Service::Ground | Service::Rush));
        asked.zip(row.service).filter(|(asked, billed)| asked != billed)
    };
    let (finding, why, next) = match leg {
        _ if again && row.amount > Amount::ZERO => (
            Kind::BilledTwice,
            "this tracking number stands on the invoice before".to_owned(),
            "ask the carrier what the second amount is for",
        ),
        None => (
            Kind::UnknownTracking,
            "no leg on record has this tracking number".to_owned(),
            "find the parcel; if it is none of ours, dispute it with the carrier",
        ),
        Some(leg) if leg.payer.is_none() => (
            Kind::NoRule,
            format!("{} of {}: no rule of the program says who pays", leg.leg, leg.date),
            "somebody decides who bears it",
        ),
        Some(leg) if leg.payer != Some(Party::Us) && row.payer == Party::Us => (
            Kind::NotOurs,
            format!("{} of {}: by {} the {} pays, we were billed", leg.leg, leg.date, leg.rule, paid_by(leg)),
            "charge it on, or have the carrier bill the right party",
        ),
        Some(leg) if leg.payer == Some(Party::Us) && row.payer != Party::Us => (
            Kind::BilledToOther,
            format!("{} of {}: by {} we pay, the carrier billed the {}", leg.leg, leg.date, leg.rule, row.payer),
            "give it back to the party that was billed",
        ),
        Some(leg) => match differs(leg) {
            Some((asked, billed)) => (
                Kind::ServiceDiffers,
                format!("{} of {}: by {} it goes {asked}, {billed} was billed", leg.leg, leg.date, leg.rule),
                "ask who chose the service; dispute it if nobody did",
            ),
            None => (Kind::Right, String::new(), ""),
        },
    };
    let mut units: Vec<&str> = parcel.iter().map(|l| l.unit.as_str()).collect();
    units.dedup();
    Finding {
        finding,
        line: Some(row.line),
        tracking: row.tracking.clone(),
        amount: row.amount,
        rma: leg.map(|l| l.rma.clone()).unwrap_or_default(),
        unit: units.join(" "),
        leg: leg.map(|l| l.leg),
        date: row.date.or(leg.map(|l| l.date)),
        payer: leg.and_then(|l| l.payer),
        service: leg.and_then(|l| l.service),
        billed_service: row.service_text.clone(),
        rule: leg.map(|l| l.rule.clone()).unwrap_or_default(),
        why,
        next: next.to_owned(),
    }
}

fn never(leg: &Carried) -> Finding {
    let why = match &leg.tracking {
        Some(_) => format!("{} of {}: by {} we pay, and it is not on the invoice", leg.leg, leg.date, leg.rule),
        None => format!("{} of {}: by {} we pay, and no tracking number is on record", leg.leg, leg.date, leg.rule),
    };
    Finding {
        finding: Kind::NeverBilled,
        line: None,
        tracking: leg.tracking.clone().unwrap_or_default(),
        amount: Amount::ZERO,
        rma: leg.rma.clone(),
        unit: leg.unit.clone(),
        leg: Some(leg.leg),
        date: Some(leg.date),
        payer: leg.payer,
        service: leg.service,
        billed_service: String::new(),
        rule: leg.rule.clone(),
        why,
        next: "expect it on the next invoice; a label that was never used is cancelled at the carrier".to_owned(),
    }
}

/// How many of each kind, and their amounts, in the order of the kinds.
pub fn totals(findings: &[Finding]) -> Vec<(Kind, usize, Amount)> {
    let of = |kind: Kind| {
        let these = findings.iter().filter(|f| f.finding == kind);
        let cents = these.clone().fold(0i64, |sum, f| sum.saturating_add(f.amount.cents()));
        (kind, these.count(), Amount::from_cents(cents))
    };
    Kind::ALL.iter().map(|(_, kind)| of(*kind)).filter(|(_, n, _)| *n > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::invoice;

    fn leg(tracking: &str, unit: &str, payer: Option<Party>, service: Service, day: u32) -> Carried {
        Carried {
            date: NaiveDate::from_ymd_opt(2026, 3, day).unwrap(),
            rma: "R1".to_owned(),
            unit: unit.to_owned(),
            leg: LegName::Outbound,
            tracking: key(Some(tracking)),
            payer,
            service: Some(service),
            rule: "S-1".into(),
            cost: None,
        }
    }

    fn kinds(findings: &[Finding]) -> Vec<(&str, Kind)> {
        findings.iter().map(|f| (f.tracking.as_str(), f.finding)).collect()
    }

    #[test]
    fn every_row_has_one_finding_and_every_missing_leg_has_one() {
        let us = Some(Party::Us);
        let legs = [
            leg("T-1", "U1", us, Service::Ground, 2),
            leg("T2", "U2", Some(Party::Partner), Service::Any, 2),
            leg("T3", "U3", us, Service::Ground, 2),
            leg("T4", "U4", us, Service::Rush, 3),
            leg("T4", "U5", Some(Party::Customer), Service::Rush, 3),
            leg("T5", "U6", None, Service::Any, 3),
            leg("T6", "U7", us, Service::Any, 4),
            leg("", "U8", us, Service::Any, 4),
        ];
        let text = "tracking,amount,service,payer\nt1,10.00,UPS Ground,\nT2,7.50,,\nT3,30.00,Next Day Air,\nT4,9.00,,customer\nT5,1.00,,\nT9,4.00,,\nT1,10.00,,\nT1,-10.00,,\n";
        let findings = reconcile(&legs, &invoice::read(text), None);
        assert_eq!(
            kinds(&findings),
            [
                ("T1", Kind::Right),
                ("T2", Kind::NotOurs),
                ("T3", Kind::ServiceDiffers),
                ("T4", Kind::BilledToOther),
                ("T5", Kind::NoRule),
                ("T9", Kind::UnknownTracking),
                ("T1", Kind::BilledTwice),
                ("T1", Kind::Right),
                ("T6", Kind::NeverBilled),
                ("", Kind::NeverBilled),
            ]
        );
        assert_eq!(findings[3].unit, "U4 U5");
        let billed: i64 = totals(&findings).iter().map(|(.., amount)| amount.cents()).sum();
        assert_eq!(billed, 6150, "the sums of the findings are the invoice's");
    }

    #[test]
    fn legs_outside_the_time_of_the_invoice_are_not_missed() {
        let legs = [2, 3, 4].map(|day| leg(&format!("T{day}"), "U", Some(Party::Us), Service::Any, day));
        let text = "tracking,amount,date\nT3,1.00,2026-03-03\n";
        assert_eq!(kinds(&reconcile(&legs, &invoice::read(text), None)), [("T3", Kind::Right)]);
        let since = NaiveDate::from_ymd_opt(2026, 3, 1);
        let all = reconcile(&legs, &invoice::read(text), since);
        assert_eq!(kinds(&all), [("T3", Kind::Right), ("T2", Kind::NeverBilled)]);
        assert_eq!(reconcile(&legs, &invoice::read("tracking,amount\n"), None).len(), 3);
    }
}
