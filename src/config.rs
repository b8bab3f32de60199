//! The station's configuration: one TOML file in, a [`Config`] or *every* mistake out, each with file,
//! line and the nearest known key. Nothing is guessed: a key that is mistyped stops the start.
//!
//! Reading the file is the caller's business; this is a function of its text. Long, as a list of every key is.

use crate::device::{Beep, ScannerKind, ScannerSettings, Which};
use crate::domain::facts::nearest;
use crate::domain::job::PAPERS;
use crate::label::{Designs, Dpi, Stock};
use crate::message::{self, Mail, Webhook};
use crate::printer::link::{self, Address};
use crate::scan::keys::layout;
use crate::scan::{IDLE_GAP_MS, Suffix};
use crate::store::import::ImportMap;
use crate::strict_toml::{self, Problem, Read, Table};
use chrono_tz::Tz;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// Where the configuration stands unless `--config` says otherwise.
pub const DEFAULT_PATH: &str = "/etc/backdock/backdock.toml";
/// Where the daemon listens for the command line unless `[station] socket` says otherwise.
pub const DEFAULT_SOCKET: &str = "/run/backdock/backdock.sock";

/// Where a user's own label designs stand unless `[labels] templates` says otherwise.
pub const DEFAULT_TEMPLATES: &str = "/etc/backdock/templates";

/// Everything that one station is told.
#[derive(Clone, Debug)]
pub struct Config {
    pub station: Station,
    pub web: Web,
    pub programs: Programs,
    pub labels: Labels,
    pub shipments: ImportMap,
    pub scanners: Vec<ScannerSettings>,
    pub printers: Vec<Printer>,
    /// Without it e-mails stay owed, and are listed.
    pub mail: Option<Mail>,
    pub webhooks: Vec<Webhook>,
}

#[derive(Clone, Debug)]
pub struct Station {
    /// Names the station in every journal row.
    pub id: String,
    /// Two characters `A-Z0-9` inside the RMA numbers it issues; unique per station.
    pub code: String,
    /// The dock's calendar: a receipt at 23:59 is on that day here.
    pub timezone: Tz,
    pub data: PathBuf,
    pub socket: PathBuf,
    /// Whether a badge must be scanned before anything else.
    pub badge_required: bool,
    /// What the command, answer and badge barcodes begin with, if a dock wants them marked.
    pub prefix: String,
    /// Raw scans are erased after so many days; their hashes stay in the journal.
    pub raw_days: u32,
}

#[derive(Clone, Debug)]
pub struct Web {
    pub listen: SocketAddr,
}

#[derive(Clone, Debug)]
pub struct Programs {
    /// A directory of program files; `None` serves the embedded ones.
    pub dir: Option<PathBuf>,
    /// The program of an RMA that does not say one.
    pub default: String,
}

#[derive(Clone, Debug)]
pub struct Labels {
    /// A folder of the user's own designs, `NAME.zpl`. The default one need not exist.
    pub templates: PathBuf,
    /// Whether the file names it; then it must exist.
    pub named: bool,
    /// What was read from it; reading files is the caller's business.
    pub designs: Arc<Designs>,
}

#[derive(Clone, Debug)]
pub struct Printer {
    pub name: String,
    pub link: Address,
    pub dpi: Dpi,
    pub stock: Stock,
    /// The papers that it takes; empty: all that no printer takes by name.
    pub labels: Vec<String>,
}

