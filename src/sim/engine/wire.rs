//! The engine's wire side: bytes to formats and commands, and the answers.
//!
//! Arrives: the bytes that [`Engine::receive`] lets in. Leaves: jobs in the queue, and replies. The
//! assumptions stand in the engine's header.

use super::super::fault::{Kind, Trouble};
use super::super::lexer::{Event, Lexer};
use super::super::status::{self, State};
use super::super::zpl::{self, Command};
use super::{Conn, Engine, Job, Reply};

/// Largest `^PQ` quantity (programming guide).
const QUANTITY_MAX: i64 = 99_999_999;
/// A `reset` fault strikes when this many bytes of the format are in, or just before its end.
const RESET_AFTER: usize = 64;
/// Formats that hold something to print hold at least one of these.
const FIELDS: [&[u8; 2]; 8] = [b"FD", b"FV", b"SN", b"GB", b"GC", b"GD", b"GE", b"GF"];

impl Engine {
    pub(super) fn byte(&mut self, conn: Conn, byte: u8) {
        let Some(lexer) = self.lexers.get_mut(&conn) else {
            return;
        };
        if lexer.idle()
            && let Some(orphan) = self.orphan.take()
        {
            *lexer = orphan;
        }
        let event = lexer.push(byte);
        let long_enough = lexer.partial_len() >= RESET_AFTER;
        if self.doomed == Some(conn) && (long_enough || matches!(event, Some(Event::Closed(_)))) {
            return self.reset_midway(conn, event);
        }
        match event {
            None => {}
            Some(Event::Opened) => self.opened(conn),
            Some(Event::Closed(zpl)) => self.closed(zpl),
            Some(Event::Immediate(name)) => self.immediate(conn, &name),
            Some(Event::SetGetDo(line)) => self.set_get_do(conn, &line),
            Some(Event::TooLong) => tracing::warn!("a format was too long for memory and is lost"),
            Some(Event::Ignored(what)) => tracing::warn!(%what, "ignored outside a format"),
        }
    }

    /// The connection dies in the middle of a format: what came of it stays open in the buffer.
    fn reset_midway(&mut self, conn: Conn, event: Option<Event>) {
        self.doomed = None;
        if let Some(Event::Closed(zpl)) = event {
            // Too short to be hit earlier: it loses its `^XZ`.
            let mut lexer = Lexer::default();
            let end = if zpl.ends_with(&[0x03]) { 1 } else { 3 };
            let cut = zpl.len().saturating_sub(end);
            for &byte in &zpl[..cut] {
                lexer.push(byte);
            }
            self.lexers.insert(conn, lexer);
        }
        self.disconnect(conn);
        self.replies.push(Reply::Reset { conn });
    }

    /// A format begins: the faults of the wire that wait for its first label strike.
    fn opened(&mut self, conn: Conn) {
        let label = self.next_label();
        let troubles = [Trouble::NeverRead, Trouble::Silent, Trouble::Garbage, Trouble::Half, Trouble::Refuse];
        for trouble in troubles {
            if let Some(fault) = self.strike(label, Kind::Begin(trouble)) {
                self.begin(trouble, fault.lasts);
            }
        }
        if self.strike(label, Kind::Reset).is_some() {
            self.doomed = Some(conn);
        }
    }

    /// A format is whole: its settings take effect, and it joins the queue.
    fn closed(&mut self, zpl: Vec<u8>) {
        let label = self.next_label();
        if self.strike(label, Kind::Swap).is_some() {
            self.serial = format!("X{}", self.serial);
            self.odometer += 1;
            self.untold.clear();
            return self.lose_everything();
        }
        let mut quantity = 1;
        let mut pause_after = false;
        let mut prints = false;
        let settings = self.settings;
        for command in zpl::commands(&zpl).filter(|c| c.prefix == b'^') {
            match &command.name {
                b"PQ" => {
                    let asked = command.parameters().within(1, QUANTITY_MAX);
                    quantity = asked.and_then(|q| u64::try_from(q).ok()).unwrap_or(1);
                }
                b"PP" => pause_after = true,
                name if FIELDS.contains(&name) => prints = true,
                _ => self.configure(&command),
            }
        }
        if !prints {
            return;
        }
        self.used += zpl.len();
        self.queue.push_back(Job { zpl: zpl.into(), settings, remaining: quantity, pause_after });
        self.start();
    }

