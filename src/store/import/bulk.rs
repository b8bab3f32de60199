//! The first import: a whole file into an empty table, in one transaction, when no daemon runs.
//!
//! An index built from sorted rows is several times cheaper than one kept while rows come in any
//! order; and pages added to a file with a rollback journal are written once, where the write-ahead
//! log writes them twice. So: leave WAL, insert, sort, build the indexes, commit, return to WAL.
//!
//! Promised: the same rows, digest, counts and rejects as importing in slices; after a crash at any
//! moment the table is empty as before (SQLite's rollback journal) or complete.

use rusqlite::Connection;

use super::apply::{self, Counts, Outcome, Seen};
use super::rows::Row;
use super::{Import, ImportError, Summary};
use crate::store::StoreError;
use crate::store::shipments::{self, Digest, INDEXES};

/// Rows that share a serial or an address with another row of the file. The indexes give each group
/// without sorting again.
const CONFLICTS: &str = "
    WITH further AS (SELECT mac FROM shipment_further_mac),
    shared(mac) AS (
        SELECT mac FROM shipment WHERE mac IS NOT NULL GROUP BY mac HAVING count(*) > 1
        UNION SELECT mac FROM further GROUP BY mac HAVING count(*) > 1
        UNION SELECT mac FROM further f WHERE EXISTS (SELECT 1 FROM shipment s WHERE s.mac = f.mac)
    )
    SELECT id FROM shipment WHERE mac IN (SELECT mac FROM shared)
    UNION SELECT shipment FROM shipment_further_mac WHERE mac IN (SELECT mac FROM shared)
    UNION SELECT id FROM shipment
        WHERE serial IN (SELECT serial FROM shipment GROUP BY serial HAVING count(*) > 1)";

/// Loads a whole file into the empty table. `journal` writes the event of it, in the same transaction.
/// The caller holds the station lock; `conn` is between transactions.
///
/// # Errors
/// [`ImportError::NotEmpty`] when there are shipments already (import in slices then); whatever reading,
/// the database or `journal` fails with. Nothing is changed then.
pub fn bulk_load(
    conn: &mut Connection,
    mut import: Import,
    journal: impl FnOnce(&Connection, &Summary) -> Result<(), StoreError>,
) -> Result<Summary, ImportError> {
    let conn = &*conn;
    let loading = Loading::begin(conn)?;
    if conn.query_row(
        "SELECT EXISTS(SELECT 1 FROM shipment) OR EXISTS(SELECT 1 FROM shipment_further_mac)",
        [],
        |r| r.get(0),
    )? {
        return Err(ImportError::NotEmpty);
    }
    let summary = load(conn, &mut import)?;
    import.rejects.flush()?;
    summary.digest.save(conn)?;
    journal(conn, &summary)?;
    loading.commit()?;
    Ok(summary)
}

fn load(conn: &Connection, import: &mut Import) -> Result<Summary, ImportError> {
    let (mut counts, mut digest, mut last) = (Counts::default(), Digest::default(), 0);
    conn.execute_batch("DROP INDEX shipment_serial; DROP INDEX shipment_mac")?;
    let mut insert = conn.prepare(apply::INSERT)?;
    while let Some(item) = import.rows.next() {
        match item {
            Ok(row) => {
                // Under its line number, so that a later conflict knows it.
                last = row.line as i64;
                apply::put(&mut insert, Some(last), &row.fields)?;
                apply::add_further_macs(conn, last, &row.fields)?;
                digest.add(&row.hash);
                counts.inserted += 1;
            }
            Err(reject) => {
                import.rejects.write(reject)?;
                counts.rejected += 1;
            }
        }
    }
    let facts = import.rows.finish()?;

    conn.execute_batch(INDEXES)?;
    conn.execute_batch(&format!("CREATE TEMP TABLE conflict AS SELECT * FROM shipment WHERE id IN ({CONFLICTS})"))?;
    take_out(conn, &mut counts, &mut digest)?;
    settle(conn, import, last, &mut counts, &mut digest)?;
    conn.execute_batch("DROP TABLE temp.conflict")?;
    Ok(Summary { counts, digest, facts })
}

/// Takes all rows in conflict out of the table again.
fn take_out(conn: &Connection, counts: &mut Counts, digest: &mut Digest) -> Result<(), StoreError> {
    shipments::walk::<StoreError>(conn, "temp.conflict", |id, fields| {
        apply::remove_further_macs(conn, id, fields.each_mac().skip(1))?;
        digest.remove(&fields.hash());
        counts.inserted -= 1;
        Ok(())
    })?;
    conn.execute_batch("DELETE FROM shipment WHERE id IN (SELECT id FROM temp.conflict)")?;
    Ok(())
}

/// Applies the rows in conflict one by one in the file's order, by the same code as a slice. The other
/// rows share nothing with them, so it does not matter that they are already there.
fn settle(
    conn: &Connection,
    import: &mut Import,
    last: i64,
    counts: &mut Counts,
    digest: &mut Digest,
) -> Result<(), ImportError> {
    let mut seen = Seen::up_to(last);
    shipments::walk::<ImportError>(conn, "temp.conflict", |line, fields| {
        let row = Row { line: line as u64, fields, hash: fields.hash() };
        match apply::apply(conn, &row, &mut seen, digest)? {
            Outcome::Inserted => counts.inserted += 1,
            Outcome::Unchanged => counts.unchanged += 1,
            // Every row there is comes from this file, so none can be an older state of another.
            Outcome::Updated(old) => {
                let what = format!("shipment {} was changed by somebody else while it was loaded", old.serial);
                return Err(StoreError::Unreadable(what).into());
            }
            Outcome::Rejected(reason) => {
                counts.rejected += 1;
                import.rejects.write(&import.rows.reject(row.line, reason))?;
            }
        }
        Ok(())
    })
}

/// A transaction with the settings for loading, which are undone whatever happens. The page cache stays
/// small: SQLite sorts in pieces of that size, and pieces that fit the processor's cache sort fastest.
struct Loading<'c> {
    conn: &'c Connection,
    temp_store: i64,
    wal: bool,
}

impl<'c> Loading<'c> {
    fn begin(conn: &'c Connection) -> Result<Self, StoreError> {
        let temp_store = conn.query_row("PRAGMA temp_store", [], |r| r.get(0))?;
        let mode: String = conn.query_row("PRAGMA journal_mode", [], |r| r.get(0))?;
        let loading = Loading { conn, temp_store, wal: mode.eq_ignore_ascii_case("wal") };
        if loading.wal {
            // Refused while somebody else reads the database. Loading through the WAL is slower, not worse.
            let _ = conn.query_row("PRAGMA journal_mode=DELETE", [], |_| Ok(()));
        }
        // Sorting ten million serials must go to a file, not to memory.
        conn.execute_batch("PRAGMA temp_store=FILE; BEGIN IMMEDIATE")?;
        Ok(loading)
    }

    fn commit(self) -> Result<(), StoreError> {
        Ok(self.conn.execute_batch("COMMIT")?)
    }
}

impl Drop for Loading<'_> {
    fn drop(&mut self) {
        // Each may fail on a database that is failing anyway; opening it again sets all of them.
        if !self.conn.is_autocommit() {
            let _ = self.conn.execute_batch("ROLLBACK");
        }
        let _ = self.conn.execute_batch(&format!("PRAGMA temp_store={}", self.temp_store));
        if self.wal {
            let _ = self.conn.query_row("PRAGMA journal_mode=WAL", [], |_| Ok(()));
        }
    }
}
