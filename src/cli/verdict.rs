//! `backdock verdict`: what a program says of one unit. No configuration, no data directory, no network.
//! Exit code 3 says that something holds the unit.

use super::load::Where;
use super::{End, Stop, Verdict, answer};
use crate::domain::facts::Facts;
use std::io::Read;

#[derive(clap::Args)]
pub struct Args {
    /// The program that judges.
    #[arg(long, value_name = "ID", required_unless_present = "schema")]
    program: Option<String>,
    /// JSON in, JSON out (the only form; named for scripts).
    #[arg(long)]
    json: bool,
    /// Print the JSON Schema of the facts and of the verdict.
    #[arg(long)]
    schema: bool,
}

/// Facts of one unit are a page, not a file.
const FACTS_MAX: u64 = 1 << 20;

pub fn main(at: &Where, args: Args) -> Verdict {
    if args.schema {
        let schema =
            serde_json::json!({"facts": Facts::schema(), "verdict": crate::domain::verdict::Verdict::schema()});
        answer(serde_json::to_string_pretty(&schema).map_err(Stop::failed)?);
        return Ok(End::Done);
    }
    let _ = args.json;
    let (programs, _) = at.programs(None)?;
    let id = args.program.unwrap_or_default();
    let Some(program) = programs.get(&id) else {
        return Err(Stop::usage(format!(
            "no program {id:?}; known are: {}",
            programs.ids().collect::<Vec<_>>().join(", ")
        )));
    };
    let mut text = String::new();
    std::io::stdin()
        .take(FACTS_MAX)
        .read_to_string(&mut text)
        .map_err(|e| Stop::usage(format!("standard input: {e}")))?;
    let json = serde_json::from_str(&text).map_err(|e| Stop::usage(format!("the facts are not JSON: {e}")))?;
    let facts = Facts::from_json(&json).map_err(Stop::usage)?;
    let today = chrono::Local::now().date_naive();
    let verdict = program.verdict(&facts, today);
    answer(serde_json::to_string(&verdict).map_err(Stop::failed)?);
    Ok(if verdict.holds.is_empty() { End::Done } else { End::Person })
}
