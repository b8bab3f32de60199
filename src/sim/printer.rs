//! The virtual Zebra on the network: the engine behind a TCP port, and its labels as files.
//!
//! Arrives: ZPL from any number of hosts (eight at a time; further ones wait in the backlog). Leaves: the
//! engine's answers, and per piece of paper `NNNNNN.zpl`, `NNNNNN.png` if asked for, and
//! `NNNNNN.warnings` where there is something to warn of. Promised: nothing is read that the receive
//! buffer has no room for; files appear whole or not at all; [`Handle::stop`] (or dropping the handle)
//! ends every thread and leaves every label written.
//!
//! Everything the printer *does* is in [`super::engine`]; here are only sockets, threads and the clock.
//! One thread accepts, one per connection reads, one lets time pass, one writes files; one lock guards
//! the engine, and whoever changes it notifies the others.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::engine::{Conn, Engine, Reply};
pub use super::engine::{Control, Dpi, Label};
use super::render;

/// Connections served at a time.
const CONNECTIONS_MAX: usize = 8;
/// Labels that may wait to be written to disk before the printer waits for the disk.
const SAVING_MAX: usize = 256;
/// A host that does not take an answer within this time loses its connection.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait before the port is tried again after it could not be bound anew.
const BIND_AGAIN: Duration = Duration::from_millis(200);

/// Where the printer stands and what becomes of its labels.
#[derive(Clone, Debug)]
pub struct Options {
    /// Address to listen at; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Directory for the labels, made if it is not there; `None` writes none.
    pub out: Option<PathBuf>,
    /// Whether pictures are written too.
    pub png: bool,
    /// The printer itself.
    pub engine: super::engine::Options,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            out: None,
            png: false,
            engine: super::engine::Options::default(),
        }
    }
}

/// Switches the printer on.
///
/// # Errors
/// The address cannot be bound, the directory cannot be made, or a thread cannot be started.
pub fn start(options: Options) -> io::Result<Handle> {
    let listener = TcpListener::bind(options.listen)?;
    let local = listener.local_addr()?;
    let (saving, saver) = match options.out {
        Some(out) => {
            fs::create_dir_all(&out)?;
            let (send, receive) = sync_channel(SAVING_MAX);
            let png = options.png;
            let saver = spawn("zebra-files", move || save_all(&out, png, &receive))?;
            (Some(send), Some(saver))
        }
        None => (None, None),
    };
    let shared = Arc::new(Shared {
        inner: Mutex::new(Inner {
            engine: Engine::new(options.engine),
            streams: BTreeMap::new(),
            listener: Some(listener.try_clone()?),
            stopping: false,
            saving,
            saved: 0,
        }),
        changed: Condvar::new(),
        started: Instant::now(),
    });
    // From here on the handle ends what was started, even when a later thread cannot be.
    let mut handle = Handle { shared, local, threads: Vec::new(), saver };
    let shared = Arc::clone(&handle.shared);
    handle.threads.push(spawn("zebra-time", move || shared.pass_time())?);
    let shared = Arc::clone(&handle.shared);
    handle.threads.push(spawn("zebra-accept", move || accept(&shared, listener, local))?);
    Ok(handle)
}

/// A running virtual printer.
#[derive(Debug)]
pub struct Handle {
    shared: Arc<Shared>,
    local: SocketAddr,
    threads: Vec<JoinHandle<()>>,
    saver: Option<JoinHandle<()>>,
}

impl Handle {
    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The pieces of paper that came out so far.
    #[must_use]
    pub fn labels(&self) -> Vec<Label> {
        self.shared.lock().engine.labels().to_vec()
    }

    /// The true lifetime label count.
    #[must_use]
    pub fn odometer(&self) -> u64 {
        self.shared.lock().engine.odometer()
    }

    /// A hand at the printer: paper in, head open, power off.
    pub fn control(&self, control: Control) {
        let mut inner = self.shared.lock();
        let replies = inner.engine.control(control, self.shared.now());
        self.shared.act(&mut inner, replies);
    }

    /// Waits until `is_so` holds of the printer; `false` when it does not within `timeout`.
    #[must_use]
    pub fn wait(&self, timeout: Duration, is_so: impl Fn(&Engine) -> bool) -> bool {
        let inner = self.shared.lock();
        let (inner, _) = self
            .shared
            .changed
            .wait_timeout_while(inner, timeout, |inner| !is_so(&inner.engine))
            .unwrap_or_else(PoisonError::into_inner);
        is_so(&inner.engine)
    }

