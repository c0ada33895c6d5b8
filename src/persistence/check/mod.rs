//! Whether what is stored holds together (spec 06, 7.7): every simulation against its events, every
//! reference between tables, the uniqueness of rows without a key, and what else follows from other rows.
//!
//! The events of a simulation are read page by page in one thread, their digest is made in a second one,
//! and the caller folds them by the code that the writer uses. Nothing grows with their number.

mod checkpoints;
mod expected;
mod questions;
mod runs;
mod simulation;
mod stream;
mod tables;

use std::fmt;

use self::expected::Expected;
use self::simulation::SimulationCheck;
use self::stream::{Part, Stream};
use super::query::row::rows;
use super::{Layout, PersistenceError, Reader};

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defect {
    /// The table.
    pub table: String,
    /// The simulation or run whose rows they are, if they are one's.
    pub id: Option<String>,
    /// What is wrong, in a sentence.
    pub message: String,
}

impl Defect {
    fn new(table: &str, id: Option<&str>, message: impl Into<String>) -> Self {
        Self { table: table.to_owned(), id: id.map(str::to_owned), message: message.into() }
    }
}

/// One line: table, id, what is wrong.
impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            Some(id) => write!(f, "{}, `{id}`: {}", self.table, self.message),
            None => write!(f, "{}: {}", self.table, self.message),
        }
    }
}

/// How deep a check goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckDepth {
    /// Everything.
    Full,
    /// Without digests.
    Quick,
}

/// What a check did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckProgress {
    /// Simulations looked at.
    pub simulations: u64,
    /// Their events.
    pub events: u64,
    /// Events that there are.
    pub all_events: u64,
}

/// Hears of a check what it finds and how far it is.
pub trait CheckObserver {
    /// Something does not hold.
    fn found(&mut self, defect: Defect);
    /// So far it is.
    fn progress(&mut self, progress: CheckProgress);
}

rows! {
    /// A row of `simulations` with its figures, words not yet understood.
    CheckedRow {
        simulation_id: String, config_json: String, rng_seed: u64, ticks_per_day: i64, num_days: i64,
        num_agents: i64, num_ticks: i64, status: String, last_tick: Option<i64>, event_count: i64,
        event_digest: String, total_arrivals: Option<i64>, total_settlements: Option<i64>,
        total_lsm_releases: Option<i64>, total_cost_cents: Option<i64>, arrived_value: Option<i64>,
        settled_value: Option<i64>, queued_value: Option<i64>, dropped_value: Option<i64>,
        avg_delay_ticks: Option<f64>, max_delay_ticks: Option<i64>, peak_overdraft: Option<i64>,
        engine_version: String,
    }
}

impl Reader {
    /// Checks the whole file.
    ///
    /// # Errors
    ///
    /// A file that is not ours; see [`Reader::simulations`]. What is wrong with the rows is no error, the
    /// observer hears of it.
    pub fn check(
        &self,
        depth: CheckDepth,
        observer: &mut dyn CheckObserver,
    ) -> Result<CheckProgress, PersistenceError> {
        if self.database().layout() == Layout::Reference {
            return Err(PersistenceError::Reference(self.database().path().to_owned()));
        }
        let layout = self.layout_defects()?;
        if !layout.is_empty() {
            // Without its tables and columns nothing else can be asked.
            layout.into_iter().for_each(|defect| observer.found(defect));
            return Ok(CheckProgress::default());
        }
        let between = [
            self.view_defects()?,
            self.table_defects(depth)?,
            self.asked(questions::OF_SIMULATIONS)?,
            self.checkpoint_defects()?,
            self.run_defects()?,
            self.asked(questions::OF_THE_USER)?,
        ];
        between.into_iter().flatten().for_each(|defect| observer.found(defect));
        self.check_simulations(depth, observer)
    }

    fn check_simulations(
        &self,
        depth: CheckDepth,
        observer: &mut dyn CheckObserver,
    ) -> Result<CheckProgress, PersistenceError> {
        let ids = self.simulation_ids()?;
        let extents = self.extents()?;
        let all_events = extents.values().map(|extent| extent.count).sum();
        let mut progress = CheckProgress { all_events, ..CheckProgress::default() };
        let stream = Stream::start(self, ids.clone(), extents, depth)?;
        let mut expected = Expected::new(&self.connection)?;
        for id in &ids {
            let Some(row) = self.checked_row(id)? else { continue };
            let snapshots = self.stored_snapshots(id)?;
            let mut check = SimulationCheck::new(row, self.scenario(id), snapshots);
            while let Part::Page(page) = stream.next()? {
                check.page(&page, &mut expected)?;
                progress.events += page.len() as u64;
                observer.progress(progress);
            }
            let digest = stream.digest()?;
            let defects = check.finish(digest.as_deref(), &mut expected)?;
            defects.into_iter().for_each(|defect| observer.found(defect));
            expected.compare_if_many(&mut |defect| observer.found(defect))?;
            progress.simulations += 1;
            observer.progress(progress);
        }
        expected.compare(&mut |defect| observer.found(defect))?;
        Ok(progress)
    }

    fn checked_row(&self, id: &str) -> Result<Option<CheckedRow>, PersistenceError> {
        Ok(self.rows("FROM simulations WHERE simulation_id = ?", [id])?.into_iter().next())
    }
}
