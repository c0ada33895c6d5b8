//! What a scheduled scenario event did: the object inside `details_json` (spec 05, 5.3).

use std::fmt::Write as _;

use serde_json::Value;

use super::field::{Field, FieldKind, SettlementId};
use super::{Concerns, Event};
use crate::ids::{BankIdx, Names, PaymentId};
use crate::money::Cents;
use crate::text::{write_float, write_quoted};
use crate::time::Tick;

/// The effect of a scheduled scenario event.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the keys are explained in the specification, 05, 5.3")]
pub enum Effect {
    /// Money moved from bank to bank.
    DirectTransfer { amount: Cents, from: BankIdx, to: BankIdx },
    /// A payment came into being; the deadline is the uncapped one.
    CustomArrival {
        amount: Cents,
        deadline: i128,
        from: BankIdx,
        is_divisible: bool,
        priority: u8,
        to: BankIdx,
        tx_id: PaymentId,
    },
    /// Posted collateral changed. Where the reference says so, without the new total, it was the
    /// unsecured cap.
    CollateralAdjustment { agent: BankIdx, delta: Cents, new_total: Option<Cents> },
    /// All arrival rates changed.
    GlobalArrivalRate { multiplier: f64 },
    /// One bank's arrival rate changed.
    AgentArrivalRate { agent: BankIdx, multiplier: f64, new_rate: f64, old_rate: f64 },
    /// The weight of a receiver changed.
    CounterpartyWeight { agent: BankIdx, auto_balance_others: bool, counterparty: BankIdx, new_weight: f64 },
    /// The deadline windows of automatic arrivals changed.
    DeadlineWindow { max_multiplier: Option<f64>, min_multiplier: Option<f64> },
    /// A settlement was due: done, or refused for lack of liquidity.
    ScheduledSettlement { amount: Cents, from: BankIdx, settled: bool, to: BankIdx },
}

impl Effect {
    /// The value of `scenario_event_type`.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::DirectTransfer { .. } => "direct_transfer",
            Self::CustomArrival { .. } => "custom_transaction_arrival",
            Self::CollateralAdjustment { .. } => "collateral_adjustment",
            Self::GlobalArrivalRate { .. } => "global_arrival_rate_change",
            Self::AgentArrivalRate { .. } => "agent_arrival_rate_change",
            Self::CounterpartyWeight { .. } => "counterparty_weight_change",
            Self::DeadlineWindow { .. } => "deadline_window_change",
            Self::ScheduledSettlement { .. } => "scheduled_settlement",
        }
    }

    /// The event that reports this effect.
    #[must_use]
    pub fn executed(self) -> Event {
        Event::ScenarioEventExecuted { scenario_event_type: self.type_name().into(), details_json: self }
    }

    /// The details as a JSON object with keys in ascending order.
    #[must_use]
    pub fn details(&self, names: &Names) -> String {
        let mut object = ObjectWriter::new(names);
        match self {
            Self::DirectTransfer { amount, from, to } => {
                object.integer("amount", amount.0.into()).bank("from_agent", *from).bank("to_agent", *to);
            }
            Self::CustomArrival { amount, deadline, from, is_divisible, priority, to, tx_id } => {
                object
                    .integer("amount", amount.0.into())
                    .integer("deadline", *deadline)
                    .bank("from_agent", *from);
                object.flag("is_divisible", *is_divisible).integer("priority", (*priority).into());
                object.bank("to_agent", *to).text("tx_id", &tx_id.to_string());
            }
            Self::CollateralAdjustment { agent, delta, new_total } => {
                object.bank("agent", *agent).integer("delta", delta.0.into());
                if let Some(new_total) = new_total {
                    object.integer("new_total", new_total.0.into());
                }
            }
            Self::GlobalArrivalRate { multiplier } => {
                object.float("multiplier", Some(*multiplier));
            }
            Self::AgentArrivalRate { agent, multiplier, new_rate, old_rate } => {
                object.bank("agent", *agent).float("multiplier", Some(*multiplier));
                object.float("new_rate", Some(*new_rate)).float("old_rate", Some(*old_rate));
            }
            Self::CounterpartyWeight { agent, auto_balance_others, counterparty, new_weight } => {
                object.bank("agent", *agent).flag("auto_balance_others", *auto_balance_others);
                object.bank("counterparty", *counterparty).float("new_weight", Some(*new_weight));
            }
            Self::DeadlineWindow { max_multiplier, min_multiplier } => {
                object
                    .float("max_ticks_multiplier", *max_multiplier)
                    .float("min_ticks_multiplier", *min_multiplier);
            }
            Self::ScheduledSettlement { amount, from, settled, to } => {
                object.integer("amount", amount.0.into()).bank("from_agent", *from);
                if !settled {
                    object.text("reason", "insufficient_liquidity");
                }
                object.flag("settled", *settled).bank("to_agent", *to);
            }
        }
        object.finish()
    }

    fn from_details(details: &Value, names: &Names) -> Option<Self> {
        let has = |key: &str| details.get(key).is_some();
        let bank = |key: &str| names.find(details.get(key)?.as_str()?);
        let cents = |key: &str| details.get(key)?.as_i64().map(Cents);
        let flag = |key: &str| details.get(key)?.as_bool();
        let float = |key: &str| f64::read(details.get(key)?, names);
        if has("settled") {
            let (amount, from, to) = (cents("amount")?, bank("from_agent")?, bank("to_agent")?);
            return Some(Self::ScheduledSettlement { amount, from, settled: flag("settled")?, to });
        }
        if has("tx_id") {
            return Some(Self::CustomArrival {
                amount: cents("amount")?,
                deadline: details.get("deadline").and_then(wide_integer)?,
                from: bank("from_agent")?,
                is_divisible: flag("is_divisible")?,
                priority: u8::read(details.get("priority")?, names)?,
                to: bank("to_agent")?,
                tx_id: PaymentId::read(details.get("tx_id")?, names)?,
            });
        }
        if has("from_agent") {
            let (amount, from, to) = (cents("amount")?, bank("from_agent")?, bank("to_agent")?);
            return Some(Self::DirectTransfer { amount, from, to });
        }
        if has("delta") {
            let (agent, delta, new_total) = (bank("agent")?, cents("delta")?, cents("new_total"));
            if new_total.is_none() && !names.of_reference() {
                return None;
            }
            return Some(Self::CollateralAdjustment { agent, delta, new_total });
        }
        if has("new_rate") {
            let (multiplier, new_rate, old_rate) =
                (float("multiplier")?, float("new_rate")?, float("old_rate")?);
            return Some(Self::AgentArrivalRate { agent: bank("agent")?, multiplier, new_rate, old_rate });
        }
        if has("counterparty") {
            return Some(Self::CounterpartyWeight {
                agent: bank("agent")?,
                auto_balance_others: flag("auto_balance_others")?,
                counterparty: bank("counterparty")?,
                new_weight: float("new_weight")?,
            });
        }
        if has("multiplier") {
            return Some(Self::GlobalArrivalRate { multiplier: float("multiplier")? });
        }
        let optional = |key: &str| Option::<f64>::read(details.get(key)?, names);
        Some(Self::DeadlineWindow {
            max_multiplier: optional("max_ticks_multiplier")?,
            min_multiplier: optional("min_ticks_multiplier")?,
        })
    }
}

