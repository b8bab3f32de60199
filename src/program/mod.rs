//! The policy room: a program file + the facts of one unit + a date -> a verdict.
//!
//! Problem: five companies (and the next one) decide about returned goods by different clocks, tables
//! and exceptions, and change them. Nothing of that stands here: Rust names *mechanisms*, the program
//! file fills them with brands, days, amounts and rule ids.
//!
//! In: the text of a program file, once; then [`Facts`] and today's date, as often as wanted. Out: a
//! [`Verdict`], whose every entry names its rule. Promised: the same facts give the same verdict; what
//! is missing becomes a hold or a question, never a guess; dates that contradict each other hold the
//! unit; no facts panic; no I/O, no clock, no state.
//!
//! ## The mechanisms, in the order they are worked through
//!
//! 1. *dates* ([`clock`]): age, lineage, end of warranty, windows, contradictions
//! 2. *subjects* ([`subject`]): every fact and every derived word becomes a small number, so that a
//!    condition is a few mask tests. Conditions are equality, membership and ranges, nothing else.
//! 3. *bands* (age and coverage) and *cases* (first match of named conditions)
//! 4. *rows* ([`rows`]): actions, legs, charges, advance, holds, questions, messages, notes, due dates,
//!    routes, vendors; each a condition and an effect. Rows stand at the top of the file, or in the
//!    cells of the matrix, which must be complete over its axes.
//!
//! [`parse`] and [`parse_rows`] read the file, [`check`] judges it as a whole, [`judge`] gives the verdict.

use chrono::NaiveDate;

use crate::domain::date;
use crate::domain::facts::{Facts, words};
use crate::domain::screen::Kind;
use crate::domain::unit::Step;
use crate::domain::verdict::{Action, Due, Hold, Message, Move, Name, Role, Verdict};
use crate::strict_toml::{Problem, Read};
use serde_json::{Map, Value, json};

mod check;
mod clock;
pub mod diff;
mod judge;
mod parse;
mod parse_rows;
mod pattern;
mod rows;
mod served;
mod shipped;
mod subject;
mod text;

pub use rows::{Per, Post};
pub use served::{MessageFile, Programs, same_but_for_comments};
pub use shipped::{DEFAULT, SHIPPED};

words! {
    /// What can be wrong with a box or a unit before its facts are judged. A program says for each what
    /// the dock does.
    Situation {
        /// The box bears no RMA number.
        NoRma = "no_rma",
        RmaUnknown = "rma_unknown",
        RmaClosed = "rma_closed",
        RmaExpired = "rma_expired",
        /// The RMA belongs to another program.
        RmaOtherProgram = "rma_other_program",
        /// The RMA is dated after today.
        RmaFuture = "rma_future",
        /// No shipment record for the serial or MAC.
        UnitUnknown = "unit_unknown",
        UnitNotOnRma = "unit_not_on_rma",
        UnitAlreadyReceived = "unit_already_received",
        /// Serial and MAC belong to different units.
        SerialMacMismatch = "serial_mac_mismatch",
        /// The scan is of another brand than the record.
        BrandMismatch = "brand_mismatch",
    }
}

words! {
    /// What the dock does in a [`Situation`].
    Decision {
        /// Take it in and go on; the situation is only recorded.
        Accept = "accept",
        /// Take it in and set it aside until `released_by` decides.
        Hold = "hold",
        /// Not accepted; it goes back to the sender.
        Reject = "reject",
        /// The scan is refused and nothing is recorded as received: the worker scans something else.
        Refuse = "refuse",
    }
}

/// What the dock does with one situation, out of the program file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IntakeRow {
    pub decision: Decision,
    /// Catalogue id, or `intake` where the catalogue has none.
    pub rule: Name,
    /// Code on the HOLD tag or REJECT label.
    pub code: Name,
    /// Who can release it; empty where there is nothing to release.
    pub released_by: Name,
    /// What the worker does now, one short sentence.
    pub next: Name,
}

words! {
    /// What has to be scanned before a unit is fully read.
    CompleteWhen { Serial = "serial", Mac = "mac", Either = "either", Both = "both" }
}

/// The one huge word of the dock screen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ScreenWord {
    /// Capitals: `HOLD`, or the action.
    pub word: &'static str,
    /// `Accept`, `Hold` or `Reject`.
    pub kind: Kind,
}

/// A verdict, and what the life of the unit needs beside it.
#[derive(Clone, Debug)]
pub struct Case {
    pub verdict: Verdict,
    /// When each of the verdict's charges is posted, in their order.
    pub posts: Vec<Post>,
    pub owing: Vec<Owing>,
    /// Due dates of which somebody is reminded.
    pub reminders: Vec<(Due, Role)>,
}

