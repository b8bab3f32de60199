//! `backdock label`: any label as ZPL or a picture, drawn here. Nothing leaves the machine.
//! `backdock label check`: what the gate says of a design or of a label from elsewhere.

use super::load::{self, Where};
use super::{End, Stop, Verdict, answer, answer_json};
use crate::label::gate::Severity;
use crate::label::{self, Dpi, Label, Stock};
use crate::sim::render;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    check: Option<Below>,
    /// Which label; `--list` names them.
    #[arg(required_unless_present = "list")]
    name: Option<String>,
    /// The labels with their required and optional fields.
    #[arg(long)]
    list: bool,
    /// The fields, one JSON object.
    #[arg(long, value_name = "FILE.json")]
    data: Option<PathBuf>,
    /// Write the ZPL here (`-` is standard output).
    #[arg(long, value_name = "FILE")]
    zpl: Option<PathBuf>,
    /// Write the picture here.
    #[arg(long, value_name = "FILE")]
    png: Option<PathBuf>,
    /// Dots per inch: 203, 300 or 600.
    #[arg(long, default_value = "203")]
    dpi: Dpi,
    /// Paper, e.g. 4x3 (inches) or 102x152mm; the label's usual one by default.
    #[arg(long, value_name = "WxH")]
    stock: Option<Stock>,
    /// Designs of your own, NAME.zpl; one that is named like a label here replaces it.
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
}

#[derive(clap::Subcommand)]
enum Below {
    /// Inspect designs and labels from elsewhere before they are printed.
    ///
    /// Exit code 0: nothing to say; 3: warnings; 1: refused, it would not be printed; 2: wrong use.
    Check(Check),
}

#[derive(clap::Args)]
struct Check {
    /// A design with named fields, or a label from elsewhere.
    #[arg(required = true, value_name = "FILE.zpl")]
    files: Vec<PathBuf>,
    /// Paper; by default that of the label the design is named like, else 4x6.
    #[arg(long, value_name = "WxH")]
    stock: Option<Stock>,
    /// Dots per inch: 203, 300 or 600.
    #[arg(long, default_value = "203")]
    dpi: Dpi,
    /// Fields to fill in, one JSON object; stand-ins of usual length by default.
    #[arg(long, value_name = "FILE.json")]
    data: Option<PathBuf>,
    /// Findings as JSON.
    #[arg(long)]
    json: bool,
}

pub fn main(at: &Where, args: Args) -> Verdict {
    if let Some(Below::Check(check)) = args.check {
        return inspect(&check);
    }
    if args.list {
        for def in label::names() {
            answer(format!("{:<10} {}", def.name, def.title));
            answer(format!("           required: {}", def.required().collect::<Vec<_>>().join(", ")));
            let optional: Vec<_> = def.optional().collect();
            if !optional.is_empty() {
                answer(format!("           optional: {}", optional.join(", ")));
            }
        }
        return Ok(End::Done);
    }
    let name = args.name.unwrap_or_default();
    let designs = designs(at, args.templates.as_deref(), &name)?;
    let (wanted, stock) = match (label::names().find(|d| d.name == name), designs.get(&name)) {
        (Some(def), None) => (def.required().map(str::to_owned).collect(), def.stock),
        (def, Some(design)) => (design.fields().to_vec(), def.map_or(Stock::inches(4, 6), |d| d.stock)),
        (None, None) => {
            let own = designs.iter().map(|d| d.name().to_owned());
            let known: Vec<String> = label::names().map(|d| d.name.to_owned()).chain(own).collect();
            return Err(Stop::usage(format!("no label {name:?}; there are: {}", known.join(", "))));
        }
    };
    let fields = match &args.data {
        Some(data) => Value::Object(object(data)?),
        None if wanted.is_empty() => json!({}),
        None => {
            return Err(Stop::usage(format!("--data FILE.json is missing; {name} requires: {}", wanted.join(", "))));
        }
    };
    let label = designs.render(&name, &fields, args.stock.unwrap_or(stock), args.dpi).map_err(Stop::failed)?;
    if !label.left_out.is_empty() {
        eprintln!("backdock: no room on this stock for: {}", label.left_out.join(", "));
    }
    if !label.shortened.is_empty() {
        eprintln!("backdock: cut short on this stock: {}", label.shortened.join(", "));
    }
    if let Some(path) = &args.png {
        let picture = if designs.get(&name).is_some() { pictured(&label)? } else { label.png() };
        std::fs::write(path, picture).map_err(|e| Stop::failed(format!("{}: {e}", path.display())))?;
    }
    match &args.zpl {
        Some(path) if path.as_os_str() != "-" => {
            std::fs::write(path, &label.zpl).map_err(|e| Stop::failed(format!("{}: {e}", path.display())))?;
        }
        None if args.png.is_some() => {}
        _ => answer(&label.zpl),
    }
    Ok(End::Done)
}

