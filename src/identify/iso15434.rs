//! ISO/IEC 15434 envelopes, which two-dimensional symbols use to carry several data in one message:
//! `[)>` RS, then per envelope a two-digit format, GS-separated data, RS, and at the end EOT.
//!
//! Taken as real labels are: the trailer may be missing, the first RS too, and one maker starts
//! `>[)>06`. Taken as scanners send them, too: keyboards and scanner rules put something printable where GS
//! and RS were; what, the place in front of and behind the first format tells. Where they are gone for
//! good, the message says so, and only what cannot be anything else is read.
//!
//! Formats read: 01 (transport), 05 (GS1), 06 (MH10.8.2), 12 (text element identifiers); the data of others
//! are kept as unknown parts.

use super::parts::{self, Claim, SURE};
use super::{carriers, digits, gs1, mh10};
use crate::domain::identity::{Candidate, Kind};
use crate::domain::text::escaped;
use std::borrow::Cow;

const GS: char = '\u{1d}';
const RS: char = '\u{1e}';
const EOT: char = '\u{4}';

/// More data than any label holds in one message are not looked at.
const ELEMENTS_MAX: usize = 200;

/// Every part of the message; nothing when the payload is no such message.
pub fn read(text: &str) -> Vec<Candidate> {
    // In the order of ^BD data the primary message (class 3, country 3, postal code) stands in front.
    // Keyboards have been seen to swallow the third sign.
    let begun = text.split_once("[)>").or_else(|| text.strip_prefix("[)\u{1e}").map(|message| ("", message)));
    let Some((primary, message)) = begun else { return Vec::new() };
    let primary = primary.trim_end_matches('>');
    if !(primary.is_empty()
        || (9..=15).contains(&primary.len()) && primary.bytes().all(|b| b.is_ascii_alphanumeric() || b == b' '))
    {
        return Vec::new();
    }
    let message = separated(message.trim_end_matches(['\r', '\n']));
    let message = message.trim_end_matches(EOT);
    let envelopes = message.trim_matches(RS).split(RS).filter(|e| !e.is_empty());
    envelopes.flat_map(|envelope| self::envelope(envelope, primary)).collect()
}

/// The message with GS and RS where something printable took their place: what stands between `[)>` and
/// the format is RS, the sign behind the format is GS.
fn separated(message: &str) -> Cow<'_, str> {
    let Some(format) = message.find(|c: char| c.is_ascii_digit()).filter(|at| *at <= 2) else {
        return Cow::Borrowed(message);
    };
    let lead = &message[..format];
    let gs = message.get(format + 2..).and_then(|t| t.chars().next()).filter(|c| c.is_ascii_punctuation());
    let lost_gs = gs.filter(|_| !message.contains(GS));
    let lost_rs = lead.chars().next().filter(|c| c.is_ascii_punctuation() && !message.contains(RS));
    if lost_gs.is_none() && lost_rs.is_none() {
        return Cow::Borrowed(message);
    }
    let back = |c| match c {
        c if Some(c) == lost_gs && lost_gs != lost_rs => GS,
        c if Some(c) == lost_rs && lost_gs != lost_rs => RS,
        // One sign for both: an envelope more or less does not matter, for the identifiers stand in front.
        c if Some(c) == lost_gs => GS,
        c => c,
    };
    let body = &message[format..];
    Cow::Owned(std::iter::once(RS).chain(body.chars().map(back)).collect())
}

fn envelope(text: &str, primary: &str) -> Vec<Candidate> {
    let Some((format, data)) = text.split_at_checked(2).filter(|(f, _)| digits::all(f) || *f == "DD") else {
        return parts::read(Claim::Nothing, text, SURE, "ISO 15434 envelope without a format");
    };
    if matches!(format, "05" | "06" | "12") && !data.is_empty() && !data.contains(GS) {
        return lost(format, data);
    }
    let elements: Vec<&str> = match format {
        // 01 carries a two-digit version that ends at the first datum.
        "01" => data.trim_start_matches(GS).get(2..).unwrap_or("").split(GS).take(ELEMENTS_MAX).collect(),
        _ => data.split(GS).filter(|e| !e.is_empty()).take(ELEMENTS_MAX).collect(),
    };
    match format {
        "01" => transport(&elements, primary),
        "05" => elements.iter().flat_map(|e| known(gs1::inside(e), e, "GS1")).collect(),
        "06" => elements.iter().flat_map(|e| known(mh10::inside(e).unwrap_or_default(), e, "MH10.8.2")).collect(),
        "12" | "DD" => elements.iter().flat_map(|e| text_element(e, format)).collect(),
        _ => elements
            .iter()
            .flat_map(|e| parts::read(Claim::Nothing, e, SURE, &format!("ISO 15434 format {format}")))
            .collect(),
    }
}

