//! Which day it is at the dock, and what a program makes of it: time zones, daylight saving, leap days,
//! ends of months.

use super::support::*;
use backdock::domain::verdict::Coverage;
use backdock::station::Clock;
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use std::process::{Command, Stdio};

/// The day on the dock's wall at one moment.
fn day_at(zone: &str, moment: &str) -> NaiveDate {
    let moment: DateTime<Utc> = moment.parse().unwrap();
    moment.with_timezone(&zone.parse::<Tz>().unwrap()).fixed_offset().date_naive()
}

#[test]
fn the_clock_shows_the_zones_own_time_everywhere() {
    for zone in TZ_VARIANTS {
        let before = Utc::now();
        let now = Clock::new(zone).now();
        let after = Utc::now();
        assert!(before <= now && now <= after, "{zone}: another moment");
        let local = [before, after].map(|moment| moment.with_timezone(&zone).fixed_offset());
        assert!(local.iter().any(|l| l.offset() == now.offset()), "{zone}: {now}");
        assert!(local.iter().any(|l| l.date_naive() == now.date_naive()), "{zone}: {now}");
    }
    // 26 hours lie between the two: they never show the same day.
    let [first, last] = [Tz::Etc__GMTMinus14, Tz::Etc__GMTPlus12].map(|zone| Clock::new(zone).now().date_naive());
    assert!(first > last);
}

#[test]
fn a_day_begins_at_the_docks_midnight() {
    for (zone, moment, day) in [
        ("America/Chicago", "2026-01-31T05:59:59Z", "2026-01-30"),
        ("America/Chicago", "2026-01-31T06:00:00Z", "2026-01-31"),
        // The clock goes forward on 2026-03-08 and back on 2026-11-01: days of 23 and 25 hours.
        ("America/Chicago", "2026-03-08T05:59:59Z", "2026-03-07"),
        ("America/Chicago", "2026-03-08T06:00:00Z", "2026-03-08"),
        ("America/Chicago", "2026-03-09T04:59:59Z", "2026-03-08"),
        ("America/Chicago", "2026-03-09T05:00:00Z", "2026-03-09"),
        ("America/Chicago", "2026-11-01T05:00:00Z", "2026-11-01"),
        ("America/Chicago", "2026-11-02T05:59:59Z", "2026-11-01"),
        ("America/Chicago", "2026-11-02T06:00:00Z", "2026-11-02"),
        // Here the clock goes forward at midnight itself: there is no 00:00 on that day.
        ("America/Santiago", "2026-09-06T03:59:59Z", "2026-09-05"),
        ("America/Santiago", "2026-09-06T04:00:00Z", "2026-09-06"),
        ("Europe/Berlin", "2028-02-28T23:00:00Z", "2028-02-29"),
        ("Europe/Berlin", "2028-02-29T23:00:00Z", "2028-03-01"),
        ("America/Chicago", "2028-03-01T05:59:59Z", "2028-02-29"),
        ("Asia/Kathmandu", "2025-12-31T18:14:59Z", "2025-12-31"),
        ("Asia/Kathmandu", "2025-12-31T18:15:00Z", "2026-01-01"),
    ] {
        assert_eq!(day_at(zone, moment), date(day), "{zone} {moment}");
    }
}

/// Age in days of a unit shipped on `from` and reported on `to`, and its last day of warranty.
fn phone(from: &str, to: &str) -> (Option<i64>, Option<NaiveDate>, Coverage) {
    let facts = json!({"channel": "direct", "brand": "Yealink", "ship_date": from, "reported": to, "today": to});
    let v = judge(program("voip"), &facts);
    (v.age_days, v.warranty_until, v.coverage)
}

#[test]
fn days_are_counted_by_the_calendar_not_by_hours() {
    for (from, to, age) in [
        // Over both changes of the clock.
        ("2026-02-20", "2026-03-22", 30),
        ("2026-10-15", "2026-11-14", 30),
        // With and without a leap day in between.
        ("2028-02-01", "2028-03-02", 30),
        ("2026-02-01", "2026-03-03", 30),
        ("2025-12-31", "2026-01-30", 30),
    ] {
        assert_eq!(phone(from, to).0, Some(age), "{from} to {to}");
        assert_eq!(phone(from, &plus(to, 1)).0, Some(age + 1));
    }
}

#[test]
fn months_end_where_the_calendar_lets_them() {
    for (from, last) in [
        ("2024-02-29", "2026-02-28"),
        ("2026-02-28", "2028-02-28"),
        ("2026-01-31", "2028-01-31"),
        ("2026-08-31", "2028-08-31"),
        ("2025-12-31", "2027-12-31"),
    ] {
        assert_eq!(phone(from, last), (phone(from, last).0, Some(date(last)), Coverage::InWarranty), "{from}");
        assert_eq!(phone(from, &plus(last, 1)).2, Coverage::OutOfWarranty, "{from}");
    }
    // Every day of four years: the warranty ends on the same day of the month, or on the last one.
    for n in 0..1_461 {
        let from = date("2024-01-01") + chrono::Days::new(n);
        let until = phone(&from.to_string(), &from.to_string()).1.unwrap();
        let clamped = from.month() == 2 && from.day() == 29;
        assert_eq!((until.year(), until.month()), (from.year() + 2, from.month()), "{from}");
        assert_eq!(until.day(), if clamped { 28 } else { from.day() }, "{from}");
    }
}

#[test]
fn without_a_day_in_the_facts_it_is_today_where_the_command_runs() {
    let today = |zone: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_backdock"))
            .args(["verdict", "--program", "voip-reseller", "--json"])
            .env("TZ", zone)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"{}").unwrap();
        let verdict: Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
        date(verdict["today"].as_str().unwrap())
    };
    // 24 hours apart and without daylight saving.
    let (east, west) = (today("XXX-12"), today("XXX12"));
    assert!(east > west, "{east} {west}");
}
