//! Comparison with expected JSON: every expected key must be there with its value, further keys
//! are allowed; `tx#1`, `tx#2`, … stand for payment ids, matched one to one.

use std::collections::HashMap;

use serde_json::Value;

/// The one-to-one map between expected and real ids.
#[derive(Default)]
pub struct Ids {
    to: HashMap<String, String>,
    back: HashMap<String, String>,
}

impl Ids {
    /// Whether the text is the expected one with ids filled in.
    fn matches(&mut self, wanted: &str, got: &str) -> bool {
        let mut rest = got;
        for piece in pieces(wanted) {
            match piece {
                Piece::Plain(text) => match rest.strip_prefix(text) {
                    Some(tail) => rest = tail,
                    None => return false,
                },
                Piece::Id(name) => {
                    let length = id_length(rest);
                    let (id, tail) = rest.split_at(length);
                    if length == 0 || !self.pair(name, id) {
                        return false;
                    }
                    rest = tail;
                }
            }
        }
        rest.is_empty()
    }

    fn pair(&mut self, name: &str, id: &str) -> bool {
        let to = self.to.entry(name.to_owned()).or_insert_with(|| id.to_owned()) == id;
        let back = self.back.entry(id.to_owned()).or_insert_with(|| name.to_owned()) == name;
        to && back
    }
}

enum Piece<'a> {
    Plain(&'a str),
    Id(&'a str),
}

fn pieces(wanted: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = wanted;
    while let Some(start) = rest.find("tx#") {
        let digits = rest[start + 3..].bytes().take_while(u8::is_ascii_digit).count();
        if start > 0 {
            found.push(Piece::Plain(&rest[..start]));
        }
        found.push(Piece::Id(&rest[start..start + 3 + digits]));
        rest = &rest[start + 3 + digits..];
    }
    if !rest.is_empty() {
        found.push(Piece::Plain(rest));
    }
    found
}

/// Length of the payment id at the start of a text: `tx-` and digits.
fn id_length(text: &str) -> usize {
    match text.strip_prefix("tx-") {
        Some(rest) => 3 + rest.bytes().take_while(u8::is_ascii_digit).count(),
        None => 0,
    }
}

/// Where and how a value differs from the expected one.
pub fn differs(wanted: &Value, got: &Value, ids: &mut Ids, path: &str) -> Option<String> {
    let wrong = || Some(format!("{path}: expected {wanted}, got {got}"));
    match (wanted, got) {
        (Value::Object(wanted), Value::Object(got)) => wanted.iter().find_map(|(key, wanted)| {
            let path = format!("{path}.{key}");
            match got.get(key) {
                Some(got) => differs(wanted, got, ids, &path),
                None => Some(format!("{path}: missing")),
            }
        }),
        (Value::Array(items), Value::Array(others)) if items.len() == others.len() => {
            let both = items.iter().zip(others).enumerate();
            both.into_iter().find_map(|(at, (one, other))| differs(one, other, ids, &format!("{path}[{at}]")))
        }
        (Value::String(wanted_text), Value::String(got)) => {
            if ids.matches(wanted_text, got) {
                None
            } else {
                wrong()
            }
        }
        (Value::Number(one), Value::Number(other)) => {
            let whole = |number: &serde_json::Number| number.is_i64() || number.is_u64();
            let same = if whole(one) && whole(other) {
                one == other
            } else {
                let (one, other) = (one.as_f64()?, other.as_f64()?);
                (one - other).abs() <= 1e-9 * one.abs().max(1.0)
            };
            if same { None } else { wrong() }
        }
        _ => {
            if wanted == got {
                None
            } else {
                wrong()
            }
        }
    }
}
