//! The layout of every paper but the unit label and the test page: parts below each other, in one type
//! size that is as large as the stock allows.
//!
//! Arrives: the [`Part`]s of a paper ([`super::papers`]) and its fields. Leaves: a [`Label`]. The parts keep
//! their order; where they do not fit in the smallest type, optional parts leave from the last one up, and
//! [`Label::left_out`] names them. A part that must be there and has no room is an error.
//!
//! Three sizes are chosen, one after the other, each as large as still fits: the running text; what shouts
//! (the title, the number and its bars); the air between the parts. So a tag with little to say says it
//! loud, and every label fills its paper. How a part is drawn is [`super::parts`]'s.

use super::details::TYPE_MIN_MM;
use super::layout::Page;
use super::parts::Sheet;
use super::{Dpi, Label, LabelError, Stock, check_code, check_text};
use serde_json::{Map, Value};

/// One part of a paper.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    /// What the paper is, across its whole width. `stops`: white on black.
    Title { text: &'static str, stops: bool },
    /// A field in the same place, for the word that decides (a team, an amount, a verdict), behind a small
    /// `caption` that says what it is. White on black where it `stops`, or says HOLD or REJECT.
    Word { caption: &'static str, field: &'static str, stops: bool },
    /// Which of how many, in the same place.
    Count { word: &'static str, field: &'static str, of: &'static str },
    /// A number, large, with its bars and a QR code.
    Number { field: &'static str },
    /// A smaller number with its bars.
    Bars { caption: &'static str, field: &'static str },
    /// Caption and value; neighbours share a column for the captions, and rows where there is room.
    Line { caption: &'static str, field: &'static str },
    /// Prose, wrapped.
    Prose { field: &'static str },
    /// Why there is this paper: prose that is seen before the rest.
    Reason { field: &'static str },
    /// A list below its caption, a dash for each.
    List { caption: &'static str, field: &'static str },
    /// Lines as they are, beside their caption: an address that is not where it goes, serial numbers.
    Block { caption: &'static str, field: &'static str },
    /// Where it goes, larger than prose; `attn` is a field that goes below the first line.
    Address { field: &'static str, attn: &'static str },
    /// Boxes to tick: those of a field, or else these.
    Checks { field: &'static str, fixed: &'static [&'static str] },
    /// That it is a copy, for whom and why; nothing on a first print.
    Copied,
    /// Barcodes with their words below them, in columns: those of a field, or else these, in groups.
    Wall { field: &'static str, fixed: &'static [&'static [&'static str]] },
    /// The barcodes of the scanner test page.
    Probes,
}

impl Part {
    pub fn field(&self) -> &'static str {
        match self {
            Part::Title { .. } => "",
            Part::Probes => "barcodes",
            Part::Copied => "copy",
            Part::Word { field, .. }
            | Part::Count { field, .. }
            | Part::Number { field }
            | Part::Bars { field, .. }
            | Part::Line { field, .. }
            | Part::Prose { field }
            | Part::Reason { field }
            | Part::List { field, .. }
            | Part::Block { field, .. }
            | Part::Address { field, .. }
            | Part::Checks { field, .. }
            | Part::Wall { field, .. } => field,
        }
    }

    /// Never left out, whatever the fields: the paper would be another one. A wall sheet without its codes
    /// is none, and a copy says that it is one.
    fn must(&self) -> bool {
        match self {
            Part::Title { .. } | Part::Copied | Part::Wall { .. } | Part::Probes => true,
            Part::Word { caption, .. } => !caption.is_empty(),
            _ => false,
        }
    }
}

/// Largest type of running text, mm of cell height, and as a share of the label's height.
const TYPE_MAX_MM: f32 = 7.0;
const TYPE_MAX: f32 = 0.075;
/// How much louder the title and the number may become.
const LOUD: [f32; 6] = [1.9, 1.7, 1.5, 1.35, 1.2, 1.1];
/// In the smallest type the title and the number give way a little before a part has to leave.
const QUIETER: [f32; 2] = [0.85, 0.7];
/// Air between two parts at most, in cell heights.
const AIR: [f32; 5] = [1.2, 0.9, 0.6, 0.3, 0.15];

/// The fields as the parts read them.
pub(super) struct Fields<'f>(pub &'f Map<String, Value>);

impl<'f> Fields<'f> {
    pub fn text(&self, name: &str) -> String {
        match self.0.get(name) {
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(n)) => n.to_string(),
            _ => String::new(),
        }
    }

    pub fn list(&self, name: &str) -> Vec<&'f str> {
        let list = self.0.get(name).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).map(str::trim).filter(|t| !t.is_empty()).collect()
    }

    fn has(&self, part: &Part) -> bool {
        match part {
            Part::Title { .. } | Part::Wall { .. } | Part::Probes => true,
            Part::Word { caption, .. } if !caption.is_empty() => true,
            Part::Checks { fixed, field } => !fixed.is_empty() || !self.list(field).is_empty(),
            Part::List { field, .. } | Part::Block { field, .. } | Part::Address { field, .. } => {
                !self.list(field).is_empty()
            }
            _ => !self.text(part.field()).is_empty(),
        }
    }
}

