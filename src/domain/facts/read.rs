//! Reading [`Facts`] from JSON: every key is asked for by name, everything else is a mistake that is
//! named. In: one JSON value; out: the facts, and the list of mistakes. The order of keys and the
//! number of mistakes never matter; a hostile object costs bounded memory.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::{Map, Value};

use super::{
    AdvanceFacts, Answer, Class, Damage, Earlier, Facts, Flag, LIST_MAX, Outcome, Packaging, RmaFacts, RushFacts,
    TEXT_MAX, nearest, same_word,
};
use crate::domain::date;
use crate::domain::mac::Mac;
use crate::domain::money::Amount;
use crate::domain::text::serial_key;

/// The facts in `json`; every mistake goes to `problems`.
pub(super) fn facts(json: &Value, problems: &mut Vec<String>) -> Facts {
    match json {
        Value::Object(map) => read_facts(&mut Reader { map, path: "", known: Vec::new(), problems }),
        other => {
            problems.push(format!("facts must be one JSON object, not {}", kind(other)));
            Facts::default()
        }
    }
}

fn read_facts(r: &mut Reader<'_>) -> Facts {
    let facts = Facts {
        channel: r.text("channel"),
        account: r.text("account"),
        brand: r.text("brand"),
        model: r.text("model"),
        serial: r.serial("serial"),
        macs: r.list("macs", |item| item.as_str().and_then(Mac::parse).ok_or("is not a MAC address (12 hex digits)")),
        ship_date: r.date("ship_date"),
        purchase_date: r.date("purchase_date"),
        delivered: r.date("delivered"),
        warranty_until: r.date("warranty_until"),
        warranty_months: r.value("warranty_months", |v| {
            v.as_u64()
                .filter(|n| *n <= 600)
                .map(|n| n as u32)
                .ok_or_else(|| "must be a number of months, 0 to 600".to_owned())
        }),
        vendor_warranty_until: r.date("vendor_warranty_until"),
        plan_until: r.date("plan_until"),
        reported: r.date("reported"),
        received: r.date("received"),
        today: r.date("today"),
        distributor: r.text("distributor"),
        packaging: r.word("packaging", Packaging::ALL),
        damage: r.word("damage", Damage::ALL),
        conditions: r.list("conditions", |item| item.as_str().and_then(plain).ok_or("must be a text of one line")),
        rma_marked_outside: r.flag("rma_marked_outside"),
        outcome: r.word("outcome", Outcome::ALL),
        class: r.word("class", Class::ALL),
        reason: r.text("reason"),
        lineage: r.objects("lineage", |e| Earlier {
            serial: e.serial("serial"),
            shipped: e.date("shipped"),
            replaced_on: e.date("replaced_on"),
            doa: e.flag("doa"),
        }),
        rma: r.object("rma", |m| RmaFacts {
            number: m.text("number"),
            issued: m.date("issued"),
            closed: m.flag("closed"),
            ticket: m.text("ticket"),
            ship_to: m.text("ship_to"),
            return_to: m.text("return_to"),
            support_request: m.paper("support_request"),
            diagnosed: m.paper("diagnosed"),
            qualified: m.flag("qualified"),
            consent: m.flag("consent"),
            contacted: m.flag("contacted"),
            wants_back: m.flag("wants_back"),
            proof_of_purchase: m.paper("proof_of_purchase"),
            quote_issued: m.date("quote_issued"),
            quote_amount: m.amount("quote_amount"),
            approved_on: m.date("approved_on"),
            purchase_order: m.paper("purchase_order"),
            expected: m.list("expected", |item| item.as_str().and_then(serial_key).ok_or("is not a serial number")),
        }),
        advance: r.object("advance", |a| AdvanceFacts {
            shipped: a.date("shipped"),
            delivered: a.date("delivered"),
            serial: a.serial("serial"),
            charged: a.flag("charged"),
            original_received: a.flag("original_received"),
        }),
        rush: r.object("rush", |u| RushFacts { asked: u.flag("asked"), paid_by_customer: u.flag("paid_by_customer") }),
        vendor_rma: r.text("vendor_rma"),
        burn_in: r.paper("burn_in"),
        qc: r.paper("qc"),
        tracking: r.text("tracking"),
        sender: r.text("sender"),
        answers: r.answers("answers"),
        released: r.answers("released"),
    };
    r.leftovers();
    facts
}
/// One JSON object being read: remembers which keys were asked for, collects what is wrong.
struct Reader<'j> {
    map: &'j Map<String, Value>,
    path: &'j str,
    known: Vec<&'static str>,
    problems: &'j mut Vec<String>,
}

