//! What is known about one unit on one day: the question a program answers with a verdict.
//!
//! In: one JSON object. Out: [`Facts`], or every mistake in it by name, with the nearest known key.
//! Promised: all keys may be absent and `null` is absent, so that what is missing shows in the verdict
//! and never becomes a guess; no input panics; all sizes are bounded. Words that name a company's own
//! things (brand, channel, reason, condition) stay text: judging them is the program's business.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::Value;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::mac::Mac;
use super::money::Amount;

mod read;
mod schema;

/// Defines an enum whose values are words in JSON, tables and program files. Each gets `ALL`
/// (every word with its value), `as_str` and `find` (hyphen and blank stand for the underscore).
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// Every word with its value, in the order of definition.
            pub const ALL: &'static [(&'static str, $name)] = &[$(($word, $name::$variant)),+];

            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }

            /// The value named by `text` in either case, with hyphen or blank for the underscore.
            pub fn find(text: &str) -> Option<$name> {
                $name::ALL.iter().find(|(word, _)| $crate::domain::facts::same_word(text, word)).map(|(_, value)| *value)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<$name, D::Error> {
                let text = String::deserialize(d)?;
                $name::find(&text).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is not a {}", stringify!($name))))
            }
        }
    };
}
pub(crate) use words;

words! {
    /// How the unit's owner buys from us; it decides who pays.
    Channel {
        Agent = "agent",
        Direct = "direct",
        Reseller = "reseller",
        ServiceProvider = "service_provider",
        Distributor = "distributor",
    }
}

words! {
    /// How the goods were packed, as graded at the dock.
    Packaging { Original = "original", Equivalent = "equivalent", Bad = "bad", Unknown = "unknown" }
}

words! {
    /// What is broken about the unit from outside, as seen at the dock or the bench.
    Damage {
        None = "none",
        Physical = "physical",
        Liquid = "liquid",
        Disassembled = "disassembled",
        Other = "other",
        Unknown = "unknown",
    }
}

words! {
    /// What the bench found.
    Outcome { Ntf = "ntf", Repair = "repair", Replace = "replace", Working = "working", UserDamage = "user_damage" }
}

words! {
    /// What kind of return the RMA was made for.
    Class {
        Standard = "standard",
        Advance = "advance",
        Credit = "credit",
        Exchange = "exchange",
        Unwanted = "unwanted",
        Doa = "doa",
    }
}

/// A yes/no fact, which may also be known by the date on which it became true.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Flag {
    #[default]
    Absent,
    No,
    Yes,
    /// True since that date.
    Since(NaiveDate),
}

impl Flag {
    pub fn is_yes(self) -> bool {
        matches!(self, Flag::Yes | Flag::Since(_))
    }

    pub fn is_absent(&self) -> bool {
        *self == Flag::Absent
    }

    pub fn date(self) -> Option<NaiveDate> {
        match self {
            Flag::Since(date) => Some(date),
            _ => None,
        }
    }
}

impl Serialize for Flag {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Flag::Absent => s.serialize_none(),
            Flag::No => s.serialize_bool(false),
            Flag::Yes => s.serialize_bool(true),
            Flag::Since(date) => date.serialize(s),
        }
    }
}

/// An earlier unit of the same lineage: what was shipped first, and what replaced it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Earlier {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// When that unit left us.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipped: Option<NaiveDate>,
    /// When its replacement left us.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced_on: Option<NaiveDate>,
    /// It was dead on arrival.
    #[serde(skip_serializing_if = "Flag::is_absent")]
    pub doa: Flag,
}

