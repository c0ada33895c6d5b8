//! Two runs side by side: settings that differ, figures by iteration and at the end (spec 07, 18).

use std::collections::{HashMap, VecDeque};

use serde::Serialize;
use serde_json::{Map, Value};

use super::mapping;
use crate::experiment::sweep::figures::Figure;
use crate::experiment::sweep::table::{Estimate, PointSummary, Record, metrics_of, summarise};
use crate::persistence::{ExperimentRow, IterationRow, PersistenceError, Reader, Status};

/// Two runs side by side; differences are b − a.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunComparison {
    /// The first run.
    pub a: ComparedRun,
    /// The second one.
    pub b: ComparedRun,
    /// Settings that differ.
    pub settings: Vec<SettingDifference>,
    /// Iteration by iteration, as long as the longer run.
    pub iterations: Vec<SideBySide>,
    /// The policies at the end.
    pub end: SideBySide,
    /// Of two sweeps: point by point, figure by figure.
    pub points: Vec<ComparedFigure>,
}

/// A figure at one point of two sweeps, as mean over the repetitions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedFigure {
    /// What is varied to its value.
    pub settings: Map<String, Value>,
    /// Which figure.
    #[serde(serialize_with = "figure_name")]
    pub figure: Figure,
    /// In the first sweep.
    pub a: Option<Estimate>,
    /// In the second one.
    pub b: Option<Estimate>,
    /// b − a of the means, where both are known.
    pub difference: Option<f64>,
}

/// One of the runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedRun {
    /// Its id.
    pub run_id: String,
    /// Name of its experiment.
    pub experiment: String,
    /// Where it stands.
    #[serde(serialize_with = "super::status_name")]
    pub status: Status,
    /// Iterations started.
    pub num_iterations: i64,
    /// Whether it converged; `None` for a sweep, which improves nothing.
    pub converged: Option<bool>,
}

/// A setting that the runs do not share; null where one of them has none of this name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SettingDifference {
    /// Path of the setting; those of the scenario begin with `scenario.`.
    pub setting: String,
    /// In the first run.
    pub a: Value,
    /// In the second one.
    pub b: Value,
}

/// What was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Total cost in cents.
    pub cost: Option<i64>,
    /// Settled by all payments.
    pub settlement_rate: Option<f64>,
    /// Mean ticks from arrival to settlement.
    pub avg_delay: Option<f64>,
}

/// The figures of both runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SideBySide {
    /// Of the first run.
    pub a: Figures,
    /// Of the second one.
    pub b: Figures,
    /// b − a, where both are known.
    pub difference: Figures,
}

impl RunComparison {
    /// Compares two recorded runs.
    ///
    /// # Errors
    ///
    /// A run that does not exist, a database that cannot be read.
    pub fn of_runs(reader: &Reader, a: &str, b: &str) -> Result<Self, PersistenceError> {
        let (a, b) = (Recorded::read(reader, a)?, Recorded::read(reader, b)?);
        let rows = a.iterations.len().max(b.iterations.len());
        let figures = |run: &Recorded, at: usize| run.iterations.get(at).map(Figures::of).unwrap_or_default();
        let settings = reader.compare_runs(&a.row.run_id, &b.row.run_id)?.into_iter();
        let json = |text: Option<String>| {
            text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(Value::Null)
        };
        Ok(Self {
            settings: settings
                .map(|(setting, a, b)| SettingDifference { setting, a: json(a), b: json(b) })
                .collect(),
            iterations: (0..rows).map(|at| SideBySide::new(figures(&a, at), figures(&b, at))).collect(),
            end: SideBySide::new(a.end(), b.end()),
            points: compared_points(reader, &a, &b)?,
            a: a.about(),
            b: b.about(),
        })
    }
}

