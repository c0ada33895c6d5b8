//! Filters as typed: `bank:BANK_A type:Arrival,PolicyHold tick:10-20 some text` for events,
//! `state:failed purpose:new seed:7` for simulations.

use super::format::iteration;
use super::rows::{SimulationFilter, Sort, SortBy, Status};
use crate::event::EventKind;
use crate::finding::nearest;

/// Lists that can be filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterOf {
    Events,
    Simulations,
}

impl FilterOf {
    /// The name under which filters are stored for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Simulations => "simulations",
        }
    }

    /// The words before the colon, with what follows it.
    pub const fn fields(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Events => FIELDS,
            Self::Simulations => SIMULATION_FIELDS,
        }
    }

    /// What is wrong with a filter.
    pub fn problem(self, typed: &str) -> Option<String> {
        match self {
            Self::Events => EventFilter::parse(typed).err(),
            Self::Simulations => SimulationFilter::parse(typed).err(),
        }
    }
}

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

/// The words before the colon of a filter of simulations.
pub const SIMULATION_FIELDS: &[(&str, &str)] = &[
    ("run", "a run of an experiment"),
    ("iteration", "an iteration of it, from 1"),
    ("point", "a point of a sweep, from 0"),
    ("purpose", "why it was run: cli, init, eval, old, new, final or sweep"),
    ("state", "running, completed, failed, cancelled or interrupted"),
    ("scenario", "title or file name of the scenario"),
    ("seed", "the seed"),
    ("text", "in id, title, file name or description; `text:` may be left out"),
    ("sort", "cost, settled, events, ticks, seed or scenario; with `-` the largest first"),
];

const PURPOSES: &[&str] = &["cli", "init", "eval", "old", "new", "final", "sweep"];

/// The words of a filter: those with a field are conditions, the others are a text.
///
/// # Errors
///
/// A field without a value, or what is wrong with a condition.
fn words<'a>(
    typed: &'a str,
    mut condition: impl FnMut(&'a str, &'a str) -> Result<(), String>,
) -> Result<Option<String>, String> {
    let mut words: Vec<&str> = Vec::new();
    for word in typed.split_whitespace() {
        match word.split_once(':') {
            Some((field, "")) => return Err(format!("`{field}:` wants a value")),
            Some(("text", value)) => words.push(value),
            Some((field, value)) => condition(field, value)?,
            None => words.push(word),
        }
    }
    Ok((!words.is_empty()).then(|| words.join(" ")))
}

/// An iteration as people count them.
fn iteration_typed(value: &str) -> Result<u64, String> {
    let typed: Option<u64> = value.parse().ok();
    let index = typed.and_then(|number| number.checked_sub(1));
    index.ok_or_else(|| format!("`{value}` is no iteration: write a whole number from 1"))
}

fn unknown_field(field: &str, of: FilterOf) -> String {
    let meant = nearest(field, of.fields().iter().map(|(name, _)| *name));
    let hint = meant.map(|name| format!("; did you mean `{name}:`?")).unwrap_or_default();
    format!("unknown field `{field}`{hint}")
}

/// One of a few words.
fn known<T: Copy>(
    field: &str,
    value: &str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<T, String> {
    let found = all.iter().copied().find(|one| name(*one).eq_ignore_ascii_case(value));
    found.ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|one| name(*one)).collect();
        format!("`{value}` is no {field}: {}", names.join(", "))
    })
}

impl SimulationFilter {
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
        let number = |field: &str, value: &str| {
            value.parse().map_err(|_| format!("`{value}` is no {field}: write a whole number from 0"))
        };
        let text = words(typed, |field, value| {
            match field {
                "run" => filter.run = Some(value.to_owned()),
                "iteration" => filter.iteration = Some(iteration_typed(value)?),
                "point" => filter.point = Some(number(field, value)?),
                "purpose" => {
                    filter.purpose = Some(known(field, value, PURPOSES, |name| name)?.to_owned());
                }
                "state" => filter.status = Some(known(field, value, Status::ALL, Status::word)?),
                "scenario" => filter.scenario = Some(value.to_owned()),
                "seed" => filter.seed = Some(number(field, value)?),
                "sort" => {
                    let column = value.trim_start_matches('-');
                    let by = known("column", column, SortBy::ALL, SortBy::word)?;
                    filter.sort = Some(Sort { by, descending: value.starts_with('-') });
                }
                _ => return Err(unknown_field(field, FilterOf::Simulations)),
            }
            Ok(())
        })?;
        filter.text = text;
        Ok(filter)
    }

    /// The filter as it could be typed.
    pub fn typed(&self) -> String {
        let parts = [
            self.run.as_ref().map(|run| format!("run:{run}")),
            self.iteration.map(|index| format!("iteration:{}", iteration(index))),
            self.point.map(|point| format!("point:{point}")),
            self.purpose.as_ref().map(|purpose| format!("purpose:{purpose}")),
            self.status.map(|status| format!("state:{}", status.word())),
            self.scenario.as_ref().map(|scenario| format!("scenario:{scenario}")),
            self.seed.map(|seed| format!("seed:{seed}")),
            self.sort.map(|Sort { by, descending }| {
                format!("sort:{}{}", if descending { "-" } else { "" }, by.word())
            }),
            self.text.clone(),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

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
        let text = words(typed, |field, value| {
            match field {
                "bank" => filter.bank = Some(value.to_owned()),
                "payment" => filter.payment = Some(payment_name(value)),
                "type" => filter.kinds = value.split(',').map(kind_name).collect::<Result<_, _>>()?,
                "tick" => filter.ticks = Some(tick_range(value)?),
                "day" => filter.day = Some(number(value)?),
                _ => return Err(unknown_field(field, FilterOf::Events)),
            }
            Ok(())
        })?;
        filter.text = text;
        Ok(filter)
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
    fn a_filter_of_simulations_reads_back_and_knows_its_words() {
        for typed in [
            "",
            "run:r-2 point:0",
            "run:r-1 iteration:3 purpose:new state:failed scenario:two-banks seed:7 sort:-cost late one",
        ] {
            assert_eq!(SimulationFilter::parse(typed).map(|filter| filter.typed()).as_deref(), Ok(typed));
        }
        for (typed, expected) in [
            ("state:dead", "`dead` is no state: running, completed, failed, cancelled, interrupted"),
            ("purpose:x", "`x` is no purpose: cli, init, eval, old, new, final, sweep"),
            ("sort:size", "`size` is no column: cost, settled, events, ticks, seed, scenario"),
            ("seed:-1", "`-1` is no seed: write a whole number from 0"),
            ("sed:1", "unknown field `sed`; did you mean `seed:`?"),
        ] {
            assert_eq!(SimulationFilter::parse(typed), Err(expected.to_owned()));
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
