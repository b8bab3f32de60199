//! The doors: one thin file per verb. A verb reads its arguments, calls a room, and prints: answers to
//! standard output, account and errors to standard error.

pub mod bench;
mod check;
mod demo;
mod devices;
mod doctor;
mod freight;
mod identify;
mod jobs;
mod journal;
mod label;
mod list;
mod load;
mod lookup;
mod outbox;
mod program;
mod rma;
mod run;
mod shipments;
pub mod sim;
mod table;
mod tag;
mod tape;
mod verdict;

use clap::{Parser, Subcommand};
use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;

/// What a verb ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Done = 0,
    Failed = 1,
    Usage = 2,
    /// Done, but something needs a person.
    Person = 3,
}

/// A verb that could not do its work, in words for the caller.
#[derive(Debug)]
pub struct Stop {
    end: End,
    text: String,
}

impl Stop {
    /// Failed or refused: exit code 1.
    fn failed(why: impl Display) -> Stop {
        Stop { end: End::Failed, text: why.to_string() }
    }

    /// Wrong use or wrong configuration: exit code 2.
    fn usage(why: impl Display) -> Stop {
        Stop { end: End::Usage, text: why.to_string() }
    }
}

impl Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Stop {}

type Verdict = Result<End, Stop>;

/// Station daemon for a returns dock: reads scanners, applies the RMA policy, prints labels.
#[derive(Parser)]
#[command(name = "backdock", version, propagate_version = true, max_term_width = 100)]
struct Cli {
    /// The station's configuration.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Program files from this directory instead of the embedded ones.
    #[arg(long, global = true, value_name = "DIR")]
    programs: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Run the station in the foreground (systemd does this).
    Run(run::Args),
    /// Validate the configuration, the programs and the label designs without starting.
    Check(check::Args),
    /// Watch a made-up morning at a dock: virtual scanner, virtual printer, real daemon.
    Demo(demo::Args),
    /// Virtual devices.
    Sim(sim::Args),
    /// Shipment records: which unit left when, to whom.
    Shipments(shipments::Args),
    /// What is known of a unit.
    Lookup(lookup::Args),
    /// RMAs: issue, import, show, list, move.
    Rma(rma::Args),
    /// Work lists: holds, late, advances, quotes, refused, unauthorised, vendor, stale-tags, charges.
    List(list::Args),
    /// Freight: who pays which leg, and the carrier's invoice against it.
    Freight(freight::Args),
    /// Programs: list, show, and what a new version would change.
    Program(program::Args),
    /// What a program says of one unit: facts as JSON on standard input, verdict on standard output.
    Verdict(verdict::Args),
    /// Draw a label as ZPL or a picture; inspect label designs and foreign labels.
    Label(label::Args),
    /// Print a paper: return label, vendor label, tag, slip, sheet.
    Print(jobs::Print),
    /// Print a marked copy of a label.
    Reprint(jobs::Reprint),
    /// Call tags and return labels: order, follow, list.
    Tag(tag::Args),
    /// Labels: printed, waiting, in doubt.
    Jobs(jobs::Args),
    /// Say of a label in doubt whether it came out.
    Settle(jobs::Settle),
    /// Messages: sent, waiting, in doubt.
    Outbox(outbox::Args),
    /// What scanned payloads may be, one a line.
    Identify(identify::Args),
    /// Tapes of what scanners really send: record, replay, blank.
    Tape(tape::Args),
    /// Scanners and printers that this machine has.
    Devices(devices::Args),
    /// What is wrong with a printer or a scanner, and how it is mended.
    Doctor(doctor::Args),
    /// The journal: verify it, export it.
    Journal(journal::Args),
    /// Measure this machine: scan to label, lookups, imports, the daemon at rest.
    Bench(bench::Args),
}

/// Parses the arguments, runs the verb, prints what went wrong.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            // Help and version go to standard output with code 0, mistakes to standard error with 2.
            let _ = e.print();
            return ExitCode::from(if e.use_stderr() { 2 } else { 0 });
        }
    };
    let at = load::Where { config: cli.config, programs: cli.programs };
    let done = match cli.verb {
        Verb::Run(args) => run::main(&at, args),
        Verb::Check(args) => check::main(&at, args),
        Verb::Demo(args) => demo::main(&at, args),
        Verb::Sim(args) => sim::main(args),
        Verb::Shipments(args) => shipments::main(&at, args),
        Verb::Lookup(args) => lookup::main(&at, args),
        Verb::Rma(args) => rma::main(&at, args),
        Verb::List(args) => list::main(&at, args),
        Verb::Freight(args) => freight::main(&at, args),
        Verb::Program(args) => program::main(&at, args),
        Verb::Verdict(args) => verdict::main(&at, args),
        Verb::Label(args) => label::main(&at, args),
        Verb::Print(args) => jobs::print(&at, args),
        Verb::Reprint(args) => jobs::reprint(&at, args),
        Verb::Tag(args) => tag::main(&at, args),
        Verb::Jobs(args) => jobs::main(&at, args),
        Verb::Settle(args) => jobs::settle(&at, args),
        Verb::Outbox(args) => outbox::main(&at, args),
        Verb::Identify(args) => identify::main(&at, args),
        Verb::Tape(args) => tape::main(&at, args),
        Verb::Devices(args) => devices::main(&at, args),
        Verb::Doctor(args) => doctor::main(&at, args),
        Verb::Journal(args) => journal::main(&at, args),
        Verb::Bench(args) => bench::main(&at, args),
    };
    match done {
        Ok(end) => ExitCode::from(end as u8),
        Err(stop) => {
            eprintln!("backdock: {stop}");
            ExitCode::from(stop.end as u8)
        }
    }
}

/// Prints an answer; a reader that went away (`| head`) is no failure of ours.
fn answer(text: impl Display) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// A JSON answer.
fn answer_json(value: &impl serde::Serialize) -> Result<(), Stop> {
    answer(serde_json::to_string(value).map_err(Stop::failed)?);
    Ok(())
}

/// Which user asks; for the journal.
fn caller() -> String {
    std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).unwrap_or_else(|_| "unknown".to_owned())
}
