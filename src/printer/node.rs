//! Bytes to and from a device node: what a serial port and the kernel's printer port have in common.
//!
//! A cable is not a connection. A printer that is silent (paper out) is given up and connected to anew,
//! which on a cable would only throw away what the kernel still holds of a label; so the node stays open
//! in between, on the [`Shelf`], and is really closed when it broke or the station stops.

use super::link::{DataBits, Flow};
use super::link::{Halves, Line, NotTaken, Reader, STEP, Trouble, Writer};
use crate::zebra::Fault;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{QueueSelector, tcdrain, tcflush};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So long nothing must come after opening: answers to questions that somebody else asked before.
const QUIET: Duration = Duration::from_millis(150);
/// How long such answers are waited for at most.
const HUSH_MAX: Duration = Duration::from_secs(2);
/// How long the last bytes may take at the end: several printers are stopped within five seconds.
const LAST: Duration = Duration::from_secs(1);
/// After a read or write that promised something and brought nothing.
const PAUSE: Duration = Duration::from_millis(10);
/// The most that usblp gives to the printer in one transfer (USBLP_BUF_SIZE), bytes.
const USBLP_TRANSFER: usize = 8192;
/// The control bytes of XON/XOFF. No answer of a printer holds one of them as data.
const DC1: u8 = 0x11;
const DC3: u8 = 0x13;

/// An open device node.
pub(super) struct Node {
    file: File,
    name: String,
    /// The settings of a serial port; `None` for a printer port.
    line: Option<Line>,
    broken: AtomicBool,
}

/// Where a node waits between two connections.
pub(super) type Shelf = Arc<Mutex<Option<Arc<Node>>>>;

/// Opens the node without waiting for a carrier, and without making it anybody's terminal.
///
/// # Errors
/// What the operator does about it. `group` is the one that udev gives the node to.
pub(super) fn open(path: &Path, group: &str) -> Result<File, Trouble> {
    let flags = (rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY).bits();
    let opened = OpenOptions::new().read(true).write(true).custom_flags(flags as i32).open(path);
    opened.map_err(|e| refused(path, group, &e))
}

pub(super) fn refused(path: &Path, group: &str, error: &io::Error) -> Trouble {
    let name = path.display();
    match error.kind() {
        ErrorKind::PermissionDenied => Trouble::new(Fault::Denied, no_permission(&name.to_string(), group)),
        ErrorKind::ResourceBusy | ErrorKind::WouldBlock => {
            Trouble::new(Fault::InUse, format!("{name} is held by another program (sudo fuser -v {name} names it)"))
        }
        ErrorKind::NotFound => Trouble::new(Fault::Unplugged, format!("{name} is not there")),
        _ if gone(error) => Trouble::new(Fault::Unplugged, format!("{name}: {error}")),
        _ => Trouble::new(Fault::Unreachable, format!("{name}: {error}")),
    }
}

/// The sentence for a device that this process may not open.
pub(super) fn no_permission(name: &str, group: &str) -> String {
    format!(
        "no permission for {name}: add the station's user to group {group} (sudo usermod -aG {group} backdock), \
         install the udev rules (70-backdock.rules), and start the station again"
    )
}

fn gone(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(code, Some(Errno::NODEV | Errno::NXIO | Errno::IO))
}

impl Node {
    pub(super) fn new(file: File, path: &Path, line: Option<Line>) -> Arc<Node> {
        Arc::new(Node { file, name: path.display().to_string(), line, broken: AtomicBool::new(false) })
    }

    /// Waits until the node can be read or written; `false` when it cannot within `wait`.
    fn ready(&self, what: PollFlags, wait: Duration) -> bool {
        // Both constants above are far from the limits of a Timespec.
        let wait = Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: i64::from(wait.subsec_nanos()) };
        poll(&mut [PollFd::new(&self.file, what)], Some(&wait)).is_ok_and(|n| n > 0)
    }

    fn breaks(&self, why: impl std::fmt::Display) -> Trouble {
        self.broken.store(true, Ordering::Relaxed);
        Trouble::new(Fault::Unplugged, format!("{}: {why}", self.name))
    }

    /// Forgets what still comes from before, until nothing comes for [`QUIET`].
    fn hush(&self) {
        let (since, mut old) = (Instant::now(), [0; 1024]);
        while since.elapsed() < HUSH_MAX && self.ready(PollFlags::IN, QUIET) {
            // An end or an error is met again by the reader.
            if !matches!((&self.file).read(&mut old), Ok(1..)) {
                return;
            }
        }
    }
}

