//! What a foreign label draws, against the paper it is meant for: does it stay on it, are the bars wide
//! enough, is there clear space around them?
//!
//! A barcode that leaves the stock is refused, for nobody can scan it; everything else is a warning, for
//! the designer knows more than we do.

use super::fields::{Content, Drawn, Pen, Turn};
use super::finding::{Code, Notes};
use super::width::{self, Size};
use super::{FIELDS_MAX, lexer};
use crate::label::{Dpi, Rect, Stock};

/// Narrowest bar that is not warned of, mm: the least X of GS1-128 in repair shops (GS1 General
/// Specifications, symbol specification table 4), and two dots at 203 dpi: a bar of a single dot is as
/// wide as the head's heat makes it.
const BAR_MIN_MM: f32 = 0.25;
/// What rounding and a printer's own margins make of an edge, mm.
const SLACK_MM: f32 = 0.5;
/// Most barcodes on a label; the fullest carrier's label has six, and each takes time to be measured.
const BARCODES_MAX: usize = 50;
/// Longer data is not tried for the longest that fits: no label has room for it, and a QR code of it takes
/// milliseconds a try.
const TRIED_MAX: usize = 300;

struct Placed<'a> {
    field: Drawn<'a>,
    line: usize,
    /// What it blackens.
    ink: Vec<Rect>,
    code: Option<Size>,
}

pub(super) fn look(notes: &mut Notes, bytes: &[u8], stock: Stock, dpi: Dpi) {
    let (width, height) = stock.dots(dpi);
    let paper = Rect { left: 0, top: 0, right: width.into(), bottom: height.into() };
    let mut pen = Pen::new();
    let mut placed: Vec<Placed> = Vec::new();
    let (mut counted, mut line, mut barcodes) = (0, 1, 0);
    for command in lexer::commands(bytes) {
        if command.is(b"PW") || command.is(b"LL") {
            media(notes, &command, stock, dpi);
        }
        if let Some(field) = pen.follow(&command)
            && placed.len() < FIELDS_MAX
        {
            barcodes += usize::from(matches!(field.content, Content::Barcode(_)));
            if barcodes > BARCODES_MAX {
                let what = format!("more than {BARCODES_MAX} barcodes");
                notes.refuse(Code::Form, field.at, what, "use fewer");
                break;
            }
            line += bytes[counted..field.at].iter().filter(|&&b| b == b'\n').count();
            counted = field.at;
            placed.push(place(field, line, dpi));
        }
    }
    for one in &placed {
        if let Some(size) = one.code {
            thin(notes, one, size, dpi);
        }
        edge(notes, one, paper, dpi);
        crowded(notes, one);
    }
    for (n, one) in placed.iter().enumerate().filter(|(_, p)| p.code.is_some()) {
        quiet(notes, n, one, &placed, paper);
    }
}

/// `^PW` and `^LL` against the stock; a label for another head is told by both fitting that head.
fn media(notes: &mut Notes, command: &lexer::Command, stock: Stock, dpi: Dpi) {
    let Some(dots) = command.parameters().number(0).filter(|n| *n > 0) else { return };
    let side = |dpi| {
        let (width, height) = stock.dots(dpi);
        f32::from(if command.is(b"PW") { width } else { height })
    };
    let slack = dpi.dots(SLACK_MM);
    let close = |to: f32| (dots as f32 - to).abs() <= to * 0.02 + slack;
    let written = command.written();
    let other = Dpi::ALL.into_iter().find(|d| *d != dpi && close(side(*d))).filter(|_| !close(side(dpi)));
    if let Some(other) = other {
        let what = format!(
            "{written}{dots} is this stock at {other} dpi; the printer has {dpi}, so all would be printed in another size"
        );
        notes.warn(Code::OffStock, command.at, what, format!("ask for the label at {dpi} dpi"));
    } else if dots as f32 > side(dpi) + slack {
        let what =
            format!("{written}{dots} is {:.0} mm at {dpi} dpi, the stock is {stock}", dots as f32 / dpi.dots(1.0));
        notes.warn(Code::OffStock, command.at, what, "use larger stock, or a label made for this one");
    }
}

