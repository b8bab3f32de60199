//! `backdock jobs` and `backdock settle`: what became of labels, and a person's word where the printer's
//! count could not say it.

use super::load::Where;
use super::{End, Stop, Verdict, answer, answer_json, rma};
use crate::domain::job::JobState;
use crate::station::request::Request;
use crate::store::{self, read};

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
    let answers = rma::ask(at, [Request::Settle { job: args.job, came_out, by: args.by }])?;
    let [response] = answers.as_slice() else { return Err(Stop::failed("no answer")) };
    if !response.ok {
        return Err(Stop::failed(&response.text));
    }
    if args.json {
        answer_json(&response.data)?
    } else {
        answer(&response.text)
    }
    Ok(End::Done)
}
