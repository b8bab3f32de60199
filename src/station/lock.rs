//! The station lock: one process writes at a time. An advisory lock on a file in the data directory;
//! the kernel lets it go when the process ends, however it ends.

use rustix::fs::{FlockOperation, flock};
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

/// Held as long as it lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error(
        "{0}: another backdock writes to this data directory; stop it, or give this station a [station] data of its own"
    )]
    Held(PathBuf),
    #[error("{path}: the station lock cannot be taken ({why}); check the owner and mode of the data directory")]
    Io { path: PathBuf, why: std::io::Error },
}

impl Lock {
    /// Takes the lock of a data directory, or says who is in the way. Never waits.
    pub fn take(data: &Path) -> Result<Lock, LockError> {
        let path = data.join("station.lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|why| LockError::Io { path: path.clone(), why })?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Lock { _file: file }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(LockError::Held(path)),
            Err(e) => Err(LockError::Io { path, why: e.into() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_holds_it_and_the_next_may() {
        let dir = tempfile::tempdir().unwrap();
        let first = Lock::take(dir.path()).unwrap();
        assert!(matches!(Lock::take(dir.path()), Err(LockError::Held(_))));
        drop(first);
        Lock::take(dir.path()).unwrap();
        assert!(matches!(Lock::take(Path::new("/nonexistent")), Err(LockError::Io { .. })));
    }
}
