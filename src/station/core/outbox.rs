//! Messages: owed exactly once, handed to the sender one at a time, and what became of them.
//!
//! [`Core::owe`] is the one door: whoever has a reason to write to somebody comes through it, inside
//! the open transaction. The message is put into words there and then. With it go the webhooks that want
//! to hear of the same thing; each is a message of its own.

use super::{Core, Failed};
use crate::config::Config;
use crate::domain::event::Event;
use crate::domain::message::{Message, MessageId, MessageState, To, email};
use crate::domain::rma::Rma;
use crate::domain::verdict::Role;
use crate::message::queue::{Lane, Queue, pause};
use crate::message::{Answer, Dispatch, Outcome, Owed, Templates, Terms, render};
use crate::program::Programs;
use crate::station::request::{Response, Settled, head};
use crate::store::{Head, Reader, StoreError, know, messages};
use chrono::{DateTime, FixedOffset, SecondsFormat};
use serde_json::json;
use std::collections::BTreeMap;

/// The core's memory of the outbox; the table has the rest.
pub(in crate::station) struct Outbox {
    templates: Templates,
    last: MessageId,
    queue: Queue,
    /// Tries so far of the messages that had any.
    attempts: BTreeMap<MessageId, u32>,
    /// Moved to `sending` in this batch.
    fresh: Option<Dispatch>,
    /// For the log, when it is durable.
    news: Vec<News>,
    /// Answers that could not be written.
    unwritten: Vec<Answer>,
    /// How many need a person.
    people: usize,
    /// Whether there is a thread that sends.
    open: bool,
}

/// What became of a message.
struct News {
    id: MessageId,
    to: MessageState,
    attempt: u32,
    why: String,
    next: Option<DateTime<FixedOffset>>,
}

impl News {
    fn log(self) {
        let News { id, to, attempt, why, next } = self;
        match to {
            MessageState::Sent => tracing::info!(id, attempt, said = why, "message sent"),
            MessageState::Owed => tracing::info!(id, attempt, why, next = next.map(stamp), "message not sent yet"),
            _ => tracing::warn!(id, attempt, why, state = to.word(), "a message needs a person"),
        }
    }
}

impl Outbox {
    pub(super) fn new(config: &Config, programs: &Programs) -> Result<Outbox, StoreError> {
        let (templates, _) = Templates::read(programs).map_err(|problems| {
            let first = problems.first().map(|p| p.to_string()).unwrap_or_default();
            StoreError::Unreadable(format!("a template of messages: {first}"))
        })?;
        let hooks = config.webhooks.iter().map(|hook| Lane::Webhook(hook.name.clone()));
        let queue = Queue::new(config.mail.iter().map(|_| Lane::Mail).chain(hooks));
        Ok(Outbox {
            templates,
            last: 0,
            queue,
            attempts: BTreeMap::new(),
            fresh: None,
            news: Vec::new(),
            unwritten: Vec::new(),
            people: 0,
            open: false,
        })
    }

    /// Takes from the database what a transaction can change.
    pub(super) fn reload(&mut self, conn: &Reader, station: &str) -> Result<(), StoreError> {
        // First what must not leave when the rest cannot be read.
        self.queue.clear();
        self.attempts.clear();
        self.fresh = None;
        self.news.clear();
        self.people = 0;
        self.last = messages::last_id(conn, station)?;
        for row in messages::open(conn, station)? {
            let lane = Lane::of(&row.to);
            match row.state {
                MessageState::Owed => {
                    let next = row.next_try.as_deref().and_then(|t| DateTime::parse_from_rfc3339(t).ok());
                    self.queue.push(&lane, row.id, next);
                }
                MessageState::Sending => self.queue.set_out(lane, row.id),
                _ => self.people += 1,
            }
            if row.attempt > 0 {
                self.attempts.insert(row.id, row.attempt);
            }
        }
        Ok(())
    }

    pub(super) fn close(&mut self) {
        self.open = false;
    }

    pub(super) fn has_unwritten(&self) -> bool {
        !self.unwritten.is_empty()
    }

    pub(super) fn take_unwritten(&mut self) -> impl Iterator<Item = Answer> + use<> {
        std::mem::take(&mut self.unwritten).into_iter()
    }

    /// Keeps an answer until it can be written.
    pub(super) fn keep(&mut self, answer: Answer) {
        self.unwritten.push(answer);
    }

    /// The batch is durable: what may go to the sender now.
    pub(super) fn take_fresh(&mut self) -> Option<Dispatch> {
        self.news.drain(..).for_each(News::log);
        self.fresh.take()
    }

    pub fn people(&self) -> usize {
        self.people
    }
}

impl Core {
    /// There is a thread that sends.
    pub fn messages_can_leave(&mut self) {
        self.outbox.open = true;
    }

    /// Whether a message may go now.
    pub fn message_is_due(&self, now: DateTime<FixedOffset>) -> bool {
        self.outbox.open && self.outbox.queue.next(now).is_some()
    }

