//! A message that is owed, put into words. PURE: facts, a program, a day -> subject and body.
//!
//! Promised, whatever the template says:
//! - the RMA number stands in the subject (D-12), and the ticket, where there is one, in the text (B-04);
//! - nothing out of a field reaches a header or makes a line of its own: control characters and line
//!   breaks of every kind become blanks;
//! - a customer or vendor reads none of our comments;
//! - the program's footer ends everything that a customer or vendor reads (B-30, C-07, D-30).

use super::template::{Field, Line, Piece, Templates, is_internal};
use crate::domain::rma::Rma;
use crate::domain::verdict::{Charge, Party, Reason, Role, Verdict};
use crate::program::Program;
use chrono::NaiveDate;
use serde_json::{Map, Value};

/// Longest value of a field, and longest subject, in characters; what is longer ends in `...`.
const VALUE_MAX: usize = 500;
const SUBJECT_MAX: usize = 180;

/// A message as whoever owes it knows it.
#[derive(Clone, Debug)]
pub struct Owed<'a> {
    pub rma: &'a Rma,
    /// Serial of the unit that it speaks of.
    pub unit: Option<&'a str>,
    pub to: Role,
    /// The template's name.
    pub about: &'a str,
    pub rule: &'a str,
    /// The sentence of the program's row; may be empty.
    pub says: &'a str,
    /// What makes it owed: owed once, it is never owed again.
    pub cause: String,
    pub fields: Fields,
}

/// What a template can speak of beside the RMA and the program. All may be absent.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    pub brand: Option<String>,
    pub model: Option<String>,
    pub reasons: Vec<Reason>,
    pub charges: Vec<Charge>,
    /// The answer to the question `resolution`: what was done, for whoever sent the unit.
    pub resolution: Option<String>,
    /// Where the unit is now.
    pub stage: Option<String>,
    /// What became of each unit that it speaks of.
    pub units: Vec<String>,
    pub tracking: Option<String>,
    pub quote_until: Option<NaiveDate>,
    pub eta: Option<NaiveDate>,
    pub link: Option<String>,
    /// Internal comments, a line each.
    pub details: Vec<String>,
}

impl Fields {
    /// All that is known of a unit and what the program says of it; the internal comments are the full
    /// details.
    pub fn of_unit(facts: &Map<String, Value>, v: &Verdict) -> Fields {
        let text = |key: &str| facts.get(key).and_then(Value::as_str).map(str::to_owned);
        let day = |d: Option<NaiveDate>| d.map_or("unknown".to_owned(), |d| d.to_string());
        let age = v.age_days.map_or("unknown".to_owned(), |days| format!("{days} days"));
        let mut details = vec![format!(
            "Verdict {}; age {age}, band {}, {}, warranty until {}.",
            v.action,
            v.band,
            v.coverage,
            day(v.warranty_until)
        )];
        let known = ["received", "outcome", "channel", "account", "reason", "class", "vendor_rma"];
        details.extend(known.iter().filter_map(|key| Some(format!("{key}: {}", text(key)?))));
        let answers = facts.get("answers").and_then(Value::as_object).into_iter().flatten();
        details.extend(answers.filter_map(|(code, a)| {
            let said = a.get("answer").unwrap_or(a).as_str()?;
            Some(format!("{}: {said}", plain(code)))
        }));
        details.extend(v.reasons.iter().map(|r| format!("{} ({})", r.text, r.rule)));
        details.extend(
            v.holds
                .iter()
                .map(|h| format!("Hold {}: {}; released by {} ({}).", plain(&h.code), h.text, h.released_by, h.rule)),
        );
        details.extend(v.charges.iter().map(|c| format!("Charge to {}: {} ({}).", c.to, amount(c), c.rule)));
        details.extend(
            v.legs.iter().map(|l| format!("Freight {}: paid by {}, {} ({}).", l.leg, l.payer, l.service, l.rule)),
        );
        details.extend(v.due.iter().map(|d| format!("Due: {} by {} ({}).", plain(&d.what), d.by, d.rule)));
        // Who lifted a hold, and with which words, is ours.
        let lifted = facts.get("released").and_then(Value::as_object);
        let ours = |r: &&Reason| {
            lifted.is_some_and(|all| all.keys().any(|code| r.text.starts_with(&format!("{code} released by "))))
        };
        let mut reasons: Vec<Reason> = Vec::new();
        for reason in v.reasons.iter().filter(|r| !ours(r)) {
            if !reasons.iter().any(|said| said.text == reason.text) {
                reasons.push(reason.clone());
            }
        }
        Fields {
            brand: text("brand"),
            model: text("model"),
            reasons,
            charges: v.charges.clone(),
            resolution: facts
                .get("answers")
                .and_then(|a| a.get("resolution"))
                .and_then(|a| a.get("answer").unwrap_or(a).as_str().map(str::to_owned)),
            tracking: text("tracking"),
            quote_until: v.due.iter().find(|d| *d.what == *"quote_expires").map(|d| d.by),
            // The day of arrival, where the program reckons with one (B-11).
            eta: v.due.iter().find(|d| *d.what == *"arrival").map(|d| d.by),
            details,
            ..Fields::default()
        }
    }
}

