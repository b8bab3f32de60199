//! The cable of each kind of link, between the link under test and a virtual Zebra: it can be held, cut
//! after any byte of any label, pulled out and plugged in again, at another printer too.
//!
//! All four lead into the same [`Gate`], and behind it over TCP into the same virtual printer; they differ
//! in what the link finds at its own end: a socket, a serial port (pty), a printer port (pty, found by way
//! of a made-up sysfs), or bulk pipes.

use backdock::printer::link::{Address, Line, Link, Port, Trouble};
use backdock::printer::lp::Lp;
use backdock::printer::serial::Serial;
use backdock::printer::usb::{Bulk, BulkError, Bus, Pipe, Usb};
use backdock::zebra::Fault;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often a waiting end looks whether it was pulled out.
const LOOK: Duration = Duration::from_millis(20);

/// The kinds of link under test.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Tcp,
    Serial,
    Lp,
    Usb,
}

impl Kind {
    /// Whether the printer is found by its serial number, so that another one is none.
    pub fn by_serial_number(self) -> bool {
        matches!(self, Kind::Lp | Kind::Usb)
    }

    /// More bytes than the kernel takes while nobody reads: a socket on the loopback takes megabytes.
    pub fn flood(self) -> usize {
        if self == Kind::Tcp { 5_000_000 } else { 200_000 }
    }
}

/// What passes, counted by labels. Outside labels a station only asks, and no question holds a `^`: the
/// first `^` begins a label, its `^XZ` ends it.
#[derive(Default)]
pub struct Gate {
    state: Mutex<Passing>,
    changed: Condvar,
}

#[derive(Default)]
struct Passing {
    held: bool,
    /// In this label (from 1), after this many of its bytes.
    cut: Option<(usize, usize)>,
    begun: usize,
    /// The label that passes now.
    open: Option<Vec<u8>>,
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, Passing> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self) -> bool {
        self.lock().held
    }

    /// How many of these bytes pass, and whether the cable is cut behind them.
    fn pass(&self, bytes: &[u8]) -> (usize, bool) {
        let mut now = self.lock();
        for (at, &byte) in bytes.iter().enumerate() {
            if now.open.is_none() && byte == b'^' {
                now.begun += 1;
                now.open = Some(Vec::new());
            }
            let Some(length) = now.open.as_ref().map(Vec::len) else { continue };
            let number = now.begun;
            if now.cut == Some((number, length)) {
                (now.cut, now.open) = (None, None);
                return (at, true);
            }
            let Some(label) = &mut now.open else { continue };
            label.push(byte);
            if label.ends_with(b"^XZ") {
                let length = label.len();
                now.open = None;
                if now.cut == Some((number, length)) {
                    now.cut = None;
                    return (at + 1, true);
                }
            }
        }
        (bytes.len(), false)
    }
}

/// One cable. It begins unplugged.
pub struct Cable {
    kind: Kind,
    pub gate: Arc<Gate>,
    dir: tempfile::TempDir,
    /// TCP only: where the printer is found.
    address: SocketAddr,
    _port: OwnedFd,
    socket: Arc<Mutex<Option<Device>>>,
    end: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
    /// How often it was plugged in; a printer port has another number every time.
    plugged: usize,
}

/// What the USB link finds on its bus.
#[derive(Clone)]
struct Device {
    serial: String,
    printer: SocketAddr,
    over: Arc<AtomicBool>,
    /// Both pipes, as they are when the device is plugged in.
    halted: Arc<Mutex<[bool; 2]>>,
}

impl Cable {
    pub fn new(kind: Kind) -> Cable {
        let (port, address) = reserved();
        let dir = tempfile::tempdir().expect("a directory");
        Cable { kind, gate: Arc::default(), dir, address, _port: port, socket: Arc::default(), end: None, plugged: 0 }
    }

