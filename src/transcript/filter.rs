//! Which events are shown (spec 06, 7.5).

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use crate::event::{Concerns, Event, EventKind, Field, SettlementId, Text};
use crate::finding::nearest;
use crate::ids::{BankIdx, Names};
use crate::time::{Calendar, Day, Tick};

/// Types that only databases of other programs hold (spec 05, 3.8).
const FOREIGN_TYPES: [&str; 2] = ["RtgsQueue2Settle", "Settlement"];

/// The texts of the filter options.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FilterOptions<'a> {
    /// `--filter-event-type`: types separated by commas.
    pub event_types: Option<&'a str>,
    /// `--filter-agent`: the id of a bank.
    pub agent: Option<&'a str>,
    /// `--filter-tx`: the id of a payment.
    pub tx: Option<&'a str>,
    /// `--filter-tick-range`: `A-B`, `A-`, `-B` or `A`.
    pub tick_range: Option<&'a str>,
    /// `--filter-day`.
    pub day: Option<u64>,
}

/// Which events are shown; all rules that are given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Names of the types; empty: all.
    types: Vec<&'static str>,
    bank: Option<Text>,
    payment: Option<Text>,
    ticks: Option<TickRange>,
    day: Option<Day>,
}

/// An inclusive range of ticks, open to either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TickRange {
    /// First tick.
    pub first: Tick,
    /// Last tick; `None`: no end.
    pub last: Option<Tick>,
}

/// A filter option that cannot be read: a usage error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// Not in the catalogue.
    #[error("unknown event type `{name}`")]
    UnknownType {
        /// What was given.
        name: String,
        /// Types that may be meant.
        nearest: Vec<&'static str>,
    },
    /// No type at all, or nothing between two commas.
    #[error("an event type is missing in `{0}`")]
    MissingType(String),
    /// Not a range.
    #[error("`{0}` is no range of ticks")]
    NotARange(String),
    /// A range whose end comes before its start.
    #[error("the range of ticks `{0}` ends before it begins")]
    Reversed(String),
}

impl FilterError {
    /// What to write instead.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownType { nearest, .. } if nearest.is_empty() => None,
            Self::UnknownType { nearest, .. } => {
                let quoted: Vec<_> = nearest.iter().map(|name| format!("`{name}`")).collect();
                Some(format!("did you mean {}?", quoted.join(" or ")))
            }
            Self::MissingType(_) => {
                Some("types are separated by single commas: `Arrival,QueuedRtgs`".to_owned())
            }
            Self::NotARange(_) | Self::Reversed(_) => {
                Some("a range is written `5-20`, `5-`, `-20` or `5`, both ends included".to_owned())
            }
        }
    }
}

impl FromStr for TickRange {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let tick = |digits: &str| {
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            let number = if plain { digits.parse().ok() } else { None };
            number.map(Tick).ok_or_else(|| FilterError::NotARange(text.to_owned()))
        };
        let (first, last) = match text.split_once('-') {
            None => (tick(text)?, Some(tick(text)?)),
            Some(("", last)) => (Tick(0), Some(tick(last)?)),
            Some((first, "")) => (tick(first)?, None),
            Some((first, last)) => (tick(first)?, Some(tick(last)?)),
        };
        match last {
            Some(last) if last < first => Err(FilterError::Reversed(text.to_owned())),
            last => Ok(Self { first, last }),
        }
    }
}

impl TickRange {
    /// Whether a tick lies in it.
    #[must_use]
    pub fn contains(&self, tick: Tick) -> bool {
        tick >= self.first && self.last.is_none_or(|last| tick <= last)
    }
}

impl Filter {
    /// Reads the options.
    ///
    /// # Errors
    ///
    /// An unknown type or a malformed range. Whether the bank and the payment occur only a run
    /// can tell: see [`Selection::missing`].
    pub fn parse(options: &FilterOptions<'_>) -> Result<Self, FilterError> {
        let types = match options.event_types {
            None => Vec::new(),
            Some(list) => {
                list.split(',').map(|name| event_type(name.trim(), list)).collect::<Result<_, _>>()?
            }
        };
        Ok(Self {
            types,
            bank: options.agent.map(Text::from),
            payment: options.tx.map(Text::from),
            ticks: options.tick_range.map(str::parse).transpose()?,
            day: options.day.map(Day),
        })
    }

    /// Whether it lets everything pass.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Names of the types that pass; empty: all.
    #[must_use]
    pub fn types(&self) -> &[&'static str] {
        &self.types
    }

    /// The bank that an event must concern.
    #[must_use]
    pub fn bank(&self) -> Option<&str> {
        self.bank.as_deref()
    }