impl Drop for Node {
    /// Gives the last bytes a moment. The kernel would wait half a minute at the close of a serial port
    /// whose line is held, and that is longer than a stop may take.
    fn drop(&mut self) {
        if self.broken.load(Ordering::Relaxed) {
            return;
        }
        if self.line.is_none() {
            self.ready(PollFlags::OUT, LAST);
            return;
        }
        let file = &self.file;
        // The mark stays on a port that somebody else still has open.
        let _ = rustix::termios::ioctl_tiocnxcl(file);
        std::thread::scope(|scope| {
            let (done, is_done) = channel();
            scope.spawn(move || done.send(tcdrain(file)));
            if is_done.recv_timeout(LAST).is_err() {
                tracing::warn!(port = self.name, "closed while the printer held the line; the rest is not sent");
                let _ = tcflush(file, QueueSelector::OFlush);
            }
        });
    }
}

/// A node's two halves, heard and written from now on.
pub(super) fn halves(node: Arc<Node>, shelf: &Shelf) -> Halves {
    node.hush();
    Halves { reader: Box::new(Ear(node.clone())), writer: Box::new(Hand { node, shelf: shelf.clone() }) }
}

/// The node of the connection before, if it is still good.
pub(super) fn kept(shelf: &Shelf) -> Option<Arc<Node>> {
    let node = shelf.lock().unwrap_or_else(PoisonError::into_inner).take();
    node.filter(|n| !n.broken.load(Ordering::Relaxed))
}

struct Ear(Arc<Node>);

impl Reader for Ear {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Trouble> {
        if !self.0.ready(PollFlags::IN, STEP) {
            return Ok(0);
        }
        match (&self.0.file).read(buffer) {
            Ok(0) if self.0.line.is_some() => Err(self.0.breaks("the port hung up")),
            // On USB an empty packet is an answer that says nothing.
            Ok(0) => {
                std::thread::sleep(PAUSE);
                Ok(0)
            }
            Ok(n) if self.0.line.is_some() => Ok(without_flow_control(&mut buffer[..n])),
            Ok(n) => Ok(n),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(0),
            Err(e) => Err(self.0.breaks(e)),
        }
    }
}

/// Takes DC1 and DC3 out, which a printer set to XON/XOFF sends whatever this end is set to. Returns
/// how many bytes are left.
fn without_flow_control(bytes: &mut [u8]) -> usize {
    let mut kept = 0;
    for at in 0..bytes.len() {
        if !matches!(bytes[at], DC1 | DC3) {
            bytes[kept] = bytes[at];
            kept += 1;
        }
    }
    kept
}

struct Hand {
    node: Arc<Node>,
    shelf: Shelf,
}

