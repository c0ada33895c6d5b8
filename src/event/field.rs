//! The types of event values: how each is written, read and what it names.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::Value;

use super::Concerns;
use crate::costs::Costs;
use crate::ids::{BankIdx, Names, PaymentId};
use crate::money::Cents;
use crate::text::{write_float, write_quoted};
use crate::time::{Day, Tick};

/// A shared text; cloning it allocates nothing.
pub type Text = Arc<str>;

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// The id of a bank.
    Bank,
    /// The id of a payment.
    Payment,
    /// Cents.
    Money,
    /// A tick counted from the start of the run.
    Tick,
    /// A count, a day, a priority.
    Count,
    /// A float.
    Float,
    /// True or false.
    Flag,
    /// A text.
    Text,
    /// A list of any of these.
    List,
    /// Costs by kind.
    Costs,
}

/// A type that stands in an event.
pub trait Field: Sized {
    /// What it holds.
    const KIND: FieldKind;

    /// Appends it as canonical JSON.
    fn write(&self, names: &Names, out: &mut String);

    /// Reads it from JSON; `None` if the value does not fit.
    fn read(value: &Value, names: &Names) -> Option<Self>;

    /// Names the banks and payments in it.
    fn concerns(&self, _names: &Names, _concerns: &mut impl Concerns) {}

    /// The bank it is.
    fn bank(&self) -> Option<BankIdx> {
        None
    }

    /// The payment it is.
    fn payment(&self) -> Option<SettlementId> {
        None
    }
}

impl Field for BankIdx {
    const KIND: FieldKind = FieldKind::Bank;

    fn write(&self, names: &Names, out: &mut String) {
        out.push_str(names.quoted_bank(*self));
    }

    fn read(value: &Value, names: &Names) -> Option<Self> {
        names.find(value.as_str()?)
    }

    fn concerns(&self, _names: &Names, concerns: &mut impl Concerns) {
        concerns.bank(*self);
    }

    fn bank(&self) -> Option<BankIdx> {
        Some(*self)
    }
}

impl Field for PaymentId {
    const KIND: FieldKind = FieldKind::Payment;

    fn write(&self, _names: &Names, out: &mut String) {
        let _ = write!(out, "\"{self}\"");
    }

    fn read(value: &Value, _names: &Names) -> Option<Self> {
        Self::parse(value.as_str()?)
    }

    fn concerns(&self, _names: &Names, concerns: &mut impl Concerns) {
        concerns.payment(SettlementId::Payment(*self));
    }

    fn payment(&self) -> Option<SettlementId> {
        Some(SettlementId::Payment(*self))
    }
}

/// What an immediate settlement settles (spec 05, 1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SettlementId {
    /// A payment.
    Payment(PaymentId),
    /// A scheduled settlement: no payment, only named in this form.
    Scheduled {
        /// Who pays.
        from: BankIdx,
        /// Who is paid.
        to: BankIdx,
        /// How much.
        amount: Cents,
        /// When.
        tick: Tick,
    },
}

impl SettlementId {
    /// The id as text.
    #[must_use]
    pub fn name(&self, names: &Names) -> String {
        match self {
            Self::Payment(payment) => payment.to_string(),
            Self::Scheduled { from, to, amount, tick } => {
                format!(
                    "scheduled_settlement_{}_{}_{}_{tick}",
                    names.bank(*from),
                    names.bank(*to),
                    amount.get()
                )
            }
        }
    }

    /// The payment, unless this is a scheduled settlement.
    #[must_use]
    pub const fn payment_id(&self) -> Option<PaymentId> {
        match self {
            Self::Payment(payment) => Some(*payment),
            Self::Scheduled { .. } => None,
        }
    }

    fn parse_scheduled(text: &str, names: &Names) -> Option<Self> {
        let rest = text.strip_prefix("scheduled_settlement_")?;
        let (rest, tick) = rest.rsplit_once('_')?;
        let (parties, amount) = rest.rsplit_once('_')?;
        // Bank ids may hold underscores, so every split is tried.
        let (from, to) = parties
            .match_indices('_')
            .find_map(|(at, _)| Some((names.find(&parties[..at])?, names.find(&parties[at + 1..])?)))?;
        Some(Self::Scheduled {
            from,
            to,
            amount: Cents(amount.parse().ok()?),
            tick: Tick(tick.parse().ok()?),
        })
    }
}

