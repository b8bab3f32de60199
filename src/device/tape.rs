//! A tape of what a scanner sends: the raw bytes with their times, before anything is made of them. Off
//! unless somebody asks for one, for so long and so many bytes; what it costs then is a write per read.
//!
//! The form is that of the virtual scanner's tapes, so that it can be played back: `MILLISECONDS BYTES`, the
//! pause before the bytes and the bytes escaped as `\xHH`; reports and key events stand below a line that says
//! their form ([`raw`]). A tape that cannot be written ends; the scanner
//! does not.

use crate::domain::text::escaped;
use crate::scan::raw;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Where a scanner's tape is put in. Each scanner has its own.
#[derive(Clone, Default, Debug)]
pub struct Tap(Arc<Mutex<Option<Recording>>>);

#[derive(Debug)]
struct Recording {
    file: File,
    path: PathBuf,
    /// Of the lines written last.
    form: String,
    last: Instant,
    until: Instant,
    /// Bytes that may still be written.
    left: usize,
}

impl Tap {
    fn slot(&self) -> MutexGuard<'_, Option<Recording>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a tape in a new file, `header` lines first. A tape that runs already ends.
    ///
    /// # Errors
    /// The file cannot be made, or is there already.
    pub fn start(&self, path: &Path, header: &str, most: Duration, bytes: usize) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(header.as_bytes())?;
        let now = Instant::now();
        let left = bytes.saturating_sub(header.len());
        *self.slot() = Some(Recording {
            file,
            path: path.to_owned(),
            form: raw::BYTES.to_owned(),
            last: now,
            until: now + most,
            left,
        });
        Ok(())
    }

    /// Ends the tape, if one runs; says which.
    pub fn stop(&self) -> Option<PathBuf> {
        self.slot().take().map(|tape| tape.path)
    }

    /// The tape that runs.
    pub fn running(&self) -> Option<PathBuf> {
        self.slot().as_ref().filter(|tape| Instant::now() < tape.until).map(|tape| tape.path.clone())
    }

    /// Takes what was read at `at` in this form.
    pub(super) fn take(&self, form: &str, bytes: &[u8], at: Instant) {
        let mut slot = self.slot();
        let Some(tape) = slot.as_mut() else { return };
        let mut line = String::new();
        if tape.form != form {
            line = format!("# form: {form}\n");
            form.clone_into(&mut tape.form);
        }
        line += &format!("{} {}\n", at.saturating_duration_since(tape.last).as_millis(), escaped(bytes));
        let over = at >= tape.until || line.len() > tape.left;
        if !over && let Err(e) = tape.file.write_all(line.as_bytes()) {
            tracing::warn!(tape = %tape.path.display(), error = %e, "the tape ends: it cannot be written");
            *slot = None;
            return;
        }
        if over {
            tracing::info!(tape = %tape.path.display(), "the tape is full, or its time is over");
            *slot = None;
            return;
        }
        tape.left -= line.len();
        tape.last = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::raw::BYTES;

    #[test]
    fn a_tape_has_the_bytes_and_their_times_and_an_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gun.tape");
        let tap = Tap::default();
        let now = Instant::now();
        tap.take(BYTES, b"unheard", now);
        tap.start(&path, "# what: test\n", Duration::from_secs(60), 100).unwrap();
        assert_eq!(tap.running(), Some(path.clone()));
        tap.take(BYTES, b"RMA-1\r", now + Duration::from_millis(1000));
        tap.take(BYTES, b"\x1d\\", now + Duration::from_millis(1250));
        tap.take(BYTES, &[b'x'; 90], now + Duration::from_millis(1300));
        assert_eq!(tap.running(), None, "it would have become larger than it may");
        tap.take(BYTES, b"after", now + Duration::from_millis(1400));
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[1].ends_with(" RMA-1\\x0D") && lines[2] == "250 \\x1D\\x5C", "{text}");
        // A tape is never written over.
        assert!(tap.start(&path, "", Duration::from_secs(1), 100).is_err());
        let other = dir.path().join("short.tape");
        tap.start(&other, "", Duration::ZERO, 100).unwrap();
        tap.take(BYTES, b"too late", Instant::now());
        assert_eq!((tap.stop(), std::fs::read_to_string(&other).unwrap().as_str()), (None, ""));
    }
}
