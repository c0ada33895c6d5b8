//! The tables against their layout and against each other: a list of questions, each of which finds rows
//! only where something does not hold.

use std::collections::BTreeMap;

use super::{CheckDepth, Defect};
use crate::persistence::schema::{self, RUN_TABLES, SIMULATION_TABLES};
use crate::persistence::{PersistenceError, Purpose, Reader, Status};

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

/// What a column has to name where it is not NULL.
#[derive(Clone, Copy)]
struct Reference {
    table: &'static str,
    column: &'static str,
    /// The column by which the rows are told.
    told: &'static str,
    /// The table and its column that it leads to.
    owner: (&'static str, &'static str),
    wrong: &'static str,
}

const SIMULATION: (&str, &str) = ("simulations", "simulation_id");
const RUN: (&str, &str) = ("experiments", "run_id");

/// Rows of a simulation lead to it, rows of a run to theirs.
const OWNERS: &[(&[&str], (&str, &str), &str)] = &[
    (SIMULATION_TABLES, SIMULATION, "rows of a simulation that does not exist"),
    (RUN_TABLES, RUN, "rows of a run that does not exist"),
];

/// What else leads to them.
const REFERENCES: &[Reference] = &[
    Reference {
        table: "simulations",
        column: "experiment_run_id",
        told: "simulation_id",
        owner: RUN,
        wrong: "belongs to a run that does not exist",
    },
    Reference {
        table: "sweep_points",
        column: "simulation_id",
        told: "run_id",
        owner: SIMULATION,
        wrong: "points name simulations that do not exist",
    },
    Reference {
        table: "bookmarks",
        column: "simulation_id",
        told: "simulation_id",
        owner: SIMULATION,
        wrong: "bookmarks lead to a simulation that does not exist",
    },
    Reference {
        table: "bookmarks",
        column: "experiment_run_id",
        told: "experiment_run_id",
        owner: RUN,
        wrong: "bookmarks lead to a run that does not exist",
    },
];

/// Rows without a key that are unique by construction: table and the columns that make them so.
const UNIQUE: &[(&str, &str)] = &[
    ("transactions", "tx_id"),
    ("daily_agent_metrics", "agent_id, day"),
    ("policy_snapshots", "agent_id, snapshot_tick"),
    ("replay_snapshots", "tick"),
];

/// A column of few words: table, its key, the column, whether it may hold a word.
type Worded = (&'static str, &'static str, &'static str, fn(&str) -> bool);

const WORDS: &[Worded] = &[
    ("simulations", "simulation_id", "status", is_status),
    ("simulations", "simulation_id", "experiment_purpose", is_purpose),
    ("experiments", "run_id", "status", is_status),
];

fn is_status(word: &str) -> bool {
    Status::find(word).is_some()
}

fn is_purpose(word: &str) -> bool {
    Purpose::find(word).is_some_and(|purpose| purpose != Purpose::Cli)
}

/// Columns with the digest of another one: table, digest, text.
const DIGESTS: &[(&str, &str, &str)] = &[
    ("simulations", "config_hash", "config_json"),
    ("policy_snapshots", "policy_hash", "policy_json"),
    ("simulation_checkpoints", "state_hash", "state_json"),
    ("simulation_checkpoints", "config_hash", "config_json"),
];

/// What holds in one place only.
const QUESTIONS: &[Question] = &[
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
        let mut defects = self.reference_defects()?;
        for (table, key) in UNIQUE {
            let query = format!(
                "SELECT simulation_id, sum(surplus)::BIGINT FROM \
                 (SELECT simulation_id, count(*) - 1 AS surplus FROM {table} \
                 GROUP BY simulation_id, {key} HAVING count(*) > 1) GROUP BY 1"
            );
            defects.extend(self.answers(table, "rows are stored more than once", &query)?);
        }
        for (table, key, column, is_known) in WORDS {
            let query = format!("SELECT {key}, {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY 1");
            let rows: Vec<(String, String)> = self.list(&query, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let unknown = rows.iter().filter(|(_, word)| !is_known(word));
            let wrong = format!("has a `{column}` that is none");
            defects.extend(unknown.map(|(id, _)| Defect::new(table, Some(id), &*wrong)));
        }
        let digests = if depth == CheckDepth::Full { DIGESTS } else { &[] };
        for (table, digest, text) in digests {
            let query = format!(
                "SELECT simulation_id, count(*) FROM {table} WHERE {digest} <> sha256({text}) GROUP BY 1"
            );
            let have = if is_one_by_its_key(table) { "has" } else { "rows have" };
            let wrong = format!("{have} a `{digest}` that is not that of `{text}`");
            defects.extend(self.answers(table, &wrong, &query)?);
        }
        for question in QUESTIONS {
            defects.extend(self.answers(question.table, question.wrong, question.query)?);
        }
        Ok(defects)
    }

    /// What leads to a simulation or run that is not there.
    fn reference_defects(&self) -> Result<Vec<Defect>, PersistenceError> {
        let owned = OWNERS.iter().flat_map(|(tables, owner, wrong)| {
            let of_others = tables.iter().filter(|table| **table != owner.0);
            of_others.map(|table| Reference { table, column: owner.1, told: owner.1, owner: *owner, wrong })
        });
        let mut defects = Vec::new();
        for reference in owned.chain(REFERENCES.iter().copied()) {
            let Reference { table, column, told, owner: (owner, key), wrong } = reference;
            let query = format!(
                "SELECT {told}, count(*) FROM {table} ANTI JOIN \
                 (SELECT {key} AS {column} FROM {owner}) USING ({column}) \
                 WHERE {column} IS NOT NULL GROUP BY 1"
            );
            defects.extend(self.answers(table, wrong, &query)?);
        }
        Ok(defects)
    }

    fn answers(&self, table: &str, wrong: &str, query: &str) -> Result<Vec<Defect>, PersistenceError> {
        let rows: Vec<(String, i64)> =
            self.list(&format!("{query} ORDER BY 1"), [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        // Of a row that is one by its key the number says nothing.
        let single = is_one_by_its_key(table);
        let message = |number: i64| if single { wrong.to_owned() } else { format!("{number} {wrong}") };
        Ok(rows.into_iter().map(|(id, number)| Defect::new(table, Some(&id), message(number))).collect())
    }
}

fn is_one_by_its_key(table: &str) -> bool {
    [SIMULATION.0, RUN.0].contains(&table)
}
