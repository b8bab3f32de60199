//! A scanner that types. The kernel's key events are taken with an exclusive grab, so that neither the
//! console nor a desktop sees a scan. The calls to the kernel are in [`super::evdev`], behind [`Desk`] and
//! [`Keys`].
//!
//! A person's keyboard is never grabbed: without a word in the configuration only a device that is in the
//! table of models, or that says in a descriptor that it is a bar code scanner. Where the configuration
//! points at one that is neither, it is used, and said so aloud.
//!
//! When the kernel had to drop events (SYN_DROPPED), the scan under way is refused to its end.

use super::usb::{Seen, Which};
use super::{Heard, Line, Refusal, access};
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

pub(super) struct Door<D> {
    desk: D,
    which: Which,
    layout: Layout,
}

impl<D: Desk> Door<D> {
    pub fn new(desk: D, which: Which, layout: Layout) -> Door<D> {
        Door { desk, which, layout }
    }
}

impl<D: Desk> super::Door for Door<D> {
    type Line = Typing<D::Keys>;
    const USB: bool = true;
    const LIMITED: bool = true;

    fn open(&mut self, _: Duration) -> Result<(Self::Line, String), Refusal> {
        let mut refusal = None;
        for device in self.desk.seen().iter().filter(|d| self.which.matches(d)) {
            let (nodes, known) = (device.keyboards(), device.is_scanner());
            if nodes.is_empty() || !(known || self.which.names_one()) {
                continue;
            }
            match self.desk.grab(&nodes) {
                Ok(keys) => {
                    let mut what = format!("listening to the wedge {} at {}", device.identity(), device.port_path);
                    if !known {
                        what += "; IT IS IN NO TABLE OF SCANNERS and is grabbed because the configuration names it: \
                                 if it is somebody's keyboard, take it out of the configuration";
                        tracing::warn!(device = device.port_path, "{what}");
                    }
                    let (typist, form) = (Typist::new(self.layout), raw::keys(self.layout));
                    let line = Typing { keys, typist, form, lost: false, over: None };
                    return Ok((line, what));
                }
                Err(e) => refusal = Some(refused(&nodes[0], &e)),
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
pub(super) struct Typing<K> {
    keys: K,
    typist: Typist,
    form: String,
    /// On the tape, events are being lost.
    lost: bool,
    over: Option<String>,
}

impl<K: Keys> Line for Typing<K> {
    const BYTES: bool = false;

    fn form(&self) -> &str {
        &self.form
    }

    fn hear(&mut self, buffer: &mut [u8], at_most: Duration, raw: &mut Vec<u8>) -> Heard {
        if self.typist.is_empty() && self.over.is_none() {
            match self.keys.read(at_most) {
                Ok(events) => {
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
