//! How much paper a barcode or a text takes that somebody else designed.
//!
//! Barcodes whose size follows from the data are computed as the printer does it; of the others `None`
//! is said rather than a guess. Texts are measured with our own table for font 0 and with the cell widths
//! of the bitmap fonts (ZPL programming guide, fonts); others are not measured.

use super::fields::{Bars, Content, Drawn};
use super::lexer::Command;
use crate::label::{Dpi, metrics};
use qrcode::{EcLevel, QrCode};

/// A barcode on paper, not turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub name: &'static str,
    /// Dots; 0 where the height is not known.
    pub width: i32,
    pub height: i32,
    /// Dots of the narrowest bar or of one module's side.
    pub module: i32,
    /// Clear space that a scanner needs: beside, and above and below, in modules.
    pub quiet: (i32, i32),
}

/// The size of the barcode `command` makes of `data`.
pub(super) fn barcode(command: &Command, bars: Bars, data: &[u8], dpi: Dpi) -> Option<Size> {
    let p = command.parameters();
    let linear = |name, modules: Option<u32>, height: usize, quiet| {
        let width = i32::try_from(modules?).ok()?.checked_mul(bars.module)?;
        let height = p.number(height).unwrap_or(bars.height).clamp(1, 32_000);
        Some(Size { name, width, height, module: bars.module, quiet: (quiet, 0) })
    };
    match &command.name {
        // ISO/IEC 15417: ten modules. Modes stand behind height, line, line above, check digit.
        b"BC" => linear("Code 128", Some(code128(data, p.letter(5).unwrap_or(b'N')) * 11 + 13), 1, 10),
        // ISO/IEC 16388: ten modules.
        b"B3" => {
            let check = u32::from(p.letter(1) == Some(b'Y'));
            linear("Code 39", scaled(data.len() as u32 + 2 + check, 7.0, 3.0, bars.ratio), 2, 10)
        }
        // ISO/IEC 16390: ten modules; start and stop have eight narrow and one wide between them.
        b"B2" => {
            let digits = (data.len() as u32 + u32::from(p.letter(4) == Some(b'Y'))).next_multiple_of(2);
            let ends = (8.0 + bars.ratio).ceil() as u32;
            linear("Interleaved 2 of 5", scaled(digits, 3.0, 2.0, bars.ratio).map(|m| m + ends), 1, 10)
        }
        // ISO/IEC 15420: eleven modules before, seven behind; the larger one.
        b"BE" => linear("EAN-13", Some(95), 1, 11),
        b"BU" => linear("UPC-A", Some(95), 1, 9),
        b"B8" => linear("EAN-8", Some(67), 1, 7),
        b"B9" => linear("UPC-E", Some(51), 1, 9),
        b"BQ" => {
            let module = p.number(2).unwrap_or(match dpi {
                Dpi::D203 => 2,
                Dpi::D300 => 3,
                Dpi::D600 => 6,
            });
            square("QR code", qr_modules(data)?, module, 4)
        }
        b"BX" if p.number(2) == Some(200) => square("Data Matrix", data_matrix(data)?, p.number(1)?, 1),
        // ISO/IEC 16023: 28.14 x 26.91 mm whatever the printer; its cells are not bars.
        b"BD" => {
            let [width, height] = [28.14, 26.91].map(|mm| dpi.dots(mm).ceil() as i32);
            Some(Size { name: "MaxiCode", width, height, module: dpi.dots(0.88) as i32, quiet: (1, 1) })
        }
        // ISO/IEC 15438: 17 modules a column, and 69 for both ends; two modules of clear space.
        b"B7" => {
            let columns = p.number(3).filter(|c| (1..=30).contains(c))?;
            let rows = p.number(4).filter(|r| (3..=90).contains(r));
            let high = rows.map_or(0, |r| r.saturating_mul(p.number(1).unwrap_or(1).clamp(1, 32_000)));
            let width = (17 * columns + 69) * bars.module;
            Some(Size { name: "PDF417", width, height: high, module: bars.module, quiet: (2, 2) })
        }
        _ => None,
    }
}

fn square(name: &'static str, modules: u32, module: i32, quiet: i32) -> Option<Size> {
    let module = module.clamp(1, 1000);
    let side = i32::try_from(modules).ok()?.checked_mul(module)?;
    Some(Size { name, width: side, height: side, module, quiet: (quiet, quiet) })
}

/// Characters of so many narrow and wide bars.
fn scaled(characters: u32, narrow: f32, wide: f32, ratio: f32) -> Option<u32> {
    let modules = characters as f32 * (narrow + wide * ratio);
    (modules < 1e6).then_some(modules.ceil() as u32)
}

/// Symbol characters of a Code 128, start and check character included, stop pattern not.
fn code128(data: &[u8], mode: u8) -> u32 {
    match mode {
        // Start, FNC1, ten pairs, check; the printer fills up to twenty digits.
        b'U' => 13,
        b'D' => {
            let kept: Vec<u8> = data.iter().copied().filter(|b| !matches!(b, b'(' | b')' | b' ')).collect();
            3 + packed(&kept)
        }
        b'A' => 2 + packed(data),
        _ => 2 + chosen(data),
    }
}

