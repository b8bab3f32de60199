//! A dialogue over a link: one thread that opens, writes and keeps time, and one that reads.
//!
//! Both wait on the kernel, so an idle printer costs two short exchanges a second and nothing else.
//! Writing may take as long as the printer holds the line (paper out with a full buffer is normal): the
//! thread then says so at every [`STEP`](super::link::STEP) and goes on; it never gives a label up
//! half-way while the connection stands.

use super::dialogue::{Dialogue, Input, Output};
use super::link::{Link, NotTaken, Trouble, Writer};
use super::{Order, Pace, PrinterEvent};
use crate::domain::job::{Expectation, JobId};
use crate::zebra::Fault;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Reads of 4 KiB that may wait for the thread that decides. A printer that sends on and on then waits itself.
const READS_MAX: usize = 16;
/// How often the reading thread looks whether it may go on.
const READ_RETRY: Duration = Duration::from_millis(2);

/// One configured printer.
#[derive(Clone, Debug)]
pub struct Settings {
    pub name: String,
    pub dpi: u32,
    pub stock: String,
    pub pace: Pace,
}

enum Message {
    Order(Order),
    Bytes(u64, Vec<u8>),
    /// The reader of connection `.0` ended.
    Ended(u64, Trouble),
    Stop,
}

/// A running printer thread.
pub struct Printer {
    inbox: Sender<Message>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Printer {
    /// Starts the thread. `tell` is called from it, for every event.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(
        settings: Settings,
        link: Box<dyn Link>,
        unsettled: Vec<(JobId, Option<Expectation>)>,
        tell: impl FnMut(PrinterEvent) + Send + 'static,
    ) -> std::io::Result<Printer> {
        let (inbox, messages) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let mut worker = Worker {
            link,
            inbox: inbox.clone(),
            stop: stop.clone(),
            tell: Box::new(tell),
            start: Instant::now(),
            open: None,
            generation: 0,
        };
        let thread = std::thread::Builder::new().name(format!("printer {}", settings.name)).spawn(move || {
            let (dialogue, first) = Dialogue::new(settings.stock, settings.dpi, settings.pace, unsettled);
            worker.run(dialogue, first, &messages);
        })?;
        Ok(Printer { inbox, stop, thread: Some(thread) })
    }

    /// Hands labels over; they must be written down as `sending` already.
    pub fn send(&self, order: Order) {
        // The thread only ends when told to; an order after that is found `sending` at the next start.
        let _ = self.inbox.send(Message::Order(order));
    }

