//! The difference of two policies (spec 07, 20.2).

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

/// One key whose values differ; a missing value is null.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Dotted key.
    pub key: String,
    /// Value before.
    pub before: Value,
    /// Value after.
    pub after: Value,
}

/// The keys that differ, sorted; none if there is nothing to compare with.
#[must_use]
pub fn changes(before: &Value, after: &Value) -> Vec<Change> {
    if before.is_null() || after.is_null() {
        return Vec::new();
    }
    let mut pairs: BTreeMap<String, (Value, Value)> = BTreeMap::new();
    flatten(before, "", &mut |key, value| pairs.entry(key).or_default().0 = value.clone());
    flatten(after, "", &mut |key, value| pairs.entry(key).or_default().1 = value.clone());
    pairs
        .into_iter()
        .filter(|(_, (before, after))| !same(before, after))
        .map(|(key, (before, after))| Change { key, before, after })
        .collect()
}

/// The difference as text: one line for each key.
#[must_use]
pub fn text(before: &Value, after: &Value) -> String {
    let lines: Vec<String> = changes(before, after)
        .iter()
        .map(|Change { key, before, after }| match (before, after) {
            (Value::Null, value) => format!("Added: {key} = {}", shown(value)),
            (_, Value::Null) => format!("Removed: {key}"),
            (before, after) => format!("Changed: {key} ({} -> {})", shown(before), shown(after)),
        })
        .collect();
    lines.join("\n")
}

fn flatten(value: &Value, key: &str, emit: &mut impl FnMut(String, &Value)) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                flatten(member, &key, emit);
            }
        }
        _ if key.is_empty() => {}
        leaf => emit(key.to_owned(), leaf),
    }
}

/// Equality in which 1 and 1.0 are the same.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => same_number(a, b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

/// Whether two numbers have the same value.
pub fn same_number(a: &Number, b: &Number) -> bool {
    a == b || (a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64()
}

/// A value in the difference: floats with four significant digits, long lists abbreviated.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => short_float(number.as_f64().unwrap_or_default()),
        Value::Array(items) if items.len() > 3 => {
            format!("[{}, {}, ... ({} items)]", shown(&items[0]), shown(&items[1]), items.len())
        }
        other => as_python(other),
    }
}

/// A value as Python writes it.
fn as_python(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
        Value::Array(items) => format!("[{}]", items.iter().map(as_python).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => format!("{{{}}}", python_members(members)),
    }
}

fn python_members(members: &Map<String, Value>) -> String {
    let shown: Vec<String> =
        members.iter().map(|(key, value)| format!("'{key}': {}", as_python(value))).collect();
    shown.join(", ")
}

/// A float with four significant digits, exponents below 1e-4 and from 1e4 on.
fn short_float(value: f64) -> String {
    let scientific = format!("{value:.3e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..4).contains(&exponent) {
        let decimals = usize::try_from(3 - exponent).unwrap_or(0);
        return without_trailing_zeros(&format!("{value:.decimals$}")).to_owned();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", without_trailing_zeros(mantissa), exponent.abs())
}

fn without_trailing_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn floats_are_short() {
        for (value, expected) in
            [(0.123_456, "0.1235"), (1e-9, "1e-09"), (9999.5, "1e+04"), (0.0, "0"), (0.2, "0.2")]
        {
            assert_eq!(short_float(value), expected);
        }
    }

    #[test]
    fn integers_and_floats_of_one_value_are_equal() {
        assert!(changes(&json!({"a": [1, 2.0]}), &json!({"a": [1.0, 2]})).is_empty());
        assert_eq!(text(&json!({"a": [1, "x"]}), &json!({"a": true})), "Changed: a ([1, 'x'] -> True)");
    }
}
