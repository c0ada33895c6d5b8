//! What came out of a sweep: mean and standard error per point and figure (spec 07, 18.1).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::figures::{Figure, Unit};
use crate::money::Cents;
use crate::persistence::{SweepPoint, SweepPointRow, SweepPointStatus};

/// The rows of a sweep, whether they were read or just made.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    point: u32,
    settings: &'a str,
    status: SweepPointStatus,
    figures: Option<&'a str>,
}

impl<'a> From<&'a SweepPointRow> for Record<'a> {
    fn from(row: &'a SweepPointRow) -> Self {
        Self {
            point: row.point,
            settings: &row.settings,
            status: SweepPointStatus::find(&row.status).unwrap_or(SweepPointStatus::Pending),
            figures: row.figures.as_deref(),
        }
    }
}

impl<'a> From<&'a SweepPoint> for Record<'a> {
    fn from(row: &'a SweepPoint) -> Self {
        Self {
            point: row.point,
            settings: &row.settings,
            status: row.status,
            figures: row.figures.as_deref(),
        }
    }
}

/// The mean of a figure over the repetitions of a point.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Estimate {
    /// Mean.
    pub mean: f64,
    /// Standard error of the mean; `None` for fewer than two repetitions.
    pub error: Option<f64>,
}

/// A point with what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct PointSummary {
    /// Number of the combination, from 0.
    pub point: u32,
    /// What was varied to its value.
    pub settings: Map<String, Value>,
    /// Runs that ended well.
    pub completed: usize,
    /// Runs that failed.
    pub failed: usize,
    /// Runs that are still to come.
    pub pending: usize,
    /// Why the first of the failed ones did.
    pub error: Option<String>,
    /// For each figure that was asked for; `None` while no run has completed.
    pub estimates: Vec<Option<Estimate>>,
}

/// The points of a sweep in order, with estimates of some figures.
pub fn summarise<'a>(records: impl IntoIterator<Item = Record<'a>>, metrics: &[Figure]) -> Vec<PointSummary> {
    let mut points: BTreeMap<u32, (PointSummary, Vec<Vec<f64>>)> = BTreeMap::new();
    for record in records {
        let (summary, values) =
            points.entry(record.point).or_insert_with(|| (record.summary(), vec![Vec::new(); metrics.len()]));
        let figures: Value =
            record.figures.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        match record.status {
            SweepPointStatus::Pending => summary.pending += 1,
            SweepPointStatus::Failed => {
                summary.failed += 1;
                let error = figures["error"].as_str().map(str::to_owned);
                summary.error = summary.error.take().or(error);
            }
            SweepPointStatus::Completed => {
                summary.completed += 1;
                for (figure, values) in metrics.iter().zip(values) {
                    values.extend(figures[figure.name()].as_f64());
                }
            }
        }
    }
    let finished = points.into_values().map(|(summary, values)| PointSummary {
        estimates: values.iter().map(|values| Estimate::of(values)).collect(),
        ..summary
    });
    finished.collect()
}

impl Record<'_> {
    fn summary(&self) -> PointSummary {
        PointSummary {
            point: self.point,
            settings: serde_json::from_str(self.settings).unwrap_or_default(),
            completed: 0,
            failed: 0,
            pending: 0,
            error: None,
            estimates: Vec::new(),
        }
    }
}

impl Estimate {
    /// Mean and standard error of some values; `None` without any.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let error = (values.len() > 1).then(|| (squares / (count - 1.0) / count).sqrt());
        Some(Self { mean, error })
    }
}

impl PointSummary {
    /// For programs: settings, counts, and each figure with its standard error.
    #[must_use]
    pub fn to_json(&self, metrics: &[Figure]) -> Value {
        let figures: Map<String, Value> = metrics
            .iter()
            .zip(&self.estimates)
            .filter_map(|(figure, estimate)| {
                let Estimate { mean, error } = (*estimate)?;
                Some((figure.name().to_owned(), json!({"mean": mean, "standard_error": error})))
            })
            .collect();
        json!({
            "point": self.point, "settings": self.settings, "completed": self.completed,
            "failed": self.failed, "pending": self.pending, "error": self.error, "figures": figures,
        })
    }

    /// `3 of 5`, with what failed.
    #[must_use]
    pub fn progress(&self) -> String {
        let all = self.completed + self.failed + self.pending;
        let failed = if self.failed > 0 { format!(", {} failed", self.failed) } else { String::new() };
        format!("{} of {all}{failed}", self.completed)
    }
}

/// A value of an axis as a table shows it: a policy by its file or its type, anything else as JSON.
#[must_use]
pub fn setting(value: &Value) -> String {
    let named = value.get("json_path").or_else(|| value.pointer("/decision_trees/policy_id"));
    let text = named.or_else(|| value.get("type")).unwrap_or(value);
    text.as_str().map_or_else(|| text.to_string(), str::to_owned)
}

/// An estimate as a table shows it: `12.30 ± 0.45`; money in currency units, shares in percent.
#[must_use]
pub fn shown(figure: Figure, estimate: Option<Estimate>) -> String {
    let Some(Estimate { mean, error }) = estimate else { return "–".to_owned() };
    let number = |value: f64| match figure.unit() {
        Unit::Money => Cents(value.round() as i64).dollars(),
        Unit::Share => format!("{:.2}%", value * 100.0),
        Unit::Ticks | Unit::Count => format!("{value:.2}"),
    };
    match error {
        Some(error) => format!("{} ± {}", number(mean), number(error)),
        None => number(mean),
    }
}

/// The figures that a recorded sweep tabulates, from its `config`.
#[must_use]
pub fn metrics_of(config: &str) -> Vec<Figure> {
    let config: Value = serde_json::from_str(config).unwrap_or_default();
    let names = config["sweep"]["metrics"].as_array().map(Vec::as_slice).unwrap_or_default();
    names.iter().filter_map(|name| Figure::find(name.as_str()?)).collect()
}
