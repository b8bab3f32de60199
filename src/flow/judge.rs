//! The verdict on a unit that may be received: its facts, what the program says, the receipt and the
//! label that come of it.

use super::{Owed, Way, outcome, screen};
use crate::domain::event::Event;
use crate::domain::facts::Facts;
use crate::domain::mac::Mac;
use crate::domain::rma::{Receipt, Rma};
use crate::domain::screen::Screen;
use crate::domain::session::Pending;
use crate::domain::shipment::Shipment;
use crate::domain::verdict::{Hold, Move, Verdict};
use crate::label::UnitLabel;
use crate::program::{IntakeRow, Program};
use crate::rma::Unanswered;
use chrono::NaiveDate;
use serde_json::{Map, Value, json};

impl Way<'_> {
    #[allow(clippy::too_many_arguments)] // all that was found out about the unit
    pub(super) fn judge(
        &mut self,
        rma: &Rma,
        program: &Program,
        unit: Pending,
        ship: Option<Shipment>,
        serial: Option<String>,
        intake: &[(&IntakeRow, &'static str, &str)],
        stranger: bool,
    ) -> Result<Screen, Unanswered> {
        let mut facts_json = facts_of(rma, &unit, ship.as_ref(), serial.as_deref(), self.dock.today);
        if let Some(serial) = serial.as_deref() {
            if let Some(lineage) = self.dock.know.lineage(serial)? {
                facts_json.insert("lineage".to_owned(), lineage);
            }
            if let Some(known) = self.dock.know.before_receipt(&rma.number, serial)? {
                for (key, value) in known {
                    facts_json.entry(key).or_insert(value);
                }
            }
        }
        if stranger {
            // A few of those that were announced tell the program that this one is none of them.
            let announced = self.dock.know.announced(&rma.number, 4)?;
            facts_json["rma"]["expected"] = json!(announced);
        }
        let facts = Facts::from_json(&Value::Object(facts_json.clone()))
            .map_err(|e| Unanswered(format!("the record of RMA {} or of the unit: {e}", rma.number)))?;
        let mut verdict = program.verdict(&facts, self.dock.today);
        for (row, _, title) in intake {
            // Where the program has a row of its own for it, that one says more.
            if verdict.holds.iter().any(|hold| hold.code == row.code) {
                continue;
            }
            verdict.holds.insert(
                0,
                Hold {
                    code: row.code.clone(),
                    released_by: row.released_by.clone(),
                    rule: row.rule.clone(),
                    blocks: vec![Move::Bench],
                    text: (*title).to_owned(),
                },
            );
        }
        let held = verdict.holds_on(Move::Bench).next().is_some();
        let word = program.screen_word(&verdict);
        let id = self.dock.last_receipt + 1;
        let brand = facts.brand.clone();
        let model = facts.model.clone();
        let title = [brand.as_deref(), model.as_deref(), serial.as_deref()]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("  ");
        let name =
            intake.first().map(|(_, name, _)| *name).unwrap_or(if held { outcome::HELD } else { outcome::RECEIVED });
        let mut s = screen(name, word.kind, word.word, title, program.next_step(&verdict));
        s.why = reasons(&verdict);
        s.rules = rules(&verdict);
        let mac = unit.mac.or(ship.as_ref().and_then(|s| s.macs.first().copied()));
        let fields = label_of(rma, program, &verdict, &facts, mac, serial.as_deref(), word.word, self.dock.today);
        self.events.push(Event::Received {
            receipt: Box::new(Receipt {
                id,
                rma: rma.number.clone(),
                serial: serial.clone(),
                mac,
                brand,
                model,
                at: self.dock.now,
                word: word.word.to_owned(),
                held,
                facts: facts_json,
                verdict,
                arrival: self.session.arrival.clone(),
            }),
        });
        self.session.last = Some(id);
        self.label = Some(Owed::Unit { receipt: id, rma: rma.number.clone(), serial, fields: Box::new(fields) });
        Ok(s)
    }
}

/// The facts of one unit, in the JSON that `backdock verdict` reads. What the RMA says of itself comes
/// first; what the shipment says of this very unit goes over it.
pub(super) fn facts_of(
    rma: &Rma,
    unit: &Pending,
    ship: Option<&Shipment>,
    serial: Option<&str>,
    today: NaiveDate,
) -> Map<String, Value> {
    let mut facts = rma.facts.clone();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            facts.insert(key.to_owned(), value);
        }
    };
    let text = |s: &Option<String>| s.as_ref().map(|s| json!(s));
    put("serial", serial.map(|s| json!(s)));
    let mut macs: Vec<Mac> = ship.map(|s| s.macs.clone()).unwrap_or_default();
    if let Some(mac) = unit.mac
        && !macs.contains(&mac)
    {
        macs.push(mac);
    }
    if !macs.is_empty() {
        put("macs", Some(json!(macs)));
    }
    match ship {
        Some(s) => {
            put("brand", text(&s.brand));
            put("model", text(&s.model));
            put("ship_date", Some(json!(s.ship_date)));
            put("distributor", text(&s.distributor));
            put("purchase_date", s.purchase_date.map(|d| json!(d)));
            put("warranty_until", s.warranty_until.map(|d| json!(d)));
            put("plan_until", s.plan_until.map(|d| json!(d)));
        }
        None => put("brand", unit.mac.and_then(crate::identify::brand_of).map(|b| json!(b))),
    }
    put("received", Some(json!(today)));
    put("today", Some(json!(today)));
    if !facts.contains_key("channel")
        && let Some(channel) = ship.and_then(|s| s.channel.clone())
    {
        facts.insert("channel".to_owned(), json!(channel));
    }
    let mut about = match facts.remove("rma") {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    };
    about.insert("number".to_owned(), json!(rma.number));
    about.insert("issued".to_owned(), json!(rma.issued));
    facts.insert("rma".to_owned(), Value::Object(about));
    facts
}

