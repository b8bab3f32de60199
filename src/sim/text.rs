//! Characters: ZPL's fonts and text blocks, drawn with one scalable font.
//!
//! Arrives: decoded text, a font with its size, and the `^FB` block if there is one. Leaves: a bitmap, the
//! place of its baseline, and what could not be shown. Promised: a character the font lacks is warned of.
//!
//! Assumed: font `0` is a bold condensed sans whose em is the size asked for (capitals reach 0.71 of it),
//! whose baseline is 0.78 below the top of its cell, and which is as wide as drawn where width equals
//! height. The bitmap fonts `A` to `H` are approximated: their cells and baselines are the manual's (203
//! and 300 dpi alike) in whole multiples, and the scalable font is squeezed into them. Every other font is drawn as font `0`, with a warning. A block's text that runs past its last line is
//! printed over that line, as the manual says.

use ab_glyph::{Font as _, FontRef, Glyph, GlyphId, PxScale, ScaleFont as _, point};

use super::canvas::{Bitmap, Budget, Ink, signed};
use super::settings::Font;

/// The scalable font: data shared with nobody's code.
const FONT_DATA: &[u8] = include_bytes!("../label/font/RobotoCondensed-Bold.ttf");
/// Scalable sizes of the manual.
const SIZE: std::ops::RangeInclusive<u32> = 10..=1500;
/// Longest field text drawn, in characters (`^FD` takes 3072 bytes).
const TEXT_MAX: usize = 3072;

/// How a block's lines stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Justify {
    /// Flush left.
    Left,
    /// Centred.
    Centre,
    /// Flush right.
    Right,
    /// Spread to both sides, save for the last line.
    Both,
}

/// `^FB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Width in dots.
    pub width: u32,
    /// Most lines.
    pub lines: u32,
    /// Dots added between lines; may be negative.
    pub spacing: i32,
    /// How lines stand.
    pub justify: Justify,
    /// Indent of the second and later lines, in dots.
    pub indent: u32,
}

/// Text ready to stamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The dots.
    pub dots: Bitmap,
    /// The last line's baseline, from the top of the dots.
    pub baseline: i32,
    /// Dots above and below the cell, where accents and tails may reach; they do not count for its place.
    pub margin: u32,
}

/// Loads the font; `None` only if the data built into the program were no font.
pub fn font() -> Option<FontRef<'static>> {
    FontRef::try_from_slice(FONT_DATA).ok()
}

/// A font at a size: how far characters reach and move on.
struct Face<'f> {
    font: &'f FontRef<'static>,
    scale: PxScale,
    /// Fixed advance of the bitmap fonts.
    cell: Option<f32>,
    height: u32,
    /// From the top of the cell.
    baseline: f32,
}

/// Part of the size asked for between the top of font `0`'s cell and its baseline.
const BASELINE: f32 = 0.78;
/// Part of the em that capitals reach, and that a figure moves on, in the scalable font.
const CAPITAL: f32 = 0.711;
const FIGURE: f32 = 0.5;

/// A bitmap font's cell height and width, the gap to the next cell, and the baseline (programming guide).
fn bitmap_cell(name: u8) -> Option<[u32; 4]> {
    match name {
        b'A' => Some([9, 5, 1, 7]),
        b'B' => Some([11, 7, 2, 11]),
        b'C' | b'D' => Some([18, 10, 2, 14]),
        b'E' => Some([28, 15, 5, 23]),
        b'F' => Some([26, 13, 3, 21]),
        b'G' => Some([60, 40, 8, 48]),
        b'H' => Some([21, 13, 6, 21]),
        _ => None,
    }
}

/// Whole magnification of a bitmap font: the nearest to what was asked, 1 to 10.
fn magnification(asked: u32, base: u32) -> u32 {
    ((asked + base / 2) / base).clamp(1, 10)
}

