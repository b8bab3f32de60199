//! The folder into which shipping systems put carriers' labels: `incoming/` below the data directory.
//!
//! A file `NAME.zpl` that has not changed from one look to the next is whole. It is handed to the station,
//! which inspects it, writes the job down and prints it as it is; only then the file moves on: to
//! `printed/`, or to `refused/` with the reasons beside it in `NAME.txt`. A daemon that is killed in between
//! finds the file again and knows it by its content, so that it is printed once.
//!
//! A name that begins with the number of an RMA on record, alone or before `_`, files the label under that
//! RMA; `tag12` as one of the parts names the call tag that it is for: `RMA-10234_tag12.zpl`.

use super::core::CarrierLabel;
use super::request::{Request, Response};
use crate::domain::tag::TagId;
use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

/// How often it looks.
const LOOK: Duration = Duration::from_secs(1);
/// A stop is heard within this time.
const NAP: Duration = Duration::from_millis(100);
/// Larger files are no labels; the gate takes less.
const SIZE_MAX: u64 = 4 << 20;
/// Files handled in one look.
const FILES: usize = 100;

/// Watches the folder from a thread of its own.
pub fn watch(
    data: &Path,
    stop: Arc<AtomicBool>,
    ask: impl Fn(Request) -> Response + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    let folder = data.join("incoming");
    for below in ["", "printed", "refused"] {
        std::fs::create_dir_all(folder.join(below))?;
    }
    // The group of the station may put labels in; the rest of the data is the station's alone. No setgid bit: the
    // unit's RestrictSUIDSGID= refuses it, and the station would not start.
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o770))?;
    std::thread::Builder::new().name("incoming".into()).stack_size(256 * 1024).spawn(move || {
        let mut seen = HashMap::new();
        while !stop.load(Ordering::Relaxed) {
            seen = look(&folder, &seen, &ask);
            let mut slept = Duration::ZERO;
            while slept < LOOK && !stop.load(Ordering::Relaxed) {
                std::thread::sleep(NAP);
                slept += NAP;
            }
        }
    })
}

type Seen = HashMap<PathBuf, (u64, SystemTime)>;

/// One look: handles what has not changed since the last one. Answers with what is there.
fn look(folder: &Path, before: &Seen, ask: &impl Fn(Request) -> Response) -> Seen {
    let mut now = Seen::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return now };
    let files = entries.filter_map(|e| Some(e.ok()?.path())).filter(|p| {
        let hidden = p.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
        !hidden && p.extension().is_some_and(|x| x.eq_ignore_ascii_case("zpl"))
    });
    let mut files: Vec<PathBuf> = files.collect();
    files.sort();
    // A link could name any file that the station may read.
    let file = |p: PathBuf| Some((std::fs::symlink_metadata(&p).ok().filter(std::fs::Metadata::is_file)?, p));
    for (meta, path) in files.into_iter().filter_map(file).take(FILES) {
        let state = (meta.len(), meta.modified().unwrap_or(SystemTime::UNIX_EPOCH));
        if before.get(&path) == Some(&state) {
            handle(folder, &path, meta.len(), ask);
        } else {
            now.insert(path, state);
        }
    }
    now
}

fn handle(folder: &Path, path: &Path, length: u64, ask: &impl Fn(Request) -> Response) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let refuse = |why: &str| {
        tracing::warn!(file = name.escape_debug().to_string(), why, "a carrier's label is not printed");
        move_to(&folder.join("refused"), path, Some(why));
    };
    if length > SIZE_MAX {
        return refuse(&format!("{length} bytes are no label; at most {SIZE_MAX} are looked at"));
    }
    let zpl = match std::fs::read(path) {
        // It went away again.
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return,
        Err(e) => return refuse(&format!("{e}: let the station read it (chmod g+r), and put it in again")),
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(zpl) => zpl,
            Err(e) => {
                let at = e.utf8_error().valid_up_to();
                return refuse(&format!("byte {at}: not UTF-8; have the carrier's software write it so"));
            }
        },
    };
    let (perhaps, tag) = about(&name);
    let wanted =
        CarrierLabel { name: name.clone(), zpl, rma: None, perhaps, tag, printer: None, by: "incoming".to_owned() };
    let told = ask(Request::Carrier(wanted));
    if told.ok {
        move_to(&folder.join("printed"), path, None);
    } else if told.data["again"] == true {
        // The station is stopping, or could not write: nothing was decided.
    } else if told.data["job"].is_number() {
        tracing::info!(file = name.escape_debug().to_string(), job = told.data["job"].as_i64(), "printed before");
        move_to(&folder.join("printed"), path, None);
    } else {
        refuse(&told.text);
    }
}

