//! `backdock doctor scanner`: listens while the test page is scanned, and says how the scanner is set.

use super::super::{End, Stop, Verdict, answer, answer_json, table};
use super::tell;
use crate::config::Config;
use crate::device::{self, DeviceEvent, ScannerKind, ScannerSettings, Tap};
use crate::domain::presence::Presence;
use crate::domain::probe::{LAST, PROBES};
use crate::domain::text::escaped;
use crate::label::{self, Dpi, Stock};
use crate::scan::exam::{Exam, Expected, Heard};
use crate::scan::{Frame, Suffix};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

#[derive(clap::Args)]
pub struct Args {
    /// This one of the configuration, or of those that were found by themselves; may be left out where there is only one.
    name: Option<String>,
    /// Write the test page here as a picture, to be shown on a screen or printed anywhere at 100 %.
    #[arg(long, value_name = "FILE.png")]
    page: Option<PathBuf>,
    /// Ends after so many seconds without a scan; barcode 11 (DONE) ends it at once.
    #[arg(long, default_value_t = 60, value_name = "S", value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    #[arg(long)]
    json: bool,
}

/// Scans are taken whole, suffix and all: a silence ends one. Longer than a slow serial line or a wireless
/// scanner pauses, shorter than a person needs for the next barcode. Milliseconds.
const GAP_MS: u64 = 300;

pub(super) fn main(config: &Config, args: Args) -> Verdict {
    if let Some(path) = &args.page {
        page(path)?;
    }
    let settings = &chosen(config, args.name.as_deref())?;
    let say = |text: String| if args.json { eprintln!("{text}") } else { answer(text) };
    let page = args.page.as_ref().map_or("backdock print scanner-test".to_owned(), |p| p.display().to_string());
    say(format!("{}: scan every barcode of the test page ({page}), {} (DONE) last", settings.name, LAST.number));
    let mut exam = Exam::new(expected(settings));
    let patience = Duration::from_secs(args.seconds);
    let state = listen(settings, patience, &mut |news| {
        let heard = match news {
            News::State(reason) => {
                say(format!("      {}", table::plain(reason)));
                return true;
            }
            News::Scan(bytes, spoilt) => (exam.hear(bytes, spoilt), bytes),
        };
        match heard {
            (Heard::Probe(probe), _) => say(format!("  {:>2}  {}", probe.number, probe.name)),
            (Heard::Last, _) => say(format!("  {:>2}  DONE", LAST.number)),
            (Heard::Strange, bytes) => say(format!("   ?  {}", escaped(&bytes[..bytes.len().min(60)]))),
        }
        heard.0 != Heard::Last
    })?;
    let missing: Vec<u8> = exam.missing().map(|p| p.number).collect();
    let scanned = exam.scans();
    let findings = exam.findings();
    if args.json {
        let findings: Vec<Value> =
            findings.iter().map(|f| json!({"kind": f.kind, "what": f.what, "remedy": f.remedy})).collect();
        let scanner = json!({"name": settings.name, "state": state.0.to_string(), "scans": scanned, "missing": missing, "findings": findings});
        answer_json(&json!({"scanner": scanner}))?;
    } else {
        findings.iter().for_each(|f| tell(&f.what, &f.remedy));
        if scanned > 0 && findings.is_empty() {
            answer(format!("all {} barcodes came as they are printed", PROBES.len()));
        }
    }
    if scanned == 0 {
        let (presence, reason) = (state.0, table::plain(&state.1));
        return Err(Stop::failed(format!(
            "nothing was scanned in {} seconds; the scanner is {presence}: {reason}",
            args.seconds
        )));
    }
    Ok(if findings.is_empty() { End::Done } else { End::Person })
}

/// The one that is meant; of kind `auto` those are meant that it finds now.
fn chosen(config: &Config, name: Option<&str>) -> Result<ScannerSettings, Stop> {
    let all = config.scanners.iter().flat_map(|s| match s.kind {
        ScannerKind::Auto { .. } => device::auto::now(s),
        // A file is no scanner.
        ScannerKind::Replay { .. } => Vec::new(),
        _ => vec![s.clone()],
    });
    let mut all: Vec<ScannerSettings> = all.collect();
    let known = all.iter().map(|s| s.name.as_str()).collect::<Vec<_>>().join(", ");
    match (name.map(|name| all.iter().position(|s| s.name == name)), all.len()) {
        (_, 0) => Err(Stop::failed(
            "no scanner is there: plug one in (`backdock devices` lists what is there and what to do)",
        )),
        (Some(Some(at)), _) => Ok(all.swap_remove(at)),
        (None, 1) => Ok(all.swap_remove(0)),
        (Some(None), _) => {
            let asked = name.unwrap_or_default();
            Err(Stop::usage(format!("no scanner is called {asked:?}; there are: {known}")))
        }
        (None, _) => Err(Stop::usage(format!("which scanner? There are: {known}"))),
    }
}

fn page(path: &Path) -> Result<(), Stop> {
    let label = label::render("scanner-test", &json!({}), Stock::inches(4, 6), Dpi::D203).map_err(Stop::failed)?;
    std::fs::write(path, label.png()).map_err(|e| Stop::failed(format!("{}: {e}", path.display())))
}

fn expected(settings: &ScannerSettings) -> Expected {
    let layout = if let ScannerKind::Wedge { layout, .. } = settings.kind { Some(layout) } else { None };
    let suffix = (!matches!(settings.kind, ScannerKind::HidPos { .. })).then_some(settings.suffix);
    Expected { layout, suffix, serial: matches!(settings.kind, ScannerKind::Serial { .. }) }
}

/// What a listener is told.
enum News<'n> {
    /// The scanner came or went.
    State(&'n str),
    /// What came, and whether a key in it had no character.
    Scan(&'n [u8], bool),
}

/// Tells `take` what happens until that says it is enough, or nothing is scanned any more. Answers with how the
/// scanner fared.
fn listen(
    settings: &ScannerSettings,
    patience: Duration,
    take: &mut impl FnMut(News) -> bool,
) -> Result<(Presence, String), Stop> {
    let (events, heard) = sync_channel(16);
    let stop = Arc::new(AtomicBool::new(false));
    let listening = ScannerSettings { suffix: Suffix::Idle, idle_gap_ms: GAP_MS, ..settings.clone() };
    let thread = device::spawn(listening, device::queue(events, stop.clone()), stop.clone(), Tap::default());
    let thread = thread.map_err(Stop::failed)?;
    let state = hear(&heard, patience, take);
    stop.store(true, Ordering::Relaxed);
    drop(heard);
    thread.join().map_err(|_| Stop::failed("the scanner's thread panicked"))?;
    Ok(state)
}

fn hear(heard: &Receiver<DeviceEvent>, patience: Duration, take: &mut impl FnMut(News) -> bool) -> (Presence, String) {
    let mut state = (Presence::Lost, "it has not been found yet".to_owned());
    let mut until = Instant::now() + patience;
    loop {
        match heard.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(DeviceEvent::Frame { frame, .. }) => {
                until = Instant::now() + patience;
                let (bytes, spoilt) = match frame {
                    Frame::Payload(bytes) => (bytes, false),
                    Frame::Unfinished(bytes) => (bytes, true),
                    Frame::TooLong { len } => (format!("{len} bytes at once").into_bytes(), true),
                };
                if !take(News::Scan(&bytes, spoilt)) {
                    return state;
                }
            }
            Ok(DeviceEvent::State { presence, reason, .. }) => {
                take(News::State(&reason));
                state = (presence, reason);
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return state,
        }
    }
}
