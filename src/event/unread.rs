//! Events of the reference that this program does not know or cannot read, and what sets the events
//! of the reference apart (spec 05, 3.8; 06, 8.1).

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::field::{Field, SettlementId};
use super::line::Columns;
use super::{Concerns, Event, EventKind, Text};
use crate::ids::{BankIdx, Names, PaymentId};
use crate::money::Cents;
use crate::text::{write_float, write_quoted};
use crate::time::Tick;

/// An event as it stands in a file of the reference: it is shown with its raw keys and changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The value of `event_type`.
    pub event_type: Text,
    /// The value of `agent_id`.
    pub agent_id: Option<Text>,
    /// The value of `tx_id`.
    pub tx_id: Option<Text>,
    /// All other keys: one JSON object without white space, keys in their order in the file.
    pub details: Text,
}

/// Keys that name banks, in the order of spec 05, 1.5.
const BANK_KEYS: &[&str] = &[
    "agent_id",
    "sender_id",
    "sender",
    "receiver_id",
    "receiver",
    "agent_a",
    "agent_b",
    "agents",
    "focus_counterparties",
];

/// Keys that name payments, in the order of spec 05, 1.5.
const PAYMENT_KEYS: &[&str] = &[
    "tx_id",
    "parent_tx_id",
    "incoming_tx_id",
    "queued_tx_id",
    "child_ids",
    "tx_ids",
    "source_transactions",
];

impl Unread {
    /// The event of its columns; what is no JSON object is kept as a text.
    pub(super) fn new(
        event_type: &str,
        agent_id: Option<&str>,
        tx_id: Option<&str>,
        details: Option<&Map<String, Value>>,
        text: &str,
    ) -> Self {
        let mut written = String::new();
        match details {
            Some(details) => write_object(details, &mut written),
            None => {
                written.push_str("{\"details\":");
                write_quoted(text, &mut written);
                written.push('}');
            }
        }
        Self {
            event_type: event_type.into(),
            agent_id: agent_id.map(Text::from),
            tx_id: tx_id.map(Text::from),
            details: written.into(),
        }
    }

    /// The columns of its row.
    pub(super) fn columns(&self, sequence: u64, tick: Tick) -> Columns<'_> {
        Columns {
            sequence,
            tick: tick.0,
            event_type: &self.event_type,
            agent_id: self.agent_id.as_deref(),
            tx_id: self.tx_id.as_deref(),
            details: &self.details,
        }
    }

    /// Names what the event concerns, as far as its keys name banks of the scenario and payments.
    pub(super) fn visit_concerns(&self, names: &Names, concerns: &mut impl Concerns) {
        let details: Map<String, Value> = serde_json::from_str(&self.details).unwrap_or_default();
        let named = |key: &str| {
            let column = match key {
                "agent_id" => self.agent_id.as_deref(),
                "tx_id" => self.tx_id.as_deref(),
                _ => None,
            };
            column.map(|text| Value::String(text.to_owned())).or_else(|| details.get(key).cloned())
        };
        for value in BANK_KEYS.iter().filter_map(|key| named(key)).flat_map(members) {
            if let Some(bank) = BankIdx::read(&value, names) {
                concerns.bank(bank);
            }
        }
        for value in PAYMENT_KEYS.iter().filter_map(|key| named(key)).flat_map(members) {
            if let Some(payment) = SettlementId::read(&value, names) {
                concerns.payment(payment);
            }
        }
    }
}

fn members(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        one => vec![one],
    }
}

/// The keys of a type that events of the reference do not have (spec 00, C29).
pub(super) const fn added_keys(kind: EventKind) -> &'static [&'static str] {
    match kind {
        EventKind::Arrival => &["parent_tx_id"],
        EventKind::LsmBilateralOffset => &["tx_amounts"],
        EventKind::CollateralPost => &["auto_withdraw_tick"],
        _ => &[],
    }
}

