//! The built-in search (spec 07, 10.5): offline, deterministic, over the parameters that may vary.
//!
//! In a call it goes through the parameters one after the other. Where policies are compared by single
//! runs, it measures a grid of values and refines it around the best one. Where they are compared on
//! samples, all samples of an iteration come from one day and mislead: what the days so far say
//! together ([`Outlook`]) decides where to go, and a step is proposed only if this iteration's own
//! samples agree that it is one for the better.
//!
//! Where no parameter may vary it tries small changes of the trees instead ([`change`]), one a call.

mod change;
mod outlook;
mod parameter;

use std::collections::HashMap;

use serde_json::Value;

use super::{Answer, Call, MAX_EVALUATIONS, Measured, Proposer, Request, Workbench};
use crate::experiment::constraints::PolicyConstraints;
use crate::experiment::laboratory::RunError;
use outlook::{Day, Outlook};
use parameter::Parameter;

/// The built-in search with what it remembers of a run.
#[derive(Debug, Default)]
pub struct Search {
    /// What was measured of the values of a parameter, by agent and parameter, one entry for a day.
    memory: HashMap<(String, String), Memory>,
    /// What was measured of changes of an agent's trees.
    changes: HashMap<String, Changes>,
}

/// Whether a policy has anything that the search may vary: it declines forever otherwise.
#[must_use]
pub fn can_vary(constraints: &PolicyConstraints, policy: &Value, has_pool: bool) -> bool {
    !Parameter::of(constraints, policy, has_pool).is_empty()
        || !change::changes(policy, constraints).is_empty()
}

/// Changes of one policy, with what they saved on the days on which they were tried.
#[derive(Debug, Default)]
struct Changes {
    of: Value,
    tried: HashMap<String, Tried>,
}

/// A change over several days.
#[derive(Clone, Copy, Debug, Default)]
struct Tried {
    days: u32,
    /// Cost with it less cost without it, summed over the days.
    difference: f64,
}

/// Days on which a change must have been tried on samples before it is proposed: the best of many on one
/// day is mostly the luckiest.
const DAYS_OF_A_CHANGE: u32 = 2;

/// Days under the same rest of the policy.
#[derive(Debug, Default)]
struct Memory {
    rest: Value,
    days: Vec<(u32, Day)>,
    /// Sum over the days of the settlement rate under each value of the grid.
    settled: Vec<f64>,
}

impl Proposer for Search {
    fn propose(&mut self, request: &Request<'_>, bench: &mut dyn Workbench) -> Result<Call, RunError> {
        // A proposal that failed in its comparison was measured here before: there is no better one.
        if request.call > 1 {
            return Ok(Answer::Declined.into());
        }
        let parameters = Parameter::of(request.constraints, request.current, request.has_pool);
        let mut session = Session {
            request,
            bench,
            left: MAX_EVALUATIONS,
            share: (MAX_EVALUATIONS / parameters.len().max(1)).max(LEAST_EVALUATIONS),
            base: request.current.clone(),
        };
        if parameters.is_empty() {
            let memory = self.changes.entry(request.agent.to_owned()).or_default();
            session.base = session.changed(memory)?.unwrap_or(session.base);
        }
        for parameter in &parameters {
            let better = if request.by_samples {
                let key = (request.agent.to_owned(), parameter.name.clone());
                session.step_by_days(parameter, self.memory.entry(key).or_default())?
            } else {
                session.best_in_one_run(parameter)?
            };
            if let Some(value) = better {
                session.base = parameter.applied(&session.base, &value);
            }
        }
        if session.base == *request.current {
            return Ok(Answer::Declined.into());
        }
        Ok(Answer::Reply { raw: session.base.to_string(), policy: Ok(session.base) }.into())
    }

    /// Only what was measured on samples is remembered from call to call.
    fn recall(&mut self, request: &Request<'_>, bench: &mut dyn Workbench) -> Result<(), RunError> {
        if request.by_samples {
            self.propose(request, bench)?;
        }
        Ok(())
    }
}

