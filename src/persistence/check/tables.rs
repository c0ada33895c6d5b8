//! The tables against their layout and against each other: a list of questions, each of which finds rows
//! only where something does not hold.

use std::collections::BTreeMap;

use super::{CheckDepth, Defect};
use crate::persistence::schema::{self, RUN_TABLES, SIMULATION_TABLES};
use crate::persistence::{PersistenceError, Reader};

/// A question to one table: it gives an id and a number of rows for everything that is wrong.
struct Question {
    table: &'static str,
    /// What is wrong with the rows; stands behind their number.
    wrong: &'static str,
    query: &'static str,
}

const fn ask(table: &'static str, wrong: &'static str, query: &'static str) -> Question {
    Question { table, wrong, query }
}

/// Rows without a key that are unique by construction: table and the columns that make them so.
const UNIQUE: &[(&str, &str)] = &[
    ("transactions", "tx_id"),
    ("daily_agent_metrics", "agent_id, day"),
    ("policy_snapshots", "agent_id, snapshot_tick"),
    ("replay_snapshots", "tick"),
];

const QUESTIONS: &[Question] = &[
    ask(
        "simulations",
        "belongs to a run that does not exist",
        "SELECT simulation_id, count(*) FROM simulations ANTI JOIN experiments \
         ON run_id = experiment_run_id WHERE experiment_run_id IS NOT NULL GROUP BY 1",
    ),
    ask(
        "simulations",
        "has a `status` that is none",
        "SELECT simulation_id, count(*) FROM simulations WHERE status NOT IN \
         ('running', 'completed', 'failed', 'cancelled', 'interrupted') GROUP BY 1",
    ),
    ask(
        "simulations",
        "has an `experiment_purpose` that is none",
        "SELECT simulation_id, count(*) FROM simulations WHERE experiment_purpose NOT IN \
         ('init', 'eval', 'old', 'new', 'final', 'sweep') GROUP BY 1",
    ),
    ask(
        "simulations",
        "is completed without all its ticks or without its totals",
        "SELECT simulation_id, count(*) FROM simulations WHERE status = 'completed' AND \
         (coalesce(last_tick + 1, 0) <> num_ticks OR total_cost_cents IS NULL) GROUP BY 1",
    ),
    ask(
        "simulations",
        "has more ticks than it was to run",
        "SELECT simulation_id, count(*) FROM simulations WHERE last_tick >= num_ticks GROUP BY 1",
    ),
    ask(
        "simulations",
        "has ended without `ended_at`, runs with it, or ended before it started",
        "SELECT simulation_id, count(*) FROM simulations \
         WHERE (status = 'running') <> (ended_at IS NULL) OR ended_at < started_at GROUP BY 1",
    ),
    ask(
        "policy_snapshots",
        "policies at the start, its number of banks is another",
        "SELECT simulation_id, count(agent_id) FROM simulations LEFT JOIN \
         (FROM policy_snapshots WHERE snapshot_tick = 0) USING (simulation_id) \
         GROUP BY simulation_id, num_agents HAVING count(agent_id) <> num_agents",
    ),
    ask(
        "simulation_checkpoints",
        "checkpoints of a completed simulation, which keeps none",
        "SELECT simulation_id, count(*) FROM simulation_checkpoints SEMI JOIN \
         (FROM simulations WHERE status = 'completed') USING (simulation_id) GROUP BY 1",
    ),
    ask(
        "simulation_checkpoints",
        "checkpoints lie behind `last_tick` or are of another scenario",
        "SELECT c.simulation_id, count(*) FROM simulation_checkpoints c \
         JOIN simulations s USING (simulation_id) WHERE c.config_hash <> s.config_hash \
         OR checkpoint_tick > coalesce(last_tick, -1) GROUP BY 1",
    ),
    ask(
        "experiments",
        "has a `status` that is none",
        "SELECT run_id, count(*) FROM experiments WHERE status NOT IN \
         ('running', 'completed', 'failed', 'cancelled', 'interrupted') GROUP BY 1",
    ),
    ask(
        "experiment_iterations",
        "iterations, not numbered from 0 without gaps or more than `num_iterations`",
        "SELECT run_id, count(*) FROM experiment_iterations i JOIN experiments USING (run_id) \
         GROUP BY run_id, num_iterations \
         HAVING min(iteration) <> 0 OR max(iteration) <> count(*) - 1 OR count(*) > num_iterations",
    ),
    ask(
        "policy_evaluations",
        "evaluations of iterations that do not exist",
        "SELECT run_id, count(*) FROM policy_evaluations ANTI JOIN experiment_iterations \
         USING (run_id, iteration) SEMI JOIN experiments USING (run_id) GROUP BY 1",
    ),
    ask(
        "sweep_points",
        "points name simulations that do not exist",
        "SELECT run_id, count(*) FROM sweep_points ANTI JOIN simulations USING (simulation_id) \
         WHERE simulation_id IS NOT NULL GROUP BY 1",
    ),
    ask(
        "bookmarks",
        "bookmarks lead to a simulation that does not exist",
        "SELECT simulation_id, count(*) FROM bookmarks ANTI JOIN simulations USING (simulation_id) \
         WHERE simulation_id IS NOT NULL GROUP BY 1",
    ),
    ask(
        "bookmarks",
        "bookmarks lead to a run that does not exist",
        "SELECT experiment_run_id, count(*) FROM bookmarks ANTI JOIN experiments \
         ON run_id = experiment_run_id WHERE experiment_run_id IS NOT NULL GROUP BY 1",
    ),
    ask(
        "notes",
        "notes are about something that does not exist",
        "SELECT target_id, count(*) FROM notes WHERE CASE target_kind \
         WHEN 'run' THEN target_id NOT IN (SELECT run_id FROM experiments) \
         WHEN 'iteration' THEN target_id NOT IN \
         (SELECT run_id || '/' || iteration FROM experiment_iterations) \
         WHEN 'simulation' THEN target_id NOT IN (SELECT simulation_id FROM simulations) \
         WHEN 'event' THEN regexp_replace(target_id, ':[0-9]+$', '') NOT IN \
         (SELECT simulation_id FROM simulations) ELSE true END GROUP BY 1",
    ),
];

