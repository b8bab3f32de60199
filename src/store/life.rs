//! Units on their way through the house, their successors, the money: reading what the journal adds up to.
//!
//! A unit that was only received has no row of its own: it is read from its receipt, so that a scan writes
//! no row more than it must.

use super::read::parse;
use super::{StoreError, know};
use crate::domain::event::Event;
use crate::domain::money::Amount;
use crate::domain::rma::Receipt;
use crate::domain::unit::{LedgerLine, Moved, UnitState};
use crate::domain::verdict::{Party, Verdict};
use chrono::NaiveDate;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, Value};

/// A unit as the tables have it.
#[derive(Clone, Debug)]
pub struct UnitRow {
    pub rma: String,
    pub unit: String,
    pub state: UnitState,
    /// The day it came into this state.
    pub since: NaiveDate,
    pub facts: Map<String, Value>,
    pub verdict: Verdict,
    /// The event that put it there.
    pub seq: i64,
}

fn odd(what: &str, which: &str) -> StoreError {
    StoreError::Unreadable(format!("{which} has an odd {what}"))
}

fn day(text: &str, which: &str) -> Result<NaiveDate, StoreError> {
    text.get(..10).and_then(|d| d.parse().ok()).ok_or_else(|| odd("date", which))
}

type Known = (NaiveDate, Map<String, Value>);
type Columns = (String, String, String, String, String, String, i64);

fn columns(r: &rusqlite::Row) -> rusqlite::Result<Columns> {
    Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?, r.get(6)?))
}

fn row((rma, unit, state, since, facts, verdict, seq): Columns) -> Result<UnitRow, StoreError> {
    let state = UnitState::find(&state).ok_or_else(|| odd("state", &unit))?;
    Ok(UnitRow { since: day(&since, &unit)?, facts: parse(&facts)?, verdict: parse(&verdict)?, rma, unit, state, seq })
}

/// A receipt as the unit it made.
pub fn of_receipt(seq: i64, receipt: Receipt) -> UnitRow {
    let unit = receipt.serial.clone().or(receipt.mac.map(|m| m.to_string())).unwrap_or_default();
    UnitRow {
        rma: receipt.rma,
        unit,
        state: if receipt.held { UnitState::Held } else { UnitState::Received },
        since: receipt.at.date_naive(),
        facts: receipt.facts,
        verdict: receipt.verdict,
        seq,
    }
}

const UNIT: &str = "SELECT rma, unit, state, since, facts, verdict, seq FROM unit";

/// One unit of an RMA: by its own row, else by its receipt. `None`: announced at most.
pub fn unit(conn: &Connection, rma: &str, name: &str) -> Result<Option<UnitRow>, StoreError> {
    let own =
        conn.prepare_cached(&format!("{UNIT} WHERE rma=?1 AND unit=?2"))?.query_row([rma, name], columns).optional()?;
    match own {
        Some(columns) => row(columns).map(Some),
        None => received(conn, rma, name),
    }
}