/// Reads a configuration. `file` only names it in messages.
///
/// # Errors
/// All problems found, sorted by line.
pub fn parse(file: &str, text: &str) -> Result<Read<Config>, Vec<Problem>> {
    strict_toml::read(file, text, |root| {
        let mut config = Config {
            station: root.table("station", station),
            web: root.table("web", |t| Web {
                listen: t.parsed("listen", blank(), address).or(SocketAddr::from(([127, 0, 0, 1], 8631))),
            }),
            programs: root.table("programs", |t| Programs {
                dir: t.string("dir").optional().map(PathBuf::from),
                default: t.string("default").or(crate::program::DEFAULT.to_owned()),
            }),
            labels: root.table("labels", |t| {
                let named = t.string("templates").optional();
                Labels {
                    named: named.is_some(),
                    templates: named.unwrap_or(DEFAULT_TEMPLATES.to_owned()).into(),
                    designs: Arc::default(),
                }
            }),
            shipments: root.optional_table("shipments", shipments).unwrap_or_default(),
            scanners: root.tables("scanner", scanner),
            printers: root.tables("printer", printer),
            mail: root.optional_table("mail", message::settings::mail),
            webhooks: root.tables("webhook", message::settings::webhook),
        };
        for (n, hook) in config.webhooks.iter().enumerate() {
            if config.webhooks[..n].iter().any(|h| h.name == hook.name) {
                root.problem(
                    "webhook",
                    format!("two webhooks are called {:?}; each needs a name of its own", hook.name),
                );
            }
        }
        let mut names = BTreeSet::new();
        let devices = config
            .scanners
            .iter()
            .map(|s| ("scanner", &s.name))
            .chain(config.printers.iter().map(|p| ("printer", &p.name)));
        for (kind, name) in devices {
            if !name.is_empty() && !names.insert(name) {
                root.problem(
                    kind,
                    format!("two devices are called {name:?}; every scanner and printer needs a name of its own"),
                );
            }
        }
        let mut ways = BTreeSet::new();
        for s in &config.scanners {
            if !ways.insert(format!("{:?}", s.kind)) {
                root.problem(
                    "scanner",
                    format!("{:?} reads the same port as another scanner; one port has one scanner", s.name),
                );
            }
        }
        let mut links = BTreeSet::new();
        for p in &config.printers {
            // One serial port at two speeds is still one port.
            if !links.insert(p.link.to_string()) {
                root.problem("printer", format!("{:?} has the same link as another printer ({})", p.name, p.link));
            }
        }
        for s in &config.scanners {
            let taken = |p: &&Printer| {
                matches!((&s.kind, &p.link),
                (ScannerKind::Serial { port, .. }, Address::Serial(path, _)) if port == path)
            };
            if let Some(p) = config.printers.iter().find(taken) {
                root.problem("printer", format!("{:?} is at the same port as the scanner {:?}", p.name, s.name));
            }
        }
        if config.scanners.is_empty() {
            config.scanners.push(every_scanner());
        }
        leave_to_others(root, &mut config.scanners);
        if config.printers.is_empty() {
            root.warning("printer", "no [[printer]]: labels cannot be printed; their jobs will wait");
        }
        config
    })
}

fn station(t: &mut Table) -> Station {
    let id = t.parsed("id", String::new(), |s| {
        let ok = s.len() <= 20 && s.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        if ok { Ok(s.to_owned()) } else { Err("a station id has 1 to 20 letters, digits, - _ .") }
    });
    let id = id.required();
    let code = t.parsed("code", String::new(), |s| {
        let ok = s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
        if ok { Ok(s.to_owned()) } else { Err("a station code has exactly two characters A-Z or 0-9") }
    });
    Station {
        id,
        code: code.required(),
        timezone: t
            .parsed("timezone", Tz::UTC, |s| {
                s.parse::<Tz>().map_err(|_| "no such time zone; write it like America/Chicago or Europe/Berlin")
            })
            .required(),
        data: PathBuf::from(t.string("data").or("/var/lib/backdock".to_owned())),
        socket: PathBuf::from(t.string("socket").or(DEFAULT_SOCKET.to_owned())),
        badge_required: t.choice("badge", &[("optional", false), ("required", true)]).or(false),
        prefix: t
            .parsed("prefix", String::new(), |s| {
                let ok = s.len() <= 8 && s.bytes().all(|b| b.is_ascii_alphanumeric());
                if ok { Ok(s.to_ascii_uppercase()) } else { Err("a prefix has at most 8 letters and digits") }
            })
            .or(String::new()),
        raw_days: t.integer("raw_days", 1..=3650).or(90) as u32,
    }
}

