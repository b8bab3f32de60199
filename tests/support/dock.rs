//! A dock for the real binary: a data directory with shipments and one RMA, brought in by the command
//! line; a virtual scanner and a virtual Zebra in the test process, which outlive every daemon.

use super::PATIENCE;
use super::page::{Page, Trouble};
use super::wire::Wire;
use backdock::sim::engine;
use backdock::sim::printer::{self, Handle};
use backdock::sim::scanner::Player;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub const BINARY: &str = env!("CARGO_BIN_EXE_backdock");
pub const STATION: &str = "DOCK7";
/// The one box, with every unit announced on it.
pub const RMA: &str = "RMA470011";

/// The devices and the files of one station.
pub struct Dock {
    pub data: PathBuf,
    pub config: PathBuf,
    pub gun: Player,
    pub zebra: Handle,
    pub wire: Wire,
    /// Our own end of the scanner's line, to free it from a daemon that was killed: see [`Dock::spawn`].
    line: File,
    /// Serial numbers of the announced units.
    pub units: Vec<String>,
    dir: tempfile::TempDir,
}

impl Dock {
    /// A station with an RMA over so many units; a label takes `label_time`.
    pub fn new(units: usize, label_time: Duration) -> Dock {
        let dock = Dock::bare(units, label_time);
        dock.bring_in();
        dock
    }

    /// The same with an empty database still to come.
    pub fn bare(units: usize, label_time: Duration) -> Dock {
        let dir = tempfile::tempdir().expect("a directory");
        let data = dir.path().join("data");
        fs::create_dir(&data).expect("the data directory");
        let engine = engine::Options { label_time, settle: label_time / 2, ..Default::default() };
        let zebra = printer::start(printer::Options { engine, ..Default::default() }).expect("the virtual printer");
        let wire = Wire::to(zebra.local_addr());
        let gun = Player::open(None).expect("the virtual scanner");
        let line = OpenOptions::new().read(true).open(gun.slave_path()).expect("the scanner's line");
        let config = dir.path().join("backdock.toml");
        let units = (1..=units).map(|n| format!("KDX{n:07}")).collect();
        let dock = Dock { data, config, gun, zebra, wire, line, units, dir };
        dock.configure(&dock.data);
        dock
    }

    /// Writes the configuration, with this data directory.
    pub fn configure(&self, data: &Path) {
        let text = format!(
            "[station]\nid = \"{STATION}\"\ncode = \"D7\"\ntimezone = \"America/Chicago\"\ndata = {data:?}\nsocket = {:?}\n\
             [web]\nlisten = \"127.0.0.1:0\"\n\
             [[scanner]]\nname = \"gun\"\nkind = \"serial\"\nport = {:?}\nsuffix = \"cr\"\n\
             [[printer]]\nname = \"zebra\"\nlink = \"tcp://{}\"\ndpi = 203\nstock = \"4x3\"\n",
            self.dir.path().join("backdock.sock"),
            self.gun.slave_path(),
            self.wire.address(),
        );
        fs::write(&self.config, text).expect("the configuration");
    }

    /// Shipments and the RMA, by the command line.
    pub fn bring_in(&self) {
        let mut shipments = String::from("serial,mac,brand,model,ship_date,order,customer,channel\n");
        let mut rmas = String::from("number,ticket,channel,customer,issued,reported,diagnosed,qualified,serial\n");
        for (n, serial) in self.units.iter().enumerate() {
            let _ = writeln!(shipments, "{serial},001565{n:06X},Yealink,T46U,2026-02-03,SO-{n},Acme,direct");
            let _ = writeln!(rmas, "{RMA},T-1,direct,Acme,2026-02-20,2026-02-20,yes,yes,{serial}");
        }
        for (verb, name, text) in [("shipments", "shipments.csv", shipments), ("rma", "rmas.csv", rmas)] {
            let file = self.dir.path().join(name);
            fs::write(&file, text).expect(name);
            let done = self.cli(&[verb, "import", file.to_str().expect("a path")]);
            assert!(done.status.success(), "{verb} import: {done:?}");
        }
    }

    /// A file beside the data directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs a verb of the binary to its end.
    pub fn cli(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(BINARY);
        command.arg("--config").arg(&self.config).args(arguments).stdin(Stdio::null());
        command.output().expect("the binary runs")
    }

    /// Starts the daemon, `before` and its arguments in front of the command line (a tracer, a shell).
    pub fn spawn_by(&self, before: &[&str]) -> Daemon {
        // A killed daemon leaves the line marked as exclusive. The kernel forgets the mark when the last
        // holder closes, which on a dock is the daemon; here the virtual scanner holds the line too.
        rustix::termios::ioctl_tiocnxcl(&self.line).expect("the scanner's line is free");
        let mut words = before.iter().copied().chain([BINARY]);
        let mut command = Command::new(words.next().expect("at least the binary"));
        command.args(words).arg("--config").arg(&self.config).arg("run");
        Daemon::watch(command)
    }

    /// Starts a verb that may be killed.
    pub fn run(&self, arguments: &[&str]) -> Daemon {
        let mut command = Command::new(BINARY);
        command.arg("--config").arg(&self.config).args(arguments);
        Daemon::watch(command)
    }

    pub fn spawn(&self) -> Daemon {
        self.spawn_by(&[])
    }

    /// Starts the daemon and opens its page.
    pub fn start(&self) -> (Daemon, Page) {
        let daemon = self.spawn();
        let page = daemon.page().unwrap_or_else(|e| panic!("the daemon does not start: {e:?}\n{}", daemon.log()));
        (daemon, page)
    }

