//! The JSON Schema (2020-12) of the verdict, written from the same word lists that the types use. A test
//! holds that it names exactly the keys a verdict has.

use serde_json::{Map, Value, json};

use super::{Action, AdvanceMode, Coverage, LegName, Move, Party, Role, Service, Verdict};

impl Verdict {
    /// The schema of a verdict. Further keys may be added to it, none is ever left out.
    pub fn schema() -> Value {
        let leg = object([
            ("leg", words(LegName::ALL)),
            ("payer", words(Party::ALL)),
            ("service", words(Service::ALL)),
            ("rule", text()),
        ]);
        let charge = object([
            ("kind", text()),
            ("amount", json!({"type": "string", "pattern": r"^-?\d+\.\d{2}$", "description": "negative: given back"})),
            ("currency", text()),
            ("to", words(Party::ALL)),
            ("rule", text()),
        ]);
        let hold = object([
            ("code", text()),
            ("released_by", text()),
            ("rule", text()),
            ("blocks", list(words(Move::ALL))),
            ("text", text()),
        ]);
        let question = object([
            ("code", text()),
            ("answers", list(text())),
            ("rule", text()),
            ("blocks", list(words(Move::ALL))),
            ("text", text()),
        ]);
        let message = object([("to", words(Role::ALL)), ("about", text()), ("rule", text()), ("text", text())]);
        let due = object([("what", text()), ("by", date()), ("rule", text())]);
        let advance =
            object([("allowed", json!({"type": "boolean"})), ("mode", words(AdvanceMode::ALL)), ("rule", text())]);
        let mut vendor =
            object([("send_to", text()), ("rma_number_required", json!({"type": "boolean"})), ("rule", text())]);
        vendor["required"] = json!([]);
        vendor["description"] = json!("empty where nothing goes to a vendor");
        let mut verdict = object([
            ("program", text()),
            ("version", text()),
            ("today", date()),
            ("age_days", json!({"type": ["integer", "null"], "minimum": 0})),
            ("band", text()),
            ("warranty_until", json!({"type": ["string", "null"], "format": "date"})),
            ("coverage", words(Coverage::ALL)),
            ("action", words(Action::ALL)),
            ("advance_replacement", advance),
            ("legs", list(leg)),
            ("charges", list(charge)),
            ("holds", list(hold)),
            ("questions", list(question)),
            ("messages", list(message)),
            ("due", list(due)),
            ("route", json!({"type": ["string", "null"]})),
            ("vendor", vendor),
            ("reasons", list(object([("rule", text()), ("text", text())]))),
        ]);
        verdict["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
        verdict["title"] = json!("verdict on one unit");
        verdict
    }
}

fn object<const N: usize>(properties: [(&str, Value); N]) -> Value {
    let required: Vec<&str> = properties.iter().map(|(key, _)| *key).collect();
    let required = json!(required);
    let properties: Map<String, Value> = properties.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    json!({"type": "object", "required": required, "properties": properties})
}

fn text() -> Value {
    json!({"type": "string"})
}

fn date() -> Value {
    json!({"type": "string", "format": "date"})
}

fn words<T>(all: &[(&str, T)]) -> Value {
    json!({"enum": all.iter().map(|(name, _)| *name).collect::<Vec<_>>()})
}

fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

#[cfg(test)]
mod tests {
    use super::super::*;
    use serde_json::Value;

    /// A verdict with one of everything.
    fn full() -> Verdict {
        let name = Name::from("x");
        let today = NaiveDate::default();
        Verdict {
            program: name.clone(),
            version: name.clone(),
            today,
            age_days: Some(1),
            band: name.clone(),
            warranty_until: Some(today),
            coverage: Coverage::Plan,
            action: Action::Quote,
            advance_replacement: Advance { allowed: true, mode: AdvanceMode::ShipFirst, rule: name.clone() },
            legs: vec![Leg { leg: LegName::Inbound, payer: Party::Us, service: Service::Any, rule: name.clone() }],
            charges: vec![Charge {
                kind: name.clone(),
                amount: Amount::from_cents(-4_500),
                currency: name.clone(),
                to: Party::Partner,
                rule: name.clone(),
            }],
            holds: vec![Hold {
                code: name.clone(),
                released_by: name.clone(),
                rule: name.clone(),
                blocks: vec![Move::Bench],
                text: String::new(),
            }],
            questions: vec![Question {
                code: name.clone(),
                answers: vec![name.clone()],
                rule: name.clone(),
                blocks: vec![Move::Close],
                text: name.clone(),
            }],
            messages: vec![Message { to: Role::Sales, about: name.clone(), rule: name.clone(), text: name.clone() }],
            due: vec![Due { what: name.clone(), by: today, rule: name.clone() }],
            route: Some(name.clone()),
            vendor: Some(Vendor { send_to: name.clone(), rma_number_required: true, rule: name.clone() }),
            reasons: vec![Reason { rule: name, text: String::new() }],
        }
    }

    /// Every key of `value` stands in `schema`, every required key of `schema` in `value`, all the way down.
    fn matches(value: &Value, schema: &Value, place: &str) {
        match value {
            Value::Object(map) => {
                let properties = schema["properties"].as_object().unwrap();
                assert!(map.keys().eq(properties.keys()), "{place}: {map:?} is not {properties:?}");
                map.iter().for_each(|(key, value)| matches(value, &properties[key], &format!("{place}.{key}")));
            }
            Value::Array(items) => items.iter().for_each(|item| matches(item, &schema["items"], &format!("{place}[]"))),
            Value::String(text) => {
                let words = schema["enum"].as_array();
                assert!(words.is_none_or(|words| words.contains(&Value::from(&**text))), "{place}: {text}");
            }
            _ => {}
        }
    }

    #[test]
    fn the_schema_names_exactly_the_keys_of_a_verdict() {
        let verdict = serde_json::to_value(full()).unwrap();
        matches(&verdict, &Verdict::schema(), "verdict");
        assert_eq!(serde_json::from_value::<Verdict>(verdict).unwrap(), full());
    }

    #[test]
    fn nothing_to_a_vendor_is_an_empty_object() {
        let none = Verdict { vendor: None, route: None, ..full() };
        let json = serde_json::to_value(&none).unwrap();
        assert_eq!((json["vendor"].to_string(), json["route"].to_string()), ("{}".to_owned(), "null".to_owned()));
        assert_eq!(serde_json::from_value::<Verdict>(json).unwrap(), none);
    }

    #[test]
    fn moves_are_open_until_a_hold_or_a_question_forbids_them() {
        let v = full();
        assert!(!v.allows(Move::Bench) && !v.allows(Move::Close) && v.allows(Move::Ship));
        assert_eq!((v.holds_on(Move::Bench).count(), v.holds_on(Move::Close).count()), (1, 0));
    }
}
