//! Scanners without configuration: every device that is surely a scanner gets a thread of its own as soon
//! as udev has spoken, whatever its mode. Its name is made of what stays of it: `05e0-1300-SERIALNUMBER`.
//!
//! A scanner that was found once is looked for until the station stops, so that it is `lost` and not gone
//! when it is unplugged, and is the same one when it comes back as another number or in another port.
//! A device that says that it is a scanner in its name alone is left alone.

use super::usb::{self, Seen, Which};
use super::{BACKOFF_MAX, DeviceEvent, Ended, Out, ScannerKind, ScannerSettings, Tap, hotplug};
use crate::domain::presence::Presence;
use crate::scan::keys::Layout;
use crate::scan::models::{self, Mode};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::{self, JoinHandle};

/// So many scanners are found by themselves; more are configured.
const MOST: usize = 16;
/// Serial speed; USB scanners take any.
const BAUD: u32 = 9600;

/// Starts the thread that looks for scanners. `way_out` makes a way out for each, and one for the thread
/// itself, which tells how many there are.
///
/// # Errors
/// When the system gives no thread.
pub fn spawn<E: FnMut(DeviceEvent) -> bool + Send + 'static>(
    settings: ScannerSettings,
    mut way_out: impl FnMut() -> E + Send + 'static,
    stop: Arc<AtomicBool>,
    // One tape has all that it finds.
    tap: Tap,
) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(format!("scan-{}", settings.name)).spawn(move || {
        let scanner = settings.name.as_str().into();
        let out = Out { scanner, events: way_out(), stop: stop.clone(), tap: tap.clone(), told: None };
        let mut children = BTreeMap::new();
        // Ends only when it is told to.
        let _ =
            look(&settings, out, &mut children, &mut |found| super::spawn(found, way_out(), stop.clone(), tap.clone()));
        for thread in children.into_values() {
            // A child that panicked has said so on its way.
            let _ = thread.join();
        }
    })
}

fn look<C>(
    settings: &ScannerSettings,
    mut out: Out<impl FnMut(DeviceEvent) -> bool>,
    children: &mut BTreeMap<String, C>,
    start: &mut impl FnMut(ScannerSettings) -> io::Result<C>,
) -> Result<(), Ended> {
    let mut news = hotplug::News::open().ok();
    loop {
        out.going()?;
        let (found, said) = found(settings, &usb::seen());
        for scanner in found {
            if children.len() < MOST && !children.contains_key(&scanner.name) {
                let name = scanner.name.clone();
                match start(scanner) {
                    Ok(child) => drop(children.insert(name, child)),
                    Err(e) => tracing::error!(scanner = name, error = %e, "no thread"),
                }
            }
        }
        let (presence, mut reason) = match children.len() {
            0 => (
                Presence::Lost,
                "no scanner was found yet: plug one in (`backdock devices` lists what is there)".to_owned(),
            ),
            n => (Presence::Present, format!("{n} found: {}", children.keys().cloned().collect::<Vec<_>>().join(", "))),
        };
        for advice in said {
            reason += "; ";
            reason += &advice;
        }
        out.state(presence, reason)?;
        match &mut news {
            Some(news) => drop(news.wait(BACKOFF_MAX)),
            None => thread::sleep(BACKOFF_MAX),
        }
    }
}

/// What `settings` of kind `auto` would read now, each by its own settings.
pub fn now(settings: &ScannerSettings) -> Vec<ScannerSettings> {
    found(settings, &usb::seen()).0
}

/// The scanners among these devices that nobody else uses, and what to say of those that cannot be read.
fn found(settings: &ScannerSettings, seen: &[Seen]) -> (Vec<ScannerSettings>, Vec<String>) {
    let ScannerKind::Auto { layout, except, ports } = &settings.kind else { return (Vec::new(), Vec::new()) };
    let (mut found, mut said): (Vec<ScannerSettings>, Vec<String>) = (Vec::new(), Vec::new());
    for device in seen {
        // A configured port may be a symbolic link.
        let real = |p: &PathBuf| p.canonicalize().unwrap_or_else(|_| p.clone());
        let port = device.ttys().any(|tty| ports.iter().any(|p| real(p) == real(tty)));
        if port || except.iter().any(|which| which.names_one() && which.matches(device)) {
            continue;
        }
        let mut identity = device.identity();
        // Cheap ones may all have the same serial number.
        if seen.iter().filter(|other| identity.matches(other)).count() > 1 {
            identity.port_path = Some(device.port_path.clone());
        }
        match way(device, identity.clone(), *layout) {
            Some(kind) => found.push(ScannerSettings { name: name(&identity), kind, ..settings.clone() }),
            None => {
                let advice = models::model(device.vendor_id, device.product_id).and_then(|m| m.mode.advice());
                said.extend(advice.map(|advice| format!("{} at {}: {advice}", identity, device.port_path)));
            }
        }
    }
    (found, said)
}

