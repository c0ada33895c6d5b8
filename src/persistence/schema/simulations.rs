//! Tables of simulations (spec 06, 1.3 and 2).

use super::Kind::{Bytes, Flag, Integer, Seed, TextList, Time};
use super::{Table, big, column, double, text_column};

/// Versions of the layout.
pub(super) const SCHEMA_MIGRATIONS: Table = Table {
    name: "schema_migrations",
    help: "One row per version of the layout that the file has had.",
    key: &["version"],
    columns: &[
        column("version", Integer, "Number of the layout."),
        column("applied_at", Time, "When it was made or migrated to.").nn(),
        text_column("description", "What changed.").nn(),
    ],
};

/// Simulations.
pub(super) const SIMULATIONS: Table = Table {
    name: "simulations",
    help: "One row per simulation.",
    key: &["simulation_id"],
    columns: &[
        text_column(
            "simulation_id",
            "Name of the simulation: given, or `sim-` and 8 random hex digits; in \
             experiments run id, number and purpose.",
        ),
        text_column(
            "config_file",
            "File name of the scenario, without folder (`NAME.yaml` for `library:NAME`).",
        )
        .nn(),
        text_column(
            "config_name",
            "Title for lists: the scenario's file name without its ending, unless a name was \
             given.",
        )
        .nn(),
        text_column("description", "Free text given by whoever started it."),
        text_column("config_hash", "SHA-256 of `config_json`, 64 hex digits.").nn(),
        text_column("config_json", "The scenario as resolved and run.").nn(),
        column("rng_seed", Seed, "The seed that was used.").nn(),
        big("ticks_per_day", "Length of a day in ticks, as run.").nn(),
        big("num_days", "Days, as run.").nn(),
        big("num_agents", "Banks, as run.").nn(),
        big(
            "num_ticks",
            "Ticks it was to run: `ticks_per_day` × `num_days`, or what `--run-ticks` or an \
             experiment asked for.",
        )
        .nn(),
        text_column("status", "`running`, `completed`, `failed`, `cancelled` or `interrupted`.").nn(),
        text_column(
            "experiment_run_id",
            "Run of the experiment it belongs to; this and the next four are NULL for a \
             simulation by itself.",
        ),
        column("experiment_iteration", Integer, "Iteration of that run, from 0; in a sweep the point."),
        text_column(
            "experiment_purpose",
            "Why the experiment ran it: `init`, `eval`, `old`, `new`, `final`, `sweep`.",
        ),
        text_column("experiment_agent", "Bank whose policy was being judged."),
        column(
            "experiment_sample",
            Integer,
            "Number of the bootstrap sample (a run in the sandbox) or of the repetition of a \
             sweep, from 0.",
        ),
        text_column(
            "purpose",
            "Why it was run; `cli` is a simulation by itself, from the command line or the \
             explorer.",
        )
        .computed("coalesce(experiment_purpose, 'cli')"),
        column("started_at", Time, "When it started.").nn(),
        column("ended_at", Time, "When it ended, whatever the status; NULL while running."),
        column("completed_at", Time, "The reference's name for `ended_at`.").computed("ended_at"),
        big("last_tick", "Last tick whose rows are stored; NULL before the first."),
        big("event_count", "Number of its stored events.").nn(),
        text_column("event_digest", "Digest of its stored events, so after `last_tick`.").nn(),
        big("total_arrivals", "Original payments that arrived; NULL while running."),
        big("total_settlements", "Those of the original payments that are settled; NULL while running."),
        big(
            "total_lsm_releases",
            "Payments settled by offsets and rings: sum of `num_lsm_releases` over the \
             ticks.",
        ),
        big(
            "total_cost_cents",
            "All costs of all banks over the whole run: sum of `costs.total` over the \
             `CostAccrual` events.",
        ),
        big("arrived_value", "Value of the original payments: settled, queued and dropped value together."),
        big("settled_value", "Value of the original payments that is settled."),
        big("queued_value", "Value of the original payments that is still in a queue."),
        big("dropped_value", "Value of the original payments that was dropped."),
        double("avg_delay_ticks", "Mean ticks from arrival to settlement."),
        big("max_delay_ticks", "Largest number of ticks from arrival to settlement."),
        big("peak_overdraft", "Largest overdraft of any bank at the end of any tick."),
        double("duration_seconds", "Wall time of the loop."),
        double("ticks_per_second", "Ticks divided by the wall time of the loop; 0 if that is 0."),
        text_column("error", "Why it failed, was cancelled or is interrupted."),
        text_column("engine_version", "Version of the program that ran it.").nn(),
    ],
};

