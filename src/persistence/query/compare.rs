//! Two simulations side by side (spec 06, 5.4).

use std::collections::{BTreeMap, BTreeSet};

use duckdb::params;
use serde_json::Value;

use super::Reader;
use super::types::{BankDayDifference, Divergence, EventRow, SimulationComparison, SimulationSummary};
use crate::document;
use crate::persistence::PersistenceError;

/// Keys of an experiment file that the recorded configuration does not repeat.
const OF_THE_FILE: &[&str] = &["policy_constraints", "llm", "prompt_customization"];

/// A key path with its value in a and in b, as JSON; `None` where absent.
pub type DifferingSetting = (String, Option<String>, Option<String>);

/// Events that are compared at once by their hash.
const CHUNK: u64 = 65_536;

impl Reader {
    /// What two simulations differ in: settings and figures.
    ///
    /// # Errors
    ///
    /// One of them does not exist; see [`Reader::simulations`].
    pub fn compare(&self, a: &str, b: &str) -> Result<SimulationComparison, PersistenceError> {
        let (summary_a, summary_b) = (self.known(a)?, self.known(b)?);
        let settings = differing(&self.settings(a)?, &self.settings(b)?);
        let differences = figures(&summary_a)
            .into_iter()
            .zip(figures(&summary_b))
            .map(|((name, of_a), (_, of_b))| (name, of_b - of_a))
            .collect();
        Ok(SimulationComparison { settings, a: summary_a, b: summary_b, differences })
    }

    /// The settings in which two runs of experiments differ: key path, value in a, value in b, as JSON.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn compare_runs(&self, a: &str, b: &str) -> Result<Vec<DifferingSetting>, PersistenceError> {
        let (a, b) = (self.run_settings(a)?, self.run_settings(b)?);
        Ok(differing(&a, &b))
    }

    /// The experiment, its files and its scenario as one tree of settings; its results are none.
    fn run_settings(&self, id: &str) -> Result<BTreeMap<String, String>, PersistenceError> {
        let mut settings = BTreeMap::new();
        let Some(row) = self.experiment(id)? else { return Ok(settings) };
        for (path, text) in
            [("", &row.config), ("scenario", &row.scenario_json), ("files", &row.experiment_files)]
        {
            let mut value: Value = serde_json::from_str(text).unwrap_or_default();
            if let Some(members) = value.as_object_mut() {
                members.retain(|key, _| !is_result(key));
            }
            flatten(path, &value, &mut settings);
        }
        let file = document::parse_yaml(&row.experiment_text).map(|file| file.to_json()).unwrap_or_default();
        for key in OF_THE_FILE {
            file.get(key).into_iter().for_each(|value| flatten(key, value, &mut settings));
        }
        settings.insert("engine_version".to_owned(), Value::from(row.engine_version).to_string());
        Ok(settings)
    }

    fn known(&self, id: &str) -> Result<SimulationSummary, PersistenceError> {
        self.summary(id)?.ok_or_else(|| self.database.unknown_simulation(id))
    }

    fn settings(&self, id: &str) -> Result<BTreeMap<String, String>, PersistenceError> {
        let text = self.config_json(id)?.unwrap_or_default();
        let config = serde_json::from_str(&text).map_err(|error| PersistenceError::Corrupt {
            what: format!("scenario of simulation `{id}`"),
            reason: error.to_string(),
        })?;
        let mut settings = BTreeMap::new();
        flatten("", &config, &mut settings);
        Ok(settings)
    }

    /// The first event in which two simulations differ; nothing if they are equal.
    ///
    /// # Errors
    ///
    /// One of them does not exist; see [`Reader::simulations`].
    pub fn first_divergence(&self, a: &str, b: &str) -> Result<Option<Divergence>, PersistenceError> {
        let (known_a, known_b) = (self.known(a)?, self.known(b)?);
        if known_a.row.event_digest == known_b.row.event_digest {
            return Ok(None);
        }
        let (chunks_a, chunks_b) = (self.chunks(a)?, self.chunks(b)?);
        let chunks: BTreeSet<u64> = chunks_a.keys().chain(chunks_b.keys()).copied().collect();
        let Some(chunk) = chunks.into_iter().find(|chunk| chunks_a.get(chunk) != chunks_b.get(chunk)) else {
            return Ok(None);
        };
        let sequence: Option<Option<u64>> = self.one(
            "WITH a AS (SELECT * FROM simulation_events WHERE simulation_id = ? AND sequence \
             BETWEEN ? AND ?), \
             b AS (SELECT * FROM simulation_events WHERE simulation_id = ? AND sequence BETWEEN ? AND ?) \
             SELECT min(sequence) FROM a FULL JOIN b USING (sequence) \
             WHERE a.tick IS DISTINCT FROM b.tick OR a.event_type IS DISTINCT FROM b.event_type \
             OR a.agent_id IS DISTINCT FROM b.agent_id OR a.tx_id IS DISTINCT FROM b.tx_id \
             OR a.details IS DISTINCT FROM b.details",
            params![a, chunk * CHUNK, chunk * CHUNK + CHUNK - 1, b, chunk * CHUNK, chunk * CHUNK + CHUNK - 1],
            |row| row.get(0),
        )?;
        let Some(sequence) = sequence.flatten() else { return Ok(None) };
        let (a, b): (Option<EventRow>, Option<EventRow>) =
            (self.event(a, sequence)?, self.event(b, sequence)?);
        Ok(Some(Divergence { sequence, a, b }))
    }

    /// A hash of every stretch of events, so that equal beginnings are found without a join.
    fn chunks(&self, id: &str) -> Result<BTreeMap<u64, (u64, u64)>, PersistenceError> {
        let rows = self.list(
            "SELECT sequence // ?, count(*), bit_xor(hash(sequence, tick, event_type, agent_id, \
             tx_id, details)) \
             FROM simulation_events WHERE simulation_id = ? GROUP BY 1",
            params![CHUNK, id],
            |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))),
        )?;
        Ok(rows.into_iter().collect())
    }

    /// The costs of a bank in two simulations by day and kind.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn compare_bank(
        &self,
        a: &str,
        b: &str,
        bank: &str,
    ) -> Result<Vec<BankDayDifference>, PersistenceError> {
        let mut rows: BTreeMap<u64, [[i64; 7]; 2]> = BTreeMap::new();
        for (side, id) in [a, b].into_iter().enumerate() {
            for day in self.cost_trend(id, Some(bank))? {
                rows.entry(day.day).or_default()[side] = [
                    day.liquidity_cost,
                    day.delay_cost,
                    day.collateral_cost,
                    day.deadline_penalty_cost,
                    day.split_friction_cost,
                    day.liquidity_opportunity_cost,
                    day.total_cost,
                ];
            }
        }
        let kinds = [
            "liquidity_cost",
            "delay_cost",
            "collateral_cost",
            "deadline_penalty",
            "split_friction_cost",
            "liquidity_opportunity_cost",
            "total_cost",
        ];
        let of_day = |(day, [a, b]): (u64, [[i64; 7]; 2])| {
            kinds.into_iter().zip(a).zip(b).map(move |((kind, cost_a), cost_b)| BankDayDifference {
                day,
                kind: kind.to_owned(),
                cost_a,
                cost_b,
                difference: cost_b.saturating_sub(cost_a),
            })
        };
        Ok(rows.into_iter().flat_map(of_day).collect())
    }
}

