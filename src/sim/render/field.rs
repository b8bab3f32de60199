//! One field of a label: what `^FO` to `^FS` gather, and the dots they come to.
//!
//! Arrives: parameters, one command at a time, and at last the data. Leaves: [`Drawn`] dots with their
//! turn and baseline, and warnings.

use ab_glyph::FontRef;
use qrcode::{Color, EcLevel, QrCode};

use super::super::canvas::{Bitmap, Budget, Ink, signed};
use super::super::code128;
use super::super::settings::{Font, Settings, Turn};
use super::super::text::{self, Block, Justify, Text};
use super::super::zpl::Parameters;

/// Longest field data encoded as a bar code, in bytes (`^FD`).
const DATA_MAX: usize = 3072;
/// Side of the crossed box that stands for a symbology that is not known.
const OTHER_SIDE: u32 = 100;
/// What encoding one QR code costs of the label's budget, in dots: it takes far longer than its size tells.
const QR_COST: u64 = 1 << 20;
/// Characters 128 to 255 of code page 850.
const CP850: &str = "\
    ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤\
    ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}";

/// What the data is drawn as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Characters.
    #[default]
    Text,
    /// `^BC`.
    Code128 {
        /// Height of the bars in dots.
        height: u32,
        /// With an interpretation line.
        line: bool,
        /// The line stands above the bars.
        above: bool,
        /// A UCC check digit is asked for.
        check: bool,
        /// `N`, `U`, `A` or `D`.
        mode: u8,
    },
    /// `^BQ`.
    Qr {
        /// Dots per module.
        magnification: u32,
        /// Level where the data names none.
        level: EcLevel,
    },
    /// A symbology that is not known.
    Other,
}

/// A field in the making.
#[derive(Clone, Debug, Default)]
pub struct Field {
    /// Where, in dots from the label home.
    pub at: (i32, i32),
    /// `^FT`: `at` is the start of the baseline; else the upper left corner.
    pub by_baseline: bool,
    /// `at` is the right end.
    pub flush_right: bool,
    /// `^A`, with its size.
    pub font: Option<Font>,
    /// Turn, where it is not that of `^FW`.
    pub turn: Option<Turn>,
    /// What the data is drawn as.
    pub kind: Kind,
    /// `^FB`.
    pub block: Option<Block>,
    /// `^FH`: the byte that begins a hexadecimal escape.
    pub hex: Option<u8>,
    /// `^FR`.
    pub reverse: bool,
    /// `^FD`.
    pub data: Option<Vec<u8>>,
}

/// A field's dots.
pub struct Drawn {
    /// Unturned.
    pub dots: Bitmap,
    /// From the top.
    pub baseline: i32,
    /// Dots above and below that do not count for its place.
    pub margin: u32,
    /// How to stamp them.
    pub turn: Turn,
}

fn dots(number: Option<i64>) -> Option<u32> {
    number.and_then(|n| u32::try_from(n).ok())
}

fn yes(p: &mut Parameters<'_>, default: bool) -> bool {
    match p.letter() {
        Some(b'Y') => true,
        Some(b'N') => false,
        _ => default,
    }
}

impl Field {
    /// `^FOx,y,z` and `^FTx,y,z`.
    pub fn origin(&mut self, p: &mut Parameters<'_>, by_baseline: bool) {
        let place = |n: Option<i64>| n.and_then(|n| i32::try_from(n).ok()).unwrap_or(0);
        self.at = (place(p.within(0, 32_000)), place(p.within(0, 32_000)));
        self.flush_right = p.number() == Some(1);
        self.by_baseline = by_baseline;
    }

    /// `^FBa,b,c,d,e`.
    pub fn block(&mut self, p: &mut Parameters<'_>) {
        self.block = Some(Block {
            width: dots(p.within(0, 9999)).unwrap_or(0),
            lines: dots(p.within(1, 9999)).unwrap_or(1),
            spacing: i32::try_from(p.within(-9999, 9999).unwrap_or(0)).unwrap_or(0),
            justify: match p.letter() {
                Some(b'C') => Justify::Centre,
                Some(b'R') => Justify::Right,
                Some(b'J') => Justify::Both,
                _ => Justify::Left,
            },
            indent: dots(p.within(0, 9999)).unwrap_or(0),
        });
    }

    /// `^BCo,h,f,g,e,m`.
    pub fn code128(&mut self, p: &mut Parameters<'_>, settings: &Settings) {
        self.turn = p.letter().and_then(Turn::from_letter);
        self.kind = Kind::Code128 {
            height: dots(p.within(1, 32_000)).unwrap_or(settings.bar_height),
            line: yes(p, true),
            above: yes(p, false),
            check: yes(p, false),
            mode: p.letter().unwrap_or(b'N'),
        };
    }

