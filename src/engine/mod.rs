//! The engine: one tick after the other, events as its only output (spec 02).
//!
//! [`Simulation::step`] reads as the list of phases of a tick; each phase is a file of this folder.

mod arrivals;
mod bank;
mod checkpoint;
mod collateral;
mod costs;
mod decisions;
mod end_of_day;
mod entry_offset;
mod error;
mod facts;
mod lsm;
mod payments;
mod queue2;
mod sampling;
mod scenario_events;
mod settlement;
mod splits;
mod withdrawals;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::costs::Costs;
use crate::event::{Event, Text};
use crate::ids::{BankIdx, PaymentId};
use crate::liquidity::Position;
use crate::money::Cents;
use crate::rng::Rng;
use crate::scenario::Scenario;
use crate::time::Tick;
use bank::BankState;
use costs::Tariff;
use payments::{Payments, Slot};

pub use checkpoint::{CHECKPOINT_FORMAT, CheckpointError};
pub use error::{EngineError, TickFailure};

/// A running simulation.
#[derive(Debug)]
pub struct Simulation {
    scenario: Arc<Scenario>,
    now: Tick,
    rng: Rng,
    banks: Vec<BankState>,
    payments: Payments,
    /// Queue 2 in order.
    queue2: Vec<Slot>,
    /// Sum of the remaining amounts in queue 2.
    queue2_value: i128,
    /// Payments submitted in this tick, in order.
    submissions: Vec<Slot>,
    /// Scenario events that occur once, as (tick, position in the file), soonest first.
    once: Vec<(Tick, usize)>,
    next_once: usize,
    /// Positions in the file of repeating scenario events.
    repeating: Vec<usize>,
    /// Payments of the file by tick, then by position in the file.
    file_payments_due: Vec<usize>,
    next_file_payment: usize,
    /// Events of the current tick.
    events: Vec<Event>,
    counts: TickCounts,
    totals: RunCounts,
    words: Words,
    tariff: Tariff,
}

/// A stretch of a tick, so that somebody outside can take the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Steps 0 to 4: pools, scenario events, payments that come into being.
    Arrivals,
    /// Steps 5 to 10: decisions of the banks, collateral timers.
    Decisions,
    /// Steps 11 to 13: submissions and queue 2.
    Settlement,
    /// Step 14: pairs and rings.
    Netting,
    /// Steps 15 to 18: collateral, deferred credits, costs, the end of a day.
    Costs,
}

impl Phase {
    /// All of them in their order.
    pub const ALL: [Self; 5] =
        [Self::Arrivals, Self::Decisions, Self::Settlement, Self::Netting, Self::Costs];

    /// The name as shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Arrivals => "arrivals",
            Self::Decisions => "decisions",
            Self::Settlement => "settlement",
            Self::Netting => "netting",
            Self::Costs => "costs",
        }
    }
}

/// What happened in a tick, in figures (spec 02, 16).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TickCounts {
    /// Original payments that came into being.
    pub arrivals: u64,
    /// Payments settled in whatever way, parts included.
    pub settlements: u64,
    /// Payments settled by pairs and rings.
    pub lsm_releases: u64,
    /// Costs of all banks.
    pub cost: Cents,
}

/// Counters over the run behind [`SystemMetrics`].
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunCounts {
    arrivals: u64,
    settled_originals: u64,
    delay_sum: u128,
    max_delay: u64,
    peak_overdraft: Cents,
}

/// Figures of the whole system after a tick (spec 02, 17).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SystemMetrics {
    /// Original payments.
    pub total_arrivals: u64,
    /// Original payments that are settled, split ones by all their parts.
    pub total_settlements: u64,
    /// Settlements by arrivals; 0 without arrivals.
    pub settlement_rate: f64,
    /// Mean ticks from arrival to settlement.
    pub avg_delay_ticks: f64,
    /// Largest of these.
    pub max_delay_ticks: u64,
    /// Entries of all queues 1.
    pub queue1_total_size: u64,
    /// Entries of queue 2.
    pub queue2_total_size: u64,
    /// Largest overdraft of any bank at the end of any tick.
    pub peak_overdraft: Cents,
    /// Banks with a negative balance.
    pub agents_in_overdraft: u64,
}

