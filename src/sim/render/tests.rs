//! Labels drawn from ZPL as a host would send it, looked at dot by dot.

use super::super::settings::Dpi;
use super::*;
use proptest::prelude::*;

fn drawn(zpl: &str) -> Picture {
    render(zpl.as_bytes(), Settings::new(Dpi::D203))
}

fn clean(zpl: &str) -> Picture {
    let picture = drawn(zpl);
    assert_eq!(picture.warnings, Vec::<String>::new(), "{zpl}");
    picture
}

/// The box around all ink: left, top, right, bottom, the last two exclusive.
fn inked(picture: &Picture) -> Option<(u32, u32, u32, u32)> {
    let mut edges: Option<(u32, u32, u32, u32)> = None;
    for y in 0..picture.height() {
        for x in 0..picture.width() {
            if picture.black(x, y) {
                let (l, t, r, b) = edges.unwrap_or((x, y, x, y));
                edges = Some((l.min(x), t.min(y), r.max(x + 1), b.max(y + 1)));
            }
        }
    }
    edges
}

/// Runs of black and white along a row, from the first black dot to the last.
fn runs(picture: &Picture, y: u32, from: u32, to: u32) -> Vec<u32> {
    let row: Vec<bool> = (from..to).map(|x| picture.black(x, y)).collect();
    row.chunk_by(|a, b| a == b).map(|run| u32::try_from(run.len()).expect("short")).collect()
}

#[test]
fn an_empty_label_has_the_size_asked_for() {
    let picture = clean("^XA^PW400^LL200^XZ");
    assert_eq!((picture.width(), picture.height()), (400, 200));
    assert_eq!(inked(&picture), None);
}

#[test]
fn text_stands_where_it_is_put() {
    let by_corner = clean("^XA^PW400^LL200^FO50,60^A0N,40^FDH^FS^XZ");
    let (left, top, _, bottom) = inked(&by_corner).expect("ink");
    assert!((50..56).contains(&left) && top >= 60 && bottom <= 100);
    // The foot of the letter on the baseline.
    let by_baseline = clean("^XA^PW400^LL200^FT50,100^A0N,40^FDH^FS^XZ");
    assert_eq!(inked(&by_baseline).map(|b| b.3), Some(100));
    let home = clean("^XA^PW400^LL200^LH50,60^FO0,0^A0N,40^FDH^FS^XZ");
    assert_eq!(inked(&home), inked(&by_corner));
    // Flush right: it ends where the field is.
    let right = clean("^XA^PW400^LL200^FO200,60,1^A0N,40^FDHHH^FS^XZ");
    let (_, _, r, _) = inked(&right).expect("ink");
    assert!((190..=200).contains(&r), "{r}");
}

#[test]
fn turned_text_keeps_its_corner_or_its_baseline() {
    for (turn, wide) in [("N", true), ("R", false), ("I", true), ("B", false)] {
        let zpl = format!("^XA^PW400^LL400^FO50,60^A0{turn},40^FDHHHH^FS^XZ");
        let (l, t, r, b) = inked(&clean(&zpl)).expect("ink");
        assert!(l >= 50 && t >= 60, "{turn}");
        assert_eq!(r - l > b - t, wide, "{turn}");
    }
    // Read from the bottom up with the baseline at x = 100: letters stand to its left, and go up.
    let (_, _, r, b) = inked(&clean("^XA^PW400^LL400^FT100,300^A0B,40^FDHHHH^FS^XZ")).expect("ink");
    assert_eq!(r, 100);
    assert!(b <= 300 && b > 290);
    // Turned clockwise: letters stand to the right of it, and go down.
    let (l, t, _, _) = inked(&clean("^XA^PW400^LL400^FT100,100^A0R,40^FDHHHH^FS^XZ")).expect("ink");
    assert_eq!(l, 100);
    assert!((100..110).contains(&t));
}

