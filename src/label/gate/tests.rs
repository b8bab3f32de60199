//! The gate against every command it knows to be harmful, by the sentence; and against any bytes at all.

use super::*;
use proptest::prelude::*;

const CARRIER: &[u8] = include_bytes!("../golden/foreign/carrier.zpl");

fn stock(text: &str) -> Stock {
    text.parse().expect("a stock")
}

fn gate(zpl: &[u8]) -> Result<Foreign, Findings> {
    inspect(zpl, stock("4x6"), Dpi::D203)
}

/// What a label with this in it is refused for.
fn refused(zpl: &str) -> Vec<String> {
    let findings = gate(zpl.as_bytes()).expect_err(zpl);
    findings.list.iter().filter(|f| f.severity == Severity::Refuse).map(Finding::to_string).collect()
}

/// The findings of a label that passes.
fn warned(zpl: &str) -> Vec<String> {
    match gate(zpl.as_bytes()) {
        Ok(foreign) => foreign.warnings.list.iter().map(Finding::to_string).collect(),
        Err(findings) => panic!("{zpl}: {findings}"),
    }
}

const FIELD: &str = "^FO50,50^A0N,30,30^FDText^FS";

#[test]
fn a_carriers_label_passes_byte_for_byte() {
    let foreign = gate(CARRIER).expect("it passes");
    assert_eq!(foreign.zpl, CARRIER);
    let warnings: Vec<String> = foreign.warnings.list.iter().map(|f| f.what.clone()).collect();
    assert_eq!(
        warnings,
        [
            "^MF sets what the printer feeds at power-up, and stays until it is switched off",
            "^PR sets the printing speed, and stays until the printer is switched off",
            "^MD changes the darkness, and stays until the printer is switched off",
        ]
    );
}

