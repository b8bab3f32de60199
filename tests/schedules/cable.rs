//! The cable with the kernel's buffers at its ends: bytes pass piece by piece, are held up, or are lost
//! when a connection ends on either side; the station learns of that sooner or later.

use crate::link::Mail;
use crate::plan::Moment;
use crate::world::World;
use backdock::sim::engine::{Conn, Reply};
use std::collections::VecDeque;

/// What one connection has under way.
pub struct Cable {
    pub conn: Conn,
    pub engine: usize,
    /// In the kernel, on its way to the printer.
    pub out: VecDeque<u8>,
    /// Answers, and when each is here.
    back: VecDeque<(u64, Vec<u8>)>,
    /// When the next bytes may pass.
    ready: u64,
    /// The printer's end is gone; when the station learns of it.
    reset: Option<u64>,
    /// It has learnt of it: the next write fails.
    pub broken: bool,
}

impl Cable {
    pub fn new(conn: Conn, engine: usize) -> Cable {
        let (out, back) = (VecDeque::new(), VecDeque::new());
        Cable { conn, engine, out, back, ready: 0, reset: None, broken: false }
    }

    /// When something can happen on it that cannot happen `now`.
    pub fn next(&self, now: u64) -> u64 {
        let answer = self.back.front().map(|(at, _)| *at);
        let reset = self.reset.filter(|_| !self.broken);
        let times = [answer, reset, Some(self.ready).filter(|_| !self.out.is_empty())];
        times.into_iter().flatten().filter(|at| *at > now).min().unwrap_or(u64::MAX)
    }
}

