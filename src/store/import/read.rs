//! One record of a file -> one shipment in packed form, or the reason why not.
//!
//! In: the bytes of a record, and where our columns stand in it. Out: a shipment, canonical in every
//! field and packed ([`Fields`](crate::store::shipments::packed::Fields)). Promised: nothing is repaired by guessing; a field that is not exactly what its column holds makes
//! the whole row a reject, because half a shipment decides warranties wrongly.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;

use super::map::{Column, Encoding, ImportMap, Layout};
use super::records::{Fault, RECORD_MAX, Record};
use crate::domain::date::{self, BadDate, to_epoch_days};
use crate::domain::mac::Mac;
use crate::domain::shipment::{MACS_MAX, channel_word};
use crate::domain::text::{SERIAL_MAX, escaped, serial_key};
use crate::store::shipments::packed::{Packer, mac_bytes};

/// Why a row of a file was not taken. Says what is wrong and with what; texts in it are escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    #[error("the line is longer than {RECORD_MAX} bytes; is a line end or a closing quote missing?")]
    TooLong,
    #[error("a field begins with a quote that is never closed; double the quotes inside fields")]
    OpenQuote,
    #[error("text follows a closing quote; double the quotes inside fields")]
    AfterQuote,
    #[error("{found} columns where the first line has {wanted}; is there a delimiter inside an unquoted field?")]
    Columns { found: usize, wanted: usize },
    #[error("the file ends in the middle of this line; was it copied completely?")]
    CutOff,
    #[error("the line is not valid UTF-8; set the encoding under [shipments]")]
    Encoding,
    #[error("serial: empty")]
    NoSerial,
    #[error("serial: {text:?} is not a serial number (1 to {SERIAL_MAX} letters, digits and - . / _ #)")]
    Serial { text: String },
    #[error("ship_date: empty")]
    NoShipDate,
    #[error("{column}: {bad}")]
    Date { column: &'static str, bad: BadDate },
    #[error("mac: {text:?} is not a MAC address (12 hex digits; several are separated by ; )")]
    Mac { text: String },
    #[error("mac: {mac} is a group address or all zeros and names no device")]
    GroupMac { mac: Mac },
    #[error("mac: more than {MACS_MAX} addresses")]
    ManyMacs,
    #[error("{column}: {length} characters, at most {max} are kept")]
    Long { column: &'static str, length: usize, max: usize },
    #[error("{column}: holds the control character {found}")]
    Control { column: &'static str, found: String },
    #[error("serial: {serial} stands in this file before, with other content; one row per unit, the latest shipment")]
    SerialAgain { serial: String },
    #[error("mac: {mac} belongs to {serial} earlier in this file; two units cannot share an address")]
    MacAgain { mac: String, serial: String },
}

impl From<Fault> for Reason {
    fn from(fault: Fault) -> Reason {
        match fault {
            Fault::TooLong => Reason::TooLong,
            Fault::OpenQuote => Reason::OpenQuote,
            Fault::AfterQuote => Reason::AfterQuote,
        }
    }
}

/// Longest texts kept, in characters.
const LIMITS: [(Column, usize); 6] = [
    (Column::Brand, 60),
    (Column::Model, 80),
    (Column::Order, 60),
    (Column::Customer, 160),
    (Column::Channel, 40),
    (Column::Distributor, 120),
];

/// Whether a record says nothing at all: spreadsheets export rows of empty cells.
pub fn is_empty(record: &Record) -> bool {
    let mut scratch = Vec::new();
    record.fault.is_none()
        && (0..record.width()).all(|n| record.field(n, &mut scratch).is_none_or(|f| f.trim_ascii().is_empty()))
}

/// Reads a record as a shipment and packs it behind what `out` holds.
///
/// # Errors
/// The first thing that is wrong with it; `out` may hold half a form then.
pub fn pack(record: &Record, layout: &Layout, map: &ImportMap, out: &mut Packer) -> Result<(), Reason> {
    if let Some(fault) = record.fault {
        return Err(fault.into());
    }
    if record.width() != layout.width {
        let columns = Reason::Columns { found: record.width(), wanted: layout.width };
        return Err(if record.ended { columns } else { Reason::CutOff });
    }
    let text = match map.encoding() {
        Encoding::Windows1252 => None,
        wanted => match std::str::from_utf8(record.bytes) {
            Ok(text) => Some(text),
            Err(_) if wanted == Encoding::Auto => None,
            Err(_) => return Err(Reason::Encoding),
        },
    };
    let mut row = Row { record, text, layout, map, scratch: Vec::new() };
    out.begin();
    row.serial(out)?;
    row.macs(out)?;
    row.text(Column::Brand, out)?;
    row.text(Column::Model, out)?;
    if !row.date(Column::ShipDate, out)? {
        return Err(Reason::NoShipDate);
    }
    row.text(Column::Order, out)?;
    row.text(Column::Customer, out)?;
    row.channel(out)?;
    row.text(Column::Distributor, out)?;
    row.date(Column::PurchaseDate, out)?;
    row.date(Column::WarrantyUntil, out)?;
    row.date(Column::PlanUntil, out)?;
    Ok(())
}

struct Row<'a> {
    record: &'a Record<'a>,
    /// The whole record, where it is UTF-8.
    text: Option<&'a str>,
    layout: &'a Layout,
    map: &'a ImportMap,
    scratch: Vec<u8>,
}

impl Row<'_> {
    /// The field's letters without blanks around them; `None` when it is empty or not in the file.
    fn field(&mut self, column: Column) -> Option<Cow<'_, str>> {
        let place = self.layout.place(column)?;
        let text = match (self.text, self.record.place(place)) {
            // Fields are cut at ASCII bytes, so this is never between two bytes of one letter.
            (Some(text), Some(at)) => Cow::Borrowed(text.get(at)?),
            _ => letters(self.record.field(place, &mut self.scratch)?, self.text.is_some()),
        };
        let text = match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        };
        (!text.is_empty()).then_some(text)
    }

    fn serial(&mut self, out: &mut Packer) -> Result<(), Reason> {
        let text = self.field(Column::Serial).ok_or(Reason::NoSerial)?;
        let serial = serial_key(&text).ok_or_else(|| Reason::Serial { text: shown(&text) })?;
        out.text(Some(&serial));
        Ok(())
    }

    fn macs(&mut self, out: &mut Packer) -> Result<(), Reason> {
        let Some(text) = self.field(Column::Mac) else {
            out.bytes(None);
            return Ok(());
        };
        let (mut macs, mut many) = ([0; 6 * MACS_MAX], 0);
        for part in text.split([';', '|', '/', ',']).map(str::trim).filter(|p| !p.is_empty()) {
            let mac = Mac::parse(part).ok_or_else(|| Reason::Mac { text: shown(part) })?;
            if !mac.names_a_device() {
                return Err(Reason::GroupMac { mac });
            }
            let six = mac_bytes(mac);
            if macs[..many].chunks_exact(6).any(|m| m == six) {
                continue;
            }
            macs.get_mut(many..many + 6).ok_or(Reason::ManyMacs)?.copy_from_slice(&six);
            many += 6;
        }
        out.bytes((many > 0).then_some(&macs[..many]));
        Ok(())
    }

    fn text(&mut self, column: Column, out: &mut Packer) -> Result<(), Reason> {
        let text = self.field(column);
        if let Some(text) = &text {
            check(column, text)?;
        }
        out.text(text.as_deref());
        Ok(())
    }

    fn channel(&mut self, out: &mut Packer) -> Result<(), Reason> {
        let Some(text) = self.field(Column::Channel) else {
            out.text(None);
            return Ok(());
        };
        check(Column::Channel, &text)?;
        out.text(Some(channel_word(&text).unwrap_or(&text)));
        Ok(())
    }

    /// Whether there is a date.
    fn date(&mut self, column: Column, out: &mut Packer) -> Result<bool, Reason> {
        let formats = self.map.date_formats();
        let Some(text) = self.field(column) else {
            out.day(None);
            return Ok(false);
        };
        let date = date::parse(&text, formats).map_err(|bad| Reason::Date { column: column.name(), bad })?;
        out.day(Some(to_epoch_days(date)));
        Ok(true)
    }
}

