//! `backdock check`: every problem of the configuration, the programs and the label designs, without starting.

use super::load::{self, Where, listed};
use super::{End, Stop, Verdict, answer, answer_json};
use crate::config;
use serde_json::json;

#[derive(clap::Args)]
pub struct Args {
    /// Problems and warnings as JSON.
    #[arg(long)]
    json: bool,
}

pub fn main(at: &Where, args: Args) -> Verdict {
    // `check` with neither a configuration named nor one installed looks at the programs alone.
    let path = at.config_path();
    let mut problems = Vec::new();
    let mut warnings = Vec::new();
    let mut parsed = None;
    if at.config.is_some() || path.exists() {
        let text = std::fs::read_to_string(&path)
            .map_err(|e| Stop::usage(format!("{}: cannot be read: {e}", path.display())))?;
        match config::parse(&path.to_string_lossy(), &text) {
            Ok(read) => {
                warnings.extend(read.warnings);
                parsed = Some(read.value);
            }
            Err(found) => problems.push(listed(&found)),
        }
    }
    match at.programs(parsed.as_ref()) {
        Ok((_, found)) => warnings.extend(found),
        Err(stop) => problems.push(stop.text),
    }
    if let Some(config) = &parsed {
        match load::designs(&config.labels.templates, config.labels.named) {
            Ok((_, refused)) => problems.extend(refused),
            Err(stop) => problems.push(stop.text),
        }
    }
    let problems: Vec<&str> = problems.iter().flat_map(|p| p.lines()).collect();
    if args.json {
        answer_json(
            &json!({"problems": problems, "warnings": warnings.iter().map(|w| w.to_string()).collect::<Vec<_>>()}),
        )?;
    } else {
        for warning in &warnings {
            answer(format!("warning: {warning}"));
        }
        for problem in &problems {
            answer(format!("error: {problem}"));
        }
        answer(format!("{} errors, {} warnings", problems.len(), warnings.len()));
    }
    Ok(if problems.is_empty() { End::Done } else { End::Usage })
}
