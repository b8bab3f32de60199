//! Messages: e-mails and webhooks that a program owes to somebody, each sent once.
//!
//! Problem: a station writes to customers and to its own people without anybody watching, over a
//! network that may be down for days. A message must not be lost, and must not go out twice.
//!
//! [`template`] and [`render`] are pure: a message is put into words when it is owed, in the
//! transaction of what made it owed, and is the same to the byte at every try. [`queue`] is pure too:
//! which message goes next, and when again after a failure. [`sender`] is the one thread with a wire;
//! it speaks SMTP ([`smtp`]) and HTTP ([`webhook`]).
//!
//! What is promised of a message handed over in a [`Dispatch`], already written down as `sending`:
//! - an e-mail is handed to the mail server at most once. Until the last byte of its text has left, every
//!   failure means *not sent*, and it is tried again; after it, silence means *in doubt*, and a person
//!   decides. A refusal for good is kept with the server's words;
//! - a webhook bears the same `Idempotency-Key` at every try, so it may be repeated until it is answered;
//! - nothing waits longer than its timeout, and the station waits for nothing here.

pub mod queue;
pub mod render;
pub mod sender;
pub mod settings;
mod smtp;
pub mod template;
mod trust;
mod webhook;

use crate::domain::message::{Message, MessageId};
use chrono::{DateTime, FixedOffset};

pub use render::{Fields, Owed, Terms};
pub use settings::{Mail, Webhook};
pub use template::Templates;

/// A message to be sent now.
#[derive(Clone, Debug)]
pub struct Dispatch {
    pub message: Message,
    pub at: DateTime<FixedOffset>,
}

/// What became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    pub id: MessageId,
    pub outcome: Outcome,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The other side took it; its words.
    Sent(String),
    /// Not handed over. `everything`: nothing else will get through there either.
    Later { why: String, everything: bool },
    /// Refused for good.
    Failed(String),
    /// It may have arrived.
    InDoubt(String),
}
