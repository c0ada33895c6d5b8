//! The banks of a checkpoint.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::PaymentName;
use crate::costs::Costs;
use crate::engine::Simulation;
use crate::engine::arrivals::{ArrivalState, Stream};
use crate::engine::bank::{BankState, Timer};
use crate::event::Text;
use crate::ids::Names;
use crate::money::Cents;
use crate::scenario::Bank;
use crate::time::Tick;

/// What a bank has.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedBank {
    balance: Cents,
    posted_collateral: Cents,
    allocated_liquidity: Cents,
    /// Queue 1 in order.
    pub queue1: Vec<PaymentName>,
    /// By tick, then in the order in which they were set.
    timers: Vec<SavedTimer>,
    /// Those that are set.
    registers: BTreeMap<Text, Float>,
    outflow_today: Cents,
    /// To banks with a bilateral limit.
    limited_outflow_today: BTreeMap<Text, Cents>,
    costs: Costs,
    arrived_today: i128,
    settled_today: i128,
    /// Of a single stream of arrivals; bands never change.
    arrivals: Option<SavedStream>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedTimer {
    due: Tick,
    amount: Cents,
    reason: Text,
    posted_at: Tick,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedStream {
    base_rate: Float,
    rate: Float,
    deadline_range: (i64, i64),
    /// None: all alike.
    weights: Option<BTreeMap<Text, Float>>,
}

/// A float; one that JSON cannot hold is a text (spec 05, 1.2).
#[derive(Clone, Copy)]
struct Float(f64);

impl Serialize for Float {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() {
            serializer.serialize_f64(self.0)
        } else if self.0.is_nan() {
            serializer.serialize_str("NaN")
        } else {
            serializer.serialize_str(if self.0 > 0.0 { "Infinity" } else { "-Infinity" })
        }
    }
}

impl<'de> Deserialize<'de> for Float {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(f64),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(value) => Ok(Self(value)),
            Written::Text(text) => match text.as_str() {
                "NaN" => Ok(Self(f64::NAN)),
                "Infinity" => Ok(Self(f64::INFINITY)),
                "-Infinity" => Ok(Self(f64::NEG_INFINITY)),
                other => Err(serde::de::Error::custom(format!("`{other}` is not a number"))),
            },
        }
    }
}

impl SavedBank {
    pub fn of(simulation: &Simulation, bank: &BankState, config: &Bank) -> Self {
        let names = &simulation.scenario.names;
        // Sums and the view follow from the queues; budgets and deferred credits end with their tick.
        let BankState {
            balance,
            posted,
            allocated,
            queue1,
            queue1_value: _,
            queue2_view: _,
            timers,
            budget: _,
            registers,
            outflow,
            limited_outflow,
            costs,
            arrivals,
            deferred: _,
            today_arrived,
            today_settled,
        } = bank;
        let register_names = config.policy.registers().iter().cloned();
        let set = register_names.zip(registers).filter_map(|(name, value)| value.map(|value| (name, value)));
        let limited = config.bilateral_limits.iter().zip(limited_outflow);
        Self {
            balance: *balance,
            posted_collateral: *posted,
            allocated_liquidity: *allocated,
            queue1: queue1.iter().map(|slot| PaymentName(simulation.payments[*slot].id)).collect(),
            timers: timers
                .iter()
                .flat_map(|(due, timers)| timers.iter().map(|timer| SavedTimer::of(*due, timer)))
                .collect(),
            registers: set.map(|(name, value)| (name, Float(value))).collect(),
            outflow_today: *outflow,
            limited_outflow_today: limited
                .map(|((receiver, _), outflow)| (names.ids()[receiver.at()].clone(), *outflow))
                .collect(),
            costs: *costs,
            arrived_today: *today_arrived,
            settled_today: *today_settled,
            arrivals: match arrivals {
                ArrivalState::Single(stream, _) => Some(SavedStream::of(stream, names)),
                ArrivalState::None | ArrivalState::Bands(_) => None,
            },
        }
    }

    /// Puts what was saved, but for the queue, in the place of the first state.
    pub fn restore(self, bank: &mut BankState, config: &Bank, names: &Names) -> Result<(), String> {
        if self.posted_collateral < Cents::ZERO || self.posted_collateral > config.collateral_capacity {
            return Err(format!("the posted collateral of `{}` is not possible", config.id));
        }
        bank.balance = self.balance;
        bank.posted = self.posted_collateral;
        bank.allocated = self.allocated_liquidity;
        bank.timers.clear();
        for SavedTimer { due, amount, reason, posted_at } in self.timers {
            bank.timers.entry(due).or_default().push(Timer { amount, reason, posted_at });
        }
        for (name, Float(value)) in self.registers {
            let known = config.policy.registers().iter().position(|register| *register == name);
            let index = known.ok_or_else(|| format!("`{}` has no register `{name}`", config.id))?;
            bank.registers[index] = Some(value);
        }
        bank.outflow = self.outflow_today;
        let limited = config.bilateral_limits.iter().map(|(receiver, _)| names.bank(*receiver));
        for (receiver, outflow) in limited.zip(&mut bank.limited_outflow) {
            let saved = self.limited_outflow_today.get(receiver);
            *outflow = *saved.ok_or_else(|| format!("the outflow of `{}` is missing", config.id))?;
        }
        bank.costs = self.costs;
        bank.today_arrived = self.arrived_today;
        bank.today_settled = self.settled_today;
        match (bank.arrivals.single(), self.arrivals) {
            (Some(stream), Some(saved)) => saved.restore(stream, names),
            (None, None) => Ok(()),
            _ => Err(format!("the arrivals of `{}` are of another kind", config.id)),
        }
    }
}

impl SavedTimer {
    fn of(due: Tick, timer: &Timer) -> Self {
        let Timer { amount, reason, posted_at } = timer.clone();
        Self { due, amount, reason, posted_at }
    }
}

impl SavedStream {
    fn of(stream: &Stream, names: &Names) -> Self {
        let named = |weights: Vec<_>| {
            let entries = weights.into_iter();
            entries.map(|(bank, weight): (crate::ids::BankIdx, f64)| {
                (names.ids()[bank.at()].clone(), Float(weight))
            })
        };
        Self {
            base_rate: Float(stream.base_rate),
            rate: Float(stream.rate),
            deadline_range: stream.deadline_range,
            weights: stream.weights().map(|weights| named(weights).collect()),
        }
    }

    fn restore(self, stream: &mut Stream, names: &Names) -> Result<(), String> {
        stream.base_rate = self.base_rate.0;
        stream.rate = self.rate.0;
        stream.deadline_range = self.deadline_range;
        let weight_of = |bank| self.weights.as_ref()?.get(names.bank(bank)).map(|weight| weight.0);
        stream
            .set_weights(self.weights.is_some(), weight_of)
            .ok_or_else(|| "a weight of the arrivals is missing".to_owned())
    }
}
