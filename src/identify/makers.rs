//! What gives a maker away: the upper half of a MAC address (`ouis.tsv`), and how its serial and part
//! numbers look (`makers.tsv`). Both are data; here they are only looked up.

use super::table::{count, fits, rows};
use crate::domain::mac::Mac;

const OUI_TEXT: &str = include_str!("ouis.tsv");
const OUIS: &[[&str; 3]] = &rows::<{ count(OUI_TEXT) }, 3>(OUI_TEXT);

const MAKER_TEXT: &str = include_str!("makers.tsv");
const MAKERS: &[[&str; 3]] = &rows::<{ count(MAKER_TEXT) }, 3>(MAKER_TEXT);

/// The brand of the maker that the IEEE gave the address's upper 24 bits to, if it is one of ours.
pub fn brand_of(mac: Mac) -> Option<&'static str> {
    brand_of_oui(mac.oui())
}

/// The same of the upper 24 bits alone, as an EUI-64 has them too.
pub fn brand_of_oui(oui: u32) -> Option<&'static str> {
    let hex = format!("{oui:06X}");
    OUIS.binary_search_by_key(&hex.as_str(), |row| row[0]).ok().map(|at| OUIS[at][1])
}

/// The one brand whose serial numbers look like this one (capital letters).
pub fn brand_of_serial(key: &str) -> Option<&'static str> {
    the_one("serial", key)
}

/// The one brand whose part numbers look like this one (capital letters).
pub fn brand_of_part(part: &str) -> Option<&'static str> {
    the_one("part", part)
}

/// Whether this brand prints the MAC address where others print the serial number.
pub fn prints_mac_as_serial(brand: &str) -> bool {
    MAKERS.iter().any(|[name, what, _]| *what == "mac" && *name == brand)
}

fn the_one(what: &str, text: &str) -> Option<&'static str> {
    let mut brands = MAKERS.iter().filter(|row| row[1] == what && fits(row[2], text)).map(|row| row[0]);
    let first = brands.next()?;
    brands.all(|other| other == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_maker_is_found_by_the_upper_half_of_the_address() {
        assert!(OUIS.is_sorted_by(|a, b| a[0] < b[0]), "binary search needs order");
        for (mac, want) in [
            ("00:15:65:00:00:00", Some("Yealink")),
            ("0001A7FFFFFF", Some("Unex")),
            ("F4B688000001", Some("Polycom")),
            ("001FC1ABCDEF", Some("Htek")),
            ("001566000000", None),
        ] {
            assert_eq!(Mac::parse(mac).and_then(brand_of), want, "{mac}");
        }
    }

    #[test]
    fn a_maker_is_found_by_its_numbers_where_no_other_has_such() {
        for (serial, want) in [
            ("20EZ115N308C605F", Some("Grandstream")),
            ("KBEF0001188", Some("Server Technology")),
            ("3146019091637071", Some("Yealink")),
            ("20EZ115N308C605", None),
            ("KBEF000118X", None),
        ] {
            assert_eq!(brand_of_serial(serial), want, "{serial}");
        }
        assert_eq!(brand_of_part("GXP2170"), Some("Grandstream"));
        assert!(prints_mac_as_serial("Polycom") && !prints_mac_as_serial("Yealink"));
    }

    #[test]
    fn every_row_says_something_that_is_asked_for() {
        for [brand, what, picture] in MAKERS {
            assert!(["serial", "mac", "part"].contains(what) && !picture.is_empty(), "{brand} {what}");
        }
        let known: Vec<&str> = OUIS.iter().map(|row| row[1]).collect();
        for [brand, ..] in MAKERS {
            assert!(known.contains(brand), "{brand} is spelt otherwise in ouis.tsv");
        }
    }
}
