//! CUPS as people run it for label printers: a raw queue with the socket backend. An instance of its own,
//! with Debian's settings for logging and errors, in a directory of its own; the machine's CUPS, if one
//! runs, is not touched.

use crate::{Done, PATIENCE};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const CUPSD: &str = "/usr/sbin/cupsd";
const TOOLS: [&str; 7] = [
    CUPSD,
    "/usr/lib/cups/backend/socket",
    "/usr/bin/lp",
    "/usr/bin/lpstat",
    "/usr/sbin/lpadmin",
    "/usr/sbin/cupsdisable",
    "/usr/sbin/cupsenable",
];
const QUEUE: &str = "zebra";
/// Between two looks at a spooler that tells nothing by itself.
const LOOK: Duration = Duration::from_millis(20);

/// Installs CUPS where it is not there; returns its version.
pub fn need() -> Done<String> {
    let there = || TOOLS.iter().all(|tool| Path::new(tool).exists());
    if !there() {
        eprintln!("installing cups");
        for line in [&["update", "-qq"][..], &["install", "-y", "-qq", "--no-install-recommends", "cups"]] {
            let mut apt = if rustix::process::geteuid().is_root() {
                Command::new("apt-get")
            } else {
                let mut sudo = Command::new("sudo");
                sudo.args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
                sudo
            };
            // The run level of maintenance: where no systemd runs, the package then starts no service.
            apt.args(line).env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1").stdout(Stdio::null());
            apt.status().map_err(|e| format!("apt-get: {e}"))?;
        }
    }
    if !there() {
        return Err("CUPS cannot be installed: apt-get install cups".into());
    }
    let version = Command::new("dpkg-query").args(["-W", "-f", "${Version}", "cups-daemon"]).output()?;
    Ok(String::from_utf8_lossy(&version.stdout).into_owned())
}

/// A running cupsd; killed when dropped.
pub struct Spooler {
    dir: PathBuf,
    child: Child,
}

impl Spooler {
    /// A spooler in the empty directory `dir` with a raw queue for the printer.
    pub fn start(dir: PathBuf, printer: SocketAddr) -> Done<Spooler> {
        let at = dir.display();
        // Debian's cupsd.conf, except: `info` instead of `warn`, because only the log tells a job that is
        // complete from one that was given up; and no network.
        let settings = format!(
            "LogLevel info\nMaxLogSize 0\nErrorPolicy retry-job\nListen {at}/socket\nBrowsing No\nWebInterface No\n\
             <Location />\nOrder deny,allow\n</Location>\n<Policy default>\n<Limit All>\nOrder deny,allow\n</Limit>\n\
             </Policy>\n"
        );
        let files = format!(
            "ServerRoot {at}/etc\nRequestRoot {at}/spool\nTempDir {at}/spool/tmp\nStateDir {at}/state\n\
             CacheDir {at}/cache\nAccessLog {at}/access\nErrorLog {at}/log\nPageLog {at}/pages\nPrintcap {at}/printcap\n"
        );
        for name in ["etc", "spool", "spool/tmp", "state", "cache"] {
            fs::create_dir(dir.join(name))?;
        }
        fs::write(dir.join("cupsd.conf"), settings)?;
        fs::write(dir.join("cups-files.conf"), files)?;
        // Where AppArmor confines cupsd it knows it by its path, and would forbid it this directory.
        fs::copy(CUPSD, dir.join("cupsd"))?;
        let child = spawn(&dir)?;
        let mut spooler = Spooler { dir, child };
        spooler.wait_there()?;
        spooler.tell("/usr/sbin/lpadmin", &["-p", QUEUE, "-E", "-v", &format!("socket://{printer}"), "-m", "raw"])?;
        // A queue that stands since yesterday is on the disk.
        spooler.write_down()?;
        Ok(spooler)
    }

    /// `lp`, not yet waited for.
    pub fn lp(&self, file: &Path) -> std::io::Result<Child> {
        self.tool("/usr/bin/lp").args(["-d", QUEUE, "-o", "raw"]).arg(file).spawn()
    }

    /// `lp` to its end. The first job has the number 1, and so on.
    pub fn submit(&self, file: &Path) -> Done<()> {
        let status = self.lp(file)?.wait()?;
        if status.success() { Ok(()) } else { Err(format!("lp: {status}").into()) }
    }