fn shipments(t: &mut Table) -> ImportMap {
    let mut map = ImportMap::default();
    for (ours, theirs) in t.string_map("columns") {
        if let Err(message) = map.set_column(&ours, &theirs) {
            t.problem("columns", message);
        }
    }
    if let Some(c) = t.string("delimiter").optional()
        && let Err(message) = map.set_delimiter(&c)
    {
        t.problem("delimiter", message);
    }
    if let Some(formats) = t.strings("date_formats").optional()
        && let Err(message) = map.set_date_formats(formats)
    {
        t.problem("date_formats", message);
    }
    if let Some(e) = t.string("encoding").optional()
        && let Err(message) = map.set_encoding(&e)
    {
        t.problem("encoding", message);
    }
    map
}

fn device_name(t: &mut Table) -> String {
    t.parsed("name", String::new(), |s| {
        let ok = s.len() <= 20 && s.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if ok { Ok(s.to_owned()) } else { Err("a device name has 1 to 20 letters, digits, - _") }
    })
    .required()
}

/// What a configuration without a [[scanner]] means.
fn every_scanner() -> ScannerSettings {
    let kind = ScannerKind::Auto { layout: layout::Layout::default(), except: Vec::new(), ports: Vec::new() };
    ScannerSettings { name: "auto".to_owned(), kind, suffix: Suffix::Any, idle_gap_ms: USB_IDLE_MS, beep: None }
}

/// Tells the scanner of kind `auto` what the others have taken.
fn leave_to_others(root: &mut Table, scanners: &mut [ScannerSettings]) {
    let (mut whiches, mut taken_ports) = (Vec::new(), Vec::new());
    for s in scanners.iter() {
        match &s.kind {
            ScannerKind::Serial { port, .. } => taken_ports.push(port.clone()),
            ScannerKind::UsbSerial { which, .. } | ScannerKind::HidPos { which } | ScannerKind::Wedge { which, .. } => {
                whiches.push((s.name.clone(), which.clone()));
            }
            _ => {}
        }
    }
    let mut autos = 0;
    for s in scanners {
        let ScannerKind::Auto { except, ports, .. } = &mut s.kind else { continue };
        autos += 1;
        for (name, which) in &whiches {
            if !which.names_one() {
                root.problem(
                    "scanner",
                    format!("{name:?} must say which device it is (usb, serial or port_path), because {:?} takes every scanner that no other names", s.name),
                );
            }
        }
        *except = whiches.iter().map(|(_, which)| which.clone()).collect();
        *ports = taken_ports.clone();
    }
    if autos > 1 {
        root.problem("scanner", "two scanners have kind = \"auto\"; one finds them all");
    }
}

/// The silence that ends a scan with suffix `any`, where none is configured, in milliseconds: longer than the
/// pause that a wedge makes between two keys.
const USB_IDLE_MS: u64 = 500;

