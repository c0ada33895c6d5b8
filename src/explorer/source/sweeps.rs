//! Sweeps, point by point.

use super::super::rows::{PointRow, RunRow, SweepDetail};
use super::DatabaseSource;
use super::runs::{count, run_row};
use crate::experiment::sweep::figures::{Figure, Unit};
use crate::experiment::sweep::table::{self, Estimate, PointSummary, Record};
use crate::persistence::{self as store, PersistenceError};

impl DatabaseSource {
    /// The points of a run; `None` if it is no sweep.
    pub(super) fn sweep(&self, id: &str) -> Result<Option<SweepDetail>, PersistenceError> {
        let experiment = self.reader.experiment(id)?.filter(|row| row.experiment_type == "sweep");
        let (Some(experiment), Some(run)) = (experiment, self.reader.run(id)?) else { return Ok(None) };
        let marks = self.reader.run_marks(&[id.to_owned()])?.pop();
        let progress = self.reader.sweep_progress()?.into_iter().find(|sweep| sweep.run_id == id);
        let figures = table::metrics_of(&experiment.config);
        let points = table::summarise(self.reader.sweep_points(id)?.iter().map(Record::from), &figures);
        Ok(Some(SweepDetail {
            run: as_sweep(run_row(run, marks.as_ref()), progress.as_ref()),
            axes: points.first().map_or_else(Vec::new, |point| point.settings.keys().cloned().collect()),
            figures: figures.iter().map(|figure| figure.name().to_owned()).collect(),
            points: points.into_iter().map(|point| point_row(point, &figures)).collect(),
            reason: experiment.convergence_reason,
        }))
    }
}

/// A sweep has no iterations and nobody who proposes: its runs stand in the place of iterations.
pub(super) fn as_sweep(row: RunRow, progress: Option<&store::SweepProgressRow>) -> RunRow {
    match progress {
        Some(store::SweepProgressRow { ended, runs, .. }) => RunRow {
            mode: "sweep".to_owned(),
            iterations: count(*ended),
            max_iterations: Some(count(*runs)),
            ..row
        },
        None => row,
    }
}

fn point_row(point: PointSummary, figures: &[Figure]) -> PointRow {
    let hundredths = |(figure, estimate): (&Figure, &Option<Estimate>)| {
        let scale = if figure.unit() == Unit::Money { 1.0 } else { 100.0 };
        estimate.map(|estimate| estimate.mean * scale)
    };
    let pairs = || figures.iter().zip(&point.estimates);
    PointRow {
        point: u64::from(point.point),
        settings: point.settings.values().map(table::setting).collect(),
        progress: point.progress(),
        shown: pairs().map(|(figure, estimate)| table::shown(*figure, *estimate)).collect(),
        means: pairs().map(hundredths).collect(),
        failed: point.failed,
        pending: point.pending,
        error: point.error,
    }
}