/// Fills in what events of the reference do not say and what follows from others: the parent of a part
/// from its `PolicySplit` of the same tick, the amounts of an offset from its payments. The events are
/// those of whole ticks; how they are written stays as it was.
pub fn complete<'a>(
    events: impl IntoIterator<Item = &'a mut Event>,
    mut amount_of: impl FnMut(PaymentId) -> Option<Cents>,
) {
    let mut events: Vec<&mut Event> = events.into_iter().collect();
    let mut parents: HashMap<PaymentId, PaymentId> = HashMap::new();
    for event in &events {
        if let Event::PolicySplit { tx_id, child_ids, .. } = &**event {
            parents.extend(child_ids.iter().map(|part| (*part, *tx_id)));
        }
    }
    for event in &mut events {
        match &mut **event {
            Event::Arrival { tx_id, parent_tx_id, .. } if parent_tx_id.is_none() => {
                *parent_tx_id = parents.get(tx_id).copied();
            }
            Event::LsmBilateralOffset { tx_ids, tx_amounts, .. } if tx_amounts.is_empty() => {
                *tx_amounts = tx_ids.iter().map(|id| amount_of(*id).unwrap_or(Cents::ZERO)).collect();
            }
            _ => {}
        }
    }
}

/// Completes a simulation of the reference tick by tick, from its first one on.
#[derive(Debug, Default)]
pub struct Completion {
    amounts: HashMap<PaymentId, Cents>,
}

impl Completion {
    /// The next tick; see [`complete`].
    pub fn tick(&mut self, events: &mut [Event]) {
        for event in &*events {
            if let Event::Arrival { tx_id, amount, .. } = event {
                self.amounts.insert(*tx_id, *amount);
            }
        }
        complete(events, |payment| self.amounts.get(&payment).copied());
    }
}

/// Appends a JSON value in the form of spec 05, 1.2; keys stay in their order.
fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => write_quoted(text, out),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (None, None, Some(float)) => write_float(float, out),
            _ => out.push_str(&number.to_string()),
        },
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_value(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => write_object(members, out),
        Value::Null | Value::Bool(_) => out.push_str(&value.to_string()),
    }
}

fn write_object(members: &Map<String, Value>, out: &mut String) {
    out.push('{');
    for (at, (key, value)) in members.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_quoted(key, out);
        out.push(':');
        write_value(value, out);
    }
    out.push('}');
}

/// Reads an object as Python writes it: infinite and undefined numbers stand there as bare words.
pub(super) fn read_object(text: &str) -> Result<Map<String, Value>, serde_json::Error> {
    serde_json::from_str(text)
        .or_else(|error| serde_json::from_str(&with_quoted_words(text)).map_err(|_| error))
}

/// The text with `NaN`, `Infinity` and `-Infinity` outside of texts in quotes, as this program has them.
fn with_quoted_words(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let (mut rest, mut in_text) = (text, false);
    while let Some(letter) = rest.chars().next() {
        let word = ["NaN", "-Infinity", "Infinity"].into_iter().find(|word| rest.starts_with(word));
        let taken = match word.filter(|_| !in_text) {
            Some(word) => {
                write_quoted(word, &mut out);
                word.len()
            }
            None => {
                in_text ^= letter == '"';
                let escaped = if letter == '\\' { rest.chars().nth(1) } else { None };
                let taken = letter.len_utf8() + escaped.map_or(0, char::len_utf8);
                out.push_str(&rest[..taken]);
                taken
            }
        };
        rest = &rest[taken..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_words_are_read_outside_of_texts_only() {
        let read = read_object(r#"{"a": -Infinity, "b": [NaN, 1.5], "c": "NaN \" Infinity"}"#);
        let expected = r#"{"a":"-Infinity","b":["NaN",1.5],"c":"NaN \" Infinity"}"#;
        let mut written = String::new();
        write_object(&read.unwrap_or_default(), &mut written);
        assert_eq!(written, expected);
        assert!(read_object("{").is_err());
    }
}
