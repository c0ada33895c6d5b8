//! What holds between the rows of runs of experiments (spec 06, 4; 07, 15 and 16).
//!
//! A run says the same in several places: what it found stands in its row, in its iterations and
//! evaluations, and in the live events that were committed with them. Runs of the reference keep what their
//! program wrote and are asked for less.

use super::Defect;
use super::tables::{Question, ask, ask_one};
use crate::persistence::query::read_scenario;
use crate::persistence::{PersistenceError, Reader};

/// Runs that this program made, and what their iterations and live events say.
const VIEWS: &str = "
CREATE OR REPLACE TEMP VIEW own_runs AS
    SELECT *, status = 'completed' AS is_complete, (config->>'$.evaluation.mode') = 'bootstrap' AS by_samples,
        TRY_CAST(config->>'$.evaluation.num_samples' AS BIGINT) AS samples,
        TRY_CAST(config->'$.optimized_agents' AS VARCHAR[]) AS banks
    FROM experiments WHERE engine_version <> 'reference';
CREATE OR REPLACE TEMP VIEW own_loops AS FROM own_runs WHERE experiment_type = 'generic';
CREATE OR REPLACE TEMP VIEW own_sweeps AS FROM own_runs WHERE experiment_type = 'sweep';
CREATE OR REPLACE TEMP VIEW bank_costs AS
    SELECT run_id, iteration, unnest(json_keys(costs_per_agent)) AS agent_id,
        TRY_CAST(unnest(json_extract(costs_per_agent, '$.*')) AS BIGINT) AS cost
    FROM experiment_iterations;
CREATE OR REPLACE TEMP VIEW told_evaluations AS
    SELECT run_id, iteration, TRY_CAST(event_data->>'$.total_cost' AS BIGINT) AS total_cost,
        event_data->>'$.per_agent_costs' AS costs
    FROM experiment_events WHERE event_type = 'evaluation';
CREATE OR REPLACE TEMP VIEW told_decisions AS
    SELECT run_id, iteration, event_data->>'$.agent_id' AS agent_id, event_type = 'policy_change' AS accepted,
        TRY_CAST(event_data->>'$.old_cost' AS BIGINT) AS old_cost,
        TRY_CAST(event_data->>'$.new_cost' AS BIGINT) AS new_cost,
        TRY_CAST(event_data->>'$.delta_sum' AS BIGINT) AS delta_sum,
        event_data->>'$.reason' AS acceptance_reason
    FROM experiment_events WHERE event_type IN ('policy_change', 'policy_rejected');
CREATE OR REPLACE TEMP VIEW told_ends AS
    SELECT run_id, TRY_CAST(event_data->>'$.final_cost' AS BIGINT) AS final_cost,
        TRY_CAST(event_data->>'$.best_cost' AS BIGINT) AS best_cost,
        TRY_CAST(event_data->>'$.best_iteration' AS INTEGER) AS best_iteration,
        TRY_CAST(event_data->>'$.converged' AS BOOLEAN) AS converged,
        event_data->>'$.convergence_reason' AS convergence_reason
    FROM experiment_events WHERE event_type = 'experiment_end';
CREATE OR REPLACE TEMP VIEW wanted_events AS
    SELECT run_id, 0 AS iteration, 'experiment_start' AS event_type FROM own_loops
    UNION ALL
    SELECT run_id, num_iterations - 1, unnest(['experiment_end', 'experiment_summary'])
    FROM own_loops WHERE is_complete
    UNION ALL
    SELECT run_id, iteration, unnest(['evaluation', 'iteration_start']
        || CASE WHEN by_samples THEN ['context_simulation_complete'] ELSE [] END
        || CASE WHEN by_samples AND samples > 1 THEN ['bootstrap_evaluation'] ELSE [] END
        || CASE WHEN is_complete OR iteration < num_iterations - 1 THEN ['iteration_metrics'] ELSE [] END)
    FROM experiment_iterations JOIN own_loops USING (run_id);
CREATE OR REPLACE TEMP VIEW accepted_flags AS
    SELECT run_id, iteration, unnest(json_keys(accepted_changes)) AS agent_id,
        TRY_CAST(unnest(json_extract(accepted_changes, '$.*')) AS BOOLEAN) AS flag
    FROM experiment_iterations SEMI JOIN own_loops USING (run_id)
    SEMI JOIN (FROM experiment_events WHERE event_type = 'iteration_metrics') USING (run_id, iteration);
