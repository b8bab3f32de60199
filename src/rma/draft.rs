//! RMAs as other systems announce them: a CSV file or JSON lines become [`Draft`]s, one per number,
//! with one line per expected unit. What a line gets wrong is named by its number; good lines are kept.
//!
//! Columns (and JSON keys): `number, program, ticket, channel, customer, issued, class, reason,
//! serial, email`, and the facts about the ticket that programs ask for: `account, reported, diagnosed,
//! qualified, support_request, consent, contacted, wants_back, proof_of_purchase, purchase_date`.

use crate::domain::text::serial_key;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// One RMA as it was announced. Not yet checked against a program.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Draft {
    /// Missing: the station gives one.
    pub number: Option<String>,
    pub program: Option<String>,
    pub customer: Option<String>,
    /// Where the customer's copies of messages go.
    pub email: Option<String>,
    pub issued: Option<NaiveDate>,
    /// In the JSON that `backdock verdict` reads.
    pub facts: Map<String, Value>,
    pub serials: Vec<String>,
    /// Only asked for: it waits for `authorise`.
    pub request: bool,
}

/// Columns that stand in the facts themselves, and in their `rma` part.
const PLAIN: [&str; 6] = ["channel", "account", "class", "reason", "reported", "purchase_date"];
const ABOUT: [&str; 8] =
    ["ticket", "diagnosed", "qualified", "support_request", "consent", "contacted", "wants_back", "proof_of_purchase"];
const OWN: [&str; 6] = ["number", "program", "customer", "email", "issued", "serial"];

/// What a file gave: drafts in file order, and what was wrong, each with its line.
#[derive(Debug, Default)]
pub struct Drafts {
    pub drafts: Vec<Draft>,
    pub problems: Vec<(usize, String)>,
}

/// Reads CSV with a header line, or JSON lines where the first character is `{`.
pub fn read(text: &str) -> Drafts {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut found = Found::default();
    if text.trim_start().starts_with('{') {
        for (i, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
            match serde_json::from_str::<Map<String, Value>>(line) {
                Ok(row) => found.line(i + 1, row),
                Err(e) => found.problems.push((i + 1, format!("not a JSON object: {e}"))),
            }
        }
    } else {
        csv(text, &mut found);
    }
    Drafts { drafts: found.drafts, problems: found.problems }
}

fn csv(text: &str, found: &mut Found) {
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let header: Vec<String> = match reader.headers() {
        Ok(h) => h.iter().map(|c| c.to_ascii_lowercase()).collect(),
        Err(e) => return found.problems.push((1, format!("the header line cannot be read: {e}"))),
    };
    if !header.iter().any(|c| c == "number" || c == "serial") {
        return found.problems.push((
            1,
            format!("the first line must name the columns, at least number or serial; it has {}", header.join(", ")),
        ));
    }
    for row in reader.records() {
        match row {
            Ok(row) => {
                let line = row.position().map_or(0, |p| p.line() as usize);
                if row.len() != header.len() {
                    found.problems.push((line, format!("{} fields, the header has {}", row.len(), header.len())));
                    continue;
                }
                let row = header
                    .iter()
                    .zip(&row)
                    .filter(|(_, v)| !v.is_empty())
                    .map(|(k, v)| (k.clone(), json!(v)))
                    .collect();
                found.line(line, row);
            }
            Err(e) => found.problems.push((e.position().map_or(0, |p| p.line() as usize), e.to_string())),
        }
    }
}

#[derive(Default)]
struct Found {
    drafts: Vec<Draft>,
    by_number: HashMap<String, usize>,
    problems: Vec<(usize, String)>,
}

impl Found {
    fn line(&mut self, line: usize, mut row: Map<String, Value>) {
        match draft(&mut row) {
            Err(why) => self.problems.push((line, why)),
            Ok(draft) => {
                let known = draft.number.as_ref().and_then(|n| self.by_number.get(n)).copied();
                match known {
                    None => {
                        if let Some(number) = &draft.number {
                            self.by_number.insert(number.clone(), self.drafts.len());
                        }
                        self.drafts.push(draft);
                    }
                    Some(i) => {
                        let first = &mut self.drafts[i];
                        let same = first.program == draft.program
                            && first.customer == draft.customer
                            && first.email == draft.email
                            && first.issued == draft.issued
                            && first.facts == draft.facts;
                        if !same {
                            let number = draft.number.unwrap_or_default();
                            return self.problems.push((line, format!("RMA {number} says something else than on its first line; only the serial may differ")));
                        }
                        for serial in draft.serials {
                            if !first.serials.contains(&serial) {
                                first.serials.push(serial);
                            }
                        }
                    }
                }
            }
        }
    }
}

