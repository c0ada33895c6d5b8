//! The filter of events as typed: `bank:BANK_A type:Arrival,PolicyHold tick:10-20 some text`.

use crate::event::EventKind;
use crate::finding::nearest;

/// Which events a list shows; all given conditions hold together (spec 06, 5.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    pub bank: Option<String>,
    pub payment: Option<String>,
    pub kinds: Vec<String>,
    pub ticks: Option<(u64, u64)>,
    pub day: Option<u64>,
    pub text: Option<String>,
}

/// The words before the colon, with what follows it.
pub const FIELDS: &[(&str, &str)] = &[
    ("bank", "a bank in any role"),
    ("payment", "a payment in any role; a plain number will do"),
    ("type", "event types, separated by commas"),
    ("tick", "A-B, A-, -B or A"),
    ("day", "a day"),
    ("text", "anywhere in the event; `text:` may be left out"),
];

impl EventFilter {
    /// Whether it lets everything through.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Reads what was typed.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in a sentence.
    pub fn parse(typed: &str) -> Result<Self, String> {
        let mut filter = Self::default();
        let mut words: Vec<&str> = Vec::new();
        for word in typed.split_whitespace() {
            match word.split_once(':') {
                Some((field, value)) => filter.condition(field, value, &mut words)?,
                None => words.push(word),
            }
        }
        if !words.is_empty() {
            filter.text = Some(words.join(" "));
        }
        Ok(filter)
    }

    fn condition<'a>(&mut self, field: &str, value: &'a str, words: &mut Vec<&'a str>) -> Result<(), String> {
        if value.is_empty() {
            return Err(format!("`{field}:` wants a value"));
        }
        match field {
            "bank" => self.bank = Some(value.to_owned()),
            "payment" => self.payment = Some(payment_name(value)),
            "type" => self.kinds = value.split(',').map(kind_name).collect::<Result<_, _>>()?,
            "tick" => self.ticks = Some(tick_range(value)?),
            "day" => self.day = Some(number(value)?),
            "text" => words.push(value),
            _ => {
                let meant = nearest(field, FIELDS.iter().map(|(name, _)| *name));
                let hint = meant.map(|name| format!("; did you mean `{name}:`?")).unwrap_or_default();
                return Err(format!("unknown field `{field}`{hint}"));
            }
        }
        Ok(())
    }

    /// The filter as it could be typed.
    pub fn typed(&self) -> String {
        let range = |(from, to): &(u64, u64)| match (*from, *to) {
            (from, to) if from == to => format!("tick:{from}"),
            (from, u64::MAX) => format!("tick:{from}-"),
            (from, to) => format!("tick:{from}-{to}"),
        };
        let parts = [
            self.bank.as_ref().map(|bank| format!("bank:{bank}")),
            self.payment.as_ref().map(|payment| format!("payment:{payment}")),
            (!self.kinds.is_empty()).then(|| format!("type:{}", self.kinds.join(","))),
            self.ticks.as_ref().map(range),
            self.day.map(|day| format!("day:{day}")),
            self.text.clone(),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// A payment's full name for its number, else the text itself.
/// The id of a payment; a plain number is the one in it.
pub fn payment_name(value: &str) -> String {
    value.parse::<u64>().map_or_else(|_| value.to_owned(), |number| format!("tx-{number:06}"))
}

fn kind_name(value: &str) -> Result<String, String> {
    let names = || EventKind::ALL.iter().map(|kind| kind.info().name);
    if let Some(name) = names().find(|name| name.eq_ignore_ascii_case(value)) {
        return Ok(name.to_owned());
    }
    let hint = nearest(value, names()).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
    Err(format!("unknown event type `{value}`{hint}"))
}

fn tick_range(value: &str) -> Result<(u64, u64), String> {
    let (from, to) = match value.split_once('-') {
        None => (number(value)?, number(value)?),
        Some(("", to)) => (0, number(to)?),
        Some((from, "")) => (number(from)?, u64::MAX),
        Some((from, to)) => (number(from)?, number(to)?),
    };
    if from > to {
        return Err(format!("`{value}` ends before it begins"));
    }
    Ok((from, to))
}

fn number(value: &str) -> Result<u64, String> {
    value.parse().map_err(|_| format!("`{value}` is no tick: ticks are whole numbers from 0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_reads_back() {
        for typed in [
            "",
            "bank:BANK_A",
            "payment:tx-000004 type:Arrival,PolicyHold tick:3-9",
            "tick:5- day:2 low liquidity",
            "tick:7",
        ] {
            assert_eq!(EventFilter::parse(typed).map(|filter| filter.typed()).as_deref(), Ok(typed));
        }
    }

    #[test]
    fn short_forms_are_completed() {
        let filter = EventFilter::parse("payment:4 type:arrival tick:-8");
        let expected = EventFilter {
            payment: Some("tx-000004".into()),
            kinds: vec!["Arrival".into()],
            ticks: Some((0, 8)),
            ..EventFilter::default()
        };
        assert_eq!(filter, Ok(expected));
    }

    #[test]
    fn what_is_wrong_is_said_with_what_was_meant() {
        for (typed, expected) in [
            ("bnk:A", "unknown field `bnk`; did you mean `bank:`?"),
            ("type:Arival", "unknown event type `Arival`; did you mean `Arrival`?"),
            ("tick:9-3", "`9-3` ends before it begins"),
            ("tick:x", "`x` is no tick: ticks are whole numbers from 0"),
            ("bank:", "`bank:` wants a value"),
        ] {
            assert_eq!(EventFilter::parse(typed), Err(expected.to_owned()));
        }
    }
}