#[test]
fn what_one_format_turns_the_next_one_finds_turned() {
    let mut settings = Settings::new(Dpi::D203);
    for command in zpl::commands(b"^XA^FWR^XZ") {
        settings.apply(&command);
    }
    let picture = render(b"^XA^FO10,10^A0,40^FDHHHH^FS^XZ", settings);
    let (l, t, r, b) = inked(&picture).expect("ink");
    assert!(r - l < b - t);
}

#[test]
fn the_bars_of_a_code_128_are_exact() {
    let picture = clean("^XA^PW400^LL200^BY2^FO30,20^BCN,80,N^FD>;1234^FS^XZ");
    let (left, top, right, bottom) = inked(&picture).expect("ink");
    assert_eq!((left, top, bottom), (30, 20, 100));
    // Start C, 12, 34, check 82, stop.
    let wanted: Vec<u32> = "211232\
                            112232\
                            131123\
                            121241\
                            2331112"
        .bytes()
        .map(|b| u32::from(b - b'0') * 2)
        .collect();
    for y in [20, 60, 99] {
        assert_eq!(runs(&picture, y, left, right), wanted);
    }
}

#[test]
fn the_interpretation_line_is_below_above_or_absent() {
    let height = |zpl: &str| {
        let (_, t, _, b) = inked(&clean(zpl)).expect("ink");
        (t, b)
    };
    let without = height("^XA^PW400^LL300^FT30,150^BCN,80,N^FD1234^FS^XZ");
    assert_eq!(without, (70, 150));
    let below = height("^XA^PW400^LL300^FT30,150^BCN,80,Y^FD1234^FS^XZ");
    assert!(below.0 == 70 && below.1 > 155, "{below:?}");
    let above = height("^XA^PW400^LL300^FT30,150^BCN,80,Y,Y^FD1234^FS^XZ");
    assert!(above.0 < 65 && above.1 == 150, "{above:?}");
}

#[test]
fn a_qr_code_is_model_2_with_the_level_of_its_data() {
    let picture = clean("^XA^PW400^LL400^FO40,40^BQN,2,4^FDQA,R26D100007K^FS^XZ");
    let (l, t, r, b) = inked(&picture).expect("ink");
    assert_eq!((l, t, r - l, b - t), (40, 40, 21 * 4, 21 * 4));
    // A finder's middle row: 1 1 3 1 1 modules.
    assert_eq!(runs(&picture, 40 + 3 * 4, 40, 40 + 7 * 4), [4, 4, 12, 4, 4]);
    // The whole pattern is that of the encoder for the same data and level.
    let code = qrcode::QrCode::with_error_correction_level(b"R26D100007K", qrcode::EcLevel::Q).expect("a code");
    for y in 0..21 {
        for x in 0..21 {
            let dark = code[(x, y)] == qrcode::Color::Dark;
            let (px, py) = (40 + 4 * x + 1, 40 + 4 * y + 2);
            assert_eq!(picture.black(px as u32, py as u32), dark, "{x} {y}");
        }
    }
    let manual = clean("^XA^PW400^LL400^FO40,40^BQN,2,4^FDQM,AR26D100007K^FS^XZ");
    assert_eq!(inked(&manual), Some((l, t, r, b)));
    let low = clean("^XA^PW400^LL400^FO40,40^BQN,2,4,H^FDLA,R26D100007K R26D10^FS^XZ");
    assert_eq!(inked(&low).map(|b| b.2 - b.0), Some(21 * 4));
    assert!(!drawn("^XA^BQN,2,4^FDR26D100007K^FS^XZ").warnings.is_empty());
}

#[test]
fn reverse_fields_are_white_on_black() {
    let picture = clean("^XA^PW200^LL100^FO0,0^GB200,100,100^FS^FO20,20^FR^A0N,60^FDHH^FS^XZ");
    let white = (0..100).flat_map(|y| (0..200).map(move |x| (x, y))).filter(|(x, y)| !picture.black(*x, *y)).count();
    assert!(white > 300 && white < 6000, "{white}");
    assert!(picture.black(0, 0) && picture.black(199, 99));
}

