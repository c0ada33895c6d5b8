//! A file as a tree of values that know where they stand, read from YAML or JSON (spec 01, 1).
//!
//! [`parse_yaml`] and [`parse_json`] give the same [`Node`] tree for the same document. A [`Reader`]
//! takes typed values out of it and collects [`Findings`](crate::finding::Findings):
//!
//! ```
//! use payment_sim::document::{self, Item, Reader, Report};
//!
//! let root = document::parse_yaml("name: demo\ntiks: 5\nlabel: ~")?;
//! let report = Report::default();
//! let Some(mut file) = Reader::root(&root, &report) else { return Ok(()) };
//! let name = file.required("name", Item::text);
//! let ticks = file.or("ticks", 10, |item| item.integer(1..=100));
//! let label = file.nullable("label", Item::text);
//! file.finish();
//! assert_eq!((name, ticks, label), (Some("demo".into()), Some(10), Some(None)));
//! let findings = report.into_findings();
//! assert_eq!(findings.0[0].message, "unknown key `tiks`, did you mean `ticks`?");
//! # Ok::<(), payment_sim::finding::Finding>(())
//! ```

mod json;
mod locate;
mod reader;
mod scalar;
mod write;
mod yaml;

pub use json::parse_json;
pub use reader::{Bound, Item, Reader, Report};
pub use yaml::parse_yaml;

use crate::finding::Position;

/// Deepest nesting of lists and mappings that a file may have.
pub const MAX_DEPTH: usize = 512;

/// A value with the place where it starts.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What stands there.
    pub value: Value,
    /// Where.
    pub at: Position,
}

/// What a file can hold, by the YAML 1.2 core schema.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number written without point and exponent.
    Int(i128),
    /// An integer beyond 128 bits, as its decimal digits with a `-` if negative.
    BigInt(String),
    /// A number written with point or exponent, an infinity, or not a number.
    Float(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping in the order of the file, keys unique.
    Map(Vec<Entry>),
}

/// One entry of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key; only texts are keys, others are refused on reading.
    pub key: String,
    /// Where the key stands.
    pub at: Position,
    /// Its value.
    pub node: Node,
}

impl Node {
    /// A node that stands in no file.
    #[must_use]
    pub fn new(value: Value) -> Self {
        Self { value, at: Position::default() }
    }

    /// A text that stands in no file.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Value::Text(text.into()))
    }

    /// An integer that stands in no file.
    #[must_use]
    pub fn int(value: impl Into<i128>) -> Self {
        Self::new(Value::Int(value.into()))
    }

    /// A mapping that stands in no file; the keys must be unique.
    #[must_use]
    pub fn map<'k>(entries: impl IntoIterator<Item = (&'k str, Self)>) -> Self {
        let entry = |(key, node): (&str, Self)| Entry { key: key.to_owned(), at: Position::default(), node };
        Self::new(Value::Map(entries.into_iter().map(entry).collect()))
    }

    /// The entries of a mapping.
    #[must_use]
    pub fn as_map(&self) -> Option<&[Entry]> {
        if let Value::Map(entries) = &self.value { Some(entries) } else { None }
    }

    /// The items of a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Self]> {
        if let Value::List(items) = &self.value { Some(items) } else { None }
    }

    /// A text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// The value of a key of a mapping.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_map()?.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// The value of a key of a mapping, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        let Value::Map(entries) = &mut self.value else { return None };
        entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.node)
    }

    /// Sets a key of a mapping, replacing an old value; does nothing to what is no mapping.
    pub fn set(&mut self, key: &str, node: Self) {
        if let Some(old) = self.get_mut(key) {
            *old = node;
        } else if let Value::Map(entries) = &mut self.value {
            entries.push(Entry { key: key.to_owned(), at: node.at, node });
        }
    }

    /// Whether it is null.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// What stands here, for messages: `` text `5` ``, `` the integer `7` ``, `a list`.
    #[must_use]
    pub fn described(&self) -> String {
        match &self.value {
            Value::Null => "null".to_owned(),
            Value::Bool(value) => format!("`{value}`"),
            Value::Int(value) => format!("the integer `{value}`"),
            Value::BigInt(digits) => format!("the integer `{}`", shortened(digits)),
            Value::Float(value) if value.is_nan() => "`.nan`".to_owned(),
            Value::Float(value) if value.is_infinite() => {
                format!("`{}`", if *value > 0.0 { ".inf" } else { "-.inf" })
            }
            Value::Float(value) => format!("the float `{}`", crate::text::float(*value)),
            Value::Text(text) => format!("text `{}`", shortened(text)),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a mapping".to_owned(),
        }
    }
}

/// The user's text for a message: one line, not too long.
#[must_use]
pub fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut line: String = text.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests;
