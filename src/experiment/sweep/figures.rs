//! What is measured of a run of a sweep (spec 06, 4.5): folded from its events, so that it is there
//! also where the simulation is not stored, and equals what the views say where it is.

use std::sync::Arc;

use serde_json::{Map, Number, Value};

use crate::costs::Costs;
use crate::event::Event;
use crate::metrics::{Ledger, TickOutcome, Totals};
use crate::money::Cents;
use crate::replay::FoldError;
use crate::scenario::Scenario;
use crate::time::{Day, Tick};

/// The figures of a run that has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunFigures {
    /// Totals (02, 17).
    pub totals: Totals,
    /// Costs of all banks.
    pub costs: Costs,
    /// What each bank needed of its own on its worst day, summed over the banks.
    pub peak_liquidity_used: Cents,
    /// Share of offsets and rings in the settled value; 0.0 if nothing settled.
    pub lsm_share: f64,
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Cents.
    Money,
    /// A part of 1.
    Share,
    /// Ticks.
    Ticks,
    /// Payments or banks.
    Count,
}

/// One of the figures, by its place in the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Figure(usize);

struct Row {
    name: &'static str,
    unit: Unit,
    of: fn(&RunFigures) -> Number,
}

/// The figures of spec 06, 7.3, `metrics` and `costs`, and two more.
const ROWS: &[Row] = &[
    row("total_arrivals", Unit::Count, |run| run.totals.total_arrivals.into()),
    row("total_settlements", Unit::Count, |run| run.totals.total_settlements.into()),
    row("total_lsm_releases", Unit::Count, |run| run.totals.total_lsm_releases.into()),
    row("settlement_rate", Unit::Share, |run| float(run.totals.settlement_rate())),
    row("avg_delay_ticks", Unit::Ticks, |run| float(run.totals.avg_delay_ticks)),
    row("max_delay_ticks", Unit::Ticks, |run| run.totals.max_delay_ticks.into()),
    row("queue1_total_size", Unit::Count, |run| run.totals.queue1_total_size.into()),
    row("queue2_total_size", Unit::Count, |run| run.totals.queue2_total_size.into()),
    row("peak_overdraft", Unit::Money, |run| run.totals.peak_overdraft.0.into()),
    row("agents_in_overdraft", Unit::Count, |run| run.totals.agents_in_overdraft.into()),
    row("arrived_value", Unit::Money, |run| run.totals.arrived_value.0.into()),
    row("settled_value", Unit::Money, |run| run.totals.settled_value.0.into()),
    row("queued_value", Unit::Money, |run| run.totals.queued_value.0.into()),
    row("dropped_value", Unit::Money, |run| run.totals.dropped_value.0.into()),
    row("liquidity_cost", Unit::Money, |run| run.costs.overdraft.0.into()),
    row("collateral_cost", Unit::Money, |run| run.costs.collateral.0.into()),
    row("delay_cost", Unit::Money, |run| run.costs.delay.0.into()),
    row("split_friction_cost", Unit::Money, |run| run.costs.split_friction.0.into()),
    row("deadline_penalty", Unit::Money, |run| run.costs.penalty.0.into()),
    row("liquidity_opportunity_cost", Unit::Money, |run| run.costs.liquidity_opportunity.0.into()),
    row("total_cost", Unit::Money, |run| run.totals.total_cost.0.into()),
    row("peak_liquidity_used", Unit::Money, |run| run.peak_liquidity_used.0.into()),
    row("lsm_share", Unit::Share, |run| float(run.lsm_share)),
];

/// The figures that are tabulated where the file names none.
const DEFAULT: [&str; 11] = [
    "total_cost",
    "liquidity_cost",
    "delay_cost",
    "collateral_cost",
    "deadline_penalty",
    "split_friction_cost",
    "liquidity_opportunity_cost",
    "settlement_rate",
    "avg_delay_ticks",
    "peak_liquidity_used",
    "lsm_share",
];

const fn row(name: &'static str, unit: Unit, of: fn(&RunFigures) -> Number) -> Row {
    Row { name, unit, of }
}

/// Figures are finite.
fn float(value: f64) -> Number {
    Number::from_f64(value).unwrap_or_else(|| 0.into())
}

impl Figure {
    /// Every figure.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..ROWS.len()).map(Self)
    }

    /// The figure of a name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        ROWS.iter().position(|row| row.name == name).map(Self)
    }

    /// The figures that are tabulated where the file names none.
    #[must_use]
    pub fn default_list() -> Vec<Self> {
        DEFAULT.iter().filter_map(|name| Self::find(name)).collect()
    }

    /// Its name in files and in `sweep_points.figures`.
    #[must_use]
    pub fn name(self) -> &'static str {
        ROWS.get(self.0).map_or("", |row| row.name)
    }

    /// What it counts.
    #[must_use]
    pub fn unit(self) -> Unit {
        ROWS.get(self.0).map_or(Unit::Count, |row| row.unit)
    }
}

impl RunFigures {
    /// All figures by name, as they are stored.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        ROWS.iter().map(|row| (row.name.to_owned(), Value::Number((row.of)(self)))).collect()
    }
}

/// Folds the events of a run into its figures.
#[derive(Debug)]
pub struct FiguresFold {
    ledger: Ledger,
    day: Day,
    /// By bank: value sent less value received since the start of the day.
    net: Vec<i128>,
    /// By bank: the largest of these at the end of any tick.
    needed: Vec<i128>,
    settled: i128,
    by_lsm: i128,
}

impl FiguresFold {
    /// Before tick 0.
    #[must_use]
    pub fn new(scenario: &Arc<Scenario>) -> Self {
        let nothing = vec![0; scenario.banks.len()];
        Self {
            ledger: Ledger::new(Arc::clone(scenario)),
            day: Day::default(),
            net: nothing.clone(),
            needed: nothing,
            settled: 0,
            by_lsm: 0,
        }
    }

    /// Takes the events of the next tick.
    ///
    /// # Errors
    /// Events that do not fit what came before.
    pub fn tick(&mut self, tick: Tick, events: &[Event]) -> Result<(), FoldError> {
        let outcome = self.ledger.tick(tick, events)?;
        let day = self.ledger.scenario().calendar.day(tick);
        if day != self.day {
            self.day = day;
            self.net.fill(0);
        }
        self.count(&outcome);
        Ok(())
    }

    fn count(&mut self, outcome: &TickOutcome) {
        for payment in &outcome.settled {
            let amount = i128::from(payment.amount.0);
            self.net[payment.sender.at()] += amount;
            self.net[payment.receiver.at()] -= amount;
            self.settled += amount;
            self.by_lsm += if payment.is_settled_by_lsm() { amount } else { 0 };
        }
        for payment in &outcome.settled {
            let bank = payment.sender.at();
            self.needed[bank] = self.needed[bank].max(self.net[bank]);
        }
    }

    /// The figures after the ticks so far.
    #[must_use]
    pub fn finish(&self) -> RunFigures {
        RunFigures {
            totals: self.ledger.totals(),
            costs: self.ledger.state().run_costs(),
            peak_liquidity_used: Cents::saturating_from(self.needed.iter().sum()),
            lsm_share: if self.settled == 0 { 0.0 } else { self.by_lsm as f64 / self.settled as f64 },
        }
    }
}
