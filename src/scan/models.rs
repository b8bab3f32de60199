//! Scanners by their USB numbers. A device is a row: what a vendor and product id say of a scanner is
//! said here and nowhere else, and the udev rules are checked against this table.
//!
//! Sources: the USB ID repository (usb.ids 2025.07.26); the modes of Zebra/Symbol, Datalogic, Honeywell
//! and Newland from their product reference guides. Left out of the list, as no scanners: mobile computers
//! (0536:01a0, 05e0:2000, 05e0:200d, 067e:1001), a wireless card (05e0:0800), a Citizen printer (1d90:2037).
//! Scanners often change their product id with their mode, so a row is a scanner in a mode; where the id does
//! not say it, the mode is `Unstated`.

/// How a scanner talks on USB.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Types like a keyboard.
    Keyboard,
    /// A serial port: CDC-ACM or a vendor's COM emulation.
    Serial,
    /// HID point-of-sale reports (usage page 0x8C).
    HidPos,
    /// IBM hand-held or table-top point-of-sale reports.
    Ibm,
    /// Zebra's own SNAPI protocol.
    Snapi,
    /// The numbers do not say.
    Unstated,
}

impl Mode {
    /// What the operator does to use a scanner that is in this mode; `None` where nothing is to be done.
    pub fn advice(self) -> Option<&'static str> {
        match self {
            Mode::Serial | Mode::Keyboard | Mode::HidPos | Mode::Unstated => None,
            Mode::Ibm => Some(
                "IBM's own protocol is not read here: scan the barcode \"USB HID POS\" (or \"USB serial\", CDC) in its manual",
            ),
            Mode::Snapi => Some(
                "SNAPI needs the maker's own library: scan the barcode \"USB HID POS\" or \"USB CDC host\" in its product reference guide",
            ),
        }
    }
}

/// One scanner in one mode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Model {
    pub vendor_id: u16,
    pub product_id: u16,
    pub maker: &'static str,
    pub name: &'static str,
    pub mode: Mode,
}

/// The row of a device, if it is a scanner known by number.
pub fn model(vendor_id: u16, product_id: u16) -> Option<&'static Model> {
    let at = MODELS.binary_search_by_key(&(vendor_id, product_id), |m| (m.vendor_id, m.product_id));
    at.ok().and_then(|at| MODELS.get(at))
}

/// Feature reports (id, data) that a maker's HID POS scanners want once before they send anything.
/// Honeywell (also under Metrologic's and Hand Held Products' numbers): report 254 = 1.
pub fn features(vendor_id: u16) -> &'static [(u8, &'static [u8])] {
    match vendor_id {
        0x0c2e | 0x0536 => &[(254, &[1])],
        _ => &[],
    }
}

/// What lets a serial scanner of this maker beep once: BEL, which most take; Honeywell wants it as a command,
/// SYN BEL CR.
pub fn beep(vendor_id: u16) -> &'static [u8] {
    match vendor_id {
        0x0c2e | 0x0536 => b"\x16\x07\r",
        _ => b"\x07",
    }
}

/// Makers of label printers that speak ZPL, by vendor id; every printer of theirs counts.
pub const PRINTER_MAKERS: &[(u16, &str)] = &[(0x0a5f, "Zebra")];

/// The maker of a vendor id that sells scanners under it and little else, so that a product id unknown
/// here is still likely to be a scanner.
pub fn scanner_maker(vendor_id: u16) -> Option<&'static str> {
    // These sell chips, computers or mice as well: only their listed products are scanners.
    let mixed = matches!(vendor_id, 0x03f0 | 0x040b | 0x0416 | 0x04b4 | 0x0581 | 0x13ba | 0x24ae);
    MODELS.iter().find(|m| m.vendor_id == vendor_id && !mixed).map(|m| m.maker)
}

const fn row(vendor_id: u16, product_id: u16, maker: &'static str, name: &'static str, mode: Mode) -> Model {
    Model { vendor_id, product_id, maker, name, mode }
}

