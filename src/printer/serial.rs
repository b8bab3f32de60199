//! A printer on a serial port: RS-232, or a USB adapter for it.
//!
//! The port is opened for us alone: TIOCEXCL keeps others out, and a lock (as `serialport` takes it for
//! scanners) keeps out those who run as root. Every setting is read back: a port that silently keeps
//! another speed would print noise. There is no carrier to watch; a printer that is off is silent.
//!
//! Not proved on a real UART yet, only on a pty: parity, 7 bits and RTS/CTS, which a pty does not have.

use super::link::{DataBits, Flow, Halves, Line, Link, Parity, StopBits, Trouble};
use super::node::{self, Node, Shelf};
use crate::zebra::Fault;
use rustix::fs::{FlockOperation, flock};
use rustix::termios::{ControlModes, InputModes, OptionalActions, tcgetattr, tcsetattr};
use std::fs::File;
use std::path::PathBuf;

/// udev gives serial ports to this group.
pub(super) const GROUP: &str = "dialout";

pub struct Serial {
    path: PathBuf,
    line: Line,
    shelf: Shelf,
}

impl Serial {
    /// `path` is resolved at every opening, so a symbolic link may point elsewhere by then.
    pub fn new(path: PathBuf, line: Line) -> Serial {
        Serial { path, line, shelf: Shelf::default() }
    }
}

impl Link for Serial {
    fn open(&mut self) -> Result<Halves, Trouble> {
        if let Some(node) = node::kept(&self.shelf) {
            return Ok(node::halves(node, &self.shelf));
        }
        let file = node::open(&self.path, GROUP)?;
        let ours = rustix::termios::ioctl_tiocexcl(&file)
            .and_then(|()| flock(&file, FlockOperation::NonBlockingLockExclusive));
        ours.map_err(|e| node::refused(&self.path, GROUP, &e.into()))?;
        if !set(&file, self.line).map_err(|e| node::refused(&self.path, GROUP, &e.into()))? {
            let why = format!("{} does not take {}", self.path.display(), words(self.line));
            return Err(Trouble::new(Fault::Unreachable, why));
        }
        Ok(node::halves(Node::new(file, &self.path, Some(self.line)), &self.shelf))
    }
}

const CHECKED: ControlModes = ControlModes::CSIZE
    .union(ControlModes::PARENB)
    .union(ControlModes::PARODD)
    .union(ControlModes::CSTOPB)
    .union(ControlModes::CRTSCTS);

/// Sets the port; `false` when it does not do what was asked.
fn set(file: &File, line: Line) -> rustix::io::Result<bool> {
    let mut wanted = tcgetattr(file)?;
    wanted.make_raw();
    wanted.control_modes -= CHECKED;
    wanted.control_modes |= ControlModes::CREAD | ControlModes::CLOCAL;
    wanted.control_modes |= match line.data_bits {
        DataBits::Seven => ControlModes::CS7,
        DataBits::Eight => ControlModes::CS8,
    };
    match line.parity {
        Parity::None => {}
        Parity::Even => wanted.control_modes |= ControlModes::PARENB,
        Parity::Odd => wanted.control_modes |= ControlModes::PARENB | ControlModes::PARODD,
    }
    wanted.input_modes -= InputModes::INPCK | InputModes::IGNPAR | InputModes::IXON | InputModes::IXOFF;
    if line.parity != Parity::None {
        // A byte that came damaged is left out: half an answer is no answer.
        wanted.input_modes |= InputModes::INPCK | InputModes::IGNPAR;
    }
    if line.stop_bits == StopBits::Two {
        wanted.control_modes |= ControlModes::CSTOPB;
    }
    match line.flow {
        Flow::None => {}
        Flow::XonXoff => wanted.input_modes |= InputModes::IXON | InputModes::IXOFF,
        Flow::Rts => wanted.control_modes |= ControlModes::CRTSCTS,
    }
    wanted.set_speed(line.baud)?;
    tcsetattr(file, OptionalActions::Now, &wanted)?;
    let got = tcgetattr(file)?;
    let same = (got.control_modes & CHECKED) == (wanted.control_modes & CHECKED);
    Ok(same && got.output_speed() == line.baud && got.input_modes == wanted.input_modes)
}

/// `9600 8N1 xon`.
fn words(line: Line) -> String {
    let bits = if line.data_bits == DataBits::Seven { 7 } else { 8 };
    let parity = match line.parity {
        Parity::None => 'N',
        Parity::Even => 'E',
        Parity::Odd => 'O',
    };
    let stop = if line.stop_bits == StopBits::Two { 2 } else { 1 };
    let flow = match line.flow {
        Flow::None => "none",
        Flow::XonXoff => "xon",
        Flow::Rts => "rts",
    };
    format!("{} {bits}{parity}{stop} {flow}", line.baud)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{LocalModes, Termios};

    /// A pty: the master, and the path of its slave.
    fn pty() -> (rustix::fd::OwnedFd, PathBuf) {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        (master, PathBuf::from(name.to_str().unwrap()))
    }

    #[test]
    fn the_settings_arrive_at_the_port() {
        let (master, path) = pty();
        let line = Line { baud: 19200, stop_bits: StopBits::Two, flow: Flow::Rts, ..Line::default() };
        let open = Serial::new(path.clone(), line).open().map_err(|t| t.why).unwrap();
        let got: Termios = tcgetattr(&master).unwrap();
        assert_eq!(got.output_speed(), 19200);
        assert!(got.control_modes.contains(ControlModes::CSTOPB | ControlModes::CRTSCTS | ControlModes::CLOCAL));
        let cooked = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        assert!(!got.input_modes.contains(InputModes::IXON) && !got.local_modes.intersects(cooked));
        drop(open);
        let open = Serial::new(path, Line::default()).open().map_err(|t| t.why).unwrap();
        let got: Termios = tcgetattr(&master).unwrap();
        assert!(got.input_modes.contains(InputModes::IXON | InputModes::IXOFF));
        assert!(!got.control_modes.contains(ControlModes::CRTSCTS));
        drop(open);
    }

    #[test]
    fn a_port_that_keeps_its_own_settings_is_refused() {
        // A pty has no parity.
        let (_master, path) = pty();
        let line = Line { data_bits: DataBits::Seven, parity: Parity::Even, ..Line::default() };
        let refused = Serial::new(path, line).open().err().unwrap();
        assert!(refused.why.contains("does not take 9600 7E1 xon"), "{}", refused.why);
    }

    #[test]
    fn a_port_has_one_owner() {
        let (_master, path) = pty();
        let first = Serial::new(path.clone(), Line::default()).open();
        assert!(first.is_ok());
        let second = Serial::new(path.clone(), Line::default()).open().err().unwrap();
        assert_eq!(second.fault, Fault::InUse, "{}", second.why);
        drop(first);
        assert_eq!(
            Serial::new("/dev/none/ttyUSB0".into(), Line::default()).open().err().unwrap().fault,
            Fault::Unplugged
        );
    }
}
