//! What can be wrong with a label, said so that the person who has to mend it knows where to look:
//! every message names the field, the character or the stock, and what to do.

/// Why there is no label. Nothing is ever printed beside the error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    #[error("there is no label {given:?}{}; known: {known}", did_you_mean(nearest))]
    UnknownLabel { given: String, nearest: Option<String>, known: String },
    #[error("label {label}: the data is not a JSON object of fields")]
    NotAnObject { label: &'static str },
    #[error("label {label} has no field {given:?}{}", did_you_mean(nearest))]
    UnknownField { label: &'static str, given: String, nearest: Option<String> },
    /// Data that does not have the label's form in a way the registry does not know.
    #[error("label {label}: {why}")]
    Fields { label: &'static str, why: String },
    #[error("label {label}: required and missing: {fields}")]
    Missing { label: &'static str, fields: String },
    #[error("field {field:?} must be {want}")]
    WrongType { field: &'static str, want: &'static str },
    #[error("field {field:?} has {length} characters; at most {max} are taken")]
    TooLong { field: &'static str, length: usize, max: usize },
    #[error(
        "field {field:?} has the control character {}; it cannot be printed, remove it or scan again",
        code_point(*character)
    )]
    Control { field: &'static str, character: char },
    #[error("field {field:?} has {}, which the label font lacks", code_point(*character))]
    NotInFont { field: &'static str, character: char },
    #[error("field {field:?} has {}, which our barcodes do not carry", code_point(*character))]
    NotInBarcode { field: &'static str, character: char },
    #[error("field {field:?} does not fit on {stock} at {dpi} dpi: {why}; use larger stock")]
    NoRoom { field: &'static str, stock: super::Stock, dpi: super::Dpi, why: String },
    #[error("stock {given:?}: {why}; write it as 4x6 (inches) or 102x152mm")]
    BadStock { given: String, why: &'static str },
    #[error("dpi {given:?}: Zebra heads have 203, 300 or 600 dots per inch")]
    BadDpi { given: String },
    /// A user's own design cannot be filled with this data.
    #[error("design {design}.zpl: {why}")]
    Design { design: String, why: String },
    /// A number outside what ZPL takes; the layout's limits make this unreachable on stock that
    /// [`super::Stock`] accepts.
    #[error("the label cannot be written as ZPL: {0}")]
    Zpl(String),
}

/// `U+1F600` and, where it can be shown, the character itself.
fn code_point(c: char) -> String {
    let code = format!("U+{:04X}", u32::from(c));
    // Controls, and everything that could rearrange the line it is shown in, stay invisible.
    if c.is_alphanumeric() || c.is_ascii_graphic() { format!("{code} ({c})") } else { code }
}

fn did_you_mean(nearest: &Option<String>) -> String {
    match nearest {
        Some(name) => format!("; did you mean {name:?}?"),
        None => String::new(),
    }
}

/// The name among `known` that `given` was most likely meant to be, if any is near enough.
pub(super) fn nearest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let given: String = given.chars().take(40).collect::<String>().to_lowercase();
    known
        .map(|name| (strsim::damerau_levenshtein(&given, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name.to_owned())
}
