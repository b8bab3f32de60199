//! A dialogue over TCP port 9100: one thread that connects, writes and keeps time, and one that reads.
//!
//! Both wait on the kernel, so an idle printer costs two short exchanges a second and nothing else.
//! Writing may block for as long as the printer holds the line (paper out with a full buffer is
//! normal): the thread then says so once a second and goes on; it never gives a label up half-way
//! while the connection stands.

use super::dialogue::{Dialogue, Input, Output};
use super::{Order, Pace, PrinterEvent};
use crate::domain::job::{Expectation, JobId};
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// One configured printer.
#[derive(Clone, Debug)]
pub struct Settings {
    pub name: String,
    pub address: SocketAddr,
    pub dpi: u32,
    pub stock: String,
    pub pace: Pace,
}

enum Message {
    Order(Order),
    Bytes(u64, Vec<u8>),
    /// The reader of connection `.0` ended.
    Ended(u64, String),
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
    pub fn start(
        settings: Settings,
        unsettled: Vec<(JobId, Option<Expectation>)>,
        tell: impl FnMut(PrinterEvent) + Send + 'static,
    ) -> std::io::Result<Printer> {
        let (inbox, messages) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let mut worker = Worker {
            address: settings.address,
            inbox: inbox.clone(),
            stop: stop.clone(),
            tell: Box::new(tell),
            start: Instant::now(),
            stream: None,
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

    /// Ends the thread. A label being written is left as it is and reconciled at the next start.
    pub fn stop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.inbox.send(Message::Stop);
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
    address: SocketAddr,
    inbox: Sender<Message>,
    stop: Arc<AtomicBool>,
    tell: Box<dyn FnMut(PrinterEvent) + Send>,
    start: Instant,
    stream: Option<TcpStream>,
    /// Counts connections, so that a late word from an old one is not taken for a new one's.
    generation: u64,
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// A blocked write wakes this often to look at the stop sign.
const WRITE_STEP: Duration = Duration::from_millis(500);

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
            let outputs = match &message {
                None => dialogue.on(now, Input::Tick),
                Some(Message::Order(order)) => dialogue.on(now, Input::Order(order.clone())),
                Some(Message::Bytes(g, bytes)) if *g == self.generation => dialogue.on(now, Input::Bytes(bytes)),
                Some(Message::Ended(g, why)) if *g == self.generation && self.stream.is_some() => {
                    dialogue.on(now, Input::Broken { why, during: None })
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
            let more = match output {
                Output::Tell(event) => {
                    (self.tell)(event);
                    continue;
                }
                Output::Close => {
                    self.close();
                    continue;
                }
                Output::Connect => match self.connect() {
                    Ok(()) => dialogue.on(self.start.elapsed(), Input::Connected),
                    Err(e) => {
                        let refused = e.kind() == ErrorKind::ConnectionRefused;
                        let why = format!("{}: {e}", self.address);
                        dialogue.on(self.start.elapsed(), Input::NotConnected { refused, why: &why })
                    }
                },
                Output::Ask(bytes) => match self.write(&bytes, dialogue) {
                    Ok(()) => continue,
                    Err((_, why)) => {
                        todo.retain(|o| matches!(o, Output::Tell(_)));
                        dialogue.on(self.start.elapsed(), Input::Broken { why: &why, during: None })
                    }
                },
                Output::Label { job, zpl } => match self.write(zpl.as_bytes(), dialogue) {
                    Ok(()) => dialogue.on(self.start.elapsed(), Input::Wrote(job)),
                    Err((taken, why)) => {
                        todo.retain(|o| matches!(o, Output::Tell(_)));
                        dialogue.on(self.start.elapsed(), Input::Broken { why: &why, during: Some((job, taken)) })
                    }
                },
            };
            // What was decided first is done first, except that news of a break goes before the rest.
            todo.extend(more);
        }
    }

    fn connect(&mut self) -> std::io::Result<()> {
        let stream = TcpStream::connect_timeout(&self.address, CONNECT_TIMEOUT)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(WRITE_STEP))?;
        // A printer that was switched off says nothing; the kernel finds out within half a minute.
        rustix::net::sockopt::set_socket_keepalive(&stream, true)?;
        rustix::net::sockopt::set_tcp_keepidle(&stream, Duration::from_secs(10))?;
        rustix::net::sockopt::set_tcp_keepintvl(&stream, Duration::from_secs(5))?;
        rustix::net::sockopt::set_tcp_keepcnt(&stream, 3)?;
        let mut reader = stream.try_clone()?;
        self.generation += 1;
        let (generation, inbox) = (self.generation, self.inbox.clone());
        std::thread::Builder::new().name("printer reads".into()).stack_size(64 * 1024).spawn(move || {
            let mut buffer = [0u8; 1024];
            let why = loop {
                match reader.read(&mut buffer) {
                    Ok(0) => break "the printer closed the connection".to_owned(),
                    Ok(n) => {
                        if inbox.send(Message::Bytes(generation, buffer[..n].to_vec())).is_err() {
                            return;
                        }
                    }
                    Err(e) if matches!(e.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
                    Err(e) => break e.to_string(),
                }
            };
            let _ = inbox.send(Message::Ended(generation, why));
        })?;
        self.stream = Some(stream);
        Ok(())
    }

    /// Writes all of `bytes`, however long the printer holds the line. The error says how many bytes
    /// were taken before the line broke.
    fn write(&mut self, bytes: &[u8], dialogue: &mut Dialogue) -> Result<(), (usize, String)> {
        let Some(stream) = &mut self.stream else { return Err((0, "not connected".to_owned())) };
        let mut taken = 0;
        while taken < bytes.len() {
            match stream.write(&bytes[taken..]) {
                Ok(0) => return Err((taken, "the printer takes no more bytes".to_owned())),
                Ok(n) => taken += n,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if self.stop.load(Ordering::Relaxed) {
                        return Err((taken, "the station is stopping".to_owned()));
                    }
                    for output in dialogue.on(self.start.elapsed(), Input::Stalled) {
                        if let Output::Tell(event) = output {
                            (self.tell)(event);
                        }
                    }
                }
                Err(e) => return Err((taken, e.to_string())),
            }
        }
        Ok(())
    }

    fn close(&mut self) {
        if let Some(stream) = self.stream.take() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::OrderJob;
    use super::*;

    #[test]
    fn an_order_that_a_stop_overtakes_goes_back() {
        let expects = Expectation { unique_id: "D2J1".to_owned(), odometer: 7 };
        let job = OrderJob { id: 5, zpl: "^XA^FDx^FS^XZ".into(), expects };
        let (inbox, messages) = channel();
        inbox.send(Message::Order(Order { jobs: vec![job] })).unwrap();
        let (told, events) = channel();
        let mut worker = Worker {
            address: ([127, 0, 0, 1], 9).into(),
            inbox,
            stop: Arc::new(AtomicBool::new(true)),
            tell: Box::new(move |event| drop(told.send(event))),
            start: Instant::now(),
            stream: None,
            generation: 0,
        };
        let (dialogue, _) = Dialogue::new("4x3".to_owned(), 203, Pace::default(), Vec::new());
        worker.run(dialogue, Vec::new(), &messages);
        let why = "the station was stopping".to_owned();
        assert_eq!(events.try_iter().collect::<Vec<_>>(), [PrinterEvent::NotSent { jobs: vec![5], why }]);
    }
}
