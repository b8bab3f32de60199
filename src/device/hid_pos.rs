//! A HID point-of-sale scanner, spoken to through libusb. This file is everything above the calls to
//! libusb; those are in [`super::libusb`], behind [`Bus`] and [`Port`], so that the rest is tested without
//! a USB bus.
//!
//! The kernel's own driver is detached for as long as we listen and gets the device back at the end. The
//! report descriptor is asked of the device at every opening; whether it is a scanner was read from sysfs.

use super::usb::{Seen, Which};
use super::{Heard, Line, Refusal, access};
use crate::scan::hid::{Decoder, layout};
use crate::scan::models::{self, Mode};
use crate::scan::{Frame, Suffix, raw};
use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

/// What can go wrong with a port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum PortError {
    /// Time is up; nothing came.
    TimedOut,
    /// The endpoint halted until that is cleared.
    Stall,
    /// More came than a report may have.
    Overflow,
    Gone,
    Denied,
    Busy,
    Failed(String),
}

/// A claimed HID interface. Dropped, it gives the interface back to the kernel's driver.
pub(super) trait Port: Send {
    /// GET_DESCRIPTOR (report).
    fn descriptor(&mut self) -> Result<Vec<u8>, PortError>;
    /// SET_REPORT (feature).
    fn feature(&mut self, id: u8, data: &[u8]) -> Result<(), PortError>;
    /// One report; 0 for an empty one. `buffer` is one report long, up to whole packets.
    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<usize, PortError>;
    /// Length of a packet, in bytes.
    fn packet(&self) -> usize;
    fn clear_halt(&mut self) -> Result<(), PortError>;
}

/// Where scanners are plugged in.
pub(super) trait Bus {
    type Port: Port;
    fn seen(&self) -> Vec<Seen>;
    fn claim(&mut self, device: &Seen, interface: u8) -> Result<Self::Port, PortError>;
}

pub(super) struct Door<B> {
    bus: B,
    which: Which,
    suffix: Suffix,
}

impl<B: Bus> Door<B> {
    pub fn new(bus: B, which: Which, suffix: Suffix) -> Door<B> {
        Door { bus, which, suffix }
    }

    fn claimed(&mut self, device: &Seen, interface: u8) -> Result<(Reports<B::Port>, String), Refusal> {
        let refused = |e: PortError| refused(device, e);
        let mut port = self.bus.claim(device, interface).map_err(refused)?;
        let descriptor = port.descriptor().map_err(refused)?;
        let layout = layout(&descriptor).map_err(|why| {
            Refusal::lost(format!(
                "the scanner at {} cannot be read as HID POS: {why}; set it to another mode by a barcode of its manual",
                device.port_path
            ))
        })?;
        for (id, data) in models::features(device.vendor_id) {
            // Older models do not know it and need it not.
            if let Err(e) = port.feature(*id, data) {
                tracing::debug!(device = device.port_path, id, error = ?e, "feature report not taken");
            }
        }
        let buffer = vec![0; whole_packets(layout.bytes, port.packet())];
        let what = format!("listening to the HID POS scanner {} at {}", device.identity(), device.port_path);
        let line = Reports {
            port,
            form: raw::reports(&descriptor),
            decoder: Decoder::new(layout),
            suffix: self.suffix,
            buffer,
            frames: VecDeque::new(),
            over: None,
            start: Instant::now(),
        };
        Ok((line, what))
    }
}

impl<B: Bus> super::Door for Door<B> {
    type Line = Reports<B::Port>;
    const USB: bool = true;
    const LIMITED: bool = true;