impl Field for SettlementId {
    const KIND: FieldKind = FieldKind::Payment;

    fn write(&self, names: &Names, out: &mut String) {
        match self {
            Self::Payment(payment) => payment.write(names, out),
            Self::Scheduled { .. } => write_quoted(&self.name(names), out),
        }
    }

    fn read(value: &Value, names: &Names) -> Option<Self> {
        let text = value.as_str()?;
        PaymentId::parse(text).map(Self::Payment).or_else(|| Self::parse_scheduled(text, names))
    }

    fn concerns(&self, _names: &Names, concerns: &mut impl Concerns) {
        concerns.payment(*self);
    }

    fn payment(&self) -> Option<SettlementId> {
        Some(*self)
    }
}

impl Field for Cents {
    const KIND: FieldKind = FieldKind::Money;

    fn write(&self, _names: &Names, out: &mut String) {
        let _ = write!(out, "{}", self.0);
    }

    fn read(value: &Value, _names: &Names) -> Option<Self> {
        value.as_i64().map(Self)
    }
}

macro_rules! count_field {
    ($($type:ty, $kind:ident, $wrap:expr, $unwrap:expr;)+) => {$(
        impl Field for $type {
            const KIND: FieldKind = FieldKind::$kind;

            fn write(&self, _names: &Names, out: &mut String) {
                let _ = write!(out, "{}", $unwrap(*self));
            }

            fn read(value: &Value, _names: &Names) -> Option<Self> {
                value.as_u64().and_then($wrap)
            }
        }
    )+};
}

count_field! {
    u64, Count, Some, std::convert::identity;
    u8, Count, |number| Self::try_from(number).ok(), std::convert::identity;
    Tick, Tick, |number| Some(Self(number)), |tick: Self| tick.0;
    Day, Count, |number| Some(Self(number)), |day: Self| day.0;
}

impl Field for f64 {
    const KIND: FieldKind = FieldKind::Float;

    fn write(&self, _names: &Names, out: &mut String) {
        write_float(*self, out);
    }

    fn read(value: &Value, _names: &Names) -> Option<Self> {
        match value.as_str() {
            Some("Infinity") => Some(Self::INFINITY),
            Some("-Infinity") => Some(Self::NEG_INFINITY),
            Some("NaN") => Some(Self::NAN),
            Some(_) => None,
            None => value.as_f64(),
        }
    }
}

impl Field for bool {
    const KIND: FieldKind = FieldKind::Flag;

    fn write(&self, _names: &Names, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }

    fn read(value: &Value, _names: &Names) -> Option<Self> {
        value.as_bool()
    }
}

impl Field for Text {
    const KIND: FieldKind = FieldKind::Text;

    fn write(&self, _names: &Names, out: &mut String) {
        write_quoted(self, out);
    }

    fn read(value: &Value, _names: &Names) -> Option<Self> {
        value.as_str().map(Self::from)
    }
}

impl<F: Field> Field for Option<F> {
    const KIND: FieldKind = F::KIND;

    fn write(&self, names: &Names, out: &mut String) {
        match self {
            Some(value) => value.write(names, out),
            None => out.push_str("null"),
        }
    }

    fn read(value: &Value, names: &Names) -> Option<Self> {
        if value.is_null() { Some(None) } else { F::read(value, names).map(Some) }
    }

    fn concerns(&self, names: &Names, concerns: &mut impl Concerns) {
        if let Some(value) = self {
            value.concerns(names, concerns);
        }
    }
}

impl<F: ListItem> Field for Arc<[F]> {
    const KIND: FieldKind = FieldKind::List;

    fn write(&self, names: &Names, out: &mut String) {
        out.push('[');
        for (position, item) in self.iter().enumerate() {
            if position > 0 {
                out.push(',');
            }
            item.write(names, out);
        }
        out.push(']');
    }

    fn read(value: &Value, names: &Names) -> Option<Self> {
        value.as_array()?.iter().map(|item| F::read(item, names)).collect()
    }

