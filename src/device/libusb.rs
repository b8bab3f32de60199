//! The calls to libusb behind [`super::hid_pos`], and nothing else.
//!
//! The bus is looked at anew at every opening, with a context of its own. Proved on a real kernel by the
//! lab only; `hid_pos` and its tests cover what stands above.

use super::hid_pos::{Bus, Port, PortError};
use super::usb::{self, Seen};
use crate::scan::hid::descriptor::MAX_DESCRIPTOR;
use rusb::{Context, DeviceHandle, Direction, Error, Recipient, RequestType, TransferType, UsbContext, request_type};
use std::time::Duration;

/// How long a device may take to answer a question.
const ANSWER: Duration = Duration::from_millis(500);
/// USB 2.0, 9.4: GET_DESCRIPTOR; HID 1.11, 7.1: its report descriptor, SET_REPORT, a feature report.
const GET_DESCRIPTOR: u8 = 0x06;
const REPORT_DESCRIPTOR: u16 = 0x2200;
const SET_REPORT: u8 = 0x09;
const FEATURE: u16 = 0x0300;

pub(super) struct Libusb;

impl Bus for Libusb {
    type Port = Claimed;

    fn seen(&self) -> Vec<Seen> {
        usb::seen()
    }

    fn claim(&mut self, wanted: &Seen, interface: u8) -> Result<Claimed, PortError> {
        let context = Context::new().map_err(told)?;
        let devices = context.devices().map_err(told)?;
        let device = devices
            .iter()
            .find(|d| (d.bus_number(), d.address()) == (wanted.bus, wanted.address))
            .ok_or(PortError::Gone)?;
        let config = device.active_config_descriptor().map_err(told)?;
        let (endpoint, packet) = config
            .interfaces()
            .filter(|i| i.number() == interface)
            .flat_map(|i| i.descriptors().take(1))
            .flat_map(|d| d.endpoint_descriptors())
            .find(|e| e.transfer_type() == TransferType::Interrupt && e.direction() == Direction::In)
            .map(|e| (e.address(), usize::from(e.max_packet_size() & 0x7ff)))
            .ok_or_else(|| PortError::Failed("it has no interrupt endpoint".to_owned()))?;
        let handle = device.open().map_err(told)?;
        // The kernel's driver lets go when the interface is claimed and gets it back when it is released.
        match handle.set_auto_detach_kernel_driver(true) {
            Ok(()) | Err(Error::NotSupported) => {}
            Err(e) => return Err(told(e)),
        }
        handle.claim_interface(interface).map_err(told)?;
        Ok(Claimed { handle, interface, endpoint, packet })
    }
}

/// Released when dropped: libusb attaches the kernel's driver again then.
pub(super) struct Claimed {
    handle: DeviceHandle<Context>,
    interface: u8,
    endpoint: u8,
    packet: usize,
}

impl Drop for Claimed {
    fn drop(&mut self) {
        // Fails where the device is gone; then there is nothing to give back.
        let _ = self.handle.release_interface(self.interface);
    }
}

fn told(error: Error) -> PortError {
    match error {
        Error::Timeout | Error::Interrupted => PortError::TimedOut,
        Error::Pipe => PortError::Stall,
        Error::Overflow => PortError::Overflow,
        Error::NoDevice | Error::NotFound => PortError::Gone,
        Error::Access => PortError::Denied,
        Error::Busy => PortError::Busy,
        other => PortError::Failed(other.to_string()),
    }
}

impl Port for Claimed {
    fn descriptor(&mut self) -> Result<Vec<u8>, PortError> {
        let kind = request_type(Direction::In, RequestType::Standard, Recipient::Interface);
        let (mut buffer, at) = (vec![0; MAX_DESCRIPTOR], u16::from(self.interface));
        let read = self.handle.read_control(kind, GET_DESCRIPTOR, REPORT_DESCRIPTOR, at, &mut buffer, ANSWER);
        buffer.truncate(read.map_err(told)?);
        Ok(buffer)
    }

    fn feature(&mut self, id: u8, data: &[u8]) -> Result<(), PortError> {
        let kind = request_type(Direction::Out, RequestType::Class, Recipient::Interface);
        let bytes = [&[id], data].concat();
        let (value, at) = (FEATURE | u16::from(id), u16::from(self.interface));
        self.handle.write_control(kind, SET_REPORT, value, at, &bytes, ANSWER).map(drop).map_err(told)
    }

    fn read(&mut self, buffer: &mut [u8], wait: Duration) -> Result<usize, PortError> {
        self.handle.read_interrupt(self.endpoint, buffer, wait).map_err(told)
    }

    fn packet(&self) -> usize {
        self.packet
    }

    fn clear_halt(&mut self) -> Result<(), PortError> {
        self.handle.clear_halt(self.endpoint).map_err(told)
    }
}