/// One bank after a tick (spec 03, 13.2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BankFigures {
    /// Balance, cap, collateral and haircut.
    pub position: Position,
    /// Entries of its queue 1.
    pub queue1_size: usize,
    /// Its payments in queue 2.
    pub queue2_size: usize,
    /// Costs of the whole run.
    pub costs: Costs,
}

/// Texts that many events share.
#[derive(Debug)]
struct Words {
    expired_deadline: Text,
    liquidity_available: Text,
    success: Text,
    no_progress: Text,
    eod_reset: Text,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            expired_deadline: "Expired deadline".into(),
            liquidity_available: "liquidity_available".into(),
            success: "Success".into(),
            no_progress: "NoProgress".into(),
            eod_reset: "eod_reset".into(),
        }
    }
}

/// What stands in the way of the current tick.
type TickResult = Result<(), TickFailure>;

impl Simulation {
    /// A simulation before its first tick. Pools are allocated for day 0 (spec 03, 4.2).
    #[must_use]
    pub fn new(scenario: Arc<Scenario>) -> Self {
        let banks = scenario
            .names
            .banks()
            .zip(&scenario.banks)
            .map(|(index, bank)| BankState::new(&scenario, index, bank))
            .collect();
        let (once, repeating) = scenario_events::by_schedule(&scenario);
        let mut file_payments_due: Vec<usize> = (0..scenario.payments.len()).collect();
        file_payments_due.sort_by_key(|index| scenario.payments[*index].tick);
        Self {
            now: Tick(0),
            rng: Rng::new(scenario.seed),
            banks,
            payments: Payments::default(),
            queue2: Vec::new(),
            queue2_value: 0,
            submissions: Vec::new(),
            once,
            next_once: 0,
            repeating,
            file_payments_due,
            next_file_payment: 0,
            events: Vec::new(),
            counts: TickCounts::default(),
            totals: RunCounts::default(),
            words: Words::default(),
            tariff: Tariff::new(&scenario),
            scenario,
        }
    }

    /// The tick that the next step runs.
    #[must_use]
    pub const fn now(&self) -> Tick {
        self.now
    }

    /// How many ticks are complete.
    #[must_use]
    pub const fn complete_ticks(&self) -> u64 {
        self.now.0
    }

    /// The events of the last tick, in order.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// What it simulates.
    #[must_use]
    pub const fn scenario(&self) -> &Arc<Scenario> {
        &self.scenario
    }

    /// Runs one tick and returns its events in order (spec 02, 2.1).
    ///
    /// # Errors
    ///
    /// A policy that cannot be evaluated, or a figure beyond 64 bits. The tick is then no part
    /// of the run, and the simulation must not be stepped again.
    pub fn step(&mut self) -> Result<&[Event], EngineError> {
        self.step_by_phases(&mut |_| {})
    }

    /// Runs one tick and says after each phase that it is over.
    ///
    /// # Errors
    ///
    /// See [`Simulation::step`].
    pub fn step_by_phases(&mut self, over: &mut dyn FnMut(Phase)) -> Result<&[Event], EngineError> {
        self.events.clear();
        self.counts = TickCounts::default();
        self.phases(over).map_err(|cause| EngineError { tick: self.now, cause })?;
        self.now = self.now.after(1);
        Ok(&self.events)
    }

    /// The phases of a tick, numbered as in spec 02, 2.1.
    fn phases(&mut self, over: &mut dyn FnMut(Phase)) -> TickResult {
        self.open_tick(); // 0
        self.allocate_pools()?; // 1, 2
        self.scenario_events()?; // 3
        self.arrivals(); // 4
        over(Phase::Arrivals);
        self.strategic_collateral()?; // 5
        self.bank_decisions()?; // 6
        self.collateral_timers(); // 7
        let listed = self.escalate_and_sort_queue1(); // 8
        self.queue1_decisions(&listed)?; // 9
        self.queue2_decisions(); // 10
        over(Phase::Decisions);
        self.settle_submissions()?; // 11
        self.sort_queue2(); // 12
        self.queue2_phase()?; // 13
        over(Phase::Settlement);
        self.lsm_phase()?; // 14
        over(Phase::Netting);
        self.end_of_tick_collateral()?; // 15
        self.apply_deferred_credits()?; // 16
        self.accrue_costs()?; // 17
        self.end_of_day()?; // 17 a-e
        self.close_tick(); // 18
        over(Phase::Costs);
        Ok(())
    }