/// A message whose separators are gone. One datum may still be there; of several only the length of an
/// address and the form of a GTIN are certain.
fn lost(format: &str, data: &str) -> Vec<Candidate> {
    let why = "the separators (GS) of this message were lost on the way: set the scanner to send control characters";
    let mut found = vec![Candidate::new(Kind::Unknown, escaped(data.as_bytes()), 40, why)];
    if format == "05" {
        found.extend(gs1::inside(data));
    }
    let address = data.match_indices("23S").filter_map(|(at, di)| data.get(at + di.len()..at + di.len() + 12));
    let macs = address.flat_map(|mac| parts::read(Claim::Mac, mac, 80, "MH10.8.2 23S, MAC address, separators lost"));
    found.extend(macs.filter(|c| c.kind == Kind::Mac));
    if format == "06" {
        let whole = mh10::inside(data).unwrap_or_default().into_iter().filter(|c| c.kind != Kind::Unknown);
        found.extend(whole.map(|c| Candidate {
            confidence: 35,
            why: format!("{}, if it is the only datum", c.why),
            ..c
        }));
    }
    found
}

/// What was read, or the element itself where nothing was.
fn known(found: Vec<Candidate>, element: &str, what: &str) -> Vec<Candidate> {
    if found.is_empty() { parts::read(Claim::Nothing, element, SURE, &format!("not a {what} element")) } else { found }
}

/// Formats 12 and DD (ATA Spec 2000): `SER 12345`, `PNR 12345`.
fn text_element(element: &str, format: &str) -> Vec<Candidate> {
    let (name, value) = element.split_once(' ').unwrap_or(("", element));
    let claim = match name {
        "SER" | "SEQ" | "UCN" | "USN" => Claim::Serial,
        "PNR" | "PNO" => Claim::Part,
        _ => Claim::Nothing,
    };
    parts::read(claim, value, SURE, &format!("ISO 15434 format {format}, {name}"))
}

/// Format 01, as ANSI MH10.8.3 has it: [postal code, country, class,] tracking number, carrier (SCAC),
/// shipper, day, and more. The part in brackets comes from a scanner that joins MaxiCode's primary message.
fn transport(elements: &[&str], primary: &str) -> Vec<Candidate> {
    let Some(scac) = elements.iter().position(|e| is_scac(e)) else {
        let found: Vec<Candidate> = elements.iter().flat_map(|e| carriers::read(e)).collect();
        let why = "ISO 15434 transport message of a carrier that is not known here";
        let parts = elements.iter().filter(|e| !e.is_empty()).flat_map(|e| parts::read(Claim::Nothing, e, SURE, why));
        return if found.is_empty() { parts.collect() } else { found };
    };
    let at = |i: usize| elements.get(i).copied().unwrap_or("");
    let Some(number) = scac.checked_sub(1).map(at) else { return Vec::new() };
    let (carrier, shipper) = (carrier(at(scac)), at(scac + 1));
    let short = carrier == Some("ups") && number.len() == 10 && number.starts_with("1Z");
    if !short {
        return carriers::named(number, carrier, &format!("transport message of carrier {}", at(scac)));
    }
    let class = if primary.is_empty() { scac.checked_sub(2).map_or("", at) } else { primary.get(..3).unwrap_or("") };
    match carriers::from_maxicode(class, shipper, number) {
        Some(found) => vec![found],
        // Letter services cannot be rebuilt: a part of a number is not passed off as the number.
        None => {
            let why = "package part of a UPS 1Z number whose service the MaxiCode does not give: scan the long barcode";
            parts::read(Claim::Nothing, number, SURE, why)
        }
    }
}

/// A standard carrier alpha code: four capital letters, of the carriers known here.
fn is_scac(text: &str) -> bool {
    text.len() == 4 && text.bytes().all(|b| b.is_ascii_uppercase()) && carrier(text).is_some()
}