fn scanner(t: &mut Table) -> ScannerSettings {
    #[derive(Clone, Copy, PartialEq)]
    enum Kind {
        Serial,
        Tcp,
        Replay,
        HidPos,
        Wedge,
        Auto,
    }
    let name = device_name(t);
    let kinds = [
        ("serial", Kind::Serial),
        ("hid-pos", Kind::HidPos),
        ("wedge", Kind::Wedge),
        ("auto", Kind::Auto),
        ("tcp", Kind::Tcp),
        ("replay", Kind::Replay),
    ];
    let is = t.choice("kind", &kinds).required();
    let which = which(t);
    let layout = t.choice("layout", &layout::NAMES).optional();
    if layout.is_some() && !matches!(is, Kind::Wedge | Kind::Auto) {
        t.problem("layout", "is for a scanner that types (kind = \"wedge\" or \"auto\"); take it out");
    }
    if which.names_one() && !matches!(is, Kind::Serial | Kind::HidPos | Kind::Wedge) {
        t.problem(
            "kind",
            "usb, serial and port_path are for kind = \"serial\", \"hid-pos\" or \"wedge\"; take them out",
        );
    }
    let layout = layout.unwrap_or_default();
    let kind = match is {
        Kind::Serial if which.names_one() => {
            if t.has("port") {
                t.problem("port", "and a USB device are two ways to say which scanner it is; take one out");
            }
            let _ = t.string("port").optional();
            ScannerKind::UsbSerial { which, baud: baud(t) }
        }
        Kind::Serial => ScannerKind::Serial { port: PathBuf::from(t.string("port").required()), baud: baud(t) },
        Kind::HidPos => ScannerKind::HidPos { which },
        Kind::Wedge => ScannerKind::Wedge { which, layout },
        Kind::Auto => ScannerKind::Auto { layout, except: Vec::new(), ports: Vec::new() },
        Kind::Tcp => {
            let connect = t.parsed("connect", blank(), address).optional();
            let listen = t.parsed("listen", blank(), address).optional();
            match (connect, listen) {
                (Some(addr), None) => ScannerKind::TcpConnect { addr },
                (None, Some(addr)) => ScannerKind::TcpListen { addr },
                _ => {
                    t.problem(
                        "kind",
                        "a tcp scanner needs either connect = \"ADDRESS:PORT\" or listen = \"ADDRESS:PORT\"",
                    );
                    ScannerKind::TcpConnect { addr: blank() }
                }
            }
        }
        Kind::Replay => ScannerKind::Replay { path: PathBuf::from(t.string("path").required()) },
    };
    let suffixes = [
        ("cr", Suffix::Cr),
        ("lf", Suffix::Lf),
        ("crlf", Suffix::CrLf),
        ("tab", Suffix::Tab),
        ("idle", Suffix::Idle),
        ("any", Suffix::Any),
    ];
    let beep = t.bool("beep").or(false);
    if beep && is != Kind::Serial {
        t.problem("beep", "is for a scanner on a serial port (kind = \"serial\"); the page sounds for the others");
    }
    // One that came with the dock and was never told anything ends its scans with one of the usual marks.
    let found = matches!(is, Kind::HidPos | Kind::Wedge | Kind::Auto);
    let suffix = t.choice("suffix", &suffixes).or(if found { Suffix::Any } else { Suffix::Cr });
    let gap = if suffix == Suffix::Any { USB_IDLE_MS } else { IDLE_GAP_MS };
    ScannerSettings {
        name,
        kind,
        suffix,
        idle_gap_ms: t.integer("idle_ms", 5..=2000).or(gap as i64) as u64,
        beep: beep.then(Beep::default),
    }
}

/// Which USB device a scanner is.
fn which(t: &mut Table) -> Which {
    let id = |text: &str| {
        let (vendor, product) = text.split_once(':')?;
        let number = |hex: &str| u16::from_str_radix(hex, 16).ok().filter(|_| hex.len() == 4);
        Some((number(vendor)?, number(product)?))
    };
    let usb = t.parsed("usb", (0, 0), |s| {
        id(s).ok_or("vendor and product id are written \"05e0:1701\" (`backdock devices` lists them)")
    });
    let usb = usb.optional();
    let serial = t.string("serial").optional();
    let port_path = t.parsed("port_path", String::new(), |s| {
        let path = s.strip_prefix(|c: char| c.is_ascii_digit()).is_some_and(|rest| rest.contains('-'));
        let ok = path && s.bytes().all(|b| b.is_ascii_digit() || b"-.".contains(&b));
        ok.then(|| s.to_owned())
            .ok_or("a USB port is written as the kernel does: \"1-2.3\" is port 3 of the hub at port 2 of bus 1")
    });
    Which { usb, serial, port_path: port_path.optional() }
}

/// The rates a UART has; anything else is a typing mistake.
const BAUD: [i64; 10] = [1200, 2400, 4800, 9600, 19200, 38400, 57600, 115_200, 230_400, 460_800];

fn baud(t: &mut Table) -> u32 {
    let rate = t.integer("baud", 1200..=460_800).or(9600);
    if !BAUD.contains(&rate) {
        t.problem("baud", format!("{rate} is no serial speed; usual ones are 9600 and 115200"));
    }
    rate as u32
}

