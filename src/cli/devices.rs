//! `backdock devices`: everything on this machine that is or could be a scanner or a printer.

use super::{End, Verdict, answer, answer_json};
use crate::device::list;

#[derive(clap::Args)]
pub struct Args {
    #[arg(long)]
    json: bool,
}

pub fn main(args: Args) -> Verdict {
    let found = list::list();
    if args.json {
        answer_json(&found)?;
    } else {
        show(&found);
    }
    Ok(if found.problems.is_empty() { End::Done } else { End::Person })
}

fn show(found: &list::DeviceList) {
    if found.serial.is_empty() && found.usb.is_empty() {
        answer("no serial ports and no scanner or printer on USB");
    }
    for p in &found.serial {
        let open = if p.may_open { "" } else { "  DENIED" };
        answer(format!("serial  {:<16} {} {}{open}", p.path.display(), p.id.as_deref().unwrap_or("-"), p.name));
        if let Some(by_id) = &p.by_id {
            answer(format!("        put into the configuration: port = {:?}", by_id.display().to_string()));
        }
    }
    for d in &found.usb {
        let open = if d.may_open { "" } else { "  DENIED" };
        let role = match d.role {
            list::Role::Scanner => "scanner",
            list::Role::MaybeScanner => "scanner?",
            list::Role::ZebraPrinter => "printer",
            list::Role::Printer => "printer?",
        };
        answer(format!("{role:<8}{:03}/{:03}          {} {}{open}", d.bus, d.address, d.id, d.name));
        if let Some(advice) = &d.advice {
            answer(format!("        {advice}"));
        }
    }
    for p in &found.problems {
        answer(format!("problem: {p}"));
    }
}
