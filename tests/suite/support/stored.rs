//! What a database file holds, looked at by DuckDB itself.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use duckdb::{AccessMode, Config, Connection};
use payment_sim::event::Digest;
use payment_sim::run::{CancelFlag, SimulationRequest, TickReport, simulate};
use payment_sim::scenario::{Format, NoFiles, Overrides, Scenario, read};

/// The tables of simulations with the columns that may differ between two runs of one scenario
/// (spec 06, 2.1), and with what puts their rows in order.
const TABLES: &[(&str, &str)] = &[
    (
        "simulations",
        "simulation_id, config_file, config_name, description, started_at, ended_at, completed_at, \
         duration_seconds, ticks_per_second",
    ),
    ("simulation_events", "simulation_id, created_at, event_id, event_timestamp"),
    ("transactions", "simulation_id"),
    ("daily_agent_metrics", "simulation_id"),
    ("policy_snapshots", "simulation_id"),
    ("replay_snapshots", "simulation_id"),
];

/// The digest of the stored rows of a simulation, as anybody can compute it (spec 06, 2.3).
const DIGEST: &str = r#"SELECT sha256(coalesce(string_agg('{"sequence":' || sequence || ',"event_type":"' ||
    event_type || '","tick":' || tick || coalesce(',"agent_id":' || to_json(agent_id), '') ||
    coalesce(',"tx_id":' || to_json(tx_id), '') ||
    CASE details WHEN '{}' THEN '' ELSE ',' || details[2:-2] END || '}' || chr(10), '' ORDER BY sequence), ''))
    FROM simulation_events WHERE simulation_id = ?"#;

/// A file that nobody else has open.
pub struct Stored(Connection);

/// A simulation as its row says.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub id: String,
    pub status: String,
    pub num_ticks: u64,
    pub last_tick: Option<u64>,
    pub event_count: u64,
    pub digest: String,
    pub config_json: String,
    pub run: Option<String>,
}

impl Stored {
    pub fn read(path: &Path) -> Self {
        let config = Config::default().access_mode(AccessMode::ReadOnly).expect("a setting");
        Self(Connection::open_with_flags(path, config).expect("the file opens"))
    }

    pub fn write(path: &Path) -> Self {
        Self(Connection::open(path).expect("the file opens"))
    }

    /// Changes what is stored.
    pub fn change(&self, statement: &str) {
        let changed = self.0.execute(statement, []).expect("the statement runs");
        assert!(changed > 0, "nothing is changed by {statement}");
    }

    /// The only value of a query.
    pub fn one<T: duckdb::types::FromSql>(&self, query: &str) -> T {
        self.0.query_row(query, [], |row| row.get(0)).expect("one row")
    }

    /// The texts that a query gives.
    pub fn list(&self, query: &str) -> Vec<String> {
        let mut statement = self.0.prepare(query).expect("a statement");
        let rows = statement.query_map([], |row| row.get(0)).expect("rows");
        rows.collect::<duckdb::Result<_>>().expect("texts")
    }

    pub fn rows(&self) -> Vec<Row> {
        let mut statement = self
            .0
            .prepare(
                "SELECT simulation_id, status, num_ticks, last_tick, event_count, event_digest, config_json, \
                 experiment_run_id FROM simulations ORDER BY simulation_id",
            )
            .expect("a statement");
        let rows = statement.query_map([], |row| {
            Ok(Row {
                id: row.get(0)?,
                status: row.get(1)?,
                num_ticks: row.get(2)?,
                last_tick: row.get(3)?,
                event_count: row.get(4)?,
                digest: row.get(5)?,
                config_json: row.get(6)?,
                run: row.get(7)?,
            })
        });
        rows.expect("rows").collect::<duckdb::Result<_>>().expect("rows")
    }

