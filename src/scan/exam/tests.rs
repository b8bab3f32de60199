//! Scanners as they come, each with what the examination has to find. What they send is written out by hand.

use super::*;

const US: Expected = Expected { layout: Some(Layout::Us), suffix: Some(Suffix::Cr), serial: false };
const SERIAL: Expected = Expected { layout: None, suffix: Some(Suffix::Cr), serial: true };

/// The whole page as a scanner sends it that is set right, changed by `change`.
fn page(expected: Expected, change: impl Fn(&Probe, String) -> String) -> Exam {
    let mut exam = Exam::new(expected);
    for probe in &PROBES {
        let sent = change(probe, format!("]{}0{}\r", &probe.aim[..1], probe.data));
        let heard = exam.hear(sent.as_bytes(), false);
        match probe.number {
            11 => assert_eq!(heard, Heard::Last, "{sent:?}"),
            _ => assert_eq!(heard, Heard::Probe(probe), "{sent:?}"),
        }
    }
    exam
}

/// The findings as `kind: what`, and that each has a remedy.
fn told(exam: &Exam) -> Vec<String> {
    let findings = exam.findings();
    assert!(findings.iter().all(|f| f.remedy.len() > 10), "{findings:?}");
    findings.into_iter().map(|f| format!("{}: {}", f.kind, f.what)).collect()
}

#[test]
fn a_scanner_that_is_set_right_has_no_findings() {
    for expected in [US, SERIAL, Expected { suffix: None, ..SERIAL }, Expected { suffix: Some(Suffix::Any), ..US }] {
        assert_eq!(told(&page(expected, |_, sent| sent)), Vec::<String>::new(), "{expected:?}");
    }
    // The last one may be read as the QR code that stands beside it.
    let exam = page(SERIAL, |_, sent| sent.replace("]C0BACKDOCK-DONE", "]Q1BACKDOCK-DONE"));
    assert_eq!(told(&exam), Vec::<String>::new());
    // CR LF is fine where CR is expected, and a UPC-A number may come as an EAN-13.
    let exam = page(SERIAL, |_, sent| sent.replace('\r', "\r\n").replace("]E0012345678905", "]E00012345678905"));
    assert_eq!(told(&exam), Vec::<String>::new());
}

#[test]
fn another_keyboard_is_found_by_what_it_made_of_the_page() {
    // A German keyboard read as an American one.
    let mut exam = Exam::new(US);
    assert_eq!(exam.hear(b"C0BackDock/1&aqwzym><\\^\r", false), Heard::Probe(&PROBES[0]));
    assert_eq!(exam.hear(b"C0BACKDOCK/DONE\r", false), Heard::Last);
    let told_ = told(&exam);
    assert_eq!(told_[0], "layout: the scanner types on a keyboard \"de\", the configuration says \"us\"", "{told_:?}");
    assert!(exam.findings()[0].remedy.contains("layout = \"de\""));
    // A French one: digits come with Shift. The numbers alone tell it.
    let mut exam = Exam::new(US);
    assert_eq!(exam.hear(b"(%)^)))!#$#%@\r", false), Heard::Probe(&PROBES[3]));
    assert!(told(&exam)[0].contains("\"fr\""), "{:?}", told(&exam));
    // An American one read as a German one: the line of digits says nothing, the letters do.
    let german = Expected { layout: Some(Layout::De), ..US };
    let mut exam = Exam::new(german);
    assert_eq!(exam.hear(b"9506000134352\r", false), Heard::Probe(&PROBES[3]));
    assert!(!told(&exam).iter().any(|f| f.starts_with("layout")));
    assert_eq!(exam.hear("BackDock\u{df}1-aqwzymÖö§\"/#\r".as_bytes(), false), Heard::Probe(&PROBES[0]));
    assert!(told(&exam)[0].contains("a keyboard \"us\""), "{:?}", told(&exam));
}

#[test]
fn every_keyboard_is_found_whichever_one_is_expected() {
    for (_, read) in layout::NAMES {
        for (name, by) in layout::NAMES {
            let mut exam = Exam::new(Expected { layout: Some(read), ..US });
            for probe in [&PROBES[0], &PROBES[1], &PROBES[3]] {
                let mut bytes = keys::misread(probe.data, by, read).unwrap();
                bytes.push(b'\r');
                assert_eq!(exam.hear(&bytes, false), Heard::Probe(probe), "{by:?} read as {read:?}");
            }
            let found = told(&exam).into_iter().find(|f| f.starts_with("layout"));
            match by == read {
                true => assert_eq!(found, None, "{by:?}"),
                false => assert!(
                    found.as_ref().is_some_and(|f| f.contains(&format!("a keyboard {name:?}"))),
                    "{by:?} read as {read:?}: {found:?}"
                ),
            }
        }
    }
}

#[test]
fn letters_in_the_other_case_are_caps_lock() {
    let exam = page(US, |_, sent| {
        let turn = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
        sent.chars().map(turn).collect()
    });
    assert!(matches!(&told(&exam)[..], [one] if one.starts_with("caps_lock")), "{:?}", told(&exam));
    let exam = page(SERIAL, |_, sent| sent.to_ascii_uppercase());
    assert!(
        matches!(&told(&exam)[..], [one] if one == "case: all letters come as capital letters"),
        "{:?}",
        told(&exam)
    );
}

