//! `backdock devices`: everything on this machine that is or could be a scanner or a printer, and how the
//! configured ones fare.

use super::load::Where;
use super::{End, Verdict, answer, answer_json};
use crate::config;
use crate::device::holder::{self, Holder};
use crate::device::{ScannerSettings, hotplug, list, presence};
use crate::printer::found::{self, Usable, UsbPrinter};
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(clap::Args)]
pub struct Args {
    #[arg(long)]
    json: bool,
    /// Go on and tell what comes and goes, one line for each change.
    #[arg(long)]
    watch: bool,
}

/// All there is to say.
#[derive(serde::Serialize)]
struct Found {
    #[serde(flatten)]
    devices: list::DeviceList,
    usb_printers: Vec<UsbPrinter>,
    /// Those of the configuration; empty where there is none.
    printers: Vec<Configured>,
    scanners: Vec<Configured>,
}

#[derive(serde::Serialize)]
struct Configured {
    name: String,
    link: String,
    /// `null` on the network, and where every scanner is used: only the station knows.
    state: Option<&'static str>,
    reason: String,
}

pub fn main(at: &Where, args: Args) -> Verdict {
    let found = found(at);
    if args.json {
        answer_json(&found)?;
    } else {
        show(&found);
    }
    if args.watch {
        watch(&found.devices, args.json)?;
    }
    let missing = |p: &Configured| matches!(p.state, Some("lost" | "denied"));
    let person = !found.devices.problems.is_empty() || found.printers.iter().chain(&found.scanners).any(missing);
    Ok(if person { End::Person } else { End::Done })
}

/// Tells every change until it is ended.
fn watch(first: &list::DeviceList, json: bool) -> Result<(), super::Stop> {
    let mut news = hotplug::News::open().ok();
    let mut known = lines(first);
    loop {
        match &mut news {
            Some(news) => drop(news.wait(LOOK)),
            None => std::thread::sleep(LOOK),
        }
        let now = lines(&list::list());
        for (device, state) in &now {
            if known.get(device) != Some(state) {
                tell(device, state, json)?;
            }
        }
        for device in known.keys().filter(|d| !now.contains_key(*d)) {
            tell(device, "gone", json)?;
        }
        known = now;
    }
}

/// How often it is looked where nobody tells, and for what udev does not tell: who has a device.
const LOOK: Duration = Duration::from_secs(1);

fn tell(device: &str, state: &str, json: bool) -> Result<(), super::Stop> {
    if json {
        answer_json(&serde_json::json!({ "device": device, "state": state }))?;
    } else {
        answer(format!("{device}: {state}"));
    }
    Ok(())
}

/// Every device and how it could be used, as one line each.
fn lines(devices: &list::DeviceList) -> BTreeMap<String, String> {
    let state = |usable: holder::Usable, held: &[Holder]| format!("{}{}", usable.word(), by(held));
    let usb = devices.usb.iter().map(|d| {
        let port = d.port_path.as_deref().unwrap_or("-");
        (
            format!("usb {port} {} {} {}", d.id, d.name, d.serial_number.as_deref().unwrap_or("-")),
            state(d.state, &d.held_by),
        )
    });
    let serial = devices.serial.iter().map(|p| {
        (
            format!("serial {} {} {}", p.path.display(), p.id.as_deref().unwrap_or("-"), p.name),
            state(p.state, &p.held_by),
        )
    });
    usb.chain(serial).collect()
}

fn by(held: &[Holder]) -> String {
    let names: Vec<String> = held.iter().map(|h| format!("{} (pid {})", h.program, h.pid)).collect();
    if names.is_empty() { String::new() } else { format!(", by {}", names.join(", ")) }
}

fn found(at: &Where) -> Found {
    let usb_printers = found::list();
    let mut devices = list::list();
    let (mut printers, mut scanners) = (Vec::new(), Vec::new());
    // A machine without a configuration, or with a wrong one, has devices too.
    if at.config.is_some() || at.config_path().exists() {
        match at.config() {
            Ok(config) => {
                printers = config.printers.iter().map(|p| configured(p, &usb_printers)).collect();
                scanners = config.scanners.iter().map(scanner).collect();
            }
            Err(stop) => devices.problems.extend(stop.text.lines().map(str::to_owned)),
        }
    }
    Found { devices, usb_printers, printers, scanners }
}

/// How a configured scanner fares, seen from outside the station.
fn scanner(s: &ScannerSettings) -> Configured {
    let (link, seen) = presence::of(&s.kind);
    let (state, reason) = seen.map_or((None, String::new()), |seen| (Some(seen.state), seen.reason));
    Configured { name: s.name.clone(), link, state, reason }
}

fn configured(p: &config::Printer, found: &[UsbPrinter]) -> Configured {
    let (state, reason) = found::usable(&p.link, found).unzip();
    Configured {
        name: p.name.clone(),
        link: p.link.to_string(),
        state: state.map(Usable::word),
        reason: reason.unwrap_or_default(),
    }
}

fn show(found: &Found) {
    let devices = &found.devices;
    if devices.serial.is_empty() && devices.usb.is_empty() && found.usb_printers.is_empty() {
        answer("no serial ports and no scanner or printer on USB");
    }
    for p in &devices.serial {
        let open = flag(p.state, &p.held_by);
        answer(format!("serial  {:<16} {} {}{open}", p.path.display(), p.id.as_deref().unwrap_or("-"), p.name));
        if let Some(by_id) = &p.by_id {
            answer(format!("        put into the configuration: port = {:?}", by_id.display().to_string()));
        }
    }
    for d in &devices.usb {
        let own = found.usb_printers.iter().find(|p| (p.bus, p.address) == (d.bus, d.address));
        let state = match own {
            Some(p) if p.state != Usable::Present => format!("  {}", p.state.word().to_uppercase()),
            Some(_) => String::new(),
            None => flag(d.state, &d.held_by),
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
        let state = p.state.unwrap_or("network: its state is on the screen");
        let reason = if p.reason.is_empty() { String::new() } else { format!(": {}", p.reason) };
        answer(format!("configured printer {} {} {state}{reason}", p.name, p.link));
    }
    for s in &found.scanners {
        let state = s.state.unwrap_or("its state is on the screen");
        let reason = if s.reason.is_empty() { String::new() } else { format!(": {}", s.reason) };
        answer(format!("configured scanner {} {} {state}{reason}", s.name, s.link));
    }
    for p in &devices.problems {
        answer(format!("problem: {p}"));
    }
}

fn flag(state: holder::Usable, held: &[Holder]) -> String {
    if state == holder::Usable::Present {
        String::new()
    } else {
        format!("  {}{}", state.word().to_uppercase(), by(held))
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
