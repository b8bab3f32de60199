//! A printer on USB, spoken to as the printer class says (class 7, subclass 1, protocol 2): one bulk pipe
//! each way. This file is everything above the calls to libusb; those are in [`super::libusb`], behind
//! [`Bus`] and [`Bulk`], so that the rest is tested without a USB bus.
//!
//! Time-outs: a transfer that times out has moved so many bytes, and only the rest is offered again. A
//! transfer that fails otherwise (STALL, unplugged) may have moved some, and nobody says how many: all of
//! them count as taken, the link is broken, and the printer's count decides.

use super::link::{Halves, Link, NotTaken, Reader, STEP, Trouble, Writer};
use crate::zebra::Fault;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// One transfer at most, in bytes: what the kernel takes as one request.
const TRANSFER: usize = 16 * 1024;
/// So long nothing must come after opening: answers to questions that somebody else asked before.
const QUIET: Duration = Duration::from_millis(150);
/// How long such answers are waited for at most.
const HUSH_MAX: Duration = Duration::from_secs(2);
/// After an empty packet or a STALL, so that a printer that sends nothing else keeps nobody busy.
const PAUSE: Duration = Duration::from_millis(10);

/// What can go wrong with a transfer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BulkError {
    /// Time is up, and no byte moved.
    TimedOut,
    /// The endpoint halted; it takes nothing until that is cleared.
    Stall,
    /// The device is not there any more.
    Gone,
    Failed(String),
}

/// A direction, as seen from the host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pipe {
    Out,
    In,
}

/// A claimed printer interface. Both pipes are used at the same time, each by one thread. Dropped, it
/// gives the interface back to the kernel's driver.
pub trait Bulk: Send + Sync {
    /// How many bytes moved, at least one, within `wait`; also where time ran out half-way.
    ///
    /// # Errors
    /// After any but [`BulkError::TimedOut`] some bytes may have moved all the same.
    fn write(&self, bytes: &[u8], wait: Duration) -> Result<usize, BulkError>;

    /// How many bytes came; 0 for an empty packet.
    ///
    /// # Errors
    /// None came.
    fn read(&self, buffer: &mut [u8], wait: Duration) -> Result<usize, BulkError>;

    /// Takes back a STALL.
    ///
    /// # Errors
    /// The device refuses, or is gone.
    fn clear_halt(&self, pipe: Pipe) -> Result<(), BulkError>;
}

/// Where printers are plugged in.
pub trait Bus: Send {
    /// Finds the Zebra with this serial number, wherever it is plugged in, and claims it.
    ///
    /// # Errors
    /// It is not there, or not ours to claim.
    fn claim(&mut self, serial: &str) -> Result<Arc<dyn Bulk>, Trouble>;
}

pub struct Usb<B> {
    bus: B,
    serial: String,
}

impl<B: Bus> Usb<B> {
    pub fn new(bus: B, serial: String) -> Usb<B> {
        Usb { bus, serial }
    }
}

impl<B: Bus> Link for Usb<B> {
    fn open(&mut self) -> Result<Halves, Trouble> {
        let bulk = self.bus.claim(&self.serial)?;
        // Whoever had the printer before may have left it halted. A printer that does not know the
        // request is not halted either.
        for pipe in [Pipe::Out, Pipe::In] {
            if bulk.clear_halt(pipe) == Err(BulkError::Gone) {
                return Err(broken(&self.serial, &BulkError::Gone));
            }
        }
        let (since, mut old) = (Instant::now(), [0; 1024]);
        while since.elapsed() < HUSH_MAX && matches!(bulk.read(&mut old, QUIET), Ok(1..)) {}
        let half = Half { bulk, serial: self.serial.clone() };
        Ok(Halves { reader: Box::new(half.clone()), writer: Box::new(half) })
    }
}

fn broken(serial: &str, error: &BulkError) -> Trouble {
    let why = match error {
        BulkError::Gone => "it was unplugged or switched off".to_owned(),
        BulkError::Stall => "it refused the data (STALL)".to_owned(),
        BulkError::TimedOut => "time ran out".to_owned(),
        BulkError::Failed(why) => why.clone(),
    };
    Trouble::new(Fault::Unplugged, format!("USB printer {serial}: {why}"))
}

