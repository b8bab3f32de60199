//! `backdock print`, `reprint`, `jobs` and `settle`: papers by name and copies, what became of labels, and a
//! person's word where the printer's count could not say it.

use super::load::{self, Where};
use super::{End, Stop, Verdict, answer, answer_json, rma};
use crate::domain::job::{CARRIER, JobState};
use crate::station::request::{CarrierLabel, Request, Wanted};
use crate::store::{self, read};
use serde_json::{Map, Value};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Args {
    /// Only labels that are not settled: waiting, on their way, in doubt.
    #[arg(long)]
    open: bool,
    /// How many, newest first.
    #[arg(long, default_value_t = 50, value_name = "N")]
    last: u32,
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub struct Print {
    /// The paper's name: `backdock label --list` names them all with their fields.
    label: String,
    /// The RMA that it is for.
    rma: Option<String>,
    /// The unit that it is for: serial number or MAC.
    unit: Option<String>,
    /// A field that is said by hand, e.g. --say "to=Acme Ltd|1 Road|Town" (lines are divided by |).
    #[arg(long, value_name = "FIELD=VALUE")]
    say: Vec<String>,
    /// A carrier's label, for `print carrier`: inspected, and printed as it is.
    #[arg(long, value_name = "FILE.zpl")]
    zpl: Option<PathBuf>,
    /// The call tag that a carrier's label is for.
    #[arg(long, value_name = "TAG", requires = "zpl")]
    tag: Option<i64>,
    /// A printer of the configuration; else by what each printer takes.
    #[arg(long, value_name = "NAME")]
    printer: Option<String>,
    /// Who wants it.
    #[arg(long, value_name = "WHO")]
    by: String,
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub struct Reprint {
    /// Serial number or MAC of a received unit: a copy of its label.
    #[arg(required_unless_present = "job", conflicts_with = "job")]
    unit: Option<String>,
    /// A job, as `backdock jobs` shows it: a copy of whatever paper that was.
    #[arg(long, value_name = "JOB")]
    job: Option<i64>,
    /// Who wants it; stands on the copy.
    #[arg(long, value_name = "WHO")]
    by: String,
    /// Why; stands on the copy.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    why: String,
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub struct Settle {
    /// The job's number, as `backdock jobs` shows it.
    job: i64,
    /// What you saw: the label lies at the printer, or it does not.
    #[arg(value_parser = ["printed", "not-there"], value_name = "printed|not-there")]
    seen: String,
    /// Who looked.
    #[arg(long, value_name = "WHO")]
    by: String,
    #[arg(long)]
    json: bool,
}

pub fn main(at: &Where, args: Args) -> Verdict {
    let config = at.config()?;
    let reader = store::open_reader(&config.station.data).map_err(Stop::failed)?;
    let station = &config.station.id;
    let mut jobs = if args.open { read::open_jobs(&reader, station) } else { read::jobs(&reader, station, args.last) }
        .map_err(Stop::failed)?;
    if args.open {
        jobs.reverse();
        jobs.truncate(args.last as usize);
    }
    let doubts = jobs.iter().filter(|j| j.state == JobState::InDoubt).count();
    if args.json {
        answer_json(&jobs)?;
    } else {
        for j in &jobs {
            let text = |t: &Option<String>| t.clone().unwrap_or_else(|| "-".into());
            let copy = if j.copy > 1 { format!(" copy {}", j.copy) } else { String::new() };
            answer(
                format!(
                    "{:>6} {:<9} {}{copy} {} {}  {}",
                    j.id,
                    j.state.word(),
                    j.label,
                    text(&j.rma),
                    text(&j.serial),
                    j.note
                )
                .trim_end(),
            );
        }
    }
    Ok(if doubts > 0 { End::Person } else { End::Done })
}

pub fn settle(at: &Where, args: Settle) -> Verdict {
    let came_out = args.seen == "printed";
    one(at, Request::Settle { job: args.job, came_out, by: args.by }, args.json)
}

pub fn print(at: &Where, args: Print) -> Verdict {
    let said = said(&args.say)?;
    let Print { label, rma, unit, printer, by, json, zpl, tag, .. } = args;
    if let Some(path) = zpl {
        if label != CARRIER || unit.is_some() || !said.is_empty() {
            let how = "a carrier's label is printed with: backdock print carrier [RMA] --zpl FILE --by WHO";
            return Err(Stop::usage(how));
        }
        let bytes = load::read_zpl(&path)?;
        let name = path.to_string_lossy().into_owned();
        let zpl = String::from_utf8(bytes)
            .map_err(|e| Stop::failed(format!("{name}: byte {}: not UTF-8", e.utf8_error().valid_up_to())))?;
        return one(at, Request::Carrier(CarrierLabel { name, zpl, rma, perhaps: None, tag, printer, by }), json);
    }
    one(at, Request::Print(Wanted { label, rma, unit, said, printer, by }), json)
}

/// What is said by hand, `field=value` each.
pub(super) fn said(pairs: &[String]) -> Result<Map<String, Value>, Stop> {
    let mut said = Map::new();
    for pair in pairs {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(Stop::usage(format!("--say {pair:?}: write it as field=value")));
        };
        said.insert(name.trim().to_owned(), value.into());
    }
    Ok(said)
}

pub fn reprint(at: &Where, args: Reprint) -> Verdict {
    let Reprint { unit, job, by, why, json } = args;
    one(at, Request::Reprint { unit, job, by, why }, json)
}

pub(super) fn one(at: &Where, request: Request, as_json: bool) -> Verdict {
    let answers = rma::ask(at, [request])?;
    let [response] = answers.as_slice() else { return Err(Stop::failed("no answer")) };
    if !response.ok {
        return Err(Stop::failed(&response.text));
    }
    if as_json {
        answer_json(&response.data)?
    } else {
        answer(&response.text)
    }
    Ok(End::Done)
}
