//! The pure rooms on one core: verdicts, labels and identified payloads per second.

use super::super::Stop;
use super::Effort;
use super::report::{Found, Target};
use super::samples::median;
use crate::domain::facts::Facts;
use crate::domain::text::{escaped, unescaped};
use crate::identify::{Context, Step, identify};
use crate::label::{Dpi, Stock, UnitLabel};
use crate::program::Programs;
use crate::scan::Scan;
use chrono::{Days, NaiveDate};
use serde_json::{Value, json};
use std::hint::black_box;
use std::time::Duration;

/// Facts and labels that differ, so that no branch is always taken.
const VARIETY: u64 = 64;

pub fn verdicts(effort: Effort) -> Result<Found, Stop> {
    let programs = Programs::shipped("voip-reseller").map_err(|p| Stop::failed(super::super::load::listed(&p)))?.0;
    let today = day(0);
    let asked: Vec<String> = (0..VARIETY).map(|n| facts(n).to_string()).collect();
    let read = |text: &String| {
        let json: Value = serde_json::from_str(text).map_err(Stop::failed)?;
        Facts::from_json(&json).map_err(Stop::failed)
    };
    let all: Vec<Facts> = asked.iter().map(read).collect::<Result<_, _>>()?;
    let program = programs.default();
    let mut found = Found::new(
        "verdict",
        format!("On one core, per second of processor time; {VARIETY} different units, program {}.", program.id()),
    );
    let plain = rate(effort, |n| {
        black_box(program.verdict(black_box(&all[n]), today));
        Ok(())
    })?;
    let json = rate(effort, |n| {
        let verdict = program.verdict(&read(black_box(&asked[n]))?, today);
        black_box(serde_json::to_string(&verdict).map_err(Stop::failed)?);
        Ok(())
    })?;
    // What `program diff` does with each recorded case, but for reading it from the disk.
    let recorded: Vec<String> =
        (0..VARIETY).map(|n| journalled(n, &program.verdict(&all[n as usize], today))).collect();
    let dearer = crate::program::SHIPPED[0].1.replace("amount = \"45.00\"", "amount = \"50.00\"");
    let other = crate::program::Program::parse("dearer.toml", &dearer)
        .map_err(|p| Stop::failed(super::super::load::listed(&p)))?
        .value;
    let dry = rate(effort, |n| {
        let case = crate::store::read::recorded(black_box(&recorded[n])).map_err(Stop::failed)?;
        let facts = Facts::from_json(&Value::Object(case.facts)).map_err(Stop::failed)?;
        black_box(crate::program::diff::changes(&program.verdict(&facts, today), &other.verdict(&facts, today)));
        Ok(())
    })?;
    found.figure("cases of a dry run, from the journal's text", dry, "/s", Target::AtLeast(50_000.0));
    found.figure("verdicts", plain, "/s", Target::None);
    found.figure("verdicts from JSON text to JSON text", json, "/s", Target::None);
    Ok(found)
}

pub fn labels(effort: Effort) -> Result<Found, Stop> {
    let mut found = Found::new(
        "label",
        format!("On one core, per second of processor time; {VARIETY} different unit labels, 4x3 inches, 203 dpi."),
    );
    let labels: Vec<UnitLabel> = (0..VARIETY).map(label).collect();
    let plain = rate(effort, |n| {
        black_box(black_box(&labels[n]).render(Stock::inches(4, 3), Dpi::D203).map_err(Stop::failed)?.zpl);
        Ok(())
    })?;
    found.figure("labels laid out and written as ZPL", plain, "/s", Target::AtLeast(100_000.0));
    Ok(found)
}

/// Payloads of every family, a line each, escaped as `backdock identify` takes them.
const PAYLOADS: &str = include_str!("payloads.txt");

pub fn payloads(effort: Effort) -> Result<Found, Stop> {
    let programs = Programs::shipped("voip-reseller").map_err(|p| Stop::failed(super::super::load::listed(&p)))?.0;
    let accepts = |text: &str| programs.accepts_number(text);
    let context = Context { step: Step::Unit, prefix: "", rma_pattern: &accepts };
    let lines: Vec<&str> = PAYLOADS.lines().collect();
    let read = |line: &str| {
        unescaped(line).map(Scan::decode).ok_or_else(|| Stop::failed(format!("{line}: not escaped as it should be")))
    };
    let scans: Vec<Scan> = lines.iter().map(|line| read(line)).collect::<Result<_, _>>()?;
    let mut found = Found::new(
        "identify",
        format!("On one core, per second of processor time; {VARIETY} payloads of every family in turn, step unit."),
    );
    let plain = rate(effort, |n| {
        black_box(identify(black_box(&scans[n]), &context));
        Ok(())
    })?;
    // What `backdock identify --json` does with a line, and what of it is no identifying.
    let whole = rate(effort, |n| {
        let scan = read(black_box(lines[n]))?;
        let candidates = identify(&scan, &context);
        let said = json!({"raw": escaped(&scan.raw), "aim": scan.aim.map(|a| a.to_string()), "candidates": candidates});
        black_box(said.to_string());
        Ok(())
    })?;
    let lines_only = rate(effort, |n| {
        let scan = read(black_box(lines[n]))?;
        black_box(json!({"raw": escaped(&scan.raw), "aim": scan.aim.map(|a| a.to_string())}).to_string());
        Ok(())
    })?;
    found.figure("payloads identified", plain, "/s", Target::AtLeast(100_000.0));
    found.figure("lines of `identify --json`, in and out", whole, "/s", Target::None);
    found.figure("the same lines without identifying", lines_only, "/s", Target::None);
    found.figure(
        "a line takes so many times as long as one without identifying",
        lines_only / whole,
        "x",
        Target::None,
    );
    Ok(found)
}