impl Changes {
    /// Notes what a change saved today; the mean of all days, once there are enough of them.
    fn add(&mut self, policy: &Value, difference: f64) -> Option<f64> {
        let tried = self.tried.entry(policy.to_string()).or_default();
        tried.days += 1;
        tried.difference += difference;
        (tried.days >= DAYS_OF_A_CHANGE).then(|| tried.difference / f64::from(tried.days))
    }
}

/// Evaluations for a parameter where there are too many for the limit of a call: its value now, and one on
/// each side.
const LEAST_EVALUATIONS: usize = 3;

/// One call.
struct Session<'a, 'b> {
    request: &'a Request<'b>,
    bench: &'a mut dyn Workbench,
    /// Evaluations left in the call.
    left: usize,
    /// Evaluations for each parameter.
    share: usize,
    /// The best policy so far.
    base: Value,
}

/// A value of a parameter with what it costs.
#[derive(Clone, Debug)]
struct Point {
    value: Value,
    measured: Measured,
}

impl Session<'_, '_> {
    /// Measures values of a parameter; those that cannot be proposed or measured are left out.
    fn measure(&mut self, parameter: &Parameter, values: &[Value]) -> Result<Vec<Point>, RunError> {
        let admissible = |value: &&Value| {
            let policy = parameter.applied(&self.base, value);
            self.request.constraints.violations(&policy).is_empty()
        };
        let values = values.iter().filter(admissible).cloned().collect();
        self.measure_all(parameter, values)
    }

    /// Measures values whether they may be proposed or not.
    fn measure_all(&mut self, parameter: &Parameter, mut values: Vec<Value>) -> Result<Vec<Point>, RunError> {
        values.truncate(self.left);
        self.left -= values.len();
        let policies: Vec<Value> = values.iter().map(|value| parameter.applied(&self.base, value)).collect();
        let measured = self.bench.evaluate(&policies)?;
        let points = values.into_iter().zip(measured);
        Ok(points.filter_map(|(value, measured)| Some(Point { value, measured: measured? })).collect())
    }

    /// What the policy so far costs.
    fn measure_base(&mut self) -> Result<Option<Measured>, RunError> {
        self.left = self.left.saturating_sub(1);
        Ok(self.bench.evaluate(std::slice::from_ref(&self.base))?.into_iter().next().flatten())
    }

    fn settles(&self, measured: &Measured) -> bool {
        measured.settlement_rate >= self.request.min_settlement_rate
    }

    /// The cheapest value in the run of this iteration, if it is cheaper than the policy so far.
    fn best_in_one_run(&mut self, parameter: &Parameter) -> Result<Option<Value>, RunError> {
        let Some(now) = self.measure_base()? else { return Ok(None) };
        let mut best: Option<Point> = None;
        let mut grid = parameter.grid(self.share * 2 / 3);
        while !grid.is_empty() {
            let points = self.measure(parameter, &grid)?;
            if points.is_empty() {
                break;
            }
            let before = best.as_ref().map(|best| best.measured.cost);
            for point in points.into_iter().filter(|point| self.settles(&point.measured)) {
                if best.as_ref().is_none_or(|best| parameter.prefers(&point, best)) {
                    best = Some(point);
                }
            }
            let Some(best) = &best else { break };
            if before.is_some_and(|before| best.measured.cost >= before) && parameter.is_fine(&grid) {
                break;
            }
            grid = parameter.refined(&best.value, &grid);
        }
        Ok(best.filter(|best| best.measured.cost < now.cost).map(|best| best.value))
    }