/// A message that is owed, and when.
#[derive(Clone, Debug)]
pub struct Owing {
    pub message: Message,
    /// With one of these steps; empty: at once.
    pub on: Vec<Step>,
    pub per: Per,
}

/// What the `[papers]` of a program file say.
#[derive(Clone, Debug, Default)]
struct Papers {
    return_address: Vec<String>,
    footer: Vec<String>,
    /// Papers that a step prints by itself.
    with_step: Vec<(Step, Vec<Name>)>,
    /// Papers that a hold prints at the dock, by its code.
    with_hold: Vec<(Name, Vec<Name>)>,
    /// Labels that the dock scans before it goes on.
    scan_back: Vec<Name>,
}

/// One company's RMA policy, ready to judge. Built by [`Program::parse`] only, so it is always whole.
#[derive(Clone, Debug)]
pub struct Program {
    id: Name,
    version: Name,
    title: Name,
    currency: Name,
    complete_when: CompleteWhen,
    number_patterns: Vec<pattern::Pattern>,
    validity: Option<clock::Validity>,
    complete_rule: Option<Name>,
    intake: Vec<IntakeRow>,
    next: Vec<(Action, Name)>,
    contacts: Vec<(Role, Vec<String>)>,
    papers: Papers,
    calendar: clock::Calendar,
    subjects: subject::Subjects,
    bands: Vec<rows::Band>,
    cases: Vec<rows::Case>,
    /// Rows that stand at the top of the file; they are read before the cell's.
    general: rows::Rows,
    cells: Vec<rows::Cell>,
    axes: Vec<subject::Subject>,
    fees: Vec<rows::Fee>,
    lists: Vec<rows::List>,
    questions: Vec<rows::Question>,
    void_list: Option<usize>,
}

impl Program {
    /// Reads a program file. `file` only names it in messages.
    ///
    /// # Errors
    /// Every problem of the file with its line. Warnings name the keys that the process leaves open and
    /// nobody has filled in: what depends on them is held.
    pub fn parse(file: &str, text: &str) -> Result<Read<Program>, Vec<Problem>> {
        parse::program(file, text)
    }

    /// The id, such as `voip` (letters, digits, hyphens).
    pub fn id(&self) -> &Name {
        &self.id
    }

    /// The version an RMA is issued under and judged by, as the file says it.
    pub fn version(&self) -> &Name {
        &self.version
    }

    /// The program's name for people.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What the program says of one unit. `today` is used where the facts do not name a day.
    pub fn verdict(&self, facts: &Facts, today: NaiveDate) -> Verdict {
        judge::verdict(self, facts, facts.today.unwrap_or(today))
    }

    /// [`Program::verdict`] with what the life of the unit needs beside it.
    pub fn case(&self, facts: &Facts, today: NaiveDate) -> Case {
        judge::case(self, facts, facts.today.unwrap_or(today))
    }

    /// The answers that a question allows (none: any text), where the program has one of that code.
    pub fn question(&self, code: &str) -> Option<&[Name]> {
        self.questions.iter().find(|q| *q.code == *code).map(|q| q.answers.as_slice())
    }

    /// Takes an answer into the facts: as an answer, or as the fact that the question asks for.
    pub fn answer(&self, facts: &mut Map<String, Value>, code: &str, answer: &str, by: &str) {
        if self.questions.iter().any(|q| *q.code == *code && q.by_fact) {
            facts.insert(code.to_owned(), json!(answer));
        } else if let Value::Object(answers) = facts.entry("answers").or_insert_with(|| json!({})) {
            answers.insert(code.to_owned(), json!({"answer": answer, "by": by}));
        }
    }

    /// Whether a hold is one that the dock sets before the facts are judged.
    pub fn is_of_the_dock(&self, hold: &Hold) -> bool {
        self.intake.iter().any(|row| row.decision == Decision::Hold && row.code == hold.code && row.rule == hold.rule)
            && hold.blocks == [Move::Bench]
    }

    /// Whether any message is owed with `step`.
    pub fn tells_on(&self, step: Step) -> bool {
        let places = std::iter::once(&self.general).chain(self.cells.iter().map(|cell| &cell.rows));
        places.flat_map(|rows| &rows.messages).any(|row| row.effect.on.contains(&step))
    }

    /// Days within which a unit that fails was dead on arrival; `None`: the program knows no such thing.
    pub fn doa_days(&self) -> Option<u32> {
        self.calendar.lineage.doa_days
    }

