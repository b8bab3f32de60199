//! A number's two barcodes beside each other: the Code 128, and at its right a QR code where there is room.
//!
//! Arrives: the number, the height, the margin. Leaves: how wide the bars are and where they begin. The
//! quiet zone of the bars decides where a label's left edge is; texts keep to it.

use super::code128::{Code128, QUIET};
use super::layout::{DOTS_MAX, Element, Page, QR_QUIET, qr_modules};

/// A QR code lower than this share of the bars would be a stamp beside a billboard.
const QR_LEAST: f32 = 0.6;

/// Where the codes go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Codes {
    /// Left edge of the bars, and so of the texts.
    pub left: f32,
    pub module: u8,
    /// The module of the QR code, when it stands beside the bars.
    pub qr: Option<u8>,
}

impl Page {
    /// The widest bars that leave room for a QR code of `text` beside them, or else the widest that fit at
    /// all. `slack`: dots above and below the bars together that are clear anyway, for the quiet zone of the
    /// QR code. The error says why there are no bars.
    pub fn codes(&self, code: &Code128, text: &str, margin: f32, height: f32, slack: f32) -> Result<Codes, String> {
        let width = f32::from(self.width);
        let mut alone = None;
        for module in self.modules() {
            let quiet = (QUIET * u32::from(module)) as f32;
            let left = margin.max(quiet).ceil();
            let end = left + (code.modules() * u32::from(module)) as f32;
            if end + quiet > width {
                continue;
            }
            let qr = qr_modules(text).and_then(|modules| {
                let largest = self.qr_module(modules + 2 * QR_QUIET, height + slack)?;
                (1..=largest).rev().find(|&qr| {
                    let side = f32::from(modules * u16::from(qr));
                    let clear = f32::from(QR_QUIET * u16::from(qr));
                    let end = end + quiet.max(clear) + side + clear.max(margin);
                    (side >= QR_LEAST * height || u32::from(qr) == DOTS_MAX) && end <= width
                })
            });
            let qr = qr.filter(|&qr| self.readable(qr));
            if qr.is_some() {
                return Ok(Codes { left, module, qr });
            }
            alone = alone.or(Some(Codes { left, module, qr }));
        }
        alone.ok_or_else(|| {
            let least = self.modules().last().unwrap_or(1);
            let dots = (code.modules() + 2 * QUIET) * u32::from(least);
            let needs = dots as f32 * 25.4 / self.dpi.per_inch() as f32;
            format!("its Code 128 is {needs:.0} mm wide, the stock {:.0} mm", self.stock.width_mm())
        })
    }

    /// Whether it has a QR code.
    pub fn has_qr(&self) -> bool {
        self.elements.iter().any(|e| matches!(e, Element::Qr { .. }))
    }

    /// Draws them; a QR code ends at `right`, or where its quiet zone must begin.
    pub fn put_codes(&mut self, codes: Codes, code: Code128, text: &str, right: f32, y: f32, height: f32) {
        self.code128(codes.left, y, codes.module, height, code);
        if let (Some(module), Some(modules)) = (codes.qr, qr_modules(text)) {
            let side = f32::from(modules * u16::from(module));
            let clear = f32::from(QR_QUIET * u16::from(module));
            let x = (f32::from(self.width) - clear).min(right) - side;
            self.qr(x, y + (height - side) / 2.0, module, text);
        }
    }
}
