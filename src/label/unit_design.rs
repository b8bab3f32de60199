//! What goes where on the RMA unit label.
//!
//! The label must, in this order: say from two metres which RMA this is and whether the unit may
//! move; give a scanner the RMA number, linear and as QR (there with the code of the print, where it has one); tell the person at the bench which unit it
//! is and what the rules made of it.
//!
//! One design for all stock, from top to bottom: RMA number, Code 128 with the QR code beside it,
//! verdict bar, details, rule ids. Shares of the height are fixed; the details take what is left and
//! choose the largest type that holds them. Text and bars share a left edge, which the quiet zone of
//! the bars decides; boxes and lines reach from margin to margin. Stock lower than
//! [`CORNER_BELOW_MM`] has no room for a bar: there the verdict stands in the lower right corner.
//! A QR code that finds no room beside the bars takes that corner, unless the verdict has it; the
//! Code 128 always stays.

use super::code128::Code128;
use super::details::{self, Item, Room};
use super::layout::{self, Break, Page, QR_QUIET, fit, wrap};
use super::unit::Facts;
use super::{Dpi, Stock, metrics};
use std::borrow::Cow;

/// Stock lower than this has the verdict in the corner instead of in a bar, mm.
const CORNER_BELOW_MM: f32 = 40.0;

/// Type size of the COPY mark relative to the RMA number's.
const COPY_SIZE: f32 = 0.36;
const COPY_MIN_MM: f32 = 1.4;

/// Not all of it fits; `field` is the one that did not.
pub(super) struct Crowded {
    pub field: &'static str,
    pub why: Cow<'static, str>,
}

/// One attempt at a label, with some optional fields hidden.
pub(super) struct Draft<'a> {
    facts: &'a Facts<'a>,
    hidden: &'a [&'static str],
    code: &'a Code128,
    page: Page,
    /// Between the paper's edge and boxes.
    margin: f32,
    shortened: Vec<&'static str>,
}

/// What the label shouts.
struct Verdict<'a> {
    /// Empty when there is neither verdict nor hold.
    word: &'a str,
    /// What explains it, and the field that comes from.
    beside: [Cow<'a, str>; 2],
    field: &'static str,
    /// The unit may not move on: white on black.
    stops: bool,
}

impl Verdict<'_> {
    fn alone(&self) -> bool {
        self.beside.iter().all(|text| text.is_empty())
    }
}

impl<'a> Draft<'a> {
    pub fn new(facts: &'a Facts, hidden: &'a [&'static str], code: &'a Code128, stock: Stock, dpi: Dpi) -> Draft<'a> {
        let page = Page::new(stock, dpi);
        let side = stock.width_mm().min(stock.height_mm());
        let margin = page.mm((side * 0.035).clamp(1.3, 3.0));
        Draft { facts, hidden, code, page, margin, shortened: Vec::new() }
    }