    fn open(&mut self, _: Duration) -> Result<(Self::Line, String), Refusal> {
        let mut refusal = None;
        let seen = self.bus.seen();
        let meant: Vec<&Seen> = seen.iter().filter(|d| self.which.matches(d)).collect();
        for device in meant {
            // A station that was killed leaves the device without a driver, and so sysfs without its
            // descriptor: the device itself is asked then, where it may be ours to ask.
            let by_number = models::model(device.vendor_id, device.product_id)
                .is_some_and(|m| matches!(m.mode, Mode::HidPos | Mode::Ibm | Mode::Unstated));
            let unsure = by_number || self.which.names_one();
            for interface in device.pos_interfaces(unsure) {
                match self.claimed(device, interface) {
                    Ok(opened) => return Ok(opened),
                    // Another of the same model may be free.
                    Err(why) => refusal = Some(why),
                }
            }
        }
        Err(refusal.unwrap_or_else(|| {
            Refusal::lost(format!(
                "no HID POS scanner ({}) on USB: plug it in, or set it to \"USB HID POS\" by a barcode of its manual (`backdock devices` lists what is there)",
                self.which
            ))
        }))
    }
}

/// Room for a report, in whole packets: a device that sends more than asked for fails the read.
pub(super) fn whole_packets(bytes: usize, packet: usize) -> usize {
    bytes.max(1).div_ceil(packet.max(1)) * packet.max(1)
}

pub(super) fn refused(device: &Seen, error: PortError) -> Refusal {
    let node = device.node();
    let name = node.display();
    match error {
        PortError::Denied => Refusal::denied(access::explain(&node, &io::ErrorKind::PermissionDenied.into())),
        PortError::Busy => Refusal::denied(format!(
            "another program holds the scanner at {name}: end it, it can be seen with `sudo fuser -v {name}`"
        )),
        PortError::Gone => Refusal::lost("the scanner was unplugged just now".to_owned()),
        other => Refusal::lost(format!("the scanner at {name} does not answer ({other:?}): plug it in again")),
    }
}

/// An open scanner.
pub(super) struct Reports<P> {
    port: P,
    /// On a tape.
    form: String,
    decoder: Decoder,
    suffix: Suffix,
    buffer: Vec<u8>,
    frames: VecDeque<Frame>,
    over: Option<String>,
    start: Instant,
}

impl<P: Port> Reports<P> {
    fn ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn next(&mut self, else_: Heard) -> Heard {
        match self.frames.pop_front() {
            Some(Frame::Payload(bytes)) => Heard::Frame(Frame::Payload(self.suffix.taken_off(&bytes).to_vec())),
            Some(frame) => Heard::Frame(frame),
            None => else_,
        }
    }
}

impl<P: Port> Line for Reports<P> {
    const BYTES: bool = false;

    fn form(&self) -> &str {
        &self.form
    }

    fn hear(&mut self, _: &mut [u8], at_most: Duration, raw: &mut Vec<u8>) -> Heard {
        if !self.frames.is_empty() {
            return self.next(Heard::Silence);
        }
        if let Some(reason) = self.over.clone() {
            return Heard::End { orderly: false, reason };
        }
        let due = self.decoder.deadline().map(|at| Duration::from_millis(at.saturating_sub(self.ms())));
        // A time-out of zero would mean "for ever".
        let wait = due.map_or(at_most, |due| due.min(at_most)).max(Duration::from_millis(1));
        let read = self.port.read(&mut self.buffer, wait);
        let now = self.ms();
        let frames = &mut self.frames;
        let out = &mut |frame| frames.push_back(frame);
        match read {
            Ok(n) => {
                let report = &self.buffer[..n.min(self.buffer.len())];
                raw.extend(report);
                self.decoder.push(report, now, out);
                self.next(Heard::Noise)
            }
            Err(PortError::TimedOut) => {
                self.decoder.tick(now, out);
                self.next(Heard::Silence)
            }
            Err(PortError::Overflow) => Heard::Noise,
            Err(PortError::Stall) if self.port.clear_halt().is_ok() => {
                self.decoder.close(out);
                self.next(Heard::Noise)
            }
            Err(e) => {
                self.decoder.close(out);
                self.over = Some(match e {
                    PortError::Failed(why) => format!("the scanner went ({why}): check its cable"),
                    _ => "the scanner was unplugged: check its cable".to_owned(),
                });
                self.hear(&mut [], at_most, raw)
            }
        }
    }
}
