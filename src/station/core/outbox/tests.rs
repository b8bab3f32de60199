//! The outbox through a day of failures, a full disk and a batch that was given up: time is an argument.

use super::*;
use crate::message::Fields;
use crate::rma::draft;
use crate::station::core::{Effect, Input};
use crate::station::request::Request;
use crate::store::{Store, verify};
use chrono::Duration;
use std::sync::Arc;

const CONFIG: &str = "[station]\nid = \"T1\"\ncode = \"T1\"\ntimezone = \"UTC\"\n\
     [mail]\nserver = \"smtp://192.0.2.25\"\ntls = \"none\"\nfrom = \"dock@example.com\"\n\
     [[webhook]]\nname = \"erp\"\nurl = \"http://192.0.2.80/\"\nsecret_file = \"/none\"\nabout = [\"within_30_days\"]\n";

struct Bench {
    core: Core,
    now: DateTime<FixedOffset>,
    dir: tempfile::TempDir,
}

fn bench() -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let now = DateTime::parse_from_rfc3339("2026-03-02T12:00:00+00:00").unwrap();
    let mut bench = Bench { core: core(dir.path(), now), now, dir };
    let head = "number,ticket,channel,customer,issued,reported,purchase_date,diagnosed,qualified,serial";
    let unit =
        |rma: &str, serial: &str| format!("{rma},T-1,direct,Acme,2026-03-01,2026-03-01,2026-02-20,yes,yes,{serial}");
    let text = [head.to_owned(), unit("RMA4711", "KDX1"), unit("RMA4711", "KDX2"), unit("RMA4712", "KDX3")].join("\n");
    let drafts = draft::read(&text).drafts;
    bench.take([Input::Request(Box::new(Request::Rmas { drafts, by: "test".into() }), Box::new(|r| assert!(r.ok)))]);
    bench.core.messages_can_leave();
    bench
}

fn core(dir: &std::path::Path, now: DateTime<FixedOffset>) -> Core {
    let config = crate::config::parse("t.toml", CONFIG).unwrap().value;
    let text = include_str!("../../../../programs/voip-reseller.toml");
    let named = text.replace("management = []", "management = [\"boss@example.com\"]");
    let (programs, _) = Programs::read([("p.toml", named.as_str())], "voip-reseller").unwrap();
    Core::new(Arc::new(config), programs, Store::open(dir, "T1").unwrap(), now).unwrap().0
}

impl Bench {
    fn take(&mut self, inputs: impl IntoIterator<Item = Input>) -> Option<Dispatch> {
        let effects = self.core.take(inputs.into_iter().collect(), self.now);
        effects.into_iter().find_map(|effect| match effect {
            Effect::Dispatch(message) => Some(*message),
            Effect::Send(..) => None,
        })
    }

    /// As [`Event::Received`] does, in a transaction of its own.
    fn owe(&mut self, rma: &str, about: &str) {
        let rma = know::rma(&self.core.store.conn, rma).unwrap().unwrap();
        let head = Head { at: self.now, ..Head::default() };
        let cause = format!("{}/{about}/management", rma.number);
        let fields = Fields::default();
        let owed =
            Owed { rma: &rma, unit: None, to: Role::Management, about, rule: "A-19", says: "So it is.", cause, fields };
        self.core.store.begin().unwrap();
        self.core.owe(owed, &head).unwrap_or_else(|e| panic!("{e}"));
        self.core.store.commit().unwrap();
    }

    fn answer(&mut self, id: MessageId, outcome: Outcome) -> Option<Dispatch> {
        self.take([Input::Message(Answer { id, outcome })])
    }

    fn rows(&self) -> Vec<(MessageId, &'static str, u32)> {
        let mut rows = messages::newest(&self.core.store.conn, "T1", 100).unwrap();
        rows.reverse();
        rows.iter().map(|row| (row.id, row.state.word(), row.attempt)).collect()
    }

    fn verified(&self) {
        let report = verify::verify(&crate::store::open_reader(self.dir.path()).unwrap(), |_, _| ()).unwrap();
        assert_eq!(report.problems, Vec::<String>::new());
    }
}

fn down() -> Outcome {
    Outcome::Later { why: "500".to_owned(), everything: true }
}

#[test]
fn a_cause_is_owed_once_and_a_webhook_hears_what_it_asked_for() {
    let mut bench = bench();
    for _ in 0..3 {
        bench.owe("RMA4711", "within_30_days");
        bench.owe("RMA4711", "other");
    }
    assert_eq!(bench.rows(), [(1, "owed", 0), (2, "owed", 0), (3, "owed", 0)]);
    let open = messages::open(&bench.core.store.conn, "T1").unwrap();
    let to: Vec<String> = open.iter().map(|row| row.to.to_string()).collect();
    assert_eq!(to, ["management", "webhook:erp", "management"]);
    let message = messages::message(&bench.core.store.conn, &open[1]).unwrap();
    let told: serde_json::Value = serde_json::from_str(&message.body).unwrap();
    assert_eq!(
        (&told["about"], &told["ticket"], &told["station"]),
        (&json!("within_30_days"), &json!("T-1"), &json!("T1"))
    );
    bench.verified();
}

