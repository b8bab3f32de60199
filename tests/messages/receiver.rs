//! A real HTTP server (axum) that takes webhooks and does with each what a script says.

use super::support::PATIENCE;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

#[derive(Clone, Copy, Debug)]
pub enum Act {
    Status(u16),
    /// Never answers.
    Hang,
    Redirect,
}

/// A post as it came.
#[derive(Clone, Debug)]
pub struct Posted {
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Posted {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

struct Inside {
    posted: Mutex<Vec<Posted>>,
    more: Condvar,
    script: Mutex<Box<dyn FnMut(usize) -> Act + Send>>,
}

pub struct Receiver {
    pub address: SocketAddr,
    inside: Arc<Inside>,
}

impl Receiver {
    /// `script(n)` says what to do with the n-th post, counted from 1.
    pub fn start(script: impl FnMut(usize) -> Act + Send + 'static) -> Receiver {
        let inside =
            Arc::new(Inside { posted: Mutex::default(), more: Condvar::new(), script: Mutex::new(Box::new(script)) });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a socket for the runtime");
        let address = listener.local_addr().expect("its address");
        let app = Router::new().route("/hook", post(take)).with_state(inside.clone());
        std::thread::spawn(move || {
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                let _ = axum::serve(listener, app).await;
            });
        });
        Receiver { address, inside }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// The posts so far, once there are so many.
    pub fn wait(&self, posts: usize) -> Vec<Posted> {
        let until = Instant::now() + PATIENCE;
        let mut posted = self.lock();
        while posted.len() < posts {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{} of {posts} posts within {PATIENCE:?}", posted.len());
            posted = self.inside.more.wait_timeout(posted, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        posted.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Posted>> {
        self.inside.posted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn take(State(inside): State<Arc<Inside>>, headers: HeaderMap, body: Bytes) -> Response {
    let n = {
        let mut posted = inside.posted.lock().unwrap_or_else(PoisonError::into_inner);
        posted.push(Posted { headers, body: body.to_vec() });
        posted.len()
    };
    inside.more.notify_all();
    let act = inside.script.lock().unwrap_or_else(PoisonError::into_inner)(n);
    match act {
        Act::Status(code) => (StatusCode::from_u16(code).expect("a status"), format!("said {code}")).into_response(),
        Act::Redirect => (StatusCode::TEMPORARY_REDIRECT, [("location", "/elsewhere")]).into_response(),
        Act::Hang => std::future::pending().await,
    }
}
