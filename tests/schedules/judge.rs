//! What must be so at the end of every schedule: the paper, the table and the journal say the same.

use crate::station::STATION;
use crate::world::{FOREIGN, World};
use backdock::domain::job::{JobId, JobState};
use backdock::store::{self, read, verify};
use std::collections::BTreeMap;

/// Each label's whole pieces of paper: printer, and number there.
pub fn came(world: &World) -> BTreeMap<JobId, Vec<(usize, u64)>> {
    sorted(world).0
}

/// What a label's square code says.
pub fn code_of(reader: &store::Reader, job: JobId) -> Option<String> {
    let zpl = read::zpl(reader, STATION, job).ok()??;
    let (_, rest) = zpl.split_once("^FDQA,")?;
    Some(rest.split_once("^FS")?.0.to_owned())
}

type Pieces = BTreeMap<JobId, Vec<(usize, u64)>>;

/// The paper by label, and what is no label of anybody's.
fn sorted(world: &World) -> (Pieces, Vec<String>) {
    let mut job_of = BTreeMap::new();
    for job in world.jobs().unwrap_or_default() {
        if let Ok(Some(zpl)) = read::zpl(world.reader(), STATION, job.id) {
            job_of.insert(zpl.trim().as_bytes().to_vec(), job.id);
        }
    }
    let (mut came, mut stray) = (BTreeMap::<_, Vec<_>>::new(), Vec::new());
    for (i, engine) in world.engines.iter().enumerate() {
        for label in engine.labels().iter().filter(|l| !l.damaged) {
            let zpl = label.zpl.trim_ascii();
            match job_of.get(zpl) {
                Some(job) => came.entry(*job).or_default().push((i, label.number)),
                None if zpl == FOREIGN.as_bytes() => {}
                None => stray.push(String::from_utf8_lossy(zpl).into_owned()),
            }
        }
    }
    (came, stray)
}

pub fn judge(world: &World) -> Result<(), String> {
    let (came, stray) = sorted(world);
    let mut wrong: Vec<String> =
        stray.into_iter().map(|zpl| format!("a piece of paper is no job's label: {zpl}")).collect();
    let jobs = world.jobs()?;
    let journal = moves(world)?;
    for job in &jobs {
        let pieces = came.get(&job.id).map_or(0, Vec::len);
        let walk = journal.get(&job.id).map(Vec::as_slice).unwrap_or_default();
        // "1 asked, 2 came out": it was in doubt with a count that said so.
        let owned_up = walk.iter().any(|(to, why)| to == "in-doubt" && more_than_asked(why));
        let right = match (job.state, pieces) {
            (JobState::Printed, 1) | (JobState::Failed, 0) => true,
            (JobState::Printed, 2..) => owned_up,
            _ => false,
        };
        if !right {
            wrong.push(format!("label {} is {} and came out {pieces} times", job.id, job.state.word()));
        }
        if walk.iter().any(|(to, why)| to == "in-doubt" && why.is_empty()) {
            wrong.push(format!("label {} was in doubt without a reason", job.id));
        }
    }
    // On each printer they come in the order of the queue.
    for printer in 0..world.engines.len() {
        let mut first: Vec<(u64, JobId)> = came
            .iter()
            .filter_map(|(job, pieces)| Some((pieces.iter().find(|(p, _)| *p == printer)?.1, *job)))
            .collect();
        first.sort_unstable();
        if !first.is_sorted_by_key(|(_, job)| *job) {
            wrong.push(format!("the labels did not come in order: {first:?}"));
        }
    }
    if let Some(daemon) = &world.daemon {
        let view = serde_json::to_value(daemon.core.view(crate::station::time(world.now))).unwrap_or_default();
        let printer = &view["printers"][0];
        if ["waiting", "sent", "in_doubt"].iter().any(|what| printer[what] != 0) {
            wrong.push(format!("the page still shows work: {printer}"));
        }
        if printer["state"] != "ready" {
            wrong.push(format!("all is mended and the page shows {printer}"));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// What journal and tables say of themselves.
pub fn verified(world: &World) -> Result<(), String> {
    let report = verify::verify(world.reader(), |_, _| ()).map_err(|e| e.to_string())?;
    if report.problems.is_empty() { Ok(()) } else { Err(report.problems.join("\n")) }
}

fn more_than_asked(why: &str) -> bool {
    let numbers: Vec<u64> = why.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    matches!(numbers[..], [asked, came, ..] if came > asked)
}

/// Every job's way through the journal: each state it was moved to, and why.
fn moves(world: &World) -> Result<BTreeMap<JobId, Vec<(String, String)>>, String> {
    let mut moves = BTreeMap::<JobId, Vec<_>>::new();
    for event in events(world)? {
        if event["kind"] == "jobs_moved" {
            for job in event["jobs"].as_array().into_iter().flatten() {
                let text = |what: &str| event[what].as_str().unwrap_or_default().to_owned();
                moves.entry(job.as_i64().unwrap_or_default()).or_default().push((text("to"), text("why")));
            }
        }
    }
    Ok(moves)
}

fn events(world: &World) -> Result<Vec<serde_json::Value>, String> {
    let mut events = Vec::new();
    let line = |line: &str| {
        let event: serde_json::Value = serde_json::from_str(line)?;
        events.push(event["event"].clone());
        Ok(())
    };
    verify::export(world.reader(), line).map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
    Ok(events)
}
