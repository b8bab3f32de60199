//! Alterations that no verdict can show, each with the reason: file, row, alteration (beginnings of each).

pub const TABLE: &[(&str, &str, &str, &str)] = &[];
