//! The layout of every paper but the unit label and the test page: parts below each other, in one type
//! size that is as large as the stock allows.
//!
//! Arrives: the [`Part`]s of a paper ([`super::papers`]) and its fields. Leaves: a [`Label`]. The parts keep
//! their order; where they do not fit in the smallest type, optional parts leave from the last one up, and
//! [`Label::left_out`] names them. A part that must be there and has no room is an error.

use super::code128::{Code128, QUIET};
use super::details::{LEADING, TYPE_MIN_MM};
use super::layout::{Break, Page, QR_QUIET, Wrapped, fit, qr_modules, wrap};
use super::{Dpi, Label, LabelError, Stock, check_code, check_text, metrics};
use serde_json::{Map, Value};

/// One part of a paper.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    /// What the paper is, across its whole width. `stops`: white on black.
    Title { text: &'static str, stops: bool },
    /// A field in the same place, for the word that decides (`HOLD`, a team, a verdict).
    Word { field: &'static str, stops: bool },
    /// Which of how many, in the same place.
    Count { word: &'static str, field: &'static str, of: &'static str },
    /// A number, large, with its bars and a QR code.
    Number { field: &'static str },
    /// A smaller number with its bars.
    Bars { caption: &'static str, field: &'static str },
    /// Caption and value on one line.
    Line { caption: &'static str, field: &'static str },
    /// Prose, wrapped.
    Prose { field: &'static str },
    /// A list, a line each.
    List { caption: &'static str, field: &'static str },
    /// An address, larger than prose, a line each; `attn` is a field that goes below the first line.
    Address { field: &'static str, attn: &'static str },
    /// Boxes to tick: those of a field, or else these.
    Checks { field: &'static str, fixed: &'static [&'static str] },
    /// That it is a copy, for whom and why; nothing on a first print.
    Copied,
    /// Barcodes with their words below each other, in columns.
    Wall { field: &'static str, fixed: &'static [&'static str] },
}

impl Part {
    fn field(&self) -> &'static str {
        match self {
            Part::Title { .. } => "",
            Part::Copied => "copy",
            Part::Word { field, .. }
            | Part::Count { field, .. }
            | Part::Number { field }
            | Part::Bars { field, .. }
            | Part::Line { field, .. }
            | Part::Prose { field }
            | Part::List { field, .. }
            | Part::Address { field, .. }
            | Part::Checks { field, .. }
            | Part::Wall { field, .. } => field,
        }
    }
}

/// Largest type of running text, mm of cell height, and as a share of the label's height.
const TYPE_MAX_MM: f32 = 7.0;
const TYPE_MAX: f32 = 0.075;
/// Margin as a share of the shorter side, and its bounds in mm.
const MARGIN: f32 = 0.03;
/// Lines of one piece of prose at most.
const LINES: usize = 12;

/// The fields as the parts read them.
struct Fields<'f>(&'f Map<String, Value>);

impl<'f> Fields<'f> {
    fn text(&self, name: &str) -> String {
        match self.0.get(name) {
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(n)) => n.to_string(),
            _ => String::new(),
        }
    }

    fn list(&self, name: &str) -> Vec<&'f str> {
        let list = self.0.get(name).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).map(str::trim).filter(|t| !t.is_empty()).collect()
    }

    fn has(&self, part: &Part) -> bool {
        match part {
            Part::Title { .. } => true,
            Part::Checks { fixed, field } | Part::Wall { fixed, field } => {
                !fixed.is_empty() || !self.list(field).is_empty()
            }
            Part::List { field, .. } | Part::Address { field, .. } => !self.list(field).is_empty(),
            _ => !self.text(part.field()).is_empty(),
        }
    }
}

/// A part did not find room.
struct Full {
    field: &'static str,
    why: String,
}

/// Lays a paper out. `required` are the fields without which it is none.
pub(super) fn render(
    label: &'static str,
    parts: &[Part],
    required: &[&'static str],
    fields: &Map<String, Value>,
    stock: Stock,
    dpi: Dpi,
) -> Result<Label, LabelError> {
    let given = Fields(fields);
    let empty = |name: &&&'static str| given.text(name).is_empty() && given.list(name).is_empty();
    let missing: Vec<&str> = required.iter().filter(empty).copied().collect();
    if !missing.is_empty() {
        return Err(LabelError::Missing { label, fields: missing.join(", ") });
    }
    check(parts, &given)?;
    let mut there: Vec<&Part> = parts.iter().filter(|part| given.has(part)).collect();
    let mut left_out = Vec::new();
    loop {
        match fill(&there, &given, stock, dpi) {
            Ok(page) => return Label::of(page, left_out, Vec::new()),
            Err(full) => {
                // A wall sheet without its codes is none, and a copy says that it is one.
                let must = |part: &Part| matches!(part, Part::Title { .. } | Part::Copied | Part::Wall { .. });
                let may_leave = |part: &&Part| !must(part) && !required.contains(&part.field());
                match there.iter().rposition(may_leave) {
                    Some(at) => left_out.push(there.remove(at).field()),
                    None => return Err(LabelError::NoRoom { field: full.field, stock, dpi, why: full.why }),
                }
            }
        }
    }
}

fn check(parts: &[Part], given: &Fields) -> Result<(), LabelError> {
    for part in parts {
        let field = part.field();
        match part {
            Part::Title { .. } => {}
            Part::Copied => ["copy", "copy_by", "copy_why"].iter().try_for_each(|f| check_text(f, &given.text(f)))?,
            Part::Number { .. } | Part::Bars { .. } => check_code(field, &given.text(field))?,
            Part::Wall { .. } => given.list(field).iter().try_for_each(|text| check_code(field, text))?,
            Part::List { .. } | Part::Checks { .. } => {
                given.list(field).iter().try_for_each(|text| check_text(field, text))?;
            }
            Part::Count { of, .. } => {
                check_text(field, &given.text(field))?;
                check_text(of, &given.text(of))?;
            }
            Part::Address { attn, .. } => {
                given.list(field).iter().try_for_each(|text| check_text(field, text))?;
                check_text(attn, &given.text(attn))?;
            }
            _ => check_text(field, &given.text(field))?,
        }
    }
    Ok(())
}

/// Everything in the largest type in which it fits.
fn fill(parts: &[&Part], given: &Fields, stock: Stock, dpi: Dpi) -> Result<Page, Full> {
    let probe = Page::new(stock, dpi);
    let least = probe.mm(TYPE_MIN_MM).ceil();
    let most = probe.mm(TYPE_MAX_MM).min(f32::from(probe.height) * TYPE_MAX).max(least);
    let mut h = most.floor();
    let accents = given.0.values().any(|value| !value.to_string().is_ascii());
    loop {
        let mut sheet = Sheet::new(stock, dpi, h, accents);
        match parts.iter().try_for_each(|part| sheet.put(part, given)) {
            Ok(()) => return Ok(sheet.page),
            Err(full) if h <= least => return Err(full),
            Err(_) => h = (h * 0.94).floor().max(least),
        }
    }
}

struct Sheet {
    page: Page,
    /// Cell height of running text.
    h: f32,
    margin: f32,
    y: f32,
    /// Some line has letters with accents: then all lines stand further apart, evenly.
    accents: bool,
}

impl Sheet {
    fn new(stock: Stock, dpi: Dpi, h: f32, accents: bool) -> Sheet {
        let page = Page::new(stock, dpi);
        let side = f32::from(page.width.min(page.height));
        let margin = (side * MARGIN).clamp(page.mm(1.2), page.mm(4.0)).round();
        Sheet { y: margin, page, h, margin, accents }
    }

    /// What a line of cell height `h` needs above it.
    fn above(&self, h: f32) -> f32 {
        if self.accents { (h * metrics::OVERSHOOT).ceil() } else { 0.0 }
    }

    fn room(&self) -> f32 {
        f32::from(self.page.width) - 2.0 * self.margin
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

    fn gap(&mut self) {
        self.y += (self.h * 0.35).ceil();
    }

    fn put(&mut self, part: &Part, given: &Fields) -> Result<(), Full> {
        let field = part.field();
        match *part {
            Part::Title { text, stops } => self.banner("title", text, stops, 2.1),
            Part::Copied => self.copied(given),
            Part::Word { stops, .. } => self.banner(field, &given.text(field), stops, 2.6),
            Part::Count { word, of, .. } => {
                self.banner(field, &format!("{word} {} of {}", given.text(field), given.text(of)), false, 2.6)
            }
            Part::Number { .. } => self.number(field, &given.text(field)),
            Part::Bars { caption, .. } => self.bars(field, caption, &given.text(field)),
            Part::Line { caption, .. } => self.line(field, caption, &given.text(field)),
            Part::Prose { .. } => self.prose(field, &given.text(field), self.margin, self.h),
            Part::List { caption, .. } => {
                self.caption(field, caption)?;
                given.list(field).iter().try_for_each(|item| self.item(field, item, false))?;
                self.gap();
                Ok(())
            }
            Part::Address { attn, .. } => self.address(field, &given.list(field), &given.text(attn)),
            Part::Checks { fixed, .. } => {
                let own = given.list(field);
                let items: &[&str] = if own.is_empty() { fixed } else { &own };
                items.iter().try_for_each(|item| self.item(field, item, true))?;
                self.gap();
                Ok(())
            }
            Part::Wall { fixed, .. } => {
                let own = given.list(field);
                self.wall(field, if own.is_empty() { fixed } else { &own })
            }
        }
    }

    /// A word across the label, on black where it stops, in a frame where it does not.
    fn banner(&mut self, field: &'static str, text: &str, stops: bool, times: f32) -> Result<(), Full> {
        let text = text.to_uppercase();
        let pad = (self.h * 0.5).round();
        let h = fit(metrics::width(&text), self.room() - 2.0 * pad, self.h * times);
        if h < self.page.mm(TYPE_MIN_MM) {
            return Err(Full { field, why: "it is too long for one line".to_owned() });
        }
        let above = if text.is_ascii() { 0.0 } else { h * metrics::OVERSHOOT };
        let tall = (h * metrics::depth(&text) + above + 1.2 * pad).ceil();
        let y = self.take(field, tall + 1.0)?;
        let (x, wide) = (self.margin, self.room());
        if stops {
            self.page.fill(x, y, wide, tall);
        } else {
            self.page.frame(x, y, wide, tall, self.page.mm(0.4).max(2.0));
        }
        self.page.text(x + pad, (y + above + 0.6 * pad).round(), h, &text, stops);
        self.gap();
        Ok(())
    }

    /// White on black, as narrow as its words.
    fn copied(&mut self, given: &Fields) -> Result<(), Full> {
        let (by, why) = (given.text("copy_by"), given.text("copy_why"));
        let mark = format!("COPY {}", given.text("copy"));
        let h = (self.h * 1.2).round();
        let pad = (h * 0.4).round();
        let wide = metrics::dots(metrics::width(&mark), h).ceil() + 2.0 * pad;
        let tall = (h * 1.25).ceil();
        let y = self.take("copy", tall + (self.h * 0.2).ceil())?;
        self.page.fill(self.margin, y, wide, tall);
        self.page.text(self.margin + pad, y + ((tall - h * metrics::BASELINE) / 2.0).round(), h, &mark, true);
        let said = [by, why].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(": ");
        if !said.is_empty() {
            self.prose_at("copy_by", &said, self.margin, self.room(), self.h)?;
        }
        self.gap();
        Ok(())
    }

    /// The number large, below it its bars, beside them a QR code where there is room.
    fn number(&mut self, field: &'static str, text: &str) -> Result<(), Full> {
        let h = fit(metrics::width(text), self.room(), self.h * 3.2);
        let y = self.take(field, (h * metrics::depth(text) + self.h * 0.35).ceil() + 1.0)?;
        self.page.text(self.margin, y, h, text, false);
        self.code(field, text, self.h * 3.4, true)?;
        self.gap();
        Ok(())
    }

    fn bars(&mut self, field: &'static str, caption: &str, text: &str) -> Result<(), Full> {
        self.line(field, caption, text)?;
        self.code(field, text, self.h * 2.2, false)?;
        self.gap();
        Ok(())
    }

    fn code(&mut self, field: &'static str, text: &str, height: f32, with_qr: bool) -> Result<(), Full> {
        let code = Code128::encode(text).map_err(|c| Full { field, why: format!("{c:?} is in no barcode") })?;
        let height = height.max(self.page.mm(6.0)).ceil();
        let width = f32::from(self.page.width);
        let mut alone = None;
        let mut found = None;
        for module in self.page.modules() {
            let quiet = (QUIET * u32::from(module)) as f32;
            let left = self.margin.max(quiet).ceil();
            let end = left + (code.modules() * u32::from(module)) as f32;
            if end + quiet > width {
                continue;
            }
            let qr = qr_modules(text).filter(|_| with_qr).and_then(|modules| {
                let qr = self.page.qr_module(modules + 2 * QR_QUIET, height)?;
                let whole = f32::from((modules + 2 * QR_QUIET) * u16::from(qr));
                (end + quiet + whole + self.margin <= width).then_some((qr, whole))
            });
            alone = alone.or(Some((left, module, None)));
            if qr.is_some() {
                found = Some((left, module, qr));
                break;
            }
        }
        let Some((left, module, qr)) = found.or(alone) else {
            let needs = (code.modules() + 2 * QUIET) as f32 * self.page.modules().last().map_or(1.0, f32::from);
            let why = format!(
                "its Code 128 is {:.0} mm wide, the stock {:.0} mm",
                needs * 25.4 / self.page.dpi.per_inch() as f32,
                self.page.stock.width_mm()
            );
            return Err(Full { field, why });
        };
        let y = self.take(field, height + 2.0)?;
        self.page.code128(left, y, module, height, code);
        if let Some((qr, whole)) = qr {
            let quiet = f32::from(QR_QUIET * u16::from(qr));
            let x = width - self.margin - whole + quiet;
            self.page.qr(x, y + quiet, qr, text);
        }
        Ok(())
    }

    /// A caption and what it is about.
    fn line(&mut self, field: &'static str, caption: &str, text: &str) -> Result<(), Full> {
        let small = (self.h * 0.72).max(self.page.mm(TYPE_MIN_MM)).floor().min(self.h);
        let wide = metrics::dots(metrics::width(caption), small).ceil() + self.h * 0.6;
        let beside = wide < self.room() * 0.45 && !caption.is_empty();
        let before = self.y;
        if beside {
            self.prose_at(field, text, self.margin + wide, self.room() - wide, self.h)?;
            // On the first line's ground.
            let down = self.above(self.h) + (self.h - small) * metrics::BASELINE;
            self.page.text(self.margin, before + down, small, caption, false);
            return Ok(());
        }
        self.caption(field, caption)?;
        self.prose_at(field, text, self.margin, self.room(), self.h)
    }

    fn caption(&mut self, field: &'static str, caption: &str) -> Result<(), Full> {
        if caption.is_empty() {
            return Ok(());
        }
        let small = (self.h * 0.72).max(self.page.mm(TYPE_MIN_MM)).floor().min(self.h);
        let y = self.take(field, (small * LEADING).ceil())?;
        self.page.text(self.margin, y, small, caption, false);
        Ok(())
    }

    fn prose(&mut self, field: &'static str, text: &str, x: f32, h: f32) -> Result<(), Full> {
        self.prose_at(field, text, x, self.room() - (x - self.margin), h)?;
        self.gap();
        Ok(())
    }

    fn prose_at(&mut self, field: &'static str, text: &str, x: f32, room: f32, h: f32) -> Result<(), Full> {
        let wrapped: Wrapped = wrap(text, room, h, LINES, Break::Words)
            .or_else(|| wrap(text, room, h, LINES, Break::Anywhere))
            .ok_or_else(|| Full { field, why: "it is too long".to_owned() })?;
        let above = self.above(h);
        let leading = (h * LEADING + above).ceil();
        let y = self.take(field, leading * wrapped.lines.len() as f32)?;
        self.page.lines([x, y + above], h, leading, &wrapped, false);
        Ok(())
    }

    /// One line of a list, with a box to tick or a dash.
    fn item(&mut self, field: &'static str, text: &str, tick: bool) -> Result<(), Full> {
        let indent = if tick { self.h * 1.4 } else { self.h * 0.6 };
        let y = self.y;
        self.prose_at(field, text, self.margin + indent, self.room() - indent, self.h)?;
        let above = self.above(self.h);
        if tick {
            let side = (self.h * metrics::BASELINE).round();
            self.page.frame(self.margin, y + above, side, side, self.page.mm(0.25).max(2.0));
        } else {
            let bar = self.page.mm(0.3).max(2.0);
            let middle = (y + above + self.h * metrics::BASELINE * 0.5).round();
            self.page.fill(self.margin, middle, (self.h * 0.35).max(bar + 1.0), bar);
        }
        if tick {
            self.y += (self.h * 0.25).ceil();
        }
        Ok(())
    }

    fn address(&mut self, field: &'static str, lines: &[&str], attn: &str) -> Result<(), Full> {
        let attn = format!("ATTN: {attn}");
        let widest = lines.iter().copied().chain([attn.as_str()]).map(metrics::width).max().unwrap_or(1);
        let h = fit(widest, self.room(), self.h * 1.7).max(self.h);
        for (n, line) in lines.iter().enumerate() {
            self.prose_at(field, line, self.margin, self.room(), h)?;
            if n == 0 && attn.len() > "ATTN: ".len() {
                self.prose_at(field, &attn, self.margin, self.room(), h)?;
            }
        }
        self.gap();
        Ok(())
    }

    /// Barcodes for the wall: as many columns as fit with readable bars.
    fn wall(&mut self, field: &'static str, words: &[&str]) -> Result<(), Full> {
        let codes: Vec<(&str, Code128)> =
            words.iter().filter_map(|w| Code128::encode(w).ok().map(|code| (*w, code))).collect();
        let widest = codes.iter().map(|(_, c)| c.modules() + 2 * QUIET).max().unwrap_or(1);
        let least = self.page.modules().last().unwrap_or(2);
        let columns = ((self.room() / (widest * u32::from(least)) as f32) as usize).clamp(1, 3);
        let column = self.room() / columns as f32;
        let module = self.page.modules().find(|m| (widest * u32::from(*m)) as f32 <= column);
        let Some(module) = module else {
            return Err(Full { field, why: "its barcodes are wider than the stock".to_owned() });
        };
        let bars = (self.h * 1.8).max(self.page.mm(7.0)).ceil();
        let quiet = (QUIET * u32::from(module)) as f32;
        for row in codes.chunks(columns) {
            let y = self.take(field, bars + (self.h * LEADING).ceil() + self.h)?;
            for (n, (word, code)) in row.iter().enumerate() {
                let x = self.margin + n as f32 * column + quiet;
                self.page.code128(x, y, module, bars, code.clone());
                let h = fit(metrics::width(word), column - quiet, self.h);
                self.page.text(x, y + bars + self.h * 0.15, h, word, false);
            }
        }
        Ok(())
    }
}
