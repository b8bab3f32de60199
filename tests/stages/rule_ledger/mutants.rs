//! What can go wrong with a row: the row gone, each of its effects altered, each of its conditions
//! altered or gone, its rule swapped for another.
//!
//! In: the rows of a file. Out: mutants, each a few edits of the text and the rules whose tests must see it.

use super::rows::{Field, Row, Value, without, without_element};
use std::ops::Range;

pub struct Mutant {
    pub row: usize,
    pub what: String,
    pub edits: Vec<(Range<usize>, String)>,
    /// Rules whose tests must turn red.
    pub rules: Vec<String>,
}

impl Mutant {
    pub fn apply(&self, text: &str) -> String {
        let mut out = text.to_owned();
        let mut edits: Vec<_> = self.edits.iter().collect();
        edits.sort_by_key(|(at, _)| std::cmp::Reverse(at.start));
        for (at, new) in edits {
            out.replace_range(at.clone(), new);
        }
        out
    }
}

const ACTIONS: [&str; 10] =
    ["replace", "diagnose", "repair", "return", "quote", "route", "credit", "exchange", "reject", "hold"];
const MODES: [&str; 4] = ["none", "ship_first", "charge_first", "automatic"];
const LEGS: [&str; 5] = ["inbound", "outbound", "advance", "to_vendor", "from_vendor"];
const MOVES: [&str; 10] =
    ["bench", "repair", "replace", "advance", "vendor_leg", "inbound", "ship", "charge", "credit", "close"];
const ROLES: [&str; 7] = ["management", "partner_team", "customer", "sales", "billing", "supervisor", "vendor"];
const DECISIONS: [&str; 4] = ["accept", "hold", "reject", "refuse"];
const SOURCES: [&str; 6] = ["first_ship_date", "purchase_date", "delivered", "reported", "received", "today"];

/// All mutants of one file. `rules_of` names the rules of a row that cites none.
pub fn mutants(text: &str, rows: &[Row], rules_of: &dyn Fn(&Row) -> Vec<String>) -> Vec<Mutant> {
    let mut all = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let rules = match row.text("rule") {
            Some(rule) => vec![rule.to_owned()],
            None => rules_of(row),
        };
        let mut maker = Maker { text, rows, row, rules, at, all: &mut all };
        if !row.whole.is_empty() {
            maker.edit("the row is gone", row.whole.clone(), "");
        }
        for field in &row.fields {
            maker.field(field);
        }
        maker.absent();
    }
    bands(rows, &mut all);
    all
}

/// The day on which one band ends and the next begins, a day earlier and a day later.
fn bands(rows: &[Row], all: &mut Vec<Mutant>) {
    let bands: Vec<(usize, &Row)> = rows.iter().enumerate().filter(|(_, r)| r.kind == "band").collect();
    for by in [-1i64, 1] {
        let mut edits = Vec::new();
        let mut rules = Vec::new();
        for (_, row) in &bands {
            let (Some(days), Some(field)) = (row.text("days"), row.fields.iter().find(|f| f.key == "days")) else {
                continue;
            };
            let shift =
                |end: &str| end.parse::<i64>().map_or(end.to_owned(), |n| (n + by * i64::from(n > 0)).to_string());
            let (from, to) = days.split_once("..").unwrap_or((days, days));
            edits.push((field.at.clone(), format!("\"{}..{}\"", shift(from), shift(to))));
            rules.extend(row.text("rule").filter(|_| days != "").map(str::to_owned));
        }
        if let Some((row, _)) = bands.first() {
            // The last band begins with the end of warranty, not with a number of days.
            rules.truncate(2);
            all.push(Mutant { row: *row, what: format!("the bands meet {by:+} day"), edits, rules });
        }
    }
}

struct Maker<'a> {
    text: &'a str,
    rows: &'a [Row],
    row: &'a Row,
    rules: Vec<String>,
    at: usize,
    all: &'a mut Vec<Mutant>,
}

