//! `backdock journal verify|export`: for the auditor.

use super::load::Where;
use super::{End, Stop, Verdict, answer, answer_json};
use crate::store::{self, verify};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{BufWriter, Write};

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Check the hash chain, and that replaying the journal gives the tables.
    Verify {
        #[arg(long)]
        json: bool,
    },
    /// Write the journal as JSON lines, oldest first.
    Export,
}

pub fn main(at: &Where, args: Args) -> Verdict {
    let config = at.config()?;
    let reader = store::open_reader(&config.station.data).map_err(Stop::failed)?;
    match args.what {
        What::Verify { json } => {
            let bar = progress("events");
            let report = verify::verify(&reader, |done, of| {
                bar.set_length(of as u64);
                bar.set_position(done as u64);
            });
            bar.finish_and_clear();
            let report = report.map_err(Stop::failed)?;
            if json {
                answer_json(&report)?;
            } else {
                for problem in &report.problems {
                    answer(format!("PROBLEM: {problem}"));
                }
                answer(format!(
                    "{} events, {} raw scans kept, {} shipments: {}",
                    report.events,
                    report.raw_scans,
                    report.shipments,
                    if report.problems.is_empty() {
                        "the chain is whole and the tables are what it adds up to"
                    } else {
                        "NOT whole"
                    }
                ));
                answer(format!("last hash {}", report.head));
            }
            Ok(if report.problems.is_empty() { End::Done } else { End::Failed })
        }
        What::Export => {
            let mut out = BufWriter::new(std::io::stdout().lock());
            let done = verify::export(&reader, |line| writeln!(out, "{line}")).map_err(Stop::failed)?;
            match done.and_then(|_| out.flush()) {
                Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
                    Err(Stop::failed(format!("standard output: {e}")))
                }
                _ => Ok(End::Done),
            }
        }
    }
}

/// A progress bar on standard error; nothing where that is no terminal.
pub(super) fn progress(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg}  {eta}") {
        bar.set_style(style);
    }
    bar.set_message(what);
    bar
}
