//! Subjects: what a condition may ask about, and the conditions themselves.
//!
//! Every fact and every derived word is a *subject* with a short list of values; value 0 stands for
//! "missing", "none" or "unknown". While a file is read, conditions become masks over value numbers;
//! while a unit is judged, each subject holds one number. So a condition costs a few machine words and
//! can be compared with others, which is how gaps, overlaps and unreachable rows are found.

use crate::domain::facts::{Channel, Class, Damage, Facts, Flag, Outcome, Packaging, nearest, same_word, words};
use crate::domain::verdict::{Coverage, Name};
use crate::strict_toml::Table;

/// Most values one subject may have: the width of a mask.
pub(super) const VALUES_MAX: usize = 128;
/// Most subjects of one program, fixed and named by the file together.
pub(super) const SUBJECTS_MAX: usize = 160;

words! {
    /// Subjects that every program has. Names with a dot are those of the facts.
    Fixed {
        Band = "band",
        Case = "case",
        Coverage = "coverage",
        Side = "side",
        Channel = "channel",
        Brand = "brand",
        Reason = "reason",
        Class = "class",
        Outcome = "outcome",
        Packaging = "packaging",
        Damage = "damage",
        VendorWarranty = "vendor_warranty",
        Quote = "quote",
        Replacements = "replacements",
        Line = "line",
        OnRma = "on_rma",
        RmaMarkedOutside = "rma_marked_outside",
        BurnIn = "burn_in",
        Qc = "qc",
        Closed = "rma.closed",
        SupportRequest = "rma.support_request",
        Diagnosed = "rma.diagnosed",
        Qualified = "rma.qualified",
        Consent = "rma.consent",
        Contacted = "rma.contacted",
        WantsBack = "rma.wants_back",
        ProofOfPurchase = "rma.proof_of_purchase",
        PurchaseOrder = "rma.purchase_order",
        AdvanceCharged = "advance.charged",
        AdvanceReturned = "advance.original_received",
        RushAsked = "rush.asked",
        RushPaid = "rush.paid_by_customer",
        Account = "account",
        Model = "model",
        Serial = "serial",
        Macs = "macs",
        Distributor = "distributor",
        VendorRma = "vendor_rma",
        Tracking = "tracking",
        Sender = "sender",
        ShipTo = "rma.ship_to",
        Expected = "rma.expected",
        Ticket = "rma.ticket",
        Number = "rma.number",
        Issued = "rma.issued",
        QuoteIssued = "rma.quote_issued",
        ApprovedOn = "rma.approved_on",
        AdvanceShipped = "advance.shipped",
        ShipDate = "ship_date",
        FirstShipDate = "first_ship_date",
        PurchaseDate = "purchase_date",
        Delivered = "delivered",
        Reported = "reported",
        Received = "received",
    }
}

words! {
    /// Subjects that are numbers; conditions give a range such as `"31.."`.
    Number { AgeDays = "age_days", ReplacementsUsed = "replacements_used" }
}

/// How many of the [`Number`]s there are.
pub(super) const NUMBERS: usize = Number::ALL.len();

/// Which column of a program's tables a channel belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Customer,
    Partner,
}

/// Value numbers with a meaning of their own.
pub(super) mod value {
    pub const MISSING: u8 = 0;
    pub const UNLISTED: u8 = 1;
    pub const CUSTOMER: u8 = 2;
    pub const PARTNER: u8 = 3;
    pub const NO: u8 = 1;
    pub const YES: u8 = 2;
    pub const HIT: u8 = 1;
    pub const USED_UP: u8 = 1;
}

/// The number of a subject in this program.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub(super) struct Subject(pub u8);

impl From<Fixed> for Subject {
    fn from(fixed: Fixed) -> Subject {
        Subject(fixed as u8)
    }
}

/// A subject the file itself names, with the name of its group: `window.return`, `answer.fee`.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub name: String,
    pub values: Vec<Name>,
}

