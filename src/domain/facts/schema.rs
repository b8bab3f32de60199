//! The JSON Schema (2020-12) of the facts, written from the same word lists that the reader uses. A test
//! holds that it names exactly the keys the reader asks for.

use serde_json::{Map, Value, json};

use super::{Class, Damage, Facts, LIST_MAX, Outcome, Packaging, TEXT_MAX};

impl Facts {
    /// The schema of what [`Facts::from_json`] reads.
    pub fn schema() -> Value {
        let mut facts = object([
            ("channel", text("agent, direct, reseller, service_provider, distributor; another word is held")),
            ("account", text("the account that returns the unit")),
            ("brand", text("the maker, as the program's table spells it, in either case")),
            ("model", text("")),
            ("serial", text("letters, digits and - . / _ #, at most 40")),
            ("macs", list(text("12 hex digits in any spelling"))),
            ("ship_date", date("the day this very unit left us")),
            ("purchase_date", date("")),
            ("delivered", date("the day the unit reached its owner")),
            ("warranty_until", date("a verified last day of warranty")),
            ("warranty_months", json!({"type": ["integer", "null"], "minimum": 0, "maximum": 600})),
            ("vendor_warranty_until", date("the vendor's own last day of warranty")),
            ("plan_until", date("last day of the extended service plan")),
            ("reported", date("the day the problem was reported")),
            ("received", date("the day the unit came in")),
            ("today", date("the day of the verdict; default: the station's date")),
            ("distributor", text("whom this very unit was bought from")),
            ("packaging", words(Packaging::ALL)),
            ("damage", words(Damage::ALL)),
            ("conditions", list(text("\"present:NAME\" or \"missing:NAME\", out of the program's lists"))),
            ("rma_marked_outside", flag("")),
            ("outcome", words(Outcome::ALL)),
            ("class", words(Class::ALL)),
            ("reason", text("a reason code of the program")),
            ("vendor_rma", text("the vendor's RMA number")),
            ("burn_in", paper()),
            ("qc", paper()),
            ("tracking", text("carrier number of the way back")),
            ("sender", text("the address on the label that it came with")),
            ("answers", answers("answers to questions, by question code")),
            ("released", answers("holds that a person lifted, by hold code; counts only with a name")),
        ]);
        let unit = object([
            ("serial", text("")),
            ("shipped", date("the day that unit left us")),
            ("replaced_on", date("the day its replacement left us")),
            ("doa", flag("dead on arrival")),
        ]);
        let rma = object([
            ("number", text("")),
            ("issued", date("")),
            ("closed", flag("")),
            ("ticket", text("")),
            ("ship_to", text("where the ticket says it is to go back to")),
            ("return_to", text("where support wants the goods sent, instead of the published address")),
            ("support_request", paper()),
            ("diagnosed", paper()),
            ("qualified", flag("")),
            ("consent", flag("the owner agreed to the cost")),
            ("contacted", flag("the owner was told")),
            ("wants_back", flag("")),
            ("proof_of_purchase", paper()),
            ("quote_issued", date("")),
            ("quote_amount", text("what the quotation comes to, such as \"45.00\"")),
            ("approved_on", date("")),
            ("purchase_order", paper()),
            ("expected", list(text("a serial number the RMA was made for"))),
        ]);
        let advance = object([
            ("shipped", date("the day the advance unit left us")),
            ("delivered", date("")),
            ("serial", text("")),
            ("charged", flag("")),
            ("original_received", flag("the original came in")),
        ]);
        let rush = object([("asked", flag("")), ("paid_by_customer", flag(""))]);
        facts["properties"]["lineage"] = list(unit);
        for (key, value) in [("rma", rma), ("advance", advance), ("rush", rush)] {
            facts["properties"][key] = value;
        }
        facts["type"] = json!("object");
        facts["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
        facts["title"] = json!("facts of one unit");
        facts
    }
}

fn object<const N: usize>(properties: [(&str, Value); N]) -> Value {
    let properties: Map<String, Value> = properties.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    json!({"type": ["object", "null"], "additionalProperties": false, "properties": properties})
}

fn described(mut schema: Value, description: &str) -> Value {
    if !description.is_empty() {
        schema["description"] = json!(description);
    }
    schema
}

fn text(description: &str) -> Value {
    described(json!({"type": ["string", "null"], "maxLength": TEXT_MAX}), description)
}

fn date(description: &str) -> Value {
    described(json!({"type": ["string", "null"], "format": "date"}), description)
}

/// True, false, or the date on which it became true.
fn flag(description: &str) -> Value {
    let date = json!({"type": "string", "format": "date"});
    let yes_no = json!({"enum": ["yes", "no"]});
    described(json!({"anyOf": [{"type": ["boolean", "null"]}, date, yes_no]}), description)
}

fn paper() -> Value {
    json!({"type": ["boolean", "string", "null"], "description": "true, false, the date, or the paper's number"})
}

fn words<T>(all: &[(&str, T)]) -> Value {
    let names: Vec<Value> = all.iter().map(|(name, _)| json!(name)).chain([Value::Null]).collect();
    json!({"enum": names})
}

fn list(items: Value) -> Value {
    json!({"type": ["array", "null"], "maxItems": LIST_MAX, "items": items})
}

fn answers(description: &str) -> Value {
    let named = object([("answer", text("")), ("by", text("who said so"))]);
    let any = json!({"anyOf": [{"type": ["boolean", "string", "null"]}, named]});
    described(json!({"type": ["object", "null"], "maxProperties": LIST_MAX, "additionalProperties": any}), description)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys the reader says it knows, when it is given one that it does not.
    fn known(place: &[&str]) -> Vec<String> {
        let mut facts = json!({"?????????????": 1});
        for key in place.iter().rev() {
            facts = if *key == "lineage" { json!({"lineage": [facts]}) } else { json!({*key: facts}) };
        }
        let problems = Facts::from_json(&facts).unwrap_err().problems.join("");
        let keys = problems.split("known here: ").nth(1).unwrap_or_default();
        let mut keys: Vec<String> = keys.split(", ").map(str::to_owned).collect();
        keys.sort();
        keys
    }

    #[test]
    fn the_schema_names_exactly_the_keys_that_are_read() {
        let schema = Facts::schema();
        let at = |place: &str| schema.pointer(place).and_then(|p| p["properties"].as_object()).unwrap();
        for (place, pointer) in [
            (&[][..], ""),
            (&["rma"], "/properties/rma"),
            (&["advance"], "/properties/advance"),
            (&["rush"], "/properties/rush"),
            (&["lineage"], "/properties/lineage/items"),
        ] {
            let mut keys: Vec<String> = at(pointer).keys().cloned().collect();
            keys.sort();
            assert_eq!(keys, known(place), "{place:?}");
        }
    }
}
