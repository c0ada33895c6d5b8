//! Event lines: the canonical text of an event, and back (spec 05, 1.2; 06, 2.3).

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::field::Field;
use super::unread::{Unread, added_keys, read_object};
use super::{Event, EventKind, FieldVisitor};
use crate::ids::Names;
use crate::text::write_quoted;
use crate::time::Tick;

/// Why a stored event could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The type is not in the catalogue.
    #[error("unknown event type `{0}`")]
    UnknownType(String),
    /// The text is not a JSON object.
    #[error("event details are no JSON object: {0}")]
    NotAnObject(String),
    /// A key is absent.
    #[error("event key `{0}` is missing")]
    Missing(&'static str),
    /// A key has a value of another kind.
    #[error("event key `{key}` holds `{found}`, not {wanted}")]
    Wrong {
        /// The key.
        key: &'static str,
        /// What stands there.
        found: String,
        /// What would be right.
        wanted: &'static str,
    },
}

/// Appends the event as one JSON object without a line feed.
pub fn write_line(sequence: u64, tick: Tick, event: &Event, names: &Names, out: &mut String) {
    if let Event::Unread(unread) = event {
        return write_columns_line(&unread.columns(sequence, tick), out);
    }
    let _ = write!(out, "{{\"sequence\":{sequence},\"event_type\":");
    write_quoted(event.type_name(), out);
    let _ = write!(out, ",\"tick\":{tick}");
    event.visit(&mut Members { names, out, skip: &[], added: added(event, names) });
    out.push('}');
}

/// A stored event: the columns of its row that its line is made of (spec 06, 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns<'a> {
    /// Number of the event in the run.
    pub sequence: u64,
    /// Its tick.
    pub tick: u64,
    /// Its type.
    pub event_type: &'a str,
    /// The value of its key `agent_id`, if it has one.
    pub agent_id: Option<&'a str>,
    /// The value of its key `tx_id`, if it has one.
    pub tx_id: Option<&'a str>,
    /// All other keys as one JSON object.
    pub details: &'a str,
}

/// Appends the line of a stored event without a line feed.
pub fn write_columns_line(columns: &Columns<'_>, out: &mut String) {
    let Columns { sequence, tick, event_type, agent_id, tx_id, details } = columns;
    let _ = write!(out, "{{\"sequence\":{sequence},\"event_type\":");
    write_quoted(event_type, out);
    let _ = write!(out, ",\"tick\":{tick}");
    for (key, value) in [("agent_id", agent_id), ("tx_id", tx_id)] {
        if let Some(value) = value {
            let _ = write!(out, ",\"{key}\":");
            write_quoted(value, out);
        }
    }
    match details.strip_prefix('{') {
        Some(members) if members.len() > 1 => {
            out.push(',');
            out.push_str(members);
        }
        _ => out.push('}'),
    }
}

/// The keys that the event's dialect leaves out.
fn added(event: &Event, names: &Names) -> &'static [&'static str] {
    if names.of_reference() { added_keys(event.kind()) } else { &[] }
}

/// The part of an event that the column `details` holds: all keys but `agent_id` and `tx_id`.
#[derive(Debug)]
pub struct Details;

impl Details {
    /// Appends the details as one JSON object.
    pub fn write(event: &Event, names: &Names, out: &mut String) {
        if let Event::Unread(unread) = event {
            return out.push_str(&unread.details);
        }
        let start = out.len();
        out.push('{');
        let added = added(event, names);
        event.visit(&mut Members { names, out, skip: &["agent_id", "tx_id"], added });
        // Every member is preceded by a comma; the first one's stands where the brace belongs.
        if out.len() > start + 1 {
            out.remove(start + 1);
        }
        out.push('}');
    }
}

struct Members<'a> {
    names: &'a Names,
    out: &'a mut String,
    skip: &'static [&'static str],
    added: &'static [&'static str],
}

impl FieldVisitor for Members<'_> {
    fn field<F: Field>(&mut self, name: &'static str, value: &F) {
        if self.skip.contains(&name) || self.added.contains(&name) {
            return;
        }
        self.out.push_str(",\"");
        self.out.push_str(name);
        self.out.push_str("\":");
        value.write(self.names, self.out);
    }
}

/// The keys of a stored event while it is read.
pub struct Keys<'a> {
    names: &'a Names,
    added: &'static [&'static str],
    agent_id: Option<&'a str>,
    tx_id: Option<&'a str>,
    details: Map<String, Value>,
}

impl Keys<'_> {
    pub(super) fn get<F: Field>(&self, key: &'static str) -> Result<F, DecodeError> {
        let column = match key {
            "agent_id" => self.agent_id,
            "tx_id" => self.tx_id,
            _ => None,
        };
        let from_column = column.map(|text| Value::String(text.to_owned()));
        let Some(value) = from_column.as_ref().or_else(|| self.details.get(key)) else {
            let nothing = || F::read(&Value::Null, self.names);
            let empty = || F::read(&Value::Array(Vec::new()), self.names);
            let absent = self.added.contains(&key).then(|| nothing().or_else(empty)).flatten();
            return absent.ok_or(DecodeError::Missing(key));
        };
        F::read(value, self.names).ok_or_else(|| DecodeError::Wrong {
            key,
            found: value.to_string(),
            wanted: F::KIND.describe(),
        })
    }
}

