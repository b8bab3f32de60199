//! The rows of a program file: at its top and in the cells of its matrix the same keys mean the same.

use crate::domain::facts::nearest;
use crate::domain::unit::Step;
use crate::domain::verdict::{Action, AdvanceMode, LegName, Name, Party, Role, Service};
use crate::strict_toml::Table;

use super::clock::DateSource;
use super::parse::{code, moves, span, template};
use super::rows::{
    Band, Case, Cell, Charge, Due, Fee, Hold, Leg, Message, Per, Post, Question, Row, Rows, SendTo, Template, Vendor,
    Who,
};
use super::subject::{self, Fixed, Mask, Number, Range, Subject, Subjects, When};

/// The words a row may use, read before.
pub(super) struct Words<'a> {
    pub subjects: &'a Subjects,
    pub windows: &'a [&'a str],
    pub fees: &'a [Fee],
    pub questions: &'a [Question],
}

/// All rows of one place.
pub(super) fn rows(t: &mut Table<'_>, words: &Words<'_>) -> Rows {
    Rows {
        actions: list(t, "action", words, |t| t.choice("do", Action::ALL).required()),
        advances: list(t, "advance", words, |t| t.choice("mode", AdvanceMode::ALL).required()),
        legs: list(t, "leg", words, |t| Leg {
            leg: t.choice("leg", LegName::ALL).required(),
            payer: who(t, "payer"),
            service: t.choice("service", Service::ALL).required(),
            service_rule: t.string("service_rule").optional().map(Name::from),
        }),
        charges: list(t, "charge", words, |t| Charge {
            kind: code(t, "kind"),
            fee: one_of(t, "fee", words.fees.iter().map(|f| &*f.name)),
            to: who(t, "to"),
            credit: t.bool("credit").or(false),
            post: post(t),
        }),
        holds: list(t, "hold", words, |t| {
            if !t.has("text") {
                t.problem("text", "a hold needs the sentence that stands on its tag");
            }
            Hold {
                code: code(t, "code"),
                released_by: Name::from(t.string("released_by").required()),
                blocks: moves(t, "blocks"),
                by_person: t.bool("by_person").or(false),
            }
        }),
        asks: list(t, "ask", words, |t| one_of(t, "question", words.questions.iter().map(|q| &*q.code))),
        messages: list(t, "message", words, |t| Message {
            to: t.choice("to", Role::ALL).required(),
            about: code(t, "about"),
            says: t.string("says").optional().map(Name::from).unwrap_or_default(),
            on: t.choices("on", Step::ALL).or(Vec::new()),
            listed: t.bool("listed").or(false),
            per: t.choice("per", &[("rma", Per::Rma), ("unit", Per::Unit), ("step", Per::Step)]).or(Per::Rma),
        }),
        notes: list(t, "note", words, |t| {
            if !t.has("text") {
                t.problem("text", "a note without its sentence says nothing");
            }
        }),
        dues: list(t, "due", words, |t| Due {
            what: code(t, "what"),
            from: t.choices("from", DateSource::ALL).required(),
            span: span(t),
            remind: t.choice("remind", Role::ALL).optional(),
        }),
        routes: list(t, "route", words, |t| code(t, "team")),
        vendors: list(t, "vendor", words, |t| Vendor {
            send_to: send_to(t),
            rma_number_required: t.bool("rma_number_required").required(),
        }),
    }
}

/// The step that posts a charge: `ready` where the row does not say.
fn post(t: &mut Table<'_>) -> Post {
    let steps = Step::ALL.iter().map(|(word, step)| (*word, Post::With(*step)));
    let choices: Vec<(&str, Post)> = steps.chain([("due", Post::Due)]).collect();
    t.choice("post", &choices).or(Post::With(Step::Ready))
}

fn list<E>(t: &mut Table<'_>, key: &str, words: &Words<'_>, effect: impl Fn(&mut Table<'_>) -> E) -> Vec<Row<E>> {
    t.tables(key, |t| Row {
        when: subject::when(t, words.subjects),
        rule: Name::from(t.string("rule").required()),
        effect: effect(t),
        text: text(t, words),
        line: t.line(),
    })
}

fn text(t: &mut Table<'_>, words: &Words<'_>) -> Option<Template> {
    template(t, "text", words.windows)
}

fn who(t: &mut Table<'_>, key: &str) -> Who {
    let choices: Vec<(&str, Who)> =
        Party::ALL.iter().map(|(name, party)| (*name, Who::Party(*party))).chain([("side", Who::Side)]).collect();
    t.choice(key, &choices).required()
}

/// The position of the word under `key` among `known`.
fn one_of<'w>(t: &mut Table<'_>, key: &str, known: impl Iterator<Item = &'w str> + Clone) -> usize {
    let word = t.string(key).required();
    known.clone().position(|k| k == word).unwrap_or_else(|| {
        let hint = nearest(&word, known).map(|n| format!("; did you mean {n:?}?")).unwrap_or_default();
        if !word.is_empty() {
            t.problem(key, format!("no [{key}.{word}] stands in this file{hint}"));
        }
        0
    })
}

fn send_to(t: &mut Table<'_>) -> SendTo {
    match t.string("send_to").required().as_str() {
        "distributor" => SendTo::Distributor,
        "brand" => SendTo::Brand,
        name => SendTo::Name(name.into()),
    }
}

/// A band: ages in `days`, and what else must hold.
pub(super) fn band(t: &mut Table<'_>, words: &Words<'_>) -> Band {
    let mut when = subject::when(t, words.subjects);
    let days = t.string("days").required();
    match subject::range(&days) {
        Some((from, to)) => when.ranges.push(Range { number: Number::AgeDays, from, to }),
        None => t.problem("days", "must be a range such as \"0..30\" or \"31..\""),
    }
    let name = code(t, "name");
    Band { name, when, rule: Name::from(t.string("rule").required()), text: text(t, words), line: t.line() }
}

pub(super) fn case(t: &mut Table<'_>, words: &Words<'_>) -> Case {
    let when = subject::when(t, words.subjects);
    if when.bits(Fixed::Case.into()) != u128::MAX {
        t.problem("when", "a case cannot depend on the case");
    }
    let name = code(t, "name");
    let value = words.subjects.listed_at(Fixed::Case.into(), &name);
    Case { name, value, when, rule: Name::from(t.string("rule").required()), text: text(t, words), line: t.line() }
}

/// A cell: one value (or several) per axis, and its rows.
pub(super) fn cell(t: &mut Table<'_>, axes: &[Subject], words: &Words<'_>) -> Cell {
    let mut when = When::default();
    for axis in axes {
        let name = words.subjects.name(*axis).to_owned();
        let values = t.strings(&name).required();
        match subject::bits(&values, *axis, words.subjects) {
            Ok(bits) => when.masks.push(Mask { subject: *axis, bits }),
            Err(message) if !values.is_empty() => t.problem(&name, message),
            Err(_) => {}
        }
    }
    Cell { when, rows: rows(t, words), line: t.line() }
}
