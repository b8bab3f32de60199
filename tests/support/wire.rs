//! The wire between the daemon and the virtual printer, as a proxy that outlives both: it keeps what of
//! each label passed, and can be cut after any byte of any label.
//!
//! What the daemon had handed to its kernel when the wire was cut does not arrive, as when the station
//! loses its power. Outside labels the daemon only asks, and no question holds a `^`: the first `^` begins
//! a label, its `^XZ` ends it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where to cut: told the bytes of a label so far.
type Here = Box<dyn Fn(&[u8]) -> bool + Send>;
/// Runs when the wire is cut, before the printer notices.
type Act = Box<dyn FnOnce() + Send>;

pub struct Wire {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    /// Every label that began on the wire, as far as it came.
    labels: Vec<Vec<u8>>,
    /// Within a label of the connection that speaks now.
    inside: bool,
    cut: Option<(usize, Here, Act)>,
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Wire {
    /// A wire to a printer. Its threads end with the test process.
    pub fn to(printer: SocketAddr) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port for the wire");
        let address = listener.local_addr().expect("its address");
        let shared = Arc::new(Mutex::new(Shared::default()));
        let there = shared.clone();
        std::thread::spawn(move || {
            for daemon in listener.incoming().flatten() {
                // A printer that refuses is a wire that ends at once.
                let Ok(printer) = TcpStream::connect(printer) else { continue };
                let (Ok(answers), Ok(back)) = (printer.try_clone(), daemon.try_clone()) else { continue };
                let _ = (daemon.set_nodelay(true), printer.set_nodelay(true));
                let there = there.clone();
                std::thread::spawn(move || carry(answers, back));
                std::thread::spawn(move || listen(&there, daemon, printer));
            }
        });
        Wire { address, shared }
    }

    /// Where the daemon finds the printer.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every label that began on the wire, as far as it came.
    pub fn labels(&self) -> Vec<Vec<u8>> {
        lock(&self.shared).labels.clone()
    }

    /// Cuts the wire once, in label number `label` (from 1, over all connections), where `here` holds of
    /// what has passed of it, from no byte at all to the last one; then does `act`.
    pub fn cut(
        &self,
        label: usize,
        here: impl Fn(&[u8]) -> bool + Send + 'static,
        act: impl FnOnce() + Send + 'static,
    ) {
        lock(&self.shared).cut = Some((label, Box::new(here), Box::new(act)));
    }
}

/// Printer to daemon: as it is.
fn carry(mut from: TcpStream, mut to: TcpStream) {
    let mut chunk = [0; 4096];
    while let Ok(n @ 1..) = from.read(&mut chunk) {
        if to.write_all(&chunk[..n]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

/// Daemon to printer: noted, and cut where that is planned.
fn listen(shared: &Mutex<Shared>, mut daemon: TcpStream, mut printer: TcpStream) {
    let mut chunk = [0; 4096];
    lock(shared).inside = false;
    while let Ok(n @ 1..) = daemon.read(&mut chunk) {
        let (passes, act) = lock(shared).pass(&chunk[..n]);
        let taken = printer.write_all(&chunk[..passes]).is_ok();
        if let Some(act) = act {
            act();
            break;
        }
        if !taken {
            break;
        }
    }
    let _ = (printer.shutdown(Shutdown::Both), daemon.shutdown(Shutdown::Both));
}

impl Shared {
    /// How many of these bytes pass, and what to do after them when the wire is cut there.
    fn pass(&mut self, bytes: &[u8]) -> (usize, Option<Act>) {
        for (i, &byte) in bytes.iter().enumerate() {
            if !self.inside && byte == b'^' {
                self.inside = true;
                self.labels.push(Vec::new());
                if let Some(act) = self.cut_here() {
                    return (i, Some(act));
                }
            }
            if self.inside
                && let Some(label) = self.labels.last_mut()
            {
                label.push(byte);
                self.inside = !label.ends_with(b"^XZ");
                if let Some(act) = self.cut_here() {
                    return (i + 1, Some(act));
                }
            }
        }
        (bytes.len(), None)
    }

    fn cut_here(&mut self) -> Option<Act> {
        let here = self.cut.as_ref().is_some_and(|(label, here, _)| {
            self.labels.len() == *label && self.labels.last().is_some_and(|so_far| here(so_far))
        });
        if here { self.cut.take().map(|(.., act)| act) } else { None }
    }
}
