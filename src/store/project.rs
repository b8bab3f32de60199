//! The one place where the projected tables change: [`apply`] takes an event and does to the tables
//! what it means. The daemon calls it in the transaction that appends the event; `journal verify`
//! calls it for every event of the journal on an empty database and compares the result.

use super::{StoreError, messages, tags};
use crate::domain::event::Event;
use crate::domain::job::{CARRIER, JobId, JobState};
use crate::domain::rma::{Receipt, Rma};
use crate::domain::unit::Moved;
use rusqlite::{Connection, params};

/// Applies `event`, number `seq` of `station`'s journal.
pub fn apply(conn: &Connection, seq: i64, station: &str, event: &Event) -> Result<(), StoreError> {
    match event {
        Event::Scanned { screen, session, .. } => {
            conn.prepare_cached(
                "INSERT INTO session(station, seq, state, screen) VALUES(?1,?2,?3,?4)
                 ON CONFLICT(station) DO UPDATE SET seq=excluded.seq, state=excluded.state, screen=excluded.screen",
            )?
            .execute(params![station, seq, json(session)?, json(screen)?])?;
        }
        Event::ProgramServed { program, version, text } => {
            conn.prepare_cached("INSERT INTO program(id, version, text) VALUES(?1,?2,?3)")?
                .execute([program, version, text])?;
        }
        Event::RmaIssued { rma } => rma_put(conn, rma)?,
        Event::RmaChanged { new, .. } => {
            conn.prepare_cached("DELETE FROM rma_unit WHERE rma=?1")?.execute([&new.number])?;
            rma_put(conn, new)?;
        }
        Event::RmaMoved { rma, to, .. } => {
            one_row(
                conn.prepare_cached("UPDATE rma SET state=?2 WHERE number=?1")?.execute(params![rma, to.word()])?,
                "RMA",
                rma,
            )?;
        }
        Event::Received { receipt } => received(conn, seq, station, receipt)?,
        Event::Withdrawn { receipt, why } => {
            let n = conn
                .prepare_cached("UPDATE receipt SET withdrawn=?3 WHERE station=?1 AND id=?2 AND withdrawn IS NULL")?
                .execute(params![station, receipt, why])?;
            one_row(n, "receipt", receipt)?;
            conn.prepare_cached(
                "UPDATE rma SET received=received-1 WHERE number=(SELECT rma FROM receipt WHERE station=?1 AND id=?2)",
            )?
            .execute(params![station, receipt])?;
        }
        Event::UnitMoved { moved } => unit_moved(conn, seq, moved)?,
        Event::Posted { line } => {
            conn.prepare_cached(
                "INSERT INTO ledger(rma, unit, kind, rule, cents, currency, party, posted, evidence, by, seq)
                 VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)",
            )?
            .execute(params![
                line.rma,
                line.unit,
                &*line.kind,
                &*line.rule,
                line.amount.cents(),
                &*line.currency,
                line.party.as_str(),
                line.on.to_string(),
                line.evidence,
                line.by,
                seq
            ])?;
        }
        Event::DayPassed { day } => {
            conn.prepare_cached(
                "INSERT INTO calendar(station, day) VALUES(?1,?2) ON CONFLICT(station) DO UPDATE SET day=excluded.day",
            )?
            .execute(params![station, day.to_string()])?;
        }
        Event::JobMade { job, state, expects } => {
            conn.prepare_cached(
                "INSERT INTO job(station, id, printer, label, copy, receipt, rma, serial, state, note, unique_id, odometer, made, moved)
                 VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,'',?10,?11,?12,?12)",
            )?
            .execute(params![
                station,
                job.id,
                job.printer,
                job.label,
                job.copy,
                job.receipt,
                job.rma,
                job.serial,
                state.word(),
                expects.as_ref().map(|e| &e.unique_id),
                expects.as_ref().map(|e| e.odometer as i64),
                seq
            ])?;
            if job.label == CARRIER {
                tags::label_made(conn, station, job.id, &job.fields)?;
            }
        }
        Event::JobsMoved { jobs, from, to, why, expects } => {
            for (n, job) in jobs.iter().enumerate() {
                let expects = expects.as_ref().map(|e| (e.unique_id.as_str(), e.odometer as i64 + n as i64));
                job_moved(conn, seq, station, *job, *from, *to, why, expects)?;
            }
        }
        Event::JobsRerouted { jobs, from, to, why } => {
            for job in jobs {
                let n = conn
                    .prepare_cached(
                        "UPDATE job SET printer=?4, note=?5, moved=?6
                         WHERE station=?1 AND id=?2 AND printer=?3 AND state='queued'",
                    )?
                    .execute(params![station, job, from, to, why, seq])?;
                one_row(n, "waiting job", job)?;
            }
        }
        Event::MessageOwed { message, state } => messages::owed(conn, seq, station, message, *state)?,
        Event::MessageMoved { .. } => messages::moved(conn, seq, station, event)?,
        Event::TagRequested { tag } => tags::requested(conn, seq, station, tag)?,
        Event::TagMoved { moved } => tags::moved(conn, seq, station, moved)?,
        // Only told: they change no table. Shipments are reference data, held by their digest.
        Event::Started { .. }
        | Event::Stopped {}
        | Event::Scanner { .. }
        | Event::Printer { .. }
        | Event::Refused { .. }
        | Event::ShipmentsImported { .. }
        | Event::ShipmentChanged { .. }
        | Event::RawErased { .. } => {}
    }
    Ok(())
}

