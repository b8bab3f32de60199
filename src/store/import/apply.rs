//! Rows of a file -> changed rows of the table, a slice at a time.
//!
//! The running daemon imports between scans, so a slice must be short; how many rows that is, only the
//! disk knows, and [`Pace`] learns it. Promised: what a slice does to a row does not depend on where
//! slices begin and end, and is the same as what a bulk load does.

use std::time::Duration;

use rusqlite::{Connection, Statement, ToSql};

use super::read::Reason;
use super::rows::Row;
use crate::domain::shipment::Shipment;
use crate::store::StoreError;
use crate::store::shipments::packed::{Fields, RowHash, mac_bytes, mac_from};
use crate::store::shipments::{Digest, by_serial};

/// What became of the rows of a file, or of a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    pub inserted: u64,
    pub updated: u64,
    /// Equal to the row that was there, or to an earlier line of the same file.
    pub unchanged: u64,
    pub rejected: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.rejected += other.rejected;
    }
}

/// Which rows of the table this file has spoken of: one bit per row id, 1.25 MB for ten million.
#[derive(Default)]
pub(super) struct Seen(Vec<u64>);

impl Seen {
    /// Every id up to `last`.
    pub(super) fn up_to(last: i64) -> Seen {
        Seen(vec![u64::MAX; place(last).0 + 1])
    }

    fn has(&self, id: i64) -> bool {
        let (word, bit) = place(id);
        self.0.get(word).is_some_and(|w| w & bit != 0)
    }

    fn add(&mut self, id: i64) {
        let (word, bit) = place(id);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= bit;
    }
}

fn place(id: i64) -> (usize, u64) {
    // Ids are positive: SQLite numbers from 1, a bulk load with line numbers.
    let id = id.max(0) as usize;
    (id / 64, 1 << (id % 64))
}

/// What one row did to the table.
pub(super) enum Outcome {
    Inserted,
    /// What was there before.
    Updated(Box<Shipment>),
    Unchanged,
    Rejected(Reason),
}

/// The row that was there under the serial.
enum Before {
    Same,
    Other { shipment: Box<Shipment>, hash: RowHash },
}

/// Brings one row into the table, its addresses and `digest`. `seen` tells this file's rows from older ones.
pub(super) fn apply(conn: &Connection, row: &Row, seen: &mut Seen, digest: &mut Digest) -> Result<Outcome, StoreError> {
    let new = &row.fields;
    let before = by_serial(conn, new.serial, |id, old| {
        if old == *new {
            return Ok((id, Before::Same));
        }
        Ok((id, Before::Other { shipment: Box::new(old.to_shipment()?), hash: old.hash() }))
    })?;
    if let Some((id, before)) = &before
        && seen.has(*id)
    {
        return Ok(match before {
            Before::Same => Outcome::Unchanged,
            Before::Other { .. } => Outcome::Rejected(Reason::SerialAgain { serial: new.serial.to_owned() }),
        });
    }
    for mac in new.each_mac() {
        if let Some(serial) = taken(conn, mac, seen)? {
            let mac = mac_from(mac).map_or_else(String::new, |m| m.to_string());
            return Ok(Outcome::Rejected(Reason::MacAgain { mac, serial }));
        }
    }
    Ok(match before {
        Some((id, Before::Same)) => {
            seen.add(id);
            Outcome::Unchanged
        }
        Some((id, Before::Other { shipment, hash })) => {
            seen.add(id);
            remove_further_macs(conn, id, shipment.macs.iter().skip(1).map(|m| mac_bytes(*m)))?;
            put(&mut *conn.prepare_cached(UPDATE)?, Some(id), new)?;
            add_further_macs(conn, id, new)?;
            digest.remove(&hash);
            digest.add(&row.hash);
            Outcome::Updated(shipment)
        }
        None => {
            put(&mut *conn.prepare_cached(INSERT)?, None, new)?;
            let id = conn.last_insert_rowid();
            seen.add(id);
            add_further_macs(conn, id, new)?;
            digest.add(&row.hash);
            Outcome::Inserted
        }
    })
}

/// The serial to which this file gave the address before.
fn taken(conn: &Connection, mac: &[u8], seen: &Seen) -> Result<Option<String>, StoreError> {
    const HOLDERS: &str = "SELECT id FROM shipment WHERE mac = ?1
        UNION ALL SELECT shipment FROM shipment_further_mac WHERE mac = ?1";
    let mut statement = conn.prepare_cached(HOLDERS)?;
    let mut holders = statement.query([mac])?;
    while let Some(holder) = holders.next()? {
        let id = holder.get(0)?;
        if seen.has(id) {
            let serial = "SELECT serial FROM shipment WHERE id = ?1";
            return Ok(Some(conn.prepare_cached(serial)?.query_row([id], |r| r.get(0))?));
        }
    }
    Ok(None)
}