impl Writer for Hand {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, NotTaken> {
        // The first try asks nobody: the line is free nearly always.
        for _ in 0..2 {
            match (&self.node.file).write(bytes) {
                Ok(n @ 1..) => return Ok(n),
                // ENOSPC is usblp's word for a printer without paper.
                Ok(0) => {}
                Err(e)
                    if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted | ErrorKind::StorageFull) => {}
                Err(e) => {
                    // A serial port takes some bytes or says why it takes none. usblp says that a transfer failed,
                    // and nobody knows how much of it the printer had taken until then.
                    let perhaps = if self.node.line.is_some() { 0 } else { bytes.len().min(USBLP_TRANSFER) };
                    return Err(NotTaken::Broken { trouble: self.node.breaks(e), perhaps });
                }
            }
            if !self.node.ready(PollFlags::OUT, STEP) {
                return Err(NotTaken::Stalled);
            }
        }
        std::thread::sleep(PAUSE);
        Err(NotTaken::Stalled)
    }

    /// 7 data bits lose the eighth; DC1 and DC3 inside a label would stop and start the printer's answers.
    fn carries(&self, bytes: &[u8]) -> Result<(), String> {
        let Some(line) = self.node.line else { return Ok(()) };
        let wrong = |byte: &&u8| {
            line.data_bits == DataBits::Seven && !byte.is_ascii()
                || line.flow == Flow::XonXoff && matches!(**byte, DC1 | DC3)
        };
        match bytes.iter().find(wrong) {
            None => Ok(()),
            Some(byte) => {
                Err(format!("{} as it is set cannot carry the byte {byte:#04x} in this label", self.node.name))
            }
        }
    }

    fn hang_up(&mut self) {
        if !self.node.broken.load(Ordering::Relaxed) {
            *self.shelf.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.node.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    #[test]
    fn every_refusal_has_its_fault_and_a_next_step() {
        let path = Path::new("/dev/usb/lp7");
        let of = |code: Errno| refused(path, "lp", &io::Error::from(code));
        for (code, fault, word) in [
            (Errno::ACCESS, Fault::Denied, "sudo usermod -aG lp backdock"),
            (Errno::PERM, Fault::Denied, "70-backdock.rules"),
            (Errno::BUSY, Fault::InUse, "sudo fuser"),
            (Errno::WOULDBLOCK, Fault::InUse, "another program"),
            (Errno::NOENT, Fault::Unplugged, "is not there"),
            (Errno::NODEV, Fault::Unplugged, "/dev/usb/lp7"),
            (Errno::INVAL, Fault::Unreachable, "/dev/usb/lp7"),
        ] {
            let trouble = of(code);
            assert_eq!(trouble.fault, fault, "{code:?}");
            assert!(trouble.why.contains(word), "{}", trouble.why);
        }
    }

    #[test]
    fn what_a_failed_transfer_may_have_carried_is_not_said_to_have_stayed() {
        // The far end of a pseudo-terminal is gone: writing fails as a transfer on USB does (EIO).
        let broken = |line: Option<Line>| {
            let far = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
            grantpt(&far).and_then(|()| unlockpt(&far)).unwrap();
            let name = ptsname(&far, Vec::new()).unwrap().into_string().unwrap();
            let file = File::options().read(true).write(true).open(name).unwrap();
            drop(far);
            let mut hand = Hand { node: Node::new(file, Path::new("/dev/usb/lp7"), line), shelf: Shelf::default() };
            match hand.write(&[b'x'; 10_000]) {
                Err(NotTaken::Broken { perhaps, .. }) => perhaps,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(broken(None), 8192, "one transfer of usblp");
        assert_eq!(broken(Some(Line::default())), 0, "a serial port says what it took");
    }

    #[test]
    fn flow_control_is_no_answer() {
        let mut bytes = *b"\x11\x02030\x13\x11,0\x11";
        let left = without_flow_control(&mut bytes);
        assert_eq!(&bytes[..left], b"\x02030,0");
    }

    #[test]
    fn a_line_says_what_it_cannot_carry() {
        let hand = |data_bits, flow| {
            let file = File::open("/dev/null").unwrap();
            let line = Line { data_bits, flow, ..Line::default() };
            Hand { node: Node::new(file, Path::new("/dev/ttyS9"), Some(line)), shelf: Shelf::default() }
        };
        let (ascii, high, stop) = (&b"^XA^FDx^FS^XZ"[..], &b"^FD\xc3\xa4"[..], &b"~DG\x13"[..]);
        for (data_bits, flow, fine) in [
            (DataBits::Eight, Flow::Rts, [true, true, true]),
            (DataBits::Eight, Flow::XonXoff, [true, true, false]),
            (DataBits::Seven, Flow::None, [true, false, true]),
        ] {
            assert_eq!([ascii, high, stop].map(|b| hand(data_bits, flow).carries(b).is_ok()), fine);
        }
        assert!(hand(DataBits::Eight, Flow::XonXoff).carries(stop).unwrap_err().contains("0x13"));
    }
}