/// What a person decided or answered, by the code of the question or hold.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Answer {
    pub answer: String,
    /// Who said so; some questions count only with a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct RmaFacts {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Flag::is_absent")]
    pub closed: Flag,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Where the ticket says it is to go back to (E-18).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ship_to: Option<String>,
    /// Where support wants the goods sent, instead of the published address (D-10).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_to: Option<String>,
    #[serde(skip_serializing_if = "Flag::is_absent")]
    pub support_request: Flag,
    #[serde(skip_serializing_if = "Flag::is_absent")]
    pub diagnosed: Flag,
    #[serde(skip_serializing_if = "Flag::is_absent")]
    pub qualified: Flag,
    #[serde(skip_serializing_if = "Flag::is_absent")]
    pub consent: Flag,
    #[serde(skip_serializing_if = "Flag::is_absent")]
    pub contacted: Flag,
    #[serde(skip_serializing_if = "Flag::is_absent")]
    pub wants_back: Flag,
    #[serde(skip_serializing_if = "Flag::is_absent")]
    pub proof_of_purchase: Flag,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote_issued: Option<NaiveDate>,
    /// What the quotation comes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote_amount: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_on: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Flag::is_absent")]
    pub purchase_order: Flag,
    /// Serial numbers the RMA was made for, in the compared form; empty: not said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct AdvanceFacts {
    /// When the advance unit left us.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipped: Option<NaiveDate>,
    /// When it reached the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    #[serde(skip_serializing_if = "Flag::is_absent")]
    pub charged: Flag,
    /// When the original came in.
    #[serde(skip_serializing_if = "Flag::is_absent")]
    pub original_received: Flag,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct RushFacts {
    #[serde(skip_serializing_if = "Flag::is_absent")]
    pub asked: Flag,
    #[serde(skip_serializing_if = "Flag::is_absent")]
    pub paid_by_customer: Flag,
}

/// Everything a verdict may depend on. `Default` is "nothing known".
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Facts {
    /// As written; see [`Channel::find`]. An unknown channel is a hold, not a mistake in the facts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub macs: Vec<Mac>,
    /// When this very unit left us; earlier units of its lineage are in `lineage`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ship_date: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purchase_date: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warranty_until: Option<NaiveDate>,
    /// 0..=600.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warranty_months: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor_warranty_until: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_until: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub today: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distributor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packaging: Option<Packaging>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub damage: Option<Damage>,
    /// What was seen or missed, in the words of the program's lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
    #[serde(skip_serializing_if = "Flag::is_absent")]
    pub rma_marked_outside: Flag,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Earlier units, oldest first; without those the unit is the first of its line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lineage: Vec<Earlier>,
    #[serde(skip_serializing_if = "is_default")]
    pub rma: RmaFacts,
    #[serde(skip_serializing_if = "is_default")]
    pub advance: AdvanceFacts,
    #[serde(skip_serializing_if = "is_default")]
    pub rush: RushFacts,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor_rma: Option<String>,
    #[serde(skip_serializing_if = "Flag::is_absent")]
    pub burn_in: Flag,
    #[serde(skip_serializing_if = "Flag::is_absent")]
    pub qc: Flag,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking: Option<String>,
    /// The address on the label that it came with (E-17).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// Answers to the verdict's questions, by question code.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<String, Answer>,
    /// Holds that a person lifted, by hold code; only holds that a person may lift heed it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub released: BTreeMap<String, Answer>,
}
/// Longest text of one fact, in bytes.
pub const TEXT_MAX: usize = 500;
/// Most entries of one list.
pub const LIST_MAX: usize = 64;

impl Facts {
    /// Reads one JSON object.
    ///
    /// # Errors
    /// Every mistake in it: unknown keys (with the nearest known one), wrong types, impossible dates,
    /// words outside a closed set.
    pub fn from_json(json: &Value) -> Result<Facts, FactsError> {
        let mut problems = Vec::new();
        let facts = read::facts(json, &mut problems);
        if problems.is_empty() { Ok(facts) } else { Err(FactsError { problems }) }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// As strict as [`Facts::from_json`], which it calls: facts in the journal are what was read once.
impl<'de> Deserialize<'de> for Facts {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Facts, D::Error> {
        Facts::from_json(&Value::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

/// Every mistake found in one set of facts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the facts cannot be used: {}", problems.join("; "))]
pub struct FactsError {
    pub problems: Vec<String>,
}
/// Whether `text` spells `word`: either case, hyphen or blank for the underscore.
pub(crate) fn same_word(text: &str, word: &str) -> bool {
    let text = text.trim();
    let plain = |b: u8| if b == b'-' || b == b' ' { b'_' } else { b.to_ascii_lowercase() };
    text.len() == word.len() && text.bytes().zip(word.bytes()).all(|(a, b)| plain(a) == plain(b))
}

/// The known word nearest to a mistyped one, where one is near enough to be worth saying.
pub fn nearest<'w>(wrong: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    if wrong.len() > TEXT_MAX {
        return None;
    }
    let allowed = 1 + wrong.chars().count() / 4;
    known
        .into_iter()
        .map(|word| (strsim::osa_distance(&wrong.to_lowercase(), word), word))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}
