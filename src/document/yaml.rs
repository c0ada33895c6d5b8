//! YAML 1.2 into nodes: core schema, anchors, aliases, merge keys, duplicate keys refused (spec 01, 1).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::{Entry, MAX_DEPTH, Node, Value, scalar, shortened};
use crate::finding::{Finding, Position};

/// What all aliases of a file together may add, in bytes: a small file can not fill the memory.
const ALIAS_BUDGET: usize = 64 << 20;

/// Reads one YAML document.
///
/// # Errors
/// A syntax error, an empty file, a second document, a key that occurs twice or is no text, an unknown
/// tag, an alias inside its own anchor, too deep nesting or too much repetition by aliases, with its place.
pub fn parse_yaml(text: &str) -> Result<Node, Finding> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parser = Parser::new_from_str(text);
    let mut builder = Builder::default();
    while let Some(next) = parser.next_event() {
        let (event, span) = next.map_err(|error| {
            Finding::error("", Some(position(error.marker())), format!("not valid YAML: {}", error.info()))
        })?;
        builder.take(event, position(&span.start))?;
    }
    match builder.root {
        Some(root) if !root.is_null() => Ok(root),
        _ => Err(Finding::error("", None, "empty configuration: the file holds nothing")),
    }
}

/// The finding for a key that occurs twice in a mapping.
pub(super) fn given_twice(key: &str, at: Position) -> Finding {
    Finding::error("", Some(at), format!("key `{}` is given twice", shortened(key)))
}

/// The parser counts columns from 0.
fn position(marker: &Marker) -> Position {
    Position { line: marker.line(), column: marker.col() + 1 }
}

#[derive(Default)]
struct Builder {
    open: Vec<Frame>,
    anchors: HashMap<usize, Node>,
    spent: usize,
    documents: usize,
    root: Option<Node>,
}

/// A list or mapping that is not closed yet.
struct Frame {
    at: Position,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map(OpenMap),
}

#[derive(Default)]
struct OpenMap {
    entries: Vec<Entry>,
    keys: HashSet<String>,
    /// The key whose value comes next.
    key: Option<Key>,
    /// Values of the merge key.
    merged: Option<Vec<Node>>,
}

enum Key {
    Text(String, Position),
    Merge,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, at: Position) -> Result<(), Finding> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Finding::error("", Some(at), "a second document begins; a file holds one"));
                }
                Ok(())
            }
            Event::Alias(anchor) => self.alias(anchor, at),
            Event::Scalar(text, style, anchor, tag) => {
                if self.expects_key() && tag.is_none() && style == ScalarStyle::Plain && text == "<<" {
                    return self.merge_key(at);
                }
                let value = scalar_value(text, style, tag.as_deref(), at)?;
                self.place(Node { value, at }, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                only_tag(tag.as_deref(), "seq", at)?;
                self.start(Frame { at, anchor, content: Content::List(Vec::new()) })
            }
            Event::MappingStart(anchor, tag) => {
                only_tag(tag.as_deref(), "map", at)?;
                self.start(Frame { at, anchor, content: Content::Map(OpenMap::default()) })
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
        }
    }

    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(Frame { content: Content::Map(map), .. }) if map.key.is_none())
    }

    fn start(&mut self, frame: Frame) -> Result<(), Finding> {
        if self.expects_key() {
            let message = "a list or mapping stands as a key; keys are texts";
            return Err(Finding::error("", Some(frame.at), message));
        }
        if self.open.len() >= MAX_DEPTH {
            let message = format!("nested deeper than {MAX_DEPTH} levels");
            return Err(Finding::error("", Some(frame.at), message));
        }
        self.open.push(frame);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Finding> {
        let Some(Frame { at, anchor, content }) = self.open.pop() else { return Ok(()) };
        let value = match content {
            Content::List(items) => Value::List(items),
            Content::Map(map) => Value::Map(map.close()),
        };
        self.place(Node { value, at }, anchor)
    }

    fn alias(&mut self, anchor: usize, at: Position) -> Result<(), Finding> {
        let Some(named) = self.anchors.get(&anchor) else {
            let message = "an alias stands inside the value that it names";
            return Err(Finding::error("", Some(at), message));
        };
        let depth = self.open.len() + depth(named);
        if depth > MAX_DEPTH {
            return Err(Finding::error("", Some(at), format!("nested deeper than {MAX_DEPTH} levels")));
        }
        self.spent += weight(named);
        if self.spent > ALIAS_BUDGET {
            return Err(Finding::error("", Some(at), "aliases repeat more than a file may hold"));
        }
        let copy = Node { value: named.value.clone(), at };
        self.place(copy, 0)
    }

    fn merge_key(&mut self, at: Position) -> Result<(), Finding> {
        if let Some(Frame { content: Content::Map(map), .. }) = self.open.last_mut() {
            if map.merged.is_some() {
                return Err(given_twice("<<", at));
            }
            map.merged = Some(Vec::new());
            map.key = Some(Key::Merge);
        }
        Ok(())
    }

    /// Puts a complete value where it belongs: key, value, item or root.
    fn place(&mut self, node: Node, anchor: usize) -> Result<(), Finding> {
        if anchor != 0 {
            self.spent += weight(&node);
            if self.spent > ALIAS_BUDGET {
                return Err(Finding::error("", Some(node.at), "anchors name more than a file may hold"));
            }
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|frame| &mut frame.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map(map)) => map.take(node)?,
        }
        Ok(())
    }
}

