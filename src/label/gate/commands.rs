//! Which commands a label from elsewhere may have: a list of those that draw. Whatever is not on it is
//! refused by name, known to be harmful or not known at all.
//!
//! Sources: ZPL programming guide (Zebra, P1099958), command by command; and what carriers and designer
//! programs are seen to write. Three groups need a word:
//!
//! - **Settings that stay until the next label says otherwise** and that every label of ours states
//!   again (`^CI ^PW ^LL ^LH ^MN ^PO ^LR ^BY`) or does not depend on (`^FW ^CF`): they pass.
//! - **Settings that stay and that ours do not touch**, because they are the printer's own adjustment:
//!   speed, darkness, position (`^PR ^MD ^LT ^LS`), tear-off mode, power-up feed, text shaping. Carriers
//!   write them into labels that nobody here can edit, none of them survives a power cycle without `^JU`,
//!   and none prints a label more or less: they pass with a warning. `~SD`, absolute darkness, begins with
//!   a tilde and is refused.
//! - **`~` commands** act at once, wherever they stand, even in data: all are refused.

use super::lexer::Command;

/// What is done with a command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rule {
    Pass,
    Warn(String, &'static str),
    Refuse(String, &'static str),
}

/// Draw, place or describe a field, or frame the label; nothing of it is left behind that matters.
const DRAWING: &[&str] = &[
    "XA", "XZ", "FO", "FT", "FS", "FD", "FV", "FH", "FB", "TB", "FP", "FR", "FW", "FM", "FX", "CF", "GB", "GC", "GD",
    "GE", "GS", "BY", "B0", "B1", "B2", "B3", "B4", "B5", "B7", "B8", "B9", "BA", "BB", "BC", "BD", "BE", "BF", "BI",
    "BJ", "BK", "BL", "BM", "BO", "BP", "BQ", "BR", "BS", "BT", "BU", "BX", "BZ", "LH", "LL", "PW", "PO", "LR",
];

/// Pass with a word of warning.
const STAYING: &[(&str, &str)] = &[
    ("PR", "sets the printing speed, and stays until the printer is switched off"),
    ("MD", "changes the darkness, and stays until the printer is switched off"),
    ("LT", "moves the label's top in place of the printer's own adjustment, and stays"),
    ("LS", "moves the label sideways in place of the printer's own adjustment, and stays"),
    ("MF", "sets what the printer feeds at power-up, and stays until it is switched off"),
    ("PA", "sets how texts are shaped, and stays until the printer is switched off"),
    ("FC", "prints the printer's own clock, which nobody here has set"),
];

/// What the rest does, for those who wonder why. All refused.
const HARMFUL: &[(&str, &[&str], &str)] = &[
    (
        "changes the command characters",
        &["CC", "CD", "CT"],
        "delete it; what follows would be read otherwise than it was inspected",
    ),
    (
        "saves, loads or changes settings that outlive the label",
        &[
            "JU", "JB", "JD", "JE", "JF", "JH", "JI", "JJ", "JM", "JS", "JT", "JW", "JZ", "MA", "MI", "ML", "MP", "MT",
            "MU", "MW", "SC", "SE", "SI", "SL", "SP", "SQ", "SR", "SS", "ST", "SZ", "KD", "KL", "KV", "CM", "CN", "CV",
            "CO", "CW", "FL", "LF", "TO", "XS", "ZZ", "PN", "XB", "CP",
        ],
        DELETE,
    ),
    ("counts inside the printer", &["SF", "SN"], "write the number itself"),
    ("sets or asks for the password", &["KP"], DELETE),
    (
        "changes the printer's name or network",
        &["KN", "NB", "NC", "ND", "NI", "NN", "NP", "NR", "NS", "NT", "NW"],
        DELETE,
    ),
    (
        "changes the printer's radio",
        &["WA", "WC", "WD", "WE", "WF", "WI", "WL", "WP", "WR", "WS", "WT", "WV", "WX"],
        DELETE,
    ),
    ("sends alerts to somewhere else", &["SX", "SO"], DELETE),
    ("stores in the printer or deletes there", &["DF", "IS", "ID", "EF", "EG", "DN", "JO"], DELETE),
    (
        "prints what is stored in the printer and was not inspected",
        &["XF", "XG", "IL", "IM"],
        "put the drawing itself into the file",
    ),
    (
        "makes the printer answer into the station's dialogue with it",
        &["HF", "HG", "HH", "HL", "HR", "HT", "HV", "HW", "HY", "HZ"],
        DELETE,
    ),
    ("moves paper or stops the printer by itself", &["PF", "PH", "PP", "PS"], DELETE),
    (
        "writes or reads radio tags",
        &["RA", "RB", "RE", "RF", "RI", "RL", "RM", "RN", "RQ", "RR", "RS", "RT", "RU", "RW", "RZ", "WV"],
        DELETE,
    ),
];

const DELETE: &str = "delete it";

/// The immediate commands that people meet, so that the refusal says what it would have done.
const IMMEDIATE: &[(&str, &[&str])] = &[
    ("resets the printer", &["JR"]),
    ("cancels labels that are on their way", &["JA", "JX"]),
    ("stores in the printer", &["DY", "DG", "DU", "DB", "DT", "DS", "DE", "DN"]),
    ("deletes in the printer", &["EF", "EG"]),
    ("makes the printer answer into the station's dialogue with it", &["HB", "HD", "HI", "HM", "HQ", "HS", "HU", "RV"]),
    ("moves paper or stops the printer by itself", &["PH", "PP", "PS", "PR", "PL", "PM"]),
    ("sets the darkness", &["SD"]),
    ("changes the command characters", &["CC", "CD", "CT"]),
    ("changes the printer's network", &["NC", "ND", "NR", "NT", "WC", "WL", "WR", "WX", "WQ"]),
    (
        "saves, loads or changes settings that outlive the label",
        &["JB", "JC", "JD", "JE", "JF", "JG", "JI", "JL", "JN", "JO", "JP", "JQ", "JS", "JT", "TA", "KB", "RO", "KN"],
    ),
];

const TILDE: &str = "delete it; a tilde that shall be read is written _7E behind ^FH";

/// What is done with `command`. `^XA`, `^XZ` and `^FN` are counted and read by the caller.
pub(super) fn rule(command: &Command) -> Rule {
    let name = [char::from(command.name[0]), char::from(command.name[1])].iter().collect::<String>();
    let written = command.written();
    let row = |rows: &[&str]| rows.contains(&name.as_str());
    if command.prefix == b'~' {
        let what = IMMEDIATE.iter().find(|(_, names)| row(names)).map_or("acts at once, wherever it stands", |r| r.0);
        return Rule::Refuse(format!("{written} {what}"), TILDE);
    }
    if let Some(font) = command.font() {
        let stored = format!("{written} prints in a font that is stored in the printer, or not");
        return if font == b'@' { Rule::Warn(stored, "use font 0 where you can") } else { Rule::Pass };
    }
    if row(DRAWING) {
        return Rule::Pass;
    }
    if let Some((_, what)) = STAYING.iter().find(|(of, _)| *of == name) {
        return Rule::Warn(format!("{written} {what}"), "delete it if the design is yours");
    }
    if let Some(rule) = by_value(command, &written) {
        return rule;
    }
    match HARMFUL.iter().find(|(_, names, _)| row(names)) {
        Some((what, _, remedy)) => Rule::Refuse(format!("{written} {what}"), remedy),
        None => Rule::Refuse(format!("{written} is not known to be harmless"), DELETE),
    }
}

/// Commands of which one value passes and another does not.
fn by_value(command: &Command, written: &str) -> Option<Rule> {
    let p = command.parameters();
    let refuse = |what: &str, remedy| Some(Rule::Refuse(format!("{written} {what}"), remedy));
    match &command.name {
        // Total, pause after, copies of each, no pause, cut on error.
        b"PQ" => match (p.count(0, 1), p.count(1, 0), p.count(2, 0)) {
            (Some(1), Some(0), Some(0 | 1)) => Some(Rule::Pass),
            (Some(1), Some(0), _) => {
                refuse("prints copies of its own", "write ^PQ1; each label is a job, and each job is proved")
            }
            (Some(1), _, _) => refuse("pauses the printer", "write ^PQ1"),
            _ => refuse(
                "prints another number of labels than one",
                "write ^PQ1; each label is a job, and each job is proved",
            ),
        },
        b"CI" => match p.count(0, 0) {
            Some(0..=13 | 27 | 28 | 31..=36) if p.word(1).is_empty() => Some(Rule::Pass),
            Some(0..=36) if !p.word(1).is_empty() => {
                refuse("exchanges characters of the character set", "write ^CI28 alone")
            }
            _ => refuse(
                "chooses a character set in which a byte of a letter may be a command",
                "write ^CI28, and the file in UTF-8",
            ),
        },
        b"MC" if p.letter(0) == Some(b'N') => refuse("keeps this label's picture for the next one", DELETE),
        b"MC" => Some(Rule::Pass),
        b"MN" if matches!(p.letter(0), Some(b'Y' | b'W')) => Some(Rule::Pass),
        b"MN" => refuse("sets another kind of paper than labels with gaps", "write ^MNY"),
        b"MM" if p.letter(0).unwrap_or(b'T') == b'T' => {
            let what = format!("{written} sets tear-off mode, and stays until the printer is switched off");
            Some(Rule::Warn(what, "delete it if the design is yours"))
        }
        b"MM" => refuse("sets another mode than tear-off: the printer would cut, peel or rewind", DELETE),
        b"PM" if p.letter(0) == Some(b'N') => Some(Rule::Pass),
        b"PM" => refuse("prints the mirror image, of the labels behind it too", DELETE),
        b"JM" if p.letter(0) == Some(b'A') => Some(Rule::Pass),
        b"JM" => refuse("halves the printer's fineness", "write ^JMA, or delete it"),
        b"GF" if p.letter(0).unwrap_or(b'A') == b'A' => Some(Rule::Pass),
        b"GF" => {
            refuse("carries raw bytes, among which commands cannot be told from picture", "export the graphic as ^GFA")
        }
        _ => None,
    }
}
