//! Who may come in. A browser on this machine may be led here by a page from elsewhere whose name suddenly
//! means 127.0.0.1 (DNS rebinding); it then asks under that name. And nobody who only holds connections open
//! may take the descriptors that scanners and printers need.

use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::serve::Listener;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, Result};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections at a time; further ones wait in the kernel. A browser keeps up to six, and the process may
/// have 1,024 descriptors (`LimitNOFILE`).
const CONNECTIONS_MAX: usize = 256;

/// Refuses a request that asks for another machine, where the page is served to this one only.
pub(super) async fn check_host(listen: SocketAddr, request: Request, next: Next) -> Response {
    // A proxy may give the page any name, but then it listens where others reach it or says our address.
    let asked = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    match asked {
        Some(host) if listen.ip().is_loopback() && !is_this_machine(host) => {
            let why = format!("this page is served to its own machine only: open http://{listen}/\n");
            (StatusCode::MISDIRECTED_REQUEST, super::SAFE, why).into_response()
        }
        _ => next.run(request).await,
    }
}

/// Whether a `Host` header names this machine by its loopback address or as `localhost`.
fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The page's port, with a limit.
pub(super) struct Door {
    listener: TcpListener,
    places: Arc<Semaphore>,
}

impl Door {
    pub(super) fn new(listener: TcpListener) -> Door {
        Door { listener, places: Arc::new(Semaphore::new(CONNECTIONS_MAX)) }
    }
}

impl Listener for Door {
    type Io = Guest;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Guest, SocketAddr) {
        // The error of a closed semaphore never comes: this one is never closed.
        let place = self.places.clone().acquire_owned().await.ok();
        let (stream, address) = Listener::accept(&mut self.listener).await;
        (Guest { stream, _place: place }, address)
    }

    fn local_addr(&self) -> Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection and the place that it takes.
pub(super) struct Guest {
    stream: TcpStream,
    _place: Option<OwnedSemaphorePermit>,
}

impl AsyncRead for Guest {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Guest {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[std::io::IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_this_machine() {
        for host in ["localhost", "LOCALHOST:8631", "127.0.0.1", "127.0.0.1:80", "127.8.8.8:1", "[::1]", "[::1]:8631"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in
            ["evil.example", "localhost.evil.example:8631", "192.168.0.7:8631", "[fe80::1]", "", ":8631", "[::1"]
        {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
