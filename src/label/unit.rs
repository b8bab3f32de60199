//! The RMA unit label (L1): sticks to one received unit until it leaves the building.
//!
//! Arrives: a [`UnitLabel`], from JSON or straight from the daemon. Leaves: the [`Label`]. This file
//! knows the fields: which are required, what may stand in them, how people read them, and who gives
//! way on small stock. What goes where is [`super::unit_design`]'s.

use super::code128::Code128;
use super::unit_design::{Crowded, Draft};
use super::{Dpi, Field, Kind, Label, LabelError, Stock, check_code, check_text, optional, required};
use crate::domain::mac::Mac;
use serde_json::{Map, Value};
use std::borrow::Cow;

pub(super) const FIELDS: &[Field] = &[
    required("rma"),
    required("serial"),
    required("brand"),
    required("model"),
    required("received"),
    optional("mac", Kind::Text),
    optional("ticket", Kind::Text),
    optional("customer", Kind::Text),
    optional("ship_date", Kind::Text),
    optional("age", Kind::Text),
    optional("band", Kind::Text),
    optional("verdict", Kind::Text),
    optional("hold", Kind::Text),
    optional("rules", Kind::List),
    optional("due", Kind::Text),
    optional("copy", Kind::Count),
    optional("copy_by", Kind::Text),
    optional("copy_why", Kind::Text),
    optional("program", Kind::Text),
    optional("job", Kind::Text),
];

/// Who leaves first when there is no room. What stops a unit or tells two labels apart goes last;
/// required fields never go.
const GIVE_WAY: [&str; 14] = [
    "program",
    "ticket",
    "customer",
    "ship_date",
    "band",
    "rules",
    "copy_why",
    "copy_by",
    "age",
    "mac",
    "due",
    "hold",
    "copy",
    "verdict",
];

/// More rule ids than this are not looked at: no stock has a line that long, so it ends in `...` anyway.
const RULES_MAX: usize = 60;

/// The facts on a unit label. Empty texts are absent.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UnitLabel {
    /// Printable ASCII without `|`: it is also the content of both barcodes.
    pub rma: String,
    pub serial: String,
    pub brand: String,
    pub model: String,
    /// The day of receipt, as it shall be read.
    pub received: String,
    /// Any spelling of a MAC address is printed with colons; anything else as it is.
    pub mac: Option<String>,
    pub ticket: Option<String>,
    pub customer: Option<String>,
    pub ship_date: Option<String>,
    /// Ready-made, for example `reported day 29 / received day 35`.
    pub age: Option<String>,
    pub band: Option<String>,
    /// The action; `hold` and `reject` are printed white on black.
    pub verdict: Option<String>,
    /// Why the unit may not move on; printed white on black beside the word HOLD.
    pub hold: Option<String>,
    pub rules: Vec<String>,
    pub due: Option<String>,
    /// `COPY n`, which tells a second label from the first.
    pub copy: Option<u32>,
    /// Who wanted the copy, and why.
    pub copy_by: Option<String>,
    pub copy_why: Option<String>,
    pub program: Option<String>,
    /// The code of this very print ([`crate::domain::label_code`]): what the QR code says instead of the RMA
    /// number.
    pub job: Option<String>,
}

impl UnitLabel {
    pub(super) fn from_fields(fields: Map<String, Value>) -> Result<UnitLabel, LabelError> {
        serde_json::from_value(Value::Object(fields))
            .map_err(|e| LabelError::Fields { label: "unit", why: e.to_string() })
    }

    /// Lays the label out on `stock` for a head of `dpi` and writes it.
    ///
    /// # Errors
    /// A required field is missing, a field has a character that cannot be printed, the RMA number
    /// cannot be a barcode, or a required field finds no room on this stock.
    pub fn render(&self, stock: Stock, dpi: Dpi) -> Result<Label, LabelError> {
        let facts = Facts::of(self)?;
        let code =
            Code128::encode(facts.rma).map_err(|character| LabelError::NotInBarcode { field: "rma", character })?;
        let mut left_out = Vec::new();
        let mut waiting = GIVE_WAY.into_iter().filter(|name| !facts.get(name).is_empty());
        loop {
            match Draft::new(&facts, &left_out, &code, stock, dpi).lay_out() {
                Ok((page, shortened)) => {
                    left_out.extend((self.job.is_some() && !page.has_qr()).then_some("job"));
                    return Label::of(page, left_out, shortened);
                }
                // Nobody's leaving makes the RMA number's bars shorter.
                Err(Crowded { field: "rma", why }) => {
                    return Err(LabelError::NoRoom { field: "rma", stock, dpi, why: why.into_owned() });
                }
                Err(Crowded { field, why }) => match waiting.next() {
                    Some(name) => left_out.push(name),
                    None => return Err(LabelError::NoRoom { field, stock, dpi, why: why.into_owned() }),
                },
            }
        }
    }
}

/// The label's fields, checked, trimmed and worded for people.
pub(super) struct Facts<'a> {
    pub rma: &'a str,
    /// What the QR code says.
    pub scanned: &'a str,
    /// Brand and model.
    pub product: String,
    pub serial: &'a str,
    pub received: &'a str,
    /// In the order of [`GIVE_WAY`]; empty where absent.
    optional: [Cow<'a, str>; GIVE_WAY.len()],
}

