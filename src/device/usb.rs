//! What is plugged into USB, as sysfs shows it. Nothing is opened, no permission is needed.
//!
//! A scanner is known by its vendor and product id, its serial number, or the port it is plugged into;
//! never by a word in its name, and never by the number that the kernel gave it this time.

use crate::scan::hid::descriptor;
use crate::scan::models;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// Which device is meant. What is `None` does not matter; with nothing said, whatever is surely a scanner.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Which {
    /// Vendor and product id.
    pub usb: Option<(u16, u16)>,
    pub serial: Option<String>,
    /// The port on the bus, as the kernel writes it: `1-2.3` is port 3 of the hub at port 2 of bus 1.
    pub port_path: Option<String>,
}

impl Which {
    /// Whether the configuration points at a device, so that it need not be known as a scanner.
    pub fn names_one(&self) -> bool {
        *self != Which::default()
    }

    pub fn matches(&self, device: &Seen) -> bool {
        self.usb.is_none_or(|usb| usb == (device.vendor_id, device.product_id))
            && self.serial.as_ref().is_none_or(|serial| device.serial.as_ref() == Some(serial))
            && self.port_path.as_ref().is_none_or(|path| device.port_path == *path)
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.usb.map(|(vendor, product)| format!("{vendor:04x}:{product:04x}")),
            self.serial.as_ref().map(|s| format!("serial number {s}")),
            self.port_path.as_ref().map(|p| format!("port {p}")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        f.write_str(&if parts.is_empty() { "any".to_owned() } else { parts.join(", ") })
    }
}

/// A USB device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    pub vendor_id: u16,
    pub product_id: u16,
    pub serial: Option<String>,
    pub port_path: String,
    pub bus: u8,
    pub address: u8,
    pub interfaces: Vec<Interface>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Interface {
    pub number: u8,
    pub class: u8,
    /// The HID report descriptor; `None` where no kernel driver has asked for it (another program holds the
    /// device, or did until it was killed).
    pub descriptor: Option<Vec<u8>>,
    /// Serial ports, `/dev/ttyACM0`.
    pub ttys: Vec<PathBuf>,
    /// Key events, `/dev/input/event3`.
    pub events: Vec<PathBuf>,
}

const CLASS_HID: u8 = 3;

impl Seen {
    /// Whether this is a scanner beyond doubt: by the table of models, or by its own descriptor.
    pub fn is_scanner(&self) -> bool {
        models::model(self.vendor_id, self.product_id).is_some() || self.pos_interfaces(false).next().is_some()
    }

    /// The interfaces that are, or with `unsure` could be, a point-of-sale scanner.
    pub fn pos_interfaces(&self, unsure: bool) -> impl Iterator<Item = u8> + '_ {
        let pos = move |i: &&Interface| {
            i.class == CLASS_HID && i.descriptor.as_ref().map_or(unsure, |d| descriptor::is_scanner(d))
        };
        self.interfaces.iter().filter(pos).map(|i| i.number)
    }

    /// The nodes through which it types.
    pub fn keyboards(&self) -> Vec<PathBuf> {
        let typing = |i: &&Interface| i.descriptor.as_ref().is_some_and(|d| descriptor::is_keyboard(d));
        self.interfaces.iter().filter(typing).flat_map(|i| i.events.clone()).collect()
    }

    /// The interfaces that type, or, where no kernel driver has asked them, could.
    pub fn typing_interfaces(&self) -> impl Iterator<Item = u8> + '_ {
        let typing =
            |i: &&Interface| i.class == CLASS_HID && i.descriptor.as_ref().is_none_or(|d| descriptor::is_keyboard(d));
        self.interfaces.iter().filter(typing).map(|i| i.number)
    }

    pub fn ttys(&self) -> impl Iterator<Item = &PathBuf> {
        self.interfaces.iter().flat_map(|i| &i.ttys)
    }

    pub fn node(&self) -> PathBuf {
        PathBuf::from(format!("/dev/bus/usb/{:03}/{:03}", self.bus, self.address))
    }

    /// What stays when it is plugged in again: by its serial number wherever that is, else by its port.
    pub fn identity(&self) -> Which {
        let port_path = self.serial.is_none().then(|| self.port_path.clone());
        Which { usb: Some((self.vendor_id, self.product_id)), serial: self.serial.clone(), port_path }
    }
}