#[test]
fn escapes_and_utf8_print_what_they_mean() {
    let direct = clean("^XA^CI28^PW400^LL100^FO10,10^A0N,40^FDé^FS^XZ");
    let escaped = clean("^XA^CI28^PW400^LL100^FO10,10^A0N,40^FH^FD_C3_A9^FS^XZ");
    assert_eq!(direct, escaped);
    assert_ne!(inked(&direct), None);
    let own = clean("^XA^CI28^PW400^LL100^FO10,10^A0N,40^FH\\^FD\\C3\\A9^FS^XZ");
    assert_eq!(direct, own);
}

#[test]
fn upside_down_is_the_same_label_turned() {
    let up = clean("^XA^PW101^LL50^FO3,4^GB10,20,1^FS^XZ");
    let down = clean("^XA^PW101^LL50^POI^FO3,4^GB10,20,1^FS^XZ");
    assert_eq!(inked(&up), Some((3, 4, 13, 24)));
    assert_eq!(inked(&down), Some((101 - 13, 50 - 24, 101 - 3, 50 - 4)));
}

#[test]
fn nothing_unknown_is_passed_over() {
    for (zpl, wanted) in [
        ("^XA^XGR:LOGO.GRF,1,1^FS^XZ", "^XG is not known"),
        ("^XA^FO1,1^BXN,5,200^FDdata^FS^XZ", "^BX is drawn as a crossed box"),
        ("^XA^FO1,1^A0N,20^FDa~ZZb^FS^XZ", "~ZZ is not known"),
        ("^XA^FO1,1^GFB,4,4,1,ab^FS^XZ", "^GF: ^GFB: only"),
        ("^XA^FDone^FS^XA^FDtwo^FS^XZ", "a second ^XA"),
        ("^XA^FDone^FSoh no^XZ", "stray text `oh no`"),
        ("^XA^CI17^FDone^FS^XZ", "^CI17 is read as"),
        ("^XA^A@N,20,20,E:X.TTF^FDone^FS^XZ", "^A@ is drawn"),
        ("^XA^BCN,50^FD\u{e9}^FS^XZ", "^BC: byte 0xC3"),
        ("^XA^GB32000,32000,5^FS^XZ", "too much to draw"),
    ] {
        let warnings = drawn(zpl).warnings;
        let found = warnings.iter().any(|w| w.contains(wanted));
        assert!(found, "{zpl}: {warnings:?}");
    }
}

#[test]
fn the_png_reads_back() {
    let picture = clean("^XA^PW101^LL50^FO3,4^GB10,20,1^FS^XZ");
    let file = png(&picture).expect("encoded");
    let mut reader = png::Decoder::new(io::Cursor::new(file)).read_info().expect("a header");
    let mut rows = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut rows).expect("a frame");
    assert_eq!((info.width, info.height), (101, 50));
    assert_eq!(info.bit_depth, png::BitDepth::One);
    for y in 0..50u32 {
        for x in 0..101u32 {
            let byte = rows[y as usize * info.line_size + x as usize / 8];
            let black = byte & (0x80 >> (x % 8)) == 0;
            assert_eq!(black, picture.black(x, y), "{x},{y}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = render(&bytes, Settings::new(Dpi::D203));
    }

    #[test]
    fn no_commands_panic(
        commands in proptest::collection::vec(
            ("(FO|FT|A0|AA|AZ|CF|FB|FD|FH|FR|FW|GB|GC|GD|GF|BC|BQ|BY|BX|CI|LH|LR|PO|FS)",
             "[-NRIBYAUQML0-9,_>]{0,16}"), 0..20)
    ) {
        // A small label, so that the time goes into what is drawn.
        let mut zpl = String::from("^XA^PW200^LL200");
        for (name, data) in commands {
            zpl.push_str(&format!("^{name}{data}"));
        }
        let picture = render(zpl.as_bytes(), Settings::new(Dpi::D203));
        prop_assert_eq!((picture.width(), picture.height()), (200, 200));
    }
}
