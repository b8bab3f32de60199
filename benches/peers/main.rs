//! `cargo bench --bench peers`: backdock's queue and a CUPS raw queue, side by side in one run, printing the
//! same labels. First the time from the order to the last byte, at a sink that takes no time; then 200 labels
//! through a printer that resets the connection, and through a kill of the spooler while the printer holds
//! the line, with every label that came out held against what the spooler says of it.
//!
//! Leaves: tables in Markdown on standard output, the account on standard error. The exit code is 1 when
//! backdock has lost or doubled a label; figures decide nothing. `-- --quick` takes fewer samples. CUPS is
//! installed by apt-get where it is not there, and runs as an instance of its own in a directory of its own.

mod count;
mod dock;
mod faults;
mod speed;
mod spooler;

use backdock::cli::bench::{machine, site::Site};
use backdock::sim::fault::Fault;
use backdock::sim::{engine, printer};
use std::process::ExitCode;
use std::time::Duration;

type Done<T> = Result<T, Box<dyn std::error::Error>>;

/// Nothing that works takes as long.
const PATIENCE: Duration = Duration::from_secs(120);

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("backdock has lost or doubled labels");
            ExitCode::FAILURE
        }
        Err(e) => {
            eprintln!("{e}");
            ExitCode::FAILURE
        }
    }
}

/// Whether backdock has neither lost nor doubled a label.
fn run() -> Done<bool> {
    let quick = std::env::args().any(|arg| arg == "--quick");
    let cups = spooler::need()?;
    let mut site = Site::make()?;
    let speed = speed::run(&mut site, if quick { 40 } else { 500 })?;
    let faults = faults::run(&mut site)?;
    println!("{}\n{}", speed.table(), faults.table());
    println!("CUPS {cups}; {}", machine(&site).iter().map(|(k, v)| format!("{k} {v}")).collect::<Vec<_>>().join("; "));
    Ok(faults.ours_held())
}

/// A printer that takes no time, with one fault to come.
fn zebra(fault: Fault) -> std::io::Result<printer::Handle> {
    let engine = engine::Options { label_time: Duration::ZERO, faults: vec![fault], ..Default::default() };
    printer::start(printer::Options { engine, ..Default::default() })
}
