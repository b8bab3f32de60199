//! The other end of a bench: a printer that takes no time. It answers the host's questions, counts
//! labels, and notes the moment at which the last byte of each had come. Nothing is drawn or kept on
//! disk, so that what is measured is the station.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// One label as it came.
#[derive(Clone, Debug)]
pub struct Came {
    /// Right after the read that completed it.
    pub at: Instant,
    pub zpl: Vec<u8>,
}

impl Came {
    /// Whether the label is that of the unit with this serial.
    pub fn shows(&self, serial: &str) -> bool {
        self.zpl.windows(serial.len()).any(|part| part == serial.as_bytes())
    }
}

/// A sink that listens on a port of its own as long as the process lives.
pub struct Sink {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    labels: Mutex<Vec<Came>>,
    /// How many labels somebody waits for; nobody is woken before.
    wanted: AtomicUsize,
    enough: Condvar,
    /// Labels since it was built, as its count says.
    count: AtomicUsize,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Vec<Came>> {
        self.labels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink {
    pub fn start() -> std::io::Result<Sink> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let ours = shared.clone();
        thread::Builder::new().name("sink".into()).spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = ours.clone();
                let _ = thread::Builder::new().name("sink-line".into()).spawn(move || serve(stream, &shared));
            }
        })?;
        Ok(Sink { address, shared })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until `count` labels have come since the last [`Sink::take`], and takes all; fewer only
    /// when `patience` is over.
    pub fn take(&self, count: usize, patience: Duration) -> Vec<Came> {
        self.shared.wanted.store(count, Ordering::SeqCst);
        let (mut labels, _) = self
            .shared
            .enough
            .wait_timeout_while(self.shared.lock(), patience, |labels| labels.len() < count)
            .unwrap_or_else(PoisonError::into_inner);
        self.shared.wanted.store(usize::MAX, Ordering::SeqCst);
        std::mem::take(&mut labels)
    }
}

fn serve(mut stream: TcpStream, shared: &Shared) {
    let _ = stream.set_nodelay(true);
    let (mut chunk, mut held) = (vec![0; 1 << 16], Vec::new());
    loop {
        let Ok(n @ 1..) = stream.read(&mut chunk) else { return };
        let at = Instant::now();
        held.extend_from_slice(&chunk[..n]);
        let mut answers = Vec::new();
        let mut used = 0;
        while let Some((part, length)) = next(&held[used..]) {
            match part {
                Part::Label => {
                    let zpl = held[used..used + length].to_vec();
                    shared.count.fetch_add(1, Ordering::SeqCst);
                    let mut labels = shared.lock();
                    labels.push(Came { at, zpl });
                    if labels.len() >= shared.wanted.load(Ordering::SeqCst) {
                        shared.enough.notify_all();
                    }
                }
                Part::Question => {
                    answers.extend(answer(&held[used..used + length], shared.count.load(Ordering::SeqCst)))
                }
                Part::Blank => {}
            }
            used += length;
        }
        held.drain(..used);
        if !answers.is_empty() && stream.write_all(&answers).is_err() {
            return;
        }
    }
}

#[derive(Debug, PartialEq)]
enum Part {
    Label,
    Question,
    /// Line ends between the others.
    Blank,
}

/// The next whole thing at the start of `bytes` and its length; `None` while it is not whole.
fn next(bytes: &[u8]) -> Option<(Part, usize)> {
    let end_of = |mark: &[u8]| bytes.windows(mark.len()).position(|w| w == mark).map(|n| n + mark.len());
    match bytes.first()? {
        b'\r' | b'\n' => Some((Part::Blank, 1)),
        // Data on a label is escaped, so the mark stands at its end only.
        b'^' => end_of(b"^XZ").map(|n| (Part::Label, n)),
        _ => end_of(b"\n").map(|n| (Part::Question, n)),
    }
}

/// What a healthy, idle 203 dpi printer says.
fn answer(question: &[u8], count: usize) -> Vec<u8> {
    let asks = |what: &str| question.windows(what.len()).any(|w| w == what.as_bytes());
    match () {
        () if asks("~HS") => b"\x02030,0,0,0609,000,0,0,0,000,0,0,0\x03\r\n\
            \x02000,0,0,0,0,2,4,0,00000000,1,000\x03\r\n\x021234,0\x03\r\n"
            .to_vec(),
        () if asks("~HI") => b"\x02ZD421-203dpi ZPL,V93.21.26Z,8,8176KB\x03\r\n".to_vec(),
        () if asks("device.unique_id") => b"\"BENCH0000001\"".to_vec(),
        () if asks("odometer.total_label_count") => format!("\"{count}\"").into_bytes(),
        () if asks("getvar") => b"\"?\"".to_vec(),
        () => Vec::new(),
    }
}

/// The far end of a bare send: tells when as many bytes as were agreed have come.
pub struct Bare {
    stream: TcpStream,
    arrived: std::sync::mpsc::Receiver<Instant>,
    bytes: Vec<u8>,
}

impl Bare {
    /// An open connection over which [`Bare::send`] sends `size` bytes at a time.
    pub fn open(size: usize) -> std::io::Result<Bare> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let stream = TcpStream::connect(listener.local_addr()?)?;
        stream.set_nodelay(true)?;
        let (mut far, _) = listener.accept()?;
        let (tell, arrived) = std::sync::mpsc::channel();
        thread::Builder::new().name("bare-sink".into()).spawn(move || {
            let mut chunk = vec![0; size.max(1)];
            while far.read_exact(&mut chunk).is_ok() && tell.send(Instant::now()).is_ok() {}
        })?;
        Ok(Bare { stream, arrived, bytes: vec![b'.'; size.max(1)] })
    }

    /// Sends, and returns when the last byte had come.
    pub fn send(&mut self) -> std::io::Result<Instant> {
        self.stream.write_all(&self.bytes)?;
        self.arrived.recv().map_err(|_| std::io::ErrorKind::BrokenPipe.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_questions_are_told_apart_wherever_they_are_cut() {
        let stream = b"~HS\r\n^XA^FDone^FS^XZ\r\n! U1 getvar \"device.unique_id\"\r\n^XA^FDtwo^FS^XZ";
        let mut parts = Vec::new();
        let (mut held, mut used) = (Vec::new(), 0);
        for byte in stream {
            held.push(*byte);
            while let Some((part, length)) = next(&held[used..]) {
                used += length;
                if part != Part::Blank {
                    parts.push(part);
                }
            }
        }
        assert_eq!(used, stream.len());
        assert_eq!(parts, [Part::Question, Part::Label, Part::Question, Part::Label]);
    }

    #[test]
    fn a_printer_of_no_time_answers_and_counts() {
        let sink = Sink::start().unwrap();
        let mut line = TcpStream::connect(sink.address()).unwrap();
        line.write_all(b"^XA^FDSN1^FS^XZ^XA^FDSN2^FS^XZ! U1 getvar \"odometer.total_label_count\"\r\n").unwrap();
        let mut answer = [0; 3];
        line.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"\"2\"");
        let came = sink.take(2, Duration::from_secs(10));
        assert!(came[0].shows("SN1") && came[1].shows("SN2") && !came[0].shows("SN2"));
        assert!(came[0].at <= came[1].at);
        assert!(sink.take(1, Duration::ZERO).is_empty());
    }

    #[test]
    fn a_bare_send_ends_after_it_began() {
        let mut bare = Bare::open(5000).unwrap();
        for _ in 0..3 {
            let began = Instant::now();
            assert!(bare.send().unwrap() > began);
        }
    }
}
