//! What the QR code on a label says besides the RMA number: which job printed it. So the label in
//! somebody's hand answers for itself whether it came out.
//!
//! Form: the RMA number, `J`, the job's number, `J`, the station's two-character code, and the check
//! character (ISO/IEC 7064 MOD 37,36) over all letters and digits before it. Letters and digits only, beyond what the
//! RMA number itself has, so that a scanner with a wrong keyboard layout does the least harm.

use super::check37;
use super::job::JobId;

/// Most digits of a job's number that are looked at.
const DIGITS_MAX: usize = 12;

/// A label's code, read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LabelCode<'a> {
    pub rma: &'a str,
    /// `[station] code` of the station that printed it.
    pub station: &'a str,
    pub job: JobId,
}

impl<'a> LabelCode<'a> {
    /// Reads a code in upper case; `None` where the text is none, or a character of it was misread.
    pub fn parse(text: &'a str) -> Option<LabelCode<'a>> {
        let (body, check) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let (before, station) = body.split_at_checked(body.len().checked_sub(2)?)?;
        let (rma, job) = before.strip_suffix('J')?.rsplit_once('J')?;
        let own = |b: u8| b.is_ascii_digit() || b.is_ascii_uppercase();
        let whole = !rma.is_empty()
            && station.bytes().all(own)
            && (1..=DIGITS_MAX).contains(&job.len())
            && job.bytes().all(|b| b.is_ascii_digit())
            && !job.starts_with('0');
        if !whole || check_of(body).is_none_or(|c| check != c.encode_utf8(&mut [0; 4])) {
            return None;
        }
        Some(LabelCode { rma, station, job: job.parse().ok()? })
    }
}

impl std::fmt::Display for LabelCode<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body = format!("{}J{}J{}", self.rma, self.job, self.station);
        // There is always a letter in it.
        let check = check_of(&body).unwrap_or('0');
        write!(f, "{body}{check}")
    }
}

/// The check character over the letters and digits of a text, their case not counted.
fn check_of(text: &str) -> Option<char> {
    let own: String = text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    check37::check_char(&own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_code_is_read_as_it_was_written_and_nothing_else_is_one() {
        let code = LabelCode { rma: "RMA-10234", station: "D1", job: 17 };
        let text = code.to_string();
        assert!(text.starts_with("RMA-10234J17JD1") && text.len() == 16, "{text}");
        assert_eq!(LabelCode::parse(&text), Some(code));
        // A station whose code looks like part of a number, an RMA number with a J in it.
        for (rma, station, job) in [("R26J1000012", "11", 1), ("J", "JJ", 999_999_999_999), ("A/B", "0J", 10)] {
            let code = LabelCode { rma, station, job };
            assert_eq!(LabelCode::parse(&code.to_string()), Some(code));
        }
        for text in ["", "J", "J17JD1K", "R26D1000012", "XJ017JD10", "XJJD1K", "XJD1", "\u{c4}J1J\u{c4}K", "done"] {
            assert_eq!(LabelCode::parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_wrong_character_makes_another_label(job in 1i64..1_000_000, at in 0usize..20, put in "[0-9A-Z]") {
            let text = LabelCode { rma: "R26D100001", station: "D1", job }.to_string();
            let mut wrong = text.clone();
            let at = at.min(text.len() - 1);
            wrong.replace_range(at..=at, &put);
            prop_assume!(wrong != text);
            prop_assert_eq!(LabelCode::parse(&wrong), None);
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            if let Some(code) = LabelCode::parse(&text) {
                prop_assert_eq!(code.to_string(), text);
            }
        }
    }
}