/// Reads an event from the columns of its row. `details` may also be a whole event line.
///
/// Of an event of the reference the added keys (C29) can be absent; it is [`Event::Unread`] if it
/// cannot be read.
///
/// # Errors
///
/// An unknown type, a missing key, or a value that does not fit its key.
pub fn decode(
    event_type: &str,
    agent_id: Option<&str>,
    tx_id: Option<&str>,
    details: &str,
    names: &Names,
) -> Result<Event, DecodeError> {
    let reference = names.of_reference();
    let object = if reference { read_object(details) } else { serde_json::from_str(details) };
    let raw = |object: Option<&Map<String, Value>>| {
        Ok(Event::Unread(Unread::new(event_type, agent_id, tx_id, object, details).into()))
    };
    let details = match object {
        Ok(details) => details,
        Err(_) if reference => return raw(None),
        Err(error) => return Err(DecodeError::NotAnObject(error.to_string())),
    };
    let Some(kind) = EventKind::find(event_type) else {
        let unknown = || Err(DecodeError::UnknownType(event_type.to_owned()));
        return if reference { raw(Some(&details)) } else { unknown() };
    };
    let added = if reference { added_keys(kind) } else { &[] };
    let keys = Keys { names, added, agent_id, tx_id, details };
    match Event::from_keys(kind, &keys) {
        Err(_) if reference => raw(Some(&keys.details)),
        read => read,
    }
}

impl super::FieldKind {
    /// What a value of this kind is, for messages.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Bank => "the id of a bank of the scenario",
            Self::Payment => "the id of a payment",
            Self::Money => "a whole number of cents",
            Self::Tick => "a tick",
            Self::Count => "a count",
            Self::Float => "a number",
            Self::Flag => "true or false",
            Self::Text => "a text",
            Self::List => "a list",
            Self::Costs => "costs by kind",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{ConcernLists, Effect, HoldReason, SettlementId};
    use super::*;
    use crate::ids::{BankIdx, PaymentId};
    use crate::money::Cents;

    fn names() -> Names {
        Names::new(["BANK_A", "BANK_B"].map(Arc::from))
    }

    fn reads_back(event: &Event) -> String {
        let names = names();
        let (mut line, mut details) = (String::new(), String::new());
        write_line(17, Tick(3), event, &names, &mut line);
        Details::write(event, &names, &mut details);
        let agent = event.agent_id().map(|bank| names.bank(bank).to_owned());
        let payment = event.tx_id().map(|id| id.name(&names));
        let read = decode(event.kind().name(), agent.as_deref(), payment.as_deref(), &details, &names);
        assert_eq!(read.as_ref(), Ok(event));
        assert_eq!(decode(event.kind().name(), None, None, &line, &names).as_ref(), Ok(event));
        line
    }

    #[test]
    fn a_line_has_the_canonical_form() {
        let event =
            Event::PolicyHold { agent_id: BankIdx(0), tx_id: PaymentId(4), reason: HoldReason::LowPriority };
        let expected = r#"{"sequence":17,"event_type":"PolicyHold","tick":3,"agent_id":"BANK_A","tx_id":"tx-000004","reason":"LowPriority"}"#;
        assert_eq!(reads_back(&event), expected);
    }

    #[test]
    fn scheduled_settlements_read_back() {
        let tx_id =
            SettlementId::Scheduled { from: BankIdx(0), to: BankIdx(1), amount: Cents(70), tick: Tick(3) };
        let line = reads_back(&Event::RtgsImmediateSettlement {
            tx_id,
            sender: BankIdx(0),
            receiver: BankIdx(1),
            amount: Cents(70),
            sender_balance_before: Cents(100),
            sender_balance_after: Cents(30),
        });
        assert!(line.contains(r#""tx_id":"scheduled_settlement_BANK_A_BANK_B_70_3""#), "{line}");
    }

    #[test]
    fn effects_are_texts_with_sorted_keys_and_name_whom_they_concern() {
        let effect = Effect::CustomArrival {
            amount: Cents(5),
            deadline: 9,
            from: BankIdx(1),
            is_divisible: false,
            priority: 5,
            to: BankIdx(0),
            tx_id: PaymentId(2),
        };
        let event = effect.executed();
        let line = reads_back(&event);
        assert!(line.contains(r#"\"amount\":5,\"deadline\":9,\"from_agent\":\"BANK_B\""#), "{line}");
        let expected = ConcernLists {
            banks: vec![BankIdx(1), BankIdx(0)],
            payments: vec![SettlementId::Payment(PaymentId(2))],
        };
        assert_eq!(event.concerns(&names()), expected);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let error = decode("PolicySubmit", Some("NOBODY"), Some("tx-000001"), "{}", &names());
        assert!(matches!(error, Err(DecodeError::Wrong { key: "agent_id", .. })));
        assert_eq!(decode("QueuedRtgs", None, None, "{}", &names()), Err(DecodeError::Missing("tx_id")));
        assert!(matches!(decode("Nope", None, None, "{}", &names()), Err(DecodeError::UnknownType(_))));
    }
}
