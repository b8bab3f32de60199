//! What can go wrong with a printer, by name.
//!
//! Arrives: the operator's word, `NAME@LABEL` or `NAME@LABEL:SECONDS`. Leaves: a [`Fault`], which the
//! engine carries out once. Promised: a name that is not known is refused with the list of those that
//! are; nothing is guessed.
//!
//! `LABEL` counts the labels the printer was asked for, from 1. A fault of the *paper* strikes when the
//! print engine comes to that label; a fault of the *wire* strikes when the bytes of the format that
//! begins with that label (or with the first later one) arrive; a format that only sets something counts as
//! the one of the label after it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A condition of the printer that lasts until it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Trouble {
    /// No media under the head.
    PaperOut,
    /// The ribbon is used up.
    RibbonOut,
    /// The head is up.
    HeadOpen,
    /// Paused at the front panel or by `~PP`.
    Paused,
    /// The head is too hot; it prints again when cooled.
    OverTemperature,
    /// No power: connections are gone, buffers lost, nobody listens.
    PowerOff,
    /// Connections are accepted but nothing is read.
    NeverRead,
    /// Questions stay unanswered.
    Silent,
    /// Answers are nonsense.
    Garbage,
    /// Answers stop half-way.
    Half,
    /// Nobody listens on the port.
    Refuse,
}

impl Trouble {
    /// Every trouble, in the order of the list that error messages show.
    pub const ALL: [Self; 11] = [
        Self::PaperOut,
        Self::RibbonOut,
        Self::HeadOpen,
        Self::Paused,
        Self::OverTemperature,
        Self::PowerOff,
        Self::NeverRead,
        Self::Silent,
        Self::Garbage,
        Self::Half,
        Self::Refuse,
    ];

    /// The word used on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PaperOut => "paper-out",
            Self::RibbonOut => "ribbon-out",
            Self::HeadOpen => "head-open",
            Self::Paused => "pause",
            Self::OverTemperature => "over-temp",
            Self::PowerOff => "power-off",
            Self::NeverRead => "never-read",
            Self::Silent => "silent",
            Self::Garbage => "garbage",
            Self::Half => "half",
            Self::Refuse => "refuse",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Trouble {
    type Err = FaultError;

    fn from_str(word: &str) -> Result<Self, FaultError> {
        Self::ALL
            .into_iter()
            .find(|t| t.name() == word)
            .ok_or_else(|| FaultError::Name { word: word.to_owned(), known: names(Self::ALL.map(Self::name)) })
    }
}

/// What a fault does. The names are those of [`Kind::name`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A [`Trouble`] begins. `paper-out ribbon-out head-open pause over-temp`: before the label comes
    /// out. `power-off`: in the middle of printing it; the label is lost, the odometer kept.
    /// `never-read silent garbage half`: when the label's first byte arrives. `refuse`: likewise, but
    /// the byte is thrown away and every open connection is reset too.
    Begin(Trouble),
    /// `paper-out-mid`: paper runs out in the middle of the label. A damaged piece comes out, which the
    /// odometer does not count; with `^JZY` (the printer's default) the label is printed again.
    PaperOutMid,
    /// `reset`: TCP RST in the middle of the label's bytes. The buffer keeps what it got, as an open
    /// format.
    Reset,
    /// `swap`: when the label's last byte is in, connections are reset and another printer stands at
    /// the address: other serial number, and an odometer that happens to be one higher than before.
    Swap,
    /// `reprint`: paper runs out just as the label is out, whole and counted; with `^JZY` the printer
    /// takes it for interrupted and prints it again, and counts that too.
    Reprint,
    /// `lost-label`: the label is taken and never printed; the odometer does not move.
    LostLabel,
    /// `extra`: the odometer jumps by 2 for this one label.
    Extra,
}

impl Kind {
    const OTHERS: [Self; 6] = [Self::PaperOutMid, Self::Reset, Self::Swap, Self::Reprint, Self::LostLabel, Self::Extra];

    /// Every kind of fault.
    pub fn all() -> impl Iterator<Item = Self> {
        Trouble::ALL.into_iter().map(Self::Begin).chain(Self::OTHERS)
    }

