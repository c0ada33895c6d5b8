//! The state as bytes, so that a jump to a tick need not fold from the start (spec 06, 2.7).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::bank::BankState;
use super::fit::Doubts;
use super::payment::{Payment, Place};
use super::rules::Rules;
use super::state::State;
use super::table::{List, Table};
use crate::ids::PaymentId;
use crate::scenario::Scenario;
use crate::time::Tick;

/// Version of the encoding. A snapshot of another version is passed over.
pub const SNAPSHOT_FORMAT: u32 = 2;

/// Why a snapshot could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Another program version wrote it.
    #[error("snapshot format {0} is not known, only {SNAPSHOT_FORMAT}")]
    UnknownFormat(u32),
    /// The bytes are no snapshot.
    #[error("the snapshot is damaged: {0}")]
    Damaged(String),
}

/// Everything of a state that does not follow from the scenario. The payments of each list
/// stand in its order, so the lists need no encoding of their own.
#[derive(Serialize, Deserialize)]
struct Encoded<B, P> {
    tick: Tick,
    in_tick: bool,
    queue1_sorted: bool,
    queue1_unsorted: Vec<bool>,
    queue2_unsorted: bool,
    sequence: u64,
    last_payment: PaymentId,
    doubts: u64,
    banks: B,
    payments: P,
}

impl State {
    /// The state as bytes of the format [`SNAPSHOT_FORMAT`].
    ///
    /// # Errors
    ///
    /// None that is known; what the encoder reports.
    pub fn encode(&self) -> Result<Vec<u8>, SnapshotError> {
        let encoded = Encoded {
            tick: self.tick,
            in_tick: self.in_tick,
            queue1_sorted: self.queue1_sorted,
            queue1_unsorted: self.banks.iter().map(|bank| bank.queue1.unsorted).collect(),
            queue2_unsorted: self.queue2.unsorted,
            sequence: self.sequence,
            last_payment: self.last_payment,
            doubts: self.doubts.count,
            banks: &self.banks,
            payments: self.open_payments().collect::<Vec<_>>(),
        };
        postcard::to_allocvec(&encoded).map_err(|error| SnapshotError::Damaged(error.to_string()))
    }

    /// Reads a state back.
    ///
    /// # Errors
    ///
    /// An unknown format, or bytes that are no state of this scenario.
    pub fn decode(scenario: Arc<Scenario>, format: u32, bytes: &[u8]) -> Result<Self, SnapshotError> {
        if format != SNAPSHOT_FORMAT {
            return Err(SnapshotError::UnknownFormat(format));
        }
        let encoded: Encoded<Vec<BankState>, Vec<Payment>> =
            postcard::from_bytes(bytes).map_err(|error| SnapshotError::Damaged(error.to_string()))?;
        if encoded.banks.len() != scenario.banks.len()
            || encoded.queue1_unsorted.len() != scenario.banks.len()
        {
            return Err(SnapshotError::Damaged("it has another number of banks".to_owned()));
        }
        let mut state = Self {
            rules: Rules::of(&scenario),
            tick: encoded.tick,
            in_tick: encoded.in_tick,
            queue1_sorted: encoded.queue1_sorted,
            sequence: encoded.sequence,
            last_payment: encoded.last_payment,
            changed: Vec::new(),
            banks: encoded.banks,
            payments: Table::default(),
            queue1_len: 0,
            queue2: List::default(),
            submitted: List::default(),
            dropped: List::default(),
            split: List::default(),
            doubts: Doubts { count: encoded.doubts, first: None },
            scenario,
        };
        state.changed = state.changed_banks().collect();
        for payment in encoded.payments {
            state.restore(payment)?;
        }
        for (bank, unsorted) in state.banks.iter_mut().zip(encoded.queue1_unsorted) {
            bank.queue1.unsorted = unsorted;
        }
        state.queue2.unsorted = encoded.queue2_unsorted;
        Ok(state)
    }

    fn restore(&mut self, payment: Payment) -> Result<(), SnapshotError> {
        let damaged = |what: &str| SnapshotError::Damaged(format!("payment `{}` {what}", payment.id));
        if payment.receiver.at() >= self.banks.len() || self.payments.find(payment.id).is_some() {
            return Err(damaged("is not possible"));
        }
        let bank = self.banks.get_mut(payment.sender.at()).ok_or_else(|| damaged("has no sender"))?;
        let list = match payment.place {
            Place::Queue1 => {
                self.queue1_len += 1;
                &mut bank.queue1
            }
            Place::Queue2 => {
                bank.queue2_len += 1;
                bank.queue2_value += i128::from(payment.remaining.0);
                &mut self.queue2
            }
            Place::Submitted => &mut self.submitted,
            Place::Dropped => &mut self.dropped,
            Place::Split => &mut self.split,
            Place::Settled => return Err(damaged("is settled")),
        };
        self.payments.insert(payment, list);
        Ok(())
    }
}

/// Reasons are encoded as the text that is shown.
pub(super) mod hold_reason {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::event::{Field, HoldReason};
    use crate::ids::Names;

    pub fn serialize<S: Serializer>(hold: &Option<HoldReason>, serializer: S) -> Result<S::Ok, S::Error> {
        let text = hold.as_ref().map(|reason| {
            let mut text = String::new();
            reason.write_text(&mut text);
            text
        });
        text.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<HoldReason>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        Ok(text.and_then(|text| HoldReason::read(&text.into(), &Names::default())))
    }
}
