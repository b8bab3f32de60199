//! Makers' labels whose data names itself: `SN: 123`, `S/N 123`, `MAC=00:15:65...`, several of them in one
//! QR code, JSON objects, and lists that only separate (`serial,MAC,model`).

use super::parts::{self, Claim};
use super::{makers, own};
use crate::domain::identity::{Candidate, Kind};
use crate::domain::mac::Mac;
use crate::domain::text::{escaped, serial_key};

/// A label with more parts is not one.
const PARTS_MAX: usize = 64;

/// Longest name of a part, in bytes.
const KEY_MAX: usize = 30;

/// Objects in objects that are looked into.
const JSON_DEPTH: usize = 4;

/// A key printed by a maker is nearly a fact.
const KEYED: u8 = 94;

/// Signs between the parts of a label.
const BETWEEN: [char; 8] = ['\n', '\r', '\t', ';', ',', '|', '\u{1d}', '\u{1e}'];

/// Every part that names itself, or of a list that carries a MAC address.
pub fn read(text: &str) -> Vec<Candidate> {
    let text = text.trim_start();
    let bare;
    let text = match text.starts_with(['{', '[']).then(|| serde_json::from_str(text)) {
        Some(Ok(value)) => return json(&value),
        // What only looks like JSON: its brackets and quotes say nothing.
        Some(Err(_)) => {
            bare = text.replace(['{', '}', '[', ']', '"', '\''], " ");
            bare.as_str()
        }
        None => text,
    };
    let pieces: Vec<&str> = text.split(BETWEEN).map(str::trim).filter(|p| !p.is_empty()).take(PARTS_MAX).collect();
    let pairs: Vec<Option<Vec<Candidate>>> = pieces.iter().map(|piece| pairs(piece)).collect();
    if pairs.iter().any(Option::is_some) {
        let parts = pieces.iter().zip(pairs).map(|(piece, found)| found.unwrap_or_else(|| other(piece)));
        return parts.flatten().collect();
    }
    match pieces.as_slice() {
        [] => Vec::new(),
        [one] => {
            let words: Vec<&str> = one.split([' ', '/', '*', '$', '&']).filter(|w| !w.is_empty()).collect();
            if (2..=8).contains(&words.len()) { list(&words) } else { Vec::new() }
        }
        pieces => list(pieces),
    }
}

/// A part with a name that says nothing here, beside others with names that do.
fn other(piece: &str) -> Vec<Candidate> {
    match piece.split_once([':', '=']) {
        Some((key, value)) if !value.trim().is_empty() && key.len() <= KEY_MAX => {
            parts::read(Claim::Nothing, value, KEYED, &format!("labelled \"{}\"", escaped(key.trim().as_bytes())))
        }
        _ => parts::read(Claim::Nothing, piece, KEYED, "a part without a name"),
    }
}

