//! `backdock devices`: everything on this machine that is or could be a scanner or a printer, and how the
//! configured printers fare.

use super::load::Where;
use super::{End, Verdict, answer, answer_json};
use crate::config;
use crate::device::list;
use crate::printer::found::{self, Usable, UsbPrinter};

#[derive(clap::Args)]
pub struct Args {
    #[arg(long)]
    json: bool,
}

/// All there is to say.
#[derive(serde::Serialize)]
struct Found {
    #[serde(flatten)]
    devices: list::DeviceList,
    usb_printers: Vec<UsbPrinter>,
    /// Those of the configuration; empty where there is none.
    printers: Vec<Configured>,
}

#[derive(serde::Serialize)]
struct Configured {
    name: String,
    link: String,
    /// `null` on the network: only the station asks there.
    state: Option<Usable>,
    reason: String,
}

pub fn main(at: &Where, args: Args) -> Verdict {
    let usb_printers = found::list();
    let mut devices = list::list();
    let mut printers = Vec::new();
    // A machine without a configuration, or with a wrong one, has devices too.
    if at.config.is_some() || at.config_path().exists() {
        match at.config() {
            Ok(config) => printers = config.printers.iter().map(|p| configured(p, &usb_printers)).collect(),
            Err(stop) => devices.problems.extend(stop.text.lines().map(str::to_owned)),
        }
    }
    let found = Found { devices, usb_printers, printers };
    if args.json {
        answer_json(&found)?;
    } else {
        show(&found);
    }
    let missing = |p: &Configured| matches!(p.state, Some(Usable::Lost | Usable::Denied));
    let person = !found.devices.problems.is_empty() || found.printers.iter().any(missing);
    Ok(if person { End::Person } else { End::Done })
}

fn configured(p: &config::Printer, found: &[UsbPrinter]) -> Configured {
    let (state, reason) = found::usable(&p.link, found).unzip();
    Configured { name: p.name.clone(), link: p.link.to_string(), state, reason: reason.unwrap_or_default() }
}

fn show(found: &Found) {
    let devices = &found.devices;
    if devices.serial.is_empty() && devices.usb.is_empty() && found.usb_printers.is_empty() {
        answer("no serial ports and no scanner or printer on USB");
    }
    for p in &devices.serial {
        let open = if p.may_open { "" } else { "  DENIED" };
        answer(format!("serial  {:<16} {} {}{open}", p.path.display(), p.id.as_deref().unwrap_or("-"), p.name));
        if let Some(by_id) = &p.by_id {
            answer(format!("        put into the configuration: port = {:?}", by_id.display().to_string()));
        }
    }
    for d in &devices.usb {
        let own = found.usb_printers.iter().find(|p| (p.bus, p.address) == (d.bus, d.address));
        let state = match own {
            Some(p) if p.state != Usable::Present => format!("  {}", p.state.word().to_uppercase()),
            None if !d.may_open => "  DENIED".to_owned(),
            _ => String::new(),
        };
        let role = match d.role {
            list::Role::Scanner => "scanner",
            list::Role::MaybeScanner => "scanner?",
            list::Role::ZebraPrinter => "printer",
            list::Role::Printer => "printer?",
        };
        answer(format!("{role:<8}{:03}/{:03}          {} {}{state}", d.bus, d.address, d.id, d.name));
        if let Some(advice) = &d.advice {
            answer(format!("        {advice}"));
        }
        if let Some(p) = own {
            about(p);
        }
    }
    // Where libusb sees nothing, the kernel may still show its own printer ports.
    let seen = |p: &&UsbPrinter| !devices.usb.iter().any(|d| (p.bus, p.address) == (d.bus, d.address));
    for p in found.usb_printers.iter().filter(seen) {
        answer(format!("printer {:03}/{:03}          {}  {}", p.bus, p.address, p.name, p.state.word().to_uppercase()));
        about(p);
    }
    for p in &found.printers {
        let state = p.state.map_or("network: its state is on the screen", Usable::word);
        let reason = if p.reason.is_empty() { String::new() } else { format!(": {}", p.reason) };
        answer(format!("configured printer {} {} {state}{reason}", p.name, p.link));
    }
    for p in &devices.problems {
        answer(format!("problem: {p}"));
    }
}

fn about(p: &UsbPrinter) {
    if !p.reason.is_empty() {
        answer(format!("        {}", p.reason));
    }
    let links: Vec<String> = p.links.iter().map(|l| format!("link = {l:?}")).collect();
    if links.is_empty() {
        answer("        it tells no serial number; with a port of the kernel: link = \"lp:///dev/usb/lpN\"");
    } else {
        answer(format!("        put into the configuration: {}", links.join(" or ")));
    }
}
