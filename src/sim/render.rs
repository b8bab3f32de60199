//! A label's ZPL as a picture: a small renderer, honest about what it does not know.
//!
//! Arrives: the bytes of a format, and the settings earlier formats left in the printer. Leaves: a
//! [`Picture`]: dots, and a warning for every command, character or datum that could not be drawn as
//! asked. Promised: no input panics or takes for ever; nothing is passed over in silence.
//!
//! Drawn: `^FO ^FT ^A ^CF ^FB ^FD ^FH ^FR ^FW ^GB ^GC ^GE ^GD ^GF ^BC ^BQ ^BY ^CI ^LH ^LL ^PW ^PO ^LR ^LS
//! ^LT`. Other symbologies (`^BX` and the rest) are drawn as a crossed box, with a warning.
//!
//! Assumed, where the programming guide is silent or a real printer cannot be imitated: `^CI0` to `^CI13`
//! are code page 850 without national variants; a QR code's mask is the best one, not the one asked for;
//! the interpretation line is font `A` in the module's size unless `^A` stands before `^BC`, centred
//! below the bars. A field that ends without `^FS` is drawn as if it were there.

mod field;

use std::io;

use super::canvas::{Bitmap, Budget, Ink, signed, turned_point};
use super::graphic::{self, Shape};
use super::settings::{Dpi, Settings, Turn};
use super::text;
use super::zpl::{self, Command, Item, Parameters};
use field::{Drawn, Field, Kind};

/// Dots all fields of a label may take together; a 4 by 6 inch label at 600 dpi has nine million.
const DOTS_MAX: u64 = 128 << 20;
/// Warnings kept per label.
const WARNINGS_MAX: usize = 100;
/// Commands that do not show in the picture.
const INVISIBLE: [&[u8; 2]; 15] =
    [b"XA", b"XZ", b"FX", b"PQ", b"PR", b"MD", b"MN", b"MT", b"MM", b"MF", b"JZ", b"PP", b"JU", b"ML", b"PH"];

/// A drawn label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    dots: Bitmap,
    dots_per_inch: u16,
    /// What could not be drawn as asked, each once.
    pub warnings: Vec<String>,
}

impl Picture {
    /// Width in dots.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.dots.width()
    }

    /// Height in dots.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.dots.height()
    }

    /// Whether a dot is black; what is outside is white.
    #[must_use]
    pub fn black(&self, x: u32, y: u32) -> bool {
        match (i32::try_from(x), i32::try_from(y)) {
            (Ok(x), Ok(y)) => self.dots.black(x, y),
            _ => false,
        }
    }
}

/// The picture as PNG, one bit per dot, with the head's resolution noted.
///
/// # Errors
/// The encoder fails.
pub fn png(picture: &Picture) -> io::Result<Vec<u8>> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, picture.width(), picture.height());
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let per_metre = (f64::from(picture.dots_per_inch) / 0.0254).round() as u32;
    encoder.set_pixel_dims(Some(png::PixelDimensions { xppu: per_metre, yppu: per_metre, unit: png::Unit::Meter }));
    // PNG's set bit is white, ours is black.
    let white: Vec<u8> = picture.dots.bits().iter().map(|b| !b).collect();
    let mut writer = encoder.write_header().map_err(io::Error::other)?;
    writer.write_image_data(&white).map_err(io::Error::other)?;
    writer.finish().map_err(io::Error::other)?;
    Ok(file)
}

/// Draws a format on a printer just switched on, with a head of so many dots per inch (203, 300 or 600) and a
/// label of so many dots.
#[must_use]
pub fn drawn(format: &[u8], per_inch: u32, width: u16, length: u16) -> Picture {
    let dpi = match per_inch {
        600 => Dpi::D600,
        300 => Dpi::D300,
        _ => Dpi::D203,
    };
    let settings = Settings { width: width.into(), length: length.into(), ..Settings::new(dpi) };
    render(format, settings)
}

/// Draws a format on a printer with these settings.
#[must_use]
pub fn render(format: &[u8], settings: Settings) -> Picture {
    // The size of the label is that of its last word on it, wherever it stands.
    let mut whole = settings;
    for command in zpl::commands(format).filter(|c| c.prefix == b'^') {
        whole.apply(&command);
    }
    let mut renderer = Renderer {
        label: Bitmap::new(whole.width, whole.length),
        settings,
        field: Field::default(),
        budget: Budget::new(DOTS_MAX),
        warnings: Vec::new(),
        formats: 0,
    };
    for item in zpl::items(format) {
        renderer.item(item);
    }
    renderer.end_field();
    let dots = if renderer.settings.upside_down { renderer.label.upside_down() } else { renderer.label };
    Picture { dots, dots_per_inch: settings.dpi.per_inch(), warnings: renderer.warnings }
}

struct Renderer {
    label: Bitmap,
    settings: Settings,
    field: Field,
    budget: Budget,
    warnings: Vec<String>,
    formats: u32,
}

