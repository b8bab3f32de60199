//! `backdock demo`: a morning at a returns dock. The real daemon, a virtual scanner on a
//! pseudo-terminal, a virtual Zebra on TCP, made-up shipments and RMAs, good cases and bad ones.
//! `--once` ends by itself and holds the labels that came out of the printer against the journal.

mod morning;

use super::load::Where;
use super::{End, Stop, Verdict, answer};
use crate::config;
use crate::domain::job::JobState;
use crate::printer::Pace;
use crate::sim::{engine, printer, scanner};
use crate::station::request::{Request, Response};
use crate::station::view::Progress;
use crate::station::{self, Hooks};
use crate::store::{self, read};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

#[derive(clap::Args)]
pub struct Args {
    /// Whose policy judges.
    #[arg(long, value_name = "ID", default_value = crate::program::DEFAULT)]
    program: String,
    /// Play the morning once, quickly, check every label, and end with one line of JSON.
    #[arg(long)]
    once: bool,
    /// Where the page is served; port 0 takes any free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8631")]
    listen: SocketAddr,
    /// Keep the station's files here instead of in a temporary directory.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// `--once` gives up after this: something is stuck.
const PATIENCE: Duration = Duration::from_secs(28);

pub fn main(at: &Where, args: Args) -> Verdict {
    let (programs, _) = at.programs(None)?;
    if programs.get(&args.program).is_none() {
        return Err(Stop::usage(format!(
            "no program {:?}; known are: {}",
            args.program,
            programs.ids().collect::<Vec<_>>().join(", ")
        )));
    }
    let dir = Scratch::new(args.dir.clone())?;
    let done = play(at, &args, &dir.path);
    if let Some(kept) = dir.end() {
        eprintln!("the station's files are in {}", kept.display());
    }
    done
}

/// A directory for the demo's files, removed at the end unless the caller named it.
struct Scratch {
    path: PathBuf,
    named: bool,
}

impl Scratch {
    fn new(named: Option<PathBuf>) -> Result<Scratch, Stop> {
        let named_by_caller = named.is_some();
        let path = named.unwrap_or_else(|| std::env::temp_dir().join(format!("backdock-demo-{}", std::process::id())));
        std::fs::create_dir_all(&path).map_err(|e| Stop::failed(format!("{}: {e}", path.display())))?;
        if path.join(store::FILE).exists() {
            return Err(Stop::usage(format!(
                "{}: holds a station already; the demo wants an empty directory",
                path.display()
            )));
        }
        Ok(Scratch { path, named: named_by_caller })
    }

