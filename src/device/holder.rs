//! Who has a device open, as far as this user may see: every process shows its open files to root and to
//! its own user.

use super::access;
use std::fs;
use std::path::{Path, PathBuf};

/// A process that has a device open.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Holder {
    pub pid: u32,
    /// The program's name, escaped.
    pub program: String,
}

/// How a device that is there could be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Usable {
    Present,
    /// Somebody has it open; that may be the running station.
    Busy,
    Denied,
}

impl Usable {
    pub fn word(self) -> &'static str {
        match self {
            Usable::Present => "present",
            Usable::Busy => "busy",
            Usable::Denied => "denied",
        }
    }
}

/// How a device behind these nodes could be used, by whom it is, and if it may not be opened what to do.
pub(super) fn usable(nodes: &[PathBuf]) -> (Usable, Vec<Holder>, Option<String>) {
    let held = holders(nodes, Path::new("/proc"));
    let denied = nodes.iter().find_map(|node| access::may_open(node).err());
    let state = match (&denied, held.is_empty()) {
        (_, false) => Usable::Busy,
        (Some(_), true) => Usable::Denied,
        (None, true) => Usable::Present,
    };
    (state, held, denied)
}

fn holders(nodes: &[PathBuf], proc: &Path) -> Vec<Holder> {
    let mut found = Vec::new();
    for process in fs::read_dir(proc).into_iter().flatten().flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|n| n.parse().ok()) else { continue };
        let files = fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten();
        if files.filter_map(|f| fs::read_link(f.path()).ok()).any(|to| nodes.contains(&to)) {
            let name = fs::read(process.path().join("comm")).unwrap_or_default();
            found.push(Holder { pid, program: crate::domain::text::escaped(name.trim_ascii()) });
        }
    }
    found.sort_by_key(|h| h.pid);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_a_file_open_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let nodes = [file.path().canonicalize().unwrap()];
        let held = holders(&nodes, Path::new("/proc"));
        assert!(held.iter().any(|h| h.pid == std::process::id() && !h.program.is_empty()), "{held:?}");
        assert_eq!(usable(&nodes).0, Usable::Busy);
        assert_eq!(holders(&["/dev/none".into()], Path::new("/proc")), []);
        assert_eq!(usable(&["/dev/none".into()]).0, Usable::Denied);
    }
}