    fn open_tick(&mut self) {
        let opens_day = self.scenario.calendar.opens_day(self.now);
        for bank in &mut self.banks {
            bank.budget = None;
            if opens_day {
                bank.today_arrived = 0;
                bank.today_settled = 0;
            }
        }
    }

    fn close_tick(&mut self) {
        self.payments.sweep();
        for bank in &self.banks {
            let overdraft = Cents::ZERO.saturating_sub(bank.balance);
            self.totals.peak_overdraft = self.totals.peak_overdraft.max(overdraft);
        }
    }

    /// Figures of the last tick that ran.
    #[must_use]
    pub const fn last_tick(&self) -> &TickCounts {
        &self.counts
    }

    /// Figures of the system after the ticks that ran.
    #[must_use]
    pub fn metrics(&self) -> SystemMetrics {
        let RunCounts { arrivals, settled_originals, delay_sum, max_delay, peak_overdraft } = self.totals;
        let ratio = |part: f64, whole: u64| if whole == 0 { 0.0 } else { part / whole as f64 };
        SystemMetrics {
            total_arrivals: arrivals,
            total_settlements: settled_originals,
            settlement_rate: ratio(settled_originals as f64, arrivals),
            avg_delay_ticks: ratio(delay_sum as f64, settled_originals),
            max_delay_ticks: max_delay,
            queue1_total_size: self.banks.iter().map(|bank| bank.queue1.len() as u64).sum(),
            queue2_total_size: self.queue2.len() as u64,
            peak_overdraft,
            agents_in_overdraft: self.banks.iter().filter(|bank| bank.balance < Cents::ZERO).count() as u64,
        }
    }

    /// Figures of one bank after the ticks that ran.
    #[must_use]
    pub fn bank(&self, bank: BankIdx) -> BankFigures {
        let state = &self.banks[bank.at()];
        BankFigures {
            position: self.position(bank),
            queue1_size: state.queue1.len(),
            queue2_size: state.queue2_view.len(),
            costs: state.costs,
        }
    }

    /// The payments in the bank's queue 1, in order.
    pub fn queue1(&self, bank: BankIdx) -> impl Iterator<Item = PaymentId> + '_ {
        self.banks[bank.at()].queue1.iter().map(|slot| self.payments[*slot].id)
    }

    /// The payments in queue 2, in order.
    pub fn queue2(&self) -> impl Iterator<Item = PaymentId> + '_ {
        self.queue2.iter().map(|slot| self.payments[*slot].id)
    }

    fn position(&self, bank: BankIdx) -> Position {
        self.banks[bank.at()].position(&self.scenario.banks[bank.at()])
    }

    fn overflow(&self, bank: BankIdx, figure: &'static str) -> TickFailure {
        TickFailure::Overflow { bank: self.scenario.names.bank(bank).to_owned(), figure }
    }

    /// Moves a balance up or down, without any test but that of the range (P1).
    fn book(&mut self, bank: BankIdx, amount: Cents, direction: Direction) -> TickResult {
        let balance = self.banks[bank.at()].balance;
        let booked = match direction {
            Direction::Credit => balance.checked_add(amount),
            Direction::Debit => balance.checked_sub(amount),
        };
        self.banks[bank.at()].balance = booked.ok_or_else(|| self.overflow(bank, "the balance"))?;
        Ok(())
    }

    /// Charges a bank, in the run's and the tick's figures (C24).
    fn charge(&mut self, bank: BankIdx, costs: &Costs) -> Result<Cents, TickFailure> {
        let overflow = || TickFailure::Overflow {
            bank: self.scenario.names.bank(bank).to_owned(),
            figure: "the total of costs",
        };
        let total = costs.total().ok_or_else(overflow)?;
        let run = self.banks[bank.at()].costs.checked_add(costs).ok_or_else(overflow)?;
        self.counts.cost = self.counts.cost.checked_add(total).ok_or_else(overflow)?;
        self.banks[bank.at()].costs = run;
        Ok(total)
    }
}

#[derive(Clone, Copy)]
enum Direction {
    Credit,
    Debit,
}
