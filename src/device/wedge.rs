//! A scanner that types. The kernel's key events are taken with an exclusive grab, so that neither the
//! console nor a desktop sees a scan. The calls to the kernel are in [`super::evdev`], behind [`Desk`] and
//! [`Keys`].
//!
//! A person's keyboard is never grabbed: without a word in the configuration only a device that is in the
//! table of models, or that says in a descriptor that it is a bar code scanner. Where the configuration
//! points at one that is neither, it is used, and said so aloud.
//!
//! When the kernel had to drop events (SYN_DROPPED), the scan under way is refused to its end.
//!
//! Where there are no key events to be had, because no driver of the kernel's has the scanner (a program that was
//! killed had detached it, or the system has no input layer), its reports are read through libusb.

use super::hid_pos::{self, Bus, Port, PortError};
use super::usb::{Seen, Which};
use super::{Heard, Line, Refusal, access};
use crate::scan::hid::descriptor::key_report;
use crate::scan::hid::keyboard;
use crate::scan::keys::Layout;
use crate::scan::keys::stream::{KeyEvent, Step, Typist};
use crate::scan::raw;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug)]
pub(super) enum KeysError {
    /// Another program has the grab.
    Busy,
    Io(io::Error),
}

/// Grabbed input devices of one scanner. Dropped, they are let go.
pub(super) trait Keys: Send {
    /// What came, within `at_most`; nothing when time is up.
    fn read(&mut self, at_most: Duration) -> io::Result<Vec<KeyEvent>>;
}

pub(super) trait Desk {
    type Keys: Keys;
    fn seen(&self) -> Vec<Seen>;
    /// Opens and grabs all these, or none.
    fn grab(&mut self, nodes: &[PathBuf]) -> Result<Self::Keys, KeysError>;
}

