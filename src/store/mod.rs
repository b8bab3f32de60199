//! SQLite: the journal, the tables it adds up to, and the shipments.
//!
//! One [`Store`] writes; it lives on the station's core thread, which is the only writer. Others read
//! through [`open_reader`]. A batch of events is appended and projected in one transaction:
//! [`Store::begin`], [`Store::append`] as often as needed, [`Store::commit`] (durable when it returns:
//! WAL with `synchronous=FULL`) or [`Store::rollback`].
//!
//! A database that is missing, read-only, from a newer version, full, corrupt or not ours is reported
//! with what to do next and is never overwritten.

mod append;
pub mod desk;
pub mod floor;
pub mod import;
pub mod know;
pub mod life;
pub mod messages;
pub mod project;
pub mod read;
mod schema;
pub mod shipments;
pub mod tags;
pub mod verify;

use crate::domain::event::Event;
use chrono::{DateTime, FixedOffset};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};

pub use append::Head;

/// A connection for reading. What may be asked of it stands in [`read`], [`know`], [`shipments`] and [`verify`].
pub type Reader = Connection;

/// Another process (a reader, `journal verify`) may hold a lock for a moment.
const BUSY: std::time::Duration = std::time::Duration::from_secs(5);

/// The database's name inside the data directory.
pub const FILE: &str = "backdock.db";

/// What can be wrong with the database. Each says what, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{path}: there is no database here; run `backdock run` or an import once, or check [station] data")]
    Missing { path: PathBuf },
    #[error(
        "{path}: the database cannot be written ({why}); check the owner, the mount and the free space of that directory"
    )]
    ReadOnly { path: PathBuf, why: String },
    #[error(
        "{path}: written by a newer backdock (schema {found}, this one knows up to {known}); install the newer version, nothing was changed"
    )]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error(
        "{path}: written by an older backdock (schema {found}, this one has {known}); start the station once, that brings it up to date"
    )]
    Older { path: PathBuf, found: i64, known: i64 },
    #[error("{path}: not a backdock database; nothing was changed. Move it away or point [station] data elsewhere")]
    Foreign { path: PathBuf },
    #[error("{path}: the database is damaged ({why}); nothing was changed. Keep the file, restore the last backup")]
    Corrupt { path: PathBuf, why: String },
    #[error(
        "the disk is full; nothing of this step was written. Free space on the data directory's disk, then scan again"
    )]
    Full,
    #[error(
        "the database belongs to station {found:?}, the configuration says {configured:?}; one of them is wrong, nothing was changed"
    )]
    OtherStation { found: String, configured: String },
    #[error(
        "program {program:?} {version:?} was changed without a new version; RMAs were issued under the old text. Raise `version` in its file"
    )]
    ProgramChanged { program: String, version: String },
    #[error("the database holds something this version cannot read ({0}); run `backdock journal verify`")]
    Unreadable(String),
    #[error("database: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

impl StoreError {
    /// Names the common failures of SQLite for a person.
    fn at(path: &Path, e: rusqlite::Error) -> StoreError {
        use rusqlite::ErrorCode as C;
        let path = path.to_path_buf();
        match e.sqlite_error_code() {
            Some(C::ReadOnly | C::CannotOpen | C::PermissionDenied | C::SystemIoFailure) => {
                StoreError::ReadOnly { path, why: e.to_string() }
            }
            Some(C::NotADatabase) => StoreError::Foreign { path },
            Some(C::DatabaseCorrupt) => StoreError::Corrupt { path, why: e.to_string() },
            Some(C::DiskFull) => StoreError::Full,
            _ => StoreError::Sqlite(e),
        }
    }
}

/// The writing side. `seq` and `hash` are the chain's head, committed and (inside a batch) pending.
pub struct Store {
    pub(crate) conn: Connection,
    path: PathBuf,
    station: String,
    committed: Link,
    pending: Link,
    open: bool,
}

/// One end of the hash chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Link {
    pub seq: i64,
    pub hash: [u8; 32],
}

impl Link {
    /// What the first event links to.
    pub const GENESIS: Link = Link { seq: 0, hash: [0; 32] };
}

