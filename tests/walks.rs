//! Five companies, five RMAs, each walked from the request to its last unit closed through the real
//! binary: desk, dock, bench, vendor and back.
//!
//! What must come out stands in `tests/walks/*.toml`, written by hand from the companies' processes
//! before anything was run; what is scanned stands in the tapes beside them. Labels and messages are held
//! against `tests/walks/golden/`; `UPDATE=1` writes those anew, to be read by a person before they count.

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