/// The user's designs: of the folder named here, else of the configuration's where there is one. A
/// refused one stops only the label it is for.
fn designs(at: &Where, dir: Option<&Path>, name: &str) -> Result<label::Designs, Stop> {
    let (designs, refused) = match dir {
        Some(dir) => load::designs(dir, true)?,
        None if at.config.is_some() => {
            let labels = at.config()?.labels;
            load::designs(&labels.templates, labels.named)?
        }
        None => return Ok(label::Designs::default()),
    };
    let file = format!("{name}.zpl: ");
    let mine: Vec<&str> = refused.iter().filter(|line| line.contains(&file)).map(String::as_str).collect();
    if mine.is_empty() { Ok(designs) } else { Err(Stop::failed(mine.join("\n"))) }
}

/// What a design looks like only its printer knows: the virtual one draws it, and says what it cannot.
fn pictured(label: &Label) -> Result<Vec<u8>, Stop> {
    let (width, length) = (label.width_dots, label.height_dots);
    let picture = render::drawn(label.zpl.as_bytes(), label.dpi.per_inch(), width, length);
    for warning in &picture.warnings {
        eprintln!("backdock: the picture differs from the label: {warning}");
    }
    render::png(&picture).map_err(Stop::failed)
}

/// A JSON object from a file.
fn object(path: &Path) -> Result<Map<String, Value>, Stop> {
    let text = std::fs::read_to_string(path).map_err(|e| Stop::usage(format!("{}: {e}", path.display())))?;
    serde_json::from_str(&text).map_err(|e| Stop::usage(format!("{}: not a JSON object: {e}", path.display())))
}

fn inspect(args: &Check) -> Verdict {
    let data = args.data.as_deref().map(object).transpose()?;
    let mut files = Vec::new();
    let mut worst = None;
    for path in &args.files {
        let name = path.to_string_lossy();
        let checked = label::check(&name, &load::read_zpl(path)?, data.as_ref(), args.stock, args.dpi);
        let severity = checked.findings.list.iter().map(|f| f.severity).max();
        worst = worst.max(severity);
        if args.json {
            files.push(json!({"file": name, "design": checked.design, "fields": checked.fields,
                "refused": checked.findings.refused(), "findings": checked.findings}));
            continue;
        }
        for finding in &checked.findings.list {
            let word = if finding.severity == Severity::Refuse { "refused" } else { "warning" };
            answer(format!("{name}: {word}: {finding}"));
        }
        let kind = if checked.design { "design" } else { "label" };
        let said = match severity {
            None => "good",
            Some(Severity::Warn) => "may be printed",
            Some(Severity::Refuse) => "will not be printed",
        };
        let fields =
            if checked.fields.is_empty() { String::new() } else { format!("; fields: {}", checked.fields.join(", ")) };
        answer(format!("{name}: {kind}, {said}{fields}"));
    }
    if args.json {
        answer_json(&json!({"files": files}))?;
    }
    Ok(match worst {
        None => End::Done,
        Some(Severity::Warn) => End::Person,
        Some(Severity::Refuse) => End::Failed,
    })
}
