//! One e-mail or webhook owed to somebody, and the states it walks through.
//!
//! ```text
//! owed -> sending -> sent
//!  |  ^       |----> failed    (refused for good: the other side's words are kept)
//!  |  |       |----> in-doubt  (it may have arrived; nobody can prove it)
//!  |  \-------/                (not handed over: tried again later)
//!  \-> cancelled
//! unaddressed | in-doubt | failed -> owed | sent | cancelled     (a person says which)
//! ```
//!
//! What an address is stands here too ([`email`]): the files that name one and the wire that uses it
//! must mean the same.

use super::verdict::Role;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A message's number on its station, from 1 upward, never reused.
pub type MessageId = i64;

/// Whom a message is for: a role whose addresses the program file (or the RMA) names, or a webhook of
/// the station by its name. In JSON and tables `customer`, `webhook:erp`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum To {
    Role(Role),
    Webhook(String),
}

/// What marks a webhook among the words for roles.
const WEBHOOK: &str = "webhook:";

impl To {
    /// Reads the word back.
    pub fn from_word(word: &str) -> Option<To> {
        match word.strip_prefix(WEBHOOK) {
            Some(name) if !name.is_empty() => Some(To::Webhook(name.to_owned())),
            Some(_) => None,
            None => Role::ALL.iter().find(|(w, _)| *w == word).map(|(_, role)| To::Role(*role)),
        }
    }
}

impl fmt::Display for To {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            To::Role(role) => f.pad(role.as_str()),
            To::Webhook(name) => f.pad(&format!("{WEBHOOK}{name}")),
        }
    }
}

impl Serialize for To {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for To {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<To, D::Error> {
        let word = String::deserialize(d)?;
        To::from_word(&word).ok_or_else(|| serde::de::Error::custom(format!("{word:?} is nobody a message is for")))
    }
}

/// What is said, to whom, and why. Immutable once owed: a repeat is the same to the byte.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    pub id: MessageId,
    /// What made it owed. Unique on its station: a second message of the same cause is never owed.
    pub cause: String,
    pub rma: String,
    /// Serial of the unit that it speaks of.
    pub unit: Option<String>,
    pub program: String,
    pub to: To,
    /// The template's name, e.g. `advance_refused`.
    pub about: String,
    pub rule: String,
    pub subject: String,
    /// The text of an e-mail; the JSON of a webhook.
    pub body: String,
    /// Addresses; empty for a webhook, and while nobody has said where it goes.
    pub recipients: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageState {
    /// Waits for its turn, or for the time of its next try.
    Owed,
    /// Committed to be sent: it may be leaving now. Written before the first byte.
    Sending,
    /// The other side took it, or a person told it in another way.
    Sent,
    /// It may have arrived: the connection ended between its last byte and the answer.
    InDoubt,
    /// Refused for good.
    Failed,
    /// Taken back before it was sent, or settled as not wanted.
    Cancelled,
    /// Nobody has said where it goes: the program file, or the RMA, names no address.
    Unaddressed,
}

impl MessageState {
    pub const ALL: [MessageState; 7] = [
        MessageState::Owed,
        MessageState::Sending,
        MessageState::Sent,
        MessageState::InDoubt,
        MessageState::Failed,
        MessageState::Cancelled,
        MessageState::Unaddressed,
    ];

    /// The word in tables and JSON.
    pub fn word(self) -> &'static str {
        match self {
            MessageState::Owed => "owed",
            MessageState::Sending => "sending",
            MessageState::Sent => "sent",
            MessageState::InDoubt => "in-doubt",
            MessageState::Failed => "failed",
            MessageState::Cancelled => "cancelled",
            MessageState::Unaddressed => "unaddressed",
        }
    }

    /// Reads [`MessageState::word`] back.
    pub fn from_word(word: &str) -> Option<MessageState> {
        MessageState::ALL.into_iter().find(|s| s.word() == word)
    }

    /// Whether the table of legal moves has this edge.
    pub fn may_become(self, to: MessageState) -> bool {
        use MessageState::*;
        match self {
            Owed => matches!(to, Sending | Cancelled),
            Sending => matches!(to, Sent | Owed | InDoubt | Failed),
            InDoubt | Failed | Unaddressed => matches!(to, Sent | Owed | Cancelled),
            Sent | Cancelled => false,
        }
    }