/// The parameters of [`put`].
pub(super) const INSERT: &str =
    "INSERT INTO shipment(id, serial, macs, brand, model, ship_date, order_number, customer, channel,
    distributor, purchase_date, warranty_until, plan_until) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)";
const UPDATE: &str =
    "UPDATE shipment SET serial=?2, macs=?3, brand=?4, model=?5, ship_date=?6, order_number=?7, customer=?8,
    channel=?9, distributor=?10, purchase_date=?11, warranty_until=?12, plan_until=?13 WHERE id=?1";

/// Runs [`INSERT`] or [`UPDATE`] for one row; without an `id`, SQLite gives it the next one.
pub(super) fn put(statement: &mut Statement, id: Option<i64>, f: &Fields) -> Result<(), StoreError> {
    statement.execute((
        id,
        f.serial,
        f.macs,
        f.brand,
        f.model,
        f.ship_date,
        f.order,
        f.customer,
        f.channel,
        f.distributor,
        f.purchase_date,
        f.warranty_until,
        f.plan_until,
    ))?;
    Ok(())
}

/// Lists the second and later addresses of a row.
pub(super) fn add_further_macs(conn: &Connection, id: i64, f: &Fields) -> Result<(), StoreError> {
    for mac in f.each_mac().skip(1) {
        conn.prepare_cached("INSERT INTO shipment_further_mac(mac, shipment) VALUES(?1, ?2)")?.execute((mac, id))?;
    }
    Ok(())
}

/// Takes them out again.
pub(super) fn remove_further_macs(
    conn: &Connection,
    id: i64,
    further: impl Iterator<Item = impl ToSql>,
) -> Result<(), StoreError> {
    for mac in further {
        conn.prepare_cached("DELETE FROM shipment_further_mac WHERE mac = ?1 AND shipment = ?2")?.execute((mac, id))?;
    }
    Ok(())
}

/// How many rows a slice may have so that a scan never waits long for it.
#[derive(Debug)]
pub(super) struct Pace {
    pub(super) rows: usize,
}

impl Pace {
    /// A slice, commit included, aims at less than half of the 20 ms that a scan may have to wait.
    const AIM: Duration = Duration::from_millis(8);
    /// Fewer rows do not make a commit faster; more could not be stopped in time.
    const ROWS: std::ops::RangeInclusive<usize> = 16..=4_096;

    pub(super) fn new() -> Pace {
        Pace { rows: 64 }
    }

    /// Learns from a slice that took `took`: slower at once, faster by at most half.
    pub(super) fn took(&mut self, rows: usize, took: Duration) {
        // A short slice says nothing of a full one's time unless it was slow.
        if rows < self.rows && took <= Pace::AIM {
            return;
        }
        let fit = rows as f64 * Pace::AIM.as_secs_f64() / took.as_secs_f64().max(1e-6);
        let next = (fit as usize).min(self.rows + self.rows / 2);
        self.rows = next.clamp(*Pace::ROWS.start(), *Pace::ROWS.end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_follows_the_disk() {
        let mut pace = Pace::new();
        let settle = |pace: &mut Pace, row: Duration, commit: Duration| {
            for _ in 0..30 {
                pace.took(pace.rows, commit + row * pace.rows as u32);
            }
            commit + row * pace.rows as u32
        };
        let [us, ms] = [Duration::from_micros, Duration::from_millis];
        for (row, commit) in [(us(7), us(300)), (us(60), ms(2)), (us(1), us(100)), (us(100), ms(4))] {
            let took = settle(&mut pace, row, commit);
            assert!(took < ms(12), "{row:?} a row, {commit:?} a commit: {took:?}");
        }
        settle(&mut pace, us(10), ms(40));
        assert_eq!(pace.rows, 16, "a disk slower than a slice may be gets the smallest ones");
        pace.took(16, Duration::ZERO);
        assert_eq!(pace.rows, 24, "and is tried again carefully");
        pace.took(3, us(1));
        assert_eq!(pace.rows, 24, "the short slice at the end says nothing");
    }

    #[test]
    fn seen_is_one_bit_per_row() {
        let mut seen = Seen::default();
        for id in [1, 63, 64, 5_000_000] {
            assert!(!seen.has(id));
            seen.add(id);
            assert!(seen.has(id) && !seen.has(id + 1));
        }
        assert!(seen.0.len() * 8 < 700_000);
        let all = Seen::up_to(100);
        assert!(all.has(1) && all.has(100) && !all.has(10_000));
    }
}
