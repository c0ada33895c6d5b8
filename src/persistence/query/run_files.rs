//! What a run recorded as files for other programs, a file for each kind of row (spec 07, 18).

use std::path::Path;

use super::Reader;
use crate::persistence::PersistenceError;

/// A kind of row that belongs to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunPart {
    /// Its iterations.
    Iterations,
    /// Its comparisons.
    Evaluations,
    /// The samples of its comparisons.
    Samples,
    /// Its stored simulations.
    Simulations,
    /// The events of its stored simulations.
    Events,
}

/// Form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileForm {
    /// Comma-separated values with a head line.
    Csv,
    /// A JSON object a line.
    Jsonl,
    /// Parquet.
    Parquet,
}

impl RunPart {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Iterations => "iterations",
            Self::Evaluations => "evaluations",
            Self::Samples => "samples",
            Self::Simulations => "simulations",
            Self::Events => "events",
        }
    }

    /// The rows of a run, whose id is quoted already.
    fn query(self, run: &str) -> String {
        match self {
            Self::Iterations => {
                format!("SELECT * FROM experiment_iterations WHERE run_id = {run} ORDER BY iteration")
            }
            Self::Evaluations => {
                format!("SELECT * FROM policy_evaluations WHERE run_id = {run} ORDER BY iteration, agent_id")
            }
            Self::Samples => format!(
                "SELECT run_id, iteration, agent_id, s.index AS sample, s.seed AS seed, \
                 s.old_cost AS old_cost, s.new_cost AS new_cost, s.delta AS delta \
                 FROM (SELECT run_id, iteration, agent_id, unnest(from_json(sample_details, \
                 '[{{\"index\": \"INTEGER\", \"seed\": \"UBIGINT\", \"old_cost\": \"BIGINT\", \
                 \"new_cost\": \"BIGINT\", \"delta\": \"BIGINT\"}}]')) AS s FROM policy_evaluations \
                 WHERE run_id = {run} AND sample_details IS NOT NULL) ORDER BY iteration, agent_id, sample"
            ),
            Self::Simulations => format!(
                "SELECT * FROM simulations WHERE experiment_run_id = {run} ORDER BY started_at, simulation_id"
            ),
            Self::Events => format!(
                "SELECT simulation_events.* FROM simulation_events JOIN simulations USING (simulation_id) \
                 WHERE experiment_run_id = {run} ORDER BY simulation_id, sequence"
            ),
        }
    }
}

impl FileForm {
    /// How names of its files end.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Parquet => "parquet",
        }
    }

    const fn options(self) -> &'static str {
        match self {
            Self::Csv => "FORMAT csv, HEADER",
            Self::Jsonl => "FORMAT json, ARRAY false",
            Self::Parquet => "FORMAT parquet, COMPRESSION zstd",
        }
    }
}

impl Reader {
    /// Writes rows of a run into a file, in order; gives their number. What stood there is replaced.
    ///
    /// # Errors
    ///
    /// A place that cannot be written; see [`Reader::simulations`].
    pub fn export_part(
        &self,
        run_id: &str,
        part: RunPart,
        form: FileForm,
        path: &Path,
    ) -> Result<u64, PersistenceError> {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let (query, place) = (part.query(&quoted(run_id)), quoted(&path.display().to_string()));
        let rows = self.connection.execute(&format!("COPY ({query}) TO {place} ({})", form.options()), [])?;
        Ok(rows as u64)
    }
}
