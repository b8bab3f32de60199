//! The calls to libusb behind [`super::usb`], and nothing else.
//!
//! The bus is looked at anew at every opening, with a context of its own: where no hotplug news arrive (a
//! container) a context that is kept would never see a printer that was plugged in later.
//!
//! It takes a printer on a USB bus to try this file: `tests/lab` plays one on a real kernel;
//! `tests/links.rs` covers what stands above it.

use super::link::Trouble;
use super::node::no_permission;
use super::usb::{Bulk, BulkError, Bus, Endpoints, Interface, Pipe, endpoints};
use crate::zebra::Fault;
use rusb::{Context, Device, DeviceHandle, Error, TransferType, UsbContext};
use std::sync::Arc;
use std::time::Duration;

/// Zebra Technologies.
pub(super) const ZEBRA: u16 = 0x0a5f;

pub(super) struct Libusb;

impl Bus for Libusb {
    fn claim(&mut self, serial: &str) -> Result<Arc<dyn Bulk>, Trouble> {
        let no_usb = |e: Error| {
            let why = format!(
                "USB cannot be used here ({e}): check that /dev/bus/usb is there, in a container pass it on \
                 (--device /dev/bus/usb)"
            );
            Trouble::new(Fault::Denied, why)
        };
        let context = Context::new().map_err(no_usb)?;
        let mut closed = None;
        for device in context.devices().map_err(no_usb)?.iter() {
            let Some(at) = printer(&device) else { continue };
            let handle = match device.open() {
                Ok(handle) => handle,
                Err(Error::Access) => {
                    closed = Some(format!("/dev/bus/usb/{:03}/{:03}", device.bus_number(), device.address()));
                    continue;
                }
                // Unplugged just now.
                Err(_) => continue,
            };
            let own = device.device_descriptor().and_then(|d| handle.read_serial_number_string_ascii(&d));
            if own.is_ok_and(|own| own.trim() == serial) {
                return claimed(handle, at, serial);
            }
        }
        Err(match closed {
            // It may be the one that is meant: its number cannot be read without permission.
            Some(node) => Trouble::new(Fault::Denied, no_permission(&node, super::lp::GROUP)),
            None => Trouble::new(Fault::Unplugged, format!("no Zebra with the serial number {serial} on USB")),
        })
    }
}

/// Where this device is spoken to, if it is a Zebra printer.
fn printer(device: &Device<Context>) -> Option<Endpoints> {
    if device.device_descriptor().ok()?.vendor_id() != ZEBRA {
        return None;
    }
    let config = device.active_config_descriptor().ok()?;
    let rows: Vec<Interface> = config
        .interfaces()
        .flat_map(|i| i.descriptors())
        .map(|d| Interface {
            number: d.interface_number(),
            setting: d.setting_number(),
            class: (d.class_code(), d.sub_class_code(), d.protocol_code()),
            bulk: d
                .endpoint_descriptors()
                .filter(|e| e.transfer_type() == TransferType::Bulk)
                .map(|e| e.address())
                .collect(),
        })
        .collect();
    endpoints(&rows)
}

fn claimed(handle: DeviceHandle<Context>, at: Endpoints, serial: &str) -> Result<Arc<dyn Bulk>, Trouble> {
    let refused = |e: Error| {
        let fault = match e {
            Error::Busy => Fault::InUse,
            Error::Access => Fault::Denied,
            Error::NoDevice => Fault::Unplugged,
            _ => Fault::Unreachable,
        };
        Trouble::new(fault, format!("USB printer {serial} cannot be claimed: {e}"))
    };
    // The kernel's usblp lets go when the interface is claimed and gets it back when it is released.
    match handle.set_auto_detach_kernel_driver(true) {
        Ok(()) | Err(Error::NotSupported) => {}
        Err(e) => return Err(refused(e)),
    }
    handle.claim_interface(at.number).map_err(refused)?;
    if at.setting != 0 {
        handle.set_alternate_setting(at.number, at.setting).map_err(refused)?;
    }
    Ok(Arc::new(Claimed { handle, at }))
}

/// Dropping the handle releases the interface.
struct Claimed {
    handle: DeviceHandle<Context>,
    at: Endpoints,
}

fn told(error: Error) -> BulkError {
    match error {
        Error::Timeout | Error::Interrupted => BulkError::TimedOut,
        Error::Pipe => BulkError::Stall,
        Error::NoDevice | Error::NotFound => BulkError::Gone,
        other => BulkError::Failed(other.to_string()),
    }
}

impl Bulk for Claimed {
    /// rusb answers a time-out half-way with the bytes that moved.
    fn write(&self, bytes: &[u8], wait: Duration) -> Result<usize, BulkError> {
        self.handle.write_bulk(self.at.write, bytes, wait).map_err(told)
    }

    fn read(&self, buffer: &mut [u8], wait: Duration) -> Result<usize, BulkError> {
        self.handle.read_bulk(self.at.read, buffer, wait).map_err(told)
    }

    fn clear_halt(&self, pipe: Pipe) -> Result<(), BulkError> {
        let endpoint = if pipe == Pipe::Out { self.at.write } else { self.at.read };
        self.handle.clear_halt(endpoint).map_err(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_the_printer_says_which_is_missing_and_never_panics() {
        let trouble = Libusb.claim("D2J123456789").err().unwrap();
        assert!(matches!(trouble.fault, Fault::Denied | Fault::Unplugged), "{trouble:?}");
        assert!(trouble.why.contains("/dev/bus/usb") || trouble.why.contains("D2J123456789"), "{trouble:?}");
    }
}
