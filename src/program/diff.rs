//! What would change if another version of a program had judged the same cases: the dry run before a
//! new version is activated.

use crate::domain::verdict::Verdict;

/// One part of a verdict that two versions say differently.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Change {
    /// `action`, `band`, `coverage`, `warranty_until`, `charge KIND`, `payer LEG`, `hold CODE`,
    /// `advance_replacement`, `route`, `vendor`.
    pub what: String,
    /// Empty: it was not there.
    pub old: String,
    pub new: String,
}

/// The parts of one kind in a verdict: name and what is said of it.
type Parts = fn(&Verdict) -> Vec<(String, String)>;

/// Everything that decides about goods or money and differs. Wording and rule ids alone are no change.
pub fn changes(old: &Verdict, new: &Verdict) -> Vec<Change> {
    let mut found = Vec::new();
    let mut put = |what: String, old: String, new: String| {
        if old != new {
            found.push(Change { what, old, new });
        }
    };
    let date = |d: Option<chrono::NaiveDate>| d.map(|d| d.to_string()).unwrap_or_default();
    put("action".into(), old.action.to_string(), new.action.to_string());
    put("band".into(), old.band.to_string(), new.band.to_string());
    put("coverage".into(), old.coverage.to_string(), new.coverage.to_string());
    put("warranty_until".into(), date(old.warranty_until), date(new.warranty_until));
    let advance = |v: &Verdict| {
        if v.advance_replacement.allowed { v.advance_replacement.mode.to_string() } else { "no".to_owned() }
    };
    put("advance_replacement".into(), advance(old), advance(new));
    let route = |v: &Verdict| v.route.as_ref().map(|r| r.to_string()).unwrap_or_default();
    put("route".into(), route(old), route(new));
    let vendor = |v: &Verdict| v.vendor.as_ref().map(|s| s.send_to.to_string()).unwrap_or_default();
    put("vendor".into(), vendor(old), vendor(new));
    // Lists are compared by name; several of one name are one text.
    let lists: [(&str, Parts); 3] = [
        ("payer", |v| v.legs.iter().map(|l| (l.leg.to_string(), format!("{} {}", l.payer, l.service))).collect()),
        ("charge", |v| {
            v.charges.iter().map(|c| (c.kind.to_string(), format!("{} {} to {}", c.amount, c.currency, c.to))).collect()
        }),
        ("hold", |v| v.holds.iter().map(|h| (h.code.to_string(), "held".to_owned())).collect()),
    ];
    for (what, of) in lists {
        let (a, b) = (of(old), of(new));
        let mut names: Vec<&String> = a.iter().chain(&b).map(|(name, _)| name).collect();
        names.sort();
        names.dedup();
        let said = |list: &[(String, String)], name: &str| {
            let mut all: Vec<&str> = list.iter().filter(|(n, _)| n == name).map(|(_, t)| t.as_str()).collect();
            all.sort_unstable();
            all.join(", ")
        };
        for name in names {
            put(format!("{what} {name}"), said(&a, name), said(&b, name));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::facts::Facts;
    use crate::program::{Program, SHIPPED};
    use serde_json::json;

    #[test]
    fn only_what_was_altered_is_listed() {
        let (file, text) = SHIPPED[0];
        let old = Program::parse(file, text).unwrap().value;
        let facts = Facts::from_json(&json!({
            "channel": "direct", "brand": "Yealink", "ship_date": "2026-01-01", "reported": "2026-03-01", "today": "2026-03-01"
        }))
        .unwrap();
        let day = chrono::NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
        let before = old.verdict(&facts, day);
        assert_eq!(changes(&before, &before), []);
        let dearer = text.replace("amount = \"45.00\"", "amount = \"50.00\"");
        assert_ne!(dearer, text);
        let after = Program::parse(file, &dearer).unwrap().value.verdict(&facts, day);
        let found = changes(&before, &after);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].what.as_str(), found[0].old.as_str()), ("charge deductible", "45.00 USD to customer"));
        let shorter = text.replacen("months = 24", "months = 1", 1);
        let after = Program::parse(file, &shorter).unwrap().value.verdict(&facts, day);
        let what: Vec<String> = changes(&before, &after).into_iter().map(|c| c.what).collect();
        assert!(
            what.contains(&"band".to_owned())
                && what.contains(&"warranty_until".to_owned())
                && what.contains(&"action".to_owned()),
            "{what:?}"
        );
    }
}
