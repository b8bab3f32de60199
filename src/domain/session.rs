//! What the dock is in the middle of: who is badged in, which box is open, which unit is half
//! scanned, and what UNDO would take back. One session per station; it is a projection of the
//! journal, so a killed daemon comes back in the middle of the same box.

use super::identity::Candidate;
use super::job::JobId;
use super::mac::Mac;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Who works at the dock, if somebody badged in.
    pub badge: Option<String>,
    /// The RMA whose box is open.
    pub rma: Option<String>,
    /// A unit of which only the serial or only the MAC was scanned.
    pub pending: Option<Pending>,
    /// The station's last receipt number when the box was opened: UNDO goes back no further.
    pub since: i64,
    /// The newest receipt, kept after DONE so that REPRINT still knows it.
    pub last: Option<i64>,
    /// What was rejected by the scan before this one: its label is made once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<String>,
    /// The carrier's number of the box that stands here: the proof that it arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrival: Option<String>,
    /// Labels that must be scanned before the dock goes on, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub awaits: Vec<JobId>,
    /// What the question on the screen offers: readings of the last scan, `OPT1` first. Empty for no question.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<Candidate>,
}

/// A unit of which only a part was scanned.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pending {
    pub serial: Option<String>,
    pub mac: Option<Mac>,
}
