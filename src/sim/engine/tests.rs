//! The printer's behaviour, each as a host would see it. Time is a number here.

mod faults;
mod random;

use super::super::status;
use super::*;

const HOST: Conn = 1;
/// Time for one label.
const LABEL: u64 = 100;

fn printer(faults: &[&str]) -> Engine {
    Engine::new(Options {
        label_time: Duration::from_millis(LABEL),
        odometer: 1000,
        silent_in_error: false,
        faults: faults.iter().map(|f| f.parse().expect("a fault")).collect(),
        ..Options::default()
    })
}

fn label(text: &str) -> String {
    format!("^XA^FO10,10^A0N,30^FD{text}^FS^XZ")
}

/// Sends and returns what was answered, all connections together.
fn send(engine: &mut Engine, text: &str, now: u64) -> String {
    let taken = engine.receive(HOST, text.as_bytes(), now);
    answers(&taken.replies)
}

fn answers(replies: &[Reply]) -> String {
    replies
        .iter()
        .map(|reply| match reply {
            Reply::Bytes { bytes, .. } => String::from_utf8_lossy(bytes).into_owned(),
            Reply::Reset { conn } => format!("[reset {conn}]"),
        })
        .collect()
}

/// A field of a line of `~HS`, both from 0.
fn host_status(engine: &mut Engine, line: usize, field: usize, now: u64) -> String {
    let answer = send(engine, "~HS", now);
    let line = answer.split("\r\n").nth(line).expect("a line");
    let body = line.trim_start_matches('\x02').trim_end_matches('\x03');
    body.split(',').nth(field).expect("a field").to_owned()
}

fn odometer(engine: &mut Engine, now: u64) -> String {
    send(engine, "! U1 getvar \"odometer.total_label_count\"\r\n", now)
}

/// The texts of the labels that came out; a damaged one in brackets.
fn printed(engine: &Engine) -> Vec<String> {
    let text = |label: &Label| {
        let zpl = String::from_utf8_lossy(&label.zpl).into_owned();
        let data = zpl.split("^FD").nth(1).unwrap_or("").to_owned();
        let data = data.split("^FS").next().unwrap_or("").to_owned();
        if label.damaged { format!("({data})") } else { data }
    };
    engine.labels().iter().map(text).collect()
}

/// Lets time pass up to `until`, waking whenever the printer asks to.
fn pass(engine: &mut Engine, until: u64) -> String {
    let mut replies = Vec::new();
    while let Some(at) = engine.next_wake().filter(|at| *at <= until) {
        replies.extend(engine.tick(at));
    }
    replies.extend(engine.tick(until));
    answers(&replies)
}

#[test]
fn a_label_takes_its_time_and_then_counts() {
    let mut e = printer(&[]);
    assert_eq!(odometer(&mut e, 0), "\"1000\"");
    assert_eq!(send(&mut e, &label("one"), 0), "");
    assert_eq!(e.next_wake(), Some(LABEL));
    pass(&mut e, LABEL - 1);
    assert_eq!(printed(&e), [""; 0]);
    assert_eq!(odometer(&mut e, LABEL - 1), "\"1000\"");
    pass(&mut e, LABEL);
    assert_eq!(printed(&e), ["one"]);
    assert_eq!(&*e.labels()[0].zpl, label("one").as_bytes());
    assert_eq!((e.labels()[0].number, e.labels()[0].at_ms), (1, LABEL));
    assert_eq!(odometer(&mut e, LABEL), "\"1001\"");
    assert_eq!(e.next_wake(), None);
}

#[test]
fn a_late_tick_does_not_make_labels_late() {
    let mut e = printer(&[]);
    for text in ["one", "two", "three"] {
        send(&mut e, &label(text), 0);
    }
    e.tick(10_000);
    let times: Vec<u64> = e.labels().iter().map(|l| l.at_ms).collect();
    assert_eq!(times, [LABEL, 2 * LABEL, 3 * LABEL]);
}

#[test]
fn status_counts_formats_and_labels() {
    let mut e = printer(&[]);
    let three = label("a").replace("^XZ", "^PQ3^XZ");
    send(&mut e, &three, 0);
    send(&mut e, &label("b"), 0);
    send(&mut e, "^XA^FDopen", 0);
    assert_eq!(host_status(&mut e, 0, 4, 0), "001");
    assert_eq!(host_status(&mut e, 0, 7, 0), "1");
    assert_eq!(host_status(&mut e, 1, 8, 0), "00000003");
    pass(&mut e, 2 * LABEL);
    assert_eq!(host_status(&mut e, 1, 8, 2 * LABEL), "00000001");
    send(&mut e, "^FS^XZ", 2 * LABEL);
    pass(&mut e, 10 * LABEL);
    assert_eq!(printed(&e), ["a", "a", "a", "b", "open"]);
    assert_eq!(host_status(&mut e, 0, 4, 10 * LABEL), "000");
    assert_eq!(host_status(&mut e, 1, 8, 10 * LABEL), "00000000");
}

#[test]
fn no_time_at_all_prints_at_once_but_a_huge_quantity_does_not_hang() {
    let mut e = Engine::new(Options { label_time: Duration::ZERO, ..Options::default() });
    send(&mut e, &label("one"), 5);
    assert_eq!(printed(&e), ["one"]);
    send(&mut e, "^XA^FDmany^FS^PQ99999999^XZ", 5);
    assert!(e.labels().len() < 5_000);
    assert_eq!(e.next_wake(), Some(5));
    for _ in 0..20 {
        e.tick(5);
    }
    assert!(e.labels().len() <= 10_000, "old labels are forgotten");
}