    /// A step towards what all days so far recommend, if this iteration's samples agree.
    fn step_by_days(
        &mut self,
        parameter: &Parameter,
        memory: &mut Memory,
    ) -> Result<Option<Value>, RunError> {
        let Some(now) = self.measure_base()? else { return Ok(None) };
        // Listed values leave half of the evaluations to what lies between them.
        let grid = parameter.grid(if parameter.is_listed() {
            (self.share / 2).saturating_sub(2)
        } else {
            self.share - 1
        });
        let points = self.measure(parameter, &grid)?;
        let between = parameter.between(&grid, self.share.saturating_sub(1 + grid.len()));
        let curve = match &between {
            Some(between) => self.measure_all(parameter, between.clone())?,
            None => points.clone(),
        };
        let scale = between.as_ref().unwrap_or(&grid);
        if points.len() < grid.len() || curve.len() < scale.len() {
            // Some values cannot be measured: only this iteration is comparable.
            return Ok(self.cheapest(parameter, &points, &now));
        }
        let rest = parameter.applied(&self.base, &Value::Null);
        if memory.rest != rest {
            *memory = Memory { rest, days: Vec::new(), settled: vec![0.0; grid.len()] };
        }
        let day = Day::new(curve.iter().map(|point| point.measured.cost as f64).collect());
        memory.days.push((self.request.iteration, day));
        for (sum, point) in memory.settled.iter_mut().zip(&points) {
            *sum += point.measured.settlement_rate;
        }
        let days: Vec<&Day> = memory.days.iter().map(|(_, day)| day).collect();
        let outlook = Outlook::new(&days, parameter.tells_of_liquidity(scale));
        let expected_of = |policy: &Value| outlook.expected(parameter.place(policy, scale));
        let expected_now = expected_of(&self.base);
        // The first of the best values: no step is taken that is not a step to where the days point. They do
        // not point to a value under which too little settles, however cheap it is.
        let least = self.request.min_settlement_rate * days.len() as f64;
        let enough = memory.settled.iter().enumerate().filter(|(_, sum)| **sum >= least);
        let expected = enough
            .map(|(index, _)| (index, expected_of(&parameter.applied(&self.base, &points[index].value))));
        let target = expected.min_by(|(_, one), (_, other)| one.total_cmp(other));
        let agrees = |point: &&Point| point.measured.cost < now.cost && self.settles(&point.measured);
        let better = target.filter(|(_, expected)| *expected < expected_now);
        Ok(better.map(|(index, _)| &points[index]).filter(agrees).map(|point| point.value.clone()))
    }

    /// The policy with the best small change of its trees, if there is one for the better.
    fn changed(&mut self, memory: &mut Changes) -> Result<Option<Value>, RunError> {
        let mut changes = change::changes(&self.base, self.request.constraints);
        if changes.is_empty() {
            return Ok(None);
        }
        let Some(now) = self.measure_base()? else { return Ok(None) };
        // What one iteration cannot try the next ones do.
        let begin = self.request.iteration as usize * self.left % changes.len();
        changes.rotate_left(begin);
        changes.truncate(self.left);
        self.left -= changes.len();
        let measured = self.bench.evaluate(&changes)?;
        if memory.of != self.base {
            *memory = Changes { of: self.base.clone(), tried: HashMap::new() };
        }
        let mut best: Option<(f64, Value)> = None;
        for (policy, measured) in changes.into_iter().zip(measured) {
            let Some(measured) = measured else { continue };
            let difference = (measured.cost - now.cost) as f64;
            let expected = self.request.by_samples.then(|| memory.add(&policy, difference));
            let expected = expected.unwrap_or(Some(difference)).filter(|expected| *expected < 0.0);
            let agrees = difference < 0.0 && self.settles(&measured);
            if let Some(expected) = expected.filter(|_| agrees)
                && best.as_ref().is_none_or(|(least, _)| expected < *least)
            {
                best = Some((expected, policy));
            }
        }
        Ok(best.map(|(_, policy)| policy))
    }

    fn cheapest(&self, parameter: &Parameter, points: &[Point], now: &Measured) -> Option<Value> {
        let mut best: Option<&Point> = None;
        for point in points.iter().filter(|point| self.settles(&point.measured)) {
            if best.is_none_or(|best| parameter.prefers(point, best)) {
                best = Some(point);
            }
        }
        best.filter(|best| best.measured.cost < now.cost).map(|best| best.value.clone())
    }
}
