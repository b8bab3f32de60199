//! The outbox as a table: what its two events do to it, and what is asked of it.
//!
//! The text of a message stands in the event that made it; the table has what a list, the sender's
//! queue and the question "was this cause owed before?" need.

use super::project::{json, one_row};
use super::read::parse;
use super::{Reader, StoreError};
use crate::domain::event::Event;
use crate::domain::message::{Message, MessageId, MessageState, To};
use rusqlite::{Connection, OptionalExtension, params};

/// Writes a new message's row.
pub(super) fn owed(
    conn: &Connection,
    seq: i64,
    station: &str,
    m: &Message,
    state: MessageState,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO message(station, id, cause, rma, unit, program, addressee, about, rule, subject, recipients, state, note,
            attempt, next_try, made, moved)
         VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,'',0,NULL,?13,?13)",
    )?
    .execute(params![
        station,
        m.id,
        m.cause,
        m.rma,
        m.unit,
        m.program,
        m.to.to_string(),
        m.about,
        m.rule,
        m.subject,
        json(&m.recipients)?,
        state.word(),
        seq
    ])?;
    Ok(())
}

/// Moves a message's row along the edge of a [`Event::MessageMoved`].
pub(super) fn moved(conn: &Connection, seq: i64, station: &str, event: &Event) -> Result<(), StoreError> {
    let Event::MessageMoved { id, from, to, why, attempt, next_try, recipients } = event else { return Ok(()) };
    if !from.may_become(*to) {
        return Err(StoreError::Unreadable(format!("message {id} may not go from {} to {}", from.word(), to.word())));
    }
    let recipients = recipients.as_ref().map(json).transpose()?;
    let n = conn
        .prepare_cached(
            "UPDATE message SET state=?4, note=?5, attempt=?6, next_try=?7, recipients=coalesce(?8, recipients), moved=?9
             WHERE station=?1 AND id=?2 AND state=?3",
        )?
        .execute(params![station, id, from.word(), to.word(), why, attempt, next_try, recipients, seq])?;
    one_row(n, "message", id)
}

/// One row of the outbox.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct MessageRow {
    pub id: MessageId,
    pub state: MessageState,
    pub to: To,
    pub about: String,
    pub rule: String,
    pub rma: String,
    pub unit: Option<String>,
    pub program: String,
    pub subject: String,
    pub recipients: Vec<String>,
    /// Why it is in its state: the other side's words, or a person's.
    pub note: String,
    pub attempt: u32,
    pub next_try: Option<String>,
    pub cause: String,
    /// The journal event that made it; its text stands there.
    pub made: i64,
}

const ROW: &str = "SELECT id, state, addressee, about, rule, rma, unit, program, subject, recipients, note, attempt,
    next_try, cause, made FROM message";

fn row(r: &rusqlite::Row) -> rusqlite::Result<MessageRow> {
    let (state, to, recipients): (String, String, String) = (r.get(1)?, r.get(2)?, r.get(9)?);
    Ok(MessageRow {
        id: r.get(0)?,
        // These columns are only written from `word`; anything else was put there by hand and is not trusted.
        state: MessageState::from_word(&state).unwrap_or(MessageState::InDoubt),
        to: To::from_word(&to).unwrap_or(To::Webhook(to)),
        about: r.get(3)?,
        rule: r.get(4)?,
        rma: r.get(5)?,
        unit: r.get(6)?,
        program: r.get(7)?,
        subject: r.get(8)?,
        recipients: serde_json::from_str(&recipients).unwrap_or_default(),
        note: r.get(10)?,
        attempt: r.get(11)?,
        next_try: r.get(12)?,
        cause: r.get(13)?,
        made: r.get(14)?,
    })
}

/// Whether a message of this cause was ever owed.
pub fn was_owed(conn: &Reader, station: &str, cause: &str) -> Result<bool, StoreError> {
    Ok(conn
        .prepare_cached("SELECT 1 FROM message WHERE cause=?1 AND station=?2")?
        .query_row([cause, station], |_| Ok(()))
        .optional()?
        .is_some())
}

/// The highest message number given out so far.
pub fn last_id(conn: &Reader, station: &str) -> Result<MessageId, StoreError> {
    Ok(conn.query_row("SELECT coalesce(max(id), 0) FROM message WHERE station=?1", [station], |r| r.get(0))?)
}

/// Messages of a station that are not final, in order.
pub fn open(conn: &Reader, station: &str) -> Result<Vec<MessageRow>, StoreError> {
    let mut s = conn.prepare(&format!("{ROW} WHERE station=?1 AND state NOT IN ('sent', 'cancelled') ORDER BY id"))?;
    let rows = s.query_map([station], row)?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// All messages of a station, newest first, at most `limit`.
pub fn newest(conn: &Reader, station: &str, limit: u32) -> Result<Vec<MessageRow>, StoreError> {
    let mut s = conn.prepare(&format!("{ROW} WHERE station=?1 ORDER BY id DESC LIMIT ?2"))?;
    let rows = s.query_map(params![station, limit], row)?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// The messages about one RMA, oldest first.
pub fn of_rma(conn: &Reader, station: &str, rma: &str) -> Result<Vec<MessageRow>, StoreError> {
    let mut s = conn.prepare(&format!("{ROW} WHERE station=?1 AND rma=?2 ORDER BY id"))?;
    let rows = s.query_map([station, rma], row)?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// One row.
pub fn one(conn: &Reader, station: &str, id: MessageId) -> Result<Option<MessageRow>, StoreError> {
    let mut s = conn.prepare_cached(&format!("{ROW} WHERE station=?1 AND id=?2"))?;
    Ok(s.query_row(params![station, id], row).optional()?)
}

/// What is to be sent: read back from the event that made the message, with the addresses that hold now.
pub fn message(conn: &Reader, row: &MessageRow) -> Result<Message, StoreError> {
    let payload: Option<String> =
        conn.query_row("SELECT payload FROM journal WHERE seq=?1", [row.made], |r| r.get(0)).optional()?;
    match payload.map(|p| parse::<Event>(&p)).transpose()? {
        Some(Event::MessageOwed { message, .. }) if message.id == row.id => {
            Ok(Message { recipients: row.recipients.clone(), ..message })
        }
        _ => Err(StoreError::Unreadable(format!("the text of message {} is not in the journal", row.id))),
    }
}
