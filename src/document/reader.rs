//! Typed values out of a [`Node`] tree, with findings for everything that does not fit (spec 01, 1.3).

use std::cell::RefCell;
use std::ops::RangeInclusive;

use super::{Entry, Node, Value, shortened};
use crate::finding::{Finding, Findings, Position, meant, nearest};

/// Collects findings while a document is read; shared by all readers of the document.
#[derive(Debug, Default)]
pub struct Report(RefCell<Findings>);

impl Report {
    /// Adds a finding.
    pub fn push(&self, finding: Finding) {
        self.0.borrow_mut().push(finding);
    }

    /// Adds an error without a place; see [`Node::place_findings`].
    pub fn error(&self, path: impl Into<String>, message: impl Into<String>) {
        self.push(Finding::error(path, None, message));
    }

    /// Adds a warning without a place.
    pub fn warning(&self, path: impl Into<String>, message: impl Into<String>) {
        self.push(Finding::warning(path, None, message));
    }

    /// Lends the findings to a function that adds to them itself. It must not use the report meanwhile.
    pub fn with<T>(&self, fill: impl FnOnce(&mut Findings) -> T) -> T {
        let mut own = Findings::default();
        let result = fill(&mut own);
        self.0.borrow_mut().0.append(&mut own.0);
        result
    }

    /// Whether something refuses the file.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0.borrow().has_errors()
    }

    /// Everything collected.
    #[must_use]
    pub fn into_findings(self) -> Findings {
        self.0.into_inner()
    }
}

/// Bounds of a float. Not a number is outside of all of them; infinities pass lower bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// Any number.
    Any,
    /// This or more.
    AtLeast(f64),
    /// More than this.
    Above(f64),
    /// From the first to the second, both included.
    Within(f64, f64),
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::Any => !value.is_nan(),
            Self::AtLeast(low) => value >= low,
            Self::Above(low) => value > low,
            Self::Within(low, high) => (low..=high).contains(&value),
        }
    }

    fn described(self) -> String {
        match self {
            Self::Any => "a number".to_owned(),
            Self::AtLeast(low) => format!("{low} or more"),
            Self::Above(low) => format!("more than {low}"),
            Self::Within(low, high) => format!("{low} to {high}"),
        }
    }
}

/// One value of a document: the node, its key path, and the report that findings about it go to.
///
/// Every reading method gives `None` after it has reported why.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    /// The value.
    pub node: &'a Node,
    /// Its key path, e.g. `agents[0].id`; empty for the whole file.
    pub path: String,
    /// Where findings go.
    pub report: &'a Report,
}

impl<'a> Item<'a> {
    /// A value under a path of the caller's choice.
    #[must_use]
    pub fn new(node: &'a Node, path: impl Into<String>, report: &'a Report) -> Self {
        Self { node, path: path.into(), report }
    }

    /// Reports an error about this value.
    pub fn error(&self, message: impl Into<String>) {
        self.report.push(Finding::error(&*self.path, Some(self.node.at), message));
    }

    /// Reports a warning about this value.
    pub fn warning(&self, message: impl Into<String>) {
        self.report.push(Finding::warning(&*self.path, Some(self.node.at), message));
    }

    /// Reports that something else was expected here; a hint may say how to write it.
    pub fn expected<T>(&self, what: &str, hint: Option<String>) -> Option<T> {
        let message = format!("expected {what}, found {}", self.node.described());
        let finding = Finding::error(&*self.path, Some(self.node.at), message);
        self.report.push(match hint {
            Some(hint) => finding.with_hint(hint),
            None => finding,
        });
        None
    }

    /// An integer within a range. Floats, texts, booleans and null are none.
    #[must_use]
    pub fn integer(&self, range: RangeInclusive<i64>) -> Option<i64> {
        self.wide_integer(i128::from(*range.start()), i128::from(*range.end()))?.try_into().ok()
    }

    /// A non-negative integer within a range of 64 bits without sign.
    #[must_use]
    pub fn unsigned(&self, range: RangeInclusive<u64>) -> Option<u64> {
        self.wide_integer(i128::from(*range.start()), i128::from(*range.end()))?.try_into().ok()
    }

