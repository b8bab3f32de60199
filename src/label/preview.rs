//! Elements -> a picture, one pixel per dot: what the printer will burn, as far as can be known
//! without its font. Drawn from the elements, not from the ZPL. Also draws the texts that the printer
//! has no letters for, which are sent as graphics.

use super::layout::Element;
use super::metrics::{self, Glyph};
use ab_glyph::{Font, PxScale, point};
use qrcode::{Color, EcLevel, QrCode, Version};

/// Letters are drawn at most this much wider than the face has them: a hyphen takes twice its room in the
/// printer's font, but is no dash there.
const STRETCH: f32 = 2.0;

/// A picture of one bit per dot; true is black.
pub(super) struct Bitmap {
    width: usize,
    height: usize,
    dots: Vec<bool>,
}

impl Bitmap {
    pub fn new(width: usize, height: usize) -> Bitmap {
        Bitmap { width, height, dots: vec![false; width * height] }
    }

    fn dot(&mut self, x: i32, y: i32) -> Option<&mut bool> {
        let (x, y) = (usize::try_from(x).ok()?, usize::try_from(y).ok()?);
        (x < self.width && y < self.height).then(|| &mut self.dots[y * self.width + x])
    }

    fn fill(&mut self, x: i32, y: i32, width: i32, height: i32) {
        for y in y..y + height {
            for x in x..x + width {
                if let Some(dot) = self.dot(x, y) {
                    *dot = true;
                }
            }
        }
    }

    /// Rows of whole bytes, the leftmost dot in the highest bit; `black` is the value of a black bit.
    fn packed(&self, black: bool) -> Vec<u8> {
        let row = |dots: &[bool]| -> Vec<u8> {
            let byte = |bits: &[bool]| {
                let set = |n: usize| bits.get(n).is_some_and(|&dot| dot == black);
                (0..8).fold(0, |byte, n| byte << 1 | u8::from(set(n)))
            };
            dots.chunks(8).map(byte).collect()
        };
        self.dots.chunks(self.width.max(1)).flat_map(row).collect()
    }

    pub fn draw(&mut self, element: &Element) {
        match element {
            Element::Text { x, y, height, text, reverse } => {
                self.text(text, f32::from(*x), f32::from(*y), f32::from(*height), *reverse);
            }
            Element::Code128 { x, y, module, height, code } => {
                let (mut x, module) = (i32::from(*x), i32::from(*module));
                for (n, run) in code.runs().enumerate() {
                    let wide = i32::from(run) * module;
                    if n % 2 == 0 {
                        self.fill(x, i32::from(*y), wide, i32::from(*height));
                    }
                    x += wide;
                }
            }
            Element::Qr { x, y, module, data } => {
                let (x, y, module) = (i32::from(*x), i32::from(*y), i32::from(*module));
                let Some(code) = qr(data) else { return };
                let side = code.width() as i32;
                for (n, color) in (0..).zip(code.to_colors()) {
                    if color == Color::Dark {
                        self.fill(x + n % side * module, y + n / side * module, module, module);
                    }
                }
            }
            Element::Box { x, y, width, height, thickness } => {
                let [x, y, w, h, t] = [x, y, width, height, thickness].map(|&n| i32::from(n));
                if 2 * t >= w.min(h) {
                    self.fill(x, y, w, h);
                } else {
                    self.fill(x, y, w, t);
                    self.fill(x, y + h - t, w, t);
                    self.fill(x, y, t, h);
                    self.fill(x + w - t, y, t, h);
                }
            }
        }
    }

    /// Each letter takes the room that it will take on paper: the face stands in for the printer's.
    fn text(&mut self, text: &str, x: f32, y: f32, height: f32, reverse: bool) {
        let font = metrics::font();
        let em = font.units_per_em().unwrap_or(1.0);
        // ab_glyph scales by ascent and descent; the cell is fitted to the height of capitals.
        let scale = height * font.height_unscaled() / em;
        let capital = 1456.0 / em;
        let mut pen = x;
        for c in text.chars() {
            let advance = match metrics::glyph(c) {
                Glyph::Native(width) | Glyph::Drawn(width) => f32::from(width) / 1000.0,
                Glyph::Missing => continue,
            };
            let id = font.glyph_id(c);
            let own = font.h_advance_unscaled(id) / em;
            let stretch = if own > 0.0 { (advance / own).min(STRETCH) } else { 1.0 };
            let size = PxScale { x: scale * stretch, y: scale * metrics::BASELINE / capital };
            // In the middle of the room that it takes on paper.
            let left = pen + (advance - own * stretch) / 2.0 * height;
            let glyph = id.with_scale_and_position(size, point(left, y + height * metrics::BASELINE));
            if let Some(outline) = font.outline_glyph(glyph) {
                let corner = outline.px_bounds().min;
                outline.draw(|dx, dy, coverage| {
                    if coverage > 0.5
                        && let Some(dot) = self.dot(corner.x as i32 + dx as i32, corner.y as i32 + dy as i32)
                    {
                        *dot = !reverse;
                    }
                });
            }
            pen += advance * height;
        }
    }

    /// A 1-bit greyscale PNG that says its own size on paper.
    pub fn png(&self, dots_per_inch: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let per_metre = (f64::from(dots_per_inch) / 0.0254).round() as u32;
        encoder.set_pixel_dims(Some(png::PixelDimensions { xppu: per_metre, yppu: per_metre, unit: png::Unit::Meter }));
        let written = encoder.write_header().and_then(|mut writer| {
            writer.write_image_data(&self.packed(false))?;
            writer.finish()
        });
        // Cannot fail: a Vec takes every byte, and the data is as long as the header says.
        written.expect("a picture in memory");
        bytes
    }
}

/// The symbol as the label promises it: level Q in the version that byte mode needs.
fn qr(data: &str) -> Option<QrCode> {
    let version = (super::layout::qr_modules(data)?.checked_sub(17)? / 4) as i16;
    QrCode::with_version(data, Version::Normal(version), EcLevel::Q).ok()
}

/// A text as `^GF` takes it.
pub(super) struct Graphic {
    pub bytes: Vec<u8>,
    pub row_bytes: usize,
    /// Dots that the picture reaches above the text's cell, for accents.
    pub above: u16,
}

/// Draws one line of text in a cell of `height` dots.
pub(super) fn graphic(text: &str, height: u16) -> Graphic {
    let cell = f32::from(height);
    let above = (cell * metrics::OVERSHOOT).ceil();
    let wide = (metrics::width(text) as f32 / 1000.0 * cell).ceil();
    let mut picture = Bitmap::new(wide as usize, (above + cell) as usize);
    picture.text(text, 0.0, above, cell, false);
    Graphic { bytes: picture.packed(true), row_bytes: picture.width.div_ceil(8), above: above as u16 }
}
