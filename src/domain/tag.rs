//! A call tag or return label: an order to a carrier to bring one package to us, and what became of it.
//!
//! ```text
//! requested -> dispatched -> attempted -> picked_up -> in_transit -> received
//!     \            \             \---> failed
//!      \------------\---> cancelled
//! ```
//!
//! It is *received* by a scan at the dock, from wherever it stood: what was given up may come all the same. Where
//! the label cannot be read, a person says so. One tag is one package: carriers take no more per return
//! shipment from the US, so a box of three needs three.

use super::facts::words;
use super::verdict::{Name, Party};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A tag's number on its station, from 1 upward, never reused.
pub type TagId = i64;

words! {
    /// Who brings the label, which is what people mix up: with a call tag the driver does; a return label is
    /// printed by us, by the customer, or by the carrier and sent by post.
    TagKind {
        CallTag1 = "call_tag_1",
        CallTag3 = "call_tag_3",
        FedexTag = "fedex_tag",
        Print = "return_label_print",
        Email = "return_label_email",
        Mail = "return_label_mail",
        /// No carrier is asked: the customer sends it, our address label on it.
        AddressOnly = "address_label_only",
    }
}

impl TagKind {
    /// What it is, for people.
    pub fn title(self) -> &'static str {
        match self {
            TagKind::CallTag1 => "call tag, one pickup attempt: the driver brings the label",
            TagKind::CallTag3 => "call tag, three pickup attempts: the driver brings the label",
            TagKind::FedexTag => "FedEx tag: the driver brings the label",
            TagKind::Print => "return label that we print",
            TagKind::Email => "return label that the customer gets by e-mail and prints",
            TagKind::Mail => "return label that the carrier sends by post",
            TagKind::AddressOnly => "address label only: the customer pays and sends",
        }
    }

    /// Whether a driver comes for it, with the label.
    pub fn is_call_tag(self) -> bool {
        matches!(self, TagKind::CallTag1 | TagKind::CallTag3 | TagKind::FedexTag)
    }

    /// After so many vain attempts the carrier gives up; `None`: it is not known, or nobody comes.
    pub fn attempts(self) -> Option<u32> {
        match self {
            TagKind::CallTag1 => Some(1),
            TagKind::CallTag3 => Some(3),
            _ => None,
        }
    }
}

words! {
    TagState {
        Requested = "requested",
        Dispatched = "dispatched",
        Attempted = "attempted",
        PickedUp = "picked_up",
        InTransit = "in_transit",
        Received = "received",
        Failed = "failed",
        Cancelled = "cancelled",
    }
}

impl TagState {
    /// Nothing more is expected of it.
    pub fn is_final(self) -> bool {
        matches!(self, TagState::Received | TagState::Failed | TagState::Cancelled)
    }
}

words! {
    /// What can be said of a tag.
    TagStep {
        /// The carrier took the order.
        Dispatch = "dispatch",
        /// The driver came, and got nothing.
        Attempt = "attempt",
        PickUp = "pick_up",
        /// The carrier has scanned it on its way.
        Travel = "travel",
        /// Its number was scanned at the dock, or the box of its RMA was opened.
        Receive = "receive",
        Fail = "fail",
        Cancel = "cancel",
        /// A number or a remark, and no move.
        Note = "note",
    }
}

/// What was ordered. Immutable once written.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tag {
    pub id: TagId,
    pub rma: String,
    pub unit: Option<String>,
    pub kind: TagKind,
    /// `ups`, `fedex`, `usps`, `dhl` or another; empty for an address label.
    pub carrier: String,
    /// This package of so many, each with a tag of its own.
    pub package: u32,
    pub packages: u32,
    /// Who bears the cost, and by which rule; `None`: no rule of the program says so.
    pub payer: Option<Party>,
    pub rule: Name,
    pub requested: NaiveDate,
    /// The last day on which the RMA may arrive.
    pub valid_until: Option<NaiveDate>,
    /// Pickup, package, references and billing, under the names that `backdock tag request --help` lists.
    pub order: Map<String, Value>,
    pub by: String,
}

/// A step of a tag.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagMoved {
    pub id: TagId,
    pub step: TagStep,
    pub from: TagState,
    pub to: TagState,
    pub on: NaiveDate,
    pub by: String,
    /// What was said with it: numbers, reasons, costs.
    pub said: Map<String, Value>,
    /// The carrier's numbers for the package, as they are compared.
    pub numbers: Vec<String>,
}

/// A tag as it stands.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct TagNow {
    #[serde(flatten)]
    pub tag: Tag,
    pub state: TagState,
    /// The day of the last news of it.
    pub since: NaiveDate,
    /// Vain pickups.
    pub attempts: u32,
    pub numbers: Vec<String>,
    /// What the carrier answered: confirmation, location, dispatch date, cost.
    pub reply: Map<String, Value>,
}