    /// Jobs wait from now on.
    pub fn hold(&self) -> Done<()> {
        self.tell("/usr/sbin/cupsdisable", &[QUEUE])
    }

    /// Jobs go out again.
    pub fn release(&self) -> Done<()> {
        self.tell("/usr/sbin/cupsenable", &[QUEUE])
    }

    /// `kill -9` of the spooler and whatever it has started, at once. Kinder to CUPS than the death of cupsd
    /// alone, which leaves a backend behind that goes on beside its successor.
    pub fn kill(&mut self) -> Done<()> {
        let pid = self.child.id();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
        self.child.kill()?;
        self.child.wait()?;
        for child in children.split_whitespace() {
            if let Some(pid) = child.parse().ok().and_then(Pid::from_raw) {
                // One that has ended by itself is as good.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        Ok(())
    }

    pub fn start_again(&mut self) -> Done<()> {
        self.child = spawn(&self.dir)?;
        self.wait_there()
    }

    /// Waits until no job waits or prints; `false` where one still does after `patience`.
    pub fn wait_empty(&self, patience: Duration) -> Done<bool> {
        let until = Instant::now() + patience;
        loop {
            let waiting =
                self.tool("/usr/bin/lpstat").args(["-W", "not-completed", "-o"]).stdout(Stdio::piped()).output()?;
            if waiting.status.success() && waiting.stdout.is_empty() {
                return Ok(true);
            }
            if Instant::now() > until {
                return Ok(false);
            }
            sleep(LOOK);
        }
    }

    /// Jobs that CUPS calls completed, by number.
    pub fn completed(&self) -> Done<BTreeSet<usize>> {
        let log = fs::read_to_string(self.dir.join("log"))?;
        let number = |line: &str| line.split_once("[Job ")?.1.split_once("] Job completed")?.0.parse().ok();
        Ok(log.lines().filter_map(number).collect())
    }

    /// Brings on the disk what CUPS has in memory for up to half a minute (`DirtyCleanInterval`): it writes
    /// all down when it is stopped in order.
    pub fn write_down(&mut self) -> Done<()> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM)?;
        self.child.wait()?;
        self.start_again()
    }

    /// Jobs that CUPS lists at all, by number.
    pub fn listed(&self) -> Done<BTreeSet<usize>> {
        let list = self.tool("/usr/bin/lpstat").args(["-W", "all", "-o"]).stdout(Stdio::piped()).output()?;
        let list = String::from_utf8_lossy(&list.stdout);
        let number = |line: &str| line.split_whitespace().next()?.rsplit_once('-')?.1.parse().ok();
        Ok(list.lines().filter_map(number).collect())
    }

    fn wait_there(&self) -> Done<()> {
        look("cupsd", || {
            let said = self.tool("/usr/bin/lpstat").arg("-r").stdout(Stdio::piped()).stderr(Stdio::null()).output()?;
            Ok(String::from_utf8_lossy(&said.stdout).contains("is running"))
        })
    }

    /// A command that speaks to this spooler and no other.
    fn tool(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("CUPS_SERVER", self.dir.join("socket")).env("LC_ALL", "C");
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    fn tell(&self, program: &str, arguments: &[&str]) -> Done<()> {
        let done = self.tool(program).args(arguments).stderr(Stdio::piped()).output()?;
        match done.status.success() {
            true => Ok(()),
            false => Err(format!("{program}: {}", String::from_utf8_lossy(&done.stderr).trim()).into()),
        }
    }
}

impl Drop for Spooler {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// Waits until something is there.
fn look(what: &str, is_there: impl Fn() -> std::io::Result<bool>) -> Done<()> {
    let until = Instant::now() + PATIENCE;
    while !is_there()? {
        if Instant::now() > until {
            return Err(format!("{what} is not there after {PATIENCE:?}").into());
        }
        sleep(LOOK);
    }
    Ok(())
}

fn spawn(dir: &Path) -> std::io::Result<Child> {
    let mut cupsd = Command::new(dir.join("cupsd"));
    cupsd.arg("-f").arg("-c").arg(dir.join("cupsd.conf")).arg("-s").arg(dir.join("cups-files.conf"));
    cupsd.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}