    /// The link under test; the printer is known as `serial` where it is known by its serial number.
    pub fn link(&self, serial: &str) -> Box<dyn Link> {
        let dir = self.dir.path();
        match self.kind {
            Kind::Tcp => Address::Tcp(self.address).link(),
            Kind::Serial => Box::new(Serial::new(dir.join("ttyUSB"), Line::default())),
            Kind::Lp => Box::new(Lp::within(Port::SerialNumber(serial.into()), dir.join("sys"), dir.join("dev"))),
            Kind::Usb => {
                let bus = VirtualBus { socket: self.socket.clone(), gate: self.gate.clone() };
                Box::new(Usb::new(bus, serial.to_owned()))
            }
        }
    }

    /// Plugs it in at this printer.
    pub fn plug(&mut self, printer: SocketAddr, serial: &str) {
        self.unplug();
        self.plugged += 1;
        let over = Arc::new(AtomicBool::new(false));
        let (gate, ended) = (self.gate.clone(), over.clone());
        let thread = match self.kind {
            Kind::Tcp => {
                let listener = TcpListener::bind(self.address).expect("the port again");
                listener.set_nonblocking(true).expect("a listener that does not block");
                std::thread::spawn(move || answer_calls(&listener, printer, &gate, &ended))
            }
            Kind::Serial | Kind::Lp => {
                let (master, slave, path) = pty();
                self.show(&path, serial);
                let names = self.names();
                std::thread::spawn(move || {
                    let (mut master, _slave) = (master, slave);
                    carry(&mut master, printer, &gate, &ended);
                    // First the name: the number of the pty may be somebody else's the moment it is closed.
                    forget(&names);
                })
            }
            Kind::Usb => {
                let device = Device { serial: serial.into(), printer, over: over.clone(), halted: Arc::default() };
                *lock(&self.socket) = Some(device);
                std::thread::spawn(|| {})
            }
        };
        self.end = Some((over, thread));
    }

    /// Pulls it out; what the station's kernel holds is lost.
    pub fn unplug(&mut self) {
        if let Some((over, thread)) = self.end.take() {
            over.store(true, Ordering::Relaxed);
            self.gate.changed.notify_all();
            thread.join().expect("the cable's thread");
        }
        *lock(&self.socket) = None;
        self.gate.lock().open = None;
        forget(&self.names());
    }

    fn names(&self) -> [PathBuf; 3] {
        ["ttyUSB", "sys", "dev"].map(|name| self.dir.path().join(name))
    }

    /// Waits until a cut that was asked for has happened.
    pub fn wait_cut(&self) {
        let patience = super::PATIENCE;
        let (now, late) = self
            .gate
            .changed
            .wait_timeout_while(self.gate.lock(), patience, |now| now.cut.is_some())
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!late.timed_out(), "the cable was never cut: {:?} of label {}", now.cut, now.begun);
    }

    pub fn cut(&self, label: usize, after: usize) {
        self.gate.lock().cut = Some((label, after));
    }

    /// Holds the line, or lets it go.
    pub fn hold(&self, held: bool) {
        self.gate.lock().held = held;
        self.gate.changed.notify_all();
    }

    /// How many labels began to pass.
    pub fn begun(&self) -> usize {
        self.gate.lock().begun
    }

    /// USB: halts a pipe of the device that is plugged in.
    pub fn halt(&self, pipe: Pipe) {
        if let Some(device) = lock(&self.socket).as_ref() {
            lock(&device.halted)[pipe as usize] = true;
        }
    }

    /// USB: whether neither pipe is halted.
    pub fn flows(&self) -> bool {
        lock(&self.socket).as_ref().is_some_and(|device| *lock(&device.halted) == [false, false])
    }

    /// The device node, by the name or in the folders where the link looks.
    fn show(&self, node: &Path, serial: &str) {
        let dir = self.dir.path();
        if self.kind == Kind::Serial {
            symlink(node, dir.join("ttyUSB")).expect("a name for the port");
            return;
        }
        let name = format!("lp{}", self.plugged);
        let interface = dir.join(format!("sys/devices/1-{}/1-{}:1.0", self.plugged, self.plugged));
        let class = dir.join("sys/class/usbmisc").join(&name);
        for folder in [&interface, &class, &dir.join("dev/usb")] {
            fs::create_dir_all(folder).expect("a folder");
        }
        fs::write(interface.join("../serial"), format!("{serial}\n")).expect("a serial number");
        fs::write(interface.join("ieee1284_id"), "MFG:Zebra;MDL:ZD421;").expect("a device id");
        symlink(&interface, class.join("device")).expect("a device");
        symlink(node, dir.join("dev/usb").join(name)).expect("a node");
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.unplug();
    }
}

