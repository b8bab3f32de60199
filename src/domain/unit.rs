//! One unit on an RMA, on its way through the house: its state, the steps that move it, and what a step
//! wrote down. Which step may be made from which state stands in one table, [`crate::rma::steps`].

use super::facts::words;
use super::money::Amount;
use super::verdict::{Leg, Name, Party, Verdict};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

words! {
    /// Where a unit is.
    UnitState {
        /// Announced; not here yet.
        Awaited = "awaited",
        /// Announced, and its replacement left before it came.
        AdvanceShipped = "advance_shipped",
        Received = "received",
        /// Set aside at the dock until a hold is released.
        Held = "held",
        Diagnosing = "diagnosing",
        /// The customer has the price.
        Quoted = "quoted",
        /// The customer agreed to the price.
        Approved = "approved",
        Repairing = "repairing",
        /// Work stopped by a finding.
        Suspended = "suspended",
        BurnIn = "burn_in",
        Qc = "qc",
        /// The vendor was asked for an RMA.
        VendorRequested = "vendor_requested",
        /// The vendor gave its RMA number.
        VendorNumbered = "vendor_numbered",
        VendorShipped = "vendor_shipped",
        /// The vendor gave money.
        VendorCredited = "vendor_credited",
        /// The vendor gave another unit; it is here and not tested yet.
        VendorReplaced = "vendor_replaced",
        /// The vendor's unit passed its test.
        VendorTested = "vendor_tested",
        /// Everything is done but the way back.
        Ready = "ready",
        Shipped = "shipped",
        Closed = "closed",
        /// Not accepted; it stands at the dock until it is sent back.
        Refused = "refused",
        /// Sent back unaccepted.
        Returned = "returned",
        /// It will not come.
        Cancelled = "cancelled",
    }
}

impl UnitState {
    /// Nothing more will happen to it.
    pub fn is_final(self) -> bool {
        matches!(self, UnitState::Closed | UnitState::Returned | UnitState::Cancelled)
    }
}

words! {
    /// What can be done with a unit. `receive` is the dock's; all others are also a person's at the desk.
    Step {
        /// The RMA's own: its number is given out.
        Issue = "issue",
        Receive = "receive",
        /// The dock's own: a receipt is taken back.
        Withdraw = "withdraw",
        /// A person lifts a hold that persons may lift.
        Release = "release",
        /// A question of the program is answered.
        Answer = "answer",
        /// A fact becomes known.
        Note = "note",
        Diagnose = "diagnose",
        /// What the bench found.
        Find = "find",
        Quote = "quote",
        Approve = "approve",
        Suspend = "suspend",
        Repair = "repair",
        BurnIn = "burn_in",
        Qc = "qc",
        /// Another unit takes this one's place.
        Replace = "replace",
        VendorRequest = "vendor_request",
        VendorNumber = "vendor_number",
        VendorShip = "vendor_ship",
        VendorCredit = "vendor_credit",
        VendorReplace = "vendor_replace",
        /// The vendor's unit is tested.
        Test = "test",
        AdvanceCharge = "advance_charge",
        AdvanceShip = "advance_ship",
        /// The advance unit came back (the customer wants his own).
        AdvanceReturn = "advance_return",
        Credit = "credit",
        Ready = "ready",
        Ship = "ship",
        Close = "close",
        Refuse = "refuse",
        Cancel = "cancel",
    }
}

/// A step as it was made. Carries everything that the tables need.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moved {
    pub rma: String,
    /// The serial number; the MAC where no serial is known.
    pub unit: String,
    pub step: Step,
    pub from: UnitState,
    pub to: UnitState,
    pub on: NaiveDate,
    /// Who made it.
    pub by: String,
    /// What was said with it: amount, number, tracking ...
    pub said: Map<String, Value>,
    /// Everything known of the unit after it, in the JSON that `backdock verdict` reads.
    pub facts: Map<String, Value>,
    /// The ways of goods that this step is, with who pays by which rule.
    pub legs: Vec<Leg>,
    /// What the program says of the unit after it.
    pub verdict: Verdict,
    /// The unit that takes this one's place, once it has left the house.
    pub successor: Option<Successor>,
}

/// A unit that replaced another one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Successor {
    pub serial: String,
    pub shipped: NaiveDate,
    /// All that the predecessor's facts say, so that the successor is known when it comes back one day.
    pub facts: Map<String, Value>,
}

/// Money owed or given back. One per unit, kind and rule, for ever.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerLine {
    pub rma: String,
    pub unit: String,
    pub kind: Name,
    /// Positive: owed to us. Negative: given back.
    pub amount: Amount,
    pub currency: Name,
    /// Who owes or gets it.
    pub party: Party,
    pub rule: Name,
    /// The day it became due.
    pub on: NaiveDate,
    /// Why: the rule's arithmetic, and what was seen.
    pub evidence: String,
    pub by: String,
}
