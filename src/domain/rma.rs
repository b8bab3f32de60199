//! The authorisation to send something back, and the fact that it arrived.

use super::mac::Mac;
use super::verdict::Verdict;
use chrono::{DateTime, FixedOffset, NaiveDate};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RmaState {
    /// Asked for; its number counts for nothing at the dock yet.
    Requested,
    /// Authorised.
    Open,
    Closed,
    Cancelled,
    /// The request was turned down.
    Refused,
    /// Nothing came in its time.
    Expired,
}

impl RmaState {
    /// The word in tables and JSON.
    pub fn word(self) -> &'static str {
        match self {
            RmaState::Requested => "requested",
            RmaState::Open => "open",
            RmaState::Closed => "closed",
            RmaState::Cancelled => "cancelled",
            RmaState::Refused => "refused",
            RmaState::Expired => "expired",
        }
    }

    const ALL: [RmaState; 6] = [
        RmaState::Requested,
        RmaState::Open,
        RmaState::Closed,
        RmaState::Cancelled,
        RmaState::Refused,
        RmaState::Expired,
    ];

    /// Reads [`RmaState::word`] back.
    pub fn from_word(word: &str) -> Option<RmaState> {
        RmaState::ALL.into_iter().find(|s| s.word() == word)
    }

    /// Whether the table of legal moves has this edge.
    pub fn may_become(self, to: RmaState) -> bool {
        use RmaState::*;
        match self {
            // Closed: authorised under a number of its own.
            Requested => matches!(to, Closed | Refused | Cancelled),
            Open => matches!(to, Closed | Cancelled | Expired),
            Closed | Cancelled | Expired => to == Open,
            Refused => to == Requested,
        }
    }
}

/// One RMA as it was issued. `facts` is everything said about it that a program may ask for
/// (channel, ticket, diagnosis, consent ...), in the very JSON that `backdock verdict` reads.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rma {
    pub number: String,
    /// The program that judges it, and the version it was issued under (D-27, D-28).
    pub program: String,
    pub program_version: String,
    pub customer: Option<String>,
    /// Where the customer's copies of messages go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    pub issued: NaiveDate,
    pub state: RmaState,
    pub facts: Map<String, Value>,
    /// Serials that were announced, in canonical form; empty when the sender did not say.
    pub expected: Vec<String>,
}

/// A unit arrived, was judged and written down.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Counts from 1 on each station, never reused.
    pub id: i64,
    pub rma: String,
    pub serial: Option<String>,
    pub mac: Option<Mac>,
    pub brand: Option<String>,
    pub model: Option<String>,
    pub at: DateTime<FixedOffset>,
    /// The word the worker saw: REPLACE, HOLD ...
    pub word: String,
    /// Set aside: at least one hold keeps it from the bench.
    pub held: bool,
    /// The facts that were judged and what the program said of them, whole: an auditor can hand them
    /// to `backdock verdict` and must get the same answer.
    pub facts: Map<String, Value>,
    pub verdict: Verdict,
    /// The carrier's number of the box that it came in, where that was scanned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrival: Option<String>,
}
