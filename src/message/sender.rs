//! The one thread that sends: a message at a time, fed by the core, answering into its inbox.
//!
//! When the station stops, a message whose text has not begun to leave stays where it is: the gate is
//! closed, and the thread may hang on a silent server as long as it likes. Only one whose text is out is
//! waited for, and not for long.

use super::settings::{Mail, Webhook};
use super::{Answer, Dispatch, Outcome, smtp, webhook};
use crate::domain::message::{MessageId, To};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender as Orders, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a stopping station waits for the answer to a text that is out.
const PATIENCE: Duration = Duration::from_secs(5);
/// Why a message was not handed over.
pub const STOPPED: &str = "the station stopped before it was handed over";

/// Where the thread is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Idle,
    /// Under way, and nothing of its text has left.
    Talking(MessageId),
    /// Its text is out.
    Handed,
}

#[derive(Debug)]
struct Inside {
    stage: Stage,
    closed: bool,
}

/// Stands between a message and the point of no return.
#[derive(Debug)]
pub(super) struct Gate {
    inside: Mutex<Inside>,
    moved: Condvar,
}

impl Gate {
    fn new() -> Gate {
        Gate { inside: Mutex::new(Inside { stage: Stage::Idle, closed: false }), moved: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        // A panic elsewhere leaves a stage that is still true.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the text may leave. From here on the message is in doubt until it is answered.
    pub(super) fn pass(&self) -> bool {
        let mut inside = self.lock();
        if !inside.closed {
            inside.stage = Stage::Handed;
        }
        !inside.closed
    }

    fn is(&self, stage: Stage) {
        self.lock().stage = stage;
        self.moved.notify_all();
    }

    fn is_handed(&self) -> bool {
        self.lock().stage == Stage::Handed
    }

    /// Lets nothing more through. A message that had not passed is given back.
    fn close(&self) -> Option<MessageId> {
        let until = Instant::now() + PATIENCE;
        let mut inside = self.lock();
        inside.closed = true;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match inside.stage {
                Stage::Idle => return None,
                Stage::Talking(id) => return Some(id),
                Stage::Handed if left.is_zero() => return None,
                Stage::Handed => {
                    inside = self.moved.wait_timeout(inside, left).unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }
}

/// Whom the thread can send to.
#[derive(Clone, Debug)]
pub struct Settings {
    pub station: String,
    pub mail: Option<Mail>,
    pub webhooks: Vec<Webhook>,
}

/// The thread's handle.
pub struct Sender {
    orders: Option<Orders<Dispatch>>,
    gate: Arc<Gate>,
}

impl Sender {
    /// Starts the thread; `tell` brings each answer back.
    ///
    /// # Errors
    /// No thread.
    pub fn start(settings: Settings, tell: impl FnMut(Answer) + Send + 'static) -> std::io::Result<Sender> {
        let (orders, queue) = channel();
        let gate = Arc::new(Gate::new());
        let there = gate.clone();
        thread::Builder::new().name("messages".to_owned()).spawn(move || run(&settings, &queue, &there, tell))?;
        Ok(Sender { orders: Some(orders), gate })
    }

    /// Sends a message. The next one is given only when this one is answered.
    pub fn send(&self, order: Dispatch) {
        if let Some(orders) = &self.orders {
            // The thread ends only with this handle.
            let _ = orders.send(order);
        }
    }

    /// Ends it. What was under way and not handed over comes back as the answer; what is handed over
    /// is answered through `tell`, if the other side answers soon.
    pub fn stop(&mut self) -> Option<Answer> {
        self.orders = None;
        let id = self.gate.close()?;
        Some(Answer { id, outcome: Outcome::Later { why: STOPPED.to_owned(), everything: false } })
    }
}

fn run(settings: &Settings, orders: &Receiver<Dispatch>, gate: &Gate, mut tell: impl FnMut(Answer)) {
    for order in orders {
        let id = order.message.id;
        gate.is(Stage::Talking(id));
        let began = Instant::now();
        // A mistake in a library must not leave a message unanswered.
        let outcome = catch_unwind(AssertUnwindSafe(|| send(settings, &order, gate))).unwrap_or_else(|_| {
            let why = "the sender broke down; see the log".to_owned();
            if gate.is_handed() { Outcome::InDoubt(why) } else { Outcome::Later { why, everything: true } }
        });
        tracing::debug!(id, ?outcome, took = ?began.elapsed(), "message");
        tell(Answer { id, outcome });
        gate.is(Stage::Idle);
    }
}

/// Sends one message to whom it is for.
fn send(settings: &Settings, order: &Dispatch, gate: &Gate) -> Outcome {
    let gone = |what: &str| Outcome::Later { why: format!("{what} is no longer configured"), everything: true };
    match &order.message.to {
        To::Role(_) => match &settings.mail {
            Some(mail) => smtp::send(mail, &settings.station, order, gate),
            None => gone("[mail]"),
        },
        To::Webhook(name) => match settings.webhooks.iter().find(|hook| hook.name == *name) {
            Some(hook) => webhook::post(hook, &settings.station, order),
            None => gone(&format!("webhook {name:?}")),
        },
    }
}
