//! Finds how a scanner is set, from what it makes of the barcodes of the test page ([`PROBES`]).
//!
//! Arrives: what was sent per pull of the trigger, suffix and all, as it was read with the settings of the
//! configuration. Leaves: which barcode it was, and in the end the [`Finding`]s, each with how it is mended.
//!
//! A scan is known again whatever was done to it on the way: for every barcode of the page it is worked out
//! what would have come if the scanner typed another layout or in other cases, with or without the AIM identifier,
//! with separators lost or replaced. What explains all scans together is the finding; where nothing has to be
//! explained there is none.

use super::Suffix;
use super::keys::{self, Layout, layout};
use crate::domain::probe::{Altered, LAST, PROBES, Probe};
use crate::domain::text::escaped;
use std::collections::BTreeSet;

/// How the scanner is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Expected {
    /// For one that types: the layout in the configuration.
    pub layout: Option<Layout>,
    /// `None` where the protocol itself ends a scan.
    pub suffix: Option<Suffix>,
    /// On a serial port, where a wrong speed makes other characters.
    pub serial: bool,
}

/// Something to be mended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// For programs.
    pub kind: &'static str,
    pub what: String,
    pub remedy: String,
}

/// What a scanner does to letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Case {
    Kept,
    /// Caps Lock.
    Turned,
    Upper,
    Lower,
}

/// One way in which the scanner may be set.
type Way = (Option<u8>, Case);

/// One scan, known again.
#[derive(Clone)]
struct Known {
    probe: &'static Probe,
    altered: Option<Altered>,
    /// All ways that explain it equally well.
    ways: BTreeSet<Way>,
    aim: bool,
    /// In front of the AIM identifier and between the data and the suffix, beyond what belongs there.
    before: String,
    behind: String,
    /// Separators that did not come as they are: the character, and what came instead.
    separators: Vec<(char, String)>,
    /// What ended it.
    end: &'static str,
    /// A key came that has no character.
    spoilt: bool,
}

/// What would come for a barcode, in one of its forms, from a scanner that is set in one way.
#[derive(Clone)]
struct Form {
    probe: &'static Probe,
    altered: Option<Altered>,
    way: Way,
    pieces: Vec<Vec<u8>>,
    /// Between the pieces and behind the last one.
    separators: Vec<char>,
}

/// The examination of one scanner.
#[derive(Clone)]
pub struct Exam {
    expected: Expected,
    forms: Vec<Form>,
    known: Vec<Known>,
    /// What was no barcode of the page.
    strange: Vec<String>,
    strange_count: usize,
}

/// What one scan was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard {
    Probe(&'static Probe),
    /// The barcode that ends the examination.
    Last,
    Strange,
}

/// Suffixes as they come, and their names in the configuration; the longest first.
const ENDS: [(&str, &str); 4] = [("\r\n", "crlf"), ("\r", "cr"), ("\n", "lf"), ("\t", "tab")];
/// At most so many bytes stand for one separator.
const GAP_MAX: usize = 6;
/// What a scanner is made to put around its data.
const EXTRA_MAX: usize = 12;
/// Sixteen strange scans say as much as a hundred.
const STRANGE_MAX: usize = 16;

impl Exam {
    pub fn new(expected: Expected) -> Exam {
        Exam { expected, forms: Form::all(expected), known: Vec::new(), strange: Vec::new(), strange_count: 0 }
    }

    /// Takes the bytes of one pull of the trigger. `spoilt`: a key came that stands for no character, and the station
    /// would have refused the scan.
    pub fn hear(&mut self, bytes: &[u8], spoilt: bool) -> Heard {
        let mut best: Option<(usize, Known)> = None;
        for form in &self.forms {
            let Some((cost, known)) = form.found(self.expected, bytes) else { continue };
            match &mut best {
                Some((least, same)) if *least == cost && (same.probe, same.altered) == (known.probe, known.altered) => {
                    same.ways.extend(known.ways);
                }
                Some((least, _)) if *least <= cost => {}
                _ => best = Some((cost, known)),
            }
        }
        match best {
            Some((_, known)) => {
                let probe = known.probe;
                self.known.push(Known { spoilt, ..known });
                if *probe == LAST { Heard::Last } else { Heard::Probe(probe) }
            }
            None => {
                self.strange_count += 1;
                if self.strange.len() < STRANGE_MAX {
                    self.strange.push(escaped(&bytes[..bytes.len().min(80)]));
                }
                Heard::Strange
            }
        }
    }

    /// How many scans came.
    pub fn scans(&self) -> usize {
        self.known.len() + self.strange_count
    }

