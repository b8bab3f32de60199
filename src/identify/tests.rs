//! The whole room: which reading comes first, in which step.

use super::*;
use crate::domain::check37;
use proptest::prelude::*;

fn look(raw: &str, step: Step) -> Vec<Candidate> {
    let pattern = |text: &str| text.len() == 8 && text.starts_with("77") && text.bytes().all(|b| b.is_ascii_digit());
    identify(&Scan::decode(raw.as_bytes().to_vec()), &Context { step, prefix: "", rma_pattern: &pattern })
}

fn first(raw: &str, step: Step) -> (Kind, String) {
    let best = look(raw, step).remove(0);
    (best.kind, best.value)
}

fn kinds(raw: &str, step: Step) -> Vec<Kind> {
    look(raw, step).into_iter().map(|c| c.kind).collect()
}

#[test]
fn the_step_decides_between_readings() {
    use Kind::{Gtin, Imei, Mac, Rma, Serial, Sscc, Tracking};
    for (raw, any, boxed, unit) in [
        // An address with letters is an address everywhere.
        ("001565ABCDEF", Mac, Mac, Mac),
        // All digits, a known maker's, and right by FedEx's check digit.
        ("001565000001", Mac, Mac, Mac),
        ("000413000012", Mac, Tracking, Mac),
        ("986578788855", Tracking, Tracking, Serial),
        ("568283610012734", Tracking, Tracking, Serial),
        ("490154203237518", Imei, Imei, Imei),
        ("1Z999AA10123456784", Tracking, Tracking, Tracking),
        ("1Z12345E8791315509", Tracking, Tracking, Serial),
        ("000123450000000027", Sscc, Sscc, Serial),
        ("00000123450000000027", Sscc, Sscc, Sscc),
        ("4006381333931", Gtin, Gtin, Serial),
        ("]E04006381333931", Gtin, Gtin, Gtin),
        ("77123456", Rma, Rma, Serial),
        ("3146019091637071", Serial, Serial, Serial),
        ("S3146019091", Serial, Serial, Serial),
    ] {
        let got = [Step::Any, Step::Box, Step::Unit].map(|step| first(raw, step).0);
        assert_eq!(got, [any, boxed, unit], "{raw}");
    }
}

#[test]
fn twelve_hex_digits_are_an_address_and_a_serial_number() {
    for raw in ["0004F2ABCDEF", "001FC1ABCDEF", "0004f2abcdef"] {
        let found = look(raw, Step::Unit);
        let both: Vec<(Kind, &str)> = found.iter().map(|c| (c.kind, c.value.as_str())).collect();
        let upper = raw.to_uppercase();
        let beside = upper.replace("CDEF", "CDEE");
        assert_eq!(both, [(Kind::Mac, &*upper), (Kind::Serial, &*upper), (Kind::Mac, &*beside)]);
        assert!(found[0].brand.is_some());
    }
}