#[test]
fn what_harms_is_refused_by_name() {
    const OUTLIVES: &str = "saves, loads or changes settings that outlive the label: delete it";
    const ANSWERS: &str = "makes the printer answer into the station's dialogue with it";
    const MOVES: &str = "moves paper or stops the printer by itself";
    const STORES: &str = "stores in the printer or deletes there: delete it";
    const STORED: &str =
        "prints what is stored in the printer and was not inspected: put the drawing itself into the file";
    const NETWORK: &str = "changes the printer's name or network: delete it";
    const RADIO: &str = "changes the printer's radio: delete it";
    const CHARACTERS: &str =
        "changes the command characters: delete it; what follows would be read otherwise than it was inspected";
    const COUNT: &str =
        "prints another number of labels than one: write ^PQ1; each label is a job, and each job is proved";
    let tilde = |what: &str| format!("{what}: delete it; a tilde that shall be read is written _7E behind ^FH");
    let rows: Vec<(&str, String)> = vec![
        ("~JR", tilde("resets the printer")),
        ("~JA", tilde("cancels labels that are on their way")),
        ("~JX", tilde("cancels labels that are on their way")),
        ("~DYR:A,A,G,1,1,00", tilde("stores in the printer")),
        ("~DGR:A.GRF,1,1,00", tilde("stores in the printer")),
        ("~DUR:A", tilde("stores in the printer")),
        ("~DBR:A", tilde("stores in the printer")),
        ("~DTR:A", tilde("stores in the printer")),
        ("~EG", tilde("deletes in the printer")),
        ("~HS", tilde(ANSWERS)),
        ("~HQES", tilde(ANSWERS)),
        ("~HI", tilde(ANSWERS)),
        ("~HM", tilde(ANSWERS)),
        ("~PH", tilde(MOVES)),
        ("~PP", tilde(MOVES)),
        ("~PS", tilde(MOVES)),
        ("~SD15", tilde("sets the darkness")),
        ("~JC", tilde("saves, loads or changes settings that outlive the label")),
        ("~TA000", tilde("saves, loads or changes settings that outlive the label")),
        ("~JSN", tilde("saves, loads or changes settings that outlive the label")),
        ("~NC001", tilde("changes the printer's network")),
        ("~NR", tilde("changes the printer's network")),
        ("~WR", tilde("changes the printer's network")),
        ("~CC/", tilde("changes the command characters")),
        ("~CD;", tilde("changes the command characters")),
        ("~CT+", tilde("changes the command characters")),
        ("~QZ", tilde("acts at once, wherever it stands")),
        ("^CC/", CHARACTERS.into()),
        ("^CD;", CHARACTERS.into()),
        ("^CT+", CHARACTERS.into()),
        ("^JUS", OUTLIVES.into()),
        ("^JUF", OUTLIVES.into()),
        ("^JZN", OUTLIVES.into()),
        ("^MTD", OUTLIVES.into()),
        ("^MUM", OUTLIVES.into()),
        ("^SZ2", OUTLIVES.into()),
        ("^SEE:A.DAT", OUTLIVES.into()),
        ("^SP1", OUTLIVES.into()),
        ("^ST01,01,2026", OUTLIVES.into()),
        ("^CWQ,E:A.FNT", OUTLIVES.into()),
        ("^ZZ5", OUTLIVES.into()),
        ("^KP1234", "sets or asks for the password: delete it".into()),
        ("^KNname", NETWORK.into()),
        ("^NC1", NETWORK.into()),
        ("^NDa", NETWORK.into()),
        ("^NI001", NETWORK.into()),
        ("^NNa", NETWORK.into()),
        ("^NPP", NETWORK.into()),
        ("^NRa", NETWORK.into()),
        ("^NSa", NETWORK.into()),
        ("^NTa", NETWORK.into()),
        ("^NWa", NETWORK.into()),
        ("^WAa", RADIO.into()),
        ("^WDE:", RADIO.into()),
        ("^WEon", RADIO.into()),
        ("^WIa", RADIO.into()),
        ("^WLon", RADIO.into()),
        ("^WPa", RADIO.into()),
        ("^WRa", RADIO.into()),
        ("^WSa", RADIO.into()),
        ("^WX09", RADIO.into()),
        ("^SXA,A,Y,Y", "sends alerts to somewhere else: delete it".into()),
        ("^SOA", "sends alerts to somewhere else: delete it".into()),
        ("^DFR:A.ZPL", STORES.into()),
        ("^ISR:A.GRF,N", STORES.into()),
        ("^IDR:*.*", STORES.into()),
        ("^EF", STORES.into()),
        ("^XFR:A.ZPL", STORED.into()),
        ("^XGR:A.GRF,1,1", STORED.into()),
        ("^ILR:A.GRF", STORED.into()),
        ("^IMR:A.GRF", STORED.into()),
        ("^HHa", format!("{ANSWERS}: delete it")),
        ("^HV1", format!("{ANSWERS}: delete it")),
        ("^HWR:*.*", format!("{ANSWERS}: delete it")),
        ("^PF100", format!("{MOVES}: delete it")),
        ("^PH", format!("{MOVES}: delete it")),
        ("^PP", format!("{MOVES}: delete it")),
        ("^RFW,H", "writes or reads radio tags: delete it".into()),
        ("^SN001,1,Y", "counts inside the printer: write the number itself".into()),
        ("^SFdd,1", "counts inside the printer: write the number itself".into()),
        ("^PQ2", COUNT.into()),
        ("^PQ0", COUNT.into()),
        ("^PQ-1", COUNT.into()),
        ("^PQ1x", COUNT.into()),
        ("^PQ99999999", COUNT.into()),
        ("^PQ1,1", "pauses the printer: write ^PQ1".into()),
        ("^PQ1,0,2", "prints copies of its own: write ^PQ1; each label is a job, and each job is proved".into()),
        ("^MCN", "keeps this label's picture for the next one: delete it".into()),
        ("^MNN", "sets another kind of paper than labels with gaps: write ^MNY".into()),
        ("^MMC", "sets another mode than tear-off: the printer would cut, peel or rewind: delete it".into()),
        ("^PMY", "prints the mirror image, of the labels behind it too: delete it".into()),
        ("^JMB", "halves the printer's fineness: write ^JMA, or delete it".into()),
        ("^CI0,21,36", "exchanges characters of the character set: write ^CI28 alone".into()),
        (
            "^CI15",
            "chooses a character set in which a byte of a letter may be a command: write ^CI28, and the file in UTF-8"
                .into(),
        ),
        (
            "^GFB,1,1,1,a",
            "carries raw bytes, among which commands cannot be told from picture: export the graphic as ^GFA".into(),
        ),
        ("^FN1", "is a field that nobody fills: print the design with `backdock label`, which fills it".into()),
        ("^QQ1", "is not known to be harmless: delete it".into()),
        ("^A,30", "is not known to be harmless: delete it".into()),
    ];
    for (command, want) in rows {
        let name = &command[..3];
        // In the label, in a field's data, in lower case: it is the same command to a printer.
        let inside = format!("^XA{FIELD}\n{command}\n^XZ");
        assert_eq!(refused(&inside), [format!("line 2, byte {}: {name} {want}", 4 + FIELD.len())], "{command}");
        let data = format!("^XA^FO50,50^A0N,30,30^FDa{command}^FS^XZ");
        assert!(refused(&data)[0].contains(&want), "{command} in data");
        let low = inside.replace(command, &command.to_lowercase());
        assert!(refused(&low)[0].ends_with(&want), "{command} in lower case: {:?}", refused(&low));
        // Before the label it is refused as well, if for one reason more.
        assert!(refused(&format!("{command}\n^XA{FIELD}^XZ")).iter().any(|f| f.contains(&want)), "{command} before");
    }
}

