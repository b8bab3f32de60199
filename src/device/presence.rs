//! How a configured scanner fares, without opening it: the running station may be using it.

use super::ScannerKind;
use super::holder::{self, Usable};
use super::usb::{self, Seen, Which};
use std::path::PathBuf;

/// What was seen of a scanner.
pub struct Looked {
    /// `present`, `lost`, `denied` or `busy`.
    pub state: &'static str,
    /// What to do, or by whom it is used.
    pub reason: String,
}

/// The way to a scanner in words, and how it fares; `None` where only the station knows.
pub fn of(kind: &ScannerKind) -> (String, Option<Looked>) {
    let of_usb = |what: &str, which: &Which, nodes: fn(&Seen) -> Vec<PathBuf>| {
        let found: Vec<PathBuf> = usb::seen().iter().filter(|d| which.matches(d)).flat_map(nodes).collect();
        (format!("{what} {which}"), Some(looked(&found)))
    };
    match kind {
        ScannerKind::Serial { port, .. } => {
            let real = port.canonicalize().ok();
            (format!("serial {}", port.display()), Some(looked(real.as_slice())))
        }
        ScannerKind::UsbSerial { which, .. } => of_usb("serial", which, |d| d.ttys().cloned().collect()),
        ScannerKind::HidPos { which } => {
            of_usb("hid-pos", which, |d| d.pos_interfaces(true).next().map(|_| d.node()).into_iter().collect())
        }
        ScannerKind::Wedge { which, .. } => of_usb("wedge", which, |d| match d.keyboards() {
            nodes if nodes.is_empty() => d.typing_interfaces().next().map(|_| d.node()).into_iter().collect(),
            nodes => nodes,
        }),
        ScannerKind::Auto { .. } => ("auto".to_owned(), None),
        ScannerKind::TcpConnect { addr } | ScannerKind::TcpListen { addr } => (format!("tcp {addr}"), None),
        ScannerKind::Replay { path } => (format!("replay {}", path.display()), None),
    }
}

fn looked(nodes: &[PathBuf]) -> Looked {
    if nodes.is_empty() {
        return Looked { state: "lost", reason: "it is not plugged in, or not in this mode".to_owned() };
    }
    let (state, held, denied) = holder::usable(nodes);
    let by = held.iter().map(|h| format!("{} (pid {})", h.program, h.pid)).collect::<Vec<_>>().join(", ");
    let reason = if state == Usable::Busy { format!("used by {by}") } else { denied.unwrap_or_default() };
    Looked { state: state.word(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_not_there_is_lost_and_one_in_use_names_who() {
        let (link, seen) = of(&ScannerKind::Serial { port: "/dev/none".into(), baud: 9600 });
        assert_eq!((link.as_str(), seen.map(|s| s.state)), ("serial /dev/none", Some("lost")));
        let file = tempfile::NamedTempFile::new().unwrap();
        let seen = of(&ScannerKind::Serial { port: file.path().to_owned(), baud: 9600 }).1.unwrap();
        assert!(seen.state == "busy" && seen.reason.contains(&std::process::id().to_string()), "{}", seen.reason);
        assert!(of(&ScannerKind::TcpListen { addr: ([127, 0, 0, 1], 1).into() }).1.is_none());
    }
}
