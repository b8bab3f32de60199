//! Where everything arrives: a bounded queue per scanner, one for the printers' news, one for what
//! became of messages, one for requests, and a bell that wakes the core. Queues are emptied in turn, so that a scanner that
//! runs wild delays no other.

use super::core::Input;
use super::request::{Request, Response};
use crate::device::DeviceEvent;
use crate::message::Answer;
use crate::printer::PrinterEvent;
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

/// Requests that wait at most; further callers wait in line.
const REQUESTS: usize = 16;

/// Wakes the core. Ringing twice is ringing once.
#[derive(Clone)]
pub struct Bell(SyncSender<()>);

impl Bell {
    pub fn ring(&self) {
        // Full: it rings already.
        let _ = self.0.try_send(());
    }
}

type Caller = (Box<Request>, Box<dyn FnOnce(Response) + Send>);

pub struct Inbox {
    bell: Receiver<()>,
    scanners: Vec<Receiver<DeviceEvent>>,
    /// Queues of scanners that were found while the station runs.
    found: Receiver<Receiver<DeviceEvent>>,
    found_in: Sender<Receiver<DeviceEvent>>,
    news: Receiver<(usize, PrinterEvent)>,
    news_in: Sender<(usize, PrinterEvent)>,
    answers: Receiver<Answer>,
    answers_in: Sender<Answer>,
    requests: Receiver<Caller>,
    requests_in: SyncSender<Caller>,
    /// Taken off a queue only to see whether there was something.
    peeked: VecDeque<Input>,
}

impl Inbox {
    pub fn new() -> (Inbox, Bell) {
        let (ring, bell) = sync_channel(1);
        let (news_in, news) = channel();
        let (answers_in, answers) = channel();
        let (found_in, found) = channel();
        let (requests_in, requests) = sync_channel(REQUESTS);
        let inbox = Inbox {
            bell,
            scanners: Vec::new(),
            found,
            found_in,
            news,
            news_in,
            answers,
            answers_in,
            requests,
            requests_in,
            peeked: VecDeque::new(),
        };
        (inbox, Bell(ring))
    }

    /// A scanner's way in: blocks while its queue is full; `false` when nobody listens any more.
    pub fn scanner(&mut self, capacity: usize, bell: &Bell) -> impl FnMut(DeviceEvent) -> bool + Send + 'static {
        let (events, queue) = sync_channel(capacity);
        self.scanners.push(queue);
        let bell = bell.clone();
        move |event| {
            let listened = events.send(event).is_ok();
            bell.ring();
            listened
        }
    }

    /// Ways in for scanners that are yet to be found: each call makes one with a queue of its own.
    pub fn scanners(
        &self,
        capacity: usize,
        bell: &Bell,
    ) -> impl FnMut() -> Box<dyn FnMut(DeviceEvent) -> bool + Send> + Send + 'static {
        let (found, bell) = (self.found_in.clone(), bell.clone());
        move || {
            let (events, queue) = sync_channel(capacity);
            // Refused only when the inbox is gone; then so is the queue, and the scanner hears of it.
            let _ = found.send(queue);
            let bell = bell.clone();
            Box::new(move |event| {
                let listened = events.send(event).is_ok();
                bell.ring();
                listened
            })
        }
    }

    /// A printer's way in. Its news is bounded by what it was asked to print.
    pub fn printer(&self, printer: usize, bell: &Bell) -> impl FnMut(PrinterEvent) + Send + 'static {
        let (news, bell) = (self.news_in.clone(), bell.clone());
        move |event| {
            let _ = news.send((printer, event));
            bell.ring();
        }
    }

    /// The sender's way in. One message is out at a time, and so one answer waits at most.
    pub fn answers(&self, bell: &Bell) -> impl FnMut(Answer) + Send + 'static {
        let (answers, bell) = (self.answers_in.clone(), bell.clone());
        move |answer| {
            let _ = answers.send(answer);
            bell.ring();
        }
    }

    /// The callers' way in.
    pub fn requests(&self, bell: &Bell) -> impl Fn(Request) -> Response + Clone + Send + 'static {
        let (requests, bell) = (self.requests_in.clone(), bell.clone());
        move |request| {
            let (tell, told) = sync_channel(1);
            let sent = requests.send((Box::new(request), Box::new(move |r| drop(tell.send(r)))));
            bell.ring();
            let gone = || Response::again("the station is stopping; ask again when it runs");
            if sent.is_err() { gone() } else { told.recv().unwrap_or_else(|_| gone()) }
        }
    }

    /// Waits up to `patience` for something, then takes up to `most`.
    pub fn wait(&mut self, most: usize, patience: Duration) -> Vec<Input> {
        let until = Instant::now() + patience;
        loop {
            let inputs = self.drain(most);
            let left = until.saturating_duration_since(Instant::now());
            if !inputs.is_empty() || left.is_zero() {
                return inputs;
            }
            if self.bell.recv_timeout(left).is_err() {
                return self.drain(most);
            }
        }
    }

    /// Takes what is there, up to `most`, one from each queue in turn.
    pub fn drain(&mut self, most: usize) -> Vec<Input> {
        let mut inputs: Vec<Input> = self.peeked.drain(..).collect();
        self.scanners.extend(self.found.try_iter());
        loop {
            let before = inputs.len();
            // The printers' news first: it makes room for new labels.
            while inputs.len() < most
                && let Ok((i, event)) = self.news.try_recv()
            {
                inputs.push(Input::Printer(i, event));
            }
            if inputs.len() < most
                && let Ok(answer) = self.answers.try_recv()
            {
                inputs.push(Input::Message(answer));
            }
            for queue in &self.scanners {
                if inputs.len() < most
                    && let Ok(event) = queue.try_recv()
                {
                    inputs.push(Input::Device(event));
                }
            }
            if inputs.len() < most
                && let Ok((request, reply)) = self.requests.try_recv()
            {
                inputs.push(Input::Request(request, reply));
                // A request may be a slice of an import: one to a transaction, so that scans wait for no more.
                return inputs;
            }
            if inputs.len() == before || inputs.len() >= most {
                return inputs;
            }
        }
    }

    /// Whether nothing waits.
    pub fn is_empty(&mut self) -> bool {
        if self.peeked.is_empty() {
            let next = self.drain(1);
            self.peeked.extend(next);
        }
        self.peeked.is_empty()
    }
}
