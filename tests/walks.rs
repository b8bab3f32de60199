//! Five companies, five RMAs, each walked from the request to its last unit closed through the real
//! binary: desk, dock, bench, vendor and back.
//!
//! What must come out stands in `tests/walks/*.toml`, written by hand from the companies' processes
//! before anything was run; what is scanned stands in the tapes beside them. Labels and messages are held
//! against `tests/walks/golden/`; `UPDATE=1` writes those anew, to be read by a person before they count.

#[path = "walks/demos.rs"]
mod demos;
#[path = "walks/expect.rs"]
mod expect;
#[path = "walks/golden.rs"]
mod golden;
#[path = "walks/play.rs"]
mod play;
mod support;

#[test]
fn a_voip_reseller() {
    play::walk("a");
}

#[test]
fn b_security_dvr() {
    play::walk("b");
}

#[test]
fn c_unex() {
    play::walk("c");
}

#[test]
fn d_server_technology() {
    play::walk("d");
}

#[test]
fn e_smartwitness() {
    play::walk("e");
}

#[test]
fn the_morning_of_a_voip_reseller() {
    demos::demo("voip-reseller", &["REPLACE", "DIAGNOSE", "ROUTE", "HOLD"], &["PARTIAL", "STOP"]);
}

/// Received for warranty or not, and diagnosed; without a ticket held.
#[test]
fn the_morning_of_a_security_dvr_maker() {
    demos::demo("security-dvr", &["DIAGNOSE", "HOLD"], &["PARTIAL"]);
}

/// The MAC counts here, and who is out of warranty hears a price.
#[test]
fn the_morning_of_unex() {
    demos::demo("unex", &["DIAGNOSE", "QUOTE", "HOLD"], &["FINISH UNIT", "SCAN MAC"]);
}

#[test]
fn the_morning_of_server_technology() {
    demos::demo("server-technology", &["DIAGNOSE", "CREDIT", "HOLD"], &["PARTIAL"]);
}

/// End clients are held, a number that nobody knows is rejected, a unit bought this month is replaced.
#[test]
fn the_morning_of_smartwitness() {
    demos::demo("smartwitness", &["REPLACE", "DIAGNOSE", "HOLD"], &["REJECT"]);
}
