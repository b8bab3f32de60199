//! Call tags and return labels: what an order must hold, and which step may follow which. PURE.
//!
//! The limits are those of the carriers' return services: a description of 35 characters at most, names and
//! streets of 35 (30 are printed), a city of 30 (15 are printed), a reference that becomes a barcode only up to
//! 14 letters and digits. What would be refused is refused here, by name; what would be cut is told.

use super::invoice::tracking_key;
use super::life::Refused;
use super::papers::in_the_way;
use crate::domain::rma::{Rma, RmaState};
use crate::domain::tag::{Tag, TagId, TagKind, TagMoved, TagNow, TagState, TagStep};
use crate::domain::verdict::{LegName, Move, Name, Verdict};
use crate::program::Program;
use chrono::{NaiveDate, NaiveTime};
use serde_json::{Map, Value, json};

/// Days without news after which a tag is stale: what the carriers' own return programs wait.
pub const STALE_DAYS: i64 = 15;
/// Packages of one order at most.
pub const PACKAGES_MAX: u32 = 50;
/// Printed of a name or street, and of a city, where more is taken.
const NAME_PRINTED: usize = 30;
const CITY_PRINTED: usize = 15;
/// Longest reference that becomes a barcode: letters and digits.
const REFERENCE_BARCODE: usize = 14;

#[derive(Clone, Copy, PartialEq)]
enum Holds {
    Text(usize),
    Date,
    Time,
    YesNo,
    /// `12.5`, above zero.
    Number,
    Words(&'static [&'static str]),
    Email,
}

/// One field of an order or of a reply.
struct Field {
    name: &'static str,
    holds: Holds,
    /// No carrier takes an order without it.
    needed: bool,
    /// What it is, for help.
    what: &'static str,
}

const fn needed(name: &'static str, holds: Holds, what: &'static str) -> Field {
    Field { name, holds, needed: true, what }
}

const fn field(name: &'static str, holds: Holds, what: &'static str) -> Field {
    Field { name, holds, needed: false, what }
}

const FIELDS: &[Field] = &[
    needed("company", Holds::Text(35), "whom the driver asks for: company or name"),
    field("contact", Holds::Text(35), "person at the pickup"),
    field("phone", Holds::Text(20), "for the driver"),
    field("email", Holds::Email, "where a label by e-mail goes"),
    needed("street", Holds::Text(35), "pickup street"),
    field("street2", Holds::Text(35), "second line"),
    needed("city", Holds::Text(30), "pickup city"),
    field("state", Holds::Text(5), "state or province"),
    needed("zip", Holds::Text(10), "ZIP or postal code"),
    field("country", Holds::Text(2), "two letters, default US"),
    field("residential", Holds::YesNo, "a home"),
    field("location", Holds::Text(35), "where it stands, e.g. front desk"),
    field("instructions", Holds::Text(100), "for the driver"),
    field("ready", Holds::Date, "first day of pickup"),
    field("earliest", Holds::Time, "HH:MM"),
    field("latest", Holds::Time, "HH:MM"),
    field("return_to", Holds::Text(200), "our dock, lines divided by |; default the program's return address"),
    field("dock_closes", Holds::Time, "HH:MM"),
    needed("description", Holds::Text(35), "of the goods"),
    field("weight", Holds::Number, "of the package"),
    field("weight_unit", Holds::Words(&["lb", "kg"]), "lb or kg"),
    field("length", Holds::Number, "outside"),
    field("width", Holds::Number, "outside"),
    field("height", Holds::Number, "outside"),
    field("size_unit", Holds::Words(&["in", "cm"]), "in or cm"),
    field("declared", Holds::Number, "value"),
    field("outbound", Holds::Text(40), "tracking number of the way to the customer"),
    field("shipped", Holds::Date, "its ship date"),
    field("reason_code", Holds::Text(60), "why it comes back"),
    field("fault_party", Holds::Words(&["us", "customer", "carrier", "vendor"]), "whose fault it is"),
    field("account", Holds::Text(20), "that is billed"),
    field("cost_centre", Holds::Text(20), "that bears it"),
    field("cost_expected", Holds::Number, "in the program's currency"),
    field("carrier", Holds::Text(20), "ups, fedex, usps, dhl or another"),
    field("service", Holds::Text(20), "the carrier's service; ground unless said"),
];

