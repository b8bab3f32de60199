//! Which maker a MAC address gives away. Source: the IEEE registry of MA-L assignments, the rows of the
//! makers whose units come to a dock; where a maker was bought or owns several names, the brand on the unit.

use crate::domain::mac::Mac;

/// The brand of the maker that the IEEE gave the address's upper 24 bits to, if it is one of ours.
pub fn brand_of(mac: Mac) -> Option<&'static str> {
    OUIS.binary_search_by_key(&mac.oui(), |row| row.0).ok().and_then(|at| OUIS.get(at)).map(|row| row.1)
}

/// Sorted by number.
#[rustfmt::skip]
const OUIS: &[(u32, &str)] = &[
    (0x00_01A7, "Unex"),
    (0x00_0389, "Polycom"),
    (0x00_0413, "Snom"),
    (0x00_04F2, "Polycom"),
    (0x00_0A9C, "Server Technology"),
    (0x00_0B82, "Grandstream"),
    (0x00_0D5D, "Raritan"),
    (0x00_10A7, "Unex"),
    (0x00_1565, "Yealink"),
    (0x00_197F, "Polycom"),
    (0x00_1FC1, "Htek"),
    (0x00_237F, "Polycom"),
    (0x00_E0DB, "Polycom"),
    (0x0C_E0E4, "Polycom"),
    (0x14_4CFF, "Grandstream"),
    (0x1C_7126, "Snom"),
    (0x24_9AD8, "Yealink"),
    (0x34_97D7, "Yealink"),
    (0x38_5C76, "Polycom"),
    (0x44_DBD2, "Yealink"),
    (0x48_2567, "Polycom"),
    (0x48_C1AC, "Polycom"),
    (0x64_167F, "Polycom"),
    (0x64_4F56, "Yealink"),
    (0x80_5E0C, "Yealink"),
    (0x80_5EC0, "Yealink"),
    (0x8C_9B2D, "Polycom"),
    (0xB0_61A9, "Yealink"),
    (0xBC_F292, "Polycom"),
    (0xC0_74AD, "Grandstream"),
    (0xC4_FC22, "Yealink"),
    (0xE4_22A5, "Polycom"),
    (0xEC_1DA9, "Yealink"),
    (0xEC_74D7, "Grandstream"),
    (0xF0_1653, "Yealink"),
    (0xF4_B688, "Polycom"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_maker_is_found_by_the_upper_half_of_the_address() {
        assert!(OUIS.is_sorted_by(|a, b| a.0 < b.0), "binary search needs order");
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
}
