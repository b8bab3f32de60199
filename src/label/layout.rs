//! What a label is made of: texts, barcodes, boxes and lines at places counted in dots.
//!
//! A design ([`super::unit`], ...) puts [`Element`]s on a [`Page`]; [`super::zpl`] writes them for the
//! printer and [`super::preview`] draws them for the eye. Both see the same elements, so the picture
//! shows the label and not an opinion of it. Here is also what every design needs: fitting a text
//! into a width, wrapping it, cutting it, choosing a barcode's module.

use super::code128::{Code128, QUIET};
use super::metrics;
use super::{Dpi, Stock};

/// Thinnest bar or space, mm: what a hand-held scanner reads at arm's length from a worn label, and
/// two dots at 203 dpi.
const MODULE_MIN_MM: f32 = 0.19;
/// Wider bars only cost room, mm.
const MODULE_MAX_MM: f32 = 0.51;
/// `^BY` and `^BQ` take 1 to 10 dots.
pub(super) const DOTS_MAX: u32 = 10;

/// Clear space around a QR code, in modules (ISO/IEC 18004).
pub(super) const QR_QUIET: u16 = 4;

/// What a cut text ends in. Not U+2026: every font has the full stop.
const CUT: &str = "...";

/// One thing on the label. `x`, `y` are its upper left corner in dots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Element {
    /// One line of text in a cell of `height` dots.
    Text {
        x: u16,
        y: u16,
        height: u16,
        text: String,
        /// White on the black box below it.
        reverse: bool,
    },
    /// Bars without quiet zone; `module` is the narrowest bar in dots.
    Code128 { x: u16, y: u16, module: u8, height: u16, code: Code128 },
    /// Model 2, error correction Q, without quiet zone; `module` is a module's side in dots.
    Qr { x: u16, y: u16, module: u8, data: String },
    /// A frame `thickness` dots wide inside the rectangle; a filled box or a line when the thickness
    /// is half the shorter side or more.
    Box { x: u16, y: u16, width: u16, height: u16, thickness: u16 },
}

/// A rectangle in dots; right and bottom are outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rect {
    pub left: i32,
    pub top: i32,
    pub right: i32,
    pub bottom: i32,
}

impl Rect {
    pub fn overlaps(self, other: Rect) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }
}

impl Element {
    /// The room it blackens on paper: a box or barcode exactly, a text with its accents and the margin
    /// for the printer's own font.
    pub fn ink(&self) -> Rect {
        let rect = |x: u16, y: u16, width: u32, height: u32| Rect {
            left: x.into(),
            top: y.into(),
            right: i32::from(x) + width as i32,
            bottom: i32::from(y) + height as i32,
        };
        match self {
            Element::Text { x, y, height, text, .. } => {
                let h = f32::from(*height);
                let wide = metrics::dots(metrics::width(text), h).ceil();
                let deep = (h * metrics::depth(text)).ceil();
                let mut ink = rect(*x, *y, wide as u32, deep as u32);
                if !text.is_ascii() {
                    ink.top -= (h * metrics::OVERSHOOT).ceil() as i32;
                }
                ink
            }
            Element::Code128 { x, y, module, height, code } => {
                rect(*x, *y, code.modules() * u32::from(*module), (*height).into())
            }
            Element::Qr { x, y, module, data } => {
                let side = u32::from(qr_modules(data).unwrap_or(0)) * u32::from(*module);
                rect(*x, *y, side, side)
            }
            Element::Box { x, y, width, height, .. } => rect(*x, *y, (*width).into(), (*height).into()),
        }
    }

    /// The room that nothing else may blacken: [`Element::ink`] and a barcode's quiet zone.
    pub fn bounds(&self) -> Rect {
        let (beside, above) = match self {
            Element::Code128 { module, .. } => (QUIET * u32::from(*module), 0),
            Element::Qr { module, .. } => {
                let quiet = u32::from(QR_QUIET) * u32::from(*module);
                (quiet, quiet)
            }
            Element::Text { .. } | Element::Box { .. } => (0, 0),
        };
        let ink = self.ink();
        Rect {
            left: ink.left - beside as i32,
            top: ink.top - above as i32,
            right: ink.right + beside as i32,
            bottom: ink.bottom + above as i32,
        }
    }
}

/// The side of the QR code (level Q) that holds `data` in modules, by what byte mode needs: a printer
/// that packs better prints a smaller one. `None` when it is longer than version 6 holds.
pub(super) fn qr_modules(data: &str) -> Option<u16> {
    // ISO/IEC 18004, table 7: bytes in versions 1 to 6 at level Q.
    let capacity = [11, 20, 32, 46, 60, 74];
    let version = capacity.iter().position(|&bytes| data.len() <= bytes)?;
    Some(21 + 4 * version as u16)
}