impl Maker<'_> {
    fn push(&mut self, what: String, edits: Vec<(Range<usize>, String)>, rules: Vec<String>) {
        self.all.push(Mutant { row: self.at, what, edits, rules });
    }

    fn edit(&mut self, what: &str, at: Range<usize>, new: &str) {
        self.push(what.to_owned(), vec![(at, new.to_owned())], self.rules.clone());
    }

    fn set(&mut self, field: &Field, new: &str) {
        self.edit(&format!("{} is {new}", field.key), field.at.clone(), &format!("\"{new}\""));
    }

    fn set_each(&mut self, field: &Field, old: &str, words: &[&str], most: usize) {
        let from = words.iter().position(|w| *w == old).map_or(0, |n| n + 1);
        for n in 0..most.min(words.len() - 1) {
            self.set(field, words[(from + n) % words.len()]);
        }
    }

    fn drop_key(&mut self, field: &Field) {
        self.edit(&format!("{} is gone", field.key), without(self.text, field), "");
    }

    fn insert(&mut self, key: &str, value: &str) {
        let (at, tail) = self.row.insert;
        self.edit(&format!("{key} is {value}"), at..at, &format!(" {key} = {value}{tail}"));
    }

    fn field(&mut self, field: &Field) {
        let kind = self.row.kind.as_str();
        if let Some(subject) = field.key.strip_prefix("when.") {
            return self.condition(field, subject);
        }
        match (field.key.as_str(), &field.value) {
            ("rule" | "service_rule", Value::Text(rule)) => {
                let other = another_rule(rule, self.rows);
                let at = field.at.clone();
                self.push(format!("{} is {other}", field.key), vec![(at, format!("\"{other}\""))], vec![rule.clone()]);
                if field.key == "service_rule" {
                    let at = without(self.text, field);
                    self.push("service_rule is gone".to_owned(), vec![(at, String::new())], vec![rule.clone()]);
                }
            }
            ("do", Value::Text(old)) => {
                let next = self.rows.iter().find(|r| r.kind == "next");
                let legal: Vec<&str> = ACTIONS.iter().copied().filter(|a| next.is_some_and(|n| n.has(a))).collect();
                self.set_each(field, old, &legal, 2);
            }
            ("mode", Value::Text(old)) => self.set_each(field, old, &MODES, 3),
            ("leg", Value::Text(old)) => self.set_each(field, old, &LEGS, 2),
            ("decision", Value::Text(old)) => self.set_each(field, old, &DECISIONS, 3),
            ("payer", Value::Text(old)) => self.set_each(field, old, &["us", "customer", "partner"], 2),
            ("to", Value::Text(old)) if kind == "charge" => {
                self.set_each(field, old, &["customer", "partner", "us"], 2)
            }
            ("to", Value::Text(old)) if kind == "message" => self.set_each(field, old, &ROLES, 2),
            ("service", Value::Text(old)) => {
                let rules = self.row.text("service_rule").map_or(self.rules.clone(), |rule| vec![rule.to_owned()]);
                for new in ["ground", "rush"].iter().filter(|new| *new != old) {
                    let edit = (field.at.clone(), format!("\"{new}\""));
                    self.push(format!("service is {new}"), vec![edit], rules.clone());
                }
            }
            ("fee" | "question", Value::Text(old)) => {
                let names: Vec<&str> = self.rows.iter().filter(|r| r.kind == field.key).map(|r| &*r.name).collect();
                self.set_each(field, old, &names, 1);
            }
            ("release", Value::Text(_)) => self.set(field, "both"),
            ("value", Value::Text(old)) => {
                let legal = self.row.texts("one_of");
                self.set_each(field, old, &legal.iter().map(String::as_str).collect::<Vec<_>>(), 1);
            }
            ("send_to", Value::Text(old)) => self.set_each(field, old, &["brand", "distributor", "Elsewhere"], 2),
            ("complete_when", Value::Text(old)) => self.set_each(field, old, &["serial", "mac", "either", "both"], 3),
            ("amount", Value::Text(old)) => {
                self.set(field, &cents_more(old));
                self.drop_key(field);
            }
            ("currency", Value::Text(_)) => {
                let charges = self.rows.iter().filter(|r| r.kind == "charge").filter_map(|r| r.text("rule"));
                let rules = charges.map(str::to_owned).collect();
                self.push("currency is XTS".to_owned(), vec![(field.at.clone(), "\"XTS\"".to_owned())], rules);
            }
            ("void_list", Value::Text(_)) => {
                let void = self.rows.iter().filter(|r| r.kind == "case" && r.text("when.coverage") == Some("void"));
                let rules = void.filter_map(|r| r.text("rule")).map(str::to_owned).collect();
                let at = without(self.text, field);
                self.push("void_list is gone".to_owned(), vec![(at, String::new())], rules);
            }
            // Bands are shifted together: each alone is refused as a gap or an overlap.
            ("days", Value::Text(_)) if kind == "band" => self.set(field, "0..5"),
            ("name", Value::Text(_)) if matches!(kind, "band" | "case") => {
                self.set(field, "another");
            }
            ("from" | "at" | "to", Value::Text(old)) => self.set_each(field, old, &SOURCES, 2),
            ("from" | "at" | "to", Value::List(list)) => self.sources(field, list),
            ("one_of", _) => {}
            ("blocks", Value::Text(_)) => {}
            ("blocks", Value::List(list)) => self.blocks(field, list),
            (_, Value::Number(n)) => {
                for by in [-1, 1] {
                    self.edit(&format!("{} {by:+}", field.key), field.at.clone(), &(n + by).to_string());
                }
                if field.key == "business_days" {
                    let start = self.text[..field.at.start].rfind('\n').map_or(0, |n| n + 1);
                    self.edit("business days are days", start..field.at.end, &format!("days = {n}"));
                }
                if matches!(field.key.as_str(), "validity_days" | "doa_days" | "max_replacements") {
                    self.drop_key(field);
                }
            }
            (_, Value::Bool(yes)) => {
                self.edit(&format!("{} is {}", field.key, !yes), field.at.clone(), &(!yes).to_string());
            }
            (_, Value::Text(text)) => {
                let word = matches!(field.key.as_str(), "code" | "kind" | "about" | "what" | "team");
                self.set(field, &if word { format!("{text}_x") } else { "-".to_owned() });
            }
            (_, Value::List(list)) => self.list(field, list),
            (_, Value::Other) => {}
        }
    }

    /// Keys that a row may leave out, put in.
    fn absent(&mut self) {
        match self.row.kind.as_str() {
            "hold" if !self.row.has("by_person") => self.insert("by_person", "true"),
            "charge" if !self.row.has("credit") => self.insert("credit", "true"),
            "fee" if !self.row.has("amount") => self.insert("amount", "\"0.01\""),
            "question" => {
                for key in ["by_fact", "named"].iter().filter(|key| !self.row.has(key)) {
                    self.insert(key, "true");
                }
                if !self.row.has("blocks") {
                    self.insert("blocks", "[\"close\"]");
                }
            }
            "rma" if !self.row.has("validity_days") => self.insert("validity_days", "30"),
            "warranty" => {
                self.insert("months", "1");
                if !self.row.has("plan") {
                    self.insert("plan", "true");
                }
            }
            "lineage" => {
                for key in ["doa_days", "max_replacements"].iter().filter(|key| !self.row.has(key)) {
                    self.insert(key, "0");
                }
            }
            _ => {}
        }
    }

    /// Which date counts: each left out, and the order turned round.
    fn sources(&mut self, field: &Field, list: &[(Range<usize>, String)]) {
        if list.len() == 1 {
            let other = if list[0].1 == "received" { "reported" } else { "received" };
            return self.edit(&format!("{} is {other}", field.key), list[0].0.clone(), &format!("\"{other}\""));
        }
        for (nth, (_, word)) in list.iter().enumerate() {
            self.edit(&format!("{} without {word}", field.key), without_element(list, nth), "");
        }
        let turned: Vec<String> = list.iter().rev().map(|(_, word)| format!("\"{word}\"")).collect();
        self.edit(&format!("{} turned round", field.key), field.at.clone(), &format!("[{}]", turned.join(", ")));
    }

    fn blocks(&mut self, field: &Field, list: &[(Range<usize>, String)]) {
        if list[0].1 == "all" {
            for missing in MOVES {
                let rest: Vec<String> = MOVES.iter().filter(|m| **m != missing).map(|m| format!("\"{m}\"")).collect();
                self.edit(&format!("blocks without {missing}"), field.at.clone(), &format!("[{}]", rest.join(", ")));
            }
            return;
        }
        let other = MOVES.iter().find(|m| !list.iter().any(|(_, word)| word == *m)).copied().unwrap_or("all");
        for (nth, (at, word)) in list.iter().enumerate() {
            if list.len() == 1 {
                self.edit(&format!("blocks {other}, not {word}"), at.clone(), &format!("\"{other}\""));
            } else {
                self.edit(&format!("blocks without {word}"), without_element(list, nth), "");
            }
        }
        let end = list[list.len() - 1].0.end;
        self.edit(&format!("blocks {other} too"), end..end, &format!(", \"{other}\""));
    }

    /// Any other list: each element gone, or something in an empty one.
    fn list(&mut self, field: &Field, list: &[(Range<usize>, String)]) {
        if list.is_empty() {
            let new = match field.key.as_str() {
                "holidays" => "[2026-12-25]",
                _ => "[\"another\"]",
            };
            return self.edit(&format!("{} is {new}", field.key), field.at.clone(), new);
        }
        for (nth, (_, word)) in list.iter().enumerate() {
            self.edit(&format!("{} without {word}", field.key), without_element(list, nth), "");
        }
    }

    /// Each value of a condition taken away (the only one: turned into another), and the condition gone.
    fn condition(&mut self, field: &Field, subject: &str) {
        let legal = legal(subject, self.rows);
        let other = |word: &str| {
            let at = legal.iter().position(|l| l == word).map_or(0, |n| n + 1);
            legal.get(at % legal.len().max(1)).cloned().unwrap_or_default()
        };
        match &field.value {
            Value::Text(word) => {
                let new = other(word);
                self.edit(&format!("when {subject} is {new}, not {word}"), field.at.clone(), &format!("\"{new}\""));
            }
            Value::List(list) if list.len() == 1 => {
                let new = other(&list[0].1);
                self.edit(&format!("when {subject} is {new}"), list[0].0.clone(), &format!("\"{new}\""));
            }
            Value::List(list) => {
                for (nth, (_, word)) in list.iter().enumerate() {
                    self.edit(&format!("when {subject} not {word}"), without_element(list, nth), "");
                }
            }
            _ => {}
        }
        self.edit(&format!("whatever {subject} is"), without(self.text, field), "");
    }
}