/// Subject and text, ready for the wire.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rendered {
    pub subject: String,
    pub body: String,
}

/// Where a program's text comes from: its addresses and footer are today's, its terms those of the
/// version that the RMA was issued under.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    pub current: &'a Program,
    pub issued_under: &'a Program,
}

/// The ticket of an RMA.
pub fn ticket(rma: &Rma) -> Option<&str> {
    about(rma, "ticket")
}

/// What an RMA says of itself under `key`.
fn about<'r>(rma: &'r Rma, key: &str) -> Option<&'r str> {
    rma.facts.get("rma")?.get(key)?.as_str().filter(|t| !t.trim().is_empty())
}

/// Puts a message into words.
pub fn render(templates: &Templates, owed: &Owed, terms: Terms, today: NaiveDate) -> Rendered {
    let template = templates.of(&owed.rma.program, owed.about, owed.to);
    let values = |field: Field| values(field, owed, terms, today);
    let number = one_line(&owed.rma.number);
    let mut subject = line(&template.subject, &values, "; ").unwrap_or_default().join(" ");
    if !subject.contains(&number) {
        subject = format!("RMA {number}: {subject}");
    }
    let subject = shortened(subject.trim_end_matches([' ', ':']), SUBJECT_MAX);

    let mut lines: Vec<String> = Vec::new();
    for row in &template.body {
        let said = if row.is_empty() { Some(vec![String::new()]) } else { line(row, &values, "\n") };
        lines.extend(said.into_iter().flatten());
    }
    let said = |lines: &[String], what: &str| lines.iter().any(|l| l.contains(what));
    let ticket = ticket(owed.rma).map(one_line);
    if let Some(ticket) = ticket.filter(|t| !said(&lines, t)) {
        lines.extend([String::new(), format!("RMA {number}, ticket {ticket}")]);
    } else if !said(&lines, &number) {
        lines.extend([String::new(), format!("RMA {number}")]);
    }
    let footed = template.body.iter().flatten().any(|p| *p == Piece::Field(Field::Footer));
    if !is_internal(owed.to) && !footed {
        lines.push(String::new());
        lines.extend(values(Field::Footer));
    }
    // What was left out leaves no holes.
    lines.dedup_by(|a, b| a.is_empty() && b.is_empty());
    let body = lines.join("\n");
    Rendered { subject, body: format!("{}\n", body.trim_matches('\n')) }
}

/// A line of a template with its values: left out where it has fields and none has a value; once for
/// each value where a field has several and `join` is a line break, otherwise joined.
fn line(pieces: &Line, values: &impl Fn(Field) -> Vec<String>, join: &str) -> Option<Vec<String>> {
    let filled: Vec<(Option<&str>, Vec<String>)> = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => (Some(text.as_str()), Vec::new()),
            Piece::Field(field) => (None, values(*field)),
        })
        .collect();
    let fields = filled.iter().filter(|(text, _)| text.is_none());
    if fields.clone().next().is_some() && fields.clone().all(|(_, v)| v.is_empty()) {
        return None;
    }
    let rows = if join == "\n" { fields.map(|(_, v)| v.len()).max().unwrap_or(1).max(1) } else { 1 };
    let row = |n: usize| {
        filled.iter().map(move |(text, values)| match (text, values.as_slice()) {
            (Some(text), _) => (*text).to_owned(),
            (None, [one]) => one.clone(),
            (None, several) if rows == 1 => several.join(join),
            (None, several) => several.get(n).cloned().unwrap_or_default(),
        })
    };
    Some((0..rows).map(|n| row(n).collect::<String>().trim_end().to_owned()).collect())
}

