//! What is plugged in: the answer behind `backdock devices`.
//!
//! Arrives: what the kernel and libusb show. Leaves: serial ports, and USB devices that are or could be
//! a scanner or a label printer, each with what the operator should do about it. Promised: what may not
//! be opened is listed and says why, it is never hidden; nothing is opened that a running station could
//! be using; a machine without serial ports or without USB gives an answer, not an error.

use super::access;
use super::holder::{self, Holder, Usable};
use super::usb::{self, Seen};
use crate::domain::text::escaped;
use crate::scan::models::{self, Mode};
use rusb::UsbContext;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Everything found on this machine.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct DeviceList {
    pub serial: Vec<SerialPort>,
    pub usb: Vec<UsbDevice>,
    /// What keeps the station from using something here, each with the step that cures it.
    pub problems: Vec<String>,
}

/// A serial port, real or on USB.
#[derive(Clone, Debug, serde::Serialize)]
pub struct SerialPort {
    pub path: PathBuf,
    /// The name that stays the same when the number changes: the one to put into `port`.
    pub by_id: Option<PathBuf>,
    /// USB vendor and product id, `05e0:1701`.
    pub id: Option<String>,
    /// The best name known for what is behind it.
    pub name: String,
    pub serial_number: Option<String>,
    pub may_open: bool,
    pub state: Usable,
    /// Who has it open.
    pub held_by: Vec<Holder>,
}

/// A USB device of interest.
#[derive(Clone, Debug, serde::Serialize)]
pub struct UsbDevice {
    pub bus: u8,
    pub address: u8,
    /// Vendor and product id, `0a5f:0172`.
    pub id: String,
    pub role: Role,
    pub name: String,
    pub serial_number: Option<String>,
    /// How a scanner talks; `null` for a printer.
    pub mode: Option<Mode>,
    /// Whether this process may open the USB device itself. A scanner may be read through another node:
    /// `state` counts.
    pub may_open: bool,
    /// What the operator should do about it.
    pub advice: Option<String>,
    /// Of a scanner, the worst of what it is read through.
    pub state: Usable,
    pub held_by: Vec<Holder>,
    /// The port on the bus, for `port_path`; `null` where sysfs does not show it.
    pub port_path: Option<String>,
}

/// What a USB device is good for here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Scanner,
    /// From a scanner maker, but a product not known here.
    MaybeScanner,
    ZebraPrinter,
    /// A printer of another make: it may not understand ZPL.
    Printer,
}

/// USB class codes (usb.org, Defined Class Codes).
const CLASS_COMMUNICATIONS: u8 = 0x02;
const CLASS_HID: u8 = 0x03;
const CLASS_PRINTER: u8 = 0x07;
const CLASS_VENDOR: u8 = 0xff;

/// How long a device may take to tell its name.
const NAME_WAIT: Duration = Duration::from_millis(200);

/// Looks at the machine as it is now.
pub fn list() -> DeviceList {
    let mut found = DeviceList::default();
    if let Err(problem) = serial_ports(&mut found) {
        found.problems.push(problem);
    }
    if let Err(e) = usb_devices(&mut found) {
        found.problems.push(format!(
            "USB cannot be looked at ({e}): no matter on a station without USB; otherwise check that /dev/bus/usb is there"
        ));
    }
    // A scanner on USB and its serial port have one problem.
    let mut told = BTreeSet::new();
    found.problems.retain(|problem| told.insert(problem.clone()));
    found
}

fn printer_maker(vendor_id: u16) -> Option<&'static str> {
    models::PRINTER_MAKERS.iter().find(|(id, _)| *id == vendor_id).map(|(_, maker)| *maker)
}

/// What a device is for us, by its numbers and the classes of its interfaces.
fn role(vendor_id: u16, product_id: u16, classes: &[u8]) -> Option<Role> {
    let has = |class| classes.contains(&class);
    if models::model(vendor_id, product_id).is_some() {
        Some(Role::Scanner)
    } else if has(CLASS_PRINTER) {
        Some(if printer_maker(vendor_id).is_some() { Role::ZebraPrinter } else { Role::Printer })
    } else if models::scanner_maker(vendor_id).is_some()
        && (has(CLASS_HID) || has(CLASS_COMMUNICATIONS) || has(CLASS_VENDOR))
    {
        Some(Role::MaybeScanner)
    } else {
        None
    }
}