    fn concerns(&self, names: &Names, concerns: &mut impl Concerns) {
        for item in self.iter() {
            item.item_concerns(names, concerns);
        }
    }
}

/// A field that stands in lists. The texts in the only list of texts, the focus of a
/// budget, concern the banks of those names.
pub trait ListItem: Field {
    /// What the item names as a member of a list.
    fn item_concerns(&self, names: &Names, concerns: &mut impl Concerns) {
        self.concerns(names, concerns);
    }
}

impl ListItem for BankIdx {}
impl ListItem for PaymentId {}
impl ListItem for Cents {}
impl ListItem for Text {
    fn item_concerns(&self, names: &Names, concerns: &mut impl Concerns) {
        if let Some(bank) = names.find(self) {
            concerns.bank(bank);
        }
    }
}

/// The bank of a ring with the largest net outflow, written `""` if nobody pays net.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionalBank(pub Option<BankIdx>);

impl Field for OptionalBank {
    const KIND: FieldKind = FieldKind::Bank;

    fn write(&self, names: &Names, out: &mut String) {
        out.push_str(self.0.map_or("\"\"", |bank| names.quoted_bank(bank)));
    }

    fn read(value: &Value, names: &Names) -> Option<Self> {
        match value.as_str()? {
            "" => Some(Self(None)),
            id => names.find(id).map(|bank| Self(Some(bank))),
        }
    }
}

/// The class in which a payment is submitted to the settlement system; the first is the most urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum RtgsPriority {
    /// Before all others.
    HighlyUrgent,
    /// Before normal ones.
    Urgent,
    /// The default.
    Normal,
}

impl RtgsPriority {
    /// The name as written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HighlyUrgent => "HighlyUrgent",
            Self::Urgent => "Urgent",
            Self::Normal => "Normal",
        }
    }

    /// The class of a name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        [Self::HighlyUrgent, Self::Urgent, Self::Normal].into_iter().find(|class| class.name() == name)
    }
}

impl Field for RtgsPriority {
    const KIND: FieldKind = FieldKind::Text;

    fn write(&self, _names: &Names, out: &mut String) {
        let _ = write!(out, "\"{}\"", self.name());
    }

    fn read(value: &Value, _names: &Names) -> Option<Self> {
        Self::find(value.as_str()?)
    }
}

/// A declared class; the text `None` stands for one that was never declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeclaredPriority(pub Option<RtgsPriority>);

impl Field for DeclaredPriority {
    const KIND: FieldKind = FieldKind::Text;

    fn write(&self, _names: &Names, out: &mut String) {
        let _ = write!(out, "\"{}\"", self.0.map_or("None", RtgsPriority::name));
    }

    fn read(value: &Value, _names: &Names) -> Option<Self> {
        match value.as_str()? {
            "None" => Some(Self(None)),
            name => RtgsPriority::find(name).map(|class| Self(Some(class))),
        }
    }
}

/// A settlement mechanism that reports about a tick (spec 02, 13.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// The queue 2 pass.
    Queue2 = 1,
    /// Bilateral offsets.
    Pairs = 2,
    /// Rings.
    Rings = 3,
}

impl Field for Mechanism {
    const KIND: FieldKind = FieldKind::Count;

    fn write(&self, _names: &Names, out: &mut String) {
        let _ = write!(out, "{}", *self as u8);
    }

    fn read(value: &Value, _names: &Names) -> Option<Self> {
        match value.as_u64()? {
            1 => Some(Self::Queue2),
            2 => Some(Self::Pairs),
            3 => Some(Self::Rings),
            _ => None,
        }
    }
}

/// Why a payment stays in queue 1 (spec 05, 3.2).
#[derive(Clone, Debug, PartialEq)]
pub enum HoldReason {
    /// The policy waits for liquidity.
    InsufficientLiquidity,
    /// The policy waits for incoming payments.
    AwaitingInflows,
    /// The policy gives others precedence.
    LowPriority,
    /// The policy waits for the deadline.
    NearDeadline {
        /// Ticks left, 0 if it is past.
        ticks_remaining: u64,
    },
    /// The release budget of the tick does not allow it.
    BudgetExhausted,
    /// A part of the split would be 0 cents.
    SplitTooSmall,
    /// The policy asked to withdraw a payment that is not in queue 2.
    NotInQueue2(PaymentId),
    /// Any other text, as it is shown.
    Other(Text),
}