/// The letters of a field; `utf8` says what the record as a whole is.
pub fn letters(bytes: &[u8], utf8: bool) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if utf8 => Cow::Borrowed(text),
        _ => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

/// A text is kept as it is, or not at all.
fn check(column: Column, text: &str) -> Result<(), Reason> {
    let max = LIMITS.iter().find(|(c, _)| *c == column).map_or(SERIAL_MAX, |(_, max)| *max);
    if text.len() > max {
        let length = text.chars().count();
        if length > max {
            return Err(Reason::Long { column: column.name(), length, max });
        }
    }
    if text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return Ok(());
    }
    match text.chars().find(|c| c.is_control()) {
        Some(c) => Err(Reason::Control { column: column.name(), found: format!("U+{:04X}", c as u32) }),
        None => Ok(()),
    }
}

/// A hostile text, fit for a message.
fn shown(text: &str) -> String {
    escaped(&text.as_bytes()[..text.len().min(SERIAL_MAX + 10)])
}

#[cfg(test)]
mod tests {
    use super::super::records::Records;
    use super::*;
    use crate::domain::shipment::Shipment;
    use crate::store::shipments::packed::Fields;
    use proptest::prelude::*;

    const HEADER: &str =
        "serial,mac,brand,model,ship_date,order,customer,channel,distributor,purchase_date,warranty_until,plan_until";

