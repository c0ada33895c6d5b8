//! The actions of the language: one row per name (spec 04, 4).

use super::ast::TreeKind;
use super::category::Category;

/// What an action node can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Submit the payment.
    Release,
    /// The same as `Release`.
    ReleaseWithCredit,
    /// The same as `Split`.
    PaceAndRelease,
    /// Split the payment into equal parts, all submitted.
    Split,
    /// Split the payment, some parts submitted later.
    StaggerSplit,
    /// Keep the payment in queue 1; in the bank tree nothing.
    Hold,
    /// Give the payment up.
    Drop,
    /// Set the payment's priority.
    Reprioritize,
    /// Take the payment back from queue 2.
    WithdrawFromRtgs,
    /// Take the payment back and declare its class.
    ResubmitToRtgs,
    /// Limit what the bank releases in this tick.
    SetReleaseBudget,
    /// Set a register.
    SetState,
    /// Add to a register.
    AddState,
    /// Nothing.
    NoAction,
    /// Post collateral.
    PostCollateral,
    /// Take collateral back.
    WithdrawCollateral,
    /// Leave collateral as it is.
    HoldCollateral,
}

/// What an argument takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgumentKind {
    /// A number in any form; a literal must be a number.
    Number,
    /// The number of parts of a split: a literal must be 2 or more.
    Parts,
    /// A text literal.
    Text,
    /// One of these text literals.
    Choice(&'static [&'static str]),
    /// A text literal, of which these words have a meaning of their own; anything else is the default.
    Wish(&'static [&'static str]),
    /// A literal list of texts; anything else is no list.
    Texts,
}

impl ArgumentKind {
    /// The type for listings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Number | Self::Parts => "number",
            Self::Text | Self::Choice(_) | Self::Wish(_) => "text",
            Self::Texts => "list of texts",
        }
    }

    /// The words with a meaning.
    #[must_use]
    pub const fn words(self) -> &'static [&'static str] {
        match self {
            Self::Choice(words) | Self::Wish(words) => words,
            _ => &[],
        }
    }

    /// Whether it is a number.
    #[must_use]
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Number | Self::Parts)
    }
}

/// An argument of an action.
#[derive(Debug)]
pub struct ArgumentRow {
    /// Its key.
    pub name: &'static str,
    /// What it takes.
    pub kind: ArgumentKind,
    /// Whether it must be there.
    pub required: bool,
    /// One line.
    pub help: &'static str,
}

/// An action.
#[derive(Debug)]
pub struct ActionRow {
    /// What it is.
    pub action: Action,
    /// Its name in a document.
    pub name: &'static str,
    /// Category for listings and switches.
    pub category: Category,
    /// Whether the switches of spec 04, 10 know it.
    pub switched: bool,
    /// The trees in which it stands.
    pub trees: &'static [TreeKind],
    /// Its arguments.
    pub arguments: &'static [ArgumentRow],
    /// One line.
    pub help: &'static str,
}

impl ActionRow {
    /// The row of an argument.
    #[must_use]
    pub fn argument(&self, name: &str) -> Option<&'static ArgumentRow> {
        self.arguments.iter().find(|argument| argument.name == name)
    }
}

impl Action {
    /// The action of a name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        ACTIONS.iter().find(|row| row.name == name).map(|row| row.action)
    }

    /// Its row.
    #[must_use]
    pub const fn row(self) -> &'static ActionRow {
        &ACTIONS[self as usize]
    }

    /// Its name in a document.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().name
    }
}

/// Priorities that the flag of a release gives.
pub(super) const PRIORITY_FLAGS: [(&str, u8); 3] = [("HIGH", 10), ("MEDIUM", 5), ("LOW", 1)];

/// Reason of `SetState` and `AddState` without one.
pub(super) const REGISTER_REASON: &str = "policy_action";

const HOLD_REASONS: &[&str] = &["InsufficientLiquidity", "AwaitingInflows", "LowPriority", "NearDeadline"];

/// Words of the reason of a collateral action; the first stands for every other text.
pub(super) const COLLATERAL_REASONS: &[&str] = &[
    "UrgentLiquidityNeed",
    "PreemptivePosting",
    "LiquidityRestored",
    "EndOfDayCleanup",
    "DeadlineEmergency",
    "CostOptimization",
];

const fn required(name: &'static str, kind: ArgumentKind, help: &'static str) -> ArgumentRow {
    ArgumentRow { name, kind, required: true, help }
}

const fn optional(name: &'static str, kind: ArgumentKind, help: &'static str) -> ArgumentRow {
    ArgumentRow { name, kind, required: false, help }
}

const RELEASE: &[ArgumentRow] = &[
    optional(
        "priority_flag",
        ArgumentKind::Wish(&["HIGH", "MEDIUM", "LOW"]),
        "Priority that the payment gets at once: 10, 5 or 1; any other text gives 5.",
    ),
    optional("timed_for_tick", ArgumentKind::Number, "Not before this tick; the payment waits in queue 1."),
];
const SPLIT: &[ArgumentRow] = &[required("num_splits", ArgumentKind::Parts, "Number of parts, at least 2.")];
const STAGGER: &[ArgumentRow] = &[
    required("num_splits", ArgumentKind::Parts, "Number of parts, at least 2."),
    required("stagger_first_now", ArgumentKind::Number, "Parts submitted now, at most `num_splits`."),
    required("stagger_gap_ticks", ArgumentKind::Number, "Ticks between the later parts; 0 counts as 1."),
    required(
        "priority_boost_children",
        ArgumentKind::Number,
        "Added to the priority of the parts, up to 10.",
    ),
];
const HOLD: &[ArgumentRow] =
    &[optional("reason", ArgumentKind::Wish(HOLD_REASONS), "Reason for the event; any text.")];