/// What is said with a step; the carrier's reply.
const REPLY: &[Field] = &[
    field("tracking", Holds::Text(60), "the carrier's numbers, divided by blanks"),
    field("confirmation", Holds::Text(40), "needed to cancel a FedEx tag"),
    field("location", Holds::Text(20), "FedEx Express: needed to cancel"),
    field("dispatch_date", Holds::Date, "FedEx: needed to cancel"),
    field("cost", Holds::Number, "as invoiced"),
    field("why", Holds::Text(200), "a reason"),
    field("on", Holds::Date, "the day; default today"),
];

/// The fields of an order and what they are, for help.
pub fn fields() -> impl Iterator<Item = (&'static str, &'static str)> {
    FIELDS.iter().map(|f| (f.name, f.what))
}

/// What can be said with a step and what it is, for help.
pub fn reply_fields() -> impl Iterator<Item = (&'static str, &'static str)> {
    REPLY.iter().map(|f| (f.name, f.what))
}

/// What somebody wants.
pub struct Wish<'a> {
    pub rma: &'a Rma,
    pub program: &'a Program,
    pub unit: Option<&'a str>,
    /// What the program says of the unit, or of the RMA's goods before they came.
    pub verdict: &'a Verdict,
    pub kind: TagKind,
    pub packages: u32,
    pub said: &'a Map<String, Value>,
    pub today: NaiveDate,
    pub by: &'a str,
}

/// Orders, one for each package, without their numbers; and what the carrier will cut.
pub fn request(wish: &Wish) -> Result<(Vec<Tag>, Vec<String>), Refused> {
    let Wish { rma, program, verdict, kind, packages, .. } = *wish;
    if rma.state != RmaState::Open {
        return Err(Refused(format!("RMA {} is {}: no package is called for", rma.number, rma.state.word())));
    }
    if !(1..=PACKAGES_MAX).contains(&packages) {
        return Err(Refused(format!("{packages} packages; one order has 1 to {PACKAGES_MAX}")));
    }
    // Who pays for it must be known before (B-35); where no carrier is asked, the customer does.
    let open = in_the_way(verdict, Move::Inbound);
    if !open.is_empty() && kind != TagKind::AddressOnly {
        return Err(Refused(format!("nothing is called for yet: {open}")));
    }
    let mut wrong = Vec::new();
    let mut order = read(FIELDS, wish.said, &mut wrong);
    let has = |order: &Map<String, Value>, key: &str| order.contains_key(key);
    if !has(&order, "carrier") {
        let usual = match kind {
            TagKind::CallTag1 | TagKind::CallTag3 => Some("ups"),
            TagKind::FedexTag => Some("fedex"),
            TagKind::AddressOnly => Some(""),
            _ => None,
        };
        match usual {
            Some(carrier) => drop(order.insert("carrier".to_owned(), json!(carrier))),
            None => wrong.push("carrier is missing (ups, fedex, usps, dhl or another)".to_owned()),
        }
    }
    if kind != TagKind::AddressOnly {
        // What was said and is wrong has been told.
        let said = |f: &Field| wish.said.get(f.name).and_then(Value::as_str).is_some_and(|t| !t.trim().is_empty());
        let missing = FIELDS.iter().filter(|f| f.needed && !has(&order, f.name) && !said(f));
        wrong.extend(missing.map(|f| format!("{} is missing ({})", f.name, f.what)));
    }
    if kind == TagKind::Email && !has(&order, "email") {
        wrong.push("email is missing: where the label goes".to_owned());
    }
    let time =
        |key: &str| order.get(key).and_then(Value::as_str).and_then(|t| NaiveTime::parse_from_str(t, "%H:%M").ok());
    if let (Some(earliest), Some(latest)) = (time("earliest"), time("latest"))
        && earliest >= latest
    {
        wrong.push(format!("latest {latest} is not after earliest {earliest}"));
    }
    if let Some(ready) = order.get("ready").and_then(Value::as_str).and_then(|d| d.parse::<NaiveDate>().ok())
        && ready < wish.today
    {
        wrong.push(format!("ready {ready} is in the past"));
    }
    if !has(&order, "return_to") {
        let lines = program.return_address();
        if lines.is_empty() {
            wrong.push("return_to is missing: the program has no return address".to_owned());
        } else {
            order.insert("return_to".to_owned(), json!(lines.join("|")));
        }
    }
    if !wrong.is_empty() {
        return Err(Refused(wrong.join("; ")));
    }
    order.entry("country").or_insert(json!("US"));
    order.entry("service").or_insert(json!("ground"));
    let leg = verdict.legs.iter().find(|l| l.leg == LegName::Inbound);
    let asked = verdict.messages.iter().find(|m| m.about == "call_tag");
    let rule = leg.map(|l| &l.rule).or(asked.map(|m| &m.rule)).cloned().unwrap_or_else(|| Name::from(""));
    let tag = |package| Tag {
        id: 0,
        rma: rma.number.clone(),
        unit: wish.unit.map(str::to_owned),
        kind,
        carrier: order.get("carrier").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase(),
        package,
        packages,
        payer: leg.map(|l| l.payer),
        rule: rule.clone(),
        requested: wish.today,
        valid_until: program.valid_until(rma.issued),
        order: order.clone(),
        by: wish.by.to_owned(),
    };
    Ok(((1..=packages).map(tag).collect(), cut(&order, &rma.number)))
}

