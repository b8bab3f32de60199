//! Fixed-mount readers on the network; either side may be the server.
//!
//! A reader that loses power says nothing: the connection stays half open. Keepalive finds that within
//! half a minute, and where we are the server a newer connection replaces the old one at once (the
//! reader has started again; two readers need two entries).

use super::{Heard, Line, Refusal};
use rustix::net::sockopt;
use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// Quiet for so long, the other side is asked whether it is still there...
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
/// ...this often...
const KEEPALIVE_EVERY: Duration = Duration::from_secs(5);
/// ...and given up after so many questions without an answer.
const KEEPALIVE_PROBES: u32 = 3;

/// We connect to the reader.
pub(super) struct Connect {
    pub addr: SocketAddr,
}

impl super::Door for Connect {
    type Line = TcpStream;

    fn open(&mut self, at_most: Duration) -> Result<(TcpStream, String), Refusal> {
        let addr = self.addr;
        let opened = TcpStream::connect_timeout(&addr, at_most).and_then(prepared);
        match opened {
            Ok(stream) => Ok((stream, format!("connected to {addr}"))),
            Err(e) => Err(Refusal::lost(format!(
                "cannot connect to {addr} ({}): check the reader's power, network cable and address",
                plain(&e)
            ))),
        }
    }
}

/// The reader connects to us.
pub(super) struct Listen {
    addr: SocketAddr,
    listener: Option<TcpListener>,
}

impl Listen {
    pub fn new(addr: SocketAddr) -> Listen {
        Listen { addr, listener: None }
    }
}

impl super::Door for Listen {
    type Line = Accepted;

    fn open(&mut self, at_most: Duration) -> Result<(Accepted, String), Refusal> {
        let addr = self.addr;
        let failed = |e: io::Error| {
            Refusal::lost(format!("cannot listen on {addr} ({}): choose a free address of this station", plain(&e)))
        };
        let listener = match self.listener.take() {
            Some(listener) => listener,
            None => TcpListener::bind(addr).map_err(failed)?,
        };
        let accepted = accept(&listener, Some(at_most));
        // Kept open between two readers, so that one that knocks meanwhile waits instead of being refused.
        let ours = listener.try_clone().map_err(failed)?;
        self.listener = Some(listener);
        match accepted.map_err(failed)? {
            Some((stream, from)) => Ok((Accepted { listener: ours, stream }, format!("reader connected from {from}"))),
            None => Err(Refusal::lost(format!(
                "no reader has connected to {addr} yet: check the reader's power, network cable and target address"
            ))),
        }
    }
}

/// Waits for a connection, `at_most` so long; with `None` only looks whether one is waiting.
fn accept(listener: &TcpListener, at_most: Option<Duration>) -> io::Result<Option<(TcpStream, SocketAddr)>> {
    listener.set_nonblocking(at_most.is_none())?;
    // socket(7): the receive time-out holds for accept(2) as well.
    sockopt::set_socket_timeout(listener, sockopt::Timeout::Recv, at_most)?;
    match listener.accept() {
        Ok((stream, from)) => {
            stream.set_nonblocking(false)?;
            Ok(Some((prepared(stream)?, from)))
        }
        // Also a caller who has hung up before we took the call.
        Err(e) if is_pause(&e) || e.kind() == io::ErrorKind::ConnectionAborted => Ok(None),
        Err(e) => Err(e),
    }
}

/// A connection to us, and the ear for the one that may replace it.
pub(super) struct Accepted {
    listener: TcpListener,
    stream: TcpStream,
}

impl Line for Accepted {
    fn hear(&mut self, buffer: &mut [u8], at_most: Duration, raw: &mut Vec<u8>) -> Heard {
        match self.stream.hear(buffer, at_most, raw) {
            Heard::Silence => match accept(&self.listener, None) {
                Ok(Some((stream, from))) => {
                    self.stream = stream;
                    tracing::info!(%from, "a newer connection replaces the older one");
                    Heard::Anew
                }
                Ok(None) => Heard::Silence,
                Err(e) => Heard::End { orderly: false, reason: format!("cannot listen any more: {}", plain(&e)) },
            },
            other => other,
        }
    }
}

impl Line for TcpStream {
    fn hear(&mut self, buffer: &mut [u8], at_most: Duration, _: &mut Vec<u8>) -> Heard {
        // A time-out of zero would mean "for ever".
        let heard = self.set_read_timeout(Some(at_most.max(Duration::from_millis(1)))).and_then(|()| self.read(buffer));
        match heard {
            Ok(0) => Heard::End { orderly: true, reason: "the reader closed the connection".to_owned() },
            Ok(n) => Heard::Bytes(n),
            Err(e) if is_pause(&e) => Heard::Silence,
            Err(e) => Heard::End {
                orderly: false,
                reason: format!("the connection broke ({}): check the reader's power and network cable", plain(&e)),
            },
        }
    }
}

fn prepared(stream: TcpStream) -> io::Result<TcpStream> {
    sockopt::set_socket_keepalive(&stream, true)?;
    sockopt::set_tcp_keepidle(&stream, KEEPALIVE_IDLE)?;
    sockopt::set_tcp_keepintvl(&stream, KEEPALIVE_EVERY)?;
    sockopt::set_tcp_keepcnt(&stream, KEEPALIVE_PROBES)?;
    Ok(stream)
}

/// "Nothing yet", as against ETIMEDOUT, by which keepalive says that the other side is gone.
fn is_pause(e: &io::Error) -> bool {
    matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// The system's words without "(os error N)", which no operator can use.
fn plain(e: &io::Error) -> String {
    let text = e.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