fn forget(names: &[PathBuf]) {
    for name in names {
        let _ = fs::remove_file(name);
        let _ = fs::remove_dir_all(name);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A port that stays ours while nobody listens at it: calls to it are refused.
fn reserved() -> (OwnedFd, SocketAddr) {
    use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket, sockopt};
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    sockopt::set_socket_reuseaddr(&socket, true).expect("an address for two");
    bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
    let address = getsockname(&socket).expect("its address").try_into().expect("an internet address");
    (socket, address)
}

/// A raw pty: the master, and an end of the slave that keeps its settings while no station has it open.
fn pty() -> (File, File, PathBuf) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a pty");
    grantpt(&master).expect("a pty of ours");
    unlockpt(&master).expect("an open pty");
    let path = PathBuf::from(ptsname(&master, Vec::new()).expect("its name").to_str().expect("a path"));
    let slave = OpenOptions::new().read(true).write(true).custom_flags(OFlags::NOCTTY.bits() as i32).open(&path);
    let slave = slave.expect("its other end");
    let mut raw = tcgetattr(&slave).expect("its settings");
    raw.make_raw();
    tcsetattr(&slave, OptionalActions::Now, &raw).expect("raw");
    (File::from(master), slave, path)
}

/// A printer on the network takes one call at a time.
fn answer_calls(listener: &TcpListener, printer: SocketAddr, gate: &Gate, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((mut station, _)) => {
                station.set_nonblocking(false).expect("a socket that blocks");
                station.set_nodelay(true).expect("no delay");
                carry(&mut station, printer, gate, over);
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                ready(&[(listener, PollFlags::IN)]);
            }
            Err(e) => panic!("the listener: {e}"),
        }
    }
}

/// Which of these are ready, after [`LOOK`] at the latest.
fn ready(ends: &[(&dyn AsFd, PollFlags)]) -> Vec<bool> {
    let wait = Timespec { tv_sec: 0, tv_nsec: LOOK.as_nanos() as i64 };
    let mut fds: Vec<PollFd> = ends.iter().map(|(end, what)| PollFd::from_borrowed_fd(end.as_fd(), *what)).collect();
    let _ = poll(&mut fds, Some(&wait));
    fds.iter().map(|fd| !fd.revents().is_empty()).collect()
}

/// Carries bytes both ways until one side ends, the cable is pulled out, or it is cut.
fn carry(station: &mut (impl Read + Write + AsFd), printer: SocketAddr, gate: &Gate, over: &AtomicBool) {
    // A printer that refuses is a cable that ends at once.
    let Ok(mut printer) = TcpStream::connect(printer) else { return };
    let _ = printer.set_nodelay(true);
    let mut chunk = [0; 4096];
    while !over.load(Ordering::Relaxed) {
        let listens = if gate.held() { PollFlags::empty() } else { PollFlags::IN };
        let is = ready(&[(station, listens), (&printer, PollFlags::IN)]);
        if is[0] && !gate.held() {
            let Ok(n @ 1..) = station.read(&mut chunk) else { break };
            let (passes, cut) = gate.pass(&chunk[..n]);
            if printer.write_all(&chunk[..passes]).is_err() {
                break;
            }
            if cut {
                over.store(true, Ordering::Relaxed);
                gate.changed.notify_all();
                break;
            }
        }
        if is[1] {
            let Ok(n @ 1..) = printer.read(&mut chunk) else { break };
            if station.write_all(&chunk[..n]).is_err() {
                break;
            }
        }
    }
    let _ = printer.shutdown(Shutdown::Both);
}