    fn wide_integer(&self, low: i128, high: i128) -> Option<i128> {
        let value = match &self.node.value {
            Value::Int(value) => *value,
            // Beyond 128 bits, hence outside every range.
            Value::BigInt(digits) if digits.starts_with('-') => i128::MIN,
            Value::BigInt(_) => i128::MAX,
            other => return self.expected("an integer", integer_hint(other)),
        };
        if (low..=high).contains(&value) {
            return Some(value);
        }
        let bounds = match (low == i128::from(i64::MIN), high >= i128::from(i64::MAX)) {
            (false, true) => format!("{low} or more, up to {high}"),
            (true, true) => "a signed 64-bit integer".to_owned(),
            _ => format!("{low} to {high}"),
        };
        self.error(format!("{} is out of range: it must be {bounds}", self.node.described()));
        None
    }

    /// A float; integers are taken too.
    #[must_use]
    pub fn float(&self, bound: Bound) -> Option<f64> {
        let value = match &self.node.value {
            Value::Float(value) => *value,
            Value::Int(value) => *value as f64,
            Value::BigInt(digits) => digits.parse().ok()?,
            other => return self.expected("a number", number_hint(other)),
        };
        if bound.holds(value) {
            return Some(value);
        }
        self.error(format!("{} is out of range: it must be {}", self.node.described(), bound.described()));
        None
    }

    /// `true` or `false`.
    #[must_use]
    pub fn boolean(self) -> Option<bool> {
        match &self.node.value {
            Value::Bool(value) => Some(*value),
            other => self.expected("`true` or `false`", boolean_hint(other)),
        }
    }

    /// A text.
    #[must_use]
    pub fn text(self) -> Option<String> {
        self.str().map(str::to_owned)
    }

    /// A text, lent by the document.
    #[must_use]
    pub fn str(&self) -> Option<&'a str> {
        match &self.node.value {
            Value::Text(text) => Some(text),
            Value::List(_) | Value::Map(_) => self.expected("text", None),
            _ => self.expected("text", Some("put it in quotes".to_owned())),
        }
    }

    /// One of several words.
    #[must_use]
    pub fn one_of<T: Copy>(&self, choices: &[(&str, T)]) -> Option<T> {
        let word = self.str()?;
        if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == word) {
            return Some(*choice);
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        self.unknown_word(word, &names);
        None
    }

    fn unknown_word(&self, word: &str, names: &[&str]) {
        let known = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let message = match nearest(word, names.iter().copied()) {
            Some(name) => {
                format!("`{}` is not known, did you mean `{name}`? (known: {known})", shortened(word))
            }
            None => format!("`{}` is not one of {known}", shortened(word)),
        };
        self.error(message);
    }

    /// The items of a list.
    #[must_use]
    pub fn list(&self) -> Option<Vec<Self>> {
        let Value::List(items) = &self.node.value else { return self.expected("a list", None) };
        let item =
            |(index, node)| Self { node, path: format!("{}[{index}]", self.path), report: self.report };
        Some(items.iter().enumerate().map(item).collect())
    }

    /// A list read item by item; all items are read, and one that does not fit loses the list.
    #[must_use]
    pub fn list_of<T>(&self, mut read: impl FnMut(Self) -> Option<T>) -> Option<Vec<T>> {
        let read: Vec<Option<T>> = self.list()?.into_iter().map(&mut read).collect();
        read.into_iter().collect()
    }

    /// A mapping with known keys.
    #[must_use]
    pub fn mapping(self) -> Option<Reader<'a>> {
        let Value::Map(entries) = &self.node.value else { return self.expected("a mapping", None) };
        Some(Reader { entries, at: self.node.at, path: self.path, report: self.report, known: Vec::new() })
    }

    /// A mapping whose keys are names of the user: each with its value, in the order of the file.
    #[must_use]
    pub fn named(&self) -> Option<Vec<(&'a str, Self)>> {
        let Value::Map(entries) = &self.node.value else { return self.expected("a mapping", None) };
        let item = |entry: &'a Entry| {
            let path = format!("{}.{}", self.path, entry.key);
            (entry.key.as_str(), Self { node: &entry.node, path, report: self.report })
        };
        Some(entries.iter().map(item).collect())
    }
}

