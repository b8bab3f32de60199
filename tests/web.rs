//! The page's port, attacked: asked under another machine's name, and held open by somebody who says nothing.

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use support::dock::Dock;

/// The first line of the answer to a request under this name.
fn asked_as(host: &str, page: SocketAddr) -> String {
    let mut stream = TcpStream::connect(page).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    write!(stream, "GET /api/view HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap_or_default().to_owned() + answer.rsplit("\r\n").next().unwrap_or_default()
}

#[test]
fn a_page_from_elsewhere_learns_nothing() {
    let dock = Dock::new(1, Duration::ZERO);
    let (mut daemon, _page) = dock.start();
    let address = daemon.address().unwrap();
    for host in [address.to_string(), format!("localhost:{}", address.port())] {
        assert!(asked_as(&host, address).starts_with("HTTP/1.1 200 OK{"), "{host}");
    }
    let refused = asked_as("dock.evil.example:8631", address);
    assert!(refused.starts_with("HTTP/1.1 421"), "{refused}");
    assert!(refused.contains(&format!("open http://{address}/")) && !refused.contains('{'), "{refused}");
    daemon.ask_to_stop();
    assert!(daemon.end().success());
}

#[test]
fn held_connections_take_no_descriptor_from_the_dock() {
    let dock = Dock::new(2, Duration::ZERO);
    let (mut daemon, mut page) = dock.start();
    let address = daemon.address().unwrap();
    let before = daemon.descriptors();
    // As many as the page takes, and most of those for which the kernel has room.
    let idle: Vec<TcpStream> = (0..360).map(|_| TcpStream::connect(address).unwrap()).collect();
    for payload in [support::dock::RMA, &dock.units[0]] {
        dock.scan(&mut page, payload).unwrap();
    }
    assert!(daemon.descriptors() < before + 300, "{} descriptors, {before} before", daemon.descriptors());
    drop(idle);
    assert!(asked_as("localhost", address).starts_with("HTTP/1.1 200 OK"));
    daemon.ask_to_stop();
    assert!(daemon.end().success());
}

#[test]
fn a_client_that_stands_still_does_not_hold_the_stop() {
    let dock = Dock::new(1, Duration::ZERO);
    let (mut daemon, _page) = dock.start();
    let address = daemon.address().unwrap();
    let half = TcpStream::connect(address).unwrap();
    write!(&half, "GET / HTTP/1.1\r\nHos").unwrap();
    // One that asks on and takes no answer, until both sides' buffers are full.
    let deaf = TcpStream::connect(address).unwrap();
    deaf.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    while write!(&deaf, "GET /kiosk.js HTTP/1.1\r\nHost: localhost\r\n\r\n").is_ok() {}
    daemon.ask_to_stop();
    assert!(daemon.end().success());
}