impl Store {
    /// Opens or creates `dir/backdock.db` for the station `station`. The caller holds the station lock.
    pub fn open(dir: &Path, station: &str) -> Result<Store, StoreError> {
        let path = dir.join(FILE);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(&path, flags).map_err(|e| StoreError::at(&path, e))?;
        Self::prepare(conn, path.clone(), station).map_err(|e| match e {
            StoreError::Sqlite(e) => StoreError::at(&path, e),
            other => other,
        })
    }

    fn prepare(conn: Connection, path: PathBuf, station: &str) -> Result<Store, StoreError> {
        conn.set_prepared_statement_cache_capacity(64);
        // Until the file is known to be ours, closing it must not move a write-ahead log into it.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        conn.busy_timeout(BUSY)?;
        schema::adopt(&conn, &path)?;
        let mode: String = conn.query_row("PRAGMA journal_mode=WAL", [], |r| r.get(0))?;
        if !mode.eq_ignore_ascii_case("wal") {
            return Err(StoreError::ReadOnly { path, why: format!("journal mode stays {mode}") });
        }
        // FULL: a commit that returned survives a power cut. Checkpoints are taken when the dock is
        // idle (`checkpoint`), never inside a scan. No mmap: it makes the daemon ten times larger.
        conn.execute_batch(
            "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA foreign_keys=ON; PRAGMA mmap_size=0;
             PRAGMA cache_size=-2048; PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF;",
        )?;
        schema::migrate(&conn, &path)?;
        let found: Option<String> = read::meta(&conn, "station")?;
        match found {
            Some(found) if found != station => {
                return Err(StoreError::OtherStation { found, configured: station.to_owned() });
            }
            Some(_) => {}
            None => {
                conn.execute("INSERT INTO meta(key, value) VALUES('station', ?1)", [station])?;
            }
        }
        let head = read::head(&conn)?;
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        Ok(Store { conn, path, station: station.to_owned(), committed: head, pending: head, open: false })
    }

    /// Starts a batch.
    pub fn begin(&mut self) -> Result<(), StoreError> {
        debug_assert!(!self.open, "a batch is already open");
        self.conn.prepare_cached("BEGIN IMMEDIATE")?.execute([]).map_err(|e| StoreError::at(&self.path, e))?;
        self.open = true;
        Ok(())
    }

    /// Appends one event to the journal and changes the tables accordingly; returns its number.
    /// After an error the batch must be rolled back.
    pub fn append(&mut self, head: &Head, event: &Event) -> Result<i64, StoreError> {
        debug_assert!(self.open, "append outside a batch");
        let link = append::append(&self.conn, &self.station, self.pending, head, event).map_err(|e| match e {
            StoreError::Sqlite(e) => StoreError::at(&self.path, e),
            other => other,
        })?;
        self.pending = link;
        Ok(link.seq)
    }

    /// Makes the batch durable. On error nothing of it is kept.
    pub fn commit(&mut self) -> Result<(), StoreError> {
        let done = self.conn.prepare_cached("COMMIT").and_then(|mut s| s.execute([]));
        match done {
            Ok(_) => {
                self.open = false;
                self.committed = self.pending;
                Ok(())
            }
            Err(e) => {
                self.rollback();
                Err(StoreError::at(&self.path, e))
            }
        }
    }

    /// Gives the batch up; the tables and the chain are as before it.
    pub fn rollback(&mut self) {
        if self.open {
            // After some errors (disk full) SQLite has rolled back by itself; then this one fails harmlessly.
            let _ = self.conn.execute_batch("ROLLBACK");
            self.open = false;
        }
        self.pending = self.committed;
    }

    /// The number of the last durable event.
    pub fn seq(&self) -> i64 {
        self.committed.seq
    }

    /// The number of the last event of the open batch.
    pub fn pending_seq(&self) -> i64 {
        self.pending.seq
    }

    /// Size of the write-ahead log in bytes.
    pub fn wal_bytes(&self) -> u64 {
        let mut wal = self.path.clone().into_os_string();
        wal.push("-wal");
        std::fs::metadata(wal).map_or(0, |m| m.len())
    }

