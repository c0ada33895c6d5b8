//! Nodes to JSON and back.

use serde_json::{Map, Number, Value as Json};

use super::{Entry, Node, Value};
use crate::text;

impl Node {
    /// The same document as a JSON value. What JSON numbers can not hold there becomes a float, an
    /// infinity null; [`Node::to_json_text`] keeps everything.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Int(value) => Json::from(
                i64::try_from(*value)
                    .map(Number::from)
                    .or_else(|_| u64::try_from(*value).map(Number::from))
                    .ok()
                    .or_else(|| Number::from_f64(*value as f64)),
            ),
            Value::BigInt(digits) => Json::from(digits.parse().ok().and_then(Number::from_f64)),
            Value::Float(value) => Json::from(Number::from_f64(*value)),
            Value::Text(text) => Json::String(text.clone()),
            Value::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Value::Map(entries) => {
                let pairs = entries.iter().map(|entry| (entry.key.clone(), entry.node.to_json()));
                Json::Object(pairs.collect::<Map<_, _>>())
            }
        }
    }

    /// A JSON value as a tree that stands in no file.
    #[must_use]
    pub fn from_json(json: &Json) -> Self {
        Self::new(match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => number
                .as_i64()
                .map(i128::from)
                .or_else(|| number.as_u64().map(i128::from))
                .map_or_else(|| Value::Float(number.as_f64().unwrap_or(f64::NAN)), Value::Int),
            Json::String(text) => Value::Text(text.clone()),
            Json::Array(items) => Value::List(items.iter().map(Self::from_json).collect()),
            Json::Object(pairs) => Value::Map(
                pairs
                    .iter()
                    .map(|(key, json)| {
                        let node = Self::from_json(json);
                        Entry { key: key.clone(), at: node.at, node }
                    })
                    .collect(),
            ),
        })
    }

    /// The document as one line of JSON: keys in their order, floats in the one form of spec 05, 1.2.
    /// [`parse_json`](super::parse_json) reads the same values back: an infinity is written as a
    /// number beyond the range of floats. What is not a number becomes null; no setting takes it.
    #[must_use]
    pub fn to_json_text(&self) -> String {
        let mut out = String::new();
        self.write_json(&mut out);
        out
    }

    fn write_json(&self, out: &mut String) {
        match &self.value {
            Value::Null => out.push_str("null"),
            Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Value::Int(value) => out.push_str(&value.to_string()),
            Value::BigInt(digits) => out.push_str(digits),
            Value::Float(value) if value.is_nan() => out.push_str("null"),
            Value::Float(value) if value.is_infinite() => {
                out.push_str(if *value > 0.0 { "1e999" } else { "-1e999" });
            }
            Value::Float(value) => text::write_float(*value, out),
            Value::Text(text) => text::write_quoted(text, out),
            Value::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write_json(out);
                }
                out.push(']');
            }
            Value::Map(entries) => {
                out.push('{');
                for (index, entry) in entries.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    text::write_quoted(&entry.key, out);
                    out.push(':');
                    entry.node.write_json(out);
                }
                out.push('}');
            }
        }
    }
}