    /// Scans and waits until the screen shows what came of it; answers with the outcome.
    pub fn scan(&self, page: &mut Page, payload: &str) -> Result<String, Trouble> {
        let before = page.shown();
        self.gun.send(format!("{payload}\r").as_bytes()).expect("the scanner sends");
        page.wait(&format!("the scan of {payload} is shown"), |view| {
            let new = (&view["screen"]["at"], &view["today"]["scans"]) != (&before.0, &before.1);
            new && view["screen"]["scanned"] == payload
        })?;
        Ok(page.view["screen"]["outcome"].as_str().unwrap_or_default().to_owned())
    }

    /// Takes from the scanner's line what no daemon reads any more, up to `end`.
    pub fn drain_line(&self, end: &[u8]) {
        let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
        while !bytes.ends_with(end) {
            let n = (&self.line).read(&mut chunk).expect("the line is read");
            bytes.extend_from_slice(&chunk[..n]);
        }
    }

    /// Waits until every label is proved or in doubt, and none waits.
    pub fn settled(&self, page: &mut Page) -> Result<(), Trouble> {
        page.wait("every label is settled", |view| view["printers"][0]["state"] == "ready" && out(view) == 0)?;
        Ok(())
    }
}

/// Labels that wait, or are out and not settled.
pub fn out(view: &Value) -> u64 {
    let count = |name: &str| view["printers"][0][name].as_u64().unwrap_or(u64::MAX / 2);
    count("waiting") + count("sent")
}

/// A running daemon, or another verb that runs for a while; killed when dropped.
pub struct Daemon {
    child: Child,
    log: Arc<Log>,
}

/// What the daemon says on standard error, line by line, until it has gone.
#[derive(Default)]
struct Log {
    lines: Mutex<(Vec<String>, bool)>,
    more: Condvar,
}

impl Log {
    /// The first line that `of` has an answer to; `None` when the daemon has gone before or time is up.
    fn find<T>(&self, of: impl Fn(&str) -> Option<T>) -> Option<T> {
        let until = Instant::now() + PATIENCE;
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = 0;
        loop {
            if let Some(found) = lines.0[seen..].iter().find_map(|line| of(line)) {
                return Some(found);
            }
            seen = lines.0.len();
            let left = until.saturating_duration_since(Instant::now());
            if lines.1 || left.is_zero() {
                return None;
            }
            lines = self.more.wait_timeout(lines, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn ended(&self) -> bool {
        self.find(|_| None::<()>);
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}

/// Kills one daemon from anywhere, at once and for good.
#[derive(Clone)]
pub struct Killer(Pid, Arc<Log>);

impl Killer {
    /// SIGKILL, and waits until nothing is left of the process. The pid stays taken until the test reaps it.
    pub fn kill(&self) {
        let _ = kill_process(self.0, Signal::KILL);
        assert!(self.1.ended(), "a killed daemon is still there");
    }
}

impl Daemon {
    fn watch(mut command: Command) -> Daemon {
        command.env("NO_COLOR", "1").env_remove("JOURNAL_STREAM").env_remove("NOTIFY_SOCKET").env_remove("RUST_LOG");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the daemon is started");
        let log = Arc::new(Log::default());
        let (said, there) = (child.stderr.take().expect("a pipe"), log.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(said).split(b'\n').map_while(Result::ok) {
                let mut lines = there.lines.lock().unwrap_or_else(PoisonError::into_inner);
                lines.0.push(String::from_utf8_lossy(&line).into_owned());
                there.more.notify_all();
            }
            there.lines.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
            there.more.notify_all();
        });
        Daemon { child, log }
    }

    /// Opens the page once the daemon is ready.
    pub fn page(&self) -> Result<Page, Trouble> {
        Page::open(self.address().ok_or(Trouble::Gone)?)
    }

    /// How many files and connections it has open.
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("a running daemon").count()
    }

    /// Where the page is served; `None` when the daemon ends before that.
    pub fn address(&self) -> Option<SocketAddr> {
        self.log.find(|line| line.split_once(" page=")?.1.split(' ').next()?.parse().ok())
    }

    /// Waits until so many lines have said this; `false` when it ends before.
    pub fn says(&self, lines: usize, what: &str) -> bool {
        let seen = std::cell::Cell::new(0);
        self.log.find(|line| {
            seen.set(seen.get() + usize::from(line.contains(what)));
            (seen.get() >= lines).then_some(())
        });
        seen.get() >= lines
    }

    /// All it said so far.
    pub fn log(&self) -> String {
        self.log.lines.lock().unwrap_or_else(PoisonError::into_inner).0.join("\n")
    }

    pub fn killer(&self) -> Killer {
        Killer(self.pid(), self.log.clone())
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// SIGTERM.
    pub fn ask_to_stop(&self) {
        let _ = kill_process(self.pid(), Signal::TERM);
    }

    /// Waits for its end.
    pub fn end(&mut self) -> ExitStatus {
        assert!(self.log.ended(), "the daemon does not end:\n{}", self.log());
        self.child.wait().expect("it can be reaped")
    }

    /// Kills it, if it still runs, and waits for its end.
    pub fn kill(&mut self) {
        self.killer().kill();
        let _ = self.child.wait();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Reaped already or not, the standard library knows, and the number is not used twice.
        let _ = (self.child.kill(), self.child.wait());
    }
}