impl Renderer {
    fn warn(&mut self, warning: String) {
        if self.warnings.len() < WARNINGS_MAX && !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    fn item(&mut self, item: Item<'_>) {
        match item {
            Item::Command(command) if command.prefix == b'^' => self.command(&command),
            Item::Command(command) => self.warn(format!("{} is not known", command.written())),
            Item::Stray(bytes) => self.stray(bytes),
        }
    }

    fn stray(&mut self, bytes: &[u8]) {
        if !bytes.trim_ascii().is_empty() {
            let shown: String = bytes.escape_ascii().to_string().chars().take(60).collect();
            self.warn(format!("stray text `{shown}`"));
        }
    }

    fn command(&mut self, command: &Command<'_>) {
        let mut p = command.parameters();
        match &command.name {
            b"XA" => {
                self.formats += 1;
                if self.formats > 1 {
                    self.warn("a second ^XA: two formats on one label".to_owned());
                }
                self.stray(command.data);
            }
            b"FS" => {
                self.end_field();
                self.stray(command.data);
            }
            b"FO" => self.field.origin(&mut p, false),
            b"FT" => self.field.origin(&mut p, true),
            b"FD" | b"FV" => self.field.data = Some(command.data.to_vec()),
            b"FH" => {
                // The indicator is the one byte itself, a comma included.
                self.field.hex = Some(command.data.first().copied().unwrap_or(b'_'));
            }
            b"FR" => self.field.reverse = true,
            b"FB" => self.field.block(&mut p),
            b"GB" => {
                let shape = graphic::frame(p, &mut self.budget);
                self.shape(command, shape);
            }
            b"GC" | b"GE" => {
                let round = command.name == *b"GC";
                let shape = graphic::ellipse(p, round, &mut self.budget);
                self.shape(command, shape);
            }
            b"GD" => {
                let shape = graphic::diagonal(p, &mut self.budget);
                self.shape(command, shape);
            }
            b"GF" => {
                let shape = graphic::field(p, &mut self.budget).map(|dots| Shape { dots, ink: Ink::Black });
                self.shape(command, shape);
            }
            b"BC" => self.field.code128(&mut p, &self.settings),
            b"BQ" => {
                if let Err(warning) = self.field.qr(&mut p, &self.settings) {
                    self.warn(warning);
                }
            }
            [b'A', name] => self.font(*name, p),
            _ if self.settings.apply(command) => self.charset(command),
            [b'B', _] => {
                self.warn(format!("{} is drawn as a crossed box", command.written()));
                self.field.kind = Kind::Other;
            }
            name if INVISIBLE.contains(&name) => {}
            _ => self.warn(format!("{} is not known", command.written())),
        }
    }

    /// `^Afo,h,w`; `^A@o,h,w,name` names a font of its own.
    fn font(&mut self, name: u8, mut p: Parameters<'_>) {
        let mut font = self.settings.font;
        font.name = if name == b'@' { b'0' } else { name };
        if let Some(letter) = p.letter() {
            self.field.turn = Turn::from_letter(letter);
        }
        let sizes = (p.within(0, 32_000), p.within(0, 32_000));
        if sizes != (None, None) {
            let size = |n: Option<i64>| n.and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
            (font.height, font.width) = (size(sizes.0), size(sizes.1));
        }
        if name == b'@' {
            self.warn("^A@ is drawn as font 0".to_owned());
        }
        self.field.font = Some(font);
    }

    /// Only code page 850 and UTF-8 are known.
    fn charset(&mut self, command: &Command<'_>) {
        let charset = self.settings.charset;
        if command.name == *b"CI" && !matches!(charset, 0 | 13 | 28) {
            self.warn(format!("^CI{charset} is read as code page 850"));
        }
    }

    fn shape(&mut self, command: &Command<'_>, shape: Result<Shape, String>) {
        match shape {
            Ok(shape) => {
                let ink = self.ink().unwrap_or(shape.ink);
                // `^FT` sets the lower left corner; shapes are not turned.
                let baseline = signed(shape.dots.height());
                self.stamp(&Drawn { dots: shape.dots, baseline, margin: 0, turn: Turn::Normal }, ink);
            }
            Err(why) => self.warn(format!("{}: {why}", command.written())),
        }
    }

    /// Reverse ink, where the field or the label asks for it.
    fn ink(&self) -> Option<Ink> {
        (self.field.reverse || self.settings.reversed).then_some(Ink::Reverse)
    }

    /// Stamps dots where the field is: by their corner (`^FO`) or by the start of their baseline (`^FT`).
    fn stamp(&mut self, drawn: &Drawn, ink: Ink) {
        let &Drawn { ref dots, baseline, margin, turn } = drawn;
        let (w, h) = (signed(dots.width()), signed(dots.height()));
        let margin = signed(margin);
        // The corner, or the right end, of the field without its margins, once turned.
        let (left, right, top) = match turn {
            Turn::Normal | Turn::Inverted => (0, w, margin),
            Turn::Right | Turn::Bottom => (margin, h - margin, 0),
        };
        let (back, up) = match (self.field.by_baseline, self.field.flush_right) {
            (true, false) => turned_point((0, baseline), (w, h), turn),
            (true, true) => turned_point((w, baseline), (w, h), turn),
            (false, false) => (left, top),
            (false, true) => (right, top),
        };
        let at = |field: i32, home: i32, shift: i32, back: i32| {
            field.saturating_add(home).saturating_add(shift).saturating_sub(back)
        };
        let s = self.settings;
        let place = (at(self.field.at.0, s.home.0, s.shift.0, back), at(self.field.at.1, s.home.1, s.shift.1, up));
        self.label.stamp(dots, place, turn, ink);
    }

    /// Draws the field's data, if it has any, and begins a new field.
    fn end_field(&mut self) {
        if let Some(data) = self.field.data.take() {
            let mut warnings = Vec::new();
            let drawn = match text::font() {
                Some(font) => self.field.draw(&data, &font, &self.settings, &mut self.budget, &mut warnings),
                None => Err("the font built in cannot be read".to_owned()),
            };
            for warning in warnings {
                self.warn(warning);
            }
            match drawn {
                Ok(drawn) => {
                    let ink = self.ink().unwrap_or(Ink::Black);
                    self.stamp(&drawn, ink);
                }
                Err(why) => self.warn(why),
            }
        }
        self.field = Field::default();
    }
}

#[cfg(test)]
mod tests;
