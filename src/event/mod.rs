//! Events: everything that changes in a simulation says so with one of these (spec 05).
//!
//! [`Event`] is generated from the catalogue in `catalogue.rs`, one row per type:
//! its keys in canonical order, its help text, its group. Encoding, decoding, the
//! banks and payments an event concerns, and the registry come from the same row.

mod catalogue;
mod digest;
mod effect;
mod field;
mod line;
mod unread;

use crate::ids::{BankIdx, Names};
use crate::time::Tick;

pub use catalogue::{Event, EventKind};
pub use digest::{Digest, hex, sha256_hex, sha256_hex_of};
pub use effect::Effect;
pub use field::{
    CostsField, DeclaredPriority, Field, FieldKind, HoldReason, Mechanism, OptionalBank, RtgsPriority,
    SettlementId, Text,
};
pub use line::{Columns, DecodeError, Details, decode, write_columns_line, write_line};
pub use unread::{Completion, Unread, complete};

/// What one event type is: a row of the registry.
#[derive(Debug)]
pub struct EventInfo {
    /// The value of `event_type`.
    pub name: &'static str,
    /// Section of the catalogue it belongs to.
    pub group: EventGroup,
    /// What the event says, in a sentence.
    pub help: &'static str,
    /// Keys after `event_type` and `tick`, in canonical order.
    pub fields: &'static [FieldInfo],
}

/// One key of an event type.
#[derive(Debug)]
pub struct FieldInfo {
    /// The key.
    pub name: &'static str,
    /// What it holds.
    pub kind: FieldKind,
}

/// The sections of the catalogue (spec 05, 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventGroup {
    /// Payments coming into being.
    Arrivals,
    /// Decisions about payments.
    Decisions,
    /// Bank-level decisions.
    BankLevel,
    /// Collateral movements.
    Collateral,
    /// Settlement and its mechanisms.
    Settlement,
    /// Deadlines, costs and days.
    DeadlinesCostsDays,
    /// Scheduled scenario events.
    ScenarioEvents,
    /// Types of older databases of the reference (spec 05, 3.8).
    OlderDatabases,
}

/// An event with its place in the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// Number of the event in the run, from 0.
    pub sequence: u64,
    /// Tick in which it was logged.
    pub tick: Tick,
    /// What happened.
    pub event: Event,
}

/// Collects the banks and payments that an event concerns (spec 05, 1.5).
pub trait Concerns {
    /// A bank, possibly named before.
    fn bank(&mut self, bank: BankIdx);
    /// A payment by its name as written, possibly named before.
    fn payment(&mut self, payment: SettlementId);
}

/// Sees every key of an event in canonical order.
pub trait FieldVisitor {
    /// One key with its value.
    fn field<F: Field>(&mut self, name: &'static str, value: &F);
}

/// The banks and payments of one event, without repetition, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ConcernLists {
    /// Banks.
    pub banks: Vec<BankIdx>,
    /// Payments.
    pub payments: Vec<SettlementId>,
}

impl Concerns for ConcernLists {
    fn bank(&mut self, bank: BankIdx) {
        if !self.banks.contains(&bank) {
            self.banks.push(bank);
        }
    }

    fn payment(&mut self, payment: SettlementId) {
        if !self.payments.contains(&payment) {
            self.payments.push(payment);
        }
    }
}

impl Event {
    /// The banks and payments that the event concerns.
    #[must_use]
    pub fn concerns(&self, names: &Names) -> ConcernLists {
        let mut lists = ConcernLists::default();
        self.visit_concerns(names, &mut lists);
        lists
    }

    /// The value of `event_type`.
    #[must_use]
    pub fn type_name(&self) -> &str {
        match self {
            Self::Unread(unread) => &unread.event_type,
            known => known.kind().name(),
        }
    }

    /// The value of the key `agent_id` as a text, if the event has it.
    #[must_use]
    pub fn agent_name<'a>(&'a self, names: &'a Names) -> Option<&'a str> {
        match self {
            Self::Unread(unread) => unread.agent_id.as_deref(),
            known => known.agent_id().map(|bank| names.bank(bank)),
        }
    }

    /// The value of the key `agent_id`, if the type has it.
    #[must_use]
    pub fn agent_id(&self) -> Option<BankIdx> {
        self.key_bank("agent_id")
    }

    /// The value of the key `tx_id`, if the type has it.
    #[must_use]
    pub fn tx_id(&self) -> Option<SettlementId> {
        self.key_payment("tx_id")
    }
}
