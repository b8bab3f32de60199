//! The sender and a mail server at its worst.

use super::peer::{Act, Peer, Stage, parts};
use super::{Bench, message};
use backdock::message::settings::Tls;
use backdock::message::{Mail, Outcome, sender};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::channel;
use std::time::Duration;

/// Short, and far more than a server on this computer needs; where a test needs a silence, it takes this long.
const TIMEOUT: Duration = Duration::from_millis(1500);

fn mail(at: SocketAddr, tls: Tls) -> Mail {
    Mail {
        host: at.ip().to_string(),
        port: at.port(),
        tls,
        from: (Some("Returns Dock".to_owned()), "returns@dock.example.com".to_owned()),
        user: None,
        password_file: None,
        ca_file: None,
        timeout: TIMEOUT,
        last_answer: TIMEOUT,
    }
}

fn bench(mail: Mail) -> Bench {
    Bench::new(sender::Settings { station: "DOCK7".to_owned(), mail: Some(mail), webhooks: Vec::new() })
}

/// One message to a server that acts so at one stage.
fn at(stage: Stage, act: impl Fn() -> Act + Send + 'static) -> (Outcome, Peer) {
    let peer = Peer::start(move |_, now| if now == stage { act() } else { Act::Fine });
    let outcome = bench(mail(peer.address, Tls::None)).send(message(1));
    (outcome, peer)
}

#[test]
fn an_email_is_what_it_should_be() {
    let peer = Peer::healthy();
    let bench = bench(mail(peer.address, Tls::None));
    let mut first = message(17);
    first.recipients = vec!["anna@example.com".to_owned(), "bert@example.com".to_owned()];
    first.subject =
        "RMA RMA4711: für Jürgen — ein sehr langer Betreff, der in mehrere Stücke zerlegt werden muss".to_owned();
    assert_eq!(bench.send(first), Outcome::Sent("2.0.0 queued as 4711".to_owned()));
    let (head, body) = parts(&peer.heard().texts[0]);
    let header = |name: &str| {
        let found: Vec<&String> = head.iter().filter(|h| h.starts_with(&format!("{name}: "))).collect();
        assert_eq!(found.len(), 1, "{name}: {head:?}");
        found[0].split_once(": ").unwrap().1.to_owned()
    };
    assert_eq!(header("From"), "\"Returns Dock\" <returns@dock.example.com>");
    assert_eq!(header("To"), "anna@example.com, bert@example.com");
    assert_eq!(header("Message-ID"), "<backdock.DOCK7.17@dock.example.com>");
    assert_eq!(header("Auto-Submitted"), "auto-generated");
    assert_eq!(header("Date"), "Mon, 02 Mar 2026 18:00:00 +0000");
    assert!(header("Content-Type").starts_with("text/plain; charset=utf-8"));
    assert!(header("Subject").contains("=?utf-8?"), "{head:?}");
    assert_eq!(body.trim_end(), "First line.\n.\n..two dots\nLast line.");
    assert_eq!(peer.heard().commands.iter().filter(|c| c.starts_with("RCPT")).count(), 2);
    // Once more, as after a crash: the same to whoever compares.
    assert!(matches!(bench.send(message(17)), Outcome::Sent(_)));
    let again = parts(&peer.heard().texts[1]).0;
    assert!(again.contains(&"Message-ID: <backdock.DOCK7.17@dock.example.com>".to_owned()), "{again:?}");
}

#[test]
fn refused_for_now_is_tried_again() {
    for stage in Stage::ALL {
        let (outcome, peer) = at(stage, || Act::Say("451 4.7.1 not now, please"));
        let Outcome::Later { why, everything } = outcome else { panic!("{stage:?}: {outcome:?}") };
        assert!(why.contains("not now, please"), "{stage:?}: {why}");
        // Before anything is said of the message, it is the station that is refused.
        assert_eq!(everything, matches!(stage, Stage::Greeting | Stage::Ehlo), "{stage:?}");
        assert_eq!(peer.heard().taken, 0);
    }
    let (outcome, _) = at(Stage::Mail, || Act::Say("421 closing"));
    assert!(matches!(outcome, Outcome::Later { everything: true, .. }), "{outcome:?}");
}

#[test]
fn refused_for_good_keeps_the_servers_words() {
    for stage in Stage::ALL {
        let (outcome, peer) = at(stage, || Act::Say("550 5.1.1 no such\u{7} user"));
        match (stage, outcome) {
            // Speaks of this station, not of the message.
            (Stage::Greeting | Stage::Ehlo, Outcome::Later { everything: true, .. }) => {}
            (Stage::Mail | Stage::Rcpt | Stage::Data | Stage::Text, Outcome::Failed(why)) => {
                assert!(why.contains("550") && why.contains("no such user"), "{stage:?}: {why}");
            }
            (stage, other) => panic!("{stage:?}: {other:?}"),
        }
        assert_eq!(peer.heard().taken, 0);
    }
}

#[test]
fn silence_before_the_text_is_no_mail_and_after_it_is_doubt() {
    let running: Vec<_> =
        Stage::ALL.into_iter().map(|stage| (stage, std::thread::spawn(move || at(stage, || Act::Hang)))).collect();
    for (stage, thread) in running {
        let (outcome, peer) = thread.join().unwrap();
        if stage == Stage::Text {
            let Outcome::InDoubt(why) = &outcome else { panic!("{outcome:?}") };
            assert!(why.contains("had the text") && why.contains("no answer in time"), "{why}");
            assert_eq!(peer.heard().texts.len(), 1);
        } else {
            assert!(matches!(outcome, Outcome::Later { everything: true, .. }), "{stage:?}: {outcome:?}");
            assert_eq!(peer.heard().texts.len(), 0);
        }
        assert_eq!(peer.heard().connections, 1, "nothing here tries again");
    }
}

