//! The ledger: the replayed state and what is counted beside it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use super::daily::DailyRow;
use super::summary::AgentSummary;
use super::totals::Totals;
use super::transaction::TransactionRow;
use crate::costs::Costs;
use crate::event::{Event, EventKind, Text};
use crate::ids::PaymentId;
use crate::money::Cents;
use crate::replay::{FoldError, Payment, State, WaitingFigures, Watch};
use crate::scenario::Scenario;
use crate::time::{Calendar, Tick};

/// Figures of one tick (spec 02, 16).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TickFigures {
    /// The tick.
    pub tick: Tick,
    /// Original payments that arrived.
    pub arrivals: u64,
    /// Payments that settled, in whatever way.
    pub settlements: u64,
    /// Those of them that pairs and rings settled.
    pub lsm_releases: u64,
    /// All costs charged.
    pub cost: Cents,
    /// Entries of all queues 1 at its end.
    pub queue1_size: usize,
    /// Entries of queue 2 at its end.
    pub queue2_size: usize,
    /// Events logged.
    pub events: u64,
}

impl TickFigures {
    /// Appends the line of `--stream`, without a line feed (spec 06, 7.2).
    pub fn write_stream_line(&self, out: &mut String) {
        let Self { tick, arrivals, settlements, lsm_releases, cost, queue1_size, queue2_size, .. } = self;
        let _ = write!(
            out,
            "{{\"tick\":{tick},\"arrivals\":{arrivals},\"settlements\":{settlements},\
             \"lsm_releases\":{lsm_releases},\"costs\":{},\"queue1_size\":{queue1_size},\
             \"queue2_size\":{queue2_size}}}",
            cost.0
        );
    }
}

/// Figures of a day over all banks, up to its last complete tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayFigures {
    /// Original payments that arrived.
    pub arrivals: u64,
    /// Their value.
    pub arrived_value: Cents,
    /// Payments that settled, parts included.
    pub settlements: u64,
    /// Their value.
    pub settled_value: Cents,
    /// Those of them that pairs and rings settled.
    pub lsm_releases: u64,
    /// Their value.
    pub lsm_value: Cents,
    /// Payments dropped.
    pub dropped: u64,
    /// Costs by kind.
    pub costs: Costs,
}

/// What a tick adds to the record of a simulation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TickOutcome {
    /// Payments that settled in the tick, in the order in which they did.
    pub settled: Vec<TransactionRow>,
    /// On the last tick of a day the rows of the day, in byte order of the banks.
    pub daily: Vec<DailyRow>,
    /// Figures of the tick.
    pub figures: TickFigures,
}

/// Folds the events of a simulation into its state and all its figures.
#[derive(Clone, Debug)]
pub struct Ledger {
    state: State,
    book: Book,
}

/// What is counted beside the state.
#[derive(Clone, Debug)]
struct Book {
    calendar: Calendar,
    now: Tick,
    daily: Vec<DailyRow>,
    /// Whether the open records hold the end of a tick.
    day_began: bool,
    day: DayFigures,
    tick: TickFigures,
    settled: Vec<TransactionRow>,
    /// Rows of split payments whose last part has settled; they are due at the end of the run.
    ended_splits: Vec<TransactionRow>,
    drop_reasons: BTreeMap<PaymentId, Text>,
    arrivals: u64,
    settlements: u64,
    lsm_releases: u64,
    cost: Cents,
    arrived_value: i128,
    settled_value: i128,
    dropped_value: i128,
    delay_ticks: u128,
    max_delay: u64,
    peak_overdraft: Cents,
}

impl Ledger {
    /// The ledger before tick 0.
    #[must_use]
    pub fn new(scenario: Arc<Scenario>) -> Self {
        Self::starting_from(State::new(scenario))
    }

    /// A ledger that goes on from a state between two ticks. Its counters, of the run and of the
    /// day, count from there on.
    #[must_use]
    pub fn starting_from(state: State) -> Self {
        let book = Book::new(&state);
        Self { state, book }
    }

    /// Takes the events of the next tick.
    ///
    /// # Errors
    ///
    /// A tick out of order, or an event that does not fit the state before it.
    pub fn tick(&mut self, tick: Tick, events: &[Event]) -> Result<TickOutcome, FoldError> {
        self.begin_tick(tick)?;
        for event in events {
            self.apply(event)?;
        }
        self.end_tick()
    }

