//! Whole files into whole tables.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::prelude::*;
use rusqlite::Connection;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::*;
use crate::domain::mac::Mac;
use crate::store::shipments::{SCHEMA, digest, digest_recompute, lookup_mac, lookup_serial, problem};

const HEADER: &str =
    "serial,mac,brand,model,ship_date,order,customer,channel,distributor,purchase_date,warranty_until,plan_until";

/// A station's database and a place for files.
struct Bench {
    dir: TempDir,
    conn: Connection,
}

impl Bench {
    fn new() -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let conn = open(&dir.path().join("db"));
        conn.execute_batch(SCHEMA).unwrap();
        Bench { dir, conn }
    }

    fn import(&self, content: impl AsRef<[u8]>) -> Import {
        self.import_with(content, &ImportMap::default()).unwrap()
    }

    fn import_with(&self, content: impl AsRef<[u8]>, map: &ImportMap) -> Result<Import, ImportError> {
        let file = self.dir.path().join("file.csv");
        fs::write(&file, content).unwrap();
        Import::open(&file, map, &self.dir.path().join("rejects.csv"))
    }

    /// Imports in slices of `rows`, as the daemon does.
    fn slices(&mut self, content: impl AsRef<[u8]>, rows: usize) -> (Counts, Vec<(Shipment, Shipment)>, FileFacts) {
        let mut import = self.import(content);
        import.pace.rows = rows;
        let (mut counts, mut changes) = (Counts::default(), Vec::new());
        loop {
            let tx = self.conn.transaction().unwrap();
            let step = import.step(&tx, &mut |old, new| changes.push((old, new))).unwrap();
            tx.commit().unwrap();
            assert_eq!(step.digest, digest(&self.conn).unwrap());
            counts += step.counts;
            if let Some(facts) = step.end {
                self.check();
                return (counts, changes, facts);
            }
        }
    }

    fn bulk(&mut self, content: impl AsRef<[u8]>) -> Result<Summary, ImportError> {
        let import = self.import(content);
        let done = bulk_load(&mut self.conn, import, |_, _| Ok(()));
        self.check();
        done
    }

    /// What must hold at any time.
    fn check(&self) {
        assert_eq!(digest_recompute(&self.conn).unwrap(), digest(&self.conn).unwrap());
        assert_eq!(problem(&self.conn).unwrap(), None);
        let ok: String = self.conn.query_row("PRAGMA integrity_check", [], |r| r.get(0)).unwrap();
        assert_eq!(ok, "ok");
        let mode: String = self.conn.query_row("PRAGMA journal_mode", [], |r| r.get(0)).unwrap();
        assert_eq!(mode, "wal");
    }

    fn table(&self) -> Vec<String> {
        let mut rows = Vec::new();
        crate::store::shipments::walk::<StoreError>(&self.conn, "shipment", |_, fields| {
            rows.push(format!("{fields:?}"));
            Ok(())
        })
        .unwrap();
        rows.sort();
        rows
    }

    fn schema(&self) -> Vec<String> {
        let mut s = self
            .conn
            .prepare("SELECT name || ' ' || sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
            .unwrap();
        s.query_map([], |r| r.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    /// Line number and reason of every reject, in line order.
    fn rejects(&self) -> Vec<(u64, String, String)> {
        let Ok(text) = fs::read(self.dir.path().join("rejects.csv")) else { return Vec::new() };
        let mut records = records::Records::new(text.as_slice(), b',', 1, 0);
        let (mut found, mut scratch) = (Vec::new(), Vec::new());
        while let Some(record) = records.next().unwrap() {
            assert_eq!((record.fault, record.width()), (None, 3));
            let mut field = |n| String::from_utf8(record.field(n, &mut scratch).unwrap().to_vec()).unwrap();
            found.push((field(0), field(1), field(2)));
        }
        assert_eq!(found.remove(0), ("line".into(), "reason".into(), "text".into()));
        let mut found: Vec<_> = found.into_iter().map(|(line, why, text)| (line.parse().unwrap(), why, text)).collect();
        found.sort();
        found
    }
}

fn open(path: &Path) -> Connection {
    let conn = Connection::open(path).unwrap();
    conn.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-2048",
    )
    .unwrap();
    conn
}

/// A file of `serial mac ship_date` rows.
fn file(rows: &[(&str, &str, &str)]) -> String {
    let lines = rows.iter().map(|(serial, mac, date)| format!("{serial},{mac},Yealink,T46S,{date},,,agent,,,,\n"));
    format!("{HEADER}\n{}", lines.collect::<String>())
}

fn counts(inserted: u64, updated: u64, unchanged: u64, rejected: u64) -> Counts {
    Counts { inserted, updated, unchanged, rejected }
}

const A: &str = "001565AAAAAA";
const B: &str = "001565BBBBBB";

#[test]
fn a_file_twice_changes_nothing_the_second_time() {
    let content = file(&[("S1", A, "2024-01-01"), ("S2", B, "2024-01-02"), ("S3", "", "2024-01-03")]);
    let mut bench = Bench::new();
    let (done, changes, facts) = bench.slices(&content, 2);
    assert_eq!((done, changes.len()), (counts(3, 0, 0, 0), 0));
    assert_eq!(facts.sha256, Sha256::digest(&content).iter().map(|b| format!("{b:02x}")).collect::<String>());
    assert_eq!((facts.bytes, facts.rows, facts.unterminated), (content.len() as u64, 3, false));
    let before = (bench.table(), digest(&bench.conn).unwrap());
    assert_eq!(bench.slices(&content, 100).0, counts(0, 0, 3, 0));
    assert_eq!((bench.table(), digest(&bench.conn).unwrap()), before);
    assert!(matches!(bench.bulk(&content), Err(ImportError::NotEmpty)));
    assert_eq!((bench.table(), digest(&bench.conn).unwrap()), before);
}

#[test]
fn a_newer_shipment_replaces_the_older_and_both_are_told() {
    let mut bench = Bench::new();
    bench.slices(file(&[("S1", &format!("{A};{B}"), "2024-01-01"), ("S2", "", "2024-01-02")]), 9);
    let (done, changes, _) = bench.slices(file(&[("s1", B, "2025-05-05"), ("S2", "", "2024-01-02")]), 9);
    assert_eq!(done, counts(0, 1, 1, 0));
    let [(old, new)] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!((old.serial.as_str(), old.ship_date.to_string(), old.macs.len()), ("S1", "2024-01-01".to_owned(), 2));
    assert_eq!((new.serial.as_str(), new.ship_date.to_string(), new.macs.len()), ("S1", "2025-05-05".to_owned(), 1));
    assert_eq!(lookup_serial(&bench.conn, "S1").unwrap().as_ref(), Some(new));
    assert_eq!(lookup_mac(&bench.conn, Mac::parse(A).unwrap()).unwrap(), []);
    assert_eq!(lookup_mac(&bench.conn, Mac::parse(B).unwrap()).unwrap(), std::slice::from_ref(new));
}

#[test]
fn one_file_speaks_of_a_serial_and_a_mac_once() {
    let content = file(&[
        ("S1", A, "2024-01-01"),
        ("s1", A, "2024-01-01"),
        ("S1", A, "2024-01-02"),
        ("S2", &format!("{B};{A}"), "2024-01-01"),
        ("S2", B, "2024-01-01"),
        ("S3", B, "2024-01-01"),
    ]);
    let (mut one, mut two) = (Bench::new(), Bench::new());
    assert_eq!(one.slices(&content, 1).0, counts(2, 0, 1, 3));
    assert_eq!(two.bulk(&content).unwrap().counts, counts(2, 0, 1, 3));
    let rejects = one.rejects();
    let says = [
        "serial: S1 stands in this file before",
        "001565AAAAAA belongs to S1 earlier",
        "001565BBBBBB belongs to S2 earlier",
    ];
    for ((line, reason, text), (want, says)) in rejects.iter().zip([4, 5, 7].into_iter().zip(says)) {
        assert_eq!(*line, want);
        assert!(reason.contains(says), "{reason}");
        assert_eq!(text, content.lines().nth(want as usize - 1).unwrap());
    }
    assert_eq!((rejects.len(), two.rejects()), (3, rejects));
}

#[test]
fn a_late_reject_finds_its_line_in_a_long_file() {
    let line = |n: usize, serial: usize| match n {
        500 => "x".repeat(70_000) + "\n",
        _ => format!("S{serial},,,,2024-01-{:02},,\"say \"\"{n}\"\"\",,,,,\n", 1 + n % 28),
    };
    let mut lines: Vec<_> = (2..2_000).map(|n| line(n, n)).collect();
    // So many that one of them is the first of a batch.
    lines.extend((2_000..3_100).map(|n| line(n + 1, n - 1_200)));
    let content = format!("\u{feff}{HEADER}\n{}", lines.concat());
    let (mut one, mut two) = (Bench::new(), Bench::new());
    assert_eq!(one.slices(&content, 300).0, counts(1_997, 0, 0, 1_101));
    assert_eq!(two.bulk(&content).unwrap().counts, counts(1_997, 0, 0, 1_101));
    let rejects = one.rejects();
    assert_eq!((rejects[0].0, rejects[0].2.as_str()), (500, "x".repeat(2_000).as_str()));
    for ((number, _, text), line) in rejects[1..].iter().zip(&lines[1_998..]) {
        assert_eq!(&format!("{text}\n"), line, "{number}");
    }
    assert_eq!(two.rejects(), rejects);
}

#[test]
fn two_files_may_give_one_mac_to_two_serials() {
    let mut bench = Bench::new();
    bench.slices(file(&[("S1", A, "2024-01-01")]), 9);
    assert_eq!(bench.slices(file(&[("S2", &format!("{B};{A}"), "2024-01-01")]), 9).0, counts(1, 0, 0, 0));
    let found: Vec<_> =
        lookup_mac(&bench.conn, Mac::parse(A).unwrap()).unwrap().into_iter().map(|s| s.serial).collect();
    assert_eq!(found, ["S1", "S2"]);
}

#[test]
fn rejects_keep_the_line_and_leave_no_stale_file() {
    let mut bench = Bench::new();
    let mut content =
        b"serial;ship_date\r\nS1;2024-01-01\r\n=cmd|x;2024-01-01\r\nS\"2\xFF\r\n\r\n;\r\nS3;2024-02-30\r\nS4;2024-0"
            .to_vec();
    let (done, _, facts) = bench.slices(&content, 2);
    assert_eq!((done, facts.rows, facts.unterminated), (counts(1, 0, 0, 4), 5, true));
    let found: Vec<_> = bench.rejects().into_iter().map(|(line, _, text)| (line, text)).collect();
    let want = [(3, "\\x3Dcmd|x;2024-01-01"), (4, "S\"2\\xFF"), (7, "S3;2024-02-30"), (8, "S4;2024-0")];
    assert_eq!(found, want.map(|(line, text)| (line, text.to_owned())));
    content.truncate(33);
    bench.slices(&content, 2);
    assert!(!bench.dir.path().join("rejects.csv").exists());
}

#[test]
fn files_come_in_many_shapes() {
    for (content, delimiter) in [
        (&b"serial,ship_date\nS1,2024-01-01\n"[..], "auto"),
        (b"\xEF\xBB\xBFSerial;SHIP_DATE\r\nS1;2024-01-01\r\n", "auto"),
        (b"ship_date\tnotes, and more\tserial\n2024-01-01\ta,b\tS1\n", "auto"),
        (b"\"serial\"|\"ship_date\"\n\"S1\"|\"2024-01-01\"", "auto"),
        (b"notes;serial;ship_date\n\"two\nlines\";S1;2024-01-01\n", ";"),
        (b"\n\nserial,ship_date\nS1,2024-01-01\n,\n", ","),
        (b"Ger\xE4t,serial,ship_date\nM\xFCller,S1,2024-01-01\n", "auto"),
    ] {
        let mut map = ImportMap::default();
        map.set_delimiter(delimiter).unwrap();
        let bench = Bench::new();
        let mut import = bench.import_with(content, &map).unwrap();
        let step = import.step(&bench.conn, &mut |_, _| {}).unwrap();
        assert_eq!(step.counts, counts(1, 0, 0, 0), "{}", String::from_utf8_lossy(content));
        assert!(lookup_serial(&bench.conn, "S1").unwrap().is_some());
        assert_eq!(import.absent().len(), 10);
    }
}

#[test]
fn a_file_that_is_none_is_refused_before_the_first_row() {
    let bench = Bench::new();
    for (content, says) in [
        (&b""[..], "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"\xFF\xFEs\0e\0", "UTF-16"),
        (b"S1,2024-01-01\n", "missing: \"serial\", \"ship_date\""),
        (b"PK\x03\x04\x14\0\0\0", "missing: \"serial\""),
        (&[b'x'; 100_000], "the first line names no columns"),
    ] {
        let error = bench.import_with(content, &ImportMap::default()).err().unwrap().to_string();
        assert!(error.contains(says) && error.contains("file.csv"), "{error}");
    }
    let missing = Import::open(Path::new("/nonexistent/x.csv"), &ImportMap::default(), Path::new("/nonexistent/r.csv"));
    assert!(missing.err().unwrap().to_string().contains("/nonexistent/x.csv"));
    let file = bench.dir.path().join("good.csv");
    fs::write(&file, "serial,ship_date\n").unwrap();
    assert!(matches!(Import::open(&file, &ImportMap::default(), &file), Err(ImportError::Rejects { .. })));
    assert!(file.exists());
}

#[test]
fn a_file_of_long_bad_lines_waits_in_small_batches() {
    let mut bench = Bench::new();
    let bad = "\u{1b}".repeat(3_000) + "\n";
    let content = format!("serial,ship_date\n{}S1,2024-01-01\n", bad.repeat(200));
    assert_eq!(bench.slices(&content, 64).0, counts(1, 0, 0, 200));
    assert!(bench.import(&content).rows.batch_items() < 40);
}

#[test]
fn a_file_that_cannot_be_read_to_its_end_is_an_error() {
    let bench = Bench::new();
    // A directory opens but does not read.
    let import = Import::open(bench.dir.path(), &ImportMap::default(), &bench.dir.path().join("r.csv"));
    assert!(matches!(import, Err(ImportError::Read { .. })));
}

/// Serial, addresses, day of the month.
type Line = (String, Vec<String>, u32);
type Table = BTreeMap<String, (Vec<String>, u32)>;

/// The rows as the rules say, without SQL: what is in the table at the end, and which lines are rejects.
fn model(rows: &[Line]) -> (Counts, Table, Vec<u64>) {
    let (mut table, mut macs, mut counts, mut rejects) =
        (BTreeMap::new(), HashMap::new(), Counts::default(), Vec::new());
    for (n, (serial, row_macs, day)) in rows.iter().enumerate() {
        let row = (row_macs.clone(), *day);
        match table.get(serial) {
            Some(old) if *old == row => counts.unchanged += 1,
            None if !row_macs.iter().any(|m| macs.contains_key(m)) => {
                macs.extend(row_macs.iter().map(|m| (m.clone(), serial.clone())));
                table.insert(serial.clone(), row);
                counts.inserted += 1;
            }
            _ => {
                counts.rejected += 1;
                rejects.push(n as u64 + 2);
            }
        }
    }
    (counts, table, rejects)
}

fn hostile_rows() -> impl Strategy<Value = Vec<Line>> {
    let macs = proptest::collection::btree_set(0..24u8, 0..3);
    let row = (0..24u8, macs, 1..3u32).prop_map(|(serial, macs, day)| {
        (format!("S{serial}"), macs.iter().map(|m| format!("0015650000{m:02X}")).collect(), day)
    });
    proptest::collection::vec(row, 0..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bulk_and_slices_and_the_rules_agree(rows in hostile_rows(), size in 1usize..10) {
        let content = rows.iter().fold(format!("{HEADER}\n"), |text, (serial, macs, day)| {
            text + &format!("{serial},{},,,2024-01-{day:02},,,,,,,\n", macs.join(";"))
        });
        let (want, table, rejected) = model(&rows);
        let (mut bulk, mut sliced) = (Bench::new(), Bench::new());
        let summary = bulk.bulk(&content).unwrap();
        prop_assert_eq!(summary.counts, want);
        let (done, changes, facts) = sliced.slices(&content, size);
        prop_assert_eq!((done, changes.len()), (want, 0));
        prop_assert_eq!(&summary.facts, &facts);
        prop_assert_eq!(bulk.table(), sliced.table());
        prop_assert_eq!(bulk.schema(), sliced.schema());
        prop_assert_eq!(digest(&bulk.conn).unwrap(), digest(&sliced.conn).unwrap());
        prop_assert_eq!(bulk.rejects(), sliced.rejects());
        prop_assert_eq!(sliced.rejects().iter().map(|r| r.0).collect::<Vec<_>>(), rejected);
        prop_assert_eq!(bulk.table().len(), table.len());
        for (serial, (macs, day)) in table {
            let found = lookup_serial(&bulk.conn, &serial).unwrap().unwrap();
            prop_assert_eq!(found.macs.iter().map(Mac::to_string).collect::<Vec<_>>(), macs);
            prop_assert_eq!(found.ship_date.to_string(), format!("2024-01-{day:02}"));
            for mac in found.macs {
                prop_assert_eq!(&lookup_mac(&bulk.conn, mac).unwrap()[0].serial, &serial);
            }
        }
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let bench = Bench::new();
        let _ = bench.import_with(&bytes, &ImportMap::default());
        let mut import = bench.import([b"serial,ship_date\nS1,2024-01-01\n", &bytes[..]].concat());
        let step = import.step(&bench.conn, &mut |_, _| {}).unwrap();
        prop_assert!(step.counts.inserted >= 1 || step.counts.rejected >= 1);
    }
}

#[test]
fn whatever_stops_a_bulk_load_leaves_the_old_state() {
    let content = file(&[("S1", A, "2024-01-01"), ("S2", B, "2024-01-02")]);
    let mut bench = Bench::new();
    let (schema, empty) = (bench.schema(), digest(&bench.conn).unwrap());

    let import = bench.import(&content);
    let refused = bulk_load(&mut bench.conn, import, |_, _| Err(StoreError::Unreadable("no".into())));
    assert!(matches!(refused, Err(ImportError::Store(StoreError::Unreadable(_)))));
    bench.check();
    assert_eq!((bench.table().len(), bench.schema(), digest(&bench.conn).unwrap()), (0, schema.clone(), empty));

    let import = bench.import(&content);
    let conn = &mut bench.conn;
    assert!(catch_unwind(AssertUnwindSafe(|| bulk_load(conn, import, |_, _| panic!("as a bug would")))).is_err());
    bench.check();
    assert_eq!((bench.table().len(), bench.schema(), digest(&bench.conn).unwrap()), (0, schema.clone(), empty));

    // The power goes right before the commit, all pages on the disk already: what stands there is
    // copied, and opened as after a start.
    let import = bench.import(&content);
    let (db, copy) = (bench.dir.path().join("db"), bench.dir.path().join("copy"));
    let summary = bulk_load(&mut bench.conn, import, |tx, summary| {
        assert_eq!(summary.counts, counts(2, 0, 0, 0));
        assert_eq!(digest(tx)?, summary.digest);
        tx.cache_flush()?;
        fs::copy(&db, &copy).unwrap();
        fs::copy(db.with_file_name("db-journal"), copy.with_file_name("copy-journal")).unwrap();
        Ok(())
    })
    .unwrap();
    bench.check();
    assert_eq!(digest(&bench.conn).unwrap(), summary.digest);
    let after = Bench { conn: open(&copy), dir: bench.dir };
    after.check();
    assert_eq!((after.table().len(), after.schema(), digest(&after.conn).unwrap()), (0, schema, empty));
    assert_ne!(fs::read(&copy).unwrap(), fs::read(&db).unwrap());
}

#[test]
fn a_reader_does_not_hinder_a_bulk_load() {
    let mut bench = Bench::new();
    let reader = open(&bench.dir.path().join("db"));
    reader.execute_batch("BEGIN; SELECT * FROM shipment").unwrap();
    reader.query_row("SELECT count(*) FROM shipment", [], |r| r.get::<_, i64>(0)).unwrap();
    bench.conn.busy_timeout(Duration::ZERO).unwrap();
    assert_eq!(bench.bulk(file(&[("S1", A, "2024-01-01")])).unwrap().counts, counts(1, 0, 0, 0));
    let before: i64 = reader.query_row("SELECT count(*) FROM shipment", [], |r| r.get(0)).unwrap();
    reader.execute_batch("COMMIT").unwrap();
    let after: i64 = reader.query_row("SELECT count(*) FROM shipment", [], |r| r.get(0)).unwrap();
    assert_eq!((before, after), (0, 1));
}

#[test]
fn steps_that_are_rolled_back_leave_nothing() {
    let mut bench = Bench::new();
    let content = file(&[("S1", A, "2024-01-01"), ("S2", B, "2024-01-02")]);
    let mut import = bench.import(&content);
    let tx = bench.conn.transaction().unwrap();
    import.step(&tx, &mut |_, _| {}).unwrap();
    tx.rollback().unwrap();
    bench.check();
    assert_eq!(bench.table().len(), 0);
    assert_eq!(bench.slices(&content, 9).0, counts(2, 0, 0, 0));
}
