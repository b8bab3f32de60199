//! Whether this process may open a device node, and if not, what the operator does about it.

use rustix::fs::{Access, AtFlags, CWD, Mode, OFlags, accessat, open};
use std::io::{self, BufRead};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What open(2) answers where not the file's permissions are in the way but the service's list of devices
/// (`DeviceAllow=`), which knows those that scanners and printers usually have.
const EPERM: i32 = 1;

/// The error with which `path` does not open, if it does not.
pub(super) fn tried(path: &Path) -> Option<io::Error> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    open(path, flags, Mode::empty()).err().map(io::Error::from)
}

/// Asks without opening, for the user this process acts as. `Err` is the sentence for the operator.
pub(super) fn may_open(path: &Path) -> Result<(), String> {
    match accessat(CWD, path, Access::READ_OK | Access::WRITE_OK, AtFlags::EACCESS) {
        Ok(()) => Ok(()),
        Err(e) => Err(explain(path, &e.into())),
    }
}

/// The sentence for a refused or failed open of `path`.
pub(super) fn explain(path: &Path, error: &io::Error) -> String {
    let name = path.display();
    if error.raw_os_error() == Some(EPERM) {
        // By its name the service could only have it if it is there at the start.
        let which = std::fs::metadata(path).map(|m| format!("char-{}", rustix::fs::major(m.rdev())));
        return format!(
            "the service may not open {name}: allow it with `sudo systemctl edit backdock`, the lines [Service] and DeviceAllow={} rw, and start the station again",
            which.as_deref().unwrap_or("char-MAJOR")
        );
    }
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            let group = std::fs::metadata(path).ok().and_then(|m| group_name(m.gid()));
            match group.as_deref() {
                // Not the group input: it would open every keyboard. The rules open scanners only.
                None | Some("root" | "input" | "backdock") => {
                    format!(
                        "no permission for {name}: install the udev rules (70-backdock.rules) and plug the device in again"
                    )
                }
                Some(group) => format!(
                    "no permission for {name}: add the station's user to group {group} (sudo usermod -aG {group} backdock) and start the station again"
                ),
            }
        }
        io::ErrorKind::NotFound => {
            format!("{name} is not there: plug the scanner in, or correct `port` (`backdock devices` lists the ports)")
        }
        _ => format!("cannot open {name}: {error}"),
    }
}

/// The name of a group, from /etc/group (`name:password:gid:members`).
fn group_name(gid: u32) -> Option<String> {
    named(io::BufReader::new(std::fs::File::open("/etc/group").ok()?), gid)
}

fn named(groups: impl BufRead, gid: u32) -> Option<String> {
    groups.lines().map_while(Result::ok).find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(gid)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_names_the_device_and_the_next_step() {
        let path = Path::new("/dev/backdock-test-none");
        let denied = explain(path, &io::ErrorKind::PermissionDenied.into());
        assert!(denied.contains("/dev/backdock-test-none") && denied.contains("70-backdock.rules"), "{denied}");
        assert!(may_open(path).is_err_and(|e| e.contains("is not there") && e.contains("`port`")));
        let sandboxed = explain(path, &io::Error::from_raw_os_error(EPERM));
        assert!(sandboxed.contains("DeviceAllow=char-MAJOR rw"), "{sandboxed}");
        let sandboxed = explain(Path::new("/dev/null"), &io::Error::from_raw_os_error(EPERM));
        assert!(sandboxed.contains("DeviceAllow=char-1 rw"), "{sandboxed}");
        assert_eq!(tried(path).and_then(|e| e.raw_os_error()), Some(2));
        assert!(tried(Path::new("/dev/null")).is_none());
        let grouped = explain(Path::new("/etc/group"), &io::ErrorKind::PermissionDenied.into());
        assert!(grouped.contains("no permission for /etc/group"), "{grouped}");
    }

    #[test]
    fn a_group_is_found_by_its_number() {
        let file = "root:x:0:\ndialout:x:20:anna,ben\nshort\nuucp:x:200:\n";
        assert_eq!(named(file.as_bytes(), 20).as_deref(), Some("dialout"));
        assert_eq!(named(file.as_bytes(), 2), None);
    }
}