/// The sheet a design works on.
#[derive(Debug)]
pub(super) struct Page {
    pub stock: Stock,
    pub dpi: Dpi,
    pub width: u16,
    pub height: u16,
    pub elements: Vec<Element>,
}

impl Page {
    pub fn new(stock: Stock, dpi: Dpi) -> Page {
        let (width, height) = stock.dots(dpi);
        let elements = Vec::with_capacity(32);
        Page { stock, dpi, width, height, elements }
    }

    /// Millimetres in dots.
    pub fn mm(&self, mm: f32) -> f32 {
        self.dpi.dots(mm)
    }

    /// Dot modules of a bar code from the widest sensible to the narrowest readable.
    pub fn modules(&self) -> impl Iterator<Item = u8> + use<> {
        let widest = (self.mm(MODULE_MAX_MM).floor() as u32).clamp(1, DOTS_MAX);
        let narrowest = (self.mm(MODULE_MIN_MM).ceil() as u32).clamp(1, DOTS_MAX);
        (narrowest..=widest.max(narrowest)).rev().map(|dots| dots as u8)
    }

    /// Whether a scanner reads modules of so many dots.
    pub fn readable(&self, module: u8) -> bool {
        f32::from(module) >= self.mm(MODULE_MIN_MM)
    }

    /// Side of a QR module in dots so that `modules` of them fill at most `room` dots; `None` when
    /// they would be finer than a scanner reads.
    pub fn qr_module(&self, modules: u16, room: f32) -> Option<u8> {
        let module = ((room / f32::from(modules)) as u32).min(DOTS_MAX) as u8;
        self.readable(module).then_some(module)
    }

    pub fn text(&mut self, x: f32, y: f32, height: f32, text: &str, reverse: bool) {
        if !text.is_empty() {
            self.elements.push(Element::Text {
                x: whole(x),
                y: whole(y),
                height: whole(height),
                text: text.to_owned(),
                reverse,
            });
        }
    }

    /// Lines below each other, `leading` from top to top.
    pub fn lines(&mut self, [x, y]: [f32; 2], h: f32, leading: f32, wrapped: &Wrapped, reverse: bool) {
        for (n, line) in wrapped.lines.iter().enumerate() {
            let y = y + n as f32 * leading;
            if wrapped.cut && n + 1 == wrapped.lines.len() {
                self.text(x, y, h, &format!("{line}{CUT}"), reverse);
            } else {
                self.text(x, y, h, line, reverse);
            }
        }
    }

    pub fn code128(&mut self, x: f32, y: f32, module: u8, height: f32, code: Code128) {
        let (x, y, height) = (whole(x), whole(y), whole(height).max(1));
        self.elements.push(Element::Code128 { x, y, module, height, code });
    }

    pub fn qr(&mut self, x: f32, y: f32, module: u8, data: &str) {
        let (x, y, data) = (whole(x), whole(y), data.to_owned());
        self.elements.push(Element::Qr { x, y, module, data });
    }

    /// A filled box.
    pub fn fill(&mut self, x: f32, y: f32, width: f32, height: f32) {
        let (width, height) = (whole(width).max(1), whole(height).max(1));
        self.elements.push(Element::Box { x: whole(x), y: whole(y), width, height, thickness: width.min(height) });
    }

    pub fn frame(&mut self, x: f32, y: f32, width: f32, height: f32, thickness: f32) {
        self.elements.push(Element::Box {
            x: whole(x),
            y: whole(y),
            width: whole(width).max(1),
            height: whole(height).max(1),
            thickness: whole(thickness).max(1),
        });
    }
}

/// To whole dots. What is off the label to the left or top is a mistake of the layout that the bounds
/// test finds, not a number to wrap around: the cast stops at 0.
fn whole(dots: f32) -> u16 {
    ((dots + 0.5) as u16).min(32_000)
}

/// The greatest cell height up to `most` at which a text of `width` thousandths fits into `room`.
pub(super) fn fit(width: u32, room: f32, most: f32) -> f32 {
    let per_dot = metrics::dots(width.max(1), 1.0);
    (room / per_dot).min(most).floor()
}

/// How a text may be broken into lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Break {
    /// Prose: at blanks.
    Words,
    /// Prose, where there is no room for all of it: at blanks, and what is left over becomes `...`.
    Cut,
    /// Identifiers: anywhere, but all of it.
    Anywhere,
}

/// A text in lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Wrapped<'a> {
    pub lines: Vec<&'a str>,
    /// The last line ends in `...`.
    pub cut: bool,
}

impl Wrapped<'_> {
    /// Width of the widest line in thousandths.
    pub fn width(&self) -> u32 {
        let mark = if self.cut { metrics::width(CUT) } else { 0 };
        let last = self.lines.last().map_or(0, |line| metrics::width(line) + mark);
        self.lines.iter().map(|line| metrics::width(line)).fold(last, u32::max)
    }
}

