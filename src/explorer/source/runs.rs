//! Runs of experiments, iteration by iteration.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::super::message::{Batch, From, Page};
use super::super::rows::{BankInIteration, Exchange, IterationRow, Judgement, RunDetail, RunRow, Verdict};
use super::sweeps::as_sweep;
use super::{DatabaseSource, part, status};
use crate::experiment::analysis::diff;
use crate::experiment::stream::EventKind;
use crate::money::Cents;
use crate::persistence::{self as store, PersistenceError};

/// An iteration and a bank.
type Place = (u32, String);

/// What is known of the rounds of a run.
#[derive(Default)]
struct Rounds {
    evaluations: HashMap<Place, Verdict>,
    calls: HashMap<Place, Vec<store::CallRow>>,
    /// Policies that were taken back because they failed, with the reason.
    taken_back: HashMap<Place, String>,
}

impl DatabaseSource {
    /// Runs, newest first; all without a limit.
    pub(super) fn run_rows(&self, limit: Option<usize>) -> Result<Vec<RunRow>, PersistenceError> {
        let runs = self.reader.runs(&store::RunFilter { limit, ..store::RunFilter::default() })?;
        let shown: Vec<String> = runs.iter().map(|run| run.run_id.clone()).collect();
        let marks = self.reader.run_marks(&shown)?;
        let mut marks: HashMap<String, store::RunMarksRow> =
            marks.into_iter().map(|row| (row.run_id.clone(), row)).collect();
        let sweeps = self.reader.sweep_progress()?;
        let with_marks = |run: store::RunRow| {
            let marks = marks.remove(&run.run_id);
            let progress = sweeps.iter().find(|sweep| sweep.run_id == run.run_id);
            as_sweep(run_row(run, marks.as_ref()), progress)
        };
        Ok(runs.into_iter().map(with_marks).collect())
    }

    pub(super) fn runs(&self, page: &Page<String>) -> Result<Batch<RunRow>, PersistenceError> {
        if page.from != From::First {
            // The other ways are rare and the list is short enough to read.
            return Ok(part(self.run_rows(None)?, page, |row| row.id.clone()));
        }
        let rows = self.run_rows(Some(page.limit))?;
        let total = self.reader.totals()?.runs;
        Ok(Batch { more_before: false, more_after: total > rows.len() as u64, rows, total })
    }

    pub(super) fn run(&self, id: &str) -> Result<Option<RunDetail>, PersistenceError> {
        let Some(run) = self.reader.run(id)? else { return Ok(None) };
        let marks = self.reader.run_marks(&[id.to_owned()])?.pop();
        let reason = self.reader.experiment(id)?.and_then(|row| row.convergence_reason);
        let mut rounds = self.rounds(id)?;
        let mut before = Map::new();
        let mut iterations = Vec::new();
        for row in self.reader.iterations(id)? {
            let policies = object(&row.policies);
            iterations.push(rounds.iteration(&row, &policies, &before));
            before = policies;
        }
        Ok(Some(RunDetail { run: run_row(run, marks.as_ref()), iterations, reason }))
    }

    fn rounds(&self, run: &str) -> Result<Rounds, PersistenceError> {
        let mut rounds = Rounds::default();
        for row in self.reader.evaluations(run, None)? {
            rounds.evaluations.insert((row.iteration, row.agent_id.clone()), verdict(&row));
        }
        for call in self.reader.calls(run)? {
            rounds.calls.entry((call.iteration, call.agent_id.clone())).or_default().push(call);
        }
        for event in self.reader.live_events_of(run, EventKind::PolicyRejected.name(), None)? {
            let data = object(&event.event_data);
            let text = |key: &str| data.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            // Without costs it is no comparison, but a policy that failed afterwards (spec 07, 9.4).
            if data.get("old_cost").is_none_or(Value::is_null) {
                rounds.taken_back.insert((event.iteration, text("agent_id")), text("reason"));
            }
        }
        Ok(rounds)
    }

    /// Every call of the proposer in an iteration, in order.
    pub(super) fn conversation(&self, run: &str, iteration: u64) -> Result<Vec<Exchange>, PersistenceError> {
        let iteration = u32::try_from(iteration).ok();
        let events = self.reader.live_events_of(run, EventKind::Interaction.name(), iteration)?;
        Ok(events.iter().map(|event| exchange(&object(&event.event_data))).collect())
    }
}

