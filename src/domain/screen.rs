//! What one scan put on the screen: the huge word, its colour, why, and what to do next. It is part
//! of the journal, so that an auditor sees what the worker saw.

use serde::{Deserialize, Serialize};

/// The six kinds of answer; each has its own colour, symbol and tone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Go on: received, box open.
    Accept,
    /// Set it aside; somebody must decide.
    Hold,
    /// Not taken.
    Reject,
    /// The dock waits for a scan.
    Ask,
    /// Nothing happened that needs a decision.
    Info,
    /// Something broke: a scanner, the disk, a damaged scan.
    Error,
}

impl Kind {
    /// Drawn beside the word, so that colour never stands alone.
    pub fn symbol(self) -> &'static str {
        match self {
            Kind::Accept => "check",
            Kind::Hold => "pause",
            Kind::Reject => "cross",
            Kind::Ask => "question",
            Kind::Info => "info",
            Kind::Error => "alert",
        }
    }

    /// The tone the page plays.
    pub fn tone(self) -> &'static str {
        match self {
            Kind::Accept => "good",
            Kind::Hold => "hold",
            Kind::Reject => "bad",
            Kind::Ask => "ask",
            Kind::Info => "info",
            Kind::Error => "error",
        }
    }
}

/// The answer to one scan.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Screen {
    /// The named outcome, a stable word for tapes, tests and statistics: `received`, `mismatch` ...
    pub outcome: String,
    pub kind: Kind,
    /// The one word that is read from five metres.
    pub word: String,
    /// The thing it is about.
    pub title: String,
    /// Short reasons with their arithmetic and rule ids.
    pub why: Vec<String>,
    /// What the worker does now.
    pub next: String,
    pub rules: Vec<String>,
    /// The label job that this scan made.
    pub job: Option<i64>,
}
