//! The accounting after every accident: the journal, the tables, the paper that came out and the bytes
//! that passed the wire are held against each other.

use super::dock::{Dock, RMA, STATION};
use backdock::domain::event::Event;
use backdock::domain::job::JobState;
use backdock::store::{self, read, verify};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a station owns up to.
#[derive(Debug, Default)]
pub struct Account {
    /// Jobs by state.
    pub jobs: BTreeMap<&'static str, usize>,
    /// Serial numbers received, in order.
    pub received: Vec<String>,
    pub labels: usize,
    /// Everything that is wrong; empty when the account holds.
    pub wrong: Vec<String>,
}

impl Account {
    pub fn count(&self, state: JobState) -> usize {
        self.jobs.get(state.word()).copied().unwrap_or(0)
    }
}

/// `backdock journal verify` says that the journal is whole.
pub fn verified(dock: &Dock) -> Result<(), String> {
    let done = dock.cli(&["journal", "verify"]);
    if done.status.code() == Some(0) { Ok(()) } else { Err(format!("journal verify: {done:?}")) }
}

/// Holds everything against everything. `shown`: units that the screen said were received.
pub fn audit(dock: &Dock, shown: &[String]) -> Account {
    let mut account = Account::default();
    let wrong = &mut account.wrong;
    if let Err(why) = verified(dock) {
        wrong.push(why);
    }
    let reader = store::open_reader(&dock.data).expect("the database opens");
    let jobs = read::jobs(&reader, STATION, u32::MAX).expect("the jobs");

    // Paper: each label is one job's, and no job has two.
    let mut job_of = BTreeMap::new();
    for job in &jobs {
        let zpl = read::job(&reader, STATION, job.id).expect("a job").expect("its label").zpl;
        if let Some(other) = job_of.insert(zpl.trim().to_owned(), job.id) {
            wrong.push(format!("jobs {other} and {} have the same label", job.id));
        }
    }
    let mut paper: BTreeMap<i64, usize> = BTreeMap::new();
    for label in dock.zebra.labels() {
        account.labels += 1;
        let text = String::from_utf8_lossy(&label.zpl).trim().to_owned();
        match job_of.get(&text) {
            Some(job) => *paper.entry(*job).or_default() += 1,
            None => {
                // Its data are enough to know it by.
                let data: Vec<&str> = text.split("^FD").skip(1).filter_map(|field| field.split("^FS").next()).collect();
                wrong.push(format!("label {} belongs to no job: {data:?}", label.number));
            }
        }
    }
    for job in &jobs {
        *account.jobs.entry(job.state.word()).or_default() += 1;
        let came = paper.get(&job.id).copied().unwrap_or(0);
        let right = match job.state {
            JobState::Printed => came == 1,
            JobState::InDoubt => came <= 1,
            JobState::Queued | JobState::Cancelled | JobState::Failed => came == 0,
            JobState::Sending | JobState::Sent => false,
        };
        if !right {
            wrong.push(format!("job {} is {} and came out {came} times", job.id, job.state.word()));
        }
    }
    // The wire: no label passed it twice.
    let mut begun = BTreeSet::new();
    for bytes in dock.wire.labels() {
        let text = String::from_utf8_lossy(&bytes).trim().to_owned();
        if let Some(job) = job_of.get(&text)
            && !begun.insert(*job)
        {
            wrong.push(format!("job {job} was sent twice"));
        }
    }

    // Receipts: every one that was shown stands, none stands twice, each has its label.
    let units = read::units(&reader, RMA, u32::MAX).expect("the units");
    let standing = units.iter().filter(|u| u.state != "awaited").filter_map(|u| u.serial.clone());
    account.received = standing.collect();
    let unique: BTreeSet<&String> = account.received.iter().collect();
    if unique.len() != account.received.len() {
        wrong.push(format!("received twice: {:?}", account.received));
    }
    for serial in shown.iter().filter(|s| !unique.contains(s)) {
        wrong.push(format!("{serial} was shown as received and is not"));
    }
    for serial in &account.received {
        let originals = jobs.iter().filter(|j| j.copy == 1 && j.serial.as_deref() == Some(serial)).count();
        if originals != 1 {
            wrong.push(format!("{serial} was received and has {originals} labels"));
        }
    }
    account
}

/// The journal's events, oldest first, as an auditor reads them.
pub fn events(dock: &Dock) -> Vec<Event> {
    let reader = store::open_reader(&dock.data).expect("the database opens");
    let mut events = Vec::new();
    let exported = verify::export(&reader, |line| {
        let row: Value = serde_json::from_str(line).expect("a line of JSON");
        events.push(serde_json::from_value(row["event"].clone()).expect("an event"));
        Ok(())
    });
    exported.expect("the journal is read").expect("and written");
    events
}