/// What a carrier takes and does not print.
fn cut(order: &Map<String, Value>, rma: &str) -> Vec<String> {
    let length = |key: &str| order.get(key).and_then(Value::as_str).map_or(0, |t| t.chars().count());
    let mut told: Vec<String> = ["company", "contact", "street", "street2"]
        .iter()
        .map(|key| (*key, NAME_PRINTED))
        .chain([("city", CITY_PRINTED)])
        .filter(|(key, most)| length(key) > *most)
        .map(|(key, most)| format!("{key} has {} characters; a label prints {most}", length(key)))
        .collect();
    if rma.len() > REFERENCE_BARCODE || !rma.bytes().all(|b| b.is_ascii_alphanumeric()) {
        told.push(format!(
            "{rma} cannot be a barcode on a carrier's label: that takes up to {REFERENCE_BARCODE} letters and digits"
        ));
    }
    told
}

/// The fields that are said, each as it must be; what is wrong with them is added to `wrong`.
fn read(known: &[Field], said: &Map<String, Value>, wrong: &mut Vec<String>) -> Map<String, Value> {
    let mut taken = Map::new();
    for (name, value) in said {
        let Some(Field { holds, .. }) = known.iter().find(|f| f.name == name) else {
            let near = crate::domain::facts::nearest(name, known.iter().map(|f| f.name));
            let near = near.map(|n| format!("; did you mean {n:?}?")).unwrap_or_default();
            wrong.push(format!("there is no field {name:?}{near}"));
            continue;
        };
        let text = match value {
            Value::String(text) => text.trim().to_owned(),
            Value::Null => continue,
            other => other.to_string(),
        };
        if text.is_empty() {
            continue;
        }
        if text.chars().any(char::is_control) {
            wrong.push(format!("{name} has a control character"));
            continue;
        }
        match holds.take(&text) {
            Ok(value) => drop(taken.insert(name.clone(), value)),
            Err(why) => wrong.push(format!("{name}: {text:?} {why}")),
        }
    }
    taken
}

