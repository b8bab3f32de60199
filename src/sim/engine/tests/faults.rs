//! Everything that goes wrong, by its name, and how a hand mends it.

use super::*;

#[test]
fn paper_out_stops_before_the_label_until_mended() {
    for (fault, line, field, bits) in [
        ("paper-out@2", 0, 1, "00010001"),
        ("ribbon-out@2", 1, 3, "00010002"),
        ("head-open@2", 1, 2, "00010004"),
        ("over-temp@2", 0, 11, "00000010"),
        ("pause@2", 0, 2, "00010000"),
    ] {
        let mut e = printer(&[fault]);
        send(&mut e, &label("one"), 0);
        send(&mut e, &label("two"), 0);
        pass(&mut e, 1000);
        assert_eq!(printed(&e), ["one"], "{fault}");
        assert_eq!(host_status(&mut e, line, field, 1000), "1", "{fault}");
        let errors = send(&mut e, "~HQES", 1000);
        assert!(errors.contains(&format!("ERRORS:         1 00000000 {bits}")), "{errors}");
        assert_eq!(odometer(&mut e, 1000), "\"1001\"");
        let trouble = fault.split('@').next().expect("a name");
        e.control(format!("end {trouble}").parse().expect("a control"), 2000);
        pass(&mut e, 2000 + LABEL);
        assert_eq!(printed(&e), ["one", "two"], "{fault}");
        assert_eq!(host_status(&mut e, line, field, 3000), "0", "{fault}");
    }
}

#[test]
fn a_trouble_with_seconds_mends_itself() {
    let mut e = printer(&["paper-out@1:2.5"]);
    send(&mut e, &label("one"), 100);
    pass(&mut e, 2599);
    assert!(e.has(Trouble::PaperOut));
    pass(&mut e, 2600 + LABEL);
    assert_eq!(printed(&e), ["one"]);
    assert_eq!(e.labels()[0].at_ms, 2600 + LABEL);
}

#[test]
fn a_printer_in_error_may_say_nothing_at_all() {
    let mut e = Engine::new(Options { faults: vec!["paper-out@1".parse().expect("a fault")], ..Options::default() });
    send(&mut e, &label("one"), 0);
    for question in ["~HS", "~HI", "~HQES", "~HM", "! U1 getvar \"device.unique_id\"\r\n"] {
        assert_eq!(send(&mut e, question, 10), "", "{question}");
    }
    // Pause alone is no error.
    e.control(Control::EndAll, 20);
    e.control(Control::Begin(Trouble::Paused), 20);
    assert_ne!(send(&mut e, "~HS", 30), "");
}

#[test]
fn paper_out_in_the_middle_prints_the_label_again() {
    let mut e = printer(&["paper-out-mid@2:1"]);
    send(&mut e, &label("one"), 0);
    send(&mut e, &label("two"), 0);
    pass(&mut e, 5000);
    assert_eq!(printed(&e), ["one", "(two)", "two"]);
    // The waste is not counted.
    assert_eq!(odometer(&mut e, 5000), "\"1002\"");
    let numbers: Vec<u64> = e.labels().iter().map(|l| l.number).collect();
    assert_eq!(numbers, [1, 2, 3]);
}

#[test]
fn without_reprint_the_interrupted_label_is_lost() {
    let mut e = printer(&["paper-out-mid@1:1"]);
    send(&mut e, "^XA^JZN^XZ", 0);
    send(&mut e, &label("one"), 0);
    send(&mut e, &label("two"), 0);
    pass(&mut e, 5000);
    assert_eq!(printed(&e), ["(one)", "two"]);
    assert_eq!(odometer(&mut e, 5000), "\"1001\"");
}

#[test]
fn opening_the_head_by_hand_interrupts_too() {
    let mut e = printer(&[]);
    send(&mut e, &label("one"), 0);
    e.control(Control::Begin(Trouble::HeadOpen), LABEL / 2);
    e.control(Control::End(Trouble::HeadOpen), 1000);
    pass(&mut e, 2000);
    assert_eq!(printed(&e), ["(one)", "one"]);
}

