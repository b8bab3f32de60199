//! Lines, boxes, circles and downloaded dots: `^GB ^GC ^GE ^GD ^GF`.
//!
//! Arrives: a command's parameters. Leaves: a bitmap to stamp. Promised: sizes are bounded by what the
//! programming guide allows; graphic data that is not hexadecimal is refused with a reason.

use super::canvas::{Bitmap, Budget, Ink, signed};
use super::zpl::Parameters;

/// Largest side of a shape, in dots (programming guide).
const SIDE_MAX: i64 = 32_000;

/// A shape and its colour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The dots that are inked.
    pub dots: Bitmap,
    /// Black or white.
    pub ink: Ink,
}

fn side(p: &mut Parameters<'_>, least: u32) -> u32 {
    let sent = p.within(1, SIDE_MAX).and_then(|n| u32::try_from(n).ok());
    sent.unwrap_or(least).max(least)
}

fn ink(p: &mut Parameters<'_>) -> Ink {
    match p.letter() {
        Some(b'W') => Ink::White,
        _ => Ink::Black,
    }
}

/// `^GBw,h,t,c,r`: a box of line thickness `t`, corners rounded by `r` eighths of half the shorter side.
///
/// # Errors
/// It is too large to draw.
pub fn frame(mut p: Parameters<'_>, budget: &mut Budget) -> Result<Shape, String> {
    let mut sizes = p.clone();
    sizes.word();
    sizes.word();
    let thick = side(&mut sizes, 1);
    let width = side(&mut p, thick);
    let height = side(&mut p, thick);
    p.word();
    let ink = ink(&mut p);
    let rounding = p.within(0, 8).unwrap_or(0);
    let radius = f64::from(width.min(height)) / 2.0 * rounding as f64 / 8.0;
    let mut dots = budget.bitmap(width, height)?;
    let inside = |x: f64, y: f64, edge: f64| {
        let (w, h) = (f64::from(width) - edge, f64::from(height) - edge);
        let radius = (radius - edge).max(0.0);
        if x < edge || y < edge || x > w || y > h {
            return false;
        }
        let dx = (edge + radius - x).max(x - (w - radius)).max(0.0);
        let dy = (edge + radius - y).max(y - (h - radius)).max(0.0);
        dx * dx + dy * dy <= radius * radius || dx == 0.0 || dy == 0.0
    };
    for y in 0..signed(height) {
        for x in 0..signed(width) {
            let (cx, cy) = (f64::from(x) + 0.5, f64::from(y) + 0.5);
            if inside(cx, cy, 0.0) && !inside(cx, cy, f64::from(thick)) {
                dots.ink(x, y, Ink::Black);
            }
        }
    }
    Ok(Shape { dots, ink })
}

/// `^GCd,t,c` (one size) or `^GEw,h,t,c` (two): an ellipse of line thickness `t`.
///
/// # Errors
/// It is too large to draw.
pub fn ellipse(mut p: Parameters<'_>, round: bool, budget: &mut Budget) -> Result<Shape, String> {
    let width = side(&mut p, 3);
    let height = if round { width } else { side(&mut p, 3) };
    let thick = f64::from(side(&mut p, 1));
    let ink = ink(&mut p);
    let (rx, ry) = (f64::from(width) / 2.0, f64::from(height) / 2.0);
    let inside = |x: f64, y: f64, rx: f64, ry: f64| rx > 0.0 && ry > 0.0 && (x / rx).powi(2) + (y / ry).powi(2) <= 1.0;
    let mut dots = budget.bitmap(width, height)?;
    for y in 0..signed(height) {
        for x in 0..signed(width) {
            let (cx, cy) = (f64::from(x) + 0.5 - rx, f64::from(y) + 0.5 - ry);
            if inside(cx, cy, rx, ry) && !inside(cx, cy, rx - thick, ry - thick) {
                dots.ink(x, y, Ink::Black);
            }
        }
    }
    Ok(Shape { dots, ink })
}

