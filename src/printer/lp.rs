//! A printer at the kernel's own printer port: `/dev/usb/lpN`, made by the driver usblp.
//!
//! N is whatever was free when the printer was plugged in, so the port is found by what the kernel tells
//! in sysfs of the device behind it: its USB serial number, or the one in its IEEE 1284 device id. usblp
//! keeps the id there as it came from the printer (`ieee1284_id`, the answer to LPIOC_GET_DEVICE_ID), and
//! reading it there opens nothing: a port can be open once only.
//!
//! What usblp does with a write (drivers/usb/class/usblp.c): it takes up to 8 KiB at a time and says so
//! before the printer has it; the next write then waits. A port that is closed loses what is under way. A write that
//! fails may have been a transfer that failed half-way, or one before it: what of it the printer has is unknown.
//!
//! usblp never clears a STALL of the printer (seen in `tests/lab`): the port stays dead until the printer is
//! plugged in again. The other tests run against a copy of its folder in sysfs, and its bytes over a pty.

use super::link::{Halves, Link, Port, Trouble};
use super::node::{self, Node, Shelf};
use crate::domain::text::escaped;
use crate::zebra::Fault;
use std::fs;
use std::path::{Path, PathBuf};

/// udev gives printer ports and USB printers to this group.
pub(super) const GROUP: &str = "lp";

pub struct Lp {
    port: Port,
    /// `/sys` and `/dev`; tests have their own.
    sys: PathBuf,
    dev: PathBuf,
    shelf: Shelf,
}

impl Lp {
    pub fn new(port: Port) -> Lp {
        Lp::within(port, "/sys".into(), "/dev".into())
    }

    /// The same, looking into other folders than `/sys` and `/dev`.
    pub fn within(port: Port, sys: PathBuf, dev: PathBuf) -> Lp {
        Lp { port, sys, dev, shelf: Shelf::default() }
    }

    fn path(&self) -> Result<PathBuf, Trouble> {
        let serial = match &self.port {
            Port::Path(path) => return Ok(path.clone()),
            Port::SerialNumber(serial) => serial,
        };
        let ports = ports(&self.sys);
        let mut ours = ports.iter().filter(|p| p.is(serial));
        match (ours.next(), ours.next()) {
            (Some(port), None) => Ok(self.dev.join("usb").join(&port.name)),
            (Some(a), Some(b)) => Err(Trouble::new(
                Fault::Unreachable,
                format!("{} and {} both say that they are {serial}: name one by its path", a.name, b.name),
            )),
            (None, _) => {
                let others: Vec<String> = ports.iter().map(ToString::to_string).collect();
                let others = if others.is_empty() { "none".to_owned() } else { others.join(", ") };
                let why = format!("no printer port of the kernel has the serial number {serial}; there are: {others}");
                Err(Trouble::new(Fault::Unplugged, why))
            }
        }
    }
}

impl Link for Lp {
    fn open(&mut self) -> Result<Halves, Trouble> {
        if let Some(node) = node::kept(&self.shelf) {
            return Ok(node::halves(node, &self.shelf));
        }
        let path = self.path()?;
        Ok(node::halves(Node::new(node::open(&path, GROUP)?, &path, None), &self.shelf))
    }
}

/// A printer port as sysfs shows it. Texts are the device's own and not to be trusted.
#[derive(Clone, PartialEq, Eq, Debug)]
struct KernelPort {
    /// `lp0`.
    name: String,
    /// Of the USB device.
    serial: Option<String>,
    id: DeviceId,
}

impl KernelPort {
    fn is(&self, serial: &str) -> bool {
        self.serial.as_deref() == Some(serial) || self.id.serial.as_deref() == Some(serial)
    }
}

impl std::fmt::Display for KernelPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let serial = self.serial.as_deref().or(self.id.serial.as_deref()).unwrap_or("no serial number");
        write!(f, "{} ({})", self.name, escaped(serial.as_bytes()))
    }
}

