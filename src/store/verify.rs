//! `journal verify` and `journal export`: the auditor's two questions. Is the journal whole and
//! unaltered? And are the tables what it adds up to?

use super::append::Row;
use super::read::{meta, parse};
use super::{Link, StoreError, hex, project, schema, shipments};
use crate::domain::event::Event;
use rusqlite::Connection;
use sha2::{Digest, Sha256};

/// What was checked, and everything that is wrong (empty = all is well).
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Report {
    pub events: i64,
    /// The hash of the last event: note it elsewhere, and nobody can rewrite the journal unseen.
    pub head: String,
    /// Raw scans that are still kept, each equal to the hash in the journal.
    pub raw_scans: i64,
    pub shipments: i64,
    pub problems: Vec<String>,
}

const COLUMNS: &str = "SELECT seq, at, station, badge, scanner, raw, kind, payload, hash FROM journal ORDER BY seq";
/// A damaged journal can be wrong in every row; a person needs the first few.
const PROBLEMS_SHOWN: usize = 20;

/// Walks the journal: chain, raw scans, and a replay into an empty database that must give the same
/// tables; then holds the shipment table against its digest. `progress(done, of)` is called as it goes.
pub fn verify(conn: &Connection, mut progress: impl FnMut(i64, i64)) -> Result<Report, StoreError> {
    // One read transaction: the daemon may go on writing meanwhile.
    conn.execute_batch("BEGIN")?;
    let report = walk(conn, &mut progress);
    let _ = conn.execute_batch("COMMIT");
    report
}

fn walk(conn: &Connection, progress: &mut impl FnMut(i64, i64)) -> Result<Report, StoreError> {
    let mut report = Report::default();
    let damage: String = conn.query_row("PRAGMA integrity_check(1)", [], |r| r.get(0))?;
    if damage != "ok" {
        report.problems.push(format!("the database file is damaged: {damage}"));
        return Ok(report);
    }
    let replay = Connection::open_in_memory()?;
    replay.set_prepared_statement_cache_capacity(64);
    for tables in [schema::PROJECTED, schema::LIFE, schema::MESSAGES, schema::TAGS] {
        replay.execute_batch(tables)?;
    }
    replay.execute_batch("BEGIN")?;
    let station = meta(conn, "station")?.unwrap_or_default();
    let total: i64 = conn.query_row("SELECT count(*) FROM journal", [], |r| r.get(0))?;
    let mut last = Link::GENESIS;
    let mut last_digest = None;
    let mut replays = true;
    let mut raw_of = conn.prepare("SELECT bytes FROM raw_scan WHERE seq=?1")?;
    let mut s = conn.prepare(COLUMNS)?;
    let mut rows = s.query([])?;
    while let Some(r) = rows.next()? {
        if report.problems.len() >= PROBLEMS_SHOWN {
            report.problems.push("... and perhaps more; the first problem is the one to look at".into());
            break;
        }
        let seq: i64 = r.get(0)?;
        let at: String = r.get(1)?;
        let from: String = r.get(2)?;
        let (badge, scanner): (Option<String>, Option<String>) = (r.get(3)?, r.get(4)?);
        let raw: Option<Vec<u8>> = r.get(5)?;
        let (kind, payload): (String, String) = (r.get(6)?, r.get(7)?);
        let hash: Vec<u8> = r.get(8)?;
        report.events += 1;
        if report.events % 1000 == 0 {
            progress(report.events, total);
        }
        if seq != last.seq + 1 {
            report.problems.push(format!("event {} is missing: after {} comes {seq}", last.seq + 1, last.seq));
        }
        let row = Row {
            seq,
            at: &at,
            station: &from,
            badge: badge.as_deref(),
            scanner: scanner.as_deref(),
            raw: raw.as_deref(),
            kind: &kind,
            payload: &payload,
        };
        let should = row.hash(&last.hash);
        if hash != should {
            report.problems.push(format!(
                "event {seq} ({kind}, {at}): its hash does not fit; it or the event before it was altered"
            ));
        }
        last = Link { seq, hash: hash.try_into().unwrap_or(should) };
        if from != station {
            report.problems.push(format!("event {seq} is station {from:?}'s, this database is {station:?}'s"));
        }
        if let Some(hash) = &raw {
            let kept: Option<Vec<u8>> = rusqlite::OptionalExtension::optional(raw_of.query_row([seq], |r| r.get(0)))?;
            if let Some(bytes) = kept {
                report.raw_scans += 1;
                if Sha256::digest(&bytes).as_slice() != hash.as_slice() {
                    report
                        .problems
                        .push(format!("event {seq}: the raw scan kept for it is not the one that was scanned"));
                }
            }
        }
        let event: Event = match parse(&payload) {
            Ok(event) => event,
            Err(e) => {
                report.problems.push(format!("event {seq} ({kind}) cannot be read: {e}"));
                replays = false;
                continue;
            }
        };
        if event.kind() != kind {
            report.problems.push(format!("event {seq} says {kind:?} outside and {:?} inside", event.kind()));
        }
        if let Event::ShipmentsImported { digest, .. } = &event {
            last_digest = Some(digest.clone());
        }
        if replays && let Err(e) = project::apply(&replay, seq, &from, &event) {
            report.problems.push(format!("event {seq} ({kind}) cannot be replayed: {e}"));
            replays = false;
        }
    }
    progress(report.events, total);
    report.head = hex(&last.hash);
    if replays {
        compare(conn, &replay, &mut report)?;
    }
    let orphans: i64 = conn.query_row(
        "SELECT count(*) FROM raw_scan WHERE seq NOT IN (SELECT seq FROM journal WHERE raw IS NOT NULL)",
        [],
        |r| r.get(0),
    )?;
    if orphans > 0 {
        report.problems.push(format!("{orphans} raw scans belong to no event"));
    }
    let (kept, found) = (shipments::digest(conn)?, shipments::digest_recompute(conn)?);
    report.shipments = found.count as i64;
    if kept != found {
        report.problems.push(format!("the shipment table was altered: its digest is {found}, written down was {kept}"));
    }
    if let Some(problem) = shipments::problem(conn)? {
        report.problems.push(format!("the shipment table contradicts itself: {problem}"));
    }
    let journalled = last_digest.unwrap_or_else(|| shipments::Digest::default().to_string());
    if journalled != kept.to_string() {
        report.problems.push(format!(
            "the shipment table is not what the journal's last import left: {kept} instead of {journalled}"
        ));
    }
    Ok(report)
}

