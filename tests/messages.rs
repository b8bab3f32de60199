//! Messages over real wires: a mail server and a receiver of webhooks that do whatever a script says,
//! and between them the sender alone ([`smtp`], [`webhook`]) or the whole, unmodified binary ([`station`]).
//!
//! What must hold: an e-mail is handed over once; what was not handed over is tried again; what nobody
//! can prove is in doubt. The independent server, TLS and passwords have a stage of their own,
//! `tests/stages/messages`.

mod support;

#[path = "messages/peer.rs"]
mod peer;
#[path = "messages/receiver.rs"]
mod receiver;
#[path = "messages/smtp.rs"]
mod smtp;
#[path = "messages/station.rs"]
mod station;
#[path = "messages/webhook.rs"]
mod webhook;

use backdock::domain::message::{Message, To};
use backdock::domain::verdict::Role;
use backdock::message::sender::{Sender, Settings};
use backdock::message::{Answer, Dispatch, Outcome};
use std::sync::mpsc::{Receiver, channel};
use support::PATIENCE;

/// A message as the core hands it over.
fn message(id: i64) -> Message {
    Message {
        id,
        cause: format!("RMA4711/test/{id}"),
        rma: "RMA4711".to_owned(),
        unit: Some("KDX0000001".to_owned()),
        program: "voip-reseller".to_owned(),
        to: To::Role(Role::Management),
        about: "test".to_owned(),
        rule: "A-19".to_owned(),
        subject: "RMA RMA4711: a test".to_owned(),
        body: "First line.\n.\n..two dots\nLast line.\n".to_owned(),
        recipients: vec!["anna@example.com".to_owned()],
    }
}

/// A sender with its answers.
struct Bench {
    sender: Sender,
    answers: Receiver<Answer>,
}

impl Bench {
    fn new(settings: Settings) -> Bench {
        let (tell, answers) = channel();
        let sender = Sender::start(settings, move |answer| drop(tell.send(answer))).expect("a thread");
        Bench { sender, answers }
    }

    fn hand_over(&self, message: Message) {
        let at = chrono::DateTime::parse_from_rfc3339("2026-03-02T12:00:00-06:00").expect("a time");
        self.sender.send(Dispatch { message, at });
    }

    fn answer(&self) -> Outcome {
        self.answers.recv_timeout(PATIENCE).expect("an answer").outcome
    }

    /// Sends and waits for what became of it.
    fn send(&self, message: Message) -> Outcome {
        self.hand_over(message);
        self.answer()
    }
}