impl World<'_> {
    /// The station closes, or is killed. What the kernel has may still arrive.
    pub fn hang_up(&mut self) {
        let Some(mut cable) = self.cable.take() else { return };
        if cable.reset.is_some() {
            return;
        }
        if self.plan.lingers {
            return self.ghosts.push(cable);
        }
        // What had reached the printer's own buffer is read, the rest is nowhere.
        let some = self.dice.below(cable.out.len() as u64 + 1) as usize;
        cable.out.truncate(if self.now < self.cut { 0 } else { some });
        self.pass_all(&mut cable);
        self.engines[cable.engine].disconnect(cable.conn);
    }

    /// The connection is reset; the printer has read a part of what was under way.
    pub fn reset(&mut self) {
        let Some(mut cable) = self.cable.take() else { return };
        if cable.reset.is_none() {
            let some = self.dice.below(cable.out.len() as u64 + 1) as usize;
            cable.out.truncate(some);
            self.pass_all(&mut cable);
            self.engines[cable.engine].disconnect(cable.conn);
            self.gone(&mut cable);
        }
        self.cable = Some(cable);
    }

    /// The printer at the address is taken away; its connections end on both sides.
    pub fn unplug(&mut self) {
        for mut cable in self.ghosts.drain(..).collect::<Vec<_>>() {
            cable.out.clear();
            self.engines[cable.engine].disconnect(cable.conn);
        }
        self.reset();
    }

    /// The printer's end is gone. The station learns of it now, soon, or when its kernel asks.
    fn gone(&mut self, cable: &mut Cable) {
        cable.out.clear();
        if self.dice.one_in(2) {
            cable.back.clear();
        }
        let wait = self.dice.pick(&[0, 0, 1, 40, 3_000, 25_000]);
        cable.reset = Some((self.now + wait).max(self.cut));
    }

    /// What is in the kernel reaches the printer as far as it takes it.
    fn pass_all(&mut self, cable: &mut Cable) {
        let bytes: Vec<u8> = cable.out.drain(..).collect();
        if !bytes.is_empty() {
            let taken = self.engines[cable.engine].receive(cable.conn, &bytes, self.now);
            self.replies(cable.engine, taken.replies);
        }
    }

    /// One step of the cables: bytes to the printer, answers to the station.
    pub fn wire(&mut self) -> bool {
        if self.now < self.cut {
            return false;
        }
        if let Some(mut cable) = self.cable.take() {
            let moved = self.advance(&mut cable) | self.hear(&mut cable);
            self.cable = Some(cable);
            // What a full reset of the printer said while the cable was in hand.
            if moved {
                return true;
            }
        }
        for i in 0..self.ghosts.len() {
            let mut ghost = self.ghosts.remove(i);
            let moved = self.advance(&mut ghost);
            if ghost.out.is_empty() || ghost.reset.is_some() {
                self.engines[ghost.engine].disconnect(ghost.conn);
                return true;
            }
            self.ghosts.insert(i, ghost);
            if moved {
                return true;
            }
        }
        false
    }

    /// Some bytes pass.
    fn advance(&mut self, cable: &mut Cable) -> bool {
        if cable.out.is_empty() || cable.reset.is_some() || self.now < cable.ready {
            return false;
        }
        if !self.engines[cable.engine].connected(cable.conn) {
            // The printer forgot it while the station's end was closed already.
            self.gone(cable);
            return true;
        }
        let room = self.engines[cable.engine].room().min(self.plan.piece).min(cable.out.len());
        if room == 0 {
            return false;
        }
        let bytes: Vec<u8> = cable.out.iter().take(room).copied().collect();
        let taken = self.engines[cable.engine].receive(cable.conn, &bytes, self.now);
        cable.out.drain(..taken.bytes);
        cable.ready = self.now + self.plan.latency;
        for reply in taken.replies {
            self.reply(cable, reply);
        }
        if taken.bytes > 0 {
            self.moment(Moment::Arrived);
        }
        taken.bytes > 0
    }

    /// The station's kernel gives on what has come.
    fn hear(&mut self, cable: &mut Cable) -> bool {
        let Some(daemon) = &mut self.daemon else { return false };
        if let Some((at, _)) = cable.back.front()
            && *at <= self.now
            && let Some((_, bytes)) = cable.back.pop_front()
        {
            daemon.worker.mail.push_back(Mail::Bytes(cable.conn, bytes));
            return true;
        }
        if cable.reset.is_some_and(|at| at <= self.now) && !cable.broken {
            cable.broken = true;
            daemon.worker.mail.push_back(Mail::Ended(cable.conn));
            return true;
        }
        false
    }

    /// What a printer does on its wires.
    pub fn replies(&mut self, engine: usize, replies: Vec<Reply>) {
        for reply in replies {
            let conn = match &reply {
                Reply::Bytes { conn, .. } | Reply::Reset { conn } => *conn,
            };
            if let Some(mut cable) = self.cable.take() {
                if cable.engine == engine && cable.conn == conn {
                    self.reply(&mut cable, reply);
                }
                self.cable = Some(cable);
            }
        }
    }

    fn reply(&mut self, cable: &mut Cable, reply: Reply) {
        match reply {
            Reply::Bytes { conn, bytes } if conn == cable.conn => self.answer(cable, bytes),
            Reply::Reset { conn } if conn == cable.conn && cable.reset.is_none() => self.gone(cable),
            _ => {}
        }
    }

    /// An answer comes whole or in pieces, and perhaps with something that nobody asked for.
    fn answer(&mut self, cable: &mut Cable, mut bytes: Vec<u8>) {
        if self.plan.chatty && self.dice.one_in(3) {
            let text = self.dice.pick(CHATTER);
            bytes = if self.dice.one_in(2) { [text, &bytes].concat() } else { [&bytes, text].concat() };
        }
        let at = cable.back.back().map_or(0, |(at, _)| *at).max(self.now + self.plan.latency);
        if bytes.len() > 1 && self.dice.one_in(4) {
            let cut = 1 + self.dice.below(bytes.len() as u64 - 1) as usize;
            let rest = bytes.split_off(cut);
            cable.back.push_back((at, bytes));
            cable.back.push_back((at + self.dice.pick(&[0, 1, 300]), rest));
        } else {
            cable.back.push_back((at, bytes));
        }
    }
}

/// Alerts as `^SX` sends them, in the languages a printer may be set to, and stray text.
const CHATTER: &[&[u8]] = &[
    b"PQ JOB COMPLETED\r\n",
    "PAPIER FEHLT\r\n".as_bytes(),
    "T\u{ca}TE OUVERTE\r\n".as_bytes(),
    b"ALERT: PAPIER VIDE [D2J250000001]\r\n",
    "\u{7528}\u{7d19}\u{5207}\u{308c}\r\n".as_bytes(),
    b"\xc9\xd1\x80 1001\r\n",
];
