//! Elements -> ZPL II: the one address of the crate zpl-builder, and the one place where data meets
//! command characters.
//!
//! zpl-builder 0.1 is good at geometry: it checks positions, sizes and bar widths against the ranges
//! of the ZPL programming guide and writes the label's frame, boxes, bar defaults and barcodes. It is
//! given *no data at all*: every field it builds is empty, and this file completes each one. What is
//! mended or added, and why:
//!
//! - **Data.** The builder writes data as it is: `ABC^XZ~JR` would end the label and reset the
//!   printer. Here every byte of field data other than harmless printable ASCII goes out as `_XX`
//!   under `^FH`, which covers `^`, `~`, `_`, `\` and, under `^CI28` (UTF-8), every other character.
//! - **Text.** It refuses font 0, the only scalable one on every Zebra, so text fields are written here
//!   from end to end. `^A0N` states the orientation, which a `^FW` left behind by another program
//!   would otherwise decide; the builder's own rotated texts leave such a `^FW`.
//! - **Code 128.** Its bare `^BC` prints the text below the bars; `^BCN,h,N,N,N` states orientation,
//!   height, no text, no check digit of UCC. Mode N, because we choose the subsets; there a `>` in
//!   data begins an invocation and is written `>0` ([`super::code128`]).
//! - **QR.** Its bare `^BQ` leaves model and size to the printer: `^BQN,2,m` states both, and the
//!   data begins with level Q, automatic mode. Printers shift a QR code down by the *height in `^BY`*,
//!   even by one that an earlier label left; the builder sends `^BY` with each, here with height 1.
//!   A `|` in the data would be swallowed: it is refused before it comes here.
//! - **Label.** `^CI28`, width, length, orientation, gap sensing and quantity are not in the builder.
//! - **Graphics.** `^GF` for text that the printer's font lacks.
//!
//! `^FB` is not used: it would break lines by the printer's metrics instead of ours, gives meaning to
//! backslashes, and with `^CI28` cannot print one.
//!
//! Promised: one `^XA` and one `^XZ`; outside field data neither `~` nor a change of the command
//! characters; every command stands in the tests' list.

use super::LabelError;
use super::layout::Element;
use super::{metrics, preview};
use zpl_builder::{BarcodeType, Color, LabelBuilder, Orientation, ZplError};

/// Writes the label. `width` and `height` in dots.
pub(super) fn write(elements: &[Element], width: u16, height: u16) -> Result<String, LabelError> {
    let skeleton = skeleton(elements).map_err(|e| LabelError::Zpl(e.to_string()))?;
    complete(&skeleton, elements, width, height)
        .ok_or_else(|| LabelError::Zpl("zpl-builder writes fields in a form not known here".into()))
}

/// The builder's label: every barcode and box in order, without data. Texts are only checked, against
/// the ranges that the builder holds for its own.
fn skeleton(elements: &[Element]) -> Result<String, ZplError> {
    let normal = Orientation::Normal;
    let mut label = LabelBuilder::new().set_home_position(0, 0)?;
    for element in elements {
        label = match *element {
            Element::Text { x, y, .. } if x.max(y) > 32_000 => return Err(ZplError::InvalidPosition(x.max(y))),
            Element::Text { height, .. } if !(10..=32_000).contains(&height) => {
                return Err(ZplError::InvalidFontSize(height));
            }
            Element::Text { .. } => label,
            Element::Code128 { x, y, module, height, .. } => {
                label.add_barcode(BarcodeType::Code128, "", x, y, module, 2.0, height, normal)?
            }
            Element::Qr { x, y, module, .. } => {
                label.add_barcode(BarcodeType::QrCode, "", x, y, module, 2.0, 1, normal)?
            }
            Element::Box { x, y, width, height, thickness } => {
                label.add_graphical_box(x, y, width, height, thickness.min(width).min(height), Color::Black, 0)?
            }
        };
    }
    Ok(label.build())
}

