//! No data changes a design's commands; what is printed is what was given; what cannot be is refused by
//! name.

use super::*;
use proptest::prelude::*;
use serde_json::json;

const DESIGN: &str = include_str!("../golden/foreign/designer.zpl");

fn stock(text: &str) -> Stock {
    text.parse().expect("a stock")
}

fn data() -> Value {
    json!({"rma": "R26AB12345C", "serial": "3100121090012345", "brand": "Yealink", "model": "T46U",
        "received": "2026-03-02", "customer": "Käthe Möller"})
}

fn unit() -> Template {
    Template::parse(DESIGN).and_then(|t| t.named("unit")).unwrap_or_else(|f| panic!("{f}"))
}

fn map(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

/// The label of a one-off design.
fn filled(design: &str, value: Value) -> Result<String, String> {
    let template = Template::parse(&format!("^XA{design}^XZ")).unwrap_or_else(|f| panic!("{design}: {f}"));
    let label = template.named("mine").expect("a name").render(&map(value), stock("4x3"), Dpi::D203);
    label.map(|l| without_opening(&l.zpl)).map_err(|e| e.to_string())
}

/// A filled label without what is put before the design's own commands.
fn without_opening(zpl: &str) -> String {
    let (opening, design) = zpl.split_at("^XA".len() + OPENING.len());
    assert_eq!(opening, format!("^XA{OPENING}"));
    let size = design.match_indices('^').nth(2).expect("more").0;
    assert!(design[..size].starts_with("^PW") && design[..size].contains("^LL"), "{design}");
    // A line end behind ^XA belongs to the design.
    let size = design[..size].trim_end().len();
    format!("^XA{}", &design[size..])
}

fn refusals(design: &str) -> Vec<String> {
    let findings = Template::parse(design).expect_err(design);
    findings.list.iter().filter(|f| f.severity == Severity::Refuse).map(|f| f.to_string()).collect()
}

/// Commands without what data may change: its own text, the `^FH` before it, the character set.
fn commands(zpl: &str) -> Vec<(String, String)> {
    let shown = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    lexer::commands(zpl.as_bytes())
        .filter(|c| !["FD", "FV", "FH", "CI", "FN"].iter().any(|n| c.is(n.as_bytes().try_into().expect("two"))))
        .map(|c| (c.written(), shown(c.data.trim_ascii())))
        .collect()
}

/// All data of a label, as the printer reads it.
fn texts(zpl: &str) -> Vec<String> {
    let mut hex = None;
    let mut texts = Vec::new();
    for c in lexer::commands(zpl.as_bytes()) {
        match &c.name {
            b"FH" => hex = Some(c.data.trim_ascii().first().copied().unwrap_or(b'_')),
            b"FS" => hex = None,
            b"FD" => texts.push(String::from_utf8(lexer::unescaped(c.data, hex)).expect("UTF-8")),
            _ => {}
        }
    }
    texts
}

#[test]
fn a_design_is_filled() {
    let label = unit().render(&map(data()), stock("4x3"), Dpi::D203).expect("a label");
    assert!(label.zpl.starts_with("^XA^CI28^PON^LRN^LH0,0^FWN^BY2,3,10^CFA,9,5^PW812^LL609\n^MMT\n"));
    assert_eq!(
        texts(&label.zpl),
        [
            "RMA R26AB12345C",
            "Yealink T46U",
            "R26AB12345C",
            "S/N 3100121090012345",
            "Eingang 2026-03-02 { \\ }",
            "Käthe Möller",
            "QA,R26AB12345C",
            ""
        ]
    );
    assert_eq!(commands(&without_opening(&label.zpl)), commands(DESIGN));
    assert_eq!((label.width_dots, label.height_dots), (812, 609));
    let mut again = data();
    again["copy"] = json!(2);
    let copy = unit().render(&map(again), stock("4x3"), Dpi::D203).expect("a label");
    assert_eq!(texts(&copy.zpl)[7], "COPY 2");
    // The design's own indicator where it has one, ours where it has none.
    assert!(
        label.zpl.contains("^FN") || label.zpl.contains("^A0N,28,28^FH^FDK_C3_A4the M_C3_B6ller^FS"),
        "{}",
        label.zpl
    );
    let umlaut = json!({"a": "ä\\_^"});
    assert_eq!(
        filled("^FO9,9^A0N,30,30^FH\\^FDx_{a}^FS", umlaut.clone()).unwrap(),
        "^XA^FO9,9^A0N,30,30^FH\\^FDx_\\C3\\A4\\5C\\5F\\5E^FS^XZ"
    );
    assert_eq!(
        filled("^FO9,9^A0N,30,30^FDx_{a}^FS", umlaut.clone()).unwrap(),
        "^XA^FO9,9^A0N,30,30^FH^FDx_5F_C3_A4_5C_5F_5E^FS^XZ"
    );
    assert_eq!(
        filled("^CI0^FO9,9^A0N,30,30^FN7\"a\"^FDsample^FS", umlaut).unwrap(),
        "^XA^FO9,9^A0N,30,30^FH^FD_C3_A4_5C_5F_5E^FS^XZ"
    );
}

#[test]
fn a_barcode_carries_what_was_given_or_there_is_no_label() {
    let bc = |mode: &str, before: &str| format!("^FO60,60^BY2^BC{mode}^FD{before}{{a}}^FS");
    let fields = |zpl: String| texts(&zpl).concat();
    for (design, value, want) in [
        (bc("N,80,N,N,N", ""), "a>:b^~_", Ok("a>0:b^~_")),
        (bc("N,80,N,N,N,N", ">;"), "1234", Ok(">;1234")),
        (bc("N,80,N,N,N", ">;12>6"), "ab", Ok(">;12>6ab")),
        (
            bc("N,80,N,N,N", ">;"),
            "123",
            Err("field \"a\" is not an even number of digits, and the design puts it into subset C of Code 128"),
        ),
        (bc("N,80,N,N,N", ">9"), "ab", Err("field \"a\" has U+0061 (a), which subset A of Code 128 does not carry")),
        (bc("N,80,N,N,N", ""), "ä", Err("field \"a\" has U+00E4 (ä), which Code 128 does not carry")),
        (
            bc("N,80,N,N,N,A", ""),
            "a>8",
            Err("field \"a\" has U+003E (>), which a Code 128 of this mode does not give back; use ^BC mode N"),
        ),
        (bc("N,80,N,N,N,A", ""), "a(8)", Ok("a(8)")),
        (
            bc("N,80,N,N,N,D", "(21)"),
            "a(8",
            Err("field \"a\" has U+0028 ((), which a Code 128 of this mode does not give back; use ^BC mode N"),
        ),
        ("^FO60,60^BY2^B3N,N,80^FD{a}^FS".into(), "AB-1", Ok("AB-1")),
        (
            "^FO60,60^BY2^B3N,N,80^FD{a}^FS".into(),
            "ab",
            Err("field \"a\" has U+0061 (a), which Code 39 does not carry"),
        ),
        ("^FO60,60^BQN,2,4^FDQA,{a}^FS".into(), "A^B_", Ok("QA,A^B_")),
        (
            "^FO60,60^BQN,2,4^FDQA,{a}^FS".into(),
            "A|B",
            Err("field \"a\" has U+007C (|), which QR codes of Zebra printers do not carry"),
        ),
        ("^FO60,60^BQN,2,4^FN1\"a\"^FS".into(), "AB", Ok("QA,AB")),
        (
            "^FO60,60^BXN,4,200^FD{a}^FS".into(),
            "A_1",
            Err("field \"a\" has U+005F (_), which a Data Matrix field takes for an escape"),
        ),
        (
            "^FO60,60^BEN,80^FD{a}^FS".into(),
            "12345678901X",
            Err("field \"a\" has U+0058 (X), and this barcode carries digits only"),
        ),
        (
            "^FO60,60^A0N,30,30^FD{a}^FS".into(),
            "中",
            Err("field \"a\" has U+4E2D (中), which the printer's own font lacks"),
        ),
        (
            "^FO60,60^A0N,30,30^FD{a}^FS".into(),
            "a\nb",
            Err("field \"a\" has the control character U+000A; remove it or scan again"),
        ),
        (
            "^FO60,60^A0N,30,30^FB200,2^FD{a}^FS".into(),
            "a\\&b",
            Err("field \"a\" has U+005C (\\), which has a meaning of its own in a ^FB or ^TB block"),
        ),
    ] {
        let got = filled(&design, json!({"a": value})).map(fields);
        let want = want.map(str::to_owned).map_err(|why: &str| format!("design mine.zpl: {why}"));
        assert_eq!(got, want, "{design} {value:?}");
    }
    assert!(!filled("^FO60,60^BY2^BCN,80,N,N,N^FD{a}^FS^FO1,1^GB9,9,9^FS", json!({"a": ""})).unwrap().contains("^FD"));
}

#[test]
fn data_that_is_missing_or_leaves_the_stock_is_an_error() {
    let error = |change: Value| {
        let mut fields = map(data());
        fields.extend(map(change));
        unit().render(&fields, stock("4x3"), Dpi::D203).expect_err("no label").to_string()
    };
    assert_eq!(error(json!({"rma": null, "serial": " "})), "design unit.zpl: required and missing: rma, serial");
    assert_eq!(
        error(json!({"serial": {"a": 1}})),
        "design unit.zpl: field \"serial\" must be a text, a number or a list of texts"
    );
    assert_eq!(
        error(json!({"serial": "x".repeat(201)})),
        "design unit.zpl: field \"serial\" has 201 characters; at most 200 are taken"
    );
    assert_eq!(
        error(json!({"rma": "R".repeat(25)})),
        "design unit.zpl: field \"rma\": its Code 128 of 25 characters is 116.4 mm long and leaves the stock, which has 101.6 mm that way (4x3, 203 dpi): at most 19 characters of this kind fit from where it begins: shorten the data, narrow the bars or use larger stock"
    );
    assert!(
        error(json!({"customer": "W".repeat(60)}))
            .starts_with("design unit.zpl: field \"customer\": the text \"WWWWWWWWWWWWWWWWWWWW\" leaves the stock by ")
    );
    let crowded =
        filled("^FO9,9^A0N,30,30^FB200,1^FD{a}^FS", json!({"a": "far too much for one line"})).expect_err("no room");
    assert_eq!(
        crowded,
        "design mine.zpl: field \"a\": the text \"far too much for one\" needs more lines than its ^FB has, and would be printed over itself (4x3, 203 dpi): give it more lines, or smaller letters"
    );
    assert_eq!(
        filled("^FO9,9^A0N,30,30^FD{a} {b}^FS", json!({"a": "x"})).expect_err("b"),
        "design mine.zpl: required and missing: b"
    );
}

#[test]
fn a_design_that_could_not_be_filled_is_refused() {
    for (design, want) in [
        (
            "^XA^FO9,9^A0N,30,30^FN1^FS^XZ",
            "line 1, byte 19: ^FN1 does not say which field it is: write ^FN1\"serial\", in small letters, digits and _",
        ),
        (
            "^XA^FO9,9^A0N,30,30^FN1\"Ser ial\"^FS^XZ",
            "line 1, byte 19: ^FN1\\\"Ser ial\\\" does not say which field it is: write ^FN1\"serial\", in small letters, digits and _",
        ),
        (
            "^XA^FO9,9^BQN,2,4^FD{a}^FS^XZ",
            "line 1, byte 17: the data of a QR code does not begin with its level and mode: write ^FDQA,{field}^FS",
        ),
        (
            "^XA^FO9,9^A0N,30,30^FC%^FD%H {a}^FS^XZ",
            "line 1, byte 23: a field of the data in a field with the printer's clock: give each a field of its own",
        ),
        (
            "^XA^FO9,9^A0N,30,30^FHz^FD{a}^FS^XZ",
            "line 1, byte 23: the hex indicator 0x7A is no sign that could be told from data: write ^FH, or ^FH\\",
        ),
        (
            "^XA^JUS^FO9,9^A0N,30,30^FD{a}^FS^XZ",
            "line 1, byte 3: ^JU saves, loads or changes settings that outlive the label: delete it",
        ),
        (
            "^XA^FO9,9^XFR:A^FN1\"a\"^FS^XZ",
            "line 1, byte 9: ^XF prints what is stored in the printer and was not inspected: put the drawing itself into the file",
        ),
    ] {
        assert_eq!(refusals(design), [want], "{design}");
    }
    let named = |design: &str, name: &str| {
        let findings = Template::parse(design).and_then(|t| t.named(name)).expect_err(design);
        findings.list.iter().map(|f| f.what.clone()).collect::<Vec<_>>()
    };
    let what = named("^XA^FO9,9^A0N,30,30^FD{rma} {serail} {brand} {model}^FS^XZ", "unit");
    assert_eq!(
        what,
        [
            "the label unit has no field \"serail\"",
            "the design has no {serial}, which the label unit requires",
            "the design has no {received}, which the label unit requires",
            "the design has no {copy}: a second label for one unit would look like the first",
        ]
    );
    let warned = Template::parse("^XA^CI27^FO9,9^A0N,30,30^FD{Serial} {a}^FS^XZ").expect("a design").warnings;
    assert_eq!(
        warned.to_string(),
        "line 1, byte 3: ^CI27 becomes ^CI28: characters written as hex must be UTF-8\n\
         line 1, byte 24: {Serial} is no field, and is printed as it stands: names of fields are small letters, digits and _"
    );
}

#[test]
fn a_folder_of_designs_is_served() {
    let files: [(&str, &[u8]); 4] = [
        ("d/unit.zpl", DESIGN.as_bytes()),
        ("d/check.zpl", b"^XA^FO9,9^A0N,30,30^FDx^FS^XZ"),
        ("d/bad.zpl", b"^XA~JR^FO9,9^A0N,30,30^FDx^FS^XZ"),
        ("d/latin.zpl", b"^XA^FO9,9^A0N,30,30^FD\xE4^FS^XZ"),
    ];
    let (designs, refused) = Designs::read(files);
    assert_eq!(designs.iter().map(Template::name).collect::<Vec<_>>(), ["unit"]);
    assert_eq!(
        refused.iter().map(|(file, _)| file.as_str()).collect::<Vec<_>>(),
        ["d/check.zpl", "d/bad.zpl", "d/latin.zpl"]
    );
    let ours = designs.render("hold", &json!({}), stock("4x3"), Dpi::D203).expect_err("ours");
    assert!(matches!(ours, LabelError::Missing { label: "hold", .. }), "{ours}");
    let theirs = designs.render("unit", &data(), stock("4x3"), Dpi::D203).expect("the design");
    assert!(theirs.zpl.contains("^MMT"));
    assert!(theirs.elements.is_empty(), "what it looks like only its printer knows");
}

#[test]
fn an_inspection_says_what_would_be_printed() {
    let said = |path: &str, zpl: &[u8], data: Option<Value>, size: &str| {
        let data = data.map(map);
        let checked = check(path, zpl, data.as_ref(), Some(stock(size)), Dpi::D203);
        let findings: Vec<String> = checked.findings.list.iter().map(|f| f.what.clone()).collect();
        (checked.design, findings.join("; "), checked.findings.refused())
    };
    let (design, findings, refused) = said("unit.zpl", DESIGN.as_bytes(), None, "4x3");
    assert!(design && !refused && !findings.contains("stock"), "{findings}");
    // The same design on smaller stock, and with too long a number.
    let (_, findings, refused) = said("unit.zpl", DESIGN.as_bytes(), None, "2x1");
    assert!(refused && findings.contains("its Code 128 of 11 characters is 58.6 mm long"), "{findings}");
    let (_, findings, _) = said("unit.zpl", DESIGN.as_bytes(), Some(json!({"rma": "R1", "colour": "red"})), "4x3");
    assert!(findings.contains("the data has \"colour\", which the design does not print"), "{findings}");
    assert!(findings.contains("required and missing: brand, model, serial, received"), "{findings}");
    let carrier = include_bytes!("../golden/foreign/carrier.zpl");
    let (design, _, refused) = said("carrier.zpl", carrier, None, "4x6");
    assert!(!design && !refused);
    let (_, findings, refused) = said("carrier.zpl", carrier, None, "4x3");
    assert!(refused && findings.contains("leaves the stock"), "{findings}");
}

/// Pieces that break other programs, and any characters.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("^XZ~JR".to_owned()),
        Just("^FS^JUS^FD".to_owned()),
        Just("_5EXZ".to_owned()),
        Just("\\5EXZ\\&".to_owned()),
        Just("^CC/~CT+".to_owned()),
        Just(">:>;>8".to_owned()),
        Just("! U1 setvar \"a\" \"b\" ".to_owned()),
        Just("{rma}{serial}".to_owned()),
        Just("\u{2}\u{3}\u{f}".to_owned()),
        Just("Ł😀ä".to_owned()),
        "[ -~]{0,8}",
        any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..5).prop_map(|p| p.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_value_changes_the_commands(values in proptest::collection::vec(hostile(), 7), benign in 0usize..256) {
        let names = ["rma", "serial", "brand", "model", "received", "customer", "copy"];
        let mut fields = map(data());
        for (n, (name, value)) in names.iter().zip(values).enumerate() {
            if benign >> n & 1 == 0 {
                fields.insert((*name).to_owned(), json!(value));
            }
        }
        if let Ok(label) = unit().render(&fields, stock("4x6"), Dpi::D203) {
            prop_assert_eq!(commands(&without_opening(&label.zpl)), commands(DESIGN));
            prop_assert!(label.zpl.bytes().all(|b| b == b'\n' || (b' '..=b'~').contains(&b)));
            prop_assert!(gate::inspect(label.zpl.as_bytes(), stock("4x6"), Dpi::D203).is_ok());
            for name in names {
                if let Some(value) = fields.get(name).and_then(Value::as_str) {
                    let coded = value.replace('>', ">0");
                    prop_assert!(texts(&label.zpl).iter().any(|t| t.contains(value) || t.contains(&coded)), "{}", value);
                }
            }
        }
    }

    /// Without the rules of a place nothing is refused: whatever bytes, the commands stay.
    #[test]
    fn the_escaping_alone_holds(value in any::<String>(), indicator in prop_oneof![Just(b'_'), Just(b'\\'), Just(b'%'), Just(b'"')]) {
        let mut zpl = format!("^XA^FH{}^FD", char::from(indicator));
        escape(&mut zpl, &value, indicator);
        zpl.push_str("^FS^XZ");
        let names: Vec<String> = lexer::commands(zpl.as_bytes()).map(|c| c.written()).collect();
        prop_assert_eq!(names, ["^XA", "^FH", "^FD", "^FS", "^XZ"]);
        prop_assert_eq!(texts(&zpl), [value]);
    }

    #[test]
    fn no_design_brings_the_reader_down(text in "([\\^~](XA|XZ|FD|FS|FN|FH|BC|BQ|CI|FB)|[{}\"a-z_,0-9é>\\\\]|\\PC){0,60}") {
        let _ = Template::parse(&text).and_then(|t| t.named("unit"));
        let _ = check("x.zpl", text.as_bytes(), None, None, Dpi::D203);
    }
}