/// A part did not find room.
#[derive(Debug)]
pub(super) struct Full {
    pub field: &'static str,
    pub why: String,
}

/// The sizes of one attempt.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// Cell height of running text, dots.
    pub h: f32,
    /// What shouts is this many times as large as it must be.
    pub loud: f32,
    /// Between two parts beyond what must be, in cell heights.
    pub air: f32,
}

/// Lays a paper out. `required` are the fields without which it is none.
pub(super) fn render(
    label: &'static str,
    parts: &[Part],
    required: &[&'static str],
    fields: &Map<String, Value>,
    stock: Stock,
    dpi: Dpi,
) -> Result<Label, LabelError> {
    let given = Fields(fields);
    let empty = |name: &&&'static str| given.text(name).is_empty() && given.list(name).is_empty();
    let missing: Vec<&str> = required.iter().filter(empty).copied().collect();
    if !missing.is_empty() {
        return Err(LabelError::Missing { label, fields: missing.join(", ") });
    }
    check(parts, &given)?;
    check_code("job", &given.text("job"))?;
    let mut there: Vec<&Part> = parts.iter().filter(|part| given.has(part)).collect();
    let mut left_out = Vec::new();
    loop {
        match fill(&there, &given, stock, dpi) {
            Ok(sheet) => {
                left_out.extend((!given.text("job").is_empty() && !sheet.page.has_qr()).then_some("job"));
                return Label::of(sheet.page, left_out, sheet.shortened);
            }
            Err(full) => {
                let may_leave = |part: &&Part| !part.must() && !required.contains(&part.field());
                match there.iter().rposition(may_leave) {
                    Some(at) => left_out.push(there.remove(at).field()),
                    None => return Err(LabelError::NoRoom { field: full.field, stock, dpi, why: full.why }),
                }
            }
        }
    }
}

fn check(parts: &[Part], given: &Fields) -> Result<(), LabelError> {
    for part in parts {
        let field = part.field();
        let texts = |field| given.list(field).iter().try_for_each(|text| check_text(field, text));
        match part {
            Part::Title { .. } | Part::Probes => {}
            Part::Copied => ["copy", "copy_by", "copy_why"].iter().try_for_each(|f| check_text(f, &given.text(f)))?,
            Part::Number { .. } | Part::Bars { .. } => check_code(field, &given.text(field))?,
            Part::Wall { .. } => given.list(field).iter().try_for_each(|text| check_code(field, text))?,
            Part::List { .. } | Part::Block { .. } | Part::Checks { .. } => texts(field)?,
            Part::Count { of, .. } => {
                check_text(field, &given.text(field))?;
                check_text(of, &given.text(of))?;
            }
            Part::Address { attn, .. } => {
                texts(field)?;
                check_text(attn, &given.text(attn))?;
            }
            _ => check_text(field, &given.text(field))?,
        }
    }
    Ok(())
}

/// Everything in the largest sizes in which it fits.
fn fill(parts: &[&Part], given: &Fields, stock: Stock, dpi: Dpi) -> Result<Sheet, Full> {
    let probe = Page::new(stock, dpi);
    let least = probe.mm(TYPE_MIN_MM).ceil();
    let most = probe.mm(TYPE_MAX_MM).min(f32::from(probe.height) * TYPE_MAX).max(least);
    let attempt = |sizes| Sheet::fill(parts, given, stock, dpi, sizes);
    let mut sizes = Sizes { h: most.floor(), loud: 1.0, air: 0.0 };
    let mut quieter = QUIETER.into_iter();
    let mut sheet = loop {
        match attempt(sizes) {
            Ok(sheet) => break sheet,
            Err(_) if sizes.h > least => sizes.h = (sizes.h * 0.94).floor().max(least),
            Err(full) => sizes.loud = quieter.next().ok_or(full)?,
        }
    };
    for (tries, set) in
        [(&LOUD[..], (|s: &mut Sizes, n| s.loud = n) as fn(&mut Sizes, f32)), (&AIR[..], |s: &mut Sizes, n| s.air = n)]
    {
        for &n in tries.iter().filter(|_| sizes.loud >= 1.0) {
            let mut bolder = sizes;
            set(&mut bolder, n);
            if let Ok(better) = attempt(bolder) {
                (sheet, sizes) = (better, bolder);
                break;
            }
        }
    }
    Ok(sheet)
}