/// Keys, and a word for the way to them.
type Opened = (Box<dyn Keys>, &'static str);

pub(super) struct Door<D, B> {
    desk: D,
    bus: B,
    which: Which,
    layout: Layout,
    /// Bus and address of the devices that had no key events at the last look.
    bare: Vec<(u8, u8)>,
}

impl<D: Desk, B: Bus> Door<D, B> {
    pub fn new(desk: D, bus: B, which: Which, layout: Layout) -> Door<D, B> {
        Door { desk, bus, which, layout, bare: Vec::new() }
    }

    /// The keys of a device; none where it does not type.
    fn keys(&mut self, device: &Seen, before: &[(u8, u8)]) -> Result<Option<Opened>, Refusal>
    where
        D::Keys: 'static,
        B::Port: 'static,
    {
        let nodes = device.keyboards();
        if let Some(first) = nodes.first() {
            let grabbed = self.desk.grab(&nodes).map_err(|e| refused(first, &e))?;
            return Ok(Some((Box::new(grabbed), "wedge")));
        }
        let mut refusal = None;
        for interface in device.typing_interfaces() {
            // One that was plugged in this moment has no driver yet: it is given time until the next look.
            let at = (device.bus, device.address);
            self.bare.push(at);
            if !before.contains(&at) {
                return Err(Refusal::lost(format!(
                    "the kernel has no driver for the scanner at {} yet",
                    device.port_path
                )));
            }
            match claimed(&mut self.bus, device, interface) {
                Ok(keys) => return Ok(Some((Box::new(keys), "wedge (by libusb)"))),
                Err(e) => refusal = Some(e),
            }
        }
        refusal.map_or(Ok(None), Err)
    }
}

impl<D: Desk, B: Bus> super::Door for Door<D, B>
where
    D::Keys: 'static,
    B::Port: 'static,
{
    type Line = Typing;
    const USB: bool = true;
    const LIMITED: bool = true;

    fn open(&mut self, _: Duration) -> Result<(Self::Line, String), Refusal> {
        let mut refusal = None;
        let before = std::mem::take(&mut self.bare);
        for device in &self.desk.seen() {
            let known = device.is_scanner();
            if !self.which.matches(device) || !(known || self.which.names_one()) {
                continue;
            }
            match self.keys(device, &before) {
                Ok(None) => {}
                Ok(Some((keys, way))) => {
                    let mut what = format!("listening to the {way} {} at {}", device.identity(), device.port_path);
                    if !known {
                        what += "; IT IS IN NO TABLE OF SCANNERS and is grabbed because the configuration names it: \
                                 if it is somebody's keyboard, take it out of the configuration";
                        tracing::warn!(device = device.port_path, "{what}");
                    }
                    let (typist, form) = (Typist::new(self.layout), raw::keys(self.layout));
                    let line = Typing { keys, typist, form, begun: false, lost: false, over: None };
                    return Ok((line, what));
                }
                Err(why) => refusal = Some(why),
            }
        }
        Err(refusal.unwrap_or_else(|| {
            Refusal::lost(format!(
                "no scanner that types ({}) on USB: plug it in (`backdock devices` lists what is there)",
                self.which
            ))
        }))
    }
}

/// The keys of one interface, as reports.
struct Reported<P> {
    port: P,
    keys: keyboard::Keys,
    buffer: Vec<u8>,
}

fn claimed<B: Bus>(bus: &mut B, device: &Seen, interface: u8) -> Result<Reported<B::Port>, Refusal> {
    let refused = |e: PortError| hid_pos::refused(device, e);
    let mut port = bus.claim(device, interface).map_err(refused)?;
    let descriptor = port.descriptor().map_err(refused)?;
    let layout = key_report(&descriptor).map_err(|why| {
        Refusal::lost(format!("the scanner at {} cannot be read as a keyboard: {why}", device.port_path))
    })?;
    let buffer = vec![0; hid_pos::whole_packets(layout.bytes, port.packet())];
    Ok(Reported { port, keys: keyboard::Keys::new(layout), buffer })
}

impl<P: Port> Keys for Reported<P> {
    fn read(&mut self, at_most: Duration) -> io::Result<Vec<KeyEvent>> {
        let mut events = Vec::new();
        // A time-out of zero would mean "for ever".
        match self.port.read(&mut self.buffer, at_most.max(Duration::from_millis(1))) {
            Ok(n) => self.keys.take(&self.buffer[..n.min(self.buffer.len())], &mut events),
            Err(PortError::TimedOut) => {}
            Err(PortError::Overflow) => events.extend([KeyEvent::Dropped, KeyEvent::Report]),
            Err(PortError::Stall) if self.port.clear_halt().is_ok() => {
                events.extend([KeyEvent::Dropped, KeyEvent::Report]);
            }
            Err(e) => return Err(io::Error::other(format!("{e:?}"))),
        }
        Ok(events)
    }
}

fn refused(node: &std::path::Path, error: &KeysError) -> Refusal {
    let name = node.display();
    match error {
        KeysError::Busy => Refusal::denied(format!(
            "another program has grabbed {name}: end it, it can be seen with `sudo fuser -v {name}`"
        )),
        KeysError::Io(e) if e.kind() == io::ErrorKind::PermissionDenied => Refusal::denied(access::explain(node, e)),
        KeysError::Io(e) => Refusal::lost(access::explain(node, e)),
    }
}

/// A scanner being listened to.
pub(super) struct Typing {
    keys: Box<dyn Keys>,
    typist: Typist,
    form: String,
    /// The tape knows that it was opened.
    begun: bool,
    /// On the tape, events are being lost.
    lost: bool,
    over: Option<String>,
}

impl Line for Typing {
    const BYTES: bool = false;

    fn form(&self) -> &str {
        &self.form
    }

    fn hear(&mut self, buffer: &mut [u8], at_most: Duration, raw: &mut Vec<u8>) -> Heard {
        if self.typist.is_empty() && self.over.is_none() {
            match self.keys.read(at_most) {
                Ok(events) => {
                    if !events.is_empty() && !std::mem::replace(&mut self.begun, true) {
                        raw.extend(raw::OPENED);
                    }
                    for event in events {
                        raw::write_key(event, &mut self.lost, raw);
                        self.typist.take(event);
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => self.over = Some("the scanner was unplugged: check its cable".to_owned()),
            }
        }
        match (self.typist.next(buffer.len()), &self.over) {
            (Some(Step::Spoilt), _) => Heard::Spoilt,
            (Some(Step::Bytes(bytes)), _) => {
                buffer[..bytes.len()].copy_from_slice(&bytes);
                Heard::Bytes(bytes.len())
            }
            (None, Some(reason)) => Heard::End { orderly: false, reason: reason.clone() },
            (None, None) => Heard::Silence,
        }
    }
}
