//! Calendar arithmetic, the same everywhere: months that clamp, business days, days since an epoch,
//! and dates read from files.
//!
//! In come calendar dates and counts; out come calendar dates. There is no clock and no time zone
//! here: which day "today" is, is decided once, by the station. Nothing panics: a result past the
//! last day chrono can express is that last day.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday, format::ParseErrorKind};

use crate::domain::text;

/// The first day a date from outside may name. Older ones are typing errors or a spreadsheet's zero.
pub const EARLIEST: NaiveDate = NaiveDate::from_ymd_opt(1990, 1, 1).expect("checked by the compiler");
/// The last day a date from outside may name; "9999-12-31" for "never" is refused, not computed with.
pub const LATEST: NaiveDate = NaiveDate::from_ymd_opt(2100, 12, 31).expect("checked by the compiler");

/// 1970-01-01 in chrono's count of days from the year 1.
const EPOCH_FROM_CE: i32 = 719_163;

/// The day `months` calendar months later. Where that month has no such day, its last day:
/// 2024-02-29 + 24 months is 2026-02-28 (table row T5).
pub fn add_months(date: NaiveDate, months: u32) -> NaiveDate {
    date.checked_add_months(Months::new(months)).unwrap_or(NaiveDate::MAX)
}

/// The same day `years` later; 29 February becomes the 28th in a year without one.
pub fn add_years(date: NaiveDate, years: u32) -> NaiveDate {
    add_months(date, years.saturating_mul(12))
}

/// The day `days` calendar days later.
pub fn add_days(date: NaiveDate, days: u32) -> NaiveDate {
    date.checked_add_days(Days::new(days.into())).unwrap_or(NaiveDate::MAX)
}

/// Days from `from` to `to`; negative when `to` is the earlier one. The day itself is day 0.
pub fn days_between(from: NaiveDate, to: NaiveDate) -> i64 {
    (to - from).num_days()
}

/// Monday to Friday and not in `holidays`.
pub fn is_business_day(date: NaiveDate, holidays: &[NaiveDate]) -> bool {
    !matches!(date.weekday(), Weekday::Sat | Weekday::Sun) && !holidays.contains(&date)
}

/// The day on which the `days`-th business day after `date` falls. The start is day 0 whatever day it
/// is, so Friday 2026-03-06 + 10 and Saturday 2026-03-07 + 10 are both Friday 2026-03-20 (D-20).
/// With 0 days the answer is `date` itself, even when that is a holiday.
pub fn add_business_days(date: NaiveDate, days: u32, holidays: &[NaiveDate]) -> NaiveDate {
    let (mut day, mut left) = (date, days);
    while left > 0 {
        let Some(next) = day.succ_opt() else {
            return day;
        };
        day = next;
        left -= u32::from(is_business_day(day, holidays));
    }
    day
}

/// Days since 1970-01-01, the form in which tables keep a date.
pub fn to_epoch_days(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - EPOCH_FROM_CE
}

/// The date that [`to_epoch_days`] was given; `None` when no calendar reaches that far.
pub fn from_epoch_days(days: i64) -> Option<NaiveDate> {
    let from_ce = i32::try_from(days).ok()?.checked_add(EPOCH_FROM_CE)?;
    NaiveDate::from_num_days_from_ce_opt(from_ce)
}

/// Why a text is not a usable date. Texts in it are escaped and cut, safe for any log or screen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadDate {
    #[error("{text:?} is not a date of the form {wanted}")]
    Form { text: String, wanted: String },
    #[error("{text:?} names a day that the calendar does not have")]
    NoSuchDay { text: String },
    #[error("{date} is outside {EARLIEST} to {LATEST}; correct the year")]
    Range { date: NaiveDate },
}

/// Reads `text` (blanks around it ignored) in the first of `formats` (strftime signs, such as
/// `%Y-%m-%d`) that fits, and checks it against [`EARLIEST`] and [`LATEST`].
pub fn parse<F: AsRef<str>>(text: &str, formats: &[F]) -> Result<NaiveDate, BadDate> {
    let text = text.trim();
    let mut impossible = false;
    for format in formats {
        let format = format.as_ref();
        let read = match iso(text).filter(|_| format == "%Y-%m-%d") {
            Some(day) => day.ok_or(ParseErrorKind::OutOfRange),
            None => NaiveDate::parse_from_str(text, format).map_err(|e| e.kind()),
        };
        match read {
            Ok(date) if (EARLIEST..=LATEST).contains(&date) => return Ok(date),
            Ok(date) => return Err(BadDate::Range { date }),
            Err(kind) => {
                let refused = matches!(kind, ParseErrorKind::OutOfRange | ParseErrorKind::Impossible);
                impossible |= refused && signs(text).eq(signs(format).filter(|c| *c != '%'));
            }
        }
    }
    let text = text::escaped(&text.as_bytes()[..text.len().min(40)]);
    if impossible {
        return Err(BadDate::NoSuchDay { text });
    }
    let wanted = formats.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(" or ");
    Err(BadDate::Form { text, wanted })
}

/// What stands between the numbers: a text with other signs than its format is no date at all, rather
/// than a date with an impossible day.
fn signs(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !c.is_alphanumeric())
}

