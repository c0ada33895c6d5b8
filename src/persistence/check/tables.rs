//! The tables against their layout, what leads from one to another, and what a column may hold.

use std::collections::BTreeMap;

use duckdb::Connection;

use super::{CheckDepth, Defect};
use crate::money::counted;
use crate::persistence::schema::{self, RUN_TABLES, SIMULATION_TABLES};
use crate::persistence::writer::CheckpointReason;
use crate::persistence::{PersistenceError, PolicyAuthor, Purpose, Reader, Status, SweepPointStatus};

/// A question to one table: it gives an id and a number of rows for everything that is wrong, and the first
/// of these rows where that helps.
pub(super) struct Question {
    pub table: &'static str,
    /// What the rows are. Of a table with one row per id the number says nothing, so that it is empty.
    pub thing: &'static str,
    /// What is wrong with them; stands behind their number.
    pub wrong: &'static str,
    pub query: &'static str,
}

/// A question whose rows are counted.
pub(super) const fn ask(
    table: &'static str,
    thing: &'static str,
    wrong: &'static str,
    query: &'static str,
) -> Question {
    Question { table, thing, wrong, query }
}

/// A question to a table with one row per id.
pub(super) const fn ask_one(table: &'static str, wrong: &'static str, query: &'static str) -> Question {
    Question { table, thing: "", wrong, query }
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
    thing: &'static str,
    wrong: &'static str,
}

const SIMULATION: (&str, &str) = ("simulations", "simulation_id");
const RUN: (&str, &str) = ("experiments", "run_id");

/// Rows of a simulation lead to it, rows of a run to theirs.
const OWNERS: &[(&[&str], (&str, &str), &str)] = &[
    (SIMULATION_TABLES, SIMULATION, "of a simulation that does not exist"),
    (RUN_TABLES, RUN, "of a run that does not exist"),
];

/// What else leads to them.
const REFERENCES: &[Reference] = &[
    Reference {
        table: "simulations",
        column: "experiment_run_id",
        told: "simulation_id",
        owner: RUN,
        thing: "",
        wrong: "belongs to a run that does not exist",
    },
    Reference {
        table: "sweep_points",
        column: "simulation_id",
        told: "run_id",
        owner: SIMULATION,
        thing: "point",
        wrong: "of a simulation that does not exist",
    },
    Reference {
        table: "bookmarks",
        column: "simulation_id",
        told: "simulation_id",
        owner: SIMULATION,
        thing: "bookmark",
        wrong: "on a simulation that does not exist",
    },
    Reference {
        table: "bookmarks",
        column: "experiment_run_id",
        told: "experiment_run_id",
        owner: RUN,
        thing: "bookmark",
        wrong: "on a run that does not exist",
    },
];

/// Rows without a key that are unique by construction: table and the columns that make them so.
const UNIQUE: &[(&str, &str)] = &[
    ("transactions", "tx_id"),
    ("daily_agent_metrics", "agent_id, day"),
    ("policy_snapshots", "agent_id, snapshot_tick"),
    ("replay_snapshots", "tick"),
];