    /// Moves the write-ahead log into the database file and empties it. Called when the dock is idle.
    /// Never waits: what somebody still reads (`journal verify` reads for minutes) stays in the log.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        self.move_log("PRAGMA wal_checkpoint(TRUNCATE)")
    }

    /// Moves what is in the write-ahead log into the database file and leaves the log's length as it
    /// is; it is written over from its start. Cheap where little was written since the last time.
    pub fn checkpoint_in_passing(&self) -> Result<(), StoreError> {
        self.move_log("PRAGMA wal_checkpoint(PASSIVE)")
    }

    fn move_log(&self, how: &str) -> Result<(), StoreError> {
        let moved = self
            .conn
            .busy_timeout(std::time::Duration::ZERO)
            .and_then(|()| self.conn.prepare_cached(how)?.query_row([], |_| Ok(())));
        self.conn.busy_timeout(BUSY)?;
        moved.map_err(|e| StoreError::at(&self.path, e))
    }

    /// Loads a whole shipment file into the still empty table, with its journal event in the same
    /// transaction. Only where no daemon runs: scans would wait.
    pub fn bulk_import(
        &mut self,
        head: &Head,
        file: &str,
        import: import::Import,
    ) -> Result<import::Summary, import::ImportError> {
        let (station, last) = (&self.station, self.committed);
        let mut link = last;
        let summary = import::bulk_load(&mut self.conn, import, |conn, summary| {
            let event = Event::ShipmentsImported {
                file: file.to_owned(),
                sha256: Some(summary.facts.sha256.clone()),
                inserted: summary.counts.inserted,
                updated: summary.counts.updated,
                unchanged: summary.counts.unchanged,
                rejected: summary.counts.rejected,
                digest: summary.digest.to_string(),
            };
            link = append::append(conn, station, last, head, &event)?;
            Ok(())
        })?;
        (self.committed, self.pending) = (link, link);
        Ok(summary)
    }

    /// Brings the next slice of a shipment file into the table, inside the open batch, with its events.
    pub fn import_step(
        &mut self,
        head: &Head,
        file: &str,
        import: &mut import::Import,
    ) -> Result<import::Step, import::ImportError> {
        let mut changes = Vec::new();
        let step = import.step(&self.conn, &mut |old, new| changes.push((old, new.clone())))?;
        for (old, new) in changes {
            self.append(head, &Event::ShipmentChanged { old, new })?;
        }
        let event = Event::ShipmentsImported {
            file: file.to_owned(),
            sha256: step.end.as_ref().map(|f| f.sha256.clone()),
            inserted: step.counts.inserted,
            updated: step.counts.updated,
            unchanged: step.counts.unchanged,
            rejected: step.counts.rejected,
            digest: step.digest.to_string(),
        };
        self.append(head, &event)?;
        Ok(step)
    }

    /// For tests: lets the database grow no further than it is, or as it likes again.
    pub(crate) fn pretend_full(&self, full: bool) -> Result<(), StoreError> {
        let pages: i64 = self.conn.query_row("PRAGMA page_count", [], |r| r.get(0))?;
        let most = if full { pages } else { 1 << 30 };
        Ok(self.conn.query_row(&format!("PRAGMA max_page_count={most}"), [], |_| Ok(()))?)
    }

    /// Whether there are no shipments yet.
    pub fn no_shipments(&self) -> Result<bool, StoreError> {
        Ok(self.conn.query_row("SELECT NOT EXISTS(SELECT 1 FROM shipment)", [], |r| r.get(0))?)
    }

    /// Erases raw scans older than `before`; returns how many.
    pub fn erase_raw(&mut self, before: &DateTime<FixedOffset>) -> Result<u64, StoreError> {
        let n = self.conn.execute("DELETE FROM raw_scan WHERE taken < ?1", [before.timestamp_millis()])?;
        Ok(n as u64)
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Opens the database of a data directory for reading only, beside a running daemon.
pub fn open_reader(dir: &Path) -> Result<Reader, StoreError> {
    let path = dir.join(FILE);
    if !path.exists() {
        return Err(StoreError::Missing { path });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(&path, flags).map_err(|e| StoreError::at(&path, e))?;
    conn.busy_timeout(BUSY)?;
    schema::readable(&conn, &path).map_err(|e| match e {
        StoreError::Sqlite(e) => StoreError::at(&path, e),
        other => other,
    })?;
    conn.execute_batch("PRAGMA query_only=ON; PRAGMA cache_size=-512; PRAGMA mmap_size=0;")?;
    Ok(conn)
}