impl<'f> Face<'f> {
    fn new(font: &'f FontRef<'static>, asked: Font, warnings: &mut Vec<String>) -> Self {
        // The library scales by the font's whole height, a printer by its em.
        let per_em = font.units_per_em().map_or(1.0, |em| font.height_unscaled() / em);
        let face = |height, em: (f32, f32), baseline, cell| {
            let scale = PxScale { x: em.0 * per_em, y: em.1 * per_em };
            Self { font, scale, cell, height, baseline }
        };
        if let Some([h, w, gap, baseline]) = bitmap_cell(asked.name) {
            let (by_height, by_width) = match (asked.height, asked.width) {
                (0, 0) => (1, 1),
                (0, width) => (magnification(width, w), magnification(width, w)),
                (height, 0) => (magnification(height, h), magnification(height, h)),
                (height, width) => (magnification(height, h), magnification(width, w)),
            };
            let baseline = (baseline * by_height) as f32;
            let em = ((w * by_width) as f32 / FIGURE, baseline / CAPITAL);
            return face(h * by_height, em, baseline, Some(((w + gap) * by_width) as f32));
        }
        if asked.name != b'0' {
            warnings.push(format!("font {} is drawn as font 0", asked.name.escape_ascii()));
        }
        let pick = |n: u32| (n > 0).then(|| n.clamp(*SIZE.start(), *SIZE.end()));
        let height = pick(asked.height).or(pick(asked.width)).unwrap_or(15);
        let width = pick(asked.width).unwrap_or(height);
        let baseline = (height as f32 * BASELINE).round();
        face(height, (width as f32, height as f32), baseline, None)
    }

    fn margin(&self) -> u32 {
        self.height / 4
    }

    fn advance(&self, c: char) -> f32 {
        match self.cell {
            Some(cell) => cell,
            None => {
                let scaled = self.font.as_scaled(self.scale);
                scaled.h_advance(self.font.glyph_id(c))
            }
        }
    }

    fn width(&self, text: &str) -> f32 {
        text.chars().map(|c| self.advance(c)).sum()
    }

    /// Draws one line from `x` on, its baseline at `y`; `extra` dots are added to each blank.
    fn draw(&self, text: &str, mut x: f32, y: f32, extra: f32, dots: &mut Bitmap) {
        for c in text.chars() {
            let glyph: Glyph = self.font.glyph_id(c).with_scale_and_position(self.scale, point(x, y));
            if let Some(outline) = self.font.outline_glyph(glyph) {
                let corner = outline.px_bounds().min;
                outline.draw(|dx, dy, cover| {
                    if cover >= 0.5 {
                        let x = corner.x as i32 + signed(dx);
                        dots.ink(x, corner.y as i32 + signed(dy), Ink::Black);
                    }
                });
            }
            x += self.advance(c);
            if c == ' ' {
                x += extra;
            }
        }
    }
}

/// Draws a field's text.
///
/// # Errors
/// It is too large to draw.
pub fn draw(
    font: &FontRef<'static>,
    text: &str,
    asked: Font,
    block: Option<Block>,
    budget: &mut Budget,
    warnings: &mut Vec<String>,
) -> Result<Text, String> {
    let face = Face::new(font, asked, warnings);
    let text: String = text.chars().take(TEXT_MAX).collect();
    let lacking = |c: &char| *c != ' ' && font.glyph_id(*c) == GlyphId(0);
    if let Some(c) = text.chars().find(lacking) {
        warnings.push(format!("the font has no character {c:?}"));
    }
    match block {
        None => single_line(&face, &text, budget),
        Some(block) => text_block(&face, &text, block, budget, warnings),
    }
}

fn single_line(face: &Face<'_>, text: &str, budget: &mut Budget) -> Result<Text, String> {
    let width = face.width(text).ceil().max(0.0) as u32;
    let margin = face.margin();
    let mut dots = budget.bitmap(width, face.height + 2 * margin)?;
    let baseline = margin as f32 + face.baseline;
    face.draw(text, 0.0, baseline, 0.0, &mut dots);
    Ok(Text { dots, baseline: baseline as i32, margin })
}

