//! A serial line: RS-232, FTDI, USB CDC-ACM (`/dev/ttyACM*`, `/dev/serial/by-id/*`), or a pty.
//!
//! The port is opened for us alone (TIOCEXCL and a lock, so that a second program is refused as well
//! when it runs as root). The path is resolved at every opening, and a line that ended is closed before
//! it is looked for again: a descriptor kept open makes the kernel give the scanner another number.

use super::usb::{self, Which};
use super::{BEEP_LOOK, Beep, Heard, Line, Refusal, access};
use crate::scan::models;
use serialport::{ErrorKind, TTYPort};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::time::Duration;

pub(super) struct Door {
    pub port: PathBuf,
    pub baud: u32,
    pub beep: Option<Beep>,
    /// What makes it beep once.
    pub bytes: &'static [u8],
}

/// An open port, and its beeper.
pub(super) struct Serial {
    port: TTYPort,
    beep: Option<(Beep, &'static [u8])>,
}

impl super::Door for Door {
    type Line = Serial;
    const USB: bool = true;

    fn open(&mut self, _: Duration) -> Result<(Serial, String), Refusal> {
        // serialport takes the path as text.
        let name = self.port.to_str().ok_or_else(|| {
            Refusal::lost(format!("{} is not UTF-8: choose another path in `port`", self.port.display()))
        })?;
        match serialport::new(name, self.baud).open_native() {
            Ok(port) => {
                let beep = self.beep.clone().map(|beep| (beep, self.bytes));
                Ok((Serial { port, beep }, format!("listening on {name}")))
            }
            Err(e) => Err(self.refused(&e)),
        }
    }
}

/// The serial port of a USB device, whatever number it has this time.
pub(super) struct UsbDoor {
    pub which: Which,
    pub baud: u32,
    pub beep: Option<Beep>,
}

impl super::Door for UsbDoor {
    type Line = Serial;
    const USB: bool = true;

    fn open(&mut self, at_most: Duration) -> Result<(Serial, String), Refusal> {
        let mut refusal = None;
        for (vendor_id, port) in ports(&self.which, &usb::seen()) {
            let door = Door { port, baud: self.baud, beep: self.beep.clone(), bytes: models::beep(vendor_id) };
            match { door }.open(at_most) {
                Ok(opened) => return Ok(opened),
                // Another of the same model may be free.
                Err(why) => refusal = Some(why),
            }
        }
        Err(refusal.unwrap_or_else(|| {
            Refusal::lost(format!(
                "no scanner with a serial port ({}) on USB: plug it in (`backdock devices` lists what is there)",
                self.which
            ))
        }))
    }
}

/// The serial ports of the devices that are meant, with the vendor id of each.
fn ports(which: &Which, seen: &[usb::Seen]) -> Vec<(u16, PathBuf)> {
    let meant = seen.iter().filter(|d| which.matches(d) && (which.names_one() || d.is_scanner()));
    meant.flat_map(|d| d.ttys().map(|tty| (d.vendor_id, tty.clone()))).collect()
}

impl Door {
    fn refused(&self, error: &serialport::Error) -> Refusal {
        let name = self.port.display();
        match error.kind() {
            ErrorKind::NoDevice => Refusal::denied(format!(
                "another program holds {name}: end it (ModemManager, getty or a terminal program), it can be seen with `fuser -v {name}`"
            )),
            ErrorKind::Io(io::ErrorKind::PermissionDenied) => {
                Refusal::denied(access::explain(&self.port, &io::ErrorKind::PermissionDenied.into()))
            }
            ErrorKind::Io(io::ErrorKind::NotFound) => {
                Refusal::lost(access::explain(&self.port, &io::ErrorKind::NotFound.into()))
            }
            // The crate keeps only some of the system's numbers.
            _ => match access::tried(&self.port) {
                Some(e) if e.kind() == io::ErrorKind::PermissionDenied => {
                    Refusal::denied(access::explain(&self.port, &e))
                }
                _ => Refusal::lost(format!("cannot open {name} as a serial port: {error}; check `port` and `baud`")),
            },
        }
    }
}

impl Line for Serial {
    fn hear(&mut self, buffer: &mut [u8], at_most: Duration, _: &mut Vec<u8>) -> Heard {
        use serialport::SerialPort;
        let end = |why: &dyn std::fmt::Display| Heard::End {
            orderly: false,
            reason: format!("the line ended ({why}): check the scanner's cable and power"),
        };
        let mut wait = at_most;
        if let Some((beep, bytes)) = &self.beep {
            wait = wait.min(BEEP_LOOK);
            for _ in 0..beep.asked() {
                // A scanner that takes no bytes is heard all the same.
                if let Err(e) = self.port.write_all(bytes) {
                    tracing::debug!(error = %e, "the scanner took no beep");
                    break;
                }
            }
        }
        if let Err(e) = self.port.set_timeout(wait) {
            return end(&e);
        }
        match self.port.read(buffer) {
            // A line set to "at least one byte" gives none only when it has hung up, and then for ever.
            Ok(0) => end(&"no more bytes"),
            Ok(n) => Heard::Bytes(n),
            Err(e) => match e.kind() {
                io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Heard::Silence,
                _ => end(&e),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::presence::Presence;

    #[test]
    fn a_scanner_is_the_same_one_behind_another_number() {
        let sys = usb::fake::Sys::new();
        let plug = |port: &str, ids, serial: &str, tty: &str| {
            std::fs::create_dir_all(sys.plug(port, ids, serial, 2).join("tty").join(tty)).unwrap();
        };
        plug("1-2", (0x05e0, 0x1701), "ACM-1", "ttyACM0");
        plug("1-3", (0x0403, 0x6001), "FT1", "ttyACM4");
        let which = Which { serial: Some("ACM-1".to_owned()), ..Which::default() };
        assert_eq!(ports(&which, &sys.seen()), [(0x05e0, PathBuf::from("/dev/ttyACM0"))]);
        sys.unplug("1-2");
        assert!(ports(&which, &sys.seen()).is_empty());
        plug("1-4.1", (0x05e0, 0x1701), "ACM-1", "ttyACM1");
        assert_eq!(ports(&which, &sys.seen()), [(0x05e0, PathBuf::from("/dev/ttyACM1"))]);
        assert_eq!(
            ports(&Which::default(), &sys.seen()),
            [(0x05e0, PathBuf::from("/dev/ttyACM1"))],
            "only a known scanner"
        );
        let ftdi = Which { usb: Some((0x0403, 0x6001)), ..Which::default() };
        assert_eq!(ports(&ftdi, &sys.seen()), [(0x0403, PathBuf::from("/dev/ttyACM4"))]);
    }

    #[test]
    fn refused_is_not_the_same_as_gone() {
        let door = Door { port: "/dev/ttyACM7".into(), baud: 9600, beep: None, bytes: b"" };
        for (kind, presence, word) in [
            (ErrorKind::NoDevice, Presence::Denied, "another program"),
            (ErrorKind::Io(io::ErrorKind::PermissionDenied), Presence::Denied, "no permission"),
            (ErrorKind::Io(io::ErrorKind::NotFound), Presence::Lost, "not there"),
            (ErrorKind::Unknown, Presence::Lost, "cannot open"),
        ] {
            let refusal = door.refused(&serialport::Error::new(kind, "x"));
            assert_eq!(refusal.presence, presence, "{kind:?}");
            assert!(refusal.reason.contains(word) && refusal.reason.contains("/dev/ttyACM7"), "{}", refusal.reason);
        }
    }
}
