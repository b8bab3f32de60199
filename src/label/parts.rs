//! How each part of a paper is drawn: the hand of [`super::sheet`].
//!
//! Arrives: the parts that are there, the fields, the sizes of this attempt. Leaves: a page, or the part
//! that found no room. Boxes reach from margin to margin; bars and texts share a left edge, which the quiet
//! zone of the number's bars decides.

use super::code128::{Code128, QUIET};
use super::codes::Codes;
use super::details::{self, Item, LEADING, Room, TYPE_MIN_MM};
use super::layout::{Break, Page, fit, wrap};
use super::sheet::{Fields, Full, Part, Sizes};
use super::{Dpi, Stock, metrics, probes};

/// Margin as a share of the shorter side, and its bounds in mm.
const MARGIN: f32 = 0.03;
/// Lines of one piece of prose at most.
const LINES: usize = 12;
/// Captions relative to running text.
const CAPTION: f32 = 0.72;
/// Between two parts at least, in cell heights: more than an accent needs.
const GAP: f32 = 0.35;
/// Lines with capitals that have accents stand this much further apart.
const ACCENTS: f32 = 0.12;
/// Cell heights of what shouts and of its bars, at least, in those of running text.
const TITLE: f32 = 2.1;
const WORD: f32 = 2.6;
const NUMBER: f32 = 3.2;
const NUMBER_BARS: f32 = 3.4;
const BARS: f32 = 2.2;
const ADDRESS: f32 = 1.7;
const REASON: f32 = 1.35;
/// An address beside its caption becomes so small rather than break its lines.
const BLOCK: f32 = 0.75;
/// Bars are at least so high, mm.
const BARS_MIN_MM: f32 = 6.0;
/// Two facts stand beside each other on stock from this width on, mm.
const TWO_COLUMNS_MM: f32 = 60.0;

/// What the QR code beside a number says: the code of this very print, else the number.
fn scanned(field: &str, given: &Fields) -> String {
    let job = given.text("job");
    if field == "rma" && !job.is_empty() { job } else { given.text(field) }
}

pub(super) struct Sheet {
    pub page: Page,
    /// Fields that were cut.
    pub shortened: Vec<&'static str>,
    sizes: Sizes,
    /// Cell height of running text.
    h: f32,
    margin: f32,
    /// Left edge of bars and texts.
    left: f32,
    y: f32,
    /// Dots from one line's top to the next beyond [`LEADING`], for accents.
    more: f32,
    /// The widest bars that keep the left edge.
    module: u8,
    /// Some text has letters that may reach above their cell.
    accents: bool,
}

impl Sheet {
    pub fn fill(parts: &[&Part], given: &Fields, stock: Stock, dpi: Dpi, sizes: Sizes) -> Result<Sheet, Full> {
        let page = Page::new(stock, dpi);
        let side = f32::from(page.width.min(page.height));
        let margin = (side * MARGIN).clamp(page.mm(1.2), page.mm(4.0)).round();
        let h = sizes.h;
        let tall = given.0.values().any(|value| value.to_string().chars().any(|c| !c.is_ascii() && !c.is_lowercase()));
        let accents = given.0.values().any(|value| !value.to_string().is_ascii());
        let more = if tall { h * ACCENTS } else { 0.0 };
        let module = page.modules().next().unwrap_or(1);
        let shortened = Vec::new();
        let mut sheet = Sheet { page, shortened, sizes, h, margin, left: margin, y: margin, more, module, accents };
        let number = parts.iter().find(|part| matches!(part, Part::Number { .. }));
        if let Some(field) = number.map(|part| part.field()) {
            let (_, codes) = sheet.codes(field, &given.text(field), &scanned(field, given))?;
            (sheet.left, sheet.module) = (codes.left, codes.module);
        }
        let of_lines = |part: &Part| matches!(part, Part::Line { .. });
        for (n, run) in parts.chunk_by(|a, b| of_lines(a) && of_lines(b)).enumerate() {
            if n > 0 {
                sheet.y += (h * (GAP + sizes.air)).ceil();
            }
            match run {
                [part] if !of_lines(part) => sheet.put(part, given)?,
                lines => sheet.lines(lines, given)?,
            }
        }
        Ok(sheet)
    }

