//! What holds between the rows of simulations and what the user wrote about them: a list of questions, each
//! of which finds rows only where something does not hold.

use super::tables::{Question, ask, ask_one};

/// What is asked of simulations, their policies and checkpoints.
pub(super) const OF_SIMULATIONS: &[Question] = &[
    ask_one(
        "simulations",
        "is completed without all its ticks or without its totals",
        "SELECT simulation_id, count(*) FROM simulations WHERE status = 'completed' AND \
         (coalesce(last_tick + 1, 0) <> num_ticks OR total_cost_cents IS NULL) GROUP BY 1",
    ),
    ask_one(
        "simulations",
        "is completed without its durations, or with an `error`",
        "SELECT simulation_id, count(*) FROM simulations \
         WHERE status = 'completed' AND engine_version <> 'reference' \
         AND (duration_seconds IS NULL OR ticks_per_second IS NULL OR error IS NOT NULL) GROUP BY 1",
    ),
    ask_one(
        "simulations",
        "has more ticks than it was to run",
        "SELECT simulation_id, count(*) FROM simulations WHERE last_tick >= num_ticks GROUP BY 1",
    ),
    ask_one(
        "simulations",
        // Times are of the wall clock, which goes back an hour once a year.
        "has ended without `ended_at`, runs with it, or ended before it started",
        "SELECT simulation_id, count(*) FROM simulations \
         WHERE (status = 'running') <> (ended_at IS NULL) \
         OR ended_at < started_at - INTERVAL 1 HOUR GROUP BY 1",
    ),
    ask_one(
        "simulations",
        "has a run without an iteration and a purpose in it, or one of these without a run",
        "SELECT simulation_id, count(*) FROM simulations \
         WHERE (experiment_run_id IS NULL) <> (experiment_purpose IS NULL) \
         OR (experiment_run_id IS NULL) <> (experiment_iteration IS NULL) \
         OR experiment_run_id IS NULL AND (experiment_agent IS NOT NULL OR experiment_sample IS NOT NULL) \
         GROUP BY 1",
    ),
    ask(
        "policy_snapshots",
        "bank",
        "with a policy at the start where `num_agents` is another number",
        "SELECT simulation_id, count(agent_id) FROM simulations LEFT JOIN \
         (FROM policy_snapshots WHERE snapshot_tick = 0) USING (simulation_id) \
         GROUP BY simulation_id, num_agents HAVING count(agent_id) <> num_agents",
    ),
    ask(
        "policy_snapshots",
        "row",
        "of no bank of `config_json`, or at the start with another policy than there",
        "SELECT simulation_id, count(*), min(agent_id) FROM policy_snapshots \
         SEMI JOIN simulations USING (simulation_id) ANTI JOIN (\
         SELECT simulation_id, bank->>'$.id' AS agent_id, json_extract(bank, '$.policy') AS policy FROM (\
         SELECT simulation_id, unnest(TRY_CAST(TRY_CAST(config_json AS JSON)->'$.agents' AS JSON[])) AS bank \
         FROM simulations)) banks ON banks.simulation_id = policy_snapshots.simulation_id \
         AND banks.agent_id = policy_snapshots.agent_id AND (snapshot_tick > 0 \
         OR policy = json_extract(TRY_CAST(policy_json AS JSON), '$')) GROUP BY 1",
    ),
    ask(
        "policy_snapshots",
        "row",
        "with another day than that of the tick",
        "SELECT simulation_id, count(*), min(agent_id) FROM policy_snapshots \
         JOIN simulations USING (simulation_id) \
         WHERE ticks_per_day > 0 AND snapshot_day <> snapshot_tick // ticks_per_day GROUP BY 1",
    ),
    ask(
        "simulation_checkpoints",
        "checkpoint",
        "of a completed simulation, which keeps none",
        "SELECT simulation_id, count(*) FROM simulation_checkpoints SEMI JOIN \
         (FROM simulations WHERE status = 'completed') USING (simulation_id) GROUP BY 1",
    ),
    ask(
        "simulation_checkpoints",
        "checkpoint",
        "behind `last_tick` or of another scenario",
        "SELECT c.simulation_id, count(*) FROM simulation_checkpoints c \
         JOIN simulations s USING (simulation_id) WHERE c.config_hash <> s.config_hash \
         OR checkpoint_tick > coalesce(last_tick, -1) GROUP BY 1",
    ),
    ask(
        "simulation_checkpoints",
        "checkpoint",
        "whose name, day, banks or size are not those of its tick and state",
        "SELECT simulation_id, count(*), min(checkpoint_id) FROM simulation_checkpoints c \
         JOIN simulations s USING (simulation_id) \
         WHERE checkpoint_id <> simulation_id || '@' || checkpoint_tick \
         OR ticks_per_day > 0 AND checkpoint_day <> checkpoint_tick // ticks_per_day \
         OR c.num_agents <> s.num_agents OR total_size_bytes <> strlen(state_json) GROUP BY 1",
    ),
    ask(
        "simulation_checkpoints",
        "checkpoint",
        "whose `sequence` is not the number of events up to its tick",
        "SELECT simulation_id, count(*), min(checkpoint_id) FROM (\
         SELECT c.simulation_id, checkpoint_id, c.sequence, count(e.sequence) AS events \
         FROM simulation_checkpoints c LEFT JOIN simulation_events e \
         ON e.simulation_id = c.simulation_id AND tick <= checkpoint_tick GROUP BY ALL) \
         SEMI JOIN simulations USING (simulation_id) WHERE sequence <> events GROUP BY 1",
    ),
];

/// What is asked of notes and bookmarks. What a simulation may still get when it goes on is no defect.
pub(super) const OF_THE_USER: &[Question] = &[
    ask(
        "notes",
        "note",
        "about something that does not exist",
        "SELECT target_id, count(*) FROM notes WHERE CASE target_kind \
         WHEN 'run' THEN target_id NOT IN (SELECT run_id FROM experiments) \
         WHEN 'iteration' THEN target_id NOT IN \
         (SELECT run_id || '/' || iteration FROM experiment_iterations) \
         WHEN 'simulation' THEN target_id NOT IN (SELECT simulation_id FROM simulations) \
         WHEN 'event' THEN regexp_replace(target_id, ':[0-9]+$', '') NOT IN \
         (SELECT simulation_id FROM simulations) ELSE true END GROUP BY 1",
    ),
    ask(
        "notes",
        "note",
        "about an event that its simulation does not have",
        "SELECT target_id, count(*) FROM notes JOIN simulations \
         ON simulation_id = regexp_replace(target_id, ':[0-9]+$', '') \
         WHERE target_kind = 'event' AND status NOT IN ('running', 'interrupted') AND coalesce(\
         TRY_CAST(regexp_extract(target_id, ':([0-9]+)$', 1) AS HUGEINT) >= event_count, TRUE) GROUP BY 1",
    ),
    ask(
        "bookmarks",
        "bookmark",
        "on an event or a tick that its simulation does not have",
        "SELECT simulation_id, count(*), min('bookmark ' || bookmark_id) FROM bookmarks b \
         JOIN simulations s USING (simulation_id) WHERE status NOT IN ('running', 'interrupted') \
         AND (sequence >= event_count OR b.tick > coalesce(last_tick, 0)) GROUP BY 1",
    ),
];
