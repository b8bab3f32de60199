//! Rows: a condition, an effect and the rule it comes from. A program is rows and the words they use.

use crate::domain::money::Amount;
use crate::domain::unit::Step;
use crate::domain::verdict::{Action, AdvanceMode, LegName, Move, Name, Party, Role, Service};

use super::clock::{DateSource, Span};
use super::subject::{Subject, When};
pub(super) use super::text::Template;

/// One line of a program file.
#[derive(Clone, Debug)]
pub(super) struct Row<E> {
    pub when: When,
    pub rule: Name,
    /// What it says in the verdict's reasons (for a hold: on its tag).
    pub text: Option<Template>,
    pub effect: E,
    /// Where it stands in the file, for problems found later.
    pub line: usize,
}

/// All rows at one place: the top of the file, or one cell.
///
/// Of actions, advance, routes and vendors the first row that applies counts; of legs the first one
/// per leg. All other rows add up.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    pub actions: Vec<Row<Action>>,
    pub advances: Vec<Row<AdvanceMode>>,
    pub legs: Vec<Row<Leg>>,
    pub charges: Vec<Row<Charge>>,
    pub holds: Vec<Row<Hold>>,
    /// Each asks the question of that number.
    pub asks: Vec<Row<usize>>,
    pub messages: Vec<Row<Message>>,
    pub notes: Vec<Row<()>>,
    pub dues: Vec<Row<Due>>,
    pub routes: Vec<Row<Name>>,
    pub vendors: Vec<Row<Vendor>>,
}

/// A party, or whoever stands on the other side: customer or partner, as the channel says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Who {
    Party(Party),
    Side,
}

#[derive(Clone, Debug)]
pub(super) struct Leg {
    pub leg: LegName,
    pub payer: Who,
    pub service: Service,
    /// The rule that names the service, where it is another than the one that names the payer.
    pub service_rule: Option<Name>,
}

#[derive(Clone, Debug)]
pub(super) struct Charge {
    pub kind: Name,
    /// Index into the program's fees.
    pub fee: usize,
    pub to: Who,
    /// Money given back.
    pub credit: bool,
    pub post: Post,
}

/// When a charge becomes a line of the ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Post {
    /// With this step, at the latest when the unit is closed.
    With(Step),
    /// As soon as it is due, by the calendar alone.
    Due,
}

/// An amount the program names once; `None`: the process leaves it open and nobody filled it in.
#[derive(Clone, Debug)]
pub(super) struct Fee {
    pub name: Name,
    pub amount: Option<Amount>,
    /// The amount is that of the unit's own quotation; without one there is nothing to charge.
    pub of_quote: bool,
    /// Code of the hold that stands in for the charge while there is no amount.
    pub unset_code: Name,
}

#[derive(Clone, Debug)]
pub(super) struct Hold {
    pub code: Name,
    pub released_by: Name,
    pub blocks: Vec<Move>,
    /// A person may lift it by name (facts `released`); otherwise only other facts make it go away.
    pub by_person: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Question {
    pub code: Name,
    pub subject: Subject,
    /// Answers allowed; empty: any text.
    pub answers: Vec<Name>,
    pub blocks: Vec<Move>,
    pub text: Name,
    /// An answer counts only with the name of who gave it.
    pub named: bool,
    /// It asks for the fact of its own name: an answer is taken as that fact, and the question is open for as long
    /// as its row applies.
    pub by_fact: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Message {
    pub to: Role,
    pub about: Name,
    pub says: Name,
    /// Owed when one of these steps is made; empty: as soon as the row applies.
    pub on: Vec<Step>,
    /// The verdict names it although it is owed only with the steps in `on`.
    pub listed: bool,
    pub per: Per,
}

/// How often a message is owed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Per {
    /// Once for the whole RMA.
    Rma,
    /// Once for each of its units.
    Unit,
    /// Every time the step is made.
    Step,
}

#[derive(Clone, Debug)]
pub(super) struct Due {
    pub what: Name,
    pub from: Vec<DateSource>,
    pub span: Span,
    /// Who is reminded on that day.
    pub remind: Option<Role>,
}

#[derive(Clone, Debug)]
pub(super) struct Vendor {
    pub send_to: SendTo,
    pub rma_number_required: bool,
}

#[derive(Clone, Debug)]
pub(super) enum SendTo {
    /// The distributor this very unit was bought from.
    Distributor,
    /// The maker, by its name in the brand table.
    Brand,
    Name(Name),
}

/// A band of ages; the words are the program's own.
#[derive(Clone, Debug)]
pub(super) struct Band {
    pub name: Name,
    pub when: When,
    pub rule: Name,
    pub text: Option<Template>,
    pub line: usize,
}

/// A named combination of facts; the first that applies is the unit's case. Several may bear one name.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub name: Name,
    /// Value number of the name in the subject `case`.
    pub value: u8,
    pub when: When,
    pub rule: Name,
    pub text: Option<Template>,
    pub line: usize,
}

/// One cell of the matrix: its place on the axes, and its rows.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub when: When,
    pub rows: Rows,
    pub line: usize,
}

/// A list of conditions of the goods (`present:dent`, `missing:manual`); a condition asks `list.NAME`.
#[derive(Clone, Debug)]
pub(super) struct List {
    pub name: Name,
    pub subject: Subject,
    pub present: Vec<Name>,
    pub missing: Vec<Name>,
}

impl List {
    /// Whether something in `conditions` stands in this list. `missing:X` and `missing X` are an
    /// absence; `present:X` and a bare `X` are a presence.
    pub fn hit<'c>(&self, conditions: &'c [String]) -> Option<&'c str> {
        let same = |list: &[Name], text: &str| list.iter().any(|n| crate::domain::facts::same_word(text, n));
        conditions.iter().map(String::as_str).find(|condition| {
            let cut = |word: &str| {
                let rest = condition
                    .get(..word.len())
                    .filter(|p| p.eq_ignore_ascii_case(word))
                    .map(|_| &condition[word.len()..])?;
                rest.strip_prefix([':', ' ']).map(str::trim)
            };
            match (cut("missing"), cut("present")) {
                (Some(absent), _) => same(&self.missing, absent),
                (_, Some(seen)) => same(&self.present, seen),
                _ => same(&self.present, condition),
            }
        })
    }
}