    fn right(&self) -> f32 {
        f32::from(self.page.width) - self.margin
    }

    /// From the left edge to the right margin.
    fn room(&self) -> f32 {
        self.right() - self.left
    }

    /// Takes `height` dots, or says that there are none left.
    fn take(&mut self, field: &'static str, height: f32) -> Result<f32, Full> {
        let y = self.y;
        if y + height > f32::from(self.page.height) - self.margin {
            return Err(Full { field, why: "there is no room left for it".to_owned() });
        }
        self.y += height;
        Ok(y)
    }

    fn put(&mut self, part: &Part, given: &Fields) -> Result<(), Full> {
        let field = part.field();
        match *part {
            Part::Title { text, stops } => self.banner("title", "", text, stops, TITLE),
            Part::Copied => self.copied(given),
            Part::Word { caption, stops, .. } => {
                let word = given.text(field).to_uppercase();
                match word.is_empty() {
                    true => self.banner(field, "", caption, stops, TITLE),
                    false => self.banner(field, caption, &word, stops || says_stop(&word), WORD),
                }
            }
            Part::Count { word, of, .. } => {
                self.banner(field, "", &format!("{word} {} of {}", given.text(field), given.text(of)), false, WORD)
            }
            Part::Number { .. } => self.number(field, &given.text(field), &scanned(field, given)),
            Part::Bars { caption, .. } => self.bars(field, caption, &given.text(field)),
            Part::Line { .. } => self.lines(&[part], given),
            Part::Prose { .. } => self.prose(field, &given.text(field), self.left, self.h),
            Part::Reason { .. } => self.large(field, &given.text(field), self.h * REASON),
            Part::List { caption, .. } => {
                self.caption(field, caption)?;
                given.list(field).iter().try_for_each(|item| self.item(field, item, false))
            }
            Part::Block { caption, .. } => self.block(field, caption, &given.list(field)),
            Part::Address { attn, .. } => self.address(field, &given.list(field), &given.text(attn)),
            Part::Checks { fixed, .. } => {
                let own = given.list(field);
                let items: &[&str] = if own.is_empty() { fixed } else { &own };
                items.iter().try_for_each(|item| self.item(field, item, true))
            }
            Part::Probes => {
                let height = probes::put(&mut self.page, self.y, self.margin).map_err(|why| Full { field, why })?;
                self.take(field, height).map(drop)
            }
            Part::Wall { fixed, .. } => {
                let own = given.list(field);
                let groups: &[&[&str]] = if own.is_empty() { fixed } else { &[&own] };
                groups.iter().enumerate().try_for_each(|(n, group)| self.wall(field, group, n > 0))
            }
        }
    }

    /// A word across the label, on black where it stops, in a frame where it does not; `caption` small
    /// before it, or above it where the word needs the room.
    fn banner(&mut self, field: &'static str, caption: &str, text: &str, stops: bool, times: f32) -> Result<(), Full> {
        let (caption, text) = (caption.to_uppercase(), text.to_uppercase());
        let pad = (self.h * 0.5).round();
        let x = self.left.max(self.margin + pad);
        let room = self.right() - pad - x;
        let most = self.h * times * self.sizes.loud;
        let small = fit(metrics::width(&caption), room, self.h * 0.9);
        let beside = match caption.as_str() {
            "" => 0.0,
            caption => metrics::dots(metrics::width(caption), small) + self.h,
        };
        let mut h = fit(metrics::width(&text), room - beside, most);
        let above = !caption.is_empty() && h < most * 0.6;
        if above {
            h = fit(metrics::width(&text), room, most);
        }
        // A long word takes a second line before it becomes small.
        let mut lines = vec![text.as_str()];
        if h < most * 0.6 {
            let mut larger = most * 0.6;
            while larger > h {
                let room = if above { room } else { room - beside };
                if let Some(wrapped) = wrap(&text, room, larger, 2, Break::Words) {
                    (h, lines) = (larger.floor(), wrapped.lines);
                    break;
                }
                larger *= 0.94;
            }
        }
        if h < self.page.mm(TYPE_MIN_MM) {
            return Err(Full { field, why: "it is too long for the box across the label".to_owned() });
        }
        let accents = if text.is_ascii() { 0.0 } else { h * metrics::OVERSHOOT };
        let leading = (h * LEADING + accents).ceil();
        let head = if above { (small * LEADING).ceil() } else { 0.0 };
        let deep = h * metrics::depth(lines.last().unwrap_or(&""));
        let tall = (head + accents + leading * (lines.len() - 1) as f32 + deep + 1.2 * pad).ceil();
        let y = self.take(field, tall + 1.0)?;
        if stops {
            self.page.fill(self.margin, y, self.right() - self.margin, tall);
        } else {
            self.page.frame(self.margin, y, self.right() - self.margin, tall, self.page.mm(0.4).max(2.0));
        }
        let top = (y + 0.6 * pad + head + accents).round();
        // On the word's ground, or above it.
        let down = if above { -head - accents } else { (h - small) * metrics::BASELINE };
        self.page.text(x, top + down, small, &caption, stops);
        for (n, line) in lines.iter().enumerate() {
            self.page.text(x + if above { 0.0 } else { beside }, top + n as f32 * leading, h, line, stops);
        }
        Ok(())
    }