const REPRIORITIZE: &[ArgumentRow] =
    &[required("new_priority", ArgumentKind::Number, "The priority, brought into 0 to 10.")];
const RESUBMIT: &[ArgumentRow] = &[required(
    "rtgs_priority",
    ArgumentKind::Choice(&["HighlyUrgent", "Urgent", "Normal"]),
    "Class with which the payment will be submitted.",
)];
const BUDGET: &[ArgumentRow] = &[
    required(
        "max_value_to_release",
        ArgumentKind::Number,
        "Most cents that releases of this tick may add up to.",
    ),
    optional("focus_counterparties", ArgumentKind::Texts, "Receivers to which alone something is released."),
    optional("max_per_counterparty", ArgumentKind::Number, "Most cents to one receiver."),
];
const SET_STATE: &[ArgumentRow] = &[
    required("key", ArgumentKind::Text, "Name of the register, beginning with `bank_state_`."),
    required("value", ArgumentKind::Number, "The new value."),
    optional("reason", ArgumentKind::Text, "Reason for the event; else `policy_action`."),
];
const ADD_STATE: &[ArgumentRow] = &[
    required("key", ArgumentKind::Text, "Name of the register, beginning with `bank_state_`."),
    required("value", ArgumentKind::Number, "What is added; an unset register is 0."),
    optional("reason", ArgumentKind::Text, "Reason for the event; else `policy_action`."),
];
const POST: &[ArgumentRow] = &[
    required("amount", ArgumentKind::Number, "Cents, limited to the capacity left; 0 or less does nothing."),
    optional("reason", ArgumentKind::Wish(COLLATERAL_REASONS), "Reason for the event."),
    optional(
        "auto_withdraw_after_ticks",
        ArgumentKind::Number,
        "Ticks until it is withdrawn again, if above 0.",
    ),
];
const WITHDRAW: &[ArgumentRow] = &[
    required("amount", ArgumentKind::Number, "Cents, limited to what the credit in use can spare."),
    optional("reason", ArgumentKind::Wish(COLLATERAL_REASONS), "Reason for the event."),
];

const PAYMENT: &[TreeKind] = &[TreeKind::Payment];
const BANK: &[TreeKind] = &[TreeKind::Bank];
const COLLATERAL: &[TreeKind] = &[TreeKind::StrategicCollateral, TreeKind::EndOfTickCollateral];

macro_rules! actions {
    ($($action:ident, $category:ident $(($switched:literal))?, $trees:ident, $arguments:expr,
       $help:literal;)+) => {
        /// All actions, in the order of [`Action`].
        pub const ACTIONS: &[ActionRow] = &[$(ActionRow {
            action: Action::$action,
            name: stringify!($action),
            category: Category::$category,
            switched: true $(&& $switched)?,
            trees: $trees,
            arguments: $arguments,
            help: $help,
        }),+];
    };
}

actions! {
    Release, PaymentAction, PAYMENT, RELEASE, "Submits the whole payment, within the release budget.";
    ReleaseWithCredit, PaymentAction, PAYMENT, RELEASE, "Submits the whole payment; the same as Release.";
    PaceAndRelease, PaymentAction, PAYMENT, SPLIT, "Splits the payment; the same as Split.";
    Split, PaymentAction, PAYMENT, SPLIT, "Splits the payment into equal parts and submits all of them.";
    StaggerSplit, PaymentAction, PAYMENT, STAGGER, "Splits the payment, submits parts now and later.";
    Hold, PaymentAction, PAYMENT, HOLD, "Keeps the payment in queue 1.";
    Drop, PaymentAction, PAYMENT, &[], "Gives the payment up: it never settles and costs nothing more.";
    Reprioritize, PaymentAction, PAYMENT, REPRIORITIZE, "Sets the payment's priority; it stays in queue 1.";
    WithdrawFromRtgs, RtgsAction, PAYMENT, &[], "Takes the payment from queue 2 back to the end of queue 1.";
    ResubmitToRtgs, RtgsAction, PAYMENT, RESUBMIT, "Takes the payment back and declares its class.";
    SetReleaseBudget, BankAction, BANK, BUDGET, "Limits what the bank releases in this tick.";
    SetState, BankAction, BANK, SET_STATE, "Sets a register that lasts until the end of the day.";
    AddState, BankAction, BANK, ADD_STATE, "Adds to a register that lasts until the end of the day.";
    NoAction, BankAction(false), BANK, &[], "Does nothing.";
    PostCollateral, CollateralAction, COLLATERAL, POST, "Posts collateral, which raises the credit line.";
    WithdrawCollateral, CollateralAction, COLLATERAL, WITHDRAW, "Takes posted collateral back.";
    HoldCollateral, CollateralAction, COLLATERAL, &[], "Leaves collateral as it is.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_finds_its_own_row() {
        for (position, row) in ACTIONS.iter().enumerate() {
            assert_eq!(row.action as usize, position);
            assert_eq!(row.action.name(), row.name);
            assert_eq!(Action::find(row.name), Some(row.action));
        }
        assert_eq!(Action::find("release"), None);
    }

    #[test]
    fn only_no_action_is_beyond_the_switches() {
        let unswitched: Vec<&str> = ACTIONS.iter().filter(|row| !row.switched).map(|row| row.name).collect();
        assert_eq!(unswitched, ["NoAction"]);
    }
}
