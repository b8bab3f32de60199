//! One event into the journal: number it, chain it, keep its raw bytes beside it, change the tables.

use super::{Link, StoreError, project};
use crate::domain::event::Event;
use chrono::{DateTime, FixedOffset, SecondsFormat};
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

/// Who, when and from where; the part of a journal row that is not the event.
#[derive(Clone, Debug, Default)]
pub struct Head {
    pub at: DateTime<FixedOffset>,
    pub badge: Option<String>,
    pub scanner: Option<String>,
    /// The scan's bytes. Their hash goes into the chain, they themselves into a side table.
    pub raw: Option<Vec<u8>>,
}

/// The time as the journal writes it: RFC 3339 with milliseconds and the station's offset.
pub(super) fn stamp(at: &DateTime<FixedOffset>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, false)
}

/// The hash of a row: SHA-256 over the hash before it and every column, each preceded by its length,
/// so that no two different rows hash the same bytes.
pub(super) struct Row<'a> {
    pub seq: i64,
    pub at: &'a str,
    pub station: &'a str,
    pub badge: Option<&'a str>,
    pub scanner: Option<&'a str>,
    pub raw: Option<&'a [u8]>,
    pub kind: &'a str,
    pub payload: &'a str,
}

impl Row<'_> {
    pub(super) fn hash(&self, before: &[u8; 32]) -> [u8; 32] {
        let mut h = Sha256::new();
        h.update(before);
        h.update(self.seq.to_be_bytes());
        let mut field = |value: Option<&[u8]>| match value {
            Some(bytes) => {
                h.update([1]);
                h.update((bytes.len() as u64).to_be_bytes());
                h.update(bytes);
            }
            None => h.update([0]),
        };
        field(Some(self.at.as_bytes()));
        field(Some(self.station.as_bytes()));
        field(self.badge.map(str::as_bytes));
        field(self.scanner.map(str::as_bytes));
        field(self.raw);
        field(Some(self.kind.as_bytes()));
        field(Some(self.payload.as_bytes()));
        h.finalize().into()
    }
}

pub(super) fn append(
    conn: &Connection,
    station: &str,
    last: Link,
    head: &Head,
    event: &Event,
) -> Result<Link, StoreError> {
    let payload = serde_json::to_string(event)
        .map_err(|e| StoreError::Unreadable(format!("an event could not be written: {e}")))?;
    let at = stamp(&head.at);
    let raw: Option<[u8; 32]> = head.raw.as_deref().map(|bytes| Sha256::digest(bytes).into());
    let row = Row {
        seq: last.seq + 1,
        at: &at,
        station,
        badge: head.badge.as_deref(),
        scanner: head.scanner.as_deref(),
        raw: raw.as_ref().map(|h| h.as_slice()),
        kind: event.kind(),
        payload: &payload,
    };
    let hash = row.hash(&last.hash);
    conn.prepare_cached("INSERT INTO journal(seq, at, station, badge, scanner, raw, kind, payload, hash) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)")?
        .execute(params![row.seq, row.at, row.station, row.badge, row.scanner, row.raw, row.kind, row.payload, hash.as_slice()])?;
    if let Some(bytes) = &head.raw {
        conn.prepare_cached("INSERT INTO raw_scan(seq, taken, bytes) VALUES(?1,?2,?3)")?.execute(params![
            row.seq,
            head.at.timestamp_millis(),
            bytes
        ])?;
    }
    project::apply(conn, row.seq, station, event)?;
    Ok(Link { seq: row.seq, hash })
}