/// Compares every projected table, row by row, in primary-key order.
fn compare(real: &Connection, replayed: &Connection, report: &mut Report) -> Result<(), StoreError> {
    let tables: Vec<String> = {
        let mut s = replayed.prepare("SELECT name FROM sqlite_schema WHERE type='table' ORDER BY name")?;
        s.query_map([], |r| r.get(0))?.collect::<Result<_, _>>()?
    };
    for table in tables {
        // Names come from our own schema, not from outside.
        let key = if matches!(table.as_str(), "receipt" | "job") { "station, id" } else { "1, 2" };
        let sql = format!("SELECT * FROM {table} ORDER BY {key}");
        let (mut a, mut b) = (real.prepare(&sql)?, replayed.prepare(&sql)?);
        let (columns, mut line) = (a.column_count(), 0);
        let (mut a, mut b) = (a.query([])?, b.query([])?);
        loop {
            line += 1;
            let (x, y) = (values(a.next()?, columns)?, values(b.next()?, columns)?);
            if x != y {
                let side = |v: &Option<Vec<rusqlite::types::Value>>| {
                    v.as_ref().map_or("nothing".to_owned(), |v| format!("{v:?}"))
                };
                report.problems.push(format!(
                    "table {table}, row {line}: the table has {}, the journal gives {}",
                    shorten(side(&x)),
                    shorten(side(&y))
                ));
                break;
            }
            if x.is_none() {
                break;
            }
        }
    }
    Ok(())
}

fn values(row: Option<&rusqlite::Row>, columns: usize) -> Result<Option<Vec<rusqlite::types::Value>>, StoreError> {
    row.map(|r| (0..columns).map(|i| Ok(r.get(i)?)).collect()).transpose()
}

fn shorten(mut text: String) -> String {
    if text.len() > 300 {
        let end = (0..=300).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        text.truncate(end);
        text.push_str(" ...");
    }
    text
}

/// Writes the journal as JSON lines, one event each, oldest first. Raw scans are given by hash only.
pub fn export(
    conn: &Connection,
    mut write: impl FnMut(&str) -> std::io::Result<()>,
) -> Result<Result<i64, std::io::Error>, StoreError> {
    let mut s = conn.prepare(COLUMNS)?;
    let mut rows = s.query([])?;
    let mut n = 0;
    while let Some(r) = rows.next()? {
        let payload: String = r.get(7)?;
        let event: serde_json::Value = parse(&payload)?;
        let line = serde_json::json!({
            "seq": r.get::<_, i64>(0)?,
            "at": r.get::<_, String>(1)?,
            "station": r.get::<_, String>(2)?,
            "badge": r.get::<_, Option<String>>(3)?,
            "scanner": r.get::<_, Option<String>>(4)?,
            "raw_sha256": r.get::<_, Option<Vec<u8>>>(5)?.map(|h| hex(&h)),
            "event": event,
            "hash": hex(&r.get::<_, Vec<u8>>(8)?),
        });
        if let Err(e) = write(&line.to_string()) {
            return Ok(Err(e));
        }
        n += 1;
    }
    Ok(Ok(n))
}