/// `^GDw,h,t,c,o`: a diagonal, leaning right (`R` or `/`) or left (`L` or `\`), `t` dots wide.
///
/// # Errors
/// It is too large to draw.
pub fn diagonal(mut p: Parameters<'_>, budget: &mut Budget) -> Result<Shape, String> {
    let width = side(&mut p, 3);
    let height = side(&mut p, 3);
    let thick = side(&mut p, 1);
    let ink = ink(&mut p);
    let left = matches!(p.letter(), Some(b'L' | b'\\'));
    // The line is as thick sideways as it is asked to be; it runs out at the far side.
    let mut dots = budget.bitmap(width + thick, height)?;
    for y in 0..height {
        let along = if left { y } else { height - 1 - y };
        let from = u64::from(along) * u64::from(width) / u64::from(height);
        dots.bar(u32::try_from(from).unwrap_or(width), y, thick, 1);
    }
    Ok(Shape { dots, ink })
}

/// `^GFa,b,c,d,data`: downloaded dots, of which only hexadecimal data (`A`) is understood, with the
/// repeat counts `G`-`Y` (1 to 19) and `g`-`z` (20 to 400), `,` and `!` to fill up a row with white or
/// black, and `:` to repeat the row above.
///
/// # Errors
/// Why it cannot be drawn.
pub fn field(mut p: Parameters<'_>, budget: &mut Budget) -> Result<Bitmap, String> {
    let format = p.letter().unwrap_or(b'A');
    if format != b'A' {
        return Err(format!("^GF{}: only hexadecimal data (^GFA) is understood", format.escape_ascii()));
    }
    let _sent = p.word();
    let total = positive(p.number());
    let per_row = positive(p.number());
    let (Some(total), Some(per_row)) = (total, per_row) else {
        return Err("^GF: bytes in all and bytes per row are needed".to_owned());
    };
    let rows = total.div_ceil(per_row);
    let (w, h) = (u32::try_from(per_row.saturating_mul(8)), u32::try_from(rows));
    let (Ok(w), Ok(h)) = (w, h) else {
        return Err("^GF: larger than any label".to_owned());
    };
    let mut dots = budget.bitmap(w, h)?;
    let nibbles = expand(p.rest(), per_row * 2, rows * per_row * 2)?;
    for (i, nibble) in nibbles.into_iter().enumerate() {
        let (row, column) = (i / (per_row * 2), i % (per_row * 2));
        for bit in 0..4 {
            if nibble & (8 >> bit) != 0 {
                let x = i32::try_from(column * 4 + bit).unwrap_or(-1);
                dots.ink(x, i32::try_from(row).unwrap_or(-1), Ink::Black);
            }
        }
    }
    Ok(dots)
}

fn positive(number: Option<i64>) -> Option<usize> {
    number.and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0)
}