/// All subjects of one program with the words of their values.
#[derive(Clone, Debug)]
pub(super) struct Subjects {
    all: Vec<Named>,
    pub channels: Vec<(Channel, Side)>,
}

/// The file's own words for the fixed subjects that have any.
pub(super) struct Own<'a> {
    pub bands: &'a [Name],
    pub cases: &'a [Name],
    pub brands: &'a [Name],
    pub reasons: &'a [Name],
    pub channels: Vec<(Channel, Side)>,
}

impl Subjects {
    /// The fixed subjects with the file's `own` words; named ones are added with [`Subjects::add`].
    pub fn new(own: Own<'_>) -> Subjects {
        let list = |first: &[&str], rest: &[Name]| -> Vec<Name> {
            first.iter().map(|w| Name::from(*w)).chain(rest.iter().cloned()).take(VALUES_MAX).collect()
        };
        fn all<T>(first: &[&str], words: &[(&'static str, T)]) -> Vec<Name> {
            first.iter().copied().chain(words.iter().map(|(w, _)| *w)).map(Name::from).collect()
        }
        let channels: Vec<Name> = own.channels.iter().map(|(c, _)| Name::from(c.as_str())).collect();
        let values = |fixed: Fixed| match fixed {
            Fixed::Band => list(&["none"], own.bands),
            Fixed::Case => list(&["none"], own.cases),
            Fixed::Coverage => all(&[], Coverage::ALL),
            Fixed::Side => list(&["missing", "unlisted", "customer", "partner"], &[]),
            Fixed::Channel => list(&["missing", "unlisted"], &channels),
            Fixed::Brand => list(&["missing", "unlisted"], own.brands),
            Fixed::Reason => list(&["missing", "unlisted"], own.reasons),
            Fixed::Class => all(&["missing"], Class::ALL),
            Fixed::Outcome => all(&["missing"], Outcome::ALL),
            Fixed::Packaging => all(&["missing"], Packaging::ALL),
            Fixed::Damage => all(&["missing"], Damage::ALL),
            Fixed::VendorWarranty => list(&["unknown", "in_play", "over"], &[]),
            Fixed::Quote => list(&["none", "open", "approved", "expired", "superseded"], &[]),
            Fixed::Replacements => list(&["left", "used_up"], &[]),
            Fixed::Line => list(&["first", "replaced", "restarted"], &[]),
            Fixed::OnRma
            | Fixed::RmaMarkedOutside
            | Fixed::BurnIn
            | Fixed::Qc
            | Fixed::Closed
            | Fixed::SupportRequest
            | Fixed::Diagnosed
            | Fixed::Qualified
            | Fixed::Consent
            | Fixed::Contacted
            | Fixed::WantsBack
            | Fixed::ProofOfPurchase
            | Fixed::PurchaseOrder
            | Fixed::AdvanceCharged
            | Fixed::AdvanceReturned
            | Fixed::RushAsked
            | Fixed::RushPaid => list(&["missing", "no", "yes"], &[]),
            _ => list(&["missing", "present"], &[]),
        };
        let all = Fixed::ALL.iter().map(|(name, f)| Named { name: (*name).to_owned(), values: values(*f) });
        Subjects { all: all.collect(), channels: own.channels }
    }

    /// Adds a subject the file names; `None` where there are too many.
    pub fn add(&mut self, name: String, values: &[&str]) -> Option<Subject> {
        let number = Some(self.all.len()).filter(|n| *n < SUBJECTS_MAX)?;
        // The parser reports what is over; no mask may ever be shifted past its width.
        let values = values.iter().take(VALUES_MAX).map(|v| Name::from(*v)).collect();
        self.all.push(Named { name, values });
        Some(Subject(number as u8))
    }

    pub fn find(&self, name: &str) -> Option<Subject> {
        self.all.iter().position(|named| named.name == name).map(|at| Subject(at as u8))
    }

    pub fn name(&self, subject: Subject) -> &str {
        &self.all[usize::from(subject.0)].name
    }

    pub fn values(&self, subject: Subject) -> &[Name] {
        &self.all[usize::from(subject.0)].values
    }

    /// The word of a value number; empty where there is none.
    pub fn word(&self, subject: Subject, value: u8) -> &str {
        self.values(subject).get(usize::from(value)).map_or("", |name| name)
    }

    /// The value number of one of the file's own words; 0 where there is none.
    pub fn listed_at(&self, subject: Subject, word: &str) -> u8 {
        self.values(subject).iter().position(|v| *v == *word).map_or(0, |at| at as u8)
    }

    /// The value number of a word out of the facts, compared without regard to case; `UNLISTED` for
    /// words the file does not know.
    pub fn listed(&self, subject: Subject, text: Option<&str>) -> u8 {
        let Some(text) = written(text) else { return value::MISSING };
        let listed = self.values(subject).iter().skip(2).position(|word| same_word(text, word));
        listed.map_or(value::UNLISTED, |at| at as u8 + 2)
    }
}

/// What one unit is, as value numbers.
pub(super) struct State {
    codes: [u8; SUBJECTS_MAX],
    numbers: [Option<i64>; NUMBERS],
}

impl State {
    /// The facts that need no dates and no tables.
    pub fn of(facts: &Facts, subjects: &Subjects) -> State {
        let mut state = State { codes: [0; SUBJECTS_MAX], numbers: [None; NUMBERS] };
        fn word<T: Copy + PartialEq>(all: &[(&str, T)], fact: Option<T>) -> u8 {
            fact.and_then(|f| all.iter().position(|(_, v)| *v == f)).map_or(0, |at| at as u8 + 1)
        }
        let channel = written(facts.channel.as_deref()).map(|text| {
            let known = Channel::find(text);
            subjects.channels.iter().position(|(c, _)| Some(*c) == known)
        });
        let (channel, side) = match channel {
            None => (value::MISSING, value::MISSING),
            Some(None) => (value::UNLISTED, value::UNLISTED),
            Some(Some(at)) => (
                at as u8 + 2,
                match subjects.channels[at].1 {
                    Side::Customer => value::CUSTOMER,
                    Side::Partner => value::PARTNER,
                },
            ),
        };
        state.set(Fixed::Channel, channel);
        state.set(Fixed::Side, side);
        let listed = |fixed: Fixed, text: &Option<String>| subjects.listed(fixed.into(), text.as_deref());
        state.set(Fixed::Brand, listed(Fixed::Brand, &facts.brand));
        state.set(Fixed::Reason, listed(Fixed::Reason, &facts.reason));
        state.set(Fixed::Class, word(Class::ALL, facts.class));
        state.set(Fixed::Outcome, word(Outcome::ALL, facts.outcome));
        state.set(Fixed::Packaging, word(Packaging::ALL, facts.packaging));
        state.set(Fixed::Damage, word(Damage::ALL, facts.damage));
        let rma = &facts.rma;
        let expected = match &facts.serial {
            Some(serial) if !rma.expected.is_empty() => {
                if rma.expected.contains(serial) {
                    value::YES
                } else {
                    value::NO
                }
            }
            _ => value::MISSING,
        };
        state.set(Fixed::OnRma, expected);
        for (fixed, flag) in [
            (Fixed::RmaMarkedOutside, facts.rma_marked_outside),
            (Fixed::BurnIn, facts.burn_in),
            (Fixed::Qc, facts.qc),
            (Fixed::Closed, rma.closed),
            (Fixed::SupportRequest, rma.support_request),
            (Fixed::Diagnosed, rma.diagnosed),
            (Fixed::Qualified, rma.qualified),
            (Fixed::Consent, rma.consent),
            (Fixed::Contacted, rma.contacted),
            (Fixed::WantsBack, rma.wants_back),
            (Fixed::ProofOfPurchase, rma.proof_of_purchase),
            (Fixed::PurchaseOrder, rma.purchase_order),
            (Fixed::AdvanceCharged, facts.advance.charged),
            (Fixed::AdvanceReturned, advance_returned(facts)),
            (Fixed::RushAsked, facts.rush.asked),
            (Fixed::RushPaid, facts.rush.paid_by_customer),
        ] {
            state.set(
                fixed,
                match flag {
                    Flag::Absent => value::MISSING,
                    Flag::No => value::NO,
                    Flag::Yes | Flag::Since(_) => value::YES,
                },
            );
        }
        for (fixed, present) in [
            (Fixed::Account, written(facts.account.as_deref()).is_some()),
            (Fixed::Model, written(facts.model.as_deref()).is_some()),
            (Fixed::Serial, written(facts.serial.as_deref()).is_some()),
            (Fixed::Macs, !facts.macs.is_empty()),
            (Fixed::Distributor, written(facts.distributor.as_deref()).is_some()),
            (Fixed::VendorRma, written(facts.vendor_rma.as_deref()).is_some()),
            (Fixed::Tracking, written(facts.tracking.as_deref()).is_some()),
            (Fixed::Sender, written(facts.sender.as_deref()).is_some()),
            (Fixed::ShipTo, written(rma.ship_to.as_deref()).is_some()),
            (Fixed::Expected, !rma.expected.is_empty()),
            (Fixed::Ticket, written(rma.ticket.as_deref()).is_some()),
            (Fixed::Number, written(rma.number.as_deref()).is_some()),
            (Fixed::Issued, rma.issued.is_some()),
            (Fixed::QuoteIssued, rma.quote_issued.is_some()),
            (Fixed::ApprovedOn, rma.approved_on.is_some()),
            (Fixed::AdvanceShipped, facts.advance.shipped.is_some()),
            (Fixed::ShipDate, facts.ship_date.is_some()),
            (Fixed::PurchaseDate, facts.purchase_date.is_some()),
            (Fixed::Delivered, facts.delivered.is_some()),
            (Fixed::Reported, facts.reported.is_some()),
            (Fixed::Received, facts.received.is_some()),
        ] {
            state.set(fixed, u8::from(present));
        }
        state
    }

    pub fn set(&mut self, subject: impl Into<Subject>, value: u8) {
        self.codes[usize::from(subject.into().0)] = value;
    }

    pub fn get(&self, subject: impl Into<Subject>) -> u8 {
        self.codes[usize::from(subject.into().0)]
    }

    pub fn set_number(&mut self, number: Number, value: Option<i64>) {
        self.numbers[number as usize] = value;
    }
}

/// A text with something in it; a blank one is nothing.
fn written(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.trim().is_empty())
}

/// Whether the original of an advance replacement is back. The unit that is judged is that original, so
/// its own receipt is the return where nothing else is said.
pub(super) fn advance_returned(facts: &Facts) -> Flag {
    match (facts.advance.original_received, facts.advance.shipped, facts.received) {
        (Flag::Absent | Flag::Yes, Some(_), Some(received)) => Flag::Since(received),
        (flag, ..) => flag,
    }
}

/// The values of one subject that satisfy a condition, as bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Mask {
    pub subject: Subject,
    pub bits: u128,
}

