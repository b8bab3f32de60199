//! The calendar: what falls due is done once, on its own day, however late the daemon looks.

use super::*;
use crate::domain::rma::Rma;
use crate::program::Programs;
use crate::store::Store;
use std::sync::Arc;

const CONFIG: &str = "[station]\nid = \"T1\"\ncode = \"T1\"\ntimezone = \"UTC\"\n\
     [[scanner]]\nname = \"gun\"\nkind = \"serial\"\nport = \"/dev/null\"\n\
     [[printer]]\nname = \"zebra\"\nlink = \"tcp://192.0.2.7:9100\"\ndpi = 203\nstock = \"4x3\"\n";

fn at(day: &str) -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339(&format!("{day}T12:00:00+00:00")).unwrap()
}

/// A station whose program names the price of an advance unit. One phone is out in advance.
fn station(dir: &std::path::Path, day: &str) -> Core {
    let (file, text) = crate::program::SHIPPED[0];
    let priced = text.replace("# amount = \"0.00\"", "amount = \"199.00\"");
    assert_ne!(priced, text);
    let programs = Programs::read([(file, priced.as_str())], "voip-reseller").unwrap().0;
    let config = crate::config::parse("t.toml", CONFIG).unwrap().value;
    let store = Store::open(dir, "T1").unwrap();
    Core::new(Arc::new(config), programs, store, at(day)).unwrap().0
}

fn pass(core: &mut Core, day: &str) {
    while core.day_is_due(at(day)) {
        core.day_step(at(day)).map_err(|e| e.to_string()).unwrap();
    }
}

fn advance_shipped(core: &mut Core, day: &str) {
    let facts = json!({"channel": "direct", "reported": day, "brand": "Yealink", "model": "T46U", "ship_date": "2026-02-20",
        "rma": {"ticket": "T-1", "diagnosed": true, "qualified": true}});
    let rma = Rma {
        number: "RMA4711".into(),
        program: "voip-reseller".into(),
        program_version: core.programs.default().version().to_string(),
        customer: None,
        email: None,
        issued: day.parse().unwrap(),
        state: RmaState::Open,
        facts: facts.as_object().unwrap().clone(),
        expected: vec!["PH1".into()],
    };
    core.note(&Event::RmaIssued { rma }, at(day)).unwrap();
    let said = json!({"serial": "PH5"});
    let wish = Wish { step: Step::AdvanceShip, by: "anna", said: said.as_object().unwrap() };
    core.store.begin().unwrap();
    core.act("RMA4711", "PH1", &wish, at(day)).unwrap().unwrap();
    core.store.commit().unwrap();
}

fn ledger(core: &Core) -> Vec<(String, String, String)> {
    let lines = read::ledger(&core.store.conn).unwrap();
    lines.into_iter().map(|l| (l.kind, l.amount.to_string(), l.on)).collect()
}

/// T8, A-24: shipped 2026-03-01, not back by the end of 03-31: billed with the date of 04-01, once, even
/// where the station was off until May.
#[test]
fn an_advance_that_does_not_come_back_is_billed_on_day_31() {
    let dir = tempfile::tempdir().unwrap();
    let mut core = station(dir.path(), "2026-03-01");
    pass(&mut core, "2026-03-01");
    advance_shipped(&mut core, "2026-03-01");
    pass(&mut core, "2026-03-31");
    assert_eq!(ledger(&core), []);
    drop(core);
    let billed = [("advance_not_returned".to_owned(), "199.00".to_owned(), "2026-04-01".to_owned())];
    let mut core = station(dir.path(), "2026-05-10");
    pass(&mut core, "2026-05-10");
    assert_eq!(ledger(&core), billed);
    assert!(!core.day_is_due(at("2026-05-10")));
    drop(core);
    let mut core = station(dir.path(), "2026-05-11");
    pass(&mut core, "2026-05-11");
    assert_eq!(ledger(&core), billed);
}

#[test]
fn a_clock_that_went_back_passes_no_day_twice() {
    let dir = tempfile::tempdir().unwrap();
    let mut core = station(dir.path(), "2026-03-01");
    pass(&mut core, "2026-03-01");
    pass(&mut core, "2026-03-05");
    let days = core.store.seq();
    pass(&mut core, "2026-03-02");
    assert_eq!(core.store.seq(), days);
}

/// T8: the original on the dock on 03-31 stops the clock; another unit's serial does not.
#[test]
fn the_original_on_day_30_is_not_billed() {
    let dir = tempfile::tempdir().unwrap();
    let mut core = station(dir.path(), "2026-03-01");
    pass(&mut core, "2026-03-01");
    advance_shipped(&mut core, "2026-03-01");
    pass(&mut core, "2026-03-30");
    let came = json!({"facts": {"advance": {"original_received": "2026-03-31"}}});
    let wish = Wish { step: Step::Note, by: "anna", said: came.as_object().unwrap() };
    core.store.begin().unwrap();
    core.act("RMA4711", "PH1", &wish, at("2026-03-31")).unwrap().unwrap();
    core.store.commit().unwrap();
    pass(&mut core, "2026-04-20");
    assert_eq!(ledger(&core), []);
}