    /// `^BQa,b,c,d,e`.
    ///
    /// # Errors
    /// Model 1, which is drawn as model 2 all the same.
    pub fn qr(&mut self, p: &mut Parameters<'_>, settings: &Settings) -> Result<(), String> {
        // A QR code is never turned (manual, `^BQ`).
        self.turn = Some(Turn::Normal);
        let _turn = p.word();
        let model = p.number().unwrap_or(2);
        let magnification = dots(p.within(1, 100)).unwrap_or(match settings.dpi.per_inch() {
            203 => 2,
            300 => 3,
            _ => 6,
        });
        let level = match p.letter() {
            None => EcLevel::Q,
            Some(letter) => level(letter).unwrap_or(EcLevel::M),
        };
        self.kind = Kind::Qr { magnification, level };
        if model == 2 {
            return Ok(());
        }
        Err(format!("QR model {model} is drawn as model 2"))
    }

    /// The field's dots.
    ///
    /// # Errors
    /// Why there are none.
    pub fn draw(
        &self,
        data: &[u8],
        font: &FontRef<'static>,
        settings: &Settings,
        budget: &mut Budget,
        warnings: &mut Vec<String>,
    ) -> Result<Drawn, String> {
        let mut data = self.unescape(data, warnings);
        if !matches!(self.kind, Kind::Text) && data.len() > DATA_MAX {
            warnings.push(format!("field data is cut after {DATA_MAX} bytes"));
            data.truncate(DATA_MAX);
        }
        let turn = self.turn.unwrap_or(settings.turn);
        let (dots, baseline, margin) = match self.kind {
            Kind::Text => {
                let asked = self.font.unwrap_or(settings.font);
                let text = decode(&data, settings.charset);
                let drawn = text::draw(font, &text, asked, self.block, budget, warnings)?;
                (drawn.dots, drawn.baseline, drawn.margin)
            }
            Kind::Code128 { height, line, above, check, mode } => {
                if check && mode != b'U' {
                    warnings.push("^BC: the UCC check digit is left out".to_owned());
                }
                let symbol = code128::encode(&data, mode);
                warnings.extend(symbol.warnings.iter().map(|w| format!("^BC: {w}")));
                let bars = bars(&symbol, settings.module, height, budget)?;
                if line {
                    let asked = self.font.unwrap_or(Font {
                        name: b'A',
                        height: 9 * settings.module,
                        width: 5 * settings.module,
                    });
                    let text = text::draw(font, &symbol.text, asked, None, budget, warnings)?;
                    let (dots, baseline) = with_line(&bars, &text, above, settings.module, budget)?;
                    (dots, baseline, 0)
                } else {
                    let baseline = signed(bars.height());
                    (bars, baseline, 0)
                }
            }
            Kind::Qr { magnification, level } => {
                let dots = qr(&data, level, magnification, budget)?;
                let baseline = signed(dots.height());
                (dots, baseline, 0)
            }
            Kind::Other => {
                let dots = crossed(OTHER_SIDE, budget)?;
                let baseline = signed(dots.height());
                (dots, baseline, 0)
            }
        };
        Ok(Drawn { dots, baseline, margin, turn })
    }

    /// Line ends are no data; `^FH` escapes are bytes.
    fn unescape(&self, data: &[u8], warnings: &mut Vec<String>) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(data.len());
        let mut rest = data;
        while let Some((&first, after)) = rest.split_first() {
            rest = after;
            if matches!(first, b'\r' | b'\n') {
                continue;
            }
            if Some(first) != self.hex {
                bytes.push(first);
                continue;
            }
            let digit = |at: usize| after.get(at).and_then(|b| char::from(*b).to_digit(16));
            match (digit(0), digit(1)) {
                (Some(high), Some(low)) => {
                    bytes.push(u8::try_from(high * 16 + low).unwrap_or(0));
                    rest = &after[2..];
                }
                _ => {
                    warnings.push("^FH: an escape without two hexadecimal digits".to_owned());
                    bytes.push(first);
                }
            }
        }
        bytes
    }
}

/// Bytes as text: UTF-8 under `^CI28`, code page 850 else; control characters do not print.
fn decode(bytes: &[u8], charset: i64) -> String {
    let text: String = if charset == 28 {
        String::from_utf8_lossy(bytes).into_owned()
    } else {
        let high: Vec<char> = CP850.chars().collect();
        bytes
            .iter()
            .filter_map(|&b| match b {
                0..0x80 => Some(char::from(b)),
                _ => high.get(usize::from(b - 0x80)).copied(),
            })
            .collect()
    };
    text.chars().filter(|c| !c.is_control()).collect()
}

fn level(letter: u8) -> Option<EcLevel> {
    match letter {
        b'H' => Some(EcLevel::H),
        b'Q' => Some(EcLevel::Q),
        b'M' => Some(EcLevel::M),
        b'L' => Some(EcLevel::L),
        _ => None,
    }
}