impl Reader<'_> {
    fn say(&mut self, key: &str, message: &str) {
        let dot = if self.path.is_empty() { "" } else { "." };
        // A hostile object could hold a million wrong keys; one screenful is enough to repair it.
        if self.problems.len() < LIST_MAX {
            let key: String = key.chars().take(TEXT_MAX).collect();
            self.problems.push(format!("{}{dot}{}: {message}", self.path, key.escape_default()));
        }
    }

    fn value<T>(&mut self, key: &'static str, convert: impl FnOnce(&Value) -> Result<T, String>) -> Option<T> {
        self.known.push(key);
        match self.map.get(key) {
            None | Some(Value::Null) => None,
            Some(value) => convert(value).map_err(|message| self.say(key, &message)).ok(),
        }
    }

    /// Blank text is absent: many systems write "" for "nothing".
    fn text(&mut self, key: &'static str) -> Option<String> {
        self.value(key, |v| match v {
            Value::String(text) if text.trim().is_empty() => Ok(None),
            Value::String(text) => {
                plain(text).map(Some).ok_or_else(|| format!("must be one line of at most {TEXT_MAX} bytes"))
            }
            other => Err(format!("must be a text, not {}", kind(other))),
        })?
    }

    fn serial(&mut self, key: &'static str) -> Option<String> {
        let text = self.text(key)?;
        let serial = serial_key(&text);
        if serial.is_none() {
            self.say(key, "is not a serial number (letters, digits and - . / _ #, at most 40)");
        }
        serial
    }

    fn date(&mut self, key: &'static str) -> Option<NaiveDate> {
        self.value(key, |v| match v {
            Value::String(text) => day(text),
            other => Err(format!("must be a date such as \"2026-03-31\", not {}", kind(other))),
        })
    }

    fn word<T: Copy>(&mut self, key: &'static str, words: &[(&'static str, T)]) -> Option<T> {
        self.value(key, |v| {
            let text = v.as_str().ok_or_else(|| format!("must be a text, not {}", kind(v)))?;
            words.iter().find(|(word, _)| same_word(text, word)).map(|(_, value)| *value).ok_or_else(|| {
                let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                format!("{text:?} is not one of {}", all.join(", "))
            })
        })
    }

    fn flag(&mut self, key: &'static str) -> Flag {
        self.value(key, |v| {
            flag(v)?.ok_or_else(|| "must be true, false, or the date on which it became true".to_owned())
        })
        .unwrap_or_default()
    }

    /// A yes/no fact that is usually known by the paper's number: any text but no/false counts as yes.
    fn paper(&mut self, key: &'static str) -> Flag {
        self.value(key, |v| match (flag(v), v) {
            (Ok(Some(flag)), _) => Ok(flag),
            (Ok(None), Value::String(text)) if text.trim().is_empty() => Ok(Flag::Absent),
            (Ok(None), Value::String(text)) => {
                plain(text).map(|_| Flag::Yes).ok_or_else(|| format!("must be one line of at most {TEXT_MAX} bytes"))
            }
            (Err(message), _) => Err(message),
            _ => Err("must be true, false, a date, or the paper's number as text".to_owned()),
        })
        .unwrap_or_default()
    }

    fn list<T>(&mut self, key: &'static str, convert: impl Fn(&Value) -> Result<T, &'static str>) -> Vec<T> {
        self.value(key, |v| match v {
            Value::Array(items) if items.len() > LIST_MAX => {
                Err(format!("has {} entries; at most {LIST_MAX}", items.len()))
            }
            Value::Array(items) => {
                items.iter().map(|item| convert(item).map_err(|m| format!("{} {m}", shown(item)))).collect()
            }
            other => Err(format!("must be a list, not {}", kind(other))),
        })
        .unwrap_or_default()
    }

    fn object<T: Default>(&mut self, key: &'static str, build: impl FnOnce(&mut Reader<'_>) -> T) -> T {
        match self.value(key, |v| v.as_object().cloned().ok_or_else(|| format!("must be an object, not {}", kind(v)))) {
            Some(map) => self.inner(key, &map, build),
            None => T::default(),
        }
    }

    fn objects<T>(&mut self, key: &'static str, build: impl Fn(&mut Reader<'_>) -> T) -> Vec<T> {
        let maps = self.list(key, |item| item.as_object().cloned().ok_or("must be an object"));
        maps.iter().enumerate().map(|(at, map)| self.inner(&format!("{key}[{}]", at + 1), map, &build)).collect()
    }

    /// `{code: "text"}` or `{code: {answer, by}}`; the codes are the program's.
    fn answers(&mut self, key: &'static str) -> BTreeMap<String, Answer> {
        let Some(map) =
            self.value(key, |v| v.as_object().cloned().ok_or_else(|| format!("must be an object, not {}", kind(v))))
        else {
            return BTreeMap::new();
        };
        if map.len() > LIST_MAX {
            self.say(key, "has too many entries");
            return BTreeMap::new();
        }
        let mut answers = BTreeMap::new();
        for (code, value) in &map {
            let answer = match value {
                Value::Null => continue,
                Value::Bool(yes) => Answer { answer: if *yes { "yes" } else { "no" }.to_owned(), by: None },
                Value::String(text) if plain(text).is_some() => Answer { answer: text.trim().to_owned(), by: None },
                Value::Object(map) => self.inner(&format!("{key}.{code}"), map, |r| Answer {
                    answer: r.text("answer").unwrap_or_default(),
                    by: r.text("by"),
                }),
                other => {
                    self.say(
                        &format!("{key}.{code}"),
                        &format!("must be a text or an object with answer and by, not {}", kind(other)),
                    );
                    continue;
                }
            };
            answers.insert(code.clone(), answer);
        }
        answers
    }

    fn amount(&mut self, key: &'static str) -> Option<Amount> {
        self.value(key, |v| match v {
            Value::String(text) => Amount::parse(text),
            other => Err(format!("must be an amount such as \"45.00\", not {}", kind(other))),
        })
    }

    fn inner<T>(&mut self, key: &str, map: &Map<String, Value>, build: impl FnOnce(&mut Reader<'_>) -> T) -> T {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        let mut reader = Reader { map, path: &path, known: Vec::new(), problems: self.problems };
        let value = build(&mut reader);
        reader.leftovers();
        value
    }

    fn leftovers(&mut self) {
        for key in self.map.keys() {
            if !self.known.contains(&key.as_str()) {
                let hint = match nearest(key, self.known.iter().copied()) {
                    Some(near) => format!("unknown key; did you mean `{near}`?"),
                    None => format!("unknown key; known here: {}", self.known.join(", ")),
                };
                self.say(key, &hint);
            }
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true/false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    text.chars().take(60).collect()
}

/// Trimmed, not blank, one line, bounded.
fn plain(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty() && text.len() <= TEXT_MAX && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

fn day(text: &str) -> Result<NaiveDate, String> {
    if !dated(text) {
        let text: String = text.chars().take(40).collect();
        return Err(format!("{text:?} is not a date such as \"2026-03-31\""));
    }
    date::parse(text, &["%Y-%m-%d"]).map_err(|bad| bad.to_string())
}

/// The shape of a date, whether or not the calendar has that day.
fn dated(text: &str) -> bool {
    let sign = |at: usize| at == 4 || at == 7;
    text.len() == 10 && text.bytes().enumerate().all(|(at, b)| if sign(at) { b == b'-' } else { b.is_ascii_digit() })
}

/// `Ok(None)`: a text that is neither yes, no nor the shape of a date.
fn flag(value: &Value) -> Result<Option<Flag>, String> {
    match value {
        Value::Bool(true) => Ok(Some(Flag::Yes)),
        Value::Bool(false) => Ok(Some(Flag::No)),
        Value::String(text) => {
            let text = text.trim();
            match text.to_ascii_lowercase().as_str() {
                "yes" | "true" => Ok(Some(Flag::Yes)),
                "no" | "false" => Ok(Some(Flag::No)),
                _ if dated(text) => day(text).map(|date| Some(Flag::Since(date))),
                _ => Ok(None),
            }
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Channel;
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_contract_is_read() {
        let facts = Facts::from_json(&json!({
            "channel": "service provider", "brand": "Alpha", "serial": " ab-1 ", "macs": ["00-15-65-ab-cd-ef"],
            "ship_date": "2026-01-01", "warranty_months": 24, "packaging": "original", "class": null, "outcome": "user-damage",
            "lineage": [{"serial": "a0", "shipped": "2025-01-01", "replaced_on": "2026-01-01", "doa": true}],
            "rma": {"number": "R1", "diagnosed": "2026-01-31", "consent": false, "purchase_order": "PO 7", "expected": ["ab-1"]},
            "advance": {"original_received": "2026-03-31"}, "rush": {"asked": "yes"}, "vendor_rma": "",
            "answers": {"why": "cable", "fee": {"answer": "no", "by": "B7"}}
        }))
        .unwrap();
        assert_eq!(facts.channel.as_deref().and_then(Channel::find), Some(Channel::ServiceProvider));
        assert_eq!(facts.serial.as_deref(), Some("AB-1"));
        assert_eq!(facts.macs[0].to_string(), "001565ABCDEF");
        assert_eq!((facts.ship_date, facts.class, &facts.vendor_rma), (Some(date("2026-01-01")), None, &None));
        assert_eq!(facts.outcome, Some(Outcome::UserDamage));
        assert_eq!(facts.lineage[0].doa, Flag::Yes);
        assert_eq!(facts.rma.diagnosed, Flag::Since(date("2026-01-31")));
        assert_eq!((facts.rma.consent, facts.rma.purchase_order), (Flag::No, Flag::Yes));
        assert_eq!(facts.advance.original_received.date(), Some(date("2026-03-31")));
        assert_eq!(facts.answers["fee"], Answer { answer: "no".into(), by: Some("B7".into()) });
        let written = serde_json::to_value(&facts).unwrap();
        assert_eq!(serde_json::from_value::<Facts>(written).unwrap(), facts);
        assert_eq!(serde_json::to_string(&Facts::default()).unwrap(), "{}");
    }

    #[test]
    fn every_mistake_is_named() {
        let wrong = json!({
            "chanel": "direct", "ship_date": "2026-02-30", "macs": ["00"], "packaging": "box", "rma": {"tiket": 1, "qualified": "perhaps"},
            "lineage": [{"doa": 7}], "warranty_months": -1, "zzz": 1
        });
        let problems = Facts::from_json(&wrong).unwrap_err().problems;
        let want = [
            "macs: \"00\" is not a MAC address (12 hex digits)",
            "ship_date: \"2026-02-30\" names a day that the calendar does not have",
            "warranty_months: must be a number of months, 0 to 600",
            "packaging: \"box\" is not one of original, equivalent, bad, unknown",
            "lineage[1].doa: must be true, false, or the date on which it became true",
            "rma.qualified: must be true, false, or the date on which it became true",
            "rma.tiket: unknown key; did you mean `ticket`?",
            "chanel: unknown key; did you mean `channel`?",
        ];
        for line in want {
            assert!(problems.iter().any(|p| p == line), "{line:?} missing in {problems:#?}");
        }
        assert_eq!(problems.len(), want.len() + 1, "{problems:#?}");
    }

    #[test]
    fn dates_are_strict() {
        for bad in ["2026-1-01", "2025-02-29", "1989-12-31", "2101-01-01", "+2026-01-0", "2026-01-01T", "01.02.2026"] {
            assert!(day(bad).is_err(), "{bad}");
        }
        assert!(day("2024-02-29").is_ok());
    }

    proptest! {
        #[test]
        fn no_json_panics(text in "[\\[\\]{}\":,a-z0-9 _-]{0,60}") {
            if let Ok(json) = serde_json::from_str::<Value>(&text) {
                let _ = Facts::from_json(&json);
            }
        }
    }
}