/// Breaks `text` into at most `lines` lines of `room` dots at cell height `h`. `None` when it does not
/// fit in this way.
pub(super) fn wrap(text: &str, room: f32, h: f32, lines: usize, how: Break) -> Option<Wrapped<'_>> {
    // A text measured for just this room must fit it in spite of float rounding.
    let most = (room / metrics::dots(1, h) + 0.01) as u32;
    let mut out = Vec::new();
    let mut rest = text;
    while out.len() < lines {
        let end = fitting(rest, most);
        if end == rest.len() {
            out.push(rest);
            return Some(Wrapped { lines: out, cut: false });
        }
        // The blank may stand right behind the last character that fits.
        let blank = if rest[end..].starts_with(' ') { Some(end) } else { rest[..end].rfind(' ') };
        let at = match (blank.filter(|&n| n > 0), how) {
            (Some(blank), _) => blank,
            (None, Break::Anywhere) if end > 0 => end,
            (None, _) => 0,
        };
        let last = out.len() + 1 == lines;
        if last || at == 0 {
            if how != Break::Cut {
                return None;
            }
            let end = fitting(rest, most.saturating_sub(metrics::width(CUT)));
            let line = rest[..end].trim_end();
            out.push(line);
            return (!line.is_empty()).then_some(Wrapped { lines: out, cut: true });
        }
        out.push(rest[..at].trim_end());
        rest = rest[at..].trim_start();
    }
    None
}

/// Byte length of the longest beginning of `text` that is at most `most` thousandths wide.
fn fitting(text: &str, most: u32) -> usize {
    let mut width = 0;
    for (at, c) in text.char_indices() {
        width += metrics::advance(c);
        if width > most {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(text: &str, room: f32, n: usize, how: Break) -> Option<Wrapped<'_>> {
        wrap(text, room, 20.0, n, how)
    }

    #[test]
    fn prose_breaks_at_blanks_and_identifiers_anywhere() {
        let whole = |lines: &[&'static str]| Some(Wrapped { lines: lines.to_vec(), cut: false });
        let cut = |lines: &[&'static str]| Some(Wrapped { lines: lines.to_vec(), cut: true });
        for (text, room, n, how, want) in [
            ("short", 200.0, 1, Break::Words, whole(&["short"])),
            ("one two three", 80.0, 2, Break::Words, whole(&["one two", "three"])),
            ("one two three", 80.0, 2, Break::Anywhere, whole(&["one two", "three"])),
            ("one two three", 80.0, 1, Break::Words, None),
            ("one two three", 80.0, 1, Break::Cut, cut(&["one tw"])),
            ("abcdefghijkl", 60.0, 2, Break::Anywhere, whole(&["abcdef", "ghijkl"])),
            ("abcdefghijkl", 60.0, 2, Break::Words, None),
            ("abcdefghijkl", 60.0, 2, Break::Cut, cut(&["abc"])),
            ("abcdefghijklmnop", 60.0, 2, Break::Anywhere, None),
            ("abc", 5.0, 2, Break::Cut, None),
            ("abc", 900.0, 0, Break::Cut, None),
        ] {
            assert_eq!(lines(text, room, n, how), want, "{text} {room} {n} {how:?}");
        }
    }

    #[test]
    fn bars_are_never_thinner_than_scanners_read() {
        for dpi in Dpi::ALL {
            let page = Page::new(Stock::inches(4, 6), dpi);
            let modules: Vec<u8> = page.modules().collect();
            let dot_mm = 25.4 / dpi.per_inch() as f32;
            assert!(modules.iter().all(|&m| f32::from(m) * dot_mm >= 0.19), "{dpi}: {modules:?}");
            assert!(modules.is_sorted_by(|a, b| a > b) && !modules.is_empty());
        }
    }

    #[test]
    fn qr_sizes() {
        assert_eq!(qr_modules("R26AB12345C"), Some(21));
        assert_eq!(qr_modules(&"A".repeat(12)), Some(25));
        assert_eq!(qr_modules(&"A".repeat(75)), None);
    }

    proptest! {
        #[test]
        fn wrapped_lines_fit_and_lose_only_blanks(text in "[ -~]{1,80}", room in 20f32..900.0, n in 1usize..4) {
            for how in [Break::Words, Break::Cut, Break::Anywhere] {
                let Some(wrapped) = lines(text.trim(), room, n, how) else { continue };
                prop_assert!(wrapped.lines.len() <= n && (how == Break::Cut || !wrapped.cut));
                prop_assert!(metrics::dots(wrapped.width(), 20.0) <= room + 0.1);
                let squeezed = |s: &str| s.replace(' ', "");
                let printed = squeezed(&wrapped.lines.concat());
                if wrapped.cut {
                    prop_assert!(squeezed(&text).starts_with(&printed));
                } else {
                    prop_assert_eq!(printed, squeezed(&text));
                }
            }
        }
    }
}
