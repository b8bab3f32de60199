//! The part of a label that says many small things: captioned values in one or two columns.
//!
//! Arrives: [`Item`]s in reading order and the room for them. Leaves: their texts on the page, in the
//! largest type in which all of them fit. Values stand in a column of their own, captions share their
//! baseline; an item too wide for half the room takes a whole row; what is still too wide is wrapped,
//! and only what may be cut is cut.

use super::layout::{Break, Page, Wrapped, wrap};
use super::metrics;

/// Smallest type that is read without a glass, mm of cell height.
pub(super) const TYPE_MIN_MM: f32 = 1.9;
/// From one line's top to the next, in cell heights.
pub(super) const LEADING: f32 = 1.12;
/// Larger details would compete with what matters more; a share of the label's height.
const TYPE_MAX: f32 = 0.058;
/// Captions are this much of their value, but never below [`CAPTION_MIN_MM`].
const CAPTION: f32 = 0.62;
const CAPTION_MIN_MM: f32 = 1.6;
/// Between a caption and its value, and half of it between two columns, in cell heights.
const GAP: f32 = 0.55;
/// Rows move at most this far apart to fill the room, in cell heights.
const SPREAD_MAX: f32 = 0.6;
/// Smaller type with more of the text, or with fewer broken lines, is preferred down to this share.
const SMALLER_FROM: f32 = 0.8;

/// One thing to say; nothing is said for an empty value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item<'a> {
    field: &'static str,
    caption: &'static str,
    value: &'a str,
    /// Type size relative to the other details.
    scale: f32,
    /// Most lines it may take.
    lines: usize,
    cut: bool,
    /// Of caption and value in thousandths of their cell heights.
    widths: [u32; 2],
}

impl<'a> Item<'a> {
    /// `field` is its name for errors and notes; `caption` may be empty.
    pub fn new(field: &'static str, caption: &'static str, value: &'a str) -> Item<'a> {
        let widths = [metrics::width(caption), metrics::width(value)];
        Item { field, caption, value, scale: 1.0, lines: 1, cut: false, widths }
    }

    pub fn scaled(self, scale: f32) -> Item<'a> {
        Item { scale, ..self }
    }

    /// It may be broken into up to `lines` lines.
    pub fn lines(self, lines: usize) -> Item<'a> {
        Item { lines, ..self }
    }

    /// It may end in `...`. Identifiers and dates may not.
    pub fn cut(self) -> Item<'a> {
        Item { cut: true, ..self }
    }
}

/// A rectangle to fill, in dots.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

/// How the items may be arranged.
#[derive(Debug, Clone, Copy)]
struct Manner {
    columns: usize,
    /// All captions share one column.
    aligned: bool,
    /// The least from a caption to its value in either column; with it, captions need not share one column.
    indents: Option<[f32; 2]>,
    leeway: Leeway,
}

/// What may be done to a text that is too wide, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Leeway {
    Whole,
    Broken,
    Cut,
}

impl Item<'_> {
    /// From its caption's left edge to its value, at cell height `height` of the details.
    fn indent(&self, page: &Page, height: f32) -> f32 {
        match self.widths[0] {
            0 => 0.0,
            caption => metrics::dots(caption, caption_height(page, height)) + GAP * height,
        }
    }

    fn wrapped(&self, width: f32, h: f32, leeway: Leeway) -> Option<Wrapped<'_>> {
        if metrics::dots(self.widths[1], h) <= width {
            return Some(Wrapped { lines: vec![self.value], cut: false });
        }
        match (leeway, self.cut) {
            (Leeway::Whole, _) => None,
            (Leeway::Cut, true) => wrap(self.value, width, h, self.lines, Break::Cut),
            (_, true) => wrap(self.value, width, h, self.lines, Break::Words),
            (_, false) => wrap(self.value, width, h, self.lines, Break::Anywhere),
        }
    }
}

/// Where one item stands, relative to the room.
struct Placed<'a> {
    item: &'a Item<'a>,
    /// Of the caption, and of the value.
    x: [f32; 2],
    y: f32,
    row: usize,
}

/// What all of it takes at one type size.
#[derive(Debug, Clone, Copy)]
struct Fit {
    height: f32,
    columns: usize,
    total: f32,
    rows: usize,
    leeway: Leeway,
    /// The leeway that was needed.
    used: Leeway,
}

/// Puts `items` into `room`, in one column or, where that makes the type larger, in up to `columns`.
/// `aligned` gives all captions a column of their own. Returns the fields that were cut, or the field
/// that does not fit.
pub(super) fn place(
    page: &mut Page,
    items: &[Item],
    room: Room,
    columns: usize,
    aligned: bool,
) -> Result<Vec<&'static str>, &'static str> {
    let least = page.mm(TYPE_MIN_MM);
    let most = (f32::from(page.height) * TYPE_MAX).max(least);
    let search =
        |leeway, low, high| largest(page, items, room, Manner { columns, aligned, indents: None, leeway }, low, high);
    let mut fit = search(Leeway::Cut, least, most)?;
    for better in [Leeway::Broken, Leeway::Whole] {
        if fit.used > better {
            let worth = (fit.height * SMALLER_FROM).max(least);
            fit = search(better, worth, fit.height).unwrap_or(fit);
        }
    }
    Ok(draw(page, items, room, aligned, None, fit))
}