impl Holds {
    fn take(self, text: &str) -> Result<Value, String> {
        match self {
            Holds::Text(most) if text.chars().count() > most => {
                Err(format!("has {} characters; at most {most} are taken", text.chars().count()))
            }
            Holds::Text(_) => Ok(json!(text)),
            Holds::Date => text
                .parse::<NaiveDate>()
                .map(|d| json!(d))
                .map_err(|_| "is no date; write it like 2026-03-31".to_owned()),
            Holds::Time => NaiveTime::parse_from_str(text, "%H:%M")
                .map(|t| json!(t.format("%H:%M").to_string()))
                .map_err(|_| "is no time; write it like 16:30".to_owned()),
            Holds::YesNo => match text.to_ascii_lowercase().as_str() {
                "yes" | "true" => Ok(json!(true)),
                "no" | "false" => Ok(json!(false)),
                _ => Err("must be yes or no".to_owned()),
            },
            Holds::Number => {
                let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
                let digits = |t: &str| (1..=8).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit());
                let good = digits(whole) && digits(part) && text.bytes().any(|b| matches!(b, b'1'..=b'9'));
                if good { Ok(json!(text)) } else { Err("is no number above zero; write it like 12.5".to_owned()) }
            }
            Holds::Words(words) => words
                .iter()
                .find(|w| w.eq_ignore_ascii_case(text))
                .map(|w| json!(w))
                .ok_or_else(|| format!("must be {}", words.join(" or "))),
            Holds::Email => crate::domain::message::email(text).map(|e| json!(e)).map_err(|e| format!("is {e}")),
        }
    }
}

/// Where a step leads, from where.
fn leads(step: TagStep, from: TagState) -> Option<TagState> {
    use TagState::*;
    let open = !from.is_final();
    match step {
        TagStep::Dispatch => (from == Requested).then_some(Dispatched),
        TagStep::Attempt => matches!(from, Requested | Dispatched | Attempted).then_some(Attempted),
        TagStep::PickUp => matches!(from, Requested | Dispatched | Attempted).then_some(PickedUp),
        TagStep::Travel => open.then_some(InTransit),
        // A tag that was given up may still bring the box.
        TagStep::Receive => (from != Received).then_some(Received),
        TagStep::Fail => (open && !matches!(from, InTransit)).then_some(Failed),
        TagStep::Cancel => matches!(from, Requested | Dispatched | Attempted).then_some(Cancelled),
        TagStep::Note => Some(from),
    }
}

/// Makes a step with a tag.
pub fn act(
    now: &TagNow,
    step: TagStep,
    said: &Map<String, Value>,
    today: NaiveDate,
    by: &str,
) -> Result<TagMoved, Refused> {
    let id = now.tag.id;
    let mut wrong = Vec::new();
    let mut said = read(REPLY, said, &mut wrong);
    let on = said.remove("on").and_then(|d| d.as_str().and_then(|d| d.parse().ok())).unwrap_or(today);
    if on > today || on < now.tag.requested {
        wrong.push(format!("on {on} is not between the order ({}) and today", now.tag.requested));
    }
    let numbers: Vec<String> = match said.get("tracking").and_then(Value::as_str) {
        None => Vec::new(),
        Some(text) => {
            let keys: Vec<_> = text.split_whitespace().map(|n| tracking_key(n).ok_or(n)).collect();
            let (good, bad): (Vec<_>, Vec<_>) = keys.into_iter().partition(Result::is_ok);
            wrong.extend(bad.into_iter().filter_map(Result::err).map(|n| format!("{n:?} is no tracking number")));
            good.into_iter().flatten().collect()
        }
    };
    if matches!(step, TagStep::Fail | TagStep::Cancel) && !said.contains_key("why") {
        wrong.push("say why with --say why=...".to_owned());
    }
    let Some(mut to) = leads(step, now.state) else {
        return Err(Refused(format!("tag {id} is {}; no {step} can follow", now.state)));
    };
    if !wrong.is_empty() {
        return Err(Refused(wrong.join("; ")));
    }
    // The third vain attempt ends a three-attempt tag: the label goes back, a new one must be ordered. After
    // the only one of a one-attempt tag the label stays with the customer, who may still bring the box.
    if step == TagStep::Attempt {
        let most = now.tag.kind.attempts();
        if most.is_some_and(|most| now.attempts >= most) {
            return Err(Refused(format!("tag {id}: {} attempts were made; there are no more", now.attempts)));
        }
        if most.is_some_and(|most| most > 1 && now.attempts + 1 == most) {
            to = TagState::Failed;
        }
    }
    Ok(TagMoved { id, step, from: now.state, to, on, by: by.to_owned(), said, numbers })
}