    /// The payment that an event must concern.
    #[must_use]
    pub fn payment(&self) -> Option<&str> {
        self.payment.as_deref()
    }

    /// The ticks that pass.
    #[must_use]
    pub const fn ticks(&self) -> Option<TickRange> {
        self.ticks
    }

    /// The day that passes.
    #[must_use]
    pub const fn day(&self) -> Option<Day> {
        self.day
    }

    /// The filter for the events of one simulation.
    #[must_use]
    pub fn select(&self, names: &Names, calendar: Calendar) -> Selection {
        let payment = |id: &Text| SettlementId::read(&Value::String(id.to_string()), names);
        Selection {
            bank: Wanted::of(self.bank.as_ref(), |id| names.find(id)),
            payment: Wanted::of(self.payment.as_ref(), payment),
            nearest_bank: self.bank.as_deref().and_then(|id| {
                let ids = names.ids().iter().map(|id| &**id);
                nearest(id, ids).filter(|found| *found != id).map(Text::from)
            }),
            calendar,
            filter: self.clone(),
        }
    }
}

fn event_type(name: &str, list: &str) -> Result<&'static str, FilterError> {
    if name.is_empty() {
        return Err(FilterError::MissingType(list.to_owned()));
    }
    let foreign = || FOREIGN_TYPES.into_iter().find(|foreign| *foreign == name);
    let known = EventKind::find(name).map(EventKind::name).or_else(foreign);
    known.ok_or_else(|| FilterError::UnknownType { name: name.to_owned(), nearest: nearest_types(name) })
}

/// The type nearest by spelling, else those that hold the word.
fn nearest_types(name: &str) -> Vec<&'static str> {
    let names = || EventKind::ALL.iter().map(|kind| kind.name());
    if let Some(found) = nearest(name, names()) {
        return vec![found];
    }
    let word = name.to_lowercase();
    if word.len() < 3 {
        return Vec::new();
    }
    names().filter(|known| known.to_lowercase().contains(&word)).take(3).collect()
}

/// A filter at work on the events of one simulation; it remembers whom it met.
#[derive(Clone, Debug)]
pub struct Selection {
    filter: Filter,
    bank: Wanted<BankIdx>,
    payment: Wanted<SettlementId>,
    nearest_bank: Option<Text>,
    calendar: Calendar,
}

/// A bank or payment that events must concern.
#[derive(Clone, Debug)]
enum Wanted<T> {
    /// No matter whom.
    Anyone,
    /// This one; `None` if the simulation cannot have it. Whether it was met.
    One(Option<T>, bool),
}

impl<T: PartialEq + Copy> Wanted<T> {
    fn of(id: Option<&Text>, find: impl FnOnce(&Text) -> Option<T>) -> Self {
        id.map_or(Self::Anyone, |id| Self::One(find(id), false))
    }

    const fn is_given(&self) -> bool {
        matches!(self, Self::One(..))
    }

    fn is(&self, other: T) -> bool {
        matches!(self, Self::One(Some(wanted), _) if *wanted == other)
    }

    const fn is_missing(&self) -> bool {
        matches!(self, Self::One(_, false))
    }

    const fn meet(&mut self, met_now: bool) {
        if let Self::One(_, met) = self {
            *met |= met_now;
        }
    }
}

/// Whether an event concerns the bank and the payment that are wanted.
struct Roles<'a> {
    selection: &'a Selection,
    bank: bool,
    payment: bool,
}

impl Concerns for Roles<'_> {
    fn bank(&mut self, bank: BankIdx) {
        self.bank |= self.selection.bank.is(bank);
    }

    fn payment(&mut self, payment: SettlementId) {
        self.payment |= self.selection.payment.is(payment);
    }
}

impl Selection {
    /// Whether an event is shown; `names` are those of its simulation.
    pub fn matches(&mut self, tick: Tick, event: &Event, names: &Names) -> bool {
        let (bank, payment) = self.roles(event, names);
        self.bank.meet(bank);
        self.payment.meet(payment);
        self.passes_with(tick, event, bank, payment)
    }

    /// Whether an event would be shown, without remembering whom it concerns.
    #[must_use]
    pub fn passes(&self, tick: Tick, event: &Event, names: &Names) -> bool {
        let (bank, payment) = self.roles(event, names);
        self.passes_with(tick, event, bank, payment)
    }

    fn roles(&self, event: &Event, names: &Names) -> (bool, bool) {
        let mut roles = Roles { selection: self, bank: false, payment: false };
        if self.bank.is_given() || self.payment.is_given() {
            event.visit_concerns(names, &mut roles);
        }
        (roles.bank, roles.payment)
    }

