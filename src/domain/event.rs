//! Everything that can happen, as the journal keeps it. Each event carries all that the tables need,
//! so that replaying the journal gives the tables; none says anything that is only true on this
//! machine, so that it means the same when it is read elsewhere.

use super::job::{Expectation, Job, JobId, JobState};
use super::message::{Message, MessageId, MessageState};
use super::presence::Presence;
use super::rma::{Receipt, Rma, RmaState};
use super::screen::Screen;
use super::session::Session;
use super::shipment::Shipment;
use super::tag::{Tag, TagMoved};
use super::unit::{LedgerLine, Moved};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// One happening. The serde tag is the journal's `kind` column.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// The daemon took the station. `clock` says whether the kernel's clock was synchronised.
    Started { version: String, clock: String },
    /// The daemon left in order.
    Stopped {},
    /// A scanner appeared, was lost, or may not be opened.
    Scanner { scanner: String, presence: Presence, reason: String },
    /// A printer changed its state or its faults.
    Printer { printer: String, state: String, faults: Vec<String>, reason: String },
    /// A payload was scanned: what it was taken for, what the screen said, and what the dock is in
    /// the middle of now. The payload itself stands only in the side table of raw scans, which can
    /// be erased (a carrier label holds a person's address); `value` is there for what has a name.
    Scanned { identity: String, value: Option<String>, screen: Screen, session: Session },
    /// Bytes that are not a scan: too long, cut off, empty.
    Refused { length: u64, screen: Screen },
    /// A version of a program is served here for the first time. RMAs keep the version they were issued
    /// under (D-27, D-28), so its whole text is kept.
    ProgramServed { program: String, version: String, text: String },
    /// An RMA came to be, here or in the system that issued it.
    RmaIssued { rma: Rma },
    /// An RMA from elsewhere was announced again with other content.
    RmaChanged { old: Rma, new: Rma },
    /// An RMA ended.
    RmaMoved { rma: String, to: RmaState, why: String },
    /// A unit was received.
    Received { receipt: Box<Receipt> },
    /// A receipt was taken back, right after it was made.
    Withdrawn { receipt: i64, why: String },
    /// A step was made with a unit after its receipt, or before it.
    UnitMoved { moved: Box<Moved> },
    /// Money became owed, or is given back.
    Posted { line: LedgerLine },
    /// Every open case was looked at for this day of the dock's calendar: what fell due on it is done.
    DayPassed { day: NaiveDate },
    /// A label is owed. `expects` is there when the job is made in state `sending`.
    JobMade { job: Job, state: JobState, expects: Option<Expectation> },
    /// Jobs walked one edge together. `expects` is the first one's; each further label is one more.
    JobsMoved { jobs: Vec<JobId>, from: JobState, to: JobState, why: String, expects: Option<Expectation> },
    /// Waiting jobs, not one byte of which had left the station, go to another printer.
    JobsRerouted { jobs: Vec<JobId>, from: String, to: String, why: String },
    /// A message is owed, or would be if somebody said where it goes.
    MessageOwed { message: Message, state: MessageState },
    /// A message walked one edge. `attempt` counts its tries so far; `next_try` (RFC 3339) is when the
    /// next one is due, where there is one; `recipients` are there when a person's word brought new ones.
    MessageMoved {
        id: MessageId,
        from: MessageState,
        to: MessageState,
        why: String,
        attempt: u32,
        next_try: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recipients: Option<Vec<String>>,
    },
    /// A package was ordered from a carrier, or is to be.
    TagRequested { tag: Box<Tag> },
    /// Something became known of a call tag.
    TagMoved { moved: TagMoved },
    /// One slice of a shipment file was applied; `digest` is the whole table's after it.
    ShipmentsImported {
        file: String,
        /// SHA-256 of the file; in the last slice only, since it is known only at its end.
        sha256: Option<String>,
        inserted: u64,
        updated: u64,
        unchanged: u64,
        rejected: u64,
        digest: String,
    },
    /// A shipment row was replaced by a newer file.
    ShipmentChanged { old: Shipment, new: Shipment },
    /// Raw scans older than the retention time were erased; their hashes stay in the journal.
    RawErased { before: String, count: u64 },
}

impl Event {
    /// The serde tag.
    pub fn kind(&self) -> &'static str {
        match self {
            Event::Started { .. } => "started",
            Event::Stopped { .. } => "stopped",
            Event::Scanner { .. } => "scanner",
            Event::Printer { .. } => "printer",
            Event::Scanned { .. } => "scanned",
            Event::Refused { .. } => "refused",
            Event::ProgramServed { .. } => "program_served",
            Event::RmaIssued { .. } => "rma_issued",
            Event::RmaChanged { .. } => "rma_changed",
            Event::RmaMoved { .. } => "rma_moved",
            Event::Received { .. } => "received",
            Event::Withdrawn { .. } => "withdrawn",
            Event::UnitMoved { .. } => "unit_moved",
            Event::Posted { .. } => "posted",
            Event::DayPassed { .. } => "day_passed",
            Event::JobMade { .. } => "job_made",
            Event::JobsMoved { .. } => "jobs_moved",
            Event::JobsRerouted { .. } => "jobs_rerouted",
            Event::MessageOwed { .. } => "message_owed",
            Event::MessageMoved { .. } => "message_moved",
            Event::TagRequested { .. } => "tag_requested",
            Event::TagMoved { .. } => "tag_moved",
            Event::ShipmentsImported { .. } => "shipments_imported",
            Event::ShipmentChanged { .. } => "shipment_changed",
            Event::RawErased { .. } => "raw_erased",
        }
    }
}