/// Digests of texts, each beside its text.
const DIGESTS: &[Question] = &[
    ask(
        "simulations",
        "has a `config_hash` that is not that of `config_json`",
        "SELECT simulation_id, count(*) FROM simulations WHERE config_hash <> sha256(config_json) GROUP BY 1",
    ),
    ask(
        "policy_snapshots",
        "policies have a `policy_hash` that is not that of `policy_json`",
        "SELECT simulation_id, count(*) FROM policy_snapshots WHERE policy_hash <> sha256(policy_json) \
         GROUP BY 1",
    ),
    ask(
        "simulation_checkpoints",
        "checkpoints have a `state_hash` or `config_hash` that is not that of its text",
        "SELECT simulation_id, count(*) FROM simulation_checkpoints \
         WHERE state_hash <> sha256(state_json) OR config_hash <> sha256(config_json) GROUP BY 1",
    ),
];

impl Reader {
    /// Tables, views and columns that are not as the layout says.
    pub(super) fn layout_defects(&self) -> Result<Vec<Defect>, PersistenceError> {
        let rows: Vec<(String, String, String)> = self.list(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() \
             WHERE database_name = current_database() AND schema_name = 'main' AND NOT internal",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        let mut found: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (table, column, kind) in rows {
            found.entry(table).or_default().insert(column, kind);
        }
        let tables = schema::TABLES.iter().map(|table| (table.name, table.columns));
        let views = schema::VIEWS.iter().map(|view| (view.name, view.columns));
        let mut defects = Vec::new();
        for (name, columns) in tables.chain(views) {
            let Some(stored) = found.get(name) else {
                defects.push(Defect::new(name, None, "is missing"));
                continue;
            };
            for column in columns {
                let message = match stored.get(column.name) {
                    None => format!("column `{}` is missing", column.name),
                    Some(kind) if kind != column.kind.sql() => {
                        format!("column `{}` is {kind}, not {}", column.name, column.kind.sql())
                    }
                    Some(_) => continue,
                };
                defects.push(Defect::new(name, None, message));
            }
        }
        Ok(defects)
    }

    /// What is wrong between the tables.
    pub(super) fn table_defects(&self, depth: CheckDepth) -> Result<Vec<Defect>, PersistenceError> {
        let mut defects = Vec::new();
        let orphans = |table: &str, owner: &str, key: &str| {
            format!("SELECT {key}, count(*) FROM {table} ANTI JOIN {owner} USING ({key}) GROUP BY 1")
        };
        for table in SIMULATION_TABLES {
            let query = orphans(table, "simulations", "simulation_id");
            defects.extend(self.answers(table, "rows of a simulation that does not exist", &query)?);
        }
        for table in RUN_TABLES.iter().filter(|table| **table != "experiments") {
            let query = orphans(table, "experiments", "run_id");
            defects.extend(self.answers(table, "rows of a run that does not exist", &query)?);
        }
        for (table, key) in UNIQUE {
            let query = format!(
                "SELECT simulation_id, sum(surplus)::BIGINT FROM \
                 (SELECT simulation_id, count(*) - 1 AS surplus FROM {table} \
                 GROUP BY simulation_id, {key} HAVING count(*) > 1) GROUP BY 1"
            );
            defects.extend(self.answers(table, "rows are stored more than once", &query)?);
        }
        let digests = if depth == CheckDepth::Full { DIGESTS } else { &[] };
        for question in QUESTIONS.iter().chain(digests) {
            defects.extend(self.answers(question.table, question.wrong, question.query)?);
        }
        Ok(defects)
    }

    fn answers(&self, table: &str, wrong: &str, query: &str) -> Result<Vec<Defect>, PersistenceError> {
        let rows: Vec<(String, i64)> =
            self.list(&format!("{query} ORDER BY 1"), [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        // Of a row that is one by its key the number says nothing.
        let single = matches!(table, "simulations" | "experiments");
        let message = |number: i64| if single { wrong.to_owned() } else { format!("{number} {wrong}") };
        Ok(rows.into_iter().map(|(id, number)| Defect::new(table, Some(&id), message(number))).collect())
    }
}
