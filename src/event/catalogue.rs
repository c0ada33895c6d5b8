//! The catalogue of events: one row per type (spec 05, 3).

use std::sync::Arc;

use super::field::{
    CostsField, DeclaredPriority, Field, HoldReason, Mechanism, OptionalBank, RtgsPriority, SettlementId,
    Text,
};
use super::line::{DecodeError, Keys};
use super::unread::Unread;
use super::{Concerns, Effect, EventGroup, EventInfo, FieldInfo, FieldVisitor};
use crate::ids::{BankIdx, Names, PaymentId};
use crate::money::Cents;
use crate::time::{Day, Tick};

macro_rules! catalogue {
    ($($group:ident { $($(#[doc = $help:literal])+ $name:ident { $($key:ident: $type:ty),* $(,)? })+ })+) => {
        /// Something that happened in a tick; keys are those of spec 05, 3.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs, reason = "the keys are explained in the specification's catalogue")]
        pub enum Event {
            $($($(#[doc = $help])+ $name { $($key: $type),* },)+)+
            /// An event of the reference that is not in the catalogue or cannot be read.
            Unread(Arc<Unread>),
        }

        /// The type of an event without its values.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventKind {
            $($($(#[doc = $help])+ $name,)+)+
            /// Not in the catalogue, or not to be read.
            Unread,
        }

        impl EventKind {
            /// Every type, in the order of the catalogue.
            pub const ALL: &[Self] = &[$($(Self::$name,)+)+];

            /// The registry row of the type.
            #[must_use]
            pub const fn info(self) -> &'static EventInfo {
                match self {
                    $($(Self::$name => {
                        const INFO: EventInfo = EventInfo {
                            name: stringify!($name),
                            group: EventGroup::$group,
                            help: concat!($($help,)+),
                            fields: &[$(
                                FieldInfo { name: stringify!($key), kind: <$type as Field>::KIND },
                            )*],
                        };
                        &INFO
                    })+)+
                    Self::Unread => &UNREAD,
                }
            }

            /// The type of a name as written in `event_type`.
            #[must_use]
            pub fn find(name: &str) -> Option<Self> {
                match name {
                    $($(stringify!($name) => Some(Self::$name),)+)+
                    _ => None,
                }
            }
        }

        impl Event {
            /// The type of the event.
            #[must_use]
            pub const fn kind(&self) -> EventKind {
                match self {
                    $($(Self::$name { .. } => EventKind::$name,)+)+
                    Self::Unread(_) => EventKind::Unread,
                }
            }

            /// Shows every key to the visitor, in canonical order.
            pub fn visit(&self, visitor: &mut impl FieldVisitor) {
                match self {
                    $($(Self::$name { $($key),* } => { $(visitor.field(stringify!($key), $key);)* })+)+
                    Self::Unread(_) => {}
                }
            }

            /// Names the banks and payments that the event concerns, with repetitions.
            pub fn visit_concerns(&self, names: &Names, concerns: &mut impl Concerns) {
                match self {
                    $($(Self::$name { $($key),* } => { $($key.concerns(names, concerns);)* })+)+
                    Self::Unread(unread) => unread.visit_concerns(names, concerns),
                }
            }

            pub(super) fn key_bank(&self, wanted: &str) -> Option<BankIdx> {
                match self {
                    $($(Self::$name { $($key),* } => {
                        $(if stringify!($key) == wanted { return $key.bank(); })*
                        None
                    })+)+
                    Self::Unread(_) => None,
                }
            }

            pub(super) fn key_payment(&self, wanted: &str) -> Option<SettlementId> {
                match self {
                    $($(Self::$name { $($key),* } => {
                        $(if stringify!($key) == wanted { return $key.payment(); })*
                        None
                    })+)+
                    Self::Unread(_) => None,
                }
            }

            pub(super) fn from_keys(kind: EventKind, keys: &Keys<'_>) -> Result<Self, DecodeError> {
                match kind {
                    $($(EventKind::$name => Ok(Self::$name { $($key: keys.get(stringify!($key))?),* }),)+)+
                    EventKind::Unread => Err(DecodeError::UnknownType(kind.name().to_owned())),
                }
            }
        }
    };
}

catalogue! {
    Arrivals {
        /// A payment has come into being and waits in its sender's queue 1.
        Arrival {
            tx_id: PaymentId, sender_id: BankIdx, receiver_id: BankIdx, amount: Cents, deadline: Tick,
            priority: u8,
            is_divisible: bool, parent_tx_id: Option<PaymentId>,
        }
    }
    Decisions {
        /// The payment leaves queue 1 and is handed to the settlement system.
        RtgsSubmission {
            tx_id: PaymentId, sender: BankIdx, receiver: BankIdx, amount: Cents, internal_priority: u8,
            rtgs_priority: RtgsPriority,
        }
        /// The bank's policy released the payment.
        PolicySubmit { agent_id: BankIdx, tx_id: PaymentId }
        /// The payment stays in queue 1, for the reason given.
        PolicyHold { agent_id: BankIdx, tx_id: PaymentId, reason: HoldReason }
        /// The policy gave the payment up: it never settles and costs nothing more.
        PolicyDrop { agent_id: BankIdx, tx_id: PaymentId, reason: Text }
        /// The payment was split into parts that replace it.
        PolicySplit { agent_id: BankIdx, tx_id: PaymentId, num_splits: u64, child_ids: Arc<[PaymentId]> }
        /// The policy set the payment's priority.
        TransactionReprioritized { agent_id: BankIdx, tx_id: PaymentId, old_priority: u8, new_priority: u8 }
        /// The payment left queue 2 and stands at the back of its sender's queue 1.
        RtgsWithdrawal { tx_id: PaymentId, sender: BankIdx, original_rtgs_priority: RtgsPriority }
        /// The RTGS priority with which the payment will be submitted was declared.
        RtgsResubmission {
            tx_id: PaymentId, sender: BankIdx, old_rtgs_priority: DeclaredPriority,
            new_rtgs_priority: RtgsPriority,
        }
    }
    BankLevel {
        /// The bank limited what it releases in this tick.
        BankBudgetSet {
            agent_id: BankIdx, max_value: Cents, focus_counterparties: Option<Arc<[Text]>>,
            max_per_counterparty: Option<Cents>,
        }
        /// A register of the bank's policy got a value.
        StateRegisterSet {
            agent_id: BankIdx, register_key: Text, old_value: f64, new_value: f64, reason: Text,
            decision_path: Option<Text>,
        }
    }
    Collateral {
        /// The bank posted collateral, which raises its credit line.
        CollateralPost {
            agent_id: BankIdx, amount: Cents, reason: Text, new_total: Cents,
            auto_withdraw_tick: Option<Tick>,
        }
        /// The bank took collateral back.
        CollateralWithdraw { agent_id: BankIdx, amount: Cents, reason: Text, new_total: Cents }
        /// Collateral posted for a limited time went back.
        CollateralTimerWithdrawn {
            agent_id: BankIdx, amount: Cents, original_reason: Text, posted_at_tick: Tick, new_total: Cents,
        }
        /// Collateral posted for a limited time is needed and stays.
        CollateralTimerBlocked {
            agent_id: BankIdx, requested_amount: Cents, reason: Text, original_reason: Text,
            posted_at_tick: Tick,
        }
    }
    Settlement {
        /// The payment's priority rose because its deadline is near.
        PriorityEscalated {
            tx_id: PaymentId, sender_id: BankIdx, original_priority: u8, escalated_priority: u8,
            ticks_until_deadline: u64, boost_applied: u64,
        }
        /// The sender's limit towards this receiver does not allow the payment now.
        BilateralLimitExceeded {
            tx_id: PaymentId, sender: BankIdx, receiver: BankIdx, amount: Cents,
            current_bilateral_outflow: Cents,
            bilateral_limit: Cents,
        }
        /// The sender's limit towards all banks together does not allow the payment now.
        MultilateralLimitExceeded {
            tx_id: PaymentId, sender: BankIdx, amount: Cents, current_total_outflow: Cents,
            multilateral_limit: Cents,
        }
        /// The payment that settles next was overdue; this is how long and at what cost.
        OverdueTransactionSettled {
            tx_id: PaymentId, sender_id: BankIdx, receiver_id: BankIdx, amount: Cents, settled_amount: Cents,
            deadline_tick: Tick, overdue_since_tick: Tick, total_ticks_overdue: u64,
            deadline_penalty_cost: Cents,
            estimated_delay_cost: Cents,
        }
        /// The payment settled at once from the sender's liquidity.
        RtgsImmediateSettlement {
            tx_id: SettlementId, sender: BankIdx, receiver: BankIdx, amount: Cents,
            sender_balance_before: Cents,
            sender_balance_after: Cents,
        }
        /// The payment settled on entry against a queued one in the opposite direction.
        EntryDispositionOffset {
            incoming_tx_id: PaymentId, queued_tx_id: PaymentId, agent_a: BankIdx, agent_b: BankIdx,
            offset_amount: Cents, incoming_amount: Cents, queued_amount: Cents,
        }
        /// The payment could not settle and went to the end of queue 2.
        QueuedRtgs { tx_id: PaymentId, sender_id: BankIdx }
        /// The payment left queue 2 because its sender could pay.
        Queue2LiquidityRelease {
            tx_id: PaymentId, sender: BankIdx, receiver: BankIdx, amount: Cents, queue_wait_ticks: u64,
            release_reason: Text,
        }
        /// All queued payments between two banks settled against each other.
        LsmBilateralOffset {
            agent_a: BankIdx, agent_b: BankIdx, tx_ids: Arc<[PaymentId]>, tx_amounts: Arc<[Cents]>,
            amount_a: Cents,
            amount_b: Cents, amount: Cents,
        }
        /// Payments that form a ring of banks settled together.
        LsmCycleSettlement {
            agents: Arc<[BankIdx]>, tx_amounts: Arc<[Cents]>, total_value: Cents, net_positions: Arc<[Cents]>,
            max_net_outflow: Cents, max_net_outflow_agent: OptionalBank, tx_ids: Arc<[PaymentId]>,
            cycle_value: Cents,
        }
        /// Report of one settlement mechanism about this tick.
        AlgorithmExecution { algorithm: Mechanism, result: Text, settlements: u64, settled_value: Cents }
        /// The bank received the credits of this tick's settlements.
        DeferredCreditApplied { agent_id: BankIdx, amount: Cents, source_transactions: Arc<[PaymentId]> }
    }
    DeadlinesCostsDays {
        /// The payment missed its deadline and is charged the penalty.
        TransactionWentOverdue {
            tx_id: PaymentId, sender_id: BankIdx, receiver_id: BankIdx, amount: Cents,
            remaining_amount: Cents,
            deadline_tick: Tick, ticks_overdue: u64, deadline_penalty_cost: Cents,
        }
        /// The bank was charged these costs.
        CostAccrual { agent_id: BankIdx, costs: CostsField }
        /// The day closed.
        EndOfDay { day: Day, unsettled_count: u64, total_penalties: Cents }
        /// The bank gave the day's pool liquidity back.
        LiquidityReturn { agent_id: BankIdx, amount: Cents, balance_after: Cents }
        /// The bank took liquidity out of its pool for the day.
        LiquidityAllocation {
            agent_id: BankIdx, day: Day, fraction: f64, amount: Cents, balance_after: Cents,
        }
    }
    ScenarioEvents {
        /// A scheduled event of the scenario took effect.
        ScenarioEventExecuted { scenario_event_type: Text, details_json: Effect }
    }
    OlderDatabases {
        /// The payment left queue 2 because its sender could pay. Only in older databases of the reference.
        RtgsQueue2Settle { tx_id: PaymentId, sender: BankIdx, receiver: BankIdx, amount: Cents, reason: Text }
        /// A payment settled; which one is not said. Only in older databases of the reference.
        Settlement { sender_id: BankIdx, receiver_id: BankIdx, amount: Cents }
    }
}

/// What stands in place of a registry row for what is not in the catalogue.
const UNREAD: EventInfo = EventInfo {
    name: "Unread",
    group: EventGroup::OlderDatabases,
    help: "An event that this program does not know; it is shown with its raw keys.",
    fields: &[],
};

impl EventKind {
    /// The value of `event_type`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.info().name
    }
}
