//! One webhook over HTTP. The only address of ureq.
//!
//! The body is signed (HMAC-SHA256 with the key from `secret_file`), and the `Idempotency-Key` is the
//! same at every try: whoever has done it already says so again with a 2xx. 4xx means that it will never
//! be taken, other than 408 and 429; everything else is tried again. Redirections are not followed: what is
//! signed for one address goes to no other.

use super::render::one_line;
use super::settings::Webhook;
use super::{Dispatch, Outcome, trust};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::sync::Arc;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};

/// Bytes read of an answer, and characters kept of it.
const ANSWER_MAX: u64 = 16 * 1024;
const WORDS_MAX: usize = 300;

/// Posts a webhook.
pub(super) fn post(hook: &Webhook, station: &str, order: &Dispatch) -> Outcome {
    let later = |why: String| Outcome::Later { why: words(&why), everything: true };
    let body = order.message.body.as_bytes();
    let signature = match trust::secret(&hook.secret_file).map(|key| sign(key.as_bytes(), body)) {
        Ok(signature) => signature,
        Err(why) => return later(why),
    };
    let roots = match roots(hook) {
        Ok(roots) => roots,
        Err(why) => return later(why),
    };
    let tls = TlsConfig::builder()
        .root_certs(roots)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let agent = ureq::Agent::config_builder()
        .tls_config(tls)
        .timeout_global(Some(hook.timeout))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .user_agent(concat!("backdock/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent();
    let answer = agent
        .post(&hook.url)
        .header("Content-Type", "application/json")
        .header("Idempotency-Key", format!("{station}-{}", order.message.id))
        .header("X-Backdock-Signature", format!("sha256={signature}"))
        .send(body);
    let mut answer = match answer {
        Ok(answer) => answer,
        Err(e) => return later(format!("{}: {e}", hook.url)),
    };
    let status = answer.status();
    let said = answer.body_mut().with_config().limit(ANSWER_MAX).read_to_string().unwrap_or_default();
    let why = words(&format!("{status}: {said}"));
    match status.as_u16() {
        200..=299 => Outcome::Sent(why),
        408 => Outcome::Later { why, everything: false },
        400..=428 | 430..=499 => Outcome::Failed(why),
        _ => Outcome::Later { why, everything: true },
    }
}

/// HMAC-SHA256 in hexadecimal digits.
fn sign(key: &[u8], body: &[u8]) -> String {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mut mac) => {
            mac.update(body);
            mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect()
        }
        // HMAC takes keys of every length.
        Err(_) => String::new(),
    }
}

/// The system's certificates, and those of the webhook's own file.
fn roots(hook: &Webhook) -> Result<RootCerts, String> {
    let mut trusted = Vec::new();
    if hook.url.starts_with("https:") {
        let system = rustls_native_certs::load_native_certs().certs;
        trusted.extend(system.iter().map(|c| Certificate::from_der(c.as_ref()).to_owned()));
        if let Some(file) = &hook.ca_file {
            for item in ureq::tls::parse_pem(&trust::pem(file)?) {
                match item {
                    Ok(PemItem::Certificate(c)) => trusted.push(c),
                    Ok(_) => {}
                    Err(e) => return Err(format!("{}: {e}", file.display())),
                }
            }
        }
    }
    Ok(RootCerts::Specific(Arc::new(trusted)))
}

fn words(text: &str) -> String {
    one_line(text).chars().take(WORDS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::sign;

    #[test]
    fn signatures_are_those_of_rfc_4231() {
        assert_eq!(
            sign(b"Jefe", b"what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            sign(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }
}
