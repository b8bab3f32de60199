//! The file as a whole: bands without gap or overlap, a complete matrix, no row that can never apply,
//! no two rows that say the same twice, a next step for every action.
//!
//! In: a program and its file, read without a mistake in any single line. Out: problems at the lines
//! where a clerk would look. Promised: a program that passes answers every unit in exactly one cell.

use crate::domain::verdict::{Action, Coverage, Name};
use crate::strict_toml::Table;

use super::Program;
use super::rows::{Row, Rows};
use super::subject::{Fixed, Mask, Number, Subject, When};

/// Most places a matrix may have.
const PLACES_MAX: usize = 2_000;

pub(super) fn whole(root: &Table<'_>, program: &Program) {
    bands(root, program);
    brands(root, program);
    cases(root, program);
    matrix(root, program);
    rows(root, "", &program.general, &When::default(), program);
    for cell in &program.cells {
        rows(root, "cell.", &cell.rows, &cell.when, program);
    }
    next(root, program);
}

/// Every age from 0 on, in and out of warranty, belongs to exactly one band.
fn bands(root: &Table<'_>, program: &Program) {
    if program.bands.is_empty() {
        return;
    }
    for (at, band) in program.bands.iter().enumerate() {
        if program.bands[..at].iter().any(|earlier| earlier.name == band.name) {
            root.problem_at(band.line, "band", format!("{:?} is named twice", &*band.name));
        }
    }
    let range = |when: &When| {
        when.ranges.iter().find(|r| r.number == Number::AgeDays).map_or((0, i64::MAX), |r| (r.from.max(0), r.to))
    };
    // Ages at which something changes; between two of them all ages are alike.
    let mut ages: Vec<i64> = vec![0];
    for band in &program.bands {
        let (from, to) = range(&band.when);
        ages.push(from);
        ages.extend(to.checked_add(1));
    }
    ages.sort_unstable();
    ages.dedup();
    for (word, coverage) in Coverage::ALL {
        if !possible(program, *coverage) {
            continue;
        }
        let bit = 1u128 << Coverage::ALL.iter().position(|(_, c)| c == coverage).unwrap_or(0);
        for age in &ages {
            let mut fitting = program.bands.iter().filter(|band| {
                let (from, to) = range(&band.when);
                from <= *age && *age <= to && band.when.bits(Fixed::Coverage.into()) & bit != 0
            });
            match (fitting.next(), fitting.next()) {
                (None, _) => root.problem("band", format!("no band for day {age} when {word}: the bands leave a gap")),
                (Some(a), Some(b)) => root.problem_at(
                    b.line,
                    "band",
                    format!("bands {:?} and {:?} overlap on day {age} when {word}", &*a.name, &*b.name),
                ),
                _ => {}
            }
        }
    }
}

fn brands(root: &Table<'_>, program: &Program) {
    let brands = &program.calendar.warranty.brands;
    for (at, brand) in brands.iter().enumerate() {
        if brands[..at].iter().any(|other| other.name.eq_ignore_ascii_case(&brand.name)) {
            root.problem("brand", format!("{:?} is named twice", &*brand.name));
        }
    }
}

/// Whether a unit of this program can have this coverage at all; `unknown` belongs nowhere.
fn possible(program: &Program, coverage: Coverage) -> bool {
    match coverage {
        Coverage::InWarranty | Coverage::OutOfWarranty => true,
        Coverage::Plan => program.calendar.warranty.plan,
        Coverage::Void => program.void_list.is_some(),
        Coverage::Unknown => false,
    }
}

fn cases(root: &Table<'_>, program: &Program) {
    for (at, case) in program.cases.iter().enumerate() {
        if let Some(subject) = case.when.impossible() {
            root.problem_at(
                case.line,
                "case",
                format!(
                    "{:?} can never apply: nothing satisfies its conditions on {}",
                    &*case.name,
                    program.subjects.name(subject)
                ),
            );
        }
        if let Some(earlier) = program.cases[..at].iter().find(|earlier| earlier.when.covers(&case.when)) {
            root.problem_at(
                case.line,
                "case",
                format!(
                    "{:?} can never apply: {:?} on line {} takes all of it",
                    &*case.name, &*earlier.name, earlier.line
                ),
            );
        }
    }
}

/// Values a matrix must have cells for: all that a unit with complete facts can have.
fn places(program: &Program, axis: Subject) -> Vec<u8> {
    let values = program.subjects.values(axis);
    let all = 0..values.len() as u8;
    let fixed = [Fixed::Side, Fixed::Channel, Fixed::Brand, Fixed::Reason].map(Subject::from);
    if axis == Fixed::Coverage.into() {
        return all
            .filter(|v| Coverage::ALL.get(usize::from(*v)).is_some_and(|(_, c)| possible(program, *c)))
            .collect();
    }
    if axis == Fixed::Side.into() {
        let used = |v: &u8| program.subjects.channels.iter().any(|(_, side)| *side as u8 + 2 == *v);
        return all.skip(2).filter(used).collect();
    }
    all.skip(if fixed.contains(&axis) { 2 } else { 1 }).collect()
}

