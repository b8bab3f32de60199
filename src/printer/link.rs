//! What a link to a printer is. The thread in [`super::worker`] drives every kind alike; each kind is
//! one file: [`super::tcp`], [`super::serial`], [`super::lp`], [`super::usb`].
//!
//! A link is opened into two halves, so that answers are heard while a label is still being handed over.
//! Promised of every kind, and held to it by `tests/links.rs`:
//! - a byte counts as taken once the kernel or the device has it, and is never handed over again;
//! - where it cannot be known how much of a failed write was taken, all of it counts as taken: doubt is
//!   a person's minute, a label that comes out twice is two units with one number;
//! - a half that waits comes back within [`STEP`], so that a stop is never far;
//! - what cannot be opened says why, and what the operator does about it.

use crate::zebra::Fault;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Longest wait inside one call of a half, except a TCP read, which a hang-up ends at once.
pub const STEP: Duration = Duration::from_millis(500);

/// Why a link is not there: the fault for the screen, and the sentence with this case's particulars.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trouble {
    pub fault: Fault,
    pub why: String,
}

impl Trouble {
    pub fn new(fault: Fault, why: impl Into<String>) -> Trouble {
        Trouble { fault, why: why.into() }
    }
}

/// A way to one printer, which can be opened, and opened again. The device is looked for at every
/// opening: what stays is the printer's address or serial number, never a number that the kernel gave.
pub trait Link: Send {
    /// # Errors
    /// The printer is not there, or not ours to open.
    fn open(&mut self) -> Result<Halves, Trouble>;
}

pub struct Halves {
    pub reader: Box<dyn Reader>,
    pub writer: Box<dyn Writer>,
}

/// The printer's voice.
pub trait Reader: Send {
    /// Waits for answers; 0 when none came for now.
    ///
    /// # Errors
    /// The link is over.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Trouble>;
}

/// The way to the printer.
pub trait Writer: Send {
    /// Hands over as much as the link takes now, at least one byte.
    ///
    /// # Errors
    /// The link is over, or takes nothing for the moment.
    fn write(&mut self, bytes: &[u8]) -> Result<usize, NotTaken>;

    /// Whether these bytes can travel this link at all.
    ///
    /// # Errors
    /// What stands in the way. None of them was handed over.
    fn carries(&self, _bytes: &[u8]) -> Result<(), String> {
        Ok(())
    }

    /// Ends the connection; the reader returns within [`STEP`].
    fn hang_up(&mut self);
}

/// Why a write took nothing, as far as is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotTaken {
    /// The printer holds the line; the same bytes may be offered again.
    Stalled,
    /// The link is over. `perhaps`: how many of the bytes offered may have been taken all the same.
    Broken { trouble: Trouble, perhaps: usize },
}

/// The link of one printer as it is configured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Address {
    /// Raw TCP, usually port 9100.
    Tcp(SocketAddr),
    /// USB printer class, by the printer's serial number.
    Usb(String),
    /// The kernel's printer port (usblp).
    Lp(Port),
    /// A serial port.
    Serial(PathBuf, Line),
}

/// Which of the kernel's printer ports.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Port {
    /// The one with this printer behind it, whatever its number.
    SerialNumber(String),
    Path(PathBuf),
}

/// How a serial line is spoken on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// Bits per second.
    pub baud: u32,
    pub data_bits: DataBits,
    pub parity: Parity,
    pub stop_bits: StopBits,
    pub flow: Flow,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DataBits {
    Seven,
    Eight,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Parity {
    None,
    Even,
    Odd,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StopBits {
    One,
    Two,
}

/// What holds the line while the printer's memory is full.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    None,
    /// DC3 and DC1, in both directions.
    XonXoff,
    /// RTS and CTS.
    Rts,
}

impl Default for Line {
    /// What Zebra printers leave the factory with (user guides, serial port).
    fn default() -> Line {
        let (data_bits, parity, stop_bits) = (DataBits::Eight, Parity::None, StopBits::One);
        Line { baud: 9600, data_bits, parity, stop_bits, flow: Flow::XonXoff }
    }
}

impl Address {
    /// The link itself, not yet opened.
    pub fn link(&self) -> Box<dyn Link> {
        match self {
            Address::Tcp(address) => Box::new(super::tcp::Tcp { address: *address }),
            Address::Usb(serial) => Box::new(super::usb::Usb::new(super::libusb::Libusb, serial.clone())),
            Address::Lp(port) => Box::new(super::lp::Lp::new(port.clone())),
            Address::Serial(path, line) => Box::new(super::serial::Serial::new(path.clone(), *line)),
        }
    }
}

impl std::fmt::Display for Address {
    /// As the configuration has it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Address::Tcp(address) => write!(f, "tcp://{address}"),
            Address::Usb(serial) => write!(f, "usb://{serial}"),
            Address::Lp(Port::SerialNumber(serial)) => write!(f, "lp://{serial}"),
            Address::Lp(Port::Path(path)) => write!(f, "lp://{}", path.display()),
            Address::Serial(path, _) => write!(f, "serial://{}", path.display()),
        }
    }
}