    /// Settings of the printer as a whole.
    fn configure(&mut self, command: &Command<'_>) {
        let letter = command.parameters().letter();
        match (&command.name, letter) {
            (b"JZ", Some(b'Y')) => self.reprint = true,
            (b"JZ", Some(b'N')) => self.reprint = false,
            (b"MT", Some(b'T')) => self.thermal_transfer = true,
            (b"MT", Some(b'D')) => self.thermal_transfer = false,
            (b"MM", Some(mode)) => {
                if let Some(number) = b"RPTCA".iter().position(|m| *m == mode) {
                    self.print_mode = u8::try_from(number).unwrap_or(self.print_mode);
                }
            }
            _ => {
                self.settings.apply(command);
            }
        }
    }

    fn immediate(&mut self, conn: Conn, name: &str) {
        match name {
            "HS" => self.answer(conn, status::host_status),
            "HI" => self.answer(conn, status::host_identification),
            "HM" => self.answer(conn, |_| status::memory()),
            "HQES" => self.answer(conn, status::errors),
            "HQSN" => self.answer(conn, status::serial_number),
            "PS" => {
                self.troubles.remove(&Trouble::Paused);
                self.start();
            }
            "PP" => self.begin(Trouble::Paused, None),
            "JA" => self.cancel_all(),
            "JX" => {
                if let Some(lexer) = self.lexers.get_mut(&conn) {
                    lexer.cancel();
                }
            }
            "JR" => self.restart(),
            _ => {
                tracing::warn!(command = name, "not supported");
                if let Some(lexer) = self.lexers.get_mut(&conn) {
                    lexer.keep_unknown(name);
                }
            }
        }
    }

    fn set_get_do(&mut self, conn: Conn, line: &str) {
        let mut quoted = line.split('"');
        let verb = quoted.next().unwrap_or("").trim();
        let name = quoted.next().unwrap_or("");
        match (verb, name) {
            ("! U1 getvar", name) => self.answer(conn, |state| status::variable(state, name)),
            // Whatever value is sent: the user's counter can only be set back.
            ("! U1 setvar", "odometer.user_label_count") => self.user_labels = 0,
            ("! U1 do", "device.reset") => self.restart(),
            _ => tracing::warn!(line, "not supported"),
        }
    }

    /// Answers as well as the printer can just now.
    fn answer(&mut self, conn: Conn, of: impl Fn(&State) -> Vec<u8>) {
        if self.has(Trouble::Silent) || (self.options.silent_in_error && self.in_error()) {
            return;
        }
        let mut bytes = of(&self.state());
        if self.has(Trouble::Garbage) {
            for (byte, noise) in bytes.iter_mut().zip(0u8..) {
                *byte ^= 0xA5u8.wrapping_add(noise.wrapping_mul(29)) | 0x80;
            }
        }
        if self.has(Trouble::Half) {
            bytes.truncate(bytes.len() / 2);
        }
        self.replies.push(Reply::Bytes { conn, bytes });
    }

    fn state(&self) -> State {
        let untold: u64 = self.untold.iter().map(|(_, n)| n).sum();
        State {
            model: self.options.model.clone(),
            firmware: self.options.firmware.clone(),
            serial: self.serial.clone(),
            dots_per_inch: self.options.dpi.per_inch(),
            dots_per_mm: self.options.dpi.per_mm(),
            total_labels: self.odometer - untold,
            user_labels: self.user_labels,
            label_length: self.settings.length,
            formats: self.queue.len().saturating_sub(1),
            remaining: self.queue.front().map_or(0, |job| job.remaining),
            buffer_full: self.room() == 0,
            partial: self.orphan.is_some() || self.lexers.values().any(Lexer::partial),
            paper_out: self.has(Trouble::PaperOut),
            ribbon_out: self.has(Trouble::RibbonOut),
            head_open: self.has(Trouble::HeadOpen),
            over_temperature: self.has(Trouble::OverTemperature),
            paused: self.has(Trouble::Paused) || self.broken(),
            thermal_transfer: self.thermal_transfer,
            print_mode: self.print_mode,
        }
    }
}
