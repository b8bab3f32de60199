//! `backdock doctor` against virtual Zebras and virtual scanners: what fits, what does not, and what to do.

mod support;

use backdock::sim::engine::Options;
use backdock::sim::printer;
use backdock::sim::settings::Dpi;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;
use support::dock::{BINARY, Dock};

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

/// The examination of the dock's scanner, `configured` so, and what it sends: one entry for a pull of the trigger.
fn examined(configured: &str, sent: &[&[u8]], arguments: &[&str]) -> (Option<i32>, Value, String) {
    let dock = Dock::bare(0, Duration::ZERO);
    let config = fs::read_to_string(&dock.config).unwrap();
    fs::write(&dock.config, config.replace("suffix = \"cr\"", configured)).unwrap();
    let mut doctor = Command::new(BINARY)
        .arg("--config")
        .arg(&dock.config)
        .args(["doctor", "scanner", "gun", "--json"])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(doctor.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut log = String::new();
    // What to do, and that it listens; then a line for every scan.
    for n in 0..2 + sent.len() {
        if let Some(scan) = n.checked_sub(2) {
            dock.gun.send(sent[scan]).unwrap();
        }
        let Some(line) = said.next() else { break };
        log += &(line + "\n");
    }
    log.extend(said.map(|line| line + "\n"));
    let done = doctor.wait_with_output().unwrap();
    (done.status.code(), serde_json::from_slice(&done.stdout).unwrap_or_default(), log)
}

const PAGE: [&[u8]; 11] = [
    b"]C0BackDock-1/aqwyzm:;#@&\\\r",
    b"]A0BACKDOCK-2\r",
    b"]I130614141000419\r",
    b"]E09506000134352\r",
    b"]E00012345678905\r",
    b"]C121BACKDOCK6\x1d10A1\r",
    b"]d1[)>\x1e06\x1dSBACKDOCK7\x1dQ1\x1e\x04\r",
    b"]d2010952123454321321BACKDOCK8\x1d10A1\r",
    b"]Q1SN:BACKDOCK9;MAC:001122334455\r",
    b"]L2BACKDOCK-10\r",
    b"]C0BACKDOCK-DONE\r",
];

#[test]
fn a_scanner_that_is_set_right_has_no_findings() {
    let (code, told, log) = examined("suffix = \"cr\"", &PAGE, &[]);
    let scanner = &told["scanner"];
    assert_eq!((code, scanner["findings"].as_array().map(Vec::len)), (Some(0), Some(0)), "{log}");
    assert_eq!((scanner["state"].as_str(), scanner["scans"].as_u64()), (Some("present"), Some(11)), "{log}");
}

#[test]
fn how_a_scanner_is_set_wrong_is_said_with_what_to_do() {
    // No suffix, no AIM identifiers, separators lost, no PDF417.
    let sent: Vec<Vec<u8>> = PAGE
        .iter()
        .filter(|scan| !scan.starts_with(b"]L2"))
        .map(|scan| scan[3..].iter().copied().filter(|b| !b.is_ascii_control()).collect())
        .collect();
    let sent: Vec<&[u8]> = sent.iter().map(Vec::as_slice).collect();
    let (code, told, log) = examined("suffix = \"cr\"", &sent, &[]);
    let findings = told["scanner"]["findings"].as_array().unwrap_or_else(|| panic!("{log}"));
    let kinds: Vec<&str> = findings.iter().filter_map(|f| f["kind"].as_str()).collect();
    assert_eq!(
        (code, &kinds[..]),
        (Some(3), &["separator", "separator", "separator", "suffix", "symbology", "aim"][..]),
        "{log}"
    );
    assert_eq!(told["scanner"]["missing"], serde_json::json!([10]));
    // What the configuration takes for a part of the number.
    let (code, told, log) = examined("suffix = \"idle\"", &PAGE, &[]);
    assert_eq!((code, told["scanner"]["findings"][0]["kind"].as_str()), (Some(3), Some("suffix")), "{log}");
}

#[test]
fn a_scanner_that_says_nothing_is_told_from_one_that_is_not_there() {
    let (code, _, log) = examined("suffix = \"cr\"", &[], &["--seconds", "1"]);
    assert!(code == Some(1) && log.contains("nothing was scanned in 1 seconds; the scanner is present"), "{log}");
    let dock = Dock::bare(0, Duration::ZERO);
    let config = fs::read_to_string(&dock.config).unwrap();
    let port = format!("{:?}", dock.gun.slave_path());
    fs::write(&dock.config, config.replace(&port, "\"/dev/ttyACM99\"")).unwrap();
    let done = dock.cli(&["doctor", "scanner", "--seconds", "1"]);
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.code() == Some(1) && said.contains("is lost: /dev/ttyACM99 is not there"), "{said}");
    let done = dock.cli(&["doctor", "scanner", "other"]);
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.code() == Some(2) && said.contains("there are: gun"), "{said}");
    // The page is a picture of barcodes that others read: the stage `labels` holds it against them.
    let page = dock.file("page.png");
    dock.cli(&["doctor", "scanner", "--seconds", "1", "--page", page.to_str().unwrap()]);
    assert!(fs::read(&page).unwrap().starts_with(b"\x89PNG"));
}
