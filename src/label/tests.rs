//! What the room promises, held against hostile data: the ZPL is taken apart by a checker that shares
//! no code with the writer, and the elements are measured against each other and the paper's edge. Long with
//! the tables of data that each promise is held against.

use super::*;
use proptest::prelude::*;
use serde_json::json;

/// Commands a label may use. `^CI` must be 28; none changes a command character.
const KNOWN: [&str; 21] = [
    "XA", "CI", "PW", "LL", "PO", "LR", "LH", "MN", "FO", "FR", "A0", "BY", "BC", "BQ", "GB", "GF", "FH", "FD", "FS",
    "PQ", "XZ",
];

/// What one field prints.
#[derive(Debug, PartialEq)]
enum Printed {
    Text(String),
    Code128(String),
    Qr(String),
    Box,
    Graphic,
}

/// Takes ZPL apart the way a printer does: at every `^`. Panics on anything a label must not have.
fn printed(zpl: &str) -> Vec<Printed> {
    assert!(!zpl.contains('~'), "a control command outside of data, or a tilde inside: {zpl}");
    assert!(zpl.bytes().all(|b| b == b'\n' || (b' '..=b'~').contains(&b)), "a raw byte: {zpl:?}");
    let commands: Vec<(&str, &str)> = zpl.split('^').skip(1).map(|c| c.split_at(2)).collect();
    let count = |name| commands.iter().filter(|(c, _)| *c == name).count();
    assert_eq!((count("XA"), count("XZ")), (1, 1));
    assert!(zpl.starts_with("^XA\n") && zpl.ends_with("^XZ\n"));

    let mut fields = Vec::new();
    let (mut kind, mut escaped) = ("", false);
    for (name, rest) in commands {
        assert!(KNOWN.contains(&name), "^{name} is not a command of ours");
        match name {
            "CI" => assert_eq!(rest, "28\n"),
            "FO" => (kind, escaped) = ("", false),
            "A0" | "BC" | "BQ" => {
                assert_eq!(kind, "", "two kinds of content in one field");
                kind = name;
            }
            "FH" => escaped = true,
            "GB" => fields.push(Printed::Box),
            "GF" => {
                let parts: Vec<&str> = rest.split(',').collect();
                let [_, bytes, total, row, hex] = parts[..] else { panic!("^GF{rest}") };
                assert_eq!((bytes, hex.len()), (total, 2 * bytes.parse::<usize>().expect("a number")));
                assert_eq!(hex.len() % (2 * row.parse::<usize>().expect("a number")), 0, "whole rows");
                assert!(hex.bytes().any(|b| b != b'0'), "an empty picture");
                fields.push(Printed::Graphic);
            }
            "FD" => {
                assert!(escaped, "^FD without ^FH");
                let data = unescape(rest);
                fields.push(match kind {
                    "A0" => Printed::Text(data),
                    "BC" => Printed::Code128(without_invocations(&data)),
                    "BQ" => Printed::Qr(data.strip_prefix("QA,").expect("level and mode").to_owned()),
                    other => panic!("data for {other:?}"),
                });
            }
            _ => {}
        }
    }
    fields
}

/// `_XX` to bytes, all of them UTF-8.
fn unescape(data: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), data.bytes());
    while let Some(b) = rest.next() {
        if b == b'_' {
            let hex: String = rest.by_ref().take(2).map(char::from).collect();
            bytes.push(u8::from_str_radix(&hex, 16).expect("two hex digits"));
        } else {
            assert!(b != b'\\', "a bare backslash");
            bytes.push(b);
        }
    }
    String::from_utf8(bytes).expect("UTF-8 under ^CI28")
}

/// Code 128 data in mode N: `>0` is a `>`, the other invocations of ours only change the subset.
fn without_invocations(data: &str) -> String {
    let mut out = String::new();
    let mut chars = data.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '>' { chars.next() } else { None }) {
            ('>', Some('0')) => out.push('>'),
            ('>', Some(';' | '5' | '6')) => {}
            ('>', other) => panic!(">{other:?} would print something else"),
            (c, _) => out.push(c),
        }
    }
    out
}

