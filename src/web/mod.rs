//! The window: the kiosk page, its live events, and the pictures of labels. It decides nothing and
//! writes nothing; what it shows is the view that the core published last.
//!
//! One thread with its own tokio runtime. Everything comes from the daemon itself, no address outside
//! is ever asked for (`Content-Security-Policy: default-src 'self'`).

mod door;

use crate::config::Config;
use crate::label::{Dpi, Stock};
use crate::sim::render;
use crate::store::{self, read};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::middleware::from_fn;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;
use tokio_stream::{Stream, StreamExt, wrappers::IntervalStream, wrappers::WatchStream};

/// How long a stop waits for answers that are on their way.
const FAREWELL: Duration = Duration::from_millis(500);

/// The page says "stale" when this pulse stays away.
const BEAT: Duration = Duration::from_secs(2);

/// The running web thread.
pub struct Page {
    address: SocketAddr,
    view: watch::Sender<Arc<str>>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone)]
struct Shared {
    view: watch::Receiver<Arc<str>>,
    labels: Arc<Labels>,
    stop: watch::Receiver<bool>,
    now: Arc<dyn Fn() -> String + Send + Sync>,
}

/// Draws labels from the database, with a reader of its own that is opened when first needed.
struct Labels {
    data: PathBuf,
    station: String,
    paper: Vec<(String, Stock, Dpi)>,
    conn: Mutex<Option<store::Reader>>,
}

