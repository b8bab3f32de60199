//! Proof of the ledger of rules: whatever is altered in a program file, the test of the rule behind it
//! turns red. Driven by `tests/stages/rule-ledger`.
//!
//! In: the shipped program files, the ledger (`tests/rules/ledger.rs`), and the compiled rule tests, which
//! read the files from a directory named to them. Every row of every file is altered in every way that
//! `rule_ledger/mutants.rs` knows, one alteration at a time, and the tests of its rules are run on it.
//! A mutant is *caught* when those tests fail, *refused* when the file is not accepted any more and the
//! message names the place, and otherwise *survives*: the stage fails and says where. Mutants that no
//! verdict can tell from the file are listed with the reason; one that is caught all the same is wrong there.
//! One mutant is one test; the last line is `N passed, N failed`.

#[path = "rule_ledger/equivalent.rs"]
mod equivalent;
#[allow(dead_code)]
#[path = "../rules/ledger.rs"]
mod ledger;
#[path = "rule_ledger/mutants.rs"]
mod mutants;
#[path = "rule_ledger/rows.rs"]
mod rows;

use backdock::program::{Program, SHIPPED};
use mutants::Mutant;
use rows::Row;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs at a time.
const AT_ONCE: usize = 2;
/// What a test says that looked for a piece of the file's text: that is no proof about verdicts.
const TEXT_ONLY: &str = "this file has no such place to change";

/// Rules behind tables that cite none themselves; any other such table is what the dock itself asks for.
const BEHIND: &[(char, &str, &[&str])] = &[
    ('A', "channels", &["A-45"]),
    ('B', "channels", &["B-42"]),
    ('C', "channels", &["C-16"]),
    ('D', "channels", &["D-26"]),
    ('E', "channels", &["E-02"]),
    ('A', "lineage", &["A-49", "A-52"]),
    ('C', "clock", &["C-21", "C-22"]),
    ('C', "quote", &["C-24", "C-25"]),
    ('D', "clock", &["D-05", "D-21"]),
];
/// Tables of words that several rules share: one of their tests is enough. A question, an amount or a
/// setting is behind every rule that uses it.
const SHARED: [&str; 4] = ["question", "fee", "setting", "rule"];

struct File {
    /// First letter of its rule ids.
    letter: char,
    name: &'static str,
    text: &'static str,
    rows: Vec<Row>,
    mutants: Vec<Mutant>,
}

enum End {
    Caught,
    Refused,
    Equivalent,
    Survived(String),
}

fn main() -> ExitCode {
    let Some(tests) = std::env::args().nth(1).filter(|path| Path::new(path).is_file()) else {
        println!("which program holds the rule tests? see tests/stages/rule-ledger\n0 passed, 1 failed");
        return ExitCode::FAILURE;
    };
    let files: Vec<File> = SHIPPED.iter().zip('A'..).map(|((name, text), letter)| read(letter, name, text)).collect();
    if let Err(why) = unaltered(&tests, &files) {
        println!("FAILED  the files as they are: {why}\n0 passed, 1 failed");
        return ExitCode::FAILURE;
    }
    let jobs: Vec<(&File, &Mutant)> = files.iter().flat_map(|f| f.mutants.iter().map(move |m| (f, m))).collect();
    let (next, ends) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let dir = tempfile::tempdir().expect("a directory for program files");
                for file in &files {
                    fs::write(dir.path().join(file.name), file.text).expect("a program file is written");
                }
                while let Some((file, mutant)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let end = judge(&tests, dir.path(), file, mutant);
                    ends.lock().expect("nobody panicked").push((*file, *mutant, end));
                }
            });
        }
    });
    let mut ends = ends.into_inner().expect("nobody panicked");
    ends.sort_by_key(|(file, mutant, _)| (file.letter, file.rows[mutant.row].line, mutant.what.clone()));
    report(&files, &ends)
}

/// As they are, every test in the ledger must be green, or red would mean nothing.
fn unaltered(tests: &str, files: &[File]) -> Result<(), String> {
    let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
    for file in files {
        fs::write(dir.path().join(file.name), file.text).map_err(|e| e.to_string())?;
    }
    let proven = ledger::PROVEN.iter().map(|(id, _)| test_of(id.chars().next().unwrap_or('?'), id));
    let wanted: Vec<String> = proven.chain(ledger::DOCK.iter().map(|(_, test)| (*test).to_owned())).collect();
    let said = run(tests, dir.path(), &wanted)?;
    let lost = wanted.iter().find(|test| !said.lines().any(|line| line == format!("test {test} ... ok")));
    lost.map_or(Ok(()), |test| Err(format!("{test} is not green")))
}

