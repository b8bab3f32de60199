//! The life of a unit in one table: which step may be made from which state, where it leads, which
//! interlock of the program guards it, and what must be said with it.
//!
//! ```text
//! awaited -> (advance_shipped) -> received | held -> diagnosing -> quoted -> approved
//!     -> repairing -> burn_in -> qc -> ready -> shipped -> closed
//!     -> vendor_requested -> vendor_numbered -> vendor_shipped -> vendor_credited | vendor_replaced -> vendor_tested
//! refused -> returned       awaited -> cancelled
//! ```
//!
//! An interlock is a [`Move`]: it holds as long as a hold or an open question of the verdict blocks it,
//! on whichever path the step is asked for.

use crate::domain::unit::{Step, UnitState, UnitState::*};
use crate::domain::verdict::Move;

/// Where a step leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum To {
    State(UnitState),
    /// It changes what is known, not where the unit is. A unit at the dock is held or not by what is
    /// known now.
    Stay,
}

/// What can be said with a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field {
    pub name: &'static str,
    pub kind: FieldKind,
    pub required: bool,
    /// The fact that it sets, as a path; empty: it is only written down.
    pub fact: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FieldKind {
    Text,
    /// `YYYY-MM-DD`, not after the day of the step.
    Date,
    /// `"45.00"`, above zero.
    Amount,
    Serial,
    YesNo,
    Words(&'static [&'static str]),
    /// Facts as an object, as `backdock verdict` reads them.
    Facts,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub step: Step,
    pub from: &'static [UnitState],
    pub to: To,
    /// The interlock; `None`: nothing of the program can forbid it.
    pub guard: Option<Move>,
    pub fields: &'static [Field],
    /// Facts that become the day of the step.
    pub stamps: &'static [&'static str],
}

/// Every state in which the unit is in the house or still expected.
const OPEN: &[UnitState] = &[
    Awaited,
    AdvanceShipped,
    Received,
    Held,
    Diagnosing,
    Quoted,
    Approved,
    Repairing,
    Suspended,
    BurnIn,
    Qc,
    VendorRequested,
    VendorNumbered,
    VendorShipped,
    VendorCredited,
    VendorReplaced,
    VendorTested,
    Ready,
    Shipped,
    Refused,
];

const fn field(name: &'static str, kind: FieldKind, required: bool, fact: &'static str) -> Field {
    Field { name, kind, required, fact }
}

const fn row(step: Step, from: &'static [UnitState], to: UnitState, guard: Option<Move>) -> Row {
    Row { step, from, to: To::State(to), guard, fields: &[], stamps: &[] }
}

/// The words of [`crate::domain::facts::Outcome`].
const OUTCOMES: &[&str] = &["ntf", "repair", "replace", "working", "user_damage"];

