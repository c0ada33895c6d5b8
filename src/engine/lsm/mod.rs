//! Step 14: liquidity-saving mechanisms (spec 02, 10).

mod gridlock;
mod group;
mod pairs;
mod rings;

use super::{Simulation, TickFailure, TickResult};
use crate::event::Mechanism;
use crate::money::Cents;
use crate::scenario::LsmAlgorithm;

/// Rounds of pairs and rings in a tick at most.
const MAX_ITERATIONS: usize = 3;

/// What the mechanisms settled in a tick.
#[derive(Default)]
pub(super) struct LsmResult {
    pairs: u64,
    pairs_value: Cents,
    rings: u64,
    rings_value: Cents,
}

impl Simulation {
    /// The pass over queue 2, its view, its reports.
    pub(super) fn lsm_phase(&mut self) -> TickResult {
        let mut result = LsmResult::default();
        match self.scenario.lsm.algorithm {
            LsmAlgorithm::Cycles => self.pairs_and_rings(&mut result)?,
            LsmAlgorithm::BechSoramaki => self.resolve_gridlock(&mut result)?,
        }
        self.rebuild_queue2_view();
        self.report(Mechanism::Pairs, result.pairs, result.pairs_value);
        self.report(Mechanism::Rings, result.rings, result.rings_value);
        Ok(())
    }

    fn pairs_and_rings(&mut self, result: &mut LsmResult) -> TickResult {
        let lsm = self.scenario.lsm;
        for _ in 0..MAX_ITERATIONS {
            let mut progress = false;
            if lsm.enable_bilateral && !self.queue2.is_empty() {
                progress |= self.round(result, Self::bilateral_round)?;
            }
            if lsm.enable_cycles && !self.queue2.is_empty() {
                progress |= self.round(result, Self::ring_round)?;
            }
            if !progress {
                break;
            }
        }
        Ok(())
    }

    /// One round; if something settled in it, queue 2 is tried once more (C17).
    fn round(
        &mut self,
        result: &mut LsmResult,
        round: fn(&mut Self, &mut LsmResult) -> Result<bool, TickFailure>,
    ) -> Result<bool, TickFailure> {
        let settled = round(self, result)?;
        if settled {
            self.compact_queue2();
            self.queue2_pass()?;
        }
        Ok(settled)
    }
}
