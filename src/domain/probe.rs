//! The barcodes of the scanner test page: what `backdock doctor scanner` asks for, one of each kind that comes
//! over a returns dock. `label` draws them, `scan::exam` knows them again, however a scanner mangles them.
//!
//! No two may be taken for each other, whole or in part: each is recognised by its characters alone.

/// One barcode of the page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Probe {
    /// Stands beside it on the page; the last one ends the examination.
    pub number: u8,
    /// The symbology as scanners' manuals name it.
    pub name: &'static str,
    /// The code characters that its AIM symbology identifier (ISO/IEC 15424) may have: the last one is drawn twice.
    pub aim: &'static str,
    /// What it carries, separators as control characters.
    pub data: &'static str,
    /// What some scanners make of it by their settings, and the name of that.
    pub also: &'static [(&'static str, Altered)],
}

/// What a scanner did to the digits of a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Altered {
    /// The check digit is not sent.
    CheckDigit,
    /// A leading zero is not sent.
    LeadingZero,
    /// A UPC-A number with a zero in front, as EAN-13: the same number.
    AsEan13,
}

/// The page. Every layout of keyboards has all characters of the first one, and no two layouts have them on the
/// same keys. The numbers are GS1's own examples.
pub const PROBES: [Probe; 11] = [
    plain(1, "Code 128", "C", "BackDock-1/aqwyzm:;#@&\\"),
    plain(2, "Code 39", "A", "BACKDOCK-2"),
    Probe { also: &[("3061414100041", Altered::CheckDigit)], ..plain(3, "Interleaved 2 of 5", "I", "30614141000419") },
    Probe { also: &[("950600013435", Altered::CheckDigit)], ..plain(4, "EAN-13", "E", "9506000134352") },
    Probe {
        also: &[
            ("0012345678905", Altered::AsEan13),
            ("12345678905", Altered::LeadingZero),
            ("01234567890", Altered::CheckDigit),
            ("1234567890", Altered::LeadingZero),
        ],
        ..plain(5, "UPC-A", "E", "012345678905")
    },
    plain(6, "GS1-128", "C", "21BACKDOCK6\u{1d}10A1"),
    plain(7, "Data Matrix", "d", "[)>\u{1e}06\u{1d}SBACKDOCK7\u{1d}Q1\u{1e}\u{4}"),
    plain(8, "GS1 Data Matrix", "d", "010952123454321321BACKDOCK8\u{1d}10A1"),
    plain(9, "QR Code", "Q", "SN:BACKDOCK9;MAC:001122334455"),
    plain(10, "PDF417", "L", "BACKDOCK-10"),
    plain(11, "Code 128", "CQ", "BACKDOCK-DONE"),
];

/// The barcode that ends the examination: in the symbology that every dock's scanner must read anyway.
pub const LAST: Probe = PROBES[PROBES.len() - 1];

const fn plain(number: u8, name: &'static str, aim: &'static str, data: &'static str) -> Probe {
    Probe { number, name, aim, data, also: &[] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_barcode_of_the_page_is_part_of_another() {
        let all =
            || PROBES.iter().flat_map(|p| p.also.iter().map(|(d, _)| *d).chain([p.data]).map(move |d| (p.number, d)));
        for (a, one) in all() {
            for (b, other) in all() {
                assert!(a == b || !other.contains(one), "{a} in {b}");
            }
        }
        assert!(PROBES.iter().zip(1..).all(|(p, n)| p.number == n));
    }
}