#[test]
fn a_day_without_a_receiver_and_nothing_is_lost_or_sent_twice() {
    let mut bench = bench();
    bench.owe("RMA4711", "within_30_days");
    bench.owe("RMA4712", "within_30_days");
    let (mut tries, mut mails) = (0, 0);
    for _ in 0..24 * 60 {
        bench.now += Duration::minutes(1);
        let mut out = bench.take([Input::Tick]);
        while let Some(order) = out {
            let (id, hook) = (order.message.id, matches!(order.message.to, To::Webhook(_)));
            if hook {
                tries += 1
            } else {
                mails += 1
            }
            out = bench.answer(id, if hook { down() } else { Outcome::Sent("250".to_owned()) });
        }
        if tries == 20 {
            // What was learned about the next try stands in the table.
            let dir = bench.dir.path().to_owned();
            drop(std::mem::replace(&mut bench.core, core(&tempfile::tempdir().unwrap().keep(), bench.now)));
            bench.core = core(&dir, bench.now);
            bench.core.messages_can_leave();
            tries += 1;
        }
    }
    assert_eq!(mails, 2, "the mail server is up: once each, on the first minute");
    // Two webhooks, each every hour at the most, but one at a time while nobody answers.
    assert!((28..70).contains(&tries), "{tries}");
    bench.now += Duration::hours(2);
    let mut out = bench.take([Input::Tick]);
    let mut sent = Vec::new();
    while let Some(order) = out {
        sent.push(order.message.id);
        out = bench.answer(order.message.id, Outcome::Sent("200".to_owned()));
    }
    assert_eq!(sent, [2, 4]);
    assert!(bench.rows().iter().all(|(_, state, _)| *state == "sent"), "{:?}", bench.rows());
    assert_eq!(bench.core.outbox.people(), 0);
    bench.verified();
}

#[test]
fn after_its_last_try_a_message_is_a_persons() {
    let mut bench = bench();
    bench.owe("RMA4711", "other");
    let mut tries = 0;
    for _ in 0..200 {
        bench.now += Duration::minutes(61);
        if let Some(order) = bench.take([Input::Tick]) {
            tries += 1;
            bench.answer(order.message.id, down());
        }
    }
    assert_eq!(tries, crate::message::queue::TRIES);
    assert_eq!(bench.rows(), [(1, "failed", tries)]);
    assert_eq!(bench.core.outbox.people(), 1);
    bench.take([Input::Request(
        Box::new(Request::SettleMessage { id: 1, how: Settled::Retry, by: "anna".to_owned() }),
        Box::new(|r| assert!(r.ok, "{}", r.text)),
    )]);
    assert_eq!(bench.core.outbox.people(), 0);
    bench.verified();
}

#[test]
fn an_answer_that_cannot_be_written_waits_and_nothing_else_goes() {
    let mut bench = bench();
    bench.owe("RMA4711", "within_30_days");
    let first = bench.take([Input::Tick]).expect("the first goes");
    let writable = |bench: &Bench, yes: bool| {
        bench.core.store.conn.execute_batch(&format!("PRAGMA query_only={}", i32::from(!yes))).unwrap();
    };
    writable(&bench, false);
    assert!(bench.answer(first.message.id, Outcome::Sent("ok".to_owned())).is_none());
    assert!(bench.core.has_unwritten());
    assert_eq!(bench.core.outbox.queue.out(), Some(first.message.id));
    assert!(bench.take([Input::Tick]).is_none());
    writable(&bench, true);
    let next = bench.take([Input::Tick]);
    assert!(!bench.core.has_unwritten());
    assert_eq!(next.expect("the second goes").message.id, 2);
    assert_eq!(bench.rows(), [(1, "sent", 1), (2, "sending", 1)]);
    bench.verified();
}

#[test]
fn what_a_batch_owed_is_forgotten_when_it_is_given_up() {
    let mut bench = bench();
    let rma = know::rma(&bench.core.store.conn, "RMA4711").unwrap().unwrap();
    let owed = |cause: &str| Owed {
        rma: &rma,
        unit: None,
        to: Role::Customer,
        about: "a",
        rule: "r",
        says: "",
        cause: cause.to_owned(),
        fields: Fields::default(),
    };
    let head = Head { at: bench.now, ..Head::default() };
    bench.core.store.begin().unwrap();
    bench.core.owe(owed("one"), &head).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(bench.core.outbox.people(), 1, "the RMA names no address");
    bench.core.store.rollback();
    bench.core.reload().unwrap();
    assert_eq!((bench.core.outbox.people(), bench.rows().len()), (0, 0));
    assert!(!bench.core.message_is_due(bench.now));
}

#[test]
fn a_station_that_is_closing_sends_nothing_more() {
    let mut bench = bench();
    bench.owe("RMA4711", "other");
    bench.core.close();
    assert!(!bench.core.message_is_due(bench.now));
    assert!(bench.take([Input::Tick]).is_none());
    assert_eq!(bench.rows(), [(1, "owed", 0)]);
}
