//! Totals of a run (spec 02, 17; 06, 2.1).

use crate::money::Cents;
use crate::time::Tick;

/// Totals over the complete ticks of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals {
    /// The last complete tick.
    pub last_tick: Option<Tick>,
    /// Events logged.
    pub event_count: u64,
    /// Original payments that arrived.
    pub total_arrivals: u64,
    /// Those of them that are settled, with all their parts.
    pub total_settlements: u64,
    /// Payments settled by pairs and rings.
    pub total_lsm_releases: u64,
    /// All costs of all banks, in cents.
    pub total_cost: Cents,
    /// Value of the original payments.
    pub arrived_value: Cents,
    /// How much of it is settled.
    pub settled_value: Cents,
    /// How much of it is in a queue.
    pub queued_value: Cents,
    /// How much of it was dropped.
    pub dropped_value: Cents,
    /// Mean ticks from arrival to settlement; 0.0 without settlements.
    pub avg_delay_ticks: f64,
    /// Largest of these.
    pub max_delay_ticks: u64,
    /// Entries of all queues 1.
    pub queue1_total_size: usize,
    /// Entries of queue 2.
    pub queue2_total_size: usize,
    /// Largest overdraft of any bank at the end of any tick.
    pub peak_overdraft: Cents,
    /// Banks with a negative balance.
    pub agents_in_overdraft: usize,
}

impl Totals {
    /// Settlements by arrivals; 0.0 without arrivals.
    #[must_use]
    pub fn settlement_rate(&self) -> f64 {
        match self.total_arrivals {
            0 => 0.0,
            arrivals => self.total_settlements as f64 / arrivals as f64,
        }
    }
}
