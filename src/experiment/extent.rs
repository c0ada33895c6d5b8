//! How much a run simulates at most, known before it begins (spec 07, 18: `--dry-run`).

use super::file::{Experiment, Mode};
use super::proposers::{Chosen, ChosenKind, MAX_EVALUATIONS};
use super::runner::BASELINE_EVALUATIONS;

/// What the number of simulations depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// How policies are measured.
    pub mode: Mode,
    /// Optimised agents.
    pub agents: u64,
    /// Iterations at most.
    pub iterations: u64,
    /// Samples of a bootstrap evaluation.
    pub samples: u64,
    /// Who proposes; `None` if nothing may be proposed.
    pub proposer: Option<Asked>,
    /// Calls for one agent in one round at most.
    pub calls: u64,
    /// Whether simple policies are measured at the end.
    pub baselines: bool,
    /// Runs of a sweep, which improves nothing.
    pub sweep: Option<u64>,
}

/// What a proposer simulates itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A script: nothing.
    Script,
    /// The search: candidates.
    Search,
    /// A language model: the day that its prompt tells of, in every call.
    Model,
}

impl Asked {
    /// Of a proposer by its name: `search`, `script:FILE` or a model.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        match name {
            "search" => Self::Search,
            _ if name.starts_with("script:") => Self::Script,
            _ => Self::Model,
        }
    }

    const fn of(chosen: &Chosen) -> Self {
        match chosen.kind {
            ChosenKind::Search => Self::Search,
            ChosenKind::Model(_) => Self::Model,
            ChosenKind::Script { .. } | ChosenKind::Recorded(_) | ChosenKind::Nobody => Self::Script,
        }
    }
}

impl Extent {
    /// Of an experiment with the baselines.
    #[must_use]
    pub fn of(experiment: &Experiment, proposer: &Chosen) -> Self {
        Self {
            mode: experiment.evaluation.mode,
            agents: experiment.optimized_agents.len() as u64,
            iterations: u64::from(experiment.convergence.max_iterations),
            samples: experiment.evaluation.samples() as u64,
            proposer: experiment.policy_constraints.as_ref().map(|_| Asked::of(proposer)),
            calls: u64::from(experiment.max_retries()),
            baselines: true,
            sweep: experiment.sweep.as_ref().map(|sweep| sweep.runs().unwrap_or(usize::MAX) as u64),
        }
    }

    /// Simulations at most: those of evaluations, comparisons, the proposer and the baselines. Policies that
    /// fail in a run make for more: what they fail in is run anew.
    #[must_use]
    pub fn simulations(&self) -> u64 {
        if let Some(runs) = self.sweep {
            return runs;
        }
        let by_samples = self.mode == Mode::Bootstrap && self.samples > 1;
        let samples = if by_samples { self.samples } else { 1 };
        let of_all = if by_samples { self.agents.saturating_mul(samples) } else { 1 };
        let context = u64::from(self.mode == Mode::Bootstrap);
        let comparison = match self.mode {
            Mode::DeterministicTemporal => 0,
            // What the old policy costs on the samples is known.
            _ if by_samples => samples,
            _ => 2,
        };
        let asked = match self.proposer {
            Some(Asked::Search) => (MAX_EVALUATIONS as u64).saturating_mul(samples),
            Some(Asked::Model) => self.calls,
            Some(Asked::Script) | None => 0,
        };
        let of_agent = self.proposer.map_or(0, |_| comparison.saturating_add(asked));
        let rounds = self.iterations.saturating_sub(1).saturating_mul(self.agents);
        let closing = u64::from(self.mode == Mode::DeterministicTemporal && self.proposer.is_some());
        let baselines = if self.baselines { BASELINE_EVALUATIONS.saturating_mul(of_all) } else { 0 };
        self.iterations
            .saturating_mul(context.saturating_add(of_all))
            .saturating_add(rounds.saturating_mul(of_agent))
            .saturating_add(closing)
            .saturating_add(baselines)
    }

    /// Those that are part of the run, and can be stored.
    #[must_use]
    pub fn storable(&self) -> u64 {
        Self { baselines: false, proposer: self.proposer.map(|_| Asked::Script), ..*self }.simulations()
    }

    /// Those that are stored as `primary`: context runs, full runs of evaluations, the closing run.
    #[must_use]
    pub fn primary(&self) -> u64 {
        let days = Self { agents: 0, proposer: None, baselines: false, ..*self };
        let closing = u64::from(self.mode == Mode::DeterministicTemporal && self.proposer.is_some());
        days.simulations().saturating_add(closing)
    }

    /// Ticks of them.
    #[must_use]
    pub fn ticks(&self, each: u64) -> u128 {
        u128::from(self.simulations()) * u128::from(each)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAME: Extent = Extent {
        mode: Mode::DeterministicPairwise,
        agents: 2,
        iterations: 25,
        samples: 10,
        proposer: Some(Asked::Script),
        calls: 3,
        baselines: false,
        sweep: None,
    };

    #[test]
    fn every_simulation_is_counted() {
        assert_eq!(GAME.simulations(), 25 + 24 * 2 * 2);
        assert_eq!(Extent { baselines: true, ..GAME }.simulations(), 25 + 24 * 4 + 22);
        let searching = Extent { proposer: Some(Asked::Search), ..GAME };
        assert_eq!(searching.simulations(), 25 + 24 * 2 * (2 + 200));
        assert_eq!(Extent { proposer: Some(Asked::Model), ..GAME }.simulations(), 25 + 24 * 2 * (2 + 3));
        assert_eq!(Extent { proposer: None, ..GAME }.simulations(), 25);
        let temporal = Extent { mode: Mode::DeterministicTemporal, ..GAME };
        assert_eq!(temporal.simulations(), 25 + 1);
        let bootstrap = Extent { mode: Mode::Bootstrap, ..searching };
        assert_eq!(bootstrap.simulations(), 25 * 21 + 24 * 2 * (10 + 2000));
        let with_baselines = Extent { baselines: true, ..bootstrap };
        assert_eq!(with_baselines.simulations(), bootstrap.simulations() + 22 * 20);
        assert_eq!(Extent { samples: 1, ..bootstrap }.simulations(), 25 * 2 + 24 * 2 * (2 + 200));
        assert_eq!(Extent { sweep: Some(12), ..GAME }.simulations(), 12);
        assert_eq!((with_baselines.storable(), with_baselines.primary()), (25 * 21 + 24 * 2 * 10, 25));
        assert_eq!((temporal.primary(), searching.primary()), (26, 25));
        assert_eq!(GAME.ticks(u64::MAX), 121 * u128::from(u64::MAX));
    }
}
