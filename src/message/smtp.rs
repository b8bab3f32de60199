//! One e-mail over SMTP. The only address of lettre.
//!
//! Refused for good (5xx) in answer to the sender, a recipient or the text: the message has failed. A 5xx
//! before that (the greeting, TLS, the password) speaks of this station and not of the message: it is tried
//! again, so that a password that expired costs no message. One recipient refused: nobody gets it, a
//! person mends the address. The text leaves in one piece with its final dot, so every failure from its
//! first byte on, other than a refusal, leaves it in doubt.

use super::render::one_line;
use super::sender::Gate;
use super::settings::{Mail, Tls};
use super::{Dispatch, Outcome, trust};
use lettre::address::Address;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands;
use lettre::transport::smtp::extension::ClientId;
use std::io::ErrorKind;
use std::time::Duration;

/// Characters kept of what a server says.
const WORDS_MAX: usize = 300;
/// A server that has answered owes us nothing more than a farewell.
const FAREWELL: Duration = Duration::from_secs(2);

/// Sends an e-mail. The gate is passed right before its text leaves.
pub(super) fn send(mail: &Mail, station: &str, order: &Dispatch, gate: &Gate) -> Outcome {
    let (text, from, to) = match compose(mail, station, order) {
        Ok(composed) => composed,
        Err(why) => return Outcome::Failed(why),
    };
    let mut talk = match open(mail) {
        Ok(talk) => talk,
        Err(why) => return Outcome::Later { why, everything: true },
    };
    let outcome = hand_over(&mut talk, &text, from, to, mail, gate);
    if matches!(outcome, Outcome::Sent(_) | Outcome::Failed(_)) && talk.set_timeout(Some(FAREWELL)).is_ok() {
        let _ = talk.quit();
    }
    outcome
}

fn hand_over(
    talk: &mut SmtpConnection,
    text: &[u8],
    from: Address,
    to: Vec<Address>,
    mail: &Mail,
    gate: &Gate,
) -> Outcome {
    if let Err(e) = talk.command(commands::Mail::new(Some(from), Vec::new())) {
        return refused(&e, "the sender");
    }
    for address in to {
        if let Err(e) = talk.command(commands::Rcpt::new(address.clone(), Vec::new())) {
            return refused(&e, address.as_ref());
        }
    }
    if let Err(e) = talk.command(commands::Data) {
        return refused(&e, "the text");
    }
    if !gate.pass() {
        return Outcome::Later { why: super::sender::STOPPED.to_owned(), everything: false };
    }
    // A server may look through the text before it takes it.
    if let Err(e) = talk.set_timeout(Some(mail.last_answer)) {
        return Outcome::Later { why: format!("{}: {e}", mail.host), everything: true };
    }
    match talk.message(text) {
        Ok(answer) => Outcome::Sent(words(answer.message().collect::<Vec<_>>().join(" "))),
        Err(e) if e.is_permanent() || e.is_transient() => refused(&e, "the text"),
        Err(e) => Outcome::InDoubt(words(format!("{} had the text and did not answer: {}", mail.host, told(&e)))),
    }
}

/// What an error before the text means.
fn refused(e: &Error, what: &str) -> Outcome {
    let why = words(format!("{what}: {}", told(e)));
    if e.is_permanent() {
        return Outcome::Failed(why);
    }
    // 421: the server closes. Anything that is no answer: nobody is there.
    let everything = !e.is_transient() || e.status().is_some_and(|code| u16::from(code) == 421);
    Outcome::Later { why, everything }
}

/// Connects, goes over to TLS, says who we are.
fn open(mail: &Mail) -> Result<SmtpConnection, String> {
    let said = |e: Error| words(format!("{}: {}", mail.host, told(&e)));
    let hello = ClientId::Domain(domain(&mail.from.1).to_owned());
    let tls = match mail.tls {
        Tls::None => None,
        Tls::StartTls | Tls::Tls => {
            let mut trusted = TlsParameters::builder(mail.host.clone());
            if let Some(file) = &mail.ca_file {
                trusted = trusted.add_root_certificate(Certificate::from_pem(&trust::pem(file)?).map_err(said)?);
            }
            Some(trusted.build_rustls().map_err(said)?)
        }
    };
    let wrapped = tls.as_ref().filter(|_| mail.tls == Tls::Tls);
    let server = (mail.host.as_str(), mail.port);
    let mut talk = SmtpConnection::connect(server, Some(mail.timeout), &hello, wrapped, None).map_err(said)?;
    if let Some(tls) = tls.as_ref().filter(|_| mail.tls == Tls::StartTls) {
        talk.starttls(tls, &hello).map_err(said)?;
    }
    if let (Some(user), Some(file)) = (&mail.user, &mail.password_file) {
        let who = Credentials::new(user.clone(), trust::secret(file)?);
        talk.auth(&[Mechanism::Plain, Mechanism::Login], &who).map_err(said)?;
    }
    Ok(talk)
}

/// The e-mail as bytes, with its sender and recipients.
fn compose(mail: &Mail, station: &str, order: &Dispatch) -> Result<(Vec<u8>, Address, Vec<Address>), String> {
    let message = &order.message;
    let address = |text: &str| text.parse::<Address>().map_err(|e| format!("{text:?}: {e}"));
    let from = address(&mail.from.1)?;
    let to = message.recipients.iter().map(|r| address(r)).collect::<Result<Vec<_>, _>>()?;
    if to.is_empty() {
        return Err("no address".to_owned());
    }
    let mut email = lettre::Message::builder()
        .from(Mailbox::new(mail.from.0.clone(), from.clone()))
        .date(order.at.into())
        // The same at every try, so that whoever gets it twice can tell.
        .message_id(Some(format!("<backdock.{station}.{}@{}>", message.id, domain(&mail.from.1))))
        // Keeps absence notices away.
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
        .header(ContentType::TEXT_PLAIN)
        .subject(one_line(&message.subject));
    for one in &to {
        email = email.to(Mailbox::new(None, one.clone()));
    }
    let email = email.body(message.body.replace('\n', "\r\n")).map_err(|e| e.to_string())?;
    Ok((email.formatted(), from, to))
}

fn domain(address: &str) -> &str {
    address.rsplit_once('@').map_or("localhost", |(_, host)| host)
}

/// An error with what it came from.
fn told(e: &Error) -> String {
    if e.is_timeout() || is_silence(e) {
        return "no answer in time".to_owned();
    }
    let mut text = e.to_string();
    let mut source = std::error::Error::source(e);
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(&format!(": {inner_text}"));
        }
        source = inner.source();
    }
    text
}

/// What a socket says when its time is up.
fn is_silence(e: &Error) -> bool {
    let mut source = std::error::Error::source(e);
    while let Some(inner) = source {
        let kind = inner.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        if matches!(kind, Some(ErrorKind::WouldBlock | ErrorKind::TimedOut)) {
            return true;
        }
        source = inner.source();
    }
    false
}

fn words(text: String) -> String {
    one_line(&text).chars().take(WORDS_MAX).collect()
}