#[test]
fn a_file_is_one_whole_label() {
    let ok = format!("\r\n^XA{FIELD}^XZ\r\n");
    assert_eq!(warned(&ok), [""; 0]);
    for (zpl, want) in [
        (String::new(), "line 1, byte 0: there is no label in it: a label begins with ^XA and ends with ^XZ"),
        ("oh".into(), "line 1, byte 0: \"oh\" stands outside of ^XA and ^XZ: delete it"),
        (
            format!("^XA{FIELD}"),
            "line 1, byte 0: this label has no end: end it with ^XZ; the file may have been cut short",
        ),
        (
            format!("{ok}^XA{FIELD}^XZ"),
            "line 3, byte 38: a second label begins here; a file is one label: delete what is not the label, or split the file",
        ),
        (
            format!("^XA{FIELD}^XA{FIELD}^XZ"),
            "line 1, byte 31: ^XA inside a label that has not ended: end it with ^XZ, or delete this ^XA",
        ),
        (
            format!("{FIELD}^XA{FIELD}^XZ"),
            "line 1, byte 0: ^FO stands outside of ^XA and ^XZ: delete it, or move it into the label",
        ),
        (format!("{ok}more"), "line 2, byte 36: \"more\" stands outside of ^XA and ^XZ: delete it"),
        ("^XA^PW812^XZ".into(), "line 1, byte 0: nothing in it is printed: a label has at least one field"),
        (
            format!("^XA{FIELD}^\nJUS^XZ"),
            "line 1, byte 31: \"^\" is no command: two characters must follow: delete it; a ^ that shall be read is written _5E behind ^FH, a ~ _7E",
        ),
        (
            format!("^XA{FIELD}\u{2}^XZ"),
            "line 1, byte 31: the control code 0x02 is ^XA to a printer: delete it, or write it as hex behind ^FH",
        ),
        (
            format!("^XA{FIELD}\0^XZ"),
            "line 1, byte 31: the control code 0x00 has no place in a label: delete it, or write it as hex behind ^FH",
        ),
        (
            "^XA^FO1,1^A0N,30,30^FD! u1 setvar \"a\" \"b\"^FS^XZ".into(),
            "line 1, byte 22: a Set-Get-Do line changes the printer or makes it answer: delete it; a ! that shall be read is written _21 behind ^FH",
        ),
        (
            format!("! U1 setvar \"power.dtr_power_off\" \"on\"\r\n{ok}"),
            "line 1, byte 0: a Set-Get-Do line changes the printer or makes it answer: delete it; a ! that shall be read is written _21 behind ^FH",
        ),
    ] {
        assert!(refused(&zpl).iter().any(|f| f == want), "{zpl:?}: wanted {want:?} in {:#?}", refused(&zpl));
    }
}