/// A range of one number, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Range {
    pub number: Number,
    pub from: i64,
    pub to: i64,
}

/// A condition: all of its parts must hold. Empty: always.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct When {
    pub masks: Vec<Mask>,
    pub ranges: Vec<Range>,
}

impl When {
    pub fn holds(&self, state: &State) -> bool {
        self.masks.iter().all(|m| m.bits >> state.get(m.subject) & 1 == 1)
            && self.ranges.iter().all(|r| state.numbers[r.number as usize].is_some_and(|n| r.from <= n && n <= r.to))
    }

    /// The bits allowed for `subject`; all where the condition does not ask about it.
    pub fn bits(&self, subject: Subject) -> u128 {
        self.masks.iter().filter(|m| m.subject == subject).fold(u128::MAX, |bits, m| bits & m.bits)
    }

    fn range(&self, number: Number) -> (i64, i64) {
        self.ranges
            .iter()
            .filter(|r| r.number == number)
            .fold((i64::MIN, i64::MAX), |(from, to), r| (from.max(r.from), to.min(r.to)))
    }

    /// Both conditions at once.
    pub fn and(&self, other: &When) -> When {
        When {
            masks: self.masks.iter().chain(&other.masks).copied().collect(),
            ranges: self.ranges.iter().chain(&other.ranges).copied().collect(),
        }
    }

