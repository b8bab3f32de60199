//! Which column of somebody's export is which of ours.
//!
//! Every ERP names and orders its columns its own way. In: the names a person configured, and the
//! first line of a file. Out: the position of each of our columns, or one error that names all that
//! is missing, what was found instead, and the nearest. Promised: a column whose name is only nearly
//! right is never taken for an absent one, since that would quietly empty it in every row.

use std::fmt::Write as _;

use chrono::format::{Item, StrftimeItems};
use chrono::{NaiveDate, NaiveTime};

use crate::domain::date;

/// Our columns, by their default names in a file, in the order of [`Column`].
pub const COLUMNS: [&str; 12] = [
    "serial",
    "mac",
    "brand",
    "model",
    "ship_date",
    "order",
    "customer",
    "channel",
    "distributor",
    "purchase_date",
    "warranty_until",
    "plan_until",
];

/// An index into [`COLUMNS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Serial,
    Mac,
    Brand,
    Model,
    ShipDate,
    Order,
    Customer,
    Channel,
    Distributor,
    PurchaseDate,
    WarrantyUntil,
    PlanUntil,
}

impl Column {
    /// Without these two a row says nothing.
    const REQUIRED: [Column; 2] = [Column::Serial, Column::ShipDate];

    pub fn name(self) -> &'static str {
        COLUMNS[self as usize]
    }
}

/// How a file's bytes become letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// A record that is valid UTF-8 is UTF-8, any other is Windows-1252. Western names in 1252 are
    /// practically never valid UTF-8 by accident.
    #[default]
    Auto,
    Utf8,
    Windows1252,
}

/// How to read a shipment file. The default reads files with our own column names and ISO dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportMap {
    /// The file's name for each of [`COLUMNS`]; whether a person set it.
    columns: [(String, bool); COLUMNS.len()],
    /// `None`: the one of [`DELIMITERS`] under which the header has most known columns.
    delimiter: Option<u8>,
    date_formats: Vec<String>,
    encoding: Encoding,
}

/// What is tried for the delimiter `auto`.
const DELIMITERS: [u8; 4] = *b",;\t|";
/// Names at least this alike (Damerau-Levenshtein, 1 = same) are taken for a spelling mistake.
const ALIKE: f64 = 0.8;

impl Default for ImportMap {
    fn default() -> Self {
        ImportMap {
            columns: COLUMNS.map(|name| (name.to_owned(), false)),
            delimiter: None,
            date_formats: vec!["%Y-%m-%d".to_owned()],
            encoding: Encoding::Auto,
        }
    }
}

impl ImportMap {
    /// Says that our column `ours` is called `theirs` in the file. From then on it has to be there.
    pub fn set_column(&mut self, ours: &str, theirs: &str) -> Result<(), String> {
        let Some(place) = COLUMNS.iter().position(|c| *c == ours) else {
            let (near, _) = nearest(ours, COLUMNS);
            return Err(format!("there is no column {ours:?} to map; did you mean {near:?}?"));
        };
        if theirs.trim().is_empty() {
            return Err(format!("{ours}: write the column's name in the file's first line"));
        }
        self.columns[place] = (theirs.trim().to_owned(), true);
        Ok(())
    }

    /// `auto`, `tab`, or one printable ASCII character that is neither letter, digit nor quote.
    pub fn set_delimiter(&mut self, text: &str) -> Result<(), String> {
        self.delimiter = match text.as_bytes() {
            b"auto" => None,
            b"tab" | b"\t" => Some(b'\t'),
            [b] if b.is_ascii_punctuation() && !matches!(b, b'"' | b'\'' | b'-' | b'_' | b'.') => Some(*b),
            _ => {
                return Err(format!(
                    "{text:?} cannot separate columns; write auto, tab, or one character such as ; , |"
                ));
            }
        };
        Ok(())
    }

