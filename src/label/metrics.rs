//! How wide is a text on paper, and which characters can be printed at all?
//!
//! Two fonts are involved. The printer's own font 0 (CG Triumvirate Bold Condensed) prints ASCII and
//! Latin-1, which every firmware that knows `^CI28` has. Characters beyond are drawn by us, from
//! Roboto Condensed Bold (in `font/`), and sent as a graphic. Anything Roboto lacks is refused.
//!
//! Widths are in thousandths of the cell height `h` of `^A0N,h,h`. For Latin-1 they are a table, the
//! wider of what Roboto has and what font 0 was seen to take: font 0 sets `-`, `+`, `=`, `<` and `>`
//! twice as wide as most faces. No firmware was at hand to measure, hence [`MARGIN`].
//!
//! Vertically a cell of height `h` has its capitals' top at 0, the baseline at [`BASELINE`] and
//! descenders just above 1; accents on capitals reach [`OVERSHOOT`] above it.

use ab_glyph::{Font, FontRef};

/// Share of a width that is added before anything is said to fit.
pub(super) const MARGIN: f32 = 1.06;
/// Baseline below the cell's top, and so the height of capitals, as a share of the cell height.
pub(super) const BASELINE: f32 = 0.755;
/// What an accented capital needs above the cell.
pub(super) const OVERSHOOT: f32 = 0.23;

const FONT: &[u8] = include_bytes!("font/RobotoCondensed-Bold.ttf");

/// ASCII from the blank to the tilde.
const ASCII: [u16; 95] = [
    300, 300, 480, 530, 510, 910, 610, 260, 330, 330, 480, 910, 300, 910, 300, 340, //  !"#$%&'()*+,-./
    510, 510, 510, 510, 510, 510, 510, 510, 510, 510, 300, 300, 1000, 910, 1000, 450, // 0-9:;<=>?
    910, 600, 570, 580, 590, 500, 510, 590, 620, 280, 500, 560, 480, 760, 620, 610, // @A-O
    570, 610, 590, 550, 550, 610, 580, 820, 570, 560, 540, 300, 480, 300, 510, 500, // P-Z[\]^_
    340, 480, 500, 460, 500, 480, 330, 510, 510, 260, 260, 480, 260, 760, 510, 500, // `a-o
    500, 500, 340, 460, 310, 510, 450, 670, 460, 450, 460, 500, 500, 500, 560, // p-z{|}~
];

/// Latin-1 from U+00A0. 0 marks the soft hyphen, which is not a character to print.
const LATIN1: [u16; 96] = [
    300, 340, 510, 530, 700, 510, 260, 560, 470, 840, 400, 510, 510, 0, 840, 460, //
    480, 510, 340, 340, 340, 590, 560, 340, 340, 340, 410, 510, 760, 760, 760, 510, //
    600, 600, 600, 600, 600, 600, 820, 580, 510, 510, 510, 510, 290, 290, 290, 290, //
    620, 620, 620, 620, 620, 620, 620, 510, 620, 620, 620, 620, 620, 570, 570, 560, //
    480, 510, 510, 510, 480, 510, 740, 460, 480, 480, 510, 510, 290, 290, 290, 290, //
    510, 510, 510, 510, 510, 510, 500, 510, 510, 510, 510, 510, 500, 450, 510, 450,
];

/// What printing a character takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Glyph {
    /// The printer's font has it, this wide.
    Native(u16),
    /// Roboto has it, this wide; the text it stands in is sent as a graphic.
    Drawn(u16),
    /// No font here has it.
    Missing,
}

/// The font the pictures are drawn with.
pub(super) fn font() -> FontRef<'static> {
    // Cannot fail: the bytes are part of the program, and a test opens them.
    FontRef::try_from_slice(FONT).expect("the embedded font is a font")
}

pub(super) fn glyph(c: char) -> Glyph {
    let code = u32::from(c) as usize;
    let width = match code {
        0x20..=0x7E => ASCII[code - 0x20],
        0xA0..=0xFF => LATIN1[code - 0xA0],
        0x100.. => return drawn(c),
        _ => 0,
    };
    if width == 0 { Glyph::Missing } else { Glyph::Native(width) }
}