/// A column of few words: table, the column by which its rows are told, the column, whether it may hold a
/// word.
type Worded = (&'static str, &'static str, &'static str, fn(&str) -> bool);

const WORDS: &[Worded] = &[
    ("simulations", "simulation_id", "status", is_status),
    ("simulations", "simulation_id", "experiment_purpose", is_purpose),
    ("policy_snapshots", "simulation_id", "created_by", is_author),
    ("simulation_checkpoints", "simulation_id", "checkpoint_type", is_reason),
    ("experiments", "run_id", "status", is_status),
    ("experiments", "run_id", "experiment_type", |word| ["generic", "sweep"].contains(&word)),
    ("sweep_points", "run_id", "status", |word| SweepPointStatus::find(word).is_some()),
];

fn is_status(word: &str) -> bool {
    Status::find(word).is_some()
}

fn is_purpose(word: &str) -> bool {
    Purpose::find(word).is_some_and(|purpose| purpose != Purpose::Cli)
}

fn is_author(word: &str) -> bool {
    PolicyAuthor::ALL.iter().any(|author| author.name() == word)
}

fn is_reason(word: &str) -> bool {
    CheckpointReason::ALL.iter().any(|reason| reason.name() == word)
}

/// Columns with the digest of another one: table, digest, text.
const DIGESTS: &[(&str, &str, &str)] = &[
    ("simulations", "config_hash", "config_json"),
    ("policy_snapshots", "policy_hash", "policy_json"),
    ("simulation_checkpoints", "state_hash", "state_json"),
    ("simulation_checkpoints", "config_hash", "config_json"),
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

    /// Views that another query stands behind.
    pub(super) fn view_defects(&self) -> Result<Vec<Defect>, PersistenceError> {
        const VIEWS: &str = "SELECT view_name, sql FROM duckdb_views() WHERE NOT internal \
             AND database_name = current_database() AND schema_name = 'main' ORDER BY 1";
        let stored: Vec<(String, String)> = self.list(VIEWS, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let new = Connection::open_in_memory()?;
        new.execute_batch(&schema::sql())?;
        let mut statement = new.prepare(VIEWS)?;
        let wanted = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let wanted: BTreeMap<String, String> = wanted.collect::<duckdb::Result<_>>()?;
        let others = stored.iter().filter(|(name, sql)| wanted.get(name).is_some_and(|wanted| wanted != sql));
        Ok(others.map(|(name, _)| Defect::new(name, None, "shows something else than it should")).collect())
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
            defects.extend(self.answers(table, "row", "stored more than once", &query)?);
        }
        for word in WORDS {
            defects.extend(self.word_defects(word)?);
        }
        let digests = if depth == CheckDepth::Full { DIGESTS } else { &[] };
        for (table, digest, text) in digests {
            let query = format!(
                "SELECT simulation_id, count(*) FROM {table} WHERE {digest} <> sha256({text}) GROUP BY 1"
            );
            let (thing, has) = if *table == SIMULATION.0 { ("", "has") } else { ("row", "with") };
            let wrong = format!("{has} a `{digest}` that is not that of `{text}`");
            defects.extend(self.answers(table, thing, &wrong, &query)?);
        }
        Ok(defects)
    }

    /// The answers to a list of questions.
    pub(super) fn asked(&self, questions: &[Question]) -> Result<Vec<Defect>, PersistenceError> {
        let mut defects = Vec::new();
        for Question { table, thing, wrong, query } in questions {
            defects.extend(self.answers(table, thing, wrong, query)?);
        }
        Ok(defects)
    }

    /// Words that are none of those a column may hold.
    fn word_defects(&self, worded: &Worded) -> Result<Vec<Defect>, PersistenceError> {
        let (table, key, column, is_known) = worded;
        let query = format!(
            "SELECT {key}, {column}, count(*) FROM {table} WHERE {column} IS NOT NULL \
             GROUP BY ALL ORDER BY ALL"
        );
        let rows: Vec<(String, String, u64)> =
            self.list(&query, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let is_single = [SIMULATION.0, RUN.0].contains(table);
        let message = |word: &str, number: u64| {
            let rows = if is_single { "has".to_owned() } else { format!("{} with", counted(number, "row")) };
            format!("{rows} a `{column}` that is none: `{word}`")
        };
        let unknown = rows.iter().filter(|(_, word, _)| !is_known(word));
        Ok(unknown.map(|(id, word, number)| Defect::new(table, Some(id), message(word, *number))).collect())
    }

    /// What leads to a simulation or run that is not there.
    fn reference_defects(&self) -> Result<Vec<Defect>, PersistenceError> {
        let owned = OWNERS.iter().flat_map(|(tables, owner, wrong)| {
            let of_others = tables.iter().filter(|table| **table != owner.0);
            let (column, thing) = (owner.1, "row");
            of_others.map(move |table| Reference { table, column, told: column, owner: *owner, thing, wrong })
        });
        let mut defects = Vec::new();
        for reference in owned.chain(REFERENCES.iter().copied()) {
            let Reference { table, column, told, owner: (owner, key), thing, wrong } = reference;
            let query = format!(
                "SELECT {told}, count(*) FROM {table} ANTI JOIN \
                 (SELECT {key} AS {column} FROM {owner}) USING ({column}) \
                 WHERE {column} IS NOT NULL GROUP BY 1"
            );
            defects.extend(self.answers(table, thing, wrong, &query)?);
        }
        Ok(defects)
    }

    fn answers(
        &self,
        table: &str,
        thing: &str,
        wrong: &str,
        query: &str,
    ) -> Result<Vec<Defect>, PersistenceError> {
        self.list(&format!("{query} ORDER BY 1"), [], |row| {
            let id: String = row.get(0)?;
            let mut message = match thing {
                "" => wrong.to_owned(),
                _ => format!("{} {wrong}", counted(row.get(1)?, thing)),
            };
            if row.as_ref().column_count() > 2
                && let Some(first) = row.get::<_, Option<String>>(2)?
            {
                message.push_str(&format!("; first {first}"));
            }
            Ok(Defect::new(table, Some(&id), message))
        })
    }
}