fn draft(row: &mut Map<String, Value>) -> Result<Draft, String> {
    // A list, a label and a letter have one line for each: a customer of two lines would forge a second one.
    let lined = row.iter().find(|(_, v)| v.as_str().is_some_and(|t| t.trim().chars().any(char::is_control)));
    if let Some((key, _)) = lined {
        return Err(format!("{key} must be one line without control characters"));
    }
    let mut text = |key: &str| match row.remove(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(s)) if s.trim().is_empty() => Ok(None),
        Some(Value::String(s)) => Ok(Some(s.trim().to_owned())),
        Some(other) => Err(format!("{key} must be a text, not {other}")),
    };
    let number = text("number")?.map(|n| n.to_ascii_uppercase());
    let program = text("program")?;
    let customer = text("customer")?;
    let email = text("email")?
        .map(|e| crate::domain::message::email(&e).map_err(|why| format!("email: {e:?} is {why}")))
        .transpose()?;
    let issued = text("issued")?
        .map(|d| d.parse::<NaiveDate>().map_err(|_| format!("issued: {d:?} is not a date; write it as 2026-03-31")))
        .transpose()?;
    let serials = match text("serial")? {
        None => Vec::new(),
        Some(s) => vec![serial_key(&s).ok_or_else(|| {
            format!("serial: {s:?} is not a serial number (letters, digits and - . / _ #, at most 40)")
        })?],
    };
    let mut facts = Map::new();
    let mut about = Map::new();
    for (key, value) in std::mem::take(row) {
        let value = yes_or_no(value);
        match key.as_str() {
            k if PLAIN.contains(&k) => drop(facts.insert(key, value)),
            k if ABOUT.contains(&k) => drop(about.insert(key, value)),
            k => {
                let known = || OWN.iter().chain(&PLAIN).chain(&ABOUT);
                let near = known()
                    .max_by(|a, b| strsim::jaro(a, k).total_cmp(&strsim::jaro(b, k)))
                    .copied()
                    .unwrap_or("number");
                return Err(format!("unknown column {k:?}; the nearest known is {near:?}"));
            }
        }
    }
    if !about.is_empty() {
        facts.insert("rma".to_owned(), Value::Object(about));
    }
    Ok(Draft { number, program, customer, email, issued, facts, serials, request: false })
}

/// CSV has no booleans: yes and no in a cell are the facts' true and false.
fn yes_or_no(value: Value) -> Value {
    match value.as_str().map(str::to_ascii_lowercase).as_deref() {
        Some("yes" | "true" | "y") => Value::Bool(true),
        Some("no" | "false" | "n") => Value::Bool(false),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_of_one_rma_are_one_draft() {
        let d = read(
            "number,ticket,channel,customer,issued,serial\nR1,T-1,direct,Acme,2026-03-01,sn1\nR1,T-1,direct,Acme,2026-03-01,SN2\nR2,,,,,\n",
        );
        assert_eq!(d.problems, []);
        assert_eq!(d.drafts.len(), 2);
        assert_eq!(d.drafts[0].serials, ["SN1", "SN2"]);
        assert_eq!(d.drafts[0].facts["rma"]["ticket"], "T-1");
        assert_eq!(d.drafts[0].facts["channel"], "direct");
        assert_eq!(d.drafts[1].number.as_deref(), Some("R2"));
    }

    #[test]
    fn json_lines_say_the_same() {
        let a = read("number,ticket,diagnosed,issued,serial\nR1,T-1,yes,2026-03-01,SN1\n");
        let b = read(
            "{\"number\":\"R1\",\"ticket\":\"T-1\",\"diagnosed\":true,\"issued\":\"2026-03-01\",\"serial\":\"SN1\"}\n",
        );
        assert_eq!((a.problems, b.problems), (vec![], vec![]));
        assert_eq!(a.drafts, b.drafts);
    }

    #[test]
    fn what_is_wrong_is_named_by_its_line_and_the_rest_is_kept() {
        let d = read(
            "number,issued,serial\nR1,2026-02-30,S1\nR2,2026-03-01,^XZ\nR3,2026-03-01,S3\nR3,2026-03-02,S4\nR4,2026-03-01\n",
        );
        assert_eq!(d.drafts.iter().filter_map(|d| d.number.as_deref()).collect::<Vec<_>>(), ["R3"]);
        assert_eq!(d.problems.iter().map(|(l, _)| *l).collect::<Vec<_>>(), [2, 3, 5, 6]);
        let d = read("number,tiket\nR1,T\n");
        assert!(d.problems[0].1.contains("\"ticket\""), "{:?}", d.problems);
        let d = read("{\"number\": \"R1\", \"customer\": \"Acme\\nR2 paid\"}\n");
        assert!(d.problems[0].1.contains("customer must be one line"), "{:?}", d.problems);
        assert_eq!(read("a,b\n1,2\n").problems.len(), 1);
        assert_eq!(read("{\"number\": 5}\n{oops\n").problems.len(), 2);
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in ".{0,300}") {
            let _ = read(&text);
        }
    }
}
