//! The kiosk page as a browser sees it: the live events of `/events`.
//!
//! A client of its own, in a few lines on a socket, so that nothing of the daemon's code vouches for
//! itself. It speaks HTTP/1.0, in which a stream ends when the connection does.

use super::PATIENCE;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Why a wait ended without what was waited for.
#[derive(Debug)]
pub enum Trouble {
    /// The daemon's end of the connection is gone.
    Gone,
    /// It did not come true in time.
    Late(String),
}

/// An open page.
pub struct Page {
    stream: BufReader<TcpStream>,
    pub view: Value,
}

impl Page {
    /// Opens the page and waits for its first view.
    pub fn open(address: SocketAddr) -> Result<Page, Trouble> {
        let stream = ask(address, "/events").map_err(|_| Trouble::Gone)?;
        let mut page = Page { stream: BufReader::new(stream), view: Value::Null };
        page.wait("a first view", |view| !view.is_null())?;
        Ok(page)
    }

    /// Waits until `is_so` holds of the newest view.
    pub fn wait(&mut self, what: &str, mut is_so: impl FnMut(&Value) -> bool) -> Result<&Value, Trouble> {
        let until = Instant::now() + PATIENCE;
        let mut line = String::new();
        while !is_so(&self.view) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let v = &self.view;
                let shown =
                    [&v["seq"], &v["screen"]["outcome"], &v["screen"]["scanned"], &v["printers"], &v["in_doubt"]];
                return Err(Trouble::Late(format!("{what}: not within {PATIENCE:?}; the page shows {shown:?}")));
            }
            // The page's pulse comes every other second, so that no read waits for long.
            let _ = self.stream.get_ref().set_read_timeout(Some(left));
            line.clear();
            match self.stream.read_line(&mut line) {
                Ok(0) | Err(_) if until > Instant::now() => return Err(Trouble::Gone),
                _ => {}
            }
            if let Some(data) = line.strip_prefix("data: ")
                && let Ok(view) = serde_json::from_str::<Value>(data)
                && view.get("seq").is_some()
            {
                self.view = view;
            }
        }
        Ok(&self.view)
    }

    /// The body of another address of the page.
    pub fn get(&self, path: &str) -> Result<Vec<u8>, Trouble> {
        let address = self.stream.get_ref().peer_addr().map_err(|_| Trouble::Gone)?;
        let mut whole = Vec::new();
        ask(address, path).and_then(|mut stream| stream.read_to_end(&mut whole)).map_err(|_| Trouble::Gone)?;
        let head = whole.windows(4).position(|w| w == b"\r\n\r\n").ok_or(Trouble::Gone)?;
        Ok(whole.split_off(head + 4))
    }

    /// Which scan the screen speaks of: changes with every scan, even with the same one scanned again.
    pub fn shown(&self) -> (Value, Value) {
        (self.view["screen"]["at"].clone(), self.view["today"]["scans"].clone())
    }
}

fn ask(address: SocketAddr, path: &str) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    Ok(stream)
}