/// Whether the end of a run adds this key to its settings.
fn is_result(key: &str) -> bool {
    key.starts_with("final_") || key.starts_with("best_") || key == "baselines"
}

fn figures(summary: &SimulationSummary) -> Vec<(&'static str, f64)> {
    vec![
        ("total_cost_cents", summary.total_cost_cents as f64),
        ("total_transactions", summary.total_transactions as f64),
        ("total_settlements", summary.total_settlements as f64),
        ("settlement_rate", summary.settlement_rate),
        ("total_lsm_releases", summary.total_lsm_releases as f64),
        ("total_volume", summary.total_volume as f64),
        ("avg_daily_cost", summary.avg_daily_cost),
        ("avg_delay_ticks", summary.avg_delay_ticks),
        ("max_delay_ticks", summary.max_delay_ticks as f64),
        ("peak_overdraft", summary.peak_overdraft as f64),
    ]
}

/// Every leaf with its path; what is null is not set. Members of lists that have an `id` go by it.
fn flatten(path: &str, value: &Value, out: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (key, member) in members {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(&path, member, out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (position, item) in items.iter().enumerate() {
                let id = item.get("id").and_then(Value::as_str);
                let name = id.map_or_else(|| position.to_string(), str::to_owned);
                flatten(&format!("{path}[{name}]"), item, out);
            }
        }
        Value::Null => {}
        leaf => {
            out.insert(path.to_owned(), leaf.to_string());
        }
    }
}

fn differing(a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) -> Vec<DifferingSetting> {
    let paths: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    paths
        .into_iter()
        .filter(|path| a.get(*path) != b.get(*path))
        .map(|path| (path.clone(), a.get(path).cloned(), b.get(path).cloned()))
        .collect()
}
