//! The end of a run: its last events and what its row says of it.

use serde_json::{Map, Value, json};

use super::super::stream::{EventKind, StreamEvent, by_agent};
use super::{Ended, Run};
use crate::persistence::{ExperimentEnd, Moment, PersistenceError, Status};

impl Run<'_> {
    /// Records how the run ended, with what came of it if it came to its end (spec 07, 14 to 16).
    pub(super) fn end(&mut self, status: Status, ended: &Ended) -> Result<(), PersistenceError> {
        let iteration = self.num_iterations.saturating_sub(1);
        let completed = status == Status::Completed;
        let baselines = (completed && self.with_baselines).then(|| self.baselines()).flatten();
        if completed && let (Some(last), Some(best)) = (&self.last, &self.best) {
            let end = json!({
                "final_cost": last.total, "best_cost": best.total, "best_iteration": best.iteration,
                "converged": ended.converged, "convergence_reason": ended.reason,
                "num_iterations": self.num_iterations,
            });
            let summary = json!({
                "num_iterations": self.num_iterations, "converged": ended.converged,
                "convergence_reason": ended.reason, "final_cost": last.total, "best_cost": best.total,
                "total_llm_calls": self.calls, "total_tokens": self.tokens,
            });
            self.journal.emit(StreamEvent::new(iteration, EventKind::ExperimentEnd, end));
            self.journal.emit(StreamEvent::new(iteration, EventKind::ExperimentSummary, summary));
        }
        let config = completed.then(|| {
            let mut config = self.final_config();
            config.extend(baselines.map(|found| ("baselines".to_owned(), found)));
            Value::Object(config).to_string()
        });
        self.journal.writes().end(ExperimentEnd {
            status,
            config,
            // A run that is stopped before it is where it was.
            num_iterations: self.num_iterations.max(self.iterations_before),
            converged: ended.converged,
            convergence_reason: ended.reason.clone(),
            completed_at: Moment::now(),
        });
        if completed {
            return self.commit();
        }
        // What is complete of the step that was not finished stays for going on.
        self.journal.commit(&self.lab)
    }

    /// The resolved experiment with its result (spec 07, 16.2).
    fn final_config(&self) -> Map<String, Value> {
        let agents = &self.plan.experiment.optimized_agents;
        let mut config = self.config();
        for (name, standing) in [("final", &self.last), ("best", &self.best)] {
            let Some(standing) = standing else { continue };
            config.insert(format!("{name}_cost"), json!(standing.total));
            config.insert(format!("{name}_settlement_rate"), json!(standing.settlement_rate));
            config.insert(format!("{name}_avg_delay"), json!(standing.average_delay));
            config.insert(format!("{name}_costs"), by_agent(agents, standing.costs.iter().copied()));
            let policies = standing.policies.iter().map(|policy| policy.json().clone());
            config.insert(format!("{name}_policies"), by_agent(agents, policies));
        }
        if let Some(best) = &self.best {
            config.insert("best_iteration".to_owned(), json!(best.iteration));
        }
        config
    }
}