fn dpi(t: &mut Table) -> Dpi {
    let number = t.integer("dpi", 100..=1200).required();
    Dpi::from_number(number as u32).unwrap_or_else(|| {
        if (100..=1200).contains(&number) {
            t.problem("dpi", format!("{number} is no print head; Zebra makes 203, 300 and 600 dots per inch"));
        }
        Dpi::D203
    })
}

fn printer(t: &mut Table) -> Printer {
    let name = device_name(t);
    let mut at = t.parsed("link", Address::Tcp(blank()), link).required();
    if let Address::Serial(_, line) = &mut at {
        *line = serial_line(t);
    } else {
        for key in ["baud", "data_bits", "parity", "stop_bits", "flow"] {
            if t.has(key) {
                t.problem(key, "is for a serial printer only (link = \"serial:///dev/ttyS0\"); take it out");
            }
        }
        // Read all the same, so that they are not unknown on top of it.
        let _ = serial_line(t);
    }
    if let Address::Lp(link::Port::Path(path)) = &at
        && path.starts_with("/dev/usb")
    {
        t.warning("link", "the number of a printer port changes; lp://SERIALNUMBER always finds this printer");
    }
    Printer {
        name,
        link: at,
        dpi: dpi(t),
        stock: t.parsed("stock", Stock::inches(4, 3), |s| s.parse::<Stock>()).required(),
        labels: labels(t),
    }
}

fn labels(t: &mut Table) -> Vec<String> {
    let names = t.strings("labels").or(Vec::new());
    for name in names.iter().filter(|name| !PAPERS.contains(&name.as_str())) {
        let near = nearest(name, PAPERS).map(|n| format!("; did you mean {n:?}?")).unwrap_or_default();
        t.problem("labels", format!("{name:?} is no paper{near} `backdock label --list` names them all"));
    }
    names
}

const LINKS: &str = "a link is written tcp://ADDRESS:PORT (usually port 9100), usb://SERIALNUMBER, lp://SERIALNUMBER, \
                     lp:///dev/usb/lp0 or serial:///dev/ttyS0";

fn link(text: &str) -> Result<Address, &'static str> {
    let (kind, rest) = text.split_once("://").ok_or(LINKS)?;
    // What Zebra gives as serial numbers, and what others do; `backdock devices` shows them.
    let serial_number = || {
        let ok =
            (1..=40).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        ok.then(|| rest.to_owned())
            .ok_or("a printer's serial number has 1 to 40 letters, digits, - _ . (`backdock devices` lists them)")
    };
    let path = || {
        rest.starts_with('/')
            .then(|| PathBuf::from(rest))
            .ok_or("a device is named by its whole path, with three slashes: serial:///dev/ttyS0")
    };
    match kind {
        "tcp" => Ok(Address::Tcp(address(rest)?)),
        "usb" => Ok(Address::Usb(serial_number()?)),
        "lp" if rest.starts_with('/') => Ok(Address::Lp(link::Port::Path(path()?))),
        "lp" => Ok(Address::Lp(link::Port::SerialNumber(serial_number()?))),
        "serial" => Ok(Address::Serial(path()?, link::Line::default())),
        _ => Err(LINKS),
    }
}

/// The settings of a serial printer; each defaults to what Zebra printers leave the factory with.
fn serial_line(t: &mut Table) -> link::Line {
    let factory = link::Line::default();
    let bits = t.integer("data_bits", 7..=8).or(8);
    let stop = t.integer("stop_bits", 1..=2).or(1);
    let parities = [("none", link::Parity::None), ("even", link::Parity::Even), ("odd", link::Parity::Odd)];
    let flows = [("none", link::Flow::None), ("xon", link::Flow::XonXoff), ("rts", link::Flow::Rts)];
    link::Line {
        baud: baud(t),
        data_bits: if bits == 7 { link::DataBits::Seven } else { link::DataBits::Eight },
        parity: t.choice("parity", &parities).or(factory.parity),
        stop_bits: if stop == 2 { link::StopBits::Two } else { link::StopBits::One },
        flow: t.choice("flow", &flows).or(factory.flow),
    }
}

