//! Lookups, and what a tampered table looks like.

use rusqlite::Connection;

use super::*;
use crate::domain::shipment::Shipment;
use crate::store::import::{Import, ImportMap};

fn table() -> Connection {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file.csv");
    let rows =
        "serial,mac,brand,model,ship_date,order,customer,channel,distributor,purchase_date,warranty_until,plan_until
S1,00:15:65:00:00:01;00:15:65:00:00:02,Yealink,T46S,2024-02-29,SO-1,Acme,reseller,Jenne,2024-01-02,2026-02-28,2027-02-28
S2,001565000003,,,2024-03-01,,,,,,,
S3,,,,2024-03-02,,,,,,,
";
    std::fs::write(&file, rows).unwrap();
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch(SCHEMA).unwrap();
    let mut import = Import::open(&file, &ImportMap::default(), &dir.path().join("rejects.csv")).unwrap();
    while import.step(&conn, &mut |_, _| {}).unwrap().end.is_none() {}
    assert_eq!(digest(&conn).unwrap().count, 3);
    conn
}

#[test]
fn a_unit_is_found_by_serial_and_by_each_address() {
    let conn = table();
    let json = r#"{"serial":"S1","macs":["001565000001","001565000002"],"brand":"Yealink","model":"T46S","ship_date":"2024-02-29","order":"SO-1","customer":"Acme","channel":"reseller","distributor":"Jenne","purchase_date":"2024-01-02","warranty_until":"2026-02-28","plan_until":"2027-02-28"}"#;
    let want: Shipment = serde_json::from_str(json).unwrap();
    assert_eq!(lookup_serial(&conn, "S1").unwrap().as_ref(), Some(&want));
    for mac in &want.macs {
        assert_eq!(lookup_mac(&conn, *mac).unwrap(), std::slice::from_ref(&want));
    }
    let bare = lookup_serial(&conn, "S3").unwrap().unwrap();
    assert_eq!((bare.macs.len(), bare.brand, bare.plan_until), (0, None, None));
    assert_eq!(lookup_serial(&conn, "S4").unwrap(), None);
    assert_eq!(lookup_serial(&conn, "s1").unwrap(), None, "the key is canonical");
    assert_eq!(lookup_mac(&conn, Mac::parse("001565000009").unwrap()).unwrap(), []);
}

#[test]
fn every_lookup_goes_through_an_index() {
    let conn = table();
    for sql in [
        "SELECT * FROM shipment WHERE serial = ?1",
        "SELECT * FROM shipment WHERE mac = ?1",
        "SELECT s.* FROM shipment_further_mac f CROSS JOIN shipment s ON s.id = f.shipment WHERE f.mac = ?1",
    ] {
        let mut plan = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps: Vec<String> = plan.query_map(["x"], |r| r.get(3)).unwrap().map(Result::unwrap).collect();
        assert!(steps.iter().all(|s| s.starts_with("SEARCH")), "{sql}: {steps:?}");
    }
}

#[test]
fn whatever_is_altered_by_hand_shows() {
    for tampering in [
        "UPDATE shipment SET ship_date = ship_date + 1 WHERE serial = 'S2'",
        "UPDATE shipment SET brand = 'X' WHERE serial = 'S2'",
        "UPDATE shipment SET brand = '' WHERE serial = 'S2'",
        "UPDATE shipment SET macs = NULL WHERE serial = 'S2'",
        "UPDATE shipment SET plan_until = NULL WHERE serial = 'S1'",
        "UPDATE shipment SET brand = model, model = brand WHERE serial = 'S1'",
        "UPDATE shipment SET order_number = NULL, customer = order_number WHERE serial = 'S1'",
        "UPDATE shipment SET purchase_date = 20000 WHERE serial = 'S3'",
        "UPDATE shipment SET warranty_until = 20000 WHERE serial = 'S3'",
        "DELETE FROM shipment WHERE serial = 'S3'",
        "INSERT INTO shipment(serial, ship_date) VALUES('S4', 20000)",
    ] {
        let conn = table();
        assert_eq!(digest_recompute(&conn).unwrap(), digest(&conn).unwrap());
        assert_eq!(conn.execute(tampering, []).unwrap(), 1);
        assert_ne!(digest_recompute(&conn).unwrap(), digest(&conn).unwrap(), "{tampering}");
    }
    for (tampering, says) in [
        ("DELETE FROM shipment_further_mac", "further MACs"),
        ("INSERT INTO shipment_further_mac VALUES(x'001565000003', 1)", "further MACs"),
        ("UPDATE shipment_further_mac SET shipment = 2", "further MACs"),
        ("INSERT INTO shipment(serial, ship_date) VALUES('S3', 20000)", "S3 has more than one row"),
    ] {
        let conn = table();
        assert_eq!(problem(&conn).unwrap(), None);
        conn.execute(tampering, []).unwrap();
        let found = problem(&conn).unwrap().unwrap_or_default();
        assert!(found.contains(says), "{tampering}: {found}");
    }
}

#[test]
fn a_row_that_makes_no_sense_is_an_error_and_not_a_guess() {
    for tampering in [
        "UPDATE shipment SET ship_date = 9223372036854775807",
        "UPDATE shipment SET ship_date = 2000000000",
        "UPDATE shipment SET macs = x'0015'",
        "UPDATE shipment SET id = 9223372036854775807 WHERE serial = 'S1'",
        "UPDATE shipment SET id = -1 WHERE serial = 'S1'",
        "UPDATE shipment SET brand = CAST(x'FF' AS TEXT)",
    ] {
        let conn = table();
        conn.execute(tampering, []).unwrap();
        assert!(matches!(lookup_serial(&conn, "S1"), Err(StoreError::Unreadable(_))), "{tampering}");
    }
    let conn = table();
    conn.execute("DELETE FROM shipment_digest", []).unwrap();
    assert!(digest(&conn).is_err());
}