    /// White on black, as narrow as its words; behind it for whom and why, cut where they are long.
    fn copied(&mut self, given: &Fields) -> Result<(), Full> {
        let mark = format!("COPY {}", given.text("copy"));
        let h = (self.h * 1.2).round();
        let pad = (h * 0.4).round();
        let wide = metrics::dots(metrics::width(&mark), h).ceil() + 2.0 * pad;
        let tall = (h * 1.25).ceil();
        let y = self.take("copy", tall + 1.0)?;
        self.page.fill(self.margin, y, wide, tall);
        let ground = y + ((tall - h * metrics::BASELINE) / 2.0).round();
        self.page.text(self.margin + pad, ground, h, &mark, true);
        let said = [("copy_by", given.text("copy_by")), ("copy_why", given.text("copy_why"))];
        let last = said.iter().rev().find(|(_, text)| !text.is_empty()).map_or("copy_by", |(field, _)| field);
        let said: Vec<String> = said.into_iter().map(|(_, text)| text).filter(|text| !text.is_empty()).collect();
        let said = said.join(": ");
        let x = self.margin + wide + pad;
        if let Some(wrapped) = wrap(&said, self.right() - x, self.h, 1, Break::Cut) {
            let down = (h - self.h) * metrics::BASELINE;
            self.page.lines([x, ground + down], self.h, self.h, &wrapped, false);
            self.shortened.extend(wrapped.cut.then_some(last));
        }
        Ok(())
    }

    /// The bars of a number and where they go.
    fn codes(&self, field: &'static str, text: &str, qr: &str) -> Result<(Code128, Codes), Full> {
        let code = Code128::encode(text).map_err(|c| Full { field, why: format!("{c:?} is in no barcode") })?;
        // Above and below the bars is a gap, into which accents reach; a dot for rounding.
        let clear = if self.accents { GAP - metrics::OVERSHOOT } else { GAP };
        let slack = (2.0 * self.h * clear - 2.0).max(0.0);
        let codes = self.page.codes(&code, qr, self.margin, self.number_bars(), slack);
        codes.map(|codes| (code, codes)).map_err(|why| Full { field, why })
    }

    fn number_bars(&self) -> f32 {
        (self.h * NUMBER_BARS * self.sizes.loud.min(1.5)).max(self.page.mm(BARS_MIN_MM)).ceil()
    }

    /// The number large, below it its bars, beside them a QR code where there is room.
    fn number(&mut self, field: &'static str, text: &str, qr: &str) -> Result<(), Full> {
        let (code, codes) = self.codes(field, text, qr)?;
        let h = fit(metrics::number_width(text), self.room(), self.h * NUMBER * self.sizes.loud);
        let y = self.take(field, (h * metrics::depth(text) + self.h * GAP).ceil() + 1.0)?;
        self.page.text(self.left, y, h, text, false);
        let height = self.number_bars();
        let y = self.take(field, height + 2.0)?;
        self.page.put_codes(codes, code, qr, self.right(), y, height);
        Ok(())
    }

