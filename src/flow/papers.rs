//! What stands on a paper: composed of what is known of an RMA and of a unit in it. PURE.
//!
//! A paper that lets goods leave is behind the interlock of the step that it is for, whoever asks for it
//! and however often (A-55, A-61, A-63, C-24, C-31). Every field may be said by hand, and is then taken as
//! it is said; what is required and neither known nor said is named.

use super::life::{Refused, Unit};
use crate::domain::money::Amount;
use crate::domain::rma::{Rma, RmaState};
use crate::domain::unit::{LedgerLine, Step, UnitState};
use crate::domain::verdict::{Hold, Leg, LegName, Move, Verdict};
use crate::label;
use crate::program::Program;
use crate::rma::steps;
use chrono::NaiveDate;
use serde_json::{Map, Value, json};

/// What a paper is about.
pub struct About<'a> {
    /// With its announced units.
    pub rma: &'a Rma,
    pub program: &'a Program,
    /// The unit as it stands, what is known of it, and what the program says of it now.
    pub unit: Option<(&'a Unit, &'a Map<String, Value>, &'a Verdict)>,
    /// Money that was posted for it, oldest first.
    pub ledger: &'a [LedgerLine],
    /// The hold that a tag is for, by its code; else the first.
    pub hold: Option<&'a str>,
    /// Fields that somebody says himself, by their names on the paper.
    pub said: &'a Map<String, Value>,
    pub today: NaiveDate,
    /// Who made the step that the paper comes with; empty: somebody only asked for the paper.
    pub by: &'a str,
}

/// The step that a paper is for; `None`: it lets nothing leave.
fn step_of(label: &str) -> Option<Step> {
    match label {
        "vendor" | "packing-list" => Some(Step::VendorShip),
        "return" => Some(Step::Ship),
        "address" | "rma-sheet" | "calltag-request" | "calltag-notice" => Some(Step::Issue),
        "credit" => Some(Step::Credit),
        _ => None,
    }
}

/// Whether the interlock of the paper's step lets it out.
pub fn may(label: &str, about: &About) -> Result<(), Refused> {
    let refused = |why: String| Err(Refused(format!("no {label} paper: {why}")));
    let step = step_of(label);
    if step == Some(Step::Issue) && about.rma.state != RmaState::Open {
        return refused(format!("RMA {} is {}", about.rma.number, about.rma.state.word()));
    }
    let Some((unit, facts, verdict)) = about.unit else {
        return match step {
            None | Some(Step::Issue) => Ok(()),
            Some(_) => refused("name the unit that it is for".to_owned()),
        };
    };
    let guard = match label {
        // A call tag brings goods in; who pays for it must be known before (B-35).
        "calltag-request" | "calltag-notice" => Some(Move::Inbound),
        "qc" => match unit.state {
            UnitState::BurnIn | UnitState::Qc | UnitState::VendorTested => None,
            // It says that the unit is released.
            UnitState::Ready | UnitState::Shipped | UnitState::Closed => Some(Move::Ship),
            state => return refused(format!("{} is {state}: not tested yet", unit.name)),
        },
        _ => step.and_then(|step| steps::of(step).guard),
    };
    if let Some(guard) = guard.filter(|guard| unit.state != UnitState::Refused && !verdict.allows(*guard)) {
        return refused(in_the_way(verdict, guard));
    }
    if step == Some(Step::VendorShip) && text(facts, "vendor_rma").is_none() {
        return refused("the vendor's RMA number is not known".to_owned());
    }
    Ok(())
}

/// What of a verdict stands in the way of a move, in words; empty: nothing does.
pub(super) fn in_the_way(verdict: &Verdict, guard: Move) -> String {
    let holds = verdict.holds_on(guard).map(|h| format!("{} ({}): {}", h.code, h.rule, h.text));
    let questions = verdict.questions.iter().filter(|q| q.blocks.contains(&guard));
    let questions = questions.map(|q| format!("question {} ({}): {}", q.code, q.rule, q.text));
    holds.chain(questions).collect::<Vec<_>>().join("; ")
}

/// The fields of a paper.
pub fn compose(label: &str, about: &About) -> Result<Map<String, Value>, Refused> {
    let def = label::find(label).map_err(|e| Refused(e.to_string()))?;
    if let Some(odd) = about.said.keys().find(|key| !def.fields.iter().any(|f| f.name == *key)) {
        let known: Vec<&str> = def.fields.iter().map(|f| f.name).collect();
        return Err(Refused(format!("{label} has no field {odd:?}; it has {}", known.join(", "))));
    }
    may(label, about)?;
    let mut fields = Map::new();
    for field in def.fields {
        let said = about.said.get(field.name).filter(|v| !v.is_null()).map(|v| shaped(field.kind, v));
        if let Some(value) = said.or_else(|| about.known(label, field.name)) {
            fields.insert(field.name.to_owned(), value);
        }
    }
    let missing: Vec<&str> = def.required().filter(|name| !fields.contains_key(*name)).collect();
    if !missing.is_empty() {
        let say: Vec<String> = missing.iter().map(|name| format!("--say {name}=...")).collect();
        return Err(Refused(format!("{label}: {} is not known; say it with {}", missing.join(", "), say.join(" "))));
    }
    Ok(fields)
}

