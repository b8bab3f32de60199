//! USB HID point-of-sale scanners: report descriptor and reports in, payloads out.
//!
//! [`descriptor`] reads where the fields of a scanned-data report lie, [`Decoder`] cuts payloads out of the
//! reports by it. Nothing of the layout is assumed: a maker may move every field.
//!
//! Usages (HID Point of Sale Usage Tables 1.02, page 0x8C): Bar Code Scanner 0x02, Symbology Identifier
//! 1..3 0xFB..0xFD (the AIM identifier `]cm`), Decoded Data 0xFE, Decode Data Continued 0xFF; the number of
//! data bytes is Generic Desktop Byte Count 0x3B.
//!
//! Seen in the field and allowed for: an AIM identifier and data that both begin one byte late; no AIM
//! identifier (zeros or spaces); no length (zeros behind the data are padding); reports cut behind their
//! last used byte; a continued flag that the descriptor gives more than its one bit.
//! A report that contradicts itself damages the scan that it belongs to: it is shown and asked for again.

pub mod descriptor;
pub mod keyboard;

pub use descriptor::{Layout, NotRead, layout};

use super::{Frame, MAX_FRAME, RUNAWAY, SILENCE_MS};

/// What one report was.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Report<'r> {
    /// A piece of a scan. `more`: it goes on in the next report.
    Piece { aim: Option<[u8; 3]>, data: &'r [u8], more: bool },
    /// Of no interest here: empty, or a status or an answer under another report id.
    Other,
    /// It says something that cannot be.
    Damaged,
}

impl Layout {
    fn read<'r>(&self, report: &'r [u8]) -> Report<'r> {
        if report.is_empty() || self.id.is_some_and(|id| report[0] != id) {
            return Report::Other;
        }
        let Some(area) = report.get(self.data.start..).filter(|_| report.len() <= self.bytes) else {
            return Report::Damaged;
        };
        let byte = |at: usize| report.get(at).copied().unwrap_or(0);
        let said =
            self.length.map(|(at, wide)| usize::from(byte(at)) | if wide { usize::from(byte(at + 1)) << 8 } else { 0 });
        if said.is_some_and(|said| said > self.data.len()) {
            return Report::Damaged;
        }
        let ids = self.aim.map(|at| at.map_or(0, byte));
        let (aim, late) = match ids {
            [b']', c, m] if is_aim(c, m) => (Some(ids), 0),
            // One byte late: the modifier stands where the data should begin.
            [_, b']', c] if area.first().is_some_and(|m| is_aim(c, *m)) => (Some([b']', c, area[0]]), 1),
            _ => (None, 0),
        };
        let data = match said {
            Some(said) => area.get(late..late + said),
            None => {
                let whole = &area[late..area.len().min(self.data.len())];
                Some(&whole[..whole.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1)])
            }
        };
        let more = self.more.is_some_and(|bit| byte(bit / 8) >> (bit % 8) & 1 == 1);
        data.map_or(Report::Damaged, |data| Report::Piece { aim, data, more })
    }
}

fn is_aim(code: u8, modifier: u8) -> bool {
    code.is_ascii_alphabetic() && modifier.is_ascii_alphanumeric()
}

/// The decoder of one scanner: reports and the time in, frames out. Memory is bounded by [`MAX_FRAME`].
#[derive(Clone, Debug)]
pub struct Decoder {
    layout: Layout,
    held: Vec<u8>,
    /// Length of the scan so far; more than `held.len()` once it is too long.
    len: usize,
    under_way: bool,
    damaged: bool,
    last_ms: u64,
}

impl Decoder {
    pub fn new(layout: Layout) -> Decoder {
        Decoder { layout, held: Vec::new(), len: 0, under_way: false, damaged: false, last_ms: 0 }
    }

    /// Takes the report that arrived at `now_ms`, its id in front where the device uses ids. At most two
    /// frames come of it: one that was given up, and the one it completes.
    pub fn push(&mut self, report: &[u8], now_ms: u64, out: &mut impl FnMut(Frame)) {
        self.tick(now_ms, out);
        let layout = self.layout.clone();
        let (aim, data, more) = match layout.read(report) {
            Report::Other => return,
            Report::Piece { aim, data, more } => (aim, data, more),
            Report::Damaged => {
                // What the device meant by it cannot be known; neither can whether more comes.
                self.begin(now_ms);
                self.damaged = true;
                return self.end(out);
            }
        };
        if !self.under_way && data.is_empty() && !more {
            return;
        }
        // The identifier is that of the scan: later pieces repeat it or leave it out.
        if !self.under_way {
            self.add(&aim.filter(|aim| !data.starts_with(aim)).into_iter().flatten().collect::<Vec<_>>(), out);
        }
        self.begin(now_ms);
        self.add(data, out);
        if !more {
            self.end(out);
        }
    }

    /// Tells the time: a scan whose next piece does not come is given up after [`SILENCE_MS`].
    pub fn tick(&mut self, now_ms: u64, out: &mut impl FnMut(Frame)) {
        if self.deadline().is_some_and(|at| now_ms >= at) {
            self.close(out);
        }
    }

    /// When [`Decoder::tick`] is due; `None` while no scan is under way.
    pub fn deadline(&self) -> Option<u64> {
        self.under_way.then(|| self.last_ms.saturating_add(SILENCE_MS))
    }

    /// The device is gone: half a scan is half a scan.
    pub fn close(&mut self, out: &mut impl FnMut(Frame)) {
        if self.under_way {
            self.damaged = true;
            self.end(out);
        }
    }

    fn begin(&mut self, now_ms: u64) {
        self.under_way = true;
        self.last_ms = now_ms;
    }

    fn add(&mut self, data: &[u8], out: &mut impl FnMut(Frame)) {
        let before = self.len;
        self.len = self.len.saturating_add(data.len());
        if self.len <= MAX_FRAME {
            self.held.extend_from_slice(data);
        }
        if before < RUNAWAY && self.len >= RUNAWAY {
            out(Frame::TooLong { len: self.len });
        }
    }

    fn end(&mut self, out: &mut impl FnMut(Frame)) {
        let (held, len) = (std::mem::take(&mut self.held), std::mem::take(&mut self.len));
        let damaged = std::mem::take(&mut self.damaged);
        self.under_way = false;
        match len {
            RUNAWAY.. => (), // already reported
            _ if len > MAX_FRAME => out(Frame::TooLong { len }),
            _ if damaged => out(Frame::Unfinished(held)),
            _ => out(Frame::Payload(held)),
        }
    }
}

#[cfg(test)]
mod tests;
