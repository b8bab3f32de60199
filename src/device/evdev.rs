//! The calls to the kernel's input layer behind [`super::wedge`], and nothing else. The raw stream of the
//! crate is used: its friendlier one hides that events were dropped.

use super::usb::{self, Seen};
use super::wedge::{Desk, Keys, KeysError};
use crate::scan::keys::stream::KeyEvent;
use evdev::raw_stream::RawDevice;
use evdev::{EventType, InputEvent, LedCode};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

const SYN_REPORT: u16 = 0;
const SYN_DROPPED: u16 = 3;

pub(super) struct Kernel;

impl Desk for Kernel {
    type Keys = Grabbed;

    fn seen(&self) -> Vec<Seen> {
        usb::seen()
    }

    fn grab(&mut self, nodes: &[PathBuf]) -> Result<Grabbed, KeysError> {
        let mut devices = Vec::new();
        for node in nodes {
            let mut device = RawDevice::open(node).map_err(KeysError::Io)?;
            device.grab().map_err(|e| match e.kind() {
                io::ErrorKind::ResourceBusy => KeysError::Busy,
                _ => KeysError::Io(e),
            })?;
            // A scanner that looks at the light types the other way round while it is on.
            if let Err(e) = device.send_events(&[InputEvent::new(EventType::LED.0, LedCode::LED_CAPSL.0, 0)]) {
                tracing::debug!(node = %node.display(), error = %e, "its Caps Lock light cannot be set");
            }
            devices.push(device);
        }
        Ok(Grabbed { devices })
    }
}

/// Closing an input device ends the grab.
pub(super) struct Grabbed {
    devices: Vec<RawDevice>,
}

impl Keys for Grabbed {
    fn read(&mut self, at_most: Duration) -> io::Result<Vec<KeyEvent>> {
        let ready: Vec<bool> = {
            let mut fds: Vec<PollFd> = self.devices.iter().map(|d| PollFd::new(d, PollFlags::IN)).collect();
            let wait = Timespec::try_from(at_most).map_err(io::Error::other)?;
            poll(&mut fds, Some(&wait))?;
            fds.iter().map(|fd| !fd.revents().is_empty()).collect()
        };
        let mut events = Vec::new();
        for (device, _) in self.devices.iter_mut().zip(ready).filter(|(_, ready)| *ready) {
            events.extend(device.fetch_events()?.filter_map(told));
        }
        Ok(events)
    }
}

fn told(event: InputEvent) -> Option<KeyEvent> {
    match (event.event_type(), event.code()) {
        (EventType::KEY, code) => Some(KeyEvent::Key(code, event.value())),
        (EventType::SYNCHRONIZATION, SYN_REPORT) => Some(KeyEvent::Report),
        (EventType::SYNCHRONIZATION, SYN_DROPPED) => Some(KeyEvent::Dropped),
        _ => None,
    }
}