    /// The word used on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Begin(trouble) => trouble.name(),
            Self::PaperOutMid => "paper-out-mid",
            Self::Reset => "reset",
            Self::Swap => "swap",
            Self::Reprint => "reprint",
            Self::LostLabel => "lost-label",
            Self::Extra => "extra",
        }
    }

    /// Whether the fault leaves a condition behind that can end after some seconds.
    #[must_use]
    pub fn lasts(self) -> bool {
        matches!(self, Self::Begin(_) | Self::PaperOutMid | Self::Reprint)
    }
}

/// One thing that goes wrong, once: `NAME@LABEL`, or `NAME@LABEL:SECONDS` where it ends by itself.
///
/// Without seconds a lasting fault ends only by [`super::engine::Control`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What happens.
    pub kind: Kind,
    /// At which label, from 1.
    pub label: u64,
    /// After what time it ends by itself; whole milliseconds count.
    pub lasts: Option<Duration>,
}

/// Longest time a fault may last: a week, so that no sum of times can overflow.
const LONGEST_SECONDS: f64 = 604_800.0;

/// Why a fault's text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// Not `NAME@LABEL[:SECONDS]`.
    #[error("fault `{0}`: write NAME@LABEL or NAME@LABEL:SECONDS, such as paper-out@3:2.5")]
    Shape(String),
    /// No fault of that name.
    #[error("fault `{word}` is not known; known are {known}")]
    Name {
        /// The word as written.
        word: String,
        /// The known names, separated by spaces.
        known: String,
    },
    /// The label is no number from 1.
    #[error("fault `{0}`: the label after @ is a whole number from 1")]
    Label(String),
    /// The seconds are no number, negative, or more than a week.
    #[error("fault `{0}`: the seconds after : are a number from 0 to 604800, such as 2.5")]
    Seconds(String),
    /// Seconds where nothing lasts.
    #[error("fault `{0}` happens at once and is over; leave the seconds out")]
    Momentary(String),
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let whole = || text.to_owned();
        let (name, rest) = text.split_once('@').ok_or_else(|| FaultError::Shape(whole()))?;
        let (label, seconds) = match rest.split_once(':') {
            Some((label, seconds)) => (label, Some(seconds)),
            None => (rest, None),
        };
        let kind = Kind::all()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| FaultError::Name { word: name.to_owned(), known: names(Kind::all().map(Kind::name)) })?;
        let label = match label.parse() {
            Ok(label) if label > 0 => label,
            _ => return Err(FaultError::Label(whole())),
        };
        let lasts = match seconds {
            None => None,
            Some(_) if !kind.lasts() => return Err(FaultError::Momentary(whole())),
            Some(seconds) => match seconds.parse::<f64>() {
                Ok(s) if (0.0..=LONGEST_SECONDS).contains(&s) => Some(Duration::from_secs_f64(s)),
                _ => return Err(FaultError::Seconds(whole())),
            },
        };
        Ok(Self { kind, label, lasts })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.kind.name(), self.label)?;
        match self.lasts {
            Some(lasts) => write!(f, ":{}", lasts.as_secs_f64()),
            None => Ok(()),
        }
    }
}

fn names(all: impl IntoIterator<Item = &'static str>) -> String {
    all.into_iter().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_name_is_read_and_written_back() {
        for kind in Kind::all() {
            let text = format!("{}@7", kind.name());
            let fault: Fault = text.parse().expect("a known name");
            assert_eq!(fault.kind, kind);
            assert_eq!(fault.to_string(), text);
        }
        let timed: Fault = "paper-out@3:2.5".parse().expect("with seconds");
        assert_eq!(timed.lasts, Some(Duration::from_millis(2500)));
        assert_eq!(timed.to_string(), "paper-out@3:2.5");
    }

    #[test]
    fn what_is_not_meant_is_refused_with_the_way_out() {
        let cases = [
            ("paper-out", "NAME@LABEL"),
            ("paperout@3", "paper-out ribbon-out head-open"),
            ("paper-out@0", "whole number from 1"),
            ("paper-out@x", "whole number from 1"),
            ("paper-out@3:", "number from 0"),
            ("paper-out@3:-1", "number from 0"),
            ("paper-out@3:inf", "number from 0"),
            ("paper-out@3:NaN", "number from 0"),
            ("reset@3:1", "leave the seconds out"),
        ];
        for (text, wanted) in cases {
            let error = text.parse::<Fault>().expect_err(text).to_string();
            assert!(error.contains(wanted), "{text}: {error}");
        }
        let error = "jam".parse::<Trouble>().expect_err("no such").to_string();
        assert!(error.contains("never-read"), "{error}");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<Fault>();
        }
    }
}