#[test]
fn in_the_unit_step_a_serial_inside_a_composite_comes_first() {
    for (raw, serial) in [
        ("]d2010400638133393121AB12", "AB12"),
        ("MAC: 80:5E:C0:12:34:56\nModel: T46U\nSN: AB12", "AB12"),
        ("[)>\u{1e}06\u{1d}23S805EC0123456\u{1d}1PT46U\u{1d}SAB12\u{1e}\u{4}", "AB12"),
        ("https://maker.example/q?mac=805EC0123456&sn=AB12", "AB12"),
        ("https://id.example/01/04006381333931/21/AB12", "AB12"),
        (r#"{"mac":"805EC0123456","sn":"AB12"}"#, "AB12"),
    ] {
        assert_eq!(first(raw, Step::Unit), (Kind::Serial, serial.into()), "{raw}");
        assert!(look(raw, Step::Unit).len() >= 2, "{raw}");
    }
}

#[test]
fn in_the_box_step_tracking_and_rma_numbers_come_first() {
    for (raw, kind, value) in [
        ("SN: AB12; RMA: 4711", Kind::Rma, "4711"),
        ("SN=AB12,Tracking=1Z999AA10123456784", Kind::Tracking, "1Z999AA10123456784"),
        ("]C14201028200009261290113185417468510", Kind::Tracking, "9261290113185417468510"),
        ("]C19611020987654312345672", Kind::Tracking, "9611020987654312345672"),
        ("]C100000123450000000027", Kind::Sscc, "000123450000000027"),
        (
            "[)>\u{1e}01\u{1d}96841706672\u{1d}840\u{1d}001\u{1d}1Z12345675\u{1d}UPSN\u{1d}12345E\u{1d}089\u{1e}\u{4}",
            Kind::Tracking,
            "1Z12345E0112345675",
        ),
    ] {
        assert_eq!(first(raw, Step::Box), (kind, value.into()), "{raw}");
    }
}

#[test]
fn our_own_words_are_nothing_else_and_need_their_prefix() {
    for (raw, kind, value) in
        [("done", Kind::Command, "DONE"), ("No", Kind::Answer, "NO"), ("BADGEb7", Kind::Badge, "B7")]
    {
        for step in [Step::Any, Step::Box, Step::Unit] {
            let found = look(raw, step);
            assert_eq!(
                (found.len(), found[0].kind, found[0].value.as_str(), found[0].confidence),
                (1, kind, value, 100)
            );
        }
    }
    let context = Context { step: Step::Any, prefix: "ZZ", rma_pattern: &|_| false };
    let kind = |raw: &str| identify(&Scan::decode(raw.into()), &context)[0].kind;
    assert_eq!((kind("zzDONE"), kind("DONE")), (Kind::Command, Kind::Serial));
    // The symbology identifier is no part of the payload.
    assert_eq!(first("]C0DONE", Step::Any), (Kind::Command, "DONE".into()));
}

#[test]
fn our_rma_numbers_are_known_in_every_step() {
    let number = format!("R26D100008{}", check37::check_char("R26D100008").unwrap());
    for step in [Step::Any, Step::Box, Step::Unit] {
        assert_eq!(first(&number.to_lowercase(), step), (Kind::Rma, number.clone()));
    }
    assert_eq!(first(&format!("RMA# {number}"), Step::Unit), (Kind::Rma, number));
}

#[test]
fn the_symbology_identifier_helps_where_the_scanner_sends_it() {
    assert_eq!(kinds("]C021AB12345678", Step::Any), [Kind::Serial]);
    assert_eq!(first("]C121AB12345678", Step::Any), (Kind::Serial, "AB12345678".into()));
    assert_eq!(first("]d1(01)04006381333931(21)AB12", Step::Any), (Kind::Serial, "AB12".into()), "printed in full");
    assert_eq!(first("]E0986578788855", Step::Box).0, Kind::Gtin, "an article's symbol is no tracking number");
}

#[test]
fn a_data_identifier_in_front_is_a_hint_beside_the_whole() {
    let values: Vec<String> = look("S3146019091", Step::Unit).into_iter().map(|c| c.value).collect();
    assert_eq!(values, ["S3146019091", "3146019091"]);
    assert_eq!(first("23S001565ABCDEF", Step::Any), (Kind::Mac, "001565ABCDEF".into()));
    assert_eq!(first("1PT46U", Step::Any), (Kind::Part, "T46U".into()));
}

/// One in ten numbers of another kind has the right check digit: both readings stand, and the step decides.
#[test]
fn numbers_that_two_families_claim_are_both() {
    use Kind::{Gtin, Imei, Tracking};
    let both = (0..100_000u64).map(|n| format!("49015420{n:06}")).find_map(|body| {
        let imei = (0..10).map(|d| format!("{body}{d}")).find(|t| digits::luhn(t))?;
        digits::ends_right(&imei, digits::fedex15_digit).then_some(imei)
    });
    let both = both.expect("one in ten");
    assert!(kinds(&both, Step::Any).starts_with(&[Imei, Tracking]), "{both}");
    let both = (0..100_000u64).map(|n| format!("03600{n:06}")).find_map(|body| {
        let upc = format!("{body}{}", digits::gs1_digit(&body)?);
        digits::ends_right(&upc, digits::fedex12_digit).then_some(upc)
    });
    let both = both.expect("one in ten");
    assert_eq!(first(&both, Step::Box).0, Tracking, "{both}");
    assert!(kinds(&both, Step::Any).contains(&Gtin) && kinds(&both, Step::Any).contains(&Tracking), "{both}");
    // A USPS number that FedEx's check passes too, both said.
    let found = look("4201028200009261290113185417468510", Step::Box);
    let carriers: Vec<&str> = found.iter().filter_map(|c| c.carrier.as_deref()).collect();
    assert!(carriers.starts_with(&["usps"]) && carriers.contains(&"fedex"), "{found:?}");
}

#[test]
fn a_setup_barcode_is_named_and_no_serial_number() {
    for raw in ["@FACDEF", "#SETUPE1", "TERMID124.", "$CSNRM01", "%%SpecCode92", "^#SC^303FFF0"] {
        for step in [Step::Any, Step::Box, Step::Unit] {
            let found = look(raw, step);
            assert!(found[0].kind == Kind::Unknown && found[0].why.contains("setup barcode"), "{raw}: {found:?}");
            assert!(found[1..].iter().all(|c| c.confidence <= 25), "{raw}: {found:?}");
        }
    }
}

#[test]
fn keys_for_a_keyboard_are_named_and_no_datum() {
    let found = look("\u{12}\u{1b}cmd", Step::Unit);
    assert_eq!((found.len(), found[0].kind), (1, Kind::Unknown));
    assert!(found[0].why.contains("Ctrl+R, Esc"), "{found:?}");
    // Inside a label that is otherwise read, they make a part that is not believed.
    let found = look("SN:AB\u{12}12;MAC:001565ABCDEF", Step::Unit);
    assert!(found.iter().all(|c| c.kind != Kind::Serial) && found[0].kind == Kind::Mac, "{found:?}");
}

#[test]
fn a_payload_as_large_as_a_symbol_can_be_gives_a_bounded_answer() {
    for one in ["7", "A", "SN:A;", "(21)A", "[)>", "\u{1d}21A", "%41", "{", "https://a/", "+A1/S", "\\x1d", "\u{e9}"] {
        let raw = one.repeat(7_000 / one.len());
        let found = look(&raw, Step::Unit);
        assert!((1..=CANDIDATES_MAX).contains(&found.len()), "{one}");
        // No more text than the payload itself, escaped, and the words for people.
        let said: usize = found.iter().map(|c| c.value.len() + c.why.len()).sum();
        assert!(said <= 4 * raw.len() + CANDIDATES_MAX * 500, "{one}: {said}");
    }
}

#[test]
fn the_encoding_of_a_label_does_not_hide_its_data() {
    let wide = |text: &str| text.bytes().flat_map(|b| [b, 0]).collect::<Vec<u8>>();
    for raw in [
        [b"\xFF\xFE".as_slice(), &wide("SN:AB12")].concat(),
        wide("SN:AB12"),
        b"\xEF\xBB\xBFSN:AB12".to_vec(),
        b"\x90\xBB\x91\xA2\x94\xD4\x8D\x86;SN:AB12".to_vec(),
        b"Ger\xE4t;SN:AB12".to_vec(),
        b"]Q2\\000020\x90\xBB\x91\xA2;SN:AB12".to_vec(),
    ] {
        let context = Context { step: Step::Unit, prefix: "", rma_pattern: &|_| false };
        let best = identify(&Scan::decode(raw.clone()), &context).remove(0);
        assert_eq!((best.kind, best.value.as_str()), (Kind::Serial, "AB12"), "{raw:?}");
    }
}

#[test]
fn payloads_for_phones_are_named() {
    for (raw, what) in [
        ("MECARD:N:Doe,John;TEL:5550100;;", "contact"),
        ("BEGIN:VCARD\r\nN:Doe\r\nEND:VCARD", "contact"),
        ("WIFI:T:WPA;S:net;P:secret;;", "wireless"),
    ] {
        let found = look(raw, Step::Unit);
        assert!(found[0].kind == Kind::Unknown && found[0].why.contains(what), "{raw}: {found:?}");
    }
    // One that carries a unit's datum all the same.
    assert_eq!(first("MECARD:N:Phone;SN:AB12;;", Step::Unit), (Kind::Serial, "AB12".into()));
}

#[test]
fn separators_come_back_however_they_were_spelt() {
    for raw in [
        "[)><RS>06<GS>1PT46U<GS>SAB12<RS><EOT>",
        "[)>{RS}06{GS}1PT46U{GS}SAB12{RS}{EOT}",
        "[)>^06]1PT46U]SAB12^",
        "[)>\u{241e}06\u{241d}1PT46U\u{241d}SAB12\u{241e}\u{2404}",
        "]d2010400638133393110L7<GS>21AB12",
        "0104006381333931{FNC1}10L7[GS]21AB12",
    ] {
        assert_eq!(first(raw, Step::Unit), (Kind::Serial, "AB12".into()), "{raw}");
    }
}

#[test]
fn nothing_is_dropped() {
    for raw in
        ["", " ", "\u{1d}", "^XA^XZ", "~JR", "two words", "\u{e9}\u{e8}", "<script>", "'; DROP TABLE unit;--", "\0\0"]
    {
        let found = look(raw, Step::Any);
        assert_eq!((found.len(), found[0].kind), (1, Kind::Unknown), "{raw:?} {found:?}");
        assert_eq!(found[0].value, escaped(raw.as_bytes()), "{raw:?}");
    }
    assert_eq!(look("", Step::Any)[0].why, "an empty scan");
}

#[test]
fn one_reading_is_given_once_with_its_best_reason() {
    let number = format!("R26D100008{}", check37::check_char("R26D100008").unwrap());
    let context = Context { step: Step::Box, prefix: "", rma_pattern: &|text| text.starts_with('R') };
    let found = identify(&Scan::decode(number.into()), &context);
    assert_eq!(found.iter().map(|c| c.kind).collect::<Vec<_>>(), [Kind::Rma, Kind::Serial]);
    assert!(found[0].why.contains("our RMA numbers"));
    assert_eq!(kinds("SN: AB12; S/N: AB12", Step::Unit), [Kind::Serial]);
}

#[test]
fn a_payload_of_endless_parts_gives_a_bounded_answer() {
    let parts: String = (0..500).map(|i| format!("\u{1d}Q{i}")).collect();
    let found = look(&format!("[)>\u{1e}06\u{1d}SAB12{parts}\u{1e}\u{4}"), Step::Any);
    assert_eq!((found.len(), found[0].kind, found[0].value.as_str()), (CANDIDATES_MAX, Kind::Serial, "AB12"));
}

#[test]
fn blanks_and_line_ends_around_a_datum_do_not_hide_it() {
    assert_eq!(first(" 00:15:65:ab:cd:ef \r\n", Step::Any), (Kind::Mac, "001565ABCDEF".into()));
    assert_eq!(first("SN12345678\r", Step::Unit), (Kind::Serial, "SN12345678".into()));
}

proptest! {
    #[test]
    fn any_bytes_give_ranked_harmless_candidates(
        raw in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..80),
            "(\\]C1|\\]d2|\\[\\)>|\u{1d}|\u{1e}|06|05|01|21|SN:|MAC=|https://|[0-9]{4}|[A-Z]|/|,|\u{e9}){0,14}".prop_map(String::into_bytes),
        ],
        step in prop_oneof![Just(Step::Any), Just(Step::Box), Just(Step::Unit)],
    ) {
        let found = identify(&Scan::decode(raw), &Context { step, prefix: "", rma_pattern: &|t| t.len() == 7 });
        prop_assert!(!found.is_empty());
        prop_assert!(found.windows(2).all(|w| w[0].confidence >= w[1].confidence));
        prop_assert!(found.iter().all(|c| c.confidence <= 100 && !c.why.is_empty()));
        prop_assert!(found.iter().all(|c| c.value.bytes().all(|b| (b' '..=b'~').contains(&b))));
        for (i, a) in found.iter().enumerate() {
            prop_assert!(found[..i].iter().all(|b| (a.kind, &a.value) != (b.kind, &b.value)));
        }
    }

    #[test]
    fn an_address_is_found_in_any_spelling(mac in 0u64..1 << 40, sep in prop_oneof![Just(""), Just(":"), Just("-"), Just(".")], lower in any::<bool>()) {
        // 0x1565 in front: a known maker, so that the reading never depends on the digits behind.
        let hex = format!("001565{:06X}", mac & 0xFF_FFFF);
        let width = if sep == "." { 4 } else { 2 };
        let groups: Vec<&str> = (0..12 / width).map(|i| &hex[i * width..(i + 1) * width]).collect();
        let text = groups.join(sep);
        let text = if lower { text.to_lowercase() } else { text };
        prop_assert!(look(&text, Step::Unit).iter().any(|c| c.kind == Kind::Mac && c.value == hex && c.brand.as_deref() == Some("Yealink")));
    }
}