    /// Barcodes that have not come yet, the last one aside.
    pub fn missing(&self) -> impl Iterator<Item = &'static Probe> {
        PROBES.iter().filter(|p| **p != LAST && !self.known.iter().any(|k| k.probe == *p))
    }

    /// What is to be mended, the gravest first.
    pub fn findings(&self) -> Vec<Finding> {
        let mut out = Vec::new();
        let mut say = |kind, what: String, remedy: String| out.push(Finding { kind, what, remedy });
        self.way(&mut say);
        self.separators(&mut say);
        self.suffix(&mut say);
        self.around(&mut say);
        self.numbers(&mut say);
        self.symbologies(&mut say);
        self.aim(&mut say);
        out
    }

    fn way(&self, say: &mut impl FnMut(&'static str, String, String)) {
        let Some(common) =
            self.known.iter().map(|k| k.ways.clone()).reduce(|a, b| a.intersection(&b).copied().collect())
        else {
            if !self.strange.is_empty() {
                let speed = if self.expected.serial { "check `baud` against the scanner's; " } else { "" };
                say(
                    "unreadable",
                    format!("no scan was a barcode of the test page; the first was \"{}\"", self.strange[0]),
                    format!(
                        "{speed}reset the scanner with the barcode \"factory defaults\" of its manual and set it up again"
                    ),
                );
            }
            return;
        };
        // In the order in which they are thought of: the configured one first.
        let Some((by, case)) = self.expected.ways().find(|way| common.contains(way)) else {
            say(
                "layout",
                "the scans contradict each other: no one keyboard layout explains them all".to_owned(),
                "scan the page again; if it stays so, reset the scanner with \"factory defaults\"".to_owned(),
            );
            return;
        };
        let name = |n: Option<u8>| n.and_then(|n| layout::NAMES.get(usize::from(n))).map_or("", |(name, _)| name);
        let own = self.expected.ways().next().and_then(|(own, _)| own);
        if by != own {
            say(
                "layout",
                format!("the scanner types on a keyboard {:?}, the configuration says {:?}", name(by), name(own)),
                format!(
                    "write layout = {:?} for it (in a [[scanner]] of its own, if it has none), or set its keyboard country to {:?} with a barcode of its manual",
                    name(by),
                    name(own)
                ),
            );
        }
        // On another keyboard a key may well mean nothing; on the right one it is one too many.
        if by == own && self.known.iter().any(|k| k.spoilt) {
            say(
                "key",
                "it presses a key that stands for no character (an arrow, Esc, a function key): such scans are refused"
                    .to_owned(),
                "scan \"clear prefix and suffix\" in its manual, then set the suffix Enter (CR) alone".to_owned(),
            );
        }
        match case {
            Case::Kept => {}
            Case::Turned => say(
                "caps_lock",
                "letters come in the other case: the scanner believes that Caps Lock is on".to_owned(),
                "scan \"Caps Lock off\" (or \"no Caps Lock override\") in its manual".to_owned(),
            ),
            Case::Upper | Case::Lower => say(
                "case",
                format!("all letters come as {} letters", if case == Case::Upper { "capital" } else { "small" }),
                "scan \"case conversion: none\" in its manual".to_owned(),
            ),
        }
    }

    fn separators(&self, say: &mut impl FnMut(&'static str, String, String)) {
        let names = [('\u{1d}', "GS"), ('\u{1e}', "RS"), ('\u{4}', "EOT")];
        for (sign, name) in names {
            let met = || self.known.iter().filter(|k| k.probe.data.contains(sign));
            let mut instead: Vec<&str> = met()
                .flat_map(|k| k.separators.iter().filter(|(c, _)| *c == sign).map(|(_, came)| came.as_str()))
                .collect();
            instead.sort_unstable();
            instead.dedup();
            if instead.is_empty() {
                continue;
            }
            let came: Vec<String> =
                instead.iter().filter(|came| !came.is_empty()).map(|c| format!("\"{c}\"")).collect();
            let what = match came.is_empty() {
                true => format!("{name} is lost: the fields of a label run into each other"),
                false => format!("{name} comes as {}", came.join(" and as ")),
            };
            let numbers: Vec<String> = met()
                .filter(|k| k.separators.iter().any(|(c, _)| *c == sign))
                .map(|k| k.probe.number.to_string())
                .collect();
            let remedy = match self.expected.layout {
                Some(_) => {
                    "set it to \"USB HID POS\" or \"USB serial\" (CDC), which carry every character; or switch control characters on (\"function key mapping\", \"Ctrl + X\") with a barcode of its manual"
                }
                None => {
                    "switch off what edits its data (\"ADF rules\", \"data formatting\", \"FNC1 substitution\") with the barcodes of its manual"
                }
            };
            say("separator", format!("{what} (barcode {})", numbers.join(", ")), remedy.to_owned());
        }
    }

    fn suffix(&self, say: &mut impl FnMut(&'static str, String, String)) {
        let Some(suffix) = self.expected.suffix else { return };
        let mut ends: Vec<&str> = self.known.iter().map(|k| k.end).collect();
        ends.sort_unstable();
        ends.dedup();
        let wrong = |end: &str| match suffix {
            Suffix::Cr => !matches!(end, "cr" | "crlf"),
            Suffix::Lf => !matches!(end, "lf" | "crlf"),
            Suffix::CrLf => end != "crlf",
            Suffix::Tab => end != "tab",
            Suffix::Idle => end != "none",
            Suffix::Any => end == "none",
        };
        for end in ends.into_iter().filter(|end| wrong(end)) {
            let set = format!("{suffix:?}").to_lowercase();
            match (end, suffix) {
                ("none", Suffix::Any) => say(
                    "suffix",
                    "it marks no end of a scan: every scan waits for a silence".to_owned(),
                    "scan \"add CR suffix\" (\"Enter\") in its manual".to_owned(),
                ),
                ("none", _) => say(
                    "suffix",
                    format!(
                        "its scans do not end in {set}, as the configuration says, but in nothing: none would be taken"
                    ),
                    "scan \"add CR suffix\" (\"Enter\") in its manual, or write suffix = \"idle\"".to_owned(),
                ),
                (end, Suffix::Idle) => say(
                    "suffix",
                    format!("its scans end in {end}, which suffix = \"idle\" takes for a part of the number"),
                    format!("write suffix = {end:?}"),
                ),
                (end, _) => say(
                    "suffix",
                    format!("its scans end in {end}, the configuration says {set}"),
                    format!("write suffix = {end:?}"),
                ),
            }
        }
    }

    fn around(&self, say: &mut impl FnMut(&'static str, String, String)) {
        for (what, of) in [("in front of", 0), ("behind", 1)] {
            let extra: BTreeSet<&str> =
                self.known.iter().map(|k| [&k.before, &k.behind][of].as_str()).filter(|e| !e.is_empty()).collect();
            if !extra.is_empty() {
                let extra: Vec<String> = extra.iter().take(4).map(|e| format!("\"{e}\"")).collect();
                say(
                    "extra",
                    format!("the scanner puts {} {what} what is in the barcode", extra.join(" or ")),
                    "scan \"clear prefix and suffix\" in its manual, then set the suffix again; where it is the maker's own code ID, choose \"AIM code ID\" instead"
                        .to_owned(),
                );
            }
        }
    }

    fn numbers(&self, say: &mut impl FnMut(&'static str, String, String)) {
        for known in &self.known {
            let name = known.probe.name;
            match known.altered {
                None | Some(Altered::AsEan13) => {}
                Some(Altered::CheckDigit) => say(
                    "check_digit",
                    format!("{name} comes without its check digit"),
                    format!("scan \"transmit {name} check digit\" in its manual"),
                ),
                Some(Altered::LeadingZero) => say(
                    "leading_zero",
                    format!("{name} comes without its leading zero"),
                    format!("scan \"transmit {name} system character\" (\"number system\") in its manual"),
                ),
            }
        }
    }

    fn symbologies(&self, say: &mut impl FnMut(&'static str, String, String)) {
        if self.known.is_empty() {
            return;
        }
        for probe in self.missing() {
            let flat = !probe.aim.contains(['d', 'Q', 'L']);
            say(
                "symbology",
                format!("barcode {} did not come: {} may be switched off", probe.number, probe.name),
                format!(
                    "scan \"enable {}\" in its manual{}",
                    probe.name,
                    if flat { "" } else { "; a laser or linear scanner cannot read it" }
                ),
            );
        }
        if !self.strange.is_empty() {
            let shown: Vec<String> = self.strange.iter().take(3).map(|s| format!("\"{s}\"")).collect();
            say(
                "strange",
                format!("scans that are no barcode of the page: {}", shown.join(", ")),
                "scan the page again, one barcode at a time; cover those beside it".to_owned(),
            );
        }
    }

    fn aim(&self, say: &mut impl FnMut(&'static str, String, String)) {
        let without = self.known.iter().filter(|k| !k.aim).count();
        if without > 0 {
            let how_many = if without == self.known.len() {
                "no scan has".to_owned()
            } else {
                format!("{without} of {} scans lack", self.known.len())
            };
            say(
                "aim",
                format!(
                    "{how_many} an AIM identifier, which tells a carrier's label from a serial number of the same form"
                ),
                "scan \"transmit AIM code ID\" (\"AIM symbology identifier\") in its manual".to_owned(),
            );
        }
    }
}

impl Expected {
    /// Every way to be set, the one in the configuration first.
    fn ways(self) -> impl Iterator<Item = Way> {
        let read = self.layout;
        let own = read.and_then(|own| (0..).zip(layout::NAMES).find(|(_, (_, l))| *l == own).map(|(n, _)| n));
        let others = (0..layout::NAMES.len() as u8).filter(move |n| read.is_some() && Some(*n) != own).map(Some);
        let layouts = std::iter::once(own).chain(others);
        layouts.flat_map(|l| [Case::Kept, Case::Turned, Case::Upper, Case::Lower].map(|case| (l, case)))
    }

    /// What would have come for `text`.
    fn mangled(self, text: &str, (by, case): Way) -> Option<Vec<u8>> {
        let turned = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
        let text: String = match case {
            Case::Kept => text.to_owned(),
            Case::Turned => text.chars().map(turned).collect(),
            Case::Upper => text.to_ascii_uppercase(),
            Case::Lower => text.to_ascii_lowercase(),
        };
        match (by, self.layout) {
            (Some(by), Some(read)) => keys::misread(&text, layout::NAMES.get(usize::from(by))?.1, read),
            _ => Some(text.into_bytes()),
        }
    }

    /// What stands in front of the data, without the AIM identifier if it has one. The modifier tells what was done
    /// with the data, and may be any.
    fn without_aim<'b>(self, before: &'b [u8], aim: &str, way: Way) -> (&'b [u8], bool) {
        let modifiers = || ('0'..='9').chain('A'..='F');
        let identifiers = aim.chars().flat_map(|code| modifiers().map(move |modifier| format!("]{code}{modifier}")));
        let found = identifiers.filter_map(|aim| self.mangled(&aim, way)).find_map(|aim| before.strip_suffix(&aim[..]));
        found.filter(|_| !before.is_empty()).map_or((before, false), |extra| (extra, true))
    }
}

impl Form {
    fn all(expected: Expected) -> Vec<Form> {
        let control = |c: char| c.is_ascii_control();
        let data = PROBES.iter().flat_map(|probe| {
            std::iter::once((probe.data, None))
                .chain(probe.also.iter().map(|(data, how)| (*data, Some(*how))))
                .map(move |(data, altered)| (probe, data, altered))
        });
        let forms = data.flat_map(|of| expected.ways().map(move |way| (of, way)));
        let form = |((probe, data, altered), way): ((_, &str, _), Way)| {
            let pieces = data.split(control).filter(|p| !p.is_empty()).map(|p| expected.mangled(p, way));
            let separators = data.chars().filter(|c| control(*c)).collect();
            Some(Form { probe, altered, way, pieces: pieces.collect::<Option<_>>()?, separators })
        };
        forms.filter_map(form).collect()
    }

    /// Whether `bytes` are this, and how much about them has to be explained besides.
    fn found(&self, expected: Expected, bytes: &[u8]) -> Option<(usize, Known)> {
        let (first, others) = self.pieces.split_first()?;
        let at = find(bytes, first)?;
        let (before, mut rest) = (&bytes[..at], &bytes[at + first.len()..]);
        let (mut cost, mut separators) = (0, Vec::new());
        let (between, behind) = self.separators.split_at(others.len().min(self.separators.len()));
        for (piece, wanted) in others.iter().zip(between) {
            let at = find(&rest[..rest.len().min(GAP_MAX + piece.len())], piece)?;
            let gap = &rest[..at];
            if gap != [*wanted as u8] {
                cost += 1 + gap.len();
                separators.push((*wanted, escaped(gap)));
            }
            rest = &rest[at + piece.len()..];
        }
        for (n, wanted) in behind.iter().enumerate() {
            if let Some(kept) = rest.strip_prefix(&[*wanted as u8]) {
                rest = kept;
                continue;
            }
            // What came instead stands in front of the separator behind it.
            let next = behind.get(n + 1).and_then(|next| rest.iter().take(GAP_MAX + 1).position(|b| *b == *next as u8));
            let (gap, kept) = rest.split_at(next.unwrap_or(0));
            cost += 1 + gap.len();
            separators.push((*wanted, escaped(gap)));
            rest = kept;
        }
        let ended = ENDS.iter().find_map(|(end, name)| Some((rest.strip_suffix(end.as_bytes())?, *name)));
        let (behind, end) = ended.unwrap_or((rest, "none"));
        let (extra, aim) = expected.without_aim(before, self.probe.aim, self.way);
        if extra.len().max(behind.len()) > EXTRA_MAX {
            return None;
        }
        let known = Known {
            probe: self.probe,
            altered: self.altered,
            ways: BTreeSet::from([self.way]),
            aim,
            before: escaped(extra),
            behind: escaped(behind),
            separators,
            end,
            spoilt: false,
        };
        Some((cost + extra.len() + behind.len(), known))
    }
}

fn find(bytes: &[u8], piece: &[u8]) -> Option<usize> {
    if piece.is_empty() {
        return None;
    }
    bytes.windows(piece.len()).position(|window| window == piece)
}

#[cfg(test)]
mod tests;
