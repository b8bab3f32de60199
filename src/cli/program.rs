//! `backdock program list|show|diff`: the policies, their versions, and what a new one would change.

use super::load::Where;
use super::{End, Stop, Verdict, answer, answer_json};
use crate::domain::facts::Facts;
use crate::program::{Program, diff};
use crate::store::{self, read};
use serde_json::{Value, json};
use std::path::Path;

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// The programs served, and the earlier versions that RMAs were issued under.
    List {
        #[arg(long)]
        json: bool,
    },
    /// A program file as it is served: ID, or ID@VERSION for an earlier one.
    Show { program: String },
    /// Judge the recorded receipts again with another version, and list what would change.
    Diff {
        /// ID, ID@VERSION or a file.
        old: String,
        /// ID, ID@VERSION or a file.
        new: String,
        /// Only receipts since this day.
        #[arg(long, value_name = "YYYY-MM-DD")]
        since: chrono::NaiveDate,
        #[arg(long)]
        json: bool,
    },
}

pub fn main(at: &Where, args: Args) -> Verdict {
    match args.what {
        What::List { json } => list(at, json),
        What::Show { program } => {
            answer(text(at, &program)?.trim_end());
            Ok(End::Done)
        }
        What::Diff { old, new, since, json } => compare(at, &old, &new, since, json),
    }
}

/// Earlier versions, where there is a station.
fn stored(at: &Where) -> Result<Vec<(String, String, String)>, Stop> {
    if at.config.is_none() && !at.config_path().exists() {
        return Ok(Vec::new());
    }
    match store::open_reader(&at.config()?.station.data) {
        Ok(reader) => read::programs(&reader).map_err(Stop::failed),
        Err(store::StoreError::Missing { .. }) => Ok(Vec::new()),
        Err(e) => Err(Stop::failed(e)),
    }
}

fn list(at: &Where, as_json: bool) -> Verdict {
    let config = if at.config.is_some() || at.config_path().exists() { Some(at.config()?) } else { None };
    let (programs, _) = at.programs(config.as_ref())?;
    let mut rows: Vec<Value> = programs
        .iter()
        .map(|p| json!({"id": p.id(), "version": p.version(), "title": p.title(), "current": true, "default": p.id() == programs.default().id()}))
        .collect();
    for (id, version, _) in stored(at)? {
        if programs.issued_under(&id, &version).is_none() {
            rows.push(json!({"id": id, "version": version, "title": null, "current": false, "default": false}));
        }
    }
    if as_json {
        answer_json(&rows)?;
        return Ok(End::Done);
    }
    for r in &rows {
        let word = |key: &str| r[key].as_str().unwrap_or_default().to_owned();
        let mark = match (&r["current"], &r["default"]) {
            (Value::Bool(false), _) => "earlier",
            (_, Value::Bool(true)) => "default",
            _ => "",
        };
        answer(format!("{:<20} {:<10} {:<8} {}", word("id"), word("version"), mark, word("title")));
    }
    Ok(End::Done)
}

/// The text of a program named ID, ID@VERSION or by its file.
fn text(at: &Where, name: &str) -> Result<String, Stop> {
    if Path::new(name).is_file() {
        return std::fs::read_to_string(name).map_err(|e| Stop::usage(format!("{name}: {e}")));
    }
    let config = if at.config.is_some() || at.config_path().exists() { Some(at.config()?) } else { None };
    let (programs, _) = at.programs(config.as_ref())?;
    let (id, version) = name.split_once('@').map_or((name, None), |(id, v)| (id, Some(v)));
    let current = programs
        .texts()
        .find(|(p, _)| *p.id() == *id && version.is_none_or(|v| *p.version() == *v))
        .map(|(_, t)| t.to_owned());
    let earlier = || Ok(stored(at)?.into_iter().find(|(i, v, _)| i == id && version == Some(v)).map(|(.., t)| t));
    match current.map_or_else(earlier, |t| Ok(Some(t)))? {
        Some(text) => Ok(text),
        None => Err(Stop::usage(format!(
            "{name:?} is neither a file nor a program served here; `backdock program list` shows those"
        ))),
    }
}

fn program(at: &Where, name: &str) -> Result<Program, Stop> {
    let text = text(at, name)?;
    Program::parse(name, &text).map(|r| r.value).map_err(|p| Stop::usage(super::load::listed(&p)))
}

fn compare(at: &Where, old: &str, new: &str, since: chrono::NaiveDate, as_json: bool) -> Verdict {
    let (old, new) = (program(at, old)?, program(at, new)?);
    if old.id() != new.id() {
        return Err(Stop::usage(format!("{} and {} are two programs; compare versions of one", old.id(), new.id())));
    }
    let reader = store::open_reader(&at.config()?.station.data).map_err(Stop::failed)?;
    let (mut cases, mut changed, mut unread, mut lines) = (0u64, 0u64, 0u64, Vec::new());
    read::receipts_since(&reader, old.id(), &since.to_string(), |receipt| {
        cases += 1;
        let Ok(facts) = Facts::from_json(&Value::Object(receipt.facts)) else {
            unread += 1;
            return;
        };
        let day = receipt.at.date_naive();
        let found = diff::changes(&old.verdict(&facts, day), &new.verdict(&facts, day));
        changed += u64::from(!found.is_empty());
        lines.extend(found.into_iter().map(|c| json!({"rma": receipt.rma, "serial": receipt.serial, "received": day, "what": c.what, "old": c.old, "new": c.new})));
    })
    .map_err(Stop::failed)?;
    if as_json {
        answer_json(&json!({"cases": cases, "changed": changed, "unreadable": unread, "changes": lines}))?;
    } else {
        for l in &lines {
            let word = |key: &str| l[key].as_str().filter(|t| !t.is_empty()).unwrap_or("-").to_owned();
            answer(format!(
                "{} {:<12} {:<20} {}: {} -> {}",
                word("received"),
                word("rma"),
                word("serial"),
                word("what"),
                word("old"),
                word("new")
            ));
        }
        answer(format!("{changed} of {cases} cases since {since} would change; {unread} could not be read"));
    }
    Ok(if unread > 0 { End::Person } else { End::Done })
}