    /// Switches the printer off and waits until every label that came out is written.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        {
            let mut inner = self.shared.lock();
            inner.stopping = true;
            inner.saving = None;
            inner.close_listener();
            for stream in inner.streams.values() {
                let _ = stream.shutdown(Shutdown::Both);
            }
            self.shared.changed.notify_all();
        }
        for thread in self.threads.drain(..).chain(self.saver.take()) {
            if thread.join().is_err() {
                tracing::error!("a thread of the virtual printer panicked");
            }
        }
    }
}

#[derive(Debug)]
struct Shared {
    inner: Mutex<Inner>,
    changed: Condvar,
    started: Instant,
}

#[derive(Debug)]
struct Inner {
    engine: Engine,
    /// A second handle of each connection, to reset it from elsewhere.
    streams: BTreeMap<Conn, TcpStream>,
    /// A second handle of the listener, to close it from elsewhere.
    listener: Option<TcpListener>,
    stopping: bool,
    saving: Option<SyncSender<Label>>,
    /// Number of the last label handed to the writer of files.
    saved: u64,
}

impl Inner {
    fn close_listener(&mut self) {
        if let Some(listener) = self.listener.take() {
            // On Linux this wakes the thread that waits in accept.
            let _ = rustix::net::shutdown(&listener, rustix::net::Shutdown::Both);
        }
    }

    /// Makes the closing of the connection a reset: no lingering, and its reader wakes and lets go.
    fn reset(&mut self, conn: Conn) {
        if let Some(stream) = self.streams.remove(&conn) {
            let _ = rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO));
            let _ = stream.shutdown(Shutdown::Read);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn wait<'a>(&self, inner: MutexGuard<'a, Inner>) -> MutexGuard<'a, Inner> {
        self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries out what the engine wants and tells everybody; returns the answers to send.
    fn act(&self, inner: &mut Inner, replies: Vec<Reply>) -> Vec<Vec<u8>> {
        let mut answers = Vec::new();
        for reply in replies {
            match reply {
                Reply::Bytes { bytes, .. } => answers.push(bytes),
                Reply::Reset { conn } => inner.reset(conn),
            }
        }
        if !inner.engine.listening() {
            inner.close_listener();
        }
        if let Some(saving) = &inner.saving {
            let labels = inner.engine.labels();
            let new = labels.partition_point(|label| label.number <= inner.saved);
            for label in &labels[new..] {
                inner.saved = label.number;
                // Fails only when the writer died, which is logged where it is joined.
                let _ = saving.send(label.clone());
            }
        }
        self.changed.notify_all();
        answers
    }

    /// The thread that lets time pass.
    fn pass_time(&self) {
        let mut inner = self.lock();
        while !inner.stopping {
            let now = self.now();
            match inner.engine.next_wake() {
                Some(at) if at <= now => {
                    let replies = inner.engine.tick(now);
                    self.act(&mut inner, replies);
                }
                Some(at) => {
                    let wait = Duration::from_millis(at - now);
                    inner = self.changed.wait_timeout(inner, wait).unwrap_or_else(PoisonError::into_inner).0;
                }
                None => inner = self.wait(inner),
            }
        }
    }

    /// Waits until the buffer has room; `None` when the connection is over.
    fn room(&self, conn: Conn) -> Option<usize> {
        let mut inner = self.lock();
        loop {
            if inner.stopping || !inner.engine.connected(conn) {
                return None;
            }
            match inner.engine.room() {
                0 => inner = self.wait(inner),
                room => return Some(room),
            }
        }
    }
}

/// The thread that accepts; it ends after every connection's thread has.
fn accept(shared: &Arc<Shared>, listener: TcpListener, local: SocketAddr) {
    let mut open = Some(listener);
    let mut readers: Vec<JoinHandle<()>> = Vec::new();
    let mut conn: Conn = 0;
    loop {
        readers.retain(|reader| !reader.is_finished());
        let Some(listener) = listen(shared, &mut open, local) else {
            break;
        };
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            // Closed on purpose, or the host was gone already: the next turn finds out.
            Err(_) => continue,
        };
        conn += 1;
        match serve(shared, conn, stream) {
            Ok(reader) => readers.push(reader),
            Err(error) => tracing::warn!(%error, "connection could not be served"),
        }
    }
    for reader in readers {
        let _ = reader.join();
    }
}

