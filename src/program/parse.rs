//! From the text of a program file to a [`Program`]. Tables that define words (brands, bands, windows,
//! questions ...) are read first, because conditions are checked against them; then the rows
//! ([`super::parse_rows`]); then [`super::check`] looks at the whole.

use crate::domain::facts::{Channel, nearest};
use crate::domain::job::{CARRIER, PAPERS};
use crate::domain::unit::Step;
use crate::domain::verdict::{Action, Move, Name, Role};
use crate::strict_toml::{Problem, Read, Table, read};

use super::clock::{Brand, Calendar, Contradiction, DateSource, Lineage, Quote, Span, Validity, Warranty, Window};
use super::parse_rows::{self, Words};
use super::pattern::Pattern;
use super::rows::{Fee, List, Question, Template};
use super::subject::{Own, SUBJECTS_MAX, Side, Subject, Subjects, VALUES_MAX};
use super::{CompleteWhen, Decision, IntakeRow, Papers, Program, Situation, check};

/// Longest id and code, in characters.
const CODE_MAX: usize = 48;
/// Longest span of days (ten years) and months (fifty years).
const DAYS_MAX: i64 = 3_660;
const MONTHS_MAX: i64 = 600;

pub(super) fn program(file: &str, text: &str) -> Result<Read<Program>, Vec<Problem>> {
    read(file, text, |root| {
        let program = whole(root);
        check::whole(root, &program);
        program
    })
}

fn whole(root: &mut Table<'_>) -> Program {
    let id = code(root, "id");
    let version = Name::from(root.string("version").required());
    let title = Name::from(root.string("title").required());
    let currency = Name::from(root.parsed("currency", String::new(), three_letters).required());
    let complete_when = root.table("unit", |t| t.choice("complete_when", CompleteWhen::ALL).required());
    let (number_patterns, validity, complete_rule, reasons) = root.table("rma", |t| {
        let patterns = t.strings("number_patterns").required();
        let patterns = patterns
            .iter()
            .filter_map(|p| Pattern::parse(p).map_err(|e| t.problem("number_patterns", format!("{p:?}: {e}"))).ok());
        let patterns = patterns.collect();
        let validity = t.integer("validity_days", 1..=DAYS_MAX).optional().map(|n| Validity { days: n as u32 });
        (patterns, validity, t.string("complete_rule").optional().map(Name::from), names(t, "reasons"))
    });
    let channels = root.table("channels", channels);
    let brands = root.tables("brand", brand);
    let settings = settings(root);
    let own = Own {
        bands: &names_of(root, "band"),
        cases: &names_of(root, "case"),
        brands: &brands.iter().map(|b| b.name.clone()).collect::<Vec<_>>(),
        reasons: &reasons,
        channels,
    };
    for (key, words) in [("band", own.bands), ("case", own.cases), ("brand", own.brands), ("rma.reasons", own.reasons)]
    {
        if words.len() + 2 > VALUES_MAX {
            root.problem(key, format!("has {} entries; at most {}", words.len(), VALUES_MAX - 2));
        }
    }
    let mut subjects = Subjects::new(own);
    for (name, value) in &settings {
        add(root, &mut subjects, format!("setting.{name}"), &[value]);
    }
    let windows = windows(root, &mut subjects);
    let lists = lists(root, &mut subjects);
    let questions = questions(root, &mut subjects);
    let fees = fees(root);
    let window_names: Vec<&str> = windows.iter().map(|w| &*w.name).collect();
    let (age_from, age_at, age_rule, age_text, holidays) = root.table("clock", |t| {
        let from = t.choices("from", DateSource::ALL).or(Vec::new());
        let at = t.choices("at", DateSource::ALL).required();
        let rule = t.string("rule").or(String::new());
        (from, at, Name::from(rule), template(t, "text", &window_names), t.dates("holidays").or(Vec::new()))
    });
    let (warranty, void_list) = root.table("warranty", |t| {
        let void = t.string("void_list").optional();
        let at = void.as_ref().and_then(|name| lists.iter().position(|l| *name == *l.name));
        if void.is_some() && at.is_none() {
            t.problem("void_list", "names no [list.NAME] of this file");
        }
        let warranty = Warranty {
            from: t.choices("from", DateSource::ALL).required(),
            unit_terms_first: t.bool("unit_terms_first").required(),
            plan: t.bool("plan").or(false),
            months: t.integer("months", 0..=MONTHS_MAX).optional().map(|n| n as u32),
            brands,
            rule: Name::from(t.string("rule").required()),
            text: template(t, "text", &window_names),
        };
        (warranty, at)
    });
    let lineage = root.table("lineage", |t| Lineage {
        doa_days: t.integer("doa_days", 0..=DAYS_MAX).optional().map(|n| n as u32),
        max_replacements: t.integer("max_replacements", 0..=100).optional().map(|n| n as u32),
    });
    let quote = root.optional_table("quote", |t| Quote {
        span: Span::Days(t.integer("valid_days", 0..=DAYS_MAX).required() as u32),
        both: t.choice("release", &[("any", false), ("both", true)]).required(),
    });
    let contradiction = root.table("contradictions", |t| Contradiction {
        rule: Name::from(t.string("rule").required()),
        released_by: Name::from(t.string("released_by").required()),
        blocks: moves(t, "blocks"),
    });
    let intake = root.table("intake", |t| Situation::ALL.iter().map(|(name, _)| t.table(name, intake_row)).collect());
    let next = root.table("next", |t| {
        let text = |(name, action): &(&str, Action)| t.string(name).optional().map(|text| (*action, Name::from(text)));
        Action::ALL.iter().filter_map(text).collect()
    });
    let contacts = root.table("contacts", contacts);
    let papers = root.table("papers", papers);

    let words = Words { subjects: &subjects, windows: &window_names, fees: &fees, questions: &questions };
    let bands = root.tables("band", |t| parse_rows::band(t, &words));
    let cases = root.tables("case", |t| parse_rows::case(t, &words));
    let general = parse_rows::rows(root, &words);
    let axes: Vec<Subject> = root
        .optional_table("matrix", |t| {
            let axes = t.strings("axes").required();
            axes.iter()
                .filter_map(|name| {
                    subjects.find(name).or_else(|| {
                        t.problem("axes", format!("{name:?} is nothing a matrix can be laid out by"));
                        None
                    })
                })
                .collect()
        })
        .unwrap_or_default();
    let cells = root.tables("cell", |t| parse_rows::cell(t, &axes, &words));
    drop(window_names);
    Program {
        id,
        version,
        title,
        currency,
        complete_when,
        number_patterns,
        validity,
        complete_rule,
        intake,
        next,
        contacts,
        papers,
        calendar: Calendar {
            age_from,
            age_at,
            age_rule,
            age_text,
            warranty,
            lineage,
            windows,
            quote,
            holidays,
            contradiction,
        },
        subjects,
        bands,
        cases,
        general,
        cells,
        axes,
        fees,
        lists,
        questions,
        void_list,
    }
}

