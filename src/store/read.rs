//! Reading the tables: for the command line, the page and the start of the daemon.

use super::{Link, StoreError};
use crate::domain::event::Event;
use crate::domain::job::{Expectation, Job, JobId, JobState};
use crate::domain::mac::Mac;
use crate::domain::screen::Screen;
use crate::domain::session::Session;
use chrono::{DateTime, FixedOffset};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, Value};

/// A value of the `meta` table.
pub fn meta(conn: &Connection, key: &str) -> Result<Option<String>, StoreError> {
    Ok(conn.query_row("SELECT value FROM meta WHERE key=?1", [key], |r| r.get(0)).optional()?)
}

/// The end of the journal.
pub fn head(conn: &Connection) -> Result<Link, StoreError> {
    let row = conn
        .query_row("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1", [], |r| {
            Ok((r.get::<_, i64>(0)?, r.get::<_, Vec<u8>>(1)?))
        })
        .optional()?;
    match row {
        None => Ok(Link::GENESIS),
        Some((seq, hash)) => {
            let hash = hash
                .try_into()
                .map_err(|_| StoreError::Unreadable(format!("journal row {seq} has no SHA-256 hash")))?;
            Ok(Link { seq, hash })
        }
    }
}

/// What the dock was in the middle of, and what the screen showed; with the number of that event.
pub fn session(conn: &Connection, station: &str) -> Result<Option<(i64, Session, Screen)>, StoreError> {
    let row = conn
        .query_row("SELECT seq, state, screen FROM session WHERE station=?1", [station], |r| {
            Ok((r.get::<_, i64>(0)?, r.get::<_, String>(1)?, r.get::<_, String>(2)?))
        })
        .optional()?;
    row.map(|(seq, state, screen)| Ok((seq, parse(&state)?, parse(&screen)?))).transpose()
}

pub(super) fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::Unreadable(e.to_string()))
}

/// The highest receipt and job numbers given out so far.
pub fn last_ids(conn: &Connection, station: &str) -> Result<(i64, JobId), StoreError> {
    let receipt =
        conn.query_row("SELECT coalesce(max(id), 0) FROM receipt WHERE station=?1", [station], |r| r.get(0))?;
    let job = conn.query_row("SELECT coalesce(max(id), 0) FROM job WHERE station=?1", [station], |r| r.get(0))?;
    Ok((receipt, job))
}

/// The time of the journal's last row, as written.
pub fn last_time(conn: &Connection) -> Result<Option<String>, StoreError> {
    Ok(conn.query_row("SELECT at FROM journal ORDER BY seq DESC LIMIT 1", [], |r| r.get(0)).optional()?)
}

/// One row of the job table.
#[derive(Clone, Debug, serde::Serialize)]
pub struct JobRow {
    pub id: JobId,
    pub printer: String,
    pub label: String,
    pub copy: u32,
    pub receipt: Option<i64>,
    pub rma: Option<String>,
    pub serial: Option<String>,
    pub state: JobState,
    pub note: String,
    #[serde(skip)]
    pub expects: Option<Expectation>,
    /// The journal event that made it; its label stands there.
    pub made: i64,
}

const JOB: &str =
    "SELECT id, printer, label, copy, receipt, rma, serial, state, note, unique_id, odometer, made FROM job";

fn job_row(r: &rusqlite::Row) -> rusqlite::Result<JobRow> {
    let state: String = r.get(7)?;
    let (unique_id, odometer): (Option<String>, Option<i64>) = (r.get(9)?, r.get(10)?);
    Ok(JobRow {
        id: r.get(0)?,
        printer: r.get(1)?,
        label: r.get(2)?,
        copy: r.get(3)?,
        receipt: r.get(4)?,
        rma: r.get(5)?,
        serial: r.get(6)?,
        // The column is only written from `word`; anything else was put there by hand and is not trusted.
        state: JobState::from_word(&state).unwrap_or(JobState::InDoubt),
        note: r.get(8)?,
        expects: unique_id.zip(odometer).map(|(unique_id, n)| Expectation { unique_id, odometer: n.max(0) as u64 }),
        made: r.get(11)?,
    })
}