pub(super) fn json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::Unreadable(e.to_string()))
}

/// An update that changes no row means that journal and tables disagree: better to stop than to go on.
pub(super) fn one_row(changed: usize, what: &str, which: impl std::fmt::Display) -> Result<(), StoreError> {
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::Unreadable(format!("{what} {which} is not there to be changed")))
    }
}

fn rma_put(conn: &Connection, rma: &Rma) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO rma(number, program, version, customer, issued, state, facts, expected, email) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)
         ON CONFLICT(number) DO UPDATE SET program=excluded.program, version=excluded.version, customer=excluded.customer,
            issued=excluded.issued, state=excluded.state, facts=excluded.facts, expected=excluded.expected,
            email=excluded.email",
    )?
    .execute(params![
        rma.number,
        rma.program,
        rma.program_version,
        rma.customer,
        rma.issued.to_string(),
        rma.state.word(),
        json(&rma.facts)?,
        rma.expected.len() as i64,
        rma.email
    ])?;
    let mut unit = conn.prepare_cached("INSERT INTO rma_unit(rma, serial, place) VALUES(?1,?2,?3)")?;
    for (place, serial) in rma.expected.iter().enumerate() {
        unit.execute(params![rma.number, serial, place as i64])?;
    }
    Ok(())
}

fn received(conn: &Connection, seq: i64, station: &str, r: &Receipt) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO receipt(station, id, rma, serial, mac, brand, model, at, word, held, withdrawn, seq)
         VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,NULL,?11)",
    )?
    .execute(params![
        station,
        r.id,
        r.rma,
        r.serial,
        r.mac.map(|m| m.as_u64() as i64),
        r.brand,
        r.model,
        super::append::stamp(&r.at),
        r.word,
        r.held,
        seq
    ])?;
    conn.prepare_cached("UPDATE rma SET received=received+1 WHERE number=?1")?.execute([&r.rma])?;
    Ok(())
}

fn unit_moved(conn: &Connection, seq: i64, moved: &Moved) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO unit(rma, unit, state, since, facts, verdict, seq) VALUES(?1,?2,?3,?4,?5,?6,?7)
         ON CONFLICT(rma, unit) DO UPDATE SET since=CASE WHEN state=excluded.state THEN since ELSE excluded.since END,
            state=excluded.state, facts=excluded.facts, verdict=excluded.verdict, seq=excluded.seq",
    )?
    .execute(params![
        moved.rma,
        moved.unit,
        moved.to.as_str(),
        moved.on.to_string(),
        json(&moved.facts)?,
        json(&moved.verdict)?,
        seq
    ])?;
    if let Some(next) = &moved.successor {
        // A unit may be sent out again after it came back: the newest counts.
        conn.prepare_cached(
            "INSERT INTO successor(serial, rma, unit, shipped, facts) VALUES(?1,?2,?3,?4,?5) ON CONFLICT(serial) DO
             UPDATE SET rma=excluded.rma, unit=excluded.unit, shipped=excluded.shipped, facts=excluded.facts",
        )?
        .execute(params![next.serial, moved.rma, moved.unit, next.shipped.to_string(), json(&next.facts)?])?;
    }
    Ok(())
}

#[allow(clippy::too_many_arguments)] // the fields of one event, in its order
fn job_moved(
    conn: &Connection,
    seq: i64,
    station: &str,
    job: JobId,
    from: JobState,
    to: JobState,
    why: &str,
    expects: Option<(&str, i64)>,
) -> Result<(), StoreError> {
    if !from.may_become(to) {
        return Err(StoreError::Unreadable(format!("job {job} may not go from {} to {}", from.word(), to.word())));
    }
    let n = conn
        .prepare_cached(
            "UPDATE job SET state=?4, note=?5, moved=?6, unique_id=coalesce(?7, unique_id), odometer=coalesce(?8, odometer)
             WHERE station=?1 AND id=?2 AND state=?3",
        )?
        .execute(params![
            station,
            job,
            from.word(),
            to.word(),
            why,
            seq,
            expects.map(|e| e.0),
            expects.map(|e| e.1)
        ])?;
    one_row(n, "job", job)
}