fn carrier(scac: &str) -> Option<&'static str> {
    match scac {
        "UPSN" => Some("ups"),
        "USPS" => Some("usps"),
        _ if scac.starts_with("FD") => Some("fedex"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kinds(text: &str) -> Vec<(Kind, String)> {
        read(text).into_iter().map(|c| (c.kind, c.value)).collect()
    }

    #[test]
    fn a_unit_label_gives_each_of_its_parts_however_it_is_wrapped() {
        let parts = "06\u{1d}1PT46U\u{1d}S3146019091637071\u{1d}23S805EC0123456";
        let want = [(Kind::Part, "T46U"), (Kind::Serial, "3146019091637071"), (Kind::Mac, "805EC0123456")]
            .map(|(k, v)| (k, v.to_owned()));
        for text in [
            format!("[)>\u{1e}{parts}\u{1e}\u{4}"),
            format!("[)>\u{1e}{parts}"),
            format!("[)>{parts}\u{4}\r\n"),
            format!(">[)>{parts}"),
            // Ctrl lost on a keyboard; a scanner's rule; one sign for both.
            format!("[)>\u{1e}{parts}\u{1e}\u{4}").replace('\u{1e}', "^").replace('\u{1d}', "]"),
            format!("[)>\u{1e}{parts}\u{1e}").replace('\u{1e}', "@").replace('\u{1d}', "/"),
            format!("[)>{parts}").replace('\u{1d}', "|"),
            format!("[)>\u{1e}{parts}\u{1e}").replace(['\u{1e}', '\u{1d}'], "#"),
        ] {
            assert_eq!(kinds(&text), want, "{text:?}");
        }
    }

    #[test]
    fn a_message_without_its_separators_says_so_and_gives_what_is_certain() {
        let found = read("[)>061PT46US314601909163707123S805EC0123456");
        assert!(found[0].why.contains("were lost") && found[0].confidence == 40, "{found:?}");
        assert!(found.iter().any(|c| c.kind == Kind::Mac && c.value == "805EC0123456"));
        assert!(found.iter().all(|c| c.kind != Kind::Serial), "where the serial ends is not known: {found:?}");
        // The only datum is read, with little trust.
        let found = read("[)>06SAB12");
        assert!(found.iter().any(|c| c.kind == Kind::Serial && c.value == "AB12" && c.confidence < 40));
    }

    #[test]
    fn other_formats_are_read_or_kept() {
        assert_eq!(
            kinds("[)>\u{1e}05\u{1d}0104006381333931\u{1d}21AB12\u{1e}\u{4}"),
            [(Kind::Gtin, "04006381333931".into()), (Kind::Serial, "AB12".into())]
        );
        assert_eq!(
            kinds("[)>\u{1e}12\u{1d}SER AB12\u{1d}PNR T46U\u{1e}"),
            [(Kind::Serial, "AB12".into()), (Kind::Part, "T46U".into())]
        );
        assert_eq!(
            kinds("[)>\u{1e}DD\u{1d}CAG 34JR1\u{1d}PNO 2SJL\u{1d}SEQ 0001\u{1e}\u{4}"),
            [(Kind::Unknown, "34JR1".into()), (Kind::Part, "2SJL".into()), (Kind::Serial, "0001".into())]
        );
        assert_eq!(kinds("[)\u{1e}06\u{1d}SAB12\u{1e}"), [(Kind::Serial, "AB12".into())]);
        assert_eq!(
            kinds("[)>\u{1e}01\u{1d}96123450000\u{1d}222"),
            [(Kind::Unknown, "123450000".into()), (Kind::Unknown, "222".into())]
        );
        assert_eq!(kinds("[)>\u{1e}07\u{1d}free text\u{1e}"), [(Kind::Unknown, "free text".into())]);
        assert_eq!(
            kinds("[)>\u{1e}06\u{1d}SAB12\u{1e}05\u{1d}21CD34\u{1e}\u{4}"),
            [(Kind::Serial, "AB12".into()), (Kind::Serial, "CD34".into())]
        );
        assert_eq!(kinds("[)>\u{1e}06\u{1d}???\u{1e}"), [(Kind::Unknown, "???".into())]);
        for no in ["", "[)", "06\u{1d}S123", "hello [)>06\u{1d}S123"] {
            assert_eq!(kinds(no), [], "{no:?}");
        }
    }

    #[test]
    fn a_maxicode_gives_the_1z_number() {
        let secondary = "1Z12345675\u{1d}UPSN\u{1d}12345E\u{1d}089\u{1d}\u{1d}1/1\u{1d}10\u{1d}Y\u{1d}\u{1d}ANYTOWN\u{1d}CA\u{1e}\u{4}";
        for text in [
            format!("[)>\u{1e}01\u{1d}96841706672\u{1d}840\u{1d}001\u{1d}{secondary}"),
            format!("001840841706672[)>\u{1e}01\u{1d}96{secondary}"),
        ] {
            assert_eq!(kinds(&text), [(Kind::Tracking, "1Z12345E0112345675".into())], "{text:?}");
        }
        // Without the primary message the service is not known.
        let torn = read(&format!("[)>\u{1e}01\u{1d}96{secondary}"));
        assert_eq!((torn[0].kind, torn[0].value.as_str()), (Kind::Unknown, "1Z12345675"));
        assert!(torn[0].why.contains("long barcode"));
    }

    #[test]
    fn other_carriers_transport_messages_give_their_number() {
        let found =
            read("[)>\u{1e}01\u{1d}0238115\u{1d}840\u{1d}05\u{1d}986578788855\u{1d}FDEB\u{1d}123456789\u{1e}\u{4}")
                .remove(0);
        assert_eq!(
            (found.kind, found.value.as_str(), found.carrier.as_deref()),
            (Kind::Tracking, "986578788855", Some("fedex"))
        );
    }

    proptest! {
        #[test]
        fn no_message_panics(text in "([)>\u{1e}\u{1d}\u{4}0-9A-Z \u{e9}]|\\[\\)>){0,60}") {
            let _ = read(&text);
        }
    }
}