#[test]
fn settings_alone_feed_no_label_and_stay() {
    let mut e = printer(&[]);
    send(&mut e, "^XA^LL400^MTT^MMC^XZ", 0);
    assert_eq!(e.next_wake(), None);
    assert_eq!(host_status(&mut e, 0, 3, 0), "0400");
    assert_eq!(host_status(&mut e, 1, 4, 0), "1");
    assert_eq!(host_status(&mut e, 1, 5, 0), "3");
    send(&mut e, &label("one"), 0);
    pass(&mut e, LABEL);
    assert_eq!(e.labels()[0].picture().height(), 400);
}

#[test]
fn a_command_acts_at_once_though_formats_wait() {
    let mut e = printer(&[]);
    for text in ["one", "two", "three"] {
        send(&mut e, &label(text), 0);
    }
    assert!(send(&mut e, "~HS", 10).starts_with("\x02030,0,0,"));
    // What waits is gone; what is under the head comes out.
    send(&mut e, "^XA^FDopen~JA", 10);
    pass(&mut e, 1000);
    assert_eq!(printed(&e), ["one"]);
    assert_eq!(host_status(&mut e, 0, 7, 1000), "0");
    assert_eq!(e.formats(), 0);
}

#[test]
fn hostile_data_that_was_not_escaped_does_what_it_says() {
    let mut e = printer(&[]);
    let sent = send(&mut e, &label("ABC^XZ~JR"), 0);
    assert_eq!(sent, "[reset 1]");
    assert_eq!(e.formats(), 0);
}

#[test]
fn pause_lets_the_label_finish_and_waits() {
    let mut e = printer(&[]);
    send(&mut e, &label("one"), 0);
    send(&mut e, &label("two"), 0);
    send(&mut e, "~PP", 50);
    pass(&mut e, 1000);
    assert_eq!(printed(&e), ["one"]);
    assert_eq!(host_status(&mut e, 0, 2, 1000), "1");
    send(&mut e, "~PS", 1000);
    pass(&mut e, 1000 + LABEL);
    assert_eq!(printed(&e), ["one", "two"]);
    // `^PP` pauses after its own format.
    send(&mut e, "^XA^FDthree^FS^PP^XZ^XA^FDfour^FS^XZ", 2000);
    pass(&mut e, 3000);
    assert_eq!(printed(&e).last().map(String::as_str), Some("three"));
}

#[test]
fn the_odometer_may_lag_behind_the_paper() {
    let mut e = Engine::new(Options {
        label_time: Duration::from_millis(LABEL),
        settle: Duration::from_millis(300),
        ..Options::default()
    });
    send(&mut e, &label("one"), 0);
    pass(&mut e, LABEL + 299);
    assert_eq!(printed(&e), ["one"]);
    assert_eq!(odometer(&mut e, LABEL + 299), "\"1000\"");
    assert_eq!(odometer(&mut e, LABEL + 300), "\"1001\"");
}

#[test]
fn a_full_buffer_takes_no_more() {
    let one = label("one");
    let mut e = Engine::new(Options {
        label_time: Duration::from_millis(LABEL),
        receive_buffer: one.len() * 2,
        ..Options::default()
    });
    let three = one.repeat(3);
    let taken = e.receive(HOST, three.as_bytes(), 0);
    assert_eq!(taken.bytes, one.len() * 2);
    assert_eq!(e.room(), 0);
    pass(&mut e, LABEL);
    assert_eq!(e.room(), one.len());
    let rest = &three.as_bytes()[taken.bytes..];
    assert_eq!(e.receive(HOST, rest, LABEL).bytes, rest.len());
    pass(&mut e, 3 * LABEL);
    assert_eq!(printed(&e).len(), 3);
}

#[test]
fn two_hosts_do_not_mix_within_a_format() {
    let mut e = printer(&[]);
    e.receive(1, b"^XA^FDfirst", 0);
    e.receive(2, b"^XA^FDsecond^FS^XZ", 0);
    e.receive(1, b"^FS^XZ", 0);
    pass(&mut e, 1000);
    assert_eq!(printed(&e), ["second", "first"]);
}

#[test]
fn device_reset_and_counter_reset() {
    let mut e = printer(&[]);
    let user = "! U1 getvar \"odometer.user_label_count\"\r\n";
    send(&mut e, &label("one"), 0);
    pass(&mut e, 1000);
    assert_eq!(send(&mut e, user, 1000), "\"1\"");
    send(&mut e, "! U1 setvar \"odometer.user_label_count\" \"0\"\r\n", 1000);
    assert_eq!(send(&mut e, user, 1000), "\"0\"");
    assert_eq!(send(&mut e, "! U1 setvar \"odometer.total_label_count\" \"0\"\r\n", 1000), "");
    assert_eq!(odometer(&mut e, 1000), "\"1001\"");
    send(&mut e, &label("two"), 1000);
    assert_eq!(send(&mut e, "! U1 do \"device.reset\" \"\"\r\n", 1000), "[reset 1]");
    pass(&mut e, 5000);
    assert_eq!(printed(&e), ["one"]);
}

#[test]
fn controls_are_read_as_words() {
    assert_eq!("paper-out".parse(), Ok(Control::Begin(Trouble::PaperOut)));
    assert_eq!(" end  head-open ".parse(), Ok(Control::End(Trouble::HeadOpen)));
    assert_eq!("end".parse(), Ok(Control::EndAll));
    for wrong in ["", "paper", "end paper", "end pause now", "pause now"] {
        assert!(wrong.parse::<Control>().is_err(), "{wrong}");
    }
}

#[test]
fn the_memory_answer_is_three_numbers() {
    let mut e = printer(&[]);
    assert_eq!(send(&mut e, "~HM", 0).as_bytes(), status::memory());
}
