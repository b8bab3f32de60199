//! The USB printers of this machine, for `backdock devices`: which are there, what to enter for each as
//! its `link`, and who has it.
//!
//! It reads sysfs, where the kernel tells everything without a device being opened, and tries printer
//! ports for the one thing it does not tell: whether a program holds them. Such a try takes nothing away
//! from who holds a port (it is refused), and a station that wanted it just then tries again at once.

use super::libusb::ZEBRA;
use super::link::{Address, Port, Trouble};
use super::lp::{DeviceId, GROUP, attribute};
use super::{node, serial};
use crate::domain::text::escaped;
use crate::zebra::Fault;
use rustix::fs::{AtFlags, CWD, accessat};
use std::fs;
use std::path::{Path, PathBuf};

/// A printer on USB. Its texts are the device's own, escaped.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct UsbPrinter {
    /// What may be entered as `link`, the better one first; empty where it tells no serial number.
    pub links: Vec<String>,
    pub name: String,
    pub serial_number: Option<String>,
    pub bus: u8,
    pub address: u8,
    /// The kernel's printer port, where its driver has the printer.
    pub port: Option<PathBuf>,
    pub state: Usable,
    /// What the operator does about it; empty when it is present.
    pub reason: String,
}

/// Whether this process could use a printer now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Usable {
    Present,
    Lost,
    /// No permission.
    Denied,
    /// A program has it: perhaps the running station.
    Busy,
}

impl Usable {
    pub fn word(self) -> &'static str {
        match self {
            Usable::Present => "present",
            Usable::Lost => "lost",
            Usable::Denied => "denied",
            Usable::Busy => "busy",
        }
    }

    fn of(fault: Fault) -> Usable {
        match fault {
            Fault::Denied => Usable::Denied,
            Fault::InUse => Usable::Busy,
            _ => Usable::Lost,
        }
    }
}

/// The USB printers as they are now.
pub fn list() -> Vec<UsbPrinter> {
    list_within(Path::new("/sys"), Path::new("/dev"))
}

/// The same, looking into other folders than `/sys` and `/dev`.
fn list_within(sys: &Path, dev: &Path) -> Vec<UsbPrinter> {
    let interfaces = fs::read_dir(sys.join("bus/usb/devices")).into_iter().flatten().flatten();
    let mut found: Vec<UsbPrinter> = interfaces.filter_map(|entry| printer(&entry.path(), dev)).collect();
    found.sort_by_key(|p| (p.bus, p.address));
    found
}

/// The printer that this interface belongs to, if it is a printer's.
fn printer(interface: &Path, dev: &Path) -> Option<UsbPrinter> {
    let of = |name: &str| attribute(&interface.join(name));
    if (of("bInterfaceClass")?.as_str(), of("bInterfaceSubClass")?.as_str()) != ("07", "01") {
        return None;
    }
    let (bus, address) = (of("../busnum")?.parse().ok()?, of("../devnum")?.parse().ok()?);
    let id = DeviceId::parse(&of("ieee1284_id").unwrap_or_default());
    let usb_serial = of("../serial");
    let driver = fs::read_link(interface.join("driver")).ok();
    let driver = driver.as_deref().and_then(|d| d.file_name()).and_then(|d| d.to_str());
    let ports = fs::read_dir(interface.join("usbmisc")).into_iter().flatten().flatten();
    let port = ports.map(|e| dev.join("usb").join(e.file_name())).next();
    // libusb speaks to the bidirectional interface of a Zebra; usblp takes any printer.
    let zebra = of("../idVendor").and_then(|v| u16::from_str_radix(&v, 16).ok()) == Some(ZEBRA);
    let by_usb = zebra && of("bInterfaceProtocol").as_deref() == Some("02");
    let device = dev.join(format!("bus/usb/{bus:03}/{address:03}"));
    let state = match (driver, &port) {
        (Some("usbfs"), _) => Err(Trouble::new(
            Fault::InUse,
            "a program has it: the running station, or another (sudo fuser -v names it)",
        )),
        (_, Some(port)) => node::open(port, GROUP).map(drop),
        (_, None) => may_open(&device, GROUP),
    };
    let links = |serial: String| {
        let usb = (by_usb && usb_serial.is_some()).then(|| Address::Usb(serial.clone()).to_string());
        let lp = port.is_some().then(|| Address::Lp(Port::SerialNumber(serial)).to_string());
        usb.into_iter().chain(lp).collect()
    };
    let serial = usb_serial.clone().or(id.serial);
    let (state, reason) = match state {
        Ok(()) => (Usable::Present, String::new()),
        Err(trouble) => (Usable::of(trouble.fault), trouble.why),
    };
    Some(UsbPrinter {
        links: serial.clone().map(links).unwrap_or_default(),
        name: escaped(of("../product").or(id.model).unwrap_or_else(|| "unnamed printer".to_owned()).as_bytes()),
        serial_number: serial.map(|s| escaped(s.as_bytes())),
        bus,
        address,
        port,
        state,
        reason,
    })
}

