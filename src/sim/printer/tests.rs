//! The printer as a host meets it: through a socket. What it does is tested in the engine; here, that it
//! does so over TCP, that faults of the wire are felt on the wire, and that files and threads end whole.

use std::io::ErrorKind;

use super::super::fault::Trouble;
use super::*;

/// Long enough for a loaded machine; every test ends as soon as what it waits for is there.
const PATIENCE: Duration = Duration::from_secs(20);

fn printer(faults: &[&str]) -> Handle {
    start(Options { engine: quick(faults), ..Options::default() }).expect("a printer")
}

/// A label in no time.
fn quick(faults: &[&str]) -> super::super::engine::Options {
    super::super::engine::Options {
        label_time: Duration::ZERO,
        silent_in_error: false,
        faults: faults.iter().map(|f| f.parse().expect("a fault")).collect(),
        ..super::super::engine::Options::default()
    }
}

fn host(printer: &Handle) -> TcpStream {
    let stream = TcpStream::connect(printer.local_addr()).expect("connected");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    stream.set_write_timeout(Some(PATIENCE)).expect("set");
    stream
}

fn label(text: &str) -> String {
    format!("^XA^FO10,10^A0N,30^FD{text}^FS^XZ")
}

/// Asks for a variable and reads up to the closing quote.
fn ask(host: &mut TcpStream, name: &str) -> io::Result<String> {
    host.write_all(format!("! U1 getvar \"{name}\"\r\n").as_bytes())?;
    let mut answer = String::new();
    while answer.matches('"').count() < 2 {
        let mut byte = [0];
        host.read_exact(&mut byte)?;
        answer.push(char::from(byte[0]));
    }
    Ok(answer)
}

fn count(host: &mut TcpStream) -> io::Result<String> {
    ask(host, "odometer.total_label_count")
}

fn labels_are(printer: &Handle, number: usize) -> bool {
    printer.wait(PATIENCE, |engine| engine.labels().len() == number)
}

/// How a connection ended: by an orderly end, or by what error.
fn end_of(host: &mut TcpStream) -> Result<(), ErrorKind> {
    let mut rest = Vec::new();
    host.read_to_end(&mut rest).map(|_| ()).map_err(|e| e.kind())
}

#[test]
fn the_count_before_and_after_proves_a_label() {
    let printer = printer(&[]);
    let mut host = host(&printer);
    assert_eq!(count(&mut host).expect("an answer"), "\"1000\"");
    host.write_all(label("one").as_bytes()).expect("sent");
    assert!(labels_are(&printer, 1));
    assert_eq!(count(&mut host).expect("an answer"), "\"1001\"");
    assert_eq!(&*printer.labels()[0].zpl, label("one").as_bytes());
    assert_eq!(printer.odometer(), 1001);

    let mut status = [0; 82];
    host.write_all(b"~HS").expect("sent");
    host.read_exact(&mut status).expect("an answer");
    assert!(status.starts_with(b"\x02030,0,0,") && status.ends_with(b"1234,0\x03\r\n"));
}

#[test]
fn hosts_that_close_at_once_get_their_labels() {
    let printer = printer(&[]);
    for i in 0..20 {
        let mut host = host(&printer);
        host.write_all(label(&i.to_string()).as_bytes()).expect("sent");
    }
    assert!(labels_are(&printer, 20));
}

#[test]
fn more_hosts_than_are_served_wait_their_turn() {
    let printer = printer(&[]);
    let mut hosts: Vec<TcpStream> = (0..CONNECTIONS_MAX + 3).map(|_| host(&printer)).collect();
    while let Some(mut host) = hosts.pop() {
        // The last ones connected are beyond the limit: they get their turn when others have gone.
        host.write_all(label("x").as_bytes()).expect("sent");
    }
    assert!(labels_are(&printer, CONNECTIONS_MAX + 3));
}

