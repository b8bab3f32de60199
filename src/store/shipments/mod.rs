//! The shipment table: what left us, found by serial or by MAC.
//!
//! Built for one to ten million rows on a small station: dates are day counts, MACs six bytes, a
//! lookup reads two pages (one of an index, one of the table) that the operating system has cached,
//! and SQLite's own cache stays small. One serial has one row, its latest shipment. Rows change only
//! through [`super::import`], in a transaction that also writes the journal.
//!
//! The table is reference data, not a sum of journal events; it is tied to the journal by its
//! [`Digest`], which every import writes down and `journal verify` computes anew.

mod digest;
pub(super) mod packed;
#[cfg(test)]
mod tests;

use rusqlite::{Connection, OptionalExtension};

pub use digest::Digest;
use packed::{Fields, Packer, mac_bytes};

use super::StoreError;
use crate::domain::mac::Mac;
use crate::domain::shipment::Shipment;

/// The tables; columns stand in the order in which [`Fields::from_row`] reads them, new ones go to the
/// end. `id` is a handle inside this file and means nothing elsewhere. Addresses are six bytes
/// each, so that `hex(mac)` shows them as they are printed. Nearly every unit has one, or the first is
/// the one on its label: that stands in an index of the table itself; the further ones of the few
/// units that have several stand in a table of their own. One serial has one row; the index does not
/// enforce it, because a bulk load uses it to find the repeated serials that exports are full of, and
/// making it a second time would cost as much as the whole rest. [`problem`] checks.
pub const SCHEMA: &str = "
    CREATE TABLE shipment(
        id INTEGER PRIMARY KEY,
        serial TEXT NOT NULL,
        macs BLOB,
        brand TEXT,
        model TEXT,
        ship_date INTEGER NOT NULL, -- days since 1970-01-01, as all dates here
        order_number TEXT,
        customer TEXT,
        channel TEXT,
        distributor TEXT,
        purchase_date INTEGER,
        warranty_until INTEGER,
        plan_until INTEGER,
        mac BLOB AS (substr(macs, 1, 6)) VIRTUAL
    ) STRICT;
    CREATE INDEX shipment_serial ON shipment(serial);
    CREATE INDEX shipment_mac ON shipment(mac);
    CREATE TABLE shipment_further_mac(mac BLOB NOT NULL, shipment INTEGER NOT NULL, PRIMARY KEY(mac, shipment)) STRICT, WITHOUT ROWID;
    CREATE TABLE shipment_digest(only INTEGER PRIMARY KEY CHECK(only = 1), count INTEGER NOT NULL, sum BLOB NOT NULL) STRICT;
    INSERT INTO shipment_digest VALUES(1, 0, zeroblob(32));
";

/// The two indexes of [`SCHEMA`], for a bulk load, which makes them last.
pub(super) const INDEXES: &str =
    "CREATE INDEX shipment_serial ON shipment(serial); CREATE INDEX shipment_mac ON shipment(mac)";

/// The shipment of a serial in the form of [`crate::domain::text::serial_key`].
pub fn lookup_serial(conn: &Connection, serial: &str) -> Result<Option<Shipment>, StoreError> {
    by_serial(conn, serial, |_, fields| fields.to_shipment())
}

/// The shipments whose unit carries `mac`: none, one, or several when the files say so of different
/// serials. At most 20, in the order of their serials: a screen shows a conflict, not a list.
pub fn lookup_mac(conn: &Connection, mac: Mac) -> Result<Vec<Shipment>, StoreError> {
    let mut found = Vec::new();
    by_mac(conn, &mac_bytes(mac), |_, fields| {
        found.push(fields.to_shipment()?);
        Ok(found.len() < 20)
    })?;
    found.sort_by(|a, b| a.serial.cmp(&b.serial));
    Ok(found)
}

/// What `read` makes of the row of a serial and its id.
pub(super) fn by_serial<T>(
    conn: &Connection,
    serial: &str,
    read: impl FnOnce(i64, Fields) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT * FROM shipment WHERE serial = ?1")?;
    let mut rows = statement.query([serial])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (id, fields) = Fields::from_row(row)?;
    read(id, fields).map(Some)
}

/// Shows `each` the rows that carry an address (six bytes) and their ids, until it answers `false`.
pub(super) fn by_mac(
    conn: &Connection,
    mac: &[u8],
    mut each: impl FnMut(i64, Fields) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    const FIRST: &str = "SELECT * FROM shipment WHERE mac = ?1";
    const FURTHER: &str =
        "SELECT s.* FROM shipment_further_mac f CROSS JOIN shipment s ON s.id = f.shipment WHERE f.mac = ?1";
    for sql in [FIRST, FURTHER] {
        let mut statement = conn.prepare_cached(sql)?;
        let mut rows = statement.query([mac])?;
        while let Some(row) = rows.next()? {
            let (id, fields) = Fields::from_row(row)?;
            if !each(id, fields)? {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Shows `each` every row of `table` in the order of their ids.
pub(super) fn walk<E: From<StoreError>>(
    conn: &Connection,
    table: &str,
    mut each: impl FnMut(i64, Fields) -> Result<(), E>,
) -> Result<(), E> {
    // The name is one of our own, never from outside.
    let mut statement = conn.prepare(&format!("SELECT * FROM {table} ORDER BY id")).map_err(StoreError::from)?;
    let mut rows = statement.query([]).map_err(StoreError::from)?;
    while let Some(row) = rows.next().map_err(StoreError::from)? {
        let (id, fields) = Fields::from_row(row)?;
        each(id, fields)?;
    }
    Ok(())
}

/// The digest as the last import left it.
pub fn digest(conn: &Connection) -> Result<Digest, StoreError> {
    Digest::load(conn)
}

/// The digest of the rows that are there now; reads the whole table.
pub fn digest_recompute(conn: &Connection) -> Result<Digest, StoreError> {
    let (mut digest, mut form) = (Digest::default(), Packer::default());
    walk::<StoreError>(conn, "shipment", |_, fields| {
        form.0.clear();
        fields.pack(&mut form);
        digest.add(&packed::hash(&form.0));
        Ok(())
    })?;
    Ok(digest)
}

/// What the digest cannot see: a serial with several rows, or further addresses listed otherwise than
/// the shipments have them. `None` when all is well. Reads both tables once.
pub fn problem(conn: &Connection) -> Result<Option<String>, StoreError> {
    const REPEATED: &str = "SELECT serial FROM shipment GROUP BY serial HAVING count(*) > 1 LIMIT 1";
    let repeated: Option<String> = conn.query_row(REPEATED, [], |r| r.get(0)).optional()?;
    if let Some(serial) = repeated {
        return Ok(Some(format!("shipment {serial} has more than one row")));
    }
    let pair = |mac: &[u8], id: i64| packed::hash(&[mac, &id.to_be_bytes()].concat());
    let (mut carried, mut listed) = (Digest::default(), Digest::default());
    walk::<StoreError>(conn, "shipment", |id, fields| {
        fields.each_mac().skip(1).for_each(|mac| carried.add(&pair(mac, id)));
        Ok(())
    })?;
    let mut statement = conn.prepare("SELECT mac, shipment FROM shipment_further_mac")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        listed.add(&pair(row.get_ref(0)?.as_blob().unwrap_or_default(), row.get(1)?));
    }
    Ok((listed != carried).then(|| {
        let (listed, carried) = (listed.count, carried.count);
        format!(
            "the table of further MACs ({listed} rows) does not say what the shipments say ({carried} further MACs)"
        )
    }))
}