/// What is said on a command line is text: lines are divided by `|`, counts are numbers.
fn shaped(kind: label::Kind, value: &Value) -> Value {
    match (kind, value) {
        (label::Kind::List, Value::String(text)) => json!(text.split('|').map(str::trim).collect::<Vec<_>>()),
        (label::Kind::Count, Value::String(text)) => text.trim().parse::<u64>().map_or(value.clone(), |n| json!(n)),
        _ => value.clone(),
    }
}

fn text<'f>(facts: &'f Map<String, Value>, key: &str) -> Option<&'f str> {
    facts.get(key).and_then(Value::as_str).map(str::trim).filter(|t| !t.is_empty())
}

/// Not empty, as JSON.
fn lines(lines: Vec<String>) -> Option<Value> {
    (!lines.is_empty()).then(|| json!(lines))
}

/// An address, a line each.
fn address(text: &str) -> Value {
    json!(text.split(['\n', ';', '|']).map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>())
}

impl About<'_> {
    /// What is known under the name that a field has on every paper.
    fn known(&self, label: &str, field: &str) -> Option<Value> {
        let (rma, program) = (self.rma, self.program);
        let of_rma = |key: &str| rma.facts.get("rma").and_then(|r| r.get(key)).and_then(Value::as_str);
        let fact = |key: &str| self.facts().and_then(|f| text(f, key)).or_else(|| text(&rma.facts, key));
        match field {
            "rma" => Some(json!(rma.number)),
            "customer" => rma.customer.as_deref().map(|c| json!(c)),
            "ticket" => of_rma("ticket").map(|t| json!(t)),
            "issued" => Some(json!(rma.issued)),
            "valid_until" if label == "quote" => self.due("quote_expires").map(|d| json!(d)),
            "valid_until" => program.valid_until(rma.issued).map(|d| json!(d)),
            "program" => Some(json!(format!("{} {}", program.title(), rma.program_version))),
            "return_to" => of_rma("return_to").map(address).or_else(|| lines(program.return_address().to_vec())),
            "to" => self.to(label, of_rma, fact),
            "from" => match label {
                // It stands on the box that the customer sends.
                "address" => fact("sender").map(address),
                _ => lines(program.return_address().to_vec()),
            },
            "footer" => lines(program.footer().to_vec()),
            "units" => lines(rma.expected.clone()),
            "serial" => self.unit.map(|(unit, ..)| json!(unit.name)),
            "serials" => self.unit.map(|(unit, ..)| json!([unit.name])),
            "items" if label == "packing-list" => {
                let name = [fact("brand"), fact("model")].into_iter().flatten().collect::<Vec<_>>().join(" ");
                self.unit.map(|(unit, ..)| json!([format!("1 x {name} S/N {}", unit.name)]))
            }
            "brand" | "model" | "tracking" | "vendor_rma" | "received" => fact(field).map(|t| json!(t)),
            "since" => fact("received").map(|t| json!(t)),
            "date" => Some(match self.line(label) {
                Some(line) => json!(line.on),
                None => json!(self.today),
            }),
            "verdict" => self.verdict().map(|v| json!(v.action.as_str().to_uppercase())),
            "reasons" => lines(self.verdict()?.reasons.iter().map(|r| format!("{} ({})", r.text, r.rule)).collect()),
            "questions" => lines(self.verdict()?.questions.iter().map(|q| q.text.to_string()).collect()),
            "holds" => lines(self.verdict()?.holds.iter().map(|h| format!("{}; {}", h.text, h.released_by)).collect()),
            "due" => self.verdict()?.due.first().map(|d| json!(format!("{} {}", plain(&d.what), d.by))),
            "lineage" => {
                let units = self.facts()?.get("lineage")?.as_array()?;
                lines(units.iter().filter_map(|u| u.get("serial")?.as_str().map(str::to_owned)).collect())
            }
            "team" => self.verdict()?.route.as_ref().map(|r| json!(plain(r))),
            "code" => self.hold().map(|h| json!(h.code)),
            "released_by" => self.hold().map(|h| json!(plain(&h.released_by))),
            "reason" | "rule" => self.cause(label, field == "rule"),
            "payer" => self.leg(label).map(|l| json!(l.payer.as_str())),
            "service" => self.leg(label).map(|l| json!(l.service.as_str().to_uppercase())),
            "amount" if label == "quote" => {
                let amount = self.facts()?.get("rma")?.get("quote_amount")?.as_str()?;
                Some(json!(format!("{amount} {}", program.currency())))
            }
            "amount" => self.line(label).map(|l| json!(format!("{} {}", magnitude(l.amount), l.currency))),
            "kind" => self.line(label).map(|l| json!(plain(&l.kind))),
            "party" => self.line(label).map(|l| json!(l.party.as_str())),
            "evidence" => self.line(label).map(|l| json!(l.evidence)),
            "lines" => lines(
                self.verdict()?
                    .charges
                    .iter()
                    .map(|c| format!("{} {} {}", plain(&c.kind), c.amount, c.currency))
                    .collect(),
            ),
            "result" => self.result().map(|r| json!(r)),
            "by" => (!self.by.is_empty()).then(|| json!(self.by)),
            _ => None,
        }
    }

    fn facts(&self) -> Option<&Map<String, Value>> {
        self.unit.map(|(_, facts, _)| facts)
    }

    fn verdict(&self) -> Option<&Verdict> {
        self.unit.map(|(.., verdict)| verdict)
    }

    /// Whom the goods go to.
    fn to<'f>(
        &self,
        label: &str,
        of_rma: impl Fn(&str) -> Option<&'f str>,
        fact: impl Fn(&str) -> Option<&'f str>,
    ) -> Option<Value> {
        match label {
            "vendor" | "packing-list" => self.verdict()?.vendor.as_ref().map(|v| json!([v.send_to])),
            "return-to-sender" => fact("sender").map(address),
            // The customer's box comes to us.
            "address" => of_rma("return_to").map(address).or_else(|| lines(self.program.return_address().to_vec())),
            _ => of_rma("ship_to").map(address),
        }
    }

    fn hold(&self) -> Option<&Hold> {
        let named = self.hold.or(self.said.get("code").and_then(Value::as_str));
        let holds = &self.verdict()?.holds;
        named.map_or(holds.first(), |code| holds.iter().find(|h| *h.code == *code))
    }

    fn leg(&self, label: &str) -> Option<&Leg> {
        let name = match label {
            "vendor" => LegName::ToVendor,
            "return" | "return-to-sender" => LegName::Outbound,
            "calltag-request" => LegName::Inbound,
            _ => return None,
        };
        self.verdict()?.legs.iter().find(|l| l.leg == name)
    }

    /// The newest line of the ledger that a slip is for.
    fn line(&self, label: &str) -> Option<&LedgerLine> {
        let credit = match label {
            "charge" => false,
            "credit" => true,
            _ => return None,
        };
        let kind = self.said.get("kind").and_then(Value::as_str);
        let fits = |l: &&LedgerLine| (l.amount < Amount::ZERO) == credit && kind.is_none_or(|k| *l.kind == *k);
        self.ledger.iter().rev().find(fits)
    }

    fn due(&self, what: &str) -> Option<NaiveDate> {
        self.verdict()?.due.iter().find(|d| *d.what == *what).map(|d| d.by)
    }

    /// Why there is such a paper, as its sentence or as its rule.
    fn cause(&self, label: &str, rule: bool) -> Option<Value> {
        let pick = |r: &str, t: &str| Some(if rule { json!(r) } else { json!(t) });
        let verdict = self.verdict()?;
        match label {
            "hold" | "unauthorised" => self.hold().and_then(|h| pick(&h.rule, &h.text)),
            "routing" => {
                let of_team = verdict.holds.iter().find(|h| Some(&h.released_by) == verdict.route.as_ref());
                of_team.and_then(|h| pick(&h.rule, &h.text)).or_else(|| self.first_reason(rule))
            }
            "vendor" if rule => verdict.vendor.as_ref().map(|v| json!(v.rule)),
            "return" if rule => self.leg(label).map(|l| json!(l.rule)),
            "charge" | "credit" if rule => self.line(label).map(|l| json!(l.rule)),
            "quote" if rule => verdict.due.iter().find(|d| *d.what == *"quote_expires").map(|d| json!(d.rule)),
            "reject" | "return-to-sender" => self.first_reason(rule),
            _ => None,
        }
    }

    fn first_reason(&self, rule: bool) -> Option<Value> {
        self.verdict()?.reasons.first().map(|r| if rule { json!(r.rule) } else { json!(r.text) })
    }

    /// What a test came to: a vendor's unit is tested, ours is released.
    fn result(&self) -> Option<&'static str> {
        match self.unit?.0.state {
            UnitState::VendorTested => Some("TESTED"),
            UnitState::BurnIn => Some("BURN-IN"),
            UnitState::Qc => Some("QC PASSED"),
            UnitState::Ready | UnitState::Shipped | UnitState::Closed => Some("RELEASED"),
            _ => None,
        }
    }
}

/// A code as people read it.
fn plain(code: &str) -> String {
    code.replace('_', " ")
}

/// A slip's title says which way the money goes.
fn magnitude(amount: Amount) -> Amount {
    if amount < Amount::ZERO { Amount::from_cents(-amount.cents()) } else { amount }
}