#[test]
fn a_label_that_is_too_much_is_refused_with_its_size() {
    let hex = "F0".repeat(2_000_000);
    let zpl = format!("^XA\n^FO0,0^GFA,2000000,2000000,100,{hex}^FS^XZ");
    assert_eq!(
        refused(&zpl),
        [
            "line 2, byte 10: the graphic ^GF has 4000022 bytes, its file 4000041 bytes: at most 1048576 bytes are taken: export it for this printer's dpi, black and white, compressed"
        ]
    );
    let zpl = format!("^XA{}^XZ", "^FX filler".repeat(200_000));
    assert_eq!(
        refused(&zpl),
        ["line 1, byte 0: the file has 2000006 bytes: at most 1048576 bytes are taken; a label has some thousand"]
    );
    let zpl = format!("^XA{}^XZ", "^FO1,1^GB9,9,9^FS".repeat(FIELDS_MAX + 5));
    assert!(refused(&zpl)[0].contains("more than 2000 fields"), "{:?}", refused(&zpl));
    let codes = "^FO1,1^BQN,2,2^FDQA,1^FS".repeat(51);
    assert_eq!(
        refused(&format!("^XA{codes}^XZ")).pop().expect("one").split(": ").nth(1),
        Some("more than 50 barcodes")
    );
    // A loop of recalls ends at the first one.
    let zpl = format!("^XA{}^XZ", "^XFR:LOOP.ZPL^FS".repeat(10_000));
    let findings = gate(zpl.as_bytes()).expect_err("recalls");
    assert_eq!(findings.list.len(), 100);
    assert!(findings.to_string().contains("findings more"));
}

#[test]
fn settings_that_stay_pass_with_a_word() {
    for (command, want) in [
        (
            "^PR4",
            "line 1, byte 31: ^PR sets the printing speed, and stays until the printer is switched off: delete it if the design is yours",
        ),
        (
            "^MMT",
            "line 1, byte 31: ^MM sets tear-off mode, and stays until the printer is switched off: delete it if the design is yours",
        ),
        (
            "^LS0",
            "line 1, byte 31: ^LS moves the label sideways in place of the printer's own adjustment, and stays: delete it if the design is yours",
        ),
        (
            "^A@N,30,30,E:TT0003M_.FNT",
            "line 1, byte 31: ^A@ prints in a font that is stored in the printer, or not: use font 0 where you can",
        ),
    ] {
        assert_eq!(warned(&format!("^XA{FIELD}{command}^XZ")), [want]);
    }
    for command in
        ["^POI", "^PMN", "^LRN", "^MNY", "^MCY", "^JMA", "^CI28", "^CI13", "^LH0,0", "^CF0,30", "^FWN", "^PQ1,0,1,Y"]
    {
        assert_eq!(warned(&format!("^XA{FIELD}{command}^XZ")), [""; 0], "{command}");
    }
}

#[test]
fn a_character_set_that_is_not_said_is_said() {
    let text = |set: &str| warned(&format!("^XA{set}^FO50,50^A0N,30,30^FDä^FS^XZ"));
    assert_eq!(text("^CI28"), [""; 0]);
    assert_eq!(
        text(""),
        [
            "line 1, byte 24: a character beyond ASCII, and the label does not say its character set: look whether it is printed as it is meant; ^CI28 is UTF-8"
        ]
    );
}

/// Findings of one drawing on a stock.
fn drawn(zpl: &str, size: &str, dpi: Dpi) -> Vec<String> {
    let zpl = format!("^XA{zpl}^XZ");
    let findings = match inspect(zpl.as_bytes(), stock(size), dpi) {
        Ok(foreign) => foreign.warnings,
        Err(findings) => findings,
    };
    findings.list.iter().map(|f| format!("{:?} {}: {}", f.severity, f.what, f.remedy)).collect()
}