    fn passes_with(&self, tick: Tick, event: &Event, bank: bool, payment: bool) -> bool {
        let Filter { types, ticks, day, .. } = &self.filter;
        (types.is_empty() || types.contains(&event.type_name()))
            && ticks.is_none_or(|range| range.contains(tick))
            && day.is_none_or(|day| self.calendar.day(tick) == day)
            && (bank || !self.bank.is_given())
            && (payment || !self.payment.is_given())
    }

    /// The filter.
    #[must_use]
    pub const fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The bank that events must concern, if there is one of that id.
    #[must_use]
    pub const fn bank(&self) -> Option<BankIdx> {
        match self.bank {
            Wanted::One(bank, _) => bank,
            Wanted::Anyone => None,
        }
    }

    /// The bank and the payment that no event so far concerned, whatever the other rules: to be
    /// warned of at the end.
    #[must_use]
    pub fn missing(&self) -> Vec<Missing> {
        let bank = self.filter.bank.clone().filter(|_| self.bank.is_missing());
        let payment = self.filter.payment.clone().filter(|_| self.payment.is_missing());
        let bank = bank.map(|id| Missing::Bank { id, nearest: self.nearest_bank.clone() });
        bank.into_iter().chain(payment.map(Missing::Payment)).collect()
    }
}

/// What a filter asks for and no event concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A bank.
    Bank {
        /// The id that was given.
        id: Text,
        /// A bank of the scenario that may be meant.
        nearest: Option<Text>,
    },
    /// A payment.
    Payment(Text),
}

impl Missing {
    /// What may be meant.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Bank { nearest, .. } => nearest.as_ref().map(|id| format!("did you mean `{id}`?")),
            Self::Payment(_) => None,
        }
    }
}