/// All USB devices, sorted by their port. Without USB there are none.
pub fn seen() -> Vec<Seen> {
    seen_within(Path::new("/sys"), Path::new("/dev"))
}

/// The same, looking into other folders than `/sys` and `/dev`.
pub(super) fn seen_within(sys: &Path, dev: &Path) -> Vec<Seen> {
    let mut found: Vec<Seen> =
        children(&sys.join("bus/usb/devices")).iter().filter_map(|path| device(path, dev)).collect();
    found.sort_by(|a, b| a.port_path.cmp(&b.port_path));
    found
}

fn device(path: &Path, dev: &Path) -> Option<Seen> {
    let of = |name: &str| attribute(&path.join(name));
    let id = |name: &str| of(name).and_then(|hex| u16::from_str_radix(&hex, 16).ok());
    let port_path = path.file_name()?.to_str()?.to_owned();
    let (vendor_id, product_id) = (id("idVendor")?, id("idProduct")?);
    let own =
        |p: &PathBuf| p.file_name().and_then(|n| n.to_str()).is_some_and(|n| n.starts_with(&format!("{port_path}:")));
    let mut interfaces: Vec<Interface> =
        children(path).iter().filter(|p| own(p)).filter_map(|path| interface(path, dev)).collect();
    interfaces.sort_by_key(|i| i.number);
    Some(Seen {
        vendor_id,
        product_id,
        serial: of("serial"),
        bus: of("busnum")?.parse().ok()?,
        address: of("devnum")?.parse().ok()?,
        port_path,
        interfaces,
    })
}

fn interface(path: &Path, dev: &Path) -> Option<Interface> {
    let hex = |name: &str| attribute(&path.join(name)).and_then(|hex| u8::from_str_radix(&hex, 16).ok());
    let mut found =
        Interface { number: hex("bInterfaceNumber")?, class: hex("bInterfaceClass")?, ..Default::default() };
    // A modem's port hangs below the interface itself, a converter's one level deeper.
    let mut ports = children(&path.join("tty"));
    for child in children(path) {
        let name = child.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
        if name.starts_with("ttyUSB") {
            ports.extend(children(&child.join("tty")));
        }
        // The HID layer: bus 3 is USB.
        if name.starts_with("0003:") {
            found.descriptor = fs::read(child.join("report_descriptor")).ok();
            for input in children(&child.join("input")) {
                let events = children(&input).into_iter().filter_map(|p| Some(p.file_name()?.to_str()?.to_owned()));
                found.events.extend(events.filter(|n| n.starts_with("event")).map(|n| dev.join("input").join(n)));
            }
        }
    }
    found.ttys = ports.iter().filter_map(|p| Some(dev.join(p.file_name()?))).collect();
    Some(found)
}

/// The entries of a folder, sorted; none where it cannot be read.
fn children(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
    found.sort();
    found
}

fn attribute(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned()).filter(|t| !t.is_empty())
}

#[cfg(test)]
pub(super) mod fake {
    //! A made-up sysfs.

    use super::*;
    use std::os::unix::fs::symlink;

    pub const POS: &[u8] = &[
        0x05, 0x8c, 0x09, 0x02, 0xa1, 0x01, 0x85, 0x02, 0x75, 0x08, 0x95, 0x01, 0x0b, 0x3b, 0x00, 0x01, 0x00, 0x81,
        0x02, 0x95, 0x03, 0x09, 0xfb, 0x09, 0xfc, 0x09, 0xfd, 0x81, 0x02, 0x95, 0x38, 0x09, 0xfe, 0x81, 0x02, 0x75,
        0x01, 0x95, 0x01, 0x09, 0xff, 0x81, 0x02, 0x95, 0x17, 0x81, 0x03, 0xc0,
    ];
    /// HID 1.11, appendix E.6.
    pub const KEYBOARD: &[u8] = &[
        0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01,
        0x95, 0x08, 0x81, 0x02, 0x95, 0x01, 0x75, 0x08, 0x81, 0x03, 0x95, 0x06, 0x75, 0x08, 0x15, 0x00, 0x25, 0x65,
        0x05, 0x07, 0x19, 0x00, 0x29, 0x65, 0x81, 0x00, 0xc0,
    ];

    pub struct Sys(pub tempfile::TempDir);

    impl Sys {
        pub fn new() -> Sys {
            Sys(tempfile::tempdir().unwrap())
        }

