//! RMA numbers and what the dock must know to act on one. PURE.
//!
//! [`number`] makes our own numbers; [`Knowledge`] is what a decision may ask of the past. The store
//! answers it from SQLite, tests from a table.

pub mod draft;
pub mod number;
pub mod steps;

use crate::domain::job::{JobId, JobState};
use crate::domain::mac::Mac;
use crate::domain::rma::Rma;
use crate::domain::shipment::Shipment;
use crate::domain::tag::TagNow;
use chrono::{DateTime, FixedOffset};
use serde_json::{Map, Value};

/// A question to the past could not be answered (the database failed); the text says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered(pub String);

/// A receipt as later scans need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    pub id: i64,
    pub rma: String,
    pub serial: Option<String>,
    pub mac: Option<Mac>,
    pub at: DateTime<FixedOffset>,
    pub word: String,
}

/// A label that was made, as scans of it need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    pub job: JobId,
    /// Its name, e.g. `unit`.
    pub label: String,
    pub copy: u32,
    pub rma: Option<String>,
    pub serial: Option<String>,
    pub receipt: Option<i64>,
    pub state: JobState,
}

/// What the dock may ask about the past. Withdrawn receipts are never among the answers.
pub trait Knowledge {
    /// The RMA of that number, without its list of expected units.
    fn rma(&self, number: &str) -> Result<Option<Rma>, Unanswered>;
    /// Announced and received units of an RMA: (expected, received).
    fn counts(&self, rma: &str) -> Result<(u32, u32), Unanswered>;
    /// Whether the RMA announced any serials, and this one among them.
    fn expects(&self, rma: &str, serial: &str) -> Result<Expects, Unanswered>;
    /// Announced serials of an RMA that were not received yet, at most `limit`.
    fn missing(&self, rma: &str, limit: u32) -> Result<Vec<String>, Unanswered>;
    /// Open RMAs that announced this serial.
    fn rmas_expecting(&self, serial: &str) -> Result<Vec<String>, Unanswered>;
    /// The shipment of a serial in canonical form.
    fn by_serial(&self, serial: &str) -> Result<Option<Shipment>, Unanswered>;
    /// The shipments that carry a MAC; more than one is a conflict in the reference data.
    fn by_mac(&self, mac: Mac) -> Result<Vec<Shipment>, Unanswered>;
    /// The newest receipt of a unit, by serial or MAC.
    fn last_receipt(&self, serial: Option<&str>, mac: Option<Mac>) -> Result<Option<Past>, Unanswered>;
    /// A receipt by its number.
    fn receipt(&self, id: i64) -> Result<Option<Past>, Unanswered>;
    /// Some of the serials that an RMA announced, received or not, at most `limit`.
    fn announced(&self, rma: &str, limit: u32) -> Result<Vec<String>, Unanswered> {
        self.missing(rma, limit)
    }
    /// What steps before its receipt made known of a unit of an RMA (an advance replacement, say).
    fn before_receipt(&self, rma: &str, unit: &str) -> Result<Option<Map<String, Value>>, Unanswered> {
        let _ = (rma, unit);
        Ok(None)
    }
    /// The earlier units of the line of which this serial took over, as facts.
    fn lineage(&self, serial: &str) -> Result<Option<Value>, Unanswered> {
        let _ = serial;
        Ok(None)
    }
    /// A label that this station made, by the number of its job.
    fn label(&self, job: JobId) -> Result<Option<Made>, Unanswered> {
        let _ = job;
        Ok(None)
    }
    /// The call tag whose package has this carrier's number.
    fn tag_by_number(&self, number: &str) -> Result<Option<TagNow>, Unanswered> {
        let _ = number;
        Ok(None)
    }
    /// The call tags of an RMA, oldest first.
    fn tags_of(&self, rma: &str) -> Result<Vec<TagNow>, Unanswered> {
        let _ = rma;
        Ok(Vec::new())
    }
    /// The newest receipt on an RMA with a number above `since`.
    fn newest_on(&self, rma: &str, since: i64) -> Result<Option<Past>, Unanswered>;
}

/// What an RMA says of a serial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expects {
    /// The sender named no serials: any unit may come.
    Anything,
    /// This one was announced.
    This,
    /// Others were announced, not this one.
    Others,
}
