//! What a scan may be. A payload rarely proves what it is (12 digits may be a MAC address, a UPC or a
//! tracking number), so a scan becomes ranked candidates and the step the operator is in decides.

use std::fmt;

/// What a candidate claims to be. The JSON words are these names in snake case.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An RMA number, ours or one that matches a program's pattern.
    Rma,
    /// A unit's serial number.
    Serial,
    /// A unit's MAC address.
    Mac,
    /// A GS1 trade item number (GTIN-8, -12, -13, -14).
    Gtin,
    /// A GS1 serial shipping container code.
    Sscc,
    /// A mobile device identity (IMEI).
    Imei,
    /// A maker's part or model number.
    Part,
    /// A carrier's tracking number.
    Tracking,
    /// A worker's badge.
    Badge,
    /// One of the [`Command`] barcodes.
    Command,
    /// One of the [`Answer`] barcodes.
    Answer,
    /// The code of a label that a station printed ([`super::label_code`]).
    Label,
    /// A web address.
    Url,
    /// None of these; never dropped.
    Unknown,
}

impl Kind {
    /// The word used in JSON, tables and on screens.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Rma => "rma",
            Kind::Serial => "serial",
            Kind::Mac => "mac",
            Kind::Gtin => "gtin",
            Kind::Sscc => "sscc",
            Kind::Imei => "imei",
            Kind::Part => "part",
            Kind::Tracking => "tracking",
            Kind::Badge => "badge",
            Kind::Command => "command",
            Kind::Answer => "answer",
            Kind::Label => "label",
            Kind::Url => "url",
            Kind::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One reading of a scan.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Candidate {
    pub kind: Kind,
    /// The canonical form: MAC 12 upper-case hex digits, SSCC 18 digits without its identifier,
    /// tracking number upper case without blanks, serial as [`super::text::serial_key`] gives it,
    /// commands and answers as their word. Always printable ASCII (anything else escaped).
    pub value: String,
    /// 0..=100. Comparable within one scan only: a rank that says how far to trust it, not a probability.
    pub confidence: u8,
    /// Why this reading was made, in words for the operator.
    pub why: String,
    /// The maker that the value itself gives away (a MAC address by its OUI).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// The carrier of a tracking number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// The carrier's service, where the number itself says it. A hint, not a proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
}

impl Candidate {
    /// A reading with no maker, carrier or service; `confidence` above 100 counts as 100.
    pub fn new(kind: Kind, value: impl Into<String>, confidence: u8, why: impl Into<String>) -> Candidate {
        Candidate {
            kind,
            value: value.into(),
            confidence: confidence.min(100),
            why: why.into(),
            brand: None,
            carrier: None,
            service: None,
        }
    }
}

/// What the operator tells the station by scanning a command barcode.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Command {
    Done,
    Cancel,
    Undo,
    Reprint,
    NotThere,
    Hold,
    Photo,
    Supervisor,
}

impl Command {
    /// Every command, in the order of the wall sheet.
    pub const ALL: [Command; 8] = [
        Command::Done,
        Command::Cancel,
        Command::Undo,
        Command::Reprint,
        Command::NotThere,
        Command::Hold,
        Command::Photo,
        Command::Supervisor,
    ];

    /// The word in the barcode.
    pub fn as_str(self) -> &'static str {
        match self {
            Command::Done => "DONE",
            Command::Cancel => "CANCEL",
            Command::Undo => "UNDO",
            Command::Reprint => "REPRINT",
            Command::NotThere => "NOTTHERE",
            Command::Hold => "HOLD",
            Command::Photo => "PHOTO",
            Command::Supervisor => "SUPERVISOR",
        }
    }

    /// The command that `text` is, as a whole and in any case.
    pub fn parse(text: &str) -> Option<Command> {
        Command::ALL.into_iter().find(|c| c.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the operator answers by scanning an answer barcode.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Answer {
    Yes,
    No,
    Other,
    Unknown,
    /// The numbered answer on the screen, 1..=9.
    Option(u8),
}

impl Answer {
    /// The answer that `text` is, as a whole and in any case: `YES NO OTHER UNKNOWN OPT1`..`OPT9`.
    pub fn parse(text: &str) -> Option<Answer> {
        match text.to_ascii_uppercase().as_str() {
            "YES" => Some(Answer::Yes),
            "NO" => Some(Answer::No),
            "OTHER" => Some(Answer::Other),
            "UNKNOWN" => Some(Answer::Unknown),
            upper => match upper.strip_prefix("OPT")?.as_bytes() {
                [digit @ b'1'..=b'9'] => Some(Answer::Option(digit - b'0')),
                _ => None,
            },
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Yes => f.write_str("YES"),
            Answer::No => f.write_str("NO"),
            Answer::Other => f.write_str("OTHER"),
            Answer::Unknown => f.write_str("UNKNOWN"),
            Answer::Option(n) => write!(f, "OPT{n}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_in_any_case() {
        for c in Command::ALL {
            assert_eq!(Command::parse(&c.to_string()), Some(c));
            assert_eq!(Command::parse(&c.to_string().to_lowercase()), Some(c));
        }
        let answers = [Answer::Yes, Answer::No, Answer::Other, Answer::Unknown];
        for a in answers.into_iter().chain((1..=9).map(Answer::Option)) {
            assert_eq!(Answer::parse(&a.to_string()), Some(a));
            assert_eq!(Answer::parse(&a.to_string().to_lowercase()), Some(a));
        }
    }

    #[test]
    fn a_word_counts_only_as_the_whole_payload() {
        for bad in ["", "DONE ", "DONE1", "OPT", "OPT0", "OPT10", "OPT1 ", "YESNO", "\u{df}"] {
            assert_eq!(Command::parse(bad), None, "{bad}");
            assert_eq!(Answer::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn kinds_are_spelt_alike_in_json_and_on_screen() {
        for (kind, word) in
            [(Kind::Rma, "rma"), (Kind::Sscc, "sscc"), (Kind::Tracking, "tracking"), (Kind::Unknown, "unknown")]
        {
            assert_eq!(serde_json::to_value(kind).ok(), Some(serde_json::Value::from(word)));
            assert_eq!(kind.as_str(), word);
        }
    }

    #[test]
    fn what_is_not_known_is_left_out_of_json() {
        let c = Candidate::new(Kind::Unknown, "x", 200, "y");
        assert_eq!(
            serde_json::to_string(&c).ok().as_deref(),
            Some(r#"{"kind":"unknown","value":"x","confidence":100,"why":"y"}"#)
        );
    }
}
