//! The tables, and how a database comes to have them: one numbered step per released shape. A file
//! with a higher number is from a newer version and is left alone.

use super::{StoreError, shipments};
use rusqlite::Connection;
use std::path::Path;

/// `BDK1`: marks a file as ours, so that `file(1)` and we can tell.
const APPLICATION_ID: i64 = 0x4244_4B31;

/// Steps in order; `user_version` counts those applied. A step, once released, is never edited.
const STEPS: &[&[&str]] = &[
    &[
        "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;",
        // The journal: append-only, each row's hash covers the row and the hash before it.
        "CREATE TABLE journal(
        seq INTEGER PRIMARY KEY,
        at TEXT NOT NULL,
        station TEXT NOT NULL,
        badge TEXT,
        scanner TEXT,
        raw BLOB,
        kind TEXT NOT NULL,
        payload TEXT NOT NULL,
        hash BLOB NOT NULL
     ) STRICT;",
        // What came over the wire, byte for byte. Beside the journal, so that it can be erased.
        "CREATE TABLE raw_scan(seq INTEGER PRIMARY KEY, taken INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;",
        PROJECTED,
        shipments::SCHEMA,
    ],
    &[LIFE],
    &[MESSAGES],
    &[TAGS],
];

/// The tables that the journal adds up to; `journal verify` builds them anew and compares.
pub(super) const PROJECTED: &str = "
    CREATE TABLE session(station TEXT PRIMARY KEY, seq INTEGER NOT NULL, state TEXT NOT NULL, screen TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE program(id TEXT NOT NULL, version TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY(id, version)) STRICT, WITHOUT ROWID;
    CREATE TABLE rma(
        number TEXT PRIMARY KEY, program TEXT NOT NULL, version TEXT NOT NULL, customer TEXT,
        issued TEXT NOT NULL, state TEXT NOT NULL, facts TEXT NOT NULL,
        -- counted here, so that a box of a thousand units costs no more per scan than a box of one
        expected INTEGER NOT NULL, received INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE rma_unit(
        rma TEXT NOT NULL REFERENCES rma(number), serial TEXT NOT NULL, place INTEGER NOT NULL, PRIMARY KEY(rma, place)
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX rma_unit_serial ON rma_unit(serial, rma);
    CREATE TABLE receipt(
        station TEXT NOT NULL, id INTEGER NOT NULL, rma TEXT NOT NULL REFERENCES rma(number),
        serial TEXT, mac INTEGER, brand TEXT, model TEXT, at TEXT NOT NULL, word TEXT NOT NULL,
        held INTEGER NOT NULL, withdrawn TEXT, seq INTEGER NOT NULL, PRIMARY KEY(station, id)
    ) STRICT, WITHOUT ROWID;
    -- in the order of their arrival: the page shows the last ones after every scan
    CREATE INDEX receipt_rma ON receipt(rma, seq);
    CREATE INDEX receipt_serial ON receipt(serial) WHERE serial IS NOT NULL;
    CREATE INDEX receipt_mac ON receipt(mac) WHERE mac IS NOT NULL;
    CREATE TABLE job(
        station TEXT NOT NULL, id INTEGER NOT NULL, printer TEXT NOT NULL, label TEXT NOT NULL, copy INTEGER NOT NULL,
        receipt INTEGER, rma TEXT, serial TEXT, state TEXT NOT NULL, note TEXT NOT NULL,
        unique_id TEXT, odometer INTEGER, made INTEGER NOT NULL, moved INTEGER NOT NULL, PRIMARY KEY(station, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX job_open ON job(printer, id) WHERE state IN ('queued', 'sending', 'sent', 'in-doubt');
    CREATE INDEX job_receipt ON job(receipt) WHERE receipt IS NOT NULL;
";

/// The life of units after their receipt (or before it), and the money; projected as [`PROJECTED`] is.
pub(super) const LIFE: &str = "
    CREATE TABLE unit(
        rma TEXT NOT NULL REFERENCES rma(number), unit TEXT NOT NULL, state TEXT NOT NULL, since TEXT NOT NULL,
        facts TEXT NOT NULL, verdict TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(rma, unit)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX unit_open ON unit(rma, unit) WHERE state NOT IN ('closed', 'returned', 'cancelled');
    -- a unit that took another one's place
    CREATE TABLE successor(
        serial TEXT PRIMARY KEY, rma TEXT NOT NULL, unit TEXT NOT NULL, shipped TEXT NOT NULL, facts TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    -- one line for a unit, a kind and a rule: nothing is ever posted twice
    CREATE TABLE ledger(
        rma TEXT NOT NULL, unit TEXT NOT NULL, kind TEXT NOT NULL, rule TEXT NOT NULL, cents INTEGER NOT NULL,
        currency TEXT NOT NULL, party TEXT NOT NULL, posted TEXT NOT NULL, evidence TEXT NOT NULL, by TEXT NOT NULL,
        seq INTEGER NOT NULL, PRIMARY KEY(rma, unit, kind, rule)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE calendar(station TEXT PRIMARY KEY, day TEXT NOT NULL) STRICT, WITHOUT ROWID;
";

/// The outbox, and where the customer's copies go; `journal verify` builds it after [`PROJECTED`].
pub(super) const MESSAGES: &str = "
    CREATE TABLE message(
        station TEXT NOT NULL, id INTEGER NOT NULL, cause TEXT NOT NULL, rma TEXT NOT NULL, unit TEXT,
        program TEXT NOT NULL, addressee TEXT NOT NULL, about TEXT NOT NULL, rule TEXT NOT NULL, subject TEXT NOT NULL,
        recipients TEXT NOT NULL, state TEXT NOT NULL, note TEXT NOT NULL, attempt INTEGER NOT NULL, next_try TEXT,
        made INTEGER NOT NULL, moved INTEGER NOT NULL, PRIMARY KEY(station, id)
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX message_cause ON message(cause, station);
    CREATE INDEX message_rma ON message(rma);
    CREATE INDEX message_open ON message(station, id) WHERE state NOT IN ('sent', 'cancelled');
    ALTER TABLE rma ADD COLUMN email TEXT;
";

/// Call tags, the numbers by which their packages are known, and carriers' labels that came in.
pub(super) const TAGS: &str = "
    CREATE TABLE tag(
        station TEXT NOT NULL, id INTEGER NOT NULL, rma TEXT NOT NULL, state TEXT NOT NULL, since TEXT NOT NULL,
        attempts INTEGER NOT NULL, reply TEXT NOT NULL, made INTEGER NOT NULL, moved INTEGER NOT NULL,
        PRIMARY KEY(station, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX tag_rma ON tag(rma, id);
    CREATE TABLE tag_number(
        number TEXT NOT NULL, station TEXT NOT NULL, tag INTEGER NOT NULL, PRIMARY KEY(number, station, tag)
    ) STRICT, WITHOUT ROWID;
    -- the same file is never printed twice by itself
    CREATE TABLE carrier_label(
        sha256 TEXT PRIMARY KEY, station TEXT NOT NULL, job INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";

fn version(conn: &Connection) -> Result<i64, rusqlite::Error> {
    conn.query_row("PRAGMA user_version", [], |r| r.get(0))
}

fn application_id(conn: &Connection) -> Result<i64, rusqlite::Error> {
    conn.query_row("PRAGMA application_id", [], |r| r.get(0))
}

fn tables(conn: &Connection) -> Result<i64, rusqlite::Error> {
    conn.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))
}

/// Refuses a file that is not ours, before anything in it is touched.
pub(super) fn adopt(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let id = application_id(conn)?;
    if id == APPLICATION_ID {
        return newer(conn, path);
    }
    if id != 0 || version(conn)? != 0 || tables(conn)? != 0 {
        return Err(StoreError::Foreign { path: path.to_path_buf() });
    }
    Ok(())
}

/// For a reader: the file must be ours and known already.
pub(super) fn readable(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    if application_id(conn)? != APPLICATION_ID {
        return Err(StoreError::Foreign { path: path.to_path_buf() });
    }
    newer(conn, path)?;
    let found = version(conn)?;
    let known = STEPS.len() as i64;
    if found < known {
        return Err(StoreError::Older { path: path.to_path_buf(), found, known });
    }
    Ok(())
}

fn newer(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let found = version(conn)?;
    let known = STEPS.len() as i64;
    if found > known {
        return Err(StoreError::Newer { path: path.to_path_buf(), found, known });
    }
    Ok(())
}

/// Applies the missing steps, each in a transaction of its own.
pub(super) fn migrate(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    newer(conn, path)?;
    let from = version(conn)? as usize;
    for (i, step) in STEPS.iter().enumerate().skip(from) {
        conn.execute_batch("BEGIN IMMEDIATE")?;
        let applied = step.iter().try_for_each(|sql| conn.execute_batch(sql)).and_then(|()| {
            conn.execute_batch(&format!(
                "PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={}; COMMIT",
                i + 1
            ))
        });
        if let Err(e) = applied {
            let _ = conn.execute_batch("ROLLBACK");
            return Err(e.into());
        }
    }
    Ok(())
}