#[test]
fn separators_that_are_lost_or_replaced_are_named() {
    let exam = page(US, |_, sent| sent.replace(['\u{1d}', '\u{1e}', '\u{4}'], ""));
    let all = told(&exam);
    assert!(
        matches!(&all[..], [gs, rs, eot] if gs.contains("GS is lost") && gs.contains("(barcode 6, 7, 8)") && rs.contains("RS is lost") && eot.contains("EOT is lost")),
        "{all:?}"
    );
    assert!(exam.findings()[0].remedy.contains("HID POS"));
    let exam = page(SERIAL, |_, sent| sent.replace('\u{1d}', "<GS>"));
    assert!(matches!(&told(&exam)[..], [one] if one.contains("GS comes as \"<GS>\"")), "{:?}", told(&exam));
    assert!(exam.findings()[0].remedy.contains("ADF"));
    let exam = page(SERIAL, |_, sent| sent.replace('\u{1e}', "|"));
    assert!(matches!(&told(&exam)[..], [one] if one.contains("RS comes as \"|\"")), "{:?}", told(&exam));
    // Only one kind of barcode is concerned.
    let exam = page(SERIAL, |p, sent| if p.number == 6 { sent.replace('\u{1d}', "|") } else { sent });
    assert!(matches!(&told(&exam)[..], [one] if one.contains("GS comes as \"|\" (barcode 6)")), "{:?}", told(&exam));
}

#[test]
fn the_end_of_a_scan_is_compared_with_the_configuration() {
    use Suffix::*;
    for (suffix, sent, want, remedy) in [
        (Cr, "", Some("in nothing"), "idle"),
        (Cr, "\t", Some("end in tab"), "suffix = \"tab\""),
        (Cr, "\n", Some("end in lf"), "suffix = \"lf\""),
        (Cr, "\r\n", None, ""),
        (Lf, "\r\n", None, ""),
        (CrLf, "\r", Some("end in cr, "), "suffix = \"cr\""),
        (Tab, "\t", None, ""),
        (Idle, "", None, ""),
        (Idle, "\r", Some("part of the number"), "suffix = \"cr\""),
        (Any, "\t", None, ""),
        (Any, "", Some("waits for a silence"), "add CR suffix"),
    ] {
        let exam = page(Expected { suffix: Some(suffix), ..SERIAL }, |_, s| s.replace('\r', sent));
        match (exam.findings().as_slice(), want) {
            ([], None) => {}
            ([one], Some(want)) => {
                assert!(one.kind == "suffix" && one.what.contains(want) && one.remedy.contains(remedy), "{one:?}");
            }
            (all, _) => panic!("{suffix:?} {sent:?}: {all:?}"),
        }
    }
}

#[test]
fn what_is_put_around_the_data_or_taken_from_it_is_named() {
    let exam = page(SERIAL, |_, sent| format!("$${}", sent.replace('\r', "#\r")));
    let all = told(&exam);
    assert!(matches!(&all[..], [a, b] if a.contains("\"$$\" in front of") && b.contains("\"#\" behind")), "{all:?}");
    let shorter = |probe: &Probe, sent: String| match probe.number {
        3..=5 => format!("{}\r", &sent[..sent.len() - 2]),
        _ => sent,
    };
    let all = told(&page(SERIAL, shorter));
    assert_eq!(
        all,
        ["Interleaved 2 of 5", "EAN-13", "UPC-A"].map(|n| format!("check_digit: {n} comes without its check digit"))
    );
    let exam = page(SERIAL, |_, sent| sent.replace("]E0012345678905", "]E012345678905"));
    assert_eq!(told(&exam), ["leading_zero: UPC-A comes without its leading zero"]);
}

#[test]
fn barcodes_that_never_came_and_identifiers_that_are_not_sent_are_named() {
    let mut exam = Exam::new(SERIAL);
    for probe in PROBES.iter().filter(|p| !["PDF417", "Data Matrix"].contains(&p.name)) {
        exam.hear(format!("{}\r", probe.data).as_bytes(), false);
    }
    let all = told(&exam);
    assert!(
        matches!(&all[..], [dm, pdf, aim] if dm.contains("barcode 7 ") && pdf.contains("PDF417") && aim.contains("no scan has")),
        "{all:?}"
    );
    let exam = page(SERIAL, |p, sent| if p.number == 2 { sent.replace("]A0", "") } else { sent });
    assert_eq!(
        told(&exam),
        [
            "aim: 1 of 11 scans lack an AIM identifier, which tells a carrier's label from a serial number of the same form"
        ]
    );
}

#[test]
fn a_key_that_means_nothing_is_named_where_no_other_keyboard_explains_it() {
    let mut exam = page(US, |_, sent| sent);
    exam.hear(b"]C0BACKDOCK-DONE\r", true);
    assert!(matches!(&told(&exam)[..], [one] if one.starts_with("key: ")), "{:?}", told(&exam));
    let mut exam = Exam::new(US);
    exam.hear(b"C0BackDock/1&aqwzym><\\^\r", true);
    assert!(!told(&exam).iter().any(|f| f.starts_with("key")), "{:?}", told(&exam));
}

#[test]
fn what_is_no_barcode_of_the_page_is_not_guessed_at() {
    let mut exam = Exam::new(SERIAL);
    assert_eq!(exam.hear(b"\xf8\x80\x1b[2J\r", false), Heard::Strange);
    let all = exam.findings();
    assert!(all.len() == 1 && all[0].kind == "unreadable" && all[0].remedy.contains("baud"), "{all:?}");
    assert!(!all[0].what.contains('\u{1b}'), "{all:?}");
    // Two scans that ran into each other, then the page.
    let mut exam = page(SERIAL, |_, sent| sent);
    exam.hear(b"]A0BACKDOCK-2\r]I030614141000419\r", false);
    assert!(told(&exam)[0].starts_with("strange"), "{:?}", told(&exam));
    for _ in 0..1000 {
        exam.hear(&[b'x'; 5000], false);
    }
    assert!(exam.strange.len() <= STRANGE_MAX && exam.strange.iter().all(|s| s.len() < 400));
    assert!(told(&Exam::new(US)).is_empty(), "nothing was heard: nothing is known");
}