    /// Formats of dates in strftime signs, tried in order. Each must name year, month and day, and no
    /// two may read one text as different days: 03/04/2026 would be a guess.
    pub fn set_date_formats(&mut self, formats: Vec<String>) -> Result<(), String> {
        if formats.is_empty() {
            return Err("no format: write at least one, such as \"%Y-%m-%d\"".to_owned());
        }
        // Days small enough to be months, and all three numbers different.
        let probe = NaiveDate::from_ymd_opt(2001, 2, 3).unwrap_or_default();
        let mut written = Vec::new();
        for format in &formats {
            let bad = || format!("{format:?} is not a date format; write it like \"%Y-%m-%d\" or \"%m/%d/%Y\"");
            if StrftimeItems::new(format).any(|item| item == Item::Error) {
                return Err(bad());
            }
            let mut text = String::new();
            write!(text, "{}", probe.and_time(NaiveTime::MIN).format(format)).map_err(|_| bad())?;
            if date::parse(&text, &[format]) != Ok(probe) {
                return Err(bad());
            }
            written.push(text);
        }
        for (a, text) in formats.iter().zip(&written) {
            for b in &formats {
                if date::parse(text, &[b]).is_ok_and(|read| read != probe) {
                    return Err(format!("{a:?} and {b:?} read {text:?} as different days; keep one of them"));
                }
            }
        }
        self.date_formats = formats;
        Ok(())
    }

    /// `auto`, `utf-8` or `windows-1252`.
    pub fn set_encoding(&mut self, text: &str) -> Result<(), String> {
        self.encoding = match text.to_ascii_lowercase().as_str() {
            "auto" => Encoding::Auto,
            "utf-8" | "utf8" => Encoding::Utf8,
            "windows-1252" | "cp1252" => Encoding::Windows1252,
            _ => return Err(format!("encoding {text:?} is not known; write auto, utf-8 or windows-1252")),
        };
        Ok(())
    }

    pub(super) fn date_formats(&self) -> &[String] {
        &self.date_formats
    }

    pub(super) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// What may separate the columns of a file, best guess first.
    pub(super) fn delimiters(&self) -> Vec<u8> {
        self.delimiter.map_or(DELIMITERS.to_vec(), |d| vec![d])
    }

    fn place(&self, column: usize, header: &[String]) -> Option<usize> {
        header.iter().position(|h| same_name(h, &self.columns[column].0))
    }

    /// How many of our columns `header` has.
    pub(super) fn known(&self, header: &[String]) -> usize {
        (0..COLUMNS.len()).filter(|c| self.place(*c, header).is_some()).count()
    }

    /// Finds our columns in a file's header; the error is one text for a person.
    pub(super) fn layout(&self, header: &[String]) -> Result<Layout, String> {
        let mut layout = Layout { places: [None; COLUMNS.len()], width: header.len() };
        let (mut missing, mut twice) = (Vec::new(), Vec::new());
        for (column, (wanted, set)) in self.columns.iter().enumerate() {
            layout.places[column] = self.place(column, header);
            match header.iter().filter(|h| same_name(h, wanted)).count() {
                0 => {
                    let strangers = header.iter().filter(|h| !self.columns.iter().any(|(name, _)| same_name(h, name)));
                    let (near, alike) = nearest(wanted, strangers.map(String::as_str));
                    let required = *set || Column::REQUIRED.iter().any(|r| *r as usize == column);
                    if alike >= ALIKE {
                        missing.push(format!("{wanted:?} (is it {near:?}?)"));
                    } else if required && alike > 0.3 {
                        missing.push(format!("{wanted:?} (nearest: {near:?})"));
                    } else if required {
                        missing.push(format!("{wanted:?}"));
                    }
                }
                1 => {}
                n => twice.push(format!("{wanted:?} stands there {n} times")),
            }
        }
        if missing.is_empty() && twice.is_empty() {
            return Ok(layout);
        }
        let mut text = "the first line must name the columns".to_owned();
        if !missing.is_empty() {
            text += &format!("; missing: {}", missing.join(", "));
        }
        if !twice.is_empty() {
            text += &format!("; {}", twice.join(", "));
        }
        let mut found: Vec<String> = header.iter().take(40).map(|h| format!("{:?}", clip(h))).collect();
        if header.len() > found.len() {
            found.push(format!("and {} more", header.len() - found.len()));
        }
        text += &format!("; found: {}", found.join(", "));
        text += ". Correct the file, or name its columns under [shipments.columns]";
        Err(text)
    }
}

/// Where our columns stand in one file, and how many columns a record of it has.
#[derive(Debug, Clone)]
pub struct Layout {
    places: [Option<usize>; COLUMNS.len()],
    pub(super) width: usize,
}