    /// The subject that can never satisfy this condition, if there is one.
    pub fn impossible(&self) -> Option<Subject> {
        self.masks.iter().map(|m| m.subject).find(|s| self.bits(*s) == 0)
    }

    /// Whether everything that satisfies `other` satisfies this one too.
    pub fn covers(&self, other: &When) -> bool {
        let masks = self.masks.iter().all(|m| other.bits(m.subject) & !m.bits == 0);
        masks
            && self.ranges.iter().all(|r| {
                let (from, to) = other.range(r.number);
                other.ranges.iter().any(|o| o.number == r.number) && r.from <= from && to <= r.to
            })
    }
}

/// Reads the key `when` of a row: a table of subjects with one value, a list of values, or a range.
pub(super) fn when(row: &mut Table<'_>, subjects: &Subjects) -> When {
    row.optional_table("when", |table| {
        let mut when = When::default();
        collect(table, "", subjects, &mut when);
        when
    })
    .unwrap_or_default()
}

fn collect(table: &mut Table<'_>, prefix: &str, subjects: &Subjects, when: &mut When) {
    for key in table.keys() {
        let name = format!("{prefix}{key}");
        if table.is_table(&key) {
            let prefix = format!("{name}.");
            table.table(&key, |inner| collect(inner, &prefix, subjects, when));
            continue;
        }
        let words = table.strings(&key).or(Vec::new());
        if let Some(number) = Number::find(&name) {
            match words.first().map(|word| range(word)) {
                Some(Some((from, to))) if words.len() == 1 => {
                    when.ranges.push(Range { number, from, to });
                }
                _ => table.problem(&key, "must be one range such as \"0..30\", \"31..\" or \"..7\""),
            }
        } else if let Some(subject) = subjects.find(&name) {
            match bits(&words, subject, subjects) {
                Ok(bits) => when.masks.push(Mask { subject, bits }),
                Err(message) => table.problem(&key, message),
            }
        } else {
            let known = subjects.all.iter().map(|s| s.name.as_str()).chain(Number::ALL.iter().map(|(n, _)| *n));
            let hint = nearest(&name, known).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
            table.problem(&key, format!("`{name}` is nothing a condition can ask about{hint}"));
        }
    }
}

