//! The shipment: the record that a unit left us. It comes from a file the office exports, is looked
//! up by serial or MAC at the dock, and is where warranty, channel and distributor come from.
//! One serial has one shipment, its latest; the journal keeps what it was before.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::domain::mac::Mac;

/// Most MAC addresses one unit may carry. Phones have 1 or 2, gateways and recorders up to 8.
pub const MACS_MAX: usize = 8;

/// The channels that programs know, in their one spelling (A-45).
pub const CHANNELS: [&str; 5] = ["agent", "direct", "reseller", "service_provider", "distributor"];

/// One unit's latest shipment, as the file said it; `None` is an empty field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shipment {
    /// In the form of [`crate::domain::text::serial_key`].
    pub serial: String,
    /// In the file's order, without repeats, at most [`MACS_MAX`], each naming a device.
    #[serde(default)]
    pub macs: Vec<Mac>,
    pub brand: Option<String>,
    pub model: Option<String>,
    /// The day this unit left us.
    pub ship_date: NaiveDate,
    pub order: Option<String>,
    pub customer: Option<String>,
    /// One of [`CHANNELS`], or the file's own word where it is none of them: a program that does not
    /// know the word holds the unit and asks (A-45). It is never replaced by a guess.
    pub channel: Option<String>,
    /// Whom we bought this very unit from; brands have several (A-60).
    pub distributor: Option<String>,
    pub purchase_date: Option<NaiveDate>,
    /// Last day of warranty where somebody verified it; otherwise the program computes one.
    pub warranty_until: Option<NaiveDate>,
    /// Last day of an extended service plan.
    pub plan_until: Option<NaiveDate>,
}

/// `text` in its one spelling from [`CHANNELS`]: any case, hyphens and blanks as the underscore.
pub fn channel_word(text: &str) -> Option<&'static str> {
    let same = |word: &&&str| {
        word.len() == text.len()
            && word
                .bytes()
                .zip(text.bytes())
                .all(|(w, t)| w == if matches!(t, b'-' | b' ') { b'_' } else { t.to_ascii_lowercase() })
    };
    CHANNELS.iter().find(same).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_have_one_spelling() {
        for text in ["service_provider", "service provider", "Service-Provider", "SERVICE_PROVIDER"] {
            assert_eq!(channel_word(text), Some("service_provider"), "{text}");
        }
        for text in ["", "serviceprovider", "resellers", "retail", "agent ", "ågent"] {
            assert_eq!(channel_word(text), None, "{text}");
        }
    }

    #[test]
    fn a_shipment_survives_json() {
        let text = r#"{"serial":"AB-1","macs":["001565ABCDEF"],"brand":"Yealink","model":null,"ship_date":"2024-02-29","order":null,"customer":null,"channel":"agent","distributor":null,"purchase_date":null,"warranty_until":"2026-02-28","plan_until":null}"#;
        let shipment: Shipment = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&shipment).unwrap(), text);
        assert!(serde_json::from_str::<Shipment>(&text.replace("brand", "brandt")).is_err());
    }
}
