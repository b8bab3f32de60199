//! The door for the command line: a Unix socket. One request is one JSON line, and so is the answer.
//! The kernel says who calls; only root and the daemon's own user may.

use super::request::{Request, Response};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Longest request or answer, in bytes: a slice of an import with room to spare.
const LINE_MAX: u64 = 8 << 20;
/// Callers at a time.
const CALLERS: usize = 8;
/// A caller that neither asks nor takes its answer for so long gives its place up.
const QUIET: Duration = Duration::from_secs(600);

/// The listening socket; gone when dropped.
pub struct Socket {
    path: PathBuf,
}

impl Socket {
    /// Listens at `path`. A socket left over by a killed daemon is replaced; one at which another station answers
    /// is not, nor is anything that is no socket.
    pub fn listen(path: &Path, ask: impl Fn(Request) -> Response + Clone + Send + 'static) -> std::io::Result<Socket> {
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir)?;
        }
        if let Ok(there) = std::fs::symlink_metadata(path) {
            if !there.file_type().is_socket() {
                let why = "it is there and no socket, and is left alone: choose another [station] socket";
                return Err(std::io::Error::new(std::io::ErrorKind::AlreadyExists, why));
            }
            if UnixStream::connect(path).is_ok() {
                let why = "another station answers there: give each its own [station] socket";
                return Err(std::io::Error::new(std::io::ErrorKind::AddrInUse, why));
            }
            std::fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
        let callers = Arc::new(AtomicUsize::new(0));
        std::thread::Builder::new().name("socket".into()).stack_size(128 * 1024).spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else {
                    // No descriptor is free: not asked for again at once.
                    std::thread::sleep(Duration::from_millis(100));
                    continue;
                };
                let (ask, callers) = (ask.clone(), callers.clone());
                if callers.fetch_add(1, Ordering::Relaxed) >= CALLERS {
                    callers.fetch_sub(1, Ordering::Relaxed);
                    say(&stream, &Response::refused("too many callers at once; try again"));
                    continue;
                }
                let served = callers.clone();
                let thread = std::thread::Builder::new().name("caller".into()).spawn(move || {
                    serve(&stream, ask);
                    served.fetch_sub(1, Ordering::Relaxed);
                });
                if thread.is_err() {
                    callers.fetch_sub(1, Ordering::Relaxed);
                }
            }
        })?;
        Ok(Socket { path: path.to_owned() })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn say(mut stream: &UnixStream, response: &Response) -> bool {
    let mut line = serde_json::to_string(response).unwrap_or_default();
    line.push('\n');
    stream.write_all(line.as_bytes()).is_ok()
}

fn serve(stream: &UnixStream, ask: impl Fn(Request) -> Response) {
    let _ = stream.set_read_timeout(Some(QUIET)).and_then(|()| stream.set_write_timeout(Some(QUIET)));
    let allowed = rustix::net::sockopt::socket_peercred(stream).is_ok_and(|who| {
        let own = rustix::process::geteuid();
        who.uid == own || who.uid.is_root()
    });
    if !allowed {
        say(
            stream,
            &Response::refused("only root and the daemon's own user may use this socket; run the command with sudo"),
        );
        return;
    }
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = Vec::new();
        match (&mut reader).take(LINE_MAX).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let whole = line.last() == Some(&b'\n');
        let answer = match serde_json::from_slice::<Request>(&line) {
            _ if !whole => {
                Response::refused(format!("a request has at most {LINE_MAX} bytes and ends with a line feed"))
            }
            Ok(request) => ask(request),
            Err(e) => Response::refused(format!("not a request this version knows: {e}")),
        };
        if !say(stream, &answer) || !whole {
            return;
        }
    }
}

/// The calling side: a connection to a running daemon.
pub struct Call {
    stream: BufReader<UnixStream>,
}

impl Call {
    /// `None` when no daemon listens there.
    pub fn open(path: &Path) -> std::io::Result<Option<Call>> {
        match UnixStream::connect(path) {
            Ok(stream) => Ok(Some(Call { stream: BufReader::new(stream) })),
            Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused) => {
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }

    pub fn ask(&mut self, request: &Request) -> std::io::Result<Response> {
        let mut line = serde_json::to_string(request)?;
        line.push('\n');
        self.stream.get_mut().write_all(line.as_bytes())?;
        let mut answer = String::new();
        if (&mut self.stream).take(LINE_MAX).read_line(&mut answer)? == 0 {
            return Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the daemon hung up; look at its log"));
        }
        Ok(serde_json::from_str(&answer)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_socket_at_which_nobody_answers_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let ask = |_| Response::refused("x");
        let file = dir.path().join("precious");
        std::fs::write(&file, "x").unwrap();
        let why = Socket::listen(&file, ask).err().unwrap().to_string();
        assert!(why.contains("no socket") && std::fs::read(&file).unwrap() == b"x", "{why}");
        let path = dir.path().join("s.sock");
        let first = Socket::listen(&path, ask).unwrap();
        let why = Socket::listen(&path, ask).err().unwrap().to_string();
        assert!(why.contains("another station"), "{why}");
        assert!(Call::open(&path).unwrap().is_some(), "the first one is still there");
        drop(first);
        // As a killed daemon leaves it.
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        Socket::listen(&path, ask).unwrap();
    }
}
