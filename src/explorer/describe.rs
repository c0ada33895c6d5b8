//! Events in words: their line of JSON as fields with units, and a summary of one line.

use serde_json::{Map, Value};

use crate::event::{EventKind, FieldKind};
use crate::money::Cents;

/// What a type says, from the registry.
pub fn help(kind: &str) -> Option<&'static str> {
    EventKind::find(kind).map(|kind| kind.info().help.trim())
}

/// The keys of an event line with their values, money in currency units.
pub fn fields(line: &str) -> Vec<(String, String)> {
    let Ok(Value::Object(members)) = serde_json::from_str(line) else { return Vec::new() };
    let kind = members.get("event_type").and_then(Value::as_str).unwrap_or("").to_owned();
    members
        .iter()
        .filter(|(key, _)| !matches!(key.as_str(), "event_type"))
        .map(|(key, value)| (key.replace('_', " "), shown(kind_of(&kind, key), key, value)))
        .collect()
}

/// An event in one line: who pays whom, which payment, how much, then the rest.
pub fn summary(line: &str) -> String {
    let Ok(Value::Object(members)) = serde_json::from_str(line) else { return String::new() };
    let kind = members.get("event_type").and_then(Value::as_str).unwrap_or("").to_owned();
    let mut parts: Vec<String> = Vec::new();
    let mut told: Vec<&str> = vec!["sequence", "event_type", "tick"];
    if let Some(payment) = text(&members, "tx_id") {
        parts.push(payment.to_owned());
        told.push("tx_id");
    }
    for (from, to) in [("sender_id", "receiver_id"), ("sender", "receiver"), ("agent_a", "agent_b")] {
        match (text(&members, from), text(&members, to)) {
            (Some(payer), Some(payee)) => parts.push(format!("{payer} > {payee}")),
            (Some(payer), None) => parts.push(payer.to_owned()),
            _ => continue,
        }
        told.extend([from, to]);
    }
    if let Some(bank) = text(&members, "agent_id") {
        parts.insert(0, bank.to_owned());
        told.push("agent_id");
    }
    for (key, value) in &members {
        if told.contains(&key.as_str()) || value.is_null() {
            continue;
        }
        let value = shown(kind_of(&kind, key), key, value);
        match key.as_str() {
            "amount" | "reason" => parts.push(value),
            _ => parts.push(format!("{} {value}", key.replace('_', " "))),
        }
    }
    parts.join("  ")
}

/// The payment that an event is about, if it is about one; the first of several.
pub fn payment(line: &str) -> Option<String> {
    let Ok(Value::Object(members)) = serde_json::from_str(line) else { return None };
    let first = || members.get("tx_ids").and_then(|ids| ids.get(0)).and_then(Value::as_str);
    text(&members, "tx_id").or_else(first).or_else(|| text(&members, "parent_tx_id")).map(str::to_owned)
}

fn text<'a>(members: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    members.get(key).and_then(Value::as_str)
}

fn kind_of(kind: &str, key: &str) -> Option<FieldKind> {
    let info = EventKind::find(kind)?.info();
    info.fields.iter().find(|field| field.name == key).map(|field| field.kind)
}

/// Lists and objects that hold money.
const MONEY: &[&str] = &["tx_amounts", "net_positions", "costs"];

fn shown(kind: Option<FieldKind>, key: &str, value: &Value) -> String {
    let money = kind == Some(FieldKind::Money) || kind == Some(FieldKind::Costs) || MONEY.contains(&key);
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => match number.as_i64().filter(|_| money) {
            Some(cents) => Cents(cents).to_string(),
            None => number.to_string(),
        },
        Value::Array(items) => items.iter().map(|item| shown(kind, key, item)).collect::<Vec<_>>().join(", "),
        Value::Object(members) => {
            let nonzero = members.iter().filter(|(_, value)| value.as_i64() != Some(0));
            let parts = nonzero
                .map(|(name, value)| format!("{} {}", name.replace('_', " "), shown(kind, key, value)));
            parts.collect::<Vec<_>>().join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrival_is_read_from_left_to_right() {
        let line = r#"{"sequence":0,"event_type":"Arrival","tick":2,"tx_id":"tx-000001","sender_id":"A","receiver_id":"B","amount":123456,"deadline":9,"priority":5,"is_divisible":false,"parent_tx_id":null}"#;
        assert_eq!(summary(line), "tx-000001  A > B  1,234.56  deadline 9  priority 5  is divisible no");
        assert!(fields(line).contains(&("amount".into(), "1,234.56".into())));
    }

    #[test]
    fn costs_name_only_what_was_charged() {
        let line = r#"{"sequence":4,"event_type":"CostAccrual","tick":2,"agent_id":"A","costs":{"liquidity_cost":0,"delay_cost":250,"total":250}}"#;
        assert_eq!(summary(line), "A  costs delay cost 2.50, total 2.50");
    }

    #[test]
    fn an_event_names_its_payment() {
        assert_eq!(payment(r#"{"tx_id":"tx-000003"}"#).as_deref(), Some("tx-000003"));
        assert_eq!(payment(r#"{"tx_ids":["tx-000001","tx-000002"]}"#).as_deref(), Some("tx-000001"));
        assert_eq!(payment(r#"{"agent_id":"A"}"#), None);
    }

    #[test]
    fn what_is_no_event_is_empty_not_an_error() {
        assert_eq!(summary("{"), "");
        assert_eq!(fields("[1]"), Vec::new());
    }
}