/// A USB bus with one socket.
struct VirtualBus {
    socket: Arc<Mutex<Option<Device>>>,
    gate: Arc<Gate>,
}

impl Bus for VirtualBus {
    fn claim(&mut self, serial: &str) -> Result<Arc<dyn Bulk>, Trouble> {
        let device = lock(&self.socket).clone().filter(|d| d.serial == serial && !d.over.load(Ordering::Relaxed));
        let Some(device) = device else {
            return Err(Trouble::new(Fault::Unplugged, format!("no {serial} on the bus")));
        };
        let Ok(printer) = TcpStream::connect(device.printer) else {
            return Err(Trouble::new(Fault::Unplugged, "switched off"));
        };
        let _ = printer.set_nodelay(true);
        Ok(Arc::new(VirtualPipes { device, printer, gate: self.gate.clone() }))
    }
}

/// Bulk transfers as libusb answers them: a transfer that times out half-way says how many bytes moved, one
/// that fails says nothing of it.
struct VirtualPipes {
    device: Device,
    printer: TcpStream,
    gate: Arc<Gate>,
}

impl VirtualPipes {
    fn alive(&self) -> Result<(), BulkError> {
        if self.device.over.load(Ordering::Relaxed) { Err(BulkError::Gone) } else { Ok(()) }
    }
}

impl Bulk for VirtualPipes {
    fn write(&self, bytes: &[u8], wait: Duration) -> Result<usize, BulkError> {
        let stopped = |now: &mut Passing| now.held && self.alive().is_ok();
        let waiting = self.gate.changed.wait_timeout_while(self.gate.lock(), wait, stopped);
        let late = waiting.unwrap_or_else(PoisonError::into_inner).1.timed_out();
        self.alive()?;
        if late {
            return Err(BulkError::TimedOut);
        }
        // Eight packets, then time is up; a halted endpoint strikes after the first.
        let halted = lock(&self.device.halted)[Pipe::Out as usize];
        let most = if halted { 64 } else { 512 };
        let (passes, cut) = self.gate.pass(&bytes[..bytes.len().min(most)]);
        let sent = (&self.printer).write_all(&bytes[..passes]);
        if cut {
            self.device.over.store(true, Ordering::Relaxed);
            let _ = self.printer.shutdown(Shutdown::Both);
            self.gate.changed.notify_all();
        }
        match (self.alive(), sent) {
            (Err(gone), _) => Err(gone),
            (_, Err(e)) => Err(BulkError::Failed(e.to_string())),
            _ if halted => Err(BulkError::Stall),
            _ => Ok(passes),
        }
    }

    fn read(&self, buffer: &mut [u8], wait: Duration) -> Result<usize, BulkError> {
        let until = std::time::Instant::now() + wait;
        loop {
            self.alive()?;
            if lock(&self.device.halted)[Pipe::In as usize] {
                return Err(BulkError::Stall);
            }
            if ready(&[(&self.printer, PollFlags::IN)])[0] {
                return match (&self.printer).read(buffer) {
                    Ok(0) => Err(BulkError::Gone),
                    Ok(n) => Ok(n),
                    Err(e) => Err(BulkError::Failed(e.to_string())),
                };
            }
            if std::time::Instant::now() >= until {
                return Err(BulkError::TimedOut);
            }
        }
    }

    fn clear_halt(&self, pipe: Pipe) -> Result<(), BulkError> {
        self.alive()?;
        lock(&self.device.halted)[pipe as usize] = false;
        Ok(())
    }
}