#[test]
fn what_leaves_the_stock_or_cannot_be_scanned_is_said() {
    const NOTHING: [&str; 0] = [];
    // A Code 128 of 11 characters of subset B has 13 symbols and 156 modules.
    for (zpl, size, dpi, want) in [
        ("^FO100,50^BY2^BCN,80,N,N,N^FDR26AB12345C^FS", "4x3", Dpi::D203, &NOTHING[..]),
        (
            "^FO100,50^BY1^BCN,80,N,N,N^FDR26AB12345C^FS",
            "4x3",
            Dpi::D203,
            &[
                "Warn the bars of its Code 128 are 1 dots or 0.13 mm wide at 203 dpi: make them at least 2 dots: scanners miss thinner ones on worn labels",
            ],
        ),
        (
            "^FO100,50^BY2^BCN,80,N,N,N^FDR26AB12345C^FS",
            "4x3",
            Dpi::D300,
            &[
                "Warn the bars of its Code 128 are 2 dots or 0.17 mm wide at 300 dpi: make them at least 3 dots: scanners miss thinner ones on worn labels",
            ],
        ),
        ("^FO100,50^BY6^BCN,80,N,N,N^FDR26^FS", "4x3", Dpi::D600, &NOTHING),
        (
            "^FO100,50^BY3^BCN,80,N,N,N^FD3100121090012345678901234567ABCD^FS",
            "2x1",
            Dpi::D203,
            &[
                "Refuse its Code 128 of 32 characters is 145.3 mm long and leaves the stock, which has 50.8 mm that way: at most 6 characters of this kind fit from where it begins: shorten the data, narrow the bars or use larger stock",
            ],
        ),
        (
            "^FO100,50^BY3^BCN,80,N,N,N^FD>;31001210900123456789012345678901^FS",
            "3x2",
            Dpi::D203,
            &[
                "Refuse its Code 128 of 34 characters is 79.2 mm long and leaves the stock, which has 76.2 mm that way: at most 26 characters of this kind fit from where it begins: shorten the data, narrow the bars or use larger stock",
            ],
        ),
        (
            "^FO100,500^BY2^BCR,80,N,N,N^FDR26AB12345C^FS",
            "4x3",
            Dpi::D203,
            &[
                "Refuse its Code 128 of 11 characters is 39.0 mm long and leaves the stock, which has 76.2 mm that way: move it, or use larger stock",
            ],
        ),
        (
            "^FO10,50^BY2^BCN,80,N,N,N^FDR26AB12345C^FS",
            "4x3",
            Dpi::D203,
            &["Warn its Code 128 needs 20 dots of clear space; the edge of the stock is nearer: move it inwards"],
        ),
        (
            "^FO100,50^BY2^BCN,80,N,N,N^FDR26AB12345C^FS\n^FO420,60^A0N,30,30^FDnext^FS",
            "4x3",
            Dpi::D203,
            &["Warn its Code 128 needs 20 dots of clear space; the field in line 2 stands in it: move them apart"],
        ),
        // In a frame, and below a text: nothing is too near.
        (
            "^FO20,20^GB700,200,3^FS^FO100,30^A0N,30,30^FDR26^FS^FO100,70^BY2^BCN,80,N,N,N^FDR26^FS",
            "4x3",
            Dpi::D203,
            &NOTHING,
        ),
        (
            "^FO300,100^BQN,2,5^FDQA,R26AB12345C^FS^FO280,100^GB4,200,4^FS",
            "4x3",
            Dpi::D203,
            &["Warn its QR code needs 20 dots of clear space; the field in line 1 stands in it: move them apart"],
        ),
        (
            "^FO750,100^BQN,2,5^FDQA,R26AB12345C^FS",
            "4x3",
            Dpi::D203,
            &[
                "Refuse its QR code of 14 characters is 13.1 mm long and leaves the stock, which has 101.6 mm that way: move it, or use larger stock",
            ],
        ),
        (
            "^FO100,100^A0N,60,60^FDA line of text that is far too long for this^FS",
            "3x2",
            Dpi::D203,
            &[
                "Warn the text \"A line of text that \" leaves the stock by 62.2 mm: move it, make it smaller or use larger stock",
            ],
        ),
        ("^FO100,100^A0N,60,60^FB400,4^FDA line of text that is far too long for this^FS", "3x2", Dpi::D203, &NOTHING),
        ("^FO0,0^GB812,609,4^FS", "4x3", Dpi::D203, &NOTHING),
        (
            "^FO0,0^GB812,900,4^FS",
            "4x3",
            Dpi::D203,
            &["Warn a box leaves the stock by 36.4 mm: move it, make it smaller or use larger stock"],
        ),
        (
            "^FO0,700^B7N,6,5^FDabc^FS",
            "4x3",
            Dpi::D203,
            &["Refuse a barcode begins beside the stock: move it, or use larger stock"],
        ),
        (
            "^PW812^LL1218^FO50,50^A0N,30,30^FDText^FS",
            "4x3",
            Dpi::D203,
            &["Warn ^LL1218 is 152 mm at 203 dpi, the stock is 4x3: use larger stock, or a label made for this one"],
        ),
        (
            "^PW812^LL1218^FO50,50^A0N,30,30^FDText^FS",
            "4x6",
            Dpi::D300,
            &[
                "Warn ^PW812 is this stock at 203 dpi; the printer has 300, so all would be printed in another size: ask for the label at 300 dpi",
                "Warn ^LL1218 is this stock at 203 dpi; the printer has 300, so all would be printed in another size: ask for the label at 300 dpi",
            ],
        ),
    ] {
        assert_eq!(drawn(zpl, size, dpi), want, "{zpl} on {size} at {dpi}");
    }
}