    /// Begins a tick whose events follow one by one.
    ///
    /// # Errors
    ///
    /// A tick out of order, or one that is begun already.
    pub fn begin_tick(&mut self, tick: Tick) -> Result<(), FoldError> {
        self.state.begin_tick(tick)?;
        self.book.begin_tick(tick);
        Ok(())
    }

    /// Takes the next event of the tick in progress.
    ///
    /// # Errors
    ///
    /// No tick was begun, or the event does not fit the state before it.
    pub fn apply(&mut self, event: &Event) -> Result<(), FoldError> {
        self.state.apply_watched(event, &mut self.book)?;
        self.book.note(event);
        Ok(())
    }

    /// Ends the tick in progress and gives what it adds.
    ///
    /// # Errors
    ///
    /// No tick was begun, or something that must end within a tick is left over.
    pub fn end_tick(&mut self) -> Result<TickOutcome, FoldError> {
        self.state.end_tick()?;
        Ok(self.book.end_tick(&self.state))
    }

    /// The state after the events so far.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// The scenario.
    #[must_use]
    pub const fn scenario(&self) -> &Arc<Scenario> {
        self.state.scenario()
    }

    /// Figures of the last complete tick, or of the one in progress so far.
    #[must_use]
    pub const fn tick_figures(&self) -> &TickFigures {
        &self.book.tick
    }

    /// Figures of the day of the last complete tick.
    #[must_use]
    pub const fn day_figures(&self) -> &DayFigures {
        &self.book.day
    }

    /// The totals of the run so far.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let book = &self.book;
        let queued = book.arrived_value - book.settled_value - book.dropped_value;
        Totals {
            last_tick: self.state.last_tick(),
            event_count: self.state.sequence(),
            total_arrivals: book.arrivals,
            total_settlements: book.settlements,
            total_lsm_releases: book.lsm_releases,
            total_cost: book.cost,
            arrived_value: Cents::saturating_from(book.arrived_value),
            settled_value: Cents::saturating_from(book.settled_value),
            queued_value: Cents::saturating_from(queued),
            dropped_value: Cents::saturating_from(book.dropped_value),
            avg_delay_ticks: match book.settlements {
                0 => 0.0,
                count => book.delay_ticks as f64 / count as f64,
            },
            max_delay_ticks: book.max_delay,
            queue1_total_size: self.state.queue1_total_len(),
            queue2_total_size: self.state.queue2_total_len(),
            peak_overdraft: book.peak_overdraft,
            agents_in_overdraft: self.state.banks().iter().filter(|bank| bank.balance < Cents::ZERO).count(),
        }
    }

    /// The rows of all payments that are not settled, and of all split ones, in the order in
    /// which they came into being: what is written when a simulation ends.
    #[must_use]
    pub fn open_transactions(&self) -> Vec<TransactionRow> {
        let open = self.state.open_payments().map(|payment| self.transaction(payment));
        let mut rows: Vec<_> = open.chain(self.book.ended_splits.iter().cloned()).collect();
        rows.sort_unstable_by_key(|row| row.tx_id);
        rows
    }

    /// The row of an open payment as it stands.
    #[must_use]
    pub fn transaction(&self, payment: &Payment) -> TransactionRow {
        let last_tick = self.state.last_tick().unwrap_or_default();
        let row = TransactionRow::new(payment, self.state.waiting(payment), &self.book.calendar, last_tick);
        TransactionRow { drop_reason: self.book.drop_reasons.get(&payment.id).cloned(), ..row }
    }

    /// The rows of the day that is not closed, as they stand after its last complete tick;
    /// empty between two days.
    #[must_use]
    pub fn open_day(&self) -> &[DailyRow] {
        if self.book.day_began { &self.book.daily } else { &[] }
    }

    /// The banks' part of the result, in byte order.
    #[must_use]
    pub fn agents(&self) -> Vec<AgentSummary> {
        AgentSummary::all(&self.state)
    }
}

impl Book {
    fn new(state: &State) -> Self {
        let mut book = Self {
            calendar: state.scenario().calendar,
            now: Tick(0),
            daily: Vec::new(),
            day_began: false,
            day: DayFigures::default(),
            tick: TickFigures::default(),
            settled: Vec::new(),
            ended_splits: Vec::new(),
            drop_reasons: BTreeMap::new(),
            arrivals: 0,
            settlements: 0,
            lsm_releases: 0,
            cost: Cents::ZERO,
            arrived_value: 0,
            settled_value: 0,
            dropped_value: 0,
            delay_ticks: 0,
            max_delay: 0,
            peak_overdraft: Cents::ZERO,
        };
        book.open_day(state);
        book
    }

