//! MAC addresses (IEEE 802, EUI-48). Makers print them with `:`, `-`, `.`, blanks or nothing, in
//! either case; two spellings of one address are one address (C-03).

use std::fmt;

/// A 48-bit MAC address. Displays as 12 upper-case hex digits without separators, the canonical form
/// in tables, JSON and on labels.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mac(u64);

impl Mac {
    /// Reads `text` in any spelling: exactly 12 hex digits, with separators (`:`, `-`, `.`, blank)
    /// of one kind only between groups of equal length 2, 4 or 6. `None` for anything else.
    pub fn parse(text: &str) -> Option<Mac> {
        let text = text.trim();
        // 12 digits plus at most 5 separators.
        if text.len() < 12 || text.len() > 17 || !text.is_ascii() {
            return None;
        }
        let mut value = 0u64;
        let (mut digits, mut separator, mut group, mut width) = (0u32, None, 0u32, None);
        for b in text.bytes() {
            match (b as char).to_digit(16) {
                Some(d) => {
                    value = value << 4 | u64::from(d);
                    digits += 1;
                    group += 1;
                }
                None => {
                    let same = *separator.get_or_insert(b) == b && *width.get_or_insert(group) == group;
                    if !matches!(b, b':' | b'-' | b'.' | b' ') || !same || group == 0 {
                        return None;
                    }
                    group = 0;
                }
            }
            if digits > 12 {
                return None;
            }
        }
        let even = width.is_none_or(|w| matches!(w, 2 | 4 | 6) && group == w);
        (digits == 12 && even).then_some(Mac(value))
    }

    /// From the number itself; the upper 16 bits must be zero.
    pub fn from_u64(value: u64) -> Option<Mac> {
        (value < 1 << 48).then_some(Mac(value))
    }

    /// The address as a number, the form it is stored and compared in.
    pub fn as_u64(self) -> u64 {
        self.0
    }

    /// The organisationally unique identifier: the upper 24 bits, which the IEEE gives to a maker.
    pub fn oui(self) -> u32 {
        (self.0 >> 24) as u32
    }

    /// A group address (multicast, broadcast) or all zeros never names one device.
    pub fn names_a_device(self) -> bool {
        self.0 != 0 && (self.0 >> 40) & 1 == 0
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012X}", self.0)
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mac({self})")
    }
}

impl serde::Serialize for Mac {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Mac {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Mac, D::Error> {
        let text = String::deserialize(d)?;
        Mac::parse(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("{text:?} is not a MAC address (12 hex digits)")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_the_same_address() {
        let want = Mac::parse("001565ABCDEF");
        assert!(want.is_some());
        for s in [
            "00:15:65:ab:cd:ef",
            "00-15-65-AB-CD-EF",
            "0015.65ab.cdef",
            "001565-abcdef",
            "00 15 65 AB CD EF",
            " 001565abcdef ",
        ] {
            assert_eq!(Mac::parse(s), want, "{s}");
        }
    }

    #[test]
    fn near_misses_are_not_addresses() {
        for s in [
            "",
            "001565ABCDE",
            "001565ABCDEF0",
            "00:15:65:ab:cd:eg",
            "00:15-65:ab:cd:ef",
            "0:01565ABCDEF",
            "00:15:65:ab:cdef",
            ":001565ABCDEF",
            "001565ABCDEF:",
            "00::1565ABCDEF",
            "001-565-ABC-DEF",
        ] {
            assert_eq!(Mac::parse(s), None, "{s}");
        }
    }

    #[test]
    fn a_group_address_names_no_device() {
        assert!(!Mac(0xFFFF_FFFF_FFFF).names_a_device());
        assert!(!Mac(0).names_a_device());
        assert!(Mac(0x0015_65AB_CDEF).names_a_device());
    }
}
