//! A printer on the network: raw TCP, port 9100.
//!
//! A byte is taken when our kernel has it. After a reset nobody knows how many of those arrived; the
//! dialogue asks the printer's count.

use super::link::{Halves, Link, NotTaken, Reader, STEP, Trouble, Writer};
use crate::zebra::Fault;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

pub struct Tcp {
    pub address: SocketAddr,
}

impl Link for Tcp {
    fn open(&mut self) -> Result<Halves, Trouble> {
        let open = || -> std::io::Result<Halves> {
            let stream = TcpStream::connect_timeout(&self.address, CONNECT_TIMEOUT)?;
            stream.set_nodelay(true)?;
            stream.set_write_timeout(Some(STEP))?;
            // A printer that was switched off says nothing; the kernel finds out within half a minute.
            rustix::net::sockopt::set_socket_keepalive(&stream, true)?;
            rustix::net::sockopt::set_tcp_keepidle(&stream, Duration::from_secs(10))?;
            rustix::net::sockopt::set_tcp_keepintvl(&stream, Duration::from_secs(5))?;
            rustix::net::sockopt::set_tcp_keepcnt(&stream, 3)?;
            Ok(Halves { reader: Box::new(Ear(stream.try_clone()?)), writer: Box::new(Hand(stream)) })
        };
        open().map_err(|e| {
            let refused = e.kind() == ErrorKind::ConnectionRefused;
            Trouble::new(if refused { Fault::Refused } else { Fault::Unreachable }, format!("{}: {e}", self.address))
        })
    }
}

fn broken(why: impl ToString) -> Trouble {
    Trouble::new(Fault::Unreachable, why.to_string())
}

/// Waits on the kernel without a time-out: an idle printer costs nothing.
struct Ear(TcpStream);

impl Reader for Ear {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Trouble> {
        match self.0.read(buffer) {
            Ok(0) => Err(broken("the printer closed the connection")),
            Ok(n) => Ok(n),
            Err(e) if matches!(e.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => Ok(0),
            Err(e) => Err(broken(e)),
        }
    }
}

struct Hand(TcpStream);

impl Writer for Hand {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, NotTaken> {
        // The kernel takes some bytes or says why it takes none: `perhaps` is 0.
        let broken = |why: String| NotTaken::Broken { trouble: broken(why), perhaps: 0 };
        loop {
            match self.0.write(bytes) {
                Ok(0) => return Err(broken("the printer takes no more bytes".to_owned())),
                Ok(n) => return Ok(n),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Err(NotTaken::Stalled);
                }
                Err(e) => return Err(broken(e.to_string())),
            }
        }
    }

    fn hang_up(&mut self) {
        let _ = self.0.shutdown(Shutdown::Both);
    }
}