/// A mapping that is being read. Keys that nobody asked for are reported by [`Reader::finish`].
///
/// Reading methods give `None` after they have reported why: read all keys first, then put the parts
/// together with `?`, and every fault of the mapping is reported at once.
#[derive(Debug)]
pub struct Reader<'a> {
    entries: &'a [Entry],
    at: Position,
    path: String,
    report: &'a Report,
    known: Vec<&'static str>,
}

impl<'a> Reader<'a> {
    /// Reads a whole file, whose root must be a mapping.
    #[must_use]
    pub fn root(node: &'a Node, report: &'a Report) -> Option<Self> {
        if node.as_map().is_none() {
            let message = format!("the file must be a mapping with keys, found {}", node.described());
            report.push(Finding::error("", Some(node.at), message));
            return None;
        }
        Item::new(node, "", report).mapping()
    }

    /// Key path of this mapping.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Where findings go.
    #[must_use]
    pub const fn report(&self) -> &'a Report {
        self.report
    }

    /// Reports an error about the mapping as a whole.
    pub fn error(&self, message: impl Into<String>) {
        self.report.push(Finding::error(&*self.path, Some(self.at), message));
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The value of a key if it is there, null included.
    pub fn item(&mut self, key: &'static str) -> Option<Item<'a>> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(Item { node: &entry.node, path: self.path_of(key), report: self.report })
    }

    /// A key that must be there.
    pub fn required<T>(&mut self, key: &'static str, read: impl FnOnce(Item<'a>) -> Option<T>) -> Option<T> {
        let Some(item) = self.item(key) else {
            let message = format!("`{key}` is missing");
            self.report.push(Finding::error(self.path_of(key), Some(self.at), message));
            return None;
        };
        read(item)
    }

    /// A key that may be absent, then it has a default; null is refused like any wrong type.
    pub fn or<T>(
        &mut self,
        key: &'static str,
        default: T,
        read: impl FnOnce(Item<'a>) -> Option<T>,
    ) -> Option<T> {
        self.item(key).map_or(Some(default), read)
    }

    /// A key that may be absent or null: `Some(None)` then.
    pub fn nullable<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(Item<'a>) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.item(key).filter(|item| !item.node.is_null()) {
            Some(item) => read(item).map(Some),
            None => Some(None),
        }
    }

    /// The key that selects an alternative (spec 01, 1.4).
    pub fn alternative<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        self.required(key, |item| item.one_of(choices))
    }

    /// Warns about every key that nobody asked for, with the nearest known one (spec 01, 1.1.5).
    pub fn finish(self) {
        for entry in self.entries.iter().filter(|entry| !self.known.contains(&entry.key.as_str())) {
            let key = shortened(&entry.key);
            let near = meant(nearest(&entry.key, self.known.iter().copied()));
            let message = format!("unknown key `{key}`{near}");
            self.report.push(Finding::warning(self.path_of(&entry.key), Some(entry.at), message));
        }
    }
}

fn integer_hint(value: &Value) -> Option<String> {
    match value {
        Value::Float(value) if value.fract() == 0.0 && value.abs() < 1e18 => {
            Some(format!("write `{}`, without point and exponent", *value as i64))
        }
        _ => number_hint(value),
    }
}

fn number_hint(value: &Value) -> Option<String> {
    let Value::Text(text) = value else { return None };
    let plain: String = text.chars().filter(|c| !matches!(c, '_' | ',' | ' ' | '\'')).collect();
    let number = plain.parse::<f64>().ok().filter(|number| number.is_finite());
    number.map(|_| format!("write `{}`, without quotes and separators", shortened(&plain)))
}

fn boolean_hint(value: &Value) -> Option<String> {
    let word = match value {
        Value::Text(text) => text.to_lowercase(),
        Value::Int(value) => value.to_string(),
        _ => return None,
    };
    match word.as_str() {
        "yes" | "on" | "y" | "true" | "1" => Some("write `true`".to_owned()),
        "no" | "off" | "n" | "false" | "0" => Some("write `false`".to_owned()),
        _ => None,
    }
}
