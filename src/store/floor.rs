//! What the disk itself costs, for `backdock bench`: the bare commit that a scan is held against, how
//! many bytes a scan writes, and a reader that holds the log. Nothing of the daemon uses it.
//!
//! A floor has a database of its own, with the settings of the station's: one row, one commit, durable
//! when it returns. Nothing that keeps scans the way the [`Store`](super::Store) does can be faster.

use super::{Reader, StoreError};
use rusqlite::Connection;
use std::path::Path;

/// A database with one table of one column.
pub struct Floor {
    conn: Connection,
}

impl Floor {
    /// Makes `floor.db` in `dir`, which should be on the disk that the station's data is on.
    ///
    /// # Errors
    /// The file cannot be made or is there already.
    pub fn make(dir: &Path) -> Result<Floor, StoreError> {
        let conn = Connection::open(dir.join("floor.db"))?;
        conn.query_row("PRAGMA journal_mode=WAL", [], |_| Ok(()))?;
        conn.execute_batch(
            "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA mmap_size=0; PRAGMA cache_size=-2048;
             CREATE TABLE bare(bytes BLOB NOT NULL) STRICT;",
        )?;
        Ok(Floor { conn })
    }

    /// Writes `bytes` in one durable transaction.
    pub fn commit(&self, bytes: &[u8]) -> Result<(), StoreError> {
        self.conn.prepare_cached("INSERT INTO bare(bytes) VALUES(?1)")?.execute([bytes])?;
        Ok(())
    }

    /// Empties the write-ahead log, as the station does when it is idle.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        Ok(self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }
}

/// Reads on until what it returns is dropped: so long the write-ahead log can only grow.
pub fn hold(conn: &Reader) -> Result<impl Drop + '_, StoreError> {
    let reading = conn.unchecked_transaction()?;
    super::read::head(&reading)?;
    Ok(reading)
}

/// What the journal's events after `seq` wrote: how many scans there were, and the bytes of their rows
/// in the journal and in the tables, keys and indexes not counted.
pub fn written(conn: &Reader, seq: i64) -> Result<(u64, u64), StoreError> {
    let number = |sql: &str| conn.query_row(sql, [seq], |r| r.get::<_, Option<i64>>(0));
    let scans = number("SELECT count(*) FROM journal WHERE seq>?1 AND kind='scanned'")?;
    let mut bytes = 0;
    for sql in [
        "SELECT sum(octet_length(at) + octet_length(station) + octet_length(kind) + octet_length(payload)
            + octet_length(hash) + coalesce(octet_length(raw), 0)) FROM journal WHERE seq>?1",
        "SELECT sum(octet_length(bytes)) FROM raw_scan WHERE seq>?1",
        "SELECT sum(octet_length(station) + octet_length(rma) + octet_length(serial) + octet_length(at)
            + octet_length(word)) FROM receipt WHERE seq>?1",
        "SELECT sum(octet_length(station) + octet_length(printer) + octet_length(rma) + octet_length(serial)
            + octet_length(state)) FROM job WHERE made>?1",
    ] {
        bytes += number(sql)?.unwrap_or(0);
    }
    Ok((scans.unwrap_or(0).max(0) as u64, bytes.max(0) as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::Event;
    use crate::store::{Head, Store, open_reader};

    #[test]
    fn a_floor_keeps_what_it_commits() {
        let dir = tempfile::tempdir().unwrap();
        let floor = Floor::make(dir.path()).unwrap();
        floor.commit(&[7; 5000]).unwrap();
        floor.checkpoint().unwrap();
        floor.commit(b"x").unwrap();
        let other = Connection::open(dir.path().join("floor.db")).unwrap();
        let there: (i64, i64) = other
            .query_row("SELECT count(*), sum(length(bytes)) FROM bare", [], |r| Ok((r.get(0)?, r.get(1)?)))
            .unwrap();
        assert_eq!(there, (2, 5001));
        assert!(Floor::make(dir.path()).is_err(), "a floor is made once");
    }

    #[test]
    fn only_what_came_after_is_counted() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(dir.path(), "DOCK").unwrap();
        store.begin().unwrap();
        let first = store.append(&Head::default(), &Event::Stopped {}).unwrap();
        store.append(&Head { raw: Some(vec![1; 100]), ..Head::default() }, &Event::Stopped {}).unwrap();
        store.commit().unwrap();
        let reader = open_reader(dir.path()).unwrap();
        let (scans, all) = written(&reader, 0).unwrap();
        let (_, last) = written(&reader, first).unwrap();
        assert_eq!(scans, 0);
        // The second row has the same columns, the hash of its raw bytes, and those.
        assert_eq!(all - last + 32 + 100, last);
    }
}