/// Waits until there may be another connection, and has the port open then; `None` at the end.
fn listen<'a>(shared: &Shared, open: &'a mut Option<TcpListener>, local: SocketAddr) -> Option<&'a TcpListener> {
    let mut inner = shared.lock();
    loop {
        if inner.stopping {
            return None;
        }
        if !inner.engine.listening() {
            *open = None;
            inner = shared.wait(inner);
            continue;
        }
        if inner.listener.is_none() {
            // Closed since: only a new socket listens again.
            *open = None;
            let again = TcpListener::bind(local).and_then(|l| Ok((l.try_clone()?, l)));
            match again {
                Ok((second, first)) => {
                    inner.listener = Some(second);
                    *open = Some(first);
                }
                Err(error) => {
                    tracing::warn!(%error, %local, "the port cannot be bound again yet");
                    inner = shared.changed.wait_timeout(inner, BIND_AGAIN).unwrap_or_else(PoisonError::into_inner).0;
                    continue;
                }
            }
        }
        if inner.streams.len() >= CONNECTIONS_MAX {
            inner = shared.wait(inner);
            continue;
        }
        return open.as_ref();
    }
}

/// Takes on a connection: its thread, which reads, feeds the engine and answers.
fn serve(shared: &Arc<Shared>, conn: Conn, stream: TcpStream) -> io::Result<JoinHandle<()>> {
    stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
    stream.set_nodelay(true)?;
    let second = stream.try_clone()?;
    {
        let mut inner = shared.lock();
        if inner.stopping || !inner.engine.connect(conn) {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        inner.streams.insert(conn, second);
    }
    let shared_there = Arc::clone(shared);
    let reader = spawn("zebra-conn", move || {
        let _ = converse(&shared_there, conn, stream);
        let mut inner = shared_there.lock();
        inner.engine.disconnect(conn);
        inner.streams.remove(&conn);
        shared_there.changed.notify_all();
    });
    if reader.is_err() {
        let mut inner = shared.lock();
        inner.engine.disconnect(conn);
        inner.streams.remove(&conn);
    }
    reader
}

/// One connection from its first byte to its last.
fn converse(shared: &Shared, conn: Conn, mut stream: TcpStream) -> io::Result<()> {
    let mut chunk = [0; 4096];
    while let Some(room) = shared.room(conn) {
        let most = room.min(chunk.len());
        let got = match stream.read(&mut chunk[..most]) {
            Ok(0) => break,
            Ok(got) => got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let mut rest = &chunk[..got];
        // Another connection may have filled the buffer meanwhile: then the rest waits.
        while !rest.is_empty() && shared.room(conn).is_some() {
            let answers = {
                let mut inner = shared.lock();
                let taken = inner.engine.receive(conn, rest, shared.now());
                rest = &rest[taken.bytes..];
                shared.act(&mut inner, taken.replies)
            };
            for answer in answers {
                stream.write_all(&answer)?;
            }
        }
    }
    Ok(())
}

/// The thread that writes files.
fn save_all(out: &Path, png: bool, labels: &Receiver<Label>) {
    for label in labels {
        if let Err(error) = save(out, png, &label) {
            tracing::error!(%error, label = label.number, dir = %out.display(), "label not written");
        }
    }
}

fn save(out: &Path, png: bool, label: &Label) -> io::Result<()> {
    let number = label.number;
    let picture = label.picture();
    if png {
        write_whole(out, &format!("{number:06}.png"), &render::png(&picture)?)?;
    }
    let mut warnings = picture.warnings;
    if label.damaged {
        warnings.insert(0, "damaged: interrupted half-way".to_owned());
    }
    if !warnings.is_empty() {
        let text = warnings.join("\n") + "\n";
        write_whole(out, &format!("{number:06}.warnings"), text.as_bytes())?;
    }
    // Last, so that whoever sees it finds the rest beside it.
    write_whole(out, &format!("{number:06}.zpl"), &label.zpl)
}

/// Writes beside and renames, so that nobody reads half a file.
fn write_whole(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let beside = dir.join(format!(".{name}.new"));
    fs::write(&beside, bytes)?;
    fs::rename(&beside, dir.join(name))
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work)
}

#[cfg(test)]
mod tests;
