//! A payload without an envelope: one datum, and only its form and check digit say which. Several
//! readings are normal here.

use super::own::{self, Rma};
use super::{addresses, digits, makers, symbology};
use crate::domain::identity::{Candidate, Kind};
use crate::domain::mac::Mac;
use crate::domain::text::serial_key;
use crate::scan::Aim;

/// The first two digits of an IMEI: the bodies that give them out (GSMA TS.06, reporting body identifiers).
const IMEI_BODIES: [&str; 15] =
    ["01", "33", "35", "44", "45", "49", "50", "51", "52", "53", "54", "86", "91", "98", "99"];

/// Every reading of `text`, whose ends have no blanks.
pub fn read(text: &str, aim: Option<Aim>) -> Vec<Candidate> {
    let mut found = Vec::new();
    let article = aim.is_some_and(symbology::is_article);
    let rma = own::rma(&text.to_ascii_uppercase());
    if rma == Rma::Ours {
        found.push(Candidate::new(
            Kind::Rma,
            text.to_ascii_uppercase(),
            98,
            "one of our RMA numbers, check character right",
        ));
    }
    found.extend(numbers(text, aim));
    if !article {
        found.extend(addresses::read(text));
    }
    found.extend(serial(text, rma, article));
    found
}

/// Numbers of which the length is a hint and the check digit the test.
fn numbers(text: &str, aim: Option<Aim>) -> Option<Candidate> {
    // As people read them: 4 006381 333931.
    let joined = text.contains(' ').then(|| text.replace(' ', ""));
    let text = joined.as_deref().unwrap_or(text);
    if !digits::all(text) {
        return None;
    }
    if aim.is_some_and(symbology::is_article)
        && let Some((number, right)) = symbology::article(text)
    {
        return Some(if right {
            Candidate::new(Kind::Gtin, number, 97, "EAN or UPC symbol, check digit right")
        } else {
            Candidate::new(Kind::Gtin, number, 50, "EAN or UPC symbol, but the check digit is wrong: scan it again")
        });
    }
    let in_case_symbol = aim.is_some_and(symbology::is_case);
    let gtin = |confidence| {
        let why = format!("{} digits with an article number's check digit", text.len());
        digits::gs1(text).then(|| Candidate::new(Kind::Gtin, text, confidence, why))
    };
    match text.len() {
        8 => gtin(35),
        12 => gtin(55),
        13 => gtin(78),
        14 => gtin(if in_case_symbol { 92 } else { 60 }),
        15 if digits::luhn(text) => {
            let confidence = if text.get(..2).is_some_and(|b| IMEI_BODIES.contains(&b)) { 70 } else { 45 };
            Some(Candidate::new(Kind::Imei, text, confidence, "15 digits with an IMEI's check digit"))
        }
        18 if digits::gs1(text) => {
            Some(Candidate::new(Kind::Sscc, text, 62, "18 digits with a shipping container's check digit"))
        }
        // As with a carrier's numbers: a wrong check digit warns, and does not refuse.
        18 => {
            let right = text.get(..17).and_then(digits::gs1_digit).unwrap_or(0);
            let why = format!("18 digits, but a shipping container's check digit would be {right}: scan it again");
            Some(Candidate::new(Kind::Sscc, text, 21, why))
        }
        _ => None,
    }
}

fn serial(text: &str, rma: Rma, article: bool) -> Option<Candidate> {
    let key = serial_key(text)?;
    let has_digit = key.bytes().any(|b| b.is_ascii_digit());
    let mac = Mac::parse(text);
    let printed_mac = mac.and_then(makers::brand_of).filter(|brand| makers::prints_mac_as_serial(brand));
    let maker = makers::brand_of_serial(&key);
    let (confidence, why) = match rma {
        Rma::Ours => (20, "letters and digits".to_owned()),
        Rma::WrongCheck => {
            (40, "looks like one of our RMA numbers, but its check character is wrong: scan it again".to_owned())
        }
        Rma::NotOurs if article => (5, "digits of an EAN or UPC symbol".to_owned()),
        Rma::NotOurs if text.contains(['-', '.']) && mac.is_some() => (10, "a MAC address as it is printed".to_owned()),
        Rma::NotOurs => match (printed_mac, maker) {
            (Some(brand), _) => (60, format!("{brand} prints its MAC address as the serial number")),
            (_, Some(brand)) => (58, format!("looks as {brand} numbers its units")),
            _ if !has_digit => (25, "a word without digits".to_owned()),
            _ if key.len() < 4 || key.len() > 30 => (20, "unusually short or long for a serial number".to_owned()),
            _ => (50, "letters and digits, as serial numbers are".to_owned()),
        },
    };
    let brand = printed_mac.or(maker).filter(|_| confidence > 50).map(str::to_owned);
    Some(Candidate { brand, ..Candidate::new(Kind::Serial, key, confidence, why) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confidence(text: &str, aim: Option<&[u8; 2]>, kind: Kind) -> Option<u8> {
        let aim = aim.map(|a| Aim { code: a[0], modifier: a[1] });
        read(text, aim).into_iter().find(|c| c.kind == kind).map(|c| c.confidence)
    }

    #[test]
    fn the_check_digit_makes_the_number() {
        for (text, kind) in [
            ("4006381333931", Kind::Gtin),
            ("036000291452", Kind::Gtin),
            ("96385074", Kind::Gtin),
            ("04006381333931", Kind::Gtin),
            ("490154203237518", Kind::Imei),
            ("000123450000000027", Kind::Sscc),
            ("00 0123 4500 0000 0027", Kind::Sscc),
            ("4 006381 333931", Kind::Gtin),
        ] {
            assert!(confidence(text, None, kind).is_some(), "{text}");
            let last = text.as_bytes()[text.len() - 1] - b'0';
            let bad = format!("{}{}", &text[..text.len() - 1], (last + 1) % 10);
            assert!(confidence(&bad, None, kind).is_none_or(|c| c < 25), "{bad}");
            let whole = bad.contains(' ') || confidence(&bad, None, Kind::Serial).is_some();
            assert!(whole, "{bad} is still something");
        }
    }

    #[test]
    fn an_article_symbol_carries_an_article_number() {
        let text = "042100005264";
        assert!(confidence(text, Some(b"E0"), Kind::Gtin) > confidence(text, None, Kind::Gtin));
        assert_eq!(confidence(text, Some(b"E0"), Kind::Mac), None);
        assert!(confidence(text, Some(b"E0"), Kind::Serial) < confidence(text, None, Kind::Serial));
    }

    #[test]
    fn an_rma_number_with_a_wrong_check_character_is_said_to_be_one() {
        let good = format!("R26D100008{}", crate::domain::check37::check_char("R26D100008").unwrap());
        assert_eq!(confidence(&good.to_lowercase(), None, Kind::Rma), Some(98));
        let bad = good.replace("00008", "00009");
        let found = read(&bad, None);
        assert!(found.len() == 1 && found[0].why.contains("check character"), "{found:?}");
    }
}
