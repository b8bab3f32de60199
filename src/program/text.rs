//! Sentences with figures: `day {age} since {age_from}`. The slots are a closed list, so a program file
//! cannot ask for what nobody knows, and a mistyped slot is found when the file is read.

use std::fmt::Write as _;

use crate::domain::facts::{nearest, words};
use crate::domain::verdict::Name;

use super::clock::{Dates, Run};

words! {
    /// What a sentence may mention of the unit.
    Slot {
        Age = "age",
        AgeFrom = "age_from",
        AgeAt = "age_at",
        AgeAtEvent = "age_at_event",
        WarrantyFrom = "warranty_from",
        WarrantyMonths = "warranty_months",
        WarrantyUntil = "warranty_until",
        VendorUntil = "vendor_warranty_until",
        PlanUntil = "plan_until",
        Brand = "brand",
        Model = "model",
        Serial = "serial",
        Channel = "channel",
        Distributor = "distributor",
        Reason = "reason",
        Ticket = "ticket",
        Sender = "sender",
        ShipTo = "ship_to",
        Rma = "rma",
        Today = "today",
        Reported = "reported",
        Received = "received",
        Replacements = "replacements",
        FirstSerial = "first_serial",
        LastSerial = "last_serial",
        LastReplacedOn = "last_replaced_on",
        Conditions = "conditions",
    }
}

#[derive(Clone, Debug)]
enum Piece {
    Text(Name),
    Slot(Slot),
    /// `{window.NAME.day}`, `.days`, `.from`, `.end`
    Window(usize, WindowSlot),
}

words! {
    WindowSlot { Day = "day", Days = "days", From = "from", End = "end" }
}

/// A sentence, cut into pieces once.
#[derive(Clone, Debug)]
pub(super) struct Template(Vec<Piece>);

/// What the figures are taken from.
pub(super) struct Figures<'a> {
    pub dates: &'a Dates<'a>,
    pub runs: &'a [Run],
    /// Length of each window, in its own unit.
    pub spans: &'a dyn Fn(usize) -> u32,
}

impl Template {
    /// Cuts `text`; `windows` are the names a slot may mention.
    pub fn parse(text: &str, windows: &[&str]) -> Result<Template, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (slot, tail) = after.split_once('}').ok_or("has a { without its }")?;
            if !before.is_empty() {
                pieces.push(Piece::Text(before.into()));
            }
            pieces.push(piece(slot, windows)?);
            rest = tail;
        }
        if rest.contains('}') {
            return Err("has a } without its {".to_owned());
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.into()));
        }
        Ok(Template(pieces))
    }

    /// The sentence with this unit's figures; what is not known reads `?`.
    pub fn fill(&self, figures: &Figures<'_>) -> String {
        let mut out = String::with_capacity(96);
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Slot(slot) => fill_slot(*slot, figures.dates, &mut out),
                Piece::Window(at, slot) => {
                    let run = figures.runs.get(*at).copied().unwrap_or_default();
                    match slot {
                        WindowSlot::Day => put(&mut out, run.day),
                        WindowSlot::Days => put(&mut out, Some((figures.spans)(*at))),
                        WindowSlot::From => put(&mut out, run.from),
                        WindowSlot::End => put(&mut out, run.end),
                    }
                }
            }
        }
        out
    }
}

fn piece(slot: &str, windows: &[&str]) -> Result<Piece, String> {
    if let Some(found) = Slot::ALL.iter().find(|(name, _)| *name == slot) {
        return Ok(Piece::Slot(found.1));
    }
    if let Some((window, what)) = slot.strip_prefix("window.").and_then(|rest| rest.rsplit_once('.')) {
        let at = windows.iter().position(|name| *name == window);
        let what = WindowSlot::ALL.iter().find(|(name, _)| *name == what);
        if let (Some(at), Some((_, what))) = (at, what) {
            return Ok(Piece::Window(at, *what));
        }
        return Err(format!(
            "{{{slot}}} names no window of this file; write {{window.NAME.day}}, .days, .from or .end"
        ));
    }
    let names = || Slot::ALL.iter().map(|(name, _)| *name);
    let hint = nearest(slot, names())
        .map_or_else(|| names().collect::<Vec<_>>().join(", "), |n| format!("did you mean {{{n}}}?"));
    Err(format!("{{{slot}}} is no figure a sentence can mention: {hint}"))
}

fn fill_slot(slot: Slot, dates: &Dates<'_>, out: &mut String) {
    let facts = dates.facts;
    match slot {
        Slot::Age => put(out, dates.age_days),
        Slot::AgeFrom => put(out, dates.age_from),
        Slot::AgeAt => put(out, Some(dates.at)),
        Slot::AgeAtEvent => put(out, Some(dates.at_source)),
        Slot::WarrantyFrom => put(out, dates.warranty_from),
        Slot::WarrantyMonths => put(out, dates.warranty_months),
        Slot::WarrantyUntil => put(out, dates.warranty_until),
        Slot::VendorUntil => put(out, facts.vendor_warranty_until),
        Slot::PlanUntil => put(out, facts.plan_until),
        Slot::Brand => put(out, dates.brand),
        Slot::Model => put(out, facts.model.as_ref()),
        Slot::Serial => put(out, facts.serial.as_ref()),
        Slot::Channel => put(out, facts.channel.as_ref()),
        Slot::Distributor => put(out, facts.distributor.as_ref()),
        Slot::Reason => put(out, facts.reason.as_ref()),
        Slot::Ticket => put(out, facts.rma.ticket.as_ref()),
        Slot::Sender => put(out, facts.sender.as_ref()),
        Slot::ShipTo => put(out, facts.rma.ship_to.as_ref()),
        Slot::Rma => put(out, facts.rma.number.as_ref()),
        Slot::Today => put(out, Some(dates.today)),
        Slot::Reported => put(out, facts.reported),
        Slot::Received => put(out, facts.received),
        Slot::Replacements => put(out, Some(dates.replacements_used)),
        Slot::FirstSerial => put(out, facts.lineage.first().and_then(|u| u.serial.as_ref())),
        Slot::LastSerial => put(out, dates.last_replaced().and_then(|u| u.serial.as_ref())),
        Slot::LastReplacedOn => put(out, dates.last_replaced().and_then(|u| u.replaced_on)),
        Slot::Conditions => out.push_str(&facts.conditions.join(", ")),
    }
}

fn put<T: std::fmt::Display>(out: &mut String, value: Option<T>) {
    // Writing to a String cannot fail.
    let _ = match value {
        Some(value) => write!(out, "{value}"),
        None => write!(out, "?"),
    };
}