/// The bars of a symbol, without quiet zones: the printer adds none.
fn bars(symbol: &code128::Symbol, module: u32, height: u32, budget: &mut Budget) -> Result<Bitmap, String> {
    let mut dots = budget.bitmap(symbol.widths().sum::<u32>() * module, height)?;
    let mut x = 0;
    for (i, width) in symbol.widths().enumerate() {
        if i % 2 == 0 {
            dots.bar(x, 0, width * module, height);
        }
        x += width * module;
    }
    Ok(dots)
}

/// Bars with their interpretation line, centred; the baseline of it all is the foot of the bars.
fn with_line(bars: &Bitmap, text: &Text, above: bool, gap: u32, budget: &mut Budget) -> Result<(Bitmap, i32), String> {
    let margin = signed(text.margin);
    let (bars_h, text_h) = (bars.height(), text.dots.height() - 2 * text.margin);
    let width = bars.width().max(text.dots.width());
    let mut all = budget.bitmap(width, bars_h + gap + text_h)?;
    let centred = |part: &Bitmap| signed((width - part.width()) / 2);
    let (bars_y, text_y) = if above { (text_h + gap, 0) } else { (0, bars_h + gap) };
    all.stamp(bars, (centred(bars), signed(bars_y)), Turn::Normal, Ink::Black);
    let text_at = (centred(&text.dots), signed(text_y) - margin);
    all.stamp(&text.dots, text_at, Turn::Normal, Ink::Black);
    Ok((all, signed(bars_y + bars_h)))
}

/// A QR code from `^FD` data with its switches: level, `A` or `M`, comma.
fn qr(data: &[u8], level_of_bq: EcLevel, dot: u32, budget: &mut Budget) -> Result<Bitmap, String> {
    let (level, payload) = match data {
        [first, b'A', b',', payload @ ..] if level(*first).is_some() => (level(*first).unwrap_or(level_of_bq), payload),
        [first, b'M', b',', manual @ ..] if level(*first).is_some() => {
            (level(*first).unwrap_or(level_of_bq), manual_input(manual)?)
        }
        [b'D', ..] => return Err("^BQ: mixed mode is not known".to_owned()),
        _ => return Err("^BQ: field data begins with level and mode, such as `QA,`".to_owned()),
    };
    budget.spend(QR_COST)?;
    let code = QrCode::with_error_correction_level(payload, level).map_err(|error| format!("^BQ: {error}"))?;
    let modules = u32::try_from(code.width()).unwrap_or(0);
    let mut dots = budget.bitmap(modules * dot, modules * dot)?;
    for y in 0..modules {
        for x in 0..modules {
            if code[(x as usize, y as usize)] == Color::Dark {
                dots.bar(x * dot, y * dot, dot, dot);
            }
        }
    }
    Ok(dots)
}

/// Manual input: the character mode, and for bytes their number, stand before the payload.
fn manual_input(data: &[u8]) -> Result<&[u8], String> {
    match data {
        [b'N' | b'A', payload @ ..] => Ok(payload),
        [b'B', a, b, c, d, payload @ ..] => {
            let length = std::str::from_utf8(&[*a, *b, *c, *d]).ok().and_then(|digits| digits.parse().ok());
            length
                .and_then(|length: usize| payload.get(..length))
                .ok_or_else(|| "^BQ: the number of bytes after B is wrong".to_owned())
        }
        _ => Err("^BQ: manual input needs N, A or B and four digits".to_owned()),
    }
}

/// A box with a cross, for what cannot be drawn.
fn crossed(side: u32, budget: &mut Budget) -> Result<Bitmap, String> {
    let mut dots = budget.bitmap(side, side)?;
    for at in 0..side {
        for (x, y) in [(at, 0), (at, side - 1), (0, at), (side - 1, at), (at, at), (at, side - 1 - at)] {
            dots.bar(x, y, 1, 1);
        }
    }
    Ok(dots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_page_is_whole() {
        assert_eq!(CP850.chars().count(), 128);
        assert_eq!(decode(b"caf\x82 \xE1 \x9C\x07", 0), "café ß £");
        assert_eq!(decode("caf\u{e9}\n".as_bytes(), 28), "café");
    }

    #[test]
    fn escapes_are_bytes() {
        let field = Field { hex: Some(b'_'), ..Field::default() };
        let mut warnings = Vec::new();
        let got = field.unescape(b"a_5Eb\r\n_5f_C3_A9", &mut warnings);
        assert_eq!(got, b"a^b_\xC3\xA9");
        assert!(warnings.is_empty());
        assert_eq!(field.unescape(b"50_", &mut warnings), b"50_");
        assert_eq!(warnings.len(), 1);
        assert_eq!(Field::default().unescape(b"_5E", &mut warnings), b"_5E");
    }
}
