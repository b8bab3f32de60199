//! Makers' labels whose data names itself: `SN: 123`, `S/N 123`, `MAC=00:15:65...`, several of them in one
//! QR code, JSON objects, and lists that only separate (`serial,MAC,model`).

use super::parts::{self, Claim};
use super::{oui, own};
use crate::domain::identity::{Candidate, Kind};
use crate::domain::mac::Mac;
use crate::domain::text::serial_key;

/// A label with more parts is not one.
const PARTS_MAX: usize = 64;

/// A key printed by a maker is nearly a fact.
const KEYED: u8 = 94;

/// Every part that names itself, or of a list that carries a MAC address.
pub fn read(text: &str) -> Vec<Candidate> {
    if text.trim_start().starts_with('{') {
        return json(text);
    }
    let pieces: Vec<&str> = text
        .split(['\n', '\r', '\t', ';', ',', '|', '\u{1d}', '\u{1e}'])
        .map(str::trim)
        .filter(|p| !p.is_empty())
        .take(PARTS_MAX)
        .collect();
    let pairs: Vec<Vec<Candidate>> = pieces.iter().filter_map(|p| pair(p)).collect();
    if !pairs.is_empty() {
        return pairs.into_iter().flatten().collect();
    }
    if pieces.len() > 1 { list(&pieces) } else { Vec::new() }
}

/// What a value is called: a key of a label, of a JSON object, of a URL's query. Letters and digits count.
pub fn claim(key: &str) -> Option<Claim> {
    let key: String = key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    Some(match key.as_str() {
        "SN" | "SNO" | "SERIAL" | "SERIALNO" | "SERIALNUM" | "SERIALNUMBER" | "SER" => Claim::Serial,
        "MAC" | "MACID" | "MACADDR" | "MACADDRESS" | "ETHERNETMAC" | "LANMAC" | "WLANMAC" | "WIFIMAC" | "ETHMAC" => {
            Claim::Mac
        }
        "PN" | "PART" | "PARTNO" | "PARTNUMBER" | "MODEL" | "MODELNO" | "MODELNUMBER" | "SKU" | "ITEM" | "MPN"
        | "PID" => Claim::Part,
        "IMEI" | "IMEI1" | "IMEI2" | "MEID" => Claim::Imei,
        "EAN" | "UPC" | "GTIN" => Claim::Gtin,
        "SSCC" => Claim::Sscc,
        "RMA" | "RMANO" | "RMANUMBER" | "ATTNRMA" | "RA" => Claim::Rma,
        "TRACKING" | "TRACKINGNO" | "TRACKINGNUMBER" | "TRK" => Claim::Tracking,
        "URL" => Claim::Url,
        _ => return None,
    })
}

/// One value with its key; `None` when the key is not known.
pub fn keyed(key: &str, value: &str, place: &str) -> Option<Vec<Candidate>> {
    let why = format!("{place} \"{}\"", key.trim());
    let value = value.trim();
    let claim = claim(key).filter(|_| !value.is_empty() && key.len() <= 30)?;
    let mut found = parts::read(claim, value, KEYED, &why);
    if claim == Claim::Rma && own::rma(&value.to_ascii_uppercase()) == own::Rma::Ours {
        found.iter_mut().for_each(|c| c.confidence = 98);
    }
    Some(found)
}

/// `key: value`, `key=value`, or `key value` and `key# value` with a key that is known.
fn pair(piece: &str) -> Option<Vec<Candidate>> {
    // The earliest mark, for the value may have marks of its own (a MAC address). Blanks come last: behind
    // the last one ("MAC Address 0015..."), else behind the first one ("MAC 00 15 65...").
    let splits = [piece.find([':', '=', '#']), piece.rfind(' '), piece.find(' ')];
    splits.into_iter().flatten().find_map(|at| {
        let (key, value) = piece.split_at_checked(at)?;
        keyed(key, value.trim_start_matches([':', '=', '#', ' ', '.']), "labelled")
    })
}

/// The fields of a JSON object, and of objects directly inside it.
fn json(text: &str) -> Vec<Candidate> {
    let Ok(serde_json::Value::Object(object)) = serde_json::from_str(text) else { return Vec::new() };
    let mut found = Vec::new();
    let field = |key: &str, value: &serde_json::Value, found: &mut Vec<Candidate>| {
        let value = match value {
            serde_json::Value::String(s) => s.clone(),
            serde_json::Value::Number(n) => n.to_string(),
            _ => return,
        };
        found.extend(keyed(key, &value, "JSON field").unwrap_or_default());
    };
    for (key, value) in object.iter().take(PARTS_MAX) {
        match value {
            serde_json::Value::Object(inner) => inner.iter().take(PARTS_MAX).for_each(|(k, v)| field(k, v, &mut found)),
            value => field(key, value, &mut found),
        }
    }
    found
}