/// Whether a configured printer could be used now, and what to do if not. `None` where only asking
/// the printer would tell: on the network, where one connection is all that many a printer takes.
pub fn usable(address: &Address, found: &[UsbPrinter]) -> Option<(Usable, String)> {
    let of = |checked: Result<(), Trouble>| match checked {
        Ok(()) => (Usable::Present, String::new()),
        Err(trouble) => (Usable::of(trouble.fault), trouble.why),
    };
    match address {
        Address::Tcp(_) => None,
        Address::Serial(path, _) => Some(of(may_open(path, serial::GROUP))),
        Address::Lp(Port::Path(path)) => Some(of(may_open(path, GROUP))),
        Address::Usb(_) | Address::Lp(Port::SerialNumber(_)) => {
            let link = address.to_string();
            let lost = || {
                let why = "it is not plugged in, or switched off, or not to be had this way".to_owned();
                (Usable::Lost, why)
            };
            let ours = found.iter().find(|p| p.links.contains(&link));
            Some(ours.map_or_else(lost, |p| (p.state, p.reason.clone())))
        }
    }
}

/// Asks without opening, for the user this process acts as.
fn may_open(path: &Path, group: &str) -> Result<(), Trouble> {
    use rustix::fs::Access;
    accessat(CWD, path, Access::READ_OK | Access::WRITE_OK, AtFlags::EACCESS)
        .map_err(|e| node::refused(path, group, &e.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A printer in a made-up sysfs: device `1-N`, interface `1-N:1.0`.
    fn plug(root: &Path, n: u8, vendor: &str, serial: &str, driver: &str, port: Option<&str>) {
        let device = root.join(format!("sys/devices/1-{n}"));
        let interface = device.join(format!("1-{n}:1.0"));
        fs::create_dir_all(&interface).unwrap();
        let write = |path: &str, text: &str| fs::write(interface.join(path), format!("{text}\n")).unwrap();
        for (name, text) in [("bInterfaceClass", "07"), ("bInterfaceSubClass", "01"), ("bInterfaceProtocol", "02")] {
            write(name, text);
        }
        for (name, text) in [
            ("busnum", "1"),
            ("devnum", &n.to_string()),
            ("idVendor", vendor),
            ("product", "ZD\u{1b}421"),
            ("serial", serial),
        ] {
            write(&format!("../{name}"), text);
        }
        symlink(format!("/sys/bus/usb/drivers/{driver}"), interface.join("driver")).unwrap();
        if let Some(port) = port {
            fs::create_dir_all(interface.join("usbmisc").join(port)).unwrap();
            fs::create_dir_all(root.join("dev/usb")).unwrap();
            fs::write(root.join("dev/usb").join(port), "").unwrap();
        }
        let devices = root.join("sys/bus/usb/devices");
        fs::create_dir_all(&devices).unwrap();
        symlink(&interface, devices.join(format!("1-{n}:1.0"))).unwrap();
    }

    #[test]
    fn each_printer_has_its_links_and_its_state() {
        let root = tempfile::tempdir().unwrap();
        plug(root.path(), 4, "0a5f", "D2J1", "usblp", Some("lp0"));
        plug(root.path(), 5, "0a5f", "D2J2", "usbfs", None);
        plug(root.path(), 6, "04f9", "B1", "usblp", Some("lp1"));
        plug(root.path(), 7, "0a5f", "", "none", None);
        let found = list_within(&root.path().join("sys"), &root.path().join("dev"));
        let seen: Vec<(&[String], Usable)> = found.iter().map(|p| (&p.links[..], p.state)).collect();
        let own = |links: &[&str]| links.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            seen,
            [
                (&own(&["usb://D2J1", "lp://D2J1"])[..], Usable::Present),
                (&own(&["usb://D2J2"]), Usable::Busy),
                (&own(&["lp://B1"]), Usable::Present),
                (&own(&[]), Usable::Lost),
            ]
        );
        assert_eq!(found[0].name, "ZD\\x1B421");
        assert!(found[1].reason.contains("running station") && found[3].reason.contains("is not there"), "{found:?}");
        let state = |address: Address| usable(&address, &found).map(|(state, _)| state);
        assert_eq!(state(Address::Usb("D2J1".into())), Some(Usable::Present));
        assert_eq!(state(Address::Usb("D2J2".into())), Some(Usable::Busy));
        assert_eq!(state(Address::Lp(Port::SerialNumber("D2J2".into()))), Some(Usable::Lost));
        assert_eq!(state(Address::Usb("D2J9".into())), Some(Usable::Lost));
        assert_eq!(state(Address::Lp(Port::Path("/dev/none/lp0".into()))), Some(Usable::Lost));
        assert_eq!(state(Address::Tcp(([192, 0, 2, 7], 9100).into())), None);
        assert_eq!(list_within(Path::new("/none"), Path::new("/none")), []);
    }

    #[test]
    fn the_word_shown_is_the_word_in_json() {
        for state in [Usable::Present, Usable::Lost, Usable::Denied, Usable::Busy] {
            assert_eq!(serde_json::to_value(state).unwrap(), state.word());
        }
    }
}