    fn read_with(map: &ImportMap, line: &[u8]) -> Result<Shipment, Reason> {
        let header: Vec<_> = HEADER.split(',').map(str::to_owned).collect();
        let layout = map.layout(&header).unwrap();
        let mut records = Records::new(line, b',', 1, 0);
        let mut out = Packer::default();
        pack(&records.next().unwrap().unwrap(), &layout, map, &mut out)?;
        let fields = Fields::unpack(&out.0).unwrap();
        let mut again = Packer::default();
        fields.pack(&mut again);
        assert_eq!(again.0, out.0, "one form, whoever packs it");
        Ok(fields.to_shipment().unwrap())
    }

    fn read(line: &str) -> Result<Shipment, Reason> {
        read_with(&ImportMap::default(), line.as_bytes())
    }

    /// A good line with one column replaced.
    fn with(column: Column, text: &str) -> Result<Shipment, Reason> {
        let mut fields =
            "A1,001565ABCDEF,Yealink,T46S,2024-02-29,SO-1,Acme,agent,Jenne,2024-01-02,2026-02-28,2027-02-28"
                .split(',')
                .collect::<Vec<_>>();
        let quoted = format!("\"{}\"", text.replace('"', "\"\""));
        fields[column as usize] = &quoted;
        read(&(fields.join(",") + "\n"))
    }

    #[test]
    fn a_row_becomes_a_shipment() {
        let s = read(" a1 , 00:15:65:ab:cd:ef ; 001565ABCDF0 |001565abcdf0,Yealink,T46S,2024-02-29,,\"Acme, Inc.\",Service Provider,,,,\n").unwrap();
        assert_eq!(
            (s.serial.as_str(), s.customer.as_deref(), s.channel.as_deref()),
            ("A1", Some("Acme, Inc."), Some("service_provider"))
        );
        assert_eq!(s.macs.iter().map(Mac::to_string).collect::<Vec<_>>(), ["001565ABCDEF", "001565ABCDF0"]);
        assert_eq!((s.order, s.distributor, s.plan_until), (None, None, None));
        assert_eq!(s.ship_date.to_string(), "2024-02-29");
    }

