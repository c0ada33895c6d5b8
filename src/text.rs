//! The one text form of values: canonical JSON (spec 05, 1.2); and the text of a panic.

use std::any::Any;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// A text that a terminal shows and is not steered by: line feeds and tabs stay, every other control
/// character is replaced. Names, replies of a model and texts of files are the user's or somebody else's.
#[must_use]
pub fn harmless(text: &str) -> Cow<'_, str> {
    let steers = |letter: char| letter.is_control() && letter != '\n' && letter != '\t';
    if text.contains(steers) {
        Cow::Owned(text.chars().map(|letter| if steers(letter) { visible(letter) } else { letter }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// The letter, or a sign in place of a control character.
#[must_use]
pub fn visible(letter: char) -> char {
    if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter }
}

/// Appends a JSON text with its quotes; only `"`, `\` and control characters are escaped.
pub fn write_quoted(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            control if control < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// A JSON text with its quotes.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_quoted(text, &mut out);
    out
}

/// Appends a float: the shortest decimal that reads back, always recognisable as a float;
/// what JSON cannot hold is a text.
pub fn write_float(value: f64, out: &mut String) {
    if value.is_nan() {
        out.push_str("\"NaN\"");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" });
    } else if value == 0.0 {
        out.push_str(if value.is_sign_negative() { "-0.0" } else { "0.0" });
    } else if (1e-5..1e16).contains(&value.abs()) {
        // `Debug` turns to exponents below 1e-4; `Display` never does, but omits the point.
        let start = out.len();
        let _ = write!(out, "{value}");
        if !out[start..].contains('.') {
            out.push_str(".0");
        }
    } else {
        let _ = write!(out, "{value:e}");
    }
}

/// A float in canonical form.
#[must_use]
pub fn float(value: f64) -> String {
    let mut out = String::new();
    write_float(value, &mut out);
    out
}

/// A value as one line of canonical JSON, keys in the order of its fields.
///
/// # Errors
///
/// A value that has no form in JSON, e.g. a map with keys that are no texts.
pub fn to_json(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut bytes = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut bytes, Canonical))?;
    String::from_utf8(bytes).map_err(serde::ser::Error::custom)
}

/// The form of floats; everything else is the serializer's own.
struct Canonical;

impl Formatter for Canonical {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(float(value).as_bytes())
    }
}

/// What a panic said.
#[must_use]
pub fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown cause".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_have_one_form() {
        for (value, expected) in [
            (2.0, "2.0"),
            (0.05, "0.05"),
            (0.000_012_34, "0.00001234"),
            (1_250_000_000_000_000.0, "1250000000000000.0"),
            (1e-7, "1e-7"),
            (1.5e16, "1.5e16"),
            (-0.0, "-0.0"),
            (f64::INFINITY, "\"Infinity\""),
            (f64::NAN, "\"NaN\""),
            (1.200_000_000_000_000_2, "1.2000000000000002"),
        ] {
            assert_eq!(float(value), expected);
        }
    }

    #[test]
    fn values_are_written_without_blanks_and_with_floats_in_their_one_form() {
        let written = to_json(&("a\u{1}\u{7f}", 1e-5, 2.0, 1e16));
        assert_eq!(written.ok().as_deref(), Some("[\"a\\u0001\u{7f}\",0.00001,2.0,1e16]"));
    }

    #[test]
    fn only_control_characters_are_escaped() {
        assert_eq!(quoted("a\"b\\\u{1}\né→"), "\"a\\\"b\\\\\\u0001\\né→\"");
    }
}
