//! A serial line: RS-232, FTDI, USB CDC-ACM (`/dev/ttyACM*`, `/dev/serial/by-id/*`), or a pty.
//!
//! The port is opened for us alone (TIOCEXCL and a lock, so that a second program is refused as well
//! when it runs as root). The path is resolved at every opening, and a line that ended is closed before
//! it is looked for again: a descriptor kept open makes the kernel give the scanner another number.

use super::{Heard, Line, Refusal, access};
use serialport::{ErrorKind, TTYPort};
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

pub(super) struct Door {
    pub port: PathBuf,
    pub baud: u32,
}

impl super::Door for Door {
    type Line = TTYPort;

    fn open(&mut self, _: Duration) -> Result<(TTYPort, String), Refusal> {
        // serialport takes the path as text.
        let name = self.port.to_str().ok_or_else(|| {
            Refusal::lost(format!("{} is not UTF-8: choose another path in `port`", self.port.display()))
        })?;
        match serialport::new(name, self.baud).open_native() {
            Ok(port) => Ok((port, format!("listening on {name}"))),
            Err(e) => Err(self.refused(&e)),
        }
    }
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
            _ => Refusal::lost(format!("cannot open {name} as a serial port: {error}; check `port` and `baud`")),
        }
    }
}

impl Line for TTYPort {
    fn hear(&mut self, buffer: &mut [u8], at_most: Duration) -> Heard {
        use serialport::SerialPort;
        let end = |why: &dyn std::fmt::Display| Heard::End {
            orderly: false,
            reason: format!("the line ended ({why}): check the scanner's cable and power"),
        };
        if let Err(e) = self.set_timeout(at_most) {
            return end(&e);
        }
        match self.read(buffer) {
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
    fn refused_is_not_the_same_as_gone() {
        let door = Door { port: "/dev/ttyACM7".into(), baud: 9600 };
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
