//! Reading for the work lists and the freight ledger: what happened, and what stands open.

use super::read::{AWAITED, parse};
use super::{StoreError, know, shipments};
use crate::domain::event::Event;
use crate::domain::money::Amount;
use crate::domain::rma::{Receipt, Rma};
use crate::domain::shipment::Shipment;
use crate::domain::unit::Moved;
use chrono::NaiveDate;
use rusqlite::{Connection, OptionalExtension};

/// Every step of every unit, oldest first, with its time.
pub fn each_step(conn: &Connection, mut each: impl FnMut(&str, Moved)) -> Result<(), StoreError> {
    let mut s = conn.prepare("SELECT at, payload FROM journal WHERE kind='unit_moved' ORDER BY seq")?;
    let mut rows = s.query([])?;
    while let Some(r) = rows.next()? {
        let (at, payload): (String, String) = (r.get(0)?, r.get(1)?);
        if let Event::UnitMoved { moved } = parse(&payload)? {
            each(&at, *moved);
        }
    }
    Ok(())
}

/// Every receipt that stands, oldest first.
pub fn each_receipt(conn: &Connection, mut each: impl FnMut(Receipt)) -> Result<(), StoreError> {
    let mut s = conn.prepare(
        "SELECT j.payload FROM receipt r JOIN journal j ON j.seq=r.seq WHERE r.withdrawn IS NULL ORDER BY r.seq",
    )?;
    let mut rows = s.query([])?;
    while let Some(r) = rows.next()? {
        let payload: String = r.get(0)?;
        if let Event::Received { receipt } = parse(&payload)? {
            each(*receipt);
        }
    }
    Ok(())
}

/// What was scanned and what was received since a day, oldest first, with its time.
pub fn each_scan_since(
    conn: &Connection,
    day: NaiveDate,
    mut each: impl FnMut(&str, &Event),
) -> Result<(), StoreError> {
    let mut s = conn.prepare(
        "SELECT at, payload FROM journal WHERE kind IN ('scanned', 'received') AND substr(at, 1, 10) >= ?1 ORDER BY seq",
    )?;
    let mut rows = s.query([day.to_string()])?;
    while let Some(r) = rows.next()? {
        let (at, payload): (String, String) = (r.get(0)?, r.get(1)?);
        each(&at, &parse(&payload)?);
    }
    Ok(())
}

/// Kind, rule and amount of what was posted for a unit.
pub fn posted_for(conn: &Connection, rma: &str, unit: &str) -> Result<Vec<(String, String, Amount)>, StoreError> {
    let mut s = conn.prepare_cached("SELECT kind, rule, cents FROM ledger WHERE rma=?1 AND unit=?2 ORDER BY seq")?;
    let rows = s.query_map([rma, unit], |r| Ok((r.get(0)?, r.get(1)?, Amount::from_cents(r.get(2)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Other open RMAs that announced a serial, newest first.
pub fn announced_on(conn: &Connection, serial: &str, not: &str) -> Result<Vec<String>, StoreError> {
    let mut s = conn.prepare_cached(
        "SELECT u.rma FROM rma_unit u JOIN rma ON rma.number=u.rma
         WHERE u.serial=?1 AND u.rma<>?2 AND rma.state='open' ORDER BY rma.issued DESC LIMIT 5",
    )?;
    Ok(s.query_map([serial, not], |r| r.get(0))?.collect::<Result<_, _>>()?)
}

/// An open RMA of which something is still to come.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub rma: Rma,
    /// Serials still to come, without those that were given up; none where none were announced.
    pub missing: Vec<String>,
    /// How many of the announced ones came.
    pub came: usize,
    pub last_came: Option<NaiveDate>,
}

/// Every open RMA that still waits for units of its list, or that has no list and nothing came.
pub fn waiting(conn: &Connection) -> Result<Vec<Waiting>, StoreError> {
    let mut s = conn.prepare(
        "SELECT number, expected FROM rma WHERE state='open' AND (expected > 0 OR received = 0) ORDER BY issued, number",
    )?;
    let open: Vec<(String, i64)> = s.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?.collect::<Result<_, _>>()?;
    let mut awaited = conn.prepare(AWAITED)?;
    let mut given_up =
        conn.prepare("SELECT EXISTS(SELECT 1 FROM unit WHERE rma=?1 AND unit=?2 AND state='cancelled')")?;
    let mut last = conn.prepare("SELECT max(at) FROM receipt WHERE rma=?1 AND withdrawn IS NULL")?;
    let mut found = Vec::new();
    for (number, expected) in open {
        let all: Vec<String> = awaited.query_map([&number], |r| r.get(0))?.collect::<Result<_, _>>()?;
        let came = (expected as usize).saturating_sub(all.len());
        let mut missing = Vec::new();
        for serial in all {
            if !given_up.query_row([&number, &serial], |r| r.get::<_, bool>(0))? {
                missing.push(serial);
            }
        }
        if expected > 0 && missing.is_empty() {
            continue;
        }
        let last_came: Option<String> = last.query_row([&number], |r| r.get(0))?;
        let last_came = last_came.and_then(|at| at.get(..10)?.parse().ok());
        if let Some(rma) = know::rma(conn, &number)? {
            found.push(Waiting { rma, missing, came, last_came });
        }
    }
    Ok(found)
}

/// The shipment of a serial, and the earlier units of its line as facts.
pub fn line_of(conn: &Connection, serial: &str) -> Result<(Option<Shipment>, Option<serde_json::Value>), StoreError> {
    let ship = shipments::lookup_serial(conn, serial)?;
    let facts: Option<String> = conn
        .prepare_cached("SELECT facts FROM successor WHERE serial=?1")?
        .query_row([serial], |r| r.get(0))
        .optional()?;
    let facts: Option<serde_json::Map<String, serde_json::Value>> = facts.map(|f| parse(&f)).transpose()?;
    Ok((ship, facts.and_then(|mut f| f.remove("lineage"))))
}