    fn bars(&mut self, field: &'static str, caption: &'static str, text: &str) -> Result<(), Full> {
        self.facts(&[Item::new(field, caption, text).lines(LINES)])?;
        let code = Code128::encode(text).map_err(|c| Full { field, why: format!("{c:?} is in no barcode") })?;
        let left = |module: u8| self.left.max((QUIET * u32::from(module)) as f32);
        let width = f32::from(self.page.width);
        let end = |module: u8| left(module) + ((code.modules() + QUIET) * u32::from(module)) as f32;
        let fits = |&module: &u8| module <= self.module && end(module) <= width;
        let Some(module) = self.page.modules().find(fits) else {
            return Err(Full { field, why: "its Code 128 is wider than the stock".to_owned() });
        };
        let left = left(module);
        let height = (self.h * BARS).max(self.page.mm(BARS_MIN_MM)).ceil();
        let y = self.take(field, height + 2.0)?;
        self.page.code128(left, y, module, height, code);
        Ok(())
    }

    /// Captions and what they are about.
    fn lines(&mut self, parts: &[&Part], given: &Fields) -> Result<(), Full> {
        let caption = |part: &Part| if let Part::Line { caption, .. } = part { *caption } else { "" };
        let values: Vec<String> = parts.iter().map(|part| given.text(part.field())).collect();
        let said = parts.iter().zip(&values);
        let items: Vec<Item> =
            said.map(|(part, value)| Item::new(part.field(), caption(part), value).lines(LINES)).collect();
        self.facts(&items)
    }

    fn facts(&mut self, items: &[Item]) -> Result<(), Full> {
        let height = f32::from(self.page.height) - self.margin - self.y;
        let room = Room { x: self.left, y: self.y, width: self.room(), height };
        let columns = if room.width >= self.page.mm(TWO_COLUMNS_MM) { 2 } else { 1 };
        let used = details::put(&mut self.page, items, room, columns, self.h)
            .map_err(|field| Full { field, why: "there is no room left for it".to_owned() })?;
        self.y += used.ceil();
        Ok(())
    }

    fn small(&self) -> f32 {
        (self.h * CAPTION).max(self.page.mm(TYPE_MIN_MM)).floor().min(self.h)
    }

    fn caption(&mut self, field: &'static str, caption: &str) -> Result<(), Full> {
        let small = self.small();
        let y = self.take(field, (small * LEADING).ceil())?;
        self.page.text(self.left, y, small, caption, false);
        Ok(())
    }

    fn prose(&mut self, field: &'static str, text: &str, x: f32, h: f32) -> Result<(), Full> {
        let room = self.right() - x;
        let wrapped = wrap(text, room, h, LINES, Break::Words)
            .or_else(|| wrap(text, room, h, LINES, Break::Anywhere))
            .ok_or_else(|| Full { field, why: "it is too long".to_owned() })?;
        let leading = (h * LEADING + self.more * h / self.h).ceil();
        let y = self.take(field, leading * wrapped.lines.len() as f32)?;
        self.page.lines([x, y], h, leading, &wrapped, false);
        Ok(())
    }

    /// Prose in type larger than the gap above allows for.
    fn large(&mut self, field: &'static str, text: &str, h: f32) -> Result<(), Full> {
        if !text.is_ascii() {
            self.y += ((h - self.h) * metrics::OVERSHOOT).ceil();
        }
        self.prose(field, text, self.left, h)
    }

    /// One line of a list, with a box to tick or a dash.
    fn item(&mut self, field: &'static str, text: &str, tick: bool) -> Result<(), Full> {
        let indent = if tick { self.h * 1.4 } else { self.h * 0.6 };
        let y = self.y;
        self.prose(field, text, self.left + indent, self.h)?;
        let capitals = self.h * metrics::BASELINE;
        if tick {
            let side = capitals.round();
            self.page.frame(self.left, y, side, side, self.page.mm(0.25).max(2.0));
            self.y += (self.h * 0.25).ceil();
        } else {
            let bar = self.page.mm(0.3).max(2.0);
            self.page.fill(self.left, (y + capitals * 0.5).round(), (self.h * 0.35).max(bar + 1.0), bar);
        }
        Ok(())
    }