fn usb_devices(found: &mut DeviceList) -> rusb::Result<()> {
    let seen = usb::seen();
    let context = rusb::Context::new()?;
    for device in context.devices()?.iter() {
        let Ok(about) = device.device_descriptor() else { continue };
        let config = device.active_config_descriptor().or_else(|_| device.config_descriptor(0));
        let classes: Vec<u8> = match &config {
            Ok(config) => config.interfaces().flat_map(|i| i.descriptors().map(|d| d.class_code())).collect(),
            Err(_) => vec![about.class_code()],
        };
        let (vendor_id, product_id) = (about.vendor_id(), about.product_id());
        let (bus, address) = (device.bus_number(), device.address());
        let seen = seen.iter().find(|s| (s.bus, s.address) == (bus, address));
        let by_descriptor = seen.filter(|s| s.is_scanner()).map(|_| Role::Scanner);
        let Some(role) = by_descriptor.or(role(vendor_id, product_id, &classes)) else { continue };
        let node = PathBuf::from(format!("/dev/bus/usb/{bus:03}/{address:03}"));
        let access = access::may_open(&node);
        // Its own words, where we may ask. Reading them takes nothing away from who uses the device.
        let mut product = None;
        if access.is_ok()
            && let Ok(handle) = device.open()
            && let Some(language) = handle.read_languages(NAME_WAIT).ok().and_then(|l| l.first().copied())
        {
            product = handle.read_product_string(language, &about, NAME_WAIT).ok();
        }
        let model = models::model(vendor_id, product_id);
        let is_printer = matches!(role, Role::Printer | Role::ZebraPrinter);
        let mode = (!is_printer).then(|| model.map_or(Mode::Unstated, |m| m.mode));
        let nodes = seen.filter(|_| !is_printer).map_or_else(|| vec![node.clone()], read_through);
        let (state, held_by, denied) = holder::usable(&nodes);
        if let Some(problem) = &denied
            && !is_printer
        {
            found.problems.push(problem.clone());
        }
        let advice = match (&access, mode) {
            (_, Some(_)) if denied.is_some() => denied,
            (Err(problem), None) => {
                found.problems.push(problem.clone());
                Some(problem.clone())
            }
            (Ok(()), None) if role == Role::Printer => {
                Some("not a Zebra: it prints here only if it understands ZPL".to_owned())
            }
            (_, mode) => mode.and_then(Mode::advice).map(str::to_owned),
        };
        found.usb.push(UsbDevice {
            bus,
            address,
            id: id(vendor_id, product_id),
            role,
            name: name(vendor_id, product_id, product.as_deref()),
            serial_number: seen.and_then(|s| s.serial.as_ref()).map(|s| escaped(s.as_bytes())),
            mode,
            may_open: access.is_ok(),
            advice,
            state,
            held_by,
            port_path: seen.map(|s| s.port_path.clone()),
        });
    }
    found.usb.sort_by_key(|d| (d.bus, d.address));
    Ok(())
}

/// The nodes through which a scanner is read.
fn read_through(device: &Seen) -> Vec<PathBuf> {
    let ttys: Vec<PathBuf> = device.ttys().cloned().collect();
    match (device.pos_interfaces(true).next(), ttys.is_empty(), device.keyboards()) {
        (_, false, _) => ttys,
        (None, _, keys) if !keys.is_empty() => keys,
        _ => vec![device.node()],
    }
}

