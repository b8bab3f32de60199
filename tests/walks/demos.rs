//! `backdock demo --once` for each company: it ends by itself in time, says what the contract says, and its
//! morning shows something of that company.

use super::support::dock::BINARY;
use serde_json::Value;
use std::process::Command;
use std::time::{Duration, Instant};

/// Plays the morning of a program; `words` are verdicts that it must have led to, `shown` words on the screen.
pub fn demo(program: &str, words: &[&str], shown: &[&str]) {
    let begun = Instant::now();
    let done = Command::new(BINARY).args(["demo", "--program", program, "--once"]).output().unwrap();
    let account = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{account}");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    let out = String::from_utf8(done.stdout).unwrap();
    let summary: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    let keys: Vec<&str> = summary.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["scans", "receipts", "labels_expected", "labels_printed", "in_doubt", "verdicts"]);
    assert_eq!((&summary["labels_expected"], &summary["in_doubt"]), (&summary["labels_printed"], &Value::from(0)));
    for word in words {
        assert!(summary["verdicts"][word].as_i64() > Some(0), "{word}: {summary}");
    }
    for word in shown {
        // A line of the account: the time, the word, what was scanned.
        let shows = |line: &str| line.split_once("  ").is_some_and(|(_, rest)| rest.starts_with(word));
        assert!(account.lines().any(shows), "{word} is never shown:\n{account}");
    }
}