/// Stands in where an address is missing or wrong; never leaves [`parse`].
fn blank() -> SocketAddr {
    SocketAddr::from(([0, 0, 0, 0], 0))
}

/// Numeric addresses only: a name server that is down must not stop a dock.
fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "not an address; write it as 192.0.2.7:9100 (numbers, no names)")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[station]
id = "DOCK1"
code = "D1"
timezone = "America/Chicago"
data = "/var/lib/backdock"
[web]
listen = "127.0.0.1:8631"
[programs]
dir = "/etc/backdock/programs"
default = "voip-reseller"
[[scanner]]
name = "gun"
kind = "serial"
port = "/dev/ttyACM0"
baud = 9600
suffix = "cr"
[[printer]]
name = "zebra"
link = "tcp://192.0.2.7:9100"
dpi = 203
stock = "4x3"
"#;

    fn problems(text: &str) -> Vec<String> {
        match parse("dock.toml", text) {
            Ok(_) => Vec::new(),
            Err(found) => found.iter().map(|p| p.to_string()).collect(),
        }
    }

    #[test]
    fn the_documented_shape_is_read() {
        let read = parse("dock.toml", GOOD).unwrap();
        assert_eq!(read.warnings, []);
        let c = read.value;
        assert_eq!(c.station.code, "D1");
        assert_eq!(c.station.timezone, chrono_tz::America::Chicago);
        assert_eq!(c.scanners[0].kind, ScannerKind::Serial { port: "/dev/ttyACM0".into(), baud: 9600 });
        assert_eq!(c.printers[0].link, Address::Tcp(([192, 0, 2, 7], 9100).into()));
        assert_eq!(c.printers[0].stock.to_string(), "4x3");
        assert!(!c.station.badge_required);
    }

    #[test]
    fn every_kind_of_mistake_is_named_with_its_line() {
        // (what is replaced, by what, what the message must contain)
        let cases = [
            ("id = \"DOCK1\"", "idd = \"DOCK1\"", "dock.toml:3"),
            ("id = \"DOCK1\"", "id = \"DOCK 1\"", "letters, digits"),
            ("code = \"D1\"", "code = \"d1\"", "two characters"),
            ("code = \"D1\"", "code = \"DD1\"", "two characters"),
            ("code = \"D1\"", "code = 11", "dock.toml:4"),
            ("America/Chicago", "America/Chicagoo", "time zone"),
            ("127.0.0.1:8631", "localhost:8631", "not an address"),
            ("127.0.0.1:8631", "127.0.0.1:86310", "not an address"),
            ("kind = \"serial\"", "kind = \"seriel\"", "serial"),
            ("baud = 9600", "baud = 9601", "baud"),
            ("baud = 9600", "baud = \"fast\"", "baud"),
            ("suffix = \"cr\"", "suffix = \"enter\"", "suffix"),
            ("port = \"/dev/ttyACM0\"", "usb = \"05e0-1701\"", "vendor and product id"),
            ("port = \"/dev/ttyACM0\"", "usb = \"5e0:1701\"", "vendor and product id"),
            ("port = \"/dev/ttyACM0\"", "port = \"/dev/ttyACM0\"\nbeep = 1", "beep"),
            ("kind = \"serial\"\nport = \"/dev/ttyACM0\"\nbaud = 9600", "kind = \"wedge\"\nbeep = true", "sounds"),
            ("port = \"/dev/ttyACM0\"", "port_path = \"ttyACM0\"", "port 3 of the hub"),
            ("port = \"/dev/ttyACM0\"", "port = \"/dev/ttyACM0\"\nserial = \"A\"", "two ways"),
            ("port = \"/dev/ttyACM0\"", "port = \"/dev/ttyACM0\"\nlayout = \"de\"", "types"),
            (
                "kind = \"serial\"\nport = \"/dev/ttyACM0\"\nbaud = 9600",
                "kind = \"wedge\"\nlayout = \"dvorak\"",
                "layout",
            ),
            (
                "kind = \"serial\"\nport = \"/dev/ttyACM0\"\nbaud = 9600",
                "kind = \"auto\"\nusb = \"05e0:1701\"",
                "take them out",
            ),
            ("kind = \"serial\"\nport = \"/dev/ttyACM0\"\nbaud = 9600", "kind = \"hid-pos\"\nport = \"x\"", "port"),
            ("port = \"/dev/ttyACM0\"", "", "port"),
            ("dpi = 203", "dpi = 204", "dpi"),
            ("stock = \"4x3\"", "stock = \"4by3\"", "stock"),
            ("tcp://192.0.2.7:9100", "192.0.2.7:9100", "tcp://"),
            ("tcp://192.0.2.7:9100", "ipp://192.0.2.7", "tcp://"),
            ("tcp://192.0.2.7:9100", "tcp://zebra:9100", "not an address"),
            ("tcp://192.0.2.7:9100", "usb://", "serial number"),
            ("tcp://192.0.2.7:9100", "usb://001/004", "serial number"),
            ("tcp://192.0.2.7:9100", "usb://A B", "dock.toml:20"),
            ("tcp://192.0.2.7:9100", "lp://", "serial number"),
            ("tcp://192.0.2.7:9100", "serial://ttyS0", "three slashes"),
            ("tcp://192.0.2.7:9100\"", "tcp://192.0.2.7:9100\"\nflow = \"xon\"", "dock.toml:21"),
            ("tcp://192.0.2.7:9100\"", "usb://A1\"\nbaud = 9600", "serial printer only"),
            ("tcp://192.0.2.7:9100\"", "serial:///dev/ttyS0\"\nflow = \"dtr\"", "xon"),
            ("tcp://192.0.2.7:9100\"", "serial:///dev/ttyS0\"\nparity = 1", "dock.toml:21"),
            ("tcp://192.0.2.7:9100\"", "serial:///dev/ttyS0\"\ndata_bits = 9", "between 7 and 8"),
            ("tcp://192.0.2.7:9100\"", "serial:///dev/ttyS0\"\nstop_bits = 3", "between 1 and 2"),
            ("tcp://192.0.2.7:9100\"", "serial:///dev/ttyS0\"\nbaud = 9601", "no serial speed"),
            ("tcp://192.0.2.7:9100", "serial:///dev/ttyACM0", "same port"),
            ("name = \"zebra\"", "name = \"gun\"", "two devices are called"),
            ("[web]", "[webb]", "web"),
            ("[station]", "[station", "dock.toml:2"),
        ];
        for (from, to, want) in cases {
            let text = GOOD.replacen(from, to, 1);
            assert_ne!(text, GOOD, "{from} is not in the sample");
            let found = problems(&text);
            assert!(found.iter().any(|p| p.contains(want)), "{from} -> {to}: wanted {want:?} in {found:#?}");
        }
    }

    #[test]
    fn every_kind_of_link_is_read() {
        use link::{DataBits, Flow, Line, Parity, Port, StopBits};
        let slow = Line {
            baud: 19200,
            data_bits: DataBits::Seven,
            parity: Parity::Even,
            stop_bits: StopBits::Two,
            flow: Flow::Rts,
        };
        let keys = "baud = 19200\ndata_bits = 7\nparity = \"even\"\nstop_bits = 2\nflow = \"rts\"";
        for (text, keys, want) in [
            ("tcp://[::1]:9100", "", Address::Tcp("[::1]:9100".parse().unwrap())),
            ("usb://D2J204700123", "", Address::Usb("D2J204700123".to_owned())),
            ("lp://D2J204700123", "", Address::Lp(Port::SerialNumber("D2J204700123".to_owned()))),
            ("lp:///dev/backdock/printer-D2J1", "", Address::Lp(Port::Path("/dev/backdock/printer-D2J1".into()))),
            ("serial:///dev/ttyS0", "", Address::Serial("/dev/ttyS0".into(), Line::default())),
            ("serial:///dev/ttyS0", keys, Address::Serial("/dev/ttyS0".into(), slow)),
        ] {
            let text = GOOD.replace("link = \"tcp://192.0.2.7:9100\"", &format!("link = {text:?}\n{keys}"));
            let read = parse("dock.toml", &text).unwrap_or_else(|e| panic!("{e:#?}"));
            assert_eq!((&read.value.printers[0].link, read.warnings.len()), (&want, 0));
            assert_eq!(text.matches(&want.to_string()).count(), 1, "{want} is written as it is read");
        }
        let numbered = GOOD.replace("tcp://192.0.2.7:9100", "lp:///dev/usb/lp0");
        assert!(parse("dock.toml", &numbered).unwrap().warnings[0].to_string().contains("lp://SERIALNUMBER"));
    }

    #[test]
    fn scanners_on_usb_are_named_by_what_stays_of_them() {
        let serial = "kind = \"serial\"\nport = \"/dev/ttyACM0\"\nbaud = 9600\nsuffix = \"cr\"";
        let read = |keys: &str| {
            let text = GOOD.replace(serial, keys);
            assert_ne!(text, GOOD);
            parse("dock.toml", &text).unwrap_or_else(|e| panic!("{e:#?}")).value.scanners
        };
        let which = |usb, serial: Option<&str>, port: Option<&str>| Which {
            usb,
            serial: serial.map(str::to_owned),
            port_path: port.map(str::to_owned),
        };
        for (keys, kind) in [
            ("kind = \"hid-pos\"", ScannerKind::HidPos { which: Which::default() }),
            (
                "kind = \"hid-pos\"\nusb = \"05e0:1300\"",
                ScannerKind::HidPos { which: which(Some((0x05e0, 0x1300)), None, None) },
            ),
            (
                "kind = \"wedge\"\nserial = \"W-1\"\nlayout = \"fr\"",
                ScannerKind::Wedge { which: which(None, Some("W-1"), None), layout: layout::Layout::Fr },
            ),
            (
                "kind = \"serial\"\nport_path = \"1-2.3\"",
                ScannerKind::UsbSerial { which: which(None, None, Some("1-2.3")), baud: 9600 },
            ),
        ] {
            assert_eq!(read(keys)[0].kind, kind);
        }
        assert_eq!((read("kind = \"wedge\"")[0].suffix, read("kind = \"wedge\"")[0].idle_gap_ms), (Suffix::Any, 500));
        // Without a word every scanner is used; what has a word of its own is left to it.
        let none = GOOD.replace(&format!("[[scanner]]\nname = \"gun\"\n{serial}\n"), "");
        let none = parse("dock.toml", &none).unwrap().value.scanners;
        assert!(matches!(&none[..], [s] if s.name == "auto" && matches!(s.kind, ScannerKind::Auto { .. })), "{none:?}");
        let both = read("kind = \"auto\"\n[[scanner]]\nname = \"b\"\nkind = \"wedge\"\nusb = \"05e0:1200\"");
        let ScannerKind::Auto { except, .. } = &both[0].kind else { panic!("{both:?}") };
        assert_eq!(except, &[which(Some((0x05e0, 0x1200)), None, None)]);
        let vague = GOOD.replace(serial, "kind = \"auto\"\n[[scanner]]\nname = \"b\"\nkind = \"wedge\"");
        assert!(problems(&vague).iter().any(|p| p.contains("must say which device")));
    }

    #[test]
    fn all_mistakes_are_listed_not_only_the_first() {
        let text = GOOD.replace("D1\"", "d\"").replace("dpi = 203", "dpi = 1").replace("suffix", "sufix");
        let found = problems(&text);
        assert!(found.len() >= 3, "{found:#?}");
        assert!(found.iter().any(|p| p.contains("sufix") && p.contains("suffix")), "{found:#?}");
    }

    #[test]
    fn two_scanners_on_one_port_are_refused() {
        let text = format!("{GOOD}\n[[scanner]]\nname = \"gun2\"\nkind = \"serial\"\nport = \"/dev/ttyACM0\"\n");
        assert!(problems(&text).iter().any(|p| p.contains("same port")));
    }
}
