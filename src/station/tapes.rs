//! Tapes of scanners: where they lie, how long they are kept. They hold what was scanned, names and addresses
//! on carriers' labels among it, so they go with the raw scans.

use super::core::Core;
use super::request::Response;
use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Longest time and largest size of one tape.
pub const MINUTES_MAX: u64 = 7 * 24 * 60;
pub const KILOBYTES_MAX: u64 = 64 * 1024;

/// What is wanted of tapes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TapeWish {
    Record { scanner: Option<String>, minutes: u64, kilobytes: u64, by: String },
    Stop { scanner: Option<String>, by: String },
}

pub(super) fn apply(core: &Core, wish: &TapeWish, now: DateTime<FixedOffset>) -> Response {
    let (TapeWish::Record { scanner, by, .. } | TapeWish::Stop { scanner, by }) = wish;
    if by.trim().is_empty() {
        return Response::refused("say who wants it with --by WHO");
    }
    if core.taps.is_empty() {
        return Response::refused("the station does not run: there is nothing to record");
    }
    let taps: Vec<_> = core.taps.iter().filter(|(name, _)| scanner.as_ref().is_none_or(|s| s == name)).collect();
    if taps.is_empty() {
        let known: Vec<&str> = core.taps.iter().map(|(name, _)| name.as_str()).collect();
        let asked = scanner.as_deref().unwrap_or_default();
        return Response::refused(format!("no scanner is called {asked:?}; there are: {}", known.join(", ")));
    }
    let mut tapes = Vec::new();
    for (name, tap) in taps {
        match wish {
            TapeWish::Stop { .. } => tapes.extend(tap.stop()),
            TapeWish::Record { minutes, kilobytes, .. } => {
                if !(1..=MINUTES_MAX).contains(minutes) || !(1..=KILOBYTES_MAX).contains(kilobytes) {
                    return Response::refused(format!(
                        "a tape runs for 1 to {MINUTES_MAX} minutes and has 1 to {KILOBYTES_MAX} kilobytes"
                    ));
                }
                let dir = folder(&core.config.station.data);
                let path = dir.join(format!("{name}-{}.tape", now.format("%Y%m%d-%H%M%S")));
                let header = format!(
                    "# scanner: {name}\n# station: {}\n# began: {}\n",
                    core.config.station.id,
                    now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
                );
                let (most, bytes) = (Duration::from_secs(minutes * 60), (kilobytes * 1024) as usize);
                let began = std::fs::create_dir_all(&dir).and_then(|()| tap.start(&path, &header, most, bytes));
                if let Err(e) = began {
                    return Response::refused(format!("{}: {e}", path.display()));
                }
                tapes.push(path);
            }
        }
    }
    let word = if matches!(wish, TapeWish::Stop { .. }) { "ended" } else { "records" };
    tracing::info!(by, tapes = ?tapes, word, "tape");
    let lines: Vec<String> = tapes.iter().map(|path| format!("{word}: {}", path.display())).collect();
    let text = if lines.is_empty() { "no tape runs".to_owned() } else { lines.join("\n") };
    Response::done(text, json!({"tapes": tapes}))
}

/// Where tapes lie.
pub fn folder(data: &Path) -> PathBuf {
    data.join("tapes")
}

/// Deletes the tapes that were written to last more than `days` ago; answers with how many.
pub(super) fn erase_old(data: &Path, days: u32) -> std::io::Result<usize> {
    let before = SystemTime::now().checked_sub(Duration::from_secs(u64::from(days) * 86_400));
    let Some(before) = before else { return Ok(0) };
    let entries = match std::fs::read_dir(folder(data)) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut erased = 0;
    for path in entries.filter_map(|e| Some(e.ok()?.path())) {
        let old = path.extension().is_some_and(|x| x == "tape")
            && path.metadata().and_then(|m| m.modified()).is_ok_and(|at| at < before);
        if old {
            std::fs::remove_file(&path)?;
            erased += 1;
        }
    }
    Ok(erased)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_tapes_go_and_nothing_else_does() {
        let data = tempfile::tempdir().unwrap();
        assert_eq!(erase_old(data.path(), 1).unwrap(), 0);
        let dir = folder(data.path());
        std::fs::create_dir(&dir).unwrap();
        for (name, days) in [("old.tape", 3), ("new.tape", 0), ("old.txt", 3)] {
            let file = std::fs::File::create(dir.join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(days * 86_400)).unwrap();
        }
        assert_eq!(erase_old(data.path(), 2).unwrap(), 1);
        assert!(!dir.join("old.tape").exists() && dir.join("new.tape").exists() && dir.join("old.txt").exists());
    }
}
