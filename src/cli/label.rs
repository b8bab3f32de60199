//! `backdock label`: any label as ZPL or a picture, drawn here. Nothing leaves the machine.

use super::{End, Stop, Verdict, answer};
use crate::label::{self, Dpi, Stock};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Args {
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
}

pub fn main(args: Args) -> Verdict {
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
    let Some(def) = label::names().find(|d| d.name == name) else {
        let known: Vec<_> = label::names().map(|d| d.name).collect();
        return Err(Stop::usage(format!("no label {name:?}; there are: {}", known.join(", "))));
    };
    let Some(data) = args.data else {
        return Err(Stop::usage(format!(
            "--data FILE.json is missing; {name} requires: {}",
            def.required().collect::<Vec<_>>().join(", ")
        )));
    };
    let text = std::fs::read_to_string(&data).map_err(|e| Stop::usage(format!("{}: {e}", data.display())))?;
    let fields = serde_json::from_str(&text).map_err(|e| Stop::usage(format!("{}: not JSON: {e}", data.display())))?;
    let label = label::render(&name, &fields, args.stock.unwrap_or(def.stock), args.dpi).map_err(Stop::failed)?;
    if !label.left_out.is_empty() {
        eprintln!("backdock: no room on this stock for: {}", label.left_out.join(", "));
    }
    if !label.shortened.is_empty() {
        eprintln!("backdock: cut short on this stock: {}", label.shortened.join(", "));
    }
    if let Some(path) = &args.png {
        std::fs::write(path, label.png()).map_err(|e| Stop::failed(format!("{}: {e}", path.display())))?;
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
