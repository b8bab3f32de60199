//! What a station is told about its mail server and its webhooks: the tables `[mail]` and `[[webhook]]`.
//!
//! Secrets do not stand in the configuration: a file holds each, or a systemd credential where the name
//! has no slash.

use crate::domain::message::email;
use crate::strict_toml::Table;
use std::path::PathBuf;
use std::time::Duration;

/// A server may look through a text before it takes it, and silence there costs a person's time: it gets
/// so many times as long for that answer.
const LAST_ANSWER: u32 = 10;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tls {
    /// In the clear: for a server on this computer or on a wire of its own.
    None,
    /// Begins in the clear and must go over to TLS before anything is said.
    StartTls,
    Tls,
}

/// The mail server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mail {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    /// Display name, if any, and address of the sender.
    pub from: (Option<String>, String),
    pub user: Option<String>,
    pub password_file: Option<PathBuf>,
    /// Certificates to trust beside the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// For the connection, and for each answer but the last.
    pub timeout: Duration,
    /// For the answer to the text.
    pub last_answer: Duration,
}

/// Somebody who is told by HTTP.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Webhook {
    pub name: String,
    pub url: String,
    /// The key that signs what is posted.
    pub secret_file: PathBuf,
    /// Which messages; empty: all.
    pub about: Vec<String>,
    pub ca_file: Option<PathBuf>,
    /// From the name look-up to the last byte of the answer.
    pub timeout: Duration,
}

impl Webhook {
    pub fn wants(&self, about: &str) -> bool {
        self.about.is_empty() || self.about.iter().any(|a| a == about)
    }
}

/// Reads `[mail]`.
pub fn mail(t: &mut Table) -> Mail {
    let tls = t.choice("tls", &[("none", Tls::None), ("starttls", Tls::StartTls), ("tls", Tls::Tls)]).or(Tls::StartTls);
    let port = match tls {
        Tls::None => 25,
        Tls::StartTls => 587,
        Tls::Tls => 465,
    };
    let (host, given) = t.parsed("server", (String::new(), None), server).required();
    let user = t.string("user").optional();
    let password_file = path(t, "password_file");
    if user.is_some() != password_file.is_some() {
        t.problem("user", "user and password_file belong together: give both or neither");
    }
    if user.is_some() && tls == Tls::None {
        t.problem("tls", "a password is not sent in the clear; use tls = \"starttls\" or \"tls\"");
    }
    let timeout = timeout(t);
    Mail {
        host,
        port: given.unwrap_or(port),
        tls,
        from: t.parsed("from", (None, String::new()), mailbox).required(),
        user,
        password_file,
        ca_file: path(t, "ca_file"),
        timeout,
        last_answer: timeout * LAST_ANSWER,
    }
}

/// Reads a `[[webhook]]`.
pub fn webhook(t: &mut Table) -> Webhook {
    Webhook {
        name: t
            .parsed("name", String::new(), |s| {
                let ok = s.len() <= 20 && s.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
                if ok { Ok(s.to_owned()) } else { Err("a webhook's name has 1 to 20 letters, digits, - _") }
            })
            .required(),
        url: t.parsed("url", String::new(), url).required(),
        secret_file: PathBuf::from(t.string("secret_file").required()),
        about: t.strings("about").or(Vec::new()),
        ca_file: path(t, "ca_file"),
        timeout: timeout(t),
    }
}

fn path(t: &mut Table, key: &str) -> Option<PathBuf> {
    t.string(key).optional().map(PathBuf::from)
}

fn timeout(t: &mut Table) -> Duration {
    Duration::from_secs(t.integer("timeout", 1..=600).or(30) as u64)
}

/// `smtp://HOST` or `smtp://HOST:PORT`.
fn server(text: &str) -> Result<(String, Option<u16>), &'static str> {
    let form = "write it as smtp://mail.example.com:587";
    let rest = text.strip_prefix("smtp://").ok_or(form)?;
    let (host, port) = match rest.strip_prefix('[') {
        // An IPv6 address stands in brackets.
        Some(v6) => v6.split_once(']').ok_or(form)?,
        None => rest.split_at(rest.find(':').unwrap_or(rest.len())),
    };
    let port = match port.strip_prefix(':') {
        Some(port) => Some(port.parse().ok().filter(|p| *p > 0).ok_or(form)?),
        None if port.is_empty() => None,
        None => return Err(form),
    };
    let ok = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':');
    if host.is_empty() || !host.bytes().all(ok) {
        return Err(form);
    }
    Ok((host.to_owned(), port))
}

/// `anna@example.com` or `Returns <returns@example.com>`.
fn mailbox(text: &str) -> Result<(Option<String>, String), &'static str> {
    match text.strip_suffix('>').and_then(|t| t.split_once('<')) {
        Some((name, address)) => {
            let name = name.trim();
            Ok(((!name.is_empty()).then(|| name.to_owned()), email(address)?))
        }
        None => Ok((None, email(text)?)),
    }
}

fn url(text: &str) -> Result<String, &'static str> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = rest.and_then(|r| r.split(['/', '?', '#']).next()).unwrap_or_default();
    let odd = text.bytes().any(|b| !b.is_ascii_graphic());
    if host.is_empty() || odd || host.contains('@') {
        return Err("write it as https://erp.example.com/hooks/returns, without name and password");
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_addresses_and_urls_have_one_form() {
        let host = |h: &str, p| Ok((h.to_owned(), p));
        assert_eq!(server("smtp://mail.example.com"), host("mail.example.com", None));
        assert_eq!(server("smtp://192.0.2.9:2525"), host("192.0.2.9", Some(2525)));
        assert_eq!(server("smtp://[2001:db8::1]:25"), host("2001:db8::1", Some(25)));
        for bad in
            ["mail.example.com", "smtp://", "smtp://a:b", "smtp://a:0", "smtp://a b", "smtp://[::1", "smtp://u@h"]
        {
            assert!(server(bad).is_err(), "{bad}");
        }
        assert_eq!(
            mailbox("Returns Dock <r@example.com>"),
            Ok((Some("Returns Dock".to_owned()), "r@example.com".to_owned()))
        );
        assert_eq!(mailbox("r@example.com"), Ok((None, "r@example.com".to_owned())));
        assert!(mailbox("Returns <r@example.com").is_err());
        assert!(url("https://erp.example.com/x?y=1").is_ok());
        for bad in ["erp.example.com", "ftp://a/", "https://", "https://u:p@h/", "https://a b/"] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }
}
