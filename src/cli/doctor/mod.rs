//! `backdock doctor`: finds what is wrong with a printer or a scanner, and says how it is mended. It has the
//! device to itself: the station must be stopped meanwhile.

mod printer;
mod scanner;

use super::load::Where;
use super::{Stop, Verdict, answer, table};
use crate::station::control::Call;

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Connection, print head, stock, darkness, firmware; the station must be stopped meanwhile.
    ///
    /// Exit code 0: all fits; 3: something is to be mended; 1: a printer did not answer.
    Printer {
        /// Only this one of the configuration.
        name: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// Keyboard layout, separators, suffix, Caps Lock, symbologies, AIM identifiers: scan the test page.
    ///
    /// The page comes from `backdock print scanner-test --by WHO` or from --page. The station must be stopped
    /// while it is scanned. Exit code 0: all is as it should be; 3: something is to be mended; 1: nothing was
    /// scanned.
    Scanner(scanner::Args),
}

pub fn main(at: &Where, args: Args) -> Verdict {
    let config = at.config()?;
    let devices = if matches!(args.what, What::Printer { .. }) { "printers" } else { "scanners" };
    if Call::open(&config.station.socket).is_ok_and(|call| call.is_some()) {
        return Err(Stop::failed(format!(
            "the station runs and has the {devices}: stop it first (systemctl stop backdock)"
        )));
    }
    match args.what {
        What::Printer { name, json } => printer::main(&config, name, json),
        What::Scanner(args) => scanner::main(&config, args),
    }
}

/// One finding for the eye.
fn tell(what: &str, remedy: &str) {
    answer(format!("  ! {}\n    -> {}", table::plain(what), table::plain(remedy)));
}
