//! # label: facts -> a laid-out label -> ZPL and a picture
//!
//! Arrives: a label's name and its fields (JSON from a file, or [`UnitLabel`] from the daemon), the
//! stock and the print head's dpi. Leaves: a [`Label`] with one `^XA` ... `^XZ` and, on demand, a PNG of
//! the same elements. No printer, no file and no clock is needed: times are fields.
//!
//! The way through the room: a design ([`unit`], [`test_page`]) states what goes where in terms of the
//! stock's size, never for one size; [`layout`] measures, wraps and chooses bar widths; [`zpl`]
//! writes, and is the only place that knows zpl-builder; [`preview`] draws.
//!
//! Promised:
//! - what is printed is what was given: a character that cannot be printed, a number that a barcode
//!   cannot carry or a required field without room is an error that names it, never an omission;
//! - optional fields may give way on small stock, in a documented order, and [`Label::left_out`] and
//!   [`Label::shortened`] say so;
//! - no element leaves the label or touches a barcode or its quiet zone, on any stock and dpi.
//!
//! Every other paper is a row in [`papers`]: parts below each other, which [`sheet`] sizes and [`parts`] draws.
//! A label that needs a design of its own is a row in [`names`] and a file beside [`unit`]. What others have designed comes
//! through [`gate`]: a carrier's label as it is, a user's own design as a [`Template`] that is filled.

mod code128;
mod codes;
mod details;
mod error;
pub mod gate;
mod layout;
mod metrics;
mod papers;
mod parts;
mod preview;
mod probes;
mod sheet;
mod stock;
mod template;
mod test_page;
mod unit;
mod unit_design;
mod zpl;

#[cfg(test)]
mod tests;

pub use code128::Code128;
pub use error::LabelError;
pub use layout::{Element, Rect};
pub use stock::{Dpi, Stock};
pub use template::{Checked, Designs, Template, check};
pub use unit::UnitLabel;

use serde_json::{Map, Value};

/// Longest text taken for one field, in characters. Longer data is a mistake upstream; no stock has
/// room for it.
const FIELD_MAX: usize = 200;

/// One row of the registry.
#[derive(Debug)]
pub struct LabelDef {
    /// What `backdock label NAME` calls it.
    pub name: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// Every field it takes, required ones first.
    pub fields: &'static [Field],
    /// The stock it is meant for when nobody says otherwise.
    pub stock: Stock,
    design: fn(Map<String, Value>, Stock, Dpi) -> Result<Label, LabelError>,
}

impl LabelDef {
    /// Names of the fields without which there is no label.
    pub fn required(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().filter(|f| f.required).map(|f| f.name)
    }

    /// Names of the fields that may be absent.
    pub fn optional(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().filter(|f| !f.required).map(|f| f.name)
    }
}

/// One field of a label.
#[derive(Debug)]
pub struct Field {
    pub name: &'static str,
    pub required: bool,
    pub kind: Kind,
}

/// What a field's JSON value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// A whole number from 1 on.
    Count,
    /// A list of texts.
    List,
}

const fn required(name: &'static str) -> Field {
    Field { name, required: true, kind: Kind::Text }
}

const fn optional(name: &'static str, kind: Kind) -> Field {
    Field { name, required: false, kind }
}

const LABELS: &[LabelDef] = &[
    LabelDef {
        name: "unit",
        title: "RMA unit label (L1)",
        fields: unit::FIELDS,
        stock: Stock::inches(4, 3),
        design: |fields, stock, dpi| unit::UnitLabel::from_fields(fields)?.render(stock, dpi),
    },
    LabelDef {
        name: "test",
        title: "printer test page",
        fields: test_page::FIELDS,
        stock: Stock::inches(4, 3),
        design: |fields, stock, dpi| test_page::TestPage::from_fields(fields)?.render(stock, dpi),
    },
];

/// Every label there is: the unit label and the test page, then the papers.
pub fn names() -> impl Iterator<Item = &'static LabelDef> + Clone {
    LABELS.iter().chain(papers::PAPERS)
}

/// A paper made of parts.
fn sheet_of(
    name: &'static str,
    parts: &[sheet::Part],
    fields: &Map<String, Value>,
    stock: Stock,
    dpi: Dpi,
) -> Result<Label, LabelError> {
    let required: Vec<&'static str> = find(name)?.required().collect();
    sheet::render(name, parts, &required, fields, stock, dpi)
}