#[test]
fn a_reset_leaves_an_open_format_that_the_next_host_goes_on_in() {
    let mut e = printer(&["reset@2"]);
    send(&mut e, &label("one"), 0);
    let long = label(&"x".repeat(200));
    let taken = e.receive(HOST, long.as_bytes(), 0);
    assert_eq!(taken.replies, [Reply::Reset { conn: HOST }]);
    assert_eq!(taken.bytes, 64, "the rest was in flight");
    assert!(!e.connected(HOST));
    pass(&mut e, 1000);
    assert_eq!(printed(&e), ["one"]);
    // A new connection sees the open format, and is printed into it.
    let other = e.receive(2, b"~HS", 1000);
    assert!(answers(&other.replies).starts_with("\x02030,0,0,1216,000,0,0,1,"));
    e.receive(2, label("two").as_bytes(), 1000);
    pass(&mut e, 2000);
    let both = &e.labels()[1];
    assert_eq!(both.zpl[..64], long.as_bytes()[..64]);
    assert!(both.warnings().iter().any(|w| w.contains("a second ^XA")));
}

#[test]
fn a_reset_of_a_short_format_takes_its_end() {
    let mut e = printer(&["reset@1"]);
    let taken = e.receive(HOST, b"^XA^FDa^FS^XZ", 0);
    assert_eq!(taken.replies, [Reply::Reset { conn: HOST }]);
    // `~JX` would be the other connection's own; `~JA` clears what is left.
    e.receive(2, b"~JA", 0);
    e.receive(2, label("two").as_bytes(), 0);
    pass(&mut e, 1000);
    assert_eq!(printed(&e), ["two"]);
}

#[test]
fn power_off_loses_everything_but_the_odometer() {
    let mut e = printer(&["power-off@2:3"]);
    send(&mut e, "^XA^LL400^XZ", 0);
    for text in ["one", "two", "three"] {
        send(&mut e, &label(text), 0);
    }
    let happened = pass(&mut e, 1000);
    assert_eq!(happened, "[reset 1]");
    assert!(!e.listening() && !e.connect(2));
    assert_eq!(e.receive(2, b"~HS", 1000).bytes, 0);
    pass(&mut e, LABEL + LABEL / 2 + 3000);
    assert!(e.listening());
    assert_eq!(printed(&e), ["one"]);
    assert_eq!(odometer(&mut e, 9000), "\"1001\"");
    assert_eq!(host_status(&mut e, 0, 3, 9000), "1216", "settings are forgotten");
    send(&mut e, &label("again"), 9000);
    pass(&mut e, 9000 + LABEL);
    assert_eq!(printed(&e), ["one", "again"]);
}

#[test]
fn never_read_stops_at_the_label_and_holds_the_bytes_back() {
    let mut e = printer(&["never-read@2"]);
    send(&mut e, &label("one"), 0);
    let two = label("two");
    let taken = e.receive(HOST, two.as_bytes(), 0);
    assert_eq!(taken.bytes, 3, "`^XA` and no more");
    assert_eq!(e.room(), 0);
    assert!(e.connected(HOST) && e.listening());
    pass(&mut e, 1000);
    assert_eq!(printed(&e), ["one"]);
    e.control(Control::End(Trouble::NeverRead), 1000);
    assert_eq!(e.receive(HOST, &two.as_bytes()[3..], 1000).bytes, two.len() - 3);
    pass(&mut e, 2000);
    assert_eq!(printed(&e), ["one", "two"]);
}

