//! Tables of experiments (spec 06, 4).

use super::Kind::{Flag, Integer, Json, Seed};
use super::{Table, big, column, double, text_column};

/// Runs.
pub(super) const EXPERIMENTS: Table = Table {
    name: "experiments",
    help: "One row per run of an experiment.",
    key: &["run_id"],
    columns: &[
        text_column("run_id", "Run id: name, date, time and six random hex digits."),
        text_column("experiment_name", "Name in the file.").nn(),
        text_column("experiment_type", "`generic`, or `sweep` for a file with a sweep.").nn(),
        column("config", Json, "The resolved experiment and, at the end, its result.").nn(),
        text_column("created_at", "Start, ISO 8601 in local time.").nn(),
        text_column("completed_at", "End, ISO 8601 in local time."),
        column("num_iterations", Integer, "Iterations started.").nn(),
        column("converged", Flag, "Whether a criterion other than the cap ended the run.").nn(),
        text_column("convergence_reason", "Why it ended, errors included."),
        text_column("status", "`running`, `completed`, `failed`, `cancelled` or `interrupted`.").nn(),
        column(
            "scenario_json",
            Json,
            "The scenario as read and resolved, before any policy of the run was applied.",
        )
        .nn(),
        text_column("experiment_text", "The experiment file as it was written.").nn(),
        column(
            "experiment_files",
            Json,
            "Every further file that it uses besides the scenario: name as written to content.",
        )
        .nn(),
        text_column("engine_version", "Version of the program.").nn(),
        text_column("evaluation_mode", "How policies are judged.").computed("config->>'$.evaluation.mode'"),
        text_column("proposer", "Who proposes policies.").computed("config->>'$.proposer'"),
        text_column("model", "With which model they are proposed.").computed("config->>'$.model'"),
        text_column("persist_simulations", "What is stored of the simulations.")
            .computed("config->>'$.persist_simulations'"),
        text_column("master_seed", "Root of all seeds, in decimal.").computed("config->>'$.master_seed'"),
        big("final_cost", "Total of the last evaluation in cents; NULL until the end.")
            .computed("CAST(config->>'$.final_cost' AS BIGINT)"),
        big("best_cost", "Lowest total of the run in cents; NULL until the end.")
            .computed("CAST(config->>'$.best_cost' AS BIGINT)"),
        column("best_iteration", Integer, "Iteration of the lowest total, from 0.")
            .computed("CAST(config->>'$.best_iteration' AS INTEGER)"),
    ],
};

/// Iterations.
pub(super) const EXPERIMENT_ITERATIONS: Table = Table {
    name: "experiment_iterations",
    help: "One row per iteration of a run, written after its evaluation.",
    key: &["run_id", "iteration"],
    columns: &[
        text_column("run_id", "The run."),
        column("iteration", Integer, "Number of the iteration, from 0."),
        column("costs_per_agent", Json, "Bank to its cents in the evaluation.").nn(),
        big("total_cost", "Total of these costs.").nn(),
        column(
            "accepted_changes",
            Json,
            "Bank to whether its policy was replaced in the round of this iteration.",
        )
        .nn(),
        column("policies", Json, "Bank to the policy that was evaluated.").nn(),
        double("settlement_rate", "Settlement rate of the evaluation, where measured."),
        double("avg_delay", "Mean delay of the evaluation in ticks, where measured."),
        text_column("timestamp", "When the evaluation ended, ISO 8601 in local time.").nn(),
    ],
};

/// Live events.
pub(super) const EXPERIMENT_EVENTS: Table = Table {
    name: "experiment_events",
    help: "The live events of runs, in order of id.",
    key: &["id"],
    columns: &[
        big("id", "Order of the events.").numbered("experiment_events_id_seq"),
        text_column("run_id", "The run.").nn(),
        column("iteration", Integer, "Iteration that the event belongs to, from 0.").nn(),
        text_column("event_type", "Kind of the event.").nn(),
        column("event_data", Json, "Its fields.").nn(),
        text_column("timestamp", "When it was emitted, ISO 8601 in local time.").nn(),
    ],
};

/// Comparisons.
pub(super) const POLICY_EVALUATIONS: Table = Table {
    name: "policy_evaluations",
    help: "One row per comparison of a proposed policy with the one in force.",
    key: &["run_id", "iteration", "agent_id"],
    columns: &[
        text_column("run_id", "The run."),
        column("iteration", Integer, "Number of the iteration, from 0."),
        text_column("agent_id", "The bank."),
        text_column("evaluation_mode", "`bootstrap` or `deterministic`.").nn(),
        column("proposed_policy", Json, "The policy that was judged.").nn(),
        big("old_cost", "Mean cost of the policy in force.").nn(),
        big("new_cost", "Mean cost of the proposal.").nn(),
        big("context_simulation_cost", "The bank's cost in the evaluation of the iteration.").nn(),
        column("accepted", Flag, "Whether it was accepted.").nn(),
        text_column("acceptance_reason", "Which check decided.").nn(),
        big("delta_sum", "Sum of old minus new over the samples.").nn(),
        column("num_samples", Integer, "Number of samples.").nn(),
        column("sample_details", Json, "Per sample its index, seed, costs and difference."),
        big("scenario_seed", "Seed of a full-run comparison."),
        text_column("timestamp", "When it was decided, ISO 8601 in local time.").nn(),
        double("settlement_rate", "Settlement rate under the new policy."),
        double("avg_delay", "Mean delay under the new policy in ticks."),
        column("cost_breakdown", Json, "Cost of the new policy by kind."),
        big(
            "cost_std_dev",
            "Standard deviation of the new policy's costs; NULL with fewer than two samples.",
        ),
        column(
            "confidence_interval_95",
            Json,
            "95 % interval of the paired differences old minus new, [lower, upper].",
        ),
        column("agent_stats", Json, "Per bank its figures under the new policy."),
    ],
};

/// Points of sweeps.
pub(super) const SWEEP_POINTS: Table = Table {
    name: "sweep_points",
    help: "One row per point and repetition of a sweep.",
    key: &["run_id", "point", "repetition"],
    columns: &[
        text_column("run_id", "The run."),
        column("point", Integer, "Number of the combination, from 0."),
        column("repetition", Integer, "Number of the repetition, from 0."),
        column("settings", Json, "What was varied to its value.").nn(),
        column("rng_seed", Seed, "Seed.").nn(),
        text_column("status", "`pending`, `completed` or `failed`.").nn(),
        text_column("simulation_id", "Its simulation, if stored."),
        column("figures", Json, "Totals of the run."),
        text_column("completed_at", "When it was done, ISO 8601 in local time."),
    ],
};