/// Where an element is black: a frame only along its four sides.
fn black(element: &Element) -> Vec<Rect> {
    let all = element.ink();
    let Rect { left, top, right, bottom } = all;
    match element {
        Element::Box { width, height, thickness, .. } if thickness < width.min(height) => {
            let t = i32::from(*thickness);
            vec![
                Rect { bottom: top + t, ..all },
                Rect { top: bottom - t, ..all },
                Rect { right: left + t, ..all },
                Rect { left: right - t, ..all },
            ]
        }
        _ => vec![all],
    }
}

/// No element leaves the label, touches a barcode with its quiet zone, or another text.
fn assert_in_its_place(label: &Label) {
    let paper = Rect { left: 0, top: 0, right: label.width_dots.into(), bottom: label.height_dots.into() };
    let inside = |inner: Rect, outer: Rect| {
        inner.left >= outer.left && inner.top >= outer.top && inner.right <= outer.right && inner.bottom <= outer.bottom
    };
    let zone = |e: &Element| match e {
        Element::Code128 { .. } | Element::Qr { .. } => vec![e.bounds()],
        Element::Text { .. } | Element::Box { .. } => black(e),
    };
    let meet = |one: &[Rect], two: &[Rect]| one.iter().any(|a| two.iter().any(|b| a.overlaps(*b)));
    let near = |one: &Element, two: &Element| match (one, two) {
        // Boxes may meet, and texts stand so close that an accent may reach between descenders.
        (Element::Box { .. }, Element::Box { .. }) => false,
        (Element::Text { y: a, .. }, Element::Text { y: b, .. }) => {
            let cell = |e: &Element, y: &u16| Rect { top: (*y).into(), ..e.ink() };
            cell(one, a).overlaps(cell(two, b))
        }
        // Two quiet zones may share their room.
        _ => meet(&black(one), &zone(two)) || meet(&zone(one), &black(two)),
    };
    for (n, one) in label.elements.iter().enumerate() {
        assert!(inside(one.bounds(), paper), "{one:?} leaves {paper:?}");
        let reverse = |e: &Element| matches!(e, Element::Text { reverse: true, .. });
        if reverse(one) {
            let ground =
                |e: &&Element| matches!(e, Element::Box { .. }) && black(e).iter().any(|&b| inside(one.bounds(), b));
            assert_eq!(label.elements[..n].iter().filter(ground).count(), 1, "{one:?} is white on white");
        }
        for two in &label.elements[n + 1..] {
            let meant = reverse(two) && matches!(one, Element::Box { .. });
            assert!(meant || !near(one, two), "{one:?} touches {two:?}");
        }
    }
}

fn stock(text: &str) -> Stock {
    text.parse().expect("a stock")
}

const STOCKS: [&str; 8] = ["4x6", "4x3", "3x2", "2x1", "102x152mm", "2.25x1.25", "4x1", "3x5"];

/// What the label prints of a field, without blanks, for looking it up among the texts.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

const TEXT_FIELDS: [&str; 14] = [
    "rma",
    "serial",
    "brand",
    "model",
    "received",
    "mac",
    "ticket",
    "customer",
    "ship_date",
    "age",
    "band",
    "verdict",
    "hold",
    "due",
];

/// Pieces that break other programs, and harmless ones between.
fn hostile(longest: usize) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("^XZ~JR".to_owned()),
        Just(">:".to_owned()),
        Just(">;>5>0".to_owned()),
        Just("\\&".to_owned()),
        Just("_5E".to_owned()),
        Just("^FS^FD\"'".to_owned()),
        Just("~".to_owned()),
        Just("]]>,;|".to_owned()),
        Just("Müller ß".to_owned()),
        Just("Łódź €".to_owned()),
        Just("\u{1D}".to_owned()),
        Just("😀".to_owned()),
        "[ -~]{0,12}",
        "[A-Z0-9]{1,14}",
        any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..longest).prop_map(|pieces| pieces.concat())
}

/// Printable ASCII that begins and ends in something visible.
fn plain(most: usize) -> impl Strategy<Value = String> {
    proptest::string::string_regex(&format!("[!-{{}}~]([ -{{}}~]{{0,{}}}[!-{{}}~])?", most - 2)).expect("a pattern")
}