/// How a device is listened to, if it is surely a scanner.
fn way(device: &Seen, which: Which, layout: Layout) -> Option<ScannerKind> {
    if !device.is_scanner() {
        return None;
    }
    let model = models::model(device.vendor_id, device.product_id);
    // A HID interface whose descriptor nobody has read is tried where the numbers speak for it.
    let unsure = model.is_some_and(|m| m.mode == Mode::HidPos);
    if device.pos_interfaces(unsure).next().is_some() {
        Some(ScannerKind::HidPos { which })
    } else if device.ttys().next().is_some() {
        Some(ScannerKind::UsbSerial { which, baud: BAUD })
    } else if !device.keyboards().is_empty()
        // No driver has it: the door reads it by itself then.
        || (model.is_some_and(|m| m.mode == Mode::Keyboard) && device.typing_interfaces().next().is_some())
    {
        Some(ScannerKind::Wedge { which, layout })
    } else {
        None
    }
}

/// The name of a scanner that nobody named. What a device calls itself may be anything.
fn name(identity: &Which) -> String {
    let (vendor, product) = identity.usb.unwrap_or_default();
    let own = [identity.serial.as_deref(), identity.port_path.as_deref()].into_iter().flatten();
    let mut name = format!("{vendor:04x}-{product:04x}");
    for part in own {
        name.push('-');
        let kept = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
        name.extend(part.chars().take(24).map(kept));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::super::usb::fake::{KEYBOARD, POS, Sys};
    use super::*;
    use crate::scan::Suffix;

    fn auto(except: Vec<Which>, ports: Vec<PathBuf>) -> ScannerSettings {
        let kind = ScannerKind::Auto { layout: Layout::De, except, ports };
        ScannerSettings { name: "auto".to_owned(), kind, suffix: Suffix::Any, idle_gap_ms: 500, beep: None }
    }

    fn names(settings: &ScannerSettings, seen: &[Seen]) -> Vec<String> {
        found(settings, seen).0.into_iter().map(|s| s.name).collect()
    }

    #[test]
    fn every_scanner_is_found_in_its_mode_and_nothing_else_is() {
        let sys = Sys::new();
        sys.hid("1-1", (0x05e0, 0x1300), "SCAN-1", POS, "event1");
        sys.hid("1-2", (0x05e0, 0x1200), "WEDGE 1\u{1b}", KEYBOARD, "event2");
        std::fs::create_dir_all(sys.plug("1-3", (0x05e0, 0x1701), "ACM-1", 2).join("tty/ttyACM0")).unwrap();
        // A person's keyboard that calls itself a scanner, a converter, one in a mode that cannot be read.
        sys.hid("1-4", (0x1234, 0x0001), "", KEYBOARD, "event4");
        std::fs::create_dir_all(sys.plug("1-5", (0x0403, 0x6001), "FT1", 255).join("ttyUSB0/tty/ttyUSB0")).unwrap();
        sys.plug("1-6", (0x05e0, 0x1900), "SNAPI", 3);
        // Two of one make with one serial number, and one that only its descriptor tells to be a scanner.
        sys.hid("1-7", (0x24ea, 0x0197), "0001", KEYBOARD, "event7");
        sys.hid("1-8", (0x24ea, 0x0197), "0001", KEYBOARD, "event8");
        sys.hid("1-9", (0x4321, 0x0001), "", POS, "event9");
        // A keyboard scanner that no driver has.
        sys.plug("1-a", (0x05f9, 0x2206), "G1", 3);
        let seen = sys.seen();
        let (all, said) = found(&auto(vec![], vec![]), &seen);
        let ways: Vec<(&str, &ScannerKind)> = all.iter().map(|s| (s.name.as_str(), &s.kind)).collect();
        assert!(
            matches!(
                ways[..],
                [
                    ("05e0-1300-SCAN-1", ScannerKind::HidPos { .. }),
                    ("05e0-1200-WEDGE_1_", ScannerKind::Wedge { layout: Layout::De, .. }),
                    ("05e0-1701-ACM-1", ScannerKind::UsbSerial { .. }),
                    ("24ea-0197-0001-1-7", ScannerKind::Wedge { .. }),
                    ("24ea-0197-0001-1-8", ScannerKind::Wedge { .. }),
                    ("4321-0001-1-9", ScannerKind::HidPos { .. }),
                    ("05f9-2206-G1", ScannerKind::Wedge { .. }),
                ]
            ),
            "{ways:?}"
        );
        assert!(matches!(&said[..], [one] if one.contains("SNAPI") && one.contains("USB HID POS")), "{said:?}");
        // What the configuration names is its own.
        let except = vec![Which { serial: Some("SCAN-1".to_owned()), ..Which::default() }];
        let rest = names(&auto(except, vec!["/dev/ttyACM0".into()]), &seen);
        assert_eq!(rest.len(), ways.len() - 2);
        assert!(!rest.iter().any(|n| n.contains("SCAN-1") || n.contains("ACM-1")), "{rest:?}");
    }
}