/// The values of a field, each one harmless line; none where nothing is known.
fn values(field: Field, owed: &Owed, terms: Terms, today: NaiveDate) -> Vec<String> {
    let (rma, fields, internal) = (owed.rma, &owed.fields, is_internal(owed.to));
    let one = |text: &str| vec![text.to_owned()];
    let maybe = |text: Option<&str>| text.map(str::to_owned).into_iter().collect::<Vec<_>>();
    let unit = || {
        let parts = [fields.brand.as_deref(), fields.model.as_deref(), owed.unit];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    let found = match field {
        Field::Rma => one(&rma.number),
        // Our own people must see that there is none.
        Field::Ticket => maybe(ticket(rma).or(internal.then_some("none on record"))),
        Field::About => one(&plain(owed.about)),
        Field::Unit => one(&unit()),
        Field::Serial => maybe(owed.unit),
        Field::Brand => maybe(fields.brand.as_deref()),
        Field::Model => maybe(fields.model.as_deref()),
        Field::Customer => maybe(rma.customer.as_deref()),
        Field::Program => one(terms.current.title()),
        Field::Version => one(&rma.program_version),
        Field::Today => one(&today.to_string()),
        Field::Issued => one(&rma.issued.to_string()),
        Field::ValidUntil => maybe(terms.issued_under.valid_until(rma.issued).map(|d| d.to_string()).as_deref()),
        // Unless support said otherwise for this RMA (D-10).
        Field::ReturnAddress => match about(owed.rma, "return_to") {
            Some(other) => vec![other.to_owned()],
            None => terms.current.return_address().to_vec(),
        },
        Field::Footer => footer(terms.current, &rma.number),
        Field::Contact => maybe(contact(terms.current)),
        Field::Text => one(owed.says),
        Field::Reasons => fields
            .reasons
            .iter()
            .map(|r| if internal { format!("{} ({})", r.text, r.rule) } else { r.text.clone() })
            .collect(),
        Field::Charges => fields
            .charges
            .iter()
            // What others pay is not the customer's business.
            .filter(|c| internal || matches!(c.to, Party::Customer | Party::Partner))
            .map(amount)
            .collect(),
        Field::Resolution => maybe(fields.resolution.as_deref()),
        Field::Stage => maybe(fields.stage.as_deref()),
        Field::Units => fields.units.clone(),
        Field::Tracking => maybe(fields.tracking.as_deref()),
        Field::QuoteUntil => maybe(fields.quote_until.map(|d| d.to_string()).as_deref()),
        Field::Eta => maybe(fields.eta.map(|d| d.to_string()).as_deref()),
        Field::Link => maybe(fields.link.as_deref()),
        Field::Details if internal => fields.details.clone(),
        Field::Details => Vec::new(),
    };
    found.iter().map(|text| shortened(&one_line(text), VALUE_MAX)).filter(|text| !text.is_empty()).collect()
}

/// Whom a customer asks: the sales representative, else the team for partners.
fn contact(program: &Program) -> Option<&str> {
    [Role::Sales, Role::PartnerTeam].iter().find_map(|role| program.contacts(*role).first()).map(String::as_str)
}

/// The program's footer; where it has none, at least whom to ask.
fn footer(program: &Program, rma: &str) -> Vec<String> {
    match (program.footer(), contact(program)) {
        ([], Some(contact)) => vec![format!("Questions about RMA {rma}: {contact}")],
        (lines, _) => lines.to_vec(),
    }
}

fn amount(charge: &Charge) -> String {
    format!("{} {} {}", plain(&charge.kind), charge.amount, charge.currency)
}

/// A code as a word for people.
fn plain(code: &str) -> String {
    code.replace('_', " ")
}

/// Every character that ends a line or steers a terminal becomes a blank; blanks are never doubled.
pub fn one_line(text: &str) -> String {
    let breaks = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '\u{2028}' | '\u{2029}');
    text.split(breaks).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(most.saturating_sub(4)).collect();
    kept.push_str(" ...");
    kept
}

#[cfg(test)]
mod tests;
