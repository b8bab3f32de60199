//! What a program says of one unit on one day.
//!
//! Out of [`crate::program`], into the journal, the label, the screen and `verdict --json`: the shape is
//! a contract, every key is always there, and `null` stands only for an unknown age, an unknown end of
//! warranty and "no team". Every entry names the rule it comes from, so that a person can look it up.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::facts::words;
use super::money::Amount;

mod schema;

/// A word out of a program file (a rule id, a code, a band's name). Cheap to copy: thousands of verdicts
/// a second carry the same few words.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Arc<str>);

impl Deref for Name {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Name {
        Name(text.into())
    }
}

impl From<String> for Name {
    fn from(text: String) -> Name {
        Name(text.into())
    }
}

impl Default for Name {
    fn default() -> Name {
        Name("".into())
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Name, D::Error> {
        String::deserialize(d).map(Name::from)
    }
}

words! {
    /// What is to happen with the unit once its holds are released; `hold` only where no rule names one.
    Action {
        Replace = "replace",
        Diagnose = "diagnose",
        Repair = "repair",
        Return = "return",
        Quote = "quote",
        Route = "route",
        Credit = "credit",
        Exchange = "exchange",
        Reject = "reject",
        Hold = "hold",
    }
}

words! {
    /// Whether somebody stands in for the defect.
    Coverage {
        InWarranty = "in_warranty",
        OutOfWarranty = "out_of_warranty",
        /// The factory warranty is over, an extended service plan is not.
        Plan = "plan",
        /// Within its time, but lost through the unit's condition.
        Void = "void",
        Unknown = "unknown",
    }
}

words! {
    /// One way of the goods between two parties.
    LegName { Inbound = "inbound", Outbound = "outbound", Advance = "advance", ToVendor = "to_vendor", FromVendor = "from_vendor" }
}

words! {
    /// Who pays, or gets, money. Agents and direct clients are `customer`, trade accounts are `partner`.
    Party { Us = "us", Customer = "customer", Partner = "partner", Vendor = "vendor" }
}

words! {
    Service { Ground = "ground", Rush = "rush", Any = "any", None = "none" }
}

words! {
    /// Who a message is for.
    Role {
        Management = "management",
        PartnerTeam = "partner_team",
        Customer = "customer",
        Sales = "sales",
        Billing = "billing",
        Supervisor = "supervisor",
        Vendor = "vendor",
    }
}

words! {
    /// A step a hold can forbid. The set is closed: every step asks for its own name.
    Move {
        /// Diagnosing, or any work on the unit: a unit held here is set aside at once.
        Bench = "bench",
        Repair = "repair",
        Replace = "replace",
        /// Sending a replacement before the original is back.
        Advance = "advance",
        /// Opening a vendor RMA and sending the unit to the vendor or distributor.
        VendorLeg = "vendor_leg",
        /// Sending out a call tag or a prepaid label for the way to us.
        Inbound = "inbound",
        /// Sending anything back to the customer or partner.
        Ship = "ship",
        Charge = "charge",
        Credit = "credit",
        Close = "close",
        /// Giving out the RMA number. Never meant by `all`: nothing has come then.
        Issue = "issue",
    }
}

words! {
    /// When an advance replacement leaves us.
    AdvanceMode {
        /// Not at all.
        None = "none",
        /// Sent at once; billed where the original does not come back.
        ShipFirst = "ship_first",
        /// The customer is charged before it is sent.
        ChargeFirst = "charge_first",
        /// Sent without being asked for; nothing is billed.
        Automatic = "automatic",
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Advance {
    /// What date, channel and class allow; missing papers are holds on the move `advance`.
    pub allowed: bool,
    pub mode: AdvanceMode,
    pub rule: Name,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Leg {
    pub leg: LegName,
    pub payer: Party,
    pub service: Service,
    pub rule: Name,
}

/// Money a rule asks for (positive) or gives back (negative), per unit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Charge {
    pub kind: Name,
    pub amount: Amount,
    pub currency: Name,
    pub to: Party,
    pub rule: Name,
}

/// A named reason why the unit may not make some moves, and who can release it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hold {
    pub code: Name,
    /// A role, or the fact that is missing, in words.
    pub released_by: Name,
    pub rule: Name,
    /// Never empty.
    pub blocks: Vec<Move>,
    /// One sentence for the HOLD tag, with the figures of this unit.
    pub text: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Question {
    pub code: Name,
    /// The answers allowed; empty: any text.
    pub answers: Vec<Name>,
    pub rule: Name,
    /// Moves that wait for the answer; may be empty.
    pub blocks: Vec<Move>,
    /// The question in words.
    pub text: Name,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Message {
    pub to: Role,
    pub about: Name,
    pub rule: Name,
    /// What it must say; empty where `about` says it all.
    pub text: Name,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Due {
    pub what: Name,
    pub by: NaiveDate,
    pub rule: Name,
}

/// Where the faulty unit goes for the vendor's warranty.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Vendor {
    /// The vendor's or distributor's name; `unknown` where the distributor is not on record.
    pub send_to: Name,
    pub rma_number_required: bool,
    pub rule: Name,
}

/// Why, with the arithmetic: `day 30 of 30 since 2026-01-01`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reason {
    pub rule: Name,
    pub text: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Verdict {
    pub program: Name,
    pub version: Name,
    pub today: NaiveDate,
    /// Days from the date that starts the program's clock to the date that counts; day 0 is the start.
    pub age_days: Option<i64>,
    pub band: Name,
    pub warranty_until: Option<NaiveDate>,
    pub coverage: Coverage,
    pub action: Action,
    pub advance_replacement: Advance,
    pub legs: Vec<Leg>,
    pub charges: Vec<Charge>,
    pub holds: Vec<Hold>,
    pub questions: Vec<Question>,
    pub messages: Vec<Message>,
    pub due: Vec<Due>,
    /// The team the case goes to instead of the usual way.
    pub route: Option<Name>,
    /// Empty object in JSON where nothing goes to a vendor.
    #[serde(serialize_with = "object_or_empty", deserialize_with = "empty_or_object")]
    pub vendor: Option<Vendor>,
    pub reasons: Vec<Reason>,
}

impl Verdict {
    /// The holds that forbid `step`, in the program's order.
    pub fn holds_on(&self, step: Move) -> impl Iterator<Item = &Hold> {
        self.holds.iter().filter(move |hold| hold.blocks.contains(&step))
    }

    /// Whether `step` may be made: no hold forbids it and no question it waits for is open.
    pub fn allows(&self, step: Move) -> bool {
        self.holds_on(step).next().is_none() && !self.questions.iter().any(|question| question.blocks.contains(&step))
    }
}

fn object_or_empty<S: Serializer>(vendor: &Option<Vendor>, s: S) -> Result<S::Ok, S::Error> {
    match vendor {
        Some(vendor) => vendor.serialize(s),
        None => serde::ser::SerializeMap::end(s.serialize_map(Some(0))?),
    }
}

fn empty_or_object<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Vendor>, D::Error> {
    let value = serde_json::Value::deserialize(d)?;
    if value.as_object().is_some_and(|map| map.is_empty()) {
        return Ok(None);
    }
    serde_json::from_value(value).map(Some).map_err(serde::de::Error::custom)
}
