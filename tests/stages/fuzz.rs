//! A bounded run of every fuzz target on stable Rust: all seeds as they are, then mutations of them by
//! seeded dice, so that a run can be had again. Driven by `tests/stages/fuzz`.
//!
//! ```text
//! cargo test --test fuzz -- [TARGET] [RUNS] [SEED]
//! ```
//!
//! One target is one test. A payload that breaks it is printed, escaped as `backdock identify` takes it, with
//! what it broke. The last line is `N passed, N failed`.

#[path = "../../fuzz/targets.rs"]
mod targets;

use backdock::domain::text::escaped;
use backdock::sim::dice::Dice;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;

/// Mutations of each target unless said otherwise.
const RUNS: u64 = 20_000;

/// A run of a target that works on files, is this many times as dear as one that does not.
const DEAR: [(&str, u64); 4] = [("shipments", 10), ("program", 10), ("printer", 4), ("exam", 20)];

/// No input grows beyond this, in bytes.
const INPUT_MAX: usize = 8_192;

/// Bytes at which parsers turn.
const SHARP: &[u8] =
    b"\0\x01\x02\x03\x04\x08\t\n\r\x11\x1b\x1c\x1d\x1e\x1f !\"#$%&'()*+,-./:;<=>?@[\\]^_{|}~09AZaz\x7f\x80\xc3\xff";

/// Where the thread panicked, for the report.
static WHERE: Mutex<String> = Mutex::new(String::new());

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with("--"));
    let only = args.next();
    let runs = args.next().and_then(|n| n.parse().ok()).unwrap_or(RUNS);
    let seed = args.next().and_then(|n| n.parse().ok()).unwrap_or(1);
    std::panic::set_hook(Box::new(|panic| {
        if let Ok(mut place) = WHERE.lock() {
            *place = panic.to_string();
        }
    }));
    let (mut passed, mut failed) = (0, 0);
    for (name, _) in targets::TARGETS.iter().filter(|(name, _)| only.as_deref().is_none_or(|only| only == *name)) {
        let dear = DEAR.iter().find(|(dear, _)| dear == name).map_or(1, |(_, times)| *times);
        match fuzz(name, runs / dear, seed) {
            Ok(done) => {
                passed += 1;
                println!("ok      {name}: {done} inputs");
            }
            Err(why) => {
                failed += 1;
                println!("FAILED  {name}: {why}");
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    ExitCode::from(u8::from(failed > 0 || passed == 0))
}

/// How many inputs the target stood; or the first that it did not, and why.
fn fuzz(name: &str, runs: u64, seed: u64) -> Result<u64, String> {
    let seeds = seeds(name)?;
    let mut dice = Dice(seed);
    let mut done = 0;
    let mutants = std::iter::repeat_with(|| mutant(&mut dice, &seeds)).take(runs as usize);
    for input in seeds.iter().cloned().chain(mutants) {
        done += 1;
        if catch_unwind(AssertUnwindSafe(|| targets::run(name, &input))).is_err() {
            let why = WHERE.lock().map(|place| place.clone()).unwrap_or_default();
            return Err(format!("input {done} of seed {seed}\n    {}\n    {why}", escaped(&input)));
        }
    }
    Ok(done)
}

/// The files of a target. A target without any would test nothing.
fn seeds(name: &str) -> Result<Vec<Vec<u8>>, String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name);
    let entries = std::fs::read_dir(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let read = |path: &PathBuf| std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()));
    let seeds: Vec<Vec<u8>> = paths.iter().map(read).collect::<Result<_, _>>()?;
    if seeds.is_empty() { Err(format!("{}: no seeds", dir.display())) } else { Ok(seeds) }
}

/// A seed with one to eight changes.
fn mutant(dice: &mut Dice, seeds: &[Vec<u8>]) -> Vec<u8> {
    let any = |dice: &mut Dice| &seeds[dice.below(seeds.len() as u64) as usize];
    let mut input = any(dice).clone();
    for _ in 0..=dice.below(8) {
        let len = input.len() as u64;
        let (from, to) = {
            let (a, b) = (dice.below(len + 1) as usize, dice.below(len + 1) as usize);
            (a.min(b), a.max(b))
        };
        match dice.below(9) {
            0 if len > 0 => input[dice.below(len) as usize] ^= 1 << dice.below(8),
            1 if len > 0 => input[dice.below(len) as usize] = dice.pick(SHARP),
            2 => input.insert(from, dice.pick(SHARP)),
            3 => drop(input.drain(from..to)),
            4 => {
                let piece = input[from..to].to_vec();
                input.splice(from..from, piece);
            }
            // A piece of another one.
            5 => {
                let other = any(dice);
                let (a, b) = (dice.below(other.len() as u64 + 1) as usize, dice.below(other.len() as u64 + 1) as usize);
                input.splice(from..to, other[a.min(b)..a.max(b)].iter().copied());
            }
            6 => input.truncate(to),
            // The same sign very often.
            7 => {
                let many = vec![dice.pick(SHARP); dice.below(600) as usize];
                input.splice(from..from, many);
            }
            // A number at its edges.
            8 => {
                let number = dice.pick(&[
                    "0",
                    "-1",
                    "255",
                    "256",
                    "32000",
                    "65536",
                    "4294967296",
                    "18446744073709551616",
                    "1e99",
                ]);
                input.splice(from..to.min(from + 6), number.bytes());
            }
            _ => {}
        }
        input.truncate(INPUT_MAX);
    }
    input
}
