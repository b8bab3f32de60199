//! Web addresses: GS1 Digital Links (`https://host/01/GTIN/21/SERIAL`) and makers' pages that carry a
//! unit's data in their query or path.

use super::labels;
use super::parts;
use super::{gs1, makers};
use crate::domain::identity::{Candidate, Kind};
use crate::domain::mac::Mac;
use crate::domain::text::escaped;

/// More pieces of a path or query are not looked at.
const PIECES_MAX: usize = 64;

/// Whether a payload is a web address, told by its scheme.
fn body(text: &str) -> Option<&str> {
    ["https://", "http://"].into_iter().find_map(|scheme| {
        let (head, tail) = text.split_at_checked(scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then_some(tail).filter(|t| !t.is_empty())
    })
}

/// The address itself and each datum found in it; nothing when the payload is no web address.
pub fn read(text: &str) -> Vec<Candidate> {
    let text = text.trim();
    let Some(body) = body(text) else { return Vec::new() };
    let address = body.split('#').next().unwrap_or(body);
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let segments: Vec<String> = path.split('/').skip(1).take(PIECES_MAX).map(decoded).collect();
    let mut found = digital_link(&segments, query);
    for pair in query.split(['&', ';']).filter(|p| !p.is_empty()).take(PIECES_MAX) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        found.extend(labels::keyed(&decoded(key), &decoded(value), "in a web address,").unwrap_or_default());
    }
    if found.is_empty() {
        found = named_segments(&segments);
    }
    found.push(Candidate::new(Kind::Url, escaped(text.as_bytes()), 60, "a web address"));
    found
}

/// GS1 Digital Link, uncompressed: from the last primary key on whose data fits, identifiers and values take
/// turns; the qualifiers that may stand behind the key first, then none. Attributes stand in the query.
fn digital_link(segments: &[String], query: &str) -> Vec<Candidate> {
    // A GTIN may be written with its fewer digits here.
    let full = |ai: &str, data: &str| match data.len() {
        8 | 12 | 13 if ai == "01" => format!("{data:0>14}"),
        _ => data.to_owned(),
    };
    let key = |w: &[String]| gs1::link_keys(&w[0]).is_some() && gs1::fits(&w[0], &full(&w[0], &w[1]));
    let Some(start) = segments.windows(2).rposition(key) else { return Vec::new() };
    let (ai, data) = (&segments[start], &segments[start + 1]);
    let mut found = gs1::element(ai, &full(ai, data)).unwrap_or_default();
    let allowed: Vec<&str> = gs1::link_keys(ai).into_iter().flatten().collect();
    for pair in segments[start + 2..].chunks_exact(2) {
        match gs1::element(&pair[0], &pair[1]) {
            Some(element) if allowed.contains(&pair[0].as_str()) => found.extend(element),
            _ => break,
        }
    }
    let attributes = query.split(['&', ';']).take(PIECES_MAX).filter_map(|pair| pair.split_once('='));
    found.extend(attributes.filter_map(|(ai, data)| gs1::element(ai, &decoded(data))).flatten());
    found
}

/// `/sn/123`, or a piece of the path that is the MAC address of a maker known here.
fn named_segments(segments: &[String]) -> Vec<Candidate> {
    let named = segments.windows(2).filter_map(|w| labels::keyed(&w[0], &w[1], "in a web address,"));
    let macs = segments.iter().filter_map(|s| {
        let mac = Mac::parse(s)?;
        makers::brand_of(mac).map(|brand| vec![parts::branded(mac, brand, 75, "in a web address")])
    });
    named.chain(macs).flatten().collect()
}

/// Percent escapes taken back. What is no UTF-8 then, is left as it was.
fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((&b, tail)) = rest.split_first() {
        let hex = (b == b'%').then(|| tail.get(..2)).flatten().and_then(|h| std::str::from_utf8(h).ok());
        match hex.filter(|h| h.bytes().all(|b| b.is_ascii_hexdigit())).and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(b);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kinds(text: &str) -> Vec<(Kind, String)> {
        let mut found: Vec<_> = read(text).into_iter().map(|c| (c.kind, c.value)).collect();
        if let Some(last) = found.pop() {
            assert_eq!(last.0, Kind::Url);
        }
        found
    }

    #[test]
    fn an_address_gives_the_data_it_carries() {
        use Kind::{Gtin, Mac, Serial};
        for (text, want) in [
            ("https://id.gs1.org/01/04006381333931/21/AB%2F12", vec![(Gtin, "04006381333931"), (Serial, "AB/12")]),
            (
                "HTTPS://example.com/x/01/4006381333931/10/L1/21/S1?17=271231",
                vec![(Gtin, "04006381333931"), (Kind::Unknown, "L1"), (Serial, "S1"), (Kind::Unknown, "271231")],
            ),
            (
                "https://id.gs1.org/01/04006381333931/22/2A/10/L1/21/S1",
                vec![(Gtin, "04006381333931"), (Kind::Unknown, "2A"), (Kind::Unknown, "L1"), (Serial, "S1")],
            ),
            ("https://id.gs1.org/00/000123450000000027", vec![(Kind::Sscc, "000123450000000027")]),
            ("https://id.gs1.org/8003/04006381333931SN9", vec![(Serial, "SN9")]),
            ("https://id.gs1.org/8004/4006381ASSET", vec![(Serial, "4006381ASSET")]),
            ("https://id.gs1.org/8006/040063813339310102/21/S1", vec![(Gtin, "04006381333931"), (Serial, "S1")]),
            ("https://id.gs1.org/8010/4006381P1/8011/77", vec![(Kind::Part, "4006381P1"), (Kind::Unknown, "77")]),
            // A date in a path is no key; what may not stand behind the key ends the link.
            ("https://maker.example/2024/01/15/sn/AB12", vec![(Serial, "AB12")]),
            ("https://id.gs1.org/00/000123450000000027/21/S1", vec![(Kind::Sscc, "000123450000000027")]),
            (
                "http://maker.example/qr?model=&sn=3146019091637071&mac=80:5E:C0:12:34:56",
                vec![(Serial, "3146019091637071"), (Mac, "805EC0123456")],
            ),
            ("https://maker.example/support/sn/AB12", vec![(Serial, "AB12")]),
            ("https://maker.example/805ec0123456", vec![(Mac, "805EC0123456")]),
            ("https://maker.example/", vec![]),
            ("https://maker.example/01/123x", vec![]),
        ] {
            let want: Vec<_> = want.into_iter().map(|(k, v)| (k, v.to_owned())).collect();
            assert_eq!(kinds(text), want, "{text}");
        }
        for no in ["", "https://", "ftp://x/sn/1", "www.example.com", "\u{e9}ttp://"] {
            assert_eq!(read(no), [], "{no}");
        }
    }

    #[test]
    fn percent_escapes_are_taken_back_only_where_they_are_whole() {
        for (text, want) in
            [("a%20b", "a b"), ("100%", "100%"), ("%4", "%4"), ("%+1", "%+1"), ("%FF", "%FF"), ("%C3%A9", "\u{e9}")]
        {
            assert_eq!(decoded(text), want);
        }
    }

    proptest! {
        #[test]
        fn no_address_panics(tail in "[a-z0-9/%?&=#.\u{e9}]{0,50}") {
            let _ = read(&format!("https://{tail}"));
        }
    }
}
