//! The scanner test page: one barcode of each kind ([`PROBES`]) with its number and name, far enough from each
//! other that a trigger meets one of them. The last one, DONE, is there twice.
//!
//! Code 128 and QR are drawn as on every label. The others are bars and modules made of boxes, so that any printer
//! prints what the picture shows, whatever symbologies its firmware has; their modules stand in `symbols/`, as runs
//! of bars and spaces or as rows of modules. They were made with bwip-js 4 (`raw`: code39 and interleaved2of5
//! without check digit, ean13, upca, gs1-128, datamatrix, gs1datamatrix, pdf417 with two columns), and another
//! program reads them back in the tests.

use super::code128::Code128;
use super::layout::{DOTS_MAX, Page, qr_modules};
use crate::domain::probe::{LAST, PROBES, Probe};

/// How a barcode is drawn.
enum Symbol {
    Code128(Code128),
    Qr,
    /// Bars and spaces in turn, in modules.
    Runs(&'static str),
    /// Rows of modules, each so many modules high.
    Rows(&'static str, u16),
}

/// What stands beside each other, by number. The last one is drawn as a QR code as well.
const ROWS: [&[u8]; 7] = [&[1], &[2, 3], &[4, 5], &[6], &[7, 8, 9], &[10], &[11]];
/// Clear space on either side of bars, and around what is made of modules, in modules.
const QUIET: f32 = 10.0;
const QUIET_ROWS: f32 = 4.0;
/// Height of bars, side of the larger of two-dimensional ones, captions, from one row to the next, mm.
const BARS_MM: f32 = 9.0;
const SQUARE_MM: f32 = 13.0;
const CAPTION_MM: f32 = 2.8;
const ROW_GAP_MM: f32 = 4.4;
/// Wider bars gain nothing here, mm.
const MODULE_MM: f32 = 0.26;

fn symbol(probe: &Probe) -> Symbol {
    match probe.number {
        2 => Symbol::Runs(include_str!("symbols/code39.txt")),
        3 => Symbol::Runs(include_str!("symbols/itf.txt")),
        4 => Symbol::Runs(include_str!("symbols/ean13.txt")),
        5 => Symbol::Runs(include_str!("symbols/upca.txt")),
        6 => Symbol::Runs(include_str!("symbols/gs1-128.txt")),
        7 => Symbol::Rows(include_str!("symbols/datamatrix.txt"), 1),
        8 => Symbol::Rows(include_str!("symbols/gs1-datamatrix.txt"), 1),
        10 => Symbol::Rows(include_str!("symbols/pdf417.txt"), 3),
        9 => Symbol::Qr,
        // Printable ASCII: the test of the page would show a missing one.
        _ => Code128::encode(probe.data).map_or(Symbol::Qr, Symbol::Code128),
    }
}

impl Symbol {
    /// Width and height in modules; no height where bars may be as high as there is room.
    fn modules(&self, data: &str) -> (f32, Option<f32>) {
        match self {
            Symbol::Code128(code) => (code.modules() as f32, None),
            Symbol::Runs(runs) => (digits(runs).map(f32::from).sum(), None),
            Symbol::Qr => {
                let side = f32::from(qr_modules(data).unwrap_or(0));
                (side, Some(side))
            }
            Symbol::Rows(rows, high) => {
                let lines = rows.lines().count() as f32;
                (rows.lines().next().unwrap_or_default().len() as f32, Some(lines * f32::from(*high)))
            }
        }
    }
}

fn digits(runs: &str) -> impl Iterator<Item = u16> + '_ {
    runs.bytes().filter(u8::is_ascii_digit).map(|d| u16::from(d - b'0'))
}

/// Draws all rows from `y` on. Answers with their height; the error says why there is no room.
pub(super) fn put(page: &mut Page, y: f32, margin: f32) -> Result<f32, String> {
    let mut height = 0.0;
    for row in ROWS {
        let probes = PROBES.iter().filter(|p| row.contains(&p.number));
        let mut cells: Vec<(&Probe, Symbol)> = probes.map(|p| (p, symbol(p))).collect();
        if cells.iter().any(|(p, _)| **p == LAST) {
            cells.push((&LAST, Symbol::Qr));
        }
        if height > 0.0 {
            height += page.mm(ROW_GAP_MM);
        }
        height += put_row(page, &cells, y + height, margin).ok_or("its barcodes are wider than the stock")?;
    }
    Ok(height)
}

/// Draws a row, as wide as the page; `None` where it does not fit. Answers with its height.
fn put_row(page: &mut Page, cells: &[(&Probe, Symbol)], y: f32, margin: f32) -> Option<f32> {
    let most = page.mm(MODULE_MM).round().max(1.0);
    let caption = page.mm(CAPTION_MM);
    // Bars are one module wide everywhere; what is made of modules is as large as it may be high.
    let sized = |page: &Page, (probe, symbol): &(&Probe, Symbol), bars: f32| {
        let (wide, high) = symbol.modules(probe.data);
        let quiet = if high.is_some() { QUIET_ROWS } else { QUIET };
        let module = match (symbol, high) {
            (Symbol::Rows(_, 1) | Symbol::Qr, Some(high)) => {
                (page.mm(SQUARE_MM) / high).floor().clamp(1.0, DOTS_MAX as f32)
            }
            _ => bars,
        };
        (module, wide * module, high.map_or(page.mm(BARS_MM), |h| h * module), quiet * module)
    };
    let wide = |page: &Page, bars: f32| -> f32 {
        let (widths, quiets): (Vec<f32>, Vec<f32>) =
            cells.iter().map(|cell| sized(page, cell, bars)).map(|(_, w, _, q)| (w, q)).unzip();
        widths.iter().sum::<f32>() + 2.0 * quiets.iter().sum::<f32>()
    };
    let bars =
        page.modules().map(f32::from).filter(|m| *m <= most).find(|m| wide(page, *m) <= f32::from(page.width))?;
    // What is made of modules needs clear space above, too.
    let above = cells.iter().map(|cell| (sized(page, cell, bars), cell.1.modules(cell.0.data).1));
    let clear =
        above.filter(|(_, high)| high.is_some()).map(|((_, _, _, quiet), _)| quiet).fold(caption * 0.3, f32::max);
    let top = y + caption + clear;
    let spare = f32::from(page.width) - wide(page, bars);
    let mut x = (sized(page, cells.first()?, bars).3).max(margin).round();
    let mut tallest = 0f32;
    for cell in cells {
        let (module, w, h, quiet) = sized(page, cell, bars);
        let (probe, symbol) = cell;
        if x + w + quiet > f32::from(page.width) {
            return None;
        }
        let name = if **probe == LAST { "DONE" } else { probe.name };
        page.text(x, y, caption, &format!("{}  {name}", probe.number), false);
        draw(page, symbol, probe.data, x, top, module, h);
        tallest = tallest.max(h);
        // Far from its neighbour, if there is one.
        x = (x + w + 2.0 * quiet + spare / cells.len() as f32 * 0.8).round();
    }
    Some(top - y + tallest)
}

fn draw(page: &mut Page, symbol: &Symbol, data: &str, x: f32, y: f32, module: f32, h: f32) {
    match symbol {
        Symbol::Code128(code) => page.code128(x, y, module as u8, h, code.clone()),
        Symbol::Qr => page.qr(x, y, module as u8, data),
        Symbol::Runs(runs) => {
            let mut x = x;
            for (n, run) in digits(runs).enumerate() {
                let wide = f32::from(run) * module;
                if n % 2 == 0 {
                    page.fill(x, y, wide, h);
                }
                x += wide;
            }
        }
        Symbol::Rows(rows, high) => {
            let high = f32::from(*high) * module;
            for (n, row) in rows.lines().enumerate() {
                let (mut at, y) = (0, y + n as f32 * high);
                for run in row.as_bytes().chunk_by(|a, b| a == b) {
                    if run[0] == b'#' {
                        page.fill(x + at as f32 * module, y, run.len() as f32 * module, high);
                    }
                    at += run.len();
                }
            }
        }
    }
}