/// How often in a second of processor time `work` is done, given numbers below [`VARIETY`] in turn;
/// the median of parts of the time, after a first part that does not count. What else the machine does
/// meanwhile makes this slower by what it takes from the caches, not by the time it takes.
fn rate(effort: Effort, mut work: impl FnMut(usize) -> Result<(), Stop>) -> Result<f64, Stop> {
    let part = effort.pick(Duration::from_millis(400), Duration::from_millis(100));
    let mut rates = Vec::new();
    for _ in 0..6 {
        let (began, mut done) = (own_time()?, 0u64);
        let worked = loop {
            for n in 0..VARIETY {
                work(n as usize)?;
            }
            done += VARIETY;
            let worked = own_time()? - began;
            if worked >= part {
                break worked;
            }
        };
        rates.push(done as f64 / worked.as_secs_f64());
    }
    Ok(median(rates.into_iter().skip(1)))
}

/// The processor time of this thread.
fn own_time() -> Result<Duration, Stop> {
    let line = std::fs::read_to_string("/proc/thread-self/schedstat").map_err(Stop::failed)?;
    let nanoseconds = line.split(' ').next().and_then(|n| n.parse().ok());
    nanoseconds.map(Duration::from_nanos).ok_or_else(|| Stop::failed("/proc tells no processor time"))
}

/// A day some days before the one on which everything here is judged.
fn day(ago: u64) -> NaiveDate {
    NaiveDate::default() + Days::new(20_000 - ago)
}

fn pick<'a>(words: &[&'a str], n: u64) -> &'a str {
    words[(n % words.len() as u64) as usize]
}

fn facts(n: u64) -> Value {
    json!({
        "serial": format!("31{n:010}"),
        "macs": [format!("001565{n:06X}")],
        "brand": pick(&["Yealink", "Polycom", "Grandstream", "Snom", "Htek", "Cisco"], n),
        "model": "T46U",
        "ship_date": day(n * 31 % 1200),
        "distributor": "Jenne",
        "channel": pick(&["direct", "agent", "reseller", "service_provider"], n / 6),
        "reported": day(n % 9),
        "received": day(0),
        "rma": {"number": format!("R26B1{n:05}K"), "issued": day(n % 9), "ticket": "T-4711",
            "diagnosed": !n.is_multiple_of(5), "qualified": !n.is_multiple_of(7)},
    })
}

/// A receipt as the journal has it.
fn journalled(n: u64, verdict: &crate::domain::verdict::Verdict) -> String {
    json!({"kind": "received", "receipt": {
        "id": n, "rma": format!("R26B1{n:05}K"), "serial": format!("31{n:010}"), "mac": null, "brand": "Yealink",
        "model": "T46U", "at": format!("{}T09:00:00-06:00", day(0)), "word": "REPLACE", "held": false,
        "facts": facts(n), "verdict": verdict,
    }})
    .to_string()
}

fn label(n: u64) -> UnitLabel {
    let text = |text: String| Some(text);
    UnitLabel {
        rma: format!("R26B1{n:05}K"),
        serial: format!("3100121090{n:06}"),
        brand: pick(&["Yealink", "Polycom", "Grandstream", "Snom", "Htek"], n).to_owned(),
        model: pick(&["T46U", "VVX 450", "GXP2170", "D785", "UC926E"], n).to_owned(),
        received: day(0).to_string(),
        mac: text(format!("001565{n:06X}")),
        ticket: text(format!("T-{}", 4711 + n)),
        customer: text(format!("Customer {n} Telecom")),
        ship_date: text(day(n * 31).to_string()),
        age: text(format!("reported day {n} / received day {}", n + 6)),
        band: text("within_30_days".to_owned()),
        verdict: text(pick(&["replace", "diagnose", "repair"], n).to_owned()),
        hold: n.is_multiple_of(4).then(|| "no_ticket".to_owned()),
        rules: vec!["A-16".to_owned(), "A-24".to_owned()],
        due: text(day(0).to_string()),
        copy: None,
        job: text(format!("R26B1{n:05}KJ{n}JB1K")),
        copy_by: None,
        copy_why: None,
        program: text("voip-reseller".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payloads_are_as_many_as_are_asked_for_and_all_can_be_read() {
        assert_eq!(PAYLOADS.lines().count() as u64, VARIETY);
        assert!(PAYLOADS.lines().all(|line| unescaped(line).is_some()));
    }

    #[test]
    fn what_is_judged_and_drawn_is_whole() {
        for n in 0..VARIETY {
            Facts::from_json(&facts(n)).unwrap();
            let drawn = label(n).render(Stock::inches(4, 3), Dpi::D203).unwrap();
            assert_eq!((drawn.left_out, drawn.shortened), (vec![], vec![]), "{n}");
        }
    }
}