impl Page {
    /// Binds the address and serves from a thread of its own.
    ///
    /// `now` is the station's clock: the page shows the dock's time, not that of the browser's zone.
    pub fn start(
        config: &Config,
        data: &std::path::Path,
        first: String,
        now: impl Fn() -> String + Send + Sync + 'static,
    ) -> std::io::Result<Page> {
        let listener = std::net::TcpListener::bind(config.web.listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (view, seen) = watch::channel(Arc::<str>::from(first));
        let (stop, stopping) = watch::channel(false);
        let shared = Shared {
            view: seen,
            labels: Arc::new(Labels {
                data: data.to_owned(),
                station: config.station.id.clone(),
                paper: config.printers.iter().map(|p| (p.name.clone(), p.stock, p.dpi)).collect(),
                conn: Mutex::new(None),
            }),
            stop: stopping,
            now: Arc::new(now),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(2).build()?;
        let thread = std::thread::Builder::new().name("web".into()).spawn(move || {
            let served = runtime.block_on(serve(listener, shared));
            // Pictures that are still to be drawn are for nobody any more.
            runtime.shutdown_background();
            if let Err(e) = served {
                tracing::error!(error = %e, "the page is no longer served");
            }
        })?;
        Ok(Page { address, view, stop, thread: Some(thread) })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Shows a new view to every open page.
    pub fn publish(&self, view: String) {
        self.view.send_replace(Arc::from(view));
    }

    /// Ends the thread; open event streams are closed.
    pub fn stop(mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(listener: std::net::TcpListener, shared: Shared) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let address = listener.local_addr()?;
    let (mut stop, mut late) = (shared.stop.clone(), shared.stop.clone());
    let app = Router::new()
        .route("/", get(|| asset("text/html; charset=utf-8", include_str!("page/kiosk.html"))))
        .route("/kiosk.css", get(|| asset("text/css; charset=utf-8", include_str!("page/kiosk.css"))))
        .route("/kiosk.js", get(|| asset("text/javascript; charset=utf-8", include_str!("page/kiosk.js"))))
        .route("/draw.js", get(|| asset("text/javascript; charset=utf-8", include_str!("page/draw.js"))))
        .route("/fit.js", get(|| asset("text/javascript; charset=utf-8", include_str!("page/fit.js"))))
        .route("/tones.js", get(|| asset("text/javascript; charset=utf-8", include_str!("page/tones.js"))))
        .route("/icon.svg", get(|| asset("image/svg+xml", include_str!("page/icon.svg"))))
        .route("/api/view", get(view))
        .route("/events", get(events))
        .route("/label/{name}", get(label))
        .layer(from_fn(move |request, next| door::check_host(address, request, next)))
        .with_state(shared);
    let served = axum::serve(door::Door::new(listener), app).with_graceful_shutdown(async move {
        let _ = stop.wait_for(|stop| *stop).await;
    });
    tokio::select! {
        served = served.into_future() => served,
        // Who asks half a question, or takes no answer, holds nobody up.
        () = async {
            let _ = late.wait_for(|stop| *stop).await;
            tokio::time::sleep(FAREWELL).await;
        } => Ok(()),
    }
}

const SAFE: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

async fn asset(kind: &'static str, body: &'static str) -> impl IntoResponse {
    (SAFE, [(header::CONTENT_TYPE, kind)], body)
}

async fn view(State(shared): State<Shared>) -> impl IntoResponse {
    let view = shared.view.borrow().to_string();
    (SAFE, [(header::CONTENT_TYPE, "application/json")], view)
}

async fn events(State(shared): State<Shared>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let views = WatchStream::new(shared.view).map(|view| Some(Event::default().event("view").data(&*view)));
    let now = shared.now;
    let beats = IntervalStream::new(tokio::time::interval(BEAT))
        .map(move |_| Some(Event::default().event("beat").data(serde_json::json!({"now": now()}).to_string())));
    // An open stream would keep the shutdown waiting.
    let end = WatchStream::new(shared.stop).filter(|stop| *stop).map(|_| None);
    Sse::new(views.merge(beats).merge(end).take_while(Option::is_some).filter_map(|e| e.map(Ok)))
}

async fn label(State(shared): State<Shared>, Path(name): Path<String>) -> Response {
    let Some(job) = name.strip_suffix(".png").and_then(|n| n.parse::<i64>().ok()) else {
        return (StatusCode::NOT_FOUND, SAFE, "no such picture\n").into_response();
    };
    let drawn = tokio::task::spawn_blocking(move || shared.labels.draw(job)).await;
    match drawn {
        Ok(Ok(Some(png))) => (SAFE, [(header::CONTENT_TYPE, "image/png")], png).into_response(),
        Ok(Ok(None)) => (StatusCode::NOT_FOUND, SAFE, "no such label\n").into_response(),
        Ok(Err(why)) => (StatusCode::INTERNAL_SERVER_ERROR, SAFE, why).into_response(),
        Err(e) => (StatusCode::INTERNAL_SERVER_ERROR, SAFE, e.to_string()).into_response(),
    }
}

impl Labels {
    fn draw(&self, job: i64) -> Result<Option<Vec<u8>>, String> {
        let mut conn = self.conn.lock().map_err(|e| e.to_string())?;
        if conn.is_none() {
            *conn = Some(store::open_reader(&self.data).map_err(|e| e.to_string())?);
        }
        let Some(conn) = conn.as_ref() else { return Ok(None) };
        let Some(job) = read::job(conn, &self.station, job).map_err(|e| e.to_string())? else { return Ok(None) };
        let paper = self.paper.iter().find(|(name, ..)| *name == job.printer).or(self.paper.first());
        let Some((_, stock, dpi)) = paper else { return Ok(None) };
        match crate::label::render(&job.label, &job.fields, *stock, *dpi) {
            Ok(ours) if ours.zpl == job.zpl => Ok(Some(ours.png())),
            // A user's design, or a carrier's label: drawn as the virtual printer would, from what was sent.
            _ => {
                let (width, length) = stock.dots(*dpi);
                let picture = render::drawn(job.zpl.as_bytes(), dpi.per_inch(), width, length);
                render::png(&picture).map(Some).map_err(|e| e.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::zebra::Fault;
    use std::collections::BTreeMap;

    #[test]
    fn every_fault_of_a_printer_has_a_picture_of_its_own() {
        let page = include_str!("page/kiosk.html");
        let mut pictures = BTreeMap::new();
        for symbol in page.split("<symbol id=\"fault-").skip(1) {
            let (code, rest) = symbol.split_once('"').expect("the end of an id");
            let drawing = rest.split_once('>').and_then(|(_, rest)| rest.split_once("</symbol>")).expect("a symbol").0;
            assert!(["<path", "<circle", "<rect"].iter().any(|shape| drawing.contains(shape)), "{code} is empty");
            assert!(!drawing.contains("<text"), "{code} must be understood without words");
            assert!(!pictures.values().any(|other| *other == drawing), "{code} looks like another one");
            assert!(pictures.insert(code, drawing).is_none(), "{code} is drawn twice");
        }
        for fault in Fault::all() {
            assert!(pictures.remove(fault.code()).is_some(), "{} has no picture", fault.code());
        }
        assert!(pictures.is_empty(), "pictures of no fault: {:?}", pictures.keys());
    }
}