fn matrix(root: &Table<'_>, program: &Program) {
    let axes: Vec<(Subject, Vec<u8>)> = program.axes.iter().map(|axis| (*axis, places(program, *axis))).collect();
    if axes.is_empty() {
        if !program.cells.is_empty() {
            root.problem("matrix", "cells need the axes they are laid out by: [matrix] axes = [...]");
        }
        return;
    }
    let places = axes.iter().fold(1usize, |n, (_, values)| n.saturating_mul(values.len().max(1)));
    if places > PLACES_MAX {
        return root.problem("matrix", format!("has more than {PLACES_MAX} places"));
    }
    let mut combos: Vec<Vec<Mask>> = vec![Vec::new()];
    for (axis, values) in &axes {
        let longer = |combo: &Vec<Mask>| -> Vec<Vec<Mask>> {
            let with = |v: &u8| [combo.as_slice(), &[Mask { subject: *axis, bits: 1 << v }]].concat();
            values.iter().map(with).collect()
        };
        combos = combos.iter().flat_map(longer).collect();
    }
    for combo in combos {
        let place = When { masks: combo, ranges: Vec::new() };
        let mut fitting = program.cells.iter().filter(|cell| cell.when.covers(&place));
        let name = || {
            let words = place.masks.iter().map(|m| program.subjects.word(m.subject, m.bits.trailing_zeros() as u8));
            words.collect::<Vec<_>>().join(" x ")
        };
        match (fitting.next(), fitting.next()) {
            (None, _) => root.problem("matrix", format!("has no cell for {}", name())),
            (Some(a), Some(b)) => root.problem_at(
                b.line,
                "cell",
                format!("stands for {}, and so does the cell on line {}", name(), a.line),
            ),
            _ => {}
        }
    }
}

/// Checks every kind of row at one place; `around` is the place of the cell.
fn rows(root: &Table<'_>, place: &str, rows: &Rows, around: &When, program: &Program) {
    let check = Check { root, place, around, program };
    check.each("action", &rows.actions, |_, _| true);
    check.each("advance", &rows.advances, |_, _| true);
    check.each("route", &rows.routes, |_, _| true);
    check.each("vendor", &rows.vendors, |_, _| true);
    check.each("leg", &rows.legs, |a, b| a.leg == b.leg);
    check.each("charge", &rows.charges, |a, b| a.kind == b.kind);
    check.each("hold", &rows.holds, |a, b| a.code == b.code);
    check.each("ask", &rows.asks, |a, b| a == b);
    check.each("message", &rows.messages, |a, b| a.to == b.to && a.about == b.about);
    check.each("due", &rows.dues, |a, b| a.what == b.what && a.span == b.span);
    check.each("note", &rows.notes, |_, _| false);
}

struct Check<'a, 'r> {
    root: &'a Table<'r>,
    place: &'a str,
    around: &'a When,
    program: &'a Program,
}

impl Check<'_, '_> {
    /// `same`: two rows of which only one should apply at a time (for first-match rows: the second one
    /// is out of reach; for rows that add up: the same is said twice).
    fn each<E>(&self, kind: &str, rows: &[Row<E>], same: impl Fn(&E, &E) -> bool) {
        let key = format!("{}{kind}", self.place);
        for (at, row) in rows.iter().enumerate() {
            let when = self.around.and(&row.when);
            if let Some(subject) = when.impossible() {
                let subject = self.program.subjects.name(subject);
                self.root.problem_at(
                    row.line,
                    &key,
                    format!("can never apply: nothing satisfies its conditions on {subject}"),
                );
            }
            let earlier = rows[..at].iter().find(|e| same(&e.effect, &row.effect) && e.when.covers(&row.when));
            if let Some(earlier) = earlier {
                self.root.problem_at(
                    row.line,
                    &key,
                    format!("can never add anything: the row on line {} covers all of it", earlier.line),
                );
            }
        }
    }
}

/// Every action the file can answer with has its next step for the worker.
fn next(root: &Table<'_>, program: &Program) {
    let mut used: Vec<Action> = vec![Action::Hold];
    let all = std::iter::once(&program.general).chain(program.cells.iter().map(|cell| &cell.rows));
    used.extend(all.flat_map(|rows| rows.actions.iter().map(|row| row.effect)));
    for (name, action) in Action::ALL {
        let said: Option<&Name> = program.next.iter().find(|(a, _)| a == action).map(|(_, text)| text);
        if used.contains(action) && said.is_none() {
            root.problem("next", format!("says nothing for {name}: what does the worker do with the unit?"));
        }
    }
}
