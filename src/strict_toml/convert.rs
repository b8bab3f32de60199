//! From a value as it was written to the type that was asked for, or the sentence that says what is
//! wrong with it. Nothing is converted silently: a number in quotes is not a number.

use std::ops::RangeInclusive;

use chrono::NaiveDate;

use super::STRING_MAX;
use super::tree::{Node, Value};
use crate::domain::facts::nearest;

pub(super) fn one_line(node: &Node, wanted: &str) -> Result<String, String> {
    match &node.value {
        Value::Text(text) if text.trim().is_empty() => Err("is blank; write something or leave the key out".to_owned()),
        Value::Text(text) if text.len() > STRING_MAX => Err(format!("is longer than {STRING_MAX} bytes")),
        Value::Text(text) if text.chars().any(char::is_control) => Err("contains a control character".to_owned()),
        Value::Text(text) => Ok(text.clone()),
        other => Err(format!("must be {wanted}, not {}", other.kind())),
    }
}

pub(super) fn whole(node: &Node, range: &RangeInclusive<i64>) -> Result<i64, String> {
    match node.value {
        Value::Integer(Some(number)) if range.contains(&number) => Ok(number),
        Value::Integer(_) => Err(format!("must be between {} and {}", range.start(), range.end())),
        ref other => Err(format!("must be a whole number, not {}", other.kind())),
    }
}

pub(super) fn day(node: &Node) -> Result<NaiveDate, String> {
    match &node.value {
        Value::Date(text) | Value::Text(text) => NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .map_err(|_| format!("{text:?} is not a date such as 2026-03-31")),
        other => Err(format!("must be a date such as 2026-03-31, not {}", other.kind())),
    }
}

pub(super) fn chosen<T: Copy>(node: &Node, choices: &[(&str, T)]) -> Result<T, String> {
    let names = || choices.iter().map(|(name, _)| *name);
    let Value::Text(text) = &node.value else {
        return Err(format!("must be one of {}, not {}", names().collect::<Vec<_>>().join(", "), node.value.kind()));
    };
    choices.iter().find(|(name, _)| name == text).map(|(_, value)| *value).ok_or_else(|| {
        let hint = nearest(text, names()).map(|name| format!("; did you mean {name:?}?")).unwrap_or_default();
        format!("{text:?} is not one of {}{hint}", names().collect::<Vec<_>>().join(", "))
    })
}

pub(super) fn one_or_many<T>(node: &Node, convert: impl Fn(&Node) -> Result<T, String>) -> Result<Vec<T>, String> {
    match &node.value {
        Value::List(items) => items
            .iter()
            .enumerate()
            .map(|(at, item)| convert(item).map_err(|m| format!("item {}: {m}", at + 1)))
            .collect(),
        _ => Ok(vec![convert(node)?]),
    }
}