/// The form nearly every file uses, without the cost of interpreting a format: `Some` when `text` is
/// `dddd-dd-dd`, holding `None` when there is no such day.
fn iso(text: &str) -> Option<Option<NaiveDate>> {
    let b: &[u8; 10] = text.as_bytes().try_into().ok()?;
    let number =
        |part: &[u8]| part.iter().try_fold(0u32, |n, d| d.is_ascii_digit().then(|| n * 10 + u32::from(d - b'0')));
    let (year, month, day) = (number(&b[..4])?, number(&b[5..7])?, number(&b[8..])?);
    (b[4] == b'-' && b[7] == b'-').then(|| NaiveDate::from_ymd_opt(year as i32, month, day))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn d(text: &str) -> NaiveDate {
        parse(text, &["%Y-%m-%d"]).unwrap()
    }

    #[test]
    fn months_clamp_to_the_month_end() {
        for (from, months, to) in [
            ("2024-02-29", 24, "2026-02-28"),
            ("2024-02-29", 48, "2028-02-29"),
            ("2024-01-31", 1, "2024-02-29"),
            ("2023-01-31", 1, "2023-02-28"),
            ("2024-08-31", 6, "2025-02-28"),
            ("2024-03-15", 12, "2025-03-15"),
            ("2024-12-01", 1, "2025-01-01"),
            ("2024-12-01", 0, "2024-12-01"),
        ] {
            assert_eq!(add_months(d(from), months), d(to), "{from} + {months}");
        }
        assert_eq!(add_years(d("2024-02-29"), 2), d("2026-02-28"));
        assert_eq!(add_months(d("2024-02-29"), u32::MAX), NaiveDate::MAX);
        assert_eq!(add_years(d("2024-02-29"), u32::MAX), NaiveDate::MAX);
        assert_eq!(add_days(d("2024-02-28"), 2), d("2024-03-01"));
        assert_eq!(add_days(d("2024-02-28"), u32::MAX), NaiveDate::MAX);
    }

    #[test]
    fn business_days_skip_weekends_and_holidays() {
        for (from, days, holidays, to) in [
            ("2026-03-06", 10, vec![], "2026-03-20"),
            ("2026-03-07", 10, vec![], "2026-03-20"),
            ("2026-03-08", 10, vec![], "2026-03-20"),
            ("2026-03-09", 10, vec![], "2026-03-23"),
            ("2026-03-06", 1, vec![], "2026-03-09"),
            ("2026-03-06", 1, vec!["2026-03-09"], "2026-03-10"),
            ("2026-03-06", 1, vec!["2026-03-06", "2026-03-07"], "2026-03-09"),
            ("2026-03-07", 0, vec!["2026-03-07"], "2026-03-07"),
        ] {
            let holidays: Vec<_> = holidays.iter().map(|h| d(h)).collect();
            assert_eq!(add_business_days(d(from), days, &holidays), d(to), "{from} + {days}");
        }
        assert_eq!(add_business_days(NaiveDate::MAX, 3, &[]), NaiveDate::MAX);
    }

    #[test]
    fn days_count_from_zero() {
        assert_eq!(days_between(d("2024-02-28"), d("2024-03-01")), 2);
        assert_eq!(days_between(d("2024-03-01"), d("2024-02-28")), -2);
        assert_eq!(to_epoch_days(EARLIEST), 7305);
        assert_eq!(from_epoch_days(0), NaiveDate::from_ymd_opt(1970, 1, 1));
        assert_eq!(from_epoch_days(i64::MAX), None);
        assert_eq!(from_epoch_days(i32::MAX.into()), None);
    }

    #[test]
    fn dates_are_read_or_refused_with_the_reason() {
        let formats = ["%Y-%m-%d", "%m/%d/%Y", "%Y-%m-%d %H:%M:%S"];
        for (text, want) in [
            ("2024-02-29", "2024-02-29"),
            (" 2024-02-29 ", "2024-02-29"),
            ("02/29/2024", "2024-02-29"),
            ("2024-02-29 00:00:00", "2024-02-29"),
            ("1990-01-01", "1990-01-01"),
            ("2100-12-31", "2100-12-31"),
        ] {
            assert_eq!(parse(text, &formats), Ok(d(want)), "{text}");
        }
        for text in ["2023-02-29", "2024-02-30", "2024-13-01", "2024-00-10", "13/01/2024"] {
            assert!(matches!(parse(text, &formats), Err(BadDate::NoSuchDay { .. })), "{text}");
        }
        for text in ["1989-12-31", "2101-01-01", "0024-01-01", "9999-12-31"] {
            assert!(matches!(parse(text, &formats), Err(BadDate::Range { .. })), "{text}");
        }
        for text in ["", "soon", "2024", "2024-01-01x", "20240101", "2024-01-1\u{661}", "45123"] {
            assert!(matches!(parse(text, &formats), Err(BadDate::Form { .. })), "{text}");
        }
        assert!(parse("2024-01-01", &[] as &[&str]).is_err());
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in any::<String>(), format in "[%a-zA-Z/. -]{0,8}") {
            let _ = parse(&text, &["%Y-%m-%d", "%d.%m.%Y", &format]);
        }
        #[test]
        fn every_sane_day_survives_text_and_number(n in 7305i64..47847) {
            let day = from_epoch_days(n).unwrap();
            prop_assert_eq!(i64::from(to_epoch_days(day)), n);
            prop_assert_eq!(parse(&day.to_string(), &["%Y-%m-%d"]), Ok(day));
            prop_assert_eq!(parse(&day.format("%d.%m.%Y").to_string(), &["%d.%m.%Y"]), Ok(day));
        }
        #[test]
        fn business_days_land_on_the_nth_one(n in 7305i64..40000, days in 1u32..60, holidays in proptest::collection::vec(0i64..90, 0..6)) {
            let start = from_epoch_days(n).unwrap();
            let holidays: Vec<_> = holidays.iter().filter_map(|h| from_epoch_days(n + h)).collect();
            let end = add_business_days(start, days, &holidays);
            prop_assert!(is_business_day(end, &holidays));
            let passed = (n + 1..=i64::from(to_epoch_days(end))).filter_map(from_epoch_days).filter(|d| is_business_day(*d, &holidays)).count();
            prop_assert_eq!(passed, days as usize);
        }
    }
}