/// Bytes that are ZPL now and then.
fn nearly_zpl() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..6),
        "[\\^~][A-Z0-9@]{2}".prop_map(String::into_bytes),
        "-?[0-9]{0,9}[,.]".prop_map(String::into_bytes),
        Just(b"^XA".to_vec()),
        Just(b"^XZ".to_vec()),
        Just(b"^FO2147483647,-2147483648".to_vec()),
        "\\^(FO|FT|LH|BY|GB|GF|GC|GD|BC|BQ|BX|B3|B2|B7|BD|A0|FB|TB|CF|FW|PW|LL)[NRIB]?,?[0-9]{0,6}(,[0-9]{0,6}){0,4}"
            .prop_map(String::into_bytes),
        "\\^FD[ -]]{0,30}\\^FS".prop_map(String::into_bytes),
        Just(b"^FH^FD_C3_A4_^FS".to_vec()),
        "\\^FD(>[;:5-9])?[0-9]{0,20}\\^FS".prop_map(String::into_bytes),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_bytes_bring_the_gate_down(bytes in nearly_zpl(), dpi in 0..3usize) {
        match inspect(&bytes, stock("4x3"), Dpi::ALL[dpi]) {
            Ok(foreign) => {
                prop_assert_eq!(foreign.zpl, bytes);
                prop_assert!(!foreign.warnings.refused());
            }
            Err(findings) => {
                prop_assert!(findings.refused());
                prop_assert!(findings.list.iter().all(|f| f.byte <= bytes.len()));
                // Shown in a terminal: no byte of the file reaches it raw.
                prop_assert!(findings.to_string().chars().all(|c| c == '\n' || !c.is_control()));
            }
        }
    }

    #[test]
    fn what_passes_is_one_label_whatever_stands_in_it(data in "[ -\\]_`a-}]{0,60}") {
        let zpl = format!("^XA^FO10,10^A0N,30,30^FD{data}^FS^XZ");
        if let Ok(foreign) = inspect(zpl.as_bytes(), stock("4x3"), Dpi::D203) {
            let names: Vec<String> = lexer::commands(&foreign.zpl).map(|c| c.written()).collect();
            prop_assert_eq!(names, ["^XA", "^FO", "^A0", "^FD", "^FS", "^XZ"]);
        }
    }
}

#[test]
fn our_own_labels_pass_without_a_word() {
    let samples: serde_json::Value = serde_json::from_str(include_str!("../golden/papers.json")).expect("JSON");
    let mut seen = 0;
    for def in crate::label::names().filter(|def| samples.get(def.name).is_some()) {
        let label = crate::label::render(def.name, &samples[def.name], def.stock, Dpi::D203).expect("a label");
        let foreign =
            inspect(label.zpl.as_bytes(), def.stock, Dpi::D203).unwrap_or_else(|f| panic!("{}: {f}", def.name));
        assert!(foreign.warnings.is_empty(), "{}: {}", def.name, foreign.warnings);
        seen += 1;
    }
    assert!(seen >= 18, "{seen} papers seen");
}