    /// Owes a message, inside the open transaction. Does nothing where its cause was owed before.
    pub(in crate::station) fn owe(&mut self, owed: Owed, head: &Head) -> Result<(), Failed> {
        if messages::was_owed(&self.store.conn, &self.config.station.id, &owed.cause)? {
            return Ok(());
        }
        let programs = self.programs.clone();
        let unknown = || Failed::Unanswered(format!("program {:?} is not served here", owed.rma.program));
        let issued_under = programs.issued_under(&owed.rma.program, &owed.rma.program_version);
        let current = programs.get(&owed.rma.program).or(issued_under).ok_or_else(unknown)?;
        let terms = Terms { current, issued_under: issued_under.unwrap_or(current) };
        let text = render::render(&self.outbox.templates, &owed, terms, head.at.date_naive());
        let recipients = addresses(&programs, owed.rma, owed.to);
        let state = if recipients.is_empty() { MessageState::Unaddressed } else { MessageState::Owed };
        let message = Message {
            id: self.outbox.last + 1,
            cause: owed.cause.clone(),
            rma: owed.rma.number.clone(),
            unit: owed.unit.map(str::to_owned),
            program: owed.rma.program.clone(),
            to: To::Role(owed.to),
            about: owed.about.to_owned(),
            rule: owed.rule.to_owned(),
            subject: text.subject,
            body: text.body,
            recipients,
        };
        let config = self.config.clone();
        let copies =
            config.webhooks.iter().filter(|hook| hook.wants(owed.about)).enumerate().map(|(n, hook)| Message {
                id: message.id + 1 + n as MessageId,
                cause: format!("{}/{}", message.cause, To::Webhook(hook.name.clone())),
                to: To::Webhook(hook.name.clone()),
                body: posted(&config.station.id, &message, owed.rma, head).to_string(),
                recipients: Vec::new(),
                ..message.clone()
            });
        let copies: Vec<Message> = copies.collect();
        self.add(message, state, head)?;
        copies.into_iter().try_for_each(|copy| self.add(copy, MessageState::Owed, head))
    }

    fn add(&mut self, message: Message, state: MessageState, head: &Head) -> Result<(), Failed> {
        let (id, lane) = (message.id, Lane::of(&message.to));
        self.store.append(head, &Event::MessageOwed { message, state })?;
        self.outbox.last = id;
        match state {
            MessageState::Owed => self.outbox.queue.push(&lane, id, None),
            _ => self.outbox.people += 1,
        }
        Ok(())
    }

    /// Moves the next message to `sending` where the sender is free.
    pub(super) fn dispatch(&mut self, now: DateTime<FixedOffset>) -> Result<(), Failed> {
        if !self.outbox.open || self.outbox.fresh.is_some() {
            return Ok(());
        }
        let Some((id, lane)) = self.outbox.queue.next(now) else { return Ok(()) };
        let station = &self.config.station.id;
        let Some(row) = messages::one(&self.store.conn, station, id)?.filter(|row| row.state == MessageState::Owed)
        else {
            self.outbox.queue.remove(id);
            return Ok(());
        };
        let message = messages::message(&self.store.conn, &row)?;
        let event = Event::MessageMoved {
            id,
            from: MessageState::Owed,
            to: MessageState::Sending,
            why: String::new(),
            attempt: row.attempt + 1,
            next_try: None,
            recipients: None,
        };
        self.store.append(&self.head(now, None, None), &event)?;
        self.outbox.attempts.insert(id, row.attempt + 1);
        self.outbox.queue.start(id, lane);
        self.outbox.fresh = Some(Dispatch { message, at: now });
        Ok(())
    }

    /// Writes what became of the message that was out.
    pub(super) fn message_answered(&mut self, answer: &Answer, now: DateTime<FixedOffset>) -> Result<(), Failed> {
        let id = answer.id;
        if self.outbox.queue.out() != Some(id) {
            // Given back already, when the station stopped.
            return Ok(());
        }
        let attempt = self.outbox.attempts.get(&id).copied().unwrap_or(1);
        let mut unreachable = false;
        let (to, why, pause) = match &answer.outcome {
            Outcome::Sent(said) => (MessageState::Sent, said.clone(), None),
            Outcome::Failed(why) => (MessageState::Failed, why.clone(), None),
            Outcome::InDoubt(why) => (MessageState::InDoubt, why.clone(), None),
            Outcome::Later { why, everything } => {
                unreachable = *everything;
                match pause(attempt) {
                    Some(pause) => (MessageState::Owed, why.clone(), Some(pause)),
                    None => (MessageState::Failed, format!("given up after {attempt} tries: {why}"), None),
                }
            }
        };
        let next = pause.map(|pause| now + pause);
        self.outbox.news.push(News { id, to, attempt, why: why.clone(), next });
        self.move_message(id, MessageState::Sending, to, why, attempt, next, &self.head(now, None, None))?;
        let lane = self.outbox.queue.back(unreachable, now);
        if let (Some(lane), MessageState::Owed) = (lane, to) {
            self.outbox.queue.push(&lane, id, next);
        }
        Ok(())
    }