/// Jobs of a station that are not final, in order.
pub fn open_jobs(conn: &Connection, station: &str) -> Result<Vec<JobRow>, StoreError> {
    let mut s = conn.prepare(&format!(
        "{JOB} WHERE station=?1 AND state IN ('queued', 'sending', 'sent', 'in-doubt') ORDER BY id"
    ))?;
    let rows = s.query_map([station], job_row)?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// All jobs of a station, newest first, at most `limit`.
pub fn jobs(conn: &Connection, station: &str, limit: u32) -> Result<Vec<JobRow>, StoreError> {
    let mut s = conn.prepare(&format!("{JOB} WHERE station=?1 ORDER BY id DESC LIMIT ?2"))?;
    let rows = s.query_map(params![station, limit], job_row)?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// One job.
pub fn job_row_of(conn: &Connection, station: &str, id: JobId) -> Result<Option<JobRow>, StoreError> {
    let mut s = conn.prepare_cached(&format!("{JOB} WHERE station=?1 AND id=?2"))?;
    Ok(s.query_row(params![station, id], job_row).optional()?)
}

/// The newest jobs of one receipt first.
pub fn jobs_of_receipt(conn: &Connection, station: &str, receipt: i64) -> Result<Vec<JobRow>, StoreError> {
    let mut s = conn.prepare_cached(&format!("{JOB} WHERE station=?1 AND receipt=?2 ORDER BY id DESC"))?;
    let rows = s.query_map(params![station, receipt], job_row)?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// The highest copy number of a paper for the same unit and receipt.
pub fn last_copy(conn: &Connection, station: &str, job: &Job) -> Result<u32, StoreError> {
    let mut s = conn.prepare_cached(
        "SELECT coalesce(max(copy), 1) FROM job
         WHERE station=?1 AND label=?2 AND rma IS ?3 AND serial IS ?4 AND receipt IS ?5",
    )?;
    Ok(s.query_row(params![station, job.label, job.rma, job.serial, job.receipt], |r| r.get(0))?)
}

/// The event that made a job, as the journal has it.
fn made(conn: &Connection, station: &str, id: JobId) -> Result<Option<String>, StoreError> {
    Ok(conn
        .prepare_cached(
            "SELECT j.payload FROM job JOIN journal j ON j.seq = job.made WHERE job.station=?1 AND job.id=?2",
        )?
        .query_row(params![station, id], |r| r.get(0))
        .optional()?)
}

/// The bytes of a job's label. As [`job`], without reading what else stands there: a long queue is
/// printed at the pace of this.
pub fn zpl(conn: &Connection, station: &str, id: JobId) -> Result<Option<String>, StoreError> {
    #[derive(serde::Deserialize)]
    struct Made {
        job: Zpl,
    }
    #[derive(serde::Deserialize)]
    struct Zpl {
        zpl: String,
    }
    let payload = made(conn, station, id)?;
    Ok(payload.map(|p| parse::<Made>(&p)).transpose()?.map(|made| made.job.zpl))
}

/// What is to be printed: read back from the event that made the job.
pub fn job(conn: &Connection, station: &str, id: JobId) -> Result<Option<Job>, StoreError> {
    match made(conn, station, id)?.map(|p| parse::<Event>(&p)).transpose()? {
        Some(Event::JobMade { job, .. }) => Ok(Some(job)),
        Some(other) => Err(StoreError::Unreadable(format!("job {id} points at a {} event", other.kind()))),
        None => Ok(None),
    }
}

/// Counts since a moment (RFC 3339 as the journal writes it): scans, receipts, held receipts, labels made.
pub fn counts_since(conn: &Connection, station: &str, at: &str) -> Result<[i64; 4], StoreError> {
    let day = at.get(..10).unwrap_or(at);
    // The journal grows in time order, so the first row of the day is found by halving: a station of ten
    // years must start as fast as a new one.
    let (mut before, mut after): (i64, i64) = (0, head(conn)?.seq + 1);
    let mut row = conn.prepare_cached("SELECT substr(at, 1, 10) FROM journal WHERE seq=?1")?;
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        let date: String = row.query_row([middle], |r| r.get(0))?;
        if date.as_str() < day { before = middle } else { after = middle }
    }
    let first = before;
    let scans =
        conn.query_row("SELECT count(*) FROM journal WHERE seq>?1 AND kind='scanned'", [first], |r| r.get(0))?;
    // Receipts and jobs are numbered in the order of the journal: walk back until yesterday begins.
    let (mut receipts, mut held, mut labels) = (0, 0, 0);
    let mut s = conn.prepare("SELECT seq, held, withdrawn IS NULL FROM receipt WHERE station=?1 ORDER BY id DESC")?;
    let mut rows = s.query([station])?;
    while let Some(r) = rows.next()?.filter(|r| r.get::<_, i64>(0).is_ok_and(|seq| seq > first)) {
        let stands: bool = r.get(2)?;
        receipts += i64::from(stands);
        held += i64::from(stands && r.get(1)?);
    }
    let mut s = conn.prepare("SELECT made FROM job WHERE station=?1 ORDER BY id DESC")?;
    let mut rows = s.query([station])?;
    while rows.next()?.is_some_and(|r| r.get::<_, i64>(0).is_ok_and(|made| made > first)) {
        labels += 1;
    }
    Ok([scans, receipts, held, labels])
}

/// A line of `backdock rma list`.
#[derive(Clone, Debug, serde::Serialize)]
pub struct RmaLine {
    pub number: String,
    pub program: String,
    pub state: String,
    pub issued: String,
    pub customer: Option<String>,
    pub expected: i64,
    pub received: i64,
}

/// All RMAs, newest issue date first.
pub fn rmas(conn: &Connection) -> Result<Vec<RmaLine>, StoreError> {
    let mut s = conn.prepare(
        "SELECT number, program, state, issued, customer, expected, received FROM rma ORDER BY issued DESC, number",
    )?;
    let rows = s
        .query_map([], |r| {
            Ok(RmaLine {
                number: r.get(0)?,
                program: r.get(1)?,
                state: r.get(2)?,
                issued: r.get(3)?,
                customer: r.get(4)?,
                expected: r.get(5)?,
                received: r.get(6)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(rows)
}

/// The highest RMA number that begins with `stem` (letters and digits).
pub fn last_rma_with(conn: &Connection, stem: &str) -> Result<Option<String>, StoreError> {
    Ok(conn.query_row(
        "SELECT max(number) FROM rma WHERE number >= ?1 AND number < ?1 || '~' AND length(number) = 11",
        [stem],
        |r| r.get(0),
    )?)
}

/// A unit of an RMA, announced or received or both.
#[derive(Clone, Debug, serde::Serialize)]
pub struct UnitLine {
    pub serial: Option<String>,
    pub mac: Option<String>,
    pub brand: Option<String>,
    pub model: Option<String>,
    /// `awaited`, `received` or `held`.
    pub state: &'static str,
    pub verdict: Option<String>,
    pub received_at: Option<String>,
}

/// The units of an RMA: received ones in order of arrival, then awaited ones; at most `limit`.
pub fn units(conn: &Connection, rma: &str, limit: u32) -> Result<Vec<UnitLine>, StoreError> {
    let limit = limit as usize;
    // Cut off here and not by LIMIT: a statement whose limit is a parameter is compiled anew at every call.
    let mut s = conn.prepare_cached(
        "SELECT serial, mac, brand, model, held, word, at FROM receipt WHERE rma=?1 AND withdrawn IS NULL ORDER BY seq DESC",
    )?;
    let mut lines: Vec<UnitLine> = s
        .query_map([rma], |r| {
            let mac: Option<i64> = r.get(1)?;
            Ok(UnitLine {
                serial: r.get(0)?,
                mac: mac.map(|m| format!("{m:012X}")),
                brand: r.get(2)?,
                model: r.get(3)?,
                state: if r.get(4)? { "held" } else { "received" },
                verdict: r.get(5)?,
                received_at: r.get(6)?,
            })
        })?
        .take(limit)
        .collect::<Result<_, _>>()?;
    lines.reverse();
    if lines.len() == limit {
        return Ok(lines);
    }
    let mut s = conn.prepare_cached(AWAITED)?;
    let awaited = s.query_map([rma], |r| r.get::<_, String>(0))?.take(limit - lines.len());
    for serial in awaited {
        lines.push(UnitLine {
            serial: Some(serial?),
            mac: None,
            brand: None,
            model: None,
            state: "awaited",
            verdict: None,
            received_at: None,
        });
    }
    Ok(lines)
}

/// Units of an RMA that have not arrived, in the order of its list.
pub(super) const AWAITED: &str = "SELECT serial FROM rma_unit u WHERE rma=?1 AND NOT EXISTS
    (SELECT 1 FROM receipt r WHERE r.serial=u.serial AND r.rma=u.rma AND r.withdrawn IS NULL) ORDER BY place";

/// A receipt as `backdock lookup` shows it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ReceiptLine {
    pub id: i64,
    pub rma: String,
    pub serial: Option<String>,
    pub mac: Option<String>,
    pub at: String,
    pub word: String,
    pub withdrawn: Option<String>,
}

/// The receipts of a unit under any of these serials or this MAC, oldest first.
pub fn receipts_of(conn: &Connection, serials: &[&str], mac: Option<Mac>) -> Result<Vec<ReceiptLine>, StoreError> {
    let mut found: Vec<ReceiptLine> = Vec::new();
    let line = |r: &rusqlite::Row| {
        let mac: Option<i64> = r.get(3)?;
        Ok(ReceiptLine {
            id: r.get(0)?,
            rma: r.get(1)?,
            serial: r.get(2)?,
            mac: mac.map(|m| format!("{m:012X}")),
            at: r.get(4)?,
            word: r.get(5)?,
            withdrawn: r.get(6)?,
        })
    };
    const SELECT: &str = "SELECT id, rma, serial, mac, at, word, withdrawn FROM receipt";
    let mut s = conn.prepare(&format!("{SELECT} WHERE serial=?1"))?;
    for serial in serials {
        found.extend(s.query_map([serial], line)?.collect::<Result<Vec<_>, _>>()?);
    }
    if let Some(mac) = mac {
        let mut s = conn.prepare(&format!("{SELECT} WHERE mac=?1"))?;
        found.extend(s.query_map([mac.as_u64() as i64], line)?.collect::<Result<Vec<_>, _>>()?);
    }
    found.sort_by_key(|r| r.id);
    found.dedup_by_key(|r| r.id);
    Ok(found)
}

/// Time, scanner and raw bytes of an event.
pub type ShownAt = (String, Option<String>, Option<Vec<u8>>);

/// What the screen showed at an event: its time, its scanner, and the raw scan where it is still kept.
pub fn shown_at(conn: &Connection, seq: i64) -> Result<Option<ShownAt>, StoreError> {
    Ok(conn
        .query_row(
            "SELECT j.at, j.scanner, r.bytes FROM journal j LEFT JOIN raw_scan r ON r.seq=j.seq WHERE j.seq=?1",
            [seq],
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)),
        )
        .optional()?)
}

/// Everything that ever happened at a station, in two numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Payloads scanned and frames refused.
    pub scans: i64,
    /// Receipts that stand.
    pub receipts: i64,
}

/// Counts over the whole journal.
pub fn totals(conn: &Connection, station: &str) -> Result<Totals, StoreError> {
    let n = |sql: &str| conn.query_row(sql, [station], |r| r.get::<_, i64>(0));
    Ok(Totals {
        scans: n("SELECT count(*) FROM journal WHERE station=?1 AND kind IN ('scanned', 'refused')")?,
        receipts: n("SELECT count(*) FROM receipt WHERE station=?1 AND withdrawn IS NULL")?,
    })
}

/// How often each word was given to a unit that was received and stands.
pub fn words(conn: &Connection, station: &str) -> Result<Vec<(String, i64)>, StoreError> {
    let mut s = conn.prepare(
        "SELECT word, count(*) FROM receipt WHERE station=?1 AND withdrawn IS NULL GROUP BY word ORDER BY word",
    )?;
    let rows = s.query_map([station], |r| Ok((r.get(0)?, r.get(1)?)))?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// Every version of every program that was served here: id, version, text.
pub fn programs(conn: &Connection) -> Result<Vec<(String, String, String)>, StoreError> {
    let mut s = conn.prepare("SELECT id, version, text FROM program ORDER BY id, version")?;
    let rows = s.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// A receipt as a dry run needs it: what was known of the unit. What was said of it is passed over.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Recorded {
    pub rma: String,
    pub serial: Option<String>,
    pub at: DateTime<FixedOffset>,
    pub facts: Map<String, Value>,
}

/// Reads the journal's text of a receipt.
pub fn recorded(payload: &str) -> Result<Recorded, StoreError> {
    #[derive(serde::Deserialize)]
    struct Received {
        receipt: Recorded,
    }
    Ok(parse::<Received>(payload)?.receipt)
}

/// Calls `each` with every receipt of a program since a day (`YYYY-MM-DD`), oldest first.
pub fn receipts_since(
    conn: &Connection,
    program: &str,
    day: &str,
    mut each: impl FnMut(Recorded),
) -> Result<(), StoreError> {
    let mut s = conn.prepare(
        "SELECT j.payload FROM receipt r JOIN journal j ON j.seq=r.seq JOIN rma ON rma.number=r.rma
         WHERE rma.program=?1 AND r.withdrawn IS NULL AND substr(r.at, 1, 10) >= ?2 ORDER BY r.seq",
    )?;
    let mut rows = s.query([program, day])?;
    while let Some(r) = rows.next()? {
        let payload: String = r.get(0)?;
        each(recorded(&payload)?);
    }
    Ok(())
}