/// The label called `name`; the error lists the known ones.
pub fn find(name: &str) -> Result<&'static LabelDef, LabelError> {
    let names = || self::names().map(|l| l.name);
    self::names().find(|l| l.name == name).ok_or_else(|| LabelError::UnknownLabel {
        given: name.chars().take(40).collect(),
        nearest: error::nearest(name, names()),
        known: names().collect::<Vec<_>>().join(", "),
    })
}

/// Lays out label `name` with `fields`, a JSON object in which `null` means absent.
pub fn render(name: &str, fields: &Value, stock: Stock, dpi: Dpi) -> Result<Label, LabelError> {
    let def = find(name)?;
    let given = fields.as_object().ok_or(LabelError::NotAnObject { label: def.name })?;
    let mut known = Map::new();
    for (key, value) in given {
        let Some(field) = def.fields.iter().find(|f| f.name == key) else {
            return Err(LabelError::UnknownField {
                label: def.name,
                given: key.chars().take(40).collect(),
                nearest: error::nearest(key, def.fields.iter().map(|f| f.name)),
            });
        };
        let (fits, want) = match field.kind {
            Kind::Text => (value.is_string(), "a text"),
            Kind::Count => {
                let count = value.as_u64();
                (count.is_some_and(|n| (1..=9999).contains(&n)), "a whole number from 1 to 9999")
            }
            Kind::List => {
                let texts = |list: &Vec<Value>| list.iter().all(Value::is_string);
                (value.as_array().is_some_and(texts), "a list of texts")
            }
        };
        if value.is_null() {
            continue;
        }
        if !fits {
            return Err(LabelError::WrongType { field: field.name, want });
        }
        known.insert(key.clone(), value.clone());
    }
    (def.design)(known, stock, dpi)
}

/// A label ready to be sent or looked at.
#[derive(Debug, Clone)]
pub struct Label {
    /// One `^XA` ... `^XZ`.
    pub zpl: String,
    /// What it is made of, in the order it is printed.
    pub elements: Vec<Element>,
    pub width_dots: u16,
    pub height_dots: u16,
    pub dpi: Dpi,
    /// Optional fields that were given but found no room on this stock.
    pub left_out: Vec<&'static str>,
    /// Fields that were cut and end in `...`.
    pub shortened: Vec<&'static str>,
}

impl Label {
    /// The picture of it: 1-bit greyscale PNG, one pixel per dot.
    pub fn png(&self) -> Vec<u8> {
        let (width, height) = (usize::from(self.width_dots), usize::from(self.height_dots));
        let mut picture = preview::Bitmap::new(width, height);
        for element in &self.elements {
            picture.draw(element);
        }
        picture.png(self.dpi.per_inch())
    }

    fn of(page: layout::Page, left_out: Vec<&'static str>, shortened: Vec<&'static str>) -> Result<Label, LabelError> {
        Ok(Label {
            zpl: zpl::write(&page.elements, page.width, page.height)?,
            elements: page.elements,
            width_dots: page.width,
            height_dots: page.height,
            dpi: page.dpi,
            left_out,
            shortened,
        })
    }
}

/// Refuses a text that cannot be printed as it is meant.
fn check_text(field: &'static str, text: &str) -> Result<(), LabelError> {
    let printable = |b: &u8| matches!(b, b' '..=b'~');
    if text.len() <= FIELD_MAX && text.as_bytes().iter().all(printable) {
        return Ok(());
    }
    let length = text.chars().count();
    if length > FIELD_MAX {
        return Err(LabelError::TooLong { field, length, max: FIELD_MAX });
    }
    for character in text.chars() {
        if character.is_control() {
            return Err(LabelError::Control { field, character });
        }
        if metrics::glyph(character) == metrics::Glyph::Missing {
            return Err(LabelError::NotInFont { field, character });
        }
    }
    Ok(())
}

/// Refuses, beyond [`check_text`], what a barcode would not give back as it was: anything but
/// printable ASCII, and `|`, which Zebras drop from QR codes.
fn check_code(field: &'static str, text: &str) -> Result<(), LabelError> {
    check_text(field, text)?;
    match text.chars().find(|&c| !matches!(c, ' '..='~') || c == '|') {
        Some(character) => Err(LabelError::NotInBarcode { field, character }),
        None => Ok(()),
    }
}
