//! The whole way: a scan, the outbox, the wire, the journal; the real binary between a scripted mail
//! server and a scripted receiver of webhooks, killed and stopped in between.

use super::peer::{Act, Peer, Stage, parts};
use super::receiver::{self, Receiver};
use super::support::account;
use super::support::dock::{Daemon, Dock, RMA};
use super::support::page::Page;
use super::webhook::{SECRET, signature};
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const QUICK: Duration = Duration::from_millis(5);

/// A dock whose management has an address.
fn dock(units: usize, peer: Option<&Peer>, hook: Option<&Receiver>) -> Dock {
    let dock = Dock::bare(units, QUICK);
    let programs = dock.file("programs");
    fs::create_dir(&programs).unwrap();
    let text = include_str!("../../programs/voip-reseller.toml");
    let named = text.replace("management = []", "management = [\"boss@example.com\"]");
    assert_ne!(named, text);
    fs::write(programs.join("voip-reseller.toml"), named).unwrap();
    let templates = programs.join("messages/voip-reseller");
    fs::create_dir_all(&templates).unwrap();
    for (about, text) in [
        ("within_30_days", include_str!("../../programs/messages/voip-reseller/within_30_days.txt")),
        ("advance_refused", include_str!("../../programs/messages/voip-reseller/advance_refused.txt")),
    ] {
        fs::write(templates.join(format!("{about}.txt")), text).unwrap();
    }
    let mut more = format!("[programs]\ndir = {programs:?}\n");
    if let Some(peer) = peer {
        let _ = write!(
            more,
            "[mail]\nserver = \"smtp://{}\"\ntls = \"none\"\nfrom = \"Dock <dock@example.com>\"\n",
            peer.address
        );
    }
    if let Some(hook) = hook {
        let secret = dock.file("secret");
        fs::write(&secret, SECRET).unwrap();
        let _ = write!(more, "[[webhook]]\nname = \"erp\"\nurl = \"{}\"\nsecret_file = {secret:?}\n", hook.url());
    }
    configure(&dock, &more);
    dock.bring_in();
    dock
}

fn configure(dock: &Dock, more: &str) {
    let text = fs::read_to_string(&dock.config).unwrap();
    fs::write(&dock.config, text + more).unwrap();
}

/// The outbox, oldest first, and the exit code that comes with it.
fn outbox(dock: &Dock) -> (Vec<Value>, Option<i32>) {
    let done = dock.cli(&["outbox", "--json"]);
    let mut rows: Vec<Value> = serde_json::from_slice(&done.stdout).unwrap_or_else(|e| panic!("{e}: {done:?}"));
    rows.reverse();
    (rows, done.status.code())
}

fn states(dock: &Dock) -> Vec<String> {
    let (rows, _) = outbox(dock);
    rows.iter().map(|row| format!("{} {}", row["to"].as_str().unwrap(), row["state"].as_str().unwrap())).collect()
}

fn receive(dock: &Dock, page: &mut Page, payloads: &[&str]) {
    for payload in payloads {
        dock.scan(page, payload).unwrap_or_else(|e| panic!("{payload}: {e:?}"));
    }
}

/// Waits until the log says so many messages are sent.
fn sent(daemon: &Daemon, count: usize) {
    assert!(daemon.says(count, " sent id="), "{}", daemon.log());
}

#[test]
fn a_receipt_owes_its_message_once_and_it_is_sent() {
    let (peer, hook) = (Peer::healthy(), Receiver::start(|_| receiver::Act::Status(200)));
    let dock = dock(2, Some(&peer), Some(&hook));
    let (daemon, mut page) = dock.start();
    receive(&dock, &mut page, &[RMA, &dock.units[0], &dock.units[1], "DONE"]);
    sent(&daemon, 2);
    assert_eq!(states(&dock), ["management sent", "webhook:erp sent"], "once for the RMA, not for each unit");
    let heard = peer.heard();
    assert_eq!(heard.texts.len(), 1);
    let (head, body) = parts(&heard.texts[0]);
    assert!(head.contains(&"To: boss@example.com".to_owned()), "{head:?}");
    assert!(head.iter().any(|h| h.starts_with("Subject: ") && h.contains(RMA) && h.contains("T-1")), "{head:?}");
    assert!(body.contains(&dock.units[0]) && body.contains("T-1") && body.contains("Acme"), "{body}");
    let posted = hook.wait(1);
    assert_eq!(posted.len(), 1);
    assert_eq!(posted[0].header("x-backdock-signature"), signature(&posted[0].body));
    let told = posted[0].json();
    assert_eq!(
        (told["rma"].as_str(), told["to"].as_str(), told["ticket"].as_str()),
        (Some(RMA), Some("management"), Some("T-1"))
    );
    assert_eq!(outbox(&dock).1, Some(0));
    account::verified(&dock).unwrap();
}