const UNIT_NEEDS: [&str; 4] = ["rma", "serial", "model", "received"];

/// The error names a field that has what it complains of, or one that is `needed` and finds no room.
fn assert_justified(error: &LabelError, data: &Value, needed: &[&str]) {
    let text = |field: &str| match &data[field] {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        other => other.to_string(),
    };
    match error {
        LabelError::Control { field, character } => {
            assert!(character.is_control() && text(field).contains(*character), "{error}")
        }
        LabelError::NotInFont { field, character } => {
            assert!(!character.is_ascii_graphic() && text(field).contains(*character), "{error}")
        }
        LabelError::NotInBarcode { field, character } => {
            let carried = character.is_ascii_graphic() && *character != '|';
            assert!(!carried && text(field).contains(*character), "{error}")
        }
        LabelError::TooLong { field, length, max } => {
            assert!(length > max && text(field).chars().count() >= *length, "{error}")
        }
        LabelError::NoRoom { field, .. } => assert!(needed.contains(field), "{error}"),
        LabelError::Missing { fields, .. } => {
            assert!(fields.split(", ").all(|f| text(f).trim().is_empty() || text(f) == "null"), "{error}")
        }
        other => panic!("{other:?} for {data}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hostile_data_is_printed_as_meant_or_refused(
        values in proptest::collection::vec(hostile(4), TEXT_FIELDS.len()),
        benign in 0usize..1 << 14,
        size in 0..STOCKS.len(),
        dpi in 0..3usize,
    ) {
        let mut data = json!({"rules": ["A-24", "^XZ"], "copy": 2, "program": "voip-reseller"});
        for (n, (field, value)) in TEXT_FIELDS.iter().zip(values).enumerate() {
            // Now and then a field is left in peace, so that the others are reached at all.
            data[*field] = if benign >> n & 1 == 1 || value.trim().is_empty() { json!("R26A1") } else { json!(value) };
        }
        match render("unit", &data, stock(STOCKS[size]), Dpi::ALL[dpi]) {
            Ok(label) => {
                prop_assert_eq!(printed(&label.zpl).len(), label.elements.len());
                assert_in_its_place(&label);
            }
            Err(error) => assert_justified(&error, &data, &UNIT_NEEDS),
        }
    }

    #[test]
    fn what_is_said_is_what_was_given(
        rma in "[!-{}~]{1,14}",
        serial in plain(24),
        brand in plain(12),
        model in plain(20),
        customer in plain(60),
        hold in plain(50),
    ) {
        let data = json!({"rma": rma, "serial": serial, "brand": brand, "model": model, "received": "2026-11-20",
            "customer": customer, "hold": hold, "verdict": "replace"});
        let label = render("unit", &data, stock("4x6"), Dpi::D203).expect("printable");
        let fields = printed(&label.zpl);
        prop_assert!(fields.contains(&Printed::Code128(rma.clone())), "{:?}", fields);
        prop_assert!(fields.contains(&Printed::Qr(rma.clone())), "{:?}", fields);
        prop_assert!(fields.contains(&Printed::Text(rma)));
        let texts: String = fields.iter().map(|f| if let Printed::Text(t) = f { squeezed(t) } else { String::new() }).collect();
        prop_assert!(texts.contains(&squeezed(&serial)), "{} in {}", serial, texts);
        for (field, value) in [("model", format!("{brand} {model}")), ("customer", customer), ("hold", hold)] {
            // A code such as `not_seen` is worded for people.
            let worded = squeezed(&value.replace('_', " "));
            let said = texts.contains(&squeezed(&value)) || texts.contains(&worded);
            let excused = label.shortened.contains(&field) || label.left_out.contains(&field);
            prop_assert!(said != excused, "{}: {} in {}", field, value, texts);
        }
    }

    #[test]
    fn nothing_collides_whatever_the_lengths(
        lengths in proptest::collection::vec(0usize..90, 14),
        wide in any::<bool>(),
        size in 0..STOCKS.len(),
        dpi in 0..3usize,
    ) {
        let word = |n: usize| if wide { "W".repeat(n) } else { "iIl. ".repeat(n / 5 + 1)[..n].trim().to_owned() };
        let mut data = json!({"rules": vec!["A-24"; lengths[0] / 4], "copy": lengths[1] + 1, "program": word(lengths[2])});
        for (field, n) in TEXT_FIELDS.iter().zip(&lengths) {
            data[*field] = json!(word(*n));
        }
        data["rma"] = json!("R26AB12345C"[..1 + lengths[0] % 11]);
        for (field, n) in [("serial", 1 + lengths[1] / 3), ("brand", 5), ("model", 5 + lengths[3]), ("received", 8)] {
            data[field] = json!(if wide { "W".repeat(n) } else { "i".repeat(n) });
        }
        match render("unit", &data, stock(STOCKS[size]), Dpi::ALL[dpi]) {
            Ok(label) => assert_in_its_place(&label),
            Err(error) => assert_justified(&error, &data, &UNIT_NEEDS),
        }
    }
}

/// The golden labels' data and ZPL; their pictures are `tests/labels.rs`'s. After a wanted change:
/// `backdock label NAME --data X.json --stock S --zpl X.zpl`.
const GOLDEN: [(&str, &str, &str, &str); 4] = [
    ("unit", "4x3", include_str!("golden/hold.json"), include_str!("golden/hold.zpl")),
    ("unit", "2x1", include_str!("golden/small.json"), include_str!("golden/small.zpl")),
    ("unit", "4x6", include_str!("golden/foreign.json"), include_str!("golden/foreign.zpl")),
    ("test", "3x2", include_str!("golden/test.json"), include_str!("golden/test.zpl")),
];

#[test]
fn the_golden_labels_have_not_moved() {
    for (name, size, data, zpl) in GOLDEN {
        let data: Value = serde_json::from_str(data).expect("JSON");
        let label = render(name, &data, stock(size), Dpi::D203).expect("a label");
        assert_eq!(label.zpl, zpl, "{name} {size}");
        printed(&label.zpl);
        assert_in_its_place(&label);
    }
}

#[test]
fn the_registry_says_what_it_wants() {
    let unit = find("unit").expect("there is one");
    assert_eq!(unit.required().collect::<Vec<_>>(), ["rma", "serial", "brand", "model", "received"]);
    assert_eq!(unit.optional().count(), 15);
    let good = json!({"rma": "R1", "serial": "S1", "brand": "B", "model": "M", "received": "2026-11-20", "mac": null});
    let error = |name: &str, change: Value| {
        let mut data = good.clone();
        for (key, value) in change.as_object().expect("an object") {
            data[key] = value.clone();
        }
        render(name, &data, unit.stock, Dpi::D203).expect_err("wrong").to_string()
    };
    assert!(render("unit", &good, unit.stock, Dpi::D203).is_ok());
    for (name, change, want) in [
        (
            "unti",
            json!({}),
            "there is no label \"unti\"; did you mean \"unit\"?; known: unit, test, box, traveller, hold, reject, return-to-sender, unauthorised, routing, vendor, packing-list, return, address, calltag-request, calltag-notice, rma-sheet, checklist, quote, charge, credit, qc, wall-sheet, scanner-test",
        ),
        ("unit", json!({"modell": "x"}), "label unit has no field \"modell\"; did you mean \"model\"?"),
        ("unit", json!({"zzz": "x"}), "label unit has no field \"zzz\""),
        ("unit", json!({"rma": " ", "brand": null}), "label unit: required and missing: rma, brand"),
        ("unit", json!({"rma": 5}), "field \"rma\" must be a text"),
        ("unit", json!({"rules": "A-1"}), "field \"rules\" must be a list of texts"),
        ("unit", json!({"copy": 0}), "field \"copy\" must be a whole number from 1 to 9999"),
        ("unit", json!({"customer": "a😀"}), "field \"customer\" has U+1F600, which the label font lacks"),
        ("unit", json!({"rma": "A|B"}), "field \"rma\" has U+007C (|), which our barcodes do not carry"),
        ("unit", json!({"rma": "Ä"}), "field \"rma\" has U+00C4 (Ä), which our barcodes do not carry"),
        (
            "unit",
            json!({"serial": "a\u{1d}b"}),
            "field \"serial\" has the control character U+001D; it cannot be printed, remove it or scan again",
        ),
        (
            "unit",
            json!({"rma": "A".repeat(50)}),
            "field \"rma\" does not fit on 4x3 at 203 dpi: its Code 128 is 151 mm wide, the stock 102 mm; use larger stock",
        ),
        ("test", json!({}), "label test has no field \"rma\""),
    ] {
        assert_eq!(error(name, change.clone()), want, "{name} {change}");
    }
    assert!(matches!(render("unit", &json!([]), unit.stock, Dpi::D203), Err(LabelError::NotAnObject { .. })));
}

#[test]
fn bars_keep_their_quiet_zone_up_to_the_longest_number_that_fits() {
    for (size, dpi) in STOCKS.iter().flat_map(|size| Dpi::ALL.map(|dpi| (*size, dpi))) {
        let fits = |n: usize| {
            let rma = if n.is_multiple_of(2) { "7".repeat(n) } else { "W".repeat(n) };
            let data = json!({"rma": rma, "serial": "S", "brand": "B", "model": "M", "received": "D", "copy": 12});
            match render("unit", &data, stock(size), dpi) {
                Ok(label) => {
                    assert_in_its_place(&label);
                    true
                }
                Err(LabelError::NoRoom { field: "rma", .. }) => false,
                Err(other) => panic!("{other}"),
            }
        };
        let longest = (1..=FIELD_MAX).filter(|&n| fits(n)).max();
        assert!(fits(11) && longest.is_some_and(|n| n < 150), "{size} {dpi}: {longest:?}");
    }
}

#[test]
fn the_test_page_fits_on_every_stock() {
    for (size, dpi) in STOCKS.iter().flat_map(|size| Dpi::ALL.map(|dpi| (*size, dpi))) {
        for station in ["A", "DOCK-1", "^XZ~>_5E"] {
            let data = json!({"station": station, "printer": "Retouren Süd", "time": "2026-11-20 14:03:22"});
            let label = render("test", &data, stock(size), dpi).unwrap_or_else(|e| panic!("{size} {dpi}: {e}"));
            assert_in_its_place(&label);
            assert!(printed(&label.zpl).contains(&Printed::Code128(station.to_owned())));
        }
    }
    let long = json!({"station": "W".repeat(100)});
    let error = render("test", &long, stock("4x3"), Dpi::D203).expect_err("too long");
    assert!(matches!(error, LabelError::NoRoom { field: "station", .. }), "{error}");
}

#[test]
fn small_stock_keeps_what_matters() {
    let data: Value = serde_json::from_str(GOLDEN[0].2).expect("JSON");
    let label = render("unit", &data, stock("2x1"), Dpi::D203).expect("a label");
    let fields = printed(&label.zpl);
    for text in ["R26AB12345C", "3146019012345", "Yealink SIP-T46S", "2026-11-20", "HOLD", "COPY 2"] {
        assert!(fields.contains(&Printed::Text(text.to_owned())), "{text} in {fields:?}");
    }
    assert!(fields.contains(&Printed::Code128("R26AB12345C".to_owned())));
    assert_eq!(label.left_out[..3], ["program", "ticket", "customer"], "in the documented order");
}

#[test]
fn letters_the_printer_lacks_are_drawn() {
    let data = json!({"rma": "R1", "serial": "S1", "brand": "B", "model": "M", "received": "2026-11-20",
        "customer": "Łódź", "hold": "Škoda"});
    let label = render("unit", &data, stock("4x3"), Dpi::D203).expect("a label");
    let graphics = printed(&label.zpl).into_iter().filter(|f| *f == Printed::Graphic).count();
    assert_eq!(graphics, 2);
    assert!(label.zpl.contains("^FR^GFA,"), "the hold is white on black");
}

/// One full set of fields for every paper; `tests/labels.rs` and the stage `labels` read them too.
fn samples() -> Map<String, Value> {
    serde_json::from_str(include_str!("golden/papers.json")).expect("JSON")
}

#[test]
fn every_paper_stands_in_its_place_on_every_stock() {
    let samples = samples();
    for def in names().filter(|def| !["unit", "test"].contains(&def.name)) {
        let data = &samples[def.name];
        let given: Vec<&str> = data.as_object().expect("an object").keys().map(String::as_str).collect();
        assert!(def.required().all(|name| given.contains(&name)), "{}: the sample is not whole", def.name);
        for (size, dpi) in STOCKS.iter().flat_map(|size| Dpi::ALL.map(|dpi| (*size, dpi))) {
            match render(def.name, data, stock(size), dpi) {
                Ok(label) => {
                    assert_in_its_place(&label);
                    let printed = printed(&label.zpl);
                    if let Some(rma) =
                        data["rma"].as_str().filter(|_| given.contains(&"rma") && def.required().any(|f| f == "rma"))
                    {
                        let shown = printed.iter().any(|p| matches!(p, Printed::Text(t) if t.contains(rma)));
                        assert!(shown, "{} {size} {dpi}", def.name);
                    }
                }
                // A paper for 4x6 has no room on the smallest labels; on its own stock it has.
                Err(LabelError::NoRoom { .. }) if stock(size).height_mm() < def.stock.height_mm() => {}
                Err(other) => panic!("{} {size} {dpi}: {other}", def.name),
            }
        }
    }
}

#[test]
fn a_paper_without_a_required_field_is_none() {
    let samples = samples();
    for def in names().filter(|def| !["unit", "test"].contains(&def.name)) {
        for required in def.required() {
            let mut data = samples[def.name].clone();
            data[required] = Value::Null;
            let error = render(def.name, &data, def.stock, Dpi::D203).expect_err("it is missing").to_string();
            assert!(error.contains("required and missing") && error.contains(required), "{error}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_paper_says_what_was_given_and_no_data_leaves_its_field(
        values in proptest::collection::vec(hostile(4), 24),
        benign in any::<u32>(),
        n in 0usize..1000,
        size in 0..STOCKS.len(),
        dpi in 0..3usize,
    ) {
        let papers: Vec<_> = names().filter(|def| !["unit", "test"].contains(&def.name)).collect();
        let def = papers[n % papers.len()];
        let mut data = json!({});
        for (n, (field, value)) in def.fields.iter().zip(values).enumerate() {
            // Half of the fields are left in peace, so that the others are reached at all.
            let value = if benign >> n & 1 == 1 || value.trim().is_empty() { "R26A1".to_owned() } else { value };
            data[field.name] = match field.kind {
                Kind::List => json!([value, "second line"]),
                Kind::Count => json!(2),
                Kind::Text => json!(value),
            };
        }
        match render(def.name, &data, stock(STOCKS[size]), Dpi::ALL[dpi]) {
            Ok(label) => {
                assert_in_its_place(&label);
                // One label, and no command but ours: the parser refuses any other.
                let fields = printed(&label.zpl);
                prop_assert_eq!(fields.len(), label.elements.len());
                let texts = label.elements.iter().map(|e| if let Element::Text { text, .. } = e { squeezed(text) } else { String::new() });
                // What decides is printed in capitals.
                let texts = texts.collect::<String>().to_uppercase();
                for field in def.fields.iter().filter(|f| f.kind != Kind::Count) {
                    let given = match &data[field.name] {
                        Value::Array(list) => list[0].as_str().unwrap_or_default().to_owned(),
                        text => text.as_str().unwrap_or_default().to_owned(),
                    };
                    let excused = label.left_out.contains(&field.name)
                        || label.shortened.iter().any(|cut| *cut == field.name || (cut.starts_with("copy_") && field.name.starts_with("copy_")));
                    if field.name == "job" {
                        let scanned = label.elements.iter().any(|e| matches!(e, Element::Qr { data, .. } if *data == given.trim()));
                        prop_assert!(excused || scanned, "{}: {given} is in no QR code", def.name);
                        continue;
                    }
                    // Barcodes for the wall carry their text in the bars too.
                    prop_assert!(excused || texts.contains(&squeezed(&given).to_uppercase()), "{}: {} of {} not in {}", def.name, given, field.name, texts);
                }
            }
            Err(error) => {
                let required: Vec<&str> = def.required().chain(["title", "copy", "codes", "barcodes"]).collect();
                assert_justified(&error, &data, &required);
            }
        }
    }
}