/// Events.
pub(super) const SIMULATION_EVENTS: Table = Table {
    name: "simulation_events",
    help: "One row per event, in order of simulation and sequence.",
    key: &[],
    columns: &[
        text_column("simulation_id", "The simulation.").nn(),
        big(
            "sequence",
            "Number of the event in the simulation, from 0, without gaps: the only order of \
             events.",
        )
        .nn(),
        big("tick", "Tick of the event, from 0 over the whole run.").nn(),
        big("day", "Day of the event: tick div ticks_per_day.").nn(),
        text_column("event_type", "Type of the event.").nn(),
        text_column("agent_id", "The event's key `agent_id`; NULL if its type has none."),
        text_column("tx_id", "The event's key `tx_id`; NULL if its type has none."),
        column("agents", TextList, "All banks that the event concerns; empty list if none.").nn(),
        column("tx_ids", TextList, "All payments that the event concerns; empty list if none.").nn(),
        text_column(
            "details",
            "JSON object of all other keys in canonical order and form; `{}` if there are \
             none.",
        )
        // Texts that differ in a few digits: the default takes six times as long for twice the size.
        .compressed("zstd")
        .nn(),
        column(
            "created_at",
            Time,
            "When the batch that holds the row was written; never earlier than that of the \
             row before.",
        )
        .nn(),
        text_column("event_id", "The reference's key of an event.")
            .computed("simulation_id || ':' || sequence"),
        column(
            "event_timestamp",
            Time,
            "Rises with `sequence`, so that sorting by (tick, event_timestamp) gives the \
             true order.",
        )
        .computed("created_at + to_microseconds(sequence)"),
    ],
};

/// Payments.
pub(super) const TRANSACTIONS: Table = Table {
    name: "transactions",
    help: "Final state of every payment, parts of splits included.",
    key: &[],
    columns: &[
        text_column("simulation_id", "The simulation.").nn(),
        text_column("tx_id", "The payment.").nn(),
        text_column("sender_id", "The bank that pays.").nn(),
        text_column("receiver_id", "The bank that is paid.").nn(),
        big("amount", "Original amount.").nn(),
        big("priority", "Priority at the end.").nn(),
        big("original_priority", "Priority on arrival.").nn(),
        column("is_divisible", Flag, "The flag shown in `Arrival`.").nn(),
        big("arrival_tick", "Tick of its arrival; of a part that of its parent.").nn(),
        big("arrival_day", "Day of its arrival; of a part that of its parent.").nn(),
        big("deadline_tick", "Tick of its deadline.").nn(),
        big("settlement_tick", "Tick in which it settled; of a split payment its last part."),
        big("settlement_day", "Day on which it settled; of a split payment its last part."),
        text_column("settled_by", "Type of the event that settled it; NULL if unsettled or split."),
        text_column("status", "`pending`, `overdue`, `settled` or `dropped`.").nn(),
        text_column("place", "Where it stands: `queue1`, `queue2`, `settled`, `dropped`, `split`.").nn(),
        big("overdue_since_tick", "Tick in which it was marked overdue; stays after settlement."),
        big("drop_tick", "Tick of its drop."),
        text_column("drop_reason", "Reason of its `PolicyDrop`."),
        big("amount_settled", "Settled so far; for a split payment by its parts.").nn(),
        big("queue1_ticks", "Ends of ticks at which it stood in queue 1.").nn(),
        big("queue2_ticks", "Ends of ticks at which it stood in queue 2.").nn(),
        big("total_delay_ticks", "Ticks from arrival to settlement, else to its drop, else to `last_tick`.")
            .nn(),
        big(
            "delay_cost",
            "Its share of the delay cost, summed over the ticks and rounded once; the shares \
             differ from the banks' costs by rounding only.",
        )
        .nn(),
        big("penalty_cost", "Deadline and end-of-day penalties charged for it.").nn(),
        text_column("parent_tx_id", "Payment of which it is a part."),
        big("split_index", "Number of the part, from 0."),
        text_column(
            "rtgs_priority",
            "RTGS priority of its last submission; NULL if never submitted, or withdrawn \
             since.",
        ),
        big("rtgs_submission_tick", "Tick of that submission."),
        text_column("declared_rtgs_priority", "RTGS priority declared by its policy."),
    ],
};