impl Rounds {
    fn iteration(
        &mut self,
        row: &store::IterationRow,
        policies: &Map<String, Value>,
        before: &Map<String, Value>,
    ) -> IterationRow {
        let accepted = object(&row.accepted_changes);
        let banks = object(&row.costs_per_agent).into_iter().map(|(bank, cost)| {
            let taken = accepted.get(&bank).and_then(Value::as_bool) == Some(true);
            let place = (row.iteration, bank);
            let verdict = self.verdict(&place, taken);
            let calls = self.calls.remove(&place).unwrap_or_default();
            let taken_back = self.taken_back.remove(&place);
            let bank = place.1;
            let policy = policies.get(&bank).unwrap_or(&Value::Null);
            let changes = diff::text(before.get(&bank).unwrap_or(&Value::Null), policy);
            let tokens = |call: &store::CallRow| call.prompt_tokens.saturating_add(call.completion_tokens);
            BankInIteration {
                cost: Cents(cost.as_i64().unwrap_or(0)),
                fraction: policy.pointer("/parameters/initial_liquidity_fraction").and_then(Value::as_f64),
                parameters: parameters(policy),
                changes: changes.lines().map(str::to_owned).collect(),
                taken_back,
                verdict,
                calls: calls.len() as u64,
                tokens: count(calls.iter().map(tokens).sum()),
                seconds: calls.iter().map(|call| call.latency_seconds).sum(),
                bank,
            }
        });
        IterationRow {
            iteration: u64::from(row.iteration),
            total: Cents(row.total_cost),
            banks: banks.collect(),
            settlement_rate: row.settlement_rate,
            average_delay: row.avg_delay,
        }
    }

    /// What became of the proposals of a bank's round: the comparison, else what the calls came to.
    fn verdict(&mut self, place: &Place, taken: bool) -> Option<Verdict> {
        if let Some(verdict) = self.evaluations.remove(place) {
            return Some(verdict);
        }
        if taken {
            // The mode that compares nothing has no evaluation; a replaced policy is accepted all the same.
            return Some(Verdict::uncompared(Judgement::Accepted, "accepted without comparison"));
        }
        let last = self.calls.get(place)?.last()?;
        match &last.parsing_error {
            Some(error) => Some(Verdict::uncompared(Judgement::Unusable, error)),
            None if !last.replied => {
                Some(Verdict::uncompared(Judgement::Declined, "the proposer found nothing better"))
            }
            None => None,
        }
    }
}

fn object(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

pub(super) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub(super) fn run_row(row: store::RunRow, marks: Option<&store::RunMarksRow>) -> RunRow {
    let shown = |time: String| time.replacen('T', " ", 1).chars().take(19).collect::<String>();
    RunRow {
        id: row.run_id,
        name: row.experiment_name,
        mode: row.evaluation_mode.unwrap_or_default(),
        proposer: row.proposer.unwrap_or_default(),
        status: status(row.status),
        iterations: count(row.num_iterations),
        max_iterations: marks.and_then(|marks| marks.max_iterations).map(count),
        first_cost: row.first_cost.map(Cents),
        best_cost: row.best_cost.map(Cents),
        reduction: row.reduction,
        settlement_rate: marks.and_then(|marks| marks.settlement_rate),
        simulations: count(row.num_simulations),
        events: count(row.num_events),
        started: shown(row.created_at),
        ended: row.completed_at.map(shown),
        seconds: marks.and_then(|marks| marks.milliseconds).map(|milliseconds| milliseconds as f64 / 1000.0),
    }
}

fn verdict(row: &store::EvaluationRow) -> Verdict {
    let interval = row.confidence_interval_95.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let interval = interval.map(|(low, high)| (Cents(low), Cents(high)));
    let kinds = object(row.cost_breakdown.as_deref().unwrap_or_default());
    let cost = |value: &Value| value.as_i64().filter(|cents| *cents != 0).map(Cents);
    Verdict {
        judgement: if row.accepted { Judgement::Accepted } else { Judgement::Rejected },
        reason: row.acceptance_reason.clone(),
        old_cost: Some(Cents(row.old_cost)),
        new_cost: Some(Cents(row.new_cost)),
        delta_sum: Some(Cents(row.delta_sum)),
        samples: count(row.num_samples),
        interval,
        deviation: row.cost_std_dev.map(Cents),
        settlement_rate: row.settlement_rate,
        kinds: kinds.iter().filter_map(|(kind, value)| Some((kind.clone(), cost(value)?))).collect(),
    }
}

/// Names and values of a policy's numbers.
fn parameters(policy: &Value) -> Vec<(String, f64)> {
    let members = policy.get("parameters").and_then(Value::as_object);
    let numbers = members.into_iter().flatten();
    numbers.filter_map(|(name, value)| Some((name.clone(), value.as_f64()?))).collect()
}

fn exchange(data: &Map<String, Value>) -> Exchange {
    let text = |key: &str| data.get(key).and_then(Value::as_str).map(str::to_owned);
    let number = |key: &str| data.get(key).and_then(Value::as_u64).unwrap_or(0);
    Exchange {
        bank: text("agent_id").unwrap_or_default(),
        call: number("call"),
        model: text("model").unwrap_or_default(),
        system_prompt: text("system_prompt").unwrap_or_default(),
        user_prompt: text("user_prompt").unwrap_or_default(),
        reply: text("raw_response"),
        error: text("parsing_error"),
        prompt_tokens: number("prompt_tokens"),
        completion_tokens: number("completion_tokens"),
        seconds: data.get("latency_seconds").and_then(Value::as_f64).unwrap_or(0.0),
    }
}