/// The bits of `words` for `subject`, or what is wrong with them.
pub(super) fn bits(words: &[String], subject: Subject, subjects: &Subjects) -> Result<u128, String> {
    let values = subjects.values(subject);
    let mut bits = 0;
    for word in words {
        match values.iter().position(|v| same_word(word, v)) {
            Some(at) => bits |= 1u128 << at,
            None => {
                let names = || values.iter().map(|v| &**v);
                let hint = nearest(word, names()).map(|n| format!("; did you mean {n:?}?")).unwrap_or_default();
                return Err(format!("{word:?} is not one of {}{hint}", names().collect::<Vec<_>>().join(", ")));
            }
        }
    }
    if bits == 0 { Err("is an empty list: nothing could ever match".to_owned()) } else { Ok(bits) }
}

/// `"0..30"`, `"31.."`, `"..7"`, `"5"`; both ends included.
pub(super) fn range(text: &str) -> Option<(i64, i64)> {
    let (from, to) = text.split_once("..").unwrap_or((text, text));
    let end = |s: &str, open: i64| if s.trim().is_empty() { Some(open) } else { s.trim().parse().ok() };
    let (from, to) = (end(from, i64::MIN)?, end(to, i64::MAX)?);
    (from <= to && !text.trim().is_empty()).then_some((from, to))
}