    /// What an earlier run left `sending`: a webhook may be repeated, an e-mail is in doubt.
    pub(super) fn settle_left_over(&mut self, now: DateTime<FixedOffset>) -> Result<(), StoreError> {
        let station = self.config.station.id.clone();
        let open = messages::open(&self.store.conn, &station)?;
        let left: Vec<_> = open.into_iter().filter(|row| row.state == MessageState::Sending).collect();
        if left.is_empty() {
            return Ok(());
        }
        self.store.begin()?;
        let head = self.head(now, None, None);
        let done = left.iter().try_for_each(|row| {
            let why = "the station ended before the answer was there".to_owned();
            let to = match row.to {
                To::Role(_) => MessageState::InDoubt,
                To::Webhook(_) => MessageState::Owed,
            };
            self.move_message(row.id, row.state, to, why, row.attempt, None, &head)
        });
        match done.and_then(|()| self.store.commit()) {
            Ok(()) => self.outbox.reload(&self.store.conn, &station),
            Err(e) => {
                self.store.rollback();
                Err(e)
            }
        }
    }

    #[allow(clippy::too_many_arguments)] // the fields of one event, in its order
    fn move_message(
        &mut self,
        id: MessageId,
        from: MessageState,
        to: MessageState,
        why: String,
        attempt: u32,
        next: Option<DateTime<FixedOffset>>,
        head: &Head,
    ) -> Result<(), StoreError> {
        let event = Event::MessageMoved { id, from, to, why, attempt, next_try: next.map(stamp), recipients: None };
        self.store.append(head, &event)?;
        self.outbox.people += usize::from(to.needs_a_person());
        self.outbox.people -= usize::from(from.needs_a_person()).min(self.outbox.people);
        Ok(())
    }

    /// A person's word on a message, inside the open transaction.
    pub(in crate::station) fn settle_message(
        &mut self,
        id: MessageId,
        how: Settled,
        by: &str,
        now: DateTime<FixedOffset>,
    ) -> Result<Response, StoreError> {
        let station = self.config.station.id.clone();
        let Some(row) = messages::one(&self.store.conn, &station, id)? else {
            return Ok(Response::refused(format!("there is no message {id}; `backdock outbox` lists them")));
        };
        let to = match how {
            Settled::Sent => MessageState::Sent,
            Settled::Retry => MessageState::Owed,
            Settled::Cancel => MessageState::Cancelled,
        };
        if !row.state.may_become(to) {
            return Ok(Response::refused(format!(
                "message {id} is {}; it cannot become {}",
                row.state.word(),
                to.word()
            )));
        }
        let mut recipients = None;
        if let (Settled::Retry, To::Role(role)) = (how, &row.to) {
            // Whoever is named today: the address may have been what was wrong.
            let rma = know::rma(&self.store.conn, &row.rma)?;
            let found = rma.map(|rma| addresses(&self.programs, &rma, *role)).unwrap_or_default();
            if found.is_empty() {
                let what = match role {
                    Role::Customer => format!("RMA {} has no e-mail address", row.rma),
                    role => format!("[contacts] {role} of program {} has no address", row.program),
                };
                return Ok(Response::refused(format!("message {id} cannot be sent: {what}")));
            }
            recipients = (found != row.recipients).then_some(found);
        }
        let why = match how {
            Settled::Sent => format!("{by}: it arrived, or was told in another way"),
            Settled::Retry => format!("{by}: to be sent again"),
            Settled::Cancel => format!("{by}: not wanted"),
        };
        let event = Event::MessageMoved { id, from: row.state, to, why, attempt: 0, next_try: None, recipients };
        self.store.append(&head(now), &event)?;
        self.outbox.people -= usize::from(row.state.needs_a_person()).min(self.outbox.people);
        self.outbox.attempts.remove(&id);
        self.outbox.queue.remove(id);
        if to == MessageState::Owed {
            self.outbox.queue.push(&Lane::of(&row.to), id, None);
        }
        Ok(Response::done(format!("message {id} is {}", to.word()), json!({"message": id, "state": to.word()})))
    }
}

/// Where a message to a role goes today.
fn addresses(programs: &Programs, rma: &Rma, to: Role) -> Vec<String> {
    let named: Vec<String> = match to {
        Role::Customer => rma.email.iter().cloned().collect(),
        role => programs.get(&rma.program).map(|p| p.contacts(role).to_vec()).unwrap_or_default(),
    };
    // What is not an address by now never was one: the file and the import have said so.
    named.iter().filter_map(|text| email(text).ok()).collect()
}

/// What a webhook is told.
fn posted(station: &str, message: &Message, rma: &Rma, head: &Head) -> serde_json::Value {
    json!({
        "station": station,
        "at": stamp(head.at),
        "cause": message.cause,
        "rma": message.rma,
        "ticket": render::ticket(rma),
        "customer": rma.customer,
        "unit": message.unit,
        "program": message.program,
        "to": message.to,
        "about": message.about,
        "rule": message.rule,
        "subject": message.subject,
        "text": message.body,
    })
}

fn stamp(at: DateTime<FixedOffset>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, false)
}

#[cfg(test)]
mod tests;
