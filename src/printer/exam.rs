//! Questions to a printer by themselves, one at a time, outside of any queue: what `backdock doctor printer`
//! asks. The station that prints has [`super::dialogue`].

use super::link::{Halves, NotTaken, Writer};
use crate::zebra::{Query, Reply};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Bytes of one answer looked at.
const HEARD_MAX: usize = 4096;

/// A printer that can be asked. It is let go when dropped.
pub struct Exam {
    writer: Box<dyn Writer>,
    /// What it says, from a thread of its own: a read may wait until the line is hung up.
    answers: Receiver<Result<Vec<u8>, String>>,
}

impl Exam {
    pub fn of(halves: Halves) -> std::io::Result<Exam> {
        let Halves { mut reader, writer } = halves;
        let (tell, answers) = channel();
        std::thread::Builder::new().name("exam".into()).spawn(move || {
            let mut buffer = [0; 1024];
            loop {
                let heard = reader.read(&mut buffer).map(|n| buffer[..n].to_vec()).map_err(|trouble| trouble.why);
                let over = heard.is_err();
                if tell.send(heard).is_err() || over {
                    return;
                }
            }
        })?;
        Ok(Exam { writer, answers })
    }

    /// Asks one question and waits for its answer, `patience` at most. Answers with how long that took, too.
    ///
    /// # Errors
    /// The link broke, or nothing that is an answer came in time; in words.
    pub fn ask<Q: Query>(&mut self, question: &Q, patience: Duration) -> Result<(Q::Answer, Duration), String> {
        let began = Instant::now();
        let bytes = question.to_bytes();
        let mut sent = 0;
        while sent < bytes.len() {
            match self.writer.write(&bytes[sent..]) {
                Ok(taken) => sent += taken,
                Err(NotTaken::Stalled) if began.elapsed() < patience => {}
                Err(NotTaken::Stalled) => return Err("it takes nothing".to_owned()),
                Err(NotTaken::Broken { trouble, .. }) => return Err(trouble.why),
            }
        }
        let mut heard = Vec::new();
        loop {
            match question.parse(&heard) {
                Reply::Done { value, .. } => return Ok((value, began.elapsed())),
                Reply::Bad { used, .. } => drop(heard.drain(..used.clamp(1, heard.len().max(1)))),
                Reply::Incomplete if heard.len() > HEARD_MAX => return Err("it talks, and does not answer".to_owned()),
                Reply::Incomplete => match self.answers.recv_timeout(patience.saturating_sub(began.elapsed())) {
                    Ok(bytes) => heard.extend(bytes?),
                    Err(RecvTimeoutError::Timeout) => return Err("no answer".to_owned()),
                    Err(RecvTimeoutError::Disconnected) => return Err("the line is over".to_owned()),
                },
            }
        }
    }
}

impl Drop for Exam {
    fn drop(&mut self) {
        self.writer.hang_up();
    }
}
