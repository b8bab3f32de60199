//! The hand-written expectations of a walk, as `tests/walks/*.toml` says them, and how an answer of the
//! station is held against them. Every difference is collected, so that one run shows all of them.

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Walk {
    pub program: String,
    /// What it is about, for people.
    #[serde(rename = "about")]
    _about: String,
    /// Amounts that the process leaves open.
    #[serde(default)]
    pub set: BTreeMap<String, String>,
    pub rma: RmaFacts,
    /// Named arguments of `rma new`.
    pub papers: BTreeMap<String, Vec<String>>,
    pub unit: Vec<Unit>,
    #[serde(default)]
    pub extra: Vec<Unit>,
    #[serde(default)]
    pub interlock: Vec<Interlock>,
    pub step: Vec<Step>,
    /// All messages of the walk: to whom, by which rule, how many.
    pub messages: BTreeMap<String, toml::Value>,
    #[serde(default)]
    pub readable: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub unreadable: BTreeMap<String, Vec<String>>,
    /// What holds for every message is checked for every message.
    #[serde(rename = "every_message", default)]
    _every_message: BTreeMap<String, bool>,
}

/// The rest of it stands there for people; it is put in by the papers.
#[derive(Deserialize)]
pub struct RmaFacts {
    pub channel: String,
    pub customer: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    pub id: String,
    pub serial: String,
    #[serde(default)]
    pub mac: String,
    pub brand: String,
    pub model: String,
    #[serde(default)]
    pub distributor: String,
    /// Days ago.
    pub shipped: Option<u64>,
    pub bought: Option<u64>,
    /// Days from today.
    pub warranty_left: Option<i64>,
    pub plan_left: Option<i64>,
    #[serde(rename = "way", default)]
    _way: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interlock {
    pub without: String,
    pub refused: String,
}

/// What is not one of these keys is a unit.
#[derive(Deserialize)]
pub struct Step {
    #[serde(rename = "do")]
    pub what: String,
    /// How it is done here; the last one is refused where `refused` stands.
    #[serde(default)]
    pub act: Vec<String>,
    pub refused: Option<String>,
    #[serde(default)]
    pub rma: Rma,
    #[serde(default)]
    pub labels: BTreeMap<String, usize>,
    /// Owed by the end of this step and not before.
    #[serde(default)]
    pub messages: Vec<String>,
    /// Words that the screen shows in it.
    #[serde(default)]
    pub words: Vec<String>,
    #[serde(flatten)]
    pub units: BTreeMap<String, Expected>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Rma {
    pub state: Option<String>,
    pub missing: Option<Vec<String>>,
}

/// What must be true of a unit; what is not said is not claimed.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Expected {
    pub band: Option<String>,
    pub coverage: Option<String>,
    pub action: Option<String>,
    pub holds: Option<Vec<String>>,
    pub holds_with: Vec<String>,
    pub holds_without: Vec<String>,
    pub legs: Vec<String>,
    pub advance: Option<String>,
    pub questions: Vec<String>,
    pub reasons: Vec<String>,
    pub charges: Option<Vec<String>>,
    pub vendor: Option<String>,
    pub due: Vec<String>,
    pub due_in: BTreeMap<String, u64>,
    pub due_business_days: BTreeMap<String, u64>,
    pub warranty: Option<String>,
    pub closed: bool,
}

/// Whether `rule` is one of `"A-68|A-20"`.
pub fn one_of(rules: &str, rule: &str) -> bool {
    rules.split('|').any(|r| r == rule)
}

fn text(v: &Value) -> String {
    v.as_str().unwrap_or_default().to_owned()
}

fn list(v: &Value) -> impl Iterator<Item = &Value> {
    v.as_array().into_iter().flatten()
}

/// A day so many business days after `day`, as a calendar on the wall counts them.
pub fn business_days_after(day: NaiveDate, mut days: u64) -> NaiveDate {
    use chrono::Datelike as _;
    let mut at = day;
    let rests = |d: NaiveDate| matches!(d.weekday(), chrono::Weekday::Sat | chrono::Weekday::Sun);
    while days > 0 {
        at = at.succ_opt().unwrap();
        days -= u64::from(!rests(at));
    }
    // Nothing falls due on a day on which nobody works.
    while rests(at) {
        at = at.succ_opt().unwrap();
    }
    at
}

impl Expected {
    /// What of a verdict is not as expected.
    pub fn against(&self, verdict: &Value, today: NaiveDate) -> Vec<String> {
        let mut wrong = Vec::new();
        for (name, expected) in [("band", &self.band), ("coverage", &self.coverage), ("action", &self.action)] {
            if let Some(word) = expected.as_ref().filter(|word| verdict[name] != **word) {
                wrong.push(format!("{name} is {}, not {word}", verdict[name]));
            }
        }
        let holds: Vec<String> = list(&verdict["holds"]).map(|h| text(&h["rule"])).collect();
        let held_by = |rules: &str| holds.iter().any(|h| one_of(rules, h));
        if let Some(all) = &self.holds {
            let unnamed = holds.iter().filter(|h| !all.iter().any(|rules| one_of(rules, h)));
            if unnamed.count() > 0 || !all.iter().all(|rules| held_by(rules)) {
                wrong.push(format!("held by {holds:?}, not by {all:?}"));
            }
        }
        wrong.extend(self.holds_with.iter().filter(|r| !held_by(r)).map(|r| format!("not held by {r}: {holds:?}")));
        wrong.extend(self.holds_without.iter().filter(|r| held_by(r)).map(|r| format!("still held by {r}")));
        for leg in &self.legs {
            let [name, payer, service, rules] = leg.split(' ').collect::<Vec<_>>()[..] else { panic!("leg {leg:?}") };
            let found = list(&verdict["legs"]).find(|l| l["leg"] == name);
            let right = found.is_some_and(|l| {
                l["payer"] == payer && (service == "-" || l["service"] == service) && one_of(rules, &text(&l["rule"]))
            });
            if !right {
                wrong.push(format!("leg {leg:?} is {}", found.unwrap_or(&Value::Null)));
            }
        }
        if let Some((word, rules)) = self.advance.as_ref().and_then(|a| a.split_once(' ')) {
            let found = &verdict["advance_replacement"];
            if found["allowed"] != (word == "allowed") || !one_of(rules, &text(&found["rule"])) {
                wrong.push(format!("advance is {found}, not {word} by {rules}"));
            }
        }
        if let Some((send_to, rules)) = self.vendor.as_ref().and_then(|v| v.rsplit_once(' ')) {
            let found = &verdict["vendor"];
            let right = found["send_to"] == send_to && found["rma_number_required"] == true;
            if !right || !one_of(rules, &text(&found["rule"])) {
                wrong.push(format!("vendor is {found}, not {send_to} by {rules}"));
            }
        }
        for rules in &self.questions {
            if !list(&verdict["questions"]).any(|q| one_of(rules, &text(&q["rule"]))) {
                wrong.push(format!("no open question of {rules}"));
            }
        }
        for rules in &self.reasons {
            if !list(&verdict["reasons"]).any(|r| one_of(rules, &text(&r["rule"]))) {
                wrong.push(format!("no reason of {rules}"));
            }
        }
        let due = |rule: &str| list(&verdict["due"]).find(|d| d["rule"] == rule).map(|d| text(&d["by"]));
        wrong.extend(self.due.iter().filter(|rule| due(rule).is_none()).map(|rule| format!("nothing due by {rule}")));
        let by = self.due_in.iter().map(|(rule, days)| (rule, today + chrono::Days::new(*days)));
        let by = by.chain(self.due_business_days.iter().map(|(rule, n)| (rule, business_days_after(today, *n))));
        for (rule, day) in by {
            if due(rule) != Some(day.to_string()) {
                wrong.push(format!("{rule} is due by {:?}, not {day}", due(rule)));
            }
        }
        wrong
    }

