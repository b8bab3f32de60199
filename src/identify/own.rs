//! Barcodes of our own: commands, answers, badges, and the RMA numbers that this house gives out.

use crate::domain::check37;
use crate::domain::identity::{Answer, Candidate, Command, Kind};
use crate::domain::label_code::LabelCode;

/// What a badge barcode begins with.
const BADGE: &str = "BADGE";

/// Longest badge id, in characters.
const BADGE_MAX: usize = 32;

/// Reads the whole payload as a command, an answer or a badge. `prefix` stands in front of each of them;
/// neither its case nor that of the word counts.
pub fn word(text: &str, prefix: &str) -> Option<Candidate> {
    let word = after(text, prefix)?;
    if let Some(command) = Command::parse(word) {
        return Some(Candidate::new(Kind::Command, command.as_str(), 100, "a command barcode"));
    }
    if let Some(answer) = Answer::parse(word) {
        return Some(Candidate::new(Kind::Answer, answer.to_string(), 100, "an answer barcode"));
    }
    let id = after(word, BADGE)?;
    let fits = (1..=BADGE_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric());
    fits.then(|| Candidate::new(Kind::Badge, id.to_ascii_uppercase(), 100, "a badge barcode"))
}

/// The code of a label of ours (upper case): the label, and the RMA number that it says besides.
pub fn label(text: &str) -> Vec<Candidate> {
    let Some(code) = LabelCode::parse(text) else { return Vec::new() };
    let why = format!("the code of label {} of station {}", code.job, code.station);
    vec![
        Candidate::new(Kind::Label, text, 99, why),
        Candidate::new(Kind::Rma, code.rma, 80, "the RMA number in the code of a label"),
    ]
}

/// What stands behind `prefix`, in any case.
fn after<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, tail) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(tail)
}

/// Whether a text has the shape of our RMA numbers, and whether its check character is right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rma {
    Ours,
    WrongCheck,
    NotOurs,
}

/// Looks at `text` (upper case) as `R`, two digits of the year, a two-character station code, five
/// characters and the check character (ISO/IEC 7064 MOD 37,36, never I or O): 11 in all.
pub fn rma(text: &str) -> Rma {
    let ours = match text.as_bytes() {
        [b'R', y1, y2, rest @ ..] => {
            y1.is_ascii_digit()
                && y2.is_ascii_digit()
                && rest.len() == 8
                && rest.iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
        }
        _ => false,
    };
    match (ours, check37::valid(text) && !text.ends_with(['I', 'O'])) {
        (true, true) => Rma::Ours,
        (true, false) => Rma::WrongCheck,
        (false, _) => Rma::NotOurs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, prefix: &str) -> Option<(Kind, String)> {
        word(text, prefix).map(|c| (c.kind, c.value))
    }

    #[test]
    fn a_word_is_the_whole_payload_behind_the_prefix() {
        for (text, prefix, want) in [
            ("done", "", Some((Kind::Command, "DONE"))),
            ("NotThere", "", Some((Kind::Command, "NOTTHERE"))),
            ("opt9", "", Some((Kind::Answer, "OPT9"))),
            ("UNKNOWN", "", Some((Kind::Answer, "UNKNOWN"))),
            ("badgeb7", "", Some((Kind::Badge, "B7"))),
            ("bdDONE", "BD", Some((Kind::Command, "DONE"))),
            ("DONE", "BD", None),
            ("BADGE7", "BD", None),
            ("BDBADGE7", "bd", Some((Kind::Badge, "7"))),
            ("BADGE", "", None),
            ("BADGE-7", "", None),
            ("BADGE7 ", "", None),
            ("DONE\r", "", None),
            ("DONE1", "", None),
            ("B", "BD", None),
            ("\u{c4}\u{d6}", "BD", None),
            ("", "", None),
        ] {
            assert_eq!(read(text, prefix), want.map(|(k, v)| (k, v.to_owned())), "{text:?} behind {prefix:?}");
        }
        assert_eq!(read(&format!("BADGE{}", "7".repeat(33)), ""), None);
    }

    #[test]
    fn our_rma_numbers_have_their_shape_and_check_character() {
        let good = ["R26D100008", "R26D1ABCDE", "R99ZZZZZZZ"]
            .map(|body| format!("{body}{}", check37::check_char(body).unwrap()));
        for text in &good {
            assert_eq!(rma(text), Rma::Ours, "{text}");
            assert_eq!(rma(&text.replace('R', "S")), Rma::NotOurs);
            assert_eq!(rma(&text.to_lowercase()), Rma::NotOurs);
            assert_eq!(rma(&text[..10]), Rma::NotOurs);
        }
        let mut swapped = good[0].clone().into_bytes();
        swapped.swap(4, 5);
        assert_eq!(rma(&String::from_utf8(swapped).unwrap()), Rma::WrongCheck);
        // A number whose check character is I or O is never given out.
        let skipped = (0..100)
            .map(|n| format!("R26D1000{n:02}"))
            .find(|b| matches!(check37::check_char(b), Some('I' | 'O')))
            .unwrap();
        assert_eq!(rma(&format!("{skipped}{}", check37::check_char(&skipped).unwrap())), Rma::WrongCheck);
    }
}