/// What a value is called: a key of a label, of a JSON object, of a URL's query. Letters and digits count.
pub fn claim(key: &str) -> Option<Claim> {
    let key: String = key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    Some(match key.as_str() {
        "SN" | "SNO" | "SERIAL" | "SERIALNO" | "SERIALNUM" | "SERIALNUMBER" | "SER" | "SERNO" | "DEVICESN"
        | "PRODUCTSN" | "UNITSN" | "DEVICESERIAL" | "DEVICESERIALNUMBER" | "SERIENNUMMER" | "SERIENNR" | "NSERIE"
        | "NUMERODESERIE" | "NOSERIE" => Claim::Serial,
        "MAC" | "MAC1" | "MAC2" | "MACID" | "MACNO" | "MACADD" | "MACADDR" | "MACADDRESS" | "ETHERNETMAC"
        | "LANMAC" | "WANMAC" | "WLANMAC" | "WIFIMAC" | "ETHMAC" | "BTMAC" | "BLEMAC" | "DEVICEMAC" | "MACETH0"
        | "MACETH1" => Claim::Mac,
        "PN" | "PNO" | "PART" | "PARTNO" | "PARTNUM" | "PARTNUMBER" | "MODEL" | "MODELNO" | "MODELNUMBER"
        | "MODELNAME" | "PRODUCTMODEL" | "DEVICEMODEL" | "MD" | "SKU" | "ITEM" | "ITEMNO" | "MPN" | "PM" | "PID" => {
            Claim::Part
        }
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
    let value = value.trim().trim_matches(['"', '\'']);
    let claim = claim(key).filter(|_| !value.is_empty() && key.len() <= KEY_MAX)?;
    let mut found = parts::read(claim, value, KEYED, &why);
    // Other print behind the datum.
    if let ([Candidate { kind: Kind::Unknown, .. }], Some((first, _))) = (found.as_slice(), value.split_once(' ')) {
        let why = format!("{why}, its first word");
        let word = parts::read(claim, first, KEYED - 20, &why);
        found = if word.iter().all(|c| c.kind == Kind::Unknown) { found } else { word };
    }
    if claim == Claim::Rma && own::rma(&value.to_ascii_uppercase()) == own::Rma::Ours {
        found.iter_mut().for_each(|c| c.confidence = 98);
    }
    Some(found)
}

/// `key: value`, `key=value`, `key# value`, several of them with nothing but blanks between; or one
/// `key value` with a key that is known.
fn pairs(piece: &str) -> Option<Vec<Candidate>> {
    let marks: Vec<(usize, usize)> = piece
        .match_indices([':', '=', '#'])
        .filter_map(|(at, mark)| {
            let before = &piece[..at];
            Some((key_before(before).or_else(|| other_key_before(before))?, at + mark.len()))
        })
        .take(PARTS_MAX)
        .collect();
    let key_of = |(key, value): &(usize, usize)| piece.get(*key..*value - 1).unwrap_or("");
    if marks.iter().any(|mark| claim(key_of(mark)).is_some()) {
        let ends = marks.iter().skip(1).map(|(key, _)| *key).chain([piece.len()]);
        let read = |(mark, end): (&(usize, usize), usize)| {
            let value = piece.get(mark.1..end)?.trim().trim_start_matches([':', '=', '#', ' ', '.']);
            let key = key_of(mark);
            let unknown = || other(&format!("{key}:{value}"));
            Some(keyed(key, value, "labelled").unwrap_or_else(|| if value.is_empty() { Vec::new() } else { unknown() }))
        };
        let found: Vec<Candidate> = marks.iter().zip(ends).filter_map(read).flatten().collect();
        return found.iter().any(|c| c.kind != Kind::Unknown || c.why.contains("labelled")).then_some(found);
    }
    // Behind the last blank ("MAC Address 0015..."), else behind the first one ("MAC 00 15 65...").
    [piece.rfind(' '), piece.find(' ')].into_iter().flatten().find_map(|at| {
        let (key, value) = piece.split_at_checked(at)?;
        keyed(key, value.trim_start_matches([' ', '.']), "labelled")
    })
}

/// Where a word begins that ends with `text` and may be a name that says nothing here; no two hexadecimal
/// digits, for those are the beginning of an address.
fn other_key_before(text: &str) -> Option<usize> {
    let at = text.rfind(' ').map_or(0, |blank| blank + 1);
    let word = &text[at..];
    let named = (2..=KEY_MAX).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_alphabetic());
    (named && !(word.len() == 2 && word.bytes().all(|b| b.is_ascii_hexdigit()))).then_some(at)
}

/// Where a known key begins that ends with `text`: its last three words, or fewer of them.
fn key_before(text: &str) -> Option<usize> {
    let text = text.trim_end();
    let starts = text.rmatch_indices(' ').map(|(at, _)| at + 1).take(3);
    let mut places: Vec<usize> = starts.collect();
    if places.len() < 3 {
        places.push(0);
    }
    // The longest that is known: "Serial No" before "No".
    places.into_iter().rev().find(|at| claim(&text[*at..]).is_some())
}

/// The fields of a JSON value, down to objects inside its objects.
fn json(value: &serde_json::Value) -> Vec<Candidate> {
    let mut found = Vec::new();
    fields("", value, JSON_DEPTH, &mut found);
    // An object of which no field is known is no label.
    if found.iter().all(|c: &Candidate| c.kind == Kind::Unknown) { Vec::new() } else { found }
}

fn fields(key: &str, value: &serde_json::Value, depth: usize, found: &mut Vec<Candidate>) {
    use serde_json::Value::{Array, Bool, Null, Number, Object, String};
    if found.len() >= PARTS_MAX {
        return;
    }
    let text = match value {
        Object(object) if depth > 0 => return object.iter().for_each(|(key, v)| fields(key, v, depth - 1, found)),
        Array(list) if depth > 0 => return list.iter().for_each(|v| fields(key, v, depth - 1, found)),
        String(text) => text.clone(),
        Number(number) => number.to_string(),
        Object(_) | Array(_) | Bool(_) | Null => return,
    };
    let unknown = || {
        let why = format!("JSON field \"{}\"", escaped(key.as_bytes()));
        if text.trim().is_empty() { Vec::new() } else { parts::read(Claim::Nothing, &text, KEYED, &why) }
    };
    found.extend(keyed(key, &text, "JSON field").unwrap_or_else(unknown));
}

/// Data without keys. A MAC address among them shows that this is a unit's label; which of the others
/// is the serial number only their form tells.
fn list(pieces: &[&str]) -> Vec<Candidate> {
    let mac = |piece: &&str| Mac::parse(piece).filter(|m| m.names_a_device());
    if !pieces.iter().any(|p| mac(p).is_some()) {
        return Vec::new();
    }
    let part = |piece: &&str| match mac(piece) {
        Some(mac) => match makers::brand_of(mac) {
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
        use Kind::{Gtin, Imei, Mac, Part, Rma, Serial, Tracking, Unknown};
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
            (
                r#"{"sn":"AB12","info":{"mac":"001565ABCDEF"},"qty":1}"#,
                vec![(Serial, "AB12"), (Mac, "001565ABCDEF"), (Unknown, "1")],
            ),
            (r#"[{"sn":"AB12"},{"sn":"AB13"}]"#, vec![(Serial, "AB12"), (Serial, "AB13")]),
            ("{sn:'AB12', mac:001565ABCDEF}", vec![(Serial, "AB12"), (Mac, "001565ABCDEF")]),
            ("SN:AB12;Colour:red;Made here", vec![(Serial, "AB12"), (Unknown, "red"), (Unknown, "Made here")]),
            (
                "Grandstream GXP2170 MAC: C0:74:AD:8C:60:5F S/N: 20EZ115N308C605F",
                vec![(Mac, "C074AD8C605F"), (Serial, "20EZ115N308C605F")],
            ),
            ("SN: AB12 Made here", vec![(Serial, "AB12")]),
            (
                "QTY:10 PN:SMD-1% PO:327/7 MPN:0603",
                vec![(Unknown, "10"), (Part, "SMD-1%"), (Unknown, "327/7"), (Part, "0603")],
            ),
            ("MAC: AC:8C:60:00:15:65 Rev: B", vec![(Mac, "AC8C60001565"), (Unknown, "B")]),
            ("805EC0123456 3146019091637071", vec![(Mac, "805EC0123456"), (Serial, "3146019091637071")]),
            (
                "T46U/805EC0123456/3146019091637071",
                vec![(Part, "T46U"), (Mac, "805EC0123456"), (Serial, "3146019091637071")],
            ),
            (r#"{"colour":"red"}"#, vec![]),
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