    fn end(self) -> Option<PathBuf> {
        if self.named {
            return Some(self.path);
        }
        let _ = std::fs::remove_dir_all(&self.path);
        None
    }
}

fn play(at: &Where, args: &Args, dir: &Path) -> Verdict {
    let slow = !args.once;
    let zebra = printer::start(printer::Options {
        out: Some(dir.join("labels")),
        png: slow,
        engine: engine::Options {
            label_time: Duration::from_millis(if slow { 900 } else { 60 }),
            ..engine::Options::default()
        },
        ..printer::Options::default()
    })
    .map_err(|e| Stop::failed(format!("the virtual printer: {e}")))?;
    let gun = scanner::Player::open(None)
        .map_err(|e| Stop::failed(format!("the virtual scanner: no pseudo-terminal: {e}")))?;

    let text = configuration(args, dir, gun.slave_path(), zebra.local_addr());
    std::fs::write(dir.join("backdock.toml"), &text).map_err(Stop::failed)?;
    let config = config::parse("backdock.toml", &text).map_err(|p| Stop::failed(super::load::listed(&p)))?.value;

    let today = chrono::Utc::now().with_timezone(&config.station.timezone).date_naive();
    let complete = at.programs(Some(&config))?.0.default().complete_when();
    let story = morning::story(today, &args.program, complete);
    prepare(at, &config, &story)?;

    let (tell, told) = channel();
    let stop = if slow { super::run::stop_flag()? } else { Arc::new(AtomicBool::new(false)) };
    let (ready_in, ready) = channel();
    let once = args.once;
    let mut last = None;
    let hooks = Hooks {
        stop: stop.clone(),
        ready: Box::new(move |address| {
            // Nobody waits any more only where the demo has failed already.
            let _ = ready_in.send(address);
        }),
        watch: Some(Box::new(move |view| {
            let progress = view.progress();
            if progress.frames != last.unwrap_or(0) {
                last = Some(progress.frames);
                eprintln!("{}", view.account());
            }
            let _ = tell.send(progress);
        })),
        pace: Pace { settle: Duration::from_secs(if once { 2 } else { 7 }), ..Pace::default() },
    };
    let (data, id) = (config.station.data.clone(), config.station.id.clone());
    let programs = at.programs(Some(&config))?.0;
    let station = std::thread::Builder::new()
        .name("station".into())
        .spawn(move || station::run(config, programs, hooks))
        .map_err(Stop::failed)?;
    let address = match ready.recv() {
        Ok(address) => address,
        Err(_) => return Err(ended(station)),
    };
    eprintln!("the page: http://{address}/    labels: {}", dir.join("labels").display());
    wait_until(&told, PATIENCE, |p| p.printers_ready && p.scanners_present)?;

    let mut summary = None;
    if once {
        gun.play(&story.tape, 1.0, |_| ()).map_err(Stop::failed)?;
        let frames = story.tape.lines.len() as u64;
        let settled = wait_until(&told, PATIENCE, |p| p.frames >= frames && p.waiting == 0 && p.out == 0);
        stop.store(true, Ordering::Relaxed);
        let run = station.join();
        settled?;
        finish(run)?;
        summary = Some(judge(&data, &id, &zebra)?);
    } else {
        eprintln!("Ctrl-C ends the demo\n");
        'morning: for line in &story.tape.lines {
            // A person's pace: twelve times slower than the quick run.
            let until = Instant::now() + line.delay * 12;
            while Instant::now() < until {
                if stop.load(Ordering::Relaxed) || station.is_finished() {
                    break 'morning;
                }
                std::thread::park_timeout(Duration::from_millis(50));
            }
            gun.send(&line.bytes).map_err(Stop::failed)?;
        }
        eprintln!("\nthe morning is over; the page stays until Ctrl-C");
        while !stop.load(Ordering::Relaxed) && !station.is_finished() {
            std::thread::park_timeout(Duration::from_millis(100));
        }
        finish(station.join())?;
    }
    match summary {
        None => Ok(End::Done),
        Some((json, whole)) => {
            answer(json);
            Ok(if whole { End::Done } else { End::Failed })
        }
    }
}

fn ended(station: std::thread::JoinHandle<Result<(), station::StationError>>) -> Stop {
    match finish(station.join()) {
        Err(stop) => stop,
        Ok(()) => Stop::failed("the station ended before it was ready"),
    }
}

fn finish(run: std::thread::Result<Result<(), station::StationError>>) -> Result<(), Stop> {
    match run {
        Ok(done) => done.map_err(Stop::failed),
        Err(_) => Err(Stop::failed("the station's thread broke down; that is a bug")),
    }
}

fn configuration(args: &Args, dir: &Path, port: &Path, zebra: SocketAddr) -> String {
    let listen = if args.once { SocketAddr::from(([127, 0, 0, 1], 0)) } else { args.listen };
    // Paths go through TOML's own escaping.
    let quoted = |p: &Path| toml::Value::String(p.to_string_lossy().into_owned()).to_string();
    format!(
        "[station]\nid = \"DEMO\"\ncode = \"D1\"\ntimezone = \"America/Chicago\"\ndata = {}\nsocket = {}\n\
         [web]\nlisten = \"{listen}\"\n[programs]\ndefault = \"{}\"\n\
         [[scanner]]\nname = \"gun\"\nkind = \"serial\"\nport = {}\nbaud = 9600\nsuffix = \"cr\"\n\
         [[printer]]\nname = \"zebra\"\nlink = \"tcp://{zebra}\"\ndpi = 203\nstock = \"4x3\"\n",
        quoted(dir),
        quoted(&dir.join("backdock.sock")),
        args.program,
        quoted(port),
    )
}