/// Another id of the same process that no row of the file cites, so that nothing else explains it.
fn another_rule(rule: &str, rows: &[Row]) -> String {
    let letter = match rule.split_once('-') {
        Some((letter, number)) if number.len() == 2 => letter.to_owned(),
        _ => {
            let cited = rows.iter().filter_map(|r| r.text("rule")).find(|r| r.as_bytes().get(1) == Some(&b'-'));
            cited.map_or("A".to_owned(), |r| r[..1].to_owned())
        }
    };
    let cites = |id: &str| rows.iter().any(|r| r.text("rule") == Some(id) || r.text("service_rule") == Some(id));
    (1..=68).map(|n| format!("{letter}-{n:02}")).find(|id| !cites(id)).unwrap_or_default()
}

fn cents_more(amount: &str) -> String {
    let cents: i64 = amount.replace('.', "").parse().unwrap_or(0);
    format!("{}.{:02}", (cents + 1) / 100, (cents + 1) % 100)
}

/// The values that a condition on `subject` may name in this file.
fn legal(subject: &str, rows: &[Row]) -> Vec<String> {
    let own = |first: &[&str], more: Vec<String>| first.iter().map(|w| (*w).to_owned()).chain(more).collect();
    let names = |kind: &str| -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for name in rows.iter().filter(|r| r.kind == kind).filter_map(|r| r.text("name")) {
            if !found.iter().any(|f| f == name) {
                found.push(name.to_owned());
            }
        }
        found
    };
    let of = |kind: &str, key: &str| rows.iter().find(|r| r.kind == kind).map_or(Vec::new(), |r| r.texts(key));
    let named = |kind: &str, name: &str, key: &str| {
        rows.iter().find(|r| r.kind == kind && r.name == name).map_or(Vec::new(), |r| r.texts(key))
    };
    match subject {
        "band" => own(&["none"], names("band")),
        "case" => own(&["none"], names("case")),
        "coverage" => own(&["in_warranty", "out_of_warranty", "plan", "void", "unknown"], vec![]),
        "side" => own(&["missing", "unlisted", "customer", "partner"], vec![]),
        "channel" => own(&["missing", "unlisted"], [of("channels", "customer"), of("channels", "partner")].concat()),
        "brand" => own(&["missing", "unlisted"], names("brand")),
        "reason" => own(&["missing", "unlisted"], of("rma", "reasons")),
        "class" => own(&["missing", "standard", "advance", "credit", "exchange", "unwanted", "doa"], vec![]),
        "outcome" => own(&["missing", "ntf", "repair", "replace", "working", "user_damage"], vec![]),
        "packaging" => own(&["missing", "original", "equivalent", "bad", "unknown"], vec![]),
        "damage" => own(&["missing", "none", "physical", "liquid", "disassembled", "other", "unknown"], vec![]),
        "vendor_warranty" => own(&["unknown", "in_play", "over"], vec![]),
        "quote" => own(&["none", "open", "approved", "expired", "superseded"], vec![]),
        "replacements" => own(&["left", "used_up"], vec![]),
        "line" => own(&["first", "replaced", "restarted"], vec![]),
        "rma.ticket" | "rma.number" | "rma.issued" | "advance.shipped" => own(&["missing", "present"], vec![]),
        _ => match subject.split_once('.') {
            Some(("window", _)) => own(&["unknown", "inside", "over"], vec![]),
            Some(("list", _)) => own(&["clear", "hit"], vec![]),
            Some(("answer", name)) => own(&["missing"], named("question", name, "answers")),
            Some(("setting", name)) => named("setting", name, "one_of"),
            Some(_) => own(&["missing", "no", "yes"], vec![]),
            None if ["on_rma", "rma_marked_outside", "burn_in", "qc"].contains(&subject) => {
                own(&["missing", "no", "yes"], vec![])
            }
            None => own(&["missing", "present"], vec![]),
        },
    }
}