    /// Nothing more will happen to it.
    pub fn is_final(self) -> bool {
        matches!(self, MessageState::Sent | MessageState::Cancelled)
    }

    /// Nothing more will happen to it by itself: a person looks.
    pub fn needs_a_person(self) -> bool {
        matches!(self, MessageState::InDoubt | MessageState::Failed | MessageState::Unaddressed)
    }
}

/// Longest address, and longest part before its `@` (RFC 5321).
const ADDRESS_MAX: usize = 254;
const LOCAL_MAX: usize = 64;

/// An e-mail address in the plain form that every mail server takes: `name@host`, ASCII, no quotes, no
/// display name. Blanks around it are dropped. What passes here can end no header and no command.
///
/// # Errors
/// What is wrong with it, in words.
pub fn email(text: &str) -> Result<String, &'static str> {
    let text = text.trim_matches(' ');
    let form = "not an e-mail address; write it like anna@example.com";
    let (local, host) = text.rsplit_once('@').ok_or(form)?;
    let atom = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&c);
    let dots = |s: &str| s.starts_with('.') || s.ends_with('.') || s.contains("..");
    if local.is_empty() || local.len() > LOCAL_MAX || !local.bytes().all(atom) || dots(local) {
        return Err(form);
    }
    let label = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
    };
    if text.len() > ADDRESS_MAX || !host.split('.').all(label) {
        return Err(form);
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_words_are_the_serde_words() {
        for s in MessageState::ALL {
            assert_eq!(serde_json::to_value(s).ok(), Some(serde_json::Value::from(s.word())));
            assert_eq!(MessageState::from_word(s.word()), Some(s));
        }
        for to in [To::Role(Role::PartnerTeam), To::Webhook("erp".to_owned())] {
            assert_eq!(To::from_word(&to.to_string()), Some(to));
        }
        assert_eq!((To::from_word("webhook:"), To::from_word("nobody")), (None, None));
    }

    #[test]
    fn nothing_leaves_a_final_state_and_sending_comes_only_from_owed() {
        for from in MessageState::ALL {
            for to in MessageState::ALL {
                let legal = from.may_become(to);
                assert!(!(from.is_final() && legal), "{from:?} -> {to:?}");
                assert!(!(from == to && legal), "{from:?} -> {to:?}");
                if to == MessageState::Sending {
                    assert_eq!(legal, from == MessageState::Owed);
                }
                if to == MessageState::InDoubt || to == MessageState::Failed {
                    assert_eq!(legal, from == MessageState::Sending);
                }
                assert!(!(to == MessageState::Unaddressed && legal), "only the birth is unaddressed");
                if from.needs_a_person() {
                    let ways = [MessageState::Owed, MessageState::Sent, MessageState::Cancelled];
                    assert_eq!(legal, ways.contains(&to));
                }
            }
        }
    }

    #[test]
    fn addresses_are_plain() {
        for good in ["anna@example.com", " anna@example.com ", "a.b+c@mail.example.co.uk", "dock@localhost"] {
            assert_eq!(email(good).as_deref(), Ok(good.trim()), "{good:?}");
        }
        let long = format!("{}@example.com", "a".repeat(65));
        let bad = [
            "",
            "anna",
            "@example.com",
            "anna@",
            "a b@example.com",
            "anna@exa mple.com",
            "anna@example..com",
            ".anna@example.com",
            "anna@-example.com",
            "Anna <anna@example.com>",
            "\"a\"@example.com",
            "anna@example.com\r\nBcc: x@example.com",
            "anna\n@example.com",
            "anna@example.com\n",
            "anna@[192.0.2.1]",
            "anna@exämple.com",
            "a@b@c.com",
            long.as_str(),
        ];
        for bad in bad {
            assert!(email(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn an_address_ends_no_header(text in "\\PC{0,30}@\\PC{0,30}|[a-z\\r\\n@.<>, ]{0,40}") {
            if let Ok(address) = email(&text) {
                prop_assert!(address.bytes().all(|b| b.is_ascii_graphic()));
                prop_assert!(!address.contains(['<', '>', ',', ';', ':']));
            }
        }
    }
}