/// Goes through the builder's lines and the elements side by side. `None` when the builder wrote
/// something else than what is completed here, which only another version of it can.
fn complete(skeleton: &str, elements: &[Element], width: u16, height: u16) -> Option<String> {
    let mut zpl = String::with_capacity(2048);
    let mut lines = skeleton.lines();
    let begin = lines.next().filter(|&line| line == "^XA")?;
    let home = lines.next()?;
    append(&mut zpl, &[begin, "\n^CI28\n"]);
    numbers(&mut zpl, "^PW", &[width], "\n");
    numbers(&mut zpl, "^LL", &[height], "\n");
    // A label from elsewhere may have left the printer upside down, or white on black.
    zpl.push_str("^PON^LRN\n");
    // Gap sensing: all stock this program knows is die-cut.
    append(&mut zpl, &[home, "\n^MNY\n"]);
    for element in elements {
        match element {
            Element::Text { x, y, height, text, reverse } => {
                let reverse = if *reverse { "^FR" } else { "" };
                if metrics::native(text) {
                    numbers(&mut zpl, "^FO", &[*x, *y], reverse);
                    numbers(&mut zpl, "^A0N,", &[*height, *height], "^FH^FD");
                    escape(&mut zpl, text);
                } else {
                    let graphic = preview::graphic(text, *height);
                    let (bytes, row) = (graphic.bytes.len(), graphic.row_bytes);
                    numbers(&mut zpl, "^FO", &[*x, y.saturating_sub(graphic.above)], reverse);
                    zpl.push_str(&format!("^GFA,{bytes},{bytes},{row},"));
                    graphic.bytes.iter().for_each(|&byte| hex(&mut zpl, byte));
                }
                zpl.push_str("^FS\n");
            }
            Element::Code128 { code, .. } => {
                let (defaults, field) = (lines.next()?, lines.next()?);
                let (_, height) = defaults.rsplit_once(',')?;
                append(&mut zpl, &[defaults, "\n", field.strip_suffix("^BC^FD^FS")?]);
                append(&mut zpl, &["^BCN,", height, ",N,N,N^FH^FD"]);
                escape(&mut zpl, &code.field());
                zpl.push_str("^FS\n");
            }
            Element::Qr { data, .. } => {
                let (defaults, field) = (lines.next()?, lines.next()?);
                let (module, _) = defaults.strip_prefix("^BY")?.split_once(',')?;
                append(&mut zpl, &[defaults, "\n", field.strip_suffix("^BQ^FD^FS")?]);
                append(&mut zpl, &["^BQN,2,", module, "^FH^FDQA,"]);
                escape(&mut zpl, data);
                zpl.push_str("^FS\n");
            }
            Element::Box { .. } => append(&mut zpl, &[lines.next()?, "\n"]),
        }
    }
    let end = lines.next().filter(|&line| line == "^XZ")?;
    append(&mut zpl, &["^PQ1\n", end, "\n"]);
    Some(zpl)
}

/// Appends numbers with commas between them. By hand: a label has some hundred of them, and formatting
/// them took a third of the time that a label takes.
fn numbers(zpl: &mut String, before: &str, numbers: &[u16], behind: &str) {
    zpl.push_str(before);
    for (n, &number) in numbers.iter().enumerate() {
        if n > 0 {
            zpl.push(',');
        }
        let mut unit = 10_000;
        while unit > 1 && number < unit {
            unit /= 10;
        }
        while unit > 0 {
            zpl.push((b'0' + (number / unit % 10) as u8) as char);
            unit /= 10;
        }
    }
    zpl.push_str(behind);
}

fn append(zpl: &mut String, parts: &[&str]) {
    parts.iter().for_each(|part| zpl.push_str(part));
}

/// Appends `data` as `^FD` takes it under `^FH`: printable ASCII as it is, except for the command
/// characters, the escape character and the backslash; every other byte as `_XX`.
fn escape(zpl: &mut String, data: &str) {
    let plain = |b: u8| matches!(b, b' '..=b'~') && !matches!(b, b'^' | b'~' | b'_' | b'\\');
    let mut rest = data;
    while !rest.is_empty() {
        // Only single-byte characters are plain, so a run of them ends between two characters.
        let run = rest.bytes().position(|b| !plain(b)).unwrap_or(rest.len());
        let (harmless, other) = rest.split_at(run);
        zpl.push_str(harmless);
        let mut chars = other.chars();
        if let Some(c) = chars.next() {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                zpl.push('_');
                hex(zpl, byte);
            }
        }
        rest = chars.as_str();
    }
}

fn hex(zpl: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    zpl.push(DIGITS[usize::from(byte >> 4)] as char);
    zpl.push(DIGITS[usize::from(byte & 15)] as char);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_full() {
        let mut zpl = String::new();
        numbers(&mut zpl, "^FO", &[0, 7, 10, 909, 1000, 32_000, u16::MAX], "^FS");
        assert_eq!(zpl, "^FO0,7,10,909,1000,32000,65535^FS");
    }

    #[test]
    fn what_zpl_does_not_take_is_refused() {
        let text = |x, height| Element::Text { x, y: 0, height, text: "a".into(), reverse: false };
        let refused = |element: Element| write(&[element], 812, 609).expect_err("out of range").to_string();
        assert!(write(&[text(32_000, 10)], 812, 609).is_ok());
        assert_eq!(refused(text(0, 9)), "the label cannot be written as ZPL: Font size 9 out of range (10-32000)");
        assert!(refused(text(32_001, 10)).contains("Position 32001"));
        assert!(refused(Element::Qr { x: 0, y: 0, module: 11, data: "a".into() }).contains("width 11"));
    }
}
