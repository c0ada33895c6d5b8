//! JSON into nodes: strict, with places, duplicate keys refused (spec 01, 1.1).

use std::collections::HashSet;

use super::{Entry, MAX_DEPTH, Node, Value, scalar};
use crate::finding::{Finding, Position};

/// Reads one JSON document. Numbers too large for a float are infinities.
///
/// # Errors
/// The first thing that is not JSON, a key that occurs twice, or too deep nesting, with its place.
pub fn parse_json(text: &str) -> Result<Node, Finding> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parser = Parser { text, offset: 0, at: Position { line: 1, column: 1 } };
    parser.skip_blank();
    if parser.peek().is_none() {
        return Err(Finding::error("", None, "empty configuration: the file holds nothing"));
    }
    let node = parser.value(0)?;
    parser.skip_blank();
    if parser.peek().is_some() {
        return Err(parser.fault("something follows the end of the document"));
    }
    Ok(node)
}

struct Parser<'t> {
    text: &'t str,
    offset: usize,
    at: Position,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.offset).copied()
    }

    /// Passes one byte; columns count characters.
    fn advance(&mut self) {
        match self.peek() {
            Some(b'\n') => self.at = Position { line: self.at.line + 1, column: 1 },
            Some(byte) if byte & 0xc0 != 0x80 => self.at.column += 1,
            _ => {}
        }
        self.offset += 1;
    }

    fn skip_blank(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.advance();
        }
    }

    fn fault(&self, message: impl std::fmt::Display) -> Finding {
        Finding::error("", Some(self.at), format!("not valid JSON: {message}"))
    }

    /// The next character for a message.
    fn found(&self) -> String {
        self.text
            .get(self.offset..)
            .and_then(|rest| rest.chars().next())
            .map_or_else(|| "the end of the file".to_owned(), |character| format!("`{character}`"))
    }

    fn value(&mut self, depth: usize) -> Result<Node, Finding> {
        let at = self.at;
        if depth > MAX_DEPTH {
            return Err(Finding::error("", Some(at), format!("nested deeper than {MAX_DEPTH} levels")));
        }
        let value = match self.peek() {
            Some(b'{') => Value::Map(self.object(depth)?),
            Some(b'[') => Value::List(self.array(depth)?),
            Some(b'"') => Value::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            _ => return Err(self.fault(format_args!("expected a value, found {}", self.found()))),
        };
        Ok(Node { value, at })
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Finding> {
        let rest = &self.text.as_bytes()[self.offset..];
        let ends = rest.get(word.len()).is_none_or(|byte| !byte.is_ascii_alphanumeric());
        if !rest.starts_with(word.as_bytes()) || !ends {
            return Err(self.fault("expected `true`, `false`, `null`, a number or a quoted text"));
        }
        for _ in 0..word.len() {
            self.advance();
        }
        Ok(value)
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Node>, Finding> {
        let mut items = Vec::new();
        self.advance();
        self.skip_blank();
        if self.peek() == Some(b']') {
            self.advance();
            return Ok(items);
        }
        loop {
            items.push(self.value(depth + 1)?);
            if !self.goes_on(b']')? {
                return Ok(items);
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Vec<Entry>, Finding> {
        let mut entries = Vec::new();
        let mut keys = HashSet::new();
        self.advance();
        self.skip_blank();
        if self.peek() == Some(b'}') {
            self.advance();
            return Ok(entries);
        }
        loop {
            let at = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.fault(format_args!("expected a quoted key, found {}", self.found())));
            }
            let key = self.string()?;
            if !keys.insert(key.clone()) {
                return Err(super::yaml::given_twice(&key, at));
            }
            self.skip_blank();
            if self.peek() != Some(b':') {
                return Err(self.fault(format_args!("expected `:`, found {}", self.found())));
            }
            self.advance();
            self.skip_blank();
            entries.push(Entry { key, at, node: self.value(depth + 1)? });
            if !self.goes_on(b'}')? {
                return Ok(entries);
            }
        }
    }

    /// Passes the comma between two items, or the end of the collection.
    fn goes_on(&mut self, end: u8) -> Result<bool, Finding> {
        self.skip_blank();
        match self.peek() {
            Some(b',') => {
                self.advance();
                self.skip_blank();
                if self.peek() == Some(end) {
                    return Err(self.fault("a comma before the end of a list or mapping"));
                }
                Ok(true)
            }
            Some(byte) if byte == end => {
                self.advance();
                Ok(false)
            }
            _ => Err(self.fault(format_args!("expected `,` or `{}`, found {}", end as char, self.found()))),
        }
    }

    fn number(&mut self) -> Result<Value, Finding> {
        let fault = self.fault("a number is digits without leading zeros, then a fraction or exponent");
        let start = self.offset;
        if self.peek() == Some(b'-') {
            self.advance();
        }
        let whole = self.digits();
        let leading_zero = whole > 1 && self.text.as_bytes()[self.offset - whole] == b'0';
        if whole == 0 || leading_zero {
            return Err(fault);
        }
        let mut is_float = false;
        if self.peek() == Some(b'.') {
            is_float = true;
            self.advance();
            if self.digits() == 0 {
                return Err(fault);
            }
        }
        if let Some(b'e' | b'E') = self.peek() {
            is_float = true;
            self.advance();
            if let Some(b'+' | b'-') = self.peek() {
                self.advance();
            }
            if self.digits() == 0 {
                return Err(fault);
            }
        }
        let text = &self.text[start..self.offset];
        let value = if is_float { scalar::float(text) } else { scalar::integer(text) };
        value.ok_or(fault)
    }

    fn digits(&mut self) -> usize {
        let start = self.offset;
        while let Some(b'0'..=b'9') = self.peek() {
            self.advance();
        }
        self.offset - start
    }

    fn string(&mut self) -> Result<String, Finding> {
        let mut out = String::new();
        self.advance();
        loop {
            let start = self.offset;
            while let Some(byte) = self.peek() {
                if matches!(byte, b'"' | b'\\') || byte < b' ' {
                    break;
                }
                self.advance();
            }
            out.push_str(&self.text[start..self.offset]);
            match self.peek() {
                Some(b'"') => {
                    self.advance();
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(_) => return Err(self.fault("a line break or control character inside a text")),
                None => return Err(self.fault("a text without its closing quote")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Finding> {
        let fault = self.fault("an unknown `\\` sequence in a text");
        self.advance();
        let plain = match self.peek().ok_or_else(|| fault.clone())? {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode().ok_or(fault),
            _ => return Err(fault),
        };
        self.advance();
        Ok(plain)
    }

    /// `u` and four digits, or two of them for a character beyond the basic plane.
    fn unicode(&mut self) -> Option<char> {
        let first = self.hex()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        if self.peek() != Some(b'\\') {
            return None;
        }
        self.advance();
        if self.peek() != Some(b'u') {
            return None;
        }
        let second = self.hex().filter(|unit| (0xdc00..0xe000).contains(unit))?;
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))
    }

    /// Four hexadecimal digits after the `u`.
    fn hex(&mut self) -> Option<u32> {
        self.advance();
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit * 16 + char::from(self.peek()?).to_digit(16)?;
            self.advance();
        }
        Some(unit)
    }
}