fn text_block(
    face: &Face<'_>,
    text: &str,
    block: Block,
    budget: &mut Budget,
    warnings: &mut Vec<String>,
) -> Result<Text, String> {
    let lines = wrap(face, text, block);
    let last = block.lines.max(1) - 1;
    if lines.len() > block.lines.max(1) as usize {
        warnings.push(format!(
            "^FB: {} lines of text in a block of {}; the rest is printed over the last",
            lines.len(),
            block.lines.max(1)
        ));
    }
    let step = signed(face.height).saturating_add(block.spacing).max(0);
    // As high as the block may become, for a block counts whole where it is turned or set by `^FT`.
    let margin = face.margin();
    let last_top = u64::from(last) * u64::from(step.unsigned_abs()) + u64::from(margin);
    let height = last_top + u64::from(face.height) + u64::from(margin);
    let mut dots = budget.bitmap(block.width, u32::try_from(height).unwrap_or(u32::MAX))?;
    // Lines over lines cost ink that the bitmap's size does not show.
    let cell = u64::from(face.height) * u64::from(face.height);
    budget.spend(cell.saturating_mul(text.chars().count() as u64))?;
    for (i, line) in (0u32..).zip(&lines) {
        let indent = if i == 0 { 0 } else { block.indent } as f32;
        let room = block.width as f32 - indent - face.width(&line.text);
        let blanks = line.text.matches(' ').count();
        let (shift, extra) = match block.justify {
            Justify::Left => (0.0, 0.0),
            Justify::Centre => (room / 2.0, 0.0),
            Justify::Right => (room, 0.0),
            Justify::Both if line.ends_paragraph || blanks == 0 => (0.0, 0.0),
            Justify::Both => (0.0, room / blanks as f32),
        };
        let y = margin as f32 + face.baseline + (f64::from(i.min(last)) * f64::from(step)) as f32;
        face.draw(&line.text, indent + shift.max(0.0), y, extra.max(0.0), &mut dots);
    }
    let baseline = last_top.saturating_add(face.baseline as u64);
    Ok(Text { dots, baseline: i32::try_from(baseline).unwrap_or(i32::MAX), margin })
}

struct BlockLine {
    text: String,
    ends_paragraph: bool,
}

/// Lines in the making.
struct Wrapping<'a> {
    face: &'a Face<'a>,
    block: Block,
    lines: Vec<BlockLine>,
    line: String,
    width: f32,
}

impl Wrapping<'_> {
    fn room(&self) -> f32 {
        let indent = if self.lines.is_empty() { 0 } else { self.block.indent };
        self.block.width.saturating_sub(indent) as f32
    }

    fn push(&mut self, c: char) {
        self.line.push(c);
        self.width += self.face.advance(c);
    }

    fn end_line(&mut self, ends_paragraph: bool) {
        self.lines.push(BlockLine { text: std::mem::take(&mut self.line), ends_paragraph });
        self.width = 0.0;
    }

    fn word(&mut self, word: &str) {
        if !self.line.is_empty() {
            let longer = self.width + self.face.advance(' ') + self.face.width(word);
            if longer <= self.room() {
                self.push(' ');
            } else {
                self.end_line(false);
            }
        }
        for c in word.chars() {
            if !self.line.is_empty() && self.width + self.face.advance(c) > self.room() {
                self.end_line(false);
            }
            self.push(c);
        }
    }
}