    /// What the dock does in `situation`.
    pub fn intake(&self, situation: Situation) -> &IntakeRow {
        // Built by the parser with one row per situation, in their order.
        &self.intake[situation as usize]
    }

    /// The word for the dock: HOLD where the unit must be set aside now, otherwise what is to happen.
    /// A unit that only waits for the team it is routed to says ROUTE; one that goes back, REJECT.
    pub fn screen_word(&self, verdict: &Verdict) -> ScreenWord {
        let routed = |hold: &Hold| Some(&hold.released_by) == verdict.route.as_ref();
        let (word, kind) = match verdict.action {
            Action::Reject => ("REJECT", Kind::Reject),
            Action::Hold => ("HOLD", Kind::Hold),
            _ if verdict.holds_on(Move::Bench).any(|hold| !routed(hold)) => ("HOLD", Kind::Hold),
            Action::Route => ("ROUTE", Kind::Hold),
            Action::Replace => ("REPLACE", Kind::Accept),
            Action::Diagnose => ("DIAGNOSE", Kind::Accept),
            Action::Repair => ("REPAIR", Kind::Accept),
            Action::Return => ("RETURN", Kind::Accept),
            Action::Quote => ("QUOTE", Kind::Accept),
            Action::Credit => ("CREDIT", Kind::Accept),
            Action::Exchange => ("EXCHANGE", Kind::Accept),
        };
        ScreenWord { word, kind }
    }

    /// What the worker does with the unit now: one short sentence for [`Program::screen_word`].
    pub fn next_step(&self, verdict: &Verdict) -> &str {
        let action = match self.screen_word(verdict).word {
            "HOLD" => Action::Hold,
            _ => verdict.action,
        };
        self.next.iter().find(|(a, _)| *a == action).map_or("", |(_, text)| text)
    }

    /// Whether `text` has the form of an RMA number of this program (trimmed, either case). Numbers of
    /// the station's own form are not its business.
    pub fn accepts_number(&self, text: &str) -> bool {
        self.number_patterns.iter().any(|pattern| pattern.matches(text.trim()))
    }

    /// What has to be scanned of a unit.
    pub fn complete_when(&self) -> CompleteWhen {
        self.complete_when
    }

    /// The last day on which goods may arrive on an RMA issued on `issued`; `None`: no limit.
    pub fn valid_until(&self, issued: NaiveDate) -> Option<NaiveDate> {
        self.validity.as_ref().map(|v| date::add_days(issued, v.days))
    }

    /// The rule by which an RMA is complete only when every announced unit has come; `intake` where the
    /// file names none.
    pub fn complete_rule(&self) -> Name {
        self.complete_rule.clone().unwrap_or_else(|| "intake".into())
    }

    /// Addresses for messages to `role`; empty where the file does not name any.
    pub fn contacts(&self, role: Role) -> &[String] {
        self.contacts.iter().find(|(r, _)| *r == role).map_or(&[], |(_, list)| list)
    }

    /// What the program may write about, and to whom; as often as its rows say it.
    pub fn messages(&self) -> impl Iterator<Item = (Role, &str)> {
        let rows = std::iter::once(&self.general).chain(self.cells.iter().map(|cell| &cell.rows));
        rows.flat_map(|rows| {
            let reminders = rows.dues.iter().filter_map(|row| Some((row.effect.remind?, &*row.effect.what)));
            rows.messages.iter().map(|row| (row.effect.to, &*row.effect.about)).chain(reminders)
        })
    }

    /// Where customers send goods, line by line; empty where the file does not say.
    pub fn return_address(&self) -> &[String] {
        &self.papers.return_address
    }

    /// Lines at the foot of every paper for customers; empty where the file does not say.
    pub fn footer(&self) -> &[String] {
        &self.papers.footer
    }

    /// Papers that print by themselves when `step` is made.
    pub fn papers_with_step(&self, step: Step) -> &[Name] {
        self.papers.with_step.iter().find(|(s, _)| *s == step).map_or(&[], |(_, papers)| papers)
    }

    /// Papers that print by themselves when a unit is received with the hold of that code.
    pub fn papers_with_hold(&self, code: &str) -> &[Name] {
        self.papers.with_hold.iter().find(|(c, _)| **c == *code).map_or(&[], |(_, papers)| papers)
    }

    /// Whether the dock must scan that label before it goes on.
    pub fn scans_back(&self, label: &str) -> bool {
        self.papers.scan_back.iter().any(|name| **name == *label)
    }

    /// The currency of all amounts, three capitals.
    pub fn currency(&self) -> &Name {
        &self.currency
    }
}
