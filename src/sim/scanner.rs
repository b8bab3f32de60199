//! The virtual scanner: a tape of scans, and a pty that plays it.
//!
//! Arrives: a tape, or bytes to send. Leaves: the same bytes on the slave side of a pty, at the tape's
//! pace, where the host reads them as from any serial port. Promised: every byte is written before
//! [`Player::play`] or [`Player::send`] returns; what the host sends back (a BEL to make the scanner
//! beep) is read all the time, so that the pty never fills up from that side.
//!
//! The master stays open until the [`Player`] is dropped: a scan written just before the master closes
//! would be lost. A host that does not read holds the player up once the pty's own buffer (some
//! kilobytes) is full, as flow control would a real scanner.
//!
//! A tape is text:
//!
//! ```text
//! # model: Zebra DS2208
//! # what: one box, scanned twice
//! 350 R26D100007K\x0D
//! 1200 R26D100007K\x0D
//! ```
//!
//! Lines of `# key: value` are its header; then each line is the pause before the bytes, in
//! milliseconds, one blank, and the bytes: printable ASCII as it is, all else and the backslash as
//! `\xHH`. Nothing is trimmed.

mod tape;

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

pub use tape::{Line, Tape, TapeError, escape};

/// Bytes kept of what the host sent back; older ones are forgotten.
const RECEIVED_MAX: usize = 1 << 16;

/// A scanner on a pty.
#[derive(Debug)]
pub struct Player {
    master: File,
    /// Our own end of the slave: while it is open, the host may come and go.
    slave: File,
    slave_path: PathBuf,
    link: Option<PathBuf>,
    heard: Arc<Heard>,
    listener: Option<JoinHandle<()>>,
}

/// What the host sent back.
#[derive(Debug, Default)]
struct Heard {
    bytes: Mutex<VecDeque<u8>>,
    more: Condvar,
    stop: AtomicBool,
}

impl Heard {
    fn lock(&self) -> MutexGuard<'_, VecDeque<u8>> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Player {
    /// Makes a pty in raw mode, and at `link` a symbolic link to its slave, in place of an older link.
    ///
    /// # Errors
    /// No pty can be had; or at `link` stands something that is no symbolic link, or it cannot be made.
    pub fn open(link: Option<&Path>) -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?;
        let slave_path = PathBuf::from(String::from_utf8_lossy(name.as_bytes()).into_owned());
        let slave = open_tty(&slave_path)?;
        let mut attributes = tcgetattr(&slave)?;
        attributes.make_raw();
        tcsetattr(&slave, OptionalActions::Now, &attributes)?;

        let master = File::from(master);
        let heard = Arc::new(Heard::default());
        let (ear, there) = (master.try_clone()?, Arc::clone(&heard));
        if let Some(link) = link {
            point(link, &slave_path)?;
        }
        // From here on dropping the player takes the link away again.
        let mut player = Self { master, slave, slave_path, link: link.map(Path::to_owned), heard, listener: None };
        let listener = thread::Builder::new().name("scanner-ear".to_owned()).spawn(move || listen(ear, &there))?;
        player.listener = Some(listener);
        Ok(player)
    }

    /// The device to give the host.
    #[must_use]
    pub fn slave_path(&self) -> &Path {
        &self.slave_path
    }

    /// Sends bytes, all of them.
    ///
    /// # Errors
    /// The pty refuses them.
    pub fn send(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.master).write_all(bytes)
    }

    /// Plays a tape: pauses, tells `on_line` of the line, and sends it.
    ///
    /// `speed` 2.0 halves the pauses; 0 and what is no positive number leave them out.
    ///
    /// # Errors
    /// As [`Player::send`]; the rest of the tape is not played.
    pub fn play(&self, tape: &Tape, speed: f64, mut on_line: impl FnMut(&Line)) -> io::Result<()> {
        for line in &tape.lines {
            if speed > 0.0 {
                let pause = line.delay.as_secs_f64() / speed;
                // A pause too long to be told in seconds is left out rather than waited for.
                thread::sleep(Duration::try_from_secs_f64(pause).unwrap_or_default());
            }
            on_line(line);
            self.send(&line.bytes)?;
        }
        Ok(())
    }

    /// What the host has sent back since the last call, such as BEL to beep.
    #[must_use]
    pub fn received(&self) -> Vec<u8> {
        self.heard.lock().drain(..).collect()
    }

    /// Waits until the host has sent something back or `timeout` is over; then as
    /// [`Player::received`].
    #[must_use]
    pub fn wait_received(&self, timeout: Duration) -> Vec<u8> {
        let (mut bytes, _) = self
            .heard
            .more
            .wait_timeout_while(self.heard.lock(), timeout, |bytes| bytes.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        bytes.drain(..).collect()
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.heard.stop.store(true, Ordering::Release);
        // A byte from the host's side wakes the listener, which finds that it is to stop.
        let woken = self.slave.write_all(b"\0");
        if let (Ok(()), Some(listener)) = (woken, self.listener.take()) {
            let _ = listener.join();
        }
        if let Some(link) = &self.link
            && fs::read_link(link).is_ok_and(|to| to == self.slave_path)
        {
            let _ = fs::remove_file(link);
        }
    }
}