    /// Tells the thread to end, and does not wait for it.
    pub fn ask_to_stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.inbox.send(Message::Stop);
    }

    /// Ends the thread. A label being written is left as it is and reconciled at the next start.
    pub fn stop(&mut self) {
        self.ask_to_stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Worker {
    link: Box<dyn Link>,
    inbox: Sender<Message>,
    stop: Arc<AtomicBool>,
    tell: Box<dyn FnMut(PrinterEvent) + Send>,
    start: Instant,
    open: Option<Open>,
    /// Counts connections, so that a late word from an old one is not taken for a new one's.
    generation: u64,
}

/// An open link.
struct Open {
    writer: Box<dyn Writer>,
    /// Tells the reading thread to end.
    over: Arc<AtomicBool>,
    /// Reads that were not taken yet.
    waiting: Arc<AtomicUsize>,
    reading: JoinHandle<()>,
}

/// How a write ended: how many bytes may have been taken before the link broke, and why it did.
type Cut = (usize, Trouble);

impl Worker {
    fn run(&mut self, mut dialogue: Dialogue, first: Vec<Output>, messages: &Receiver<Message>) {
        self.act(&mut dialogue, first);
        while !self.stop.load(Ordering::Relaxed) {
            let now = self.start.elapsed();
            let wait = dialogue.deadline().saturating_sub(now);
            let message = match messages.recv_timeout(wait) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let now = self.start.elapsed();
            if let (Some(Message::Bytes(g, _)), Some(open)) = (&message, &self.open)
                && *g == self.generation
            {
                open.waiting.fetch_sub(1, Ordering::Relaxed);
            }
            let outputs = match &message {
                None => dialogue.on(now, Input::Tick),
                Some(Message::Order(order)) => dialogue.on(now, Input::Order(order.clone())),
                Some(Message::Bytes(g, bytes)) if *g == self.generation => dialogue.on(now, Input::Bytes(bytes)),
                Some(Message::Ended(g, Trouble { fault, why })) if *g == self.generation && self.open.is_some() => {
                    dialogue.on(now, Input::Broken { fault: *fault, why, during: None })
                }
                Some(Message::Bytes(..) | Message::Ended(..)) => continue,
                Some(Message::Stop) => break,
            };
            self.act(&mut dialogue, outputs);
        }
        self.close();
        // What was handed over and not begun goes back: not one byte of it left.
        for message in messages.try_iter() {
            if let Message::Order(order) = message {
                let jobs = order.jobs.iter().map(|j| j.id).collect();
                (self.tell)(PrinterEvent::NotSent { jobs, why: "the station was stopping".to_owned() });
            }
        }
    }

    fn act(&mut self, dialogue: &mut Dialogue, outputs: Vec<Output>) {
        let mut todo = VecDeque::from(outputs);
        while let Some(output) = todo.pop_front() {
            let (job, written) = match output {
                Output::Tell(event) => {
                    (self.tell)(event);
                    continue;
                }
                Output::Close => {
                    self.close();
                    continue;
                }
                Output::Connect => {
                    let opened = self.connect();
                    let now = self.start.elapsed();
                    todo.extend(match &opened {
                        Ok(()) => dialogue.on(now, Input::Connected),
                        Err(Trouble { fault, why }) => dialogue.on(now, Input::NotConnected { fault: *fault, why }),
                    });
                    continue;
                }
                Output::Ask(bytes) => (None, self.write(&bytes, dialogue)),
                Output::Label { job, zpl } => {
                    if let Some(Err(why)) = self.open.as_ref().map(|o| o.writer.carries(zpl.as_bytes())) {
                        todo.extend(dialogue.on(self.start.elapsed(), Input::Unfit { job, why: &why }));
                        continue;
                    }
                    (Some(job), self.write(zpl.as_bytes(), dialogue))
                }
            };
            let now = self.start.elapsed();
            // What was decided first is done first, except that news of a break goes before the rest.
            match (job, written) {
                (None, Ok(())) => {}
                (Some(job), Ok(())) => todo.extend(dialogue.on(now, Input::Wrote(job))),
                (job, Err((taken, Trouble { fault, why }))) => {
                    todo.retain(|o| matches!(o, Output::Tell(_)));
                    let during = job.map(|job| (job, taken));
                    todo.extend(dialogue.on(now, Input::Broken { fault, why: &why, during }));
                }
            }
        }
    }

    fn connect(&mut self) -> Result<(), Trouble> {
        self.close();
        let super::link::Halves { mut reader, writer } = self.link.open()?;
        self.generation += 1;
        let over = Arc::new(AtomicBool::new(false));
        let waiting = Arc::new(AtomicUsize::new(0));
        let (generation, inbox, ends, ahead) = (self.generation, self.inbox.clone(), over.clone(), waiting.clone());
        let thread = std::thread::Builder::new().name("printer reads".into()).stack_size(64 * 1024);
        let reading = thread.spawn(move || {
            let mut buffer = [0u8; 4096];
            while !ends.load(Ordering::Relaxed) {
                if ahead.load(Ordering::Relaxed) >= READS_MAX {
                    std::thread::sleep(READ_RETRY);
                    continue;
                }
                let message = match reader.read(&mut buffer) {
                    Ok(0) => continue,
                    Ok(n) => {
                        ahead.fetch_add(1, Ordering::Relaxed);
                        Message::Bytes(generation, buffer[..n].to_vec())
                    }
                    Err(trouble) => Message::Ended(generation, trouble),
                };
                let ended = matches!(message, Message::Ended(..));
                if inbox.send(message).is_err() || ended {
                    return;
                }
            }
        });
        let reading = reading.map_err(|e| Trouble::new(Fault::Unreachable, format!("no thread to read with: {e}")))?;
        self.open = Some(Open { writer, over, waiting, reading });
        Ok(())
    }

    /// Writes all of `bytes`, however long the printer holds the line.
    fn write(&mut self, bytes: &[u8], dialogue: &mut Dialogue) -> Result<(), Cut> {
        let Some(open) = &mut self.open else {
            return Err((0, Trouble::new(Fault::Unreachable, "not connected")));
        };
        let mut taken = 0;
        while taken < bytes.len() {
            match open.writer.write(&bytes[taken..]) {
                Ok(n) => taken += n,
                Err(NotTaken::Broken { trouble, perhaps }) => return Err((taken + perhaps, trouble)),
                Err(NotTaken::Stalled) => {
                    if self.stop.load(Ordering::Relaxed) {
                        return Err((taken, Trouble::new(Fault::BufferStuck, "the station is stopping")));
                    }
                    for output in dialogue.on(self.start.elapsed(), Input::Stalled) {
                        if let Output::Tell(event) = output {
                            (self.tell)(event);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Ends the connection and waits for its reader, so that the device is free when it is opened anew.
    fn close(&mut self) {
        if let Some(Open { mut writer, over, reading, .. }) = self.open.take() {
            over.store(true, Ordering::Relaxed);
            writer.hang_up();
            drop(writer);
            let _ = reading.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::OrderJob;
    use super::super::link::{Halves, Reader};
    use super::super::tcp::Tcp;
    use super::*;

    #[test]
    fn an_order_that_a_stop_overtakes_goes_back() {
        let expects = Expectation { unique_id: "D2J1".to_owned(), odometer: 7 };
        let job = OrderJob { id: 5, zpl: "^XA^FDx^FS^XZ".into(), expects };
        let (inbox, messages) = channel();
        inbox.send(Message::Order(Order { jobs: vec![job] })).unwrap();
        let (told, events) = channel();
        let mut worker = Worker {
            link: Box::new(Tcp { address: ([127, 0, 0, 1], 9).into() }),
            inbox,
            stop: Arc::new(AtomicBool::new(true)),
            tell: Box::new(move |event| drop(told.send(event))),
            start: Instant::now(),
            open: None,
            generation: 0,
        };
        let (dialogue, _) = Dialogue::new("4x3".to_owned(), 203, Pace::default(), Vec::new());
        worker.run(dialogue, Vec::new(), &messages);
        let why = "the station was stopping".to_owned();
        assert_eq!(events.try_iter().collect::<Vec<_>>(), [PrinterEvent::NotSent { jobs: vec![5], why }]);
    }

    /// Sends on and on, and tells of every read; so often at most that a missing limit harms no machine.
    struct Chatter(Sender<()>, usize);

    impl Link for Chatter {
        fn open(&mut self) -> Result<Halves, Trouble> {
            let half = || Box::new(Chatter(self.0.clone(), self.1));
            Ok(Halves { reader: half(), writer: half() })
        }
    }

    impl Reader for Chatter {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Trouble> {
            self.1 = self.1.checked_sub(1).ok_or_else(|| Trouble::new(Fault::Unreachable, "enough"))?;
            let _ = self.0.send(());
            Ok(buffer.len())
        }
    }

    impl Writer for Chatter {
        fn write(&mut self, bytes: &[u8]) -> Result<usize, NotTaken> {
            Ok(bytes.len())
        }

        fn hang_up(&mut self) {}
    }

    #[test]
    fn one_that_sends_on_and_on_fills_no_memory_and_is_named() {
        let (told, events) = channel();
        let (hold, held) = channel::<()>();
        let tell = move |event| {
            drop(told.send(event));
            // Until the test lets it go on.
            let _ = held.recv();
        };
        let (read, reads) = channel();
        let settings = Settings { name: "x".into(), dpi: 203, stock: "4x3".into(), pace: Pace::default() };
        let mut printer = Printer::start(settings, Box::new(Chatter(read, 10_000)), Vec::new(), tell).unwrap();
        let next = || match events.recv_timeout(Duration::from_secs(60)).unwrap() {
            PrinterEvent::Changed(condition) => condition,
            other => panic!("{other:?}"),
        };
        // The first word is from before the connection, the second from when it stands; nobody takes a read then.
        next();
        hold.send(()).unwrap();
        next();
        for _ in 0..READS_MAX {
            reads.recv_timeout(Duration::from_secs(60)).unwrap();
        }
        let more = reads.recv_timeout(Duration::from_millis(500));
        drop(hold);
        let named = std::iter::repeat_with(next).find(|c| c.faults.iter().any(|f| f.code == "other_printer"));
        printer.stop();
        assert!(more.is_err(), "a read that nobody waits for");
        assert!(named.is_some());
    }
}