/// Undoes the repeat counts; never longer than `most` nibbles.
fn expand(data: &[u8], per_row: usize, most: usize) -> Result<Vec<u8>, String> {
    let mut out: Vec<u8> = Vec::new();
    let mut repeat = 0;
    for &byte in data {
        if out.len() >= most {
            break;
        }
        let in_row = out.len() % per_row;
        match byte {
            b'G'..=b'Y' => repeat += usize::from(byte - b'F'),
            b'g'..=b'z' => repeat += 20 * usize::from(byte - b'f'),
            b',' => out.resize(out.len() - in_row + per_row, 0),
            b'!' => out.resize(out.len() - in_row + per_row, 0xF),
            b':' => {
                let above = out.len() - in_row;
                let row = above.saturating_sub(per_row)..above;
                out.truncate(above);
                match row.len() {
                    0 => out.resize(per_row, 0),
                    _ => out.extend_from_within(row),
                }
            }
            b'\r' | b'\n' | b' ' | b'\t' => {}
            _ => {
                let Some(nibble) = char::from(byte).to_digit(16) else {
                    return Err(format!("^GF: `{}` is no hexadecimal digit", byte.escape_ascii()));
                };
                let count = repeat.max(1).min(most - out.len());
                out.resize(out.len() + count, u8::try_from(nibble).unwrap_or(0));
                repeat = 0;
            }
        }
    }
    out.truncate(most);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn budget() -> Budget {
        Budget::new(1 << 20)
    }

    fn black(dots: &Bitmap) -> usize {
        dots.bits().iter().map(|b| b.count_ones() as usize).sum()
    }

    #[test]
    fn a_box_has_the_thickness_asked_for() {
        let hollow = frame(Parameters::new(b"20,10,2"), &mut budget()).expect("drawn").dots;
        assert_eq!(black(&hollow), 20 * 10 - 16 * 6);
        let full = frame(Parameters::new(b"20,10,10"), &mut budget()).expect("drawn").dots;
        assert_eq!(black(&full), 200);
        // A line: the side left out is the thickness.
        let line = frame(Parameters::new(b"50,,3"), &mut budget()).expect("drawn").dots;
        assert_eq!((line.width(), line.height(), black(&line)), (50, 3, 150));
        let round = frame(Parameters::new(b"20,20,20,W,8"), &mut budget()).expect("drawn");
        assert_eq!(round.ink, Ink::White);
        assert!(!round.dots.black(0, 0) && round.dots.black(10, 10));
        // Rounded all the way it is a disc.
        let disc = ellipse(Parameters::new(b"20,20"), true, &mut budget()).expect("drawn").dots;
        assert_eq!(black(&disc), black(&round.dots));
    }

    #[test]
    fn a_diagonal_leans_as_asked() {
        let right = diagonal(Parameters::new(b"10,10,1,B,R"), &mut budget()).expect("drawn").dots;
        assert!(right.black(0, 9) && right.black(9, 0) && !right.black(0, 0));
        let left = diagonal(Parameters::new(b"10,10,1,B,L"), &mut budget()).expect("drawn").dots;
        assert!(left.black(0, 0) && left.black(9, 9));
    }

    #[test]
    fn downloaded_dots_are_unpacked() {
        let plain = field(Parameters::new(b"A,4,4,2,F00F,8001"), &mut budget()).expect("drawn");
        assert_eq!((plain.width(), plain.height()), (16, 2));
        assert_eq!(plain.bits(), [0xF0, 0x0F, 0, 0]);
        // HF: two Fs, filled up; the row again; gH0: twenty and two, cut at the end; `!` fills black.
        let packed = field(Parameters::new(b"A,8,8,2,HF,:IF!gH0"), &mut budget()).expect("drawn");
        assert_eq!(packed.bits(), [0xFF, 0, 0xFF, 0, 0xFF, 0xFF, 0, 0]);
        // Twenty and two Fs are eleven bytes.
        let long = field(Parameters::new(b"A,15,15,15,gHF,"), &mut budget()).expect("drawn");
        assert_eq!((black(&long), long.bits()[10], long.bits()[11]), (88, 0xFF, 0));
        assert!(field(Parameters::new(b"B,4,4,2,abcd"), &mut budget()).is_err());
        assert!(field(Parameters::new(b"A,4,4,0,F"), &mut budget()).is_err());
        assert!(field(Parameters::new(b"A,4,4,2,:Z64:abc"), &mut budget()).is_err());
        assert!(field(Parameters::new(b"A,9,99999999999,99999999,F"), &mut budget()).is_err());
    }

    proptest! {
        #[test]
        fn no_parameters_panic(data in "[-0-9A-Za-z,:!]{0,40}") {
            let p = || Parameters::new(data.as_bytes());
            let mut budget = budget();
            let _ = frame(p(), &mut budget);
            let _ = ellipse(p(), true, &mut budget);
            let _ = ellipse(p(), false, &mut budget);
            let _ = diagonal(p(), &mut budget);
            let _ = field(p(), &mut budget);
        }
    }
}