/// Data without keys. A MAC address among them shows that this is a unit's label; which of the others
/// is the serial number only their form tells.
fn list(pieces: &[&str]) -> Vec<Candidate> {
    let mac = |piece: &&str| Mac::parse(piece).filter(|m| m.names_a_device());
    if !pieces.iter().any(|p| mac(p).is_some()) {
        return Vec::new();
    }
    let part = |piece: &&str| match mac(piece) {
        Some(mac) => match oui::brand_of(mac) {
            Some(brand) => Some(parts::branded(mac, brand, 88, "in a list of data")),
            None => Some(Candidate::new(Kind::Mac, mac.to_string(), 75, "in a list of data")),
        },
        None => {
            let key = serial_key(piece)?;
            let digits = key.bytes().filter(u8::is_ascii_digit).count();
            let (kind, trust) = if key.len() >= 8 && digits >= 4 { (Kind::Serial, 70) } else { (Kind::Part, 40) };
            Some(Candidate::new(kind, key, trust, "in a list beside a MAC address"))
        }
    };
    pieces.iter().filter_map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kinds(text: &str) -> Vec<(Kind, String)> {
        read(text).into_iter().map(|c| (c.kind, c.value)).collect()
    }

    #[test]
    fn labels_that_name_their_data() {
        use Kind::{Gtin, Imei, Mac, Part, Rma, Serial, Tracking};
        for (text, want) in [
            ("SN: ab12", vec![(Serial, "AB12")]),
            ("S/N:AB12", vec![(Serial, "AB12")]),
            ("S/N AB12", vec![(Serial, "AB12")]),
            ("Serial No.: AB12", vec![(Serial, "AB12")]),
            ("Serial Number AB12", vec![(Serial, "AB12")]),
            ("MAC:00:15:65:ab:cd:ef", vec![(Mac, "001565ABCDEF")]),
            ("MAC 001565ABCDEF", vec![(Mac, "001565ABCDEF")]),
            ("MAC Address 001565ABCDEF", vec![(Mac, "001565ABCDEF")]),
            ("RMA# 12345", vec![(Rma, "12345")]),
            ("RMA # 12345", vec![(Rma, "12345")]),
            ("ATTN: RMA 12345", vec![(Rma, "12345")]),
            ("MAC 00 15 65 AB CD EF", vec![(Mac, "001565ABCDEF")]),
            ("ATTN RMA: 12345", vec![(Rma, "12345")]),
            (
                "Model: T46U\r\nSN: 3146019091637071\r\nMAC: 80-5E-C0-12-34-56\r\n",
                vec![(Part, "T46U"), (Serial, "3146019091637071"), (Mac, "805EC0123456")],
            ),
            (
                "pn=GXP2170;sn=20EZ1;mac=000B82ABCDEF;ean=4006381333931",
                vec![(Part, "GXP2170"), (Serial, "20EZ1"), (Mac, "000B82ABCDEF"), (Gtin, "4006381333931")],
            ),
            ("IMEI:490154203237518,SN:X9", vec![(Imei, "490154203237518"), (Serial, "X9")]),
            ("Tracking: 1Z999AA10123456784", vec![(Tracking, "1Z999AA10123456784")]),
            (r#"{"sn":"AB12","info":{"mac":"001565ABCDEF"},"qty":1}"#, vec![(Serial, "AB12"), (Mac, "001565ABCDEF")]),
            (
                "3146019091637071,805EC0123456,T46U",
                vec![(Serial, "3146019091637071"), (Mac, "805EC0123456"), (Part, "T46U")],
            ),
            ("colour: red", vec![]),
            ("one,two", vec![]),
            ("SN:", vec![]),
            ("{", vec![]),
            ("", vec![]),
        ] {
            let want: Vec<_> = want.into_iter().map(|(k, v)| (k, v.to_owned())).collect();
            assert_eq!(kinds(text), want, "{text:?}");
        }
    }

    #[test]
    fn a_serial_number_that_is_a_mac_address_is_both() {
        assert_eq!(
            kinds("SN:0004F2ABCDEF"),
            [(Kind::Serial, "0004F2ABCDEF".into()), (Kind::Mac, "0004F2ABCDEF".into())]
        );
    }

    proptest! {
        #[test]
        fn no_label_panics(text in "([SNMAC/:=#,; {}\"0-9a-f]|\u{e9}|MAC|SN){0,40}") {
            let _ = read(&text);
        }
    }
}
