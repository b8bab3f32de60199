//! Requests that make a paper, or say what became of one.

use super::{CarrierLabel, Response, TagWanted, Wanted, head};
use crate::domain::event::Event;
use crate::domain::job::{JobId, JobState};
use crate::station::core::{Core, Made};
use crate::store::{Head, StoreError, read};
use chrono::{DateTime, FixedOffset};
use serde_json::{Value, json};

pub(super) fn settle(
    core: &mut Core,
    job: JobId,
    came_out: bool,
    by: &str,
    now: DateTime<FixedOffset>,
) -> Result<Response, StoreError> {
    let Some(row) = read::job_row_of(&core.store.conn, &core.config.station.id, job)? else {
        return Ok(Response::refused(format!("there is no job {job}; `backdock jobs` lists them")));
    };
    if row.state != JobState::InDoubt {
        return Ok(Response::refused(format!("job {job} is {}, not in doubt", row.state.word())));
    }
    let to = if came_out { JobState::Printed } else { JobState::Failed };
    let why = format!("{by} looked: {}", if came_out { "it came out" } else { "it is not there" });
    core.store.append(&head(now), &Event::JobsMoved { jobs: vec![job], from: row.state, to, why, expects: None })?;
    core.doubt_settled(&row.printer);
    Ok(Response::done(format!("job {job} is {}", to.word()), json!({"job": job, "state": to.word()})))
}

pub(super) fn reprint(
    core: &mut Core,
    unit: Option<&str>,
    job: Option<JobId>,
    by: &str,
    why: &str,
    now: DateTime<FixedOffset>,
) -> Result<Response, StoreError> {
    use crate::rma::Knowledge;
    let id = match (unit, job) {
        (_, Some(job)) => job,
        (None, None) => return Ok(Response::refused("name the unit or the job")),
        (Some(unit), None) => {
            let key = crate::domain::text::serial_key(unit);
            let mac = crate::domain::mac::Mac::parse(unit);
            let past = core.store.last_receipt(key.as_deref(), mac).map_err(|e| StoreError::Unreadable(e.0))?;
            let Some(past) = past else {
                return Ok(Response::refused(format!(
                    "{unit:?} was not received here; `backdock lookup {unit}` shows what is known of it"
                )));
            };
            let jobs = read::jobs_of_receipt(&core.store.conn, &core.config.station.id, past.id)?;
            match jobs.iter().find(|job| job.label == "unit") {
                Some(newest) => newest.id,
                None => return Ok(Response::refused(format!("{unit} has no label to copy"))),
            }
        }
    };
    made(core, |core| core.copy_of(id, by, why, now), by, now)
}

pub(super) fn print(core: &mut Core, wanted: &Wanted, now: DateTime<FixedOffset>) -> Result<Response, StoreError> {
    made(core, |core| core.print(wanted, now), &wanted.by, now)
}

pub(super) fn tag(core: &mut Core, wanted: &TagWanted, now: DateTime<FixedOffset>) -> Result<Response, StoreError> {
    Ok(match core.tag_request(wanted, now)? {
        Err(why) => Response::refused(why),
        Ok(ordered) => {
            let numbers: Vec<String> = ordered.tags.iter().map(|now| now.tag.id.to_string()).collect();
            tracing::info!(rma = wanted.rma, tags = numbers.join(","), kind = %wanted.kind, by = wanted.by, "call tag");
            let s = if numbers.len() == 1 { "" } else { "s" };
            let mut text = format!("tag{s} {} of RMA {}: {}", numbers.join(", "), wanted.rma, wanted.kind.title());
            ordered.told.iter().for_each(|told| text.push_str(&format!("\n{told}")));
            paper_lines(&mut text, &ordered.papers);
            let data = json!({"tags": ordered.tags, "notes": ordered.told, "papers": ordered.papers});
            Response::done(text, data)
        }
    })
}

/// A carrier's label: one that was printed before is named by its job.
pub(super) fn carrier(
    core: &mut Core,
    wanted: &CarrierLabel,
    now: DateTime<FixedOffset>,
) -> Result<Response, StoreError> {
    if let Some(job) = core.printed_before(wanted)? {
        let text = format!(
            "this very label is job {job} already; for another print: backdock reprint --job {job} --by WHO --why WHY"
        );
        return Ok(Response { ok: false, text, data: json!({"job": job}) });
    }
    made(core, |core| core.carrier_label(wanted), &wanted.by, now)
}

/// What became of papers, a line each.
pub(super) fn paper_lines(text: &mut String, papers: &[Value]) {
    for paper in papers {
        let name = paper["label"].as_str().unwrap_or_default();
        text.push_str(&match paper["why"].as_str() {
            Some(why) => format!("\npaper {name} was not made: {why}"),
            None => format!("\npaper {name}: job {} on {}", paper["job"], paper["printer"].as_str().unwrap_or("?")),
        });
    }
}

/// Queues a job that was made, and tells of it.
fn made(
    core: &mut Core,
    make: impl FnOnce(&mut Core) -> Result<Result<Made, String>, StoreError>,
    by: &str,
    now: DateTime<FixedOffset>,
) -> Result<Response, StoreError> {
    if by.trim().is_empty() {
        return Ok(Response::refused("every paper has the name of who wants it: say --by WHO"));
    }
    let Made { job, note, .. } = match make(core)? {
        Ok(made) => made,
        Err(why) => return Ok(Response::refused(why)),
    };
    let about = [job.rma.as_deref(), job.serial.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let copy = if job.copy > 1 { format!("copy {} of ", job.copy) } else { String::new() };
    let mut text = format!("{copy}{} {about}: job {} on {}", job.label, job.id, job.printer);
    note.iter().for_each(|note| text.push_str(&format!("\n{note}")));
    let data = json!({"job": job.id, "label": job.label, "copy": job.copy, "printer": job.printer, "note": note});
    tracing::info!(job = job.id, label = job.label, copy = job.copy, by, "a paper was asked for");
    // Who wanted it stands in the journal beside the job.
    core.make(job, &Head { badge: Some(by.to_owned()), ..head(now) })
        .map_err(|e| StoreError::Unreadable(e.to_string()))?;
    Ok(Response::done(text, data))
}