    /// What of the money posted for the unit so far is not as expected.
    pub fn money(&self, posted: &[Value]) -> Option<String> {
        let all = self.charges.as_ref()?;
        let line = |l: &Value| format!("{} {} {}", text(&l["amount"]), text(&l["party"]), text(&l["rule"]));
        let is = |expected: &String, l: &Value| {
            let (who, rules) = expected.rsplit_once(' ').unwrap_or_default();
            format!("{} {}", text(&l["amount"]), text(&l["party"])) == who && one_of(rules, &text(&l["rule"]))
        };
        let right = all.len() == posted.len() && all.iter().all(|e| posted.iter().any(|l| is(e, l)));
        (!right).then(|| format!("posted {:?}, not {all:?}", posted.iter().map(line).collect::<Vec<_>>()))
    }
}

/// Whether so many are as many as a number or `"1..3"` says.
pub fn counted(expected: &toml::Value, n: usize) -> bool {
    match expected {
        toml::Value::Integer(i) => usize::try_from(*i) == Ok(n),
        toml::Value::String(range) => {
            let (from, to) = range.split_once("..").unwrap();
            (from.parse().unwrap()..=to.parse().unwrap()).contains(&n)
        }
        other => panic!("a count is a number or \"1..3\", not {other}"),
    }
}