    fn get(&self, name: &str) -> &'a str {
        if self.hidden.contains(&name) { "" } else { self.facts.get(name) }
    }

    /// The finished page and the fields that were cut.
    pub fn lay_out(mut self) -> Result<(Page, Vec<&'static str>), Crowded> {
        let (width, height) = (f32::from(self.page.width), f32::from(self.page.height));
        let corner = self.page.stock.height_mm() < CORNER_BELOW_MM;
        let margin = self.margin;
        let inner = height - 2.0 * margin;
        let gap = (inner * 0.027).max(self.page.mm(1.0));
        let share = |low: f32, high: f32| inner * if corner { low } else { high };
        let verdict = self.verdict();
        // Without a verdict bar its height goes to the codes.
        let codes_share = if verdict.word.is_empty() { 0.26 } else { 0.18 };

        // The codes first: their quiet zone decides where the left edge is.
        let codes_height = share(0.255, codes_share).min(self.page.mm(30.0));
        // The QR code's quiet zone may use the gaps above and below, but for a dot of rounding.
        let codes = self.page.codes(self.code, self.facts.scanned, margin, codes_height, 2.0 * gap - 2.0);
        let codes = codes.map_err(|why| Crowded { field: "rma", why: why.into() })?;
        let right = width - margin;

        let mut y = margin;
        y += self.number(codes.left, right, y, share(0.245, 0.19))? + gap;
        self.page.put_codes(codes, self.code.clone(), self.facts.scanned, right, y, codes_height);
        y += codes_height + gap;

        let mut room = Room { x: codes.left, y, width: right - codes.left, height: height - margin - y };
        match (verdict.word, corner) {
            ("", _) => {}
            (_, true) => self.corner(&verdict, &mut room)?,
            (_, false) => self.bar(&verdict, &mut room, (inner * 0.14).min(self.page.mm(20.0)), gap)?,
        }
        if codes.qr.is_none() && (!corner || verdict.word.is_empty()) {
            self.corner_qr(&mut room);
        }
        let foot = (inner * 0.03).clamp(self.page.mm(details::TYPE_MIN_MM), self.page.mm(3.0));
        self.foot(&mut room, foot);
        self.details(&verdict, room, corner)?;
        Ok((self.page, self.shortened))
    }

    /// The RMA number as large as the width and `height` allow, with the COPY mark at its right.
    /// Returns the height used.
    fn number(&mut self, left: f32, right: f32, y: f32, height: f32) -> Result<f32, Crowded> {
        let number = self.facts.rma;
        let copy = self.get("copy");
        let used = metrics::depth(number);
        let mut room = right - left;
        if !copy.is_empty() {
            // The mark is a share of the number's size, with half its own height on either side.
            let mark = ((metrics::width(copy) + 2000) as f32 * COPY_SIZE) as u32;
            let beside = fit(metrics::number_width(number) + mark, room, height / used);
            let h = (beside * COPY_SIZE).max(self.page.mm(COPY_MIN_MM)).floor();
            let (wide, tall) = (metrics::dots(metrics::width(copy), h) + h, h * 1.25);
            self.page.fill(right - wide, y, wide, tall);
            self.page.text(right - wide + h * 0.5, y + centred(tall, h), h, copy, true);
            room -= wide + h * 0.5;
        }
        let h = fit(metrics::number_width(number), room, height / used);
        if h < self.page.mm(details::TYPE_MIN_MM) {
            let why = "it is too long to be read".into();
            return Err(Crowded { field: "rma", why });
        }
        self.page.text(left, y, h, number, false);
        Ok(h * used)
    }

    fn verdict(&self) -> Verdict<'a> {
        let (word, hold) = (self.get("verdict"), self.get("hold"));
        let stops = word.starts_with("HOLD") || word.starts_with("REJECT");
        if hold.is_empty() {
            // Nothing to explain: the band says what the verdict rests on.
            let beside = [self.get("band").into(), "".into()];
            return Verdict { word, beside, field: "band", stops };
        }
        // A verdict that only counts once the hold is released stands behind it.
        let (word, then) = match (stops, word) {
            (true, _) => (word, "".into()),
            (false, "") => ("HOLD", "".into()),
            (false, _) => ("HOLD", format!("then {word}").into()),
        };
        Verdict { word, beside: [hold.into(), then], field: "hold", stops: true }
    }

    /// Draws the box that the verdict stands in. Returns the room inside its lines, less a dot for
    /// rounding.
    fn ground(&mut self, verdict: &Verdict, at: Room) -> Room {
        let Room { x, y, width, height } = at;
        let line = self.page.mm(0.5).max(2.0);
        if verdict.stops {
            self.page.fill(x, y, width, height);
        } else {
            self.page.frame(x, y, width, height, line);
        }
        let inset = line.round() + 1.0;
        Room { x: x + inset, y: y + inset, width: width - 2.0 * inset, height: height - 2.0 * inset }
    }

    /// The verdict bar across the label, above what is left of `room`.
    fn bar(&mut self, verdict: &Verdict, room: &mut Room, height: f32, gap: f32) -> Result<(), Crowded> {
        // The bar reaches from margin to margin; its text begins where all other text does.
        let right = room.x + room.width;
        let at = Room { x: self.margin, y: room.y, width: right - self.margin, height };
        let inner = self.ground(verdict, at);
        let pad = height * 0.22;
        let x = room.x.max(inner.x + pad);
        let width = inner.x + inner.width - pad - x;
        let word = metrics::width(verdict.word);
        let share = if verdict.alone() { 1.0 } else { 0.45 };
        let h = fit(word, width * share, largest_in(inner.height, verdict.word, 0.95));
        if h < self.page.mm(details::TYPE_MIN_MM) {
            let why = "the word is too long for the bar".into();
            return Err(Crowded { field: "verdict", why });
        }
        self.page.text(x, inner.y + centred(inner.height, h), h, verdict.word, verdict.stops);
        let used = metrics::dots(word, h) + 2.0 * pad;
        self.beside(verdict, Room { x: x + used, width: width - used, ..inner })?;
        room.y += height + gap * 1.5;
        room.height -= height + gap * 1.5;
        Ok(())
    }

    /// On low stock: the verdict in the lower right corner, beside what is left of `room`.
    fn corner(&mut self, verdict: &Verdict, room: &mut Room) -> Result<(), Crowded> {
        let width = room.width * if verdict.alone() { 0.36 } else { 0.42 };
        let at = Room { x: room.x + room.width - width, width, ..*room };
        let inner = self.ground(verdict, at);
        let pad = self.page.mm(0.4);
        let tall = if verdict.alone() { inner.height } else { inner.height * 0.42 };
        let word = metrics::width(verdict.word);
        let h = fit(word, inner.width - 2.0 * pad, largest_in(tall, verdict.word, 1.2));
        if h < self.page.mm(details::TYPE_MIN_MM) {
            let why = "the word is too long for the corner".into();
            return Err(Crowded { field: "verdict", why });
        }
        let x = inner.x + (inner.width - metrics::dots(word, h)) / 2.0;
        self.page.text(x, inner.y + centred(tall, h), h, verdict.word, verdict.stops);
        let below =
            Room { x: inner.x + pad, y: inner.y + tall, width: inner.width - 2.0 * pad, height: inner.height - tall };
        self.beside(verdict, below)?;
        room.width -= width + self.page.mm(1.2);
        Ok(())
    }

    /// What explains the verdict, in the largest type that fits; in the smallest, it may be cut.
    fn beside(&mut self, verdict: &Verdict, room: Room) -> Result<(), Crowded> {
        if verdict.alone() {
            return Ok(());
        }
        let attempt = |h: f32, how| {
            // Centred by their capitals, with room for descenders below the last line.
            let one = h * (2.0 - metrics::BASELINE);
            let more = (room.height - one) / (h * details::LEADING);
            let most = if more >= 0.0 { 1 + more as usize } else { 0 };
            let [reason, then] = &verdict.beside;
            // The second text wants a line of its own, the first may be long.
            let second = usize::from(!then.is_empty());
            let reason = wrap(reason, room.width, h, most.saturating_sub(second), how)?;
            let then = wrap(then, room.width, h, second.max(1), how)?;
            Some((h, reason, then))
        };
        let mut low = self.page.mm(details::TYPE_MIN_MM);
        let mut high = (room.height * 0.5).max(low);
        let mut best = attempt(high, Break::Words).or_else(|| attempt(low, Break::Words));
        while best.as_ref().is_some_and(|(h, ..)| *h < high) && high - low > 1.0 {
            let middle = (low + high) / 2.0;
            match attempt(middle, Break::Words) {
                Some(found) => (best, low) = (Some(found), middle),
                None => high = middle,
            }
        }
        let Some((h, reason, then)) = best.or_else(|| attempt(low, Break::Cut)) else {
            let why = "no room beside the verdict".into();
            return Err(Crowded { field: verdict.field, why });
        };
        let leading = h * details::LEADING;
        let count = reason.lines.len() + usize::from(!verdict.beside[1].is_empty());
        let tall = (count - 1) as f32 * leading + h * metrics::BASELINE;
        let top = room.y + (room.height - tall) / 2.0;
        let below = top + reason.lines.len() as f32 * leading;
        self.page.lines([room.x, top], h, leading, &reason, verdict.stops);
        self.page.lines([room.x, below], h, leading, &then, verdict.stops);
        self.shortened.extend((reason.cut || then.cut).then_some(verdict.field));
        Ok(())
    }

    /// The QR code in the lower right corner, when it finds room there.
    fn corner_qr(&mut self, room: &mut Room) {
        let most = room.height.min(room.width * 0.3);
        let Some(modules) = layout::qr_modules(self.facts.scanned) else { return };
        let Some(module) = self.page.qr_module(modules + 2 * QR_QUIET, most) else { return };
        let side = f32::from(modules * u16::from(module));
        let clear = f32::from(QR_QUIET * u16::from(module));
        // Its quiet zone may reach into the margin.
        let inset = (clear - self.margin).max(0.0);
        let x = room.x + room.width - inset - side;
        let y = room.y + room.height - inset - side;
        self.page.qr(x, y, module, self.facts.scanned);
        // A dot for rounding.
        room.width = x - clear - room.x - 1.0;
    }

    /// Rule ids and program in small type at the lower edge.
    fn foot(&mut self, room: &mut Room, h: f32) {
        let (rules, program) = (self.get("rules"), self.get("program"));
        if rules.is_empty() && program.is_empty() {
            return;
        }
        let y = room.y + room.height - h;
        let most = metrics::dots(metrics::width(program), h).min(room.width * 0.5);
        let right = room.x + room.width;
        for (field, text, space) in [("program", program, most), ("rules", rules, room.width - most - h)] {
            if let Some(line) = wrap(text, space, h, 1, Break::Cut) {
                let wide = metrics::dots(line.width(), h);
                let x = if field == "program" { right - wide } else { room.x };
                self.page.lines([x, y], h, h, &line, false);
                self.shortened.extend(line.cut.then_some(field));
            }
        }
        let above = y - h * 0.35;
        self.page.fill(self.margin, above, right - self.margin, self.page.mm(0.25).max(1.0));
        room.height = above - h * 0.3 - room.y;
    }

    fn details(&mut self, verdict: &Verdict, room: Room, corner: bool) -> Result<(), Crowded> {
        let facts = self.facts;
        // Said beside the verdict already, or not.
        let band = if verdict.field == "band" && !verdict.word.is_empty() { "" } else { self.get("band") };
        let items = [
            Item::new("model", "", &facts.product).scaled(1.3).lines(2).cut(),
            Item::new("serial", "S/N", facts.serial).lines(2),
            Item::new("mac", "MAC", self.get("mac")),
            Item::new("received", "RECEIVED", facts.received),
            Item::new("due", "DUE", self.get("due")).lines(2),
            Item::new("ship_date", "SHIPPED", self.get("ship_date")),
            Item::new("ticket", "TICKET", self.get("ticket")),
            Item::new("copy_by", "COPY BY", self.get("copy_by")).cut(),
            Item::new("copy_why", "COPY WHY", self.get("copy_why")).lines(2).cut(),
            Item::new("age", "AGE", self.get("age")).lines(2).cut(),
            Item::new("band", "BAND", band).cut(),
            Item::new("customer", "CUSTOMER", self.get("customer")).lines(2).cut(),
        ];
        let columns = if room.width >= self.page.mm(60.0) { 2 } else { 1 };
        let cut = details::place(&mut self.page, &items, room, columns, !corner)
            .map_err(|field| Crowded { field, why: "it is too long, or too much stands beside it".into() })?;
        self.shortened.extend(cut);
        Ok(())
    }
}

/// Offset that centres capitals of cell height `h` in `height`.
fn centred(height: f32, h: f32) -> f32 {
    (height - h * metrics::BASELINE) / 2.0
}

/// The largest cell height at which `text`, its capitals centred in `height`, stays inside with all it
/// has below the baseline; at most `most` times `height`.
fn largest_in(height: f32, text: &str, most: f32) -> f32 {
    height * (0.5 / (metrics::depth(text) - metrics::BASELINE / 2.0)).min(most)
}
