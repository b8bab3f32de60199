//! What a program file says to the dock itself, and what in it is no rule of the catalogue: forms of
//! numbers, situations before a unit is judged, the next step for the worker, papers, and what is left open.
//! The `dock` lines of a table are all of it, in this order.

use super::support::*;
use super::table::{TABLES, rest_of_table};
use backdock::domain::unit::Step;
use backdock::domain::verdict::{Action, Role};
use backdock::program::{Program, Situation};

/// Numbers of other systems; a program takes some of them.
const NUMBERS: [&str; 12] = [
    "RMA123",
    "RMA1234",
    "RMA12345678",
    "RMA123456789",
    "RMA1234567890",
    "RMA12345678901",
    "RMA-123",
    "RMA-1234",
    "RMA-12345678",
    "RMA-123456789",
    "RMA-1234567890",
    "RMA-12345678901",
];

/// The days since the first shipping on which a dead unit gives its replacement a warranty of its own.
fn restarts(program: &Program) -> String {
    let restarts = |n: &u64| {
        let first = json!({"serial": "SN0", "shipped": "2026-01-01", "doa": plus("2026-01-01", *n)});
        let unit = json!({"brand": "Yealink", "serial": "SN1", "warranty_months": 24, "ship_date": "2026-03-01", "lineage": [first]});
        judge(program, &unit).warranty_until == Some(date("2028-03-01"))
    };
    let days: Vec<String> = [0, 30, 31].iter().filter(|n| restarts(n)).map(u64::to_string).collect();
    if days.is_empty() { "never".to_owned() } else { days.join(" and ") }
}

/// All that `program` says to the dock.
pub fn says(program: &Program, open: &[String]) -> Vec<String> {
    let mut lines = vec![format!("program {}: {}", program.id(), program.title())];
    lines.push(format!("scans {}", program.complete_when().as_str()));
    let takes: Vec<&str> = NUMBERS.into_iter().filter(|n| program.accepts_number(n)).collect();
    lines.push(format!("takes {}", takes.join(" ")));
    let until = program.valid_until(date("2026-03-01"));
    lines.push(until.map_or("no limit".to_owned(), |day| format!("issued 2026-03-01, valid until {day}")));
    lines.push(format!("dead on arrival on day {}: it restarts the warranty", restarts(program)));
    lines.push(format!("complete by its list: {}", program.complete_rule()));
    for (name, situation) in Situation::ALL {
        let row = program.intake(*situation);
        let by = if row.released_by.is_empty() { "nobody" } else { &row.released_by };
        lines.push(format!("{name}: {} {} {} ({by}): {}", row.rule, row.decision, row.code, row.next));
    }
    let mut verdict = judge(program, &json!({}));
    verdict.holds.clear();
    for (name, action) in Action::ALL {
        verdict.action = *action;
        if !program.next_step(&verdict).is_empty() {
            lines.push(format!("{name}: {}", program.next_step(&verdict)));
        }
    }
    for (name, role) in Role::ALL {
        lines.extend(program.contacts(*role).iter().map(|address| format!("writes to {name}: {address}")));
    }
    lines.extend(program.return_address().iter().map(|line| format!("address: {line}")));
    lines.extend(program.footer().iter().map(|line| format!("foot: {line}")));
    for (name, step) in Step::ALL {
        let papers: Vec<&str> = program.papers_with_step(*step).iter().map(|paper| &**paper).collect();
        if !papers.is_empty() {
            lines.push(format!("prints with {name}: {}", papers.join(" ")));
        }
    }
    lines.push(format!("open: {}", open.join(" ")));
    lines
}

fn dock(letter: &str) {
    rest_of_table(letter);
    let (_, file, text) = TABLES.iter().find(|(of, ..)| *of == letter).unwrap();
    let want: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("dock ")).collect();
    let read = Program::parse(file, shipped_text(file)).unwrap();
    let open: Vec<String> = read.warnings.iter().map(|w| w.key.clone()).collect();
    assert_eq!(says(&read.value, &open).join("\n"), want.join("\n"));
    let version = read.value.version();
    assert!(version.split('.').count() > 1 && version.split('.').all(|n| n.parse::<u32>().is_ok()), "{version}");
}

#[test]
fn voip_reseller() {
    dock("A");
}

#[test]
fn security_dvr() {
    dock("B");
}

#[test]
fn unex() {
    dock("C");
}

#[test]
fn server_technology() {
    dock("D");
}

#[test]
fn smartwitness() {
    dock("E");
}
