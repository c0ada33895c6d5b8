//! Views for the common questions (spec 06, 2.10).

use super::Kind::{Seed, Time};
use super::{View, big, column, double, text_column};

/// Every view; one may use those before it.
pub(super) const ALL: &[&View] = &[
    &SIMULATION_RUNS,
    &AGENT_STATE_REGISTERS,
    &SETTLEMENT_RATE_BY_DAY,
    &DELAY_BY_BANK,
    &COST_BY_KIND,
    &LIQUIDITY_USED,
    &LSM_SHARE,
    &RUN_OVERVIEW,
];

const SIMULATION_RUNS: View = View {
    name: "simulation_runs",
    help: "Simulations under the reference's older names.",
    columns: &[
        text_column("simulation_id", "The simulation."),
        text_column("config_name", "Title for lists."),
        text_column("config_hash", "SHA-256 of the scenario's text."),
        text_column("description", "Free text."),
        column("start_time", Time, "When it started."),
        column("end_time", Time, "When it ended."),
        big("ticks_per_day", "Length of a day in ticks."),
        big("num_days", "Days."),
        column("rng_seed", Seed, "The seed."),
        text_column("status", "Where it stands."),
        big("total_transactions", "Original payments that arrived; 0 while running."),
    ],
    query: "
SELECT simulation_id, config_name, config_hash, description, started_at, ended_at, ticks_per_day, num_days,
    rng_seed, status, coalesce(total_arrivals, 0)
FROM simulations",
};

const AGENT_STATE_REGISTERS: View = View {
    name: "agent_state_registers",
    help: "Registers of the banks' policies at the end of every tick in which they were set.",
    columns: &[
        text_column("simulation_id", "The simulation."),
        big("tick", "The tick."),
        text_column("agent_id", "The bank."),
        text_column("register_key", "The register."),
        double("register_value", "The value it got last in that tick."),
    ],
    query: "
SELECT simulation_id, tick, agent_id, json_extract_string(details, '$.register_key'),
    CAST(arg_max(json_extract_string(details, '$.new_value'), sequence) AS DOUBLE)
FROM simulation_events
WHERE event_type = 'StateRegisterSet'
GROUP BY ALL",
};

const SETTLEMENT_RATE_BY_DAY: View = View {
    name: "settlement_rate_by_day",
    help: "How many original payments of a day are settled, and how much of their value.",
    columns: &[
        text_column("simulation_id", "The simulation."),
        big("day", "Day of arrival."),
        big("num_arrivals", "Original payments that arrived."),
        big("num_settled", "Those of them that are settled in full."),
        double("settlement_rate", "Settled payments divided by arrived ones."),
        big("arrived_value", "Value that arrived."),
        big("settled_value", "Value of it that is settled."),
    ],
    query: "
SELECT simulation_id, arrival_day, count(*), count(*) FILTER (amount_settled = amount),
    count(*) FILTER (amount_settled = amount) / count(*), sum(amount)::BIGINT, sum(amount_settled)::BIGINT
FROM transactions
WHERE parent_tx_id IS NULL
GROUP BY ALL",
};

const DELAY_BY_BANK: View = View {
    name: "delay_by_bank",
    help: "Ticks from arrival to settlement of settled original payments, by sender.",
    columns: &[
        text_column("simulation_id", "The simulation."),
        text_column("agent_id", "The sender."),
        big("num_settled", "Settled original payments."),
        double("avg_delay_ticks", "Mean delay."),
        double("median_delay_ticks", "Median delay."),
        double("p95_delay_ticks", "95th percentile of the delays, interpolated."),
        big("max_delay_ticks", "Largest delay."),
    ],
    query: "
SELECT simulation_id, sender_id, count(*), avg(total_delay_ticks), median(total_delay_ticks)::DOUBLE,
    quantile_cont(total_delay_ticks, 0.95)::DOUBLE, max(total_delay_ticks)
FROM transactions
WHERE parent_tx_id IS NULL AND amount_settled = amount
GROUP BY ALL",
};

const COST_BY_KIND: View = View {
    name: "cost_by_kind",
    help: "Costs of every bank over the days, one row per kind of cost.",
    columns: &[
        text_column("simulation_id", "The simulation."),
        text_column("agent_id", "The bank."),
        text_column("kind", "The kind of cost."),
        big("cost_cents", "The cost in cents."),
    ],
    query: "
SELECT simulation_id, agent_id,
    unnest(['liquidity_cost', 'delay_cost', 'collateral_cost', 'deadline_penalty', 'split_friction_cost',
        'liquidity_opportunity_cost']),
    unnest([sum(liquidity_cost), sum(delay_cost), sum(collateral_cost), sum(deadline_penalty_cost),
        sum(split_friction_cost), sum(liquidity_opportunity_cost)])::BIGINT
FROM daily_agent_metrics
GROUP BY simulation_id, agent_id",
};