    fn block(&mut self, field: &'static str, caption: &str, lines: &[&str]) -> Result<(), Full> {
        let small = self.small();
        let indent = match caption {
            "" => 0.0,
            caption => metrics::dots(metrics::width(caption), small).ceil() + self.h * 0.6,
        };
        // On the first line's ground.
        self.page.text(self.left, self.y + (self.h - small) * metrics::BASELINE, small, caption, false);
        // Before a line breaks, all of them become a little smaller.
        let widest = lines.iter().copied().map(metrics::width).max().unwrap_or(1);
        let least = (self.h * BLOCK).max(self.page.mm(TYPE_MIN_MM)).min(self.h);
        let h = fit(widest, self.room() - indent, self.h).max(least);
        lines.iter().try_for_each(|line| self.prose(field, line, self.left + indent, h))
    }

    fn address(&mut self, field: &'static str, lines: &[&str], attn: &str) -> Result<(), Full> {
        let attn = if attn.is_empty() { String::new() } else { format!("ATTN: {attn}") };
        let mut all: Vec<&str> = lines.to_vec();
        if !attn.is_empty() {
            all.insert(1.min(all.len()), &attn);
        }
        let widest = all.iter().copied().map(metrics::width).max().unwrap_or(1);
        let h = fit(widest, self.room(), self.h * ADDRESS * self.sizes.loud.min(1.35)).max(self.h);
        all.iter().try_for_each(|line| self.large(field, line, h))
    }

    /// Barcodes for the wall: as many columns as fit with readable bars, as even as can be.
    fn wall(&mut self, field: &'static str, words: &[&str], more: bool) -> Result<(), Full> {
        if more {
            let air = (self.h * (1.0 + self.sizes.air)).ceil();
            let y = self.take(field, air)? + (air / 2.0).floor();
            self.page.fill(self.margin, y, self.right() - self.margin, self.page.mm(0.3).max(2.0));
        }
        let codes: Vec<(&str, Code128)> =
            words.iter().filter_map(|w| Code128::encode(w).ok().map(|code| (*w, code))).collect();
        let widest = codes.iter().map(|(_, c)| c.modules() + QUIET).max().unwrap_or(1);
        // One quiet zone lies between two columns, and one on either side of all.
        let left = |m: u8| self.margin.max((QUIET * u32::from(m)) as f32);
        let pitch = |m: u8, across: usize| {
            (f32::from(self.page.width) - 2.0 * left(m) + (QUIET * u32::from(m)) as f32) / across as f32
        };
        let fits = |m: u8, across: usize| (widest * u32::from(m)) as f32 <= pitch(m, across).floor();
        let least = self.page.modules().last().unwrap_or(2);
        let Some(most) = (1..=3).rev().find(|&across| fits(least, across)) else {
            return Err(Full { field, why: "its barcodes are wider than the stock".to_owned() });
        };
        let rows = codes.len().div_ceil(most).max(1);
        let across = codes.len().div_ceil(rows).max(1);
        let module = self.page.modules().find(|&m| m <= self.module && fits(m, across)).unwrap_or(least);
        let (left, column) = (left(module), pitch(module, across).floor());
        let quiet = (QUIET * u32::from(module)) as f32;
        // The groups below keep to this one's left edge.
        self.module = module;
        let bars = (self.h * 1.8).max(self.page.mm(7.0)).ceil();
        let h = (self.h * 1.3).floor();
        let deep = codes.iter().map(|(word, _)| metrics::depth(word)).fold(0.0, f32::max);
        for (n, row) in codes.chunks(across).enumerate() {
            if n > 0 {
                self.y += (self.h * (0.6 + self.sizes.air)).ceil();
            }
            let y = self.take(field, bars + self.h * 0.2 + (h * deep).ceil())?;
            for (n, (word, code)) in row.iter().enumerate() {
                let x = left + n as f32 * column;
                self.page.code128(x, y, module, bars, code.clone());
                let h = fit(metrics::width(word), column - quiet, h);
                self.page.text(x, y + bars + self.h * 0.2, h, word, false);
            }
        }
        Ok(())
    }
}

/// A word that stops a unit stands white on black, whatever paper it is on.
fn says_stop(word: &str) -> bool {
    word.starts_with("HOLD") || word.starts_with("REJECT")
}
