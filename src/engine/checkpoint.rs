//! The complete state of a simulation between two ticks, as JSON (spec 03, 13.5; 06, 6).
//!
//! It holds what does not follow from the scenario and the tick. Banks, payments and registers
//! stand by their names. What follows from these (sums, queue 2 by sender, the scenario events
//! and payments of a file still to come) is made again by [`Simulation::restore`].

mod bank;
mod payment;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::bank::SavedBank;
use self::payment::{SavedPayment, Shelf};
use super::payments::{Payments, Place, Slot};
use super::{RunCounts, Simulation};
use crate::event::Text;
use crate::ids::PaymentId;
use crate::rng::Rng;
use crate::scenario::Scenario;
use crate::text;
use crate::time::Tick;

/// Version of the form; another one is refused.
pub const CHECKPOINT_FORMAT: u32 = 1;

/// Why a simulation cannot go on from a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Another program version wrote it.
    #[error("its format {0} is not known, only {CHECKPOINT_FORMAT}")]
    UnknownFormat(u64),
    /// It is no state of this scenario.
    #[error("its state is damaged: {0}")]
    Damaged(String),
}

/// What every format begins with.
#[derive(Deserialize)]
struct Header {
    format: u64,
}

/// The whole document.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    format: u32,
    complete_ticks: u64,
    random: Rng,
    last_payment: PaymentName,
    run: RunCounts,
    banks: BTreeMap<Text, SavedBank>,
    /// Queue 2 in order.
    queue2: Vec<PaymentName>,
    /// Payments that have not settled, in the order in which they came into being.
    payments: Vec<SavedPayment>,
}

/// A payment as it is called.
#[derive(Clone, Copy)]
struct PaymentName(PaymentId);

impl Serialize for PaymentName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PaymentName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let id = PaymentId::parse(&name);
        id.map(Self).ok_or_else(|| serde::de::Error::custom(format!("`{name}` is not the id of a payment")))
    }
}

impl Simulation {
    /// The state after the ticks that ran, as one line of canonical JSON.
    ///
    /// # Errors
    ///
    /// None that is known; what the encoder reports.
    pub fn checkpoint(&self) -> Result<String, CheckpointError> {
        let name = |slot: &Slot| PaymentName(self.payments[*slot].id);
        let banks = self.scenario.names.ids().iter().zip(&self.banks).zip(&self.scenario.banks);
        let saved = Saved {
            format: CHECKPOINT_FORMAT,
            complete_ticks: self.now.0,
            random: self.rng.clone(),
            last_payment: PaymentName(self.payments.last_id()),
            run: self.totals,
            banks: banks
                .map(|((id, bank), config)| (id.clone(), SavedBank::of(self, bank, config)))
                .collect(),
            queue2: self.queue2.iter().map(name).collect(),
            payments: self
                .payments
                .in_creation_order()
                .into_iter()
                .map(|slot| SavedPayment::of(self, &self.payments[slot]))
                .collect(),
        };
        text::to_json(&saved).map_err(|error| CheckpointError::Damaged(error.to_string()))
    }

    /// How many payments have not settled: those of a checkpoint.
    #[must_use]
    pub fn unsettled_payments(&self) -> u64 {
        self.payments.in_creation_order().len() as u64
    }

    /// A simulation that goes on from a checkpoint of the same scenario, exactly as the one that
    /// made it.
    ///
    /// # Errors
    ///
    /// An unknown format, or a text that is no state of this scenario.
    pub fn restore(scenario: Arc<Scenario>, checkpoint: &str) -> Result<Self, CheckpointError> {
        let damaged = |error: serde_json::Error| CheckpointError::Damaged(error.to_string());
        let Header { format } = serde_json::from_str(checkpoint).map_err(damaged)?;
        if format != u64::from(CHECKPOINT_FORMAT) {
            return Err(CheckpointError::UnknownFormat(format));
        }
        let saved: Saved = serde_json::from_str(checkpoint).map_err(damaged)?;
        let mut simulation = Self::new(scenario);
        simulation.take_over(saved).map_err(CheckpointError::Damaged)?;
        Ok(simulation)
    }

    /// Puts a saved state in the place of the first one; says what does not fit together.
    fn take_over(&mut self, saved: Saved) -> Result<(), String> {
        let Saved { format: _, complete_ticks, random, last_payment, run, banks, queue2, payments } = saved;
        self.now = Tick(complete_ticks);
        self.rng = random;
        self.totals = run;
        self.next_once = self.once.partition_point(|(tick, _)| *tick < self.now);
        let due = &self.scenario.payments;
        self.next_file_payment = self.file_payments_due.partition_point(|index| due[*index].tick < self.now);
        let shelf = Shelf::new(payments, last_payment.0, &self.scenario.names)?;
        let mut seats = Seats { payments: &shelf.payments, seated: vec![false; shelf.len()] };
        if !banks.keys().eq(self.scenario.names.ids()) {
            return Err("its banks are not those of the scenario".to_owned());
        }
        for (index, saved) in self.scenario.names.banks().zip(banks.into_values()) {
            let config = &self.scenario.banks[index.at()];
            let queue1 = seats.take(&saved.queue1, Place::Queue1, &shelf)?;
            let misplaced = queue1.iter().find(|slot| shelf.payments[**slot].sender != index);
            if let Some(slot) = misplaced {
                let id = shelf.payments[*slot].id;
                return Err(format!("payment `{id}` stands in the queue of another bank"));
            }
            let value = queue1.iter().map(|slot| i128::from(shelf.payments[*slot].remaining.0)).sum();
            saved.restore(&mut self.banks[index.at()], config, &self.scenario.names)?;
            self.banks[index.at()].queue1 = queue1;
            self.banks[index.at()].queue1_value = value;
        }
        self.queue2 = seats.take(&queue2, Place::Queue2, &shelf)?;
        self.queue2_value =
            self.queue2.iter().map(|slot| i128::from(shelf.payments[*slot].remaining.0)).sum();
        seats.all_are_taken(&shelf)?;
        self.payments = shelf.payments;
        self.rebuild_queue2_view();
        Ok(())
    }
}

/// Sees to it that every queued payment stands in one queue once (P5).
struct Seats<'a> {
    payments: &'a Payments,
    seated: Vec<bool>,
}

impl Seats<'_> {
    fn take(&mut self, queue: &[PaymentName], place: Place, shelf: &Shelf) -> Result<Vec<Slot>, String> {
        let seat = |PaymentName(id): &PaymentName| {
            let (position, slot) = shelf.find(*id).ok_or_else(|| format!("payment `{id}` is missing"))?;
            if self.payments[slot].place != place || std::mem::replace(&mut self.seated[position], true) {
                return Err(format!("payment `{id}` stands in a queue where it cannot stand"));
            }
            Ok(slot)
        };
        queue.iter().map(seat).collect()
    }

    fn all_are_taken(&self, shelf: &Shelf) -> Result<(), String> {
        for (slot, seated) in shelf.slots().zip(&self.seated) {
            let payment = &self.payments[slot];
            if matches!(payment.place, Place::Queue1 | Place::Queue2) && !seated {
                return Err(format!("payment `{}` stands in no queue", payment.id));
            }
        }
        Ok(())
    }
}