/// A word used as id or code: lower-case letters, digits, `-` and `_`.
pub(super) fn code(t: &mut Table<'_>, key: &str) -> Name {
    Name::from(t.parsed(key, String::new(), word).required())
}

fn word(text: &str) -> Result<String, String> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    if text.len() <= CODE_MAX && text.bytes().all(plain) {
        Ok(text.to_owned())
    } else {
        Err(format!("use up to {CODE_MAX} lower-case letters, digits, - and _"))
    }
}

fn three_letters(text: &str) -> Result<String, &'static str> {
    let ok = text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase());
    ok.then(|| text.to_owned()).ok_or("a currency is three capitals such as USD")
}

/// A sentence with figures.
pub(super) fn template(t: &mut Table<'_>, key: &str, windows: &[&str]) -> Option<Template> {
    let text = t.string(key).optional()?;
    Template::parse(&text, windows).map_err(|e| t.problem(key, e)).ok()
}

/// A list of moves; the single word `all` stands for every one.
pub(super) fn moves(t: &mut Table<'_>, key: &str) -> Vec<Move> {
    let words = t.strings(key).required();
    if words == ["all"] {
        return Move::ALL.iter().map(|(_, m)| *m).filter(|m| *m != Move::Issue).collect();
    }
    let known = || Move::ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let found = words.iter().filter_map(|word| {
        Move::find(word).or_else(|| {
            t.problem(key, format!("{word:?} is not one of all, {}", known()));
            None
        })
    });
    found.collect()
}

/// A list of words of the file's own, without repeats; absent: empty.
fn names(t: &mut Table<'_>, key: &str) -> Vec<Name> {
    let words = t.strings(key).or(Vec::new());
    for (at, word) in words.iter().enumerate() {
        if words[..at].contains(word) {
            t.problem(key, format!("{word:?} is listed twice"));
        }
    }
    words.into_iter().map(Name::from).collect()
}

/// The `name`s of a list of tables that is read in full later, each once.
fn names_of(root: &Table<'_>, key: &str) -> Vec<Name> {
    let mut unique: Vec<Name> = Vec::new();
    for name in root.peek_each(key, "name") {
        if !unique.iter().any(|n| *n == *name) {
            unique.push(name.into());
        }
    }
    unique
}