fn place(field: Drawn<'_>, line: usize, dpi: Dpi) -> Placed<'_> {
    let (code, size) = match field.content {
        // Nothing is printed without data.
        Content::Barcode(_) | Content::Text { .. } if field.data.is_empty() => (None, None),
        Content::Barcode(command) => {
            let size = width::barcode(&command, field.bars, &field.data, dpi);
            (size, size.map(|s| (s.width, s.height)))
        }
        Content::Text { .. } => (None, width::text(&field)),
        Content::Box { width, height, .. } | Content::Graphic { width, height } => (None, Some((width, height))),
    };
    let ink = size.map_or(Vec::new(), |size| ink(&field, size));
    Placed { field, line, ink, code }
}

/// Where a field of this size, not turned, is black. A frame is so along its four sides only.
fn ink(field: &Drawn, (width, height): (i32, i32)) -> Vec<Rect> {
    let turn = match field.content {
        Content::Text { .. } | Content::Barcode(_) => field.turn,
        Content::Box { .. } | Content::Graphic { .. } => Turn::None,
    };
    let (wide, high) = if matches!(turn, Turn::None | Turn::Over) { (width, height) } else { (height, width) };
    let left = if field.right || field.typeset && matches!(turn, Turn::Over | Turn::Left) {
        field.x.saturating_sub(wide)
    } else {
        field.x
    };
    let above = field.typeset && matches!(turn, Turn::None | Turn::Left);
    let top = if above { field.y.saturating_sub(high) } else { field.y };
    let all = Rect { left, top, right: left.saturating_add(wide), bottom: top.saturating_add(high) };
    match field.content {
        Content::Box { width, height, thickness: t } if 2 * t < width.min(height) => vec![
            Rect { bottom: all.top + t, ..all },
            Rect { top: all.bottom - t, ..all },
            Rect { right: all.left + t, ..all },
            Rect { left: all.right - t, ..all },
        ],
        _ => vec![all],
    }
}

fn thin(notes: &mut Notes, one: &Placed, size: Size, dpi: Dpi) {
    let mm = size.module as f32 / dpi.dots(1.0);
    if mm >= BAR_MIN_MM {
        return;
    }
    let least = (dpi.dots(BAR_MIN_MM) - 0.01).ceil() as i32;
    let what = format!("the bars of its {} are {} dots or {mm:.2} mm wide at {dpi} dpi", size.name, size.module);
    let remedy = format!("make them at least {least} dots: scanners miss thinner ones on worn labels");
    notes.warn(Code::ThinBars, one.field.at, what, remedy);
}

/// How far `inner` reaches beyond `outer`, in dots.
fn beyond(inner: Rect, outer: Rect) -> i32 {
    [outer.left - inner.left, outer.top - inner.top, inner.right - outer.right, inner.bottom - outer.bottom]
        .into_iter()
        .fold(0, i32::max)
}

fn edge(notes: &mut Notes, one: &Placed, paper: Rect, dpi: Dpi) {
    let field = &one.field;
    let barcode = matches!(field.content, Content::Barcode(_));
    let outside = one.ink.iter().map(|ink| beyond(*ink, paper)).fold(0, i32::max);
    let away = field.x < 0 || field.y < 0 || field.x > paper.right || field.y > paper.bottom;
    if let (Some(size), true) = (one.code, outside > 0) {
        let mm = |dots: i32| dots as f32 / dpi.dots(1.0);
        let turned = matches!(field.turn, Turn::Right | Turn::Left);
        let along = if turned { paper.bottom } else { paper.right };
        let count = field.data.len();
        let what = format!(
            "its {} of {count} characters is {:.1} mm long and leaves the stock, which has {:.1} mm that way",
            size.name,
            mm(size.width),
            mm(along)
        );
        let remedy = match longest(field, paper, dpi) {
            fits if fits > 0 && size.width > along => format!(
                "at most {fits} characters of this kind fit from where it begins: \
                 shorten the data, narrow the bars or use larger stock"
            ),
            _ => "move it, or use larger stock".to_owned(),
        };
        notes.refuse(Code::OffStock, field.at, what, remedy);
    } else if barcode && away && !field.data.is_empty() {
        notes.refuse(Code::OffStock, field.at, "a barcode begins beside the stock", "move it, or use larger stock");
    } else if outside as f32 > dpi.dots(SLACK_MM) || away {
        let what = match field.content {
            Content::Text { .. } => format!("the text {:?}", shown(&field.data)),
            Content::Box { .. } => "a box".to_owned(),
            _ => "a drawing".to_owned(),
        };
        let far = outside as f32 / dpi.dots(1.0);
        let what = if away {
            format!("{what} begins beside the stock")
        } else {
            format!("{what} leaves the stock by {far:.1} mm")
        };
        notes.warn(Code::OffStock, field.at, what, "move it, make it smaller or use larger stock");
    }
}

/// A text that does not fit into its `^FB` is printed over itself.
fn crowded(notes: &mut Notes, one: &Placed) {
    if matches!(one.field.content, Content::Text { .. }) && width::crowded(&one.field) {
        let what = format!(
            "the text {:?} needs more lines than its ^FB has, and would be printed over itself",
            shown(&one.field.data)
        );
        notes.warn(Code::OffStock, one.field.at, what, "give it more lines, or smaller letters");
    }
}

/// The start of a text, safe to show.
fn shown(data: &[u8]) -> String {
    String::from_utf8_lossy(data).chars().take(20).collect()
}

/// How many of a barcode's characters stay on the paper; 0 where not even one does.
fn longest(field: &Drawn, paper: Rect, dpi: Dpi) -> usize {
    let Content::Barcode(command) = field.content else { return 0 };
    if field.data.len() > TRIED_MAX {
        return 0;
    }
    let fits = |n: &usize| {
        let size = width::barcode(&command, field.bars, &field.data[..*n], dpi);
        size.is_some_and(|s| ink(field, (s.width, s.height)).iter().all(|ink| beyond(*ink, paper) == 0))
    };
    // Longer data never makes a shorter barcode, but for a digit that completes a pair.
    let (mut good, mut bad) = (0, field.data.len());
    while bad - good > 1 {
        let middle = (good + bad) / 2;
        if fits(&middle) { good = middle } else { bad = middle }
    }
    // A symbology of fixed length has nothing to shorten.
    if good > 0
        && width::barcode(&command, field.bars, &field.data[..good], dpi)
            == width::barcode(&command, field.bars, &field.data, dpi)
    {
        return 0;
    }
    good
}

fn quiet(notes: &mut Notes, n: usize, one: &Placed, placed: &[Placed], paper: Rect) {
    let (Some(size), [ink]) = (one.code, &one.ink[..]) else { return };
    if beyond(*ink, paper) > 0 || size.height == 0 {
        return;
    }
    let turned = matches!(one.field.turn, Turn::Right | Turn::Left);
    let (along, across) = (size.quiet.0 * size.module, size.quiet.1 * size.module);
    let (beside, above) = if turned { (across, along) } else { (along, across) };
    let zone =
        Rect { left: ink.left - beside, top: ink.top - above, right: ink.right + beside, bottom: ink.bottom + above };
    let what = format!("its {} needs {} dots of clear space", size.name, along);
    if beyond(zone, paper) > 0 {
        notes.warn(
            Code::QuietZone,
            one.field.at,
            format!("{what}; the edge of the stock is nearer"),
            "move it inwards",
        );
    }
    // White on black, and drawings whose white is not known, are left to the eye.
    let known = |p: &&Placed| !p.field.reverse && !matches!(p.field.content, Content::Graphic { .. });
    let others = placed.iter().enumerate().filter(|(m, _)| *m != n).map(|(_, p)| p).filter(known);
    if let Some(near) = others.into_iter().find(|p| p.ink.iter().any(|ink| ink.overlaps(zone))) {
        let what = format!("{what}; the field in line {} stands in it", near.line);
        notes.warn(Code::QuietZone, one.field.at, what, "move them apart");
    }
}