/// Opens a terminal device without making it this process's controlling one.
fn open_tty(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).custom_flags(OFlags::NOCTTY.bits().cast_signed()).open(path)
}

/// The thread that reads what the host sends.
fn listen(mut ear: File, heard: &Heard) {
    let mut chunk = [0; 512];
    loop {
        let got = match ear.read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Ok(0) | Err(_) => return,
            Ok(got) => got,
        };
        if heard.stop.load(Ordering::Acquire) {
            return;
        }
        let mut bytes = heard.lock();
        bytes.extend(&chunk[..got]);
        let over = bytes.len().saturating_sub(RECEIVED_MAX);
        bytes.drain(..over);
        heard.more.notify_all();
    }
}

/// Points a symbolic link at the slave; an older link gives way at once, anything else is an error.
fn point(link: &Path, slave: &Path) -> io::Result<()> {
    if let Ok(there) = fs::symlink_metadata(link)
        && !there.file_type().is_symlink()
    {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            format!("{} is no symbolic link and is left alone; name another path", link.display()),
        ));
    }
    let mut beside = link.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    symlink(slave, &beside)?;
    fs::rename(&beside, link)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Long enough for a loaded machine; the tests end as soon as what they wait for is there.
    const PATIENCE: Duration = Duration::from_secs(20);

    fn host(player: &Player) -> File {
        open_tty(player.slave_path()).expect("the slave opens")
    }

    /// Reads so many bytes, or fails when they do not come.
    fn read(host: &File, bytes: usize) -> Vec<u8> {
        let (send, receive) = std::sync::mpsc::channel();
        let mut host = host.try_clone().expect("a second handle");
        thread::spawn(move || {
            let mut got = vec![0; bytes];
            let _ = send.send(host.read_exact(&mut got).map(|()| got));
        });
        receive.recv_timeout(PATIENCE).expect("in time").expect("read")
    }

    #[test]
    fn a_tape_arrives_byte_for_byte_and_a_beep_comes_back() {
        let player = Player::open(None).expect("a pty");
        let mut host = host(&player);
        let text = "5 R26D100007K\\x0D\n5 \\x03\\x04\\x11\\x13\\x1A\\x0A\\xFF\n";
        let tape = Tape::parse(text).expect("a tape");
        let mut told = Vec::new();
        player.play(&tape, 0.0, |line| told.push(line.clone())).expect("played");
        assert_eq!(read(&host, 19), b"R26D100007K\r\x03\x04\x11\x13\x1a\n\xff");
        assert_eq!(told, tape.lines);

        host.write_all(b"\x07").expect("a beep");
        assert_eq!(player.wait_received(PATIENCE), b"\x07");
        assert_eq!(player.received(), b"");
    }

    #[test]
    fn the_host_may_come_late_and_go_again() {
        let player = Player::open(None).expect("a pty");
        player.send(b"early\r").expect("sent");
        assert_eq!(read(&host(&player), 6), b"early\r");
        player.send(b"again\r").expect("sent");
        assert_eq!(read(&host(&player), 6), b"again\r");
    }

    #[test]
    fn a_link_points_at_the_slave_while_the_player_lives() {
        let dir = tempfile::tempdir().expect("a directory");
        let link = dir.path().join("scanner0");
        let first = Player::open(Some(&link)).expect("a pty");
        assert_eq!(fs::read_link(&link).expect("a link"), first.slave_path());
        let second = Player::open(Some(&link)).expect("a pty");
        drop(first);
        assert_eq!(fs::read_link(&link).expect("a link"), second.slave_path());
        drop(second);
        assert!(fs::symlink_metadata(&link).is_err());

        fs::write(&link, "precious").expect("written");
        let error = Player::open(Some(&link)).expect_err("no link").to_string();
        assert!(error.contains("left alone"), "{error}");
        assert_eq!(fs::read_to_string(&link).expect("there"), "precious");
    }
}
