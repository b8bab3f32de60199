//! The sender and a receiver of webhooks at its worst.

use super::receiver::{Act, Receiver};
use super::{Bench, message};
use backdock::domain::message::{Message, To};
use backdock::message::{Outcome, Webhook, sender};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::path::Path;
use std::time::Duration;

pub const SECRET: &str = "between us";

fn bench(url: String, secret: &Path) -> Bench {
    std::fs::write(secret, format!("{SECRET}\n")).unwrap();
    let hook = Webhook {
        name: "erp".to_owned(),
        url,
        secret_file: secret.to_owned(),
        about: Vec::new(),
        ca_file: None,
        timeout: Duration::from_millis(1500),
    };
    Bench::new(sender::Settings { station: "DOCK7".to_owned(), mail: None, webhooks: vec![hook] })
}

fn hook(id: i64) -> Message {
    let to = To::Webhook("erp".to_owned());
    Message { to, body: "{\"rma\":\"RMA4711\"}".to_owned(), recipients: Vec::new(), ..message(id) }
}

/// The signature as a receiver works it out.
pub fn signature(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    format!("sha256={hex}")
}

#[test]
fn a_webhook_is_signed_and_names_itself() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(|_| Act::Status(204));
    let bench = bench(receiver.url(), &dir.path().join("secret"));
    for _ in 0..2 {
        assert!(matches!(bench.send(hook(9)), Outcome::Sent(_)));
    }
    for posted in receiver.wait(2) {
        assert_eq!(posted.header("content-type"), "application/json");
        assert_eq!(posted.header("idempotency-key"), "DOCK7-9", "the same at every try");
        assert_eq!(posted.header("x-backdock-signature"), signature(&posted.body));
        assert_eq!(posted.json()["rma"], "RMA4711");
    }
}

#[test]
fn what_an_answer_means() {
    let dir = tempfile::tempdir().unwrap();
    let codes = [200, 201, 299, 400, 401, 404, 410, 422, 499, 408, 429, 500, 502, 503, 599, 301];
    let receiver = Receiver::start(move |n| Act::Status(codes[n - 1]));
    let bench = bench(receiver.url(), &dir.path().join("secret"));
    for code in codes {
        let outcome = bench.send(hook(i64::from(code)));
        match (code, &outcome) {
            (200..=299, Outcome::Sent(_)) => {}
            (408 | 429 | 500.. | 300..=399, Outcome::Later { why, .. }) => {
                assert!(why.contains(&code.to_string()), "{why}")
            }
            (400..=499, Outcome::Failed(why)) => assert!(why.contains(&format!("said {code}")), "{why}"),
            _ => panic!("{code}: {outcome:?}"),
        }
    }
}

#[test]
fn silence_is_cut_off_and_may_be_repeated() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(|n| if n == 1 { Act::Hang } else { Act::Status(200) });
    let bench = bench(receiver.url(), &dir.path().join("secret"));
    let outcome = bench.send(hook(1));
    assert!(matches!(outcome, Outcome::Later { everything: true, .. }), "{outcome:?}");
    assert!(matches!(bench.send(hook(1)), Outcome::Sent(_)));
}

#[test]
fn a_redirection_is_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::start(|_| Act::Redirect);
    let outcome = bench(receiver.url(), &dir.path().join("secret")).send(hook(1));
    assert!(matches!(outcome, Outcome::Later { .. }), "{outcome:?}");
    assert_eq!(receiver.wait(1).len(), 1);
}

#[test]
fn nobody_there_no_secret_no_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let later = |outcome: Outcome, word: &str| match outcome {
        Outcome::Later { why, everything: true } => assert!(why.contains(word), "{why}"),
        other => panic!("{other:?}"),
    };
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    later(bench(format!("http://{port}/hook"), &dir.path().join("a")).send(hook(1)), "refused");
    let receiver = Receiver::start(|_| Act::Status(200));
    let secret = dir.path().join("b");
    let without = bench(receiver.url(), &secret);
    std::fs::remove_file(&secret).unwrap();
    later(without.send(hook(1)), "cannot be read");
    // TLS is spoken to somebody who does not.
    later(bench(format!("https://{}/hook", receiver.address), &dir.path().join("c")).send(hook(1)), "https");
    assert_eq!(receiver.wait(0).len(), 0);
}
