//! Labels and messages of a walk as files that a person has read: `tests/walks/golden/`. What changes from
//! day to day (the RMA number, dates) is written in a stable form first.

use super::expect::{Unit, business_days_after};
use chrono::{Days, NaiveDate};
use std::fs;
use std::path::PathBuf;

/// Makes a text the same on every day.
pub struct Stable {
    rma: String,
    dates: Vec<(String, String)>,
}

/// Dates further away than this are written as such only where the walk names them.
const NEAR: u64 = 60;

impl Stable {
    /// `business`: spans in business days that this company's process has.
    pub fn new(rma: &str, today: NaiveDate, units: &[&Unit], business: &[u64]) -> Stable {
        let mut dates = vec![(today.to_string(), "<today>".to_owned())];
        // A span in business days is another number of calendar days on every day of the week.
        let wall = |n: &u64| {
            // On a weekend, what is due today is due on Monday.
            let name = if *n == 0 { "<today>".to_owned() } else { format!("<today+{n} business days>") };
            (business_days_after(today, *n).to_string(), name)
        };
        dates.extend(business.iter().map(wall));
        let ago = units.iter().flat_map(|u| [u.shipped, u.bought]).flatten().chain(1..=NEAR);
        dates.extend(ago.map(|n| ((today - Days::new(n)).to_string(), format!("<today-{n}>"))));
        let left = units.iter().flat_map(|u| [u.warranty_left, u.plan_left]).flatten();
        let day = |n: i64| today.checked_add_signed(chrono::TimeDelta::days(n)).unwrap();
        dates.extend(left.chain(1..=NEAR as i64).map(|n| (day(n).to_string(), format!("<today{n:+}>"))));
        Stable { rma: rma.to_owned(), dates }
    }

    pub fn text(&self, text: &str) -> String {
        // The last character of a label's code depends on the number in front of it.
        let code = |line: &str| match line.split_once(&format!("^FDQA,{}J", self.rma)) {
            Some((before, after)) if after.ends_with("^FS") => {
                format!("{before}^FDQA,<RMA>J{}<check>^FS", &after[..after.len() - 4])
            }
            _ => line.to_owned(),
        };
        let lines = text.split('\n').map(code).collect::<Vec<_>>().join("\n");
        let mut out = lines.replace(&self.rma, "<RMA>");
        for (date, name) in &self.dates {
            out = out.replace(date, name);
        }
        // What is left of dates is further away: a warranty counted in months, say.
        let chars: Vec<char> = out.chars().collect();
        let is_date = |at: usize| {
            chars[at..].len() >= 10
                && chars[at..at + 10].iter().enumerate().all(|(i, c)| match i {
                    4 | 7 => *c == '-',
                    _ => c.is_ascii_digit(),
                })
        };
        let (mut made, mut at) = (String::new(), 0);
        while at < chars.len() {
            if is_date(at) {
                made.push_str("<a date>");
                at += 10;
            } else {
                made.push(chars[at]);
                at += 1;
            }
        }
        made
    }
}

/// Holds a text against its golden file; with `UPDATE=1` it becomes that file. Answers with the first line
/// that is not the same.
pub fn compare(name: &str, text: &str) -> Option<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/walks/golden").join(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, text).unwrap();
        return None;
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    if golden == text {
        return None;
    }
    let (mut is, mut was) = (text.lines(), golden.lines());
    let mut line = 0;
    loop {
        line += 1;
        match (is.next(), was.next()) {
            (a, b) if a == b && a.is_some() => {}
            (a, b) => return Some(format!("{name}:{line}: is {a:?}, was {b:?}; UPDATE=1 writes it anew")),
        }
    }
}
