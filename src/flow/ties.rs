//! Which of a scan's readings counts. The step ranked them; here the past has its say: what is on record
//! goes before what is not. Where two readings of one text are on record and name different things, or
//! none is and two are as likely, nobody guesses: the screen asks, and an answer barcode decides.

use super::{Dock, Way, kind_name, labels, outcome, screen};
use crate::domain::identity::{Answer, Candidate, Kind as Is};
use crate::domain::mac::Mac;
use crate::domain::screen::{Kind, Screen};
use crate::domain::tag::TagId;
use crate::identify::{DOUBTFUL, Step as Asking};
use crate::rma::Unanswered;

/// Answers that a question offers at most: `OPT1` to `OPT9`.
const OPTIONS_MAX: usize = 9;

/// Two readings that nobody knows are a tie when their confidences differ by less.
const TIE: u8 = 5;

/// What a reading names on record.
#[derive(Clone, PartialEq, Eq)]
enum Thing {
    /// A word of our own: it means itself.
    Word,
    Label(String),
    Rma(String),
    /// The package of a call tag.
    Parcel(TagId),
    /// The serial of the unit, or the MAC where several units have it.
    Unit(String),
}

/// The reading to act on and, where that is to be asked first, all that the question offers.
pub(super) fn choose<'c>(
    dock: &Dock,
    found: &'c [Candidate],
    asking: Asking,
) -> Result<(&'c Candidate, Vec<&'c Candidate>), Unanswered> {
    let mut known: Vec<(&Candidate, Thing)> = Vec::new();
    for candidate in found {
        if let Some(thing) = thing(dock, candidate, asking)?
            && known.iter().all(|(_, other)| *other != thing)
        {
            known.push((candidate, thing));
        }
    }
    // `identify` always answers with at least one candidate.
    let first = &found[0];
    let Some((chosen, thing)) = known.first().cloned() else {
        let tied = found.get(1).filter(|second| are_tied(first, second));
        return Ok((first, tied.map_or_else(Vec::new, |second| vec![first, second])));
    };
    if matches!(thing, Thing::Word | Thing::Label(_)) {
        return Ok((chosen, Vec::new()));
    }
    if chosen.confidence < DOUBTFUL {
        // Known, but hardly what was scanned: the port beside, say. Or it is what it says, and not on record.
        return Ok((chosen, vec![chosen, first]));
    }
    let mut tied: Vec<&Candidate> = vec![chosen];
    let others = known.iter().skip(1).map(|(other, _)| *other);
    tied.extend(others.filter(|other| other.confidence >= DOUBTFUL && of_one_text(chosen, other)));
    tied.truncate(OPTIONS_MAX);
    Ok((chosen, if tied.len() > 1 { tied } else { Vec::new() }))
}

/// What a candidate names on record, as far as this step looks for it.
fn thing(dock: &Dock, candidate: &Candidate, asking: Asking) -> Result<Option<Thing>, Unanswered> {
    let value = &candidate.value;
    Ok(match candidate.kind {
        Is::Command | Is::Answer | Is::Badge => Some(Thing::Word),
        Is::Label => labels::made(dock, value)?.map(|_| Thing::Label(value.clone())),
        Is::Rma => dock.know.rma(value)?.map(|rma| Thing::Rma(rma.number)),
        Is::Tracking | Is::Sscc => dock.know.tag_by_number(value)?.map(|now| Thing::Parcel(now.tag.id)),
        Is::Serial if asking == Asking::Unit => dock.know.by_serial(value)?.map(|ship| Thing::Unit(ship.serial)),
        Is::Mac if asking == Asking::Unit => match Mac::parse(value) {
            Some(mac) => match dock.know.by_mac(mac)?.as_slice() {
                [] => None,
                [ship] => Some(Thing::Unit(ship.serial.clone())),
                _ => Some(Thing::Unit(value.clone())),
            },
            None => None,
        },
        _ => None,
    })
}

/// Whether two candidates are readings of the same text, and not two parts of a label that has both.
fn of_one_text(one: &Candidate, other: &Candidate) -> bool {
    let within = |a: &str, b: &str| a.starts_with(b) || a.ends_with(b);
    one.value == other.value
        || one.kind == other.kind && (within(&one.value, &other.value) || within(&other.value, &one.value))
}

/// Whether two readings of which nothing is on record lead to different acts and are as likely.
fn are_tied(one: &Candidate, other: &Candidate) -> bool {
    let act = |kind: Is| match kind {
        Is::Serial | Is::Mac => 1,
        Is::Rma => 2,
        _ => 3,
    };
    one.value == other.value && act(one.kind) != act(other.kind) && one.confidence.abs_diff(other.confidence) < TIE
}

impl Way<'_> {
    /// Asks which reading is meant.
    pub(super) fn which(&mut self, tied: &[&Candidate]) -> Result<Screen, Unanswered> {
        self.session.asked = tied.iter().map(|c| (*c).clone()).collect();
        self.ask()
    }

    fn ask(&self) -> Result<Screen, Unanswered> {
        let asked = &self.session.asked;
        let last = Answer::Option(u8::try_from(asked.len()).unwrap_or(9));
        let title = format!("This barcode can be read in {} ways.", asked.len());
        let next = format!("Scan {} to {last} on the wall sheet, or CANCEL.", Answer::Option(1));
        let mut s = screen(outcome::WHICH, Kind::Ask, "WHICH?", title, next);
        for (option, candidate) in (1..).zip(asked) {
            s.why.push(format!("{}: {}", Answer::Option(option), self.in_words(candidate)?));
        }
        Ok(s)
    }

    /// A reading as a worker can tell it from the others.
    fn in_words(&self, candidate: &Candidate) -> Result<String, Unanswered> {
        let what = format!("{} {}", kind_name(candidate.kind), candidate.value);
        let on_record = match candidate.kind {
            Is::Rma => self.dock.know.rma(&candidate.value)?.map(|rma| rma.customer.unwrap_or_default()),
            Is::Serial | Is::Mac => {
                let (serial, mac) = match candidate.kind {
                    Is::Serial => (Some(candidate.value.as_str()), None),
                    _ => (None, Mac::parse(&candidate.value)),
                };
                let (ship, several) = self.shipment(serial, mac)?;
                let unit = ship.map(|s| [s.brand, s.model, Some(s.serial)].into_iter().flatten().collect::<Vec<_>>());
                unit.map(|words| words.join(" ")).or(several.then(|| "several units".to_owned()))
            }
            _ => None,
        };
        Ok(match on_record {
            Some(words) => format!("{what}, on record: {words}").trim_end_matches([':', ' ']).to_owned(),
            None => format!("{what} ({})", candidate.why),
        })
    }

    /// An answer barcode: the reading that it names, or the question once more.
    pub(super) fn answer(&mut self, word: &str, asked: Vec<Candidate>) -> Result<Screen, Unanswered> {
        if asked.is_empty() {
            return Ok(screen(
                outcome::NOT_NOW,
                Kind::Info,
                "NO QUESTION",
                format!("{word} answers a question, and none is open."),
                self.carry_on(),
            ));
        }
        let option = match Answer::parse(word) {
            Some(Answer::Option(n)) => asked.get(usize::from(n) - 1).cloned(),
            _ => None,
        };
        match option {
            Some(meant) => self.take(std::slice::from_ref(&meant), &meant, &[]),
            None => {
                self.session.asked = asked;
                self.ask()
            }
        }
    }
}
