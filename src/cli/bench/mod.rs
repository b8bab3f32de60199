//! `backdock bench`: what this machine does with this program. The real daemon as a process of its own,
//! a scanner on a pseudo-terminal, a printer that takes no time; everything that is compared is measured
//! side by side in one run. Targets are printed beside the figures and decide nothing.
//!
//! `benches/peers`, which holds the station against a print spooler, makes its docks with the public parts.

mod burst;
pub mod daemon;
mod dock;
mod import;
mod lookup;
mod report;
mod reports;
mod rest;
mod rules;
pub mod sample;
pub mod samples;
mod scan;
pub mod sink;
pub mod site;

use super::load::Where;
use super::{End, Stop, Verdict, answer, answer_json};
use report::Found;
use serde_json::{Value, json};
use site::Site;

/// Shipments on record unless a stage says otherwise.
const SHIPMENTS: u64 = 1_000_000;

#[derive(clap::Args)]
pub struct Args {
    /// Fewer and shorter runs: minutes become seconds, and the figures rough.
    #[arg(long)]
    quick: bool,
    /// One JSON object instead of text.
    #[arg(long)]
    json: bool,
    /// What to measure; all of it by default.
    #[arg(value_enum)]
    stages: Vec<Stage>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Stage {
    /// Scan to label against one bare commit and one bare send.
    Scan,
    /// Labels per second, scans back to back.
    Burst,
    /// Finding a unit by serial and by MAC.
    Lookup,
    /// Shipment files, alone, again, and beside scans.
    Import,
    /// The daemon when nobody scans, and its starts.
    Rest,
    /// Verdicts per second.
    Verdict,
    /// Labels laid out per second.
    Label,
    /// Payloads identified per second.
    Identify,
    /// From a scanner's bytes to the identified scan, by each way in.
    Reports,
}

/// How much is done.
#[derive(Clone, Copy)]
struct Effort {
    quick: bool,
}

impl Effort {
    fn pick<T>(self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }
}

pub fn main(_: &Where, args: Args) -> Verdict {
    let effort = Effort { quick: args.quick };
    let stages = if args.stages.is_empty() { <Stage as clap::ValueEnum>::value_variants() } else { &args.stages };
    let mut site = Site::make()?;
    let machine = machine(&site);
    if !args.json {
        answer(machine.iter().map(|(what, value)| format!("{what:<10} {value}")).collect::<Vec<_>>().join("\n"));
    }
    let mut all = Vec::new();
    for stage in stages {
        let found = stage.run(&mut site, effort)?;
        if args.json {
            all.push(found.json());
        } else {
            answer(format!("\n{}", found.text().trim_end()));
        }
    }
    if args.json {
        let machine: serde_json::Map<String, Value> =
            machine.into_iter().map(|(what, value)| (what.to_owned(), json!(value))).collect();
        answer_json(&json!({"quick": args.quick, "machine": machine, "stages": all}))?;
    }
    Ok(End::Done)
}

impl Stage {
    fn run(self, site: &mut Site, effort: Effort) -> Result<Found, Stop> {
        let name = clap::ValueEnum::to_possible_value(&self).map(|v| v.get_name().to_owned()).unwrap_or_default();
        eprintln!("{name} ...");
        match self {
            Stage::Scan => scan::run(site, effort),
            Stage::Burst => burst::run(site, effort),
            Stage::Lookup => lookup::run(site, effort),
            Stage::Import => import::run(site, effort),
            Stage::Rest => rest::run(site, effort),
            Stage::Verdict => rules::verdicts(effort),
            Stage::Label => rules::labels(effort),
            Stage::Identify => rules::payloads(effort),
            Stage::Reports => reports::run(effort),
        }
    }
}

/// What the figures were measured on.
pub fn machine(site: &Site) -> Vec<(&'static str, String)> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo.lines().find_map(|l| l.strip_prefix("model name")?.split_once(": ").map(|(_, m)| m.to_owned()));
    let cores = std::thread::available_parallelism().map_or(0, |n| n.get());
    let (disk, memory) = site.disk();
    let mut facts = vec![
        ("backdock", env!("CARGO_PKG_VERSION").to_owned()),
        ("processor", format!("{} x {}", cores, model.unwrap_or_else(|| "unknown".to_owned()))),
        ("kernel", read("/proc/sys/kernel/osrelease").trim().to_owned()),
        ("disk", format!("{disk}, {}", site.dir().display())),
        ("load", read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned()),
    ];
    if memory {
        facts.push(("beware", "this directory is in memory, where a commit costs nothing; set TMPDIR".to_owned()));
    }
    if cfg!(debug_assertions) {
        facts.push(("beware", "not a release build: no figure here means anything".to_owned()));
    }
    facts
}
