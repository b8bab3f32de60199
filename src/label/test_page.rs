//! The printer test page: is the print straight, sharp, dark enough and where it should be?
//!
//! A frame 1 mm inside the paper and rulers from its very edges show offset and skew; gratings of one
//! to four dots show darkness; a black bar across shows dead elements as white lines; the narrowest
//! bars this program ever prints show whether the scanners of this dock read them. Station, printer
//! and time are fields.

use super::code128::{Code128, QUIET};
use super::layout::{self, Page, QR_QUIET, fit};
use super::{Dpi, Field, Kind, Label, LabelError, Stock, check_code, check_text, metrics};
use super::{optional, required};
use serde_json::{Map, Value};

pub(super) const FIELDS: &[Field] = &[
    required("station"),
    optional("printer", Kind::Text),
    optional("time", Kind::Text),
    optional("copy", Kind::Count),
    optional("copy_by", Kind::Text),
    optional("copy_why", Kind::Text),
];

/// Where the frame is and where the rulers with their numbers end, mm from the edge.
const FRAME_MM: f32 = 1.0;
const RULER_MM: f32 = 5.2;
/// Lines in one grating.
const GRATING_LINES: u16 = 16;

#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TestPage {
    station: String,
    printer: Option<String>,
    time: Option<String>,
    copy: Option<u32>,
    copy_by: Option<String>,
    copy_why: Option<String>,
}

impl TestPage {
    pub fn from_fields(fields: Map<String, Value>) -> Result<TestPage, LabelError> {
        serde_json::from_value(Value::Object(fields))
            .map_err(|e| LabelError::Fields { label: "test", why: e.to_string() })
    }

    /// # Errors
    /// The station is missing or cannot be a barcode, or does not fit on the stock.
    pub fn render(&self, stock: Stock, dpi: Dpi) -> Result<Label, LabelError> {
        let station = self.station.trim();
        if station.is_empty() {
            return Err(LabelError::Missing { label: "test", fields: "station".into() });
        }
        check_code("station", station)?;
        let printer = self.printer.as_deref().unwrap_or("").trim();
        let time = self.time.as_deref().unwrap_or("").trim();
        let copy_by = self.copy_by.as_deref().unwrap_or("").trim();
        let copy_why = self.copy_why.as_deref().unwrap_or("").trim();
        check_text("copy_by", copy_by)?;
        check_text("copy_why", copy_why)?;
        let mark = self.copy.map(|n| format!("COPY {n}")).unwrap_or_default();
        let copy: Vec<&str> = [mark.as_str(), copy_by, copy_why].into_iter().filter(|t| !t.is_empty()).collect();
        let copy = copy.join(": ");
        check_text("printer", printer)?;
        check_text("time", time)?;
        let code =
            Code128::encode(station).map_err(|character| LabelError::NotInBarcode { field: "station", character })?;

        let mut page = Page::new(stock, dpi);
        let (width, height) = (f32::from(page.width), f32::from(page.height));
        rulers(&mut page);
        let least = page.modules().last().unwrap_or(1);
        let quiet = (QUIET * u32::from(least)) as f32;
        let edge = page.mm(RULER_MM) + quiet;
        let room = width - edge - page.mm(2.0);
        let bars = (code.modules() * u32::from(least)) as f32;
        if edge + bars + quiet > width - page.mm(FRAME_MM * 1.5) {
            let why = "its Code 128 is wider than the stock".into();
            return Err(LabelError::NoRoom { field: "station", stock, dpi, why });
        }

        // Station large, then what the page is about, then the bars; gratings in what is left.
        let line = (height * 0.05).max(page.mm(1.9));
        let size = format!("{dpi} dpi   {stock}   {} x {} dots", page.width, page.height);
        let mut y = page.mm(RULER_MM);
        for (field, text, most) in [
            ("station", station, line * 2.4),
            ("copy", &copy, line),
            ("printer", printer, line),
            ("time", time, line),
            ("stock", &size, line),
        ] {
            let h = fit(metrics::width(text), room, most);
            if !text.is_empty() && h < page.mm(1.3) {
                let why = "it is too long for one line".into();
                return Err(LabelError::NoRoom { field, stock, dpi, why });
            }
            if !text.is_empty() {
                page.text(edge, y, h, text, false);
                y += h * 1.1;
            }
        }
        let right = width - page.mm(2.0);
        let solid = page.mm(2.0).min(height * 0.04);
        let end = height - page.mm(2.0) - solid;
        page.fill(edge, end, right - edge, solid);
        let end = end - page.mm(1.0);

        let bars_height = ((end - y) * 0.5).min(page.mm(18.0));
        page.code128(edge, y, least, bars_height, code);
        if let Some(modules) = layout::qr_modules(station)
            && let Some(module) = page.qr_module(modules + 2 * QR_QUIET, bars_height)
        {
            let side = f32::from(modules * u16::from(module));
            let clear = f32::from(QR_QUIET * u16::from(module));
            let x = edge + bars + quiet.max(clear);
            if x + side + clear <= right {
                page.qr(x, y + clear, module, station);
            }
        }
        y += bars_height + page.mm(1.2);
        gratings(&mut page, [edge, y], [right, end]);
        Label::of(page, Vec::new(), Vec::new())
    }
}

/// A frame, and millimetres along the upper and the left edge; every tenth has its number.
fn rulers(page: &mut Page) {
    let (width, height) = (f32::from(page.width), f32::from(page.height));
    let (inset, thin) = (page.mm(FRAME_MM), page.mm(0.13).max(1.0));
    page.frame(inset, inset, width - 2.0 * inset, height - 2.0 * inset, thin * 2.0);
    let h = page.mm(1.6);
    for (along, vertical) in [(page.stock.width_mm(), false), (page.stock.height_mm(), true)] {
        let last = (along - RULER_MM) as u32;
        for mm in 2..=last {
            let at = page.mm(mm as f32);
            let tick = page.mm(match mm % 10 {
                0 => 1.8,
                5 => 1.4,
                _ => 0.9,
            });
            if vertical {
                page.fill(inset, at, tick, thin);
            } else {
                page.fill(at, inset, thin, tick);
            }
            // On small stock the first content line begins right below: only longer ticks there.
            if mm % 10 == 0 && mm + 5 <= last {
                let (x, y) = if vertical {
                    (inset + tick * 1.1, at - h * metrics::BASELINE / 2.0)
                } else {
                    (at + thin * 2.0, inset + tick - h * 0.4)
                };
                page.text(x, y, h, &mm.to_string(), false);
            }
        }
    }
}

/// Lines and spaces of one to four dots, upright and level, as many as fit into the rectangle.
fn gratings(page: &mut Page, [left, top]: [f32; 2], [right, bottom]: [f32; 2]) {
    let gap = page.mm(1.5);
    let mut x = left;
    for dots in 1..=4u16 {
        let side = f32::from(GRATING_LINES * 2 * dots);
        if x + side * 2.0 + gap > right || top + side > bottom {
            break;
        }
        for n in 0..GRATING_LINES {
            let offset = f32::from(n * 2 * dots);
            page.fill(x + offset, top, f32::from(dots), side);
            page.fill(x + side + gap, top + offset, side, f32::from(dots));
        }
        x += side * 2.0 + gap * 2.0;
    }
}