#[test]
fn answers_fail_from_the_label_on() {
    let healthy = send(&mut printer(&[]), "~HS", 0);
    for (fault, check) in [
        ("silent@1", (|a, _| a.is_empty()) as fn(&str, &str) -> bool),
        ("half@1", |a, h| a.len() == h.len() / 2 && h.starts_with(a)),
        ("garbage@1", |a, _| !a.contains('\x02') && !a.contains(',') && !a.is_empty()),
    ] {
        let mut e = printer(&[fault]);
        assert_eq!(send(&mut e, "~HS", 0), healthy, "{fault}");
        send(&mut e, &label("one"), 0);
        pass(&mut e, 1000);
        assert_eq!(printed(&e), ["one"], "{fault}: it prints all the same");
        let answer = send(&mut e, "~HS", 1000);
        assert!(check(&answer, &healthy), "{fault}: {answer:?}");
        e.control(Control::EndAll, 2000);
        assert_eq!(send(&mut e, "~HS", 2000), healthy, "{fault}");
    }
}

#[test]
fn refuse_hangs_up_and_takes_nobody() {
    let mut e = printer(&["refuse@2:4"]);
    send(&mut e, &label("one"), 0);
    pass(&mut e, 500);
    assert_eq!(send(&mut e, &label("two"), 500), "[reset 1]");
    assert!(!e.connect(2));
    pass(&mut e, 4500);
    assert!(e.connect(2));
    assert_eq!(odometer(&mut e, 4500), "\"1001\"");
    assert_eq!(printed(&e), ["one"]);
}

#[test]
fn another_printer_may_stand_at_the_address() {
    let mut e = printer(&["swap@2"]);
    let serial = "! U1 getvar \"device.unique_id\"\r\n";
    send(&mut e, &label("one"), 0);
    pass(&mut e, 500);
    let before = send(&mut e, serial, 500);
    assert_eq!(odometer(&mut e, 500), "\"1001\"");
    assert_eq!(send(&mut e, &label("two"), 500), "[reset 1]");
    pass(&mut e, 1000);
    assert_eq!(printed(&e), ["one"]);
    // The count alone would prove a label that never was.
    assert_eq!(odometer(&mut e, 1000), "\"1002\"");
    assert_ne!(send(&mut e, serial, 1000), before);
}

#[test]
fn a_label_may_be_swallowed_or_counted_twice() {
    let mut e = printer(&["lost-label@2", "extra@3"]);
    for text in ["one", "two", "three"] {
        send(&mut e, &label(text), 0);
    }
    pass(&mut e, 1000);
    assert_eq!(printed(&e), ["one", "three"]);
    assert_eq!(odometer(&mut e, 1000), "\"1003\"");
}

#[test]
fn a_label_that_was_out_already_is_printed_and_counted_again() {
    let mut e = printer(&["reprint@1:2"]);
    send(&mut e, &label("one"), 0);
    pass(&mut e, 1000);
    assert!(e.has(Trouble::PaperOut));
    assert_eq!((printed(&e), e.odometer()), (vec!["one".to_owned()], 1001));
    pass(&mut e, 5000);
    assert_eq!((printed(&e), e.odometer()), (vec!["one".to_owned(), "one".to_owned()], 1002));
    let mut e = printer(&["reprint@1:2"]);
    send(&mut e, "^XA^JZN^XZ", 0);
    send(&mut e, &label("one"), 0);
    pass(&mut e, 5000);
    assert_eq!(e.odometer(), 1001, "^JZN: what was interrupted stays so");
    e.set_odometer(7);
    assert_eq!(odometer(&mut e, 5000), "\"7\"");
}

#[test]
fn faults_of_a_batch_strike_inside_it_or_at_the_next_format() {
    let mut e = printer(&["paper-out@3:1", "silent@2"]);
    send(&mut e, "^XA^FDa^FS^PQ4^XZ", 0);
    pass(&mut e, 2 * LABEL + 999);
    assert_eq!(printed(&e).len(), 2);
    assert_ne!(send(&mut e, "~HS", 2 * LABEL + 999), "", "label 2 began no format");
    pass(&mut e, 5000);
    assert_eq!(printed(&e).len(), 4);
    send(&mut e, &label("b"), 5000);
    assert_eq!(send(&mut e, "~HS", 5000), "");
}