    #[test]
    fn every_reason_to_refuse_a_row() {
        use Column::*;
        for (column, text, says) in [
            (Serial, "", "serial: empty"),
            (Serial, "A 1", "serial: \"A 1\" is not"),
            (Serial, "^XZ~JR", "is not a serial"),
            (Serial, &"9".repeat(41), "is not a serial"),
            (ShipDate, "", "ship_date: empty"),
            (ShipDate, "2024-02-30", "ship_date: \"2024-02-30\" names a day that the calendar does not have"),
            (ShipDate, "2023-02-29", "names a day"),
            (ShipDate, "02/03/2024", "is not a date of the form %Y-%m-%d"),
            (ShipDate, "1970-01-01", "is outside 1990-01-01 to 2100-12-31"),
            (WarrantyUntil, "9999-12-31", "warranty_until: 9999-12-31 is outside"),
            (PurchaseDate, "yesterday", "purchase_date: \"yesterday\" is not"),
            (PlanUntil, "2026-13-01", "plan_until: \"2026-13-01\" names"),
            (Mac, "001565ABCDE", "mac: \"001565ABCDE\" is not"),
            (Mac, "001565ABCDEG", "is not a MAC"),
            (Mac, "001565ABCDEF 001565ABCDF0", "is not a MAC"),
            (Mac, "01005E000001", "01005E000001 is a group address"),
            (Mac, "000000000000", "names no device"),
            (Mac, &(0..9).map(|n| format!("00156500000{n};")).collect::<String>(), "more than 8"),
            (Brand, &"x".repeat(61), "brand: 61 characters, at most 60"),
            (Model, &"x".repeat(81), "model: 81"),
            (Order, &"x".repeat(61), "order: 61"),
            (Customer, &"é".repeat(161), "customer: 161"),
            (Channel, &"x".repeat(41), "channel: 41"),
            (Distributor, &"x".repeat(121), "distributor: 121"),
            (Customer, "Acme\nInc", "customer: holds the control character U+000A"),
            (Brand, "Yea\u{1b}[2Jlink", "U+001B"),
            (Model, "T46\u{85}S", "U+0085"),
        ] {
            let error = with(column, text).unwrap_err().to_string();
            assert!(error.contains(says), "{text:?}: {error}");
        }
        for (line, says) in [
            ("A1,,,,2024-01-01,,,,,,\n", "11 columns where the first line has 12"),
            ("A1,,,,2024-01-01,,,,,,,,\n", "13 columns"),
            ("A1,,,,2024-01-01,,", "the file ends in the middle"),
            ("A1,\"x\n", "never closed"),
            ("A1,\"x\"y,,,2024-01-01,,,,,,,\n", "text follows a closing quote"),
        ] {
            let error = read(line).unwrap_err().to_string();
            assert!(error.contains(says), "{line:?}: {error}");
        }
    }

    #[test]
    fn the_longest_texts_are_kept() {
        for (column, max) in LIMITS {
            assert!(with(column, &"é".repeat(max)).is_ok(), "{column:?}");
        }
        assert_eq!(
            with(Column::Mac, &(0..8).map(|n| format!("00156500000{n}/")).collect::<String>()).unwrap().macs.len(),
            8
        );
        assert_eq!(with(Column::Channel, "Carrier Pigeon").unwrap().channel.as_deref(), Some("Carrier Pigeon"));
        assert_eq!(with(Column::Brand, "\u{a0} \t").unwrap().brand, None);
    }

    #[test]
    fn both_encodings_are_read() {
        let utf8 = "A1,,,,2024-01-01,,Café Zürich – 5€,,,,,\n".as_bytes();
        let cp1252 = b"A1,,,,2024-01-01,,Caf\xE9 Z\xFCrich \x96 5\x80,,,,,\n";
        for (encoding, bytes, want) in [
            ("auto", utf8, Some("Café Zürich – 5€")),
            ("auto", cp1252, Some("Café Zürich – 5€")),
            ("utf-8", utf8, Some("Café Zürich – 5€")),
            ("utf-8", cp1252, None),
            ("windows-1252", cp1252, Some("Café Zürich – 5€")),
        ] {
            let mut map = ImportMap::default();
            map.set_encoding(encoding).unwrap();
            let read = read_with(&map, bytes);
            assert_eq!(read.as_ref().ok().and_then(|s| s.customer.as_deref()), want, "{encoding}: {read:?}");
        }
        // 0x9D has no meaning in Windows-1252.
        assert!(matches!(
            read_with(&ImportMap::default(), b"A1,,,,2024-01-01,,\x9D,,,,,\n"),
            Err(Reason::Control { .. })
        ));
    }

    proptest! {
        #[test]
        fn no_record_panics(line in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut map = ImportMap::default();
            for encoding in ["auto", "utf-8", "windows-1252"] {
                map.set_encoding(encoding).unwrap();
                let mut whole = line.clone();
                whole.extend(b",,,,,,,,,,,\n");
                let _ = read_with(&map, &whole);
            }
        }
    }
}
