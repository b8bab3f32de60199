//! What udev tells its listeners: a binary header and `KEY=value` lines. From `libudev-monitor` of systemd,
//! unchanged since udev 151: eight bytes `libudev\0`, a magic number, then the header's own length and where
//! the properties lie, in the machine's byte order, and hashes for filters.

const PREFIX: &[u8] = b"libudev\0";
const MAGIC: u32 = 0xfeed_cafe;
/// The header as far as it is read here.
const HEADER: usize = 24;

/// The properties of a message, if it is one of udev's.
pub(super) fn properties(message: &[u8]) -> Option<impl Iterator<Item = (&[u8], &[u8])>> {
    if message.len() < HEADER || !message.starts_with(PREFIX) {
        return None;
    }
    let word = |at: usize| <[u8; 4]>::try_from(message.get(at..at + 4)?).ok();
    if u32::from_be_bytes(word(8)?) != MAGIC {
        return None;
    }
    let (start, len) = (u32::from_ne_bytes(word(16)?) as usize, u32::from_ne_bytes(word(20)?) as usize);
    let text = message.get(start..start.checked_add(len)?)?;
    Some(text.split(|b| *b == 0).filter_map(|line| {
        let at = line.iter().position(|b| *b == b'=')?;
        Some((&line[..at], &line[at + 1..]))
    }))
}

/// Whether a message says that something came, went or changed that could be a scanner or a printer.
pub(super) fn matters(message: &[u8]) -> bool {
    const OURS: [&[u8]; 5] = [b"tty", b"input", b"hidraw", b"usb", b"usbmisc"];
    properties(message).is_some_and(|mut all| all.any(|(key, value)| key == b"SUBSYSTEM" && OURS.contains(&value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(text: &[u8]) -> Vec<u8> {
        let mut bytes = PREFIX.to_vec();
        bytes.extend(MAGIC.to_be_bytes());
        for number in [40, 40, u32::try_from(text.len()).unwrap()] {
            bytes.extend(number.to_ne_bytes());
        }
        bytes.resize(40, 0);
        bytes.extend(text);
        bytes
    }

    #[test]
    fn a_message_of_udev_is_read_and_no_other() {
        let tty = message(b"ACTION=add\0SUBSYSTEM=tty\0DEVNAME=/dev/ttyACM0\0");
        assert!(matters(&tty));
        assert_eq!(properties(&tty).unwrap().count(), 3);
        assert!(!matters(&message(b"ACTION=add\0SUBSYSTEM=block\0")));
        assert!(!matters(&message(b"SUBSYSTEM\0=tty\0")));
        // The kernel's own form, a wrong magic number, lengths that lead outside.
        assert!(properties(b"add@/devices/x\0ACTION=add\0SUBSYSTEM=tty\0").is_none());
        for at in [0, 8] {
            let mut wrong = tty.clone();
            wrong[at] ^= 1;
            assert!(properties(&wrong).is_none());
        }
        for (at, value) in [(16, u32::MAX), (20, u32::MAX), (20, 1000)] {
            let mut wrong = tty.clone();
            wrong[at..at + 4].copy_from_slice(&value.to_ne_bytes());
            assert!(properties(&wrong).is_none());
        }
    }

    proptest! {
        #[test]
        fn no_message_does_harm(bytes in prop::collection::vec(any::<u8>(), 0..80), cut in 0usize..60) {
            matters(&bytes);
            let whole = message(&bytes);
            matters(&whole[..cut.min(whole.len())]);
            prop_assert!(properties(&message(&bytes)).is_some());
        }
    }
}