fn add(t: &Table<'_>, subjects: &mut Subjects, name: String, values: &[&str]) -> Subject {
    if values.len() > VALUES_MAX {
        t.problem("", format!("{name} has {} values; at most {VALUES_MAX}", values.len()));
    }
    subjects.add(name, values).unwrap_or_else(|| {
        t.problem(
            "",
            format!(
                "the file names too many windows, lists, questions and settings; at most {} together",
                SUBJECTS_MAX
            ),
        );
        Subject(0)
    })
}

fn channels(t: &mut Table<'_>) -> Vec<(Channel, Side)> {
    let customer = t.choices("customer", Channel::ALL).or(Vec::new());
    let partner = t.choices("partner", Channel::ALL).or(Vec::new());
    for channel in &customer {
        if partner.contains(channel) {
            t.problem("partner", format!("{channel} stands on both sides"));
        }
    }
    if customer.is_empty() && partner.is_empty() {
        t.problem("", "no channel is named: nobody could return anything");
    }
    let side = |side: Side| move |channel: Channel| (channel, side);
    customer.into_iter().map(side(Side::Customer)).chain(partner.into_iter().map(side(Side::Partner))).collect()
}

fn brand(t: &mut Table<'_>) -> Brand {
    let models = t.optional_table("models", |m| {
        m.keys()
            .into_iter()
            .map(|name| {
                let months = m.integer(&name, 0..=MONTHS_MAX).required();
                (name, months as u32)
            })
            .collect()
    });
    Brand {
        name: Name::from(t.string("name").required()),
        months: t.integer("months", 0..=MONTHS_MAX).optional().map(|n| n as u32),
        models: models.unwrap_or_default(),
        rule: t.string("rule").optional().map(Name::from),
        max_replacements: t.integer("max_replacements", 0..=100).optional().map(|n| n as u32),
    }
}

fn settings(root: &mut Table<'_>) -> Vec<(String, String)> {
    root.named_tables("setting", |name, t| {
        let (value, choices) = (t.string("value").required(), t.strings("one_of").required());
        if !choices.is_empty() && !choices.contains(&value) {
            t.problem("value", format!("{value:?} is not one of {}", choices.join(", ")));
        }
        (name.to_owned(), value)
    })
}

/// `days`, `business_days` or `months`, exactly one of them.
pub(super) fn span(t: &mut Table<'_>) -> Span {
    let days = t.integer("days", 0..=DAYS_MAX).optional().map(|n| Span::Days(n as u32));
    let business = t.integer("business_days", 0..=DAYS_MAX).optional().map(|n| Span::BusinessDays(n as u32));
    let months = t.integer("months", 0..=MONTHS_MAX).optional().map(|n| Span::Months(n as u32));
    let given: Vec<Span> = [days, business, months].into_iter().flatten().collect();
    if given.len() != 1 {
        t.problem("", "needs exactly one of days, business_days, months");
    }
    given.first().copied().unwrap_or(Span::Days(0))
}

fn windows(root: &mut Table<'_>, subjects: &mut Subjects) -> Vec<Window> {
    root.named_tables("window", |name, t| Window {
        name: name.into(),
        subject: add(t, subjects, format!("window.{name}"), &["unknown", "inside", "over"]),
        from: t.choices("from", DateSource::ALL).required(),
        to: t.choices("to", DateSource::ALL).required(),
        span: span(t),
    })
}

fn lists(root: &mut Table<'_>, subjects: &mut Subjects) -> Vec<List> {
    root.named_tables("list", |name, t| {
        let (present, missing) = (names(t, "present"), names(t, "missing"));
        if present.is_empty() && missing.is_empty() {
            t.warning("", "this list is empty: nothing that is seen or missed will count");
        }
        List {
            name: name.into(),
            subject: add(t, subjects, format!("list.{name}"), &["clear", "hit"]),
            present,
            missing,
        }
    })
}

fn questions(root: &mut Table<'_>, subjects: &mut Subjects) -> Vec<Question> {
    root.named_tables("question", |name, t| {
        let answers = names(t, "answers");
        let words: Vec<&str> = match answers.is_empty() {
            true => vec!["missing", "given"],
            false => std::iter::once("missing").chain(answers.iter().map(|a| &**a)).collect(),
        };
        Question {
            code: name.into(),
            subject: add(t, subjects, format!("answer.{name}"), &words),
            answers,
            blocks: if t.has("blocks") { moves(t, "blocks") } else { Vec::new() },
            text: Name::from(t.string("text").required()),
            named: t.bool("named").or(false),
            by_fact: by_fact(name, t),
        }
    })
}