/// The printer ports there are, in the order of their names. No usblp, no ports.
fn ports(sys: &Path) -> Vec<KernelPort> {
    let entries = fs::read_dir(sys.join("class/usbmisc")).into_iter().flatten().flatten();
    let mut found: Vec<KernelPort> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok().filter(|n| n.starts_with("lp"))?;
            let interface = entry.path().join("device");
            let id = DeviceId::parse(&attribute(&interface.join("ieee1284_id")).unwrap_or_default());
            Some(KernelPort { name, serial: attribute(&interface.join("../serial")), id })
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// One attribute of sysfs; `None` where it is not there or says nothing.
pub(super) fn attribute(path: &Path) -> Option<String> {
    // A page of the kernel is the most that an attribute can be; what is no text is read as far as it is.
    let bytes = fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// What is wanted of an IEEE 1284 device id: `MFG:Zebra Technologies ;CMD:ZPL;MDL:ZTC ZD421;SN:D2J1;`.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct DeviceId {
    pub serial: Option<String>,
    pub model: Option<String>,
}

impl DeviceId {
    /// Keys have long and short names (IEEE 1284-2000, 7.6); what is not understood is left out.
    pub(super) fn parse(text: &str) -> DeviceId {
        let value = |names: &[&str]| {
            text.split(';').filter_map(|pair| pair.split_once(':')).find_map(|(key, value)| {
                let value = value.trim();
                let named = names.iter().any(|n| key.trim().eq_ignore_ascii_case(n));
                (named && !value.is_empty()).then(|| value.to_owned())
            })
        };
        DeviceId { serial: value(&["SN", "SERN", "SERIALNUMBER", "SERIAL NUMBER"]), model: value(&["MDL", "MODEL"]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A port in a made-up sysfs.
    fn plug(sys: &Path, name: &str, usb_serial: &str, id: &str) {
        let interface = sys.join("devices").join(name).join("1-1:1.0");
        let class = sys.join("class/usbmisc").join(name);
        fs::create_dir_all(&interface).unwrap();
        fs::create_dir_all(&class).unwrap();
        fs::write(interface.join("ieee1284_id"), id).unwrap();
        fs::write(interface.join("../serial"), format!("{usb_serial}\n")).unwrap();
        std::os::unix::fs::symlink(&interface, class.join("device")).unwrap();
    }

    #[test]
    fn a_device_id_is_read_in_both_spellings() {
        let id = DeviceId::parse("MFG:Zebra Technologies ;CMD:ZPL;MDL:ZTC ZD421-203dpi;CLS:PRINTER;SERN: D2J1 ;");
        assert_eq!((id.serial.as_deref(), id.model.as_deref()), (Some("D2J1"), Some("ZTC ZD421-203dpi")));
        assert_eq!(DeviceId::parse("manufacturer:X;model:Y;serialnumber:Z").serial.as_deref(), Some("Z"));
        for none in ["", ";;;", "SN:", "SN", "\u{0}\u{ff}", "XSN:1;"] {
            assert_eq!(DeviceId::parse(none).serial, None, "{none:?}");
        }
    }

    #[test]
    fn a_port_is_found_by_the_printer_behind_it() {
        let sys = tempfile::tempdir().unwrap();
        let path = |port: &str| {
            Lp::within(Port::SerialNumber(port.into()), sys.path().into(), "/dev".into()).path().map_err(|t| t.why)
        };
        assert!(path("A1").unwrap_err().contains("there are: none"));
        plug(sys.path(), "lp0", "A1", "MDL:ZD421;");
        plug(sys.path(), "lp3", "", "MDL:GK420d;SN:B2;");
        assert_eq!(path("A1"), Ok("/dev/usb/lp0".into()));
        assert_eq!(path("B2"), Ok("/dev/usb/lp3".into()));
        // Half a number is no number; what is there is named, escaped.
        plug(sys.path(), "lp4", "C3\u{1b}[2J", "");
        let none = path("A").unwrap_err();
        assert!(none.contains("lp0 (A1), lp3 (B2), lp4 (C3\\x1B[2J)"), "{none}");
        plug(sys.path(), "lp9", "A1", "");
        assert!(path("A1").unwrap_err().contains("lp0 and lp9 both say"));
    }
}