fn received(conn: &Connection, rma: &str, name: &str) -> Result<Option<UnitRow>, StoreError> {
    let mac = crate::domain::mac::Mac::parse(name).map(|m| m.as_u64() as i64);
    let found: Option<(i64, String)> = conn
        .prepare_cached(
            "SELECT r.seq, j.payload FROM receipt r JOIN journal j ON j.seq=r.seq
             WHERE r.rma=?1 AND r.withdrawn IS NULL AND (r.serial=?2 OR (r.serial IS NULL AND r.mac=?3))
             ORDER BY r.seq DESC LIMIT 1",
        )?
        .query_row(params![rma, name, mac], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    let Some((seq, payload)) = found else { return Ok(None) };
    match parse(&payload)? {
        Event::Received { receipt } => Ok(Some(of_receipt(seq, *receipt))),
        other => Err(StoreError::Unreadable(format!("a receipt points at a {} event", other.kind()))),
    }
}

/// Units that are not at their end, as RMA and name: those that something was done with, then those that
/// only came.
pub fn open_units(conn: &Connection) -> Result<Vec<(String, String)>, StoreError> {
    let mut s = conn.prepare(
        "SELECT rma, unit FROM unit WHERE state NOT IN ('closed', 'returned', 'cancelled')
         UNION ALL
         SELECT r.rma, coalesce(r.serial, printf('%012X', r.mac)) FROM receipt r JOIN rma a ON a.number=r.rma
         WHERE r.withdrawn IS NULL AND a.state IN ('open', 'expired') AND NOT EXISTS
            (SELECT 1 FROM unit u WHERE u.rma=r.rma AND u.unit=coalesce(r.serial, printf('%012X', r.mac)))",
    )?;
    let rows = s.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// A unit of an RMA that something was done with and that is not at its end, with its state.
///
/// Units that only came do not keep an RMA open: companies that do no more here than receive close it then.
pub fn open_of(conn: &Connection, rma: &str) -> Result<Option<(String, String)>, StoreError> {
    Ok(conn
        .prepare_cached(
            "SELECT unit, state FROM unit WHERE rma=?1 AND state NOT IN ('closed', 'returned', 'cancelled') LIMIT 1",
        )?
        .query_row([rma], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?)
}

/// Every unit of one RMA that has come, or that something was done with.
pub fn units_of(conn: &Connection, rma: &str) -> Result<Vec<UnitRow>, StoreError> {
    let mut s = conn.prepare_cached(&format!("{UNIT} WHERE rma=?1 ORDER BY unit"))?;
    let mut found: Vec<UnitRow> = s.query_map([rma], columns)?.map(|c| row(c?)).collect::<Result<_, StoreError>>()?;
    let mut s = conn.prepare_cached(
        "SELECT r.seq, j.payload FROM receipt r JOIN journal j ON j.seq=r.seq
         WHERE r.rma=?1 AND r.withdrawn IS NULL AND NOT EXISTS (SELECT 1 FROM unit u WHERE u.rma=r.rma AND u.unit=coalesce(r.serial, printf('%012X', r.mac)))
         ORDER BY r.seq",
    )?;
    let mut rows = s.query([rma])?;
    while let Some(r) = rows.next()? {
        let payload: String = r.get(1)?;
        if let Event::Received { receipt } = parse(&payload)? {
            found.push(of_receipt(r.get(0)?, *receipt));
        }
    }
    Ok(found)
}

/// Every step that was made with a unit after its receipt, oldest first.
pub fn steps_of(conn: &Connection, rma: &str, unit: &str) -> Result<Vec<Moved>, StoreError> {
    let mut found = Vec::new();
    each_move(conn, |_, moved| {
        if moved.rma == rma && moved.unit == unit {
            found.push(moved);
        }
    })?;
    Ok(found)
}

/// Every step of every unit, oldest first, with its number in the journal.
pub fn each_move(conn: &Connection, mut each: impl FnMut(i64, Moved)) -> Result<(), StoreError> {
    let mut s = conn.prepare("SELECT seq, payload FROM journal WHERE kind='unit_moved' ORDER BY seq")?;
    let mut rows = s.query([])?;
    while let Some(r) = rows.next()? {
        let payload: String = r.get(1)?;
        if let Event::UnitMoved { moved } = parse(&payload)? {
            each(r.get(0)?, *moved);
        }
    }
    Ok(())
}

/// The RMA and the name of the unit of a receipt, withdrawn or not.
pub fn receipt_unit(conn: &Connection, station: &str, receipt: i64) -> Result<Option<(String, String)>, StoreError> {
    Ok(conn
        .prepare_cached("SELECT rma, coalesce(serial, printf('%012X', mac)) FROM receipt WHERE station=?1 AND id=?2")?
        .query_row(params![station, receipt], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?)
}

/// Whether money of that kind and rule was posted for a unit.
pub fn is_posted(conn: &Connection, rma: &str, unit: &str, kind: &str, rule: &str) -> Result<bool, StoreError> {
    Ok(conn
        .prepare_cached("SELECT EXISTS(SELECT 1 FROM ledger WHERE rma=?1 AND unit=?2 AND kind=?3 AND rule=?4)")?
        .query_row([rma, unit, kind, rule], |r| r.get(0))?)
}

/// A line of the ledger as it is listed.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Line {
    pub rma: String,
    pub unit: String,
    pub kind: String,
    pub amount: Amount,
    pub currency: String,
    pub party: String,
    pub rule: String,
    pub on: String,
    pub evidence: String,
    pub by: String,
}

/// The whole ledger, oldest first.
pub fn ledger(conn: &Connection) -> Result<Vec<Line>, StoreError> {
    lines(conn, "", [])
}

fn lines(conn: &Connection, which: &str, values: impl rusqlite::Params) -> Result<Vec<Line>, StoreError> {
    let mut s = conn.prepare_cached(&format!(
        "SELECT rma, unit, kind, cents, currency, party, rule, posted, evidence, by FROM ledger {which} ORDER BY seq"
    ))?;
    let rows = s.query_map(values, |r| {
        Ok(Line {
            rma: r.get(0)?,
            unit: r.get(1)?,
            kind: r.get(2)?,
            amount: Amount::from_cents(r.get(3)?),
            currency: r.get(4)?,
            party: r.get(5)?,
            rule: r.get(6)?,
            on: r.get(7)?,
            evidence: r.get(8)?,
            by: r.get(9)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What was posted for one unit, oldest first.
pub fn ledger_of(conn: &Connection, rma: &str, unit: &str) -> Result<Vec<LedgerLine>, StoreError> {
    let typed = lines(conn, "WHERE rma=?1 AND unit=?2", [rma, unit])?.into_iter().map(|line| {
        let party = Party::find(&line.party).ok_or_else(|| format!("{:?} is no party", line.party))?;
        let on = line.on.parse().map_err(|_| format!("{:?} is no date", line.on))?;
        let (kind, currency, rule) = (line.kind.into(), line.currency.into(), line.rule.into());
        let (rma, unit, evidence, by) = (line.rma, line.unit, line.evidence, line.by);
        Ok(LedgerLine { rma, unit, kind, amount: line.amount, currency, party, rule, on, evidence, by })
    });
    typed.collect::<Result<_, String>>().map_err(StoreError::Unreadable)
}

/// The last day for which every open case was looked at.
pub fn last_day(conn: &Connection, station: &str) -> Result<Option<NaiveDate>, StoreError> {
    let text: Option<String> =
        conn.query_row("SELECT day FROM calendar WHERE station=?1", [station], |r| r.get(0)).optional()?;
    text.map(|t| day(&t, "the calendar")).transpose()
}

/// What is known of a unit that took another one's place, and the day it left us.
pub fn successor(conn: &Connection, serial: &str) -> Result<Option<Known>, StoreError> {
    let found: Option<(String, String)> = conn
        .prepare_cached("SELECT shipped, facts FROM successor WHERE serial=?1")?
        .query_row([serial], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    found.map(|(shipped, facts)| Ok((day(&shipped, serial)?, parse(&facts)?))).transpose()
}

/// Open RMAs of which nothing has come: number, program and its version, issue date.
pub fn silent_rmas(conn: &Connection) -> Result<Vec<crate::domain::rma::Rma>, StoreError> {
    let mut s = conn.prepare("SELECT number FROM rma WHERE state='open' AND received=0")?;
    let numbers: Vec<String> = s.query_map([], |r| r.get(0))?.collect::<Result<_, _>>()?;
    let rmas = numbers.iter().map(|n| know::rma(conn, n));
    rmas.filter_map(Result::transpose).collect()
}