impl HoldReason {
    /// Appends the reason as it is shown.
    pub fn write_text(&self, out: &mut String) {
        let word = match self {
            Self::InsufficientLiquidity => "InsufficientLiquidity",
            Self::AwaitingInflows => "AwaitingInflows",
            Self::LowPriority => "LowPriority",
            Self::BudgetExhausted => "BudgetExhausted",
            Self::SplitTooSmall => "SplitTooSmall",
            Self::Other(text) => text,
            Self::NearDeadline { ticks_remaining } => {
                let _ = write!(out, "NearDeadline {{ ticks_remaining: {ticks_remaining} }}");
                return;
            }
            Self::NotInQueue2(payment) => {
                let _ = write!(
                    out,
                    "WithdrawFromRtgs failed: Settlement error: \
                     Transaction {payment} not found in RTGS Queue 2"
                );
                return;
            }
        };
        out.push_str(word);
    }
}

impl Field for HoldReason {
    const KIND: FieldKind = FieldKind::Text;

    fn write(&self, _names: &Names, out: &mut String) {
        if let Self::Other(text) = self {
            write_quoted(text, out);
        } else {
            out.push('"');
            self.write_text(out);
            out.push('"');
        }
    }

    fn read(value: &Value, _names: &Names) -> Option<Self> {
        let text = value.as_str()?;
        Some(match text {
            "InsufficientLiquidity" => Self::InsufficientLiquidity,
            "AwaitingInflows" => Self::AwaitingInflows,
            "LowPriority" => Self::LowPriority,
            "BudgetExhausted" => Self::BudgetExhausted,
            "SplitTooSmall" => Self::SplitTooSmall,
            other => Self::read_composed(other).unwrap_or_else(|| Self::Other(other.into())),
        })
    }
}

impl HoldReason {
    fn read_composed(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix("NearDeadline { ticks_remaining: ") {
            let ticks_remaining = rest.strip_suffix(" }")?.parse().ok()?;
            return Some(Self::NearDeadline { ticks_remaining });
        }
        let rest = text.strip_prefix("WithdrawFromRtgs failed: Settlement error: Transaction ")?;
        PaymentId::parse(rest.strip_suffix(" not found in RTGS Queue 2")?).map(Self::NotInQueue2)
    }
}

/// The object under `costs`: the six kinds and their total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CostsField {
    /// The kinds.
    pub kinds: Costs,
    /// Their sum.
    pub total: Cents,
}

const COST_KEYS: [&str; 6] = [
    "liquidity_cost",
    "delay_cost",
    "collateral_cost",
    "penalty_cost",
    "split_friction_cost",
    "liquidity_opportunity_cost",
];

impl Field for CostsField {
    const KIND: FieldKind = FieldKind::Costs;

    fn write(&self, names: &Names, out: &mut String) {
        out.push('{');
        let keys = if names.of_reference() { &COST_KEYS[..5] } else { &COST_KEYS[..] };
        for (key, amount) in keys.iter().zip(self.kinds.kinds()) {
            let _ = write!(out, "\"{key}\":{},", amount.0);
        }
        let _ = write!(out, "\"total\":{}}}", self.total.0);
    }

    fn read(value: &Value, names: &Names) -> Option<Self> {
        let cents = |key: &str| value.get(key)?.as_i64().map(Cents);
        let total = cents("total")?;
        let mut kinds = Costs {
            overdraft: cents("liquidity_cost")?,
            delay: cents("delay_cost")?,
            collateral: cents("collateral_cost")?,
            penalty: cents("penalty_cost")?,
            split_friction: cents("split_friction_cost")?,
            liquidity_opportunity: match cents("liquidity_opportunity_cost") {
                None if names.of_reference() => Cents::ZERO,
                opportunity => opportunity?,
            },
        };
        if names.of_reference() {
            // The reference has it in the total alone.
            let others = kinds.kinds()[..5].iter().fold(Cents::ZERO, |sum, cost| sum.saturating_add(*cost));
            kinds.liquidity_opportunity = total.saturating_sub(others);
        }
        Some(Self { kinds, total })
    }
}