/// The points of two sweeps by their settings, those of the first one first; the figures are those that
/// either tabulates.
fn compared_points(
    reader: &Reader,
    a: &Recorded,
    b: &Recorded,
) -> Result<Vec<ComparedFigure>, PersistenceError> {
    if !a.is_sweep() || !b.is_sweep() {
        return Ok(Vec::new());
    }
    let mut metrics = metrics_of(&a.row.config);
    for figure in metrics_of(&b.row.config) {
        if !metrics.contains(&figure) {
            metrics.push(figure);
        }
    }
    let points = |run: &Recorded| -> Result<Vec<PointSummary>, PersistenceError> {
        let rows = reader.sweep_points(&run.row.run_id)?;
        Ok(summarise(rows.iter().map(Record::from), &metrics))
    };
    let key = |point: &PointSummary| Value::Object(point.settings.clone()).to_string();
    let (of_a, of_b) = (points(a)?, points(b)?);
    let mut places: HashMap<String, VecDeque<usize>> = HashMap::new();
    of_b.iter().enumerate().for_each(|(at, point)| places.entry(key(point)).or_default().push_back(at));
    let mut rest: Vec<Option<PointSummary>> = of_b.into_iter().map(Some).collect();
    let mut pairs: Vec<(Option<PointSummary>, Option<PointSummary>)> = Vec::new();
    for point in of_a {
        let place = places.get_mut(&key(&point)).and_then(VecDeque::pop_front);
        let other = place.and_then(|place| rest[place].take());
        pairs.push((Some(point), other));
    }
    pairs.extend(rest.into_iter().flatten().map(|point| (None, Some(point))));
    let mut rows = Vec::new();
    for (one, other) in &pairs {
        let Some(settings) = one.as_ref().or(other.as_ref()).map(|point| &point.settings) else { continue };
        for (at, figure) in metrics.iter().enumerate() {
            let of = |point: &Option<PointSummary>| point.as_ref()?.estimates[at];
            let (a, b) = (of(one), of(other));
            let difference = a.zip(b).map(|(a, b)| b.mean - a.mean);
            rows.push(ComparedFigure { settings: settings.clone(), figure: *figure, a, b, difference });
        }
    }
    Ok(rows)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls takes references")]
fn figure_name<S: serde::Serializer>(figure: &Figure, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(figure.name())
}

/// What is recorded of a run.
struct Recorded {
    row: ExperimentRow,
    config: Map<String, Value>,
    iterations: Vec<IterationRow>,
}

impl Recorded {
    fn read(reader: &Reader, run_id: &str) -> Result<Self, PersistenceError> {
        let row = reader.experiment(run_id)?.ok_or_else(|| reader.database().unknown_run(run_id))?;
        Ok(Self { config: mapping(&row.config), iterations: reader.iterations(run_id)?, row })
    }

    fn is_sweep(&self) -> bool {
        self.row.experiment_type == "sweep"
    }

    fn about(&self) -> ComparedRun {
        ComparedRun {
            run_id: self.row.run_id.clone(),
            experiment: self.row.experiment_name.clone(),
            status: self.row.status,
            num_iterations: self.row.num_iterations,
            converged: (!self.is_sweep()).then_some(self.row.converged),
        }
    }

    /// Under the policies in force at the end.
    fn end(&self) -> Figures {
        let last = self.iterations.last().map(Figures::of).unwrap_or_default();
        let of = |key: &str| self.config.get(key);
        match of("final_cost").and_then(Value::as_i64) {
            Some(cost) => Figures {
                cost: Some(cost),
                settlement_rate: of("final_settlement_rate").and_then(Value::as_f64),
                avg_delay: of("final_avg_delay").and_then(Value::as_f64),
            },
            None => last,
        }
    }
}

impl Figures {
    const fn of(row: &IterationRow) -> Self {
        Self { cost: Some(row.total_cost), settlement_rate: row.settlement_rate, avg_delay: row.avg_delay }
    }
}

impl SideBySide {
    fn new(a: Figures, b: Figures) -> Self {
        let between = |a: Option<f64>, b: Option<f64>| Some(b? - a?);
        let cost = a.cost.zip(b.cost).map(|(a, b)| b.saturating_sub(a));
        let difference = Figures {
            cost,
            settlement_rate: between(a.settlement_rate, b.settlement_rate),
            avg_delay: between(a.avg_delay, b.avg_delay),
        };
        Self { a, b, difference }
    }
}