    fn begin_tick(&mut self, tick: Tick) {
        self.now = tick;
        self.tick = TickFigures { tick, ..TickFigures::default() };
        if self.calendar.opens_day(tick) {
            self.day = DayFigures::default();
        }
    }

    /// Counts what the state does not tell.
    fn note(&mut self, event: &Event) {
        self.tick.events += 1;
        match event {
            Event::CostAccrual { costs, .. } => {
                self.tick.cost = self.tick.cost.saturating_add(costs.total);
                self.cost = self.cost.saturating_add(costs.total);
                self.day.costs = crate::replay::saturating_sum(&self.day.costs, &costs.kinds);
            }
            Event::CollateralPost { agent_id, .. } => self.daily[agent_id.at()].num_collateral_posts += 1,
            Event::CollateralWithdraw { agent_id, .. } | Event::CollateralTimerWithdrawn { agent_id, .. } => {
                self.daily[agent_id.at()].num_collateral_withdrawals += 1;
            }
            _ => {}
        }
    }

    fn end_tick(&mut self, state: &State) -> TickOutcome {
        self.tick.queue1_size = state.queue1_total_len();
        self.tick.queue2_size = state.queue2_total_len();
        // What no event changed has the figures of the tick before, already counted.
        if self.day_began {
            for bank in state.changed_unordered() {
                self.daily[bank.at()].update(state);
                self.peak_overdraft = self.peak_overdraft.max(self.daily[bank.at()].peak_overdraft);
            }
        } else {
            for row in &mut self.daily {
                row.update(state);
                self.peak_overdraft = self.peak_overdraft.max(row.peak_overdraft);
            }
        }
        self.day_began = true;
        let mut daily = Vec::new();
        if self.calendar.closes_day(self.now) {
            daily = std::mem::take(&mut self.daily);
            self.open_day(state);
        }
        TickOutcome { settled: std::mem::take(&mut self.settled), daily, figures: self.tick }
    }

    fn open_day(&mut self, state: &State) {
        let day = self.calendar.day(state.tick());
        let banks = state.scenario().names.banks();
        self.daily = banks.map(|bank| DailyRow::open(state, bank, day)).collect();
        self.day_began = false;
    }

    /// Counts an original payment that is settled with all its parts.
    fn original_settled(&mut self, payment: &Payment) {
        if payment.parent.is_none() {
            let delay = self.now.since(payment.arrival);
            self.settlements += 1;
            self.delay_ticks += u128::from(delay);
            self.max_delay = self.max_delay.max(delay);
        }
    }
}

impl Watch for Book {
    fn arrived(&mut self, payment: &Payment) {
        if payment.parent.is_none() {
            self.tick.arrivals += 1;
            self.arrivals += 1;
            self.arrived_value += i128::from(payment.amount.0);
            self.day.arrivals += 1;
            self.day.arrived_value = self.day.arrived_value.saturating_add(payment.amount);
            self.daily[payment.sender.at()].num_arrivals += 1;
        }
    }

    fn settled(&mut self, payment: &Payment, by: EventKind, figures: WaitingFigures) {
        let amount = payment.amount;
        self.tick.settlements += 1;
        self.day.settlements += 1;
        self.day.settled_value = self.day.settled_value.saturating_add(amount);
        if matches!(by, EventKind::LsmBilateralOffset | EventKind::LsmCycleSettlement) {
            self.tick.lsm_releases += 1;
            self.lsm_releases += 1;
            self.day.lsm_releases += 1;
            self.day.lsm_value = self.day.lsm_value.saturating_add(amount);
        }
        self.settled_value += i128::from(amount.0);
        self.daily[payment.sender.at()].num_sent += 1;
        self.daily[payment.receiver.at()].num_received += 1;
        self.original_settled(payment);
        let row = TransactionRow::new(payment, figures, &self.calendar, self.now);
        self.settled.push(TransactionRow { settled_by: Some(by), ..row });
    }

    fn split_settled(&mut self, payment: &Payment, figures: WaitingFigures) {
        self.original_settled(payment);
        self.ended_splits.push(TransactionRow::new(payment, figures, &self.calendar, self.now));
    }

    fn dropped(&mut self, payment: &Payment, reason: &Text) {
        self.dropped_value += i128::from(payment.amount.0);
        self.day.dropped += 1;
        self.daily[payment.sender.at()].num_dropped += 1;
        self.drop_reasons.insert(payment.id, reason.clone());
    }
}