/// Puts `items` at `room`'s upper left in type of cell height `height`, unbroken where that is possible.
/// Returns the height they take, or the field that does not fit.
pub(super) fn put(
    page: &mut Page,
    items: &[Item],
    room: Room,
    columns: usize,
    height: f32,
) -> Result<f32, &'static str> {
    let manner = Manner { columns, aligned: true, indents: None, leeway: Leeway::Broken };
    // Each column aligns its own captions.
    let mut indents = [0f32; 2];
    arrange(page, items, room, manner, height, |at| {
        let second = usize::from(at.x[0] > 0.0);
        indents[second] = indents[second].max(at.item.indent(page, height));
    })?;
    let indents = Some(indents);
    let fit = arrange(page, items, room, Manner { indents, ..manner }, height, |_| ())?;
    draw(page, items, Room { height: fit.total, ..room }, true, indents, fit);
    Ok(fit.total)
}

/// The largest type from `low` to `high` in which the items fit. Smaller type never needs more room, so
/// it is halved in on.
fn largest(
    page: &Page,
    items: &[Item],
    room: Room,
    manner: Manner,
    mut low: f32,
    mut high: f32,
) -> Result<Fit, &'static str> {
    let said = items.iter().filter(|item| !item.value.is_empty());
    let single: f32 = said.map(|item| item.scale * LEADING).sum();
    // One column reads faster than two, at the same size.
    let attempt = |height: f32| {
        let mut failed = "";
        // One column needs at least a line each; that is quickly said.
        let first = if height * single <= room.height { 1 } else { manner.columns };
        for columns in first..=manner.columns {
            match arrange(page, items, room, Manner { columns, ..manner }, height, |_| ()) {
                Ok(fit) => return Ok(fit),
                Err(field) => failed = field,
            }
        }
        Err(failed)
    };
    if let Ok(most) = attempt(high) {
        return Ok(most);
    }
    let mut best = attempt(low)?;
    for _ in 0..5 {
        let middle = (low + high) / 2.0;
        match attempt(middle) {
            Ok(fit) => (best, low) = (fit, middle),
            Err(_) => high = middle,
        }
    }
    Ok(best)
}

fn caption_height(page: &Page, height: f32) -> f32 {
    (height * CAPTION).max(page.mm(CAPTION_MIN_MM)).min(height)
}

/// Lays the items out at cell height `height` and hands each one's place to `place`; or names the one
/// that does not fit.
fn arrange<'a>(
    page: &Page,
    items: &'a [Item<'a>],
    room: Room,
    manner: Manner,
    height: f32,
    mut place: impl FnMut(Placed<'a>),
) -> Result<Fit, &'static str> {
    let said = || items.iter().filter(|item| !item.value.is_empty());
    let widest = said().map(|item| item.indent(page, height)).fold(0.0, f32::max);
    let between = 2.0 * GAP * height;
    let column = (room.width - between * (manner.columns - 1) as f32) / manner.columns as f32;
    let mut used = Leeway::Whole;
    // The row being filled: its top, its number, its height, and the columns taken.
    let (mut y, mut row, mut tall, mut taken) = (0.0, 0, 0f32, 0);
    // Accents on the first line would reach out of the room.
    if let Some(first) = said().next().filter(|item| !item.value.is_ascii()) {
        y = height * first.scale * metrics::OVERSHOOT;
    }
    for item in said() {
        let h = height * item.scale;
        let indent = match item.widths[0] {
            0 => 0.0,
            _ => match manner.indents {
                Some(indents) => indents[usize::from(taken > 0)].max(item.indent(page, height)),
                None if manner.aligned => widest,
                None => item.indent(page, height),
            },
        };
        let needs = indent + metrics::dots(item.widths[1], h);
        let half = manner.columns > 1 && !item.caption.is_empty() && needs <= column;
        if taken > 0 && !half {
            (y, row, tall, taken) = (y + tall, row + 1, 0.0, 0);
        }
        let mut lines = 1;
        if needs > room.width {
            let wrapped = item.wrapped(room.width - indent, h, manner.leeway).ok_or(item.field)?;
            lines = wrapped.lines.len();
            used = used.max(if wrapped.cut { Leeway::Cut } else { Leeway::Broken });
        }
        let x = taken as f32 * (column + between);
        place(Placed { item, x: [x, x + indent], y, row });
        tall = tall.max(lines as f32 * h * LEADING);
        if y + tall > room.height {
            return Err(item.field);
        }
        taken = if half { (taken + 1) % manner.columns } else { 0 };
        if taken == 0 {
            (y, row, tall) = (y + tall, row + 1, 0.0);
        }
    }
    let rows = row + usize::from(taken > 0);
    let Manner { columns, leeway, .. } = manner;
    Ok(Fit { height, columns, total: y + tall, rows, leeway, used })
}

/// Writes what fits, with the height left over spread between the rows.
fn draw(
    page: &mut Page,
    items: &[Item],
    room: Room,
    aligned: bool,
    indents: Option<[f32; 2]>,
    fit: Fit,
) -> Vec<&'static str> {
    let Fit { height, columns, total, rows, leeway, .. } = fit;
    let small = caption_height(page, height);
    let gaps = rows.saturating_sub(1).max(1) as f32;
    let spread = ((room.height - total) / gaps).min(height * SPREAD_MAX);
    let mut placed = Vec::with_capacity(items.len());
    let manner = Manner { columns, aligned, indents, leeway };
    // It fitted a moment ago.
    let _ = arrange(page, items, room, manner, height, |at| placed.push(at));
    let mut cut = Vec::new();
    for Placed { item, x, y, row } in placed {
        let h = height * item.scale;
        let [caption_x, x] = x.map(|x| room.x + x);
        let y = room.y + y + row as f32 * spread;
        // On the value's baseline.
        let caption_y = y + (h - small) * metrics::BASELINE;
        page.text(caption_x, caption_y, small, item.caption, false);
        let wrapped = item.wrapped(room.x + room.width - x, h, leeway).unwrap_or_default();
        page.lines([x, y], h, h * LEADING, &wrapped, false);
        cut.extend(wrapped.cut.then_some(item.field));
    }
    cut
}