/// Daily metrics.
pub(super) const DAILY_AGENT_METRICS: Table = Table {
    name: "daily_agent_metrics",
    help: "One row per bank and day.",
    key: &[],
    columns: &[
        text_column("simulation_id", "The simulation.").nn(),
        text_column("agent_id", "The bank.").nn(),
        big("day", "The day, from 0.").nn(),
        big(
            "opening_balance",
            "Balance when the record is opened: day 0 before tick 0 (allocation included); \
             later days right after the previous day's pool return, before the morning \
             allocation.",
        )
        .nn(),
        big(
            "closing_balance",
            "Balance when the record is closed: end of the day's last tick, after the pool \
             return.",
        )
        .nn(),
        big("min_balance", "Smallest of the opening balance and the balances at the ends of the ticks.").nn(),
        big("max_balance", "Largest of the opening balance and the balances at the ends of the ticks.").nn(),
        big("unsecured_cap", "The bank's cap.").nn(),
        big("peak_overdraft", "Largest overdraft at the end of a tick; 0 if none.").nn(),
        big("opening_posted_collateral", "Posted collateral when opened.").nn(),
        big("closing_posted_collateral", "Posted collateral when closed.").nn(),
        big(
            "peak_posted_collateral",
            "Largest of the opening value and the values at the ends of the ticks.",
        )
        .nn(),
        big("collateral_capacity", "The bank's capacity.").nn(),
        big("num_collateral_posts", "Its `CollateralPost` events of the day.").nn(),
        big(
            "num_collateral_withdrawals",
            "Its `CollateralWithdraw` and `CollateralTimerWithdrawn` events of the day.",
        )
        .nn(),
        big(
            "num_arrivals",
            "Original payments of which the bank is the sender that arrived that day \
             (automatic, custom, from a payments file).",
        )
        .nn(),
        big(
            "num_sent",
            "Payments, parts included, of which the bank is the sender that settled that \
             day, in whatever way.",
        )
        .nn(),
        big(
            "num_received",
            "Payments (split parts included) of which the bank is the receiver that settled \
             that day, in whatever way.",
        )
        .nn(),
        big("num_settled", "The same as `num_sent`.").nn(),
        big("num_dropped", "Its `PolicyDrop` events of the day.").nn(),
        big("queue1_peak_size", "Largest length of queue 1 at the end of a tick.").nn(),
        big("queue1_eod_size", "Length of queue 1 when closed.").nn(),
        big("liquidity_cost", "Overdraft cost of the day when closed.").nn(),
        big("delay_cost", "Delay cost of the day when closed.").nn(),
        big("collateral_cost", "Collateral cost of the day when closed.").nn(),
        big("split_friction_cost", "Split friction of the day when closed.").nn(),
        big("deadline_penalty_cost", "Deadline and end-of-day penalties of the day when closed.").nn(),
        big("liquidity_opportunity_cost", "Opportunity cost of allocated liquidity of the day when closed.")
            .nn(),
        big("total_cost", "Sum of these six costs.").nn(),
    ],
};

/// Policies.
pub(super) const POLICY_SNAPSHOTS: Table = Table {
    name: "policy_snapshots",
    help: "The policy of every bank.",
    key: &[],
    columns: &[
        text_column("simulation_id", "The simulation.").nn(),
        text_column("agent_id", "The bank.").nn(),
        big("snapshot_day", "Day from which it is in force; 0 at the start.").nn(),
        big("snapshot_tick", "Tick from which it is in force; 0 at the start.").nn(),
        text_column("policy_hash", "SHA-256 of `policy_json`.").nn(),
        text_column("policy_json", "The bank's policy as in `config_json`.").nn(),
        text_column(
            "created_by",
            "Where it comes from: `init` (the scenario), `default` (start policy of an \
             experiment), `script`, `search`, `llm`, `manual`.",
        )
        .nn(),
    ],
};

/// Snapshots of the fold.
pub(super) const REPLAY_SNAPSHOTS: Table = Table {
    name: "replay_snapshots",
    help: "The fold of the events at chosen ticks, so that a jump is instant; derived data.",
    key: &[],
    columns: &[
        text_column("simulation_id", "The simulation.").nn(),
        big("tick", "The state is the one after this tick.").nn(),
        big("sequence", "Number of events folded, so the first event still to fold.").nn(),
        column("format", Integer, "Version of the encoding.").nn(),
        column(
            "state",
            Bytes,
            "The encoded state: banks, queues, open payments, collateral, timers, registers, \
             costs.",
        )
        // To read one compressed state DuckDB would decompress a thousand others.
        .compressed("uncompressed")
        .nn(),
    ],
};

/// States of the engine.
pub(super) const SIMULATION_CHECKPOINTS: Table = Table {
    name: "simulation_checkpoints",
    help: "Complete states of the engine from which a simulation can be continued.",
    key: &["checkpoint_id"],
    columns: &[
        text_column("checkpoint_id", "`<simulation_id>@<tick>`."),
        text_column("simulation_id", "The simulation.").nn(),
        big("checkpoint_tick", "Last complete tick.").nn(),
        big("checkpoint_day", "Its day.").nn(),
        big("sequence", "Number of events up to it.").nn(),
        column("checkpoint_timestamp", Time, "When it was made.").nn(),
        text_column(
            "checkpoint_type",
            "`auto` (made every so many ticks) or `final` (made when such a run is \
             cancelled).",
        )
        .nn(),
        text_column("description", "Free text."),
        text_column("created_by", "Version of the program.").nn(),
        text_column("state_json", "The state.").nn(),
        text_column("state_hash", "SHA-256 of `state_json`, tested on load.").nn(),
        text_column("config_json", "The scenario as in `simulations`.").nn(),
        text_column("config_hash", "SHA-256 of `config_json`.").nn(),
        big("num_agents", "Banks.").nn(),
        big("num_transactions", "Payments that have not settled.").nn(),
        big("total_size_bytes", "Size of `state_json` in bytes.").nn(),
    ],
};
