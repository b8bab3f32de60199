//! A shipment file as an office would export it: twelve columns, about 120 bytes a line, any number
//! of rows, the same bytes every time.
//!
//! Promised: every serial and every MAC is used once (up to 16 million rows), every row is one the
//! importer accepts, and neighbours in the file are not neighbours in the index, as in a real export
//! of mixed brands.

use std::io::{self, Write};
use std::ops::Range;

/// Brand, serial prefix, OUI from the IEEE registry, models.
const MAKERS: [(&str, &str, u32, [&str; 4]); 7] = [
    ("Yealink", "31", 0x001565, ["T46S", "T48U", "W73P", "CP920"]),
    ("Yealink", "80", 0x805EC0, ["T54W", "T57W", "T33G", "W76P"]),
    ("Polycom", "PC", 0x0004F2, ["VVX 250", "VVX 350", "VVX 450", "Trio 8500"]),
    ("Polycom", "64", 0x64167F, ["VVX 501", "VVX 601", "CCX 500", "Edge E350"]),
    ("Grandstream", "20EZ", 0x000B82, ["GXP2170", "GXP2135", "HT802", "HT812"]),
    ("Snom", "SN", 0x000413, ["D785", "D735", "D717", "D865"]),
    ("Htek", "HT", 0x001FC1, ["UC926", "UC924", "UC902", "UC923U"]),
];

/// Gateways have a second address on their LAN side.
const SECOND_OUI: u32 = 0xC074AD;

const CHANNELS: [&str; 5] = ["reseller", "agent", "direct", "service_provider", "distributor"];
const DISTRIBUTORS: [&str; 6] = ["888VoIP", "Jenne", "Teledynamics", "ABP Tech", "NetXUSA", "IPitomy"];

/// Column names in file order; the ones the importer expects by default.
const HEADER: &str =
    "serial,mac,brand,model,ship_date,order,customer,channel,distributor,purchase_date,warranty_until,plan_until";

/// One office, one generator: all files of a bench are parts of the same endless list.
const SEED: u64 = 4;

/// Writes a header and the lines of `rows`, with LF ends. Errors are those of `out`.
pub fn write(rows: Range<u64>, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{HEADER}")?;
    rows.into_iter().try_for_each(|row| write_row(row, SEED, out))
}

/// Serial and first MAC of the unit in row `row`.
pub fn unit(row: u64) -> (String, String) {
    let mut line = Vec::new();
    // Writing to memory does not fail.
    let _ = write_row(row, SEED, &mut line);
    let line = String::from_utf8_lossy(&line);
    let mut fields = line.split(',');
    let (serial, macs) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
    (serial.to_owned(), macs.split(';').next().unwrap_or_default().to_owned())
}

/// The line for row number `row` (from 0).
fn write_row(row: u64, seed: u64, out: &mut impl Write) -> io::Result<()> {
    let (brand, prefix, oui, models) = &MAKERS[(row % 7) as usize];
    let dice = mix(row ^ mix(seed));
    let model = models[(dice & 3) as usize];
    // Odd factors permute their power of two and 1,000,003 has no factor in common with 10^8, so
    // these run through every value once.
    let tail = (row / 7).wrapping_mul(0x9E_3779) & 0xFF_FFFF;
    let number = row.wrapping_mul(1_000_003).wrapping_add(mix(seed) % 100_000_000) % 100_000_000;
    // 2022-01-01 and the four years after it.
    let shipped = 18_993 + (dice >> 4) % 1_500;
    let (customer, order) = ((dice >> 16) % 4_000, 400_000 + row / 9);
    let [channel, distributor] = [(dice >> 32) % 5, (dice >> 40) % 6];

    write!(out, "{prefix}{number:08}{:02},{oui:06X}{tail:06X}", row % 97)?;
    if (dice >> 48).is_multiple_of(50) {
        write!(out, ";{SECOND_OUI:06X}{:06X}", row.wrapping_mul(0x9E_3779) & 0xFF_FFFF)?;
    }
    write!(out, ",{brand},{model},{},SO-{order}", day(shipped))?;
    write!(out, ",C{customer:04} {} Telecom", TOWNS[(customer % 8) as usize])?;
    write!(out, ",{},{}", CHANNELS[channel as usize], DISTRIBUTORS[distributor as usize])?;
    write!(out, ",{}", day(shipped - 20 - (dice >> 50) % 60))?;
    match (dice >> 56) % 10 {
        0 => writeln!(out, ",{},{}", day(shipped + 730), day(shipped + 1095)),
        1..=5 => writeln!(out, ",{},", day(shipped + 730)),
        _ => writeln!(out, ",,"),
    }
}

const TOWNS: [&str; 8] = ["Albany", "Boise", "Camden", "Dover", "Eugene", "Fresno", "Gary", "Helena"];

/// SplitMix64: a well mixed 64-bit number from a counter.
fn mix(n: u64) -> u64 {
    let mut z = n.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// `YYYY-MM-DD` of a count of days since 1970-01-01.
fn day(days: u64) -> String {
    let (mut year, mut left) = (1970, days);
    let leap = |y: u64| y.is_multiple_of(4) && (!y.is_multiple_of(100) || y.is_multiple_of(400));
    while left >= 365 + u64::from(leap(year)) {
        left -= 365 + u64::from(leap(year));
        year += 1;
    }
    let mut month = 0;
    for length in [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    format!("{year}-{:02}-{:02}", month + 1, left + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mac::Mac;
    use crate::domain::text::serial_key;
    use std::collections::HashSet;

    #[test]
    fn every_unit_is_one_of_its_own_and_can_be_scanned() {
        let (mut serials, mut macs) = (HashSet::new(), HashSet::new());
        for row in (0..20_000).chain(9_990_000..10_000_000) {
            let (serial, mac) = unit(row);
            assert_eq!(serial_key(&serial).as_deref(), Some(serial.as_str()));
            assert!(Mac::parse(&mac).is_some(), "{mac}");
            assert!(serials.insert(serial) && macs.insert(mac), "row {row}");
        }
    }

    #[test]
    fn parts_of_the_list_fit_together() {
        let part = |rows| {
            let mut out = Vec::new();
            write(rows, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let (all, head, tail) = (part(0..50), part(0..20), part(20..50));
        assert_eq!(all, head.clone() + tail.split_once('\n').unwrap().1);
        assert_eq!(all.lines().count(), 51);
        assert!(all.lines().nth(8).unwrap().starts_with(&unit(7).0));
        assert_eq!(day(19_782), "2024-02-29");
    }
}