/// A sentence for the warning.
impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bank { id, .. } => write!(f, "no event concerns a bank `{id}`"),
            Self::Payment(id) => write!(f, "no event concerns a payment `{id}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::event::{Effect, HoldReason};
    use crate::ids::PaymentId;
    use crate::money::Cents;

    const CALENDAR: Calendar = Calendar { ticks_per_day: 10, num_days: 3 };

    fn names() -> Names {
        Names::new(["ALDER", "BIRCH", "CEDAR"].map(Arc::from))
    }

    fn hold(bank: u32, payment: u64) -> Event {
        Event::PolicyHold {
            agent_id: BankIdx(bank),
            tx_id: PaymentId::numbered(payment),
            reason: HoldReason::LowPriority,
        }
    }

    fn selection(options: &FilterOptions<'_>) -> Result<Selection, FilterError> {
        Ok(Filter::parse(options)?.select(&names(), CALENDAR))
    }

    #[test]
    fn ranges_of_ticks_are_inclusive_and_may_be_open() -> Result<(), FilterError> {
        for (text, first, last) in [
            ("5-20", 5, Some(20)),
            ("5-", 5, None),
            ("-20", 0, Some(20)),
            ("7", 7, Some(7)),
            ("0-0", 0, Some(0)),
        ] {
            assert_eq!(text.parse(), Ok(TickRange { first: Tick(first), last: last.map(Tick) }), "{text}");
        }
        let range: TickRange = "5-20".parse()?;
        assert_eq!([4, 5, 20, 21].map(|tick| range.contains(Tick(tick))), [false, true, true, false]);
        Ok(())
    }

    #[test]
    fn malformed_ranges_are_refused() {
        for text in ["", "-", "a", "1-b", "1-2-3", "+1", "1..2", " 1", "99999999999999999999"] {
            assert_eq!(text.parse::<TickRange>(), Err(FilterError::NotARange(text.to_owned())));
        }
        assert_eq!("9-8".parse::<TickRange>(), Err(FilterError::Reversed("9-8".to_owned())));
    }

    #[test]
    fn unknown_types_are_refused_with_the_nearest_ones() {
        let parse = |types| Filter::parse(&FilterOptions { event_types: Some(types), ..Default::default() });
        let unknown = |name: &str, nearest| FilterError::UnknownType { name: name.to_owned(), nearest };
        assert_eq!(parse("Arrivall"), Err(unknown("Arrivall", vec!["Arrival"])));
        assert_eq!(
            parse("limit"),
            Err(unknown("limit", vec!["BilateralLimitExceeded", "MultilateralLimitExceeded"]))
        );
        assert_eq!(parse("xyzzy"), Err(unknown("xyzzy", Vec::new())));
        assert_eq!(parse("Arrival,,EndOfDay"), Err(FilterError::MissingType("Arrival,,EndOfDay".to_owned())));
        let hint = parse("Arrivall").err().and_then(|error| error.hint());
        assert_eq!(hint.as_deref(), Some("did you mean `Arrival`?"));
    }

    #[test]
    fn types_are_a_list_and_include_those_of_other_programs() -> Result<(), FilterError> {
        let options = FilterOptions { event_types: Some("PolicyHold, Settlement"), ..Default::default() };
        let mut selection = selection(&options)?;
        assert_eq!(selection.filter().types(), ["PolicyHold", "Settlement"]);
        assert!(selection.matches(Tick(0), &hold(0, 1), &names()));
        let day = Event::EndOfDay { day: Day(0), unsettled_count: 0, total_penalties: Cents(0) };
        assert!(!selection.matches(Tick(0), &day, &names()));
        Ok(())
    }

    #[test]
    fn a_bank_counts_in_any_role() -> Result<(), FilterError> {
        let mut selection = selection(&FilterOptions { agent: Some("BIRCH"), ..Default::default() })?;
        let transfer = |from, to| {
            Effect::DirectTransfer { amount: Cents(1), from: BankIdx(from), to: BankIdx(to) }.executed()
        };
        assert!(selection.matches(Tick(0), &transfer(0, 1), &names()));
        assert!(selection.matches(Tick(0), &transfer(1, 2), &names()));
        assert!(!selection.matches(Tick(0), &transfer(0, 2), &names()));
        assert_eq!((selection.bank(), selection.missing()), (Some(BankIdx(1)), Vec::new()));
        Ok(())
    }

    #[test]
    fn a_payment_counts_in_any_role() -> Result<(), FilterError> {
        let mut selection = selection(&FilterOptions { tx: Some("tx-000002"), ..Default::default() })?;
        let split = Event::PolicySplit {
            agent_id: BankIdx(0),
            tx_id: PaymentId(1),
            num_splits: 2,
            child_ids: [PaymentId(2), PaymentId(3)].into(),
        };
        assert!(selection.matches(Tick(0), &split, &names()));
        assert!(!selection.matches(Tick(0), &hold(0, 1), &names()));
        assert!(selection.missing().is_empty());
        Ok(())
    }

    #[test]
    fn a_scheduled_settlement_is_found_by_its_name() -> Result<(), FilterError> {
        let tx_id =
            SettlementId::Scheduled { from: BankIdx(0), to: BankIdx(1), amount: Cents(70), tick: Tick(3) };
        let name = tx_id.name(&names());
        let mut selection = selection(&FilterOptions { tx: Some(&name), ..Default::default() })?;
        let event = Event::RtgsImmediateSettlement {
            tx_id,
            sender: BankIdx(0),
            receiver: BankIdx(1),
            amount: Cents(70),
            sender_balance_before: Cents(70),
            sender_balance_after: Cents(0),
        };
        assert!(selection.matches(Tick(3), &event, &names()));
        Ok(())
    }

    #[test]
    fn all_rules_must_hold() -> Result<(), FilterError> {
        let options = FilterOptions {
            event_types: Some("PolicyHold"),
            agent: Some("ALDER"),
            tx: Some("tx-000001"),
            tick_range: Some("12-"),
            day: Some(1),
        };
        let mut selection = selection(&options)?;
        for (tick, bank, payment, shown) in
            [(12, 0, 1, true), (11, 0, 1, false), (20, 0, 1, false), (12, 1, 1, false), (12, 0, 2, false)]
        {
            assert_eq!(selection.matches(Tick(tick), &hold(bank, payment), &names()), shown, "tick {tick}");
        }
        Ok(())
    }

    #[test]
    fn whoever_no_event_concerns_is_named() -> Result<(), FilterError> {
        let options = FilterOptions { agent: Some("BRICH"), tx: Some("tx-9"), ..Default::default() };
        let mut unknown = selection(&options)?;
        assert!(!unknown.matches(Tick(0), &hold(1, 9), &names()));
        let missing = unknown.missing();
        let told: Vec<_> = missing.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["no event concerns a bank `BRICH`", "no event concerns a payment `tx-9`"]);
        assert_eq!(missing[0].hint().as_deref(), Some("did you mean `BIRCH`?"));

        // Other rules hide the event, but the bank occurs.
        let options = FilterOptions { agent: Some("ALDER"), day: Some(2), ..Default::default() };
        let mut hidden = selection(&options)?;
        assert!(!hidden.matches(Tick(0), &hold(0, 1), &names()));
        assert!(hidden.missing().is_empty());
        Ok(())
    }

    #[test]
    fn without_rules_everything_passes() -> Result<(), FilterError> {
        let filter = Filter::parse(&FilterOptions::default())?;
        assert!(filter.is_empty());
        assert!(filter.select(&names(), CALENDAR).matches(Tick(0), &hold(0, 1), &names()));
        Ok(())
    }
}
