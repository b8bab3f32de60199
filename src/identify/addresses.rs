//! Addresses of devices: MAC (EUI-48) and EUI-64, and the port beside.

use super::digits;
use super::makers::{brand_of, brand_of_oui};
use super::parts::branded;
use crate::domain::identity::{Candidate, Kind};
use crate::domain::mac::Mac;

/// How far the port beside an address is trusted: a hint for the store, below every other reading, and
/// never taken without asking.
pub const NEIGHBOUR: u8 = 3;

/// Every address that a whole payload may be.
pub fn read(text: &str) -> Vec<Candidate> {
    let Some(mac) = Mac::parse(text).filter(|m| m.names_a_device()) else { return eui64(text) };
    let spelt = text.len() > 12;
    let lettered = !digits::all(text);
    let brand = brand_of(mac);
    let found = match brand {
        Some(brand) => {
            let confidence = if spelt {
                96
            } else if lettered {
                92
            } else {
                62
            };
            branded(mac, brand, confidence, &format!("12 hex digits, the first half belongs to {brand}"))
        }
        None => {
            let confidence = if spelt {
                93
            } else if lettered {
                72
            } else {
                30
            };
            Candidate::new(Kind::Mac, mac.to_string(), confidence, "12 hex digits, the maker is not known here")
        }
    };
    // Only of one that is an address for certain enough.
    let beside = (found.confidence > 60).then(|| before(mac)).flatten().map(|first| Candidate {
        brand: brand.map(str::to_owned),
        ..Candidate::new(
            Kind::Mac,
            first.to_string(),
            NEIGHBOUR,
            "the address before it: that of the first port, if this is the second one of a device with two",
        )
    });
    [Some(found), beside].into_iter().flatten().collect()
}

/// The address one below, of the same maker's block.
fn before(mac: Mac) -> Option<Mac> {
    let before = mac.as_u64().checked_sub(1).and_then(Mac::from_u64)?;
    (before.oui() == mac.oui() && before.names_a_device()).then_some(before)
}

/// 16 hex digits. One made out of a MAC address has FFFE in its middle, and perhaps the bit turned that
/// says that the address is local (as IPv6 does); then it is that address.
fn eui64(text: &str) -> Vec<Candidate> {
    let Some(value) = sixteen_digits(text) else { return Vec::new() };
    let oui = (value >> 40) as u32;
    let derived = value >> 24 & 0xFFFF == 0xFFFE;
    let brand = brand_of_oui(oui);
    // 16 digits without marks are mostly something else.
    if !derived && text.len() == 16 && (brand.is_none() || digits::all(text)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let low = value & 0xFF_FFFF;
    let turned = oui ^ 0x02_0000;
    for (oui, confidence) in [(oui, 80), (turned, 70)] {
        let mac = Mac::from_u64(u64::from(oui) << 24 | low).filter(|m| derived && m.names_a_device());
        // The turned bit counts only where it makes a maker's address of none.
        let fits = oui != turned || (brand.is_none() && brand_of_oui(turned).is_some());
        if let Some(mac) = mac.filter(|_| fits) {
            let why = "EUI-64 made of a MAC address (FFFE in its middle)";
            let plain = Candidate::new(Kind::Mac, mac.to_string(), confidence, why);
            found.push(Candidate { brand: brand_of(mac).map(str::to_owned), ..plain });
        }
    }
    let whole = Candidate::new(Kind::Serial, format!("{value:016X}"), 55, "EUI-64, a 64-bit address of a device");
    found.push(Candidate { brand: brand.map(str::to_owned), ..whole });
    found
}

/// 16 hex digits, bare or in groups of 2 or 4 with one kind of mark between them.
fn sixteen_digits(text: &str) -> Option<u64> {
    let mark = text.chars().find(|c| !c.is_ascii_hexdigit());
    let groups: Vec<&str> = match mark {
        None => vec![text],
        Some(mark @ (':' | '-' | '.' | ' ')) => text.split(mark).collect(),
        Some(_) => return None,
    };
    let width = groups.first()?.len();
    let even = groups.iter().all(|g| g.len() == width && g.bytes().all(|b| b.is_ascii_hexdigit()));
    (even && matches!((width, groups.len()), (16, 1) | (2, 8) | (4, 4)))
        .then(|| u64::from_str_radix(&groups.concat(), 16).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kinds(text: &str) -> Vec<(Kind, String)> {
        read(text).into_iter().map(|c| (c.kind, c.value)).collect()
    }

    #[test]
    fn a_mac_address_is_trusted_by_its_spelling_and_maker() {
        let mut last = 101;
        for text in
            ["00:15:65:AB:CD:EF", "22:33:44:AB:CD:EF", "001565ABCDEF", "223344ABCDEF", "001565123456", "223344123456"]
        {
            let now = read(text)[0].confidence;
            assert!(now < last, "{text} {now}");
            last = now;
        }
        assert_eq!(read("FF:FF:FF:FF:FF:FF"), []);
    }

    #[test]
    fn the_port_before_is_offered_and_only_just() {
        assert_eq!(kinds("001565ABCDEF"), [(Kind::Mac, "001565ABCDEF".into()), (Kind::Mac, "001565ABCDEE".into())]);
        assert_eq!(read("001565ABCDEF")[1].confidence, NEIGHBOUR);
        // The first of a maker's block has none before it.
        assert_eq!(kinds("001565000000"), [(Kind::Mac, "001565000000".into())]);
    }

    #[test]
    fn a_64_bit_address_gives_the_mac_address_it_was_made_of() {
        use Kind::{Mac, Serial};
        for (text, want) in [
            ("00:15:65:FF:FE:AB:CD:EF", vec![(Mac, "001565ABCDEF"), (Serial, "001565FFFEABCDEF")]),
            ("0015.65ff.feab.cdef", vec![(Mac, "001565ABCDEF"), (Serial, "001565FFFEABCDEF")]),
            ("001565FFFEABCDEF", vec![(Mac, "001565ABCDEF"), (Serial, "001565FFFEABCDEF")]),
            (
                "02-15-65-FF-FE-AB-CD-EF",
                vec![(Mac, "021565ABCDEF"), (Mac, "001565ABCDEF"), (Serial, "021565FFFEABCDEF")],
            ),
            ("00:12:4B:00:01:02:03:04", vec![(Serial, "00124B0001020304")]),
            ("3146019091637071", vec![]),
            ("00124B0001020304", vec![]),
            ("00:15:65:FF:FE:AB:CD:EF:00", vec![]),
            ("00:15-65:FF:FE:AB:CD:EF", vec![]),
        ] {
            let want: Vec<_> = want.into_iter().map(|(k, v)| (k, v.to_owned())).collect();
            assert_eq!(kinds(text), want, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[0-9A-Fa-f:. -]{0,30}|.{0,20}") {
            let _ = read(&text);
        }
    }
}