fn drawn(c: char) -> Glyph {
    let font = font();
    let id = font.glyph_id(c);
    // Glyph 0 is the font's own "I do not have that".
    match font.units_per_em() {
        Some(em) if id.0 != 0 => Glyph::Drawn((font.h_advance_unscaled(id) / em * 1000.0).ceil() as u16),
        _ => Glyph::Missing,
    }
}

/// Width of one character in thousandths of its cell height. A character without a glyph counts
/// nothing: fields are checked before they are measured.
pub(super) fn advance(c: char) -> u32 {
    match c {
        // Nearly every character of nearly every label.
        ' '..='~' => ASCII[c as usize - 0x20].into(),
        _ => match glyph(c) {
            Glyph::Native(w) | Glyph::Drawn(w) => w.into(),
            Glyph::Missing => 0,
        },
    }
}

/// Width of `text` in thousandths of its cell height, without the margin.
pub(super) fn width(text: &str) -> u32 {
    text.chars().map(advance).sum()
}

/// What [`width`] is of a number of so many characters at least: one that happens to have narrow letters is not
/// larger than its neighbour in the rack.
pub(super) fn number_width(text: &str) -> u32 {
    width(text).max(570 * text.chars().count() as u32)
}

/// Whether the printer's own font can print all of `text`.
pub(super) fn native(text: &str) -> bool {
    text.is_ascii() || text.chars().all(|c| matches!(glyph(c), Glyph::Native(_)))
}

/// How far below the cell's top `text` reaches at most, as a share of the cell height: capitals,
/// digits, full stop and colon stand on the baseline, a `Q` has a tail, other characters may go down to the cell's end.
pub(super) fn depth(text: &str) -> f32 {
    let of = |b: u8| match b {
        b'Q' => 0.86,
        b'A'..=b'Z' | b'0'..=b'9' | b' ' | b'-' | b'.' | b':' => BASELINE,
        _ => 1.0,
    };
    text.bytes().map(of).fold(BASELINE, f32::max)
}

/// A width from [`width`] at cell height `h` dots, with the margin, in dots.
pub(super) fn dots(width: u32, h: f32) -> f32 {
    width as f32 / 1000.0 * h * MARGIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_width_is_below_the_font_the_pictures_are_drawn_with() {
        let font = font();
        let em = font.units_per_em().expect("an outline font");
        for c in (' '..='~').chain('\u{A0}'..='\u{FF}').filter(|&c| c != '\u{AD}') {
            let roboto = font.h_advance_unscaled(font.glyph_id(c)) / em * 1000.0;
            let Glyph::Native(width) = glyph(c) else {
                panic!("{c} is in every Zebra");
            };
            assert!(f32::from(width) >= roboto, "{c}: {width} < {roboto}");
            assert!(f32::from(width) < roboto * 2.6, "{c}: {width} for {roboto}");
        }
    }

    #[test]
    fn which_characters_are_printed_how() {
        for c in "aZ09^~_\\éßÿ\u{A0}".chars() {
            assert!(matches!(glyph(c), Glyph::Native(_)), "{c}");
        }
        for c in "ŁšŽОПŒ€–’™Ω".chars() {
            assert!(matches!(glyph(c), Glyph::Drawn(w) if w > 100), "{c}");
        }
        for c in [
            '\0', '\n', '\u{1D}', '\u{7F}', '\u{9F}', '\u{AD}', '\u{301}', '\u{200B}', '\u{202E}', '\u{FEFF}', '中',
            '😀',
        ] {
            assert_eq!(glyph(c), Glyph::Missing, "{c:?}");
        }
    }

    #[test]
    fn a_text_is_the_sum_of_its_characters() {
        assert_eq!(width("A-1"), 600 + 910 + 510);
        assert!(native("Müller") && !native("Škoda"));
    }
}