pub const STEPS: &[Row] = &[
    Row { step: Step::Issue, from: &[], to: To::Stay, guard: Some(Move::Issue), fields: &[], stamps: &[] },
    row(Step::Receive, &[Awaited, AdvanceShipped], Received, None),
    row(Step::Withdraw, &[Received, Held], Awaited, None),
    Row {
        step: Step::Release,
        from: OPEN,
        to: To::Stay,
        guard: None,
        fields: &[field("hold", FieldKind::Text, true, ""), field("why", FieldKind::Text, true, "")],
        stamps: &[],
    },
    Row {
        step: Step::Answer,
        from: OPEN,
        to: To::Stay,
        guard: None,
        fields: &[field("question", FieldKind::Text, true, ""), field("answer", FieldKind::Text, true, "")],
        stamps: &[],
    },
    Row {
        step: Step::Note,
        from: OPEN,
        to: To::Stay,
        guard: None,
        fields: &[field("facts", FieldKind::Facts, true, "")],
        stamps: &[],
    },
    row(Step::Diagnose, &[Received, Suspended], Diagnosing, Some(Move::Bench)),
    Row {
        step: Step::Find,
        from: &[Diagnosing, Quoted, Approved, Repairing, Suspended],
        to: To::Stay,
        guard: Some(Move::Bench),
        fields: &[
            field("outcome", FieldKind::Words(OUTCOMES), true, "outcome"),
            field("finding", FieldKind::Text, false, ""),
        ],
        stamps: &[],
    },
    Row {
        step: Step::Quote,
        from: &[Received, Held, Diagnosing, Quoted, Approved, Suspended],
        to: To::State(Quoted),
        guard: None,
        fields: &[
            field("amount", FieldKind::Amount, true, "rma.quote_amount"),
            field("number", FieldKind::Text, false, ""),
        ],
        stamps: &["rma.quote_issued"],
    },
    Row {
        step: Step::Approve,
        from: &[Quoted],
        to: To::State(Approved),
        guard: None,
        fields: &[
            field("on", FieldKind::Date, false, "rma.approved_on"),
            field("purchase_order", FieldKind::Text, false, ""),
        ],
        stamps: &[],
    },
    Row {
        step: Step::Suspend,
        from: &[Diagnosing, Quoted, Approved, Repairing],
        to: To::State(Suspended),
        guard: None,
        fields: &[field("finding", FieldKind::Text, true, "")],
        stamps: &[],
    },
    row(Step::Repair, &[Diagnosing, Quoted, Approved, Suspended], Repairing, Some(Move::Repair)),
    Row {
        step: Step::BurnIn,
        from: &[Repairing, Qc],
        to: To::State(BurnIn),
        guard: None,
        fields: &[],
        stamps: &["burn_in"],
    },
    Row { step: Step::Qc, from: &[Repairing, BurnIn], to: To::State(Qc), guard: None, fields: &[], stamps: &["qc"] },
    Row {
        step: Step::Replace,
        from: &[Received, Diagnosing, Quoted, Approved, VendorCredited],
        to: To::State(Ready),
        guard: Some(Move::Replace),
        fields: &[field("serial", FieldKind::Serial, true, "")],
        stamps: &[],
    },
    row(Step::VendorRequest, &[Received, Diagnosing, Approved], VendorRequested, None),
    Row {
        step: Step::VendorNumber,
        from: &[VendorRequested],
        to: To::State(VendorNumbered),
        guard: None,
        fields: &[field("number", FieldKind::Text, true, "vendor_rma")],
        stamps: &[],
    },
    Row {
        step: Step::VendorShip,
        from: &[VendorRequested, VendorNumbered],
        to: To::State(VendorShipped),
        guard: Some(Move::VendorLeg),
        fields: &[field("tracking", FieldKind::Text, false, "")],
        stamps: &[],
    },
    Row {
        step: Step::VendorCredit,
        from: &[VendorShipped],
        to: To::State(VendorCredited),
        guard: None,
        fields: &[field("amount", FieldKind::Amount, true, "")],
        stamps: &[],
    },
    Row {
        step: Step::VendorReplace,
        from: &[VendorShipped],
        to: To::State(VendorReplaced),
        guard: None,
        fields: &[field("serial", FieldKind::Serial, true, "")],
        stamps: &[],
    },
    Row {
        step: Step::Test,
        from: &[VendorReplaced],
        to: To::State(VendorTested),
        guard: None,
        fields: &[field("result", FieldKind::Words(&["pass"]), true, "")],
        stamps: &["qc"],
    },
    Row { step: Step::AdvanceCharge, from: OPEN, to: To::Stay, guard: None, fields: &[], stamps: &["advance.charged"] },
    Row {
        step: Step::AdvanceShip,
        from: &[Awaited, Received, Diagnosing],
        to: To::Stay,
        guard: Some(Move::Advance),
        fields: &[
            field("serial", FieldKind::Serial, true, "advance.serial"),
            field("tracking", FieldKind::Text, false, ""),
        ],
        stamps: &["advance.shipped"],
    },
    Row {
        step: Step::AdvanceReturn,
        from: OPEN,
        to: To::Stay,
        guard: None,
        fields: &[field("serial", FieldKind::Serial, true, "")],
        stamps: &[],
    },
    row(
        Step::Credit,
        &[Received, Diagnosing, Quoted, Approved, Repairing, Qc, VendorCredited, Ready, Shipped],
        Ready,
        Some(Move::Credit),
    ),
    row(
        Step::Ready,
        &[Diagnosing, Quoted, Approved, Repairing, BurnIn, Qc, VendorTested, VendorCredited, Suspended],
        Ready,
        None,
    ),
    Row {
        step: Step::Ship,
        from: &[Ready, VendorTested, Refused],
        to: To::State(Shipped),
        guard: Some(Move::Ship),
        fields: &[
            field("tracking", FieldKind::Text, true, "tracking"),
            field("carrier", FieldKind::Text, false, ""),
            field("cost", FieldKind::Amount, false, ""),
        ],
        stamps: &[],
    },
    row(Step::Close, &[Shipped, Ready, VendorCredited], Closed, Some(Move::Close)),
    Row {
        step: Step::Refuse,
        from: &[Received, Held],
        to: To::State(Refused),
        guard: None,
        fields: &[field("why", FieldKind::Text, true, "")],
        stamps: &[],
    },
    Row {
        step: Step::Cancel,
        from: &[Awaited, AdvanceShipped],
        to: To::State(Cancelled),
        guard: None,
        fields: &[field("why", FieldKind::Text, true, "")],
        stamps: &[],
    },
];

/// The row of a step.
pub fn of(step: Step) -> &'static Row {
    // Every step has a row: see the test.
    STEPS.iter().find(|row| row.step == step).unwrap_or(&STEPS[0])
}

/// The steps that the table has from `state`, the dock's own left out.
pub fn from(state: UnitState) -> impl Iterator<Item = Step> {
    let own = |step: Step| matches!(step, Step::Receive | Step::Withdraw);
    STEPS.iter().filter(move |row| !own(row.step) && row.from.contains(&state)).map(|row| row.step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_has_one_row_and_every_state_is_reached_and_left() {
        for (word, step) in Step::ALL {
            assert_eq!(STEPS.iter().filter(|row| row.step == *step).count(), 1, "{word}");
        }
        for (word, state) in UnitState::ALL {
            let reached = STEPS.iter().any(|row| row.to == To::State(*state));
            let by_other_means = [AdvanceShipped, Held, Returned].contains(state);
            assert_eq!(reached, !by_other_means, "{word}");
            assert_eq!(from(*state).next().is_none(), state.is_final(), "{word}");
        }
    }

    #[test]
    fn nothing_leaves_the_house_without_an_interlock() {
        for step in [Step::Ship, Step::VendorShip, Step::AdvanceShip, Step::Credit, Step::Close, Step::Repair] {
            assert!(of(step).guard.is_some(), "{step}");
        }
    }
}
