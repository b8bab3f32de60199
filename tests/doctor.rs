//! `backdock doctor printer` against virtual Zebras: what fits, what does not, and what to do.

mod support;

use backdock::sim::engine::Options;
use backdock::sim::printer;
use backdock::sim::settings::Dpi;
use serde_json::Value;
use std::fs;
use std::time::Duration;
use support::dock::Dock;

/// Asks about the printer of a configuration that was changed so.
fn asked(dock: &Dock, from: &str, to: &str) -> (Option<i32>, Value) {
    let config = fs::read_to_string(&dock.config).unwrap();
    assert!(config.contains(from), "{config}");
    fs::write(&dock.config, config.replace(from, to)).unwrap();
    let done = dock.cli(&["doctor", "printer", "--json"]);
    fs::write(&dock.config, config).unwrap();
    let told = serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{done:?}"));
    (done.status.code(), told)
}

fn findings(told: &Value) -> String {
    told["printers"][0]["findings"].to_string()
}

#[test]
fn a_printer_that_fits_has_no_findings() {
    let dock = Dock::bare(0, Duration::ZERO);
    // The virtual one was made with four by six inches in it.
    let (code, told) = asked(&dock, "stock = \"4x3\"", "stock = \"4x6\"");
    assert_eq!((code, findings(&told).as_str()), (Some(0), "[]"), "{told}");
    let said = &told["printers"][0]["said"];
    assert_eq!((said["dpi"].as_u64(), said["firmware"].as_str()), (Some(203), Some("V93.21.26Z")));
    assert_eq!(said["odometer"], "1000");
    let text = dock.cli(&["doctor", "printer", "zebra"]);
    assert!(String::from_utf8_lossy(&text.stdout).contains("languages"), "{text:?}");
    assert_eq!(dock.cli(&["doctor", "printer", "other"]).status.code(), Some(2));
    assert!(dock.zebra.labels().is_empty(), "it prints nothing");
}

#[test]
fn what_does_not_fit_is_said_with_what_to_do() {
    let dock = Dock::bare(0, Duration::ZERO);
    let (code, told) = asked(&dock, "dpi = 203", "dpi = 300");
    assert!(code == Some(3) && findings(&told).contains("write dpi = 203"), "{told}");
    let (code, told) = asked(&dock, "dpi = 203", "dpi = 203");
    assert!(code == Some(3) && findings(&told).contains("calibrate"), "{told}");
    // Nobody listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let link = format!("tcp://{}", dock.wire.address());
    let (code, told) = asked(&dock, &link, &format!("tcp://{free}"));
    assert!(code == Some(1) && findings(&told).len() > 20, "{told}");
    // One that takes the line and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (code, told) = asked(&dock, &link, &format!("tcp://{}", silent.local_addr().unwrap()));
    assert!(code == Some(1) && findings(&told).contains("no answer"), "{told}");
    // A fault is named as the screen names it.
    let faults = vec!["paper-out@1".parse().unwrap()];
    let engine = Options { faults, silent_in_error: false, dpi: Dpi::D203, ..Options::default() };
    let empty = printer::start(printer::Options { engine, ..Default::default() }).unwrap();
    std::io::Write::write_all(&mut std::net::TcpStream::connect(empty.local_addr()).unwrap(), b"^XA^FO1,1^FDx^FS^XZ")
        .unwrap();
    assert!(empty.wait(support::PATIENCE, |zebra| zebra.formats() > 0));
    let (code, told) = asked(&dock, &link, &format!("tcp://{}", empty.local_addr()));
    assert!(code == Some(3) && findings(&told).contains("load"), "{told}");
}

#[test]
fn a_station_that_runs_has_its_printers_to_itself() {
    let dock = Dock::bare(0, Duration::ZERO);
    let (_daemon, _page) = dock.start();
    let done = dock.cli(&["doctor", "printer"]);
    assert_eq!(done.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&done.stderr).contains("systemctl stop"), "{done:?}");
}