        pub fn seen(&self) -> Vec<Seen> {
            seen_within(&self.0.path().join("sys"), Path::new("/dev"))
        }

        /// A device at `port` with one interface of that class.
        pub fn plug(&self, port: &str, ids: (u16, u16), serial: &str, class: u8) -> PathBuf {
            let device = self.0.path().join("sys/devices").join(port);
            let interface = device.join(format!("{port}:1.0"));
            fs::create_dir_all(&interface).unwrap();
            let address = port.bytes().map(usize::from).sum::<usize>() % 128;
            for (path, text) in [
                (device.join("idVendor"), format!("{:04x}", ids.0)),
                (device.join("idProduct"), format!("{:04x}", ids.1)),
                (device.join("serial"), serial.to_owned()),
                (device.join("busnum"), "1".to_owned()),
                (device.join("devnum"), address.to_string()),
                (device.join("product"), "Keyboard that calls itself a Barcode Scanner".to_owned()),
                (interface.join("bInterfaceNumber"), "00".to_owned()),
                (interface.join("bInterfaceClass"), format!("{class:02x}")),
            ] {
                fs::write(path, text + "\n").unwrap();
            }
            let list = self.0.path().join("sys/bus/usb/devices");
            fs::create_dir_all(&list).unwrap();
            symlink(&device, list.join(port)).unwrap();
            symlink(&interface, list.join(format!("{port}:1.0"))).unwrap();
            interface
        }

        pub fn hid(&self, port: &str, ids: (u16, u16), serial: &str, descriptor: &[u8], event: &str) {
            let hid = self.plug(port, ids, serial, CLASS_HID).join("0003:05E0:1300.0001");
            fs::create_dir_all(hid.join("input/input7").join(event)).unwrap();
            fs::write(hid.join("report_descriptor"), descriptor).unwrap();
        }

        pub fn unplug(&self, port: &str) {
            let list = self.0.path().join("sys/bus/usb/devices");
            fs::remove_file(list.join(port)).unwrap();
            fs::remove_file(list.join(format!("{port}:1.0"))).unwrap();
            fs::remove_dir_all(self.0.path().join("sys/devices").join(port)).unwrap();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fake::{KEYBOARD, POS, Sys};
    use super::*;

    #[test]
    fn devices_are_read_with_what_hangs_below_them() {
        let sys = Sys::new();
        sys.hid("1-2", (0x05e0, 0x1300), "SCAN-1", POS, "event3");
        sys.hid("1-3", (0x1234, 0x0001), "", KEYBOARD, "event4");
        fs::create_dir_all(sys.plug("1-4", (0x05e0, 0x1701), "ACM-1", 2).join("tty/ttyACM1")).unwrap();
        fs::create_dir_all(sys.plug("1-5.1", (0x0403, 0x6001), "FT1", 255).join("ttyUSB0/tty/ttyUSB0")).unwrap();
        let seen = sys.seen();
        assert_eq!(seen.iter().map(|s| s.port_path.as_str()).collect::<Vec<_>>(), ["1-2", "1-3", "1-4", "1-5.1"]);
        let [pos, keys, acm, ftdi] = &seen[..] else { panic!("{seen:?}") };
        assert_eq!(pos.pos_interfaces(false).collect::<Vec<_>>(), [0]);
        assert!(pos.is_scanner() && acm.is_scanner() && pos.keyboards().is_empty());
        assert_eq!(keys.keyboards(), [PathBuf::from("/dev/input/event4")]);
        assert!(!keys.is_scanner(), "its name counts for nothing");
        assert!(!ftdi.is_scanner(), "a converter may lead anywhere");
        assert_eq!(acm.ttys().collect::<Vec<_>>(), [Path::new("/dev/ttyACM1")]);
        assert_eq!(ftdi.ttys().collect::<Vec<_>>(), [Path::new("/dev/ttyUSB0")]);
        assert_eq!(acm.identity().to_string(), "05e0:1701, serial number ACM-1");
        assert_eq!(keys.identity().to_string(), "1234:0001, port 1-3");
        for s in &seen {
            assert_eq!(seen.iter().filter(|other| s.identity().matches(other)).count(), 1);
        }
        assert!(Which::default().matches(keys) && !Which::default().names_one());
        assert_eq!(seen_within(Path::new("/none"), Path::new("/dev")), []);
    }
}