/// Shipments and RMAs into the empty station, by the same ways that a real one takes.
fn prepare(at: &Where, config: &config::Config, story: &morning::Story) -> Result<(), Stop> {
    let file = config.station.data.join("shipments.csv");
    std::fs::write(&file, &story.shipments).map_err(Stop::failed)?;
    let (programs, _) = at.programs(Some(config))?;
    let rejects = config.station.data.join("shipments.rejects.csv");
    let total =
        station::import_alone(config.clone(), programs.clone(), &file, &rejects, |_| ()).map_err(Stop::failed)?;
    eprintln!("{} shipments imported, {} rows rejected on purpose", total.inserted, total.rejected);
    let mut refused = None;
    let request = Request::Rmas { drafts: story.drafts.clone(), by: "demo".to_owned() };
    station::alone(config.clone(), programs, std::iter::once(request), |r: Response| {
        let why = r.data["refused"].as_array().is_some_and(|a| !a.is_empty());
        refused = (why || !r.ok).then(|| format!("{} {}", r.text, r.data["refused"]));
    })
    .map_err(Stop::failed)?;
    refused.map_or(Ok(()), |why| Err(Stop::failed(format!("the demo's RMAs: {why}"))))
}

fn wait_until(told: &Receiver<Progress>, patience: Duration, is_so: impl Fn(&Progress) -> bool) -> Result<(), Stop> {
    let until = Instant::now() + patience;
    let mut last = None;
    loop {
        match told.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(progress) if is_so(&progress) => return Ok(()),
            Ok(progress) => last = Some(progress),
            Err(RecvTimeoutError::Timeout) => {
                return Err(Stop::failed(format!("the demo is stuck after {} s: {last:?}", patience.as_secs())));
            }
            Err(RecvTimeoutError::Disconnected) => return Err(Stop::failed("the station ended early")),
        }
    }
}

/// The labels that came out of the printer against those that the journal says were printed.
fn judge(data: &Path, station: &str, zebra: &printer::Handle) -> Result<(String, bool), Stop> {
    let reader = store::open_reader(data).map_err(Stop::failed)?;
    let mut jobs = read::jobs(&reader, station, u32::MAX).map_err(Stop::failed)?;
    jobs.reverse();
    let mut expected = Vec::new();
    for job in jobs.iter().filter(|j| j.state == JobState::Printed) {
        expected.extend(read::job(&reader, station, job.id).map_err(Stop::failed)?.map(|j| j.zpl));
    }
    let in_doubt = jobs.iter().filter(|j| j.state == JobState::InDoubt).count();
    let cancelled = jobs.iter().filter(|j| j.state == JobState::Cancelled).count();
    let came: Vec<String> = zebra.labels().iter().map(|l| String::from_utf8_lossy(&l.zpl).into_owned()).collect();
    let counts = read::totals(&reader, station).map_err(Stop::failed)?;
    let mut verdicts: BTreeMap<String, i64> = BTreeMap::new();
    for (word, n) in read::words(&reader, station).map_err(Stop::failed)? {
        verdicts.insert(word, n);
    }
    let whole =
        came.len() == expected.len() && came.iter().zip(&expected).all(|(a, b)| a.trim() == b.trim()) && in_doubt == 0;
    let summary = json!({
        "scans": counts.scans,
        "receipts": counts.receipts,
        "labels_expected": jobs.len() - cancelled,
        "labels_printed": came.len(),
        "in_doubt": in_doubt,
        "verdicts": verdicts,
    });
    Ok((summary.to_string(), whole && came.len() == jobs.len() - cancelled))
}