#[test]
fn without_an_address_it_waits_for_a_person() {
    let peer = Peer::healthy();
    let dock = Dock::bare(1, QUICK);
    configure(
        &dock,
        &format!("[mail]\nserver = \"smtp://{}\"\ntls = \"none\"\nfrom = \"dock@example.com\"\n", peer.address),
    );
    dock.bring_in();
    let (_daemon, mut page) = dock.start();
    receive(&dock, &mut page, &[RMA, &dock.units[0]]);
    page.wait("somebody is needed", |view| view["messages"] == 1).unwrap();
    assert_eq!(states(&dock), ["management unaddressed"]);
    assert_eq!(outbox(&dock).1, Some(3));
    let shown = dock.cli(&["outbox", "show", "1"]);
    assert_eq!(shown.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&shown.stdout).contains("Internal comments"), "{shown:?}");
    let retried = dock.cli(&["outbox", "settle", "1", "retry", "--by", "anna"]);
    assert_eq!(retried.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&retried.stderr).contains("[contacts] management"), "{retried:?}");
    assert!(dock.cli(&["outbox", "settle", "1", "sent", "--by", "anna"]).status.success());
    page.wait("nobody is needed", |view| view["messages"] == 0).unwrap();
    assert_eq!(outbox(&dock).1, Some(0));
    assert_eq!(dock.cli(&["outbox", "settle", "1", "cancel", "--by", "anna"]).status.code(), Some(1), "it is final");
    assert_eq!(dock.cli(&["outbox", "settle", "2", "sent", "--by", "anna"]).status.code(), Some(1), "there is none");
    assert_eq!(peer.heard().connections, 0);
    account::verified(&dock).unwrap();
}

#[test]
fn a_customer_gets_his_copy_without_our_comments_and_no_line_of_his_own_making() {
    let peer = Peer::healthy();
    let dock = dock(1, Some(&peer), None);
    let file = dock.file("more.csv");
    let head = "number,ticket,channel,class,customer,email,issued,reported,diagnosed,qualified,serial";
    let row = |number: &str, email: &str| {
        // A line break in a name is refused where it comes in (and escaped where it would go out).
        let customer = "\"Acme, Bcc: eve@example.com, Send money\"";
        format!("{number},T-2,reseller,advance,{customer},{email},2026-02-20,2026-02-20,yes,yes,{}", dock.units[0])
    };
    let text =
        [head.to_owned(), row("RMA480001", "carl@acme.example"), row("RMA480002", "carl@acme\u{b}.example")].join("\n");
    fs::write(&file, text).unwrap();
    let done = dock.cli(&["rma", "import", file.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&done.stderr).contains("email must be one line"), "{done:?}");
    let new = dock.cli(&["rma", "new", "--customer", "Acme", "--email", "carl@acme"]);
    assert!(new.status.success(), "{new:?}");
    assert_eq!(dock.cli(&["rma", "new", "--customer", "Acme", "--email", "carl acme"]).status.code(), Some(1));

    let (daemon, mut page) = dock.start();
    receive(&dock, &mut page, &["RMA480001", &dock.units[0]]);
    sent(&daemon, 2);
    let heard = peer.heard();
    let to = |who: &str| heard.texts.iter().map(|t| parts(t)).find(|(head, _)| head.contains(&format!("To: {who}")));
    let (ours, (head, body)) = (to("boss@example.com").expect("ours"), to("carl@acme.example").expect("his"));
    assert!(ours.1.contains("Internal comments") && ours.1.contains("Verdict "), "{}", ours.1);
    for word in ["Internal", "Verdict ", "Hold ", "Freight", "released by"] {
        assert!(!body.contains(word), "{word}: {body}");
    }
    assert!(body.contains("keep a spare or two"), "{body}");
    assert!(body.contains("Dear Acme, Bcc: eve@example.com, Send money,"), "{body}");
    for head in [&ours.0, &head] {
        assert!(head.iter().all(|h| !h.starts_with("Bcc")), "{head:?}");
    }
    assert!(heard.commands.iter().all(|c| !c.contains("eve")), "{:?}", heard.commands);
}

#[test]
fn killed_between_the_text_and_the_answer_it_is_in_doubt_and_not_sent_again() {
    let peer = Peer::start(|n, stage| if (n, stage) == (1, Stage::Text) { Act::Hang } else { Act::Fine });
    let dock = dock(2, Some(&peer), None);
    let (mut daemon, mut page) = dock.start();
    receive(&dock, &mut page, &[RMA, &dock.units[0]]);
    drop(peer.wait("the text", |heard| heard.texts.len() == 1));
    daemon.kill();
    assert_eq!(states(&dock), ["management sending"], "written before the first byte left");

    let (mut daemon, mut page) = dock.start();
    page.wait("somebody is needed", |view| view["messages"] == 1).unwrap();
    receive(&dock, &mut page, &[&dock.units[1]]);
    assert_eq!(states(&dock), ["management in-doubt"]);
    assert_eq!(outbox(&dock).1, Some(3));
    assert_eq!(peer.heard().connections, 1, "never again by itself");
    // He never got it, somebody found out.
    assert!(dock.cli(&["outbox", "settle", "1", "retry", "--by", "anna"]).status.success());
    sent(&daemon, 1);
    let texts = peer.heard().texts.clone();
    let ids = texts.iter().map(|t| parts(t).0.into_iter().find(|h| h.starts_with("Message-ID")));
    let ids: Vec<_> = ids.collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1], "whoever has both can tell");
    assert_eq!(states(&dock), ["management sent"]);
    daemon.ask_to_stop();
    assert!(daemon.end().success());
    account::verified(&dock).unwrap();
}