/// A tag that the dock has seen.
pub fn received(id: TagId, from: TagState, number: Option<&str>, today: NaiveDate, by: &str) -> TagMoved {
    let mut said = Map::new();
    let evidence = number.map_or("the box of its RMA was opened".to_owned(), |n| format!("{n} was scanned"));
    said.insert("why".to_owned(), json!(evidence));
    TagMoved {
        id,
        step: TagStep::Receive,
        from,
        to: TagState::Received,
        on: today,
        by: by.to_owned(),
        said,
        numbers: Vec::new(),
    }
}

/// Whether somebody has to do something about a tag, and what.
pub fn overdue(now: &TagNow, today: NaiveDate) -> Option<(String, String)> {
    let (tag, days) = (&now.tag, (today - now.since).num_days());
    let again = format!("backdock tag request {} --kind {} ...", tag.rma, tag.kind);
    let what = format!("{} {} of {}", tag.kind, tag.id, tag.requested);
    match now.state {
        TagState::Failed => {
            Some((format!("{what}: failed after {} attempts", now.attempts), format!("order it again: {again}")))
        }
        state if !state.is_final() && days >= STALE_DAYS => {
            let next = format!(
                "ask the carrier and the customer, then: backdock tag act {} cancel --say why=... ; {again}",
                tag.id
            );
            Some((format!("{what}: {state}, no news for {days} days"), next))
        }
        _ => None,
    }
}

/// The fields of the two papers, from an order: the sheet for whoever orders it, and the customer's notice.
pub fn paper(label: &str, tag: &Tag) -> Map<String, Value> {
    let text = |key: &str| tag.order.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut fields = Map::new();
    let mut put = |key: &str, value: Value| {
        let empty = value.as_str().is_some_and(str::is_empty) || value.as_array().is_some_and(Vec::is_empty);
        if !empty && !value.is_null() {
            fields.insert(key.to_owned(), value);
        }
    };
    let hours = match (text("earliest"), text("latest")) {
        (from, to) if from.is_empty() && to.is_empty() => String::new(),
        (from, to) if to.is_empty() => format!("from {from}"),
        (from, to) if from.is_empty() => format!("until {to}"),
        (from, to) => format!("{from} to {to}"),
    };
    let ready = [text("ready"), hours].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join("  ");
    if label == "calltag-notice" {
        let first = if ready.is_empty() { "the carrier's next days".to_owned() } else { ready };
        let last = tag.valid_until.map(|d| format!(", and it must arrive by {d}")).unwrap_or_default();
        put("window", json!(format!("{first}{last}")));
        put("carrier", json!(tag.carrier.to_uppercase()));
        return fields;
    }
    let size = ["length", "width", "height"].map(text).into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>();
    let size = if size.is_empty() { String::new() } else { format!("{} {}", size.join(" x "), text("size_unit")) };
    let weight =
        if text("weight").is_empty() { String::new() } else { format!("{} {}", text("weight"), text("weight_unit")) };
    let count = format!("{} of {}", tag.package, tag.packages);
    let package =
        [count, weight, size].iter().map(|t| t.trim()).filter(|t| !t.is_empty()).collect::<Vec<_>>().join(", ");
    let town = [text("city"), text("state"), text("zip"), text("country")].join(" ");
    let pickup = [text("company"), text("contact"), text("street"), text("street2"), town, text("location")];
    let pickup: Vec<String> = pickup.into_iter().filter(|t| !t.trim().is_empty()).collect();
    put("kind", json!(format!("{} {} ({})", tag.carrier.to_uppercase(), tag.kind, tag.kind.title()).trim_start()));
    put("package", json!(package));
    put("description", json!(text("description")));
    put("pickup", json!(pickup));
    put("return_to", json!(text("return_to").split('|').map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>()));
    put("phone", json!(text("phone")));
    put("ready", json!(ready));
    put("reason", json!(text("reason_code")));
    put("outbound", json!([text("outbound"), text("shipped")].join(" ").trim()));
    let billed = [tag.payer.map(|p| p.as_str().to_owned()).unwrap_or_default(), text("account")];
    put("payer", json!(billed.join(" ").trim()));
    put("rule", json!(tag.rule));
    put("instructions", json!(text("instructions")));
    fields
}

#[cfg(test)]
mod tests;