#[test]
fn a_connection_that_drops_is_the_same_as_silence() {
    for stage in Stage::ALL {
        let (outcome, _) = at(stage, || Act::Drop);
        match (stage, &outcome) {
            (Stage::Text, Outcome::InDoubt(_)) => {}
            (Stage::Text, _) => panic!("{outcome:?}"),
            (_, Outcome::Later { everything: true, .. }) => {}
            _ => panic!("{stage:?}: {outcome:?}"),
        }
    }
    // Nobody listens at all.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let outcome = bench(mail(port, Tls::None)).send(message(1));
    assert!(matches!(outcome, Outcome::Later { everything: true, .. }), "{outcome:?}");
}

#[test]
fn answers_that_are_none() {
    for words in ["hello", "", "2", "999 what", "-1 x", "250-goes on\r\nnot at all"] {
        let (outcome, _) = at(Stage::Rcpt, move || Act::Say(words));
        assert!(matches!(outcome, Outcome::Later { .. }), "{words:?}: {outcome:?}");
        let (outcome, _) = at(Stage::Text, move || Act::Say(words));
        assert!(matches!(outcome, Outcome::InDoubt(_)), "{words:?}: {outcome:?}");
    }
}

#[test]
fn a_slow_server_is_waited_for() {
    for stage in Stage::ALL {
        let (outcome, peer) = at(stage, || Act::Drip);
        assert!(matches!(outcome, Outcome::Sent(_)), "{stage:?}: {outcome:?}");
        assert_eq!(peer.heard().taken, 1);
    }
}

#[test]
fn one_refused_address_and_nobody_gets_it() {
    let mut rcpt = 0;
    let peer = Peer::start(move |_, stage| {
        rcpt += usize::from(stage == Stage::Rcpt);
        if stage == Stage::Rcpt && rcpt == 2 { Act::Say("550 bert has left") } else { Act::Fine }
    });
    let mut two = message(1);
    two.recipients.push("bert@example.com".to_owned());
    let outcome = bench(mail(peer.address, Tls::None)).send(two);
    let Outcome::Failed(why) = outcome else { panic!("{outcome:?}") };
    assert!(why.contains("bert@example.com") && why.contains("has left"), "{why}");
    assert_eq!(peer.heard().texts.len(), 0);
}

#[test]
fn a_line_break_makes_no_header_and_no_command() {
    let peer = Peer::healthy();
    let bench = bench(mail(peer.address, Tls::None));
    for evil in [
        "\r\nBcc: eve@example.com",
        "\nBcc: eve@example.com",
        "\r\n\r\nnew body",
        "\u{2028}Bcc: eve@example.com",
        "\0\u{b}",
    ] {
        let mut subject = message(1);
        subject.subject = format!("RMA RMA4711{evil}");
        assert!(matches!(bench.send(subject), Outcome::Sent(_)));
        let mut address = message(2);
        address.recipients = vec![format!("anna@example.com{evil}")];
        let outcome = bench.send(address);
        assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
    }
    let heard = peer.heard();
    for text in &heard.texts {
        let (head, body) = parts(text);
        assert!(head.iter().all(|h| !h.starts_with("Bcc")), "{head:?}");
        assert!(head.iter().any(|h| h.starts_with("Subject: ") && h.contains("RMA4711")), "{head:?}");
        assert!(body.starts_with("First line."), "{body}");
    }
    assert!(heard.commands.iter().all(|c| !c.contains("eve")), "{:?}", heard.commands);
}

#[test]
fn without_tls_nothing_is_said() {
    for tls in [Tls::StartTls, Tls::Tls] {
        let peer = Peer::healthy();
        let outcome = bench(mail(peer.address, tls)).send(message(1));
        assert!(matches!(outcome, Outcome::Later { everything: true, .. }), "{tls:?}: {outcome:?}");
        assert!(peer.heard().commands.iter().all(|c| !c.starts_with("MAIL") && !c.starts_with("AUTH")));
    }
}

#[test]
fn a_stop_gives_back_what_is_not_out() {
    let peer = Peer::start(|_, stage| if stage == Stage::Rcpt { Act::Hang } else { Act::Fine });
    let mut slow = mail(peer.address, Tls::None);
    slow.timeout = Duration::from_secs(600);
    let mut bench = bench(slow);
    bench.hand_over(message(5));
    drop(peer.wait("the recipient", |heard| heard.commands.iter().any(|c| c.starts_with("RCPT"))));
    let given_back = bench.sender.stop().expect("it is given back at once");
    assert_eq!(
        (given_back.id, given_back.outcome),
        (5, Outcome::Later { why: sender::STOPPED.to_owned(), everything: false })
    );
}

#[test]
fn a_stop_waits_for_the_answer_to_a_text_that_is_out() {
    let (go, wait) = channel();
    let mut wait = Some(wait);
    let peer = Peer::start(move |_, stage| match stage {
        Stage::Text => wait.take().map_or(Act::Fine, Act::After),
        _ => Act::Fine,
    });
    let mut patient = mail(peer.address, Tls::None);
    patient.last_answer = Duration::from_secs(600);
    let mut bench = bench(patient);
    bench.hand_over(message(5));
    drop(peer.wait("the text", |heard| heard.texts.len() == 1));
    let answering = std::thread::spawn(move || go.send(()));
    assert_eq!(bench.sender.stop(), None);
    answering.join().unwrap().unwrap();
    assert!(matches!(bench.answer(), Outcome::Sent(_)));
}