#[test]
fn a_webhook_that_was_killed_is_repeated_with_the_same_key() {
    let hook = Receiver::start(|n| if n == 1 { receiver::Act::Hang } else { receiver::Act::Status(200) });
    let dock = dock(1, None, Some(&hook));
    let (mut daemon, mut page) = dock.start();
    receive(&dock, &mut page, &[RMA, &dock.units[0]]);
    hook.wait(1);
    daemon.kill();
    let (daemon, _page) = dock.start();
    sent(&daemon, 1);
    let posted = hook.wait(2);
    assert_eq!(posted[0].header("idempotency-key"), posted[1].header("idempotency-key"));
    assert_eq!(posted[0].body, posted[1].body);
    assert_eq!(states(&dock), ["management owed", "webhook:erp sent"], "no [mail]: the e-mail stays owed");
    let listed = dock.cli(&["outbox", "--open"]);
    assert_eq!(listed.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&listed.stderr).contains("no [mail]"), "{listed:?}");
    account::verified(&dock).unwrap();
}

#[test]
fn the_time_of_the_next_try_outlives_the_daemon() {
    let peer =
        Peer::start(|_, stage| if stage == Stage::Rcpt { Act::Say("450 greylisted, come back") } else { Act::Fine });
    let dock = dock(2, Some(&peer), None);
    let (mut daemon, mut page) = dock.start();
    receive(&dock, &mut page, &[RMA, &dock.units[0]]);
    assert!(daemon.says(1, " not sent yet id="), "{}", daemon.log());
    daemon.ask_to_stop();
    assert!(daemon.end().success());
    let (before, code) = outbox(&dock);
    assert_eq!((before[0]["state"].as_str(), code), (Some("owed"), Some(0)));
    assert!(
        before[0]["next_try"].is_string() && before[0]["note"].as_str().unwrap().contains("greylisted"),
        "{before:?}"
    );
    let (_daemon, mut page) = dock.start();
    receive(&dock, &mut page, &[&dock.units[1]]);
    assert_eq!(outbox(&dock).0, before);
    assert_eq!(peer.heard().connections, 1);
    assert!(dock.cli(&["outbox", "settle", "1", "cancel", "--by", "anna"]).status.success());
    assert_eq!(states(&dock), ["management cancelled"]);
    account::verified(&dock).unwrap();
}

#[test]
fn a_stop_leaves_no_doubt_where_nothing_had_left() {
    let slow = Arc::new(AtomicBool::new(true));
    let there = slow.clone();
    let peer = Peer::start(
        move |_, stage| {
            if stage == Stage::Rcpt && there.load(Ordering::Relaxed) { Act::Hang } else { Act::Fine }
        },
    );
    let dock = dock(1, Some(&peer), None);
    let (mut daemon, mut page) = dock.start();
    receive(&dock, &mut page, &[RMA, &dock.units[0]]);
    drop(peer.wait("the recipient", |heard| heard.commands.iter().any(|c| c.starts_with("RCPT"))));
    daemon.ask_to_stop();
    assert!(daemon.end().success());
    let (rows, _) = outbox(&dock);
    assert_eq!(rows[0]["state"], "owed", "{rows:?}");
    assert!(rows[0]["note"].as_str().unwrap().contains("stopped"), "{rows:?}");
    account::verified(&dock).unwrap();
}

#[test]
fn a_mistake_in_a_template_is_found_before_the_start() {
    let dock = dock(1, None, None);
    let file = dock.file("programs").join("messages/voip-reseller/advance_refused.txt");
    fs::write(&file, "Subject: RMA {rma}\n\nDear {custommer},\n{details}\n").unwrap();
    for verb in ["check", "run"] {
        let done = dock.cli(&[verb]);
        assert_eq!(done.status.code(), Some(2), "{verb}: {done:?}");
        let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
        assert!(said.contains(&format!("{}:3: custommer", file.display())) && said.contains("{customer}"), "{said}");
        assert!(said.contains(":4: details"), "{said}");
    }
    fs::write(&file, "Subject: RMA {rma}\n\nDear {customer},\n{text}\n").unwrap();
    assert_eq!(dock.cli(&["check"]).status.code(), Some(0));
}