/// Every model, sorted by its numbers.
#[rustfmt::skip]
pub const MODELS: &[Model] = &[
    row(0x03f0, 0x0139, "HP", "Barcode Scanner 4430", Mode::Unstated),
    row(0x03f0, 0x1d24, "HP", "Barcode scanner", Mode::Unstated),
    row(0x040b, 0x6510, "Weltrend", "Weltrend Bar Code Reader", Mode::Unstated),
    row(0x0416, 0xc141, "Winbond", "Barcode Scanner", Mode::Unstated),
    row(0x04b4, 0xbca1, "Cypress", "Barcode Reader", Mode::Unstated),
    row(0x04b4, 0xde61, "Cypress", "Barcode Reader", Mode::Unstated),
    row(0x04b4, 0xde64, "Cypress", "Barcode Reader", Mode::Unstated),
    row(0x0536, 0x01ca, "Honeywell (Hand Held Products)", "IT4800 Area Imager", Mode::Unstated),
    row(0x0581, 0x0107, "Tera", "Barcode Scanner 2.4 GHz Receiver", Mode::Unstated),
    row(0x0581, 0x020c, "Tera", "2D Barcode Scanner EVHK0012", Mode::Unstated),
    row(0x05e0, 0x0600, "Zebra (Symbol)", "Bar Code Scanner", Mode::Serial),
    row(0x05e0, 0x0700, "Zebra (Symbol)", "Bar Code Scanner (CS1504)", Mode::Unstated),
    row(0x05e0, 0x1200, "Zebra (Symbol)", "Bar Code Scanner", Mode::Keyboard),
    row(0x05e0, 0x1300, "Zebra (Symbol)", "Bar Code Scanner", Mode::Ibm),
    row(0x05e0, 0x1400, "Zebra (Symbol)", "Bar Code Scanner", Mode::Ibm),
    row(0x05e0, 0x1701, "Zebra (Symbol)", "Bar Code Scanner", Mode::Serial),
    row(0x05e0, 0x1900, "Zebra (Symbol)", "SNAPI Imaging Device", Mode::Snapi),
    row(0x05e0, 0x1a00, "Zebra (Symbol)", "CS4070 Barcode Scanner", Mode::Unstated),
    row(0x05f9, 0x1104, "Datalogic (PSC)", "Magellan 2200VS", Mode::Unstated),
    row(0x05f9, 0x1206, "Datalogic (PSC)", "Gryphon series", Mode::Ibm),
    row(0x05f9, 0x120c, "Datalogic (PSC)", "Gryphon GD4430-BK", Mode::Unstated),
    row(0x05f9, 0x2202, "Datalogic (PSC)", "Point of Sale Handheld Scanner", Mode::Unstated),
    row(0x05f9, 0x2206, "Datalogic (PSC)", "Gryphon series", Mode::Keyboard),
    row(0x05f9, 0x220c, "Datalogic (PSC)", "Gryphon GD4430", Mode::Keyboard),
    row(0x05f9, 0x2601, "Datalogic (PSC)", "Magellan 1000i Barcode Scanner", Mode::Unstated),
    row(0x05f9, 0x2602, "Datalogic (PSC)", "Magellan 1100i Barcode Scanner", Mode::Unstated),
    row(0x05f9, 0x4204, "Datalogic (PSC)", "Gryphon series", Mode::Serial),
    row(0x05f9, 0x5204, "Datalogic (PSC)", "Gryphon GFS4170 (config mode)", Mode::Unstated),
    row(0x067e, 0x0801, "Honeywell (Intermec)", "Barcode scanner", Mode::Keyboard),
    row(0x067e, 0x0803, "Honeywell (Intermec)", "Barcode scanner", Mode::Serial),
    row(0x067e, 0x0805, "Honeywell (Intermec)", "Barcode scanner", Mode::Serial),
    row(0x080c, 0x0300, "Datalogic", "Gryphon D120 Barcode Scanner", Mode::Unstated),
    row(0x080c, 0x0400, "Datalogic", "Gryphon D120 Barcode Scanner", Mode::Unstated),
    row(0x080c, 0x0500, "Datalogic", "Gryphon D120 Barcode Scanner", Mode::Unstated),
    row(0x080c, 0x0600, "Datalogic", "Gryphon M100 Barcode Scanner", Mode::Unstated),
    row(0x0c2e, 0x0007, "Honeywell (Metrologic)", "MS7120 Barcode Scanner", Mode::Ibm),
    row(0x0c2e, 0x0200, "Honeywell (Metrologic)", "MS7120 Barcode Scanner", Mode::Unstated),
    row(0x0c2e, 0x0204, "Honeywell (Metrologic)", "MS7120 Barcode Scanner", Mode::Keyboard),
    row(0x0c2e, 0x0206, "Honeywell (Metrologic)", "MS4980 Barcode Scanner", Mode::Unstated),
    row(0x0c2e, 0x0700, "Honeywell (Metrologic)", "MS7120 Barcode Scanner", Mode::Serial),
    row(0x0c2e, 0x0720, "Honeywell (Metrologic)", "MS7120 Barcode Scanner", Mode::Serial),
    row(0x0c2e, 0x0a64, "Honeywell (Metrologic)", "Stratos 2700", Mode::Unstated),
    row(0x0c2e, 0x0b61, "Honeywell (Metrologic)", "Vuquest 3310g", Mode::Unstated),
    row(0x0c2e, 0x0b6a, "Honeywell (Metrologic)", "Vuquest 3310 Area-Imaging Scanner", Mode::Unstated),
    row(0x0c2e, 0x0b81, "Honeywell (Metrologic)", "Barcode scanner Voyager 1400g Series", Mode::Unstated),
    row(0x0db5, 0x0139, "Access IS", "Barcode Module", Mode::Serial),
    row(0x0db5, 0x013a, "Access IS", "Barcode Module", Mode::Keyboard),
    row(0x0db5, 0x013b, "Access IS", "Barcode Module", Mode::Unstated),
    row(0x13ba, 0x0018, "PCPlay", "Barcode PCP-BCG4209", Mode::Unstated),
    row(0x1eab, 0x0103, "Newland", "HR200", Mode::Keyboard),
    row(0x1eab, 0x0106, "Newland", "HR200", Mode::Serial),
    row(0x1eab, 0x0110, "Newland", "HR200", Mode::HidPos),
    row(0x1eab, 0x0c03, "Newland", "HR100/HR3260 cordless/HR3290 cordless/BS80", Mode::Keyboard),
    row(0x1eab, 0x0c06, "Newland", "HR100/HR3260 cordless/HR3290 cordless/BS80", Mode::Serial),
    row(0x1eab, 0x0c10, "Newland", "HR100/HR3260 cordless/HR3290 cordless/BS80", Mode::HidPos),
    row(0x1eab, 0x0d03, "Newland", "EM2028", Mode::Keyboard),
    row(0x1eab, 0x0d06, "Newland", "EM2028", Mode::Serial),
    row(0x1eab, 0x0d10, "Newland", "EM2028", Mode::HidPos),
    row(0x1eab, 0x1303, "Newland", "EM30xx/EM20xx/HR3260 corded/HR200C", Mode::Keyboard),
    row(0x1eab, 0x1306, "Newland", "EM30xx/EM20xx/HR3260 corded/HR200C", Mode::Serial),
    row(0x1eab, 0x1310, "Newland", "EM30xx/EM20xx/HR3260 corded/HR200C", Mode::HidPos),
    row(0x1eab, 0x1403, "Newland", "HR15-xx", Mode::Keyboard),
    row(0x1eab, 0x1406, "Newland", "HR15-xx", Mode::Serial),
    row(0x1eab, 0x1410, "Newland", "HR15-xx", Mode::HidPos),
    row(0x1eab, 0x1603, "Newland", "FM100-M/3250", Mode::Keyboard),
    row(0x1eab, 0x1606, "Newland", "FM100-M/3250", Mode::Serial),
    row(0x1eab, 0x1610, "Newland", "FM100-M/3250", Mode::HidPos),
    row(0x1eab, 0x1903, "Newland", "EM1300", Mode::Keyboard),
    row(0x1eab, 0x1906, "Newland", "EM1300", Mode::Serial),
    row(0x1eab, 0x1910, "Newland", "EM1300", Mode::HidPos),
    row(0x1eab, 0x1a03, "Newland", "HR3290 corded/HR22", Mode::Keyboard),
    row(0x1eab, 0x1a06, "Newland", "HR3290 corded/HR22", Mode::Serial),
    row(0x1eab, 0x1a10, "Newland", "HR3290 corded/HR22", Mode::HidPos),
    row(0x1eab, 0x1c03, "Newland", "HR2150", Mode::Keyboard),
    row(0x1eab, 0x1c06, "Newland", "HR2150", Mode::Serial),
    row(0x1eab, 0x1c10, "Newland", "HR2150", Mode::HidPos),
    row(0x1eab, 0x1d03, "Newland", "FM430", Mode::Keyboard),
    row(0x1eab, 0x1d06, "Newland", "FM430", Mode::Serial),
    row(0x1eab, 0x1d10, "Newland", "FM430", Mode::HidPos),
    row(0x1eab, 0x1e03, "Newland", "HR42", Mode::Keyboard),
    row(0x1eab, 0x1e06, "Newland", "HR42", Mode::Serial),
    row(0x1eab, 0x1e10, "Newland", "HR42", Mode::HidPos),
    row(0x1eab, 0x1f03, "Newland", "HR11+", Mode::Keyboard),
    row(0x1eab, 0x1f06, "Newland", "HR11+", Mode::Serial),
    row(0x1eab, 0x1f10, "Newland", "HR11+", Mode::HidPos),
    row(0x1eab, 0x2003, "Newland", "EM2037v2", Mode::Keyboard),
    row(0x1eab, 0x2006, "Newland", "EM2037v2", Mode::Serial),
    row(0x1eab, 0x2010, "Newland", "EM2037v2", Mode::HidPos),
    row(0x1eab, 0x8003, "Newland", "EM13x5-LD/HR15-70/HR100-70/HR12/HR1150-70", Mode::Keyboard),
    row(0x1eab, 0x8006, "Newland", "EM13x5-LD/HR15-70/HR100-70/HR12/HR1150-70", Mode::Serial),
    row(0x1eab, 0x8010, "Newland", "EM13x5-LD/HR15-70/HR100-70/HR12/HR1150-70", Mode::HidPos),
    row(0x1eab, 0x8203, "Newland", "EM3080-01/EM3095/FR20/FM30", Mode::Keyboard),
    row(0x1eab, 0x8206, "Newland", "EM3080-01/EM3095/FR20/FM30", Mode::Serial),
    row(0x1eab, 0x8210, "Newland", "EM3080-01/EM3095/FR20/FM30", Mode::HidPos),
    row(0x1eab, 0x8303, "Newland", "HR2160", Mode::Keyboard),
    row(0x1eab, 0x8306, "Newland", "HR2160", Mode::Serial),
    row(0x1eab, 0x8310, "Newland", "HR2160", Mode::HidPos),
    row(0x24ae, 0x0197, "Rapoo", "meva Barcode Scanner", Mode::Unstated),
    row(0x24ea, 0x0197, "Meva", "Barcode Scanner", Mode::Unstated),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_without_doubles() {
        assert!(MODELS.is_sorted_by(|a, b| (a.vendor_id, a.product_id) < (b.vendor_id, b.product_id)));
        assert!(MODELS.iter().all(|m| !m.maker.is_empty() && !m.name.is_empty()));
    }

    #[test]
    fn a_row_is_found_by_its_numbers() {
        for (ids, mode) in [
            ((0x05e0, 0x1200), Mode::Keyboard),
            ((0x05e0, 0x1701), Mode::Serial),
            ((0x05e0, 0x1900), Mode::Snapi),
            ((0x05f9, 0x4204), Mode::Serial),
            ((0x0c2e, 0x0204), Mode::Keyboard),
            ((0x0c2e, 0x0720), Mode::Serial),
            ((0x0c2e, 0x0007), Mode::Ibm),
            ((0x1eab, 0x0c06), Mode::Serial),
            ((0x1eab, 0x0c10), Mode::HidPos),
        ] {
            assert_eq!(model(ids.0, ids.1).map(|m| m.mode), Some(mode), "{ids:04x?}");
        }
        assert_eq!(model(0x05e0, 0x0800), None, "a wireless card of a scanner's maker is no scanner");
        assert_eq!(scanner_maker(0x1eab), Some("Newland"));
        assert_eq!(scanner_maker(0x04b4), None, "a chip maker's other products are no scanners");
    }

    #[test]
    fn only_a_mode_that_cannot_be_read_needs_a_barcode_of_the_maker() {
        assert!([Mode::Serial, Mode::Keyboard, Mode::HidPos, Mode::Unstated].iter().all(|m| m.advice().is_none()));
        assert!([Mode::Ibm, Mode::Snapi].iter().all(|m| m.advice().is_some_and(|a| a.contains("USB HID POS"))));
    }
}
