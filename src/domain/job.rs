//! One print of one label on one printer, and the states it walks through.
//!
//! ```text
//! queued -> sending -> sent -> printed
//!    |         |         \---> in-doubt -> printed | failed | cancelled   (a person says which)
//!    |         \-> queued        (provably not one byte left the station)
//!    \-> cancelled
//! ```

use serde::{Deserialize, Serialize};

/// A label that a carrier has drawn: printed as it is, or not at all.
pub const CARRIER: &str = "carrier";

/// The papers that a program or a printer can name (`backdock label --list` tells what each is), and
/// [`CARRIER`].
pub const PAPERS: [&str; 23] = [
    "unit",
    "box",
    "traveller",
    "hold",
    "reject",
    "return-to-sender",
    "unauthorised",
    "routing",
    "vendor",
    "packing-list",
    "return",
    "address",
    "calltag-request",
    "calltag-notice",
    "rma-sheet",
    "checklist",
    "quote",
    "charge",
    "credit",
    "qc",
    "wall-sheet",
    "scanner-test",
    CARRIER,
];

/// A job's number on its station, from 1 upward, never reused.
pub type JobId = i64;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobState {
    /// Waits for its printer.
    Queued,
    /// Committed to be sent: its bytes may be leaving now. Written before the first byte.
    Sending,
    /// All its bytes were handed to the link; the printer has not yet counted it.
    Sent,
    /// The printer's own label count says it came out.
    Printed,
    /// Nobody can prove whether it came out; a person looks.
    InDoubt,
    /// It did not come out and will not.
    Failed,
    /// Taken back before it was sent, or settled as not wanted.
    Cancelled,
}

impl JobState {
    pub const ALL: [JobState; 7] = [
        JobState::Queued,
        JobState::Sending,
        JobState::Sent,
        JobState::Printed,
        JobState::InDoubt,
        JobState::Failed,
        JobState::Cancelled,
    ];

    /// The word in tables and JSON.
    pub fn word(self) -> &'static str {
        match self {
            JobState::Queued => "queued",
            JobState::Sending => "sending",
            JobState::Sent => "sent",
            JobState::Printed => "printed",
            JobState::InDoubt => "in-doubt",
            JobState::Failed => "failed",
            JobState::Cancelled => "cancelled",
        }
    }

    /// Reads [`JobState::word`] back.
    pub fn from_word(word: &str) -> Option<JobState> {
        JobState::ALL.into_iter().find(|s| s.word() == word)
    }

    /// Whether the table of legal moves has this edge.
    pub fn may_become(self, to: JobState) -> bool {
        use JobState::*;
        match self {
            Queued => matches!(to, Sending | Cancelled),
            Sending => matches!(to, Sent | Printed | InDoubt | Queued),
            Sent => matches!(to, Printed | InDoubt),
            InDoubt => matches!(to, Printed | Failed | Cancelled),
            Printed | Failed | Cancelled => false,
        }
    }

    /// Nothing more will happen to it by itself.
    pub fn is_final(self) -> bool {
        matches!(self, JobState::Printed | JobState::Failed | JobState::Cancelled)
    }
}

/// What is printed, for whom, and on which printer. Immutable once created.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    pub id: JobId,
    pub printer: String,
    /// The label's name, e.g. `unit`.
    pub label: String,
    /// 1 for the first print; a reprint is 2 and up, and says so on the paper.
    pub copy: u32,
    pub receipt: Option<i64>,
    pub rma: Option<String>,
    pub serial: Option<String>,
    /// The very bytes for the printer: one `^XA...^XZ`.
    pub zpl: String,
    /// The label's fields, from which the screen draws its picture.
    pub fields: serde_json::Value,
}

/// What a printer's label counter must show before and after a job; kept with the move to `sending`,
/// so that a restart can ask the printer what became of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The printer's own serial number when the job was sent.
    pub unique_id: String,
    /// Its lifetime label count when every label ahead of this one is out; this label makes it one more.
    pub odometer: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_the_serde_words() {
        for s in JobState::ALL {
            assert_eq!(serde_json::to_value(s).ok(), Some(serde_json::Value::from(s.word())));
            assert_eq!(JobState::from_word(s.word()), Some(s));
        }
    }

    #[test]
    fn nothing_leaves_a_final_state_and_nothing_is_sent_twice() {
        for from in JobState::ALL {
            for to in JobState::ALL {
                if from.is_final() {
                    assert!(!from.may_become(to));
                }
                if to == JobState::Sending {
                    assert_eq!(from.may_become(to), from == JobState::Queued);
                }
                if to == JobState::Queued {
                    assert_eq!(from.may_become(to), from == JobState::Sending);
                }
            }
        }
    }
}