/// An uncapped deadline may lie just beyond 64 bits; serde gives it as a float then.
fn wide_integer(value: &Value) -> Option<i128> {
    value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from))
}

impl Field for Effect {
    const KIND: FieldKind = FieldKind::Text;

    fn write(&self, names: &Names, out: &mut String) {
        write_quoted(&self.details(names), out);
    }

    fn read(value: &Value, names: &Names) -> Option<Self> {
        Self::from_details(&serde_json::from_str(value.as_str()?).ok()?, names)
    }

    fn concerns(&self, _names: &Names, concerns: &mut impl Concerns) {
        match self {
            Self::DirectTransfer { from, to, .. } | Self::ScheduledSettlement { from, to, .. } => {
                concerns.bank(*from);
                concerns.bank(*to);
            }
            Self::CustomArrival { from, to, tx_id, .. } => {
                concerns.bank(*from);
                concerns.bank(*to);
                concerns.payment(SettlementId::Payment(*tx_id));
            }
            Self::CollateralAdjustment { agent, .. } | Self::AgentArrivalRate { agent, .. } => {
                concerns.bank(*agent)
            }
            Self::CounterpartyWeight { agent, counterparty, .. } => {
                concerns.bank(*agent);
                concerns.bank(*counterparty);
            }
            Self::GlobalArrivalRate { .. } | Self::DeadlineWindow { .. } => {}
        }
    }
}

impl Effect {
    /// The tick of an uncapped deadline, held at the end of the range.
    #[must_use]
    pub fn deadline_tick(deadline: i128) -> Tick {
        Tick(u64::try_from(deadline).unwrap_or(u64::MAX))
    }
}

struct ObjectWriter<'a> {
    names: &'a Names,
    out: String,
}

impl<'a> ObjectWriter<'a> {
    fn new(names: &'a Names) -> Self {
        Self { names, out: String::from("{") }
    }

    fn key(&mut self, key: &str) {
        if self.out.len() > 1 {
            self.out.push(',');
        }
        let _ = write!(self.out, "\"{key}\":");
    }

    fn integer(&mut self, key: &str, value: i128) -> &mut Self {
        self.key(key);
        let _ = write!(self.out, "{value}");
        self
    }

    fn bank(&mut self, key: &str, bank: BankIdx) -> &mut Self {
        self.key(key);
        self.out.push_str(self.names.quoted_bank(bank));
        self
    }

    fn text(&mut self, key: &str, text: &str) -> &mut Self {
        self.key(key);
        write_quoted(text, &mut self.out);
        self
    }

    fn flag(&mut self, key: &str, flag: bool) -> &mut Self {
        self.key(key);
        self.out.push_str(if flag { "true" } else { "false" });
        self
    }

    fn float(&mut self, key: &str, value: Option<f64>) -> &mut Self {
        self.key(key);
        match value {
            Some(value) => write_float(value, &mut self.out),
            None => self.out.push_str("null"),
        }
        self
    }

    fn finish(mut self) -> String {
        self.out.push('}');
        self.out
    }
}
