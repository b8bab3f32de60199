//! `backdock run`: the daemon.

use super::{End, Stop, Verdict, load::Where};
use crate::printer::Pace;
use crate::station::{self, Hooks, StationError};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::{layer::SubscriberExt, util::SubscriberInitExt};

#[derive(clap::Args)]
pub struct Args {}

/// Under systemd the log goes to its journal with fields; elsewhere to standard error.
pub(super) fn log() {
    let asked = std::env::var("RUST_LOG").ok().and_then(|said| said.parse().ok());
    let filter = asked.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let registry = tracing_subscriber::registry().with(filter);
    if std::env::var_os("JOURNAL_STREAM").is_some()
        && let Ok(journal) = tracing_journald::layer()
    {
        let _ = registry.with(journal).try_init();
        return;
    }
    let _ = registry.with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false)).try_init();
}

/// A flag that SIGTERM and SIGINT set; a second one ends the process at once.
pub(super) fn stop_flag() -> Result<Arc<AtomicBool>, Stop> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register_conditional_shutdown(signal, 1, stop.clone()).map_err(Stop::failed)?;
        signal_hook::flag::register(signal, stop.clone()).map_err(Stop::failed)?;
    }
    Ok(stop)
}

pub fn main(at: &Where, _: Args) -> Verdict {
    let (config, refused) = at.station()?;
    let (programs, warnings) = at.programs(Some(&config))?;
    log();
    for design in refused {
        tracing::warn!("a label design is not used, our own label is: {design}");
    }
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let hooks = Hooks { stop: stop_flag()?, ready: Box::new(|_| ()), watch: None, pace: Pace::default() };
    station::run(config, programs, hooks).map_err(failed)?;
    Ok(End::Done)
}

pub(super) fn failed(e: StationError) -> Stop {
    Stop::failed(e)
}