/// The RMA and the tag that a file's name speaks of.
fn about(name: &str) -> (Option<String>, Option<TagId>) {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let mut parts = stem.split('_').map(str::trim);
    let rma = parts.next().filter(|first| !first.is_empty() && tag_of(first).is_none()).map(str::to_ascii_uppercase);
    let tag = stem.split('_').find_map(|part| tag_of(part.trim()));
    (rma, tag)
}

fn tag_of(part: &str) -> Option<TagId> {
    let digits = part.get(..3).filter(|t| t.eq_ignore_ascii_case("tag")).and_then(|_| part.get(3..))?;
    digits.parse().ok().filter(|id| *id > 0)
}

/// Moves a file on without covering one that lies there, its reasons beside it.
fn move_to(folder: &Path, path: &Path, why: Option<&str>) {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let free = (1..10_000).map(|n| if n == 1 { stem.clone() } else { format!("{stem}.{n}") });
    let Some(stem) = free.into_iter().find(|stem| !folder.join(format!("{stem}.zpl")).exists()) else { return };
    if let Some(why) = why {
        let _ = std::fs::write(folder.join(format!("{stem}.txt")), format!("{why}\n"));
    }
    if let Err(e) = std::fs::rename(path, folder.join(format!("{stem}.zpl"))) {
        tracing::warn!(file = path.display().to_string().escape_debug().to_string(), error = %e, "cannot be moved on");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_still_grows_waits_and_a_link_is_never_followed() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path();
        for below in ["printed", "refused"] {
            std::fs::create_dir(folder.join(below)).unwrap();
        }
        let asked = std::cell::RefCell::new(Vec::new());
        let ask = |request: Request| {
            let Request::Carrier(label) = request else { panic!("{request:?}") };
            asked.borrow_mut().push(label.zpl);
            Response::done("", serde_json::Value::Null)
        };
        let (label, link) = (folder.join("label.zpl"), folder.join("link.zpl"));
        std::fs::write(&label, "^XA").unwrap();
        std::os::unix::fs::symlink("/etc/hostname", &link).unwrap();
        let seen = look(folder, &Seen::new(), &ask);
        std::fs::write(&label, "^XA^FDx").unwrap();
        let seen = look(folder, &seen, &ask);
        std::fs::write(&label, "^XA^FDx^FS^XZ").unwrap();
        let seen = look(folder, &seen, &ask);
        assert!(asked.borrow().is_empty(), "{asked:?}");
        let seen = look(folder, &seen, &ask);
        assert_eq!(*asked.borrow(), ["^XA^FDx^FS^XZ"]);
        look(folder, &seen, &ask);
        assert_eq!(asked.borrow().len(), 1);
        assert!(folder.join("printed/label.zpl").exists() && link.symlink_metadata().is_ok());
    }

    /// What the station did not decide stays for the next look.
    #[test]
    fn a_label_that_nobody_decided_on_stays() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("refused")).unwrap();
        let label = dir.path().join("label.zpl");
        std::fs::write(&label, "^XA^XZ").unwrap();
        let ask = |_| Response::again("stopping");
        let seen = look(dir.path(), &Seen::new(), &ask);
        look(dir.path(), &seen, &ask);
        assert!(label.exists());
    }

    #[test]
    fn what_is_no_file_takes_no_file_its_turn() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("printed")).unwrap();
        for n in 0..FILES {
            std::os::unix::fs::symlink("/nowhere", dir.path().join(format!("a{n}.zpl"))).unwrap();
        }
        std::fs::write(dir.path().join("b.zpl"), "^XA^XZ").unwrap();
        let ask = |_| Response::done("", serde_json::Value::Null);
        let seen = look(dir.path(), &Seen::new(), &ask);
        look(dir.path(), &seen, &ask);
        assert!(dir.path().join("printed/b.zpl").exists());
    }

    #[test]
    fn a_name_says_what_the_label_is_about() {
        for (name, rma, tag) in [
            ("RMA-10234.zpl", Some("RMA-10234"), None),
            ("rma-10234_tag12.zpl", Some("RMA-10234"), Some(12)),
            ("TAG7.zpl", None, Some(7)),
            ("R26D1000012_1Z999AA10123456784_tag3.ZPL", Some("R26D1000012"), Some(3)),
            ("tag0.zpl", Some("TAG0"), None),
            ("t\u{e4}g.zpl", Some("T\u{e4}G"), None),
            (".zpl", None, None),
        ] {
            assert_eq!(about(name), (rma.map(str::to_owned), tag), "{name}");
        }
    }
}
