//! `backdock freight list|reconcile`: which way of the goods who pays, and what the carrier billed.

use super::load::Where;
use super::table::{Form, csv, plain};
use super::{End, Stop, Verdict, answer, answer_json};
use crate::flow::freight::{self, Carried, Finding, Kind};
use crate::flow::invoice;
use crate::store::{self, desk};
use chrono::NaiveDate;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Largest invoice taken, in bytes.
const FILE_MAX: u64 = 64 << 20;

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// The freight ledger: every way of the goods that took place, with who pays by which rule.
    List {
        #[arg(long, conflicts_with = "csv")]
        json: bool,
        #[arg(long)]
        csv: bool,
    },
    /// Hold a carrier's invoice against the freight ledger. Exit code 3 when anything is not right.
    Reconcile {
        /// CSV with at least the columns tracking and amount; service, payer, date and currency are used
        /// where they are there. Names are taken in any case and spelling.
        #[arg(value_name = "INVOICE.csv")]
        invoice: PathBuf,
        /// Legs of ours since this day must be on it (default: since the invoice's first date).
        #[arg(long, value_name = "YYYY-MM-DD")]
        since: Option<NaiveDate>,
        #[arg(long, conflicts_with = "csv")]
        json: bool,
        #[arg(long)]
        csv: bool,
    },
}

const LEDGER: [&str; 9] = ["date", "rma", "unit", "leg", "tracking", "payer", "service", "rule", "cost"];
const FINDINGS: [&str; 14] = [
    "finding",
    "line",
    "tracking",
    "amount",
    "rma",
    "unit",
    "leg",
    "date",
    "payer",
    "service",
    "billed_service",
    "rule",
    "why",
    "next",
];

pub fn main(at: &Where, args: Args) -> Verdict {
    match args.what {
        What::List { json, csv } => list(at, Form::of(json, csv)),
        What::Reconcile { invoice, since, json, csv } => reconcile(at, &invoice, since, Form::of(json, csv)),
    }
}

/// Every leg that took place, oldest first.
fn ledger(at: &Where) -> Result<Vec<Carried>, Stop> {
    let config = at.config()?;
    let reader = store::open_reader(&config.station.data).map_err(Stop::failed)?;
    let moment = reader.unchecked_transaction().map_err(Stop::failed)?;
    let mut legs = Vec::new();
    desk::each_receipt(&moment, |receipt| legs.push(freight::of_receipt(&receipt))).map_err(Stop::failed)?;
    desk::each_step(&moment, |_, moved| legs.extend(freight::of_step(&moved))).map_err(Stop::failed)?;
    legs.sort_by(|a, b| (a.date, &a.rma, &a.unit).cmp(&(b.date, &b.rma, &b.unit)));
    Ok(legs)
}

fn object(value: &impl serde::Serialize) -> Result<Map<String, Value>, Stop> {
    match serde_json::to_value(value).map_err(Stop::failed)? {
        Value::Object(map) => Ok(map),
        _ => Ok(Map::new()),
    }
}

fn rows<T: serde::Serialize>(of: &[T]) -> Result<Vec<Map<String, Value>>, Stop> {
    of.iter().map(object).collect()
}

fn word(text: Option<impl std::fmt::Display>) -> String {
    text.map_or_else(|| "-".to_owned(), |t| t.to_string())
}

fn list(at: &Where, form: Form) -> Verdict {
    let legs = ledger(at)?;
    match form {
        Form::Json => answer_json(&legs)?,
        Form::Csv => answer(csv(&LEDGER, &rows(&legs)?)?.trim_end_matches('\n')),
        Form::Text => {
            for leg in &legs {
                answer(format!(
                    "{} {:<12} {:<18} {:<11} {:<8} {:<6} {:<6} {}",
                    leg.date,
                    leg.rma,
                    plain(&leg.unit),
                    leg.leg,
                    word(leg.payer),
                    word(leg.service),
                    if leg.rule.is_empty() { "-" } else { &*leg.rule },
                    plain(leg.tracking.as_deref().unwrap_or("no tracking number")),
                ));
            }
            answer(format!("{} legs", legs.len()));
        }
    }
    Ok(End::Done)
}

fn read(path: &Path) -> Result<String, Stop> {
    let named = |e: &dyn std::fmt::Display| Stop::failed(format!("{}: {e}", path.display()));
    let size = std::fs::metadata(path).map_err(|e| named(&e))?.len();
    if size > FILE_MAX {
        return Err(named(&format!("{size} bytes are too many for an invoice; at most {FILE_MAX}")));
    }
    let bytes = std::fs::read(path).map_err(|e| named(&e))?;
    String::from_utf8(bytes)
        .map_err(|e| named(&format!("not UTF-8 at byte {}; save it as UTF-8", e.utf8_error().valid_up_to())))
}

fn reconcile(at: &Where, path: &Path, since: Option<NaiveDate>, form: Form) -> Verdict {
    let invoice = invoice::read(&read(path)?);
    for (line, why) in &invoice.problems {
        eprintln!("backdock: {}: line {line}: {why}", path.display());
    }
    // Nothing to hold against anything: the file is not what it was taken for.
    if invoice.rows.is_empty() && !invoice.problems.is_empty() {
        return Err(Stop::failed(format!("{}: no row could be used", path.display())));
    }
    let findings = freight::reconcile(&ledger(at)?, &invoice, since);
    let totals = freight::totals(&findings);
    match form {
        Form::Json => {
            let totals: Map<String, Value> = totals
                .iter()
                .map(|(kind, n, amount)| (kind.to_string(), json!({"count": n, "amount": amount})))
                .collect();
            let rejected: Vec<Value> =
                invoice.problems.iter().map(|(line, why)| json!({"line": line, "why": why})).collect();
            answer_json(&json!({"findings": findings, "totals": totals, "rejected": rejected}))?;
        }
        Form::Csv => answer(csv(&FINDINGS, &rows(&findings)?)?.trim_end_matches('\n')),
        Form::Text => {
            findings.iter().filter(|f| f.finding != Kind::Right).for_each(text);
            for (kind, n, amount) in &totals {
                answer(format!("{:<16} {n:>6} {amount:>14}", kind.as_str().replace('_', " ")));
            }
            answer(format!("{} rows of the invoice, {} rejected", invoice.rows.len(), invoice.problems.len()));
        }
    }
    let right = invoice.problems.is_empty() && findings.iter().all(|f| f.finding == Kind::Right);
    Ok(if right { End::Done } else { End::Person })
}

fn text(finding: &Finding) {
    let or = |text: &str| if text.is_empty() { "-".to_owned() } else { plain(text) };
    answer(format!(
        "{:<16} {:<20} {:>10}  {} {}  line {}\n                 {}\n                 -> {}",
        finding.finding.as_str().replace('_', " "),
        or(&finding.tracking),
        finding.amount.to_string(),
        or(&finding.rma),
        or(&finding.unit),
        word(finding.line),
        plain(&finding.why),
        finding.next,
    ));
}
