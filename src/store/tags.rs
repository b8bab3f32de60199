//! Call tags as tables: what their two events do to them, and what is asked of them.
//!
//! What was ordered stands in the event that made a tag; the table has how it stands, and the numbers by
//! which a scan at the dock finds it.

use super::StoreError;
use super::project::{json, one_row};
use super::read::parse;
use crate::domain::event::Event;
use crate::domain::tag::{Tag, TagId, TagMoved, TagNow, TagState, TagStep};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, Value};

/// Writes a new tag's row.
pub(super) fn requested(conn: &Connection, seq: i64, station: &str, tag: &Tag) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO tag(station, id, rma, state, since, attempts, reply, made, moved) VALUES(?1,?2,?3,?4,?5,0,'{}',?6,?6)",
    )?
    .execute(params![station, tag.id, tag.rma, TagState::Requested.as_str(), tag.requested.to_string(), seq])?;
    Ok(())
}

/// Moves a tag's row along the edge of its event.
pub(super) fn moved(conn: &Connection, seq: i64, station: &str, moved: &TagMoved) -> Result<(), StoreError> {
    let reply: Option<String> = conn
        .prepare_cached("SELECT reply FROM tag WHERE station=?1 AND id=?2")?
        .query_row(params![station, moved.id], |r| r.get(0))
        .optional()?;
    let mut reply: Map<String, Value> = reply.as_deref().map_or(Ok(Map::new()), parse)?;
    reply.extend(moved.said.clone());
    let n = conn
        .prepare_cached(
            "UPDATE tag SET state=?4, since=max(since, ?5), attempts=attempts+?6, reply=?7, moved=?8
             WHERE station=?1 AND id=?2 AND state=?3",
        )?
        .execute(params![
            station,
            moved.id,
            moved.from.as_str(),
            moved.to.as_str(),
            moved.on.to_string(),
            i64::from(moved.step == TagStep::Attempt),
            json(&reply)?,
            seq
        ])?;
    one_row(n, "tag", moved.id)?;
    let mut number = conn.prepare_cached("INSERT OR IGNORE INTO tag_number(number, station, tag) VALUES(?1,?2,?3)")?;
    for key in &moved.numbers {
        number.execute(params![key, station, moved.id])?;
    }
    Ok(())
}

/// What is carried under a job of a carrier's label.
pub(super) fn label_made(conn: &Connection, station: &str, job: i64, fields: &Value) -> Result<(), StoreError> {
    if let Some(sha256) = fields.get("sha256").and_then(Value::as_str) {
        conn.prepare_cached("INSERT OR IGNORE INTO carrier_label(sha256, station, job) VALUES(?1,?2,?3)")?
            .execute(params![sha256, station, job])?;
    }
    Ok(())
}

/// The job that printed this very file, if one did.
pub fn job_of_label(conn: &Connection, sha256: &str) -> Result<Option<i64>, StoreError> {
    let mut s = conn.prepare_cached("SELECT job FROM carrier_label WHERE sha256=?1")?;
    Ok(s.query_row([sha256], |r| r.get(0)).optional()?)
}

/// The highest number given out at a station; 0 before the first.
pub fn last(conn: &Connection, station: &str) -> Result<TagId, StoreError> {
    Ok(conn.query_row("SELECT coalesce(max(id), 0) FROM tag WHERE station=?1", [station], |r| r.get(0))?)
}

const ROW: &str = "SELECT t.station, t.id, t.state, t.since, t.attempts, t.reply, j.payload
    FROM tag t JOIN journal j ON j.seq = t.made";

type Row = (String, TagId, String, String, u32, String, String);

fn columns(r: &rusqlite::Row) -> rusqlite::Result<Row> {
    Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?, r.get(6)?))
}

fn now(conn: &Connection, row: Row) -> Result<TagNow, StoreError> {
    let (station, id, state, since, attempts, reply, payload) = row;
    let odd = |what: &str| StoreError::Unreadable(format!("tag {id} has an odd {what}"));
    let Event::TagRequested { tag } = parse(&payload)? else { return Err(odd("beginning")) };
    let mut s = conn.prepare_cached("SELECT number FROM tag_number WHERE station=?1 AND tag=?2 ORDER BY number")?;
    let numbers = s.query_map(params![station, id], |r| r.get(0))?.collect::<Result<_, _>>()?;
    Ok(TagNow {
        tag: *tag,
        state: TagState::find(&state).ok_or_else(|| odd("state"))?,
        since: since.parse().map_err(|_| odd("date"))?,
        attempts,
        numbers,
        reply: parse(&reply)?,
    })
}

fn all(conn: &Connection, which: &str, values: impl rusqlite::Params) -> Result<Vec<TagNow>, StoreError> {
    let mut s = conn.prepare_cached(&format!("{ROW} {which}"))?;
    let rows: Vec<Row> = s.query_map(values, columns)?.collect::<Result<_, _>>()?;
    rows.into_iter().map(|row| now(conn, row)).collect()
}

/// One tag.
pub fn tag(conn: &Connection, station: &str, id: TagId) -> Result<Option<TagNow>, StoreError> {
    Ok(all(conn, "WHERE t.station=?1 AND t.id=?2", params![station, id])?.pop())
}

/// All tags, oldest first.
pub fn tags(conn: &Connection) -> Result<Vec<TagNow>, StoreError> {
    all(conn, "ORDER BY t.made", [])
}

/// The tags of an RMA, oldest first.
pub fn of_rma(conn: &Connection, rma: &str) -> Result<Vec<TagNow>, StoreError> {
    all(conn, "WHERE t.rma=?1 ORDER BY t.made", [rma])
}

/// The newest tag whose package has this number.
pub fn by_number(conn: &Connection, number: &str) -> Result<Option<TagNow>, StoreError> {
    let which = "WHERE (t.station, t.id) IN (SELECT station, tag FROM tag_number WHERE number=?1) ORDER BY t.made";
    Ok(all(conn, which, [number])?.pop())
}