/// Breaks at `\&` and where the next word does not fit; a word too wide for a line is broken inside.
fn wrap(face: &Face<'_>, text: &str, block: Block) -> Vec<BlockLine> {
    let mut wrapping = Wrapping { face, block, lines: Vec::new(), line: String::new(), width: 0.0 };
    for paragraph in text.split("\\&") {
        for word in paragraph.split(' ') {
            wrapping.word(word);
        }
        wrapping.end_line(true);
    }
    wrapping.lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zero(size: u32) -> Font {
        Font { name: b'0', height: size, width: 0 }
    }

    fn drawn(text: &str, asked: Font, block: Option<Block>) -> (Text, Vec<String>) {
        let font = font().expect("the font is built in");
        let mut warnings = Vec::new();
        let mut budget = Budget::new(1 << 24);
        let text = draw(&font, text, asked, block, &mut budget, &mut warnings).expect("drawn");
        (text, warnings)
    }

    fn black(dots: &Bitmap) -> u32 {
        dots.bits().iter().map(|b| b.count_ones()).sum()
    }

    /// The rows that have any ink.
    fn inked_rows(dots: &Bitmap) -> Vec<i32> {
        let row_has_ink = |y: &i32| (0..signed(dots.width())).any(|x| dots.black(x, *y));
        (0..signed(dots.height())).filter(row_has_ink).collect()
    }

    #[test]
    fn text_has_the_size_asked_for() {
        let (text, warnings) = drawn("RMA R26D1", zero(40), None);
        assert!(warnings.is_empty());
        assert_eq!(text.dots.height() - 2 * text.margin, 40);
        assert!(black(&text.dots) > 500);
        let rows = inked_rows(&text.dots);
        // Capitals stand on the baseline and are 0.71 of the size high, give or take a round letter's edge.
        assert!(rows.last().is_some_and(|y| (*y - text.baseline).abs() <= 1), "{rows:?}");
        assert!((28..=31).contains(&rows.len()), "{}", rows.len());
        // An accent is not cut off.
        let (accent, _) = drawn("\u{c9}", zero(40), None);
        assert!(inked_rows(&accent.dots).first().is_some_and(|y| *y > 0));
        let (wide, _) = drawn("RMA R26D1", Font { width: 80, ..zero(40) }, None);
        assert!(wide.dots.width() > text.dots.width() * 19 / 10);
    }

    #[test]
    fn bitmap_fonts_have_fixed_cells_in_whole_steps() {
        for (name, height, width, wanted) in
            [(b'A', 0, 0, (18, 9)), (b'A', 20, 0, (36, 18)), (b'D', 36, 20, (72, 36)), (b'G', 1, 1, (144, 60))]
        {
            let (text, _) = drawn("iMi", Font { name, height, width }, None);
            assert_eq!((text.dots.width(), text.dots.height() - 2 * text.margin), wanted);
        }
        let (_, warnings) = drawn("x", Font { name: b'Z', height: 20, width: 0 }, None);
        assert_eq!(warnings, ["font Z is drawn as font 0"]);
    }

    #[test]
    fn a_character_the_font_lacks_is_warned_of() {
        let (_, warnings) = drawn("a\u{4e2d}b", zero(20), None);
        assert_eq!(warnings, ["the font has no character '\u{4e2d}'"]);
    }

    #[test]
    fn a_block_wraps_breaks_and_overprints() {
        let block = Block { width: 120, lines: 3, spacing: 5, justify: Justify::Left, indent: 10 };
        let font = font().expect("the font is built in");
        let face = Face::new(&font, zero(20), &mut Vec::new());
        let lines = |text: &str| -> Vec<String> { wrap(&face, text, block).into_iter().map(|l| l.text).collect() };
        assert_eq!(lines("one\\&two"), ["one", "two"]);
        assert_eq!(lines("warranty returned unit"), ["warranty", "returned unit"]);
        let long = lines("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        assert!(long.len() > 1 && long.concat() == "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        assert_eq!(lines(""), [""]);

        let (text, warnings) = drawn("a\\&b\\&c\\&d", zero(20), Some(block));
        assert_eq!((text.dots.width(), text.dots.height() - 2 * text.margin), (120, 70));
        assert_eq!(warnings.len(), 1, "{warnings:?}");
    }

    #[test]
    fn lines_stand_where_they_are_told() {
        let edges = |justify| {
            let block = Block { width: 200, lines: 1, spacing: 0, justify, indent: 0 };
            let (text, _) = drawn("HH", zero(20), Some(block));
            let inked = |x: &i32| (0..30).any(|y| text.dots.black(*x, y));
            let mut columns = (0..200).filter(inked);
            let first = columns.next().expect("ink");
            (first, 199 - columns.next_back().expect("ink"))
        };
        let (left, _) = edges(Justify::Left);
        let (_, right) = edges(Justify::Right);
        let (a, b) = edges(Justify::Centre);
        assert!(left < 4 && right < 4 && (a - b).abs() <= 2, "{left} {right} {a} {b}");
    }
}