/// What the tests say of the program files in `dir`.
fn run(tests: &str, dir: &Path, wanted: &[String]) -> Result<String, String> {
    let run = Command::new(tests)
        .args(["--exact", "--test-threads=1", "--color=never"])
        .args(wanted)
        .env("BACKDOCK_RULES_PROGRAMS", dir)
        .env("RUST_BACKTRACE", "0")
        .output();
    let output = run.map_err(|e| format!("the tests cannot be run: {e}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn read(letter: char, name: &'static str, text: &'static str) -> File {
    let rows = rows::rows(text);
    let mutants = mutants::mutants(text, &rows, &|row| behind(letter, row, &rows));
    File { letter, name, text, rows, mutants }
}

/// The rules behind a row that cites none.
fn behind(letter: char, row: &Row, rows: &[Row]) -> Vec<String> {
    if let Some((.., rules)) = BEHIND.iter().find(|(l, kind, _)| *l == letter && *kind == row.kind) {
        return rules.iter().map(|rule| (*rule).to_owned()).collect();
    }
    if row.kind == "cell" {
        return rows.iter().filter(|r| r.cell == row.cell).filter_map(|r| r.text("rule")).map(str::to_owned).collect();
    }
    let subject = format!("when.{}.{}", row.kind, row.name);
    let slot = format!("{{{}.{}.", row.kind, row.name);
    let uses = |user: &&Row| {
        user.has(&subject)
            || user.text(&row.kind) == Some(&row.name)
            || user.text("text").is_some_and(|text| text.contains(&slot))
    };
    let mut rules: Vec<String> = rows.iter().filter(uses).filter_map(|r| r.text("rule")).map(str::to_owned).collect();
    if rows.iter().any(|r| row.kind == "list" && r.text("void_list") == Some(&row.name)) {
        rules.push("B-39".to_owned());
    }
    rules.sort();
    rules.dedup();
    if row.name.is_empty() || rules.is_empty() { vec!["intake".to_owned()] } else { rules }
}

/// The test that answers for a rule; for what no catalogue rule or no verdict stands for, that of the dock.
fn test_of(letter: char, rule: &str) -> String {
    match ledger::PROVEN.iter().find(|(id, _)| *id == rule) {
        Some((_, test)) if ledger::SOURCES[5].contains(&format!("fn {test}(")) => format!("beyond::{test}"),
        Some((_, test)) => format!("{}::{test}", letter.to_ascii_lowercase()),
        None => ledger::DOCK.iter().find(|(l, _)| *l == letter).map_or("", |(_, test)| test).to_owned(),
    }
}

fn judge(tests: &str, dir: &Path, file: &File, mutant: &Mutant) -> End {
    let text = mutant.apply(file.text);
    let row = &file.rows[mutant.row];
    if let Err(problems) = Program::parse(file.name, &text) {
        let placed = problems.iter().any(|p| p.line > 0 || !p.key.is_empty());
        return if placed { End::Refused } else { End::Survived(format!("refused without a place: {problems:?}")) };
    }
    let path = dir.join(file.name);
    fs::write(&path, &text).expect("a program file is written");
    let wanted: Vec<String> = mutant.rules.iter().map(|rule| test_of(file.letter, rule)).collect();
    let said = run(tests, dir, &wanted);
    fs::write(&path, file.text).expect("a program file is written");
    let said = match said {
        Ok(said) => said,
        Err(why) => return End::Survived(why),
    };
    let red = |test: &String| said.lines().any(|line| line == format!("test {test} ... FAILED"));
    let green: Vec<&str> = wanted.iter().filter(|test| !red(test)).map(String::as_str).collect();
    let shared = row.has("rule") || SHARED.contains(&row.kind.as_str());
    let caught = if shared { green.is_empty() } else { green.len() < wanted.len() };
    let known = |(of, place, what, _): &(&str, &str, &str, &str)| {
        file.name.starts_with(of) && row.label() == *place && mutant.what.starts_with(what)
    };
    let known = equivalent::TABLE.iter().any(known);
    match (caught && !said.contains(TEXT_ONLY), known) {
        (true, false) => End::Caught,
        (false, true) => End::Equivalent,
        (true, true) => End::Survived("listed as without effect, but a test sees it".to_owned()),
        (false, false) => End::Survived(format!("not seen by {}", green.join(", "))),
    }
}

fn report(files: &[File], ends: &[(&File, &Mutant, End)]) -> ExitCode {
    let mut by_kind: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    let mut sum = [0; 4];
    for (file, mutant, end) in ends {
        let row = &file.rows[mutant.row];
        let at = match end {
            End::Caught => 0,
            End::Refused => 1,
            End::Equivalent => 2,
            End::Survived(why) => {
                println!("FAILED  {}:{} {}: {}: {why}", file.name, row.line, row.label(), mutant.what);
                3
            }
        };
        by_kind.entry(&row.kind).or_default()[at] += 1;
        if row.cell.is_some() {
            by_kind.entry("(matrix)").or_default()[at] += 1;
        }
        sum[at] += 1;
    }
    println!("{:<16} caught refused equivalent survived", "rows of");
    for (kind, [caught, refused, equivalent, survived]) in &by_kind {
        println!("{kind:<16} {caught:>6} {refused:>7} {equivalent:>10} {survived:>8}");
    }
    // A mechanism of which nothing was caught is one that no test looks at.
    let blind: Vec<&&str> =
        by_kind.iter().filter(|(_, [caught, refused, ..])| caught + refused == 0).map(|(k, _)| k).collect();
    for kind in &blind {
        println!("FAILED  no altered {kind} was caught");
    }
    // A listed alteration that no row has any more.
    let used = |(of, place, what, _): &&(&str, &str, &str, &str)| {
        ends.iter().any(|(file, mutant, _)| {
            file.name.starts_with(of) && file.rows[mutant.row].label() == *place && mutant.what.starts_with(what)
        })
    };
    let stale = equivalent::TABLE.iter().filter(|entry| !used(entry)).count();
    if stale > 0 {
        println!("FAILED  {stale} entries of rule_ledger/equivalent.rs stand for no alteration");
    }
    let rows: usize = files.iter().map(|f| f.rows.len()).sum();
    println!(
        "{} files, {rows} rows, {} mutants: {} caught, {} refused, {} without effect",
        files.len(),
        ends.len(),
        sum[0],
        sum[1],
        sum[2]
    );
    let failed = sum[3] + blind.len() + stale;
    println!("{} passed, {failed} failed", sum[0] + sum[1]);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
