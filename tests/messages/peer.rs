//! A mail server that does what a script says: at each stage of each conversation it answers, keeps
//! silent, hangs up, or waits until it is told to go on. It keeps every line and every text it was given.

use super::support::PATIENCE;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    Greeting,
    Ehlo,
    Mail,
    Rcpt,
    Data,
    /// After the final dot.
    Text,
}

impl Stage {
    pub const ALL: [Stage; 6] = [Stage::Greeting, Stage::Ehlo, Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Text];
}

pub enum Act {
    /// What a healthy server says.
    Fine,
    Say(&'static str),
    /// The healthy answer, a byte to a packet.
    Drip,
    /// Nothing, until the other side goes.
    Hang,
    /// Hangs up at once.
    Drop,
    /// The healthy answer once this says so.
    After(Receiver<()>),
}

/// What it was given so far.
#[derive(Default, Debug)]
pub struct Heard {
    pub connections: usize,
    /// Commands, in order, of all conversations.
    pub commands: Vec<String>,
    /// Texts up to their final dot, dots taken off again.
    pub texts: Vec<String>,
    /// Texts that it said yes to.
    pub taken: usize,
}

#[derive(Default)]
struct Log {
    heard: Mutex<Heard>,
    more: Condvar,
}

impl Log {
    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, note: impl FnOnce(&mut Heard)) {
        note(&mut self.lock());
        self.more.notify_all();
    }
}

pub struct Peer {
    pub address: SocketAddr,
    log: Arc<Log>,
}

impl Peer {
    /// `script(n, stage)` says what to do at a stage of the n-th conversation, counted from 1.
    pub fn start(script: impl FnMut(usize, Stage) -> Act + Send + 'static) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let log = Arc::new(Log::default());
        let (there, script) = (log.clone(), Arc::new(Mutex::new(script)));
        std::thread::spawn(move || {
            for (n, stream) in listener.incoming().map_while(Result::ok).enumerate() {
                let (log, script) = (there.clone(), script.clone());
                log.note(|heard| heard.connections += 1);
                std::thread::spawn(move || {
                    let act = |stage| script.lock().unwrap_or_else(PoisonError::into_inner)(n + 1, stage);
                    // A conversation that breaks off is what half of these tests are about.
                    let _ = talk(stream, act, &log);
                });
            }
        });
        Peer { address, log }
    }

    pub fn healthy() -> Peer {
        Peer::start(|_, _| Act::Fine)
    }

    /// Everything it heard, once `is_so` holds of it.
    pub fn wait(&self, what: &str, is_so: impl Fn(&Heard) -> bool) -> MutexGuard<'_, Heard> {
        let until = Instant::now() + PATIENCE;
        let mut heard = self.log.lock();
        while !is_so(&heard) {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{what}: not within {PATIENCE:?}; it heard {heard:?}");
            heard = self.log.more.wait_timeout(heard, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        heard
    }

    pub fn heard(&self) -> MutexGuard<'_, Heard> {
        self.log.lock()
    }
}

/// Says `fine`, or what the script wants instead. `None`: hang up.
fn reply(stream: &mut TcpStream, act: Act, fine: &str) -> std::io::Result<Option<()>> {
    match act {
        Act::Fine => write!(stream, "{fine}\r\n")?,
        Act::Say(words) => write!(stream, "{words}\r\n")?,
        Act::Drip => {
            stream.set_nodelay(true)?;
            for byte in fine.bytes().chain(*b"\r\n") {
                stream.write_all(&[byte])?;
                std::thread::yield_now();
            }
        }
        Act::Hang => {
            let mut rest = Vec::new();
            std::io::Read::read_to_end(stream, &mut rest)?;
            return Ok(None);
        }
        Act::Drop => return Ok(None),
        Act::After(go) => {
            let _ = go.recv_timeout(PATIENCE);
            write!(stream, "{fine}\r\n")?;
        }
    }
    Ok(Some(()))
}

fn talk(mut stream: TcpStream, act: impl Fn(Stage) -> Act, log: &Log) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?);
    let mut next = move || {
        let mut line = String::new();
        let n = lines.read_line(&mut line)?;
        Ok::<_, std::io::Error>((n > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
    };
    if reply(&mut stream, act(Stage::Greeting), "220 peer.example ESMTP")?.is_none() {
        return Ok(());
    }
    while let Some(line) = next()? {
        log.note(|heard| heard.commands.push(line.clone()));
        let verb = line.get(..4).unwrap_or(&line).to_ascii_uppercase();
        let (stage, fine) = match verb.as_str() {
            "EHLO" => (Stage::Ehlo, "250 peer.example"),
            "MAIL" => (Stage::Mail, "250 sender ok"),
            "RCPT" => (Stage::Rcpt, "250 recipient ok"),
            "DATA" => (Stage::Data, "354 go on"),
            "QUIT" => {
                write!(stream, "221 bye\r\n")?;
                return Ok(());
            }
            _ => {
                write!(stream, "502 what?\r\n")?;
                continue;
            }
        };
        let what = act(stage);
        let goes_on = matches!(what, Act::Fine | Act::Drip | Act::After(_));
        if reply(&mut stream, what, fine)?.is_none() {
            return Ok(());
        }
        if stage == Stage::Data && goes_on {
            let mut text = String::new();
            loop {
                match next()? {
                    None => return Ok(()),
                    Some(line) if line == "." => break,
                    Some(line) => text.push_str(&format!("{}\n", line.strip_prefix('.').unwrap_or(&line))),
                }
            }
            log.note(|heard| heard.texts.push(text));
            let what = act(Stage::Text);
            let goes_on = matches!(what, Act::Fine | Act::Drip | Act::After(_));
            let said = reply(&mut stream, what, "250 2.0.0 queued as 4711");
            if goes_on {
                log.note(|heard| heard.taken += 1);
            }
            if said?.is_none() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Header lines of a text, folded ones joined, and its body, lines that were broken for the wire joined.
pub fn parts(text: &str) -> (Vec<String>, String) {
    let (head, body) = text.split_once("\n\n").expect("a blank line ends the headers");
    let mut headers: Vec<String> = Vec::new();
    for line in head.lines() {
        match headers.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) => last.push_str(line),
            _ => headers.push(line.to_owned()),
        }
    }
    (headers, body.replace("=\n", ""))
}