    /// Rows of one simulation that the other does not have, table by table; in none if they are equal.
    pub fn differences(&self, one: &str, other: &str) -> Vec<String> {
        let differing = TABLES.iter().filter_map(|(table, except)| {
            let of =
                |id: &str| format!("SELECT * EXCLUDE ({except}) FROM {table} WHERE simulation_id = '{id}'");
            let (one, other) = (of(one), of(other));
            let more = |one: &str, other: &str| -> i64 {
                self.one(&format!("SELECT count(*) FROM (({one}) EXCEPT ALL ({other}))"))
            };
            let (here, there) = (more(&one, &other), more(&other, &one));
            (here + there > 0).then(|| format!("{table}: {here} rows here, {there} rows there"))
        });
        differing.collect()
    }

    /// Everything of every simulation in one text each, times included.
    pub fn fingerprints(&self) -> BTreeMap<String, String> {
        let tables = TABLES.iter().map(|(table, _)| *table).chain(["simulation_checkpoints"]);
        self.hashes("simulation_id", tables)
    }

    /// Everything of every run of an experiment, without its simulations.
    pub fn run_fingerprints(&self) -> BTreeMap<String, String> {
        let tables = [
            "experiments",
            "experiment_iterations",
            "experiment_events",
            "policy_evaluations",
            "sweep_points",
        ];
        self.hashes("run_id", tables.into_iter())
    }

    /// Number and hash of the rows of each id, table by table.
    fn hashes<'a>(&self, id: &str, tables: impl Iterator<Item = &'a str>) -> BTreeMap<String, String> {
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        for table in tables {
            let query = format!(
                "SELECT {id}, count(*) || ' rows ' || bit_xor(hash(t))::VARCHAR FROM {table} t GROUP BY {id}"
            );
            let mut statement = self.0.prepare(&query).expect("a statement");
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
            for row in rows {
                let (id, hash): (String, String) = row.expect("a row");
                found.entry(id).or_default().push_str(&format!("{table} {hash}\n"));
            }
        }
        found
    }

    /// The digest of the rows that are there.
    pub fn digest(&self, id: &str) -> String {
        self.0.query_row(DIGEST, [id], |row| row.get(0)).expect("a digest")
    }

    /// What is wrong with the events of a simulation, if anything is.
    pub fn fault(&self, row: &Row) -> Option<String> {
        let events = format!("FROM simulation_events WHERE simulation_id = '{}'", row.id);
        let count: u64 = self.one(&format!("SELECT count(*) {events}"));
        let gapless: bool = self.one(&format!(
            "SELECT coalesce(max(sequence) + 1 = count(*) AND min(sequence) = 0, true) {events}"
        ));
        let last: Option<u64> = self.one(&format!("SELECT max(tick) {events}"));
        if count != row.event_count || !gapless || last > row.last_tick {
            return Some(format!("{row:?} has {count} events up to tick {last:?}"));
        }
        let digest = self.digest(&row.id);
        (digest != row.digest).then(|| format!("{row:?} has events with the digest {digest}"))
    }
}

/// The digest of a scenario's events up to a tick, simulated here and now.
pub fn digest_of(config_json: &str, last_tick: Option<u64>) -> String {
    let scenario = scenario_of(config_json);
    let names = scenario.names.clone();
    let mut digest = Digest::default();
    let mut observer = |report: &TickReport<'_>| {
        for (sequence, event) in (report.first_sequence..).zip(report.events) {
            digest.event(sequence, report.tick, event, &names);
        }
    };
    let request = SimulationRequest { scenario, ticks: last_tick.map_or(0, |tick| tick + 1) };
    simulate(&request, None, &mut observer, &CancelFlag::default()).expect("nothing is stored");
    digest.hex()
}

/// A scenario as it is stored.
pub fn scenario_of(config_json: &str) -> Arc<Scenario> {
    let (file, findings) = read(config_json, Format::Json, &Overrides::default(), &NoFiles);
    let file = file.unwrap_or_else(|| panic!("{:?}", findings.errors().next()));
    Arc::new(file.resolve().expect("a scenario"))
}