/// Facts that one word or one date says.
const ASKED: [&str; 10] = [
    "damage",
    "delivered",
    "packaging",
    "purchase_date",
    "reason",
    "reported",
    "rma_marked_outside",
    "sender",
    "tracking",
    "vendor_warranty_until",
];

fn by_fact(name: &str, t: &mut Table<'_>) -> bool {
    let by_fact = t.bool("by_fact").or(false);
    if by_fact && !ASKED.contains(&name) {
        t.problem("by_fact", format!("needs a question that is named like its fact, one of {}", ASKED.join(", ")));
    }
    by_fact
}

fn fees(root: &mut Table<'_>) -> Vec<Fee> {
    root.named_tables("fee", |name, t| {
        let amount = t.amount("amount").optional();
        let of_quote = t.choice("of", &[("program", false), ("quote", true)]).or(false);
        match amount {
            Some(_) if of_quote => t.problem("amount", "is that of each unit's quotation: leave it out"),
            None if of_quote => {}
            None => t.warning("amount", "is not set: what this money depends on is held, nothing is charged"),
            Some(amount) if amount.cents() < 0 => {
                t.problem("amount", "is negative; credits are marked in the row that gives them")
            }
            Some(_) => {}
        }
        Fee { name: name.into(), amount, of_quote, unset_code: format!("{name}_not_set").into() }
    })
}

fn intake_row(t: &mut Table<'_>) -> IntakeRow {
    let decision = t.choice("decision", Decision::ALL).required();
    let released_by = t.string("released_by").optional();
    if decision == Decision::Hold && released_by.is_none() {
        t.problem("released_by", "a hold needs somebody who can release it");
    }
    IntakeRow {
        decision,
        rule: Name::from(t.string("rule").required()),
        code: code(t, "code"),
        released_by: released_by.map(Name::from).unwrap_or_default(),
        next: Name::from(t.string("next").required()),
    }
}

fn papers(t: &mut Table<'_>) -> Papers {
    Papers {
        return_address: lines(t, "return_address"),
        footer: lines(t, "footer"),
        with_step: t
            .optional_table("with_step", |t| {
                let known = Step::ALL.iter().filter(|(word, _)| t.has(word)).copied().collect::<Vec<_>>();
                known.into_iter().map(|(word, step)| (step, own_papers(t, word))).collect()
            })
            .unwrap_or_default(),
        with_hold: t
            .optional_table("with_hold", |t| {
                let codes = t.keys();
                codes.into_iter().map(|code| (Name::from(code.as_str()), own_papers(t, &code))).collect()
            })
            .unwrap_or_default(),
        scan_back: scan_back(t),
    }
}

/// Labels that the dock sticks on and scans before the next unit. So far that is the unit label.
fn scan_back(t: &mut Table<'_>) -> Vec<Name> {
    let names: Vec<Name> = t.strings("scan_back").or(Vec::new()).into_iter().map(Name::from).collect();
    for name in names.iter().filter(|name| ***name != *"unit") {
        t.problem("scan_back", format!("{name:?} cannot be asked for at the dock; the unit label (\"unit\") can"));
    }
    names
}

/// Papers that come beside the unit label, which every receipt has.
fn own_papers(t: &mut Table<'_>, key: &str) -> Vec<Name> {
    let names = names(t, key);
    for name in &names {
        if **name == *"unit" {
            t.problem(key, "the unit label is made at every receipt; name other papers here");
        } else if **name == *CARRIER {
            t.problem(key, "a carrier's label is the carrier's to make; name other papers here");
        } else if !PAPERS.contains(&&**name) {
            let near = nearest(name, PAPERS.iter().copied()).map(|n| format!("; did you mean {n:?}?"));
            t.problem(key, format!("{name:?} is no paper{}", near.unwrap_or_default()));
        }
    }
    names
}

/// Lines for paper; an empty list is warned of.
fn lines(t: &mut Table<'_>, key: &str) -> Vec<String> {
    let lines = t.strings(key).required();
    if lines.is_empty() {
        t.warning(key, "is empty: papers that need it cannot be printed");
    }
    lines
}

/// Addresses by role; roles the program writes to and has no address for are warned of.
fn contacts(t: &mut Table<'_>) -> Vec<(Role, Vec<String>)> {
    let mut contacts = Vec::new();
    for (name, role) in Role::ALL {
        if t.has(name) {
            let list = t.strings(name).or(Vec::new());
            if list.is_empty() {
                t.warning(name, "has no address: messages to it stay in the list of the station");
            }
            contacts.push((*role, list));
        }
    }
    contacts
}
