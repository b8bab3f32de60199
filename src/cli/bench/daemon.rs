//! The daemon under the bench: this same program as a child process, started as systemd starts it, with
//! one page open. Its memory and processor time are the kernel's figures.

use super::super::Stop;
use super::site::{Station, at};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Nothing that a healthy station does takes as long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A running daemon; killed when dropped.
pub struct Daemon {
    child: Child,
    page: SocketAddr,
    log: std::path::PathBuf,
    /// From before the process was made to `READY=1`.
    pub ready_after: Duration,
}

impl Daemon {
    /// Starts this same program and waits until it says `READY=1`.
    pub fn start(station: &Station) -> Result<Daemon, Stop> {
        Daemon::start_as(&std::env::current_exe().map_err(Stop::failed)?, station)
    }

    /// The same by a `backdock` that is another program than this one.
    pub fn start_as(backdock: &Path, station: &Station) -> Result<Daemon, Stop> {
        let notify = station.dir.join("notify");
        let _ = fs::remove_file(&notify);
        let told = UnixDatagram::bind(&notify).map_err(|e| at(&notify, e))?;
        told.set_read_timeout(Some(PATIENCE)).map_err(Stop::failed)?;
        let log = station.dir.join("log");
        let errors = fs::OpenOptions::new().create(true).append(true).open(&log).map_err(|e| at(&log, e))?;
        let mut command = Command::new(backdock);
        command
            .arg("--config")
            .arg(station.dir.join("backdock.toml"))
            .arg("run")
            .env("NOTIFY_SOCKET", &notify)
            .env_remove("WATCHDOG_USEC")
            .env_remove("JOURNAL_STREAM")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors);
        let began = Instant::now();
        let child = command.spawn().map_err(Stop::failed)?;
        let mut daemon = Daemon { child, page: station.config.web.listen, log, ready_after: Duration::ZERO };
        let mut word = [0; 256];
        loop {
            match told.recv(&mut word) {
                Ok(n) if word[..n].starts_with(b"READY=1") => break,
                Ok(_) => {}
                Err(_) => return Err(daemon.failed("did not get ready")),
            }
            if !matches!(daemon.child.try_wait(), Ok(None)) {
                return Err(daemon.failed("ended before it was ready"));
            }
        }
        daemon.ready_after = began.elapsed();
        Ok(daemon)
    }

    pub fn failed(&self, what: &str) -> Stop {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let last: Vec<&str> = log.lines().rev().take(5).collect();
        let last: String = last.into_iter().rev().map(|line| format!("\n  {line}")).collect();
        Stop::failed(format!("the daemon {what}; its log ends with{last}"))
    }

    /// Opens the page: its live events, read as a browser reads them.
    pub fn page(&self) -> Result<Page, Stop> {
        Page::open(self.page).map_err(|e| self.failed(&format!("does not serve its page ({e})")))
    }

    /// Resident memory in bytes.
    pub fn resident(&self) -> Result<u64, Stop> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).map_err(Stop::failed)?;
        let kb = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).and_then(|l| l.split_whitespace().next());
        let kb: Option<u64> = kb.and_then(|n| n.parse().ok());
        kb.map(|kb| kb * 1024).ok_or_else(|| Stop::failed("/proc tells no resident size"))
    }

    /// Processor time of all its threads so far, in the scheduler's nanoseconds.
    pub fn worked(&self) -> Result<Duration, Stop> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).map_err(Stop::failed)?;
        let nanoseconds = |task: fs::DirEntry| {
            let line = fs::read_to_string(task.path().join("schedstat")).ok()?;
            line.split(' ').next()?.parse::<u64>().ok()
        };
        Ok(Duration::from_nanos(tasks.flatten().filter_map(nanoseconds).sum()))
    }

    /// Ends it as systemd does; an exit code other than 0 is an error.
    pub fn stop(&mut self) -> Result<(), Stop> {
        if let Some(pid) = rustix::process::Pid::from_raw(self.child.id().cast_signed()) {
            rustix::process::kill_process(pid, rustix::process::Signal::TERM).map_err(Stop::failed)?;
        }
        match self.child.wait() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(self.failed(&format!("did not stop in order ({status})"))),
            Err(e) => Err(Stop::failed(e)),
        }
    }

    /// Ends it as a power cut does.
    pub fn kill(&mut self) {
        // Of a process that has ended already, both are told and neither does harm.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

/// An open page. It takes in every view, and looks at one only when asked to.
pub struct Page {
    shared: Arc<Shared>,
    stream: TcpStream,
}

#[derive(Default)]
struct Shared {
    view: Mutex<Latest>,
    news: Condvar,
}

#[derive(Default)]
struct Latest {
    view: Vec<u8>,
    count: u64,
    over: bool,
}

impl Page {
    fn open(address: SocketAddr) -> std::io::Result<Page> {
        let mut stream = TcpStream::connect(address)?;
        // Without keep-alive there are no chunks to take apart.
        stream.write_all(b"GET /events HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
        let shared = Arc::new(Shared::default());
        let (ours, mut reader) = (shared.clone(), BufReader::with_capacity(1 << 16, stream.try_clone()?));
        thread::Builder::new().name("page".into()).spawn(move || {
            let (mut line, mut is_view) = (Vec::new(), false);
            loop {
                line.clear();
                let over = !matches!(reader.read_until(b'\n', &mut line), Ok(1..));
                let mut latest = ours.view.lock().unwrap_or_else(PoisonError::into_inner);
                if over {
                    latest.over = true;
                } else if let Some(event) = line.strip_prefix(b"event: ") {
                    is_view = event.starts_with(b"view");
                    continue;
                } else if is_view && let Some(data) = line.strip_prefix(b"data: ") {
                    latest.view.clear();
                    latest.view.extend_from_slice(data);
                    latest.count += 1;
                } else {
                    continue;
                }
                ours.news.notify_all();
                if over {
                    return;
                }
            }
        })?;
        Ok(Page { shared, stream })
    }

    /// Waits until the page shows what is wanted.
    pub fn wait(&self, what: &str, shows: impl Fn(&Value) -> bool) -> Result<(), Stop> {
        let until = Instant::now() + PATIENCE;
        let mut seen = 0;
        let mut latest = self.shared.view.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if latest.count != seen {
                seen = latest.count;
                if serde_json::from_slice(&latest.view).is_ok_and(|view| shows(&view)) {
                    return Ok(());
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            if latest.over || left.is_zero() {
                return Err(Stop::failed(format!(
                    "the page does not show {what}; it shows {}",
                    String::from_utf8_lossy(&latest.view)
                )));
            }
            latest = self.shared.news.wait_timeout(latest, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until scanner and printer are there and nothing waits to be printed.
    pub fn wait_ready(&self) -> Result<(), Stop> {
        self.wait("a scanner and a ready printer", |view| {
            view["scanners"][0]["state"] == "present"
                && view["printers"][0]["state"] == "ready"
                && view["printers"][0]["waiting"] == 0
        })
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }
}