fn serial_ports(found: &mut DeviceList) -> Result<(), String> {
    // serialport panics where this folder is missing.
    if !Path::new("/sys/class/tty").is_dir() {
        return Err("serial ports cannot be listed: /sys/class/tty is not there; mount sysfs".to_owned());
    }
    let ports = serialport::available_ports().map_err(|e| format!("serial ports cannot be listed: {e}"))?;
    let by_id = stable_names(Path::new("/dev/serial/by-id"));
    for port in ports {
        let path = PathBuf::from(port.port_name);
        let access = access::may_open(&path);
        if let Err(problem) = &access {
            found.problems.push(problem.clone());
        }
        let (id, name, serial_number) = match port.port_type {
            serialport::SerialPortType::UsbPort(usb) => (
                Some(id(usb.vid, usb.pid)),
                name(usb.vid, usb.pid, usb.product.as_deref()),
                usb.serial_number.map(|s| escaped(s.as_bytes())),
            ),
            _ => (None, "serial port".to_owned(), None),
        };
        let by_id = by_id.get(&path).cloned();
        let (state, held_by, _) = holder::usable(std::slice::from_ref(&path));
        found.serial.push(SerialPort {
            path,
            by_id,
            id,
            name,
            serial_number,
            may_open: access.is_ok(),
            state,
            held_by,
        });
    }
    found.serial.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(())
}

/// Device -> its name in a folder of symbolic links. No folder, no names.
fn stable_names(folder: &Path) -> HashMap<PathBuf, PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|e| Some((e.path().canonicalize().ok()?, e.path()))).collect()
}

fn id(vendor_id: u16, product_id: u16) -> String {
    format!("{vendor_id:04x}:{product_id:04x}")
}

/// The best name: the model's row, else the device's own words behind its maker.
fn name(vendor_id: u16, product_id: u16, own: Option<&str>) -> String {
    if let Some(m) = models::model(vendor_id, product_id) {
        return format!("{} {}", m.maker, m.name);
    }
    let maker = models::scanner_maker(vendor_id).or(printer_maker(vendor_id));
    // What a device calls itself goes to a terminal: escaped.
    let own = own.map(|s| escaped(s.trim().as_bytes())).filter(|s| !s.is_empty());
    let words: Vec<&str> = maker.into_iter().chain(own.as_deref()).collect();
    if words.is_empty() { "unnamed USB device".to_owned() } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_known_by_its_numbers_or_its_class() {
        for (ids, classes, want) in [
            ((0x05e0, 0x1701), &[0x02, 0x0a][..], Some(Role::Scanner)),
            ((0x05e0, 0x0800), &[0xff], Some(Role::MaybeScanner)),
            ((0x1eab, 0x7777), &[0x03], Some(Role::MaybeScanner)),
            ((0x1eab, 0x7777), &[0x08], None),
            ((0x0a5f, 0x0172), &[0x07], Some(Role::ZebraPrinter)),
            ((0x04f9, 0x2042), &[0x07], Some(Role::Printer)),
            ((0x04b4, 0x1111), &[0x03], None),
            ((0x1d6b, 0x0002), &[0x09], None),
        ] {
            assert_eq!(role(ids.0, ids.1, classes), want, "{ids:04x?}");
        }
    }

    #[test]
    fn a_name_is_the_best_that_is_known() {
        assert_eq!(name(0x05e0, 0x1900, Some("x")), "Zebra (Symbol) SNAPI Imaging Device");
        assert_eq!(name(0x0a5f, 0x0172, Some(" ZD421 ")), "Zebra ZD421");
        assert_eq!(name(0x1234, 0x0001, Some("\u{1b}[2J")), "\\x1B[2J");
        assert_eq!(name(0x1234, 0x0001, None), "unnamed USB device");
    }

    #[test]
    fn a_port_has_its_stable_name() {
        let dir = tempfile::tempdir().unwrap();
        let (device, link) = (dir.path().join("ttyACM0"), dir.path().join("usb-Zebra"));
        std::fs::write(&device, "").unwrap();
        std::os::unix::fs::symlink("ttyACM0", &link).unwrap();
        let names = stable_names(dir.path());
        assert!(names.contains_key(&device.canonicalize().unwrap()));
        assert!(stable_names(&dir.path().join("none")).is_empty());
    }

    #[test]
    fn a_machine_of_any_kind_gives_an_answer() {
        let found = list();
        let json = serde_json::to_value(&found).unwrap();
        assert!(json["serial"].is_array() && json["usb"].is_array());
        if !Path::new("/sys/bus/usb").exists() && !Path::new("/dev/bus/usb").exists() {
            assert!(found.problems.iter().any(|p| p.contains("USB cannot be looked at")), "{found:?}");
        }
    }
}