#[derive(Clone)]
struct Half {
    bulk: Arc<dyn Bulk>,
    serial: String,
}

impl Reader for Half {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Trouble> {
        match self.bulk.read(buffer, STEP) {
            Ok(n @ 1..) => Ok(n),
            Err(BulkError::TimedOut) => Ok(0),
            Ok(0) => {
                std::thread::sleep(PAUSE);
                Ok(0)
            }
            // Nothing that was said is lost: the printer did not get to say it.
            Err(BulkError::Stall) => {
                std::thread::sleep(PAUSE);
                self.bulk.clear_halt(Pipe::In).map(|()| 0).map_err(|e| broken(&self.serial, &e))
            }
            Err(e) => Err(broken(&self.serial, &e)),
        }
    }
}

impl Writer for Half {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, NotTaken> {
        let offered = &bytes[..bytes.len().min(TRANSFER)];
        match self.bulk.write(offered, STEP) {
            Ok(n @ 1..) => Ok(n),
            Ok(0) | Err(BulkError::TimedOut) => Err(NotTaken::Stalled),
            // A STALL is cleared when the link is opened again; going on here could send a byte twice.
            Err(e) => Err(NotTaken::Broken { trouble: broken(&self.serial, &e), perhaps: offered.len() }),
        }
    }

    /// Nothing is under way between two calls; the interface is given back with the last half.
    fn hang_up(&mut self) {}
}

/// An interface setting of a device, as far as it matters here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Interface {
    pub number: u8,
    pub setting: u8,
    /// Class, subclass, protocol.
    pub class: (u8, u8, u8),
    /// Addresses of the bulk endpoints; bit 7 set: to the host (USB 2.0, 9.6.6).
    pub bulk: Vec<u8>,
}

/// Where a printer is spoken to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Endpoints {
    pub number: u8,
    pub setting: u8,
    pub write: u8,
    pub read: u8,
}

/// The bidirectional printer interface among these. One that only listens (protocol 1) cannot tell its
/// count, so nothing could be proved; 1284.4 packets (protocol 3) are not spoken here.
pub(super) fn endpoints(interfaces: &[Interface]) -> Option<Endpoints> {
    interfaces.iter().filter(|i| i.class == (7, 1, 2)).find_map(|i| {
        let find = |to_host: bool| i.bulk.iter().copied().find(|address| (address & 0x80 != 0) == to_host);
        Some(Endpoints { number: i.number, setting: i.setting, write: find(false)?, read: find(true)? })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pipes_are_those_of_the_bidirectional_printer_interface() {
        let row = |number, setting, class, bulk: &[u8]| Interface { number, setting, class, bulk: bulk.to_vec() };
        let at = |number, setting, write, read| Some(Endpoints { number, setting, write, read });
        for (interfaces, want) in [
            // A plain label printer; one with the pipes the other way round.
            (vec![row(0, 0, (7, 1, 2), &[0x01, 0x82])], at(0, 0, 0x01, 0x82)),
            (vec![row(0, 0, (7, 1, 2), &[0x83, 0x02])], at(0, 0, 0x02, 0x83)),
            // A composite device, and one whose first setting only listens.
            (vec![row(0, 0, (3, 0, 0), &[]), row(1, 0, (7, 1, 2), &[0x01, 0x81])], at(1, 0, 0x01, 0x81)),
            (vec![row(0, 0, (7, 1, 1), &[0x01]), row(0, 1, (7, 1, 2), &[0x01, 0x82])], at(0, 1, 0x01, 0x82)),
            // No way back, no way out, another language, no printer, nothing.
            (vec![row(0, 0, (7, 1, 2), &[0x01])], None),
            (vec![row(0, 0, (7, 1, 2), &[0x81])], None),
            (vec![row(0, 0, (7, 1, 3), &[0x01, 0x82])], None),
            (vec![row(0, 0, (8, 6, 80), &[0x01, 0x82])], None),
            (vec![], None),
        ] {
            assert_eq!(endpoints(&interfaces), want, "{interfaces:?}");
        }
    }
}