impl<'a> Facts<'a> {
    fn of(label: &'a UnitLabel) -> Result<Facts<'a>, LabelError> {
        let needed = [&label.rma, &label.serial, &label.brand, &label.model, &label.received];
        if needed.iter().any(|text| text.trim().is_empty()) {
            let missing = FIELDS.iter().zip(needed).filter(|(_, text)| text.trim().is_empty());
            let fields: Vec<&str> = missing.map(|(field, _)| field.name).collect();
            return Err(LabelError::Missing { label: "unit", fields: fields.join(", ") });
        }
        let text = |field, text: &'a str| {
            let text = text.trim();
            check_text(field, text).map(|()| text)
        };
        let option = |field, value: &'a Option<String>| text(field, value.as_deref().unwrap_or(""));
        check_code("rma", label.rma.trim())?;
        let job = label.job.as_deref().unwrap_or("").trim();
        check_code("job", job)?;
        let rules = || label.rules.iter().map(|r| r.trim()).filter(|r| !r.is_empty()).take(RULES_MAX);
        rules().try_for_each(|rule| check_text("rules", rule))?;
        let copy = label.copy.map(|n| format!("COPY {n}")).unwrap_or_default();
        Ok(Facts {
            rma: label.rma.trim(),
            scanned: if job.is_empty() { label.rma.trim() } else { job },
            product: [text("brand", &label.brand)?, text("model", &label.model)?].join(" "),
            serial: text("serial", &label.serial)?,
            received: text("received", &label.received)?,
            optional: [
                option("program", &label.program)?.into(),
                option("ticket", &label.ticket)?.into(),
                option("customer", &label.customer)?.into(),
                option("ship_date", &label.ship_date)?.into(),
                words(option("band", &label.band)?),
                rules().collect::<Vec<_>>().join("  ").into(),
                option("copy_why", &label.copy_why)?.into(),
                option("copy_by", &label.copy_by)?.into(),
                option("age", &label.age)?.into(),
                colons(option("mac", &label.mac)?),
                option("due", &label.due)?.into(),
                words(option("hold", &label.hold)?),
                copy.into(),
                words(option("verdict", &label.verdict)?).to_uppercase().into(),
            ],
        })
    }

    /// The text of an optional field; empty where absent.
    pub fn get(&self, name: &str) -> &str {
        let place = GIVE_WAY.iter().position(|&n| n == name);
        place.map_or("", |n| &self.optional[n])
    }
}

/// A word made for programs (`within_30_days`) as people write it. Anything else stays as it is.
fn words(text: &str) -> Cow<'_, str> {
    let code = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if text.contains('_') && text.bytes().all(code) { text.replace('_', " ").into() } else { text.into() }
}

/// A MAC address as people compare it, `00:15:65:AB:CD:EF`. Anything else stays as it is: the label
/// says what was scanned.
fn colons(text: &str) -> Cow<'_, str> {
    let Some(mac) = Mac::parse(text) else {
        return text.into();
    };
    let mut out = String::with_capacity(17);
    for (n, digit) in mac.to_string().chars().enumerate() {
        if n > 0 && n % 2 == 0 {
            out.push(':');
        }
        out.push(digit);
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_worded_and_texts_are_left_alone() {
        assert_eq!(words("within_30_days"), "within 30 days");
        assert_eq!(words("SN_44 differs"), "SN_44 differs");
        assert_eq!(colons("0015.65ab.cdef"), "00:15:65:AB:CD:EF");
        assert_eq!(colons("001565ABCDE?"), "001565ABCDE?");
    }

    #[test]
    fn every_optional_field_has_its_turn_to_give_way() {
        // The code of the print is the QR code's, which leaves by itself.
        let given_way = |f: &&Field| !f.required && f.name != "job";
        let mut optional: Vec<&str> = FIELDS.iter().filter(given_way).map(|f| f.name).collect();
        let mut turns = GIVE_WAY.to_vec();
        optional.sort_unstable();
        turns.sort_unstable();
        assert_eq!(optional, turns);
    }

    #[test]
    fn every_field_reaches_its_own_place() {
        let own = |s: &str| Some(s.to_owned());
        let label = UnitLabel {
            rma: "R1".into(),
            serial: "S".into(),
            brand: "B".into(),
            model: "M".into(),
            received: "D".into(),
            program: own("program"),
            ticket: own("ticket"),
            customer: own("customer"),
            ship_date: own("ship_date "),
            band: own("Band"),
            rules: vec!["rules".into(), " ".into()],
            age: own("age"),
            mac: own("mac"),
            due: own("due"),
            hold: own("Hold"),
            copy: Some(3),
            copy_by: own("copy_by"),
            copy_why: own("copy_why"),
            verdict: own("return_to_sender"),
            job: own("J"),
        };
        let facts = Facts::of(&label).expect("printable");
        for name in ["program", "ticket", "customer", "ship_date", "rules", "copy_by", "copy_why", "age", "mac", "due"]
        {
            assert_eq!(facts.get(name), name);
        }
        assert_eq!((facts.get("band"), facts.get("hold")), ("Band", "Hold"));
        assert_eq!((facts.get("copy"), facts.get("verdict")), ("COPY 3", "RETURN TO SENDER"));
        assert_eq!((facts.product.as_str(), facts.scanned), ("B M", "J"));
    }
}