CREATE OR REPLACE TEMP VIEW sampled AS
    SELECT *, len(details) AS number,
        list_sum([TRY_CAST(sample->>'$.old_cost' AS HUGEINT) FOR sample IN details]) AS old,
        list_sum([TRY_CAST(sample->>'$.new_cost' AS HUGEINT) FOR sample IN details]) AS new,
        list_sum([TRY_CAST(sample->>'$.delta' AS HUGEINT) FOR sample IN details]) AS delta
    FROM (SELECT *, TRY_CAST(sample_details AS JSON[]) AS details
        FROM policy_evaluations SEMI JOIN own_runs USING (run_id))";

/// What is asked of runs.
const OF_RUNS: &[Question] = &[
    ask_one(
        "experiments",
        "has ended without `completed_at`, or runs with it",
        "SELECT run_id, count(*) FROM own_runs \
         WHERE (status = 'running') <> (completed_at IS NULL) GROUP BY 1",
    ),
    ask_one(
        "experiments",
        "has a `config` that is not its experiment",
        "SELECT run_id, count(*) FROM own_runs WHERE (config->>'$.name') IS DISTINCT FROM experiment_name \
         OR evaluation_mode IS NULL OR master_seed IS NULL OR persist_simulations IS NULL \
         OR experiment_type = 'generic' AND banks IS NULL \
         OR experiment_type = 'sweep' AND NOT json_exists(config, '$.sweep') GROUP BY 1",
    ),
    ask_one(
        "experiments",
        "is completed with another result than its last live event tells",
        "SELECT run_id, count(*) FROM own_loops ANTI JOIN told_ends \
         USING (run_id, final_cost, best_cost, best_iteration, converged, convergence_reason) \
         WHERE is_complete GROUP BY 1",
    ),
    ask_one(
        "experiments",
        "has a `num_iterations` that does not fit its iterations",
        "SELECT run_id, count(*) FROM own_runs LEFT JOIN \
         (SELECT run_id, count(*) AS stored FROM experiment_iterations GROUP BY 1) USING (run_id) \
         WHERE num_iterations - coalesce(stored, 0) NOT BETWEEN 0 AND (NOT is_complete)::INTEGER GROUP BY 1",
    ),
    ask_one(
        "simulations",
        "is of an iteration that its run does not have",
        "SELECT simulation_id, count(*) FROM simulations JOIN own_loops ON run_id = experiment_run_id \
         WHERE experiment_iteration NOT BETWEEN 0 AND num_iterations - is_complete::INTEGER GROUP BY 1",
    ),
    ask_one(
        "simulations",
        "is of a point, repetition or seed that its sweep does not have",
        "SELECT simulation_id, count(*) FROM simulations s JOIN own_sweeps r ON run_id = experiment_run_id \
         ANTI JOIN sweep_points p ON p.run_id = r.run_id AND point = experiment_iteration \
         AND repetition = experiment_sample AND p.rng_seed = s.rng_seed GROUP BY 1",
    ),
    ask_one(
        "simulations",
        "judges the policy of a bank that its run does not optimise",
        "SELECT simulation_id, count(*) FROM simulations JOIN own_loops ON run_id = experiment_run_id \
         WHERE experiment_agent IS NOT NULL AND banks IS NOT NULL \
         AND NOT list_contains(banks, experiment_agent) GROUP BY 1",
    ),
    ask(
        "experiment_iterations",
        "iteration",
        "not numbered from 0 without gaps, or more than `num_iterations`",
        "SELECT run_id, count(*) FROM experiment_iterations i JOIN experiments USING (run_id) \
         GROUP BY run_id, num_iterations \
         HAVING min(iteration) <> 0 OR max(iteration) <> count(*) - 1 OR count(*) > num_iterations",
    ),
    ask(
        "experiment_iterations",
        "iteration",
        "with a `total_cost` that is not the sum of `costs_per_agent`",
        "SELECT run_id, count(*), min('iteration ' || iteration) FROM experiment_iterations LEFT JOIN \
         (SELECT run_id, iteration, sum(cost) AS sum FROM bank_costs GROUP BY ALL) USING (run_id, iteration) \
         WHERE total_cost <> coalesce(sum, 0) GROUP BY 1",
    ),
    ask(
        "experiment_iterations",
        "iteration",
        "with costs, policies or `accepted_changes` of other banks than the run optimises",
        "SELECT run_id, count(*), min('iteration ' || iteration) \
         FROM experiment_iterations JOIN own_loops USING (run_id) \
         WHERE list_sort(json_keys(costs_per_agent)) <> list_sort(banks) \
         OR list_sort(json_keys(policies)) <> list_sort(banks) \
         OR list_sort(json_keys(accepted_changes)) <> list_sort(banks) GROUP BY 1",
    ),
    ask(
        "experiment_iterations",
        "iteration",
        "with other costs than its live event tells",
        "SELECT run_id, count(*), min('iteration ' || iteration) FROM experiment_iterations i \
         SEMI JOIN own_loops USING (run_id) ANTI JOIN told_evaluations t ON t.run_id = i.run_id \
         AND t.iteration = i.iteration AND t.total_cost = i.total_cost \
         AND costs = (costs_per_agent->>'$') GROUP BY 1",
    ),
    ask(
        "experiment_iterations",
        "iteration",
        "with `accepted_changes` that are not those of its live events",
        "SELECT run_id, count(DISTINCT iteration), min('iteration ' || iteration) FROM accepted_flags \
         LEFT JOIN (SELECT DISTINCT run_id, iteration, agent_id, TRUE AS replaced FROM told_decisions \
         WHERE accepted) USING (run_id, iteration, agent_id) \
         WHERE flag IS DISTINCT FROM coalesce(replaced, FALSE) GROUP BY 1",
    ),
    ask(
        "experiment_events",
        "live event",
        "of an iteration that its run does not have",
        "SELECT run_id, count(*), min('iteration ' || iteration) FROM experiment_events \
         JOIN own_runs USING (run_id) \
         WHERE iteration NOT BETWEEN 0 AND greatest(num_iterations, 1) - 1 GROUP BY 1",
    ),
    ask(
        "experiment_events",
        "live event",
        "missing",
        "SELECT run_id, count(*), min_by('`' || event_type || '` of iteration ' || iteration, iteration) \
         FROM wanted_events ANTI JOIN experiment_events USING (run_id, iteration, event_type) GROUP BY 1",
    ),
    ask(
        "policy_evaluations",
        "evaluation",
        "of an iteration that does not exist",
        "SELECT run_id, count(*) FROM policy_evaluations ANTI JOIN experiment_iterations \
         USING (run_id, iteration) SEMI JOIN experiments USING (run_id) GROUP BY 1",
    ),
    ask(
        "policy_evaluations",
        "evaluation",
        "with an `evaluation_mode` that is none",
        "SELECT run_id, count(*), min(evaluation_mode) FROM policy_evaluations \
         SEMI JOIN own_runs USING (run_id) \
         WHERE evaluation_mode NOT IN ('bootstrap', 'deterministic') GROUP BY 1",
    ),
    ask(
        "policy_evaluations",
        "evaluation",
        "with another outcome than its live event tells",
        "SELECT run_id, count(*), min('iteration ' || iteration || ', bank ' || agent_id) \
         FROM policy_evaluations SEMI JOIN own_runs USING (run_id) ANTI JOIN told_decisions \
         USING (run_id, iteration, agent_id, old_cost, new_cost, delta_sum, accepted, acceptance_reason) \
         GROUP BY 1",
    ),
    ask(
        "policy_evaluations",
        "evaluation",
        "missing that a live event tells",
        "SELECT run_id, count(*), min('iteration ' || iteration || ', bank ' || agent_id) \
         FROM told_decisions SEMI JOIN own_runs USING (run_id) \
         ANTI JOIN policy_evaluations USING (run_id, iteration, agent_id) \
         WHERE delta_sum IS NOT NULL GROUP BY 1",
    ),
    ask(
        "policy_evaluations",
        "evaluation",
        "whose costs, `delta_sum` or `num_samples` are not those of its samples",
        "SELECT run_id, count(*), min('iteration ' || iteration || ', bank ' || agent_id) FROM sampled \
         WHERE CASE WHEN sample_details IS NULL THEN num_samples <> 1 OR delta_sum <> old_cost - new_cost \
         ELSE num_samples IS DISTINCT FROM number OR delta_sum IS DISTINCT FROM delta \
         OR delta IS DISTINCT FROM old - new OR old - number * old_cost NOT BETWEEN 0 AND number - 1 \
         OR new - number * new_cost NOT BETWEEN 0 AND number - 1 END GROUP BY 1",
    ),
    ask(
        "policy_evaluations",
        "evaluation",
        "whose `context_simulation_cost` is not the bank's cost in its iteration",
        "SELECT run_id, count(*), min('iteration ' || iteration || ', bank ' || agent_id) \
         FROM policy_evaluations SEMI JOIN own_runs USING (run_id) \
         ANTI JOIN (SELECT run_id, iteration, agent_id, cost AS context_simulation_cost FROM bank_costs) \
         USING (run_id, iteration, agent_id, context_simulation_cost) \
         SEMI JOIN experiment_iterations USING (run_id, iteration) GROUP BY 1",
    ),
    ask(
        "sweep_points",
        "point",
        "where the sweep with its repetitions has another number",
        "SELECT run_id, coalesce(stored, 0) FROM own_sweeps LEFT JOIN (\
         SELECT run_id, count(*) AS stored, max(point) AS last_point, max(repetition) AS last_repetition, \
         min(least(point, repetition)) AS first FROM sweep_points GROUP BY 1) USING (run_id) \
         WHERE json_exists(config, '$.sweep') AND (stored IS NULL OR first < 0 \
         OR (last_point + 1) * (last_repetition + 1) <> stored \
         OR stored <> TRY_CAST(config->>'$.sweep.repetitions' AS BIGINT) \
         * CASE (config->>'$.sweep.design') WHEN 'zip' \
         THEN json_array_length(config, '$.sweep.vary[0].values') \
         ELSE list_product([json_array_length(axis, '$.values') \
         FOR axis IN TRY_CAST(config->'$.sweep.vary' AS JSON[])]) END)",
    ),
    ask(
        "sweep_points",
        "point",
        "with other settings than in another repetition",
        "SELECT run_id, count(*), min('point ' || point) FROM (SELECT run_id, point FROM sweep_points \
         GROUP BY ALL HAVING count(DISTINCT settings::VARCHAR) > 1) GROUP BY 1",
    ),
    ask(
        "sweep_points",
        "repetition",
        "with more than one seed",
        "SELECT run_id, count(*), min('repetition ' || repetition) FROM (\
         SELECT run_id, repetition FROM sweep_points GROUP BY ALL HAVING count(DISTINCT rng_seed) > 1) \
         GROUP BY 1",
    ),
    ask(
        "sweep_points",
        "point",
        "whose `figures` or `completed_at` do not fit its status",
        "SELECT run_id, count(*), min('point ' || point || ', repetition ' || repetition) FROM sweep_points \
         WHERE CASE status WHEN 'pending' THEN figures IS NOT NULL OR completed_at IS NOT NULL \
         ELSE figures IS NULL OR completed_at IS NULL \
         OR json_exists(figures, '$.error') <> (status = 'failed') END GROUP BY 1",
    ),
    ask(
        "sweep_points",
        "point",
        "still open though the sweep is completed",
        "SELECT run_id, count(*), min('point ' || point || ', repetition ' || repetition) FROM sweep_points \
         SEMI JOIN (FROM experiments WHERE status = 'completed') USING (run_id) \
         WHERE status = 'pending' GROUP BY 1",
    ),
];

impl Reader {
    /// What is wrong with runs.
    pub(super) fn run_defects(&self) -> Result<Vec<Defect>, PersistenceError> {
        self.connection.execute_batch(VIEWS)?;
        let mut defects = self.asked(OF_RUNS)?;
        let scenarios: Vec<(String, String)> =
            self.list("SELECT run_id, scenario_json::VARCHAR FROM own_runs ORDER BY 1", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        for (run, text) in scenarios {
            if let Err(reason) = read_scenario(&text) {
                let message = format!("`scenario_json` cannot be read: {reason}");
                defects.push(Defect::new("experiments", Some(&run), message));
            }
        }
        Ok(defects)
    }
}
