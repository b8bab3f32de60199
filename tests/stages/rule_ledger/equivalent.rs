//! Alterations that no verdict can show, each with the reason why.

/// The row is the last of its cell, and every other outcome is taken by the rows above it, by a row at the
/// top of the file, or by another case: the condition is there for the reader.
const LAST: &str = "whatever outcome is";

/// Beginning of the file's name (empty: any), row, beginning of the alteration, reason.
pub const TABLE: &[(&str, &str, &str, &str)] = &[
    ("", "question packaging", "named is true", "asked until the fact is there; no row looks at its answer"),
    ("", "question rma_marked_outside", "named is true", "asked until the fact is there; no row looks at its answer"),
    ("voip", "question reported", "named is true", "asked until the fact is there; no row looks at its answer"),
    (
        "security",
        "question purchase_date",
        "named is true",
        "asked until the fact is there; no row looks at its answer",
    ),
    ("voip", "cell 5 route partner_team A-46", "rule is", "a route names no rule; the action beside it does"),
    ("voip", "cell 6 route partner_team A-47", "rule is", "a route names no rule; the action beside it does"),
    ("voip", "route partner_team A-49", "rule is", "a route names no rule; the action beside it does"),
    (
        "voip",
        "cell 2 leg from_vendor A-29",
        "whatever setting",
        "the program is not read with the setting's other value: its subject knows only the chosen one",
    ),
    ("voip", "cell 2 leg outbound A-68", "whatever setting", "as above"),
    ("voip", "cell 4 leg outbound A-40", "whatever setting", "as above"),
    ("security", "lineage", "max_replacements is 0", "no row asks for replacements"),
    ("security", "lineage", "the row is gone", "the table is empty"),
    ("unex", "lineage", "max_replacements is 0", "no row asks for replacements"),
    ("unex", "lineage", "the row is gone", "the table is empty"),
    ("server", "lineage", "max_replacements is 0", "no row asks for replacements"),
    ("server", "lineage", "the row is gone", "the table is empty"),
    ("smart", "lineage", "max_replacements is 0", "no row asks for replacements"),
    ("smart", "lineage", "the row is gone", "the table is empty"),
    ("smart", "root", "currency is XTS", "no row moves money"),
    ("security", "window same_day", "business days are days", "none of either is the same day"),
    ("security", "due diagnosis B-06", "business days are days", "none of either is the same day"),
    ("security", "cell 3 action credit B-36", "whatever class is", "exchange is taken by the rows above"),
    ("security", "cell 7 action replace B-10", LAST, "see LAST"),
    ("security", "cell 8 action replace B-16", LAST, "see LAST"),
    ("security", "cell 8 action quote B-15", LAST, "see LAST"),
    ("unex", "cell 1 action diagnose C-26", LAST, "see LAST"),
    ("unex", "cell 4 action replace C-21", LAST, "see LAST"),
    ("unex", "cell 5 action diagnose C-26", LAST, "see LAST"),
    ("server", "cell 4 action replace D-20", LAST, "see LAST"),
    ("server", "cell 4 action quote D-05", LAST, "see LAST"),
    ("server", "cell 5 action replace D-20", LAST, "see LAST"),
    ("server", "cell 6 action replace D-20", LAST, "see LAST"),
    ("server", "cell 6 action quote D-05", LAST, "see LAST"),
    ("smart", "case user_damage E-29", LAST, "see LAST"),
    ("smart", "cell 4 action replace E-29", LAST, "see LAST"),
    ("smart", "cell 5 action repair E-32", LAST, "see LAST"),
    ("smart", "cell 6 action replace E-32", LAST, "see LAST"),
];