const LIQUIDITY_USED: View = View {
    name: "liquidity_used",
    help: "What every bank needed of its own on a day to settle its payments.",
    columns: &[
        text_column("simulation_id", "The simulation."),
        text_column("agent_id", "The bank."),
        big("day", "Day of settlement."),
        big(
            "liquidity_used",
            "Largest excess of value sent over value received since the start of the day, \
             at the end of any tick.",
        ),
        big("value_sent", "Value sent on that day."),
        big("value_received", "Value received on that day."),
    ],
    query: "
WITH flows AS (
    SELECT simulation_id, sender_id AS bank, settlement_day AS day, settlement_tick AS tick, amount AS sent,
        0 AS received
    FROM transactions WHERE place = 'settled'
    UNION ALL
    SELECT simulation_id, receiver_id, settlement_day, settlement_tick, 0, amount
    FROM transactions WHERE place = 'settled'
), ticks AS (
    SELECT simulation_id, bank, day, tick, sum(sent) AS sent, sum(received) AS received
    FROM flows GROUP BY ALL
), running AS (
    SELECT *, sum(sent - received) OVER (PARTITION BY simulation_id, bank, day ORDER BY tick) AS net
    FROM ticks
)
SELECT simulation_id, bank, day, greatest(max(net), 0)::BIGINT, sum(sent)::BIGINT, sum(received)::BIGINT
FROM running
GROUP BY simulation_id, bank, day",
};

const LSM_SHARE: View = View {
    name: "lsm_share",
    help: "How much of a day's settled value the offsets and rings settled.",
    columns: &[
        text_column("simulation_id", "The simulation."),
        big("day", "Day of settlement."),
        big("num_settled", "Payments settled, parts included."),
        big("settled_value", "Their value."),
        big("num_lsm", "Those settled by offsets and rings."),
        big("lsm_value", "Their value."),
        double("lsm_share", "Share of offsets and rings in the settled value."),
    ],
    query: "
SELECT simulation_id, settlement_day, count(*), sum(amount)::BIGINT, count(*) FILTER (lsm),
    coalesce(sum(amount) FILTER (lsm), 0)::BIGINT, coalesce(sum(amount) FILTER (lsm), 0) / sum(amount)
FROM (
    SELECT *, settled_by IN ('LsmBilateralOffset', 'LsmCycleSettlement') AS lsm
    FROM transactions WHERE place = 'settled'
)
GROUP BY simulation_id, settlement_day",
};

const RUN_OVERVIEW: View = View {
    name: "run_overview",
    help: "One row per run of an experiment with its costs and counts.",
    columns: &[
        text_column("run_id", "The run."),
        text_column("experiment_name", "Name in the file."),
        text_column("evaluation_mode", "How policies are judged."),
        text_column("proposer", "Who proposes policies."),
        text_column("status", "Where it stands."),
        column("num_iterations", super::Kind::Integer, "Iterations started."),
        big("first_cost", "Total of iteration 0 in cents."),
        big("final_cost", "Total of the last evaluation in cents; NULL until the end."),
        big("best_cost", "Lowest total in cents; so far, for a run that is not over."),
        double("reduction", "1 minus best cost divided by first cost; NULL if that is 0 or NULL."),
        big("num_accepted", "Accepted proposals."),
        big("num_evaluations", "Comparisons."),
        big("num_simulations", "Stored simulations."),
        big("num_events", "Stored events of these simulations."),
        text_column("created_at", "Start."),
        text_column("completed_at", "End."),
    ],
    query: "
WITH iterations AS (
    SELECT run_id, min(total_cost) AS best, min(total_cost) FILTER (iteration = 0) AS first
    FROM experiment_iterations GROUP BY run_id
), evaluations AS (
    SELECT run_id, count(*) AS number, count(*) FILTER (accepted) AS accepted
    FROM policy_evaluations GROUP BY run_id
), simulated AS (
    SELECT experiment_run_id, count(*) AS number, sum(event_count)::BIGINT AS events
    FROM simulations WHERE experiment_run_id IS NOT NULL GROUP BY experiment_run_id
)
SELECT e.run_id, experiment_name, evaluation_mode, proposer, status, num_iterations, first, final_cost,
    coalesce(best_cost, best), 1 - coalesce(best_cost, best) / nullif(first, 0), coalesce(accepted, 0),
    coalesce(evaluations.number, 0), coalesce(simulated.number, 0), coalesce(events, 0), created_at,
    completed_at
FROM experiments e
LEFT JOIN iterations ON iterations.run_id = e.run_id
LEFT JOIN evaluations ON evaluations.run_id = e.run_id
LEFT JOIN simulated ON experiment_run_id = e.run_id",
};