/// Facts of the RMA that steps with one unit set, for that unit: they go over what the RMA says.
const BY_STEPS: [&str; 4] = ["quote_issued", "quote_amount", "approved_on", "purchase_order"];

/// What is known of a unit on a later day: what the RMA says of itself now goes over what it said then.
pub(super) fn facts_on(known: &Map<String, Value>, rma: &Rma, today: NaiveDate) -> Map<String, Value> {
    let mut facts = known.clone();
    facts.insert("today".to_owned(), json!(today));
    let said = rma.facts.get("rma").and_then(Value::as_object);
    if let Some(about) = facts.entry("rma".to_owned()).or_insert_with(|| json!({})).as_object_mut() {
        for (key, value) in said.into_iter().flatten() {
            if !(BY_STEPS.contains(&key.as_str()) && about.contains_key(key)) {
                about.insert(key.clone(), value.clone());
            }
        }
        about.insert("number".to_owned(), json!(rma.number));
        about.insert("issued".to_owned(), json!(rma.issued));
    }
    facts
}

/// At most eight short lines: first what holds it, then the arithmetic. What two rules say in the same
/// words is said once.
fn reasons(verdict: &Verdict) -> Vec<String> {
    let holds = verdict.holds_on(Move::Bench).map(|h| (h.text.as_str(), &h.rule));
    let mut lines: Vec<(&str, Vec<&str>)> = Vec::new();
    for (text, rule) in holds.chain(verdict.reasons.iter().map(|r| (r.text.as_str(), &r.rule))) {
        match lines.iter_mut().find(|(said, _)| *said == text) {
            Some((_, rules)) if rules.contains(&&**rule) => {}
            Some((_, rules)) => rules.push(rule),
            None => lines.push((text, vec![rule])),
        }
    }
    lines.into_iter().take(8).map(|(text, rules)| format!("{text} ({})", rules.join(", "))).collect()
}

fn rules(verdict: &Verdict) -> Vec<String> {
    let mut rules: Vec<String> = Vec::new();
    let all = verdict.holds_on(Move::Bench).map(|h| &h.rule).chain(verdict.reasons.iter().map(|r| &r.rule));
    for rule in all {
        if !rules.iter().any(|r| **r == **rule) {
            rules.push(rule.to_string());
        }
    }
    rules
}

#[allow(clippy::too_many_arguments)] // everything that a label can say
fn label_of(
    rma: &Rma,
    program: &Program,
    verdict: &Verdict,
    facts: &Facts,
    mac: Option<Mac>,
    serial: Option<&str>,
    word: &str,
    today: NaiveDate,
) -> UnitLabel {
    let hold = verdict.holds_on(Move::Bench).next();
    UnitLabel {
        rma: rma.number.clone(),
        // A unit known by its MAC alone is named by it.
        serial: serial.map(str::to_owned).or(mac.map(|m| m.to_string())).unwrap_or_default(),
        brand: facts.brand.clone().unwrap_or_else(|| "brand unknown".to_owned()),
        model: facts.model.clone().unwrap_or_else(|| "model unknown".to_owned()),
        received: today.to_string(),
        mac: mac.map(|m| m.to_string()),
        ticket: facts.rma.ticket.clone(),
        customer: rma.customer.clone(),
        ship_date: facts.ship_date.map(|d| d.to_string()),
        age: age_text(verdict, facts, today),
        band: Some(verdict.band.to_string()).filter(|b| b != "none"),
        verdict: Some(word.to_owned()),
        hold: hold.map(|h| h.text.clone()),
        rules: rules(verdict),
        due: verdict.due.first().map(|d| format!("{} {}", d.what, d.by)),
        copy: None,
        copy_by: None,
        copy_why: None,
        program: Some(format!("{} {}", program.id(), program.version())),
        // The job has no number yet.
        job: None,
    }
}

/// "reported day 29 / received day 35": both ends of the wait, since money depends on which one counts
/// (A-AMB-04); one figure where they are the same.
fn age_text(verdict: &Verdict, facts: &Facts, today: NaiveDate) -> Option<String> {
    let counted = verdict.age_days?;
    let shipped = facts.lineage.first().and_then(|e| e.shipped).or(facts.ship_date)?;
    let received = (facts.received.unwrap_or(today) - shipped).num_days();
    Some(if received == counted {
        format!("day {counted}")
    } else {
        format!("reported day {counted} / received day {received}")
    })
}