impl Layout {
    pub(super) fn place(&self, column: Column) -> Option<usize> {
        self.places[column as usize]
    }

    /// Our columns that the file does not have: empty in every row.
    pub fn absent(&self) -> Vec<&'static str> {
        COLUMNS.iter().zip(self.places).filter(|(_, place)| place.is_none()).map(|(name, _)| *name).collect()
    }
}

fn same_name(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}

fn clip(text: &str) -> String {
    text.chars().take(60).collect()
}

/// The one of `names` most like `name`, and how alike (0 to 1).
fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> (String, f64) {
    let plain = |s: &str| clip(s.trim()).to_lowercase().replace([' ', '-'], "_");
    let mut best = (String::new(), 0.0);
    for other in names {
        let alike = strsim::normalized_damerau_levenshtein(&plain(name), &plain(other));
        if alike > best.1 {
            best = (clip(other), alike);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Vec<String> {
        text.split(',').map(str::to_owned).collect()
    }

    #[test]
    fn columns_are_found_in_any_order_and_case() {
        let layout = ImportMap::default().layout(&header(" Ship_Date ,notes,SERIAL,mac")).unwrap();
        assert_eq!(layout.place(Column::Serial), Some(2));
        assert_eq!(layout.place(Column::ShipDate), Some(0));
        assert_eq!(layout.place(Column::Brand), None);
        assert_eq!((layout.width, layout.absent().len()), (4, 9));
    }

    #[test]
    fn a_wrong_header_is_one_clear_error() {
        let map = ImportMap::default();
        for (text, says) in [
            ("serial,mac", "missing: \"ship_date\""),
            ("serial number,ship_date", "missing: \"serial\" (nearest: \"serial number\")"),
            ("serial,Ship Date", "\"ship_date\" (is it \"Ship Date\"?)"),
            ("serial,ship_date,warranty_untill", "\"warranty_until\" (is it \"warranty_untill\"?)"),
            ("serial,ship_date,SERIAL", "\"serial\" stands there 2 times"),
            ("AB123,001565ABCDEF,Yealink", "found: \"AB123\", \"001565ABCDEF\", \"Yealink\""),
            ("", "found: \"\""),
        ] {
            let error = map.layout(&header(text)).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
        let mut map = ImportMap::default();
        map.set_column("brand", "Hersteller").unwrap();
        assert!(map.layout(&header("serial,ship_date")).unwrap_err().contains("missing: \"Hersteller\""));
        assert!(map.layout(&header("serial,ship_date,hersteller")).is_ok());
        let wide = ImportMap::default().layout(&vec!["x".repeat(500); 5_000]).unwrap_err();
        assert!(wide.len() < 4_000, "a hostile header gives a short error: {}", wide.len());
    }

    #[test]
    fn settings_are_checked() {
        let mut map = ImportMap::default();
        assert!(map.set_column("serail", "SN").unwrap_err().contains("did you mean \"serial\""));
        assert!(map.set_column("serial", " ").is_err());
        for ok in ["auto", "tab", ";", ",", "|"] {
            assert_eq!(map.set_delimiter(ok), Ok(()), "{ok}");
        }
        for bad in ["", "\"", "a", "1", ";;", "\n", "§", "-"] {
            assert!(map.set_delimiter(bad).is_err(), "{bad}");
        }
        assert!(map.set_encoding("UTF-8").is_ok() && map.set_encoding("latin-7").is_err());
        let formats = |list: &[&str]| list.iter().map(|f| f.to_string()).collect::<Vec<_>>();
        for ok in [
            &["%Y-%m-%d"][..],
            &["%m/%d/%Y", "%Y-%m-%d"],
            &["%d.%m.%Y", "%Y%m%d"],
            &["%Y-%m-%d %H:%M:%S"],
            &["%d-%b-%Y"],
        ] {
            assert_eq!(map.set_date_formats(formats(ok)), Ok(()), "{ok:?}");
        }
        for bad in [
            &[][..],
            &["%Y-%m"],
            &["%H:%M"],
            &["%Q"],
            &["date"],
            &["%Y-%m-%d", "%m/%d/%Y", "%d/%m/%Y"],
            &["%y-%m-%d", "%d-%m-%y"],
        ] {
            assert!(map.set_date_formats(formats(bad)).is_err(), "{bad:?}");
        }
    }
}
