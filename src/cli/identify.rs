//! `backdock identify`: what a payload may be, one line in, one line out. No configuration needed.

use super::load::Where;
use super::{End, Stop, Verdict, answer};
use crate::domain::text::{escaped, unescaped};
use crate::identify::{Context, Step, identify};
use crate::scan::Scan;
use serde_json::json;
use std::io::BufRead;

#[derive(clap::Args)]
pub struct Args {
    /// One JSON object a line: raw, aim, candidates.
    #[arg(long)]
    json: bool,
    /// What the operator is doing; it ranks the candidates.
    #[arg(long, value_parser = ["box", "unit", "any"], default_value = "any")]
    step: String,
}

pub fn main(at: &Where, args: Args) -> Verdict {
    let (programs, _) = at.programs(None)?;
    let step = match args.step.as_str() {
        "box" => Step::Box,
        "unit" => Step::Unit,
        _ => Step::Any,
    };
    let accepts = |text: &str| programs.accepts_number(text);
    let context = Context { step, prefix: "", rma_pattern: &accepts };
    for (n, line) in std::io::stdin().lock().split(b'\n').enumerate() {
        let line = line.map_err(|e| Stop::failed(format!("standard input: {e}")))?;
        let text = std::str::from_utf8(&line).ok().and_then(unescaped);
        // One line in, one line out: what is not escaped is taken as it stands, and said.
        let raw = text.unwrap_or_else(|| {
            eprintln!(
                "backdock: line {}: not escaped; write the backslash and all but printable ASCII as \\xHH",
                n + 1
            );
            line
        });
        let scan = Scan::decode(raw);
        let found = identify(&scan, &context);
        if args.json {
            answer(json!({"raw": escaped(&scan.raw), "aim": scan.aim.map(|a| a.to_string()), "candidates": found}));
        } else {
            let all: Vec<String> =
                found.iter().map(|c| format!("{} {} ({}%: {})", c.kind, c.value, c.confidence, c.why)).collect();
            answer(all.join(" | "));
        }
    }
    Ok(End::Done)
}
