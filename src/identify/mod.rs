//! A scan becomes ranked candidates: what it may be, best first, each with its reason.
//!
//! Arrives: one [`Scan`] and what the station knows besides it. Leaves: at least one [`Candidate`].
//! Promised: no payload is dropped (what has no known form is `unknown`), every part of a composite
//! payload is named, the same scan in the same step gives the same answer, and no input panics.
//!
//! Each file reads one family and knows nothing of the others' rank. Here they are tried in order: our own
//! words, then envelopes (ISO 15434, web address, GS1, keyed labels), and where there is no envelope the
//! forms of bare data. The step the operator is in shifts the rank and never removes a candidate.

mod addresses;
mod carriers;
mod controls;
mod decode;
mod digits;
mod foreign;
mod gs1;
mod hibc;
mod iso15434;
mod labels;
mod makers;
mod mh10;
mod own;
mod parts;
mod plain;
mod symbology;
mod table;
mod url;

pub use makers::brand_of;

use crate::domain::identity::{Candidate, Kind};
use crate::domain::text::escaped;
use crate::scan::Scan;

/// What the operator is doing; it ranks the candidates, it never removes one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Nothing is known of what comes next.
    #[default]
    Any,
    /// A box is being received: tracking and RMA numbers come first.
    Box,
    /// A unit is being received: serials and MAC addresses come first.
    Unit,
}

/// What is known besides the scan.
pub struct Context<'a> {
    pub step: Step,
    /// Stands in front of every command, answer and badge barcode; empty for none. Case does not count.
    pub prefix: &'a str,
    /// Whether a text (upper case) is an RMA number by the pattern of a program served here.
    pub rma_pattern: &'a dyn Fn(&str) -> bool,
}

/// A reading below this is offered for the store to ask about, and never taken by itself.
pub const DOUBTFUL: u8 = 20;

/// How far the step shifts the confidence of what it expects, and of what it does not.
const STEP_SHIFT: i16 = 15;

/// Lines of a text that are looked at.
const LINES_MAX: usize = 64;

/// An envelope whose parts are all trusted less than this may be none.
const IN_DOUBT: u8 = 60;

/// A program's own pattern says so; patterns may be as wide as "eight digits".
const BY_PATTERN: u8 = 75;

/// More candidates than any label has parts are cut off, the least likely first.
const CANDIDATES_MAX: usize = 64;

/// Everything the scan may be, best first; never empty.
pub fn identify(scan: &Scan, context: &Context) -> Vec<Candidate> {
    let text = decode::text(scan);
    if let Some(word) = own::word(&text, context.prefix) {
        return vec![word];
    }
    let text = text.trim();
    let mut found = readings(scan, text);
    let upper = text.to_ascii_uppercase();
    found.extend(own::label(&upper));
    if !text.is_empty() && (context.rma_pattern)(&upper) {
        found.push(Candidate::new(
            Kind::Rma,
            escaped(upper.as_bytes()),
            BY_PATTERN,
            "matches a program's RMA number pattern",
        ));
    }
    if found.is_empty() {
        let why = match foreign::warning(text) {
            Some(warning) => warning,
            None if scan.data().is_empty() => "an empty scan".to_owned(),
            None => "no known form".to_owned(),
        };
        found.push(Candidate::new(Kind::Unknown, escaped(scan.data()), 1, why));
    }
    ranked(found, context.step)
}

/// The readings of an envelope, those of a bare payload where there is none or it is in doubt, and that of
/// a carrier's number beside them.
fn readings(scan: &Scan, text: &str) -> Vec<Candidate> {
    let restored = controls::restored(text);
    let inside = restored.as_deref().unwrap_or(text);
    let told_gs1 = scan.aim.is_some_and(symbology::is_gs1);
    let envelopes: [&dyn Fn() -> Vec<Candidate>; 5] = [
        &|| iso15434::read(inside),
        &|| url::read(text),
        &|| gs1::read(inside, told_gs1),
        &|| hibc::read(text),
        &|| labels::read(inside),
    ];
    let mut found = envelopes.iter().map(|read| read()).find(|found| !found.is_empty()).unwrap_or_default();
    if found.is_empty() {
        // A web address on a line of its own, in a text.
        found = text.lines().filter(|line| line.len() < text.len()).take(LINES_MAX).flat_map(url::read).collect();
    }
    // An article's number with its own check digit outweighs what a carrier's may come to by chance.
    let article = found.iter().any(|c| c.kind == Kind::Gtin && c.confidence >= 90);
    if found.iter().all(|c| c.confidence < IN_DOUBT) {
        found.extend(plain::read(text, scan.aim));
        found.extend(mh10::bare(text));
    }
    // An article's symbol carries no tracking number, whatever its digits come to.
    if !scan.aim.is_some_and(symbology::is_article) {
        let numbers = carriers::read(text).into_iter();
        found.extend(numbers.map(|c| Candidate { confidence: c.confidence.min(if article { 50 } else { 100 }), ..c }));
    }
    found.extend(foreign::scheme(text));
    if let Some(setup) = foreign::setup(text) {
        found.iter_mut().for_each(|c| c.confidence = c.confidence.min(foreign::BESIDE_SETUP));
        found.push(setup);
    }
    found
}

/// One candidate for each kind and value, best first for the step.
fn ranked(found: Vec<Candidate>, step: Step) -> Vec<Candidate> {
    let mut ranked: Vec<(i16, Candidate)> = Vec::with_capacity(found.len());
    for mut candidate in found {
        let rank = i16::from(candidate.confidence) + shift(candidate.kind, step);
        if candidate.kind != Kind::Unknown {
            candidate.confidence = u8::try_from(rank.clamp(2, 99)).unwrap_or(0);
        }
        match ranked.iter_mut().find(|(_, c)| c.kind == candidate.kind && c.value == candidate.value) {
            Some(same) if same.0 < rank => *same = (rank, candidate),
            Some(_) => (),
            None => ranked.push((rank, candidate)),
        }
    }
    // Stable: equals stay in the order in which they stand in the payload.
    ranked.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
    ranked.into_iter().take(CANDIDATES_MAX).map(|(_, c)| c).collect()
}

fn shift(kind: Kind, step: Step) -> i16 {
    use Kind::{Answer, Badge, Command, Gtin, Imei, Mac, Part, Rma, Serial, Sscc, Tracking, Unknown, Url};
    let expected = match (kind, step) {
        (_, Step::Any) | (Badge | Command | Answer | Kind::Label | Unknown, _) => return 0,
        (Tracking | Rma | Sscc, step) => step == Step::Box,
        (Serial | Mac | Imei, step) => step == Step::Unit,
        (Gtin | Part | Url, _) => false,
    };
    if expected { STEP_SHIFT } else { -STEP_SHIFT }
}

#[cfg(test)]
mod tests;