#[test]
fn labels_are_written_whole_with_their_pictures_and_warnings() {
    let dir = tempfile::tempdir().expect("a directory");
    let printer = start(Options {
        out: Some(dir.path().join("labels")),
        png: true,
        engine: quick(&["paper-out-mid@2:0"]),
        ..Options::default()
    })
    .expect("a printer");
    let mut host = host(&printer);
    for text in ["one", "two^FS^XGlogo"] {
        host.write_all(label(text).as_bytes()).expect("sent");
    }
    assert!(labels_are(&printer, 3));
    printer.stop();

    let read = |name: &str| fs::read(dir.path().join("labels").join(name));
    assert_eq!(read("000001.zpl").expect("a file"), label("one").as_bytes());
    assert!(read("000001.png").expect("a file").starts_with(b"\x89PNG"));
    assert!(read("000001.warnings").is_err());
    let warnings = |name| String::from_utf8(read(name).expect("a file")).expect("text");
    assert_eq!(warnings("000002.warnings"), "damaged: interrupted half-way\n^XG is not known\n");
    assert_eq!(warnings("000003.warnings"), "^XG is not known\n");
    assert_eq!(read("000002.zpl").expect("a file"), read("000003.zpl").expect("a file"));
    let files = fs::read_dir(dir.path().join("labels")).expect("a directory").count();
    assert_eq!(files, 8, "nothing half-written is left over");
}

#[test]
fn a_reset_is_felt_as_one() {
    let printer = printer(&["reset@1"]);
    let mut host = host(&printer);
    // More than was taken: some of it is in flight when the reset comes.
    host.write_all(label(&"x".repeat(500)).as_bytes()).expect("sent");
    assert_eq!(end_of(&mut host), Err(ErrorKind::ConnectionReset));
    assert_eq!(printer.labels().len(), 0);
}

#[test]
fn power_off_is_felt_and_over_when_it_is_over() {
    let printer = printer(&["power-off@2"]);
    let mut first = host(&printer);
    first.write_all(label("one").as_bytes()).expect("sent");
    assert!(labels_are(&printer, 1));
    first.write_all(label("two").as_bytes()).expect("sent");
    assert_eq!(end_of(&mut first), Err(ErrorKind::ConnectionReset));
    let refused = TcpStream::connect(printer.local_addr()).map(|_| ());
    assert_eq!(refused.map_err(|e| e.kind()), Err(ErrorKind::ConnectionRefused));

    printer.control(Control::End(Trouble::PowerOff));
    // The port is bound again by another thread: a host that comes too early is refused once more.
    let since = Instant::now();
    let mut again = loop {
        match TcpStream::connect(printer.local_addr()) {
            Ok(stream) => break stream,
            Err(error) => assert!(since.elapsed() < PATIENCE, "{error}"),
        }
    };
    again.set_read_timeout(Some(PATIENCE)).expect("set");
    assert_eq!(count(&mut again).expect("an answer"), "\"1001\"");
}

#[test]
fn what_is_never_read_fills_the_wire() {
    let printer = printer(&["never-read@1"]);
    let mut host = host(&printer);
    host.set_write_timeout(Some(Duration::from_millis(200))).expect("set");
    let chunk = label("x").repeat(1000);
    let mut sent = 0;
    let stuck = loop {
        match host.write(chunk.as_bytes()) {
            Ok(more) => sent += more,
            Err(error) => break error.kind(),
        }
        assert!(sent < 1 << 30, "somebody reads");
    };
    assert!(matches!(stuck, ErrorKind::WouldBlock | ErrorKind::TimedOut));
    assert_eq!(printer.labels().len(), 0);
}

#[test]
fn a_full_buffer_holds_the_host_back_and_loses_nothing() {
    let one = label("x");
    let printer = start(Options {
        engine: super::super::engine::Options {
            receive_buffer: one.len(),
            label_time: Duration::from_millis(1),
            ..quick(&[])
        },
        ..Options::default()
    })
    .expect("a printer");
    let mut host = host(&printer);
    host.write_all(one.repeat(50).as_bytes()).expect("sent");
    assert!(labels_are(&printer, 50));
}

#[test]
fn a_stopped_printer_ends_its_connections_and_frees_its_port() {
    let printer = printer(&["never-read@1"]);
    let address = printer.local_addr();
    let mut idle = host(&printer);
    let mut stuck = host(&printer);
    stuck.write_all(label("x").as_bytes()).expect("sent");
    assert!(printer.wait(PATIENCE, |engine| engine.has(Trouble::NeverRead)));
    printer.stop();
    assert_eq!(end_of(&mut idle), Ok(()));
    let _ = end_of(&mut stuck);
    drop((idle, stuck));
    let again = start(Options { listen: address, ..Options::default() });
    assert!(again.is_ok(), "{again:?}");
}

#[test]
fn an_address_in_use_is_an_error() {
    let printer = printer(&[]);
    let second = start(Options { listen: printer.local_addr(), ..Options::default() });
    assert_eq!(second.map(|_| ()).map_err(|e| e.kind()), Err(ErrorKind::AddrInUse));
}