impl OpenMap {
    fn take(&mut self, node: Node) -> Result<(), Finding> {
        match self.key.take() {
            None => self.key = Some(self.new_key(node)?),
            Some(Key::Text(key, at)) => self.entries.push(Entry { key, at, node }),
            Some(Key::Merge) => match node.value {
                Value::Map(_) => self.merged = Some(vec![node]),
                Value::List(items) if items.iter().all(|item| item.as_map().is_some()) => {
                    self.merged = Some(items);
                }
                _ => {
                    let message = "the merge key `<<` takes a mapping or a list of mappings";
                    return Err(Finding::error("", Some(node.at), message));
                }
            },
        }
        Ok(())
    }

    fn new_key(&mut self, node: Node) -> Result<Key, Finding> {
        let Value::Text(key) = node.value else {
            let message = format!("keys are texts, found {}", node.described());
            return Err(Finding::error("", Some(node.at), message).with_hint("put the key in quotes"));
        };
        if !self.keys.insert(key.clone()) {
            return Err(given_twice(&key, node.at));
        }
        Ok(Key::Text(key, node.at))
    }

    /// Adds what the merge key brings: keys given directly win, then earlier mappings.
    fn close(mut self) -> Vec<Entry> {
        for node in self.merged.take().into_iter().flatten() {
            let Value::Map(entries) = node.value else { continue };
            for entry in entries {
                if self.keys.insert(entry.key.clone()) {
                    self.entries.push(entry);
                }
            }
        }
        self.entries
    }
}

/// The name of a core tag, `!` for the tag that makes a text, or an error.
fn core_tag(tag: Option<&Tag>, at: Position) -> Result<Option<String>, Finding> {
    let Some(tag) = tag else { return Ok(None) };
    let full = format!("{}{}", tag.handle, tag.suffix);
    match full.strip_prefix("tag:yaml.org,2002:") {
        Some(name @ ("str" | "int" | "float" | "bool" | "null" | "seq" | "map")) => Ok(Some(name.to_owned())),
        _ if full == "!" => Ok(Some(full)),
        _ => {
            let message = format!("unknown tag `{}`", shortened(&tag.to_string()));
            let hint = "the tags are `!!str`, `!!int`, `!!float`, `!!bool`, `!!null`, `!!seq`, `!!map`";
            Err(Finding::error("", Some(at), message).with_hint(hint))
        }
    }
}

fn only_tag(tag: Option<&Tag>, allowed: &str, at: Position) -> Result<(), Finding> {
    match core_tag(tag, at)? {
        Some(name) if name != allowed && name != "!" => {
            Err(Finding::error("", Some(at), format!("tag `!!{name}` does not fit what it stands before")))
        }
        _ => Ok(()),
    }
}

fn scalar_value(
    text: Cow<'_, str>,
    style: ScalarStyle,
    tag: Option<&Tag>,
    at: Position,
) -> Result<Value, Finding> {
    let Some(tag) = core_tag(tag, at)? else {
        return Ok(match style {
            ScalarStyle::Plain => scalar::resolve(&text),
            _ => Value::Text(text.into_owned()),
        });
    };
    let value = scalar::resolve(&text);
    let fits = match (tag.as_str(), value) {
        ("str" | "!", _) => Some(Value::Text(text.clone().into_owned())),
        ("float", Value::Int(integer)) => Some(Value::Float(integer as f64)),
        ("float", Value::BigInt(digits)) => digits.parse().ok().map(Value::Float),
        ("int", value @ (Value::Int(_) | Value::BigInt(_))) => Some(value),
        ("float", value @ Value::Float(_)) => Some(value),
        ("bool", value @ Value::Bool(_)) => Some(value),
        ("null", Value::Null) => Some(Value::Null),
        _ => None,
    };
    fits.ok_or_else(|| {
        Finding::error("", Some(at), format!("tag `!!{tag}` does not fit `{}`", shortened(&text)))
    })
}

fn depth(node: &Node) -> usize {
    match &node.value {
        Value::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Map(entries) => 1 + entries.iter().map(|entry| depth(&entry.node)).max().unwrap_or(0),
        _ => 0,
    }
}

/// Bytes that a copy takes, roughly.
fn weight(node: &Node) -> usize {
    size_of::<Node>()
        + match &node.value {
            Value::Text(text) | Value::BigInt(text) => text.len(),
            Value::List(items) => items.iter().map(weight).sum(),
            Value::Map(entries) => {
                entries.iter().map(|entry| size_of::<Entry>() + entry.key.len() + weight(&entry.node)).sum()
            }
            _ => 0,
        }
}