/// Subsets chosen by the printer: C for runs of four digits and more.
fn packed(data: &[u8]) -> u32 {
    let (mut symbols, mut at, mut in_c) = (0, 0, false);
    while at < data.len() {
        let run = data[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        if run >= 4 {
            // The change to C is free at the start.
            symbols += u32::from(!in_c && at > 0) + (run / 2) as u32;
            (at, in_c) = (at + run / 2 * 2, true);
            continue;
        }
        let invocation = data[at] == b'>' && at + 1 < data.len();
        symbols += 1 + u32::from(in_c);
        (at, in_c) = (at + 1 + usize::from(invocation), false);
    }
    symbols
}

/// Subsets chosen by the data: `>;` begins in C, `>5` changes to it, and so on.
fn chosen(data: &[u8]) -> u32 {
    let (mut symbols, mut in_c, mut digit, mut rest) = (0, false, false, data);
    // Of a pair in C the second digit completes a symbol; a single one is one all the same.
    while let [first, tail @ ..] = rest {
        match (first, tail) {
            (b'>', [what, tail @ ..]) => {
                digit = false;
                symbols += u32::from(!(rest.len() == data.len() && matches!(what, b'9' | b':' | b';')));
                in_c = match what {
                    b';' | b'5' => true,
                    b':' | b'6' | b'7' | b'9' => false,
                    _ => in_c,
                };
                rest = tail;
            }
            _ => {
                digit = in_c && !digit;
                symbols += u32::from(!in_c || digit);
                rest = tail;
            }
        }
    }
    symbols
}

/// A QR code's side. The data begins with level and mode, as in `QA,`.
fn qr_modules(data: &[u8]) -> Option<u32> {
    let level = match data.first()? {
        b'H' => EcLevel::H,
        b'Q' => EcLevel::Q,
        b'L' => EcLevel::L,
        _ => EcLevel::M,
    };
    let body = match data {
        [_, _, b',', body @ ..] => body,
        body => body,
    };
    QrCode::with_error_correction_level(body, level).ok().map(|code| code.width() as u32)
}

/// A square Data Matrix's side (ISO/IEC 16022, table 7), two digits a codeword, else one each.
fn data_matrix(data: &[u8]) -> Option<u32> {
    const SIDES: [(u32, u32); 24] = [
        (3, 10),
        (5, 12),
        (8, 14),
        (12, 16),
        (18, 18),
        (22, 20),
        (30, 22),
        (36, 24),
        (44, 26),
        (62, 32),
        (86, 36),
        (114, 40),
        (144, 44),
        (174, 48),
        (204, 52),
        (280, 64),
        (368, 72),
        (456, 80),
        (576, 88),
        (696, 96),
        (816, 104),
        (1050, 120),
        (1304, 132),
        (1558, 144),
    ];
    let (mut words, mut rest) = (0, data);
    while let [first, tail @ ..] = rest {
        let pair = first.is_ascii_digit() && tail.first().is_some_and(u8::is_ascii_digit);
        rest = &tail[usize::from(pair)..];
        words += 1 + u32::from(!first.is_ascii());
    }
    SIDES.iter().find(|(holds, _)| *holds >= words).map(|(_, side)| *side)
}

/// Width and height of a text field, not turned, in dots; `None` where its font is not known here.
pub(super) fn text(field: &Drawn) -> Option<(i32, i32)> {
    let (wide, high) = line(field)?;
    Some(match field.block {
        // Broken into lines as wide as the block; more lines than it has are printed over its last.
        Some(block) if block.width > 0 => {
            let lines = if block.text_block { 1 } else { block.lines };
            (wide.min(block.width), high.saturating_mul(lines.min(wide / block.width + 1)))
        }
        // Capitals end on the baseline; only what is black counts.
        _ if matches!(field.content, Content::Text { font: b'0', .. }) => {
            let depth = metrics::depth(&String::from_utf8_lossy(&field.data));
            (wide, (high as f32 * depth).ceil() as i32)
        }
        _ => (wide, high),
    })
}

/// Whether a text surely has more lines than its `^FB`.
pub(super) fn crowded(field: &Drawn) -> bool {
    let block = field.block.filter(|b| !b.text_block && b.width > 0);
    block.zip(line(field)).is_some_and(|(block, (wide, _))| wide / block.width >= block.lines && wide % block.width > 0)
}

/// Width and height of the text on one line.
fn line(field: &Drawn) -> Option<(i32, i32)> {
    let Content::Text { font, height, width } = field.content else { return None };
    let data = String::from_utf8_lossy(&field.data);
    // Cell height and width at size 1, and the gap between two cells.
    let bitmap = |h: i32, w: i32, gap: i32| {
        let times = |asked: Option<i32>, of: i32| asked.map_or(1, |n| (n + of / 2) / of).clamp(1, 10);
        let across = if width.is_none() { times(height, h) } else { times(width, w) };
        let characters = i32::try_from(data.chars().count()).unwrap_or(i32::MAX).min(10_000);
        (characters * (w + gap) * across, h * times(height, h))
    };
    Some(match font {
        b'0' => {
            let high = height.unwrap_or(15).clamp(10, 32_000);
            let across = width.filter(|w| *w > 0).unwrap_or(high).min(32_000);
            // Measured without the margin for doubt: a finding is about what is sure.
            let wide = f64::from(metrics::width(&data)) / 1000.0 * f64::from(across);
            (wide.min(1e6) as i32, high)
        }
        b'A' => bitmap(9, 5, 1),
        b'B' => bitmap(11, 7, 2),
        b'C' | b'D' => bitmap(18, 10, 2),
        b'F' => bitmap(26, 13, 3),
        b'G' => bitmap(60, 40, 8),
        _ => return None,
    })
}
